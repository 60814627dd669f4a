"""`jdv triage`: the change requests of experts and laboratories, from the form they fill in to what becomes of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.checking import NabmFile, ProfileName, SettingsFile, WaiverFile
from jdv_qa.cli.misuse import not_one_of
from jdv_qa.cli.options import (
    Exit,
    Force,
    Lang,
    LayoutFile,
    Loinc,
    Output,
    console,
    emit,
    emit_workbook,
    form_of,
    printed,
    read,
)
from jdv_qa.cli.progress import stages
from jdv_qa.cli.streams import tell
from jdv_qa.cli.triage_follow import LedgerFolder, open_ledger
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.triage.review import Review


class Format(StrEnum):
    """Forms of a review."""

    TEXT = "text"
    JSON = "json"
    XLSX = "xlsx"
    HTML = "html"


def review(
    requests: Annotated[
        Path, Argument(metavar="REQUESTS", help="Register of change requests: an Excel workbook or a CSV file.")
    ],
    workbook: Annotated[Path, Argument(metavar="WORKBOOK", help="Workbook that the requests are about.")],
    form: Annotated[
        Format | None,
        Option(
            "--format",
            "-f",
            help="text, xlsx (the workbook of the meeting) or html for people, json for scripts "
            "(default: by the name of the output).",
        ),
    ] = None,
    output: Output = None,
    force: Force = False,
    loinc: Loinc = None,
    nabm: NabmFile = None,
    profile: ProfileName = None,
    waivers: WaiverFile = None,
    only: Annotated[
        list[str] | None,
        Option(
            "--verdict",
            metavar="VERDICT",
            help="Show the requests of these verdicts only, such as acceptable; text only.",
        ),
    ] = None,
    layout: LayoutFile = None,
    register_layout: Annotated[
        str | None, Option("--register-layout", metavar="FILE", help="Layout file of the register.")
    ] = None,
    ledger: LedgerFolder = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> Exit:
    """Review a register of change requests: for each a verdict, the change it means, and what that would bring.

    Each change is tried on the workbook, which stays as it is: a request is acceptable only when `jdv check` would find no
    new error. `-o instruction.xlsx` writes the sheet of the meeting: one line a request, with a list for the decision, to
    be given to `jdv triage apply`. Exit status: 0 the review is done, 2 it could not be made.
    """
    from jdv_qa.checks.waivers import load_waivers
    from jdv_qa.cli.checking import load_chosen_profile, load_loinc, load_nabm
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.triage.requests import read_requests
    from jdv_qa.triage.review import review as run_review
    from jdv_qa.triage.verdict import VERDICTS
    from jdv_qa.workbook.layout import load_layout

    if unknown := [word for word in only or () if word not in VERDICTS]:
        raise not_one_of(unknown[0], VERDICTS, "--verdict")
    if output is not None:
        from jdv_qa.files import refuse_sources

        refuse_sources((output,), (requests, workbook))
    settings = load_settings(config)
    chosen_layout = layout or settings.check.get("layout")
    with stages(3, (requests, workbook)) as begin:
        begin(say(f"Lecture de {requests.name}", f"Reading {requests.name}"))
        register = read_requests(requests, load_layout(register_layout) if register_layout else None)
        begin(say(f"Lecture de {workbook.name}", f"Reading {workbook.name}"))
        edition = read(workbook, chosen_layout)
        granted = waivers or settings.file("waivers")
        begin(say("Examen des demandes", "Reviewing the requests"))
        done = run_review(
            register,
            edition,
            layout=load_layout(chosen_layout),
            loinc=load_loinc(loinc, settings),
            nabm=load_nabm(nabm or settings.file("nabm")),
            waivers=load_waivers(granted) if granted else None,
            profile=load_chosen_profile(profile, settings),
            ledger=open_ledger(ledger, edition),
        )
    _write(done, form or form_of(output, Format.TEXT), output, tuple(only or ()), force=force)
    return Exit.CLEAN


def _write(done: Review, form: Format, output: Path | None, only: tuple[str, ...], *, force: bool) -> None:
    from jdv_qa.report.triage_text import print_triage, summary_sentence

    if form is Format.JSON:
        from jdv_qa.report.triage_json import triage_json

        emit(triage_json(done), output, force=force)
    elif form is Format.XLSX:
        from jdv_qa.report.triage_excel import triage_excel

        emit_workbook(triage_excel(done), output, "instruction.xlsx", force=force)
    elif form is Format.HTML:
        from jdv_qa.report.triage_html import triage_html

        emit(triage_html(done), output, force=force)
    elif output is None:
        print_triage(done, console(), only)
    else:
        emit(printed(lambda paper: print_triage(done, paper, only)), output, force=force)
    if output is not None:
        tell(say(f"{output} : ", f"{output}: ") + summary_sentence(done))


def form_(
    output: Annotated[Path, Option("--output", "-o", metavar="FILE", help="Workbook to write.", show_default=False)],
    with_: Annotated[
        Path | None,
        Option(
            "--with",
            metavar="WORKBOOK",
            help="Value set whose columns, chapters, specimens and units are offered (default: the sample's).",
        ),
    ] = None,
    layout: LayoutFile = None,
    force: Force = False,
    lang: Lang = None,
) -> None:
    """Write the register that applicants fill in, in French: lists to choose from, marks on what is missing, instructions.

    `jdv triage review` reads it back. The same value set always gives the same bytes.
    """
    from jdv_qa.files import write_file
    from jdv_qa.sample import files
    from jdv_qa.triage.form import form_workbook
    from jdv_qa.workbook.layout import load_layout

    chosen = with_ or list(files().values())[1]
    edition = read(chosen, layout)
    write_file(output, form_workbook(edition, load_layout(layout)), force=force)
    told = with_.name if with_ else say("l'exemple livré", "the sample")
    done = say(f"registre à remplir, listes tirées de {told}", f"register to fill in, lists from {told}")
    tell(say(f"{output} : {done}", f"{output}: {done}"))

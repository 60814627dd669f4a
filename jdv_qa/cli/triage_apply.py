"""`jdv triage apply`: the requests that the meeting accepted, carried into a copy of the draft."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.checking import NabmFile, ProfileName, SettingsFile, WaiverFile
from jdv_qa.cli.options import Exit, Force, Lang, LayoutFile, Loinc, console, emit, printed
from jdv_qa.cli.progress import stages
from jdv_qa.cli.streams import tell
from jdv_qa.errors import OutputError
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.triage.application import Application
    from jdv_qa.workbook.layout import Layout


class Format(StrEnum):
    """Forms of the log."""

    TEXT = "text"
    JSON = "json"


def apply(
    instruction: Annotated[
        Path,
        Argument(
            metavar="INSTRUCTION",
            help="Workbook of the meeting (`jdv triage review -o`), or a register with its decisions.",
        ),
    ],
    draft: Annotated[Path, Argument(metavar="DRAFT", help="Workbook of the draft; it is not changed.")],
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="NEXT", help="Workbook to write: the draft with what was accepted."),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Tell what would be carried; write no workbook.")] = False,
    form: Annotated[
        Format, Option("--format", "-f", help="What is printed: text for people, json for scripts.")
    ] = Format.TEXT,
    log: Annotated[
        Path | None,
        Option("--log", metavar="FILE", help="Write the log to a file too: JSON if its name ends in .json."),
    ] = None,
    force: Force = False,
    loinc: Loinc = None,
    nabm: NabmFile = None,
    profile: ProfileName = None,
    waivers: WaiverFile = None,
    layout: LayoutFile = None,
    register_layout: Annotated[
        str | None, Option("--register-layout", metavar="FILE", help="Layout file of the register.")
    ] = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> Exit:
    """Carry the accepted requests into a copy of the draft; nothing else in it changes.

    Each request is read anew against the draft as it is. One that contradicts another accepted one, says too little, or
    would bring an error is left out, and the log says why. What the draft says already is left as it is, so that applying
    twice changes nothing more; where nothing changes, the copy is the draft to the byte. Exit status: 0 all accepted
    requests are in the new workbook, 1 some could not be carried, 2 the work could not be done.
    """
    from jdv_qa.checks.waivers import load_waivers
    from jdv_qa.cli.checking import load_chosen_profile, load_loinc, load_nabm
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.report.application_json import application_json
    from jdv_qa.report.application_text import applied_sentence, print_application
    from jdv_qa.triage.application import apply_decisions
    from jdv_qa.triage.decisions import read_decisions
    from jdv_qa.triage.requests import read_requests
    from jdv_qa.triage.writing import applied_workbook
    from jdv_qa.workbook.layout import load_layout
    from jdv_qa.workbook.read import read_edition

    _refuse_places(instruction, draft, output, log, dry_run=dry_run)
    settings = load_settings(config)
    chosen_layout = load_layout(layout or settings.check.get("layout"))
    with stages(6, (instruction, draft)) as begin:
        begin(say(f"Lecture de {instruction.name}", f"Reading {instruction.name}"))
        register = read_requests(instruction, load_layout(register_layout) if register_layout else None)
        decisions = read_decisions(instruction, register)
        begin(say(f"Lecture de {draft.name}", f"Reading {draft.name}"))
        edition = read_edition(draft, chosen_layout)
        granted = waivers or settings.file("waivers")
        application = apply_decisions(
            register.requests,
            decisions,
            edition,
            layout=chosen_layout,
            loinc=load_loinc(loinc, settings),
            nabm=load_nabm(nabm or settings.file("nabm")),
            waivers=load_waivers(granted) if granted else None,
            profile=load_chosen_profile(profile, settings),
            stage=begin,
        )
        begin(say("Écriture", "Writing"))
        content = applied_workbook(draft, application)
        if output is not None and not dry_run:
            _write(output, content, application, chosen_layout, force=force)
    as_json = application_json(application, register, content)
    if log is not None:
        text = (
            as_json
            if log.suffix.casefold() == ".json"
            else printed(lambda paper: print_application(application, paper))
        )
        emit(text, log, force=force)
    if form is Format.JSON:
        emit(as_json, None)
    else:
        print_application(application, console())
    if output is not None and not dry_run:
        tell(say(f"{output} : ", f"{output}: ") + applied_sentence(application))
    return Exit.FOUND if application.summary["refused"] or application.unread else Exit.CLEAN


def _refuse_places(instruction: Path, draft: Path, output: Path | None, log: Path | None, *, dry_run: bool) -> None:
    """Refuse a command without a place for the new workbook, or one that would write over what it reads."""
    if output is None and not dry_run:
        raise OutputError(
            say(
                "où écrire le nouveau classeur ? ajouter « -o suivant.xlsx », ou --dry-run pour voir sans écrire",
                "where to write the new workbook? add `-o next.xlsx`, or --dry-run to see without writing",
            )
        )
    read = {path.resolve() for path in (instruction, draft)}
    for path in (output, log):
        if path is not None and path.resolve() in read:
            raise OutputError(
                say(
                    f"{path} : c'est un des fichiers lus, qui ne sont jamais changés ; choisissez un autre nom",
                    f"{path}: it is one of the files read, which are never changed; choose another name",
                )
            )


def _write(output: Path, content: bytes, application: Application, layout: Layout, *, force: bool) -> None:
    """Write the new workbook, once it is sure to say what was meant."""
    from jdv_qa.files import new_file
    from jdv_qa.triage.writing import require_same

    with new_file(output, force=force) as temporary:
        temporary.write_bytes(content)
        if application.edit:
            require_same(temporary, application, layout)

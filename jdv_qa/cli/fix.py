"""`jdv fix`: what is certain is corrected in a copy of the workbook, and the rest shown."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.checking import (
    NabmFile,
    Previous,
    ProfileName,
    SettingsFile,
    WaiverFile,
    load_chosen_profile,
    load_loinc,
    load_nabm,
)
from jdv_qa.cli.options import Exit, Force, Lang, LayoutFile, Loinc, console, emit, read
from jdv_qa.cli.progress import stages
from jdv_qa.cli.streams import tell
from jdv_qa.errors import OutputError
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report
    from jdv_qa.workbook.sheets import Reader


class Format(StrEnum):
    """Forms of the list of fixes."""

    TEXT = "text"
    JSON = "json"


def fix(
    workbook: Annotated[Path, Argument(metavar="WORKBOOK", help="Workbook to fix; it is not changed.")],
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="COPY", help="Workbook to write: the same with what is certain fixed."),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Tell what would be fixed; write no workbook.")] = False,
    units: Annotated[bool, Option("--units", help="Fix unmistakable spellings of units too (UI/L to [IU]/L).")] = False,
    unmark: Annotated[
        bool, Option("--unmark", help="Take the colours, notes and tabs of `jdv check --annotate` out too.")
    ] = False,
    form: Annotated[
        Format, Option("--format", "-f", help="What is printed: text for people, json for scripts.")
    ] = Format.TEXT,
    force: Force = False,
    loinc: Loinc = None,
    nabm: NabmFile = None,
    previous: Previous = None,
    profile: ProfileName = None,
    waivers: WaiverFile = None,
    limit: Annotated[
        int | None,
        Option("--limit", min=0, metavar="N", help="Proposals left that are shown, 0 for all (default: 15)."),
    ] = None,
    layout: LayoutFile = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> Exit:
    """Correct what is certain in a copy of a workbook; everything else in it stays as it is.

    Certain are, by rules/fixes.yaml: spaces, look-alike dashes, codes that Excel made dates or numbers of where the check
    digit confirms them, NFC, HTML entities, the zeros of NABM codes. The rules are run again on the result: a fix that
    would bring a new finding is left out. Fixing twice changes nothing more. Exit status: 0 all that is certain is fixed,
    1 some of it could not be, or, with --dry-run, there is something to fix, 2 the work could not be done.
    """
    from jdv_qa.checks.engine import check
    from jdv_qa.checks.fixing import fix_workbook
    from jdv_qa.checks.waivers import load_waivers
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.report.fixing_json import fixing_json
    from jdv_qa.report.fixing_text import DEFAULT_LIMIT, fixed_sentence, print_fixing
    from jdv_qa.workbook.layout import load_layout
    from jdv_qa.workbook.read import read_edition

    _refuse_places(workbook, output, dry_run=dry_run)
    settings = load_settings(config)
    layout = layout or settings.check.get("layout")
    laid_out = load_layout(layout)
    chosen = load_chosen_profile(profile, settings)
    granted = waivers or settings.file("waivers")
    waived = load_waivers(granted) if granted else None
    release, acts = load_loinc(loinc, settings), load_nabm(nabm or settings.file("nabm"))
    earlier = [read(path, layout) for path in previous or ()]

    def run(path: Path, rules: tuple[str, ...], reader: Reader | None) -> Report:
        as_asked = reader is None and path == workbook  # what is to be told of the workbook is told of it alone
        return check(
            read(path, layout)
            if as_asked
            else read_edition(path, laid_out if layout or reader else None, reader=reader),
            layout=laid_out,
            earlier=earlier,
            loinc=release,
            nabm=acts,
            waivers=waived,
            profile=chosen,
            select=rules,
        )

    with stages(3, (workbook,)) as begin:
        fixing = fix_workbook(workbook, run, laid_out, earlier=earlier, units=units, stage=begin)
    if output is not None and not dry_run:
        _write(fixing.content, output, force=force, unmark=unmark)
    if form is Format.JSON:
        emit(fixing_json(fixing), None)
    else:
        print_fixing(fixing, console(), DEFAULT_LIMIT if limit is None else limit, dry_run=dry_run)
    if output is not None and not dry_run:
        taken_out = say(", annotations retirées", ", annotations taken out") if unmark else ""
        tell(say(f"{output} : ", f"{output}: ") + fixed_sentence(fixing) + taken_out)
    found = fixing.refused or (dry_run and fixing.fixes)
    return Exit.FOUND if found else Exit.CLEAN


def _refuse_places(workbook: Path, output: Path | None, *, dry_run: bool) -> None:
    """Refuse a command without a place for the fixed workbook, or one that would write over what it reads."""
    if output is None and not dry_run:
        raise OutputError(
            say(
                "où écrire le classeur corrigé ? ajouter « -o corrige.xlsx », ou --dry-run pour voir sans écrire",
                "where to write the fixed workbook? add `-o fixed.xlsx`, or --dry-run to see without writing",
            )
        )
    if output is not None and output.resolve() == workbook.resolve():
        raise OutputError(
            say(
                f"{output} : c'est le classeur lu, qui n'est jamais changé ; choisissez un autre nom",
                f"{output}: it is the workbook read, which is never changed; choose another name",
            )
        )


def _write(content: bytes, output: Path, *, force: bool, unmark: bool) -> None:
    from jdv_qa.files import new_file
    from jdv_qa.workbook.annotating import without_annotations

    with new_file(output, force=force) as temporary:
        temporary.write_bytes(content)
        if unmark:
            temporary.write_bytes(without_annotations(temporary))

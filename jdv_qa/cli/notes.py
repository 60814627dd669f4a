"""`jdv notes`: the release notes of a version."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.comparing import Demand, NewLayout, OldLayout, OldLoinc, Requests, requests_behind, run_comparison
from jdv_qa.cli.options import Force, Lang, LayoutFile, Loinc, Output, emit, form_of
from jdv_qa.cli.streams import tell
from jdv_qa.errors import Misuse
from jdv_qa.harmless import harmless
from jdv_qa.language import count, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jdv_qa.compare.model import Change, Comparison
    from jdv_qa.publish.update_tabs import Update
    from jdv_qa.workbook.edition import Edition


class Form(StrEnum):
    """How much the notes tell."""

    LONG = "long"
    SHORT = "short"


class Format(StrEnum):
    """How the notes are written."""

    MD = "md"
    HTML = "html"


def notes(
    old: Annotated[
        Path, Argument(metavar="OLD", help="Workbook of the previous version, or its number in the register.")
    ],
    new: Annotated[Path, Argument(metavar="NEW", help="Workbook of the version to release.")],
    form: Annotated[Form, Option("--form", help="long: every change; short: a dozen lines for a mail.")] = Form.LONG,
    written: Annotated[
        Format | None,
        Option("--format", "-f", help="md, or html to paste into Word or a mail (default: by the name of the output)."),
    ] = None,
    into: Annotated[
        Path | None,
        Option(
            "--into",
            metavar="FILE",
            help="Write a copy of NEW whose tab 9 tells every change and whose tab 10 has the figures of the version; "
            "the notes themselves are then written only with --output.",
            show_default=False,
        ),
    ] = None,
    requests: Requests = None,
    output: Output = None,
    force: Force = False,
    layout: LayoutFile = None,
    old_layout: OldLayout = None,
    new_layout: NewLayout = None,
    loinc: Loinc = None,
    old_loinc: OldLoinc = None,
    lang: Lang = None,
) -> None:
    """Write the release notes of a version, in French unless asked otherwise.

    Figures first, then what laboratories have to do, then every change by subject; a subject without change has no
    section. With a LOINC release, what LOINC gives in the place of a code is told; with that of the old version too, so
    are the codes whose status changed.

    With --into, a copy of the new workbook is completed: a line of tab 9 for each change that none tells yet, and the
    column of the version in tab 10. What is there already stays as it is, and so does all the rest of the workbook.
    """
    from jdv_qa.publish.notes import release_notes, short_notes
    from jdv_qa.publish.notes_html import notes_html

    if output is not None:
        from jdv_qa.files import refuse_sources

        refuse_sources((output,), (old, new, requests))
    before, after, comparison = run_comparison(Demand(old, new, layout, old_layout, new_layout, loinc, old_loinc))
    behind = requests_behind(requests, new_layout or layout)(before, after, comparison) if requests is not None else {}
    if into is not None:
        _complete(into, old, before, after, comparison, behind, new_layout or layout, force=force)
        if output is None:
            return
    write = short_notes if form is Form.SHORT else release_notes
    text = harmless(write(before, after, comparison, requests=behind))
    emit(notes_html(text) if (written or form_of(output, Format.MD)) is Format.HTML else text, output, force=force)
    if output is not None:
        from jdv_qa.compare.wording import change_count

        what = say("notes de version", "release notes")
        if form is Form.SHORT:
            what = say("notes de version, forme courte", "release notes, short form")
        changes = change_count(len(comparison.changes))
        tell(say(f"{output} : {what} ({changes})", f"{output}: {what} ({changes})"))


def _complete(
    into: Path,
    old: Path,
    before: Edition,
    after: Edition,
    comparison: Comparison,
    behind: Mapping[Change, tuple[str, ...]],
    layout: str | None,
    *,
    force: bool,
) -> None:
    """Write the completed copy of the new workbook, and say on stderr what was added and what is left to people."""
    from jdv_qa.errors import OutputError, WorkbookError
    from jdv_qa.files import write_file
    from jdv_qa.publish.update_tabs import updated_workbook
    from jdv_qa.workbook.layout import load_layout

    new = Path(after.source.path)
    if into.resolve() in (new.resolve(), old.resolve()):
        raise OutputError(
            say(
                f"{into} : c'est l'un des deux classeurs comparés ; donnez un autre nom à la copie",
                f"{into}: this is one of the two workbooks compared; give the copy another name",
            )
        )
    if not new.is_dir() and into.suffix.casefold() != new.suffix.casefold():
        raise Misuse(
            say(
                f"--into : la copie de {new.name} doit s'appeler *{new.suffix}",
                f"--into: the copy of {new.name} must be named *{new.suffix}",
            )
        )
    update = updated_workbook(new, before, after, comparison, requests=behind, layout=load_layout(layout))
    if "notes" in update.missing:
        raise WorkbookError(
            say(
                f"{new} : pas d'onglet 9 avec des colonnes « Version » et « Code » ; ajoutez-le avec ses en-têtes",
                f'{new}: no tab 9 with columns "Version" and "Code"; add it with its headers',
            )
        )
    write_file(into, update.content, force=force)
    for line in _told(update, after.identity.version):
        tell(say(f"{into} : {line}", f"{into}: {line}"))


def _told(update: Update, version: str) -> Iterator[str]:
    """Yield what a completed workbook has that it had not, and what is left to people."""
    lines = count(update.lines, "ligne ajoutée", "line added", "lignes ajoutées", "lines added")
    yield say(f"onglet 9, {lines}", f"tab 9, {lines}")
    if "indicators" in update.missing:
        yield say(
            "pas d'onglet 10 avec une colonne « Indicateur » ; les indicateurs ne sont pas écrits",
            'no tab 10 with a column "Indicateur"; the indicators are not written',
        )
    elif update.column:
        yield say(f"onglet 10, colonne {version} ajoutée", f"tab 10, column {version} added")
    elif update.figures:
        figures = count(update.figures, "chiffre écrit", "figure written", "chiffres écrits", "figures written")
        yield say(f"onglet 10, {figures} dans la colonne {version}", f"tab 10, {figures} in the column {version}")
    if update.unmatched:
        rows, several = ", ".join(map(str, update.unmatched)), "s" * (len(update.unmatched) > 1)
        yield say(
            f"onglet 9 de l'original, sans changement qui y corresponde, à relire : ligne{several} {rows}",
            f"tab 9 of the original, without a change that is told, to be read over: row{several} {rows}",
        )
    if update.untold:
        codes = ", ".join(dict.fromkeys(change.code or change.label for change in update.untold))
        yield say(f"à dire à la main dans l'onglet 9 : {codes}", f"to be told in tab 9 by hand: {codes}")

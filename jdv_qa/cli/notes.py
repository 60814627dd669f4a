"""`jdv notes`: the release notes of a version."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jdv_qa.cli.diff import NewLayout, OldLayout
from jdv_qa.cli.options import Force, Lang, LayoutFile, Output, emit, read
from jdv_qa.language import say


class Form(StrEnum):
    """How much the notes tell."""

    LONG = "long"
    SHORT = "short"


class Format(StrEnum):
    """How the notes are written."""

    MD = "md"
    HTML = "html"


def notes(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Workbook of the previous version.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Workbook of the version to release.")],
    form: Annotated[
        Form, typer.Option("--form", help="long: every change; short: a dozen lines for a mail.")
    ] = Form.LONG,
    written: Annotated[
        Format | None,
        typer.Option(
            "--format", "-f", help="md, or html to paste into Word or a mail (default: by the name of the output)."
        ),
    ] = None,
    output: Output = None,
    force: Force = False,
    layout: LayoutFile = None,
    old_layout: OldLayout = None,
    new_layout: NewLayout = None,
    lang: Lang = None,
) -> None:
    """Write the release notes of a version, in French unless asked otherwise.

    Figures first, then what laboratories have to do, then every change by subject; a subject without change has no
    section.
    """
    from jdv_qa.compare.compare import compare
    from jdv_qa.publish.notes import release_notes, short_notes
    from jdv_qa.publish.notes_html import notes_html

    before, after = read(old, old_layout or layout), read(new, new_layout or layout)
    comparison = compare(before, after)
    write = short_notes if form is Form.SHORT else release_notes
    text = write(before, after, comparison)
    emit(notes_html(text) if (written or _format_of(output)) is Format.HTML else text, output, force=force)
    if output is not None:
        from jdv_qa.compare.wording import change_count

        what = say("notes de version", "release notes")
        if form is Form.SHORT:
            what = say("notes de version, forme courte", "release notes, short form")
        changes = change_count(len(comparison.changes))
        print(say(f"{output} : {what} ({changes})", f"{output}: {what} ({changes})"), file=sys.stderr)


def _format_of(output: Path | None) -> Format:
    """Return the format that the name of the output asks for, Markdown where it asks for none."""
    return Format.HTML if output and output.suffix.casefold() in (".html", ".htm") else Format.MD


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("notes")(notes)

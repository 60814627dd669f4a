"""`jdv notes`: the release notes of a version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jdv_qa.cli.diff import NewLayout, OldLayout
from jdv_qa.cli.options import Force, Lang, LayoutFile, Output, emit, read


def notes(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Workbook of the previous version.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Workbook of the version to release.")],
    output: Output = None,
    force: Force = False,
    layout: LayoutFile = None,
    old_layout: OldLayout = None,
    new_layout: NewLayout = None,
    lang: Lang = None,
) -> None:
    """Write the release notes of a version in Markdown, in French unless asked otherwise.

    Figures first, then what laboratories have to do, then every change by subject; a subject without change has no
    section.
    """
    from jdv_qa.compare.compare import compare
    from jdv_qa.publish.notes import release_notes

    before, after = read(old, old_layout or layout), read(new, new_layout or layout)
    emit(release_notes(before, after, compare(before, after)), output, force=force)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("notes")(notes)

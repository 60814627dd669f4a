"""`jdv diff`: what changed between two versions of the value set."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jdv_qa.cli.options import Exit, Force, Lang, LayoutFile, Output, console, emit, printed, read


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"


OldLayout = Annotated[
    str | None, typer.Option("--old-layout", metavar="FILE", help="Layout of the old workbook alone.")
]
NewLayout = Annotated[
    str | None, typer.Option("--new-layout", metavar="FILE", help="Layout of the new workbook alone.")
]


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Workbook of the earlier version.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Workbook of the later version.")],
    form: Annotated[Format, typer.Option("--format", "-f", help="text for people, json for scripts.")] = Format.TEXT,
    output: Output = None,
    force: Force = False,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            min=0,
            metavar="N",
            help="Rows shown of each table, 0 for all (default: 50 on screen, all in a file).",
        ),
    ] = None,
    layout: LayoutFile = None,
    old_layout: OldLayout = None,
    new_layout: NewLayout = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with status 0 even if something changed.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Compare two versions by meaning: codes added, removed, assigned, replaced, and every field that changed.

    Row order, styles, column order, header wording and spaces at the ends of cells are not changes. A pending code that
    became a LOINC code is one change. Exit status: 0 nothing changed, 1 something changed, 2 the comparison could not
    be made.
    """
    from jdv_qa.compare.compare import compare

    comparison = compare(read(old, old_layout or layout), read(new, new_layout or layout))
    if form is Format.JSON:
        from jdv_qa.report.changes_json import changes_json

        emit(changes_json(comparison), output, force=force)
    else:
        from jdv_qa.report.changes_text import DEFAULT_LIMIT, print_changes

        if output is None:
            print_changes(comparison, console(), limit=DEFAULT_LIMIT if limit is None else limit or None)
        else:
            page = printed(lambda paper: print_changes(comparison, paper, limit=limit or None), width=140)
            emit(page, output, force=force)
    raise typer.Exit(Exit.CLEAN if exit_zero or not comparison.changes else Exit.FOUND)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("diff")(diff)

"""`jdv diff`: what changed between two versions of the value set."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.comparing import Demand, NewLayout, OldLayout, OldLoinc, run_comparison
from jdv_qa.cli.options import (
    Exit,
    Force,
    Lang,
    LayoutFile,
    Loinc,
    Output,
    console,
    emit,
    emit_bytes,
    emit_workbook,
    form_of,
    printed,
)
from jdv_qa.cli.reading import begin_sheets
from jdv_qa.cli.streams import tell
from jdv_qa.harmless import harmless
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.compare.model import Comparison
    from jdv_qa.workbook.edition import Edition


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    MD = "md"
    HTML = "html"


def diff(
    old: Annotated[
        Path, Argument(metavar="OLD", help="Workbook of the earlier version, or its number in the register.")
    ],
    new: Annotated[Path, Argument(metavar="NEW", help="Workbook of the later version, or its number in the register.")],
    form: Annotated[
        Format | None,
        Option(
            "--format",
            "-f",
            help="text, md, html or xlsx for people, json or csv for scripts (default: by the name of the output).",
        ),
    ] = None,
    output: Output = None,
    force: Force = False,
    limit: Annotated[
        int | None,
        Option(
            "--limit",
            min=0,
            metavar="N",
            help="Rows shown of each table, 0 for all (default: 50 on screen, all in a file).",
        ),
    ] = None,
    bom: Annotated[bool, Option("--bom", help="Begin a CSV with the mark by which Excel knows UTF-8.")] = False,
    layout: LayoutFile = None,
    old_layout: OldLayout = None,
    new_layout: NewLayout = None,
    loinc: Loinc = None,
    old_loinc: OldLoinc = None,
    exit_zero: Annotated[bool, Option("--exit-zero", help="Exit with status 0 even if something changed.")] = False,
    lang: Lang = None,
) -> Exit:
    """Compare two versions by meaning: codes added, removed, assigned, replaced, and every field that changed.

    Row order, styles, column order, header wording and spaces at the ends of cells are not changes. A pending code that
    became a LOINC code is one change. Exit status: 0 nothing changed, 1 something changed, 2 the comparison could not
    be made.
    """
    if output is not None:
        from jdv_qa.files import refuse_sources

        refuse_sources((output,), (old, new))
    begin_sheets((old, new))
    before, after, comparison = run_comparison(Demand(old, new, layout, old_layout, new_layout, loinc, old_loinc))
    _write(comparison, (before, after), form or form_of(output, Format.TEXT), output, limit, bom=bom, force=force)
    return Exit.CLEAN if exit_zero or not comparison.changes else Exit.FOUND


def _write(
    comparison: Comparison,
    editions: tuple[Edition, Edition],
    form: Format,
    output: Path | None,
    limit: int | None,
    *,
    bom: bool,
    force: bool,
) -> None:
    if form is Format.TEXT:
        from jdv_qa.report.changes_text import DEFAULT_LIMIT, print_changes

        if output is None:
            print_changes(comparison, console(), limit=DEFAULT_LIMIT if limit is None else limit or None)
        else:
            page = printed(lambda paper: print_changes(comparison, paper, limit=limit or None), width=140)
            emit(page, output, force=force)
    elif form is Format.JSON:
        from jdv_qa.report.changes_json import changes_json

        emit(changes_json(comparison), output, force=force)
    elif form is Format.CSV:
        from jdv_qa.report.changes_csv import changes_csv

        emit_bytes(changes_csv(comparison, *editions, bom=bom), output, force=force)
    elif form is Format.MD:
        from jdv_qa.report.changes_markdown import changes_markdown

        emit(harmless(changes_markdown(comparison, *editions)), output, force=force)
    elif form is Format.HTML:
        from jdv_qa.report.changes_html import changes_html

        emit(changes_html(comparison, *editions), output, force=force)
    else:
        from jdv_qa.report.changes_excel import changes_excel

        content = changes_excel(comparison, *editions)
        emit_workbook(content, output, say("changements.xlsx", "changes.xlsx"), force=force)
    if output is not None:
        from jdv_qa.report.changes_text import summary_sentence

        tell(say(f"{output} : ", f"{output}: ") + summary_sentence(comparison))

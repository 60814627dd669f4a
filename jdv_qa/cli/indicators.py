"""`jdv indicators`: the figures of tab 10 for all versions, as a table, a plot, CSV or JSON."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.options import Force, Lang, LayoutFile, Output, console, emit, emit_bytes, form_of, printed, read
from jdv_qa.cli.registers import RegisterFolder, open_register
from jdv_qa.cli.streams import tell
from jdv_qa.language import count, say

if TYPE_CHECKING:
    from jdv_qa.report.indicators_report import Figures


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"
    SVG = "svg"


def indicators(
    workbooks: Annotated[
        list[Path] | None,
        Argument(metavar="[WORKBOOK]...", help="Workbooks to count too, after the versions of the register."),
    ] = None,
    register: RegisterFolder = None,
    form: Annotated[
        Format | None,
        Option(
            "--format",
            "-f",
            help="text for people, svg for a plot, csv or json for scripts (default: by the name of the output).",
        ),
    ] = None,
    output: Output = None,
    force: Force = False,
    bom: Annotated[bool, Option("--bom", help="Begin a CSV with the mark by which Excel knows UTF-8.")] = False,
    layout: LayoutFile = None,
    lang: Lang = None,
) -> None:
    """Show the indicators of every version of the register, their trend, and how each is counted.

    They are the lines of the tab "Indicateurs semestriels", counted anew from the rows.
    """
    from jdv_qa.report.indicators_report import indicators_csv, indicators_json, indicators_svg, print_indicators

    figures = _figures(workbooks or [], register, layout)
    chosen = form or form_of(output, Format.TEXT)
    if chosen is Format.CSV:
        emit_bytes(indicators_csv(figures, bom=bom), output, force=force)
    elif chosen is Format.JSON:
        emit(indicators_json(figures), output, force=force)
    elif chosen is Format.SVG:
        emit(indicators_svg(figures), output, force=force)
    elif output is None:
        print_indicators(figures, console())
    else:
        emit(printed(lambda paper: print_indicators(figures, paper)), output, force=force)
    if output is not None:
        versions = count(len(figures), "version", "version")
        tell(say(f"{output} : indicateurs de {versions}", f"{output}: indicators of {versions}"))


def _figures(workbooks: list[Path], register: Path | None, layout: str | None) -> list[Figures]:
    """Return the figures of the versions of the register, then those of the workbooks given."""
    from jdv_qa.checks.indicators import indicators as counted
    from jdv_qa.errors import RegisterError
    from jdv_qa.report.indicators_report import Figures

    opened = open_register(register)
    figures = [Figures(release.version, release.date, release.figures) for release in opened.releases]
    for path in workbooks:
        edition = read(path, layout)
        figures.append(Figures(edition.identity.version or path.name, edition.identity.date, counted(edition)))
    if not figures:
        raise RegisterError(
            say(
                f"{opened.directory} : le registre n'a aucune version ; donnez des classeurs, ou « jdv import-release »",
                f"{opened.directory}: the register has no version; give workbooks, or `jdv import-release`",
            )
        )
    return figures

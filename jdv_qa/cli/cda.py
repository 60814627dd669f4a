"""`jdv cda`: the codes and units of laboratory reports against the value set."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.checking import SettingsFile, load_loinc
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
    form_of,
    printed,
    read,
)
from jdv_qa.cli.streams import tell
from jdv_qa.harmless import harmless

if TYPE_CHECKING:
    from jdv_qa.cda.check import Checked
    from jdv_qa.workbook.edition import Edition


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MD = "md"


class FailOn(StrEnum):
    """The lowest severity that fails."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


def cda(
    reports: Annotated[
        list[Path],
        Argument(metavar="REPORT.xml...", help="Laboratory reports (CDA R2, CR-BIO).", show_default=False),
    ],
    workbook: Annotated[
        Path,
        Option(
            "--with",
            metavar="WORKBOOK|VERSION",
            help="What to check against: workbook, folder of exported tables, or a version of the register.",
            show_default=False,
        ),
    ],
    form: Annotated[
        Format | None,
        Option(
            "--format",
            "-f",
            help="text for people, json and csv with every code, md for a ticket (default: by the name of the output).",
        ),
    ] = None,
    output: Output = None,
    force: Force = False,
    loinc: Loinc = None,
    fail_on: Annotated[FailOn, Option("--fail-on", help="Exit with status 1 from this severity up.")] = FailOn.ERROR,
    layout: LayoutFile = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> Exit:
    """Check the codes of laboratory reports: chapters, orders, results and their units, against a version of the value set.

    With a LOINC release, a code that LOINC withdrew is told with what replaces it. Exit status: 0 nothing at or above the
    failing severity, 1 something, 2 a report or the workbook could not be read.
    """
    from jdv_qa.cda.check import ValueSet, check_report
    from jdv_qa.cda.document import read_report
    from jdv_qa.cli.settings import load_settings

    settings = load_settings(config)
    read_reports = [read_report(path) for path in reports]
    edition = read(workbook, layout or settings.check.get("layout"))
    _require_results(edition, workbook)
    release = load_loinc(loinc, settings)
    value_set = ValueSet(edition, release)
    checks = [check_report(report, value_set) for report in read_reports]
    version = None if release is None else release.version
    _write(checks, edition, form or form_of(output, Format.TEXT), output, version, force=force)
    fails = any(checked.fails(fail_on.value) for checked in checks)
    return Exit.FOUND if fails else Exit.CLEAN


def _require_results(edition: Edition, workbook: Path) -> None:
    from jdv_qa.errors import JdvError
    from jdv_qa.language import say

    if "main" not in edition.tables:
        raise JdvError(
            say(
                f"{workbook} : ni demandes ni résultats dans cette mise en page, rien à quoi comparer un compte rendu",
                f"{workbook}: no orders and no results in this layout, nothing to check a report against",
            )
        )


def _write(
    checks: list[Checked], edition: Edition, form: Format, output: Path | None, loinc: str | None, *, force: bool
) -> None:
    if form is Format.JSON:
        from jdv_qa.report.cda_files import cda_json

        emit(cda_json(checks, edition, loinc), output, force=force)
    elif form is Format.CSV:
        from jdv_qa.report.cda_files import cda_csv

        emit_bytes(cda_csv(checks), output, force=force)
    elif form is Format.MD:
        from jdv_qa.report.cda_files import cda_markdown

        emit(harmless(cda_markdown(checks, edition)), output, force=force)
    else:
        from jdv_qa.report.cda_text import print_cda

        if output is None:
            print_cda(checks, edition, console())
        else:
            emit(printed(lambda paper: print_cda(checks, edition, paper)), output, force=force)
    if output is not None:
        from jdv_qa.report.cda_lines import verdict

        for checked in checks:
            tell(f"{checked.report.path} – {verdict(checked)}")

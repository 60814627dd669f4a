"""`jdv check`: what is wrong in a workbook, where, and what to do."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jdv_qa.cli.checking import (
    Demand,
    Loinc,
    NabmFile,
    Previous,
    ProfileName,
    SettingsFile,
    WaiverFile,
    run_check,
    words,
)
from jdv_qa.cli.options import (
    Exit,
    Force,
    Lang,
    LayoutFile,
    Output,
    console,
    emit,
    emit_workbook,
    form_of,
    printed,
)
from jdv_qa.language import count, say

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report
    from jdv_qa.workbook.layout import Layout


class Format(StrEnum):
    """Forms of the report."""

    TEXT = "text"
    JSON = "json"
    XLSX = "xlsx"


class FailOn(StrEnum):
    """The lowest severity that fails."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


def check(
    workbook: Annotated[Path, typer.Argument(metavar="WORKBOOK", help="Workbook to check.")],
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="text for people, json for scripts, xlsx for Excel (default: by the name of the output).",
        ),
    ] = None,
    output: Output = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            "--annotate",
            metavar="COPY",
            help="Write a copy of the workbook too, with its faulty cells coloured and noted, and the findings listed.",
        ),
    ] = None,
    force: Force = False,
    loinc: Loinc = None,
    nabm: NabmFile = None,
    previous: Previous = None,
    profile: ProfileName = None,
    waivers: WaiverFile = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="REPORT", help="Earlier JSON report: only what is new since then fails."),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="ID", help="Run these rules only: ids or prefixes, such as UNI or COD-02."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="ID", help="Leave these rules out: ids or prefixes.")
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit with status 1 from this severity up (default: error).")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            min=0,
            metavar="N",
            help="Findings shown of each rule, 0 for all (default: 10 on screen, all in a file).",
        ),
    ] = None,
    layout: LayoutFile = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> None:
    """Check a workbook against the rules (see `jdv rules`).

    Exit status: 0 nothing at or above the failing severity, 1 something, 2 the check could not be made, or a rule broke down.
    """
    from jdv_qa.checks.finding import Severity
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.workbook.layout import load_layout

    settings = load_settings(config)
    failing = fail_on or _fail_on(settings.check.get("fail-on", "error"))
    demand = Demand(
        workbook, loinc, tuple(previous or ()), profile, waivers, layout, baseline, words(select), words(ignore), nabm
    )
    report = run_check(demand, settings)
    _write(report, form or form_of(output, Format.TEXT), output, limit, load_layout(layout), force=force)
    if annotate is not None:
        _write_annotated(report, workbook, annotate, load_layout(layout), force=force)
    if report.crashed:
        names = ", ".join(item.rule for item in report.crashed)
        print(
            say(
                f"jdv: contrôle incomplet, des règles ont échoué : {names} ({report.crashed[0].reason})",
                f"jdv: incomplete check, rules broke down: {names} ({report.crashed[0].reason})",
            ),
            file=sys.stderr,
        )
        raise typer.Exit(Exit.TROUBLE)
    fails = report.fails(None if failing is FailOn.NEVER else Severity(failing.value))
    raise typer.Exit(Exit.FOUND if fails else Exit.CLEAN)


def _fail_on(word: str) -> FailOn:
    from jdv_qa.errors import JdvError

    try:
        return FailOn(word)
    except ValueError:
        known = ", ".join(FailOn)
        raise JdvError(
            say(
                f"jdv.toml : check.fail-on : « {word} » (possibles : {known})",
                f"jdv.toml: check.fail-on: `{word}` (known: {known})",
            )
        ) from None


def _write(
    report: Report, form: Format, output: Path | None, limit: int | None, layout: Layout, *, force: bool
) -> None:
    if form is Format.XLSX:
        from jdv_qa.report.findings_excel import findings_excel

        emit_workbook(findings_excel(report, layout), output, say("constats.xlsx", "findings.xlsx"), force=force)
    elif form is Format.JSON:
        from jdv_qa.report.findings_json import findings_json

        emit(findings_json(report), output, force=force)
    else:
        from jdv_qa.report.findings_text import DEFAULT_LIMIT, print_report

        if output is None:
            print_report(report, console(), DEFAULT_LIMIT if limit is None else limit)
        else:
            emit(printed(lambda paper: print_report(report, paper, limit or 0)), output, force=force)
    if output is not None:
        found = ", ".join(count(report.summary[key], *nouns) for key, nouns in _NOUNS.items())
        print(say(f"{output} : {found}", f"{output}: {found}"), file=sys.stderr)


def _write_annotated(report: Report, workbook: Path, copy: Path, layout: Layout, *, force: bool) -> None:
    from jdv_qa.errors import OutputError
    from jdv_qa.files import write_file
    from jdv_qa.report.findings_annotated import findings_annotated

    if copy.resolve() == workbook.resolve():
        raise OutputError(
            say(
                f"{copy} : c'est le classeur contrôlé, qui n'est jamais changé ; choisissez un autre nom",
                f"{copy}: it is the workbook checked, which is never changed; choose another name",
            )
        )
    made = findings_annotated(report, workbook, layout)
    write_file(copy, made.content, force=force)
    found = count(len(report.findings), "constat", "finding")
    print(say(f"{copy} : {found} dans le classeur", f"{copy}: {found} in the workbook"), file=sys.stderr)
    if made.threads:
        cells = ", ".join(made.threads)
        print(
            say(
                f"{copy} : un fil de commentaires occupe ces cellules, le constat n'est que dans le premier onglet : {cells}",
                f"{copy}: a thread of comments takes up these cells, the finding is in the first tab alone: {cells}",
            ),
            file=sys.stderr,
        )


_NOUNS = {"error": ("erreur", "error"), "warning": ("avertissement", "warning"), "info": ("information", "note")}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("check")(check)

"""`jdv check`: what is wrong in a workbook, where, and what to do."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jdv_qa.cli.options import Exit, Force, Lang, LayoutFile, Output, console, emit, read
from jdv_qa.language import count, say


class Format(StrEnum):
    """Forms of the report."""

    TEXT = "text"
    JSON = "json"


class FailOn(StrEnum):
    """The gravest severity that does not yet fail is the one below."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


def check(
    workbook: Annotated[Path, typer.Argument(metavar="WORKBOOK", help="Workbook to check.")],
    form: Annotated[Format, typer.Option("--format", "-f", help="text for people, json for scripts.")] = Format.TEXT,
    output: Output = None,
    force: Force = False,
    loinc: Annotated[
        Path | None,
        typer.Option("--loinc", metavar="PATH", help="LOINC release as downloaded: folder, zip or Loinc.csv."),
    ] = None,
    previous: Annotated[
        list[Path] | None,
        typer.Option(
            "--previous", metavar="WORKBOOK", help="Previous version; repeat it for older ones, the latest first."
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME|FILE", help="brouillon (default), publication, or a profile file."),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="ID", help="Run these rules only: ids or prefixes, such as UNI or COD-02."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="ID", help="Leave these rules out: ids or prefixes.")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with status 1 from this severity up.")
    ] = FailOn.ERROR,
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
    lang: Lang = None,
) -> None:
    """Check a workbook against the rules (see `jdv rules`).

    Exit status: 0 nothing at or above the failing severity, 1 something, 2 the check could not be made, or a rule broke down.
    """
    from jdv_qa.checks.engine import check as run_rules
    from jdv_qa.checks.finding import Severity
    from jdv_qa.checks.profiles import load_profile
    from jdv_qa.workbook.layout import load_layout

    chosen = load_profile(profile)
    release = None
    edition = read(workbook, layout)
    earlier = [read(path, layout) for path in previous or ()]
    if loinc is not None:
        from jdv_qa.terminology.loinc import read_release

        release = read_release(loinc)
    report = run_rules(
        edition,
        layout=load_layout(layout),
        earlier=earlier,
        loinc=release,
        profile=chosen,
        select=_words(select),
        ignore=_words(ignore),
    )
    if form is Format.JSON:
        from jdv_qa.report.findings_json import findings_json

        emit(findings_json(report), output, force=force)
    else:
        from jdv_qa.report.findings_text import DEFAULT_LIMIT, print_report

        if output is None:
            print_report(report, console(), DEFAULT_LIMIT if limit is None else limit)
        else:
            from jdv_qa.cli.options import printed

            emit(printed(lambda paper: print_report(report, paper, limit or 0)), output, force=force)
    if output is not None:
        found = ", ".join(count(report.summary[key], *words) for key, words in _WORDS.items())
        print(say(f"{output} : {found}", f"{output}: {found}"), file=sys.stderr)
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
    failing = None if fail_on is FailOn.NEVER else Severity(fail_on.value)
    raise typer.Exit(Exit.FOUND if report.fails(failing) else Exit.CLEAN)


_WORDS = {"error": ("erreur", "error"), "warning": ("avertissement", "warning"), "info": ("information", "note")}


def _words(values: list[str] | None) -> list[str]:
    """Return the ids of a repeated option, each of which may hold several separated by commas."""
    return [word.strip() for value in values or () for word in value.split(",") if word.strip()]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("check")(check)

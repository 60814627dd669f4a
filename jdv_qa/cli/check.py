"""`jdv check`: what is wrong in a workbook, where, and what to do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.check_reports import Format, Terms, Wanted, named_after, print_screen, wanted_reports, write_reports
from jdv_qa.cli.checking import (
    Demand,
    NabmFile,
    Previous,
    ProfileName,
    SettingsFile,
    WaiverFile,
    rule_names,
    run_check,
    words,
)
from jdv_qa.cli.commands import REPORTS
from jdv_qa.cli.options import Exit, Force, Lang, LayoutFile, Loinc, Output, console
from jdv_qa.cli.reading import begin_sheets
from jdv_qa.cli.streams import tell
from jdv_qa.errors import Misuse
from jdv_qa.language import count, say

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report
    from jdv_qa.cli.settings import Settings
    from jdv_qa.workbook.layout import Layout


class FailOn(StrEnum):
    """The lowest severity that fails."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


def check(
    workbook: Annotated[Path, Argument(metavar="WORKBOOK", help="Workbook to check.")],
    form: Annotated[
        Format | None,
        Option(
            "--format",
            "-f",
            help="text, html and xlsx for people; json, csv, sarif, junit, github and md for programs "
            "(default: by the name of the output).",
        ),
    ] = None,
    output: Output = None,
    reports: Annotated[
        list[str] | None,
        Option(
            "--report",
            metavar="FORM[=FILE]",
            help="Write a report to a file, beside the one on screen; repeat for several (without FILE: into reports/).",
        ),
    ] = None,
    annotate: Annotated[
        Path | None,
        Option(
            "--annotate",
            metavar="[COPY]",
            help="Write a copy of the workbook too, with its faulty cells coloured and noted, and the findings listed "
            "(without COPY, or with a folder: named after the workbook, in reports/ or there).",
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
        Option("--baseline", metavar="REPORT", help="Earlier JSON report: only what is new since then fails."),
    ] = None,
    select: Annotated[
        list[str] | None,
        Option(
            "--select",
            metavar="ID",
            autocompletion=rule_names,
            help="Run these rules only: ids or prefixes, such as UNI or COD-02.",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        Option("--ignore", metavar="ID", autocompletion=rule_names, help="Leave these rules out: ids or prefixes."),
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        Option("--fail-on", envvar="JDV_FAIL_ON", help="Exit with status 1 from this severity up (default: error)."),
    ] = None,
    limit: Annotated[
        int | None,
        Option(
            "--limit",
            min=0,
            metavar="N",
            help="Findings shown of each rule, 0 for all (default: 10 on screen and in md, 50 in junit, else all).",
        ),
    ] = None,
    watching: Annotated[
        bool,
        Option(
            "--watch",
            help="Check anew each time the workbook is saved, and show what is new and what is gone, until Ctrl-C.",
        ),
    ] = False,
    bom: Annotated[bool, Option("--bom", help="Begin a CSV with the mark by which Excel knows UTF-8.")] = False,
    layout: LayoutFile = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> Exit:
    """Check a workbook against the rules (see `jdv rules`).

    Exit status: 0 nothing at or above the failing severity, 1 something, 2 the check could not be made, or a rule broke down.
    """
    begin_sheets((workbook,))
    from jdv_qa.checks.finding import Severity
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.workbook.layout import load_layout

    settings = load_settings(config)
    failing = fail_on or FailOn(settings.check.get("fail-on", "error"))
    lowest = None if failing is FailOn.NEVER else Severity(failing.value)
    demand = Demand(
        workbook, loinc, tuple(previous or ()), profile, waivers, layout, baseline, words(select), words(ignore), nabm
    )
    if annotate is not None:
        from jdv_qa.files import refuse_existing

        annotate = _copy_of(workbook, annotate)
        _refuse_the_workbook(annotate, workbook)
        refuse_existing(annotate, force)
    screen, files = wanted_reports(workbook, form, output, reports or (), force=force)
    if files:
        from jdv_qa.files import refuse_sources

        refuse_sources((item.path for item in files), (workbook, nabm, waivers, baseline, *(previous or ())))
    terms = Terms(load_layout(layout), limit, lowest, settings.register, bom)
    if watching:
        if annotate is not None or (screen is not None and screen.form is not Format.TEXT):
            raise Misuse(
                say(
                    "--watch montre du texte à l'écran : les autres formes vont dans un fichier (--report), et sans --annotate",
                    "--watch shows text on the screen: other forms go to a file (--report), and without --annotate",
                )
            )
        report = _watch(demand, settings, files, terms)
    else:
        report = run_check(demand, settings)
        if layout is None:
            terms = terms._replace(layout=load_layout(report.edition.layout))
        write_reports(report, files, terms, force=force)
        if screen is not None:
            print_screen(report, screen.form, terms)
    if annotate is not None:
        _write_annotated(report, workbook, annotate, terms.layout, force=force)
    if report.crashed:
        names = ", ".join(item.rule for item in report.crashed)
        tell(
            say(
                f"jdv: contrôle incomplet, des règles ont échoué : {names} ({report.crashed[0].reason})",
                f"jdv: incomplete check, rules broke down: {names} ({report.crashed[0].reason})",
            ),
        )
        return Exit.TROUBLE
    return Exit.FOUND if report.fails(lowest) else Exit.CLEAN


def _watch(demand: Demand, settings: Settings, files: list[Wanted], terms: Terms) -> Report:
    """Check the workbook at each save until Ctrl-C; the files, which are our own from the first time on, are written anew."""
    from jdv_qa.cli.watching import watch
    from jdv_qa.report.findings_news import print_news

    def changed(before: Report, after: Report) -> None:
        write_reports(after, files, terms, force=True)
        if before is after:
            print_screen(after, Format.TEXT, terms)
            waiting = say("En attente d'un enregistrement ; Ctrl-C pour finir.", "Waiting for a save; Ctrl-C to end.")
            tell(waiting)
        else:
            print_news(before, after, console())

    def failed(error: Exception) -> None:
        tell(f"jdv: {error}")

    return watch(demand.workbook, lambda: run_check(demand, settings), changed, failed)


def _copy_of(workbook: Path, asked: Path) -> Path:
    """Return the file of the annotated copy: the one asked for, or one named after the workbook in the folder asked for."""
    if str(asked) != REPORTS and not asked.is_dir():
        return asked
    ending = workbook.suffix if workbook.suffix.casefold() in (".xlsx", ".xlsm") else ".xlsx"
    return named_after(workbook, say("-annote", "-annotated") + ending, asked)


def _refuse_the_workbook(copy: Path, workbook: Path) -> None:
    from jdv_qa.errors import OutputError

    if copy.resolve() == workbook.resolve():
        raise OutputError(
            say(
                f"{copy} : c'est le classeur contrôlé, qui n'est jamais changé ; choisissez un autre nom",
                f"{copy}: it is the workbook checked, which is never changed; choose another name",
            )
        )


def _write_annotated(report: Report, workbook: Path, copy: Path, layout: Layout, *, force: bool) -> None:
    from jdv_qa.files import write_file
    from jdv_qa.report.findings_annotated import findings_annotated

    made = findings_annotated(report, workbook, layout)
    write_file(copy, made.content, force=force)
    found = count(len(report.findings), "constat", "finding")
    tell(say(f"{copy} : {found} dans le classeur", f"{copy}: {found} in the workbook"))
    if made.threads:
        cells = ", ".join(made.threads)
        tell(
            say(
                f"{copy} : un fil de commentaires occupe ces cellules, le constat n'est que dans le premier onglet : {cells}",
                f"{copy}: a thread of comments takes up these cells, the finding is in the first tab alone: {cells}",
            ),
        )

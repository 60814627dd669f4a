"""`jdv waive`: accept one finding, with a reason and a name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.checking import Demand, NabmFile, Previous, ProfileName, SettingsFile, WaiverFile, run_check
from jdv_qa.cli.options import Lang, LayoutFile, Loinc, console
from jdv_qa.errors import JdvError
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report
    from jdv_qa.checks.finding import Finding

DEFAULT_FILE = "derogations.yaml"


def waive(
    workbook: Annotated[Path, Argument(metavar="WORKBOOK", help="Workbook in which the finding is.")],
    rule: Annotated[str, Option("--rule", metavar="ID", help="Rule of the finding, such as UNI-08.")],
    cell: Annotated[
        str, Option("--cell", metavar="A1", help="Cell of the finding, such as T214 or 2.Chapitres LOINC!A5.")
    ],
    reason: Annotated[
        str | None, Option("--reason", help="Why the finding is accepted; asked for when left out.")
    ] = None,
    by: Annotated[str | None, Option("--by", metavar="NAME", help="Who accepts it; asked for when left out.")] = None,
    until: Annotated[str, Option("--until", metavar="VERSION", help="Last version that the waiver holds for.")] = "",
    waivers: WaiverFile = None,
    loinc: Loinc = None,
    nabm: NabmFile = None,
    previous: Previous = None,
    profile: ProfileName = None,
    layout: LayoutFile = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> None:
    """Accept one finding: write a waiver for it into the file of waivers.

    The waiver is for the rule, the row, the field and the value of the cell as it is now; it dies when the value changes.
    """
    import datetime as dt

    from rich.text import Text

    from jdv_qa.checks.waivers import load_waivers, parse_waivers, waiver_entry
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.files import alone, write_file

    settings = load_settings(config)
    path = waivers or settings.file("waivers") or Path(DEFAULT_FILE)
    granted = path if path.exists() else None
    if granted:
        load_waivers(granted)
    demand = Demand(workbook, loinc, tuple(previous or ()), profile, granted, layout, select=(rule.upper(),), nabm=nabm)
    report = run_check(demand, settings)
    finding = _finding(report, rule.upper(), cell)
    reason = _ask(reason, say("Raison", "Reason"), "--reason")
    by = _ask(by, say("Accordée par", "Granted by"), "--by")
    entry = waiver_entry(finding, reason, by, until, dt.date.today())
    with alone(path):
        before = path.read_text(encoding="utf-8-sig") if path.exists() else _head()
        after = f"{before.rstrip()}\n{entry}"
        parse_waivers(after, path)  # a list between brackets cannot be added to: refuse before anything is written
        write_file(path, after.encode(), force=True)
    console().print(Text(say(f"Dérogation ajoutée à {path} :", f"Waiver added to {path}:")))
    console().print(Text(entry.rstrip()))


def _head() -> str:
    return say(
        "# Dérogations : constats acceptés, un par un. Une dérogation meurt quand la valeur de la cellule change.",
        "# Waivers: findings accepted one by one. A waiver dies when the value of the cell changes.",
    )


def _finding(report: Report, rule: str, cell: str) -> Finding:
    """Return the finding of the rule in the cell that is not waived yet."""
    if rule not in report.rules:
        raise JdvError(
            say(
                f"pas de règle « {rule} » ; « jdv rules » en donne la liste",
                f"no rule `{rule}`; `jdv rules` lists them",
            )
        )
    if reasons := [item.reason for item in (*report.skipped, *report.crashed) if item.rule == rule]:
        raise JdvError(
            say(f"la règle {rule} n'a pas été appliquée : {reasons[0]}", f"rule {rule} did not run: {reasons[0]}")
        )
    if not report.rules[rule].waivable:
        raise JdvError(
            say(
                f"la règle {rule} n'admet pas de dérogation ; il faut corriger la cellule",
                f"rule {rule} allows no waiver; mend the cell",
            )
        )
    sheet, _, spot = cell.rpartition("!")
    wanted = (sheet or report.edition.main.sheet, spot.upper().replace("$", ""))
    here = [found for found in report.findings if (found.sheet, found.cell) == wanted]
    for found in here:
        if not found.waived:
            return found
    if here:
        raise JdvError(
            say(
                f"{cell} : ce constat de {rule} a déjà une dérogation",
                f"{cell}: this finding of {rule} has a waiver already",
            )
        )
    others = ", ".join(found.cell or "" for found in report.findings[:5]) or say("aucun", "none")
    raise JdvError(
        say(
            f"{cell} : {rule} n'y constate rien (constats de cette règle : {others})",
            f"{cell}: {rule} finds nothing there (findings of this rule: {others})",
        )
    )


def _ask(given: str | None, question: str, option: str) -> str:
    """Return what was given, or ask for it at a terminal; a script must give it."""
    if given is None and sys.stdin.isatty():
        print(say(f"{question} : ", f"{question}: "), end="", file=sys.stderr, flush=True)
        given = sys.stdin.readline()
    if not (given or "").strip():
        raise JdvError(
            say(
                f"il faut {option} : une dérogation dit toujours pourquoi et par qui",
                f"{option} is needed: a waiver always says why and by whom",
            )
        )
    return str(given).strip()

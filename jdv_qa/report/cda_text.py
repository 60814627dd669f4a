"""The check of laboratory reports for people at a terminal: remarks by severity, then the figures and the verdict."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import PurePath

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jdv_qa.cda.check import Checked
from jdv_qa.language import say
from jdv_qa.report.cda_lines import SEVERITIES, figures, places, subject, told, value_set_name, verdict
from jdv_qa.workbook.edition import Edition

_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def print_cda(checks: Sequence[Checked], edition: Edition, console: Console) -> None:
    """Print what the check of each report found; every text of a report or a workbook is printed as it is, without markup."""
    for number, checked in enumerate(checks):
        if number:
            console.print()
        _print_one(checked, edition, console)


def _print_one(checked: Checked, edition: Edition, console: Console) -> None:
    report = checked.report
    console.print(Text(PurePath(report.path).name, style="bold"), soft_wrap=True)
    console.print(Text(" · ".join(filter(None, (report.title, value_set_name(edition)))), style="dim"), soft_wrap=True)
    for severity in SEVERITIES:
        if not (found := told(checked, severity)):
            continue
        console.print()
        console.print(Text(_title(severity), style=_STYLES[severity]))
        heads = [(places(item.rows), subject(item.line)) for item in found]
        widths = [min(max(cell_len(head[column]) for head in heads), 26) for column in (0, 1)]
        for (where, what), item in zip(heads, found, strict=True):
            _print_remark(where, what, item.remark.message, widths, console)
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column(say("Lus", "Read"), justify="right")
    table.add_column(say("Dans le jeu de valeurs", "In the value set"), justify="right")
    for name, seen, known in figures(checked):
        table.add_row(Text(name), str(seen), str(known))
    console.print(table)
    console.print(Text(verdict(checked), style="bold red" if checked.summary["error"] else "green"))


def _print_remark(where: str, what: str, message: str, widths: Sequence[int], console: Console) -> None:
    """Print one remark: its place, its subject, and the sentence beside them, or below on a narrow screen."""
    indent = widths[0] + widths[1] + 6
    message = message.replace("« ", "«\u00a0").replace(" »", "\u00a0»")  # guillemets stay with their word
    head = Text.assemble("  ", (where.ljust(widths[0]), "bold"), "  ", what)
    beside = console.width - indent >= 40 and cell_len(where) <= widths[0] and cell_len(what) <= widths[1]
    if not beside:
        console.print(head, soft_wrap=True)
        for line in textwrap.wrap(message, max(console.width - 4, 20), break_on_hyphens=False):
            console.print(Text(f"    {line}"), soft_wrap=True)
        return
    first, *rest = textwrap.wrap(message, console.width - indent, break_on_hyphens=False) or [""]
    head.append(" " * (indent - cell_len(head.plain)) + first)
    console.print(head, soft_wrap=True)
    for line in rest:
        console.print(Text(" " * indent + line), soft_wrap=True)


def _title(severity: str) -> str:
    return {
        "error": say("ERREURS – le compte rendu ne suit pas le jeu de valeurs", "ERRORS – the report departs from it"),
        "warning": say("AVERTISSEMENTS – à vérifier", "WARNINGS – to look into"),
        "info": say("INFORMATIONS", "NOTES"),
    }[severity]

"""What a save has changed, for `jdv check --watch`: the findings that are new, and those that are gone."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.text import Text

from jdv_qa.checks.baseline import Baseline
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding
from jdv_qa.checks.waivers import key_of
from jdv_qa.language import count, say
from jdv_qa.report.findings_lines import address, verdict
from jdv_qa.report.findings_text import told_lines


def news_since(before: Report, after: Report) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that are new, and those that are gone, from one report to the next; a row that moved is neither."""
    then = [finding for finding in before.findings if not finding.waived]
    now = [finding for finding in after.findings if not finding.waived]
    return _baseline(then).split(now)[0], _baseline(now).split(then)[0]


def _baseline(findings: list[Finding]) -> Baseline:
    return Baseline("", "", Counter(map(key_of, findings)))


def print_news(before: Report, after: Report, console: Console, limit: int = 20) -> None:
    """Print what is gone, what is new, and the verdict; `limit` findings of each, 0 for all."""
    new, gone = news_since(before, after)
    if not new and not gone:
        same = before.edition.source.sha256 == after.edition.source.sha256
        words = (
            say("Enregistré sans changement.", "Saved without a change.")
            if same
            else say("Enregistré\u00a0: aucun constat nouveau ni disparu.", "Saved: no finding is new, none is gone.")
        )
        console.print(Text(words, style="dim"))
    else:
        told = count(len(new), "constat nouveau", "new finding", "constats nouveaux")
        left = count(len(gone), "disparu", "gone", None, "gone")
        console.print(Text(say(f"Enregistré\u00a0: {told}, {left}.", f"Saved: {told}, {left}."), style="bold"))
    for mark, style, findings in (("–", "green", gone), ("+", "red", new)):
        shown = findings[:limit] if limit else findings
        for finding in shown:
            console.print(Text.assemble((f"{mark} {finding.rule}", style), "  ", (address(finding), "bold")))
            for line in told_lines(finding, max(console.width - 4, 20)):
                console.print(Text("    ").append_text(line))
        if len(shown) < len(findings):
            console.print(Text(f"{mark} … {len(findings) - len(shown)}", style=style))
    console.print(Text(verdict(after)[1]))

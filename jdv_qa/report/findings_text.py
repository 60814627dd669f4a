"""Findings for people at a terminal: by severity and rule, each with its cell, capped so that the essential comes first.

Every string of a workbook is printed through rich's Text: units such as [IU]/L are not markup.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePath

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from jdv_qa.checks.catalogue import Rule, text
from jdv_qa.checks.engine import NotRun, Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.language import count, say

DEFAULT_LIMIT = 10
"""Findings of a rule that are shown unless more are asked for."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def print_report(report: Report, console: Console, limit: int = DEFAULT_LIMIT) -> None:
    """Print a report; `limit` findings of each rule are shown, 0 for all, and what is left out is announced."""
    console.print(_head(report))
    by_rule: dict[tuple[Severity, str], list[Finding]] = defaultdict(list)
    for finding in report.news[0]:
        by_rule[finding.severity, finding.rule].append(finding)
    main_sheet = report.edition.main.sheet
    for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO):
        rules = [rule for rule in report.rules.values() if by_rule[severity, rule.id]]
        if not rules:
            continue
        console.print()
        console.print(Text(_severity_title(severity), style=_STYLES[severity]))
        for rule in rules:
            console.print(_rule_block(rule, by_rule[severity, rule.id], limit, main_sheet, console.width))
    console.print()
    if any(finding.waived for finding in report.findings):
        console.print(Text(say("DÉROGATIONS – constats acceptés", "WAIVERS – findings accepted"), style="bold"))
        for line in _waived_lines(report, main_sheet):
            console.print(line)
        console.print()
    for part in _foot(report, main_sheet):
        console.print(part)


def _head(report: Report) -> RenderableType:
    edition = report.edition
    title = Text(PurePath(edition.source.path).name, style="bold")
    facts = [
        say(f"version {edition.identity.version or 'inconnue'}", f"version {edition.identity.version or 'unknown'}"),
        count(len(edition.main.records), "ligne", "row"),
        count(len(report.run), "règle appliquée", "rule run", "règles appliquées", "rules run"),
        say(f"profil {report.profile}", f"profile {report.profile}"),
    ]
    if report.loinc:
        facts.append(f"LOINC {report.loinc.version or '?'}")
    return Group(title, Text(" · ".join(facts), style="dim"))


def _severity_title(severity: Severity) -> str:
    return {
        Severity.ERROR: say("ERREURS – à corriger avant publication", "ERRORS – to mend before release"),
        Severity.WARNING: say("AVERTISSEMENTS – à corriger dès que possible", "WARNINGS – to mend as soon as possible"),
        Severity.INFO: say("INFORMATIONS – à corriger si possible", "INFORMATION – to mend if possible"),
    }[severity]


def _rule_block(rule: Rule, findings: list[Finding], limit: int, main_sheet: str, width: int) -> RenderableType:
    shown = findings[:limit] if limit else findings
    title = Text.assemble(
        (rule.id, _STYLES[findings[0].severity]), "  ", (text(rule.title), "bold"), (f"  ({len(findings)})", "dim")
    )
    places = [place(finding, main_sheet) for finding in shown]
    indent = 2 + min(max(6, *map(cell_len, places)), width // 3) + 2
    lines: list[RenderableType] = []
    for spot, finding in zip(places, shown, strict=True):
        # rich would break lines at no-break spaces, which French punctuation needs; textwrap does not
        wrapped = textwrap.wrap(finding.message, max(width - indent, 20), break_on_hyphens=False) or [""]
        if cell_len(spot) > indent - 4:
            lines.append(Text(f"  {spot}", style="bold"))
            spot = ""
        lines.append(Text.assemble("  ", (spot, "bold"), " " * (indent - 2 - cell_len(spot)), wrapped[0]))
        lines.extend(Text(" " * indent + line) for line in wrapped[1:])
    parts: list[RenderableType] = [title, *lines]
    if len(shown) < len(findings):
        left = len(findings) - len(shown)
        sentence = say(
            f"… et {count(left, 'autre', 'more')} ; --limit 0 montre tout",
            f"… and {left} more; --limit 0 shows all",
        )
        parts.append(Padding(Text(sentence, style="dim italic"), (0, 0, 0, 2)))
    return Padding(Group(*parts), (0, 0, 1, 0))


def place(finding: Finding, main_sheet: str) -> str:
    """Return where a finding is: "T214" in the main tab, "2.Chapitres LOINC!A5" elsewhere."""
    spot = finding.cell or (str(finding.row) if finding.row else "") or (finding.column or "")
    if finding.sheet == main_sheet and spot:
        return spot if finding.cell else f"{say('ligne', 'row') if finding.row else say('colonne', 'column')} {spot}"
    return f"{finding.sheet}!{spot}" if spot and finding.sheet else finding.sheet or spot or "–"


def _foot(report: Report, main_sheet: str) -> Iterable[RenderableType]:
    summary = report.summary
    counts = [
        (count(summary["error"], "erreur", "error"), _STYLES[Severity.ERROR] if summary["error"] else "green"),
        (
            count(summary["warning"], "avertissement", "warning"),
            _STYLES[Severity.WARNING] if summary["warning"] else "green",
        ),
        (count(summary["info"], "information", "note"), "cyan" if summary["info"] else "green"),
    ]
    if summary["waived"]:
        counts.append((count(summary["waived"], "dérogation", "waiver"), "dim"))
    line = Text()
    for position, (words, style) in enumerate(counts):
        line.append(", " if position else "").append(words, style=style)
    yield line
    if report.baseline is not None:
        yield _baseline_line(report)
    if any(finding.sheet == main_sheet and finding.cell for finding in report.findings):
        yield Text(
            say(f"Cellules sans nom d'onglet : « {main_sheet} ».", f'Cells without a tab name: "{main_sheet}".'),
            style="dim",
        )
    for reason, rules in _by_reason(report.skipped).items():
        yield Text(
            say(f"Non contrôlé, car {reason} : {', '.join(rules)}.", f"Not checked, {reason}: {', '.join(rules)}."),
            style="dim",
        )
    for item in report.crashed:
        yield Text(
            say(
                f"La règle {item.rule} a échoué ({item.reason}) : ce contrôle n'est pas complet.",
                f"Rule {item.rule} broke down ({item.reason}): this check is not complete.",
            ),
            style="bold red",
        )


def _waived_lines(report: Report, main_sheet: str) -> Iterable[Text]:
    for finding in report.findings:
        if finding.waived:
            waiver = next(waiver for waiver in report.waivers if waiver.covers(finding))
            until = say(f", jusqu'à {waiver.until}", f", until {waiver.until}") if waiver.until else ""
            granted = say(f"{waiver.by}, le {waiver.date}{until} : ", f"{waiver.by}, {waiver.date}{until}: ")
            yield Text.assemble(
                "  ", (place(finding, main_sheet), "bold"), f"  {finding.rule}  ", (granted, "dim"), waiver.reason
            )


def _baseline_line(report: Report) -> Text:
    baseline = report.baseline
    assert baseline is not None
    new, known, gone = report.news
    version = f" ({say('version', 'version')} {baseline.version})" if baseline.version else ""
    words = say(
        f"Depuis {baseline.path}{version} : {count(len(new), 'constat nouveau', 'new finding', 'constats nouveaux')}, "
        f"{len(known)} déjà connus (non montrés), {count(gone.total(), 'disparu', 'gone', None, 'gone')}.",
        f"Since {baseline.path}{version}: {count(len(new), 'constat nouveau', 'new finding')}, "
        f"{len(known)} known already (not shown), {gone.total()} gone.",
    )
    return Text(words, style="bold")


def _by_reason(skipped: Iterable[NotRun]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for item in skipped:
        reasons.setdefault(item.reason, []).append(item.rule)
    return reasons

"""Findings for people at a terminal: a line a rule first, then the findings of each with their cell and the value proposed.

What would be too long is capped, and said to be. Every string of a workbook is printed through rich's Text: units such as
[IU]/L are not markup.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.text import Text

from jdv_qa.checks.catalogue import Rule, text
from jdv_qa.checks.engine import NotRun, Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.waivers import key_of
from jdv_qa.language import count, say
from jdv_qa.report.findings_lines import (
    SEVERITIES,
    address,
    by_gravity,
    counted,
    outcomes,
    waiver_of,
    waiver_sentence,
    workbook_name,
)
from jdv_qa.report.rules_text import visible

DEFAULT_LIMIT = 10
"""Findings of a rule that are shown unless more are asked for."""

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def print_report(report: Report, console: Console, limit: int = DEFAULT_LIMIT) -> None:
    """Print a report; `limit` findings of each rule are shown, 0 for all, and what is left out is announced."""
    console.print(_head(report, console.width))
    by_rule: dict[tuple[Severity, str], list[Finding]] = defaultdict(list)
    for finding in report.news[0]:
        by_rule[finding.severity, finding.rule].append(finding)
    if len({rule for _, rule in by_rule}) > 1:
        console.print()
        for line in _summary_lines(report, {rule for _, rule in by_rule}, console.width):
            console.print(line)
    for severity in SEVERITIES:
        rules = [rule for rule in report.rules.values() if by_rule[severity, rule.id]]
        if not rules:
            continue
        console.print()
        console.print(Text(_severity_title(severity), style=_STYLES[severity]))
        for rule in rules:
            console.print(_rule_block(rule, by_rule[severity, rule.id], limit, console.width))
    console.print()
    if any(finding.waived for finding in report.findings):
        console.print(Text(say("DÉROGATIONS – constats acceptés", "WAIVERS – findings accepted"), style="bold"))
        for line in _waived_lines(report):
            console.print(line)
        console.print()
    for part in _foot(report):
        console.print(part)


def _summary_lines(report: Report, shown: set[str], width: int) -> Iterable[Text]:
    """Yield a line a rule that has findings to show: its number of them, and its title, cut where the line ends."""
    fresh: dict[str, int] = defaultdict(int)
    for finding in report.news[0]:
        fresh[finding.rule] += 1
    digits = max(map(len, map(str, fresh.values())))
    for outcome in by_gravity(outcomes(report)):
        if outcome.rule.id in shown:
            line = Text.assemble(
                (f"{fresh[outcome.rule.id]:>{digits + 2}}", "bold"),
                "  ",
                (outcome.rule.id, _STYLES[outcome.severity]),
                "  ",
                text(outcome.rule.title),
            )
            line.truncate(width, overflow="ellipsis")
            yield line


def _head(report: Report, width: int) -> RenderableType:
    edition = report.edition
    title = Text(workbook_name(report), style="bold")
    facts = [
        say(f"version {edition.identity.version or 'inconnue'}", f"version {edition.identity.version or 'unknown'}"),
        count(len(edition.leading.records), "ligne", "row"),
        count(len(report.run), "règle appliquée", "rule run", "règles appliquées", "rules run"),
        say(f"profil {report.profile}", f"profile {report.profile}"),
    ]
    if report.loinc:
        facts.append(f"LOINC {report.loinc.version or '?'}")
    # rich would break at the no-break space of "3 195"
    lines = textwrap.wrap(" · ".join(facts), width, break_on_hyphens=False)
    return Group(title, *(Text(line, style="dim") for line in lines))


def _severity_title(severity: Severity) -> str:
    return {
        Severity.ERROR: say("ERREURS – à corriger avant publication", "ERRORS – to mend before release"),
        Severity.WARNING: say("AVERTISSEMENTS – à corriger dès que possible", "WARNINGS – to mend as soon as possible"),
        Severity.INFO: say("INFORMATIONS – à corriger si possible", "INFORMATION – to mend if possible"),
    }[severity]


def _rule_block(rule: Rule, findings: list[Finding], limit: int, width: int) -> RenderableType:
    shown = findings[:limit] if limit else findings
    title = Text.assemble(
        (rule.id, _STYLES[findings[0].severity]), "  ", (text(rule.title), "bold"), (f"  ({len(findings)})", "dim")
    )
    places = [address(finding) or say("classeur", "workbook") for finding in shown]
    indent = 2 + min(max(6, *map(cell_len, places)), width // 3) + 2
    lines: list[RenderableType] = []
    for spot, finding in zip(places, shown, strict=True):
        told = list(told_lines(finding, max(width - indent, 20)))
        if cell_len(spot) > indent - 4:
            lines.append(Text(f"  {spot}", style="bold"))
            spot = ""
        lines.append(Text.assemble("  ", (spot, "bold"), " " * (indent - 2 - cell_len(spot)), told[0]))
        lines.extend(Text(" " * indent).append_text(line) for line in told[1:])
    parts: list[RenderableType] = [title, *lines]
    if len(shown) < len(findings):
        left = len(findings) - len(shown)
        sentence = say(
            f"… et {count(left, 'autre', 'more')} ; --limit 0 montre tout",
            f"… and {left} more; --limit 0 shows all",
        )
        parts.append(Text(f"  {sentence}", style="dim italic"))
    return Group(*parts, Text())


def told_lines(finding: Finding, width: int) -> Iterable[Text]:
    """Yield the lines of a finding, `width` wide: its sentence and, after an arrow, the value proposed, beside it if it fits."""
    # rich would break lines at no-break spaces, which French punctuation needs; textwrap does not
    lines = textwrap.wrap(finding.message, width, break_on_hyphens=False) or [""]
    proposal = f"→ {visible(finding.suggestion)}" if finding.suggestion else ""
    beside = proposal and cell_len(lines[-1]) + 2 + cell_len(proposal) <= width
    for line in lines[:-1]:
        yield Text(line)
    last = Text(lines[-1])
    yield last.append("  ").append(proposal, style="green") if beside else last
    if proposal and not beside:
        for line in textwrap.wrap(proposal, width, break_on_hyphens=False, subsequent_indent="  "):
            yield Text(line, style="green")


def _foot(report: Report) -> Iterable[RenderableType]:
    summary = report.summary
    styles = [_STYLES[key] if summary[key.value] else "green" for key in (Severity.ERROR, Severity.WARNING)]
    styles += ["cyan" if summary["info"] else "green", "dim"]
    counts = zip(counted(summary), styles, strict=False)
    line = Text()
    for position, (words, style) in enumerate(counts):
        line.append(", " if position else "").append(words, style=style)
    yield line
    if report.baseline is not None:
        yield _baseline_line(report)
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


def _waived_lines(report: Report) -> Iterable[Text]:
    waivers = waiver_of(report)
    for finding in report.findings:
        if finding.waived:
            told = waiver_sentence(waivers[key_of(finding)])
            yield Text.assemble("  ", (address(finding), "bold"), f"  {finding.rule}  ", told)


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

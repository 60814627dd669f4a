"""The findings of a check as one HTML page: to search, filter by what matters, regroup and print, without a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jdv_qa.checks.catalogue import FAMILIES, Rule, text
from jdv_qa.checks.engine import Report
from jdv_qa.checks.indicators import INDICATORS, indicator_label, indicators
from jdv_qa.language import french_spaces, say
from jdv_qa.report.changes_lines import chapter_labels
from jdv_qa.report.findings_lines import (
    SEVERITIES,
    STATES,
    FindingLine,
    RuleOutcome,
    baseline_sentence,
    by_gravity,
    facts,
    families,
    finding_lines,
    outcomes,
    state_name,
    status_sentence,
    verdict,
    workbook_name,
)
from jdv_qa.report.indicators_report import Figures, indicators_svg
from jdv_qa.report.page import render_page
from jdv_qa.report.rules_text import need_word, rule_examples, severity_word, visible
from jdv_qa.workbook.layout import Layout

NO_CHAPTER = "-"
"""Stands in the page for "no chapter" among the chapters."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A family in the plot: its name and numbers; its pieces: severity, where it begins and how long it is, of 100."""

    family: str
    name: str
    numbers: Counter[str]
    pieces: tuple[tuple[str, str, str], ...]


def findings_html(report: Report, layout: Layout, history: Sequence[Figures] = (), gaps: Sequence[str] = ()) -> str:
    """Return the page. The same input gives the same text.

    `history` are the indicators of the versions of the register, the oldest first; with them the page plots these and the
    workbook's own. `gaps` are sentences about what the page lacks, such as a register that cannot be read.
    """
    from markupsafe import Markup

    lines = finding_lines(report, layout)
    told = outcomes(report)
    labels = chapter_labels(report.edition, report.edition)
    ranks = {code: rank for rank, code in enumerate(labels)}
    chapters = Counter(code for line in lines for code in line.chapters or (NO_CHAPTER,))
    by_rule: dict[str, list[FindingLine]] = {}
    for line in lines:
        by_rule.setdefault(line.finding.rule, []).append(line)
    found = by_gravity(told)
    states = Counter(line.state for line in lines)
    severities = Counter(line.finding.severity for line in lines)
    kind, sentence = verdict(report)
    name = workbook_name(report)
    figures = _with_own(report, history)
    return render_page(
        "findings.html",
        ["page.css", "findings.css"],
        ["page.js", "findings.js"],
        title=say(f"Contrôle de {name}", f"Check of {name}"),
        kind=kind,
        sentence=sentence,
        since=baseline_sentence(report),
        gaps=[*gaps, *(status_of(item) for item in told if item.status == "crashed")],
        summary=report.summary,
        severities=[(key, severity_word(key), severities[key]) for key in SEVERITIES if severities[key]],
        states=[(key, state_name(key), states[key]) for key in STATES if states[key]],
        families=[(family, say(*FAMILIES[family]), sum(numbers.values())) for family, _, numbers in families(told)],
        chapters=[
            (code, labels.get(code, code) if code != NO_CHAPTER else say("Hors chapitre", "No chapter"), chapters[code])
            for code in sorted(chapters, key=lambda code: (code == NO_CHAPTER, ranks.get(code, len(ranks)), code))
        ],
        no_chapter=NO_CHAPTER,
        facts=list(facts(report)),
        bars=_bars(told),
        plot=Markup(indicators_svg(figures)) if figures else "",
        versions=figures,
        indicators=[(key, indicator_label(key)) for key in INDICATORS],
        groups=[(item, by_rule[item.rule.id]) for item in found],
        outcomes=told,
        skipped=[item for item in told if item.status == "skipped"],
        status=status_sentence,
        page_of=rule_page,
        examples_of=lambda rule: rule_examples(rule, layout),
        severity_word=severity_word,
        family_name=lambda rule: say(*FAMILIES[rule.family]),
        state_name=state_name,
        visible=visible,
        text=text,
    )


def status_of(outcome: RuleOutcome) -> str:
    """Return what became of a rule, with its id."""
    return say(
        f"Règle {outcome.rule.id}, {status_sentence(outcome)}", f"Rule {outcome.rule.id}, {status_sentence(outcome)}"
    )


def rule_page(rule: Rule) -> list[tuple[str, str]]:
    """Return the page of a rule without its examples: headings and what stands under them."""
    parameters = ", ".join(f"{name} = {value}" for name, value in rule.parameters.items())
    references = " ; ".join(rule.references)
    parts = (
        (say("Ce que contrôle la règle", "What the rule checks"), text(rule.checks)),
        (say("Pourquoi", "Why"), text(rule.why)),
        (say("Correction", "How to mend"), text(rule.mend)),
        (say("Exceptions connues", "Known exceptions"), text(rule.exceptions)),
        (say("Il lui faut", "It needs"), ", ".join(map(need_word, rule.needs))),
        (say("Paramètres", "Parameters"), parameters),
        (say("Références", "References"), say(french_spaces(references), references)),
    )
    return [part for part in parts if part[1]]


def _with_own(report: Report, history: Sequence[Figures]) -> list[Figures]:
    """Return the figures of the register and, last, the workbook's, which takes the place of a release of its version."""
    identity = report.edition.identity
    if not history:
        return []
    own = Figures(identity.version or workbook_name(report), identity.date, indicators(report.edition))
    return [*(of for of in history if of.version != own.version), own]


def _bars(told: Sequence[RuleOutcome]) -> list[Bar]:
    """Return the bars of the families, the longest 100 long; a piece that counts is never too thin to be seen."""
    found = families(told)
    longest = max((sum(numbers[key.value] for key in SEVERITIES) for _, _, numbers in found), default=0)
    bars = []
    for family, name, numbers in found:
        left = 0.0
        pieces = []
        for key in SEVERITIES:
            if number := numbers[key.value]:
                width = max(100 * number / longest, 0.5)
                pieces.append((key.value, f"{min(left, 100 - width):.2f}", f"{width:.2f}"))
                left += width
        bars.append(Bar(family, name, numbers, tuple(pieces)))
    return bars

"""Findings as Markdown, for the description or a comment of a merge request: short, the essential first, the rest folded."""

from __future__ import annotations

from jdv_qa.checks.catalogue import text
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding
from jdv_qa.language import count, figure, say
from jdv_qa.publish.markdown import markdown_table, markdown_text, unit_text
from jdv_qa.report.findings_lines import (
    SEVERITIES,
    address,
    baseline_sentence,
    by_gravity,
    counted,
    facts,
    outcomes,
    status_sentence,
    verdict,
    workbook_name,
)
from jdv_qa.report.rules_text import severity_word, visible

DEFAULT_LIMIT = 10
"""Findings of a rule that are shown unless more are asked for."""


def findings_markdown(report: Report, limit: int = DEFAULT_LIMIT) -> str:
    """Return the page: verdict, a line a rule, the new findings of each rule folded, `limit` of each at most (0 for all)."""
    name = markdown_text(workbook_name(report))
    blocks = [f"## {say('Contrôle de', 'Check of')} {name}", f"**{markdown_text(verdict(report)[1])}**"]
    if since := baseline_sentence(report):
        blocks.append(markdown_text(since))
    told = outcomes(report)
    blocks.extend(
        f"⚠ {markdown_text(f'{item.rule.id}, {status_sentence(item)}')}" for item in told if item.status == "crashed"
    )
    fresh: dict[str, list[Finding]] = {}
    for finding in report.news[0]:
        fresh.setdefault(finding.rule, []).append(finding)
    found = [item for item in by_gravity(told) if item.rule.id in fresh]
    rows = [
        (
            item.rule.id,
            severity_word(item.severity),
            markdown_text(text(item.rule.title)),
            figure(len(fresh[item.rule.id])),
        )
        for item in found
    ]
    headers = (say("Règle", "Rule"), say("Sévérité", "Severity"), say("Titre", "Title"), say("Constats", "Findings"))
    if rows:
        blocks.append(markdown_table(headers, rows))
    columns = (say("Cellule", "Cell"), say("Constat", "Finding"), say("Proposition", "Proposal"))
    for severity in SEVERITIES:
        for item in found:
            if item.severity is not severity:
                continue
            mine = fresh[item.rule.id]
            shown = mine[:limit] if limit else mine
            cells = [
                (
                    markdown_text(address(finding)),
                    markdown_text(finding.message),
                    unit_text(visible(finding.suggestion)) if finding.suggestion else "",
                )
                for finding in shown
            ]
            blocks.append(
                f"<details><summary>{item.rule.id} – {_html(text(item.rule.title))} ({figure(len(mine))})</summary>"
            )
            blocks.append(markdown_table(columns, cells))
            if len(shown) < len(mine):
                left = len(mine) - len(shown)
                blocks.append(
                    say(
                        f"*… et {count(left, 'autre', 'more')} ; `--limit 0` montre tout*",
                        f"*… and {figure(left)} more; `--limit 0` shows all*",
                    )
                )
            blocks.append("</details>")
    skipped = [item.rule.id for item in told if item.status == "skipped"]
    if skipped:
        blocks.append(f"{say('Non contrôlées', 'Not checked')}{say(' : ', ': ')}{', '.join(skipped)}.")
    waived = report.summary["waived"]
    if waived:
        blocks.append(f"{counted({**report.summary})[-1]}.")
    checked = " · ".join(f"{heading}{say(' : ', ': ')}{markdown_text(value)}" for heading, value in facts(report))
    return "\n\n".join([*blocks, f"<sub>{checked}</sub>"]) + "\n"


def _html(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""Findings as annotations of GitHub Actions: workflow commands on standard output, one a finding, gravest first.

Written as GitHub's documentation of workflow commands has it ("Setting an error message"). A workbook has no lines, so the
cell stands in the title. GitHub shows ten annotations of each severity for a step; the rest stays in the log.
"""

from __future__ import annotations

from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Severity
from jdv_qa.language import count, say
from jdv_qa.report.findings_lines import SEVERITIES, address, baseline_sentence, verdict

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def findings_github(report: Report, limit: int = 0) -> str:
    """Return the commands: what a rule that broke down said, then the new findings, `limit` of each rule at most, 0 for all.

    The last line, no command, is the verdict.
    """
    path = report.edition.source.path
    lines = [
        _command("error", path, item.rule, say(f"règle en échec : {item.reason}", f"rule broke down: {item.reason}"))
        for item in report.crashed
    ]
    shown: dict[str, int] = {}
    left = 0
    for severity in SEVERITIES:
        for finding in report.news[0]:
            if finding.severity is not severity:
                continue
            shown[finding.rule] = shown.get(finding.rule, 0) + 1
            if limit and shown[finding.rule] > limit:
                left += 1
                continue
            title = f"{finding.rule} {address(finding)}".rstrip()
            proposal = f" → {finding.suggestion}" if finding.suggestion else ""
            lines.append(_command(_COMMANDS[severity], path, title, finding.message + proposal))
    if left:
        lines.append(
            say(
                f"{count(left, 'constat non montré', 'finding', 'constats non montrés')} ; --limit 0 montre tout",
                f"{count(left, 'constat', 'finding')} not shown; --limit 0 shows all",
            )
        )
    lines.extend(part for part in (baseline_sentence(report), verdict(report)[1]) if part)
    return "\n".join(lines) + "\n"


def _command(name: str, path: str, title: str, message: str) -> str:
    return f"::{name} file={_property(path)},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

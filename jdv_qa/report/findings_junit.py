"""Findings as JUnit XML, for continuous integration: one test case a rule, one suite a family.

A rule with new findings at or above the failing severity is a failure, one that broke down an error, one that did not run
is skipped, as in the schema that Jenkins and GitLab read; other findings stand in the output of their case. There is no
time in it, so that the same input gives the same bytes.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from jdv_qa.checks.catalogue import FAMILIES, text
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.language import count, say
from jdv_qa.report.findings_lines import address, facts, outcomes, state_name, states, workbook_name
from jdv_qa.report.rules_text import severity_word

DEFAULT_LIMIT = 50
"""Findings written of a rule unless more are asked for."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def findings_junit(report: Report, failing: Severity | None, limit: int = DEFAULT_LIMIT) -> str:
    """Return the XML; `failing` is the lowest severity that fails, None for none; `limit` findings of a rule, 0 for all."""
    root = ET.Element("testsuites", name=_xml(f"jdv check {workbook_name(report)}"))
    by_rule: dict[str, list[tuple[Finding, str]]] = {}
    for finding, state in zip(report.findings, states(report), strict=True):
        by_rule.setdefault(finding.rule, []).append((finding, state))
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    suites: dict[str, list[ET.Element]] = {}
    for outcome in outcomes(report):
        rule = outcome.rule
        case = ET.Element("testcase", classname=f"jdv.{rule.family}", name=f"{rule.id} {text(rule.title)}")
        suites.setdefault(rule.family, []).append(case)
        found = by_rule.get(rule.id, [])
        fresh = [finding for finding, state in found if state in ("open", "new")]
        if outcome.status == "skipped":
            ET.SubElement(case, "skipped", message=_xml(outcome.reason))
        elif outcome.status == "crashed":
            message = say(f"La règle a échoué : {outcome.reason}", f"The rule broke down: {outcome.reason}")
            ET.SubElement(case, "error", message=_xml(message), type="crashed").text = _xml(message)
        elif failing is not None and any(finding.severity.rank >= failing.rank for finding in fresh):
            words = count(len(fresh), "constat", "finding")
            failure = ET.SubElement(case, "failure", message=words, type=outcome.severity.value)
            failure.text = _xml("\n".join(_lines(((finding, "") for finding in fresh), limit, len(fresh))))
            found = [(finding, state) for finding, state in found if state not in ("open", "new")]
        if found:
            ET.SubElement(case, "system-out").text = _xml("\n".join(_lines(found, limit, len(found))))
    for family, cases in suites.items():
        numbers = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
        }
        suite = ET.SubElement(root, "testsuite", name=f"{family} {say(*FAMILIES[family])}")
        for name, number in numbers.items():
            suite.set(name, str(number))
            totals[name] += number
        if family == next(iter(suites)):
            properties = ET.SubElement(suite, "properties")
            for name, value in facts(report):
                ET.SubElement(properties, "property", name=name, value=_xml(value))
        suite.extend(cases)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(totals[name]))
    ET.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _lines(found: Iterable[tuple[Finding, str]], limit: int, number: int) -> Iterable[str]:
    for place, (finding, state) in enumerate(found):
        if limit and place == limit:
            left = number - limit
            yield say(
                f"… et {count(left, 'autre', 'more')} ; --limit 0 montre tout",
                f"… and {left} more; --limit 0 shows all",
            )
            return
        proposal = f" → {finding.suggestion}" if finding.suggestion else ""
        mark = f" ({state_name(state)})" if state not in ("", "open", "new") else ""
        yield f"{address(finding)}\t{severity_word(finding.severity)}{mark}\t{finding.message}{proposal}"


def _xml(words: str) -> str:
    """Return a text in which the characters that XML does not allow are told by their Unicode numbers."""
    return _NOT_XML.sub(lambda match: f"‹U+{ord(match.group()):04X}›", words)

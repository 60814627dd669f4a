"""Findings as SARIF 2.1.0 (OASIS Standard, 27 March 2020), which code hosts and editors read.

A workbook has no lines: the cell is a logical location, its fully qualified name "tab!cell". A rule that broke down is a
notification of the tool's execution and no result, one that lacked what it needs a notification of its configuration. A
waiver is an accepted suppression; with a baseline each result has a baselineState. There is no time in it, so that the same
input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from jdv_qa import __version__
from jdv_qa.checks.catalogue import FAMILIES, Rule, rule_set_digest, text
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.waivers import key_of
from jdv_qa.language import current_language, say
from jdv_qa.report.findings_lines import FindingLine, RuleOutcome, finding_lines, outcomes
from jdv_qa.workbook.layout import Layout

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SKIPPED, _CRASHED = "rule-skipped", "rule-crashed"


def findings_sarif(report: Report, layout: Layout) -> str:
    """Return the log as JSON text: one run, its rules, one result a finding."""
    told = outcomes(report)
    index = {outcome.rule.id: place for place, outcome in enumerate(told)}
    seen: Counter[tuple[str, ...]] = Counter()
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "jdv",
                "version": __version__,
                "semanticVersion": __version__,
                "language": current_language(),
                "rules": [_rule(outcome.rule) for outcome in told],
                "notifications": [
                    {"id": _SKIPPED, "shortDescription": {"text": say("Règle non contrôlée", "Rule not checked")}},
                    {"id": _CRASHED, "shortDescription": {"text": say("Règle en échec", "Rule that broke down")}},
                ],
                "properties": {"ruleSet": rule_set_digest(), "profile": report.profile},
            }
        },
        "language": current_language(),
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.crashed,
                "toolExecutionNotifications": [
                    _notification(outcome, index) for outcome in told if outcome.status == "crashed"
                ],
                "toolConfigurationNotifications": [
                    _notification(outcome, index) for outcome in told if outcome.status == "skipped"
                ],
            }
        ],
        "artifacts": [
            {
                "location": {"uri": _uri(report.edition.source.path)},
                "roles": ["analysisTarget"],
                "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "hashes": {"sha-256": report.edition.source.sha256},
                "properties": {"version": report.edition.identity.version},
            }
        ],
        "results": [_result(line, index, seen, report) for line in finding_lines(report, layout)],
        "properties": {
            "loinc": (report.loinc.version or None) if report.loinc else None,
            "gone": report.news[2].total() if report.baseline is not None else None,
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1)


def _rule(rule: Rule) -> dict[str, Any]:
    why, mend = text(rule.why), text(rule.mend)
    return {
        "id": rule.id,
        "shortDescription": {"text": text(rule.title)},
        "fullDescription": {"text": text(rule.checks)},
        "help": {"text": f"{why}\n\n{say('Correction', 'How to mend')}{say(' : ', ': ')}{mend}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"family": rule.family, "tags": [say(*FAMILIES[rule.family])]},
    }


def _notification(outcome: RuleOutcome, index: dict[str, int]) -> dict[str, Any]:
    crashed = outcome.status == "crashed"
    rule = outcome.rule.id
    sentence = (
        say(f"La règle {rule} a échoué : {outcome.reason}", f"Rule {rule} broke down: {outcome.reason}")
        if crashed
        else say(f"Règle {rule} non contrôlée : {outcome.reason}", f"Rule {rule} not checked: {outcome.reason}")
    )
    return {
        "descriptor": {"id": _CRASHED if crashed else _SKIPPED},
        "associatedRule": {"id": rule, "index": index[rule]},
        "level": "error" if crashed else "note",
        "message": {"text": sentence},
    }


def _result(line: FindingLine, index: dict[str, int], seen: Counter[tuple[str, ...]], report: Report) -> dict[str, Any]:
    finding = line.finding
    key = key_of(finding)
    seen[key] += 1
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(report.edition.source.path), "index": 0}}
    }
    if line.address:
        spot = line.address.rpartition("!")[2]
        location["logicalLocations"] = [{"name": spot, "fullyQualifiedName": line.address, "kind": _kind(finding)}]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message + (f" → {finding.suggestion}" if finding.suggestion else "")},
        "locations": [location],
        "partialFingerprints": {"jdvFinding/v1": _fingerprint(key, seen[key])},
        "properties": {
            "tab": finding.tab,
            "field": finding.field,
            "header": line.header or None,
            "rowKey": finding.row_key,
            "code": finding.code,
            "value": finding.value,
            "suggestion": finding.suggestion,
            "related": list(finding.related),
        },
    }
    if line.state == "waived":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": line.waiver}]
    if report.baseline is not None:
        result["baselineState"] = "new" if line.state == "new" else "unchanged"
    return result


def _kind(finding: Finding) -> str:
    if finding.cell:
        return "cell"
    return "row" if finding.row else "column" if finding.column else "sheet"


def _fingerprint(key: tuple[str, ...], number: int) -> str:
    """Return what identifies a result from one check to the next, whatever its cell; a second one of a key has its own."""
    return hashlib.sha256("\0".join((*key, str(number))).encode()).hexdigest()


def _uri(path: str) -> str:
    """Return a path as a URI: relative as it was given, absolute with its scheme."""
    return Path(path).as_uri() if PurePath(path).is_absolute() else quote(PurePath(path).as_posix())

"""Findings for machines: the JSON of `jdv check`, the same to the byte for the same input."""

from __future__ import annotations

from typing import Any

from jdv_qa.checks.engine import Report
from jdv_qa.report.json_text import json_text

SCHEMA = "jdv-check/1"


def findings_json(report: Report) -> str:
    """Return the report as JSON text."""
    edition = report.edition
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "workbook": {
            "path": edition.source.path,
            "sha256": edition.source.sha256,
            "version": edition.identity.version,
            "rows": len(edition.leading.records),
        },
        "loinc": {"version": report.loinc.version, "terms": len(report.loinc.terms)} if report.loinc else None,
        "rules": {
            "run": list(report.run),
            "skipped": [{"rule": item.rule, "reason": item.reason} for item in report.skipped],
            "crashed": [{"rule": item.rule, "reason": item.reason} for item in report.crashed],
        },
        "summary": report.summary,
        **_baseline(report),
        "findings": [finding.to_json() for finding in report.findings],
    }
    return json_text(content, indent=1)


def _baseline(report: Report) -> dict[str, Any]:
    """Return what is new and what is gone since the baseline, where there is one."""
    if report.baseline is None:
        return {}
    new, known, gone = report.news
    place = {id(finding): number for number, finding in enumerate(report.findings)}
    return {
        "baseline": {
            "path": report.baseline.path,
            "version": report.baseline.version,
            "new": [place[id(finding)] for finding in new],
            "known": len(known),
            "gone": [
                {"rule": rule, "row_key": row_key, "field": field or None, "value": value}
                for (rule, row_key, field, value), number in sorted(gone.items())
                for _ in range(number)
            ],
        }
    }

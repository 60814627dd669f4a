"""The review of a register for machines: the JSON of `jdv triage review`, the same to the byte for the same input."""

from __future__ import annotations

import json
from typing import Any

from jdv_qa.triage.review import Review, Reviewed

SCHEMA = "jdv-triage/1"


def triage_json(review: Review) -> str:
    """Return a review as JSON text."""
    edition, register = review.edition, review.register
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "register": {"path": register.path, "sha256": register.sha256, "sheet": register.sheet},
        "workbook": {
            "path": edition.source.path,
            "sha256": edition.source.sha256,
            "version": edition.identity.version,
            "rows": len(edition.main.records),
        },
        "loinc": {"version": review.loinc.version, "terms": len(review.loinc.terms)} if review.loinc else None,
        "profile": review.profile,
        "summary": review.summary,
        "remarks": list(register.remarks),
        "together": [finding.to_json() for finding in review.together],
        "requests": [_request(item) for item in review.requests],
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def _request(item: Reviewed) -> dict[str, Any]:
    request = item.request
    return {
        "number": request.json_number,
        "row": request.row,
        "date": request.date,
        "applicant": request.applicant,
        "kind": request.kind or None,
        "object": request.object or None,
        "code": request.code,
        "label": request.label,
        "verdict": item.verdict,
        "reasons": [{"rule": reason.rule, "message": reason.message} for reason in item.reasons],
        "changes": item.edit.to_json(),
        "correction": item.correction.to_json(),
        "new_findings": [finding.to_json() for finding in item.findings],
        "candidates": [
            {"code": one.code, "label": one.label, "in_value_set": one.in_value_set, "why": one.why}
            for one in item.candidates
        ],
        "related": [other.json_number for other in item.related],
        "impact": item.impact.impact if item.impact else None,
        "impact_why": item.impact.reason if item.impact else "",
        "priority": item.priority.level,
        "priority_why": item.priority.why,
        "submission": item.submission.to_json() if item.submission else None,
        "earlier": [past.to_json() for past in item.earlier],
    }

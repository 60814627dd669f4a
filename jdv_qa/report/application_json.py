"""Accepted requests carried into a draft, for machines: the JSON of `jdv triage apply`, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jdv_qa.report.application_text import address
from jdv_qa.triage.application import Application, Outcome, Written
from jdv_qa.triage.requests import Register

SCHEMA = "jdv-application/1"


def application_json(application: Application, register: Register, content: bytes) -> str:
    """Return what was carried as JSON text; `content` is the new workbook.

    The row and cell of a change are those of the new workbook, but for what is removed, those of the draft.
    """
    draft = application.draft
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "register": {"path": register.path, "sha256": register.sha256, "sheet": register.sheet},
        "workbook": {
            "path": draft.source.path,
            "sha256": draft.source.sha256,
            "version": draft.identity.version,
            "rows": len(draft.main.records),
        },
        "result": {"sha256": hashlib.sha256(content).hexdigest(), "rows": len(application.result.main.records)},
        "loinc": {"version": application.loinc.version} if application.loinc else None,
        "summary": application.summary,
        "requests": [_request(application, outcome) for outcome in application.outcomes],
        "figures": [_change(application, cell) for cell in application.figures],
        "unknown": [decision.number for decision in application.unknown],
    }
    return json.dumps(result, ensure_ascii=False, indent=1)


def _request(application: Application, outcome: Outcome) -> dict[str, Any]:
    request, decision = outcome.request, outcome.decision
    return {
        "number": request.json_number,
        "row": request.row,
        "decision": decision.decision or None if decision else None,
        "decision_text": decision.text if decision else "",
        "comment": decision.comment if decision else "",
        "state": outcome.state,
        "code": request.code,
        "reasons": [{"rule": reason.rule, "message": reason.message} for reason in outcome.reasons],
        "changes": [_change(application, cell) for cell in outcome.cells],
    }


def _change(application: Application, cell: Written) -> dict[str, Any]:
    return {
        "tab": cell.tab,
        "sheet": application.draft.tables[cell.tab].sheet,
        "row": cell.row,
        "cell": address(application, cell),
        "field": cell.field,
        "before": cell.before,
        "after": cell.after,
        "action": cell.action,
    }

"""What `jdv fix` did, for machines: the same to the byte for the same input."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from jdv_qa.checks.fixing import Fix, Fixing, Left

SCHEMA = "jdv-fix/1"


def fixing_json(fixing: Fixing) -> str:
    """Return the fixes, and the proposals left with their reason, as JSON text."""
    source = fixing.before.edition.source
    content = {
        "schema": SCHEMA,
        "workbook": {"path": source.path, "sha256": source.sha256, "version": fixing.before.edition.identity.version},
        "summary": {
            "fixed": len(fixing.fixes),
            "left": len(fixing.left),
            "findings_before": fixing.before.summary,
            "findings_after": fixing.after.summary,
        },
        "fixed": [_fix(fix) for fix in fixing.fixes],
        "left": [_left(left) for left in fixing.left],
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def _fix(fix: Fix) -> dict[str, Any]:
    written = asdict(fix) | {"rules": list(fix.rules)}
    return {name: value for name, value in written.items() if name != "column"}


def _left(left: Left) -> dict[str, Any]:
    finding = left.finding
    return {
        "reason": left.reason.value,
        "brings": list(left.brings),
        **{
            name: value
            for name, value in finding.to_json().items()
            if name
            in ("rule", "severity", "tab", "sheet", "row", "cell", "field", "code", "value", "suggestion", "message")
        },
    }

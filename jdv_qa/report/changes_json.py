"""The changes between two editions as JSON, for scripts and other tools: schema jdv-diff/1."""

from __future__ import annotations

import json
from typing import Any

from jdv_qa.compare.model import Comparison, Side

SCHEMA = "jdv-diff/1"


def changes_json(comparison: Comparison) -> str:
    """Return the JSON text of a comparison, ended by a line break; the same to the byte for the same comparison."""
    return json.dumps(changes_content(comparison), ensure_ascii=False, indent=2) + "\n"


def changes_content(comparison: Comparison) -> dict[str, Any]:
    """Return the content of the JSON form.

    `uncompared` lists what was left out because one side has no such column; `field` is "" for a whole tab.
    """
    return {
        "schema": SCHEMA,
        "old": _side(comparison.old),
        "new": _side(comparison.new),
        "summary": dict(comparison.summary),
        "changes": [change.to_json() for change in comparison.changes],
        "uncompared": [
            {"part": gap.part, "field": gap.field, "missing_in": gap.missing_in} for gap in comparison.uncompared
        ],
    }


def _side(side: Side) -> dict[str, str]:
    return {"path": side.path, "sha256": side.sha256, "version": side.version}

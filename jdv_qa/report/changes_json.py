"""The changes between two editions as JSON, for scripts and other tools: schema jdv-diff/1."""

from __future__ import annotations

from typing import Any

from jdv_qa.compare.model import Comparison, Side, Statuses
from jdv_qa.report.json_text import json_text

SCHEMA = "jdv-diff/1"


def changes_json(comparison: Comparison) -> str:
    """Return the JSON text of a comparison, ended by a line break; the same to the byte for the same comparison."""
    return json_text(changes_content(comparison), indent=2) + "\n"


def changes_content(comparison: Comparison) -> dict[str, Any]:
    """Return the content of the JSON form.

    `uncompared` lists what was left out because one side has no such column; `field` is "" for a whole tab.
    `resemblances` are removed and added codes that may be one, `movements` what several changes amount to, `collisions`
    the keys that are not unique, with their rows; `loinc`, when both releases are known, the codes whose status changed.
    """
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "old": _side(comparison.old),
        "new": _side(comparison.new),
        "summary": dict(comparison.summary),
        "changes": [change.to_json() for change in comparison.changes],
        "actors": dict(comparison.actors),
        "uncompared": [
            {"part": gap.part, "field": gap.field, "missing_in": gap.missing_in} for gap in comparison.uncompared
        ],
        "resemblances": [
            {
                "part": pair.part,
                "code": pair.old_code,
                "new_code": pair.new_code,
                "confidence": pair.confidence,
                "evidence": list(pair.evidence),
            }
            for pair in comparison.resemblances
        ],
        "movements": [
            {
                "kind": movement.kind,
                "from": [one.code for one in movement.sources],
                "to": [one.code for one in movement.targets],
                "codes": list(movement.codes),
            }
            for movement in comparison.movements
        ],
        "collisions": [
            {"side": found.side, "part": found.part, "kind": found.kind, "code": found.code, "rows": list(found.rows)}
            | ({} if found.result is None else {"result": found.result})
            | ({"values": list(found.values)} if found.values else {})
            for found in comparison.collisions
        ],
    }
    if comparison.statuses is not None:
        content["loinc"] = _statuses(comparison.statuses)
    return content


def _statuses(statuses: Statuses) -> dict[str, Any]:
    """Return the status transitions, counted and listed; a code that a release lacks has the status null.

    `instead` are the codes that the later release gives in the place of one it withdrew.
    """
    return {
        "old": statuses.old_version,
        "new": statuses.new_version,
        "counts": [
            {"before": before or None, "after": after or None, "codes": number}
            for (before, after), number in statuses.counts.items()
        ],
        "transitions": [
            {"code": one.code, "before": one.before or None, "after": one.after or None, "kept": one.kept}
            | ({"instead": list(one.instead)} if one.instead else {})
            for one in statuses.transitions
        ],
    }


def _side(side: Side) -> dict[str, str]:
    return {"path": side.path, "sha256": side.sha256, "version": side.version}

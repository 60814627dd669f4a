"""DER: the waivers themselves. The engine applies them first; this rule speaks of those that had no effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, rule
from jdv_qa.checks.finding import Problem


@rule("DER-01")
def stale_waiver(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Waivers that match no finding any more, that have expired, or that a rule refuses."""
    for stale in context.stale:
        waiver = stale.waiver
        facts = {
            "number": waiver.line, "rule": waiver.rule, "row_key": waiver.row, "waived_field": waiver.field,
            "by": waiver.by, "date": waiver.date, "until": waiver.until, "reason": waiver.reason,
        }  # fmt: skip
        code = waiver.row.rpartition("|")[2] or waiver.row
        yield Problem("", value=waiver.value, code=code, message=stale.why, facts=facts)

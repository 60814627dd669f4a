"""What a comparison counts: changes by kind, by impact, and for whom."""

from __future__ import annotations

from collections import Counter

from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import IMPACTS, KINDS
from tests.compare.build import edition, row


def test_every_change_counts_once_under_its_kind_and_its_impact() -> None:
    old = edition([row("2951-2"), row("2823-3"), row("2075-0", comment="a")])
    new = edition([row("2951-2", unit="g/L"), row("2075-0", comment="b"), row("1963-8"), row("17861-6")])
    comparison = compare(old, new)
    kinds = Counter(change.kind for change in comparison.changes)
    impacts = Counter(change.impact for change in comparison.changes)
    assert comparison.summary == {kind: kinds[kind] for kind in KINDS}
    assert comparison.impacts == {impact: impacts[impact] for impact in IMPACTS}
    # a unit changed and an order, its result and their pair went; a comment changed; two of each came
    assert comparison.summary == {"added": 6, "removed": 3, "modified": 2, "assigned": 0, "replaced": 0}
    assert sum(comparison.impacts.values()) == 11
    assert comparison.impacts["breaking"] == 4
    assert comparison.impacts["additive"] == 6
    assert comparison.impacts["editorial"] == 1

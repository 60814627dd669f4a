"""What is told beside the code when a pending code gave way to a LOINC code."""

from __future__ import annotations

import pytest

from jdv_qa.compare.compare import compare
from tests.compare.build import edition, row


@pytest.mark.parametrize(
    ("types", "told"),
    [
        # a pending order has no type, and the one that its LOINC code brings says nothing more
        (("", ""), []),
        # one row of it had a type: that the others now have it too is a change, whichever row comes first
        (("", "Order"), [("modified", "2951-2", "order_type")]),
        (("Order", ""), [("modified", "2951-2", "order_type")]),
        (("Both", "Both"), [("modified", "2951-2", "order_type")]),
        (("Order", "Order"), []),
    ],
)
def test_the_type_that_a_code_brings(types: tuple[str, str], told: list[tuple[str, str, str]]) -> None:
    labels = {"order_label": "Ionogramme", "order_loinc_label": "Ionogramme [Moles/Volume] Sérum ; Numérique"}
    results = ("2823-3", "2075-0")
    old = edition(
        [row("600123", result, order_type=type_, **labels) for result, type_ in zip(results, types, strict=True)]
    )
    new = edition([row("2951-2", result, order_type="Order", **labels) for result in results])
    changes = [change for change in compare(old, new).changes if change.part == "order"]
    assert [(change.kind, change.new_code) for change in changes if change.kind != "modified"] == [
        ("assigned", "2951-2")
    ]
    assert [(change.kind, change.code, change.field) for change in changes if change.kind == "modified"] == told

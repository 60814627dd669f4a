"""The figures of a version."""

from __future__ import annotations

from jdv_qa.checks.indicators import INDICATORS, indicators
from tests.compare.build import edition, row, terms


def test_figures_of_a_small_edition() -> None:
    rows = [
        row("24326-1", "2951-2", order_type="Order"),
        row("24326-1", "600238", order_type="Order"),
        row("2951-2"),
        row("2823-3", order_type="observation"),
        row("600240", "2951-2", order_type="Both"),
        row("X600241", "600238", order_type=""),
        row("2075-0", order_type="Ordre"),
        row("", "", order_label="Sans code"),
    ]
    figures = indicators(edition(rows))
    assert figures == {
        "orders": 6,
        "orders_order": 1,
        "orders_both": 1,
        "orders_observation": 1,
        "orders_pending": 2,
        "results": 4,
        "results_loinc": 3,
        "results_pending": 1,
    }
    assert list(figures) == list(INDICATORS)


def test_the_type_is_that_of_the_first_row() -> None:
    rows = [row("24326-1", "2951-2", order_type="Order"), row("24326-1", "2823-3", order_type="Both")]
    figures = indicators(edition(rows))
    assert (figures["orders_order"], figures["orders_both"]) == (1, 0)


def test_a_one_table_form_has_none() -> None:
    assert indicators(terms([{"code": "1-8"}], ("code", "label"))) == {}

"""Orders and results of an edition: put together from their rows when they are asked for, and not before."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from jdv_qa.workbook.edition import Entities, Entity, Record
from tests.compare.build import edition, row


def test_nothing_is_put_together_until_it_is_asked_for() -> None:
    made: list[str] = []

    def put_together(rows: Sequence[Record]) -> Entity:
        made.append(rows[0]["code"])
        return Entity(rows[0]["code"], rows[0].values, tuple(rows))

    rows = {code: [Record(place, {"code": code})] for place, code in enumerate("abc", 2)}
    entities = Entities(rows, put_together)
    assert (len(entities), list(entities), "b" in entities, "z" in entities) == (3, ["a", "b", "c"], True, False)
    assert entities.keys() - {"a"} == {"b", "c"}
    assert made == []
    assert entities["b"] is entities["b"]
    assert entities.get("z") is None
    assert made == ["b"]
    assert [entity.code for entity in entities.values()] == ["a", "b", "c"]
    assert dict(entities.items()) == dict(entities)
    assert made == ["b", "a", "c"]
    with pytest.raises(KeyError):
        entities["z"]


def test_an_order_has_the_values_of_its_first_row_and_all_those_that_differ() -> None:
    lines = [
        row("24326-1", "2951-2", specimen="SER", order_synonyms=""),
        row("24326-1", "2823-3", specimen="", order_synonyms="iono"),
        row("", "2075-0", order_label="Sans code"),
    ]
    orders = edition(lines).orders
    assert list(orders) == ["24326-1", "Sans code"]
    order = orders["24326-1"]
    assert (order["specimen"], order["order_synonyms"]) == ("SER", "")
    assert order.variants == {"specimen": ("SER", ""), "order_synonyms": ("", "iono")}
    assert [record.row for record in order.records] == [3, 4]
    assert (orders["Sans code"].code, orders["Sans code"].variants) == ("", {})
    assert "unit" not in order.values


def test_a_pair_has_all_its_rows() -> None:
    lines = [row("24326-1", "2951-2"), row("24326-1", "2823-3"), row("24326-1", "2951-2"), row("", "2951-2")]
    pairs = edition(lines).pairs
    assert {pair: [record.row for record in records] for pair, records in pairs.items()} == {
        ("24326-1", "2951-2"): [3, 5],
        ("24326-1", "2823-3"): [4],
    }

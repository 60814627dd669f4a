"""What counts as a change between two editions, and how it is told."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Change, Uncompared
from jdv_qa.errors import WorkbookError
from jdv_qa.workbook.edition import MAIN_FIELDS, Edition
from tests.compare.build import Row, edition, row, terms


def changes(old: Edition | Iterable[Row], new: Edition | Iterable[Row]) -> list[dict[str, Any]]:
    """Return the changes in JSON form, without rows and labels."""
    before, after = (side if isinstance(side, Edition) else edition(side) for side in (old, new))
    kept = ("kind", "part", "code", "field", "old", "new", "new_code", "result", "nabm", "related")
    return [
        {name: value for name, value in change.to_json().items() if name in kept and value is not None}
        for change in compare(before, after).changes
    ]


def modified(part: str, code: str, field: str, old: str, new: str, **more: Any) -> dict[str, Any]:
    return {"kind": "modified", "part": part, "code": code, "field": field, "old": old, "new": new} | more


class TestEntities:
    def test_the_same_edition_has_no_change(self) -> None:
        rows = [row(), row("24326-1", "2951-2"), row("24326-1", "2823-3")]
        assert changes(rows, rows) == []

    def test_row_order_is_no_change(self) -> None:
        rows = [row(f"{n}-1", f"{m}-1", order_type="Order") for n in range(5) for m in range(10, 14)]
        shuffled = random.Random(1).sample(rows, len(rows))
        assert changes(rows, shuffled) == []

    def test_added_and_removed_with_their_associations(self) -> None:
        added = changes([row()], [row(), row("2823-3")])
        assert [(c["kind"], c["part"], c["code"]) for c in added] == [
            ("added", "order", "2823-3"),
            ("added", "result", "2823-3"),
            ("added", "association", "2823-3"),
        ]
        removed = changes([row(), row("2823-3")], [row()])
        assert [(c["kind"], c["part"]) for c in removed] == [
            ("removed", "order"),
            ("removed", "result"),
            ("removed", "association"),
        ]

    def test_a_result_under_one_more_order_is_one_association(self) -> None:
        before = [row("24326-1", "2951-2"), row("2823-3")]
        after = [*before, row("24326-1", "2823-3")]
        assert changes(before, after) == [
            {
                "kind": "added",
                "part": "association",
                "code": "24326-1",
                "result": "2823-3",
                "new": row("", "2823-3")["result_loinc_label"],
            }
        ]

    @pytest.mark.parametrize("field", [name for name in MAIN_FIELDS if name not in ("order_code", "result_code")])
    def test_each_field_of_the_main_tab_is_compared_once(self, field: str) -> None:
        before = row(**{field: "avant"}) | {"nabm_code": "1609", "nabm_label": "Sodium"} | {field: "avant"}
        said = changes([before], [before | {field: "après"}])
        assert {change.get("field") for change in said} == ({None} if field == "nabm_code" else {field})
        assert len(said) == (2 if field == "nabm_code" else 1)

    def test_one_change_a_code_however_many_rows_carry_it(self) -> None:
        before = [row("24326-1", "2951-2"), row("24320-4", "2951-2")]
        after = [line | {"unit": "umol/L"} for line in before]
        assert changes(before, after) == [modified("result", "2951-2", "unit", "mmol/L", "umol/L")]

    def test_a_blank_cell_is_the_empty_text(self) -> None:
        assert changes([row(site="")], [row(site="ARM")]) == [modified("order", "2951-2", "site", "", "ARM")]

    def test_rows_of_the_first_row_that_carries_the_code(self) -> None:
        before = edition([row("1-8"), row("2951-2")])
        after = edition([row("2951-2", unit="umol/L"), row("1-8")])
        (change,) = compare(before, after).changes
        assert (change.old_row, change.new_row) == (4, 3)

    def test_labels_follow_the_new_edition(self) -> None:
        after = row(unit="umol/L", result_loinc_label="Sodium")
        assert {change.label for change in compare(edition([row()]), edition([after])).changes} == {"Sodium"}

    def test_values_that_differ_between_rows_are_all_compared(self) -> None:
        before = [row("24326-1", "2951-2"), row("24320-4", "2951-2", unit="g/L")]
        after = [before[0], before[1] | {"unit": "mg/L"}]
        assert changes(before, after) == [modified("result", "2951-2", "unit", "g/L | mmol/L", "mg/L | mmol/L")]
        assert changes(before, list(reversed(before))) == []

    def test_an_entry_without_code_is_not_lost(self) -> None:
        before = [row(), row("", "2951-2", order_label="Sans code")]
        after = [row(), row("", "2951-2", order_label="Sans code", order_type="Order")]
        assert changes(before, after) == [modified("order", "", "order_type", "Both", "Order")]
        removed = changes(before, [row()])
        assert [(c["kind"], c["part"], c["code"], c.get("result")) for c in removed] == [
            ("removed", "order", "", None),
            ("removed", "association", "", "2951-2"),
        ]

    def test_names_that_deepdiff_would_pass_over_are_compared(self) -> None:
        before, after = row("__code__"), row("__code__", unit="root['x']")
        assert changes([before], [after]) == [modified("result", "__code__", "unit", "mmol/L", "root['x']")]

    def test_texts_over_several_lines(self) -> None:
        said = changes([row(comment="une\ndeux")], [row(comment="une\ntrois")])
        assert said == [modified("result", "2951-2", "comment", "une\ndeux", "une\ntrois")]


class TestLists:
    @pytest.mark.parametrize(
        ("before", "after"),
        [("a;b", "a ; b"), ("a;b", "a\nb"), ("a;b", "a;b;"), ("a ;b", "a; b")],
    )
    def test_spaces_and_separators_are_no_change(self, before: str, after: str) -> None:
        assert changes([row(order_synonyms=before)], [row(order_synonyms=after)]) == []
        assert changes([row(clinical_info=before)], [row(clinical_info=after)]) == []

    @pytest.mark.parametrize(("before", "after"), [("a;b", "b;a"), ("a;b", "a"), ("a b", "a;b"), ("a;b", "a;B")])
    def test_values_and_their_order_are(self, before: str, after: str) -> None:
        said = changes([row(order_synonyms=before)], [row(order_synonyms=after)])
        assert said == [modified("order", "2951-2", "order_synonyms", before, after)]

    def test_a_field_of_one_value_may_hold_a_semicolon(self) -> None:
        said = changes([row(comment="a;b")], [row(comment="a ; b")])
        assert said == [modified("result", "2951-2", "comment", "a;b", "a ; b")]


class TestNabm:
    def test_pairs_come_and_go(self) -> None:
        before = row(nabm_code="0126;1609", nabm_label="Glucose;Ionogramme")
        after = row(nabm_code="1609 ; 0552", nabm_label="Ionogramme ; Calcium")
        assert changes([before], [after]) == [
            {"kind": "added", "part": "nabm", "code": "2951-2", "nabm": "0552", "new": "Calcium"},
            {"kind": "removed", "part": "nabm", "code": "2951-2", "nabm": "0126", "old": "Glucose"},
        ]

    def test_label_of_the_same_pair(self) -> None:
        before = row(nabm_code="0126;1609", nabm_label="Glucose;Ionogramme")
        after = row(nabm_code="1609;0126", nabm_label="Ionogramme complet;Glucose")
        said = changes([before], [after])
        assert said == [modified("nabm", "2951-2", "nabm_label", "Ionogramme", "Ionogramme complet", nabm="1609")]

    def test_order_of_the_pairs_is_no_change(self) -> None:
        before = row(nabm_code="0126;1609", nabm_label="Glucose;Ionogramme")
        assert changes([before], [row(nabm_code="1609;0126", nabm_label="Ionogramme;Glucose")]) == []

    def test_labels_that_do_not_pair_with_codes_are_not_lost(self) -> None:
        before = row(nabm_code="0126;1609", nabm_label="Glucose;Ionogramme;Reste")
        after = row(nabm_code="0126;1609", nabm_label="Glucose;Ionogramme;Autre")
        assert len(changes([before], [after])) == 1
        assert len(changes([row(nabm_label="Sans code")], [row()])) == 1

    def test_pairs_written_on_several_rows(self) -> None:
        before = [row("24326-1", "2951-2", nabm_code="1609"), row("24326-1", "2823-3", nabm_code="0126")]
        assert changes(before, list(reversed(before))) == []
        assert changes(before, [before[0], before[1] | {"nabm_code": "1609"}]) == [
            {"kind": "removed", "part": "nabm", "code": "24326-1", "nabm": "0126", "old": ""}
        ]

    def test_pairs_of_orders_that_come_or_go(self) -> None:
        said = changes([row()], [row(), row("2823-3", nabm_code="1609")])
        assert ("added", "nabm", "2823-3") in [(c["kind"], c["part"], c["code"]) for c in said]


class TestRecodings:
    def test_an_assigned_code_is_one_change(self) -> None:
        label = "Sodium"
        before = [row("24326-1", "600238", result_loinc_label=label), row("24326-1", "2823-3")]
        after = [row("24326-1", "2951-2", result_loinc_label=label), row("24326-1", "2823-3")]
        after[0]["result_display"] = before[0]["result_display"]
        assert changes(before, after) == [
            {"kind": "assigned", "part": "result", "code": "600238", "new_code": "2951-2"}
        ]

    def test_a_code_recoded_as_order_and_as_result(self) -> None:
        names = {
            "order_label": "Na",
            "order_loinc_label": "Sodium",
            "result_loinc_label": "Sodium",
            "result_display": "Na",
        }
        before = row("600238", order_type="", nabm_code="1609", nabm_label="Iono", **names)
        after = row("2951-2", nabm_code="1609", nabm_label="Iono", **names)
        assert [(c["kind"], c["part"], c["new_code"]) for c in changes([before], [after])] == [
            ("assigned", "order", "2951-2"),
            ("assigned", "result", "2951-2"),
        ]

    def test_what_else_changed_is_told_under_the_new_code(self) -> None:
        names = {"result_loinc_label": "Sodium", "result_display": "Na"}
        before, after = row("24326-1", "2947-0", **names), row("24326-1", "2951-2", unit="umol/L", **names)
        assert changes([before], [after]) == [
            modified("result", "2951-2", "unit", "mmol/L", "umol/L", related=["2947-0"]),
            {"kind": "replaced", "part": "result", "code": "2947-0", "new_code": "2951-2"},
        ]

    def test_an_association_lost_on_the_way_is_told(self) -> None:
        names = {"result_loinc_label": "Sodium", "result_display": "Na"}
        before = [row("24326-1", "600238", **names), row("24320-4", "600238", **names), row("24320-4", "2823-3")]
        after = [row("24326-1", "2951-2", **names), row("24320-4", "2823-3")]
        assert [(c["kind"], c["part"], c["code"], c.get("result")) for c in changes(before, after)] == [
            ("removed", "association", "24320-4", "600238"),
            ("assigned", "result", "600238", None),
        ]


class TestMoves:
    def test_a_result_that_changes_order_is_linked_both_ways(self) -> None:
        before = [row("24326-1", "2951-2"), row("24326-1", "2823-3"), row("24320-4", "2075-0")]
        after = [row("24326-1", "2951-2"), row("24320-4", "2823-3"), row("24320-4", "2075-0")]
        said = changes(before, after)
        assert [(c["kind"], c["code"], c["result"], c["related"]) for c in said] == [
            ("added", "24320-4", "2823-3", ["24326-1"]),
            ("removed", "24326-1", "2823-3", ["24320-4"]),
        ]

    def test_a_split_links_the_orders(self) -> None:
        before = [row("24326-1", "2951-2"), row("24326-1", "2823-3")]
        after = [row("24320-4", "2951-2"), row("24321-2", "2823-3")]
        related = {(c["kind"], c["code"]): c["related"] for c in changes(before, after) if c["part"] == "order"}
        assert related == {
            ("removed", "24326-1"): ["24320-4", "24321-2"],
            ("added", "24320-4"): ["24326-1"],
            ("added", "24321-2"): ["24326-1"],
        }


CHAPTERS = [
    {"code": "18719-5", "label": "Biochimie", "subcode": "18719-5", "sublabel": "Biochimie"},
    {"code": "18719-5", "label": "Biochimie", "subcode": "600001", "sublabel": "Gaz du sang"},
    {"code": "18723-7", "label": "Hématologie", "subcode": "600002", "sublabel": "Hémostase"},
]


class TestReferenceTabs:
    def test_added_removed_and_relabelled(self) -> None:
        before = edition(tabs={"techniques": [{"code": "9AX", "label": "A"}, {"code": "9BX", "label": "B"}]})
        after = edition(tabs={"techniques": [{"code": "9BX", "label": "B'"}, {"code": "9CX", "label": "C"}]})
        assert changes(before, after) == [
            {"kind": "added", "part": "technique", "code": "9CX"},
            {"kind": "removed", "part": "technique", "code": "9AX"},
            modified("technique", "9BX", "label", "B", "B'"),
        ]

    @pytest.mark.parametrize(
        ("place", "field", "text", "code"),
        [
            (0, "sublabel", "Chimie", "18719-5"),
            (1, "sublabel", "Gazométrie", "600001"),
            (2, "label", "Sang", "18723-7"),
        ],
    )
    def test_chapters_and_sub_chapters(self, place: int, field: str, text: str, code: str) -> None:
        after = [dict(line) for line in CHAPTERS]
        before_text, after[place][field] = after[place][field], text
        said = changes(edition(tabs={"chapters": CHAPTERS}), edition(tabs={"chapters": after}))
        assert said == [modified("chapter", code, field, before_text, text)]

    def test_a_chapter_label_on_all_its_rows_is_one_change(self) -> None:
        after = [line | ({"label": "Chimie"} if line["code"] == "18719-5" else {}) for line in CHAPTERS]
        said = changes(edition(tabs={"chapters": CHAPTERS}), edition(tabs={"chapters": after}))
        assert said == [modified("chapter", "18719-5", "label", "Biochimie", "Chimie")]

    def test_a_sub_chapter_that_moves(self) -> None:
        after = [*CHAPTERS[:2], CHAPTERS[2] | {"code": "18719-5", "label": "Biochimie"}]
        said = changes(edition(tabs={"chapters": CHAPTERS}), edition(tabs={"chapters": after}))
        assert said == [
            {"kind": "removed", "part": "chapter", "code": "18723-7"},
            modified("chapter", "600002", "code", "18723-7", "18719-5"),
        ]

    def test_a_sub_chapter_of_two_chapters(self) -> None:
        shared = [
            *CHAPTERS,
            {"code": "18723-7", "label": "Hématologie", "subcode": "600001", "sublabel": "Gaz du sang"},
        ]
        said = changes(edition(tabs={"chapters": CHAPTERS}), edition(tabs={"chapters": shared}))
        assert said == [{"kind": "added", "part": "chapter", "code": "600001", "related": ["18723-7"]}]

    def test_chapter_cells_left_blank_below_the_first(self) -> None:
        outline = [dict(CHAPTERS[0]), CHAPTERS[1] | {"code": "", "label": ""}, dict(CHAPTERS[2])]
        assert changes(edition(tabs={"chapters": CHAPTERS}), edition(tabs={"chapters": outline})) == []

    def test_a_code_defined_twice_loses_nothing(self) -> None:
        twice = [{"code": "SER", "label": "Sérum"}, {"code": "SER", "label": "Plasma"}]
        before, after = edition(tabs={"specimens": twice[:1]}), edition(tabs={"specimens": twice})
        assert changes(before, after) == [modified("specimen", "SER", "label", "Sérum", "Plasma | Sérum")]
        assert changes(after, edition(tabs={"specimens": twice[::-1]})) == []

    def test_other_tabs_do_not_count(self) -> None:
        for key in ("experts", "notes", "indicators", "summary"):
            assert changes(edition(), edition(tabs={key: [{"code": "x", "label": "y"}]})) == []


class TestColumnsAndTabsOfOneSide:
    def test_a_missing_column_is_left_out_and_said(self) -> None:
        narrow = [name for name in MAIN_FIELDS if name != "comment"]
        before = edition([row()], fields=narrow)
        comparison = compare(before, edition([row(comment="à revoir")]))
        assert comparison.changes == ()
        assert comparison.uncompared == (Uncompared("result", "comment", "old"),)
        mirrored = compare(edition([row(comment="à revoir")]), before)
        assert mirrored.uncompared == (Uncompared("result", "comment", "new"),)

    def test_a_blank_column_says_nothing(self) -> None:
        comparison = compare(edition([row()], fields=[n for n in MAIN_FIELDS if n != "comment"]), edition([row()]))
        assert (comparison.changes, comparison.uncompared) == ((), ())

    def test_codes_of_one_side_only(self) -> None:
        before = edition([row()], fields=[name for name in MAIN_FIELDS if name != "order_code"])
        comparison = compare(before, edition([row(), row("2823-3")]))
        assert comparison.uncompared == (Uncompared("order", "order_code", "old"),)
        assert {change.part for change in comparison.changes} == {"result"}

    def test_nabm_columns(self) -> None:
        said = row(nabm_code="1609", nabm_label="Iono")
        without = [name for name in MAIN_FIELDS if name != "nabm_label"]
        comparison = compare(edition([said | {"nabm_label": ""}], fields=without), edition([said]))
        assert (comparison.changes, comparison.uncompared) == ((), (Uncompared("nabm", "nabm_label", "old"),))

    def test_a_missing_tab(self) -> None:
        comparison = compare(edition(), edition(tabs={"sites": [{"code": "ARM", "label": "Bras"}]}))
        assert (comparison.changes, comparison.uncompared) == ((), (Uncompared("site", "", "old"),))


class TestOneTableForm:
    FIELDS = ("code", "label", "synonyms", "status")

    def test_terms(self) -> None:
        before = [{"code": "1-8", "label": "a", "status": "ACTIVE"}, {"code": "2-6", "label": "b"}]
        after = [{"code": "3-4", "label": "c"}, {"code": "1-8", "label": "a", "status": "DISCOURAGED"}]
        assert changes(terms(before, self.FIELDS), terms(after, self.FIELDS)) == [
            {"kind": "added", "part": "term", "code": "3-4"},
            {"kind": "removed", "part": "term", "code": "2-6"},
            modified("term", "1-8", "status", "ACTIVE", "DISCOURAGED"),
        ]

    def test_the_two_forms_cannot_be_compared(self) -> None:
        with pytest.raises(WorkbookError, match=r"terms\.xlsx"):
            compare(edition([row()]), terms([{"code": "1-8"}], self.FIELDS))


class TestForm:
    def test_order_of_changes(self) -> None:
        rows = [row(code) for code in ("24326-1", "2951-2", "10-9", "X-1")]
        said = compare(edition(), edition(rows)).changes
        assert [change.code for change in said if change.part == "order"] == ["10-9", "2951-2", "24326-1", "X-1"]
        assert [change.part for change in said] == ["order"] * 4 + ["result"] * 4 + ["association"] * 4

    def test_summary_names_every_kind(self) -> None:
        summary = compare(edition([row()]), edition([row(unit="g/L"), row("2823-3")])).summary
        assert summary == {"added": 3, "removed": 0, "modified": 1, "assigned": 0, "replaced": 0}

    def test_json_keys(self) -> None:
        plain = Change("modified", "result", "2951-2", "Sodium", "unit", "mmol/L", "umol/L", "breaking", 3, 4)
        assert plain.to_json() == {
            "kind": "modified", "part": "result", "code": "2951-2", "label": "Sodium", "field": "unit",
            "old": "mmol/L", "new": "umol/L", "impact": "breaking", "old_row": 3, "new_row": 4,
        }  # fmt: skip
        linked = Change("assigned", "result", "600238", "Sodium", new_code="2951-2", related=("24326-1",))
        assert list(linked.to_json())[-2:] == ["new_code", "related"]

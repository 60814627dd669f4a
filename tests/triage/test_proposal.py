"""The exact cells that requests mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jdv_qa.triage.edits import Edit
from jdv_qa.workbook.edition import ORDER_FIELDS
from tests.triage.registers import SODIUM_BLOOD, one, sample

NEW = {
    "kind": "Création", "object": "Résultat", "code": "2947-0", "label": SODIUM_BLOOD, "order": "24326-1", "unit": "mmol/L",
    "display": "Sodium sang total", "comparability": 1, "chapter": "18719-5",
}  # fmt: skip


def cells(edit: Edit) -> set[tuple[int, str, str | None, str | None]]:
    return {(cell.row, cell.field, cell.before, cell.after) for cell in edit.cells}


def rows_of(code: str, version: str = "1.0.0") -> list[int]:
    return [record.row for record in sample(version).results[code].records]


def test_a_field_of_a_result_changes_on_every_row_of_its_code(tmp_path: Path) -> None:
    edit = one(
        {"kind": "Modification", "object": "Résultat", "code": "2951-2", "field": "Unité", "value": "umol/L"}, tmp_path
    ).edit
    assert len(rows_of("2951-2")) == 2
    assert cells(edit) == {(row, "unit", "mmol/L", "umol/L") for row in rows_of("2951-2")}


def test_a_creation_goes_after_the_last_row_of_its_order(tmp_path: Path) -> None:
    edition = sample()
    order = edition.orders["24326-1"]
    (added,) = one(NEW, tmp_path).edit.added
    assert added.below == order.records[-1].row
    assert {name: added.values[name] for name in ORDER_FIELDS if order[name]} == {
        n: order[n] for n in ORDER_FIELDS if order[n]
    }
    ranks = [int(r["rank"]) for r in edition.main.records if r["chapter"] == "18719-5"]
    own = {name: text for name, text in added.values.items() if name not in ORDER_FIELDS}
    assert own == {
        "result_code": "2947-0", "result_loinc_label": SODIUM_BLOOD, "result_display": "Sodium sang total", "unit": "mmol/L",
        "comparability": "1", "discriminating_technique": "N", "chapter": "18719-5", "subchapter": "18719-5",
        "rank": str(max(ranks) + 10),
    }  # fmt: skip


def test_order_cells_stay_blank_where_the_workbook_writes_them_once(tmp_path: Path) -> None:
    (added,) = one(NEW, tmp_path, version="1.1.0").edit.added
    assert not set(added.values) & set(ORDER_FIELDS)
    assert added.order == "24326-1"
    assert added.whole["order_label"] == sample("1.1.0").orders["24326-1"]["order_label"]


@pytest.mark.parametrize(
    ("level", "technique", "expected"), [(1, "", "N"), (2, "", "O"), (2, "oui", "O"), (1, "N", "N")]
)
def test_the_technique_follows_the_level(level: int, technique: str, expected: str, tmp_path: Path) -> None:
    (added,) = one(NEW | {"comparability": level, "technique": technique}, tmp_path).edit.added
    assert added.values["discriminating_technique"] == expected


def test_a_known_result_keeps_its_cells_under_one_more_order(tmp_path: Path) -> None:
    known = sample().results["14682-9"]
    (added,) = one(
        {"kind": "Création", "object": "Résultat", "code": "14682-9", "order": "24326-1"}, tmp_path
    ).edit.added
    assert {n: t for n, t in added.values.items() if n not in ORDER_FIELDS} == dict(known.values)


def test_a_chapter_takes_its_sub_chapter_along(tmp_path: Path) -> None:
    edit = one(
        {"kind": "Modification", "object": "Résultat", "code": "2160-0", "field": "Chapitre", "value": "Hématologie"},
        tmp_path,
    ).edit
    changed = {(cell.field, cell.after) for cell in edit.cells}
    assert {("chapter", "18723-7"), ("subchapter", "18723-7")} <= changed
    assert {field for field, _ in changed} <= {"chapter", "subchapter", "rank"}


def test_a_loinc_label_changes_wherever_the_code_stands(tmp_path: Path) -> None:
    edit = one(
        {"kind": "Modification", "object": "Résultat", "code": "2823-3", "field": "Libellé LOINC", "value": "Potassium [Moles/Volume] Plasma ; Numérique"},
        tmp_path,
    ).edit  # fmt: skip
    assert {cell.field for cell in edit.cells} == {"result_loinc_label", "order_loinc_label"}


def test_alignments_change_by_pairs(tmp_path: Path) -> None:
    order = sample().orders["24325-3"]
    assert order["nabm_code"] == "0519;0514;0522;1601"
    gone = one({"kind": "Suppression", "object": "NABM", "code": "24325-3", "nabm": "0514"}, tmp_path).edit
    after = {cell.field: cell.after for cell in gone.cells}
    assert after["nabm_code"] == "0519;0522;1601"
    assert str(after["nabm_label"]).count(";") == 2
    more = one({"kind": "Création", "object": "NABM", "code": "24325-3", "nabm": "0593"}, tmp_path).edit
    after = {cell.field: cell.after for cell in more.cells}
    assert after["nabm_code"] == "0519;0514;0522;1601;0593"
    assert str(after["nabm_label"]).endswith(";Urée et créatinine")
    assert {cell.row for cell in more.cells} == {record.row for record in order.records}


def test_an_order_keeps_a_row_when_its_last_result_goes(tmp_path: Path) -> None:
    edition = sample()
    order = next(
        o
        for o in edition.orders.values()
        if len(o.records) == 1 and len(edition.results[o.records[0]["result_code"]].records) == 1
    )
    code = order.records[0]["result_code"]
    item = one({"kind": "Suppression", "object": "Résultat", "code": code}, tmp_path)
    assert not item.edit.removed
    assert {cell.after for cell in item.edit.cells} == {None}
    assert {cell.field for cell in item.edit.cells} >= {"result_code", "result_loinc_label"}
    assert "GRP-02" in {reason.rule for reason in item.reasons}


def test_two_removals_in_one_request_leave_the_order_too(tmp_path: Path) -> None:
    item = one({"kind": "Retrait", "code": "14749-6 et 2345-7", "order": "14749-6"}, tmp_path)
    assert [row.row for row in item.edit.removed] == [sample().orders["14749-6"].records[1].row]
    assert {cell.row for cell in item.edit.cells} == {sample().orders["14749-6"].records[0].row}


def test_a_pending_code_gives_way_everywhere(tmp_path: Path) -> None:
    pending = sample().orders["1407351"]
    edit = one({"kind": "Attribution", "code": "1407351", "value": "883-9"}, tmp_path).edit
    fields = {(cell.field, cell.after) for cell in edit.cells}
    assert ("order_code", "883-9") in fields
    assert ("order_type", "Both") in fields
    assert {cell.row for cell in edit.cells} >= {record.row for record in pending.records}


def test_a_new_sub_chapter_stands_under_its_chapter(tmp_path: Path) -> None:
    row = {
        "kind": "Création",
        "object": "Sous-chapitre",
        "code": "2951-2",
        "label": "Ionogramme",
        "chapter": "Biochimie",
    }
    (added,) = one(row, tmp_path).edit.added
    assert added.tab == "chapters"
    assert dict(added.values) == {
        "code": "18719-5",
        "label": "Biochimie",
        "subcode": "2951-2",
        "sublabel": "Ionogramme",
    }


def test_changes_as_json_say_each_cell(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = one(NEW, tmp_path).edit.to_json()
    below = sample().orders["24326-1"].records[-1].row
    assert {(c["tab"], c["row"], c["before"], c["action"], c["order"]) for c in changes} == {
        ("main", below + 1, None, "add", "24326-1")
    }
    removed = one({"kind": "Retrait", "object": "Résultat", "code": "2160-0"}, tmp_path).edit.to_json()
    assert {(c["row"], c["after"], c["action"]) for c in removed} == {
        (row, None, "remove") for row in rows_of("2160-0")
    }
    assert ("result_code", "2160-0") in {(c["field"], c["before"]) for c in removed}

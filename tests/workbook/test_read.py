"""Reading: two readers that agree, order cells grouped in three ways, headers wherever they are, and files that are refused."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font

from jdv_qa.checks.indicators import indicators
from jdv_qa.errors import WorkbookError
from jdv_qa.language import use_language
from jdv_qa.sample import files
from jdv_qa.workbook.edition import MAIN_FIELDS, ORDER_FIELDS, CellKind, Edition, MergedRange
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition, text_of
from jdv_qa.workbook.sheets import begin_sheets, read_with_calamine, read_with_openpyxl
from tests.casebook import FIRST_ROW, PLAIN_ROW, build_workbook

TWO_ORDERS: list[dict[str, Any]] = [
    {"order_code": "24326-1", "order_label": "Ionogramme", "order_type": "Order", "result_code": "2951-2"},
    {"order_code": "24326-1", "order_label": "Ionogramme", "order_type": "Order", "result_code": "2823-3"},
    {"order_code": "24326-1", "order_label": "Ionogramme", "order_type": "Order", "result_code": "2075-0"},
    {"order_code": "718-7", "order_label": "Hémoglobine", "result_code": "718-7", "specimen": None, "nabm_code": None},
    {"order_code": "718-7", "order_label": "Hémoglobine", "result_code": "786-4", "specimen": None, "nabm_code": None},
]


def blanked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with order cells only on the first row of an order."""
    out, last = [], None
    for row in rows:
        out.append(row | dict.fromkeys(ORDER_FIELDS) if row["order_code"] == last else row)
        last = row["order_code"]
    return out


def same(one: Edition, other: Edition) -> bool:
    """Equal in meaning and in every fact about where and how it is written."""
    return one == other and one.sheets == other.sheets and all(
        (table.header_row, table.columns, table.missing, table.duplicated, table.blank_rows, table.loose, table.grouping)
        == (twin.header_row, twin.columns, twin.missing, twin.duplicated, twin.blank_rows, twin.loose, twin.grouping)
        and [(record.row, record.cells, record.inherited) for record in table.records]
        == [(record.row, record.cells, record.inherited) for record in twin.records]
        for table, twin in zip(one.tables.values(), other.tables.values(), strict=True)
    )  # fmt: skip


IRREGULAR: dict[str, Any] = {
    "rows": [
        {"result_code": dt.date(1988, 5, 1), "rank": 10.0, "comparability": "1"},
        {"result_code": dt.datetime(1988, 5, 1, 12, 30), "rank": 2.5, "comparability": True},
        {"result_code": {"error": "#N/A"}, "unit": {"formula": "A1"}, "nabm_code": 552},
        {"result_code": 600238, "order_code": "600238", "order_type": "En attente", "comment": "deux\nlignes"},
        {"result_code": "  2951-2\u00a0", "order_label": "\u200bSodium ", "site": dt.time(1, 2)},
        dict.fromkeys(PLAIN_ROW),
        {"result_code": "2823-3", "comment": "é\u00a0; e\u0301 — 日本"},
    ],
    "merge": ["C3:C4", "A9:H9"],
    "hide": [{"rows": [4], "columns": ["C", "D"]}, {"tab": "experts", "sheet": True}],
    "cells": [
        {"cell": "Z40", "value": "note"},
        {"tab": "indicators", "cell": "C5", "value": {"formula": "SUM(A1:A2)"}},
        {"tab": "sites", "cell": "B2", "value": {"error": "#REF!"}},
    ],
    "extra": {"Date de validation": ["2018-12-01", dt.date(2018, 12, 1)]},
}


def test_readers_agree_on_irregular_cells(tmp_path: Path) -> None:
    path = build_workbook(IRREGULAR, tmp_path / "case.xlsx")
    assert same(read_edition(path, reader=read_with_calamine), read_edition(path, reader=read_with_openpyxl))


@pytest.mark.parametrize("path", files().values(), ids=files())
def test_readers_agree_on_the_sample(path: Path) -> None:
    assert same(read_edition(path, reader=read_with_calamine), read_edition(path, reader=read_with_openpyxl))


def test_readers_agree_when_the_table_begins_far_from_a1(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.title = "1.JDV_CircuitBio"
    layout = load_layout().tabs["main"]
    for column, name in enumerate(MAIN_FIELDS, 4):
        sheet.cell(7, column, layout.header(name))
        if PLAIN_ROW[name] is not None:
            sheet.cell(8, column, PLAIN_ROW[name])
    book.save(tmp_path / "far.xlsx")
    edition = read_edition(tmp_path / "far.xlsx")
    assert same(edition, read_edition(tmp_path / "far.xlsx", reader=read_with_openpyxl))
    assert edition.main.header_row == 7
    assert edition.main.address(edition.main.records[0], "nabm_code") == "D8"


def test_raw_cells_keep_what_excel_stored(tmp_path: Path) -> None:
    edition = read_edition(build_workbook(IRREGULAR, tmp_path / "case.xlsx"))
    rows = edition.main.records
    assert (rows[0]["result_code"], rows[0].cell("result_code").kind) == ("1988-05-01", CellKind.DATE)
    assert (rows[0]["rank"], rows[1]["rank"]) == ("10", "2.5")
    assert rows[1].cell("comparability").kind is CellKind.BOOLEAN
    assert (rows[2]["result_code"], rows[2].cell("result_code").raw) == ("", "#N/A")
    assert rows[2].cell("result_code").kind is CellKind.ERROR
    assert rows[2].cell("unit").formula == "A1"
    assert (rows[2]["nabm_code"], rows[2].cell("nabm_code").raw) == ("552", 552)
    assert (rows[3]["order_type"], rows[3].raw_text("order_type")) == ("", "En attente")
    assert (rows[4]["result_code"], rows[4].raw_text("result_code")) == ("2951-2", "  2951-2\u00a0")
    assert (rows[4]["order_label"], rows[4]["unit_secondary"]) == ("Sodium", "")
    assert 8 in edition.main.blank_rows
    assert (40, 26, "note") in [(item.row, item.column, item.text) for item in edition.main.loose]


def test_three_groupings_read_the_same(tmp_path: Path) -> None:
    repeated = read_edition(build_workbook({"rows": TWO_ORDERS}, tmp_path / "repeat.xlsx"))
    blank = read_edition(build_workbook({"rows": blanked(TWO_ORDERS)}, tmp_path / "blank.xlsx"))
    width = len(ORDER_FIELDS)
    ranges = [f"{chr(64 + c)}{a}:{chr(64 + c)}{b}" for c in range(1, width + 1) for a, b in ((3, 5), (6, 7))]
    merged = read_edition(build_workbook({"rows": blanked(TWO_ORDERS), "merge": ranges}, tmp_path / "merge.xlsx"))
    code_only = [
        row | dict.fromkeys(set(ORDER_FIELDS) - {"order_code"}) if i in (1, 2, 4) else row
        for i, row in enumerate(TWO_ORDERS)
    ]
    code = read_edition(build_workbook({"rows": code_only}, tmp_path / "code.xlsx"))
    assert repeated == blank == merged == code
    assert [edition.main.grouping for edition in (repeated, blank, merged)] == ["repeat", "blank", "merge"]
    assert list(blank.orders) == ["24326-1", "718-7"]
    assert blank.main.records[4]["specimen"] == ""
    assert "order_label" in blank.main.records[1].inherited


def test_a_blank_cell_among_repeated_ones_stays_blank(tmp_path: Path) -> None:
    rows = [{}, {"result_code": "2823-3", "specimen": None}]
    edition = read_edition(build_workbook({"rows": rows}, tmp_path / "case.xlsx"))
    assert edition.main.records[1]["specimen"] == ""
    assert edition.orders["2951-2"].variants == {"specimen": ("SER", "")}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    order=st.permutations(MAIN_FIELDS), gap=st.integers(0, 3), words=st.sampled_from([str.upper, str.lower, str.title])
)
def test_columns_in_any_order_under_any_case(
    order: list[str], gap: int, words: Callable[[str], str], tmp_path: Path
) -> None:
    layout = load_layout().tabs["main"]
    book = Workbook()
    sheet = book.active
    sheet.title = "1 - jdv circuitbio"
    for _ in range(gap):
        sheet.append(["Jeu de valeurs", None, "2026"])
    sheet.append([words(layout.header(name)) for name in order])
    for row in TWO_ORDERS:
        sheet.append([(PLAIN_ROW | row)[name] for name in order])
    book.save(tmp_path / "case.xlsx")
    reference = read_edition(build_workbook({"rows": TWO_ORDERS}, tmp_path / "reference.xlsx"))
    assert read_edition(tmp_path / "case.xlsx").main == reference.main


def test_main_tab_under_an_unknown_name_is_taken_when_it_has_all_columns(tmp_path: Path) -> None:
    edition = read_edition(build_workbook({"names": {"main": "Tableau final"}}, tmp_path / "case.xlsx"))
    assert edition.main.sheet == "Tableau final"


def test_merged_ranges_and_hidden_parts_are_known(tmp_path: Path) -> None:
    edition = read_edition(build_workbook(IRREGULAR, tmp_path / "case.xlsx"))
    sheet = edition.sheet_of("main")
    assert sheet is not None
    assert sheet.hidden_rows == {4}
    assert sheet.hidden_columns == {3, 4}
    assert MergedRange(3, 3, 4, 3) in sheet.merged
    experts = edition.sheet_of("experts")
    assert experts is not None
    assert experts.state == "hidden"


def test_a_workbook_with_macros_is_read_and_nothing_is_run(tmp_path: Path) -> None:
    plain = build_workbook({"rows": TWO_ORDERS}, tmp_path / "case.xlsx")
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(tmp_path / "case.xlsm", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "[Content_Types].xml":
                content = content.replace(b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main")
            target.writestr(name, content)
        target.writestr("xl/vbaProject.bin", b"not a macro")
    assert read_edition(tmp_path / "case.xlsm") == read_edition(plain)


def test_inputs_are_not_touched(tmp_path: Path) -> None:
    path = build_workbook({}, tmp_path / "case.xlsx")
    before = path.read_bytes()
    path.chmod(0o444)
    read_edition(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("  a b\u00a0\ufeff", "a b"), (126, "126"), (0.001, "0.001"), (1e-05, "0.00001"), (1e20, "100000000000000000000"),
        (dt.date(2026, 1, 15), "2026-01-15"), (True, "VRAI"), (2.80, "2.8"),
    ],
)  # fmt: skip
def test_text_of_raw_values(value: Any, text: str) -> None:
    assert text_of(value) == text


def damaged(path: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    out = path.with_name("damaged.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(member, change(content) if member == name else content)
    return out


def bad_files(folder: Path) -> dict[str, Path]:
    good = build_workbook({}, folder / "good.xlsx")
    whole = good.read_bytes()
    contents = {
        "text": b"hello", "empty": b"", "zip": b"PK\x03\x04 and nothing more", "cut": whole[: len(whole) // 2],
        "old format": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    }  # fmt: skip
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / f"{name}.xlsx"
        paths[name].write_bytes(content)
    book = Workbook()
    book.save(folder / "blank.xlsx")
    book.active.append(["a", "b"])
    book.save(folder / "no main tab.xlsx")
    book.active.title = "1.JDV_CircuitBio"
    book.save(folder / "no header.xlsx")
    for name in ("blank", "no main tab", "no header"):
        paths[name] = folder / f"{name}.xlsx"
    paths["missing"] = folder / "missing.xlsx"
    paths["folder"] = folder / "folder.xlsx"
    paths["folder"].mkdir()
    paths["truncated sheet"] = damaged(good, "xl/worksheets/sheet2.xml", lambda data: data[: len(data) // 2])
    return paths


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("text", "pas un classeur Excel"), ("empty", "vide"), ("zip", "pas un classeur Excel"), ("cut", "pas un classeur Excel"),
        ("old format", ".xls"), ("blank", "vide"), ("no main tab", "onglet principal"), ("no header", "en-têtes"),
        ("missing", "introuvable"), ("folder", "dossier"), ("truncated sheet", "est abîmée"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reader", [read_with_calamine, read_with_openpyxl])
def test_bad_files_get_one_line(name: str, part: str, reader: Any, tmp_path: Path) -> None:
    path = bad_files(tmp_path)[name]
    with pytest.raises(WorkbookError) as caught:
        read_edition(path, reader=reader)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/worksheets/sheet2.xml"])
def test_a_document_type_is_refused(name: str, tmp_path: Path) -> None:
    good = build_workbook({}, tmp_path / "good.xlsx")
    path = damaged(
        good,
        name,
        lambda data: (
            data.replace(b"<", b'<!DOCTYPE x [<!ENTITY e "e">]><', 1)
            if not data.startswith(b"<?xml")
            else data.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e "e">]>', 1)
        ),
    )
    with pytest.raises(WorkbookError):
        read_edition(path)


@pytest.mark.parametrize("reader", [read_with_calamine, read_with_openpyxl])
def test_a_filled_cell_far_away_is_named(reader: Any, tmp_path: Path) -> None:
    path = build_workbook({"cells": [{"cell": "XFD300000", "value": "x"}]}, tmp_path / "case.xlsx")
    with pytest.raises(WorkbookError, match="XFD300000"):
        read_edition(path, reader=reader)


def test_styled_cells_far_away_do_not_matter(tmp_path: Path) -> None:
    path = build_workbook({"rows": [{}]}, tmp_path / "case.xlsx")
    book = load_workbook(path)
    book["1.JDV_CircuitBio"]["XFD300000"].font = Font(bold=True)
    book.save(path)
    assert len(read_edition(path).main.records) == 1


FIGURES = {
    "orders": 1061, "orders_order": 75, "orders_both": 940, "orders_observation": 17, "orders_pending": 29,
    "results": 2820, "results_loinc": 2501, "results_pending": 319,
}  # fmt: skip


@pytest.mark.slow
def test_corpora_of_both_layouts_and_all_groupings_read_the_same(corpus: Callable[[int, str, str], Path]) -> None:
    editions = []
    for layout in "ab":
        for grouping in ("repeat", "blank", "merge"):
            path = corpus(1, layout, grouping) / "v1.xlsx"
            editions.append(read_edition(path))
            assert editions[-1].main.grouping == grouping
            assert same(editions[-1], read_edition(path, reader=read_with_openpyxl))
    assert all(edition == editions[0] for edition in editions)
    assert indicators(editions[0]) == FIGURES


def test_sheet_numbers_count_from_one(tmp_path: Path) -> None:
    path = build_workbook({"rows": [{}, {}]}, tmp_path / "case.xlsx")
    edition = read_edition(path)
    sheet = load_workbook(path)["1.JDV_CircuitBio"]
    for record in edition.main.records:
        address = edition.main.address(record, "result_code")
        assert sheet[address].value == record["result_code"]
    assert edition.main.records[0].row == FIRST_ROW


def one_table(path: Path, columns: int, sheet: str = "Feuil1", more: bool = False) -> Path:
    """A workbook of the layout loinc_fr with its first columns, under a name that says nothing."""
    book = Workbook()
    book.active.title = sheet
    known = list(load_layout("loinc_fr").tabs["terms"].columns.values())[:columns]
    book.active.append([column.header for column in known])
    book.active.append([f"{column.key} 1" for column in known])
    if more:
        book.create_sheet("Notes").append(["rien"])
    book.save(path)
    return path


def test_another_value_set_is_known_by_its_columns_when_no_layout_is_named(tmp_path: Path) -> None:
    edition = read_edition(one_table(tmp_path / "a.xlsx", 15))
    assert (edition.layout, edition.records("terms")[0]["code"]) == ("loinc_fr", "code 1")
    assert read_edition(one_table(tmp_path / "b.xlsx", 15, "Jeu de valeurs", more=True)).layout == "loinc_fr"
    assert edition == read_edition(tmp_path / "a.xlsx", load_layout("loinc_fr"))


@pytest.mark.parametrize(
    ("columns", "sheet", "more"), [(2, "Feuil1", False), (7, "Jeu de valeurs", False), (15, "Feuil1", True)]
)
def test_what_may_be_another_value_set_is_not_guessed(columns: int, sheet: str, more: bool, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"onglet principal « 1\.JDV_CircuitBio » introuvable"):
        read_edition(one_table(tmp_path / "a.xlsx", columns, sheet, more))


def test_a_layout_that_was_named_is_kept_to(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="onglet principal"):
        read_edition(one_table(tmp_path / "a.xlsx", 15), load_layout())


def test_a_workbook_begun_ahead_is_the_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jdv_qa.workbook.sheets.processors", lambda: 2)
    first, second = (build_workbook({"rows": rows}, tmp_path / f"{len(rows)}.xlsx") for rows in ([{}], TWO_ORDERS))
    begin_sheets(first)
    assert len(read_edition(first).main.records) == 1
    begin_sheets(first)
    first.write_bytes(second.read_bytes())
    assert len(read_edition(first).main.records) == len(TWO_ORDERS), "the file was changed in between"


def test_what_is_wrong_with_a_workbook_begun_ahead_is_told_when_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdv_qa.workbook.sheets.processors", lambda: 2)
    use_language("en")
    (tmp_path / "bad.xlsx").write_bytes(b"hello")
    begin_sheets(tmp_path / "bad.xlsx")
    with pytest.raises(WorkbookError, match=r"this is no \.xlsx workbook"):
        read_edition(tmp_path / "bad.xlsx")

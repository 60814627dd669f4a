"""What `jdv fix` takes for certain: proofs, what holds a fix back, and that fixing twice changes nothing more."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.engine import Report, check
from jdv_qa.checks.fixing import Fixing, Reason, fix_workbook, load_fixes
from jdv_qa.errors import RuleFileError
from jdv_qa.sample import files
from jdv_qa.workbook.editing import WorkbookEdit
from jdv_qa.workbook.edition import RawValue, Sheet
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from jdv_qa.workbook.sheets import RawSheet, Reader, read_with_calamine, with_texts
from tests.casebook import build_workbook

NBSP, DASH = "\u00a0", "\u2011"


def run(path: Path, rules: tuple[str, ...] = (), reader: Reader | None = None) -> Report:
    return check(read_edition(path, reader=reader), select=rules)


def fixed(case: Mapping[str, Any], folder: Path, *, units: bool = False) -> Fixing:
    return fix_workbook(build_workbook(case, folder / "a.xlsx"), run, load_layout(), units=units)


def afters(fixing: Fixing) -> dict[str, str]:
    return {fix.cell: fix.after for fix in fixing.fixes}


def left(fixing: Fixing) -> dict[tuple[str, str], Reason]:
    return {(one.finding.rule, one.finding.cell or ""): one.reason for one in fixing.left}


@pytest.mark.parametrize(
    ("row", "after"),
    [
        ({"result_display": f"Sodium{NBSP}{NBSP}sérum "}, {"Q3": "Sodium sérum"}),
        ({"result_code": f"2951{DASH}2"}, {"O3": "2951-2"}),
        ({"result_code": dt.date(2951, 2, 1)}, {"O3": "2951-2"}),
        ({"result_code": 2951.2}, {"O3": "2951-2"}),
        ({"result_code": f"2951{NBSP}-2"}, {"O3": "2951-2"}),
        ({"nabm_code": 552}, {"A3": "0552"}),
        ({"nabm_code": "552"}, {"A3": "0552"}),
        ({"result_display": "Pre\u0301sence"}, {"Q3": "Présence"}),
        ({"result_display": "Pr&#xE9;sence &gt; 2"}, {"Q3": "Présence > 2"}),
        ({"result_display": "  "}, {"Q3": ""}),
        ({"specimen": "S\u0415R"}, {"H3": "SER"}),
    ],
)
def test_certain(row: dict[str, Any], after: dict[str, str], tmp_path: Path) -> None:
    fixing = fixed({"rows": [row]}, tmp_path)
    assert afters(fixing) == after
    assert not fixing.refused


@pytest.mark.parametrize(
    "row",
    [
        {"result_code": "2951-3"},
        {"result_code": "6OO238"},
        {"nabm_code": "O552"},
        {"nabm_code": 16091610},
        {"nabm_code": 1609.161},
        {"order_type": "Ordre"},
        {"specimen": "SERUM"},
        {"discriminating_technique": "Oui"},
        {"result_display": "Pr\ufffdsence"},
        {"result_display": "\tSodium"},
        {"result_display": "Sodium\nsérum  total"},
        {"unit": "UI/L", "result_loinc_label": "Sodium [Unité arbitraire/Volume] Sérum/Plasma ; Numérique"},
    ],
)
def test_never_without_being_asked(row: dict[str, Any], tmp_path: Path) -> None:
    fixing = fixed({"rows": [row]}, tmp_path)
    assert not fixing.fixes
    assert fixing.content == (tmp_path / "a.xlsx").read_bytes()


def test_units_are_asked_for(tmp_path: Path) -> None:
    case = {
        "rows": [
            {"unit": "mmoles/l"},
            {"unit": "m\u043col/L", "result_code": "2823-3", "order_code": "2823-3"},
            {
                "unit": "G/L",
                "result_loinc_label": "Plaquettes [Nombre/Volume] Sang ; Numérique",
                "result_code": "777-3",
            },
        ]
    }
    without = fixed(case, tmp_path)
    assert not without.fixes
    assert {reason for (rule, _), reason in left(without).items() if rule in ("UNI-02", "UNI-04", "CEL-02")} == {
        Reason.UNITS
    }
    assert afters(fixed(case, tmp_path, units=True)) == {"T3": "mmol/L", "T4": "mmol/L", "T5": "10*9/L"}


def test_a_unit_of_two_meanings_is_left(tmp_path: Path) -> None:
    row = {"unit": "G/L", "result_loinc_label": "Sodium", "order_loinc_label": "Sodium"}
    fixing = fixed({"rows": [row]}, tmp_path, units=True)
    assert not fixing.fixes
    assert left(fixing)["UNI-04", "T3"] is Reason.UNSAFE


def test_of_two_possible_codes_the_one_of_the_label(tmp_path: Path) -> None:
    labels = dict.fromkeys(("order_loinc_label", "result_loinc_label"), "Autre [Masse/Volume] Urine ; Numérique")
    date = {"result_code": dt.date(1931, 5, 1)}
    order = {"order_code": "31-5", "order_label": "Autre (demande)", "result_display": "Autre", "unit": "mg/L"}
    assert afters(fixed({"rows": [order | labels | date]}, tmp_path)) == {"O3": "31-5"}
    untold = fixed({"rows": [date]}, tmp_path)
    assert not untold.fixes
    assert left(untold)["CEL-03", "O3"] is Reason.UNSAFE


def test_a_fix_that_brings_a_new_finding_is_dropped(tmp_path: Path) -> None:
    rows = [{}, {"result_code": f"2951{DASH}2", "result_display": "Sodium "}]
    fixing = fixed({"rows": rows}, tmp_path)
    assert afters(fixing) == {"Q4": "Sodium"}
    assert [(one.finding.cell, one.reason) for one in fixing.refused if one.finding.rule == "CEL-02"] == [
        ("O4", Reason.NEW_FINDING)
    ]
    assert "GRP-01" in fixing.refused[0].brings


def test_numbers_become_texts_and_the_rest_of_the_file_keeps_its_bytes(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    fixing = fixed({"rows": [{"nabm_code": 552}]}, tmp_path)
    (tmp_path / "b.xlsx").write_bytes(fixing.content)
    cell = load_workbook(tmp_path / "b.xlsx")["1.JDV_CircuitBio"]["A3"]
    assert (cell.value, cell.data_type, cell.number_format) == ("0552", "s", "@")
    old, new = (_parts(data) for data in ((tmp_path / "a.xlsx").read_bytes(), fixing.content))
    assert {name for name in old if old[name] != new[name]} == {"xl/worksheets/sheet2.xml", "xl/styles.xml"}


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_rich_text_is_left_to_people(tmp_path: Path) -> None:
    from openpyxl import load_workbook
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    path = build_workbook({"rows": [{}]}, tmp_path / "a.xlsx")
    book = load_workbook(path)
    book["1.JDV_CircuitBio"]["Q3"] = CellRichText("Sodium  ", TextBlock(InlineFont(b=True), "sérum"))
    book.save(path)
    fixing = fix_workbook(path, run, load_layout())
    assert not fixing.fixes
    assert left(fixing)["CEL-01", "Q3"] is Reason.RICH_TEXT
    assert fixing.content == path.read_bytes()


@pytest.mark.parametrize("grouping", ["blank", "merge"])
def test_the_cell_that_holds_the_value_is_fixed(grouping: str, tmp_path: Path) -> None:
    order = (
        "nabm_code",
        "nabm_label",
        "order_label",
        "order_synonyms",
        "order_code",
        "order_loinc_label",
        "order_type",
        "specimen",
    )
    below = dict.fromkeys(order) | {"result_code": "2823-3", "result_loinc_label": "Potassium [Moles/Volume] Sérum/Plasma ; Numérique",
                                    "result_display": "Potassium", "rank": 20}  # fmt: skip
    case: dict[str, Any] = {"rows": [{"order_label": "Ionogramme ", "nabm_code": 552}, below]}
    if grouping == "merge":
        case["merge"] = [f"{letter}3:{letter}4" for letter in "ABCDEFGH"]
    fixing = fixed(case, tmp_path)
    assert afters(fixing) == {"A3": "0552", "C3": "Ionogramme"}
    (tmp_path / "b.xlsx").write_bytes(fixing.content)
    old, new = (read_edition(tmp_path / name).main for name in ("a.xlsx", "b.xlsx"))
    assert new.grouping == old.grouping == grouping
    assert [record["order_label"] for record in new.records] == ["Ionogramme", "Ionogramme"]


def test_the_sample_draft(tmp_path: Path) -> None:
    draft = files()["1.2.0"]
    first = fix_workbook(draft, run, load_layout(), units=True)
    assert first.fixes
    path = tmp_path / draft.name
    path.write_bytes(first.content)
    after = {(finding.rule, finding.sheet, finding.cell) for finding in run(path).findings}
    before = {(finding.rule, finding.sheet, finding.cell) for finding in run(draft).findings}
    assert after < before
    assert before - after >= {(rule, fix.sheet, fix.cell) for fix in first.fixes for rule in fix.rules}
    second = fix_workbook(path, run, load_layout(), units=True)
    assert (second.fixes, second.content) == ((), first.content)


def test_what_is_waived_is_not_fixed(tmp_path: Path) -> None:
    path = build_workbook({"rows": [{"result_display": "Sodium "}]}, tmp_path / "a.xlsx")

    def waiving(place: Path, rules: tuple[str, ...], reader: Reader | None) -> Report:
        report = run(place, rules, reader)
        return replace(report, findings=tuple(finding._replace(waived=True) for finding in report.findings))

    assert not fix_workbook(path, waiving, load_layout()).fixes


def test_the_table_of_fixes_names_rules_that_are_there() -> None:
    table = load_fixes()
    assert {entry.rule for entry in table.certain} | table.held_back_by <= set(load_catalogue())


@pytest.mark.parametrize(
    "text",
    [
        "fixes: [{rule: XXX-01}]",
        "fixes: [{rule: CEL-01, proof: [luck]}]",
        "fixes: [{rule: CEL-01, sure: true}]",
        "fix: []",
        "- x",
    ],
)
def test_a_wrong_table_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "fixes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleFileError, match=r"fixes\.yaml"):
        load_fixes(path)


def _plain(sheets: list[RawSheet]) -> list[tuple[Sheet, list[list[RawValue]]]]:
    """Return sheets with their blank cells written one way, those at the end of a row left out."""
    plain = []
    for raw in sheets:
        rows = [[None if value == "" else value for value in row] for row in raw.rows]
        for row in rows:
            while row and row[-1] is None:
                row.pop()
        plain.append((raw.sheet, rows))
    return plain


def test_a_trial_in_memory_reads_as_the_workbook_written(tmp_path: Path) -> None:
    case = {
        "rows": [{}, {"result_code": 2823.3, "comment": "#N/A", "unit": None}, {"comment": "fin"}],
        "merge": ["A3:A4"],
    }
    path = build_workbook(case, tmp_path / "a.xlsx")
    name = read_edition(path).main.sheet
    texts = {(3, 1): " 0552;\t0553 ", (4, 15): "2823-3", (4, 22): None, (5, 22): None, (40, 30): "_x0041_ <b>é\n&amp;"}
    edit = WorkbookEdit(path)
    for place, text in texts.items():
        edit.put_text(name, *place, text)
    sheets = read_with_calamine(path.read_bytes())
    told = [with_texts(raw, texts) if raw.sheet.name == name else raw for raw in sheets]
    assert _plain(told) == _plain(read_with_calamine(edit.content()))
    assert _plain(sheets) == _plain(read_with_calamine(path.read_bytes()))


def test_where_memory_and_file_disagree_the_file_is_right(tmp_path: Path) -> None:
    path = build_workbook({"rows": [{"result_display": "Sodium "}, {"result_code": 2823.3}]}, tmp_path / "a.xlsx")
    honest = fix_workbook(path, run, load_layout())
    readers: list[Reader | None] = []

    def forgetful(place: Path, rules: tuple[str, ...], reader: Reader | None) -> Report:
        readers.append(reader)
        report = run(place, rules, reader)
        return report if reader is None else replace(report, findings=report.findings[:1])

    told = fix_workbook(path, forgetful, load_layout())
    assert (told.fixes, told.left, told.content) == (honest.fixes, honest.left, honest.content)
    assert any(readers)
    assert readers[-1] is None

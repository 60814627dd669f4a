from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.filters import AutoFilter, FilterColumn, Filters
from openpyxl.worksheet.table import Table

from jdv_qa.checks.engine import check
from jdv_qa.workbook.read import read_edition
from jdv_qa.workbook.sheets import Reader, read_with_calamine, read_with_openpyxl
from tests.casebook import build_workbook

READERS = pytest.mark.parametrize("reader", [read_with_calamine, read_with_openpyxl])


@READERS
def test_filter_of_an_excel_table(tmp_path: Path, reader: Reader) -> None:
    path = build_workbook({"hide": [{"tab": "specimens", "rows": [2, 4]}]}, tmp_path / "case.xlsx")
    book = load_workbook(path)
    table = Table(displayName="Natures", ref="A1:B4")
    table.autoFilter = AutoFilter(ref="A1:B4", filterColumn=[FilterColumn(colId=0, filters=Filters(filter=["BLD"]))])
    book["4.Nature de prélèvement – SPM4"].add_table(table)
    book.save(path)
    report = check(read_edition(path, reader=reader), select=["STR-05"])
    assert [(found.tab, found.row) for found in report.findings] == [("specimens", 2)]
    assert "filtre" in report.findings[0].message


@READERS
def test_formula_shared_by_several_cells(tmp_path: Path, reader: Reader) -> None:
    rows = [{"order_label": {"formula": "B3"}}, {"order_label": {"formula": "B4"}}, {"order_label": {"formula": "B5"}}]
    path = build_workbook({"rows": rows}, tmp_path / "case.xlsx")
    _share_formulas(path)
    edition = read_edition(path, reader=reader)
    sheet = edition.sheet_of("main")
    assert sheet is not None
    assert sheet.formulas == {(3, 3): "B3", (4, 3): "B4", (5, 3): "B5"}
    report = check(edition, select=["STR-06"])
    assert [(found.cell, found.value) for found in report.findings] == [("C3", "=B3")]


def _share_formulas(path: Path) -> None:
    """Write the formulas as Excel does after filling down: the first holds the text, the others its number."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as copy:
        for name in archive.namelist():
            data = archive.read(name)
            data = data.replace(b"<f>B3</f>", b'<f t="shared" ref="C3:C5" si="0">B3</f>')
            data = data.replace(b"<f>B4</f>", b'<f t="shared" si="0"/>').replace(
                b"<f>B5</f>", b'<f t="shared" si="0"/>'
            )
            copy.writestr(name, data)
    path.write_bytes(out.getvalue())


@READERS
def test_summary_that_begins_further_right(tmp_path: Path, reader: Reader) -> None:
    path = build_workbook({}, tmp_path / "case.xlsx")
    book = load_workbook(path)
    book["Sommaire"].insert_cols(1)
    book["Sommaire"]["C4"] = 1.0
    book["Sommaire"]["C5"] = 2.8
    book.save(path)
    report = check(read_edition(path, reader=reader), select=["CEL-04"])
    assert [(found.cell, found.suggestion) for found in report.findings] == [("C5", "2.80")]


def test_a_summary_may_be_missing_without_breaking_other_rules(tmp_path: Path) -> None:
    case = {"drop": ["summary", "chapters", "notes", "experts", "indicators"], "rows": [{"unit": "mmol/L "}]}
    report = check(read_edition(build_workbook(case, tmp_path / "case.xlsx")), select=["STR", "CEL"])
    assert report.crashed == ()
    assert [found.rule for found in report.findings] == ["CEL-01", *["STR-01"] * 4]

"""The workbooks that tests write hold what they were told to, whoever reads them."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

from openpyxl import load_workbook

from jdv_qa.workbook.sheets import read_with_calamine, read_with_openpyxl
from tests.sheets import Sheet, workbook_of

VALUES = (
    "texte", " é < & > \" \r\n\t ", "=1+1", "#N/A", 12, 0.1, -3.5, True, False, dt.date(2026, 1, 15), dt.datetime(2026, 1, 15, 8, 30), dt.time(8, 30),
)  # fmt: skip


def written() -> bytes:
    first, second = Sheet("Données"), Sheet("L'autre & <fin>")
    for row, value in enumerate(VALUES, 1):
        first.put(row, 2, value)
    first.put_at("A20", {"formula": "=SUM(B5:B6)"})
    first.put_at("A21", {"error": "#N/A"})
    first.put_at("D1", "sous la fusion")
    first.merge("C1:D2")
    first.hidden_rows.add(3)
    first.hide_column("C")
    second.append(["=1+1", "Code", "#REF!", None, 1])
    second.filtered, second.state = True, "veryHidden"
    return workbook_of([first, second])


def test_what_is_written_is_read_alike_by_all() -> None:
    one, other = (read(written()) for read in (read_with_calamine, read_with_openpyxl))
    assert [raw.sheet for raw in one] == [raw.sheet for raw in other]
    first, second = (raw.sheet for raw in one)
    assert first.hidden_rows == {3}
    assert first.hidden_columns == {3}
    assert [tuple(area) for area in first.merged] == [(1, 3, 2, 4)]
    assert (first.formulas, first.errors) == ({(20, 1): "SUM(B5:B6)"}, {(21, 1): "#N/A"})
    assert (second.name, second.state, second.filtered) == ("L'autre & <fin>", "veryHidden", True)
    assert (second.formulas, second.errors) == ({(1, 1): "1+1"}, {(1, 3): "#REF!"})
    book = load_workbook(BytesIO(written()))
    cells = [book["Données"].cell(row, 2) for row in range(1, len(VALUES) + 1)]
    assert [cell.value for cell in cells[:9]] == list(VALUES[:9])
    assert [cell.value for cell in cells[9:]] == [dt.datetime(2026, 1, 15), *VALUES[10:]]
    assert {cell.data_type for cell in cells[:4]} == {"s"}
    assert book["Données"]["D1"].value is None

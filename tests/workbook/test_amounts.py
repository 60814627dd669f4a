"""How much a sheet may make of little: shared texts and shared formulas, counted before they are read."""

from __future__ import annotations

import pytest

from jdv_qa.workbook.sheet_scan import look_closely, most_shared_text
from tests.hostile.cases import sheet

SIZES = [3, 50, 7000]


def shared(*numbers: int, more: str = "") -> bytes:
    cells = "".join(f'<c r="B{row}" t="s"><v>{number}</v></c>' for row, number in enumerate(numbers, 1))
    return sheet(f'<row r="1">{cells}<c r="C1"><v>2</v></c>{more}</row>').encode()


def test_shared_texts_are_counted_where_they_might_be_too_many() -> None:
    for more in ("", '<c r="D1"><f>1+1</f><v>2</v></c>'):
        data = shared(0, 1, 1, 2, more=more)
        assert most_shared_text(data, 7000, lambda: SIZES, 10_000, is_plain=not more) == 3 + 50 + 50 + 7000
        assert most_shared_text(data, 7000, lambda: SIZES, 10_000_000, is_plain=not more) == 7000 * (6 if more else 5)


def test_shared_texts_that_are_not_there_count_nothing() -> None:
    for more in ("", '<c r="D1"><f>1+1</f><v>2</v></c>'):
        assert most_shared_text(shared(9, 0, more=more), 7000, lambda: SIZES, 0, is_plain=not more) == 3


def test_shared_formulas_are_translated_until_that_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jdv_qa.workbook.sheet_scan._MOST_TRANSLATED", 100)
    first = "A1+A1+A1"
    cells = "".join(f'<c r="B{row}"><f t="shared" si="0"/><v>1</v></c>' for row in range(2, 100))
    look = look_closely(
        "x", sheet(f'<row r="1"><c r="B1"><f t="shared" si="0">{first}</f><v>1</v></c>{cells}</row>').encode()
    )
    assert len(look.formulas) == 99
    assert look.formulas[2, 2] == "A2+A2+A2"
    assert look.formulas[99, 2] == ""

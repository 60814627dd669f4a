from __future__ import annotations

import datetime as dt
import re
import unicodedata
from pathlib import Path

import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.checks.cells import decode, fold_letters, mend
from jdv_qa.checks.engine import check
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.casebook import PLAIN_ROW, build_workbook


def test_cell_of_spaces_looks_empty(tmp_path: Path) -> None:
    columns = load_layout().tabs["main"].columns
    book = xlsxwriter.Workbook(str(tmp_path / "blank.xlsx"))
    sheet = book.add_worksheet("1.JDV_CircuitBio")
    sheet.write_row(0, 0, [column.header for column in columns.values()])
    sheet.write_row(1, 0, [(PLAIN_ROW | {"unit_secondary": "   ", "comment": "\u00a0"})[name] for name in columns])
    book.close()
    report = check(read_edition(tmp_path / "blank.xlsx"), select=["CEL-01"])
    found = [(finding.field, finding.value, finding.suggestion) for finding in report.findings]
    assert found == [("unit_secondary", "   ", ""), ("comment", "\u00a0", "")]


def test_several_faults_of_a_cell_have_one_proposal(tmp_path: Path) -> None:
    row = {"result_display": " Pr&#xE9;sence  de\tse\u0301rum\u00a0"}
    report = check(read_edition(build_workbook({"rows": [row]}, tmp_path / "case.xlsx")), select=["CEL"])
    assert {found.rule for found in report.findings} == {"CEL-01", "CEL-05", "CEL-06"}
    assert {found.suggestion for found in report.findings} == {"Présence de sérum"}


def test_a_code_cell_gets_one_piece_of_advice(tmp_path: Path) -> None:
    codes = ["2951\u20132", " 2951-3", "2951\u00a0-2", dt.date(1988, 5, 1), "2951-2\n2823-3", "=2951-2", "LP14635-4 "]
    rows = [{"result_code": code} for code in codes]
    report = check(
        read_edition(build_workbook({"rows": rows}, tmp_path / "case.xlsx")), select=["CEL", "COD", "ATT", "STR"]
    )
    found = [(finding.row, finding.rule) for finding in report.findings if finding.field == "result_code"]
    rules = ["CEL-02", "COD-02", "COD-01", "CEL-03", "COD-05", "COD-01", "COD-03"]
    assert found == list(enumerate(rules, 3))


@given(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"]), max_size=40))
def test_decoding_undoes_what_a_wrong_character_set_did(text: str) -> None:
    garbled = text.encode().decode("cp1252", "replace")
    if "\ufffd" not in garbled and decode(text) == text:
        sensible = set(text) <= set(map(chr, (*range(0x80), *range(0xA0, 0x100)))) | set("œŒŸŠšŽž‘’“”‚„†‡•…–—‰‹›€™")
        assert not sensible or decode(garbled) == text


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"])))
def test_french_text_without_entities_is_left_alone(text: str) -> None:
    words = re.sub("[ÃÂÅÎÏ¬&]", "", text)
    assert decode(words) == words


@given(st.text(max_size=60), st.booleans(), st.booleans())
def test_mending_is_stable(text: str, prose: bool, breaks: bool) -> None:
    once = mend(text, prose=prose, breaks=breaks)
    assert mend(once, prose=prose, breaks=breaks) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


def test_folding_keeps_units_and_accents() -> None:
    assert fold_letters("µmol/L [IU] é °C") == "µmol/L [IU] é °C"
    assert fold_letters("ＳＥＲ") == "SER"

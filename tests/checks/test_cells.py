from __future__ import annotations

import datetime as dt
import re
import unicodedata
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from jdv_qa.checks.cells import decode, fold_letters, mend, reads_as_formula
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


WORDS = (
    "Sérum", "Hémoglobine glyquée", "µmol/L", "fœtoprotéine", "≤ 5 mmol/L", "l’urée", "« x »", "Œstradiol", "à jeun", "37 °C", "Urine – 24 h",
    "ÉLECTROPHORÈSE", "m²", "…", "Noël", "Ångström", "Ÿ",
)  # fmt: skip


@pytest.mark.parametrize("charset", ["cp1252", "mac_roman", "cp850"])
@pytest.mark.parametrize("word", WORDS)
def test_words_read_in_another_character_set_are_put_right(word: str, charset: str) -> None:
    garbled = word.encode().decode(charset, "replace")
    if "\ufffd" not in garbled:
        assert decode(garbled) == word
    assert decode(word) == word


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Î±-fÅ“toprotÃ©ine", "α-fœtoprotéine"), ("Î²2-microglobuline", "β2-microglobuline"), ("Î“-GT", "Γ-GT"), ("Ï‰-3", "ω-3"),
        ("&eacute;", "é"), ("&#xE9;", "é"), ("&lt;5", "<5"), ("&apos;", "'"), ("&amp;amp;", "&"), ("&amp;eacute;", "é"), ("AT&T", "AT&T"),
        ("&foo;", "&foo;"), ("&#1;", "&#1;"), ("&#65533;", "&#65533;"), ("&#xD800;", "&#xD800;"), ("&copy", "&copy"), ("Ã", "Ã"), ("Â", "Â"),
        ("SÃO", "SÃO"), ("Î", "Î"), ("dosage Ã jeun", "dosage Ã jeun"), ("Ã\u00a0 jeun", "à jeun"),
    ],
)  # fmt: skip
def test_entities_and_letters_misread(text: str, meant: str) -> None:
    assert decode(text) == meant


@pytest.mark.parametrize("text", ["=1", "@a", "- x", "-a", "=SUM(A1)", "=2951-2", "+a", "-1+cmd"])
def test_what_a_spreadsheet_would_run(text: str) -> None:
    assert reads_as_formula(text)


@pytest.mark.parametrize(
    "text", ["+1", "-1", "-", "--", "+", "=", "-5,2", "+33 1", "1=1", "@", "-1e5", "+-+", "%", "'=1", "a-1", ""]
)
def test_what_a_spreadsheet_would_not_run(text: str) -> None:
    assert not reads_as_formula(text)


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


def test_a_code_made_a_date_in_a_workbook_that_counts_days_from_1904(tmp_path: Path) -> None:
    path = build_workbook({"rows": [{"nabm_code": dt.date(1908, 5, 28)}]}, tmp_path / "a.xlsx")
    book = load_workbook(path)
    book.epoch = CALENDAR_MAC_1904
    book.save(path)
    (finding,) = check(read_edition(path), select=["CEL-03"]).findings
    assert (finding.value, finding.suggestion) == ("1908-05-28", "1609")

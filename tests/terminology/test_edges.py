"""Edges that mutation testing found untested."""

from __future__ import annotations

import datetime as dt

import pytest

from jdv_qa.terminology.codes import codes_of_date
from jdv_qa.terminology.labels import LabelForm, read_label
from jdv_qa.terminology.loinc import NOTICE, Term
from jdv_qa.terminology.nabm import nabm_table
from jdv_qa.terminology.notice import is_of_notice


@pytest.mark.parametrize(
    ("date", "codes"),
    [
        (dt.date(1929, 9, 1), ("1929-9", "9-1")),
        (dt.date(1930, 7, 1), ("1930-7", "30-7")),
        (dt.date(2029, 9, 1), ("29-9", "9-1")),
        (dt.date(2030, 5, 1), ("2030-5",)),
    ],
)
def test_excel_takes_two_digits_for_the_years_1930_to_2029(date: dt.date, codes: tuple[str, ...]) -> None:
    assert codes_of_date(date) == codes


def test_two_faults_of_a_label_are_both_seen_through() -> None:
    reading = read_label("Créatinine [Moles/Temps] Ponctuel ; Urine ; N^umérique")
    assert reading.form is LabelForm.MISTYPED_SCALE
    assert str(reading.label) == "Créatinine [Moles/Temps] Urine ; Numérique"
    assert read_label(str(reading.label)).form is LabelForm.REGULAR


def test_a_label_of_times_alone_means_nothing() -> None:
    assert read_label("Créatinine [Moles/Temps] 24H ; Ponctuel ; N^umérique") == (LabelForm.MISTYPED_SCALE, None)


def test_a_panel_has_no_scale() -> None:
    blank = Term(**dict.fromkeys(Term._fields, ""))
    assert blank._replace(scale="-").is_panel
    assert not blank._replace(scale="Qn").is_panel


def test_a_row_without_a_code_does_not_end_the_table() -> None:
    rows = [["Code NABM", "Libellé"], ["0552", "A"], ["Chapitre 2", ""], ["", ""], ["1609", "B"]]
    assert list(nabm_table(rows, "nabm").acts) == ["0552", "1609"]


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("Licence LOINC", True), (NOTICE, True), (NOTICE[:60], True), ("LOINC", False), ("", False), (NOTICE[:20], False),
        ("Une ligne du mainteneur, plus longue que vingt signes", False),
    ],
)  # fmt: skip
def test_lines_of_the_notice_of_loinc(line: str, is_one: bool) -> None:
    assert is_of_notice(line) is is_one

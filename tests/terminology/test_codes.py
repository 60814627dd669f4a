"""Check digits on the real codes of LOINC."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import random
from pathlib import Path

import pytest

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.terminology.codes import CodeForm, check_digit, codes_of_date, read_code, with_dash


@pytest.fixture(scope="module")
def codes(reference_data: Path) -> list[str]:
    with gzip.open(reference_data / "loinc_lab_extract.csv.gz", "rt", encoding="utf-8") as file:
        return [row["LOINC_NUM"] for row in csv.DictReader(file)]


def test_every_official_code_is_right_or_a_known_exception(codes: list[str]) -> None:
    assert len(codes) == 31_148
    known = set(load_catalogue()["COD-02"].parameters["official_exceptions"])
    assert {code for code in codes if read_code(code).form is not CodeForm.LOINC} <= known


@pytest.mark.slow
def test_every_change_of_one_digit_is_caught_and_mended(codes: list[str]) -> None:
    missed = []
    for code in random.Random(20).sample(codes, 1000):
        if read_code(code).form is not CodeForm.LOINC:
            continue
        for place, character in enumerate(code):
            for digit in "0123456789":
                if character == "-" or digit == character:
                    continue
                wrong = code[:place] + digit + code[place + 1 :]
                stem, _, check = wrong.partition("-")
                assert check_digit(stem) != int(check)  # Luhn sees every change of one digit
                reading = read_code(wrong)
                if reading.form is not CodeForm.WRONG_DIGIT or code not in reading.proposals:
                    missed.append((code, wrong, reading))
    assert missed == []


def test_neighbouring_digits_exchanged_are_mended(codes: list[str]) -> None:
    for code in random.Random(21).sample(codes, 300):
        for place in range(len(code) - 1):
            one, two = code[place], code[place + 1]
            if "-" in (one, two) or one == two or {one, two} == {"0", "9"}:
                continue
            wrong = code[:place] + two + one + code[place + 2 :]
            reading = read_code(wrong)
            assert reading.form is CodeForm.WRONG_DIGIT
            assert code in reading.proposals


@pytest.mark.parametrize(
    ("text", "proposal"), [("02951-2", "2951-2"), ("0951-2", "951-4"), ("00-0", None), ("0-0", None)]
)
def test_leading_zeros(text: str, proposal: str | None) -> None:
    assert read_code(text).proposal == proposal


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2952-1", "2951-2"), ("14746-9", "14749-6"), ("717-8", "718-7"), ("30238-9", "30239-8"), ("1985-8", "1988-5"),
        ("100007-1", "100001-7"), ("9251-2", "2951-2"), ("2591-2", "2951-2"), ("2915-2", "2951-2"), ("2951-7", "2951-2"), ("3951-2", "2951-2"),
    ],
)  # fmt: skip
def test_two_digits_exchanged_or_one_mistyped_are_mended(text: str, code: str) -> None:
    reading = read_code(text)
    assert reading.form is CodeForm.WRONG_DIGIT
    assert code in reading.proposals


@pytest.mark.parametrize(
    ("text", "form", "proposals"),
    [
        ("", CodeForm.BLANK, ()), ("2951-2", CodeForm.LOINC, ()), ("1-8", CodeForm.LOINC, ()), ("02951-2", CodeForm.MALFORMED, ("2951-2",)),
        ("00-0", CodeForm.MALFORMED, ()), ("0951-2", CodeForm.WRONG_DIGIT, ("951-4", "2951-2")),
        ("2951-3", CodeForm.WRONG_DIGIT, ("2951-2", "1951-3")), ("2915-2", CodeForm.WRONG_DIGIT, ("2915-7", "2951-2")),
        ("5-1", CodeForm.WRONG_DIGIT, ("5-9", "9-1")), ("199999-4", CodeForm.LOINC, ()), ("200000-8", CodeForm.PENDING_LIKE_LOINC, ("200000",)),
        ("600238-1", CodeForm.PENDING_LIKE_LOINC, ("600238",)), ("9999999-7", CodeForm.PENDING_LIKE_LOINC, ("9999999",)),
        ("12345", CodeForm.PENDING, ()), ("600238", CodeForm.PENDING, ()), ("1234567", CodeForm.PENDING, ()), ("X12345", CodeForm.PENDING, ()),
        ("X1234567", CodeForm.PENDING, ()), ("X123-4", CodeForm.PENDING, ()), ("1234", CodeForm.MALFORMED_PENDING, ()),
        ("12345678", CodeForm.MALFORMED_PENDING, ()), ("X1234", CodeForm.MALFORMED, ()), ("X12345678", CodeForm.MALFORMED, ()),
        ("x600238", CodeForm.MALFORMED_PENDING, ("X600238",)), ("x123-4", CodeForm.MALFORMED_PENDING, ("X123-4",)),
        ("600 238", CodeForm.MALFORMED_PENDING, ("600238",)), ("600.238", CodeForm.MALFORMED_PENDING, ("600238",)),
        ("600\u202f238", CodeForm.MALFORMED_PENDING, ("600238",)), ("600'238", CodeForm.MALFORMED_PENDING, ("600238",)),
        ("600238X", CodeForm.MALFORMED, ()), ("LP14635-4", CodeForm.IDENTIFIER, ()), ("ll1162-8", CodeForm.IDENTIFIER, ()),
        ("LA6576", CodeForm.IDENTIFIER, ()), ("LG51070-7", CodeForm.IDENTIFIER, ()), ("LX1-2", CodeForm.MALFORMED, ()),
        ("2951-2;2823-3", CodeForm.SEVERAL, ("2951-2", "2823-3")), ("2951-2 et 2823-3", CodeForm.SEVERAL, ("2951-2", "2823-3")),
        ("2951-2, 600238", CodeForm.SEVERAL, ("2951-2", "600238")), ("2951-2\n2823-3", CodeForm.SEVERAL, ("2951-2", "2823-3")),
        ("2951-2;2951-2", CodeForm.SEVERAL, ("2951-2",)), ("2951-2 2823-3", CodeForm.SEVERAL, ("2951-2", "2823-3")),
        ("2951-2;", CodeForm.MALFORMED, ("2951-2",)), ("2951-2;abc", CodeForm.MALFORMED, ("2951-2",)),
        ("2951-2 ou 2823-3 ?", CodeForm.MALFORMED, ()), ("2951--2", CodeForm.MALFORMED, ("2951-2",)), ("2951.2", CodeForm.MALFORMED, ("2951-2",)),
        ("2951 - 2", CodeForm.MALFORMED, ("2951-2",)), ("2951/2", CodeForm.MALFORMED, ("2951-2",)), ("2951-2.", CodeForm.MALFORMED, ("2951-2",)),
        ("LOINC 2951-2", CodeForm.MALFORMED, ("2951-2",)), ("LOINC 2951-3", CodeForm.MALFORMED, ()),
        ("2951-2 (Na)", CodeForm.MALFORMED, ("2951-2",)), ("A2951-2", CodeForm.MALFORMED, ("2951-2",)), ("2951-12", CodeForm.MALFORMED, ()),
        ("12345678-9", CodeForm.MALFORMED, ()), ("2951-", CodeForm.MALFORMED, ()), ("-2", CodeForm.MALFORMED, ()),
        ("12951-2-3", CodeForm.MALFORMED, ()), ("2951-2-2823-3", CodeForm.MALFORMED, ()), ("2951\u20112", CodeForm.LOOK_ALIKE, ("2951-2",)),
        ("295l-2", CodeForm.LOOK_ALIKE, ("2951-2",)), ("2O75-0", CodeForm.LOOK_ALIKE, ("2075-0",)), ("2075-O", CodeForm.LOOK_ALIKE, ("2075-0",)),
        ("６００２３８", CodeForm.LOOK_ALIKE, ("600238",)), ("29512\u2011", CodeForm.MALFORMED, ()), ("mai-88", CodeForm.DATE, ("1988-5", "88-5")),
        ("mai 1988", CodeForm.DATE, ("1988-5",)), ("juil-2345", CodeForm.DATE, ("2345-7",)), ("01/05/1988", CodeForm.DATE, ("1988-5", "88-5")),
        ("1988-05-01", CodeForm.DATE, ("1988-5", "88-5")), ("1988-05-01 00:00:00", CodeForm.DATE, ("1988-5", "88-5")),
        ("1988-05-01 10:00", CodeForm.MALFORMED, ()), ("31/02/1988", CodeForm.MALFORMED, ()), ("1988-13-01", CodeForm.MALFORMED, ()),
        ("abc-88", CodeForm.MALFORMED, ()), ("à définir", CodeForm.MALFORMED_PENDING, ()), ("en attente", CodeForm.MALFORMED_PENDING, ()),
        ("en attente 3", CodeForm.MALFORMED, ()), ("N/A", CodeForm.MALFORMED_PENDING, ()), ("?", CodeForm.MALFORMED_PENDING, ()),
        ("...", CodeForm.MALFORMED_PENDING, ()), ("TBD", CodeForm.MALFORMED_PENDING, ()), ("inconnu", CodeForm.MALFORMED_PENDING, ()),
        ("bizarre", CodeForm.MALFORMED, ()),
    ],
)  # fmt: skip
def test_what_stands_in_the_cell_of_a_code(text: str, form: CodeForm, proposals: tuple[str, ...]) -> None:
    """The form, and the two codes most likely meant."""
    reading = read_code(text)
    assert (reading.form, reading.proposals[:2]) == (form, proposals)


@pytest.mark.parametrize(
    ("date", "codes"),
    [
        ((1988, 5, 1), ("1988-5", "88-5")), ((2345, 7, 1), ("2345-7",)), ((2026, 8, 1), ("1-8",)), ((2026, 1, 8), ("1-8",)),
        ((1945, 7, 1), ()), ((1951, 2, 2), ()), ((2030, 7, 1), ()), ((1988, 5, 7), ("7-5", "1988-5")), ((2024, 8, 15), ("15-8", "2024-8")),
    ],
)  # fmt: skip
def test_the_codes_that_excel_made_a_date_of(date: tuple[int, int, int], codes: tuple[str, ...]) -> None:
    assert codes_of_date(dt.date(*date)) == codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("29512", "2951-2"), ("18", "1-8"), ("1999994", "199999-4"), ("2000008", None), ("29513", None), ("2", None), ("", None),
        ("²9512", None), ("2951-2", None),
    ],
)  # fmt: skip
def test_a_code_without_its_dash(text: str, code: str | None) -> None:
    assert with_dash(text) == code

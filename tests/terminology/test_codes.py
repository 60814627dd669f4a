"""Check digits on the real codes of LOINC."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path

import pytest

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.terminology.codes import CodeForm, check_digit, read_code


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

"""The short run of the fuzzing: the same cases every day, and the proof that it would see what it looks for."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from jdv_qa.errors import JdvError
from jdv_qa.workbook import sheets as reading
from jdv_qa.workbook.sheets import RawSheet, read_with_calamine
from tests.fuzz import targets
from tests.fuzz.targets import TARGETS, Broken
from tests.fuzz.workbooks import seeds, zipped

EVERYDAY = {
    "bytes": 30,
    "members": 20,
    "xml": 20,
    "cells": 12,
    "diff": 20,
    "check": 2,
    "cda": 4,
    "label": 200,
    "unit": 40,
    "code": 300,
}
CASES_OF_A_FILE = 25
"""Cases of each target that is a file of settings or of data."""
SLOW = 12
"""How many times more the slow run makes."""


def run_cases(name: str, numbers: range, folder: Path) -> None:
    target = TARGETS[name]
    for number in numbers:
        case = target.make(Random(f"{name} {number}"), None)
        try:
            target.run(case, folder)
        except Exception as error:
            raise AssertionError(f"target {name}, case {number}: {error}") from error


def everyday(name: str) -> int:
    return EVERYDAY.get(name, CASES_OF_A_FILE)


@pytest.mark.parametrize("name", TARGETS)
def test_cases_of_every_day(name: str, tmp_path: Path) -> None:
    run_cases(name, range(everyday(name)), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_more_cases(name: str, tmp_path: Path) -> None:
    run_cases(name, range(everyday(name), everyday(name) * SLOW), tmp_path)


@pytest.mark.parametrize("number", range(len(seeds())))
def test_the_workbooks_to_spoil_are_read_whole(number: int, tmp_path: Path) -> None:
    assert targets.read_workbook(zipped(seeds()[number]), tmp_path) == "read"


def test_a_cell_that_the_fast_reader_lost_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(content: bytes) -> list[RawSheet]:
        found = read_with_calamine(content)
        found[1].rows[5][14] = None
        return found

    monkeypatch.setattr(targets, "read_with_calamine", forgetful)
    case = zipped(seeds()[0])
    with pytest.raises(Broken, match="readers disagree"):
        targets.read_workbook(case, tmp_path)
    with pytest.raises(Broken, match="a cell is lost"):
        targets.read_damaged(case, tmp_path)


def test_a_cell_that_no_table_knows_of_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = targets.read_edition

    def forgetful(path: Path, reader: reading.Reader) -> object:
        edition = read(path, reader=reader)
        for record in edition.main.records:
            record.values.pop("unit", None)  # type: ignore[attr-defined]
        return edition

    monkeypatch.setattr(targets, "read_edition", forgetful)
    with pytest.raises(Broken, match="a cell is lost: 1"):
        targets.read_workbook(zipped(seeds()[0]), tmp_path)


def test_a_change_that_the_comparison_passes_over_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = targets.compare

    def blind(old: object, new: object) -> object:
        return compare(old, old)  # type: ignore[arg-type]

    monkeypatch.setattr(targets, "compare", blind)
    assert targets.compare_workbook(zipped(seeds()[0]), tmp_path) == "same"
    with pytest.raises(Broken, match="a difference without a change"):
        run_until_broken("diff", tmp_path)


def run_until_broken(name: str, folder: Path) -> None:
    for number in range(10):
        TARGETS[name].run(TARGETS[name].make(Random(f"{name} {number}"), None), folder)


@pytest.mark.parametrize("message", ["two\nlines", "two\r", ""])
def test_a_message_that_is_not_one_line_is_seen(message: str) -> None:
    with pytest.raises(Broken):
        targets._refused(JdvError(message))


def test_the_same_numbers_make_the_same_cases() -> None:
    for target in TARGETS.values():
        assert target.make(Random("x"), None) == target.make(Random("x"), None)

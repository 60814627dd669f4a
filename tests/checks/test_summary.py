"""What the Sommaire and the file's name say of the version."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdv_qa.checks.engine import check
from jdv_qa.checks.profiles import load_profile
from jdv_qa.checks.summary import versions_in_name, whole_number
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        ("JDV_CircuitBio_1.1.10.xlsx", ("1.1.10",)), ("releases/1.0.0/JDV_CircuitBio_v1.1.10_brouillon.xlsx", ("1.1.10",)), ("JDV 1.1.10 (2).xlsx", ("1.1.10",)),
        ("C:\\jdv\\JDV-1.2.XLSM", ("1.2",)), ("JDV_CircuitBio_1.1.0", ("1.1.0",)), ("export/JDV_1.1.0/", ("1.1.0",)), ("JDV_1.1.10_LOINC_2.80.xlsx", ("1.1.10", "2.80")),
        ("v1.xlsx", ()), ("JDV_20260115.xlsx", ()), ("JDV_15.01.2026.xlsx", ()), ("JDV_2026.01.15.xlsx", ()), ("JDV_CircuitBio_brouillon.xlsx", ()), ("défauts.xlsx", ()),
    ],
)  # fmt: skip
def test_what_looks_like_a_version_in_a_name(path: str, versions: tuple[str, ...]) -> None:
    assert versions_in_name(path) == versions


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("JDV_CircuitBio_1.1.10.xlsx", []),
        ("JDV_1.1.10_LOINC_2.80.xlsx", []),
        ("v1.xlsx", []),
        ("JDV_CircuitBio_1.1.9.xlsx", ["B3"]),
    ],
)
def test_the_name_of_the_file_is_compared(name: str, cells: list[str], tmp_path: Path) -> None:
    case = {"summary": {"version": "1.1.10"}, "history": [["1.1.10", "2026-01-15", ""]]}
    report = check(read_edition(build_workbook(case, tmp_path / name)), select=["SOM-02"])
    assert [item.cell for item in report.findings] == cells
    assert all("1.1.9" in item.message for item in report.findings)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1061", 1061), ("1 061", 1061), ("1\u202f061", 1061), ("1061.0", 1061), ("1'061", 1061), ("n.c.", None), ("", None), ("10.5", None), ("-3", None), ("²", None)],
)  # fmt: skip
def test_figures_as_people_write_them(text: str, number: int | None) -> None:
    assert whole_number(text) == number


def test_at_publication_the_indicators_of_the_version_must_be_there(tmp_path: Path) -> None:
    tabs = {
        "indicators": [
            {"indicator": "Codes LOINC demandes", "0.9.0": 1},
            {"indicator": "Codes LOINC résultats", "0.9.0": 1},
        ]
    }
    book = read_edition(build_workbook({"tabs": tabs}, tmp_path / "case.xlsx"))
    assert check(book, select=["SOM-03"]).findings == ()
    (finding,) = check(book, profile=load_profile("publication"), select=["SOM-03"]).findings
    assert (finding.tab, finding.cell) == ("indicators", None)
    assert "1.0.0" in finding.message
    tabs["indicators"][0]["1.0.0"] = 1
    book = read_edition(build_workbook({"tabs": tabs}, tmp_path / "case.xlsx"))
    (finding,) = check(book, profile=load_profile("publication"), select=["SOM-03"]).findings
    assert (finding.cell, finding.suggestion) == ("C3", "1")

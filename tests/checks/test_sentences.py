"""Every sentence of every rule is told by a case of its file, or by a test here where a case cannot be built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from jdv_qa.checks.catalogue import load_cases, load_catalogue
from jdv_qa.checks.engine import check
from jdv_qa.checks.finding import Finding
from jdv_qa.checks.profiles import Profile, load_profile
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook
from tests.fuzz.workbooks import seeds, zipped
from tests.sentences import sentence_of

BY_TESTS = {
    "LNC-02": {"no-table"},  # tests/checks/test_loinc.py
    "STR-02": {"empty"}, "STR-06": {"error_of_formula"}, "SOM-02": {"file"}, "SOM-03": {"blank", "column"},
}  # fmt: skip
"""Sentences that tests tell: those below, unless said otherwise."""
SAME_WORDS = {"COD-04": {"code"}, "UNI-03": {"label"}}
"""Sentences in the very words of `default`."""
SPARE = {"CEL-03": {"text"}}
"""Sentences for what is not known to happen: a text that is a date is known by the codes that it may have been."""


def findings_of(path: Path, rule: str, profile: Profile | None = None) -> list[Finding]:
    return [
        finding
        for finding in check(read_edition(path), profile=profile, select=[rule]).findings
        if finding.rule == rule
    ]


def said(path: Path, rule: str, profile: Profile | None = None) -> list[tuple[str | None, str]]:
    """The cell and the sentence of each finding of a rule."""
    return [
        (finding.cell, sentence_of(load_catalogue()[rule], finding.message))
        for finding in findings_of(path, rule, profile)
    ]


def test_every_sentence_is_told() -> None:
    untold = {}
    for rule in load_catalogue().values():
        told = {item.get("says", "default") for case in load_cases(rule)["fail"] for item in case["expect"]}
        # every file has a `default`; rules that always know more leave it unsaid
        elsewhere = {"default"}.union(*(table.get(rule.id, set()) for table in (BY_TESTS, SAME_WORDS, SPARE)))
        if missing := set(rule.messages) - told - elsewhere:
            untold[rule.id] = sorted(missing)
    assert untold == {}


def test_no_case_names_a_sentence_that_is_not_there() -> None:
    for rule in load_catalogue().values():
        for case in load_cases(rule)["fail"]:
            assert {item.get("says", "default") for item in case["expect"]} <= set(rule.messages), rule.id


def test_a_tab_without_any_cell(tmp_path: Path) -> None:
    path = build_workbook({}, tmp_path / "case.xlsx")
    book = load_workbook(path)
    sheet = book["4.Nature de prélèvement – SPM4"]
    sheet.delete_rows(1, sheet.max_row)
    book.save(path)
    assert said(path, "STR-02") == [(None, "empty")]


def test_an_error_that_a_formula_gave(tmp_path: Path) -> None:
    path = tmp_path / "case.xlsx"
    name = "xl/worksheets/sheet5.xml"
    cell = b'<c r="A4" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    sheet, count = re.subn(rb'<c r="A4".*?</c>', cell, seeds()[0][name], flags=re.DOTALL)
    assert count == 1
    path.write_bytes(zipped(seeds()[0] | {name: sheet}))
    assert ("A4", "error_of_formula") in said(path, "STR-06")


def test_a_version_that_the_name_of_the_file_contradicts(tmp_path: Path) -> None:
    assert said(build_workbook({}, tmp_path / "JDV_CircuitBio_1.0.1.xlsx"), "SOM-02") == [("B3", "file")]
    assert said(build_workbook({}, tmp_path / "JDV_CircuitBio_1.0.0.xlsx"), "SOM-02") == []


def test_indicators_of_a_version_to_be_published(tmp_path: Path) -> None:
    indicators = [{"indicator": "Codes LOINC demandes", "0.9.0": 1}]
    without = build_workbook({"tabs": {"indicators": indicators}}, tmp_path / "without.xlsx")
    blank = build_workbook(
        {"tabs": {"indicators": [indicators[0] | {"1.0.0": None}, {"indicator": "Codes LOINC résultats", "1.0.0": 1}]}},
        tmp_path / "blank.xlsx",
    )
    publication = load_profile("publication")
    assert (said(without, "SOM-03"), said(blank, "SOM-03")) == ([], [])
    assert said(without, "SOM-03", publication) == [(None, "column")]
    assert said(blank, "SOM-03", publication) == [("C2", "blank")]
    (finding,) = findings_of(blank, "SOM-03", publication)
    assert (finding.suggestion, finding.code) == ("1", "")


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("Na &amp; K", "&amp;", "&"),
        # an entity that is none stays, and is not what is told
        ("A &foo; Pr&eacute;sence", "&eacute;", "é"),
        ("NumÃ©rique &lt; 5", "&lt;", "<"),
        ("NumÃ©rique", "Ã©", "é"),
    ],
)
def test_what_is_told_of_a_wrong_character_is_what_is_wrong(text: str, before: str, after: str, tmp_path: Path) -> None:
    path = build_workbook({"rows": [{"comment": text}]}, tmp_path / "case.xlsx")
    (finding,) = findings_of(path, "CEL-05")
    assert f"«\u00a0{before}\u00a0» est mis pour «\u00a0{after}\u00a0»" in finding.message


@pytest.mark.parametrize("field", ["default", "blank"])
def test_an_order_whose_cells_differ_is_named(field: str, tmp_path: Path) -> None:
    specimen = {"default": "BLD", "blank": None}[field]
    rows = [{}, {"result_code": "2823-3"}, {"result_code": "2075-0", "specimen": specimen}]
    path = build_workbook({"rows": rows}, tmp_path / "case.xlsx")
    (finding,) = findings_of(path, "GRP-04")
    assert sentence_of(load_catalogue()["GRP-04"], finding.message) == field
    assert "de la demande «\u00a0Sodium (demande)\u00a0»" in finding.message

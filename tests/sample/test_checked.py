"""The sample seen by the rules: clean editions are clean, every planted fault is found in its cell, and changes are told."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.engine import check
from jdv_qa.compare.compare import compare
from jdv_qa.sample import SAMPLE_DIR, files
from jdv_qa.workbook.read import read_edition


def source(name: str) -> list[dict[str, str]]:
    with (SAMPLE_DIR / "source" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_clean_editions_raise_nothing_but_tolerated_observations(version: str) -> None:
    report = check(
        read_edition(files()[version]), earlier=[read_edition(files()["1.0.0"])] if version == "1.1.0" else []
    )
    assert report.crashed == ()
    assert [
        (item.rule, item.cell, item.message)
        for item in report.findings
        if item.severity != "info" and item.rule != "TYP-03"
    ] == []


@pytest.mark.parametrize(
    "fault", source("faults"), ids=lambda fault: f"{fault['rules']}-{fault['result_code'] or fault['order_code']}"
)
def test_every_fault_of_the_draft_is_found(fault: dict[str, str]) -> None:
    known = [rule for rule in fault["rules"].split(";") if rule in load_catalogue()]
    assert known, f"no rule of the catalogue finds {fault['rules']}"
    findings = check(read_edition(files()["1.2.0"])).findings
    assert [item for item in findings if item.rule in known], fault


def test_changes_between_the_editions_are_those_of_the_source() -> None:
    comparison = compare(read_edition(files()["1.0.0"]), read_edition(files()["1.1.0"]))
    found = Counter(
        (change.kind, change.part, change.code, change.field or "", change.new_code or "")
        for change in comparison.changes
    )
    told = Counter((row["kind"], row["part"], row["code"], row["field"], row["new_code"]) for row in source("changes"))
    assert found == told

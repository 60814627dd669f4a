"""Runs the cases of every rule file: real workbooks, read and checked as a user's would be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.checks.catalogue import Rule, load_cases, load_catalogue
from jdv_qa.checks.engine import check, rule_functions
from jdv_qa.checks.waivers import Waiver, load_waivers
from jdv_qa.language import LANGUAGES, use_language
from jdv_qa.terminology.loinc import LoincRelease, Term, TermChange
from jdv_qa.terminology.nabm import nabm_table
from jdv_qa.workbook.read import read_edition
from tests.casebook import FIRST_ROW, build_workbook, layout_of
from tests.sentences import sentence_of

TOLD = ("says", "reads")
"""What a case asks of the message of a finding: the name of its sentence, and the whole of it in French, all spaces plain."""


def all_cases() -> Iterator[Any]:
    for rule in load_catalogue().values():
        for kind, cases in load_cases(rule).items():
            for case in cases:
                yield pytest.param(rule, kind, case, id=f"{rule.id}-{kind}-{case['name']}")


def loinc_release(case: dict[str, Any]) -> LoincRelease | None:
    """The `loinc` terms of a case: code and any field of `Term`, an active term otherwise; its `replacements` and `changes`."""
    if "loinc" not in case:
        return None
    plain = dict.fromkeys(Term._fields, "") | {
        "status": "ACTIVE",
        "order_obs": "Both",
        "scale": "Qn",
        "time": "Pt",
    }
    return LoincRelease(
        "2.80",
        {term["code"]: Term(**(plain | term)) for term in case["loinc"]},
        {code: tuple((to, comment) for to, comment in given) for code, given in case.get("replacements", {}).items()},
        {code: tuple(TermChange(*change) for change in told) for code, told in case.get("changes", {}).items()},
    )


@pytest.mark.parametrize(("rule", "kind", "case"), list(all_cases()))
def test_case(rule: Rule, kind: str, case: dict[str, Any], tmp_path: Path) -> None:
    layout = layout_of(case)
    edition = read_edition(build_workbook(case, tmp_path / "case.xlsx"), layout)
    earlier = [
        read_edition(build_workbook(old, tmp_path / f"earlier{number}.xlsx"))
        for number, old in enumerate(case.get("earlier", ()))
    ]
    for language in LANGUAGES:
        use_language(language)
        report = check(
            edition,
            layout=layout,
            earlier=earlier,
            loinc=loinc_release(case),
            nabm=nabm_table(case["nabm"], "nabm") if "nabm" in case else None,
            waivers=waivers_of(case, tmp_path),
            select=[rule.id, *case.get("beside", ())],
        )
        assert [(broken.rule, broken.reason) for broken in report.crashed] == []
        assert [(waiting.rule, waiting.reason) for waiting in report.skipped if waiting.rule == rule.id] == []
        findings = [finding for finding in report.findings if finding.rule == rule.id]
        if kind == "pass":
            assert [(finding.cell, finding.message) for finding in findings] == []
            continue
        found = [finding.to_json() for finding in findings]
        expected = [expectation(item) for item in case["expect"]]
        shown = [{key: finding[key] for key in wanted} for finding, wanted in zip(found, expected, strict=False)]
        assert shown == expected
        assert len(found) == len(expected), found
        said = [sentence_of(rule, finding.message) for finding in findings]
        assert said == [item.get("says", "default") for item in case["expect"]]
        if language == "fr":
            for finding, item in zip(findings, case["expect"], strict=True):
                message = " ".join(finding.message.split())
                assert message == item.get("reads", message)


def waivers_of(case: dict[str, Any], folder: Path) -> tuple[Waiver, ...] | None:
    """The waivers of a case, read from a file as those of a user."""
    if "waivers" not in case:
        return None
    path = folder / "waivers.yaml"
    path.write_text(json.dumps(case["waivers"], default=str), encoding="utf-8")
    return load_waivers(path)


def expectation(item: dict[str, Any]) -> dict[str, Any]:
    """What a case expects of a finding; `row` counts the rows of the case in the main tab."""
    wanted = {key: value for key, value in item.items() if key not in ("row", "tab_row", *TOLD)}
    if "row" in item:
        wanted["row"] = item["row"] + FIRST_ROW - 1
    if "tab_row" in item:
        wanted["row"] = item["tab_row"]
    return wanted


def test_every_rule_has_a_file_and_a_function() -> None:
    assert set(rule_functions()) == set(load_catalogue())

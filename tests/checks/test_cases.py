"""Runs the cases of every rule file: real workbooks, read and checked as a user's would be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.checks.catalogue import Rule, load_cases, load_catalogue
from jdv_qa.checks.engine import check, rule_functions
from jdv_qa.checks.finding import Finding
from jdv_qa.checks.waivers import Waiver, load_waivers
from jdv_qa.language import use_language
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


RIGHT_ROWS: list[dict[str, Any]] = [
    {
        "nabm_code": "1106", "nabm_label": "Réticulocytes", "order_label": "Réticulocytes (demande)", "order_synonyms": "Réticulo",
        "order_code": "14196-0", "order_loinc_label": "Réticulocytes [Nombre/Volume] Sang ; Numérique", "order_type": "Both",
        "specimen": "BLD", "chapter": "18723-7", "subchapter": "18723-7", "rank": 900001, "result_code": "14196-0",
        "result_loinc_label": "Réticulocytes [Nombre/Volume] Sang ; Numérique", "result_display": "Réticulocytes",
        "unit": "10*9/L", "unit_secondary": "10*6/L", "conversion_factor": 1000,
    },
    {
        "nabm_code": "1107", "nabm_label": "Essai en attente", "order_label": "Essai (demande)", "order_synonyms": None,
        "order_code": "612345", "order_loinc_label": "Essai [Présence/Seuil] Urine ; Qualitatif", "order_type": None, "specimen": "UR",
        "chapter": "18725-2", "subchapter": "18725-2", "rank": 900002, "result_code": "612345",
        "result_loinc_label": "Essai [Présence/Seuil] Urine ; Qualitatif", "result_display": "Essai", "comparability": 2,
        "discriminating_technique": "O", "unit": None,
    },
    {
        "nabm_code": "1108", "nabm_label": "Numération", "order_label": "Numération (demande)", "order_synonyms": "NFP",
        "order_code": "58410-2", "order_loinc_label": "Numération panel [-] Sang ; -", "order_type": "Order", "specimen": "BLD",
        "chapter": "18723-7", "subchapter": "18723-7", "rank": 900003, "result_code": "26515-7",
        "result_loinc_label": "Plaquettes [Nombre/Volume] Sang ; Numérique", "result_display": "Plaquettes sanguines", "unit": "10*9/L",
    },
]  # fmt: skip
"""A quantity, a pending code and a panel, none of which has a fault."""
ALONE = ("alone", "cells", "merge", "hide", "extra", "filter")
"""Keys of the cases that name cells by their places, or whose findings depend on all rows (`alone: true`)."""


def after_right_rows(case: dict[str, Any]) -> dict[str, Any] | None:
    """A case with right rows before its own, here and in earlier editions; None where it must stand alone."""
    if "rows" not in case or any(key in case for key in ALONE):
        return None
    earlier = [old | {"rows": [*RIGHT_ROWS, *old.get("rows", [{}])]} for old in case.get("earlier", ())]
    return case | {"rows": [*RIGHT_ROWS, *case["rows"]], "earlier": earlier}


def findings_of(rule: Rule, case: dict[str, Any], folder: Path) -> list[Finding]:
    """The findings of a rule in the workbook of a case, which no rule must break down on or wait for."""
    folder.mkdir()
    layout = layout_of(case)
    report = check(
        read_edition(build_workbook(case, folder / "case.xlsx"), layout),
        layout=layout,
        earlier=[
            read_edition(build_workbook(old, folder / f"earlier{number}.xlsx"))
            for number, old in enumerate(case.get("earlier", ()))
        ],
        loinc=loinc_release(case),
        nabm=nabm_table(case["nabm"], "nabm") if "nabm" in case else None,
        waivers=waivers_of(case, folder),
        select=[rule.id, *case.get("beside", ())],
    )
    assert [(broken.rule, broken.reason) for broken in report.crashed] == []
    assert [(waiting.rule, waiting.reason) for waiting in report.skipped if waiting.rule == rule.id] == []
    return [finding for finding in report.findings if finding.rule == rule.id]


def hold(rule: Rule, case: dict[str, Any], findings: list[Finding], before: int) -> None:
    """Hold findings to what a case expects; `before`: the rows put before its own."""
    found = [finding.to_json() for finding in findings]
    expected = [expectation(item, before) for item in case["expect"]]
    shown = [{key: finding[key] for key in wanted} for finding, wanted in zip(found, expected, strict=False)]
    assert shown == expected
    assert len(found) == len(expected), found
    said = [sentence_of(rule, finding.message) for finding in findings]
    assert said == [item.get("says", "default") for item in case["expect"]]


@pytest.mark.parametrize(("rule", "kind", "case"), list(all_cases()))
def test_case(rule: Rule, kind: str, case: dict[str, Any], tmp_path: Path) -> None:
    """In French as the case is; in English after right rows: neither the language nor what stands before changes what is found."""
    use_language("fr")
    findings = findings_of(rule, case, tmp_path / "fr")
    if kind == "pass":
        assert [(finding.cell, finding.message) for finding in findings] == []
        return
    hold(rule, case, findings, 0)
    for finding, item in zip(findings, case["expect"], strict=True):
        message = " ".join(finding.message.split())
        assert message == item.get("reads", message)
    use_language("en")
    after = after_right_rows(case)
    hold(rule, case, findings_of(rule, after or case, tmp_path / "en"), len(RIGHT_ROWS) if after else 0)


def waivers_of(case: dict[str, Any], folder: Path) -> tuple[Waiver, ...] | None:
    """The waivers of a case, read from a file as those of a user."""
    if "waivers" not in case:
        return None
    path = folder / "waivers.yaml"
    path.write_text(json.dumps(case["waivers"], default=str), encoding="utf-8")
    return load_waivers(path)


def expectation(item: dict[str, Any], before: int) -> dict[str, Any]:
    """What a case expects of a finding; `row` counts the rows of the case in the main tab, `before` those put before them."""
    wanted = {key: value for key, value in item.items() if key not in ("row", "tab_row", *TOLD)}
    if "row" in item:
        wanted["row"] = item["row"] + FIRST_ROW - 1 + before
    if "tab_row" in item:
        wanted["row"] = item["tab_row"]
    return wanted


def test_every_rule_has_a_file_and_a_function() -> None:
    assert set(rule_functions()) == set(load_catalogue())

"""`jdv check` of a workbook that is one table of terms (layout `loinc_fr`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.cli.app import main
from tests.casebook import build_workbook

CLEAN = {"terms": [{}, {"code": "2823-3", "label": "Potassium [Moles/Volume] Sérum/Plasma ; Numérique"}]}
FAULTY = {"terms": [{}, {}, {"code": "2823-4", "synonyms": "Kaliémie  "}, {"code": "14682-9", "status": "Actif"}]}
FORMS = {
    "text": "a.txt", "html": "a.html", "xlsx": "a.xlsx", "json": "a.json", "csv": "a.csv", "sarif": "a.sarif",
    "junit": "a.xml", "github": "a.github", "md": "a.md",
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["check", *map(str, arguments), "--layout", "loinc_fr"])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_clean_table_passes_the_rules_that_concern_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = build_workbook(CLEAN, tmp_path / "v.xlsx")
    status, out, err = run(capsys, path, "--format", "json")
    content = json.loads(out)
    concerned = [rule.id for rule in load_catalogue().values() if "terms" in rule.tabs]
    skipped = [item["rule"] for item in content["rules"]["skipped"]]
    assert (status, err, content["findings"], content["rules"]["crashed"]) == (0, "", [], [])
    assert content["workbook"]["rows"] == 2
    assert sorted([*content["rules"]["run"], *skipped]) == sorted(concerned)
    assert skipped == ["DER-01"]
    assert {"STR-02", "CEL-01", "CEL-09", "COD-02", "REF-07"} <= set(concerned)


def test_faults_are_told_in_every_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = build_workbook(FAULTY, tmp_path / "v.xlsx")
    options = [word for form, name in FORMS.items() for word in ("--report", f"{form}={tmp_path / name}")]
    status, out, _ = run(capsys, path, *options, "--annotate", tmp_path / "noted.xlsx")
    found = [
        (item["rule"], item["cell"], item["suggestion"])
        for item in json.loads((tmp_path / "a.json").read_text())["findings"]
    ]
    assert status == 1
    assert found == [
        ("REF-07", "A4", None),
        ("COD-02", "A5", "2823-3"),
        ("CEL-01", "E5", "Kaliémie"),
        ("CEL-09", "N6", "ACTIVE"),
    ]
    assert "COD-02" in out
    assert "4 lignes" in out
    for name in (*FORMS.values(), "noted.xlsx"):
        assert (tmp_path / name).stat().st_size > 200, name


def test_rules_of_orders_and_results_alone_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = build_workbook(CLEAN, tmp_path / "v.xlsx")
    status, out, err = run(capsys, path, "--select", "UNI")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "aucune des règles choisies ne concerne la mise en page « loinc_fr »" in err


def test_a_rule_of_terms_does_not_concern_the_value_set(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = build_workbook({}, tmp_path / "v.xlsx")
    status = main(["check", str(path), "--format", "json"])
    rules = json.loads(capsys.readouterr().out)["rules"]
    assert status == 0
    assert "CEL-09" not in (*rules["run"], *(item["rule"] for item in rules["skipped"]))

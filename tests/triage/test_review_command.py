"""`jdv triage review` end to end: formats, errors, exit statuses, and the registers of the kit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jdv_qa.cli.app import main
from jdv_qa.report.triage_text import summary_sentence
from jdv_qa.sample import files
from jdv_qa.triage.verdict import VERDICTS
from tests.triage.registers import SODIUM_BLOOD, reviewed, write_register

WORKBOOK = str(files()["1.0.0"])
ROWS: list[dict[str, Any]] = [
    {
        "kind": "Modification",
        "object": "Résultat",
        "code": "14682-9",
        "field": "Unité",
        "value": "mmol/L",
        "applicant": "CHU [IU]",
    },
    {"kind": "Modification", "object": "Résultat", "code": "14682-9", "field": "Unité", "value": "mg/L"},
    {"kind": "Création", "object": "Résultat", "reason": "Merci"},
    {"kind": "Suppression", "object": "Résultat", "code": "2947-0", "label": SODIUM_BLOOD},
    {
        "number": "X-5",
        "kind": "Création",
        "object": "Code LOINC",
        "label": "Zonuline [Masse/Volume] Sérum ; Numérique",
        "unit": "ug/L",
    },
]
CELL = {
    "type": "object",
    "required": ["tab", "row", "field", "before", "after", "action"],
    "properties": {
        "row": {"type": "integer"},
        "before": {"type": ["string", "null"]},
        "after": {"type": ["string", "null"]},
        "action": {"enum": ["set", "add", "remove"]},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["schema", "register", "workbook", "loinc", "profile", "summary", "remarks", "together", "requests"],
    "properties": {
        "schema": {"const": "jdv-triage/1"},
        "summary": {"type": "object", "required": list(VERDICTS), "additionalProperties": {"type": "integer"}},
        "requests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    "number",
                    "verdict",
                    "reasons",
                    "changes",
                    "new_findings",
                    "candidates",
                    "related",
                    "impact",
                ],
                "properties": {
                    "number": {"type": ["integer", "string"]},
                    "verdict": {"enum": list(VERDICTS)},
                    "reasons": {"type": "array", "items": {"type": "object", "required": ["rule", "message"]}},
                    "changes": {"type": "array", "items": CELL},
                    "correction": {"type": "array", "items": CELL},
                    "new_findings": {
                        "type": "array",
                        "items": {"type": "object", "required": ["rule", "severity", "row", "cell"]},
                    },
                    "candidates": {
                        "type": "array",
                        "items": {"type": "object", "required": ["code", "label", "in_value_set", "why"]},
                    },
                    "impact": {"enum": ["breaking", "additive", "editorial", None]},
                    "priority": {"enum": ["high", "normal", "low"]},
                },
            },
        },
    },
}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jdv(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return write_register(ROWS, tmp_path / "demandes.csv")


def test_json(jdv: Run, register: Path) -> None:
    status, out, err = jdv("triage", "review", register, WORKBOOK, "--format", "json")
    assert (status, err) == (0, "")
    content = json.loads(out)
    jsonschema.validate(content, SCHEMA)
    assert [(item["number"], item["verdict"]) for item in content["requests"]] == [
        (1, "conflicting"), (2, "to-correct"), (3, "incomplete"), (4, "already-done"), ("X-5", "submit-to-loinc"),
    ]  # fmt: skip
    (first, second) = content["requests"][:2]
    assert {(c["tab"], c["field"], c["before"], c["after"], c["action"]) for c in first["changes"]} == {
        ("main", "unit", "umol/L", "mmol/L", "set")
    }
    assert first["related"] == [2]
    assert {finding["rule"] for finding in second["new_findings"]} == {"UNI-03"}
    assert second["impact"] == "breaking"
    assert content["requests"][4]["submission"]["component"] == "Zonuline"
    assert content["summary"]["conflicting"] == 1
    assert jdv("triage", "review", register, WORKBOOK, "--format", "json")[1] == out


def test_text(jdv: Run, register: Path) -> None:
    status, out, _ = jdv("triage", "review", register, WORKBOOK)
    assert status == 0
    assert "CHU [IU]" in out
    assert "umol/L → mmol/L" in out
    assert "À SOUMETTRE À LOINC" in out
    assert "Brouillon pour LOINC" in out
    assert max(map(len, out.splitlines())) <= 80
    _, only, _ = jdv("triage", "review", register, WORKBOOK, "--verdict", "incomplete")
    assert "À COMPLÉTER" in only
    assert "CONTRADICTOIRE" not in only
    _, english, _ = jdv("triage", "review", register, WORKBOOK, "--lang", "en")
    assert "TO COMPLETE" in english
    assert "the unit" not in english.lower() or "unit" in english
    assert "à compléter" not in english.casefold()


def test_to_a_file_and_back(jdv: Run, register: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "examen.json"
    status, out, err = jdv("triage", "review", register, WORKBOOK, "-o", target)
    assert (status, out) == (0, "")
    assert "5 demandes" in err
    jsonschema.validate(json.loads(target.read_text(encoding="utf-8")), SCHEMA)
    status, _, err = jdv("triage", "review", register, WORKBOOK, "-o", target)
    assert status == 2
    assert "--force" in err


def test_errors_are_one_line(jdv: Run, tmp_path: Path) -> None:
    other = tmp_path / "autre.csv"
    other.write_text("Article;Prix\nTube;3\n", encoding="utf-8")
    for arguments in ((other, WORKBOOK), (tmp_path / "absent.csv", WORKBOOK), (WORKBOOK, WORKBOOK)):
        status, out, err = jdv("triage", "review", *arguments)
        assert (status, out) == (2, "")
        assert len(err.splitlines()) == 1, err
    assert jdv("triage", "review", other, WORKBOOK, "--verdict", "bon")[0] == 2


def test_help_names_the_commands(jdv: Run) -> None:
    status, out, _ = jdv("triage", "--help")
    assert status == 0
    assert "review" in out


def test_an_empty_register(jdv: Run, tmp_path: Path) -> None:
    empty = write_register([], tmp_path / "vide.csv")
    status, out, _ = jdv("triage", "review", empty, WORKBOOK)
    assert status == 0
    assert "0 demande" in out


def test_summary_sentence(tmp_path: Path) -> None:
    assert (
        summary_sentence(reviewed(ROWS[2:4], tmp_path, loinc=None)).replace("\u00a0", " ")
        == "2 demandes : 1 à compléter, 1 déjà fait."
    )


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "layout", "grouping"), [(11, "a", "repeat"), (77, "b", "merge"), (21, "a", "blank")])
def test_registers_of_the_kit(
    seed: int, layout: str, grouping: str, kit: Path, corpus: Callable[[int, str, str], Path], jdv: Run
) -> None:
    folder = corpus(seed, layout, grouping)
    subprocess.run(
        [sys.executable, str(kit / "change_requests.py"), str(folder), "--seed", str(seed)],
        check=True,
        capture_output=True,
    )
    status, out, _ = jdv(
        "triage",
        "review",
        folder / "requests.xlsx",
        folder / "v1.xlsx",
        "--loinc",
        folder / "loinc",
        "--format",
        "json",
    )
    assert status == 0
    truth = {item["number"]: item for item in json.loads((folder / "requests_truth.json").read_text(encoding="utf-8"))}
    given = {item["number"]: item["verdict"] for item in json.loads(out)["requests"]}
    wrong = [item | {"given": given[number]} for number, item in truth.items() if given[number] != item["verdict"]]
    assert len(wrong) <= 0.02 * len(truth), wrong
    assert not [item for item in wrong if item["given"] == "acceptable"]

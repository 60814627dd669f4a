"""`jdv cda` and the FHIR and SVS forms of `jdv export`, end to end: what is printed or written, and the exit status."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jdv_qa.cli.app import main
from jdv_qa.publish.fhir import fhir_resources
from jdv_qa.publish.svs import svs_files
from jdv_qa.sample import REPORT, files
from jdv_qa.workbook.read import read_edition
from tests.cda.build import SODIUM, chapter, code_of, observation, quantity, report

SAMPLE = {version: str(path) for version, path in files().items()}
Run = Callable[..., tuple[int, str, str]]

TEXT = {"type": "string"}
CODE = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "kind", "line", "place", "code", "code_system", "display", "result", "in_value_set", "expected", "state", "remarks",
    ],
    "properties": {
        "kind": {"enum": ["chapter", "order", "result", "unit", "nabm"]},
        "line": {"type": "integer", "minimum": 1},
        "place": {"type": "string", "pattern": "^/ClinicalDocument/"},
        "code": TEXT,
        "code_system": TEXT,
        "display": TEXT,
        "result": {"type": ["string", "null"]},
        "in_value_set": {"type": "boolean"},
        "expected": TEXT,
        "state": {"enum": ["ok", "info", "warning", "error"]},
        "remarks": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["fault", "severity", "message", "suggestion"],
                "properties": {
                    "fault": {"type": "string", "pattern": "^[a-z-]+$"},
                    "severity": {"enum": ["info", "warning", "error"]},
                    "message": {"type": "string", "minLength": 1},
                    "suggestion": TEXT,
                },
            },
        },
    },
}  # fmt: skip
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "value_set", "loinc", "reports"],
    "properties": {
        "schema": {"const": "jdv-cda/1"},
        "value_set": {"type": "object", "required": ["path", "sha256", "version"]},
        "loinc": {"type": ["object", "null"]},
        "reports": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "sha256", "title", "conformant", "summary", "counts", "codes"],
                "properties": {
                    "path": TEXT,
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                    "title": TEXT,
                    "conformant": {"type": "boolean"},
                    "summary": {"type": "object", "required": ["error", "warning", "info"]},
                    "counts": {"type": "object"},
                    "codes": {"type": "array", "items": CODE},
                },
            },
        },
    },
}


@pytest.fixture
def jdv(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process: (exit status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capfdbinary.readouterr()
        return status, captured.out.decode(), captured.err.decode()

    return run


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    path = tmp_path / "propre.xml"
    path.write_text(report(chapter(observation(quantity("139", "mmol/L"), code=code_of("2951-2", SODIUM)))), "utf-8")
    return path


def test_text_says_where_what_and_the_verdict(jdv: Run) -> None:
    status, out, err = jdv("cda", REPORT, "--with", SAMPLE["1.1.0"])
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == "CR-BIO_exemple.xml"
    assert "jeu de valeurs 1.1.0" in lines[1]
    assert lines[-1] == "NON CONFORME : 7 erreurs, 3 avertissements, 2 informations"
    assert any(line.startswith("  ligne 107  unité de 14749-6  g/L n'est pas") for line in lines)
    assert out.index("ERREURS") < out.index("AVERTISSEMENTS") < out.index("INFORMATIONS")
    assert max(map(len, lines)) <= 100


def test_english(jdv: Run) -> None:
    status, out, _ = jdv("cda", REPORT, "--with", SAMPLE["1.1.0"], "--lang", "en")
    assert status == 1
    assert out.splitlines()[-1] == "NOT CONFORMANT: 7 errors, 3 warnings, 2 notes"
    assert "unit of 14749-6" in out
    assert "jeu de valeurs" not in out


def test_a_clean_report_exits_0(jdv: Run, clean: Path) -> None:
    status, out, _ = jdv("cda", clean, "--with", SAMPLE["1.1.0"])
    assert status == 0
    assert out.splitlines()[-1] == "CONFORME : 0 erreur, 0 avertissement, 0 information"


def test_failing_severity_is_chosen(jdv: Run, tmp_path: Path) -> None:
    path = tmp_path / "cr.xml"
    path.write_text(report(chapter(observation(quantity("139", "umol/L")))), encoding="utf-8")
    assert [
        jdv("cda", path, "--with", SAMPLE["1.1.0"], "--fail-on", severity)[0]
        for severity in ("error", "warning", "info", "never")
    ] == [0, 1, 1, 0]


def test_json_holds_every_code_and_is_stable(jdv: Run, clean: Path) -> None:
    status, out, _ = jdv("cda", REPORT, clean, "--with", SAMPLE["1.1.0"], "--format", "json")
    assert status == 1
    content = json.loads(out)
    jsonschema.validate(content, SCHEMA)
    assert content["value_set"]["version"] == "1.1.0"
    first, second = content["reports"]
    assert (first["conformant"], second["conformant"]) == (False, True)
    assert first["summary"] == {"error": 7, "warning": 3, "info": 2}
    assert first["counts"]["result"] == {"read": 13, "in_value_set": 10}
    assert len(first["codes"]) == sum(entry["read"] for entry in first["counts"].values())
    assert [line["line"] for line in first["codes"]] == sorted(line["line"] for line in first["codes"])
    assert jdv("cda", REPORT, clean, "--with", SAMPLE["1.1.0"], "--format", "json")[1] == out


def test_csv_has_a_row_a_code_and_nothing_a_spreadsheet_would_run(jdv: Run, tmp_path: Path) -> None:
    path = tmp_path / "cr.xml"
    path.write_text(report(chapter(observation("", code=code_of("2951-2", "=1+1")))), encoding="utf-8")
    status, _, err = jdv("cda", path, REPORT, "--with", SAMPLE["1.1.0"], "-o", tmp_path / "codes.csv")
    assert status == 1
    assert err.splitlines()[0] == f"{path} – CONFORME : 0 erreur, 1 avertissement, 0 information"
    content = (tmp_path / "codes.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))
    assert rows[2]["display"] == "'=1+1"
    assert (rows[2]["kind"], rows[2]["in_value_set"], rows[2]["faults"]) == ("result", "true", "display-differs")
    assert len(rows) == 3 + 36
    assert jdv("cda", path, "--with", SAMPLE["1.1.0"], "-o", tmp_path / "codes.csv")[0] == 2


def test_markdown_keeps_texts_from_being_markup(jdv: Run, tmp_path: Path) -> None:
    path = tmp_path / "cr.xml"
    body = chapter(observation(quantity("1", "[IU]/L|x"), code=code_of("2951-2", "*gras* &lt;b&gt;")))
    path.write_text(report(body), encoding="utf-8")
    assert jdv("cda", path, "--with", SAMPLE["1.1.0"], "-o", tmp_path / "cr.md")[0] == 1
    page = (tmp_path / "cr.md").read_text(encoding="utf-8")
    assert "## cr.xml" in page
    assert "**NON CONFORME : 1 erreur, 1 avertissement, 0 information**" in page
    assert r"\*gras\* \<b>" in page
    assert r"[IU]/L\|x" in page
    assert page.rstrip().endswith("Regenstrief Institute, Inc.")


def test_units_in_brackets_reach_the_screen(jdv: Run, tmp_path: Path) -> None:
    path = tmp_path / "cr.xml"
    path.write_text(report(chapter(observation(quantity("1", "[IU]/L")))), encoding="utf-8")
    assert "[IU]/L n'est pas de la même grandeur que mmol/L" in jdv("cda", path, "--with", SAMPLE["1.1.0"])[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [("<x/>", "ce n'est pas un document CDA"), ("<x", "XML mal formé"), ('<!DOCTYPE x><ClinicalDocument/>', "DOCTYPE")],
)  # fmt: skip
def test_an_unreadable_report_is_one_line_and_status_2(content: str, said: str, jdv: Run, tmp_path: Path) -> None:
    path = tmp_path / "cr.xml"
    path.write_text(content, encoding="utf-8")
    status, out, err = jdv("cda", REPORT, path, "--with", SAMPLE["1.1.0"])
    assert (status, out) == (2, "")
    assert err.startswith(f"jdv: {path} : ")
    assert said in err
    assert err.count("\n") == 1


def test_bad_usage(jdv: Run, tmp_path: Path) -> None:
    assert jdv("cda", REPORT)[0] == 2
    assert jdv("cda", REPORT, "--with", tmp_path / "absent.xlsx")[0] == 2
    assert jdv("cda", tmp_path / "absent.xml", "--with", SAMPLE["1.1.0"])[0] == 2


def test_sample_ships_the_report(jdv: Run, tmp_path: Path) -> None:
    assert jdv("sample", tmp_path / "s")[0] == 0
    assert (tmp_path / "s" / REPORT.name).read_bytes() == REPORT.read_bytes()


def test_export_writes_fhir_and_svs_when_asked_for(jdv: Run, tmp_path: Path) -> None:
    edition = read_edition(files()["1.1.0"])
    status, out, err = jdv("export", SAMPLE["1.1.0"], tmp_path / "out", "--with", "svs", "--with", "fhir")
    assert (status, err) == (0, "")
    for folder, content in (("fhir", fhir_resources(edition)), ("svs", svs_files(edition))):
        written = {path.name: path.read_bytes() for path in (tmp_path / "out" / folder).iterdir()}
        assert written == content
        assert all(f"{folder}/{name}" in out for name in content)
    assert read_edition(tmp_path / "out") == edition


def test_export_writes_neither_unless_asked(jdv: Run, tmp_path: Path) -> None:
    assert jdv("export", SAMPLE["1.1.0"], tmp_path / "out")[0] == 0
    assert not [path for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert jdv("export", SAMPLE["1.1.0"], tmp_path / "svs", "--with", "svs")[0] == 0
    assert [path.name for path in (tmp_path / "svs").iterdir() if path.is_dir()] == ["svs"]
    assert jdv("export", SAMPLE["1.1.0"], tmp_path / "other", "--with", "skos")[0] == 2


def test_export_names_the_codes_that_fhir_and_svs_leave_out(jdv: Run, tmp_path: Path) -> None:
    status, _, err = jdv("export", SAMPLE["1.2.0"], tmp_path / "out", "--with", "fhir")
    assert status == 0
    assert "FHIR, SVS – résultat « LP14635-4 »" in err
    assert "LP14635-4" not in jdv("export", SAMPLE["1.2.0"], tmp_path / "plain")[2]

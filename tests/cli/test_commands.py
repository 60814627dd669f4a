"""The command line end to end: what is printed, where errors go, and the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jdv_qa import __version__
from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.cli.app import main
from jdv_qa.sample import files
from tests.casebook import build_workbook

SAMPLE = {version: str(path) for version, path in files().items()}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jdv(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: (exit status, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def whole(*arguments: object, columns: int = 80) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = os.environ | {"COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "jdv_qa", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)


def test_module_and_version() -> None:
    answer = whole("--version")
    assert (answer.returncode, answer.stdout.strip(), answer.stderr) == (0, f"jdv {__version__}", "")


@pytest.mark.parametrize("command", ["info", "layout", "check", "rules", "rule", "diff", "notes", "export", "sample"])
def test_every_command_has_help(command: str, jdv: Run) -> None:
    status, out, _ = jdv(command, "--help")
    assert status == 0
    assert "--lang" in out


def test_info(jdv: Run) -> None:
    status, out, _ = jdv("info", SAMPLE["1.1.0"])
    assert status == 0
    assert "180 = 37 + 136 + 3 + 4" in out
    assert "355 = 345 + 10" in out
    status, out, _ = jdv("info", SAMPLE["1.1.0"], "--format", "json", "--lang", "en")
    content = json.loads(out)
    assert (content["version"], content["grouping"]) == ("1.1.0", "merge")
    assert content["indicators"]["orders"] == 180


CHECK_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "workbook", "loinc", "rules", "summary", "findings"],
    "properties": {
        "schema": {"const": "jdv-check/1"},
        "workbook": {
            "type": "object", "additionalProperties": False, "required": ["path", "sha256", "version", "rows"],
            "properties": {"path": {"type": "string"}, "sha256": {"pattern": "^[0-9a-f]{64}$"}, "version": {"type": "string"}, "rows": {"type": "integer"}},
        },
        "loinc": {"oneOf": [{"type": "null"}, {"type": "object", "required": ["version", "terms"], "additionalProperties": False, "properties": {"version": {"type": "string"}, "terms": {"type": "integer"}}}]},
        "rules": {
            "type": "object", "additionalProperties": False, "required": ["run", "skipped", "crashed"],
            "properties": {
                "run": {"type": "array", "items": {"type": "string"}},
                "skipped": {"type": "array", "items": {"type": "object", "required": ["rule", "reason"]}},
                "crashed": {"type": "array", "items": {"type": "object", "required": ["rule", "reason"]}},
            },
        },
        "summary": {"type": "object", "required": ["error", "warning", "info", "waived"], "additionalProperties": {"type": "integer"}},
        "findings": {
            "type": "array",
            "items": {
                "type": "object", "additionalProperties": False,
                "required": ["rule", "severity", "tab", "sheet", "row", "column", "cell", "row_key", "field", "code", "value", "message", "suggestion", "related", "waived"],
                "properties": {
                    "rule": {"pattern": "^[A-Z]{3}-[0-9]{2}$"}, "severity": {"enum": ["error", "warning", "info"]}, "tab": {"type": "string"},
                    "sheet": {"type": "string"}, "row": {"type": ["integer", "null"]}, "column": {"type": ["string", "null"]}, "cell": {"type": ["string", "null"]},
                    "row_key": {"type": "string"}, "field": {"type": ["string", "null"]}, "code": {"type": "string"}, "value": {"type": "string"},
                    "message": {"type": "string", "minLength": 10}, "suggestion": {"type": ["string", "null"]},
                    "related": {"type": "array", "items": {"type": "string"}}, "waived": {"type": "boolean"},
                },
            },
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("version", SAMPLE)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_check_json_has_the_fixed_shape(version: str, language: str, jdv: Run) -> None:
    _, out, err = jdv("check", SAMPLE[version], "--format", "json", "--lang", language)
    content = json.loads(out)
    jsonschema.validate(content, CHECK_SCHEMA)
    assert err == ""
    assert content["rules"]["crashed"] == []
    rules = {*content["rules"]["run"], *(item["rule"] for item in content["rules"]["skipped"])}
    assert rules == {rule.id for rule in load_catalogue().values() if "main" in rule.tabs}


def test_check_json_is_the_same_to_the_byte() -> None:
    one, other = (whole("check", SAMPLE["1.2.0"], "--format", "json").stdout for _ in range(2))
    assert one == other
    assert one


def test_rules_that_need_more_are_reported_as_skipped(jdv: Run) -> None:
    content = json.loads(jdv("check", SAMPLE["1.1.0"], "--format", "json")[1])
    skipped = {item["rule"] for item in content["rules"]["skipped"]}
    assert skipped == {rule.id for rule in load_catalogue().values() if rule.needs}
    with_previous = json.loads(jdv("check", SAMPLE["1.1.0"], "--previous", SAMPLE["1.0.0"], "--format", "json")[1])
    assert skipped - {item["rule"] for item in with_previous["rules"]["skipped"]} == {
        rule.id for rule in load_catalogue().values() if rule.needs == ("previous",)
    }


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ([], 0), (["--fail-on", "warning"], 1), (["--fail-on", "never"], 0), (["--fail-on", "warning", "--ignore", "TYP-03"], 0),
        (["--select", "TYP", "--fail-on", "info"], 1), (["--select", "COD,ATT-01", "--fail-on", "info"], 0),
    ],
)  # fmt: skip
def test_exit_status_follows_fail_on(options: list[str], status: int, jdv: Run) -> None:
    assert jdv("check", SAMPLE["1.1.0"], *options)[0] == status


def test_draft_fails(jdv: Run) -> None:
    assert jdv("check", SAMPLE["1.2.0"])[0] == 1
    assert jdv("check", SAMPLE["1.2.0"], "--fail-on", "never")[0] == 0


def test_profile_changes_severity(tmp_path: Path, jdv: Run) -> None:
    book = build_workbook({"rows": [{"result_display": " Sodium"}]}, tmp_path / "v.xlsx")
    assert jdv("check", book, "--select", "CEL")[0] == 0
    assert jdv("check", book, "--select", "CEL", "--profile", "publication")[0] == 1
    profile = tmp_path / "mine.yaml"
    profile.write_text("extends: publication\nseverities: {CEL: off}\n", encoding="utf-8")
    status, out, _ = jdv("check", book, "--profile", profile, "--format", "json")
    assert status == 0
    assert not any(rule.startswith("CEL") for rule in json.loads(out)["rules"]["run"])


@pytest.mark.parametrize(
    "content", ["severities: {CEL: grave}", "severite: {}", "extends: nowhere", "[", "profile: a\nextends: mine.yaml"]
)
def test_wrong_profiles_get_one_line(content: str, tmp_path: Path, jdv: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(content, encoding="utf-8")
    status, out, err = jdv("check", SAMPLE["1.0.0"], "--profile", "mine.yaml")
    assert (status, out, len(err.splitlines())) == (2, "", 1)


def test_a_rule_that_crashes_is_told_and_is_no_pass(jdv: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from jdv_qa.checks import engine

    def broken(context: object, parameters: object) -> Any:
        raise ZeroDivisionError("boom")

    monkeypatch.setitem(dict(engine.rule_functions()), "COD-02", broken)
    monkeypatch.setitem(engine._functions, "COD-02", broken)
    status, out, err = jdv("check", SAMPLE["1.0.0"], "--format", "json")
    content = json.loads(out)
    assert status == 2
    assert content["rules"]["crashed"] == [{"rule": "COD-02", "reason": "ZeroDivisionError: boom"}]
    assert "COD-02" not in content["rules"]["run"]
    assert len(content["rules"]["run"]) > 30
    assert len(err.splitlines()) == 1
    assert "COD-02" in err


def test_files_are_not_replaced_by_surprise(tmp_path: Path, jdv: Run) -> None:
    report = tmp_path / "report.txt"
    assert jdv("check", SAMPLE["1.0.0"], "-o", report)[0] == 0
    before = report.read_bytes()
    status, out, err = jdv("check", SAMPLE["1.2.0"], "-o", report)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "--force" in err
    assert report.read_bytes() == before
    assert jdv("check", SAMPLE["1.2.0"], "-o", report, "--force")[0] == 1
    assert report.read_bytes() != before
    assert [path.name for path in tmp_path.iterdir()] == ["report.txt"]


def test_units_reach_the_reader(tmp_path: Path) -> None:
    rows = [{"order_label": "Dosage [iU]/L [/] [bold]x[/bold]", "order_type": "Observation"}]
    book = build_workbook({"rows": rows}, tmp_path / "v.xlsx")
    assert "Dosage [iU]/L [/] [bold]x[/bold]" in whole("check", book, columns=200).stdout


@pytest.mark.parametrize("columns", [80, 140])
def test_lines_fit_the_terminal(columns: int) -> None:
    for arguments in (
        ["check", SAMPLE["1.2.0"]],
        ["info", SAMPLE["1.2.0"]],
        ["rules"],
        ["rule", "COD-02"],
        ["layout", SAMPLE["1.2.0"]],
    ):
        answer = whole(*arguments, columns=columns)
        assert answer.stderr == ""
        assert max(map(len, answer.stdout.splitlines())) <= columns, arguments


@pytest.mark.parametrize(
    "arguments",
    [
        ["info", "missing.xlsx"], ["check", "missing.xlsx"], ["layout", "missing.xlsx"], ["diff", "missing.xlsx", "missing.xlsx"],
        ["notes", "missing.xlsx", "missing.xlsx"], ["export", "missing.xlsx", "out"], ["check", SAMPLE["1.0.0"], "--loinc", "missing"],
        ["check", SAMPLE["1.0.0"], "--layout", "missing.yaml"], ["check", SAMPLE["1.0.0"], "--profile", "missing"],
        ["check", SAMPLE["1.0.0"], "--select", "XYZ"], ["rule", "XYZ-01"], ["rules", "XYZ"], ["check", SAMPLE["1.0.0"], "--previous", "missing.xlsx"],
    ],
)  # fmt: skip
def test_trouble_is_one_french_line_and_status_2(
    arguments: list[str], jdv: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = jdv(*arguments)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("jdv: ")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "a", "--format", "pdf"], ["nothing"], ["check", "a", "--lang", "de"]]
)
def test_bad_usage_is_status_2(arguments: list[str], jdv: Run) -> None:
    status, _, err = jdv(*arguments)
    assert status == 2
    assert "Traceback" not in err


def test_debug_shows_the_traceback() -> None:
    answer = whole("--debug", "info", "missing.xlsx")
    assert answer.returncode != 0
    assert "Traceback" in answer.stderr


def test_english(jdv: Run) -> None:
    _, out, _ = jdv("check", SAMPLE["1.2.0"], "--lang", "en")
    assert "ERRORS – to mend before release" in out
    assert "À " not in out
    assert jdv("check", SAMPLE["1.2.0"])[1].count("ERREURS") == 1


def test_layout_of_an_unknown_workbook_to_a_check_in_three_steps(tmp_path: Path, jdv: Run) -> None:
    case = {
        "names": {"main": "Valeurs 2026", "specimens": "Prélèvements"},
        "headers": {"unit": "Unite recomandée", "order_code": "LOINC dem.", "comment": None},
        "extra": {"Validé par": ["Dr X"]},
    }
    book = build_workbook(case, tmp_path / "autre.xlsx")
    assert jdv("check", book)[0] == 2
    written = tmp_path / "mise-en-page.yaml"
    status, out, _ = jdv("layout", book, "--write", written)
    assert status == 1
    assert "Valeurs 2026" in out
    text = written.read_text(encoding="utf-8")
    assert jdv("layout", book, "--layout", written)[0] == 1, "proposals are comments: nothing is guessed"
    uncovered = [
        line[1:] if line.startswith("#  ") and "comment:" not in line else line
        for line in text.replace('order_code: ["…"]', 'order_code: ["LOINC dem."]').splitlines()
    ]
    written.write_text("\n".join(uncovered) + "\n", encoding="utf-8")
    status, out, err = jdv("check", book, "--layout", written, "--format", "json")
    assert err == ""
    assert status == 0, out
    findings = json.loads(out)["findings"]
    assert {item["rule"] for item in findings} <= {"STR-03", "TYP-03"}


def test_layout_shows_what_is_unknown_and_what_is_near(tmp_path: Path, jdv: Run) -> None:
    book = build_workbook({"headers": {"unit": "Unité recomandée"}, "drop": ["techniques"]}, tmp_path / "v.xlsx")
    status, out, _ = jdv("layout", book)
    assert status == 1
    assert "inconnue ; proche de « Unité recommandée » (unit)" in " ".join(
        out.replace("\u202f", " ").replace("\u00a0", " ").split()
    )
    assert "7.Techniques" in out


def test_sample_is_copied_once(tmp_path: Path, jdv: Run) -> None:
    status, _, _ = jdv("sample", tmp_path / "exemple")
    assert status == 0
    assert {path.name for path in (tmp_path / "exemple").iterdir()} >= {path.name for path in files().values()}
    assert (tmp_path / "exemple" / files()["1.0.0"].name).read_bytes() == files()["1.0.0"].read_bytes()
    assert jdv("sample", tmp_path / "exemple")[0] == 2


def test_rule_pages(jdv: Run) -> None:
    first_of_family = {identifier[:3]: identifier for identifier in reversed(load_catalogue())}
    for identifier in first_of_family.values():
        for language in ("fr", "en"):
            status, out, _ = jdv("rule", identifier, "--lang", language)
            assert status == 0
            assert identifier in out
    assert jdv("rule", "cod-02")[0] == 0


def test_rules_list(jdv: Run) -> None:
    listed = json.loads(jdv("rules", "--format", "json")[1])
    assert [item["rule"] for item in listed] == list(load_catalogue())
    assert all(rule in jdv("rules", "TYP")[1] for rule in load_catalogue() if rule.startswith("TYP"))


def test_a_closed_pipe_is_no_error() -> None:
    command = f'"{sys.executable}" -m jdv_qa rules | head -1'
    answer = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert answer.stderr == ""

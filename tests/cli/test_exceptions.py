"""Waivers, baselines and settings, end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.checks.baseline import Baseline
from jdv_qa.checks.waivers import key_of, load_waivers, waiver_entry
from jdv_qa.cli.app import main
from tests.casebook import build_workbook
from tests.checks.test_findings import finding

OBSERVATION = {"order_type": "Observation"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    build_workbook({"rows": [OBSERVATION]}, tmp_path / "v.xlsx")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(run(capsys, "check", "v.xlsx", "--format", "json", *arguments)[1])
    return content


WAIVE = ["waive", "v.xlsx", "--rule", "typ-03", "--cell", "G3", "--reason", "seul code : à garder", "--by", "Dr Martin"]


def test_a_waived_finding_is_shown_counted_and_fails_no_more(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check", "v.xlsx", "--fail-on", "warning")[0] == 1
    assert run(capsys, *WAIVE)[0] == 0
    assert run(capsys, "check", "v.xlsx", "--fail-on", "warning", "--waivers", "derogations.yaml")[0] == 0
    content = report(capsys, "--waivers", "derogations.yaml")
    assert content["summary"] == {"error": 0, "warning": 0, "info": 0, "waived": 1}
    assert [(item["rule"], item["waived"]) for item in content["findings"]] == [("TYP-03", True)]
    out = run(capsys, "check", "v.xlsx", "--waivers", "derogations.yaml")[1]
    assert "Dr Martin" in out
    assert "seul code : à garder" in out


def test_the_file_of_waivers_keeps_what_people_wrote(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = '# notre fichier\n- {rule: COD-02, row: "a|b", field: result_code, value: x, reason: y, by: z, date: 2026-01-01}  # à revoir\n'
    Path("derogations.yaml").write_text(mine, encoding="utf-8")
    assert run(capsys, *WAIVE, "--until", "1.2.0")[0] == 0
    text = Path("derogations.yaml").read_text(encoding="utf-8")
    assert text.startswith(mine.rstrip())
    assert [waiver.rule for waiver in load_waivers(Path("derogations.yaml"))] == ["COD-02", "TYP-03"]
    assert load_waivers(Path("derogations.yaml"))[1].until == "1.2.0"


def test_a_file_that_cannot_be_added_to_is_left_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("derogations.yaml").write_text("[]\n", encoding="utf-8")
    status, out, err = run(capsys, *WAIVE)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert Path("derogations.yaml").read_text(encoding="utf-8") == "[]\n"


def test_a_waiver_dies_when_the_value_changes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_workbook({"rows": [OBSERVATION | {"result_display": " Sodium"}]}, home / "v.xlsx")
    arguments = ["waive", "v.xlsx", "--rule", "CEL-01", "--cell", "Q3", "--reason", "r", "--by", "b"]
    assert run(capsys, *arguments)[0] == 0
    assert report(capsys, "--waivers", "derogations.yaml")["summary"]["waived"] == 1
    build_workbook({"rows": [OBSERVATION | {"result_display": "  Sodium"}]}, home / "v.xlsx")
    content = report(capsys, "--waivers", "derogations.yaml")
    assert content["summary"]["waived"] == 0
    assert [item["rule"] for item in content["findings"]].count("CEL-01") == 1
    assert [item["rule"] for item in content["findings"]].count("DER-01") == 1


def test_a_waiver_follows_its_row(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *WAIVE)[0] == 0
    rows = [{"order_code": "718-7", "order_label": "Hb", "result_code": "718-7"}, OBSERVATION]
    build_workbook({"rows": rows}, home / "v.xlsx")
    findings = report(capsys, "--waivers", "derogations.yaml", "--select", "TYP,DER")["findings"]
    assert [(item["cell"], item["waived"]) for item in findings] == [("G4", True)]


def test_a_waiver_covers_one_finding(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_workbook({"rows": [{"result_code": "2951-3"}, {"result_code": "2951-3"}]}, home / "v.xlsx")
    assert run(capsys, "waive", "v.xlsx", "--rule", "COD-02", "--cell", "O3", "--reason", "r", "--by", "b")[0] == 0
    findings = report(capsys, "--waivers", "derogations.yaml", "--select", "COD-02")["findings"]
    assert [item["waived"] for item in findings] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--rule", "TYP-03", "--cell", "G99", "--reason", "r", "--by", "b"], "G3"),
        (["--rule", "XYZ-03", "--cell", "G3", "--reason", "r", "--by", "b"], "XYZ-03"),
        (["--rule", "TYP-05", "--cell", "G3", "--reason", "r", "--by", "b"], "LOINC"),
        (["--rule", "TYP-03", "--cell", "G3", "--by", "b"], "--reason"),
        (["--rule", "TYP-03", "--cell", "G3", "--reason", "r", "--by", " "], "--by"),
        (["--rule", "GRP-01", "--cell", "O4", "--reason", "r", "--by", "b"], "n'admet pas"),
    ],
)
def test_refusals(
    arguments: list[str], part: str, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    status, out, err = run(capsys, "waive", "v.xlsx", *arguments)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert part in err
    assert not Path("derogations.yaml").exists()


@pytest.mark.parametrize(
    "content", ["rule: x", "- x", "- {rule: TYP-03}", "[", '- {rule: a, row: a, field: a, value: a, reason: "", by: a, date: a}',
                "- {rule: a, row: a, field: a, value: a, reason: a, by: a, date: a, why: a}"]
)  # fmt: skip
def test_wrong_waivers_get_one_line(content: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("w.yaml").write_text(content, encoding="utf-8")
    status, out, err = run(capsys, "check", "v.xlsx", "--waivers", "w.yaml")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "w.yaml" in err


@given(
    value=st.text(),
    row=st.text(),
    reason=st.text(min_size=1).filter(str.strip),
    until=st.sampled_from(["", "1.2", "1.10"]),
)
def test_an_entry_reads_back_as_the_waiver_it_was_written_for(value: str, row: str, reason: str, until: str) -> None:
    import datetime as dt

    found = finding(value=value, row_key=row)
    entry = yaml.safe_load(waiver_entry(found, reason, "moi", until, dt.date(2026, 1, 2)))[0]
    assert (entry["rule"], entry["row"], entry["field"], entry["value"]) == key_of(found)
    assert (entry["reason"], entry.get("until", ""), entry["date"]) == (reason, until, "2026-01-02")


def test_baseline_fails_only_for_what_is_new(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_workbook({"rows": [{"result_code": "2951-3"}]}, home / "v.xlsx")
    assert run(capsys, "check", "v.xlsx", "--select", "COD", "--format", "json", "-o", "old.json")[0] == 1
    assert run(capsys, "check", "v.xlsx", "--select", "COD", "--baseline", "old.json")[0] == 0
    rows = [{"result_code": "2951-3"}, {"result_code": "2951-3"}, {"result_code": "718-8"}]
    build_workbook({"rows": rows}, home / "v.xlsx")
    content = report(capsys, "--select", "COD", "--baseline", "old.json")
    assert [content["findings"][number]["row"] for number in content["baseline"]["new"]] == [4, 5]
    assert (content["baseline"]["known"], content["baseline"]["gone"]) == (1, [])
    assert run(capsys, "check", "v.xlsx", "--select", "COD", "--baseline", "old.json")[0] == 1
    build_workbook({}, home / "v.xlsx")
    content = report(capsys, "--select", "COD", "--baseline", "old.json")
    assert content["baseline"]["gone"] == [
        {"rule": "COD-02", "row_key": "2951-2|2951-3", "field": "result_code", "value": "2951-3"}
    ]
    assert "1 disparu" in run(capsys, "check", "v.xlsx", "--select", "COD", "--baseline", "old.json")[1]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"schema": "jdv-diff/1"}', '{"schema": "jdv-check/1"}'])
def test_wrong_baselines_get_one_line(content: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.json").write_text(content, encoding="utf-8")
    status, out, err = run(capsys, "check", "v.xlsx", "--baseline", "old.json")
    assert (status, out, len(err.splitlines())) == (2, "", 1)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=12), st.lists(st.sampled_from("ab"), max_size=12)
)
def test_new_known_and_gone_add_up(now: list[tuple[str, bool]], before: list[str]) -> None:
    from collections import Counter

    findings = [finding(value=value, waived=waived) for value, waived in now]
    baseline = Baseline("old.json", "1.0", Counter(key_of(finding(value=value)) for value in before))
    new, known, gone = baseline.split(findings)
    assert len(new) + len(known) == sum(not waived for _, waived in now)
    assert len(known) + gone.total() == len(before)
    assert not {key_of(item) for item in new} & set(gone)


def test_settings_of_the_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("jdv.toml").write_text(
        '[check]\nprofile = "publication"\nfail-on = "warning"\nignore = ["STR"]\n[severities]\nTYP-03 = "info"\n[parameters.ATT-04]\nversions = 0\n',
        encoding="utf-8",
    )
    content = report(capsys)
    assert {item["severity"] for item in content["findings"] if item["rule"] == "TYP-03"} == {"info"}
    assert not any(rule.startswith("STR") for rule in content["rules"]["run"])
    build_workbook({"rows": [{"result_code": "600238"}]}, home / "v.xlsx")
    build_workbook({"rows": [{"result_code": "600238"}]}, home / "old.xlsx")
    rules = [item["rule"] for item in report(capsys, "--previous", "old.xlsx", "--select", "ATT-04")["findings"]]
    assert rules == ["ATT-04"]


def test_the_command_line_counts_more_than_the_settings(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("jdv.toml").write_text('[check]\nselect = ["COD"]\nfail-on = "info"\n', encoding="utf-8")
    assert run(capsys, "check", "v.xlsx")[0] == 0
    assert run(capsys, "check", "v.xlsx", "--select", "TYP")[0] == 1
    assert run(capsys, "check", "v.xlsx", "--select", "TYP", "--fail-on", "error")[0] == 0


@pytest.mark.parametrize(
    "content",
    [
        "[chek]",
        "[check]\nprofil = 'x'",
        "[check]\nselect = 'COD'",
        "[check]\nfail-on = 'grave'",
        "[severities]\nCOD = 'grave'",
        "x = [",
    ],
)
def test_wrong_settings_get_one_line(content: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("jdv.toml").write_text(content, encoding="utf-8")
    status, out, err = run(capsys, "check", "v.xlsx")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "jdv.toml" in err

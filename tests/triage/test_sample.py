"""The register of the sample: the verdicts its table expects, and what edition 1.1.0 has of it."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Change
from jdv_qa.sample import REQUESTS, build, files
from jdv_qa.terminology.store import find_release
from jdv_qa.triage.decisions import Decision
from jdv_qa.triage.following import Followed, follow, linked
from jdv_qa.triage.requests import Register, read_requests
from jdv_qa.triage.review import review
from jdv_qa.triage.verdict import VERDICTS
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.read import read_edition
from tests.triage.sample_loinc import write_release

NEEDS_LOINC = {"1", "2", "3", "36"}
"""Requests for a code that is new to the value set: without LOINC nobody can say whether it may be taken."""

ABSENT = {"18", "22", "23", "26", "31", "32", "33", "34", "35", "36", "37", "38"}
IN_PART = {"24", "27", "28", "29"}
ALREADY = {"19", "20", "21"}


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    return {row["number"]: row["verdict"] for row in build.read_table("requests")}


@pytest.fixture(scope="module")
def register() -> Register:
    return read_requests(REQUESTS)


@pytest.fixture(scope="module")
def editions() -> tuple[Edition, Edition]:
    return read_edition(files()["1.0.0"]), read_edition(files()["1.1.0"])


def test_the_register_reads_as_its_table(register: Register, expected: dict[str, str]) -> None:
    assert register.remarks == ()
    rows = build.read_table("requests")
    assert [request.number for request in register.requests] == [row["number"] for row in rows]
    words = {"kind": "kind_text", "object": "object_text"}
    for request, row in zip(register.requests, rows, strict=True):
        assert {name: getattr(request, words.get(name, name)) for name in row if name != "verdict"} == {
            name: text for name, text in row.items() if name != "verdict"
        }
    assert set(expected.values()) == set(VERDICTS)


def test_verdicts_with_loinc(
    register: Register, editions: tuple[Edition, Edition], expected: dict[str, str], tmp_path: Path
) -> None:
    loinc = find_release(str(write_release(tmp_path / "loinc", editions[0])))
    done = review(register, editions[0], loinc=loinc)
    assert {item.request.number: item.verdict for item in done.requests} == expected


def test_verdicts_without_loinc(
    register: Register, editions: tuple[Edition, Edition], expected: dict[str, str]
) -> None:
    done = review(register, editions[0])
    found = {item.request.number: item.verdict for item in done.requests}
    assert found == expected | dict.fromkeys(NEEDS_LOINC, "incomplete")


@pytest.fixture(scope="module")
def followed(register: Register, editions: tuple[Edition, Edition]) -> dict[str, Followed]:
    decisions = [Decision(request.number, "accepted") for request in register.requests]
    return {one.asked.number: one for one in follow(register.requests, decisions, editions[1], editions[0])}


def test_what_the_next_edition_has(followed: dict[str, Followed], expected: dict[str, str]) -> None:
    states = {number: one.state for number, one in followed.items()}
    assert states == {
        number: "absent"
        if number in ABSENT
        else "partly"
        if number in IN_PART
        else "already"
        if number in ALREADY
        else "published"
        for number in expected
    }
    assert {expected[number] for number, state in states.items() if state == "published"} >= {"acceptable", "duplicate"}
    assert all(states[number] == "published" for number, verdict in expected.items() if verdict == "acceptable")


def test_a_result_is_there_under_the_order_that_replaced_the_one_asked(followed: dict[str, Followed]) -> None:
    assert followed["1"].notes == ("24331-1 a été remplacé par 57698-3",)
    assert {(change.part, change.code, change.result) for change in followed["1"].changes} == {
        ("result", "70204-3", None),
        ("association", "57698-3", "70204-3"),
    }


def test_what_is_missing_is_named(followed: dict[str, Followed]) -> None:
    assert followed["26"].missing == (
        "«\u00a0Unité recommandée\u00a0» de 2345-7\u00a0: «\u00a0g/L\u00a0», demandé «\u00a0mmol/L\u00a0»",
    )
    assert "67151-1, et non sous 6598-7" in followed["29"].missing[0]
    assert followed["38"].missing == ("1407312 attend encore son code LOINC",)


def test_tab_9_tells_what_replaced_an_order_where_the_previous_edition_is_not_given(
    register: Register, editions: tuple[Edition, Edition], expected: dict[str, str]
) -> None:
    decisions = [Decision(number, "accepted") for number in expected]
    found = {one.asked.number: one for one in follow(register.requests, decisions, editions[1])}
    assert found["1"].state == "published"
    assert found["1"].notes == ("24331-1 a été remplacé par 57698-3",)
    assert found["19"].before is None
    assert found["19"].state == "published"


def test_changes_and_the_requests_behind_them(register: Register, editions: tuple[Edition, Edition]) -> None:
    old, new = editions
    comparison = compare(old, new)
    links = linked(register.requests, comparison, old, new)

    def asked(kind: str, part: str, code: str, **more: str) -> tuple[str, ...]:
        (change,) = (
            one
            for one in comparison.changes
            if (one.kind, one.part, one.code) == (kind, part, code)
            and all(getattr(one, name) == text for name, text in more.items())
        )
        return links.get(change, ())

    assert asked("modified", "result", "19113-0", field="unit") == ("4", "16")
    assert asked("modified", "result", "1742-6", field="result_display") == ("17",)
    assert asked("modified", "result", "14804-9", field="comparability") == ("30",)
    assert asked("modified", "result", "14804-9", field="discriminating_technique") == ("30",)
    assert [asked("modified", "result", "15061-5", field=name) for name in ("chapter", "subchapter", "rank")] == [
        ("39",)
    ] * 3
    assert asked("added", "association", "57698-3", result="70204-3") == ("1", "15")
    assert asked("added", "result", "33863-2") == ("24", "28")
    assert asked("added", "association", "33863-2", result="33863-2") == ("24", "28")
    assert asked("added", "nabm", "85421-6", nabm="0270") == ("10",)
    assert asked("removed", "nabm", "24353-5", nabm="0412") == ("11",)
    assert asked("removed", "order", "6598-7") == ("14",)
    assert asked("removed", "association", "2000-8", result="17861-6") == ("7",)
    assert asked("added", "specimen", "LAVG") == ("12",)
    unasked: list[Change] = [change for change in comparison.changes if change not in links]
    assert {change.kind for change in unasked} >= {"assigned", "replaced"}
    assert len(links) == 37


def test_the_register_is_built_from_its_table(tmp_path: Path) -> None:
    built = tmp_path / REQUESTS.name
    built.write_bytes(build.requests_workbook(files()["1.0.0"]))
    books = [openpyxl.load_workbook(path) for path in (built, REQUESTS)]
    cells = [{sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets} for book in books]
    assert cells[0] == cells[1]

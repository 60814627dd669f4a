"""`jdv diff` and `jdv notes` on real workbooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jdv_qa.language import use_language
from tests.casebook import build_workbook
from tests.command_line import invoke


@pytest.fixture(autouse=True)
def _french_again() -> Iterator[None]:
    yield
    use_language("fr")


@pytest.fixture
def books(tmp_path: Path) -> tuple[str, str]:
    """Return two workbooks: in the second a unit has changed, and a cell has gained a space."""
    old = build_workbook({"rows": [{}], "summary": {"version": "1.0.0"}}, tmp_path / "old.xlsx")
    changed = {"unit": "[IU]/L", "order_label": "Sodium (demande) "}
    new = build_workbook({"rows": [changed], "summary": {"version": "1.1.0"}}, tmp_path / "new.xlsx")
    return str(old), str(new)


def run(*arguments: str, status: int = 0) -> str:
    result = invoke(*arguments)
    assert result.exit_code == status, result.output
    return result.output


def test_exit_status(books: tuple[str, str]) -> None:
    assert "1 changement" in run("diff", *books, status=1)
    assert "1 changement" in run("diff", *books, "--exit-zero")
    assert "Aucun changement" in run("diff", books[0], books[0])


def test_json(books: tuple[str, str]) -> None:
    content = json.loads(run("diff", *books, "--format", "json", status=1))
    assert (content["old"]["version"], content["new"]["version"]) == ("1.0.0", "1.1.0")
    assert [(c["field"], c["old"], c["new"]) for c in content["changes"]] == [("unit", "mmol/L", "[IU]/L")]


def test_a_file_holds_everything_and_is_not_replaced_by_surprise(books: tuple[str, str], tmp_path: Path) -> None:
    page = tmp_path / "changes.txt"
    said = run("diff", *books, "-o", str(page), status=1)
    assert said.startswith(f"{page} : 1 changement entre 1.0.0 et 1.1.0")
    assert "[IU]/L" in page.read_text(encoding="utf-8")
    assert "existe déjà" in run("diff", *books, "-o", str(page), status=2)
    run("diff", *books, "-o", str(page), "--force", "--lang", "en", status=1)
    assert page.read_text(encoding="utf-8").startswith("1 change between 1.0.0 and 1.1.0")


def test_notes(books: tuple[str, str], tmp_path: Path) -> None:
    page = tmp_path / "notes.md"
    run("notes", *books, "-o", str(page))
    assert "# Notes de version" in page.read_text(encoding="utf-8")
    assert run("notes", *books, "--lang", "en").startswith("# Release notes")


def test_a_missing_workbook_is_an_error_for_people(books: tuple[str, str]) -> None:
    assert run("diff", books[0], "absent.xlsx", status=2).startswith("jdv: absent.xlsx")

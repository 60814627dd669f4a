"""`jdv diff` and `jdv notes` as commands: forms, names of outputs, what stderr says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jdv_qa.cli.app import app
from jdv_qa.sample import files

OLD, NEW = (str(files()[version]) for version in ("1.0.0", "1.1.0"))


def jdv(*arguments: str) -> tuple[int, str, str]:
    answer = CliRunner().invoke(app, list(arguments))
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.stdout, answer.stderr


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("c.txt", b"67 changements"), ("c.json", b"{"), ("c.csv", b'"kind"'), ("c.xlsx", b"PK"), ("c.md", b"# Changements"),
        ("c.html", b"<!DOCTYPE html>"), ("C.HTM", b"<!DOCTYPE html>"), ("c", b"67 changements"),
    ],
)  # fmt: skip
def test_form_by_the_name_of_the_output(name: str, begins: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    status, out, err = jdv("diff", OLD, NEW, "-o", str(path))
    assert (status, out) == (1, "")
    assert err.startswith(f"{path} : 67 changements entre 1.0.0 et 1.1.0")
    assert path.read_bytes().startswith(begins)
    content = path.read_bytes()
    assert jdv("diff", OLD, NEW, "-o", str(path), "--force", "--exit-zero")[0] == 0
    assert path.read_bytes() == content


@pytest.mark.parametrize("form", ["json", "csv", "md", "html"])
def test_forms_on_the_screen(form: str) -> None:
    status, out, err = jdv("diff", OLD, NEW, "--format", form)
    assert (status, err) == (1, "")
    assert "41499-5" in out


def test_the_format_asked_for_counts_more_than_the_name(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    jdv("diff", OLD, NEW, "--format", "json", "-o", str(path))
    assert json.loads(path.read_text(encoding="utf-8"))["schema"] == "jdv-diff/1"


def test_csv_with_the_mark_for_excel(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    jdv("diff", OLD, NEW, "--bom", "-o", str(path))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("name", "begins"),
    [("n.md", "# Notes de version"), ("n.html", "<!DOCTYPE html>"), ("n.txt", "# Notes de version")],
)
def test_notes_by_the_name_of_the_output(name: str, begins: str, tmp_path: Path) -> None:
    path = tmp_path / name
    status, out, err = jdv("notes", OLD, NEW, "-o", str(path))
    assert (status, out, err) == (0, "", f"{path} : notes de version (67 changements)\n")
    assert path.read_text(encoding="utf-8").startswith(begins)


def test_short_notes(tmp_path: Path) -> None:
    status, out, err = jdv("notes", OLD, NEW, "--form", "short")
    assert (status, err) == (0, "")
    assert out.startswith("**JDV_CircuitBio 1.1.0 du 15 juillet 2026**")
    assert len([line for line in out.splitlines() if line]) <= 20
    page = jdv("notes", OLD, NEW, "--form", "short", "--format", "html")[1]
    assert "<li" in page
    path = tmp_path / "mail.html"
    assert "forme courte" in jdv("notes", OLD, NEW, "--form", "short", "-o", str(path))[2]

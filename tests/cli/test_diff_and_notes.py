"""`jdv diff` and `jdv notes` as commands: forms, names of outputs, what stderr says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jdv_qa.sample import files
from tests.command_line import invoke

OLD, NEW = (str(files()[version]) for version in ("1.0.0", "1.1.0"))


def jdv(*arguments: str) -> tuple[int, str, str]:
    return invoke(*arguments)


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
    assert len([line for line in out.splitlines() if line]) <= 12
    page = jdv("notes", OLD, NEW, "--form", "short", "--format", "html")[1]
    assert "<li" in page
    path = tmp_path / "mail.html"
    assert "forme courte" in jdv("notes", OLD, NEW, "--form", "short", "-o", str(path))[2]


def release(folder: Path, status: str, *codes: str) -> str:
    """Write a LOINC release in which the codes have a status; return its path."""
    columns = (
        "LOINC_NUM",
        "COMPONENT",
        "PROPERTY",
        "TIME_ASPCT",
        "SYSTEM",
        "SCALE_TYP",
        "METHOD_TYP",
        "CLASS",
        "STATUS",
    )
    lines = [columns, *((code, "x", "SCnc", "Pt", "Ser/Plas", "Qn", "", "CHEM", status) for code in codes)]
    folder.mkdir()
    text = "\n".join(",".join(f'"{cell}"' for cell in cells) for cells in lines)
    (folder / "Loinc.csv").write_text(text, encoding="utf-8")
    (folder / "MapTo.csv").write_text('"LOINC","MAP_TO","COMMENT"\n"2276-4","48378-4",""\n', encoding="utf-8")
    return str(folder)


def test_notes_with_loinc_releases(tmp_path: Path) -> None:
    old = release(tmp_path / "Loinc_2.79", "ACTIVE", "2276-4", "48378-4")
    new = release(tmp_path / "Loinc_2.80", "DEPRECATED", "2276-4", "48378-4")
    status, out, err = jdv("notes", OLD, NEW, "--loinc", new, "--old-loinc", old)
    assert (status, err) == (0, "")
    assert "| ACTIVE | DEPRECATED | 2 | 2 |" in out
    assert (
        "LOINC statuses: 2 codes"
        in jdv("notes", OLD, NEW, "--loinc", new, "--old-loinc", old, "--form", "short", "--lang", "en")[1]
    )
    assert "DEPRECATED" not in jdv("notes", OLD, NEW, "--loinc", new)[1]
    assert jdv("notes", OLD, NEW, "--old-loinc", old)[0] == 2

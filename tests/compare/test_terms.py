"""The one-table form of LOINC Biologie FR (layout `loinc_fr`), and folders of exported tables."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import Workbook

from jdv_qa.compare.compare import compare
from jdv_qa.report.changes_json import changes_content
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook
from tests.command_line import invoke
from tests.compare.test_corpora import _key

HEADERS = [
    "Code LOINC", "Libellé français de référence", "Composant anglais", "Composant français", "Synonymes", "Grandeur",
    "Temps", "Milieu biologique", "Echelle", "Technique", "Chapitre", "Date de validation", "Version VP", "Statut",
    "Version item corrigé",
]  # fmt: skip
SODIUM = ["2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "Sodium", "Sodium", "Na", "Moles/Volume", "Ponctuel",
          "Sérum/Plasma", "Numérique", None, "CHEM", "2024-06-01", "2.22", "ACTIVE", None]  # fmt: skip
POTASSIUM = ["2823-3", "Potassium [Moles/Volume] Sérum/Plasma ; Numérique", *SODIUM[2:]]


def book(path: Path, rows: list[list[str | None]], title: str = "LOINC Biologie FR 2.23 (2.79-2.80)") -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Feuille au nom libre"
    for line in ([title], HEADERS, *rows):
        sheet.append(line)
    workbook.save(path)
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = invoke(*arguments)
    return result.exit_code, result.output


def test_changes_of_terms(tmp_path: Path) -> None:
    one = book(tmp_path / "v1.xlsx", [SODIUM, POTASSIUM], "LOINC Biologie FR 2.22 (2.78)")
    two = book(tmp_path / "v2.xlsx", [["1995-0", "Calcium", *SODIUM[2:]], [*SODIUM[:13], "DISCOURAGED", None]])
    status, text = run("diff", one, two, "--layout", "loinc_fr", "--format", "json")
    content = json.loads(text)
    assert status == 1
    assert (content["old"]["version"], content["new"]["version"]) == ("2.22", "2.23")
    assert [(c["kind"], c["part"], c["code"], c["field"], c["old"], c["new"]) for c in content["changes"]] == [
        ("added", "term", "1995-0", None, None, None),
        ("removed", "term", "2823-3", None, None, None),
        ("modified", "term", "2951-2", "status", "ACTIVE", "DISCOURAGED"),
    ]
    assert "Statut (1 terme)" in run("diff", one, two, "--layout", "loinc_fr")[1]
    assert run("diff", two, two, "--layout", "loinc_fr")[0] == 0


def test_the_title_says_the_version(tmp_path: Path) -> None:
    path = book(tmp_path / "v1.xlsx", [SODIUM])
    identity = read_edition(path, load_layout("loinc_fr")).identity
    assert (identity.title, identity.version, identity.loinc_version) == (
        "LOINC Biologie FR 2.23 (2.79-2.80)", "2.23", "2.79-2.80",
    )  # fmt: skip
    other = book(tmp_path / "v2.xlsx", [SODIUM], "LOINC Biologie FR")
    assert read_edition(other, load_layout("loinc_fr")).identity.version == ""


def test_the_other_commands_on_that_layout(tmp_path: Path) -> None:
    path = book(tmp_path / "v1.xlsx", [SODIUM, POTASSIUM])
    assert "2.79-2.80" in run("info", path, "--layout", "loinc_fr")[1]
    status, text = run("info", path, "--layout", "loinc_fr", "--format", "json")
    assert (status, json.loads(text)["tabs"]["terms"]["rows"]) == (0, 2)
    assert run("check", path, "--layout", "loinc_fr")[0] == 0
    assert run("export", path, tmp_path / "out", "--layout", "loinc_fr")[0] == 0
    assert run("diff", tmp_path / "out", path, "--layout", "loinc_fr")[0] == 0


def test_a_folder_of_exported_tables_against_a_workbook(tmp_path: Path) -> None:
    old = build_workbook({"rows": [{}], "summary": {"version": "1.0.0"}}, tmp_path / "old.xlsx")
    new = build_workbook({"rows": [{"unit": "[IU]/L"}], "summary": {"version": "1.1.0"}}, tmp_path / "new.xlsx")
    for name in ("old", "new"):
        assert run("export", tmp_path / f"{name}.xlsx", tmp_path / name)[0] == 0
    assert run("diff", tmp_path / "old", old)[0] == 0
    for pair in ((tmp_path / "old", new), (old, tmp_path / "new"), (tmp_path / "old", tmp_path / "new")):
        status, text = run("diff", *pair, "--format", "json")
        assert (status, [c["field"] for c in json.loads(text)["changes"]]) == (1, ["unit"])


def test_nothing_is_shown_of_progress_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdv_qa.cli.progress.LARGE", 0)
    path = book(tmp_path / "v1.xlsx", [SODIUM])
    result = invoke("diff", path, path, "--layout", "loinc_fr")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.slow
def test_every_change_of_sixty_thousand_terms_and_nothing_else(kit: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, kit / "loinc_fr.py", tmp_path], check=True, capture_output=True)
    layout = load_layout("loinc_fr")
    old, new = (read_edition(tmp_path / name, layout) for name in ("v1.xlsx", "v2.xlsx"))
    said = [_key(change) for change in changes_content(compare(old, new))["changes"]]
    truth = [_key(change) for change in json.loads((tmp_path / "diff_truth.json").read_text(encoding="utf-8"))]
    assert len(truth) == 1750
    assert sorted(said) == sorted(truth)

"""`jdv fix` and `jdv check --annotate` through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jdv_qa.cli.app import main
from jdv_qa.sample import files
from tests.casebook import build_workbook

DRAFT = files()["1.2.0"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jdv(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: (exit status, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_fix_says_what_it_did_and_leaves_the_draft(jdv: Run, tmp_path: Path) -> None:
    before = DRAFT.read_bytes()
    output = tmp_path / "corrigé.xlsx"
    status, out, err = jdv("fix", DRAFT, "-o", output)
    assert status == 0
    assert "A111" in out
    assert "0536" in out
    assert "corrigées" in err
    assert "jamais appliquées" in out
    assert DRAFT.read_bytes() == before
    again = tmp_path / "encore.xlsx"
    status, out, err = jdv("fix", output, "-o", again)
    assert (status, again.read_bytes()) == (0, output.read_bytes())
    assert "Rien à corriger" in out
    assert "rien à corriger" in err


def test_dry_run_writes_nothing_and_tells_by_its_status(jdv: Run, tmp_path: Path) -> None:
    output = tmp_path / "a.xlsx"
    assert jdv("fix", DRAFT, "-o", output, "--dry-run")[0] == 1
    assert not output.exists()
    clean = build_workbook({"rows": [{}]}, tmp_path / "b.xlsx")
    assert jdv("fix", clean, "--dry-run")[0] == 0


def test_status_one_when_a_certain_fix_is_refused(jdv: Run, tmp_path: Path) -> None:
    path = build_workbook({"rows": [{}, {"result_code": "2951\u20112"}]}, tmp_path / "a.xlsx")
    status, out, _ = jdv("fix", path, "-o", tmp_path / "b.xlsx")
    assert status == 1
    assert "GRP-01 aurait à redire" in " ".join(out.split())
    assert "Rien à corriger" not in out
    assert (tmp_path / "b.xlsx").read_bytes() == path.read_bytes()


def test_fix_as_json(jdv: Run) -> None:
    status, out, _ = jdv("fix", DRAFT, "--dry-run", "--units", "--format", "json")
    content = json.loads(out)
    assert (status, content["schema"]) == (1, "jdv-fix/1")
    units = [fix for fix in content["fixed"] if fix["cell"] == "T162"]
    assert [(fix["before"], fix["after"], fix["rules"]) for fix in units] == [("UI/L", "[IU]/L", ["UNI-02"])]
    assert content["summary"]["fixed"] == len(content["fixed"])
    assert {left["reason"] for left in content["left"]} == {"unsafe"}
    assert jdv("fix", DRAFT, "--dry-run", "--units", "--format", "json")[1] == out


def test_fix_wants_a_place_that_is_not_the_draft(jdv: Run, tmp_path: Path) -> None:
    path = build_workbook({"rows": [{}]}, tmp_path / "a.xlsx")
    for arguments in ((), ("-o", path, "--force")):
        status, _, err = jdv("fix", path, *arguments)
        assert (status, err.count("\n")) == (2, 1)
    (tmp_path / "b.xlsx").write_bytes(b"x")
    assert jdv("fix", path, "-o", tmp_path / "b.xlsx")[0] == 2
    assert (tmp_path / "b.xlsx").read_bytes() == b"x"


def test_annotate_and_take_it_out_again(jdv: Run, tmp_path: Path) -> None:
    plain = jdv("check", DRAFT, "--format", "json")[1]
    copy = tmp_path / DRAFT.name
    status, _, err = jdv("check", DRAFT, "--annotate", copy)
    assert status == 1
    assert "constats dans le classeur" in err
    findings = json.loads(jdv("check", copy, "--format", "json")[1])["findings"]
    assert findings == json.loads(plain)["findings"]
    assert "Contrôle qualité" not in jdv("layout", copy)[1]
    assert jdv("diff", DRAFT, copy)[0] == 0
    clean = tmp_path / "propre.xlsx"
    jdv("fix", copy, "-o", clean, "--unmark")
    from openpyxl import load_workbook

    assert load_workbook(clean).sheetnames == load_workbook(DRAFT).sheetnames
    assert not any(cell.comment for row in load_workbook(clean)["1.JDV_CircuitBio"].iter_rows() for cell in row)


def test_annotate_never_writes_over_what_it_reads(jdv: Run, tmp_path: Path) -> None:
    path = build_workbook({"rows": [{}]}, tmp_path / "a.xlsx")
    before = path.read_bytes()
    status, _, err = jdv("check", path, "--annotate", path, "--force")
    assert status == 2
    assert "jamais changé" in err
    assert path.read_bytes() == before
    (tmp_path / "b.xlsx").write_bytes(b"x")
    assert jdv("check", path, "--annotate", tmp_path / "b.xlsx")[0] == 2
    assert jdv("check", path, "--annotate", tmp_path / "b.xlsx", "--force")[0] in (0, 1)

"""The commands of the register end to end: release, import-release, releases, verify, history, indicators, and versions by number."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jdv_qa.cli.app import main
from jdv_qa.sample import REQUESTS, files

SAMPLE = files()
COMMANDS = ["release", "releases", "verify", "history", "indicators", "import-release"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jdv(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, on a terminal of 100 columns: (exit status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the register of the sample, 1.0.0 imported and 1.1.0 released."""
    folder = tmp_path_factory.mktemp("made")
    for command in (["import-release", SAMPLE["1.0.0"]], ["release", SAMPLE["1.1.0"]]):
        subprocess.run(
            [sys.executable, "-m", "jdv_qa", *map(str, command)], cwd=folder, check=True, capture_output=True
        )
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the current folder."""
    shutil.copytree(made / "releases", tmp_path / "releases")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, jdv: Run) -> None:
    status, out, _ = jdv(command, "--help")
    assert status == 0
    assert "--register" in out
    assert "--lang" in out


def test_a_release_tells_the_requests_behind_its_changes(jdv: Run, tmp_path: Path) -> None:
    register = tmp_path / "releases"
    assert jdv("import-release", SAMPLE["1.0.0"], "--register", register)[0] == 0
    assert jdv("release", SAMPLE["1.1.0"], "--register", register, "--requests", REQUESTS)[0] == 0
    notes = (register / "1.1.0" / "notes_de_version.md").read_text(encoding="utf-8")
    (unit,) = (line for line in notes.splitlines() if line.startswith("| 19113-0") and "k[IU]/L" in line)
    assert "n°\u00a04" in unit


def test_releases(here: Path, jdv: Run) -> None:
    status, out, _ = jdv("releases")
    assert status == 0
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["1.0.0", "2026-01-15", "2.79", "importée", "178", "351", "–", "–"],
        ["1.1.0", "2026-07-15", "2.79", "publiée", "180", "355", "67", "28"],
    ]
    content = json.loads(jdv("releases", "--format", "json")[1])
    assert [release["version"] for release in content["releases"]] == ["1.0.0", "1.1.0"]
    rows = list(csv.DictReader(io.StringIO(jdv("releases", "--format", "csv")[1]), delimiter=";"))
    assert (rows[1]["orders"], rows[1]["breaking"], rows[0]["breaking"]) == ("180", "28", "")
    assert jdv("releases", "-o", "list.txt")[0] == 0
    assert "importée" in (here / "list.txt").read_text(encoding="utf-8")


def test_releases_of_no_register(tmp_path: Path, jdv: Run) -> None:
    status, out, _ = jdv("releases", "--register", tmp_path / "none")
    assert status == 0
    assert "aucune version" in out


def test_dry_run_shows_all_and_writes_nothing(tmp_path: Path, jdv: Run) -> None:
    register = tmp_path / "r"
    status, out, err = jdv("release", SAMPLE["1.1.0"], "--register", register, "--dry-run")
    assert status == 0
    assert "Version 1.1.0 (2.79) · 2026-07-15 · première version du registre" in out
    assert "Contrôle, profil publication : 0 erreur" in out
    assert "dat/JDV_CircuitBio_1.1.0.xlsx" in out
    assert "rien n'a été écrit" in err
    assert not register.exists()


def test_release_is_refused_with_reasons(here: Path, jdv: Run) -> None:
    status, out, err = jdv("release", SAMPLE["1.2.0"])
    assert (status, err) == (1, "")
    assert "Publication refusée :" in out
    assert "COD-02 : O101" in " ".join(out.split())
    assert "--profile publication --previous 1.1.0" in out
    assert not (here / "releases" / "1.2.0").exists()
    status, out, _ = jdv("release", SAMPLE["1.1.0"], "--format", "json")
    content = json.loads(out)
    assert status == 1
    assert "déjà au registre" in content["refused"][0]
    assert (content["schema"], content["written"], content["release"]["version"]) == (
        "jdv-release-plan/1",
        False,
        "1.1.0",
    )


def test_release_in_json_and_english_with_settings(tmp_path: Path, jdv: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jdv.toml").write_text(
        '[release]\nregister = "registre"\nseparator = ","\nbom = true\n', encoding="utf-8"
    )
    status, out, err = jdv("release", SAMPLE["1.1.0"], "--format", "json", "--lang", "en")
    assert status == 0, err
    assert json.loads(out)["written"]
    assert "released (first version)" in err
    header = (tmp_path / "registre" / "1.1.0" / "dat" / "sites.csv").read_bytes().splitlines()[0]
    assert header == '\ufeff"Code","Libellé"'.encode()
    assert jdv("verify")[0] == 0
    assert jdv("info", "1.1.0")[0] == 0
    (tmp_path / "jdv.toml").write_text('[release]\nseparator = "|"\n', encoding="utf-8")
    assert jdv("release", SAMPLE["1.1.0"])[0] == 2
    (tmp_path / "jdv.toml").write_text("[release]\nregistre = 1\n", encoding="utf-8")
    status, _, err = jdv("releases")
    assert status == 2
    assert "clé inconnue « release.registre » (possibles : register, profile, separator, bom)" in err


def test_usage_errors(jdv: Run, tmp_path: Path) -> None:
    assert jdv("release", SAMPLE["1.1.0"], "--date", "hier", "--register", tmp_path)[0] == 2
    assert jdv("release", SAMPLE["1.1.0"], "--separator", "|", "--register", tmp_path)[0] == 2
    assert jdv("import-release", SAMPLE["1.0.0"], SAMPLE["1.1.0"], "--version", "1.0", "--register", tmp_path)[0] == 2
    status, _, err = jdv("release", tmp_path / "none.xlsx", "--register", tmp_path)
    assert status == 2
    assert "fichier introuvable" in err


def test_imports_enter_by_version_and_in_order(tmp_path: Path, jdv: Run) -> None:
    register = tmp_path / "r"
    status, out, _ = jdv("import-release", SAMPLE["1.1.0"], SAMPLE["1.0.0"], "--register", register)
    assert status == 0
    assert [line.split()[-1] for line in out.splitlines()] == [str(register / "1.0.0"), str(register / "1.1.0")]
    status, _, err = jdv("import-release", SAMPLE["1.0.0"], "--register", register)
    assert status == 1
    assert "la version 1.0.0 est déjà au registre" in err
    status, _, err = jdv("import-release", SAMPLE["1.0.0"], "--version", "1.0.5", "--register", register)
    assert status == 1
    assert "n'est pas au-dessus de la dernière du registre, 1.1.0" in err
    assert jdv("import-release", SAMPLE["1.2.0"], "--version", "../x", "--register", register)[0] == 2
    assert jdv("import-release", SAMPLE["1.2.0"], "--version", "2.0", "--register", register)[0] == 0
    assert jdv("verify", "--register", register)[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r"]


def test_verify_names_what_differs(here: Path, jdv: Run) -> None:
    status, out, _ = jdv("verify")
    assert (status, out.splitlines()[-1]) == (0, "2 versions vérifiées, aucun écart.")
    table = here / "releases" / "1.1.0" / "dat" / "main.csv"
    content = bytearray(table.read_bytes())
    content[5000] ^= 1
    table.chmod(0o644)
    table.write_bytes(content)
    (here / "releases" / "1.0.0" / "NOTICE").unlink()
    status, out, _ = jdv("verify")
    assert status == 1
    lines = [" ".join(line.split()[:2]) for line in out.splitlines()]
    assert "1.1.0/dat/main.csv modifié" in lines
    assert "1.0.0/NOTICE absent" in lines
    status, out, _ = jdv("verify", "1.0.0", "--format", "json")
    content_of = json.loads(out)
    assert status == 1
    assert content_of["faults"] == [{"path": "1.0.0/NOTICE", "kind": "missing"}]
    (here / "releases" / "index.json").write_text("{")
    status, _, err = jdv("verify")
    assert status == 2
    assert err.count("\n") == 1
    assert "index.json" in err


def test_history(here: Path, jdv: Run) -> None:
    status, out, _ = jdv("history", "43913-3")
    assert status == 0
    assert out.startswith("905853 → 43913-3")
    assert "code LOINC attribué, 43913-3" in out
    status, out, err = jdv("history", "1-8")
    assert (status, out) == (1, "")
    assert "aucune version du registre releases n'a ce code" in err
    assert json.loads(jdv("history", "14682-9", "-f", "json", "--lang", "en")[1])["schema"] == "jdv-history/1"
    assert jdv("history", "14682-9", "-f", "csv", "-o", "h.csv", "--bom")[0] == 0
    assert (here / "h.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("columns", ["80", "140"])
def test_nothing_is_cut_at_usual_widths(columns: str, here: Path, jdv: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for command in (["releases"], ["indicators"], ["history", "14804-9"], ["history", "6598-7"], ["verify"]):
        out = jdv(*command)[1]
        assert "…" not in out, out
        assert max(map(len, out.splitlines())) <= int(columns)


def test_indicators(here: Path, jdv: Run) -> None:
    status, out, _ = jdv("indicators")
    assert status == 0
    assert "178 → 180" in out
    assert "codes en attente différents parmi les résultats" in " ".join(out.split())
    assert jdv("indicators", SAMPLE["1.2.0"], "-o", "plot.svg")[0] == 0
    assert (here / "plot.svg").read_text(encoding="utf-8").count("1.2.0 – ") == 6
    rows = list(csv.reader(io.StringIO(jdv("indicators", "-f", "csv")[1]), delimiter=";"))
    assert rows[0][1:3] == ["1.0.0", "1.1.0"]
    assert jdv("indicators", "--register", "none")[0] == 2


@pytest.mark.slow
def test_figures_of_the_deck_come_out_of_the_corpus(
    corpus: Callable[[int, str, str], Path], jdv: Run, tmp_path: Path
) -> None:
    workbook = corpus(1, "a", "repeat") / "v1.xlsx"
    status, out, _ = jdv("indicators", workbook, "--register", tmp_path, "-f", "json")
    assert status == 0
    (version,) = json.loads(out)["versions"]
    assert version["version"] == "1.1.10"
    assert list(version["figures"].values()) == [1061, 75, 940, 17, 29, 2820, 2501, 319]


def test_versions_of_the_register_stand_for_workbooks(here: Path, jdv: Run) -> None:
    status, out, _ = jdv("diff", "1.0.0", "1.1.0", "--format", "json")
    assert status == 1
    content = json.loads(out)
    assert (content["old"]["version"], content["new"]["version"]) == ("1.0.0", "1.1.0")
    by_workbooks = json.loads(jdv("diff", SAMPLE["1.0.0"], SAMPLE["1.1.0"], "--format", "json")[1])
    assert content["changes"] == by_workbooks["changes"]
    assert json.loads((here / "releases" / "1.1.0" / "changes.json").read_bytes())["changes"] == by_workbooks["changes"]
    assert jdv("notes", "1.0", SAMPLE["1.1.0"], "-o", "notes.md")[0] == 0
    status, out, _ = jdv("check", SAMPLE["1.1.0"], "--previous", "1.0.0")
    assert status == 0
    assert "1.0.0" not in out.splitlines()[1]
    status, _, err = jdv("diff", "1.0.7", "1.1.0")
    assert status == 2
    assert "version 1.0.7 : elle n'est pas au registre" in err
    assert "versions : 1.0.0, 1.1.0" in err


def test_a_file_of_that_name_comes_before_a_version(here: Path, jdv: Run) -> None:
    shutil.copy(SAMPLE["1.1.0"], here / "1.0.0")
    status, out, _ = jdv("info", "1.0.0", "--format", "json")
    assert status == 0
    assert json.loads(out)["version"] == "1.1.0"

"""`jdv.toml` through the command line: found upward, validated, below the environment and the options."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.cli.app import main
from jdv_qa.cli.settings import find_settings, load_settings
from jdv_qa.errors import JdvError
from jdv_qa.sample import files
from tests.casebook import build_workbook
from tests.conftest import REPOSITORY
from tests.publish.releases import small_register


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a workbook, whose orders are observations (TYP-03, a warning), and the folder below where commands run."""
    build_workbook({"rows": [{"order_type": "Observation"}]}, tmp_path / "v.xlsx")
    (tmp_path / "brouillons").mkdir()
    monkeypatch.chdir(tmp_path / "brouillons")
    for name in ("JDV_CONFIG", "JDV_LANG", "JDV_PROFILE", "JDV_FAIL_ON", "JDV_LAYOUT", "JDV_LOINC", "JDV_REGISTER"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def settings(folder: Path, text: str) -> None:
    (folder / "jdv.toml").write_text(text, encoding="utf-8")


CHECK = ("check", "../v.xlsx")


def test_the_nearest_file_upward_counts(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *CHECK)[0] == 0
    settings(home, '[check]\nfail-on = "warning"\n')
    assert find_settings() == Path("..", "jdv.toml")
    assert run(capsys, *CHECK)[0] == 1
    settings(home / "brouillons", '[check]\nfail-on = "error"\n')
    assert find_settings() == Path("jdv.toml")
    assert run(capsys, *CHECK)[0] == 0


def test_an_option_counts_more_than_the_environment_and_that_more_than_the_file(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(home, '[check]\nfail-on = "warning"\nprofile = "publication"\n')
    monkeypatch.setenv("JDV_FAIL_ON", "never")
    monkeypatch.setenv("JDV_PROFILE", "brouillon")
    status, out, _ = run(capsys, *CHECK)
    assert (status, "profil brouillon" in out) == (0, True)
    assert run(capsys, *CHECK, "--fail-on", "info")[0] == 1
    assert "profil publication" in run(capsys, *CHECK, "--profile", "publication")[1]
    monkeypatch.delenv("JDV_PROFILE")
    assert "profil publication" in run(capsys, *CHECK)[1]


def test_language(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    settings(home, 'language = "en"\n')
    assert "profile brouillon" in run(capsys, *CHECK)[1]
    assert "profil brouillon" in run(capsys, "--lang", "fr", *CHECK)[1]
    assert "profil brouillon" in run(capsys, *CHECK, "--lang", "fr")[1]
    monkeypatch.setenv("JDV_LANG", "fr")
    assert "profil brouillon" in run(capsys, *CHECK)[1]


def test_language_of_a_file_that_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "autre.toml").write_text('language = "en"\n', encoding="utf-8")
    assert "profile brouillon" in run(capsys, *CHECK, "--config", "../autre.toml")[1]
    assert "profil brouillon" in run(capsys, "--lang", "fr", *CHECK, "--config", "../autre.toml")[1]
    assert "profil brouillon" in run(capsys, *CHECK, "--config", "../autre.toml", "--lang", "fr")[1]
    monkeypatch.setenv("JDV_CONFIG", "../autre.toml")
    assert "profile brouillon" in run(capsys, *CHECK)[1]


def test_layout_holds_for_every_command(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout = (
        'layout: notre\nextends: circuitbio\ntabs:\n  main:\n    columns:\n      unit: {headers: ["Unité du labo"]}\n'
    )
    (home / "notre.yaml").write_text(layout, encoding="utf-8")
    settings(home, 'layout = "notre.yaml"\n')
    status, out, err = run(capsys, "info", "../v.xlsx", "--format", "json")
    assert status == 0, err
    assert json.loads(out)["layout"] == "notre"
    assert (
        json.loads(run(capsys, "info", "../v.xlsx", "--format", "json", "--layout", "circuitbio")[1])["layout"]
        != "notre"
    )
    settings(home, 'layout = "absente.yaml"\n')
    status, _, err = run(capsys, *CHECK)
    assert status == 2
    assert "absente.yaml" in err


def test_previous_version_by_file_and_by_number(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def skipped() -> set[str]:
        content: dict[str, Any] = json.loads(run(capsys, *CHECK, "--format", "json")[1])
        return {item["rule"] for item in content["rules"]["skipped"]}

    assert "VER-01" in skipped()
    shutil.copy(files()["1.0.0"], home / "avant.xlsx")
    settings(home, '[check]\nprevious = "avant.xlsx"\n')
    assert "VER-01" not in skipped()
    small_register(home)
    settings(home, '[check]\nprevious = "1.1.0"\n[release]\nregister = "releases"\n')
    assert "VER-01" not in skipped()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[chek]\n", ["chek", "« check »"]),
        ('[check]\nprofil = "x"\n', ["check.profil", "« check.profile »"]),
        ('langue = "fr"\n', ["langue", "language"]),
        ('language = "de"\n', ["language", "fr, en"]),
        ("language = 1\n", ["language", "texte"]),
        ('[check]\nfail-on = "erreur"\n', ["check.fail-on", "error, warning, info, never"]),
        ("[check]\nselect = [1]\n", ["check.select", "liste de textes"]),
        ('[release]\nbom = "oui"\n', ["release.bom", "true ou false"]),
        ("check = 1\n", ["check", "section"]),
        ("[check\n", ["jdv.toml"]),
    ],
)
def test_what_is_wrong_is_named(home: Path, capsys: pytest.CaptureFixture[str], text: str, words: list[str]) -> None:
    settings(home, text)
    status, out, err = run(capsys, *CHECK)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    for word in ("jdv.toml", *words):
        assert word in err


def test_help_is_there_whatever_the_settings_say(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings(home, "[chek]\n")
    assert run(capsys, "--help")[0] == 0
    assert run(capsys, "check", "--help")[0] == 0
    assert run(capsys, "--version")[0] == 0


def test_the_documented_example_is_valid(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    settings(tmp_path, example)
    loaded = load_settings(tmp_path / "jdv.toml")
    assert loaded.language == "fr"
    assert loaded.layout is not None
    assert loaded.register == tmp_path / "releases"
    from jdv_qa.cli.settings import _SECTIONS, _TOP

    for name in (*_TOP, *(key for section in _SECTIONS.values() for key in section)):
        assert f"`{name}`" in text, name


def test_a_file_that_is_named_must_be_there(home: Path) -> None:
    with pytest.raises(JdvError, match="introuvable"):
        load_settings(Path("absent.toml"))

"""`jdv loinc`, and `jdv check` with a release of the store or a table of the NABM, end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jdv_qa.cli.app import main
from jdv_qa.terminology.loinc import NOTICE
from tests.casebook import build_workbook
from tests.loinc_files import TERMS, release_files, write_folder, write_smt, write_zip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jdv(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, with a store of its own: (exit status, stdout, stderr)."""
    monkeypatch.setenv("JDV_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "140")

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "Loinc_2.80.zip")


def flat(text: str) -> str:
    return " ".join(text.split())


def test_import_list_and_notice(jdv: Run, release: Path, tmp_path: Path) -> None:
    status, out, err = jdv("loinc", "import", release)
    assert (status, err) == (0, "")
    assert f"LOINC 2.80 : {len(TERMS)} termes, libellés français : 5 fr-FR, 4 remplacements, 2 termes changés" in flat(
        out
    )
    assert flat(out).count(NOTICE) == 1
    assert [path.name for path in (tmp_path / "home" / "loinc").iterdir()] == ["loinc-2.80.sqlite"]
    status, out, err = jdv("loinc", "list", "--lang", "en")
    assert (status, err) == (0, "")
    assert "2.80" in out
    assert "French labels" in out
    assert flat(out).count(NOTICE) == 1
    content = json.loads(jdv("loinc", "list", "--format", "json")[1])
    assert content["schema"] == "jdv-loinc-list/1"
    assert [(item["version"], item["terms"], item["labels"]) for item in content["releases"]] == [
        ("2.80", len(TERMS), {"fr-FR": 5})
    ]


def test_empty_store(jdv: Run) -> None:
    status, out, _ = jdv("loinc", "list")
    assert status == 0
    assert "jdv loinc import" in flat(out)
    for arguments in (("show", "2951-2"), ("find", "sodium")):
        status, out, err = jdv("loinc", *arguments)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        assert "jdv loinc import" in err


def test_release_is_not_replaced_unless_forced(jdv: Run, release: Path) -> None:
    jdv("loinc", "import", release)
    status, out, err = jdv("loinc", "import", release)
    assert (status, out) == (2, "")
    assert err.startswith("jdv: LOINC 2.80 est déjà dans ")
    assert jdv("loinc", "import", release, "--force")[0] == 0
    assert jdv("loinc", "import", release, "--version", "2.81")[0] == 0


@pytest.mark.parametrize("name", ["absent.zip", "empty.csv", "not.zip", "workbook.xlsx"])
def test_what_cannot_be_imported_is_one_line(jdv: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "workbook.xlsx":
        build_workbook({}, path)
    elif name != "absent.zip":
        path.write_bytes(b"")
    status, out, err = jdv("loinc", "import", path)
    assert (status, out) == (2, "")
    assert err.startswith(f"jdv: {path} : ")
    assert err.count("\n") == 1
    assert not (tmp_path / "home").exists() or not any((tmp_path / "home").rglob("*.sqlite*"))


def test_store_chosen_by_option(jdv: Run, release: Path, tmp_path: Path) -> None:
    assert jdv("loinc", "import", release, "--store", tmp_path / "here")[0] == 0
    assert jdv("loinc", "show", "2951-2")[0] == 2
    assert jdv("loinc", "show", "2951-2", "--store", tmp_path / "here")[0] == 0
    assert jdv("loinc", "show", "2951-2", "--loinc", tmp_path / "here" / "loinc-2.80.sqlite")[0] == 0
    assert jdv("loinc", "show", "2951-2", "--loinc", release)[0] == 0


@pytest.mark.parametrize("zipped", [False, True])
def test_french_labels_of_the_smt(jdv: Run, release: Path, tmp_path: Path, zipped: bool) -> None:
    path = write_smt(tmp_path / "LOINCFR_JeuDeValeurs.xlsx")
    if zipped:
        path = write_zip(tmp_path / "smt.zip", {"LOINC-FR/dat/LOINCFR_JeuDeValeurs.xlsx": path.read_bytes()})
    assert "jdv loinc import" in jdv("loinc", "import", path)[2]
    jdv("loinc", "import", release)
    status, out, _ = jdv("loinc", "import", path)
    assert status == 0
    assert "libellés français : 3 LOINC Biologie FR, 5 fr-FR" in flat(out)
    assert "Créatinine [Moles/Temps] Urine des 24 heures ; Numérique" in jdv("loinc", "show", "14684-5")[1]
    assert "--force les remplace" in jdv("loinc", "import", path)[2]
    assert jdv("loinc", "import", path, "--force")[0] == 0


def test_french_variant_alone(jdv: Run, tmp_path: Path) -> None:
    files = release_files()
    variant = files.pop("AccessoryFiles/LinguisticVariants/frFR18LinguisticVariant.csv")
    jdv("loinc", "import", write_folder(tmp_path / "Loinc_2.80", files))
    path = tmp_path / "frFR18LinguisticVariant.csv"
    path.write_bytes(variant)
    assert "libellés français : 5 fr-FR" in flat(jdv("loinc", "import", path)[1])


def test_show(jdv: Run, release: Path) -> None:
    jdv("loinc", "import", release)
    status, out, err = jdv("loinc", "show", "22760-3")
    assert (status, err) == (0, "")
    text = flat(out)
    for part in (
        "Grandeur MCnc Masse/Volume", "Milieu Ser/Plas Sérum/Plasma", "déconseillé (DISCOURAGED) : No units are associated",
        "3319-1 Temazepam [MCnc] in Ser/Plas si : Masse ← 10550-2", "2823-3 Potassium [SCnc] in Ser/Plas si : Moles",
        "jumeaux", "2823-3 SCnc Potassium", "ORDER_OBS Both",
    ):  # fmt: skip
        assert part in text
    assert "[b]HBs Ab[/b]" in jdv("loinc", "show", "5193-8")[1]
    assert "m[IU]/mL" in jdv("loinc", "show", "5193-8")[1]
    english = flat(jdv("loinc", "show", "2951-2", "--lang", "en")[1])
    assert "Property SCnc Moles/Volume" in english
    assert "Same axes but: system (1)" in english
    content = json.loads(jdv("loinc", "show", "22760-3", "-f", "json")[1])
    assert [item["code"] for item in content["candidates"]] == ["3319-1", "2823-3"]
    assert [item["code"] for item in content["neighbours"]["property"]] == ["2823-3"]
    assert content["axes"]["system"] == {"part": "Ser/Plas", "fr": "Sérum/Plasma"}


def test_neighbours_left_out_are_announced(jdv: Run, tmp_path: Path) -> None:
    from tests.loinc_files import term

    rows = [term(f"{number}-1", "Sodium", "SCnc", f"System {number}") for number in range(1, 20)]
    jdv("loinc", "import", write_folder(tmp_path / "Loinc_2.80", release_files(rows)))
    assert "… et 8 autres ; --limit 0 montre tout" in jdv("loinc", "show", "1-1")[1]
    assert "…" not in jdv("loinc", "show", "1-1", "--limit", 0)[1]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("2951-3", "vouliez-vous 2951-2"),
        ("600238", "code en attente"),
        ("1-8", "jdv loinc find"),
        ("[b]", "jdv loinc find"),
    ],
)
def test_code_that_is_not_there(jdv: Run, release: Path, code: str, said: str) -> None:
    jdv("loinc", "import", release)
    status, out, err = jdv("loinc", "show", code)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_find(jdv: Run, release: Path) -> None:
    jdv("loinc", "import", release)
    status, out, err = jdv("loinc", "find", "créatinine urine 24h")
    assert (status, err) == (0, "")
    assert out.split()[0] == "14684-5"
    assert jdv("loinc", "find", "créatinine", "urine", "24h")[1] == out
    assert "… et 2 autres" in jdv("loinc", "find", "sodium", "--limit", 1)[1]
    assert "Aucun terme n'a tous ces mots" in flat(jdv("loinc", "find", "sodium zygote")[1])
    assert "No term for" in jdv("loinc", "find", "zygote", "--lang", "en")[1]
    content = json.loads(jdv("loinc", "find", "sodium", "--format", "json", "--limit", 2)[1])
    assert (content["schema"], content["total"], len(content["terms"]), content["all_words"]) == (
        "jdv-loinc-find/1",
        3,
        2,
        True,
    )
    assert jdv("loinc", "find", "sodium", "--loinc", release)[0] == 2


def test_check_with_a_release_of_the_store(jdv: Run, release: Path, tmp_path: Path) -> None:
    jdv("loinc", "import", release)
    workbook = build_workbook({"rows": [{"result_code": "10550-2"}]}, tmp_path / "v.xlsx")
    reports = [
        jdv("check", workbook, "--loinc", given, "--select", "LNC", "--format", "json")[1]
        for given in ("2.80", release)
    ]
    assert reports[0] == reports[1]
    content = json.loads(reports[0])
    assert content["loinc"] == {"version": "2.80", "terms": len(TERMS)}
    assert [(item["rule"], item["suggestion"]) for item in content["findings"]] == [("LNC-02", "3319-1")]
    status, _, err = jdv("check", workbook, "--loinc", "2.79")
    assert status == 2
    assert "(présentes : 2.80)" in err
    settings = tmp_path / "jdv.toml"
    settings.write_text('[check]\nloinc = "2.80"\n', encoding="utf-8")
    assert "LOINC 2.80" in jdv("check", workbook, "--config", settings, "--select", "LNC")[1]


def test_check_with_the_nabm(jdv: Run, tmp_path: Path) -> None:
    workbook = build_workbook({"rows": [{"nabm_code": "0552;1609", "nabm_label": "Urée;x"}]}, tmp_path / "v.xlsx")
    table = tmp_path / "nabm.csv"
    table.write_text("Code;Libellé;Date de fin\n552;Urée;31/12/2001\n1610;x;\n", encoding="cp1252")
    report = json.loads(jdv("check", workbook, "--nabm", table, "--select", "NAB-04,NAB-05", "--format", "json")[1])
    assert [(item["rule"], item["suggestion"]) for item in report["findings"]] == [
        ("NAB-04", "0552;1610"),
        ("NAB-05", None),
    ]
    assert "(fin le 31/12/2001)" in report["findings"][1]["message"]
    without = json.loads(jdv("check", workbook, "--select", "NAB-04", "--format", "json")[1])
    assert without["rules"]["skipped"][0]["rule"] == "NAB-04"
    table.write_text("a;b\n1;2\n")
    status, _, err = jdv("check", workbook, "--nabm", table)
    assert (status, err.count("\n")) == (2, 1)


def test_no_progress_bar_when_piped(release: Path, tmp_path: Path) -> None:
    environment = os.environ | {"JDV_HOME": str(tmp_path / "home"), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "jdv_qa", "loinc", "import", str(release)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("LOINC 2.80")

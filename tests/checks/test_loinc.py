from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jdv_qa.checks.engine import check
from jdv_qa.report.findings_json import findings_json
from jdv_qa.terminology.importing import import_release
from jdv_qa.terminology.loinc import LoincRelease, read_release
from jdv_qa.terminology.loinc_files import find_files
from jdv_qa.terminology.store import open_stored
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook
from tests.loinc_files import write_folder

NEEDING_LOINC = ("LNC", "COD", "ATT", "TYP")


@pytest.fixture
def release(tmp_path: Path) -> LoincRelease:
    return read_release(write_folder(tmp_path / "Loinc_2.80"))


def edition(tmp_path: Path, name: str = "v", **case: object) -> Edition:
    return read_edition(build_workbook(case, tmp_path / f"{name}.xlsx"))


def messages(workbook: Edition, release: LoincRelease, rule: str, *earlier: Edition) -> list[str]:
    report = check(workbook, earlier=earlier, loinc=release, select=[rule])
    assert (report.crashed, report.skipped) == ((), ())
    return [" ".join(finding.message.split()) for finding in report.findings]


def test_replacements_are_told_with_comment_chain_and_place(tmp_path: Path, release: LoincRelease) -> None:
    rows = [{"result_code": "22760-3"}, {"result_code": "2823-3"}]
    (message,) = messages(edition(tmp_path, rows=rows), release, "LNC-03")
    assert "3319-1 Temazepam [MCnc] in Ser/Plas (si : Masse ; par 10550-2)" in message
    assert "2823-3 Potassium [SCnc] in Ser/Plas (si : Moles ; déjà dans le jeu de valeurs)" in message
    assert "LOINC précise : « No units are associated »" in message


def test_number_of_rows_to_mend(tmp_path: Path, release: LoincRelease) -> None:
    rows = [{"order_code": "10550-2", "result_code": code} for code in ("2951-2", "2823-3", "718-7")]
    (message,) = messages(edition(tmp_path, rows=rows), release, "LNC-02")
    assert message.endswith("Le code est sur 3 lignes.")


def test_release_without_replacements_says_so(tmp_path: Path, release: LoincRelease) -> None:
    bare = LoincRelease("2.80", release.terms)
    (message,) = messages(edition(tmp_path, rows=[{"result_code": "10550-2"}]), bare, "LNC-02")
    assert "sans table MapTo" in message


def test_previous_version_that_names_no_loinc_release(tmp_path: Path, release: LoincRelease) -> None:
    previous = edition(tmp_path, "previous", summary={"loinc_version": None})
    report = check(edition(tmp_path), earlier=[previous], loinc=release, select=["LNC-06"])
    assert [(item.rule, "quelle version de LOINC" in item.reason) for item in report.skipped] == [("LNC-06", True)]
    assert report.run == ()


def test_changes_are_told_with_reason(tmp_path: Path, release: LoincRelease) -> None:
    previous = edition(tmp_path, "previous", summary={"loinc_version": "2.79"})
    rows = [{"result_code": "2951-2"}, {"result_code": "2823-3"}]
    told = messages(edition(tmp_path, rows=rows), release, "LNC-06", previous)
    assert [message.split(" : ", 1)[1] for message in told] == [
        "statut TRIAL → ACTIVE, en 2.80. Aujourd'hui : Sodium [Moles/Volume] Sérum/Plasma ; Numérique. Raison donnée : « Reviewed »",
    ] * 2 + ["milieu Ser → Ser/Plas, en 2.80. Aujourd'hui : Potassium [SCnc] in Ser/Plas."]  # fmt: skip
    same = edition(tmp_path, "same", summary={"loinc_version": "2.80"})
    assert messages(edition(tmp_path, rows=rows), release, "LNC-06", same) == []


def test_path_and_store_give_the_same_findings(tmp_path: Path, release: LoincRelease) -> None:
    rows = [
        {"result_code": code}
        for code in ("2951-2", "2951-3", "5895-7", "22760-3", "10550-2", "24326-1", "29463-7", "62580-6", "1-8")
    ]
    rows.append({"result_code": "600238", "result_loinc_label": "Créatinine [Moles/Temps] 24H ; Urine ; Numérique"})
    workbook = edition(tmp_path, rows=rows)
    previous = edition(tmp_path, "previous", summary={"loinc_version": "2.70"})
    stored = open_stored(import_release(find_files(tmp_path / "Loinc_2.80"), tmp_path / "store").path)
    one, two = (
        findings_json(check(workbook, earlier=[previous], loinc=given, select=NEEDING_LOINC))
        for given in (release, stored)
    )
    assert one == two
    assert {f'"rule": "LNC-0{number}"' in one for number in range(1, 7)} == {True}


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["a", "b"])
def test_clean_corpus_gives_no_alarm(corpus: Callable[[int, str, str], Path], tmp_path: Path, layout: str) -> None:
    folder = corpus(1, layout, "repeat")
    workbook = read_edition(folder / "v1.xlsx")
    read = read_release(folder / "loinc")
    stored = open_stored(import_release(find_files(folder / "loinc"), tmp_path, version="2.68").path)
    reports = [
        check(workbook, earlier=[workbook], loinc=given, select=["LNC", "COD-02", "ATT-05"]) for given in (read, stored)
    ]
    for report in reports:
        assert report.crashed == ()
        assert {finding.rule for finding in report.findings} <= {"ATT-05"}
    assert reports[0].findings == reports[1].findings

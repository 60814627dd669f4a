from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.checks.engine import check
from jdv_qa.checks.finding import Severity
from jdv_qa.checks.labels import fitting_specimens, specimen_table
from jdv_qa.sample import files
from jdv_qa.terminology.labels import axis_wordings
from jdv_qa.terminology.loinc import read_release
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook
from tests.terminology.test_labels import IRREGULAR

FAMILIES = ["LAB", "CMP", "REF", "NAB"]


def labels_met(reference_data: Path) -> list[dict[str, str]]:
    with (reference_data / "loinc_fr_labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_irregular_labels_met_in_public_documents(reference_data: Path, tmp_path: Path) -> None:
    rows = [
        {
            "order_code": "24326-1",
            "order_loinc_label": None,
            "result_code": row["code"],
            "result_loinc_label": row["label"],
        }
        for row in labels_met(reference_data)
    ]
    report = check(read_edition(build_workbook({"rows": rows}, tmp_path / "labels.xlsx")), select=["LAB-01"])
    assert {finding.value for finding in report.findings} == IRREGULAR.keys()
    assert len(report.findings) == sum(row["label"] in IRREGULAR for row in labels_met(reference_data))


def test_real_labels_against_loinc(reference_data: Path, tmp_path: Path) -> None:
    """What LAB-06 says of real labels: terms that LOINC changed since, and labels put on the wrong code in an example."""
    folder = tmp_path / "loinc-2.61"
    folder.mkdir()
    with gzip.open(reference_data / "loinc_lab_extract.csv.gz", "rt", encoding="utf-8") as file:
        (folder / "Loinc.csv").write_text(file.read(), encoding="utf-8")
    seen: dict[str, str] = {}
    for row in labels_met(reference_data):
        seen.setdefault(row["code"], row["label"])
    rows = [
        {"order_code": "24326-1", "order_loinc_label": None, "result_code": code, "result_loinc_label": label}
        for code, label in seen.items()
    ]
    edition = read_edition(build_workbook({"rows": rows}, tmp_path / "labels.xlsx"))
    report = check(edition, loinc=read_release(folder), select=["LAB-06"])
    told = {finding.code for finding in report.findings}
    assert told <= {
        "29663-2", "30405-5", "30428-7", "32623-1", "51631-0", "56128-2", "56129-0", "56130-8", "56131-6", "80382-5", "80383-3",
        "24326-1", "786-4",
    }  # fmt: skip


def test_specimens_of_the_table_exist(reference_data: Path) -> None:
    with (reference_data / "specimen_types_spm4.csv").open(encoding="utf-8", newline="") as file:
        known = {row["code"] for row in csv.DictReader(file)}
    with gzip.open(reference_data / "loinc_lab_extract.csv.gz", "rt", encoding="utf-8-sig") as file:
        systems = {row["SYSTEM"] for row in csv.DictReader(file)} | axis_wordings()["system"].keys()
    for system, codes in specimen_table().items():
        assert system in systems
        assert set(codes) <= known, system
        assert len(set(codes)) == len(codes)


def test_specimens_of_composed_systems() -> None:
    assert set(fitting_specimens("Urine+Sérum/Plasma")) == {*fitting_specimens("Urine"), *fitting_specimens("Ser/Plas")}
    assert fitting_specimens("Urine+Jaune d'œuf") == ()
    assert fitting_specimens("Milieux divers") == ()


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_sample_editions_are_clean(version: str) -> None:
    report = check(read_edition(files()[version]), select=FAMILIES)
    assert {finding.rule for finding in report.findings} <= {"LAB-09"}
    assert report.crashed == ()


SODIUM = "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"result_code": "2951-3"}, {"COD-02"}),
        ({"result_code": "29512"}, {"COD-01"}),
        ({"result_code": "2951\u20112"}, {"CEL-02"}),
        ({"result_code": "à définir"}, {"ATT-01"}),
        ({"result_code": "LP14635-4"}, {"COD-03"}),
        ({"result_code": "24326-1"}, {"TYP-02"}),
        ({"result_code": "600238"}, {"ATT-02"}),
        ({"result_loinc_label": "Sodium Sérum/Plasma ; Numérique"}, {"LAB-01"}),
        ({"result_loinc_label": "Sodium [Moles/Volume] SÃ©rum/Plasma ; Numérique"}, {"CEL-05"}),
        ({"result_loinc_label": "Sodium [Moles/Volume] Urine ; Numérique"}, {"LAB-02"}),
        ({"result_loinc_label": f" {SODIUM}"}, {"CEL-01"}),
        ({"comparability": 2}, {"CMP-03"}),
        ({"comparability": 3}, {"CMP-01"}),
        ({"comparability": 2, "discriminating_technique": None}, {"CMP-05"}),
        ({"chapter": "99999-8"}, {"REF-01"}),
        ({"subchapter": "99999-8"}, {"REF-02"}),
        ({"chapter": "18723-7", "subchapter": "18723-7"}, {"REF-08"}),
        ({"result_display": None}, {"LAB-04"}),
    ],
)
def test_one_fault_has_one_finding_on_its_row(change: dict[str, Any], rules: set[str], tmp_path: Path) -> None:
    """One row of a result that other rows state too is wrong: one rule says so, and nothing is said of the other rows."""
    panel = {
        "order_code": "24326-1", "order_type": "Order", "order_label": "Ionogramme", "order_synonyms": "Iono",
        "order_loinc_label": "Ionogramme panel [-] Sérum/Plasma ; -",
    }  # fmt: skip
    pending = {
        "result_code": "600238", "result_loinc_label": "Protéine X [Masse/Volume] Sérum/Plasma ; Numérique", "unit": "g/L",
        "result_display": "Protéine X", "rank": 20, "comparability": 2, "discriminating_technique": "O",
    }  # fmt: skip
    rows = [
        panel,
        panel | pending,
        panel
        | {
            "order_code": "24327-9",
            "order_label": "Bilan",
            "order_synonyms": None,
            "order_loinc_label": "Bilan panel [-] Sérum/Plasma ; -",
        },
        {},
    ]
    clean = read_edition(build_workbook({"rows": rows}, tmp_path / "clean.xlsx"))
    known = {(finding.rule, finding.cell) for finding in check(clean).findings}
    wrong = {
        "order_code": "24321-2",
        "order_type": "Order",
        "order_label": "Bilan court",
        "order_synonyms": None,
        "order_loinc_label": "Bilan court panel [-] Sérum/Plasma ; -",
    }
    edition = read_edition(build_workbook({"rows": [*rows[:3], wrong | change, rows[3]]}, tmp_path / "faulty.xlsx"))
    found = [
        f
        for f in check(edition).findings
        if f.severity is not Severity.INFO and f.rule not in {rule for rule, _ in known}
    ]
    assert {finding.rule for finding in found} == rules
    assert {finding.row for finding in found} == {6}


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "grouping"), [("a", "blank"), ("b", "merge")])
def test_full_size_workbooks(corpus: Callable[[int, str, str], Path], layout: str, grouping: str) -> None:
    folder = corpus(1, layout, grouping)
    release = read_release(folder / "loinc")
    for loinc in (None, release):
        clean = check(read_edition(folder / "v1.xlsx"), loinc=loinc, select=FAMILIES)
        assert clean.crashed == ()
        assert [finding.message for finding in clean.findings if finding.severity is not Severity.INFO] == []
        faulty = check(read_edition(folder / "defects.xlsx"), loinc=loinc, select=FAMILIES)
        cells = Counter(finding.cell for finding in faulty.findings if finding.severity is not Severity.INFO)
        assert set(cells.values()) == {1}

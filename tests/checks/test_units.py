"""The UNI rules on real pairs of code and unit, on the sample, and on full-size workbooks."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdv_qa.checks.engine import Report, check
from jdv_qa.sample import files
from jdv_qa.terminology.loinc import read_release
from jdv_qa.workbook.edition import Edition, Identity, Record, Table
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook

FAULTY = {
    ("20-8", "/mg/L"), ("28-1", "/mg/L"), ("253-5", "/mg/L"), ("777-3", "G/L"), ("789-8", "T/l"), ("6690-2", "G/l"),
    ("1743-4", "UI/L"), ("1743-4", "[IU]/L"), ("2324-2", "UI/L"), ("2324-2", "[IU]/L"), ("30239-8", "UI/L"), ("30239-8", "[IU]/L"),
    ("3016-3", "mUI/L"), ("19080-1", "mUI/L"), ("22316-4", "UI/L"), ("32207-3", "%"), ("11039-5", "mg/L"), ("32623-1", "fL"),
}  # fmt: skip
"""The faulty units of the ANS's example reports: French spellings, giga, enzymes in [IU], a width in %, a qualitative result in
mg/L, a concentration turned upside down, and a mean volume that one report labels as a number per volume."""

PROPOSED = {
    ("777-3", "G/L"): "10*9/L", ("789-8", "T/l"): "10*12/L", ("6690-2", "G/l"): "10*9/L", ("1743-4", "UI/L"): "U/L",
    ("2324-2", "[IU]/L"): "U/L", ("3016-3", "mUI/L"): "m[IU]/L", ("22316-4", "UI/L"): "[IU]/L", ("20-8", "/mg/L"): "mg/L",
    ("32207-3", "%"): None, ("11039-5", "mg/L"): None,
}  # fmt: skip

GRAVE = ("error", "warning")


def real_pairs(path: Path) -> list[tuple[str, str, str]]:
    """Return code, label and unit; a unit translated into another (`;tr:`) is taken by itself."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted(
        {
            (row["code"], row["label"], unit.partition(";tr:")[0])
            for row in rows
            if row["code"] and row["label"]
            for unit in re.split(r"\s*\|\|\s*", row["units"])
            if unit
        }
    )


def test_the_real_pairs_of_example_reports(reference_data: Path, tmp_path: Path) -> None:
    pairs = real_pairs(reference_data / "cda_bio_observations.csv")
    rows = [{"result_code": code, "result_loinc_label": label, "unit": unit} for code, label, unit in pairs]
    edition = read_edition(build_workbook({"rows": rows}, tmp_path / "pairs.xlsx"))
    report = check(edition, select=["UNI-01", "UNI-02", "UNI-03", "UNI-04", "UNI-05"])
    assert not report.crashed
    found = {(finding.code, finding.value): finding.suggestion for finding in report.findings}
    assert len({(code, unit) for code, _, unit in pairs}) > 85
    assert set(found) == FAULTY
    assert {pair: found[pair] for pair in PROPOSED} == PROPOSED
    assert max(Counter(finding.cell for finding in report.findings).values()) == 1


def graded(report: Report, *severities: str) -> list[tuple[str, str | None, str]]:
    return [
        (finding.rule, finding.cell, finding.value)
        for finding in report.findings
        if finding.severity.value in severities
    ]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_the_published_samples_have_right_units(version: str) -> None:
    report = check(read_edition(files()[version]), select=["UNI"])
    assert len(report.run) == 10
    assert graded(report, *GRAVE) == []


def test_the_draft_of_the_sample_has_the_faults_it_teaches() -> None:
    report = check(read_edition(files()["1.2.0"]), select=["UNI"])
    found = {
        finding.code: (finding.rule, finding.suggestion, finding.related)
        for finding in report.findings
        if finding.severity.value in GRAVE
    }
    assert found == {
        "15061-5": ("UNI-02", "[IU]/L", ()),
        "777-3": ("UNI-04", "10*9/L", ()),
        "14927-8": ("UNI-03", None, ("2571-8",)),
        "2157-6": ("UNI-01", None, ()),
    }


@pytest.mark.parametrize("layout", ["a", "b"])
@pytest.mark.parametrize("with_loinc", [True, False])
@pytest.mark.slow
def test_full_size_workbooks(corpus: Callable[[int, str, str], Path], layout: str, with_loinc: bool) -> None:
    folder = corpus(1, layout, "repeat")
    loinc = read_release(folder / "loinc") if with_loinc else None
    clean = check(read_edition(folder / "v1.xlsx"), loinc=loinc, select=["UNI"])
    assert len(clean.run) == 10
    assert graded(clean, *GRAVE) == []
    planted = json.loads((folder / "defects.json").read_text(encoding="utf-8"))
    faults = {
        item["row"]: set(item["rules"]) for item in planted if any(rule.startswith("UNI") for rule in item["rules"])
    }
    report = check(read_edition(folder / "defects.xlsx"), loinc=loinc, select=["UNI"])
    found = {}
    for finding in report.findings:
        if finding.severity.value in GRAVE:
            assert finding.row not in found, "one cell, one cause"
            found[finding.row] = finding
    assert set(found) == set(faults)
    for row, finding in found.items():
        assert finding.rule in faults[row or 0]
        if finding.rule in ("UNI-02", "UNI-04"):
            assert finding.suggestion


def test_a_usual_workbook_does_not_load_ucumvert() -> None:
    script = (
        "import sys\n"
        "from jdv_qa.checks.engine import check\n"
        "from jdv_qa.sample import files\n"
        "from jdv_qa.workbook.read import read_edition\n"
        "reports = [check(read_edition(path), select=['UNI']) for path in files().values()]\n"
        "assert all(len(report.run) == 10 for report in reports)\n"
        "print('ucumvert' in sys.modules, 'pint' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


LABELS = [
    "Sodium [Moles/Volume] Sérum/Plasma ; Numérique",
    "Protéines [Masse/Volume] Sérum/Plasma ; Numérique",
    "Leucocytes [Nombre/Volume] Sang ; Numérique",
    "Alanine aminotransférase [Catalytique/Volume] Sérum/Plasma ; Numérique",
    "Thyréostimuline [Arbitraire/Volume] Sérum/Plasma ; Numérique",
    "INR [Temps relatif] Plasma pauvre en plaquettes ; Numérique",
    "C Réactive protéine [Présence/Seuil] Sérum/Plasma ; Qualitatif",
    "Conductivité [Inconnue] Sueur ; Numérique",
    "Sodium",
    "",
]
UNITS = [
    "",
    "mmol/L",
    "g/L",
    "G/L",
    "UI/L",
    "µmol/L",
    "[IU]/L",
    "U/L",
    "10*9/L",
    "%",
    "pH",
    "bizarre",
    "mmol/24.h",
    "N/A",
    "1",
    "м",
    "\u200b",
]
FACTORS = ["", "1000", "0.001", "0,001", "x", "-1", "1e400", "0"]


def edition_of(rows: list[dict[str, str]]) -> Edition:
    records = tuple(
        Record(number, {name: text for name, text in row.items() if text}) for number, row in enumerate(rows, 3)
    )
    columns = read_edition(files()["1.0.0"]).main.columns
    return Edition({"main": Table("main", records, "1.JDV_CircuitBio", 2, columns)}, Identity())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "result_code": st.sampled_from(["2951-2", "2885-2", "600238", "x", ""]),
                "result_loinc_label": st.sampled_from(LABELS),
                "unit": st.sampled_from(UNITS),
                "unit_secondary": st.sampled_from(UNITS),
                "conversion_factor": st.sampled_from(FACTORS),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_cell_has_one_error_and_no_rule_breaks_down(rows: list[dict[str, str]]) -> None:
    report = check(edition_of(rows), select=["UNI"])
    assert report.crashed == ()
    cells = Counter(finding.cell for finding in report.findings if finding.severity.value in GRAVE)
    assert max(cells.values(), default=0) <= 1
    for finding in report.findings:
        assert finding.suggestion is None or finding.suggestion != finding.value


def test_units_in_cells_that_are_not_text(tmp_path: Path) -> None:
    rows = [{"unit": 1}, {"unit": {"error": "#N/A"}}, {"unit": True}, {"unit_secondary": 5, "conversion_factor": 1}]
    report = check(read_edition(build_workbook({"rows": rows}, tmp_path / "odd.xlsx")), select=["UNI"])
    assert report.crashed == ()
    assert [(finding.rule, finding.row) for finding in report.findings if finding.rule != "UNI-06"] == [
        ("UNI-03", 3), ("UNI-02", 5), ("UNI-07", 6),
    ]  # fmt: skip

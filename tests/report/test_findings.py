"""Findings as Excel and as text."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.cells import cell_len
from rich.console import Console

from jdv_qa.checks.engine import Report, check
from jdv_qa.report.findings_excel import findings_excel
from jdv_qa.report.findings_text import print_report
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook
from tests.report.reports import crashed, draft, since_first, waived


def test_excel_has_every_finding_and_every_rule() -> None:
    report = draft()
    book = load_workbook(io.BytesIO(findings_excel(report, load_layout())))
    assert book.sheetnames == ["Synthèse", "Constats", "Règles", "Classeur"]
    rows = list(book["Constats"].iter_rows(min_row=2, values_only=True))
    assert [(row[1], row[3]) for row in rows] == [
        (found.rule, found.cell or (str(found.row) if found.row else found.column)) for found in report.findings
    ]
    assert [row[0] for row in book["Règles"].iter_rows(min_row=2, max_col=1, values_only=True)] == list(report.rules)
    assert sum(row[0] for row in book["Règles"].iter_rows(min_row=2, min_col=6, max_col=6, values_only=True)) == len(
        report.findings
    )
    assert book["Constats"].freeze_panes == "A2"


def test_excel_tells_the_verdict_the_status_of_rules_and_the_tabs() -> None:
    report = crashed()
    book = load_workbook(io.BytesIO(findings_excel(report, load_layout())))
    summary = {row[0]: row[1:] for row in book["Synthèse"].iter_rows(values_only=True)}
    assert summary["Verdict"][0].startswith("Contrôle incomplet")
    assert summary["SHA-256"][0] == report.edition.source.sha256
    errors = sum(found.severity == "error" and found.rule.startswith("UNI") for found in report.findings)
    assert summary["UNI"][:2] == ("unités", errors)
    status = {row[0]: row[4] for row in book["Règles"].iter_rows(min_row=2, values_only=True)}
    assert "KeyError" in status["UNI-02"]
    assert "aucune version de LOINC" in status["LNC-01"]
    assert (status["STR-06"], status["STR-01"]) == ("des constats", "rien à signaler")
    tabs = {row[0]: row for row in book["Classeur"].iter_rows(min_row=2, values_only=True)}
    assert list(tabs) == [sheet.name for sheet in report.edition.sheets]
    assert tabs["1.JDV_CircuitBio"][3:5] == (2, len(report.edition.main.records))


def test_excel_shows_waivers() -> None:
    book = load_workbook(io.BytesIO(findings_excel(waived(), load_layout())))
    rows = list(book["Constats"].iter_rows(min_row=2, values_only=True))
    assert [row[1] for row in rows if row[11] == "dérogation"] == ["LAB-09", "UNI-02"]
    assert all("Dr Martin" in row[12] for row in rows if row[11] == "dérogation")


def test_excel_is_the_same_to_the_byte() -> None:
    assert findings_excel(draft(), load_layout()) == findings_excel(draft(), load_layout())


def test_excel_runs_nothing_from_the_workbook(tmp_path: Path) -> None:
    row = {"result_display": '=HYPERLINK("http://x")', "comparability": "=1+1"}
    report = check(read_edition(build_workbook({"rows": [row]}, tmp_path / "v.xlsx")))
    book = load_workbook(io.BytesIO(findings_excel(report, load_layout())))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line]
    assert any(cell.value == "=1+1" for cell in cells)
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]


def text_of(report: Report, width: int, limit: int = 0) -> str:
    paper = io.StringIO()
    print_report(report, Console(file=paper, width=width, markup=False, highlight=False), limit=limit)
    return paper.getvalue()


def test_text_announces_what_it_leaves_out() -> None:
    text = text_of(draft(), 100, 1)
    assert "et 2 autres" in " ".join(text.split())
    assert "--limit 0" in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_text_fits_and_has_no_trailing_space(width: int) -> None:
    lines = text_of(waived(), width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert [line for line in lines if line != line.rstrip() and "→" not in line and line.strip() == ""] == []


def test_text_begins_with_a_line_a_rule() -> None:
    lines = text_of(draft(), 100).splitlines()
    summary = lines[3 : lines.index("", 3)]
    rules = [line.split()[1] for line in summary]
    assert set(rules) == {found.rule for found in draft().findings}
    assert sum(int(line.split()[0]) for line in summary) == len(draft().findings)
    assert rules.index("GRP-01") < rules.index("TYP-03") < rules.index("UNI-08")


def test_text_shows_cells_as_excel_writes_them_and_the_proposal_beside() -> None:
    text = text_of(draft(), 140)
    assert re.search(r"1\.JDV_CircuitBio!T162 .*→ \[IU\]/L$", text, re.MULTILINE)
    assert "1.JDV_CircuitBio!302:302" in text


def test_units_in_brackets_come_out_whole(tmp_path: Path) -> None:
    tsh = {
        "result_code": "3016-3",
        "result_loinc_label": "Thyréostimuline [Arbitraire/Volume] Sérum/Plasma ; Numérique",
    }
    acid = {"result_code": "2744-1", "result_loinc_label": "pH [Log de concentration] Sang ; Numérique"}
    rows = [tsh | {"unit": "mUI/L"}, acid | {"unit": "pH"}, {"unit": "[bold]x[/bold]"}]
    report = check(read_edition(build_workbook({"rows": rows}, tmp_path / "v.xlsx")))
    text = text_of(report, 140)
    for unit in ("m[IU]/L", "[pH]", "[bold]x[/bold]"):
        assert unit in text, unit


def test_text_of_waivers_of_a_crash_and_of_a_baseline() -> None:
    assert "Dr Martin, le 2026-10-01, jusqu'à 1.3.0" in " ".join(text_of(waived(), 140).split())
    assert "La règle UNI-02 a échoué" in text_of(crashed(), 140)
    text = text_of(since_first(), 140)
    assert "1 disparu" in text
    assert f"{len(draft().findings) - 1} constats nouveaux" in text

"""Findings as Excel and as text."""

from __future__ import annotations

import io
from pathlib import Path

from openpyxl import load_workbook
from rich.console import Console

from jdv_qa.checks.engine import Report, check
from jdv_qa.report.findings_excel import findings_excel
from jdv_qa.report.findings_text import print_report
from jdv_qa.sample import files
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook


def draft() -> Report:
    return check(read_edition(files()["1.2.0"]))


def test_excel_has_every_finding_and_every_rule() -> None:
    report = draft()
    book = load_workbook(io.BytesIO(findings_excel(report, load_layout())))
    assert book.sheetnames == ["Constats", "Règles", "Contrôle"]
    rows = list(book["Constats"].iter_rows(min_row=2, values_only=True))
    assert [(row[1], row[3]) for row in rows] == [
        (found.rule, found.cell or (str(found.row) if found.row else found.column)) for found in report.findings
    ]
    assert [row[0] for row in book["Règles"].iter_rows(min_row=2, max_col=1, values_only=True)] == list(report.rules)
    assert sum(row[0] for row in book["Règles"].iter_rows(min_row=2, min_col=5, max_col=5, values_only=True)) == len(
        report.findings
    )
    assert book["Constats"].freeze_panes == "A2"


def test_excel_is_the_same_to_the_byte() -> None:
    assert findings_excel(draft(), load_layout()) == findings_excel(draft(), load_layout())


def test_excel_runs_nothing_from_the_workbook(tmp_path: Path) -> None:
    row = {"result_display": '=HYPERLINK("http://x")', "comparability": "=1+1"}
    report = check(read_edition(build_workbook({"rows": [row]}, tmp_path / "v.xlsx")))
    book = load_workbook(io.BytesIO(findings_excel(report, load_layout())))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line]
    assert any(cell.value == "=1+1" for cell in cells)
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]


def test_text_announces_what_it_leaves_out() -> None:
    paper = io.StringIO()
    print_report(draft(), Console(file=paper, width=100, markup=False, highlight=False), limit=1)
    assert "et 2 autres" in " ".join(paper.getvalue().split())
    assert "--limit 0" in paper.getvalue()

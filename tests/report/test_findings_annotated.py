"""The annotated workbook of a draft: what the maintainer sees, and that a check of it finds what it found before."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from jdv_qa.checks.engine import Report, check
from jdv_qa.language import use_language
from jdv_qa.report.findings_annotated import findings_annotated
from jdv_qa.sample import files
from jdv_qa.workbook.annotating import Tint
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition

DRAFT = files()["1.2.0"]
MAIN = "1.JDV_CircuitBio"


@pytest.fixture(scope="module")
def report() -> Report:
    return check(read_edition(DRAFT))


@pytest.fixture(scope="module")
def made(report: Report) -> bytes:
    use_language("fr")
    return findings_annotated(report, DRAFT, load_layout()).content


@pytest.fixture(scope="module")
def book(made: bytes) -> Workbook:
    return load_workbook(io.BytesIO(made))


def test_every_finding_is_listed_with_its_link(report: Report, book: Workbook) -> None:
    sheet = book["Contrôle qualité"]
    rows = list(sheet.iter_rows(min_row=4, max_col=11))
    assert len(rows) == len(report.findings) == sheet.max_row - 3
    for cells, finding in zip(rows, report.findings, strict=True):
        assert [cells[1].value, cells[2].value, cells[7].value] == [finding.rule, finding.sheet, finding.message]
        assert cells[3].hyperlink.location == f"'{finding.sheet}'!{finding.cell or f'A{finding.row}'}"
        assert (cells[8].value or "") == (finding.suggestion or "")
    assert sheet.auto_filter.ref == f"A3:K{len(report.findings) + 3}"
    assert sheet.freeze_panes == "A4"
    assert [cell.value for cell in sheet[3]][:4] == ["Sévérité", "Règle", "Onglet", "Cellule"]
    assert "24 erreurs" in sheet["A1"].value


def test_faulty_cells_bear_the_colour_of_the_gravest_finding_and_a_note(report: Report, book: Workbook) -> None:
    sheet = book[MAIN]
    tints = {"error": Tint.ERROR, "warning": Tint.WARNING, "info": Tint.INFO}
    by_cell: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.cell and finding.sheet == MAIN:
            by_cell.setdefault(finding.cell, []).append(finding.severity.value)
            note = sheet[finding.cell].comment.text
            assert finding.rule in note
            assert finding.message in note
    for address, severities in by_cell.items():
        gravest = min(severities, key=list(tints).index)
        colour = bytes.fromhex(sheet[address].fill.fgColor.rgb[2:])
        assert tuple(part & 0xF8 for part in colour) == tints[gravest].value, address
    marked = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment}
    assert marked == set(by_cell)


def test_figures_add_up(report: Report, book: Workbook) -> None:
    rows = [[cell.value for cell in row] for row in book["Contrôle – chiffres"].iter_rows(min_row=3)]
    head, last = rows[0], next(number for number, row in enumerate(rows) if row[0] == "Total")
    counted = {row[0]: row[3] for row in rows[1:last]}
    assert counted == {rule: sum(f.rule == rule for f in report.findings) for rule in counted}
    assert rows[last][3] == len(report.findings) == sum(counted.values())
    for row in rows[1 : last + 1]:
        assert sum(value or 0 for value in row[4 : len(head)]) == row[3]
    assert {row[0] for row in rows[last + 3 :]} >= {item.rule for item in report.skipped}


def test_a_check_of_the_annotated_workbook_says_the_same(report: Report, made: bytes, tmp_path: Path) -> None:
    path = tmp_path / DRAFT.name
    path.write_bytes(made)
    again = check(read_edition(path))
    assert again.findings == report.findings
    assert again.edition == report.edition
    assert findings_annotated(again, path, load_layout()).content == made


def test_waived_findings_are_listed_but_not_marked(report: Report) -> None:
    from dataclasses import replace

    waived = replace(report, findings=tuple(finding._replace(waived=True) for finding in report.findings))
    made = load_workbook(io.BytesIO(findings_annotated(waived, DRAFT, load_layout()).content))
    assert {row[10].value for row in made["Contrôle qualité"].iter_rows(min_row=4)} == {"dérogation"}
    assert not [cell for row in made[MAIN].iter_rows() for cell in row if cell.comment]


def test_in_english_and_back(report: Report, made: bytes, tmp_path: Path) -> None:
    path = tmp_path / DRAFT.name
    path.write_bytes(made)
    use_language("en")
    english = findings_annotated(check(read_edition(path)), path, load_layout()).content
    names = load_workbook(io.BytesIO(english)).sheetnames
    assert names[:3] == ["Quality check", "Check – figures", "Sommaire"]
    assert len(names) == len(load_workbook(DRAFT).sheetnames) + 2


@pytest.mark.slow
def test_a_full_size_workbook(corpus: object, tmp_path: Path) -> None:
    assert callable(corpus)
    source = corpus(1, "a", "merge") / "defects.xlsx"
    report = check(read_edition(source))
    made = findings_annotated(report, source, load_layout()).content
    path = tmp_path / source.name
    path.write_bytes(made)
    again = check(read_edition(path))
    assert again.findings == report.findings
    assert findings_annotated(again, path, load_layout()).content == made

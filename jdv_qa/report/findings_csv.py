"""Findings as CSV, one row a finding, for spreadsheets and scripts."""

from __future__ import annotations

from jdv_qa.checks.engine import Report
from jdv_qa.report.findings_lines import finding_lines
from jdv_qa.report.register_json import csv_bytes
from jdv_qa.workbook.layout import Layout

COLUMNS = (
    "rule", "severity", "state", "tab", "sheet", "row", "column", "cell", "row_key", "field", "header", "code", "value",
    "message", "suggestion", "related", "order", "label", "chapter", "waiver",
)  # fmt: skip


def findings_csv(report: Report, layout: Layout, *, bom: bool = False) -> bytes:
    """Return the bytes of the file, written as `jdv export` writes its tables: UTF-8, ";", all quoted, CR LF.

    Columns and keys are those of the JSON form, whatever the language; `state` is open, new, known or waived. Texts that a
    spreadsheet would run are defused; `bom` puts the mark in front by which Excel knows UTF-8.
    """
    rows = [list(COLUMNS)]
    for line in finding_lines(report, layout):
        finding = line.finding
        cells = (
            finding.rule, finding.severity.value, line.state, finding.tab, finding.sheet, finding.row, finding.column,
            finding.cell, finding.row_key, finding.field, line.header, finding.code, finding.value, finding.message,
            finding.suggestion, " ".join(finding.related), "" if line.order.startswith("\t") else line.order, line.label,
            " ".join(line.chapters), line.waiver,
        )  # fmt: skip
        rows.append(["" if cell is None else str(cell) for cell in cells])
    return csv_bytes(rows, bom=bom)

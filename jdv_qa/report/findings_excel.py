"""Findings as an Excel workbook: for those who filter, share out and tick off.

Four tabs: the verdict with what was checked and with what, and the numbers by family; the findings, one a row; the rules
and what became of each; what was found in the workbook, tab by tab.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

from jdv_qa.checks.catalogue import FAMILIES, text
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Severity
from jdv_qa.language import say
from jdv_qa.report.cell_text import fitted
from jdv_qa.report.findings_lines import (
    SEVERITIES,
    baseline_sentence,
    facts,
    families,
    finding_lines,
    outcomes,
    state_name,
    status_sentence,
    verdict,
)
from jdv_qa.report.rules_text import severity_word, visible
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import column_letter
from jdv_qa.workbook.layout import Layout

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_COLOURS = {Severity.ERROR: "#F8CBAD", Severity.WARNING: "#FFE699", Severity.INFO: "#DDEBF7"}
_CREATED = dt.datetime(1980, 1, 1)
"""A fixed date of creation, so that the same findings give the same bytes."""


def findings_excel(report: Report, layout: Layout) -> bytes:
    """Return the report as an .xlsx file, the same to the byte for the same input."""
    from xlsxwriter import Workbook

    buffer = io.BytesIO()
    book = Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"title": say("Contrôle", "Check"), "created": _CREATED})
    _write_summary(book, report)
    _write_findings(book, report, layout)
    _write_rules(book, report)
    _write_tabs(book, report)
    book.close()
    return buffer.getvalue()


def _write_summary(book: Workbook, report: Report) -> None:
    columns = [(say("Élément", "Item"), 34), (say("Valeur", "Value"), 70)] + [
        (word, 16) for word in (*map(_capital, map(severity_word, SEVERITIES)), say("Dérogation", "Waived"))
    ]
    sheet, plain = _sheet(book, say("Synthèse", "Summary"), columns[:2])
    sheet.ignore_errors({"number_stored_as_text": "A1:B40"})
    bold = _format(book, bold=True)
    kind, sentence = verdict(report)
    tint = {"crashed": "#F8CBAD", "clean": "#C6E0B4"} | {key.value: colour for key, colour in _COLOURS.items()}
    sheet.write_string(1, 0, say("Verdict", "Verdict"), bold)
    sheet.write_string(1, 1, sentence, _format(book, bold=True, bg_color=tint[kind]))
    row = 2
    if since := baseline_sentence(report):
        sheet.write_string(row, 0, say("Rapport de référence", "Baseline"), plain)
        sheet.write_string(row, 1, since, plain)
        row += 1
    for name, value in facts(report):
        sheet.write_string(row, 0, name, plain)
        sheet.write_string(row, 1, fitted(value), plain)
        row += 1
    row += 1
    head = _head(book)
    for column, (title, width) in enumerate([(say("Famille", "Family"), 0), (say("Nom", "Name"), 0), *columns[2:]]):
        sheet.write_string(row, column, title, head)
        if width:
            sheet.set_column(column, column, width)
    for family, name, numbers in families(outcomes(report)):
        row += 1
        sheet.write_string(row, 0, family, plain)
        sheet.write_string(row, 1, name, plain)
        for column, key in enumerate((*(severity.value for severity in SEVERITIES), "waived"), 2):
            sheet.write_number(row, column, numbers[key], plain)
    small = book.add_format({"italic": True, "font_color": "#595959", "text_wrap": True, "valign": "top"})
    sheet.merge_range(row + 2, 0, row + 2, 5, LOINC_NOTICE, small)
    sheet.set_row(row + 2, 45)


def _write_findings(book: Workbook, report: Report, layout: Layout) -> None:
    columns = [
        (say("Sévérité", "Severity"), 14), (say("Règle", "Rule"), 9), (say("Onglet", "Tab"), 22), (say("Cellule", "Cell"), 9),
        (say("Code", "Code"), 12), (say("Colonne", "Column"), 24), (say("Valeur", "Value"), 28), (say("Constat", "Finding"), 70),
        (say("Proposition", "Proposal"), 28), (say("Comment corriger", "How to mend"), 50), (say("Demande", "Order"), 34),
        (say("État", "State"), 14), (say("Dérogation", "Waiver"), 34),
    ]  # fmt: skip
    sheet, plain = _sheet(book, say("Constats", "Findings"), columns)
    tints = {severity: _format(book, bg_color=colour) for severity, colour in _COLOURS.items()}
    for row, line in enumerate(finding_lines(report, layout), 1):
        finding = line.finding
        place = finding.cell or (str(finding.row) if finding.row else finding.column or "")
        order = line.order_title if finding.tab == "main" and finding.row else ""
        values = [
            severity_word(finding.severity), finding.rule, finding.sheet, place, finding.code, line.header,
            visible(finding.value), finding.message, visible(finding.suggestion or ""),
            text(report.rules[finding.rule].mend), order, state_name(line.state), line.waiver,
        ]  # fmt: skip
        for column, value in enumerate(values):
            sheet.write_string(row, column, fitted(value), tints[finding.severity] if column == 0 else plain)
        # no program sets the height of a row of wrapped text on opening a file that another has written
        lines = max(-(-len(value) * 11 // (10 * width)) for value, (_, width) in zip(values, columns, strict=True))
        sheet.set_row(row, 15 * max(lines, 1))
    sheet.autofilter(0, 0, max(len(report.findings), 1), len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:M{len(report.findings) + 1}"})


def _write_rules(book: Workbook, report: Report) -> None:
    columns = [
        (say("Règle", "Rule"), 9), (say("Famille", "Family"), 18), (say("Sévérité", "Severity"), 14), (say("Titre", "Title"), 60),
        (say("Ce qu'il en est", "Outcome"), 60), (say("Constats", "Findings"), 10), (say("Dérogations", "Waived"), 12),
        (say("Ce que contrôle la règle", "What the rule checks"), 70),
    ]  # fmt: skip
    sheet, plain = _sheet(book, say("Règles", "Rules"), columns)
    told = outcomes(report)
    tints = {
        "crashed": _format(book, bg_color="#F8CBAD"), "skipped": _format(book, bg_color="#EDEDED"), "clean": plain,
        "findings": _format(book, bg_color="#FFF2CC"),
    }  # fmt: skip
    for row, outcome in enumerate(told, 1):
        rule = outcome.rule
        values = [
            rule.id, say(*FAMILIES[rule.family]), severity_word(rule.severity), text(rule.title), status_sentence(outcome),
        ]  # fmt: skip
        for column, value in enumerate(values):
            sheet.write_string(row, column, fitted(value), tints[outcome.status] if column == 4 else plain)
        sheet.write_number(row, 5, outcome.total, plain)
        sheet.write_number(row, 6, outcome.numbers["waived"], plain)
        sheet.write_string(row, 7, text(rule.checks), plain)
        lengths = [*map(len, values), 0, 0, len(text(rule.checks))]
        lines = max(-(-length * 11 // (10 * width)) for length, (_, width) in zip(lengths, columns, strict=True))
        sheet.set_row(row, 15 * max(lines, 1))
    sheet.autofilter(0, 0, max(len(told), 1), len(columns) - 1)


def _write_tabs(book: Workbook, report: Report) -> None:
    columns = [
        (say("Onglet", "Tab"), 30), (say("Compris comme", "Understood as"), 16), (say("Étendue", "Extent"), 14),
        (say("Ligne d'en-tête", "Header row"), 14), (say("Lignes lues", "Rows read"), 12),
        (say("Colonnes inconnues", "Unknown columns"), 30),
        (say("Lignes masquées", "Hidden rows"), 12), (say("Colonnes masquées", "Hidden columns"), 12),
        (say("Formules", "Formulas"), 10),
        (say("Cellules fusionnées", "Merged cells"), 12), (say("Visible", "Visible"), 10), (say("Constats", "Findings"), 10),
    ]  # fmt: skip
    sheet, plain = _sheet(book, say("Classeur", "Workbook"), columns)
    sheet.set_row(0, 30)
    edition = report.edition
    tables = {table.sheet: table for key, table in edition.tables.items() if key != "history"}
    for row, found in enumerate(edition.sheets, 1):
        table = tables.get(found.name)
        unknown = [column.header for column in table.columns if column.field is None] if table else []
        values: list[str | int] = [
            found.name,
            found.tab or say("inconnu, non lu", "unknown, not read"),
            f"A1:{column_letter(found.columns)}{found.rows}" if found.rows and found.columns else "",
            table.header_row if table else "",
            len(table.records) if table else "",
            ", ".join(unknown),
            len(found.hidden_rows),
            len(found.hidden_columns),
            len(found.formulas),
            len(found.merged),
            say("oui", "yes") if found.state == "visible" else say("non", "no"),
            sum(finding.sheet == found.name and not finding.waived for finding in report.findings),
        ]
        for column, value in enumerate(values):
            if isinstance(value, int):
                sheet.write_number(row, column, value, plain)
            else:
                sheet.write_string(row, column, fitted(value), plain)


def _sheet(book: Workbook, name: str, columns: list[tuple[str, int]]) -> tuple[Any, Any]:
    """Add a sheet with its header row, frozen, and return it with the format of its cells."""
    sheet = book.add_worksheet(name)
    head = _head(book)
    for column, (title, width) in enumerate(columns):
        sheet.write_string(0, column, title, head)
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return sheet, _format(book)


def _head(book: Workbook) -> Any:
    return book.add_format(
        {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E79", "text_wrap": True, "valign": "top"}
    )


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _format(book: Workbook, **more: str | bool) -> Any:
    return book.add_format({"text_wrap": True, "valign": "top", "border": 1, "border_color": "#BFBFBF", **more})

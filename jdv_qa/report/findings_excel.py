"""Findings as an Excel workbook: for those who filter, share out and tick off.

Three tabs: the findings, one a row; the rules and what became of each; what was checked, and with what.
"""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from jdv_qa import __version__
from jdv_qa.checks.catalogue import text
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.language import say
from jdv_qa.report.rules_text import severity_word, visible
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
    _write_findings(book, report, layout)
    _write_rules(book, report)
    _write_facts(book, report)
    book.close()
    return buffer.getvalue()


def _write_findings(book: Workbook, report: Report, layout: Layout) -> None:
    known = {id(finding) for finding in report.news[1]}
    columns = [
        (say("Sévérité", "Severity"), 14), (say("Règle", "Rule"), 9), (say("Onglet", "Tab"), 22), (say("Cellule", "Cell"), 9),
        (say("Code", "Code"), 12), (say("Colonne", "Column"), 24), (say("Valeur", "Value"), 28), (say("Constat", "Finding"), 70),
        (say("Proposition", "Proposal"), 28), (say("Comment corriger", "How to mend"), 50), (say("État", "State"), 14),
    ]  # fmt: skip
    sheet, plain = _sheet(book, say("Constats", "Findings"), columns)
    tints = {severity: _format(book, bg_color=colour) for severity, colour in _COLOURS.items()}
    for row, finding in enumerate(report.findings, 1):
        state = _state(finding, known) if report.baseline or finding.waived else ""
        place = finding.cell or (str(finding.row) if finding.row else finding.column or "")
        header = layout.header(finding.tab, finding.field) if finding.field else ""
        values = [
            severity_word(finding.severity), finding.rule, finding.sheet, place, finding.code, header, visible(finding.value),
            finding.message, finding.suggestion or "", text(report.rules[finding.rule].mend), state,
        ]  # fmt: skip
        for column, value in enumerate(values):
            sheet.write_string(row, column, value, tints[finding.severity] if column == 0 else plain)
        # no program sets the height of a row of wrapped text on opening a file that another has written
        lines = max(-(-len(value) * 11 // (10 * width)) for value, (_, width) in zip(values, columns, strict=True))
        sheet.set_row(row, 15 * max(lines, 1))
    sheet.autofilter(0, 0, max(len(report.findings), 1), len(columns) - 1)


def _state(finding: Finding, known: set[int]) -> str:
    """Return what a finding is beside the waivers and the baseline."""
    if finding.waived:
        return say("dérogation", "waived")
    return say("déjà connu", "known") if id(finding) in known else say("nouveau", "new")


def _write_rules(book: Workbook, report: Report) -> None:
    columns = [
        (say("Règle", "Rule"), 9), (say("Sévérité", "Severity"), 14), (say("Titre", "Title"), 60),
        (say("Ce qu'il en est", "Outcome"), 60), (say("Constats", "Findings"), 10), (say("Dérogations", "Waived"), 12),
    ]  # fmt: skip
    sheet, plain = _sheet(book, say("Règles", "Rules"), columns)
    counts = Counter((finding.rule, finding.waived) for finding in report.findings)
    reasons = {
        item.rule: say(f"non contrôlée : {item.reason}", f"not checked: {item.reason}") for item in report.skipped
    }
    reasons |= {item.rule: say(f"en échec : {item.reason}", f"broke down: {item.reason}") for item in report.crashed}
    for row, rule in enumerate(report.rules.values(), 1):
        clean = say("rien à signaler", "clean") if not counts[rule.id, False] else say("des constats", "findings")
        for column, value in enumerate(
            (rule.id, severity_word(rule.severity), text(rule.title), reasons.get(rule.id, clean))
        ):
            sheet.write_string(row, column, value, plain)
        sheet.write_number(row, 4, counts[rule.id, False], plain)
        sheet.write_number(row, 5, counts[rule.id, True], plain)
    sheet.autofilter(0, 0, max(len(report.rules), 1), len(columns) - 1)


def _write_facts(book: Workbook, report: Report) -> None:
    sheet, plain = _sheet(book, say("Contrôle", "Check"), [(say("Élément", "Item"), 30), (say("Valeur", "Value"), 80)])
    edition = report.edition
    summary = report.summary
    loinc = report.loinc
    facts = [
        (say("Classeur", "Workbook"), PurePath(edition.source.path).name),
        ("SHA-256", edition.source.sha256),
        ("Version", edition.identity.version),
        (say("Lignes", "Rows"), str(len(edition.main.records))),
        (say("Profil", "Profile"), report.profile),
        (
            say("Version de LOINC donnée", "LOINC release given"),
            (loinc.version or "?") if loinc else say("aucune", "none"),
        ),
        (say("Erreurs", "Errors"), str(summary["error"])),
        (say("Avertissements", "Warnings"), str(summary["warning"])),
        (say("Informations", "Notes"), str(summary["info"])),
        (say("Dérogations", "Waivers"), str(summary["waived"])),
        (say("Règles appliquées", "Rules run"), str(len(report.run))),
        (say("Règles non contrôlées", "Rules not checked"), str(len(report.skipped))),
        (say("Règles en échec", "Rules that broke down"), str(len(report.crashed))),
        ("jdv", __version__),
    ]
    for row, (name, value) in enumerate(facts, 1):
        sheet.write_string(row, 0, name, plain)
        sheet.write_string(row, 1, value, plain)


def _sheet(book: Workbook, name: str, columns: list[tuple[str, int]]) -> tuple[Any, Any]:
    """Add a sheet with its header row, frozen, and return it with the format of its cells."""
    sheet = book.add_worksheet(name)
    head = book.add_format(
        {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E79", "text_wrap": True, "valign": "top"}
    )
    for column, (title, width) in enumerate(columns):
        sheet.write_string(0, column, title, head)
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return sheet, _format(book)


def _format(book: Workbook, **more: str) -> Any:
    return book.add_format({"text_wrap": True, "valign": "top", "border": 1, "border_color": "#BFBFBF", **more})

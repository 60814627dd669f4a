"""Builds real workbooks from the small rows of rule cases and of tests.

A case gives what differs from a plain, correct row. Values are written as YAML gives them: text as text cells, numbers as
numbers, dates as dates; `{formula: …, value: …}` and `{error: "#N/A"}` write those; null leaves the cell blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jdv_qa.workbook.layout import Layout, load_layout
from tests.sheets import Sheet, workbook_of

FIRST_ROW = 3
"""Excel row of the first row of a case in the main tab: a band row and a header row stand above."""

PLAIN_ROW: dict[str, Any] = {
    "nabm_code": "1609", "nabm_label": "Sang : ionogramme", "order_label": "Sodium (demande)", "order_synonyms": "Natrémie",
    "order_code": "2951-2", "order_loinc_label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "order_type": "Both",
    "specimen": "SER", "site": None, "laterality": None, "clinical_info": None, "chapter": "18719-5", "subchapter": "18719-5",
    "rank": 10, "result_code": "2951-2", "result_loinc_label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique",
    "result_display": "Sodium", "comparability": 1, "discriminating_technique": "N", "unit": "mmol/L", "unit_secondary": None,
    "conversion_factor": None, "comment": None,
}  # fmt: skip

PLAIN_TABS: dict[str, list[dict[str, Any]]] = {
    "chapters": [
        {"code": "18719-5", "label": "Biochimie", "subcode": "18719-5", "sublabel": "Biochimie"},
        {"code": "18723-7", "label": "Hématologie", "subcode": "18723-7", "sublabel": "Hématologie"},
        {"code": "18725-2", "label": "Microbiologie", "subcode": "18725-2", "sublabel": "Microbiologie"},
    ],
    "clinical_info": [{"code": "29463-7", "label": "Poids"}, {"code": "8302-2", "label": "Taille"}],
    "specimens": [
        {"code": "SER", "label": "Sérum"},
        {"code": "BLD", "label": "Sang total"},
        {"code": "UR", "label": "Urine"},
    ],
    "sites": [{"code": "ARM", "label": "Bras"}],
    "lateralities": [{"code": "24028007", "label": "droit"}, {"code": "7771000", "label": "gauche"}],
    "techniques": [{"code": "9AX", "label": "Ampérométrie"}],
    "experts": [{"specialty": "Biochimie", "organisation": "CHU", "period": "présent"}],
    "notes": [],
    "indicators": [],
}
PLAIN_TERM: dict[str, Any] = {
    "code": "2951-2", "label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "component_en": "Sodium", "component_fr": "Sodium",
    "synonyms": "Natrémie", "property": "Moles/Volume", "time": "Ponctuel", "system": "Sérum/Plasma", "scale": "Numérique",
    "method": None, "chapter": "CHEM", "validated": "2024-06-01", "version": "2.22", "status": "ACTIVE", "corrected": None,
}  # fmt: skip
PLAIN_SUMMARY: dict[str, Any] = {
    "title": "JDV_CircuitBio",
    "version": "1.0.0",
    "date": "2026-01-15",
    "loinc_version": "2.80",
}


def build_workbook(case: Mapping[str, Any], path: Path, layout: Layout | None = None) -> Path:
    """Write the workbook of a case.

    Keys of a case: `terms` of a workbook in one-table form, and nothing else; or `rows` of the main tab and `tabs` of the others, `summary` values, `headers` (field -> header text, null for
    no column), `extra` columns (header -> list of values), `cells` (tab, cell, value), `merge` (ranges of the main tab),
    `hide` (tab, or name of a sheet; rows, columns, or `sheet: true` for the whole, `veryHidden` out of Excel's menu), `filter`
    (tabs with an active filter), `drop` (tabs left out), `names` (tab -> its name), `sheets` (name -> rows of further sheets).
    """
    layout = layout or layout_of(case)
    if "terms" in case:
        path.write_bytes(workbook_of([_terms(case["terms"], layout)]))
        return path
    sheets: dict[str, Sheet] = {}
    for key, tab in layout.tabs.items():
        if key in case.get("drop", ()):
            continue
        sheets[key] = sheet = Sheet(case.get("names", {}).get(key, tab.name))
        if tab.labels:
            history = case.get("history", [("1.0.0", "2026-01-15", "Création")])
            _write_summary(sheet, PLAIN_SUMMARY | case.get("summary", {}), history, layout)
            continue
        headers = {name: column.header for name, column in tab.columns.items()}
        if key == "main":
            headers |= case.get("headers", {})
            rows = [PLAIN_ROW | row for row in case.get("rows", [{}])]
            sheet.put(1, 1, "Jeu de valeurs", typed=True)
        else:
            rows = case.get("tabs", {}).get(key, PLAIN_TABS[key])
            headers |= {name: name for row in rows for name in row if name not in headers and key == "indicators"}
        names = [name for name, header in headers.items() if header is not None]
        top = FIRST_ROW - 1 if key == "main" else 1
        for column, name in enumerate(names, 1):
            sheet.put(top, column, headers[name], typed=True)
        for number, row in enumerate(rows, top + 1):
            for column, name in enumerate(names, 1):
                sheet.put(number, column, row.get(name))
        if key == "main":
            for column, (header, values) in enumerate(case.get("extra", {}).items(), len(names) + 1):
                sheet.put(top, column, header, typed=True)
                for number, value in enumerate(values, top + 1):
                    sheet.put(number, column, value)
    for name, rows in case.get("sheets", {}).items():
        sheets[name] = sheet = Sheet(name)
        for row in rows:
            sheet.append(row)
    for item in case.get("cells", []):
        sheets[item.get("tab", "main")].put_at(item["cell"], item["value"])
    for area in case.get("merge", []):
        sheets["main"].merge(area)
    for item in case.get("hide", []):
        sheet = sheets[item.get("tab", "main")]
        sheet.hidden_rows.update(item.get("rows", []))
        for letter in item.get("columns", []):
            sheet.hide_column(letter)
        if item.get("sheet"):
            sheet.state = item["sheet"] if isinstance(item["sheet"], str) else "hidden"
    for key in case.get("filter", []):
        sheets[key].filtered = True
    path.write_bytes(workbook_of(sheets.values()))
    return path


def layout_of(case: Mapping[str, Any]) -> Layout:
    """Return the layout of the workbook of a case: one table where it gives `terms`."""
    return load_layout("loinc_fr" if "terms" in case else None)


def _terms(terms: list[dict[str, Any]], layout: Layout) -> Sheet:
    """Return the sheet of a workbook in one-table form: a title, the headers, a term a row."""
    tab = layout.tabs["terms"]
    sheet = Sheet(tab.name)
    sheet.append(["LOINC Biologie FR 2.22 (2.78)"])
    sheet.append(column.header for column in tab.columns.values())
    for number, term in enumerate(terms, FIRST_ROW):
        for column, value in enumerate((PLAIN_TERM | term).values(), 1):
            sheet.put(number, column, value)
    return sheet


def _write_summary(sheet: Sheet, summary: Mapping[str, Any], history: list[Any], layout: Layout) -> None:
    sheet.append(["Jeu de valeurs Circuit de la biologie"])
    for key, texts in layout.tabs["summary"].labels.items():
        if summary.get(key) is not None:
            sheet.append([texts[0]])
            sheet.put(sheet.last_row, 2, summary[key])
    sheet.append([])
    sheet.append(["Version", "Date", "Commentaire"])
    for line in history:
        sheet.append(line)

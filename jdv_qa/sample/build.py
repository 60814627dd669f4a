"""Build the sample workbooks from the source tables: `python -m jdv_qa.sample.build [DIR]`.

The tables in `source/` hold the first edition, the changes that make the second one, and the faults planted in the
draft that follows. The same tables give the same bytes. French data, one table a file, `;` between cells:

* `orders.csv`, `results.csv`, `pairs.csv`, `nabm.csv` and one table per reference tab: edition 1.0.0;
* `added_orders.csv`, `added_results.csv`: what `changes.csv` adds; `changes.csv`: from 1.0.0 to 1.1.0;
* `requests.csv`: a register of change requests to edition 1.0.0, with the verdict expected of each;
* `faults.csv`: cells of edition 1.1.0 that are wrong in the draft 1.2.0, with the rules that must say so;
* `editions.csv`: version, date, LOINC release and file of each edition.
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

REQUESTS = "demandes_1.1.0.xlsx"
"""File of the register of the requests that led to edition 1.1.0."""

SOURCE = Path(__file__).resolve().parent / "source"
TITLE = "Jeu de valeurs Circuit de la biologie"
LOINC_NOTICE = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright © Regenstrief Institute, Inc. "
    "and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the "
    "license at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief Institute, Inc."
)
MAIN_TAB = "1.JDV_CircuitBio"
MAIN_START = 2
"""Index of the first data row of the main tab, below the band row and the header row."""

COLUMNS: dict[str, tuple[str, str, int]] = {
    "nabm_code": ("NABM/RIHN", "Code NABM/RIHN", 12),
    "nabm_label": ("NABM/RIHN", "Libellé NABM/RIHN", 30),
    "order_label": ("Examen prescriptible", "Libellé de la demande", 34),
    "order_synonyms": ("Examen prescriptible", "Synonymes", 30),
    "order_code": ("Examen prescriptible", "Code LOINC demande", 13),
    "order_loinc_label": ("Examen prescriptible", "Libellé LOINC demande", 44),
    "order_type": ("Examen prescriptible", "Order/Both/Observation", 14),
    "specimen": ("Renseignements prélèvement", "Nature de prélèvement (SPM4)", 14),
    "site": ("Renseignements prélèvement", "Localisation (SPM8)", 14),
    "laterality": ("Renseignements prélèvement", "Latéralité (SPM9)", 14),
    "clinical_info": ("Renseignements cliniques", "Renseignements cliniques", 16),
    "chapter": ("Analyse porteuse de résultat", "Chapitre", 11),
    "subchapter": ("Analyse porteuse de résultat", "Sous-chapitre", 12),
    "rank": ("Analyse porteuse de résultat", "Rang de classification", 13),
    "result_code": ("Analyse porteuse de résultat", "Code LOINC résultat", 13),
    "result_loinc_label": ("Analyse porteuse de résultat", "Libellé LOINC résultat", 52),
    "result_display": ("Analyse porteuse de résultat", "Libellé d'édition", 34),
    "comparability": ("Analyse porteuse de résultat", "Niveau minimum de comparabilité", 15),
    "discriminating_technique": ("Analyse porteuse de résultat", "Technique discriminante", 15),
    "unit": ("Analyse porteuse de résultat", "Unité recommandée", 16),
    "unit_secondary": ("Analyse porteuse de résultat", "Unité secondaire", 12),
    "conversion_factor": ("Analyse porteuse de résultat", "Facteur de conversion", 12),
    "comment": ("Analyse porteuse de résultat", "Commentaire", 34),
}
"""Field of the main table -> band, header and column width."""

ORDER_FIELDS = tuple(COLUMNS)[:11]
RESULT_FIELDS = tuple(COLUMNS)[11:]
LINE_HEIGHT = 15.0
NUMBER_FIELDS = ("rank", "comparability", "conversion_factor")
BAND_COLOURS = ("#5B4A8A", "#1F5C99", "#2B6E5E", "#8A5A1F", "#7A2E3B")

REFERENCE_TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "chapters": (
        "2.Chapitres LOINC",
        ("Code chapitre", "Libellé chapitre", "Code sous-chapitre", "Libellé sous-chapitre"),
    ),
    "clinical_info": ("3.Renseignements cliniques", ("Code", "Libellé")),
    "specimens": ("4.Nature de prélèvement – SPM4", ("Code", "Libellé")),
    "sites": ("5.Localisation – SPM8", ("Code", "Libellé")),
    "lateralities": ("6.Latéralité – SPM9", ("Code", "Libellé")),
    "techniques": ("7.Techniques", ("Code", "Libellé")),
    "experts": ("8.Experts", ("Spécialité", "Organisme", "Période")),
}
NOTES_TAB = "9.Notes de mise à jour"
NOTES_HEADERS = (
    "Version", "Date", "Partie", "Nature", "Code", "Libellé", "Champ", "Ancienne valeur", "Nouvelle valeur",
    "Commentaire",
)  # fmt: skip
NOTES_WIDTHS = (9, 12, 26, 17, 12, 40, 26, 36, 36, 50)
INDICATORS_TAB = "10.Indicateurs semestriels"
INDICATORS = (
    "Codes LOINC demandes", "Demandes de type Order", "Demandes de type Both", "Demandes de type Observation",
    "Demandes en attente de code LOINC", "Codes LOINC résultats", "Codes résultats différents",
    "Résultats en attente de code LOINC",
)  # fmt: skip
"""Labels of the indicators, in the order of `figures`."""

PARTS = {
    "order": "Demande",
    "result": "Résultat",
    "association": "Association demande–résultat",
    "nabm": "Alignement NABM/RIHN",
    "chapter": "Chapitre",
    "clinical_info": "Renseignement clinique",
    "specimen": "Nature de prélèvement",
    "site": "Localisation",
    "laterality": "Latéralité",
    "technique": "Technique",
}
KINDS = {
    "added": "Ajout",
    "removed": "Suppression",
    "modified": "Modification",
    "assigned": "Code attribué",
    "replaced": "Code remplacé",
}
TABLE_OF_PART = {
    "chapter": "chapters",
    "clinical_info": "clinical_info",
    "specimen": "specimens",
    "site": "sites",
    "laterality": "lateralities",
    "technique": "techniques",
}

Row = dict[str, str]


@dataclass
class Edition:
    """One edition: orders and results by code, their pairs, the reference tables, the notes and the indicators."""

    version: str
    date: str
    loinc: str
    orders: dict[str, Row]
    results: dict[str, Row]
    pairs: list[tuple[str, str]]
    nabm: dict[str, str]
    tables: dict[str, list[list[str]]]
    history: list[tuple[str, str, str]]
    notes: list[tuple[str, ...]] = field(default_factory=list)
    indicators: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class MainRow:
    """One row of the main tab: texts by field, planted cells (kind and text) by field, and whether it is hidden."""

    values: Mapping[str, str]
    planted: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    hidden: bool = False


def read_table(name: str) -> list[Row]:
    """Return the rows of a source table, header -> text."""
    with (SOURCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def first_edition() -> Edition:
    """Return edition 1.0.0 as the source tables give it."""
    about = read_table("editions")[0]
    edition = Edition(
        about["version"],
        about["date"],
        about["loinc"],
        {row["order_code"]: row for row in read_table("orders")},
        {row["result_code"]: row for row in read_table("results")},
        [(row["order_code"], row["result_code"]) for row in read_table("pairs")],
        {row["code"]: row["label"] for row in read_table("nabm")},
        {name: [list(row.values()) for row in read_table(name)] for name in REFERENCE_TABS},
        [(about["version"], about["date"], about["comment"])],
    )
    edition.indicators[edition.version] = figures(edition)
    return edition


def figures(edition: Edition) -> tuple[int, ...]:
    """Return the indicators of an edition, in the order of `INDICATORS`."""
    types = [row["order_type"] for row in edition.orders.values()]
    results = {result for _, result in edition.pairs}
    pending = sum("-" not in code for code in results)
    by_type = (types.count("Order"), types.count("Both"), types.count("Observation"), types.count(""))
    return (len(types), *by_type, len(results), len(results) - pending, pending)


def next_edition(previous: Edition, changes: Sequence[Row]) -> Edition:
    """Return edition 1.1.0: the previous one with the changes made, told in its notes and counted in its indicators."""
    edition = deepcopy(previous)
    about = read_table("editions")[1]
    edition.version, edition.date, edition.loinc = about["version"], about["date"], about["loinc"]
    edition.history.append((about["version"], about["date"], about["comment"]))
    for change in changes:
        if change["part"] in TABLE_OF_PART:
            _change_table(edition.tables[TABLE_OF_PART[change["part"]]], change)
        elif change["kind"] in ("assigned", "replaced"):
            _recode(edition, change)
        else:
            _change_main(edition, change)
    edition.notes = [note(previous, edition, change) for change in changes]
    edition.indicators[edition.version] = figures(edition)
    return edition


def _change_table(table: list[list[str]], change: Row) -> None:
    code, label = change["code"], change["new"]
    if change["kind"] == "added":
        table.append([code, label, code, label] if change["part"] == "chapter" else [code, label])
        table.sort(key=lambda row: row[0] if change["part"] in ("specimen", "technique") else "")
        return
    (place,) = (index for index, row in enumerate(table) if row[0] == code)
    if change["kind"] == "removed":
        del table[place]
    else:
        table[place][1] = label


def _recode(edition: Edition, change: Row) -> None:
    old, new = change["code"], change["new_code"]
    is_order = change["part"] == "order"
    key = f"{change['part']}_code"
    entries = edition.orders if is_order else edition.results
    renamed = {}
    for code, row in entries.items():
        renamed[new if code == old else code] = row
        if code == old:
            row[key] = new
            row[f"{change['part']}_loinc_label"] = change["new"]
            if change["order_type"]:
                row["order_type"] = change["order_type"]
    entries.clear()
    entries.update(renamed)
    if is_order:
        edition.pairs = [(new if order == old else order, result) for order, result in edition.pairs]
    else:
        edition.pairs = [(order, new if result == old else result) for order, result in edition.pairs]


def _change_main(edition: Edition, change: Row) -> None:
    kind, part, code = change["kind"], change["part"], change["code"]
    if part == "association":
        pair = (code, change["result"])
        if kind == "added":
            edition.pairs.append(pair)
        else:
            edition.pairs.remove(pair)
    elif part == "nabm" and code in edition.orders:
        codes = [text for text in edition.orders[code]["nabm_code"].split(";") if text]
        if kind == "removed":
            codes.remove(change["nabm"])
        elif change["nabm"] not in codes:
            codes.append(change["nabm"])
        edition.orders[code]["nabm_code"] = ";".join(codes)
    elif part in ("order", "result"):
        entries = edition.orders if part == "order" else edition.results
        if kind == "added":
            (entries[code],) = (row for row in read_table(f"added_{part}s") if row[f"{part}_code"] == code)
        elif kind == "removed":
            del entries[code]
        else:
            entries[code][change["field"]] = change["new"]


def note(previous: Edition, edition: Edition, change: Row) -> tuple[str, ...]:
    """Return the line of the notes tab that tells a change."""
    kind, part, code = change["kind"], change["part"], change["code"]
    old, new, header = change["old"], change["new"], ""
    if kind == "modified":
        header = COLUMNS[change["field"]][1] if change["field"] in COLUMNS else "Libellé"
    elif kind in ("assigned", "replaced"):
        old, new, header = code, change["new_code"], COLUMNS[f"{part}_code"][1]
    elif part in ("association", "nabm"):
        value = change["result"] or change["nabm"]
        header = COLUMNS["result_code" if part == "association" else "nabm_code"][1]
        old, new = ("", value) if kind == "added" else (value, "")
    else:
        old = new = ""
    label = _label(edition, part, code) or _label(previous, part, code)
    return (edition.version, edition.date, PARTS[part], KINDS[kind], code, label, header, old, new, change["comment"])


def _label(edition: Edition, part: str, code: str) -> str:
    if part == "result":
        return edition.results.get(code, {}).get("result_display", "")
    if part in TABLE_OF_PART:
        return next((row[1] for row in edition.tables[TABLE_OF_PART[part]] if row[0] == code), "")
    return edition.orders.get(code, {}).get("order_label", "")


def main_rows(edition: Edition) -> list[MainRow]:
    """Return the rows of the main tab: the results of each order, orders in their own order."""
    results: dict[str, list[str]] = {code: [] for code in edition.orders}
    for order, result in edition.pairs:
        results[order].append(result)
    rows = []
    for order, codes in results.items():
        nabm_codes = [code for code in edition.orders[order]["nabm_code"].split(";") if code]
        labels = {"nabm_label": ";".join(edition.nabm[code] for code in nabm_codes)}
        rows += [MainRow(edition.orders[order] | labels | edition.results[code]) for code in codes]
    return rows


def with_faults(rows: Sequence[MainRow], faults: Sequence[Row]) -> list[MainRow]:
    """Return the rows of the draft: those given, with the faults planted in their cells."""
    planted: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for fault in faults:
        key = (fault["order_code"], fault["result_code"])
        planted.setdefault(key, {})[fault["field"] or fault["kind"]] = (fault["kind"], fault["value"])
    out = []
    for row in rows:
        cells = planted.pop((row.values["order_code"], row.values["result_code"]), {})
        fields = {name: cell for name, cell in cells.items() if name in COLUMNS}
        out.append(MainRow(row.values, fields, hidden="hidden" in cells))
        if "duplicate" in cells:
            out.append(MainRow(row.values))
    if planted:
        raise ValueError(f"faults.csv: no such row: {sorted(planted)}")
    return out


class Styles:
    """The cell formats of a workbook."""

    def __init__(self, workbook: Workbook) -> None:
        """Make the formats."""
        common = {"valign": "top", "border": 1, "border_color": "#D0D7DE"}
        head = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3A5F", "text_wrap": True, "valign": "vcenter"}
        self.title: Format = workbook.add_format({"bold": True, "font_size": 16, "font_color": "#1F3A5F"})
        self.name: Format = workbook.add_format({**common, "bold": True, "bg_color": "#EEF2F7"})
        self.head: Format = workbook.add_format(head)
        self.bands: list[Format] = [
            workbook.add_format({**head, "bg_color": colour, "align": "center"}) for colour in BAND_COLOURS
        ]
        self.text: Format = workbook.add_format({**common, "num_format": "@", "text_wrap": True})
        self.number: Format = workbook.add_format({**common, "align": "center"})
        self.date: Format = workbook.add_format({**common, "num_format": "mmm-yy"})


def write_workbook(path: Path, edition: Edition, rows: Sequence[MainRow], *, merged: bool = False) -> None:
    """Write an edition as an Excel workbook; `merged` merges the cells of an order over its rows."""
    from xlsxwriter import Workbook

    workbook = Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties(
        {
            "title": f"{TITLE} {edition.version}",
            "subject": "Données d'exemple",
            "comments": LOINC_NOTICE,
            "created": dt.datetime.fromisoformat(edition.date),
        }
    )
    styles = Styles(workbook)
    _write_summary(workbook.add_worksheet("Sommaire"), edition, styles)
    _write_main(workbook.add_worksheet(MAIN_TAB), rows, styles, merged=merged)
    for name, (tab, headers) in REFERENCE_TABS.items():
        table_widths = (26, 40, 20) if name == "experts" else (18, 62, 20, 62)
        _write_table(workbook.add_worksheet(tab), headers, edition.tables[name], table_widths, styles)
    _write_table(workbook.add_worksheet(NOTES_TAB), NOTES_HEADERS, edition.notes, NOTES_WIDTHS, styles)
    headers = ("Indicateur", *edition.indicators)
    widths = (40, *(12 for _ in edition.indicators))
    _write_table(workbook.add_worksheet(INDICATORS_TAB), headers, _indicator_rows(edition), widths, styles)
    workbook.close()


def _indicator_rows(edition: Edition) -> list[list[str | int]]:
    counts = edition.indicators.values()
    return [[label, *(count[place] for count in counts)] for place, label in enumerate(INDICATORS)]


def _write_summary(sheet: Worksheet, edition: Edition, styles: Styles) -> None:
    sheet.hide_gridlines(2)
    _set_page(sheet)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 16)
    sheet.set_column(2, 2, 90)
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, TITLE, styles.title)
    about = {
        "Nom du livrable": "JDV_CircuitBio",
        "Version": edition.version,
        "Date de publication": edition.date,
        "Version LOINC": edition.loinc,
    }
    for row, (name, value) in enumerate(about.items(), 1):
        sheet.write_string(row, 0, name, styles.name)
        sheet.write_string(row, 1, value, styles.text)
    sheet.write_string(5, 0, "Mention LOINC", styles.name)
    sheet.merge_range(5, 1, 5, 2, LOINC_NOTICE, styles.text)
    sheet.set_row(5, 48)
    sheet.write_string(6, 0, "Nature du document", styles.name)
    sheet.merge_range(6, 1, 6, 2, "Données d'exemple, sans valeur officielle", styles.text)
    sheet.write_string(8, 0, "Historique des versions", styles.title)
    for column, header in enumerate(("Version", "Date", "Commentaire")):
        sheet.write_string(9, column, header, styles.head)
    for row, line in enumerate(edition.history, 10):
        for column, text in enumerate(line):
            sheet.write_string(row, column, text, styles.text)


def _write_main(sheet: Worksheet, rows: Sequence[MainRow], styles: Styles, *, merged: bool) -> None:
    first = 0
    for band, (name, group) in zip(styles.bands, groupby(COLUMNS.values(), key=lambda column: column[0]), strict=True):
        last = first + len(list(group)) - 1
        if last > first:
            sheet.merge_range(0, first, 0, last, name, band)
        else:
            sheet.write_string(0, first, name, band)
        first = last + 1
    for column, (_, header, width) in enumerate(COLUMNS.values()):
        sheet.write_string(1, column, header, styles.head)
        sheet.set_column(column, column, width)
    sheet.set_row(0, 30)
    sheet.set_row(1, 45)
    for index, row in enumerate(rows, MAIN_START):
        fields = RESULT_FIELDS if merged else tuple(COLUMNS)
        for name in fields:
            _write_cell(sheet, index, list(COLUMNS).index(name), name, row, styles)
    for index, height in enumerate(_heights(rows, merged=merged), MAIN_START):
        sheet.set_row(index, height, None, {"hidden": rows[index - MAIN_START].hidden})
    if merged:
        _write_orders_merged(sheet, rows, styles)
    last_row = MAIN_START + len(rows) - 1
    sheet.freeze_panes(MAIN_START, 0)
    _set_page(sheet, MAIN_START)
    sheet.autofilter(1, 0, last_row, len(COLUMNS) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A{MAIN_START + 1}:W{last_row + 1}"})


def _heights(rows: Sequence[MainRow], *, merged: bool) -> list[float]:
    """Return the height of each row, enough for its wrapped texts; merged cells share the rows of their order."""
    sizes = Counter(row.values["order_code"] for row in rows)
    heights = []
    for row in rows:
        of_result = max(_lines(row.values[name], name) for name in RESULT_FIELDS)
        of_order = max(_lines(row.values[name], name) for name in ORDER_FIELDS)
        shared = ceil(of_order / sizes[row.values["order_code"]]) if merged else of_order
        heights.append(LINE_HEIGHT * max(of_result, shared))
    return heights


def _lines(text: str, name: str) -> int:
    return max(1, ceil(1.1 * len(text) / COLUMNS[name][2]))


def _write_orders_merged(sheet: Worksheet, rows: Sequence[MainRow], styles: Styles) -> None:
    start = MAIN_START
    for _, group in groupby(rows, key=lambda row: row.values["order_code"]):
        block = list(group)
        end = start + len(block) - 1
        for column, name in enumerate(ORDER_FIELDS):
            text = block[0].values[name]
            if len(block) > 1:
                sheet.merge_range(start, column, end, column, text, styles.text)
            else:
                _write_cell(sheet, start, column, name, block[0], styles)
        start = end + 1


def _write_cell(sheet: Worksheet, row: int, column: int, name: str, content: MainRow, styles: Styles) -> None:
    kind, text = content.planted.get(name, ("number" if name in NUMBER_FIELDS else "text", content.values[name]))
    if kind == "formula":
        formula, _, value = text.partition("|")
        sheet.write_formula(row, column, formula, styles.number, float(value))
    elif kind == "error":
        sheet.write_formula(row, column, "=NA()", styles.text, text)
    elif not text:
        sheet.write_blank(row, column, None, styles.text)
    elif kind == "date":
        sheet.write_datetime(row, column, dt.datetime.fromisoformat(text), styles.date)
    elif kind == "number":
        sheet.write_number(row, column, float(text), styles.number)
    else:
        sheet.write_string(row, column, text, styles.text)


def _write_table(
    sheet: Worksheet, headers: Sequence[str], rows: Iterable[Sequence[str | int]], widths: Sequence[int], styles: Styles
) -> None:
    for column, header in enumerate(headers):
        sheet.write_string(0, column, header, styles.head)
        sheet.set_column(column, column, widths[column])
    last = 0
    for last, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(last, column, value, styles.number)
            elif value:
                sheet.write_string(last, column, value, styles.text)
            else:
                sheet.write_blank(last, column, None, styles.text)
    sheet.freeze_panes(1, 0)
    _set_page(sheet, 1)
    if last:
        sheet.autofilter(0, 0, last, len(headers) - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A2:J{last + 1}"})


def _set_page(sheet: Worksheet, header_rows: int = 0) -> None:
    sheet.set_landscape()
    sheet.set_paper(8)  # A3
    sheet.fit_to_pages(1, 0)
    if header_rows:
        sheet.repeat_rows(0, header_rows - 1)


def editions() -> tuple[Edition, Edition, Edition]:
    """Return editions 1.0.0 and 1.1.0, and the draft 1.2.0 before its faults (its content is that of 1.1.0)."""
    first = first_edition()
    second = next_edition(first, read_table("changes"))
    draft = deepcopy(second)
    about = read_table("editions")[2]
    draft.version, draft.date, draft.loinc = about["version"], about["date"], about["loinc"]
    draft.history.append((about["version"], about["date"], about["comment"]))
    return first, second, draft


def build(directory: Path) -> list[Path]:
    """Write the three editions and the register into a directory, made if need be, and return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / about["file"] for about in read_table("editions")]
    first, second, draft = editions()
    write_workbook(paths[0], first, main_rows(first))
    write_workbook(paths[1], second, main_rows(second), merged=True)
    write_workbook(paths[2], draft, with_faults(main_rows(draft), read_table("faults")))
    paths.append(directory / REQUESTS)
    paths[-1].write_bytes(requests_workbook(paths[0]))
    return paths


def requests_workbook(first: Path) -> bytes:
    """Return the register of the change requests, a form filled in, with the lists of the first edition."""
    from jdv_qa.triage.form import form_workbook
    from jdv_qa.workbook.read import read_edition

    return form_workbook(read_edition(first), requests=read_table("requests"))


if __name__ == "__main__":
    for written in build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent):
        print(written)

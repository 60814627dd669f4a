"""The tables of an Edition as CSV files, one a tab, and what of the workbook they leave out.

Files are UTF-8, every cell quoted (a program that reads quoted cells as text keeps the zeros of `0552`), headers and
columns those of the layout, order cells on every row. Lines end with CR LF, as RFC 4180 has it: a line break inside a
cell is a lone LF, so the two cannot be confused. Texts that a spreadsheet would run are defused reversibly (see
`workbook.tables.defused`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jdv_qa.language import count, say
from jdv_qa.terminology.notice import is_of_notice
from jdv_qa.workbook.edition import CellKind, Edition, Table, column_letter
from jdv_qa.workbook.layout import Layout, load_layout
from jdv_qa.workbook.tables import SUMMARY_HEADERS, defused

SEPARATORS = (";", ",")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table ready to be written: its key, its file, its columns (field -> header as written) and the file's bytes."""

    key: str
    name: str
    headers: Mapping[str, str]
    rows: int
    content: bytes


def table_headers(edition: Edition, key: str, layout: Layout | None = None) -> dict[str, str]:
    """Return the columns of a table as they are published: field -> header, in the reference order.

    All the fields of the layout, then the free columns of an open tab. Headers are the workbook's reference headers;
    the two columns of the Sommaire, which has none, are called Libellé and Valeur.
    """
    layout = layout or load_layout()
    if key == "history":
        summary = next((tab for tab in layout.tabs.values() if tab.labels), None)
        columns = summary.history if summary else {}
    else:
        columns = layout.tabs[key].columns
    headers = {name: column.header for name, column in columns.items()} if columns else dict(SUMMARY_HEADERS)
    if key in layout.tabs and layout.tabs[key].open:
        table = edition.tables[key]
        headers.update(
            (column.field, column.field) for column in table.columns if column.field and column.field not in headers
        )
        headers.update((name, name) for record in table.records for name in record.values if name not in headers)
    return headers


def csv_tables(
    edition: Edition, layout: Layout | None = None, *, separator: str = ";", bom: bool = False
) -> tuple[CsvTable, ...]:
    """Return every table of an Edition as a CSV file, in the order of the tabs.

    `separator` is ";" or ","; `bom` puts the mark in front by which Excel knows UTF-8. Raises ValueError for another
    separator.
    """
    if separator not in SEPARATORS:
        raise ValueError(separator)
    return tuple(
        _csv_table(edition, key, table_headers(edition, key, layout), separator, bom) for key in edition.tables
    )


def _csv_table(edition: Edition, key: str, headers: Mapping[str, str], separator: str, bom: bool) -> CsvTable:
    written = {name: defused(header) for name, header in headers.items()}
    records = edition.tables[key].records
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(written.values())
    names = tuple(headers)
    writer.writerows([defused(record[name]) for name in names] for record in records)
    return CsvTable(key, f"{key}.csv", written, len(records), text.getvalue().encode("utf-8-sig" if bom else "utf-8"))


def left_out(edition: Edition) -> tuple[str, ...]:
    """Return one sentence for each thing of a workbook that an export has no place for, empty when nothing is lost.

    Those are the tabs and columns that are not known, cells outside the tables, and error cells, which have no value.
    """
    tables = tuple(sentence for table in edition.tables.values() for sentence in _left_out_of(table))
    unknown = (
        say(f"onglet « {sheet.name} », inconnu", f'tab "{sheet.name}", unknown')
        for sheet in edition.sheets
        if sheet.tab is None and sheet.rows
    )
    return (*tables, *unknown)


def _left_out_of(table: Table) -> Iterator[str]:
    tab = say(f"onglet « {table.sheet} »", f'tab "{table.sheet}"')
    for column in table.columns:
        if column.field is None:
            where = say("colonne", "column") + f" {column_letter(column.index)}"
            yield say(
                f"{tab}, {where} « {column.header} » : intitulé inconnu",
                f'{tab}, {where} "{column.header}": unknown header',
            )
    for column in table.duplicated:
        where = say("colonne", "column") + f" {column_letter(column.index)}"
        yield say(
            f"{tab}, {where} « {column.header} » : colonne en double",
            f'{tab}, {where} "{column.header}": duplicate column',
        )
    by_column: dict[int, list[int]] = {}
    for loose in table.loose:
        if is_of_notice(loose.text):
            continue
        by_column.setdefault(loose.column, []).append(loose.row)
    for index, rows in sorted(by_column.items()):
        where = say("colonne", "column") + f" {column_letter(index)}"
        number = count(len(rows), "cellule", "cell")
        lines = ", ".join(map(str, rows[:5])) + ("…" if len(rows) > 5 else "")
        yield say(
            f"{tab}, {where} : {number} hors du tableau (ligne {lines})",
            f"{tab}, {where}: {number} outside the table (row {lines})",
        )
    for record in table.records:
        for name, cell in record.cells.items():
            if cell.kind is CellKind.ERROR:
                address = table.address(record, name)
                yield say(
                    f"{tab}, cellule {address} : valeur d'erreur {cell.raw}",
                    f"{tab}, cell {address}: error value {cell.raw}",
                )

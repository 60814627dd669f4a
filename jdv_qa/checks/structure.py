"""STR: tabs, columns, rows and cells as Excel lays them out, before anything is made of what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from jdv_qa.checks.engine import Context, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.language import count, say
from jdv_qa.workbook.edition import (
    RESULT_FIELDS,
    Edition,
    Loose,
    MergedRange,
    Record,
    Sheet,
    Table,
    column_letter,
)
from jdv_qa.workbook.layout import normal_tab_name

SHOWN = 100
"""Characters of a text shown in a sentence; the rest is cut."""

_ORDER_NAMES = ("order_code", "order_label", "order_loinc_label")
_RESULT_NAMES = ("result_code", "result_loinc_label", "result_display")
_LINK = r"(?i:'[^']*\[[^\]]+\][^']*'!|(?<![\w\])])\[[^\[\]@#']+\][\w.]*!|'[A-Za-z]:\\|file://|\w\|')"
"""Another workbook in a formula: "[1]Feuil1!A1", "'C:\\dossier\\[autre.xlsx]Feuil1'!A1", a DDE link; not "Tableau1[Colonne]"."""


@rule("STR-01")
def missing_tab(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Required tabs that no sheet was taken for, with the sheets whose name is near."""
    edition = context.edition
    for key, tab in context.layout.tabs.items():
        if tab.required and key not in edition.tables:
            near = [sheet.name for sheet in edition.sheets if sheet.tab is None and sheet.nearest_tab == key]
            yield Problem(
                key,
                suggestion=next(iter(near), None),
                related=tuple(near[1:]),
                message="near" if near else "default",
                facts={"tab": tab.name},
            )


@rule("STR-02")
def missing_column(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Required columns that no header was read as, with the nearest header; one problem for a tab without a header row."""
    for table in _laid_out_tables(context):
        tab = context.layout.tabs[table.key]
        required = [column for column in tab.columns.values() if column.required]
        if not table.header_row:
            sheet = context.edition.sheet_of(table.key)
            empty = sheet is not None and not sheet.rows
            if tab.required or not empty:
                wanted = ", ".join(_quoted(column.header) for column in required)
                yield Problem(table.key, message="empty" if empty else "no_header", facts={"wanted": wanted})
            continue
        for column in required:
            if column.key not in table.missing:
                continue
            near = [found for found in table.columns if found.field is None and found.nearest == column.key]
            facts: dict[str, object] = {
                "field_header": column.header,
                "letter": column_letter(near[0].index) if near else "",
            }
            yield Problem(
                table.key,
                field=column.key,
                row=table.header_row,
                column=near[0].index if near else None,
                value=near[0].header if near else "",
                suggestion=near[0].header if near else None,
                related=tuple(found.header for found in near[1:]),
                message="near" if near else "default",
                facts=facts,
            )


def _quoted(text: str) -> str:
    return say(f"«\u00a0{text}\u00a0»", f'"{text}"')


def _laid_out_tables(context: Context) -> Iterator[Table]:
    """Yield the tables whose columns the layout names."""
    for key, table in context.edition.tables.items():
        if key in context.layout.tabs and not context.layout.tabs[key].labels:
            yield table


@rule("STR-03")
def unknown_column(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Columns whose header is not known, those that STR-02 proposes for a missing column apart."""
    for table in _laid_out_tables(context):
        columns = context.layout.tabs[table.key].columns
        proposed = {column.nearest for column in table.columns if column.nearest and columns[column.nearest].required}
        for column in table.columns:
            if column.field is not None:
                continue
            if column.nearest in proposed:
                proposed.discard(column.nearest)
                continue
            near = columns[column.nearest].header if column.nearest else None
            yield Problem(
                table.key,
                row=table.header_row,
                column=column.index,
                value=column.header,
                suggestion=near,
                message="near" if near else "default",
            )


@rule("STR-04")
def two_columns_for_one_field(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Columns that read as a field that a column before them has."""
    for table in _laid_out_tables(context):
        for column in table.duplicated:
            assert column.field is not None
            first = table.column_of[column.field]
            yield Problem(
                table.key,
                field=column.field,
                row=table.header_row,
                column=column.index,
                value=column.header,
                related=(column_letter(first),),
                facts={
                    "letter": column_letter(column.index),
                    "first": column_letter(first),
                    "first_header": _header(table, first),
                },
            )


def _header(table: Table, index: int) -> str:
    return next((column.header for column in table.columns if column.index == index), column_letter(index))


@rule("STR-05")
def hidden_data(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Tabs, runs of rows and runs of columns that are hidden and hold data; all the rows that a filter hides are one problem."""
    may_hide = {normal_tab_name(name) for name in parameters["tabs_that_may_hide"]}
    for sheet in context.edition.sheets:
        tables = [
            table for table in context.edition.tables.values() if table.sheet == sheet.name and sheet.tab is not None
        ]
        if (
            sheet.state != "visible"
            and normal_tab_name(sheet.name) not in may_hide
            and (any(table.records or table.loose for table in tables) if tables else sheet.rows)
        ):
            yield Problem(
                sheet.tab or "",
                sheet=sheet.name,
                value=sheet.name,
                message="very_hidden_tab" if sheet.state == "veryHidden" else "tab",
            )
        if sheet.tab is not None:
            yield from _hidden_rows(sheet, tables)
            yield from _hidden_columns(sheet, tables)


def _hidden_rows(sheet: Sheet, tables: list[Table]) -> Iterator[Problem]:
    assert sheet.tab is not None
    records = {record.row: record for table in tables for record in table.records}
    filled = sheet.hidden_rows & (records.keys() | {cell.row for table in tables for cell in table.loose})
    if not filled:
        return
    if sheet.filtered:
        runs = [(min(filled), max(filled))]
    else:
        runs = [(min(rows), max(rows)) for run in _runs(sheet.hidden_rows) if (rows := filled & set(run))]
    for first, last in runs:
        number = sum(first <= row <= last for row in filled)
        facts = {
            "first": first,
            "last": last,
            "number": count(number, "ligne", "row"),
            "hold": say("porte", "holds") if number == 1 else say("portent", "hold"),
        }
        message = "filter" if sheet.filtered else "row" if first == last else "rows"
        yield Problem(
            sheet.tab,
            _main_record(tables, records.get(first)),
            row=first,
            sheet=sheet.name,
            message=message,
            facts=facts,
        )


def _main_record(tables: list[Table], record: Record | None) -> Record | None:
    return record if tables and tables[0].key != "summary" else None


def _hidden_columns(sheet: Sheet, tables: list[Table]) -> Iterator[Problem]:
    assert sheet.tab is not None
    headers: dict[int, str] = {}
    for table in tables:
        for column in (*table.columns, *table.duplicated):
            if column.filled:
                headers.setdefault(column.index, column.header)
        for cell in table.loose:
            headers.setdefault(cell.column, "")
    for run in _runs(sheet.hidden_columns):
        columns = [column for column in run if column in headers]
        if columns:
            shown = ", ".join(
                f"{_quoted(headers[column])} ({column_letter(column)})" if headers[column] else column_letter(column)
                for column in columns
            )
            row = tables[0].header_row or 1
            yield Problem(
                sheet.tab,
                row=row,
                column=columns[0],
                sheet=sheet.name,
                value=headers[columns[0]],
                message="column" if len(columns) == 1 else "columns",
                facts={"columns": shown},
            )


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    """Return the numbers in order, cut where they are not consecutive."""
    return [
        [number for _, number in run]
        for _, run in groupby(enumerate(sorted(numbers)), key=lambda item: item[1] - item[0])
    ]


@rule("STR-06")
def formula_or_error(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Error values, links to other workbooks, and formulas where values belong.

    Formulas one below the other are one problem.
    """
    allowed = set(parameters["formulas_allowed"])
    for sheet in context.edition.sheets:
        if sheet.tab is None or not (sheet.errors or sheet.formulas):
            continue
        places = _Places(context.edition, sheet)
        for (row, column), text in sheet.errors.items():
            if places.is_data(row, column):
                formula = sheet.formulas.get((row, column))
                yield places.problem(
                    row,
                    column,
                    value=text,
                    message="error_of_formula" if formula else "error",
                    facts={"formula": f"={formula}"},
                )
        data = {
            place: text
            for place, text in sheet.formulas.items()
            if place not in sheet.errors and places.is_data(*place)
        }
        links = {place for place, text in data.items() if re.search(_LINK, text)}
        yield from _formula_problems(places, links, data, "link")
        if sheet.tab not in allowed:
            yield from _formula_problems(places, data.keys() - links, data, "default")


def _formula_problems(
    places: _Places, cells: Iterable[tuple[int, int]], formulas: Mapping[tuple[int, int], str], message: str
) -> Iterator[Problem]:
    by_column: dict[int, list[int]] = {}
    for row, column in cells:
        by_column.setdefault(column, []).append(row)
    for column, rows in sorted(by_column.items()):
        for run in _runs(rows):
            letter = column_letter(column)
            area = f"{letter}{run[0]}" if len(run) == 1 else f"{letter}{run[0]}:{letter}{run[-1]}"
            yield places.problem(
                run[0], column, value=f"={formulas[run[0], column]}", message=message, facts={"area": area}
            )


class _Places:
    """The data cells of a sheet: those of the rows of its tables, in columns that have a field."""

    def __init__(self, edition: Edition, sheet: Sheet) -> None:
        assert sheet.tab is not None
        self.tab = sheet.tab
        self.sheet = sheet.name
        self.tables = [table for table in edition.tables.values() if table.sheet == sheet.name]
        self.fields = {table.key: {column: name for name, column in table.column_of.items()} for table in self.tables}
        self.records = {
            record.row: record for table in self.tables if table.key == sheet.tab for record in table.records
        }

    def _table(self, row: int) -> Table | None:
        """The table a row belongs to: of those on the sheet, the last that begins above it."""
        return max(
            (table for table in self.tables if table.header_row and table.header_row < row),
            key=lambda table: table.header_row,
            default=None,
        )

    def is_data(self, row: int, column: int) -> bool:
        """Tell whether a cell is one of a table; in the Sommaire, every cell is."""
        if self.tab == "summary":
            return True
        table = self._table(row)
        return (
            table is not None
            and column in self.fields[table.key]
            and bool(table.records)
            and row <= table.records[-1].row
        )

    def problem(self, row: int, column: int, **what: Any) -> Problem:
        """Return a problem of a cell, with its record and field where it has them."""
        table = self._table(row)
        name = self.fields[table.key].get(column) if table else None
        record = self.records.get(row) if table and table.key == self.tab else None
        if name is None:
            record = None
        return Problem(self.tab, record, name, row=row, column=column, sheet=self.sheet, **what)


@rule("STR-07")
def blank_row(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Blank rows between the rows of a table; consecutive ones are one problem."""
    for table in _laid_out_tables(context):
        for run in _runs(table.blank_rows):
            facts = {"first": run[0], "last": run[-1], "number": len(run)}
            yield Problem(table.key, row=run[0], message="default" if len(run) == 1 else "several", facts=facts)


@rule("STR-08")
def outside_the_table(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Filled cells that are no part of an entry.

    Those of a row are one problem, and so are notes in the same columns of consecutive rows.
    """
    for table in _laid_out_tables(context):
        if not table.loose:
            continue
        sheet = context.edition.sheet_of(table.key)
        errors = _Places(context.edition, sheet) if sheet and sheet.errors else None
        rows: dict[int, list[Loose]] = {}
        for cell in table.loose:
            if not (
                errors and sheet and (cell.row, cell.column) in sheet.errors and errors.is_data(cell.row, cell.column)
            ):
                rows.setdefault(cell.row, []).append(cell)
        banners = (
            {merged.first_row for merged in sheet.merged if merged.first_row == merged.last_row} if sheet else set()
        )
        kinds = {row: _kind_of_loose(table, row, banners) for row in rows}
        alike = {row: (kinds[row], tuple(cell.column for cell in cells)) for row, cells in rows.items()}
        for run in _runs(rows):
            for (kind, columns), group in groupby(run, key=alike.__getitem__):
                lines = list(group)
                for part in [lines] if kind in ("beside", "below") else [[line] for line in lines]:
                    yield _loose_problem(table, kind, columns, [cell for line in part for cell in rows[line]])


def _kind_of_loose(table: Table, row: int, banners: set[int]) -> str:
    if any(record.row == row for record in table.records):
        return "beside"
    if not table.records or row > table.records[-1].row:
        return "below"
    return "banner" if row in banners else "between"


def _loose_problem(table: Table, kind: str, columns: tuple[int, ...], cells: list[Loose]) -> Problem:
    first, last = cells[0], cells[-1]
    text = " | ".join(cell.text for cell in cells)
    corner = f"{column_letter(max(columns))}{last.row}"
    start = f"{column_letter(first.column)}{first.row}"
    facts = {
        "area": start if start == corner else f"{start}:{corner}",
        "text": text if len(text) <= SHOWN else f"{text[:SHOWN]}…",
    }
    return Problem(table.key, row=first.row, column=first.column, value=first.text, message=kind, facts=facts)


@rule("STR-09")
def merged_across_orders(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Merged cells of the main tab that lie over rows of different orders, or of different results of one order.

    Ranges over the same rows are one problem. An order merged over its own rows is a way of writing it; so is a chapter or a
    level merged over results of one order (the parameter says which columns).
    """
    table, sheet = context.edition.tables.get("main"), context.edition.sheet_of("main")
    if table is None or sheet is None or not sheet.merged:
        return
    records = {record.row: record for record in table.records}
    names = {column: name for name, column in table.column_of.items()}
    shared = set(parameters["shared_by_results"])
    for (first, last), ranges in sorted(_by_rows(sheet.merged).items()):
        rows = [records[row] for row in range(first, last + 1) if row in records]
        covered = [
            names[column]
            for merged in ranges
            for column in range(merged.first_column, merged.last_column + 1)
            if column in names
        ]
        if not covered or not rows or last <= table.header_row:
            continue
        orders, results = _different(rows, _ORDER_NAMES, covered), _different(rows, _RESULT_NAMES, covered)
        own = [name for name in covered if name in RESULT_FIELDS and name not in shared]
        others: tuple[str, ...] = ()
        if first <= table.header_row:
            message, fields = "header", covered
        elif len(orders) > 1:
            message, fields, others = "default", covered, tuple(orders)
        elif own and len(results) > 1:
            message, fields, others = "results", own, tuple(results)
        else:
            continue
        lead = "order_code" if "order_code" in fields else fields[0]
        columns = ", ".join(_quoted(_header(table, table.column_of[name])) for name in fields)
        facts = {"first": first, "last": last, "columns": columns, "others": ", ".join(others)}
        yield Problem("main", rows[0], lead, related=others[1:], message=message, facts=facts)


def _by_rows(merged: Iterable[MergedRange]) -> dict[tuple[int, int], list[MergedRange]]:
    """Return the ranges of more than one row, by their first and last row."""
    found: dict[tuple[int, int], list[MergedRange]] = {}
    for item in merged:
        if item.last_row > item.first_row:
            found.setdefault((item.first_row, item.last_row), []).append(item)
    return found


def _different(rows: list[Record], names: tuple[str, ...], covered: list[str]) -> list[str]:
    """Return the different entries that some rows state: by the first of their names that the merged cells leave uncovered.

    What the rows below the first say in a covered column is lost, so only an uncovered one can tell them apart.
    """
    name = next((name for name in names if name not in covered), None)
    if name is None:
        return []
    following = names[names.index(name) + 1] if name != names[-1] else name
    return list(dict.fromkeys(text for row in rows if (text := row[name] or row[following])))

"""From the cells of a workbook to an Edition, by a layout.

The header row of each tab is found, not assumed; one band row above it is allowed. In the main table, order cells that are
repeated, merged over the rows of an order, or blank below its first row read the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import compress, islice, repeat, zip_longest
from pathlib import Path
from typing import NamedTuple

from jdv_qa.errors import WorkbookError
from jdv_qa.language import figure, say
from jdv_qa.workbook.edition import (
    ORDER_FIELDS,
    Cell,
    CellKind,
    Column,
    Edition,
    Identity,
    Loose,
    RawValue,
    Record,
    Sheet,
    Source,
    Table,
    column_letter,
)
from jdv_qa.workbook.layout import (
    OTHER_VALUE_SETS,
    ColumnLayout,
    HeaderIndex,
    Layout,
    TabLayout,
    header_index,
    load_layout,
    match_tabs,
    nearest_tab,
    normal_form,
)
from jdv_qa.workbook.limits import MAX_LONG_TEXTS, MAX_TEXT, Refused
from jdv_qa.workbook.sheets import RawSheet, Reader, damaged, plain_value, read_sheets

HEADER_SEARCH_ROWS = 30
_LONG = 1_000
"""Characters of a long text of a cell."""
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters of no width; with white space, they are what is trimmed at the ends of a cell."""

_TITLE_VERSION = re.compile(r"(?<![\d.])(\d+(?:\.\d+)+)(?:\s*\(([\d.,; –-]+)\))?\s*$")
_MAIN_IDENTITY = frozenset({"order_code", "order_label", "result_code", "result_loinc_label"})
_ORDER_FIELDS = frozenset(ORDER_FIELDS)
_NO_FIELD: frozenset[str] = frozenset()
_WHITE = (
    "".join(
        chr(code)
        for code in (
            *range(9, 14),
            *range(28, 33),
            0x85,
            0xA0,
            0x1680,
            *range(0x2000, 0x200B),
            0x2028,
            0x2029,
            0x202F,
            0x205F,
            0x3000,
        )
    )
    + INVISIBLE
)


def read_edition(path: str | Path, layout: Layout | None = None, *, reader: Reader | None = None) -> Edition:
    """Read a workbook, or a folder that `jdv export` wrote, into an Edition.

    `layout` defaults to the JDV CircuitBio's, or to that of the one other value set that the workbook is without doubt, and
    `reader` to the fast one (see `sheets`). Raises WorkbookError when the file cannot be read, or holds no main tab, or no
    header row is found in it.
    """
    named, layout = layout is not None, layout or load_layout()
    path = Path(path)
    if path.is_dir() and path.suffix.casefold() not in (".xlsx", ".xlsm"):
        from jdv_qa.workbook.tables import read_tables

        return read_tables(path, layout)
    content, sheets = read_sheets(path, reader)
    try:
        return _edition(path, content, sheets, layout, named=named)
    except Refused as error:
        raise damaged(path, error) from error


def _edition(path: Path, content: bytes, sheets: Sequence[RawSheet], layout: Layout, *, named: bool) -> Edition:
    tabs = find_tabs(sheets, layout)
    main_key = main_tab(layout)
    if not named and main_key not in tabs.values() and (other := _other_value_set(sheets)) is not None:
        layout, main_key = other, main_tab(other)
        tabs = find_tabs(sheets, layout)
    if main_key not in tabs.values():
        raise _no_main_tab(path, layout, sheets, main_key)
    tables: dict[str, Table] = {}
    identity = Identity()
    for raw in sheets:
        key = tabs.get(raw.sheet.name)
        if key is None:
            continue
        tab = layout.tabs[key]
        if tab.labels:
            tables[key], identity = read_summary(raw, tab)
            tables["history"] = _read_history(raw, tab)
        else:
            tables[key] = _read_table(raw, tab, grouped=key == "main")
    if not tables[main_key].header_row:
        name = tables[main_key].sheet
        wanted = ", ".join(
            f"« {column.header} »" for column in layout.tabs[main_key].columns.values() if column.required
        )
        raise WorkbookError(
            say(
                f"{path} : onglet « {name} » : aucune ligne d'en-têtes reconnue dans les {HEADER_SEARCH_ROWS} premières lignes "
                f"(attendus : {wanted}) ; "
                f'lancez « jdv layout "{path.name}" --write mise-en-page.yaml »',
                f'{path}: tab "{name}": no header row found in the first {HEADER_SEARCH_ROWS} rows (expected: {wanted}); '
                f'run `jdv layout "{path.name}" --write layout.yaml`',
            )
        )
    if not any(tab.labels for tab in layout.tabs.values()):
        identity = _identity_above(
            next(raw for raw in sheets if tabs.get(raw.sheet.name) == main_key), tables[main_key]
        )
    structures = tuple(
        replace(
            raw.sheet,
            tab=tabs.get(raw.sheet.name),
            nearest_tab=None if raw.sheet.name in tabs else nearest_tab(raw.sheet.name, layout),
        )
        for raw in sheets
    )
    ordered = {key: tables[key] for key in (*layout.tabs, "history") if key in tables}
    return Edition(ordered, identity, Source(str(path), hashlib.sha256(content).hexdigest()), layout.name, structures)


def _identity_above(raw: RawSheet, table: Table) -> Identity:
    """Return what the title above a table says of its version: "LOINC Biologie FR 2.23 (2.79-2.80)", as the SMT writes it."""
    for number, row in enumerate(raw.rows[: table.header_row - 1], 1):
        texts = [text for value in row if (text := text_of(value))]
        if len(texts) == 1:
            version = _TITLE_VERSION.search(texts[0])
            places = dict.fromkeys(("title", "version", "loinc_version") if version else ("title",), number)
            return Identity(version[1] if version else "", "", (version[2] or "") if version else "", texts[0], places)
    return Identity()


def find_tabs(sheets: Sequence[RawSheet], layout: Layout) -> dict[str, str]:
    """Return sheet name -> tab key. A main tab under an unknown name is taken when one sheet alone has all its columns."""
    found = {sheet: key for key, sheet in match_tabs((raw.sheet.name for raw in sheets), layout).items()}
    if "main" in layout.tabs and "main" not in found.values():
        tab = layout.tabs["main"]
        required = {column.key for column in tab.columns.values() if column.required}
        index = header_index(tab.columns)
        complete = [
            raw.sheet.name
            for raw in sheets
            if raw.sheet.name not in found and required <= {column.field for column in _find_header(raw, tab, index)[1]}
        ]
        if len(complete) == 1:
            found[complete[0]] = "main"
    elif "main" not in layout.tabs and not found and len(sheets) == 1:
        found[sheets[0].sheet.name] = next(iter(layout.tabs))
    return found


def main_tab(layout: Layout) -> str:
    """Return the key of the tab that a workbook cannot be without."""
    return "main" if "main" in layout.tabs else next(iter(layout.tabs))


def _other_value_set(sheets: Sequence[RawSheet]) -> Layout | None:
    """Return the layout of the other value set that these sheets are: of one alone all required columns and most others."""
    fitting = []
    for layout in map(load_layout, OTHER_VALUE_SETS):
        key = main_tab(layout)
        named = {sheet for sheet, found in find_tabs(sheets, layout).items() if found == key}
        raw = next((raw for raw in sheets if raw.sheet.name in named), None)
        if raw is None:
            continue
        known = layout.tabs[key].columns
        _, columns, duplicated, missing = find_columns(raw, layout.tabs[key])
        complete = columns and not duplicated and not any(known[name].required for name in missing)
        if complete and 2 * len(missing) < len(known):
            fitting.append(layout)
    return fitting[0] if len(fitting) == 1 else None


def _no_main_tab(path: Path, layout: Layout, sheets: Sequence[RawSheet], key: str) -> WorkbookError:
    expected = layout.tabs[key].name
    present = ", ".join(f"« {raw.sheet.name} »" for raw in sheets)
    return WorkbookError(
        say(
            f"{path} : onglet principal « {expected} » introuvable (onglets présents : {present}) ; renommez l'onglet, "
            f'ou déclarez son nom : « jdv layout "{path.name}" --write mise-en-page.yaml »',
            f'{path}: main tab "{expected}" not found (tabs: {present}); rename the tab, or declare its name: '
            f'`jdv layout "{path.name}" --write layout.yaml`',
        )
    )


def text_of(value: RawValue) -> str:
    """Return the text of a raw value, trimmed: whole numbers without decimals, decimals without exponent, dates as ISO 8601."""
    if isinstance(value, str):
        return value.strip(_WHITE)
    value = plain_value(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("VRAI", "TRUE") if value else say("FAUX", "FALSE")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return str(value)


def _kind(value: RawValue) -> CellKind:
    if value is None:
        return CellKind.EMPTY
    if isinstance(value, str):
        return CellKind.TEXT
    if isinstance(value, bool):
        return CellKind.BOOLEAN
    return CellKind.NUMBER if isinstance(value, (int, float)) else CellKind.DATE


def _find_header(raw: RawSheet, tab: TabLayout, index: HeaderIndex) -> tuple[int, list[Column]]:
    """Return the header's row number and its columns; (0, []) when no row is a header.

    The row with most known headers wins, the first of equals; a wide tab asks for three, a narrow one for one.
    """
    needed = 3 if len(tab.columns) > 6 else 1
    best: tuple[int, int, list[Column]] = (0, 0, [])
    for number, row in enumerate(raw.rows[:HEADER_SEARCH_ROWS], 1):
        if not any(isinstance(value, str) for value in row):
            continue
        bands = _bands(raw, number)
        columns = [
            Column(position, text_of(value), index.field_of(text_of(value), bands.get(position, "")))
            for position, value in enumerate(row, 1)
            if text_of(value)
        ]
        known = len({column.field for column in columns if column.field})
        if known >= needed and known > best[0]:
            best = (known, number, columns)
    return best[1], best[2]


def _bands(raw: RawSheet, header: int) -> dict[int, str]:
    """Return column -> text of the band row above the header; a band runs to the right until the next one."""
    if header < 2:
        return {}
    bands: dict[int, str] = {}
    current = ""
    above = raw.rows[header - 2]
    width = max(len(raw.rows[header - 1]), len(above))
    for position in range(1, width + 1):
        current = text_of(above[position - 1] if position <= len(above) else None) or current
        bands[position] = current
    return bands


def _columns(
    found: list[Column], tab: TabLayout, index: HeaderIndex
) -> tuple[tuple[Column, ...], tuple[Column, ...], tuple[str, ...]]:
    """Return the columns, those that read as a field already found, and the fields without a column."""
    kept: list[Column] = []
    duplicated: list[Column] = []
    taken: set[str] = set()
    for column in found:
        if column.field in taken:
            duplicated.append(column)
            continue
        if column.field:
            taken.add(column.field)
        elif tab.open:
            column = replace(column, field=column.header)
            if column.header in taken:
                duplicated.append(column)
                continue
            taken.add(column.header)
        kept.append(column)
    missing = tuple(key for key in tab.columns if key not in taken)
    columns = []
    for column in kept:
        if column.field is None and missing and (near := index.nearest(column.header, missing)):
            column = replace(column, nearest=near[0], nearest_header=near[1])
        columns.append(column)
    return tuple(columns), tuple(duplicated), missing


def find_columns(raw: RawSheet, tab: TabLayout) -> tuple[int, tuple[Column, ...], tuple[Column, ...], tuple[str, ...]]:
    """Find the header row of a tab and say what its columns are.

    Returns the row's number (0 when there is none), the columns, the further columns that read as a field already found,
    and the fields without a column.
    """
    index = header_index(tab.columns)
    header_row, found = _find_header(raw, tab, index)
    if not header_row:
        return 0, (), (), tuple(tab.columns)
    return header_row, *_columns(found, tab, index)


def _read_table(raw: RawSheet, tab: TabLayout, *, grouped: bool = False) -> Table:
    header_row, columns, duplicated, missing = find_columns(raw, tab)
    if not header_row:
        return Table(tab.key, (), raw.sheet.name, missing=missing)
    body = _read_body(raw, header_row, columns, duplicated, tab, grouped=grouped)
    last = body.records[-1].row if body.records else header_row
    columns = tuple(replace(column, filled=column.index in body.filled) for column in columns)
    duplicated = tuple(replace(column, filled=column.index in body.filled) for column in duplicated)
    records, grouping = body.records, "repeat"
    if grouped:
        places = {column.field: column.index for column in columns if column.field}
        records, grouping = _complete_orders(
            records, _merged_below(raw.sheet, header_row, len(raw.rows), places), places
        )
    return Table(
        tab.key,
        tuple(records),
        raw.sheet.name,
        header_row,
        columns,
        missing,
        duplicated,
        tuple(number for number in body.blank if number < last),
        tuple(body.loose),
        grouping,
    )


class _Body(NamedTuple):
    """What stands below the header of a table; `filled` are the columns in which something does."""

    records: list[Record]
    blank: list[int]
    loose: list[Loose]
    filled: set[int]


def _read_body(
    raw: RawSheet,
    header_row: int,
    columns: Sequence[Column],
    duplicated: Sequence[Column],
    tab: TabLayout,
    *,
    grouped: bool,
) -> _Body:
    """Read the rows of a table, column by column first: most of its texts come again and again, and each is cleaned once."""
    rows = _fill_merged(raw, header_row)
    below = list(zip_longest(*islice(rows, header_row, None)))
    made = [_texts(values) for values in below]
    texts = [column for column, _ in made]
    if any(longest > _LONG for _, longest in made):
        _refuse_long(raw.sheet.name, texts, header_row)
    filled = {position for position, column in enumerate(texts, 1) if any(column)}
    fields = [
        (column.index - 1, column.field, _blanks(tab.columns.get(column.field)))
        for column in columns
        if column.field and column.index <= len(below)
    ]
    names = [name for _, name, _ in fields]
    cells: dict[int, dict[str, Cell]] = {}
    said: list[list[str]] = []
    for position, name, blanks in fields:
        column = texts[position]
        if nothing := {text for text in set(column) if text and normal_form(text) in blanks} if blanks else None:
            column = ["" if text in nothing else text for text in column]
        for place, cell in _unlike_their_text(below[position], column):
            cells.setdefault(place, {})[name] = cell
        said.append(column)
    known = {column.index - 1 for column in (*columns, *duplicated)}
    strays = [(position, column) for position, column in enumerate(texts) if position not in known and any(column)]
    banners = _banner_rows(raw.sheet, header_row, len(names))
    special = {row for row, _ in (*raw.sheet.errors, *raw.sheet.formulas)}
    body = _Body([], [], [], filled)
    for place, row_texts in enumerate(zip(*said, strict=True) if said else repeat((), len(rows) - header_row)):
        number = place + header_row + 1
        if number in special:
            record = _read_record(raw.sheet, number, [column[place] for column in below], fields)
        else:
            record = Record(
                number, dict(compress(zip(names, row_texts, strict=True), row_texts)), cells.get(place) or {}
            )
        if not record.values or number in banners or (grouped and _MAIN_IDENTITY.isdisjoint(record.values)):
            loose = [
                Loose(number, position, column[place]) for position, column in enumerate(texts, 1) if column[place]
            ]
            body.loose.extend(loose)
            if not loose:
                body.blank.append(number)
        else:
            body.records.append(record)
            if strays:
                body.loose.extend(Loose(number, at + 1, column[place]) for at, column in strays if column[place])
    return body


def _refuse_long(sheet: str, columns: Sequence[Sequence[str]], header_row: int) -> None:
    """Raise Refused when a cell holds more than Excel allows, or many nearly as much, which would take for ever to judge."""
    long = 0
    for position, texts in enumerate(columns, 1):
        longest = max(texts, key=len, default="")
        if len(longest) > MAX_TEXT:
            address = f"{column_letter(position)}{header_row + 1 + texts.index(longest)}"
            raise Refused(
                say(
                    f"onglet « {sheet} », cellule {address} : {figure(len(longest))} caractères, "
                    f"Excel en permet {figure(MAX_TEXT)} ; raccourcissez ce texte",
                    f'tab "{sheet}", cell {address}: {figure(len(longest))} characters, Excel allows {figure(MAX_TEXT)}; '
                    "shorten this text",
                )
            )
        if len(longest) > _LONG:
            long += sum(len(text) for text in texts if len(text) > _LONG)
    if long > MAX_LONG_TEXTS:
        raise Refused(
            say(
                f"onglet « {sheet} » : {figure(long)} caractères dans des cellules de plus de {figure(_LONG)} ; "
                "est-ce le bon fichier ?",
                f'tab "{sheet}": {figure(long)} characters in cells of more than {figure(_LONG)}; is it the right file?',
            )
        )


def _texts(values: Sequence[RawValue]) -> tuple[list[str], int]:
    """Return the texts of a column and the length of the longest; equal ones are one text, made once."""
    distinct = set(values)
    if not distinct.isdisjoint((0, 1)) and bool in map(type, values):  # True is 1 to a set
        texts = [text_of(value) for value in values]
        return texts, max(map(len, texts))
    text_by_value = {value: value.strip(_WHITE) if type(value) is str else text_of(value) for value in distinct}
    return list(map(text_by_value.__getitem__, values)), max(map(len, text_by_value.values()), default=0)


def _unlike_their_text(values: Sequence[RawValue], texts: Sequence[str]) -> Iterator[tuple[int, Cell]]:
    """Yield the cells of a column, by place, that are not simply their text: numbers, padded texts, texts that mean nothing."""
    if list(values) == texts:
        return
    made: dict[tuple[type, RawValue], Cell] = {}
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        if value != text and value is not None and value != "":
            key = type(value), value
            if (cell := made.get(key)) is None:
                cell = made[key] = _cell(value)
            yield place, cell


def _cell(value: RawValue, formula: str | None = None) -> Cell:
    value = plain_value(value)
    return Cell(value, _kind(value), formula)


def _blanks(column: ColumnLayout | None) -> frozenset[str]:
    return frozenset(normal_form(text) for text in column.blank) if column else frozenset()


def _read_plain(number: int, row: list[RawValue], fields: list[tuple[int, str, frozenset[str]]]) -> Record:
    """Read a row of a sheet that holds no formula and no error cell."""
    values: dict[str, str] = {}
    cells: dict[str, Cell] = {}
    width = len(row)
    for position, name, blanks in fields:
        if position >= width or (value := row[position]) is None or value == "":
            continue
        if type(value) is str:
            text = value.strip(_WHITE)
            if len(text) != len(value):
                cells[name] = Cell(value, CellKind.TEXT)
        else:
            text = text_of(value)
            cells[name] = _cell(value)
        if blanks and normal_form(text) in blanks:
            cells[name] = _cell(value)
        elif text:
            values[name] = text
    return Record(number, values, cells)


def _read_record(
    sheet: Sheet, number: int, row: list[RawValue], fields: list[tuple[int, str, frozenset[str]]]
) -> Record:
    """Read a row, formulas and error cells included. An error cell has no value: nothing is to be made of "#N/A"."""
    record = _read_plain(number, row, fields)
    values, cells = dict(record.values), dict(record.cells)
    for position, name, _ in fields:
        address = (number, position + 1)
        if (error := sheet.errors.get(address)) is not None:
            values.pop(name, None)
            cells[name] = Cell(error, CellKind.ERROR, sheet.formulas.get(address))
        elif (formula := sheet.formulas.get(address)) is not None:
            value = row[position] if position < len(row) and row[position] != "" else None
            cells[name] = _cell(value, formula)
    return Record(number, values, cells)


def _fill_merged(raw: RawSheet, header_row: int) -> list[list[RawValue]]:
    """Give every cell of a merged range below the header the value of its first cell, downwards only."""
    ranges = [merged for merged in raw.sheet.merged if merged.last_row > merged.first_row > header_row]
    if not ranges:
        return raw.rows
    rows = [list(row) for row in raw.rows]
    for merged in ranges:
        column = merged.first_column - 1
        if merged.first_row > len(rows) or column >= len(rows[merged.first_row - 1]):
            continue
        value = rows[merged.first_row - 1][column]
        if value is None:
            continue
        for row in rows[merged.first_row : merged.last_row]:
            row.extend([None] * (column + 1 - len(row)))
            row[column] = value
    return rows


def _banner_rows(sheet: Sheet, header_row: int, width: int) -> set[int]:
    """Return the rows that one merged cell spans for more than half of the table: a title between entries, not an entry."""
    return {
        merged.first_row
        for merged in sheet.merged
        if merged.first_row > header_row
        and merged.first_row == merged.last_row
        and 2 * (merged.last_column - merged.first_column + 1) > max(width, 3)
    }


def _merged_below(sheet: Sheet, header_row: int, last_row: int, column_of: Mapping[str, int]) -> set[tuple[int, int]]:
    """Return the (row, column) of order cells covered by a merged range, its first row apart."""
    places = [column_of[name] for name in ORDER_FIELDS if name in column_of]
    return {
        (row, column)
        for merged in sheet.merged
        if merged.last_row > merged.first_row
        for column in places
        if merged.first_column <= column <= merged.last_column
        for row in range(max(merged.first_row, header_row) + 1, min(merged.last_row, last_row) + 1)
    }


def _complete_orders(
    records: list[Record], covered: set[tuple[int, int]], column_of: Mapping[str, int]
) -> tuple[list[Record], str]:
    """Complete the order cells of the rows below an order's first row, and tell how orders are mostly written.

    A row goes on with the order above when its own order code is blank or merged into the one above and it has no order
    label of its own, or when it repeats the order's code and nothing else of it. Its blank order cells then take the
    order's values. A row that repeats the code and some of the cells stands for itself: its blanks are blanks.
    """
    completed: list[Record] = []
    above: Mapping[str, str] = {}
    has_above = False
    tally = {"repeat": 0, "blank": 0, "merge": 0}
    covered_rows = {row for row, _ in covered}
    for record in records:
        values = record.values
        merged = _NO_FIELD
        if record.row in covered_rows:
            merged = frozenset(name for name in ORDER_FIELDS if (record.row, column_of.get(name)) in covered)
        same_code = has_above and values.get("order_code", "") == above.get("order_code")
        if "order_code" in merged or "order_label" in merged:
            style, follows = "merge", True
        elif has_above and "order_code" not in values and "order_label" not in values:
            style, follows = "blank", True
        else:
            style = "repeat"
            follows = same_code and _ORDER_FIELDS.intersection(values) - merged == {"order_code"}
        if follows:
            own = _ORDER_FIELDS.intersection(values) - merged
            inherited = frozenset(name for name in ORDER_FIELDS if name in above and name not in own)
            completed_values = {name: above[name] for name in ORDER_FIELDS if name in inherited}
            completed_values.update((name, value) for name, value in values.items() if name not in inherited)
            record = Record(
                record.row,
                completed_values,
                {name: cell for name, cell in record.cells.items() if name not in merged},
                inherited | merged,
            )
        else:
            above, has_above = values, not _ORDER_FIELDS.isdisjoint(values)
        if follows or same_code:
            tally[style] += 1
        completed.append(record)
    grouping = max(tally, key=lambda name: tally[name])
    return completed, grouping


def read_summary(raw: RawSheet, tab: TabLayout) -> tuple[Table, Identity]:
    """Read the lines of label and value of the Sommaire, down to the table of past versions."""
    _refuse_long(raw.sheet.name, [list(map(text_of, values)) for values in zip_longest(*raw.rows)], 0)
    header_row = _history_header(raw, tab)[0]
    rows = raw.rows[: header_row - 1] if header_row else raw.rows
    known = {normal_form(text): key for key, texts in tab.labels.items() for text in texts}
    records: list[Record] = []
    loose: list[Loose] = []
    found: dict[str, tuple[str, int]] = {}
    places: Counter[tuple[int, int]] = Counter()
    for number, row in enumerate(rows, 1):
        filled = [(position, value) for position, value in enumerate(row, 1) if text_of(value)]
        if not filled:
            continue
        label = text_of(filled[0][1])
        value = text_of(filled[1][1]) if len(filled) > 1 else ""
        if value:
            places[filled[0][0], filled[1][0]] += 1
        values = {"label": label} | ({"value": value} if value else {})
        cells = {
            name: _cell(cell)
            for name, (_, cell) in zip(("label", "value"), filled, strict=False)
            if not isinstance(cell, str) or cell != text_of(cell)
        }
        records.append(Record(number, values, cells))
        loose.extend(Loose(number, position, text_of(cell)) for position, cell in filled[2:])
        if value and (key := known.get(normal_form(label))):
            found.setdefault(key, (value, number))
    label_column, value_column = places.most_common(1)[0][0] if places else (1, 2)
    columns = (
        (Column(label_column, "", "label", filled=True), Column(value_column, "", "value", filled=True))
        if records
        else ()
    )
    said = {key: value for key, (value, _) in found.items()}
    identity = Identity(
        said.get("version", ""),
        said.get("date", ""),
        said.get("loinc_version", ""),
        said.get("title", ""),
        {key: row for key, (_, row) in found.items()},
    )
    if not identity.title and records and len(records[0].values) == 1:
        identity = replace(identity, title=records[0]["label"])
    return Table("summary", tuple(records), raw.sheet.name, 1, columns, loose=tuple(loose)), identity


def _history_header(raw: RawSheet, tab: TabLayout) -> tuple[int, list[Column]]:
    index = header_index(tab.history)
    for number, row in enumerate(raw.rows, 1):
        columns = [
            Column(position, text_of(value), index.field_of(text_of(value)))
            for position, value in enumerate(row, 1)
            if text_of(value)
        ]
        if len({column.field for column in columns if column.field}) >= 2:
            return number, columns
    return 0, []


def _read_history(raw: RawSheet, tab: TabLayout) -> Table:
    header_row, columns = _history_header(raw, tab)
    if not header_row:
        return Table("history", (), raw.sheet.name)
    fields = [(column.index - 1, column.field, frozenset[str]()) for column in columns if column.field]
    known = {column.index for column in columns}
    records: list[Record] = []
    loose: list[Loose] = []
    for number, row in enumerate(raw.rows[header_row:], header_row + 1):
        record = _read_record(raw.sheet, number, row, fields)
        if record.values or record.cells:
            records.append(record)
        loose.extend(
            Loose(number, position, text_of(value))
            for position, value in enumerate(row, 1)
            if position not in known and text_of(value)
        )
    filled = {position for row in raw.rows[header_row:] for position, value in enumerate(row, 1) if text_of(value)}
    found = tuple(replace(column, filled=column.index in filled) for column in columns)
    return Table("history", tuple(records), raw.sheet.name, header_row, found, loose=tuple(loose))

"""An edit written into the workbook it is about: the rows and cells concerned change, everything else keeps its bytes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jdv_qa.errors import WorkbookError
from jdv_qa.language import french_spaces, say
from jdv_qa.triage.application import Application
from jdv_qa.triage.edits import Edit, RowAdded
from jdv_qa.workbook.editing import Value, WorkbookEdit
from jdv_qa.workbook.edition import ORDER_FIELDS, CellKind, Edition, Record, Table
from jdv_qa.workbook.layout import Layout
from jdv_qa.workbook.read import read_edition

_NUMBERS = ("rank", "comparability", "conversion_factor")
"""Fields of the main tab that a workbook may hold as numbers; all others, codes first, are texts."""

_WHOLE, _DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,14}"), re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")


def applied_workbook(path: Path, application: Application) -> bytes:
    """Return the bytes of the draft `path` with what was carried; those of the file when nothing was.

    New rows take the style of the row above, and order cells are repeated, left blank or merged as the workbook has them.
    Raises WorkbookError as reading an edition does, and when a sheet has no room left.
    """
    draft, edit = application.draft, application.edit
    book = WorkbookEdit(path)
    for tab, rows in _rows(edit).items():
        _move_rows(book, draft.tables[tab], rows)
    # Only now: the cells of an order whose first row went are those of its next row.
    _set_cells(book, application)
    _merge_orders(book, application)
    return book.content()


def require_same(path: Path, application: Application, layout: Layout) -> None:
    """Read back what was written and make sure that it says what was meant, no more and no less.

    Raises WorkbookError, naming the tab and the row, when it does not: a workbook with merged ranges that cross its rows, for
    instance, cannot take new ones.
    """
    written = read_edition(path, layout)
    for key, table in application.result.tables.items():
        found = written.tables.get(key)
        if found == table:
            continue
        records = found.records if found else ()
        pairs = zip(table.records, records, strict=False)
        row = next((one.row for one, other in pairs if one != other), len(records))
        raise WorkbookError(
            french_spaces(
                say(
                    f"{application.draft.source.path} : onglet « {table.sheet} » : les changements n'ont pas pu être écrits "
                    f"autour de la ligne {row} (cellules fusionnées sur plusieurs lignes ?) ; les défusionner et recommencer",
                    f'{application.draft.source.path}: tab "{table.sheet}": the changes could not be written around row {row} '
                    "(cells merged over several rows?); unmerge them, then try again",
                )
            )
        )


@dataclass(frozen=True, slots=True)
class _Change:
    """What happens at a row of the draft: rows are added below it, and it may go."""

    added: tuple[RowAdded, ...]
    removed: bool


def _rows(edit: Edit) -> dict[str, dict[int, _Change]]:
    """Return tab -> row of the draft -> what happens there."""
    added: dict[tuple[str, int], list[RowAdded]] = defaultdict(list)
    for row in edit.added:
        added[row.tab, row.below].append(row)
    gone = {(row.tab, row.row) for row in edit.removed}
    found: dict[str, dict[int, _Change]] = defaultdict(dict)
    for tab, number in {*added, *gone}:
        found[tab][number] = _Change(tuple(added[tab, number]) if (tab, number) in added else (), (tab, number) in gone)
    return dict(sorted(found.items()))


def _set_cells(book: WorkbookEdit, application: Application) -> None:
    """Write the cells of rows that the draft has already, where these stand now; a new cell takes the style of the one above."""
    for tab in dict.fromkeys(cell.tab for cell in application.edit.cells):
        before, after = application.draft.tables[tab], application.result.tables[tab]
        records = {record.row: record for record in before.records}
        placed: dict[int, tuple[int, int]] = {}
        for place, record in enumerate(after.records):
            if (origin := application.origin(tab, record.row)) is not None:
                neighbour = after.records[place - 1 if place else min(1, len(after.records) - 1)]
                placed[origin] = record.row, neighbour.row
        for cell in application.edit.cells:
            if cell.tab == tab:
                row, neighbour_row = placed[cell.row]
                column = before.column_of[cell.field]
                value = _stored(before, cell.field, cell.after, records[cell.row])
                book.set(before.sheet, row, column, value, like=(neighbour_row, column))


def _move_rows(book: WorkbookEdit, table: Table, rows: Mapping[int, _Change]) -> None:
    """Insert and delete the rows of a tab, from the last to the first, so that those above keep their numbers."""
    records = {record.row: record for record in table.records}
    for number in sorted(rows, reverse=True):
        place = number
        for row in rows[number].added:
            place += 1
            model = number if number in records else place
            like = model if records else None
            book.insert_rows(table.sheet, place, like=like, joined=bool(row.inherited))
            for name, text in row.values.items():
                value = _stored(table, name, text, records.get(number))
                book.set(table.sheet, place, table.column_of[name], value)
        if rows[number].removed:
            book.delete_rows(table.sheet, number)


def _stored(table: Table, name: str, text: str | None, neighbour: Record | None) -> Value:
    """Return a text as the cells beside it are stored: a figure as a number where they are numbers."""
    if text is None or (table.key == "main" and name not in _NUMBERS) or table.key not in ("main", "indicators"):
        return text
    kind = neighbour.cell(name).kind if neighbour is not None else CellKind.EMPTY
    if kind not in (CellKind.NUMBER, CellKind.TEXT):
        kind = _usual_kind(table)[name]
    if kind is not CellKind.NUMBER:
        return text
    return int(text) if _WHOLE.fullmatch(text) else float(text) if _DECIMAL.fullmatch(text) else text


class _ByIdentity:
    """A table that is equal to itself alone, so that what is made of it can be kept."""

    __slots__ = ("table",)

    def __init__(self, table: Table) -> None:
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.table is other.table


def _usual_kind(table: Table) -> Mapping[str, CellKind]:
    return _kinds(_ByIdentity(table))


@lru_cache(maxsize=4)
def _kinds(kept: _ByIdentity) -> Mapping[str, CellKind]:
    """Return field -> how most of its cells are stored."""
    counts: dict[str, Counter[CellKind]] = {}
    for name in kept.table.column_of:
        counts[name] = Counter(record.cell(name).kind for record in kept.table.records if record[name])
    return {name: tally.most_common(1)[0][0] if tally else CellKind.TEXT for name, tally in counts.items()}


def _merge_orders(book: WorkbookEdit, application: Application) -> None:
    """Merge the cells of orders that now have several rows, in a workbook that merges them and where none were merged yet."""
    draft, result = application.draft, application.result.main
    if draft.main.grouping != "merge":
        return
    covered = _merged_cells(draft)
    columns = sorted({column for _, column in covered})
    for run in _orders_grown(application):
        origin = application.origin("main", run[0].row)
        for column in columns:
            if (origin, column) not in covered:
                book.merge(result.sheet, run[0].row, column, run[-1].row, column)


def _merged_cells(draft: Edition) -> set[tuple[int | None, int]]:
    """Return row and column of the order cells that are merged downwards."""
    sheet, main = draft.sheet_of("main"), draft.main
    order_columns = {main.column_of[name] for name in ORDER_FIELDS if main.has(name)}
    return {
        (row, one.first_column)
        for one in (sheet.merged if sheet else ())
        if one.first_column == one.last_column and one.first_column in order_columns
        if one.last_row > one.first_row > main.header_row
        for row in range(one.first_row, one.last_row + 1)
    }


def _orders_grown(application: Application) -> Iterator[list[Record]]:
    """Yield the rows of each order that got rows which go on with it."""
    run: list[Record] = []
    for record in (*application.result.main.records, None):
        if record is not None and run and "order_code" in record.inherited:
            run.append(record)
            continue
        if any(application.origin("main", one.row) is None for one in run[1:]):
            yield run
        run = [record] if record is not None else []

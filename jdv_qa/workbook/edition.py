"""The Edition: one version of the value set as immutable records that know where they came from.

Two Editions are equal when they say the same thing: positions, layout, column order, styles and the way an order's cells
are grouped (repeated, merged or left blank) take no part in equality.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from typing import Final, NamedTuple, TypeAlias, TypeVar

RawValue: TypeAlias = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None

ORDER_FIELDS = (
    "nabm_code", "nabm_label", "order_label", "order_synonyms", "order_code", "order_loinc_label", "order_type",
    "specimen", "site", "laterality", "clinical_info",
)  # fmt: skip
RESULT_FIELDS = (
    "chapter", "subchapter", "rank", "result_code", "result_loinc_label", "result_display", "comparability",
    "discriminating_technique", "unit", "unit_secondary", "conversion_factor", "comment",
)  # fmt: skip
MAIN_FIELDS = ORDER_FIELDS + RESULT_FIELDS
TAB_KEYS = (
    "summary", "main", "chapters", "clinical_info", "specimens", "sites", "lateralities", "techniques", "experts",
    "notes", "indicators",
)  # fmt: skip
REFERENCE_PARTS = {
    "chapters": "chapter", "clinical_info": "clinical_info", "specimens": "specimen", "sites": "site",
    "lateralities": "laterality", "techniques": "technique",
}  # fmt: skip
"""Reference tab -> the part it holds, as named in reports of changes."""


class CellKind(StrEnum):
    """What Excel stored in a cell."""

    EMPTY = "empty"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    ERROR = "error"


class Cell(NamedTuple):
    """A cell as Excel stored it.

    `raw` is the stored value (for an error cell its text, such as "#N/A"), `formula` the formula without its "=" or None.
    """

    raw: RawValue
    kind: CellKind
    formula: str | None = None


@dataclass(slots=True)
class Record:
    """One row of a table.

    `values`: field -> text as read, trimmed at both ends, blank fields left out. In the main table the order's
    cells are completed from the row above where they are merged or blank; those fields are in `inherited`.
    `cells`: the raw cells that are not simply the text in `values` (numbers, dates, errors, formulas, padded text).
    Immutable as all the rest, which mypy sees to (Final): a class that Python freezes takes three times as long to make.
    """

    row: Final[int] = field(compare=False)
    values: Final[Mapping[str, str]]
    cells: Final[Mapping[str, Cell]] = field(compare=False, default_factory=dict)
    inherited: Final[frozenset[str]] = field(compare=False, default=frozenset())

    def __reduce__(self) -> tuple[type[Record], tuple[object, ...]]:
        """Tell how to make it anew: Python's own way for such a class takes twice as long."""
        return Record, (self.row, self.values, self.cells, self.inherited)

    def __getitem__(self, name: str) -> str:
        """Return the text of a field, "" when it is blank or absent."""
        return self.values.get(name, "")

    def cell(self, name: str) -> Cell:
        """Return the raw cell of a field."""
        if (cell := self.cells.get(name)) is not None:
            return cell
        text = self.values.get(name)
        return Cell(None, CellKind.EMPTY) if text is None or name in self.inherited else Cell(text, CellKind.TEXT)

    def raw_text(self, name: str) -> str | None:
        """Return the untrimmed text of a text cell that belongs to this row, None for any other kind of cell."""
        cell = self.cell(name)
        return cell.raw if isinstance(cell.raw, str) and cell.kind is CellKind.TEXT else None


@dataclass(frozen=True, slots=True)
class Column:
    """A column as found: `index` counts from 1, `field` is None when the header is not known, `nearest` then a known field.

    `filled`: at least one cell below the header holds something.
    """

    index: int
    header: str
    field: str | None
    nearest: str | None = None
    nearest_header: str | None = None
    filled: bool = False


class Loose(NamedTuple):
    """A filled cell that belongs to no record: outside the table, or in a row that is no entry."""

    row: int
    column: int
    text: str


class MergedRange(NamedTuple):
    """A merged range, bounds included and counted from 1."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True)
class Table:
    """The records of one tab, and how the tab was understood."""

    key: str
    records: tuple[Record, ...]
    sheet: str = field(compare=False, default="")
    header_row: int = field(compare=False, default=0)
    columns: tuple[Column, ...] = field(compare=False, default=())
    missing: tuple[str, ...] = field(compare=False, default=())
    """Known fields for which no column was found, required or not."""
    duplicated: tuple[Column, ...] = field(compare=False, default=())
    """Further columns that read as a field already found; the first one counts."""
    blank_rows: tuple[int, ...] = field(compare=False, default=())
    loose: tuple[Loose, ...] = field(compare=False, default=())
    grouping: str = field(compare=False, default="repeat")
    """Main table only: how most orders of several rows are written, "repeat", "blank" or "merge"."""

    @cached_property
    def column_of(self) -> dict[str, int]:
        """Field -> column number, counted from 1."""
        return {column.field: column.index for column in self.columns if column.field is not None}

    def has(self, name: str) -> bool:
        """Tell whether the tab has a column for the field."""
        return name in self.column_of

    def address(self, record: Record, name: str) -> str | None:
        """Return the A1 address of a field of a record, None when the tab has no such column."""
        column = self.column_of.get(name)
        return None if column is None else f"{column_letter(column)}{record.row}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the workbook's structure says of one sheet; row and column numbers count from 1."""

    name: str
    tab: str | None
    nearest_tab: str | None = None
    state: str = "visible"
    rows: int = 0
    columns: int = 0
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    filtered: bool = False
    """An active filter hides rows (as opposed to rows hidden by hand)."""
    merged: tuple[MergedRange, ...] = ()
    formulas: Mapping[tuple[int, int], str] = field(default_factory=dict)
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    from_1904: bool = False
    """Days are counted from 1904, as Excel for the Mac did, not from 1900."""


class Source(NamedTuple):
    """The file an Edition was read from: its name as given, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What the Sommaire says of the version; each "" when it says nothing. `rows`: field -> row of the Sommaire."""

    version: str = ""
    date: str = ""
    loinc_version: str = ""
    title: str = ""
    rows: Mapping[str, int] = field(compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entity:
    """An order or a result: one code with all the rows that carry it.

    `values` are those of the first row; `variants` lists all values, in order of appearance, of the fields that differ
    between rows (a fault that rules report and that comparison must not lose). An entry without code has code "".
    """

    code: str
    values: Mapping[str, str]
    records: tuple[Record, ...] = field(compare=False)
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Return the text of a field, "" when it is blank."""
        return self.values.get(name, "")


Key = TypeVar("Key", bound=Hashable)


class Entities(Mapping[Key, Entity]):
    """Entities by key, in order of appearance, each put together from its rows when it is first asked for.

    `rows`: key -> the rows that carry it. Who compares two editions asks for few of the entities: those whose rows differ.
    """

    __slots__ = ("_found", "_put_together", "_whole", "rows")

    def __init__(
        self,
        rows: Mapping[Key, Sequence[Record]],
        put_together: Callable[[Sequence[Record]], Entity],
    ) -> None:
        self.rows = rows
        self._put_together = put_together
        self._found: dict[Key, Entity] = {}
        self._whole = False

    def __getitem__(self, key: Key) -> Entity:
        """Return an entity; raises KeyError where no row carries the key."""
        if (entity := self._found.get(key)) is None:
            entity = self._found[key] = self._put_together(self.rows[key])
        return entity

    def __iter__(self) -> Iterator[Key]:
        """Yield the keys in order of appearance."""
        return iter(self.rows)

    def __len__(self) -> int:
        """Return the number of entities."""
        return len(self.rows)

    def __contains__(self, key: object) -> bool:
        """Tell whether a row carries the key; nothing is put together for that."""
        return key in self.rows

    def keys(self) -> KeysView[Key]:
        """Return the keys in order of appearance."""
        return self.rows.keys()

    def items(self) -> ItemsView[Key, Entity]:
        """Return the keys with their entities, all put together."""
        return self._all().items()

    def values(self) -> ValuesView[Entity]:
        """Return the entities, all put together."""
        return self._all().values()

    def _all(self) -> dict[Key, Entity]:
        if not self._whole:
            self._found = {key: self[key] for key in self.rows}
            self._whole = True
        return self._found


@dataclass(frozen=True)
class Edition:
    """One version of the value set. `tables` has a table for every tab found, by tab key, and "history" (of the Sommaire)."""

    tables: Mapping[str, Table]
    identity: Identity = Identity()
    source: Source = field(compare=False, default=Source("", ""))
    layout: str = field(compare=False, default="")
    sheets: tuple[Sheet, ...] = field(compare=False, default=())

    @property
    def main(self) -> Table:
        """The main table: one record per (order, result) pair."""
        return self.tables["main"]

    @property
    def leading(self) -> Table:
        """The main table, or the table of terms of a workbook in one-table form."""
        return self.tables["main"] if "main" in self.tables else self.tables["terms"]

    def records(self, key: str) -> tuple[Record, ...]:
        """Return the records of a tab, none when the workbook lacks it."""
        table = self.tables.get(key)
        return table.records if table else ()

    def sheet_of(self, key: str) -> Sheet | None:
        """Return the structure of the sheet that holds a tab."""
        return next((sheet for sheet in self.sheets if sheet.tab == key), None)

    @cached_property
    def orders(self) -> Entities[str]:
        """Orders by code, in order of appearance; an order without code stands under its label."""
        return _entities(self.records("main"), "order_code", "order_label", ORDER_FIELDS)

    @cached_property
    def results(self) -> Entities[str]:
        """Results by code, in order of appearance; a result without code stands under its LOINC label."""
        return _entities(self.records("main"), "result_code", "result_loinc_label", RESULT_FIELDS)

    @cached_property
    def pairs(self) -> dict[tuple[str, str], tuple[Record, ...]]:
        """(order code, result code) -> the rows that state the pair; more than one row is a fault."""
        rows: dict[tuple[str, str], tuple[Record, ...]] = {}
        for record in self.records("main"):
            said = record.values.get
            if (order := said("order_code")) and (result := said("result_code")):
                rows[order, result] = (*rows.get((order, result), ()), record)
        return rows


def _entities(records: tuple[Record, ...], code: str, label: str, fields: tuple[str, ...]) -> Entities[str]:
    grouped: dict[str, list[Record]] = {}
    for record in records:
        said = record.values
        if key := said.get(code) or said.get(label):
            grouped.setdefault(key, []).append(record)
    return Entities(grouped, partial(_entity, code, fields))


def _entity(code: str, fields: tuple[str, ...], rows: Sequence[Record]) -> Entity:
    first = rows[0].values
    values = {name: first[name] for name in fields if name in first}
    variants: dict[str, tuple[str, ...]] = {}
    if len(rows) > 1:
        alike = list(map(first.get, fields))
        if any(list(map(row.values.get, fields)) != alike for row in rows):
            for name in fields:
                seen = dict.fromkeys(row.values.get(name, "") for row in rows)
                if len(seen) > 1:
                    variants[name] = tuple(seen)
    return Entity(values.get(code, ""), values, tuple(rows), variants)


def split_values(text: str) -> tuple[str, ...]:
    """Return the values of a cell that holds several, trimmed, blank ones kept in place (codes pair with labels by place).

    The separator is the semicolon; where there is none, a line break.
    """
    if not text:
        return ()
    return tuple(part.strip() for part in text.split(";" if ";" in text else "\n"))


def column_letter(number: int) -> str:
    """Return Excel's letters of a column counted from 1: 1 -> "A", 28 -> "AB"."""
    letters = ""
    while number:
        number, remainder = divmod(number - 1, 26)
        letters = chr(65 + remainder) + letters
    return letters


def column_number(letters: str) -> int:
    """Return the number, counted from 1, of Excel's column letters: "AB" -> 28."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number

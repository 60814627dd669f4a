"""Table Schemas: frictionless judges the values of each column, and each of its errors belongs to a rule.

A field of `rules/schemas/<tab>.json` names, under "jdv:rules", the rule that reports each of its constraints. What no value
breaks by itself, a key or a field that must be unique, is compared here, in the way of frictionless (a test holds both together).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jdv_qa.checks import schema_process
from jdv_qa.resources import rules_directory
from jdv_qa.workbook.edition import Record, Table

if TYPE_CHECKING:
    from jdv_qa.checks.schema_verdicts import Column, Value, Verdict

_RULES = "jdv:rules"


class SchemaError(NamedTuple):
    """A cell, or a key of several cells, that breaks a Table Schema.

    `constraint` is the schema's word: pattern, enum, required and the like.
    """

    rule: str
    tab: str
    record: Record
    field: str
    constraint: str


class _Judged(NamedTuple):
    """A column that frictionless is asked about: the field, what the rows hold, and each value once."""

    table: Table
    field: Mapping[str, Any]
    values: Sequence[Value]
    distinct: Sequence[Value]


@lru_cache
def load_schema(tab: str, directory: Path | None = None) -> dict[str, Any] | None:
    """Return the Table Schema of a tab as it stands in its file, None when the tab has none."""
    path = (directory or rules_directory()) / "schemas" / f"{tab}.json"
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


class Validation:
    """The Table Schemas of some tables, put to frictionless; made early, asked late, it lets the rules run meanwhile.

    Columns that the workbook lacks are left out (STR-02 reports them), and so are the cells completed from the row above, whose
    own cell is checked once.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = [(table, schema) for table in tables if table.records and (schema := load_schema(table.key))]
        self._columns = [column for table, schema in self._tables for column in _columns(table, schema)]
        asked: list[Column] = [
            (
                {key: column.field[key] for key in ("name", "type", "constraints") if key in column.field},
                column.distinct,
            )
            for column in self._columns
        ]
        self._verdicts = schema_process.ask(asked)

    def errors(self) -> Iterator[SchemaError]:
        """Yield the errors, tab by tab in the order of the rows.

        Raises LookupError for a constraint that belongs to no rule: nothing is dropped in silence.
        """
        verdicts = list(zip(self._columns, self._verdicts(), strict=True))
        for table, schema in self._tables:
            broken: list[tuple[int, str, str]] = []
            for column, verdict in verdicts:
                if column.table is table and verdict:
                    broken += _places(column, verdict)
            broken += _repeated(table, schema)
            broken.sort(key=lambda place: place[0])
            owners = {field["name"]: field.get(_RULES, {}) for field in schema["fields"]}
            for index, name, constraint in broken:
                record = table.records[index]
                if name not in record.inherited:
                    yield SchemaError(_owner(table.key, owners, name, constraint), table.key, record, name, constraint)


def _columns(table: Table, schema: Mapping[str, Any]) -> Iterator[_Judged]:
    """Yield the columns of a table of which frictionless may have something to say: a plain text is always one."""
    fields = [
        field
        for field in schema["fields"]
        if table.has(field["name"]) and (field["type"] != "string" or set(field.get("constraints", ())) - {"unique"})
    ]
    for field, values in zip(fields, _values(table, [field["name"] for field in fields]), strict=True):
        distinct: Iterable[Value] = dict.fromkeys(values)
        if field["type"] == "string" and set(field["constraints"]) <= {"required", "unique"}:
            distinct = itertools.islice(distinct, 1) if None not in values else (None,)  # any other text will do
        yield _Judged(table, field, values, list(distinct))


def _values(table: Table, names: Sequence[str]) -> list[Sequence[Value]]:
    """Return what the rows hold of some columns, column by column."""
    return list(zip(*[list(map(record.values.get, names)) for record in table.records], strict=True))


def _places(column: _Judged, verdict: Verdict) -> Iterator[tuple[int, str, str]]:
    """Yield (index of the record, field, constraint) for each cell of a column that holds a value refused."""
    for index, value in enumerate(column.values):
        for constraint in verdict.get(value, ()):
            yield index, column.field["name"], constraint


def _repeated(table: Table, schema: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Yield the cells of unique fields, then the keys, that an earlier row holds, and the keys that are blank.

    The place of a key is its last field.
    """
    unique = [field["name"] for field in schema["fields"] if field.get("constraints", {}).get("unique")]
    unique = [name for name in unique if table.has(name)]
    for name, values in zip(unique, _values(table, unique), strict=True):
        for index in _seen_before(values):
            if values[index] is not None:
                yield index, name, "unique"
    key = schema.get("primaryKey", [])
    if key and all(map(table.has, key)):
        blank = (None,) * len(key)
        keys = [blank, *zip(*_values(table, key), strict=True)]
        for index in _seen_before(keys):
            yield index - 1, key[-1], "primaryKey"


def _seen_before(values: Sequence[object]) -> Iterator[int]:
    """Yield the places of values that stand further up too."""
    if len(set(values)) == len(values):
        return
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index
        seen.add(value)


def _owner(tab: str, owners: dict[str, dict[str, str]], name: str, constraint: str) -> str:
    try:
        return owners[name][constraint]
    except KeyError:
        raise LookupError(f"rules/schemas/{tab}.json: {name}: no rule for the constraint {constraint}") from None

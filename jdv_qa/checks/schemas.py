"""Table Schemas: frictionless runs them on the rows in memory, and each of its errors belongs to a rule.

A field of `rules/schemas/<tab>.json` names, under "jdv:rules", the rule that reports each of its constraints.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jdv_qa.resources import rules_directory
from jdv_qa.workbook.edition import Record, Table

_CONSTRAINT = re.compile(r'constraint "(\w+)"')
_RULES = "jdv:rules"


@dataclass(frozen=True, slots=True)
class SchemaError:
    """A cell, or a key of several cells, that breaks a Table Schema.

    `constraint` is the schema's word: pattern, enum, required and the like.
    """

    rule: str
    tab: str
    record: Record
    field: str
    constraint: str


@lru_cache
def load_schema(tab: str, directory: Path | None = None) -> dict[str, Any] | None:
    """Return the Table Schema of a tab as it stands in its file, None when the tab has none."""
    path = (directory or rules_directory()) / "schemas" / f"{tab}.json"
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def validate_table(table: Table) -> Iterator[SchemaError]:
    """Run the Table Schema of a tab on its records and yield the errors, in the order of the rows.

    Columns that the workbook lacks are left out (STR-02 reports them), and so are the cells completed from the row above, whose
    own cell is checked once. Raises LookupError for a constraint that belongs to no rule: nothing is dropped in silence.
    """
    schema = load_schema(table.key)
    if schema is None or not table.records:
        return
    from frictionless import Resource, Schema

    fields = [field for field in schema["fields"] if table.has(field["name"])]
    owners = {field["name"]: field.get(_RULES, {}) for field in fields}
    names = list(owners)
    descriptor: dict[str, Any] = {
        "fields": [{k: field[k] for k in ("name", "type", "constraints") if k in field} for field in fields]
    }
    key = schema.get("primaryKey", [])
    if key and all(name in owners for name in key):
        descriptor["primaryKey"] = key
    rows = [[record.values.get(name) for name in names] for record in table.records]
    with Resource(data=[names, *rows], schema=Schema.from_descriptor(descriptor)) as resource:
        report = resource.validate(limit_errors=sys.maxsize)
    for error in report.tasks[0].errors:
        facts = error.to_dict()
        if "rowNumber" not in facts:
            raise LookupError(f"{table.key}: {error.message}")
        record = table.records[facts["rowNumber"] - 2]
        name, constraint = facts.get("fieldName"), _constraint(facts)
        if name is None:
            name = key[-1]
        if name not in record.inherited:
            yield SchemaError(_owner(table.key, owners, name, constraint), table.key, record, name, constraint)


def _constraint(facts: dict[str, Any]) -> str:
    if facts["type"] == "primary-key":
        return "primaryKey"
    match = _CONSTRAINT.search(facts.get("note", ""))
    return match.group(1) if match else str(facts["type"]).removesuffix("-error")


def _owner(tab: str, owners: dict[str, dict[str, str]], name: str, constraint: str) -> str:
    try:
        return owners[name][constraint]
    except KeyError:
        raise LookupError(f"rules/schemas/{tab}.json: {name}: no rule for the constraint {constraint}") from None

"""frictionless judges values against the fields of a Table Schema: each distinct value of a column once.

It is also a program of its own (see `schema_process`), which is why it imports nothing else of the package.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Value = str | None
Column = tuple[Mapping[str, Any], Sequence[Value]]
"""A field of a Table Schema (name, type, constraints) and the distinct values of its column."""
Verdict = Mapping[Value, Sequence[str]]
"""The values that a field refuses, each with the constraints that it breaks ("type" when it is not of the field's type)."""

_ACROSS_ROWS = {"unique"}
"""Constraints that no value breaks by itself."""


def judge(columns: Sequence[Column]) -> list[Verdict]:
    """Return what frictionless has to say of the values of each column; raises LookupError for what it does not know."""
    from frictionless import fields

    known = {getattr(kind, "type", None): kind for kind in vars(fields).values() if isinstance(kind, type)}
    return [_refused(_reader(field, known), values) for field, values in columns]


def _reader(
    field: Mapping[str, Any], known: Mapping[Any, Any]
) -> Callable[[Value], tuple[object, Mapping[str, str] | None]]:
    kind = known.get(field.get("type", "any"))
    if kind is None:
        raise LookupError(f"{field['name']}: no field type {field['type']}")
    constraints = field.get("constraints", {})
    if strange := sorted(set(constraints) - set(kind.supported_constraints) - _ACROSS_ROWS):
        raise LookupError(f"{field['name']}: no constraint {strange[0]} for the type {kind.type}")
    reader: Callable[[Value], tuple[object, Mapping[str, str] | None]] = kind(
        name=field["name"], constraints=dict(constraints)
    ).create_cell_reader()
    return reader


def _refused(
    read: Callable[[Value], tuple[object, Mapping[str, str] | None]], values: Sequence[Value]
) -> dict[Value, list[str]]:
    refused = {}
    for value in values:
        _, notes = read(value)
        if notes:
            refused[value] = list(notes)
    return refused


def _import_fields() -> None:
    """Import the fields of frictionless alone, in a third of the time; all of it where a version does not allow that.

    The package imports every part of itself when it is imported, and pydantic, half of the rest, for one class: what portals
    answer to a publication. A process that asks for nothing else can put an empty package of its name and place first, and
    meanwhile an empty class in the place of pydantic's.
    """
    from importlib.util import find_spec, module_from_spec
    from types import ModuleType

    spec = find_spec("frictionless")
    if spec is None:
        raise ModuleNotFoundError("frictionless")
    sys.modules["frictionless"] = module_from_spec(spec)
    sys.modules["pydantic"] = pydantic = ModuleType("pydantic")
    vars(pydantic)["BaseModel"] = object
    try:
        import frictionless.fields
    except Exception:  # whatever a version needs that is not there
        for name in [name for name in sys.modules if name.partition(".")[0] in ("frictionless", "pydantic")]:
            del sys.modules[name]
        import frictionless.fields  # noqa: F401
    else:
        del sys.modules["pydantic"]


def serve() -> None:
    """Answer on standard output the one request that comes on standard input, or end when that is closed.

    What the libraries may print goes elsewhere, not into the answer.
    """
    import gc

    gc.disable()
    answer = os.dup(1)
    os.dup2(2, 1)
    sys.path[:] = marshal.load(sys.stdin.buffer)
    _import_fields()  # while the workbook is being read
    columns = marshal.load(sys.stdin.buffer)
    with os.fdopen(answer, "wb") as stream:
        marshal.dump(judge(columns), stream)


if __name__ == "__main__":
    try:
        serve()
    finally:
        os._exit(0)  # nothing to tidy up

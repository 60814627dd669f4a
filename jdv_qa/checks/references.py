"""REF: codes of the main tab that the reference tabs define."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, own_cells, rule, schema_problems
from jdv_qa.checks.finding import Problem
from jdv_qa.terminology.labels import fold


def _not_defined(context: Context, name: str, tab: str) -> Iterator[Problem]:
    """Yield a problem for every value of a field that a reference tab does not define; the nearest code is proposed."""
    codes = {record["code"]: record["label"] for record in context.edition.records(tab)}
    by_label = {fold(label): code for code, label in codes.items() if label}
    for record, field in own_cells(context.edition.main, (name,)):
        value = record[field]
        if value and value not in codes:
            meant = by_label.get(fold(value)) or next((code for code in codes if fold(code) == fold(value)), None)
            yield Problem("main", record, field, suggestion=meant, message="meant" if meant else "default")


@rule("REF-01")
def chapter(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Chapters that their tab does not define."""
    yield from _not_defined(context, "chapter", "chapters")


@rule("REF-03")
def specimen(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Specimens that their tab does not define."""
    yield from _not_defined(context, "specimen", "specimens")


@rule("REF-04")
def site(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Sites that their tab does not define."""
    yield from _not_defined(context, "site", "sites")


@rule("REF-05")
def laterality(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Lateralities that their tab does not define."""
    yield from _not_defined(context, "laterality", "lateralities")


@rule("REF-07")
def defined_twice(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that a reference tab defines more than once."""
    yield from schema_problems(context, "REF-07")

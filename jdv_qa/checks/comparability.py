"""CMP: minimum level of comparability and discriminating technique."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, rule, schema_problems
from jdv_qa.checks.finding import Problem
from jdv_qa.terminology.labels import fold


@rule("CMP-01")
def level(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Levels that are not 1 or 2; a row without result has none."""
    for problem in schema_problems(context, "CMP-01"):
        assert problem.record is not None
        if problem.record["result_code"] or problem.record["result_loinc_label"]:
            yield problem


@rule("CMP-02")
def technique(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Techniques that are not O or N, with what the writer meant where it is plain."""
    meanings = {fold(text): letter for letter, texts in parameters["spellings"].items() for text in texts}
    for error in context.schema_errors.get("CMP-02", ()):
        meant = meanings.get(fold(error.record[error.field]))
        yield Problem(error.tab, error.record, error.field, suggestion=meant, message="meant" if meant else "default")

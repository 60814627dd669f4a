"""SOM: what the Sommaire, the notes and the indicators say of the version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, rule, schema_problems
from jdv_qa.checks.finding import Problem


@rule("SOM-01")
def version(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Version missing or malformed, in the Sommaire, its history and the notes."""
    identity = context.edition.identity
    if not identity.version:
        yield Problem("summary", message="missing")
    elif not re.fullmatch(parameters["version"], identity.version):
        row = identity.rows["version"]
        record = next(record for record in context.edition.records("summary") if record.row == row)
        yield Problem("summary", record, "value")
    yield from schema_problems(context, "SOM-01")

"""NAB: codes of the NABM and of the RIHN."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.workbook.edition import CellKind


@rule("NAB-01")
def malformed(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Malformed codes; those that Excel keeps as numbers or dates are left to CEL-03 and CEL-04."""
    for error in context.schema_errors.get("NAB-01", ()):
        if error.record.cell(error.field).kind is not CellKind.TEXT:
            continue
        codes = [code for code in re.split(r"[\s;,/+]+", error.record[error.field]) if code]
        padded = [code.zfill(4) if code.isdigit() and len(code) == 3 else code.upper() for code in codes]
        meant = ";".join(padded) if all(re.fullmatch(parameters["code"], code) for code in padded) else None
        yield Problem(error.tab, error.record, error.field, suggestion=meant, message="meant" if meant else "default")

"""COD: the form of LOINC and pending codes. Each cell has one form (see `terminology.codes`), hence one finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import CODE_FIELDS, LABEL_OF, Context, own_cells, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.terminology.codes import CodeForm, CodeReading, read_code, with_dash
from jdv_qa.workbook.edition import CellKind, Record

LOINC_TABS = {"chapters": ("code", "subcode"), "clinical_info": ("code",)}
"""Reference tabs whose codes are LOINC or pending codes, and their fields."""


def code_cells(context: Context) -> Iterator[tuple[str, Record, str, CodeReading]]:
    """Yield (tab, record, field, reading) for every cell of the workbook that should hold a LOINC or a pending code.

    Cells that Excel turned into dates, error cells and formulas are left to the rules CEL-03 and STR-06.
    """
    places = [("main", CODE_FIELDS), *LOINC_TABS.items()]
    for tab, fields in places:
        table = context.edition.tables.get(tab)
        for record, name in own_cells(table, fields) if table else ():
            text = record[name]
            if text and record.cell(name).kind in (CellKind.TEXT, CellKind.NUMBER):
                yield tab, record, name, read_code(text)


def problems_of(context: Context, form: CodeForm) -> Iterator[Problem]:
    """Yield a plain problem for every code cell of a form, the likeliest code as suggestion, the others as related."""
    for tab, record, name, reading in code_cells(context):
        if reading.form is form:
            yield Problem(tab, record, name, suggestion=reading.proposal, related=reading.proposals[1:])


@rule("COD-02")
def wrong_check_digit(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes whose check digit is wrong; the 14 official exceptions are told apart."""
    exceptions = set(parameters["official_exceptions"])
    for problem in problems_of(context, CodeForm.WRONG_DIGIT):
        assert problem.record is not None and problem.field is not None
        if problem.record[problem.field] in exceptions:
            yield Problem(problem.tab, problem.record, problem.field, message="official")
        else:
            yield problem

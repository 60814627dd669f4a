"""A register of requests written as a table, in the columns of the form, with its decisions and statuses filled in."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path

from jdv_qa.language import french_spaces, say
from jdv_qa.triage.decisions import Decision, ruling_of
from jdv_qa.triage.following import Followed, ruling_name
from jdv_qa.triage.requests import LAYOUT, Register, Request
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.tables import defused

_WORDS = {"kind": "kind_text", "object": "object_text"}
"""Column -> where a request keeps the words of its register."""

_OPTIONAL = frozenset(
    ("nabm_label", "unit_secondary", "conversion_factor", "technique", "subchapter", "rank", "order_type")
)
"""Columns that are written only when some request fills them."""


def csv_bytes(rows: Iterable[Iterable[str]]) -> bytes:
    """Return a table as CSV for a spreadsheet in French: UTF-8 with BOM, `;`, texts that would be run as formulas defused."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def register_csv(
    requests: Sequence[Request], decisions: Sequence[Decision | None], statuses: Sequence[str] = ()
) -> bytes:
    """Return a register as CSV: what was asked, the decision with what was retained, and its comment.

    `statuses`: the column of the status, that of the register by default.
    """
    return csv_bytes(_rows(requests, decisions, statuses))


def _rows(
    requests: Sequence[Request], decisions: Sequence[Decision | None], statuses: Sequence[str]
) -> Iterator[list[str]]:
    columns = load_layout(LAYOUT).tabs["requests"].columns
    names = [name for name in columns if name not in _OPTIONAL or any(getattr(request, name) for request in requests)]
    yield [columns[name].header for name in names]
    for place, (request, decision) in enumerate(zip(requests, decisions, strict=True)):
        texts = {name: getattr(request, _WORDS.get(name, name)) for name in names}
        if statuses:
            texts["status"] = statuses[place]
        if decision is not None and decision.decision:
            said = ruling_of(request.decision) == decision.decision
            texts["decision"] = request.decision if said else ruling_name(decision.decision)
            texts["comment"] = _comment(request, decision)
        yield list(texts.values())


def _comment(request: Request, decision: Decision) -> str:
    """Return the comment on a decision, with what was retained in the place of what was asked."""
    kept = {
        say("code retenu", "code retained"): decision.code,
        say("valeur retenue", "value retained"): decision.value,
        say("unité retenue", "unit retained"): decision.unit,
    }
    told = [french_spaces(say(f"{name} : {text}", f"{name}: {text}")) for name, text in kept.items() if text]
    comments = [text for text in (decision.comment or request.comment, *told) if text]
    return " ; ".join(comments)


def with_statuses(register: Register, followed: Sequence[Followed]) -> bytes:
    """Return the workbook of a register whose cells of the status say where the requests stand, and nothing else changed.

    A register without that column gets one after the last. A decision that stood in the column of the status alone goes to
    that of the decision, where there is one.
    """
    from jdv_qa.workbook.editing import WorkbookEdit

    edit = WorkbookEdit(Path(register.path))
    sheet, header_row = register.sheet, register.header_row
    places = {column.field: column.index for column in register.columns if column.field}
    decision, column = places.get("decision"), places.get("status")
    if column is None:
        last = max(column.index for column in register.columns)
        column = last + 1
        edit.column_like(sheet, column, last)
        edit.set(sheet, header_row, column, load_layout(LAYOUT).header("requests", "status"), like=(header_row, last))
    for one in followed:
        row = one.asked.row
        if (
            decision
            and one.outcome
            and one.decision
            and not one.asked.decision
            and one.decision.text == one.asked.status
        ):
            edit.set(sheet, row, decision, ruling_name(one.outcome), like=(row, column))
        edit.set(sheet, row, column, one.status, like=(row, decision or places.get("number", 1)))
    return edit.content()

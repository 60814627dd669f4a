"""From a request to the edit it means: cells changed, rows added, rows removed, in the workbook as it is.

A code has one meaning, so a field of a result changes on every row that carries the code, and a field of an order on every
row of the order. What has to follow follows: the sub-chapter its chapter, the LOINC label of a code wherever it stands. Values
are those asked for, faults included: what `jdv check` says of them is for `trial` to find out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jdv_qa.checks.engine import CODE_FIELDS
from jdv_qa.terminology.codes import CodeForm, is_loinc, is_pending, read_code
from jdv_qa.terminology.labels import fold
from jdv_qa.triage.alignment import propose_alignment, propose_reference
from jdv_qa.triage.creation import propose_creation
from jdv_qa.triage.edits import CellSet, Edit, Introduced, Proposal, Reason, RowAdded, RowRemoved, lacking
from jdv_qa.triage.modification import propose_modification, propose_removal, propose_values
from jdv_qa.triage.requests import CREATE, REFERENCE_OBJECTS, REMOVE, Request
from jdv_qa.triage.value_set import ValueSet, field_of, read_targets
from jdv_qa.workbook.edition import (
    ORDER_FIELDS,
    RESULT_FIELDS,
)

if TYPE_CHECKING:
    pass

SEVERAL = ("nabm_code", "nabm_label", "order_synonyms", "clinical_info")
"""Fields of the main tab that hold several values."""


def propose(request: Request, values: ValueSet) -> Proposal:
    """Return what a request means in the workbook."""
    if not request.kind:
        text = request.kind_text or request.value
        said = (f"« {text} »", f'"{text}"') if text else ("rien", "nothing")
        return lacking(
            None,
            f"le type de demande n'est pas compris ({said[0]}) : dire création, modification ou suppression",
            f"the kind of request is not understood ({said[1]}): say creation, modification or removal",
        )
    thing = _thing(request, values)
    name = field_of(request, thing)
    if thing in REFERENCE_OBJECTS:
        found = propose_reference(request, thing, values)
    elif thing == "nabm":
        found = propose_alignment(request, values)
    elif request.kind in (CREATE, REMOVE) and name in SEVERAL:
        found = propose_values(request, thing, values)
    elif request.kind == CREATE:
        found = propose_creation(request, thing, values)
    elif request.kind == REMOVE and name in ("", *CODE_FIELDS):
        found = propose_removal(request, thing, values)
    else:
        found = propose_modification(request, thing, values)
    if not found.meaning:
        found = replace(found, meaning=_literal_meaning(request, thing))
    return found


def _thing(request: Request, values: ValueSet) -> str:
    """Return what a request is about when its words leave it open: an order or a result, by its code and its field."""
    thing = request.object
    if thing and thing != "code":
        return thing
    name = request.target_field
    code = next((target.code for target in read_targets(request.code, values, request.label)), "")
    if request.kind == CREATE:
        if thing == "code" and (not code or is_pending(code) or not is_loinc(code)) and not request.order:
            form = read_code(request.code).form
            if form in (CodeForm.BLANK, CodeForm.PENDING, CodeForm.MALFORMED_PENDING):
                return "code"
        if request.order:
            return "result"
        term = values.term(code)
        if name in ORDER_FIELDS or (term is not None and (term.is_panel or term.order_obs == "Order")):
            return "order"
        return thing if thing == "code" and not code else "result"
    if name in ORDER_FIELDS:
        return "nabm" if name.startswith("nabm") else "order"
    if name in RESULT_FIELDS:
        return "result"
    if thing == "code":
        return thing
    return "order" if code in values.edition.orders and code not in values.edition.results else "result"


def _literal_meaning(request: Request, thing: str) -> tuple[Any, ...]:
    """Return what two requests of one meaning share, where no edit can be drawn from them."""
    said = (request.code, request.label, request.order, request.nabm, request.asked, request.unit)
    return (request.kind, thing, field_of(request, thing), *map(fold, said))


__all__ = [
    "CellSet",
    "Edit",
    "Introduced",
    "Proposal",
    "Reason",
    "RowAdded",
    "RowRemoved",
    "ValueSet",
    "propose",
    "read_targets",
]

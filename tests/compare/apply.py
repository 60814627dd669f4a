"""The changes of a comparison, applied: what the new edition says, made from the old one and the changes alone."""

from __future__ import annotations

from collections.abc import Iterable

from jdv_qa.compare.entries import associations, comparable
from jdv_qa.compare.model import Change
from jdv_qa.workbook.edition import ORDER_FIELDS, RESULT_FIELDS, Edition, Entity

Fact = tuple[str, ...]
"""(part, code, field, text), or (association, order, result)."""

FIELDS = {
    "order": tuple(name for name in ORDER_FIELDS if name not in ("order_code", "nabm_code", "nabm_label")),
    "result": tuple(name for name in RESULT_FIELDS if name != "result_code"),
}


def entries_of(edition: Edition) -> dict[str, dict[str, Entity]]:
    return {"order": dict(edition.orders), "result": dict(edition.results)}


def facts(edition: Edition) -> set[Fact]:
    """Return what an edition says of its coded orders and results: every field that is filled, and the pairs."""
    said: set[Fact] = set()
    for part, entities in entries_of(edition).items():
        for entity in entities.values():
            said.add((part, entity.code, "", ""))
            for name in FIELDS[part]:
                if text := comparable(entity, name):
                    said.add((part, entity.code, name, text))
    for order, result in associations(edition):
        said.add(("association", order, result))
    return said


def applied(old: Edition, new: Edition, changes: Iterable[Change]) -> set[Fact]:
    """Return the facts of the old edition with the changes applied.

    An added entry brings all its fields from the new edition, as do the texts of a modified field (a change shows them
    as read, not in the form that is compared).
    """
    changes = list(changes)
    renamed = {
        (change.part, change.code): change.new_code or ""
        for change in changes
        if change.kind in ("assigned", "replaced")
    }

    def now(part: str, code: str) -> str:
        return renamed.get((part, code), code) if part in ("order", "result") else code  # type: ignore[call-overload]

    said: set[Fact] = set()
    for fact in facts(old):
        if fact[0] == "association":
            said.add(("association", now("order", fact[1]), now("result", fact[2])))
        else:
            said.add((fact[0], now(fact[0], fact[1]), *fact[2:]))
    fresh = entries_of(new)
    for change in changes:
        part, code = change.part, change.code
        if part == "association":
            pair = ("association", now("order", code), now("result", change.result or ""))
            if change.kind == "removed":
                said.discard(pair)
            else:
                said.add(("association", code, change.result or ""))
        elif part not in FIELDS:
            continue
        elif change.kind == "removed":
            said = {fact for fact in said if fact[:2] != (part, code)}
        elif change.kind == "added":
            said.add((part, code, "", ""))
            entity = fresh[part][code]
            said.update((part, code, name, text) for name in FIELDS[part] if (text := comparable(entity, name)))
        elif change.kind == "modified" and change.field:
            said = {fact for fact in said if fact[:3] != (part, code, change.field)}
            if text := comparable(fresh[part][code], change.field):
                said.add((part, code, change.field, text))
        elif change.kind == "assigned" and part == "order":
            # The type that the LOINC code brings is not told apart (see `_told_apart`).
            new_code = change.new_code or ""
            if not any(fact[:3] == (part, new_code, "order_type") for fact in said):
                text = comparable(fresh[part][new_code], "order_type")
                said |= {(part, new_code, "order_type", text)} if text else set()
    return said

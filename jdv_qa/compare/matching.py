"""Which removed code gave way to which added code: pending codes that were assigned, LOINC codes that were replaced.

What is matched here is certain: the same LOINC label, held by one removed and one added code only, in the same place.
A pair that is not certain stays a removal and an addition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from jdv_qa.compare.model import Kind, Part, Recoding
from jdv_qa.terminology.codes import has_loinc_form, is_pending
from jdv_qa.workbook.edition import Edition, Entity

Place = Callable[[Entity, Entity], tuple[str, ...]]
"""Says what two entities have in common as to their place, in fixed words; () when they share none."""


def match_recodings(old: Edition, new: Edition) -> list[Recoding]:
    """Return the recodings of orders, then of results, each in the order of the old edition.

    An order shares its place by its label or by its set of results; a result by an order that holds it on both sides,
    orders being followed through their own recodings. Codes are matched within orders or within results, never
    across.
    """
    orders = _match("order", old.orders, new.orders, "order_loinc_label", _order_place(old, new))
    followed = {recoding.old_code: recoding.new_code for recoding in orders}
    results = _match("result", old.results, new.results, "result_loinc_label", _result_place(followed))
    return orders + results


def recoding_kind(old_code: str, new_code: str) -> Kind | None:
    """Return what one code giving way to another is called.

    None unless a LOINC code takes the place of a pending code or of another LOINC code.
    """
    if not has_loinc_form(new_code):
        return None
    if is_pending(old_code):
        return "assigned"
    return "replaced" if has_loinc_form(old_code) else None


def _match(
    part: Part, old: Mapping[str, Entity], new: Mapping[str, Entity], label_field: str, place: Place
) -> list[Recoding]:
    gone = _only_holders((entity for key, entity in old.items() if key not in new), label_field)
    come = _only_holders((entity for key, entity in new.items() if key not in old), label_field)
    recodings = []
    for label, before in gone.items():
        after = come.get(label)
        if after is None or (kind := recoding_kind(before.code, after.code)) is None:
            continue
        if evidence := place(before, after):
            recodings.append(Recoding(part, before.code, after.code, kind, ("loinc-label", *evidence)))
    return recodings


def _only_holders(entities: Iterable[Entity], label_field: str) -> dict[str, Entity]:
    """Return label -> the entity that alone holds it, among entities with a code."""
    holders: dict[str, list[Entity]] = {}
    for entity in entities:
        if entity.code and (label := _label_form(entity[label_field])):
            holders.setdefault(label, []).append(entity)
    return {label: found[0] for label, found in holders.items() if len(found) == 1}


def _label_form(text: str) -> str:
    return " ".join(text.split()).casefold()


def _order_place(old: Edition, new: Edition) -> Place:
    kept = old.results.keys() & new.results.keys()

    def results_of(order: Entity) -> frozenset[str]:
        """Results by code where both editions have it, else by label: a result may be recoded with its order."""
        codes = ((record["result_code"], record["result_loinc_label"]) for record in order.records)
        return frozenset(code if code in kept else _label_form(label) or code for code, label in codes)

    def place(before: Entity, after: Entity) -> tuple[str, ...]:
        evidence = []
        if (label := _label_form(before["order_label"])) and label == _label_form(after["order_label"]):
            evidence.append("order-label")
        if (results := results_of(before)) and results == results_of(after):
            evidence.append("results")
        return tuple(evidence)

    return place


def _result_place(orders: Mapping[str, str]) -> Place:
    def place(before: Entity, after: Entity) -> tuple[str, ...]:
        held = {orders.get(record["order_code"], record["order_code"]) for record in before.records}
        shared = held & {record["order_code"] for record in after.records} - {""}
        return tuple(f"order:{code}" for code in sorted(shared))

    return place

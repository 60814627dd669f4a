"""The comparison of two editions by meaning: which codes came, went or gave way to others, then which fields changed.

Entries are paired by code, fields only then; neither the order of rows nor their layout counts. DeepDiff is asked,
once, about the pairs whose fingerprints differ; it never sees a whole table, nor a list whose places it would have to
guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jdv_qa.compare.entries import (
    Key,
    alignments,
    associations,
    chapter_entries,
    comparable,
    entries,
    shown,
    term_table,
)
from jdv_qa.compare.impact import Impacts, load_impacts
from jdv_qa.compare.matching import match_recodings
from jdv_qa.compare.model import (
    KINDS,
    PARTS,
    Change,
    Comparison,
    Part,
    Recoding,
    Sense,
    Side,
    Uncompared,
    code_place,
    field_place,
)
from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.workbook.edition import ORDER_FIELDS, REFERENCE_PARTS, RESULT_FIELDS, Edition, Entity, Table

LABEL_FIELDS: dict[Part, tuple[str, ...]] = {
    "order": ("order_label", "order_loinc_label"),
    "result": ("result_loinc_label", "result_display"),
    "chapter": ("label", "sublabel"),
}
"""Fields that name an entry to the reader, the first one filled counts; elsewhere it is "label"."""

_NABM_FIELDS = ("nabm_code", "nabm_label")
_CHAPTER_FIELDS = ("code", "label", "sublabel")


@dataclass(frozen=True, slots=True)
class _Pair:
    """An entry of one side and the entry of the other that it is compared with, on the fields that both sides have."""

    part: Part
    old: Entity
    new: Entity
    fields: tuple[str, ...]
    related: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A comparison in the making; impacts are judged at the end."""

    changes: list[Change] = field(default_factory=list)
    pairs: list[_Pair] = field(default_factory=list)
    uncompared: list[Uncompared] = field(default_factory=list)


def compare(old: Edition, new: Edition, impacts: Impacts | None = None) -> Comparison:
    """Compare two editions.

    Returns every change in a fixed order, the recodings, and what could not be compared because one side has no such
    column or tab. `impacts` defaults to the judgements that ship. Raises WorkbookError when one edition has a main tab
    and the other is in one-table form, RuleFileError when the impact file is wrong.
    """
    impacts = impacts or load_impacts()
    draft = _Draft()
    recodings: list[Recoding] = []
    old_terms, new_terms = term_table(old), term_table(new)
    if (old_terms is None) != (new_terms is None):
        raise WorkbookError(
            say(
                f"{old.source.path} et {new.source.path} n'ont pas la même forme "
                f"(mises en page {old.layout} et {new.layout}) ; "
                "comparez deux versions d'un même jeu de valeurs",
                f"{old.source.path} and {new.source.path} differ in form (layouts {old.layout} and {new.layout}); "
                "compare two versions of one value set",
            )
        )
    if old_terms is not None and new_terms is not None:
        _compare_table(draft, "term", old_terms, new_terms)
    else:
        recodings = _compare_main(draft, old, new)
    for tab, part in REFERENCE_PARTS.items():
        _compare_reference(draft, tab, _as_part(part), old, new)
    changes = draft.changes + _modified(draft.pairs)
    judged = (replace(change, impact=impacts.judge(change).impact) for change in changes)
    return Comparison(
        _side(old),
        _side(new),
        tuple(sorted(judged, key=_place)),
        tuple(recodings),
        tuple(sorted(set(draft.uncompared), key=lambda gap: (PARTS.index(gap.part), field_place(gap.field)))),
    )


def _as_part(name: str) -> Part:
    return next(part for part in PARTS if part == name)


def _side(edition: Edition) -> Side:
    identity = edition.identity
    return Side(
        edition.source.path,
        edition.source.sha256,
        identity.version,
        identity.date,
        identity.loinc_version,
        identity.title,
    )


def _compare_main(draft: _Draft, old: Edition, new: Edition) -> list[Recoding]:
    """Compare orders, results, their associations and alignments; a part whose codes one side lacks is left out."""
    columns = (old.main, new.main)
    order_keys = _shared(draft, "order", ("order_code",), *columns)
    result_keys = _shared(draft, "result", ("result_code",), *columns)
    recodings = [
        recoding for recoding in match_recodings(old, new) if (order_keys if recoding.part == "order" else result_keys)
    ]
    orders = {recoding.old_code: recoding for recoding in recodings if recoding.part == "order"}
    results = {recoding.old_code: recoding for recoding in recodings if recoding.part == "result"}
    followed_orders = {code: recoding.new_code for code, recoding in orders.items()}
    followed_results = {code: recoding.new_code for code, recoding in results.items()}
    if order_keys:
        fields = tuple(name for name in ORDER_FIELDS if name not in ("order_code", *_NABM_FIELDS))
        _compare_entities(draft, "order", old.orders, new.orders, _shared(draft, "order", fields, *columns), orders)
        _compare_alignments(draft, old, new, followed_orders)
    if result_keys:
        fields = tuple(name for name in RESULT_FIELDS if name != "result_code")
        _compare_entities(
            draft, "result", old.results, new.results, _shared(draft, "result", fields, *columns), results
        )
    if order_keys and result_keys:
        _compare_associations(draft, old, new, followed_orders, followed_results)
    return recodings


def _shared(draft: _Draft, part: Part, fields: Iterable[str], old: Table, new: Table) -> tuple[str, ...]:
    """Return the fields that both sides have a column for; one that a single side has is noted, if it says anything."""
    kept = []
    for name in fields:
        present = (_has(old, name), _has(new, name))
        if all(present):
            kept.append(name)
        elif any(present):
            missing: Sense = "new" if present[0] else "old"
            table = old if present[0] else new
            if any(name in record.values for record in table.records):
                draft.uncompared.append(Uncompared(part, name, missing))
            else:
                kept.append(name)
    return tuple(kept)


def _has(table: Table, name: str) -> bool:
    return table.has(name) if table.columns else True


def _compare_entities(
    draft: _Draft,
    part: Part,
    old: Mapping[str, Entity] | Mapping[Key, Entity],
    new: Mapping[str, Entity] | Mapping[Key, Entity],
    fields: tuple[str, ...],
    recodings: Mapping[str, Recoding] | None = None,
) -> None:
    """Note entries added, removed and recoded, and pair the others for a look at their fields."""
    before: dict[object, Entity] = dict(old.items())
    after: dict[object, Entity] = dict(new.items())
    recodings = recodings or {}
    successors = {recoding.new_code for recoding in recodings.values()}
    for key, entity in before.items():
        if (same := after.get(key)) is not None:
            _pair(draft, _Pair(part, entity, same, fields))
        elif (recoding := recodings.get(entity.code)) is not None:
            successor = after[recoding.new_code]
            draft.changes.append(
                Change(
                    recoding.kind,
                    part,
                    entity.code,
                    _label(part, successor),
                    old_row=_row(entity),
                    new_row=_row(successor),
                    new_code=successor.code,
                )
            )
            _pair(draft, _Pair(part, entity, successor, _told_apart(entity, recoding, fields), (entity.code,)))
        else:
            draft.changes.append(
                Change(
                    "removed",
                    part,
                    entity.code,
                    _label(part, entity),
                    old_row=_row(entity),
                    related=_parent(part, entity),
                )
            )
    for key, entity in after.items():
        if key not in before and entity.code not in successors:
            draft.changes.append(
                Change(
                    "added",
                    part,
                    entity.code,
                    _label(part, entity),
                    new_row=_row(entity),
                    related=_parent(part, entity),
                )
            )


def _told_apart(before: Entity, recoding: Recoding, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields that say more than the recoding: a pending order has no type, its LOINC code brings one."""
    typeless = recoding.kind == "assigned" and not before["order_type"]
    return tuple(name for name in fields if not (typeless and name == "order_type"))


def _pair(draft: _Draft, pair: _Pair) -> None:
    """Keep a pair whose fingerprints differ."""
    old, new = pair.old, pair.new
    if old.values == new.values and not old.variants and not new.variants:
        return
    if _fingerprint(old, pair.fields) != _fingerprint(new, pair.fields):
        draft.pairs.append(pair)


def _fingerprint(entity: Entity, fields: Iterable[str]) -> dict[str, str]:
    return {name: comparable(entity, name) for name in fields}


def _modified(pairs: Sequence[_Pair]) -> list[Change]:
    """Return one change per field that differs, as DeepDiff finds them in the pairs given."""
    if not pairs:
        return []
    from deepdiff import DeepDiff

    before = {place: _fingerprint(pair.old, pair.fields) for place, pair in enumerate(pairs)}
    after = {place: _fingerprint(pair.new, pair.fields) for place, pair in enumerate(pairs)}
    differences = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0)
    changes = []
    for levels in differences.values():
        for level in levels:
            place, name = level.path(output_format="list")
            pair = pairs[place]
            changes.append(
                Change(
                    "modified",
                    pair.part,
                    pair.new.code,
                    _label(pair.part, pair.new) or _label(pair.part, pair.old),
                    field=name,
                    old=shown(pair.old, name),
                    new=shown(pair.new, name),
                    old_row=_row(pair.old),
                    new_row=_row(pair.new),
                    related=pair.related,
                )
            )
    return changes


def _label(part: Part, entity: Entity) -> str:
    return next((entity[name] for name in LABEL_FIELDS.get(part, ("label",)) if entity[name]), "")


def _parent(part: Part, entity: Entity) -> tuple[str, ...]:
    """Return the chapter of a sub-chapter."""
    return (entity["code"],) if part == "chapter" and entity["code"] else ()


def _row(entity: Entity) -> int:
    return entity.records[0].row


def _compare_associations(
    draft: _Draft, old: Edition, new: Edition, orders: Mapping[str, str], results: Mapping[str, str]
) -> None:
    """Note the pairs that came and went, codes being followed through their recodings.

    A result that left one order and came under another has those orders in `related`, on both sides of the move; so
    have the orders removed or added on the way, which is how a split or a merge of orders shows.
    """
    before = {
        (orders.get(pair.order, pair.order), results.get(pair.result, pair.result)): pair
        for pair in associations(old).values()
    }
    after = associations(new)
    gone = [key for key in before if key not in after]
    come = [key for key in after if key not in before]
    left: dict[str, list[str]] = {}
    joined: dict[str, list[str]] = {}
    for order, result in gone:
        left.setdefault(result, []).append(before[order, result].record["order_code"])
    for order, result in come:
        joined.setdefault(result, []).append(after[order, result].record["order_code"])
    destinations: dict[str, list[str]] = {}
    origins: dict[str, list[str]] = {}
    for key in gone:
        pair = before[key]
        held, content = old.orders[pair.order], old.results[pair.result]
        related = _codes(joined.get(key[1], ()), held.code)
        destinations.setdefault(pair.order, []).extend(related)
        draft.changes.append(
            Change(
                "removed",
                "association",
                held.code,
                _label("order", held),
                old=_label("result", content),
                old_row=pair.record.row,
                result=content.code,
                related=related,
            )
        )
    for key in come:
        pair = after[key]
        held, content = new.orders[pair.order], new.results[pair.result]
        related = _codes(left.get(key[1], ()), held.code)
        origins.setdefault(pair.order, []).extend(related)
        draft.changes.append(
            Change(
                "added",
                "association",
                held.code,
                _label("order", held),
                new=_label("result", content),
                new_row=pair.record.row,
                result=content.code,
                related=related,
            )
        )
    moved = {"removed": destinations, "added": origins}
    draft.changes = [
        replace(change, related=_codes(found, change.code))
        if change.part == "order" and (found := moved.get(change.kind, {}).get(change.code or change.label))
        else change
        for change in draft.changes
    ]


def _codes(codes: Iterable[str], own: str) -> tuple[str, ...]:
    return tuple(sorted({code for code in codes if code and code != own}, key=code_place))


def _compare_alignments(draft: _Draft, old: Edition, new: Edition, orders: Mapping[str, str]) -> None:
    """Note the NABM alignments that came, went, or changed their label; orders are followed through their recodings."""
    columns = (old.main, new.main)
    if not _shared(draft, "nabm", ("nabm_code",), *columns):
        return
    labelled = bool(_shared(draft, "nabm", ("nabm_label",), *columns))
    before = {(orders.get(pair.order, pair.order), pair.nabm): pair for pair in alignments(old).values()}
    after = alignments(new)
    for key, pair in before.items():
        order = old.orders[pair.order]
        same = after.get(key)
        if same is None:
            draft.changes.append(
                Change(
                    "removed",
                    "nabm",
                    order.code,
                    _label("order", order),
                    old=pair.label,
                    old_row=pair.record.row,
                    nabm=pair.nabm,
                )
            )
        elif labelled and pair.label != same.label:
            current = new.orders[same.order]
            draft.changes.append(
                Change(
                    "modified",
                    "nabm",
                    current.code,
                    _label("order", current),
                    field="nabm_label",
                    old=pair.label,
                    new=same.label,
                    old_row=pair.record.row,
                    new_row=same.record.row,
                    nabm=same.nabm,
                )
            )
    for key, pair in after.items():
        if key not in before:
            order = new.orders[pair.order]
            draft.changes.append(
                Change(
                    "added",
                    "nabm",
                    order.code,
                    _label("order", order),
                    new=pair.label,
                    new_row=pair.record.row,
                    nabm=pair.nabm,
                )
            )


def _compare_reference(draft: _Draft, tab: str, part: Part, old: Edition, new: Edition) -> None:
    before, after = old.tables.get(tab), new.tables.get(tab)
    if before is None or after is None:
        if before or after:
            draft.uncompared.append(Uncompared(part, "", "new" if before else "old"))
        return
    if tab == "chapters":
        _compare_chapters(draft, before, after)
    else:
        _compare_table(draft, part, before, after)


def _compare_table(draft: _Draft, part: Part, old: Table, new: Table) -> None:
    """Compare two tables of codes."""
    if not _shared(draft, part, ("code",), old, new):
        return
    names = dict.fromkeys(
        name for table in (old, new) for name in (*table.column_of, *_filled(table)) if name != "code"
    )
    _compare_entities(draft, part, entries(old), entries(new), _shared(draft, part, names, old, new))


def _filled(table: Table) -> Iterable[str]:
    """Return the fields that a table without known columns has something in."""
    return () if table.columns else dict.fromkeys(name for record in table.records for name in record.values)


def _compare_chapters(draft: _Draft, old: Table, new: Table) -> None:
    columns = ("code", "label", "subcode", "sublabel")
    shared = _shared(draft, "chapter", columns, old, new)
    if "code" not in shared or "subcode" not in shared:
        return
    before, after = chapter_entries(old, new)
    _compare_entities(draft, "chapter", before, after, tuple(name for name in _CHAPTER_FIELDS if name in shared))


def _place(change: Change) -> tuple[object, ...]:
    return (
        KINDS.index(change.kind),
        PARTS.index(change.part),
        code_place(change.code),
        code_place(change.result or ""),
        code_place(change.nabm or ""),
        field_place(change.field or ""),
        change.label,
        change.old or "",
        change.new or "",
        change.new_code or "",
        change.old_row or 0,
        change.new_row or 0,
    )

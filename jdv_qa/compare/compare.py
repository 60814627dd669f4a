"""The comparison of two editions by meaning: which codes came, went or gave way to others, then which fields changed.

Entries are paired by code, fields only then; neither the order of rows nor their layout counts. Entries whose rows say
the same in both editions, nearly all of them, are passed over before anything is made of them; of the others, fields are
compared as flat texts (a test holds that to what DeepDiff says).
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from jdv_qa.compare.collisions import find_collisions
from jdv_qa.compare.entries import (
    Key,
    alignments,
    associations,
    chapter_entries,
    comparable,
    differing_fields,
    entries,
    keys_of,
    same_rows,
    shown,
    term_table,
    without_pair,
)
from jdv_qa.compare.impact import Impacts, load_impacts
from jdv_qa.compare.matching import load_matching, match_codes, match_entries
from jdv_qa.compare.model import (
    KINDS,
    PARTS,
    Change,
    Comparison,
    Movement,
    Named,
    Part,
    Recoding,
    Resemblance,
    Sense,
    Side,
    Statuses,
    Uncompared,
    code_place,
    field_place,
)
from jdv_qa.compare.movements import chapter_movements, order_movements
from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.terminology.labels import AXES, axis_table, fold, loinc_parts, same_meaning
from jdv_qa.workbook.edition import (
    ORDER_FIELDS,
    REFERENCE_PARTS,
    RESULT_FIELDS,
    Edition,
    Entities,
    Entity,
    Record,
    Table,
)

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import LoincRelease

LABEL_FIELDS: dict[Part, tuple[str, ...]] = {
    "order": ("order_label", "order_loinc_label"),
    "result": ("result_loinc_label", "result_display"),
    "chapter": ("label", "sublabel"),
}
"""Fields that name an entry to the reader, the first one filled counts; elsewhere it is "label"."""

_Key = TypeVar("_Key", bound=Hashable)
_NABM_FIELDS = ("nabm_code", "nabm_label")
_CHAPTER_FIELDS = ("code", "label", "sublabel")


class _Pair(NamedTuple):
    """An entry of one side, the entry of the other that it is compared with, and the fields on which they differ."""

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
    recodings: list[Recoding] = field(default_factory=list)
    resemblances: list[Resemblance] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)


def load_rules() -> None:
    """Load what a comparison will look up, all of it kept: there is time for that while workbooks are read in threads."""
    load_impacts()
    load_matching()
    axis_table()


def compare(
    old: Edition,
    new: Edition,
    impacts: Impacts | None = None,
    loinc: LoincRelease | None = None,
    old_loinc: LoincRelease | None = None,
) -> Comparison:
    """Compare two editions.

    Returns every change in a fixed order, the recodings, the removed and added codes that resemble each other, what
    changes amount to together (splits, merges, moves), the keys that are not unique, and what could not be compared
    because one side has no such column or tab. `loinc` tells which codes LOINC itself replaces (MapTo): that helps to
    match them, and what is to be used instead of a code removed is among its related ones; with `old_loinc`, the release
    of the old edition, also whose status changed. `impacts` defaults to the judgements that ship.
    Raises WorkbookError when one edition has a main tab and the other is in one-table form, RuleFileError when a rules
    file is wrong.
    """
    impacts = impacts or load_impacts()
    draft = _Draft()
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
        _compare_table(draft, "term", old_terms, new_terms, loinc)
    else:
        _compare_main(draft, old, new, loinc)
    for tab, part in REFERENCE_PARTS.items():
        _compare_reference(draft, tab, _as_part(part), old, new, loinc)
    _relate_resemblances(draft)
    if loinc is not None:
        _relate_substitutes(draft, new, loinc)
    changes = draft.changes + _modified(draft.pairs)
    judgements = ((change, impacts.judge(change)) for change in changes)
    judged = (change._replace(impact=judgement.impact, actors=judgement.actors) for change, judgement in judgements)
    return Comparison(
        _side(old),
        _side(new),
        tuple(sorted(judged, key=_place)),
        tuple(draft.recodings),
        tuple(sorted(set(draft.uncompared), key=lambda gap: (PARTS.index(gap.part), field_place(gap.field)))),
        tuple(draft.resemblances),
        (*draft.movements, *chapter_movements(changes, draft.recodings, old, new)),
        (*find_collisions(old, "old"), *find_collisions(new, "new")),
        _statuses(old, new, old_loinc, loinc) if loinc and old_loinc else None,
    )


def _statuses(old: Edition, new: Edition, before: LoincRelease, after: LoincRelease) -> Statuses:
    from jdv_qa.compare.transitions import status_transitions

    return status_transitions(old, new, before, after)


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


def _compare_main(draft: _Draft, old: Edition, new: Edition, loinc: LoincRelease | None) -> None:
    """Compare orders, results, their associations and alignments; a part whose codes one side lacks is left out."""
    columns = (old.main, new.main)
    order_keys = _shared(draft, "order", ("order_code",), *columns)
    result_keys = _shared(draft, "result", ("result_code",), *columns)
    matches = match_codes(old, new, loinc)
    told: dict[Part, bool] = {"order": bool(order_keys), "result": bool(result_keys)}
    draft.recodings.extend(recoding for recoding in matches.recodings if told[recoding.part])
    draft.resemblances.extend(pair for pair in matches.resemblances if told[pair.part])
    recodings: dict[Part, dict[str, tuple[str, Recoding]]] = {"order": {}, "result": {}}
    followed: dict[Part, dict[str, str]] = {"order": {}, "result": {}}
    for recoding in draft.recodings:
        key = recoding.old_key or recoding.old_code
        recodings[recoding.part][key] = recoding.new_code, recoding
        followed[recoding.part][key] = recoding.new_code
    orders, results = _touched_codes(old, new)
    if order_keys:
        names = tuple(name for name in ORDER_FIELDS if name not in ("order_code", *_NABM_FIELDS))
        fields = _shared(draft, "order", names, *columns)
        _compare_entities(draft, "order", old.orders, new.orders, fields, recodings["order"], orders)
        _compare_alignments(draft, old, new, followed["order"], orders)
    if result_keys:
        names = tuple(name for name in RESULT_FIELDS if name != "result_code")
        fields = _shared(draft, "result", names, *columns)
        _compare_entities(draft, "result", old.results, new.results, fields, recodings["result"], results)
    if order_keys and result_keys:
        _compare_associations(draft, old, new, followed["order"], followed["result"])


def _relate_resemblances(draft: _Draft) -> None:
    """Put the codes that a removed code may have become, or an added one come from, among its related ones."""
    related: dict[tuple[str, str, str], list[str]] = {}
    for pair in draft.resemblances:
        related.setdefault(("removed", pair.part, pair.old_code), []).append(pair.new_code)
        related.setdefault(("added", pair.part, pair.new_code), []).append(pair.old_code)
    draft.changes = [
        change._replace(related=_codes((*change.related, *found), change.code))
        if (found := related.get((change.kind, change.part, change.code)))
        else change
        for change in draft.changes
    ]


def _relate_substitutes(draft: _Draft, new: Edition, loinc: LoincRelease) -> None:
    """Put the codes that LOINC gives in the place of a removed one, and that the new edition has, among its related ones."""
    from jdv_qa.compare.transitions import substitutes

    if (terms := term_table(new)) is not None:
        known: dict[Part, Container[str]] = {"term": {record["code"] for record in terms.records}}
    else:
        known = {"order": new.orders, "result": new.results}
    draft.changes = [
        change._replace(related=_codes((*change.related, *found), change.code))
        if change.kind == "removed"
        and (held := known.get(change.part))
        and (found := [code for code in substitutes(loinc, change.code) if code in held])
        else change
        for change in draft.changes
    ]


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
    old: Mapping[_Key, Entity],
    new: Mapping[_Key, Entity],
    fields: tuple[str, ...],
    recodings: Mapping[_Key, tuple[_Key, Recoding]],
    touched: Container[_Key] | None = None,
) -> None:
    """Note entries added, removed and recoded (old key -> new key), and pair those whose fields differ.

    `touched` are the keys that have a row which the other edition lacks; all, if it is not told.
    """
    past, present = old.keys(), new.keys()
    for key in past if touched is None else [key for key in past if key in touched]:
        entity = old[key]
        if key in present:
            _pair(draft, part, entity, new[key], fields)
        elif key in recodings:
            new_key, recoding = recodings[key]
            successor = new[new_key]
            draft.changes.append(_recoded(part, recoding, entity, successor))
            related = (entity.code,) if entity.code and successor.code else ()
            _pair(draft, part, entity, successor, _told_apart(entity, recoding, fields), related)
        else:
            label, chapter = _label(part, entity), _parent(part, entity)
            draft.changes.append(Change("removed", part, entity.code, label, old_row=_row(entity), related=chapter))
    successors = {key for key, _ in recodings.values()}
    for key in [key for key in present if key not in past and key not in successors]:
        entity = new[key]
        label, chapter = _label(part, entity), _parent(part, entity)
        draft.changes.append(Change("added", part, entity.code, label, new_row=_row(entity), related=chapter))


def _touched(old: Entities[_Key], new: Entities[_Key]) -> set[_Key]:
    """Return the keys whose rows do not say the same in both editions, in every column."""
    before, after = old.rows, new.rows
    touched = {key for key in after if key not in before}
    touched.update(
        [key for key, rows in before.items() if (others := after.get(key)) is None or not same_rows(rows, others)]
    )
    return touched


def _touched_codes(old: Edition, new: Edition) -> tuple[set[str], set[str]]:
    """Return the keys of the orders, and of the results, that have a row which the other edition lacks."""
    before, after = old.pairs, new.pairs
    pairs = [pair for pair, rows in before.items() if (same := after.get(pair)) is None or not same_rows(rows, same)]
    pairs += [pair for pair in after if pair not in before]
    pairs += [keys_of(record) for edition in (old, new) for record in without_pair(edition)]
    return {order for order, _ in pairs}, {result for _, result in pairs}


def _recoded(part: Part, recoding: Recoding, before: Entity, after: Entity) -> Change:
    """Return the change that a recoding is; an entry that gains a code has its code field modified."""
    change = Change(
        recoding.kind,
        part,
        before.code,
        _label(part, after) or _label(part, before),
        old_row=_row(before),
        new_row=_row(after),
        confidence=recoding.confidence,
        evidence=recoding.evidence,
    )
    if recoding.kind == "modified":
        return change._replace(code=after.code, field=f"{part}_code", old=before.code, new=after.code)
    return change._replace(new_code=after.code)


def _told_apart(before: Entity, recoding: Recoding, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields that say more than the recoding: a pending order has no type, its LOINC code brings one."""
    typeless = recoding.kind == "assigned" and not comparable(before, "order_type")
    return tuple(name for name in fields if not (typeless and name == "order_type"))


def _pair(
    draft: _Draft, part: Part, old: Entity, new: Entity, fields: Iterable[str], related: tuple[str, ...] = ()
) -> None:
    """Keep a pair that differs."""
    if differing := differing_fields(old, new, fields):
        draft.pairs.append(_Pair(part, old, new, differing, related))


def _modified(pairs: Iterable[_Pair]) -> list[Change]:
    """Return one change per field that differs."""
    changes = []
    for pair in pairs:
        part, old, new = pair.part, pair.old, pair.new
        label = _label(part, new) or _label(part, old)
        for name in pair.fields:
            before, after = shown(old, name), shown(new, name)
            changes.append(
                Change(
                    "modified",
                    part,
                    new.code,
                    label,
                    field=name,
                    old=before,
                    new=after,
                    old_row=_row(old),
                    new_row=_row(new),
                    related=pair.related,
                    reworded=_is_reworded(part, name, before, after),
                )
            )
    return changes


def _is_reworded(part: Part, name: str, old: str, new: str) -> bool:
    """Tell whether a LOINC label, or an axis, changed its words by the known rewordings and kept its meaning."""
    if not old or not new:
        return False
    if name in ("order_loinc_label", "result_loinc_label") or (part == "term" and name == "label"):
        return fold(old) != fold(new) and same_meaning(old, new)
    return part == "term" and name in AXES and bool(loinc_parts(name, old) & loinc_parts(name, new))


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
    stated, after = associations(old), associations(new)
    before = {(orders.get(order, order), results.get(result, result)): (order, result) for order, result in stated}
    gone = [key for key in before if key not in after]
    come = [key for key in after if key not in before]
    left: dict[str, list[str]] = {}
    joined: dict[str, list[str]] = {}
    for key in gone:
        left.setdefault(key[1], []).append(stated[before[key]]["order_code"])
    for key in come:
        joined.setdefault(key[1], []).append(after[key]["order_code"])
    destinations: dict[str, list[str]] = {}
    origins: dict[str, list[str]] = {}
    for key in gone:
        order, result = before[key]
        held, content = old.orders[order], old.results[result]
        related = _codes(joined.get(key[1], ()), held.code)
        destinations.setdefault(order, []).extend(related)
        change = _of_order("removed", "association", held, _label("result", content), stated[before[key]])
        draft.changes.append(change._replace(result=content.code, related=related))
    for key in come:
        order, result = key
        held, content = new.orders[order], new.results[result]
        related = _codes(left.get(result, ()), held.code)
        origins.setdefault(order, []).extend(related)
        change = _of_order("added", "association", held, _label("result", content), after[key])
        draft.changes.append(change._replace(result=content.code, related=related))
    former = {new_key: key for key, new_key in orders.items()}
    draft.movements.extend(
        order_movements(
            before,
            after,
            lambda key: _label("order", old.orders[former.get(key, key)]),
            lambda key: _label("order", new.orders[key]),
        )
    )
    moved = {"removed": destinations, "added": origins}
    draft.changes = [
        change._replace(related=_codes(found, change.code))
        if change.part == "order" and (found := moved.get(change.kind, {}).get(change.code or change.label))
        else change
        for change in draft.changes
    ]


def _of_order(kind: Literal["added", "removed"], part: Part, order: Entity, text: str, record: Record) -> Change:
    """Return the change that a result or an act is that came to an order, or left it; `text` is its label."""
    change = Change(kind, part, order.code, _label("order", order))
    if kind == "removed":
        return change._replace(old=text, old_row=record.row)
    return change._replace(new=text, new_row=record.row)


def _codes(codes: Iterable[str], own: str) -> tuple[str, ...]:
    return tuple(sorted({code for code in codes if code and code != own}, key=code_place))


def _compare_alignments(
    draft: _Draft, old: Edition, new: Edition, orders: Mapping[str, str], touched: Container[str]
) -> None:
    """Note the NABM alignments that came, went, or changed their label; orders are followed through their recodings."""
    columns = (old.main, new.main)
    if not _shared(draft, "nabm", ("nabm_code",), *columns):
        return
    labelled = bool(_shared(draft, "nabm", ("nabm_label",), *columns))
    rows, others = ({key: rows for key, rows in side.orders.rows.items() if key in touched} for side in (old, new))
    before = {(orders.get(pair.order, pair.order), pair.nabm): pair for pair in alignments(rows).values()}
    after = alignments(others)
    for key, pair in before.items():
        same = after.get(key)
        if same is None:
            change = _of_order("removed", "nabm", old.orders[pair.order], pair.label, pair.record)
            draft.changes.append(change._replace(nabm=pair.nabm))
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
            change = _of_order("added", "nabm", new.orders[pair.order], pair.label, pair.record)
            draft.changes.append(change._replace(nabm=pair.nabm))


def _compare_reference(
    draft: _Draft, tab: str, part: Part, old: Edition, new: Edition, loinc: LoincRelease | None
) -> None:
    before, after = old.tables.get(tab), new.tables.get(tab)
    if before is None or after is None:
        if before or after:
            draft.uncompared.append(Uncompared(part, "", "new" if before else "old"))
        return
    if tab == "chapters":
        _compare_chapters(draft, before, after, loinc)
    else:
        _compare_table(draft, part, before, after, loinc)


def _compare_table(draft: _Draft, part: Part, old: Table, new: Table, loinc: LoincRelease | None) -> None:
    """Compare two tables of codes."""
    if not _shared(draft, part, ("code",), old, new):
        return
    names = dict.fromkeys(
        name for table in (old, new) for name in (*table.column_of, *_filled(table)) if name != "code"
    )
    before, after = entries(old), entries(new)
    recodings = _recoded_entries(draft, part, before, after, loinc)
    fields = _shared(draft, part, names, old, new)
    _compare_entities(draft, part, before, after, fields, recodings, _touched(before, after))


def _recoded_entries(
    draft: _Draft, part: Part, old: Mapping[Key, Entity], new: Mapping[Key, Entity], loinc: LoincRelease | None
) -> Mapping[Key, tuple[Key, Recoding]]:
    """Match the entries that one side alone has; return the recodings, old key -> new key, and note them."""
    gone, come = (
        {key: Named(one[key].code, _label(part, one[key])) for key in one if key not in others}
        for one, others in ((old, new.keys()), (new, old.keys()))
    )
    matches = match_entries(part, gone, come, loinc)
    draft.recodings.extend(recoding for _, recoding in matches.recodings.values())
    draft.resemblances.extend(matches.resemblances)
    return matches.recodings


def _filled(table: Table) -> Iterable[str]:
    """Return the fields that a table without known columns has something in."""
    return () if table.columns else dict.fromkeys(name for record in table.records for name in record.values)


def _compare_chapters(draft: _Draft, old: Table, new: Table, loinc: LoincRelease | None) -> None:
    """Compare chapters and sub-chapters; a sub-chapter follows the recoding of its chapter without a change of its own."""
    columns = ("code", "label", "subcode", "sublabel")
    shared = _shared(draft, "chapter", columns, old, new)
    if "code" not in shared or "subcode" not in shared:
        return
    before, after = chapter_entries(old, new)
    chapters, others = ({key: it for key, it in side.items() if key[0] == "chapter"} for side in (before, after))
    recodings = dict(_recoded_entries(draft, "chapter", chapters, others, loinc))
    followed = {recoding.old_code: recoding.new_code for _, recoding in recodings.values()}
    before = {
        (*key[:-2], followed.get(key[-2], key[-2]), key[-1]) if key[2:] else key: it for key, it in before.items()
    }
    chapters, others = ({key: it for key, it in side.items() if key[0] != "chapter"} for side in (before, after))
    recodings |= _recoded_entries(draft, "chapter", chapters, others, loinc)
    start = len(draft.pairs)
    fields = tuple(name for name in _CHAPTER_FIELDS if name in shared)
    _compare_entities(draft, "chapter", before, after, fields, recodings)
    draft.pairs[start:] = [
        pair._replace(fields=tuple(name for name in pair.fields if name != "code"))
        if followed.get(pair.old["code"]) == pair.new["code"] != ""
        else pair
        for pair in draft.pairs[start:]
    ]


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

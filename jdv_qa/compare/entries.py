"""The entries that a comparison looks at: associations, NABM alignments, reference tabs, one-table forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from jdv_qa.workbook.edition import TAB_KEYS, Edition, Entities, Entity, Record, Table, split_values

LIST_FIELDS = frozenset({"order_synonyms", "clinical_info", "synonyms"})
"""Fields whose cell holds several values: spaces round the separator, and the choice of separator, say nothing."""
NUMBER_FIELDS = frozenset({"rank", "conversion_factor", "comparability"})
"""Fields whose cell holds a number: "0,001" and "0.001", "2" and "2,0" are one number, and no change."""
SEVERAL = " | "
"""Stands between the values of a field that differs between the rows of one code."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_VALUE_END, _ROW_END = "\x1f", "\x1e"

Key = tuple[str, ...]


class Alignment(NamedTuple):
    """An (order, NABM code) pair, by the key of the edition's orders, with the NABM label and the first row."""

    order: str
    nabm: str
    label: str
    record: Record


def shown(entity: Entity, name: str) -> str:
    """Return the text of a field as read; all its values, sorted, when the rows of the code disagree."""
    variants = entity.variants.get(name)
    return entity[name] if variants is None else SEVERAL.join(sorted(variants))


def comparable(entity: Entity, name: str) -> str:
    """Return a text that is equal for two entities when the field says the same, whatever the order of their rows."""
    variants = entity.variants.get(name)
    if variants is None:
        return _plain(name, entity[name])
    return _ROW_END.join(sorted({_plain(name, text) for text in variants}))


def differing_fields(old: Entity, new: Entity, fields: Iterable[str]) -> tuple[str, ...]:
    """Return the fields that do not say the same. Records are flat texts: nothing but the texts is to be compared."""
    if not old.variants and not new.variants:
        before, after = old.values, new.values
        fields = [name for name in fields if before.get(name, "") != after.get(name, "")]
    return tuple(name for name in fields if comparable(old, name) != comparable(new, name))


def _plain(name: str, text: str) -> str:
    if name in NUMBER_FIELDS and _NUMBER.fullmatch(text):
        return str(Decimal(text.replace(",", ".")).normalize())
    if name not in LIST_FIELDS:
        return text
    return _VALUE_END.join(value for value in split_values(text) if value)


def associations(edition: Edition) -> dict[tuple[str, str], Record]:
    """Return the (order, result) pairs by their keys, with the first row that states each.

    An entry without code stands under its label, as in the edition. A pair written twice is there once: the repetition
    is a fault of the table, not a change of it.
    """
    pairs = {pair: records[0] for pair, records in edition.pairs.items()}
    for record in without_pair(edition):
        key = keys_of(record)
        if all(key) and ((same := pairs.get(key)) is None or record.row < same.row):
            pairs[key] = record
    return pairs


def without_pair(edition: Edition) -> list[Record]:
    """Return the rows of the main table that lack the code of their order or of their result."""
    records = edition.main.records
    if sum(map(len, edition.pairs.values())) == len(records):
        return []
    return [record for record in records if not (record["order_code"] and record["result_code"])]


def keys_of(record: Record) -> tuple[str, str]:
    """Return the keys of the order and of the result of a row: its codes, or their labels; "" where it has neither."""
    return record["order_code"] or record["order_label"], record["result_code"] or record["result_loinc_label"]


def alignments(orders: Mapping[str, Sequence[Record]]) -> dict[tuple[str, str], Alignment]:
    """Return the (order, NABM code) pairs that the rows of some orders state; labels that differ between rows are all kept."""
    pairs: dict[tuple[str, str], Alignment] = {}
    for key, records in orders.items():
        labels: dict[str, dict[str, Record]] = {}
        cells: dict[tuple[str, str], Record] = {}
        for record in records:
            cells.setdefault((record["nabm_code"], record["nabm_label"]), record)
        for (codes, texts), record in cells.items():
            for code, label in _aligned(codes, texts):
                labels.setdefault(code, {}).setdefault(label, record)
        for code, said in labels.items():
            pairs[key, code] = Alignment(key, code, SEVERAL.join(sorted(said)), next(iter(said.values())))
    return pairs


def same_rows(old: Sequence[Record], new: Sequence[Record]) -> bool:
    """Tell whether rows say the same, one by one: an entry that stands on them has not changed."""
    if len(old) == len(new) == 1:
        return old[0].values == new[0].values
    return [record.values for record in old] == [record.values for record in new]


def _aligned(codes: str, labels: str) -> Iterator[tuple[str, str]]:
    """Pair the NABM codes of a cell with their labels, by place. Labels left over stay with the last code."""
    numbers = split_values(codes)
    if len(numbers) < 2:
        if codes or labels:
            yield codes, labels
        return
    texts = split_values(labels)
    for place, number in enumerate(numbers):
        last = place == len(numbers) - 1
        label = "; ".join(texts[place:]) if last else texts[place] if place < len(texts) else ""
        if number or label:
            yield number, label


def entries(table: Table) -> Entities[Key]:
    """Return the entries of a table of codes with all their fields; an entry without code stands under its label."""
    rows: dict[Key, list[Record]] = {}
    for record in table.records:
        code = record.values.get("code", "")
        rows.setdefault((code, "" if code else record["label"]), []).append(record)
    return Entities(rows, _entry)


def _entry(records: Sequence[Record]) -> Entity:
    code = records[0]["code"]
    if len(records) == 1:
        return Entity(code, records[0].values, tuple(records))
    names = dict.fromkeys(name for record in records for name in record.values)
    return _entity(code, records, {name: [record[name] for record in records] for name in names})


def _entity(code: str, records: Iterable[Record], said: Mapping[str, Iterable[str]]) -> Entity:
    values: dict[str, str] = {}
    variants: dict[str, tuple[str, ...]] = {}
    for name, texts in said.items():
        distinct = tuple(dict.fromkeys(texts))
        if distinct and distinct[0]:
            values[name] = distinct[0]
        if len(distinct) > 1:
            variants[name] = distinct
    return Entity(code, values, tuple(records), variants)


def chapter_entries(old: Table, new: Table) -> tuple[dict[Key, Entity], dict[Key, Entity]]:
    """Return the chapters and sub-chapters of both sides.

    A chapter stands under (code,), once however many rows it has; the rows where it is its own sub-chapter, or has
    none, give its sub-label. A sub-chapter that belongs to one chapter on each side stands under its own code, its
    chapter being a field of it ("code"), so that a move is told as one; any other stands under (chapter,
    sub-chapter). A row that names no chapter goes on with the one above.
    """
    sides = [_chapter_rows(table) for table in (old, new)]
    shared = {sub for rows in sides for sub, chapters in _chapters_of(rows).items() if len(chapters) > 1}
    first, second = (_chapter_entities(rows, shared) for rows in sides)
    return first, second


def _chapter_rows(table: Table) -> list[tuple[str, str, str, str, Record]]:
    rows = []
    code = label = ""
    for record in table.records:
        if record["code"] or record["label"]:
            code, label = record["code"], record["label"]
        rows.append((code, label, record["subcode"], record["sublabel"], record))
    return rows


def _is_own(code: str, subcode: str, sublabel: str) -> bool:
    """Tell whether a row stands for the chapter itself, not for a sub-chapter."""
    return subcode == code or not (subcode or sublabel)


def _chapters_of(rows: Iterable[tuple[str, str, str, str, Record]]) -> dict[str, set[str]]:
    chapters: dict[str, set[str]] = {}
    for code, label, subcode, sublabel, _ in rows:
        if not _is_own(code, subcode, sublabel):
            chapters.setdefault(subcode or sublabel, set()).add(code or label)
    return chapters


def _chapter_entities(rows: Iterable[tuple[str, str, str, str, Record]], shared: set[str]) -> dict[Key, Entity]:
    codes: dict[Key, str] = {}
    said: dict[Key, dict[str, list[str]]] = {}
    records: dict[Key, list[Record]] = {}

    def state(key: Key, code: str, record: Record, texts: Mapping[str, str]) -> None:
        codes[key] = code
        records.setdefault(key, []).append(record)
        values = said.setdefault(key, {})
        for name, text in texts.items():
            if text:
                values.setdefault(name, []).append(text)

    for code, label, subcode, sublabel, record in rows:
        own = _is_own(code, subcode, sublabel)
        if code or label:
            state(("chapter", code or label), code, record, {"label": label, "sublabel": sublabel if own else ""})
        if not own:
            sub = subcode or sublabel
            key = ("sub", code or label, sub) if sub in shared else ("sub", sub)
            state(key, subcode, record, {"sublabel": sublabel, "code": code or label})
    return {key: _entity(code, records[key], said[key]) for key, code in codes.items()}


def term_table(edition: Edition) -> Table | None:
    """Return the table of an edition in one-table form (one code a row), None when the edition has a main tab."""
    if "main" in edition.tables:
        return None
    return next((table for key, table in edition.tables.items() if key not in TAB_KEYS and key != "history"), None)

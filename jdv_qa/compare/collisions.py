"""Keys that are not unique in an edition: a pair twice, one pending code with two meanings, a code twice in its tab.

Nothing is lost in a comparison because of them: rows of one key are compared together, with all the values they state.
But which row belongs to which is not known, so they are named, with their rows, before anything is said of changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from jdv_qa.compare.entries import term_table
from jdv_qa.compare.model import PARTS, Collision, Part, Sense
from jdv_qa.terminology.codes import is_pending
from jdv_qa.terminology.labels import same_meaning
from jdv_qa.workbook.edition import REFERENCE_PARTS, Edition, Entities, Table


def find_collisions(edition: Edition, side: Sense) -> Iterator[Collision]:
    """Yield the keys of an edition that are not unique, part by part; rows are those of the tab that holds the part."""
    if "main" in edition.tables:
        yield from _meanings(side, "order", edition.orders, "order_loinc_label")
        yield from _meanings(side, "result", edition.results, "result_loinc_label")
        for (order, result), records in edition.pairs.items():
            if len(records) > 1:
                yield Collision(side, "association", "repeated", order, tuple(record.row for record in records), result)
    for tab, part in REFERENCE_PARTS.items():
        if (table := edition.tables.get(tab)) is not None:
            yield from _repeated(side, _part(part), table, ("code", "subcode") if tab == "chapters" else ("code",))
    if (terms := term_table(edition)) is not None:
        yield from _repeated(side, "term", terms, ("code",))


def _part(name: str) -> Part:
    return next(part for part in PARTS if part == name)


def _meanings(side: Sense, part: Part, entities: Entities[str], field: str) -> Iterator[Collision]:
    several = (key for key, rows in entities.rows.items() if len(rows) > 1 and is_pending(key))
    for entity in map(entities.__getitem__, several):
        labels = entity.variants.get(field, ()) if entity.code else ()
        said: list[str] = []
        for label in filter(None, labels):
            if not any(same_meaning(label, other) for other in said):
                said.append(label)
        if len(said) > 1:
            rows = tuple(record.row for record in entity.records)
            yield Collision(side, part, "meanings", entity.code, rows, values=tuple(said))


def _repeated(side: Sense, part: Part, table: Table, key: tuple[str, ...]) -> Iterator[Collision]:
    codes_of_rows = [record["code"] for record in table.records] if key == ("code",) else ()
    if codes_of_rows and len(set(codes_of_rows)) == len(codes_of_rows):
        return
    rows: dict[tuple[str, ...], list[int]] = {}
    for record in table.records:
        if record["code"]:
            rows.setdefault(tuple([record[name] for name in key]), []).append(record.row)
    for codes, found in rows.items():
        if len(found) > 1:
            code = next(code for code in reversed(codes) if code)
            yield Collision(side, part, "repeated", code, tuple(found))

"""What an edit means for laboratories, by the judgements of `rules/impact.yaml`, and how soon a request should be dealt with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jdv_qa.compare.impact import Judgement, load_impacts
from jdv_qa.compare.model import IMPACTS, Change, Impact, Part
from jdv_qa.terminology.codes import is_pending
from jdv_qa.terminology.labels import same_meaning
from jdv_qa.triage.conventions import load_conventions
from jdv_qa.triage.edits import CellSet, Edit
from jdv_qa.triage.value_set import ValueSet
from jdv_qa.workbook.edition import ORDER_FIELDS, REFERENCE_PARTS, split_values

_PARTS: dict[str, Part] = {
    "chapters": "chapter", "clinical_info": "clinical_info", "specimens": "specimen", "sites": "site",
    "lateralities": "laterality", "techniques": "technique",
}  # fmt: skip
assert set(_PARTS) == set(REFERENCE_PARTS)


def impact_of(edit: Edit, values: ValueSet) -> Judgement | None:
    """Return the gravest judgement on what an edit changes, None when it changes nothing."""
    impacts = load_impacts()
    judged = [impacts.judge(change) for change in _changes(edit, values)]
    return min(judged, key=lambda judgement: IMPACTS.index(judgement.impact), default=None)


def _changes(edit: Edit, values: ValueSet) -> Iterator[Change]:
    edition = values.edition
    for cell in edit.cells:
        yield from _cell_changes(cell, values)
    for row in edit.added:
        if row.tab != "main":
            yield Change("added", _PARTS[row.tab], row.values.get("code", ""), "")
            continue
        order, result = row.whole.get("order_code", ""), row.whole.get("result_code", "")
        if order not in edition.orders:
            yield Change("added", "order", order, "")
        if result:
            new = result not in edition.results
            yield Change("added", "result" if new else "association", result, "")
    gone = {row.row for row in edit.removed if row.tab == "main"}
    for removed in edit.removed:
        if removed.tab != "main":
            yield Change("removed", _PARTS[removed.tab], removed.values.get("code", ""), "")
    for record in edition.main.records:
        if record.row not in gone:
            continue
        for part, code, entities in (
            ("order", record["order_code"], edition.orders),
            ("result", record["result_code"], edition.results),
        ):
            if code in entities and all(other.row in gone for other in entities[code].records):
                yield Change("removed", "order" if part == "order" else "result", code, "")
        yield Change("removed", "association", record["order_code"], "", result=record["result_code"])


def _cell_changes(cell: CellSet, values: ValueSet) -> Iterator[Change]:
    before, after = cell.before or "", cell.after or ""
    if cell.tab != "main":
        yield Change("modified", _PARTS[cell.tab], "", "", cell.field, before, after)
    elif cell.field == "nabm_code":
        old, new = set(split_values(before)), set(split_values(after))
        for act in sorted(old ^ new):
            yield Change("added" if act in new else "removed", "nabm", "", "", nabm=act)
    elif cell.field in ("order_code", "result_code"):
        part: Part = "order" if cell.field == "order_code" else "result"
        if not after:
            yield Change("removed", "association", before, "")
        else:
            yield Change("assigned" if is_pending(before) else "replaced", part, before, "", new_code=after)
    elif cell.before is None and cell.field in ORDER_FIELDS and _is_handed_down(cell, values):
        return
    else:
        part = "nabm" if cell.field == "nabm_label" else "order" if cell.field in ORDER_FIELDS else "result"
        reworded = bool(before and after) and cell.field.endswith("loinc_label") and same_meaning(before, after)
        yield Change("modified", part, "", "", cell.field, before, after, reworded=reworded)


def _is_handed_down(cell: CellSet, values: ValueSet) -> bool:
    """Tell whether a cell only writes out what its row took from the row above, which goes."""
    return any(record.row == cell.row and record[cell.field] == cell.after for record in values.edition.main.records)


@dataclass(frozen=True, slots=True)
class Priority:
    """How soon: "high", "normal" or "low", and why."""

    level: str
    why: str


def priority_of(
    *, fields: set[str], impact: Impact | None, verdict: str, kind: str, applicants: int, mends: bool
) -> Priority:
    """Return the priority that the first fitting line of `rules/requests.yaml` gives."""
    facts = {"impact": impact, "verdict": verdict, "kind": kind, "mends": mends}
    for line in load_conventions().priorities:
        fits = all(
            bool(fields & set(wanted))
            if name == "fields"
            else applicants >= wanted
            if name == "applicants"
            else facts[name] == wanted
            for name, wanted in line.when.items()
        )
        if fits:
            return Priority(line.level, line.reason)
    return Priority("normal", "")

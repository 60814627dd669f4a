"""ATT: pending codes ("codes en attente de code LOINC")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.codes import problems_of
from jdv_qa.checks.engine import CODE_FIELDS, LABEL_OF, Context, own_cells, own_texts, owner, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.terminology.codes import CodeForm, is_pending
from jdv_qa.terminology.labels import fold, parse_label
from jdv_qa.workbook.edition import Edition, Entity, Record


@rule("ATT-01")
def malformed_pending(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Placeholders and misshapen numbers where a pending code belongs."""
    for problem in problems_of(context, CodeForm.MALFORMED_PENDING):
        assert problem.record is not None and problem.field is not None
        yield Problem(
            problem.tab,
            problem.record,
            problem.field,
            suggestion=problem.suggestion,
            message="proposal" if problem.suggestion else "default",
        )


@rule("ATT-02")
def two_meanings(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Pending codes that rows give different LOINC labels, orders and results together; the first label keeps the code."""
    first: dict[str, tuple[Record, str]] = {}
    cells = [
        (record, name)
        for name in CODE_FIELDS
        for code, records in own_texts(context, "main", name).items()
        if is_pending(code)
        for record in records
    ]
    for record, name in sorted(cells, key=lambda cell: cell[0].row):
        code, label = record[name], record[LABEL_OF[name]]
        if not label:
            continue
        known, known_label = first.setdefault(code, (record, label))
        if fold(label) != fold(known_label):
            yield Problem(
                "main",
                record,
                name,
                related=(f"{known.row}",),
                facts={"own": label, "other": known_label, "row": known.row},
            )


@rule("ATT-03")
def pending_with_type(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Pending orders that have a type; they get one with their LOINC code."""
    for record, name in own_cells(context.edition.main, ("order_type",)):
        if record[name] and is_pending(record["order_code"]):
            yield Problem("main", record, name)


@rule("ATT-04")
def pending_for_long(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Pending codes already there in more than `versions` earlier versions, as given or as the notes of the workbook tell."""
    limit = int(parameters["versions"])
    told = _versions_since_added(context.edition)
    for entity, code_field in _pending_entities(context.edition):
        held = 0
        for edition in context.earlier:
            if entity.code not in edition.orders and entity.code not in edition.results:
                break
            held += 1
        versions = max(held, told.get(entity.code, 0))
        if versions > limit:
            yield Problem(
                "main", owner(entity.records, code_field), code_field, facts={"versions": versions, "limit": limit}
            )


def _versions_since_added(edition: Edition) -> dict[str, int]:
    """Return code -> number of versions of the history published since the note that first names the code."""
    versions = [record["version"] for record in edition.records("history") if record["version"]]
    place = {version: number for number, version in enumerate(versions)}
    since: dict[str, int] = {}
    for record in edition.records("notes"):
        if (number := place.get(record["version"])) is not None and is_pending(record["code"]):
            since[record["code"]] = max(since.get(record["code"], 0), len(versions) - 1 - number)
    return since


def _pending_entities(edition: Edition) -> Iterator[tuple[Entity, str]]:
    """Yield pending orders, then pending results that are not orders too."""
    for order in (edition.orders[key] for key in edition.orders if is_pending(key)):
        if is_pending(order.code):
            yield order, "order_code"
    for result in (edition.results[key] for key in edition.results if is_pending(key)):
        if is_pending(result.code) and result.code not in edition.orders:
            yield result, "result_code"


@rule("ATT-05")
def loinc_has_it(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Pending codes for which an active LOINC term now has the same axes and component."""
    assert context.loinc is not None
    for entity, code_field in _pending_entities(context.edition):
        label = parse_label(entity[LABEL_OF[code_field]])
        codes = context.loinc.codes_meant(label) if label else ()
        if codes:
            yield Problem("main", owner(entity.records, code_field), code_field, suggestion=codes[0], related=codes[1:])


@rule("ATT-06")
def could_be_taken_for_loinc(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Numbers of pending codes written with a dash and a digit, as a LOINC code is."""
    yield from problems_of(context, CodeForm.PENDING_LIKE_LOINC)


@rule("ATT-07")
def same_label_twice(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """LOINC labels that are pending under two codes, orders and results apart."""
    for entities, code_field in ((context.edition.orders, "order_code"), (context.edition.results, "result_code")):
        first: dict[str, Entity] = {}
        for entity in (entities[key] for key in entities if is_pending(key)):
            label = entity[LABEL_OF[code_field]]
            if not is_pending(entity.code) or not label:
                continue
            known = first.setdefault(fold(label), entity)
            if known is not entity:
                yield Problem(
                    "main",
                    owner(entity.records, code_field),
                    code_field,
                    related=(known.code,),
                    facts={"loinc_label": label, "other": known.code, "row": known.records[0].row},
                )

"""GRP: the rows of the main tab, each of them one (order, result) pair, and what the rows of one order have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, minority, of_several_rows, own_cells, owner, rule, schema_problems
from jdv_qa.checks.finding import Problem
from jdv_qa.terminology.labels import fold
from jdv_qa.workbook.edition import Entity, Record, split_values

_SEVERAL = ("nabm_code", "nabm_label", "order_synonyms", "clinical_info")


@rule("GRP-01")
def pair_twice(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Pairs that several rows state; every row after the first is named."""
    for records in context.edition.pairs.values():
        first = records[0]
        for record in records[1:]:
            yield Problem(
                "main",
                record,
                "result_code",
                related=(f"{first.row}",),
                facts={"row": first.row, "order": record["order_label"] or record["order_code"]},
            )


@rule("GRP-02")
def order_without_result(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Rows that name an order and no result."""
    for record in context.edition.main.records:
        if (
            (record["order_code"] or record["order_label"])
            and not _has_result(record)
            and record.cell("result_code").raw is None
        ):
            yield Problem(
                "main",
                record,
                "result_code",
                code=record["order_code"],
                facts={"order": record["order_label"] or record["order_code"]},
            )


def _has_result(record: Record) -> bool:
    return bool(record["result_code"] or record["result_loinc_label"])


@rule("GRP-03")
def result_without_order(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Rows that name a result and no order.

    Below an order, blank order cells mean "the same order". But in a workbook that repeats the order on every row, a row where
    it is blank is a slip; it is taken as one when at most `share` of the rows below a first row are blank.
    """
    main = context.edition.main
    sheet = context.edition.sheet_of("main")
    merged = {row for area in (sheet.merged if sheet else ()) for row in range(area.first_row, area.last_row + 1)}
    blank = [record for record in main.records if "order_code" in record.inherited and record.row not in merged]
    codes = [record.values.get("order_code", "") for record in main.records]
    alike = [record for record, code, above in zip(main.records[1:], codes[1:], codes, strict=False) if code == above]
    repeated = sum("order_code" not in record.inherited for record in alike)
    slips = (
        {record.row for record in blank}
        if repeated >= parameters["rows"] and len(blank) <= parameters["share"] * repeated
        else set()
    )
    for record in main.records:
        if "order_code" in record.values and record.row not in slips:
            continue
        if not _has_result(record) or (record.cell("order_code").raw is not None and not record["order_code"]):
            continue
        if record.row in slips:
            yield Problem(
                "main",
                record,
                "order_code",
                value="",
                message="slip",
                facts={"order": record["order_label"] or record["order_code"]},
            )
        elif not record["order_code"] and not record["order_label"]:
            named = record["result_display"] or record["result_loinc_label"] or record["result_code"]
            yield Problem("main", record, "order_code", value="", code=record["result_code"], facts={"result": named})


@rule("GRP-04")
def order_cells_differ(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Cells of an order that differ between its rows; the minority is named. Type and label have rules of their own."""
    for order in of_several_rows(context.edition.orders):
        for name in order.variants:
            if name in parameters["left_to_others"] or not order.code:
                continue
            common, others = minority(order.records, name, _values if name in _SEVERAL else str)
            for record in others:
                yield Problem(
                    "main", record, name, suggestion=common or None, message="default" if record[name] else "blank",
                    facts={"common": common, "order": order["order_label"] or order.code},
                )  # fmt: skip


def _values(text: str) -> object:
    return tuple(value for value in split_values(text) if value)


@rule("GRP-05")
def label_for_two_codes(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Order labels that stand for several order codes; every code after the first is named."""
    first: dict[str, Entity] = {}
    for order in context.edition.orders.values():
        label = order["order_label"]
        if not label or not order.code:
            continue
        known = first.setdefault(fold(label), order)
        if known is not order:
            yield Problem(
                "main",
                owner(order.records, "order_label"),
                "order_label",
                related=(known.code,),
                facts={"other": known.code, "row": known.records[0].row},
            )


@rule("GRP-06")
def code_with_two_labels(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Order codes whose rows give different labels; the minority is named."""
    for order in of_several_rows(context.edition.orders):
        if "order_label" not in order.variants or not order.code:
            continue
        common, others = minority([record for record in order.records if record["order_label"]], "order_label")
        for record in others:
            yield Problem("main", record, "order_label", suggestion=common, facts={"common": common})


@rule("GRP-07", after_schemas=True)
def rank(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Ranks that are no whole number, and ranks that two results of one chapter share.

    Two rows of one LOINC label are one result, even when a slip in its code is to be reported on one of them.
    """
    yield from schema_problems(context, "GRP-07")
    first: dict[tuple[str, str], Record] = {}
    told: set[str] = set()
    for record, name in own_cells(context.edition.main, ("rank",)):
        code, number = record["result_code"], record[name]
        if not number.isdigit() or not code or code in told:
            continue
        known = first.setdefault((record["chapter"], str(int(number))), record)
        same_result = known["result_code"] == code or fold(known["result_loinc_label"]) == fold(
            record["result_loinc_label"]
        )
        if not same_result:
            told.add(code)
            yield Problem(
                "main",
                record,
                name,
                related=(known["result_code"],),
                message="twice",
                facts={
                    "other": known["result_display"] or known["result_code"],
                    "row": known.row,
                    "chapter": record["chapter"],
                },
            )

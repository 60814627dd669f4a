"""TYP: Order, Both or Observation, as the workbook says and as LOINC's ORDER_OBS says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, minority, of_several_rows, own_cells, owner, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.terminology.codes import CodeForm, is_loinc, is_pending, read_code
from jdv_qa.terminology.labels import fold

TYPES = ("Order", "Both", "Observation")


def _loinc_type(context: Context, code: str) -> str | None:
    """Return the ORDER_OBS of a code when LOINC gives one of the three."""
    term = context.loinc.terms.get(code) if context.loinc else None
    return term.order_obs if term and term.order_obs in TYPES else None


@rule("TYP-01", after_schemas=True)
def type_missing_or_unknown(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Types that are not one of the three words, and LOINC orders without a type. A pending order has none."""
    spellings = {fold(text): kind for kind, texts in parameters["spellings"].items() for text in (kind, *texts)}
    for error in context.schema_errors.get("TYP-01", ()):
        meant = spellings.get(fold(error.record[error.field])) or _loinc_type(context, error.record["order_code"])
        yield Problem(
            error.tab, error.record, error.field, suggestion=meant, message="unknown-meant" if meant else "unknown"
        )
    for record, name in own_cells(context.edition.main, ("order_type",)):
        if record[name] or read_code(record["order_code"]).form not in (
            CodeForm.LOINC,
            CodeForm.WRONG_DIGIT,
            CodeForm.LOOK_ALIKE,
        ):
            continue
        if name in record.cells and record.raw_text(name) is None:
            continue
        meant = _loinc_type(context, record["order_code"])
        message = "waiting" if (record.raw_text(name) or "").strip() else "default"
        yield Problem("main", record, name, suggestion=meant, message=message)


@rule("TYP-02")
def order_as_result(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that are orders of type Order and stand as results."""
    orders = {code: order for code, order in context.edition.orders.items() if order["order_type"] == "Order"}
    for record, name in own_cells(context.edition.main, ("result_code",)):
        if (order := orders.get(record[name])) is not None:
            yield Problem("main", record, name, facts={"order": order["order_label"], "row": order.records[0].row})


@rule("TYP-03")
def observation_as_order(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Orders of type Observation: tolerated, and listed once each."""
    for order in context.edition.orders.values():
        if order["order_type"] == "Observation":
            yield Problem("main", owner(order.records, "order_type"), "order_type")


@rule("TYP-04")
def two_types(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Order codes whose rows give different types."""
    for order in of_several_rows(context.edition.orders):
        if "order_type" in order.variants and order.code:
            common, others = minority(order.records, "order_type")
            for record in others:
                yield Problem(
                    "main",
                    record,
                    "order_type",
                    suggestion=common or None,
                    facts={"types": " / ".join(kind or "–" for kind in order.variants["order_type"])},
                )


@rule("TYP-05")
def type_differs_from_loinc(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Orders whose type is not LOINC's ORDER_OBS; once an order."""
    for order in context.edition.orders.values():
        kind, official = order["order_type"], _loinc_type(context, order.code)
        if kind in TYPES and official and kind != official and "order_type" not in order.variants:
            yield Problem("main", owner(order.records, "order_type"), "order_type", suggestion=official)


@rule("TYP-06")
def panel_as_result(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """LOINC panels used as results, those of type Order in the workbook apart: TYP-02 speaks of them."""
    assert context.loinc is not None
    orders = context.edition.orders
    for record, name in own_cells(context.edition.main, ("result_code",)):
        term = context.loinc.terms.get(record[name])
        if (
            term is not None
            and term.is_panel
            and not (record[name] in orders and orders[record[name]]["order_type"] == "Order")
        ):
            yield Problem("main", record, name, facts={"name": term.name})


@rule("TYP-07")
def both_without_itself(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Both orders that are not among their own results; a result whose code cannot be read may be the order's own."""
    for order in context.edition.orders.values():
        results = {record["result_code"] for record in order.records if record["result_code"]}
        readable = all(is_loinc(code) or is_pending(code) for code in results)
        if order["order_type"] == "Both" and order.code and order.code not in results and results and readable:
            yield Problem("main", owner(order.records, "order_code"), "order_code", related=tuple(sorted(results)))

"""NAB: codes of the NABM and of the RIHN."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, once, own_cells, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.language import say
from jdv_qa.terminology.labels import fold
from jdv_qa.terminology.nabm import CODE_WIDTH, Act, Nabm
from jdv_qa.workbook.edition import CellKind, Record, split_values


@rule("NAB-01", after_schemas=True)
def malformed(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Malformed codes; those that Excel keeps as numbers or dates are left to CEL-03 and CEL-04."""
    for error in context.schema_errors.get("NAB-01", ()):
        if error.record.cell(error.field).kind is not CellKind.TEXT:
            continue
        codes = [code for code in re.split(r"[\s;,/+]+", error.record[error.field]) if code]
        padded = [code.zfill(4) if code.isdigit() and len(code) == 3 else code.upper() for code in codes]
        meant = ";".join(padded) if all(re.fullmatch(parameters["code"], code) for code in padded) else None
        yield Problem(error.tab, error.record, error.field, suggestion=meant, message="meant" if meant else "default")


@rule("NAB-02", after_schemas=True)
def unpaired(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Cells with more or fewer labels than codes; those of the codes, where other rows tell them, are proposed."""
    labels = {code: texts.most_common(1)[0][0] for code, texts in _labels(context).items()}
    wrong = {(error.record.row, error.field) for error in context.schema_errors.get("NAB-01", ())}
    for record, field in own_cells(context.edition.main, ("nabm_label",)):
        codes, texts = split_values(record["nabm_code"]), _values(record[field])
        if not codes or not texts or (record.row, "nabm_code") in wrong or (len(codes) == len(texts) and all(texts)):
            continue
        known = [labels.get(code) for code in codes]
        yield Problem(
            "main",
            record,
            field,
            suggestion=";".join(text for text in known if text) if all(known) else None,
            message="fewer" if len([text for text in texts if text]) < len(codes) else "default",
            facts={"codes": len(codes), "labels": len([text for text in texts if text])},
        )


def _values(text: str) -> tuple[str, ...]:
    """Return the labels of a cell; a separator too many at the end is none."""
    values = split_values(text)
    while values and not values[-1]:
        values = values[:-1]
    return values


def _pairs(code: str, label: str) -> list[tuple[str, str]]:
    """Return the (code, label) pairs of two cells whose codes and labels pair."""
    codes, texts = split_values(code), _values(label)
    return list(zip(codes, texts, strict=True)) if len(codes) == len(texts) and all(texts) else []


def _labels(context: Context) -> Mapping[str, Counter[str]]:
    """Return code -> its labels and in how many rows each stands."""

    def count() -> dict[str, Counter[str]]:
        labels: dict[str, Counter[str]] = {}
        for cells, rows in Counter(
            (record["nabm_code"], record["nabm_label"])
            for record, _ in own_cells(context.edition.main, ("nabm_label",))
        ).items():
            for code, text in _pairs(*cells):
                labels.setdefault(code, Counter())[text] += rows
        return labels

    return once(context, "nabm_labels", count)


@rule("NAB-03")
def two_labels(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that rows give different labels, case, accents and spaces apart; the minority is named, once a cell."""
    common: dict[str, str] = {}
    for code, texts in _labels(context).items():
        folded: Counter[str] = Counter()
        for text, rows in texts.items():
            folded[fold(text)] += rows
        if len(folded) > 1:
            usual = folded.most_common(1)[0][0]
            common[code] = next(text for text, _ in texts.most_common() if fold(text) == usual)
    for record, field in own_cells(context.edition.main, ("nabm_label",)) if common else ():
        pairs = _pairs(record["nabm_code"], record[field])
        odd = [(code, text) for code, text in pairs if code in common and fold(text) != fold(common[code])]
        if odd:
            code, text = odd[0]
            yield Problem(
                "main",
                record,
                field,
                code=code,
                suggestion=";".join(common.get(code, text) for code, text in pairs),
                related=tuple(code for code, _ in odd),
                facts={"text": text, "common": common[code]},
            )


@rule("NAB-04")
def not_in_nabm(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that the NABM does not hold, once an order; the act of the same label is proposed."""
    nabm = _nabm(context)
    for record, place, code in _nabm_codes(context):
        if code in nabm.acts:
            continue
        codes, labels = split_values(record["nabm_code"]), split_values(record["nabm_label"])
        label = labels[place] if len(labels) == len(codes) else ""
        meant = nabm.with_label(label)
        yield Problem(
            "main",
            record,
            "nabm_code",
            suggestion=";".join((*codes[:place], meant[0], *codes[place + 1 :])) if len(meant) == 1 else None,
            related=meant,
            message="meant" if len(meant) == 1 else "default",
            facts={"nabm": code, "act": label, "meant": ", ".join(meant)},
        )


@rule("NAB-05")
def removed_from_nabm(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that the NABM has removed, once an order; an act whose end is after the date of the version is still in force."""
    nabm = _nabm(context)
    date = context.edition.identity.date
    for record, _, code in _nabm_codes(context):
        act = nabm.acts.get(code)
        if act is None or not act.removed or (act.end and act.end >= date and _is_iso(date)):
            continue
        meant = nabm.with_label(act.label)
        yield Problem(
            "main",
            record,
            "nabm_code",
            related=meant,
            message="meant" if meant else "default",
            facts={"nabm": code, "act": act.label, "meant": ", ".join(meant), "since": _since(act)},
        )


def _nabm(context: Context) -> Nabm:
    assert context.nabm is not None
    return context.nabm


def _is_iso(date: str) -> bool:
    return re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", date) is not None


def _since(act: Act) -> str:
    if not act.end:
        return ""
    year, month, day = act.end.split("-")
    return say(f" (fin le {day}/{month}/{year})", f" (ended on {act.end})")


def _nabm_codes(context: Context) -> Iterator[tuple[Record, int, str]]:
    """Yield (row, place in the cell, code) for every well-formed NABM code, once an order; RIHN codes are not the NABM's."""
    seen: set[tuple[str, str]] = set()
    for record, name in own_cells(context.edition.main, ("nabm_code",)):
        order = record["order_code"] or record["order_label"]
        for place, code in enumerate(split_values(record[name])):
            if len(code) == CODE_WIDTH and code.isascii() and code.isdigit() and (order, code) not in seen:
                seen.add((order, code))
                yield record, place, code

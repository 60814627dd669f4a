"""REF: codes of the main tab that the reference tabs define."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jdv_qa.checks.cells import fold_letters
from jdv_qa.checks.engine import Context, minority, of_several_rows, own_cells, owner, rule, schema_problems
from jdv_qa.checks.finding import Problem
from jdv_qa.checks.labels import sure_rows
from jdv_qa.terminology.codes import CodeForm, read_code, without_look_alikes
from jdv_qa.terminology.labels import fold
from jdv_qa.workbook.edition import CellKind, split_values

_CLOSE = 0.85
"""How alike (difflib's ratio) a mistyped label, or a mistyped code of six signs or more, and the right one are."""


def _not_defined(context: Context, name: str, tab: str) -> Iterator[Problem]:
    """Yield a problem for every value of a field that a reference tab does not define; the nearest code is proposed."""
    codes = {record["code"]: record["label"] for record in context.edition.records(tab)}
    nearest = _nearest(codes)
    for record, field in own_cells(context.edition.main, (name,)):
        value = record[field]
        if value and value not in codes:
            meant = nearest(value)
            yield Problem("main", record, field, suggestion=meant, message="meant" if meant else "default")


def _nearest(codes: Mapping[str, str]) -> Callable[[str], str | None]:
    """Return what tells the code, of some (code -> label), that a value not among them was meant to be, None if not plain.

    A label in place of its code; another case; a letter that looks like another; a check digit or one sign mistyped.
    """
    by_label = {fold(label): code for code, label in codes.items() if label and code}
    by_case = {fold(code): code for code in codes if code}
    by_look = {without_look_alikes(code): code for code in codes if code}
    long = [code for code in by_case if len(code) > 5]

    @lru_cache(maxsize=1024)
    def meant(value: str) -> str | None:
        folded = fold(value)
        found = by_label.get(folded) or by_case.get(folded) or by_look.get(without_look_alikes(fold_letters(value)))
        if found:
            return found
        reading = read_code(value)
        likely = [code for code in reading.proposals if code in codes] if reading.form is not CodeForm.SEVERAL else []
        if len(likely) == 1 or (likely and likely[0] == reading.proposal):
            return likely[0]
        # a right check digit rules a slip out: the code is another one
        alike = long if len(folded) > 5 and reading.form is not CodeForm.LOINC else []
        for known, names in ((by_label, list(by_label)), (by_case, alike)):
            close = difflib.get_close_matches(folded, names, 2, _CLOSE)
            if len(close) == 1:
                return known[close[0]]
        return None

    return meant


@rule("REF-01")
def chapter(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Chapters that their tab does not define; the chapter of the sub-chapter is proposed if no code is nearer."""
    chapters = _chapters_of_subchapters(context)
    for problem in _not_defined(context, "chapter", "chapters"):
        assert problem.record is not None
        subchapter = problem.record["subchapter"]
        owners = chapters.get(subchapter, set())
        if problem.suggestion or len(owners) != 1:
            yield problem
        else:
            yield Problem(
                "main",
                problem.record,
                "chapter",
                suggestion=next(iter(owners)),
                message="subchapter",
                facts={"subchapter": subchapter},
            )


def _chapters_of_subchapters(context: Context) -> dict[str, set[str]]:
    """Return sub-chapter -> the chapters that have it; a chapter without sub-chapters is its own."""
    chapters: dict[str, set[str]] = {}
    for record in context.edition.records("chapters"):
        if record["code"]:
            chapters.setdefault(record["subcode"] or record["code"], set()).add(record["code"])
    return chapters


@rule("REF-02")
def subchapter(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Sub-chapters that their tab does not define, or defines for another chapter; a chapter that is not defined is REF-01's."""
    chapters = _chapters_of_subchapters(context)
    labels = {record["subcode"] or record["code"]: record["sublabel"] for record in context.edition.records("chapters")}
    known = {code for owners in chapters.values() for code in owners}
    for record, field in own_cells(context.edition.main, ("subchapter",)):
        value, own = record[field], record["chapter"]
        if not value or own in chapters.get(value, ()):
            continue
        of_chapter = [code for code, owners in chapters.items() if own in owners]
        if value not in chapters:
            meant = _nearest({code: labels[code] for code in of_chapter})(value) or _nearest(labels)(value)
            meant = meant or (of_chapter[0] if len(of_chapter) == 1 else None)
            yield Problem("main", record, field, suggestion=meant, message="meant" if meant else "default")
        elif own in known:
            meant = of_chapter[0] if len(of_chapter) == 1 else None
            yield Problem(
                "main",
                record,
                field,
                suggestion=meant,
                related=tuple(sorted(chapters[value])),
                message="elsewhere-meant" if meant else "elsewhere",
                facts={"chapter": own, "owners": ", ".join(sorted(chapters[value]))},
            )


@rule("REF-03")
def specimen(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Specimens that their tab does not define."""
    yield from _not_defined(context, "specimen", "specimens")


@rule("REF-04")
def site(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Sites that their tab does not define."""
    yield from _not_defined(context, "site", "sites")


@rule("REF-05")
def laterality(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Lateralities that their tab does not define."""
    yield from _not_defined(context, "laterality", "lateralities")


@rule("REF-06")
def clinical_info(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Clinical information that its tab does not define; once a cell, with the whole cell as it should be."""
    codes = {record["code"]: record["label"] for record in context.edition.records("clinical_info")}
    nearest = _nearest(codes)
    for record, field in own_cells(context.edition.main, ("clinical_info",)):
        text = record[field]
        if not text or text in codes or record.cell(field).kind not in (CellKind.TEXT, CellKind.NUMBER):
            continue
        values = [value for value in split_values(text) if value]
        unknown = [value for value in values if value not in codes]
        if not unknown:
            continue
        meant = [found for value in values for found in _meant_codes(value, codes, nearest)]
        suggestion = ";".join(code for code in dict.fromkeys(meant) if code) if all(meant) else None
        yield Problem(
            "main",
            record,
            field,
            suggestion=suggestion,
            related=tuple(unknown),
            message="meant" if suggestion else "default",
        )


def _meant_codes(value: str, codes: Mapping[str, str], nearest: Callable[[str], str | None]) -> list[str | None]:
    """Return the codes that a value was meant to be: itself, its nearest, or several wrongly separated."""
    if value in codes:
        return [value]
    if (found := nearest(value)) is not None:
        return [found]
    parts = [part for part in re.split(r"[\s,/|+]+", value) if part]
    return [part if part in codes else nearest(part) for part in parts] if len(parts) > 1 else [None]


@rule("REF-07", after_schemas=True)
def defined_twice(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that a reference tab defines more than once."""
    yield from schema_problems(context, "REF-07")


@rule("REF-08")
def two_chapters(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Results whose rows give different chapters, those that their tab does not define left out; the minority is named.

    Of two chapters that as many rows give, the one of the previous version is right.
    """
    defined = {record["code"] for record in context.edition.records("chapters")}
    for result in of_several_rows(context.edition.results):
        if "chapter" not in result.variants:
            continue
        rows = [record for record in sure_rows(context, result.code, result.records) if record["chapter"] in defined]
        previous = context.previous.results.get(result.code) if context.previous else None
        if previous:
            rows.sort(key=lambda record: record["chapter"] != previous["chapter"])
        common, others = minority(rows, "chapter")
        for record in others:
            yield Problem("main", record, "chapter", suggestion=common, facts={"common": common})


@rule("REF-09")
def laterality_without_site(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Orders that have a laterality and no site; once an order."""
    exempt = set(map(str, parameters["not_applicable"]))
    for order in context.edition.orders.values():
        if order["laterality"] and not order["site"] and order["laterality"] not in exempt:
            record = owner(order.records, "laterality")
            if record.cell("site").kind in (CellKind.EMPTY, CellKind.TEXT) or "site" in record.inherited:
                yield Problem("main", record, "laterality", facts={"order": order["order_label"] or order.code})

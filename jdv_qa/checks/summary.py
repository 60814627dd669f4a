"""SOM: what the Sommaire, its history, the notes, the indicators and the name of the file say of the version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.dates import differ, read_date
from jdv_qa.checks.engine import Context, rule, schema_problems
from jdv_qa.checks.finding import Problem
from jdv_qa.checks.indicators import INDICATORS, indicators
from jdv_qa.compare.versions import above, same_version, version_key
from jdv_qa.language import figure
from jdv_qa.workbook.edition import Edition, Record
from jdv_qa.workbook.layout import normal_form

_EXTENSION = re.compile(r"\.(?:xlsx|xlsm|zip)$", re.IGNORECASE)
_VERSION_IN_NAME = re.compile(r"(?<![0-9.,])[0-9]+(?:\.[0-9]+){1,3}(?![0-9]|\.[0-9])")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009']")


def line_of(edition: Edition, name: str) -> Record | None:
    """Return the line of the Sommaire that says the version, the date or the LOINC release (`name` as in `Identity`)."""
    row = edition.identity.rows.get(name)
    return next((record for record in edition.records("summary") if record.row == row), None)


@rule("SOM-01", after_schemas=True)
def version(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Version missing or malformed, in the Sommaire, its history and the notes."""
    identity = context.edition.identity
    if not identity.version:
        yield Problem("summary", message="missing")
    elif not re.fullmatch(parameters["version"], identity.version):
        yield Problem("summary", line_of(context.edition, "version"), "value")
    yield from schema_problems(context, "SOM-01")


@rule("SOM-02")
def places_disagree(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Versions and dates of the history, the notes and the file's name that are not those of the Sommaire."""
    identity = context.edition.identity
    if version_key(identity.version) is None:
        return
    yield from _history(context)
    yield from _notes(context)
    names = versions_in_name(context.edition.source.path)
    if names and not any(same_version(name, identity.version) for name in names):
        line = line_of(context.edition, "version")
        yield Problem("summary", line, "value", message="file", facts={"file": names[-1]})


def _history(context: Context) -> Iterator[Problem]:
    """Compare the highest version of the history, and the date of the line of this version, with the Sommaire's."""
    identity = context.edition.identity
    history = context.edition.tables.get("history")
    lines = [record for record in history.records if version_key(record["version"])] if history else []
    if history is None or not lines:
        return
    own = [record for record in lines if same_version(record["version"], identity.version)]
    higher = [record for record in lines if above(record["version"], identity.version)]

    def problem(record: Record, name: str, message: str, stated: str) -> Problem:
        return Problem(
            "summary",
            row=record.row,
            column=history.column_of.get(name),
            field=name,
            value=record[name],
            message=message,
            facts={"stated": stated},
        )

    for record in higher:
        yield problem(record, "version", "history-above", identity.version)
    if not own and not higher:
        yield problem(lines[-1], "version", "history-without", identity.version)
    if own and _dates_differ(own[-1]["date"], identity.date):
        yield problem(own[-1], "date", "history-date", identity.date)


def _notes(context: Context) -> Iterator[Problem]:
    """Compare the versions of the notes, and the dates of the lines of this version, with the Sommaire's; each text once."""
    identity = context.edition.identity
    seen: set[tuple[str, str]] = set()
    for record in context.edition.records("notes"):
        said = ("version", record["version"])
        if above(record["version"], identity.version) and said not in seen:
            seen.add(said)
            yield Problem("notes", record, "version", message="notes-above", facts={"stated": identity.version})
        said = ("date", record["date"])
        if (
            same_version(record["version"], identity.version)
            and said not in seen
            and _dates_differ(record["date"], identity.date)
        ):
            seen.add(said)
            yield Problem("notes", record, "date", message="notes-date", facts={"stated": identity.date})


def _dates_differ(one: str, other: str) -> bool:
    first, second = read_date(one), read_date(other)
    return first is not None and second is not None and differ(first, second)


def versions_in_name(path: str) -> tuple[str, ...]:
    """Return what looks like a version in the name of a file: numbers joined by dots, dates left out.

    >>> versions_in_name("releases/JDV_CircuitBio_v1.1.10_brouillon.xlsx")
    ('1.1.10',)
    """
    name = _EXTENSION.sub("", re.split(r"[\\/]", path.rstrip("/\\"))[-1])
    found = _VERSION_IN_NAME.findall(name)
    return tuple(text for text in found if not any(_YEAR.fullmatch(part) for part in text.split(".")))


@rule("SOM-03")
def indicator_differs(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Figures of this version's column in the indicators tab that are not those of the rows.

    Lines whose label is not known are left alone. A column or a figure that is missing counts only if the parameters say so.
    """
    edition = context.edition
    table = edition.tables["indicators"]
    columns = [
        column.field
        for column in table.columns
        if column.field and column.field != "indicator" and same_version(column.header, edition.identity.version)
    ]
    if not columns:
        if parameters["column_required"] and table.records and version_key(edition.identity.version):
            yield Problem("indicators", value="", message="column", facts={"version": edition.identity.version})
        return
    column = columns[-1]
    known = known_indicators(parameters["labels"])
    figures = indicators(edition)
    for record in table.records:
        name = known.get(normal_form(record["indicator"]))
        if name is None or name not in figures:
            continue
        stated, real = whole_number(record[column]), figures[name]
        if record[column] and stated != real:
            yield Problem(
                "indicators",
                record,
                column,
                code="",
                suggestion=str(real),
                message="default" if stated is not None else "text",
                facts={"indicator": record["indicator"], "real": figure(real)},
            )
        elif not record[column] and parameters["column_required"]:
            facts = {"indicator": record["indicator"], "real": figure(real)}
            yield Problem("indicators", record, column, code="", suggestion=str(real), message="blank", facts=facts)


def known_indicators(others: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the normal form of a label -> the indicator it names; `others` are the labels of the rule's parameters."""
    labels = {normal_form(text): name for name, texts in others.items() for text in texts}
    return labels | {normal_form(text): name for name, texts in INDICATORS.items() for text in texts}


def whole_number(text: str) -> int | None:
    """Return the whole number of a cell, its thousands apart or not; None when it is none."""
    plain = re.sub(r"[.,]0+$", "", _SPACES.sub("", text))
    return int(plain) if plain.isascii() and plain.isdigit() else None


@rule("SOM-04")
def loinc_version_not_stated(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """A Sommaire without the LOINC release, on its own line or in brackets behind the version."""
    edition = context.edition
    identity = edition.identity
    stated = re.compile(parameters["loinc_version"])
    bracket = identity.version.partition("(")[2]
    if "summary" not in edition.tables or stated.search(identity.loinc_version) or stated.search(bracket):
        return
    line = line_of(edition, "loinc_version") or _empty_line(context)
    if line is None:
        yield Problem("summary", value="", message="missing")
    else:
        yield Problem("summary", line, "value", message="default" if line["value"] else "missing")


def _empty_line(context: Context) -> Record | None:
    """Return the line of the Sommaire that should say the LOINC release but has no value."""
    texts = context.layout.tabs["summary"].labels.get("loinc_version", ()) if "summary" in context.layout.tabs else ()
    wanted = {normal_form(text) for text in texts}
    return next(
        (record for record in context.edition.records("summary") if normal_form(record["label"]) in wanted), None
    )

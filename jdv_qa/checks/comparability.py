"""CMP: minimum level of comparability and discriminating technique.

One row has one cause: a value that is none (CMP-01, CMP-02), a blank technique (CMP-05), two values that contradict each other
(CMP-03), or else a difference from the other rows of the result (CMP-04).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import Context, minority, of_several_rows, own_cells, rule, schema_problems
from jdv_qa.checks.finding import Problem
from jdv_qa.checks.labels import sure_rows
from jdv_qa.terminology.labels import fold
from jdv_qa.workbook.edition import CellKind, Record

TECHNIQUE_OF = {"1": "N", "2": "O"}
"""Level of comparability -> the discriminating technique that goes with it."""


@rule("CMP-01", after_schemas=True)
def level(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Levels that are not 1 or 2; a row without result has none."""
    for problem in schema_problems(context, "CMP-01"):
        assert problem.record is not None
        if problem.record["result_code"] or problem.record["result_loinc_label"]:
            yield problem


@rule("CMP-02", after_schemas=True)
def technique(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Techniques that are not O or N, with what the writer meant where it is plain."""
    meanings = {fold(text): letter for letter, texts in parameters["spellings"].items() for text in texts}
    for error in context.schema_errors.get("CMP-02", ()):
        meant = meanings.get(fold(error.record[error.field]))
        yield Problem(error.tab, error.record, error.field, suggestion=meant, message="meant" if meant else "default")


@rule("CMP-03")
def contradiction(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Level 2 without discriminating technique, or 1 with one.

    The cell at fault is the one that the other rows of the result, or else the previous version, tell; the level if none does.
    """
    for record in context.edition.main.records:
        if not _contradicts(record):
            continue
        told = _told(context, record)
        field, suggestion = "comparability", None
        if told is not None:
            field = "comparability" if told[0] != record["comparability"] else "discriminating_technique"
            suggestion = told[0] if field == "comparability" else told[1]
        yield Problem(
            "main",
            record,
            field,
            suggestion=suggestion,
            message=f"{record['comparability']}{'-known' if suggestion else ''}",
            facts={"level": record["comparability"], "technique": record["discriminating_technique"]},
        )


def _contradicts(record: Record) -> bool:
    expected = TECHNIQUE_OF.get(record["comparability"])
    return expected is not None and record["discriminating_technique"] in set(TECHNIQUE_OF.values()) - {expected}


def _told(context: Context, record: Record) -> tuple[str, str] | None:
    """Return the level and the technique that other rows of a result, or the previous version, state without contradiction."""
    code = record["result_code"]
    current = context.edition.results.get(code)
    previous = context.previous.results.get(code) if context.previous else None
    for rows in (
        sure_rows(context, current.code, current.records) if current and code else (),
        previous.records if previous else (),
    ):
        pairs = Counter(
            (row["comparability"], row["discriminating_technique"])
            for row in rows
            if TECHNIQUE_OF.get(row["comparability"]) == row["discriminating_technique"]
        )
        if pairs:
            return pairs.most_common(1)[0][0]
    return None


@rule("CMP-04")
def two_levels(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Results whose rows give different levels or techniques; the minority is named, cell by cell.

    Of two values that as many rows give, the one of the previous version is right.
    """
    for result in of_several_rows(context.edition.results):
        names = [name for name in ("comparability", "discriminating_technique") if name in result.variants]
        rows = (
            [record for record in sure_rows(context, result.code, result.records) if _is_whole(record)] if names else []
        )
        previous = context.previous.results.get(result.code) if context.previous else None
        for name in names:
            stated = _stated(rows, name)
            if previous:
                stated.sort(key=lambda record: record[name] != previous[name])
            common, others = minority(stated, name)
            for record in others:
                yield Problem("main", record, name, suggestion=common, facts={"common": common})


def _is_whole(record: Record) -> bool:
    """Tell whether neither CMP-03 nor CMP-05 speaks of a row."""
    return not _contradicts(record) and not (record["comparability"] == "2" and not record["discriminating_technique"])


def _stated(records: Iterable[Record], name: str) -> list[Record]:
    """Return the rows whose value of a field is one that there is."""
    allowed = TECHNIQUE_OF.keys() if name == "comparability" else TECHNIQUE_OF.values()
    return [record for record in records if record[name] in allowed]


@rule("CMP-05")
def no_technique(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Results of level 2 whose discriminating technique is blank; where other rows tell level 1, the level is wrong too."""
    for record, name in own_cells(context.edition.main, ("discriminating_technique",)):
        blank = not record[name] and record.cell(name).kind is not CellKind.ERROR
        if blank and record["comparability"] == "2":
            told = _told(context, record)
            level = told[0] if told else "2"
            yield Problem(
                "main",
                record,
                name,
                value="",
                suggestion=TECHNIQUE_OF[level],
                message="elsewhere" if level == "1" else "default",
            )

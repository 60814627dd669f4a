"""UNI: the units of results. A cell has one cause of complaint: not UCUM, of unlikely meaning, or unfit for its property.

What a unit means and what a property allows is known to `terminology.units` and `terminology.properties`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from jdv_qa.checks.cells import fold_letters
from jdv_qa.checks.engine import Context, minority, once, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.language import say
from jdv_qa.terminology.labels import Label, fold, loinc_parts, parse_label, wording
from jdv_qa.terminology.properties import (
    Fault,
    Judgement,
    allowed_dimensions,
    example_units,
    judge,
    needs_unit,
    si_unit,
)
from jdv_qa.terminology.units import (
    Unit,
    conversion_factor,
    factor_meant,
    fits,
    is_factor,
    proposals,
    read_factor,
    read_unit,
    says_no_unit,
    spelling_key,
    suspicion,
    write_factor,
)
from jdv_qa.workbook.edition import CellKind, Edition, Record

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import Term

QUALITATIVE = frozenset({"Ord", "Nom", "Nar", "Doc", "-"})
"""LOINC scales whose results are no quantities."""

_QUANTITATIVE = frozenset({"Qn"})
_NOTHING: frozenset[str] = frozenset()
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_MOST_TWINS = 5


class _Meaning(NamedTuple):
    """What a result's label, or else its LOINC term, says of its unit: LOINC parts of the property, and the scale."""

    label: Label | None
    properties: frozenset[str]
    scales: frozenset[str]
    qualitative: bool
    quantitative: bool


class _Result(NamedTuple):
    """A row of the main tab that names a result, and what is thought of its units; None for a blank or unreadable cell."""

    record: Record
    meaning: _Meaning
    views: tuple[frozenset[str], ...]
    main: Judgement | None
    secondary: Judgement | None

    @property
    def right_unit(self) -> Unit | None:
        """The main unit when nothing is wrong with it."""
        return self.main.unit if self.main and not self.main.fault else None

    def read(self, name: str) -> Unit | None:
        """Return the unit of a field, or what its writer seems to have meant."""
        judgement = self.main if name == "unit" else self.secondary
        if judgement is None:
            return None
        if judgement.proposals and judgement.fault in (Fault.NOT_UCUM, Fault.SUSPICIOUS):
            return read_unit(judgement.proposals[0])
        return judgement.unit if judgement.fault is not Fault.SUSPICIOUS else None


def _results(context: Context) -> list[_Result]:
    return once(context, "units of results", lambda: list(_judged(context)))


def _judged(context: Context) -> Iterator[_Result]:
    meanings: dict[tuple[str, str], tuple[_Meaning, tuple[frozenset[str], ...]]] = {}
    judgements: dict[tuple[str, str, tuple[frozenset[str], ...]], tuple[Judgement | None, Judgement | None]] = {}
    for record in context.edition.main.records:
        said = record.values
        code, label = said.get("result_code", ""), said.get("result_loinc_label", "")
        if not code and not label:
            continue
        if (known := meanings.get((code, label))) is None:
            known = meanings[code, label] = _meaning(context, code, label)
        meaning, views = known
        units = _unit_text(record, "unit"), _unit_text(record, "unit_secondary"), views
        if (judged := judgements.get(units)) is None:
            judged = judgements[units] = _judge_both(*units)
        yield _Result(record, meaning, views, *judged)


def _judge_both(
    text: str, secondary: str, views: tuple[frozenset[str], ...]
) -> tuple[Judgement | None, Judgement | None]:
    main = judge(text, *views) if text else None
    return main, _judge_secondary(secondary, main) if secondary else None


def _unit_text(record: Record, name: str) -> str:
    """Return the text of a unit as UCUM would read it: letters that only look Latin, which CEL-02 tells, put right."""
    text = record.values.get(name, "")
    if not text or (name in record.cells and record.cells[name].kind is CellKind.ERROR):
        return ""
    return text if text.isascii() else fold_letters(_INVISIBLE.sub("", text))


def _meaning(context: Context, code: str, text: str) -> tuple[_Meaning, tuple[frozenset[str], ...]]:
    label = parse_label(text)
    term = _term(context, code)
    official = frozenset({term.property}) if term else _NOTHING
    parts = loinc_parts("property", label.property) if label else _NOTHING
    scales = loinc_parts("scale", label.scale) if label else _NOTHING
    if not scales and term:
        scales = frozenset({term.scale})
    qualitative = bool(scales) and scales <= QUALITATIVE
    return _Meaning(label, parts or official, scales, qualitative, scales == _QUANTITATIVE), (parts, official)


def _term(context: Context, code: str) -> Term | None:
    """Return the LOINC term of a result; a panel is no result (TYP-02 and TYP-06 say so) and its property says nothing."""
    term = context.loinc.terms.get(code) if context.loinc and "-" in code else None
    return None if term is None or term.is_panel else term


def _judge_secondary(text: str, main: Judgement | None) -> Judgement:
    """Judge a secondary unit: UCUM of plain meaning; whether it fits the main unit is for UNI-07 to say."""
    dimensions = frozenset({main.unit.dimension}) if main and main.unit and not main.fault else None
    unit = read_unit(text)
    if unit is None:
        meant = proposals(text, dimensions) or proposals(text)
        return Judgement(None, Fault.NOT_UCUM, proposals=meant)
    if (meaning := suspicion(text, dimensions)) is not None:
        return Judgement(unit, Fault.SUSPICIOUS, meaning, proposals(text, dimensions) or proposals(text))
    return Judgement(unit)


def _wanted(parts: frozenset[str]) -> str:
    """Return the units that some properties allow, to end a sentence with: "mmol/L ou umol/L"."""
    return say(" ou ", " or ").join(example_units(parts))


@rule("UNI-01")
def unit_missing(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Numeric results without main unit, where the property asks for one."""
    known = _units_by_code(context)
    for result in _results(context):
        if not result.meaning.quantitative or "unit" in result.record.values:
            continue
        record = result.record
        # a number, an error or a formula stands there, and other rules say so; a cell of spaces alone is blank
        if record.cell("unit").kind not in (CellKind.EMPTY, CellKind.TEXT):
            continue
        if not needs_unit(result.meaning.properties):
            continue
        suggestion = known.get(record["result_code"])
        yield Problem(
            "main",
            record,
            "unit",
            suggestion=suggestion,
            message="known" if suggestion else "default",
            facts={"property": _property_of(result), "wanted": _wanted(result.meaning.properties)},
        )


def _property_of(result: _Result) -> str:
    """Return the wording of the property, or LOINC's part when the label has none."""
    meaning = result.meaning
    return meaning.label.property if meaning.label else "/".join(sorted(meaning.properties))


def _units_by_code(context: Context) -> Mapping[str, str]:
    """Return result code -> the right main unit that other rows give it, or else that the previous version gave it."""
    return once(context, "right units by code", lambda: _find_units_by_code(context))


def _find_units_by_code(context: Context) -> Mapping[str, str]:
    units: dict[str, str] = {}
    for result in _results(context):
        if result.right_unit and result.record["result_code"]:
            units.setdefault(result.record["result_code"], result.right_unit.text)
    previous: Edition | None = context.previous
    views = {result.record["result_code"]: result.views for result in _results(context)}
    for code, entity in previous.results.items() if previous else ():
        if code in views and code not in units and (text := entity["unit"]) and not judge(text, *views[code]).fault:
            units[code] = text
    return units


def _unit_problems(context: Context, fault: Fault) -> Iterator[tuple[_Result, str, Judgement]]:
    """Yield (result, field, judgement) for the units of quantities that have a fault."""
    for result in _results(context):
        if result.meaning.qualitative:
            continue
        if result.main is not None and result.main.fault is fault:
            yield result, "unit", result.main
        if result.secondary is not None and result.secondary.fault is fault:
            yield result, "unit_secondary", result.secondary


def _unit_meant(context: Context, result: _Result, name: str, judgement: Judgement) -> str | None:
    """Return what the writer meant, or else the unit that the code has elsewhere, or that LOINC gives as example."""
    if judgement.proposals:
        return judgement.proposals[0]
    if name != "unit":
        return None
    code = result.record["result_code"]
    if (known := _units_by_code(context).get(code)) is not None:
        return known
    term = _term(context, code)
    for text in (part.strip() for part in term.units.split(";")) if term else ():
        if text and not judge(text, *result.views).fault:
            return text
    return None


def units_meant(context: Context) -> Mapping[tuple[int, str], str]:
    """Return (row, field) -> the unit meant, where a unit is badly written and can mean but one."""
    return {
        (result.record.row, name): judgement.proposals[0]
        for fault in (Fault.NOT_UCUM, Fault.SUSPICIOUS)
        for result, name, judgement in _unit_problems(context, fault)
        if len(judgement.proposals) == 1
    }


@rule("UNI-02")
def not_ucum(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Units that are not UCUM, with what the writer meant."""
    for result, name, judgement in _unit_problems(context, Fault.NOT_UCUM):
        meant = _unit_meant(context, result, name, judgement)
        message = "meant" if judgement.proposals else "known" if meant else "default"
        if says_no_unit(result.record[name]):
            message = "none" if meant is None else "none-known"
        yield Problem(
            "main",
            result.record,
            name,
            suggestion=meant,
            message=message,
            facts={"wanted": _wanted(result.meaning.properties)},
        )


@rule("UNI-03")
def unfit_for_property(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Main units whose dimension is not one that the property allows, of the label or else of LOINC.

    The proposal is what the writer may have meant; where there is none, the codes that differ by the property alone and
    measure in the unit given are named. A unit that fits LOINC's property of the code but not the label's is right, and the
    label wrong: LAB-06 says so.
    """
    for result, name, judgement in _unit_problems(context, Fault.DIMENSION):
        assert judgement.unit is not None
        if judgement.misfits == (0,) and any(allowed_dimensions(view) for view in result.views[1:]):
            continue
        by_loinc = judgement.misfits[0] == 1
        parts = result.views[judgement.misfits[0]]
        twins = () if judgement.proposals else _twins(context, result, judgement.unit)
        message = "loinc" if by_loinc else "label"
        if judgement.proposals:
            message += "-meant"
        elif twins:
            message += "-twin"
        yield Problem(
            "main",
            result.record,
            name,
            suggestion=judgement.proposals[0] if judgement.proposals else None,
            related=twins,
            message=message,
            facts={
                "property": _named(parts) if by_loinc else _property_of(result),
                "wanted": _wanted(parts),
            },
        )


def _named(parts: frozenset[str]) -> str:
    """Return LOINC's properties with their French wordings: "MCnc (Masse/Volume)"."""
    french = {part: wording("property", part) for part in sorted(parts)}
    return "/".join(f"{part} ({text})" if text else part for part, text in french.items())


def _twins(context: Context, result: _Result, unit: Unit) -> tuple[str, ...]:
    """Return the codes that differ from a result's by the property alone and measure in a unit, those of the workbook first."""
    found: dict[str, None] = {}
    own = result.record["result_code"]
    label = result.meaning.label
    if label is not None:
        for code, properties in _by_axes(context).get(_axes(label), ()):
            if code != own and _measures_in(properties, unit):
                found[code] = None
    term = _term(context, own)
    if context.loinc is not None and term is not None:
        for other in context.loinc.with_component(term.component):
            same = (other.time, other.system, other.scale, other.method) == (
                term.time,
                term.system,
                term.scale,
                term.method,
            )
            live = other.status in ("ACTIVE", "") and other.code != own
            if live and same and other.component == term.component and _measures_in(frozenset({other.property}), unit):
                found[other.code] = None
    return tuple(found)[:_MOST_TWINS]


def _measures_in(properties: frozenset[str], unit: Unit) -> bool:
    dimensions = allowed_dimensions(properties)
    return dimensions is not None and fits(unit, dimensions)


_Axes = tuple[str, ...]


def _axes(label: Label) -> _Axes:
    return tuple(map(fold, (label.component, label.time, label.system, label.scale, label.method)))


def _by_axes(context: Context) -> Mapping[_Axes, list[tuple[str, frozenset[str]]]]:
    """Return the axes of a label but its property -> the results of the workbook that have them, with their properties."""
    return once(context, "results by axes", lambda: _find_by_axes(context))


def _find_by_axes(context: Context) -> Mapping[_Axes, list[tuple[str, frozenset[str]]]]:
    found: dict[_Axes, list[tuple[str, frozenset[str]]]] = {}
    told: set[str] = set()
    for result in _results(context):
        code, label = result.record["result_code"], result.meaning.label
        if code and label and code not in told:
            told.add(code)
            found.setdefault(_axes(label), []).append((code, result.meaning.properties))
    return found


@rule("UNI-04")
def suspicious_unit(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Units that are valid UCUM of a meaning that no one has in a laboratory."""
    for result, name, judgement in _unit_problems(context, Fault.SUSPICIOUS):
        meant = _unit_meant(context, result, name, judgement)
        message = "meant" if judgement.proposals else "known" if meant else "default"
        yield Problem(
            "main",
            result.record,
            name,
            suggestion=meant,
            message=message,
            facts={"meaning": say(*judgement.meaning), "wanted": _wanted(result.meaning.properties)},
        )


@rule("UNI-05")
def unit_on_qualitative(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Units of results that are qualitative, nominal or narrative by the label, or else by LOINC."""
    for result in _results(context):
        if not result.meaning.qualitative or result.record.cell("unit").kind is CellKind.ERROR:
            continue
        name = next((name for name in ("unit", "unit_secondary") if result.record[name]), None)
        if name is None:
            continue
        label = result.meaning.label
        scale = label.scale if label else "/".join(sorted(result.meaning.scales))
        yield Problem("main", result.record, name, facts={"scale": scale})


@rule("UNI-06")
def two_main_units(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Result codes whose rows give several main units; the minority is named, units at fault for another reason left out."""
    yield from (problem for _, problem in _two_main_units(context))


def _two_main_units(context: Context) -> list[tuple[int, Problem]]:
    return once(context, "two main units", lambda: list(_find_two_main_units(context)))


def _find_two_main_units(context: Context) -> Iterator[tuple[int, Problem]]:
    """Yield (row, problem)."""
    rows: dict[str, list[_Result]] = {}
    for result in _results(context):
        if result.record["result_code"]:
            rows.setdefault(result.record["result_code"], []).append(result)
    for results in rows.values():
        if len(results) > 1 and len({result.record["unit"] for result in results}) > 1:
            yield from _differing(results)


def _differing(results: Iterable[_Result]) -> Iterator[tuple[int, Problem]]:
    by_label: dict[str, list[Record]] = {}
    for result in results:
        if not result.meaning.qualitative and not _has_fault(result):
            by_label.setdefault(fold(result.record["result_loinc_label"]), []).append(result.record)
    for records in by_label.values():
        if len({record["unit"] for record in records}) < 2:
            continue
        common, _ = minority([record for record in records if record["unit"]], "unit")
        units = " / ".join(dict.fromkeys(record["unit"] or "–" for record in records))
        for record in records:
            if record["unit"] != common:
                message = "default" if record["unit"] else "blank"
                facts = {"units": units, "common": common}
                yield record.row, Problem("main", record, "unit", suggestion=common, message=message, facts=facts)


def _has_fault(result: _Result) -> bool:
    """Tell whether another rule has something to say of the main unit."""
    if result.record.cell("unit").kind is CellKind.ERROR:
        return True
    if result.main is None:
        return result.meaning.quantitative and needs_unit(result.meaning.properties)
    return result.main.fault is not None


@rule("UNI-07")
def not_commensurable(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Secondary units that do not measure what the main unit does, both being right in themselves."""
    for result in _results(context):
        if result.meaning.qualitative or result.secondary is None or result.secondary.fault:
            continue
        main, secondary = result.right_unit, result.secondary.unit
        if main is None or secondary is None or main.dimension == secondary.dimension:
            continue
        twins: tuple[str, ...] = ()
        message = "default"
        if _is_molar(main, secondary):
            twins = _twins(context, result, secondary)
            message = "molar-twin" if twins else "molar"
        yield Problem(
            "main", result.record, "unit_secondary", related=twins, message=message, facts={"main": main.text}
        )


def _is_molar(unit: Unit, other: Unit) -> bool:
    """Tell whether two units differ as grams and moles do."""
    swapped = {"M": "N", "N": "M"}
    exchanged = ".".join(sorted(swapped.get(part[0], part[0]) + part[1:] for part in unit.dimension.split(".")))
    return unit.dimension != other.dimension and exchanged == other.dimension


@rule("UNI-08")
def outside_si(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Main units outside SI, or by another volume than the litre, where the property has an SI unit; once a code."""
    told: set[str] = set()
    written = cache(write_factor)
    for result in _results(context):
        code = result.record["result_code"] or result.record["result_loinc_label"]
        if result.right_unit is None or result.meaning.qualitative or code in told:
            continue
        nearest = si_unit(result.right_unit.text, result.meaning.properties)
        if nearest is None:
            continue
        told.add(code)
        suggestion, factor = nearest
        message = "same" if factor == 1 else "default" if factor is not None else "offset"
        facts = {"factor": written(factor) if factor is not None else ""}
        yield Problem("main", result.record, "unit", suggestion=suggestion, message=message, facts=facts)


@rule("UNI-09")
def conversion_factor_wrong(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Conversion factors that are missing, no number, or not what the main unit is multiplied by to give the secondary one."""
    digits = int(parameters["digits"])
    for result in _results(context):
        if (problem := _factor_problem(result, digits)) is not None and not result.meaning.qualitative:
            yield problem


def _factor_problem(result: _Result, digits: int) -> Problem | None:
    record, name = result.record, "conversion_factor"
    given = record[name]
    if not given and not record["unit_secondary"]:
        return None
    cell = record.cell(name)
    if cell.kind is CellKind.ERROR or any(
        record.cell(field).kind is CellKind.ERROR for field in ("unit", "unit_secondary")
    ):
        return None
    if not record["unit_secondary"]:
        return Problem("main", record, name, message="alone") if given else None
    main, secondary = result.read("unit"), result.read("unit_secondary")
    right = conversion_factor(main, secondary) if main and secondary else None
    suggestion = write_factor(right) if right is not None else None
    facts = {
        "main": main.text if main else record["unit"],
        "secondary": secondary.text if secondary else record["unit_secondary"],
    }
    if not given:
        if main and secondary and right is None:
            return None
        message = "missing" if suggestion else "missing-unknown"
        return Problem("main", record, name, value="", suggestion=suggestion, message=message, facts=facts)
    value = read_factor(given) if cell.kind in (CellKind.TEXT, CellKind.NUMBER) else None
    if value is None:
        meant = factor_meant(given)
        written = suggestion or (write_factor(meant) if meant else None)
        message = "number" if written else "number-unknown"
        return Problem("main", record, name, suggestion=written, message=message, facts=facts)
    if right is None:
        return None if value > 0 else Problem("main", record, name, message="number-unknown", facts=facts)
    if is_factor(given, right, digits):
        return None
    message = "inverse" if value and _is_inverse(value, right) else "default"
    return Problem("main", record, name, suggestion=suggestion, message=message, facts=facts)


def _is_inverse(value: Fraction, right: Fraction) -> bool:
    return abs(value * right - 1) < Fraction(1, 200)


@rule("UNI-10")
def spelled_two_ways(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Units that the workbook spells two ways; each spelling but the commonest is named once, where it is first met."""
    first: dict[str, tuple[Unit, Record, str]] = {}
    counts: Counter[str] = Counter()
    elsewhere = {row for row, _ in _two_main_units(context)}
    for result in _results(context):
        if result.meaning.qualitative:
            continue
        for name, judgement in (("unit", result.main), ("unit_secondary", result.secondary)):
            if judgement is None or judgement.unit is None or judgement.fault:
                continue
            if name == "unit" and result.record.row in elsewhere:
                continue
            text = judgement.unit.text
            counts[text] += 1
            if text not in first:
                first[text] = judgement.unit, result.record, name
    spellings: dict[tuple[object, ...], dict[str, tuple[Record, str]]] = {}
    for text, (unit, record, name) in first.items():
        spellings.setdefault(spelling_key(unit), {})[text] = record, name
    for texts in spellings.values():
        if len(texts) < 2:
            continue
        common = max(texts, key=lambda text: counts[text])
        for text, (record, name) in texts.items():
            if text != common:
                facts = {"times": counts[text], "common_times": counts[common]}
                yield Problem("main", record, name, suggestion=common, facts=facts)

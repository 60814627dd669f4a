"""What the properties of LOINC allow as units, and what is wrong with a unit under a property.

`rules/properties.yaml` is the table, reviewed by hand; `docs/units.md` says how LOINC's own example units fare under it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from jdv_qa.resources import read_yaml, rules_directory
from jdv_qa.terminology.units import Unit, conversion_factor, fits, proposals, read_unit, suspicion

PREFIXES = ("k", "", "m", "u", "n", "p", "f", "a")
POWERS = (0, 3, 6, 9, 12)


class Property(NamedTuple):
    """What a LOINC property says of units.

    `dimensions`: those it allows, as in `units.fits`; none when it says nothing. `unit`: "required", "optional" or "none".
    `examples`: units to name in a sentence. `si`: its SI units without prefix ("mol/L", "/L"), `also` those outside SI that are
    let through.
    """

    name: str
    dimensions: frozenset[str]
    unit: str
    why: Mapping[str, str]
    examples: tuple[str, ...] = ()
    si: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@lru_cache
def properties() -> Mapping[str, Property]:
    """Return the table of properties, by LOINC part."""
    content: dict[str, dict[str, Any]] = read_yaml(rules_directory() / "properties.yaml")
    return {
        name: Property(
            name,
            frozenset(entry["dimensions"]),
            entry["unit"],
            entry["why"],
            tuple(entry.get("examples", ())),
            tuple(entry.get("si", ())),
            tuple(entry.get("also", ())),
        )
        for name, entry in content.items()
    }


@lru_cache(maxsize=1024)
def allowed_dimensions(parts: frozenset[str]) -> frozenset[str] | None:
    """Return the dimensions that any of some properties allows; None when one of them is unknown or says nothing."""
    known = [properties().get(part) for part in parts]
    if not known or not all(entry is not None and entry.dimensions for entry in known):
        return None
    return frozenset().union(*(entry.dimensions for entry in known if entry is not None))


@lru_cache(maxsize=1024)
def needs_unit(parts: frozenset[str]) -> bool:
    """Tell whether every one of some properties asks for a unit."""
    return bool(parts) and all(
        (entry := properties().get(part)) is not None and entry.unit == "required" for part in parts
    )


@lru_cache(maxsize=1024)
def example_units(parts: frozenset[str]) -> tuple[str, ...]:
    """Return units that some properties allow, to name in a sentence."""
    known = [properties()[part] for part in sorted(parts) if part in properties()]
    return tuple(dict.fromkeys(unit for entry in known for unit in entry.examples))


class Fault(StrEnum):
    """What is wrong with a unit."""

    NOT_UCUM = "not-ucum"
    SUSPICIOUS = "suspicious"
    DIMENSION = "dimension"


class Judgement(NamedTuple):
    """What a unit is under the properties it stands for.

    `unit` is None when the text is not UCUM; `fault` None when nothing is wrong. `meaning`: what a suspicious unit says, in
    French and in English; `proposals`: what the writer may have meant, the likeliest first. `misfits`: the numbers, among the
    views given, of those whose dimensions the unit does not have.
    """

    unit: Unit | None
    fault: Fault | None = None
    meaning: tuple[str, str] = ("", "")
    proposals: tuple[str, ...] = ()
    misfits: tuple[int, ...] = ()


@lru_cache(maxsize=16384)
def judge(text: str, *views: frozenset[str]) -> Judgement:
    """Judge a unit by the properties of its result.

    `views` are what is known of the property, the most trusted first: the LOINC parts that the label may mean, the property
    of the LOINC term. A view that is empty or unknown says nothing. One fault at most is found: a text that is not UCUM, or
    else one of unlikely meaning, or else a dimension that does not fit.
    """
    allowed = [allowed_dimensions(view) for view in views]
    known = [dimensions for dimensions in allowed if dimensions is not None]
    shared = frozenset.intersection(*known) if known else None
    dimensions = shared or (known[0] if known else None)
    unit = read_unit(text)
    if unit is None:
        return Judgement(None, Fault.NOT_UCUM, proposals=proposals(text, dimensions))
    if (meaning := suspicion(text, dimensions)) is not None:
        return Judgement(unit, Fault.SUSPICIOUS, meaning, proposals(text, dimensions))
    misfits = tuple(place for place, wanted in enumerate(allowed) if wanted is not None and not fits(unit, wanted))
    if misfits:
        wrong = allowed[misfits[0]]
        return Judgement(unit, Fault.DIMENSION, proposals=proposals(text, wrong), misfits=misfits)
    return Judgement(unit)


@lru_cache(maxsize=256)
def si_units(bases: tuple[str, ...]) -> dict[str, Unit]:
    """Return the units that SI bases of the table make with prefixes, by text: mmol/L… for mol/L, 10*9/L… for /L."""
    found: dict[str, Unit] = {}
    for base in bases:
        texts: Iterable[str]
        if base.startswith("/"):
            texts = [f"10*{power}{base}" if power else base for power in POWERS]
        elif base in ("Cel", "min", "h", "d") or base.startswith("["):
            texts = [base]
        else:
            texts = [f"{prefix}{base}" for prefix in PREFIXES]
        found |= {text: unit for text in texts if (unit := read_unit(text)) is not None}
    return found


_SMALL_LITRE = re.compile(r"(?<![A-Za-z])([kdcmunpf]?)l(?![A-Za-z])")


@lru_cache(maxsize=4096)
def si_unit(text: str, parts: frozenset[str]) -> tuple[str, Fraction | None] | None:
    """Return the SI unit nearest to a unit that is outside SI, and the factor to it; None when there is nothing to say.

    The unit must fit the property. The same magnitude is preferred (ng/mL -> ug/L), else the nearest (mg/dL -> mg/L, factor 10).
    Units with annotations other than of what is measured against (copies, cells) are let be.
    """
    unit = read_unit(text)
    entries = [properties()[part] for part in parts if part in properties()]
    if unit is None or not entries or len(entries) != len(parts) or unit.annotations:
        return None
    if not all(entry.si and fits(unit, entry.dimensions) for entry in entries):
        return None
    accepted = si_units(tuple(dict.fromkeys(base for entry in entries for base in entry.si)))
    let_through = si_units(tuple(dict.fromkeys(base for entry in entries for base in entry.also)))
    plain = _SMALL_LITRE.sub(r"\1L", text).replace("10^", "10*")
    if plain in accepted or plain in let_through:
        return None
    candidates = {
        name: conversion_factor(unit, other) for name, other in accepted.items() if other.dimension == unit.dimension
    }
    if not candidates:
        return None
    factors = {name: factor for name, factor in candidates.items() if factor is not None}
    if not factors:
        return next(iter(candidates)), None
    best = min(factors, key=lambda name: (max(factors[name], 1 / factors[name]), -factors[name]))
    return best, factors[best]

"""UCUM by its own definitions: the dimension and the magnitude of any unit, through ucumvert.

ucumvert gives the grammar and the definitions of UCUM 2.2 (case-sensitive codes). It takes a quarter of a second to be ready, so
`units` asks here only for the units that its table does not hold. Two things differ from strict UCUM, where they would hide the
faults that matter in a laboratory: the mole is a dimension of its own and not a number, and an arbitrary unit ([IU], [arb'U]…) is
a dimension of its own too, for UCUM forbids to convert it into anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

_ANNOTATION = re.compile(r"\{[!-z|~]*\}")
_PRINTABLE = re.compile(r"[!-~]{1,100}")
"""What can be a unit; the parser is slow on long texts, and no unit is near that length."""

_HIGHEST_POWER = 99
"""No unit has such an exponent, and "m3242424" would keep a computer busy for hours."""

_BASES = {"m": "L", "s": "T", "g": "M", "rad": "A", "K": "K", "C": "Q", "cd": "J", "mol": "N"}
_TEMPERATURES = ("Cel", "[degF]", "[degRe]")
"""Units with a zero of their own: they measure a temperature, but no factor converts them."""


class Definition(NamedTuple):
    """What a unit is made of.

    `dimension`: base dimensions and arbitrary units with their powers, in alphabetical order, such as "L-3.N1" or "L-3.[IU]1";
    "1" for a pure number. `factor`: its magnitude in m, s, g, rad, K, C, cd, mol and arbitrary units; None where no factor
    converts it (°C, pH, decibel).
    """

    dimension: str
    factor: Fraction | None


_Powers = dict[str, int]
_Value = tuple[_Powers, Fraction | None]


class _TooHigh(ArithmeticError):
    """An exponent that no unit has."""


def without_annotations(text: str) -> str:
    """Return a unit with its annotations emptied: "umol/g{creat}" -> "umol/g{}". They change neither validity nor dimension."""
    return _ANNOTATION.sub("{}", text) if "{" in text else text


def define(text: str) -> Definition | None:
    """Return the definition of a unit, None when it is not UCUM. Loads ucumvert."""
    if not _PRINTABLE.fullmatch(text):
        return None
    from lark.exceptions import LarkError

    try:
        powers, factor = _evaluate(_parser().parse(text))
    except (LarkError, _TooHigh):
        return None
    return Definition(_key(powers), factor)


def _key(powers: Mapping[str, int]) -> str:
    return ".".join(f"{name}{power}" for name, power in sorted(powers.items()) if power) or "1"


@lru_cache
def _parser() -> Any:
    import ucumvert

    return ucumvert.get_ucum_parser()


@lru_cache
def _prefixes() -> dict[str, Fraction]:
    from ucumvert import xml_util

    values = {
        prefix.attrib["Code"]: next(child.attrib["value"] for child in prefix if "value" in child.attrib)
        for prefix in xml_util.root.findall(".//{*}prefix")
    }
    return {code: Fraction(value) for code, value in values.items()}


@lru_cache
def _definitions() -> dict[str, Any]:
    from ucumvert import xml_util

    return {unit.code_cs: unit for unit in xml_util.get_units_with_full_definition()}


@lru_cache(maxsize=512)
def _atom(code: str) -> _Value:
    """Return the value of an undivided unit, without prefix."""
    if code in _BASES:
        return {_BASES[code]: 1}, Fraction(1)
    unit = _definitions()[code]
    if unit.is_special:
        return ({"K": 1} if code in _TEMPERATURES else {code: 1}), None
    if unit.is_arbitrary:
        return {"[IU]" if code == "[iU]" else code: 1}, Fraction(1)
    powers, factor = _evaluate(_parser().parse(unit.defining_unit))
    assert factor is not None
    value = Fraction("3.14159265358979323846") if code == "[pi]" else Fraction(str(unit.conversion_factor))
    return powers, factor * value


def _evaluate(node: Any) -> _Value:
    """Return the value of a node of ucumvert's syntax tree."""
    kind = getattr(node, "type", None)
    if kind == "ANNOTATION":
        return {}, Fraction(1)
    children = node.children
    if node.data == "simple_unit":
        *prefix, last = children
        if last.type == "FACTOR":
            return {}, Fraction(int(last))
        powers, factor = _atom("[IU]" if str(last) == "[iU]" else str(last))
        return powers, _times(factor, _prefixes()[str(prefix[0])] if prefix else Fraction(1))
    if node.data == "annotatable" and len(children) == 2:
        return _power(_evaluate(children[0]), int(children[1]))
    if node.data == "term" and len(children) == 3:
        left, operator, right = children
        return _product(_evaluate(left), _power(_evaluate(right), -1 if operator == "/" else 1))
    if node.data == "main_term" and len(children) == 2:
        return _power(_evaluate(children[1]), -1)
    return _evaluate(children[0])


def _times(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    return None if one is None or other is None else one * other


def _product(one: _Value, other: _Value) -> _Value:
    powers = dict(one[0])
    for name, power in other[0].items():
        powers[name] = powers.get(name, 0) + power
    return powers, _times(one[1], other[1])


def _power(value: _Value, exponent: int) -> _Value:
    if abs(exponent) > _HIGHEST_POWER:
        raise _TooHigh
    powers, factor = value
    return {name: power * exponent for name, power in powers.items()}, None if factor is None else factor**exponent

"""Units of measure: is a text UCUM, what does it measure, by what factor does it convert, and what did its writer mean.

A table, `rules/units.csv`, answers for the units in use; `ucum` is asked only for those it does not hold. What people write
instead of UCUM, and UCUM that means something else than they think, is in `rules/unit_spellings.yaml`.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import islice, product
from typing import Any, NamedTuple

from jdv_qa.resources import read_yaml, rules_directory
from jdv_qa.terminology.labels import fold
from jdv_qa.terminology.ucum import define, without_annotations

TABLE = "units.csv"
_ANNOTATION = re.compile(r"\{([!-z|~]*)\}")
_DIMENSION = re.compile(r"(\[.+?\]|[A-Z]|[^.0-9-]+)(-?[0-9]+)")


class Unit(NamedTuple):
    """A UCUM unit as written.

    `dimension` and `factor` as in `ucum.Definition`; `annotations`: what its annotations say, in the order written.
    """

    text: str
    dimension: str
    factor: Fraction | None
    annotations: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The dimension with any arbitrary unit called "arb": "L-3.arb" for [IU]/L and for [arb'U]/mL."""
        return _family(self.dimension)


@lru_cache(maxsize=1024)
def _family(dimension: str) -> str:
    parts = {
        "arb" + power.removeprefix("1") if len(name) > 1 and name != "[pH]" else name + power
        for name, power in _DIMENSION.findall(dimension)
    }
    return ".".join(sorted(parts, key=lambda part: (part[0].islower(), part))) or "1"


@lru_cache
def _table() -> Mapping[str, tuple[str, str]]:
    """Return unit, annotations emptied -> (dimension, "" when it is not UCUM; factor as text)."""
    with (rules_directory() / TABLE).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return {unit: (dimension, factor) for unit, dimension, factor, _ in rows}


@lru_cache(maxsize=16384)
def read_unit(text: str) -> Unit | None:
    """Return the unit that a text is in UCUM (case-sensitive), None when it is not UCUM."""
    key = without_annotations(text)
    if (known := _table().get(key)) is not None:
        dimension, factor = known
        if not dimension:
            return None
        magnitude = Fraction(factor) if factor else None
    else:
        definition = define(key)
        if definition is None:
            return None
        dimension, magnitude = definition.dimension, definition.factor
    annotations = tuple(_ANNOTATION.findall(text)) if "{" in text else ()
    return Unit(text, dimension, magnitude, annotations)


def is_ucum(text: str) -> bool:
    """Tell whether a text is a UCUM unit (case-sensitive): "mmol/L" is, "mmol/l" too, "µmol/L" and "UI/L" are not."""
    return read_unit(text) is not None


def commensurable(unit: Unit, other: Unit) -> bool:
    """Tell whether two units measure the same thing: same dimension, moles and arbitrary units kept apart from numbers."""
    return unit.dimension == other.dimension


def conversion_factor(main: Unit, secondary: Unit) -> Fraction | None:
    """Return by what a value in the main unit is multiplied to have it in the secondary one: mmol/L, umol/L -> 1000.

    It is the conversion factor of the workbook: main unit times factor is secondary unit. None when the two are not
    commensurable, or no factor converts them (°C).
    """
    if main.dimension != secondary.dimension:
        return None
    if main.text == secondary.text:
        return Fraction(1)
    if main.factor is None or secondary.factor is None:
        return None
    return main.factor / secondary.factor


def same_unit(unit: Unit, other: Unit) -> bool:
    """Tell whether two texts are one unit spelled two ways: equal dimension, factor 1, and annotations that say the same.

    Equivalents and osmoles are not moles here, though UCUM gives them the same magnitude.
    """
    return conversion_factor(unit, other) == 1 and spelling_key(unit) == spelling_key(other)


@lru_cache(maxsize=4096)
def spelling_key(unit: Unit) -> tuple[object, ...]:
    """Return what two spellings of one unit have in common."""
    counted = tuple(
        atom for atom in ("eq", "osm") if re.search(rf"(?<![A-Za-z])[kmunpf]?{atom}(?![A-Za-z])", unit.text)
    )
    annotations = tuple(sorted(note.casefold() for note in unit.annotations))
    special = unit.text if unit.factor is None else ""
    return unit.dimension, unit.factor, annotations, counted, special


_COUNTED = re.compile(r"(?<![A-Za-z])[kmunpf]?(eq|osm)(?![A-Za-z])|(\[[^\]]+\])")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_LONGEST_NUMBER = 60
"""Characters of a conversion factor; a longer one is no number that anybody meant."""
_LOOSE_NUMBER = re.compile(
    r"(?:[x×*=]\s*)?(?P<number>[0-9][0-9 \u00a0\u202f]*(?:[.,][0-9]+)?)(?:\s*/\s*(?P<divisor>[0-9]+(?:[.,][0-9]+)?))?"
)


def read_factor(text: str) -> Fraction | None:
    """Return the number that a conversion factor is, None when it is not a number written with a decimal point."""
    return Fraction(text) if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) else None


def factor_meant(text: str) -> Fraction | None:
    """Return the number meant by "0,001", "1 000", "x1000" or "1/1000"; None when it cannot be told."""
    match = _LOOSE_NUMBER.fullmatch(text.strip()) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    value = Fraction(re.sub(r"[ \u00a0\u202f]", "", match["number"]).replace(",", "."))
    divisor = Fraction(match["divisor"].replace(",", ".")) if match["divisor"] else Fraction(1)
    return value / divisor if divisor else None


_FLOAT_MAGNITUDE = 300
"""Powers of ten that a float surely holds."""


@lru_cache(maxsize=4096)
def write_factor(factor: Fraction) -> str:
    """Return a factor as a workbook writes it: "1000", "0.001"; six significant digits where it has no end ("0.0166667")."""
    magnitude = math.log10(abs(factor.numerator)) - math.log10(factor.denominator)
    if abs(magnitude) > _FLOAT_MAGNITUDE:
        return f"{(Decimal(factor.numerator) / factor.denominator).normalize():.6g}"
    denominator = factor.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if denominator == 1:
        places = 0
        while (factor * 10**places).denominator != 1:
            places += 1
    else:
        places = max(0, 5 - math.floor(magnitude))
    if not 0 <= places <= 15:
        return f"{float(factor):.6g}"
    digits = str(round(abs(factor) * 10**places)).rjust(places + 1, "0")
    sign = "-" if factor < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def is_factor(given: str, right: Fraction, digits: int) -> bool:
    """Tell whether a written factor is the right one, exactly or rounded to no fewer than some significant digits."""
    value = read_factor(given)
    if value is None:
        return False
    if value == right:
        return True
    mantissa, _, exponent = given.lower().lstrip("+-").partition("e")
    written = mantissa.replace(".", "").lstrip("0")
    if len(written) < digits:
        return False
    unit_of_last = Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(value - right) <= unit_of_last / 2


# What the writer meant


class _Suspicious(NamedTuple):
    pattern: re.Pattern[str] | None
    whole: re.Pattern[str] | None
    meaning: tuple[str, str]
    always: bool
    wanted: frozenset[str]


class _Spellings(NamedTuple):
    words: Mapping[str, tuple[str, ...]]
    exact: Mapping[str, tuple[str, ...]]
    annotations: Mapping[str, str]
    none: frozenset[str]


@lru_cache
def _spelling_file() -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(rules_directory() / "unit_spellings.yaml")
    return content


@lru_cache
def _spellings() -> _Spellings:
    content = _spelling_file()
    words: dict[str, list[str]] = {}
    for unit, texts in content["alone"].items():
        for text in texts:
            words.setdefault(fold(str(text)), []).append(unit)
    for unit, texts in content["prefixed"].items():
        for prefix, spellings in content["prefixes"].items():
            for front, text in product(spellings, texts):
                words.setdefault(fold(f"{front}{text}"), []).append(f"{prefix}{unit}")
    for prefix in content["prefixes"]:
        for front in content["prefixes"][prefix]:
            for text in content["prefixed"]["U"]:
                words[fold(f"{front}{text}")] += [f"{prefix}[IU]"]
            for text in content["prefixed"]["[IU]"]:
                words[fold(f"{front}{text}")] += [f"{prefix}U"]
    annotations = {fold(text): name for name, texts in content["annotations"].items() for text in texts}
    return _Spellings(
        {text: tuple(dict.fromkeys(units)) for text, units in words.items()},
        {text: tuple(units) for text, units in content["exact"].items()},
        annotations,
        frozenset(map(fold, content["none"])),
    )


@lru_cache
def _suspicious_units() -> tuple[_Suspicious, ...]:
    return tuple(
        _Suspicious(
            re.compile(entry["pattern"]) if "pattern" in entry else None,
            re.compile(entry["whole"]) if "whole" in entry else None,
            (entry["fr"], entry["en"]),
            bool(entry.get("always")),
            frozenset(entry.get("wanted", ())),
        )
        for entry in _spelling_file()["suspicious"]
    )


_PARTS = re.compile(r"[./()]+")
_EXPONENT = re.compile(r"(?<![0-9*^])[+-]?[0-9]+$")


@lru_cache(maxsize=16384)
def suspicion(text: str, dimensions: frozenset[str] | None = None) -> tuple[str, str] | None:
    """Return what a UCUM unit of unlikely meaning says, in French and in English; None for a unit of good sense.

    `dimensions` are those of the property, None when they are not known. A unit that fits them is suspected only where no
    laboratory can mean it (Mg/L, pH, N/A).
    """
    unit = read_unit(text)
    if unit is None:
        return None
    plain = without_annotations(text)
    fitting = dimensions is not None and fits(unit, dimensions)
    parts = [_EXPONENT.sub("", part.replace("{}", "")) for part in _PARTS.split(plain)]
    for entry in _suspicious_units():
        if fitting and not entry.always:
            continue
        if entry.wanted and (dimensions is None or not entry.wanted & dimensions):
            continue
        if entry.whole and not entry.whole.fullmatch(plain):
            continue
        part = next((part for part in parts if entry.pattern and part and entry.pattern.fullmatch(part)), "")
        if entry.pattern is None or part:
            fr, en = entry.meaning
            return fr.format(part=part), en.format(part=part)
    return None


def fits(unit: Unit, dimensions: Collection[str]) -> bool:
    """Tell whether a unit has one of some dimensions, or is named among them; "arb" stands for any arbitrary unit."""
    return unit.dimension in dimensions or unit.family in dimensions or unit.text in dimensions


def says_no_unit(text: str) -> bool:
    """Tell whether a text says that there is no unit: "N/A", "sans", "-"."""
    return fold(text) in _spellings().none


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SIGNS = str.maketrans(
    {
        "µ": "u", "μ": "u", "·": ".", "⋅": ".", "•": ".", "∙": ".", "×": "x", "✕": "x", "−": "-", "–": "-", "‐": "-", "‑": "-",
        "∕": "/", "⁄": "/", "÷": "/", "’": "'", "ʼ": "'", "´": "'", "\u200b": "", "\ufeff": "", "\u00ad": "",
    }
)  # fmt: skip
_REWRITING = (
    (r"\b([mukn]?)[ui]\.\s?[ui]\.?(?=[\s/]|$)", r"\1UI"),
    (r"\bu\.\s?a\.?(?=[\s/]|$)", "UA"),
    (r"(?:[x*]\s*)?(?<![0-9.,])10\s*(?:\^+|\*+|e|exp|puissance|\s)\s*\(?\+?(-?[0-9]{1,2})\)?(?![0-9])", r"10*\1 "),
    (r"(?<![0-9.,])1\.?0?e\+?(-?[0-9]{1,2})(?![0-9])", r"10*\1 "),
    (r"^x\s*(?=10\*)", ""),
    (r"^10\.?(3|6|9|12)(?=\s*(?:\{[^{}]*\})?\s*/)", r"10*\1"),
    (r"\b([a-z]+)\s*(?:\^|\*\*)\s*(-?[0-9])", r"\1\2"),
    (r"\s+(?:par|per|pour)\s+(?!cent|mille)", "/"),
    (r"/\s*\(?\s*1[.,]73\s*[.*x]?\s*m\s?2?\)?", "/{1.73_m2}"),
    (r"\s+(?:a|à)\s+(?:la\s+)?(?:1\s*(?:[eè]re|h)\b\.?)\s*(?:heure|h)?", "/h"),
    (r"/\s*1\s*[eè]re\s*(?:heure|h)\b", "/h"),
    (r"/\s*\(?\s*([0-9]+)\s*[.x*]?\s*(?:h|hrs?|heures?|hours?)\s*\)?(?![a-z])", r"/(\1.h)"),
    (r"/\s*\(?\s*([0-9]+)\s*[.x*]?\s*(?:min|mn|minutes?)\s*\)?(?![a-z])", r"/(\1.min)"),
    (r"/\s*\(?\s*([0-9]+)\s*[.x*]?\s*(?:j|jours?|days?)\s*\)?(?![a-z])", r"/(\1.d)"),
    (r"/\(1\.(h|min|d)\)", r"/\1"),
    (r"\s*([/.()])\s*", r"\1"),
    (r"(?<=[0-9]),(?=[0-9])", "."),
)
_TOKENS = re.compile(r"[./()]|(?:[^./(){}]|\{[^{}]*\})+")
_PIECES = re.compile(r"\s*[;|\n]\s*|\s+(?:et|ou|and|or)\s+|\s+\(|\)$")
_NEGATIVE_POWER = re.compile(r"[A-Za-z]-[0-9]")
_NUMBER_TOKEN = re.compile(r"10[*^][+-]?[0-9]+|[0-9]+")
_ANNOTATED_TEXT = re.compile(r"\{[^{}]*\}")
_ANNOTATED = re.compile(r"([^{}]*)((?:\{[^{}]*\})?)")


@lru_cache(maxsize=4096)
def proposals(text: str, dimensions: frozenset[str] | None = None) -> tuple[str, ...]:
    """Return the UCUM units that the writer of a text may have meant, the likeliest first, at most eight.

    All are valid UCUM of plain meaning and differ from the text; all have one of the `dimensions` when those are given.
    """
    if says_no_unit(text):
        return ()
    wanted = dimensions or None
    found: dict[str, Unit] = {}
    for candidate in islice(_candidates(text, wanted), 256):
        if candidate == text or candidate in found:
            continue
        unit = read_unit(candidate)
        if unit is None or (wanted is not None and not fits(unit, wanted)) or suspicion(candidate, wanted):
            continue
        if not any(same_unit(unit, other) for other in found.values()):
            found[candidate] = unit
        if len(found) == 8:
            break
    return tuple(found)


def _candidates(text: str, dimensions: frozenset[str] | None) -> Iterator[str]:
    spellings = _spellings()
    plain = _clean(text)
    yield from spellings.exact.get(text, ())
    yield from spellings.words.get(fold(text), ())
    attempts = [plain, plain.replace(" ", "")]
    if _NEGATIVE_POWER.search(plain):
        attempts.append(plain.replace(" ", "."))
    if plain[:1] == "[" and plain[-1:] == "]":
        attempts.append(plain[1:-1])
    if plain[:1] == "/" and dimensions:
        attempts.append(plain[1:])
    pieces = [piece for piece in _PIECES.split(_unescaped(text)) if piece and piece != text]
    attempts += map(_clean, pieces)
    for attempt in dict.fromkeys(attempts):
        for candidate in _rewritten(attempt):
            yield candidate
            if (
                dimensions
                and "L-3" in dimensions
                and _NUMBER_TOKEN.fullmatch(without_annotations(candidate).removesuffix("{}"))
            ):
                yield f"{candidate}/L"
    yield from _by_folded().get(plain.replace(" ", "").casefold(), ())
    for piece in pieces:
        yield from _by_folded().get(_clean(piece).replace(" ", "").casefold(), ())


@lru_cache
def _by_folded() -> Mapping[str, tuple[str, ...]]:
    """Return the units of the table by their text in lower case, in the order of the table."""
    found: dict[str, list[str]] = {}
    for unit, (dimension, _) in _table().items():
        if dimension and "{" not in unit:
            found.setdefault(unit.casefold(), []).append(unit)
    return {text: tuple(units) for text, units in found.items()}


def _unescaped(text: str) -> str:
    """Return a text with the characters that it names in the way of HTML ("&micro;")."""
    if "&" not in text:
        return text
    from html import unescape

    return unescape(text)


def _clean(text: str) -> str:
    """Return a text in ASCII where it can be, powers, times and brackets written the way of UCUM."""
    plain = _unescaped(text).translate(_SIGNS)
    plain = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda match: _superscript(plain, match), plain)
    plain = unicodedata.normalize("NFKC", plain).translate(_SIGNS).strip(" \t;:,\"'")
    plain = _ANNOTATED_TEXT.sub(lambda match: match.group().replace(" ", "_"), plain)
    for pattern, replacement in _rewriting():
        plain = pattern.sub(replacement, plain)
    return " ".join(plain.rstrip(".").split())


@lru_cache
def _rewriting() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), replacement) for pattern, replacement in _REWRITING)


def _superscript(text: str, match: re.Match[str]) -> str:
    digits = match.group().translate(_SUPERSCRIPTS)
    return f"*{digits}" if text[: match.start()].endswith("10") else digits


def _rewritten(text: str) -> Iterator[str]:
    """Yield a cleaned text with every part replaced by the units it may stand for."""
    choices = [(token,) if token in "./()" else _choices(token) for token in _TOKENS.findall(text)]
    for combination in product(*choices):
        candidate = "".join(combination)
        yield candidate
        if candidate.startswith("{#}/"):
            yield candidate[3:]


@lru_cache(maxsize=4096)
def _choices(token: str) -> tuple[str, ...]:
    """Return the units that a part of a unit may stand for, itself last when it is known to none."""
    spellings = _spellings()
    match = _ANNOTATED.fullmatch(token)
    if match is None or not match[1]:
        return (token,)
    name, annotation = match[1].strip(), match[2]
    if _NUMBER_TOKEN.fullmatch(name):
        return (token,)
    found: list[str] = []
    if name in spellings.exact:
        found += spellings.exact[name]
    found += spellings.words.get(fold(name), ())
    if not found and (power := _EXPONENT.search(name)) is not None:
        stem = name[: power.start()]
        found += (f"{unit}{power.group()}" for unit in spellings.words.get(fold(stem), ()))
    if not found and " " in name:
        found += _phrases(name)
    if not found and (number := re.match(r"(10[*^][+-]?[0-9]+)\s*(\D.*)", name)):
        found += (
            f"{number[1]}{joint}{unit}" for unit in _choices(number[2]) for joint in ("/" if unit == "L" else "", ".")
        )
    if _table().get(name, ("", ""))[0] and name not in found:
        found.append(name)
    return tuple(f"{unit}{annotation}" for unit in dict.fromkeys(found or [name]))


def _phrases(name: str) -> Iterable[str]:
    """Yield the units of words such as "mmol de créatinine" or "ng FEU"."""
    words = [word for word in re.split(r"\s+|(?<=\bd)'", name) if fold(word) not in ("de", "d", "du", "of")]
    if len(words) == 2:
        first, second = words
        if (annotation := _spellings().annotations.get(fold(second))) is not None:
            yield from (f"{unit}{{{annotation}}}" for unit in _choices(first))
        elif _NUMBER_TOKEN.fullmatch(first):
            for unit in _choices(second):
                yield (
                    f"{first}{unit}"
                    if unit.startswith("{")
                    else f"{first}/{unit}"
                    if unit == "L"
                    else f"{first}.{unit}"
                )

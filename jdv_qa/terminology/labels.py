"""The French label of a LOINC term, taken apart into its axes: `component [property] (time ;)? system ; scale (; method)?`.

The grammar is that of the ANS's labels; the separator is " ; " and the time "Ponctuel" is never printed. A regular label and
its axes say the same: `str(parse_label(text)) == text`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from jdv_qa.resources import read_yaml, rules_directory

AXES = ("property", "time", "system", "scale", "method")
POINT_IN_TIME = "Pt"
"""The LOINC time that a label does not print."""

_PROPERTY = re.compile(r"\[([^\[\]]+)\]")
_TIME = re.compile(r"[0-9]+ ?[HhJjMm](?:in)?|[0-9]+ ?(?:minutes?|heures?|jours?|semaines?|mois)", re.IGNORECASE)
_ZERO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_ENTITY = re.compile(r"&#?\w{1,31};")
_ENGLISH = re.compile(r"\s(?:in|from|by) (?:an? )?[A-Za-z]|\]$")
_OTHER_SEPARATORS = re.compile(r"\s*[;\uff1b\u037e|¦•·]\s*|\s+[-–—:,.]\s+|[,:.]\s+|\s*:\s*")
_TIME_FIRST = re.compile(rf"({_TIME.pattern})\s*[,:.–—-]\s*(?=\S)", re.IGNORECASE)
_TYPING = 0.9
"""How alike (difflib's ratio) a mistyped scale and the right one are; "Quantitatif" is not a mistyped "Qualitatif"."""


class Label(NamedTuple):
    """A French label by axis, as written; `time` and `method` are "" when not printed."""

    component: str
    property: str
    time: str
    system: str
    scale: str
    method: str

    def __str__(self) -> str:
        """Return the label as it is printed."""
        time = f"{self.time} ; " if self.time else ""
        method = f" ; {self.method}" if self.method else ""
        return f"{self.component} [{self.property}] {time}{self.system} ; {self.scale}{method}"


class LabelForm(StrEnum):
    """What a text that should be a LOINC label is: regular, or what is wrong first."""

    REGULAR = "regular"
    SPACING = "spacing"
    POINT_IN_TIME = "point-in-time"
    MISPLACED_TIME = "misplaced-time"
    ENTITY = "entity"
    SEPARATOR = "separator"
    BRACKETS = "brackets"
    MISTYPED_SCALE = "mistyped-scale"
    ENGLISH = "english"
    NO_PROPERTY = "no-property"
    NO_COMPONENT = "no-component"
    NO_SYSTEM = "no-system"
    NO_SCALE = "no-scale"
    TOO_MANY = "too-many"


class LabelReading(NamedTuple):
    """The form of a label's text and, where it is plain, the label meant."""

    form: LabelForm
    label: Label | None = None


@lru_cache(maxsize=262144)
def parse_label(text: str) -> Label | None:
    """Take a French label apart; None when an axis is missing or blank. Spaces round brackets and ";" do not matter.

    Of several bracketed texts the property is the one before time and system without brackets and a known scale, or else a known
    property, or else the last: components such as "Antigène [variant]" are read right.
    """
    if text.count("[") == 1 == text.count("]"):
        component, _, rest = text.partition("[")
        property_, _, rest = rest.partition("]")
        axes = _after_property(rest)
        found = axes and component.strip() and property_.strip()
        return Label(component.strip(), property_.strip(), *axes) if axes and found else None
    best: tuple[tuple[bool, bool, bool, int], Label] | None = None
    for match in _PROPERTY.finditer(text):
        component = text[: match.start()].strip()
        axes = _after_property(text[match.end() :])
        if not component or not axes or not match[1].strip():
            continue
        label = Label(component, match[1].strip(), *axes)
        known = _known("scale", label.scale), "[" not in label.time + label.system, _known("property", label.property)
        rank = (*known, match.start())
        if best is None or rank > best[0]:
            best = rank, label
    return best[1] if best else None


def _after_property(rest: str) -> tuple[str, str, str, str] | None:
    """Return time, system, scale and method from what follows the property."""
    parts = [part.strip() for part in rest.split(";")]
    if not all(parts) or len(parts) < 2:
        return None
    if len(parts) > 2 and not _known("scale", parts[1]) and (is_time(parts[0]) or _known("scale", parts[2])):
        time, *parts = parts
    else:
        time = ""
    return time, parts[0], parts[1], " ; ".join(parts[2:])


@lru_cache(maxsize=4096)
def is_time(text: str) -> bool:
    """Tell whether a text is the time of a label: "24H", "Consultation", "Ponctuel"."""
    return _TIME.fullmatch(text) is not None or _known("time", text)


@lru_cache(maxsize=262144)
def read_label(text: str) -> LabelReading:
    """Tell whether a text is a regular label, what is wrong first if not, and what label is meant where that is plain.

    The label meant is regular itself. Doubled, no-break and invisible spaces are not looked at.
    """
    reading = _first_reading(text)
    if reading.label is None or reading.form is LabelForm.REGULAR:
        return reading
    meant = _first_reading(str(reading.label))
    if meant.label is not None and meant.form is not LabelForm.REGULAR:
        meant = _first_reading(str(meant.label))
    return LabelReading(reading.form, meant.label if meant.form is LabelForm.REGULAR else None)


def _first_reading(text: str) -> LabelReading:
    text = plain_spaces(text)
    if _ENTITY.search(text):
        from html import unescape

        if (decoded := unescape(text)) != text:
            return LabelReading(LabelForm.ENTITY, read_label(decoded).label)
    label = parse_label(text)
    if label is None or not _known("scale", label.scale):
        return _irregular(text, label)
    if ";" in label.method:
        return LabelReading(LabelForm.TOO_MANY)
    misplaced = is_time(label.system)
    if misplaced and not label.time:
        return LabelReading(LabelForm.NO_SYSTEM)
    if misplaced:
        label = label._replace(time=label.system, system=label.time)
    if label.time and POINT_IN_TIME in loinc_parts("time", label.time):
        return LabelReading(LabelForm.POINT_IN_TIME, label._replace(time=""))
    if misplaced:
        return LabelReading(LabelForm.MISPLACED_TIME, label)
    if not label.time and (match := _TIME_FIRST.match(label.system)):
        return LabelReading(LabelForm.SEPARATOR, label._replace(time=match[1], system=label.system[match.end() :]))
    return LabelReading(LabelForm.REGULAR if str(label) == text else LabelForm.SPACING, label)


def plain_spaces(text: str) -> str:
    """Return a text with single ordinary spaces, none at the ends and no invisible characters."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_ZERO_WIDTH.sub("", text).split())


def _irregular(text: str, label: Label | None) -> LabelReading:
    brackets = [match for match in _PROPERTY.finditer(text) if match[1].strip()]
    if not brackets:
        meant = next(_with_brackets(text), None)
        if meant:
            return LabelReading(LabelForm.BRACKETS, meant)
        if ";" not in text and _ENGLISH.search(text):
            return LabelReading(LabelForm.ENGLISH)
        return LabelReading(LabelForm.NO_PROPERTY)
    inside = [match for match in brackets if match.start()]
    if not inside:
        return LabelReading(LabelForm.NO_COMPONENT)
    match = next((match for match in inside if _known("property", match[1].strip())), inside[0])
    rest = text[match.end() :].strip()
    head = f"{text[: match.start()].strip()} [{match[1].strip()}]"
    parts = [part for part in _OTHER_SEPARATORS.split(rest) if part]
    meant = parse_label(f"{head} {' ; '.join(parts)}")
    if meant and _known("scale", meant.scale):
        return LabelReading(LabelForm.SEPARATOR, meant)
    if ";" not in rest and _ENGLISH.search(text):
        return LabelReading(LabelForm.ENGLISH)
    return LabelReading(*_blank_axis(rest, label))


def _blank_axis(rest: str, label: Label | None) -> tuple[LabelForm, Label | None]:
    """Return which of the axes after the property is missing or unknown, and the label meant if only a letter is wrong."""
    parts = [part.strip() for part in rest.split(";")]
    if len(parts) > 1 and is_time(parts[0]):
        parts = parts[1:]
    if not parts[0]:
        return LabelForm.NO_SYSTEM, None
    if label is not None and (close := _close_scale(label.scale)):
        return LabelForm.MISTYPED_SCALE, label._replace(scale=close)
    return LabelForm.NO_SCALE, None


def _close_scale(text: str) -> str | None:
    wordings = {fold(first): first for first in (wording("scale", part) for part in axis_wordings()["scale"]) if first}
    from difflib import get_close_matches

    close = get_close_matches(fold(text), [word for word in wordings if len(word) > 1], 1, _TYPING)
    return wordings[close[0]] if close else None


def _with_brackets(text: str) -> Iterator[Label]:
    """Yield the labels that a text without a bracketed property is once a known property is put in brackets."""
    if not re.search(r"[\[\](){}]", text):
        return
    for word in sorted(
        (word for words in axis_wordings()["property"].values() for word in words), key=len, reverse=True
    ):
        found = re.search(rf"[\[({{]\s*{re.escape(word)}\s*[\])}}]?|\s{re.escape(word)}\s*[\])}}]", text, re.IGNORECASE)
        label = parse_label(f"{text[: found.start()]} [{word}] {text[found.end() :]}") if found else None
        if label and _known("scale", label.scale):
            yield label


@lru_cache
def axis_wordings() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return axis -> LOINC part -> its French wordings, the one in use first, from `rules/axes.yaml`."""
    content: dict[str, dict[Any, list[Any]]] = read_yaml(rules_directory() / "axes.yaml")
    return {
        axis: {str(part): tuple(map(str, texts)) for part, texts in parts.items()} for axis, parts in content.items()
    }


@lru_cache
def axis_table() -> dict[str, dict[str, frozenset[str]]]:
    """Return axis -> French wording (folded) -> the LOINC parts it stands for."""
    table: dict[str, dict[str, frozenset[str]]] = {}
    for axis, parts in axis_wordings().items():
        wordings: dict[str, set[str]] = {}
        for part, texts in parts.items():
            for text in texts:
                wordings.setdefault(fold(text), set()).add(part)
        table[axis] = {text: frozenset(found) for text, found in wordings.items()}
    return table


def loinc_parts(axis: str, wording: str) -> frozenset[str]:
    """Return the LOINC parts that a French wording of an axis stands for; none when it is not in the table.

    An unprinted time is "Pt", an unprinted method no method.
    """
    if axis == "time" and not wording:
        return frozenset({POINT_IN_TIME})
    if axis == "method" and not wording:
        return frozenset({""})
    return axis_table().get(axis, {}).get(fold(wording), frozenset())


def wording(axis: str, part: str) -> str | None:
    """Return the French wording of a LOINC part, "" for what is not printed, None when the table does not know the part."""
    if (axis == "time" and part == POINT_IN_TIME) or (axis == "method" and not part):
        return ""
    texts = axis_wordings().get(axis, {}).get(part)
    return texts[0] if texts else None


def same_meaning(one: str, other: str) -> bool:
    """Tell whether two labels say the same: case, accents, spaces and known rewordings of an axis apart."""
    if fold(one) == fold(other):
        return True
    first, second = parse_label(one), parse_label(other)
    return (
        first is not None
        and second is not None
        and fold(first.component) == fold(second.component)
        and not differing_axes(first, second)
    )


def differing_axes(one: Label, other: Label) -> tuple[str, ...]:
    """Return the axes, the component apart, on which two labels do not mean the same."""
    return tuple(
        axis
        for axis in AXES
        if fold(getattr(one, axis)) != fold(getattr(other, axis))
        and not loinc_parts(axis, getattr(one, axis)) & loinc_parts(axis, getattr(other, axis))
    )


@lru_cache(maxsize=8192)
def _known(axis: str, text: str) -> bool:
    return fold(text) in axis_table().get(axis, {})


_FRENCH_LETTERS = tuple(
    zip(
        "éèêëàâäîïôöùûüçœ\u2019",
        ("e",) * 4 + ("a",) * 3 + ("i", "i", "o", "o", "u", "u", "u", "c", "oe", "'"),
        strict=True,
    )
)


@lru_cache(maxsize=262144)
def fold(text: str) -> str:
    """Return a text without case, accents and spare spaces, for comparison."""
    text = text.casefold()
    if not text.isascii():
        for letter, plain in _FRENCH_LETTERS:
            if (text := text.replace(letter, plain)).isascii():
                break
        else:
            stripped = unicodedata.normalize("NFKD", text)
            text = "".join(character for character in stripped if not unicodedata.combining(character)).casefold()
    return " ".join(text.split())

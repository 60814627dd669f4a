"""The French label of a LOINC term, taken apart into its axes: `component [property] (time ;)? system ; scale (; method)?`.

The grammar is that of the ANS's labels; the separator is " ; " and the time "Ponctuel" is never printed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from jdv_qa.resources import rules_directory

AXES = ("property", "time", "system", "scale", "method")
_LABEL = re.compile(r"(?P<component>.+?)\s*\[(?P<property>[^\[\]]+)\]\s*(?P<rest>.+)", re.DOTALL)
_SEPARATOR = re.compile(r"\s*;\s*")
_TIME = re.compile(r"[0-9]+ ?[HhJjMm](?:in)?|Ponctuel|Consultation|[0-9]+ ?(?:minutes?|heures?|jours?)")


@dataclass(frozen=True, slots=True)
class Label:
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


def parse_label(text: str) -> Label | None:
    """Take a French label apart; None when it does not follow the grammar."""
    match = _LABEL.fullmatch(text.strip())
    if match is None:
        return None
    parts = _SEPARATOR.split(match["rest"])
    time = parts.pop(0) if len(parts) > 2 and _TIME.fullmatch(parts[0]) else ""
    if len(parts) not in (2, 3) or not all(parts):
        return None
    return Label(
        match["component"], match["property"].strip(), time, parts[0], parts[1], parts[2] if len(parts) == 3 else ""
    )


@lru_cache
def axis_table() -> dict[str, dict[str, frozenset[str]]]:
    """Return axis -> French wording (folded) -> the LOINC parts it stands for, from `rules/axes.yaml`."""
    import yaml

    path = rules_directory() / "axes.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    table: dict[str, dict[str, frozenset[str]]] = {}
    for axis, parts in content.items():
        wordings: dict[str, set[str]] = {}
        for part, texts in parts.items():
            for text in texts:
                wordings.setdefault(fold(text), set()).add(str(part))
        table[axis] = {text: frozenset(found) for text, found in wordings.items()}
    return table


def loinc_parts(axis: str, wording: str) -> frozenset[str]:
    """Return the LOINC parts that a French wording of an axis stands for; none when it is not in the table.

    An unprinted time is "Pt", an unprinted method no method.
    """
    if axis == "time" and not wording:
        return frozenset({"Pt"})
    if axis == "method" and not wording:
        return frozenset({""})
    return axis_table().get(axis, {}).get(fold(wording), frozenset())


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Return a text without case, accents and spare spaces, for comparison."""
    stripped = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    return " ".join(
        "".join(c for c in stripped if not unicodedata.combining(c)).replace("\u2019", "'").casefold().split()
    )

"""What a comparison says: changes, their summary, and what could not be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

from jdv_qa.workbook.edition import MAIN_FIELDS

Kind: TypeAlias = Literal["added", "removed", "modified", "assigned", "replaced"]
Part: TypeAlias = Literal[
    "order", "result", "association", "nabm",
    "chapter", "clinical_info", "specimen", "site", "laterality", "technique", "term",
]  # fmt: skip
Impact: TypeAlias = Literal["breaking", "additive", "editorial"]
Sense: TypeAlias = Literal["old", "new"]

KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS: tuple[Part, ...] = get_args(Part)
IMPACTS: tuple[Impact, ...] = get_args(Impact)
REFERENCES: tuple[Part, ...] = ("chapter", "clinical_info", "specimen", "site", "laterality", "technique")
"""The parts held by the reference tabs."""

_DIGITS = re.compile(r"(\d+)")
_FIELD_ORDER = {name: place for place, name in enumerate((*MAIN_FIELDS, "code", "label", "subcode", "sublabel"))}


def field_place(field: str) -> tuple[int, str]:
    """Return a key that sorts fields in the order of the reference workbook, others after them by name."""
    return _FIELD_ORDER.get(field, len(_FIELD_ORDER)), field


def code_place(code: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts codes by their numbers: 2951-2 before 24326-1."""
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(code) if part)


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `code` is "" for an entry written without a code; rows are those of the first row that carries it.

    An association has the order's code and label, the result's code in `result` and the result's label in `old` or
    `new`; a NABM alignment likewise, with the NABM code in `nabm`. A `modified` change has the texts as read in `old`
    and `new`, "" for a blank cell. `related` lists codes that tell more of the story: where a result that left an
    order went, the code that a modified entry had before.
    """

    kind: Kind
    part: Part
    code: str
    label: str
    field: str | None = None
    old: str | None = None
    new: str | None = None
    impact: Impact = "breaking"
    old_row: int | None = None
    new_row: int | None = None
    new_code: str | None = None
    result: str | None = None
    nabm: str | None = None
    related: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form: the keys of every change, then those that this one needs."""
        content: dict[str, Any] = {
            "kind": self.kind, "part": self.part, "code": self.code, "label": self.label, "field": self.field,
            "old": self.old, "new": self.new, "impact": self.impact, "old_row": self.old_row, "new_row": self.new_row,
        }  # fmt: skip
        for name in ("new_code", "result", "nabm"):
            if (value := getattr(self, name)) is not None:
                content[name] = value
        if self.related:
            content["related"] = list(self.related)
        return content


@dataclass(frozen=True, slots=True)
class Recoding:
    """A code that gave way to another within a part: `assigned` if it was a pending code, else `replaced`.

    `evidence` says what the match rests on, in fixed words: "loinc-label", "order:24326-1", "order-label", "results".
    """

    part: Part
    old_code: str
    new_code: str
    kind: Kind
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncompared:
    """A field left out because one side has no column for it; `field` is "" for a whole tab that one side lacks."""

    part: Part
    field: str
    missing_in: Sense


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions compared: its file, and what its Sommaire says."""

    path: str
    sha256: str
    version: str = ""
    date: str = ""
    loinc_version: str = ""
    title: str = ""


@dataclass(frozen=True)
class Comparison:
    """All changes from one version to another, in a fixed order: kind, part, code, then the rest."""

    old: Side
    new: Side
    changes: tuple[Change, ...] = ()
    recodings: tuple[Recoding, ...] = ()
    uncompared: tuple[Uncompared, ...] = ()

    @cached_property
    def summary(self) -> dict[Kind, int]:
        """Number of changes by kind, every kind named."""
        return {kind: sum(change.kind == kind for change in self.changes) for kind in KINDS}

    @cached_property
    def impacts(self) -> dict[Impact, int]:
        """Number of changes by impact, every impact named."""
        return {impact: sum(change.impact == impact for change in self.changes) for impact in IMPACTS}

    def select(
        self,
        kind: Kind | None = None,
        part: Part | None = None,
        fields: Iterable[str] | None = None,
        impact: Impact | None = None,
    ) -> tuple[Change, ...]:
        """Return the changes of a kind, a part, some fields, an impact; those not given do not count."""
        names = None if fields is None else frozenset(fields)
        return tuple(
            change
            for change in self.changes
            if (kind is None or change.kind == kind)
            and (part is None or change.part == part)
            and (names is None or change.field in names)
            and (impact is None or change.impact == impact)
        )

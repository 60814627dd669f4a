"""What a comparison says: changes, their summary, and what could not be compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from jdv_qa.workbook.edition import MAIN_FIELDS

Kind: TypeAlias = Literal["added", "removed", "modified", "assigned", "replaced"]
Part: TypeAlias = Literal[
    "order", "result", "association", "nabm",
    "chapter", "clinical_info", "specimen", "site", "laterality", "technique", "term",
]  # fmt: skip
Impact: TypeAlias = Literal["breaking", "additive", "editorial"]
Sense: TypeAlias = Literal["old", "new"]
Actor: TypeAlias = Literal["laboratory", "software", "nobody"]

KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS: tuple[Part, ...] = get_args(Part)
IMPACTS: tuple[Impact, ...] = get_args(Impact)
ACTORS: tuple[Actor, ...] = get_args(Actor)
REFERENCES: tuple[Part, ...] = ("chapter", "clinical_info", "specimen", "site", "laterality", "technique")
"""The parts held by the reference tabs."""

_DIGITS = re.compile(r"(\d+)")
_LONGEST_NUMBER = 18
"""Digits of a number in a code; what is longer is no number of a code, and Python refuses to read thousands of them."""
_FIELD_ORDER = {name: place for place, name in enumerate((*MAIN_FIELDS, "code", "label", "subcode", "sublabel"))}


def field_place(field: str) -> tuple[int, str]:
    """Return a key that sorts fields in the order of the reference workbook, others after them by name."""
    return _FIELD_ORDER.get(field, len(_FIELD_ORDER)), field


@lru_cache(maxsize=32768)
def code_place(code: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts codes by their numbers: 2951-2 before 24326-1."""
    return tuple(
        (0, int(part), part) if len(part) <= _LONGEST_NUMBER and part.isdecimal() else (1, 0, part)
        for part in _DIGITS.split(code)
        if part
    )


class Change(NamedTuple):
    """One change. `code` is "" for an entry written without a code; rows are those of the first row that carries it.

    An association has the order's code and label, the result's code in `result` and the result's label in `old` or
    `new`; a NABM alignment likewise, with the NABM code in `nabm`. A `modified` change has the texts as read in `old`
    and `new`, "" for a blank cell. `related` lists codes that tell more of the story: where a result that left an
    order went, the code that a modified entry had before, the code that a removed one may have become. `confidence`
    and `evidence` are those of the recoding. `reworded`: the text changed and means the same, by the known rewordings of
    an axis. `actors` are those who have something to do.
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
    confidence: float | None = None
    evidence: tuple[str, ...] = ()
    reworded: bool = False
    actors: tuple[Actor, ...] = ()

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
        if self.confidence is not None:
            content |= {"confidence": self.confidence, "evidence": list(self.evidence)}
        if self.reworded:
            content["reworded"] = True
        return content


class Recoding(NamedTuple):
    """A code that gave way to another within a part: `assigned` if it was a pending code, else `replaced`.

    An entry without code that was given one is `modified`: it stood under its label, `old_key`.
    `evidence` says what the match rests on, in fixed words: "loinc-label", "loinc-label-reworded" (known rewordings of
    an axis), "loinc-label-like", "display", "order-label" (both also "-like"), "order:24326-1", "results",
    "results-shared", "rank", "chapter", "unit", "nabm", "specimen", "type", "map-to" (LOINC says so); and "label", of
    the entries of a reference tab or of a one-table form that have the same one.
    """

    part: Part
    old_code: str
    new_code: str
    kind: Kind
    evidence: tuple[str, ...] = ()
    confidence: float = 1.0
    old_key: str = ""


class Resemblance(NamedTuple):
    """A removed and an added code that may be one, not surely enough to say so; evidence as in Recoding."""

    part: Part
    old_code: str
    new_code: str
    confidence: float
    evidence: tuple[str, ...] = ()


class Named(NamedTuple):
    """A code, or the label of an entry without one, and its label."""

    code: str
    label: str


class Movement(NamedTuple):
    """What several changes amount to: `split` and `merge` of orders, results or sub-chapters that change chapter.

    `codes` are the results that went from one order to another, or the results or sub-chapters that changed chapter.
    """

    kind: Literal["split", "merge", "chapter", "subchapter"]
    sources: tuple[Named, ...]
    targets: tuple[Named, ...]
    codes: tuple[str, ...]


class Collision(NamedTuple):
    """A key that is not unique in one of the editions, and the rows that carry it.

    `repeated`: the same code, or pair of an order and a `result`, several times. `meanings`: a pending code under labels
    that do not mean the same, all in `values`.
    """

    side: Sense
    part: Part
    kind: Literal["repeated", "meanings"]
    code: str
    rows: tuple[int, ...]
    result: str | None = None
    values: tuple[str, ...] = ()


class Uncompared(NamedTuple):
    """A field left out because one side has no column for it; `field` is "" for a whole tab that one side lacks."""

    part: Part
    field: str
    missing_in: Sense


class Transition(NamedTuple):
    """A code whose status is not the same in two LOINC releases; "" is a code that a release lacks.

    `kept`: the new edition still has it. `instead`: what the later release gives in its place (MapTo, chains followed to
    terms in use), if anything.
    """

    code: str
    label: str
    before: str
    after: str
    kept: bool
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statuses:
    """The statuses of the codes of a value set in two LOINC releases, where they differ."""

    old_version: str
    new_version: str
    transitions: tuple[Transition, ...] = ()

    @property
    def withdrawn(self) -> tuple[Transition, ...]:
        """The codes that LOINC has come to deprecate or discourage and that the new edition still has."""
        from jdv_qa.terminology.loinc import WITHDRAWN

        return tuple(one for one in self.transitions if one.kept and one.after in WITHDRAWN)

    @cached_property
    def counts(self) -> dict[tuple[str, str], int]:
        """(status before, status after) -> number of codes, in a fixed order."""
        return dict(sorted(Counter((one.before, one.after) for one in self.transitions).items()))


class Side(NamedTuple):
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
    resemblances: tuple[Resemblance, ...] = ()
    movements: tuple[Movement, ...] = ()
    collisions: tuple[Collision, ...] = ()
    statuses: Statuses | None = None
    """None unless both LOINC releases are known."""

    @cached_property
    def summary(self) -> dict[Kind, int]:
        """Number of changes by kind, every kind named."""
        return {kind: sum(change.kind == kind for change in self.changes) for kind in KINDS}

    @cached_property
    def impacts(self) -> dict[Impact, int]:
        """Number of changes by impact, every impact named."""
        return {impact: sum(change.impact == impact for change in self.changes) for impact in IMPACTS}

    @cached_property
    def actors(self) -> dict[Actor, int]:
        """Number of changes that each has something to do about; a change may be for several."""
        return {actor: sum(actor in change.actors for change in self.changes) for actor in ACTORS}

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

"""The life of a code through the releases of a register: when it came, what changed of it, what became of it.

Each release keeps its changes since the version before (`changes.json`), so that thirty releases are read in a moment;
of the first one alone the tables are read. A pending code and the LOINC code it was given, or a code and the one that
took its place, are one life: asked about either, both are followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from jdv_qa.compare.model import KINDS, PARTS, Kind, Part, code_place
from jdv_qa.errors import RegisterError
from jdv_qa.language import say
from jdv_qa.publish.register import CHANGES, Register, Release, read_release
from jdv_qa.workbook.edition import REFERENCE_PARTS, Edition, split_values

Happening: TypeAlias = Literal["first", "added", "removed", "modified", "assigned", "replaced"]
"""What can befall a code: "first", it is there in the first version of the register; else the kinds of changes."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that befell a code in a release.

    `code` is the code as it was before, `new_code` the one it became or "". `other` is the second code of a pair: the
    order or the result of an association, the NABM act or the order of an alignment. `field` is "" but for a
    modification, whose texts are in `old` and `new`.
    """

    version: str
    date: str
    happening: Happening
    part: Part
    code: str
    label: str
    field: str = ""
    old: str = ""
    new: str = ""
    new_code: str = ""
    other: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the JSON form, empty values left out but for the two texts of a modification."""
        content = {
            "version": self.version, "date": self.date, "kind": self.happening, "part": self.part, "code": self.code,
            "label": self.label, "field": self.field, "old": self.old, "new": self.new, "new_code": self.new_code,
            "other": self.other,
        }  # fmt: skip
        always = ("version", "date", "kind", "part", "code", *(("old", "new") if self.field else ()))
        return {key: value for key, value in content.items() if value or key in always}


@dataclass(frozen=True)
class History:
    """The life of a code: the releases of the register, the codes of that life, and what befell them, in order.

    `standing` has the codes of that life that the last release holds.
    """

    code: str
    releases: tuple[Release, ...]
    codes: tuple[str, ...]
    events: tuple[Event, ...]
    standing: tuple[str, ...]

    @cached_property
    def by_version(self) -> dict[str, tuple[Event, ...]]:
        """Version -> its events, every version of the register in order."""
        return {
            release.version: tuple(event for event in self.events if event.version == release.version)
            for release in self.releases
        }


@dataclass(frozen=True, slots=True)
class _Recoded:
    """A code that gave way to another in a release, counted from 0."""

    place: int
    old: str
    new: str


def code_history(register: Register, code: str) -> History:
    """Return the life of a code: of an order, a result, a NABM act or an entry of a reference tab.

    A code that no release has has a life without events. Raises RegisterError when the register has no release or a
    release lacks its changes.
    """
    if not register.releases:
        raise RegisterError(
            say(
                f"{register.directory} : le registre n'a aucune version ; « jdv import-release » y fait entrer les anciens "
                "classeurs",
                f"{register.directory}: the register has no version; `jdv import-release` takes old workbooks into it",
            )
        )
    first = register.releases[0]
    changes: list[tuple[Mapping[str, Any], ...]] = [
        (),
        *(_changes(register, release) for release in register.releases[1:]),
    ]
    spans = _spans(code, changes)
    events = list(_present(first, read_release(register, first), {code for code in spans if spans[code][0] == 0}))
    for place, release in enumerate(register.releases[1:], 1):
        for change in changes[place]:
            events.extend(_events(release, place, change, spans))
    codes = tuple(dict.fromkeys(code for event in events for code in (event.code, event.new_code) if code in spans))
    return History(code, register.releases, codes, tuple(events), _standing(events))


def _changes(register: Register, release: Release) -> tuple[Mapping[str, Any], ...]:
    """Read the changes of a release, those of the order in which a reader wants them: by kind, part, code."""
    path = register.folder(release) / CHANGES
    try:
        content = json.loads(path.read_bytes())
        changes = content["changes"]
        if unknown := [change for change in changes if change["kind"] not in KINDS or change["part"] not in PARTS]:
            raise ValueError(unknown[0])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else say("contenu inattendu", "unexpected content")
        raise RegisterError(
            say(
                f"{path} : changements illisibles ({reason}) ; « jdv verify {release.version} » dit ce qui manque",
                f"{path}: unreadable changes ({reason}); `jdv verify {release.version}` tells what is missing",
            )
        ) from None
    return tuple(changes)


def _spans(code: str, changes: Sequence[Iterable[Mapping[str, Any]]]) -> dict[str, tuple[int, int]]:
    """Return the codes of a life -> the first and the last release, by place, in which they belong to it.

    What a code was before it entered this life, or became after it left it, is another story: a pending code may be
    used again.
    """
    recoded = [
        _Recoded(place, change["code"], change["new_code"])
        for place, of_release in enumerate(changes)
        for change in of_release
        if change.get("new_code") and change["kind"] in ("assigned", "replaced")
    ]
    last = len(changes)
    spans = {code: (0, last)}
    before, after = [(code, last)], [(code, 0)]
    while before:
        name, until = before.pop()
        for step in recoded:
            if step.new == name and step.place <= until and step.old not in spans:
                spans[step.old] = (0, step.place)
                before.append((step.old, step.place))
    while after:
        name, since = after.pop()
        for step in recoded:
            if step.old == name and step.place >= since and step.new not in spans:
                spans[step.new] = (step.place, last)
                after.append((step.new, step.place))
    return spans


def _present(release: Release, edition: Edition, codes: set[str]) -> Iterator[Event]:
    """Yield what the first release of the register holds under some codes."""

    def event(part: Part, code: str, label: str, other: str = "") -> Event:
        return Event(release.version, release.date, "first", part, code, label, other=other)

    for code in sorted(codes, key=code_place):
        if (order := edition.orders.get(code)) is not None and order.code:
            yield event("order", code, order["order_label"] or order["order_loinc_label"])
        if (result := edition.results.get(code)) is not None and result.code:
            yield event("result", code, result["result_loinc_label"] or result["result_display"])
        aligned = dict.fromkeys(
            order.code
            for order in edition.orders.values()
            if any(code in split_values(row["nabm_code"]) for row in order.records)
        )
        for name in aligned:
            yield event("nabm", name, edition.orders[name]["order_label"] if name else "", code)
        for tab, part in REFERENCE_PARTS.items():
            for record in edition.records(tab):
                if code in (record["code"], record["subcode"]):
                    sub = code == record["subcode"]
                    yield event(_PART[part], code, record["sublabel"] if sub else record["label"])
                    break


_PART: dict[str, Part] = {part: part for part in PARTS}


def _events(
    release: Release, place: int, change: Mapping[str, Any], spans: Mapping[str, tuple[int, int]]
) -> Iterator[Event]:
    """Yield what a change is to the codes of a life: one event, or none when it concerns none of them."""
    kind: Kind = change["kind"]
    second = change.get("result") or change.get("nabm") or ""
    named = (change["code"], change.get("new_code") or "", second)
    if not any(code in spans and spans[code][0] <= place <= spans[code][1] for code in named if code):
        return
    yield Event(
        release.version,
        release.date,
        kind,
        change["part"],
        change["code"],
        change["label"],
        change["field"] or "",
        change["old"] or "",
        change["new"] or "",
        change.get("new_code") or "",
        second,
    )


def _standing(events: Iterable[Event]) -> tuple[str, ...]:
    """Return the codes that stand at the end, by what befell them as orders, results or entries of a reference tab."""
    standing: dict[tuple[Part, str], bool] = {}
    for event in events:
        if event.part in ("association", "nabm"):
            continue
        standing[event.part, event.code] = event.happening not in ("removed", "assigned", "replaced")
        if event.new_code:
            standing[event.part, event.new_code] = True
    return tuple(dict.fromkeys(code for (_, code), stands in standing.items() if stands))

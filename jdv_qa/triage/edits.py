"""What a request means, as data: the cells, rows and reasons of a proposal. Nothing here looks at a workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jdv_qa.language import french_spaces, say

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a sentence in the language in use, and the id of the rule it rests on, if one."""

    message: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class CellSet:
    """A cell that gets another value; None stands for a blank cell."""

    tab: str
    row: int
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RowAdded:
    """A row to insert below a row of the workbook. `values`: its own cells; `order`: the order it belongs to, if any."""

    tab: str
    below: int
    values: Mapping[str, str]
    order: str = ""
    inherited: Mapping[str, str] = field(default_factory=dict)
    """Order cells that are left blank because they are those of the row above, in a workbook that writes them once."""

    @property
    def whole(self) -> dict[str, str]:
        """The row as it reads, the cells completed from above included."""
        return {**self.inherited, **self.values}


@dataclass(frozen=True, slots=True)
class RowRemoved:
    """A row to delete, with what it holds."""

    tab: str
    row: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """What a request changes. Row numbers are those of the workbook as it is."""

    cells: tuple[CellSet, ...] = ()
    added: tuple[RowAdded, ...] = ()
    removed: tuple[RowRemoved, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.cells or self.added or self.removed)

    def __add__(self, other: Edit) -> Edit:
        """Return both edits as one."""
        return Edit(self.cells + other.cells, self.added + other.added, self.removed + other.removed)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the changes cell by cell, as in the JSON of the triage.

        `action` is "set", "add" (a cell of a row inserted so that it becomes that row; `order` says whose) or "remove" (a
        cell of a row deleted).
        """
        changes: list[dict[str, Any]] = [
            {"tab": c.tab, "row": c.row, "field": c.field, "before": c.before, "after": c.after, "action": "set"}
            for c in self.cells
        ]
        places: dict[tuple[str, int], int] = {}
        for row in self.added:
            key = (row.tab, row.below)
            places[key] = number = places.get(key, row.below) + 1
            for name, value in row.values.items():
                change = {"tab": row.tab, "row": number, "field": name, "before": None, "after": value, "action": "add"}
                changes.append(change | ({"order": row.order} if row.order else {}))
        for gone in self.removed:
            changes += [
                {"tab": gone.tab, "row": gone.row, "field": name, "before": value, "after": None, "action": "remove"}
                for name, value in gone.values.items()
            ]
        return changes


@dataclass(frozen=True, slots=True)
class Introduced:
    """A code that a request brings into the value set, as an order or as a result, under a label."""

    code: str
    label: str
    as_order: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a request means.

    `missing`: what is needed to act and is not said. `done`: the value set says so already. `faults`: what is wrong with
    the request itself, beyond what the rules see in the workbook. `notes`: what a maintainer should know. `codes`: the
    codes and other keys it is about, `under` the orders that a result goes under. `introduced`: the codes it brings in.
    `wanted`: (cell -> value) that it asks for expressly, to find contradictions; `meaning`: the same for two requests
    that ask for one thing. `term`: the label of the term it asks of LOINC.
    """

    edit: Edit = Edit()
    missing: tuple[Reason, ...] = ()
    done: tuple[Reason, ...] = ()
    faults: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    codes: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    introduced: tuple[Introduced, ...] = ()
    wanted: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    meaning: tuple[Any, ...] = ()
    term: str | None = None


def reason_of(rule: str | None, fr: str, en: str) -> Reason:
    """Return a reason in the language in use, with the spaces of French typography."""
    return Reason(say(french_spaces(fr), en), rule)


def lacking(rule: str | None, fr: str, en: str) -> Proposal:
    """Return the proposal of a request that lacks something."""
    return Proposal(missing=(reason_of(rule, fr, en),))


def joined(found: Sequence[Proposal]) -> Proposal:
    """Return several proposals of one request as one; it is done when all are, and what is done among others is a note."""
    if len(found) == 1:
        return found[0]
    edit = Edit()
    for proposal in found:
        edit += proposal.edit
    done = tuple(reason for proposal in found for reason in proposal.done)
    whole = bool(found) and all(proposal.done for proposal in found)

    def all_of(name: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(item for proposal in found for item in getattr(proposal, name)))

    wanted: dict[tuple[str, ...], str] = {}
    for proposal in found:
        wanted |= proposal.wanted
    return Proposal(
        Edit(tuple(dict.fromkeys(edit.cells)), edit.added, tuple({row.row: row for row in edit.removed}.values())),
        all_of("missing"),
        done if whole else (),
        all_of("faults"),
        all_of("notes") + (() if whole else done),
        all_of("codes"),
        all_of("under"),
        all_of("introduced"),
        wanted,
        tuple(proposal.meaning for proposal in found),
    )

"""What was measured, as tables for a terminal and for a document, and as JSON."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import jdv_qa
from benchmarks.cases import GROWTH, MEMORY_MIB, Case
from benchmarks.inputs import FEW, MANY, TINY, Inputs

if TYPE_CHECKING:
    from rich.table import Table as RichTable

LIBRARIES = ("openpyxl", "python-calamine", "frictionless", "deepdiff", "typer", "rich", "xlsxwriter")

_LEAST_SHARE = 0.02
"""A place that takes less of the whole is told with the others."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of figures: the first column is text on the left, the others stand on the right."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> RichTable:
        """Return it for a terminal."""
        from rich.table import Table as RichTable

        shown = RichTable(box=None, pad_edge=False)
        for number, header in enumerate(self.headers):
            shown.add_column(header, justify="right" if number else "left")
        for row in self.rows:
            shown.add_row(*row)
        return shown

    def markdown(self) -> str:
        """Return it as Markdown."""
        lines = [self.headers, ["---", *["---:"] * (len(self.headers) - 1)], *self.rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Memory:
    """The most memory of a command with its children, in MiB."""

    name: str
    mib: float


@dataclass(frozen=True, slots=True)
class Growth:
    """A command on few and on many rows; `whole` and `rows` say how much more a row costs in the greater workbook."""

    name: str
    cases: Mapping[int, Case]

    def microseconds(self, rows: int) -> float:
        """Return the cost of a row of the whole process."""
        return self.cases[rows].median / rows * 1e6

    @property
    def whole(self) -> float:
        """The growth of the cost per row of the whole process."""
        return self.microseconds(MANY) / self.microseconds(FEW)

    @property
    def rows(self) -> float:
        """The growth of the cost per row beyond start-up: between few and many rows, against between nearly none and few."""
        first, second = (
            (self.cases[more].median - self.cases[less].median) / (more - less)
            for less, more in pairwise((TINY, FEW, MANY))
        )
        return second / first


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the milliseconds of a command go; `yard` and `whole` are those of its yardstick and of all of it."""

    name: str
    yard: float
    whole: float
    places: Mapping[str, float]


def ratio(case: Case, measured: Iterable[Case]) -> float | None:
    """Return the median of a case divided by that of its yardstick."""
    return next((case.median / other.median for other in measured if other.name == case.against), None)


def times_table(measured: Iterable[Case], among: Sequence[Case] = ()) -> Table:
    """Return the times; the yardsticks are looked for in `among`, or in the cases themselves."""
    shown = list(measured)
    yards = among or shown
    rows = []
    for case in shown:
        found = ratio(case, yards)
        rows.append(
            (
                case.name,
                f"{case.median:.3f}",
                f"{min(case.seconds):.3f}–{max(case.seconds):.3f}",
                case.against or "–",
                "" if found is None else f"{found:.2f}",
                "" if case.target is None else f"{case.target:.2f}",
                "" if found is None or case.target is None else "met" if found <= case.target else "missed",
            )
        )
    return Table(("Process", "Seconds", "From–to", "Against", "Ratio", "At most", ""), rows)


def memory_table(memories: Iterable[Memory]) -> Table:
    """Return the memory of each command."""
    rows = [
        (each.name, f"{each.mib:.0f}", "" if "table" in each.name or "annotate" in each.name else str(MEMORY_MIB))
        for each in memories
    ]
    return Table(("Process", "MiB", "At most"), rows)


def growth_table(growths: Iterable[Growth]) -> Table:
    """Return the cost of a row in each command."""
    rows = [
        (
            each.name,
            f"{each.microseconds(FEW):.0f}",
            f"{each.microseconds(MANY):.0f}",
            f"{each.whole:.2f}",
            f"{each.rows:.2f}",
            f"{GROWTH:.1f}",
        )
        for each in growths
    ]
    headers = f"µs a row, {FEW:,} rows", f"µs a row, {MANY:,} rows", "Growth", "Growth beyond start-up", "At most"
    return Table(("Process", *headers), rows)


def profile_table(profile: Profile) -> Table:
    """Return where the time of a command goes, those places that count."""
    total = sum(profile.places.values())
    told = {place: taken for place, taken in profile.places.items() if taken > 0 and taken >= _LEAST_SHARE * total}
    rest = total - sum(told.values())
    if rest:
        told["elsewhere"] = rest
    rows = [(place, f"{taken:.0f}", f"{taken / profile.yard:.3f}") for place, taken in told.items()]
    return Table((profile.name, "ms", "of the yardstick"), rows)


def about(inputs: Inputs, rounds: int) -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "jdv": jdv_qa.__version__,
        "rounds": rounds,
        "workbooks": inputs.origin,
        "Python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        **{library: metadata.version(library) for library in LIBRARIES},
    }


def as_json(
    facts: Mapping[str, object],
    measured: Sequence[Case],
    memories: Sequence[Memory],
    growths: Sequence[Growth],
    profiles: Sequence[Profile],
) -> dict[str, object]:
    """Return all figures for JSON."""
    return {
        "about": {"schema": "jdv-benchmarks/2", **facts},
        "cases": {
            case.name: {
                "seconds": [round(second, 4) for second in case.seconds],
                "median": round(case.median, 4),
                "against": case.against or None,
                "ratio": None if (found := ratio(case, measured)) is None else round(found, 3),
                "target": case.target,
            }
            for case in measured
        },
        "memory_mib": {each.name: round(each.mib, 1) for each in memories},
        "growth": {each.name: {"whole": round(each.whole, 3), "rows": round(each.rows, 3)} for each in growths},
        "profiles": {each.name: {place: round(taken, 1) for place, taken in each.places.items()} for each in profiles},
    }


def renew(document: Path, tables: Mapping[str, str]) -> None:
    """Write tables into a document, each between its marks, `<!-- figures: NAME -->` and `<!-- end -->`.

    Ends the program, with nothing written, if a table has no place.
    """
    text = document.read_text(encoding="utf-8")
    for name, table in tables.items():
        before, mark, rest = text.partition(f"<!-- figures: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not end:
            sys.exit(f"{document}: no marks for the figures of {name}")
        text = f"{before}{mark}\n{table.rstrip()}\n\n{end}{after}"
    document.write_text(text, encoding="utf-8")

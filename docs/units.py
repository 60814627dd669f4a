"""`python -m docs.units TERMS`: writes the figures of docs/units.md, how LOINC's example units fare under the tables of units.

TERMS is a table of LOINC terms, Loinc.csv or the same compressed (.gz).
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jdv_qa.terminology.labels import wording
from jdv_qa.terminology.properties import Fault, judge, properties

PAGE = Path(__file__).parent / "units.md"
FAULTS = {Fault.NOT_UCUM: "UNI-02", Fault.DIMENSION: "UNI-03", Fault.SUSPICIOUS: "UNI-04"}

BEGIN = "<!-- figures -->\n"


@dataclass
class Tally:
    """The example units of the terms of one property: how many, and those with which something is wrong."""

    pairs: int = 0
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def wrong(self) -> int:
        """The number of units with which something is wrong."""
        return self.faults.total()


def tally(path: Path) -> dict[str, Tally]:
    """Return the tally of every property of a table of terms, the commonest first."""
    found: dict[str, Tally] = {}
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            for unit in filter(None, map(str.strip, row["EXAMPLE_UCUM_UNITS"].split(";"))):
                entry = found.setdefault(row["PROPERTY"], Tally())
                entry.pairs += 1
                if (fault := judge(unit, frozenset({row["PROPERTY"]})).fault) is not None:
                    entry.faults[FAULTS[fault], unit] += 1
    return dict(sorted(found.items(), key=lambda item: (-item[1].pairs, item[0])))


def figures(tallies: Mapping[str, Tally]) -> str:
    """Return the text of the figures."""
    pairs = sum(entry.pairs for entry in tallies.values())
    wrong = sum(entry.wrong for entry in tallies.values())
    known = {name: entry for name, entry in tallies.items() if name in properties()}
    others = {name: entry for name, entry in tallies.items() if name not in properties()}
    lines = [
        f"{_number(pairs)} couples (code, unité), dont {_number(wrong)} signalés, soit {_share(wrong, pairs)}.",
        "",
        "| grandeur | en français | dimensions admises | couples | signalés | part |",
        "|---|---|---|---:|---:|---:|",
    ]
    for name, entry in known.items():
        dimensions = ", ".join(f"`{dimension}`" for dimension in sorted(properties()[name].dimensions)) or "toutes"
        french = wording("property", name) or ""
        lines.append(
            f"| {name} | {french} | {dimensions} | {_number(entry.pairs)} | {entry.wrong} | {_share(entry.wrong, entry.pairs)} |"
        )
    rest = sum(entry.pairs for entry in others.values())
    lines += [
        f"| {len(others)} autres | | toutes | {_number(rest)} | {sum(entry.wrong for entry in others.values())} | |",
        "",
        "Les unités signalées, toutes :",
        "",
        "| grandeur | unité | règle | termes |",
        "|---|---|---|---:|",
    ]
    for name, entry in tallies.items():
        lines += [f"| {name} | `{unit}` | {rule} | {count} |" for (rule, unit), count in sorted(entry.faults.items())]
    return "\n".join(lines) + "\n"


def _number(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %".replace(".", ",") if whole else ""


def page(text: str, tallies: Mapping[str, Tally]) -> str:
    """Return the text of the page with other figures."""
    return text.partition(BEGIN)[0] + BEGIN + "\n" + figures(tallies)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), tally(Path(sys.argv[1]))), encoding="utf-8")

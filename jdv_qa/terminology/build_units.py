"""Writes the table of known units, `rules/units.csv`: `python -m jdv_qa.terminology.build_units [--loinc LOINC] [UNIT...]`.

The table holds what people write in the unit column, right and wrong, so that a check need not ask ucumvert. Its units are those
it already has, those named, the SI units of the properties, and the example units of a LOINC release. What it says of each comes
from `ucum`, that is from ucumvert.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path

from jdv_qa.resources import rules_directory
from jdv_qa.terminology.loinc import Term, read_release
from jdv_qa.terminology.properties import properties, si_units
from jdv_qa.terminology.ucum import define, without_annotations
from jdv_qa.terminology.units import TABLE

HEADER = ("unit", "dimension", "factor", "loinc_terms")


def example_units(terms: Mapping[str, Term]) -> Iterator[tuple[Term, str]]:
    """Yield (term, unit) for every example unit of the terms of a LOINC release."""
    for term in terms.values():
        for unit in term.units.split(";"):
            if unit.strip():
                yield term, unit.strip()


def rows(units: Iterable[str], uses: Mapping[str, int]) -> list[tuple[str, str, str, int]]:
    """Return the rows of the table for some units, the most used first; the dimension is "" when a unit is not UCUM."""
    found = []
    for unit in {without_annotations(text) for text in units}:
        definition = define(unit)
        dimension = definition.dimension if definition else ""
        factor = str(definition.factor) if definition and definition.factor is not None else ""
        found.append((unit, dimension, factor, uses.get(unit, 0)))
    return sorted(found, key=lambda row: (-row[3], row[0]))


def table(units: Iterable[str], uses: Mapping[str, int]) -> str:
    """Return the text of the table of some units."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows(units, uses))
    return out.getvalue()


def main(arguments: list[str]) -> None:
    """Rewrite the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loinc", type=Path, help="a LOINC release, whose example units are added and counted anew")
    parser.add_argument("units", nargs="*", metavar="UNIT")
    options = parser.parse_args(arguments)
    path = rules_directory() / TABLE
    with path.open(encoding="utf-8", newline="") as file:
        uses = {row["unit"]: int(row["loinc_terms"]) for row in csv.DictReader(file)}
    units = [*uses, *options.units]
    if options.loinc:
        uses = Counter(without_annotations(unit) for _, unit in example_units(read_release(options.loinc).terms))
    of_si = (unit for entry in properties().values() for unit in si_units((*entry.si, *entry.also)))
    path.write_text(table([*units, *uses, *of_si], uses), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

"""`python -m benchmarks.candidates`: how often the right LOINC code is among the candidates of a wording without one axis.

Real English names (`LONG_COMMON_NAME`), real French labels, and wordings made of LOINC's parts or of their French ones, each
of the six axes left out in turn. Recall is given for the cases where one to ten terms in use fit the wording, that is, have
the axes that it states (a few French labels state other axes than the release for their own code), and for all cases. The terms
are those of the folder of reference data (`JDV_REFERENCE_DATA`, see CONTRIBUTING.md), without any French name: what is
French in a wording is understood by `rules/` alone.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from jdv_qa.terminology.fitting import name_parts
from jdv_qa.terminology.labels import loinc_parts, parse_label, wording
from jdv_qa.terminology.loinc import AXES, LoincRelease, Term, read_release
from jdv_qa.triage.candidates import candidates
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.edition import Table as EditionTable

MOST = 10
"""Terms that may fit a wording for the right one to be expected among the first ten candidates."""

FAMILIES = ("english names", "LOINC parts", "French axes", "French labels")
_REPOSITORY = Path(__file__).resolve().parent.parent


class Case(NamedTuple):
    """A wording, the axis it leaves out, the code it was made from, and how many terms in use fit it, 0 if that one does not."""

    family: str
    axis: str
    wording: str
    code: str
    fitting: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case, and the place of the right code among the candidates (from 1; 0 when it is not among them)."""

    case: Case
    place: int


def data_folder() -> Path:
    """Return the folder of the reference data; it may not exist."""
    return Path(os.environ.get("JDV_REFERENCE_DATA", _REPOSITORY.parent / "shared" / "data"))


def load_release(folder: Path) -> LoincRelease:
    """Return the laboratory terms of the reference data as a release."""
    with tempfile.TemporaryDirectory(prefix="jdv-candidates-") as name:
        table = Path(name) / "Loinc.csv"
        table.write_bytes(gzip.decompress((folder / "loinc_lab_extract.csv.gz").read_bytes()))
        return read_release(table)


def empty_edition() -> Edition:
    """Return a value set without any row, so that its labels give no help."""
    return Edition({"main": EditionTable("main", ())})


def cases(release: LoincRelease, labels: Path, size: int, seed: int) -> list[Case]:
    """Return `size` cases of each family but the French labels, which are all taken."""
    terms = [term for term in release.terms.values() if term.status in ("ACTIVE", "") and term.name]
    by_parts = Counter(_key({name: getattr(term, name) for name in AXES}, axis) for term in terms for axis in AXES)
    by_name = Counter(_key(_named(term), axis) for term in terms for axis in AXES)
    found: list[Case] = []
    for family in FAMILIES[:3]:
        fitting = by_name if family == "english names" else by_parts
        order = list(terms)
        random.Random(f"{seed} {family}").shuffle(order)
        made = (
            Case(family, axis, text, term.code, fitting[_key(parts, axis)])
            for term in order
            for parts in [_named(term) if family == "english names" else {name: getattr(term, name) for name in AXES}]
            for axis, text in _wordings(family, term)
        )
        picked: dict[str, list[Case]] = {axis: [] for axis in AXES}
        share = -(-size // len(AXES))
        for case in made:
            if len(picked[case.axis]) < share:
                picked[case.axis].append(case)
            elif all(len(cases) >= share for cases in picked.values()):
                break
        found += [case for axis in AXES for case in picked[axis]]
    with labels.open(encoding="utf-8", newline="") as file:
        seen = set()
        for row in csv.DictReader(file):
            label = parse_label(row["label"])
            term = release.terms.get(row["code"])
            if label is None or term is None or term.status not in ("ACTIVE", "") or row["code"] in seen:
                continue
            seen.add(row["code"])
            parts = {axis: getattr(label, axis) for axis in AXES}
            found += [
                Case(FAMILIES[3], axis, _french(parts, axis), term.code, _fitting_label(parts, axis, term, by_parts))
                for axis in AXES
                if parts[axis]
            ]
    return found


def _named(term: Term) -> dict[str, str]:
    return dict(zip(AXES, name_parts(term.name), strict=True))


def _key(parts: Mapping[str, str], axis: str) -> tuple[str, ...]:
    """Return the axes without one of them."""
    return (axis, *(parts[other] for other in AXES if other != axis))


def _fitting_label(parts: Mapping[str, str], axis: str, term: Term, by_parts: Counter[tuple[str, ...]]) -> int:
    """Return how many terms have the axes that a French label states but one, 0 when its own term has not."""
    meant = {"component": frozenset({term.component})}
    for name in AXES[1:]:
        meant[name] = loinc_parts(name, parts[name]) or frozenset({getattr(term, name)})
    others = [name for name in AXES if name != axis]
    if any(getattr(term, name) not in meant[name] for name in others):
        return 0
    return sum(by_parts[(axis, *values)] for values in product(*(meant[name] for name in others)))


def _wordings(family: str, term: Term) -> Iterator[tuple[str, str]]:
    """Yield the axis left out and the wording, for every axis that the full wording states."""
    if family == "english names":
        parts = _named(term)
        for axis in AXES:
            if parts[axis] or axis == "scale":
                yield axis, _english(parts | {axis: ""})
        return
    values = {axis: getattr(term, axis) for axis in AXES}
    if family == "French axes":
        values |= {axis: wording(axis, values[axis]) or values[axis] for axis in AXES[1:]}
        for axis in AXES:
            if getattr(term, axis) and not (axis == "time" and term.time == "Pt"):
                yield axis, _french(values, axis)
        return
    for axis in AXES:
        if values[axis]:
            yield axis, " ".join(value for other, value in values.items() if other != axis and value)


def _english(parts: dict[str, str]) -> str:
    place = " ".join(part for part in (parts["time"], parts["system"]) if part)
    texts = [
        parts["component"], parts["property"] and f"[{parts['property']}]", place and f"in {place}",
        parts["method"] and f"by {parts['method']}", parts["scale"],
    ]  # fmt: skip
    return " ".join(text for text in texts if text)


def _french(parts: dict[str, str], left_out: str) -> str:
    kept = {axis: "" if axis == left_out or text == "Ponctuel" else text for axis, text in parts.items()}
    head = " ".join(text for text in (kept["component"], kept["property"] and f"[{kept['property']}]") if text)
    tail = " ; ".join(kept[axis] for axis in ("time", "system", "scale", "method") if kept[axis])
    return f"{head} {tail}".strip()


def measure(release: LoincRelease, made: Sequence[Case], edition: Edition | None = None) -> list[Outcome]:
    """Return where the right code of each case is among its candidates."""
    edition = edition or empty_edition()
    outcomes = []
    for case in made:
        codes = [found.code for found in candidates(case.wording, edition=edition, release=release, limit=10)]
        outcomes.append(Outcome(case, codes.index(case.code) + 1 if case.code in codes else 0))
    return outcomes


def recall(outcomes: Sequence[Outcome], first: int) -> float:
    """Return the share of cases whose right code is among the first candidates; 0 where there is no case."""
    return sum(0 < outcome.place <= first for outcome in outcomes) / len(outcomes) if outcomes else 0.0


def summary(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, str, list[Outcome]]]:
    """Yield family, axis ("" for all of them) and cases."""
    for family in FAMILIES:
        own = [outcome for outcome in outcomes if outcome.case.family == family]
        for axis in AXES:
            yield family, axis, [outcome for outcome in own if outcome.case.axis == axis]
        yield family, "", own
    yield "all", "", list(outcomes)


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return recall at 1, 5 and 10 for the cases that ten terms at most fit, and for all."""
    shown = Table(box=None, pad_edge=False)
    for header in ("Wordings", "Left out"):
        shown.add_column(header)
    for header in ("n 1–10", "@1", "@5", "@10", "n all", "@1", "@5", "@10"):
        shown.add_column(header, justify="right")
    for family, axis, own in summary(outcomes):
        few = [outcome for outcome in own if 0 < outcome.case.fitting <= MOST]
        figures = [
            text
            for group in (few, own)
            for text in (str(len(group)), *(f"{recall(group, first):.1%}" if group else "–" for first in (1, 5, 10)))
        ]
        shown.add_row(family, axis or "any", *figures, style="" if axis else "bold")
    return shown


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure two samples and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.candidates", description=__doc__)
    parser.add_argument("--size", type=int, default=900, metavar="N", help="cases a family (default: 900)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], metavar="N", help="samples (default: 1 2)")
    parser.add_argument("--axis", choices=AXES, help="leave out this axis only")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="cases that failed to list")
    chosen = parser.parse_args(arguments)
    folder = data_folder()
    if not (folder / "loinc_lab_extract.csv.gz").is_file():
        sys.exit(f"no reference data at {folder} (set JDV_REFERENCE_DATA)")
    screen = Console(markup=False, highlight=False, width=110)
    release = load_release(folder)
    for seed in chosen.seeds:
        made = cases(release, folder / "loinc_fr_labels.csv", chosen.size, seed)
        made = [case for case in made if chosen.axis in (None, case.axis)]
        candidates("sodium", edition=empty_edition(), release=release)
        start = time.perf_counter()
        outcomes = measure(release, made)
        each = (time.perf_counter() - start) / len(made)
        screen.print(f"\nSample {seed}: {len(made)} wordings, {each * 1000:.1f} ms each")
        screen.print(table(outcomes))
        missed = [outcome.case for outcome in outcomes if not outcome.place and 0 < outcome.case.fitting <= MOST]
        random.Random(seed).shuffle(missed)
        for case in missed[: chosen.show]:
            screen.print(f"  {case.family}, {case.axis}: {case.wording} ≠ {case.code} ({case.fitting})")


if __name__ == "__main__":
    main()

"""`python -m benchmarks`: measure whole commands in fresh processes, as ratios to openpyxl loading the same workbooks."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

import jdv_qa
from benchmarks.workbooks import ROWS, build_pair

LOAD = """
import sys, openpyxl
for path in sys.argv[1:]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    for sheet in book:
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True):
            pass
"""
"""The yardstick: every value of the workbooks named, by the fastest way openpyxl has."""

LIBRARIES = ("openpyxl", "python-calamine", "frictionless", "deepdiff", "typer", "rich", "xlsxwriter")


@dataclass
class Case:
    """A process to measure; `against` names the case its time is divided by, `target` is the ratio aimed at."""

    name: str
    command: Sequence[str]
    against: str = ""
    target: float | None = None
    seconds: list[float] = field(default_factory=list)

    def run(self, place: Path) -> None:
        """Run the process once in a folder and keep its time; ends the program if it did not do its work."""
        output = place / "output"
        start = time.perf_counter()
        done = subprocess.run(
            [part.replace("{output}", str(output)) for part in self.command],
            cwd=place,
            env=os.environ | {"PYTHONPATH": str(Path(jdv_qa.__file__).parents[1])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        self.seconds.append(time.perf_counter() - start)
        if done.returncode not in (0, 1):
            sys.exit(f"{self.name}: status {done.returncode}\n{done.stderr.decode()}")
        shutil.rmtree(output, ignore_errors=True)

    @property
    def median(self) -> float:
        """The median time in seconds."""
        return statistics.median(self.seconds)


def cases(old: Path, new: Path) -> list[Case]:
    """Return what is measured: bare Python, the yardsticks, the commands."""
    one, two = "openpyxl, new", "openpyxl, both"
    python, jdv = [sys.executable], [sys.executable, "-m", "jdv_qa"]
    return [
        Case("python", [*python, "-c", ""]),
        Case(one, [*python, "-c", LOAD, str(new)]),
        Case(two, [*python, "-c", LOAD, str(old), str(new)]),
        Case("jdv --help", [*jdv, "--help"], one, 0.45),
        Case("jdv info", [*jdv, "info", str(new)], one, 1.0),
        Case("jdv check", [*jdv, "check", str(new), "--format", "json"], one, 2.5),
        Case("jdv diff", [*jdv, "diff", str(old), str(new), "--format", "json"], two, 0.9),
        Case("jdv export", [*jdv, "export", str(new), "{output}"], one, 2.0),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, and write the figures as JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workbooks", nargs="*", type=Path, metavar="WORKBOOK", help="an old and a new one of your own")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="measured rounds (default: 5)")
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"rows to build (default: {ROWS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    chosen = parser.parse_args(arguments)
    if len(chosen.workbooks) not in (0, 2) or chosen.rounds < 1:
        parser.error("give two workbooks or none, and at least one round")
    screen = Console(markup=False, highlight=False)
    with tempfile.TemporaryDirectory(prefix="jdv-benchmarks-") as name:
        place = Path(name)
        old, new = (path.resolve() for path in chosen.workbooks or build_pair(place, chosen.rows))
        measured = cases(old, new)
        # One round to warm up, then every case once a round, so that a slow minute falls on all of them alike.
        for turn in track(range(chosen.rounds + 1), "Measuring", console=Console(stderr=True), transient=True):
            for case in measured:
                case.run(place)
                if turn == 0:
                    case.seconds.clear()
        sizes = {path.name: path.stat().st_size for path in (old, new)}
    figures = summary(measured, sizes, chosen.rounds)
    screen.print(table(measured))
    about = figures["machine"]
    screen.print(
        f"Median of {chosen.rounds} rounds, whole processes. {', '.join(f'{k} {v}' for k, v in about.items())}"
    )
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def ratio(case: Case, measured: Sequence[Case]) -> float | None:
    """Return the median of a case divided by that of its yardstick."""
    return next((case.median / other.median for other in measured if other.name == case.against), None)


def summary(measured: Sequence[Case], sizes: dict[str, int], rounds: int) -> dict[str, dict[str, object]]:
    """Return the figures for JSON."""
    return {
        "about": {"schema": "jdv-benchmarks/1", "jdv": jdv_qa.__version__, "rounds": rounds},
        "machine": {
            "Python": platform.python_version(),
            "system": platform.system(),
            "cores": os.cpu_count(),
            **{library: metadata.version(library) for library in LIBRARIES},
        },
        "workbooks": {**sizes},
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
    }


def table(measured: Sequence[Case]) -> Table:
    """Return the figures as a table."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("Process")
    for header in ("Seconds", "Least", "Most", "Ratio", "Target"):
        shown.add_column(header, justify="right")
    shown.add_column("Against", no_wrap=True)
    shown.add_column("")
    for case in measured:
        found = ratio(case, measured)
        shown.add_row(
            case.name,
            *(f"{second:.3f}" for second in (case.median, min(case.seconds), max(case.seconds))),
            "" if found is None else f"{found:.2f}",
            "" if case.target is None else f"{case.target:.2f}",
            case.against,
            "missed" if found is not None and case.target is not None and found > case.target else "",
        )
    return shown


if __name__ == "__main__":
    main()

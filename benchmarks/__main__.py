"""`python -m benchmarks`: measure whole commands, as ratios to what openpyxl and csv take for the same files; see README.md."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.cases import PASS, YARD, YARD_TABLE, Case, cases, growing, peers
from benchmarks.figures import (
    Growth,
    Memory,
    Profile,
    about,
    as_json,
    growth_table,
    memory_table,
    profile_table,
    renew,
    times_table,
)
from benchmarks.inputs import build
from benchmarks.processes import peak, seconds
from benchmarks.profile import where

_MEMORY_ROUNDS = 3
_WIDTH = 140


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write the figures where asked."""
    chosen = _arguments(arguments)
    screen = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    progress = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="jdv-benchmarks-") as name:
        place = Path(name)
        output = place / "output"
        with progress.status("Building the inputs"):
            pair = tuple(path.resolve() for path in chosen.workbooks)
            inputs = build(place, (pair[0], pair[1]) if pair else None)
            home = place / "home"
            seconds([[sys.executable, "-m", "jdv_qa", "loinc", "import", str(inputs.release)]], home, place)
        measured = cases(inputs, output, home)
        if chosen.peers:
            measured += peers(inputs, chosen.peers.absolute())
        _measure(measured, chosen.rounds, home, output, progress)
        grown = growing(inputs)
        _measure(
            [case for each in grown.values() for case in each.values()],
            max(1, chosen.rounds // 2),
            home,
            output,
            progress,
        )
        growths = [Growth(name, each) for name, each in grown.items()]
        memories = _memories(measured, home, place, progress)
        profiles = _profiles(measured, home, progress) if chosen.profile else []
        facts = about(inputs, chosen.rounds)
    for table in (times_table(measured), memory_table(memories), growth_table(growths), *map(profile_table, profiles)):
        screen.print(table.rich())
        screen.print()
    screen.print("; ".join(f"{name} {value}" for name, value in facts.items()))
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        found = as_json(facts, measured, memories, growths, profiles)
        chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if chosen.renew:
        tables = {
            "machine": ", ".join(f"{name} {value}" for name, value in facts.items()) + ".",
            "times": times_table([case for case in measured if not case.peer]).markdown(),
            "memory": memory_table(memories).markdown(),
            "growth": growth_table(growths).markdown(),
        }
        if chosen.peers:
            tables["peers"] = times_table([case for case in measured if case.peer], measured).markdown()
        if profiles:
            tables["profiles"] = "\n".join(f"### {each.name}\n\n{profile_table(each).markdown()}" for each in profiles)
        renew(chosen.renew, tables)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workbooks", nargs="*", type=Path, metavar="WORKBOOK", help="an old and a new one of your own")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="measured rounds (default: 5)")
    parser.add_argument(
        "--peers", type=Path, metavar="PYTHON", help="a Python that has daff, csv-diff and frictionless[excel]"
    )
    parser.add_argument("--profile", action="store_true", help="tell where the time goes (needs py-spy)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--renew", type=Path, metavar="DOCUMENT", help="write the tables into this document, between its marks"
    )
    chosen = parser.parse_args(arguments)
    if len(chosen.workbooks) not in (0, 2) or chosen.rounds < 1:
        parser.error("give two workbooks or none, and at least one round")
    return chosen


def _measure(measured: Sequence[Case], rounds: int, home: Path, output: Path, progress: Console) -> None:
    """Run every case once a round, after a round to warm up, so that a slow minute falls on all of them alike."""
    for turn in track(range(rounds + 1), f"Measuring {len(measured)} processes", console=progress, transient=True):
        for case in measured:
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir()
            taken = seconds(case.commands, home, output)
            if turn:
                case.seconds.append(taken)


def _memories(measured: Sequence[Case], home: Path, place: Path, progress: Console) -> list[Memory]:
    """Return the peak memory of the commands that read workbooks."""
    found = []
    watched = [case for case in measured if case.against in (YARD, YARD_TABLE) and not case.peer]
    for case in track(watched, "Looking at memory", console=progress, transient=True):
        output = place / "output"
        peaks = [peak(case.commands[0], home, output) for _ in range(_MEMORY_ROUNDS)]
        known = [each for each in peaks if each is not None]
        if known:
            found.append(Memory(case.name, max(known)))
    return found


def _profiles(measured: Sequence[Case], home: Path, progress: Console) -> list[Profile]:
    """Return where the time goes in each command that has a target and lasts long enough to be looked at."""
    yards = {case.name: case.median * 1000 for case in measured}
    found = []
    watched = [case for case in measured if case.target is not None and case.against != PASS]
    for case in track(watched, "Looking at stacks", console=progress, transient=True):
        _, _, _, *command = case.commands[0]
        found.append(Profile(case.name, yards[case.against], case.median * 1000, where(command, home)))
    return found


if __name__ == "__main__":
    main()

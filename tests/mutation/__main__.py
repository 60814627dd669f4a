"""`python -m tests.mutation --share 0.02`: a sample of the mutants of each module, each tried on the tests that hold the module.

One process imports what the tests need beside our own code; each mutant gets a copy of it (fork), in which its module is imported with
the fault and pytest runs until the first failure. Linux and macOS only.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import io
import json
import math
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from tests.mutation.mutants import Mutant, mutants_of, mutated
from tests.mutation.selection import REPOSITORY, arguments_for, key_of, modules

LEAST = 3
"""Mutants of a module however small the share; all of them where there are fewer."""
PATIENCE = 60
"""Seconds of the processor that the tests of a mutant may take; beyond, the fault is seen as a hang. Without one they take ten
at most."""
LONGEST = 600
"""Seconds that they may take in all, however busy the machine."""

_HEAVY = (
    "pytest",
    "_pytest.assertion.rewrite",
    "hypothesis",
    "openpyxl",
    "frictionless",
    "deepdiff",
    "lxml.etree",
    "yaml",
    "rapidfuzz.process",
    "python_calamine",
    "rich.table",
    "jinja2",
    "xlsxwriter",
    "ucumvert",
)

_REWRITTEN = "ignore::pytest.PytestAssertRewriteWarning"
"""hypothesis is imported before pytest could rewrite its assertions, which we do not need."""


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from other source than that of its file."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self.name, self.path = name, path
        self.code: CodeType = compile(source, str(path), "exec")

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self, origin=str(self.path)) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.path)
        exec(self.code, module.__dict__)


def _run_tests(path: Path, source: str | None) -> int:
    """Run the tests of a module, with its source or another; 0 when they pass. For a process of its own."""
    import resource

    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE + 5))
    if hasattr(os, "sched_setaffinity"):
        # on one core the rules have no second process, which would not know of the fault
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if source is not None:
        name = ".".join(path.with_suffix("").parts)
        sys.meta_path.insert(0, _Faulty(name, REPOSITORY / path, source))
    for arguments in arguments_for(path):
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            status = pytest.main(
                ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", _REWRITTEN, *arguments]
            )
        if status != pytest.ExitCode.OK:
            return int(status)
    return 0


def _in_a_copy(path: Path, source: str | None) -> str:
    """Run the tests of a module in a copy of this process: "passed", "failed" or "hung"."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = 70
        try:
            os.setpgid(0, 0)
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            status = _run_tests(path, source)
        finally:
            os._exit(status)
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "hung" if os.WIFSIGNALED(status) else "failed" if status else "passed"
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def interval(killed: int, tried: int) -> tuple[float, float]:
    """The 95 % interval (Wilson) of the share of mutants that would be killed, of which `killed` of `tried` were."""
    if not tried:
        return 0.0, 1.0
    z, share = 1.96, killed / tried
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    spread = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried)) / (1 + z * z / tried)
    return min(share, max(0.0, middle - spread)), max(share, min(1.0, middle + spread))


def sample(mutants: list[Mutant], share: float, seed: int) -> list[Mutant]:
    """A share of the mutants of a module, the same for the same seed and source; a larger share holds the smaller."""
    size = min(len(mutants), max(LEAST, round(share * len(mutants))))
    chosen = random.Random(f"{seed} {mutants[0].path}" if mutants else "").sample(mutants, len(mutants))[:size]
    return sorted(chosen, key=lambda mutant: (mutant.line, mutant.column, mutant.operator, mutant.occurrence))


def _line(name: str, tally: Counter[str], of: int) -> str:
    tried = sum(tally.values())
    killed = tally["failed"] + tally["hung"]
    low, high = interval(killed, tried)
    return f"{name:28} {of:6} {tried:6} {killed:6} {killed / tried if tried else 0:6.0%}  {low:.0%} to {high:.0%}"


def main() -> int:
    """Print the score of each module with its interval, and every survivor; status 1 when the tests fail without any fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--share", type=float, default=0.02, help=f"of the mutants of each module (at least {LEAST} of each)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", action="append", help="only this one, as checks/units; may be repeated")
    parser.add_argument("--survivors", type=Path, help="write the survivors there, one JSON object a line")
    parser.add_argument("--again", type=Path, help="try these survivors of an earlier run, and no others")
    options = parser.parse_args()
    os.chdir(REPOSITORY)
    for name in _HEAVY:
        importlib.import_module(name)
    chosen = [path for path in modules() if not options.module or key_of(path) in options.module]
    again = _survivors(options.again) if options.again else None
    if again is not None:
        chosen = [path for path in chosen if str(path) in again]
    total: Counter[str] = Counter()
    everything = 0
    failing: list[str] = []
    sys.stdout.write(f"{'module':28} {'all':>6} {'tried':>6} {'killed':>6}  score  95 % interval\n")
    for path in chosen:
        mutants = mutants_of(path)
        everything += len(mutants)
        tally: Counter[str] = Counter()
        for mutant in (
            sample(mutants, options.share, options.seed) if again is None else _those(mutants, again[str(path)])
        ):
            outcome = _in_a_copy(path, mutated(mutant))
            tally[outcome] += 1
            if outcome == "passed":
                _keep(options.survivors, mutant)
                sys.stdout.write(f"  survived: {mutant}\n    {mutant_line(mutant)}\n")
                sys.stdout.flush()
        # where a fault survived the tests passed; where none did, they must be seen to pass without any
        if not tally["passed"] and _in_a_copy(path, None) != "passed":
            failing.append(key_of(path))
            sys.stdout.write(f"{key_of(path)}: the tests fail without any fault: {arguments_for(path)}\n")
            continue
        total += tally
        sys.stdout.write(_line(key_of(path), tally, len(mutants)) + "\n")
        sys.stdout.flush()
    sys.stdout.write(_line("in all", total, everything) + "\n")
    return 1 if failing else 0


def mutant_line(mutant: Mutant) -> str:
    """What the fault makes of its line."""
    before, after = mutant.path.read_text(encoding="utf-8").splitlines(), mutated(mutant).splitlines()
    return next(
        (f"{old.strip()}  ->  {new.strip()}" for old, new in zip(before, after, strict=False) if old != new), ""
    )


def _survivors(path: Path) -> dict[str, set[tuple[str, str]]]:
    """Return what a file of survivors names: path -> (operator, change)."""
    found: dict[str, set[tuple[str, str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fact = json.loads(line)
        found.setdefault(fact["path"], set()).add((fact["operator"], fact["change"]))
    return found


def _those(mutants: list[Mutant], wanted: set[tuple[str, str]]) -> list[Mutant]:
    """Return the mutants of a module that make these changes, wherever their lines stand now."""
    operators = {operator for operator, _ in wanted}
    return [
        mutant
        for mutant in mutants
        if mutant.operator in operators and (mutant.operator, mutant_line(mutant)) in wanted
    ]


def _keep(path: Path | None, mutant: Mutant) -> None:
    if path is not None:
        fact: dict[str, Any] = {
            "path": str(mutant.path),
            "line": mutant.line,
            "operator": mutant.operator,
            "change": mutant_line(mutant),
        }
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(fact, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())

"""The long run of the fuzzing: `python -m tests.fuzz --seconds 600`.

Each target works in a process of its own, limited in memory, whose parent sees that it is alive: a case that takes too long, or takes
the process with it, is a finding too. Cases that reach new lines of the tool are gone on from. Every finding is kept as a file.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from threading import Timer

from tests.fuzz.guidance import Reached
from tests.fuzz.targets import TARGETS

CASE_SECONDS = 20
"""What one case may take."""
MEMORY = 1536 * 2**20
"""Bytes of address space that a process of a target may take; the tool's own limit is checked elsewhere, this one keeps the machine whole."""
_FROM_CASE = 0.4
"""Share of the cases that go on from an earlier one."""


class TooLong(Exception):
    """A case that has not ended in time."""


def _stop(*_: object) -> None:
    raise TooLong


def work(name: str, seconds: float, seed: int, folder: Path) -> None:
    """Run cases of a target; write the last one before it is run, and the tally at the end, into the folder."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _stop)
    target, rng, reached = TARGETS[name], random.Random(f"{name} {seed}"), Reached()
    kept: list[bytes] = []
    tally: Counter[str] = Counter()
    findings: dict[str, str] = {}
    end = time.monotonic() + seconds
    number = 0
    last = folder / "last"
    while time.monotonic() < end:
        number += 1
        case = target.make(rng, rng.choice(kept) if kept and rng.random() < _FROM_CASE else None)
        last.write_bytes(case)
        signal.alarm(CASE_SECONDS)
        try:
            with reached if target.guided else nullcontext():
                tally[target.run(case, folder)] += 1
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = (
                str(error)
                if type(error).__name__ == "Broken"
                else f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
            )
            tally["finding"] += 1
            # one case of each kind is enough: what differs is mostly in quotes or digits
            kind = "".join(character for character in text[:90] if not character.isdigit())
            if kind not in findings:
                findings[kind] = text
                (folder / f"finding-{len(findings)}").write_bytes(case)
                (folder / f"finding-{len(findings)}.txt").write_text(
                    text + "\n\n" + traceback.format_exc(), "utf-8", "backslashreplace"
                )
        finally:
            signal.alarm(0)
        if reached.fresh and len(case) < 500_000:
            kept.append(case)
        if number % 50 == 0 or time.monotonic() >= end:
            state = {
                "cases": number,
                "kept": len(kept),
                "lines": len(reached.lines),
                "tally": tally,
                "findings": list(findings.values()),
            }
            (folder / "tally.json").write_text(json.dumps(state), encoding="utf-8")


def watch(name: str, seconds: float, seed: int, folder: Path) -> dict[str, object]:
    """Run a target in a process of its own; one that dies or hangs leaves the case it was at as a finding, and another follows."""
    end = time.monotonic() + seconds
    total: dict[str, object] = {"cases": 0, "lines": 0, "tally": Counter(), "findings": []}
    while (left := end - time.monotonic()) > 1:
        place = folder / name / str(seed)
        place.mkdir(parents=True)
        command = [
            sys.executable,
            "-m",
            "tests.fuzz",
            "--work",
            name,
            "--seconds",
            str(left),
            "--seed",
            str(seed),
            "--folder",
            str(place),
        ]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
        clock = Timer(left + 3 * CASE_SECONDS, process.kill)
        clock.start()
        _, said = process.communicate()
        clock.cancel()
        state = (
            json.loads((place / "tally.json").read_text())
            if (place / "tally.json").exists()
            else {"cases": 0, "lines": 0, "tally": {}, "findings": []}
        )
        if process.returncode:
            (place / "died").write_bytes((place / "last").read_bytes() if (place / "last").exists() else b"")
            state["findings"].append(
                f"the process died or hung ({process.returncode}): {said[-300:]!r}, case {place / 'died'}"
            )
        total["cases"] += state["cases"]  # type: ignore[operator]
        total["lines"] = max(total["lines"], state["lines"])  # type: ignore[call-overload]
        total["tally"].update(state["tally"])  # type: ignore[attr-defined]
        total["findings"].extend(state["findings"])  # type: ignore[attr-defined]
        seed += 1
    return total


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the targets one after the other and print the figures; status 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="for all targets together")
    parser.add_argument("--target", action="append", choices=TARGETS, help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where findings are kept (default: a new temporary folder)")
    parser.add_argument("--work", choices=TARGETS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.seconds, options.seed, options.folder)
        return 0
    folder = options.folder or Path(tempfile.mkdtemp(prefix="jdv-fuzz-"))
    names = options.target or list(TARGETS)
    found = 0
    _say(f"{'target':10} {'cases':>8} {'lines':>6} findings  outcomes")
    for name in names:
        total = watch(name, options.seconds / len(names), options.seed, folder)
        tally = ", ".join(f"{word} {count}" for word, count in total["tally"].most_common())  # type: ignore[attr-defined]
        _say(f"{name:10} {total['cases']:8} {total['lines']:6} {len(total['findings']):8}  {tally}")  # type: ignore[arg-type]
        for finding in total["findings"]:  # type: ignore[attr-defined]
            found += 1
            _say(f"    {finding[:600]}")
    _say(f"findings are kept in {folder}" if found else "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

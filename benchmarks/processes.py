"""Whole processes, as a user starts them: how long they take, and how much memory they and their children hold at most."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jdv_qa

_TREE = Path(jdv_qa.__file__).parents[1]
_LOOK_SECONDS = 0.002
_WELL = (0, 1)
"""Exit statuses of a command that did its work: nothing found, something found."""

Command = Sequence[str]


def environment(home: Path) -> dict[str, str]:
    """Return the environment of every process measured: French, this tree, its own store of LOINC, byte code kept."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JDV_", "PYTHONDONTWRITE"))}
    return kept | {"PYTHONPATH": str(_TREE), "JDV_HOME": str(home), "JDV_LANG": "fr"}


def seconds(commands: Sequence[Command], home: Path, place: Path) -> float:
    """Run the commands one after the other in a folder and return the wall time in seconds.

    Ends the program with what the command said if one did not do its work.
    """
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(
            command, cwd=place, env=environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        _done(command, done.returncode, done.stderr)
    return time.perf_counter() - start


def peak(command: Command, home: Path, place: Path) -> float | None:
    """Return the most memory that a command and its children held together, in MiB; None where /proc does not tell."""
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    most = 0
    with subprocess.Popen(
        command,
        cwd=place,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        while process.poll() is None:
            most = max(most, sum(_resident(each) for each in _family(process.pid)))
            time.sleep(_LOOK_SECONDS)
        assert process.stderr is not None
        _done(command, process.returncode, process.stderr.read())
    return most / 1024


def _done(command: Command, status: int, errors: bytes) -> None:
    if status not in _WELL:
        sys.exit(f"{' '.join(command)}: status {status}\n{errors.decode(errors='replace')}")


def _family(process: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [process]
    for each in found:
        for listed in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in _text(listed).split()]
    return found


def _resident(process: int) -> int:
    """Return the memory of a process that is in use, in KiB, 0 once it is gone."""
    return next(
        (
            int(line.split()[1])
            for line in _text(Path(f"/proc/{process}/status")).splitlines()
            if line.startswith("VmRSS")
        ),
        0,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return ""

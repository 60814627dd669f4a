"""`python -m benchmarks.profile COMMAND…`: where the time of a command goes, in milliseconds of its main thread, place by place.

py-spy looks at the stack of the whole process from outside a thousand times a second, so that nothing in it is slowed down. A
look is counted for the innermost module of ours, and for importing where the interpreter imports. Starting and ending the
interpreter have no Python stack; they are told as "interpreter" as far as py-spy sees them.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import environment

RUNS = 5
_RATE = 1000
_TRIES = 4
_FRAME = re.compile(r"^(?P<name>.*) \((?P<file>.*?)(?::\d+)?\)$")
_OURS = re.compile(r"jdv_qa/((?:\w+/)?\w+)\.py$")
_IMPORTING = "<frozen importlib"


def where(command: Sequence[str], home: Path, runs: int = RUNS) -> dict[str, float]:
    """Return the median milliseconds of the main thread at each place ("imports", "checks/units", …), the most first.

    `command` is what follows `jdv`. Ends the program if the command did not do its work.
    """
    each = [_looks(command, home) for _ in range(runs)]
    medians = {
        place: statistics.median(looks[place] for looks in each) * 1000 / _RATE for looks in each for place in looks
    }
    return dict(sorted(medians.items(), key=lambda item: (-item[1], item[0])))


def _looks(command: Sequence[str], home: Path) -> Counter[str]:
    """Return how often the main thread was seen at each place; now and then py-spy comes too late to see any, and looks again."""
    found = next(filter(None, (_looks_once(command, home) for _ in range(_TRIES))), None)
    if found is None:
        sys.exit(f"jdv {' '.join(command)}: py-spy saw no stack of it")
    return found


def _looks_once(command: Sequence[str], home: Path) -> Counter[str]:
    with tempfile.TemporaryDirectory(prefix="jdv-profile-") as name:
        out = Path(name) / "stacks.txt"
        watched = [sys.executable, "-m", "jdv_qa", *command]
        spy = [str(Path(sys.executable).parent / "py-spy"), "record", "--format", "raw", "--rate", str(_RATE)]
        done = subprocess.run(
            [*spy, "--full-filenames", "--threads", "--output", str(out), "--", *watched],
            cwd=name, env=environment(home), capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 1) or not out.exists():
            sys.exit(f"{' '.join(watched)}: status {done.returncode}\n{done.stderr.decode(errors='replace')}")
        found: Counter[str] = Counter()
        for line in out.read_text(encoding="utf-8").splitlines():
            stack, _, looks = line.rpartition(" ")
            thread, *frames = stack.split(";")
            if "MainThread" in thread:
                found[_place(frames)] += int(looks)
    return found


def _place(frames: Sequence[str]) -> str:
    """Return the place of a moment: the innermost module of ours on the stack, unless it is imports that go on below it."""
    for frame in reversed(frames):
        file = match["file"] if (match := _FRAME.match(frame)) else ""
        if file.startswith(_IMPORTING) or (match and match["name"] == "<module>" and _OURS.search(file)):
            return "imports"
        if ours := _OURS.search(file.replace("\\", "/")):
            return ours[1]
    return "interpreter"


def main() -> None:
    """Print where the time of the command line given goes."""
    for place, milliseconds in where(sys.argv[1:], Path(tempfile.gettempdir())).items():
        sys.stdout.write(f"{milliseconds:8.1f} ms  {place}\n")


if __name__ == "__main__":
    main()

"""Releases the sample again and again in children that are killed at a given moment: a program for test_release_killed.py.

Arguments: the folder of the register, then moments. A number is that of the operation on files before which the process
ends as if it were killed, "end-3" counts from the last one; "end-3+7" kills a first attempt, then a second one; "3500us"
kills with the system's own signal after so many microseconds. Prints, for each, what the register says afterwards, as a line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from jdv_qa.publish.register import leftovers, load_register
from jdv_qa.publish.release import ReleasePlan, make_release, release_files
from jdv_qa.publish.verification import Verification, register_faults, verify_release
from jdv_qa.report.register_documents import release_documents
from tests.publish.releases import SAMPLE, imported, sample_plan

EVENTS = ("open", "os.", "shutil.", "tempfile.", "fcntl.")
"""Beginnings of the audit events that stand for operations on files."""


def kill_at(moment: int) -> None:
    """End this process, without a word, before its operation on files of that number."""
    count = 0

    def watch(event: str, arguments: object) -> None:
        nonlocal count
        if event.startswith(EVENTS):
            count += 1
            if count > moment:
                os._exit(137)

    sys.addaudithook(watch)


def operations(plan: ReleasePlan, files: dict[str, bytes]) -> int:
    """Make the release in a child that is not killed; return the number of its operations on files."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        count = 0

        def watch(event: str, arguments: object) -> None:
            nonlocal count
            count += event.startswith(EVENTS)

        sys.addaudithook(watch)
        make_release(plan, files)
        os.write(writing, str(count).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return int(answer.read())


def killed(plan: ReleasePlan, files: dict[str, bytes], moment: str, total: int) -> bool:
    """Make the release in a child that is killed at a moment; tell whether it was killed before its end."""
    child = os.fork()
    if not child:
        if moment.startswith("end-"):
            kill_at(max(total - int(moment.removeprefix("end-")), 0))
        elif moment.isdecimal():
            kill_at(int(moment))
        make_release(plan, files)
        os._exit(0)
    if moment.endswith("us"):
        time.sleep(int(moment.removesuffix("us")) / 1_000_000)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def state(directory: Path) -> dict[str, object]:
    """What the register says of itself."""
    register = load_register(directory)
    releases = tuple(verify_release(register, release) for release in register.releases)
    found = Verification(register, releases, tuple(register_faults(register)))
    return {
        "versions": [release.version for release in register.releases],
        "sound": register.sound,
        "faults": [(fault.kind, fault.path) for fault in found.all_faults],
    }


def main(directory: Path, moments: list[str]) -> None:
    """Begin the register with 1.0.0, then kill the release of 1.1.0 at every moment."""
    register = imported(load_register(directory), SAMPLE["1.0.0"])
    index = (directory / "index.json").read_bytes()
    plan = sample_plan(register)
    files = release_files(plan, release_documents(plan))
    total = operations(plan, files)
    undo(directory, index, "counted")
    for number, moment in enumerate(moments):
        was_killed = all(killed(plan, files, attempt, total) for attempt in moment.split("+"))
        answer = {"moment": moment, "killed": was_killed, "operations": total, **state(directory)}
        if answer["versions"] == ["1.0.0"]:
            make_release(plan, files)
            answer["again"] = {**state(directory), "left": list(leftovers(directory))}
        sys.stdout.write(json.dumps(answer) + "\n")
        undo(directory, index, str(number))


def undo(directory: Path, index: bytes, name: str) -> None:
    """Put the register back to where it was before the release."""
    (directory / "1.1.0").rename(directory.parent / f"made-{name}")
    (directory / "index.json").write_bytes(index)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

"""Runs command lines in this process under an audit hook that forbids the network and other programs: for test_run.py.

Reads a JSON list of command lines on standard input. Prints, for each, a line of JSON: its status, what it did that is
forbidden, and the paths that it wrote to, made, renamed or removed. What is forbidden is stopped too.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

NETWORK = (
    "socket.",
    "urllib.",
    "http.",
    "ftplib.",
    "smtplib.",
    "poplib.",
    "imaplib.",
    "nntplib.",
    "telnetlib.",
    "webbrowser.",
)
PROCESSES = (
    "subprocess.", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "pty.", "ctypes.dlopen",
)  # fmt: skip
UNSAFE = ("pickle.find_class", "sqlite3.enable_load_extension", "sqlite3.load_extension")
CHANGES = {
    "os.rename": 2, "os.remove": 1, "os.mkdir": 1, "os.rmdir": 1, "os.link": 2, "os.symlink": 2, "os.truncate": 1, "os.chmod": 1,
    "os.chown": 1, "os.utime": 1, "sqlite3.connect": 1, "shutil.rmtree": 1, "shutil.move": 2,
}  # fmt: skip
"""Events that change what is on the disk, and how many of their arguments are paths."""
IN_A_FOLDER = ("os.remove", "os.rmdir")
"""Events that `shutil.rmtree`, which says what it removes, gives a name in an open folder."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
OWN_PROCESS = Path("jdv_qa", "checks", "schema_verdicts.py")

forbidden: list[str] = []
written: set[str] = set()


class Forbidden(BaseException):
    """Not an Exception: nothing shall catch it."""


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        if not isinstance(path, int) and flags & WRITING:
            note(path)
    elif event in CHANGES and not (event in IN_A_FOLDER and arguments[1] >= 0):
        for path in arguments[: CHANGES[event]]:
            if not isinstance(path, int):
                note(path)
    elif event.startswith((*NETWORK, *PROCESSES, *UNSAFE)) and not is_our_process(event, arguments):
        forbidden.append(f"{event} {arguments!r}"[:300])
        raise Forbidden(event)


def note(path: str | bytes | os.PathLike[str]) -> None:
    name = os.fsdecode(path)
    if name == ":memory:" or (name.startswith("file:") and ("mode=ro" in name or "immutable=1" in name)):  # of sqlite
        return
    written.add(str(Path.cwd() / name))


def is_our_process(event: str, arguments: tuple[Any, ...]) -> bool:
    """Tell whether what is started is our own interpreter on the file of ours that judges values."""
    if event != "os.posix_spawn":
        return False
    program, words = arguments[0], list(arguments[1])
    return program == sys.executable and words[0] == program and Path(words[-1]).parts[-3:] == OWN_PROCESS.parts


def text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode("utf-8")


def main() -> None:
    """Run the command lines, one after another."""
    from jdv_qa.cli.app import main as jdv

    commands = json.load(sys.stdin)
    sys.addaudithook(watch)
    for words in commands:
        forbidden.clear()
        written.clear()
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status: int | str = jdv(words)
            except Forbidden as error:
                status = f"forbidden: {error}"
        told = {
            "status": status,
            "forbidden": list(forbidden),
            "written": sorted(written),
            "err": text_of(err),
            "out": text_of(out),
        }
        sys.__stdout__.write(json.dumps(told) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    main()

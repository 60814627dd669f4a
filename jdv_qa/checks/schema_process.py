"""A process beside this one in which frictionless is imported, and judges values, while the workbook is read and the rules run.

Importing frictionless takes longer than reading a workbook. The process is begun first of all, is sent the distinct values of
some columns, never the workbook, and answers once. It ends when its input is closed, hence with this process however that
ends. Where it cannot be had (one processor, a system without posix_spawn) or fails, the same code runs here.
"""

from __future__ import annotations

import atexit
import marshal
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from jdv_qa.checks.schema_verdicts import Column, Verdict

PROGRAM = Path(__file__).with_name("schema_verdicts.py")
PATIENCE = 10.0
"""Seconds without a word after which the process is given up; it answers in a fraction of one."""


class _Process(NamedTuple):
    pid: int
    to: int
    back: int


_begun: list[_Process] = []


def begin(program: Path = PROGRAM) -> bool:
    """Start the process if it is worth while here, in a few milliseconds; return whether it was started."""
    if _begun or not sys.executable or not hasattr(os, "posix_spawn") or _processors() < 2:
        return False
    there, to = os.pipe()
    back, answer = os.pipe()
    try:
        if min(there, to, back, answer) < 3:  # a standard stream is closed, and the pipe has taken its number
            raise OSError
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", *_switches(), str(program)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, there, 0),
                (os.POSIX_SPAWN_DUP2, answer, 1),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
        )
    except OSError:
        _close(there, to, back, answer)
        return False
    _close(there, answer)
    _begun.append(_Process(pid, to, back))
    atexit.register(_kill, pid)
    _send(to, marshal.dumps(sys.path))
    return True


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _switches() -> list[str]:
    """Return the switches by which the process keeps its compiled files as this one does."""
    prefix = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
    return ["-B", *prefix] if sys.dont_write_bytecode else prefix


def is_begun() -> bool:
    """Tell whether a process waits for columns to judge."""
    return bool(_begun)


def ask(columns: Sequence[Column]) -> Callable[[], list[Verdict]]:
    """Have columns judged, and return what gives the verdicts: from the process that was begun, or else found there and then."""
    if not _begun:
        return lambda: _judge_here(columns)
    import threading

    process = _begun.pop()
    # A pipe holds little, and the process reads when it has imported frictionless: nobody shall wait for that.
    sender = threading.Thread(target=_send, args=(process.to, marshal.dumps(list(columns))), daemon=True)
    sender.start()

    def verdicts() -> list[Verdict]:
        told = _receive(process.back, len(columns))
        atexit.unregister(_kill)
        _kill(process.pid)
        sender.join()
        _close(process.to, process.back)
        return _judge_here(columns) if told is None else told

    return verdicts


def _judge_here(columns: Sequence[Column]) -> list[Verdict]:
    from jdv_qa.checks.schema_verdicts import judge

    return judge(columns)


def _send(to: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(to, view) :]
    except OSError:
        return  # the process is gone: that its answer does not come says so


def _receive(back: int, count: int) -> list[Verdict] | None:
    """Return the answer, None if the process failed or says nothing for too long."""
    import select

    data = bytearray()
    while select.select([back], [], [], PATIENCE)[0]:
        part = os.read(back, 1 << 20)
        data += part
        if not part:
            break
    try:
        told = marshal.loads(data)
    except (EOFError, ValueError, TypeError):
        return None
    return told if isinstance(told, list) and len(told) == count else None


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, ChildProcessError):  # it had ended, and somebody else has heard of it
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _close(*ends: int) -> None:
    for number in ends:
        os.close(number)

"""A process beside this one in which frictionless is imported, and judges values, while the workbook is read and the rules run.

Importing frictionless takes longer than reading a workbook. The process is begun first of all, is sent the distinct values of
some columns, never the workbook, and answers once. It ends when its input is closed, hence with this process however that
ends. Where it cannot be had (one processor, a system without posix_spawn) or fails, the same code runs here.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jdv_qa import beside

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
    if _begun or not sys.executable or not hasattr(os, "posix_spawn") or beside.processors() < 2:
        return False
    ends: list[int] = []
    try:
        there, to = beside.pipe()
        ends += there, to
        back, answer = beside.pipe()
        ends += back, answer
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
        beside.close(*ends)
        return False
    beside.close(there, answer)
    beside.look_after(pid)
    _begun.append(_Process(pid, to, back))
    beside.send(to, marshal.dumps(sys.path))
    return True


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
    sender = threading.Thread(target=beside.send, args=(process.to, marshal.dumps(list(columns))), daemon=True)
    sender.start()

    def verdicts() -> list[Verdict]:
        told = _made_out(beside.receive(process.back, PATIENCE), len(columns))
        beside.end(process.pid)
        sender.join()
        beside.close(process.to, process.back)
        return _judge_here(columns) if told is None else told

    return verdicts


def _judge_here(columns: Sequence[Column]) -> list[Verdict]:
    from jdv_qa.checks.schema_verdicts import judge

    return judge(columns)


def _made_out(answer: bytes | None, count: int) -> list[Verdict] | None:
    """Return the verdicts that the process sent, None if it failed or sent nothing."""
    try:
        told = marshal.loads(answer or b"")
    except (EOFError, ValueError, TypeError):
        return None
    return told if isinstance(told, list) and len(told) == count else None

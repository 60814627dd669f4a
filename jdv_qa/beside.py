"""What is done beside this process: in a copy of it, while it does something else.

A copy knows all that was known when it was made, and sends back what it has found; Python's own threads would wait for each
other. Copies are made by the command `jdv` alone (`allow`), which knows that nothing of others runs in its process, and only
where they are safe and worth while: on Linux, with a second processor, and no other thread. Everywhere else, and when a copy
fails, the work is done here.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, TypeVar

from jdv_qa.errors import JdvError

PATIENCE = 60.0
"""Seconds of waiting after which a copy is given up."""
_ROOM = 1 << 20
"""Bytes that a pipe is asked to hold, so that who has answered need not wait for a reader (Linux's limit for everybody)."""

Result = TypeVar("Result")
_allowed = False
_living: set[int] = set()


def allow() -> None:
    """Let this process be copied: for the entry of a command, before anything else."""
    global _allowed
    _allowed = True


def processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def possible() -> bool:
    """Tell whether work can be done beside this process, here and now."""
    if not _allowed or sys.platform != "linux" or processors() < 2:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 (pathlib need not be imported for that)
    except OSError:
        return False


def begin(work: Callable[[], Result]) -> Callable[[], Result]:
    """Begin some work beside this process, and return what gives its result, once, or raises the JdvError that it raised.

    The work must leave no trace but its result, which is pickled: it may be done here after all, when it is asked for.
    """
    if not possible():
        return work
    try:
        back, there = pipe()
    except OSError:
        return work
    try:
        pid = os.fork()
    except OSError:
        close(back, there)
        return work
    if not pid:
        os.close(back)  # or else the copy would wait for itself to read, were this process to end
        _answer(work, there)
    os.close(there)
    look_after(pid)

    def result() -> Result:
        import pickle

        answer = receive(back, PATIENCE)
        whole = end(pid, answered=answer is not None)
        os.close(back)
        if not answer or not whole:
            return work()
        found: Result | JdvError = pickle.loads(answer)
        if isinstance(found, JdvError):
            raise found
        return found

    return result


def _answer(work: Callable[[], object], there: int) -> NoReturn:
    """Do the work in a copy, send the result, and end without a trace of what was inherited, such as output not yet written."""
    status = 1
    try:
        import pickle

        found: object
        try:
            found = work()
        except JdvError as error:
            found = error
        send(there, pickle.dumps(found, pickle.HIGHEST_PROTOCOL))
        status = 0
    finally:  # whatever goes wrong is not told here: the work will be done where it was asked for, and go wrong there
        os._exit(status)


def pipe() -> tuple[int, int]:
    """Return a pipe's ends, to read from and to write to; raises OSError, also when one is where a closed standard stream was."""
    ends = os.pipe()
    if min(ends) < 3:
        close(*ends)
        raise OSError
    return ends


def make_roomy(to: int) -> None:
    """Let a pipe hold more than its few pages, where the system allows it."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # the limit is lower here: who writes waits
            fcntl.fcntl(to, fcntl.F_SETPIPE_SZ, _ROOM)


def send(to: int, data: bytes) -> None:
    """Write to a pipe; when nobody reads it any more, that is all: what does not come says so."""
    make_roomy(to)
    view = memoryview(data)
    with suppress(OSError):
        while view:
            view = view[os.write(to, view) :]


def receive(back: int, patience: float) -> bytes | None:
    """Return what a process writes to a pipe until it ends; None when it is silent for so many seconds."""
    data = bytearray()
    while select.select([back], [], [], patience)[0]:
        part = os.read(back, _ROOM)
        if not part:
            return bytes(data)
        data += part
    return None


def look_after(pid: int) -> None:
    """End a process of ours with this one, unless it has ended before."""
    if not _living:
        import atexit

        atexit.register(lambda: [*map(end, [*_living])])
    _living.add(pid)


def end(pid: int, *, answered: bool = False) -> bool:
    """End a process of ours, at once unless it has answered; return whether it ended well."""
    _living.discard(pid)
    try:
        if not answered:
            os.kill(pid, 9)
        return os.waitpid(pid, 0)[1] == 0
    except (ProcessLookupError, ChildProcessError):  # it had ended, and somebody else has heard of it
        return False


def close(*ends: int) -> None:
    """Close the ends of pipes."""
    for number in ends:
        os.close(number)

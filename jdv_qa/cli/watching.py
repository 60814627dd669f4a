"""`jdv check --watch`: knowing when a workbook has been saved, and what the save has changed.

The file is asked for its size and date twice a second. That costs nothing, needs no library, and works where the events
of the operating system do not come: on network shares, where workbooks are mostly kept, and for saves from another machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report

INTERVAL = 0.5
"""Seconds between two looks at the file."""
PATIENCE = 6
"""Looks at a file that cannot be read yet before that is said."""

Stamp = tuple[int, int, int]


def stamp(path: Path) -> Stamp | None:
    """Return what changes when a file is saved (date, size, inode), None while it is not there or may not be looked at.

    Excel saves to a file of another name, removes the old one and renames; its lock file, "~$name.xlsx", is another file.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, PermissionError):
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino) if status.st_size else None


def saves(path: Path, pause: Callable[[float], None] = time.sleep, since: Stamp | None = None) -> Iterator[Stamp]:
    """Yield each time the file has been saved since it had the stamp `since`, once it has stayed the same for a moment.

    `pause` waits for a number of seconds. It never ends by itself.
    """
    seen = stamp(path) if since is None else since
    while True:
        pause(INTERVAL)
        now = stamp(path)
        if now is None or now == seen:
            continue
        pause(INTERVAL)
        if stamp(path) == now:
            seen = now
            yield now


def watch(
    path: Path,
    run: Callable[[], Report],
    changed: Callable[[Report, Report], None],
    failed: Callable[[Exception], None],
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Check a workbook each time it is saved, until Ctrl-C, and return the last report.

    `changed` is given the report before a save and the one after it; `failed` why a saved file could not be checked, after
    several tries. The first check is not tried again: its error is the caller's.
    """
    from jdv_qa.errors import JdvError

    since = stamp(path)
    report = run()
    changed(report, report)
    try:
        for saved in saves(path, pause, since):
            for look in range(PATIENCE):
                try:
                    after = run()
                except JdvError as error:
                    if stamp(path) != saved:
                        break  # it is being written: the next save is waited for
                    if look == PATIENCE - 1:
                        failed(error)
                    pause(INTERVAL)
                    continue
                changed(report, after)
                report = after
                break
    except KeyboardInterrupt:
        return report
    raise AssertionError("a watch ends with Ctrl-C")

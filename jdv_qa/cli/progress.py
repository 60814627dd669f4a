"""A progress bar for work of several stages: on a terminal only, and only when there is long to wait."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jdv_qa.cli.options import console

LARGE = 1_000_000
"""Bytes of workbooks from which the work takes more than a second."""

DELAY = 1.0
"""Seconds of work after which a bar appears."""

Stage = Callable[[str], None]
"""Called at the beginning of each stage with what it does."""
Told = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and out of how much; 0 for what cannot be counted."""


def on_terminal() -> bool:
    """Tell whether somebody is there to see a bar; rich, which draws it, is not imported for that."""
    return sys.stderr.isatty()


def are_large(files: Iterable[Path]) -> bool:
    """Tell whether to read some files takes more than a second; a folder, which is a LOINC release, does."""
    return sum(LARGE if path.is_dir() else path.stat().st_size for path in files if path.exists()) >= LARGE


@contextmanager
def stages(total: int, files: Iterable[Path]) -> Iterator[Stage]:
    """Show which of the stages is being done, on a terminal and for large files; nothing otherwise."""
    if not on_terminal() or not are_large(files):
        yield lambda _: None
        return
    screen = console(stderr=True)
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=total)
        begun = 0

        def begin(title: str) -> None:
            nonlocal begun
            progress.update(task, description=title, completed=begun, refresh=True)
            begun += 1

        yield begin


@contextmanager
def patience(files: Iterable[Path], delay: float = DELAY) -> Iterator[Told]:
    """Show what is being done and how far it is, on a terminal, once work on large files has taken longer than `delay` seconds.

    For others there is no clock: it is a thread, and a process with a thread makes no copies of itself to be quick (`beside`).
    """
    if not on_terminal() or not are_large(files):
        yield lambda *_: None
        return
    screen = console(stderr=True)
    from threading import Timer

    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
    )
    task = progress.add_task("", total=None)
    timer = Timer(delay, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda title, done, total: progress.update(task, description=title, completed=done, total=total or None)
    finally:
        timer.cancel()
        timer.join()
        progress.stop()

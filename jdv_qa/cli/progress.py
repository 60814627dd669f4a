"""A progress bar for work of several stages on large files: on a terminal only, and only when there is long to wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jdv_qa.cli.options import console

LARGE = 1_000_000
"""Bytes of workbooks from which the work takes more than a second."""

Stage = Callable[[str], None]
"""Called at the beginning of each stage with what it does."""


@contextmanager
def stages(total: int, files: Iterable[Path]) -> Iterator[Stage]:
    """Show which of the stages is being done, on a terminal and for large files; nothing otherwise."""
    screen = console(stderr=True)
    if not screen.is_terminal or sum(path.stat().st_size for path in files if path.is_file()) < LARGE:
        yield lambda _: None
        return
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

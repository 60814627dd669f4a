"""Reading a workbook, begun while the rest of the command is made ready where the command line begins with its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jdv_qa import beside

if TYPE_CHECKING:
    from jdv_qa.files import State
    from jdv_qa.workbook.edition import Edition

    Read = tuple[Edition, list[str]]
    """A workbook, and the remarks on its file."""

_BEGUN: dict[Path, Callable[[], tuple[State | None, Read]]] = {}
"""Workbooks that copies of this process read, as the layout finds them that is used where none is asked for."""


def begin_editions(paths: Sequence[Path]) -> None:
    """Begin to read workbooks, no layout being asked for: the first in a thread, the others in copies of this process.

    A thread costs less than a copy, which sends what it has read; but two workbooks are read sooner by two processes.
    """
    others = [path for path in paths[1:] if path not in _BEGUN and path.is_file()]
    if others and beside.possible():
        import jdv_qa.workbook.read  # noqa: F401 (what all of them need is there before there are copies)
        from jdv_qa.workbook.layout import load_layout

        load_layout()
        for path in others:
            _BEGUN[path] = beside.begin(partial(_read_with_state, path))
    begin_sheets(paths)


def begin_sheets(paths: Iterable[Path]) -> None:
    """Begin to read in threads the sheets of workbooks, those left out that were begun before."""
    for path in paths:
        if path not in _BEGUN and path.is_file():
            from jdv_qa.workbook import sheets

            sheets.begin_sheets(path)


def read_file(path: Path, layout: str | None) -> Read:
    """Return a workbook and the remarks on its file. Raises WorkbookError or LayoutError when it cannot be read."""
    begun = _BEGUN.pop(path, None)
    if begun is not None and not layout:
        from jdv_qa.files import state_of

        state, read = begun()
        if state == state_of(path) is not None:
            return read
    return _read(path, layout)


def _read_with_state(path: Path) -> tuple[State | None, Read]:
    from jdv_qa.files import state_of

    return state_of(path), _read(path, None)


def _read(path: Path, layout: str | None) -> Read:
    from jdv_qa.workbook.layout import load_layout
    from jdv_qa.workbook.read import read_edition
    from jdv_qa.workbook.remarks import remarks_on

    edition = read_edition(path, load_layout(layout) if layout else None)
    return edition, remarks_on(path) if path.is_file() else []

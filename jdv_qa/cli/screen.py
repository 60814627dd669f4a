"""The console that reports are printed on: no markup, and nothing in a text can act on the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any, cast

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from jdv_qa.cli.streams import nobody_reads, not_written
from jdv_qa.harmless import harmless, harmless_parts, is_harmless, without_commands

NARROW = 60
"""Columns below which no cell is kept in one line."""


class Screen(Console):
    """A console without markup: `[IU]/L` is a unit; harmful characters are shown by their numbers (`harmless.py`).

    A reader that has gone is no error; a stdout that cannot be written is an OutputError.
    """

    def __init__(self, *, stderr: bool = False, paper: IO[str] | None = None, width: int | None = None) -> None:
        super().__init__(
            stderr=stderr,
            file=paper,
            width=width,
            no_color=True if paper else None,
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=False,
        )

    @property
    def file(self) -> IO[str]:
        """What is printed on; no line of it begins with a command to the machine that runs a job."""
        return cast(IO[str], _Lines(super().file))

    @file.setter
    def file(self, stream: IO[str]) -> None:
        self._file = stream

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as rich does, after harmful characters have been replaced."""
        if isinstance(renderable, str):
            renderable = harmless(renderable)
        elif isinstance(renderable, Text) and not is_harmless(renderable.plain):
            renderable = _harmless_text(renderable)
        elif isinstance(renderable, Table):
            _cut_nothing(renderable, narrow=self.width < NARROW)
        return super().render(renderable, options)

    def print(self, *objects: Any, **how: Any) -> None:
        """Print as rich does; raises OutputError where stdout cannot be written."""
        try:
            super().print(*objects, **how)
        except OSError as error:
            if self.stderr or self._file is not None:
                raise
            raise not_written(error) from None

    def on_broken_pipe(self) -> None:
        """Go on without a reader, so that the files are written and the status is what the command found."""
        nobody_reads()


class _Lines:
    """A stream that lines are written to once they are wrapped."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(without_commands(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _cut_nothing(table: Table, *, narrow: bool) -> None:
    """Have the cells of a table wrapped, within a word where there is no other way, rather than cut."""
    for column in table.columns:
        if narrow:
            column.no_wrap = False
        if column.overflow == "ellipsis" and not column.no_wrap:
            column.overflow = "fold"


def _harmless_text(text: Text) -> Text:
    """Return a text with the styles it had, its harmful characters replaced."""
    made = text.blank_copy()
    for shown, place in harmless_parts(text.plain):
        made.append_text(Text(shown, style="reverse") if place is None else text[place])
    return made

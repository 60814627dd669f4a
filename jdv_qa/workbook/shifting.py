"""Where rows went when others were inserted or removed, and what becomes of the references to them.

A sheet's rows are kept as runs, so that any number of insertions and removals costs little, and references are rewritten
once, by the position that each old row has in the end. A range grows when rows are inserted inside it, shrinks when some of
its rows go, and is lost with its last row.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384
LOST = "#REF!"

_OLD_ROWS = 1 << 21
"""Keys up to here are the row numbers of the sheet as read (some beyond its end, for rows that move up into it)."""

_CELL = r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})"
_CELL_OR_RANGE = re.compile(rf"{_CELL}(?::{_CELL})?")
_ROWS = re.compile(r"(\$?)([1-9][0-9]{0,6}):(\$?)([1-9][0-9]{0,6})")
_PREFIX = re.compile(r"('(?:[^']|'')*'|[^'!]*)!")


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows that follow one another: their first key and their number; of new rows, the old row they were made like."""

    key: int
    length: int
    like: int | None = None

    @property
    def is_new(self) -> bool:
        return self.key > _OLD_ROWS

    def part(self, skip: int, length: int) -> _Run:
        """Return a part of the run."""
        return _Run(self.key + skip, length, self.like)


class RowMap:
    """The rows of a sheet while rows are inserted and removed.

    A row has a key that stays its own: its number as read, or a higher number for a new one.
    """

    def __init__(self) -> None:
        """Begin with every row in its place."""
        self._runs = [_Run(1, _OLD_ROWS)]
        self._next_key = _OLD_ROWS + 1
        self._index()

    def _index(self) -> None:
        self._ends = list(accumulate(run.length for run in self._runs))
        self._starts = [end - run.length + 1 for end, run in zip(self._ends, self._runs, strict=True)]
        old = [place for place, run in enumerate(self._runs) if not run.is_new]
        self._old_runs = old
        self._old_firsts = [self._runs[place].key for place in old]
        self._old_lasts = [self._runs[place].key + self._runs[place].length - 1 for place in old]

    @property
    def changed(self) -> bool:
        """Whether any row was inserted or removed."""
        return len(self._runs) > 1 or self._runs[0].key != 1

    def key(self, row: int) -> int:
        """Return the key of the row that stands at a position, counted from 1."""
        place = bisect_left(self._ends, row)
        run = self._runs[place]
        return run.key + row - self._starts[place]

    def origin(self, row: int) -> int | None:
        """Return the old row that stands at a position, or that the new row there was made like."""
        run = self._runs[bisect_left(self._ends, row)]
        return run.like if run.is_new else self.key(row)

    def insert(self, before: int, count: int, like: int | None = None) -> None:
        """Insert rows above the one at the position `before`; `like` is the position of the row they are made like."""
        origin = None if like is None else self.origin(like)
        place = self._split(before)
        self._runs.insert(place, _Run(self._next_key, count, origin))
        self._next_key += count
        self._index()

    def delete(self, first: int, count: int) -> list[int]:
        """Remove rows from the position `first` on; returns their keys."""
        keys = [self.key(row) for row in range(first, first + count)]
        start = self._split(first)
        self._index()
        end = self._split(first + count)
        del self._runs[start:end]
        self._index()
        return keys

    def _split(self, row: int) -> int:
        """Let a run begin at a position; returns its place among the runs."""
        place = bisect_left(self._ends, row)
        skip = row - self._starts[place]
        if not skip:
            return place
        run = self._runs[place]
        self._runs[place : place + 1] = [run.part(0, skip), run.part(skip, run.length - skip)]
        return place + 1

    def position(self, key: int) -> int:
        """Return where the row of a key stands. Raises ValueError when it is gone."""
        if key <= _OLD_ROWS:
            position = self.at_or_after(key)
            if self.key(position) == key:
                return position
        for start, run in zip(self._starts, self._runs, strict=True):
            if run.key <= key < run.key + run.length:
                return start + key - run.key
        raise ValueError(key)

    def placed(self, keys: list[int]) -> Iterator[tuple[int, int]]:
        """Yield (position, key) of those of some keys, given in rising order, that still stand, by position."""
        for start, run in zip(self._starts, self._runs, strict=True):
            for key in keys[bisect_left(keys, run.key) : bisect_left(keys, run.key + run.length)]:
                yield start + key - run.key, key

    def at_or_after(self, row: int) -> int:
        """Return the position of an old row, or of the first one below it that still stands."""
        place = bisect_left(self._old_lasts, row)
        index = self._old_runs[place]
        return self._starts[index] + max(row - self._old_firsts[place], 0)

    def at_or_before(self, row: int) -> int:
        """Return the position of an old row, or of the last one above it that still stands; 0 when there is none."""
        place = bisect_right(self._old_firsts, row) - 1
        if place < 0:
            return 0
        return self._starts[self._old_runs[place]] + min(row, self._old_lasts[place]) - self._old_firsts[place]

    def old_at_or_after(self, row: int) -> int:
        """Return the old row, or the first one below it that still stands."""
        return max(row, self._old_firsts[bisect_left(self._old_lasts, row)])

    def span(self, first: int, last: int) -> tuple[int, int] | None:
        """Return where a range of old rows is now; None when all of them are gone."""
        top, bottom = self.at_or_after(first), self.at_or_before(last)
        return (top, min(bottom, MAX_ROW)) if top <= bottom else None

    def _after(self, position: int) -> Iterator[_Run]:
        """Yield the runs of new rows that come directly below a position."""
        place = bisect_left(self._ends, position) + 1
        if place and position and self._ends[place - 1] != position:
            return
        for run in self._runs[place if position else 0 :]:
            if not run.is_new:
                return
            yield run

    def extended(self, first: int, last: int) -> tuple[int, int] | None:
        """Return where a table or filter, header included, is now, with the rows inserted directly below it.

        Rows made like one outside the table, or like its header, do not belong to it.
        """
        if (span := self.span(first, last)) is None:
            return None
        bottom = span[1]
        for run in self._after(bottom):
            if first < last and run.like is not None and not first < run.like <= last:
                break
            bottom += run.length
        return span[0], min(bottom, MAX_ROW)

    def covered(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return where the rows of a format or a validation are now: its own, and those made like one of them."""
        spans = [span] if (span := self.span(first, last)) else []
        for start, run in zip(self._starts, self._runs, strict=True):
            if run.is_new and run.like is not None and first <= run.like <= last:
                spans.append((start, start + run.length - 1))
        joined: list[tuple[int, int]] = []
        for top, bottom in sorted(spans):
            if joined and top <= joined[-1][1] + 1:
                joined[-1] = joined[-1][0], max(bottom, joined[-1][1])
            else:
                joined.append((top, bottom))
        return joined


def split_range(reference: str) -> tuple[str, int, str, int] | None:
    """Return ("A", 2, "C", 9) for "A2:C9" and ("A", 2, "A", 2) for "A2"; None for whole rows or columns."""
    match = _CELL_OR_RANGE.fullmatch(reference)
    if match is None:
        return None
    left, top = match[2].upper(), int(match[4])
    return (left, top, match[6].upper(), int(match[8])) if match[6] else (left, top, left, top)


def join_range(left: str, top: int, right: str, bottom: int) -> str:
    """Return "A2:C9", or "A2" for a single cell."""
    return f"{left}{top}" if (left, top) == (right, bottom) else f"{left}{top}:{right}{bottom}"


def moved_reference(reference: str, rows: RowMap) -> str | None:
    """Return a reference without sheet ("$A$2", "A2:C9", "2:9") as it is now, None when its rows are gone.

    Whole columns, and what is no reference to cells, stay as they are.
    """
    if match := _CELL_OR_RANGE.fullmatch(reference):
        dollar, left, row_dollar, top, other_dollar, right, other_row_dollar, bottom = match.groups()
        span = rows.span(*sorted((int(top), int(bottom or top))))
        if span is None:
            return None
        first = f"{dollar}{left}{row_dollar}{span[0]}"
        return f"{first}:{other_dollar}{right}{other_row_dollar}{span[1]}" if right else first
    if match := _ROWS.fullmatch(reference):
        span = rows.span(*sorted((int(match[2]), int(match[4]))))
        return None if span is None else f"{match[1]}{span[0]}:{match[3]}{span[1]}"
    return reference


def sheet_of_prefix(prefix: str) -> str:
    """Return the sheet that the prefix of a reference names: "'L''essai'" -> "L'essai"."""
    return prefix[1:-1].replace("''", "'") if prefix.startswith("'") else prefix


def split_prefix(operand: str) -> tuple[str, str]:
    """Return the prefix of a reference with its "!", "" when it has none, and the reference."""
    match = _PREFIX.match(operand)
    return (match[0], operand[match.end() :]) if match else ("", operand)


def moved_formula(formula: str, sheet: str, maps: Mapping[str, RowMap]) -> str:
    """Return a formula, without its "=", whose references follow the rows of the sheets that changed.

    `sheet` is the one that holds the formula; `maps` has the changed sheets by their name in lower case. References to
    other workbooks, to names and to columns of tables stay. Raises openpyxl's TokenizerError on what is no formula.
    """
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token

    tokens = Tokenizer(f"={formula}").items
    moved = [
        _moved_operand(token.value, sheet, maps)
        if token.type == Token.OPERAND and token.subtype == Token.RANGE
        else token.value
        for token in tokens
    ]
    return "".join(moved)


def _moved_operand(operand: str, sheet: str, maps: Mapping[str, RowMap]) -> str:
    prefix, reference = split_prefix(operand)
    rows = maps.get((sheet_of_prefix(prefix[:-1]) if prefix else sheet).casefold())
    if rows is None:
        return operand
    # "Feuil1!A1:Feuil1!B2" names the sheet at both ends.
    if prefix and f":{prefix}" in reference:
        reference = reference.replace(f":{prefix}", ":")
    moved = moved_reference(reference, rows)
    return f"{prefix}{LOST if moved is None else moved}"


def translated(formula: str, rows: int) -> str:
    """Return a formula, without its "=", as it reads when copied that many rows down: relative references move along."""
    from openpyxl.formula.translate import Translator

    if not rows:
        return formula
    origin, target = (f"A{MAX_ROW // 2}", f"A{MAX_ROW // 2 + rows}")
    moved: str = Translator(f"={formula}", origin=origin).translate_formula(target)
    return moved.removeprefix("=")

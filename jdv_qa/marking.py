"""Which words differ between two texts: the one place that decides it, for every report that marks them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_TOKEN = re.compile(r"\s+|;|[^\s;]+")
_TOO_LONG = 4_000_000
"""Products of word counts above which two texts are not aligned any more: all of both is then marked."""


class Piece(NamedTuple):
    """A run of a text, and whether the other text lacks it."""

    text: str
    changed: bool


def changed_words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both texts as runs, told apart by whether the other text has them too; joined, they are the text again.

    Words end at spaces and at semicolons. Spaces between two changed words are marked with them, and a run never
    follows one of its own sort.
    """
    from difflib import SequenceMatcher

    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(before) * len(after) > _TOO_LONG:
        return _joined([(old, True)]), _joined([(new, True)])
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    gone: list[tuple[str, bool]] = []
    come: list[tuple[str, bool]] = []
    for place, (operation, i, j, k, m) in enumerate(steps):
        inside = 0 < place < len(steps) - 1
        changed = operation != "equal" or (inside and not "".join(before[i:j]).strip())
        gone.append(("".join(before[i:j]), changed))
        come.append(("".join(after[k:m]), changed))
    return _joined(gone), _joined(come)


def _joined(runs: Sequence[tuple[str, bool]]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for text, changed in runs:
        if not text:
            continue
        if pieces and pieces[-1].changed == changed:
            pieces[-1] = Piece(pieces[-1].text + text, changed)
        else:
            pieces.append(Piece(text, changed))
    return tuple(pieces)

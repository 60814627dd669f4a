"""Which words differ between two texts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.marking import changed_words


def marks(pieces: tuple[tuple[str, bool], ...]) -> str:
    return "".join(f"<{text}>" if changed else text for text, changed in pieces)


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("Sodium urinaire", "Sodium sanguin", "Sodium <urinaire>", "Sodium <sanguin>"),
        ("a b c", "a c", "a <b >c", "a c"),
        ("mmol/L", "umol/L", "<mmol/L>", "<umol/L>"),
        ("D-D;Fibrine", "D-D;Dimères;Fibrine", "D-D;Fibrine", "D-D;<Dimères;>Fibrine"),
        ("a b c d", "x y c d", "<a b> c d", "<x y> c d"),
        ("", "x", "", "<x>"),
        ("x", "", "<x>", ""),
        ("x", "x", "x", "x"),
    ],
)
def test_changed_words(old: str, new: str, before: str, after: str) -> None:
    assert tuple(map(marks, changed_words(old, new))) == (before, after)


@given(st.text("ab ;\n"), st.text("ab ;\n"))
def test_nothing_is_lost_and_runs_alternate(old: str, new: str) -> None:
    for text, pieces in zip((old, new), changed_words(old, new), strict=True):
        assert "".join(piece.text for piece in pieces) == text
        assert all(one.changed != other.changed for one, other in pairwise(pieces))
    assert (old == new) == (not any(piece.changed for side in changed_words(old, new) for piece in side))


def test_very_long_texts_are_not_aligned() -> None:
    old, new = "a " * 3000, "b " * 3000
    assert changed_words(old, new) == (((old, True),), ((new, True),))

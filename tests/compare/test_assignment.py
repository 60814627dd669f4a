"""The best assignment, against every assignment there is."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.compare.assignment import best_assignment

WEIGHTS = st.lists(st.dictionaries(st.integers(0, 4), st.floats(0.01, 1), max_size=5), max_size=5)


@given(WEIGHTS)
def test_no_other_assignment_weighs_more(weights: list[dict[int, float]]) -> None:
    found = best_assignment(weights)
    assert len(set(found.values())) == len(found)
    assert all(column in weights[row] for row, column in found.items())
    best = 0.0
    for choice in itertools.product(*[[None, *row] for row in weights]):
        used = [column for column in choice if column is not None]
        if len(set(used)) == len(used):
            best = max(best, sum(weights[row][column] for row, column in enumerate(choice) if column is not None))
    assert abs(sum(weights[row][column] for row, column in found.items()) - best) < 1e-9


def test_a_chain_of_rivals() -> None:
    assert best_assignment([{0: 0.9, 1: 0.8}, {0: 0.85}, {1: 0.3, 2: 0.2}]) == {0: 1, 1: 0, 2: 2}

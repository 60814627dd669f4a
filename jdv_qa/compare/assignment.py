"""The best assignment of one set to another, each member used once at most, when few pairs come into question."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence


def best_assignment(weights: Sequence[Mapping[int, float]]) -> dict[int, int]:
    """Return row -> column so that the sum of the weights is the highest there is; a row may be left out.

    `weights[row]` holds the columns that the row may take, each with a weight above 0 and up to 1. Rows are assigned one
    after the other along shortest augmenting paths (Jonker and Volgenant 1987, on sparse costs): time grows with the
    number of pairs given, not with rows times columns. Equal inputs give equal answers.
    """
    column_of: dict[int, int] = {}
    row_of: dict[int, int] = {}
    row_price = [0.0] * len(weights)
    column_price: dict[int, float] = {}
    spare = 1 + max((column for row in weights for column in row), default=-1)
    # A column of its own for each row (spare + row), of weight 0: taking it leaves the row out.
    edges = [
        [*((column, 1.0 - weight) for column, weight in sorted(row.items())), (spare + place, 1.0)]
        for place, row in enumerate(weights)
    ]
    for start in range(len(weights)):
        distance: dict[int, float] = {}
        parent: dict[int, int] = {}
        settled: dict[int, float] = {}
        reached = {start: 0.0}
        queue: list[tuple[float, int]] = []
        row, base, end = start, 0.0, -1
        while True:
            for column, cost in edges[row]:
                if column in settled:
                    continue
                length = base + cost - row_price[row] - column_price.get(column, 0.0)
                if length < distance.get(column, float("inf")) - 1e-12:
                    distance[column] = length
                    parent[column] = row
                    heapq.heappush(queue, (length, column))
            base, column = heapq.heappop(queue)
            while column in settled or base > distance[column]:
                base, column = heapq.heappop(queue)
            settled[column] = base
            if column not in row_of:
                end = column
                break
            row = row_of[column]
            reached[row] = base
        for row, length in reached.items():
            row_price[row] += settled[end] - length
        for column, length in settled.items():
            column_price[column] = column_price.get(column, 0.0) - (settled[end] - length)
        while end != -1:
            row = parent[end]
            row_of[end] = row
            column_of[row], end = end, column_of.get(row, -1)
    return {row: column for row, column in sorted(column_of.items()) if column < spare}

"""A pair of full-size workbooks made from the sample: its two editions, enlarged by copies under codes of their own."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

from jdv_qa.sample.build import Edition, editions, figures, main_rows, write_workbook
from jdv_qa.terminology.codes import CodeForm, check_digit, read_code

ROWS = 3200
"""Rows of the main tab, about as many as the published value set has."""

_FIRST_STEM = 110_000  # above all LOINC codes of the sample
_FIRST_PENDING = 700_000
_AXES = re.compile(r" \[")
_RANKS = 10_000


def build_pair(directory: Path, rows: int = ROWS) -> tuple[Path, Path]:
    """Write the enlarged editions 1.0.0 and 1.1.0, of that many rows, and return their paths.

    They differ in what changes between the editions of the sample; the copies are the same in both.
    """
    first, second, _ = editions()
    copies = Copies(second)
    paths = []
    for edition in (first, second):
        copies.enlarge(edition, rows)
        edition.indicators[edition.version] = figures(edition)
        path = directory / f"JDV_CircuitBio_{edition.version}.xlsx"
        write_workbook(path, edition, main_rows(edition))
        paths.append(path)
    return paths[0], paths[1]


class Copies:
    """Copies of an edition's entries under codes, labels and ranks of their own, the same for whoever asks."""

    def __init__(self, edition: Edition) -> None:
        """Take the entries of the edition as it is now."""
        self._orders = {code: dict(row) for code, row in edition.orders.items()}
        self._results = {code: dict(row) for code, row in edition.results.items()}
        self._pairs = list(edition.pairs)
        self._codes: dict[tuple[str, int], str] = {}
        self._loinc = (f"{stem}-{check_digit(str(stem))}" for stem in count(_FIRST_STEM))
        self._pending = (text for text in map(str, count(_FIRST_PENDING)) if read_code(text).form is CodeForm.PENDING)

    def enlarge(self, edition: Edition, rows: int) -> None:
        """Add copies to the edition, in the same order every time, until its main tab has that many rows."""
        for number in count(2):
            for order, result in self._pairs:
                if len(edition.pairs) >= rows:
                    return
                pair = self._code(order, number), self._code(result, number)
                edition.orders.setdefault(pair[0], self._order(order, number))
                edition.results.setdefault(pair[1], self._result(result, number))
                edition.pairs.append(pair)

    def _code(self, code: str, number: int) -> str:
        if (code, number) not in self._codes:
            self._codes[code, number] = next(self._loinc if "-" in code else self._pending)
        return self._codes[code, number]

    def _order(self, code: str, number: int) -> dict[str, str]:
        row = self._orders[code]
        return row | {
            "order_code": self._code(code, number),
            "order_label": f"{row['order_label']} {number}",
            "order_loinc_label": _renamed(row["order_loinc_label"], number),
        }

    def _result(self, code: str, number: int) -> dict[str, str]:
        row = self._results[code]
        return row | {
            "result_code": self._code(code, number),
            "result_loinc_label": _renamed(row["result_loinc_label"], number),
            "result_display": f"{row['result_display']} {number}",
            "rank": str(int(row["rank"]) + number * _RANKS) if row["rank"] else "",
        }


def _renamed(label: str, number: int) -> str:
    """Return a LOINC label with another component: "Sodium [Moles/Volume] …", 2 -> "Sodium 2 [Moles/Volume] …"."""
    return _AXES.sub(f" {number} [", label, count=1)

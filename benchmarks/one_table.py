"""A pair of one-table workbooks in the form of LOINC Biologie FR, made from the labels of the sample under codes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from jdv_qa.sample.build import editions
from jdv_qa.terminology.codes import check_digit
from jdv_qa.terminology.labels import parse_label

HEADERS = (
    "Code LOINC", "Libellé français de référence", "Composant anglais", "Composant français", "Synonymes", "Grandeur", "Temps",
    "Milieu biologique", "Echelle", "Technique", "Chapitre", "Date de validation", "Version VP", "Statut", "Version item corrigé",
)  # fmt: skip

_FIRST_STEM = 200_000  # above all LOINC codes there are
_REVISED, _REMOVED, _ADDED = 50, 400, 150
"""One row in so many has another label in the second version, is gone from it, or is new in it."""

Row = tuple[str, ...]


def build_tables(directory: Path, rows: int) -> tuple[Path, Path]:
    """Write two successive versions, the first of that many rows, and return their paths."""
    first = list(islice(_rows(), rows))
    second = [
        _revised(row) if number % _REVISED == 0 else row
        for number, row in enumerate(first, start=1)
        if number % _REMOVED
    ]
    second += islice(_rows(), rows, rows + rows // _ADDED)
    paths = directory / "v1.xlsx", directory / "v2.xlsx"
    for path, title, table in zip(paths, ("2.22 (2.78)", "2.23 (2.79-2.80)"), (first, second), strict=True):
        _write(path, f"LOINC Biologie FR {title}", table)
    return paths


def _rows() -> Iterator[Row]:
    labels = [result["result_loinc_label"] for result in editions()[0].results.values()]
    parsed = [label for text in labels if (label := parse_label(text)) is not None]
    for number, label in enumerate(cycle(parsed), start=_FIRST_STEM):
        name = f"{label.component} {number}"
        axes = label.property, label.time or "Ponctuel", label.system, label.scale, label.method
        wording = f"{name} [{label.property}] {label.system} ; {label.scale}{label.method and f' ; {label.method}'}"
        yield (
            f"{number}-{check_digit(str(number))}", wording, name, name, name.lower(), *axes,
            "CHEM", "2024-06-01", "2.22", "ACTIVE", "",
        )  # fmt: skip


def _revised(row: Row) -> Row:
    return (*row[:4], f"{row[4]} (révisé)", *row[5:])


def _write(path: Path, title: str, rows: list[Row]) -> None:
    from xlsxwriter import Workbook

    with Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Jeu de valeurs")
        sheet.write(0, 0, title)
        sheet.write_row(1, 0, HEADERS)
        for number, row in enumerate(rows, start=2):
            sheet.write_row(number, 0, row)

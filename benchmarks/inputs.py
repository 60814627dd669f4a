"""What the commands are measured on: full-size workbooks, one-table workbooks, a LOINC release, and smaller ones of each.

The main pair and the one-table pair are those of the corpus builder where it is (`JDV_KIT`, see CONTRIBUTING.md), else they are
made from the sample; a builder's pair differs in some 400 changes, the sample's in 75.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loinc_release import write_release
from benchmarks.one_table import build_tables
from benchmarks.workbooks import ROWS, build_pair

TERMS = 110_000
"""Terms of a LOINC release, about as many as LOINC 2.80 has."""

TABLE_ROWS = 60_000
"""Rows of the one-table workbook, as many as LOINC Biologie FR has."""

TINY, FEW, MANY = 400, 3_000, 60_000
"""Rows between the last two of which the cost per row must not grow; the first tells the start-up from the rows."""

_REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Inputs:
    """Paths of what is measured; `origin` says where the main pair comes from."""

    origin: str
    old: Path
    new: Path
    table_old: Path
    table_new: Path
    release: Path
    few: tuple[Path, Path]
    many: tuple[Path, Path]
    table_few: tuple[Path, Path]
    tiny: tuple[Path, Path]
    table_tiny: tuple[Path, Path]

    @property
    def loinc_csv(self) -> Path:
        """The table of terms of the release."""
        return self.release / "LoincTable" / "Loinc.csv"


def kit() -> Path | None:
    """Return the folder of the corpus builder, if it is there."""
    folder = Path(os.environ.get("JDV_KIT", _REPOSITORY.parent / "shared" / "kit"))
    return folder if (folder / "corpus.py").is_file() and (folder / "loinc_fr.py").is_file() else None


def build(place: Path, given: tuple[Path, Path] | None = None) -> Inputs:
    """Build all of it in a folder; the main pair is the one given, if one is."""
    builder = kit()
    if given:
        origin, (old, new) = "given", given
    elif builder:
        origin, (old, new) = "corpus builder", _built(builder / "corpus.py", place / "corpus")
    else:
        origin, (old, new) = "sample, enlarged", build_pair(_folder(place / "main"), ROWS)
    table_old, table_new = (
        _built(builder / "loinc_fr.py", place / "table", "--rows", str(TABLE_ROWS))
        if builder
        else build_tables(_folder(place / "table"), TABLE_ROWS)
    )
    release = place / "Loinc_2.80"
    write_release(release, TERMS, workbook=new)
    return Inputs(
        origin, old, new, table_old, table_new, release,
        few=build_pair(_folder(place / "few"), FEW),
        many=build_pair(_folder(place / "many"), MANY),
        table_few=(
            _built(builder / "loinc_fr.py", place / "table_few", "--rows", str(FEW))
            if builder
            else build_tables(_folder(place / "table_few"), FEW)
        ),
        tiny=build_pair(_folder(place / "tiny"), TINY),
        table_tiny=build_tables(_folder(place / "table_tiny"), TINY),
    )  # fmt: skip


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _built(script: Path, place: Path, *options: str) -> tuple[Path, Path]:
    subprocess.run([sys.executable, str(script), str(place), *options], check=True, stdout=subprocess.DEVNULL)
    return place / "v1.xlsx", place / "v2.xlsx"

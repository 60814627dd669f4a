"""The sample workbooks that ship with the package: two clean editions and a draft with known faults."""

from __future__ import annotations

from pathlib import Path

SAMPLE_DIR = Path(__file__).resolve().parent
"""The folder of the sample workbooks; their source tables are in `source/`."""


def files() -> dict[str, Path]:
    """Return the version of each sample edition -> its workbook, the oldest first; 1.2.0 is the draft with faults."""
    return {
        "1.0.0": SAMPLE_DIR / "JDV_CircuitBio_1.0.0.xlsx",
        "1.1.0": SAMPLE_DIR / "JDV_CircuitBio_1.1.0.xlsx",
        "1.2.0": SAMPLE_DIR / "JDV_CircuitBio_1.2.0_brouillon.xlsx",
    }

"""The sample that ships with the package: two clean editions, a draft with faults, a laboratory report, change requests."""

from __future__ import annotations

from pathlib import Path

SAMPLE_DIR = Path(__file__).resolve().parent
"""The folder of the sample workbooks; their source tables are in `source/`."""

REPORT = SAMPLE_DIR / "CR-BIO_exemple.xml"
"""A made-up laboratory report over the codes of 1.1.0, with faults, for `jdv cda`."""

REQUESTS = SAMPLE_DIR / "demandes_1.1.0.xlsx"
"""A register of change requests to 1.0.0, many of them answered by 1.1.0, for `jdv triage`."""


def files() -> dict[str, Path]:
    """Return the version of each sample edition -> its workbook, the oldest first; 1.2.0 is the draft with faults."""
    return {
        "1.0.0": SAMPLE_DIR / "JDV_CircuitBio_1.0.0.xlsx",
        "1.1.0": SAMPLE_DIR / "JDV_CircuitBio_1.1.0.xlsx",
        "1.2.0": SAMPLE_DIR / "JDV_CircuitBio_1.2.0_brouillon.xlsx",
    }

"""Small registers, a small LOINC release, and reviews of them against the sample's first edition."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from jdv_qa.sample import files
from jdv_qa.terminology.loinc import LoincRelease, Term
from jdv_qa.triage.requests import read_requests
from jdv_qa.triage.review import Review, Reviewed, review
from jdv_qa.triage.trial import Trials
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition

SODIUM_BLOOD = "Sodium [Moles/Volume] Sang ; Numérique"
_PLAIN = dict.fromkeys(Term._fields, "") | {
    "status": "ACTIVE", "order_obs": "Both", "scale": "Qn", "time": "Pt", "classtype": "1",
}  # fmt: skip
_TERMS: list[dict[str, str]] = [
    {"code": "2947-0", "component": "Sodium", "property": "SCnc", "system": "Bld", "name": "Sodium [Moles/volume] in Blood"},
    {"code": "2951-2", "component": "Sodium", "property": "SCnc", "system": "Ser/Plas"},
    {"code": "14682-9", "component": "Creatinine", "french_component": "Créatinine", "property": "SCnc", "system": "Ser/Plas"},
    {"code": "2160-0", "component": "Creatinine", "french_component": "Créatinine", "property": "MCnc", "system": "Ser/Plas"},
    {"code": "14749-6", "component": "Glucose", "property": "SCnc", "system": "Ser/Plas"},
    {"code": "74774-1", "component": "Glucose", "property": "MCnc", "system": "Ser/Plas/Bld"},
    {"code": "2532-0", "component": "Lactate dehydrogenase", "property": "CCnc", "system": "Ser/Plas", "status": "DEPRECATED"},
    {"code": "14804-9", "component": "Lactate dehydrogenase", "property": "CCnc", "system": "Ser/Plas"},
    {"code": "24362-6", "component": "Renal function 2000 panel", "property": "-", "system": "Ser/Plas", "scale": "-", "order_obs": "Order"},
    {"code": "24320-4", "component": "Basic metabolic panel", "property": "-", "system": "Ser/Plas", "scale": "-", "order_obs": "Order"},
    {"code": "47390-0", "component": "Toxoplasma gondii Ab.IgG", "property": "ACnc", "system": "Ser", "method": "Dye test"},
    {"code": "24242-0", "component": "Toxoplasma gondii Ab.IgG^1st specimen", "property": "ACnc", "system": "Ser"},
    {"code": "8302-2", "component": "Body height", "property": "Len", "system": "^Patient", "classtype": "2"},
    {"code": "883-9", "component": "ABO group", "property": "Type", "system": "Bld", "scale": "Nom"},
]  # fmt: skip

LOINC = LoincRelease("2.80", {term["code"]: Term(**(_PLAIN | term)) for term in _TERMS}, {"2532-0": (("14804-9", ""),)})


_trials: dict[tuple[str, bool], Trials] = {}
"""The trials of each workbook, with and without LOINC, made once."""


@lru_cache
def sample(version: str = "1.0.0") -> Edition:
    """The sample edition of a version; 1.0.0 repeats the cells of orders, 1.1.0 merges them."""
    return read_edition(files()[version])


def write_register(rows: Sequence[Mapping[str, object]], path: Path, separator: str = ";") -> Path:
    """Write requests, keys as in the layout of registers, as a CSV file with the reference headers."""
    columns = load_layout("demandes").tabs["requests"].columns
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow([column.header for column in columns.values()])
        for number, row in enumerate(rows, 1):
            assert row.keys() <= columns.keys(), row
            writer.writerow([({"number": number} | dict(row)).get(name, "") for name in columns])
    return path


def reviewed(
    rows: Sequence[Mapping[str, object]],
    folder: Path,
    *,
    loinc: LoincRelease | None = LOINC,
    version: str = "1.0.0",
) -> Review:
    """The review of requests against the sample."""
    register = read_requests(write_register(rows, folder / "demandes.csv"))
    key = (version, loinc is None)
    done = review(register, sample(version), loinc=loinc, trials=_trials.get(key))
    assert done.trials is not None
    _trials.setdefault(key, done.trials)
    return done


def one(row: Mapping[str, object], folder: Path, **options: object) -> Reviewed:
    """The review of a single request."""
    return reviewed([row], folder, **options).requests[0]  # type: ignore[arg-type]

"""Registers for tests: made of the sample editions, or of a small Edition that takes no time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from jdv_qa.checks.profiles import load_profile
from jdv_qa.publish.excel import excel_workbook
from jdv_qa.publish.register import Register, load_register
from jdv_qa.publish.release import (
    ReleasePlan,
    Terms,
    import_files,
    make_release,
    plan_import,
    plan_release,
    release_files,
)
from jdv_qa.report.register_documents import release_documents
from jdv_qa.sample import files
from jdv_qa.workbook.edition import Edition, Identity, Record
from tests.publish.test_export import small_edition, with_row

SAMPLE = files()


def versioned(edition: Edition, version: str, date: str) -> Edition:
    """The Edition under another version and date."""
    lines = (Record(1, {"label": "Version", "value": version}), Record(2, {"label": "Date", "value": date}))
    tables = {key: table for key, table in edition.tables.items() if key != "history"}
    tables["summary"] = replace(edition.tables["summary"], records=lines)
    tables["history"] = replace(edition.tables["history"], records=())
    return replace(edition, tables=tables, identity=Identity(version, date))


def small_workbook(folder: Path, version: str = "1.0.0", date: str = "2026-01-15", **row: str) -> Path:
    """A workbook of three or, with values for one more row, of four rows."""
    edition = versioned(small_edition(), version, date)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"v{version}.xlsx"
    path.write_bytes(excel_workbook(with_row(edition, **row) if row else edition))
    return path


def imported(register: Register, path: Path, version: str | None = None) -> Register:
    """The register with an old workbook taken in."""
    plan = plan_import(path, register, version)
    return make_release(plan, import_files(plan, release_documents(plan)))


def small_register(folder: Path) -> Register:
    """A register of three small versions: a result enters in the second, and changes its unit in the third."""
    register = load_register(folder / "releases")
    for version, date, row in (
        ("1.0.0", "2026-01-15", {}),
        ("1.1.0", "2026-07-15", {"unit": "mmol/L"}),
        ("1.10.0", "2027-01-15", {"unit": "g/L"}),
    ):
        register = imported(register, small_workbook(folder, version, date, **row))
    return register


def sample_plan(register: Register, version: str = "1.1.0", **options: Any) -> ReleasePlan:
    """The plan of the release of a sample edition, whose tabs 9 and 10 are left as they are."""
    terms = Terms(profile=load_profile("publication"))
    return plan_release(SAMPLE[version], register, terms, **{"update": False, **options})


def released(plan: ReleasePlan) -> Register:
    """The register with the planned release."""
    return make_release(plan, release_files(plan, release_documents(plan)))

"""The register for scripts: its releases, a release that is planned, and what a verification found."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

from jdv_qa.publish.register import Register
from jdv_qa.publish.release import ReleasePlan, entry
from jdv_qa.publish.verification import Verification
from jdv_qa.workbook.tables import defused


def releases_json(register: Register) -> str:
    """Return the releases as JSON: schema jdv-releases/1, without the files and the index's own hash."""
    releases = [
        {key: value for key, value in release.to_json().items() if key != "files"} for release in register.releases
    ]
    return _text({"schema": "jdv-releases/1", "releases": releases})


def releases_csv(register: Register, *, bom: bool = False) -> bytes:
    """Return one row a release, with its figures."""
    rows = [
        {"version": release.version, "date": release.date, "loinc": release.loinc, "status": release.status}
        | {name: str(number) for name, number in release.figures.items()}
        | {kind: str(number) for kind, number in release.changes.items()}
        | {impact: str(number) for impact, number in release.impacts.items()}
        for release in register.releases
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return csv_bytes([columns, *([row.get(name, "") for name in columns] for row in rows)], bom=bom)


def plan_json(plan: ReleasePlan, files: Mapping[str, bytes], *, written: bool) -> str:
    """Return a planned release as JSON: schema jdv-release-plan/1. `written`: it has been made."""
    described = entry(plan).to_json()
    described["files"] = [{"path": path, "bytes": len(content)} for path, content in sorted(files.items())]
    content = {
        "schema": "jdv-release-plan/1",
        "refused": list(plan.reasons),
        "written": written,
        "notes_lines": plan.update.lines if plan.update else 0,
        "indicators_column": plan.update.column if plan.update else False,
        "release": described,
    }
    return _text(content)


def verification_json(verification: Verification) -> str:
    """Return what a verification found as JSON: schema jdv-verify/1."""
    content = {
        "schema": "jdv-verify/1",
        "releases": [
            {"version": verified.release.version, "files": verified.files, "faults": len(verified.faults)}
            for verified in verification.releases
        ],
        "faults": [fault.to_json() for fault in verification.all_faults],
    }
    return _text(content)


def csv_bytes(rows: list[list[str]], *, bom: bool = False) -> bytes:
    """Return rows as CSV, written as `jdv export` writes its tables: UTF-8, ";", all quoted, CR LF, texts defused."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"

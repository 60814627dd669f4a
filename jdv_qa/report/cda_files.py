"""The check of laboratory reports as files: JSON (schema jdv-cda/1), CSV with one row a code, Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from jdv_qa.cda.check import Checked, Line
from jdv_qa.language import say
from jdv_qa.publish.markdown import markdown_table, markdown_text
from jdv_qa.report.cda_lines import SEVERITIES, figures, places, subject, told, value_set_name, verdict
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.tables import defused

SCHEMA = "jdv-cda/1"
COLUMNS = (
    "report", "line", "kind", "code", "code_system", "display", "result", "in_value_set", "expected", "state", "faults",
    "messages", "suggestion", "place",
)  # fmt: skip


def cda_json(checks: Sequence[Checked], edition: Edition, loinc_version: str | None = None) -> str:
    """Return the JSON text: every code of every report, in the order of the document; the same to the byte for the same input."""
    content = {
        "schema": SCHEMA,
        "value_set": {
            "path": edition.source.path,
            "sha256": edition.source.sha256,
            "version": edition.identity.version,
        },
        "loinc": None if loinc_version is None else {"version": loinc_version},
        "reports": [_report(checked) for checked in checks],
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def _report(checked: Checked) -> dict[str, Any]:
    return {
        "path": checked.report.path,
        "sha256": checked.report.sha256,
        "title": checked.report.title,
        "conformant": not checked.summary["error"],
        "summary": checked.summary,
        "counts": {kind.value: {"read": seen, "in_value_set": known} for kind, (seen, known) in checked.counts.items()},
        "codes": [_line(line) for line in checked.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind.value,
        "line": line.line,
        "place": line.place,
        "code": line.code,
        "code_system": line.system,
        "display": line.display,
        "result": line.result or None,
        "in_value_set": line.known,
        "expected": line.expected,
        "state": line.state,
        "remarks": [
            {
                "fault": remark.fault,
                "severity": remark.severity,
                "message": remark.message,
                "suggestion": remark.suggestion,
            }
            for remark in line.remarks
        ],
    }


def cda_csv(checks: Sequence[Checked], *, bom: bool = False) -> bytes:
    """Return the bytes of the CSV, written as `jdv export` writes its tables; texts that a spreadsheet would run are defused."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for checked in checks:
        for line in checked.lines:
            row = (
                checked.report.path, line.line, line.kind.value, line.code, line.system, line.display, line.result,
                "true" if line.known else "false", line.expected, line.state,
                " ".join(remark.fault for remark in line.remarks),
                " | ".join(remark.message for remark in line.remarks),
                next((remark.suggestion for remark in line.remarks if remark.suggestion), ""), line.place,
            )  # fmt: skip
            writer.writerow(defused(str(value)) for value in row)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def cda_markdown(checks: Sequence[Checked], edition: Edition) -> str:
    """Return a page: for each report its verdict, its figures, and one table of remarks a severity."""
    blocks = [f"# {say('Contrôle de comptes rendus de biologie', 'Check of laboratory reports')}"]
    blocks.append(markdown_text(value_set_name(edition)))
    titles = {
        "error": say("Erreurs", "Errors"),
        "warning": say("Avertissements", "Warnings"),
        "info": say("Informations", "Notes"),
    }
    for checked in checks:
        blocks.append(f"## {markdown_text(PurePath(checked.report.path).name)}")
        blocks.append(f"**{markdown_text(verdict(checked))}**")
        headers = ("", say("Lus", "Read"), say("Dans le jeu de valeurs", "In the value set"))
        rows = [(markdown_text(name), str(seen), str(known)) for name, seen, known in figures(checked)]
        if rows:
            blocks.append(markdown_table(headers, rows))
        for severity in SEVERITIES:
            if not (found := told(checked, severity)):
                continue
            blocks.append(f"### {titles[severity]}")
            columns = (
                say("Où", "Where"),
                say("Quoi", "What"),
                say("Constat", "Remark"),
                say("Proposition", "Proposal"),
            )
            cells = [
                (places(item.rows), subject(item.line), item.remark.message, item.remark.suggestion) for item in found
            ]
            blocks.append(markdown_table(columns, [[markdown_text(cell) for cell in row] for row in cells]))
    return "\n\n".join([*blocks, "---", LOINC_NOTICE]) + "\n"

"""The changes between two editions as CSV, one row a change, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io

from jdv_qa.compare.model import Comparison
from jdv_qa.report.changes_lines import change_lines
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.tables import defused

COLUMNS = (
    "kind", "part", "impact", "code", "new_code", "result", "nabm", "label", "field", "header", "old", "new",
    "chapters", "related", "confidence", "evidence", "actors", "old_row", "new_row",
)  # fmt: skip


def changes_csv(comparison: Comparison, old: Edition, new: Edition, *, bom: bool = False) -> bytes:
    """Return the bytes of the file, written as `jdv export` writes its tables: UTF-8, ";", all quoted, CR LF.

    Texts that a spreadsheet would run are defused; `bom` puts the mark in front by which Excel knows UTF-8. Columns and
    keys are those of the JSON form, whatever the language; `header` is the header of the field.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in change_lines(comparison, old, new):
        change = line.change
        row = (
            change.kind, change.part, change.impact, change.code, change.new_code or "", change.result or "",
            change.nabm or "", change.label, change.field or "", line.field, change.old or "", change.new or "",
            " ".join(line.chapters), " ".join(change.related),
            "" if change.confidence is None else change.confidence, " ".join(change.evidence), " ".join(change.actors),
            change.old_row or "", change.new_row or "",
        )  # fmt: skip
        writer.writerow(defused(str(value)) for value in row)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")

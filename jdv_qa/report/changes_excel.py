"""The changes between two editions as an Excel workbook: for those who filter, share out and tick off.

A tab of figures, one tab a part with the changed words marked inside the cell, and one tab in the form of the comparisons
published by the Serveur Multi-Terminologies.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from jdv_qa import __version__
from jdv_qa.compare.impact import propose_version
from jdv_qa.compare.model import IMPACTS, PARTS, REFERENCES, Comparison, Part, Side
from jdv_qa.compare.wording import kind_name, part_name, phrase
from jdv_qa.language import say
from jdv_qa.marking import Piece
from jdv_qa.report.cell_text import fitted
from jdv_qa.report.changes_lines import (
    READING_ORDER,
    Line,
    change_lines,
    chapter_labels,
    impact_name,
    telling_sentences,
    warning_sentences,
)
from jdv_qa.report.changes_text import summary_sentence
from jdv_qa.terminology.codes import is_pending
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition

if TYPE_CHECKING:
    from xlsxwriter import Workbook

PENDING_SYSTEM = "1.2.250.1.213.1.1.5.130"
"""OID of the pending codes of the Circuit de la biologie."""
SMT_COLUMNS = ("Concept_IRI", "Type", "Relation", "Ancienne Valeur", "Nouvelle Valeur")

_CREATED = dt.datetime(1980, 1, 1)
_TINTS = {"breaking": "#F8CBAD", "additive": "#E2EFDA", "editorial": "#EDEDED"}
_TALLEST = 409
_OLD, _NEW, _LAST_TEXT = 6, 7, 10
"""Places of the old and of the new value, and of the last text, among the columns of a part."""


def changes_excel(comparison: Comparison, old: Edition, new: Edition) -> bytes:
    """Return the report as an .xlsx file, the same to the byte for the same input."""
    from xlsxwriter import Workbook

    lines = change_lines(comparison, old, new)
    chapters = chapter_labels(old, new)
    buffer = io.BytesIO()
    book = Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"title": say("Changements", "Changes"), "created": _CREATED, "comments": LOINC_NOTICE})
    formats = _Formats(book)
    _write_summary(book, comparison, formats)
    for part in PARTS:
        if found := [line for line in lines if line.change.part == part]:
            _write_part(book, part, found, chapters, formats)
    _write_smt(book, lines, formats)
    book.close()
    return buffer.getvalue()


def concept_iri(line: Line) -> str:
    """Return what names the concept of a change: an address for a LOINC code, an OID for a pending one, else the code."""
    change = line.change
    if change.part in REFERENCES or not change.code:
        return change.code or change.label
    if is_pending(change.code):
        return f"urn:oid:{PENDING_SYSTEM}#{change.code}"
    return f"https://loinc.org/{change.code}"


class _Formats:
    """The formats of the workbook's cells."""

    def __init__(self, book: Workbook) -> None:
        cell = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#BFBFBF", "num_format": "@"}
        self.cell = book.add_format(cell)
        self.number = book.add_format({**cell, "num_format": "0"})
        self.tints = {impact: book.add_format({**cell, "bg_color": colour}) for impact, colour in _TINTS.items()}
        self.gone_cell = book.add_format({**cell, "font_color": "#9C0006"})
        self.come_cell = book.add_format({**cell, "font_color": "#006100", "bold": True})
        self.gone = book.add_format({"font_color": "#9C0006", "font_strikeout": True})
        self.come = book.add_format({"font_color": "#006100", "bold": True})
        self.head = book.add_format(
            {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F4E79", "text_wrap": True, "valign": "top"}
        )
        self.title = book.add_format({"bold": True, "font_size": 14, "valign": "top"})
        self.section = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
        self.plain = book.add_format({"text_wrap": True, "valign": "top"})


def _write_part(book: Workbook, part: Part, lines: Sequence[Line], chapters: dict[str, str], formats: _Formats) -> None:
    other = {"association": say("Résultat", "Result"), "nabm": "NABM/RIHN"}.get(part, say("Nouveau code", "New code"))
    columns: tuple[tuple[str, int], ...] = (
        (say("Effet", "Impact"), 22), (say("Nature", "Kind"), 16),
        (say("Demande", "Order") if part in ("association", "nabm") else "Code", 12), (other, 12),
        (say("Libellé", "Label"), 44), (say("Champ", "Field"), 24), (say("Ancienne valeur", "Old value"), 48),
        (say("Nouvelle valeur", "New value"), 48), (say("Chapitre", "Chapter"), 22), (say("Voir aussi", "See also"), 16),
        (say("Ce qui est à faire", "What to do"), 44), (say("Ancienne ligne", "Old row"), 10),
        (say("Nouvelle ligne", "New row"), 10),
    )  # fmt: skip
    contents = [
        (
            line.impact, line.kind, line.change.code, line.other, line.change.label, line.field, line.old, line.new,
            ", ".join(chapters.get(code, code) for code in line.chapters), ", ".join(line.change.related), line.reason,
            _number(line.change.old_row), _number(line.change.new_row),
        )
        for line in lines
    ]  # fmt: skip
    kept = [place for place in range(len(columns)) if any(texts[place] for texts in contents)]
    columns = tuple(columns[place] for place in kept)
    sheet = _sheet(book, _sheet_name(part), columns, formats)
    for row, (line, texts) in enumerate(zip(lines, contents, strict=True), 1):
        for column, place in enumerate(kept):
            if place == _OLD:
                _write_marked(sheet, row, column, line.old_pieces, formats.gone, formats.gone_cell, formats.cell)
            elif place == _NEW:
                _write_marked(sheet, row, column, line.new_pieces, formats.come, formats.come_cell, formats.cell)
            elif place > _LAST_TEXT and texts[place]:
                sheet.write_number(row, column, int(texts[place]), formats.number)
            else:
                style = formats.tints[line.change.impact] if place == 0 else formats.cell
                sheet.write_string(row, column, fitted(texts[place]), style)
        sheet.set_row(row, _height([texts[place] for place in kept], [width for _, width in columns]))
    sheet.autofilter(0, 0, len(lines), len(columns) - 1)
    sheet.freeze_panes(1, 3)
    sheet.ignore_errors({"number_stored_as_text": f"A1:M{len(lines) + 1}"})


def _number(row: int | None) -> str:
    return "" if row is None else str(row)


def _write_marked(
    sheet: Any, row: int, column: int, pieces: Sequence[Piece], mark: Any, whole: Any, plain: Any
) -> None:
    """Write a text with its changed runs marked; Excel has no rich text of a single run, the cell's format then serves."""
    text = "".join(piece.text for piece in pieces)
    if len(pieces) < 2 or fitted(text) != text:
        changed = any(piece.changed for piece in pieces)
        sheet.write_string(row, column, fitted(text), whole if changed else plain)
        return
    fragments: list[Any] = []
    for piece in pieces:
        fragments += [mark, piece.text] if piece.changed else [piece.text]
    sheet.write_rich_string(row, column, *fragments, plain)


def _write_smt(book: Workbook, lines: Sequence[Line], formats: _Formats) -> None:
    columns = tuple(zip(SMT_COLUMNS, (38, 18, 34, 60, 60), strict=True))
    sheet = _sheet(book, "SMT", columns, formats)
    for row, line in enumerate(lines, 1):
        relation = line.field or line.part
        if line.change.kind in ("assigned", "replaced"):
            relation = say("Remplacé par", "Replaced by")
        texts = (concept_iri(line), line.kind, relation, line.old, line.new)
        for column, text in enumerate(texts):
            sheet.write_string(row, column, fitted(text), formats.cell)
        sheet.set_row(row, _height(texts, [width for _, width in columns]))
    sheet.autofilter(0, 0, max(len(lines), 1), len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:E{len(lines) + 1}"})


def _write_summary(book: Workbook, comparison: Comparison, formats: _Formats) -> None:
    sheet = book.add_worksheet(say("Synthèse", "Summary"))
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, 6, 16)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.merge_range(0, 0, 0, 6, summary_sentence(comparison), formats.title)
    sheet.set_row(0, 40)
    formats.title.set_text_wrap()
    kinds = [kind for kind in READING_ORDER if comparison.summary[kind]]
    row = _write_count_row(sheet, 2, say("Partie", "Part"), [*map(kind_name, kinds), "Total"], formats.head)
    for part in PARTS:
        counts = [len(comparison.select(kind, part)) for kind in kinds]
        if any(counts):
            row = _write_count_row(sheet, row, _capital(part_name(part)), [*counts, sum(counts)], formats.number)
    totals = [comparison.summary[kind] for kind in kinds]
    row = _write_count_row(sheet, row, "Total", [*totals, sum(totals)], formats.number) + 1
    for impact in IMPACTS:
        sheet.write_string(row, 0, impact_name(impact), formats.tints[impact])
        sheet.write_number(row, 1, comparison.impacts[impact], formats.number)
        row += 1
    row += 1
    sheet.write_string(row, 0, say("Versions comparées", "Versions compared"), formats.section)
    for name, side in (
        (say("Ancienne", "Old"), comparison.old),
        (say("Nouvelle", "New"), comparison.new),
    ):
        row += 1
        sheet.write_string(row, 0, f"{name}{say(' : ', ': ')}{PurePath(side.path).name}", formats.plain)
        sheet.merge_range(row, 1, row, 6, _identity(side), formats.plain)
    notes = [*warning_sentences(comparison), *telling_sentences(comparison)]
    if comparison.changes:
        proposal = propose_version(comparison.old.version, comparison.changes)
        if proposal.version:
            notes.append(
                phrase(
                    "Numéro de version proposé : {version} ({reasons})",
                    "Version number proposed: {version} ({reasons})",
                    version=proposal.version,
                    reasons=phrase(" ; ", "; ").join(proposal.reasons),
                )
            )
    for note in (*notes, f"jdv {__version__}", LOINC_NOTICE):
        row += 1
        sheet.merge_range(row, 0, row, 6, note, formats.plain)
        sheet.set_row(row, _height((note,), (120,)))


def _write_count_row(sheet: Any, row: int, title: str, values: Sequence[str | int], style: Any) -> int:
    sheet.write_string(row, 0, title, style)
    for column, value in enumerate(values, 1):
        sheet.write(row, column, value, style)
    return row + 1


def _identity(side: Side) -> str:
    return " · ".join(
        text
        for text in (side.version, side.date, side.loinc_version and f"LOINC {side.loinc_version}", side.sha256)
        if text
    )


def _sheet_name(part: Part) -> str:
    return _capital(part_name(part)).replace("/", "-")[:31]


def _sheet(book: Workbook, name: str, columns: Sequence[tuple[str, int]], formats: _Formats) -> Any:
    """Add a sheet with its header row, frozen, ready to print."""
    sheet = book.add_worksheet(name)
    for column, (title, width) in enumerate(columns):
        sheet.write_string(0, column, title, formats.head)
        sheet.set_column(column, column, width)
    sheet.set_row(0, 30)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return sheet


def _height(texts: Sequence[str], widths: Sequence[int]) -> int:
    """Return the height of a row in points: no program sets it on opening a file that another has written."""
    lines = 1
    for text, width in zip(texts, widths, strict=False):
        lines = max(lines, sum(max(1, -(-len(line) * 11 // (10 * width))) for line in text.split("\n")))
    return min(15 * lines, _TALLEST)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

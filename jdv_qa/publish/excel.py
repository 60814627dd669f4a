"""An Edition as a clean Excel workbook in the reference layout, the same bytes for the same Edition.

Every cell is text: no code becomes a date or a number, now or when someone edits it, and nothing is run. Order cells
stand on every row, as in the CSV files. The LOINC notice is beside the history in the Sommaire, and in the document's
properties.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING

from jdv_qa.errors import OutputError
from jdv_qa.language import say
from jdv_qa.publish.package import publication_date
from jdv_qa.publish.tables import table_headers
from jdv_qa.terminology.notice import LOINC_NOTICE, is_of_notice
from jdv_qa.workbook.edition import Edition, Record
from jdv_qa.workbook.layout import Layout, load_layout
from jdv_qa.workbook.tables import summarised

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MAX_TEXT = 32_767
"""UTF-16 units that a cell may hold ("Excel specifications and limits")."""
MAX_ROWS = 1_048_576
"""Rows of a sheet (same source)."""

_EPOCH = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
_NOT_KEPT = re.compile("_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_|[\ufffe\uffff\ud800-\udfff]")
"""What a cell does not give back: two words of the form that stands for a character in Excel's XML, sharing an
underscore (XlsxWriter protects only the first), and what XML has no room for."""

_BAND_COLOURS = ("#5B4A8A", "#1F5C99", "#2B6E5E", "#8A5A1F", "#7A2E3B")
_HEADER_COLOUR = "#1F3A5F"
_RULE_COLOUR = "#D0D7DE"
_WIDTHS = (10.0, 46.0)
"""Least and greatest width of a column, in characters."""
_LINE = 15.0
"""Height of a line of text, in points."""
_TALLEST = 409.0
"""Height of the tallest row that Excel takes, in points."""


def excel_workbook(edition: Edition, layout: Layout | None = None) -> bytes:
    """Return the bytes of an .xlsx workbook that `read_edition` reads into an equal Edition.

    The tabs of the Edition under their reference names, in their reference order. In a layout without a Sommaire the
    title, which says the version, stands in row 1 of the first tab, above the headers, as the SMT writes it. Raises
    OutputError, with the tab, row and field, for a text that Excel cannot hold, and for a tab of more than a million
    rows: nothing is ever cut.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import XlsxWriterException

    layout = layout or load_layout()
    _refuse_what_excel_cannot_hold(edition, layout)
    content = io.BytesIO()
    workbook = Workbook(
        content,
        {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False},
    )
    workbook.set_properties(_properties(edition, layout))
    styles = _Styles(workbook)
    title = "" if summarised(layout) else edition.identity.title
    try:
        for key, tab in layout.tabs.items():
            if key not in edition.tables:
                continue
            worksheet = workbook.add_worksheet(tab.name)
            if tab.labels:
                _write_summary(worksheet, edition, key, layout, styles)
            else:
                bands = {name: column.band for name, column in tab.columns.items()}
                headers = table_headers(edition, key, layout)
                _write_table(worksheet, headers, bands, edition.records(key), styles, title)
                title = ""
        workbook.close()
    except XlsxWriterException as error:
        raise OutputError(
            say(f"classeur Excel impossible à écrire : {error}", f"the Excel workbook cannot be written: {error}")
        ) from error
    return content.getvalue()


def _refuse_what_excel_cannot_hold(edition: Edition, layout: Layout) -> None:
    if title := "" if summarised(layout) else edition.identity.title:
        _refuse_text(title, next(iter(layout.tabs.values())).name, 1, say("titre", "title"))
    for key, table in edition.tables.items():
        tab = layout.tabs[key].name if key in layout.tabs else key
        if len(table.records) > MAX_ROWS - 2:
            raise OutputError(
                say(
                    f"onglet « {tab} » : {len(table.records)} lignes, Excel n'en admet que {MAX_ROWS}",
                    f'tab "{tab}": {len(table.records)} rows, Excel takes {MAX_ROWS} at most',
                )
            )
        for record in table.records:
            for name, text in record.values.items():
                if len(text) > MAX_TEXT // 2 or "_x" in text or not text.isprintable():
                    _refuse_text(text, tab, record.row, layout.header(key, name))


def _refuse_text(text: str, tab: str, row: int, where: str) -> None:
    """Raise OutputError for a text that a cell cannot hold, or would not give back; `where` is the header of its column."""
    # Characters outside the basic plane count twice.
    if (length := len(text.encode("utf-16-le", "surrogatepass")) // 2) > MAX_TEXT:
        raise OutputError(
            say(
                f"onglet « {tab} », ligne {row}, « {where} » : texte de {length} caractères, "
                f"Excel n'en admet que {MAX_TEXT} par cellule ; raccourcissez-le",
                f'tab "{tab}", row {row}, "{where}": a text of {length} characters, Excel '
                f"takes {MAX_TEXT} a cell at most; shorten it",
            )
        )
    if found := _NOT_KEPT.search(text):
        culprit = ascii(found.group())
        raise OutputError(
            say(
                f"onglet « {tab} », ligne {row}, « {where} » : Excel ne garde pas un texte qui "
                f"contient {culprit} ; corrigez-le",
                f'tab "{tab}", row {row}, "{where}": Excel does not keep a text that contains {culprit}; correct it',
            )
        )


def _properties(edition: Edition, layout: Layout) -> dict[str, object]:
    identity = edition.identity
    return {
        "title": " ".join(filter(None, (layout.title, identity.version))),
        "comments": LOINC_NOTICE,
        "created": (publication_date(edition) or _EPOCH).replace(tzinfo=None),
    }


class _Styles:
    """The cell formats of a workbook, each made once: XlsxWriter keeps every format it is asked for."""

    def __init__(self, workbook: Workbook) -> None:
        ruled = {"num_format": "@", "valign": "top", "text_wrap": True, "border": 1, "border_color": _RULE_COLOUR}
        white = {
            "bold": True,
            "font_color": "#FFFFFF",
            "valign": "vcenter",
            "text_wrap": True,
            "border": 1,
            "border_color": "#FFFFFF",
            "num_format": "@",
        }
        self.cell: Format = workbook.add_format(ruled)
        self.header: Format = workbook.add_format(white | {"bg_color": _HEADER_COLOUR})
        self.bands: list[Format] = [
            workbook.add_format(white | {"bg_color": colour, "align": "center"}) for colour in _BAND_COLOURS
        ]
        self.column: Format = workbook.add_format({"num_format": "@", "valign": "top", "text_wrap": True})
        self.title: Format = workbook.add_format(
            {"bold": True, "font_size": 16, "font_color": _HEADER_COLOUR, "num_format": "@"}
        )
        self.section: Format = workbook.add_format(
            {"bold": True, "font_size": 12, "font_color": _HEADER_COLOUR, "num_format": "@"}
        )
        self.label: Format = workbook.add_format(ruled | {"bold": True})
        self.note_title: Format = workbook.add_format({"bold": True, "font_size": 9, "num_format": "@", "indent": 1})
        self.note: Format = workbook.add_format({"font_size": 9, "num_format": "@", "indent": 1})


def _write_table(
    worksheet: Worksheet,
    headers: Mapping[str, str],
    bands: Mapping[str, str],
    records: Sequence[Record],
    styles: _Styles,
    title: str = "",
) -> None:
    """Write the headers, a row of bands above them if there are any, and the records; or a title in place of the bands."""
    banded = any(bands.values()) and not title
    top = int(banded or bool(title))
    widths = _widths(headers, records)
    for column, width in enumerate(widths.values()):
        worksheet.set_column(column, column, width, styles.column)
    if banded:
        _write_bands(worksheet, [bands.get(name, "") for name in headers], styles)
    if title:
        worksheet.set_row(0, 24)
        worksheet.write_string(0, 0, title, styles.title)
    _write_headers(worksheet, top, headers, widths, styles)
    _write_records(worksheet, top + 1, widths, records, styles.cell)
    last = top + max(len(records), 1)
    worksheet.autofilter(top, 0, last, len(headers) - 1)
    worksheet.ignore_errors({"number_stored_as_text": _area(top + 1, last, len(headers))})
    worksheet.freeze_panes(top + 1, 0)
    worksheet.set_landscape()
    worksheet.set_paper(8 if len(headers) > 12 else 9)
    worksheet.fit_to_pages(1, 0)
    worksheet.repeat_rows(0, top)
    worksheet.set_footer("&L&A&R&P / &N")


def _write_bands(worksheet: Worksheet, bands: Iterable[str], styles: _Styles) -> None:
    worksheet.set_row(0, 2 * _LINE)
    column = 0
    for number, (band, cells) in enumerate(groupby(bands)):
        last = column + len(list(cells)) - 1
        style = styles.bands[number % len(styles.bands)]
        if band and last > column:
            worksheet.merge_range(0, column, 0, last, "", style)
        if band:
            worksheet.write_string(0, column, band, style)
        column = last + 1


def _write_headers(
    worksheet: Worksheet, row: int, headers: Mapping[str, str], widths: Mapping[str, float], styles: _Styles
) -> None:
    worksheet.set_row(row, _height(_lines(header, widths[name] - 3) for name, header in headers.items()))
    for column, header in enumerate(headers.values()):
        worksheet.write_string(row, column, header, styles.header)


def _write_records(
    worksheet: Worksheet, row: int, widths: Mapping[str, float], records: Iterable[Record], style: Format
) -> None:
    """Write records from a row on.

    A row whose texts wrap is given its height, which not every program works out on opening.
    """
    columns = tuple((column, name, int(width) - 1) for column, (name, width) in enumerate(widths.items()))
    for number, record in enumerate(records, row):
        values = record.values
        tall: list[int] = []
        for column, name, width in columns:
            if text := values.get(name):
                worksheet.write_string(number, column, text, style)
                if len(text) > width or "\n" in text:
                    tall.append(_lines(text, width))
            else:
                worksheet.write_blank(number, column, None, style)
        if tall:
            worksheet.set_row(number, _height(tall))


def _lines(text: str, width: float) -> int:
    return sum(max(1, -int(-len(line) // width)) for line in text.split("\n"))


def _height(lines: Iterable[int]) -> float:
    return min(_LINE * max(lines, default=1), _TALLEST)


def _write_summary(worksheet: Worksheet, edition: Edition, key: str, layout: Layout, styles: _Styles) -> None:
    """Write the lines of the Sommaire, a blank row, the history and, in a column of its own, the LOINC notice.

    The notice stands below the history's header row, right of its columns: there it is neither a line of the Sommaire
    nor a past version.
    """
    headers = table_headers(edition, "history", layout)
    spread = (34.0, 30.0, *(46.0 for _ in headers))
    widths = dict(zip(headers, spread, strict=False))
    for column, width in enumerate(spread[: max(len(headers), 2)]):
        worksheet.set_column(column, column, width, styles.column)
    row = 0
    for record in edition.records(key):
        if record["value"]:
            worksheet.write_string(row, 0, record["label"], styles.label)
            worksheet.write_string(row, 1, record["value"], styles.cell)
            worksheet.set_row(row, _height((_lines(record["label"], 33), _lines(record["value"], 29))))
        else:
            row += bool(row)
            worksheet.write_string(row, 0, record["label"], styles.section if row else styles.title)
            worksheet.set_row(row, 24)
        row += 1
    start = row + 1
    _write_headers(worksheet, start, headers, widths, styles)
    history = edition.records("history")
    _write_records(worksheet, start + 1, widths, history, styles.cell)
    worksheet.ignore_errors({"number_stored_as_text": _area(0, start + len(history), max(len(headers), 2))})
    aside = len(headers) + 1
    worksheet.set_column(aside, aside, 60)
    if not any(is_of_notice(record["value"]) for record in edition.records("summary")):
        worksheet.write_string(start + 1, aside, "Licence LOINC", styles.note_title)
        for number, line in enumerate(wrap(LOINC_NOTICE, 80), start + 2):
            worksheet.write_string(number, aside, line, styles.note)
    worksheet.set_landscape()
    worksheet.set_paper(9)
    worksheet.fit_to_pages(1, 0)
    worksheet.set_footer("&L&A&R&P / &N")


def _area(first: int, last: int, columns: int) -> str:
    from xlsxwriter.utility import xl_range

    return str(xl_range(first, 0, last, columns - 1))


def _widths(headers: Mapping[str, str], records: Sequence[Record]) -> dict[str, float]:
    """Return the width of each column, in characters: nine texts in ten and the header's longest word fit on a line."""
    low, high = _WIDTHS
    widths = {}
    for name, header in headers.items():
        lengths = sorted(len(text) for record in records if (text := record.values.get(name)))
        common = lengths[len(lengths) * 9 // 10] if lengths else 0
        words = max(map(len, re.split(r"[\s/]+", header)), default=0) + 4
        widths[name] = float(min(max(low, common + 2, words), high))
    return widths

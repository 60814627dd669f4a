"""A light look at the XML of an .xlsx file for what python-calamine does not tell.

That is: hidden rows, columns and tabs, merged ranges, formulas and error cells.

Attributes are found by regular expressions; only a sheet that holds a formula or an error cell is parsed in full.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from jdv_qa.workbook.edition import MergedRange, Sheet, column_letter

_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*?)/?>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*?)/?>")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\bref\s*=\s*[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']")
_HIDDEN = re.compile(rb"\bhidden\s*=\s*[\"'](?:1|true)[\"']")
_NUMBER = re.compile(rb"(?<![\w:])(r|min|max)\s*=\s*[\"'](\d+)[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ERROR = re.compile(rb"\st\s*=\s*[\"']e[\"']")
_TABLE_PART = re.compile(rb"<(?:\w+:)?tablePart\b")
_ADDRESS = re.compile(r"([A-Z]+)(\d+)")
_LAST_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*?(?<![\w:])r\s*=\s*[\"'](\d+)[\"']")
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\b[^>]*?\bref\s*=\s*[\"'](?:[A-Z]+[0-9]+:)?([A-Z]+)([0-9]+)[\"']")
_FILLED = re.compile(
    rb"<(?:\w+:)?c\b[^>]*?(?<![\w:])r\s*=\s*[\"']([A-Z]+)([0-9]+)[\"'][^>]*(?<!/)>\s*<(?:\w+:)?(?:v|is|f)\b"
)
_RELATIONSHIP = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATIONSHIP = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


MAX_CELLS = 30_000_000
"""Cells in the bounding box of a sheet's filled cells above which it is refused: one stray cell far away is enough."""


OWN_TAB = "jdv.annotation"
"""The name, hidden and of the tab alone, that marks a tab which `jdv check --annotate` has put in front of the others."""


def column_number(letters: str) -> int:
    """Return the number, counted from 1, of Excel's column letters: "AB" -> 28."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def read_structure(content: bytes) -> dict[str, Sheet]:
    """Return the structure of every worksheet by name; `content` is the whole .xlsx file.

    Raises zipfile.BadZipFile, KeyError or ElementTree.ParseError on a file that is no workbook, ValueError on XML that
    declares a document type (no program that writes workbooks does; entity attacks need one), and FarCell.
    """
    sheets = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name, path, state in sheet_paths(archive):
            data = _member(archive, path)
            _refuse_far_cells(name, data)
            sheet = _read_sheet(name, state, data)
            sheets[name] = replace(sheet, filtered=True) if _has_filtered_table(archive, path, data) else sheet
    return sheets


class FarCell(ValueError):
    """A filled cell so far from the others that the sheet cannot be held in memory. `sheet` is its name, `address` the corner."""

    def __init__(self, sheet: str, address: str) -> None:
        super().__init__(f"{sheet}!{address}")
        self.sheet, self.address = sheet, address


def refuse_far_cells(content: bytes) -> None:
    """Raise FarCell when a sheet of the workbook has a filled cell that makes it larger than MAX_CELLS."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name, path, _ in sheet_paths(archive):
            _refuse_far_cells(name, _member(archive, path))


def _refuse_far_cells(name: str, data: bytes) -> None:
    """Look at the stated dimension first: only a suspicious one is worth a look at every cell, for styled cells may be empty."""
    stated = _DIMENSION.search(data, 0, 4096)
    rows = int(stated.group(2)) if stated else _last_row(data)
    columns = column_number(stated.group(1).decode()) if stated else 100
    if rows * columns <= MAX_CELLS:
        return
    filled = [(int(row), column_number(letters.decode())) for letters, row in _FILLED.findall(data)]
    bottom, right = max((row for row, _ in filled), default=0), max((column for _, column in filled), default=0)
    if bottom * right > MAX_CELLS:
        raise FarCell(name, f"{column_letter(right)}{bottom}")


def _last_row(data: bytes) -> int:
    start = max(data.rfind(b"<row "), data.rfind(b":row "), 0)
    return max((int(match.group(1)) for match in _LAST_ROW.finditer(data, max(start - 8, 0))), default=0)


def _member(archive: zipfile.ZipFile, path: str) -> bytes:
    data = archive.read(path)
    if b"<!DOCTYPE" in data[:4096]:
        raise ValueError(path)
    return data


def _workbook_part(archive: zipfile.ZipFile) -> str:
    root = _parse(_member(archive, "_rels/.rels"))
    return next(
        (_target("", item) for item in root if item.get("Type", "").endswith("/officeDocument")), "xl/workbook.xml"
    )


def sheet_paths(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, str]]:
    """Yield (name, member of the archive, state) of every worksheet, in the workbook's order."""
    workbook = _workbook_part(archive)
    folder = posixpath.dirname(workbook)
    relations = _parse(_member(archive, f"{folder}/_rels/{posixpath.basename(workbook)}.rels"))
    targets = {
        item.get("Id", ""): _target(folder, item) for item in relations if item.get("Type", "").endswith("/worksheet")
    }
    for sheet in _parse(_member(archive, workbook)).iter():
        if _local(sheet.tag) != "sheet":
            continue
        path = targets.get(sheet.get(_RELATIONSHIP) or sheet.get(_STRICT_RELATIONSHIP) or "")
        if path is not None:
            yield sheet.get("name", ""), path, sheet.get("state", "visible")


def own_tab_names(content: bytes) -> frozenset[str]:
    """Return the names of the tabs that `jdv check --annotate` put into a workbook, known by their mark.

    Raises as `read_structure` does.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        data = _member(archive, _workbook_part(archive))
    if OWN_TAB.encode() not in data:
        return frozenset()
    sheets: list[str] = []
    marked: set[int] = set()
    for element in _parse(data).iter():
        if _local(element.tag) == "sheet":
            sheets.append(element.get("name", ""))
        elif _local(element.tag) == "definedName" and element.get("name") == OWN_TAB:
            marked.add(int(element.get("localSheetId", "-1")))
    return frozenset(name for number, name in enumerate(sheets) if number in marked)


def _has_filtered_table(archive: zipfile.ZipFile, path: str, data: bytes) -> bool:
    """Tell whether a filter is active in a table ("Mettre sous forme de tableau") of the worksheet stored at `path`."""
    folder, name = posixpath.split(path)
    relations = f"{folder}/_rels/{name}.rels"
    if b"tablePart" not in data or not _TABLE_PART.search(data) or relations not in archive.namelist():
        return False
    tables = (
        _target(folder, item) for item in _parse(_member(archive, relations)) if item.get("Type", "").endswith("/table")
    )
    return any(b"filterColumn" in _member(archive, table) for table in tables)


def _parse(data: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(data)


def _target(folder: str, relation: ElementTree.Element) -> str:
    target = relation.get("Target", "")
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _read_sheet(name: str, state: str, data: bytes) -> Sheet:
    hidden_rows: set[int] = set()
    hidden_columns: set[int] = set()
    # A plain look for a few bytes first: on a large sheet the expressions cost as much as all the rest.
    if b"hidden" in data and _HIDDEN.search(data):
        for match in _ROW.finditer(data):
            if _HIDDEN.search(match.group(1)):
                hidden_rows.update(value for key, value in _numbers(match.group(1)) if key == b"r")
        for match in _COLUMN.finditer(data):
            if _HIDDEN.search(match.group(1)):
                bounds = dict(_numbers(match.group(1)))
                first, last = bounds.get(b"min", 0), bounds.get(b"max", 0)
                hidden_columns.update(range(first, min(last, first + 255) + 1))
    merged = tuple(
        MergedRange(int(top), column_number(left.decode()), int(bottom), column_number(right.decode()))
        for left, top, right, bottom in (_MERGE.findall(data) if b"mergeCell" in data else ())
    )
    formulas: dict[tuple[int, int], str] = {}
    errors: dict[tuple[int, int], str] = {}
    may_hold_formula, may_hold_error = b"<f" in data or b":f" in data, b'"e"' in data or b"'e'" in data
    if (may_hold_formula and _FORMULA.search(data)) or (may_hold_error and _ERROR.search(data)):
        formulas, errors = _read_cells(data)
    return Sheet(
        name,
        None,
        state=state,
        hidden_rows=frozenset(hidden_rows),
        hidden_columns=frozenset(hidden_columns),
        filtered=b"filterColumn" in data,
        merged=tuple(sorted(merged, key=lambda r: (r.first_row, r.first_column))),
        formulas=formulas,
        errors=errors,
    )


def _formula(element: ElementTree.Element, address: str, shared: dict[str, tuple[str, str]]) -> str:
    """Return the text of a formula; of one shared by several cells only the first holds it, and `shared` keeps it."""
    text = element.text or ""
    if element.get("t") != "shared":
        return text
    number = element.get("si", "")
    if text:
        shared.setdefault(number, (text, address))
    elif number in shared:
        from openpyxl.formula.translate import Translator

        first, origin = shared[number]
        text = Translator(f"={first}", origin=origin).translate_formula(address).removeprefix("=")
    return text


def _numbers(attributes: bytes) -> list[tuple[bytes, int]]:
    return [(key, int(value)) for key, value in _NUMBER.findall(attributes)]


def _read_cells(data: bytes) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], str]]:
    """Return the formulas and the error texts of a sheet by (row, column)."""
    formulas: dict[tuple[int, int], str] = {}
    errors: dict[tuple[int, int], str] = {}
    shared: dict[str, tuple[str, str]] = {}
    row = column = 0
    for event, element in ElementTree.iterparse(io.BytesIO(data), events=("start", "end")):
        tag = _local(element.tag)
        if event == "start":
            if tag == "row":
                row, column = int(element.get("r") or row + 1), 0
            elif tag == "c":
                address = _ADDRESS.fullmatch(element.get("r") or "")
                column = column_number(address.group(1)) if address else column + 1
        elif tag == "c":
            children = {_local(child.tag): child for child in element}
            if (formula := children.get("f")) is not None:
                formulas[row, column] = _formula(formula, f"{column_letter(column)}{row}", shared)
            if element.get("t") == "e":
                value = children.get("v")
                errors[row, column] = (value.text if value is not None else None) or "#ERROR!"
            element.clear()
        elif tag == "row":
            element.clear()
    return formulas, errors

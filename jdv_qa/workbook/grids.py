"""Plain tables of reference data, from a CSV file or a workbook: rows of text, without a layout."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.workbook.edition import RawValue
from jdv_qa.workbook.limits import MAX_FILE, Refused
from jdv_qa.workbook.read import text_of
from jdv_qa.workbook.sheets import UNREADABLE, file_content, read_sheets, read_with_calamine

_SEPARATORS = ";,\t|"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the name of its sheet or file, and its rows, as text."""

    name: str
    rows: list[list[str]]


def read_grids(path: Path, *, blank_rows: bool = False) -> list[Grid]:
    """Read the sheets of a workbook, or the one table of a CSV file (UTF-8 or Windows-1252; comma, semicolon, tab or bar).

    `blank_rows` keeps the blank rows of a CSV file, so that rows are numbered as a spreadsheet shows them. Raises
    WorkbookError when the file is missing or cannot be read.
    """
    if path.suffix.casefold() in (".xlsx", ".xlsm"):
        return [Grid(sheet.sheet.name, _texts(sheet.rows)) for sheet in read_sheets(path)[1]]
    content = file_content(path)
    if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")) or b"\x00" in content[:4096]:
        raise WorkbookError(
            say(
                f"{path} : ni table CSV ni classeur .xlsx ; enregistrez-la sous l'une de ces formes",
                f"{path}: neither a CSV table nor an .xlsx workbook; save it as one of them",
            )
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise WorkbookError(
            say(f"{path} : table CSV illisible ({error})", f"{path}: unreadable CSV table ({error})")
        ) from None
    return [Grid(path.name, [[cell.strip() for cell in row] for row in rows if blank_rows or any(row)])]


def zipped_workbook(path: Path, beginning: str) -> list[Grid] | None:
    """Read the workbook in a zip archive whose name begins so, case apart; None when the archive holds none.

    Raises WorkbookError when that workbook is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(
                (
                    name
                    for name in sorted(archive.namelist())
                    if PurePosixPath(name).name.casefold().startswith(beginning.casefold())
                    and name.casefold().endswith(".xlsx")
                ),
                None,
            )
            if name is None:
                return None
            if archive.getinfo(name).file_size > MAX_FILE:
                raise Refused(say(f"« {name} » est trop gros", f'"{name}" is too large'))
            with archive.open(name) as packed:
                sheets = read_with_calamine(packed.read(MAX_FILE))
    except UNREADABLE as error:
        raise WorkbookError(
            say(
                f"{path} : archive ou classeur illisible ({error}) ; téléchargez-la à nouveau",
                f"{path}: unreadable archive or workbook ({error}); download it again",
            )
        ) from None
    return [Grid(sheet.sheet.name, _texts(sheet.rows)) for sheet in sheets]


def _texts(rows: list[list[RawValue]]) -> list[list[str]]:
    return [[value.strip() if type(value) is str else text_of(value) for value in row] for row in rows]

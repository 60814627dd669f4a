"""The cells of a workbook, without their meaning, by either of two readers that must agree.

`read_with_calamine` is the fast one; what python-calamine does not tell (error cells, formulas, hidden rows) comes from the
sheet XML. `read_with_openpyxl` is the careful one. Both open the file read-only and run nothing that it holds.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import replace
from itertools import chain
from pathlib import Path
from pyexpat import ExpatError
from threading import Thread
from typing import NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from jdv_qa.beside import processors
from jdv_qa.errors import WorkbookError
from jdv_qa.files import state_of
from jdv_qa.language import say
from jdv_qa.workbook.edition import MergedRange, RawValue, Sheet
from jdv_qa.workbook.limits import MAX_FILE, Refused
from jdv_qa.workbook.parts import Parts
from jdv_qa.workbook.sheet_scan import look_closely, refuse_wide_merges
from jdv_qa.workbook.structure import Structure


class RawSheet(NamedTuple):
    """A sheet: its structure, and its values as rows of columns that both begin at A1.

    A blank cell is None or "", and the values are the reader's (see `plain_value`).
    """

    sheet: Sheet
    rows: list[list[RawValue]]


_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATES = frozenset(f"{letter}{digit}" for letter in "Dd" for digit in "89AaBbCcDdEeFf")

UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    ExpatError,
    SyntaxError,  # what ElementTree and lxml raise on XML
    CalamineError,
    KeyError,
    ValueError,
    OSError,
    EOFError,
    RuntimeError,  # an encrypted member of the archive
    NotImplementedError,  # an unknown compression
    OverflowError,
    MemoryError,
    struct.error,
)
"""What the readers raise on a file that is damaged or no workbook."""

Reader = Callable[[bytes], list[RawSheet]]


class _Ahead:
    """A workbook begun: it has been looked at, and is being read in a thread; or it cannot be read.

    The thread is no daemon: Python must not end while python-calamine is at work.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._state = path, state_of(path)
        self._content = b""
        self._read: list[RawSheet] | BaseException = []
        self._thread: Thread | None = None
        try:
            self._content = workbook_content(path)
            with _faults_told(path, self._content):
                looked = _look(self._content)
        except Exception as error:  # is told when the workbook is asked for
            self._read = error
            return
        context = copy_context()
        self._thread = Thread(target=lambda: context.run(self._read_looked, *looked), name=f"reading {path.name}")
        self._thread.start()

    def _read_looked(self, structure: Structure, sheets: list[Sheet]) -> None:
        try:
            with _faults_told(self._path, self._content):
                self._read = _read_looked(structure, sheets)
        except BaseException as error:
            self._read = error

    def holds(self) -> bool:
        """Tell whether the file is still the one that was there when reading began."""
        return self._state is not None and self._state == state_of(self._path)

    def result(self) -> tuple[bytes, list[RawSheet]]:
        if self._thread is not None:
            self._thread.join()
        if isinstance(self._read, BaseException):
            raise self._read
        return self._content, _filled(self._path, self._read)


_AHEAD: dict[Path, _Ahead] = {}
"""Workbooks begun and not yet asked for."""


def begin_sheets(path: Path) -> None:
    """Begin to read a workbook that `read_sheets` will soon be asked for: look at it now, read it while other work is done.

    python-calamine needs no lock of Python's for most of its work; our own look does. With one processor nothing would be
    gained, and nothing is begun.
    """
    if processors() > 1 and path not in _AHEAD:
        with suppress(RuntimeError):  # no thread is to be had: the workbook is read when it is asked for
            _AHEAD[path] = _Ahead(path)


def read_sheets(path: Path, reader: Reader | None = None) -> tuple[bytes, list[RawSheet]]:
    """Return the bytes of a workbook and its sheets, those that `jdv check --annotate` added left out.

    Raises WorkbookError, saying what to do, when the file is missing, is no .xlsx or .xlsm workbook, or is damaged.
    """
    ahead = _AHEAD.pop(path, None)
    if reader is None and ahead is not None and ahead.holds():
        return ahead.result()
    content = workbook_content(path)
    with _faults_told(path, content):
        sheets = (reader or read_with_calamine)(content)
    return content, _filled(path, sheets)


@contextmanager
def _faults_told(path: Path, content: bytes) -> Iterator[None]:
    """Make a WorkbookError of what readers raise on a file."""
    try:
        yield
    except UNREADABLE as error:
        raise damaged(path, _fault_of(content) or error) from error


def _filled(path: Path, sheets: list[RawSheet]) -> list[RawSheet]:
    """Return the sheets; raises WorkbookError when nothing stands in any of them."""
    if any(sheet.rows for sheet in sheets):
        return sheets
    raise WorkbookError(
        say(
            f"{path} : le classeur est vide ; vérifiez que c'est le bon fichier",
            f"{path}: the workbook is empty; check that it is the right file",
        )
    )


def file_content(path: Path) -> bytes:
    """Return the bytes of a file. Raises WorkbookError when it is missing, is no plain file or too large, or cannot be read."""
    try:
        state = path.stat()
        if stat.S_ISREG(state.st_mode) and state.st_size <= MAX_FILE:
            return path.read_bytes()
    except FileNotFoundError:
        raise WorkbookError(
            say(
                f"{path} : fichier introuvable ; vérifiez le nom et le dossier",
                f"{path}: file not found; check the name and the folder",
            )
        ) from None
    except OSError as error:
        raise WorkbookError(
            say(f"{path} : lecture impossible ({error.strerror})", f"{path}: cannot be read ({error.strerror})")
        ) from None
    except ValueError:  # a NUL in the name
        raise WorkbookError(say("nom de fichier impossible", "impossible file name")) from None
    if stat.S_ISDIR(state.st_mode):
        raise WorkbookError(
            say(
                f"{path} : c'est un dossier, un classeur .xlsx est attendu",
                f"{path}: this is a folder, an .xlsx workbook is expected",
            )
        )
    if not stat.S_ISREG(state.st_mode):
        raise WorkbookError(
            say(
                f"{path} : ce n'est pas un fichier (tube ou périphérique), un classeur .xlsx est attendu",
                f"{path}: this is no file (a pipe or a device), an .xlsx workbook is expected",
            )
        )
    raise WorkbookError(
        say(
            f"{path} : {state.st_size >> 20} Mio, un classeur en a moins de {MAX_FILE >> 20} ; est-ce le bon fichier ?",
            f"{path}: {state.st_size >> 20} MiB, a workbook has fewer than {MAX_FILE >> 20}; is it the right file?",
        )
    )


def workbook_content(path: Path) -> bytes:
    """Return the bytes of a file that looks like an .xlsx workbook. Raises WorkbookError, saying what to do, when it does not."""
    if path.name.startswith("~$"):
        name = path.name[2:]
        raise WorkbookError(
            say(
                f"{path} : c'est la marque d'un classeur ouvert dans Excel ; donnez le classeur lui-même, « {name} »",
                f'{path}: this is the mark of a workbook that is open in Excel; give the workbook itself, "{name}"',
            )
        )
    content = file_content(path)
    if (kind := _kind_of_file(content)) is not None:
        raise WorkbookError(say(f"{path} : {kind}", f"{path}: {kind}"))
    return content


_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def _kind_of_file(content: bytes) -> str | None:
    """Return what a file is that is no .xlsx workbook, and what to do; None for what may be one."""
    if not content:
        return say(
            "le fichier est vide (0 octet) ; redemandez-le ou reprenez la dernière sauvegarde",
            "the file is empty (0 bytes); ask for it again or take the last backup",
        )
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        if _ENCRYPTED in content:
            return say(
                "classeur protégé par un mot de passe (chiffré) ; dans Excel, ouvrez-le et enregistrez-le sans mot de passe",
                "workbook with a password (encrypted); open it in Excel and save it without a password",
            )
        return say(
            "ancien format .xls, ou classeur protégé par un mot de passe ; "
            "enregistrez-le dans Excel au format .xlsx, sans mot de passe",
            "old .xls format, or a workbook with a password; save it from Excel as .xlsx without a password",
        )
    if not content.startswith(b"PK"):
        what = say(", c'est du texte (CSV, page web ?)", " but text (CSV, web page?)") if _is_text(content) else ""
        return say(
            f"ce n'est pas un classeur Excel .xlsx{what} ; ouvrez-le dans Excel et enregistrez-le au format .xlsx",
            f"this is no .xlsx workbook{what}; open it in Excel and save it as .xlsx",
        )
    if b"application/vnd.oasis.opendocument" in content[:200]:
        return say(
            "document OpenDocument (.ods), pas un classeur .xlsx ; enregistrez-le depuis LibreOffice au format .xlsx",
            "OpenDocument file (.ods), no .xlsx workbook; save it from LibreOffice as .xlsx",
        )
    return None


def _is_text(content: bytes) -> bool:
    return b"\x00" not in content[:4096]


def damaged(path: Path, error: Exception) -> WorkbookError:
    """Return the error for a workbook that one of UNREADABLE was raised on."""
    if isinstance(error, Refused):
        return WorkbookError(say(f"{path} : {error}", f"{path}: {error}"))
    if isinstance(error, (zipfile.BadZipFile, zlib.error, EOFError, struct.error)):
        return WorkbookError(
            say(
                f"{path} : ce n'est pas un classeur Excel lisible, l'archive est incomplète ou abîmée ; "
                "reprenez une copie saine, ou réparez le classeur dans Excel",
                f"{path}: this is no readable Excel workbook, the archive is incomplete or damaged; "
                "take a sound copy, or repair the workbook in Excel",
            )
        )
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return WorkbookError(
        say(
            f"{path} : ce n'est pas un classeur Excel lisible ({reason}) ; "
            "ouvrez-le dans Excel et enregistrez-le au format .xlsx",
            f"{path}: this is no readable Excel workbook ({reason}); open it in Excel and save it as .xlsx",
        )
    )


def read_with_calamine(content: bytes) -> list[RawSheet]:
    """Read the sheets, ours apart, with python-calamine, completed by the sheet XML."""
    return _read_looked(*_look(content))


def _look(content: bytes) -> tuple[Structure, list[Sheet]]:
    """Look at a workbook, and return its sheets as far as their XML tells."""
    structure = Structure(Parts(content))
    return structure, list(structure.read_sheets())


def _read_looked(structure: Structure, sheets: list[Sheet]) -> list[RawSheet]:
    """Read the sheets of a workbook that was looked at."""
    if not sheets:
        return []
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(structure.archive(sheet.name for sheet in sheets)))
        return [_sheet_of_calamine(workbook, sheet, structure.values[sheet.name]) for sheet in sheets]
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust, which is no Exception and cannot be imported
            raise ValueError(str(error)) from error
        raise


def _fault_of(content: bytes) -> Refused | None:
    """Return what is wrong with a workbook that a reader has failed on, as near as it can be told; None if nothing is found."""
    try:
        return Structure(Parts(content)).find_fault()
    except Refused as error:
        return error
    except UNREADABLE:
        return None


def _sheet_of_calamine(
    workbook: CalamineWorkbook, sheet: Sheet, known: Mapping[tuple[int, int], bool | float]
) -> RawSheet:
    """Read a sheet; its errors and some values are those of our own look, since python-calamine is wrong or wavers on them."""
    rows: list[list[RawValue]] = workbook.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)  # type: ignore[assignment]
    for (row, column), value in chain[tuple[tuple[int, int], RawValue]](sheet.errors.items(), known.items()):
        rows.extend([] for _ in range(row - len(rows)))
        cells = rows[row - 1]
        cells.extend([None] * (column - len(cells)))
        cells[column - 1] = value
    refuse_wide_merges(sheet.name, sheet.merged, len(rows), max(map(len, rows), default=0))
    return _raw_sheet(_without_covered(sheet, rows), rows)


def _without_covered(sheet: Sheet, rows: list[list[RawValue]]) -> Sheet:
    """Blank what other programs leave in the cells that a merged range covers: Excel shows its first cell alone."""
    covered: set[tuple[int, int]] = set()
    for merged in sheet.merged:
        for number in range(merged.first_row, min(merged.last_row, len(rows)) + 1):
            cells = rows[number - 1]
            first = merged.first_column if number == merged.first_row else merged.first_column - 1
            last = min(merged.last_column, len(cells))
            cells[first:last] = [None] * (last - first)
            if sheet.formulas or sheet.errors:
                covered.update((number, column) for column in range(first + 1, merged.last_column + 1))
    if covered.isdisjoint((*sheet.formulas, *sheet.errors)):
        return sheet
    formulas, errors = (
        {place: held for place, held in found.items() if place not in covered}
        for found in (sheet.formulas, sheet.errors)
    )
    return replace(sheet, formulas=formulas, errors=errors)


def plain_value(value: object) -> RawValue:
    """Return a value as an Edition holds it, whichever reader gave it: whole floats as int, dates at midnight as date."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time() else value
    if isinstance(value, (str, bool, int, float, dt.date, dt.time, dt.timedelta)):
        return value
    return str(value)


def _unescaped(text: str) -> str:
    """Return a text with the characters that XML cannot hold in place of their escapes: "_x000D_" is a carriage return.

    ISO/IEC 29500-1, 22.9.2.19 (ST_Xstring); openpyxl leaves them as they are. Half a character (a surrogate) is none.
    """
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: match[0] if match[1][:2] in _SURROGATES else chr(int(match[1], 16)), text)


def _raw_sheet(sheet: Sheet, rows: list[list[RawValue]]) -> RawSheet:
    """Return the sheet with its extent: down to the last filled row, across to the last filled column."""
    while rows and all(map(_is_blank, rows[-1])):
        rows.pop()
    width = max(map(len, rows), default=0)
    while width and all(len(row) < width or _is_blank(row[width - 1]) for row in rows):
        width -= 1
    return RawSheet(replace(sheet, rows=len(rows), columns=width), rows)


def _is_blank(value: RawValue) -> bool:
    return value is None or value == ""


def with_texts(raw: RawSheet, texts: Mapping[tuple[int, int], str | None]) -> RawSheet:
    """Return a sheet as it reads once texts, or None for a blank cell, are written at some (row, column).

    What such a cell held, were it a formula or an error, is gone; the sheet given stays as it is.
    """
    rows = list(raw.rows)
    for (row, column), text in texts.items():
        rows.extend([] for _ in range(row - len(rows)))
        cells = list(rows[row - 1])
        cells.extend([None] * (column - len(cells)))
        cells[column - 1] = text
        rows[row - 1] = cells
    formulas, errors = (
        {place: held for place, held in found.items() if place not in texts}
        for found in (raw.sheet.formulas, raw.sheet.errors)
    )
    return _raw_sheet(replace(raw.sheet, formulas=formulas, errors=errors), rows)


def read_with_openpyxl(content: bytes) -> list[RawSheet]:
    """Read the sheets, ours apart, with openpyxl."""
    import warnings

    from openpyxl import load_workbook
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    structure = Structure(Parts(content))
    allowed = {sheet.name for sheet in structure.read_sheets() if structure.needed}
    looks = {
        name: look_closely(name, structure.parts.read(part)) for name, part, _ in structure.sheets if name in allowed
    }
    with warnings.catch_warnings():
        # openpyxl warns of what it would lose on saving (validations, conditional formats); nothing is saved here.
        warnings.simplefilter("ignore", UserWarning)
        workbook = load_workbook(io.BytesIO(content))
        computed = None
        sheets = []
        for worksheet in workbook.worksheets:
            if worksheet.title not in allowed:
                continue
            formulas: dict[tuple[int, int], str] = {}
            errors: dict[tuple[int, int], str] = {}
            rows: list[list[RawValue]] = []
            for number, cells in enumerate(worksheet.iter_rows(min_row=1, min_col=1), 1):
                row: list[RawValue] = []
                for position, cell in enumerate(cells, 1):
                    value: object = cell.value
                    if cell.data_type == "f":
                        formula = value if isinstance(value, str) else str(getattr(value, "text", "") or "")
                        formulas[number, position] = formula.removeprefix("=")
                        computed = computed or load_workbook(io.BytesIO(content), data_only=True)
                        twin = computed[worksheet.title].cell(number, position)
                        value = twin.value
                        cell = twin
                    undated = looks[worksheet.title].numbers.get((number, position))
                    if undated is not None and (undated < 0 or cell.data_type == "e"):
                        value = undated  # openpyxl makes a date of it, or an error
                    elif cell.data_type == "e":
                        value = errors[number, position] = "#ERROR!" if value is None else str(value)
                    row.append(plain_value(_unescaped(value) if type(value) is str else value))
                rows.append(row)
            sheets.append(
                _raw_sheet(
                    Sheet(
                        worksheet.title,
                        None,
                        state=worksheet.sheet_state,
                        hidden_rows=frozenset(number for number, row in worksheet.row_dimensions.items() if row.hidden),
                        hidden_columns=frozenset(
                            number
                            for column in worksheet.column_dimensions.values()
                            if column.hidden and column.min and column.max
                            for number in range(column.min, min(column.max, column.min + 255) + 1)
                        ),
                        filtered=any(
                            bool(item and item.filterColumn)
                            for item in (
                                worksheet.auto_filter,
                                *(table.autoFilter for table in worksheet.tables.values()),
                            )
                        ),
                        merged=tuple(
                            sorted(
                                (
                                    MergedRange(r.min_row, r.min_col, r.max_row, r.max_col)
                                    for r in worksheet.merged_cells.ranges
                                ),
                                key=lambda r: (r.first_row, r.first_column),
                            )
                        ),
                        formulas=formulas,
                        errors=errors,
                        from_1904=workbook.epoch == CALENDAR_MAC_1904,
                    ),
                    rows,
                )
            )
    return sheets

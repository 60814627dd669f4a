"""The files of a LOINC release as downloaded: a zip, a folder, or one table of it; found by name and read row by row.

The layout is that of the release archive (`LoincTable/`, `AccessoryFiles/…`); where a file stands in it does not matter.
"""

from __future__ import annotations

import codecs
import csv
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import IO

from jdv_qa.errors import TerminologyError
from jdv_qa.language import say

_VERSION = re.compile(r"(?<![0-9.])(2\.[0-9]{2})(?![0-9])")
_LONGEST_FIELD = 100_000
_LONGEST_LINE = 1_000_000
_LARGEST_FILE = 200 << 20
"""The largest table of release 2.80 has 80 MB."""
_MOST_LINES = 300_000
"""Release 2.80 has some 110,000 terms, and no code can be above 199,999."""
_MOST_NAMES = 8 << 20
"""Bytes that the list of the files in an archive may take; that of a release takes some 10,000."""
_END_OF_ZIP = 22 + 0xFFFF
"""Bytes, at the end of an archive, in which its closing record stands: the record and the longest comment."""
_CHUNK = 1 << 18
_CONTROLS = ("\x00", "\x1e", "\x1f")
"""Characters that no text has: the store separates by the last two."""


class Part(StrEnum):
    """A file of a release that is of use here."""

    TERMS = "Loinc.csv"
    MAP_TO = "MapTo.csv"
    FRENCH = "frFR18LinguisticVariant.csv"
    SNAPSHOT = "LoincChangeSnapshot.csv"
    UPDATES = "Updates.csv"


_NAMES = {
    Part.TERMS: re.compile(r"loinc(tablecore)?\.csv"),
    Part.MAP_TO: re.compile(r"mapto\.csv"),
    Part.FRENCH: re.compile(r"frfr[0-9]*linguisticvariant\.csv"),
    Part.SNAPSHOT: re.compile(r"loincchangesnapshot\.csv"),
    Part.UPDATES: re.compile(r"(loinc_?)?updates\.csv"),
}
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
    OSError,
    EOFError,
    RuntimeError,  # an encrypted member of the archive
    ValueError,  # places in the archive that cannot be
    struct.error,
)
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those of releases; others unpack a small archive into any size of memory."""

Advance = Callable[[int], None]
"""Told how many more bytes of the files have been read."""


def no_progress(_: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class ReleaseFiles:
    """Where the parts of a release are: file names in a folder, or member names in a zip; and their sizes in bytes.

    `version` is what the names tell, "" when they tell nothing.
    """

    path: Path
    archive: bool
    names: Mapping[Part, str]
    sizes: Mapping[Part, int] = field(default_factory=dict)
    version: str = ""

    def read(self, part: Part, advance: Advance = no_progress) -> Iterator[list[str]]:
        """Yield the rows of a part, the header first; none when the release lacks it.

        Raises TerminologyError with the file and the line when it is damaged, cut short, or too large to be what it is named.
        """
        if part not in self.names:
            return
        name = self.names[part]
        if self.sizes.get(part, 0) > _LARGEST_FILE:
            raise self._too_large(name)
        width = 0
        place = _Place()
        csv.field_size_limit(_LONGEST_FIELD)
        with self._open(name) as binary:
            try:
                for row in _rows(_lines(binary, advance), place):
                    if len(row) != width:
                        if not row:
                            continue
                        if width:
                            raise self._wrong_row(name, place.line, len(row), width)
                        width = len(row)
                    yield row
            except _DAMAGED as error:
                raise self._damaged(name, place.line, error) from None

    def columns(
        self, part: Part, wanted: tuple[str, ...], required: tuple[str, ...] = (), advance: Advance = no_progress
    ) -> Iterator[tuple[str, ...]]:
        """Yield the wanted columns of the rows of a part, "" for a column it lacks, the header left out.

        Raises TerminologyError when one of the required columns is missing.
        """
        rows = self.read(part, advance)
        header = next(rows, None)
        if header is None:
            if part in self.names:
                raise self._wrong_table(self.names[part], (required or wanted)[0])
            return
        place = {name: position for position, name in enumerate(header)}
        if missing := [name for name in required if name not in place]:
            raise self._wrong_table(self.names[part], missing[0])
        pick = itemgetter(*(place.get(name, len(header)) for name in wanted))
        if all(name in place for name in wanted):
            yield from map(pick, rows)
        else:
            for row in rows:
                row.append("")
                yield pick(row)

    def header(self, part: Part) -> tuple[str, ...]:
        """Return the header of a part, empty when there is none."""
        rows = self.read(part)
        try:
            return tuple(next(rows, ()))
        finally:
            rows.close()  # type: ignore[attr-defined]

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        with ExitStack() as opened:
            try:
                if self.archive:
                    archive = opened.enter_context(zipfile.ZipFile(self.path))
                    if archive.getinfo(name).compress_type not in _COMPRESSIONS:
                        raise zipfile.BadZipFile(say("compression inconnue", "unknown compression"))
                    file = opened.enter_context(archive.open(name))
                else:
                    folder = self.path if self.path.is_dir() else self.path.parent
                    file = opened.enter_context((folder / name).open("rb"))
            except _DAMAGED as error:
                raise self._damaged(name, 0, error) from None
            yield file

    def place(self, name: str) -> str:
        """Return how a file is named to people: the path given, and the file in it."""
        return str(self.path) if self.path.name == name else f"{self.path} : {name}"

    def _too_large(self, name: str) -> TerminologyError:
        place = self.place(name)
        return TerminologyError(
            say(
                f"{place} : bien plus grand que ce fichier ne l'est dans LOINC ; ce n'est pas la table LOINC attendue",
                f"{place}: far larger than this file is in LOINC; this is not the LOINC table expected",
            )
        )

    def _wrong_row(self, name: str, line: int, found: int, width: int) -> TerminologyError:
        place, many = self.place(name), "s" if found > 1 else ""
        return TerminologyError(
            say(
                f"{place}, ligne {line} : {found} colonne{many} au lieu de {width} ; fichier tronqué, à télécharger à nouveau",
                f"{place}, line {line}: {found} columns instead of {width}; a truncated file, download it again",
            )
        )

    def _wrong_table(self, name: str, column: str) -> TerminologyError:
        place = self.place(name)
        return TerminologyError(
            say(
                f"{place} : colonne {column} absente ; ce n'est pas la table LOINC attendue",
                f"{place}: no column {column}; this is not the LOINC table expected",
            )
        )

    def _damaged(self, name: str, line: int, error: Exception) -> TerminologyError:
        place, reason = self.place(name), " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, UnicodeDecodeError):
            reason = say("ce n'est pas du texte en UTF-8", "this is no text in UTF-8")
        return TerminologyError(
            say(
                f"{place} : illisible après la ligne {line} ({reason}) ; téléchargez-le à nouveau",
                f"{place}: unreadable after line {line} ({reason}); download it again",
            )
        )


def _lines(binary: IO[bytes], advance: Advance) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without their line feeds. Raises csv.Error for what no table of LOINC has."""
    decode = codecs.getincrementaldecoder("utf-8-sig")().decode
    rest, number = "", 0
    while chunk := binary.read(_CHUNK):
        text = rest + decode(chunk)
        if any(character in text for character in _CONTROLS):
            raise csv.Error(say("caractère de contrôle", "control character"))
        *lines, rest = text.split("\n")
        yield from lines
        number += len(lines)
        if number > _MOST_LINES:
            raise csv.Error(say("trop de lignes", "too many lines"))
        if len(rest) > _LONGEST_LINE:
            raise csv.Error(say("ligne sans fin", "line without end"))
        advance(len(chunk))
    if rest := rest + decode(b"", final=True):
        yield rest


class _Place:
    """How far a table has been read: the number of the last line that was well."""

    __slots__ = ("line",)

    def __init__(self) -> None:
        self.line = 0


def _rows(lines: Iterator[str], place: _Place) -> Iterator[list[str]]:
    """Yield the rows of a table, [] for a blank line, as the csv module would, at two thirds of the price.

    LOINC quotes every value. A line that begins and ends with a quote, and has as many quotes between as separate the values
    of the first row, has none in its values: it is one row. The csv module is asked for the others.
    """
    quotes = 0
    for line in lines:
        if line[-2:] == '"\r' and line[:1] == '"' and line.count('"') == quotes:
            row = line[1:-2].split('","')
            if 2 * len(row) == quotes:
                place.line += 1
                yield row
                continue
        reader = csv.reader(chain((f"{line}\n",), (f"{more}\n" for more in lines)), strict=True)
        before = place.line
        for row in reader:
            place.line = before + reader.line_num
            yield row
            if quotes := quotes or 2 * len(row) * (line[:1] == '"'):
                break


def find_files(path: Path) -> ReleaseFiles:
    """Find the parts of a LOINC release in a zip or a folder, or take the one table given (and MapTo.csv beside it).

    Raises TerminologyError when there is nothing at the path, or no table of terms in it.
    """
    try:
        if path.is_dir():
            sizes = {
                p.relative_to(path).as_posix(): p.stat().st_size for p in path.rglob("*.[cC][sS][vV]") if p.is_file()
            }
            names = _parts(sizes)
        elif path.exists() and not path.is_file():
            raise OSError(say("c'est un tube ou un périphérique", "this is a pipe or a device"))
        elif zipfile.is_zipfile(path):
            _refuse_endless_list(path)
            with zipfile.ZipFile(path) as archive:
                sizes = {member.filename: member.file_size for member in archive.infolist() if not member.is_dir()}
            names = _parts(sizes)
        else:
            with path.open("rb") as file:
                if file.read(4) == b"PK\x03\x04":
                    raise zipfile.BadZipFile(say("archive incomplète ou abîmée", "archive incomplete or damaged"))
            sizes = {path.name: path.stat().st_size}
            names = {Part.TERMS: path.name}
            if (beside := path.with_name(Part.MAP_TO.value)).is_file():
                names[Part.MAP_TO] = beside.name
                sizes[beside.name] = beside.stat().st_size
    except FileNotFoundError:
        raise TerminologyError(
            say(
                f"{path} : version de LOINC introuvable ; vérifiez le nom et le dossier",
                f"{path}: LOINC release not found; check the name and the folder",
            )
        ) from None
    except _DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TerminologyError(
            say(f"{path} : version de LOINC illisible ({reason})", f"{path}: unreadable LOINC release ({reason})")
        ) from None
    if Part.TERMS not in names:
        raise TerminologyError(
            say(
                f"{path} : pas de fichier Loinc.csv ; donnez la version de LOINC telle que téléchargée (zip ou dossier)",
                f"{path}: no Loinc.csv; give the LOINC release as downloaded (zip or folder)",
            )
        )
    zipped = path.is_file() and zipfile.is_zipfile(path)
    return ReleaseFiles(path, zipped, names, {part: sizes[name] for part, name in names.items()}, _version(path, sizes))


def holds_only_csv(path: Path) -> bool:
    """Tell whether a file is an archive with tables of a release in it and no workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.casefold() for name in archive.namelist()]
    except _DAMAGED:
        return False
    return any(map(_NAMES[Part.TERMS].search, names)) and not any(name.endswith(".xlsx") for name in names)


def _parts(names: Mapping[str, int]) -> dict[Part, str]:
    """Return the file of each part: of several, the complete table, then that of LoincTable, then the one nearest the top."""
    found: dict[Part, str] = {}
    for part, pattern in _NAMES.items():
        matching = {name: path for name in names if pattern.fullmatch((path := PurePosixPath(name)).name.casefold())}
        if matching:
            found[part] = min(matching, key=lambda name: _standing(matching[name]))
    return found


def _standing(path: PurePosixPath) -> tuple[bool, bool, int, str]:
    return "core" in path.name.casefold(), path.parent.name != "LoincTable", len(path.parts), str(path)


def _refuse_endless_list(path: Path) -> None:
    """Refuse an archive whose list of files would fill the memory: zipfile reads it whole."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_OF_ZIP))
        end = file.read()
    if (start := end.rfind(b"PK\x05\x06")) >= 0 and int.from_bytes(
        end[start + 12 : start + 16], "little"
    ) > _MOST_NAMES:
        raise zipfile.BadZipFile(say("trop de fichiers", "too many files"))


def _version(path: Path, names: Mapping[str, int]) -> str:
    """Return the version that the name of the release tells, or of the folders it is in, or of the files in it."""
    where = path.resolve()
    above = [folder.name for folder in list(where.parents)[:2] if "loinc" in folder.name.casefold()]
    inside = sorted(part for name in names for part in PurePosixPath(name).parts if "loinc" in part.casefold())
    for name in (where.name, *above, *inside):
        if match := _VERSION.search(name):
            return match.group(1)
    return ""


def versions_in(text: str) -> tuple[tuple[int, int], ...]:
    """Return the LOINC versions that a text names, as numbers that compare: "2.23 (2.79-2.80)" -> (2, 23), (2, 79), (2, 80)."""
    return tuple((int(match[:1]), int(match[2:])) for match in _VERSION.findall(text))

"""A look at the XML of a sheet: what python-calamine does not tell of it, and whether it may be given the sheet at all.

A plain sheet, which is one whose cells all have an address inside the limits, a usual type, a plain value and no formula, is
known by two regular expressions: they cost a tenth of parsing it. Any other is parsed, by expat, to the last cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from pyexpat import ParserCreate
from typing import NamedTuple

from jdv_qa.language import say
from jdv_qa.workbook.edition import MergedRange, column_letter, column_number
from jdv_qa.workbook.limits import MAX_CELLS, MAX_COLUMNS, MAX_MERGED, MAX_ROWS, Refused

_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\b([^>]*)\?>)?(?:\s|<!--(?:[^-]|-(?!-))*-->)*<(?![!?])")
_ENCODING = re.compile(rb"\bencoding\s*=\s*[\"']([^\"']*)[\"']")
_ENCODINGS = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii"})
_ROOT = re.compile(rb"<worksheet[\s>]")
_COLON = re.compile(rb":c[\s/>]")
"""What every match of _PREFIXED holds, and is found in a sixth of the time."""
_PREFIXED = re.compile(rb"<[^<>\s:\"'/]+:c[\s/>]")
_ODD_ROW = re.compile(
    rb"<row(?! r=\"[1-9][0-9]{0,6}\"(?: (?!hidden)[A-Za-z0-9:]+=\"[^\"]*\")*/?>)(?=[\s/>])(?P<attributes>[^>]*)"
)
_LAST_ADDRESS = re.compile(rb"<c r=\"[A-Z]*([0-9]+)\"")
_COLUMN = re.compile(rb"<col\b([^>]*?)/?>")
_MERGE = re.compile(rb"<mergeCell\b[^>]*?\bref\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']")
_HIDDEN = re.compile(rb"(?<![\w:])hidden\s*=\s*[\"'](?:1|true)[\"']")
_ROW_NUMBER = re.compile(rb"<row\b[^>]*?(?<![\w:])r\s*=\s*[\"']([0-9]{1,7})[\"']")
_NUMBER = re.compile(rb"(?<![\w:])(r|min|max)\s*=\s*[\"']([0-9]{1,7})[\"']")
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_RANGE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6}):([A-Z]{1,3})([1-9][0-9]{0,6})")

KNOWN_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
"""The errors that python-calamine knows; later Excels have others."""

_LATER_ERROR = re.compile(
    rb"(<c\b[^>]*\bt=\"e\"[^>]*>(?:<f\b[^>]*/>|<f\b[^>]*>[^<]*</f>)?<v>)"
    rb"(?!#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)</v>)[^<]*(</v>)"
)
_READ = frozenset({"", "n", "e", "b", "s"})
_KINDS = frozenset({"", "n", "s", "str", "inlineStr", "b", "e", "d"})
BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[Ee][+-]?[0-9]+)?")
_LAST_DAY = 2_957_003
"""31 December 9999, counted from 1904."""

_LONGEST = 999_999_999
"""Days of the longest duration that a reader can hold."""

_MOST_TRANSLATED = 1_000_000
"""Characters of shared formulas that are translated to the cells that share them, which takes a second; others stay unsaid."""

_SHARED = re.compile(rb" t=\"s\"><v>([0-9]{1,9})</v>")
_CDATA = re.compile(rb"!\[CDATA\[")

_BY_DIGITS = {
    4: rb"[A-Z]{1,2}+",
    5: rb"[AB]?[A-Z]",
    6: rb"[A-H]",
}
"""Digits of the last row, from four on -> columns that keep the box around the cells below MAX_CELLS, whatever such rows."""


class SheetLook(NamedTuple):
    """What the XML of a sheet says of it; row and column numbers count from 1.

    `numbers` are those that may be no date whatever their format: below 0, or beyond the year 9999.
    """

    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    filtered: bool
    merged: tuple[MergedRange, ...]
    formulas: dict[tuple[int, int], str]
    errors: dict[tuple[int, int], str]
    booleans: dict[tuple[int, int], bool]
    numbers: dict[tuple[int, int], float]
    has_tables: bool
    is_plain: bool = False


def refuse_markup(data: bytes, part: str) -> None:
    """Raise Refused when an XML part declares a document type, as entities need, or is in an encoding that could hide one."""
    prolog = _PROLOG.match(data)
    encoding = _ENCODING.search(prolog[1] or b"") if prolog else None
    if prolog is None or (encoding is not None and encoding[1].lower() not in _ENCODINGS):
        raise unusual_markup(part)


def root_of(data: bytes) -> int:
    """Return where the root of an XML part begins that `refuse_markup` has let through."""
    prolog = _PROLOG.match(data)
    return prolog.end() - 1 if prolog else 0


def unusual_markup(part: str) -> Refused:
    """Return the refusal of an XML part that begins as no program writes it."""
    return Refused(
        say(
            f"la partie « {part} » ne commence pas comme le XML d'un classeur (type de document, ou encodage inattendu) ; "
            "ouvrez le classeur dans Excel et enregistrez-le au format .xlsx",
            f'the part "{part}" does not begin as the XML of a workbook does (document type, or unexpected encoding); '
            "open the workbook in Excel and save it as .xlsx",
        )
    )


def look_at(sheet: str, part: str, data: bytes) -> SheetLook:
    """Look at the XML of a sheet. Raises Refused, naming tab and cell, on what no reader may be given; ExpatError on no XML."""
    refuse_markup(data, part)
    return _quick_look(data) or look_closely(sheet, data)


def look_closely(sheet: str, data: bytes, strings: int | None = None) -> SheetLook:
    """Look at every cell of a sheet; where `strings` is known, the texts in the workbook's table, cells beyond it are refused."""
    return _CarefulLook(sheet, strings).at(data)


def most_shared_text(
    data: bytes, longest: int, sizes: Callable[[], Sequence[int]], most: int, *, is_plain: bool
) -> int:
    """Return how many bytes of the workbook's table of texts a sheet holds, or a higher figure that is not above `most`.

    `longest` is the size of the longest of these texts, or above it, and `sizes` gives that of each.
    """
    if (least := (data.count(b"<v") + data.count(b":v")) * longest) <= most:
        return least
    known = sizes()
    if not is_plain:
        look = _CarefulLook("", None)
        look.sizes = known
        look.at(data)
        return look.shared_text
    times = Counter(_SHARED.findall(data))
    return sum(known[int(number)] * often for number, often in times.items() if int(number) < len(known))


def with_known_errors(data: bytes) -> bytes:
    """Return the XML of a sheet with the errors of later Excels ("#SPILL!"), which stop python-calamine, as "#N/A"."""
    return _LATER_ERROR.sub(rb"\1#N/A\2", data)


@lru_cache
def _odd_cell(digits: int) -> re.Pattern[bytes]:
    rest = rb"[0-9]{0,%d}+" % (digits - 1)
    number = rb"(?:><v>[0-9][0-9.Ee+-]{0,30}+</v></c>|/>|></c>)"
    return re.compile(
        rb"<c(?! r=\"" + _BY_DIGITS[digits] + rb"[1-9]" + rest + rb"\"(?: s=\"[0-9]{1,9}+\")?+"
        rb"(?: t=\"(?:s\"(?:><v>[0-9]{1,9}+</v></c>|/>|></c>)|inlineStr\"(?:><is[ >]|/>|></c>)"
        rb"|n\"" + number + rb"|str\"(?:/>|></c>|><v(?: [^<>]*+)?>[^<]*+</v></c>))|" + number + rb"))(?=[\s/>])"
    )


def _quick_look(data: bytes) -> SheetLook | None:
    """Look at a plain sheet; None when it is not plain."""
    begin, end = data.find(b"<sheetData"), data.rfind(b"</sheetData>")
    before, after = data[: max(begin, 0)], data[end if end > begin else begin :]
    if begin < 0 or data.find(b"<sheetData", begin + 1) >= 0 or not _ROOT.search(before):
        return None
    if _COLON.search(data) and _PREFIXED.search(data):
        return None
    last = _LAST_ADDRESS.match(data, data.rfind(b'<c r="'))
    digits = max(len(last[1]), 4) if last else 4
    if digits not in _BY_DIGITS or _CDATA.search(data) or _odd_cell(digits).search(data):
        return None
    hidden_rows: set[int] = set()
    for odd in _ODD_ROW.finditer(data):
        numbers = dict(_NUMBER.findall(odd["attributes"]))
        if b"r" not in numbers or not 1 <= int(numbers[b"r"]) <= MAX_ROWS:
            return None
        if _HIDDEN.search(odd["attributes"]):
            hidden_rows.add(int(numbers[b"r"]))
    if hidden_rows and _hidden_twice(hidden_rows, data):
        return None
    hidden_columns: set[int] = set()
    for column in _COLUMN.finditer(before) if b"hidden" in before else ():
        if _HIDDEN.search(column[1]):
            bounds = {key: int(value) for key, value in _NUMBER.findall(column[1])}
            hidden_columns.update(_column_range(bounds.get(b"min", 0), bounds.get(b"max", 0)))
    merged = [
        MergedRange(int(top), column_number(left.decode()), int(bottom), column_number(right.decode()))
        for left, top, right, bottom in (_MERGE.findall(after) if b"<mergeCell" in after else ())
    ]
    if b":mergeCell" in after or after.count(b"<mergeCell ") != len(merged):
        return None
    return SheetLook(
        frozenset(hidden_rows),
        frozenset(hidden_columns),
        b"filterColumn" in after,
        tuple(sorted(merged, key=lambda one: one[:2])),
        {},
        {},
        {},
        {},
        b"tablePart " in after,
        is_plain=True,
    )


def _hidden_twice(hidden_rows: Collection[int], data: bytes) -> bool:
    """Tell whether a hidden row is written twice, of which one may be visible."""
    numbers = [number for number in map(int, _ROW_NUMBER.findall(data)) if number in hidden_rows]
    return len(numbers) > len(hidden_rows)


def _column_range(first: int, last: int) -> range:
    return range(first, min(last, first + 255) + 1)


class _CarefulLook:
    """The same, by parsing, with the formulas and the error cells; `sheet` is for what is said of a cell that is refused."""

    def __init__(self, sheet: str, strings: int | None) -> None:
        self.sheet, self.strings = sheet, strings
        self.line = self.row = self.column = self.bottom = self.right = 0
        self.lines: set[int] = set()
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merged: list[MergedRange] = []
        self.formulas: dict[tuple[int, int], str] = {}
        self.errors: dict[tuple[int, int], str] = {}
        self.booleans: dict[tuple[int, int], bool] = {}
        self.numbers: dict[tuple[int, int], float] = {}
        self.filtered = self.has_tables = False
        self.sizes: Sequence[int] = ()
        self.shared_text = self.translated = 0
        self.kind = ""
        self.data, self.begin = b"", 0
        self.tables = 0
        self.text: list[str] = []
        self.formula: dict[str, str] = {}
        self.shared: dict[str, tuple[str, str]] = {}
        self.inside = self.valued = False
        self.parser = ParserCreate()
        self.parser.buffer_text = True
        self.starts: dict[str, Callable[[dict[str, str]], None]] = {
            "sheetData": self.start_cells, "row": self.start_row, "c": self.start_cell, "f": self.start_formula,
            "v": self.start_value,
            "is": self.start_inline, "col": self.start_column, "mergeCell": self.start_merge,
            "filterColumn": self.start_filter, "tablePart": self.start_table,
        }  # fmt: skip
        self.ends: dict[str, Callable[[], None]] = {"f": self.end_formula, "v": self.end_value, "c": self.end_cell}
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.refuse_type

    def at(self, data: bytes) -> SheetLook:
        self.data = data
        self.parser.Parse(data, True)
        return SheetLook(
            frozenset(self.hidden_rows),
            frozenset(self.hidden_columns),
            self.filtered,
            tuple(sorted(self.merged, key=lambda one: one[:2])),
            self.formulas,
            self.errors,
            self.booleans,
            self.numbers,
            self.has_tables,
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if begin := self.starts.get(tag.rpartition(":")[2]):
            begin(attributes)

    def end(self, tag: str) -> None:
        if finish := self.ends.get(tag.rpartition(":")[2]):
            finish()

    def refuse_type(self, name: str, *_: object) -> None:
        raise unusual_markup(self.sheet)

    def refuse_odd(self) -> None:
        """Refuse a value that holds more than text, such as CDATA, of which python-calamine leaves something out."""
        raise self.wrong_value(
            say(
                "sa valeur est écrite comme Excel ne l'écrit pas (CDATA, commentaire, caractère par son numéro…)",
                "its value is written as Excel writes none (CDATA, comment, character by its number…)",
            )
        )

    def start_cells(self, attributes: dict[str, str]) -> None:
        self.tables += 1
        if self.tables > 1:
            raise Refused(
                say(
                    f"onglet « {self.sheet} » : il a deux tables de cellules (sheetData) ; "
                    "ouvrez le classeur dans Excel et enregistrez-le au format .xlsx",
                    f'tab "{self.sheet}": it has two tables of cells (sheetData); '
                    "open the workbook in Excel and save it as .xlsx",
                )
            )

    def start_row(self, attributes: dict[str, str]) -> None:
        stated = attributes.get("r")
        self.line, self.column = self.line + 1, 0
        if stated is not None:
            if not (stated.isascii() and stated.isdecimal() and 1 <= int(stated[:9]) <= MAX_ROWS):
                raise self.impossible(stated)
            self.line = int(stated)
        if self.line > MAX_ROWS:
            raise self.impossible(str(self.line))
        hidden = attributes.get("hidden") in ("1", "true")
        if self.line in self.lines and (hidden or self.line in self.hidden_rows):
            raise self.twice()
        self.lines.add(self.line)
        if hidden:
            self.hidden_rows.add(self.line)

    def start_cell(self, attributes: dict[str, str]) -> None:
        stated = attributes.get("r")
        self.row, self.column = self.line, self.column + 1
        if stated is not None:
            address = _ADDRESS.fullmatch(stated)
            if address is None:
                raise self.impossible(stated)
            self.row, self.column = int(address[2]), column_number(address[1])
        if self.column > MAX_COLUMNS or not 1 <= self.row <= MAX_ROWS:
            raise self.impossible(stated or f"{column_letter(self.column)}{self.row}")
        self.kind, self.inside, self.valued = attributes.get("t", ""), True, False
        if self.kind not in _KINDS:
            raise self.wrong_value(
                say(f"type de cellule inconnu « {_shown(self.kind)} »", f'unknown type of cell "{_shown(self.kind)}"')
            )
        if self.kind == "e":
            self.errors[self.row, self.column] = "#ERROR!"

    def fill(self) -> None:
        self.bottom, self.right = max(self.bottom, self.row), max(self.right, self.column)
        if self.bottom * self.right > MAX_CELLS:
            raise far_cell(self.sheet, f"{column_letter(self.right)}{self.bottom}")

    def start_inline(self, attributes: dict[str, str]) -> None:
        self.fill()
        self.valued = True

    def start_value(self, attributes: dict[str, str]) -> None:
        self.fill()
        self.text.clear()
        if not self.inside:
            return
        if self.valued or self.kind == "inlineStr":
            raise self.wrong_value(say("elle a une valeur de trop", "it has a value too many"))
        self.valued, self.begin = True, self.parser.CurrentByteIndex
        self.parser.StartCdataSectionHandler = self.refuse_odd
        if self.kind in _READ:
            self.parser.CharacterDataHandler = self.text.append

    def end_value(self) -> None:
        self.parser.CharacterDataHandler = self.parser.StartCdataSectionHandler = None
        if self.inside and self.kind in _READ:
            written = self.data[self.begin : self.parser.CurrentByteIndex].partition(b">")[2]
            if written != "".join(self.text).encode():
                self.refuse_odd()
        if not self.inside or not (text := "".join(self.text)):
            return
        if self.kind == "e":
            self.errors[self.row, self.column] = text
        elif self.kind == "b":
            if (truth := BOOLEANS.get(text.strip())) is None:
                raise self.wrong_value(
                    say(f"« {_shown(text)} » n'est ni vrai ni faux", f'"{_shown(text)}" is no truth value')
                )
            self.booleans[self.row, self.column] = truth
        elif self.kind == "s":
            known = text.isascii() and text.isdecimal() and len(text) < 10
            if not known or (self.strings is not None and int(text) >= self.strings):
                raise self.wrong_value(
                    say(
                        f"elle renvoie au texte n° {_shown(text)}, que la table des textes du classeur n'a pas",
                        f"it refers to text no. {_shown(text)}, which the workbook's table of texts lacks",
                    )
                )
            if int(text) < len(self.sizes):
                self.shared_text += self.sizes[int(text)]
        elif _DECIMAL.fullmatch(text) and not 0 <= (number := float(text)) <= _LAST_DAY:
            self.numbers[self.row, self.column] = number

    def start_formula(self, attributes: dict[str, str]) -> None:
        if self.inside:
            if self.valued:
                raise self.wrong_value(
                    say(
                        "sa formule suit sa valeur au lieu de la précéder",
                        "its formula follows its value instead of preceding it",
                    )
                )
            self.fill()
            self.formula = attributes
            self.text.clear()
            self.parser.CharacterDataHandler = self.text.append

    def end_formula(self) -> None:
        """Keep the text of a formula; of one shared by several cells only the first holds it."""
        if not self.inside:
            return
        self.parser.CharacterDataHandler = None
        text, number = "".join(self.text), self.formula.get("si", "")
        if self.formula.get("t") == "shared":
            address = f"{column_letter(self.column)}{self.row}"
            if text:
                self.shared.setdefault(number, (text, address))
            elif number in self.shared and self.translated < _MOST_TRANSLATED:
                from openpyxl.formula.translate import Translator

                first, origin = self.shared[number]
                self.translated += len(first)
                text = Translator(f"={first}", origin=origin).translate_formula(address).removeprefix("=")
        self.formulas[self.row, self.column] = text

    def end_cell(self) -> None:
        self.inside = False

    def start_column(self, attributes: dict[str, str]) -> None:
        bounds = [attributes.get(name, "0") for name in ("min", "max")]
        if attributes.get("hidden") in ("1", "true") and all(text.isdecimal() and len(text) < 6 for text in bounds):
            self.hidden_columns.update(_column_range(int(bounds[0]), int(bounds[1])))

    def start_merge(self, attributes: dict[str, str]) -> None:
        if stated := _RANGE.fullmatch(attributes.get("ref", "")):
            left, top, right, bottom = stated.groups()
            self.merged.append(MergedRange(int(top), column_number(left), int(bottom), column_number(right)))

    def start_filter(self, attributes: dict[str, str]) -> None:
        self.filtered = True

    def start_table(self, attributes: dict[str, str]) -> None:
        self.has_tables = True

    def wrong_value(self, reason: str) -> Refused:
        return wrong_value(self.sheet, self.row, self.column, reason)

    def twice(self) -> Refused:
        return Refused(
            say(
                f"onglet « {self.sheet} » : la ligne {self.line}, masquée, y est écrite deux fois ; "
                "ouvrez le classeur dans Excel et enregistrez-le au format .xlsx",
                f'tab "{self.sheet}": row {self.line}, hidden, is written twice; '
                "open the workbook in Excel and save it as .xlsx",
            )
        )

    def impossible(self, address: str) -> Refused:
        shown = _shown(address)
        return Refused(
            say(
                f"onglet « {self.sheet} » : la cellule « {shown} » n'existe dans aucune feuille d'Excel ; "
                "ouvrez le classeur dans Excel et enregistrez-le au format .xlsx",
                f'tab "{self.sheet}": no sheet of Excel has the cell "{shown}"; open the workbook in Excel and save it as .xlsx',
            )
        )


def _shown(text: str) -> str:
    """Return a text from a file as it may stand in a line: printable and short."""
    printable = "".join(letter if letter.isprintable() else "�" for letter in text[:25])
    return printable if len(text) <= 24 else f"{printable[:23]}…"


def wrong_value(sheet: str, row: int, column: int, reason: str) -> Refused:
    """Return the refusal of a cell for what it holds."""
    address = f"{column_letter(column)}{row}"
    return Refused(
        say(
            f"onglet « {sheet} », cellule {address} : {reason} ; "
            "ouvrez le classeur dans Excel et enregistrez-le au format .xlsx",
            f'tab "{sheet}", cell {address}: {reason}; open the workbook in Excel and save it as .xlsx',
        )
    )


def immense_duration(sheet: str, look: SheetLook) -> Refused | None:
    """Return the refusal of a number that no reader can hold if its format is that of a duration, None if there is none."""
    for (row, column), number in look.numbers.items():
        if abs(number) > _LONGEST:
            return wrong_value(
                sheet, row, column, say(f"une durée de {number:g} jours", f"a duration of {number:g} days")
            )
    return None


def far_cell(sheet: str, address: str) -> Refused:
    """Return the refusal of a sheet whose filled cells go as far as an address, too far to be held in memory."""
    return Refused(
        say(
            f"onglet « {sheet} » : des cellules sont remplies jusqu'en {address}, loin du tableau ; "
            "dans Excel, supprimez-les (Ctrl+Fin y mène)",
            f'tab "{sheet}": cells are filled as far as {address}, a long way from the table; '
            "delete them in Excel (Ctrl+End goes there)",
        )
    )


def refuse_wide_merges(sheet: str, merged: tuple[MergedRange, ...], rows: int, columns: int) -> None:
    """Raise Refused when the merged ranges of a sheet, as far as its filled cells go, cover more than MAX_MERGED cells."""
    covered = sum(
        max(min(one.last_row, rows) - one.first_row + 1, 0)
        * max(min(one.last_column, columns) - one.first_column + 1, 0)
        for one in merged
    )
    if covered > MAX_MERGED:
        raise Refused(
            say(
                f"onglet « {sheet} » : des plages fusionnées se recouvrent ({len(merged)} plages) ; "
                "dans Excel, défusionnez les cellules de l'onglet",
                f'tab "{sheet}": merged ranges overlap ({len(merged)} ranges); unmerge the cells of the tab in Excel',
            )
        )

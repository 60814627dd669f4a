"""Editing a workbook in place: cells, rows and columns change, everything else keeps its bytes.

openpyxl reads a workbook into its own model and writes that model again, so that what the model does not know is lost: rich
text, charts, threaded comments, formats of newer Excels. Here the XML of the sheets concerned is edited, and all other parts
of the file are copied as they are. When rows are inserted or removed, everything in the workbook that refers to the rows
below follows: formulas, names, merged ranges, formats, validations, filters, tables, links, comments, drawings, charts.

Part and element names are those of ISO/IEC 29500-1; elements are found by local name, so that strict and transitional
workbooks, and the extensions of later Excels, are read alike.
"""

from __future__ import annotations

import math
import posixpath
import re
import zipfile
from bisect import insort
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.workbook.archive import rewritten
from jdv_qa.workbook.edition import column_letter
from jdv_qa.workbook.sheets import UNREADABLE, damaged, workbook_content
from jdv_qa.workbook.shifting import (
    LOST,
    MAX_COLUMN,
    MAX_ROW,
    RowMap,
    join_range,
    moved_formula,
    moved_reference,
    sheet_of_prefix,
    split_prefix,
    split_range,
    translated,
)
from jdv_qa.workbook.structure import column_number, sheet_paths

Value: TypeAlias = str | int | float | bool | None
"""What a cell can be set to, and what it is read as."""

Place: TypeAlias = tuple[int, int] | tuple[str, int, int]
"""Row and column of a cell, in the same sheet or in another one."""

MAX_TEXT = 32_767
"""Characters (UTF-16 units) that a cell can hold, by Excel's specifications."""

MAX_PART = 1 << 30
"""Bytes of one unpacked part above which a workbook is refused: nothing but a zip bomb is so large."""

_Element: TypeAlias = "etree._Element"
_ADDRESS = re.compile(r"([A-Z]+)([0-9]+)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_RELATIONSHIPS = ("/officeDocument/2006/relationships", "/officeDocument/relationships")
_NOTE_SHAPE = re.compile(rb"<v:shape\b.*?</v:shape>", re.DOTALL)
_NOTE_ROW = re.compile(rb"(<x:Row>\s*)([0-9]+)(\s*</x:Row>)")
_NOTE_COLUMN = re.compile(rb"<x:Column>\s*([0-9]+)\s*</x:Column>")
_NOTE_ANCHOR = re.compile(rb"(<x:Anchor>)([^<]*)(</x:Anchor>)")

_SINGLE = {"cellWatch": "r", "inputCells": "r", "hyperlink": "ref", "sortCondition": "ref"}
"""Elements of a sheet, and the attribute that holds the range they are for; they go when its rows go."""

_COVERING = frozenset(("conditionalFormatting", "dataValidation", "protectedRange", "ignoredError"))
"""Elements for several ranges, that new rows take over from the row they are made like."""

_BEFORE_CALCULATION = frozenset(
    (
        "fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups",
        "externalReferences", "definedNames",
    )
)  # fmt: skip
"""Elements of the workbook part that come before calcPr."""

_COUNTED = ("mergeCells", "dataValidations", "conditionalFormattings", "hyperlinks", "rowBreaks", "ignoredErrors",
            "protectedRanges", "cellWatches", "sparklines", "sparklineGroup", "sparklineGroups")  # fmt: skip
"""Elements that hold others, may state how many, and go with the last of them."""

_BEFORE_MERGED = frozenset(
    (
        "sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState",
        "dataConsolidate", "customSheetViews",
    )
)  # fmt: skip
"""Elements of a sheet after which mergeCells stands."""

_ROW_STATE = frozenset(("r", "spans", "hidden", "collapsed"))
"""Attributes of a row that a row made like it does not take over."""


def _local(element: _Element) -> str:
    """Return the name of an element without its namespace, "" for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _namespace(element: _Element) -> str:
    return str(element.tag).rpartition("}")[0] + "}" if str(element.tag).startswith("{") else ""


def _outside_cells(root: _Element, *names: str) -> Iterator[_Element]:
    """Yield the elements of a sheet that are not of its rows and cells, of some names or all."""
    for child in root:
        if _local(child) != "sheetData":
            for element in child.iter(etree.Element):
                if not names or _local(element) in names:
                    yield element


def _children(element: _Element, *names: str) -> Iterator[_Element]:
    for child in element:
        if _local(child) in names:
            yield child


@dataclass(eq=False, slots=True)
class _Merge:
    """A merged range: its element, its columns, and the keys of its first and last row."""

    element: _Element
    left: int
    right: int
    first: int
    last: int


@dataclass
class _Sheet:
    """A sheet as it is edited. Rows go by the keys of `map`, those of `rows` by rising key; `settled` rows have their number."""

    name: str
    part: str
    root: _Element
    data: _Element
    map: RowMap
    rows: dict[int, _Element]
    cells: dict[int, dict[int, _Element]] = field(default_factory=dict)
    merges: list[_Merge] = field(default_factory=list)
    grown: bool = False
    """Rows or cells were added or removed, so that the order of the rows, and the dimension, must be looked at."""

    @cached_property
    def keys(self) -> list[int]:
        """The keys of the rows that are written, rising."""
        return sorted(self.rows)


class WorkbookEdit:
    """One workbook being edited in memory. Rows and columns count from 1, as they stand after the edits so far."""

    def __init__(self, path: Path) -> None:
        """Read the workbook; nothing is ever written to it. Raises WorkbookError as reading an edition does."""
        self.path = path
        self._source = workbook_content(path)
        self._trees: dict[str, etree._ElementTree[_Element]] = {}
        self._touched: set[str] = set()
        self._raw_changed: dict[str, bytes] = {}
        self._removed: set[str] = set()
        self._open_sheets: dict[str, _Sheet] = {}
        self._formula_lost = False
        self._headers: set[tuple[str, int, int]] = set()
        try:
            with zipfile.ZipFile(BytesIO(self._source)) as archive:
                self._sizes = {info.filename: info.file_size for info in archive.infolist()}
                if large := next((name for name, size in self._sizes.items() if size > MAX_PART), None):
                    raise ValueError(large)
                self._parts = {name: part for name, part, _ in sheet_paths(archive)}
        except UNREADABLE as error:
            raise damaged(path, error) from error

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the worksheets, in the workbook's order."""
        return tuple(self._parts)

    def last_row(self, sheet: str) -> int:
        """Return the last row in which a cell holds something, 0 on an empty sheet."""
        state = self._sheet(sheet)
        return max(
            (
                row
                for row, key in state.map.placed(state.keys)
                if any(map(_is_filled, self._cells(state, key).values()))
            ),
            default=0,
        )

    def value(self, sheet: str, row: int, column: int) -> Value:
        """Return what a cell holds: text, number, truth value, or None; of a formula its last result."""
        cell = self._cell(self._sheet(sheet), row, column)
        return None if cell is None else self._read(cell)

    def set(self, sheet: str, row: int, column: int, value: Value, *, like: Place | None = None) -> None:
        """Write a cell: a text stays a text whatever it begins with, None empties the cell; its style stays.

        `like` is the place of the cell whose style a cell takes that is not there yet. A value that the cell has already
        leaves it untouched. Raises WorkbookError when a text is too long or holds a character that XML cannot.
        """
        state = self._sheet(sheet)
        self._refuse_unwritable(sheet, row, column, value)
        cell = self._cell(state, row, column)
        if cell is None:
            style = self._style_at(state, like) if like else None
            if value is None and style is None:
                return
            cell = self._new_cell(state, row, column, style)
        formula = next(_children(cell, "f"), None)
        if formula is None and _same(self._read(cell), value):
            return
        if formula is not None:
            if formula.get("t") == "shared":
                self._unshare(state)
            self._formula_lost = True
        _write(cell, value)
        self._headers.add((state.part, state.map.key(row), column))
        self._touched.add(state.part)

    def insert_rows(
        self, sheet: str, before: int, count: int = 1, *, like: int | None = None, joined: bool = False
    ) -> None:
        """Insert empty rows above the row `before`; everything from there on moves down.

        `like` is the row, as numbered before the insertion, whose height and styles they take, and whose conditional
        formats and validations then cover them; a table or a filter that ends just above goes on over them. `joined`:
        merged ranges that end just above go on over them too. Raises WorkbookError when the sheet would be too long.
        """
        state = self._sheet(sheet)
        if count < 1 or not 1 <= before <= MAX_ROW:
            raise ValueError(f"{count} rows before row {before}")
        self._unshare(state)
        model = state.rows.get(state.map.key(like)) if like else None
        pattern = self._pattern(state, state.map.key(like)) if like and model is not None else []
        above = state.map.key(before - 1) if joined and before > 1 else None
        state.map.insert(before, count, like)
        for merge in state.merges if above is not None else ():
            if merge.last == above:
                merge.last = state.map.key(before + count - 1)
        if model is not None:
            for row in range(before, before + count):
                key = state.map.key(row)
                self._add_row(state, key, model)
                for column, style in pattern:
                    self._new_cell(state, row, column, style)
        state.grown = True
        self._touched.add(state.part)

    def delete_rows(self, sheet: str, first: int, count: int = 1) -> None:
        """Remove rows; everything below moves up. The value of a merged range whose first row goes stays in the next one."""
        state = self._sheet(sheet)
        if count < 1 or not 1 <= first <= MAX_ROW:
            raise ValueError(f"{count} rows from row {first}")
        self._unshare(state)
        cut = self._cut_merges(state, first, first + count - 1)
        gone = state.map.delete(first, count)
        for merge, was_first in cut:
            if was_first in state.rows:
                self._keep_merged_value(state, merge, was_first)
        for key in gone:
            if (element := state.rows.pop(key, None)) is not None:
                self._formula_lost = self._formula_lost or any(_local(one) == "f" for one in element.iter())
                state.data.remove(element)
                state.cells.pop(key, None)
        state.__dict__.pop("keys", None)
        state.grown = True
        self._touched.add(state.part)

    def merge(self, sheet: str, first_row: int, first_column: int, last_row: int, last_column: int) -> None:
        """Merge a range of cells, bounds included; what its cells but the first hold is emptied.

        Raises ValueError when a range that is merged already overlaps it.
        """
        state = self._sheet(sheet)
        first, last = state.map.key(first_row), state.map.key(last_row)
        for merge in state.merges:
            top, bottom = state.map.position(merge.first), state.map.position(merge.last)
            if (
                top <= last_row and first_row <= bottom and merge.left <= last_column and first_column <= merge.right
            ):  # fmt: skip
                raise ValueError(f"{sheet}: {merge.element.get('ref')} is merged already")
        container = next(_children(state.root, "mergeCells"), None)
        if container is None:
            container = state.root.makeelement(f"{_namespace(state.root)}mergeCells")
            [child for child in state.root if _local(child) in _BEFORE_MERGED][-1].addnext(container)
        element = etree.SubElement(container, f"{_namespace(container)}mergeCell")
        corners = column_letter(first_column), first_row, column_letter(last_column), last_row
        element.set("ref", join_range(*corners))
        state.merges.append(_Merge(element, first_column, last_column, first, last))
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                if (row, column) != (first_row, first_column):
                    self.set(sheet, row, column, None)
        if container.get("count") is not None:
            container.set("count", str(len(container)))
        self._touched.add(state.part)

    def column_like(self, sheet: str, column: int, like: int) -> None:
        """Give a column the width and style of another one; filters, tables and formats that end at that one go on over it.

        Its cells take their style from `set(…, like=…)`.
        """
        state = self._sheet(sheet)
        self._copy_width(state, column, like)
        if column == like + 1:
            old, new = column_letter(like), column_letter(column)
            for element in _outside_cells(state.root, "autoFilter", *_COVERING):
                name = _local(element)
                attribute = "sqref" if name in _COVERING else "ref" if name == "autoFilter" else None
                if attribute and (text := element.get(attribute)):
                    element.set(attribute, " ".join(_widened(one, old, new) for one in text.split()))
            for part in self._related(state.part, "/table"):
                self._widen_table(state, part, old, new)
            for defined in self._defined_names():
                if defined.get("name") in ("_xlnm._FilterDatabase", "_xlnm.Print_Area") and defined.text:
                    prefix, reference = split_prefix(defined.text)
                    if sheet_of_prefix(prefix[:-1]).casefold() == sheet.casefold():
                        widened = _widened(reference, f"${old}", f"${new}")
                        if widened != reference:
                            defined.text = prefix + widened
                            self._touched.add(self._workbook_part)
        self._touched.add(state.part)

    def content(self) -> bytes:
        """Return the bytes of the workbook as edited; those of the file when nothing was changed."""
        self._settle()
        if not self._touched and not self._raw_changed and not self._removed:
            return self._source
        replaced = {part: _serialised(self._trees[part]) for part in self._touched} | self._raw_changed
        return rewritten(self._source, replaced, self._removed)

    # Parts

    def _raw(self, part: str) -> bytes:
        if part in self._raw_changed:
            return self._raw_changed[part]
        with zipfile.ZipFile(BytesIO(self._source)) as archive:
            return archive.read(part)

    def _root(self, part: str) -> _Element:
        """Return the root of an XML part, parsed once. No entity is resolved and nothing is fetched."""
        if part not in self._trees:
            try:
                data = self._raw(part)
                if b"<!DOCTYPE" in data[:4096]:
                    raise ValueError(part)
                parser = etree.XMLParser(
                    resolve_entities=False, no_network=True, load_dtd=False, strip_cdata=False, huge_tree=False
                )
                self._trees[part] = etree.parse(BytesIO(data), parser)
            except (*UNREADABLE, etree.XMLSyntaxError) as error:
                raise damaged(self.path, error) from error
        return self._trees[part].getroot()

    def _relations(self, part: str) -> Iterator[tuple[_Element, str]]:
        """Yield the relationships of a part that lead to another part, each with the name of that part."""
        folder, name = posixpath.split(part)
        relations = f"{folder}/_rels/{name}.rels".lstrip("/")
        if relations not in self._sizes:
            return
        for relation in self._root(relations):
            target = relation.get("Target", "")
            if relation.get("TargetMode") != "External":
                yield (
                    relation,
                    target.lstrip("/")
                    if target.startswith("/")
                    else posixpath.normpath(posixpath.join(folder, target)),
                )

    def _related(self, part: str, kind: str) -> list[str]:
        """Return the parts that a part is related to by relationships of a kind ("/comments")."""
        return [
            target
            for relation, target in self._relations(part)
            if relation.get("Type", "").endswith(kind) and target in self._sizes and target not in self._removed
        ]

    @cached_property
    def _workbook_part(self) -> str:
        return next(iter(self._related("", "/officeDocument")), "xl/workbook.xml")

    def _defined_names(self) -> Iterator[_Element]:
        for names in _children(self._root(self._workbook_part), "definedNames"):
            yield from _children(names, "definedName")

    @cached_property
    def _shared_strings(self) -> list[str]:
        parts = self._related(self._workbook_part, "/sharedStrings")
        return [_text_of(item) for item in _children(self._root(parts[0]), "si")] if parts else []

    # Rows and cells

    def _sheet(self, name: str) -> _Sheet:
        if name not in self._open_sheets:
            if name not in self._parts:
                present = ", ".join(f"« {one} »" for one in self._parts)
                raise WorkbookError(
                    say(
                        f"{self.path} : pas d'onglet « {name} » (onglets présents : {present})",
                        f'{self.path}: no tab "{name}" (tabs: {present})',
                    )
                )
            self._open_sheets[name] = self._load(name)
        return self._open_sheets[name]

    def _load(self, name: str) -> _Sheet:
        root = self._root(self._parts[name])
        data = next(_children(root, "sheetData"), None)
        if data is None:
            raise damaged(self.path, ValueError(self._parts[name]))
        rows: dict[int, _Element] = {}
        number = 0
        for element in _children(data, "row"):
            number = int(element.get("r") or number + 1)
            element.set("r", str(number))
            rows[number] = element
        merges = []
        for element in _outside_cells(root, "mergeCell"):
            if place := split_range(element.get("ref", "")):
                left, top, right, bottom = place
                merges.append(_Merge(element, column_number(left), column_number(right), top, bottom))
        return _Sheet(name, self._parts[name], root, data, RowMap(), rows, merges=merges)

    def _cells(self, state: _Sheet, key: int) -> dict[int, _Element]:
        """Return the cells of a row by column."""
        if key not in state.cells:
            cells: dict[int, _Element] = {}
            column = 0
            for cell in _children(state.rows[key], "c") if key in state.rows else ():
                address = _ADDRESS.fullmatch(cell.get("r") or "")
                column = column_number(address[1]) if address else column + 1
                cell.set("r", f"{column_letter(column)}{address[2] if address else key}")
                cells[column] = cell
            state.cells[key] = cells
        return state.cells[key]

    def _cell(self, state: _Sheet, row: int, column: int) -> _Element | None:
        if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
            raise ValueError(f"row {row}, column {column}")
        return self._cells(state, state.map.key(row)).get(column)

    def _style_at(self, state: _Sheet, like: Place) -> str | None:
        return self._style(state, like) if len(like) == 2 else self._style(self._sheet(like[0]), like[1:])

    def _style(self, state: _Sheet, place: tuple[int, int]) -> str | None:
        """Return the style of a cell, as it shows: its own, or that of its row or column."""
        cell = self._cell(state, *place)
        if cell is not None:
            return cell.get("s")
        row = state.rows.get(state.map.key(place[0]))
        if row is not None and row.get("customFormat") in ("1", "true"):
            return row.get("s")
        return next((one.get("style") for one in _columns(state.root) if _covers(one, place[1])), None)

    def _pattern(self, state: _Sheet, key: int) -> list[tuple[int, str]]:
        """Return the columns of a row that have a style of their own, and those styles."""
        return [(column, style) for column, cell in self._cells(state, key).items() if (style := cell.get("s"))]

    def _add_row(self, state: _Sheet, key: int, like: _Element | None) -> _Element:
        element = etree.SubElement(state.data, f"{_namespace(state.data)}row")
        element.set("r", "0")
        if like is not None:
            fitted = like.get("customHeight") not in ("1", "true")
            for name, value in like.attrib.items():
                if name not in _ROW_STATE and not (name == "ht" and fitted):
                    element.set(name, value)
        state.rows[key] = element
        state.cells[key] = {}
        insort(state.keys, key)
        state.grown = True
        return element

    def _new_cell(self, state: _Sheet, row: int, column: int, style: str | None) -> _Element:
        key = state.map.key(row)
        parent = state.rows.get(key)
        if parent is None:
            parent = self._add_row(state, key, None)
            # The number of an old row is its key; the other rows take theirs when all is settled.
        cells = self._cells(state, key)
        if style is None:
            style = self._style(state, (row, column))
        cell = parent.makeelement(f"{_namespace(parent)}c", {"r": f"{column_letter(column)}{parent.get('r')}"})
        if style:
            cell.set("s", style)
        after = [other for other in cells if other < column]
        if after:
            before = cells[max(after)]
            cell.tail = before.tail
            before.addnext(cell)
        else:
            parent.insert(0, cell)
        cells[column] = cell
        spans = [int(one) for one in re.findall("[0-9]+", parent.get("spans", ""))]
        if spans:
            parent.set("spans", f"{min(*spans, column)}:{max(*spans, column)}")
        state.grown = True
        self._touched.add(state.part)
        return cell

    def _read(self, cell: _Element) -> Value:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return "".join(_text_of(one) for one in _children(cell, "is")) or None
        text = next((one.text for one in _children(cell, "v")), None)
        if not text:
            return None
        try:
            if kind == "s":
                return self._shared_strings[int(text)] or None
            if kind == "n":
                number = float(text)
                return int(number) if number.is_integer() and abs(number) < 1e15 else number
        except (IndexError, ValueError) as error:
            raise damaged(self.path, error) from error
        return text == "1" if kind == "b" else _unescaped(text)

    def _refuse_unwritable(self, sheet: str, row: int, column: int, value: Value) -> None:
        place = say(
            f"{self.path} : onglet « {sheet} », cellule {column_letter(column)}{row}",
            f'{self.path}: tab "{sheet}", cell {column_letter(column)}{row}',
        )
        if isinstance(value, float) and not math.isfinite(value):
            raise WorkbookError(say(f"{place} : {value} n'est pas un nombre", f"{place}: {value} is no number"))
        if not isinstance(value, str):
            return
        if illegal := _ILLEGAL.search(value):
            code = f"U+{ord(illegal[0]):04X}"
            raise WorkbookError(
                say(
                    f"{place} : le texte contient un caractère ({code}) qu'un classeur ne peut pas contenir ; ôtez-le",
                    f"{place}: the text holds a character ({code}) that no workbook can hold; remove it",
                )
            )
        if (length := len(value.encode("utf-16-le")) // 2) > MAX_TEXT:
            raise WorkbookError(
                say(
                    f"{place} : le texte a {length} caractères, une cellule en contient {MAX_TEXT} au plus ; abrégez-le",
                    f"{place}: the text has {length} characters, a cell holds {MAX_TEXT} at most; shorten it",
                )
            )

    def _unshare(self, state: _Sheet) -> None:
        """Give each cell its own formula where several share one: what is relative in it would not survive the moves."""
        from openpyxl.formula.translate import Translator

        masters: dict[str, tuple[str, str]] = {}
        followers: list[tuple[_Element, str]] = []
        if state.map.changed or next(state.data.iter("{*}f"), None) is None:
            return
        for formula in state.data.iter("{*}f"):
            cell = formula.getparent()
            if formula.get("t") != "shared" or cell is None:
                continue
            if formula.text:
                masters[formula.get("si", "")] = (formula.text, cell.get("r", ""))
            else:
                followers.append((formula, cell.get("r", "")))
            self._touched.add(state.part)
        for formula, address in followers:
            if (master := masters.get(formula.get("si", ""))) is None:
                _remove(formula)  # nothing says what it was; its last result stays
                continue
            text, origin = master
            formula.text = Translator(f"={text}", origin=origin).translate_formula(address).removeprefix("=")
        for formula in state.data.iter("{*}f"):
            if formula.get("t") == "shared":
                for name in ("t", "si", "ref"):
                    formula.attrib.pop(name, None)

    def _cut_merges(self, state: _Sheet, first: int, last: int) -> list[tuple[_Merge, int]]:
        """Shorten the merged ranges that lose rows; returns those that lose the first one, with the key of that row."""
        gone = {state.map.key(row) for row in range(first, last + 1)}
        cut = []
        for merge in list(state.merges):
            if merge.first in gone and merge.last in gone:
                state.merges.remove(merge)
                _remove(merge.element)
            elif merge.first in gone:
                cut.append((merge, merge.first))
                merge.first = state.map.key(last + 1)
            elif merge.last in gone:
                merge.last = state.map.key(first - 1)
        return cut

    def _keep_merged_value(self, state: _Sheet, merge: _Merge, was_first: int) -> None:
        """Give the value of a merged range whose first row is taken out to its next row."""
        cell = self._cells(state, was_first).get(merge.left)
        if cell is None or not len(cell):
            return
        position = state.map.position(merge.first)
        heir = self._cell(state, position, merge.left)
        if heir is None:
            heir = self._new_cell(state, position, merge.left, cell.get("s"))
        _empty(heir)
        if cell.get("t"):
            heir.set("t", cell.get("t", ""))
        for child in cell:
            heir.append(deepcopy(child))

    def _copy_width(self, state: _Sheet, column: int, like: int) -> None:
        model = next((one for one in _columns(state.root) if _covers(one, like)), None)
        if model is None or any(_covers(one, column) for one in _columns(state.root)):
            return
        new = deepcopy(model)
        new.set("min", str(column))
        new.set("max", str(column))
        for name in ("hidden", "collapsed"):
            new.attrib.pop(name, None)
        before = [one for one in _columns(state.root) if int(one.get("min", "0")) < column]
        before[-1].addnext(new) if before else model.addprevious(new)

    # Settling: numbers and references after rows were inserted or removed

    def _settle(self) -> None:
        maps = {name.casefold(): state.map for name, state in self._open_sheets.items() if state.map.changed}
        for state in self._open_sheets.values():
            if state.grown:
                self._number_rows(state)
                self._set_dimension(state)
            if state.map.changed:
                self._move_ranges(state)
                self._move_drawings(state)
                self._move_comments(state)
            self._settle_tables(state)
        if maps:
            self._move_formulas(maps)
        if maps or self._formula_lost:
            self._remove_calculation_chain()
        if self._touched:
            self._compute_on_opening()
        for name, state in list(self._open_sheets.items()):
            if state.map.changed:
                self._open_sheets[name] = self._load(name)
            state.grown = False
        self._headers.clear()
        self._formula_lost = False

    def _number_rows(self, state: _Sheet) -> None:
        ordered = []
        for row, key in state.map.placed(state.keys):
            element = state.rows[key]
            ordered.append(element)
            if row > MAX_ROW:
                if len(element):
                    raise WorkbookError(
                        say(
                            f"{self.path} : onglet « {state.name} » : plus de place, la feuille a {MAX_ROW} lignes",
                            f'{self.path}: tab "{state.name}": no room left, the sheet has {MAX_ROW} rows',
                        )
                    )
                ordered.pop()
            if element.get("r") == str(row):
                continue
            element.set("r", str(row))
            for cell in element:
                if (address := cell.get("r")) is not None:
                    cell.set("r", f"{address.rstrip('0123456789')}{row}")
        state.data[:] = ordered

    def _set_dimension(self, state: _Sheet) -> None:
        dimension = next(_children(state.root, "dimension"), None)
        if dimension is None:
            return
        bounds = []
        for row in state.data:
            cells = [cell.get("r", "") for cell in (row[:1] + row[-1:]) if _local(cell) == "c"]
            columns = [column_number(cell.rstrip("0123456789")) for cell in cells if cell]
            if columns:
                bounds.append((int(row.get("r", "1")), min(columns), max(columns)))
        if bounds:
            left, right = min(one[1] for one in bounds), max(one[2] for one in bounds)
            dimension.set("ref", join_range(column_letter(left), bounds[0][0], column_letter(right), bounds[-1][0]))

    def _move_ranges(self, state: _Sheet) -> None:
        """Rewrite the ranges of a sheet outside its cells, and remove what was for rows that are gone."""
        rows = state.map
        for element in list(_outside_cells(state.root)):
            name = _local(element)
            if name in ("autoFilter", "sortState", *_SINGLE):
                attribute = _SINGLE.get(name, "ref")
                moved = _moved_range(element.get(attribute, ""), rows.span if name in _SINGLE else rows.extended)
                if moved is None:
                    _remove(element)
                else:
                    element.set(attribute, moved)
            elif name in _COVERING:
                self._move_covering(element, state)
            elif name == "sheetView" and (cell := element.get("topLeftCell")):
                element.set("topLeftCell", _nearest(cell, rows))
            elif name == "pane":
                self._move_pane(element, rows)
            elif name == "selection":
                self._move_selection(element, rows)
            elif name == "brk":
                if (parent := element.getparent()) is not None and _local(parent) == "rowBreaks":
                    place = rows.at_or_before(int(element.get("id", "0")))
                    element.set("id", str(place)) if place else _remove(element)
            elif name in ("from", "to"):  # the anchor of a form control
                for row in _children(element, "row"):
                    row.text = str(rows.at_or_after(int(row.text or 0) + 1) - 1)
        for formula in state.data.iter("{*}f"):
            if formula.get("ref"):
                moved = _moved_range(formula.get("ref", ""), rows.span)
                formula.attrib.pop("ref") if moved is None else formula.set("ref", moved)
            for attribute in ("r1", "r2"):
                if formula.get(attribute):
                    formula.set(attribute, moved_reference(formula.get(attribute, ""), rows) or LOST)
        for merge in state.merges:
            top, bottom = rows.position(merge.first), rows.position(merge.last)
            if (top, merge.left) == (bottom, merge.right):
                _remove(merge.element)
            else:
                place_now = join_range(column_letter(merge.left), top, column_letter(merge.right), bottom)
                merge.element.set("ref", place_now)
        for sqref in list(_outside_cells(state.root, "sqref")):
            parent = sqref.getparent()
            if parent is not None and _local(parent) == "sparkline" and sqref.text:
                moved = moved_reference(sqref.text, rows)
                if moved is None:
                    _remove(parent)
                else:
                    sqref.text = moved
        for container in reversed(list(_outside_cells(state.root, *_COUNTED))):
            _recount(container)

    @staticmethod
    def _move_pane(pane: _Element, rows: RowMap) -> None:
        """Let the frozen rows be those that were, and the lower pane begin below them if it did."""
        place = split_range(pane.get("topLeftCell", ""))
        frozen = float(pane.get("ySplit", "0")) if pane.get("state", "").startswith("frozen") else 0.0
        kept = rows.at_or_before(int(frozen))
        if place:
            top = kept + 1 if frozen and place[1] == frozen + 1 else min(rows.at_or_after(place[1]), MAX_ROW)
            pane.set("topLeftCell", f"{place[0]}{top}")
        if frozen:
            pane.set("ySplit", str(kept))

    @staticmethod
    def _move_selection(selection: _Element, rows: RowMap) -> None:
        if cell := selection.get("activeCell"):
            selection.set("activeCell", _nearest(cell, rows))
        if text := selection.get("sqref"):
            moved = [one for part in text.split() if (one := moved_reference(part, rows))]
            active = selection.get("activeCell", "A1")
            # The active cell must be one of those selected.
            selection.set("sqref", " ".join(moved) if len(moved) == len(text.split()) else active)

    def _move_covering(self, element: _Element, state: _Sheet) -> None:
        """Rewrite the ranges of a format or validation, and let its formulas start from the first cell that is left."""
        inner = next((child for child in element if _local(child) == "sqref"), None)
        text = element.get("sqref") or (inner.text if inner is not None else "") or ""
        rows = state.map
        moved: list[str] = []
        first_old, first_new = MAX_ROW, MAX_ROW
        for part in text.split():
            place = split_range(part)
            if place is None:
                moved.append(moved_reference(part, rows) or "")
                continue
            left, top, right, bottom = place
            for span in rows.covered(top, bottom):
                moved.append(join_range(left, span[0], right, span[1]))
                first_new = min(first_new, span[0])
            first_old = min(first_old, top)
        moved = list(filter(None, moved))
        if not moved:
            _remove(element)
            return
        if inner is not None and inner.text:
            inner.text = " ".join(moved)
        else:
            element.set("sqref", " ".join(moved))
        if first_old == MAX_ROW:
            return
        base = rows.old_at_or_after(first_old)
        for formula in element.iter("{*}formula", "{*}formula1", "{*}formula2", "{*}f"):
            if formula.text and len(formula) == 0:
                text = self._moved(
                    translated(formula.text, base - first_old), state.name, {state.name.casefold(): rows}
                )
                formula.text = translated(text, first_new - rows.at_or_after(base))
        for threshold in element.iter("{*}cfvo"):
            if threshold.get("type") == "formula" and (limit := threshold.get("val")):
                threshold.set("val", self._moved(limit, state.name, {state.name.casefold(): rows}))

    def _moved(self, formula: str, sheet: str, maps: dict[str, RowMap]) -> str:
        from openpyxl.formula.tokenizer import TokenizerError

        try:
            return moved_formula(formula, sheet, maps)
        except (TokenizerError, IndexError) as error:
            raise WorkbookError(
                say(
                    f"{self.path} : onglet « {sheet} » : la formule « {formula} » ne se lit pas ; corrigez-la dans Excel",
                    f'{self.path}: tab "{sheet}": the formula "{formula}" cannot be read; correct it in Excel',
                )
            ) from error

    def _move_formulas(self, maps: dict[str, RowMap]) -> None:
        """Rewrite what refers to the rows of the changed sheets: formulas anywhere, names, links, charts, pivot tables."""
        for name in self._defined_names():
            if name.text:
                self._follow(name, "", maps, whole=name.get("name") in ("_xlnm._FilterDatabase", "_xlnm.Print_Area"))
        covered = frozenset(("conditionalFormatting", "dataValidation"))
        for sheet, part in self._parts.items():
            if sheet.casefold() not in maps and b"!" not in self._raw(part):
                continue
            root = self._root(part)
            for element in (*root.iter("{*}f"), *_outside_cells(root, "formula", "formula1", "formula2", "hyperlink")):
                kind = _local(element)
                if kind in ("f", "formula", "formula1", "formula2") and element.text and element.text.strip():
                    if any(_local(one) in covered for one in element.iterancestors()):
                        others = {one: rows for one, rows in maps.items() if one != sheet.casefold()}
                        self._follow(element, sheet, others, part=part)
                    else:
                        self._follow(element, sheet, maps, part=part)
                elif kind == "hyperlink" and (location := element.get("location")):
                    moved = self._moved(location, sheet, maps) if "!" in location else location
                    if moved != location:
                        element.set("location", moved)
                        self._touched.add(part)
            for table in self._related(part, "/table"):
                for element in self._root(table).iter("{*}calculatedColumnFormula", "{*}totalsRowFormula"):
                    self._follow(element, sheet, maps, part=table)
        for part in sorted(self._sizes):
            if re.search(r"/charts?/[^/]+\.xml$|/chartEx[^/]*\.xml$", part) and b"!" in self._raw(part):
                for element in self._root(part).iter("{*}f"):
                    self._follow(element, "", maps, part=part)
            elif re.search(r"/pivotCache/pivotCacheDefinition[^/]*\.xml$", part):
                for element in self._root(part).iter("{*}worksheetSource"):
                    rows = maps.get(element.get("sheet", "").casefold())
                    if rows and element.get("ref"):
                        element.set("ref", _moved_range(element.get("ref", ""), rows.extended) or LOST)
                        self._touched.add(part)

    def _follow(
        self, element: _Element, sheet: str, maps: dict[str, RowMap], *, part: str | None = None, whole: bool = False
    ) -> None:
        """Rewrite the formula of an element. `whole`: a name for a whole table, that grows with it."""
        text = element.text or ""
        if not maps or not text.strip():
            return
        prefix, reference = split_prefix(text)
        rows = maps.get(sheet_of_prefix(prefix[:-1]).casefold()) if whole and prefix else None
        plain = split_range(reference.replace("$", "")) if rows else None
        if rows and plain and (span := rows.extended(plain[1], plain[3])):
            moved = f"{prefix}${plain[0]}${span[0]}:${plain[2]}${span[1]}"
        else:
            moved = self._moved(text, sheet, maps)
        if moved != text:
            element.text = moved
            self._touched.add(part or self._workbook_part)

    def _move_drawings(self, state: _Sheet) -> None:
        """Move the anchors of pictures and charts, which count rows from 0."""
        rows = state.map
        for part in self._related(state.part, "/drawing"):
            for anchor in self._root(part):
                ends = {
                    _local(end): row for end in anchor for row in _children(end, "row") if _local(end) in ("from", "to")
                }
                start = ends.get("from")
                if start is None or anchor.get("editAs") == "absolute":
                    continue
                old = {name: int(row.text or 0) for name, row in ends.items()}
                top = rows.at_or_after(old["from"] + 1) - 1
                bottom = rows.at_or_after(old["to"] + 1) - 1 if "to" in old else top
                if anchor.get("editAs") == "oneCell" and "to" in old:
                    bottom = top + old["to"] - old["from"]
                for name, value in (("from", top), ("to", max(top, bottom))):
                    if name in ends and old[name] != value:
                        ends[name].text = str(value)
                        self._touched.add(part)
        for part in self._related(state.part, "/pivotTable"):
            for element in _children(self._root(part), "location"):
                if moved := _moved_range(element.get("ref", ""), rows.span):
                    element.set("ref", moved)
                    self._touched.add(part)

    def _move_comments(self, state: _Sheet) -> None:
        """Move notes, threaded comments and the boxes of notes; those of rows that are gone go with them."""
        rows = state.map
        for kind in ("/comments", "/threadedComment"):
            for part in self._related(state.part, kind):
                for element in list(self._root(part).iter("{*}comment", "{*}threadedComment")):
                    reference = element.get("ref", "")
                    moved = moved_reference(reference, rows)
                    if moved is None:
                        _remove(element)
                    elif moved != reference:
                        element.set("ref", moved)
                    if moved != reference:
                        self._touched.add(part)
        for part in self._related(state.part, "/vmlDrawing"):
            data = self._raw(part)
            moved_data = _NOTE_SHAPE.sub(lambda match: _moved_note(match[0], rows), data)
            if moved_data != data:
                self._raw_changed[part] = moved_data

    def _settle_tables(self, state: _Sheet) -> None:
        """Move the tables of a sheet; the names of their columns follow the header cells that were written."""
        for part in self._related(state.part, "/table") if state.part in self._touched else ():
            table = self._root(part)
            if state.map.changed:
                for element in table.iter():
                    name = _local(element)
                    if name in ("table", "autoFilter", "sortState", "sortCondition"):
                        old = element.get("ref", "")
                        moved = _moved_range(old, state.map.extended)
                        if moved is None:
                            raise WorkbookError(
                                say(
                                    f"{self.path} : onglet « {state.name} » : toutes les lignes du tableau {old} seraient "
                                    "supprimées ; retirez-le d'abord dans Excel",
                                    f'{self.path}: tab "{state.name}": all rows of the table {old} would be removed; '
                                    "take it out in Excel first",
                                )
                            )
                        if moved != old:
                            element.set("ref", moved)
                            self._touched.add(part)
            self._name_columns(state, part)

    def _name_columns(self, state: _Sheet, part: str) -> None:
        table = self._root(part)
        place = split_range(table.get("ref", ""))
        if place is None or table.get("headerRowCount") == "0":
            return
        left, top = column_number(place[0]), place[1]
        written = {column for sheet, key, column in self._headers if sheet == state.part and key == state.map.key(top)}
        for columns in _children(table, "tableColumns"):
            taken = {str(column.get("name")) for column in columns}
            for number, column in enumerate(columns, left):
                text = self.value(state.name, top, number)
                if number in written and text is not None and _escaped_name(str(text)) not in taken:
                    column.set("name", _escaped_name(str(text)))
                    self._touched.add(part)

    def _widen_table(self, state: _Sheet, part: str, old: str, new: str) -> None:
        table = self._root(part)
        widened = _widened(table.get("ref", ""), old, new)
        if widened == table.get("ref"):
            return
        table.set("ref", widened)
        for element in table.iter("{*}autoFilter"):
            element.set("ref", _widened(element.get("ref", ""), old, new))
        for columns in _children(table, "tableColumns"):
            names = {column.get("name") for column in columns}
            number = max((int(column.get("id", "0")) for column in columns), default=0) + 1
            name = next(f"Colonne{n}" for n in range(number, number + len(names) + 1) if f"Colonne{n}" not in names)
            etree.SubElement(columns, f"{_namespace(columns)}tableColumn", {"id": str(number), "name": name})
            columns.set("count", str(len(columns)))
        self._touched.add(part)

    def _remove_calculation_chain(self) -> None:
        """Remove the list of the cells with formulas in the order Excel computed them.

        An entry for a cell without a formula makes Excel offer a repair; where there is no list it makes a new one.
        """
        book = self._workbook_part
        for relation, part in list(self._relations(book)):
            if relation.get("Type", "").endswith("/calcChain"):
                self._removed.add(part)
                folder, name = posixpath.split(book)
                _remove(relation)
                self._touched.add(f"{folder}/_rels/{name}.rels".lstrip("/"))
                for override in list(self._root("[Content_Types].xml")):
                    if override.get("PartName", "").lstrip("/") == part:
                        _remove(override)
                        self._touched.add("[Content_Types].xml")

    def _compute_on_opening(self) -> None:
        """Have the formulas of the workbook, if it has any, computed when it is opened: their results may be others now."""
        book = self._workbook_part
        if not any(
            b"<f>" in (raw := self._raw(part)) or b"<f " in raw or b":f>" in raw for part in self._parts.values()
        ):
            return
        root = self._root(book)
        calculation = next(_children(root, "calcPr"), None)
        if calculation is None:
            calculation = root.makeelement(f"{_namespace(root)}calcPr")
            before = [child for child in root if _local(child) in _BEFORE_CALCULATION]
            before[-1].addnext(calculation)
        if calculation.get("fullCalcOnLoad") not in ("1", "true"):
            calculation.set("fullCalcOnLoad", "1")
            self._touched.add(book)


def _serialised(tree: etree._ElementTree[_Element]) -> bytes:
    standalone = {True: ' standalone="yes"', False: ' standalone="no"', None: ""}[tree.docinfo.standalone]
    declaration = f'<?xml version="1.0" encoding="UTF-8"{standalone}?>\n'.encode()
    return declaration + etree.tostring(tree, encoding="UTF-8", xml_declaration=False)


def _text_of(item: _Element) -> str:
    """Return the text of a string item: of its runs, without the readings of Asian characters."""
    parts = [
        text.text or ""
        for child in item
        for text in ([child] if _local(child) == "t" else _children(child, "t") if _local(child) == "r" else ())
    ]
    return _unescaped("".join(parts))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _same(one: Value, other: Value) -> bool:
    """Tell whether two values are one: a number is not its text, "" is an empty cell."""
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    return (
        one == other
        and isinstance(one, str) == isinstance(other, str)
        and isinstance(one, bool) == isinstance(other, bool)
    )


def _is_filled(cell: _Element) -> bool:
    return any(_local(child) in ("v", "is", "f") for child in cell)


def _empty(cell: _Element) -> None:
    for child in list(cell):
        cell.remove(child)
    for name in ("t", "cm", "vm"):
        cell.attrib.pop(name, None)


def _write(cell: _Element, value: Value) -> None:
    """Write a value into a cell; texts stand in the cell itself, so that the table of shared strings keeps its bytes."""
    _empty(cell)
    if value is None or value == "":
        return
    space = _namespace(cell)
    if isinstance(value, str):
        cell.set("t", "inlineStr")
        text = etree.SubElement(etree.SubElement(cell, f"{space}is"), f"{space}t")
        # Underscores that would read as an escape are escaped themselves; a carriage return would be read as a line feed.
        text.text = _ESCAPED.sub(lambda match: f"_x005F{match[0]}", value).replace("\r", "_x000D_")
        if value != value.strip() or "\n" in value or "  " in value:
            text.set(_SPACE, "preserve")
        return
    if isinstance(value, bool):
        cell.set("t", "b")
    shown = str(int(value)) if isinstance(value, bool) else str(value) if isinstance(value, int) else repr(value)
    etree.SubElement(cell, f"{space}v").text = shown if "e" in shown else format(Decimal(shown), "f")


def _columns(root: _Element) -> Iterator[_Element]:
    for columns in _children(root, "cols"):
        yield from _children(columns, "col")


def _covers(column: _Element, number: int) -> bool:
    return int(column.get("min", "0")) <= number <= int(column.get("max", "0"))


def _widened(reference: str, old: str, new: str) -> str:
    """Return a range that ends at the column `old` as one that ends at `new`; others as they are."""
    first, _, last = reference.partition(":")
    match = re.fullmatch(r"(\$?[A-Z]+)(\$?[0-9]+)", last or first)
    if match is None or match[1] != old:
        return reference
    return f"{first}:{new}{match[2]}"


def _moved_range(reference: str, follow: Callable[[int, int], tuple[int, int] | None]) -> str | None:
    """Return a range as `follow` says where its rows are now; None when they are gone, whole columns as they are."""
    if (place := split_range(reference)) is None:
        return reference
    span = follow(place[1], place[3])
    return None if span is None else join_range(place[0], span[0], place[2], span[1])


def _nearest(cell: str, rows: RowMap) -> str:
    """Return the address of a cell as it is now, of the next one below it when its row is gone."""
    place = split_range(cell)
    return cell if place is None else f"{place[0]}{min(rows.at_or_after(place[1]), MAX_ROW)}"


def _remove(element: _Element) -> None:
    """Remove an element; the text behind it stays."""
    parent = element.getparent()
    assert parent is not None
    if element.tail:
        previous = element.getprevious()
        if previous is not None:
            previous.tail = (previous.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _recount(container: _Element) -> None:
    """Let a container state how many elements it holds; one without any goes."""
    held = "sparklines" if _local(container) == "sparklineGroup" else None
    number = sum(1 for child in container if isinstance(child.tag, str) and held in (None, _local(child)))
    if not number:
        parent = container.getparent()
        _remove(container)
        while parent is not None and _local(parent) in ("ext", "extLst") and not len(parent):
            emptied, parent = parent, parent.getparent()
            _remove(emptied)
        return
    for name in ("count", "manualBreakCount"):
        if container.get(name) is not None:
            container.set(name, str(number))


def _moved_note(shape: bytes, rows: RowMap) -> bytes:
    """Return the VML of a note's box beside its cell as it is now; nothing when that cell is gone."""
    place = _NOTE_ROW.search(shape)
    if place is None or not _NOTE_COLUMN.search(shape):
        return shape
    old = int(place[2]) + 1
    span = rows.span(old, old)
    if span is None:
        return b""
    moved = _NOTE_ROW.sub(lambda match: match[1] + str(span[0] - 1).encode() + match[3], shape)

    def anchor(match: re.Match[bytes]) -> bytes:
        numbers = match[2].split(b",")
        for index in (2, 6):
            if index < len(numbers):
                numbers[index] = b" " + str(int(numbers[index]) + span[0] - old).encode()
        return match[1] + b",".join(numbers) + match[3]

    return _NOTE_ANCHOR.sub(anchor, moved) if span[0] != old else shape


def _escaped_name(text: str) -> str:
    """Return the name of a table column as Excel writes it: line breaks escaped."""
    return text.replace("\r", "_x000d_").replace("\n", "_x000a_")

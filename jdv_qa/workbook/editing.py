"""Editing a workbook in place: cells, rows and columns change, everything else keeps its bytes.

openpyxl reads a workbook into its own model and writes that model again, so that what the model does not know is lost: rich
text, charts, threaded comments, formats of newer Excels. Here the XML of the sheets concerned is edited, and all other parts
of the file are copied as they are. When rows are inserted or removed, everything in the workbook that refers to the rows
below follows (see `following`).
"""

from __future__ import annotations

import math
import posixpath
import re
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.workbook.edition import column_letter, column_number
from jdv_qa.workbook.following import (
    COVERING,
    WHOLE_TABLE_NAMES,
    move_comments,
    move_drawings,
    move_formulas,
    move_ranges,
    move_tables,
    number_rows,
    set_dimension,
)
from jdv_qa.workbook.package import Element, Package, children, local_name, namespace, outside_cells, remove
from jdv_qa.workbook.sheet_xml import (
    Merge,
    SheetXml,
    Value,
    is_filled,
    same_value,
    text_of_item,
    unescaped,
    write_cell,
)
from jdv_qa.workbook.sheets import damaged
from jdv_qa.workbook.shifting import MAX_ROW, join_range, sheet_of_prefix, split_prefix, split_range
from jdv_qa.workbook.styles import StyleSheet

__all__ = ["MAX_TEXT", "Place", "Value", "WorkbookEdit"]

Place: TypeAlias = tuple[int, int] | tuple[str, int, int]
"""Row and column of a cell, in the same sheet or in another one."""

MAX_TEXT = 32_767
"""Characters (UTF-16 units) that a cell can hold, by Excel's specifications."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_BEFORE_CALCULATION = frozenset(
    (
        "fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups",
        "externalReferences", "definedNames",
    )
)  # fmt: skip
"""Elements of the workbook part that come before calcPr."""

_BEFORE_MERGED = frozenset(
    (
        "sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState",
        "dataConsolidate", "customSheetViews",
    )
)  # fmt: skip
"""Elements of a sheet after which mergeCells stands."""


class WorkbookEdit:
    """One workbook being edited in memory. Rows and columns count from 1, as they stand after the edits so far."""

    def __init__(self, path: Path) -> None:
        """Read the workbook; nothing is ever written to it. Raises WorkbookError as reading an edition does."""
        self._package = Package(path)
        self._open_sheets: dict[str, SheetXml] = {}
        self._formula_lost = False
        self._headers: set[tuple[str, int, int]] = set()
        """Part of the sheet, key of the row and column of each cell that was written."""

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the worksheets, in the workbook's order."""
        return tuple(self._package.sheets)

    def last_row(self, sheet: str) -> int:
        """Return the last row in which a cell holds something, 0 on an empty sheet."""
        state = self._sheet(sheet)
        return max(
            (row for row, key in state.map.placed(state.keys) if any(map(is_filled, state.cells(key).values()))),
            default=0,
        )

    def value(self, sheet: str, row: int, column: int) -> Value:
        """Return what a cell holds: text, number, truth value, or None; of a formula its last result."""
        cell = self._sheet(sheet).cell(row, column)
        return None if cell is None else self._read(cell)

    def set(self, sheet: str, row: int, column: int, value: Value, *, like: Place | None = None) -> None:
        """Write a cell: a text stays a text whatever it begins with, None empties the cell; its style stays.

        `like` is the place of the cell whose style a cell takes that is not there yet. A value that the cell has already
        leaves it untouched. Raises WorkbookError when a text is too long or holds a character that XML cannot.
        """
        state = self._sheet(sheet)
        self._refuse_unwritable(sheet, row, column, value)
        cell = state.cell(row, column)
        if cell is None:
            style = self._style_of(state, like) if like else None
            if value is None and style is None:
                return
            cell = state.new_cell(row, column, style)
            self._package.touch(state.part)
        formula = next(children(cell, "f"), None)
        if formula is None and same_value(self._read(cell), value):
            return
        if formula is not None:
            if formula.get("t") == "shared":
                self._unshare(state)
            self._formula_lost = True
        write_cell(cell, value)
        self._headers.add((state.part, state.map.key(row), column))
        self._package.touch(state.part)

    def put_text(self, sheet: str, row: int, column: int, text: str | None) -> None:
        """Write a text into a cell; one that held a number or a date takes the number format of texts besides.

        Without it, Excel would make the number or the date of it again when somebody edits the cell.
        """
        held = self.value(sheet, row, column)
        self.set(sheet, row, column, text)
        state = self._sheet(sheet)
        cell = state.cell(row, column)
        if cell is not None and text and not isinstance(held, str):
            cell.set("s", str(self._styles.as_text(int(cell.get("s") or "0"))))
            self._package.touch(state.part)

    def is_rich(self, sheet: str, row: int, column: int) -> bool:
        """Tell whether the text of a cell is formatted by pieces, which writing a text into it would lose."""
        cell = self._sheet(sheet).cell(row, column)
        if cell is None:
            return False
        items = list(children(cell, "is"))
        if cell.get("t") == "s":
            parts = self._package.related(self._package.workbook_part, "/sharedStrings")
            text = next((one.text for one in children(cell, "v")), None)
            strings = list(children(self._package.root(parts[0]), "si")) if parts and text else []
            items = strings[int(text) : int(text) + 1] if text and text.isdigit() else []
        return any(next(children(run, "rPr"), None) is not None for item in items for run in children(item, "r"))

    @cached_property
    def _styles(self) -> StyleSheet:
        return StyleSheet(self._package)

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
        pattern = state.pattern(state.map.key(like)) if like and model is not None else []
        above = state.map.key(before - 1) if joined and before > 1 else None
        state.map.insert(before, count, like)
        for merge in state.merges if above is not None else ():
            if merge.last == above:
                merge.last = state.map.key(before + count - 1)
        if model is not None:
            for row in range(before, before + count):
                key = state.map.key(row)
                state.add_row(key, model)
                for column, style in pattern:
                    state.new_cell(row, column, style)
        state.grown = True
        self._package.touch(state.part)

    def delete_rows(self, sheet: str, first: int, count: int = 1) -> None:
        """Remove rows; everything below moves up. The value of a merged range whose first row goes stays in the next one."""
        state = self._sheet(sheet)
        if count < 1 or not 1 <= first <= MAX_ROW:
            raise ValueError(f"{count} rows from row {first}")
        self._unshare(state)
        cut = state.cut_merges(first, first + count - 1)
        gone = state.map.delete(first, count)
        for merge, was_first in cut:
            if was_first in state.rows:
                state.keep_merged_value(merge, was_first)
        for key in gone:
            if (element := state.rows.pop(key, None)) is not None:
                self._formula_lost = self._formula_lost or any(local_name(one) == "f" for one in element.iter())
                state.data.remove(element)
                state.known_cells.pop(key, None)
        state.__dict__.pop("keys", None)
        state.grown = True
        self._package.touch(state.part)

    def merge(self, sheet: str, first_row: int, first_column: int, last_row: int, last_column: int) -> None:
        """Merge a range of cells, bounds included; what its cells but the first hold is emptied.

        Raises ValueError when a range that is merged already overlaps it.
        """
        state = self._sheet(sheet)
        first, last = state.map.key(first_row), state.map.key(last_row)
        for merge in state.merges:
            if (
                merge.left <= last_column
                and first_column <= merge.right
                and state.map.position(merge.first) <= last_row
                and first_row <= state.map.position(merge.last)
            ):
                raise ValueError(f"{sheet}: {merge.element.get('ref')} is merged already")
        container = next(children(state.root, "mergeCells"), None)
        if container is None:
            container = state.root.makeelement(f"{namespace(state.root)}mergeCells")
            [child for child in state.root if local_name(child) in _BEFORE_MERGED][-1].addnext(container)
        element = etree.SubElement(container, f"{namespace(container)}mergeCell")
        corners = column_letter(first_column), first_row, column_letter(last_column), last_row
        element.set("ref", join_range(*corners))
        state.merges.append(Merge(element, first_column, last_column, first, last))
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                if (row, column) != (first_row, first_column):
                    self.set(sheet, row, column, None)
        if container.get("count") is not None:
            container.set("count", str(len(container)))
        self._package.touch(state.part)

    def column_like(self, sheet: str, column: int, like: int) -> None:
        """Give a column the width and style of another one; filters, tables and formats that end at that one go on over it.

        Its cells take their style from `set(…, like=…)`.
        """
        state = self._sheet(sheet)
        state.copy_width(column, like)
        if column == like + 1:
            old, new = column_letter(like), column_letter(column)
            for element in outside_cells(state.root, "autoFilter", *COVERING):
                name = local_name(element)
                attribute = "sqref" if name in COVERING else "ref" if name == "autoFilter" else None
                if attribute and (text := element.get(attribute)):
                    element.set(attribute, " ".join(_widened(one, old, new) for one in text.split()))
            for part in self._package.related(state.part, "/table"):
                self._widen_table(state, part, old, new)
            for defined in self._package.defined_names():
                if defined.get("name") in WHOLE_TABLE_NAMES and defined.text:
                    prefix, reference = split_prefix(defined.text)
                    if sheet_of_prefix(prefix[:-1]).casefold() == sheet.casefold():
                        widened = _widened(reference, f"${old}", f"${new}")
                        if widened != reference:
                            defined.text = prefix + widened
                            self._package.touch(self._package.workbook_part)
        self._package.touch(state.part)

    def content(self) -> bytes:
        """Return the bytes of the workbook as edited; those of the file when nothing was changed."""
        self._settle()
        return self._package.content()

    # Rows and cells

    def _sheet(self, name: str) -> SheetXml:
        if name not in self._open_sheets:
            if name not in self._package.sheets:
                present = ", ".join(f"« {one} »" for one in self._package.sheets)
                raise WorkbookError(
                    say(
                        f"{self._package.path} : pas d'onglet « {name} » (onglets présents : {present})",
                        f'{self._package.path}: no tab "{name}" (tabs: {present})',
                    )
                )
            self._open_sheets[name] = self._load(name)
        return self._open_sheets[name]

    def _load(self, name: str) -> SheetXml:
        part = self._package.sheets[name]
        try:
            return SheetXml.load(name, part, self._package.root(part))
        except ValueError as error:
            raise damaged(self._package.path, error) from error

    @cached_property
    def _shared_strings(self) -> list[str]:
        package = self._package
        parts = package.related(package.workbook_part, "/sharedStrings")
        return [text_of_item(item) for item in children(package.root(parts[0]), "si")] if parts else []

    def _style_of(self, state: SheetXml, like: Place) -> str | None:
        return state.style(like) if len(like) == 2 else self._sheet(like[0]).style(like[1:])

    def _read(self, cell: Element) -> Value:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return "".join(text_of_item(one) for one in children(cell, "is")) or None
        text = next((one.text for one in children(cell, "v")), None)
        if not text:
            return None
        try:
            if kind == "s":
                return self._shared_strings[int(text)] or None
            if kind == "n":
                number = float(text)
                return int(number) if number.is_integer() and abs(number) < 1e15 else number
        except (IndexError, ValueError) as error:
            raise damaged(self._package.path, error) from error
        return text == "1" if kind == "b" else unescaped(text)

    def _refuse_unwritable(self, sheet: str, row: int, column: int, value: Value) -> None:
        place = say(
            f"{self._package.path} : onglet « {sheet} », cellule {column_letter(column)}{row}",
            f'{self._package.path}: tab "{sheet}", cell {column_letter(column)}{row}',
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

    def _unshare(self, state: SheetXml) -> None:
        """Give each cell its own formula where several share one: what is relative in it would not survive the moves."""
        masters: dict[str, tuple[str, str]] = {}
        followers: list[tuple[Element, str]] = []
        if state.map.changed or next(state.data.iter("{*}f"), None) is None:
            return
        from openpyxl.formula.translate import Translator

        for formula in state.data.iter("{*}f"):
            cell = formula.getparent()
            if formula.get("t") != "shared" or cell is None:
                continue
            if formula.text:
                masters[formula.get("si", "")] = (formula.text, cell.get("r", ""))
            else:
                followers.append((formula, cell.get("r", "")))
            self._package.touch(state.part)
        for formula, address in followers:
            if (master := masters.get(formula.get("si", ""))) is None:
                remove(formula)  # nothing says what it was; its last result stays
                continue
            text, origin = master
            formula.text = Translator(f"={text}", origin=origin).translate_formula(address).removeprefix("=")
        for formula in state.data.iter("{*}f"):
            if formula.get("t") == "shared":
                for name in ("t", "si", "ref"):
                    formula.attrib.pop(name, None)

    # Settling: numbers and references after rows were inserted or removed

    def _settle(self) -> None:
        maps = {name.casefold(): state.map for name, state in self._open_sheets.items() if state.map.changed}
        package = self._package
        for state in self._open_sheets.values():
            if state.grown:
                number_rows(package, state)
                set_dimension(state)
            if state.map.changed:
                move_ranges(package, state)
                move_drawings(package, state)
                move_comments(package, state)
                move_tables(package, state)
            for part in package.related(state.part, "/table") if state.part in package.touched else ():
                self._name_columns(state, part)
        if maps:
            move_formulas(package, maps)
        if maps or self._formula_lost:
            self._remove_calculation_chain()
        if package.touched:
            self._compute_on_opening()
        for name, state in list(self._open_sheets.items()):
            if state.map.changed:
                self._open_sheets[name] = self._load(name)
            state.grown = False
        self._headers.clear()
        self._formula_lost = False

    def _name_columns(self, state: SheetXml, part: str) -> None:
        table = self._package.root(part)
        place = split_range(table.get("ref", ""))
        if place is None or table.get("headerRowCount") == "0":
            return
        left, top = column_number(place[0]), place[1]
        written = {column for sheet, key, column in self._headers if sheet == state.part and key == state.map.key(top)}
        for columns in children(table, "tableColumns"):
            taken = {str(column.get("name")) for column in columns}
            for number, column in enumerate(columns, left):
                text = self.value(state.name, top, number)
                if number in written and text is not None and _escaped_name(str(text)) not in taken:
                    column.set("name", _escaped_name(str(text)))
                    self._package.touch(part)

    def _widen_table(self, state: SheetXml, part: str, old: str, new: str) -> None:
        table = self._package.root(part)
        widened = _widened(table.get("ref", ""), old, new)
        if widened == table.get("ref"):
            return
        table.set("ref", widened)
        for element in table.iter("{*}autoFilter"):
            element.set("ref", _widened(element.get("ref", ""), old, new))
        for columns in children(table, "tableColumns"):
            names = {column.get("name") for column in columns}
            number = max((int(column.get("id", "0")) for column in columns), default=0) + 1
            name = next(f"Colonne{n}" for n in range(number, number + len(names) + 1) if f"Colonne{n}" not in names)
            etree.SubElement(columns, f"{namespace(columns)}tableColumn", {"id": str(number), "name": name})
            columns.set("count", str(len(columns)))
        self._package.touch(part)

    def _remove_calculation_chain(self) -> None:
        """Remove the list of the cells with formulas in the order Excel computed them.

        An entry for a cell without a formula makes Excel offer a repair; where there is no list it makes a new one.
        """
        book = self._package.workbook_part
        for relation, part in list(self._package.relations(book)):
            if relation.get("Type", "").endswith("/calcChain"):
                self._package.drop(part)
                folder, name = posixpath.split(book)
                remove(relation)
                self._package.touch(f"{folder}/_rels/{name}.rels".lstrip("/"))
                for override in list(self._package.root("[Content_Types].xml")):
                    if override.get("PartName", "").lstrip("/") == part:
                        remove(override)
                        self._package.touch("[Content_Types].xml")

    def _compute_on_opening(self) -> None:
        """Have the formulas of the workbook, if it has any, computed when it is opened: their results may be others now."""
        book = self._package.workbook_part
        if not any(
            b"<f>" in (raw := self._package.raw(part)) or b"<f " in raw or b":f>" in raw
            for part in self._package.sheets.values()
        ):
            return
        root = self._package.root(book)
        calculation = next(children(root, "calcPr"), None)
        if calculation is None:
            calculation = root.makeelement(f"{namespace(root)}calcPr")
            before = [child for child in root if local_name(child) in _BEFORE_CALCULATION]
            before[-1].addnext(calculation)
        if calculation.get("fullCalcOnLoad") not in ("1", "true"):
            calculation.set("fullCalcOnLoad", "1")
            self._package.touch(book)


def _widened(reference: str, old: str, new: str) -> str:
    """Return a range that ends at the column `old` as one that ends at `new`; others as they are."""
    first, _, last = reference.partition(":")
    match = re.fullmatch(r"(\$?[A-Z]+)(\$?[0-9]+)", last or first)
    if match is None or match[1] != old:
        return reference
    return f"{first}:{new}{match[2]}"


def _escaped_name(text: str) -> str:
    """Return the name of a table column as Excel writes it: line breaks escaped."""
    return text.replace("\r", "_x000d_").replace("\n", "_x000a_")

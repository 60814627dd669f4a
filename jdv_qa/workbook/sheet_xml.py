"""The rows, cells and columns of one sheet as XML: found, made, read and written.

Texts are written into the cell itself (`t="inlineStr"`), which all programs read, so that the table of shared strings, and
with it every other sheet, keeps its bytes.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from lxml import etree

from jdv_qa.workbook.edition import column_letter, column_number
from jdv_qa.workbook.package import Element, children, local_name, namespace, outside_cells, remove
from jdv_qa.workbook.shifting import MAX_COLUMN, MAX_ROW, RowMap, split_range

Value: TypeAlias = str | int | float | bool | None
"""What a cell can be set to, and what it is read as."""

_ADDRESS = re.compile(r"([A-Z]+)([0-9]+)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"

_ROW_STATE = frozenset(("r", "spans", "hidden", "collapsed"))
"""Attributes of a row that a row made like it does not take over."""


@dataclass(eq=False, slots=True)
class Merge:
    """A merged range: its element, its columns, and the keys of its first and last row."""

    element: Element
    left: int
    right: int
    first: int
    last: int


@dataclass
class SheetXml:
    """A sheet as it is edited; its rows go by the keys of `map`, and take their new numbers when all is settled."""

    name: str
    part: str
    root: Element
    data: Element
    map: RowMap
    rows: dict[int, Element]
    known_cells: dict[int, dict[int, Element]] = field(default_factory=dict)
    """Key of a row that was looked at -> its cells by column."""
    merges: list[Merge] = field(default_factory=list)
    grown: bool = False
    """Rows or cells were added or removed, so that the order of the rows, and the dimension, must be looked at."""

    @cached_property
    def keys(self) -> list[int]:
        """The keys of the rows that are written, rising."""
        return sorted(self.rows)

    @classmethod
    def load(cls, name: str, part: str, root: Element) -> SheetXml:
        """Look at a sheet as read. Raises ValueError when it holds no rows element."""
        data = next(children(root, "sheetData"), None)
        if data is None:
            raise ValueError(part)
        rows: dict[int, Element] = {}
        number = 0
        for element in children(data, "row"):
            number = int(element.get("r") or number + 1)
            element.set("r", str(number))
            rows[number] = element
        merges = []
        for element in outside_cells(root, "mergeCell"):
            if place := split_range(element.get("ref", "")):
                left, top, right, bottom = place
                merges.append(Merge(element, column_number(left), column_number(right), top, bottom))
        return cls(name, part, root, data, RowMap(), rows, merges=merges)

    def cells(self, key: int) -> dict[int, Element]:
        """Return the cells of a row by column."""
        if key not in self.known_cells:
            cells: dict[int, Element] = {}
            column = 0
            for cell in children(self.rows[key], "c") if key in self.rows else ():
                address = _ADDRESS.fullmatch(cell.get("r") or "")
                column = column_number(address[1]) if address else column + 1
                cell.set("r", f"{column_letter(column)}{address[2] if address else key}")
                cells[column] = cell
            self.known_cells[key] = cells
        return self.known_cells[key]

    def cell(self, row: int, column: int) -> Element | None:
        """Return the cell at a place, None when it is not written. Raises ValueError for a place outside a sheet."""
        if not (1 <= row <= MAX_ROW and 1 <= column <= MAX_COLUMN):
            raise ValueError(f"row {row}, column {column}")
        return self.cells(self.map.key(row)).get(column)

    def style(self, place: tuple[int, int]) -> str | None:
        """Return the style of a cell, as it shows: its own, or that of its row or column."""
        cell = self.cell(*place)
        if cell is not None:
            return cell.get("s")
        row = self.rows.get(self.map.key(place[0]))
        if row is not None and row.get("customFormat") in ("1", "true"):
            return row.get("s")
        return next((one.get("style") for one in columns(self.root) if covers(one, place[1])), None)

    def pattern(self, key: int) -> list[tuple[int, str]]:
        """Return the columns of a row that have a style of their own, and those styles."""
        return [(column, style) for column, cell in self.cells(key).items() if (style := cell.get("s"))]

    def add_row(self, key: int, like: Element | None) -> Element:
        """Write a row that is not there yet, with the attributes of another one; its number comes when all is settled."""
        element = etree.SubElement(self.data, f"{namespace(self.data)}row")
        element.set("r", "0")
        if like is not None:
            fitted = like.get("customHeight") not in ("1", "true")
            for name, value in like.attrib.items():
                if name not in _ROW_STATE and not (name == "ht" and fitted):
                    element.set(name, value)
        insort(self.keys, key)
        self.rows[key] = element
        self.known_cells[key] = {}
        self.grown = True
        return element

    def new_cell(self, row: int, column: int, style: str | None) -> Element:
        """Write a cell that is not there yet, in its place in the row; without a style, it has that of its row or column."""
        key = self.map.key(row)
        parent = self.rows.get(key)
        if parent is None:
            parent = self.add_row(key, None)
        cells = self.cells(key)
        if style is None:
            style = self.style((row, column))
        cell = parent.makeelement(f"{namespace(parent)}c", {"r": f"{column_letter(column)}{parent.get('r')}"})
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
        self.grown = True
        return cell

    def cut_merges(self, first: int, last: int) -> list[tuple[Merge, int]]:
        """Shorten the merged ranges that lose rows; returns those that lose the first one, with the key of that row."""
        gone = {self.map.key(row) for row in range(first, last + 1)}
        cut = []
        for merge in list(self.merges):
            if merge.first in gone and merge.last in gone:
                self.merges.remove(merge)
                remove(merge.element)
            elif merge.first in gone:
                cut.append((merge, merge.first))
                merge.first = self.map.key(last + 1)
            elif merge.last in gone:
                merge.last = self.map.key(first - 1)
        return cut

    def keep_merged_value(self, merge: Merge, was_first: int) -> None:
        """Give the value of a merged range whose first row is taken out to its next row."""
        cell = self.cells(was_first).get(merge.left)
        if cell is None or not len(cell):
            return
        position = self.map.position(merge.first)
        heir = self.cell(position, merge.left)
        if heir is None:
            heir = self.new_cell(position, merge.left, cell.get("s"))
        empty_cell(heir)
        if cell.get("t"):
            heir.set("t", cell.get("t", ""))
        for child in cell:
            heir.append(deepcopy(child))

    def copy_width(self, column: int, like: int) -> None:
        """Give a column the width and style of another one, unless it has its own."""
        model = next((one for one in columns(self.root) if covers(one, like)), None)
        if model is None or any(covers(one, column) for one in columns(self.root)):
            return
        new = deepcopy(model)
        new.set("min", str(column))
        new.set("max", str(column))
        for name in ("hidden", "collapsed"):
            new.attrib.pop(name, None)
        before = [one for one in columns(self.root) if int(one.get("min", "0")) < column]
        before[-1].addnext(new) if before else model.addprevious(new)


def text_of_item(item: Element) -> str:
    """Return the text of a string item: of its runs, without the readings of Asian characters."""
    parts = [
        text.text or ""
        for child in item
        for text in ([child] if local_name(child) == "t" else children(child, "t") if local_name(child) == "r" else ())
    ]
    return unescaped("".join(parts))


def unescaped(text: str) -> str:
    """Return a text with the characters in place of their escapes: "_x000D_" is a carriage return (22.9.2.19, ST_Xstring)."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def same_value(one: Value, other: Value) -> bool:
    """Tell whether two values are one: a number is not its text, "" is an empty cell."""
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    return (
        one == other
        and isinstance(one, str) == isinstance(other, str)
        and isinstance(one, bool) == isinstance(other, bool)
    )


def is_filled(cell: Element) -> bool:
    """Tell whether a cell holds anything."""
    return any(local_name(child) in ("v", "is", "f") for child in cell)


def empty_cell(cell: Element) -> None:
    """Take out what a cell holds; its style stays."""
    for child in list(cell):
        cell.remove(child)
    for name in ("t", "cm", "vm"):
        cell.attrib.pop(name, None)


def write_cell(cell: Element, value: Value) -> None:
    """Write a value into a cell; texts stand in the cell itself, so that the table of shared strings keeps its bytes."""
    empty_cell(cell)
    if value is None or value == "":
        return
    space = namespace(cell)
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


def columns(root: Element) -> Iterator[Element]:
    """Yield the elements that give columns their width and style."""
    for container in children(root, "cols"):
        yield from children(container, "col")


def covers(column: Element, number: int) -> bool:
    """Tell whether such an element is for a column."""
    return int(column.get("min", "0")) <= number <= int(column.get("max", "0"))

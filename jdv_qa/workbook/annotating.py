"""A maintainer's workbook with what was found in it: coloured cells, notes, and tabs of our own in front.

Nothing else of the workbook changes, and all of it can be taken out again: a cell's colour tells by its last bits which fill
the cell had (the tabs list those fills), our notes stand between marks, our tabs bear a mark. Annotating an annotated
workbook therefore begins by taking out what is there, and gives the same bytes for the same findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from jdv_qa.workbook.edition import column_letter
from jdv_qa.workbook.following import number_rows, set_dimension
from jdv_qa.workbook.notes_xml import Paragraph, SheetNotes
from jdv_qa.workbook.own_tabs import OwnTab, add_own_tabs, free_tab_name, hidden_texts, own_tabs, remove_own_tabs
from jdv_qa.workbook.package import Element, Package, children
from jdv_qa.workbook.sheet_xml import SheetXml
from jdv_qa.workbook.sheets import damaged
from jdv_qa.workbook.styles import NO_FILL, StyleSheet

FILLS_COLUMN = 16
"""The column, counted from 1 and hidden, in which the first of our tabs lists the fills that coloured cells had."""

_FILL_MARK = "fill "
_BITS = 3
_MOST_FILLS = 1 << (3 * _BITS)
_COLOUR = re.compile(r"""fgColor\s+rgb=["'](?:[0-9A-Fa-f]{2})?([0-9A-Fa-f]{6})["']""")


class Tint(Enum):
    """The colours of cells. The last three bits of red, green and blue number the fill that the cell had."""

    ERROR = (0xF8, 0xC0, 0xA8)
    WARNING = (0xF8, 0xE0, 0x88)
    INFO = (0xD0, 0xE8, 0xF8)

    def rgb(self, number: int = 0) -> str:
        """Return the colour, as "F8C0A8", for the fill of a number."""
        mask = (1 << _BITS) - 1
        parts = (number >> (2 * _BITS), number >> _BITS & mask, number & mask)
        return "".join(f"{base + part:02X}" for base, part in zip(self.value, parts, strict=True))

    def fill(self, number: int = 0) -> str:
        """Return the fill as XML without namespaces."""
        return solid(self.rgb(number))


def solid(rgb: str) -> str:
    """Return the fill of one colour, given as "F8C0A8", as XML without namespaces."""
    return (
        f'<fill><patternFill patternType="solid"><fgColor rgb="FF{rgb}"/><bgColor indexed="64"/></patternFill></fill>'
    )


@dataclass(frozen=True, slots=True)
class CellMark:
    """What is said of a cell: its colour, and the paragraphs of its note."""

    sheet: str
    row: int
    column: int
    tint: Tint
    note: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Annotated:
    """An annotated workbook: its bytes, and the cells ("Feuil1!B7") whose note a thread of comments left no place for."""

    content: bytes
    threads: tuple[str, ...] = ()


MakeTabs = Callable[[StyleSheet, Callable[[str], str]], Sequence[OwnTab]]
"""Makes the tabs, given the styles to add theirs to and what finds a free name for a tab."""


def annotated(path: Path, marks: Sequence[CellMark], make_tabs: MakeTabs) -> Annotated:
    """Return a copy of a workbook with marked cells and tabs of our own in front; former annotations give way.

    Cells that a merged range covers are marked in its first cell, and the marks of one cell must be one. Raises
    WorkbookError when the file is no workbook.
    """
    package = Package(path)
    styles = StyleSheet(package)
    fills = _clean(package, styles)
    threads: list[str] = []
    by_sheet: dict[str, list[CellMark]] = {}
    for mark in marks:
        by_sheet.setdefault(mark.sheet, []).append(mark)
    for name, found in by_sheet.items():
        threads += _mark_cells(_load(package, name), found, package, styles, fills)
    tabs = list(make_tabs(styles, lambda name: free_tab_name(package, name)))
    add_own_tabs(package, tabs)
    _list_fills(package, tabs[0].name, fills, styles)
    return Annotated(package.content(), tuple(threads))


def without_annotations(path: Path) -> bytes:
    """Return a workbook without what `annotated` put into it; its own bytes where there is nothing of the kind."""
    package = Package(path)
    _clean(package, StyleSheet(package))
    return package.content()


def is_annotated(path: Path) -> bool:
    """Tell whether a workbook has tabs of ours."""
    return bool(own_tabs(Package(path)))


# --------------------------------------------------------------------------------------------------------- taking out


def _clean(package: Package, styles: StyleSheet) -> list[str]:
    """Take out what we put into a workbook; returns the fills that coloured cells had, by their numbers."""
    ours = own_tabs(package)
    fills = [NO_FILL]
    for tab in ours[:1]:
        listed = hidden_texts(package, tab, FILLS_COLUMN)
        fills += [text.removeprefix(_FILL_MARK) for text in listed if text.startswith(_FILL_MARK)]
    remove_own_tabs(package)
    coloured = _coloured_styles(styles, fills)
    for part in package.sheets.values():
        SheetNotes(package, part).clean()
        if coloured:
            _restore_fills(package, part, styles, fills, coloured)
    return fills


def _coloured_styles(styles: StyleSheet, fills: Sequence[str]) -> dict[int, int]:
    """Return the styles that have a colour of ours, each with the number of the fill that its cells had before.

    Where somebody has deleted our tabs, and the list of fills with them, a colour for a cell without fill is still known.
    """
    numbers = ((style, _number_of_fill(styles.fill(style))) for style in range(styles.count))
    return {style: number for style, number in numbers if number is not None and number < len(fills)}


def _restore_fills(
    package: Package, part: str, styles: StyleSheet, fills: Sequence[str], coloured: Mapping[int, int]
) -> None:
    for element in _styled(package.root(part)):
        style = int(element.get("s", "0"))
        if style not in coloured:
            continue
        if before := styles.like_with_fill(style, fills[coloured[style]]):
            element.set("s", str(before))
        else:
            del element.attrib["s"]
        package.touch(part)


def _styled(root: Element) -> Iterator[Element]:
    for data in children(root, "sheetData"):
        for row in data:
            for cell in row:
                if cell.get("s"):
                    yield cell


def _number_of_fill(fill: str) -> int | None:
    """Return the number of the fill that a colour of ours stands in for, None when the fill is none of ours."""
    found = _COLOUR.search(fill)
    if found is None or "solid" not in fill:
        return None
    colour = tuple(bytes.fromhex(found[1]))
    mask = (1 << _BITS) - 1
    for tint in Tint:
        if all(part & ~mask == base for part, base in zip(colour, tint.value, strict=True)):
            red, green, blue = (part & mask for part in colour)
            return red << 2 * _BITS | green << _BITS | blue
    return None


# ------------------------------------------------------------------------------------------------------------- marking


def _load(package: Package, name: str) -> SheetXml:
    part = package.sheets[name]
    try:
        return SheetXml.load(name, part, package.root(part))
    except ValueError as error:
        raise damaged(package.path, error) from error


def _mark_cells(
    state: SheetXml, marks: Sequence[CellMark], package: Package, styles: StyleSheet, fills: list[str]
) -> list[str]:
    """Colour the cells of a sheet and add their notes; returns those that a thread of comments left no place for."""
    first_of = _first_of_merged(state)
    notes = SheetNotes(package, state.part)
    threads = notes.threads
    texts: dict[tuple[int, int], tuple[Paragraph, ...]] = {}
    tints: dict[tuple[int, int], Tint] = {}
    for mark in marks:
        place = first_of.get((mark.row, mark.column), (mark.row, mark.column))
        texts[place] = texts.get(place, ()) + mark.note
        tints[place] = min(tints.get(place, mark.tint), mark.tint, key=list(Tint).index)
    made: dict[tuple[str | None, Tint], str] = {}
    for (row, column), tint in tints.items():
        cell = state.cell(row, column)
        if cell is None:
            cell = state.new_cell(row, column, None)
        style = cell.get("s")
        if (style, tint) not in made:
            made[style, tint] = str(_tinted(int(style or "0"), tint, styles, fills))
        cell.set("s", made[style, tint])
    package.touch(state.part)
    if state.grown:
        number_rows(package, state)
        set_dimension(state)
    kept = {f"{column_letter(column)}{row}": (row, column) for row, column in texts}
    notes.add({place: texts[place] for address, place in kept.items() if address not in threads})
    return [f"{state.name}!{address}" for address in kept if address in threads]


def _first_of_merged(state: SheetXml) -> Mapping[tuple[int, int], tuple[int, int]]:
    """Return covered cell -> first cell, for the merged ranges of a sheet."""
    return {
        (row, column): (merge.first, merge.left)
        for merge in state.merges
        if (merge.last - merge.first + 1) * (merge.right - merge.left + 1) <= 100_000
        for row in range(merge.first, merge.last + 1)
        for column in range(merge.left, merge.right + 1)
    }


def _tinted(style: int, tint: Tint, styles: StyleSheet, fills: list[str]) -> int:
    """Return the style that differs from a cell's by its fill; the cell's own where too many fills are in use."""
    before = styles.fill(style)
    if before not in fills:
        fills.append(before)
    number = fills.index(before)
    return style if number >= _MOST_FILLS else styles.with_fill(style, tint.fill(number))


def _list_fills(package: Package, tab: str, fills: Sequence[str], styles: StyleSheet) -> None:
    """Write the fills that coloured cells had into the hidden column of a tab of ours."""
    part = package.sheets[tab]
    try:
        state = SheetXml.load(tab, part, package.root(part))
    except ValueError as error:
        raise damaged(package.path, error) from error
    from jdv_qa.workbook.sheet_xml import write_cell

    for row, fill in enumerate(fills[1:_MOST_FILLS], 1):
        cell = state.cell(row, FILLS_COLUMN)
        write_cell(cell if cell is not None else state.new_cell(row, FILLS_COLUMN, None), f"{_FILL_MARK}{fill}")
    if state.grown:
        number_rows(package, state)
        set_dimension(state)
    package.touch(part)

"""Tabs of our own in a maintainer's workbook: put in front of the others, known again, and taken out.

A hidden name of the tab's own (`jdv.annotation`) tells that a tab is ours, for tabs get renamed and people give theirs the
same names. Cells are given as values and styles; the sheets are written by hand, for nothing that writes workbooks writes
into one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from jdv_qa.workbook.edition import column_letter
from jdv_qa.workbook.package import Element, Package, children, local_name, namespace, remove
from jdv_qa.workbook.structure import OWN_TAB

MAX_LINKS = 60_000
"""Links on a tab; Excel reads no more than 65 530."""

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_PRINTED_ROWS = "_xlnm.Print_Titles"
_FILTER = "_xlnm._FilterDatabase"
_NO_NAME = re.compile(r"[\[\]:*?/\\]")
_LONGEST_NAME = 31
_BEFORE_NAMES = frozenset(
    (
        "fileVersion", "fileSharing", "AlternateContent", "revisionPtr", "workbookPr", "workbookProtection", "bookViews",
        "sheets", "functionGroups", "externalReferences",
    )
)  # fmt: skip
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST_TEXT = 32_767


@dataclass(frozen=True, slots=True)
class TabCell:
    """A cell of a tab of ours: its value, the number of its style, and the place it leads to ("'Feuil 1'!A5"), if any."""

    value: str | int
    style: int
    link: str | None = None


@dataclass(frozen=True)
class OwnTab:
    """A tab of ours.

    `rows`: cells from column A on, None for a blank one; `widths` of the columns in characters; `header` is the row,
    counted from 1, below which the tab scrolls and down to which it prints on every page; `filtered`: how many columns,
    from A on, can be filtered, down to the last row; `hidden`: columns, counted from 1, that are hidden; `heights` of
    rows in points, by number; `colour` of the tab.
    """

    name: str
    rows: Sequence[Sequence[TabCell | None]]
    widths: Sequence[float]
    header: int
    filtered: int = 0
    hidden: frozenset[int] = frozenset()
    heights: Mapping[int, float] = field(default_factory=dict)
    colour: str = "1F4E79"


def own_tabs(package: Package) -> list[str]:
    """Return the names of the tabs of ours, in the workbook's order."""
    sheets = [sheet.get("name", "") for sheet in _sheets(package)]
    marked = {int(name.get("localSheetId", "-1")) for name in package.defined_names() if name.get("name") == OWN_TAB}
    return [name for number, name in enumerate(sheets) if number in marked]


def remove_own_tabs(package: Package) -> None:
    """Take the tabs of ours out of a workbook, with all that is about them."""
    book = package.workbook_part
    for name in own_tabs(package):
        elements = _sheets(package)
        number = next(place for place, sheet in enumerate(elements) if sheet.get("name") == name)
        part = package.sheets.pop(name)
        for _, related in list(package.relations(part)):
            package.take_out(part, related)
        package.take_out(book, part)
        remove(elements[number])
        for defined in list(package.defined_names()):
            place = int(defined.get("localSheetId", "-1"))
            if place == number:
                _remove_with_container(defined)
            elif place > number:
                defined.set("localSheetId", str(place - 1))
        _move_views(package, number, -1)
        _list_titles(package, removed=name)
        package.touch(book)


def add_own_tabs(package: Package, tabs: Sequence[OwnTab]) -> None:
    """Put tabs in front of those of a workbook, in the order given. What is shown on opening stays."""
    for number, tab in enumerate(tabs):
        _add(package, number, tab)


def free_tab_name(package: Package, name: str) -> str:
    """Return a name for a tab that no tab has: the one given, or the same with a number behind it."""
    taken = {sheet.get("name", "").casefold() for sheet in _sheets(package)}
    plain = _NO_NAME.sub(" ", name)[:_LONGEST_NAME]
    if plain.casefold() not in taken:
        return plain
    numbered = (f"{plain[: _LONGEST_NAME - 5]} ({number})" for number in range(2, len(taken) + 3))
    return next(one for one in numbered if one.casefold() not in taken)


def quoted(sheet: str) -> str:
    """Return the name of a sheet as references give it."""
    return "'" + sheet.replace("'", "''") + "'"


def _sheets(package: Package) -> list[Element]:
    return [
        sheet
        for sheets in children(package.root(package.workbook_part), "sheets")
        for sheet in children(sheets, "sheet")
    ]


def _add(package: Package, number: int, tab: OwnTab) -> None:
    book = package.workbook_part
    root = package.root(book)
    space = namespace(root)
    part = package.free_name("xl/worksheets/sheet{}.xml")
    package.add(part, _sheet_xml(tab, space.strip("{}")).encode("utf-8"))
    identifier = package.relate(book, "/worksheet", part)
    package.state_type(part, _TYPE)
    sheets = next(children(root, "sheets"))
    taken = {sheet.get("sheetId") for sheet in sheets}
    free = next(str(one) for one in range(1, len(taken) + 2) if str(one) not in taken)
    relations = package.document_relations
    element = sheets.makeelement(f"{space}sheet", {"name": tab.name, "sheetId": free}, nsmap={"r": relations})
    element.set(f"{{{relations}}}id", identifier)
    sheets.insert(number, element)
    package.sheets[tab.name] = part
    for defined in package.defined_names():
        place = int(defined.get("localSheetId", "-1"))
        if place >= number:
            defined.set("localSheetId", str(place + 1))
    _name_places(package, number, tab)
    _move_views(package, number, 1)
    _list_titles(package, added=tab.name, place=number)
    package.touch(book)


def _name_places(package: Package, number: int, tab: OwnTab) -> None:
    """Define the names of a tab: the mark, the filtered range, the rows that are printed on every page."""
    root = package.root(package.workbook_part)
    space = namespace(root)
    container = next(children(root, "definedNames"), None)
    if container is None:
        container = root.makeelement(f"{space}definedNames")
        [child for child in root if local_name(child) in _BEFORE_NAMES][-1].addnext(container)
    sheet, last = quoted(tab.name), column_letter(tab.filtered)
    wanted = {OWN_TAB: f"{sheet}!$A$1", _PRINTED_ROWS: f"{sheet}!$1:${tab.header}"}
    if tab.filtered:
        wanted[_FILTER] = f"{sheet}!$A${tab.header}:${last}${max(len(tab.rows), tab.header)}"
    for name, text in wanted.items():
        element = container.makeelement(f"{space}definedName", {"name": name, "localSheetId": str(number)})
        if name != _PRINTED_ROWS:
            element.set("hidden", "1")
        element.text = text
        # Excel writes names in the order of the alphabet, and complains of none.
        after = [one for one in container if _rank(one) > _rank(element)]
        after[0].addprevious(element) if after else container.append(element)


def _rank(name: Element) -> tuple[str, int]:
    return name.get("name", "").casefold(), int(name.get("localSheetId", "-1"))


def _remove_with_container(name: Element) -> None:
    container = name.getparent()
    remove(name)
    if container is not None and not len(container):
        remove(container)


def _move_views(package: Package, number: int, step: int) -> None:
    """Let the tab that is shown, and the first one in the bar, be the same though their numbers change."""
    for view in package.root(package.workbook_part).iter("{*}workbookView"):
        active = int(view.get("activeTab", "0"))
        if step > 0 or active > number:
            view.set("activeTab", str(max(active + step, 0)))
        first = int(view.get("firstSheet", "0"))
        if first > number:
            view.set("firstSheet", str(max(first + step, 0)))


def _list_titles(package: Package, *, added: str | None = None, removed: str | None = None, place: int = 0) -> None:
    """Keep the list of tabs in the properties of the document as it should be; Excel wants none, but others read it."""
    for part in package.related("", "/extended-properties"):
        root = package.root(part)
        titles = next((vector for box in children(root, "TitlesOfParts") for vector in box), None)
        pairs = next((vector for box in children(root, "HeadingPairs") for vector in box), None)
        if titles is None or pairs is None or not len(pairs):
            return
        counts = list(pairs.iter("{*}i4"))
        if not counts or not (counts[0].text or "").isdigit():
            return
        sheets = int(counts[0].text or "0")
        if added is not None:
            title = titles.makeelement(f"{namespace(titles)}lpstr")
            title.text = added
            titles.insert(min(place, len(titles)), title)
            sheets += 1
        else:
            found = next((one for one in titles[:sheets] if one.text == removed), None)
            if found is None:
                return
            remove(found)
            sheets -= 1
        counts[0].text = str(sheets)
        titles.set("size", str(len(titles)))
        package.touch(part)


# -------------------------------------------------------------------------------------------------------- the sheet's XML


def _sheet_xml(tab: OwnTab, space: str) -> str:
    width, height = len(tab.widths), max(len(tab.rows), tab.header)
    area = f"A1:{column_letter(max(width, 1))}{max(height, 1)}"
    pane = (
        f'<pane ySplit="{tab.header}" topLeftCell="A{tab.header + 1}" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft"/>'
        if tab.header
        else ""
    )
    filtered = f'<autoFilter ref="A{tab.header}:{column_letter(tab.filtered)}{height}"/>' if tab.filtered else ""
    links = list(_links(tab))[:MAX_LINKS]
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{space}"><sheetPr><tabColor rgb="FF{tab.colour}"/><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<dimension ref="{area}"/><sheetViews><sheetView showGridLines="0" workbookViewId="0">{pane}</sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{"".join(_columns(tab))}</cols>'
        f"<sheetData>{''.join(_rows(tab))}</sheetData>{filtered}"
        + (f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else "")
        + '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
    )


def _columns(tab: OwnTab) -> Iterator[str]:
    for number, width in enumerate(tab.widths, 1):
        hidden = ' hidden="1"' if number in tab.hidden else ""
        yield f'<col min="{number}" max="{number}" width="{width}" customWidth="1"{hidden}/>'


def _rows(tab: OwnTab) -> Iterator[str]:
    for number, cells in enumerate(tab.rows, 1):
        height = f' ht="{tab.heights[number]:g}" customHeight="1"' if number in tab.heights else ""
        written = "".join(
            _cell(f"{column_letter(column)}{number}", cell) for column, cell in enumerate(cells, 1) if cell is not None
        )
        yield f'<row r="{number}"{height}>{written}</row>'


def _cell(address: str, cell: TabCell) -> str:
    if isinstance(cell.value, int):
        return f'<c r="{address}" s="{cell.style}"><v>{cell.value}</v></c>'
    if not cell.value:
        return f'<c r="{address}" s="{cell.style}"/>'
    text = _ILLEGAL.sub("\ufffd", cell.value)[:_LONGEST_TEXT]
    text = re.sub(r"_x[0-9A-Fa-f]{4}_", lambda match: f"_x005F{match[0]}", text).replace("\r", "_x000D_")
    return f'<c r="{address}" s="{cell.style}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _links(tab: OwnTab) -> Iterator[str]:
    for number, cells in enumerate(tab.rows, 1):
        for column, cell in enumerate(cells, 1):
            if cell is not None and cell.link:
                address = f"{column_letter(column)}{number}"
                yield f'<hyperlink ref="{address}" location={quoteattr(cell.link)} display={quoteattr(str(cell.value))}/>'


def hidden_texts(package: Package, sheet: str, column: int) -> list[str]:
    """Return the texts of a column of a tab, top to bottom, blank ones left out."""
    found = []
    letter = column_letter(column)
    strings: list[Element] | None = None
    for cell in package.root(package.sheets[sheet]).iter("{*}c"):
        if cell.get("r", "").rstrip("0123456789") != letter:
            continue
        if cell.get("t") == "s":
            if strings is None:
                parts = package.related(package.workbook_part, "/sharedStrings")
                strings = list(children(package.root(parts[0]), "si")) if parts else []
            number = int("".join(cell.itertext()) or "-1")
            text = "".join(strings[number].itertext()) if 0 <= number < len(strings) else ""
        else:
            text = "".join(cell.itertext())
        if text:
            found.append(text)
    return found

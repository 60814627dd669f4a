"""What refers to the rows of a sheet follows them when rows are inserted or removed.

That is, in the sheet: its row numbers, merged ranges, filters, formats, validations, links, breaks, panes, selections; in
other parts: tables, notes and threaded comments, anchors of drawings; anywhere in the workbook: formulas, names, links,
charts and sources of pivot tables. Element names are those of ISO/IEC 29500-1 and of the extensions of Excel 2010.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.workbook.edition import column_letter, column_number
from jdv_qa.workbook.package import Element, Package, children, local_name, outside_cells, remove
from jdv_qa.workbook.sheet_xml import SheetXml
from jdv_qa.workbook.shifting import (
    LOST,
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

Maps = Mapping[str, RowMap]
"""Name of a changed sheet, in lower case -> where its rows are now."""

COVERING = frozenset(("conditionalFormatting", "dataValidation", "protectedRange", "ignoredError"))
"""Elements for several ranges, that new rows take over from the row they are made like."""

WHOLE_TABLE_NAMES = ("_xlnm._FilterDatabase", "_xlnm.Print_Area")
"""Names that Excel gives to a whole table, and that grow with it."""

_NOTE_SHAPE = re.compile(rb"<v:shape\b.*?</v:shape>", re.DOTALL)
_NOTE_ROW = re.compile(rb"(<x:Row>\s*)([0-9]+)(\s*</x:Row>)")
_NOTE_COLUMN = re.compile(rb"<x:Column>\s*([0-9]+)\s*</x:Column>")
_NOTE_ANCHOR = re.compile(rb"(<x:Anchor>)([^<]*)(</x:Anchor>)")

_SINGLE = {"cellWatch": "r", "inputCells": "r", "hyperlink": "ref", "sortCondition": "ref"}
"""Elements of a sheet, and the attribute that holds the range they are for; they go when its rows go."""

_COUNTED = ("mergeCells", "dataValidations", "conditionalFormattings", "hyperlinks", "rowBreaks", "ignoredErrors",
            "protectedRanges", "cellWatches", "sparklines", "sparklineGroup", "sparklineGroups")  # fmt: skip
"""Elements that hold others, may state how many, and go with the last of them."""


def number_rows(package: Package, state: SheetXml) -> None:
    """Put the rows of a sheet in order and give them, and their cells, the numbers of where they stand."""
    ordered = []
    for row, key in state.map.placed(state.keys):
        element = state.rows[key]
        ordered.append(element)
        if row > MAX_ROW:
            if len(element):
                raise WorkbookError(
                    say(
                        f"{package.path} : onglet « {state.name} » : plus de place, la feuille a {MAX_ROW} lignes",
                        f'{package.path}: tab "{state.name}": no room left, the sheet has {MAX_ROW} rows',
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


def set_dimension(state: SheetXml) -> None:
    """Let a sheet state the range that its cells take up."""
    dimension = next(children(state.root, "dimension"), None)
    if dimension is None:
        return
    bounds = []
    for row in state.data:
        cells = [cell.get("r", "") for cell in (row[:1] + row[-1:]) if local_name(cell) == "c"]
        columns = [column_number(cell.rstrip("0123456789")) for cell in cells if cell]
        if columns:
            bounds.append((int(row.get("r", "1")), min(columns), max(columns)))
    if bounds:
        left, right = min(one[1] for one in bounds), max(one[2] for one in bounds)
        dimension.set("ref", join_range(column_letter(left), bounds[0][0], column_letter(right), bounds[-1][0]))


def move_ranges(package: Package, state: SheetXml) -> None:
    """Rewrite the ranges of a sheet outside its cells, and remove what was for rows that are gone."""
    rows = state.map
    for element in list(outside_cells(state.root)):
        name = local_name(element)
        if name in ("autoFilter", "sortState", *_SINGLE):
            attribute = _SINGLE.get(name, "ref")
            moved = _moved_range(element.get(attribute, ""), rows.span if name in _SINGLE else rows.extended)
            if moved is None:
                remove(element)
            else:
                element.set(attribute, moved)
        elif name in COVERING:
            _move_covering(package, element, state)
        elif name == "sheetView" and (cell := element.get("topLeftCell")):
            element.set("topLeftCell", _nearest(cell, rows))
        elif name == "pane":
            _move_pane(element, rows)
        elif name == "selection":
            _move_selection(element, rows)
        elif name == "brk":
            if (parent := element.getparent()) is not None and local_name(parent) == "rowBreaks":
                place = rows.at_or_before(int(element.get("id", "0")))
                element.set("id", str(place)) if place else remove(element)
        elif name in ("from", "to"):  # the anchor of a form control
            for row in children(element, "row"):
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
            remove(merge.element)
        else:
            place_now = join_range(column_letter(merge.left), top, column_letter(merge.right), bottom)
            merge.element.set("ref", place_now)
    for sqref in list(outside_cells(state.root, "sqref")):
        parent = sqref.getparent()
        if parent is not None and local_name(parent) == "sparkline" and sqref.text:
            moved = moved_reference(sqref.text, rows)
            if moved is None:
                remove(parent)
            else:
                sqref.text = moved
    for container in reversed(list(outside_cells(state.root, *_COUNTED))):
        _recount(container)


def _move_pane(pane: Element, rows: RowMap) -> None:
    """Let the frozen rows be those that were, and the lower pane begin below them if it did."""
    place = split_range(pane.get("topLeftCell", ""))
    frozen = float(pane.get("ySplit", "0")) if pane.get("state", "").startswith("frozen") else 0.0
    kept = rows.at_or_before(int(frozen))
    if place:
        top = kept + 1 if frozen and place[1] == frozen + 1 else min(rows.at_or_after(place[1]), MAX_ROW)
        pane.set("topLeftCell", f"{place[0]}{top}")
    if frozen:
        pane.set("ySplit", str(kept))


def _move_selection(selection: Element, rows: RowMap) -> None:
    if cell := selection.get("activeCell"):
        selection.set("activeCell", _nearest(cell, rows))
    if text := selection.get("sqref"):
        moved = [one for part in text.split() if (one := moved_reference(part, rows))]
        active = selection.get("activeCell", "A1")
        # The active cell must be one of those selected.
        selection.set("sqref", " ".join(moved) if len(moved) == len(text.split()) else active)


def _move_covering(package: Package, element: Element, state: SheetXml) -> None:
    """Rewrite the ranges of a format or validation, and let its formulas start from the first cell that is left."""
    inner = next((child for child in element if local_name(child) == "sqref"), None)
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
        remove(element)
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
            text = _moved(
                package, translated(formula.text, base - first_old), state.name, {state.name.casefold(): rows}
            )
            formula.text = translated(text, first_new - rows.at_or_after(base))
    for threshold in element.iter("{*}cfvo"):
        if threshold.get("type") == "formula" and (limit := threshold.get("val")):
            threshold.set("val", _moved(package, limit, state.name, {state.name.casefold(): rows}))


def _moved(package: Package, formula: str, sheet: str, maps: Maps) -> str:
    from openpyxl.formula.tokenizer import TokenizerError

    try:
        return moved_formula(formula, sheet, maps)
    except (TokenizerError, IndexError) as error:
        raise WorkbookError(
            say(
                f"{package.path} : onglet « {sheet} » : la formule « {formula} » ne se lit pas ; corrigez-la dans Excel",
                f'{package.path}: tab "{sheet}": the formula "{formula}" cannot be read; correct it in Excel',
            )
        ) from error


def move_formulas(package: Package, maps: Maps) -> None:
    """Rewrite what refers to the rows of the changed sheets: formulas anywhere, names, links, charts, pivot tables."""
    for name in package.defined_names():
        if name.text:
            _follow(package, name, "", maps, whole=name.get("name") in WHOLE_TABLE_NAMES)
    covered = frozenset(("conditionalFormatting", "dataValidation"))
    for sheet, part in package.sheets.items():
        if sheet.casefold() not in maps and b"!" not in package.raw(part):
            continue
        root = package.root(part)
        for element in (*root.iter("{*}f"), *outside_cells(root, "formula", "formula1", "formula2", "hyperlink")):
            kind = local_name(element)
            if kind in ("f", "formula", "formula1", "formula2") and element.text and element.text.strip():
                if any(local_name(one) in covered for one in element.iterancestors()):
                    others = {one: rows for one, rows in maps.items() if one != sheet.casefold()}
                    _follow(package, element, sheet, others, part=part)
                else:
                    _follow(package, element, sheet, maps, part=part)
            elif kind == "hyperlink" and (location := element.get("location")):
                moved = _moved(package, location, sheet, maps) if "!" in location else location
                if moved != location:
                    element.set("location", moved)
                    package.touch(part)
        for table in package.related(part, "/table"):
            for element in package.root(table).iter("{*}calculatedColumnFormula", "{*}totalsRowFormula"):
                _follow(package, element, sheet, maps, part=table)
    for part in sorted(package.names):
        if re.search(r"/charts?/[^/]+\.xml$|/chartEx[^/]*\.xml$", part) and b"!" in package.raw(part):
            for element in package.root(part).iter("{*}f"):
                _follow(package, element, "", maps, part=part)
        elif re.search(r"/pivotCache/pivotCacheDefinition[^/]*\.xml$", part):
            for element in package.root(part).iter("{*}worksheetSource"):
                rows = maps.get(element.get("sheet", "").casefold())
                if rows and element.get("ref"):
                    element.set("ref", _moved_range(element.get("ref", ""), rows.extended) or LOST)
                    package.touch(part)


def _follow(
    package: Package, element: Element, sheet: str, maps: Maps, *, part: str | None = None, whole: bool = False
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
        moved = _moved(package, text, sheet, maps)
    if moved != text:
        element.text = moved
        package.touch(part or package.workbook_part)


def move_drawings(package: Package, state: SheetXml) -> None:
    """Move the anchors of pictures and charts, which count rows from 0."""
    rows = state.map
    for part in package.related(state.part, "/drawing"):
        for anchor in package.root(part):
            ends = {
                local_name(end): row
                for end in anchor
                for row in children(end, "row")
                if local_name(end) in ("from", "to")
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
                    package.touch(part)
    for part in package.related(state.part, "/pivotTable"):
        for element in children(package.root(part), "location"):
            if moved := _moved_range(element.get("ref", ""), rows.span):
                element.set("ref", moved)
                package.touch(part)


def move_comments(package: Package, state: SheetXml) -> None:
    """Move notes, threaded comments and the boxes of notes; those of rows that are gone go with them."""
    rows = state.map
    for kind in ("/comments", "/threadedComment"):
        for part in package.related(state.part, kind):
            for element in list(package.root(part).iter("{*}comment", "{*}threadedComment")):
                reference = element.get("ref", "")
                moved = moved_reference(reference, rows)
                if moved is None:
                    remove(element)
                elif moved != reference:
                    element.set("ref", moved)
                if moved != reference:
                    package.touch(part)
    for part in package.related(state.part, "/vmlDrawing"):
        data = package.raw(part)
        moved_data = _NOTE_SHAPE.sub(lambda match: _moved_note(match[0], rows), data)
        if moved_data != data:
            package.replace(part, moved_data)


def move_tables(package: Package, state: SheetXml) -> None:
    """Move the tables of a sheet; the names of their columns follow the header cells that were written."""
    for part in package.related(state.part, "/table") if state.part in package.touched else ():
        table = package.root(part)
        if state.map.changed:
            for element in table.iter():
                name = local_name(element)
                if name in ("table", "autoFilter", "sortState", "sortCondition"):
                    old = element.get("ref", "")
                    moved = _moved_range(old, state.map.extended)
                    if moved is None:
                        raise WorkbookError(
                            say(
                                f"{package.path} : onglet « {state.name} » : toutes les lignes du tableau {old} seraient "
                                "supprimées ; retirez-le d'abord dans Excel",
                                f'{package.path}: tab "{state.name}": all rows of the table {old} would be removed; '
                                "take it out in Excel first",
                            )
                        )
                    if moved != old:
                        element.set("ref", moved)
                        package.touch(part)


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


def _recount(container: Element) -> None:
    """Let a container state how many elements it holds; one without any goes."""
    held = "sparklines" if local_name(container) == "sparklineGroup" else None
    number = sum(1 for child in container if isinstance(child.tag, str) and held in (None, local_name(child)))
    if not number:
        parent = container.getparent()
        remove(container)
        while parent is not None and local_name(parent) in ("ext", "extLst") and not len(parent):
            emptied, parent = parent, parent.getparent()
            remove(emptied)
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

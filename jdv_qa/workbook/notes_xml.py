"""The notes of cells (Excel's old comments): ours added to those of a maintainer, and taken out again.

The text of a note is in the comments part of a sheet, its box in a VML drawing (ISO/IEC 29500-1, 18.7; 29500-4, 19.4). What
we write stands between two marks, so that what people wrote before and behind it stays when ours is taken out. A cell with
a thread of comments keeps it as it is: Excel holds a note for older versions there, and throws away any change to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml import etree

from jdv_qa.workbook.edition import column_letter
from jdv_qa.workbook.package import Element, Package, children, local_name, namespace, remove
from jdv_qa.workbook.sheet_xml import columns

BEGIN, END = "── jdv check ──", "── /jdv ──"
"""What our text in a note stands between."""

AUTHOR = "jdv"
_GAP = "\n\n"
"""Between a maintainer's text and ours."""

MAX_NOTE = 32_000
"""Characters of our text in a note, of the 32 767 that Excel allows in all."""

_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_SHAPE = re.compile(rb"<v:shape\b.*?</v:shape>", re.DOTALL)
_ROW = re.compile(rb"<x:Row>\s*([0-9]+)\s*</x:Row>")
_COLUMN = re.compile(rb"<x:Column>\s*([0-9]+)\s*</x:Column>")
_SHAPE_ID = re.compile(rb"""\bid=["'][^"']*?_s([0-9]+)["']""")
_BLOCKS = re.compile(rb"""(<o:idmap\b[^>]*?\bdata=["'])([0-9,\s]*)(["'])""")
_BLOCK = 1024
"""Shapes are numbered in blocks of so many, and a drawing names the blocks that are its own."""

_AFTER_DRAWING = frozenset(
    (
        "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
    )
)  # fmt: skip
"""Elements of a sheet before which legacyDrawing stands."""

_NEW_DRAWING = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel">\n'
    ' <o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data=""/></o:shapelayout>\n'
    "</xml>"
)
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_NAMESPACES = {
    b"v": b"urn:schemas-microsoft-com:vml",
    b"o": b"urn:schemas-microsoft-com:office:office",
    b"x": b"urn:schemas-microsoft-com:office:excel",
}
_WIDTH, _LINE, _LETTERS = 330, 15, 52
"""Of a box: its width in pixels, the height of a line, and the letters that a line holds."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a note."""

    text: str
    bold: bool = False


class SheetNotes:
    """The notes of one sheet being edited."""

    def __init__(self, package: Package, part: str) -> None:
        """Look at the notes of the sheet stored as `part`."""
        self._package = package
        self._sheet = part
        self._part = next(iter(package.related(part, "/comments")), None)

    @property
    def threads(self) -> frozenset[str]:
        """The cells that a thread of comments is about."""
        parts = self._package.related(self._sheet, "/threadedComment")
        found = {
            element.get("ref", "") for part in parts for element in self._package.root(part).iter("{*}threadedComment")
        }
        if self._part is not None:
            authors = self._authors(self._part)
            found |= {
                comment.get("ref", "")
                for comment in self._comments(self._part)
                if authors.get(comment.get("authorId", ""), "").startswith("tc=")
            }
        return frozenset(found)

    def _authors(self, part: str) -> dict[str, str]:
        elements = self._package.root(part).iter("{*}author")
        return {str(number): element.text or "" for number, element in enumerate(elements)}

    def _comments(self, part: str) -> Iterator[Element]:
        for container in children(self._package.root(part), "commentList"):
            yield from children(container, "comment")

    # ------------------------------------------------------------------------------------------------ taking ours out

    def clean(self) -> None:
        """Take our text out of the notes, with the notes that hold nothing else, and the parts that no note is left in."""
        if self._part is None:
            return
        gone = set()
        for comment in list(self._comments(self._part)):
            if _without_ours(comment):
                self._package.touch(self._part)
                if not _text(comment).strip():
                    gone.add(comment.get("ref", ""))
                    remove(comment)
        if not gone:
            return
        self._remove_author()
        self._remove_boxes(gone)
        if next(self._comments(self._part), None) is None:
            self._package.take_out(self._sheet, self._part)
            self._part = None

    def _remove_author(self) -> None:
        """Remove our name from the list of authors where it is the last one and signs nothing any more."""
        assert self._part is not None
        authors = [one for names in children(self._package.root(self._part), "authors") for one in names]
        used = {comment.get("authorId") for comment in self._comments(self._part)}
        if len(authors) > 1 and authors[-1].text == AUTHOR and str(len(authors) - 1) not in used:
            remove(authors[-1])

    def _remove_boxes(self, cells: set[str]) -> None:
        drawing = self._drawing()
        if drawing is None:
            return
        data = self._package.raw(drawing)

        def kept(match: re.Match[bytes]) -> bytes:
            row, column = _ROW.search(match[0]), _COLUMN.search(match[0])
            if row is None or column is None:
                return match[0]
            return b"" if f"{column_letter(int(column[1]) + 1)}{int(row[1]) + 1}" in cells else match[0]

        left = _SHAPE.sub(kept, data)
        if left == data:
            return
        if not _SHAPE.search(left) and b"<v:group" not in left:
            self._package.take_out(self._sheet, drawing)
            for element in list(children(self._package.root(self._sheet), "legacyDrawing")):
                remove(element)
            self._package.touch(self._sheet)
            return
        used = {int(number) // _BLOCK for number in _SHAPE_ID.findall(left)}
        self._package.replace(drawing, _BLOCKS.sub(lambda match: match[1] + _joined(match[2], used) + match[3], left))

    # --------------------------------------------------------------------------------------------------- adding ours

    def add(self, notes: Mapping[tuple[int, int], Sequence[Paragraph]]) -> None:
        """Add our text to cells, given by row and column; a note that is there gets it behind its own text."""
        if not notes:
            return
        package = self._package
        if self._part is None:
            space = namespace(package.root(self._sheet)).strip("{}")
            self._part = package.free_name("xl/comments{}.xml")
            package.add(self._part, f'<comments xmlns="{space}"><authors/><commentList/></comments>'.encode())
            package.relate(self._sheet, "/comments", self._part)
            package.state_type(self._part, _COMMENTS_TYPE)
        root = package.root(self._part)
        package.touch(self._part)
        space = namespace(root)
        container = next(children(root, "commentList"))
        present = {comment.get("ref"): comment for comment in children(container, "comment")}
        author = self._our_author(root)
        boxes = []
        for (row, column), paragraphs in notes.items():
            address = f"{column_letter(column)}{row}"
            comment = present.get(address)
            if comment is None:
                attributes = {"ref": address, "authorId": author, "shapeId": "0"}
                comment = etree.SubElement(container, f"{space}comment", attributes)
                etree.SubElement(comment, f"{space}text")
                boxes.append((row, column, _lines(paragraphs)))
            _append(comment, paragraphs)
        if boxes:
            self._draw(boxes)

    def _our_author(self, root: Element) -> str:
        authors = next(children(root, "authors"))
        names = [author.text for author in authors]
        if AUTHOR not in names:
            etree.SubElement(authors, f"{namespace(root)}author").text = AUTHOR
            names.append(AUTHOR)
        return str(names.index(AUTHOR))

    def _drawing(self) -> str | None:
        """Return the VML drawing of the sheet, not that of its headers and footers."""
        element = next(children(self._package.root(self._sheet), "legacyDrawing"), None)
        if element is None:
            return None
        identifier = next((value for name, value in element.attrib.items() if name.endswith("}id")), None)
        return next(
            (part for relation, part in self._package.relations(self._sheet) if relation.get("Id") == identifier), None
        )

    def _draw(self, boxes: Sequence[tuple[int, int, int]]) -> None:
        """Draw the boxes of new notes: (row, column, lines of text)."""
        package = self._package
        drawing = self._drawing()
        if drawing is None or not package.has(drawing):
            drawing = package.free_name("xl/drawings/vmlDrawing{}.vml")
            package.add(drawing, _NEW_DRAWING.encode())
            package.state_default_type("vml", _DRAWING_TYPE)
            self._refer_to_drawing(package.relate(self._sheet, "/vmlDrawing", drawing))
        data = package.raw(drawing)
        blocks = range(self._free_block(), 1 << 20)
        place = _Places(package.root(self._sheet))
        shapes = []
        for number, (row, column, lines) in enumerate(boxes):
            identifier = blocks[number // (_BLOCK - 1)] * _BLOCK + number % (_BLOCK - 1) + 1
            shapes.append(_shape(identifier, row, column, place.anchor(row, column, lines), number + 1))
        own = blocks[: (len(boxes) - 1) // (_BLOCK - 1) + 1]
        head, end, tail = data.rpartition(b"</xml>")
        if not end:
            raise ValueError(drawing)
        if b'id="_x0000_t202"' not in head:
            shapes.insert(0, _SHAPE_TYPE)
        drawn = "".join(shapes).encode()
        missing = [name for name, uri in _NAMESPACES.items() if b"xmlns:%s" % name not in head or uri not in head]
        for name in missing:
            drawn = re.sub(rb"<(v:shape(?:type)?) ", rb'<\1 xmlns:%s="%s" ' % (name, _NAMESPACES[name]), drawn)
        head = _BLOCKS.sub(
            lambda match: match[1] + _joined(match[2], _numbers(match[2]) | set(own)) + match[3], head, count=1
        )
        package.replace(drawing, head + drawn + end + tail)

    def _free_block(self) -> int:
        """Return the first block of shape numbers after all those of the workbook."""
        used = {0}
        for part in self._package.names:
            if part.casefold().endswith(".vml") and self._package.has(part):
                data = self._package.raw(part)
                used |= {int(number) // _BLOCK for number in _SHAPE_ID.findall(data)}
                used |= {number for match in _BLOCKS.finditer(data) for number in _numbers(match[2])}
        return max(used) + 1

    def _refer_to_drawing(self, identifier: str) -> None:
        root = self._package.root(self._sheet)
        for element in list(children(root, "legacyDrawing")):
            remove(element)
        relations = self._package.document_relations
        element = root.makeelement(f"{namespace(root)}legacyDrawing", nsmap={"r": relations})
        element.set(f"{{{relations}}}id", identifier)
        after = [
            child
            for child in root
            if local_name(child) in _AFTER_DRAWING
            or (local_name(child) == "AlternateContent" and any(child.iter("{*}controls", "{*}oleObjects")))
        ]
        after[0].addprevious(element) if after else root.append(element)
        self._package.touch(self._sheet)


def _joined(before: bytes, wanted: set[int]) -> bytes:
    """Return the blocks of a drawing that are wanted, those it names already first."""
    kept = [number for number in dict.fromkeys(map(int, re.findall(rb"[0-9]+", before))) if number in wanted]
    return ",".join(map(str, kept + sorted(wanted - set(kept)))).encode()


def _numbers(text: bytes) -> set[int]:
    return set(map(int, re.findall(rb"[0-9]+", text)))


def _lines(paragraphs: Sequence[Paragraph]) -> int:
    return 3 + sum(1 + len(line) // _LETTERS for paragraph in paragraphs for line in paragraph.text.split("\n"))


def _shape(identifier: int, row: int, column: int, anchor: str, order: int) -> str:
    return (
        f'<v:shape id="_x0000_s{identifier}" type="#_x0000_t202" '
        f"style='position:absolute;margin-left:60pt;margin-top:1.5pt;width:{_WIDTH * 3 // 4}pt;height:60pt;"
        f"z-index:{order};visibility:hidden' "
        'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
        "<v:path o:connecttype=\"none\"/><v:textbox style='mso-direction-alt:auto'><div style='text-align:left'></div>"
        '</v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{escape(anchor)}</x:Anchor><x:AutoFill>False</x:AutoFill>"
        f"<x:Row>{row - 1}</x:Row><x:Column>{column - 1}</x:Column></x:ClientData></v:shape>"
    )


class _Places:
    """Where boxes stand beside their cells: the widths of the columns and the heights of the rows of a sheet, in pixels."""

    def __init__(self, root: Element) -> None:
        formats = next(children(root, "sheetFormatPr"), None)
        stated = dict(formats.attrib) if formats is not None else {}
        self._width = _pixels(stated.get("defaultColWidth") or "9.14")
        self._height = round(float(stated.get("defaultRowHeight") or 15) * 4 / 3)
        self._columns = [
            (
                int(one.get("min", "0")),
                int(one.get("max", "0")),
                0 if _hides(one) else _pixels(one.get("width") or "9.14"),
            )
            for one in columns(root)
        ]
        self._rows = {
            int(row.get("r", "0")): 0 if _hides(row) else round(float(row.get("ht") or 15) * 4 / 3)
            for data in children(root, "sheetData")
            for row in children(data, "row")
            if row.get("ht") or _hides(row)
        }

    def anchor(self, row: int, column: int, lines: int) -> str:
        """Return the anchor of a box: the columns and rows of its corners, each with its distance in pixels."""
        left, top = column, max(row - 2, 0)
        right, over = _walked(left, _WIDTH + 15, self._width_of)
        bottom, below = _walked(top, min(lines, 26) * _LINE + 10, self._height_of)
        return f"{left}, 15, {top}, 4, {right}, {over}, {bottom}, {below}"

    def _width_of(self, column: int) -> int:
        return next((width for first, last, width in self._columns if first <= column + 1 <= last), self._width)

    def _height_of(self, row: int) -> int:
        return self._rows.get(row + 1, self._height)


def _walked(start: int, distance: int, size: object) -> tuple[int, int]:
    assert callable(size)
    place = start
    while place < start + 500 and distance >= (length := int(size(place))):
        distance -= length
        place += 1
    return place, distance


def _pixels(width: str) -> int:
    """Return the pixels of a column width given in characters of the usual font, seven pixels each."""
    return round(float(width) * 7)


def _hides(element: Element) -> bool:
    return element.get("hidden") in ("1", "true")


# ------------------------------------------------------------------------------------------------------ texts of notes


def _items(comment: Element) -> list[Element]:
    """Return the elements of a note that hold its text, in order: the t of each run, or the only one."""
    return [
        text
        for body in children(comment, "text")
        for one in body
        for text in ([one] if local_name(one) == "t" else children(one, "t") if local_name(one) == "r" else ())
    ]


def _text(comment: Element) -> str:
    return "".join(item.text or "" for item in _items(comment))


def _without_ours(comment: Element) -> bool:
    """Take our text, between its marks, out of a note; tells whether there was any."""
    whole = _text(comment)
    start = whole.find(BEGIN)
    if start < 0:
        return False
    end = whole.find(END, start)
    stop = len(whole) if end < 0 else end + len(END)
    start -= next(len(gap) for gap in (_GAP, "\n", "") if whole[:start].endswith(gap))
    place = 0
    for item in _items(comment):
        text = item.text or ""
        first, last = place, place + len(text)
        item.text = text[: max(start - first, 0)] + text[max(min(stop, last) - first, 0) :] if first < stop else text
        place = last
        run = item.getparent()
        if not item.text and run is not None and local_name(run) == "r":
            remove(run)
    if _text(comment).strip() and BEGIN in _text(comment):
        _without_ours(comment)
    return True


def _append(comment: Element, paragraphs: Sequence[Paragraph]) -> None:
    """Put our text, between its marks, behind the text of a note."""
    body = next(children(comment, "text"))
    space = namespace(body)
    plain = [one for one in body if local_name(one) == "t"]
    for one in plain:  # a text without runs takes none beside it
        run = body.makeelement(f"{space}r")
        one.addprevious(run)
        run.append(one)
        one.set(_SPACE, "preserve")
    before = bool(_text(comment))
    runs = [Paragraph((_GAP if before else "") + BEGIN + "\n")]
    left = MAX_NOTE
    for paragraph in paragraphs:
        if left <= 0:
            break
        runs.append(Paragraph(paragraph.text[:left] + "\n", paragraph.bold))
        left -= len(paragraph.text)
    runs.append(Paragraph(END))
    for piece in runs:
        run = etree.SubElement(body, f"{space}r")
        properties = etree.SubElement(run, f"{space}rPr")
        if piece.bold:
            etree.SubElement(properties, f"{space}b")
        etree.SubElement(properties, f"{space}sz", {"val": "9"})
        etree.SubElement(properties, f"{space}color", {"indexed": "81"})
        etree.SubElement(properties, f"{space}rFont", {"val": "Tahoma"})
        etree.SubElement(properties, f"{space}family", {"val": "2"})
        text = etree.SubElement(run, f"{space}t")
        text.text = _allowed(piece.text)
        text.set(_SPACE, "preserve")


_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


def _allowed(text: str) -> str:
    """Return a text without the characters that XML cannot hold, and with what reads as an escape escaped."""
    return re.sub(r"_x[0-9A-Fa-f]{4}_", lambda match: f"_x005F{match[0]}", _ILLEGAL.sub("�", text))

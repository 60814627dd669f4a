"""The styles of a workbook, to which others are added: a cell's own with another fill, as text, or new ones.

What is there keeps its place and its number, so that all cells, formats and tables look as they did; a style that is there
already is used again. Styles are numbers, as cells give them (ISO/IEC 29500-1, 18.8.10).
"""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property

from lxml import etree

from jdv_qa.workbook.package import Element, Package, children, local_name, namespace

TEXT_FORMAT = "49"
"""The number of the built-in number format "@" (ISO/IEC 29500-1, 18.8.30)."""

_PART = "xl/styles.xml"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_ORDER = (
    "numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles", "colors",
    "extLst",
)  # fmt: skip
_FIRST = {
    "fonts": '<font><sz val="11"/><name val="Calibri"/></font>',
    "fills": '<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>',
    "borders": "<border><left/><right/><top/><bottom/><diagonal/></border>",
    "cellXfs": '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
}
"""What a list of styles begins with where there is none; Excel takes the first two fills for these whatever they say."""

NO_FILL = '<fill><patternFill patternType="none"/></fill>'


class StyleSheet:
    """The styles part of a workbook being edited."""

    def __init__(self, package: Package) -> None:
        """Look at the styles of a workbook; one without any gets the part when a style is added."""
        self._package = package
        self._known: dict[str, dict[str, int]] = {}
        self._likes: dict[tuple[int, str], int] = {}

    @cached_property
    def _part(self) -> str:
        package = self._package
        parts = package.related(package.workbook_part, "/styles")
        if parts:
            return parts[0]
        space = namespace(package.root(package.workbook_part)).strip("{}")
        package.add(_PART, f'<styleSheet xmlns="{space}"/>'.encode())
        package.relate(package.workbook_part, "/styles", _PART)
        package.state_type(_PART, _TYPE)
        return _PART

    def _list(self, name: str) -> Element:
        """Return the list of the fonts, fills, borders or cell styles."""
        root = self._package.root(self._part)
        found = next(children(root, name), None)
        if found is None:
            found = root.makeelement(f"{namespace(root)}{name}")
            before = [child for child in root if local_name(child) in _ORDER[: _ORDER.index(name)]]
            before[-1].addnext(found) if before else root.insert(0, found)
        if not len(found):
            for element in _parsed(f"<all>{_FIRST[name]}</all>", namespace(root)):
                found.append(element)
        return found

    def _number(self, name: str, element: Element) -> int:
        """Return the number of a font, fill, border or cell style, adding it where there is none like it."""
        container = self._list(name)
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = {}
            for number, one in enumerate(container):
                known.setdefault(_canonical(one), number)
        key = _canonical(element)
        if key not in known:
            element.tail = None
            container.append(element)
            container.set("count", str(len(container)))
            known[key] = len(container) - 1
            self._package.touch(self._part)
        return known[key]

    def _xf(self, style: int) -> Element:
        styles = self._list("cellXfs")
        return styles[style if 0 <= style < len(styles) else 0]

    def fill(self, style: int) -> str:
        """Return the fill of a style as XML without namespaces, NO_FILL for none."""
        fills = self._list("fills")
        number = int(self._xf(style).get("fillId") or 0)
        if not 0 < number < len(fills):
            return NO_FILL
        return _plain(fills[number])

    @property
    def count(self) -> int:
        """How many styles of cells there are."""
        return len(self._list("cellXfs"))

    def with_fill(self, style: int, fill: str) -> int:
        """Return the number of a style that differs from another by its fill alone, as `fill` gives it."""
        number = 0 if fill == NO_FILL else self._number("fills", self._made(fill))
        changed = deepcopy(self._xf(style))
        changed.set("fillId", str(number))
        changed.set("applyFill", "1")
        return self._number("cellXfs", changed)

    def like_with_fill(self, style: int, fill: str) -> int:
        """Return the number of the first style that differs from another by its fill alone, whether or not it says so.

        That undoes `with_fill`; where there is no such style any more, it is added.
        """
        if (style, fill) not in self._likes:
            number = 0 if fill == NO_FILL else self._number("fills", self._made(fill))
            wanted = self._without_fill(self._xf(style))
            same = (
                place
                for place, one in enumerate(self._list("cellXfs"))
                if int(one.get("fillId") or 0) == number and self._without_fill(one) == wanted
            )
            found = next(same, None)
            self._likes[style, fill] = self.with_fill(style, fill) if found is None else found
        return self._likes[style, fill]

    def as_text(self, style: int) -> int:
        """Return the number of a style that differs from another by its number format alone, which is that of texts."""
        if self._xf(style).get("numFmtId") == TEXT_FORMAT:
            return style
        changed = deepcopy(self._xf(style))
        changed.set("numFmtId", TEXT_FORMAT)
        changed.set("applyNumberFormat", "1")
        return self._number("cellXfs", changed)

    def new(self, *, font: str, fill: str = NO_FILL, border: str = _FIRST["borders"], alignment: str = "") -> int:
        """Return the number of a style of our own; its parts are XML without namespaces."""
        numbers = {
            "fontId": self._number("fonts", self._made(font)),
            "fillId": 0 if fill == NO_FILL else self._number("fills", self._made(fill)),
            "borderId": self._number("borders", self._made(border)),
        }
        xf = self._made(
            '<xf numFmtId="0" fontId="{fontId}" fillId="{fillId}" borderId="{borderId}" xfId="0" applyFont="1" '
            'applyFill="1" applyBorder="1" applyAlignment="1">'.format_map(numbers)
            + f"{alignment}</xf>"
        )
        return self._number("cellXfs", xf)

    def _made(self, text: str) -> Element:
        return _parsed(text, namespace(self._package.root(self._part)))

    @staticmethod
    def _without_fill(xf: Element) -> str:
        copy = deepcopy(xf)
        for name in ("fillId", "applyFill"):
            copy.attrib.pop(name, None)
        return _canonical(copy)


def _parsed(text: str, space: str) -> Element:
    """Return the element of an XML text without namespaces, in a namespace."""
    uri = space.strip("{}")
    name = text[1:].split(None, 1)[0].split(">", 1)[0].split("/", 1)[0]
    return etree.fromstring(text.replace(f"<{name}", f'<{name} xmlns="{uri}"', 1))


def _plain(element: Element) -> str:
    """Return an element as XML without namespaces and without what stands behind it."""
    root = etree.fromstring(_canonical(element))
    for one in root.iter(etree.Element):
        one.tag = local_name(one)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def _canonical(element: Element) -> str:
    copy = deepcopy(element)
    copy.tail = None
    for one in copy.iter(etree.Element):
        if not (one.text or "").strip():
            one.text = None
        if one is not copy:
            one.tail = None
    return str(etree.tostring(copy, method="c14n", exclusive=True).decode())

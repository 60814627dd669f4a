"""What the parts of a workbook's file say of its sheets: their names, states and places, and what python-calamine does not tell.

That is: hidden rows, columns and tabs, active filters, merged ranges, formulas and error cells (`sheet_scan`).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property
from pyexpat import ExpatError, ParserCreate
from typing import NamedTuple

from jdv_qa.language import say
from jdv_qa.workbook.edition import Sheet
from jdv_qa.workbook.limits import Refused
from jdv_qa.workbook.parts import Parts
from jdv_qa.workbook.sheet_scan import look_at, refuse_markup

OWN_TAB = "jdv.annotation"
"""The name, hidden and of the tab alone, that marks a tab which `jdv check --annotate` has put in front of the others."""

_TYPES = "[Content_Types].xml"


class SheetPart(NamedTuple):
    """A worksheet: its name, the part that holds it, and its state ("visible", "hidden" or "veryHidden")."""

    name: str
    part: str
    state: str


class _Relation(NamedTuple):
    kind: str
    target: str


class Structure:
    """The tabs of a workbook, by the parts of its file.

    Every way in raises zipfile.BadZipFile, KeyError or ExpatError on a file that is no workbook, and Refused on one that no
    program writes: no reader is to be given its bytes.
    """

    def __init__(self, parts: Parts) -> None:
        """Find the part that lists the sheets."""
        self.parts = parts
        found = (one.target for one in _relations(parts, "").values() if one.kind.endswith("/officeDocument"))
        self.workbook = next(found, "xl/workbook.xml")
        self._data = parts.read(self.workbook)

    @cached_property
    def _relations(self) -> dict[str, _Relation]:
        return _relations(self.parts, self.workbook)

    @cached_property
    def sheets(self) -> tuple[SheetPart, ...]:
        """The worksheets, in the workbook's order."""
        found: list[SheetPart] = []
        for tag, attributes in _elements(self._data, self.workbook):
            if tag == "sheet":
                identifier = next(
                    (text for name, text in attributes.items() if name.rpartition(":")[1:] == (":", "id")), ""
                )
                relation = self._relations.get(identifier)
                if relation is not None and relation.kind.endswith("/worksheet"):
                    found.append(
                        SheetPart(attributes.get("name", ""), relation.target, attributes.get("state", "visible"))
                    )
        names = [sheet.name.casefold() for sheet in found]
        if twice := next((sheet.name for sheet in found if names.count(sheet.name.casefold()) > 1), None):
            raise Refused(
                say(
                    f"deux onglets portent le nom « {twice} » ; renommez l'un des deux dans Excel",
                    f'two tabs bear the name "{twice}"; rename one of them in Excel',
                )
            )
        return tuple(found)

    @cached_property
    def own_tabs(self) -> frozenset[str]:
        """The names of the tabs that `jdv check --annotate` put into the workbook, known by their mark."""
        if OWN_TAB.encode() not in self._data:
            return frozenset()
        sheets: list[str] = []
        marked: set[str] = set()
        for tag, attributes in _elements(self._data, self.workbook):
            if tag == "sheet":
                sheets.append(attributes.get("name", ""))
            elif tag == "definedName" and attributes.get("name") == OWN_TAB:
                marked.add(attributes.get("localSheetId", ""))
        return frozenset(name for number, name in enumerate(sheets) if str(number) in marked)

    def read_sheets(self) -> Iterator[Sheet]:
        """Yield the worksheets, ours apart, as far as their XML tells."""
        for name, part, state in self.sheets:
            if name in self.own_tabs:
                continue
            look = look_at(name, part, self.parts.read(part))
            yield Sheet(
                name,
                None,
                state=state,
                hidden_rows=look.hidden_rows,
                hidden_columns=look.hidden_columns,
                filtered=look.filtered or (look.has_tables and self._has_filtered_table(part)),
                merged=look.merged,
                formulas=look.formulas,
                errors=look.errors,
            )

    def _has_filtered_table(self, part: str) -> bool:
        """Tell whether a filter is active in a table ("Mettre sous forme de tableau") of a worksheet."""
        tables = (one.target for one in _relations(self.parts, part).values() if one.kind.endswith("/table"))
        return any(b"filterColumn" in self.parts.read(table) for table in tables if table in self.parts)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The parts that a reader of values needs, the sheets' apart: read and looked at, so that it may be given them."""
        names = [_TYPES, relations_of(""), self.workbook, relations_of(self.workbook)]
        for kind in ("/sharedStrings", "/styles", "/theme"):
            names += [one.target for one in self._relations.values() if one.kind.endswith(kind)]
        kept = [name for name in dict.fromkeys(names) if name in self.parts]
        for name in kept:
            refuse_markup(self.parts.read(name), name)
        return tuple(kept)


def relations_of(part: str) -> str:
    """Return the name of the part that holds the relationships of a part, "" standing for the file itself."""
    folder, name = posixpath.split(part)
    return f"{folder}/_rels/{name}.rels".lstrip("/")


def _relations(parts: Parts, part: str) -> dict[str, _Relation]:
    """Return the relationships of a part that lead to another part, by id; none when it has none."""
    name, folder = relations_of(part), posixpath.dirname(part)
    if part and name not in parts:
        return {}
    found = {}
    for tag, attributes in _elements(parts.read(name), name):
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            inside = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            )
            found[attributes.get("Id", "")] = _Relation(attributes.get("Type", ""), inside)
    return found


def _elements(data: bytes, part: str) -> list[tuple[str, dict[str, str]]]:
    """Return the elements of a small XML part in order: their names without prefix, and their attributes."""
    refuse_markup(data, part)
    found: list[tuple[str, dict[str, str]]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        found.append((tag.rpartition(":")[2], attributes))

    def refuse_type(name: str, *_: object) -> None:
        raise ExpatError(f"DOCTYPE {name}")

    parser = ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse_type
    parser.Parse(data, True)
    return found

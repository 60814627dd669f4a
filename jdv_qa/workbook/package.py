"""The parts of a workbook's file: read when they are needed, parsed once, and written again with those that changed.

Elements are found by local name, so that strict and transitional workbooks (ISO/IEC 29500), and the extensions of later
Excels, are read alike.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TypeAlias
from zipfile import BadZipFile

from lxml import etree

from jdv_qa.workbook.archive import rewritten
from jdv_qa.workbook.parts import Parts
from jdv_qa.workbook.sheet_scan import refuse_markup
from jdv_qa.workbook.sheets import UNREADABLE, damaged, workbook_content
from jdv_qa.workbook.structure import Structure, names_by_relationships, target_of

Element: TypeAlias = "etree._Element"

_TYPES = "[Content_Types].xml"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace, "" for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def namespace(element: Element) -> str:
    """Return the namespace of an element as it stands before its name, braces included."""
    return str(element.tag).rpartition("}")[0] + "}" if str(element.tag).startswith("{") else ""


def outside_cells(root: Element, *names: str) -> Iterator[Element]:
    """Yield the elements of a sheet that are not of its rows and cells, of some names or all."""
    for child in root:
        if local_name(child) != "sheetData":
            for element in child.iter(etree.Element):
                if not names or local_name(element) in names:
                    yield element


def children(element: Element, *names: str) -> Iterator[Element]:
    """Yield the elements just below an element that have one of some names."""
    for child in element:
        if local_name(child) in names:
            yield child


def relations_part(part: str) -> str:
    """Return the name of the part that holds the relationships of a part."""
    folder, name = posixpath.split(part)
    return f"{folder}/_rels/{name}.rels".lstrip("/")


def remove(element: Element) -> None:
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


class Package:
    """The file of a workbook. `sheets`: name of each worksheet -> its part, in order; `names`: the parts and their sizes."""

    def __init__(self, path: Path) -> None:
        """Read a file. Raises WorkbookError when it is no workbook."""
        self.path = path
        self._source = workbook_content(path)
        self._trees: dict[str, etree._ElementTree[Element]] = {}
        self._touched: set[str] = set()
        self._replaced: dict[str, bytes] = {}
        self._removed: set[str] = set()
        self._added: dict[str, bytes] = {}
        try:
            self._parts = Parts(self._source)
            if odd := names_by_relationships(self._parts):
                self._source = rewritten(self._source, {}, renamed=odd)
                self._parts = Parts(self._source)
            self.names = {name: self._parts.size(name) for name in self._parts}
            self.sheets = {sheet.name: sheet.part for sheet in Structure(self._parts).sheets}
        except UNREADABLE as error:
            raise damaged(path, error) from error

    @property
    def touched(self) -> frozenset[str]:
        """The parts whose trees were edited."""
        return frozenset(self._touched)

    def touch(self, part: str) -> None:
        """Say that the tree of a part was edited."""
        self._touched.add(part)

    def replace(self, part: str, content: bytes) -> None:
        """Give a part other bytes."""
        self._replaced[part] = content

    def drop(self, part: str) -> None:
        """Leave a part out of the file written; what refers to it is the caller's to remove."""
        self._removed.add(part)

    def add(self, part: str, content: bytes) -> None:
        """Put a part into the file, in the place of one of that name that was dropped; what refers to it is the caller's."""
        self._trees.pop(part, None)
        self._touched.discard(part)
        if part in self._removed or (part in self.names and part not in self._added):
            self._removed.discard(part)
            self._replaced[part] = content
        else:
            self._added[part] = content
            self.names[part] = len(content)

    def has(self, part: str) -> bool:
        """Tell whether a part is in the file as edited."""
        return part in self.names and part not in self._removed

    def content(self) -> bytes:
        """Return the bytes of the file as edited; those read when nothing was. Raises WorkbookError on a damaged part."""
        if not self._touched and not self._replaced and not self._removed and not self._added:
            return self._source
        edited = {part: _serialised(self._trees[part]) for part in self._touched if part not in self._removed}
        edited = {part: data for part, data in self._replaced.items() if part not in self._removed} | edited
        replaced = {part: data for part, data in edited.items() if part not in self._added}
        added = {part: edited.get(part, data) for part, data in self._added.items() if part not in self._removed}
        try:
            return rewritten(self._source, replaced, self._removed, added)
        except BadZipFile as error:  # a part that nothing had to look at is damaged
            raise damaged(self.path, error) from error

    def raw(self, part: str) -> bytes:
        """Return the bytes of a part as read, or as `replace` or `add` was given them; not what was edited in its tree."""
        if part in self._replaced:
            return self._replaced[part]
        if part in self._added:
            return self._added[part]
        return self._parts.read(part)

    def root(self, part: str) -> Element:
        """Return the root of an XML part, parsed once. No entity is resolved and nothing is fetched."""
        if part not in self._trees:
            try:
                data = self.raw(part)
                refuse_markup(data, part)
                parser = etree.XMLParser(
                    resolve_entities=False, no_network=True, load_dtd=False, strip_cdata=False, huge_tree=False
                )
                self._trees[part] = etree.parse(BytesIO(data), parser)
            except UNREADABLE as error:
                raise damaged(self.path, error) from error
        return self._trees[part].getroot()

    def relations(self, part: str) -> Iterator[tuple[Element, str]]:
        """Yield the relationships of a part that lead to another part, each with the name of that part."""
        folder = posixpath.dirname(part)
        relations = relations_part(part)
        if not self.has(relations):
            return
        for relation in self.root(relations):
            target = relation.get("Target", "")
            if relation.get("TargetMode") != "External":
                yield relation, target_of(folder, target)

    def related(self, part: str, kind: str) -> list[str]:
        """Return the parts that a part is related to by relationships of a kind ("/comments")."""
        return [
            target
            for relation, target in self.relations(part)
            if relation.get("Type", "").endswith(kind) and target in self.names and target not in self._removed
        ]

    @cached_property
    def document_relations(self) -> str:
        """What the types of relationships between the parts of a workbook begin with: strict workbooks have their own."""
        relations = self.root(relations_part(self.workbook_part))
        types = (relation.get("Type", "") for relation in relations)
        return next(kind.rpartition("/")[0] for kind in types if kind.endswith(("/worksheet", "/styles")))

    def relate(self, part: str, kind: str, target: str) -> str:
        """Relate a part to another one, by a kind ("/comments"); returns the id of the relationship."""
        relations = relations_part(part)
        if not self.has(relations):
            self.add(relations, f'<Relationships xmlns="{_RELATIONS}"/>'.encode())
        root = self.root(relations)
        taken = {relation.get("Id", "").casefold() for relation in root}
        identifier = next(f"rId{number}" for number in range(1, len(taken) + 2) if f"rid{number}" not in taken)
        path = posixpath.relpath(target, posixpath.dirname(part))
        attributes = {"Id": identifier, "Type": self.document_relations + kind, "Target": path}
        etree.SubElement(root, f"{namespace(root)}Relationship", attributes)
        self.touch(relations)
        return identifier

    def take_out(self, part: str, target: str) -> None:
        """Take a part out of the file, with the relationship of another part to it and the word about its type."""
        self.drop(target)
        relations = relations_part(part)
        for relation, related in list(self.relations(part)):
            if related == target:
                remove(relation)
                self.touch(relations)
        if self.has(relations) and not len(self.root(relations)):
            self.drop(relations)
        for override in list(self.root(_TYPES)):
            if override.get("PartName", "").lstrip("/") == target:
                remove(override)
                self.touch(_TYPES)

    def state_type(self, part: str, content_type: str) -> None:
        """Say of what type a part is."""
        types = self.root(_TYPES)
        attributes = {"PartName": f"/{part}", "ContentType": content_type}
        etree.SubElement(types, f"{namespace(types)}Override", attributes)
        self.touch(_TYPES)

    def state_default_type(self, extension: str, content_type: str) -> None:
        """Say of what type the parts whose names end so are, unless it is said already."""
        types = self.root(_TYPES)
        if any(one.get("Extension", "").casefold() == extension for one in children(types, "Default")):
            return
        attributes = {"Extension": extension, "ContentType": content_type}
        types.insert(0, types.makeelement(f"{namespace(types)}Default", attributes))
        self.touch(_TYPES)

    def free_name(self, pattern: str) -> str:
        """Return the first name of the form "xl/comments{}.xml" that no part bears, whatever its case."""
        taken = {name.casefold() for name in self.names if self.has(name)}
        numbers = range(1, len(taken) + 2)
        return next(name for number in numbers if (name := pattern.format(number)).casefold() not in taken)

    @cached_property
    def workbook_part(self) -> str:
        """The part that lists the sheets."""
        return next(iter(self.related("", "/officeDocument")), "xl/workbook.xml")

    def defined_names(self) -> Iterator[Element]:
        """Yield the elements of the names that the workbook defines."""
        for names in children(self.root(self.workbook_part), "definedNames"):
            yield from children(names, "definedName")


def _serialised(tree: etree._ElementTree[Element]) -> bytes:
    # lxml reads a declaration that says nothing of it as "no", which is what it means
    standalone = ' standalone="yes"' if tree.docinfo.standalone else ""
    declaration = f'<?xml version="1.0" encoding="UTF-8"{standalone}?>\n'.encode()
    return declaration + etree.tostring(tree, encoding="UTF-8", xml_declaration=False)

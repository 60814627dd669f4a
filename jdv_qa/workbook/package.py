"""The parts of a workbook's file: read when they are needed, parsed once, and written again with those that changed.

Elements are found by local name, so that strict and transitional workbooks (ISO/IEC 29500), and the extensions of later
Excels, are read alike.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from jdv_qa.workbook.archive import rewritten
from jdv_qa.workbook.sheets import UNREADABLE, damaged, workbook_content
from jdv_qa.workbook.structure import sheet_paths

Element: TypeAlias = "etree._Element"

MAX_PART = 1 << 30
"""Bytes of one unpacked part above which a workbook is refused: nothing but a zip bomb is so large."""


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
        try:
            with zipfile.ZipFile(BytesIO(self._source)) as archive:
                self.names = {info.filename: info.file_size for info in archive.infolist()}
                if large := next((name for name, size in self.names.items() if size > MAX_PART), None):
                    raise ValueError(large)
                self.sheets = {name: part for name, part, _ in sheet_paths(archive)}
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

    def content(self) -> bytes:
        """Return the bytes of the file as edited; those read when nothing was."""
        if not self._touched and not self._replaced and not self._removed:
            return self._source
        replaced = {part: _serialised(self._trees[part]) for part in self._touched} | self._replaced
        return rewritten(self._source, replaced, self._removed)

    def raw(self, part: str) -> bytes:
        """Return the bytes of a part as read, or as `replace` was given them; not what was edited in its tree."""
        if part in self._replaced:
            return self._replaced[part]
        with zipfile.ZipFile(BytesIO(self._source)) as archive:
            return archive.read(part)

    def root(self, part: str) -> Element:
        """Return the root of an XML part, parsed once. No entity is resolved and nothing is fetched."""
        if part not in self._trees:
            try:
                data = self.raw(part)
                if b"<!DOCTYPE" in data[:4096]:
                    raise ValueError(part)
                parser = etree.XMLParser(
                    resolve_entities=False, no_network=True, load_dtd=False, strip_cdata=False, huge_tree=False
                )
                self._trees[part] = etree.parse(BytesIO(data), parser)
            except (*UNREADABLE, etree.XMLSyntaxError) as error:
                raise damaged(self.path, error) from error
        return self._trees[part].getroot()

    def relations(self, part: str) -> Iterator[tuple[Element, str]]:
        """Yield the relationships of a part that lead to another part, each with the name of that part."""
        folder, name = posixpath.split(part)
        relations = f"{folder}/_rels/{name}.rels".lstrip("/")
        if relations not in self.names:
            return
        for relation in self.root(relations):
            target = relation.get("Target", "")
            if relation.get("TargetMode") != "External":
                yield (
                    relation,
                    target.lstrip("/")
                    if target.startswith("/")
                    else posixpath.normpath(posixpath.join(folder, target)),
                )

    def related(self, part: str, kind: str) -> list[str]:
        """Return the parts that a part is related to by relationships of a kind ("/comments")."""
        return [
            target
            for relation, target in self.relations(part)
            if relation.get("Type", "").endswith(kind) and target in self.names and target not in self._removed
        ]

    @cached_property
    def workbook_part(self) -> str:
        """The part that lists the sheets."""
        return next(iter(self.related("", "/officeDocument")), "xl/workbook.xml")

    def defined_names(self) -> Iterator[Element]:
        """Yield the elements of the names that the workbook defines."""
        for names in children(self.root(self.workbook_part), "definedNames"):
            yield from children(names, "definedName")


def _serialised(tree: etree._ElementTree[Element]) -> bytes:
    standalone = {True: ' standalone="yes"', False: ' standalone="no"', None: ""}[tree.docinfo.standalone]
    declaration = f'<?xml version="1.0" encoding="UTF-8"{standalone}?>\n'.encode()
    return declaration + etree.tostring(tree, encoding="UTF-8", xml_declaration=False)

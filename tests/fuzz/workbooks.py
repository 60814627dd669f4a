"""Small workbooks to spoil: the shipped sample cut to a few rows, as parts, written in the ways that programs write them."""

from __future__ import annotations

import io
import re
import zipfile
from functools import cache

from jdv_qa.sample import files

MAIN_SHEET = "xl/worksheets/sheet2.xml"
STRINGS = "xl/sharedStrings.xml"
_ROWS = {MAIN_SHEET: 14, "xl/worksheets/sheet10.xml": 8}
_OTHER_ROWS = 6
_DATE = (2026, 1, 1, 0, 0, 0)

Parts = dict[str, bytes]


def zipped(parts: Parts) -> bytes:
    """The file of some parts: stored and not compressed, so that its bytes are the same with every zlib, and spoil well."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), data)
    return buffer.getvalue()


@cache
def _cut(version: str) -> Parts:
    """The parts of a sample workbook, cut to the first rows of each sheet and the strings that they use."""
    with zipfile.ZipFile(files()[version]) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if not name.startswith("docProps/")}
    parts["_rels/.rels"] = re.sub(rb"<Relationship [^>]*docProps/[^>]*/>", b"", parts["_rels/.rels"])
    strings = re.findall(rb"<si>.*?</si>", parts[STRINGS], re.S)
    used: dict[int, int] = {}

    def number(match: re.Match[bytes]) -> bytes:
        index = used.setdefault(int(match[2]), len(used))
        return match[1] + b"<v>%d</v>" % index

    for name, data in parts.items():
        if name.startswith("xl/worksheets/"):
            limit = _ROWS.get(name, _OTHER_ROWS)
            data = re.sub(
                rb'<row r="(\d+)".*?</row>',
                lambda match, limit=limit: match[0] if int(match[1]) <= limit else b"",
                data,
                flags=re.S,
            )
            data = re.sub(rb"<mergeCells.*?</mergeCells>|<hyperlinks.*?</hyperlinks>", b"", data, flags=re.S)
            parts[name] = re.sub(rb'(<c r="[A-Z]+\d+"(?: s="\d+")? t="s">)<v>(\d+)</v>', number, data)
    head = parts[STRINGS].partition(b"<si>")[0]
    kept = b"".join(strings[index] for index in used)
    parts[STRINGS] = re.sub(rb' (?:unique)?[cC]ount="\d+"', b"", head) + kept + b"</sst>"
    return parts


def _inline(parts: Parts) -> Parts:
    """The same with its strings in the cells."""
    strings = re.findall(rb"<si>(.*?)</si>", parts[STRINGS], re.S)

    def cell(match: re.Match[bytes]) -> bytes:
        return match[1] + b' t="inlineStr"><is>' + strings[int(match[2])] + b"</is>"

    return {
        name: re.sub(rb'(<c [^>]*?) t="s"><v>(\d+)</v>', cell, data) if name.startswith("xl/worksheets/") else data
        for name, data in parts.items()
    }


def _merged(parts: Parts) -> Parts:
    """The same with two orders of several rows, their cells merged, a formula, an error, a hidden row and column."""
    main = parts[MAIN_SHEET]
    order = re.compile(rb'(<c r="[A-K](?:8|9|12)"[^>]*?)(?: t="s")?>(?:<v>.*?</v></c>)')
    main = order.sub(lambda match: match[1] + b"/>", main)
    ranges = [f"{letter}{first}:{letter}{last}" for letter in "ABCDEFGHIJK" for first, last in ((7, 9), (11, 12))]
    merges = "".join(f'<mergeCell ref="{area}"/>' for area in ranges)
    main = main.replace(
        b"</sheetData>", f'</sheetData><mergeCells count="{len(ranges)}">{merges}</mergeCells>'.encode(), 1
    )
    main = re.sub(rb'<c r="W10"[^>]*?(?:/>|>.*?</c>)', b"", main)
    main = main.replace(b'<row r="13"', b'<row hidden="1" r="13"', 1)
    sheet = parts["xl/worksheets/sheet5.xml"]
    sheet = re.sub(
        rb'<c r="B4"[^>]*?>.*?</c>', b'<c r="B4" t="str"><f>A3</f><v>SER</v></c><c r="C4" t="e"><v>#N/A</v></c>', sheet
    )
    return {**parts, MAIN_SHEET: main, "xl/worksheets/sheet5.xml": sheet}


def _prefixed(parts: Parts) -> Parts:
    """The same with a prefix on every element of the sheets, as some programs write."""

    def put(data: bytes) -> bytes:
        data = re.sub(rb"<(/?)(?=[A-Za-z])(?![\w.-]+:)", rb"<\1x:", data)
        return data.replace(b' xmlns="', b' xmlns:x="', 1)

    return {name: put(data) if name.startswith("xl/worksheets/") else data for name, data in parts.items()}


@cache
def seeds() -> tuple[Parts, ...]:
    """The workbooks to begin with."""
    plain, draft = _cut("1.1.0"), _cut("1.2.0")
    return plain, draft, _inline(plain), _merged(plain), _prefixed(plain), _inline(_merged(draft))

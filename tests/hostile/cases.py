"""Hostile, broken and odd files, built in code: the bytes of each, and what is said of it, or that it is read."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jdv_qa.workbook.edition import column_letter
from jdv_qa.workbook.layout import load_layout
from tests.casebook import PLAIN_ROW

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET, STRINGS, BOOK, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml"
BOOK_RELATIONS = "xl/_rels/workbook.xml.rels"
_TYPES = (
    f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    + "".join(
        f'<Override PartName="/{part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
        for part, kind in ((BOOK, "sheet.main"), (SHEET, "worksheet"), (STRINGS, "sharedStrings"), (STYLES, "styles"))
    )
    + "</Types>"
)
_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills><borders count="1"><border/>'
    '</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4">'
    + "".join(f'<xf numFmtId="{number}" fontId="0" fillId="0" borderId="0"/>' for number in (0, 14, 46, 22))
    + "</cellXfs></styleSheet>"
)
READ = ""
"""Expected of a file that is merely odd: it is read."""


@dataclass(frozen=True)
class Case:
    """A file: how its bytes are made, what is said of it (a regular expression; READ if it is read), and its name."""

    build: Callable[[], bytes]
    said: str = READ
    name: str = "classeur.xlsx"
    slow: bool = False


def inline(address: str, text: object) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


def header_and_row(extra: str = "") -> str:
    """The rows of a sound main tab: its headers, one order with its result, and what a case adds."""
    columns = load_layout().tabs["main"].columns
    headers = "".join(inline(f"{column_letter(at)}1", column.header) for at, column in enumerate(columns.values(), 1))
    cells = "".join(
        inline(f"{column_letter(at)}2", PLAIN_ROW[name])
        for at, name in enumerate(columns, 1)
        if PLAIN_ROW[name] is not None
    )
    return f'<row r="1">{headers}</row><row r="2">{cells}</row>{extra}'


def sheet(rows: str | None = None, *, before: str = "", after: str = "", head: str = '<?xml version="1.0"?>') -> str:
    rows = header_and_row() if rows is None else rows
    return f'{head}<worksheet xmlns="{MAIN}" xmlns:x="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def parts(**changed: str | bytes | None) -> dict[str, bytes]:
    """The parts of a sound workbook of one tab, some of them changed or, with None, left out."""
    kinds = {"worksheet": "worksheets/sheet1.xml", "sharedStrings": "sharedStrings.xml", "styles": "styles.xml"}
    related = "".join(
        f'<Relationship Id="rId{at}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(kinds.items(), 1)
    )
    known: dict[str, str | bytes | None] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        BOOK: book(),
        BOOK_RELATIONS: f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        SHEET: sheet(),
        STRINGS: f'<sst xmlns="{MAIN}" count="1" uniqueCount="1"><si><t>partagé</t></si></sst>',
        STYLES: _STYLES,
    }
    known |= changed
    return {name: data.encode() if isinstance(data, str) else data for name, data in known.items() if data is not None}


def book(*names: str, sheets: str = "", properties: str = "", after: str = "") -> str:
    sheets = sheets or "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="rId1"/>'
        for at, name in enumerate(names or ("1.JDV_CircuitBio",), 1)
    )
    return f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}<sheets>{sheets}</sheets>{after}</workbook>'


def zipped(content: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return written.getvalue()


def workbook(**changed: str | bytes | None) -> Callable[[], bytes]:
    return lambda: zipped(parts(**changed))


def cells(*extra: str, **changed: str | bytes | None) -> Callable[[], bytes]:
    """A sound workbook with further rows."""
    return lambda: zipped(parts(**{SHEET: sheet(header_and_row("".join(extra)))} | changed))


def cell(address: str, inside: str, **attributes: str) -> str:
    written = "".join(f' {name}="{text}"' for name, text in attributes.items())
    return f'<row r="3"><c r="{address}"{written}>{inside}</c></row>'


def bomb() -> bytes:
    """One part of 200 MiB of blanks."""
    return zipped(parts(**{SHEET: sheet(before=" " * (200 << 20))}))


def bomb_in_many_parts() -> bytes:
    rows = {f"xl/worksheets/sheet{at}.xml": sheet(before=" " * (40 << 20)).encode() for at in range(1, 9)}
    sheets = "".join(f'<sheet name="F{at}" sheetId="{at}" r:id="rId{at}"/>' for at in range(1, 9))
    related = "".join(
        f'<Relationship Id="rId{at}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, 9)
    )
    relations = f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>'
    content = parts(**{BOOK: book(sheets=sheets), BOOK_RELATIONS: relations, STRINGS: None, STYLES: None})
    return zipped(content | rows)


def lying_size(stated: int) -> bytes:
    """A sheet that unpacks to 60 MiB, of which the archive states but little, with the checksum of that little."""
    content = parts()
    whole = sheet(after=" " * (60 << 20)).encode()
    good = zipped(content | {SHEET: whole})
    crc = zlib.crc32(whole[:stated])
    return _with_central(good, SHEET, lambda fields: (*fields[:7], crc, fields[8], stated, *fields[10:]))


def overlapping() -> bytes:
    """Every part said to be where the sheet is, as long as the sheet."""
    good = zipped(parts())
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        size = archive.getinfo(SHEET).compress_size
    changed = good
    for name in (STYLES, STRINGS, BOOK):
        changed = _with_central(changed, name, lambda fields: (*fields[:8], size * 4, *fields[9:]))
    return changed


_CENTRAL = struct.Struct("<4s6H3L5H2L")


def _with_central(content: bytes, name: str, change: Callable[[tuple[int, ...]], tuple[int, ...]]) -> bytes:
    """The archive with the entry of a part in its directory changed; fields are numbered as in `_CENTRAL`."""
    at = content.index(b"PK\x01\x02")
    while True:
        fields = _CENTRAL.unpack_from(content, at)
        length = fields[10]
        if content[at + _CENTRAL.size : at + _CENTRAL.size + length] == name.encode():
            return content[:at] + _CENTRAL.pack(*change(fields)) + content[at + _CENTRAL.size :]
        at += _CENTRAL.size + length + fields[11] + fields[12]


def encrypted_part() -> bytes:
    return _with_central(zipped(parts()), SHEET, lambda fields: (*fields[:3], fields[3] | 1, *fields[4:]))


def twice() -> bytes:
    import warnings

    written = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(written, "w") as archive:
        warnings.simplefilter("ignore")
        for name, data in parts().items():
            archive.writestr(name, data)
        archive.writestr(SHEET.replace("sheet1", "Sheet1"), b"<worksheet/>")
    return written.getvalue()


def many_parts() -> bytes:
    return zipped(parts() | {f"xl/media/{at}": b"" for at in range(10_001)}, zipfile.ZIP_STORED)


LAUGHS = '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE w [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
IMPOSSIBLE = "n'existe dans aucune feuille"
TABLE = "table des textes du classeur"

LONG_TEXT = f"<sst xmlns='{MAIN}'><si><t>{'x' * 30_000}</t></si></sst>"
SAME = '<c r="P3" t="s"><v>0</v></c>'

CASES: dict[str, Case] = {
    "sound": Case(workbook()),
    # what is no workbook
    "empty file": Case(lambda: b"", "0 octet"),
    "text": Case(lambda: "Code;Libellé\n2951-2;Sodium\n".encode("cp1252"), "c'est du texte"),
    "web page": Case(lambda: b"<html><table><tr><td>1</td></tr></table></html>", "c'est du texte"),
    "archive that holds a workbook": Case(lambda: zipped({"envoi/JDV été.xlsx": zipped(parts())}), "archive zip, qui contient « envoi/JDV été.xlsx »"),
    "OpenDocument packed otherwise": Case(lambda: zipped({"META-INF/manifest.xml": b"<x/>", "content.xml": b"<x/>", "mimetype": b"x"}), "OpenDocument"),
    "image": Case(lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "ce n'est pas un classeur Excel .xlsx ;"),
    "old format": Case(lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, r"ancien format \.xls"),
    "encrypted": Case(lambda: ENCRYPTED, "mot de passe"),
    "OpenDocument": Case(
        lambda: zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, zipfile.ZIP_STORED), r"\.ods"
    ),
    "lock file": Case(lambda: b"\x06Marie", "donnez le classeur lui-même, « classeur.xlsx »", name="~$classeur.xlsx"),
    "word": Case(
        workbook(**{"_rels/.rels": parts()["_rels/.rels"].replace(b"xl/workbook", b"word/document"), "word/document.xml": "<w/>"}),
        r"pas un classeur \.xlsx",
    ),
    "binary workbook": Case(
        workbook(**{"_rels/.rels": parts()["_rels/.rels"].replace(b"workbook.xml", b"workbook.bin"), "xl/workbook.bin": "x"}),
        r"pas un classeur \.xlsx",
    ),
    # the archive
    "no zip": Case(lambda: b"PK\x03\x04 and nothing more", "incomplète ou abîmée"),
    "cut zip": Case(lambda: workbook()()[:-200], "incomplète ou abîmée"),
    "zip without parts": Case(lambda: zipped({}), "il manque la partie"),
    "zip bomb": Case(bomb, "aucun classeur n'est si gros", slow=True),
    "zip bomb in many parts": Case(bomb_in_many_parts, "aucun classeur n'est si gros", slow=True),
    "size that lies": Case(lambda: lying_size(2000), "se déplie en plus de", slow=True),
    "overlapping parts": Case(overlapping, "se recouvrent"),
    "encrypted part": Case(encrypted_part, "abîmée ou chiffrée"),
    "part twice": Case(twice, "est deux fois dans le fichier"),
    "ten thousand parts": Case(many_parts, "parties dans le fichier"),
    "path that climbs": Case(workbook(**{"../../evil": "x", "/etc/evil": "x"})),
    # missing or broken parts
    **{
        f"without {name}": Case(workbook(**{name: None}), f"il manque la partie « {name.replace('[', '.').replace(']', '.')} »")
        for name in ("[Content_Types].xml", "_rels/.rels", BOOK_RELATIONS, SHEET, STRINGS, STYLES)
    },
    "without the workbook": Case(workbook(**{BOOK: None}), "il manque la partie « xl/workbook.xml »"),
    "cut sheet": Case(workbook(**{SHEET: sheet()[:-60]}), f"« {SHEET} » .onglet « 1.JDV_CircuitBio ». est abîmée"),
    "cut workbook": Case(workbook(**{BOOK: book()[:-12]}), f"« {BOOK} » est abîmée"),
    "cut shared strings": Case(workbook(**{STRINGS: "<sst><si><t>a</t></si>"}), f"« {STRINGS} » est abîmée"),
    "cut styles": Case(workbook(**{STYLES: "<styleSheet><cellXfs>"}), f"« {STYLES} » est abîmée"),
    "empty sheet part": Case(workbook(**{SHEET: ""}), "ne commence pas comme le XML"),
    # XML
    "entity bomb": Case(workbook(**{SHEET: sheet(header_and_row(cell("A3", "<v>&c;</v>", t="str")), head=LAUGHS)}), "type de document"),
    "entity bomb in the workbook": Case(workbook(**{BOOK: LAUGHS + book("&c;")}), "type de document"),
    "entity bomb in the strings": Case(workbook(**{STRINGS: LAUGHS + "<sst><si><t>&c;</t></si></sst>"}), "type de document"),
    "external entity": Case(workbook(**{SHEET: sheet(head=OUTSIDE)}), "type de document"),
    "document type behind a comment": Case(workbook(**{SHEET: sheet(head=f"<!--{'x' * 9000}-->{OUTSIDE}")}), "type de document"),
    "UTF-16": Case(workbook(**{SHEET: sheet(head="").encode("utf-16")}), "encodage inattendu"),
    "stated encoding": Case(workbook(**{SHEET: sheet(head='<?xml version="1.0" encoding="cp037"?>')}), "encodage inattendu"),
    "unknown entity": Case(cells(cell("A3", "<v>&rien;</v>", t="str")), "est abîmée"),
    "no UTF-8": Case(workbook(**{SHEET: sheet().encode().replace(b"Sodium", b"S\xffdium")}), "est abîmée"),
    "foreign elements": Case(cells('<row r="3"><x:c r="B3"><v>1</v></x:c><y>z</y></row>')),
    "prefixed sheet": Case(lambda: zipped(parts(**{SHEET: _prefixed(sheet(head=""))}))),
    "comment": Case(cells('<!-- <c r="ZZZ99999999"/> --><row r="3"><c r="A3" t="str"><v>1</v></c></row>')),
    "CDATA": Case(cells('<row r="3"><c r="A3" t="str"><v><![CDATA[<c r="Q9">]]></v></c></row>'), "cellule A3 : .*CDATA"),
    "CDATA in a text": Case(cells('<row r="3"><c r="A3" t="inlineStr"><is><t>a<![CDATA[b]]></t></is></c></row>')),
    "formula after its value": Case(cells('<row r="3"><c r="A3"><v>1</v><f>B1</f></c></row>'), "cellule A3 : sa formule suit sa valeur"),
    "formula after its text": Case(cells('<row r="3"><c r="A3" t="s"><v>0</v><f>B1</f></c></row>'), "cellule A3 : sa formule suit sa valeur"),
    "formula after its text in place": Case(cells('<row r="3"><c r="A3" t="str"><v>x</v><f>B1</f></c></row>'), "cellule A3 : sa formule suit sa valeur"),
    "comment in a value": Case(cells(cell("A3", "<v>4<!-- x -->6</v>")), "cellule A3 : .*commentaire"),
    "instruction in a value": Case(cells(cell("A3", "<v><?x y?>0</v>", t="s")), "cellule A3 : .*commentaire"),
    "element in a value": Case(cells(cell("A3", "<v>4<y>6</y></v>")), "cellule A3 : .*commentaire"),
    "digit by its number": Case(cells(cell("A3", "<v>&#52;6</v>")), "cellule A3 : .*par son numéro"),
    "two values": Case(cells(cell("A3", "<v>4</v><v/>")), "cellule A3 : elle a une valeur de trop"),
    "value of a text in place": Case(cells(cell("A3", "<v>4</v>", t="inlineStr")), "cellule A3 : elle a une valeur de trop"),
    "table of cells in a row": Case(cells('<row r="3"><sheetData/><c r="A3"><v>1</v></c></row>'), "deux tables de cellules"),
    "table of cells after another": Case(workbook(**{SHEET: sheet(after="<sheetData/>")}), "deux tables de cellules"),
    "comment in a text": Case(cells('<row r="3"><c r="A3" t="inlineStr"><is><t>a<!-- x -->b</t></is></c><c r="B3" t="str"><v>a<!-- x -->b&#99;</v></c></row>')),
    # addresses
    "address beyond a number": Case(cells(cell("A99999999999999999999", "<v>1</v>")), IMPOSSIBLE),
    "row beyond Excel": Case(cells(cell("A1048577", "<v>1</v>")), IMPOSSIBLE),
    "column beyond Excel": Case(cells(cell("XFE3", "<v>1</v>")), IMPOSSIBLE),
    "column of many letters": Case(cells(cell("ZZZZZZZZZZZZZ3", "<v>1</v>")), IMPOSSIBLE),
    "row 0": Case(cells(cell("A0", "<v>1</v>")), IMPOSSIBLE),
    "no digits": Case(cells(cell("ABC", "<v>1</v>")), IMPOSSIBLE),
    "no letters": Case(cells(cell("12", "<v>1</v>")), IMPOSSIBLE),
    "no address": Case(cells('<row r="3"><c><v>1</v></c><c><v>2</v></c></row>')),
    "row number beyond": Case(cells('<row r="99999999999"><c><v>1</v></c></row>'), IMPOSSIBLE),
    "row number below": Case(cells('<row r="-1"><c><v>1</v></c></row>'), IMPOSSIBLE),
    "address behind an attribute": Case(cells('<row r="3"><c s="&gt;" r="A99999999999"><v>1</v></c></row>'), IMPOSSIBLE),
    "address of a prefixed cell": Case(cells('<x:row r="3"><x:c r="A99999999999"><v>1</v></x:c></x:row>'), IMPOSSIBLE),
    "rows out of order": Case(cells('<row r="9"><c r="A9"><v>1</v></c></row><row r="4"><c r="A4"><v>1</v></c></row>')),
    "hidden row twice": Case(cells('<row r="3" hidden="1"><c r="A3"><v>1</v></c></row><row r="3" ht="9"><c r="B3"><v>1</v></c></row>'), "la ligne 3, masquée"),
    "row twice": Case(cells('<row r="3"><c r="A3"><v>1</v></c></row><row r="4" hidden="1"/><row r="3"><c r="B3"><v>1</v></c></row>')),
    "cells of another row": Case(cells('<row r="3"><c r="A7"><v>1</v></c><c t="e"><v>#N/A</v></c></row><row hidden="1"><c><v>4</v></c></row>')),
    "far cell": Case(cells(cell("XFD300000", "<v>1</v>")), "remplies jusqu'en XFD300000"),
    "far cells": Case(cells(cell("A99999", "<v>1</v>"), cell("ZZ3", "<v>1</v>")), "remplies jusqu'en ZZ99999"),
    "far styled cell": Case(cells('<row r="1048576"><c r="XFD1048576" s="1"/></row>')),
    "dimension that lies": Case(workbook(**{SHEET: sheet(before='<dimension ref="A1:ZZZ99999999999"/>')})),
    "dimension too small": Case(workbook(**{SHEET: sheet(header_and_row(cell("XFD900000", "<v>1</v>")), before='<dimension ref="A1"/>')}), "remplies"),
    "a million rows": Case(cells(*(f'<row r="{at}"/>' for at in range(3, 1_000_000))), slow=True),
    "styled tail": Case(cells(*(f'<row r="{at}"><c r="A{at}" s="1"/><c r="B{at}" s="1"/></row>' for at in range(3, 200_000))), slow=True),
    "ten thousand columns": Case(cells('<row r="3">' + "".join(inline(f"{column_letter(at)}3", f"x{at}") for at in range(24, 10_000)) + "</row>"), slow=True),
    # values
    "text of 10 MB": Case(cells('<row r="3">' + inline("K3", "x" * 10_000_000) + inline("L3", "x") + "</row>"), "cellule K3 : 10\u202f000\u202f000 caractères"),
    "shared text beyond the table": Case(cells(cell("A3", "<v>7</v>", t="s")), f"cellule A3 : elle renvoie au texte n° 7, que la {TABLE}"),
    "shared text that is no number": Case(cells(cell("A3", "<v>un</v>", t="s")), f"cellule A3 : elle renvoie au texte n° un, que la {TABLE}"),
    "shared text below 0": Case(cells(cell("A3", "<v>-1</v>", t="s")), TABLE),
    "table of texts that states billions": Case(workbook(**{STRINGS: '<sst uniqueCount="99999999999"><si><t>a</t></si></sst>'}), "annonce 99999999999 éléments"),
    "table of texts that states more": Case(workbook(**{STRINGS: f"<sst xmlns='{MAIN}'\ncount = '9' uniqueCount='999999999999999999'><si><t>a</t></si></sst>"}), "annonce 999999999999999999"),
    "table of texts that states billions behind a comment": Case(
        workbook(**{STRINGS: "<!-- <si> --><sst uniqueCount='99999999999'><si><t>a</t></si></sst>"}), "annonce 99999999999 éléments"
    ),
    "one long text in every cell": Case(
        cells(f'<row r="3">{SAME * 8000}</row>', **{STRINGS: LONG_TEXT}), "les textes des cellules font plus de 192 Mio"
    ),
    "one long text in every cell, beside a formula": Case(
        cells(f'<row r="3"><c r="A3"><f>1</f><v>1</v></c>{SAME * 8000}</row>', **{STRINGS: LONG_TEXT}), "les textes des cellules font plus de 192 Mio"
    ),
    "long texts in many cells": Case(
        cells(*(f'<row r="{at}">' + inline(f"P{at}", "a b " * 8_000) + "</row>" for at in range(3, 303))), "9\u202f599\u202f700 caractères dans des cellules de plus de 1\u202f000"
    ),
    "truth value": Case(cells(cell("A3", "<v>maybe</v>", t="b")), "cellule A3 : « maybe » n'est ni vrai ni faux"),
    "truth value in words": Case(cells(cell("A3", "<v>false</v>", t="b"))),
    "unknown type": Case(cells(cell("A3", "<v>1</v>", t="zz")), "type de cellule inconnu « zz »"),
    "error of a later Excel": Case(cells(cell("A3", "<v>#SPILL!</v>", t="e"))),
    "error without a name": Case(cells(cell("A3", "<v></v>", t="e"))),
    "number that is none": Case(cells(cell("A3", "<v>abc</v>"))),
    "number too large": Case(cells(cell("A3", "<v>1e999</v>"), cell("B3", "<v>NaN</v>"))),
    "date out of range": Case(cells(cell("A3", "<v>1e15</v>", s="1"), cell("B3", "<v>-5</v>", s="1"), cell("C3", "<v>2958466</v>", s="1"))),
    "duration out of range": Case(cells(cell("A3", "<v>1e15</v>", s="2")), "cellule A3 : une durée de 1e.15 jours"),
    "style that is not there": Case(cells(cell("A3", "<v>1</v>", s="99999999999999999999999"))),
    "1904": Case(workbook(**{BOOK: book(properties='<workbookPr date1904="1"/>'), SHEET: sheet(header_and_row(cell("A3", "<v>1</v>", s="1")))})),
    "days counted from who knows when": Case(workbook(**{BOOK: book(properties='<workbookPr date1904="on"/>')}), "date1904"),
    "circular formulas": Case(cells(cell("A3", "<f>B3</f><v>0</v>"), cell("B3", "<f>A3</f><v>0</v>"))),
    "formula that runs": Case(cells(cell("A3", "<f>cmd|'/c calc'!A1</f><v>0</v>"))),
    "shared formula beyond": Case(cells(cell("A3", '<f t="shared" si="99999999999" ref="A1:ZZZZ99999999999">1</f><v>1</v>'))),
    "merged range beyond": Case(workbook(**{SHEET: sheet(after='<mergeCells><mergeCell ref="A1:ZZZZ99999999999"/></mergeCells>')})),
    "merged everything": Case(workbook(**{SHEET: sheet(after='<mergeCells><mergeCell ref="C1:XFD1048576"/></mergeCells>')})),
    "merged again and again": Case(
        workbook(**{SHEET: sheet(header_and_row(cell("W60000", "<v>1</v>")), after="<mergeCells>" + '<mergeCell ref="A3:W60000"/>' * 40 + "</mergeCells>")}),
        "plages fusionnées se recouvrent",
    ),
    # tabs
    "tabs of one name": Case(workbook(**{BOOK: book("1.JDV_CircuitBio", "1.jdv_circuitbio")}), "deux onglets portent le nom"),
    "tab without a name": Case(workbook(**{BOOK: book("")}), "nom vide"),
    "control characters in a name": Case(workbook(**{BOOK: book("Onglet&#10;deux&#9;")}), "caractères de contrôle"),
    "no tabs": Case(workbook(**{BOOK: book(sheets="<!-- -->")}), "le classeur est vide"),
    "tab that leads nowhere": Case(workbook(**{BOOK: book(sheets='<sheet name="A" sheetId="1" r:id="rId99"/>')}), "le classeur est vide"),
    "tabs of one part": Case(workbook(**{BOOK: book("1.JDV_CircuitBio", "2.Chapitres LOINC")}), "renvoient à la même partie"),
    "a hundred thousand tabs": Case(workbook(**{BOOK: book(sheets="<sheet/>" * 100_001)}), f"« {BOOK} » a plus de 100000 éléments"),
    "a hundred thousand relationships": Case(
        workbook(**{BOOK_RELATIONS: f'<Relationships xmlns="{PACKAGE}/relationships">' + '<Relationship Id="a"/>' * 100_001 + "</Relationships>"}),
        "a plus de 100000 éléments",
    ),
    # what is never run nor followed
    "macros": Case(workbook(**{"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}), name="classeur.xlsm"),
    "external links": Case(workbook(**{"xl/externalLinks/externalLink1.xml": "<externalLink/>"})),
    "accents and spaces": Case(workbook(), name="jeu de valeurs été – « 1.2 ».xlsx"),
}  # fmt: skip


def _prefixed(data: str) -> str:
    """The XML of a sheet with a prefix before each name."""
    import re

    return re.sub(r"(</?)(\w)", r"\1x:\2", data)

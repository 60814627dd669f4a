"""Ways to spoil what the tool reads. Every function takes a generator of numbers and the thing, and returns another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.workbooks import MAIN_SHEET, STRINGS, Parts

ODD_TEXTS = (
    "", " ", "\t", "\u00a0", "\u200b", "\ufeff", "0", "-0", "1e5", "1e400", "NaN", "-1", "4294967296", "٣", "²", "Ⅷ", "½",
    "é", "e\u0301", "\u202e", "\u2028", "\x1b[31m", "\x07", "\x85", "_x000D_", "_x0000_", "_xD800_", "&amp;lt;", "<b>", "]]>",
    "=1+1", "@x", "'", '"', "\\", "%s", "{0}", "{unit}", "[/]", "[red]", "../..", "VRAI", "TRUE", "null", "2951-2", "2951–2",
    "2951-3", "X-1", "600238", "LP1234-5", "24326-1;718-7", ";", ";;", "\n", "\r\n", "a\nb", "😀", "\U000e0041", "ﬃ", "İ", "ß",
    "mmol/L", "µmol/l", "UI/L", "10*9/L", "1", "2", "O", "N", "Order", "Both", "SER", "99999999999999999999", "Z" * 40, "é" * 300, "9" * 5000, "1e999999999", "m999999999",
)  # fmt: skip
"""Texts that have surprised programs, and texts that mean something here."""

_ATTRIBUTE_VALUES = (
    "", "0", "1", "-1", "2", "7", "16384", "16385", "1048576", "1048577", "4294967295", "4294967296", "99999999999999999999", "1e3",
    "true", "false", "A1", "A0", "B7", "XFD1", "XFE1", "A1048577", "a1", "$A$1", "1A", "A1:B2", "B2:A1", "A1:XFD1048576", "A3:A99999",
    "s", "n", "b", "e", "d", "str", "inlineStr", "x", "rId1", "rId2", "rId99", "hidden", "veryHidden", "/xl/workbook.xml", "../../x",
    "http://127.0.0.1:9/x", "file:///etc/hostname", "&#10;", "&#x1F600;", "é", "'", "xl/worksheets/sheet2.xml",
)  # fmt: skip

_SNIPPETS = (
    "<!-- c -->", "<?x y?>", "<![CDATA[2951-2]]>", "<v>7</v>", "<v>x</v>", "<v/>", "<f>A1</f>", '<f t="shared" si="0"/>',
    '<f t="array" ref="A1:B2">A1</f>', "<is><t>x</t></is>", "<is><r><t>a</t></r><r><t>b</t></r></is>", "<c/>", "<row/>", '<c r="C7"><v>1</v></c>',
    '<row r="5"><c r="C5" t="str"><v>x</v></c></row>', "<sheetData/>", '<sheetData><row r="40"><c r="B40"><v>4</v></c></row></sheetData>',
    '<mergeCells><mergeCell ref="A3:K4"/></mergeCells>', '<mergeCell ref="B5:B9"/>', '<cols><col min="1" max="3" hidden="1"/></cols>',
    "<rPh sb=\"0\" eb=\"1\"><t>x</t></rPh>", "<si><t>x</t></si>", "<si/>", "<t>x</t>", '<t xml:space="preserve"> x </t>', "&#0;", "&#xFFFE;", "&amp;",
    "&x;", "<", ">", "\x00", "\x0b", "\ufffe", "<extLst><ext/></extLst>", '<sheet name="x" sheetId="9" r:id="rId1"/>', "<phoneticPr/>",
    '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice Requires="x"/></mc:AlternateContent>',
    '<autoFilter ref="A2:W9"><filterColumn colId="0"/></autoFilter>', '<definedName name="x">#REF!</definedName>', '<workbookPr date1904="1"/>',
)  # fmt: skip

_TAG = re.compile(r"<[^<>]*>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_ROW = re.compile(r"<(?:x:)?row\b[^>]*?(?:/>|>.*?</(?:x:)?row>)", re.S)
_CELL = re.compile(r'<(x:)?c r="([A-Z]+)(\d+)"([^>]*?)(?:/>|>(.*?)</(?:x:)?c>)', re.S)


def spoil_bytes(rng: Random, data: bytes) -> bytes:
    """Flip, cut, double, overwrite or move some bytes."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(content) + 1)
        length = rng.choice((1, 1, 2, 4, 16, 200))
        match rng.randrange(7):
            case 0 if at < len(content):
                content[at] ^= 1 << rng.randrange(8)
            case 1:
                content[at : at + length] = bytes(rng.randrange(256) for _ in range(length))
            case 2:
                del content[at : at + length]
            case 3:
                content[at:at] = content[at : at + length]
            case 4:
                content[at : at + 4] = rng.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"PK\x05\x06", b"PK\x01\x02")
                )
            case 5:
                other = rng.randrange(len(content) + 1)
                content[at : at + length] = content[other : other + length]
            case _ if rng.random() < 0.2:
                del content[at:]
    return bytes(content)


def spoil_text(rng: Random, text: str, words: Sequence[str] = ODD_TEXTS) -> str:
    """Put words in, take pieces out, double, move or replace them."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 1, 1, 2, 5, 20)))
        match rng.randrange(6):
            case 0 | 1:
                text = text[:start] + rng.choice(words) + text[end:]
            case 2:
                text = text[:start] + text[end:]
            case 3:
                text = text[:end] + text[start:]
            case 4:
                text = text[:start] + text[start:end].swapcase() + text[end:]
            case _:
                text = text[:start] + rng.choice(words) * rng.choice((1, 2, 3, 40)) + text[start:]
    return text


def spoil_parts(rng: Random, parts: Parts) -> Parts:
    """Take members out, give them other names or the content of others, cut them."""
    names = list(parts)
    name, other = rng.choice(names), rng.choice(names)
    spoilt = dict(parts)
    match rng.randrange(6):
        case 0:
            del spoilt[name]
        case 1:
            spoilt[name] = parts[other]
        case 2:
            spoilt[name] = parts[name][: rng.randrange(len(parts[name]) + 1)]
        case 3:
            spoilt = {
                rng.choice((key.upper(), "/" + key, key.replace("/", "\\"), "x" + key)) if key == name else key: data
                for key, data in parts.items()
            }
        case 4:
            spoilt[name] = rng.choice(
                (b"", b"\0" * 100, b"PK\x03\x04", b"<x/>", b"\xff\xfe<\0x\0/\0>\0", b"\xef\xbb\xbf" + parts[name])
            )
        case _:
            spoilt[name] = spoil_bytes(rng, parts[name])
    return spoilt


def spoil_xml(rng: Random, text: str) -> str:
    """Change tags, attributes, texts or the encoding stated, with no care for what is well formed."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        tags = list(_TAG.finditer(text))
        if not tags:
            return text
        tag = rng.choice(tags)
        attributes = list(_ATTRIBUTE.finditer(tag[0]))
        match rng.randrange(9):
            case 0:
                text = text[: tag.start()] + text[tag.end() :]
            case 1 | 2 | 3 if attributes:
                one = rng.choice(attributes)
                value = (
                    rng.choice(_ATTRIBUTE_VALUES)
                    if rng.random() < 0.8
                    else rng.choice(ODD_TEXTS).replace("<", "&lt;").replace('"', "&quot;")
                )
                changed = rng.choice(
                    (f'{one[1]}="{value}"', f'{one[1]}="{value}"', "", f"x{one[0]}", f"{one[1]}='{value}'")
                )
                text = text[: tag.start() + one.start()] + changed + text[tag.start() + one.end() :]
            case 4:
                text = text[: tag.end()] + rng.choice(_SNIPPETS) + text[tag.end() :]
            case 5:
                other = rng.choice(tags)
                first, last = sorted((tag.start(), other.start()))
                text = text[:last] + text[first : min(last, first + 4000)] + text[last:]
            case 6:
                end = text.find("<", tag.end())
                text = (
                    text[: tag.end()]
                    + rng.choice(ODD_TEXTS).replace("<", "&lt;")
                    + text[end if end > 0 else tag.end() :]
                )
            case 7:
                text = text.replace(
                    tag[0], re.sub(r"^<(/?)", r"<\1" + rng.choice(("x", "r:", "_")), tag[0]), rng.choice((1, -1))
                )
            case _:
                text = rng.choice(
                    (
                        text.replace("UTF-8", rng.choice(("utf-16", "latin-1", "x", "UTF-7", "")), 1),
                        "\ufeff" + text,
                        '<!DOCTYPE x [<!ENTITY a "b">]>' + text,
                        text + rng.choice(_SNIPPETS),
                        text[: tag.start()],
                        text.replace('"', "'"),
                    )
                )
    return text


def spoil_sheet(rng: Random, text: str) -> str:
    """Change cells and rows of a sheet as a program could write them: well formed, though not always right."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        prefix = "x:" if "<x:row" in text else ""
        match rng.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                cells = list(_CELL.finditer(text))
                if cells:
                    cell = rng.choice(cells)
                    text = text[: cell.start()] + _spoilt_cell(rng, cell, prefix) + text[cell.end() :]
            case 5:
                rows = list(_ROW.finditer(text))
                if rows:
                    one, other = rng.choice(rows), rng.choice(rows)
                    match rng.randrange(5):
                        case 0:
                            text = text[: one.start()] + text[one.end() :]
                        case 1:
                            text = text[: other.start()] + one[0] + text[other.start() :]
                        case 2:
                            text = (
                                text[: one.start()]
                                + re.sub(r' r="\d+"', f' r="{rng.choice((0, 1, 3, 9, 20, 300))}"', one[0], count=1)
                                + text[one.end() :]
                            )
                        case 3:
                            text = (
                                text[: one.start()] + one[0].replace(' r="', ' hidden="1" r="', 1) + text[one.end() :]
                            )
                        case _:
                            text = (
                                text[: one.start()]
                                + re.sub(r' r="[A-Z]*\d+"', "", one[0], count=rng.choice((0, 1, 2)))
                                + text[one.end() :]
                            )
            case 6:
                text = _merged(rng, text, prefix)
            case 7:
                cells = list(_CELL.finditer(text))
                if len(cells) > 1:
                    one, other = sorted(rng.sample(range(len(cells)), 2))
                    first, second = cells[one], cells[other]
                    text = (
                        text[: first.start()]
                        + second[0]
                        + text[first.end() : second.start()]
                        + first[0]
                        + text[second.end() :]
                    )
            case 8:
                text = re.sub(
                    r"<(?:x:)?dimension[^>]*/>",
                    rng.choice(("", f'<{prefix}dimension ref="A1"/>', f'<{prefix}dimension ref="C3:ZZ99"/>')),
                    text,
                    count=1,
                )
            case _:
                text = text.replace(
                    f"<{prefix}sheetData>",
                    f'<{prefix}cols><{prefix}col min="{rng.randrange(1, 20)}" max="20" hidden="1"/></{prefix}cols><{prefix}sheetData>',
                    1,
                )
    return text


def _merged(rng: Random, text: str, prefix: str) -> str:
    """Merge a range as spreadsheets do: only its first cell keeps what it holds."""
    top, bottom = sorted((rng.randrange(1, 14), rng.randrange(1, 14)))
    left, right = sorted(rng.sample("ABCDEFGHKMNTW", 2))
    right = rng.choice((left, left, right))
    if (left, top) == (right, bottom):
        return text

    def emptied(cell: re.Match[str]) -> str:
        covered = len(cell[2]) == 1 and left <= cell[2] <= right and top <= int(cell[3]) <= bottom
        if not covered or (cell[2], int(cell[3])) == (left, top):
            return cell[0]
        attributes = re.sub(r' t="\w*"', "", cell[4])
        return f'<{prefix}c r="{cell[2]}{cell[3]}"{attributes}/>'

    text = _CELL.sub(emptied, text)
    merge, end = f'<{prefix}mergeCell ref="{left}{top}:{right}{bottom}"/>', f"</{prefix}mergeCells>"
    if end in text:
        return text.replace(end, merge + end, 1)
    data = f"</{prefix}sheetData>"
    return text.replace(data, f"{data}<{prefix}mergeCells>{merge}{end}", 1)


def _spoilt_cell(rng: Random, cell: re.Match[str], prefix: str) -> str:
    address = cell[2] + cell[3]
    attributes = re.sub(r' t="\w*"', "", cell[4])
    value = _escaped(rng.choice(ODD_TEXTS))
    v = f"{prefix}v"
    match rng.randrange(14):
        case 0:
            return ""
        case 1:
            return f'<{prefix}c r="{address}"{attributes}/>'
        case 2 | 3 | 4:
            return f'<{prefix}c r="{address}"{attributes} t="inlineStr"><{prefix}is><{prefix}t xml:space="preserve">{value}</{prefix}t></{prefix}is></{prefix}c>'
        case 5:
            return (
                f'<{prefix}c r="{address}"{attributes} t="str"><{prefix}f>A1</{prefix}f><{v}>{value}</{v}></{prefix}c>'
            )
        case 6:
            number = rng.choice(
                (
                    "0",
                    "1",
                    "7",
                    "2.5",
                    "-3",
                    "1E5",
                    "0.1",
                    "44927",
                    "44927.5",
                    "1e15",
                    "1e300",
                    "-0",
                    "007",
                    "",
                    "x",
                )
            )
            return f'<{prefix}c r="{address}"{attributes}><{v}>{number}</{v}></{prefix}c>'
        case 7:
            return f'<{prefix}c r="{address}"{attributes} t="b"><{v}>{rng.choice(("0", "1", "true", "2", ""))}</{v}></{prefix}c>'
        case 8:
            return f'<{prefix}c r="{address}"{attributes} t="e"><{v}>{rng.choice(("#N/A", "#REF!", "#DIV/0!", "#NULL!", "#SPILL!", "x", ""))}</{v}></{prefix}c>'
        case 9:
            return f'<{prefix}c r="{address}"{attributes} t="s"><{v}>{rng.choice(("0", "5", "-1", "99999", "x", ""))}</{v}></{prefix}c>'
        case 10 if cell[5]:
            return cell[0].replace(f'r="{address}"', f'r="{rng.choice("ACGTXZ")}{cell[3]}"', 1)
        case 11:
            return cell[0] + cell[0]
        case 12:
            return re.sub(r' s="\d+"', f' s="{rng.randrange(30)}"', cell[0])
        case _:
            return cell[0].replace(f' r="{address}"', "", 1)


def _escaped(text: str) -> str:
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")


def spoil_workbook(rng: Random, parts: Parts, spoil: Callable[[Random, str], str], names: Sequence[str] = ()) -> Parts:
    """Spoil one XML part, the main tab and the strings more often than others."""
    xml = [name for name in (names or parts) if name in parts and name.endswith((".xml", ".rels"))]
    favourites = [name for name in (MAIN_SHEET, STRINGS, "xl/workbook.xml") if name in xml]
    name = rng.choice(favourites) if favourites and rng.random() < 0.6 else rng.choice(xml)
    text = spoil(rng, parts[name].decode("utf-8", "replace"))
    return {**parts, name: text.encode("utf-8", "surrogatepass")}


def edit_cell(rng: Random, text: str) -> str:
    """Give one filled cell of a sheet another text, empty it, or fill an empty one."""
    cells = [cell for cell in _CELL.finditer(text) if int(cell[3]) > 1]
    if not cells:
        return text
    cell = rng.choice(cells)
    attributes = re.sub(r' t="\w*"', "", cell[4])
    value = _escaped(rng.choice(ODD_TEXTS))
    changed = f'<c r="{cell[2]}{cell[3]}"{attributes} t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
    return text[: cell.start()] + changed + text[cell.end() :]


def swap_tokens(rng: Random, text: str) -> str:
    """Put one word, number or quoted text of a file in the place of another."""
    tokens = list(re.finditer(r'"[^"\n]*"|[\w.-]+', text))
    if len(tokens) < 2:
        return text
    one, other = rng.choice(tokens), rng.choice(tokens)
    return text[: one.start()] + other[0] + text[one.end() :]

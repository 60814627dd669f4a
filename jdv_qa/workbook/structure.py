"""What the parts of a workbook's file say of its sheets: their names, states and places, and what python-calamine does not tell.

That is: hidden rows, columns and tabs, active filters, merged ranges, formulas and error cells (`sheet_scan`).
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pyexpat import ExpatError, ParserCreate
from typing import NamedTuple

from jdv_qa.language import say
from jdv_qa.workbook.edition import Sheet
from jdv_qa.workbook.limits import MAX_LISTED, MAX_TEXTS, Refused
from jdv_qa.workbook.parts import Parts, plain_name
from jdv_qa.workbook.sheet_scan import (
    BOOLEANS,
    KNOWN_ERRORS,
    immense_duration,
    look_at,
    look_closely,
    most_shared_text,
    refuse_markup,
    root_of,
    unusual_markup,
    with_known_errors,
)

OWN_TAB = "jdv.annotation"
"""The name, hidden and of the tab alone, that marks a tab which `jdv check --annotate` has put in front of the others."""

_TYPES = "[Content_Types].xml"
_STRINGS = "/sharedStrings"
_WORKBOOK = "xl/workbook.xml"
_ONLY_PLACES = {_STRINGS: "xl/sharedStrings.xml", "/styles": "xl/styles.xml"}
"""How the type of a relationship ends -> where alone python-calamine looks for what it leads to; for the sheets `_WORKBOOK`."""
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FIRST_ITEM = re.compile(rb"<(?:[^<>\s:]+:)?(?:si|numFmts|fonts)[\s/>]")
_COUNT = re.compile(rb"\b(?:count|uniqueCount)\s*=\s*[\"']\s*([0-9]{1,30})")


class SheetPart(NamedTuple):
    """A worksheet: its name, the part that holds it, and its state ("visible", "hidden" or "veryHidden")."""

    name: str
    part: str
    state: str


class _Relation(NamedTuple):
    kind: str
    target: str
    is_plain: bool
    """Whether the target is written as python-calamine understands it: no "./" in it, nor the "xl/" of another folder."""


class Structure:
    """The tabs of a workbook, by the parts of its file.

    Every way in raises zipfile.BadZipFile, KeyError or ExpatError on a file that is no workbook, and Refused on one that no
    program writes: no reader is to be given its bytes.
    """

    def __init__(self, parts: Parts) -> None:
        """Find the part that lists the sheets."""
        self.parts = parts
        found = (one.target for one in _relations(parts, "").values() if one.kind.endswith("/officeDocument"))
        self.workbook = next(found, _WORKBOOK)
        if not self.workbook.endswith(".xml") or posixpath.basename(self.workbook) in (
            "document.xml",
            "presentation.xml",
        ):
            raise Refused(
                say(
                    f"ce fichier d'Office n'est pas un classeur .xlsx (sa partie principale est « {self.workbook} ») ; "
                    "ouvrez-le dans Excel et enregistrez-le au format .xlsx",
                    f'this file of Office is no .xlsx workbook (its main part is "{self.workbook}"); '
                    "open it in Excel and save it as .xlsx",
                )
            )
        if self.workbook not in parts:
            raise missing_part(self.workbook)
        self._data = parts.read(self.workbook)
        self._replaced: dict[str, bytes] = {}
        self._texts = 0
        self.values: dict[str, dict[tuple[int, int], bool | float]] = {}
        """Of each sheet that was read, the values that python-calamine is not to be asked: truth values, numbers below 0."""

    @cached_property
    def _relations(self) -> dict[str, _Relation]:
        if relations_of(self.workbook) not in self.parts:
            raise missing_part(relations_of(self.workbook))
        return _relations(self.parts, self.workbook)

    @cached_property
    def sheets(self) -> tuple[SheetPart, ...]:
        """The worksheets, in the workbook's order."""
        found: list[SheetPart] = []
        for _, attributes in _elements(self._data, self.workbook, "sheet"):
            identifier = next(
                (text for name, text in attributes.items() if name.rpartition(":")[1:] == (":", "id")), ""
            )
            relation = self._relations.get(identifier)
            if relation is not None and relation.kind.endswith("/worksheet"):
                found.append(SheetPart(attributes.get("name", ""), relation.target, attributes.get("state", "visible")))
        for number, sheet in enumerate(found, 1):
            if not sheet.name or any(unicodedata.category(letter) == "Cc" for letter in sheet.name):
                raise Refused(
                    say(
                        f"l'onglet n° {number} a un nom vide ou des caractères de contrôle dans son nom ; renommez-le dans Excel",
                        f"tab no. {number} has no name, or control characters in it; rename it in Excel",
                    )
                )
        names = Counter(sheet.name.casefold() for sheet in found)
        if twice := next((sheet.name for sheet in found if names[sheet.name.casefold()] > 1), None):
            raise Refused(
                say(
                    f"deux onglets portent le nom « {twice} » ; renommez l'un des deux dans Excel",
                    f'two tabs bear the name "{twice}"; rename one of them in Excel',
                )
            )
        parts = Counter(sheet.part.casefold() for sheet in found)
        if shared := next((sheet for sheet in found if parts[sheet.part.casefold()] > 1), None):
            raise Refused(
                say(
                    f"plusieurs onglets, dont « {shared.name} », renvoient à la même partie « {shared.part} » ; "
                    "reprenez une copie saine, ou réparez le classeur dans Excel",
                    f'several tabs, "{shared.name}" among them, refer to the same part "{shared.part}"; '
                    "take a sound copy, or repair the workbook in Excel",
                )
            )
        return tuple(found)

    @cached_property
    def from_1904(self) -> bool:
        """Whether days are counted from 1904, as Excel for the Mac did."""
        stating = _elements(self._data, self.workbook, "workbookPr") if b"date1904" in self._data else ()
        for _, attributes in stating:
            if (stated := attributes.get("date1904", "0")) != "0":
                if stated not in BOOLEANS:
                    raise Refused(
                        say(
                            "le classeur ne dit pas clairement depuis quand il compte les jours (date1904) ; "
                            "ouvrez-le dans Excel et enregistrez-le au format .xlsx",
                            "the workbook does not say clearly from when it counts days (date1904); "
                            "open it in Excel and save it as .xlsx",
                        )
                    )
                return BOOLEANS[stated]
        return False

    @cached_property
    def own_tabs(self) -> frozenset[str]:
        """The names of the tabs that `jdv check --annotate` put into the workbook, known by their mark."""
        if OWN_TAB.encode() not in self._data:
            return frozenset()
        sheets: list[str] = []
        marked: set[str] = set()
        for tag, attributes in _elements(self._data, self.workbook, "sheet", "definedName"):
            if tag == "sheet":
                sheets.append(attributes.get("name", ""))
            elif attributes.get("name") == OWN_TAB:
                marked.add(attributes.get("localSheetId", ""))
        return frozenset(name for number, name in enumerate(sheets) if str(number) in marked)

    def read_sheets(self) -> Iterator[Sheet]:
        """Yield the worksheets, ours apart, as far as their XML tells."""
        for name, part, state in self.sheets:
            if name in self.own_tabs:
                continue
            if part not in self.parts:
                raise missing_part(part, name)
            data = self.parts.read(part)
            look = look_at(name, part, data)
            if self._longest_shared:
                self._refuse_texts(data, is_plain=look.is_plain)
            self.values[name] = look.booleans | {at: number for at, number in look.numbers.items() if number < 0}
            if not KNOWN_ERRORS.issuperset(look.errors.values()):
                self._replaced[part] = with_known_errors(data)
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
                from_1904=self.from_1904,
            )

    def _refuse_texts(self, data: bytes, *, is_plain: bool) -> None:
        """Refuse a workbook whose sheets so far hold its shared texts so often that they would fill the memory."""
        left = MAX_TEXTS - self._texts
        self._texts += most_shared_text(data, self._longest_shared, self._shared_sizes, left, is_plain=is_plain)
        if self._texts > MAX_TEXTS:
            raise Refused(
                say(
                    f"les textes des cellules font plus de {MAX_TEXTS >> 20} Mio, tant de longs textes se répètent ; "
                    "est-ce le bon fichier ?",
                    f"the texts of the cells make more than {MAX_TEXTS >> 20} MiB, so many long ones come again; "
                    "is it the right file?",
                )
            )

    @cached_property
    def _longest_shared(self) -> int:
        """The bytes of the longest shared text, or more; 0 for a workbook without any."""
        tables = self._shared_tables()
        return max((len(piece) for table in tables for piece in table.split(b"si>")[1:]), default=0)

    def _shared_tables(self) -> Iterator[bytes]:
        for relation in self._relations.values():
            if relation.kind.endswith(_STRINGS) and relation.target in self.parts:
                yield self.parts.read(relation.target)

    def _shared_sizes(self) -> list[int]:
        """Return the bytes of each shared text."""
        sizes: list[int] = []

        def start(tag: str, _: dict[str, str]) -> None:
            if tag.rpartition(":")[2] == "si":
                sizes.append(0)

        def text(data: str) -> None:
            if sizes:
                sizes[-1] += len(data.encode())

        for table in self._shared_tables():
            _walk(table, self.workbook, start, text)
        return sizes

    def _has_filtered_table(self, part: str) -> bool:
        """Tell whether a filter is active in a table ("Mettre sous forme de tableau") of a worksheet."""
        tables = (one.target for one in _relations(self.parts, part).values() if one.kind.endswith("/table"))
        return any(b"filterColumn" in self.parts.read(table) for table in tables if table in self.parts)

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The parts that a reader of values needs, the sheets' apart: read and looked at, so that it may be given them."""
        names = [_TYPES, relations_of(""), self.workbook, relations_of(self.workbook)]
        for kind in (_STRINGS, "/styles"):
            names += [one.target for one in self._relations.values() if one.kind.endswith(kind)]
        for name in dict.fromkeys(names):
            if name not in self.parts:
                raise missing_part(name)
            data = self.parts.read(name)
            refuse_markup(data, name)
            root = root_of(data)
            begin = _FIRST_ITEM.search(data, root)
            for stated in _COUNT.findall(data, root, begin.start() if begin else len(data)):
                if int(stated) > len(data):
                    raise Refused(
                        say(
                            f"la partie « {name} » annonce {stated.decode()[:20]} éléments et ne les a pas ; "
                            "ouvrez le classeur dans Excel et enregistrez-le au format .xlsx",
                            f'the part "{name}" states {stated.decode()[:20]} elements and lacks them; '
                            "open the workbook in Excel and save it as .xlsx",
                        )
                    )
        return tuple(dict.fromkeys(names))

    @cached_property
    def _is_usual(self) -> bool:
        """Whether the parts are where python-calamine looks for them, and the paths to them such as it understands."""
        return self.workbook == _WORKBOOK and all(
            relation.is_plain
            and _ONLY_PLACES.get(f"/{relation.kind.rpartition('/')[2]}", relation.target) == relation.target
            for relation in self._relations.values()
        )

    def archive(self, names: Iterable[str]) -> bytes:
        """Return an archive of what a reader of values needs for some sheets: parts that have been looked at, and no other."""
        kept = {*names}
        parts = [*self.needed, *(sheet.part for sheet in self.sheets if sheet.name in kept)]
        if self._is_usual:
            return self.parts.archive({part: part for part in parts}, self._replaced)
        places = {self.workbook: _WORKBOOK, relations_of(self.workbook): relations_of(_WORKBOOK)}
        for number, (kind, target, _) in enumerate(self._relations.values()):
            only = next((place for end, place in _ONLY_PLACES.items() if kind.endswith(end)), None)
            places.setdefault(target, only or f"xl/parts/{number}.xml")
        relations = {
            relations_of(""): _relationships([("rId1", f"{_RELATIONS}/officeDocument", _WORKBOOK)]),
            relations_of(self.workbook): _relationships(
                (name, kind, places[target]) for name, (kind, target, _) in self._relations.items()
            ),
        }
        return self.parts.archive({places.get(part, part): part for part in parts}, self._replaced | relations)

    def find_fault(self) -> Refused | None:
        """Return what is wrong with a workbook that a reader has failed on, as near as it can be told."""
        tables = {one.target for one in self._relations.values() if one.kind.endswith(_STRINGS)}
        strings = 0
        likely: Refused | None = None
        try:
            for name in self.needed:
                items = _Counted()
                _walk(self.parts.read(name), name, items)
                if name in tables:
                    strings = items.number
            for tab, part, _ in self.sheets:
                data = self.parts.read(part)
                refuse_markup(data, part)
                try:
                    likely = likely or immense_duration(tab, look_closely(tab, data, strings))
                except ExpatError as error:
                    return damaged_part(part, error, tab)
        except Refused as error:
            return error
        return likely


def no_workbook(parts: Parts) -> Refused:
    """Return the refusal of an archive that is not of the kind of Excel's."""
    if "META-INF/manifest.xml" in parts and "content.xml" in parts:
        return Refused(
            say(
                "document OpenDocument (.ods), pas un classeur .xlsx ; enregistrez-le depuis LibreOffice au format .xlsx",
                "OpenDocument file (.ods), no .xlsx workbook; save it from LibreOffice as .xlsx",
            )
        )
    held = next((name for name in parts if name.casefold().endswith((".xlsx", ".xlsm"))), None)
    if held is not None:
        return Refused(
            say(
                f"c'est une archive zip, qui contient « {held} » ; sortez-en le classeur",
                f'this is a zip archive, which holds "{held}"; take the workbook out of it',
            )
        )
    return missing_part(relations_of(""))


def missing_part(part: str, tab: str = "") -> Refused:
    """Return the refusal of a workbook without a part that it needs, the one that holds a tab if one is named."""
    return Refused(
        say(
            f"il manque la partie « {part} »{_of_tab(tab)} ; reprenez une copie saine, ou réparez le classeur dans Excel",
            f'the part "{part}"{_of_tab(tab)} is missing; take a sound copy, or repair the workbook in Excel',
        )
    )


def damaged_part(part: str, error: ExpatError, tab: str = "") -> Refused:
    """Return the refusal of a workbook with a part that is no XML."""
    return Refused(
        say(
            f"la partie « {part} »{_of_tab(tab)} est abîmée (XML coupé ou fautif, ligne {error.lineno}, "
            f"caractère {error.offset + 1}) ; reprenez une copie saine, ou réparez le classeur dans Excel",
            f'the part "{part}"{_of_tab(tab)} is damaged (XML cut or faulty, line {error.lineno}, '
            f"character {error.offset + 1}); take a sound copy, or repair the workbook in Excel",
        )
    )


def _of_tab(tab: str) -> str:
    return say(f" (onglet « {tab} »)", f' (tab "{tab}")') if tab else ""


def relations_of(part: str) -> str:
    """Return the name of the part that holds the relationships of a part, "" standing for the file itself."""
    folder, name = posixpath.split(part)
    return f"{folder}/_rels/{name}.rels".lstrip("/")


def names_by_relationships(parts: Parts) -> dict[str, str]:
    """Return the parts whose names in the archive are not those that relationships have for them -> these names."""
    known = {name.casefold(): name for name in (_TYPES, relations_of(""))}
    left = [""]
    while left:
        part = left.pop()
        for relation in _relations(parts, part).values() if relations_of(part) in parts else ():
            if relation.target in parts and relation.target.casefold() not in known:
                known[relation.target.casefold()] = relation.target
                known[relations_of(relation.target).casefold()] = relations_of(relation.target)
                left.append(relation.target)
    plain = {name: plain_name(name) for name in parts}
    wanted = {name: known.get(plain.casefold(), plain) for name, plain in plain.items()}
    return {name: better for name, better in wanted.items() if better != name}


def _relations(parts: Parts, part: str) -> dict[str, _Relation]:
    """Return the relationships of a part that lead to another part, by id; none when it has none."""
    name, folder = relations_of(part), posixpath.dirname(part)
    if name not in parts:
        if not part:
            raise no_workbook(parts)
        return {}
    found = {}
    for _, attributes in _elements(parts.read(name), name, "Relationship"):
        if attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            inside = target_of(folder, target)
            is_plain = f"/{inside}".endswith(target) and not (folder and target.startswith("xl/"))
            found[attributes.get("Id", "")] = _Relation(attributes.get("Type", ""), inside, is_plain)
    return found


def target_of(folder: str, target: str) -> str:
    """Return the name of the part that a relationship of a part in a folder leads to."""
    return posixpath.normpath(posixpath.join("/", folder, target.replace("\\", "/"))).lstrip("/")


def _relationships(related: Iterable[tuple[str, str, str]]) -> bytes:
    """Return the XML of relationships: their ids, types and targets."""
    from xml.sax.saxutils import quoteattr

    rows = "".join(
        f"<Relationship Id={quoteattr(name)} Type={quoteattr(kind)} Target={quoteattr(f'/{target}')}/>"
        for name, kind, target in related
    )
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'
    ).encode()


def _elements(data: bytes, part: str, *tags: str) -> list[tuple[str, dict[str, str]]]:
    """Return the elements of some names, prefixes apart, of an XML part, in order, with their attributes."""
    found: list[tuple[str, dict[str, str]]] = []

    def keep(tag: str, attributes: dict[str, str]) -> None:
        if (name := tag.rpartition(":")[2]) in tags:
            found.append((name, attributes))
            if len(found) > MAX_LISTED:
                raise Refused(
                    say(
                        f"la partie « {part} » a plus de {MAX_LISTED} éléments, aucun classeur n'en a tant ; "
                        "reprenez une copie saine, ou enregistrez-le à nouveau depuis Excel",
                        f'the part "{part}" has more than {MAX_LISTED} elements, no workbook has so many; '
                        "take a sound copy, or save it anew from Excel",
                    )
                )

    _walk(data, part, keep)
    return found


def _walk(
    data: bytes,
    part: str,
    start: Callable[[str, dict[str, str]], None],
    text: Callable[[str], None] | None = None,
) -> None:
    """Go through an XML part and call a function with the name and attributes of each element, another with each text."""
    refuse_markup(data, part)

    def refuse_type(name: str, *_: object) -> None:
        raise unusual_markup(part)

    parser = ParserCreate()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse_type
    try:
        parser.Parse(data, True)
    except ExpatError as error:
        raise damaged_part(part, error) from error


class _Counted:
    """Counts the texts of a table of shared strings."""

    number = 0

    def __call__(self, tag: str, _: dict[str, str]) -> None:
        self.number += tag.rpartition(":")[2] == "si"

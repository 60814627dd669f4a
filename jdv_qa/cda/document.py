"""Reading a laboratory report (CDA R2, the CR-BIO of the CI-SIS, after IHE PALM): its codes and units, each with its place.

The file is not trusted: no entity is resolved, nothing is fetched, a document type declaration is refused, and size and
depth are bounded. What an element is, its templates say (`rules/cda.yaml`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jdv_qa.errors import DocumentError, RuleFileError
from jdv_qa.language import say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACE = "urn:hl7-org:v3"
MAX_SIZE = 50_000_000
"""Bytes beyond which a file is refused; a report with the PDF copy of itself holds some hundred thousand."""

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NUMBER = re.compile(r"\s*[<>=≤≥]*\s*[+-]?[0-9]+(?:[.,][0-9]+)?\s*")
_SEVERITIES = ("error", "warning", "info")
_LONGEST_TAG = 60
"""Lines over which a start tag may spread and still be found."""


class Kind(StrEnum):
    """What a code stands for in a report."""

    CHAPTER = "chapter"
    ORDER = "order"
    RESULT = "result"
    UNIT = "unit"
    NABM = "nabm"


@dataclass(frozen=True, slots=True)
class Coding:
    """A code as the report gives it, in `code` or in `translation`; `system` is an OID, `line` that of the file."""

    code: str
    system: str
    display: str
    line: int


@dataclass(frozen=True, slots=True)
class Measure:
    """The unit of a number as the report gives it, "" when it has none: of the value, or of a reference interval."""

    unit: str
    line: int
    place: str
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Coded:
    """An element of the report that has a code: what it is, where, its code and the translations of it.

    `chapter` is the code of the chapter it lies in (for a chapter "", for a sub-chapter its chapter); `sub` tells a
    sub-chapter from a chapter; `measures` are the units of a result.
    """

    kind: Kind
    place: str
    line: int
    coding: Coding
    translations: tuple[Coding, ...] = ()
    chapter: str = ""
    sub: bool = False
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A laboratory report: the file as named, its SHA-256, its title, and what it codes in the order of the document."""

    path: str
    sha256: str
    title: str
    coded: tuple[Coded, ...]


@dataclass(frozen=True)
class Rules:
    """What `rules/cda.yaml` says: templates by kind of element, codes and templates of the document, severities."""

    document_codes: frozenset[str]
    document_templates: frozenset[str]
    templates: Mapping[str, frozenset[str]]
    severities: Mapping[str, Mapping[str, str]]


@lru_cache
def load_rules() -> Rules:
    """Load `rules/cda.yaml`; raises RuleFileError when it is damaged or names a severity that does not exist."""
    path = rules_directory() / "cda.yaml"
    try:
        content: dict[str, Any] = read_yaml(path)
        document, severities = content["document"], content["severities"]
        rules = Rules(
            frozenset(map(str, document["codes"])),
            frozenset(map(str, document["templates"])),
            {name: frozenset(map(str, oids)) for name, oids in content["templates"].items()},
            {
                fault: entry if isinstance(entry, dict) else {"default": entry}
                for fault, entry in severities.items()
            },
        )  # fmt: skip
        wrong = [word for entry in rules.severities.values() for word in entry.values() if word not in _SEVERITIES]
        if wrong:
            raise ValueError(wrong[0])
        missing = {"chapter", "subchapter", "entry", "battery", "result"} - rules.templates.keys()
        if missing:
            raise KeyError(f"templates.{min(missing)}")
    except (FileNotFoundError, UnreadableYaml, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise RuleFileError(
            say(f"{path} : fichier illisible ({reason})", f"{path}: unreadable file ({reason})")
        ) from None
    return rules


def read_report(path: Path) -> Report:
    """Read a laboratory report.

    Raises DocumentError, in one line, for a file that cannot be read, is too large, is not well-formed XML, declares a
    document type, is not a CDA document, not a laboratory report, or has no structured body.
    """
    try:
        size = path.stat().st_size
        if size > MAX_SIZE:
            raise _refused(
                path,
                f"{size} octets, au-delà de la limite de {MAX_SIZE}",
                f"{size} bytes, beyond the limit of {MAX_SIZE}",
            )
        content = path.read_bytes()
    except OSError as error:
        raise _refused(path, f"lecture impossible ({error.strerror})", f"cannot be read ({error.strerror})") from None
    root = _parsed(path, content)
    if root.tag != f"{{{NAMESPACE}}}ClinicalDocument":
        raise _refused(
            path,
            f"ce n'est pas un document CDA (racine « {_name(root)} »)",
            f"not a CDA document (root `{_name(root)}`)",
        )
    rules = load_rules()
    reader = _Reader(content)
    code = reader.coding(root.find(_tag("code")))
    if code.code not in rules.document_codes and not _templates(root) & rules.document_templates:
        kind = " ".join(filter(None, (code.code, code.display))) or "?"
        raise _refused(
            path,
            f"ce n'est pas un compte rendu de biologie (type de document : {kind})",
            f"not a laboratory report (type of document: {kind})",
        )
    if root.find(f"{_tag('component')}/{_tag('structuredBody')}") is None:
        raise _refused(
            path,
            "pas de corps structuré (CDA niveau 1) : rien à contrôler",
            "no structured body (CDA level 1): nothing to check",
        )
    title = " ".join("".join(root.xpath("string(h:title)", namespaces={"h": NAMESPACE})).split())
    return Report(str(path), hashlib.sha256(content).hexdigest(), title, tuple(reader.visit(root, "/ClinicalDocument")))


def _parsed(path: Path, content: bytes) -> _Element:
    from lxml import etree

    head = content[: content.find(b"ClinicalDocument")] if b"ClinicalDocument" in content else content[:100_000]
    if b"<!DOCTYPE" in head.replace(b"\0", b""):
        raise _doctype(path)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        reason = " ".join(str(error.msg).split())
        raise _refused(path, f"XML mal formé ({reason})", f"not well-formed XML ({reason})") from None
    if root.getroottree().docinfo.doctype:
        raise _doctype(path)
    return root


def _doctype(path: Path) -> DocumentError:
    return _refused(
        path,
        "déclaration de type de document (DOCTYPE) refusée ; un document CDA n'en a pas, retirez-la",
        "document type declaration (DOCTYPE) refused; a CDA document has none, remove it",
    )


def _refused(path: Path, fr: str, en: str) -> DocumentError:
    return DocumentError(say(f"{path} : {fr}", f"{path}: {en}"))


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _name(element: _Element) -> str:
    """Return the name of an element without its namespace, "" for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _templates(element: _Element) -> frozenset[str]:
    return frozenset(child.get("root", "") for child in element.findall(_tag("templateId")))


def _children(element: _Element, place: str) -> Iterator[tuple[_Element, str]]:
    """Yield the child elements with their place, numbered where several have one name."""
    names = [(child, _name(child)) for child in element if isinstance(child.tag, str)]
    totals = Counter(name for _, name in names)
    seen: Counter[str] = Counter()
    for child, name in names:
        seen[name] += 1
        number = f"[{seen[name]}]" if totals[name] > 1 else ""
        yield child, f"{place}/{name}{number}"


def _is_result(observation: _Element, in_entry: bool, templates: frozenset[str]) -> bool:
    """Tell whether an observation is a result: by its template, or by lying in a laboratory entry without any."""
    owned = _templates(observation)
    return bool(owned & templates) or (in_entry and not owned)


def _has_code(element: _Element) -> bool:
    code = element.find(_tag("code"))
    return code is not None and bool(code.get("code"))


class _Reader:
    """Walks through a document. It keeps the lines of the file: lxml tells where a tag ends, people look where it begins."""

    def __init__(self, content: bytes) -> None:
        self._lines = content.split(b"\n")

    def _line(self, element: _Element) -> int:
        """Return the line on which the tag of an element begins."""
        last = element.sourceline or 0
        opening = f"<{element.prefix}:{_name(element)}" if element.prefix else f"<{_name(element)}"
        for line in range(min(last, len(self._lines)), max(0, last - _LONGEST_TAG), -1):
            if opening.encode() in self._lines[line - 1]:
                return line
        return last

    def visit(self, root: _Element, place: str) -> Iterator[Coded]:
        """Yield the elements below the root that have a code, in the order of the document."""
        rules = load_rules().templates
        waiting = [(child, spot, "", "", False) for child, spot in _children(root, place)][::-1]
        while waiting:
            element, spot, parent, chapter, in_entry = waiting.pop()
            name, owned = _name(element), _templates(element)
            if (found := self._look(element, spot, parent, chapter, in_entry)) is not None:
                yield found
                if found.kind is Kind.CHAPTER and name == "section" and not found.sub:
                    chapter = found.coding.code
            in_entry = in_entry or (name == "entry" and bool(owned & rules["entry"]))
            if name not in ("text", "code", "value"):
                waiting += [(child, below, name, chapter, in_entry) for child, below in _children(element, spot)][::-1]

    def _look(self, element: _Element, place: str, parent: str, chapter: str, in_entry: bool) -> Coded | None:
        """Return what an element is, None when it has no code to check.

        `parent` is the name of the element around, `chapter` the code of the chapter; `in_entry`: it lies in a laboratory entry.
        """
        rules, name, owned = load_rules().templates, _name(element), _templates(element)
        if name == "section" and owned & rules["chapter"]:
            return self._coded(Kind.CHAPTER, element, place)
        if name == "section" and owned & rules["subchapter"]:
            return self._coded(Kind.CHAPTER, element, place, chapter=chapter, sub=True)
        if name == "serviceEvent" and element.find(_tag("code")) is not None:
            return self._coded(Kind.CHAPTER, element, place)
        if name == "order" and parent == "inFulfillmentOf" and element.find(_tag("code")) is not None:
            return self._coded(Kind.ORDER, element, place)
        if name == "observation" and _is_result(element, in_entry, rules["result"]):
            return self._coded(Kind.RESULT, element, place, chapter=chapter, measures=self._measures(element, place))
        if in_entry and name == "organizer" and owned & rules["battery"] and _has_code(element):
            return self._coded(Kind.ORDER, element, place, chapter=chapter)
        if in_entry and name == "procedure" and _has_code(element):
            return self._coded(Kind.NABM, element, place, chapter=chapter)
        if in_entry and name == "act" and parent == "entry" and element.find(_tag("code")) is not None:
            return self._coded(Kind.CHAPTER, element, place, chapter=chapter, sub=True)
        return None

    def _coded(
        self,
        kind: Kind,
        element: _Element,
        place: str,
        *,
        chapter: str = "",
        sub: bool = False,
        measures: Iterable[Measure] = (),
    ) -> Coded:
        code = element.find(_tag("code"))
        translations = () if code is None else tuple(self.coding(other) for other in code.findall(_tag("translation")))
        coding = self.coding(code)
        line = coding.line or self._line(element)
        return Coded(kind, f"{place}/code", line, coding, translations, chapter, sub, tuple(measures))

    def coding(self, element: _Element | None) -> Coding:
        """Return the code that an element gives, all "" without one."""
        if element is None:
            return Coding("", "", "", 0)
        code, system, display = (element.get(name, "").strip() for name in ("code", "codeSystem", "displayName"))
        return Coding(code, system, " ".join(display.split()), self._line(element))

    def _measures(self, observation: _Element, place: str) -> Iterator[Measure]:
        """Yield the units of a result: of its value, then of its reference intervals; one for a number that has none."""
        for child, spot in _children(observation, place):
            if child.tag == _tag("value"):
                yield from self._units(child, spot, reference=False)
            elif child.tag == _tag("referenceRange"):
                for range_, range_spot in _children(child, spot):
                    for value, value_spot in _children(range_, range_spot):
                        if value.tag == _tag("value"):
                            yield from self._units(value, value_spot, reference=True)

    def _units(self, value: _Element, place: str, *, reference: bool) -> Iterator[Measure]:
        """Yield the units of a value: a quantity (PQ) has one, an interval those of its bounds, each unit once.

        A ratio (RTO), a text or a code has none, but for a text that is a number.
        """
        kind = value.get(_TYPE, "").rpartition(":")[2]
        if value.get("nullFlavor"):
            return
        if kind in ("PQ", "INT", "REAL", "MO") or (not kind and value.get("value") is not None):
            yield Measure(value.get("unit", ""), self._line(value), place, reference)
        elif kind in ("IVL_PQ", "IVL_REAL", "IVL_INT"):
            seen = set()
            for bound, spot in _children(value, place):
                if bound.get("value") is None or bound.get("nullFlavor"):
                    continue
                if (unit := bound.get("unit", "")) not in seen:
                    seen.add(unit)
                    yield Measure(unit, self._line(bound), spot, reference)
        elif kind in ("ST", "ED") and not reference and _NUMBER.fullmatch("".join(value.itertext())):
            yield Measure("", self._line(value), place, reference)

"""A LOINC release: its terms, what replaces those withdrawn, what changed, and the terms like another or like a label."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, overload

from jdv_qa.errors import TerminologyError
from jdv_qa.language import say
from jdv_qa.terminology.labels import Label, fold, loinc_parts, parse_label
from jdv_qa.terminology.loinc_files import Advance, Part, ReleaseFiles, find_files, no_progress, versions_in

NOTICE = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright © Regenstrief Institute, Inc. and the "
    "Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the license at "
    "http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief Institute, Inc."
)
"""The notice that the LOINC licence asks for."""

AXES = ("component", "property", "time", "system", "scale", "method")
WITHDRAWN = ("DEPRECATED", "DISCOURAGED")
"""Statuses of terms that LOINC replaces by others (MapTo)."""

IN_USE = ("ACTIVE", "")
"""Statuses of terms to choose from; a release need not tell."""

TERM_COLUMNS = {
    "code": "LOINC_NUM",
    "component": "COMPONENT",
    "property": "PROPERTY",
    "time": "TIME_ASPCT",
    "system": "SYSTEM",
    "scale": "SCALE_TYP",
    "method": "METHOD_TYP",
    "loinc_class": "CLASS",
    "status": "STATUS",
    "order_obs": "ORDER_OBS",
    "units": "EXAMPLE_UCUM_UNITS",
    "name": "LONG_COMMON_NAME",
    "classtype": "CLASSTYPE",
    "status_reason": "STATUS_REASON",
    "status_text": "STATUS_TEXT",
    "version_first": "VersionFirstReleased",
    "version_changed": "VersionLastChanged",
    "change_type": "CHNG_TYPE",
    "change_reason": "CHANGE_REASON_PUBLIC",
    "short_name": "SHORTNAME",
    "display_name": "DisplayName",
    "synonyms": "RELATEDNAMES2",
    "copyright": "EXTERNAL_COPYRIGHT_NOTICE",
    "common_rank": "COMMON_TEST_RANK",
}
"""Field of a Term -> column of Loinc.csv."""

FRENCH_COLUMNS = {
    "french_label": "LONG_COMMON_NAME",
    "french_component": "COMPONENT",
    "french_property": "PROPERTY",
    "french_time": "TIME_ASPCT",
    "french_system": "SYSTEM",
    "french_scale": "SCALE_TYP",
    "french_method": "METHOD_TYP",
    "french_synonyms": "RELATEDNAMES2",
}
"""Field of a Term -> column of the French linguistic variant."""

_REQUIRED = (*list(TERM_COLUMNS.values())[:7], "STATUS")


class Term(NamedTuple):
    """A LOINC term, fields as in Loinc.csv; those that a release lacks are "".

    The French ones come from the French linguistic variant of the release, or from the labels that the ANS publishes.
    """

    code: str
    component: str
    property: str
    time: str
    system: str
    scale: str
    method: str
    loinc_class: str
    status: str
    order_obs: str
    units: str
    name: str
    classtype: str = ""
    status_reason: str = ""
    status_text: str = ""
    version_first: str = ""
    version_changed: str = ""
    change_type: str = ""
    change_reason: str = ""
    short_name: str = ""
    display_name: str = ""
    synonyms: str = ""
    copyright: str = ""
    common_rank: str = ""
    french_label: str = ""
    french_component: str = ""
    french_property: str = ""
    french_time: str = ""
    french_system: str = ""
    french_scale: str = ""
    french_method: str = ""
    french_synonyms: str = ""

    @builtins.property  # `property` is a field here
    def is_panel(self) -> bool:
        """A panel: LOINC gives it the scale "-"."""
        return self.scale == "-"

    @builtins.property
    def is_withdrawn(self) -> bool:
        """Deprecated or discouraged."""
        return self.status in WITHDRAWN

    @builtins.property
    def label(self) -> str:
        """The French label, or else the English name."""
        return self.french_label or self.name

    def matches_axes(self, label: str) -> bool:
        """Tell whether a French label has the property, time, system and scale of the term, and its method if it has one."""
        parsed = parse_label(label)
        return (
            parsed is not None
            and self._is("property", parsed.property)
            and self._is("time", parsed.time)
            and self._is("system", parsed.system)
            and self._is("scale", parsed.scale)
            and bool(self.method) == bool(parsed.method)
        )

    def has_meaning_of(self, label: Label) -> bool:
        """Tell whether a French label has all six axes of the term; its component is that of the term, accents and case apart."""
        return fold(label.component) in (fold(self.component), fold(self.french_component)) and all(
            self._is(axis, getattr(label, axis)) for axis in AXES[1:]
        )

    def _is(self, axis: str, wording: str) -> bool:
        return says(axis, wording, getattr(self, axis), getattr(self, f"french_{axis}"))

    def has_component_like(self, label: str, likeness: float = 80.0) -> bool:
        """Tell whether the component of a French label is spelled nearly like the term's (0 to 100, by rapidfuzz)."""
        from rapidfuzz import fuzz

        parsed = parse_label(label)
        return parsed is not None and any(
            fuzz.ratio(fold(parsed.component), fold(component)) >= likeness
            for component in (self.component, self.french_component)
            if component
        )


@lru_cache(maxsize=16384)
def says(axis: str, wording: str, part: str, french: str = "") -> bool:
    """Tell whether the wording of an axis is one of a LOINC part, or the part itself, or what a French label says for it."""
    if part in loinc_parts(axis, wording):
        return True
    folded = fold(wording)
    return bool(folded) and folded in (fold(part), fold(french))


_NO_FRENCH = ("",) * len(FRENCH_COLUMNS)


class TermChange(NamedTuple):
    """A change that LOINC made to a term, effective in a release: the axis or field (as named in `Term`), before and after."""

    version: str
    field: str
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term that may take the place of one withdrawn.

    `comment` is what LOINC says of the replacement, `through` the withdrawn codes on the way to it; `live` is False for a
    term that is withdrawn itself and has no replacement.
    """

    code: str
    comment: str
    through: tuple[str, ...]
    term: Term | None
    live: bool


Found = TypeVar("Found")
Other = TypeVar("Other")


class Lookup(Mapping[str, Found], Generic[Found]):
    """A mapping whose values are made when asked for, and kept."""

    def __init__(
        self, make: Callable[[str], Found | None], codes: Callable[[], Iterable[str]], size: Callable[[], int]
    ) -> None:
        """Take what makes the value of a code (None when there is none), what lists the codes, and what counts them."""
        self._make, self._codes, self._size = make, codes, size
        self._kept: dict[str, Found | None] = {}

    def __getitem__(self, code: str) -> Found:
        """Return the value of a code; raises KeyError when there is none."""
        if code not in self._kept:
            self._kept[code] = self._make(code)
        if (value := self._kept[code]) is None:
            raise KeyError(code)
        return value

    @overload
    def get(self, code: str, /) -> Found | None: ...

    @overload
    def get(self, code: str, /, default: Found | Other) -> Found | Other: ...

    def get(self, code: str, /, default: Found | Other | None = None) -> Found | Other | None:
        """Return the value of a code, `default` when there is none."""
        if code not in self._kept:
            self._kept[code] = self._make(code)
        value = self._kept[code]
        return default if value is None else value

    def keep(self, values: Mapping[str, Found | None]) -> None:
        """Take values that have been made elsewhere, None for a code that has none."""
        self._kept.update(values)

    def unknown(self, codes: Iterable[str]) -> list[str]:
        """Return the codes that nothing is kept of yet, each once."""
        return [code for code in dict.fromkeys(codes) if code not in self._kept]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the codes."""
        return iter(self._codes())

    def __len__(self) -> int:
        """Count the codes."""
        return self._size()


@dataclass(frozen=True)
class LoincRelease:
    """A LOINC release.

    `replacements`: withdrawn code -> (code to use, comment), from MapTo.csv; `changes`: code -> what changed, from
    LoincChangeSnapshot.csv and Updates.csv.
    """

    version: str
    terms: Mapping[str, Term]
    replacements: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    changes: Mapping[str, tuple[TermChange, ...]] = field(default_factory=dict)

    def read_ahead(self, codes: Iterable[str]) -> None:
        """Be told that the terms of many codes will be asked for; a release that reads them one by one reads them at once."""

    def with_component(self, component: str) -> tuple[Term, ...]:
        """Return the terms of a component written in English or in French, case and accents apart, by code."""
        return self._terms(self._by_component.get(key_of(component), ()))

    def with_analyte(self, component: str) -> tuple[Term, ...]:
        """Return the terms whose English component has the same analyte (what stands before "/", "^" or "."), by code."""
        return self._terms(self._by_analyte.get(analyte_of(component), ()))

    def _terms(self, codes: Iterable[str]) -> tuple[Term, ...]:
        return tuple(self.terms[code] for code in sorted(codes, key=by_code))

    @cached_property
    def _by_component(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for code, english, french in self._components():
            key = key_of(english)
            found.setdefault(key, []).append(code)
            if french and (other := key_of(french)) != key:
                found.setdefault(other, []).append(code)
        return found

    @cached_property
    def _by_analyte(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for code, english, _ in self._components():
            found.setdefault(analyte_of(english), []).append(code)
        return found

    def _components(self) -> Iterable[tuple[str, str, str]]:
        """Yield the code, the English and the French component of every term."""
        return ((term.code, term.component, term.french_component) for term in self.terms.values())

    def codes_meant(self, label: Label) -> tuple[str, ...]:
        """Return the codes of the terms in use that a French label means: the same six axes, the component in either language."""
        return tuple(
            term.code
            for term in self.with_component(label.component)
            if term.status in IN_USE and term.has_meaning_of(label)
        )

    def meaning(self, label: Label) -> tuple[Term, ...]:
        """Return the terms in use that a French label means, by code."""
        return tuple(self.terms[code] for code in self.codes_meant(label))

    def neighbours(self, term: Term) -> dict[str, tuple[Term, ...]]:
        """Return axis -> the terms not withdrawn that differ from a term by that axis alone, the analyte being the same."""
        found: dict[str, list[Term]] = {axis: [] for axis in AXES}
        own = [getattr(term, axis) for axis in AXES]
        for other in self.with_analyte(term.component):
            if other.is_withdrawn:
                continue
            different = [axis for axis, value in zip(AXES, own, strict=True) if getattr(other, axis) != value]
            if len(different) == 1:
                found[different[0]].append(other)
        return {axis: tuple(sorted(terms, key=_rank)) for axis, terms in found.items() if terms}

    def candidates(self, code: str) -> tuple[Candidate, ...]:
        """Return every term that LOINC gives in the place of a code, chains followed to their end; live ones first.

        A replacement that is withdrawn itself gives way to its own replacements (Users' Guide, "MapTo table"); a code that
        the release does not hold counts as live.
        """
        found: dict[str, Candidate] = {}
        self._follow(code, (), (), found)
        return tuple(sorted(found.values(), key=lambda candidate: not candidate.live))

    def _follow(
        self, code: str, through: tuple[str, ...], comments: tuple[str, ...], found: dict[str, Candidate]
    ) -> None:
        for target, comment in self.replacements.get(code, ()):
            if target == code or target in through:
                continue
            said = comments + ((comment,) if comment and comment not in comments else ())
            term = self.terms.get(target)
            goes_on = self.replacements.get(target, ())
            if goes_on and (term is None or term.is_withdrawn):
                self._follow(target, (*through, target), said, found)
            elif target not in found:
                live = term is None or not term.is_withdrawn
                found[target] = Candidate(target, " ; ".join(said), through, term, live)


@dataclass(frozen=True)
class ReadRelease(LoincRelease):
    """A release read from its files: rows as in TERM_COLUMNS and FRENCH_COLUMNS, by code; terms are made when asked for."""

    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    french: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def _components(self) -> Iterable[tuple[str, str, str]]:
        return ((code, row[1], self.french.get(code, _NO_FRENCH)[1]) for code, row in self.rows.items())


def by_code(code: str) -> tuple[int, str]:
    """Return a key that sorts codes by their number."""
    return len(code), code


def _rank(term: Term) -> tuple[int, int, str]:
    """Return a key that sorts terms by how common they are, then by code."""
    common = int(term.common_rank) if term.common_rank.isdigit() else 0
    return common or 1_000_000, *by_code(term.code)


def key_of(component: str) -> str:
    """Return a component without case, accents and spare spaces."""
    return " ".join(component.casefold().split()) if component.isascii() else fold(component)


def analyte_of(component: str) -> str:
    """Return the analyte of a component, as `key_of`: "Glucose^2H post meal" -> "glucose"."""
    text = component
    for mark in ("^", "/", "."):
        text = text.partition(mark)[0] or text
    return key_of(text)


def version_number(text: str) -> tuple[int, int]:
    """Return the highest LOINC version that a text names, (0, 0) when it names none."""
    return max(versions_in(text), default=(0, 0))


def read_release(path: Path) -> LoincRelease:
    """Read a LOINC release from a folder, a zip or its table of terms.

    Raises TerminologyError when there is no Loinc.csv, or when it lacks a column or is damaged. The version is what the name
    of the file or folder tells, or else the latest that a term names; "" when neither tells.
    """
    files = find_files(path)
    rows = {row[0]: row for row in read_terms(files)}
    version = files.version or latest_version((row[_FIRST], row[_CHANGED]) for row in rows.values())
    french = {row[0]: row[1:] for row in read_french(files)}

    def term(code: str) -> Term | None:
        row = rows.get(code)
        return None if row is None else Term(*row, *french.get(code, _NO_FRENCH))

    return ReadRelease(
        version,
        Lookup(term, lambda: rows, lambda: len(rows)),
        read_replacements(files),
        read_changes(files, version),
        rows,
        french,
    )


_FIRST = list(TERM_COLUMNS).index("version_first")
_CHANGED = list(TERM_COLUMNS).index("version_changed")


def read_terms(files: ReleaseFiles, advance: Advance = no_progress) -> Iterator[tuple[str, ...]]:
    """Yield the terms of a release, fields in the order of TERM_COLUMNS.

    Raises TerminologyError for a table that is not that of terms, or has none.
    """
    if "LinguisticVariantDisplayName" in files.header(Part.TERMS):
        raise TerminologyError(
            say(
                f"{files.path} : c'est une traduction de LOINC, pas sa table ; « jdv loinc import » l'ajoute à une version",
                f"{files.path}: this is a translation of LOINC, not its table; `jdv loinc import` adds it to a release",
            )
        )
    rows = files.columns(Part.TERMS, tuple(TERM_COLUMNS.values()), _REQUIRED, advance)
    first = next(rows, None)
    if first is not None:
        yield first
        yield from rows
    else:
        raise TerminologyError(
            say(
                f"{files.path} : la table LOINC est vide ; téléchargez-la à nouveau",
                f"{files.path}: the LOINC table is empty; download it again",
            )
        )


def read_french(files: ReleaseFiles, advance: Advance = no_progress) -> Iterator[tuple[str, ...]]:
    """Yield the French variant of a release: the code, then fields in the order of FRENCH_COLUMNS."""
    wanted = ("LOINC_NUM", *FRENCH_COLUMNS.values())
    return files.columns(Part.FRENCH, wanted, ("LOINC_NUM", "COMPONENT", "LONG_COMMON_NAME"), advance)


def read_variant(path: Path) -> list[tuple[str, ...]]:
    """Return the rows of a French linguistic variant by its own file, as `read_french`."""
    return list(read_french(ReleaseFiles(path, False, {Part.FRENCH: path.name})))


def read_replacements(files: ReleaseFiles, advance: Advance = no_progress) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the MapTo table of a release: withdrawn code -> (code to use, comment)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for code, target, comment in files.columns(
        Part.MAP_TO, ("LOINC", "MAP_TO", "COMMENT"), ("LOINC", "MAP_TO"), advance
    ):
        found.setdefault(code, []).append((target, comment))
    return {code: tuple(targets) for code, targets in found.items()}


def read_changes(
    files: ReleaseFiles, version: str, advance: Advance = no_progress
) -> dict[str, tuple[TermChange, ...]]:
    """Return what LoincChangeSnapshot.csv and Updates.csv tell of axes and statuses: code -> changes.

    A change told by both is listed once. Updates.csv has a row BEFORE and a row CHANGED for each term (UpdatesReadMe.txt) and
    tells no version; its changes are those of the release.
    """
    found: dict[str, list[TermChange]] = {}
    watched = {column: name for name, column in TERM_COLUMNS.items() if name in (*AXES, "status")}
    snapshot = ("LOINC_NUM", "Property", "VersionEffective", "ValuePrior", "ValueCurrent", "ChangeReason")
    for code, column, effective, before, after, reason in files.columns(Part.SNAPSHOT, snapshot, snapshot[:5], advance):
        if (name := watched.get(column.upper())) is not None:
            found.setdefault(code, []).append(TermChange(effective, name, before, after, reason))
    columns = tuple(watched)
    previous: dict[str, tuple[str, ...]] = {}
    header = files.header(Part.UPDATES)
    for kind, code, *values in files.columns(
        Part.UPDATES, ("RecType", "LOINC_NUM", *columns), ("RecType", "LOINC_NUM"), advance
    ):
        if kind == "BEFORE":
            previous[code] = tuple(values)
        elif kind == "CHANGED" and code in previous:
            for column, before, after in zip(columns, previous.pop(code), values, strict=True):
                told = found.setdefault(code, [])
                if column in header and before != after and watched[column] not in [change.field for change in told]:
                    told.append(TermChange(version, watched[column], before, after))
    return {code: tuple(changes) for code, changes in found.items() if changes}


def latest_version(texts: Iterable[tuple[str, str]]) -> str:
    """Return the highest version that terms name as their first or last: "2.80"; "" when they name none."""
    highest = max((version for pair in set(texts) for text in pair for version in versions_in(text)), default=None)
    return f"{highest[0]}.{highest[1]:02d}" if highest else ""

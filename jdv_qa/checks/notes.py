"""Tab 9, the update notes: which changes since the previous version its lines tell, and which lines tell none.

Maintainers write these lines for people, so they are read by what they name: a code (or a label alone), and as far as they
say it the part, the nature, the field and the values. What a line does not say restricts nothing: a line with a code and
a comment tells every change of that code. The words are data: `rules/notes.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jdv_qa.compare.model import KINDS, PARTS, Change, Comparison, Kind, Part
from jdv_qa.compare.versions import padded, version_key
from jdv_qa.resources import read_yaml, rules_directory
from jdv_qa.terminology.labels import fold
from jdv_qa.workbook.edition import REFERENCE_PARTS, Edition, Record, split_values
from jdv_qa.workbook.layout import BAND_SEPARATOR, Layout, normal_form

CODE_FIELDS = frozenset({"order_code", "result_code"})
NABM_FIELDS = frozenset({"nabm_code", "nabm_label"})
_ENTRIES: frozenset[Part] = frozenset({"order", "result"})
_RECODINGS: frozenset[Kind] = frozenset({"assigned", "replaced"})
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_TOKEN = re.compile(r"[0-9a-z][0-9a-z^.-]*")
_CODE_SEPARATORS = re.compile(r"[\s;,|/]+")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of tab 9, folded, as `rules/notes.yaml` has them."""

    parts: Mapping[Part, re.Pattern[str]]
    elsewhere: re.Pattern[str]
    natures: Mapping[Kind, re.Pattern[str]]
    fields: Mapping[str, frozenset[str]]
    blank: frozenset[str]
    part_names: Mapping[Part, str]
    """What is written in the column « Partie »."""
    nature_names: Mapping[Kind, str]
    """What is written in the column « Nature »."""


@lru_cache
def load_vocabulary() -> Vocabulary:
    """Load `rules/notes.yaml`."""
    content: dict[str, Any] = read_yaml(rules_directory() / "notes.yaml")
    return Vocabulary(
        {part: _words(content["parts"].get(part, ())) for part in PARTS if part in content["parts"]},
        _words(content["elsewhere"]),
        {kind: _words(content["natures"].get(kind, ())) for kind in KINDS},
        {normal_form(name): frozenset(fields) for name, fields in content["fields"].items()},
        frozenset(fold(text) for text in content["blank"]),
        {part: content["written"]["parts"][part] for part in PARTS if part in content["written"]["parts"]},
        {kind: content["written"]["natures"][kind] for kind in KINDS},
    )


def _words(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(fold(word)) for word in words) + ")")


@dataclass(frozen=True, slots=True)
class Note:
    """A line of tab 9. None, or "" for `old` and `new`, where it does not say; `tokens` are all words that may be codes.

    `own`: of the edition's own version, not of one between the previous version and it.
    """

    record: Record
    own: bool
    codes: frozenset[str]
    label: str
    parts: frozenset[Part] | None
    kinds: frozenset[Kind] | None
    fields: frozenset[str] | None
    old: str
    new: str
    tokens: frozenset[str]
    elsewhere: bool

    def allows(self, *kinds: Kind) -> bool:
        """Tell whether the nature is one of these, or is not said."""
        return self.kinds is None or bool(self.kinds & set(kinds))


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A line that tells no change; `change` is the one it would tell if its values were those of the rows."""

    note: Note
    change: Change | None = None


@dataclass(frozen=True)
class Told:
    """What tab 9 tells of a comparison."""

    notes: tuple[Note, ...]
    """The lines of the version, and of the versions between the previous one and it."""
    by_change: Mapping[Change, tuple[Note, ...]] = field(default_factory=dict)
    mismatches: tuple[Mismatch, ...] = ()

    def tells(self, change: Change) -> bool:
        """Tell whether some line tells a change."""
        return change in self.by_change

    def tells_by_name(self, change: Change) -> bool:
        """Tell whether some line tells the change of a field by naming that field or stating a value it had or has."""
        return any(note.fields is not None or note.old or note.new for note in self.by_change.get(change, ()))


def code_form(text: str) -> str:
    """Return a code for comparison: whatever its case and its dash."""
    return text.translate(_DASHES).strip().casefold()


def read_notes(edition: Edition, previous: Edition, layout: Layout) -> tuple[Note, ...]:
    """Return the lines of tab 9 for the versions above the previous one, up to the edition's own.

    Where the version has not been raised yet, those of its lines count that the previous version did not have. A blank
    version goes on with the one above.
    """
    own, before = version_key(edition.identity.version), version_key(previous.identity.version)
    raised = own is None or before is None or padded(own) > padded(before)
    known = [] if raised else [record.values for record in previous.records("notes")]
    notes = []
    names = _field_names(layout)
    version = ""
    for record in edition.records("notes"):
        version = record["version"] or version
        key = version_key(version)
        if key is None:
            continue
        is_own = padded(key) == padded(own) if own else True
        between = before is not None and padded(before) < padded(key) and (own is None or padded(key) <= padded(own))
        if (between if raised and before is not None else is_own) and record.values not in known:
            notes.append(_note(record, names, own=is_own))
    return tuple(notes)


def _note(record: Record, names: Mapping[str, frozenset[str]], *, own: bool) -> Note:
    words = load_vocabulary()
    part, nature = fold(record["part"]), fold(record["nature"])
    parts = frozenset(name for name, pattern in words.parts.items() if pattern.search(part))
    for alone in ("association", "nabm"):
        if alone in parts:
            parts = frozenset(name for name in parts if name == alone)
    kinds = frozenset(name for name, pattern in words.natures.items() if pattern.search(nature))
    code = code_form(record["code"])
    codes = {code, *_CODE_SEPARATORS.split(code)} - {""}
    texts = " ".join(record[name] for name in ("old", "new", "label", "comment"))
    return Note(
        record,
        own,
        frozenset(codes),
        fold(record["label"]),
        parts or None,
        kinds or None,
        _fields(record["field"], names) or None,
        _said(record["old"]),
        _said(record["new"]),
        frozenset(token.rstrip(".-^") for token in _TOKEN.findall(fold(texts).translate(_DASHES))),
        not parts and bool(words.elsewhere.search(part)),
    )


def _said(text: str) -> str:
    return "" if fold(text) in load_vocabulary().blank else text


def _fields(text: str, names: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = names.get(normal_form(text), frozenset())
    if not found:
        for part in re.split(r"[;,\n]| et ", text):
            found |= names.get(normal_form(part), frozenset())
    return found


def fields_named(text: str, layout: Layout) -> frozenset[str]:
    """Return the fields that a text of the column « Champ » stands for."""
    return _fields(text, _field_names(layout))


def _field_names(layout: Layout) -> dict[str, frozenset[str]]:
    """Return the normal form of a header, or of a field's key -> the fields it may stand for."""
    names = dict(load_vocabulary().fields)
    for key in ("main", *REFERENCE_PARTS):
        tab = layout.tabs.get(key)
        for name, column in tab.columns.items() if tab else ():
            for text in (*column.headers, name):
                if BAND_SEPARATOR not in text:
                    form = normal_form(text)
                    names[form] = names.get(form, frozenset()) | {name}
    names.pop("", None)
    return names


def read_told(edition: Edition, previous: Edition, comparison: Comparison, layout: Layout) -> Told:
    """Match the lines of tab 9 with the changes of a comparison of the two editions."""
    notes = read_notes(edition, previous, layout)
    matching = _Matching(edition, previous, comparison)
    by_change: dict[Change, list[Note]] = {}
    mismatches = []
    for note in notes:
        near = None
        found = False
        for change in matching.candidates(note):
            if not matching.concerns(note, change):
                continue
            if matching.agrees(note, change):
                by_change.setdefault(change, []).append(note)
                found = True
            elif near is None:
                near = change
        if not found and note.own and not matching.is_outside(note):
            mismatches.append(Mismatch(note, near))
    return Told(notes, {change: tuple(lines) for change, lines in by_change.items()}, tuple(mismatches))


class _Matching:
    """The changes of a comparison by what a line may name of them."""

    def __init__(self, edition: Edition, previous: Edition, comparison: Comparison) -> None:
        """Index the changes by code and by label."""
        self.comparison = comparison
        self.by_code: dict[str, list[Change]] = {}
        self.by_label: dict[str, list[Change]] = {}
        self.labels = _labels_of_codes(edition, previous)
        kinds: dict[str, dict[Kind, set[Part]]] = {}
        for change in comparison.changes:
            for code in dict.fromkeys(filter(None, (change.code, change.new_code, change.result, change.nabm))):
                self.by_code.setdefault(code_form(code), []).append(change)
            for label in _names_of(change, edition, previous):
                self.by_label.setdefault(label, []).append(change)
            if change.part in _ENTRIES and change.kind in ("added", "removed"):
                kinds.setdefault(change.code, {}).setdefault(change.kind, set()).add(change.part)
        self.twins = {
            (code, kind) for code, parts in kinds.items() for kind, both in parts.items() if len(both) == len(_ENTRIES)
        }

    def candidates(self, note: Note) -> Iterator[Change]:
        """Return the changes that a line may be about."""
        if note.codes:
            yield from dict.fromkeys(change for code in sorted(note.codes) for change in self.by_code.get(code, ()))
        else:
            yield from self.by_label.get(note.label, ())
        for token in sorted(note.tokens - note.codes):
            for change in self.by_code.get(token, ()):
                if change.kind == "removed" and change.part in _ENTRIES and code_form(change.code) == token:
                    yield change

    def concerns(self, note: Note, change: Change) -> bool:
        """Tell whether the part, the nature, the field and the codes of a line are those of a change."""
        return (
            self._has_part(note, change)
            and self._has_nature(note, change)
            and self._has_field(note, change)
            and self._names_the_other_code(note, change)
        )

    def _has_part(self, note: Note, change: Change) -> bool:
        if note.parts is None or change.part in note.parts:
            return True
        if change.part == "association":
            return bool(note.parts & _ENTRIES)
        if change.part == "nabm":
            return "order" in note.parts and bool((note.fields or frozenset()) & NABM_FIELDS)
        shared = change.kind in _RECODINGS or (change.code, change.kind) in self.twins
        return shared and change.part in _ENTRIES and bool(note.parts & _ENTRIES)

    @staticmethod
    def _has_nature(note: Note, change: Change) -> bool:
        code = code_form(change.code)
        match change.kind:
            case "modified":
                return note.allows("modified") or change.field in (note.fields or ())
            case "assigned" | "replaced":
                return (
                    note.allows("assigned", "replaced", "modified")
                    or (note.allows("removed") and code in note.codes)
                    or (note.allows("added") and code_form(change.new_code or "") in note.codes)
                )
            case "added":
                if change.part in ("association", "nabm"):
                    return note.allows("added", "modified")
                return note.allows("added") or (note.allows("assigned", "replaced") and code == code_form(note.new))
            case _:
                if change.part in ("association", "nabm"):
                    return note.allows("removed", "modified")
                return note.allows("removed", "assigned", "replaced") or (
                    code not in note.codes and bool(_removal().search(fold(note.record["comment"])))
                )

    @staticmethod
    def _has_field(note: Note, change: Change) -> bool:
        if note.fields is None:
            return True
        if change.part in ("association", "nabm"):
            return bool(note.fields & (CODE_FIELDS if change.part == "association" else NABM_FIELDS))
        if change.kind == "modified":
            return change.field in note.fields
        return change.kind not in _RECODINGS or bool(note.fields & CODE_FIELDS)

    @staticmethod
    def _names_the_other_code(note: Note, change: Change) -> bool:
        """Tell whether a line about a pair, or a recoding, names both codes, or says nothing of the second one."""
        if change.part == "association" or change.part == "nabm":
            order, other = code_form(change.code), code_form(change.result or change.nabm or "")
            missing = [code for code in (order, other) if code not in note.codes]
            if not missing:
                return True
            if change.part == "association" and note.parts and "association" not in note.parts:
                return missing[0] in note.tokens
            if not (note.old or note.new):
                return len(missing) == 1 and (
                    missing[0] == other or missing[0] in note.tokens or note.parts is not None
                )
            named = {code_form(text).lstrip("0") for text in (*split_values(note.old), *split_values(note.new))}
            return missing[-1].lstrip("0") in named | {token.lstrip("0") for token in note.tokens}
        if change.kind in _RECODINGS:
            for text, code in ((note.old, change.code), (note.new, change.new_code or "")):
                if text and code_form(code) not in _TOKEN.findall(code_form(text)):
                    return False
        return True

    def agrees(self, note: Note, change: Change) -> bool:
        """Tell whether the values that a line states are those of the change."""
        if change.kind != "modified":
            return True
        return self._says(note.old, change.old or "", change) and self._says(note.new, change.new or "", change)

    def _says(self, text: str, value: str, change: Change) -> bool:
        """Tell whether a text of a line says a value: as it is, or by the label of the code it is; nothing said is right."""
        if not text:
            return True
        forms = _value_form(text)
        if forms == _value_form(value):
            return True
        labels = self.labels.get(value, ())
        return any(
            fold(text) == label or (label in fold(text) and code_form(value) in code_form(text)) for label in labels
        )

    def is_outside(self, note: Note) -> bool:
        """Tell whether a line speaks of nothing that a comparison of these editions can see."""
        gaps = {gap.field for gap in self.comparison.uncompared}
        return note.elsewhere or not (note.codes or note.label) or bool(note.fields and note.fields <= gaps)


@lru_cache
def _removal() -> re.Pattern[str]:
    natures = load_vocabulary().natures
    return re.compile(f"{natures['removed'].pattern}|{natures['replaced'].pattern}")


@lru_cache(maxsize=4096)
def _value_form(text: str) -> tuple[str, ...]:
    """Return the values of a cell for comparison, numbers by what they are worth."""
    values = []
    for value in split_values(text):
        plain = " ".join(value.translate(_DASHES).split())
        try:
            plain = str(float(plain.replace(",", ".")))
        except ValueError:
            plain = fold(plain) if len(plain) > 12 else plain
        if plain:
            values.append(plain)
    return tuple(values)


def _labels_of_codes(edition: Edition, previous: Edition) -> dict[str, set[str]]:
    """Return code -> its labels in the reference tabs, folded; values of the main tab are often told by label."""
    labels: dict[str, set[str]] = {}
    for side in (previous, edition):
        for tab in REFERENCE_PARTS:
            for record in side.records(tab):
                for code, label in (("code", "label"), ("subcode", "sublabel")):
                    if record[code] and record[label]:
                        labels.setdefault(record[code], set()).add(fold(record[label]))
    return labels


def _names_of(change: Change, edition: Edition, previous: Edition) -> set[str]:
    """Return the labels, folded, under which a line may name the entry of a change."""
    names = {change.label}
    if change.part in _ENTRIES:
        for side, code in ((previous, change.code), (edition, change.new_code or change.code)):
            entity = (side.orders if change.part == "order" else side.results).get(code)
            if entity is not None:
                names |= {
                    entity[name]
                    for name in ("order_label", "order_loinc_label", "result_loinc_label", "result_display")
                }
    return {fold(name) for name in names if name}

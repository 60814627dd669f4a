"""The ledger: the requests of earlier versions with what was decided on them, so that one that comes back is known.

A folder holds one register a version or a meeting, `requests/1.1.0.csv`, in the register's form with its decisions filled in;
its name is that of the version. A request has been asked before when an earlier one asked for the same change of the same
code, or of one that has been replaced since; where either has no code, when their labels are alike.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from jdv_qa.compare.versions import version_key
from jdv_qa.errors import JdvError, OutputError
from jdv_qa.files import write_file
from jdv_qa.language import french_spaces, say
from jdv_qa.terminology.codes import CodeForm, read_code
from jdv_qa.terminology.labels import fold, parse_label, same_meaning
from jdv_qa.triage.decisions import Decision, Ruling, by_number, read_decisions
from jdv_qa.triage.following import ruling_name
from jdv_qa.triage.register_table import register_csv
from jdv_qa.triage.requests import CREATE, MODIFY, REFERENCE_OBJECTS, REMOVE, Request, read_requests
from jdv_qa.triage.succession import Succession
from jdv_qa.triage.value_set import COLUMNS, field_of
from jdv_qa.workbook.edition import ORDER_FIELDS, split_values

LIKE = 86.0
"""How alike (0 to 100) two loose labels must be; below it, tests that differ by one word pass for one another."""

_SUFFIXES = (".csv", ".xlsx", ".xlsm")
_SAFE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,60}")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_WORD = re.compile(r"[a-z0-9]+")
_STEM = 5
_RAREST = 3
_MOST_ALIKE = 400
"""Entries that share a rare word with a label and are looked at more closely."""

_Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier request with the same meaning. `version`: of its register; `outcome` as in a decision, "" for none.

    `how`: the same code, a code that was "replaced" since, or a label "alike".
    """

    number: str
    version: str
    date: str
    applicant: str
    outcome: Ruling
    reason: str
    how: Literal["same", "replaced", "alike"]

    def to_json(self) -> dict[str, str]:
        """Return the entry of the JSON of a review."""
        return {
            "number": self.number, "version": self.version, "date": self.date, "applicant": self.applicant,
            "decision": self.outcome, "reason": self.reason, "how": self.how,
        }  # fmt: skip

    @property
    def sentence(self) -> str:
        """Return "déjà demandée en 2024 (n° 12, version 1.0.0), refusée : …" in the language in use."""
        year = _YEAR.search(self.date)
        when = say(f" en {year.group()}", f" in {year.group()}") if year else ""
        outcome = ruling_name(self.outcome)
        reason = f" : {self.reason}" if self.reason else ""
        how = say(", sous un libellé proche", ", under a similar label") if self.how == "alike" else ""
        if self.how == "replaced":
            how = say(", pour le code d'alors", ", for the code of that time")
        return say(
            french_spaces(f"déjà demandée{when} (n° {self.number}, version {self.version}{how}), {outcome}{reason}"),
            f"asked before{when} (no. {self.number}, version {self.version}{how}), {outcome}{reason.replace(' :', ':')}",
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A request of the ledger: the version of its register, the request as retained, and the decision."""

    version: str
    request: Request
    decision: Decision | None


@dataclass(frozen=True)
class Ledger:
    """The requests of a folder, the earliest register first. `codes`: what took the place of codes since."""

    directory: Path
    entries: tuple[Entry, ...] = ()
    codes: Succession = field(default_factory=Succession)

    def past(self, request: Request) -> tuple[Past, ...]:
        """Return the earlier requests of the same meaning, the latest first; the request itself, recorded, is none."""
        return tuple(self._index.past(request))

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.entries, self.codes)

    @property
    def versions(self) -> tuple[str, ...]:
        """The names of the registers, the earliest first."""
        return tuple(dict.fromkeys(entry.version for entry in self.entries))


def read_ledger(folder: str | Path, codes: Succession | None = None) -> Ledger:
    """Read the registers of a folder. Raises WorkbookError, with the file, for one that cannot be read.

    `codes` tells what took the place of codes since. Raises JdvError when the folder is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise JdvError(
            say(
                f"{folder} : pas un dossier ; le registre des demandes passées en est un (« jdv triage record » le commence)",
                f"{folder}: no folder; the ledger of past requests is one (`jdv triage record` begins it)",
            )
        )
    entries: list[Entry] = []
    for path in sorted(registers(folder), key=_place):
        register = read_requests(path)
        requests = register.requests
        decisions = by_number(requests, read_decisions(path, register))
        entries += [Entry(path.stem, request, decisions[place]) for place, request in enumerate(requests)]
    return Ledger(folder, tuple(entries), codes or Succession())


def registers(folder: Path) -> list[Path]:
    """Return the registers of a folder; hidden files and the lock files of Excel are none."""
    return [
        path
        for path in folder.iterdir()
        if path.suffix.casefold() in _SUFFIXES and not path.name.startswith((".", "~$")) and path.is_file()
    ]


def _place(path: Path) -> tuple[bool, tuple[int, ...], str]:
    key = version_key(path.stem)
    return key is None, key or (), path.name


def record(
    folder: str | Path,
    version: str,
    requests: Sequence[Request],
    decisions: Iterable[Decision],
    statuses: Sequence[str] = (),
) -> Path:
    """Add a decided register to the ledger, whole or not at all, and return its path.

    `statuses`: what to write in the column of the status, those of the register by default. Raises OutputError when the
    ledger has a register of that version already, or when the version cannot name a file.
    """
    folder = Path(folder)
    if not _SAFE_NAME.fullmatch(version):
        shown = ascii(version[:60])[1:-1]
        raise OutputError(
            say(
                f"« {shown} » : ne peut pas nommer un registre ; écrire un numéro de version, par exemple 1.1.0",
                f'"{shown}": cannot name a register; write a version number, such as 1.1.0',
            )
        )
    present = [path for path in registers(folder) if path.stem == version] if folder.is_dir() else []
    path = folder / f"{version}.csv"
    if present:
        raise OutputError(
            say(
                f"{present[0]} existe déjà : les décisions d'une version ne se réécrivent pas ; enregistrer les autres sous un "
                "autre nom, par exemple celui de la réunion",
                f"{present[0]} already exists: the decisions of a version are not written again; record others under another "
                "name, such as that of the meeting",
            )
        )
    write_file(path, register_csv(requests, tuple(by_number(requests, decisions).values()), statuses))
    return path


# ------------------------------------------------------------------------------------------------------------ the index


class _Index:
    """The entries of a ledger by what they ask, and by the words of their labels."""

    def __init__(self, entries: Sequence[Entry], codes: Succession) -> None:
        self.entries, self.codes = entries, codes
        self.by_meaning: dict[_Key, list[int]] = defaultdict(list)
        self.by_word: dict[str, list[int]] = defaultdict(list)
        for place, entry in enumerate(entries):
            for key in _meanings(entry.request, codes):
                self.by_meaning[key].append(place)
            for word in {word for name in _names(entry.request) for word in _words(name)}:
                self.by_word[word].append(place)

    def past(self, request: Request) -> Iterator[Past]:
        found: dict[int, Literal["same", "replaced", "alike"]] = {}
        plain = _codes_of(request.code)
        for key in _meanings(request, self.codes):
            for place in self.by_meaning.get(key, ()):
                other = self.entries[place].request
                if self._under_one_order(request, other):
                    same = (
                        not plain or bool(plain & _codes_of(other.code)) or other.object in ("nabm", *REFERENCE_OBJECTS)
                    )
                    found.setdefault(place, "same" if same else "replaced")
        for place in self._alike(request):
            found.setdefault(place, "alike")
        for place in sorted(found, reverse=True):
            if _identity(self.entries[place].request) != _identity(request):
                yield _past(self.entries[place], found[place])

    def _under_one_order(self, one: Request, other: Request) -> bool:
        """Tell whether two requests may be of one order: one leaves it open, or both name it."""
        if one.kind == MODIFY or not one.order or not other.order:
            return True
        orders = [{self.codes.everywhere(code) for code in _codes_of(request.order)} for request in (one, other)]
        return bool(orders[0] & orders[1]) or fold(one.order) == fold(other.order)

    def _alike(self, request: Request) -> Iterator[int]:
        names = _names(request)
        if not names or request.object in (*REFERENCE_OBJECTS, "nabm"):
            return
        words = sorted(
            {word for name in names for word in _words(name) if word in self.by_word},
            key=lambda word: (len(self.by_word[word]), word),
        )
        near: dict[int, None] = {}
        for word in words[:_RAREST]:
            near |= dict.fromkeys(self.by_word[word][-_MOST_ALIKE:])
        for place in near:
            other = self.entries[place].request
            if request.code and other.code:
                continue
            if (
                _asks(request) == _asks(other)
                and self._under_one_order(request, other)
                and _are_alike(names, _names(other))
            ):
                yield place


def _identity(request: Request) -> tuple[str, ...]:
    """Return what tells a request from the same one made again: a register that was recorded may be reviewed once more."""
    return (
        request.number,
        request.date,
        request.applicant,
        request.kind_text,
        request.code,
        request.label,
        request.reason,
    )


def _past(entry: Entry, how: Literal["same", "replaced", "alike"]) -> Past:
    request, decision = entry.request, entry.decision
    reason = (decision.comment if decision else "") or request.comment
    outcome: Ruling = decision.decision if decision else ""
    return Past(request.number, entry.version, request.date, request.applicant, outcome, reason, how)


def _codes_of(text: str) -> set[str]:
    """Return the codes that a cell names, look-alikes, dates and slips read as what they must be."""
    reading = read_code(text)
    if reading.form is CodeForm.BLANK:
        return set()
    if reading.form is CodeForm.SEVERAL:
        return {code for part in reading.proposals for code in _codes_of(part)}
    if reading.form in (CodeForm.LOINC, CodeForm.PENDING):
        return {text}
    return {reading.proposal or text}


def _meanings(request: Request, codes: Succession) -> set[_Key]:
    """Return what a request asks, one key for each code and value; two requests with a key in common ask the same."""
    thing, kind = request.object, request.kind
    if thing in REFERENCE_OBJECTS:
        code = request.code or (request.asked if kind == CREATE else "")
        wanted = fold(request.asked or request.label) if kind == MODIFY else ""
        return {(kind, thing, fold(code), request.target_field, wanted)} if code else set()
    named = {codes.everywhere(code) for code in _codes_of(request.code or (request.order if thing == "nabm" else ""))}
    if thing == "nabm":
        acts = [part for part in split_values(request.nabm.replace(",", ";")) if part] or [request.asked]
        wanted = fold(request.asked) if kind == MODIFY else ""
        return {(kind, thing, code, act, wanted) for code in named for act in acts if act}
    if kind == MODIFY or (request.target_field and request.asked):
        values = {_field(request): request.asked}
        if not request.target_field and not request.asked:
            values = {name: getattr(request, column) for column, name in COLUMNS.items() if getattr(request, column)}
        if request.target_field and not request.asked:
            column = next((column for column, name in COLUMNS.items() if name == request.target_field), "")
            values = {request.target_field: getattr(request, column) if column else request.label}
        return {
            (kind, code, name, _value(name, text, codes)) for code in named for name, text in values.items() if text
        }
    return {(*_asks(request), code) for code in named}


def _asks(request: Request) -> _Key:
    """Return what a request is: of what kind, of an order or of something else, of which field."""
    return (
        request.kind,
        "order" if request.object == "order" else "",
        request.target_field if request.kind == MODIFY else "",
    )


def _field(request: Request) -> str:
    """Return the field asked to change; a code asked for without saying so is one in the place of another."""
    return field_of(request, "order" if request.object == "order" else "result") or "result_code"


def _value(name: str, text: str, codes: Succession) -> str:
    """Return a value for comparison; the case of a unit has a meaning, and so have the codes that took a code's place."""
    if name in ("unit", "unit_secondary"):
        return " ".join(text.split())
    if name in ("result_code", "order_code"):
        return ";".join(sorted(codes.everywhere(code) for code in _codes_of(text)))
    if name in ("order_synonyms", "clinical_info") or (name in ORDER_FIELDS and ";" in text):
        return ";".join(sorted(fold(part) for part in split_values(text)))
    return fold(text)


# -------------------------------------------------------------------------------------------------------- labels alike


def _names(request: Request) -> tuple[str, ...]:
    """Return what a request calls its test: its label, its display label."""
    if request.kind not in (CREATE, REMOVE, MODIFY):
        return ()
    return tuple(dict.fromkeys(text for text in (request.label, request.display) if text))


def _words(text: str) -> set[str]:
    """Return the beginnings of the words of a label, so that a slip at the end of one does not hide it."""
    parsed = parse_label(text)
    return {
        word[:_STEM]
        for word in _WORD.findall(fold(parsed.component if parsed else text))
        if len(word) > 2 or word.isdigit()
    }


def _are_alike(names: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether two tests are called alike: by labels of one meaning, or by nearly the same words and the same figures."""
    from rapidfuzz.fuzz import token_sort_ratio

    for one in names:
        for other in others:
            parsed, meant = parse_label(one), parse_label(other)
            if parsed is not None and meant is not None:
                if same_meaning(one, other):
                    return True
                continue
            plain = fold(parsed.component if parsed else one), fold(meant.component if meant else other)
            figures = [sorted(word for word in _WORD.findall(text) if any(map(str.isdigit, word))) for text in plain]
            if figures[0] == figures[1] and token_sort_ratio(*plain, score_cutoff=LIKE) >= LIKE:
                return True
    return False

"""CEL: what Excel, copying and pasting do to the text of cells.

The text cells of all tabs are passed over once; the few that hold anything unusual are kept for the rules to look at. What a
cell's rules propose is one and the same text, with everything mended. A fault in a LOINC or pending code is left to the COD
and ATT rules, which know what code is meant, and a space or a sign in a unit to UNI-02.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from jdv_qa.checks.codes import LOINC_TABS, odd_code_cells, read_code_in
from jdv_qa.checks.engine import CODE_FIELDS, LABEL_OF, Context, once, own_texts, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.language import say
from jdv_qa.terminology.codes import (
    CodeForm,
    CodeReading,
    codes_of_date,
    is_loinc,
    is_pending,
    read_code,
    without_look_alikes,
)
from jdv_qa.terminology.labels import fold
from jdv_qa.workbook.edition import CellKind, RawValue, Record, Table
from jdv_qa.workbook.read import text_of

PROSE = {
    "main": ("comment",), "notes": ("comment",), "history": ("comment",), "summary": ("label", "value"),
    "experts": ("specialty", "organisation", "period", "name"), "indicators": ("indicator",),
}  # fmt: skip
"""Fields of free text: French typography, line breaks and bullets are at home there."""

LOINC_FIELDS = {"main": CODE_FIELDS} | LOINC_TABS
CHAPTER_FIELDS = ("chapter", "subchapter")
UNIT_FIELDS = ("unit", "unit_secondary")
REFERENCES = {"specimen": "specimens", "site": "sites", "laterality": "lateralities"}
"""Field of the main tab -> the tab that defines its codes."""

CODE_TABS = ("specimens", "sites", "lateralities", "techniques")
_QUOTED = ("old", "new")
"""Fields of the notes that quote values; the old one is quoted as it was, with its faults."""

_OTHER_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_ZERO_WIDTH = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_UNUSUAL = re.compile(f"[\x01-\x1f\x7f-\xa0\u00ac{_ZERO_WIDTH}{_OTHER_SPACES}ÂÃÅÎÏâï√├┬‚\u2028\u2029\ufffd]")
_BEGINS_AS_FORMULA = re.compile("\0[=@+-]")
_DOUBLE_SPACE = re.compile("  ")
_AMPERSAND = re.compile("&")
# What only a text that holds something unusual is searched for is compiled when the first is.
_ENTITY = r"&(?:#[0-9]{2,7}|#[xX][0-9A-Fa-f]{2,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_TYPOGRAPHIC = r"[\u00a0\u202f](?=[;:!?»%€°/]|\d)|(?<=[«\d/])[\u00a0\u202f]"
"""No-break spaces where French typography wants them: before ; : ! ? » %, after «, beside a figure."""

_SPACE = f"[{_OTHER_SPACES}]"
_INVISIBLE = f"[{_ZERO_WIDTH}]"
_DOUBLE = r"(?<=\S) {2,}(?=\S)"
_BREAK = "\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]"
_CONTROL = "[\x01-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]"
_CONTROL_OR_BREAK = "[\x01-\x1f\x7f-\x9f\u2028\u2029]"
_NUMBER_OR_SIGNS = r"[-+±/\s]*(?:\d[\d\s.,]*(?:[eE][-+]?\d+)?\s*%?)?"
_RUN = r"(?s:(?:[=@]|[-+](?!-*>)).*\w)"
_NABM_TOKEN = r"[^;,/\s]+"
_LETTERS = dict(
    zip(
        "АВЕКМНОРСТХУІЅЈаеорсхуіѕјмктвΑΒΕΖΗΙΚΜΝΟΡΤΥΧο\u2010\u2011\u2012\u2013\u2014\u2212\u00ad",
        "ABEKMHOPCTXYISJaeopcxyisjmktbABEZHIKMNOPTYXo-------",
        strict=True,
    )
)
"""Cyrillic and Greek letters, and dashes, that look like Latin ones."""

_EXCEL_EPOCH, _EXCEL_EPOCH_1904 = dt.date(1899, 12, 30), dt.date(1904, 1, 1)
_LONGEST_NUMBER = 10**15
"""Excel keeps fifteen digits of a number."""


class _Text(NamedTuple):
    """A text cell that holds something unusual: its text as stored, and the same with everything mended."""

    table: Table
    record: Record
    field: str
    raw: str
    decoded: str
    mended: str
    prose: bool
    breaks: bool
    """Line breaks are at home in it."""

    @property
    def is_code(self) -> bool:
        """A LOINC or pending code belongs in the cell."""
        return self.field in LOINC_FIELDS.get(self.table.key, ())

    @property
    def is_unit(self) -> bool:
        """A unit belongs in the cell."""
        return self.table.key == "main" and self.field in UNIT_FIELDS

    def is_right(self, text: str) -> bool:
        """Tell whether a form of the text is no wrong code: what is meant by a wrong one, the COD and ATT rules tell."""
        return not self.is_code or read_code_in(self.table.key, text).form in (
            CodeForm.LOINC,
            CodeForm.PENDING,
        )

    def problem(self, message: str = "default", suggestion: str | None = None, **facts: object) -> Problem:
        """Return a problem of the cell."""
        return _problem(
            self.table, self.record, self.field, value=self.raw, suggestion=suggestion, message=message, facts=facts
        )


def _problem(table: Table, record: Record, name: str, **what: Any) -> Problem:
    """Return a problem of a field; the history of versions is a part of the Sommaire."""
    if table.key == "history":
        return Problem("summary", row=record.row, column=table.column_of[name], field=name, sheet=table.sheet, **what)
    return Problem(table.key, record, name, **what)


def _texts(context: Context) -> list[_Text]:
    """Return the text cells that hold anything unusual."""
    tables = context.edition.tables.values()
    return once(context, "unusual_texts", lambda: [text for table in tables for text in _unusual_texts(context, table)])


def _odd_codes(context: Context) -> list[tuple[str, Record, str, CodeReading]]:
    """Return the cells of codes, those of the chapters too, that hold look-alike characters or a date."""
    return once(context, "odd_codes", lambda: list(_find_odd_codes(context)))


def _find_odd_codes(context: Context) -> Iterator[tuple[str, Record, str, CodeReading]]:
    odd = (CodeForm.LOOK_ALIKE, CodeForm.DATE)
    for place in odd_code_cells(context):
        if place[3].form in odd:
            yield place
    for name in CHAPTER_FIELDS:
        for text, records in own_texts(context, "main", name).items():
            if (reading := read_code(text)).form in odd:
                for record in records:
                    if record.raw_text(name) is not None:
                        yield "main", record, name, reading


def _unusual_texts(context: Context, table: Table) -> Iterator[_Text]:
    unusual = _unusual(record.values.values() for record in table.records)
    for record in table.records if unusual else [record for record in table.records if record.cells]:
        names = [name for name, cell in record.cells.items() if type(cell.raw) is str and cell.kind is CellKind.TEXT]
        if not unusual.isdisjoint(record.values.values()):
            names += [
                name
                for name, text in record.values.items()
                if text in unusual and name not in record.cells and name not in record.inherited
            ]
        for name in names:
            cell = record.cell(name)
            if cell.formula is not None or not isinstance(raw := cell.raw, str) or name not in table.column_of:
                continue
            if len(text_of(raw)) != len(raw) or _is_unusual(f"\0{raw}"):
                yield _text(context, table, record, name, raw)


def _unusual(rows: Iterable[Iterable[str]]) -> set[str]:
    """Return the texts of some rows that may hold anything that the rules report; all are searched at once, each once."""
    texts = list(set().union(*rows))
    whole = "\0".join(("", *texts))
    starts = list(itertools.accumulate((len(text) + 1 for text in texts), initial=1))
    found: set[str] = set()
    for pattern in (_UNUSUAL, _BEGINS_AS_FORMULA, _DOUBLE_SPACE, _AMPERSAND):
        place = 0
        while (match := pattern.search(whole, place)) is not None:
            number = bisect.bisect_right(starts, match.end() - 1) - 1
            found.add(texts[number])
            place = starts[number + 1] - 1
    if not unicodedata.is_normalized("NFC", whole):
        found |= {text for text in texts if not unicodedata.is_normalized("NFC", text)}
    return {text for text in found if _is_unusual(f"\0{text}")}


def _is_unusual(texts: str) -> bool:
    """Tell whether texts, each after a zero character, may hold anything that the rules report."""
    return (
        "  " in texts
        or _UNUSUAL.search(texts) is not None
        or _BEGINS_AS_FORMULA.search(texts) is not None
        or ("&" in texts and re.search(_ENTITY, texts) is not None)
        or not unicodedata.is_normalized("NFC", texts)
    )


def _text(context: Context, table: Table, record: Record, name: str, raw: str) -> _Text:
    layout = context.layout.tabs.get(table.key)
    column = layout.columns.get(name) if layout else None
    prose = name in PROSE.get(table.key, ())
    quoted = table.key == "notes" and name in _QUOTED
    breaks = prose or quoted or (column is not None and column.multiple)
    if quoted and name == "old":
        return _Text(table, record, name, raw, raw, raw, prose, breaks)
    decoded = decode(raw)
    return _Text(table, record, name, raw, decoded, mend(decoded, prose=prose, breaks=breaks), prose, breaks)


def mend(text: str, *, prose: bool = False, breaks: bool = False) -> str:
    """Return a text in NFC without control characters, invisible characters and spaces that do not belong.

    `prose` keeps the no-break spaces of French typography, `breaks` the line breaks.
    """
    text = unicodedata.normalize("NFC", text)
    text = re.sub(_CONTROL, "", re.sub(_BREAK, "\n", text).replace("\t", " "))
    if not breaks:
        text = re.sub(r"[ \u00a0]*\n\s*", " ", text.strip())
    kept = {match.start() for match in re.finditer(_TYPOGRAPHIC, text)} if prose else set()
    text = re.sub(_SPACE, lambda match: match.group() if match.start() in kept else " ", text)
    return text_of(re.sub(_DOUBLE, " ", re.sub(_INVISIBLE, "", text)))


def _faulty_spaces(text: str, *, prose: bool) -> list[str]:
    """Return the spaces and invisible characters within a text that do not belong there, each once."""
    kept = {match.start() for match in re.finditer(_TYPOGRAPHIC, text)} if prose else set()
    found = [match for pattern in (_SPACE, _INVISIBLE) for match in re.finditer(pattern, text)]
    return list(dict.fromkeys(match.group() for match in found if match.start() not in kept))


@cache
def _name(character: str) -> tuple[str, str]:
    """Return the name of a character in French and in English: what people call it, or Unicode's name."""
    names = {
        " ": ("espace", "space"),
        "\t": ("tabulation", "tab"),
        "\n": ("saut de ligne", "line break"),
        "\r": ("retour chariot", "carriage return"),
        "\u00a0": ("espace insécable", "no-break space"),
        "\u202f": ("espace fine insécable", "narrow no-break space"),
        "\u2009": ("espace fine", "thin space"),
        "\u200b": ("espace sans chasse, invisible", "zero-width space"),
        "\ufeff": ("marque d'ordre des octets, invisible", "byte order mark"),
        "\u00ad": ("trait d'union conditionnel, invisible", "soft hyphen"),
    }
    number = f"U+{ord(character):04X}"
    fr, en = names.get(character) or ((unicodedata.name(character, number),) * 2)
    shown = "" if character in " \t\n\r" or fr == number else f" ({number})"
    return fr + shown, en + shown


def _named(characters: Iterable[str]) -> str:
    return ", ".join(say(*_name(character)) for character in characters)


@rule("CEL-01")
def stray_space(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Spaces before or after the text, doubled, no-break or of no width.

    Within a LOINC code they are left to COD-01, within a unit (unless of no width) to UNI-02, and a tab or a carriage return in
    front to CEL-08.
    """
    for text in _texts(context):
        core = text_of(text.raw)
        if text.mended == text.raw or not (core == "" or text.is_right(core)):
            continue
        if not core:
            yield text.problem("blank", "")
            continue
        start = text.raw.index(core)
        before, after = text.raw[:start], text.raw[start + len(core) :]
        faults = []
        if before and before[0] not in "\t\r":
            faults.append(say(f"{_named(dict.fromkeys(before))} en tête", f"{_named(dict.fromkeys(before))} in front"))
        if after:
            faults.append(say(f"{_named(dict.fromkeys(after))} en fin", f"{_named(dict.fromkeys(after))} at the end"))
        inside = _faulty_spaces(core, prose=text.prose) if text.decoded == text.raw else []
        if text.is_unit:
            inside = [character for character in inside if re.match(_INVISIBLE, character)]
        if inside:
            faults.append(_named(inside))
        if re.search(_DOUBLE, text.decoded.strip()) and not text.is_unit:
            faults.append(say("espaces doubles", "doubled spaces"))
        if faults:
            yield text.problem(suggestion=text.mended, faults=", ".join(faults))


@rule("CEL-02")
def look_alike(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Characters that only look like those of a code or a unit: dashes, Cyrillic, full-width, letters for digits."""
    for tab, record, name, reading in _odd_codes(context):
        if reading.form is CodeForm.LOOK_ALIKE:
            yield Problem(
                tab, record, name, suggestion=reading.proposal, facts=_look_alikes(record[name], reading.proposal)
            )
    for tab, name, meant in _places_of_codes(context, parameters):
        for text, records in own_texts(context, tab, name).items():
            suggestion = meant(text) if text else None
            if suggestion is None or suggestion == text:
                continue
            for record in records:
                if record.raw_text(name) is not None:
                    message = "unit" if name in UNIT_FIELDS else "default"
                    yield Problem(
                        tab, record, name, suggestion=suggestion, message=message, facts=_look_alikes(text, suggestion)
                    )


def _places_of_codes(
    context: Context, parameters: Mapping[str, Any]
) -> Iterator[tuple[str, str, Callable[[str], str | None]]]:
    """Yield (tab, field, what a text in it was meant to be) for units and the codes that are no LOINC or pending codes."""
    nabm, rihn = re.compile(parameters["nabm"]), re.compile(parameters["rihn"])
    yield (
        "main",
        "nabm_code",
        lambda text: re.sub(_NABM_TOKEN, lambda token: _nabm_meant(token.group(), nabm, rihn), text),
    )
    yield "notes", "code", _loinc_meant
    for name, tab in REFERENCES.items():
        codes = {record["code"] for record in context.edition.records(tab) if record["code"]}
        yield "main", name, _reference_meant(codes)
    for tab in CODE_TABS:
        yield tab, "code", _code_meant
    for name in UNIT_FIELDS:
        yield "main", name, fold_letters


def _look_alikes(text: str, meant: str | None) -> dict[str, object]:
    """Return the characters of a text that its correction replaces, with what they are, as a fact of the sentence."""
    wrong = dict.fromkeys(character for character in text if character not in (meant or ""))
    return {"characters": ", ".join(say(*_what_it_is(character)) for character in wrong)}


def _what_it_is(character: str) -> tuple[str, str]:
    """Return what a look-alike character is, in French and in English."""
    if character.isascii():
        kind = ("la lettre", "the letter") if character.isalpha() else ("le signe", "the sign")
        return f"{kind[0]} {character}", f"{kind[1]} {character}"
    name = unicodedata.name(character, "")
    kinds = {
        "MINUS": ("un signe moins", "a minus sign"),
        "HYPHEN": ("un trait d'union spécial", "a special hyphen"),
        "DASH": ("un tiret long", "a long dash"),
        "CYRILLIC": ("une lettre cyrillique", "a Cyrillic letter"),
        "GREEK": ("une lettre grecque", "a Greek letter"),
        "FULLWIDTH": ("un caractère pleine chasse", "a full-width character"),
        "DIGIT": ("un chiffre d'une autre écriture", "a digit of another script"),
    }
    fr, en = next((kinds[key] for key in kinds if key in name), (name, name))
    return f"{fr} (U+{ord(character):04X})", f"{en} (U+{ord(character):04X})"


def fold_letters(text: str) -> str:
    """Return a text with full-width characters, and letters and dashes that look like Latin ones, in plain ASCII."""
    if text.isascii():
        return text
    return "".join(
        unicodedata.normalize("NFKC", character)
        if "\uff01" <= character <= "\uff5e"
        else _LETTERS.get(character, character)
        for character in text
    )


def _loinc_meant(text: str) -> str | None:
    reading = read_code(text) if any(character.isdigit() for character in text) else None
    return reading.proposal if reading and reading.form is CodeForm.LOOK_ALIKE else None


def _nabm_meant(text: str, nabm: re.Pattern[str], rihn: re.Pattern[str]) -> str:
    """Return the NABM or RIHN code that a text was meant to be, the text itself if it is one or cannot be one."""
    if nabm.fullmatch(text) or rihn.fullmatch(text) or not any(character.isdigit() for character in text):
        return text
    plain = fold_letters(text)
    candidates = (plain, without_look_alikes(plain), plain[0] + without_look_alikes(plain[1:]))
    return next((code for code in candidates if nabm.fullmatch(code) or rihn.fullmatch(code)), text)


def _code_meant(text: str) -> str | None:
    plain = fold_letters(text)
    digits = without_look_alikes(plain)
    return digits if digits.isdigit() and sum(character.isdigit() for character in plain) >= 5 else plain


def _reference_meant(codes: set[str]) -> Callable[[str], str | None]:
    """Return what finds the code, of some, that a text looks like but is not."""
    by_look = {without_look_alikes(code): code for code in codes}

    def meant(text: str) -> str | None:
        return text if text in codes else by_look.get(without_look_alikes(fold_letters(text))) or fold_letters(text)

    return meant


@rule("CEL-03")
def date_for_code(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Dates in code cells, with the codes that Excel makes such dates of, and dates left as text."""
    evidence = _Evidence(context)
    for tab, fields, is_loinc_code in (
        ("main", (*CODE_FIELDS, *CHAPTER_FIELDS), True),
        *((tab, fields, True) for tab, fields in LOINC_TABS.items()),
        ("notes", ("code",), True),
        ("main", ("nabm_code", *REFERENCES), False),
        *((tab, ("code",), False) for tab in CODE_TABS),
    ):
        sheet = context.edition.sheet_of(tab)
        epoch = _EXCEL_EPOCH_1904 if sheet and sheet.from_1904 else _EXCEL_EPOCH
        for record, name, raw in _stored_as(context, CellKind.DATE, tab, fields):
            serial = _serial(raw, epoch) if isinstance(raw, dt.date) else 0
            if is_loinc_code:
                codes = evidence.sort(_loinc_codes_of(raw, serial, evidence.known), record, name)
            else:
                codes = _codes_of_serial(serial) if name == "nabm_code" else []
            yield _date_problem(tab, record, name, codes, "date")
    for tab, record, name, reading in _odd_codes(context):
        if reading.form is CodeForm.DATE:
            yield _date_problem(tab, record, name, evidence.sort(reading.proposals, record, name), "text")


def _stored_as(
    context: Context, kind: CellKind, tab: str, fields: Iterable[str]
) -> Iterator[tuple[Record, str, RawValue]]:
    """Yield (record, field, stored value) for the cells of a kind that hold no formula and are not completed from above."""
    for record in context.edition.records(tab):
        for name in fields:
            cell = record.cells.get(name)
            if cell and cell.kind is kind and cell.formula is None and name not in record.inherited:
                yield record, name, cell.raw


def _date_problem(tab: str, record: Record, name: str, codes: list[str], kind: str) -> Problem:
    message = kind if not codes else f"{kind}_code" if len(codes) == 1 else f"{kind}_codes"
    others = ", ".join(codes[1:])
    return Problem(
        tab,
        record,
        name,
        code="",
        suggestion=next(iter(codes), None),
        related=tuple(codes[1:]),
        message=message,
        facts={"others": others},
    )


def _loinc_codes_of(raw: object, serial: int, known: set[str]) -> list[str]:
    """Return the LOINC codes that may have become a date, and the known pending code that the date is the number of."""
    if not isinstance(raw, dt.date):
        return []
    number = str(serial)
    return [*codes_of_date(raw), *([number] if is_pending(number) and number in known else [])]


def _codes_of_serial(serial: int) -> list[str]:
    """Return the NABM code that a date is the number of: 1609 in a cell of format Date shows as 27 May 1904."""
    return [f"{serial:04d}"] if 1 <= serial <= 9999 else []


def _serial(date: dt.date, epoch: dt.date) -> int:
    """Return the number that Excel keeps for a date, counted from an epoch; from that of 1900, right from March on."""
    day = date.date() if isinstance(date, dt.datetime) else date
    return (day - epoch).days


class _Evidence:
    """What tells which of several codes a cell held: the same label elsewhere, LOINC, the codes of the workbook."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._codes: dict[str, set[str]] | None = None

    @property
    def _by_label(self) -> dict[str, set[str]]:
        """Label -> codes, under "" all codes."""
        if self._codes is None:
            self._codes = {"": set()}
            for edition in (self.context.edition, *self.context.earlier):
                pairs = [("main", code, label) for code, label in LABEL_OF.items()]
                pairs += [
                    ("chapters", "code", "label"),
                    ("chapters", "subcode", "sublabel"),
                    ("clinical_info", "code", "label"),
                ]
                for tab, code_field, label_field in pairs:
                    for record in edition.records(tab):
                        if code := record[code_field]:
                            self._codes[""].add(code)
                            self._codes.setdefault(record[label_field], set()).add(code)
        return self._codes

    @property
    def known(self) -> set[str]:
        """All codes of the workbook and of its earlier versions."""
        return self._by_label[""]

    def sort(self, codes: Iterable[str], record: Record, name: str) -> list[str]:
        """Return codes with those first that the row's label, then LOINC, then the rest of the workbook, speak for."""
        codes = list(codes)
        if len(codes) < 2:
            return codes
        label = record[LABEL_OF.get(name, "label")]
        same = self._by_label.get(label, set()) if label else set()
        terms = self.context.loinc.terms if self.context.loinc else {}

        def rank(code: str) -> tuple[bool, bool, bool, bool]:
            term = terms.get(code)
            fits = term is not None and bool(label) and term.matches_axes(label)
            return code not in same, not fits, bool(terms) and term is None, code not in self.known

        return sorted(codes, key=rank)


@rule("CEL-04")
def number_for_code(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes kept as numbers that lost zeros, decimals or digits. A decimal order or result code is left to COD-01."""
    places: list[tuple[str, tuple[str, ...], Callable[[str], tuple[str, str | None] | None]]] = [
        ("main", ("nabm_code",), _nabm_of_number),
        ("main", CHAPTER_FIELDS, _loinc_of_number),
        *((tab, fields, _loinc_of_number) for tab, fields in LOINC_TABS.items()),
        ("main", tuple(REFERENCES), _code_of_number),
        *((tab, ("code",), _code_of_number) for tab in ("specimens", "sites", "lateralities")),
        ("techniques", ("code",), _technique_of_number),
    ]
    for tab, fields, judge in places:
        for record, name, raw in _stored_as(context, CellKind.NUMBER, tab, fields):
            if (found := judge(text_of(raw))) is not None:
                message, suggestion = found
                yield Problem(tab, record, name, suggestion=suggestion, message=message)
    row = context.edition.identity.rows.get("loinc_version")
    for record in context.edition.records("summary"):
        if record.row == row and record.cell("value").kind is CellKind.NUMBER:
            whole, _, decimals = record["value"].partition(".")
            if len(decimals) < 2:
                yield Problem("summary", record, "value", suggestion=f"{whole}.{decimals:0<2}", message="version")


def _nabm_of_number(text: str) -> tuple[str, str | None] | None:
    whole, point, decimals = text.partition(".")
    if point:
        meant = f"{whole:0>4};{decimals:0<4}" if len(whole) <= 4 and len(decimals) <= 4 and whole.isdigit() else None
        return ("two_codes" if meant else "decimals"), meant
    if len(text) == 4 and text.isdigit():
        return None
    if text.isdigit() and 0 < int(text) < 1000:
        return "default", text.zfill(4)
    if 7 <= len(text) <= 8 and text.isdigit():
        return "two_codes", f"{text[:-4]:0>4};{text[-4:]}"
    return "not_a_code", None


def _loinc_of_number(text: str) -> tuple[str, str | None] | None:
    if "." not in text:
        return None
    dashed = text.replace(".", "-")
    return ("dash", dashed) if is_loinc(dashed) else ("decimals", None)


def _code_of_number(text: str) -> tuple[str, str | None] | None:
    if "." in text:
        return "decimals", None
    return ("precision", None) if abs(int(text)) >= _LONGEST_NUMBER else None


def _technique_of_number(text: str) -> tuple[str, str | None] | None:
    """Judge a technique code, of three characters: 9E5 became 900000, 012 became 12."""
    if "." in text:
        return "decimals", None
    if (power := re.fullmatch(r"([1-9])(0{3,9})", text)) is not None:
        return "power", f"{power.group(1)}E{len(power.group(2))}"
    return ("default", text.zfill(3)) if text.isdigit() and len(text) < 3 else None


@rule("CEL-05")
def entity_or_mojibake(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """HTML entities, and text read in another character set than it was written in.

    A letter lost for good is guessed from the other words of the workbook.
    """
    for text in _texts(context):
        if text.decoded != text.raw and text.is_right(text.mended):
            before, after = _first_difference(text.raw, text.decoded)
            yield text.problem(suggestion=text.mended, before=before, after=after)
        elif "\ufffd" in text.raw and not text.is_code:
            meant = _without_lost_letters(context, text.mended)
            yield text.problem("lost" if meant is None else "guessed", meant)


@rule("CEL-06")
def not_nfc(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Letters written as a letter and a separate accent."""
    for text in _texts(context):
        if text.mended != text.raw and text.is_right(text.mended) and not unicodedata.is_normalized("NFC", text.raw):
            yield text.problem(suggestion=text.mended)


@rule("CEL-07")
def control_character(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Control characters, and line breaks in fields of one line; those at the ends of a text are spaces to CEL-01 or CEL-08."""
    for text in _texts(context):
        if text.is_code or text.mended == text.raw or text.decoded != text.raw:
            continue
        pattern = _CONTROL if text.breaks else _CONTROL_OR_BREAK
        if found := dict.fromkeys(re.findall(pattern, text_of(text.raw))):
            only_breaks = set(found) <= set("\n\r")
            value_of_code = text.is_unit or text.field in (*REFERENCES, "code", "order_type")
            yield text.problem(
                "break" if only_breaks and not text.breaks else "default",
                None if value_of_code else text.mended,
                characters=_named(found),
            )


@rule("CEL-08")
def runs_as_formula(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Texts that begin as a formula does. Signs alone, plain numbers and, in free text, bullets are none."""
    for text in _texts(context):
        core = text_of(text.raw)
        if text.is_code:
            continue
        if text.raw[0] in "\t\r" and core:
            yield text.problem("hidden", text.mended, character=_named(text.raw[0]))
        elif reads_as_formula(core) and not (text.prose and re.match(r"[-+]\s", core)):
            yield text.problem(character=core[0])


def reads_as_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run a text, without spaces at its ends, as a formula."""
    return bool(re.match(_RUN, text)) and not re.fullmatch(_NUMBER_OR_SIGNS, text)


def decode(text: str) -> str:
    """Return a text with HTML entities and wrongly decoded characters put right; what would not make sense is left as it is."""
    for _ in range(3):
        mended = text
        if "&" in mended:
            mended = re.sub(_ENTITY, _entity, mended)
        if not mended.isascii():
            for pattern, reread in _misreadings():
                mended = pattern.sub(reread, mended)
            mended = re.sub(_LOST_A, "à", mended)
        if mended == text:
            break
        text = mended
    return text


_LOST_A = r"(?<![A-ZÀ-Þ])Ã (?= |$)|(?<=[a-z])Ã(?= )"
"""« Ã » and a no-break space stand for « à »; the space may have been made a plain one."""

_SENSIBLE = frozenset(map(chr, (*range(0xA0, 0x100), *range(0x391, 0x3CA)))) | frozenset(
    "œŒŸŠšŽž‘’“”‚„†‡•…–—‐‑‰‹›€™−≤≥≠≈→←↔\u202f\u2009\u200b\ufeff"
)
"""What a French laboratory text may hold beyond ASCII; nothing else is made of a wrongly decoded character."""


def _entity(match: re.Match[str]) -> str:
    import html
    from html.entities import name2codepoint

    name = match.group()[1:-1]
    if not name.startswith("#") and name not in name2codepoint and name != "apos":
        return match.group()
    character = html.unescape(match.group())
    meant = len(character) == 1 and (
        character in "\n\r\t" or unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")
    )
    return character if meant and character != "\ufffd" else match.group()


def _misreading(charset: str) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    """Return the pattern of UTF-8 sequences of two or three bytes read in a character set, and what puts a match right."""
    byte_of = {chr(byte): byte for byte in range(0x80, 0xC0)} if charset == "cp1252" else {}
    for byte in range(0x80, 0x100):
        byte_of[bytes([byte]).decode(charset, "ignore") or chr(byte)] = byte

    def some(wanted: Iterable[int]) -> str:
        found = [character for character, byte in byte_of.items() if byte in set(wanted)]
        return f"[{re.escape(''.join(found))}]"

    def reread(match: re.Match[str]) -> str:
        try:
            character = bytes(byte_of[letter] for letter in match.group()).decode("utf-8")
        except UnicodeDecodeError:
            return match.group()
        return character if character in _SENSIBLE else match.group()

    greek = (0xCE, 0xCF) if charset == "cp1252" else ()
    tail = some(range(0x80, 0xC0))
    return re.compile(f"{some((0xC2, 0xC3, 0xC5, *greek))}{tail}|{some((0xE2, 0xEF))}{tail}{{2}}"), reread


@cache
def _misreadings() -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]:
    """Return the patterns of UTF-8 read in another character set, with what puts a match right."""
    return tuple(map(_misreading, ("cp1252", "mac_roman", "cp850")))


def _first_difference(raw: str, decoded: str) -> tuple[str, str]:
    """Return the first piece of a text that decoding changes, and what it becomes."""
    patterns: list[str | re.Pattern[str]] = [_ENTITY, *(pattern for pattern, _ in _misreadings()), _LOST_A]
    for pattern in patterns:
        for match in re.finditer(pattern, raw):
            if (piece := decode(match.group())) != match.group():
                return match.group(), piece
    return raw, decoded


def _without_lost_letters(context: Context, text: str) -> str | None:
    """Return a text with its replacement characters filled in from the other words of the workbook, None if they do not tell."""
    words = {
        word
        for table in context.edition.tables.values()
        for record in table.records
        for value in record.values.values()
        if not value.isascii()
        for word in re.findall(r"\w+", value)
    }

    def fill(match: re.Match[str]) -> str:
        shape = re.compile(re.sub("\ufffd+", lambda lost: rf"[^\W_a-zA-Z0-9]{{1,{len(lost.group())}}}", match.group()))
        meant = [word for word in words if shape.fullmatch(word)]
        return meant[0] if len(meant) == 1 else match.group()

    filled = re.sub(r"[\w\ufffd]*\ufffd[\w\ufffd]*", fill, text)
    return None if "\ufffd" in filled else filled


_MESSAGES = {"status": "status", "validated": "date", "version": "version", "corrected": "version"}
"""Field of the table of terms -> the sentence of CEL-09."""


@rule("CEL-09", after_schemas=True)
def not_of_its_column(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Values of a table of terms that its Table Schema refuses: status, date, versions."""
    meanings = {fold(text): status for status, texts in parameters["spellings"].items() for text in (status, *texts)}
    for error in context.schema_errors.get("CEL-09", ()):
        meant = meanings.get(fold(error.record[error.field])) if error.field == "status" else None
        message = _MESSAGES.get(error.field, "default")
        yield Problem(
            error.tab,
            error.record,
            error.field,
            suggestion=meant,
            message=f"{message}-meant" if meant else message,
        )

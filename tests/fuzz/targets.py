"""What is fuzzed: for each target the seeds, how a case is made of them, and what must hold when the tool is given the case.

Whatever the input, a function of ours answers, or raises JdvError with a message of one line; anything else is a finding. A workbook
that is read says the same by both readers, loses no cell, and a cell changed in it shows in the comparison.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from random import Random

from jdv_qa.checks.catalogue import Rule, load_catalogue
from jdv_qa.compare.compare import compare
from jdv_qa.compare.entries import LIST_FIELDS
from jdv_qa.errors import JdvError
from jdv_qa.resources import rules_directory
from jdv_qa.sample import SAMPLE_DIR
from jdv_qa.workbook.edition import Edition, Table, split_values
from jdv_qa.workbook.read import read_edition, text_of
from jdv_qa.workbook.sheets import RawSheet, read_with_calamine, read_with_openpyxl
from tests.fuzz import mutations
from tests.fuzz.workbooks import Parts, seeds, zipped
from tests.loinc_files import release_files

LONGEST_LINE = 4000


class Broken(AssertionError):
    """What must hold does not."""


@dataclass(frozen=True)
class Target:
    """`make` turns a generator of numbers, and a case worth going on from or None, into a case; `run` says how it came out.

    `run` is given the case and a folder to write it in, and returns a word for the tally; it raises what is wrong.
    """

    name: str
    make: Callable[[Random, bytes | None], bytes]
    run: Callable[[bytes, Path], str]
    guided: bool = True
    """Whether cases go on from those that reached new lines of the tool; to look at the lines takes several times as long as to run them."""


def _refused(error: JdvError) -> str:
    """How a refusal is counted; it must be one line. What a terminal would not show as it is, is seen to where it is printed."""
    message = str(error)
    odd = sorted({*message} & {"\n", "\r"})
    if odd or not message:
        raise Broken(f"message of {len(message)} characters with {odd}: {message[:300]!r}")
    return "refused"


# --- workbooks


def _workbook(spoil: Callable[[Random, Parts], Parts], rng: Random, case: bytes | None) -> bytes:
    return zipped(spoil(rng, rng.choice(seeds())))


def _spoilt_bytes(rng: Random, case: bytes | None) -> bytes:
    return mutations.spoil_bytes(rng, case or zipped(rng.choice(seeds())))


_SHEETS = [f"xl/worksheets/sheet{number}.xml" for number in (1, 2, 3, 4, 5, 10)]


def _spoilt_xml(rng: Random, parts: Parts) -> Parts:
    return mutations.spoil_workbook(rng, parts, mutations.spoil_xml)


def _spoilt_cells(rng: Random, parts: Parts) -> Parts:
    return mutations.spoil_workbook(rng, parts, mutations.spoil_sheet, _SHEETS)


def _read_twice(case: bytes, folder: Path) -> tuple[Edition, Edition, list[RawSheet]] | str:
    """The editions that the two readers make of a workbook and the cells as openpyxl gives them, or how it was refused.

    openpyxl is the witness, not the product: what it cannot read at all (a style, a theme) proves nothing.
    """
    path = folder / "case.xlsx"
    path.write_bytes(case)
    try:
        edition = read_edition(path, reader=read_with_calamine)
    except JdvError as error:
        return _refused(error)
    sheets: list[RawSheet] = []

    def second(content: bytes) -> list[RawSheet]:
        sheets.extend(read_with_openpyxl(content))
        return sheets

    try:
        twin = read_edition(path, reader=second)
    except Exception:
        return "one reader"
    return edition, twin, sheets


def read_workbook(case: bytes, folder: Path) -> str:
    """A workbook as programs may write it is refused in one line, or both readers say the same of it and no cell is lost."""
    read = _read_twice(case, folder)
    if isinstance(read, str):
        return read
    edition, twin, sheets = read
    if difference := differs(edition, twin):
        raise Broken(f"the readers disagree: {difference}")
    for lost in unaccounted(edition, sheets):
        raise Broken(f"a cell is lost: {lost}")
    return "read"


def read_damaged(case: bytes, folder: Path) -> str:
    """A damaged workbook is refused in one line, or what openpyxl still reads of its cells is read too."""
    read = _read_twice(case, folder)
    if isinstance(read, str):
        return read
    edition, twin, sheets = read
    if hides_under_a_merge(edition, sheets):
        return "under a merge"
    for key, table in twin.tables.items():
        own = {record.row: record for record in edition.records(key)}
        for record in table.records:
            for name, text in record.values.items():
                if record.row not in own or not own[record.row][name]:
                    raise Broken(f"a cell is lost: {key} row {record.row} {name}: {text!r}")
    return "read"


def hides_under_a_merge(edition: Edition, sheets: list[RawSheet]) -> bool:
    """Tell whether a merged range, as we see it, covers a cell, other than its first, in which openpyxl sees something."""
    merged = {sheet.name: sheet.merged for sheet in edition.sheets}
    return any(
        text_of(value)
        for raw in sheets
        for area in merged.get(raw.sheet.name, ())
        for row in range(area.first_row, min(area.last_row, len(raw.rows)) + 1)
        for column, value in enumerate(raw.rows[row - 1][: area.last_column], 1)
        if column >= area.first_column and (row, column) != (area.first_row, area.first_column)
    )


def differs(one: Edition, other: Edition) -> str:
    """The first thing on which two editions differ, in meaning or in where and how it is written; "" for none."""
    if list(one.tables) != list(other.tables):
        return f"tables {list(one.tables)} / {list(other.tables)}"
    if one.identity != other.identity:
        return f"identity {one.identity} / {other.identity}"
    for table, twin in zip(one.tables.values(), other.tables.values(), strict=True):
        for name in ("header_row", "columns", "missing", "duplicated", "blank_rows", "loose", "grouping"):
            if getattr(table, name) != getattr(twin, name):
                return f"{table.key}.{name} {_apart(getattr(table, name), getattr(twin, name))}"
        for record, peer in zip(table.records, twin.records, strict=False):
            for name in ("row", "values", "cells", "inherited"):
                if getattr(record, name) != getattr(peer, name):
                    return f"{table.key} row {record.row} {name}: {_apart(getattr(record, name), getattr(peer, name))}"
        if len(table.records) != len(twin.records):
            return f"{table.key}: {len(table.records)} / {len(twin.records)} records"
    for sheet, peer_sheet in zip(one.sheets, other.sheets, strict=True):
        for field in sheet.__slots__:
            if getattr(sheet, field) != getattr(peer_sheet, field):
                return f"sheet {sheet.name!r} {field}: {_apart(getattr(sheet, field), getattr(peer_sheet, field))}"
    return ""


def _apart(one: object, other: object) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        return ", ".join(f"{key}: {one.get(key)!r} / {other.get(key)!r}" for key in keys[:2])[:400]
    if isinstance(one, tuple) and isinstance(other, tuple):
        return f"{[item for item in one if item not in other][:2]} / {[item for item in other if item not in one][:2]}"[
            :400
        ]
    return f"{one!r:.200} / {other!r:.200}"


def unaccounted(edition: Edition, sheets: list[RawSheet]) -> list[str]:
    """The filled cells below the headers, as openpyxl reads them, that no table of the edition knows of."""
    cells = {raw.sheet.name: raw.rows for raw in sheets}
    lost = []
    for key, table in edition.tables.items():
        if not table.header_row or key in ("summary", "history"):
            continue
        known = _known_cells(table)
        sheet = edition.sheet_of(key)
        covered = {
            (row, column)
            for area in (sheet.merged if sheet else ())
            for row in range(area.first_row, area.last_row + 1)
            for column in range(area.first_column, area.last_column + 1)
        }
        for row, values in enumerate(cells[table.sheet][table.header_row :], table.header_row + 1):
            for column, value in enumerate(values, 1):
                text = text_of(value)
                if text and (row, column) not in covered and text not in known.get((row, column), ()):
                    lost.append(f"{table.sheet} row {row} column {column}: {text!r}, known {known.get((row, column))}")
    return lost


def _known_cells(table: Table) -> dict[tuple[int, int], set[str]]:
    known: dict[tuple[int, int], set[str]] = {}
    for record in table.records:
        for name, column in table.column_of.items():
            texts = {record[name]} if record[name] else set()
            if name in record.cells:
                texts.add(text_of(record.cells[name].raw))
            known[record.row, column] = texts
    for loose in table.loose:
        known.setdefault((loose.row, loose.column), set()).add(loose.text)
    if table.duplicated:
        # cells of a second column for one field: STR-04 names the column; they are not lost in silence
        for column in table.duplicated:
            for record in table.records:
                known[record.row, column.index] = _Everything()
    for column in table.columns:
        if column.field is None:
            # an unknown column is named by STR-03
            for record in table.records:
                known[record.row, column.index] = _Everything()
    return known


class _Everything(set[str]):
    """A set that holds every text."""

    def __contains__(self, _: object) -> bool:
        return True


# --- the command line on workbooks


@cache
def _base(folder: Path) -> Path:
    path = folder / "base.xlsx"
    path.write_bytes(zipped(seeds()[0]))
    return path


def _command(*arguments: str) -> tuple[int, str]:
    """Run a command line; a refusal must be one line on stderr, and nothing else may be there."""
    from jdv_qa.cli.app import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in "oe")
    with redirect_stdout(out), redirect_stderr(err):
        status = main(list(arguments))
    text, said = (_written(stream) for stream in (out, err))
    if status not in (0, 1, 2) or (status == 2) != bool(said) or said.count("\n") > 1:
        raise Broken(f"status {status}, stderr {said[:300]!r}")
    if re.search("imprévu|unforeseen", said):
        raise Broken(f"an error that nobody foresaw: {said}")
    if status == 2:
        line = said.removesuffix("\n")
        _refused(JdvError(line))
        if len(line) > LONGEST_LINE or any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in line):
            raise Broken(f"a line of {len(line)} characters on the screen: {line[:300]!r}")
    return status, text


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def check_workbook(case: bytes, folder: Path) -> str:
    """`jdv check` ends well or refuses; no rule crashes; what it finds is in the workbook; the report is JSON."""
    path = folder / "case.xlsx"
    path.write_bytes(case)
    status, out = _command("check", str(path), "--previous", str(_base(folder)), "--format", "json")
    if status == 2 and not out:
        return "refused"
    report = json.loads(out)
    if report["rules"]["crashed"]:
        raise Broken(f"crashed: {report['rules']['crashed']}")
    for finding in report["findings"]:
        if finding["cell"] and not re.fullmatch(r"[A-Z]{1,3}[1-9][0-9]*", finding["cell"]):
            raise Broken(f"cell of a finding: {finding}")
        if re.search(r"\{[a-z_]+\}", finding["message"]) and "{" not in finding["value"] + (
            finding["suggestion"] or ""
        ):
            raise Broken(f"a sentence not filled in: {finding}")
    return "checked"


def _edited(rng: Random, case: bytes | None) -> bytes:
    """The first seed, one cell of it holding another text."""
    return zipped(mutations.spoil_workbook(rng, seeds()[0], mutations.edit_cell, _SHEETS[1:]))


def compare_workbook(case: bytes, folder: Path) -> str:
    """A cell that reads otherwise than before shows in `jdv diff`, one that reads the same does not; there and back agree."""
    path = folder / "case.xlsx"
    path.write_bytes(case)
    old = read_edition(_base(folder))
    try:
        new = read_edition(path)
    except JdvError as error:
        return _refused(error)
    there, back = compare(old, new), compare(new, old)
    compared, twins = _said(old), _said(new)
    said = bool(there.changes or there.collisions or there.uncompared)
    if compared == twins and there.changes:
        raise Broken(f"changes without a difference: {there.changes[:2]}")
    if compared != twins and not said:
        raise Broken(f"a difference without a change: {_first_difference(compared, twins)}")
    if bool(there.changes) != bool(back.changes):
        raise Broken(f"{len(there.changes)} changes there, {len(back.changes)} back")
    return "same" if compared == twins else "shown"


_NOT_COMPARED = ("summary", "history", "notes", "indicators", "experts")
"""Tabs that say something of the value set and are no part of it."""


_Rows = dict[str, list[dict[str, object]]]


def _said(edition: Edition) -> _Rows:
    """What the rows of the value set say: of a cell that lists values, the values; separators alone say nothing."""
    rows: _Rows = {}
    for key, table in edition.tables.items():
        if key not in _NOT_COMPARED:
            rows[key] = [
                {
                    name: said
                    for name, text in record.values.items()
                    if (said := [value for value in split_values(text) if value] if name in LIST_FIELDS else text)
                }
                for record in table.records
            ]
    return rows


def _first_difference(one: _Rows, other: _Rows) -> str:
    for key, rows in one.items():
        for number, (row, twin) in enumerate(zip(rows, other.get(key, ()), strict=False)):
            if row != twin:
                return f"{key} row {number}: {_apart(row, twin)}"
    return "number of records"


# --- texts


def _text(words: tuple[str, ...], start: tuple[str, ...], rng: Random, case: bytes | None) -> bytes:
    text = case.decode("utf-8", "surrogatepass") if case is not None else rng.choice(start)
    return mutations.spoil_text(rng, text, words if rng.random() < 0.7 else mutations.ODD_TEXTS).encode(
        "utf-8", "surrogatepass"
    )


_LABELS = (
    "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "Créatinine [Moles/Temps] 24H ; Urine ; Numérique", "Antigène [variant] [Présence] Sang ; Ordinal ; IF",
    "Bactérie [Identification] Urine ; Nominal ; Culture", "Sodium [Moles/volume] in Serum or Plasma", "Glucose^1H post dose [Masse/Volume] Sérum ; Numérique",
)  # fmt: skip
_LABEL_WORDS = (
    "[", "]", " ; ", ";", "；", "(", ")", "{", "}", ":", " - ", "Moles/Volume", "Présence", "Numérique", "Numerique", "Numériqe", "Ordinal", "24H", "12 heures",
    "Ponctuel", "Sérum/Plasma", "Urine", "in", "&eacute;", "&#59;", "&amp;", "\u00a0", "\u200b", ".", ",", "^", "Q", "Qn",
)  # fmt: skip


def read_text_label(case: bytes, folder: Path) -> str:
    """A label reads in some form; the label meant is regular, and prints and reads back as itself."""
    from jdv_qa.terminology.labels import LabelForm, fold, parse_label, read_label, same_meaning

    text = case.decode("utf-8", "surrogatepass")
    reading = read_label(text)
    if not same_meaning(text, text) or fold(fold(text)) != fold(text):
        raise Broken("a label is not itself")
    if reading.label is not None:
        again = read_label(str(reading.label))
        if again.form is not LabelForm.REGULAR or again.label != reading.label:
            raise Broken(f"the label meant by {text!r}, {str(reading.label)!r}, reads as {again}")
    if (label := parse_label(text)) and parse_label(str(label)) != label:
        raise Broken(f"{text!r} is {label}, which prints as another")
    return reading.form.value


_UNITS = ("mmol/L", "10*9/L", "[IU]/L", "ug/(24.h)", "mL/min/{1.73_m2}", "µmol/l", "UI/mL", "g/24h", "kPa", "Cel", "%", "10^3/mm3", "mmol/mol{creat}")  # fmt: skip
_UNIT_WORDS = (
    "/", ".", "*", "^", "10*", "(", ")", "{", "}", "[", "]", "[IU]", "UI", "m", "k", "mol", "g", "L", "l", "Cel", "[degF]", "%", "2", "-1", "24", "h", "µ", "u", "{a}",
    "{", "eq", "osm", "[pH]", "B[SPL]", "1", "0", "99999", "'", "ratio", "sans unité", "Log", "copies", " ", "³", "²",
)  # fmt: skip


def read_text_unit(case: bytes, folder: Path) -> str:
    """A unit has a dimension or is no unit; one factor there, its inverse back; what is proposed instead is UCUM."""
    from jdv_qa.terminology import units

    text = case.decode("utf-8", "surrogatepass")
    unit = units.read_unit(text)
    for proposal in units.proposals(text):
        if not units.is_ucum(proposal):
            raise Broken(f"{text!r}: the proposal {proposal!r} is not UCUM")
    units.suspicion(text)
    units.says_no_unit(text)
    for number in (units.read_factor(text), units.factor_meant(text)):
        if number is not None and number != 0 and units.read_factor(units.write_factor(abs(number))) is None:
            raise Broken(f"{text!r}: the factor {number} is written {units.write_factor(abs(number))!r}")
    if unit is None:
        return "no unit"
    if unit.factor is not None and units.conversion_factor(unit, unit) != 1:
        raise Broken(f"{text!r} is not itself")
    for other in map(units.read_unit, _UNITS):
        if other is not None and (there := units.conversion_factor(unit, other)) is not None:
            back = units.conversion_factor(other, unit)
            if back is None or there * back != 1:
                raise Broken(f"{text!r} to {other.text!r}: {there}, back {back}")
    return "unit"


_CODES = ("2951-2", "24326-1", "X-123", "LP1234-5", "1988-05-01", "600238", "0552", "MTHU0001")
_CODE_WORDS = (
    "0",
    "1",
    "9",
    "-",
    "–",
    "—",
    "\u2010",
    "\u2212",
    "O",
    "l",
    "٢",
    "²",
    "①",
    "X",
    "LP",
    "/",
    ".",
    "05",
    "mai",
    " ",
    ",",
)


def read_text_code(case: bytes, folder: Path) -> str:
    """A code reads in one form; what is proposed instead is a right code."""
    from jdv_qa.terminology import codes

    text = case.decode("utf-8", "surrogatepass")
    reading = codes.read_code(text)
    for proposal in reading.proposals:
        # of several codes in a cell each is shown as it is, right or wrong
        right = codes.has_loinc_form if reading.form is codes.CodeForm.SEVERAL else codes.is_loinc
        if not right(proposal) and not codes.is_pending(proposal):
            raise Broken(f"{text!r}: the proposal {proposal!r} is no code")
    if reading.form is codes.CodeForm.LOINC and not codes.is_loinc(text):
        raise Broken(f"{text!r} is no LOINC code and reads as {reading}")
    codes.with_dash(text)
    return reading.form.value


# --- files

_JSON_WORDS = (
    "{", "}", "[", "]", ":", ",", "null", "true", "false", "0", "-1", "1e999", "NaN", "Infinity", '""', '"\\ud800"', '"\\u0000"', '"../x"', "[[[[[", '"a":1,',
    "9" * 5000, "[" * 3000, '"\\n"', "//", "'", "\ufeff", "{}", "[]", '"x"',
)  # fmt: skip
_YAML_WORDS = (
    ":", ": ", "- ", "\n", "\n  ", "\t", "&a ", "*a", "<<: *a", "!!python/object:os.system ", "!!binary ", "!!set ", "{", "}", "[", "]", "#", "|", ">", "---\n", "...",
    "? ", "null", "~", "yes", "off", "2026-01-01", "2026-13-45", "0x1F", "1_0", ".inf", "12:30:45", '"\\x00"', '"\\e[31m"', "'", "%", "@", "`", "\ufeff", "\x00", "\x85", "a: &a [*a]",
    "!!timestamp x", "!!int x", "=", "1e400", '"\\ud800"', "? {a: b} : c\n", "? [a] : b\n",
)  # fmt: skip
_TOML_WORDS = ("[", "]", "=", '"', "'", '"""', "\n", "[check]\n", "[x.y]\n", "[[check]]\n", "true", "1", "1.5", "inf", "2026-01-01", "{", "}", ",", "\\", '"\\u0000"', "#", ".", "\x00", "\ufeff")  # fmt: skip
_CSV_WORDS = (
    '"',
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r",
    "\r\n",
    '""',
    '"\n',
    "\x00",
    "\ufeff",
    "=1+1",
    "é",
    "\x1a",
    "x" * 300,
    "LOINC_NUM",
    ",,,,,",
    "2951-2",
    "DEPRECATED",
)


def _file(words: tuple[str, ...], start: Callable[[], tuple[bytes, ...]], rng: Random, case: bytes | None) -> bytes:
    data = case if case is not None else rng.choice(start())
    if rng.random() < 0.15:
        return mutations.spoil_bytes(rng, data)
    text = data.decode("utf-8", "replace")
    if rng.random() < 0.3:
        return mutations.swap_tokens(rng, text).encode("utf-8", "surrogatepass")
    return mutations.spoil_text(rng, text, words if rng.random() < 0.7 else mutations.ODD_TEXTS).encode(
        "utf-8", "surrogatepass"
    )


def _loaded(name: str, load: Callable[[Path], object], case: bytes, folder: Path) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(case)
    try:
        load(path)
    except JdvError as error:
        return _refused(error)
    except OSError as error:
        # a name that the system refuses ("File name too long"); the command line tells it in one line too
        if not error.strerror:
            raise
        return "refused"
    return "read"


@cache
def _index() -> tuple[bytes, ...]:
    release = {
        "version": "1.0.0", "notation": "JDV_CircuitBio_1.0.0", "path": "1.0.0", "status": "imported", "date": "2026-01-15", "loinc": "2.80", "title": "JDV", "previous": "",
        "source": {"name": "a.xlsx", "sha256": "0" * 64}, "rows": 3, "figures": {}, "changes": {}, "impacts": {},
        "check": {"profile": "publication", "findings": {"error": 0, "warning": 1, "info": 0, "waived": 0}},
        "files": [{"path": "notes.md", "bytes": 10, "sha256": "1" * 64}],
    }  # fmt: skip
    index = {
        "schema": "jdv-releases/1",
        "sha256": "2" * 64,
        "releases": [release, {**release, "version": "1.1.0", "path": "1.1.0", "previous": "1.0.0"}],
    }
    return (json.dumps(index, indent=1).encode(),)


def _read_index(path: Path) -> None:
    from jdv_qa.publish.register import find_release, load_register

    register = load_register(path.parent)
    for release in register.releases:
        find_release(register, release.version).to_json()


@cache
def _baseline() -> tuple[bytes, ...]:
    finding = {"rule": "UNI-02", "row_key": "24326-1|2324-2", "field": "unit", "value": "UI/L", "waived": False}
    report = {
        "schema": "jdv-check/1",
        "workbook": {"version": "1.0.0"},
        "findings": [finding, {**finding, "field": None, "waived": True}],
    }
    return (json.dumps(report).encode(),)


def _read_baseline(path: Path) -> None:
    from jdv_qa.checks.baseline import load_baseline

    load_baseline(path).split([])


def _waivers() -> tuple[bytes, ...]:
    return (
        b"- rule: UNI-02\n  row: 24326-1|2324-2\n  field: unit\n  value: UI/L\n  reason: accord\n  by: A. B.\n  date: 2026-01-15\n  until: 1.2.0\n",
        b"- {rule: LAB-02, row: x, field: '', value: '', reason: r, by: b, date: '2026-01-01'}\n",
    )


def _read_waivers(path: Path) -> None:
    from jdv_qa.checks.waivers import load_waivers

    for waiver in load_waivers(path):
        hash(waiver)


def _settings() -> tuple[bytes, ...]:
    return (
        b'language = "fr"\nlayout = "circuitbio"\n[check]\nprofile = "brouillon"\nselect = ["UNI"]\nfail-on = "error"\nwaivers = "d.yaml"\n[release]\nregister = "r"\nbom = true\n'
        b'[severities]\n"UNI-08" = "off"\n[parameters."ATT-04"]\nversions = 3\n',
    )  # fmt: skip


def _read_settings(path: Path) -> None:
    from jdv_qa.checks.profiles import load_profile, overlaid
    from jdv_qa.cli.settings import load_settings

    settings = load_settings(path)
    overlaid(load_profile(), settings.rules, path)
    assert isinstance(settings.register, Path)
    assert settings.layout is None or isinstance(settings.layout, str)


def _profiles() -> tuple[bytes, ...]:
    own = b"profile: mien\ntitle: {fr: Mien, en: Mine}\nextends: publication\nseverities: {UNI: off, LAB-02: info}\nparameters: {ATT-04: {versions: 2}}\n"
    return (own, *(path.read_bytes() for path in sorted((rules_directory() / "profiles").glob("*.yaml"))))


def _read_profile(path: Path) -> None:
    from jdv_qa.checks.profiles import load_profile

    profile = load_profile(str(path))
    for rule in _catalogue().values():
        profile.apply(rule)


@cache
def _catalogue() -> dict[str, Rule]:
    return load_catalogue()


def _layouts() -> tuple[bytes, ...]:
    own = b"layout: mien\nextends: circuitbio\ntabs:\n  main:\n    names: [Tableau]\n    columns:\n      unit: {headers: [Unite], required: true}\n"
    return (own, *(path.read_bytes() for path in sorted((rules_directory() / "layouts").glob("*.yaml"))))


def _read_layout(path: Path) -> None:
    from jdv_qa.workbook.layout import header_index, load_layout, match_tabs

    layout = load_layout(path)
    match_tabs(["1.JDV_CircuitBio", "x"], layout)
    for tab in layout.tabs.values():
        header_index(tab.columns).field_of("Code LOINC", "")


def _requests() -> tuple[bytes, ...]:
    return (
        "N°;Date;Demandeur;Type de demande;Objet;Code LOINC;Libellé;Demande concernée;Champ;Valeur proposée;Unité;Justification;Statut\n"
        "1;2026-01-15;CHU;Modification;Résultat;2951-2;Sodium;24326-1;Unité recommandée;mmol/L;;usage;ouverte\n"
        "2;15/01/2026;LBM;Création;Demande;600238;;;;;;;\n".encode(),
    )


def _read_requests(path: Path) -> None:
    from jdv_qa.triage.requests import read_requests

    for request in read_requests(path).requests:
        hash(request)


def _loinc(part: str) -> tuple[bytes, ...]:
    return tuple(data for name, data in release_files().items() if name.endswith(part))


def _read_loinc(part: str, path: Path) -> None:
    from jdv_qa.terminology.loinc import read_release

    folder = path.parent
    for name, data in release_files().items():
        place = folder / name
        if not name.endswith(part):
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                place.write_bytes(data)
    release = read_release(folder)
    for code in ("2951-2", "10550-2", "é"):
        if (term := release.terms.get(code)) and term.code != code:
            raise Broken(f"{code} is found as {term.code}")


def _nabm() -> tuple[bytes, ...]:
    return ("Code NABM;Libellé;Date de fin\n0552;Créatinine;\n1609;Ionogramme;31/12/2023\n126;X;supprimé\n".encode(),)


def _read_nabm(path: Path) -> None:
    from jdv_qa.terminology.nabm import nabm_table
    from jdv_qa.workbook.grids import read_grids

    table = nabm_table(read_grids(path)[0].rows, str(path))
    for code in table.acts:
        if not re.fullmatch(r"[0-9]{4}", code):
            raise Broken(f"NABM code {code!r}")


def _documents() -> tuple[bytes, ...]:
    return ((SAMPLE_DIR / "CR-BIO_exemple.xml").read_bytes(),)


def _document(rng: Random, case: bytes | None) -> bytes:
    data = case if case is not None else _documents()[0]
    if rng.random() < 0.1:
        return mutations.spoil_bytes(rng, data)
    return mutations.spoil_xml(rng, data.decode("utf-8", "replace")).encode("utf-8", "surrogatepass")


def check_document(case: bytes, folder: Path) -> str:
    """`jdv cda` ends well or refuses in one line."""
    path = folder / "case.xml"
    path.write_bytes(case)
    status, out = _command("cda", str(path), "--with", str(_base(folder)), "--format", "json")
    if out:
        json.loads(out)
    return "refused" if status == 2 else "checked"


def _of_file(
    name: str, file: str, words: tuple[str, ...], start: Callable[[], tuple[bytes, ...]], load: Callable[[Path], object]
) -> Target:
    return Target(name, partial(_file, words, start), partial(_loaded, file, load))


TARGETS = {
    target.name: target
    for target in (
        Target("bytes", _spoilt_bytes, read_damaged),
        Target("members", partial(_workbook, mutations.spoil_parts), read_damaged, guided=False),
        Target("xml", partial(_workbook, _spoilt_xml), read_damaged, guided=False),
        Target("cells", partial(_workbook, _spoilt_cells), read_workbook, guided=False),
        Target("diff", _edited, compare_workbook, guided=False),
        Target("check", partial(_workbook, _spoilt_cells), check_workbook, guided=False),
        Target("label", partial(_text, _LABEL_WORDS, _LABELS), read_text_label),
        Target("unit", partial(_text, _UNIT_WORDS, _UNITS), read_text_unit),
        Target("code", partial(_text, _CODE_WORDS, _CODES), read_text_code),
        _of_file("index", "register/index.json", _JSON_WORDS, _index, _read_index),
        _of_file("baseline", "baseline.json", _JSON_WORDS, _baseline, _read_baseline),
        _of_file("waivers", "waivers.yaml", _YAML_WORDS, _waivers, _read_waivers),
        _of_file("settings", "jdv.toml", _TOML_WORDS, _settings, _read_settings),
        _of_file("profile", "profile.yaml", _YAML_WORDS, _profiles, _read_profile),
        _of_file("layout", "layout.yaml", _YAML_WORDS, _layouts, _read_layout),
        _of_file("requests", "requests.csv", _CSV_WORDS, _requests, _read_requests),
        _of_file(
            "loinc",
            "loinc/LoincTable/Loinc.csv",
            _CSV_WORDS,
            partial(_loinc, "LoincTable/Loinc.csv"),
            lambda path: _read_loinc("LoincTable/Loinc.csv", path.parent),
        ),
        _of_file(
            "map-to",
            "map/LoincTable/MapTo.csv",
            _CSV_WORDS,
            partial(_loinc, "MapTo.csv"),
            lambda path: _read_loinc("MapTo.csv", path.parent),
        ),
        _of_file("nabm", "nabm.csv", _CSV_WORDS, _nabm, _read_nabm),
        Target("cda", _document, check_document, guided=False),
    )
}

"""Change requests as experts and laboratories write them: registers in Excel or CSV, in other column orders and wordings.

A register is read by its layout, `rules/layouts/demandes.yaml`; what kind of change is asked for, and of what, is understood
by the words of `rules/requests.yaml`. Texts are kept as written: nothing is corrected while reading.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from jdv_qa.errors import WorkbookError
from jdv_qa.language import count, french_spaces, say
from jdv_qa.terminology.labels import fold
from jdv_qa.terminology.units import read_unit
from jdv_qa.triage.conventions import Conventions, first_meant, load_conventions
from jdv_qa.workbook.edition import MAIN_FIELDS, ORDER_FIELDS, RESULT_FIELDS, Column, RawValue, Sheet, column_letter
from jdv_qa.workbook.layout import Layout, TabLayout, header_index, load_layout, match_tabs
from jdv_qa.workbook.read import find_columns, text_of
from jdv_qa.workbook.sheets import RawSheet, file_content, read_sheets
from jdv_qa.workbook.tables import restored

LAYOUT = "demandes"
CREATE, MODIFY, REMOVE = "create", "modify", "remove"
REFERENCE_OBJECTS = ("chapters", "clinical_info", "specimens", "sites", "lateralities", "techniques")

_PLAIN_NUMBER = re.compile(r"[1-9][0-9]{0,14}|0")
_FIRST_WORD = re.compile(r"[^\s,;:!?]+")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, texts as written.

    `number` is that of the register, or "ligne 12" where it has none; `row` the row of the register. `kind` is "create",
    "modify", "remove", or "" when the words do not tell; `object` "order", "result", "nabm", "code", a tab of reference,
    or "". `target_field` is the field of the workbook asked to change (key of the main tab, "loinc_label" or
    "loinc_code" where the wording leaves open whose, "label" where it leaves open which label, "label" or "code" in a
    tab of reference), or "".
    `asked` is the value asked for, without the turn of phrase around it.
    """

    row: int
    number: str
    kind: str
    object: str
    target_field: str
    asked: str
    date: str = ""
    applicant: str = ""
    kind_text: str = ""
    object_text: str = ""
    code: str = ""
    label: str = ""
    order: str = ""
    nabm: str = ""
    nabm_label: str = ""
    field: str = ""
    value: str = ""
    unit: str = ""
    unit_secondary: str = ""
    conversion_factor: str = ""
    display: str = ""
    comparability: str = ""
    technique: str = ""
    chapter: str = ""
    subchapter: str = ""
    rank: str = ""
    specimen: str = ""
    order_type: str = ""
    reason: str = ""
    status: str = ""
    decision: str = ""
    comment: str = ""

    @property
    def json_number(self) -> int | str:
        """The number as in the JSON: a whole number where the register has one, else its text."""
        return int(self.number) if _PLAIN_NUMBER.fullmatch(self.number) else self.number


@dataclass(frozen=True, slots=True)
class Register:
    """A register as read: its file and SHA-256, its sheet, its requests, what the maintainers should know of it, its columns."""

    path: str
    sha256: str
    sheet: str
    requests: tuple[Request, ...]
    remarks: tuple[str, ...] = ()
    header_row: int = 0
    columns: tuple[Column, ...] = ()


_OF_A_REQUEST = frozenset({"number", "applicant", "reason", "status"})
"""Columns that tell a register without kinds from a table of the workbook, such as its notes."""

_COLUMN_FIELDS = frozenset(item.name for item in fields(Request)) - {"row", "kind", "object", "target_field", "asked"}


def read_requests(path: str | Path, layout: Layout | None = None) -> Register:
    """Read a register of requests from a workbook or a CSV file.

    `layout` defaults to the one that ships. Rows without any text are left out. Raises WorkbookError when the file cannot
    be read, or when no sheet has the columns of a register.
    """
    path = Path(path)
    layout = layout or load_layout(LAYOUT)
    tab = next(iter(layout.tabs.values()))
    if path.suffix.casefold() in (".xlsx", ".xlsm"):
        content, sheets = read_sheets(path)
    else:
        from jdv_qa.workbook.grids import read_grids

        content = file_content(path)
        sheets = [
            RawSheet(Sheet(grid.name, None), [[restored(cell) or None for cell in row] for row in grid.rows])
            for grid in read_grids(path, blank_rows=True)
        ]
    found = _find_sheet(path, sheets, layout, tab)
    if found is None:
        raise _no_register(path, sheets, tab)
    raw, header_row, columns, duplicated = found
    conventions = load_conventions()
    places = [(column.index - 1, column.field) for column in columns if column.field]
    drafts: list[tuple[int, dict[str, str]]] = []
    for row, cells in enumerate(raw.rows[header_row:], header_row + 1):
        texts = {
            name: text
            for place, name in places
            if place < len(cells) and (text := " ".join(text_of(cells[place]).split()))
        }
        if set(texts) - {"number", "date", "status"}:
            drafts.append((row, texts))
    seen = Counter(texts["number"] for _, texts in drafts if "number" in texts)
    requests = tuple(_request(row, texts, conventions) for row, texts in drafts)
    remarks = (*_remarks(drafts, seen), *_column_remarks(columns, duplicated, raw.rows[header_row:]))
    return Register(
        str(path), hashlib.sha256(content).hexdigest(), raw.sheet.name, requests, remarks, header_row, columns
    )


_Found = tuple[RawSheet, int, tuple[Column, ...], tuple[Column, ...]]


def _find_sheet(path: Path, sheets: Iterable[RawSheet], layout: Layout, tab: TabLayout) -> _Found | None:
    """Return the sheet that is the register: the one so named, or else the visible one with most of its columns."""
    sheets = list(sheets)
    named = match_tabs((raw.sheet.name for raw in sheets), layout).get(tab.key)
    best: tuple[tuple[bool, int], _Found] | None = None
    for raw in sheets:
        header_row, columns, duplicated, _ = find_columns(raw, tab)
        known = {column.field for column in columns if column.field}
        asks = "kind" in known or (known & _OF_A_REQUEST and known & {"object", "field", "value"})
        if not known & {"code", "label", "nabm"} or not asks:
            continue
        if raw.sheet.state != "visible" and raw.sheet.name != named:
            continue
        rank = raw.sheet.name == named, len(known)
        if best is None or rank > best[0]:
            best = rank, (raw, header_row, columns, duplicated)
    return best[1] if best else None


def _no_register(path: Path, sheets: Iterable[RawSheet], tab: TabLayout) -> WorkbookError:
    names = ", ".join(say(f"« {raw.sheet.name} »", f'"{raw.sheet.name}"') for raw in sheets)
    wanted = ", ".join(
        say(f"« {column.header} »", f'"{column.header}"') for column in tab.columns.values() if column.required
    )
    return WorkbookError(
        say(
            f"{path} : ce n'est pas un registre de demandes : aucune ligne d'en-têtes reconnue (onglets : {names} ; "
            f"colonnes attendues : {wanted}) ; « jdv triage form » écrit un registre à remplir, et "
            "--register-layout en décrit un autre",
            f"{path}: this is no register of requests: no header row found (tabs: {names}; columns expected: {wanted}); "
            "`jdv triage form` writes a register to fill in, --register-layout describes another one",
        )
    )


def _remarks(drafts: Iterable[tuple[int, Mapping[str, str]]], seen: Counter[str]) -> Iterable[str]:
    missing = [str(row) for row, texts in drafts if "number" not in texts]
    if missing:
        rows = _enumerated(missing)
        yield french_spaces(
            say(
                f"{count(len(missing), 'demande', '')} sans numéro, à désigner par la ligne : {rows}",
                f"{count(len(missing), '', 'request')} without a number, called by the row: {rows}",
            )
        )
    for number, times in seen.items():
        if times > 1:
            rows = _enumerated([str(row) for row, texts in drafts if texts.get("number") == number])
            yield french_spaces(
                say(
                    f"le numéro {number} est porté par {times} demandes (lignes {rows}) : les renuméroter",
                    f"number {number} is that of {times} requests (rows {rows}): give them others",
                )
            )


def _enumerated(items: list[str], most: int = 10) -> str:
    return ", ".join(items[:most]) + (", …" if len(items) > most else "")


def _column_remarks(
    columns: Iterable[Column], duplicated: Iterable[Column], rows: Sequence[Sequence[RawValue]]
) -> Iterable[str]:
    for column in columns:
        filled = any(column.index <= len(row) and text_of(row[column.index - 1]) for row in rows)
        if column.field is None and filled:
            near = (
                say(f" ; peut-être « {column.nearest_header} »", f'; perhaps "{column.nearest_header}"')
                if column.nearest_header
                else ""
            )
            yield french_spaces(
                say(
                    f"colonne {column_letter(column.index)} « {column.header} » inconnue, non lue{near}",
                    f'column {column_letter(column.index)} "{column.header}" unknown, not read{near}',
                )
            )
    for column in duplicated:
        yield french_spaces(
            say(
                f"colonne {column_letter(column.index)} « {column.header} » : même sens qu'une colonne précédente, non lue",
                f'column {column_letter(column.index)} "{column.header}": same meaning as an earlier column, not read',
            )
        )


def _request(row: int, texts: Mapping[str, str], conventions: Conventions) -> Request:
    kept = {name: text for name, text in texts.items() if name in _COLUMN_FIELDS}
    kind_text, object_text = texts.get("kind", ""), texts.get("object", "")
    said = _without_idle(kind_text, conventions)
    kind = first_meant(said, conventions.kinds) or first_meant(
        _without_idle(object_text, conventions), conventions.kinds
    )
    thing = _object_of(object_text, said, kept, conventions)
    field = field_meant(kept.get("field", ""), thing, conventions) if kept.get("field") else ""
    if not field:
        field = _field_said(said, object_text, thing, conventions)
    value, unwrapped = _unwrapped(kept.get("value", ""), conventions)
    if not field and unwrapped:
        field = _field_of_phrase(kept["value"], value, thing, conventions)
    if not value and thing in ("", "result", "code") and field in ("", "unit") and kind in (None, MODIFY):
        value = _unit_in(f"{kept.get('reason', '')} ; {kept.get('comment', '')}", conventions)
        field = field or ("unit" if value else "")
    if not kind:
        kind = MODIFY if field and value else _kind_of_phrase(kept.get("value", ""), conventions)
    number = kept.pop("number", "") or say(f"ligne {row}", f"row {row}")
    return Request(
        row, number, kind, thing, field, value, kind_text=kind_text, object_text=object_text, **kept
    )  # fmt: skip


def _without_idle(text: str, conventions: Conventions) -> str:
    """Return a text without what goes before and says nothing: "Demande de création" -> "création"."""
    folded = fold(text)
    for _ in range(3):
        for words in conventions.idle:
            if folded.startswith(words):
                folded = folded[len(words) :].lstrip()
    return folded


def _object_of(object_text: str, kind_text: str, kept: Mapping[str, str], conventions: Conventions) -> str:
    """Return what a request is about: as its object says, or its kind, or the field it names, or the columns filled."""
    for text in (object_text, kind_text):
        if thing := first_meant(text, conventions.objects):
            return thing
    if object_text and (field := field_meant(object_text, "", conventions)):
        return _owner_of(field)
    if kept.get("field") and (field := field_meant(kept["field"], "", conventions)) in MAIN_FIELDS:
        return _owner_of(field)
    if kept.get("nabm"):
        return "nabm"
    return "result" if kept.get("order") else ""


def _owner_of(field: str) -> str:
    if field.startswith("nabm"):
        return "nabm"
    return "order" if field in ORDER_FIELDS else "result" if field in RESULT_FIELDS else ""


def field_meant(text: str, thing: str, conventions: Conventions | None = None) -> str:
    """Return the field of the workbook that a text names for an object, "" when none: "Unité (UCUM)" -> "unit"."""
    conventions = conventions or load_conventions()
    key = _main_headers(text)
    if key in MAIN_FIELDS and not (key == "comment" and thing in REFERENCE_OBJECTS):
        return _own(key, thing)
    found = first_meant(_unarticled(text), conventions.fields)
    return _own(found, thing) if found else ""


@lru_cache(maxsize=4096)
def _main_headers(text: str) -> str:
    index = header_index(load_layout().tabs["main"].columns)
    return index.field_of(text) or ""


def _unarticled(text: str) -> str:
    """Return a text with "de la", "du" and the like left out, as headers are compared."""
    return re.sub(r"\b(?:de|du|des|la|le|les)\b|\bl['’]", " ", fold(text)).replace("  ", " ")


def _own(field: str, thing: str) -> str:
    """Return the field of an object that a wording shared by several objects means."""
    if thing in REFERENCE_OBJECTS:
        if field in (
            "label",
            "loinc_label",
            "result_loinc_label",
            "order_loinc_label",
            "order_label",
            "result_display",
        ):
            return "label"
        if thing == "chapters" and field == "chapter":
            return "label"
        if field in ("loinc_code", "result_code", "order_code"):
            return "code"
        return "label" if field not in ("code", "label", "subcode", "sublabel") else field
    if thing == "nabm" and field in ("label", "loinc_label", "loinc_code"):
        return "nabm_code" if field == "loinc_code" else "nabm_label"
    if field == "loinc_label" and thing in ("order", "result"):
        return "order_loinc_label" if thing == "order" else "result_loinc_label"
    if field == "loinc_code" and thing in ("order", "result"):
        return "order_code" if thing == "order" else "result_code"
    return field


def _field_said(kind_text: str, object_text: str, thing: str, conventions: Conventions) -> str:
    """Return the field that the kind ("changer l'unité") or the object ("Unité recommandée") names."""
    for text in (kind_text, object_text):
        if not text or (text == object_text and thing in (*REFERENCE_OBJECTS, "nabm")):
            continue
        field = field_meant(text, thing, conventions)
        if field and field not in ("loinc_code", "nabm_code", "result_code", "order_code"):
            if text == object_text and first_meant(object_text, conventions.objects) and field.endswith("label"):
                continue
            return field
    return ""


def _aligned(text: str) -> str:
    """Return a text of the same length, without case and accents."""
    return "".join(unicodedata.normalize("NFD", letter)[0].lower() for letter in text)


def _unwrapped(text: str, conventions: Conventions) -> tuple[str, bool]:
    """Return a value without the turn of phrase in front and marks round it, and whether there was a turn of phrase."""
    plain = _aligned(text)
    for pattern in conventions.value_phrases:
        if match := pattern.match(plain):
            return _bare(text[match.end() :]), True
    return _bare(text), False


def _bare(text: str) -> str:
    text = text.strip()
    for opening, closing in (("«", "»"), ("“", "”"), ('"', '"')):
        if text.startswith(opening) and text.rstrip(" .").endswith(closing) and len(text) > 1:
            return text.rstrip(" .")[1:-1].strip()
    return text


def _field_of_phrase(text: str, value: str, thing: str, conventions: Conventions) -> str:
    """Return the field that a turn of phrase names, or that its value can only be of: a unit."""
    phrase = text[: len(text) - len(value)] if value and text.endswith(value) else text
    named = first_meant(_unarticled(phrase), conventions.fields)
    if named:
        return _own(named, thing)
    return "unit" if _looks_like_unit(value) and thing in ("", "result", "code") else ""


def _looks_like_unit(text: str) -> bool:
    return bool(text) and len(text) < 25 and ("/" in text or "%" in text or "[" in text) and (
        read_unit(text) is not None or re.fullmatch(r"[\w.*µμ°/%{}\[\]'^]+/[\w.*µμ{}\[\]'^()]+", text) is not None
    )  # fmt: skip


def _unit_in(text: str, conventions: Conventions) -> str:
    """Return the unit that a sentence asks for: "Merci de passer en mmol/L, comme le JDV" -> "mmol/L"."""
    plain = _aligned(text)
    for pattern in conventions.value_phrases:
        for match in pattern.finditer(plain):
            word = _FIRST_WORD.match(text, match.end())
            if word and _looks_like_unit(found := word.group().rstrip(".")):
                return found
    return ""


def _kind_of_phrase(text: str, conventions: Conventions) -> str:
    return first_meant(text, conventions.kinds) or ""

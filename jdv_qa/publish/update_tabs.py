"""Tabs 9 and 10 of the workbook of a new version: a line for each change since the previous one, and its figures.

The lines are written in the words by which `checks.notes` reads them, so that a workbook completed here tells all that
changed (VER-06) and states the figures that its rows give (SOM-03). What the maintainers wrote stays: a change that a line
tells already gets no second one, and a figure that is right is left alone. Nothing else of the workbook changes.

The workbook is French, so these two tabs are, whatever the language in use.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.cells import reads_as_formula
from jdv_qa.checks.dates import read_date
from jdv_qa.checks.indicators import indicators
from jdv_qa.checks.notes import Told, fields_named, load_vocabulary, read_told
from jdv_qa.checks.summary import known_indicators, whole_number
from jdv_qa.compare.model import Change, Comparison, Part, code_place
from jdv_qa.compare.versions import same_version, version_key
from jdv_qa.compare.wording import field_name
from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.publish.notes import NO_REQUESTS, Requests
from jdv_qa.workbook.editing import MAX_TEXT, Place, WorkbookEdit
from jdv_qa.workbook.edition import REFERENCE_PARTS, CellKind, Edition, Record, Table
from jdv_qa.workbook.layout import Layout, load_layout, normal_form

_TABLE_PARTS: Mapping[str, str] = {part: tab for tab, part in REFERENCE_PARTS.items()}
_CODE_FIELDS: Mapping[Part, str] = {"order": "order_code", "result": "result_code"}
_MODEL_TABS = ("chapters", "specimens", "techniques", "main")
"""Tabs whose first line gives its style to a tab without any."""

_VERSION_WORD = re.compile(r"v(?:ersion)?\.?\s*(?=[0-9])", re.IGNORECASE)
_MOST_FORMS = 3
"""Ways to word a line, from the one that says most; see `_line`."""


@dataclass(frozen=True, slots=True)
class Update:
    """A completed workbook. `content`: its bytes, those of the file when nothing was to be done.

    `lines`: lines added to tab 9; `column`: a column was added to tab 10; `figures`: figures written in a column that was
    there. `unmatched`: rows of tab 9 whose line for this version tells no change, for people to look at; `untold`: changes
    that no line could tell; `missing`: keys of the tabs ("notes", "indicators") that the workbook lacks.
    """

    content: bytes
    lines: int = 0
    column: bool = False
    figures: int = 0
    unmatched: tuple[int, ...] = ()
    untold: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()


def updated_workbook(
    path: Path,
    old: Edition,
    new: Edition,
    comparison: Comparison,
    requests: Requests = NO_REQUESTS,
    *,
    layout: Layout | None = None,
) -> Update:
    """Return the workbook `path`, of which `new` is the Edition, with its tabs 9 and 10 completed.

    `comparison` is that of the two editions; `requests` has the numbers of the change requests behind a change, which go
    into the comment. A tab that is not there, or has no header row, is not made: it is named in `missing`. Raises
    WorkbookError when the Sommaire states no version, or the file cannot be read.
    """
    layout = layout or load_layout()
    if version_key(new.identity.version) is None:
        raise WorkbookError(
            say(
                f"{path} : le Sommaire ne donne pas de numéro de version ; indiquez-le, les onglets 9 et 10 le reprennent",
                f"{path}: the Sommaire gives no version number; state it, tabs 9 and 10 repeat it",
            )
        )
    edit = WorkbookEdit(path)
    missing = tuple(key for key in ("notes", "indicators") if not _is_there(new, key))
    lines: list[dict[str, str]] = []
    told, untold = Told(()), comparison.changes
    if "notes" not in missing:
        lines, told, untold = _lines(old, new, comparison, requests, layout)
        _write_lines(edit, new, lines)
    column, figures = (False, 0) if "indicators" in missing else _write_figures(edit, new)
    unmatched = tuple(mismatch.note.record.row for mismatch in told.mismatches)
    return Update(edit.content(), len(lines), column, figures, unmatched, tuple(untold), missing)


def _is_there(edition: Edition, key: str) -> bool:
    """Tell whether a tab can be written: the notes need their code column, since a line is read by the code it names."""
    table = edition.tables.get(key)
    needed = ("version", "code") if key == "notes" else ("indicator",)
    return table is not None and bool(table.header_row) and all(map(table.has, needed))


# Tab 9


def _lines(
    old: Edition, new: Edition, comparison: Comparison, requests: Requests, layout: Layout
) -> tuple[list[dict[str, str]], Told, tuple[Change, ...]]:
    """Return the lines to add, by field; what tab 9 told before; and the changes that no line tells even so.

    Each line is read back as `jdv check` will read it; one that does not tell its change is worded in a plainer way.
    """
    table = new.tables["notes"]
    told = read_told(new, old, comparison, layout)
    wanted = [change for change in comparison.changes if not told.tells(change) and (change.code or change.label)]
    if not wanted:
        return [], told, ()
    forms = dict.fromkeys(wanted, 0)
    names = _FieldNames(new, layout)
    lines: dict[Change, dict[str, str]] = {}
    untold: list[Change] = []
    for attempt in range(_MOST_FORMS):
        untold = wanted if not attempt else untold
        for change in untold:
            lines[change] = _line(change, (old, new), names, requests.get(change, ()), form=forms[change])
        records = tuple(
            Record(table.records[-1].row + place if table.records else place, _readable(table, line))
            for place, line in enumerate(lines.values(), 1)
        )
        added = {id(record) for record in records}
        completed = replace(new, tables={**new.tables, "notes": replace(table, records=table.records + records)})
        now = read_told(completed, old, comparison, layout)
        odd = {id(mismatch.note.record) for mismatch in now.mismatches} & added
        of_record = {id(record): change for record, change in zip(records, lines, strict=True)}
        untold = [change for change in wanted if not now.tells(change)]
        untold += [of_record[one] for one in odd if of_record[one] not in untold]
        if not untold:
            break
        forms |= dict.fromkeys(untold, attempt + 1)
    return list(lines.values()), told, tuple(untold)


def _readable(table: Table, line: Mapping[str, str]) -> dict[str, str]:
    """Return what of a line will be read back: the columns that the tab has."""
    return {name: text for name, text in line.items() if text and table.has(name)}


class _FieldNames:
    """How the workbook calls its fields, in words by which the column « Champ » is read."""

    def __init__(self, edition: Edition, layout: Layout) -> None:
        """Keep the headers of the workbook, each looked up once."""
        self._edition, self._layout = edition, layout
        self._known: dict[tuple[Part, str], str] = {}

    def name(self, part: Part, field: str) -> str:
        """Return the workbook's own header of a field if it is understood, else the reference header."""
        if (part, field) not in self._known:
            table = self._edition.tables.get(_TABLE_PARTS.get(part, "main"))
            header = next((column.header for column in table.columns if column.field == field), "") if table else ""
            own = bool(header) and field in fields_named(header, self._layout)
            self._known[part, field] = header if own else field_name(part, field)
        return self._known[part, field]


def _line(
    change: Change, editions: tuple[Edition, Edition], names: _FieldNames, requests: Sequence[str], *, form: int = 0
) -> dict[str, str]:
    """Return the line that tells a change, by field.

    `form` 0 says all; 1 quotes the values in the comment; 2 says no more than the part, the nature and the codes.
    """
    words, identity = load_vocabulary(), editions[1].identity
    field, before, after = _what_changed(change)
    label = _label(change, editions)
    comments = [_requests(requests)] if requests else []
    code = change.code
    values = {"old": before, "new": after}
    for name, said in (("old", "Ancienne valeur"), ("new", "Nouvelle valeur")):
        text = values[name]
        if len(text.encode("utf-16-le")) // 2 > MAX_TEXT:
            comments.append(f"{said} trop longue pour une cellule")
        elif text and (form or reads_as_formula(text)):
            comments.append(f"{said} : « {text} »")
        else:
            continue
        values[name] = ""
    if form > 1:
        field = None
        if other := change.result or change.nabm:
            code = f"{code} / {other}"
    comment = " ; ".join(comments)
    if len(comment.encode("utf-16-le")) // 2 > MAX_TEXT:
        comment = comments[0] if requests else ""
    return {
        "version": identity.version,
        "date": identity.date,
        "part": words.part_names.get(change.part, ""),
        "nature": words.nature_names[change.kind],
        "code": code,
        "label": "" if code and reads_as_formula(label) else label,
        "field": names.name(change.part, field) if field else "",
        "old": values["old"],
        "new": values["new"],
        "comment": comment,
    }


def _label(change: Change, editions: tuple[Edition, Edition]) -> str:
    """Return what people call the entry of a change: of a result its display label, as it is now or was before."""
    if change.part == "result":
        old, new = editions
        for edition, code in ((new, change.new_code or change.code), (old, change.code)):
            entity = edition.results.get(code)
            if entity is not None and entity["result_display"]:
                return entity["result_display"]
    return change.label


def _what_changed(change: Change) -> tuple[str | None, str, str]:
    """Return the field that a change is seen in, None for a whole entry, and its values before and after."""
    if change.kind == "modified":
        return change.field, change.old or "", change.new or ""
    if change.kind in ("assigned", "replaced"):
        return _CODE_FIELDS.get(change.part, "code"), change.code, change.new_code or ""
    if change.part in ("association", "nabm"):
        field, other = ("result_code", change.result) if change.part == "association" else ("nabm_code", change.nabm)
        return (field, "", other or "") if change.kind == "added" else (field, other or "", "")
    return None, "", ""


def _requests(numbers: Iterable[str]) -> str:
    """Return « Demande n° 12 » or « Demandes n° 12, 15 et 18 »."""
    *others, last = sorted(set(numbers), key=code_place)
    return f"Demandes n° {', '.join(others)} et {last}" if others else f"Demande n° {last}"


def _write_lines(edit: WorkbookEdit, new: Edition, lines: Sequence[Mapping[str, str]]) -> None:
    """Write the lines where the order of the tab wants them, in the style of the line above, or of another tab's."""
    if not lines:
        return
    table = new.tables["notes"]
    before, model = _place(new)
    edit.insert_rows(table.sheet, before, len(lines), like=model.row if model else None)
    style = None if model else _style_elsewhere(new)
    date = _date_value(edit, table, model, new.identity.date)
    for row, line in enumerate(lines, before):
        for name, column in table.column_of.items():
            text = line.get(name) or None
            value = date if name == "date" and text else text
            edit.set(table.sheet, row, column, value, like=style)


def _place(new: Edition) -> tuple[int, Record | None]:
    """Return the row above which new lines go, and the line whose style they take.

    They go on with those of their version; else they stand where the versions, in the order in which the tab has them (or
    the history of the Sommaire, where the tab has one version only), want them.
    """
    table = new.tables["notes"]
    own = _lines_of_version(table.records, new.identity.version)
    if own:
        return own[-1].row + 1, own[-1]
    if not table.records:
        return table.header_row + 1, None
    if _is_newest_first(table.records) or (not _is_ordered(table.records) and _is_newest_first(new.records("history"))):
        return table.records[0].row, table.records[0]
    return table.records[-1].row + 1, table.records[-1]


def _lines_of_version(records: Sequence[Record], version: str) -> list[Record]:
    """Return the lines of a version; one that does not say its version goes on with the one above."""
    found = []
    current = ""
    for record in records:
        current = record["version"] or current
        if same_version(current, version):
            found.append(record)
    return found


def _versions(records: Iterable[Record]) -> list[tuple[int, ...]]:
    return [key for record in records if (key := version_key(record["version"]))]


def _is_ordered(records: Sequence[Record]) -> bool:
    """Tell whether lines are of several versions."""
    return len(set(_versions(records))) > 1


def _is_newest_first(records: Sequence[Record]) -> bool:
    keys = _versions(records)
    return bool(keys) and keys[0] > keys[-1]


def _style_elsewhere(new: Edition) -> Place | None:
    """Return the cell of a text in another tab, for a tab of which no line shows what a line looks like."""
    for key in _MODEL_TABS:
        table = new.tables.get(key)
        column = (
            next((table.column_of[name] for name in ("label", "result_display") if table.has(name)), None)
            if table
            else None
        )
        if table is not None and column is not None and table.records:
            return table.sheet, table.records[0].row, column
    return None


def _date_value(edit: WorkbookEdit, table: Table, model: Record | None, text: str) -> str | float | None:
    """Return the date as the line above has its own: an Excel date (counted in days, from 1900 or from 1904), or a text."""
    column = table.column_of.get("date")
    if model is None or column is None or model.cell("date").kind is not CellKind.DATE:
        return text
    date, stored = read_date(text), edit.value(table.sheet, model.row, column)
    shown = model.cell("date").raw
    if date is None or len(date) < 3 or not isinstance(shown, dt.date) or not isinstance(stored, (int, float)):
        return text
    return stored + (dt.date(*date[:3]) - dt.date(shown.year, shown.month, shown.day)).days


# Tab 10


def _write_figures(edit: WorkbookEdit, new: Edition) -> tuple[bool, int]:
    """Write the figures of the version; returns whether a column was added, and how many figures of one were put right.

    A tab without any known indicator is left alone: there is nothing to write.
    """
    table = new.tables["indicators"]
    known = known_indicators(load_catalogue()["SOM-03"].parameters["labels"])
    figures = indicators(new)
    wanted = [
        (record, figures[name])
        for record in table.records
        if (name := known.get(normal_form(record["indicator"]))) in figures
    ]
    if not wanted:
        return False, 0
    version = new.identity.version
    own = [one for one in table.columns if one.field and one.field != "indicator" and same_version(one.header, version)]
    if own:
        column = own[-1]
        wrong = [(record, real) for record, real in wanted if whole_number(record[column.field or ""]) != real]
        for record, real in wrong:
            edit.set(table.sheet, record.row, column.index, real)
        return False, len(wrong)
    versions = [one for one in table.columns if one.field != "indicator" and version_key(one.header)]
    last = max(versions or table.columns, key=lambda one: one.index)
    place = _free_column(table, last.index + 1)
    word = _VERSION_WORD.match(last.header) if versions else None
    edit.column_like(table.sheet, place, last.index)
    header = f"{word[0] if word else ''}{version}"
    edit.set(table.sheet, table.header_row, place, header, like=(table.header_row, last.index))
    values = {record.row: real for record, real in wanted}
    for record in table.records:
        edit.set(table.sheet, record.row, place, values.get(record.row), like=(record.row, last.index))
    return True, 0


def _free_column(table: Table, column: int) -> int:
    """Return a column if nothing stands in it, else the first one to the right of all that does."""
    taken = {one.index for one in (*table.columns, *table.duplicated)} | {one.column for one in table.loose}
    return column if column not in taken else max(taken) + 1

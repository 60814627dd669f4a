"""Reading back a folder of exported tables: one CSV per tab, described by a `datapackage.json`.

The description names the file of each tab, its separator and the field of each column, so that a file whose columns
were moved or added to by hand is still read for what it is. Rows are counted as a spreadsheet shows them, the header
being row 1.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.workbook.edition import Cell, CellKind, Column, Edition, Identity, Loose, Record, Sheet, Source, Table
from jdv_qa.workbook.layout import ColumnLayout, Layout, TabLayout, load_layout, normal_form
from jdv_qa.workbook.read import text_of

DESCRIPTION = "datapackage.json"
FORMAT = "jdv-export/1"
"""Value of "jdv:format" in the description of a folder written by `jdv export`."""

SUMMARY_HEADERS = {"label": "Libellé", "value": "Valeur"}
"""Headers of the two columns of the Sommaire, which has none in the workbook."""

_RUNNABLE = re.compile(r"[=@\t\r]|[+-](?!(?:[0-9]+(?:[.,][0-9]+)?)?\Z)")


def defused(text: str) -> str:
    """Return a text as written in a CSV: with an apostrophe in front if a spreadsheet would run it as a formula.

    What is run begins with "=", "@", a tab or a carriage return, or with a sign that is neither alone nor that of a
    plain number. A text that already is apostrophes and such a text gets one more, so that `restored` gives every
    text back.
    """
    return f"'{text}" if _RUNNABLE.match(text.lstrip("'")) else text


def restored(text: str) -> str:
    """Return the text that `defused` was given."""
    return text[1:] if text.startswith("'") and _RUNNABLE.match(text.lstrip("'")) else text


@dataclass(frozen=True, slots=True)
class _Resource:
    """A table as described: its key, its file, the separator and the field of each header."""

    key: str
    path: str
    separator: str
    fields: Mapping[str, str]


def read_tables(directory: str | Path, layout: Layout | None = None) -> Edition:
    """Read a folder written by `jdv export` into an Edition equal to the one it was written from.

    `layout` defaults to the JDV CircuitBio's; it tells which texts mean nothing and which lines of the Sommaire
    identify the version. The Edition's source is the folder, and its hash that of the description and of the tables
    one after the other. Raises WorkbookError when the folder is no such export, or a table is missing or damaged.
    """
    directory = Path(directory)
    layout = layout or load_layout()
    content = _read(directory, DESCRIPTION)
    digest = hashlib.sha256(content)
    described = _description(directory, content)
    main_key = "main" if "main" in layout.tabs else next(iter(layout.tabs))
    tables: dict[str, Table] = {}
    sheets: list[Sheet] = []
    for resource in _resources(directory, described):
        columns = _columns_of(layout, resource.key)
        if columns is None:
            continue
        content = _read(directory, resource.path)
        digest.update(content)
        rows = _rows(directory, resource, content)
        tables[resource.key] = table = _table(resource, rows, columns)
        sheets.append(Sheet(table.sheet, resource.key, rows=len(rows), columns=max(map(len, rows), default=0)))
    if main_key not in tables:
        raise _no_main_table(directory, layout, main_key, str(described.get("jdv:layout", "")))
    ordered = {key: tables[key] for key in (*layout.tabs, "history") if key in tables}
    identity = _identity(tables, layout) if summarised(layout) else _described_identity(described)
    return Edition(ordered, identity, Source(str(directory), digest.hexdigest()), layout.name, tuple(sheets))


def _read(directory: Path, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if name == DESCRIPTION:
            raise _not_an_export(directory, say(f"pas de fichier {DESCRIPTION}", f"no {DESCRIPTION}")) from None
        raise _unreadable(directory / name, say("table annoncée mais absente", "table described but missing")) from None
    except OSError as error:
        raise _unreadable(directory / name, str(error.strerror)) from None


def _description(directory: Path, content: bytes) -> dict[str, Any]:
    try:
        described = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise _not_an_export(directory, say(f"{DESCRIPTION} illisible", f"unreadable {DESCRIPTION}")) from None
    if not isinstance(described, dict) or described.get("jdv:format") != FORMAT:
        raise _not_an_export(
            directory, say(f"{DESCRIPTION} n'annonce pas « {FORMAT} »", f'{DESCRIPTION} does not say "{FORMAT}"')
        )
    return described


def _resources(directory: Path, described: dict[str, Any]) -> Iterator[_Resource]:
    """Yield the tables described; a path that leaves the folder is refused."""
    try:
        for item in described["resources"]:
            path = str(item["path"])
            if Path(path).name != path or path in ("", ".", "..") or "\\" in path:
                raise _unreadable(directory / DESCRIPTION, say(f"chemin refusé « {path} »", f'path refused "{path}"'))
            fields = {str(field["name"]): str(field["jdv:key"]) for field in item["schema"]["fields"]}
            separator = str(item["dialect"]["delimiter"])
            if len(separator) != 1:
                raise ValueError(separator)
            yield _Resource(str(item["name"]), path, separator, fields)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _not_an_export(
            directory, say(f"description incomplète dans {DESCRIPTION}", f"incomplete description in {DESCRIPTION}")
        ) from None


def _columns_of(layout: Layout, key: str) -> Mapping[str, ColumnLayout] | None:
    """Return the columns of a table, none for the lines of the Sommaire, None for a table the layout lacks."""
    if key == "history":
        return next((tab.history for tab in layout.tabs.values() if tab.labels), None)
    tab = layout.tabs.get(key)
    return tab.columns if tab else None


def _rows(directory: Path, resource: _Resource, content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
        return [
            [restored(cell) for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=resource.separator, strict=True)
        ]
    except UnicodeDecodeError:
        raise _unreadable(
            directory / resource.path, say("le texte n'est pas en UTF-8", "the text is not UTF-8")
        ) from None
    except csv.Error as error:
        raise _unreadable(directory / resource.path, str(error)) from None


def _table(resource: _Resource, rows: list[list[str]], layouts: Mapping[str, ColumnLayout]) -> Table:
    header = rows[0] if rows else []
    columns: list[Column] = []
    duplicated: list[Column] = []
    taken: set[str] = set()
    for index, name in enumerate(header, 1):
        if not (title := text_of(name)):
            continue
        key = resource.fields.get(defused(title))
        (duplicated if key in taken else columns).append(Column(index, title, key))
        if key is not None:
            taken.add(key)
    fields = [
        (column.index - 1, column.field, _blanks(layouts.get(column.field))) for column in columns if column.field
    ]
    known = {column.index for column in (*columns, *duplicated)}
    records: list[Record] = []
    blank: list[int] = []
    loose: list[Loose] = []
    for number, row in enumerate(rows[1:], 2):
        record = _record(number, row, fields)
        strays = [
            Loose(number, position, text)
            for position, cell in enumerate(row, 1)
            if (text := text_of(cell)) and (position not in known or not record.values)
        ]
        loose.extend(strays)
        if record.values:
            records.append(record)
        elif not strays:
            blank.append(number)
    last = records[-1].row if records else 1
    missing = tuple(key for key in resource.fields.values() if key not in taken)
    return Table(
        resource.key,
        tuple(records),
        resource.path,
        1 if header else 0,
        tuple(columns),
        missing,
        tuple(duplicated),
        tuple(row for row in blank if row < last),
        tuple(loose),
    )


def _blanks(column: ColumnLayout | None) -> frozenset[str]:
    return frozenset(normal_form(text) for text in column.blank) if column else frozenset()


def _record(number: int, row: list[str], fields: list[tuple[int, str, frozenset[str]]]) -> Record:
    values: dict[str, str] = {}
    cells: dict[str, Cell] = {}
    width = len(row)
    for position, name, blanks in fields:
        if position >= width or not (value := row[position]):
            continue
        text = text_of(value)
        nothing = not text or (bool(blanks) and normal_form(text) in blanks)
        if nothing or len(text) != len(value):
            cells[name] = Cell(value, CellKind.TEXT)
        if not nothing:
            values[name] = text
    return Record(number, values, cells)


def _identity(tables: Mapping[str, Table], layout: Layout) -> Identity:
    """Return what the lines of the Sommaire say of the version, as when they are read from a workbook."""
    tab: TabLayout | None = next((tab for tab in layout.tabs.values() if tab.labels), None)
    if tab is None or tab.key not in tables:
        return Identity()
    records = tables[tab.key].records
    known = {normal_form(text): key for key, texts in tab.labels.items() for text in texts}
    found: dict[str, Record] = {}
    for record in records:
        if record["value"] and (key := known.get(normal_form(record["label"]))):
            found.setdefault(key, record)
    values = {key: record["value"] for key, record in found.items()}
    title = values.get("title", "")
    if not title and records and set(records[0].values) == {"label"}:
        title = records[0]["label"]
    return Identity(
        values.get("version", ""),
        values.get("date", ""),
        values.get("loinc_version", ""),
        title,
        {key: record.row for key, record in found.items()},
    )


def summarised(layout: Layout) -> bool:
    """Tell whether a layout has a Sommaire, whose lines identify the version."""
    return any(tab.labels for tab in layout.tabs.values())


def _described_identity(described: Mapping[str, Any]) -> Identity:
    """Return the identity that the description states, for tables that hold none themselves."""
    title, version, loinc_version = (
        str(described.get(key, "")) for key in ("jdv:title", "version", "jdv:loinc_version")
    )
    return Identity(version, "", loinc_version, title)


def _not_an_export(directory: Path, reason: str) -> WorkbookError:
    return WorkbookError(
        say(
            f"{directory} : ce dossier n'a pas été écrit par « jdv export » ({reason}) ; donnez un classeur .xlsx "
            "ou un dossier exporté",
            f"{directory}: this folder was not written by `jdv export` ({reason}); give an .xlsx workbook or an "
            "exported folder",
        )
    )


def _unreadable(path: Path, reason: str) -> WorkbookError:
    return WorkbookError(
        say(
            f"{path} : table illisible ({reason}) ; refaites l'export avec « jdv export »",
            f"{path}: unreadable table ({reason}); export again with `jdv export`",
        )
    )


def _no_main_table(directory: Path, layout: Layout, key: str, written_with: str) -> WorkbookError:
    if written_with and written_with != layout.name:
        return WorkbookError(
            say(
                f"{directory} : pas de table « {key} », le dossier a été exporté avec la mise en page « "
                f"{written_with} » ; ajoutez --layout avec cette mise en page",
                f'{directory}: no table "{key}", the folder was exported with the layout "{written_with}"; add '
                "--layout with that layout",
            )
        )
    return _not_an_export(directory, say(f"pas de table « {key} »", f'no table "{key}"'))

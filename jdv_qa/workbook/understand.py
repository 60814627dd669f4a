"""How a workbook is understood, tab by tab and column by column, even when it cannot be read into an Edition.

This is for a maintainer with a workbook that nobody has seen: what was recognised, what is missing, what is unknown and what
it may be; and a layout file to edit, in which nothing is guessed: proposals stand there as comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jdv_qa.language import say
from jdv_qa.workbook.edition import Column, column_letter
from jdv_qa.workbook.layout import Layout, TabLayout, nearest_tab
from jdv_qa.workbook.read import find_columns, find_tabs, read_summary
from jdv_qa.workbook.sheets import RawSheet, read_sheets


@dataclass(frozen=True, slots=True)
class SheetReading:
    """A sheet as understood. `proposed` is the tab it may be, when `tab` is None; `missing` are fields without a column."""

    name: str
    tab: str | None
    proposed: str | None
    header_row: int
    columns: tuple[Column, ...]
    duplicated: tuple[Column, ...]
    missing: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A workbook as understood."""

    layout: Layout
    sheets: tuple[SheetReading, ...]

    @property
    def absent(self) -> tuple[str, ...]:
        """The tabs that no sheet is."""
        return tuple(key for key in self.layout.tabs if key not in {sheet.tab for sheet in self.sheets})

    @property
    def complete(self) -> bool:
        """Whether every required tab and column was found."""
        return not any(self.layout.tabs[key].required for key in self.absent) and not any(
            self.layout.tabs[sheet.tab].columns[name].required
            for sheet in self.sheets
            if sheet.tab
            for name in sheet.missing
        )


def understand(path: Path, layout: Layout) -> Reading:
    """Tell how a workbook is understood. Raises WorkbookError when the file itself cannot be read."""
    _, raw_sheets = read_sheets(path)
    tabs = find_tabs(raw_sheets, layout)
    return Reading(layout, tuple(_read_sheet(raw, tabs, layout) for raw in raw_sheets))


def _read_sheet(raw: RawSheet, tabs: dict[str, str], layout: Layout) -> SheetReading:
    key = tabs.get(raw.sheet.name)
    proposed = None if key else _likely_tab(raw, layout, set(tabs.values()))
    tab = layout.tabs.get(key or proposed or "")
    if tab is None:
        return SheetReading(raw.sheet.name, None, None, 0, (), (), (), len(raw.rows))
    if tab.labels:
        _, identity = read_summary(raw, tab)
        missing = tuple(name for name in tab.labels if name not in identity.rows)
        columns = tuple(Column(row, raw.sheet.name, name) for name, row in identity.rows.items())
        return SheetReading(
            raw.sheet.name,
            key,
            proposed,
            1 if columns else 0,
            columns,
            (),
            missing if key and not columns else (),
            len(raw.rows),
        )
    header_row, columns, duplicated, missing = find_columns(raw, tab)
    return SheetReading(
        raw.sheet.name, key, proposed, header_row, columns, duplicated, missing, max(len(raw.rows) - header_row, 0)
    )


def _likely_tab(raw: RawSheet, layout: Layout, taken: set[str]) -> str | None:
    """Return the tab that a sheet of unknown name may be: the one with most of its headers, else the nearest name."""
    best, share = None, 0.5
    for key, tab in layout.tabs.items():
        if key in taken or len(tab.columns) <= 2:
            continue
        _, columns, _, _ = find_columns(raw, tab)
        found = len({column.field for column in columns if column.field in tab.columns}) / len(tab.columns)
        if found > share:
            best, share = key, found
    near = nearest_tab(raw.sheet.name, layout)
    return best or (near if near not in taken else None)


def layout_file(reading: Reading, source: Path) -> str:
    """Return a layout file for the workbook, in YAML, that extends the layout used.

    What was recognised stands as it was found. What was not is there as a line behind a "#" in the first column, with the
    nearest proposal, to be completed and uncovered; remarks are behind "##".
    """
    lines = [
        say(f"## Mise en page du classeur « {source.name} ».", f'## Layout of the workbook "{source.name}".'),
        say(
            "## Une ligne qui commence par # n'est pas lue : "
            "vérifier la proposition, la corriger, puis enlever ce premier caractère.",
            "## A line that begins with # is not read: check the proposal, correct it, then remove this first character.",
        ),
        say("## Puis : jdv check CLASSEUR --layout CE_FICHIER", "## Then: jdv check WORKBOOK --layout THIS_FILE"),
        f"layout: {_quoted(source.stem)}",
        f"extends: {reading.layout.name}",
        "tabs:",
    ]
    for sheet in reading.sheets:
        if key := sheet.tab or sheet.proposed:
            lines += _tab_lines(sheet, key, reading.layout.tabs[key])
        else:
            lines.append(say(f"## onglet inconnu, non lu : {sheet.name}", f"## unknown tab, not read: {sheet.name}"))
    for key in reading.absent:
        if key not in {sheet.proposed for sheet in reading.sheets}:
            title = reading.layout.tabs[key].name
            lines.append(
                say(
                    f"## onglet absent : « {title} » ; s'il porte un autre nom, l'écrire à la place des points :",
                    f'## missing tab: "{title}"; if it has another name, write it in place of the dots:',
                )
            )
            lines += [f"#  {key}:", f"#    names: [{_quoted('…')}]"]
    return "\n".join(lines) + "\n"


def _tab_lines(sheet: SheetReading, key: str, tab: TabLayout) -> Iterator[str]:
    mark = "" if sheet.tab else "#"
    if not sheet.tab:
        yield say(
            f"## l'onglet « {sheet.name} » est peut-être « {tab.name} » ; si oui, enlever le premier # des lignes qui suivent :",
            f'## tab "{sheet.name}" may be "{tab.name}"; if so, remove the first # of the lines below:',
        )
    yield f"{mark}  {key}:"
    yield f"{mark}    names: [{_quoted(sheet.name)}]"
    known = [column for column in sheet.columns if column.field in tab.columns and sheet.tab]
    unknown = [column for column in sheet.columns if column.field is None]
    missing = [name for name in sheet.missing if name in tab.columns]
    if known or missing:
        yield f"{'' if known else '#'}    columns:"
    for column in known:
        yield f"      {column.field}: [{_quoted(column.header)}]  # {say('colonne', 'column')} {column_letter(column.index)}"
    proposals = {column.nearest: column for column in unknown if column.nearest}
    for name in missing:
        word = say("obligatoire", "required") if tab.columns[name].required else say("facultatif", "optional")
        near = proposals.get(name)
        remark = say(
            f"{tab.header(name)} ({word}) : aucune colonne reconnue",
            f"{tab.header(name)} ({word}): no column recognised",
        )
        yield f"#      {name}: [{_quoted(near.header if near else '…')}]  # {remark}"
    for column in unknown:
        header = " ".join(column.header.split())
        letter = column_letter(column.index)
        yield say(
            f"## colonne {letter} inconnue, non lue : {header}", f"## column {letter} unknown, not read: {header}"
        )


def _quoted(text: str) -> str:
    """Return a text as a YAML double-quoted scalar, which JSON strings are."""
    import json

    return json.dumps(text, ensure_ascii=False)

"""`jdv info`: what a workbook is: version, tabs, indicators."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from jdv_qa.cli.options import Lang, LayoutFile, console, emit, read
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.workbook.edition import Edition


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"


def info(
    workbook: Annotated[Path, Argument(metavar="WORKBOOK", help="Workbook to look at.")],
    form: Annotated[Format, Option("--format", "-f", help="text for people, json for scripts.")] = Format.TEXT,
    layout: LayoutFile = None,
    lang: Lang = None,
) -> None:
    """Show the version, the tabs and the indicators of a workbook."""
    from jdv_qa.checks.indicators import indicators

    edition = read(workbook, layout)
    figures = indicators(edition)
    if form is Format.JSON:
        import json

        emit(json.dumps(_content(edition, figures), ensure_ascii=False, indent=1), None)
    else:
        _print(edition, figures, recognised=layout is None)


def _content(edition: Edition, figures: dict[str, int]) -> dict[str, Any]:
    identity = edition.identity
    return {
        "schema": "jdv-info/1",
        "workbook": {"path": edition.source.path, "sha256": edition.source.sha256},
        "title": identity.title,
        "version": identity.version,
        "date": identity.date,
        "loinc_version": identity.loinc_version,
        "layout": edition.layout,
        "grouping": edition.main.grouping if "main" in edition.tables else "repeat",
        "tabs": {key: {"sheet": table.sheet, "rows": len(table.records)} for key, table in edition.tables.items()},
        "unknown_tabs": [sheet.name for sheet in edition.sheets if sheet.tab is None],
        "indicators": figures,
    }


def _print(edition: Edition, figures: dict[str, int], *, recognised: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from jdv_qa.workbook.layout import DEFAULT_LAYOUT

    screen = console()
    identity = edition.identity
    unknown = say("non indiquée", "not stated")
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    lines = [
        (say("Classeur", "Workbook"), edition.source.path),
        ("SHA-256", edition.source.sha256),
        (say("Titre", "Title"), identity.title or say("non indiqué", "not stated")),
        ("Version", identity.version or unknown),
        (say("Date", "Date"), identity.date or unknown),
        (say("Version de LOINC", "LOINC release"), identity.loinc_version or unknown),
    ]
    if recognised and edition.layout != DEFAULT_LAYOUT:
        told = say("reconnue à ses colonnes", "known by its columns")
        lines.append((say("Mise en page", "Layout"), f"{edition.layout} – {told}"))
    for name, value in lines:
        facts.add_row(Text(name, style="bold"), Text(value))
    screen.print(facts)
    screen.print()
    tabs = Table(box=None, padding=(0, 2, 0, 0))
    tabs.add_column(say("Onglet", "Tab"))
    tabs.add_column(say("Lignes", "Rows"), justify="right")
    tabs.add_column(say("Remarque", "Remark"))
    for key, table in edition.tables.items():
        if key == "history":
            continue
        tabs.add_row(Text(table.sheet), Text(str(len(table.records))), Text(_remark(edition, key), style="dim"))
    for sheet in edition.sheets:
        if sheet.tab is None:
            tabs.add_row(
                Text(sheet.name),
                Text(str(sheet.rows)),
                Text(say("onglet inconnu, non lu", "unknown tab, not read"), style="yellow"),
            )
    screen.print(tabs)
    screen.print()
    if not figures:
        return
    counts = Table.grid(padding=(0, 2, 0, 0))
    for name, total, parts, words in (
        (
            say("Demandes", "Orders"),
            "orders",
            ("orders_order", "orders_both", "orders_observation", "orders_pending"),
            say("Order + Both + Observation + en attente", "Order + Both + Observation + pending"),
        ),
        (
            say("Résultats", "Results"),
            "results",
            ("results_loinc", "results_pending"),
            say("codes LOINC + en attente", "LOINC codes + pending"),
        ),
    ):
        values = [figures[part] for part in parts]
        if other := figures[total] - sum(values):
            values.append(other)
            words += say(" + sans type reconnu", " + of no known type")
        counts.add_row(
            Text(name, style="bold"),
            Text(f"{figures[total]} = {' + '.join(map(str, values))}"),
            Text(words, style="dim"),
        )
    screen.print(counts)


def _remark(edition: Edition, key: str) -> str:
    table = edition.tables[key]
    parts = []
    if not table.header_row:
        parts.append(say("en-têtes non reconnus", "headers not recognised"))
    if names := [column.header for column in table.columns if column.field is None]:
        parts.append(say(f"colonnes inconnues : {', '.join(names)}", f"unknown columns: {', '.join(names)}"))
    if key == "main":
        parts.append(
            {
                "repeat": say("demandes répétées sur chaque ligne", "orders repeated on every row"),
                "blank": say("demandes écrites sur leur première ligne", "orders written on their first row"),
                "merge": say("demandes en cellules fusionnées", "orders in merged cells"),
            }[table.grouping]
        )
    return " ; ".join(parts)

"""`jdv layout`: how each tab and column of a workbook is understood, and a layout file to edit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.options import Exit, Force, Lang, LayoutFile, console
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.workbook.understand import Reading


def layout(
    workbook: Annotated[Path, Argument(metavar="WORKBOOK", help="Workbook to look at.")],
    write: Annotated[
        Path | None, Option("--write", metavar="FILE", help="Write a layout file for this workbook, to edit.")
    ] = None,
    force: Force = False,
    layout: LayoutFile = None,
    lang: Lang = None,
) -> Exit:
    """Show how each tab and column is understood, what is missing and what is unknown.

    Exit status: 0 every required tab and column was found, 1 some are missing, 2 the workbook cannot be read.
    """
    from jdv_qa.workbook.layout import load_layout
    from jdv_qa.workbook.understand import layout_file, understand

    reading = understand(workbook, load_layout(layout))
    _print(reading, workbook)
    if write is not None:
        from rich.text import Text

        from jdv_qa.files import write_file

        write_file(write, layout_file(reading, workbook).encode("utf-8"), force=force)
        console().print(
            Text(
                say(
                    f"Mise en page écrite dans {write} ; la compléter, puis : jdv check {workbook} --layout {write}",
                    f"Layout written to {write}; complete it, then: jdv check {workbook} --layout {write}",
                )
            )
        )
    return Exit.CLEAN if reading.complete else Exit.FOUND


def _print(reading: Reading, workbook: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    from jdv_qa.workbook.edition import column_letter

    screen = console()
    screen.print(Text(workbook.name, style="bold"))
    for sheet in reading.sheets:
        tab = reading.layout.tabs.get(sheet.tab or "")
        screen.print()
        if tab is None:
            title = Text.assemble(
                (sheet.name, "bold"), "  ", (say("onglet inconnu, non lu", "unknown tab, not read"), "yellow")
            )
            if sheet.proposed:
                name = reading.layout.tabs[sheet.proposed].name
                title.append(say(f" ; serait-ce « {name} » ?", f'; could it be "{name}"?'), style="yellow")
            screen.print(title)
            continue
        heading = Text.assemble((sheet.name, "bold"), "  ", (tab.key, "cyan"))
        if tab.labels:
            found = ", ".join(
                f"{tab.labels[column.field or ''][0]} ({say('ligne', 'row')} {column.index})"
                for column in sheet.columns
            )
            screen.print(heading.append(f"  {found or say('rien de reconnu', 'nothing recognised')}", style="dim"))
            continue
        if sheet.header_row:
            heading.append(
                say(f"  en-têtes ligne {sheet.header_row}", f"  headers in row {sheet.header_row}"), style="dim"
            )
        else:
            heading.append(say("  aucune ligne d'en-têtes reconnue", "  no header row found"), style="bold red")
        screen.print(heading)
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        table.add_column(no_wrap=True)
        table.add_column(ratio=1)
        table.add_column(ratio=1)
        for column in (*sheet.columns, *sheet.duplicated):
            letter = column_letter(column.index)
            header = Text(" ".join(column.header.split()))
            if column in sheet.duplicated:
                table.add_row(
                    letter,
                    header,
                    Text(
                        say(f"{column.field} une seconde fois, non lue", f"{column.field} again, not read"), style="red"
                    ),
                )
            elif column.field:
                table.add_row(letter, header, Text(column.field, style="cyan"))
            else:
                near = say(
                    f"inconnue ; proche de « {column.nearest_header} » ({column.nearest})",
                    f'unknown; near "{column.nearest_header}" ({column.nearest})',
                )
                table.add_row(
                    letter, header, Text(near if column.nearest else say("inconnue", "unknown"), style="yellow")
                )
        for name in sheet.missing:
            required = tab.columns[name].required
            word = say("manque", "missing") if required else say("absente, facultative", "absent, optional")
            table.add_row(
                "–",
                Text(tab.header(name)),
                Text(f"{name} : {word}", style="bold red" if required else "dim"),
            )
        screen.print(table)
    for key in reading.absent:
        tab = reading.layout.tabs[key]
        screen.print()
        words = (
            say("onglet absent", "missing tab")
            if tab.required
            else say("onglet absent, facultatif", "absent tab, optional")
        )
        screen.print(
            Text.assemble(
                (tab.name, "bold"), "  ", (tab.key, "cyan"), "  ", (words, "bold red" if tab.required else "dim")
            )
        )
    screen.print()
    if reading.complete:
        screen.print(
            Text(say("Tout ce qui est obligatoire est reconnu.", "All that is required was recognised."), style="green")
        )
    else:
        screen.print(
            Text(
                say(
                    "Il manque des onglets ou des colonnes obligatoires ; "
                    "« --write mise-en-page.yaml » écrit un fichier à compléter.",
                    "Required tabs or columns are missing; `--write layout.yaml` writes a file to complete.",
                ),
                style="bold red",
            )
        )

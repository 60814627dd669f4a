"""`jdv export`: an Edition as CSV tables, a data package and a clean Excel workbook, in one folder; FHIR and SVS on demand."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.misuse import not_one_of
from jdv_qa.cli.options import Force, Lang, LayoutFile, console, read

if TYPE_CHECKING:
    from jdv_qa.workbook.edition import Edition
    from jdv_qa.workbook.layout import Layout


class Form(StrEnum):
    """Forms that are written only when asked for."""

    FHIR = "fhir"
    SVS = "svs"


def export(
    workbook: Annotated[
        Path,
        Argument(metavar="WORKBOOK", help="Workbook, or folder of exported tables, to publish.", show_default=False),
    ],
    directory: Annotated[
        Path, Argument(metavar="DIR", help="Folder to write; it must be new or empty.", show_default=False)
    ],
    separator: Annotated[str, Option("--separator", metavar='";"|","', help="Separator of the CSV files.")] = ";",
    bom: Annotated[bool, Option("--bom", help="Begin the CSV files with the mark by which Excel knows UTF-8.")] = False,
    also: Annotated[
        list[Form] | None,
        Option(
            "--with",
            help="Write this form too, in a folder of its name; repeat it for both. "
            "fhir: FHIR R4 resources in JSON, svs: SVS XML for CDA schematrons and Gazelle.",
            show_default=False,
        ),
    ] = None,
    layout: LayoutFile = None,
    force: Force = False,
    lang: Lang = None,
) -> None:
    """Write the tables as CSV with their datapackage.json, and as a clean Excel workbook.

    Codes stay text everywhere, and a text that a spreadsheet would run as a formula gets an apostrophe in front in
    the CSV. The same workbook always gives the same bytes. What has no place in the tables (unknown columns, cells
    outside them), or in FHIR and SVS (codes that are no codes), is named on stderr.
    """
    from jdv_qa.files import new_directory
    from jdv_qa.language import say
    from jdv_qa.publish.excel import excel_workbook
    from jdv_qa.publish.package import data_package, is_exported, publication_name
    from jdv_qa.publish.tables import SEPARATORS, csv_tables, left_out
    from jdv_qa.terminology.notice import LOINC_NOTICE
    from jdv_qa.workbook.layout import load_layout
    from jdv_qa.workbook.tables import DESCRIPTION

    if separator not in SEPARATORS:
        raise not_one_of(separator, SEPARATORS, "--separator")
    edition = read(workbook, layout)
    chosen = load_layout(layout)
    tables = csv_tables(edition, chosen, separator=separator, bom=bom)
    excel = f"{publication_name(edition, chosen)}.xlsx"
    files: dict[str, tuple[bytes, int | None]] = {table.name: (table.content, table.rows) for table in tables}
    files[DESCRIPTION] = (data_package(edition, tables, chosen, separator=separator), None)
    files[excel] = (excel_workbook(edition, chosen), None)
    files["NOTICE"] = (f"{LOINC_NOTICE}\n".encode(), None)
    omitted = left_out(edition)
    forms = [form for form in Form if form in (also or ())]
    for form in forms:
        files |= {f"{form}/{name}": (content, None) for name, content in _published(form, edition, chosen).items()}
    if forms:
        from jdv_qa.publish.concepts import unpublished

        omitted += unpublished(edition)
    with new_directory(directory, is_ours=lambda name: is_exported(directory, name), force=force) as folder:
        for form in forms:
            (folder / form).mkdir()
        for name, (content, _) in files.items():
            (folder / name).write_bytes(content)
    _print_files(directory, {name: rows for name, (_, rows) in files.items()})
    if omitted:
        complaints = console(stderr=True)
        complaints.print(say("Non exporté :", "Not exported:"), soft_wrap=True)
        for sentence in omitted:
            complaints.print(f"  {sentence}", soft_wrap=True)


def _published(form: Form, edition: Edition, layout: Layout) -> dict[str, bytes]:
    if form is Form.FHIR:
        from jdv_qa.publish.fhir import fhir_resources

        return fhir_resources(edition, layout)
    from jdv_qa.publish.svs import svs_files

    return svs_files(edition, layout)


def _print_files(directory: Path, files: dict[str, int | None]) -> None:
    from rich.table import Table

    from jdv_qa.language import count, figure, say

    out = console()
    number = count(len(files), "fichier", "file")
    out.print(say(f"{directory} : {number}", f"{directory}: {number}"), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column(say("Fichier", "File"), no_wrap=True)
    table.add_column(say("Lignes", "Rows"), justify="right")
    for name, rows in files.items():
        table.add_row(name, "" if rows is None else figure(rows))
    out.print(table)

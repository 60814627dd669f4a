"""`jdv releases`: the versions of the register."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Option

from jdv_qa.cli.options import Force, Lang, Output, console, emit, emit_bytes, printed
from jdv_qa.cli.registers import RegisterFolder, open_register


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def releases(
    register: RegisterFolder = None,
    form: Annotated[Format, Option("--format", "-f", help="text for people, json or csv for scripts.")] = Format.TEXT,
    output: Output = None,
    force: Force = False,
    lang: Lang = None,
) -> None:
    """List the versions of the register: date, LOINC release, figures, and how much changed since the one before."""
    from jdv_qa.report.register_json import releases_csv, releases_json
    from jdv_qa.report.register_text import print_releases

    opened = open_register(register)
    if form is Format.JSON:
        emit(releases_json(opened), output, force=force)
    elif form is Format.CSV:
        emit_bytes(releases_csv(opened), output, force=force)
    elif output is None:
        print_releases(opened, console())
    else:
        emit(printed(lambda paper: print_releases(opened, paper)), output, force=force)

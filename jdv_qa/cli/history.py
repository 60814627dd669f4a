"""`jdv history`: the life of a code through all versions of the register."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument, Option

from jdv_qa.cli.options import Exit, Force, Lang, Output, console, emit, emit_bytes, printed
from jdv_qa.cli.registers import RegisterFolder, open_register
from jdv_qa.cli.streams import tell
from jdv_qa.language import say


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def history(
    code: Annotated[str, Argument(metavar="CODE", help="LOINC, pending or NABM code, or a code of a reference tab.")],
    register: RegisterFolder = None,
    form: Annotated[Format, Option("--format", "-f", help="text for people, json or csv for scripts.")] = Format.TEXT,
    output: Output = None,
    force: Force = False,
    bom: Annotated[bool, Option("--bom", help="Begin a CSV with the mark by which Excel knows UTF-8.")] = False,
    lang: Lang = None,
) -> Exit:
    """Tell the life of a code: when it came in, what changed of it, which code it was given, when it went.

    A pending code and the LOINC code it was given are one life. Exit status: 0 told, 1 no version has the code, 2 the
    register cannot be read.
    """
    from jdv_qa.publish.history import code_history
    from jdv_qa.report.history_text import history_csv, history_json, print_history

    opened = open_register(register)
    life = code_history(opened, code.strip())
    if not life.events:
        shown = ascii(life.code)[1:-1]
        tell(
            say(
                f"jdv: {shown} : aucune version du registre {opened.directory} n'a ce code",
                f"jdv: {shown}: no version of the register {opened.directory} has this code",
            ),
        )
        return Exit.FOUND
    if form is Format.JSON:
        emit(history_json(life), output, force=force)
    elif form is Format.CSV:
        emit_bytes(history_csv(life, bom=bom), output, force=force)
    elif output is None:
        print_history(life, console())
    else:
        emit(printed(lambda paper: print_history(life, paper)), output, force=force)
    return Exit.CLEAN

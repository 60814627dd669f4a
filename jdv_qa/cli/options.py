"""What several commands share: options, consoles, exit statuses."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from typer import Context, Option

from jdv_qa.cli.reading import read_file
from jdv_qa.cli.streams import tell, write
from jdv_qa.harmless import utf8
from jdv_qa.language import say

if TYPE_CHECKING:
    from rich.console import Console

    from jdv_qa.workbook.edition import Edition


class Exit(IntEnum):
    """Exit statuses: nothing to say, something found, the command could not do its work."""

    CLEAN = 0
    FOUND = 1
    TROUBLE = 2


Lang = Annotated[
    str | None,
    Option("--lang", metavar="fr|en", help="Language of the text for maintainers (default: fr)."),
]
"""The language is chosen before a command is called (`app.py`), so that what is wrong with the command line is told in it too."""


def choose_layout(context: Context, value: str | None) -> str | None:
    """Return the layout asked for, else that of the settings, those of --config if it is given."""
    if value is not None or context.resilient_parsing:
        return value
    from jdv_qa.cli.settings import load_settings

    return load_settings(context.params.get("config")).layout


LayoutFile = Annotated[
    str | None,
    Option(
        "--layout",
        callback=choose_layout,
        envvar="JDV_LAYOUT",
        metavar="FILE",
        help="Layout file, or the name of a layout that ships (default: `layout` of jdv.toml).",
    ),
]
Loinc = Annotated[
    str | None,
    Option(
        "--loinc",
        envvar="JDV_LOINC",
        metavar="PATH|VERSION",
        help="LOINC release as downloaded (folder, zip or Loinc.csv), or a version imported with `jdv loinc import`.",
    ),
]
Output = Annotated[Path | None, Option("--output", "-o", metavar="FILE", help="Write to a file instead of the screen.")]
Force = Annotated[bool, Option("--force", help="Replace what is already there.")]


def console(*, stderr: bool = False) -> Console:
    """Return the console that reports are printed on, or the one beside it for what is told."""
    from jdv_qa.cli.screen import Screen

    return Screen(stderr=stderr)


def read(workbook: Path, layout: str | None) -> Edition:
    """Read a workbook with the layout asked for; where there is no such file, a version number is one of the register."""
    if (version := _version_asked(workbook)) is not None:
        from jdv_qa.cli.settings import load_settings
        from jdv_qa.publish.register import find_release, load_register, read_with_rows
        from jdv_qa.workbook.layout import load_layout

        register = load_register(load_settings().register)
        return read_with_rows(register, find_release(register, version), load_layout(layout))
    edition, remarks = read_file(workbook, layout)
    for remark in remarks:
        tell(f"jdv: {remark}")
    return edition


def _version_asked(path: Path) -> str | None:
    """Return the version number that a path is when nothing of that name exists, None for a path."""
    text = str(path)
    numbers = text.split(".")
    is_version = 2 <= len(numbers) <= 4 and all(part.isascii() and part.isdecimal() for part in numbers)
    return text if is_version and not path.exists() else None


def emit(text: str, output: Path | None, *, force: bool = False) -> None:
    """Print text made for machines or files, or write it to the file asked for."""
    from jdv_qa.files import write_file

    content = utf8(text if text.endswith("\n") else f"{text}\n")
    if output is None:
        write(content)
    else:
        write_file(output, content, force=force)


def emit_bytes(content: bytes, output: Path | None, *, force: bool = False) -> None:
    """Write bytes to the file asked for, or to standard output as they are."""
    from jdv_qa.files import write_file

    if output is None:
        write(content)
    else:
        write_file(output, content, force=force)


def emit_workbook(content: bytes, output: Path | None, example: str, *, force: bool = False) -> None:
    """Write an Excel workbook to the file asked for; raises JdvError, with an example of a name, when none was."""
    from jdv_qa.errors import JdvError

    if output is None:
        raise JdvError(
            say(
                f"un classeur Excel ne s'affiche pas ; ajouter « -o {example} »",
                f"an Excel workbook cannot be printed; add `-o {example}`",
            )
        )
    emit_bytes(content, output, force=force)


Form = TypeVar("Form", bound=StrEnum)
_SUFFIXES = {"htm": "html", "markdown": "md", "xml": "junit"}


def form_of(output: Path | None, default: Form) -> Form:
    """Return the form, among those of the default, that the name of the output asks for; the default if it asks for none."""
    suffix = output.suffix.casefold().removeprefix(".") if output else ""
    suffix = _SUFFIXES.get(suffix, suffix)
    return next((form for form in type(default) if form.value == suffix), default)


def printed(report: Callable[[Console], None], width: int = 120) -> str:
    """Return what a function prints on a console, without colours, for a file."""
    from io import StringIO

    from jdv_qa.cli.screen import Screen

    paper = StringIO()
    report(Screen(paper=paper, width=width))
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines()) + "\n"

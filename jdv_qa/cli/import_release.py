"""`jdv import-release`: old workbooks enter the register as they are, so that past versions can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.options import Exit, Lang, LayoutFile, console, read
from jdv_qa.cli.progress import stages
from jdv_qa.cli.registers import RegisterFolder, open_register
from jdv_qa.cli.streams import tell
from jdv_qa.errors import Misuse, ReleaseRefused
from jdv_qa.language import count, say

if TYPE_CHECKING:
    from jdv_qa.workbook.edition import Edition


def import_release(
    files: Annotated[list[Path], Argument(metavar="FILE...", help="Old workbooks, in any layout and any order.")],
    version: Annotated[
        str | None, Option("--version", metavar="V", help="Version of a workbook that does not say its own.")
    ] = None,
    register: RegisterFolder = None,
    layout: LayoutFile = None,
    lang: Lang = None,
) -> Exit:
    """Take old workbooks into the register: each is kept byte for byte, with its tables, and compared with the one before.

    They are not checked. Several files enter by version, the earliest first; each must be above the last version of the
    register. Exit status: 0 imported, 1 refused, 2 a workbook cannot be read.
    """
    from jdv_qa.compare.versions import version_key
    from jdv_qa.publish.register import refuse_version
    from jdv_qa.publish.release import import_files, imported_version, make_release, plan_import
    from jdv_qa.report.register_documents import release_documents
    from jdv_qa.workbook.layout import load_layout

    if version is not None and len(files) > 1:
        raise Misuse(say("--version va avec un seul fichier", "--version goes with one file"))
    opened = open_register(register)
    try:
        with stages(2 * len(files), files) as begin:
            found: list[tuple[str, Path, Edition]] = []
            for path in files:
                begin(say(f"Lecture de {path.name}", f"Reading {path.name}"))
                edition = read(path, layout)
                found.append((imported_version(path, edition, version), path, edition))
            found.sort(key=lambda item: (version_key(item[0]), str(item[1])))
            if found and (reason := refuse_version(opened, found[0][0])):
                raise ReleaseRefused(say(f"{found[0][1]} : {reason}", f"{found[0][1]}: {reason}"))
            for number, path, edition in found:
                begin(say(f"Version {number}", f"Version {number}"))
                plan = plan_import(path, opened, version, load_layout(layout), edition=edition)
                opened = make_release(plan, import_files(plan, release_documents(plan)))
                _print_imported(path, opened.directory / number, plan.omitted)
    except ReleaseRefused as error:
        tell(f"jdv: {error}")
        return Exit.FOUND
    return Exit.CLEAN


def _print_imported(path: Path, folder: Path, omitted: tuple[str, ...]) -> None:
    console().print(say(f"{path} → {folder}", f"{path} → {folder}"), soft_wrap=True)
    if omitted:
        complaints = console(stderr=True)
        number = count(len(omitted), "endroit", "place")
        complaints.print(
            say(
                f"  Hors des tables ({number}), dans le classeur gardé :",
                f"  Not in the tables ({number}), only in the workbook kept:",
            ),
            soft_wrap=True,
        )
        for sentence in omitted:
            complaints.print(f"  {sentence}", soft_wrap=True)

"""`jdv verify`: whether the releases of the register are still what they were on the day of their release."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument, Option

from jdv_qa.cli.options import Exit, Lang, console, emit
from jdv_qa.cli.progress import stages
from jdv_qa.cli.registers import RegisterFolder, open_register
from jdv_qa.language import say


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"


def verify(
    version: Annotated[
        str | None, Argument(metavar="[VERSION]", help="Version to verify (default: all).", show_default=False)
    ] = None,
    register: RegisterFolder = None,
    form: Annotated[Format, Option("--format", "-f", help="text for people, json for scripts.")] = Format.TEXT,
    lang: Lang = None,
) -> Exit:
    """Recompute everything and name each file of the register that differs, is missing or is extra.

    Exit status: 0 all is as released, 1 something is not, 2 the index cannot be read.
    """
    from jdv_qa.publish.register import find_release
    from jdv_qa.publish.verification import Verification, register_faults, verify_release
    from jdv_qa.report.register_json import verification_json
    from jdv_qa.report.register_text import print_verification

    opened = open_register(register)
    chosen = opened.releases if version is None else (find_release(opened, version),)
    listed = [opened.folder(release) / file.path for release in chosen for file in release.files]
    verified = []
    with stages(len(chosen), listed) as begin:
        for release in chosen:
            begin(say(f"Version {release.version}", f"Version {release.version}"))
            verified.append(verify_release(opened, release))
    verification = Verification(opened, tuple(verified), tuple(register_faults(opened)))
    if form is Format.JSON:
        emit(verification_json(verification), None)
    else:
        print_verification(verification, console())
    return Exit.FOUND if verification.all_faults else Exit.CLEAN

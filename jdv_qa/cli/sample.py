"""`jdv sample`: the workbooks to try the tool on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from jdv_qa.cli.options import Force, Lang, console
from jdv_qa.language import say


def sample(
    directory: Annotated[Path, Argument(metavar="DIR", help="Folder to put the workbooks in.")],
    force: Force = False,
    lang: Lang = None,
) -> None:
    """Copy the sample that ships: two successive editions, change requests, and a draft with instructive faults."""
    from rich.text import Text

    from jdv_qa.files import clear_leftovers, write_file
    from jdv_qa.sample import REPORT, REQUESTS, SAMPLE_DIR, files

    screen = console()
    wanted = {
        directory / path.name: path.read_bytes()
        for path in (*files().values(), REPORT, REQUESTS, SAMPLE_DIR / "README.md", SAMPLE_DIR / "NOTICE")
    }
    there = {path for path, content in wanted.items() if path.is_file() and path.read_bytes() == content}
    for path, content in wanted.items():
        if path in there and len(there) < len(wanted):  # a copy that was cut short is completed
            clear_leftovers(path)
        else:
            write_file(path, content, force=force)
        screen.print(Text(str(path)))
    draft = directory / files()["1.2.0"].name
    screen.print(Text(say(f"Pour commencer : jdv check {draft}", f"To begin: jdv check {draft}"), style="dim"))

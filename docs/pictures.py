"""The pictures of the documents: real output of the commands, drawn by rich as SVG."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import chdir
from io import StringIO

from rich.console import Console
from rich.text import Text

from jdv_qa.checks.engine import check
from jdv_qa.compare.compare import compare
from jdv_qa.language import use_language
from jdv_qa.report.changes_text import DEFAULT_LIMIT, print_changes
from jdv_qa.report.findings_text import print_report
from jdv_qa.report.triage_text import print_triage
from jdv_qa.sample import REQUESTS, SAMPLE_DIR, files
from jdv_qa.triage.requests import read_requests
from jdv_qa.triage.review import review
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.read import read_edition

LINES = 46
WIDTH = 96


def edition(version: str) -> Edition:
    """Return an edition of the sample, read from its folder."""
    return read_edition(files()[version].name)


PICTURES: dict[str, tuple[str, Callable[[Console], None]]] = {
    "check.svg": (
        f"jdv check {files()['1.2.0'].name}",
        lambda screen: print_report(check(edition("1.2.0")), screen),
    ),
    "diff.svg": (
        f"jdv diff {files()['1.0.0'].name} {files()['1.1.0'].name}",
        lambda screen: print_changes(compare(edition("1.0.0"), edition("1.1.0")), screen, limit=DEFAULT_LIMIT),
    ),
    "triage.svg": (
        f"jdv triage review {REQUESTS.name} {files()['1.0.0'].name}",
        lambda screen: print_triage(review(read_requests(REQUESTS.name), edition("1.0.0")), screen),
    ),
}
"""File name -> the command shown, and what prints its answer."""


def draw(name: str) -> str:
    """Return the SVG picture of the first lines that a command prints."""
    use_language("fr")
    title, show = PICTURES[name]
    screen = Console(
        file=StringIO(), record=True, width=WIDTH, height=LINES, markup=False, highlight=False, force_terminal=True
    )
    with chdir(SAMPLE_DIR):
        show(screen)
    text = screen.export_text(clear=True, styles=True).splitlines()
    short = Console(file=StringIO(), record=True, width=WIDTH, markup=False, highlight=False, force_terminal=True)
    for line in text[:LINES]:
        short.print(Text.from_ansi(line))
    short.print(Text("…"))
    picture = short.export_svg(title=title, unique_id="jdv")
    # rich's style sheet fetches a font from the network; the reader's own fixed-width font does as well
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")

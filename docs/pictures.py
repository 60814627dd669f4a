"""The pictures of the documents: real output of the commands, drawn by rich as SVG."""

from __future__ import annotations

import re
from io import StringIO

from rich.console import Console

from jdv_qa.checks.engine import check
from jdv_qa.language import use_language
from jdv_qa.report.findings_text import print_report
from jdv_qa.sample import files
from jdv_qa.workbook.read import read_edition

PICTURES = {"check.svg": "1.2.0"}
"""File name -> version of the sample whose check it shows."""

LINES = 46


def draw(version: str) -> str:
    """Return the SVG picture of the first lines of the check of a sample edition."""
    use_language("fr")
    screen = Console(
        file=StringIO(), record=True, width=96, height=LINES, markup=False, highlight=False, force_terminal=True
    )
    print_report(check(read_edition(files()[version])), screen)
    text = screen.export_text(clear=True, styles=True).splitlines()
    from rich.text import Text

    short = Console(file=StringIO(), record=True, width=96, markup=False, highlight=False, force_terminal=True)
    for line in text[:LINES]:
        short.print(Text.from_ansi(line))
    short.print(Text("…"))
    picture = short.export_svg(title=f"jdv check {files()[version].name}", unique_id="jdv")
    # rich's style sheet fetches a font from the network; the reader's own fixed-width font does as well
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")

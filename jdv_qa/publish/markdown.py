"""Markdown in which the contents of fields reach the reader as they are, in prose and in table cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from jdv_qa.marking import Piece

GONE, COME = "~~", "**"
"""What stands around words that the new text lacks, and around those that it adds."""

_MARKDOWN = re.compile(r"[\\`*|<~]|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[]|&(?=#?\w+;)")
_EDGES = re.compile(r"([\s;]*)(.*?)([\s;]*)", re.DOTALL)


def markdown_text(text: str) -> str:
    """Return Markdown that shows a field's text unchanged, also in a table cell; line breaks become <br>."""
    return "<br>".join(_escaped(line.strip()) for line in text.splitlines())


def unit_text(text: str) -> str:
    """Return a unit as Markdown code, so that `[IU]/L` and `10*9/L` are read as they are written."""
    return markdown_text(text) if set(text) & set("`|\n\r\\") else f"`{text}`"


def marked_text(pieces: Iterable[Piece], sign: str) -> str:
    """Return Markdown of a text with its changed runs between signs, `GONE` or `COME`.

    Spaces and semicolons at the ends of a run stay outside the signs, which Markdown would not understand there.
    """
    lines = [""]
    for text, changed in pieces:
        first, *others = re.split(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", text)
        for place, part in enumerate((first, *others)):
            if place:
                lines.append("")
            if changed:
                before, core, after = _EDGES.fullmatch(part).groups()  # type: ignore[union-attr]
                lines[-1] += before + (f"{sign}{_escaped(core)}{sign}" if core else "") + after
            else:
                lines[-1] += _escaped(part)
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    return "<br>".join(line.strip() for line in lines)


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of cells that are Markdown already; a blank column is left out, and "" without rows."""
    kept = [place for place in range(len(headers)) if any(row[place] for row in rows)]
    if not kept:
        return ""
    lines = [[headers[place] for place in kept], ["---"] * len(kept), *([row[place] for place in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(line: str) -> str:
    return _MARKDOWN.sub(r"\\\g<0>", line)

"""Notes written in Markdown as HTML that pastes cleanly into Word or a mail: plain tables, inline styles, no script."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from jdv_qa.language import current_language

if TYPE_CHECKING:
    from markdown_it.token import Token

_FONT = "font-family:Calibri,Arial,sans-serif;"
_CELL = f"{_FONT}font-size:10pt;border:1px solid #8A94A0;padding:2pt 5pt;text-align:left;vertical-align:top;"
_STYLES = {
    "h1": f"{_FONT}font-size:20pt;font-weight:bold;color:#1F3A5F;margin:0 0 8pt 0;",
    "h2": f"{_FONT}font-size:15pt;font-weight:bold;color:#1F3A5F;margin:16pt 0 6pt 0;",
    "h3": f"{_FONT}font-size:12pt;font-weight:bold;color:#1F3A5F;margin:10pt 0 4pt 0;",
    "p": f"{_FONT}font-size:11pt;margin:0 0 6pt 0;",
    "ul": f"{_FONT}font-size:11pt;margin:0 0 6pt 0;",
    "li": f"{_FONT}font-size:11pt;margin:0 0 3pt 0;",
    "table": f"{_FONT}font-size:10pt;border-collapse:collapse;margin:0 0 8pt 0;",
    "th": f"{_CELL}background-color:#E7ECF2;",
    "td": _CELL,
    "hr": "border:0;border-top:1px solid #8A94A0;margin:14pt 0 6pt 0;",
    "s": "color:#9C0006;text-decoration:line-through;",
    "strong": "font-weight:bold;",
    "code": "font-family:Consolas,'Courier New',monospace;",
}
_CODE = re.compile(r"[\w.+−=-]{1,12}")
"""A cell that holds nothing but a code or a figure: it must not be broken at its hyphen."""


def notes_html(markdown: str) -> str:
    """Return a whole page of the notes. The only markup taken from the Markdown as such is <br>: all else is text."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(markdown)
    _dress(tokens)
    first = next((token.children or [] for token in tokens if token.type == "inline"), [])
    title = "".join(child.content for child in first)
    body = parser.renderer.render(tokens, parser.options, {})
    return (
        f'<!DOCTYPE html>\n<html lang="{current_language()}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n</head>\n"
        f'<body style="{_FONT}font-size:11pt;color:#000000;background-color:#FFFFFF;max-width:1100px;margin:12pt auto;'
        f'padding:0 12pt;">\n{body}</body>\n</html>\n'
    )


def _dress(tokens: list[Token]) -> None:
    """Give every element its style, and turn any markup but a line break into text."""
    for place, token in enumerate(tokens):
        if token.type in ("html_inline", "html_block") and token.content != "<br>":
            token.type = "text"
        if token.nesting >= 0 and token.tag in _STYLES:
            token.attrs = {"style": _STYLES[token.tag]}
            if token.tag == "table":
                token.attrs |= {"border": "1", "cellspacing": "0", "cellpadding": "3"}
            elif token.tag == "td" and _CODE.fullmatch(tokens[place + 1].content):
                token.attrs = {"style": f"{_CELL}white-space:nowrap;"}
        if token.children:
            _dress(token.children)

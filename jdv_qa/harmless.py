"""Text from elsewhere made fit to be shown: nothing in it can act on a terminal, or pass for what it is not.

A cell, a path or the name of a tab may hold escape sequences, which a terminal would obey, and characters that turn the order of
the letters round or that nobody sees. They are shown by their number: ‹U+001B›.

So is the first sign of what a machine that runs jobs takes for a command wherever it stands: `##[set-output …]` (GitHub Actions),
`##vso[…]` (Azure Pipelines). The other form, `::set-output …`, is one only where a line begins, which is known once lines are
wrapped: `without_commands`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from re import Pattern

_BREAKS = str.maketrans("\n\t", "⏎⇥")


@cache
def _harmful() -> Pattern[str]:
    import re

    return re.compile(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for the tab and the line feed
        "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or turning round
        "\ud800-\udfff\U000e0000-\U000e007f]"  # no characters at all
        r"|#(?=#\w*\[)"  # of a command
    )


@cache
def _commands() -> Pattern[str]:
    import re

    return re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def harmless(text: str) -> str:
    """Return a text whose harmful characters are shown by their numbers; line feeds and tabs stay."""
    return "".join(part for part, _ in harmless_parts(utf8(text).decode()))


def harmless_line(text: str) -> str:
    """Return a text as `harmless` does, in one line: ⏎ for a line feed, ⇥ for a tab."""
    return harmless(text).translate(_BREAKS)


def is_harmless(text: str) -> bool:
    """Tell whether a text may be shown as it is."""
    return _harmful().search(text) is None


def escaped(text: str) -> str:
    """Return a text whose harmful characters are escaped as in JSON, so that JSON stays the same JSON."""
    import json

    return _harmful().sub(lambda found: json.dumps(found.group())[1:-1].replace("#", "\\u0023"), text)


def without_commands(lines: str) -> str:
    """Return lines as they are printed, none of which begins as a command of GitHub Actions does."""
    return _commands().sub(lambda found: f"{found[1]}‹U+003A›", lines) if "::" in lines else lines


def json_without_commands(content: bytes) -> bytes:
    """Return the same JSON without what a machine that runs jobs would obey."""
    import re

    return re.sub(rb"#(?=#\w*\[)", rb"\\u0023", content)


def harmless_parts(text: str) -> list[tuple[str, slice | None]]:
    """Return the parts of a harmless text, each with its place in the text given, None for a harmful character."""
    parts: list[tuple[str, slice | None]] = []
    done = 0
    for found in _harmful().finditer(text):
        if found.start() > done:
            parts.append((text[done : found.start()], slice(done, found.start())))
        parts.append((f"‹U+{ord(found.group()):04X}›", None))
        done = found.end()
    if done < len(text):
        parts.append((text[done:], slice(done, len(text))))
    return parts


def utf8(text: str) -> bytes:
    """Return a text in UTF-8, whatever the names of files in it are like.

    Python reads a name that its locale cannot with surrogates: they become the bytes they were, where that is UTF-8, and are
    written as escapes, which JSON allows, where it is not.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _utf8_of_names(text)


def _utf8_of_names(text: str) -> bytes:
    try:
        named = text.encode(errors="surrogateescape")
        named.decode()
    except UnicodeError:
        return text.encode(errors="backslashreplace")
    return named

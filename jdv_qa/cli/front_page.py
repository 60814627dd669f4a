"""`jdv --help`, `jdv --version`, and the help of a group of commands, written without Typer, rich or anything else.

What is asked for most often is answered at once. The help of a single command is Typer's own (`typer_app.py`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from jdv_qa import __version__
from jdv_qa.cli.commands import COMMANDS, SUMMARY, Group

HELP = ("--help", "-h")
"""The options that ask for help."""

_OPTIONS = (
    ("--lang fr|en", "Language of the text for maintainers (default: fr)."),
    ("--debug", "Show the traceback of an error."),
    ("--version", "Show the version and exit."),
    ("--install-completion", "Install completion for the current shell."),
    ("--show-completion", "Show completion for the current shell, to copy it or customize the installation."),
)
_OF_HELP = ("--help, -h", "Show this message and exit.")
_NARROWEST, _WIDEST = 30, 120


def version() -> str:
    """Return what `jdv --version` prints."""
    return f"jdv {__version__}\n"


def front_page(width: int, group: Group | None = None, *, colour: bool = False) -> str:
    """Return the help of `jdv`, or of a group of commands: usage, options, and each command with what it does.

    No line is longer than `width`, unless that is less than 30.
    """
    width = min(max(width, _NARROWEST), _WIDEST)
    name = f"jdv {group.name}" if group else "jdv"
    commands = group.commands if group else COMMANDS
    lines = []
    for paragraph in (f"Usage: {name} [OPTIONS] COMMAND [ARGS]...", group.told if group else SUMMARY):
        lines += ["", *(f" {line}" for line in _wrapped(paragraph, width - 2))]
    lines += ["", *_panel("Options", [_OF_HELP] if group else [*_OPTIONS, _OF_HELP], width, colour)]
    lines += [*_panel("Commands", [(one.name, one.told) for one in commands.values()], width, colour), ""]
    return "\n".join(lines) + "\n"


def terminal_width() -> int:
    """Return the columns of the terminal: those that COLUMNS says, else those of the screen, else 80."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns or 80
    except (OSError, ValueError):
        return 80


def shows_colour() -> bool:
    """Tell whether standard output is a terminal that shows colours and nobody asked for none."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb" if os.name != "nt" else "") in ("dumb", "unknown"):
        return False
    return sys.stdout.isatty() and (os.name != "nt" or "WT_SESSION" in os.environ)


def _panel(title: str, rows: list[tuple[str, str]], width: int, colour: bool) -> Iterator[str]:
    """Yield a frame with a title, each row a name and what it does; where there is no room beside it, below it."""
    column = max(len(name) for name, _ in rows)
    beside = width - 6 - column
    yield _dim(f"╭─ {title} {'─' * (width - len(title) - 5)}╮", colour)
    for name, told in rows:
        shown = [(name, ""), *(("", f"  {line}") for line in _wrapped(told, width - 6))]
        if beside >= 24:
            texts = _wrapped(told, beside)
            shown = [(name if number == 0 else "", text) for number, text in enumerate(texts)]
        for left, text in shown:
            padded = left.ljust(column + 2) if beside >= 24 else left
            filled = text.ljust(width - 4 - len(padded))
            edge = _dim("│", colour)
            yield f"{edge} {_bright(padded, colour)}{filled} {edge}"
    yield _dim(f"╰{'─' * (width - 2)}╯", colour)


def _wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken at spaces."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _bright(text: str, colour: bool) -> str:
    return f"\x1b[1;36m{text}\x1b[0m" if colour and text.strip() else text


def _dim(text: str, colour: bool) -> str:
    return f"\x1b[2m{text}\x1b[0m" if colour else text


def asks_for_help(words: Iterable[str]) -> bool:
    """Tell whether help is asked for among words, those after `--` left aside."""
    for word in words:
        if word == "--":
            return False
        if word in HELP:
            return True
    return False

"""How a command says what it takes: `workbook: Annotated[Path, Argument(…)]`, `limit: Annotated[int | None, Option(…)] = None`.

The words are Typer's and mean the same; but importing Typer takes a good part of the time of a check. `parsing.py` reads a
command line without it; it is called in for the help of a command and for the completion of shells (`typer_app.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Completion = Callable[[str], list[str]]
"""Given what is typed, returns the values that begin so."""
Values = Mapping[str, Any]
"""What a command was given: parameter -> value."""


class Argument:
    """What stands by itself on the command line; `metavar` is its name for people."""

    def __init__(
        self, *, metavar: str, help: str, autocompletion: Completion | None = None, show_default: bool = True
    ) -> None:
        self.metavar = metavar
        self.help = help
        self.autocompletion = autocompletion
        self.show_default = show_default


class Option:
    """What has names, the long one first.

    `envvar`: the environment variable that speaks where the command line does not; `otherwise`: called with the other values
    where neither does; `min`: the lowest number.
    """

    def __init__(
        self,
        *names: str,
        help: str,
        metavar: str | None = None,
        envvar: str | None = None,
        min: int | None = None,
        otherwise: Callable[[Values], object] | None = None,
        autocompletion: Completion | None = None,
        show_default: bool = True,
    ) -> None:
        self.names = names
        self.metavar = metavar
        self.help = help
        self.envvar = envvar
        self.min = min
        self.otherwise = otherwise
        self.autocompletion = autocompletion
        self.show_default = show_default

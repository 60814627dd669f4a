"""What the commands of the register share: where it is, and the form of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

if TYPE_CHECKING:
    from jdv_qa.cli.settings import Settings
    from jdv_qa.publish.register import Register

RegisterFolder = Annotated[
    Path | None,
    Option(
        "--register",
        envvar="JDV_REGISTER",
        metavar="DIR",
        help="Folder of the register (default: `register` of [release] in jdv.toml, else releases/).",
    ),
]


def open_register(directory: Path | None, settings: Settings | None = None) -> Register:
    """Load the register asked for, or the settings'; those of the current folder unless others are given."""
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.publish.register import load_register

    return load_register(directory or (settings or load_settings()).register)

"""The commands as Typer has them: one for a command line that names it, all of them for the completion of shells."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from jdv_qa.cli.coercion import make_values, name_and_value, name_of
from jdv_qa.cli.commands import COMMANDS, SUMMARY, Command
from jdv_qa.cli.misuse import missing, needs_a_value, one_too_many, takes_no_value, unknown_option
from jdv_qa.cli.options import Lang
from jdv_qa.errors import Misuse

if TYPE_CHECKING:
    from typer.core import TyperCommand

_HELP = {"help_option_names": ["-h", "--help"]}


def run_command(listed: Command, name: str, words: Sequence[str]) -> int:
    """Run a command on the words after its name ("check", "loinc import") and return its exit status.

    Raises Misuse for what cannot be understood.
    """
    command = typer_command(listed)
    try:
        with command.make_context(f"jdv {name}", listed.completed([*words])) as context:
            return int(command.invoke(context) or 0)
    except typer.Exit as end:
        return end.exit_code
    except _USAGE as error:
        raise _misuse(error, command, name, words) from None


def typer_command(listed: Command) -> TyperCommand:
    """Return a command by itself."""
    app = _app()
    _add(app, listed)
    command: Any = get_command(app)
    make_values(command.get_params(typer.Context(command, **command.context_settings)))
    return command  # type: ignore[no-any-return]


def whole_app() -> typer.Typer:
    """Return the app of all commands; every one of them is imported."""
    app = _app(name="jdv", help=SUMMARY, no_args_is_help=True, add_completion=True)
    app.callback()(_common)
    for listed in COMMANDS.values():
        if isinstance(listed, Command):
            _add(app, listed)
            continue
        group = _app(help=listed.told, no_args_is_help=True)
        for command in listed.commands.values():
            _add(group, command)
        app.add_typer(group, name=listed.name)
    return app


def _app(*, add_completion: bool = False, **told: Any) -> typer.Typer:
    return typer.Typer(pretty_exceptions_enable=False, add_completion=add_completion, context_settings=_HELP, **told)


def _add(app: typer.Typer, listed: Command) -> None:
    app.command(listed.name)(getattr(import_module(listed.module), listed.function))


def _common(
    lang: Lang = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Stand for the options before the command."""


_USAGE: Any = typer.BadParameter.__mro__[1]
"""What Typer raises for a command line that it does not understand; it gives no public name to it."""


def _misuse(error: Any, command: TyperCommand, name: str, words: Sequence[str]) -> Misuse:
    """Return what Typer has found wrong, in one line of ours; what it has no name for, in its own words."""
    options: dict[str, Any] = {option: param for param in command.params for option in param.opts}
    asked = getattr(error, "option_name", None)
    if asked in options:
        option = options[asked]
        return takes_no_value(asked) if option.is_flag else needs_a_value(asked, name_and_value(option)[1])
    if asked is not None:
        return unknown_option(asked, options, f"jdv {name}")
    if getattr(error, "param", None) is not None:
        return missing(name_of(error.param))
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    if not arguments or all(param.nargs != -1 for param in arguments):
        beyond = command.make_parser(error.ctx).parse_args([*words])[1]
        if beyond:
            return one_too_many(str(beyond[0]))
    return Misuse(" ".join(error.format_message().split()))

"""The commands as a Typer app: the help of each, and the completion of shells. Ordinary calls do without it (`app.py`)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from jdv_qa.cli.commands import COMMANDS, SUMMARY, Command
from jdv_qa.cli.declaring import Argument, Option
from jdv_qa.cli.options import Lang
from jdv_qa.cli.parsing import Parameter, parameters

_HELP = {"help_option_names": ["-h", "--help"]}


def typer_app(only: Sequence[str] = ()) -> typer.Typer:
    """Return the app of all commands, or of the one whose name, and group before it, is given."""
    app = typer.Typer(
        name="jdv", help=SUMMARY, no_args_is_help=True, pretty_exceptions_enable=False, context_settings=_HELP
    )
    app.callback()(_typed(_common))
    for listed in COMMANDS.values():
        if only and listed.name != only[0]:
            continue
        if isinstance(listed, Command):
            _add(app, listed)
            continue
        group = typer.Typer(help=listed.told, no_args_is_help=True, context_settings=_HELP)
        for command in listed.commands.values():
            if only[1:2] in ([], [command.name]):
                _add(group, command)
        app.add_typer(group, name=listed.name)
    return app


def _common(
    lang: Lang = None,
    debug: Annotated[bool, Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[bool, Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Stand for the options before the command."""


def _add(app: typer.Typer, command: Command) -> None:
    function = getattr(import_module(command.module), command.function)
    app.command(command.name)(_typed(function))


def _typed(function: Callable[..., object]) -> Callable[..., object]:
    """Return a function that takes and says the same, declared in Typer's own words."""

    def call(**values: object) -> object:
        return function(**values)

    declared = parameters(function)
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__annotations__ = {parameter.name: _annotation(parameter) for parameter in declared}
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                parameter.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if parameter.required else parameter.default,
                annotation=call.__annotations__[parameter.name],
            )
            for parameter in declared
        ]
    )
    return call


def _annotation(parameter: Parameter) -> Any:
    kind: Any = list[parameter.kind] if parameter.many else parameter.kind  # type: ignore[name-defined]
    if not parameter.required and parameter.default is None:
        kind = kind | None
    match parameter.declared:
        case Argument() as says:
            words: Any = typer.Argument(
                metavar=says.metavar,
                help=says.help,
                autocompletion=says.autocompletion,
                show_default=says.show_default,
            )
        case Option() as says:
            words = typer.Option(
                *says.names,
                metavar=says.metavar,
                help=says.help,
                envvar=says.envvar,
                min=says.min,
                autocompletion=says.autocompletion,
                show_default=says.show_default,
            )
    return Annotated[kind, words]

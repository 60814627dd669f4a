"""The command `jdv`: its commands, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from jdv_qa import __version__
from jdv_qa.cli import (
    cda,
    check,
    diff,
    export,
    fix,
    history,
    import_release,
    indicators,
    info,
    layout,
    loinc,
    notes,
    release,
    releases,
    rules,
    sample,
    triage,
    verify,
    waive,
)
from jdv_qa.cli.options import Exit, Lang
from jdv_qa.cli.settings import LANGUAGE_VARIABLE, load_settings
from jdv_qa.errors import JdvError
from jdv_qa.language import LANGUAGES, use_language

app = typer.Typer(
    name="jdv",
    help="Check, compare and release the JDV CircuitBio, the French value set of LOINC codes for laboratory orders and results.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    info,
    layout,
    check,
    fix,
    waive,
    rules,
    loinc,
    diff,
    notes,
    export,
    cda,
    release,
    releases,
    verify,
    history,
    indicators,
    import_release,
    triage,
    sample,
):
    module.register(app)

_state = {"debug": False}


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"jdv {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    lang: Lang = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    _state["debug"] = debug


def _choose_language(arguments: Sequence[str]) -> None:
    language = os.environ.get(LANGUAGE_VARIABLE, "")
    if language in LANGUAGES:
        use_language(language)
    elif "_JDV_COMPLETE" not in os.environ and not {*arguments} & {"--help", "-h", "--version", "--config"}:
        # help must be had whatever the settings are like, and the file that --config names has its own language
        use_language(load_settings().language or LANGUAGES[0])


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit status; an error for people is one line on stderr and status 2.

    Where no option does, the environment variable JDV_LANG chooses the language, else `language` of jdv.toml, else it is French.
    """
    _state["debug"] = False
    use_language(LANGUAGES[0])
    try:
        _choose_language(sys.argv[1:] if arguments is None else arguments)
        app(args=arguments, prog_name="jdv")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except JdvError as error:
        if _state["debug"]:
            raise
        print(f"jdv: {error}", file=sys.stderr)
        return Exit.TROUBLE
    except BrokenPipeError:
        # The reader of a pipe (head, a pager) has gone: that is no error of ours, and Python must not complain on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.CLEAN
    return Exit.CLEAN


def run() -> None:
    """Entry point of the `jdv` script: answer in UTF-8 whatever the terminal's settings, and exit with the status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    sys.exit(main())

"""The command `jdv`: from the words of a command line to the command that does it, and what becomes of errors.

What is not needed for that is not imported: no command but the one called, and Typer only for a command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from jdv_qa.cli.commands import COMMANDS, Command, Group
from jdv_qa.cli.front_page import HELP, asks_for_help, front_page, shows_colour, terminal_width, version
from jdv_qa.cli.streams import finish, nobody_reads, not_written, prepare, tell, write
from jdv_qa.errors import JdvError, Misuse
from jdv_qa.language import LANGUAGES, say, use_language

CLEAN, TROUBLE, INTERRUPTED = 0, 2, 130
"""Exit statuses; 130 is what shells expect of Ctrl-C."""
_WORKBOOKS_FIRST = {"check": 1, "diff": 2, "notes": 2}
"""Commands that read whole workbooks -> how many of them come first on the command line."""
COMPLETION_VARIABLE = "_JDV_COMPLETE"
"""Environment variable by which a shell asks what may stand at the cursor."""
_COMPLETION = ("--install-completion", "--show-completion")
_COMMON = (*HELP, *_COMPLETION, "--lang", "--debug", "--version")


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit status; an error for people is one line on stderr and status 2.

    Where no option does, the environment variable JDV_LANG chooses the language, else `language` of jdv.toml, else it is French.
    """
    words = _words_given() if arguments is None else arguments
    common, left = _split(words)
    use_language(LANGUAGES[0])
    try:
        return _answer(words, common, left)
    except JdvError as error:
        if "--debug" in common and not isinstance(error, Misuse):
            return _trace()
        tell(f"jdv: {error}")
        return TROUBLE
    except KeyboardInterrupt:
        tell(say("jdv: interrompu", "jdv: interrupted"))
        return INTERRUPTED
    except Exception as error:
        if "--debug" in common:
            return _trace()
        tell(f"jdv: {_unforeseen(error)}")
        return TROUBLE


def _trace() -> int:
    import traceback

    traceback.print_exc()
    return TROUBLE


def _unforeseen(error: Exception) -> str:
    """Return the line for an error that has none for people: what the system refused, or a fault of ours."""
    if isinstance(error, MemoryError):
        return say("mémoire insuffisante", "out of memory")
    if isinstance(error, OSError) and error.strerror:
        from jdv_qa.files import reason_of

        if error.filename is None and isinstance(error, FileNotFoundError):  # of what is asked without a name
            return say(
                "le dossier courant n'existe plus ; allez dans un autre", "the current folder is gone; go to another"
            )
        place = "" if error.filename is None else say(f"{error.filename} : ", f"{error.filename}: ")
        return f"{place}{reason_of(error)}"
    name = type(error).__name__
    return say(
        f"erreur imprévue, à signaler ({name} : {error}) ; « jdv --debug … » en dit plus",
        f"unforeseen error, please report it ({name}: {error}); `jdv --debug …` tells more",
    )


def _answer(words: Sequence[str], common: Sequence[str], left: Sequence[str]) -> int:
    """Do what is asked for and return the exit status; `common` and `left` are the words before the command and from it on."""
    if COMPLETION_VARIABLE in os.environ or {*common} & {*_COMPLETION}:
        return _complete(words)
    if left[:1] == ["help"]:
        left = [*left[1:], HELP[0]]
    if asks_for_help(common):
        left = HELP[:1]
    elif "--version" in common:
        write(version().encode())
        return CLEAN
    asked = asks_for_help(left)
    _choose_language(words, settings=not asked and bool(left))
    _refuse_unknown(common)
    if not left or left[0] in HELP:
        return _show_front_page(asked)
    listed = COMMANDS.get(left[0])
    if isinstance(listed, Group):
        if not left[1:] or left[1] in HELP:
            return _show_front_page(asked, listed)
        found = listed.commands.get(left[1])
        name, rest, known, shown = left[1], left[2:], [*listed.commands], f"jdv {listed.name}"
    else:
        found, name, rest, known, shown = listed, left[0], left[1:], [*COMMANDS], "jdv"
    if found is None:
        from jdv_qa.cli.misuse import unknown_command

        raise unknown_command(name, known, shown)
    name = f"{shown} {name}".removeprefix("jdv ")
    return _show_help(found, name) if asked else _run(found, name, rest)


def _run(command: Command, name: str, words: Sequence[str]) -> int:
    """Run a command on the words after its name and return its exit status."""
    _read_ahead(command, words)
    from jdv_qa.cli.typer_app import run_command

    try:
        return run_command(command, name, words)
    except Misuse as error:
        raise Misuse(say(f"{name} : {error}", f"{name}: {error}")) from None


def _read_ahead(command: Command, words: Sequence[str]) -> None:
    """Begin to read the workbooks that a command line begins with, while Typer is imported and makes out the rest."""
    leading = words[: _WORKBOOKS_FIRST.get(command.name, 0)]
    if not leading or not all(word.endswith(".xlsx") for word in leading):
        return
    from pathlib import Path

    from jdv_qa.cli.reading import begin_editions, begin_sheets

    asks_for_layout = "JDV_LAYOUT" in os.environ or any("layout" in word for word in words)
    (begin_sheets if asks_for_layout else begin_editions)([*map(Path, leading)])


def _show_help(command: Command, name: str) -> int:
    """Print the page of help of a command."""
    from jdv_qa.cli.typer_app import run_command

    try:
        return run_command(command, name, HELP[:1])
    except SystemExit:  # of a page that a pager has not read to its end, rich makes a failure
        return CLEAN
    except BrokenPipeError:  # or lets it through, where the pager goes while the page is written
        nobody_reads()
        return CLEAN
    except OSError as error:
        raise not_written(error) from None


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words before the command's name, which are options for every command, and those from it on."""
    common: list[str] = []
    for place, word in enumerate(words):
        if not word.startswith("-") and common[-1:] != ["--lang"]:
            return common, [*words[place:]]
        common.append(word)
    return common, []


def _refuse_unknown(common: Sequence[str]) -> None:
    for place, word in enumerate(common):
        is_value = common[place - 1 : place] == ["--lang"]
        if not is_value and word not in _COMMON and not word.startswith("--lang="):
            from jdv_qa.cli.misuse import unknown_option

            raise unknown_option(word, _COMMON, "jdv")


def _choose_language(words: Sequence[str], *, settings: bool) -> None:
    """Choose the language before anything is said: --lang, wherever it stands, the environment, or the settings file."""
    given, variable = _value_of("--lang", words), os.environ.get("JDV_LANG", "")
    if given is not None and given not in LANGUAGES:
        from jdv_qa.cli.misuse import not_one_of

        raise not_one_of(given, LANGUAGES, "--lang")
    if given or variable in LANGUAGES:
        use_language(given or variable)
    elif settings:
        from pathlib import Path

        from jdv_qa.cli.settings import load_settings

        named = _value_of("--config", words)
        try:
            use_language(load_settings(Path(named) if named else None).language or LANGUAGES[0])
        except JdvError:
            if named is None:  # what is wrong with the file that --config names, the command tells
                raise


def _value_of(option: str, words: Sequence[str]) -> str | None:
    """Return the value that an option has last among words, None without one."""
    value = None
    for place, word in enumerate(words):
        if word == "--":
            break
        if word.startswith(f"{option}="):
            value = word.partition("=")[2]
        elif words[place - 1 : place] == [option]:
            value = word
    return value


def _show_front_page(asked: bool, group: Group | None = None) -> int:
    """Print the help of all commands or of a group; it is also the answer to a command line that names none."""
    write(front_page(terminal_width(), group, colour=shows_colour()).encode(), ours=True)
    return CLEAN if asked else TROUBLE


def _complete(words: Sequence[str]) -> int:
    """Answer a shell that completes a command line, or install what lets it ask."""
    from jdv_qa.cli.typer_app import whole_app

    named = words[:1] == ["--show-completion"] and len(words) > 1
    if named:  # Typer asks the processes above which shell this is; one that is named need not be among them
        os.environ[COMPLETION_VARIABLE] = f"source_{words[1]}"
    try:
        whole_app()(args=[*words], prog_name="jdv")
    except SystemExit as stop:
        return TROUBLE if stop.code else CLEAN
    except BrokenPipeError:
        nobody_reads()
    except OSError as error:
        raise not_written(error) from None
    finally:
        if named:
            del os.environ[COMPLETION_VARIABLE]
    return CLEAN


def _words_given() -> list[str]:
    """Return the words of the command line; on Windows, where the shell leaves that to programs, `*.xlsx` is expanded."""
    words = sys.argv[1:]
    if os.name != "nt":
        return words
    from glob import glob, has_magic

    return [name for word in words for name in ((has_magic(word) and sorted(glob(word))) or [word])]  # noqa: PTH207 (a path is kept as it was written)


def _begin_early(left: Sequence[str]) -> None:
    """Begin what a check will need of another process before anything else is imported."""
    if left[:1] == ["check"] and not asks_for_help(left):
        from jdv_qa.checks.schema_process import begin

        begin()
    if left[:1] and left[0] in _WORKBOOKS_FIRST:
        from jdv_qa.beside import allow

        allow()


def run() -> None:
    """Entry point of the `jdv` script: answer in UTF-8 whatever the terminal's settings, and exit with the status."""
    prepare()
    _begin_early(_split(sys.argv[1:])[1])
    import gc

    gc.set_threshold(500_000)
    status = main()
    try:
        finish()
    except JdvError as error:
        tell(f"jdv: {error}")
        status = TROUBLE
    _leave(status)


def _leave(status: int) -> None:
    """End the process without taking down what it has built, which takes a while; unless a profiler or debugger looks on."""
    if sys.getprofile() is not None or sys.gettrace() is not None:
        sys.exit(status)
    import atexit

    atexit._run_exitfuncs()
    os._exit(status)

"""Reading a command line: the values of a command's parameters, or one line that says what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from jdv_qa.cli.declaring import Argument, Option
from jdv_qa.errors import Misuse
from jdv_qa.language import say


class Parameter(NamedTuple):
    """A parameter of a command: what the command calls it, what people call it, and what it takes."""

    name: str
    kind: type
    many: bool
    required: bool
    default: Any
    declared: Argument | Option

    @property
    def shown(self) -> str:
        """What people call it: `WORKBOOK`, `--format`."""
        if isinstance(self.declared, Argument):
            return self.declared.metavar.removesuffix("...").strip("[]")
        return self.declared.names[0]


def parameters(function: Callable[..., object]) -> list[Parameter]:
    """Return what a command takes, in the order of its signature."""
    hints = get_type_hints(function, include_extras=True)
    count = function.__code__.co_argcount
    names = function.__code__.co_varnames[:count]
    defaults = function.__defaults__ or ()
    optional = dict(zip(names[count - len(defaults) :], defaults, strict=True))
    found = []
    for name in names:
        kind, (declared,) = hints[name].__origin__, hints[name].__metadata__
        if isinstance(kind, UnionType):
            (kind,) = (part for part in get_args(kind) if part is not NoneType)
        many = get_origin(kind) is list
        if many:
            (kind,) = get_args(kind)
        found.append(Parameter(name, kind, many, name not in optional, optional.get(name), declared))
    return found


def parse(function: Callable[..., object], words: Sequence[str], command: str) -> dict[str, Any]:
    """Return the values of a command's parameters, as the words after its name, the environment and the defaults give them.

    Raises Misuse for what cannot be understood.
    """
    declared = parameters(function)
    arguments, options = _split(declared, words, command)
    return _values(declared, arguments, options)


def _split(declared: Iterable[Parameter], words: Sequence[str], command: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words that stand by themselves, and those given to each option; a flag is given its own name."""
    options = {
        name: parameter
        for parameter in declared
        if isinstance(parameter.declared, Option)
        for name in parameter.declared.names
    }
    arguments: list[str] = []
    given: dict[str, list[str]] = {}
    left = iter(words)
    for word in left:
        if word == "--":
            arguments += left
            break
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        name, equals, value = word.partition("=")
        if not word.startswith("--") and len(word) > 2:
            name, equals, value = word[:2], "=", word[2:].removeprefix("=")
        parameter = options.get(name)
        if parameter is None:
            raise unknown_option(name, options, f"jdv {command}")
        if parameter.kind is bool:
            if equals:
                raise Misuse(say(f"{name} ne prend pas de valeur", f"{name} takes no value"))
            value = name
        elif not equals:
            following = next(left, None)
            if following is None or following in options:
                wanted = parameter.declared.metavar or "|".join(_choices(parameter.kind))
                raise Misuse(say(f"{name} attend une valeur ({wanted})", f"{name} needs a value ({wanted})"))
            value = following
        given.setdefault(parameter.name, []).append(value)
    return arguments, given


def _values(declared: Iterable[Parameter], arguments: list[str], options: dict[str, list[str]]) -> dict[str, Any]:
    """Return the values of all parameters; the options that others settle come last."""
    values: dict[str, Any] = {}
    settled = []
    for parameter in declared:
        says = parameter.declared
        place = parameter.shown
        texts = options.get(parameter.name, [])
        if isinstance(says, Argument):
            texts, arguments = (arguments, []) if parameter.many else (arguments[:1], arguments[1:])
        elif not texts and says.envvar and (text := os.environ.get(says.envvar)):
            texts, place = [text], says.envvar
        if not texts and parameter.required:
            raise Misuse(
                say(f"il manque {parameter.shown} (voir --help)", f"{parameter.shown} is missing (see --help)")
            )
        if not texts:
            values[parameter.name] = parameter.default
            if isinstance(says, Option) and says.otherwise is not None:
                settled.append((parameter.name, says.otherwise))
        elif parameter.many:
            values[parameter.name] = [_value(parameter, text, place) for text in texts]
        else:
            values[parameter.name] = _value(parameter, texts[-1], place)
    if arguments:
        raise Misuse(say(f"en trop : « {arguments[0]} »", f"one too many: `{arguments[0]}`"))
    for name, otherwise in settled:
        values[name] = otherwise(values)
    return values


def _value(parameter: Parameter, text: str, place: str) -> object:
    """Return what a text means to a parameter; raises Misuse, with the place the text comes from."""
    if parameter.kind is bool:
        return True
    if parameter.kind is str:
        return text
    if parameter.kind is Path:
        return Path(text)
    if parameter.kind is int:
        return _number(text, place, getattr(parameter.declared, "min", None))
    known = _choices(parameter.kind)
    if text not in known:
        raise Misuse(not_one_of(text, known, place))
    return parameter.kind(text)


def _choices(kind: type) -> list[str]:
    return [choice.value for choice in kind] if issubclass(kind, Enum) else []


def _number(text: str, place: str, lowest: int | None) -> int:
    try:
        number = int(text)
    except ValueError:
        raise Misuse(
            say(
                f"{place} : « {text} » n'est pas un nombre entier",
                f"{place}: `{text}` is not a whole number",
            )
        ) from None
    if lowest is not None and number < lowest:
        raise Misuse(say(f"{place} : {number} est inférieur à {lowest}", f"{place}: {number} is below {lowest}"))
    return number


def not_one_of(text: str, known: Sequence[str], place: str) -> str:
    """Return that a value is none of those known, with all of them, and the nearest where one is near."""
    listed = ", ".join(known)
    mean = _meant(text, known)
    return say(
        f"{place} : « {text} » n'est pas possible ; au choix : {listed}{mean}",
        f"{place}: `{text}` is not possible; choose from {listed}{mean}",
    )


def unknown_command(name: str, known: Iterable[str], group: str) -> Misuse:
    """Return the error for a command that there is not, with the nearest that there is."""
    return Misuse(
        say(f"pas de commande « {name} »", f"no command `{name}`")
        + _meant(name, known)
        + say(f" (la liste : « {group} --help »)", f" (the list: `{group} --help`)")
    )


def unknown_option(name: str, known: Iterable[str], command: str) -> Misuse:
    """Return the error for an option that there is not, with the nearest that there is."""
    return Misuse(
        say(f"pas d'option « {name} »", f"no option `{name}`")
        + _meant(name, [*known, "--help"])
        + say(f" (la liste : « {command} --help »)", f" (the list: `{command} --help`)")
    )


def _meant(text: str, known: Iterable[str]) -> str:
    """Return " ; vouliez-vous « … » ?" for the known word that a text is near, "" where none is."""
    from difflib import get_close_matches

    near = get_close_matches(text, list(known), 1)
    return say(f" ; vouliez-vous « {near[0]} » ?", f"; did you mean `{near[0]}`?") if near else ""

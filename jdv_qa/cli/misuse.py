"""What is wrong with a command line, in one line: the sentences, with the nearest word that would have been right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jdv_qa.errors import Misuse
from jdv_qa.language import say


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


def missing(name: str) -> Misuse:
    """Return the error for an argument or an option that must be given."""
    return Misuse(say(f"il manque {name} (voir --help)", f"{name} is missing (see --help)"))


def one_too_many(word: str) -> Misuse:
    """Return the error for a word that no argument takes."""
    return Misuse(say(f"en trop : « {word} »", f"one too many: `{word}`"))


def needs_a_value(option: str, wanted: str) -> Misuse:
    """Return the error for an option without its value."""
    return Misuse(say(f"{option} attend une valeur ({wanted})", f"{option} needs a value ({wanted})"))


def takes_no_value(option: str) -> Misuse:
    """Return the error for a flag that is given a value."""
    return Misuse(say(f"{option} ne prend pas de valeur", f"{option} takes no value"))


def not_a_number(text: str, place: str) -> Misuse:
    """Return the error for a text that is no whole number."""
    return Misuse(say(f"{place} : « {text} » n'est pas un nombre entier", f"{place}: `{text}` is not a whole number"))


def too_low(number: int, lowest: int, place: str) -> Misuse:
    """Return the error for a number below the lowest."""
    return Misuse(say(f"{place} : {number} est inférieur à {lowest}", f"{place}: {number} is below {lowest}"))


def not_one_of(text: str, known: Sequence[str], place: str) -> Misuse:
    """Return the error for a value that is none of those known, with all of them, and the nearest where one is near."""
    listed = ", ".join(known)
    mean = _meant(text, known)
    return Misuse(
        say(
            f"{place} : « {text} » n'est pas possible ; au choix : {listed}{mean}",
            f"{place}: `{text}` is not possible; choose from {listed}{mean}",
        )
    )


def _meant(text: str, known: Iterable[str]) -> str:
    """Return " ; vouliez-vous « … » ?" for the known word that a text is near, "" where none is."""
    from difflib import get_close_matches

    near = get_close_matches(text, list(known), 1)
    return say(f" ; vouliez-vous « {near[0]} » ?", f"; did you mean `{near[0]}`?") if near else ""

"""The language of the text that maintainers read: French unless English is asked for.

Sentences stand side by side where they are used: `say("deux onglets", "two tabs")`.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache

TYPE_CHECKING = False  # that of `typing` costs `jdv --help` a fifth of its time
if TYPE_CHECKING:
    from re import Pattern
    from typing import Literal

    Language = Literal["fr", "en"]

LANGUAGES: tuple[Language, ...] = ("fr", "en")

_language: ContextVar[Language] = ContextVar("language", default="fr")


def use_language(language: str) -> None:
    """Choose the language of all text produced from now on; raises ValueError if it is not known."""
    if language not in LANGUAGES:
        raise ValueError(language)
    _language.set(language)


def current_language() -> Language:
    """Return the language in use."""
    return _language.get()


def say(fr: str, en: str) -> str:
    """Return the sentence in the language in use."""
    return fr if _language.get() == "fr" else en


def count(number: int, fr: str, en: str, fr_plural: str | None = None, en_plural: str | None = None) -> str:
    """Return "3 demandes": the number and its noun, plural when the language wants it.

    French has the singular for 0 and 1, English for 1 alone. The plural adds "s" to every word unless given.
    """
    if current_language() == "fr":
        noun = fr if number < 2 else fr_plural or " ".join(f"{word}s" for word in fr.split())
        return f"{figure(number)} {noun}"
    noun = en if number == 1 else en_plural or f"{en}s"
    return f"{figure(number)} {noun}"


def figure(number: int) -> str:
    """Return a whole number with its thousands apart: "3 200" in French (narrow no-break space), "3,200" in English."""
    text = f"{number:,}"
    return text.replace(",", "\u202f") if current_language() == "fr" else text


def french_spaces(text: str) -> str:
    """Return a French sentence with the spaces that must not break: narrow before ; ! ?, plain before : and inside « »."""
    before, colon = _marks()
    return colon.sub("\u00a0", before.sub("\u202f", text.replace("« ", "«\u00a0").replace(" »", "\u00a0»")))


@cache
def _marks() -> tuple[Pattern[str], Pattern[str]]:
    import re

    return re.compile(r" (?=[;!?%])"), re.compile(r" (?=:(?:\s|$))")

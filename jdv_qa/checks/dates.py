"""Dates as maintainers write them in the Sommaire, its history and the notes."""

from __future__ import annotations

import datetime as dt
import re

from jdv_qa.terminology.labels import fold

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?(?:[t ].*)?")
_FRENCH = re.compile(r"(?:([0-9]{1,2})[/.-])?([0-9]{1,2})[/.-]([0-9]{4})")
_WORDS = re.compile(r"(?:([0-9]{1,2})(?:er)?\s+)?([a-z]+)\.?\s+([0-9]{4})")
_MONTHS = ("janv", "fevr", "mars", "avr", "mai", "juin", "juil", "aout", "sept", "oct", "nov", "dec")
_MONTHS_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

Date = tuple[int, ...]


def read_date(text: str) -> Date | None:
    """Return (year, month, day), or (year, month) where the text says no day; None when it is no date.

    ISO 8601, 15/01/2026, 15 janvier 2026, janvier 2026; an Excel date cell reads as ISO 8601.

    >>> read_date("1er juillet 2019")
    (2019, 7, 1)
    """
    plain = fold(text)
    if match := _ISO.fullmatch(plain):
        year, month, day = match.groups()
    elif match := _FRENCH.fullmatch(plain):
        day, month, year = match.groups()
    elif match := _WORDS.fullmatch(plain):
        day, name, year = match.groups()
        number = next(
            (
                place
                for names in (_MONTHS, _MONTHS_ENGLISH)
                for place, start in enumerate(names, 1)
                if name.startswith(start)
            ),
            0,
        )
        month = str(number)
    else:
        return None
    try:
        date = dt.date(int(year), int(month), int(day or 1))
    except ValueError:
        return None
    return (date.year, date.month, date.day) if day else (date.year, date.month)


def differ(one: Date, other: Date) -> bool:
    """Tell whether two dates differ in what both of them say."""
    length = min(len(one), len(other))
    return one[:length] != other[:length]

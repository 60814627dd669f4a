"""The forms of a code: LOINC terms with their check digit, pending codes, and what else is written in their place.

A LOINC code is one to seven digits, a dash and a check digit (LOINC Users' Guide, "LOINC codes and check digits": mod 10,
the Luhn algorithm). A pending code ("code en attente de code LOINC") is a plain integer of five to seven digits under
OID 1.2.250.1.213.1.1.5.130, or begins with X as the LOINC licence asks of local additions.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

HIGHEST_LOINC_STEM = 199_999
"""No LOINC code has a larger number before its dash (the highest of release 2.80 is below 110,000); a pending code may."""

_LOINC = re.compile(r"([0-9]{1,7})-([0-9])")
_PENDING = re.compile(r"[0-9]{5,7}|X[0-9]{5,7}|X[0-9]{1,7}-[0-9]")
_IDENTIFIER = re.compile(r"(LP|LA|LL|LG)[0-9]+(-[0-9])?", re.IGNORECASE)
_SEPARATORS = re.compile(r"\s*[;,|/+&\n]\s*|\s+(?:et|ou|and|or)\s+|\s+", re.IGNORECASE)
_NEARLY_LOINC = re.compile(r"([0-9]{1,7})[^0-9A-Za-z]{1,4}([0-9])")
_WITHIN = re.compile(r"(?<![0-9-])([0-9]{1,7}-[0-9])(?![0-9-])")
_PLACEHOLDER = re.compile(
    r"attente|d[ée]finir|d[ée]terminer|cr[ée]er|venir|compl[ée]ter|pr[ée]ciser|provisoire|inconnu|aucun|n[ée]ant"
    r"|pending|sans code|\b(?:tbd|tbc|todo|n/?a|nc|nd)\b|^[?.…x*#\s-]+$",
    re.IGNORECASE,
)
_DASHES = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d\u02d7\u06d4"
_LETTERS_FOR_DIGITS = {
    "O": "0", "o": "0", "\u041e": "0", "\u043e": "0", "\u039f": "0", "\u03bf": "0", "Q": "0", "D": "0",
    "l": "1", "I": "1", "\u0406": "1", "\u0399": "1", "|": "1", "S": "5", "B": "8", "\u0412": "8", "\u0392": "8",
    "Z": "2", "\u0417": "3", "\u0437": "3",
}  # fmt: skip
_MONTH_NAMES = (
    "janv jan", "févr fev fevr feb", "mars mar", "avr apr", "mai may", "juin jun", "juil jul", "août aout aug", "sept sep",
    "oct", "nov", "déc dec",
)  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_MONTH_YEAR = re.compile(r"([a-zéû]{3,5})\.?[-/ ]([0-9]{2}|[0-9]{4})", re.IGNORECASE)
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]00:00(?::00)?)?")
_FRENCH_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")


_DOUBLED = str.maketrans("0123456789", "0246813579")
"""A digit -> the sum of the digits of its double."""


class CodeForm(StrEnum):
    """What the text in a code cell is."""

    BLANK = "blank"
    LOINC = "loinc"
    WRONG_DIGIT = "wrong-digit"
    PENDING = "pending"
    PENDING_LIKE_LOINC = "pending-like-loinc"
    MALFORMED_PENDING = "malformed-pending"
    IDENTIFIER = "identifier"
    SEVERAL = "several"
    LOOK_ALIKE = "look-alike"
    DATE = "date"
    MALFORMED = "malformed"


class CodeReading(NamedTuple):
    """The form of a code's text and the codes the writer may have meant, the likeliest first."""

    form: CodeForm
    proposals: tuple[str, ...] = ()

    @property
    def proposal(self) -> str | None:
        """The likeliest code meant."""
        return self.proposals[0] if self.proposals else None


def check_digit(stem: str) -> int:
    """Return the check digit of the digits before a LOINC code's dash: "2951" -> 2.

    >>> check_digit("2951")
    2
    """
    return -sum(map(int, stem[-2::-2] + stem[::-2].translate(_DOUBLED))) % 10


@lru_cache(maxsize=131072)
def is_loinc(text: str) -> bool:
    """Tell whether a text has the form of a LOINC code with its right check digit."""
    match = _LOINC.fullmatch(text)
    return match is not None and check_digit(match.group(1)) == int(match.group(2))


def has_loinc_form(text: str) -> bool:
    """Tell whether a text is digits, a dash and a digit, right or wrong."""
    return _LOINC.fullmatch(text) is not None


@lru_cache(maxsize=131072)
def is_pending(text: str) -> bool:
    """Tell whether a text is a well-formed pending code."""
    return _PENDING.fullmatch(text) is not None


def with_dash(text: str) -> str | None:
    """Return the LOINC code that a plain integer is without its dash ("29512" -> "2951-2"), None if the digit does not fit."""
    if len(text) < 2 or not text.isascii() or not text.isdigit():
        return None
    code = f"{text[:-1]}-{text[-1]}"
    return code if is_loinc(code) and int(text[:-1]) <= HIGHEST_LOINC_STEM else None


def without_look_alikes(text: str) -> str:
    """Return the text with dashes, digits and letters that only look like those of a code replaced by the right ones."""
    out = []
    for character in text:
        if character in _DASHES:
            out.append("-")
        elif character in _LETTERS_FOR_DIGITS:
            out.append(_LETTERS_FOR_DIGITS[character])
        elif not character.isascii() and (digit := unicodedata.digit(character, None)) is not None:
            out.append(str(digit))
        else:
            out.append(character)
    return "".join(out)


@lru_cache(maxsize=131072)
def read_code(text: str) -> CodeReading:
    """Tell what the text of a code cell is. The forms exclude one another, so that a cell gets one piece of advice."""
    if not text:
        return CodeReading(CodeForm.BLANK)
    if match := _LOINC.fullmatch(text):
        return _read_loinc(match.group(1), match.group(2))
    if _PENDING.fullmatch(text):
        return CodeReading(CodeForm.PENDING)
    if _IDENTIFIER.fullmatch(text):
        return CodeReading(CodeForm.IDENTIFIER)
    if codes := codes_of_date_text(text):
        return CodeReading(CodeForm.DATE, codes)
    plain = without_look_alikes(text)
    if plain != text and read_code(plain).form in (CodeForm.LOINC, CodeForm.WRONG_DIGIT, CodeForm.PENDING):
        return CodeReading(CodeForm.LOOK_ALIKE, (read_code(plain).proposal or plain,))
    parts = [part for part in _SEPARATORS.split(text) if part]
    if len(parts) > 1 and all(_LOINC.fullmatch(part) or _PENDING.fullmatch(part) for part in parts):
        return CodeReading(CodeForm.SEVERAL, tuple(dict.fromkeys(parts)))
    if text.isascii() and text.isdigit():
        dashed = with_dash(text)
        return CodeReading(CodeForm.MALFORMED, (dashed,)) if dashed else CodeReading(CodeForm.MALFORMED_PENDING)
    if proposals := _nearly(text):
        return CodeReading(CodeForm.MALFORMED, proposals)
    if text.casefold().startswith("x") and _PENDING.fullmatch(text.upper()):
        return CodeReading(CodeForm.MALFORMED_PENDING, (text.upper(),))
    if (digits := re.sub(r"[\s.\u202f'’]", "", text)) != text and _PENDING.fullmatch(digits):
        return CodeReading(CodeForm.MALFORMED_PENDING, (digits,))
    if _PLACEHOLDER.search(text) and not any(character.isdigit() for character in text):
        return CodeReading(CodeForm.MALFORMED_PENDING)
    return CodeReading(CodeForm.MALFORMED)


def _read_loinc(stem: str, digit: str) -> CodeReading:
    right = check_digit(stem) == int(digit)
    if int(stem) > HIGHEST_LOINC_STEM:
        return CodeReading(CodeForm.PENDING_LIKE_LOINC, (stem,) if _PENDING.fullmatch(stem) else ())
    short = stem.lstrip("0")
    meant = (f"{short}-{check_digit(short)}",) if short else ()
    if right and (stem == "0" or short == stem):
        return CodeReading(CodeForm.LOINC)
    if right:
        return CodeReading(CodeForm.MALFORMED, meant)
    return CodeReading(CodeForm.WRONG_DIGIT, tuple(dict.fromkeys((*meant, *_one_slip_away(stem, digit)))))


def _one_slip_away(stem: str, digit: str) -> tuple[str, ...]:
    """Return the codes that two neighbouring digits exchanged, or one digit mistyped, make of the text; swaps first."""
    swaps = [stem[:i] + stem[i + 1] + stem[i] + stem[i + 2 :] for i in range(len(stem) - 1) if stem[i] != stem[i + 1]]
    swapped_end = [f"{stem[:-1]}{digit}-{stem[-1]}"] if stem[-1] != digit else []
    changed = [stem[:i] + other + stem[i + 1 :] for i in range(len(stem)) for other in "0123456789" if other != stem[i]]
    codes = [*(f"{s}-{digit}" for s in swaps), *swapped_end, *(f"{s}-{digit}" for s in changed)]
    return tuple(code for code in dict.fromkeys(codes) if is_loinc(code) and not code.startswith("0"))


def _nearly(text: str) -> tuple[str, ...]:
    """Return the LOINC codes that a text holds or nearly is: "2345.7", "2345--7", "LOINC 2345-7"."""
    if match := _NEARLY_LOINC.fullmatch(text):
        code = f"{match.group(1)}-{match.group(2)}"
        return (code,) if is_loinc(code) else ()
    codes = [code for code in dict.fromkeys(_WITHIN.findall(text)) if is_loinc(code)]
    return tuple(codes) if len(codes) == 1 else ()


def codes_of_date(date: dt.date) -> tuple[str, ...]:
    """Return the LOINC codes that Excel may have turned into a date, the likeliest first.

    "1988-5" becomes May 1988, "2345-7" July 2345, "45-7" July 1945, "1-8" the first of August or the eighth of January; the
    check digit confirms. Several may remain: 1 August 2026 can come from 1-8 only, but 5 January 1945 from more than one.
    """
    candidates = [f"{date.year}-{date.month}"]
    if date.day == 1 and 1930 <= date.year <= 2029:
        candidates.append(f"{date.year % 100}-{date.month}")
    candidates += [f"{date.day}-{date.month}", f"{date.month}-{date.day}"]
    if date.day != 1:
        candidates = candidates[1:] + candidates[:1]
    return tuple(dict.fromkeys(code for code in candidates if is_loinc(code) and not code.startswith("0")))


def codes_of_date_text(text: str) -> tuple[str, ...]:
    """Return the LOINC codes behind a date that Excel left as text: "mai-88", "juil-2345", "01/05/1988", "1988-05-01"."""
    if match := _MONTH_YEAR.fullmatch(text):
        month = _MONTHS.get(match.group(1).casefold().rstrip("."))
        if month is None:
            return ()
        year = match.group(2)
        years = [year] if len(year) == 4 else [f"19{year}", f"20{year}", year.lstrip("0")]
        return tuple(code for code in (f"{y}-{month}" for y in years) if is_loinc(code))
    if match := _ISO_DATE.fullmatch(text):
        year, month, day = (int(group) for group in match.groups())
    elif match := _FRENCH_DATE.fullmatch(text):
        day, month, year = (int(group) for group in match.groups())
    else:
        return ()
    try:
        return codes_of_date(dt.date(int(year), int(month), day))
    except ValueError:
        return ()

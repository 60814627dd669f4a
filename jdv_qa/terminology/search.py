"""Searching the terms of a release in the store by words, French or English, accents and case ignored.

"créatinine urine 24h" finds the terms that have all three words, or words that begin so, wherever they stand: code, names,
synonyms, axes. The best match comes first: a word of the component counts most, more so if it is the whole component; then
the time asked for (a spot specimen if none is), and how common the test is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from jdv_qa.errors import TerminologyError
from jdv_qa.language import say
from jdv_qa.terminology.codes import has_loinc_form
from jdv_qa.terminology.labels import axis_table, fold
from jdv_qa.terminology.loinc import AXES, Term
from jdv_qa.terminology.store import SELECT_TERM, StoredRelease

_WORD = re.compile(r"[0-9]{1,7}-[0-9](?![0-9])|\w+")
_DURATION = re.compile(r"\b([0-9]+) ?(heures?|hours?|hrs?|h|jours?|days?|minutes?|min|mn)\b", re.IGNORECASE)
_ELISION = re.compile(r"\b[dlDL]['’]")
_SHORT = 5
_LOINC_TIME = re.compile(r"[0-9]+[hdm]")
_DURATION_UNITS = {"h": "h", "j": "d", "d": "d", "m": "m"}
_IDLE_WORDS = frozenset((
    "à", "au", "aux", "dans", "de", "des", "du", "en", "et", "la", "le", "les", "ou", "par", "pour", "sur", "un", "une",
    "an", "and", "by", "for", "in", "of", "on", "or", "the", "with",
))  # fmt: skip
_WEIGHTS = "8.0, 10.0, 5.0, 1.0, 3.0"  # code, component, name, synonyms, axes
_COMMONEST, _WHOLE_COMPONENT, _TIME = 2.0, 6.0, 4.0
_RANKS = 20_000
_ORDER = f"""
ORDER BY t.status IN ('DEPRECATED', 'DISCOURAGED'), t.classtype NOT IN ('1', ''),
  f.score
  - CASE WHEN t.common_rank > 0 THEN {_COMMONEST} * (1 - t.common_rank / {_RANKS}.0) ELSE 0 END
  - CASE WHEN instr(:words, ' ' || t.component_key || ' ') OR instr(:words, ' ' || l.component_key || ' ')
      THEN {_WHOLE_COMPONENT} ELSE 0 END
  - CASE WHEN t.time = :time THEN {_TIME} ELSE 0 END,
  length(t.code), t.code
"""
"""bm25 counts down, so what speaks for a term is taken off."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found: the best terms, how many there are in all, and whether they have all the words or only some."""

    terms: tuple[Term, ...]
    total: int
    all_words: bool
    words: tuple[str, ...]


def find_terms(release: StoredRelease, text: str, limit: int = 20) -> Hits:
    """Return the terms that have all the words of a text, or, when no term has, those that have the most of them.

    `limit` 0 is all. Deprecated and discouraged terms, and terms that are not laboratory's, come after the others. Raises
    TerminologyError when there is no word, or the release cannot be searched for want of FTS5.
    """
    if not release.info.searchable:
        raise TerminologyError(
            say(
                f"{release.base.path} : importée par un Python dont SQLite n'a pas FTS5, sans recherche par mots ; "
                "importez-la à nouveau avec un autre Python",
                f"{release.base.path}: imported by a Python whose SQLite has no FTS5, without search by words; "
                "import it again with another Python",
            )
        )
    from jdv_qa.terminology.store import has_full_text_search

    if not has_full_text_search():
        raise TerminologyError(
            say(
                "le SQLite de ce Python n'a pas FTS5 : la recherche par mots n'est pas possible ; les autres commandes marchent",
                "the SQLite of this Python has no FTS5: no search by words; the other commands work",
            )
        )
    words = words_of(text)
    if not words:
        raise TerminologyError(
            say("rien à chercher ; donnez au moins un mot", "nothing to search for; give at least one word")
        )
    for joint in (" AND ", " OR "):
        query = joint.join(map(_expression, words))
        total = int(release.base.rows("SELECT count(*) FROM search WHERE search MATCH :query", query=query)[0][0])
        if total:
            break
    rows = release.base.rows(
        f"{SELECT_TERM} JOIN (SELECT rowid AS found, bm25(search, {_WEIGHTS}) AS score FROM search WHERE search MATCH :query) f "
        f"ON f.found = t.position {_ORDER} LIMIT :limit",
        query=query,
        words=f" {' '.join(words)} | {' '.join(map(_stem, words))} ",
        time=next((word.lstrip("0").upper() for word in words if _LOINC_TIME.fullmatch(word)), "Pt"),
        limit=limit or -1,
    )
    return Hits(tuple(Term(*row) for row in rows), total, joint == " AND " or len(words) == 1, words)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words to search for: folded, without articles, durations as LOINC writes them ("24 heures" -> "24h")."""
    text = _DURATION.sub(lambda match: f"{int(match[1]):02d}{_DURATION_UNITS[match[2][0].casefold()]}", text)
    words = _WORD.findall(_ELISION.sub("", text))
    kept = [word for word in words if word.casefold() not in _IDLE_WORDS]
    return tuple(dict.fromkeys(map(fold, kept or words)))


def _expression(word: str) -> str:
    """Return a word as FTS5 is to look for it: a code as it is, a duration whole, other words by their beginning."""
    if has_loinc_form(word):
        return f'code : "{word}"'
    if _LOINC_TIME.fullmatch(word):
        plain = word.lstrip("0")
        return f'(axes : "{word}" OR "{plain}")' if plain != word else f'"{word}"'
    return f'"{word}"' if len(word) == 1 else f'"{_stem(word)}"*'


def _stem(word: str) -> str:
    """Return a word without its French ending, so that "hémoglobine" finds "Hemoglobin" where a term has no French label."""
    return word.removesuffix("s").removesuffix("e") if len(word) > _SHORT and word.isalpha() else word


@lru_cache(maxsize=65536)
def spoken_axes(axes: tuple[str, ...]) -> str:
    """Return the French wordings of property, time, system, scale and method, as far as `rules/axes.yaml` has them."""
    table = _wordings()
    return " ; ".join(text for axis, part in zip(AXES[1:], axes, strict=True) for text in table.get((axis, part), ()))


@lru_cache
def _wordings() -> dict[tuple[str, str], tuple[str, ...]]:
    wordings: dict[tuple[str, str], list[str]] = {}
    for axis, texts in axis_table().items():
        for text, parts in texts.items():
            for part in parts:
                wordings.setdefault((axis, part), []).append(text)
    return {key: tuple(sorted(texts)) for key, texts in wordings.items()}

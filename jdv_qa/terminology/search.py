"""Searching the terms of a release in the store by words, French or English, accents and case ignored.

"créatinine urine 24h" finds the terms that have all three words, or words that begin so, wherever they stand: code, names,
synonyms, axes. The best match comes first: a word of the component counts most, more so if it is the whole component; then
the time asked for (a spot specimen if none is), and how common the test is.

The index of words is made by the first search of a release and kept in a file of its own beside it: a release is then imported
in a quarter of the time, and its own file never changes. Where the file cannot be written, the index is made in memory.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from jdv_qa.errors import OutputError, TerminologyError
from jdv_qa.files import new_file
from jdv_qa.language import say
from jdv_qa.terminology.codes import has_loinc_form
from jdv_qa.terminology.importing import writing
from jdv_qa.terminology.labels import axis_table, fold
from jdv_qa.terminology.loinc import AXES, Term, key_of
from jdv_qa.terminology.loinc_files import Advance, no_progress
from jdv_qa.terminology.store import StoredRelease, has_full_text_search

INDEX_SUFFIX = ".words"
_SCHEMA = 1
_BATCH = 4000
_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms (position INTEGER PRIMARY KEY, code TEXT NOT NULL, status TEXT NOT NULL, classtype TEXT NOT NULL,
  common_rank TEXT NOT NULL, time TEXT NOT NULL, component TEXT NOT NULL, french_component TEXT);
CREATE VIRTUAL TABLE search USING fts5(code, component, name, synonyms, axes, content='',
  prefix='2 3 4', tokenize="unicode61 remove_diacritics 2");
"""
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
  - CASE WHEN instr(:words, ' ' || t.component || ' ') OR instr(:words, ' ' || t.french_component || ' ')
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


def find_terms(release: StoredRelease, text: str, limit: int = 20, advance: Advance = no_progress) -> Hits:
    """Return the terms that have all the words of a text, or, when no term has, those that have the most of them.

    `limit` 0 is all. Deprecated and discouraged terms, and terms that are not laboratory's, come after the others. `advance` is
    told the terms that go into the index, in all `terms_to_index(release)`. Raises TerminologyError when there is no word,
    or this Python cannot search for want of FTS5.
    """
    words = words_of(text)
    if not words:
        raise TerminologyError(
            say("rien à chercher ; donnez au moins un mot", "nothing to search for; give at least one word")
        )
    if not has_full_text_search():
        raise TerminologyError(
            say(
                "le SQLite de ce Python n'a pas FTS5 : la recherche par mots n'est pas possible ; les autres commandes marchent",
                "the SQLite of this Python has no FTS5: no search by words; the other commands work",
            )
        )
    try:
        return _find(release, words, limit, _kept_index(release) or _new_index(release, advance))
    except sqlite3.Error:  # the index is damaged, not the release
        return _find(release, words, limit, _new_index(release, advance))


def terms_to_index(release: StoredRelease) -> int:
    """Return how many terms the next search puts into an index first: none when it is there."""
    index = _kept_index(release)
    if index is None:
        return len(release.terms)
    index.close()
    return 0


def _find(release: StoredRelease, words: tuple[str, ...], limit: int, index: sqlite3.Connection) -> Hits:
    with closing(index):
        for joint in (" AND ", " OR "):
            query = joint.join(map(_expression, words))
            total = int(index.execute("SELECT count(*) FROM search WHERE search MATCH ?", (query,)).fetchone()[0])
            if total:
                break
        rows = index.execute(
            f"SELECT t.code FROM terms t JOIN (SELECT rowid AS found, bm25(search, {_WEIGHTS}) AS score FROM search "
            f"WHERE search MATCH :query) f ON f.found = t.position {_ORDER} LIMIT :limit",
            {
                "query": query,
                "words": f" {' '.join(words)} | {' '.join(map(_stem, words))} ",
                "time": next((word.lstrip("0").upper() for word in words if _LOINC_TIME.fullmatch(word)), "Pt"),
                "limit": limit or -1,
            },
        )
        codes = [code for (code,) in rows]
    release.read_ahead(codes)
    return Hits(tuple(release.terms[code] for code in codes), total, joint == " AND " or len(words) == 1, words)


def _stamp(release: StoredRelease) -> str:
    """Return what tells an index of this very file from one of another."""
    told = release.base.path.stat()
    return f"{_SCHEMA} {told.st_size} {told.st_mtime_ns}"


def index_path(release: StoredRelease) -> Path:
    """Return where the index of a release is kept."""
    return release.base.path.with_suffix(INDEX_SUFFIX)


def _kept_index(release: StoredRelease) -> sqlite3.Connection | None:
    """Return the index made by an earlier search; None when there is none, or that of a file since replaced, or damaged."""
    path = index_path(release)
    if not path.is_file():
        return None
    index = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        index.execute("PRAGMA trusted_schema = OFF")
        stamps = index.execute("SELECT value FROM about WHERE key = 'stamp'").fetchall()
    except sqlite3.Error:
        stamps = []
    if stamps != [(_stamp(release),)]:
        index.close()
        return None
    return index


def _new_index(release: StoredRelease, advance: Advance) -> sqlite3.Connection:
    """Make the index and keep it beside the release, or in memory where that cannot be written."""
    try:
        with new_file(index_path(release), force=True) as temporary, writing(temporary) as index:
            _fill(index, release, advance)
    except OutputError:
        pass
    else:
        if (kept := _kept_index(release)) is not None:
            return kept
    index = sqlite3.connect(":memory:", isolation_level=None)
    _fill(index, release, no_progress)
    return index


def _fill(index: sqlite3.Connection, release: StoredRelease, advance: Advance) -> None:
    index.executescript(_TABLES)
    index.execute("BEGIN")
    terms = enumerate(release.all_terms(), 1)
    while batch := list(islice(terms, _BATCH)):
        index.executemany(
            "INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    place, term.code, term.status, term.classtype, term.common_rank, term.time, key_of(term.component),
                    key_of(term.french_component) if term.french_label else None,
                )
                for place, term in batch
            ),
        )  # fmt: skip
        index.executemany(
            "INSERT INTO search (rowid, code, component, name, synonyms, axes) VALUES (?, ?, ?, ?, ?, ?)",
            ((place, *_texts(term)) for place, term in batch),
        )
        advance(len(batch))
    index.execute("INSERT INTO search (search) VALUES ('optimize')")
    index.execute("INSERT INTO about VALUES ('stamp', ?)", (_stamp(release),))
    index.execute("COMMIT")


def _texts(term: Term) -> Iterator[str]:
    """Yield what is said of a term: code, component, names, synonyms, axes and the rest."""
    axes = [getattr(term, axis) for axis in AXES[1:]]
    french_axes = (getattr(term, f"french_{axis}") for axis in AXES[1:])
    yield term.code
    yield f"{term.component} ; {term.french_component}"
    yield " ; ".join((term.name, term.french_label, term.short_name, term.display_name))
    yield f"{term.synonyms} ; {term.french_synonyms}"
    yield " ; ".join((*axes, *french_axes, spoken_axes(tuple(axes)), term.loinc_class, term.units))


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

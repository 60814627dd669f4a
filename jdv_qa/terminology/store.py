"""The local store of LOINC releases: one SQLite file a release, never changed in place (`importing` writes it).

A check asks for a few thousand terms of 110,000 and should hardly be felt, so what it asks for lies ready: the fields of a term
are one text, found by its code; what the terms of a component are, written in English or in French, is another. Searching by
words has a file of its own beside (`search`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from weakref import finalize

from jdv_qa.errors import TerminologyError
from jdv_qa.language import say
from jdv_qa.terminology.labels import AXES, Label
from jdv_qa.terminology.loinc import (
    IN_USE,
    LoincRelease,
    Lookup,
    Term,
    TermChange,
    analyte_of,
    by_code,
    key_of,
    read_release,
    says,
)

SCHEMA = 2
"""Number of the form of the database; a file of another form is to be imported again."""

VARIANT, SMT = "fr-FR", "LOINC Biologie FR"
"""Where French labels come from: the variant of the release, the ANS's value set; the second is preferred."""

FIELD, RECORD = "\x1f", "\x1e"
"""What stands between the fields of a term, and between the terms of a component."""

SUFFIX = ".sqlite"
TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms (position INTEGER PRIMARY KEY, code TEXT NOT NULL, fields TEXT NOT NULL);
CREATE TABLE labels (code TEXT NOT NULL, source TEXT NOT NULL, preferred INTEGER NOT NULL, fields TEXT NOT NULL,
  PRIMARY KEY (code, source)) WITHOUT ROWID;
CREATE TABLE components (key TEXT PRIMARY KEY, terms TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE french_components (key TEXT PRIMARY KEY, terms TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE analytes (key TEXT PRIMARY KEY, components TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE map_to (code TEXT NOT NULL, target TEXT NOT NULL, comment TEXT NOT NULL);
CREATE TABLE changes (code TEXT NOT NULL, version TEXT NOT NULL, field TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
  reason TEXT NOT NULL);
"""
"""`terms.fields` are those of TERM_COLUMNS, `labels.fields` those of FRENCH_COLUMNS. `components.terms` tells of each term of an
English component its code, its status, its other axes, and their wordings in its French label where it has one;
`french_components.terms` the same of the terms whose French component is another word. `analytes.components` is the keys of the
English components that have the analyte."""

_NAMES = frozenset(("about", "terms", "labels", "components", "french_components", "analytes", "map_to", "changes"))
_TOLD = frozenset(("schema", "version", "source", "terms"))
_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}[0-9A-Za-z.-]{0,20}")
_MAGIC = b"SQLite format 3\x00"
_AT_ONCE = 500
_NO_FRENCH = ("",) * len(AXES)
_OF_COMPONENT = "SELECT terms FROM components WHERE key = ?"
_OF_FRENCH_COMPONENT = "SELECT terms FROM french_components WHERE key = ?"
_SELECT_TERM = "SELECT t.fields, l.fields FROM terms t LEFT JOIN labels l ON l.code = t.code AND l.preferred"


def store_directory(chosen: Path | None = None) -> Path:
    """Return the folder of the store: the one chosen, else `loinc` in JDV_HOME, else in the user's data folder."""
    if chosen is not None:
        return chosen
    if home := os.environ.get("JDV_HOME"):
        return Path(home) / "loinc"
    from platformdirs import user_data_path

    return user_data_path("jdv", appauthor=False) / "loinc"


def release_path(version: str, directory: Path) -> Path:
    """Return the file of a release in a store; raises TerminologyError for a version that makes no file name."""
    if not _VERSION.fullmatch(version):
        raise TerminologyError(
            say(
                f"« {version} » n'est pas une version de LOINC ; écrivez par exemple 2.80",
                f"`{version}` is no LOINC version; write for instance 2.80",
            )
        )
    return directory / f"loinc-{version}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class StoredInfo:
    """What a release in the store holds. `labels`: source of French labels -> how many terms have one."""

    version: str
    path: Path
    source: str
    terms: int
    labels: Mapping[str, int]
    replacements: int
    changes: int
    searchable: bool


@dataclass(frozen=True)
class StoredRelease(LoincRelease):
    """A release in the store; terms are read when they are asked for."""

    database: Database | None = field(default=None, compare=False)

    def read_ahead(self, codes: Iterable[str]) -> None:
        """Read the terms of many codes at once."""
        assert isinstance(self.terms, Lookup)
        wanted = self.terms.unknown(codes)
        found: dict[str, Term | None] = dict.fromkeys(wanted)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            found.update((term.code, term) for term in self.base.terms(f"WHERE t.code IN ({marks})", some))
        self.terms.keep(found)

    def with_component(self, component: str) -> tuple[Term, ...]:
        """Return the terms of a component written in English or in French, case and accents apart, by code."""
        return self._with_codes(text.partition(FIELD)[0] for text in self._of_component(component))

    def with_analyte(self, component: str) -> tuple[Term, ...]:
        """Return the terms whose English component has the same analyte, by code."""
        keys = self._kept("SELECT components FROM analytes WHERE key = ?", analyte_of(component))
        texts = (text for key in keys for text in self._kept(_OF_COMPONENT, key))
        return self._with_codes(text.partition(FIELD)[0] for text in texts)

    def codes_meant(self, label: Label) -> tuple[str, ...]:
        """Return the codes of the terms in use that a French label means, as any release does, without reading the terms."""
        wordings = [getattr(label, axis) for axis in AXES]
        meant = []
        for text in self._of_component(label.component):
            code, status, *axes = text.split(FIELD)
            if status in IN_USE and all(map(says, AXES, wordings, axes, axes[len(AXES) :] or _NO_FRENCH)):
                meant.append(code)
        return tuple(sorted(meant, key=by_code))

    def _of_component(self, component: str) -> list[str]:
        """Return what is kept of each term of a component, in English or in French."""
        key = key_of(component)
        return self._kept(_OF_COMPONENT, key) + self._kept(_OF_FRENCH_COMPONENT, key)

    def _kept(self, query: str, key: str) -> list[str]:
        rows = self.base.rows(query, key)
        return rows[0][0].split(RECORD) if rows else []

    def _with_codes(self, codes: Iterable[str]) -> tuple[Term, ...]:
        codes = tuple(codes)
        self.read_ahead(codes)
        return tuple(self.terms[code] for code in sorted(codes, key=by_code))

    def all_terms(self) -> Iterator[Term]:
        """Yield every term, in the order of the table; they are not kept."""
        for start in range(0, len(self.terms), _AT_ONCE):
            yield from self.base.terms(
                "WHERE t.position > ? AND t.position <= ? ORDER BY t.position", (start, start + _AT_ONCE)
            )

    @cached_property
    def info(self) -> StoredInfo:
        """What the release holds."""
        return self.base.info

    @property
    def base(self) -> Database:
        """The database of the release."""
        assert self.database is not None
        return self.database


class Database:
    """A release's file, open for reading; it is closed when nothing needs it any more."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises TerminologyError when it is no release of this form."""
        import sqlite3

        self.path = path
        try:
            whole = _is_whole(path)
            self._connect()
            tables = {
                name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            self.about: dict[str, str] = dict(
                self._connection.execute("SELECT key, value FROM about") if "about" in tables else ()
            )
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise self._unreadable(str(error)) from None
        if self.about.get("schema", "").isdigit() and self.about["schema"] != str(SCHEMA):
            raise TerminologyError(
                say(
                    f"{path} : importée par une autre version de jdv ; importez à nouveau cette version de LOINC, avec --force",
                    f"{path}: imported by another version of jdv; import this LOINC release again, with --force",
                )
            )
        if not tables >= _NAMES or not self.about.keys() >= _TOLD or not self.about["terms"].isdigit():
            raise self._unreadable(say("ce n'est pas une version de LOINC", "this is no LOINC release"))
        if not whole:
            raise self._unreadable(say("fichier tronqué", "truncated file"))

    def _connect(self) -> None:
        """Open the file for this process: SQLite forbids a copy of a process to use what it inherits, or to close it."""
        import sqlite3

        connection = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        finalize(self, connection.close)
        connection.execute("PRAGMA trusted_schema = OFF")
        self._process, self._connection = os.getpid(), connection

    def _unreadable(self, reason: str) -> TerminologyError:
        return TerminologyError(
            say(
                f"{self.path} : version de LOINC illisible ({reason}) ; importez-la à nouveau, avec --force",
                f"{self.path}: unreadable LOINC release ({reason}); import it again, with --force",
            )
        )

    def rows(self, query: str, /, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query, its `?` filled in order; raises TerminologyError when the file is damaged."""
        import sqlite3

        try:
            if self._process != os.getpid():
                self._connect()
            return self._connection.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._damaged(error) from None

    def terms(self, condition: str, values: Sequence[object] = ()) -> list[Term]:
        """Return the terms, `t` in the condition, each once."""
        try:
            return [
                Term(*fields.split(FIELD), *(french.split(FIELD) if french else ()))
                for fields, french in self.rows(f"{_SELECT_TERM} {condition}", *values)
            ]
        except TypeError as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> TerminologyError:
        return TerminologyError(
            say(
                f"{self.path} : base endommagée ({error}) ; importez à nouveau cette version de LOINC, avec --force",
                f"{self.path}: damaged database ({error}); import this LOINC release again, with --force",
            )
        )

    @property
    def version(self) -> str:
        """The version of the release."""
        return self.about["version"]

    @property
    def size(self) -> int:
        """How many terms the release has."""
        return int(self.about["terms"])

    @property
    def info(self) -> StoredInfo:
        """What the release holds."""
        labels = dict(self.rows("SELECT source, count(*) FROM labels GROUP BY source ORDER BY source"))
        changes = self.rows("SELECT count(DISTINCT code) FROM changes")[0][0]
        replacements = self.rows("SELECT count(*) FROM map_to")[0][0]
        return StoredInfo(
            self.version,
            self.path,
            self.about["source"],
            self.size,
            labels,
            replacements,
            changes,
            has_full_text_search(),
        )


def _is_whole(path: Path) -> bool:
    """Tell whether a database has the size that its header says (SQLite's file format, 1.3)."""
    with path.open("rb") as file:
        header = file.read(100)
        size = file.seek(0, os.SEEK_END)
    page = int.from_bytes(header[16:18], "big")
    return size == (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")


def open_stored(path: Path) -> StoredRelease:
    """Open a release of the store by its file. Raises TerminologyError when it is none, or damaged."""
    base = Database(path)

    def term(code: str) -> Term | None:
        return next(iter(base.terms("WHERE t.code = ?", (code,))), None)

    def targets(code: str) -> tuple[tuple[str, str], ...] | None:
        return tuple(base.rows("SELECT target, comment FROM map_to WHERE code = ? ORDER BY rowid", code)) or None

    def changes(code: str) -> tuple[TermChange, ...] | None:
        rows = base.rows(
            "SELECT version, field, before, after, reason FROM changes WHERE code = ? ORDER BY rowid", code
        )
        return tuple(map(TermChange._make, rows)) or None

    def listed(query: str) -> Callable[[], list[str]]:
        return lambda: [row[0] for row in base.rows(query)]

    def counted(query: str) -> Callable[[], int]:
        return lambda: int(base.rows(query)[0][0])

    return StoredRelease(
        base.version,
        Lookup(term, listed("SELECT code FROM terms ORDER BY position"), lambda: base.size),
        Lookup(targets, listed("SELECT DISTINCT code FROM map_to"), counted("SELECT count(DISTINCT code) FROM map_to")),
        Lookup(
            changes, listed("SELECT DISTINCT code FROM changes"), counted("SELECT count(DISTINCT code) FROM changes")
        ),
        base,
    )


def stored_paths(directory: Path) -> list[Path]:
    """Return the files of the releases in a store, the latest version last."""
    found = [path for path in directory.glob(f"loinc-*{SUFFIX}") if path.is_file()] if directory.is_dir() else []
    return sorted(found, key=lambda path: ([int(number) for number in re.findall("[0-9]+", path.name)], path.name))


def stored_version(version: str | None, directory: Path) -> Path:
    """Return the file of a version in a store, of the latest when none is named; raises TerminologyError if there is none."""
    paths = stored_paths(directory)
    if version is None and paths:
        return paths[-1]
    if version is not None and (path := release_path(version, directory)) in paths:
        return path
    have = ", ".join(path.name.removeprefix("loinc-").removesuffix(SUFFIX) for path in paths)
    if version is None:
        raise TerminologyError(
            say(
                f"aucune version de LOINC dans {directory} ; importez-en une par « jdv loinc import »",
                f"no LOINC release in {directory}; import one with `jdv loinc import`",
            )
        )
    raise TerminologyError(
        say(
            f"LOINC {version} n'est pas dans {directory} ({'présentes : ' + have if have else 'vide'}) ; "
            "importez cette version par « jdv loinc import »",
            f"LOINC {version} is not in {directory} ({'there are: ' + have if have else 'empty'}); "
            "import it with `jdv loinc import`",
        )
    )


def find_release(choice: str | None, directory: Path | None = None) -> LoincRelease:
    """Return a release by its path (as downloaded, or a file of a store) or its version in the store; None: the latest there.

    A version is looked for when no file has that name. Raises TerminologyError when there is neither.
    """
    if choice is not None:
        path = Path(choice)
        if path.is_file() and _begins(path) == _MAGIC:
            return open_stored(path)
        if path.exists() or not _VERSION.fullmatch(choice):
            return read_release(path)
    return open_stored(stored_version(choice, store_directory(directory)))


def _begins(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC))
    except OSError:
        return b""


@lru_cache
def has_full_text_search() -> bool:
    """Tell whether this Python's SQLite has FTS5."""
    import sqlite3

    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE trial USING fts5(text, tokenize='unicode61 remove_diacritics 2')")
        except sqlite3.Error:
            return False
    return True

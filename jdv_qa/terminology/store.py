"""The local store of LOINC releases: one SQLite file a release, written whole or not at all and never changed in place.

A release is imported once and then answers in milliseconds: a check asks for the few thousand terms it needs. French labels
come with a release (its French variant) or are added to one later (LOINC Biologie FR); the latter are preferred where both
have a term. SQLite does without FTS5 in some builds of Python: everything but searching by words still works there.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import finalize

from jdv_qa.errors import OutputError, TerminologyError
from jdv_qa.files import new_file
from jdv_qa.language import say
from jdv_qa.terminology.loinc import (
    AXES,
    FRENCH_COLUMNS,
    TERM_COLUMNS,
    LoincRelease,
    Lookup,
    Term,
    TermChange,
    analyte_of,
    by_code,
    key_of,
    latest_version,
    read_changes,
    read_french,
    read_release,
    read_replacements,
    read_terms,
)
from jdv_qa.terminology.loinc_files import Advance, ReleaseFiles, no_progress

if TYPE_CHECKING:
    import sqlite3

SCHEMA = 1
"""Number of the form of the database; a file of another form is to be imported again."""

VARIANT, SMT = "fr-FR", "LOINC Biologie FR"
"""Where French labels come from: the variant of the release, the ANS's value set; the second is preferred."""

_SUFFIX = ".sqlite"
_VERSION = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}[0-9A-Za-z.-]{0,20}")
_MAGIC = b"SQLite format 3\x00"
_STALE_SECONDS = 3600
_BATCH = 4000
_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms ({terms}, component_key TEXT NOT NULL, analyte TEXT NOT NULL, position INTEGER PRIMARY KEY);
CREATE TABLE labels ({labels}, source TEXT NOT NULL, preferred INTEGER NOT NULL, component_key TEXT NOT NULL,
  PRIMARY KEY (code, source)) WITHOUT ROWID;
CREATE TABLE map_to (code TEXT NOT NULL, target TEXT NOT NULL, comment TEXT NOT NULL);
CREATE TABLE changes (code TEXT NOT NULL, version TEXT NOT NULL, field TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
  reason TEXT NOT NULL);
"""
_INDEXES = """
CREATE UNIQUE INDEX terms_code ON terms (code);
CREATE INDEX terms_component ON terms (component_key);
CREATE INDEX terms_analyte ON terms (analyte);
CREATE INDEX map_to_code ON map_to (code);
CREATE INDEX changes_code ON changes (code);
"""
_SEARCH = """
CREATE VIRTUAL TABLE search USING fts5(code, component, name, synonyms, axes, content='',
  prefix='2 3 4', tokenize="unicode61 remove_diacritics 2")
"""
_FIELDS = ", ".join([*(f"t.{name}" for name in TERM_COLUMNS), *(f"coalesce(l.{name}, '')" for name in FRENCH_COLUMNS)])
SELECT_TERM = f"SELECT {_FIELDS} FROM terms t LEFT JOIN labels l ON l.code = t.code AND l.preferred"


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
    return directory / f"loinc-{version}{_SUFFIX}"


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

    def with_component(self, component: str) -> tuple[Term, ...]:
        """Return the terms of a component written in English or in French, case and accents apart, by code."""
        key = key_of(component)
        return (
            self._found(
                "t.component_key = :key OR t.code IN (SELECT code FROM labels WHERE component_key = :key AND preferred)",
                key,
            )
            if key
            else ()
        )

    def with_analyte(self, component: str) -> tuple[Term, ...]:
        """Return the terms whose English component has the same analyte, by code."""
        return self._found("t.analyte = :key", analyte_of(component))

    def _found(self, condition: str, value: str) -> tuple[Term, ...]:
        rows = self.base.rows(f"{SELECT_TERM} WHERE {condition}", key=value)
        return tuple(sorted((Term(*row) for row in rows), key=by_code))

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
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
            finalize(self, self._connection.close)
            self._about = dict(self._connection.execute("SELECT key, value FROM about"))
        except sqlite3.Error as error:
            raise TerminologyError(
                say(
                    f"{path} : version de LOINC illisible ({error}) ; importez-la à nouveau",
                    f"{path}: unreadable LOINC release ({error}); import it again",
                )
            ) from None
        if self._about.get("schema") != str(SCHEMA):
            raise TerminologyError(
                say(
                    f"{path} : importée par une autre version de jdv ; importez à nouveau cette version de LOINC",
                    f"{path}: imported by another version of jdv; import this LOINC release again",
                )
            )

    def rows(self, query: str, /, **values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query, its `:name` gaps filled; raises TerminologyError when the file is damaged."""
        import sqlite3

        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise TerminologyError(
                say(
                    f"{self.path} : base endommagée ({error}) ; importez à nouveau cette version de LOINC",
                    f"{self.path}: damaged database ({error}); import this LOINC release again",
                )
            ) from None

    @property
    def version(self) -> str:
        """The version of the release."""
        return str(self._about["version"])

    @property
    def info(self) -> StoredInfo:
        """What the release holds."""
        labels = dict(self.rows("SELECT source, count(*) FROM labels GROUP BY source ORDER BY source"))
        changes = self.rows("SELECT count(DISTINCT code) FROM changes")[0][0]
        replacements = self.rows("SELECT count(*) FROM map_to")[0][0]
        return StoredInfo(
            self.version,
            self.path,
            self._about["source"],
            int(self._about["terms"]),
            labels,
            replacements,
            changes,
            self._about["searchable"] == "1",
        )

    @property
    def terms(self) -> int:
        """How many terms the release has."""
        return int(self._about["terms"])


def open_stored(path: Path) -> StoredRelease:
    """Open a release of the store by its file. Raises TerminologyError when it is none, or damaged."""
    base = Database(path)

    def term(code: str) -> Term | None:
        rows = base.rows(f"{SELECT_TERM} WHERE t.code = :code", code=code)
        return Term(*rows[0]) if rows else None

    def targets(code: str) -> tuple[tuple[str, str], ...] | None:
        rows = base.rows("SELECT target, comment FROM map_to WHERE code = :code ORDER BY rowid", code=code)
        return tuple((target, comment) for target, comment in rows) or None

    def changes(code: str) -> tuple[TermChange, ...] | None:
        rows = base.rows(
            "SELECT version, field, before, after, reason FROM changes WHERE code = :code ORDER BY rowid", code=code
        )
        return tuple(TermChange(*row) for row in rows) or None

    def listed(query: str) -> Callable[[], list[str]]:
        return lambda: [row[0] for row in base.rows(query)]

    def counted(query: str) -> Callable[[], int]:
        return lambda: int(base.rows(query)[0][0])

    return StoredRelease(
        base.version,
        Lookup(term, listed("SELECT code FROM terms ORDER BY position"), lambda: base.terms),
        Lookup(targets, listed("SELECT DISTINCT code FROM map_to"), counted("SELECT count(DISTINCT code) FROM map_to")),
        Lookup(
            changes, listed("SELECT DISTINCT code FROM changes"), counted("SELECT count(DISTINCT code) FROM changes")
        ),
        base,
    )


def stored_paths(directory: Path) -> list[Path]:
    """Return the files of the releases in a store, the latest version last."""
    found = [path for path in directory.glob(f"loinc-*{_SUFFIX}") if path.is_file()] if directory.is_dir() else []
    return sorted(found, key=lambda path: ([int(number) for number in re.findall("[0-9]+", path.name)], path.name))


def stored_version(version: str | None, directory: Path) -> Path:
    """Return the file of a version in a store, of the latest when none is named; raises TerminologyError if there is none."""
    paths = stored_paths(directory)
    if version is None and paths:
        return paths[-1]
    if version is not None and (path := release_path(version, directory)) in paths:
        return path
    have = ", ".join(path.name.removeprefix("loinc-").removesuffix(_SUFFIX) for path in paths)
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


def import_release(
    files: ReleaseFiles,
    directory: Path,
    *,
    version: str = "",
    force: bool = False,
    advance: Advance = no_progress,
) -> StoredInfo:
    """Import a release into a store and tell what it holds.

    The version is the one given, else what the names of the files tell, else the latest that a term names. `advance` is told
    the bytes read; in all `import_size(files)`. Raises TerminologyError for files that cannot be read, or whose version
    nobody tells, and OutputError when the store has the version already and `force` is not given; the store then stays as it
    was, and so it does when the import is interrupted.
    """
    version = version or files.version
    if not version:
        version = latest_version(_versions(files))
    if not version:
        raise TerminologyError(
            say(
                f"{files.path} : version de LOINC inconnue ; donnez-la par --version",
                f"{files.path}: unknown LOINC version; give it by --version",
            )
        )
    path = release_path(version, directory)
    _refuse(path, version, force)
    _sweep(directory)
    with new_file(path, force=force) as temporary, _writing(temporary) as database:
        _create(database)
        _fill(database, "terms", _term_rows(read_terms(files, advance)))
        _fill(database, "labels", _label_rows(read_french(files, advance), VARIANT))
        replacements = read_replacements(files, advance)
        _fill(database, "map_to", ((code, *target) for code, targets in replacements.items() for target in targets))
        changes = read_changes(files, version, advance)
        _fill(
            database,
            "changes",
            (
                (code, change.version, change.field, change.before, change.after, change.reason)
                for code, told in changes.items()
                for change in told
            ),
        )
        database.executescript(_INDEXES)
        terms = database.execute("SELECT count(*) FROM terms").fetchone()[0]
        about = {"schema": str(SCHEMA), "version": version, "source": files.path.resolve().name, "terms": str(terms)}
        _finish(database, about, terms, advance, sum(files.sizes.values()))
    return open_stored(path).info


def import_size(files: ReleaseFiles) -> int:
    """Return what the `advance` of `import_release` adds up to: as much again as is read goes into the index for searching."""
    return 2 * sum(files.sizes.values())


def add_labels(
    labels: Sequence[tuple[str, ...]],
    source: str,
    path: Path,
    *,
    force: bool = False,
    advance: Advance = no_progress,
) -> StoredInfo:
    """Add French labels, as `french_labels` or `read_french` give them, to a release of the store, by its file.

    The release is copied, completed and renamed over. `advance` adds up to the number of labels. Raises OutputError when it
    has labels of that source already and `force` is not given.
    """
    known = open_stored(path).info
    if known.labels.get(source) and not force:
        raise OutputError(
            say(
                f"LOINC {known.version} a déjà les libellés français de {source} ; --force les remplace",
                f"LOINC {known.version} already has the French labels of {source}; --force replaces them",
            )
        )
    _sweep(path.parent)
    with new_file(path, force=True) as temporary:
        shutil.copyfile(path, temporary)
        with _writing(temporary) as database:
            about = dict(database.execute("SELECT key, value FROM about"))
            database.execute("DELETE FROM labels WHERE source = ?", (source,))
            _fill(database, "labels", _label_rows(labels, source))
            database.execute("DELETE FROM about")
            database.execute("DROP TABLE IF EXISTS search")
            _finish(database, about, int(about["terms"]), advance, len(labels))
    return open_stored(path).info


def _refuse(path: Path, version: str, force: bool) -> None:
    if path.exists() and not force:
        raise OutputError(
            say(
                f"LOINC {version} est déjà dans {path.parent} ; --force la remplace",
                f"LOINC {version} is already in {path.parent}; --force replaces it",
            )
        )


def _versions(files: ReleaseFiles) -> Iterator[tuple[str, str]]:
    names = list(TERM_COLUMNS)
    first, changed = names.index("version_first"), names.index("version_changed")
    return ((row[first], row[changed]) for row in read_terms(files))


def _sweep(directory: Path) -> None:
    """Delete the temporary files that an import killed an hour ago or more has left."""
    for path in directory.glob(f".loinc-*{_SUFFIX}.*"):
        try:
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
        except OSError:
            continue


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that writes fast and without a journal: the file is nothing until it is renamed."""
    import sqlite3

    with closing(sqlite3.connect(path)) as connection:
        try:
            for setting in (
                "journal_mode = OFF",
                "synchronous = OFF",
                "locking_mode = EXCLUSIVE",
                "temp_store = MEMORY",
            ):
                connection.execute(f"PRAGMA {setting}")
            yield connection
            connection.commit()
        except sqlite3.OperationalError as error:
            raise OutputError(
                say(
                    f"{path.parent} : écriture impossible ({error}) ; vérifiez la place sur le disque",
                    f"{path.parent}: cannot be written ({error}); check the room on the disk",
                )
            ) from None


def _create(database: sqlite3.Connection) -> None:
    def texts(names: Iterable[str]) -> str:
        return ", ".join(f"{name} TEXT NOT NULL" for name in names)

    database.executescript(_TABLES.format(terms=texts(TERM_COLUMNS), labels=texts(("code", *FRENCH_COLUMNS))))


def _fill(database: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Insert rows, as wide as the table, in batches; of two rows with one key the last stays."""
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        marks = ", ".join("?" * len(batch[0]))
        database.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", batch)


def _term_rows(rows: Iterable[tuple[str, ...]]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the table of terms; a term that comes again takes the place of the first."""
    places: dict[str, int] = {}
    for row in rows:
        yield *row, key_of(row[1]), analyte_of(row[1]), places.setdefault(row[0], len(places) + 1)


def _label_rows(rows: Iterable[tuple[str, ...]], source: str) -> Iterator[tuple[object, ...]]:
    component = list(FRENCH_COLUMNS).index("french_component") + 1
    for row in rows:
        yield *row, source, 0, key_of(row[component])


def _finish(database: sqlite3.Connection, about: dict[str, str], terms: int, advance: Advance, whole: int) -> None:
    """Choose the preferred labels, build the index for searching, and write what the database is."""
    database.execute("DROP INDEX IF EXISTS labels_component")
    database.execute(
        "UPDATE labels SET preferred = (source = :smt OR NOT EXISTS "
        "(SELECT 1 FROM labels other WHERE other.code = labels.code AND other.source = :smt))",
        {"smt": SMT},
    )
    database.execute("CREATE INDEX labels_component ON labels (component_key) WHERE preferred")
    searchable = has_full_text_search()
    if searchable:
        _index(database, terms, advance, whole)
    database.executemany(
        "INSERT INTO about VALUES (?, ?)", sorted((about | {"searchable": str(int(searchable))}).items())
    )


def _index(database: sqlite3.Connection, terms: int, advance: Advance, whole: int) -> None:
    from jdv_qa.terminology.search import spoken_axes

    database.execute(_SEARCH)
    fields = ", ".join(
        f"t.{name}"
        for name in (
            "position",
            "code",
            "component",
            "name",
            "short_name",
            "display_name",
            "synonyms",
            "loinc_class",
            "units",
            *AXES[1:],
        )
    )
    french = ", ".join(f"coalesce(l.{name}, '')" for name in FRENCH_COLUMNS)
    rows = database.execute(
        f"SELECT {fields}, {french} FROM terms t LEFT JOIN labels l ON l.code = t.code AND l.preferred ORDER BY t.position"
    )
    told = 0
    for done in range(_BATCH, terms + _BATCH, _BATCH):
        batch = []
        for row in rows.fetchmany(_BATCH):
            position, code, component, name, short, display, synonyms, loinc_class, units, *axes = row[:14]
            label, french_component, *french_axes, french_synonyms = row[14:]
            batch.append(
                (
                    position,
                    code,
                    f"{component} ; {french_component}",
                    " ; ".join((name, label, short, display)),
                    f"{synonyms} ; {french_synonyms}",
                    " ; ".join((*axes, *french_axes, spoken_axes(tuple(axes)), loinc_class, units)),
                )
            )
        database.executemany(
            "INSERT INTO search (rowid, code, component, name, synonyms, axes) VALUES (?, ?, ?, ?, ?, ?)", batch
        )
        now = whole * min(done, terms) // max(terms, 1)
        advance(now - told)
        told = now
    database.execute("INSERT INTO search (search) VALUES ('optimize')")

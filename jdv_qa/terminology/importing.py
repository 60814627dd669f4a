"""Importing LOINC releases, and French labels, into the local store: written whole or not at all.

A release is read in one pass, and what the checks will ask for is prepared on the way: the terms of every component and analyte.
French labels come with a release (its French variant) or are added to one later (LOINC Biologie FR); the latter are preferred
where both have a term.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path

from jdv_qa.errors import OutputError, TerminologyError
from jdv_qa.files import new_file
from jdv_qa.language import say
from jdv_qa.terminology.loinc import (
    AXES,
    FRENCH_COLUMNS,
    TERM_COLUMNS,
    analyte_of,
    key_of,
    latest_version,
    read_changes,
    read_french,
    read_replacements,
    read_terms,
)
from jdv_qa.terminology.loinc_files import Advance, ReleaseFiles, no_progress
from jdv_qa.terminology.store import (
    FIELD,
    RECORD,
    SCHEMA,
    SMT,
    SUFFIX,
    TABLES,
    VARIANT,
    StoredInfo,
    open_stored,
    release_path,
)

_STALE_SECONDS = 3600
_PROGRESS = 1000
_BATCH = 64
_TERM, _FRENCH = list(TERM_COLUMNS), list(FRENCH_COLUMNS)
_CODE = itemgetter(_TERM.index("code"))
_COMPONENT = itemgetter(_TERM.index("component"))
_JUDGED = itemgetter(*map(_TERM.index, ("code", "status", *AXES[1:])))
_FRENCH_COMPONENT = _FRENCH.index("french_component")
_FRENCH_AXES = itemgetter(*(_FRENCH.index(f"french_{axis}") for axis in AXES[1:]))

_Fields = Sequence[str]


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
    with new_file(path, force=force) as temporary, writing(temporary) as database:
        database.executescript(TABLES)
        database.execute("BEGIN")
        french = {code: fields for code, *fields in read_french(files, advance)}
        _add_labels(database, french.items(), VARIANT)
        _prefer(database)
        terms = _insert_terms(database, read_terms(files, advance), french)
        replacements = read_replacements(files, advance)
        _insert(
            database, "map_to", 3, ((code, *target) for code, targets in replacements.items() for target in targets)
        )
        changes = read_changes(files, version, advance)
        _insert(
            database,
            "changes",
            6,
            (
                (code, change.version, change.field, change.before, change.after, change.reason)
                for code, told in changes.items()
                for change in told
            ),
        )
        for table in ("map_to", "changes"):
            database.execute(f"CREATE INDEX {table}_code ON {table} (code)")
        about = {"schema": str(SCHEMA), "version": version, "source": files.path.resolve().name, "terms": str(terms)}
        _insert(database, "about", 2, sorted(about.items()))
        database.execute("COMMIT")
    return open_stored(path).info


def import_size(files: ReleaseFiles) -> int:
    """Return what the `advance` of `import_release` adds up to: the bytes of the files."""
    return sum(files.sizes.values())


def add_labels(
    labels: Sequence[_Fields],
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
        with writing(temporary) as database:
            database.execute("BEGIN")
            database.execute("DELETE FROM labels WHERE source = ?", (source,))
            _add_labels(database, ((code, fields) for code, *fields in _told(labels, advance)), source)
            _prefer(database)
            french = dict(database.execute("SELECT code, fields FROM labels WHERE preferred"))
            terms = [fields for (fields,) in database.execute("SELECT fields FROM terms ORDER BY position")]
            _clear(database)
            _insert_terms(
                database,
                (fields.split(FIELD) for fields in terms),
                {code: fields.split(FIELD) for code, fields in french.items()},
            )
            database.execute("COMMIT")
    return open_stored(path).info


def _told(labels: Sequence[_Fields], advance: Advance) -> Iterator[_Fields]:
    for number, label in enumerate(labels, 1):
        if number % _PROGRESS == 0:
            advance(_PROGRESS)
        yield label
    advance(len(labels) % _PROGRESS)


class _Components:
    """What the store keeps of each component and analyte, gathered while the terms of a release pass."""

    def __init__(self, french: Mapping[str, _Fields]) -> None:
        """Take the French labels, by code: fields in the order of FRENCH_COLUMNS."""
        self._french = french
        self._by_text: dict[str, list[str]] = {}
        self._english: dict[str, list[str]] = {}
        self._in_french: dict[str, list[str]] = {}
        self._analytes: dict[str, list[str]] = {}

    def take(self, terms: Sequence[_Fields]) -> None:
        """Take some terms, fields in the order of TERM_COLUMNS."""
        known = self._by_text
        for component, text in zip(map(_COMPONENT, terms), map(FIELD.join, map(_JUDGED, terms)), strict=True):
            try:
                known[component].append(text)
            except KeyError:
                self._found(component).append(text)

    def take_in_french(self, terms: Sequence[_Fields]) -> None:
        """Take some terms likewise, with what their French labels say."""
        for fields in terms:
            component, text = _COMPONENT(fields), FIELD.join(_JUDGED(fields))
            french = self._french.get(fields[0])
            if french is not None:
                text = FIELD.join((text, *_FRENCH_AXES(french)))
                if (key := key_of(french[_FRENCH_COMPONENT])) != key_of(component):
                    self._in_french.setdefault(key, []).append(text)
            (self._by_text.get(component) or self._found(component)).append(text)

    def _found(self, component: str) -> list[str]:
        """Return the terms of a component met for the first time in this writing."""
        key = key_of(component)
        if key not in self._english:
            self._english[key] = []
            self._analytes.setdefault(analyte_of(component), []).append(key)
        return self._by_text.setdefault(component, self._english[key])

    def write(self, database: sqlite3.Connection) -> None:
        """Write the tables of components and analytes."""
        for table, found in (
            ("components", self._english),
            ("french_components", self._in_french),
            ("analytes", self._analytes),
        ):
            _insert(database, table, 2, ((key, RECORD.join(texts)) for key, texts in sorted(found.items()) if key))


def _insert_terms(database: sqlite3.Connection, terms: Iterator[_Fields], french: Mapping[str, _Fields]) -> int:
    """Insert terms and what is kept of their components; return how many they are."""
    components = _Components(french)
    take = components.take_in_french if french else components.take
    number = 0
    codes: set[str] = set()
    while batch := list(islice(terms, _BATCH)):
        take(batch)
        codes.update(map(_CODE, batch))
        rows = chain.from_iterable(zip(map(_CODE, batch), map(FIELD.join, batch), strict=True))
        marks = ", ".join(["(?, ?)"] * len(batch))  # a batch in one statement takes half the time of a row in each
        database.execute(f"INSERT INTO terms (code, fields) VALUES {marks}", tuple(rows))
        number += len(batch)
    if len(codes) < number:  # a term that comes again takes the place of the first
        once = dict(database.execute("SELECT code, fields FROM terms ORDER BY position"))
        _clear(database)
        return _insert_terms(database, (fields.split(FIELD) for fields in once.values()), french)
    database.execute("CREATE UNIQUE INDEX terms_code ON terms (code)")
    components.write(database)
    return number


def _clear(database: sqlite3.Connection) -> None:
    """Take all away that comes from the terms and their French labels."""
    database.execute("DROP INDEX IF EXISTS terms_code")
    for table in ("terms", "components", "french_components", "analytes"):
        database.execute(f"DELETE FROM {table}")


def _refuse(path: Path, version: str, force: bool) -> None:
    if path.exists() and not force:
        raise OutputError(
            say(
                f"LOINC {version} est déjà dans {path.parent} ; --force la remplace",
                f"LOINC {version} is already in {path.parent}; --force replaces it",
            )
        )


def _versions(files: ReleaseFiles) -> Iterator[tuple[str, str]]:
    first, changed = _TERM.index("version_first"), _TERM.index("version_changed")
    return ((row[first], row[changed]) for row in read_terms(files))


def _sweep(directory: Path) -> None:
    """Delete the temporary files that an import killed an hour ago or more has left."""
    for path in directory.glob(f".loinc-*{SUFFIX}.*"):
        try:
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
        except OSError:
            continue


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that writes fast and without a journal: the file is nothing until it is renamed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            for setting in (
                "page_size = 8192",
                "journal_mode = OFF",
                "synchronous = OFF",
                "locking_mode = EXCLUSIVE",
                "temp_store = MEMORY",
            ):
                connection.execute(f"PRAGMA {setting}")
            yield connection
        except sqlite3.OperationalError as error:
            raise OutputError(
                say(
                    f"{path.parent} : écriture impossible ({error}) ; vérifiez la place sur le disque",
                    f"{path.parent}: cannot be written ({error}); check the room on the disk",
                )
            ) from None


def _insert(database: sqlite3.Connection, table: str, width: int, rows: Iterable[tuple[object, ...]]) -> None:
    """Insert rows; of two rows with one key the last stays."""
    marks = ", ".join("?" * width)
    database.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)


def _add_labels(database: sqlite3.Connection, labels: Iterable[tuple[str, _Fields]], source: str) -> None:
    _insert(database, "labels", 4, ((code, source, 0, _joined(fields)) for code, fields in labels))


def _joined(fields: _Fields) -> str:
    text = FIELD.join(fields)
    if text.count(FIELD) >= len(fields) or RECORD in text:
        return FIELD.join(" ".join(field.replace(FIELD, " ").replace(RECORD, " ").split()) for field in fields)
    return text


def _prefer(database: sqlite3.Connection) -> None:
    """Choose the preferred one of the labels of a term."""
    database.execute(
        "UPDATE labels SET preferred = (source = :smt OR NOT EXISTS "
        "(SELECT 1 FROM labels other WHERE other.code = labels.code AND other.source = :smt))",
        {"smt": SMT},
    )

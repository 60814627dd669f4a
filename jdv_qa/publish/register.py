"""The register of releases: `releases/index.json`, and one folder a version that never changes once it is there.

The index holds the truth: a folder that it does not name is no release. A version enters in one step: its folder is
filled aside, the next index is written beside the present one, the folder is renamed to its version, and the next index
takes the place of the present one. A process that is killed leaves the release whole or leaves none; what it leaves of
its own (a folder not finished, a next index, the folder that this index names) is cleared by the next release. An
exclusive lock of the operating system, which dies with its process, keeps two releases apart.

The form of the index is described by `rules/schemas/releases.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from jdv_qa.checks.indicators import INDICATORS
from jdv_qa.compare.model import IMPACTS, KINDS
from jdv_qa.compare.versions import above, same_version
from jdv_qa.errors import RegisterError, ReleaseRefused, WorkbookError
from jdv_qa.files import reason_of, sync_folder
from jdv_qa.language import say
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.layout import Layout

SCHEMA = "jdv-releases/1"
RELEASE_SCHEMA = "jdv-release/1"
INDEX = "index.json"
MANIFEST = "manifest.json"
"""File of a release that says of it what the index says, and lists all its other files but the checksums."""
CHECKSUMS = "SHA256SUMS"
"""File of a release with the checksums of all others, in the form of `sha256sum`."""
DATA = "dat"
"""Folder of a release that holds its tables, as the SMT's archives call it."""
WORKBOOK = "classeur"
"""Folder of a release that holds the maintainers' own workbook, the base of the next draft."""
CHANGES = "changes.json"
"""File of a release with its changes since the version before, in the form jdv-diff/1."""

Status: TypeAlias = Literal["released", "imported"]

_NEXT_INDEX = ".index.json.next"
_LOCK = ".lock"
_UNFINISHED = ".unfinished-"
OWN_NAMES = (INDEX, _LOCK)
"""What the register keeps in its folder beside the versions."""

_VERSION = re.compile(r"[vV]?([0-9]{1,6}(?:\.[0-9]{1,6}){1,3})(?:\s*\(\s*([0-9][0-9.,; –-]*[0-9])\s*\))?")
_VERSION_FOLDER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){1,3}")
_LOINC = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A file of a release: its path inside the folder with "/" between the parts, its size in bytes, its hash."""

    path: str
    size: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"path": self.path, "bytes": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Release:
    """A version in the register. `version` also names its folder.

    `date` is ISO or "", `loinc` the LOINC releases covered ("2.80-2.81") or "", `previous` the version before it in the
    register or "". `name` and `sha256` are those of the workbook it was made of. `figures` are its indicators, `changes`
    and `impacts` its number of changes since `previous` by kind and by impact, `check` what the check of a released
    version found, by severity, with its profile; each empty where there is none.
    """

    version: str
    status: Status
    date: str = ""
    loinc: str = ""
    title: str = ""
    previous: str = ""
    name: str = ""
    sha256: str = ""
    rows: int = 0
    figures: Mapping[str, int] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    impacts: Mapping[str, int] = field(default_factory=dict)
    profile: str = ""
    check: Mapping[str, int] = field(default_factory=dict)
    files: tuple[ReleasedFile, ...] = ()

    @property
    def notation(self) -> str:
        """The version as the SMT writes it, with the LOINC releases covered: "1.1.11 (2.80-2.81)"."""
        return f"{self.version} ({self.loinc})" if self.loinc else self.version

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the index."""
        return {
            "version": self.version,
            "notation": self.notation,
            "path": self.version,
            "status": self.status,
            "date": self.date,
            "loinc": self.loinc,
            "title": self.title,
            "previous": self.previous,
            "source": {"name": self.name, "sha256": self.sha256},
            "rows": self.rows,
            "figures": dict(self.figures),
            "changes": dict(self.changes),
            "impacts": dict(self.impacts),
            "check": {"profile": self.profile, "findings": dict(self.check)} if self.profile else None,
            "files": [file.to_json() for file in self.files],
        }


@dataclass(frozen=True, slots=True)
class Register:
    """The releases of a folder, the earliest first. `sound`: the index is byte for byte as it was written."""

    directory: Path
    releases: tuple[Release, ...] = ()
    sound: bool = True

    @property
    def last(self) -> Release | None:
        """The latest release."""
        return self.releases[-1] if self.releases else None

    def folder(self, release: Release) -> Path:
        """Return the folder of a release."""
        return self.directory / release.version


def safe_version(text: str) -> str:
    """Return the version number of a text, which may name a folder: "v1.1.11 (2.80-2.81)" -> "1.1.11".

    Two to four whole numbers of ASCII digits joined by dots, a "v" in front and LOINC releases in brackets behind left
    out. Raises RegisterError for any other text: nothing else of a workbook ever becomes a name in the file system.
    """
    match = _VERSION.fullmatch(unicodedata.normalize("NFC", text.strip()))
    if match is None:
        shown = ascii(text[:60])[1:-1]
        raise RegisterError(
            say(
                f"version « {shown} » : elle ne peut pas nommer une version publiée ; écrivez des nombres séparés par "
                "des points, par exemple 1.1.11",
                f'version "{shown}": it cannot name a release; write numbers separated by dots, such as 1.1.11',
            )
            if text.strip()
            else say(
                "version absente ; écrivez-la dans le Sommaire, par exemple 1.1.11",
                "no version; write it in the Sommaire, such as 1.1.11",
            )
        )
    return match[1]


def looks_like_version(text: str) -> bool:
    """Tell whether a text is a version number and nothing else."""
    return _VERSION_FOLDER.fullmatch(text) is not None


def covered_loinc(edition: Edition) -> str:
    """Return the LOINC releases that an Edition covers, "2.80" or "2.80-2.81", as the Sommaire or its version says; or ""."""
    match = _VERSION.fullmatch(edition.identity.version.strip())
    for text in (match[2] if match else None, edition.identity.loinc_version):
        if found := _LOINC.findall(text or ""):
            return "-".join(dict.fromkeys((found[0], found[-1])))
    return ""


def plain(text: str) -> str:
    """Return a text of a workbook, or the name of a file, as the index may hold it: one line, no control, 200 characters."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") else char for char in text)
    return " ".join(unicodedata.normalize("NFC", text).split())[:200]


def is_safe_path(path: str) -> bool:
    """Tell whether a path may name a file of a release: ASCII parts that no file system takes for something else."""
    parts = path.split("/")
    return len(parts) <= 4 and all(
        _PART.fullmatch(part) and not part.endswith(".") and not _RESERVED.fullmatch(part) for part in parts
    )


def load_register(directory: Path) -> Register:
    """Read the register of a folder; a folder without index is a register without release.

    Raises RegisterError, with the file and the key, when the index is not what its schema says.
    """
    path = directory / INDEX
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Register(directory)
    except OSError as error:
        raise _wrong(path, reason_of(error)) from None
    return _parsed(directory, path, content)


def _parsed(directory: Path, path: Path, content: bytes) -> Register:
    try:
        index = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _wrong(path, " ".join(str(error).split())) from None
    entries = _Entry(path, "", index, {"schema", "sha256", "releases"})
    if entries.text("schema") != SCHEMA:
        raise _wrong(path, say(f"« schema » : « {SCHEMA} » est attendu", f'"schema": "{SCHEMA}" is expected'))
    digest = entries.text("sha256", _SHA256)
    releases: list[Release] = []
    for number, item in enumerate(entries.array("releases")):
        release = _release(_Entry(path, f"releases[{number}].", item, _RELEASE_KEYS))
        if releases and not above(release.version, releases[-1].version):
            raise _wrong(
                path,
                say(
                    f"releases[{number}].version : {release.version} ne suit pas {releases[-1].version}",
                    f"releases[{number}].version: {release.version} does not follow {releases[-1].version}",
                ),
            )
        releases.append(release)
    sound = digest == _digest(releases) and content == _index_bytes(releases)
    return Register(directory, tuple(releases), sound)


_RELEASE_KEYS = {
    "version", "notation", "path", "status", "date", "loinc", "title", "previous", "source", "rows", "figures", "changes",
    "impacts", "check", "files",
}  # fmt: skip


class _Entry:
    """An object of the index, whose values are taken with their types; a value that is not as it should be is an error."""

    def __init__(self, path: Path, where: str, content: Any, keys: set[str]) -> None:
        self.path, self.where = path, where
        if not isinstance(content, dict):
            raise self.wrong("", say("un objet est attendu", "an object is expected"))
        for key in sorted(keys - set(content)):
            raise self.wrong(key, say("clé absente", "missing key"))
        for key in sorted(set(content) - keys):
            raise self.wrong(key, say("clé inconnue", "unknown key"))
        self.content: dict[str, Any] = content

    def wrong(self, key: str, reason: str) -> RegisterError:
        """Return the error for a key."""
        place = f"{self.where}{key}".rstrip(".")
        return _wrong(self.path, say(f"{place} : {reason}", f"{place}: {reason}") if place else reason)

    def text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        """Return a text, of a form if one is given; "" then passes only if the form allows it."""
        value = self.content[key]
        if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
            shown = ascii(value)[:60]
            raise self.wrong(key, say(f"valeur refusée ({shown})", f"value refused ({shown})"))
        return value

    def number(self, key: str) -> int:
        """Return a whole number that is not negative."""
        value = self.content[key]
        if type(value) is not int or value < 0:
            raise self.wrong(key, say("un nombre entier est attendu", "a whole number is expected"))
        return value

    def array(self, key: str) -> list[Any]:
        """Return a list."""
        value = self.content[key]
        if not isinstance(value, list):
            raise self.wrong(key, say("une liste est attendue", "a list is expected"))
        return value

    def counts(self, key: str, names: tuple[str, ...]) -> dict[str, int]:
        """Return numbers by name, every name or none."""
        value = self.content[key]
        if value == {}:
            return {}
        counts = _Entry(self.path, f"{self.where}{key}.", value, set(names))
        return {name: counts.number(name) for name in names}


_DATE = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?")
_COVERED = re.compile(r"(?:[0-9]{1,2}\.[0-9]{1,3}(?:-[0-9]{1,2}\.[0-9]{1,3})?)?")
_PREVIOUS = re.compile(f"(?:{_VERSION_FOLDER.pattern})?")
_HASH_OR_NONE = re.compile("(?:[0-9a-f]{64})?")
SEVERITIES = ("error", "warning", "info", "waived")


def _release(entry: _Entry) -> Release:
    version = entry.text("version", _VERSION_FOLDER)
    if entry.text("path") != version:
        raise entry.wrong("path", say(f"« {version} » est attendu", f'"{version}" is expected'))
    status = entry.text("status")
    if status not in get_args(Status):
        known = ", ".join(get_args(Status))
        raise entry.wrong("status", say(f"valeurs possibles : {known}", f"possible values: {known}"))
    source = _Entry(entry.path, f"{entry.where}source.", entry.content["source"], {"name", "sha256"})
    profile, check = "", {}
    if entry.content["check"] is not None:
        checked = _Entry(entry.path, f"{entry.where}check.", entry.content["check"], {"profile", "findings"})
        profile, check = checked.text("profile"), checked.counts("findings", SEVERITIES)
    files = []
    for number, item in enumerate(entry.array("files")):
        file = _Entry(entry.path, f"{entry.where}files[{number}].", item, {"path", "bytes", "sha256"})
        if not is_safe_path(path := file.text("path")):
            raise file.wrong("path", say(f"chemin refusé {path!a}", f"path refused {path!a}"))
        files.append(ReleasedFile(path, file.number("bytes"), file.text("sha256", _SHA256)))
    if len({file.path.casefold() for file in files}) < len(files):
        raise entry.wrong("files", say("un chemin y est deux fois", "a path is there twice"))
    release = Release(
        version,
        "released" if status == "released" else "imported",
        entry.text("date", _DATE),
        entry.text("loinc", _COVERED),
        entry.text("title"),
        entry.text("previous", _PREVIOUS),
        source.text("name"),
        source.text("sha256", _HASH_OR_NONE),
        entry.number("rows"),
        entry.counts("figures", tuple(INDICATORS)),
        entry.counts("changes", KINDS),
        entry.counts("impacts", IMPACTS),
        profile,
        check,
        tuple(files),
    )
    if entry.text("notation") != release.notation:
        raise entry.wrong("notation", say(f"« {release.notation} » est attendu", f'"{release.notation}" is expected'))
    return release


def _wrong(path: Path, reason: str) -> RegisterError:
    return RegisterError(
        say(
            f"{path} : registre des versions illisible ({reason}) ; reprenez la dernière sauvegarde",
            f"{path}: unreadable register of releases ({reason}); take the last backup",
        )
    )


def _digest(releases: list[Release]) -> str:
    content = [release.to_json() for release in releases]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _index_bytes(releases: list[Release]) -> bytes:
    index = {
        "schema": SCHEMA,
        "sha256": _digest(releases),
        "releases": [release.to_json() for release in releases],
    }
    return (json.dumps(index, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def find_release(register: Register, version: str) -> Release:
    """Return the release of a version. Raises RegisterError, with the versions that are there, when it is not."""
    found = next((release for release in register.releases if same_version(release.version, version)), None)
    if found is None:
        index = register.directory / INDEX
        if not register.releases:
            raise RegisterError(
                say(
                    f"version {plain(version)} : le registre {index} n'a aucune version ; « jdv import-release » y fait "
                    "entrer les anciens classeurs",
                    f"version {plain(version)}: the register {index} has no version; `jdv import-release` takes old "
                    "workbooks into it",
                )
            )
        known = ", ".join(release.version for release in register.releases)
        raise RegisterError(
            say(
                f"version {plain(version)} : elle n'est pas au registre {index} (versions : {known})",
                f"version {plain(version)}: it is not in the register {index} (versions: {known})",
            )
        )
    return found


def read_release(register: Register, release: Release, layout: Layout | None = None) -> Edition:
    """Read the Edition of a release from its tables.

    Its version is the one it has in the register, also where the workbook it was imported from stated none. Raises
    RegisterError when the index does not list the tables, WorkbookError when they are missing or damaged.
    """
    from jdv_qa.workbook.read import read_edition

    edition = read_edition(register.folder(release) / DATA, layout)
    if same_version(edition.identity.version, release.version):
        return edition
    return replace(edition, identity=replace(edition.identity, version=release.version))


def read_with_rows(register: Register, release: Release, layout: Layout | None = None) -> Edition:
    """Read the Edition of a release with the rows of the workbook that it keeps, which people can look up.

    Where that workbook does not read into what the tables say (it takes a layout of its own), the tables' Edition is
    returned: rows are then those of the tables. Raises what `read_release` does.
    """
    from jdv_qa.workbook.read import read_edition

    edition = read_release(register, release, layout)
    kept = next((file.path for file in release.files if file.path.startswith(f"{WORKBOOK}/")), None)
    if kept is None:
        return edition
    try:
        found = read_edition(register.folder(release) / kept, layout)
    except WorkbookError:
        return edition
    found = replace(found, identity=replace(found.identity, version=edition.identity.version))
    return found if found == edition else edition


def refuse_version(register: Register, version: str) -> str:
    """Return why a version cannot enter the register, "" when it can."""
    last = register.last
    if any(same_version(release.version, version) for release in register.releases):
        return say(
            f"la version {version} est déjà au registre : une version publiée n'est jamais modifiée ; une correction est "
            "une nouvelle version",
            f"version {version} is in the register already: a released version is never changed; a correction is a new "
            "version",
        )
    if last is not None and not above(version, last.version):
        return say(
            f"la version {version} n'est pas au-dessus de la dernière du registre, {last.version}",
            f"version {version} is not above the last one of the register, {last.version}",
        )
    return ""


def add_release(register: Register, release: Release, contents: Mapping[str, bytes]) -> Register:
    """Add a version and its files to the register, whole or not at all, and return the register with it.

    `contents` has the bytes of each file by its path; the manifest and the checksums are made here. The register must
    still be as it was loaded. Raises ReleaseRefused when the version is there or not above the last, when another
    release is under way or has come in since the register was loaded, when the index was altered, or when a folder
    stands in the way; RegisterError when the register cannot be written.
    """
    directory = register.directory
    release, contents = _with_manifest(release, contents)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _locked(directory):
            _clear_leftovers(directory)
            present = load_register(directory)
            if reason := refuse_version(present, release.version):
                raise ReleaseRefused(reason)
            if present != register:
                raise ReleaseRefused(
                    say(
                        f"{directory} : le registre a changé entre-temps ; recommencez",
                        f"{directory}: the register has changed in the meantime; start again",
                    )
                )
            if reason := obstacle(present, release.version):
                raise ReleaseRefused(reason)
            try:
                releases = _enter(present, release, contents)
            except BaseException:
                with suppress(OSError, RegisterError):  # what cannot be cleared now, the next release clears
                    _clear_leftovers(directory)
                raise
            sync_folder(directory)
    except OSError as error:
        reason = reason_of(error)
        raise RegisterError(
            say(f"{directory} : écriture impossible ({reason})", f"{directory}: cannot be written ({reason})")
        ) from error
    return Register(directory, releases)


def _enter(present: Register, release: Release, contents: Mapping[str, bytes]) -> tuple[Release, ...]:
    """Put the files of a release and the index that names it in their places, and return the releases there are then."""
    directory = present.directory
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=directory))
    for path, content in contents.items():
        _write(unfinished / path, content, mode=0o444)
    _sync_folders(unfinished)
    unfinished.chmod(0o755)
    releases = (*present.releases, release)
    _write(directory / _NEXT_INDEX, _index_bytes([*releases]))
    unfinished.rename(directory / release.version)
    sync_folder(directory)
    (directory / _NEXT_INDEX).replace(directory / INDEX)
    return releases


def obstacle(register: Register, version: str) -> str:
    """Return what in the register's folder keeps a version from entering, "" when nothing does.

    An index that was altered by hand is not built on; where versions stand without an index it was lost, and a new one
    would lose them; a folder of the version's name that is no leftover is somebody's.
    """
    directory = register.directory
    index = directory / INDEX
    if not register.sound:
        return say(
            f"{index} a été modifié à la main ; reprenez la dernière sauvegarde (« jdv verify » compare le registre et ses "
            "fichiers)",
            f"{index} was altered by hand; take the last backup (`jdv verify` compares the register and its files)",
        )
    if not directory.is_dir():
        return ""
    left = leftovers(directory)
    folders = sorted(
        path.name for path in directory.iterdir() if looks_like_version(path.name) and path.name not in left
    )
    if folders and not index.exists():
        return say(
            f"{directory} : des versions ({', '.join(folders)}) mais pas de {INDEX} ; reprenez-le de la dernière sauvegarde",
            f"{directory}: versions ({', '.join(folders)}) but no {INDEX}; take it from the last backup",
        )
    if version in folders:
        return say(
            f"{directory / version} existe, mais n'est pas au registre ; vérifiez {INDEX}, ou déplacez ce dossier",
            f"{directory / version} exists, but is not in the register; check {INDEX}, or move this folder away",
        )
    return ""


def _with_manifest(release: Release, contents: Mapping[str, bytes]) -> tuple[Release, dict[str, bytes]]:
    for path in contents:
        if not is_safe_path(path):
            raise RegisterError(say(f"nom de fichier refusé : {path!a}", f"name of a file refused: {path!a}"))
    whole = dict(sorted(contents.items()))
    described = replace(release, files=_listed(whole))
    whole[MANIFEST] = manifest(described)
    whole[CHECKSUMS] = checksums(whole)
    return replace(release, files=_listed(whole)), whole


def manifest(release: Release) -> bytes:
    """Return the manifest of a release: its entry of the index, the manifest and the checksums not among the files."""
    kept = tuple(file for file in release.files if file.path not in (MANIFEST, CHECKSUMS))
    content = {"schema": RELEASE_SCHEMA} | replace(release, files=kept).to_json()
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def checksums(contents: Mapping[str, bytes]) -> bytes:
    """Return the checksums of files in the form that `sha256sum --check` reads, sorted by path."""
    lines = (f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(contents.items()))
    return "".join(lines).encode("ascii")


def _listed(contents: Mapping[str, bytes]) -> tuple[ReleasedFile, ...]:
    return tuple(
        ReleasedFile(path, len(content), hashlib.sha256(content).hexdigest())
        for path, content in sorted(contents.items())
    )


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the register for this process alone; the lock goes with the process, however it ends."""
    with (directory / _LOCK).open("ab") as file:
        try:
            _take_lock(file.fileno())
        except (BlockingIOError, PermissionError):
            raise ReleaseRefused(
                say(
                    f"{directory} : une autre publication est en cours ; recommencez quand elle sera finie",
                    f"{directory}: another release is under way; start again when it is done",
                )
            ) from None
        yield


if sys.platform == "win32":
    import msvcrt

    def _take_lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def leftovers(directory: Path) -> tuple[str, ...]:
    """Return the names that a release that was killed has left in the register's folder, sorted.

    They are folders not finished, a next index that never took its place, and the folders that it alone names.
    """
    found = {path.name for path in directory.glob(f"{_UNFINISHED}*")}
    next_index = directory / _NEXT_INDEX
    if next_index.is_file():
        found.add(_NEXT_INDEX)
        known = {release.version for release in load_register(directory).releases}
        with suppress(RegisterError, OSError):  # a next index not written to its end was not followed by a rename
            coming = _parsed(directory, next_index, next_index.read_bytes())
            if coming.sound and {release.version for release in coming.releases[:-1]} == known:
                last = coming.releases[-1].version
                found |= {last} if last not in known and (directory / last).is_dir() else set()
    return tuple(sorted(found))


def _clear_leftovers(directory: Path) -> None:
    for name in sorted(leftovers(directory), reverse=True):  # versions first, the next index that names them last
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            _remove_folder(path)
        else:
            path.unlink()


def _remove_folder(folder: Path) -> None:
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR)
    shutil.rmtree(folder)


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode)


def _sync_folders(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            sync_folder(path)

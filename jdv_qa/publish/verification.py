"""Whether a register and the files of its releases are what they were on the day of the release.

Everything is recomputed from the files: their hashes, the checksums and the manifest of each release, what its zip holds,
and the figures that the index states, from the tables themselves.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from jdv_qa.checks.indicators import indicators
from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.publish.register import (
    CHECKSUMS,
    DATA,
    INDEX,
    MANIFEST,
    OWN_NAMES,
    Register,
    Release,
    leftovers,
    manifest,
    read_release,
)

if TYPE_CHECKING:
    from deepdiff.model import DiffLevel

Kind: TypeAlias = Literal["differs", "missing", "extra", "leftover"]

_BESIDE = ("README", ".git")
"""Beginnings of names that may stand in the register's folder beside it: its description, what git keeps."""

_FEW = 3
"""Places told of a manifest that is not as the index says."""
_LONG = 40
"""Characters shown of a value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not as the index says: its path in the register's folder, what is the matter, and details or ""."""

    path: str
    kind: Kind
    reason: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the JSON form."""
        return {"path": self.path, "kind": self.kind} | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, slots=True)
class Verified:
    """A release that was verified: how many of its files were read, and what is wrong with them."""

    release: Release
    files: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found. `faults` are those of the register's own folder, outside the releases."""

    register: Register
    releases: tuple[Verified, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def all_faults(self) -> tuple[Fault, ...]:
        """Every fault, those of the register's own folder first."""
        return (*self.faults, *(fault for verified in self.releases for fault in verified.faults))


def register_faults(register: Register) -> Iterator[Fault]:
    """Yield what is wrong beside the releases: an index that was altered, leftovers of a kill, strangers."""
    directory = register.directory
    if not register.sound:
        reason = say(
            "modifié depuis la dernière publication : son contenu n'est plus celui que donne son empreinte",
            "altered since the last release: its content is no longer what its own hash says",
        )
        yield Fault(INDEX, "differs", reason)
    if not directory.is_dir():
        return
    left = leftovers(directory)
    for name in left:
        reason = say(
            "reste d'une publication interrompue ; la prochaine l'effacera",
            "left by a release that was interrupted; the next one will clear it",
        )
        yield Fault(name, "leftover", reason)
    versions = {release.version for release in register.releases}
    for path in sorted(directory.iterdir()):
        if path.name not in versions and path.name not in (*OWN_NAMES, *left) and not path.name.startswith(_BESIDE):
            reason = say("n'est pas au registre", "not in the register") if path.is_dir() else ""
            yield Fault(path.name, "extra", reason)


def verify_release(register: Register, release: Release) -> Verified:
    """Verify the files of one release."""
    folder = register.folder(release)
    if not folder.is_dir() or folder.is_symlink():
        reason = say("dossier absent", "no such folder")
        return Verified(release, 0, (Fault(release.version, "missing", reason),))
    listed = {file.path: file for file in release.files}
    found = set(_files(folder))
    faults: list[Fault] = []
    contents: dict[str, bytes] = {}
    for path, file in sorted(listed.items()):
        place = f"{release.version}/{path}"
        if path not in found:
            faults.append(Fault(place, "missing"))
            continue
        if (folder / path).is_symlink() or not (folder / path).is_file():
            faults.append(Fault(place, "differs", say("n'est pas un fichier ordinaire", "not an ordinary file")))
            continue
        try:
            content = (folder / path).read_bytes()
        except OSError as error:
            faults.append(Fault(place, "differs", str(error.strerror)))
            continue
        if hashlib.sha256(content).hexdigest() != file.sha256:
            faults.append(Fault(place, "differs", _sizes(file.size, len(content))))
        else:
            contents[path] = content
    faults.extend(Fault(f"{release.version}/{path}", "extra") for path in sorted(found - set(listed)))
    if not faults:
        faults.extend(_disagreements(register, release, contents))
    return Verified(release, len(contents), tuple(faults))


def _files(folder: Path) -> Iterator[str]:
    """Yield the paths of all that is in a folder but its folders; links are not followed."""
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        for name in (*names, *links):
            yield (Path(root) / name).relative_to(folder).as_posix()


def _sizes(stated: int, real: int) -> str:
    if stated == real:
        return say(f"{real} octets, comme attendu, mais d'autres", f"{real} bytes as expected, but others")
    return say(f"{real} octets au lieu de {stated}", f"{real} bytes instead of {stated}")


def _disagreements(register: Register, release: Release, contents: dict[str, bytes]) -> Iterator[Fault]:
    """Yield the files that, whole as they are, do not say the same thing as the index or as one another."""
    own = f"{release.version}/"
    if (held := contents.get(MANIFEST, b"")) != (wanted := manifest(release)):
        yield Fault(own + MANIFEST, "differs", _unlike_the_index(held, wanted))
    lines = contents.get(CHECKSUMS, b"").decode("ascii", "replace").splitlines()
    stated = {line[66:]: line[:64] for line in lines if line[64:66] == "  "}
    real = {file.path: file.sha256 for file in release.files if file.path != CHECKSUMS}
    if stated != real:
        yield Fault(
            own + CHECKSUMS, "differs", say("ne donne pas les empreintes des fichiers", "not the files' hashes")
        )
    for path, content in contents.items():
        if path.endswith(".zip"):
            for inside in _unlike_the_folder(content, contents):
                reason = say(f"{inside} n'y est pas comme dans le dossier", f"{inside} is not as in the folder")
                yield Fault(own + path, "differs", reason)
    try:
        edition = read_release(register, release)
    except WorkbookError as error:
        yield Fault(own + DATA, "differs", str(error))
        return
    if indicators(edition) != dict(release.figures) or len(edition.main.records) != release.rows:
        reason = say("les chiffres de l'index ne sont pas ceux des tables", "the index's figures are not the tables'")
        yield Fault(INDEX, "differs", f"{release.version} : {reason}")


def _unlike_the_index(held: bytes, wanted: bytes) -> str:
    """Return that a manifest does not say what the index says, and where: "… (title : « A », index : « B »)"."""
    plain = say("ne dit pas ce que dit l'index", "does not say what the index says")
    try:
        levels = _differences(held, wanted)
    except (ValueError, RecursionError):  # no JSON, or nested without end
        return plain
    told = [
        say(
            f"{_place(level)} : {_quoted(level.t1)}, index : {_quoted(level.t2)}",
            f"{_place(level)}: {_quoted(level.t1)}, index: {_quoted(level.t2)}",
        )
        for level in levels[:_FEW]
    ]
    more = ["…"] if len(levels) > _FEW else []
    return f"{plain} ({' ; '.join([*told, *more])})" if told else plain


def _differences(held: bytes, wanted: bytes) -> list[DiffLevel]:
    """Return where two contents in JSON differ, in the order of their places."""
    from deepdiff import DeepDiff

    found = DeepDiff(json.loads(held), json.loads(wanted), view="tree", ignore_private_variables=False, verbose_level=0)
    return sorted((level for levels in found.values() for level in levels), key=_place)


def _place(level: DiffLevel) -> str:
    """Return where two contents differ: "files[3].bytes"."""
    steps = level.path(output_format="list")
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _quoted(value: object) -> str:
    """Return a value for a sentence, shortened; what one side lacks is absent."""
    from deepdiff.helper import notpresent

    if value is notpresent:
        return say("absent", "absent")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
    return say(f"« {text} »", f'"{text}"')


def _unlike_the_folder(content: bytes, contents: dict[str, bytes]) -> Iterator[str]:
    """Yield the files of a zip that are not, byte for byte, those of the folder it stands in; its own checksums aside."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                path = info.filename.partition("/")[2]
                if path != CHECKSUMS and archive.read(info) != contents.get(path):
                    yield info.filename
    except (zipfile.BadZipFile, OSError) as error:
        yield str(error)

"""Writing files so that a reader never sees half of one, and nothing is lost by surprise.

A file is filled beside its place and renamed, a folder is filled aside and swapped in: killed anywhere, a command leaves
the old or the new. What it was filling stays behind under a name of ours (`.NAME.jdv-…`), locked for as long as its writer
lives; the next command that writes to the same place clears it, or puts back a folder that was half way out.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jdv_qa.errors import OutputError
from jdv_qa.language import say

PATIENCE = 10.0
"""Seconds to wait for another command that is writing at the same place."""

_FILLING, _RETIRED = "jdv-", "jdv-old-"
_READ_ONLY = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_SHOWN = 3


def write_file(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file whole: to a temporary file beside it, then by renaming.

    Raises OutputError when the file exists and `force` is not given, or when it cannot be written.
    """
    with new_file(path, force=force) as temporary, temporary.open("wb") as file:
        file.write(content)


@contextmanager
def new_file(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary file to fill; it takes its place as `path` when the block ends well, and vanishes otherwise.

    A symbolic link is followed: what it leads to is replaced. Raises OutputError when the file exists and `force` is not
    given, when it is read-only or no file, or when it cannot be written.
    """
    place = _place(path)
    refuse_existing(path, force)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(place, _FILLING)
        temporary, handle = _new(place, _create_file)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            with suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(place.stat().st_mode))
            if sys.platform == "win32":  # where a file that is open cannot be renamed
                os.close(handle)
                handle = -1
            _put(temporary, place, path, force)
        finally:
            with suppress(OSError):  # what cannot be removed now, the next command clears
                temporary.unlink()
            if handle >= 0:
                os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error


@contextmanager
def new_directory(path: Path, *, is_ours: Callable[[str], bool], force: bool = False) -> Iterator[Path]:
    """Give a temporary folder to fill; it takes its place as `path` when the block ends well, and vanishes otherwise.

    An empty folder at `path` is taken over. A filled one is refused with OutputError; if `force` is given it is replaced,
    provided that all its files are ones that the command may have written: `is_ours` is asked for each, by its path in the
    folder with "/" between the parts.
    """
    place = _place(path)
    try:
        _refuse_folder(place, path, is_ours, force)
        with alone(path):
            _clear_leftovers(place, _RETIRED, _FILLING)
        _refuse_folder(place, path, is_ours, force)  # a folder that was half way out may be back
        temporary, handle = _new(place, _create_folder)
        try:
            yield temporary
            _settle(temporary)
            with alone(path):
                _refuse_folder(place, path, is_ours, force)
                _swap_in(temporary, place)
        finally:
            with suppress(OSError):
                _remove_folder(temporary)
            if handle >= 0:
                os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other commands from writing at the same place while the block runs: for who reads a file and writes it anew.

    The lock is the operating system's and goes with the process. Raises OutputError when another command does not let go.
    A file system that knows no locks (some network shares) is not waited for.
    """
    place = _place(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = _open_lock(place)
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        end = time.monotonic() + PATIENCE
        while not _taken(handle):
            if time.monotonic() > end:
                raise OutputError(
                    say(
                        f"{path} : une autre commande écrit au même endroit ; recommencez quand elle aura fini",
                        f"{path}: another command is writing at the same place; start again when it is done",
                    )
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def refuse_existing(path: Path, force: bool = False) -> None:
    """Raise OutputError when a file may not be written at a place: for who wants to know before the work is done.

    What exists is replaced only if `force` is given, and only if it is a file that is not read-only.
    """
    place = _place(path)
    try:
        mode = place.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_write(path, error) from error
    if stat.S_ISDIR(mode):
        raise OutputError(
            say(f"{path} : c'est un dossier, un fichier est attendu", f"{path}: this is a folder, a file is expected")
        )
    if not stat.S_ISREG(mode):
        raise OutputError(
            say(
                f"{path} : ce n'est pas un fichier ordinaire ; donnez le nom d'un fichier",
                f"{path}: this is no ordinary file; give the name of a file",
            )
        )
    if not force:
        raise _exists(path)
    if not mode & _READ_ONLY:
        raise OutputError(
            say(
                f"{path} est en lecture seule ; choisissez un autre nom, ou levez la protection",
                f"{path} is read-only; choose another name, or lift the protection",
            )
        )


def refuse_sources(outputs: Iterable[Path | None], sources: Iterable[Path | None]) -> None:
    """Raise OutputError when a command would write over a file that it reads, with `force` or without."""
    read = {os.path.realpath(path) for path in sources if path is not None}
    for path in outputs:
        if path is not None and os.path.realpath(path) in read:
            raise OutputError(
                say(
                    f"{path} : c'est un des fichiers lus, qui ne sont jamais changés ; choisissez un autre nom",
                    f"{path}: it is one of the files read, which are never changed; choose another name",
                )
            )


def clear_leftovers(path: Path) -> None:
    """Clear what commands that were killed while they wrote a file have left beside it."""
    with suppress(OSError):
        _clear_leftovers(_place(path), _FILLING)


def reason_of(error: OSError) -> str:
    """Return why the operating system refused something, in the language in use."""
    known = {
        errno.ENOSPC: say("plus de place sur le disque", "no space left on the disk"),
        errno.EDQUOT: say("quota de disque dépassé", "disk quota exceeded"),
        errno.EACCES: say("accès refusé", "access denied"),
        errno.EPERM: say("opération non permise", "operation not permitted"),
        errno.EROFS: say("disque en lecture seule", "read-only disk"),
        errno.ENAMETOOLONG: say("nom trop long", "name too long"),
        errno.EISDIR: say("c'est un dossier", "this is a folder"),
        errno.ENOTDIR: say("un élément du chemin n'est pas un dossier", "a part of the path is no folder"),
        errno.ENOENT: say("ce chemin n'existe pas", "no such path"),
        errno.ELOOP: say("lien qui tourne en rond", "link that leads to itself"),
        errno.EIO: say("erreur du disque", "disk error"),
        errno.EFBIG: say("fichier trop grand", "file too large"),
        errno.EMFILE: say("trop de fichiers ouverts", "too many open files"),
        errno.ENOTEMPTY: say("dossier occupé", "folder not empty"),
        errno.EBUSY: say("occupé par un autre programme", "in use by another program"),
    }
    return known.get(error.errno or 0) or error.strerror or " ".join(str(error).split())


# ---------------------------------------------------------------------------------------------------- what is in the way

_RELEASED = {"manifest.json": b'"schema": "jdv-release/1"', "index.json": b'"schema": "jdv-releases/1"'}
"""Files that a released version, and the register of releases, are known by, and what stands at their beginning."""


def _place(path: Path) -> Path:
    """Return where a path leads, having refused the folder of a released version: that one is never changed."""
    if "\0" in str(path):
        raise OutputError(say(f"{str(path)!a} : nom refusé", f"{str(path)!a}: name refused"))
    try:
        place = Path(os.path.realpath(path))
    except OSError as error:
        raise _cannot_write(path, error) from error
    _refuse_released(place, path)
    return place


def _refuse_released(place: Path, path: Path) -> None:
    """Refuse to write in the folder of a released version, or over the register of releases: neither is ever changed."""
    places = [(folder, "manifest.json") for folder in (place, *place.parents)]
    if place.name == "index.json":
        places.append((place.parent, place.name))
    elif os.path.isdir(place):  # noqa: PTH112 - which answers for a name that is too long as well
        places.append((place, "index.json"))
    for folder, name in places:
        try:
            with (folder / name).open("rb") as file:
                begins = file.read(100)
        except OSError:
            continue
        if _RELEASED[name] in begins:
            raise OutputError(
                say(
                    f"{path} : une version publiée ne change plus ; choisissez un autre endroit (dossier {folder})",
                    f"{path}: a released version never changes; choose another place (folder {folder})",
                )
            )


def _refuse_folder(place: Path, path: Path, is_ours: Callable[[str], bool], force: bool) -> None:
    """Refuse a place where no folder can be swapped in, or where one holds what may not be replaced."""
    if place in (here := Path.cwd(), *here.parents):
        raise OutputError(
            say(
                f"{path} : c'est le dossier courant, ou il le contient ; donnez le nom d'un dossier à créer",
                f"{path}: this is the current folder, or holds it; give the name of a folder to make",
            )
        )
    if not os.path.lexists(place):
        return
    if not place.is_dir():
        raise OutputError(
            say(f"{path} : c'est un fichier, un dossier est attendu", f"{path}: this is a file, a folder is expected")
        )
    held = sorted(_files(place))
    if held and not force:
        raise _exists(path)
    if foreign := [name for name in held if not is_ours(name)]:
        names = ", ".join(ascii(name)[1:-1] for name in foreign[:_SHOWN]) + (" …" if len(foreign) > _SHOWN else "")
        raise OutputError(
            say(
                f"{path} contient des fichiers qui ne viennent pas de cette commande ({names}) ; choisissez un autre dossier, "
                "ou déplacez-les",
                f"{path} holds files that this command has not written ({names}); choose another folder, or move them away",
            )
        )


def _files(folder: Path) -> Iterator[str]:
    """Yield the path in the folder of all that is no folder: of files, and of links, which are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                for name in _files(Path(entry.path)):
                    yield f"{entry.name}/{name}"
            else:
                yield entry.name


def _exists(path: Path) -> OutputError:
    return OutputError(
        say(
            f"{path} existe déjà ; choisissez un autre nom ou ajoutez --force pour le remplacer",
            f"{path} already exists; choose another name or add --force to replace it",
        )
    )


def _cannot_write(path: Path, error: OSError) -> OutputError:
    reason = reason_of(error)
    return OutputError(say(f"{path} : écriture impossible ({reason})", f"{path}: cannot be written ({reason})"))


# -------------------------------------------------------------------------------------------------------- into its place


def _put(temporary: Path, place: Path, path: Path, force: bool) -> None:
    """Give a file that is filled its name; without `force` only if nothing has come there in the meantime."""
    if force:
        refuse_existing(path, force)
        temporary.replace(place)
        return
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without hard links
        refuse_existing(path)
        temporary.replace(place)


def _swap_in(temporary: Path, place: Path) -> None:
    """Give a folder that is filled its name, in the place of one that may be replaced."""
    if not place.exists():
        temporary.rename(place)
        return
    retired = place.parent / _name_aside(place, _RETIRED)
    place.rename(retired)
    try:
        temporary.rename(place)
    except OSError:
        retired.rename(place)
        raise
    rest = place.parent / _name_aside(
        place, _FILLING
    )  # no name under which it would come back, now that it loses files
    with suppress(OSError):  # what cannot be removed now, the next command clears
        retired.rename(rest)
        _remove_folder(rest)


def _settle(folder: Path) -> None:
    """Have all the files of a folder, and their names, on the disk."""
    for inside, _, names in os.walk(folder, topdown=False):
        for name in names:
            with Path(inside, name).open("rb+") as file:
                os.fsync(file.fileno())
        sync_folder(Path(inside))


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; Windows has no such call and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name_aside(place: Path, kind: str) -> str:
    """Return a new hidden name beside a place, which tells what it is, of which place, and is not too long."""
    return f"{_name_begins(place, kind)}{os.urandom(4).hex()}"


def _name_begins(place: Path, kind: str) -> str:
    return f".{place.name[:50]}.{kind}{zlib.crc32(os.fsencode(place.name)):08x}"


def _new(place: Path, create: Callable[[Path], int]) -> tuple[Path, int]:
    """Make a file or a folder beside a place, and lock it; return it and the handle of the lock, -1 for none."""
    while True:
        path = place.parent / _name_aside(place, _FILLING)
        try:
            handle = create(path)
        except FileExistsError:
            continue
        if handle < 0 or (_taken(handle) and _is_open_as(path, handle)):
            return path, handle
        os.close(handle)  # another command has cleared it, before it was locked


def _is_open_as(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _create_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _create_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY) if sys.platform != "win32" else -1


def _clear_leftovers(place: Path, *kinds: str) -> None:
    """Clear what commands that were killed have left beside a place; a folder that was half way out comes back."""
    with os.scandir(place.parent) as entries:
        names = sorted(entry.name for entry in entries if entry.name.startswith("."))
    for kind in kinds:
        ours = re.compile(re.escape(_name_begins(place, kind)) + "[0-9a-f]{8}")
        for path in (place.parent / name for name in names if ours.fullmatch(name)):
            if not _is_abandoned(path):
                continue
            with suppress(OSError):  # what cannot be cleared stays, under its name
                if kind is _RETIRED and not os.path.lexists(place):
                    path.rename(place)
                elif path.is_dir() and not path.is_symlink():
                    _remove_folder(path)
                else:
                    path.unlink()


def _remove_folder(folder: Path) -> None:
    import shutil

    for inside, _, _ in os.walk(folder):
        Path(inside).chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


# ----------------------------------------------------------------------------------------------------------------- locks

_NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What file systems answer that know no locks: some network shares."""

if sys.platform == "win32":
    import msvcrt
    import tempfile

    def _try_lock(handle: int) -> None:
        os.lseek(handle, 1 << 30, os.SEEK_SET)  # beyond what is written: others may not read a locked byte
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _open_lock(place: Path) -> int:
        # a folder cannot be locked there: a file of the temporary folder stands for it
        name = f"jdv-{zlib.crc32(os.fsencode(place.parent)):08x}.lock"
        return os.open(Path(tempfile.gettempdir(), name), os.O_RDWR | os.O_CREAT)

    def _is_abandoned(path: Path) -> bool:
        # a file that is open cannot be removed there, which tells as much; a folder is left to people
        return path.is_file()
else:
    import fcntl

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _open_lock(place: Path) -> int:
        return os.open(place.parent, os.O_RDONLY)

    def _is_abandoned(path: Path) -> bool:
        """Tell whether a file or folder of ours has no living writer; one whose file system knows no locks may have."""
        try:
            is_folder = stat.S_ISDIR(path.lstat().st_mode)
            handle = os.open(path, (os.O_RDONLY if is_folder else os.O_RDWR) | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True


def _taken(handle: int) -> bool:
    """Take a lock and tell whether it was free; one that the file system does not know counts as free."""
    try:
        _try_lock(handle)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return True
        if isinstance(error, (BlockingIOError, PermissionError)) or error.errno == errno.EDEADLK:
            return False
        raise
    return True


State = tuple[int, ...]
"""What tells a file from another, or from itself once it has been changed."""


def state_of(path: Path) -> State | None:
    """Return the state of a file, None when there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns

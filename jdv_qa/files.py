"""Writing files so that a reader never sees half of one, and nothing is lost by surprise."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jdv_qa.errors import OutputError
from jdv_qa.language import say


def write_file(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file whole: to a temporary file beside it, then by renaming.

    Raises OutputError when the file exists and `force` is not given, or when it cannot be written.
    """
    with new_file(path, force=force) as temporary, temporary.open("wb") as file:
        file.write(content)


@contextmanager
def new_file(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary file to fill; it takes its place as `path` when the block ends well, and vanishes otherwise.

    Raises OutputError when the file exists and `force` is not given, or when it cannot be written.
    """
    _refuse_released(path)
    refuse_existing(path, force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        try:
            yield Path(name)
            with Path(name).open("rb+") as file:
                os.fsync(file.fileno())
            Path(name).chmod(_file_mode())
            _rename(Path(name), path, force)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()
    except OSError as error:
        raise _cannot_write(path, error) from error


@contextmanager
def new_directory(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary folder to fill; it takes its place as `path` when the block ends well, and vanishes otherwise.

    An empty folder at `path` is taken over; a filled one is refused with OutputError, or replaced if `force` is given.
    """
    _refuse_released(path)
    occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
    if occupied:
        refuse_existing(path, force)
        if not path.is_dir():
            raise OutputError(
                say(
                    f"{path} : c'est un fichier, un dossier est attendu",
                    f"{path}: this is a file, a folder is expected",
                )
            )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
            path.rename(retired / path.name)
            temporary.rename(path)
            shutil.rmtree(retired)
        else:
            temporary.rename(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


_RELEASED = {"manifest.json": b'"schema": "jdv-release/1"', "index.json": b'"schema": "jdv-releases/1"'}
"""Files that a released version, and the register of releases, are known by, and what stands at their beginning."""


def _refuse_released(path: Path) -> None:
    """Refuse to write in the folder of a released version, or over the register of releases: neither is ever changed."""
    places = [(folder, "manifest.json") for folder in (path, *path.absolute().parents)]
    if path.name == "index.json":
        places.append((path.parent, path.name))
    elif path.is_dir():
        places.append((path, "index.json"))
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


def refuse_existing(path: Path, force: bool = False) -> None:
    """Raise OutputError when a file exists and may not be replaced: for who wants to know before the work is done."""
    if path.exists() and not force:
        raise OutputError(
            say(
                f"{path} existe déjà ; choisissez un autre nom ou ajoutez --force pour le remplacer",
                f"{path} already exists; choose another name or add --force to replace it",
            )
        )


def _rename(temporary: Path, path: Path, force: bool) -> None:
    if force:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        refuse_existing(path, force)
    except OSError:  # a file system without hard links
        refuse_existing(path, force)
        temporary.replace(path)


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(
        say(f"{path} : écriture impossible ({error.strerror})", f"{path}: cannot be written ({error.strerror})")
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _file_mode() -> int:
    return 0o666 & ~_umask()

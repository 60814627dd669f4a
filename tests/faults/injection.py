"""Steps in before each operation on the files of a folder: to count it, to make it fail, or to look at what is there.

What a process that is killed leaves behind is what is on the disk before its next operation: a look at the folder at each
operation is as good as a kill at each, and takes one run.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PATHS = {
    "link": 2,
    "rename": 2,
    "replace": 2,
    "symlink": 2,
    "mkdir": 1,
    "rmdir": 1,
    "unlink": 1,
    "remove": 1,
    "chmod": 1,
    "truncate": 1,
}
"""Functions of `os` that change what is on the disk, and how many of their arguments are paths."""
NEEDS_ROOM = {"open", "write", "mkdir", "link", "symlink", "fsync"}
"""Operations that a full disk refuses."""

Before = Callable[[str], None]
"""What is done before an operation: it is given its kind, and may raise OSError in its place."""


@contextmanager
def before_each_operation(folder: Path, before: Before) -> Iterator[None]:
    """Call a function before each operation on what is in a folder, while the block runs."""
    real: dict[tuple[Any, str], Any] = {}
    inside = str(folder.resolve())
    busy = False

    def concerns(path: object) -> bool:
        return isinstance(path, (str, os.PathLike)) and str(Path(path).parent.resolve()).startswith(inside)

    def step(kind: str) -> None:
        nonlocal busy
        if not busy:  # what is done in `before` itself is not looked at
            busy = True
            try:
                before(kind)
            finally:
                busy = False

    def instead(name: str, function: Any) -> Any:
        def called(*arguments: Any, **options: Any) -> Any:
            if options.get("dir_fd") is None and any(concerns(path) for path in arguments[: PATHS[name]]):
                step(name)
            return function(*arguments, **options)

        return called

    def low_open(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & WRITING and concerns(path):
            step("open")
        number: int = real[os, "open"](path, flags, *arguments, **options)
        return number

    def fsync(handle: Any) -> None:
        step("fsync")
        real[os, "fsync"](handle)

    def high_open(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if not (set(mode) & set("wxa+") and concerns(file)):
            return real[io, "open"](file, mode, *arguments, **options)
        step("open")
        opened = real[io, "open"](file, mode, *arguments, **options)
        write = opened.write

        def written(data: Any) -> Any:
            half = data[: len(data) // 2]
            write(half)
            opened.flush()
            step("write")  # half of it is on the disk
            return len(half) + write(data[len(half) :])

        opened.write = written
        return opened

    replacements = {
        (os, "open"): low_open,
        (os, "fsync"): fsync,
        (io, "open"): high_open,
        (builtins, "open"): high_open,
    }
    replacements |= {(os, name): instead(name, getattr(os, name)) for name in PATHS}
    try:
        for (module, name), function in replacements.items():
            real[module, name] = getattr(module, name)
            setattr(module, name, function)
        yield
    finally:
        for (module, name), function in real.items():
            setattr(module, name, function)


def disk_full_from(number: int) -> tuple[Before, list[str]]:
    """Return what refuses every operation that needs room from that number on, and the list of the operations seen."""
    seen: list[str] = []

    def before(kind: str) -> None:
        seen.append(kind)
        if len(seen) > number and kind in NEEDS_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return before, seen


def fails_at(number: int, error: int = errno.EIO) -> tuple[Before, list[str]]:
    """Return what makes the operation of that number fail, once, and the list of the operations seen."""
    seen: list[str] = []

    def before(kind: str) -> None:
        seen.append(kind)
        if len(seen) == number + 1:
            raise OSError(error, os.strerror(error))

    return before, seen


Tree = dict[str, bytes]
"""What is in a folder: the content of each file by its path, and of each folder, whose path ends in "/", nothing."""


def tree(folder: Path) -> Tree:
    """Return what is in a folder."""
    return {
        path.relative_to(folder).as_posix() + ("/" if path.is_dir() else ""): b""
        if path.is_dir()
        else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def put_back(folder: Path, content: Tree) -> None:
    """Make a folder hold what it held."""
    import shutil

    for inside, _, _ in os.walk(folder):
        Path(inside).chmod(0o700)
    shutil.rmtree(folder)
    folder.mkdir()
    for name, data in content.items():
        if name.endswith("/"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)

"""The standard streams: made fit to be written to, one exit for each, and what becomes of them when they fail.

stdout holds what was asked for, stderr one line for each thing to tell. Both are UTF-8 whatever the terminal or the locale says.
"""

from __future__ import annotations

import os
import sys

from jdv_qa.errors import OutputError
from jdv_qa.language import say


def prepare() -> None:
    """Make the streams of this process fit: UTF-8, and there, should one have been closed.

    A file opened later would take the number of a closed stream, and get what is printed. What is told on a closed stderr goes
    nowhere; a closed stdin is at its end; writing to a closed stdout fails, as it should.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest number that is free, this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (it stays open to the end)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if not os.environ.get("COLUMNS", "80").strip("0"):
        del os.environ["COLUMNS"]  # 0 is what is said of a width that is not known, and rich would print nothing
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


_LONGEST_LINE = 2000
"""Characters of a line for people; what a line quotes from a file may be as long as the file."""


def tell(text: str) -> None:
    """Print a line for people on stderr, shortened in its middle if need be; nothing in it can act on the terminal."""
    from jdv_qa.harmless import harmless_line, without_commands

    line = without_commands(harmless_line(text))
    if len(line) > _LONGEST_LINE:
        line = f"{line[: _LONGEST_LINE // 2]} […] {line[-_LONGEST_LINE // 2 :]}"
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        return  # nobody hears, and the exit status says what there is to say


def write(content: bytes, *, ours: bool = False) -> None:
    """Write to stdout: as it is, or, to a terminal and unless every byte is our own, with what would act on it escaped.

    In JSON, what a machine that runs jobs would obey is escaped in any case. Raises OutputError where writing fails, but not for
    a reader that has gone (head, a pager).
    """
    if b"##" in content and content.startswith((b"{", b"[")):
        from jdv_qa.harmless import json_without_commands

        content = json_without_commands(content)
    if not ours and sys.stdout.isatty():
        from jdv_qa.harmless import escaped

        content = escaped(content.decode(errors="replace").replace("\r\n", "\n")).encode()
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    except BrokenPipeError:
        nobody_reads()
    except OSError as error:
        raise not_written(error) from None


def nobody_reads() -> None:
    """Let what is still written to stdout go nowhere: the reader of the pipe has gone, and the command goes on to its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def not_written(error: OSError) -> OutputError:
    """Return the error for people that stands for what the system said of stdout, which is given up."""
    nobody_reads()  # what could not be written is still in the buffer, and must not be tried again
    from jdv_qa.files import reason_of

    reason = reason_of(error)
    return OutputError(
        say(f"sortie standard : écriture impossible ({reason})", f"standard output: cannot be written ({reason})")
    )


def finish() -> None:
    """Write what is left in the buffer of stdout; raises as `write` does."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        nobody_reads()
    except OSError as error:
        raise not_written(error) from None

"""Standard streams that are closed, full, narrow or of another encoding, Ctrl-C, and texts that would act on the terminal."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.cli.app import main
from jdv_qa.cli.streams import finish, prepare
from jdv_qa.sample import REQUESTS, files
from tests.casebook import build_workbook
from tests.command_line import invoke

OLD, NEW, DRAFT = (str(files()[version]) for version in ("1.0.0", "1.1.0", "1.2.0"))
JDV = [sys.executable, "-m", "jdv_qa"]
COMMANDS = {
    "--help": 0, "--version": 0, "check --help": 0, "rules": 0, "rule COD-02": 0, f"info {NEW}": 0, f"info {NEW} -f json": 0, f"layout {NEW}": 0,
    f"check {DRAFT}": 1, f"check {DRAFT} -f json": 1, f"check {DRAFT} -f md": 1, f"check {DRAFT} -f html": 1, f"check {DRAFT} -f github": 1,
    f"diff {OLD} {NEW}": 1, f"diff {OLD} {NEW} -f json": 1, f"diff {OLD} {NEW} -f html": 1, f"notes {OLD} {NEW}": 0, f"triage review {REQUESTS} {NEW}": 0,
    f"fix {DRAFT} --dry-run": 1, "releases": 0, "loinc --help": 0,
}  # fmt: skip
"""Command lines that print, with the status of each."""
EVERYDAY = ("--help", "check --help", "rules", f"info {NEW} -f json", f"check {DRAFT}")


def some(*everyday: str) -> list[object]:
    """Return all the command lines, those that are not for every day marked slow."""
    return [
        pytest.param(
            line,
            id=" ".join(Path(word).name for word in line.split()),
            marks=[] if line in everyday else pytest.mark.slow,
        )
        for line in COMMANDS
    ]


def run(line: str, *, cwd: Path, **how: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*JDV, *line.split()], cwd=cwd, check=False, stderr=subprocess.PIPE, **({"stdout": subprocess.PIPE} | how)
    )  # type: ignore[call-overload, no-any-return]


def shell(line: str, redirection: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command line with its streams as a shell closes them."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *JDV, *line.split()], cwd=cwd, check=False, capture_output=True
    )


@pytest.fixture(autouse=True)
def _package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in folders of their own."""
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]))


@pytest.mark.parametrize("line", some("--help", "check --help", f"info {NEW} -f json", f"check {DRAFT}"))
def test_a_reader_that_has_gone_is_no_error(line: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        answer = run(line, cwd=tmp_path, stdout=writing)
    finally:
        os.close(writing)
    assert (answer.returncode, answer.stderr) == (COMMANDS[line], b"")


def test_files_are_written_though_nobody_reads_the_screen(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    answer = run(f"check {DRAFT} --report r.json", cwd=tmp_path, stdout=writing)
    os.close(writing)
    assert answer.returncode == 1
    assert json.loads((tmp_path / "r.json").read_bytes())["schema"] == "jdv-check/1"


@pytest.mark.parametrize(
    "words", [["check", "--help"], ["help", "diff"], ["rules"], ["--show-completion", "bash"]], ids=" ".join
)
@pytest.mark.parametrize("pieces", range(8))
def test_a_reader_that_goes_while_it_is_written_to_is_no_error(
    words: list[str], pieces: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`jdv check --help | head`: what writes in pieces, as rich does, is told at the next piece that nobody reads."""
    reading, writing = os.pipe()

    class UntilItGoes(io.FileIO):
        left = pieces

        def write(self, data: Any) -> int:
            if self.left == 0:
                os.close(reading)
            self.left -= 1
            return super().write(data) or 0

    with io.TextIOWrapper(io.BufferedWriter(UntilItGoes(writing, "wb")), encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        status = main(words)
        finish()
        if stdout.buffer.raw.left >= 0:  # type: ignore[attr-defined]
            os.close(reading)  # all was written before it was to go
    assert (status, capfd.readouterr().err) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("line", some("--help", f"check {DRAFT}"))
def test_a_full_stdout_is_one_line(line: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        answer = run(line, cwd=tmp_path, stdout=full)
    assert answer.returncode == 2
    assert re.fullmatch(r"jdv: sortie standard : écriture impossible \(.+\)\n", answer.stderr.decode())


@pytest.mark.skipif(os.name != "posix", reason="sh closes the streams")
@pytest.mark.parametrize("line", some("rules"))
def test_a_closed_stdout_is_one_line(line: str, tmp_path: Path) -> None:
    answer = shell(line, ">&-", tmp_path)
    assert answer.returncode == 2
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stderr.startswith(b"jdv: sortie standard")


@pytest.mark.skipif(os.name != "posix", reason="sh closes the streams")
def test_a_closed_stdout_matters_only_where_something_is_printed(tmp_path: Path) -> None:
    answer = shell(f"info {NEW} -f json", "<&- 2>&-", tmp_path)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert json.loads(answer.stdout)["version"] == "1.1.0"
    quiet = shell("check missing.xlsx", "<&- >&- 2>&-", tmp_path)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (2, b"", b"")
    written = shell(f"check {DRAFT} -o r.json", "<&- >&-", tmp_path)
    assert written.returncode == 1, written.stderr
    assert json.loads((tmp_path / "r.json").read_bytes())["summary"]["error"] > 0


@pytest.mark.skipif(os.name != "posix", reason="sh closes the streams")
def test_nothing_told_gets_into_what_is_printed_where_stderr_is_closed(tmp_path: Path) -> None:
    answer = shell(f"check {DRAFT} -f json --report r.md", "2>&-", tmp_path)
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["schema"] == "jdv-check/1"
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("#")


LOCALES = {
    "C": {"LC_ALL": "C"}, "C without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "cp850": {"PYTHONIOENCODING": "cp850:strict", "PYTHONUTF8": "0"}, "ascii": {"PYTHONIOENCODING": "ascii"},
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "C without UTF-8" else pytest.mark.slow) for name in LOCALES]
)
def test_the_answer_is_the_same_utf8_in_every_locale(name: str, tmp_path: Path) -> None:
    for line in ("rule COD-02", "check é.xlsx"):
        here, there = (
            run(line, cwd=tmp_path, env=os.environ | {"COLUMNS": "80"} | more) for more in ({}, LOCALES[name])
        )
        assert (there.returncode, there.stdout.decode(), there.stderr.decode()) == (
            here.returncode,
            here.stdout.decode(),
            here.stderr.decode(),
        )


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "ascii"])
def test_streams_of_another_encoding_become_utf8(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    prepare()
    sys.stdout.write("→ \udce9")
    sys.stdout.flush()
    assert sys.stdout.buffer.getvalue().decode() == "→ \\udce9"  # type: ignore[attr-defined]


def test_a_name_that_is_no_text_is_told_and_reported(tmp_path: Path) -> None:
    if sys.platform in ("darwin", "win32"):
        pytest.skip("names of files are Unicode here")
    named = tmp_path / os.fsdecode(b"caf\xe9\x1b[31m.xlsx")
    named.write_bytes(Path(NEW).read_bytes())
    for form in ("text", "md", "json", "github"):
        answer = invoke("check", named, "-f", form)
        assert (answer.exit_code, answer.stderr) == (0, "")
        assert "\x1b" not in answer.stdout
    missing = run("check \udce9\x1b.xlsx", cwd=tmp_path)
    assert missing.stderr.decode().count("\n") == 1
    assert "\\udce9‹U+001B›.xlsx" in missing.stderr.decode()


HOSTILE = "x\x9b31m\u202e[bold red]rouge[/] \u200b::error::y"


@pytest.mark.parametrize("form", ["text", "md", "github"])
def test_a_cell_cannot_act_on_the_terminal(form: str, tmp_path: Path) -> None:
    rows = [{"result_display": HOSTILE, "order_label": HOSTILE, "result_code": "14682\u202e-9"}]
    book = build_workbook({"rows": rows}, tmp_path / "v.xlsx")
    answer = invoke("check", book, "-f", form, "--lang", "en")
    assert answer.exit_code == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u200b]", answer.output)
    assert "U+202E" in answer.stdout


def test_a_changed_cell_cannot_act_on_the_terminal_and_json_is_exact(tmp_path: Path) -> None:
    old = build_workbook({"rows": [{}]}, tmp_path / "old.xlsx")
    new = build_workbook({"rows": [{"result_display": HOSTILE}]}, tmp_path / "new.xlsx")
    for form in ("text", "md"):
        answer = invoke("diff", old, new, "-f", form)
        assert answer.exit_code == 1
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u200b]", answer.output)
        assert "U+202E" in answer.stdout
    assert HOSTILE in {change["new"] for change in json.loads(invoke("diff", old, new, "-f", "json").stdout)["changes"]}
    assert not re.search("[\x7f-\x9f\u202e\u200b]", invoke("notes", old, new).output)


def test_an_error_is_one_line_whatever_it_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert invoke("rule", "a\nb\x1b[2J")[2].count("\n") == 1
    assert "\x1b" not in invoke("rule", "\x1b[2J").stderr
    assert invoke("\x1b]0;x\x07")[2] == "jdv: pas de commande « ‹U+001B›]0;x‹U+0007› » (la liste : « jdv --help »)\n"
    assert invoke("check", r"D:\classeurs\nouveau\tab.xlsx")[2].startswith(r"jdv: D:\classeurs\nouveau\tab.xlsx : ")


def on_terminal(line: str, columns: int, cwd: Path) -> str:
    """Return what a command line shows on a terminal so wide, without its colours."""
    pty, termios, fcntl, struct = (pytest.importorskip(name) for name in ("pty", "termios", "fcntl", "struct"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [*JDV, *line.split()],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment | {"TERM": "xterm-256color"},
    )
    os.close(theirs)
    shown = bytearray()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so of a terminal that nobody holds any more
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == COMMANDS[line]
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n")


@pytest.mark.skipif(os.name != "posix", reason="a folder that is in use stays elsewhere")
def test_a_current_folder_that_is_gone_matters_only_where_it_is_meant(tmp_path: Path) -> None:
    gone = tmp_path / "parti"
    told = []
    for words in (["check", DRAFT, "-f", "json"], ["export", NEW, "out"], ["info", "x.xlsx"]):
        gone.mkdir()
        move = f'cd "{gone}" && rmdir "{gone}" && exec "$@"'
        done = subprocess.run(["sh", "-c", move, "sh", *JDV, *words], cwd=tmp_path, check=False, capture_output=True)
        told.append((done.returncode, done.stderr.decode().replace("\u00a0", " ")))
    assert told[0] == (1, "")
    assert all(status == 2 and line.count("\n") == 1 for status, line in told[1:]), told
    assert not any("No such" in line for _, line in told)


@pytest.mark.parametrize("columns", ["0", "00", ""])
def test_a_width_that_is_not_known_hides_nothing(columns: str, tmp_path: Path) -> None:
    answer = run(f"diff {OLD} {NEW}", cwd=tmp_path, env=os.environ | {"COLUMNS": columns})
    wanted = run(
        f"diff {OLD} {NEW}", cwd=tmp_path, env={name: text for name, text in os.environ.items() if name != "COLUMNS"}
    )
    assert answer.stdout == wanted.stdout != b""


NARROW = (
    "--help",
    f"check {DRAFT}",
    f"diff {OLD} {NEW}",
    f"info {NEW}",
    "rules",
    f"notes {OLD} {NEW}",
    f"triage review {REQUESTS} {NEW}",
)


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        pytest.param(line, columns, id=f"{line.split()[0]}-{columns}", marks=[] if (line, columns) in ((NARROW[0], 40), (NARROW[1], 40)) else pytest.mark.slow)
        for line in NARROW
        for columns in (40, 80, 140)
    ],
)  # fmt: skip
def test_a_terminal_is_filled_and_nothing_cut(line: str, columns: int, tmp_path: Path) -> None:
    from rich.cells import cell_len

    shown = on_terminal(line, columns, tmp_path)
    assert "\x1b" not in shown
    wide = invoke(*line.split()).stdout
    if not line.startswith("notes"):  # Markdown is written as it is
        assert max(map(cell_len, shown.splitlines())) <= columns
    addresses = set(re.findall(r"\w[\w.]*![A-Z]+\d+", wide))
    assert addresses <= set(re.findall(r"\w[\w.]*![A-Z]+\d+", shown))
    assert bool(addresses) == line.startswith("check")
    assert set(re.findall(r"--[a-z][a-z-]+", wide)) <= set(re.findall(r"--[a-z][a-z-]+", shown))


@pytest.mark.parametrize("place", ["jdv_qa.workbook.read.read_edition", "jdv_qa.report.findings_html.findings_html"])
def test_an_interruption_is_one_line_and_leaves_nothing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place, interrupted)
    answer = invoke("check", DRAFT, "-o", tmp_path / "r.html", "--report", tmp_path / "r.json")
    assert answer == (130, "", "jdv: interrompu\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ZeroDivisionError("a\nb"),
            "jdv: erreur imprévue, à signaler (ZeroDivisionError : a⏎b) ; « jdv --debug … » en dit plus\n",
        ),
        (MemoryError(), "jdv: mémoire insuffisante\n"),
        (OSError(errno.ENOSPC, "No space left on device", "f.tmp"), "jdv: f.tmp : plus de place sur le disque\n"),
    ],
)
def test_what_nobody_foresaw_is_one_line_and_status_2(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("jdv_qa.workbook.read.read_edition", broken)
    assert invoke("info", DRAFT) == (2, "", told)
    answer = invoke("--debug", "info", DRAFT)
    assert answer.exit_code == 2
    assert "Traceback" in answer.stderr

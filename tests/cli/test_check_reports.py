"""The reports of `jdv check` through the command line: several at once, plain when piped, watched, completed by the shell."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jdv_qa.checks.engine import Report, rule_functions
from jdv_qa.cli.app import main
from jdv_qa.cli.watching import PATIENCE, saves, stamp, watch
from jdv_qa.errors import WorkbookError
from jdv_qa.sample import files
from tests.publish.releases import small_register
from tests.report.reports import draft, waived

DRAFT = str(files()["1.2.0"])


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def whole(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"} | variables
    command = [sys.executable, "-m", "jdv_qa", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)


ALL = {
    "text": "a.txt", "html": "a.html", "xlsx": "a.xlsx", "json": "a.json", "csv": "a.csv", "sarif": "a.sarif",
    "junit": "a.xml", "github": "a.github", "md": "a.md",
}  # fmt: skip


def test_several_reports_at_once_beside_the_screen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = [word for form, name in ALL.items() for word in ("--report", f"{form}={tmp_path / name}")]
    status, out, err = run(capsys, "check", DRAFT, *options)
    assert status == 1
    assert out.startswith("JDV_CircuitBio_1.2.0_brouillon.xlsx")
    assert err.count("24 erreurs") == len(ALL)
    for form, name in ALL.items():
        assert (tmp_path / name).stat().st_size > 1000, form
    # each is what --format gives alone
    for form in ("json", "csv", "sarif", "junit", "github", "md"):
        assert main(["check", DRAFT, "--format", form]) == 1
        printed = capsys.readouterr().out
        assert printed.encode() == (tmp_path / ALL[form]).read_bytes(), form


def test_reports_without_a_name_go_into_reports_under_that_of_the_workbook(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("check", DRAFT, "--report", "html", "--report", "sarif", "--annotate", "--limit", "1")
    status, _, told = run(capsys, *words)
    stem = Path(DRAFT).stem
    names = [f"{stem}-annote.xlsx", f"{stem}.html", f"{stem}.sarif.json"]
    assert status == 1
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(names)
    assert all(f"{Path('reports') / name} : " in told for name in names)
    status, _, told = run(capsys, *words)
    assert (status, told.count("existe déjà")) == (2, 1)
    (tmp_path / "là").mkdir()
    assert run(capsys, "check", DRAFT, "--annotate", "là", "--limit", "1")[0] == 1
    assert (tmp_path / "là" / names[0]).is_file()


def test_the_form_goes_by_the_name_of_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = ["a.html", "b.sarif", "c.sarif.json", "d.xml", "e.md", "f.csv", "g.json", "h.txt"]
    status, _, _ = run(capsys, "check", DRAFT, *(word for name in names for word in ("--report", tmp_path / name)))
    assert status == 1
    begins = {name: (tmp_path / name).read_text(encoding="utf-8")[:200] for name in names}
    assert begins["a.html"].startswith("<!DOCTYPE html>")
    assert '"$schema"' in begins["b.sarif"]
    assert begins["b.sarif"] == begins["c.sarif.json"]
    assert "<testsuites" in begins["d.xml"]
    assert begins["e.md"].startswith("## Contrôle")
    assert '"jdv-check/1"' in begins["g.json"]


def test_what_cannot_be_written_is_said_before_the_work(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    there = tmp_path / "a.html"
    there.write_text("mien", encoding="utf-8")
    other = tmp_path / "b.md"
    status, out, err = run(capsys, "check", DRAFT, "--report", other, "--report", there)
    assert (status, out) == (2, "")
    assert "--force" in err
    assert not other.exists()
    assert there.read_text(encoding="utf-8") == "mien"
    assert run(capsys, "check", DRAFT, "--report", f"pdf={tmp_path / 'a.pdf'}")[0] == 2
    assert run(capsys, "check", DRAFT, "--report", tmp_path / "a.pdf")[0] == 2
    assert run(capsys, "check", DRAFT, "--report", f"html={other}", "--report", f"md={other}")[0] == 2
    assert run(capsys, "check", DRAFT, "--watch", "--format", "json")[0] == 2
    assert run(capsys, "check", DRAFT, "--report", other, "--report", there, "--force")[0] == 1


def test_a_rule_that_breaks_down_is_in_every_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[object]:
        raise KeyError("x")

    monkeypatch.setitem(rule_functions(), "UNI-02", broken)  # type: ignore[arg-type]
    options = [word for form in ("html", "sarif", "junit", "md") for word in ("--report", f"{form}={tmp_path / form}")]
    status, out, err = run(capsys, "check", DRAFT, *options)
    assert status == 2
    assert "UNI-02" in err
    assert "La règle UNI-02 a échoué" in out
    for form in ("html", "sarif", "junit", "md"):
        assert "KeyError" in (tmp_path / form).read_text(encoding="utf-8"), form
    run_of = json.loads((tmp_path / "sarif").read_text(encoding="utf-8"))["runs"][0]
    assert run_of["invocations"][0]["toolExecutionNotifications"][0]["associatedRule"]["id"] == "UNI-02"


def test_the_page_plots_the_register(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small_register(tmp_path)
    assert run(capsys, "check", DRAFT, "-o", "a.html")[0] == 1
    page = Path("a.html").read_text(encoding="utf-8")
    for version in ("1.0.0", "1.1.0", "1.10.0", "1.2.0"):
        assert f">{version}</th>" in page
    Path("releases/index.json").write_text("{}", encoding="utf-8")
    assert run(capsys, "check", DRAFT, "-o", "b.html")[0] == 1
    page = Path("b.html").read_text(encoding="utf-8")
    assert "Indicateurs au fil des versions" not in page
    assert "Pas d&#39;indicateurs des versions" in page


def test_piped_text_is_plain_and_fits_80_columns() -> None:
    answer = whole("check", DRAFT, "--limit", 0)
    assert "\x1b" not in answer.stdout
    assert answer.stderr == ""
    assert "1.JDV_CircuitBio!T162" in answer.stdout
    assert max(map(len, answer.stdout.splitlines())) <= 80


def on_terminal(*arguments: str, **variables: str) -> str:
    """What a command writes on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"COLUMNS": "80", "TERM": "xterm-256color"} | variables
    command = [sys.executable, "-m", "jdv_qa", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            said += piece
        process.wait()
    os.close(ours)
    return said.decode()


def test_colours_are_for_terminals_that_want_them() -> None:
    assert re.search(r"\x1b\[[0-9;]*31m", on_terminal("check", DRAFT, "--limit", "1"))
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", on_terminal("check", DRAFT, "--limit", "1", NO_COLOR="1"))


def test_long_work_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import io

    from rich.console import Console

    from jdv_qa.cli import progress

    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(progress, "console", lambda **_: screen)
    monkeypatch.setattr(progress, "on_terminal", lambda: True)
    small, large = tmp_path / "small.xlsx", tmp_path / "large.xlsx"
    small.write_bytes(b"x")
    large.write_bytes(bytes(progress.LARGE))
    with progress.patience([large], 0.01) as told:
        told("Règle UNI-02", 50, 100)
        time.sleep(0.3)
    text = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "Règle UNI-02" in text
    assert "50%" in text
    screen.file = io.StringIO()
    with progress.patience([large], 5) as told:
        told("Règle UNI-02", 50, 100)
    assert "UNI-02" not in screen.file.getvalue()
    threads = threading.active_count()
    with progress.patience([small, tmp_path / "absent.xlsx"], 0) as told:
        told("Règle UNI-02", 50, 100)
        assert threading.active_count() == threads
    with progress.patience([tmp_path], 5):
        assert threading.active_count() > threads


# --- watching


class Looks:
    """A stand-in for waiting: at each pause the next of some actions is done; after the last, Ctrl-C."""

    def __init__(self, *actions: object) -> None:
        self.actions = iter(actions)

    def __call__(self, seconds: float) -> None:
        action = next(self.actions, KeyboardInterrupt)
        if action is KeyboardInterrupt:
            raise KeyboardInterrupt
        if callable(action):
            action()


def written(path: Path, size: int) -> object:
    return lambda: path.write_bytes(b"x" * size)


def test_a_save_counts_once_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    path.write_bytes(b"x")
    looks = Looks(
        None,
        (tmp_path / "~$v.xlsx").touch,  # Excel opens the file
        path.unlink,  # and saves: the old one goes, the new one comes bit by bit
        written(path, 0),
        written(path, 10),
        written(path, 20),
        written(path, 30),
        None,
    )
    found = saves(path, looks)
    assert next(found)[1] == 30
    with pytest.raises(KeyboardInterrupt):
        next(found)


def test_a_file_that_is_away_or_empty_has_no_stamp(tmp_path: Path) -> None:
    assert stamp(tmp_path / "v.xlsx") is None
    (tmp_path / "v.xlsx").touch()
    assert stamp(tmp_path / "v.xlsx") is None


def watched(
    path: Path, answers: Iterator[object], looks: Looks
) -> tuple[Report, list[tuple[Report, Report]], list[str]]:
    told: list[tuple[Report, Report]] = []
    failures: list[str] = []

    def answer() -> Report:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, Report)
        return found

    report = watch(
        path,
        answer,
        lambda before, after: told.append((before, after)),
        lambda error: failures.append(str(error)),
        looks,
    )
    return report, told, failures


def test_each_save_is_compared_with_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    path.write_bytes(b"x")
    looks = Looks(written(path, 10), None, None, written(path, 20), None)
    report, told, failures = watched(path, iter([draft(), waived(), draft()]), looks)
    assert report is draft()
    assert told == [(draft(), draft()), (draft(), waived()), (waived(), draft())]
    assert failures == []


def test_a_half_written_save_is_tried_again_and_then_told(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    path.write_bytes(b"x")
    broken = WorkbookError("v.xlsx : illisible")
    looks = Looks(written(path, 10), None, None, None, None)
    report, told, failures = watched(path, iter([draft(), broken, broken, waived()]), looks)
    assert report is waived()
    assert len(told) == 2
    assert failures == []
    looks = Looks(written(path, 20), None, *[None] * PATIENCE, written(path, 30), None)
    report, told, failures = watched(path, iter([draft(), *[broken] * PATIENCE, waived()]), looks)
    assert failures == ["v.xlsx : illisible"]
    assert report is waived()


def test_watch_shows_what_is_new_and_what_is_gone(tmp_path: Path) -> None:
    book = tmp_path / "v.xlsx"
    shutil.copy(files()["1.2.0"], book)
    environment = os.environ | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    # a test run in the background is started with Ctrl-C ignored, and its processes inherit that
    heeding = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from jdv_qa.__main__ import run; run()"
    command = [sys.executable, "-c", heeding, "check", "v.xlsx", "--watch", "--select", "UNI", "--report", "r.json"]
    log = tmp_path / "log.txt"
    with (
        log.open("wb") as file,
        subprocess.Popen(command, cwd=tmp_path, stdout=file, stderr=file, env=environment) as process,
    ):

        def until(words: str) -> str:
            end = time.monotonic() + 60
            while words not in (text := log.read_text(encoding="utf-8")):
                assert process.poll() is None, text
                assert time.monotonic() < end, text
                time.sleep(0.05)
            return text

        try:
            until("En attente")
            new = tmp_path / "new.tmp"
            shutil.copy(files()["1.1.0"], new)
            new.replace(book)
            text = until("Ni erreur ni avertissement")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert "Enregistré" in text
    assert re.search(r"^– UNI-02  1\.JDV_CircuitBio!T162$", text, re.MULTILINE)
    assert "Traceback" not in log.read_text(encoding="utf-8")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["workbook"]["version"] == "1.1.0"


# --- completion


def completed(line: str) -> list[str]:
    words = line.split(" ")
    answer = whole(
        _JDV_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), _TYPER_COMPLETE_TESTING="True"
    )
    assert answer.stderr == ""
    return answer.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("jdv che", {"check"}), ("jdv check --wat", {"--watch"}), ("jdv check x.xlsx --profile publ", {"publication"}),
        ("jdv check x.xlsx --select UNI-0", {f"UNI-0{number}" for number in range(1, 10)}), ("jdv rule cod-02", {"cod-02"}),
        ("jdv check x.xlsx --format sa", {"sarif"}), ("jdv check x.xlsx --fail-on w", {"warning"}),
    ],
)  # fmt: skip
def test_the_shell_completes(line: str, offered: set[str]) -> None:
    assert set(completed(line)) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"_JDV_COMPLETE=complete_{shell}" in whole("--show-completion", shell).stdout

"""Two commands at one place: the second comes in before each operation of the first, and never makes a mixture.

A step of the first is always between two operations on files; letting the whole second run there, at each of them in turn, tries
every order that matters, the same every time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jdv_qa import files
from jdv_qa.checks.waivers import load_waivers
from jdv_qa.cli.app import main
from jdv_qa.errors import JdvError, OutputError
from jdv_qa.files import alone, new_directory, new_file, write_file
from jdv_qa.publish.register import Release, add_release, leftovers, load_register
from tests.conftest import REPOSITORY
from tests.faults.injection import Tree, before_each_operation, put_back, tree
from tests.publish.releases import small_workbook

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks and operations as POSIX systems have them")

Do = Callable[[], object]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds a place taken does not wait: the one who has taken it stands still in the meantime."""
    monkeypatch.setattr(files, "PATIENCE", 0.0)


def ended_well(do: Do) -> bool:
    try:
        do()
    except JdvError:
        return False
    return True


def at_each_operation(folder: Path, first: Do, second: Do) -> list[tuple[bool, bool, Tree]]:
    """Run the first with the second before its operation of each number; return how both ended, and what is there."""
    folder.mkdir(exist_ok=True)
    start = tree(folder)
    seen: list[str] = []
    with before_each_operation(folder, seen.append):
        ended_well(first)
    put_back(folder, start)
    outcomes = []
    for wanted in range(len(seen)):
        count, done = 0, False

        def come_in(_: str, wanted: int = wanted) -> None:
            nonlocal count, done
            if count == wanted:
                done = ended_well(second)
            count += 1

        with before_each_operation(folder, come_in):
            ended = ended_well(first)
        assert count > wanted
        outcomes.append((ended, done, tree(folder)))
        put_back(folder, start)
    return outcomes


def filled(path: Path, content: bytes, *, force: bool) -> Do:
    def fill() -> None:
        with new_directory(path, is_ours=lambda _: True, force=force) as folder:
            for name in ("a", "b"):
                (folder / name).write_bytes(content)

    return fill


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_two_folders_to_one_place(force: bool, there: bool, tmp_path: Path) -> None:
    out = tmp_path / "here" / "out"
    if there:
        filled(out, b"0", force=False)()
    whole = [{"out/": b"", "out/a": letter, "out/b": letter} for letter in (b"0", b"1", b"2")]
    for first, second, found in at_each_operation(
        tmp_path / "here", filled(out, b"1", force=force), filled(out, b"2", force=force)
    ):
        assert found in (whole if there else whole[1:]), found
        assert (first or second) is (force or not there)
        if not force:
            assert not (first and second)
            assert found == whole[0 if there else 1 if first else 2]


@pytest.mark.parametrize("force", [False, True])
def test_two_files_to_one_place(force: bool, tmp_path: Path) -> None:
    out = tmp_path / "here" / "out"
    for first, second, found in at_each_operation(
        tmp_path / "here",
        lambda: write_file(out, b"1" * 9, force=force),
        lambda: write_file(out, b"2" * 9, force=force),
    ):
        assert found in ({"out": b"1" * 9}, {"out": b"2" * 9})
        assert first or second
        if not force:
            assert first != second
            assert found == {"out": b"1" * 9 if first else b"2" * 9}


def test_two_releases(tmp_path: Path) -> None:
    directory = tmp_path / "here" / "releases"
    add_release(load_register(directory), Release("1.0.0", "imported"), {"NOTICE": b"0"})
    present = load_register(directory)
    for first, second, _ in at_each_operation(
        tmp_path / "here",
        lambda: add_release(present, Release("1.1.0", "released"), {"NOTICE": b"1"}),
        lambda: add_release(present, Release("1.2.0", "released"), {"NOTICE": b"2"}),
    ):
        assert first != second
    outcomes = at_each_operation(
        tmp_path / "here",
        lambda: add_release(present, Release("1.1.0", "released"), {"NOTICE": b"1"}),
        lambda: add_release(present, Release("1.1.0", "released"), {"NOTICE": b"2"}),
    )
    for first, second, found in outcomes:
        assert first != second
        assert found["releases/1.1.0/NOTICE"] == (b"1" if first else b"2")
        assert not [name for name in found if ".unfinished" in name or name.endswith(".next")]
    assert leftovers(directory) == ()


def test_two_waivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    workbook = small_workbook(tmp_path / "in", "1.1.0", "2026-07-15", unit="mmol/L")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(tmp_path)
    path = here / "derogations.yaml"

    def waive(cell: str) -> Do:
        def run() -> None:
            words = [
                "waive",
                workbook,
                "--rule",
                "LAB-01",
                "--cell",
                cell,
                "--reason",
                cell,
                "--by",
                "b",
                "--waivers",
                path,
            ]
            if main([str(word) for word in words]):
                raise OutputError(capsys.readouterr().err.strip())

        return run

    waive("P5")()
    for first, second, found in at_each_operation(here, waive("P3"), waive("P4")):
        (here / "now.yaml").write_bytes(found["derogations.yaml"])
        reasons = [waiver.reason for waiver in load_waivers(here / "now.yaml")]
        (here / "now.yaml").unlink()
        assert sorted(reasons) == ["P3"] * first + ["P4"] * second + ["P5"]
        assert first


def test_a_place_that_is_taken_is_said(tmp_path: Path) -> None:
    with (
        alone(tmp_path / "x"),
        pytest.raises(OutputError, match="une autre commande écrit au même endroit"),
        alone(tmp_path / "y"),
    ):
        pass
    with alone(tmp_path / "x"):
        pass


def test_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that add a line each to one file, alone; none gets lost."""
    monkeypatch.setattr(files, "PATIENCE", 60.0)
    path = tmp_path / "lines"
    write_file(path, b"")

    def add(number: int) -> None:
        with alone(path):
            write_file(path, path.read_bytes() + b"%d\n" % number, force=True)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, path.read_bytes().split())) == list(range(20))
    assert [entry.name for entry in tmp_path.iterdir()] == ["lines"]


def test_what_a_living_command_is_filling_is_left_alone_whatever_the_clock_says(tmp_path: Path) -> None:
    with new_file(tmp_path / "x") as living:
        living.write_bytes(b"half")
        for moment in (0, 2**31 - 1):  # 1970, 2038
            os.utime(living, (moment, moment))
            write_file(tmp_path / "x", b"other", force=True)
            assert living.exists()
        (tmp_path / "x").unlink()
    assert (tmp_path / "x").read_bytes() == b"half"
    dead = tmp_path / living.name
    for moment in (0, 2**31 - 1):
        dead.write_bytes(b"half")
        os.utime(dead, (moment, moment))
        write_file(tmp_path / "x", b"other", force=True)
        assert not dead.exists()


@pytest.mark.slow
def test_a_process_killed_while_it_fills_leaves_what_the_next_clears(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from jdv_qa.files import new_directory, new_file
place = Path(sys.argv[1])
with new_file(place / "x") as file, new_directory(place / "d", is_ours=lambda _: True) as folder:
    file.write_bytes(b"half"); (folder / "a").write_bytes(b"half")
    print("filling", flush=True)
    time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 2
        write_file(tmp_path / "x", b"other")
        filled(tmp_path / "d", b"other", force=False)()
        assert len([name for name in tree(tmp_path) if ".jdv-" in name]) == 3
        process.kill()
    write_file(tmp_path / "x", b"next", force=True)
    filled(tmp_path / "d", b"next", force=True)()
    assert tree(tmp_path) == {"x": b"next", "d/": b"", "d/a": b"next", "d/b": b"next"}

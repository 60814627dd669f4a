import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from jdv_qa import beside
from jdv_qa.sample import SAMPLE_DIR
from tests.loinc_files import write_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies of the process are made on Linux alone")

VERSION, *_, DRAFT = sorted(SAMPLE_DIR.glob("JDV_*.xlsx"))


def ran(
    code: str, *words: str | Path, status: int | None = 0, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, in which nothing runs beside it."""
    begin = "import os, sys, time\nfrom jdv_qa import beside\nfrom jdv_qa.errors import JdvError\nbeside.processors = lambda: 2\n"
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "JDV_LANG": "fr"}
    ended = subprocess.run(
        [sys.executable, "-c", begin + code, *map(str, words)],
        env=os.environ | ours | dict(environment or {}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert status is None or ended.returncode == status, ended.stderr
    return ended


def test_work_is_done_in_a_copy_and_its_result_comes_back() -> None:
    code = """
beside.allow()
print("said once")
kept = list(range(1000))
result = beside.begin(lambda: (os.getpid(), kept, "é" * 3_000_000))
kept.clear()
pid, numbers, text = result()
print(pid != os.getpid(), numbers == list(range(1000)), len(text), beside._living)
try: os.waitpid(pid, os.WNOHANG)
except ChildProcessError: print("gone")
"""
    assert ran(code).stdout.splitlines() == ["said once", "True True 3000000 set()", "gone"]


def test_an_error_for_people_comes_back_as_it_is() -> None:
    code = """
beside.allow()
def work():
    raise JdvError(f"{os.getpid() == here}")
here = os.getpid()
try: beside.begin(work)()
except JdvError as error: print("raised there:", error == here, error)
"""
    assert ran(code).stdout == "raised there: False False\n"


@pytest.mark.parametrize(
    "there",
    [
        "raise ValueError('a fault of ours')",
        "raise KeyboardInterrupt",
        "os._exit(0)",
        "os.kill(os.getpid(), 9)",
        "time.sleep(600)",
        "return lambda: 'what pickle does not hold'",
        "os.write(max(map(int, os.listdir('/proc/self/fd'))) - 1, b'torn'); os.kill(os.getpid(), 9)",
    ],
)
def test_what_fails_in_a_copy_is_done_here(there: str) -> None:
    code = f"""
beside.allow()
beside.PATIENCE = 0.3 if "sleep" in {there!r} else 60
here = os.getpid()
def work():
    if os.getpid() == here: return "done here"
    {there}
print(beside.begin(work)(), beside._living)
"""
    ended = ran(code)
    assert (ended.stdout, ended.stderr) == ("done here set()\n", "")


@pytest.mark.parametrize(
    "setting",
    [
        "pass",
        "beside.allow(); beside.processors = lambda: 1",
        "beside.allow(); import threading; threading.Thread(target=time.sleep, args=(3,), daemon=True).start()",
        "beside.allow(); os.close(0)",
        "beside.allow(); sys.platform = 'darwin'",
        "beside.allow(); import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
        "beside.allow(); os.fork = lambda: (_ for _ in ()).throw(BlockingIOError(11, 'no more processes'))",
    ],
    ids=[
        "not the command",
        "one processor",
        "a thread",
        "standard input closed",
        "another system",
        "no file left",
        "no process left",
    ],
)
def test_no_copy_is_made_where_it_is_not_safe_or_not_to_be_had(setting: str) -> None:
    code = f"{setting}\nprint(beside.begin(os.getpid)() == os.getpid())"
    assert ran(code).stdout == "True\n"


def test_a_copy_ends_with_the_process_that_made_it() -> None:
    ended = ran("beside.allow(); beside.begin(lambda: time.sleep(600)); print(*beside._living)")
    assert not Path("/proc", ended.stdout.strip()).exists()


def test_a_copy_that_nobody_listens_to_ends() -> None:
    code = """
beside.allow()
beside.begin(lambda: time.sleep(0.5) or "x" * 5_000_000)
print(*beside._living, flush=True)
os.kill(os.getpid(), 9)
"""
    pid = int(ran(code, status=-9).stdout)
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("it still runs")


COMMAND = """
fork, copies = os.fork, []
def counted():
    pid = fork()
    copies.append(pid)
    return pid
os.fork = counted
import atexit
atexit.register(lambda: print(f"copies: {{len(copies)}}", file=sys.stderr))
beside.processors = lambda: {processors}
import jdv_qa.checks.engine as engine
engine.WORTH_A_COPY = 1
from jdv_qa.cli.app import run
run()
"""


@pytest.mark.parametrize(
    ("words", "copies"),
    [
        (("check", DRAFT, "--format", "json"), 1),
        (("check", DRAFT, "--lang", "en"), 1),
        (("check", DRAFT, "--previous", VERSION, "--select", "UNI,LAB,VER", "--format", "json"), 1),
        (("check", DRAFT, "--ignore", "UNI,LAB", "--format", "json"), 0),
        (("diff", VERSION, DRAFT, "--format", "json"), 1),
        (("diff", VERSION, VERSION), 1),
        (("diff", DRAFT, VERSION, "--layout", "circuitbio", "--format", "csv"), 0),
        (("notes", VERSION, DRAFT), 1),
        (("diff", VERSION, Path(__file__).with_name("absent.xlsx")), 0),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_command_answers_the_same_with_copies_and_without(words: tuple[str | Path, ...], copies: int) -> None:
    with_copies, without = (ran(COMMAND.format(processors=number), *words, status=None) for number in (2, 1))
    assert with_copies.stderr.splitlines()[-1] == f"copies: {copies}"
    assert without.stderr.splitlines()[-1] == "copies: 0"
    assert (with_copies.returncode, with_copies.stdout) == (without.returncode, without.stdout)
    assert with_copies.stderr.splitlines()[:-1] == without.stderr.splitlines()[:-1]
    assert without.stdout or without.returncode == 2


def test_a_copy_opens_a_release_of_loinc_anew(tmp_path: Path) -> None:
    release = tmp_path / "loinc"
    write_folder(release)
    environment = {"JDV_HOME": str(tmp_path / "home")}
    ran("from jdv_qa.cli.app import run; run()", "loinc", "import", release, environment=environment)
    code = """
from jdv_qa.terminology.store import find_release
beside.allow()
release = find_release("2.80")
here = release.base._connection
def work():
    term = release.terms["2951-2"]
    return term.component, release.base._connection is here
print(*beside.begin(work)(), *work())
"""
    assert ran(code, environment=environment).stdout == "Sodium False Sodium True\n"
    words = ("check", DRAFT, "--loinc", "2.80", "--format", "json")
    answers = [
        ran(COMMAND.format(processors=number), *words, status=None, environment=environment) for number in (2, 1)
    ]
    assert [answer.stderr for answer in answers] == ["copies: 1\n", "copies: 0\n"]
    assert answers[0].stdout == answers[1].stdout
    assert "LNC-" in answers[0].stdout


def test_what_is_wrong_with_the_second_workbook_is_told_as_ever(tmp_path: Path) -> None:
    bad = tmp_path / "abîmé.xlsx"
    bad.write_bytes(DRAFT.read_bytes()[:9000])
    answers = [ran(COMMAND.format(processors=number), "diff", VERSION, bad, status=2) for number in (2, 1)]
    first, second = (answer.stderr.splitlines()[:-1] for answer in answers)
    assert first == second
    assert len(first) == 1
    assert str(bad) in first[0]


def test_a_workbook_that_changed_since_it_was_begun_is_read_anew(tmp_path: Path) -> None:
    old, new = tmp_path / "old.xlsx", tmp_path / "new.xlsx"
    old.write_bytes(VERSION.read_bytes())
    new.write_bytes(VERSION.read_bytes())
    code = f"""
beside.allow()
import shutil
from pathlib import Path
from jdv_qa.cli import reading
old, new = map(Path, sys.argv[1:])
reading.begin_editions([old, new])
print(len(reading._BEGUN))
time.sleep(0.5)
shutil.copyfile({str(DRAFT)!r}, new)
editions = [reading.read_file(path, None)[0] for path in (old, new)]
print([edition.identity.version for edition in editions], [Path(edition.source.path).name for edition in editions], len(reading._BEGUN))
print(editions[1] == reading.read_file(Path({str(DRAFT)!r}), None)[0])
"""
    from jdv_qa.workbook.read import read_edition

    versions = [read_edition(path).identity.version for path in (VERSION, DRAFT)]
    assert ran(code, old, new).stdout.splitlines() == ["1", f"{versions} ['old.xlsx', 'new.xlsx'] 0", "True"]


def test_processors_are_counted() -> None:
    assert beside.processors() >= 1

"""`.ci/run` runs all that must hold, keeps to its time, and says what it left out: held with an interpreter that only writes down."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(
    not all(shutil.which(name) for name in ("bash", "timeout")), reason="needs bash and timeout"
)

PYTHON = """#!/usr/bin/env bash
# Stands for an interpreter, and for that of the environment it makes: writes its arguments down and does what the test asks.
case "$1 $2" in
  "-m venv")
    mkdir -p "$3/bin"; cp "$0" "$3/bin/python"
    printf 'export PATH="%s:$PATH"\\n' "$3/bin" > "$3/bin/activate"; exit 0 ;;
  "-c import"*)
    case "$2" in
      *nox*) echo "3.11 3.12 3.13"; exit 0 ;;
      *"sys.version_info[:2] !="*) exit "${ANOTHER_PYTHON:-1}" ;;
      *version_info*print*|*print*version_info*) echo 3.11; exit 0 ;;
      *executable*) echo "$0"; exit 0 ;;
    esac
    exit 0 ;;
esac
printf '%s\\n' "$*" >> "$RECORD"
case "$*" in *" $HANGS") exec sleep 600 ;; *" $FAILS") exit 1 ;; esac
exit 0
"""
MUST = ["tests", "lint", "types", "architecture", "wheel", "demo", "tests -- -m slow"]


def run(
    folder: Path, changes: Mapping[str, str] = MappingProxyType({}), **environment: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a copy of .ci/run, with some changes of its text; return how it ended and the sessions that it ran."""
    script, record, tools = folder / "clone" / ".ci" / "run", folder / "record", folder / "tools"
    script.parent.mkdir(parents=True)
    text = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    script.write_text(text, encoding="utf-8")
    tools.mkdir()
    for name in ("python3", "python3.12", "python3.13", "chromium"):
        (tools / name).write_text(PYTHON, encoding="utf-8")
        (tools / name).chmod(0o755)
    answer = subprocess.run(
        ["bash", str(script)],
        env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "RECORD": str(record), "HANGS": "-", "FAILS": "-", "HOME": str(folder),
             "TMPDIR": str(folder), "PYENV_ROOT": str(folder)} | environment,
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return answer, [line.partition(" -s ")[2] for line in lines if " -s " in line]


def test_all_is_run_in_order(tmp_path: Path) -> None:
    answer, sessions = run(tmp_path, ANOTHER_PYTHON="0")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert sessions == [*MUST, "minimums", "all_pythons-3.12", "all_pythons-3.13"]
    assert "All that was run passed" in answer.stdout


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer, sessions = run(tmp_path)
    assert (answer.returncode, sessions) == (0, [*MUST, "minimums"])
    for version in ("3.12", "3.13"):
        assert f"Left out: tests on Python {version}: it is not on this machine." in answer.stdout


def test_without_time_what_must_hold_is_run_and_the_repeats_are_named(tmp_path: Path) -> None:
    answer, sessions = run(tmp_path, JDV_CI_SECONDS="0", ANOTHER_PYTHON="0")
    assert (answer.returncode, sessions) == (0, MUST)
    for name in ("with the oldest dependencies", "on Python 3.12", "on Python 3.13"):
        assert f"Left out: tests {name}: about" in answer.stdout


def test_a_failure_does_not_keep_the_rest_from_running(tmp_path: Path) -> None:
    answer, sessions = run(tmp_path, FAILS="types")
    assert (answer.returncode, sessions) == (1, [*MUST, "minimums"])
    assert "[types]" in answer.stdout.splitlines()[-1]


@pytest.mark.slow
def test_a_step_that_hangs_is_stopped(tmp_path: Path) -> None:
    shorter = {"grace=240": "grace=0", '[ "$limit" -ge 60 ] || limit=60': '[ "$limit" -ge 10 ] || limit=10'}
    answer, sessions = run(tmp_path, shorter, HANGS="lint", JDV_CI_SECONDS="0")
    assert (answer.returncode, sessions) == (1, MUST)
    assert "=== lint: FAILED, stopped after" in answer.stdout


def test_a_time_that_is_no_number_is_refused(tmp_path: Path) -> None:
    answer, sessions = run(tmp_path, JDV_CI_SECONDS="twenty")
    assert (answer.returncode, sessions) == (2, [])
    assert answer.stderr.startswith("JDV_CI_SECONDS:")

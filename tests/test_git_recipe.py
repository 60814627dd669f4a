"""The recipe of docs/git.md, as it stands there, in a git repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jdv_qa.sample import files
from tests.conftest import REPOSITORY

SAMPLE = files()
Git = Callable[..., str]


def block(language: str) -> str:
    text = (REPOSITORY / "docs" / "git.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A repository set up by the recipe, with the sample's first version committed and the second in the working tree."""
    if shutil.which("git") is None or os.name == "nt":
        pytest.skip("git and a POSIX shell are needed")
    programs, repository, spare = (tmp_path / name for name in ("bin", "depot", "tmp"))
    for folder in (programs, repository, spare):
        folder.mkdir()
    shim = programs / "jdv"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jdv_qa "$@"\n')
    shim.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TMPDIR": str(spare), "GIT_PAGER": "cat",
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }  # fmt: skip

    def run(*arguments: str) -> str:
        answer = subprocess.run(
            ["git", *arguments], cwd=repository, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout + answer.stderr

    run("init", "--quiet")
    (repository / ".gitattributes").write_text(block("gitattributes"))
    (repository / "git-jdv.config").write_text(block("ini"))
    command = block("sh").split()
    assert command[0] == "git"
    run(*command[1:])
    shutil.copy(SAMPLE["1.0.0"], repository / "JDV.xlsx")
    run("add", ".")
    run("commit", "--quiet", "-m", "1.0.0")
    shutil.copy(SAMPLE["1.1.0"], repository / "JDV.xlsx")
    return run


def test_git_diff_shows_changes_by_meaning(git: Git) -> None:
    shown = git("diff")
    assert "67 changements entre 1.0.0 et 1.1.0" in shown
    assert "41499-5" in shown


def test_git_show_of_new_and_changed_workbooks(git: Git, tmp_path: Path) -> None:
    git("commit", "--quiet", "-a", "-m", "1.1.0")
    shown = git("show")
    assert re.search(r"^ == main\.csv$", shown, re.MULTILINE) or "@@" in shown
    assert re.search(r"^\+.*41499-5", shown, re.MULTILINE)
    assert re.search(r"^-.*6447-7", shown, re.MULTILINE)
    assert "67 changements" in git("show", "--ext-diff")
    assert "JDV_CircuitBio" in git("show", "--ext-diff", "HEAD~1")
    page = tmp_path / "tmp" / "changements.html"
    said = git("difftool", "--no-prompt", "--tool=jdv", "HEAD~1")
    assert str(page) in said
    assert "67 changements" in page.read_text(encoding="utf-8")

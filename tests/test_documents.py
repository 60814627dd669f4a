"""The commands shown in the documents do what the documents say.

A block that begins with ```console holds a command after "$ " and its output; "[…]" stands for any lines. The commands of a
document run in order in one folder. JDV_RENEW=1 writes the outputs anew, keeping as many lines as stood before each "[…]".
"""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n\$ (?P<command>.+)\n(?P<output>(?:.*\n)*?)```$", re.MULTILINE)
ELISION = "[…]"
RENEW = os.environ.get("JDV_RENEW") == "1"


def run(command: str, folder: Path) -> str:
    program = f'"{sys.executable}" -m jdv_qa'
    environment = os.environ | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    answer = subprocess.run(
        ["bash", "-c", re.sub(r"^jdv\b", lambda _: program, command) + " 2>&1"],
        cwd=folder, capture_output=True, encoding="utf-8", env=environment, check=False,
    )  # fmt: skip
    assert answer.returncode in (0, 1), answer.stdout
    assert "No module named" not in answer.stdout
    return "".join(f"{line.rstrip()}\n" for line in answer.stdout.splitlines())


def matches(shown: str, real: str) -> bool:
    parts = [re.escape(part) for part in shown.split(f"{ELISION}\n")]
    return re.fullmatch("(?:.*\n)*".join(parts), real) is not None


def renewed(shown: str, real: str) -> str:
    """Return the real output, cut where the shown one is."""
    if ELISION not in shown:
        return real
    before, _, after = shown.partition(f"{ELISION}\n")
    lines = real.splitlines(keepends=True)
    head = before.count("\n") or 24
    tail = after.count("\n")
    if head + tail >= len(lines):
        return real
    return "".join(lines[:head]) + f"{ELISION}\n" + "".join(lines[len(lines) - tail :] if tail else [])


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENTS[0],
        *(pytest.param(document, marks=[] if RENEW else pytest.mark.slow) for document in DOCUMENTS[1:]),
    ],
    ids=lambda path: path.name,
)
def test_commands_of(document: Path, tmp_path: Path) -> None:
    text = document.read_text(encoding="utf-8")
    new = text
    for match in BLOCK.finditer(text):
        real = run(match["command"], tmp_path)
        if RENEW:
            block = f"```console\n$ {match['command']}\n{renewed(match['output'], real)}```"
            new = new.replace(match.group(), block)
        else:
            assert matches(match["output"], real), f"{match['command']}\n{real}"
    if RENEW:
        document.write_text(new, encoding="utf-8")


def test_readme_shows_what_a_release_takes() -> None:
    shown = {
        match["command"].split()[1] for match in BLOCK.finditer((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    }
    assert shown >= {
        "sample", "info", "layout", "check", "rule", "diff", "notes", "import-release", "release", "history", "triage", "cda", "waive",
    }  # fmt: skip


def test_no_document_shows_the_day_it_was_written() -> None:
    today = dt.date.today().isoformat()
    for document in DOCUMENTS:
        for match in BLOCK.finditer(document.read_text(encoding="utf-8")):
            assert today not in match["output"], match["command"]


def test_pictures_show_the_real_output() -> None:
    from docs.pictures import PICTURES, draw

    for name in PICTURES:
        path = REPOSITORY / "docs" / "images" / name
        if RENEW:
            path.parent.mkdir(exist_ok=True)
            path.write_text(draw(name), encoding="utf-8")
        assert path.read_text(encoding="utf-8") == draw(name), name


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "SECURITY.md"], ids=lambda path: path.name
)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_rule_pages_are_those_of_the_rules() -> None:
    from docs.rule_pages import FOLDER, pages, write

    if RENEW:
        write()
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")} == pages()

"""What a run really does: no network, no other program, and no file written but where it was asked to.

Each command runs in a process whose audit hook sees every file opened for writing and stops every socket and every program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.sample import REPORT, REQUESTS, files
from tests.conftest import REPOSITORY
from tests.guard.pages import fetched
from tests.loinc_files import write_zip
from tests.publish.releases import small_workbook

OLD, NEW, DRAFT = (str(path) for path in files().values())
FORMS = ("txt", "html", "xlsx", "json", "csv", "sarif", "xml", "md")

Command = tuple[list[str], list[str], set[int]]
"""The words, the paths that may be written to, and the statuses expected."""


def run(folder: Path, commands: list[Command]) -> list[dict[str, Any]]:
    """Run commands in the folder's `work`; return what each did, having held each to what it was asked."""
    work, home, scratch = (folder / name for name in ("work", "home", "scratch"))
    for place in (work, home, scratch):
        place.mkdir(exist_ok=True)
    environment = os.environ | {
        "HOME": str(home), "USERPROFILE": str(home), "TMPDIR": str(scratch), "JDV_HOME": str(work / "loinc-store"), "COLUMNS": "100",
        "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8",
    }  # fmt: skip
    answer = subprocess.run(
        [sys.executable, "-B", "-m", "tests.guard.watched"],
        cwd=work, env=environment, input=json.dumps([words for words, _, _ in commands]), capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    told: list[dict[str, Any]] = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(told) == len(commands)
    for (words, places, statuses), done in zip(commands, told, strict=True):
        assert done["forbidden"] == [], words
        assert done["status"] in statuses, (words, done["status"], done["err"])
        elsewhere = [
            path for path in done["written"] if not may_write(Path(path), [work / place for place in places], scratch)
        ]
        assert elsewhere == [], words
    assert list(scratch.iterdir()) == []
    assert list(home.iterdir()) == []
    for page in work.rglob("*.html"):
        assert fetched(page.read_text(encoding="utf-8")) == [], page
    return told


def may_write(path: Path, places: list[Path], scratch: Path) -> bool:
    """Tell whether a path is one that was asked for, is in it, is being filled beside it, or is its folder."""
    if path == Path(os.devnull) or scratch in (path, *path.parents):
        return True
    path = Path(os.path.normpath(path))
    return any(
        place in (path, *path.parents)
        or path in place.parents
        or any(
            part.parent == place.parent and part.name.startswith(f".{place.name[:50]}.jdv-")
            for part in (path, *path.parents)
        )
        for place in places
    )


def test_a_place_that_was_not_asked_for_is_seen(tmp_path: Path) -> None:
    asked = tmp_path / "out" / "x.csv"
    for path in (
        asked,
        tmp_path / "out",
        tmp_path / "out" / ".x.csv.jdv-0123",
        tmp_path / "scratch" / "y",
        Path(os.devnull),
    ):
        assert may_write(path, [asked], tmp_path / "scratch"), path
    for path in (
        tmp_path / "out" / "y.csv",
        tmp_path / "out" / ".y.csv.jdv-0123",
        tmp_path / "z",
        tmp_path / "out" / "d" / ".x.csv.jdv-1",
    ):
        assert not may_write(path, [asked], tmp_path / "scratch"), path


@pytest.mark.parametrize(
    "page",
    [
        '<img src="https://example.org/x.png">', "<link rel=stylesheet href=//example.org/x.css>", "<script src='x.js'></script>",
        "<style>a { background: url( 'http://example.org/x') }</style>", "<style>@import 'x.css'</style>", "<p style='a:url(x)'>",
        "<script>fetch('x')</script>", "<svg><use href='x.svg#a'/></svg>", "<img src=x onerror=alert(1)>", "<meta http-equiv=refresh content=1>",
        "<form action=https://example.org>", "<base href=https://example.org>",
    ],
)  # fmt: skip
def test_what_a_page_would_fetch_is_seen(page: str) -> None:
    assert fetched(page)


def test_a_link_to_follow_is_no_fetch() -> None:
    assert (
        fetched("<a href='http://loinc.org/license'>x</a><a href='#top'>y</a><img src='data:image/png;base64,AA'>")
        == []
    )


def test_the_hook_stops_the_network_and_programs() -> None:
    program = """
import os, sys
from tests.guard import watched
sys.addaudithook(watched.watch)
import socket, subprocess
for do in (lambda: socket.socket(), lambda: socket.getaddrinfo("localhost", 80), lambda: subprocess.run([sys.executable, "-V"]),
           lambda: os.system("true"), lambda: os.posix_spawn(sys.executable, [sys.executable, "-V"], {})):
    try:
        do()
    except watched.Forbidden:
        pass
open(os.devnull, "w").close()
print(len(watched.forbidden), os.devnull in watched.written)
"""
    if not hasattr(os, "posix_spawn"):
        pytest.skip("no posix_spawn on this system")
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert answer.stdout.split() == ["5", "True"], answer.stderr


def test_reading_commands_touch_nothing_and_writing_ones_what_they_were_asked(tmp_path: Path) -> None:
    old = small_workbook(tmp_path / "in")
    new = small_workbook(tmp_path / "in", "1.1.0", "2026-07-15", unit="mmol/L")
    both = [str(old), str(new)]
    run(
        tmp_path,
        [
            (["--version"], [], {0}),
            (["info", both[0]], [], {0}),
            (["check", both[1], "--format", "json", "--previous", both[0]], [], {0, 1}),
            (
                ["check", both[1], "--report", "html=out/c.html", "--annotate", "out/a.xlsx"],
                ["out/c.html", "out/a.xlsx"],
                {0, 1},
            ),
            (["diff", *both, "--format", "json"], [], {0, 1}),
            (["notes", *both, "-o", "out/n.html"], ["out/n.html"], {0}),
            (["export", both[1], "out/export", "--with", "fhir", "--with", "svs"], ["out/export"], {0}),
            (["import-release", both[0]], ["releases"], {0}),
            (["verify"], [], {0}),
        ],
    )


@pytest.mark.slow
def test_the_whole_life_of_a_version(tmp_path: Path) -> None:
    loinc = write_zip(tmp_path / "Loinc_2.80.zip")
    every_form = [word for form in FORMS for word in ("--report", f"out/c.{form}")]
    asked = REQUESTS.name
    commands: list[Command] = [
        (["sample", "exemple"], ["exemple"], {0}),
        (["layout", DRAFT, "--write", "out/layout.yaml"], ["out/layout.yaml"], {0}),
        (["rules"], [], {0}),
        (["rule", "UNI-02"], [], {0}),
        (["info", OLD, "--format", "json"], [], {0}),
        (["check", DRAFT, *every_form, "--annotate", "out/annotated.xlsx"], [f"out/c.{form}" for form in FORMS] + ["out/annotated.xlsx"], {1}),
        (["fix", DRAFT, "-o", "out/fixed.xlsx"], ["out/fixed.xlsx"], {0, 1}),
        *((["diff", OLD, NEW, "-o", f"out/d.{form}"], [f"out/d.{form}"], {1}) for form in ("txt", "json", "html", "xlsx", "csv", "md")),
        (["notes", OLD, NEW, "-o", "out/n.md", "--into", "out/into.xlsx"], ["out/n.md", "out/into.xlsx"], {0}),
        (["export", NEW, "out/export", "--with", "fhir", "--with", "svs"], ["out/export"], {0}),
        (["export", NEW, "out/export", "--force"], ["out/export"], {0}),
        (["import-release", OLD], ["releases"], {0}),
        (["release", NEW], ["releases"], {0}),
        (["releases"], [], {0}),
        (["verify"], [], {0}),
        (["history", "905853"], [], {0}),
        (["indicators"], [], {0}),
        (["cda", str(REPORT), "--with", NEW], [], {1}),
        (["triage", "form", "-o", "out/form.xlsx"], ["out/form.xlsx"], {0}),
        (["triage", "review", f"exemple/{asked}", OLD, "-o", "out/review.xlsx"], ["out/review.xlsx"], {0, 1}),
        (["triage", "review", f"exemple/{asked}", OLD, "-o", "out/review.html"], ["out/review.html"], {0, 1}),
        (["triage", "apply", "out/review.xlsx", OLD, "-o", "out/applied.xlsx", "--log", "out/log.json"], ["out/applied.xlsx", "out/log.json"], {0, 1}),
        (["triage", "follow", "out/review.xlsx", NEW, "--previous", OLD, "--answers", "out/answers"], ["out/answers"], {0, 1}),
        (["triage", "record", "out/review.xlsx", "1.1.0"], ["requests"], {0}),
        (["loinc", "import", str(loinc)], ["loinc-store"], {0}),
        (["loinc", "find", "sodium"], ["loinc-store"], {0, 1}),
        (["loinc", "show", "2951-2"], [], {0}),
        (["check", NEW, "--loinc", "2.80"], [], {0, 1}),
        (["waive", NEW, "--rule", "TYP-03", "--cell", "G379", "--reason", "x", "--by", "y"], ["derogations.yaml"], {0}),
        (["check", NEW, "--waivers", "derogations.yaml"], [], {0, 1}),
    ]  # fmt: skip
    done = run(tmp_path, commands)
    asked_for = {path for _, places, _ in commands for path in places}
    assert all((tmp_path / "work" / path).exists() for path in asked_for if path != "loinc-store"), done
    hidden = [path for path in (tmp_path / "work").rglob(".*") if path.name != ".lock"]
    assert hidden == []

"""Settings, waivers, profiles, layouts and reports that are endless, nested without end, or no files: one line and status 2.

Each runs in a process of its own, within bounds: what they are made to do is to end the process or to fill the memory.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from jdv_qa.cli.app import main
from jdv_qa.resources import MAX_DEPTH, MAX_SETTINGS, UnreadableYaml, parse_yaml
from jdv_qa.sample import files
from tests.hostile.test_files import MEMORY, SECONDS

NEW = str(files()["1.1.0"])
TEXTS: dict[str, tuple[str, str]] = {
    "lists in lists": ("[" * 50_000 + "]" * 50_000, "--waivers"),
    "lists in lists on one line": ("- " * 50_000 + "a", "--profile"),
    "keys in keys": ("{a: " * 50_000 + "1" + "}" * 50_000, "--layout"),
    "keys below keys": ("\n".join(" " * level + "a:" for level in range(1500)), "--layout"),
    "tables in tables": ("a = " + "[" * 50_000 + "]" * 50_000, "--config"),
    "a key of ten thousand parts": ("a" + ".a" * 10_000 + " = 1", "--config"),
    "a report nested without end": ("[" * 200_000 + "]" * 200_000, "--baseline"),
    "endless waivers": ("# " + "x" * MAX_SETTINGS, "--waivers"),
    "endless settings": ("# " + "x" * MAX_SETTINGS, "--config"),
}


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_that_would_end_the_process(name: str, tmp_path: Path) -> None:
    text, option = TEXTS[name]
    path = tmp_path / "été.txt"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "jdv_qa", "check", NEW, option, str(path)],
        capture_output=True, text=True, preexec_fn=bounded, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("jdv: ")
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr


@pytest.mark.parametrize("option", ["--waivers", "--profile", "--layout", "--config", "--baseline", "--loinc"])
def test_what_is_no_file(option: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if option == "--loinc":  # a folder may be a release
        if not Path(os.devnull).is_char_device():
            pytest.skip("this system has no devices among its files")
        place = Path(os.devnull)
    else:
        place = tmp_path / "dossier.d"
        place.mkdir()
    assert main(["check", NEW, option, str(place)]) == 2
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert str(place) in told


def test_yaml_is_read_as_deep_as_any_file_goes() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert str(parse_yaml(deepest)) == deepest
    with pytest.raises(UnreadableYaml, match="sans fin"):
        parse_yaml(f"[{deepest}]")
    assert len(parse_yaml("a: [1]\n" + "".join(f"b{n}: [{{c: 1}}]\n" for n in range(MAX_DEPTH)))) == MAX_DEPTH + 1

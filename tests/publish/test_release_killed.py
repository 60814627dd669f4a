"""A release that is killed at any moment leaves the register with the whole version or without it, and can be made again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the children that are killed are forked")
WHOLE: dict[str, Any] = {"versions": ["1.0.0", "1.1.0"], "sound": True, "faults": []}


def kill_and_look(directory: Path, moments: list[str]) -> list[dict[str, Any]]:
    """Return what the register says after each kill, having held each answer to what it must be."""
    command = [sys.executable, "-m", "tests.publish.kill_release", str(directory), *moments]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [found["moment"] for found in answers] == moments
    for found in answers:
        if found["versions"] == ["1.0.0"]:
            assert found["sound"], found
            assert {kind for kind, _ in found["faults"]} <= {"leftover"}, found
            assert found["again"] == WHOLE | {"left": []}, found
        else:
            assert {key: found[key] for key in WHOLE} == WHOLE, found
    return answers


def test_killed_at_some_moments(tmp_path: Path) -> None:
    answers = kill_and_look(tmp_path / "releases", ["0", "40", "end-2", "end-3+5", "3000us", "end-0"])
    assert [found["killed"] for found in answers[:4]] == [True] * 4
    assert not answers[-1]["killed"]
    assert ["leftover", "1.1.0"] in answers[2]["faults"] + answers[3]["faults"]


@pytest.mark.slow
def test_killed_before_every_operation(tmp_path: Path) -> None:
    (first,) = kill_and_look(tmp_path / "first" / "releases", ["0"])
    moments = [str(moment) for moment in range(first["operations"])]
    answers = kill_and_look(tmp_path / "releases", moments)
    assert all(found["killed"] for found in answers)
    assert len(answers) >= 100
    left = {path.split("-")[0] for found in answers for _, path in found["faults"]}
    assert left == {".unfinished", ".index.json.next", "1.1.0"}


@pytest.mark.slow
def test_killed_at_a_hundred_random_moments_and_while_clearing_up(tmp_path: Path) -> None:
    chosen = random.Random(2026)
    moments = [f"{chosen.randrange(60_000)}us" for _ in range(100)]
    moments += [f"end-{chosen.randrange(1, 16)}+{chosen.randrange(60)}" for _ in range(50)]
    answers = kill_and_look(tmp_path / "releases", moments)
    assert sum(found["killed"] for found in answers) >= 50

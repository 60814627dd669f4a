"""The whole tool on full-size corpora with a known truth, by the scorer that stands beside the corpus builder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--without-loinc"]], ids=["with LOINC", "without LOINC"])
@pytest.mark.parametrize(("seed", "layout", "grouping"), [(1, "a", "repeat"), (2, "b", "merge"), (3, "a", "blank")])
def test_score_is_full(
    seed: int, layout: str, grouping: str, options: list[str], kit: Path, corpus: Callable[[int, str, str], Path]
) -> None:
    command = [
        sys.executable,
        str(kit / "score.py"),
        str(corpus(seed, layout, grouping)),
        "--jdv",
        f"{sys.executable} -m jdv_qa",
        "--show",
    ]
    answer = subprocess.run([*command, *options], capture_output=True, encoding="utf-8", check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr

"""The whole comparison on full-size workbooks whose changes are known, for each layout and from one to the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.report.changes_json import changes_json
from jdv_qa.workbook.read import read_edition

KIT = Path(os.environ.get("JDV_KIT") or Path(__file__).resolve().parents[3] / "shared" / "kit")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (KIT / "corpus.py").is_file(), reason=f"no corpus kit at {KIT}; set JDV_KIT to its folder"),
]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build a corpus in each layout, of the same seed."""
    folder = tmp_path_factory.mktemp("corpora")
    builds = {}
    for layout, grouping in (("a", "blank"), ("b", "merge")):
        command = [sys.executable, KIT / "corpus.py", folder / layout]
        options = ["--seed", "7", "--layout", layout, "--grouping", grouping, "--defects", "1"]
        builds[layout] = subprocess.Popen([*map(str, command), *options], stdout=subprocess.DEVNULL)
    assert [build.wait() for build in builds.values()] == [0, 0]
    return {layout: folder / layout for layout in builds}


def _key(change: dict[str, Any]) -> tuple[str, ...]:
    kind, part, code = (str(change[name]) for name in ("kind", "part", "code"))
    if part in ("association", "nabm"):
        return kind, part, code, str(change["result" if part == "association" else "nabm"])
    if kind in ("assigned", "replaced"):
        return kind, part, code, str(change["new_code"])
    if kind == "modified":
        return kind, part, code, str(change["field"]), str(change["old"]), str(change["new"])
    return kind, part, code


@pytest.mark.parametrize(("old", "new"), [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")])
def test_every_change_is_told_once_and_nothing_else(corpora: dict[str, Path], old: str, new: str) -> None:
    one, two = read_edition(corpora[old] / "v1.xlsx"), read_edition(corpora[new] / "v2.xlsx")
    report = json.loads(changes_json(compare(one, two)))
    truth = json.loads((corpora[old] / "diff_truth.json").read_text(encoding="utf-8"))
    said = Counter(_key(change) for change in report["changes"])
    assert said == Counter(_key(change) for change in truth)
    assert sum(report["summary"].values()) == len(truth)
    assert report["uncompared"] == []


@pytest.mark.parametrize(("old", "new"), [("a", "a"), ("a", "b")])
def test_a_version_does_not_differ_from_itself(corpora: dict[str, Path], old: str, new: str) -> None:
    one, two = read_edition(corpora[old] / "v1.xlsx"), read_edition(corpora[new] / "v1.xlsx")
    assert compare(one, two).changes == ()

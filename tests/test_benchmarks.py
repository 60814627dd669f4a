"""The benchmarks measure what their document says, on workbooks that the tool reads; no test looks at a time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.cases import YARD, Case, cases, growing
from benchmarks.figures import Growth, Profile, growth_table, profile_table, ratio, renew, times_table
from benchmarks.inputs import FEW, MANY, TINY, Inputs
from benchmarks.one_table import build_tables
from benchmarks.processes import environment, peak, seconds
from benchmarks.profile import _place
from benchmarks.workbooks import build_pair
from jdv_qa.compare.compare import compare
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.conftest import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "performance.md"


def timed(name: str, *taken: float, against: str = "", target: float | None = None) -> Case:
    return Case(name, [], against, target, seconds=list(taken))


def test_one_table_workbooks_are_read_and_differ_as_they_say(tmp_path: Path) -> None:
    old, new = (read_edition(path, load_layout("loinc_fr")) for path in build_tables(tmp_path, 800))
    kinds = [(change.kind, change.field) for change in compare(old, new).changes]
    assert len(old.tables["terms"].records) == 800
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        ("modified", "synonyms"): 14,  # one row in 50, but for two that are gone
        ("removed", None): 2,
        ("added", None): 5,
    }


def test_a_pair_made_from_the_sample_has_its_rows(tmp_path: Path) -> None:
    old, new = (read_edition(path, load_layout()) for path in build_pair(tmp_path, TINY))
    assert len(old.tables["main"].records) == TINY
    assert len(new.tables["main"].records) == TINY


def test_each_case_has_a_yardstick_and_each_command_a_target(tmp_path: Path) -> None:
    pair = tmp_path / "old.xlsx", tmp_path / "new.xlsx"
    inputs = Inputs("test", *pair, *pair, tmp_path, pair, pair, pair, pair, pair)
    made = cases(inputs, tmp_path, tmp_path)
    names = {case.name for case in made}
    assert len(names) == len(made)
    assert all(case.against in names for case in made if case.against)
    assert all((case.target is None) == (case.against == "") for case in made)
    assert all(list(each) == [TINY, FEW, MANY] for each in growing(inputs).values())


def test_a_ratio_is_of_medians() -> None:
    yard, case = timed(YARD, 1.0, 2.0, 9.0), timed("jdv check", 1.2, 0.9, 1.0, against=YARD, target=0.55)
    assert ratio(case, [yard, case]) == pytest.approx(0.5)
    table = times_table([yard, case])
    assert table.rows[1] == ("jdv check", "1.000", "0.900–1.200", YARD, "0.50", "0.55", "met")
    assert times_table([timed("jdv check", 3.0, against=YARD, target=0.55)], [yard]).rows[0][-2:] == ("0.55", "missed")


def test_growth_tells_rows_from_start_up() -> None:
    start, row, more = 1.0, 0.001, 0.002
    few = start + FEW * row
    grown = Growth(
        "jdv check",
        {TINY: timed("", start + TINY * row), FEW: timed("", few), MANY: timed("", few + (MANY - FEW) * more)},
    )
    assert grown.rows == pytest.approx(2.0)
    assert grown.whole == pytest.approx(((few + (MANY - FEW) * more) / MANY) / (few / FEW))
    assert growth_table([grown]).rows[0][4] == "2.00"


def test_a_place_is_the_innermost_of_ours_or_an_import() -> None:
    ours = "check (/x/jdv_qa/checks/units.py:12)"
    assert _place(["<module> (/x/jdv_qa/__main__.py:6)", ours, "search (/lib/re/__init__.py:3)"]) == "checks/units"
    assert _place([ours, "_find_and_load (<frozen importlib._bootstrap>:11)", "<module> (/lib/yaml.py:1)"]) == "imports"
    assert _place([ours, "<module> (/x/jdv_qa/errors.py:1)"]) == "imports"
    assert _place([]) == "interpreter"


def test_places_that_take_little_are_told_together() -> None:
    table = profile_table(
        Profile("jdv check", 1000.0, 100.0, {"imports": 60.0, "checks/units": 39.0, "a": 0.5, "b": 0.5})
    )
    assert table.rows == [("imports", "60", "0.060"), ("checks/units", "39", "0.039"), ("elsewhere", "1", "0.001")]


def test_a_process_is_measured_whole_and_must_do_its_work(tmp_path: Path) -> None:
    write = [sys.executable, "-c", "import os; open('env.txt', 'w').write(os.environ['JDV_HOME'])"]
    assert seconds([write], tmp_path / "home", tmp_path) > 0
    assert (tmp_path / "env.txt").read_text() == str(tmp_path / "home")
    with pytest.raises(SystemExit, match="status 3"):
        seconds([[sys.executable, "-c", "raise SystemExit(3)"]], tmp_path, tmp_path)


def test_memory_is_that_of_the_whole_family(tmp_path: Path) -> None:
    hold = "import time; held = b'x' * 50_000_000; time.sleep(0.5)"
    family = f"import subprocess, sys; held = b'x' * 50_000_000; subprocess.run([sys.executable, '-c', {hold!r}])"
    held = peak([sys.executable, "-c", family], tmp_path, tmp_path)
    if held is None:
        pytest.skip("no /proc here to tell the memory of a process")
    assert held > 95


def test_the_measured_see_nothing_of_the_settings_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JDV_CONFIG", "elsewhere.toml")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert {name for name in environment(tmp_path) if name.startswith(("JDV_", "PYTHOND"))} == {"JDV_HOME", "JDV_LANG"}


def test_figures_are_renewed_in_place(tmp_path: Path) -> None:
    document = tmp_path / "d.md"
    document.write_text(
        "a\n<!-- figures: times -->\nold\n<!-- end -->\nb\n<!-- figures: growth -->\n<!-- end -->\n", encoding="utf-8"
    )
    renew(document, {"times": "| 1 |\n"})
    assert document.read_text(encoding="utf-8") == (
        "a\n<!-- figures: times -->\n\n| 1 |\n\n<!-- end -->\nb\n<!-- figures: growth -->\n<!-- end -->\n"
    )
    with pytest.raises(SystemExit, match="peers"):
        renew(document, {"times": "| 2 |\n", "peers": ""})
    assert "| 2 |" not in document.read_text(encoding="utf-8")


def test_the_document_has_a_place_for_every_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("machine", "times", "peers", "memory", "growth", "profiles"):
        assert text.count(f"<!-- figures: {name} -->\n") == 1

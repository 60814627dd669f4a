"""Every module of the three rooms is mutated or left out for a reason, and the tests that are to hold it are there."""

from __future__ import annotations

from pathlib import Path

from jdv_qa.checks.catalogue import load_catalogue
from tests.mutation.__main__ import interval, sample
from tests.mutation.mutants import Mutant
from tests.mutation.selection import FILES, LEFT_OUT, REPOSITORY, ROOMS, RULES, arguments_for, key_of, modules


def test_every_module_has_tests() -> None:
    assert {path.parent.name for path in modules()} == set(ROOMS)
    assert [key_of(path) for path in modules() if not arguments_for(path)] == []


def test_the_tests_named_are_there() -> None:
    named = {
        argument
        for path in modules()
        for run in arguments_for(path)
        for argument in run
        if argument.startswith("tests/")
    }
    assert sorted(name for name in named if not (REPOSITORY / name).exists()) == []


def test_the_rules_named_are_there() -> None:
    rules = tuple(load_catalogue())
    assert [
        name for names in RULES.values() for name in names if not any(rule.startswith(name) for rule in rules)
    ] == []


def test_no_module_is_named_that_is_not_there() -> None:
    known = {key_of(path) for path in modules()}
    assert sorted({*FILES, *RULES} - known) == []
    assert [name for name in LEFT_OUT if not (REPOSITORY / "jdv_qa" / f"{name}.py").exists()] == []


def test_the_interval_holds_the_share_and_narrows_with_more() -> None:
    for killed, tried in ((0, 6), (3, 6), (6, 6), (300, 400)):
        low, high = interval(killed, tried)
        assert 0 <= low <= killed / tried <= high <= 1
    (low, high), (lower, higher) = interval(80, 100), interval(8, 10)
    assert high - low < higher - lower
    assert interval(0, 0) == (0.0, 1.0)


def test_a_larger_sample_holds_the_smaller() -> None:
    mutants = [Mutant(Path("a.py"), "AddNot", number, number, 0, "f") for number in range(100)]
    small, large = sample(mutants, 0.1, 7), sample(mutants, 0.3, 7)
    assert (len(small), len(large)) == (10, 30)
    assert set(small) < set(large)
    assert set(sample(mutants, 0.1, 8)) != set(small)
    assert large == sorted(large, key=lambda mutant: mutant.line)

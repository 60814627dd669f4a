"""Which removed and added codes are one code that changed, and which are not."""

from __future__ import annotations

import pytest

from jdv_qa.compare.matching import match_recodings, recoding_kind
from jdv_qa.compare.model import Recoding
from tests.compare.build import edition, row

LABEL = "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"


def result(code: str, order: str = "24326-1", label: str = LABEL) -> dict[str, str]:
    return row(order, code, result_loinc_label=label)


def matched(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(found.part, found.old_code, found.new_code) for found in match_recodings(edition(old), edition(new))]


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("600238", "2951-2", "assigned"),
        ("X600238", "2951-2", "assigned"),
        ("2947-0", "2951-2", "replaced"),
        ("600238", "600239", None),
        ("2951-2", "600238", None),
        ("à définir", "2951-2", None),
        ("2951-2", "LP12345-6", None),
    ],
)
def test_kinds(old: str, new: str, kind: str | None) -> None:
    assert recoding_kind(old, new) == kind
    said = matched([result(old)], [result(new)])
    assert said == ([("result", old, new)] if kind else [])


def test_label_is_matched_without_case_and_outer_spaces() -> None:
    assert matched([result("600238")], [result("2951-2", label=f"{LABEL.upper()} ")]) == [
        ("result", "600238", "2951-2")
    ]


def test_another_label_is_no_match() -> None:
    assert matched([result("600238")], [result("2951-2", label="Sodium urinaire")]) == []


def test_a_blank_label_is_no_match() -> None:
    assert matched([result("600238", label="")], [result("2951-2", label="")]) == []


def test_another_place_is_no_match() -> None:
    others = [row("24326-1", "2823-3"), row("24320-4", "2823-3")]
    assert matched([*others, result("600238")], [*others, result("2951-2", order="24320-4")]) == []


@pytest.mark.parametrize("twice", ["old", "new"])
def test_a_label_held_twice_on_one_side_is_no_match(twice: str) -> None:
    one, two = [result("600238")], [result("2951-2")]
    if twice == "old":
        one.append(result("600239"))
    else:
        two.append(result("2947-0"))
    assert matched(one, two) == []


def test_a_label_that_another_code_keeps_does_not_count() -> None:
    kept = result("2823-3")
    assert matched([kept, result("600238")], [kept, result("2951-2")]) == [("result", "600238", "2951-2")]


def test_an_order_by_its_label_or_by_its_results() -> None:
    before = row("600238", "2951-2", order_label="Na", order_loinc_label="Sodium")
    same_label = row("2947-0", "2823-3", order_label="Na", order_loinc_label="Sodium")
    same_results = row("2947-0", "2951-2", order_label="Natrémie", order_loinc_label="Sodium")
    neither = row("2947-0", "2823-3", order_label="Natrémie", order_loinc_label="Sodium")
    kept = [row("24326-1", "2951-2"), row("24326-1", "2823-3")]
    assert ("order", "600238", "2947-0") in matched([*kept, before], [*kept, same_label])
    assert ("order", "600238", "2947-0") in matched([*kept, before], [*kept, same_results])
    assert matched([*kept, before], [*kept, neither]) == []


def test_a_result_follows_its_order() -> None:
    names = {"order_label": "Na", "order_loinc_label": "Sodium", "result_loinc_label": "Sodium"}
    found = match_recodings(edition([row("600238", **names)]), edition([row("2951-2", **names)]))
    assert found == [
        Recoding("order", "600238", "2951-2", "assigned", ("loinc-label", "order-label", "results")),
        Recoding("result", "600238", "2951-2", "assigned", ("loinc-label", "order:2951-2")),
    ]


def test_entries_without_code_are_not_matched() -> None:
    assert matched([result("")], [result("2951-2")]) == []

"""Which removed and added codes are one code that changed, and which are not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jdv_qa.compare.matching import load_matching, match_codes, recoding_kind
from jdv_qa.compare.model import Recoding
from jdv_qa.errors import RuleFileError
from jdv_qa.terminology.loinc import LoincRelease
from jdv_qa.workbook.edition import Edition
from tests.compare.build import edition, row

LABEL = "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"


def result(code: str, order: str = "24326-1", label: str = LABEL) -> dict[str, str]:
    return row(order, code, result_loinc_label=label)


def match_recodings(old: Edition, new: Edition, loinc: LoincRelease | None = None) -> list[Recoding]:
    return list(match_codes(old, new, loinc).recodings)


def matched(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return matched_with(None, old, new)


def matched_with(
    loinc: LoincRelease | None, old: list[dict[str, str]], new: list[dict[str, str]]
) -> list[tuple[str, str, str]]:
    found = match_recodings(edition(old), edition(new), loinc)
    return [(item.part, item.old_code, item.new_code) for item in found]


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
    assert [(item.part, item.kind, item.old_code, item.new_code, item.confidence >= 0.9) for item in found] == [
        ("order", "assigned", "600238", "2951-2", True),
        ("result", "assigned", "600238", "2951-2", True),
    ]
    assert {"loinc-label", "order-label", "results"} <= set(found[0].evidence)
    assert {"loinc-label", "order:2951-2", "rank", "unit"} <= set(found[1].evidence)


def test_an_entry_without_code_that_is_given_one() -> None:
    (found,) = match_recodings(edition([result("")]), edition([result("2951-2")]))
    assert (found.kind, found.old_code, found.old_key, found.new_code) == ("modified", "", LABEL, "2951-2")


def test_a_code_that_is_no_longer_given_is_gone() -> None:
    assert matched([result("2951-2")], [result("")]) == []


def term(code: str, label: str, display: str, rank: str = "10", **more: str) -> dict[str, str]:
    return row("24326-1", code, result_loinc_label=label, result_display=display, rank=rank, **more)


PENDING = term("600238", "Acide oxalique [Moles/Volume] Urine ; Numérique", "Acide oxalique urinaire")
KEPT = term("2823-3", "Potassium [Moles/Volume] Sérum/Plasma ; Numérique", "Potassium", "20")


@pytest.mark.parametrize(
    ("label", "display", "evidence"),
    [
        ("Acide oxalique (oxalate) [Moles/Volume] Urine ; Numérique", "Acide oxalique urinaire", "loinc-label-like"),
        ("Acide oxaliques [Moles/Volume] Urine ; Numérique", "Acide oxalique urinaire", "loinc-label-like"),
        ("Acide oxalique [Moles/Volume] Urine ; Numérique", "Oxalates dans les urines", "loinc-label"),
        ("ACIDE  OXALIQUE [moles/volume] urine ; numérique", "Acide oxalique urinaire", "loinc-label"),
        ("Acide oxalique [Moles/Volume] 24H ; Urine ; Numérique", "Acide oxalique urinaire", "display"),
    ],
)
def test_a_label_edited_while_the_code_is_assigned(label: str, display: str, evidence: str) -> None:
    (found,) = match_recodings(edition([KEPT, PENDING]), edition([KEPT, term("2700-3", label, display)]))
    assert (found.old_code, found.new_code) == ("600238", "2700-3")
    assert evidence in found.evidence
    assert 0.72 <= found.confidence <= 1


def test_known_rewordings_of_an_axis() -> None:
    old = term("600238", "Pénicilline [Susceptibilité] Isolement ; Qualitatif", "Pénicilline")
    new = term("2700-3", "Pénicilline [Sensibilité] Isolat ; Qualitatif", "Pénicilline")
    (found,) = match_recodings(edition([KEPT, old]), edition([KEPT, new]))
    assert "loinc-label-reworded" in found.evidence


NEIGHBOURS = [
    ("Toxoplasma gondii Ac IgG", "Toxoplasma gondii Ac IgM"),
    ("Streptococcus pneumoniae 4 Ac IgG", "Streptococcus pneumoniae 14 Ac IgG"),
    ("Calciférol D2", "Calciférol D3"),
    ("Bilirubine totale", "Bilirubine conjuguée"),
    ("Vitamine D", "Vitamine D récepteur Ac"),
    ("Sodium", "Potassium"),
    ("Nitrate", "Nitrite"),
    ("Éthanol", "Méthanol"),
    ("Loxapine", "Clozapine"),
    ("Dactylis glomerata Ac IgE", "Phleum pratense Ac IgE"),
]


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
@pytest.mark.parametrize("old_code", ["600238", "2947-0"])
def test_a_neighbour_in_the_same_panel_is_another_code(one: str, other: str, old_code: str) -> None:
    """A result leaves a panel and another comes in: same order, chapter, axes and unit, even the same rank."""
    old = term(old_code, f"{one} [Moles/Volume] Sérum/Plasma ; Numérique", one)
    new = term("2700-3", f"{other} [Moles/Volume] Sérum/Plasma ; Numérique", other)
    found = match_codes(edition([KEPT, old]), edition([KEPT, new]))
    assert found.recodings == ()


def test_several_codes_at_once_are_assigned_as_a_whole() -> None:
    names = ["Acide oxalique", "Acide citrique", "Acide urique", "Acide lactique", "Acide pyruvique"]
    old = [term(f"60023{n}", f"{name} [Moles/Volume] Urine ; Numérique", name, str(n)) for n, name in enumerate(names)]
    new = [
        term(f"270{n}-3", f"{name} (révisé) [Moles/Volume] Urine ; Numérique", name, str(n))
        for n, name in reversed(list(enumerate(names)))
    ]
    assert matched(old, new) == [("result", f"60023{n}", f"270{n}-3") for n in range(len(names))]


def test_what_is_not_sure_enough_resembles() -> None:
    other = term("2700-3", "Oxalate [Masse/Volume] Urine ; Numérique", "Acide oxalique urinaire", "10")
    found = match_codes(edition([KEPT, PENDING]), edition([KEPT, other]))
    assert found.recodings == ()
    (pair,) = found.resemblances
    assert (pair.old_code, pair.new_code) == ("600238", "2700-3")
    assert 0.5 <= pair.confidence < 0.72


def test_two_axes_apart_is_another_analysis() -> None:
    other = term("2700-3", "Acide oxalique [Masse/Volume] Selle ; Numérique", "Acide oxalique urinaire", "10")
    found = match_codes(edition([KEPT, PENDING]), edition([KEPT, other]))
    assert found.recodings == ()
    assert [pair.confidence for pair in found.resemblances] == [0.7]


def test_a_new_number_of_a_pending_code_resembles() -> None:
    found = match_codes(edition([result("600238")]), edition([result("600239")]))
    assert found.recodings == ()
    assert [(pair.old_code, pair.new_code) for pair in found.resemblances] == [("600238", "600239")]


def test_what_loinc_says_of_a_withdrawn_code_counts() -> None:
    loinc = LoincRelease("2.80", {}, {"2947-0": (("2951-2", ""),)})
    old, new = [KEPT, result("2947-0")], [KEPT, result("2951-2", "24320-4", "Natrium [Masse] Plasma ; Numérique")]
    assert matched(old, new) == []
    (found,) = match_recodings(edition(old), edition(new), loinc)
    assert (found.new_code, found.kind) == ("2951-2", "replaced")
    assert "map-to" in found.evidence


def test_of_two_replacements_the_likelier_one() -> None:
    loinc = LoincRelease("2.80", {}, {"2947-0": (("2951-2", ""), ("2700-3", ""))})
    old = [KEPT, result("2947-0")]
    new = [KEPT, result("2700-3", "24320-4", "Oxalate [Masse] Urine ; Numérique"), result("2951-2")]
    assert matched_with(loinc, old, new) == [("result", "2947-0", "2951-2")]


def test_many_codes_do_not_take_long() -> None:
    label = "Allergène {n} Ac IgE [Arbitraire/Volume] Sérum ; Numérique"
    old = [term(f"60{n:04}", label.format(n=f"w{n}"), f"Allergène w{n}", str(n)) for n in range(1500)]
    new = [term(f"7{n:04}-1", label.format(n=f"w{n}"), f"Allergène w{n}", str(n)) for n in range(1500)]
    start = time.perf_counter()
    assert len(matched(old, new)) == 1500
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("content", ["", "assigned: 2", "assigned: 0.5\nweights: {}", "[", "assigned: oui"])
def test_a_wrong_rules_file_is_an_error_for_people(content: str, tmp_path: Path) -> None:
    path = tmp_path / "matching.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RuleFileError, match=r"matching\.yaml"):
        load_matching(path)

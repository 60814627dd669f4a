"""Codes that gave way to others in reference tabs and in one-table forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.compare.matching import COMMON
from jdv_qa.compare.model import Comparison
from jdv_qa.report.changes_text import summary_sentence
from jdv_qa.terminology.loinc import LoincRelease, Term
from jdv_qa.workbook.edition import Edition
from tests.compare.build import Row, edition, row, terms
from tests.compare.test_techniques import techniques

TERM_COLUMNS = ("code", "label", "status")


def tab(key: str, *entries: tuple[str, str]) -> Edition:
    return edition([row()], {key: [{"code": code, "label": label} for code, label in entries]})


def told(comparison: Comparison) -> set[tuple[str, str, str, str | None, tuple[str, ...]]]:
    return {(c.kind, c.part, c.code, c.new_code, c.related) for c in comparison.changes}


def release(**replacements: tuple[str, ...]) -> LoincRelease:
    """Return a release in which codes, given as _1_8, are deprecated and replaced by others, which are in use."""
    codes = {name.removeprefix("_").replace("_", "-"): targets for name, targets in replacements.items()}
    statuses = {target: "ACTIVE" for targets in codes.values() for target in targets} | dict.fromkeys(
        codes, "DEPRECATED"
    )
    rest = {
        code: [status if name == "status" else "" for name in Term._fields[1:]] for code, status in statuses.items()
    }
    return LoincRelease(
        "2.80",
        {code: Term(code, *texts) for code, texts in rest.items()},
        {code: tuple((target, "") for target in targets) for code, targets in codes.items()},
    )


class TestReferenceTabs:
    def test_a_loinc_code_that_takes_the_place_of_a_pending_one_is_assigned(self) -> None:
        comparison = compare(tab("chapters", ("859127", "Selles")), tab("chapters", ("18725-2", "SELLES")))
        assert ("assigned", "chapter", "859127", "18725-2", ()) in told(comparison)
        assert comparison.summary["added"] == comparison.summary["removed"] == 0
        (recoding,) = comparison.recodings
        assert (recoding.evidence, recoding.confidence) == (("label",), 1.0)

    def test_a_loinc_code_that_takes_the_place_of_another_is_replaced(self) -> None:
        old, new = tab("clinical_info", ("8665-2", "Date")), tab("clinical_info", ("8666-0", "Date"))
        assert told(compare(old, new)) == {("replaced", "clinical_info", "8665-2", "8666-0", ())}
        assert compare(new, old).summary["replaced"] == 1

    @pytest.mark.parametrize("part", ["specimen", "site", "laterality", "technique"])
    def test_other_codes_with_one_label_resemble_each_other(self, part: str) -> None:
        key = {"laterality": "lateralities"}.get(part, f"{part}s")
        comparison = compare(tab(key, ("9DX", "Titrimétrie")), tab(key, ("ZDX", "titrimetrie")))
        assert told(comparison) == {
            ("removed", part, "9DX", None, ("ZDX",)),
            ("added", part, "ZDX", None, ("9DX",)),
        }
        assert [(pair.confidence, pair.evidence) for pair in comparison.resemblances] == [(1.0, ("label",))]

    def test_a_label_that_two_codes_have_decides_nothing(self) -> None:
        old = tab("clinical_info", ("8665-2", "Date"))
        new = tab("clinical_info", ("8666-0", "Date"), ("8667-8", "Date"))
        comparison = compare(old, new)
        assert told(comparison) == {
            ("removed", "clinical_info", "8665-2", None, ("8666-0", "8667-8")),
            ("added", "clinical_info", "8666-0", None, ("8665-2",)),
            ("added", "clinical_info", "8667-8", None, ("8665-2",)),
        }
        assert {pair.confidence for pair in comparison.resemblances} == {0.5}

    def test_blank_labels_and_very_common_ones_say_nothing(self) -> None:
        old = tab("specimens", ("A", ""), ("B", "Autre"))
        new = tab("specimens", ("C", ""), *((f"D{number}", "Autre") for number in range(COMMON + 1)))
        assert compare(old, new).resemblances == ()

    def test_nothing_is_matched_across_tabs_or_without_a_code(self) -> None:
        old = edition([row()], {"specimens": [{"code": "SER", "label": "Poumon"}, {"label": "Sang"}], "sites": []})
        new = edition(
            [row()], {"specimens": [{"code": "BLD", "label": "Sang"}], "sites": [{"code": "L", "label": "Poumon"}]}
        )
        comparison = compare(old, new)
        assert (comparison.recodings, comparison.resemblances) == ((), ())

    def test_what_stands_under_a_chapter_follows_it(self) -> None:
        def chapters(code: str, other: str) -> list[Row]:
            return [
                {"code": code, "label": "Selles", "subcode": code, "sublabel": "Selles"},
                {"code": code, "label": "Selles", "subcode": "1-8", "sublabel": "Graisses"},
                {"code": code, "label": "Selles", "subcode": "2-6", "sublabel": "Autres"},
                {"code": other, "label": "Urines", "subcode": "2-6", "sublabel": "Autres"},
                {"code": other, "label": "Urines", "subcode": "3-4", "sublabel": "Sels"},
            ]

        moved = chapters("18725-2", "18729-4")
        moved[1] = {**moved[1], "code": "18729-4", "label": "Urines"}
        old = edition([row(chapter="859127", subchapter="859127")], {"chapters": chapters("859127", "18729-4")})
        new = edition([row(chapter="18725-2", subchapter="18725-2")], {"chapters": moved})
        comparison = compare(old, new)
        assert {(c.kind, c.code, c.field, c.old, c.new) for c in comparison.select(part="chapter")} == {
            ("assigned", "859127", None, None, None),
            ("modified", "1-8", "code", "859127", "18729-4"),
        }
        assert [movement.kind for movement in comparison.movements] == ["subchapter"]
        still = compare(
            edition([row()], {"chapters": chapters("859127", "18729-4")}),
            edition([row()], {"chapters": chapters("18725-2", "18729-4")}),
        )
        assert [c.kind for c in still.changes] == ["assigned"]

    def test_the_real_revision_of_the_techniques_tells_the_codes_with_one_label(self, reference_data: Path) -> None:
        """Eight codes of the ANS left, and came back under another code with the same text."""
        folder = reference_data / "jdv_xml"
        old = techniques(folder / "JDV_TechniqueBiologie_CISIS_20240524.xml")
        new = techniques(folder / "jdv-technique-biologie-cisis_20250616.xml")
        comparison = compare(old, new)
        assert comparison.recodings == ()
        assert {(pair.old_code, pair.new_code) for pair in comparison.resemblances} == {
            ("9DX", "ZDX"), ("MA", "MAX"), ("VB", "VBX"), ("VE", "UVA"), ("ZC", "ZCX"), ("ZR", "ZRX"), ("ZT", "ZTX"),
            ("ZV", "ZVX"),
        }  # fmt: skip
        assert "88 ajouts, 51 suppressions, 87 modifications" in summary_sentence(comparison)


class TestTerms:
    OLD = terms([{"code": "1-8", "label": "Sodium", "status": "ACTIVE"}], TERM_COLUMNS)

    def test_the_same_label_is_a_replacement_and_other_fields_are_compared(self) -> None:
        new = terms([{"code": "2-6", "label": "Sodium", "status": "TRIAL"}], TERM_COLUMNS)
        assert {(c.kind, c.code, c.new_code, c.field) for c in compare(self.OLD, new).changes} == {
            ("replaced", "1-8", "2-6", None),
            ("modified", "2-6", None, "status"),
        }

    def test_another_label_is_one_if_loinc_says_so(self) -> None:
        new = terms([{"code": "2-6", "label": "Natrémie", "status": "ACTIVE"}], TERM_COLUMNS)
        assert {c.kind for c in compare(self.OLD, new).changes} == {"removed", "added"}
        comparison = compare(self.OLD, new, loinc=release(_1_8=("2-6",)))
        assert {c.kind for c in comparison.changes} == {"replaced", "modified"}
        assert [(item.evidence, item.confidence) for item in comparison.recodings] == [(("map-to",), 0.75)]

    def test_two_candidates_of_loinc_are_told_and_not_chosen(self) -> None:
        new = terms([{"code": "2-6", "label": "a"}, {"code": "3-4", "label": "b"}], TERM_COLUMNS)
        comparison = compare(self.OLD, new, loinc=release(_1_8=("2-6", "3-4")))
        assert comparison.select("removed")[0].related == ("2-6", "3-4")
        assert comparison.summary["replaced"] == 0

    def test_what_loinc_gives_in_the_place_of_a_removed_code_is_linked_when_it_was_there_before(self) -> None:
        kept = {"code": "2-6", "label": "Natrémie"}
        old = terms([{"code": "1-8", "label": "Sodium"}, kept], TERM_COLUMNS)
        comparison = compare(old, terms([kept], TERM_COLUMNS), loinc=release(_1_8=("2-6", "3-4")))
        assert told(comparison) == {("removed", "term", "1-8", None, ("2-6",))}


def test_what_loinc_gives_in_the_place_of_a_removed_result() -> None:
    old = edition([row("24326-1", "1-8"), row("24326-1", "2-6")])
    new = edition([row("24326-1", "2-6")])
    loinc = release(_1_8=("2-6",))
    assert compare(old, new).select("removed", "result")[0].related == ()
    assert compare(old, new, loinc=loinc).select("removed", "result")[0].related == ("2-6",)

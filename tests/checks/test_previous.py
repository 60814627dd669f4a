"""The version against the previous one: on the sample every note counts, on full-size versions the truth is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from jdv_qa.checks.dates import differ, read_date
from jdv_qa.checks.engine import Context, check, rule_functions
from jdv_qa.checks.notes import read_told
from jdv_qa.checks.previous import _cut, _same_meaning, _Use
from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Change
from jdv_qa.compare.versions import above, same_version
from jdv_qa.sample import files
from jdv_qa.terminology.loinc import LoincRelease
from jdv_qa.workbook.edition import Edition, Record
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.compare.build import edition, row, table

RULES = ["VER", "SOM"]
NOTE_FIELDS = ("version", "date", "part", "nature", "code", "label", "field", "old", "new", "comment")


@lru_cache
def sample(version: str) -> Edition:
    return read_edition(files()[version])


def with_notes(given: Edition, notes: tuple[Record, ...]) -> Edition:
    return replace(given, tables={**given.tables, "notes": replace(given.tables["notes"], records=notes)})


def found(new: Edition, old: Edition, *rules: str) -> list[tuple[str, str, str | None]]:
    report = check(new, earlier=[old], select=rules or RULES)
    assert report.crashed == ()
    return [(item.rule, item.tab, item.code) for item in report.findings]


def test_the_second_edition_of_the_sample_tells_all_its_changes() -> None:
    assert found(sample("1.1.0"), sample("1.0.0")) == []


def test_a_check_and_a_comparison_agree_on_what_loinc_replaces() -> None:
    """The labels alone do not say that one code gave way to the other; MapTo does."""
    old = edition([row("24326-1", "2951-2"), row("24326-1", "6298-4", result_loinc_label="Kaliémie", rank="20")])
    new = edition(
        [row("24326-1", "2951-2"), row("24326-1", "2823-3", result_loinc_label="Potassium", rank="30")], version="1.1.0"
    )
    release = LoincRelease("2.80", {}, {"6298-4": (("2823-3", ""),)})
    for loinc, kinds, gone in ((None, {"removed", "added"}, ["6298-4"]), (release, {"replaced", "modified"}, [])):
        report = check(new, earlier=[old], loinc=loinc, select=["VER-02"])
        assert (report.run, [item.code for item in report.findings]) == (("VER-02",), gone)
        comparison = Context(new, load_layout(), (old,), loinc).comparison
        assert {change.kind for change in comparison.select(part="result")} == kinds
        assert comparison == compare(old, new, loinc=loinc)


def test_the_draft_of_the_sample_has_lost_codes_and_changed_units_without_a_word() -> None:
    findings = found(sample("1.2.0"), sample("1.1.0"))
    by_rule = {rule: sorted(code or "" for name, _, code in findings if name == rule) for rule, _, _ in findings}
    assert by_rule == {
        "VER-02": ["14630-8", "33944-0", "738224", "905866"],
        "VER-04": ["14927-8", "15061-5", "2157-6", "777-3"],
        "VER-05": ["3255-7", "48066-5"],
        "VER-06": [""],
    }


IMPLIED = {
    ("Association demande–résultat", "33863-2"), ("Association demande–résultat", "67151-1"), ("Association demande–résultat", "38445-3"),
    ("Association demande–résultat", "57778-3"), ("Association demande–résultat", "57698-3"), ("Association demande–résultat", "77190-7"),
    ("Association demande–résultat", "6598-7"), ("Association demande–résultat", "2000-8"),
    ("Alignement NABM/RIHN", "67151-1"), ("Alignement NABM/RIHN", "6598-7"),
}  # fmt: skip
"""Notes of pairs that come or go with an order or a result, which another note tells."""
TWICE = {"905853", "6447-7", "14635-7", "33863-2", "67151-1", "38445-3", "6598-7"}
"""Codes of an order and of its result, changed at once: a note on one tells both."""

NOTES_OF_THE_SAMPLE = [
    place if place % 4 == 0 else pytest.param(place, marks=pytest.mark.slow)
    for place in range(len(sample("1.1.0").records("notes")))
]


@pytest.mark.parametrize("place", NOTES_OF_THE_SAMPLE)
def test_every_note_of_the_sample_counts(place: int) -> None:
    notes = sample("1.1.0").records("notes")
    note = notes[place]
    without = with_notes(sample("1.1.0"), notes[:place] + notes[place + 1 :])
    findings = found(without, sample("1.0.0"))
    if (note["part"], note["code"]) in IMPLIED or (note["part"] in ("Demande", "Résultat") and note["code"] in TWICE):
        assert findings == []
    else:
        assert len(findings) == 1
        assert findings[0][2] in (note["code"], note["new"])


@pytest.mark.parametrize("place", NOTES_OF_THE_SAMPLE)
def test_a_note_with_another_code_tells_no_change(place: int) -> None:
    notes = sample("1.1.0").records("notes")
    wrong = replace(notes[place], values={**notes[place].values, "code": "99999-9", "comment": "", "label": "Autre"})
    findings = found(with_notes(sample("1.1.0"), (*notes, wrong)), sample("1.0.0"))
    assert findings == [("VER-06", "notes", "99999-9")]


def note_of(change: Change, version: str) -> dict[str, str]:
    """A note in the words of the comparison, not of the sample."""
    from jdv_qa.compare.wording import field_name, kind_name, part_name

    said = {
        "version": version,
        "part": part_name(change.part),
        "nature": kind_name(change.kind),
        "code": change.code,
        "field": field_name(change.part, change.field) if change.field else "",
        "old": change.old if change.field else "",
        "new": change.new if change.field else change.new_code or change.result or change.nabm or "",
    }
    return {name: text for name, text in said.items() if text}


@pytest.mark.parametrize("layout", ["a", "b"])
@pytest.mark.slow
def test_full_size_versions(layout: str, corpus: Callable[[int, str, str], Path]) -> None:
    folder = corpus(1, layout, "repeat")
    old, new = read_edition(folder / "v1.xlsx"), read_edition(folder / "v2.xlsx")
    truth = json.loads((folder / "diff_truth.json").read_text(encoding="utf-8"))
    findings = found(new, old)

    def codes(rule: str) -> list[str]:
        return sorted(code or "" for name, _, code in findings if name == rule)

    def told(*fields: str) -> list[str]:
        return sorted({item["code"] for item in truth if item.get("field") in fields})

    gone = {item["code"] for item in truth if item["kind"] == "removed" and item["part"] in ("order", "result")}
    assert codes("VER-02") == sorted(gone)
    assert codes("VER-04") == told("unit")
    assert codes("VER-05") == told("comparability", "discriminating_technique")
    assert codes("VER-06") == [""]
    assert {rule for rule, _, _ in findings} == {"VER-02", "VER-04", "VER-05", "VER-06"}

    notes = [note_of(change, "1.1.11") for change in compare(old, new).changes]
    told_all = with_notes(new, table("notes", notes, NOTE_FIELDS).records)
    assert found(told_all, old) == []


@pytest.mark.slow
def test_the_rules_are_quick(corpus: Callable[[int, str, str], Path]) -> None:
    folder = corpus(1, "a", "repeat")
    old, new = read_edition(folder / "v1.xlsx"), read_edition(folder / "v2.xlsx")
    notes = [note_of(change, "1.1.11") for change in compare(old, new).changes]
    context = Context(with_notes(new, table("notes", notes, NOTE_FIELDS).records), load_layout(), (old,))
    parameters = {"similarity": 75, "even_if_told": False, "left_to_others": ()}
    start = time.perf_counter()
    for identifier, function in rule_functions().items():
        if identifier.startswith("VER"):
            assert list(function(context, parameters)) == []
    assert time.perf_counter() - start < 1


def told_codes(notes: list[Mapping[str, str]], old: Edition, new: Edition) -> set[str]:
    new = replace(new, tables={**new.tables, "notes": table("notes", notes, NOTE_FIELDS)})
    comparison = compare(old, new)
    told = read_told(new, old, comparison, load_layout())
    return {change.field or change.kind for change in comparison.changes if told.tells(change)}


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ({"code": "2951-2"}, {"unit", "rank", "order_label"}),
        ({"code": "2951‑2", "part": "Résultats"}, {"unit", "rank"}),
        ({"code": "2951-2", "part": "Examen prescriptible"}, {"order_label"}),
        ({"code": "2951-2", "part": "Code LOINC", "nature": "modifications"}, {"unit", "rank", "order_label"}),
        ({"code": "2951-2", "nature": "Ajout"}, set()),
        ({"code": "2951-2", "nature": "Ajout", "field": "unité"}, {"unit"}),
        ({"code": "2951-2", "field": "UNITE RECOMMANDEE", "old": "mmol/L"}, {"unit"}),
        ({"code": "2951-2", "field": "unit", "new": "g/L"}, set()),
        ({"code": "2951-2", "field": "Champ inconnu", "old": "10", "new": "20"}, {"rank"}),
        ({"code": "2951-2", "field": "Unité, rang"}, {"unit", "rank"}),
        ({"code": "2951-2", "old": "mmol/L", "new": "umol/L"}, {"unit"}),
        ({"label": "résultat 2951-2"}, {"unit", "rank"}),
        ({"code": "2823-3"}, set()),
        ({"code": "2951-2, 2823-3", "field": "Rang"}, {"rank"}),
        ({"version": "1.0.0", "code": "2951-2"}, set()),
        ({"version": "1.2.0", "code": "2951-2"}, set()),
        ({"version": "V1.1 (2.80)", "code": "2951-2"}, {"unit", "rank", "order_label"}),
    ],
)  # fmt: skip
def test_how_freely_a_note_may_be_worded(note: dict[str, str], expected: set[str]) -> None:
    old = edition([row()], version="1.0.0")
    new = edition([row(unit="umol/L", rank="20", order_label="Natrémie")], version="1.1.0")
    assert told_codes([{"version": "1.1.0", **note}], old, new) == expected


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        ({"code": "905853", "nature": "Code attribué"}, "assigned"),
        ({"code": "905853", "nature": "Code attribué", "part": "Demande"}, "assigned"),
        ({"code": "905853", "nature": "Modification", "field": "Code LOINC résultat", "new": "43913-3"}, "assigned"),
        ({"code": "905853", "nature": "Code attribué", "new": "99999-9"}, ""),
        ({"code": "43913-3", "nature": "Création", "comment": "à la place de 905853"}, "assigned"),
        ({"code": "905853", "nature": "Suppression"}, "assigned"),
        ({"code": "905853", "nature": "Modification", "field": "Unité"}, ""),
    ],
)  # fmt: skip
def test_a_recoding_is_told_from_either_side(note: dict[str, str], kind: str) -> None:
    same = {"result_loinc_label": "Bordetella ADN [Présence/Seuil] Gorge ; Qualitatif"}
    old = edition([row("24326-1", "905853", **same)], version="1.0.0")
    new = edition([row("24326-1", "43913-3", **same)], version="1.1.0")
    assert told_codes([{"version": "1.1.0", **note}], old, new) == ({kind} if kind else set())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("1.1.10", "1.1.9", False), ("1.2", "1.2.0", True), ("2.23 (2.79-2.80)", "2.23", True), ("", "1.0", False), ("V3", "3.0", True)],
)  # fmt: skip
def test_versions_compare_by_number(one: str, other: str, same: bool) -> None:
    assert same_version(one, other) is same
    assert not above(other, one)
    assert above(one, other) is (one == "1.1.10")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-07-15", (2026, 7, 15)), ("2026-07-15T00:00:00", (2026, 7, 15)), ("15/07/2026", (2026, 7, 15)), ("15.7.2026", (2026, 7, 15)),
        ("1er juillet 2019", (2019, 7, 1)), ("15 Août 2019", (2019, 8, 15)), ("févr. 2019", (2019, 2)), ("July 2019", (2019, 7)), ("07/2026", (2026, 7)),
        ("2026-07", (2026, 7)), ("15 brumaire 2019", None), ("31/02/2026", None), ("bientôt", None), ("", None), ("46037", None), ("2026", None),
    ],
)  # fmt: skip
def test_dates_as_people_write_them(text: str, date: tuple[int, ...] | None) -> None:
    assert read_date(text) == date


def test_dates_differ_in_what_both_say() -> None:
    assert not differ((2026, 7), (2026, 7, 15))
    assert differ((2026, 8), (2026, 7, 15))


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Testostérone [Moles/Volume] Sérum ; Numérique", "Testostérone libre [Moles/Volume] Sérum ; Numérique", False),
        ("Nitrates [Moles/Volume] Urine ; Numérique", "Nitrites [Moles/Volume] Urine ; Numérique", False),
        ("Nitrates [Moles/Volume] Urine ; Numérique", "NITRATE [Moles/Volume] urine ; Numérique", True),
        ("Bilirubine conjuguée [Moles/Volume] Sérum ; Numérique", "Conjugué bilirubine [Moles/Volume] Sérum ; Numérique", True),
        ("Kappa/lambda [Masse ratio] Sérum ; Numérique", "Lambda/kappa [Masse ratio] Sérum ; Numérique", False),
        ("IgG [Masse/Volume] Sérum ; Numérique", "IgM [Masse/Volume] Sérum ; Numérique", False),
        ("Virus Ag [Présence/Seuil] Gorge ; Qualitatif", "Virus Ag [Présence/Seuil] Gorge ; Qualitatif ; Immunoanalyse", True),
        ("Virus Ag [Présence/Seuil] Gorge ; Qualitatif ; PCR", "Virus Ag [Présence/Seuil] Gorge ; Qualitatif ; Immunoanalyse", False),
        ("Créatinine [Moles/Volume] Urine ; Numérique", "Créatinine [Moles/Volume] 24H ; Urine ; Numérique", False),
        ("Libellé irrégulier du sodium", "Sodium, libellé irrégulier", True),
        ("Libellé irrégulier du sodium", "Potassium", False),
    ],
)  # fmt: skip
def test_another_wording_is_no_other_meaning(old: str, new: str, same: bool) -> None:
    uses = [_Use(Record(3, {}), "result_code", label, name) for label, name in ((old, "a"), (new, "b"))]
    assert _same_meaning(uses[0], uses[1], 75) is same
    assert _same_meaning(uses[1], uses[0], 75) is same


def test_long_values_are_cut_round_what_differs() -> None:
    one, other = _cut("x" * 100 + "avant" + "y" * 100, "x" * 100 + "après" + "y" * 100)
    assert "avant" in one
    assert "après" in other
    assert max(len(one), len(other)) <= 62
    assert _cut("mmol/L", "g/L") == ("mmol/L", "g/L")

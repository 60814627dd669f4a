"""A table of requests, as people write them, and the verdicts they deserve; and what several requests do to one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jdv_qa.language import use_language
from jdv_qa.triage.verdict import VERDICTS
from tests.triage.registers import SODIUM_BLOOD, one, reviewed

RESULT = {"kind": "Création", "object": "Résultat"}
NEW = RESULT | {
    "code": "2947-0", "label": SODIUM_BLOOD, "order": "24326-1", "unit": "mmol/L", "display": "Sodium sang total", "comparability": 1,
    "chapter": "18719-5",
}  # fmt: skip
CHANGE = {"kind": "Modification", "object": "Résultat", "code": "14682-9"}
TERM = {
    "kind": "Création",
    "object": "Code LOINC",
    "label": "Zonuline [Masse/Volume] Sérum ; Numérique",
    "unit": "ug/L",
}

TABLE: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("acceptable", "a new result", NEW, None),
    ("acceptable", "in other words", NEW | {"kind": "Merci d'ajouter", "object": "analyse"}, None),
    ("acceptable", "object left out", NEW | {"object": ""}, None),
    ("acceptable", "object in the kind", NEW | {"kind": "Ajout d'un résultat", "object": ""}, None),
    ("acceptable", "chapter by its name", NEW | {"chapter": "Biochimie"}, None),
    ("acceptable", "chapter by code and name", NEW | {"chapter": "18719-5 – Biochimie"}, None),
    ("acceptable", "order by its label", NEW | {"order": "Ionogramme sanguin"}, None),
    ("acceptable", "a known result under one more order", RESULT | {"code": "14682-9", "order": "24326-1"}, None),
    ("acceptable", "a pending code of the applicant", NEW | {"code": "1999999", "label": "Zonuline [Masse/Volume] Sérum ; Numérique", "unit": "ug/L"}, None),
    ("acceptable", "an order", {"kind": "Création", "object": "Demande", "code": "2947-0", "label": SODIUM_BLOOD, "comparability": 1, "unit": "mmol/L", "display": "Natrémie, sang total", "chapter": "18719-5"}, None),
    ("acceptable", "an order without result", {"kind": "Création", "object": "Examen prescriptible", "code": "24320-4", "label": "Bilan métabolique panel [-] Sérum/Plasma ; -"}, "GRP-02"),
    ("acceptable", "a unit", CHANGE | {"field": "Unité recommandée", "value": "mmol/L"}, None),
    ("acceptable", "a unit in its own column", CHANGE | {"field": "Unité", "unit": "mmol/L"}, None),
    ("acceptable", "a unit, no field", CHANGE | {"unit": "mmol/L"}, None),
    ("acceptable", "changer l'unité", CHANGE | {"kind": "changer l'unité", "object": "", "value": "mmol/L"}, None),
    ("acceptable", "mettre en mmol/L", CHANGE | {"value": "mettre en mmol/L"}, None),
    ("acceptable", "in the reason", CHANGE | {"object": "", "reason": "Merci de passer en mmol/L, comme le JDV."}, None),
    ("acceptable", "code with a long dash", CHANGE | {"code": "14682–9", "value": "passer à mmol/L"}, "CEL-02"),
    ("acceptable", "code without its dash", CHANGE | {"code": "146829", "field": "unité", "value": "mmol/L"}, "COD-01"),
    ("acceptable", "several codes", CHANGE | {"code": "14682-9 ; 14933-6", "field": "Unité", "value": "mmol/L"}, None),
    ("acceptable", "result named by its label", CHANGE | {"code": "", "label": "Créatinine [Moles/Volume] Sérum/Plasma ; Numérique", "field": "unité", "value": "mmol/L"}, None),
    ("acceptable", "a display label", CHANGE | {"field": "Libellé d’édition", "value": "« Créatinine plasmatique »"}, None),
    ("acceptable", "a label of an order", {"kind": "Renommer", "object": "Demande", "code": "24326-1", "field": "Libellé", "value": "Ionogramme"}, None),
    ("acceptable", "a chapter, with its sub-chapter", CHANGE | {"kind": "Déplacer", "field": "Chapitre", "value": "18723-7"}, None),
    ("acceptable", "a chapter by its name", CHANGE | {"field": "Chapitre", "value": "mettre dans le chapitre Hématologie"}, None),
    ("acceptable", "a synonym more", {"kind": "Ajout", "object": "Demande", "code": "24326-1", "field": "Synonymes", "value": "Bilan ionique"}, None),
    ("acceptable", "a specimen by its name", {"kind": "Modification", "object": "Demande", "code": "14749-6", "field": "Nature de prélèvement", "value": "Plasma"}, None),
    ("acceptable", "a LOINC code for a pending one", {"kind": "Attribution d'un code LOINC", "code": "1407312", "value": "remplacer par 883-9"}, None),
    ("acceptable", "a result", {"kind": "Retrait", "object": "Résultat", "code": "2160-0"}, None),
    ("acceptable", "a result of one order", {"kind": "À supprimer", "object": "", "code": "14682-9", "order": "24362-6"}, None),
    ("acceptable", "an order", {"kind": "Suppression", "object": "Demande", "code": "24353-5"}, None),
    ("acceptable", "a synonym less", {"kind": "Retrait d'un synonyme", "object": "Demande", "code": "24326-1", "value": "Iono"}, None),
    ("acceptable", "an alignment more", {"kind": "Création", "object": "Alignement NABM–LOINC", "code": "24326-1", "nabm": "0593"}, None),
    ("acceptable", "an alignment less", {"kind": "Suppression", "object": "Alignement NABM", "code": "24326-1", "nabm": "1610"}, None),
    ("acceptable", "another act", {"kind": "Modification", "object": "NABM", "code": "24326-1", "nabm": "1610", "value": "0593"}, None),
    ("acceptable", "a technique", {"kind": "Création", "object": "Technique", "code": "ZZZ", "label": "Spectrométrie"}, None),
    ("acceptable", "a label of a specimen", {"kind": "Modification", "object": "Nature de prélèvement", "code": "SER", "value": "Sérum sanguin"}, None),
    ("incomplete", "nothing said", RESULT | {"reason": "Merci d'ajouter cet examen"}, None),
    ("incomplete", "no kind", {"object": "Résultat", "code": "14682-9"}, None),
    ("incomplete", "kind not understood", {"kind": "???", "object": "Résultat", "code": "14682-9"}, None),
    ("incomplete", "no value", CHANGE | {"field": "Libellé d'édition"}, None),
    ("incomplete", "no field", CHANGE | {"reason": "À revoir"}, None),
    ("incomplete", "no unit for a quantity", NEW | {"unit": ""}, "UNI-01"),
    ("incomplete", "no level", NEW | {"comparability": ""}, "CMP-01"),
    ("incomplete", "no order", NEW | {"order": ""}, None),
    ("incomplete", "order not in the value set", NEW | {"order": "24320-4"}, None),
    ("incomplete", "loose words, no code", RESULT | {"label": "sodium", "order": "24326-1"}, "LAB-01"),
    ("incomplete", "modification of an absent code", CHANGE | {"code": "2947-0", "field": "Unité", "value": "mmol/L"}, None),
    ("incomplete", "removal without code", {"kind": "Suppression", "object": "Résultat"}, None),
    ("incomplete", "a term without axes", TERM | {"label": "Zonuline"}, "LAB-01"),
    ("incomplete", "act without label", {"kind": "Création", "object": "Alignement NABM", "code": "24326-1", "nabm": "9998"}, "NAB-02"),
    ("incomplete", "synonym to remove not said", {"kind": "Retrait d'un synonyme", "object": "Demande", "code": "24326-1"}, None),
    ("incomplete", "synonym to add not said", {"kind": "Ajout", "object": "Demande", "code": "24326-1", "field": "Synonymes"}, None),
    ("incomplete", "removal of a value that is not there", CHANGE | {"kind": "Suppression", "field": "Libellé d'édition", "value": "Autre"}, None),
    ("incomplete", "reference without code", {"kind": "Création", "object": "Technique", "code": "à créer", "label": "Une"}, None),
    ("incomplete", "reference without label", {"kind": "Création", "object": "Technique", "code": "ZZZ"}, "COD-04"),
    ("already-done", "result there", RESULT | {"code": "2951-2", "order": "24326-1", "unit": "mmol/L", "comparability": 1, "chapter": "18719-5"}, None),
    ("already-done", "result there, no order said", RESULT | {"code": "2951-2"}, None),
    ("already-done", "unit as asked", CHANGE | {"field": "Unité", "value": "umol/L"}, None),
    ("already-done", "removal of what is not there", {"kind": "Suppression", "object": "Résultat", "code": "2947-0"}, None),
    ("already-done", "order there", {"kind": "Création", "object": "Demande", "code": "24326-1"}, None),
    ("already-done", "alignment there", {"kind": "Création", "object": "Alignement NABM", "code": "24326-1", "nabm": "1610"}, None),
    ("already-done", "alignment gone", {"kind": "Suppression", "object": "Alignement NABM", "code": "24326-1", "nabm": "0593"}, None),
    ("already-done", "synonym there", {"kind": "Ajout", "object": "Demande", "code": "24326-1", "field": "Synonymes", "value": "IONO"}, None),
    ("already-done", "entry there", {"kind": "Création", "object": "Nature de prélèvement", "code": "SER", "label": "sérum"}, None),
    ("already-done", "term there", TERM | {"label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"}, None),
    ("to-reject", "deprecated", NEW | {"code": "2532-0", "label": "Lactate déshydrogénase [Catalytique/Volume] Sérum/Plasma ; Numérique", "unit": "U/L"}, "LNC-02"),
    ("to-reject", "panel of the value set", NEW | {"code": "24362-6", "label": "Fonction rénale 2000 panel [-] Sérum/Plasma ; -", "unit": ""}, "TYP-02"),
    ("to-reject", "panel of LOINC", NEW | {"code": "24320-4", "label": "Bilan métabolique panel [-] Sérum/Plasma ; -", "unit": ""}, "TYP-06"),
    ("to-reject", "too broad", NEW | {"code": "74774-1", "label": "Glucose [Masse/Volume] Sérum/Plasma/Sang ; Numérique", "unit": "g/L"}, "LAB-09"),
    ("to-reject", "too specific", NEW | {"code": "47390-0", "label": "Toxoplasma gondii Ac IgG [Arbitraire/Volume] Sérum ; Numérique ; Dye test", "unit": "[IU]/mL"}, None),
    ("to-reject", "first specimen", NEW | {"code": "24242-0", "label": "Toxoplasma gondii Ac IgG 1er prélèvement [Arbitraire/Volume] Sérum ; Numérique", "unit": "[IU]/mL"}, None),
    ("to-reject", "no laboratory term", NEW | {"code": "8302-2", "label": "Taille [Longueur] Patient ; Numérique", "unit": "cm"}, "LNC-05"),
    ("to-reject", "deprecated, for another code", {"kind": "Remplacer", "object": "Code LOINC", "code": "14804-9", "value": "2532-0"}, "LNC-02"),
    ("submit-to-loinc", "a term LOINC lacks", TERM, None),
    ("submit-to-loinc", "a placeholder for a code", TERM | {"code": "à créer"}, None),
    ("submit-to-loinc", "under a pending code", TERM | {"code": "1407312"}, None),
    ("submit-to-loinc", "a result without code", RESULT | {"label": TERM["label"], "order": "24326-1", "unit": "ug/L", "comparability": 1}, None),
    ("to-correct", "unit taken away", CHANGE | {"kind": "Suppression", "field": "Unité"}, "UNI-01"),
    ("to-correct", "unit of another dimension", CHANGE | {"field": "Unité", "value": "mg/L"}, "UNI-03"),
    ("to-correct", "unit not UCUM", NEW | {"unit": "µmol/L"}, "UNI-02"),
    ("to-correct", "wrong check digit", NEW | {"code": "2947-1"}, "COD-02"),
    ("to-correct", "wrong check digit to remove", {"kind": "Suppression", "object": "Résultat", "code": "2951-3", "label": "Sodium"}, "COD-02"),
    ("to-correct", "look-alike dash in a new code", NEW | {"code": "2947–0"}, "CEL-02"),
    ("to-correct", "a part for a code", NEW | {"code": "LP14355-9"}, "COD-03"),
    ("to-correct", "several codes in a creation", NEW | {"code": "2947-0;2951-2"}, "COD-05"),
    ("to-correct", "unknown to LOINC", NEW | {"code": "99998-7"}, "LNC-01"),
    ("to-correct", "chapter unknown", NEW | {"chapter": "99999-8"}, "REF-01"),
    ("to-correct", "level without its technique", CHANGE | {"field": "Comparabilité", "value": "2"}, "CMP-03"),
    ("to-correct", "level unknown", CHANGE | {"field": "Comparabilité", "value": "3"}, "CMP-01"),
    ("to-correct", "specimen unknown", {"kind": "Modification", "object": "Demande", "code": "14749-6", "field": "Nature de prélèvement", "value": "SANG"}, "REF-03"),
    ("to-correct", "there, but otherwise", RESULT | {"code": "2951-2", "order": "24326-1", "unit": "umol/L"}, "GRP-01"),
    ("to-correct", "code left out, label known", RESULT | {"label": SODIUM_BLOOD, "order": "24326-1", "unit": "mmol/L", "comparability": 1}, "COD-04"),
    ("to-correct", "a term LOINC has", TERM | {"label": SODIUM_BLOOD, "unit": "mmol/L"}, None),
    ("to-correct", "a code by one of another meaning", {"kind": "Remplacer", "object": "Code LOINC", "code": "14682-9", "value": "2160-0"}, "LAB-02"),
    ("to-correct", "entry of reference in use", {"kind": "Suppression", "object": "Nature de prélèvement", "code": "SER"}, "REF-03"),
    ("to-correct", "malformed act", {"kind": "Création", "object": "Alignement NABM", "code": "24326-1", "nabm": "16", "nabm_label": "Acte"}, "NAB-01"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "row", "rule"),
    [(v, row, rule) for v, _, row, rule in TABLE],
    ids=[f"{v}: {name}" for v, name, _, _ in TABLE],
)
def test_verdict(verdict: str, row: dict[str, Any], rule: str | None, tmp_path: Path) -> None:
    item = one(row, tmp_path)
    told = [(reason.rule, reason.message) for reason in item.reasons]
    assert item.verdict == verdict, told
    assert rule is None or rule in {reason for reason, _ in told}, told
    if verdict == "acceptable":
        assert item.edit
        assert not any(finding.severity == "error" for finding in item.findings)
    else:
        assert all(message for _, message in told)
        assert told


def test_every_verdict_stands_in_the_table() -> None:
    assert {verdict for verdict, *_ in TABLE} | {"duplicate", "conflicting"} == set(VERDICTS)


def test_duplicates_name_the_earlier_request(tmp_path: Path) -> None:
    rows = [NEW, NEW | {"label": "Natrémie", "applicant": "Autre laboratoire"}, CHANGE | {"value": "mettre en mmol/L"},
            CHANGE | {"code": "14682–9", "field": "Unité", "value": "mmol/L"}]  # fmt: skip
    found = reviewed(rows, tmp_path).requests
    assert [item.verdict for item in found] == ["acceptable", "duplicate", "acceptable", "duplicate"]
    assert [item.related[0].number for item in found] == ["2", "1", "4", "3"]


def test_two_values_for_one_cell_are_a_contradiction(tmp_path: Path) -> None:
    rows = [CHANGE | {"field": "Libellé d'édition", "value": value} for value in ("Créat.", "Créatininémie")]
    first, second = reviewed(rows, tmp_path).requests
    assert (first.verdict, second.verdict) == ("conflicting", "conflicting")
    assert [item.related[0].number for item in (first, second)] == ["2", "1"]
    assert "2" in first.reasons[0].message


def test_a_modification_and_the_removal_of_the_same_result_are_a_contradiction(tmp_path: Path) -> None:
    rows = [
        CHANGE | {"field": "Libellé d'édition", "value": "Créat."},
        {"kind": "Suppression", "object": "Résultat", "code": "14682-9"},
    ]
    assert [item.verdict for item in reviewed(rows, tmp_path).requests] == ["conflicting", "conflicting"]


def test_creations_that_say_the_same_but_for_one_value_are_no_duplicates(tmp_path: Path) -> None:
    other_unit = {"display": "Sodium (sang)", "unit": "umol/L"}
    assert [item.verdict for item in reviewed([NEW, NEW | other_unit], tmp_path).requests] == [
        "conflicting",
        "conflicting",
    ]
    under = RESULT | {"code": "14682-9", "order": "24326-1"}
    assert [item.verdict for item in reviewed([under, under | {"unit": "mg/L"}], tmp_path).requests] == [
        "acceptable",
        "to-correct",
    ]


def test_without_loinc_a_new_code_is_never_acceptable(tmp_path: Path) -> None:
    item = one(NEW, tmp_path, loinc=None)
    assert (item.verdict, item.reasons[0].rule) == ("incomplete", "LNC-01")
    assert one(NEW | {"unit": "UI/L"}, tmp_path, loinc=None).verdict == "to-correct"
    assert (
        one(
            NEW | {"code": "24362-6", "label": "Bilan panel [-] Sérum/Plasma ; -", "unit": ""}, tmp_path, loinc=None
        ).verdict
        == "to-reject"
    )
    assert one(CHANGE | {"field": "Unité", "value": "mmol/L"}, tmp_path, loinc=None).verdict == "acceptable"
    term = one(TERM, tmp_path, loinc=None)
    assert (term.verdict, term.reasons[0].rule) == ("submit-to-loinc", "LNC-01")


def test_deprecated_codes_come_with_what_replaces_them(tmp_path: Path) -> None:
    row = NEW | {"code": "2532-0", "label": "LDH [Catalytique/Volume] Sérum/Plasma ; Numérique", "unit": "U/L"}
    assert "14804-9" in one(row, tmp_path).reasons[0].message


def test_draft_of_a_submission(tmp_path: Path) -> None:
    draft = one(
        TERM | {"label": "Zonuline [Masse/Volume] 24H ; Urine ; Numérique ; Immunoanalyse"}, tmp_path
    ).submission
    assert draft is not None
    axes = (draft.component, draft.property, draft.time, draft.system, draft.scale, draft.method, draft.unit)
    assert axes == ("Zonuline", "MCnc", "24H", "Urine", "Qn", "IA", "ug/L")
    assert one(NEW, tmp_path).submission is None


def test_the_correction_says_what_would_be_right(tmp_path: Path) -> None:
    unit = one(NEW | {"unit": "µmol/L"}, tmp_path)
    assert [change["after"] for change in unit.correction.to_json() if change["field"] == "unit"] == ["umol/L"]
    code = one(NEW | {"code": "2947-1"}, tmp_path)
    assert [change["after"] for change in code.correction.to_json() if change["field"] == "result_code"] == ["2947-0"]
    level = one(CHANGE | {"field": "Comparabilité", "value": "2"}, tmp_path)
    assert {(cell.field, cell.after) for cell in level.correction.cells} == {
        ("comparability", "2"),
        ("discriminating_technique", "O"),
    }
    other = one(NEW | {"code": "2947-1", "label": "Potassium [Moles/Volume] Sang ; Numérique"}, tmp_path)
    assert not other.correction
    assert not one(CHANGE | {"field": "Unité", "value": "mg/L"}, tmp_path).correction


def test_impact_and_priority(tmp_path: Path) -> None:
    unit = one(CHANGE | {"field": "Unité", "value": "mmol/L"}, tmp_path)
    assert unit.impact is not None
    assert (unit.impact.impact, unit.priority.level) == ("breaking", "high")
    added = one(NEW, tmp_path)
    assert added.impact is not None
    assert (added.impact.impact, added.priority.level) == ("additive", "normal")
    shown = one(CHANGE | {"field": "Libellé d'édition", "value": "Créat."}, tmp_path)
    assert shown.impact is not None
    assert (shown.impact.impact, shown.priority.level) == ("editorial", "low")
    assert one(CHANGE | {"field": "Unité", "value": "umol/L"}, tmp_path).impact is None
    three = reviewed([NEW | {"applicant": f"Laboratoire {n}"} for n in range(3)], tmp_path).requests[0]
    assert three.priority.level == "high"


def test_reasons_speak_english_too(tmp_path: Path) -> None:
    use_language("en")
    item = one(NEW | {"unit": ""}, tmp_path)
    assert item.reasons[0].message.startswith("the unit is missing")


def test_related_requests_speak_of_the_same_codes(tmp_path: Path) -> None:
    rows = [NEW, {"kind": "Suppression", "object": "Demande", "code": "24326-1"}, CHANGE | {"field": "Unité", "value": "mmol/L"},
            CHANGE | {"field": "Libellé d'édition", "value": "Créat."}]  # fmt: skip
    found = reviewed(rows, tmp_path).requests
    assert [[other.number for other in item.related] for item in found] == [["2"], ["1"], ["4"], ["3"]]


def test_requests_fine_alone_but_not_together_are_told(tmp_path: Path) -> None:
    rows = [
        CHANGE | {"field": "Libellé d'édition", "value": "Même nom"},
        NEW | {"code": "1999999", "display": "Même nom"},
        {"kind": "Création", "object": "Technique", "code": "ZZ1", "label": "Une"},
        {"kind": "Création", "object": "Technique", "code": "ZZ1", "label": "Autre"},
    ]
    found = reviewed(rows, tmp_path)
    assert [item.verdict for item in found.requests] == ["acceptable", "acceptable", "conflicting", "conflicting"]
    assert not found.together

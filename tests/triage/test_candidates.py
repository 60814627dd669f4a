from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from jdv_qa.language import use_language
from jdv_qa.terminology.loinc import LoincRelease, read_release
from jdv_qa.triage.candidates import Candidate, candidates
from jdv_qa.workbook.edition import Edition, Record, Table
from tests.loinc_files import MAP_TO, TERMS, release_files, table, term, write_folder

MORE = [
    term("2345-7", "Glucose", "MCnc", "Ser/Plas", "Glucose [Mass/volume] in Serum or Plasma"),
    term("15076-3", "Glucose", "SCnc", "Urine", "Glucose [Moles/volume] in Urine"),
    term("35211-2", "Glucose", "MSCnc", "Ser/Plas", "Glucose [Mass or Moles/volume] in Serum or Plasma"),
    term("74774-1", "Glucose", "MCnc", "Ser/Plas/Bld", "Glucose [Mass/volume] in Serum, Plasma or Blood"),
    term("15074-8", "Glucose", "SCnc", "Bld", "Glucose [Moles/volume] in Blood"),
    term("72516-8", "Glucose", "SCnc", "Bld", "Glucose [Moles/volume] in Blood by Test strip", METHOD_TYP="Test strip"),
    term("22580-5", "Toxoplasma gondii Ab.IgG", "PrThr", "Ser", "Toxoplasma gondii IgG Ab [Presence] in Serum", SCALE_TYP="Ord"),
    term("21570-7", "Toxoplasma gondii Ab.IgG", "PrThr", "Ser", "Toxoplasma gondii IgG Ab [Presence] in Serum by Dye test",
         SCALE_TYP="Ord", METHOD_TYP="Dye test"),
    term("24242-0", "Toxoplasma gondii Ab.IgG^1st specimen", "PrThr", "Ser",
         "Toxoplasma gondii IgG Ab [Presence] in Serum --1st specimen", SCALE_TYP="Ord"),
    term("3016-3", "Thyrotropin", "ACnc", "Ser/Plas", "Thyrotropin [Units/volume] in Serum or Plasma", ORDER_OBS="Observation"),
    term("24320-4", "Basic metabolic 1998 panel", "-", "Ser/Plas", "Basic metabolic 1998 panel - Serum or Plasma", SCALE_TYP="-",
         ORDER_OBS="Order"),
]  # fmt: skip
GLUCOSE = "Glucose [Moles/Volume] Sérum/Plasma ; Numérique"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> LoincRelease:
    named = {
        "14749-6": "Glucose [Moles/volume] in Serum or Plasma",
        "14753-8": "Glucose [Moles/volume] in Serum or Plasma --1 hour post dose glucose",
    }
    rows = [row | {"LONG_COMMON_NAME": named.get(row["LOINC_NUM"], row["LONG_COMMON_NAME"])} for row in [*TERMS, *MORE]]
    files = release_files(rows)
    files["LoincTable/MapTo.csv"] = table(("LOINC", "MAP_TO", "COMMENT"), MAP_TO)
    return read_release(write_folder(tmp_path_factory.mktemp("candidates") / "Loinc_2.80", files))


def edition(*rows: Mapping[str, str]) -> Edition:
    return Edition({"main": Table("main", tuple(Record(place, row) for place, row in enumerate(rows, 2)))})


def result(code: str, label: str, **more: str) -> dict[str, str]:
    return {
        "order_code": "24326-1",
        "order_label": "Ionogramme",
        "result_code": code,
        "result_loinc_label": label,
        **more,
    }


EMPTY = edition()


def codes(found: tuple[Candidate, ...]) -> list[str]:
    return [candidate.code for candidate in found]


def why(found: tuple[Candidate, ...], code: str) -> str:
    return (
        next(candidate.why for candidate in found if candidate.code == code).replace("\u202f", " ").replace("\xa0", " ")
    )


def test_the_term_that_says_the_same_comes_first(release: LoincRelease) -> None:
    found = candidates("Sodium [Moles/Volume] Sérum/Plasma ; Numérique", edition=EMPTY, release=release)
    assert found[0] == Candidate("2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", False, "dit la même chose")
    assert "2955-3" in codes(found)
    assert why(found, "2955-3") == "même analyse, autre milieu : Urine (et non Sérum/Plasma)"


def test_the_twin_that_the_unit_asks_for(release: LoincRelease) -> None:
    for found in (
        candidates("Glucose [Masse/Volume] Sérum/Plasma ; Numérique", unit="mmol/L", edition=EMPTY, release=release),
        candidates("", code="2345-7", unit="mmol/L", edition=EMPTY, release=release),
        candidates("Glucose [Mass/volume] in Serum or Plasma, en mmol/L", edition=EMPTY, release=release),
    ):
        assert codes(found)[:2] == ["2345-7", "14749-6"]
        assert "l'unité mmol/L ne va pas avec la grandeur Masse/Volume" in why(found, "2345-7")
        assert why(found, "14749-6").startswith("même analyse en moles, unité SI ; l'unité mmol/L va avec")


def test_those_of_the_value_set_come_first(release: LoincRelease) -> None:
    own = edition(result("15074-8", "Glucose [Moles/Volume] Sang ; Numérique"))
    assert codes(candidates("glucose", edition=EMPTY, release=release))[0] != "15074-8"
    found = candidates("glucose", edition=own, release=release)
    assert [candidate.in_value_set for candidate in found] == [True] + [False] * (len(found) - 1)
    assert found[0].code == "15074-8"
    assert "déjà dans le jeu de valeurs (résultat)" in why(found, "15074-8")


def test_an_order_and_a_result_of_one_code_are_told(release: LoincRelease) -> None:
    row = {
        "order_code": "2951-2",
        "order_loinc_label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique",
        "result_code": "2951-2",
    }
    found = candidates("sodium", edition=edition(row), release=release)
    assert "(demande et résultat)" in why(found, "2951-2")


def test_moles_before_mass_and_neither_broad_nor_ambiguous(release: LoincRelease) -> None:
    found = candidates("glucose", edition=EMPTY, release=release)
    assert codes(found).index("14749-6") < codes(found).index("2345-7") < codes(found).index("74774-1")
    assert "en masse : préférer le jumeau en moles" in why(found, "2345-7")
    assert "milieu trop large (Sérum/Plasma/Sang)" in why(found, "74774-1")
    assert "masse ou moles : grandeur ambiguë" in why(found, "35211-2")


def test_without_method_where_it_was_not_asked_for(release: LoincRelease) -> None:
    found = candidates("glucose [Moles/Volume] sang", edition=EMPTY, release=release)
    assert codes(found)[0] == "15074-8"
    assert why(found, "72516-8") == "même analyse, autre technique : Bandelette réactive"
    asked = candidates("glucose [Moles/Volume] sang bandelette réactive", edition=EMPTY, release=release)
    assert codes(asked)[0] == "72516-8"
    assert why(asked, "15074-8") == "même analyse, sans technique"
    vague = candidates("glucose sang", edition=EMPTY, release=release)
    assert "technique (Bandelette réactive)" in why(vague, "72516-8")
    assert why(vague, "15074-8").endswith("sans technique")


def test_neither_too_specific_a_technique_nor_a_first_specimen(release: LoincRelease) -> None:
    found = candidates("Toxoplasma gondii Ac IgG", edition=EMPTY, release=release)
    assert codes(found)[0] == "22580-5"
    assert "technique trop précise" in why(found, "21570-7")
    assert "propre à un premier prélèvement" in why(found, "24242-0")


def test_a_withdrawn_code_gives_way_and_is_last_and_says_so(release: LoincRelease) -> None:
    found = candidates("Temazepam", code="10550-2", edition=EMPTY, release=release)
    assert codes(found) == ["3319-1", "10550-2"]
    assert "remplace 10550-2 (MapTo)" in why(found, "3319-1")
    assert "obsolète" in why(found, "10550-2")
    several = candidates("", code="22760-3", edition=EMPTY, release=release)
    assert codes(several) == ["2823-3", "3319-1", "22760-3"] or codes(several) == ["3319-1", "2823-3", "22760-3"]
    assert "remplace 22760-3 (MapTo) si : Moles" in why(several, "2823-3")
    assert "déconseillé" in why(several, "22760-3")


def test_a_withdrawn_term_found_by_words_says_so(release: LoincRelease) -> None:
    found = candidates("potassium", edition=EMPTY, release=release)
    assert codes(found) == ["2823-3", "22760-3"]
    assert "déconseillé" in why(found, "22760-3")


@pytest.mark.parametrize("code", ["2951-3", "29512", "2951—2"])
def test_a_mistyped_code_put_right(release: LoincRelease, code: str) -> None:
    found = candidates("Sodium", code=code, edition=EMPTY, release=release)
    assert found[0].code == "2951-2"
    assert f"« {code} » corrigé" in why(found, "2951-2")


def test_a_code_nobody_knows_leaves_the_words(release: LoincRelease) -> None:
    assert codes(candidates("Temazepam", code="1-8", edition=EMPTY, release=release))[0] == "3319-1"
    assert candidates("", code="99999-6", edition=EMPTY, release=release) == ()


def test_an_order_code_is_for_an_order(release: LoincRelease) -> None:
    result_ = candidates("basic metabolic panel", edition=EMPTY, release=release)
    assert "type Order : pas pour un résultat" in why(result_, "24320-4")
    order = candidates("basic metabolic panel", edition=EMPTY, release=release, as_order=True)
    assert why(order, "24320-4").endswith("type Order")
    assert "toléré" in why(candidates("TSH", edition=EMPTY, release=release, as_order=True), "3016-3")


def test_a_pending_code_of_the_value_set_is_found_by_its_label(release: LoincRelease) -> None:
    own = edition(result("600238", "Protéine ZX [Masse/Volume] Liquide céphalorachidien ; Numérique"))
    found = candidates("protéine ZX du LCR", edition=own, release=release)
    assert found[0].code == "600238"
    assert found[0].in_value_set
    assert "hors de la version de LOINC" in found[0].why
    assert all(candidate.code != "600238" for candidate in candidates(GLUCOSE, edition=own, release=release))


def test_the_names_of_the_value_set_help(release: LoincRelease) -> None:
    own = edition(result("718-7", "Hémoglobine [Masse/Volume] Sang ; Numérique", result_display="Hb totale"))
    assert codes(candidates("Hb totale", edition=own, release=release))[0] == "718-7"
    assert "718-7" not in codes(candidates("Hb totale", edition=EMPTY, release=release))


def test_without_a_release_the_value_set_alone_is_searched() -> None:
    own = edition(
        result("14749-6", GLUCOSE, result_display="Glycémie"),
        result("2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
    )
    found = candidates("glycémie", edition=own, release=None)
    assert codes(found) == ["14749-6"]
    assert "cherché sans version de LOINC" in why(found, "14749-6")
    assert codes(candidates("", code="2951-3", edition=own, release=None)) == ["2951-2"]
    assert candidates("glucose", edition=EMPTY, release=None) == ()


def test_words_that_no_term_has_are_told(release: LoincRelease) -> None:
    label = "Sodium [Moles/Volume] Sérum/Plasma ; Numérique ; Résonance plasmonique"
    found = candidates(label, edition=EMPTY, release=release)
    assert found[0].code == "2951-2"
    assert why(found, "2951-2") == "proche ; sans égard à « resonance, plasmonique », que LOINC ne dit pas"


def test_a_term_of_another_analyte_is_not_near(release: LoincRelease) -> None:
    found = candidates("Thyréostimuline [Arbitraire/Volume] Sérum/Plasma ; Numérique", edition=EMPTY, release=release)
    assert codes(found) == ["3016-3"]
    fasting = candidates("sodium zinc à jeun", edition=EMPTY, release=release)
    assert codes(fasting)[0] == "2951-2"


@pytest.mark.parametrize("wording", ["", " ; ", "merci d'ajouter cet examen", "zzzzzz"])
def test_nothing_is_found_for_words_that_say_nothing(release: LoincRelease, wording: str) -> None:
    assert candidates(wording, edition=EMPTY, release=release) == ()


def test_limit_and_order_are_the_same_each_time(release: LoincRelease) -> None:
    full = candidates("glucose", edition=EMPTY, release=release)
    assert candidates("glucose", edition=EMPTY, release=release) == full
    assert candidates("glucose", edition=EMPTY, release=release, limit=3)[0].code == full[0].code
    assert len(candidates("glucose", edition=EMPTY, release=release, limit=3)) == 3
    assert len(set(codes(full))) == len(full) <= 10


@pytest.mark.parametrize(
    ("wording", "unit", "first"),
    [
        ("glucose sérum plasma", "g/L", "2345-7"),
        ("glucose sérum plasma", "mmol/L", "14749-6"),
        ("glucose sérum plasma", "µmol/l", "14749-6"),
        ("glucose sérum plasma en mmol", "", "14749-6"),
        ("glucose sérum plasma en g/L", "", "2345-7"),
        ("créatinine urines", "mmol/(24.h)", "14684-5"),
    ],
)
def test_the_unit_tells_the_property(release: LoincRelease, wording: str, unit: str, first: str) -> None:
    assert codes(candidates(wording, unit=unit, edition=EMPTY, release=release))[0] == first


def test_reasons_in_english(release: LoincRelease) -> None:
    use_language("en")
    found = candidates("glucose", unit="mmol/L", edition=EMPTY, release=release)
    assert found[0].why == (
        "fits; not said in the request: property (SCnc), system (Ser/Plas); unit mmol/L goes with property SCnc; without method"
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_the_right_code_among_ten_for_nine_wordings_in_ten(reference_data: Path, seed: int) -> None:
    from benchmarks.candidates import AXES, FAMILIES, MOST, cases, load_release, measure, recall

    if not (reference_data / "loinc_lab_extract.csv.gz").is_file():
        pytest.skip(f"no loinc_lab_extract.csv.gz in {reference_data}")
    terms = load_release(reference_data)
    outcomes = measure(terms, cases(terms, reference_data / "loinc_fr_labels.csv", 600, seed))
    few = [outcome for outcome in outcomes if 0 < outcome.case.fitting <= MOST]
    assert len(few) > 1500
    assert recall(few, 10) >= 0.97
    for family in FAMILIES:
        assert recall([outcome for outcome in few if outcome.case.family == family], 10) >= 0.95, family
    for axis in AXES:
        assert recall([outcome for outcome in few if outcome.case.axis == axis], 10) >= 0.90, axis

from __future__ import annotations

from pathlib import Path

import pytest

from jdv_qa.terminology.fitting import Fit, WordingIndex, name_parts, token_of, tokens_of
from jdv_qa.terminology.importing import import_release
from jdv_qa.terminology.loinc import LoincRelease, Term, read_release
from jdv_qa.terminology.loinc_files import find_files
from jdv_qa.terminology.store import open_stored
from tests.loinc_files import TERMS, release_files, term, write_folder

MORE = [
    term("15076-3", "Glucose", "SCnc", "Urine", "Glucose [Moles/volume] in Urine"),
    term("14771-0", "Glucose^post CFst", "SCnc", "Ser/Plas", "Fasting glucose [Moles/volume] in Serum or Plasma"),
    term("2345-7", "Glucose", "MCnc", "Ser/Plas", "Glucose [Mass/volume] in Serum or Plasma"),
    term("2161-8", "Creatinine", "MCnc", "Urine", "Creatinine [Mass/volume] in Urine"),
    term(
        "30004-6",
        "Creatinine",
        "MCnc",
        "Urine",
        "Creatinine [Mass/volume] in Urine by Test strip",
        METHOD_TYP="Test strip",
    ),
    term(
        "777-3",
        "Platelets",
        "NCnc",
        "Bld",
        "Platelets [#/volume] in Blood by Automated count",
        METHOD_TYP="Automated count",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = release_files([*(row for row in TERMS if row["LOINC_NUM"] != "14749-6"), *MORE, term(
        "14749-6", "Glucose", "SCnc", "Ser/Plas", "Glucose [Moles/volume] in Serum or Plasma"
    )])  # fmt: skip
    return write_folder(tmp_path_factory.mktemp("fitting") / "Loinc_2.80", files)


@pytest.fixture(scope="module")
def release(folder: Path) -> LoincRelease:
    return read_release(folder)


@pytest.fixture(scope="module")
def index(release: LoincRelease) -> WordingIndex:
    return WordingIndex(release)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Sodium [Moles/volume] in Serum or Plasma", ("Sodium", "Moles/volume", "", "Serum or Plasma", "", "")),
        (
            "Creatinine [Moles/time] in 24 hour Urine by Test strip",
            ("Creatinine", "Moles/time", "24 hour", "Urine", "", "Test strip"),
        ),
        ("Gentamicin [Mass/volume] in Serum or Plasma --peak", ("Gentamicin peak", "Mass/volume", "", "Serum or Plasma", "", "")),
        ("Neutrophils/100 leukocytes in Blood by Manual count", ("Neutrophils/100 leukocytes", "", "", "Blood", "", "Manual count")),
        ("Sodium [Moles/volume] corrected for glucose in Serum", ("Sodium corrected for glucose", "Moles/volume", "", "Serum", "", "")),
        ("Pterins pattern [Interpretation] in Serum or Plasma Narrative", ("Pterins pattern", "Interpretation", "", "Serum or Plasma", " Narrative", "")),
        ("Deprecated Temazepam", ("Temazepam", "", "", "", "", "")),
        ("MCV [Entitic volume]", ("MCV", "Entitic volume", "", "", "", "")),
        ("", ("", "", "", "", "", "")),
    ],
)  # fmt: skip
def test_a_long_name_taken_apart(name: str, parts: tuple[str, ...]) -> None:
    assert tuple(part.strip() for part in name_parts(name)) == tuple(part.strip() for part in parts)


@pytest.mark.parametrize(
    ("french", "english"),
    [
        ("hémoglobine", "hemoglobin"), ("leucocytes", "leukocytes"), ("éosinophiles", "eosinophils"), ("protéine", "protein"),
        ("cholestérol", "cholesterol"), ("oestradiol", "estradiol"), ("ascorbique", "ascorbic"), ("lymphocytes", "lymphocytes"),
        ("oxyde", "oxide"), ("acide", "acid"), ("ions", "ion"), ("24 heures", "24h"), ("24 hours", "24h"), ("030 minutes", "30 min"),
        ("2 jours", "2 days"), ("amylase", "amylase"), ("transferrine", "transferrin"), ("fibrinogène", "fibrinogen"), ("rhésus", "rhesus"),
    ],
)  # fmt: skip
def test_words_spelled_otherwise_in_french_are_one(french: str, english: str) -> None:
    assert tokens_of(french) == tokens_of(english) != ()


def test_words_that_differ_stay_apart() -> None:
    words = (
        "sodium",
        "potassium",
        "iga",
        "igg",
        "igm",
        "b12",
        "b6",
        "mass",
        "moles",
        "glucose",
        "galactose",
        "acne",
        "acte",
    )
    assert len({token_of(word) for word in words}) == len(words)


@pytest.mark.parametrize(
    ("wording", "code"),
    [
        ("Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "2951-2"),
        ("Sodium [Moles/volume] in Serum or Plasma", "2951-2"),
        ("Sodium SerPl-sCnc", "2951-2"),
        ("Sodium SCnc Pt Ser/Plas Qn", "2951-2"),
        ("natremia", "2951-2"),
        ("sodium des urines de 24 heures", "2956-1"),
        ("Na 24h urine", "2956-1"),
        ("glycémie à jeun", "14771-0"),
        ("glucose urinaire", "15076-3"),
        ("plaquettes", "777-3"),
        ("créatinine bandelette réactive", "30004-6"),
        ("anticorps anti-HBs", "5193-8"),
        ("hémoglobne", "718-7"),
        ("[#/volume] in Blood by Automated count", "777-3"),
    ],
)
def test_the_term_that_fits_best(index: WordingIndex, wording: str, code: str) -> None:
    assert index.fits(wording)[0].code == code


def test_what_a_fit_tells(index: WordingIndex) -> None:
    fits = {fit.code: fit for fit in index.fits("Creatinine [Mass/volume] in Urine")}
    plain, strip, moles = fits["2161-8"], fits["30004-6"], fits["14683-7"]
    assert (plain.complete, plain.open_axes, plain.unsaid) == (True, ("scale",), ())
    assert (strip.complete, strip.open_axes) == (True, ("scale", "method"))
    assert (moles.complete, moles.unsaid) == (False, ("mass", "volume"))
    assert plain.score > strip.score > moles.score


def test_words_that_no_term_says(index: WordingIndex) -> None:
    assert index.unknown("dosage du sodium plasmonique") == ("plasmonique",)
    assert index.unknown("sodium") == ()


def test_an_axis_said_by_half_is_told(index: WordingIndex) -> None:
    fit = next(fit for fit in index.fits("Glucose [Moles/volume] in Serum or Plasma") if fit.code == "14771-0")
    assert not fit.complete
    assert fit.said_more == ("component",)


def test_the_unit_chooses_between_properties(index: WordingIndex) -> None:
    assert index.fits("glucose serum plasma", properties={"MCnc"})[0].code == "2345-7"
    assert index.fits("glucose serum plasma", properties={"SCnc"})[0].code == "14749-6"


@pytest.mark.parametrize("wording", ["", "  ", "de la", "zzzzzzzz", "?!"])
def test_nothing_to_look_for(index: WordingIndex, wording: str) -> None:
    assert index.fits(wording) == []


def test_a_release_of_the_store_answers_the_same(index: WordingIndex, folder: Path, tmp_path: Path) -> None:
    stored = WordingIndex(open_stored(import_release(find_files(folder), tmp_path / "store").path))
    for wording in ("glucose", "créatinine urine", "[Moles/volume] in Urine", "poids"):
        assert stored.fits(wording) == index.fits(wording)


def test_terms_that_are_no_laboratory_s_are_left_out(index: WordingIndex) -> None:
    assert "29463-7" not in index
    assert "2951-2" in index


def test_terms_of_one_s_own_and_other_names(release: LoincRelease) -> None:
    own = Term("600238", "Protéine ZX", "MCnc", "", "CSF", "Qn", "", "", "", "", "", "")
    index = WordingIndex(release, [own], [("2951-2", "Natrémie de contrôle")])
    assert index.fits("protéine ZX du LCR")[0].code == "600238"
    assert index.fits("natrémie de contrôle")[0].code == "2951-2"
    assert index.commonness("600238") == 1
    assert index.commonness("2951-2") > 5
    assert index.commonness("1-8") == 0


def test_a_release_made_in_memory(release: LoincRelease) -> None:
    memory = LoincRelease("2.80", dict(release.terms))
    assert WordingIndex(memory).fits("glucose urine")[0].code == "15076-3"


def test_no_release_at_all() -> None:
    own = Term("600238", "Protéine ZX", "MCnc", "", "CSF", "Qn", "", "", "", "", "", "")
    assert [fit.code for fit in WordingIndex(None, [own]).fits("proteine zx")] == ["600238"]
    assert WordingIndex(None).fits("sodium") == []


def made(code: str, component: str, **fields: str) -> Term:
    """A laboratory term made for a test: a mass in serum unless said otherwise."""
    plain = dict.fromkeys(Term._fields, "") | {
        "property": "MCnc", "time": "Pt", "system": "Ser/Plas", "scale": "Qn", "status": "ACTIVE", "classtype": "1",
    }  # fmt: skip
    return Term(**(plain | {"code": code, "component": component} | fields))


def index_of(*terms: Term) -> WordingIndex:
    return WordingIndex(LoincRelease("2.80", {term.code: term for term in terms}))


def test_the_names_of_a_release_teach_how_its_values_are_said() -> None:
    index = index_of(
        made("1-8", "Cells", property="NCnc", system="CSF", name="Cells [#/volume] in Cerebral spinal fluid"),
        made("2-6", "Cells", property="NCnc", system="Plr fld", name="Cells [#/volume] in Pleural fluid"),
        made("3-4", "Urea nitrogen", name="BUN [Mass/volume] in Serum or Plasma"),
        made("4-2", "Ovum", system="Eggylk", french_label="x", french_system="Jaune d'œuf", french_synonyms="Lécithe"),
    )
    assert index.unknown("cerebral spinal pleural BUN jaune d'œuf lécithe vitellus") == ("vitellus",)
    first, second, *_ = index.fits("cells cerebral spinal fluid")
    assert (first.code, first.complete, first.unsaid) == ("1-8", True, ())
    assert (second.code, second.complete, second.unsaid) == ("2-6", False, ("cerebral", "spinal", "fluid"))


def named(number: int, system: str) -> Term:
    return made(f"{number}-0", f"Analyte{number}", system="XXX", name=f"Analyte{number} [Mass/volume] in {system}")


def test_of_many_names_the_usual_four_are_learned() -> None:
    systems = {"Alpha": 6, "Bravo": 5, "Charlie": 4, "Delta": 3, "Echo": 2}
    names = [name for name, times in systems.items() for _ in range(times)]
    index = index_of(*(named(number, name) for number, name in enumerate(names)))
    assert index.unknown("alpha bravo charlie delta echo") == ("echo",)


def test_a_name_seldom_met_is_not_learned() -> None:
    index = index_of(*(named(number, "Alpha" if number else "Bravo") for number in range(14)))
    assert index.unknown("alpha bravo") == ("bravo",)


def test_a_synonym_of_many_components_says_none() -> None:
    terms = [made(f"{number}-0", f"Analyte{number}", synonyms="Chem; Level") for number in range(8)]
    assert index_of(*terms).unknown("chem level") == ()
    terms.append(made("8-0", "Analyte8", synonyms="Chem; Rare"))
    assert index_of(*terms).unknown("chem level rare") == ("chem",)


def test_a_term_of_one_s_own_that_the_release_has_is_taken_once(release: LoincRelease) -> None:
    own = [made("2951-2", "Autre chose"), made("600238", "Zytostatine")]
    index = WordingIndex(release, own)
    assert index.fits("zytostatine")[0].code == "600238"
    assert index.codes.count("2951-2") == 1


GLUCOSE = index_of(
    made("1-8", "Glucose"), made("2-6", "Glucose^post CFst"), made("3-4", "Glucose", system="Urine"),
    made("4-2", "Glucose", system="Urine sed"), made("5-9", "Sodium", system="Urine"),
)  # fmt: skip


def fit(wording: str, code: str) -> Fit:
    return next(fit for fit in GLUCOSE.fits(wording) if fit.code == code)


def test_a_word_weighs_the_same_where_it_lacks_and_where_it_is_said_besides() -> None:
    more, less = fit("glucose", "2-6"), fit("glucose post cfst", "1-8")
    assert (more.said_more, more.unsaid) == (("component",), ())
    assert (less.said_more, less.unsaid) == ((), ("fasting",))
    assert more.excess == less.missing > 0
    assert more.missing == less.excess == 0


def test_a_term_that_says_all_comes_before_one_that_says_some() -> None:
    codes = [fit.code for fit in GLUCOSE.fits("glucose urine sed")]
    assert codes[:2] == ["4-2", "3-4"]
    assert fit("glucose urine sed", "4-2").complete
    assert fit("glucose urine sed", "3-4").unsaid == ("sed",)


def test_axes_left_open_are_told_in_their_order() -> None:
    assert fit("urine", "5-9").open_axes == ("component", "property", "scale")
    assert fit("glucose", "3-4").open_axes == ("property", "system", "scale")


def test_axes_said_by_half_are_told_in_their_order_and_weigh_what_they_say_besides() -> None:
    stool = [
        made(f"{number}-0", f"Analyte{number}", system="Stool sed", name=f"Analyte{number} in Stool sed")
        for number in range(9)
    ]
    index = index_of(
        made("1-8", "Glucose^post CFst", system="Urine sed"), made("2-6", "Glucose", system="Urine"), *stool
    )
    more = next(fit for fit in index.fits("glucose urine") if fit.code == "1-8")
    less = next(fit for fit in index.fits("glucose fasting urine sed") if fit.code == "2-6")
    assert (more.said_more, more.unsaid) == (("component", "system"), ())
    assert (less.said_more, less.unsaid) == ((), ("fasting", "sed"))
    assert more.excess == less.missing > 0


def test_a_french_word_is_looked_for_as_such_and_as_loinc_says_it() -> None:
    index = index_of(made("1-8", "Iron"), made("2-6", "Fer"), made("3-4", "Copper"))
    assert {fit.code for fit in index.fits("fer") if fit.complete} == {"1-8", "2-6"}


def test_an_expression_of_several_words_is_taken_for_what_loinc_says() -> None:
    index = index_of(
        made("1-8", "Cells", system="CSF"), made("2-6", "Cells", system="Plr fld"), made("3-4", "Glucose^post meal"), made("4-2", "Glucose"),
    )  # fmt: skip
    first, second, *_ = index.fits("cells liquide céphalo-rachidien")
    assert (first.code, first.unsaid) == ("1-8", ())
    assert (second.code, second.unsaid) == ("2-6", ("liquide cephalo-rachidien",))
    first, second, *_ = index.fits("glucose post-prandial")
    assert (first.code, first.unsaid) == ("3-4", ())
    assert (second.code, set(second.unsaid)) == ("4-2", {"post-prandial"})


def test_whether_a_term_is_of_the_analyte_asked_for() -> None:
    assert fit("sodium urine sed", "5-9").same_analyte
    assert not fit("sodium urine sed", "4-2").same_analyte
    assert all(fit.same_analyte for fit in GLUCOSE.fits("urine"))


def test_as_many_as_asked_for_and_all_that_fit_as_well_as_the_best() -> None:
    words = "alpha bravo charlie delta echo foxtrot golf"
    good = [made(f"1{number}-0", words, system=f"System{number}") for number in range(10)]
    poor = [made(f"2{number}-0", f"alpha{number} alpha") for number in range(10)]
    index = index_of(*good, *poor)
    assert {fit.code for fit in index.fits(words, limit=5)} == {term.code for term in good}
    assert len(index.fits(words, limit=15)) == 15
    assert len(index.fits(words, limit=20)) == len(index.fits(words, limit=60)) == 20

from __future__ import annotations

from pathlib import Path

import pytest

from jdv_qa.terminology.fitting import WordingIndex, name_parts, token_of, tokens_of
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
        ("amylase", "amylase"), ("transferrine", "transferrin"), ("fibrinogène", "fibrinogen"), ("rhésus", "rhesus"),
    ],
)  # fmt: skip
def test_words_spelled_otherwise_in_french_are_one(french: str, english: str) -> None:
    assert tokens_of(french) == tokens_of(english) != ()


def test_words_that_differ_stay_apart() -> None:
    words = ("sodium", "potassium", "iga", "igg", "igm", "b12", "b6", "mass", "moles", "glucose", "galactose")
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

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jdv_qa.errors import TerminologyError
from jdv_qa.terminology.importing import import_release
from jdv_qa.terminology.loinc_files import find_files
from jdv_qa.terminology.search import find_terms, index_path, terms_to_index, words_of
from jdv_qa.terminology.store import StoredRelease, open_stored
from tests.loinc_files import write_folder


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> StoredRelease:
    folder = tmp_path_factory.mktemp("search")
    return open_stored(import_release(find_files(write_folder(folder / "Loinc_2.80")), folder / "store").path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("créatinine urine 24h", ("creatinine", "urine", "24h")),
        ("Sodium des urines de 24 heures", ("sodium", "urines", "24h")),
        ("glucose 2 hours", ("glucose", "02h")),
        ("glucose à 3 jours", ("glucose", "03d")),
        ("anticorps anti-HBs", ("anticorps", "anti", "hbs")),
        ("2951-2", ("2951-2",)),
        ("vitamine D", ("vitamine", "d")),
        ("dosage de l'urée d'un", ("dosage", "uree")),
        ("le", ("le",)),
        ("mmol/L", ("mmol", "l")),
        ("  ", ()),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("créatinine urine 24h", ["14684-5"]),
        ("CREATININE URINE 24 heures", ["14684-5"]),
        ("creatinine urine", ["14683-7", "14684-5"]),
        ("creat", ["14682-9", "14683-7", "14684-5"]),
        ("créatininurie", ["14683-7"]),
        ("hémoglobine sang", ["718-7"]),
        ("sérum potassium", ["2823-3", "22760-3"]),
        ("natremia", ["2951-2"]),
        ("2951-2", ["2951-2"]),
        ("2951-3", []),
        ("temazepam", ["3319-1", "10550-2"]),
        ("témazépame", ["3319-1", "10550-2"]),
        ("potassiums", ["2823-3", "22760-3"]),
        ("poids", []),
        ("Moles/Volume sodium", ["2951-2", "2955-3"]),
    ],
)
def test_terms_found_the_best_first(release: StoredRelease, text: str, codes: list[str]) -> None:
    hits = find_terms(release, text)
    assert ([term.code for term in hits.terms], hits.total, hits.all_words) == (codes, len(codes), True)


def test_terms_with_some_of_the_words_when_none_has_all(release: StoredRelease) -> None:
    hits = find_terms(release, "sodium zygote")
    assert not hits.all_words
    assert {term.component for term in hits.terms} == {"Sodium"}


def test_limit(release: StoredRelease) -> None:
    hits = find_terms(release, "sodium", 1)
    assert (len(hits.terms), hits.total) == (1, 3)
    assert len(find_terms(release, "sodium", 0).terms) == 3


def test_the_index_is_made_once(release: StoredRelease) -> None:
    find_terms(release, "sodium")
    assert terms_to_index(release) == 0
    index_path(release).unlink()
    assert terms_to_index(release) == len(release.terms)
    told: list[int] = []
    find_terms(release, "sodium", advance=told.append)
    assert sum(told) == len(release.terms)
    find_terms(release, "potassium", advance=told.append)
    assert sum(told) == len(release.terms)


def test_nothing_to_search_for(release: StoredRelease) -> None:
    with pytest.raises(TerminologyError, match="au moins un mot"):
        find_terms(release, " ; - ")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(text=st.text(max_size=40) | st.text(alphabet='"*^(){}:-+ NEAR AND OR NOT sodium24h', max_size=40))
def test_no_text_breaks_the_search(release: StoredRelease, text: str) -> None:
    if words_of(text):
        find_terms(release, text)


def test_french_words_on_the_real_terms(reference_data: Path, tmp_path: Path) -> None:
    release = open_stored(import_release(find_files(reference_data / "loinc_2.79_subset"), tmp_path).path)
    assert find_terms(release, "bactérie urine culture").terms[0].code in ("630-4", "13315-7")
    hits = find_terms(release, "potassium des urines de 24 heures")
    assert hits.all_words
    assert hits.terms
    assert all((term.time, term.system[:5]) == ("24H", "Urine") for term in hits.terms)

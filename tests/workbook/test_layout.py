"""Layouts: headers matched by their normal form, layout files that extend one another, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.errors import LayoutError
from jdv_qa.workbook.edition import MAIN_FIELDS, TAB_KEYS
from jdv_qa.workbook.layout import header_index, load_layout, match_tabs, normal_form, normal_tab_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Libellé LOINC de la demande", "LIBELLE LOINC DEMANDE"),
        ("Libellé d'édition", "Libellé d’édition"),
        ("Code NABM/RIHN", "Codes  NABM / RIHN"),
        ("Nature de prélèvement (SPM4)", "Nature du prélèvement - SPM4"),
        ("Sous-chapitre", "sous chapitres"),
        ("Commentaire", "Commentaires "),
        ("Type (Order / Both / Observation)", "type order/both/observation"),
        ("Unité\nrecommandée", "Unité recommandée"),
        ("N° de version", "Numéro de version"),
        ("Œdème", "oedeme"),
    ],
)
def test_same_header(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Code LOINC demande", "Code LOINC résultat"),
        ("Libellé LOINC demande", "Libellé de la demande"),
        ("Unité recommandée", "Unité secondaire"),
        ("Chapitre", "Sous-chapitre"),
    ],
)
def test_different_headers(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("1.JDV_CircuitBio", "main"),
        ("1 - JDV CircuitBio", "main"),
        ("JDV_CircuitBio", "main"),
        ("0. Sommaire", "summary"),
        ("2.Chapitres LOINC", "chapters"),
        ("4. Nature prélèvement - SPM4", "specimens"),
        ("5.Localisation – SPM8", "sites"),
        ("10. Indicateurs", "indicators"),
        ("9 Notes de mise à jour", "notes"),
    ],
)
def test_tab_names(name: str, key: str) -> None:
    assert match_tabs([name], load_layout()) == {key: name}


def test_tab_name_of_digits_alone_is_kept() -> None:
    assert normal_tab_name("2024") == "2024"


def test_shipped_layout_has_the_fields_of_the_contract() -> None:
    layout = load_layout()
    assert tuple(layout.tabs) == TAB_KEYS
    assert tuple(layout.tabs["main"].columns) == MAIN_FIELDS
    required = {column.key for column in layout.tabs["main"].columns.values() if column.required}
    assert required == {
        "order_label", "order_code", "order_type", "result_code", "result_loinc_label", "comparability", "unit",
    }  # fmt: skip


def test_band_tells_two_columns_of_one_header_apart() -> None:
    index = header_index(load_layout().tabs["main"].columns)
    assert index.field_of("Code LOINC") is None
    assert index.field_of("Code LOINC", "Examen prescriptible") == "order_code"
    assert index.field_of("Code LOINC", "Analyse porteuse de résultat") == "result_code"


@given(st.text(max_size=60))
def test_nearest_is_a_known_field_or_nothing(header: str) -> None:
    tab = load_layout().tabs["main"]
    near = header_index(tab.columns).nearest(header)
    assert near is None or near[0] in tab.columns


def test_nearest_of_a_misspelled_header() -> None:
    index = header_index(load_layout().tabs["main"].columns)
    assert index.field_of("Unité reccomandée") is None
    assert index.nearest("Unité reccomandée") == ("unit", "Unité recommandée")
    assert index.nearest("Date de validation", ["rank"]) is None


def write(folder: Path, text: str) -> Path:
    path = folder / "layout.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_extended_layout_adds_its_headers_and_keeps_the_reference(tmp_path: Path) -> None:
    path = write(
        tmp_path, 'extends: circuitbio\ntabs:\n  main:\n    names: ["Feuil1"]\n    columns:\n      unit: ["Unité SI"]\n'
    )
    layout = load_layout(path)
    assert match_tabs(["Feuil1"], layout) == {"main": "Feuil1"}
    column = layout.tabs["main"].columns["unit"]
    assert column.header == "Unité recommandée"
    assert column.required
    assert header_index(layout.tabs["main"].columns).field_of("unités SI") == "unit"
    assert load_layout().tabs["main"].columns["unit"].headers != column.headers


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("tabs: [", "illisible"),
        ("extends: circuitbio\ntabs:\n  feuille:\n    names: [x]\n", "tabs.feuille"),
        ("extends: circuitbio\ntabs:\n  main:\n    columns:\n      unite: [x]\n", "tabs.main.columns.unite"),
        ("extends: circuitbio\ntabs:\n  main:\n    columns:\n      unit: {headers: 3}\n", "unit.headers"),
        ("extends: circuitbio\ntabs:\n  main:\n    columns:\n      unit: [Chapitre]\n", "deux champs"),
        ("tabs: {}", "aucun onglet"),
        ("just a text", "tabs"),
        ("tabs:\n  main:\n    columns: {code: [Code]}\n", "names"),
    ],
)
def test_wrong_layout_files_say_what_and_where(text: str, part: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(LayoutError) as caught:
        load_layout(path)
    assert str(path) in str(caught.value)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_layout_file_names_those_that_ship() -> None:
    with pytest.raises(LayoutError, match="circuitbio"):
        load_layout("nowhere.yaml")


def test_a_layout_that_extends_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "layout.yaml"
    path.write_text(f"extends: {path}\n", encoding="utf-8")
    with pytest.raises(LayoutError, match="elle-même"):
        load_layout(path)

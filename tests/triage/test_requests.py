"""Registers in other columns, wordings and files."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from jdv_qa.errors import RuleFileError, WorkbookError
from jdv_qa.triage.conventions import first_meant, load_conventions
from jdv_qa.triage.requests import Request, field_meant, read_requests

HEADERS = ["N°", "Type de demande", "Objet", "Code LOINC", "Libellé", "Champ", "Valeur proposée", "Justification"]


def book(path: Path, rows: list[list[object]], title: str = "Demandes") -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return path


def read(tmp_path: Path, **said: object) -> Request:
    """The one request of a register whose columns are headers as given."""
    columns = {"N°": 1} | {name.replace("_", " "): text for name, text in said.items()}
    return read_requests(book(tmp_path / "r.xlsx", [list(columns), list(columns.values())])).requests[0]


def test_columns_in_any_order_and_wording(tmp_path: Path) -> None:
    rows = [
        ["Registre des demandes 2019"],
        [],
        ["Laboratoire", "Nouvelle valeur", "Code concerné", "Rubrique", "Élément", "Action demandée", "Réf."],
        ["CHU", "mmol/L", "14682-9", "Unité (UCUM)", "résultat", "à modifier", "A-12"],
    ]
    register = read_requests(book(tmp_path / "r.xlsx", rows, "Feuil1"))
    (request,) = register.requests
    assert (request.number, request.kind, request.object, request.target_field) == ("A-12", "modify", "result", "unit")
    assert (request.asked, request.code, request.applicant, request.row) == ("mmol/L", "14682-9", "CHU", 4)
    assert register.sheet == "Feuil1"
    assert not register.remarks


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("N°;Type de demande;Objet;Code LOINC;Libellé\n1;Création;Résultat;2947-0;\"Sodium ; Numérique\"\n", "utf-8"),
        ("N°;Type de demande;Objet;Code LOINC;Libellé\n1;Création;Résultat;2947-0;\"Sodium ; Numérique\"\n", "cp1252"),
        ("\ufeffN°,Type de demande,Objet,Code LOINC,Libellé\n1,Création,Résultat,2947-0,Sodium ; Numérique\n", "utf-8"),
        ("N°\tType de demande\tObjet\tCode LOINC\tLibellé\n1\tCréation\tRésultat\t2947-0\tSodium ; Numérique\n", "utf-8"),
    ],
    ids=["semicolon", "windows", "comma", "tab"],
)  # fmt: skip
def test_csv(content: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "demandes.csv"
    path.write_bytes(content.encode(encoding))
    (request,) = read_requests(path).requests
    assert (request.kind, request.object, request.code, request.label) == (
        "create",
        "result",
        "2947-0",
        "Sodium ; Numérique",
    )


def test_empty_rows_missing_and_repeated_numbers(tmp_path: Path) -> None:
    path = tmp_path / "demandes.csv"
    path.write_text(
        "N°;Type de demande;Objet;Code LOINC;Colonne inconnue\n1;Ajout;Résultat;2947-0;x\n;;;;\n;Ajout;Résultat;2951-2;\n"
        "1;Retrait;Résultat;2951-2;\n2;;;;\n",
        encoding="utf-8",
    )
    register = read_requests(path)
    assert [(request.number, request.row) for request in register.requests] == [("1", 2), ("ligne 4", 4), ("1", 5)]
    assert [request.json_number for request in register.requests] == [1, "ligne 4", 1]
    told = " ".join(register.remarks)
    assert "1 demande sans numéro, à désigner par la ligne\u00a0: 4" in told
    assert "2, 5" in told
    assert "Colonne inconnue" in told


def test_numbers_are_kept_as_text(tmp_path: Path) -> None:
    path = tmp_path / "demandes.csv"
    path.write_text("N°;Type de demande;Objet;Code LOINC;Code NABM\n007;Ajout;NABM;24326-1;0593\n", encoding="utf-8")
    (request,) = read_requests(path).requests
    assert (request.number, request.json_number, request.nabm) == ("007", "007", "0593")


def test_dates_and_numbers_of_excel(tmp_path: Path) -> None:
    import datetime as dt

    request = read(
        tmp_path,
        Date=dt.datetime(2019, 3, 1),
        Type_de_demande="Ajout",
        Objet="Résultat",
        Code_LOINC=692344,
        Libellé="X",
    )
    assert (request.date, request.code) == ("2019-03-01", "692344")


@pytest.mark.parametrize(
    ("text", "kind", "thing"),
    [
        ("Création", "create", ""),
        ("Demande de création d'un résultat", "create", "result"),
        ("ajouter", "create", ""),
        ("Retrait du résultat", "remove", "result"),
        ("Merci de supprimer l'analyse", "remove", "result"),
        ("à modifier", "modify", ""),
        ("Mise à jour", "modify", ""),
        ("Changement de chapitre", "modify", "chapters"),
        ("???", "", ""),
    ],
)
def test_kinds(text: str, kind: str, thing: str, tmp_path: Path) -> None:
    request = read(tmp_path, Type_de_demande=text, Code_LOINC="2951-2", Libellé="Sodium")
    assert (request.kind, request.object if thing != "chapters" else "chapters") == (kind, thing)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("Résultat", "result"), ("Demande", "order"), ("Examen prescriptible", "order"), ("Alignement NABM–LOINC", "nabm"),
        ("Code LOINC", "code"), ("Nature de prélèvement", "specimens"), ("4. Nature de prélèvement – SPM4", "specimens"),
        ("Techniques", "techniques"), ("Chapitres LOINC", "chapters"), ("Renseignements cliniques", "clinical_info"),
        ("Localisation", "sites"), ("Latéralité", "lateralities"), ("analyse porteuse de résultat", "result"),
    ],
)  # fmt: skip
def test_objects(text: str, thing: str, tmp_path: Path) -> None:
    assert read(tmp_path, Type_de_demande="Création", Objet=text, Code_LOINC="X").object == thing


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Unité recommandée", "unit"), ("Unité principale (UCUM)", "unit"), ("unité", "unit"), ("Deuxième unité", "unit_secondary"),
        ("libellé d’édition", "result_display"), ("Niveau de comparabilité", "comparability"), ("chapitre du résultat", "chapter"),
        ("Libellé LOINC", "result_loinc_label"), ("Technique discriminante (O/N)", "discriminating_technique"), ("n'importe quoi", ""),
    ],
)  # fmt: skip
def test_fields(text: str, field: str) -> None:
    assert field_meant(text, "result") == field


@pytest.mark.parametrize(
    ("value", "asked", "field"),
    [
        ("mettre en mmol/L", "mmol/L", "unit"), ("passer à umol/L", "umol/L", "unit"), ("Remplacer l'unité par g/L", "g/L", "unit"),
        ("unité : mmol/L", "mmol/L", "unit"), ("« Sodium »", "Sodium", ""), ("mettre dans le chapitre Hématologie", "Hématologie", "chapter"),
        ("mmol/L", "mmol/L", ""), ("remplacer par 2951-2", "2951-2", ""),
    ],
)  # fmt: skip
def test_turns_of_phrase(value: str, asked: str, field: str, tmp_path: Path) -> None:
    request = read(
        tmp_path, Type_de_demande="Modification", Objet="Résultat", Code_LOINC="2951-2", Valeur_proposée=value
    )
    assert (request.asked, request.target_field) == (asked, field)


def test_a_kind_that_names_the_field(tmp_path: Path) -> None:
    request = read(tmp_path, Type_de_demande="Changer l'unité", Code_LOINC="2951-2", Valeur_proposée="mmol/L")
    assert (request.kind, request.target_field, request.asked) == ("modify", "unit", "mmol/L")


def test_a_file_that_is_no_register(tmp_path: Path) -> None:
    path = book(tmp_path / "autre.xlsx", [["Article", "Prix"], ["Tube", 3]], "Achats")
    with pytest.raises(WorkbookError, match=r"autre\.xlsx.*registre.*« Achats ».*Type de demande"):
        read_requests(path)
    with pytest.raises(WorkbookError, match="introuvable"):
        read_requests(tmp_path / "absent.csv")


def test_the_sheet_of_the_register_is_found_among_others(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    workbook = Workbook()
    first = workbook.active
    assert first is not None
    first.title = "Mode d'emploi"
    first.append(["Remplir la colonne Code LOINC", "puis l'objet"])
    sheet = workbook.create_sheet("Demandes 2019")
    sheet.append(HEADERS)
    sheet.append([1, "Création", "Résultat", "2947-0", "Sodium", None, None, "utile"])
    workbook.save(path)
    assert read_requests(path).sheet == "Demandes 2019"


def test_conventions_that_are_wrong_are_named(tmp_path: Path) -> None:
    path = tmp_path / "requests.yaml"
    path.write_text("kinds: {create: [ajout]}\n", encoding="utf-8")
    with pytest.raises(RuleFileError, match=r"requests\.yaml.*« idle »"):
        load_conventions(path)
    path.write_text("kinds: [", encoding="utf-8")
    with pytest.raises(RuleFileError, match="illisible"):
        load_conventions(path)


def test_the_first_thing_said_counts() -> None:
    stems = {"create": ("ajout",), "remove": ("suppr",)}
    assert first_meant("Supprimer, ou ajouter ailleurs", stems) == "remove"
    assert first_meant("rajout", stems) is None

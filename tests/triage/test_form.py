from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from jdv_qa.cli.app import main
from jdv_qa.errors import RuleFileError
from jdv_qa.sample import files
from jdv_qa.triage.form import INSTRUCTIONS, LISTS, ROWS, form_workbook, load_form_rules
from jdv_qa.triage.requests import read_requests
from jdv_qa.workbook.edition import Edition, Record, Table
from jdv_qa.workbook.read import read_edition

HEADERS = [
    "N°", "Date", "Demandeur", "Type de demande", "Objet", "Code LOINC", "Libellé", "Demande concernée", "Code NABM", "Champ",
    "Valeur proposée", "Unité", "Libellé d'édition", "Comparabilité", "Chapitre", "Nature de prélèvement", "Justification",
    "Statut", "Décision", "Commentaire",
]  # fmt: skip


@pytest.fixture(scope="module")
def edition() -> Edition:
    return read_edition(files()["1.1.0"])


@pytest.fixture(scope="module")
def form(edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("form") / "demandes.xlsx"
    path.write_bytes(form_workbook(edition))
    return path


def sheet(path: Path, name: str = "Demandes") -> Worksheet:
    return openpyxl.load_workbook(path)[name]


def drop_downs(path: Path) -> dict[str, list[str]]:
    """Header -> the values offered."""
    book = openpyxl.load_workbook(path)
    register, found = book["Demandes"], {}
    for validation in register.data_validations.dataValidation:
        if validation.type != "list":
            continue
        header = register.cell(1, next(iter(validation.sqref.ranges)).min_col).value
        tab, area = validation.formula1.split("!")
        assert tab == LISTS
        found[header] = [cell.value for row in book[tab][area.replace("$", "")] for cell in row]
    return found


def test_headers_are_those_of_the_contract(form: Path) -> None:
    assert [cell.value for cell in sheet(form)[1]] == HEADERS


def test_it_reads_back_as_an_empty_register(form: Path) -> None:
    register = read_requests(form)
    assert (register.sheet, register.requests, register.remarks) == ("Demandes", (), ())


def test_same_value_set_same_bytes(edition: Edition, form: Path) -> None:
    assert form_workbook(edition) == form.read_bytes()


def test_lists_come_from_the_value_set(form: Path, edition: Edition) -> None:
    lists = drop_downs(form)
    assert lists["Type de demande"] == ["Création", "Modification", "Suppression"]
    assert {"Résultat", "Demande", "Alignement NABM", "Code LOINC", "Technique"} <= set(lists["Objet"])
    assert {"Unité recommandée", "Libellé d'édition", "Code NABM/RIHN"} <= set(lists["Champ"])
    assert set(lists["Chapitre"]) == {record["label"] for record in edition.records("chapters")}
    assert {"Sérum", "Urine", "Liquide céphalorachidien"} <= set(lists["Nature de prélèvement"])
    assert lists["Comparabilité"] == ["1", "2"]
    assert {"mmol/L", "[IU]/L"} <= set(lists["Unité"])
    assert lists["Statut"]
    assert lists["Décision"]


def test_a_label_of_two_codes_is_offered_as_its_codes(edition: Edition, tmp_path: Path) -> None:
    records = tuple(Record(row, {"code": code, "label": "Sang"}) for row, code in enumerate(("BLD", "WB"), 2))
    tables = dict(edition.tables) | {"specimens": Table("specimens", records)}
    path = tmp_path / "form.xlsx"
    path.write_bytes(form_workbook(Edition(tables)))
    assert drop_downs(path)["Nature de prélèvement"] == ["BLD", "WB"]


def test_a_value_set_without_reference_tabs_gets_no_list_of_them(edition: Edition, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    path.write_bytes(form_workbook(Edition({"main": edition.main})))
    lists = drop_downs(path)
    assert "Chapitre" not in lists
    assert "Unité" in lists


def test_codes_are_text_and_the_list_tab_is_hidden(form: Path) -> None:
    book = openpyxl.load_workbook(form)
    register = book["Demandes"]
    for header in ("Code LOINC", "Demande concernée", "Code NABM", "Valeur proposée"):
        letter = openpyxl.utils.get_column_letter(HEADERS.index(header) + 1)
        assert register.column_dimensions[letter].number_format == "@", header
    assert [(name, book[name].sheet_state) for name in book.sheetnames] == [
        ("Demandes", "visible"), (INSTRUCTIONS, "visible"), (LISTS, "hidden"),
    ]  # fmt: skip
    assert (register.page_setup.orientation, register.print_title_rows) == ("landscape", "$1:$1")
    assert register.freeze_panes is not None


def _filled(form: Path, folder: Path, rows: list[dict[str, object]]) -> Path:
    book = openpyxl.load_workbook(form)
    for number, row in enumerate(rows, 2):
        for header, value in row.items():
            book["Demandes"].cell(number, HEADERS.index(header) + 1, value)
    book.save(folder / "rempli.xlsx")
    return folder / "rempli.xlsx"


def test_every_example_of_the_instructions_is_a_request_that_is_understood(form: Path, tmp_path: Path) -> None:
    rules = load_form_rules()
    examples = rules.instructions["examples"]
    headers = dict(zip(rules.columns, HEADERS, strict=True))
    rows = [
        {headers[name]: value for name, value in example.items() if name in headers} | {"N°": number}
        for number, example in enumerate(examples, 1)
    ]
    register = read_requests(_filled(form, tmp_path, rows))
    assert register.remarks == ()
    assert [request.number for request in register.requests] == [str(row["N°"]) for row in rows]
    kinds = {"Création": "create", "Modification": "modify", "Suppression": "remove"}
    for request, example in zip(register.requests, examples, strict=True):
        assert request.kind == kinds[example["kind"]]
        assert request.object
        assert request.target_field if example.get("field") else True
    assert {example["kind"] for example in examples} == set(kinds)
    told = " ".join(str(cell.value) for row in sheet(form, INSTRUCTIONS).iter_rows() for cell in row if cell.value)
    assert all(str(example["wanted"]) in told for example in examples)
    assert "LOINC" in told


def test_what_examples_choose_is_offered(form: Path) -> None:
    lists = drop_downs(form)
    rules = load_form_rules()
    headers = dict(zip(rules.columns, HEADERS, strict=True))
    for example in rules.instructions["examples"]:
        for name, header in headers.items():
            if name in example and header in lists and name != "unit":
                assert str(example[name]) in lists[header], (example["wanted"], header)


def marked(form: Path, row: dict[str, object]) -> set[str]:
    """The headers marked as missing in a row, by the conditional formats of the form computed here."""
    register = sheet(form)
    values = {
        f"${openpyxl.utils.get_column_letter(place)}2": row.get(header, "") for place, header in enumerate(HEADERS, 1)
    }
    found = set()
    for area, rules in register.conditional_formatting._cf_rules.items():
        for rule in rules:
            if rule.dxf.fill is None:
                continue
            if _evaluate(rule.formula[0], values):
                found.add(HEADERS[next(iter(area.sqref.ranges)).min_col - 1])
    return found


def _evaluate(formula: str, values: dict[str, object]) -> bool:
    """The value of a formula made of AND, OR, COUNTA, ISERROR(SEARCH) and comparisons."""
    text = re.sub(r"COUNTA\([^)]*\)", str(sum(value != "" for value in values.values())), formula)
    text = re.sub(
        r'ISERROR\(SEARCH\("([^"]*)",(\$[A-Z]+2)\)\)',
        lambda m: str(m[1].casefold() not in str(values[m[2]]).casefold()),
        text,
    )
    text = re.sub(r'(\$[A-Z]+2)="([^"]*)"', lambda m: str(str(values[m[1]]).casefold() == m[2].casefold()), text)
    text = text.replace("TRUE", "True")
    return bool(eval(text, {"AND": lambda *all_: all(all_), "OR": lambda *any_: any(any_)}))


BASIC = {"N°": 1, "Demandeur": "CHU", "Justification": "Usage"}
RESULT = BASIC | {"Type de demande": "Création", "Objet": "Résultat"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, set()),
        ({"Date": "2026-01-02"}, {"N°", "Demandeur", "Type de demande", "Objet", "Justification"}),
        (RESULT, {"Code LOINC", "Libellé", "Demande concernée", "Unité", "Libellé d'édition", "Comparabilité", "Chapitre"}),
        (RESULT | {"Code LOINC": "14749-6"}, {"Libellé", "Demande concernée", "Unité", "Libellé d'édition", "Comparabilité", "Chapitre"}),
        (
            RESULT | {"Libellé": "X [Présence/Seuil] Urine ; Qualitatif"},
            {"Demande concernée", "Libellé d'édition", "Comparabilité", "Chapitre"},
        ),
        (BASIC | {"Type de demande": "Création", "Objet": "Demande", "Libellé": "TSH"}, {"Nature de prélèvement"}),
        (BASIC | {"Type de demande": "Modification", "Objet": "Résultat", "Code LOINC": "2951-2"}, {"Champ", "Valeur proposée"}),
        (BASIC | {"Type de demande": "Modification", "Objet": "Résultat", "Libellé": "Sodium", "Champ": "Unité recommandée"}, {"Valeur proposée"}),
        (BASIC | {"Type de demande": "Suppression", "Objet": "Résultat", "Code LOINC": "2951-2"}, set()),
        (BASIC | {"Type de demande": "Création", "Objet": "Alignement NABM", "Code LOINC": "2951-2"}, {"Code NABM"}),
        (BASIC | {"Type de demande": "Création", "Objet": "Technique", "Libellé": "Y"}, {"Code LOINC"}),
    ],
)  # fmt: skip
def test_marks_on_what_is_missing(form: Path, row: dict[str, object], expected: set[str]) -> None:
    assert marked(form, row) == expected


def test_no_example_of_the_instructions_lacks_anything(form: Path) -> None:
    rules = load_form_rules()
    headers = dict(zip(rules.columns, HEADERS, strict=True))
    for example in rules.instructions["examples"]:
        row = {headers[name]: value for name, value in example.items() if name in headers} | {
            "N°": 1,
            "Demandeur": "CHU",
        }
        assert marked(form, row) == set(), example["wanted"]


def test_marks_and_lists_reach_the_last_row_made_ready(form: Path) -> None:
    register = sheet(form)
    ends = {area.max_row for rule in register.data_validations.dataValidation for area in rule.sqref.ranges}
    assert ends == {ROWS + 1}


def test_names_of_no_machine_in_the_file(form: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(form.read_bytes())) as archive:
        core = archive.read("docProps/core.xml").decode()
    assert "1980-01-01T00:00:00Z" in core


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("columns:", "colonnes:", "columns"),
        ("closed: [kind,", "closed: [sort,", "sort"),
        ("widths: {number: 7,", "widths: {", "number"),
        ("kinds: [Création, Modification, Suppression]", "kinds: []", "kinds"),
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, old: str, new: str, key: str) -> None:
    from jdv_qa.resources import rules_directory

    text = (rules_directory() / "request_form.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "request_form.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuleFileError, match=f"request_form.yaml.*{key}"):
        load_form_rules(path)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: Path) -> None:
    path = tmp_path / "demandes.xlsx"
    assert main(["triage", "form", "-o", str(path)]) == 0
    assert path.read_bytes() == form.read_bytes()
    assert "l'exemple livré" in capsys.readouterr().err
    assert main(["triage", "form", "-o", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["triage", "form", "--with", str(files()["1.0.0"]), "-o", str(path), "--force", "--lang", "en"]) == 0
    assert f"lists from {files()['1.0.0'].name}" in capsys.readouterr().err

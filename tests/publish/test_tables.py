"""The CSV tables of an Edition, what they leave out, and the Table Schemas."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.publish.tables import csv_tables, left_out, table_headers
from jdv_qa.resources import rules_directory
from jdv_qa.workbook.edition import Cell, CellKind, Column, Edition, Loose, Record, Sheet, Table
from jdv_qa.workbook.layout import load_layout

TERMS = load_layout("loinc_fr")
SCHEMAS = sorted(path for path in (rules_directory() / "schemas").glob("*.json") if path.stem != "releases")
RULE_ID = re.compile(r"(STR|CEL|COD|TYP|ATT|UNI|LAB|CMP|REF|NAB|GRP|LNC|VER|SOM)-[0-9]{2}")


def edition(**tables: Table) -> Edition:
    main = Table(
        "main",
        (Record(3, {"order_code": "2951-2", "order_label": "Sodium", "result_code": "2951-2", "unit": "mmol/L"}),),
    )
    return Edition({"main": main, **tables})


def csv_of(of: Edition, key: str, **options: Any) -> bytes:
    return next(table.content for table in csv_tables(of, **options) if table.key == key)


def test_every_cell_is_quoted_and_lines_end_as_rfc_4180_has_it() -> None:
    sites = Table(
        "sites", (Record(2, {"code": "0552", "label": 'Bras ; "gauche"\nou droit'}), Record(3, {"code": "=1+1"}))
    )
    assert csv_of(edition(sites=sites), "sites").decode() == (
        '"Code";"Libellé"\r\n"0552";"Bras ; ""gauche""\nou droit"\r\n"\'=1+1";""\r\n'
    )


def test_separator_and_mark_of_utf8() -> None:
    sites = Table("sites", (Record(2, {"code": "ARM", "label": "Bras"}),))
    content = csv_of(edition(sites=sites), "sites", separator=",", bom=True)
    assert content == b'\xef\xbb\xbf"Code","Libell\xc3\xa9"\r\n"ARM","Bras"\r\n'
    with pytest.raises(ValueError, match="x"):
        csv_tables(edition(), separator="x")


def test_columns_are_those_of_the_layout_in_their_order() -> None:
    layout = load_layout()
    header = csv_of(edition(), "main").decode().splitlines()[0]
    assert header.replace('"', "").split(";") == [column.header for column in layout.tabs["main"].columns.values()]
    assert [table.name for table in csv_tables(edition(sites=Table("sites", ())))] == ["main.csv", "sites.csv"]


def test_free_columns_of_the_indicators_are_kept_and_defused() -> None:
    columns = (Column(1, "Indicateur", "indicator"), Column(2, "1.1.9", "1.1.9"), Column(3, "=A1", "=A1"))
    records = (Record(2, {"indicator": "Demandes", "1.1.10": "1061"}),)
    given = edition(indicators=Table("indicators", records, columns=columns))
    assert list(table_headers(given, "indicators")) == ["indicator", "1.1.9", "=A1", "1.1.10"]
    assert csv_of(given, "indicators").decode().splitlines()[0] == '"Indicateur";"1.1.9";"\'=A1";"1.1.10"'


def test_nothing_is_left_out_of_a_plain_workbook() -> None:
    assert left_out(edition(sites=Table("sites", (Record(2, {"code": "ARM"}),)))) == ()


def test_what_is_left_out_is_named_with_tab_and_column() -> None:
    records = (Record(2, {"code": "ARM"}, {"label": Cell("#N/A", CellKind.ERROR)}),)
    columns = (Column(1, "Code", "code"), Column(2, "Libellé", "label"), Column(3, "Remarque", None))
    loose = tuple(Loose(row, 28, "x") for row in range(2, 9))
    sites = Table("sites", records, "5. Localisation", 1, columns, duplicated=(Column(4, "CODE", "code"),), loose=loose)
    given = edition(sites=sites)
    sheets = (Sheet("5. Localisation", "sites", rows=8), Sheet("Brouillon", None, rows=3), Sheet("Vide", None))
    assert left_out(Edition(given.tables, sheets=sheets)) == (
        "onglet « 5. Localisation », colonne C « Remarque » : intitulé inconnu",
        "onglet « 5. Localisation », colonne D « CODE » : colonne en double",
        "onglet « 5. Localisation », colonne AB : 7 cellules hors du tableau (ligne 2, 3, 4, 5, 6…)",
        "onglet « 5. Localisation », cellule B2 : valeur d'erreur #N/A",
        "onglet « Brouillon », inconnu",
    )


def schema(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_every_table_has_a_schema() -> None:
    assert {path.stem for path in SCHEMAS} == {*load_layout().tabs, "history", *TERMS.tabs}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_schema_is_a_valid_table_schema(path: Path) -> None:
    from frictionless import Schema

    assert len(Schema.from_descriptor(schema(path)).fields) == len(schema(path)["fields"])


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_schema_describes_the_fields_of_the_layout(path: Path) -> None:
    layout = TERMS if path.stem in TERMS.tabs else None
    headers = table_headers(Edition({path.stem: Table(path.stem, ())}), path.stem, layout)
    fields = schema(path)["fields"]
    assert {field["name"]: field["title"] for field in fields} == headers
    assert all(field["type"] == "string" and field["description"].endswith((".", "…")) for field in fields)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_every_constraint_belongs_to_a_rule_and_no_rule_to_nothing(path: Path) -> None:
    content = schema(path)
    keyed = set(content.get("primaryKey", ()))
    linked = {name for link in content.get("foreignKeys", ()) for name in link["fields"]}
    for field in content["fields"]:
        name = field["name"]
        stated = {*field.get("constraints", {})} | ({"primaryKey"} if name in keyed else set())
        stated |= {"foreignKey"} if name in linked else set()
        assert stated == {*field.get("jdv:rules", {})}, name
        assert all(RULE_ID.fullmatch(rule) for rule in field.get("jdv:rules", {}).values())


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        (
            "order_code",
            ["1-8", "2951-2", "1234567-8", "600238", "X600238", "X1234-5"],
            ["2951", "2951--2", "12345678", "LP1-2", "2951-2 "],
        ),
        (
            "nabm_code",
            ["0552", "0552;1609", "0552 ; 1609", "0552\n1609", "N517"],
            ["552", "0552,1609", "0552;", "05521"],
        ),
        ("rank", ["0", "10"], ["1,5", "-1", "dix"]),
    ],
)
def test_patterns(field: str, right: list[str], wrong: list[str]) -> None:
    content = schema(rules_directory() / "schemas" / "main.json")
    pattern = next(item["constraints"]["pattern"] for item in content["fields"] if item["name"] == field)
    assert [text for text in right if not re.search(pattern, text)] == []
    assert [text for text in wrong if re.search(pattern, text)] == []

"""Reading back a folder of exported tables, and the defusing of formulas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.errors import WorkbookError
from jdv_qa.publish.package import data_package
from jdv_qa.publish.tables import csv_tables
from jdv_qa.workbook.edition import CellKind, Edition, Identity, Loose, Record, Table
from jdv_qa.workbook.tables import defused, read_tables, restored

RUNNABLE = ["=1+1", "@SUM(A1)", "\t=1", "\r=1", "+A1", "-A1", "-5-5", "+1+1", "--5", "-1,5,2", "+\n"]
HARMLESS = ["", "-", "+", "-5", "+5", "-0,5", "+12.75", "5-5", "1988-5", "a=b", "'", "'quoted'", "''", "[IU]/L", "\n=1"]


@pytest.mark.parametrize("text", RUNNABLE)
def test_text_that_would_run_gets_one_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"
    assert defused(f"'{text}") == f"''{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text
    assert restored(text) == text


@given(st.text(alphabet="'=+-@\t\r\n05,.aé") | st.text())
def test_defusing_is_reversible_and_complete(text: str) -> None:
    written = defused(text)
    assert restored(written) == text
    assert not written.startswith(("=", "@", "\t", "\r"))


@given(st.text(alphabet="'=+-@5a"), st.text(alphabet="'=+-@5a"))
def test_two_texts_are_never_written_alike(one: str, other: str) -> None:
    assert (defused(one) == defused(other)) == (one == other)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    main = Table(
        "main",
        (Record(3, {"order_code": "2951-2", "order_label": "Sodium", "result_code": "2951-2", "unit": "=mmol/L"}),),
    )
    sites = Table("sites", (Record(2, {"code": "ARM", "label": "Bras"}), Record(3, {"code": "FOOT", "label": "Pied"})))
    edition = Edition({"main": main, "sites": sites}, Identity())
    tables = csv_tables(edition)
    for table in tables:
        (tmp_path / table.name).write_bytes(table.content)
    (tmp_path / "datapackage.json").write_bytes(data_package(edition, tables))
    return tmp_path


def test_records_know_their_file_and_row(folder: Path) -> None:
    edition = read_tables(folder)
    sites = edition.tables["sites"]
    assert (sites.sheet, sites.header_row) == ("sites.csv", 1)
    assert [record.row for record in sites.records] == [2, 3]
    assert sites.address(sites.records[1], "label") == "B3"
    assert edition.main.records[0]["unit"] == "=mmol/L"
    assert [(sheet.name, sheet.tab, sheet.rows) for sheet in edition.sheets] == [
        ("main.csv", "main", 2),
        ("sites.csv", "sites", 3),
    ]
    assert edition.source.path == str(folder)


def test_source_hash_follows_the_tables(folder: Path) -> None:
    before = read_tables(folder).source.sha256
    assert read_tables(folder).source.sha256 == before
    (folder / "sites.csv").write_text('"Code";"Libellé"\r\n"ARM";"Bras droit"\r\n', encoding="utf-8")
    assert read_tables(folder).source.sha256 != before


def test_columns_moved_added_and_missing_by_hand(folder: Path) -> None:
    (folder / "sites.csv").write_text(
        "Libellé;Remarque;Libellé\n Bras ;vu;x\n;;\n;à voir;\nPied;;;perdu\n", encoding="utf-8"
    )
    sites = read_tables(folder).tables["sites"]
    assert [dict(record.values) for record in sites.records] == [{"label": "Bras"}, {"label": "Pied"}]
    assert sites.records[0].raw_text("label") == " Bras "
    assert sites.missing == ("code",)
    assert [(column.index, column.header) for column in sites.columns if column.field is None] == [(2, "Remarque")]
    assert [column.index for column in sites.duplicated] == [3]
    assert sites.blank_rows == (3,)
    assert sites.loose == (Loose(4, 2, "à voir"), Loose(5, 4, "perdu"))


def test_text_that_means_nothing_reads_as_blank(folder: Path) -> None:
    (folder / "main.csv").write_text("Code LOINC demande;Order/Both/Observation\n600238;En attente\n", encoding="utf-8")
    record = read_tables(folder).main.records[0]
    assert dict(record.values) == {"order_code": "600238"}
    assert record.cell("order_type").kind is CellKind.TEXT


def description(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def apply(folder: Path) -> None:
        path = folder / "datapackage.json"
        content = json.loads(path.read_bytes())
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")

    return apply


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "datapackage.json").unlink(), "pas de fichier datapackage.json"),
        (lambda folder: (folder / "datapackage.json").write_text("{"), "datapackage.json illisible"),
        (lambda folder: (folder / "datapackage.json").write_bytes(b"\xff\xfe"), "datapackage.json illisible"),
        (lambda folder: (folder / "datapackage.json").write_text("[]"), "n'annonce pas"),
        (description(lambda package: package.pop("jdv:format")), "n'annonce pas"),
        (description(lambda package: package.pop("resources")), "description incomplète"),
        (description(lambda package: package.update(resources=[{"path": "main.csv"}])), "description incomplète"),
        (description(lambda package: package.update(resources=[{"path": "../main.csv"}])), "chemin refusé"),
        (description(lambda package: package.update(resources=[])), "pas de table « main »"),
        (description(lambda package: package.update({"resources": [], "jdv:layout": "loinc_fr"})), "« loinc_fr »"),
        (lambda folder: (folder / "sites.csv").unlink(), "absente"),
        (lambda folder: (folder / "sites.csv").write_bytes("Code;Libellé\nA;Été".encode("latin-1")), "UTF-8"),
        (lambda folder: (folder / "sites.csv").write_text('"Code";"Lib"ellé"\n'), "table illisible"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(folder: Path, spoil: Callable[[Path], object], message: str) -> None:
    spoil(folder)
    with pytest.raises(WorkbookError) as caught:
        read_tables(folder)
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"pas de fichier datapackage\.json"):
        read_tables(tmp_path / "nowhere")

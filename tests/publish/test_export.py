"""An export read back is the Edition it was made from; its package is valid; its bytes are always the same."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdv_qa.errors import OutputError, RuleFileError
from jdv_qa.language import use_language
from jdv_qa.publish import package as package_module
from jdv_qa.publish.excel import MAX_TEXT, excel_workbook
from jdv_qa.publish.package import data_package, publication_date, publication_name
from jdv_qa.publish.tables import csv_tables
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import ORDER_FIELDS, RESULT_FIELDS, Edition, Identity, Record, Source, Table
from jdv_qa.workbook.layout import Layout, TabLayout, load_layout, normal_form
from jdv_qa.workbook.read import _TITLE_VERSION, read_edition, text_of
from jdv_qa.workbook.sheets import read_with_openpyxl
from jdv_qa.workbook.tables import read_tables
from tests.command_line import Answer, invoke

KIT = Path(os.environ.get("JDV_KIT") or Path(__file__).resolve().parents[3] / "shared" / "kit")
LAYOUT = load_layout()
SUMMARY_LABELS = {
    "title": "Nom du livrable",
    "version": "Version",
    "date": "Date de publication",
    "loinc_version": "Version LOINC",
}

AWKWARD = [
    "=1+1", "'=1+1", "''@x", "@SUM(A1)", "-A1", "+33", "-", "'", "[IU]/L", "10*9/L", "1988-5", "0552", "1e5", "TRUE",
    "1234567890123456789", "é ; à", 'dit "fort"', "deux\nlignes", "a\tb", "a\rb", "a\r\nb", "_x000D_", "_x005F_",
    "&amp;", "<b>", "{=A}", "http://loinc.org", "mailto:a@b.fr", "#N/A", "Sérum/Plasma", "e\u0301", "\U0001f9ea",
    "a\u00a0b", "x" * 300,
]  # fmt: skip
legal = st.characters(codec="utf-8").filter(
    lambda character: (character >= " " or character in "\t\n\r") and character not in "\ufffe\uffff"
)
texts = (st.sampled_from(AWKWARD) | st.text(legal, max_size=12)).map(text_of).filter(bool)
"""Texts as an Edition holds them: trimmed, not empty, of characters that XML knows."""

codes = st.sampled_from(["2951-2", "2823-3", "24326-1", "600238", "0552"]) | texts
type_blanks = {normal_form(text) for text in LAYOUT.tabs["main"].columns["order_type"].blank}


def values_of(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, texts))


@st.composite
def main_tables(draw: st.DrawFn) -> Table:
    records: list[Record] = []
    for _ in range(draw(st.integers(1, 3))):
        order = draw(values_of(ORDER_FIELDS)) | {"order_code": draw(codes), "order_label": draw(texts)}
        if normal_form(order.get("order_type", "")) in type_blanks:
            del order["order_type"]
        for result in draw(st.lists(values_of(RESULT_FIELDS), min_size=1, max_size=3)):
            records.append(Record(len(records) + 3, order | result))
    return Table("main", tuple(records))


@st.composite
def editions(draw: st.DrawFn) -> Edition:
    tables = {"main": draw(main_tables())}
    for key, tab in LAYOUT.tabs.items():
        if tab.labels or key == "main" or draw(st.booleans()):
            continue
        names = tuple(tab.columns)
        if tab.open:
            names += tuple(draw(st.lists(st.sampled_from(["1.1.9", "1.1.10", "=A1", "'x", "2,5"]), unique=True)))
        rows = draw(st.lists(values_of(names).filter(bool), max_size=3))
        tables[key] = Table(key, tuple(Record(number, values) for number, values in enumerate(rows, 2)))
    identity = Identity()
    if draw(st.booleans()):
        identity, lines = draw(summaries())
        tables["summary"] = Table("summary", tuple(Record(number, values) for number, values in enumerate(lines, 1)))
        rows = draw(st.lists(values_of(tuple(LAYOUT.tabs["summary"].history)).filter(bool), max_size=3))
        tables["history"] = Table("history", tuple(Record(number, values) for number, values in enumerate(rows, 9)))
    return Edition(
        {key: tables[key] for key in (*LAYOUT.tabs, "history") if key in tables}, identity, Source("v.xlsx", "0")
    )


@st.composite
def summaries(draw: st.DrawFn) -> tuple[Identity, list[dict[str, str]]]:
    found = draw(values_of(tuple(SUMMARY_LABELS)))
    lines = [{"label": SUMMARY_LABELS[key], "value": value} for key, value in found.items()]
    lines += [{"label": f"Ligne {text}"} for text in draw(st.lists(texts, max_size=2))]
    lines = draw(st.permutations(lines))
    title = found.get("title") or (lines[0]["label"] if lines and "value" not in lines[0] else "")
    return Identity(found.get("version", ""), found.get("date", ""), found.get("loinc_version", ""), title), lines


def write_tables(edition: Edition, folder: Path, layout: Layout | None = None, **options: Any) -> Path:
    tables = csv_tables(edition, layout, **options)
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        (folder / table.name).write_bytes(table.content)
    separator = options.get("separator", ";")
    (folder / "datapackage.json").write_bytes(data_package(edition, tables, layout, separator=separator))
    return folder


def excel_read_back(edition: Edition, folder: Path, **options: Any) -> Edition:
    path = folder / "export.xlsx"
    path.write_bytes(excel_workbook(edition))
    return read_edition(path, **options)


@given(edition=editions(), separator=st.sampled_from(";,"), bom=st.booleans())
@settings(max_examples=settings.default.max_examples // 4)
def test_tables_read_back_are_the_edition(edition: Edition, separator: str, bom: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert read_tables(write_tables(edition, Path(folder), separator=separator, bom=bom)) == edition


@given(edition=editions())
@settings(max_examples=settings.default.max_examples // 4)
def test_excel_read_back_is_the_edition(edition: Edition) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert excel_read_back(edition, Path(folder)) == edition


TERMS = load_layout("loinc_fr")


@st.composite
def term_editions(draw: st.DrawFn) -> Edition:
    rows = draw(st.lists(values_of(tuple(TERMS.tabs["terms"].columns)).filter(bool), max_size=4))
    records = tuple(Record(number, values) for number, values in enumerate(rows, 3))
    title = draw(
        st.sampled_from(["", "LOINC Biologie FR 2.23 (2.79-2.80)", "LOINC Biologie FR 2.23", "Biologie"]) | texts
    )
    version = _TITLE_VERSION.search(title)
    identity = Identity(version[1], "", version[2] or "", title) if version else Identity(title=title)
    return Edition({"terms": Table("terms", records)}, identity, Source("v.xlsx", "0"))


@given(edition=term_editions())
@settings(max_examples=settings.default.max_examples // 4)
def test_excel_of_a_one_table_form_read_back_is_the_edition(edition: Edition) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v.xlsx"
        path.write_bytes(excel_workbook(edition, TERMS))
        assert read_edition(path, TERMS) == edition


def test_excel_of_a_one_table_form_has_its_title_above_the_headers(tmp_path: Path) -> None:
    table = Table("terms", (Record(3, {"code": "2951-2", "label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"}),))
    title = "LOINC Biologie FR 2.23 (2.79-2.80)"
    edition = Edition({"terms": table}, Identity("2.23", "", "2.79-2.80", title), Source("v.xlsx", "0"), "loinc_fr")
    path = tmp_path / "v.xlsx"
    path.write_bytes(excel_workbook(edition, TERMS))
    (sheet,) = openpyxl.load_workbook(path)
    assert [cell.value for cell in sheet[1]][:2] == [title, None]
    assert [cell.value for cell in sheet[2]] == [column.header for column in TERMS.tabs["terms"].columns.values()]
    assert (sheet["A3"].value, sheet.freeze_panes, sheet.auto_filter.ref) == ("2951-2", "A3", "A2:O3")
    again = tmp_path / "again.xlsx"
    again.write_bytes(excel_workbook(read_tables(write_tables(edition, tmp_path / "out", TERMS), TERMS), TERMS))
    assert again.read_bytes() == path.read_bytes()


def test_title_that_excel_does_not_keep_is_refused() -> None:
    edition = Edition({"terms": Table("terms", ())}, Identity(title="a\uffff"), Source("v.xlsx", "0"))
    with pytest.raises(OutputError, match="titre"):
        excel_workbook(edition, TERMS)


def small_edition(**changes: Any) -> Edition:
    """An Edition without fault: three rows, their reference tables, a Sommaire."""
    sodium = {"order_code": "24326-1", "order_label": "Ionogramme", "order_type": "Order", "specimen": "SER"}
    rows = [
        {"result_code": "2951-2", "result_loinc_label": "Sodium", "unit": "mmol/L", "nabm_code": "0552;1609"},
        {"result_code": "2823-3", "result_loinc_label": "Potassium", "unit": "mmol/L", "rank": "10"},
        {"order_code": "600238", "order_type": "", "result_code": "600238", "result_loinc_label": "Dosage"},
    ]
    common = {"comparability": "1", "discriminating_technique": "N", "chapter": "18719-5"}
    records = [
        Record(number, {k: v for k, v in (sodium | common | row).items() if v}) for number, row in enumerate(rows, 3)
    ]
    tables = {
        "summary": Table(
            "summary",
            (Record(1, {"label": "Version", "value": "1.2.0"}), Record(2, {"label": "Date", "value": "2026-01-15"})),
        ),
        "main": Table("main", tuple(records)),
        "chapters": Table(
            "chapters",
            (
                Record(2, {"code": "18719-5", "label": "Biochimie", "subcode": "18719-5"}),
                Record(3, {"code": "18719-5", "label": "Biochimie"}),
            ),
        ),
        "specimens": Table("specimens", (Record(2, {"code": "SER", "label": "Sérum"}),)),
        "history": Table("history", (Record(9, {"version": "1.2.0", "date": "2026-01-15", "comment": "Mise à jour"}),)),
    }
    return Edition(tables | changes, Identity("1.2.0", "2026-01-15"), Source("v.xlsx", "0"))


def with_row(edition: Edition, **values: str) -> Edition:
    """The Edition with one more row in the main table."""
    main = edition.main
    row = Record(99, {**main.records[0].values, "result_code": "17861-6", **values})
    return replace(edition, tables={**edition.tables, "main": replace(main, records=(*main.records, row))})


def problems(folder: Path) -> list[tuple[str, str]]:
    from frictionless import Package

    report = Package(str(folder / "datapackage.json"), basepath=None).validate()
    assert not report.errors
    return [(task.name, error.type) for task in report.tasks for error in task.errors]


@pytest.fixture(autouse=True)
def trusted_paths() -> Iterator[None]:
    from frictionless import system

    with system.use_context(trusted=True):
        yield
    use_language("fr")


@pytest.mark.parametrize("options", [{}, {"separator": ","}, {"bom": True}])
def test_package_of_a_clean_edition_is_valid(options: dict[str, Any], tmp_path: Path) -> None:
    assert problems(write_tables(small_edition(), tmp_path, **options)) == []


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"comparability": "3"}, "constraint-error"),
        ({"result_code": "2951"}, "constraint-error"),
        ({"chapter": "99999-8"}, "foreign-key"),
        ({"specimen": "SERUM"}, "foreign-key"),
        ({"result_code": "2951-2"}, "primary-key"),
    ],
)
def test_package_of_a_draft_tells_its_faults_and_can_be_read(values: dict[str, str], kind: str, tmp_path: Path) -> None:
    from frictionless import Package

    edition = with_row(small_edition(), **values)
    folder = write_tables(edition, tmp_path)
    assert problems(folder) == [("main", kind)]
    assert len(Package(str(folder / "datapackage.json")).get_table_resource("main").read_rows()) == 4
    assert read_tables(folder) == edition


def test_foreign_key_to_a_missing_table_is_left_out(tmp_path: Path) -> None:
    edition = small_edition()
    tables = {key: table for key, table in edition.tables.items() if key != "specimens"}
    folder = write_tables(replace(edition, tables=tables), tmp_path)
    assert problems(folder) == []
    main = next(
        item for item in json.loads((folder / "datapackage.json").read_bytes())["resources"] if item["name"] == "main"
    )
    assert [link["reference"]["resource"] for link in main["schema"]["foreignKeys"]] == ["chapters"]


def test_package_states_version_licence_and_each_file() -> None:
    edition = small_edition()
    tables = csv_tables(edition)
    described = json.loads(data_package(edition, tables))
    assert (described["name"], described["version"], described["created"]) == (
        "jdv-circuitbio-1.2.0",
        "1.2.0",
        "2026-01-15T00:00:00Z",
    )
    assert described["title"] == "Jeu de valeurs Circuit de la biologie 1.2.0"
    assert described["licenses"][0]["path"] == "http://loinc.org/license"
    assert described["jdv:notice"] == LOINC_NOTICE
    assert described["sources"] == [{"title": "v.xlsx", "jdv:sha256": "0"}]
    assert [(item["path"], item["rows"], item["bytes"]) for item in described["resources"]] == [
        (t.name, t.rows, len(t.content)) for t in tables
    ]


def test_tab_of_another_layout_is_published_without_a_schema(tmp_path: Path) -> None:
    own = TabLayout(
        "terms", ("Termes",), columns={"code": LAYOUT.tabs["sites"].columns["code"]._replace(headers=("Code LOINC",))}
    )
    layout = Layout("termes", "Termes", {"terms": own})
    edition = Edition({"terms": Table("terms", (Record(2, {"code": "2951-2"}),))}, layout="termes")
    folder = write_tables(edition, tmp_path, layout)
    assert problems(folder) == []
    assert read_tables(folder, layout) == edition
    assert publication_name(edition, layout) == "termes"


def test_damaged_schema_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "main.json").write_text("{")
    monkeypatch.setattr(package_module, "rules_directory", lambda: tmp_path)
    with pytest.raises(RuleFileError, match=r"main\.json"):
        data_package(small_edition(), csv_tables(small_edition()))


@pytest.mark.parametrize(
    ("date", "epoch", "expected"),
    [
        ("2026-01-15", None, "2026-01-15T00:00:00+00:00"),
        ("2026-01-15T00:00:00", "0", "2026-01-15T00:00:00+00:00"),
        ("5/1/2026", None, "2026-01-05T00:00:00+00:00"),
        ("janvier 2026", "86400", "1970-01-02T00:00:00+00:00"),
        ("31/02/2026", None, None),
        ("", None, None),
    ],
)
def test_date_comes_from_the_edition_or_the_environment(
    date: str, epoch: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    if epoch is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    found = publication_date(Edition({}, Identity(date=date)))
    assert (found.isoformat() if found else None) == expected


def test_wrong_source_date_epoch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "hier")
    with pytest.raises(OutputError, match="SOURCE_DATE_EPOCH=hier"):
        publication_date(Edition({}))


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("1.1.10", "JDV_CircuitBio_1.1.10"),
        ("2.23 (2.79-2.80)", "JDV_CircuitBio_2.23_2.79-2.80"),
        ("../../x", "JDV_CircuitBio_x"),
        ("", "JDV_CircuitBio"),
    ],
)
def test_name_of_the_publication(version: str, name: str) -> None:
    assert publication_name(Edition({}, Identity(version))) == name


def test_bytes_are_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def everything(edition: Edition) -> list[bytes]:
        tables = csv_tables(edition)
        return [*(table.content for table in tables), data_package(edition, tables), excel_workbook(edition)]

    dated, undated = small_edition(), replace(small_edition(), identity=Identity("1.2.0"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert b'"created"' not in data_package(undated, csv_tables(undated))
    french = everything(dated), everything(undated)
    use_language("en")
    assert (everything(dated), everything(undated)) == french


def test_excel_cells_are_text_and_nothing_runs() -> None:
    from openpyxl import load_workbook

    edition = with_row(small_edition(), order_code="1988-5", nabm_code="0552", unit="=1+1", comment="http://loinc.org")
    book = load_workbook(io.BytesIO(excel_workbook(edition)))
    assert book.sheetnames == [tab.name for key, tab in LAYOUT.tabs.items() if key in edition.tables]
    main = book[LAYOUT.tabs["main"].name]
    assert {cell.data_type for row in main.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert {cell.number_format for row in main.iter_rows(min_row=3) for cell in row} == {"@"}
    assert [cell.value for cell in main[6]][:5] == ["0552", None, "Ionogramme", None, "1988-5"]
    assert main.freeze_panes == "A3"
    assert main.auto_filter.ref == "A2:W6"
    assert main["A1"].value == "NABM/RIHN"
    assert main["C1"].value == "Examen prescriptible"
    assert not [cell for row in main.iter_rows() for cell in row if cell.hyperlink]


def test_excel_bears_the_notice_and_a_fixed_date() -> None:
    from openpyxl import load_workbook

    content = excel_workbook(small_edition())
    book = load_workbook(io.BytesIO(content))
    assert str(book.properties.created) == "2026-01-15 00:00:00"
    assert book.properties.description == LOINC_NOTICE
    column = [cell.value for cell in book["Sommaire"]["E"] if cell.value]
    assert column[0] == "Licence LOINC"
    assert " ".join(column[1:]) == LOINC_NOTICE
    assert {item.date_time for item in zipfile.ZipFile(io.BytesIO(content)).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_notice_of_an_exported_workbook_is_neither_line_nor_version(tmp_path: Path) -> None:
    edition = small_edition()
    for _ in range(2):
        read = excel_read_back(edition, tmp_path)
        assert read == edition
        edition = read


@pytest.mark.parametrize("text", ["x" * (MAX_TEXT + 1), "\U0001f9ea" * (MAX_TEXT // 2 + 1)])
def test_text_too_long_for_excel_is_refused(text: str) -> None:
    with pytest.raises(OutputError, match=r"ligne 99, « Commentaire » : texte de 32\d+ caractères"):
        excel_workbook(with_row(small_edition(), comment=text))


def test_longest_text_is_kept(tmp_path: Path) -> None:
    edition = with_row(small_edition(), comment="x" * MAX_TEXT)
    assert excel_read_back(edition, tmp_path) == edition


@pytest.mark.parametrize("text", ["_x005F_x000D_", "a\uffff"])
def test_text_that_excel_does_not_keep_is_refused(text: str) -> None:
    with pytest.raises(OutputError, match="Excel ne garde pas"):
        excel_workbook(with_row(small_edition(), comment=text))


def test_tab_name_that_excel_refuses_is_told() -> None:
    tabs = {**LAYOUT.tabs, "specimens": LAYOUT.tabs["specimens"]._replace(names=("Nature de prélèvement : SPM4",))}
    with pytest.raises(OutputError, match="Nature de prélèvement"):
        excel_workbook(small_edition(), LAYOUT._replace(tabs=tabs))


def test_type_in_waiting_reads_as_blank(tmp_path: Path) -> None:
    edition = with_row(small_edition(), order_code="600239", order_label="En attente de LOINC", order_type="En attente")
    for read in (excel_read_back(edition, tmp_path), read_tables(write_tables(edition, tmp_path / "csv"))):
        assert read.main.records[-1]["order_type"] == ""
        assert read.main.records[-1]["order_label"] == "En attente de LOINC"


def run(*arguments: str | Path) -> Answer:
    return invoke("export", *arguments)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "v.xlsx"
    path.write_bytes(excel_workbook(small_edition()))
    return path


def test_command_writes_the_folder(workbook: Path, tmp_path: Path) -> None:
    result = run(workbook, tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    names = [
        "summary.csv",
        "main.csv",
        "chapters.csv",
        "specimens.csv",
        "history.csv",
        "datapackage.json",
        "JDV_CircuitBio_1.2.0.xlsx",
        "NOTICE",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    assert [line.split()[0] for line in result.stdout.splitlines()[-len(names) :]] == names
    assert (
        (tmp_path / "out" / "NOTICE")
        .read_text(encoding="utf-8")
        .startswith("This material contains content from LOINC")
    )
    assert read_tables(tmp_path / "out") == read_edition(workbook)
    assert read_edition(tmp_path / "out" / names[-2]) == read_edition(workbook)
    assert problems(tmp_path / "out") == []


def test_command_refuses_a_filled_folder_unless_forced(workbook: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(workbook, out, "--with", "fhir", "--with", "svs").exit_code == 0
    refused = run(workbook, out)
    assert (refused.exit_code, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)
    assert (out / "fhir").is_dir()
    assert run(workbook, out, "--force", "--separator", ",", "--bom").exit_code == 0
    assert not (out / "fhir").exists()
    assert (out / "specimens.csv").read_bytes() == b'\xef\xbb\xbf"Code","Libell\xc3\xa9"\r\n"SER","S\xc3\xa9rum"\r\n'


@pytest.mark.parametrize("foreign", ["old.txt", "fhir/notes.json", "data/x.csv", "JDV_CircuitBio_0.9.xlsx", "link"])
def test_command_never_replaces_what_it_has_not_written(workbook: Path, tmp_path: Path, foreign: str) -> None:
    out = tmp_path / "out"
    assert run(workbook, out).exit_code == 0
    place = out / foreign
    place.parent.mkdir(exist_ok=True)
    if foreign == "link":
        place.symlink_to(tmp_path)
    else:
        place.write_text("x")
    refused = run(workbook, out, "--force")
    assert refused.exit_code == 2
    assert foreign in refused.stderr
    assert place.exists()


def test_command_replaces_no_folder_without_an_export(workbook: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "main.csv").write_text("x")
    for description in (None, "{", "[]", '{"name": "theirs", "resources": [{"path": "main.csv"}]}'):
        if description is not None:
            (tmp_path / "out" / "datapackage.json").write_text(description)
        assert "main.csv" in run(workbook, tmp_path / "out", "--force").stderr
    assert (tmp_path / "out" / "main.csv").read_text() == "x"


def test_command_refuses_another_separator(workbook: Path, tmp_path: Path) -> None:
    assert run(workbook, tmp_path / "out", "--separator", "|").exit_code == 2
    assert not (tmp_path / "out").exists()


def test_command_names_what_it_leaves_out(workbook: Path, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    book = load_workbook(workbook)
    book["4.Nature de prélèvement – SPM4"]["C1"] = "Remarque"
    book.save(workbook)
    result = run(workbook, tmp_path / "out", "--lang", "en")
    assert result.exit_code == 0
    assert (
        result.stderr == 'Not exported:\n  tab "4.Nature de prélèvement – SPM4", column C "Remarque": unknown header\n'
    )


@pytest.fixture(scope="module", params=[("a", "merge"), ("b", "blank")], ids=lambda choice: "-".join(choice))
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (KIT / "corpus.py").is_file():
        pytest.skip(f"no corpus kit at {KIT}: set JDV_KIT")
    folder = tmp_path_factory.mktemp("corpus")
    layout, grouping = request.param
    command = [
        sys.executable,
        str(KIT / "corpus.py"),
        str(folder),
        "--seed",
        "7",
        "--layout",
        layout,
        "--grouping",
        grouping,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_corpus_read_back_is_the_edition(corpus: Path, tmp_path: Path) -> None:
    edition = read_edition(corpus / "v1.xlsx")
    folder = write_tables(edition, tmp_path)
    assert problems(folder) == []
    assert read_tables(folder) == edition
    assert excel_read_back(edition, tmp_path) == edition
    assert excel_read_back(edition, tmp_path, reader=read_with_openpyxl) == edition


@pytest.mark.slow
def test_corpus_with_defects_read_back_is_the_edition(corpus: Path, tmp_path: Path) -> None:
    edition = read_edition(corpus / "defects.xlsx")
    assert read_tables(write_tables(edition, tmp_path)) == edition
    assert excel_read_back(edition, tmp_path) == edition

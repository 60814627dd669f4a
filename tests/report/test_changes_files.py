"""The changes as CSV, Excel and Markdown."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from openpyxl import load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock

from jdv_qa.compare.compare import compare
from jdv_qa.language import use_language
from jdv_qa.report.changes_csv import COLUMNS, changes_csv
from jdv_qa.report.changes_excel import SMT_COLUMNS, changes_excel
from jdv_qa.report.changes_lines import change_lines
from jdv_qa.report.changes_markdown import changes_markdown
from jdv_qa.workbook.edition import Edition
from tests.compare.build import edition, row, terms

CHAPTERS = [{"code": "18719-5", "label": "Biochimie", "subcode": "18719-5", "sublabel": "Biochimie"}]
HEADERS = [
    "Effet", "Nature", "Code", "Nouveau code", "Libellé", "Champ", "Ancienne valeur", "Nouvelle valeur", "Chapitre",
    "Ce qui est à faire", "Ancienne ligne", "Nouvelle ligne",
]  # fmt: skip


DISPLAY = ("14749-6", "Libellé d'édition")


@pytest.fixture
def versions() -> tuple[Edition, Edition]:
    labels = {"result_loinc_label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "order_label": "Natrémie"}
    old = [
        row("24326-1", "600238", **labels),
        row("14749-6", result_display="Glucose à jeun", nabm_code="0552", nabm_label="Glycémie"),
        row("2000-8", unit="mmol/L"),
        row("30341-2"),
    ]
    new = [
        row("24326-1", "2951-2", **labels),
        row("14749-6", result_display="Glucose sanguin à jeun | *veineux*", nabm_code="0553", nabm_label="=Glycémie"),
        row("2000-8", unit="[IU]/L"),
        row("1995-0", order_label="Demande\nnouvelle", result_display="=1+1"),
    ]
    tabs = {"chapters": CHAPTERS}
    return edition(old, tabs, version="1.1.10"), edition(new, tabs, version="1.2.0")


def test_csv_has_one_row_a_change(versions: tuple[Edition, Edition]) -> None:
    comparison = compare(*versions)
    content = changes_csv(comparison, *versions)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), delimiter=";"))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(comparison.changes)
    (unit,) = (line for line in rows if line["field"] == "unit")
    assert (unit["old"], unit["new"], unit["header"]) == ("mmol/L", "[IU]/L", "Unité recommandée")
    assert (unit["kind"], unit["part"], unit["impact"], unit["chapters"]) == (
        "modified",
        "result",
        "breaking",
        "18719-5",
    )
    (added,) = (line for line in rows if (line["kind"], line["part"]) == ("added", "nabm"))
    assert (added["nabm"], added["new"]) == ("0553", "'=Glycémie")
    assert changes_csv(comparison, *versions, bom=True) == b"\xef\xbb\xbf" + content


def test_excel_has_the_columns_of_the_smt_and_one_tab_a_part(versions: tuple[Edition, Edition]) -> None:
    comparison = compare(*versions)
    book = load_workbook(io.BytesIO(changes_excel(comparison, *versions)))
    assert book.sheetnames == [
        "Synthèse", "Demandes", "Résultats", "Associations demande–résultat", "Alignements NABM-RIHN", "SMT",
    ]  # fmt: skip
    smt = list(book["SMT"].iter_rows(values_only=True))
    assert smt[0] == SMT_COLUMNS
    assert len(smt) == len(comparison.changes) + 1
    assert ("https://loinc.org/2000-8", "Modification", "Unité recommandée", "mmol/L", "[IU]/L") in smt
    assert ("urn:oid:1.2.250.1.213.1.1.5.130#600238", "Code attribué", "Remplacé par", "600238", "2951-2") in smt
    results = book["Résultats"]
    assert [cell.value for cell in results[1] if cell.value != "Voir aussi"] == HEADERS
    assert sum(sheet.max_row - 1 for sheet in book.worksheets[1:-1]) == len(comparison.changes)
    assert max(results.row_dimensions[number].height or 15 for number in range(2, results.max_row + 1)) > 15
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref


def test_excel_marks_the_words_within_the_cell(versions: tuple[Edition, Edition]) -> None:
    content = changes_excel(compare(*versions), *versions)
    results = load_workbook(io.BytesIO(content), rich_text=True)["Résultats"]
    (line,) = (cells for cells in results.iter_rows() if (cells[2].value, cells[5].value) == DISPLAY)
    assert str(line[6].value) == "Glucose à jeun"
    after = line[7].value
    assert isinstance(after, CellRichText)
    assert str(after) == "Glucose sanguin à jeun | *veineux*"
    bold = [block.text for block in after if isinstance(block, TextBlock) and block.font.b]
    assert bold == [" sanguin", " | *veineux*"]


def test_excel_is_the_same_twice_and_runs_nothing(versions: tuple[Edition, Edition]) -> None:
    content = changes_excel(compare(*versions), *versions)
    assert content == changes_excel(compare(*versions), *versions)
    book = load_workbook(io.BytesIO(content))
    assert not [cell for sheet in book for cells in sheet.iter_rows() for cell in cells if cell.data_type == "f"]


@pytest.mark.parametrize("form", [changes_excel, changes_csv, changes_markdown])
def test_two_equal_editions(form: object) -> None:
    one = edition([row()])
    assert callable(form)
    assert form(compare(one, one), one, one)


def test_one_table_form_has_chapters() -> None:
    fields = ("code", "label", "chapter")
    old = terms([{"code": "1-8", "label": "a", "chapter": "CHEM"}], fields)
    new = terms([{"code": "1-8", "label": "b", "chapter": "CHEM"}, {"code": "2-6", "label": "c"}], fields)
    lines = change_lines(compare(old, new), old, new)
    assert [(line.change.code, line.chapters) for line in lines] == [("1-8", ("CHEM",)), ("2-6", ())]
    assert changes_excel(compare(old, new), old, new)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_markdown_is_that_of_the_file(versions: tuple[Edition, Edition], language: str) -> None:
    """The page is that of the file; JDV_RENEW=1 writes it anew, for its difference to be read before it is kept."""
    use_language(language)
    text = changes_markdown(compare(*versions), *versions)
    path = Path(__file__).with_name(f"changes_small.{language}.md")
    if os.environ.get("JDV_RENEW"):
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


def test_markdown_folds_and_its_tables_are_whole(versions: tuple[Edition, Edition]) -> None:
    comparison = compare(*versions)
    text = changes_markdown(comparison, *versions)
    assert text.count("<details>") == text.count("</details>") == sum(map(bool, comparison.summary.values()))
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    rows = sum(token.type == "tr_open" for token in tokens)
    tables = sum(token.type == "table_open" for token in tokens)
    figures = 1 + len({change.part for change in comparison.changes}) + 1
    assert rows == len(comparison.changes) + (tables - 1) + figures
    cells = [token.content for token in tokens if token.type == "inline"]
    assert "Glucose **sanguin** à jeun **| \\*veineux\\***" in cells

"""Editing in place: what is asked for changes, what refers to it follows, and all the rest keeps its bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from jdv_qa.errors import WorkbookError
from jdv_qa.sample import files
from jdv_qa.workbook.archive import rewritten
from jdv_qa.workbook.editing import MAX_TEXT, WorkbookEdit
from jdv_qa.workbook.read import read_edition
from jdv_qa.workbook.sheets import read_sheets, read_with_calamine, read_with_openpyxl
from jdv_qa.workbook.shifting import RowMap, moved_formula

MAIN = "1.JDV_CircuitBio"
PARTS = {
    "data": "xl/worksheets/sheet1.xml", "other": "xl/worksheets/sheet2.xml", "book": "xl/workbook.xml",
    "comments": "xl/comments1.xml", "boxes": "xl/drawings/vmlDrawing1.vml", "table": "xl/tables/table1.xml",
    "drawing": "xl/drawings/drawing1.xml", "chart": "xl/charts/chart1.xml",
}  # fmt: skip


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with all that openpyxl would lose, and all that must follow when rows move."""
    import xlsxwriter

    path = tmp_path_factory.mktemp("rich") / "riche.xlsx"
    book = xlsxwriter.Workbook(path)
    bold, red = book.add_format({"bold": True}), book.add_format({"font_color": "red"})
    data, other = book.add_worksheet("Données"), book.add_worksheet("L'autre")
    data.freeze_panes(1, 0)
    data.set_column(0, 0, 20, bold)
    data.set_column(3, 3, 9, None, {"hidden": True})
    data.write_row(0, 0, ("Nom", "Valeur", "Double", "Caché"))
    for row in range(1, 11):
        data.write_string(row, 0, f"ligne {row + 1}", red if row == 4 else None)
        data.write_number(row, 1, row)
        data.write_formula(row, 2, f"=B{row + 1}*2", None, row * 2)
    data.write_rich_string(5, 0, "un ", bold, "gras", " ici")
    data.set_row(6, 30, bold)
    data.set_row(8, None, None, {"hidden": True})
    data.merge_range("F4:F6", "fusion")
    data.write_comment("A5", "note")
    data.write_comment("A11", "fin")
    data.write_url("B7", "https://example.org/")
    data.write_url("B9", "internal:'L''autre'!A3")
    data.data_validation("B2:B11", {"validate": "list", "source": "='L''autre'!$A$2:$A$4"})
    data.data_validation("B3", {"validate": "custom", "value": "=B3>B2"})
    data.conditional_format("A2:C11", {"type": "formula", "criteria": '=$B2="x"', "format": red})
    data.conditional_format("B2:B11", {"type": "data_bar", "data_bar_2010": True, "bar_negative_color": "red"})
    data.autofilter("A1:D11")
    data.print_area("A1:D11")
    data.set_h_pagebreaks([6])
    data.add_sparkline("E8", {"range": "Données!B2:B11"})
    other.write_column(0, 0, ("Liste", "a", "b", "c"))
    other.write_formula("C1", "=SUM(Données!B2:B11)+Données!$B$5+SUM(Données!B:B)", None, 65)
    other.write_url("D1", "internal:Données!A8")
    other.add_table("F1:G4", {"columns": [{"header": "Un"}, {"header": "Deux"}], "data": [[1, 2], [3, 4], [5, 6]]})
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Données!$B$2:$B$11", "categories": "=Données!$A$2:$A$11"})
    data.insert_chart("H8", chart)
    book.define_name("Cinq", "=Données!$B$5")
    book.define_name("Toutes", "=Données!$B$2:$B$11")
    book.close()
    return path


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def changed(before: bytes, after: bytes) -> set[str]:
    old, new = parts(before), parts(after)
    assert list(old) == list(new)
    return {name for name in old if old[name] != new[name]}


def saved(edit: WorkbookEdit, path: Path) -> Path:
    path.write_bytes(edit.content())
    return path


def canonical(data: bytes) -> bytes:
    return bytes(etree.tostring(etree.fromstring(data), method="c14n"))


def attributes(data: bytes, name: str, attribute: str) -> list[str]:
    return [str(element.get(attribute)) for element in etree.fromstring(data).iter("{*}" + name)]


def texts(data: bytes, name: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(data).iter("{*}" + name)]


def test_nothing_asked_nothing_changed(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    assert edit.value("Données", 5, 1) == "ligne 5"
    edit.set("Données", 5, 1, "ligne 5")
    edit.set("Données", 40, 1, None)
    edit.set("Données", 5, 2, 4)
    assert edit.content() == rich.read_bytes()


def test_reads_cells(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    assert edit.sheets == ("Données", "L'autre")
    assert [edit.value("Données", 6, column) for column in (1, 2, 3, 4)] == ["un gras ici", 5, 10, None]
    assert (edit.last_row("Données"), edit.last_row("L'autre")) == (11, 4)


def test_one_cell_changes_one_sheet(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.set("Données", 5, 1, "=autre")
    after = edit.content()
    # The workbook holds formulas: they are to be computed when it is opened, which XlsxWriter has asked for already.
    assert changed(rich.read_bytes(), after) == {PARTS["data"]}
    sheet = etree.fromstring(parts(after)[PARTS["data"]])
    (cell,) = sheet.xpath('//*[@r="A5"]')
    assert cell.get("t") == "inlineStr"
    assert cell.get("s")
    old = etree.fromstring(parts(rich.read_bytes())[PARTS["data"]])
    for root in (sheet, old):
        (found,) = root.xpath('//*[@r="A5"]')
        found.getparent().replace(found, root.makeelement("here"))
    assert etree.tostring(sheet, method="c14n") == etree.tostring(old, method="c14n")


def test_new_cells_stand_in_order(rich: Path, tmp_path: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.set("L'autre", 9, 3, 1.5, like=(1, 6))
    edit.set("L'autre", 9, 1, "neuf")
    edit.set("L'autre", 2, 2, True)
    edit.set("L'autre", 7, 30, -2e-20)
    path = saved(edit, tmp_path / "a.xlsx")
    root = etree.fromstring(parts(path.read_bytes())[PARTS["other"]])
    rows = [int(row.get("r")) for row in root.iter("{*}row")]
    assert rows == sorted(rows) == [1, 2, 3, 4, 7, 9]
    assert [cell.get("r") for cell in root.iter("{*}row") for cell in cell if cell.get("r").endswith("9")] == [
        "A9",
        "C9",
    ]
    assert attributes(parts(path.read_bytes())[PARTS["other"]], "dimension", "ref") == ["A1:AD9"]
    again = WorkbookEdit(path)
    assert [again.value("L'autre", 9, 3), again.value("L'autre", 2, 2), again.value("L'autre", 7, 30)] == [
        1.5,
        True,
        -2e-20,
    ]


def test_a_blank_cell_takes_its_style(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.set("L'autre", 1, 2, None, like=("Données", 5, 1))
    edit.set("L'autre", 2, 2, None)
    data, other = (etree.fromstring(parts(edit.content())[PARTS[name]]) for name in ("data", "other"))
    (model,) = data.xpath('//*[@r="A5"]')
    (cell,) = other.xpath('//*[@r="B1"]')
    assert cell.get("s") == model.get("s")
    assert other.xpath('//*[@r="B2"]') == []


def test_inserted_rows_move_what_refers_to_them(rich: Path, tmp_path: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.insert_rows("Données", 6, 2, like=5)
    edit.set("Données", 6, 1, "neuve")
    after = parts(edit.content())
    data, other, book = after[PARTS["data"]], after[PARTS["other"]], after[PARTS["book"]]
    assert edit.value("Données", 6, 1) == "neuve"
    assert edit.value("Données", 8, 1) == "un gras ici"
    assert attributes(data, "mergeCell", "ref") == ["F4:F8"]
    assert attributes(data, "autoFilter", "ref") == ["A1:D13"]
    assert attributes(data, "hyperlink", "ref") == ["B9", "B11"]
    assert attributes(data, "dimension", "ref") == ["A1:F13"]
    assert attributes(data, "brk", "id") == ["8"]
    assert attributes(data, "pane", "topLeftCell") == ["A2"]
    assert attributes(data, "dataValidation", "sqref") == ["B2:B13", "B3"]
    assert "A2:C13" in attributes(data, "conditionalFormatting", "sqref")
    assert texts(data, "sqref") == ["B2:B13", "E10"]
    assert "Données!B2:B13" in texts(data, "f")
    assert texts(data, "f")[3:6] == ["B5*2", "B8*2", "B9*2"]
    assert texts(other, "f") == ["SUM(Données!B2:B13)+Données!$B$5+SUM(Données!B:B)"]
    assert attributes(other, "hyperlink", "location") == ["Données!A10"]
    assert [name for name in texts(book, "definedName") if "$B$2" in name or "$A$1" in name] == [
        "Données!$A$1:$D$13", "Données!$A$1:$D$13", "Données!$B$2:$B$13",
    ]  # fmt: skip
    assert attributes(after[PARTS["comments"]], "comment", "ref") == ["A5", "A13"]
    assert re.findall(rb"<x:Row>(\d+)</x:Row>", after[PARTS["boxes"]]) == [b"4", b"12"]
    assert texts(after[PARTS["drawing"]], "row")[0] == "9"
    assert texts(after[PARTS["chart"]], "f") == ["Données!$A$2:$A$13", "Données!$B$2:$B$13"]
    heights = {row.get("r"): row.get("ht") for row in etree.fromstring(data).iter("{*}row") if row.get("ht")}
    assert heights == {"9": "30"}
    styles = {cell.get("r"): cell.get("s") for cell in etree.fromstring(data).iter("{*}c")}
    assert styles["A6"] == styles["A7"] == styles["A5"]
    untouched = set(after) - set(changed(rich.read_bytes(), edit.content()))
    assert {PARTS["table"], "xl/sharedStrings.xml", "xl/styles.xml", "[Content_Types].xml"} <= untouched


def test_removed_rows(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.delete_rows("Données", 4, 2)
    after = parts(edit.content())
    data = after[PARTS["data"]]
    assert edit.value("Données", 4, 6) == "fusion"
    assert attributes(data, "mergeCell", "ref") == []
    assert b"mergeCells" not in data
    assert texts(after[PARTS["other"]], "f") == ["SUM(Données!B2:B9)+Données!#REF!+SUM(Données!B:B)"]
    assert "Données!#REF!" in texts(after[PARTS["book"]], "definedName")
    assert attributes(after[PARTS["comments"]], "comment", "ref") == ["A9"]
    assert re.findall(rb"<x:Row>(\d+)</x:Row>", after[PARTS["boxes"]]) == [b"8"]
    assert attributes(data, "dataValidation", "sqref") == ["B2:B9", "B3"]


def test_a_sparkline_goes_with_its_row(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.delete_rows("Données", 8, 1)
    data = parts(edit.content())[PARTS["data"]]
    assert b"sparkline" not in data
    assert texts(data, "sqref") == ["B2:B10"]


def test_first_row_of_a_format_goes_and_its_formula_starts_from_the_next(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.delete_rows("Données", 2, 1)
    data = parts(edit.content())[PARTS["data"]]
    assert "A2:C10" in attributes(data, "conditionalFormatting", "sqref")
    assert '$B2="x"' in texts(data, "formula")
    edit = WorkbookEdit(rich)
    edit.insert_rows("Données", 2, 3, like=2)
    data = parts(edit.content())[PARTS["data"]]
    assert "A2:C14" in attributes(data, "conditionalFormatting", "sqref")
    assert '$B2="x"' in texts(data, "formula")


def test_rows_appended_in_the_likeness_of_the_last_one_belong_to_the_table(rich: Path, tmp_path: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.insert_rows("Données", 12, 2, like=11)
    edit.insert_rows("L'autre", 5, 1, like=4)
    after = parts(edit.content())
    data = after[PARTS["data"]]
    assert attributes(data, "autoFilter", "ref") == ["A1:D13"]
    assert attributes(data, "dataValidation", "sqref") == ["B2:B13", "B3"]
    assert texts(data, "sqref") == ["B2:B13", "E8"]
    table = etree.fromstring(after[PARTS["table"]])
    assert [element.get("ref") for element in (table, table[0])] == ["F1:G5", "F1:G5"]
    assert [name for name in texts(after[PARTS["book"]], "definedName") if "$A$1" in name] == ["Données!$A$1:$D$13"] * 2
    # A sum is not a table: Excel lets it be.
    assert texts(after[PARTS["other"]], "f")[0].startswith("SUM(Données!B2:B11)")


def test_a_row_elsewhere_in_another_likeness_does_not_belong(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.insert_rows("Données", 12, 1, like=1)
    data = parts(edit.content())[PARTS["data"]]
    assert attributes(data, "autoFilter", "ref") == ["A1:D11"]
    assert attributes(data, "dataValidation", "sqref") == ["B2:B11", "B3"]


def test_a_validation_far_from_its_likeness_covers_it_too(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.insert_rows("Données", 20, 1, like=3)
    data = parts(edit.content())[PARTS["data"]]
    assert attributes(data, "dataValidation", "sqref") == ["B2:B11 B20", "B3 B20"]


def test_joined_rows_and_new_merged_ranges(rich: Path, tmp_path: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.insert_rows("Données", 7, 1, like=6, joined=True)
    edit.merge("Données", 10, 6, 11, 6)
    assert attributes(parts(edit.content())[PARTS["data"]], "mergeCell", "ref") == ["F4:F7", "F10:F11"]
    with pytest.raises(ValueError, match="merged already"):
        edit.merge("Données", 7, 5, 8, 6)
    edit.insert_rows("Données", 5, 1)
    edit.delete_rows("Données", 4, 1)
    assert attributes(parts(edit.content())[PARTS["data"]], "mergeCell", "ref") == ["F4:F7", "F10:F11"]
    assert edit.value("Données", 4, 6) == "fusion"


def test_merging_where_nothing_was_merged(tmp_path: Path) -> None:
    edit = WorkbookEdit(files()["1.1.0"])
    sheet = "2.Chapitres LOINC"
    edit.merge(sheet, 2, 1, 3, 1)
    path = saved(edit, tmp_path / "a.xlsx")
    names = [
        child.tag.rpartition("}")[2] for child in etree.fromstring(parts(path.read_bytes())["xl/worksheets/sheet3.xml"])
    ]
    assert names[names.index("mergeCells") - 1] == "autoFilter"
    assert read_sheets(path, read_with_openpyxl)[1][2].rows[2][0] is None


def test_a_column_like_its_neighbour(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.column_like("Données", 5, 4)
    edit.set("Données", 1, 5, "Suite", like=(1, 4))
    edit.column_like("L'autre", 8, 7)
    edit.set("L'autre", 1, 8, "Trois", like=(1, 7))
    after = parts(edit.content())
    data = after[PARTS["data"]]
    assert attributes(data, "autoFilter", "ref") == ["A1:E11"]
    assert [(c.get("min"), c.get("max"), c.get("hidden")) for c in etree.fromstring(data).iter("{*}col")] == [
        ("1", "1", None), ("4", "4", "1"), ("5", "5", None),
    ]  # fmt: skip
    assert [name for name in texts(after[PARTS["book"]], "definedName") if "$A$1" in name] == ["Données!$A$1:$E$11"] * 2
    table = after[PARTS["table"]]
    assert attributes(table, "table", "ref") == ["F1:H4"]
    assert attributes(table, "tableColumn", "name") == ["Un", "Deux", "Trois"]
    assert attributes(table, "tableColumns", "count") == ["3"]


def with_parts(path: Path, into: Path, **new: Callable[[bytes], bytes]) -> Path:
    content = path.read_bytes()
    known = parts(content)
    into.write_bytes(rewritten(content, {PARTS[name]: change(known[PARTS[name]]) for name, change in new.items()}))
    return into


def test_shared_formulas_become_each_cell_its_own(rich: Path, tmp_path: Path) -> None:
    def shared(data: bytes) -> bytes:
        data = data.replace(b"<f>B2*2</f>", b'<f t="shared" ref="C2:C11" si="0">B2*2</f>')
        return re.sub(rb"<f>B\d+\*2</f>", b'<f t="shared" si="0"/>', data)

    path = with_parts(rich, tmp_path / "s.xlsx", data=shared)
    edit = WorkbookEdit(path)
    edit.set("Données", 2, 3, 7)
    assert texts(parts(edit.content())[PARTS["data"]], "f")[:9] == [f"B{row}*2" for row in range(3, 12)]
    edit = WorkbookEdit(path)
    edit.insert_rows("Données", 3, 1)
    assert texts(parts(edit.content())[PARTS["data"]], "f")[:10] == [f"B{row}*2" for row in (2, *range(4, 13))]


def with_part(path: Path, into: Path, owner: str, kind: str, name: str, content: str, type_: str) -> Path:
    """Copy a workbook with one part more, to which another one is related."""
    known = parts(path.read_bytes())
    folder, _, file = owner.rpartition("/")
    relations = f"{folder}/_rels/{file}.rels"
    override = f'<Override PartName="/{name}" ContentType="{type_}"/></Types>'.encode()
    relation = (
        f'<Relationship Id="rId99" Type="http://x/relationships/{kind}" Target="/{name}"/></Relationships>'.encode()
    )
    new = {
        "[Content_Types].xml": known["[Content_Types].xml"].replace(b"</Types>", override),
        relations: known[relations].replace(b"</Relationships>", relation),
    }
    buffer = io.BytesIO(rewritten(path.read_bytes(), new))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(name, content)
    into.write_bytes(buffer.getvalue())
    return into


def test_threaded_comments_stay_with_their_cells(rich: Path, tmp_path: Path) -> None:
    name = "xl/threadedComments/threadedComment1.xml"
    content = "<a:ThreadedComments xmlns:a='t'>" + "".join(
        f"<a:threadedComment ref='{cell}' id='{number}'><a:text>é</a:text></a:threadedComment>"
        for number, cell in enumerate(("A3", "B5", "B5", "A11"))
    )
    path = with_part(
        rich, tmp_path / "t.xlsx", PARTS["data"], "threadedComment", name, content + "</a:ThreadedComments>", "x"
    )
    edit = WorkbookEdit(path)
    edit.insert_rows("Données", 4, 1)
    assert attributes(parts(edit.content())[name], "threadedComment", "ref") == ["A3", "B6", "B6", "A12"]
    edit.delete_rows("Données", 6, 1)
    assert attributes(parts(edit.content())[name], "threadedComment", "id") == ["0", "3"]
    with_nothing_done = WorkbookEdit(path)
    with_nothing_done.set("Données", 3, 1, "texte")
    assert parts(with_nothing_done.content())[name] == parts(path.read_bytes())[name]


def test_the_chain_of_calculation_goes_when_formulas_move(rich: Path, tmp_path: Path) -> None:
    known = parts(rich.read_bytes())
    path = with_part(rich, tmp_path / "c.xlsx", PARTS["book"], "calcChain", "xl/calcChain.xml", "<calcChain/>", "x")
    edit = WorkbookEdit(path)
    edit.set("Données", 2, 1, "texte")
    assert "xl/calcChain.xml" in parts(edit.content())
    edit.set("Données", 2, 3, 7)
    after = parts(edit.content())
    assert "xl/calcChain.xml" not in after
    assert canonical(after["[Content_Types].xml"]) == canonical(known["[Content_Types].xml"])
    assert canonical(after["xl/_rels/workbook.xml.rels"]) == canonical(known["xl/_rels/workbook.xml.rels"])


def test_unreadable_text_is_refused_with_its_place(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    with pytest.raises(WorkbookError, match=r"onglet « Données », cellule B3 : .*U\+0001"):
        edit.set("Données", 3, 2, "a\x01")
    with pytest.raises(WorkbookError, match="32768 caractères"):
        edit.set("Données", 3, 2, "a" * (MAX_TEXT + 1))
    with pytest.raises(WorkbookError, match="nan n'est pas un nombre"):
        edit.set("Données", 3, 2, float("nan"))
    with pytest.raises(WorkbookError, match="pas d'onglet « Rien »"):
        edit.value("Rien", 1, 1)
    assert edit.content() == rich.read_bytes()


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with pytest.raises(WorkbookError, match="introuvable"):
        WorkbookEdit(path)
    path.write_bytes(b"PK\x03\x04 rien")
    with pytest.raises(WorkbookError, match="n'est pas un classeur Excel lisible"):
        WorkbookEdit(path)


def test_entities_are_not_read(rich: Path, tmp_path: Path) -> None:
    path = with_parts(
        rich, tmp_path / "x.xlsx", data=lambda data: b'<!DOCTYPE a [<!ENTITY b "c">]>' + data.split(b"\n", 1)[1]
    )
    with pytest.raises(WorkbookError, match="type de document"):
        WorkbookEdit(path).value("Données", 1, 1)


controls = [chr(code) for code in range(32) if code not in (9, 10, 13)]
legal = st.lists(
    st.characters(exclude_categories=("Cs",), exclude_characters=[*controls, "\ufffe", "\uffff"])
    | st.sampled_from(["_x0041_", "_x", "\n", "\r", " ", "=", "<", "&", "]]>", "'", "_x005F_"]),
    min_size=1, max_size=8,
).map("".join)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(legal, min_size=1, max_size=8))
def test_any_text_reads_back_the_same(rich: Path, tmp_path: Path, values: list[str]) -> None:
    edit = WorkbookEdit(rich)
    for row, value in enumerate(values, 1):
        edit.set("L'autre", row, 9, value)
        assert edit.value("L'autre", row, 9) == value
    path = saved(edit, tmp_path / "t.xlsx")
    again = WorkbookEdit(path)
    assert [again.value("L'autre", row, 9) for row in range(1, len(values) + 1)] == values
    for reader in (read_with_calamine, read_with_openpyxl):
        rows = read_sheets(path, reader)[1][1].rows
        assert [rows[row][8] for row in range(len(values))] == values


steps = st.lists(
    st.tuples(st.sampled_from(["insert", "delete"]), st.integers(1, 14), st.integers(1, 3)), min_size=1, max_size=8
)


@given(steps)
def test_rows_go_where_a_list_says(steps: list[tuple[str, int, int]]) -> None:
    rows, model = RowMap(), list(range(1, 100))
    for step, place, number in steps:
        if step == "insert":
            rows.insert(place, number)
            model[place - 1 : place - 1] = [0] * number
        else:
            rows.delete(place, number)
            del model[place - 1 : place - 1 + number]
    where = {old: position for position, old in enumerate(model, 1) if old}
    for old in range(1, 60):
        left = [where[one] for one in range(old, 60) if one in where]
        assert rows.span(old, old) == ((where[old], where[old]) if old in where else None)
        assert rows.span(old, 59) == ((left[0], left[-1]) if left else None)
        if old in where:
            assert rows.position(old) == where[old]
            assert rows.key(where[old]) == old
    assert [position for position, key in rows.placed(list(range(1, 60)))] == [
        where[old] for old in sorted(where) if old < 60
    ]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(st.integers(2, 14), st.integers(1, 3)), min_size=1, max_size=5))
def test_rows_inserted_then_removed_leave_no_trace(rich: Path, inserted: list[tuple[int, int]]) -> None:
    edit = WorkbookEdit(rich)
    for before, number in inserted:
        edit.insert_rows("Données", before, number, like=before)
    for before, number in reversed(inserted):
        edit.delete_rows("Données", before, number)
    before_parts, after_parts = parts(rich.read_bytes()), parts(edit.content())
    for name in changed(rich.read_bytes(), edit.content()):
        assert canonical(before_parts[name]) == canonical(after_parts[name]), name


@pytest.mark.parametrize(
    ("formula", "moved"),
    [
        ("A1+A5+$A$9", "A1+A7+$A$11"), ("SUM(B2:B8)", "SUM(B2:B10)"), ("SUM(5:6)", "SUM(7:8)"), ("SUM(A:A)", "SUM(A:A)"),
        ("Autre!A5+'D''ici'!A5", "Autre!A5+'D''ici'!A5"), ("Ici!A5+'ici'!A5", "Ici!A7+'ici'!A7"), ('"A5"&A5', '"A5"&A7'),
        ("[1]Ici!A5", "[1]Ici!A5"), ("Nom_A5+Table1[A5]", "Nom_A5+Table1[A5]"), ("LOG10(A9)", "LOG10(A11)"),
        ("Ici!A4:Ici!A6", "Ici!A4:A8"), ("{1,2}+A5%", "{1,2}+A7%"), ("IF(A5<>\"\",A4:A6 A5:B5,#N/A)", "IF(A7<>\"\",A4:A8 A7:B7,#N/A)"),
    ],
)  # fmt: skip
def test_formulas_follow_two_rows_inserted_above_the_fifth(formula: str, moved: str) -> None:
    rows = RowMap()
    rows.insert(5, 2)
    assert moved_formula(formula, "Ici", {"ici": rows}) == moved


def test_archives_keep_the_bytes_of_parts_that_stay(rich: Path, tmp_path: Path) -> None:
    content = rich.read_bytes()
    assert rewritten(content, {}) == rewritten(content, {})
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        with archive.open(zipfile.ZipInfo("flux", (2001, 2, 3, 4, 5, 6)), "w", force_zip64=True) as part:
            part.write(b"suite")
        archive.writestr("tasse", b"x" * 500, zipfile.ZIP_DEFLATED)
        archive.comment = b"fin"
    after = rewritten(stored.getvalue(), {"flux": b"autre"})
    with zipfile.ZipFile(io.BytesIO(after)) as archive:
        assert archive.testzip() is None
        assert (archive.read("flux"), archive.read("tasse"), archive.comment) == (b"autre", b"x" * 500, b"fin")
        assert archive.getinfo("flux").date_time == (2001, 2, 3, 4, 5, 6)
    with pytest.raises(KeyError):
        rewritten(content, {"absent": b""})


def test_a_damaged_part_that_nothing_had_to_look_at_is_told_when_the_workbook_is_written(
    rich: Path, tmp_path: Path
) -> None:
    content = bytearray(rich.read_bytes())
    content[content.index(b"docProps/app.xml") - 30] ^= 1
    path = tmp_path / "abîmé.xlsx"
    path.write_bytes(content)
    edit = WorkbookEdit(path)
    edit.set("Données", 5, 1, "autre")
    with pytest.raises(WorkbookError, match="archive est incomplète ou abîmée"):
        edit.content()


def test_sample_edited_in_its_merged_orders(tmp_path: Path) -> None:
    source = files()["1.1.0"]
    before = read_edition(source)
    record = next(one for one in before.main.records if one.inherited)
    edit = WorkbookEdit(source)
    edit.insert_rows(
        MAIN,
        record.row + 1,
        1,
        like=record.row,
        joined=record.row + 1 not in {r.row for r in before.main.records if r.inherited},
    )
    for name, value in (("result_code", "2345-7"), ("result_loinc_label", "Glucose")):
        edit.set(MAIN, record.row + 1, before.main.column_of[name], value)
    path = saved(edit, tmp_path / "a.xlsx")
    for reader in (read_with_calamine, read_with_openpyxl):
        after = read_edition(path, reader=reader)
        new = next(one for one in after.main.records if one.row == record.row + 1)
        assert (new["order_code"], new["result_code"]) == (record["order_code"], "2345-7")
        assert len(after.main.records) == len(before.main.records) + 1
        assert len(after.orders) == len(before.orders)
    assert changed(source.read_bytes(), path.read_bytes()) == {"xl/worksheets/sheet2.xml", "xl/workbook.xml"}
    edit = WorkbookEdit(path)
    edit.delete_rows(MAIN, record.row + 1)
    assert read_edition(saved(edit, tmp_path / "b.xlsx")) == before


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "grouping"), [("a", "repeat"), ("b", "merge")])
def test_full_size_workbook(
    corpus: Callable[[int, str, str], Path], layout: str, grouping: str, tmp_path: Path
) -> None:
    source = corpus(1, layout, grouping) / "v2.xlsx"
    before = read_edition(source)
    edit = WorkbookEdit(source)
    rows = [record.row for record in before.main.records[::31]][:100]
    for row in reversed(rows):
        edit.insert_rows(before.main.sheet, row, 1, like=row)
    for row in rows:
        edit.delete_rows(before.main.sheet, row, 1)
    after = saved(edit, tmp_path / "a.xlsx")
    assert read_edition(after) == before
    assert read_edition(after, reader=read_with_openpyxl) == before

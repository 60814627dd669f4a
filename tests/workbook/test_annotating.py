"""Annotating: marked cells, notes and tabs of our own; all the rest keeps its bytes, and all of it can be taken out again."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import Workbook, load_workbook

from jdv_qa.workbook.annotating import (
    FILLS_COLUMN,
    CellMark,
    Tint,
    annotated,
    is_annotated,
    solid,
    without_annotations,
)
from jdv_qa.workbook.archive import rewritten
from jdv_qa.workbook.editing import WorkbookEdit
from jdv_qa.workbook.notes_xml import BEGIN, END, Paragraph
from jdv_qa.workbook.own_tabs import OwnTab, TabCell
from jdv_qa.workbook.sheets import read_sheets, read_with_calamine, read_with_openpyxl
from jdv_qa.workbook.styles import StyleSheet

DATA, OTHER, BOOK = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml", "xl/workbook.xml"
STYLES, TYPES, COMMENTS, BOXES = (
    "xl/styles.xml",
    "[Content_Types].xml",
    "xl/comments1.xml",
    "xl/drawings/vmlDrawing1.vml",
)
NAME = "Contrôle qualité"
Find = Callable[[str], str]


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook with all that openpyxl would lose, in cells that get marked and in cells that do not."""
    import xlsxwriter

    path = tmp_path_factory.mktemp("rich") / "riche.xlsx"
    book = xlsxwriter.Workbook(path)
    bold, red = book.add_format({"bold": True}), book.add_format({"font_color": "red"})
    yellow = book.add_format({"bg_color": "#FFFF00", "num_format": "0.00", "italic": True})
    dotted = book.add_format({"pattern": 4, "fg_color": "#FF0000", "bg_color": "#00FF00"})
    data, other = book.add_worksheet("Données"), book.add_worksheet("L'autre")
    third = book.add_worksheet("Cachée")
    data.freeze_panes(1, 0)
    data.set_column(0, 0, 20, bold)
    data.set_column(3, 3, 9, None, {"hidden": True})
    data.write_row(0, 0, ("Nom", "Valeur", "Double", "Caché"))
    for row in range(1, 11):
        data.write_string(row, 0, f"ligne {row + 1}", red if row == 4 else None)
        data.write_number(row, 1, row, yellow if row == 3 else dotted if row == 2 else None)
        data.write_formula(row, 2, f"=B{row + 1}*2", None, row * 2)
    data.write_rich_string(5, 0, "un ", bold, "gras", " ici")
    data.set_row(8, None, None, {"hidden": True})
    data.merge_range("F4:F6", "fusion")
    data.write_comment("A5", "note du mainteneur")
    data.write_comment("A11", "fin")
    data.write_url("B7", "https://example.org/")
    data.data_validation("B2:B11", {"validate": "list", "source": "='L''autre'!$A$2:$A$4"})
    data.conditional_format("B2:B11", {"type": "data_bar", "data_bar_2010": True, "bar_negative_color": "red"})
    data.autofilter("A1:D11")
    data.print_area("A1:D11")
    data.add_sparkline("E8", {"range": "Données!B2:B11"})
    other.write_column(0, 0, ("Liste", "a", "b", "c"))
    other.write_formula("C1", "=SUM(Données!B2:B11)", None, 65)
    other.add_table("F1:G4", {"columns": [{"header": "Un"}, {"header": "Deux"}], "data": [[1, 2], [3, 4], [5, 6]]})
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Données!$B$2:$B$11"})
    other.insert_chart("H8", chart)
    other.set_header("&L&G", {"image_left": _dot(path.parent)})
    third.hide()
    other.activate()
    book.define_name("Cinq", "=Données!$B$5")
    book.define_name("Cachée!Local", "=Cachée!$A$1")
    book.close()
    return path


def _dot(folder: Path) -> str:
    """Return the path of an image of one pixel: headers with images have a VML drawing of their own."""
    import base64

    data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    (folder / "point.png").write_bytes(base64.b64decode(data))
    return str(folder / "point.png")


def opened(path: Path) -> Workbook:
    """Open a workbook with openpyxl, which warns of all that it would lose on saving."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return load_workbook(path)


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def mark(cell: tuple[int, int], text: str = "faux", tint: Tint = Tint.ERROR, sheet: str = "Données") -> CellMark:
    return CellMark(sheet, *cell, tint, (Paragraph("Erreur", bold=True), Paragraph(text)))


def tabs(styles: StyleSheet, free: Find) -> Sequence[OwnTab]:
    plain = styles.new(font='<font><sz val="10"/><name val="Calibri"/></font>')
    head = styles.new(font='<font><b/><sz val="10"/><name val="Calibri"/></font>', fill=solid("112233"))
    rows = [
        [TabCell("Cellule", head), TabCell("Constat", head)],
        [TabCell("B4", plain, "'Données'!B4"), TabCell("=1+1", plain)],
    ]
    widths = [10.0] * FILLS_COLUMN
    return (
        OwnTab(free(NAME), rows, widths, 1, 2, frozenset({FILLS_COLUMN})),
        OwnTab(free("Chiffres"), [[TabCell("n", head), TabCell(3, plain)]], [9.0, 9.0], 1),
    )


MARKS = (
    mark((4, 2)), mark((3, 2), tint=Tint.INFO), mark((5, 1), "à revoir", Tint.WARNING), mark((2, 1)), mark((6, 1)),
    mark((5, 6)), mark((20, 30), "loin"), mark((4, 2), "encore", Tint.INFO), mark((2, 1), sheet="L'autre"),
)  # fmt: skip


@pytest.fixture
def marked(rich: Path, tmp_path: Path) -> Path:
    path = tmp_path / "annoté.xlsx"
    path.write_bytes(annotated(rich, MARKS, tabs).content)
    return path


def canonical(element: etree._Element) -> bytes:
    return bytes(etree.tostring(element, method="c14n", exclusive=True))


def cell(data: bytes, address: str) -> etree._Element:
    (found,) = etree.fromstring(data).xpath(f'//*[local-name()="c"][@r="{address}"]')
    return found


def test_only_what_is_marked_changes(rich: Path, marked: Path) -> None:
    before, after = parts(rich.read_bytes()), parts(marked.read_bytes())
    assert [name for name in before if before[name] != after.get(name)] == [
        name
        for name in before
        if name in (DATA, OTHER, BOOK, STYLES, TYPES, COMMENTS, BOXES, "docProps/app.xml", "xl/_rels/workbook.xml.rels")
        or name == "xl/worksheets/_rels/sheet2.xml.rels"
    ]
    assert set(after) - set(before) == {
        "xl/worksheets/sheet4.xml", "xl/worksheets/sheet5.xml", "xl/comments2.xml", "xl/drawings/vmlDrawing3.vml",
    }  # fmt: skip


def test_of_a_marked_sheet_the_styles_of_cells_alone_change(rich: Path, marked: Path) -> None:
    old, new = (etree.fromstring(parts(path.read_bytes())[DATA]) for path in (rich, marked))
    for root in (old, new):
        for name in ("A2", "A5", "A6", "B3", "B4", "F4"):
            (found,) = root.xpath(f'//*[@r="{name}"][local-name()="c"]')
            found.attrib.pop("s", None)
    (far,) = new.xpath('//*[local-name()="row"][@r="20"]')
    far.getparent().remove(far)
    (dimension,) = new.xpath('//*[local-name()="dimension"]')
    assert dimension.get("ref") == "A1:AD20"
    dimension.set("ref", "A1:F11")
    assert canonical(old) == canonical(new)


def test_a_marked_cell_differs_by_its_fill_alone(rich: Path, marked: Path) -> None:
    before, after = opened(rich)["Données"], opened(marked)["Données"]
    for address, colour in (("B4", "F8C0A8"), ("A5", "F8E088"), ("A2", "F8C0A8"), ("F4", "F8C0A8"), ("B3", "D0E8F8")):
        old, new = before[address], after[address]
        assert [int(c, 16) & 0xF8 for c in re.findall("..", new.fill.fgColor.rgb[2:])] == list(bytes.fromhex(colour))
        assert new.fill.patternType == "solid"
        for name in ("font", "border", "alignment", "number_format", "protection"):
            assert repr(getattr(old, name)) == repr(getattr(new, name))
        assert old.value == new.value


def test_styles_are_added_behind_those_that_are_there(rich: Path, marked: Path) -> None:
    old, new = (etree.fromstring(parts(path.read_bytes())[STYLES]) for path in (rich, marked))
    for name in ("fonts", "fills", "borders", "cellXfs"):
        (before,), (after,) = (root.xpath(f'//*[local-name()="{name}"]') for root in (old, new))
        assert [canonical(one) for one in before] == [canonical(one) for one in after][: len(before)]
        assert after.get("count") == str(len(after))
    for name in ("cellStyleXfs", "cellStyles", "dxfs", "tableStyles"):
        assert [canonical(one) for one in old.xpath(f'//*[local-name()="{name}"]')] == [
            canonical(one) for one in new.xpath(f'//*[local-name()="{name}"]')
        ]


def test_notes_are_kept_and_added(rich: Path, marked: Path) -> None:
    sheet = opened(marked)["Données"]
    assert sheet["A11"].comment.text == "fin"
    kept, _, ours = sheet["A5"].comment.text.partition(BEGIN)
    assert kept.strip() == "note du mainteneur"
    assert "à revoir" in ours
    assert ours.endswith(END)
    assert sheet["B4"].comment.text == f"{BEGIN}\nErreur\nfaux\nErreur\nencore\n{END}"
    assert sheet["F4"].comment is not None, "the finding of a covered cell is told in the first one"
    boxes = parts(marked.read_bytes())[BOXES]
    assert len(re.findall(rb"<v:shape\b", boxes)) == 2 + 6
    assert len(set(re.findall(rb'id="(_x0000_s\d+)"', boxes))) == 2 + 6
    etree.fromstring(boxes)


def test_numbers_of_boxes_are_nobody_elses(marked: Path) -> None:
    drawings = parts(marked.read_bytes())
    boxes = [drawings[name] for name in (BOXES, "xl/drawings/vmlDrawing3.vml")]
    numbers = [number for data in boxes for number in re.findall(rb'id="_x0000_s(\d+)"', data)]
    assert len(numbers) == len(set(numbers))
    for data in boxes:
        (blocks,) = re.findall(rb'<o:idmap [^>]*data="([0-9,]+)"', data)
        own = {int(number) // 1024 for number in re.findall(rb'id="_x0000_s(\d+)"', data)}
        assert own <= set(map(int, blocks.split(b",")))


def test_a_sheet_without_notes_gets_its_parts(marked: Path) -> None:
    after = parts(marked.read_bytes())
    relations = etree.fromstring(after["xl/worksheets/_rels/sheet2.xml.rels"])
    kinds = sorted(one.get("Type").rpartition("/")[2] for one in relations)
    assert kinds == ["comments", "drawing", "table", "vmlDrawing", "vmlDrawing"]
    names = [child.tag.rpartition("}")[2] for child in etree.fromstring(after[OTHER])]
    assert names[names.index("legacyDrawing") + 1] == "legacyDrawingHF"
    assert names[names.index("legacyDrawing") - 1] == "drawing"
    types = {one.get("PartName"): one.get("ContentType") for one in etree.fromstring(after[TYPES])}
    assert types["/xl/comments2.xml"].endswith("comments+xml")
    assert types["/xl/worksheets/sheet4.xml"].endswith("worksheet+xml")


def test_tabs_stand_in_front_and_all_that_counts_tabs_follows(rich: Path, marked: Path) -> None:
    book = etree.fromstring(parts(marked.read_bytes())[BOOK])
    names = [one.get("name") for one in book.iter("{*}sheet")]
    assert names == [NAME, "Chiffres", "Données", "L'autre", "Cachée"]
    assert len({one.get("sheetId") for one in book.iter("{*}sheet")}) == 5
    assert [one.get("state") for one in book.iter("{*}sheet")][-1] == "hidden"
    (view,) = book.iter("{*}workbookView")
    assert view.get("activeTab") == "3", "the tab that was shown still is"
    local = {(one.get("name"), one.get("localSheetId")): one.text for one in book.iter("{*}definedName")}
    assert local["Local", "4"] == "Cachée!$A$1"
    assert local["_xlnm._FilterDatabase", "2"] == "Données!$A$1:$D$11"
    assert local["_xlnm._FilterDatabase", "0"] == f"'{NAME}'!$A$1:$B$2"
    assert ("Cinq", None) in local
    titles = etree.fromstring(parts(marked.read_bytes())["docProps/app.xml"])
    (listed,) = titles.xpath('//*[local-name()="TitlesOfParts"]/*')
    assert [one.text for one in listed][:5] == names
    assert listed.get("size") == str(len(listed))
    selected = [
        name
        for name, data in parts(marked.read_bytes()).items()
        if name.startswith("xl/worksheets/sheet") and b'tabSelected="1"' in data
    ]
    assert selected == [OTHER], "two selected tabs would be edited together"


def test_our_tab_holds_text_links_and_a_filter(marked: Path) -> None:
    sheet = opened(marked)[NAME]
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=1+1", "s")
    assert sheet["A2"].hyperlink.location == "'Données'!B4"
    assert sheet.auto_filter.ref == "A1:B2"
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("reader", [read_with_calamine, read_with_openpyxl])
def test_reading_passes_over_what_we_added(rich: Path, marked: Path, reader: object) -> None:
    assert callable(reader)
    before, after = (read_sheets(path, reader)[1] for path in (rich, marked))
    assert [sheet.sheet.name for sheet in after] == ["Données", "L'autre", "Cachée"]
    filled = [[[row[: sheet.sheet.columns] for row in sheet.rows] for sheet in sheets] for sheets in (before, after)]
    assert filled[0] == filled[1]
    assert [sheet.sheet for sheet in before] == [sheet.sheet for sheet in after]


def test_a_tab_of_the_same_name_is_not_ours(rich: Path, tmp_path: Path) -> None:
    book = opened(rich)
    book.create_sheet(NAME)["A1"] = "à nous"
    path = tmp_path / "a.xlsx"
    book.save(path)
    again = tmp_path / "b.xlsx"
    again.write_bytes(annotated(path, MARKS[:1], tabs).content)
    assert [sheet.sheet.name for sheet in read_sheets(again)[1]][-1] == NAME
    assert opened(again).sheetnames[0] == f"{NAME} (2)"
    assert not is_annotated(path)
    assert is_annotated(again)


def test_annotating_again_gives_the_same_bytes(marked: Path) -> None:
    assert annotated(marked, MARKS, tabs).content == marked.read_bytes()


def test_annotating_again_replaces(rich: Path, marked: Path) -> None:
    fewer = MARKS[:1]
    again = parts(annotated(marked, fewer, tabs).content)
    once = parts(annotated(rich, fewer, tabs).content)
    assert set(again) == set(once)
    for name in (BOXES, TYPES):
        assert again[name] == once[name]
    assert canonical(cell(again[DATA], "A2")) == canonical(cell(parts(rich.read_bytes())[DATA], "A2"))
    assert b"jdv" not in again.get("xl/comments2.xml", b"")


def test_all_of_it_can_be_taken_out(rich: Path, marked: Path) -> None:
    before, after = parts(rich.read_bytes()), parts(without_annotations(marked))
    assert set(before) == set(after)
    # The styles that we added stay, and the cell that was made to be coloured.
    assert {name for name in before if plain(before[name]) != plain(after[name])} == {DATA, STYLES}
    for address in ("A2", "A5", "A6", "B3", "B4", "F4"):
        assert canonical(cell(before[DATA], address)) == canonical(cell(after[DATA], address))
    texts = ["".join(one.itertext()) for one in etree.fromstring(after[COMMENTS]).iter("{*}comment")]
    assert texts == ["note du mainteneur", "fin"]


def plain(data: bytes) -> bytes:
    try:
        return canonical(etree.fromstring(data))
    except etree.XMLSyntaxError:
        return data


def test_nothing_to_take_out_nothing_changed(rich: Path) -> None:
    assert without_annotations(rich) == rich.read_bytes()


def test_what_people_wrote_around_our_text_stays(marked: Path, tmp_path: Path) -> None:
    content = marked.read_bytes()
    comments = parts(content)[COMMENTS].decode()
    answered = comments.replace(END, f"{END} vu, merci", 1)
    path = tmp_path / "a.xlsx"
    path.write_bytes(rewritten(content, {COMMENTS: answered.encode()}))
    left = parts(without_annotations(path))[COMMENTS].decode()
    assert BEGIN not in left
    assert "vu, merci" in left


def test_fills_come_back_after_another_program_has_numbered_styles_anew(
    rich: Path, marked: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.xlsx"
    opened(marked).save(path)
    clean = tmp_path / "b.xlsx"
    clean.write_bytes(without_annotations(path))
    before, after = opened(rich)["Données"], opened(clean)["Données"]
    for address in ("A2", "A5", "A6", "B3", "B4", "F4"):
        assert before[address].fill.patternType == after[address].fill.patternType
        assert before[address].fill.fgColor.rgb == after[address].fill.fgColor.rgb
        assert repr(before[address].font) == repr(after[address].font)


def test_colours_go_though_somebody_deleted_our_tabs(rich: Path, marked: Path, tmp_path: Path) -> None:
    book = opened(marked)
    del book[NAME], book["Chiffres"]
    path = tmp_path / "a.xlsx"
    book.save(path)
    clean = tmp_path / "b.xlsx"
    clean.write_bytes(without_annotations(path))
    before, after = opened(rich)["Données"], opened(clean)["Données"]
    for address in ("A2", "A5", "A6", "F4"):
        assert before[address].fill.patternType == after[address].fill.patternType
    assert after["B4"].fill.patternType == "solid", "which fill it had was told by our tab alone"
    assert after["B4"].comment is None


def test_a_thread_of_comments_is_left_alone(rich: Path, tmp_path: Path) -> None:
    content = rich.read_bytes()
    comments = parts(content)[COMMENTS].replace(b"<author></author>", b"<author>tc={1}</author>")
    assert b"tc={1}" in comments
    path = tmp_path / "a.xlsx"
    path.write_bytes(rewritten(content, {COMMENTS: comments}))
    made = annotated(path, MARKS, tabs)
    assert made.threads == ("Données!A5",)
    after = etree.fromstring(parts(made.content)[COMMENTS])
    old = etree.fromstring(comments)
    for root in (old, after):
        (found,) = root.xpath('//*[local-name()="comment"][@ref="A5"]')
        root.set("kept", canonical(found).decode())
    assert old.get("kept") == after.get("kept")
    assert cell(parts(made.content)[DATA], "A5").get("s") != cell(parts(content)[DATA], "A5").get("s")


def test_a_text_written_for_a_number_is_kept_as_text(rich: Path, tmp_path: Path) -> None:
    edit = WorkbookEdit(rich)
    edit.put_text("Données", 4, 2, "1988-5")
    edit.put_text("Données", 5, 1, "propre")
    path = tmp_path / "a.xlsx"
    path.write_bytes(edit.content())
    before, sheet = opened(rich)["Données"], opened(path)["Données"]
    assert (sheet["B4"].value, sheet["B4"].number_format) == ("1988-5", "@")
    assert [repr(sheet["B4"].fill), repr(sheet["B4"].font)] == [repr(before["B4"].fill), repr(before["B4"].font)]
    assert sheet["A5"].number_format == before["A5"].number_format


def test_rich_text_is_told_from_plain(rich: Path) -> None:
    edit = WorkbookEdit(rich)
    assert edit.is_rich("Données", 6, 1)
    assert not edit.is_rich("Données", 5, 1)
    assert not edit.is_rich("Données", 5, 2)
    assert not edit.is_rich("Données", 50, 2)


def test_an_added_part_stands_at_the_end(rich: Path) -> None:
    content = rich.read_bytes()
    made = rewritten(content, {}, added={"xl/neuf é.xml": b"<a/>" * 100})
    assert list(parts(made)) == [*parts(content), "xl/neuf é.xml"]
    assert parts(made)["xl/neuf é.xml"] == b"<a/>" * 100
    assert made == rewritten(content, {}, added={"xl/neuf é.xml": b"<a/>" * 100})
    with pytest.raises(ValueError, match="styles"):
        rewritten(content, {}, added={STYLES: b""})


def test_more_notes_than_a_block_of_numbers_holds(rich: Path) -> None:
    many = [mark((row, 8)) for row in range(1, 1500)]
    made = annotated(rich, many, tabs).content
    boxes = parts(made)[BOXES]
    numbers = [int(number) for number in re.findall(rb'id="_x0000_s(\d+)"', boxes)]
    assert len(numbers) == len(set(numbers)) == 2 + 1499
    (blocks,) = re.findall(rb'<o:idmap [^>]*data="([0-9,]+)"', boxes)
    assert {number // 1024 for number in numbers} == set(map(int, blocks.split(b","))) == {1, 2, 3}


def test_a_strict_workbook(rich: Path, tmp_path: Path) -> None:
    strict = {
        name: data.replace(b"http://schemas.openxmlformats.org/officeDocument/2006/relationships", b"http://purl.oclc.org/ooxml/officeDocument/relationships")
        .replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main")
        for name, data in parts(rich.read_bytes()).items()
        if name.endswith((".xml", ".rels"))
    }  # fmt: skip
    path = tmp_path / "strict.xlsx"
    path.write_bytes(rewritten(rich.read_bytes(), strict))
    made = annotated(path, MARKS, tabs).content
    (tmp_path / "a.xlsx").write_bytes(made)
    assert annotated(tmp_path / "a.xlsx", MARKS, tabs).content == made
    added = [data for name, data in parts(made).items() if name not in parts(rich.read_bytes())]
    assert not [data for data in added if b"schemas.openxmlformats.org/spreadsheetml" in data]
    assert read_sheets(tmp_path / "a.xlsx")[1][0].sheet.name == "Données"


def test_a_note_for_which_there_is_no_illegal_character(rich: Path) -> None:
    made = annotated(rich, [mark((4, 2), "a\x01b _x0041_ <&>")], tabs).content
    (comment,) = etree.fromstring(parts(made)[COMMENTS]).xpath('//*[local-name()="comment"][@ref="B4"]')
    assert "a\ufffdb _x005F_x0041_ <&>" in "".join(comment.itertext())

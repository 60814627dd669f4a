"""Tabs 9 and 10 completed: afterwards they tell all that changed and state the right figures, and nothing else differs."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from jdv_qa.checks.engine import check
from jdv_qa.checks.notes import load_vocabulary, read_notes
from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Change, Comparison
from jdv_qa.errors import WorkbookError
from jdv_qa.language import use_language
from jdv_qa.publish.update_tabs import Update, updated_workbook
from jdv_qa.sample import files
from jdv_qa.workbook.editing import MAX_TEXT, WorkbookEdit
from jdv_qa.workbook.edition import Edition, Record
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from jdv_qa.workbook.sheets import read_with_openpyxl
from tests.command_line import invoke

NOTES, FIGURES, MAIN = "9.Notes de mise à jour", "10.Indicateurs semestriels", "1.JDV_CircuitBio"
OLD = files()["1.0.0"]
NO_REQUESTS: Mapping[Change, tuple[str, ...]] = {}


@lru_cache
def old_edition() -> Edition:
    return read_edition(OLD)


def bare(folder: Path, change: Callable[[WorkbookEdit], None] = lambda _: None) -> Path:
    """Write the sample's second edition as it would be before release day: nothing of it in tabs 9 and 10."""
    path = folder / "nouvelle.xlsx"
    path.write_bytes(_bare(change))
    return path


@lru_cache
def _bare(change: Callable[[WorkbookEdit], None]) -> bytes:
    edit = WorkbookEdit(files()["1.1.0"])
    edit.delete_rows(NOTES, 2, 67)
    for row in range(1, 10):
        edit.set(FIGURES, row, 3, None)
    change(edit)
    return edit.content()


def complete(
    path: Path, requests: Mapping[Change, tuple[str, ...]] = NO_REQUESTS, old: Path = OLD
) -> tuple[Update, Edition]:
    before, after = old_edition() if old == OLD else read_edition(old), read_edition(path)
    update = updated_workbook(path, before, after, compare(before, after), requests)
    done = path.with_name(f"fini_{path.name}")
    done.write_bytes(update.content)
    return update, read_edition(done)


def found(new: Edition, *rules: str, old: Edition | None = None) -> list[tuple[str, str | None]]:
    report = check(new, earlier=[old or old_edition()], select=rules or ("VER", "SOM", "CEL", "STR"))
    assert report.crashed == ()
    return [(item.rule, item.cell) for item in report.findings]


def lines(edition: Edition, version: str = "1.1.0") -> list[Record]:
    return [record for record in edition.records("notes") if record["version"] == version]


def changed_parts(one: bytes, other: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(one)) as first, zipfile.ZipFile(io.BytesIO(other)) as second:
        assert first.namelist() == second.namelist()
        return {name for name in first.namelist() if first.read(name) != second.read(name)}


def test_an_empty_tab_is_filled_and_everything_else_stays(tmp_path: Path) -> None:
    path = bare(tmp_path)
    assert {rule for rule, _ in found(read_edition(path))} == {"VER-02", "VER-04", "VER-05", "VER-06"}
    update, edition = complete(path)
    assert (update.lines, update.column, update.figures, update.unmatched, update.untold, update.missing) == (
        67, True, 0, (), (), (),
    )  # fmt: skip
    assert found(edition) == []
    assert changed_parts(path.read_bytes(), update.content) == {
        "xl/worksheets/sheet10.xml", "xl/worksheets/sheet11.xml", "xl/workbook.xml",
    }  # fmt: skip
    assert read_edition(path.with_name("fini_nouvelle.xlsx"), reader=read_with_openpyxl) == edition
    before = read_edition(path)
    for key in set(edition.tables) - {"notes", "indicators"}:
        assert edition.tables[key] == before.tables[key]


def test_lines_say_what_the_maintainers_would(tmp_path: Path) -> None:
    _, edition = complete(bare(tmp_path))
    written = {
        tuple(line[name] for name in ("part", "nature", "code", "label", "field", "old", "new"))
        for line in lines(edition)
    }
    theirs = {
        tuple(line[name] for name in ("part", "nature", "code", "label", "field", "old", "new"))
        for line in lines(read_edition(files()["1.1.0"]))
    }
    # Where an entry got a new label with the change, either is right.
    assert len(written & theirs) >= 60
    assert {line[:3] for line in written} == {line[:3] for line in theirs}
    assert {line["date"] for line in lines(edition)} == {"2026-07-15"}


def test_parts_and_natures_are_written_in_words_that_are_read(tmp_path: Path) -> None:
    words = load_vocabulary()
    pairs = [(part, kind) for part in words.part_names for kind in words.nature_names]
    records = tuple(
        Record(
            row, {"version": "1.1.0", "code": "1", "part": words.part_names[part], "nature": words.nature_names[kind]}
        )
        for row, (part, kind) in enumerate(pairs, 2)
    )
    new = read_edition(files()["1.1.0"])
    new = replace(new, tables={**new.tables, "notes": replace(new.tables["notes"], records=records)})
    notes = read_notes(new, old_edition(), load_layout())
    assert [(note.parts, note.kinds) for note in notes] == [({part}, {kind}) for part, kind in pairs]
    assert len(pairs) == 50


def test_a_second_run_adds_nothing(tmp_path: Path) -> None:
    path = bare(tmp_path)
    complete(path)
    update, _ = complete(path.with_name("fini_nouvelle.xlsx"))
    assert (update.lines, update.column, update.figures) == (0, False, 0)
    assert update.content == path.with_name("fini_nouvelle.xlsx").read_bytes()
    untouched, _ = complete(shutil_copy(files()["1.1.0"], tmp_path))
    assert untouched.content == files()["1.1.0"].read_bytes()


def shutil_copy(path: Path, folder: Path) -> Path:
    (folder / path.name).write_bytes(path.read_bytes())
    return folder / path.name


def test_what_the_maintainers_wrote_stays_and_is_not_written_twice(tmp_path: Path) -> None:
    edit = WorkbookEdit(files()["1.1.0"])
    edit.delete_rows(NOTES, 30, 10)
    edit.set(NOTES, 50, 10, "une remarque")
    edit.insert_rows(NOTES, 10, 1, like=9)
    for column, text in ((1, "1.1.0"), (3, "Résultat"), (4, "Ajout"), (5, "2951-2")):
        edit.set(NOTES, 10, column, text)
    path = tmp_path / "b.xlsx"
    path.write_bytes(edit.content())
    before = lines(read_edition(path))
    update, edition = complete(path)
    assert (update.lines, update.unmatched) == (10, (10,))
    assert lines(edition)[: len(before)] == before
    assert found(edition, "VER-06") == [("VER-06", "E10")]


def looks(path: Path, *places: tuple[str, int, int]) -> list[object]:
    """Return what the cells of some (sheet, row, column) look like."""
    import openpyxl

    book = openpyxl.load_workbook(path)
    cells = [book[sheet].cell(row, column) for sheet, row, column in places]
    return [(cell.border.left.style, cell.alignment.wrap_text, cell.number_format, cell.font.b) for cell in cells]


def test_new_cells_look_like_their_neighbours(tmp_path: Path) -> None:
    path = shutil_copy(files()["1.2.0"], tmp_path)
    update, edition = complete(path, old=files()["1.1.0"])
    assert update.column
    done = tmp_path / f"fini_{path.name}"
    rows = [looks(done, *((NOTES, row, column) for column in range(1, 11))) for row in (68, 69)]
    assert rows[0] == rows[1]
    columns = [looks(done, *((FIGURES, row, column) for row in (1, 2, 9))) for column in (3, 4)]
    assert columns[0] == columns[1]
    after = WorkbookEdit(done)
    assert after.last_row(NOTES) == 68 + update.lines
    with zipfile.ZipFile(done) as archive:
        names = archive.read("xl/workbook.xml").decode()
        assert f"'{NOTES}'!$A$1:$J${68 + update.lines}<" in names
        assert f"'{FIGURES}'!$A$1:$D$9<" in names
        assert f'<autoFilter ref="A1:J{68 + update.lines}"/>' in archive.read("xl/worksheets/sheet10.xml").decode()
        assert '<autoFilter ref="A1:D9"/>' in archive.read("xl/worksheets/sheet11.xml").decode()
    assert found(edition, "VER-06", "SOM-03", old=read_edition(files()["1.1.0"])) == []


def test_lines_of_an_empty_tab_look_like_those_of_another_one(tmp_path: Path) -> None:
    path = bare(tmp_path)
    complete(path)
    line, chapter = looks(path.with_name("fini_nouvelle.xlsx"), (NOTES, 2, 6), ("2.Chapitres LOINC", 2, 2))
    assert line == chapter


def test_newest_version_first_where_the_tab_has_it_so(tmp_path: Path) -> None:
    edit = WorkbookEdit(files()["1.2.0"])
    edit.insert_rows(NOTES, 69, 1, like=68)
    for column, text in ((1, "1.0.0"), (3, "Résultat"), (4, "Ajout"), (5, "2951-2")):
        edit.set(NOTES, 69, column, text)
    path = tmp_path / "c.xlsx"
    path.write_bytes(edit.content())
    _, edition = complete(path, old=files()["1.1.0"])
    versions = [record["version"] for record in edition.records("notes")]
    assert versions == ["1.2.0"] * 51 + ["1.1.0"] * 67 + ["1.0.0"]


def test_lines_go_on_with_those_of_their_version(tmp_path: Path) -> None:
    def two_lines(edit: WorkbookEdit) -> None:
        edit.insert_rows(NOTES, 2, 2)
        for row, version, code in ((2, "1.1.0", "67151-1"), (3, "1.0.0", "2951-2")):
            for column, text in ((1, version), (4, "Ajout"), (5, code)):
                edit.set(NOTES, row, column, text)

    _, edition = complete(bare(tmp_path, two_lines))
    versions = [record["version"] for record in edition.records("notes")]
    assert versions == ["1.1.0"] * (len(versions) - 1) + ["1.0.0"]
    assert found(edition, "VER-06") == []


@pytest.mark.parametrize("text", ["=SOMME(A1)", "+de 5 mg", "@import", "-x"])
def test_a_text_that_would_run_is_quoted_in_the_comment(text: str, tmp_path: Path) -> None:
    def runnable(edit: WorkbookEdit) -> None:
        edition = read_edition(files()["1.1.0"])
        record = next(one for one in edition.main.records if one["result_code"] == "2823-3" and one["comment"] != text)
        for row in edition.results["2823-3"].records:
            edit.set(MAIN, row.row, edition.main.column_of["comment"], text)
        assert record["result_code"] == "2823-3"

    _, edition = complete(bare(tmp_path, runnable))
    (line,) = [one for one in lines(edition) if one["code"] == "2823-3" and one["field"] == "Commentaire"]
    assert (line["new"], line["comment"]) == ("", f"Nouvelle valeur : « {text} »")
    assert found(edition, "VER-06") == []
    assert [cell for rule, cell in found(edition, "CEL-08") if cell and cell.startswith("W")]
    report = check(edition, earlier=[old_edition()], select=["CEL"])
    assert [finding for finding in report.findings if finding.tab == "notes"] == []


def test_a_value_too_long_for_a_cell_is_left_out(tmp_path: Path) -> None:
    path = bare(tmp_path)
    new = read_edition(path)
    comparison = compare(old_edition(), new)
    longer = [
        change._replace(old="x" * (MAX_TEXT + 1)) if change.field == "comment" else change
        for change in comparison.changes
    ]
    update = updated_workbook(path, old_edition(), new, replace(comparison, changes=tuple(longer)))
    done = tmp_path / "d.xlsx"
    done.write_bytes(update.content)
    told = [line for line in lines(read_edition(done)) if line["field"] == "Commentaire"]
    assert told
    assert {(line["old"], line["comment"]) for line in told} == {("", "Ancienne valeur trop longue pour une cellule")}


def test_requests_behind_a_change_are_named(tmp_path: Path) -> None:
    path = bare(tmp_path)
    comparison = compare(old_edition(), read_edition(path))
    first, second = comparison.changes[:2]
    _, edition = complete(path, {first: ("12",), second: ("15", "9", "12")})
    assert [line["comment"] for line in lines(edition)[:3]] == ["Demande n° 12", "Demandes n° 9, 12 et 15", ""]


def test_tabs_are_french_whatever_the_language(tmp_path: Path) -> None:
    path = bare(tmp_path)
    french = complete(path)[0].content
    use_language("en")
    assert complete(path)[0].content == french


def test_dates_are_excel_dates_where_the_line_above_has_one(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(files()["1.2.0"])
    book[NOTES].cell(68, 2).value = dt.date(2026, 7, 15)
    path = tmp_path / "e.xlsx"
    book.save(path)
    _, edition = complete(path, old=files()["1.1.0"])
    assert len(lines(edition, "1.2.0")) > 50
    assert {str(line.cell("date").kind) for line in lines(edition, "1.2.0")} == {"date"}
    assert {line["date"] for line in lines(edition, "1.2.0")} == {"2026-11-15"}


def test_only_wrong_figures_are_written(tmp_path: Path) -> None:
    edit = WorkbookEdit(files()["1.1.0"])
    edit.set(FIGURES, 2, 3, 999)
    edit.set(FIGURES, 3, 3, "37")
    edit.set(FIGURES, 4, 3, None)
    path = tmp_path / "f.xlsx"
    path.write_bytes(edit.content())
    update, edition = complete(path)
    assert (update.lines, update.column, update.figures) == (0, False, 2)
    assert [record["1.1.0"] for record in edition.records("indicators")][:3] == ["180", "37", "136"]
    assert edition.records("indicators")[1].cell("1.1.0").raw == "37"


def test_the_new_column_is_headed_as_the_others_and_takes_free_room(tmp_path: Path) -> None:
    def otherwise(edit: WorkbookEdit) -> None:
        edit.set(FIGURES, 1, 2, "Version 1.0.0")
        edit.set(FIGURES, 1, 3, "Remarque")
        edit.insert_rows(FIGURES, 10, 1, like=9)
        edit.set(FIGURES, 10, 1, "Réunions du comité")

    update, edition = complete(bare(tmp_path, otherwise))
    table = edition.tables["indicators"]
    assert update.column
    assert [(column.index, column.header) for column in table.columns] == [
        (1, "Indicateur"), (2, "Version 1.0.0"), (3, "Remarque"), (4, "Version 1.1.0"),
    ]  # fmt: skip
    assert [record["Version 1.1.0"] for record in table.records] == [
        "180",
        "37",
        "136",
        "3",
        "4",
        "355",
        "345",
        "10",
        "",
    ]
    assert found(edition, "SOM-03") == []


def test_tabs_that_are_not_there_are_named_and_not_made(tmp_path: Path) -> None:
    path = without(bare(tmp_path), NOTES, FIGURES)
    update, _ = complete(path)
    assert (update.lines, update.column, update.missing) == (0, False, ("notes", "indicators"))
    assert update.content == path.read_bytes()
    assert len(update.untold) == 67


def without(path: Path, *sheets: str) -> Path:
    import openpyxl

    book = openpyxl.load_workbook(path)
    for sheet in sheets:
        del book[sheet]
    book.save(path)
    return path


def test_a_workbook_without_a_version_is_refused(tmp_path: Path) -> None:
    path = bare(tmp_path, lambda edit: edit.set("Sommaire", 3, 2, None))
    with pytest.raises(WorkbookError, match="le Sommaire ne donne pas de numéro"):
        complete(path)


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "grouping"), [("a", "repeat"), ("b", "merge")])
def test_full_size_versions(
    corpus: Callable[[int, str, str], Path], layout: str, grouping: str, tmp_path: Path
) -> None:
    folder = corpus(1, layout, grouping)
    path = shutil_copy(folder / "v2.xlsx", tmp_path)
    before, after = read_edition(folder / "v1.xlsx"), read_edition(path)
    comparison: Comparison = compare(before, after)
    update = updated_workbook(path, before, after, comparison)
    path.write_bytes(update.content)
    assert update.lines == len(comparison.changes) > 300
    assert found(read_edition(path), "VER-02", "VER-04", "VER-05", "VER-06", "SOM-03", "CEL-08", old=before) == []


def jdv(*arguments: str) -> tuple[int, str, str]:
    return invoke(*arguments)


def test_command(tmp_path: Path) -> None:
    path, copy = bare(tmp_path), tmp_path / "copie.xlsx"
    source = path.read_bytes()
    assert jdv("notes", str(OLD), str(path), "--into", str(copy)) == (
        0, "", f"{copy} : onglet 9, 67 lignes ajoutées\n{copy} : onglet 10, colonne 1.1.0 ajoutée\n",
    )  # fmt: skip
    assert path.read_bytes() == source
    assert found(read_edition(copy), "VER-06") == []
    status, _, said = jdv("notes", str(OLD), str(path), "--into", str(copy))
    assert (status, "existe déjà" in said) == (2, True)
    again, text = tmp_path / "encore.xlsx", tmp_path / "notes.md"
    status, out, said = jdv("notes", str(OLD), str(copy), "--into", str(again), "-o", str(text), "--lang", "en")
    assert (status, out) == (0, "")
    assert said == f"{again}: tab 9, 0 lines added\n{text}: release notes (67 changes)\n"
    assert again.read_bytes() == copy.read_bytes()
    assert text.read_text(encoding="utf-8").startswith("# Release notes")


def test_command_refuses(tmp_path: Path) -> None:
    path = bare(tmp_path)
    source = path.read_bytes()
    status, _, said = jdv("notes", str(OLD), str(path), "--into", str(path), "--force")
    assert (status, "l'un des deux classeurs comparés" in said) == (2, True)
    assert path.read_bytes() == source
    assert jdv("notes", str(OLD), str(path), "--into", str(tmp_path / "a.xlsm"))[0] == 2
    status, _, said = jdv("notes", str(OLD), str(without(path, NOTES)), "--into", str(tmp_path / "b.xlsx"))
    assert (status, "pas d'onglet 9" in said) == (2, True)
    assert not (tmp_path / "b.xlsx").exists()


def test_command_says_what_is_left_to_people(tmp_path: Path) -> None:
    edit = WorkbookEdit(files()["1.1.0"])
    edit.set(NOTES, 68, 5, "2951-2")
    edit.set(FIGURES, 2, 3, 1)
    path, copy = tmp_path / "g.xlsx", tmp_path / "h.xlsx"
    path.write_bytes(edit.content())
    said = jdv("notes", str(OLD), str(path), "--into", str(copy))[2]
    assert said == (
        f"{copy} : onglet 9, 1 ligne ajoutée\n{copy} : onglet 10, 1 chiffre écrit dans la colonne 1.1.0\n"
        f"{copy} : onglet 9 de l'original, sans changement qui y corresponde, à relire : ligne 68\n"
    )
    without(path, FIGURES)
    assert "pas d'onglet 10" in jdv("notes", str(OLD), str(path), "--into", str(copy), "--force")[2]

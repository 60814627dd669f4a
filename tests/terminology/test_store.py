from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from jdv_qa.errors import OutputError, TerminologyError
from jdv_qa.terminology import search, store
from jdv_qa.terminology.french import french_labels
from jdv_qa.terminology.importing import add_labels, import_release, import_size
from jdv_qa.terminology.labels import parse_label
from jdv_qa.terminology.loinc import LoincRelease, read_release
from jdv_qa.terminology.loinc_files import ReleaseFiles, find_files
from jdv_qa.terminology.search import find_terms
from jdv_qa.terminology.store import (
    SMT,
    StoredRelease,
    find_release,
    open_stored,
    store_directory,
    stored_paths,
    stored_version,
)
from tests.loinc_files import SMT_HEADERS, SMT_ROWS, TERMS, release_files, term, write_folder, write_zip

Labels = list[tuple[str, ...]]


@pytest.fixture
def files(tmp_path: Path) -> ReleaseFiles:
    return find_files(write_zip(tmp_path / "Loinc_2.80.zip"))


@pytest.fixture
def smt() -> Labels:
    rows = [["LOINC Biologie FR 2.23"], SMT_HEADERS, *([value or "" for value in row] for row in SMT_ROWS)]
    labels = french_labels(rows)
    assert labels is not None
    return labels


def everything(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")} if folder.exists() else set()


def assert_same(one: LoincRelease, other: LoincRelease) -> None:
    assert one.version == other.version
    assert list(one.terms) == list(other.terms)
    assert dict(one.terms) == dict(other.terms)
    assert dict(one.replacements) == dict(other.replacements)
    assert dict(one.changes) == dict(other.changes)
    for item in one.terms.values():
        for component in (item.component, item.french_component.upper()):
            assert one.with_component(component) == other.with_component(component)
        assert one.with_analyte(item.component) == other.with_analyte(item.component)
        assert one.neighbours(item) == other.neighbours(item)
        assert one.candidates(item.code) == other.candidates(item.code)
        if (label := parse_label(item.french_label)) is not None:
            assert one.meaning(label) == other.meaning(label)


def test_store_says_what_the_files_say(files: ReleaseFiles, tmp_path: Path) -> None:
    told: list[int] = []
    info = import_release(files, tmp_path / "store", advance=told.append)
    assert (info.version, info.terms, info.replacements, info.changes) == ("2.80", len(TERMS), 4, 2)
    assert (info.labels, info.source, info.searchable) == ({"fr-FR": 5}, "Loinc_2.80.zip", True)
    assert sum(told) == import_size(files)
    assert_same(find_release("2.80", tmp_path / "store"), read_release(files.path))


def test_store_says_what_the_official_files_say(reference_data: Path, tmp_path: Path) -> None:
    path = reference_data / "loinc_2.79_subset"
    import_release(find_files(path), tmp_path)
    assert_same(find_release("2.79", tmp_path), read_release(path))


def test_terms_that_are_not_there(files: ReleaseFiles, tmp_path: Path) -> None:
    import_release(files, tmp_path)
    release = find_release(None, tmp_path)
    assert release.terms.get("1-8") is None
    assert "1-8" not in release.terms
    assert release.with_component("") == ()
    assert release.with_component("nothing' OR 1") == ()


def test_several_releases_side_by_side(tmp_path: Path, files: ReleaseFiles) -> None:
    directory = tmp_path / "store"
    import_release(files, directory)
    import_release(files, directory, version="2.9")
    import_release(files, directory, version="2.100")
    assert [path.stem for path in stored_paths(directory)] == ["loinc-2.9", "loinc-2.80", "loinc-2.100"]
    assert find_release("2.9", directory).version == "2.9"
    assert find_release(None, directory).version == "2.100"
    with pytest.raises(TerminologyError, match=r"LOINC 2\.81 n'est pas dans .*\(présentes : 2\.9, 2\.80, 2\.100\)"):
        find_release("2.81", directory)


def test_nothing_in_the_store(tmp_path: Path) -> None:
    for version in (None, "2.80"):
        with pytest.raises(TerminologyError, match="jdv loinc import"):
            stored_version(version, tmp_path / "none")


@pytest.mark.parametrize("version", ["../2.80", "2.80/x", "latest", "2", " "])
def test_version_that_makes_no_file_name(files: ReleaseFiles, tmp_path: Path, version: str) -> None:
    with pytest.raises(TerminologyError, match="n'est pas une version de LOINC"):
        import_release(files, tmp_path / "store", version=version)
    assert everything(tmp_path / "store") == set()


def test_release_is_replaced_only_if_forced(files: ReleaseFiles, tmp_path: Path) -> None:
    directory = tmp_path / "store"
    import_release(files, directory)
    other = find_files(write_folder(tmp_path / "Loinc_2.80-again", release_files([term("1-8", "A", "MCnc", "Ser")])))
    with pytest.raises(OutputError, match="déjà"):
        import_release(other, directory)
    assert find_release("2.80", directory).terms.get("2951-2") is not None
    import_release(other, directory, force=True)
    assert list(find_release("2.80", directory).terms) == ["1-8"]
    assert everything(directory) == {"loinc-2.80.sqlite"}


def test_interrupted_import_leaves_nothing(files: ReleaseFiles, tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    directory = tmp_path / "store"
    with pytest.raises(KeyboardInterrupt):
        import_release(files, directory, advance=interrupt)
    assert everything(directory) == set()
    import_release(files, directory)
    before = stored_paths(directory)[0].read_bytes()
    with pytest.raises(KeyboardInterrupt):
        import_release(files, directory, force=True, advance=interrupt)
    assert everything(directory) == {"loinc-2.80.sqlite"}
    assert stored_paths(directory)[0].read_bytes() == before


def test_damaged_release_leaves_the_store_as_it_was(files: ReleaseFiles, tmp_path: Path) -> None:
    content = release_files()
    content["LoincTable/MapTo.csv"] = content["LoincTable/MapTo.csv"][:-9]
    damaged = find_files(write_folder(tmp_path / "Loinc_2.80", content))
    with pytest.raises(TerminologyError, match="MapTo"):
        import_release(damaged, tmp_path / "store")
    assert everything(tmp_path / "store") == set()


def test_what_a_killed_import_left_is_swept(files: ReleaseFiles, tmp_path: Path) -> None:
    old, recent = tmp_path / ".loinc-2.80.sqlite.abcd", tmp_path / ".loinc-2.80.sqlite.efgh"
    for path in (old, recent):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 9000,) * 2)
    import_release(files, tmp_path)
    assert not old.exists()
    assert recent.exists()
    assert [path.name for path in stored_paths(tmp_path)] == ["loinc-2.80.sqlite"]


def test_same_release_gives_the_same_bytes(files: ReleaseFiles, tmp_path: Path) -> None:
    for name in ("a", "b"):
        import_release(files, tmp_path / name)
    one, two = (stored_paths(tmp_path / name)[0].read_bytes() for name in ("a", "b"))
    assert one == two


def test_term_listed_twice_counts_once(tmp_path: Path) -> None:
    twice = [*TERMS, term("2951-2", "Sodium", "SCnc", "Ser/Plas", "the last one")]
    path = write_folder(tmp_path / "Loinc_2.80", release_files(twice))
    info = import_release(find_files(path), tmp_path / "store")
    assert info.terms == len(TERMS) == len(read_release(path).terms)
    assert find_release("2.80", tmp_path / "store").terms["2951-2"].name == "the last one"


def test_labels_of_the_smt_are_preferred(files: ReleaseFiles, tmp_path: Path, smt: Labels) -> None:
    import_release(files, tmp_path)
    told: list[int] = []
    info = add_labels(smt, SMT, stored_version(None, tmp_path), advance=told.append)
    assert info.labels == {"fr-FR": 5, SMT: 3}
    assert sum(told) == len(smt)
    release = find_release(None, tmp_path)
    assert isinstance(release, StoredRelease)
    assert release.terms["14684-5"].french_system == "Urine des 24 heures"
    assert release.terms["718-7"].french_label == "Hémoglobine [Masse/Volume] Sang ; Numérique"
    assert release.terms["2951-2"].french_synonyms == "natrémie"
    assert "99999-6" not in release.terms
    assert [found.code for found in find_terms(release, "natremie").terms] == ["2951-2"]
    assert everything(tmp_path) == {"loinc-2.80.sqlite", "loinc-2.80.words", files.path.name}


def test_labels_are_replaced_only_if_forced_and_whole(files: ReleaseFiles, tmp_path: Path, smt: Labels) -> None:
    import_release(files, tmp_path)
    path = stored_version("2.80", tmp_path)
    add_labels(smt, SMT, path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="--force"):
        add_labels(smt[:1], SMT, path)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_labels(smt[:1], SMT, path, force=True, advance=interrupt)
    assert path.read_bytes() == before
    assert add_labels(smt[:1], SMT, path, force=True).labels == {"fr-FR": 5, SMT: 1}
    assert open_stored(path).terms["14684-5"].french_system == "Urine"


@pytest.mark.parametrize("damage", ["text", "cut", "empty", "other schema"])
def test_damaged_file_is_refused_in_one_line(files: ReleaseFiles, tmp_path: Path, damage: str) -> None:
    import_release(files, tmp_path)
    path = stored_version("2.80", tmp_path)
    match damage:
        case "text":
            path.write_text("no database")
        case "cut":
            path.write_bytes(path.read_bytes()[:3000])
        case "empty":
            path.write_bytes(b"")
        case "other schema":
            connection = sqlite3.connect(path)
            connection.execute("UPDATE about SET value = '0' WHERE key = 'schema'")
            connection.commit()
            connection.close()
    with pytest.raises(TerminologyError, match="import") as caught:
        find_release("2.80", tmp_path).terms.get("2951-2")
    assert "\n" not in str(caught.value)


def test_without_fts5_everything_but_searching_works(
    files: ReleaseFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (store, search):
        monkeypatch.setattr(module, "has_full_text_search", lambda: False)
    assert not import_release(files, tmp_path).searchable
    release = find_release("2.80", tmp_path)
    assert isinstance(release, StoredRelease)
    assert release.terms["2951-2"].component == "Sodium"
    with pytest.raises(TerminologyError, match="FTS5"):
        find_terms(release, "sodium")
    monkeypatch.undo()
    assert open_stored(release.base.path).info.searchable
    assert find_terms(release, "sodium").total == 3


def test_release_by_path_version_or_file_of_the_store(
    files: ReleaseFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JDV_HOME", str(tmp_path / "home"))
    directory = store_directory()
    assert directory == tmp_path / "home" / "loinc"
    import_release(files, directory)
    for choice in (None, "2.80", str(stored_paths(directory)[0]), str(files.path)):
        assert find_release(choice).version == "2.80"
    with pytest.raises(TerminologyError, match="introuvable"):
        find_release(str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    write_folder(
        tmp_path / "2.80", {"Loinc.csv": release_files([term("1-8", "A", "MCnc", "Ser")])["LoincTable/Loinc.csv"]}
    )
    assert list(find_release("2.80").terms) == ["1-8"]


def test_store_in_the_data_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JDV_HOME", raising=False)
    assert store_directory().name == "loinc"
    assert store_directory(Path("here")) == Path("here")


def test_sheets_that_hold_no_labels() -> None:
    assert french_labels([]) is None
    assert french_labels([["Code NABM", "Libellé NABM", "Code LOINC"], ["1609", "x", "2951-2"]]) is None
    assert french_labels([["x"]] * 50) is None


@pytest.mark.slow
def test_full_size_release(tmp_path: Path, reference_data: Path) -> None:
    import csv
    import gzip

    from jdv_qa.terminology.codes import check_digit

    with gzip.open(reference_data / "loinc_lab_extract.csv.gz", "rt", encoding="utf-8") as file:
        real = list(csv.DictReader(file))
    rows = [dict(row) for row in real]
    while len(rows) < 110_000:
        stem = str(200_000 + len(rows))
        copy = len(rows) // len(real)
        rows.append(
            real[len(rows) % len(real)] | {"LOINC_NUM": f"{stem}-{check_digit(stem)}", "METHOD_TYP": f"Variant {copy}"}
        )
    for row in rows:
        row["RELATEDNAMES2"] = (
            "Chemistry; Level; Mass concentration; Pl; Plasma; Point in time; QNT; Quan; Random; SerPl; Serum; SR"
        )
    path = write_zip(tmp_path / "Loinc_2.80.zip", release_files(rows))
    import_release(find_files(path), tmp_path / "store")
    release = find_release("2.80", tmp_path / "store")
    release.read_ahead(row["LOINC_NUM"] for row in real[:3500])
    assert len(release.terms) == len(rows)
    for row in real[:3500]:
        assert release.terms[row["LOINC_NUM"]].name == row["LONG_COMMON_NAME"]


def test_rows_of_a_sheet_of_labels_that_are_short_or_say_nothing() -> None:
    rows = [
        ["LOINC Biologie FR"],
        ["Code LOINC", "Libellé français de référence", "Composant français", "Milieu biologique"],
        ["2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "Sodium", "Sérum/Plasma"],
        ["", "Une note sous la table", "x", "y"],
        ["2823-3", "", "Potassium", "Sérum/Plasma"],
        [],
        ["718-7", "Hémoglobine [Masse/Volume] Sang ; Numérique"],
    ]
    labels = french_labels(rows)
    assert labels is not None
    assert [(code, text, component, system) for code, text, component, _, _, system, *_ in labels] == [
        ("2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "Sodium", "Sérum/Plasma"),
        ("718-7", "Hémoglobine [Masse/Volume] Sang ; Numérique", "", ""),
    ]

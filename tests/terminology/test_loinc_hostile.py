"""Releases, tables and stores made to do harm, or badly damaged: one line, status 2, nothing half written."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from benchmarks.loinc_release import HEADER
from jdv_qa.cli.app import main
from jdv_qa.errors import OutputError
from jdv_qa.terminology import loinc_files, search
from jdv_qa.terminology.importing import import_release
from jdv_qa.terminology.loinc_files import find_files
from jdv_qa.terminology.store import StoredRelease, open_stored
from tests.casebook import build_workbook
from tests.loinc_files import TERMS, release_files, table, term, write_folder, write_zip

Run = Callable[..., tuple[int, str, str]]

TABLE = "LoincTable/Loinc.csv"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JDV_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def jdv(capsys: pytest.CaptureFixture[str], home: Path) -> Run:
    """Run a command line in this process, with a store of its own: (exit status, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def refused(answer: tuple[int, str, str], home: Path) -> str:
    """Hold a refusal to its form, and return what it says."""
    status, out, err = answer
    assert (status, out) == (2, "")
    assert err.startswith("jdv: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert files_in(home) == set()
    return err


def zipped(path: Path, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, content)
    return path


def altered(path: Path, mark: bytes, offset: int, value: bytes) -> Path:
    """Write over the bytes at some distance from the last mark in a file."""
    content = bytearray(path.read_bytes())
    start = content.rindex(mark) + offset
    content[start : start + len(value)] = value
    path.write_bytes(content)
    return path


def plain() -> bytes:
    return release_files()[TABLE]


def with_row(*values: str) -> bytes:
    """The table of terms with one more row."""
    return plain() + table([*values, *[""] * (len(HEADER) - len(values))], [], bom=False)


LONG_LINE = b'"' + b"x" * 1_200_000
TABLES = {
    "empty": b"",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "header alone": plain()[: plain().index(b"\r\n") + 2],
    "cut in a value": plain()[:-30],
    "UTF-16": plain().decode("utf-8-sig").encode("utf-16"),
    "Latin-1": plain().decode("utf-8-sig").replace("Sodium", "Sodé").encode("latin-1"),
    "a character cut in two": plain() + "é".encode()[:1],
    "a value of ten megabytes": with_row("1-8", "x" * 10_000_000),
    "a line without end": plain() + LONG_LINE,
    "a quote without end": with_row("1-8").replace(b'"1-8","', b'"1-8","\n' * 40),
    "NUL bytes": plain().replace(b"Sodium", b"So\x00ium"),
    "the separators of the store": plain().replace(b"Sodium", b"So\x1fium"),
    "no code": plain().replace(b"LOINC_NUM", b"LOINC_NAM", 1),
    "no status": plain().replace(b'"STATUS"', b'"STATIC"', 1),
    "another table": b"code,label\r\n1,2\r\n",
    "a row too long": plain() + b'"1-8"' + b',""' * 80 + b"\r\n",
    "a row too short": plain() + b'"1-8","x"\r\n',
    "random bytes": bytes(range(256)) * 300,
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("name", TABLES)
def test_a_bad_table_is_one_line(jdv: Run, home: Path, tmp_path: Path, name: str, packed: bool) -> None:
    files = release_files() | {TABLE: TABLES[name]}
    path = write_zip(tmp_path / "Loinc_2.80.zip", files) if packed else write_folder(tmp_path / "Loinc_2.80", files)
    assert str(path) in refused(jdv("loinc", "import", path), home)


def test_a_check_with_a_bad_table_is_one_line(jdv: Run, home: Path, tmp_path: Path) -> None:
    path = write_folder(tmp_path / "Loinc_2.80", release_files() | {TABLE: TABLES["cut in a value"]})
    said = refused(jdv("loinc", "import", path), home)
    assert refused(jdv("check", build_workbook({}, tmp_path / "v.xlsx"), "--loinc", path), home) == said


def damaged_zip(name: str, path: Path) -> Path:
    """Write an archive that is not what it says."""
    match name:
        case "declares gigabytes":
            zipped(path, TABLE, plain())
            altered(path, b"PK\x01\x02", 24, (3 << 30).to_bytes(4, "little"))
        case "declares less than it holds":
            zipped(path, TABLE, plain())
            altered(path, b"PK\x01\x02", 24, (900).to_bytes(4, "little"))
        case "wrong checksum":
            altered(zipped(path, TABLE, plain()), b"PK\x01\x02", 16, b"\x00" * 4)
        case "unknown compression":
            altered(zipped(path, TABLE, plain()), b"PK\x01\x02", 10, b"\x61\x00")
        case "encrypted":
            altered(zipped(path, TABLE, plain()), b"PK\x01\x02", 8, b"\x01\x00")
        case "header elsewhere":
            altered(zipped(path, TABLE, plain()), b"PK\x01\x02", 42, (50).to_bytes(4, "little"))
        case "list beyond the end":
            altered(zipped(path, TABLE, plain()), b"PK\x05\x06", 16, (1 << 30).to_bytes(4, "little"))
        case "endless list":
            altered(zipped(path, TABLE, plain()), b"PK\x05\x06", 12, (1 << 30).to_bytes(4, "little"))
        case "cut":
            zipped(path, TABLE, plain())
            path.write_bytes(path.read_bytes()[:700])
        case "bytes overwritten":
            altered(zipped(path, TABLE, plain()), b"PK\x01\x02", -300, b"\x00" * 90)
        case "LZMA overwritten":
            altered(zipped(path, TABLE, plain(), zipfile.ZIP_LZMA), b"PK\x01\x02", -300, b"\xff" * 90)
        case "bzip2 overwritten":
            altered(zipped(path, TABLE, plain(), zipfile.ZIP_BZIP2), b"PK\x01\x02", -300, b"\xff" * 90)
        case "archive in the place of the table":
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as archive:
                archive.writestr("Loinc.csv", plain())
            zipped(path, TABLE, inner.getvalue())
        case "no table":
            zipped(path, "readme.txt", b"LOINC")
        case "a folder named so":
            zipped(path, f"{TABLE}/", b"")
        case "no zip":
            path.write_bytes(b"PK\x03\x04 and nothing more")
    return path


@pytest.mark.parametrize(
    "name",
    ["declares gigabytes", "declares less than it holds", "wrong checksum", "unknown compression", "encrypted",
     "header elsewhere", "list beyond the end", "endless list", "cut", "bytes overwritten", "LZMA overwritten",
     "bzip2 overwritten", "archive in the place of the table", "no table", "a folder named so", "no zip"],
)  # fmt: skip
def test_a_bad_archive_is_one_line(jdv: Run, home: Path, tmp_path: Path, name: str) -> None:
    path = damaged_zip(name, tmp_path / "Loinc_2.80.zip")
    assert str(path) in refused(jdv("loinc", "import", path), home)


@pytest.mark.slow
def test_an_archive_that_unpacks_into_far_more_is_not_unpacked(jdv: Run, home: Path, tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "Loinc_2.80.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(TABLE, "w") as file,
    ):
        for _ in range(201):
            file.write(b"\n" * (1 << 20))
    said = refused(jdv("loinc", "import", tmp_path / "Loinc_2.80.zip"), home)
    assert "bien plus grand" in said


def test_a_table_of_too_many_rows_is_refused(
    jdv: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loinc_files, "_MOST_LINES", len(TERMS))
    said = refused(jdv("loinc", "import", write_folder(tmp_path / "Loinc_2.80")), home)
    assert "trop de lignes" in said


@pytest.mark.parametrize(
    "name", ["../../../Loinc.csv", "/Loinc.csv", "C:\\temp\\Loinc.csv", "a//b/../Loinc.csv", "./Loinc.csv"]
)
def test_names_that_lead_out_of_an_archive_lead_nowhere(jdv: Run, home: Path, tmp_path: Path, name: str) -> None:
    place = tmp_path / "here" / "there"
    place.mkdir(parents=True)
    path = zipped(place / "Loinc_2.80.zip", name, plain())
    status, _, err = jdv("loinc", "import", path)
    if status:
        refused((status, "", err), home)
    assert files_in(tmp_path) - {"loinc-2.80.sqlite"} == {"Loinc_2.80.zip"}


@pytest.mark.parametrize(
    "name", ["nothing there", "an empty folder", "other files", "a folder named so", "a workbook named so"]
)
def test_what_holds_no_release_is_one_line(jdv: Run, home: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "given"
    match name:
        case "an empty folder":
            path.mkdir()
        case "other files":
            write_folder(path, {"a.txt": b"a", "b/c.csv": b"c"})
        case "a folder named so":
            (path / "Loinc.csv").mkdir(parents=True)
        case "a workbook named so":
            path = build_workbook({}, tmp_path / "Loinc.xlsx")
    assert str(path) in refused(jdv("loinc", "import", path), home)


def test_a_code_listed_twice_counts_once_with_its_components(jdv: Run, tmp_path: Path) -> None:
    twice = [*TERMS, term("2951-2", "Natrium", "SCnc", "Ser/Plas"), term("1-8", "Last", "MCnc", "Ser")]
    path = import_release(find_files(write_folder(tmp_path / "Loinc_2.80", release_files(twice))), tmp_path / "s").path
    release = open_stored(path)
    assert list(release.terms) == [*(item["LOINC_NUM"] for item in TERMS), "1-8"]
    assert [found.code for found in release.with_component("Natrium")] == ["2951-2"]
    assert [found.code for found in release.with_analyte("sodium")] == ["2955-3", "2956-1"]


# Stores


@pytest.fixture
def stored(home: Path, tmp_path: Path) -> Path:
    """The file of a release in the store."""
    return import_release(find_files(write_folder(tmp_path / "Loinc_2.80")), home / "loinc").path


def run_sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def damage(name: str, path: Path) -> None:
    content = path.read_bytes()
    match name:
        case "text":
            path.write_text("no database")
        case "empty":
            path.write_bytes(b"")
        case "header alone":
            path.write_bytes(content[:100])
        case "cut":
            path.write_bytes(content[:3000])
        case "cut at a page":
            path.write_bytes(content[: len(content) // 2 // 8192 * 8192])
        case "too long":
            path.write_bytes(content + b"x" * 8192)
        case "pages overwritten":
            path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
        case "a folder":
            path.unlink()
            path.mkdir()
        case "another database":
            path.unlink()
            run_sql(path, "CREATE TABLE people (name TEXT)")
        case "another about":
            path.unlink()
            run_sql(path, "CREATE TABLE about (x)", "INSERT INTO about VALUES (1)")
        case "former schema":
            run_sql(path, "UPDATE about SET value = '1' WHERE key = 'schema'")
        case "later schema":
            run_sql(path, "UPDATE about SET value = '99' WHERE key = 'schema'")
        case "no version":
            run_sql(path, "DELETE FROM about WHERE key = 'version'")
        case "number that is none":
            run_sql(path, "UPDATE about SET value = 'many' WHERE key = 'terms'")
        case "no table of terms":
            run_sql(path, "DROP TABLE terms")
        case "a view in the place of the terms":
            run_sql(
                path, "DROP TABLE terms",
                "CREATE VIEW terms AS WITH RECURSIVE n(position) AS (SELECT 1 UNION ALL SELECT position + 1 FROM n) "
                "SELECT position, '2951-2' AS code, '' AS fields FROM n",
            )  # fmt: skip
        case "fields missing":
            run_sql(path, "UPDATE terms SET fields = 'x'")
        case "too many fields":
            run_sql(path, "UPDATE terms SET fields = fields || fields || fields")
        case "fields that are bytes":
            run_sql(path, "UPDATE terms SET fields = x'ff'")
        case "text that is not UTF-8":
            run_sql(path, "UPDATE terms SET fields = CAST(x'ff1f' AS TEXT)")
        case "fields that are numbers":
            run_sql(path, "UPDATE terms SET fields = 7", "UPDATE components SET terms = 7")


DAMAGES = (
    "text", "empty", "header alone", "cut", "cut at a page", "too long", "pages overwritten", "a folder", "another database",
    "another about", "former schema", "later schema", "no version", "number that is none", "no table of terms",
    "a view in the place of the terms", "fields missing", "too many fields", "fields that are bytes", "text that is not UTF-8",
    "fields that are numbers",
)  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_store_is_one_line(jdv: Run, stored: Path, name: str) -> None:
    damage(name, stored)
    for arguments in (("show", "2951-2"), ("find", "sodium")):
        status, out, err = jdv("loinc", *arguments, "--loinc", "2.80")
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        assert err.startswith("jdv: ")
        assert "import" in err


@pytest.mark.parametrize("name", ["former schema", "fields missing"])
def test_a_check_with_a_damaged_store_is_one_line(jdv: Run, stored: Path, tmp_path: Path, name: str) -> None:
    workbook = build_workbook({"rows": [{"order_code": "2951-2"}]}, tmp_path / "v.xlsx")
    assert jdv("check", workbook, "--loinc", "2.80")[0] in (0, 1)
    damage(name, stored)
    status, out, err = jdv("check", workbook, "--loinc", "2.80")
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("name", ["text", "another database", "former schema", "cut at a page", "a folder"])
def test_a_damaged_store_does_not_hide_the_others(jdv: Run, stored: Path, name: str) -> None:
    import_release(find_files(stored.parents[2] / "Loinc_2.80"), stored.parent, version="2.79")
    damage(name, stored)
    status, out, err = jdv("loinc", "list")
    if name == "a folder":
        assert (status, err) == (0, "")
    else:
        assert (status, err.count("\n"), str(stored) in err) == (2, 1, True)
    assert "2.79" in out
    assert jdv("loinc", "show", "2951-2", "--loinc", "2.79")[0] == 0
    if name != "a folder":
        assert jdv("loinc", "import", stored.parents[2] / "Loinc_2.80", "--force")[0] == 0
        assert jdv("loinc", "list")[0] == 0


def test_a_store_that_cannot_be_written_still_answers(jdv: Run, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise OutputError("read-only")

    monkeypatch.setattr(search, "new_file", refuse)
    status, out, err = jdv("loinc", "find", "sodium")
    assert (status, err) == (0, "")
    assert "2951-2" in out
    assert files_in(stored.parent) == {stored.name}


# The index of words


@pytest.mark.parametrize("name", ["text", "empty", "cut", "pages overwritten", "another database", "another about"])
def test_a_damaged_index_is_made_anew(jdv: Run, stored: Path, name: str) -> None:
    before = jdv("loinc", "find", "sodium")
    index = stored.with_suffix(".words")
    damage(name, index)
    assert jdv("loinc", "find", "sodium") == before
    assert jdv("loinc", "find", "sodium") == before
    assert files_in(stored.parent) == {stored.name, index.name}


def test_the_index_of_a_release_since_replaced_is_made_anew(jdv: Run, stored: Path, tmp_path: Path) -> None:
    assert "2951-2" in jdv("loinc", "find", "sodium")[1]
    release = open_stored(stored)
    other = write_folder(tmp_path / "other", release_files([term("1-8", "Sodium", "MCnc", "Ser")]))
    assert jdv("loinc", "import", other, "--version", "2.80", "--force")[0] == 0
    out = jdv("loinc", "find", "sodium")[1]
    assert "1-8" in out
    assert "2951-2" not in out
    assert isinstance(release, StoredRelease)


# Faults


def in_a_process(code: str, home: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"JDV_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), "JDV_LANG": "fr"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip


IMPORT = "import sys; from jdv_qa.cli.app import main; sys.exit(main(['loinc', 'import', *sys.argv[1:]]))"
NO_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); "


@pytest.mark.skipif(sys.platform == "win32", reason="the size of files is limited by a call of POSIX")
def test_a_full_disk_is_one_line_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    process = in_a_process(NO_ROOM + IMPORT, home, write_folder(tmp_path / "Loinc_2.80"))
    out, err = process.communicate(timeout=120)
    assert "place sur le disque" in refused((process.returncode, out, err), home)


def test_of_two_imports_at_once_one_is_kept_whole(home: Path, tmp_path: Path) -> None:
    path = write_folder(tmp_path / "Loinc_2.80")
    processes = [in_a_process(IMPORT, home, path) for _ in range(2)]
    answers = [process.communicate(timeout=120) for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 2]
    (loser,) = [err for process, (_, err) in zip(processes, answers, strict=True) if process.returncode]
    assert loser.count("\n") == 1
    assert files_in(home) == {"loinc-2.80.sqlite"}
    assert len(open_stored(home / "loinc" / "loinc-2.80.sqlite").terms) == len(TERMS)


# Reading tables


def rows_by_csv(text: str) -> list[list[str]] | None:
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        return None


def rows_by_us(text: str) -> list[list[str]] | None:
    lines = loinc_files._lines(io.BytesIO(text.encode()), lambda _: None)
    try:
        return [row for row in loinc_files._rows(lines, loinc_files._Place()) if row]
    except csv.Error:
        return None


VALUES = st.text(st.sampled_from('ab ",;\n\u2028é\x0b'), max_size=6)


@given(
    rows=st.lists(st.lists(VALUES, min_size=1, max_size=4), max_size=6),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\r\n", "\n"]),
)
@example(rows=[["a", "b"], ['a","b', ""]], quoting=csv.QUOTE_ALL, end="\r\n")
@example(rows=[["a"], ["a\r\n"], ['"']], quoting=csv.QUOTE_ALL, end="\r\n")
@settings(deadline=None, max_examples=60)
def test_tables_are_read_as_the_csv_module_reads_them(rows: list[list[str]], quoting: int, end: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    assert rows_by_us(written.getvalue()) == rows_by_csv(written.getvalue()) == [row for row in rows if row]


@given(text=st.text(st.sampled_from('ab",\n'), max_size=40).map(lambda text: text.replace("\n", "\r\n")))
@settings(deadline=None, max_examples=60)
def test_whatever_the_table_it_is_read_as_by_the_csv_module(text: str) -> None:
    assert rows_by_us(text) == rows_by_csv(text)


@given(text=st.text(max_size=60))
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_component_breaks_the_store(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    clean = "".join(character for character in text if character.isprintable())
    folder = tmp_path_factory.mktemp("any")
    terms = [term("1-8", clean, "MCnc", "Ser"), term("2-6", f"{clean}^x", "MCnc", "Ser")]
    files = {TABLE: release_files(terms)[TABLE]}
    release = open_stored(import_release(find_files(write_folder(folder / "Loinc_2.80", files)), folder / "s").path)
    assert release.terms["1-8"].component == clean
    if clean.strip():
        assert "1-8" in [found.code for found in release.with_component(clean.upper().lower())] or not clean.isascii()

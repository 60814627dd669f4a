"""Each hostile, broken or odd file: one French line and status 2, or read; never more than bounded memory and time."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from jdv_qa.cli.app import main
from jdv_qa.sample import files
from jdv_qa.workbook.archive import rewritten
from jdv_qa.workbook.read import read_edition, text_of
from jdv_qa.workbook.sheets import RawSheet, read_with_calamine, read_with_openpyxl
from tests.hostile.cases import BOOK, CASES, READ, SHEET, Case, book, header_and_row, parts, sheet, zipped

MEMORY = 512 << 20
SECONDS = 20
"""What a command may take for such a file."""


def written(case: Case, folder: Path) -> Path:
    path = folder / case.name
    path.write_bytes(case.build())
    return path


CASES_BY_SPEED = [
    pytest.param(case, id=name, marks=[pytest.mark.slow] if case.slow else []) for name, case in CASES.items()
]


@pytest.mark.parametrize("case", CASES_BY_SPEED)
def test_info_of_a_hostile_file(case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(case, tmp_path)
    status = main(["info", str(path)])
    told = capfd.readouterr().err
    if case.said == READ:
        assert status == 0, told
    else:
        assert status == 2, told
        assert told.count("\n") == 1
        assert told.startswith("jdv: ")
        assert str(path) in told
        assert re.search(case.said, told), told


def test_what_is_never_run_nor_followed_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, said in (("macros", "jamais exécutées"), ("external links", "jamais suivis")):
        assert main(["info", str(written(CASES[name], tmp_path))]) == 0
        assert said in capfd.readouterr().err


def test_what_is_never_run_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`fix` reads what it has written, in the temporary folder, to see that it reads as foretold."""
    path = tmp_path / "a.xlsm"
    path.write_bytes(rewritten(files()["1.2.0"].read_bytes(), {}, added={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}))
    assert main(["fix", str(path), "-o", str(tmp_path / "b.xlsm")]) < 2
    told = capfd.readouterr().err
    assert "cellules corrigées" in told
    assert told.count("macros") == 1


def test_a_workbook_open_elsewhere_is_read_and_said_to_be(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(CASES["sound"], tmp_path)
    (tmp_path / f"~${path.name}").write_bytes(b"\x06Marie")
    assert main(["info", str(path)]) == 0
    assert "ouvert ailleurs" in capfd.readouterr().err


def test_what_a_merged_range_covers_is_not_read(tmp_path: Path) -> None:
    """Excel shows the first cell alone; other programs leave values, formulas and errors in the others."""
    rows = (
        '<row r="3"><c r="C3" t="inlineStr"><is><t>vu</t></is></c><c r="D3"><v>7</v></c><c r="E3"><f>1+1</f><v>2</v></c></row>'
        '<row r="4"><c r="C4" t="e"><v>#N/A</v></c><c r="D4"><v>8</v></c><c r="E4" t="b"><v>1</v></c><c r="F4"><v>9</v></c></row>'
    )
    merged = '<mergeCells count="1"><mergeCell ref="C3:E4"/></mergeCells>'
    path = tmp_path / "a.xlsx"
    path.write_bytes(zipped(parts(**{SHEET: sheet(header_and_row(rows), after=merged)})))
    editions = [read_edition(path, reader=reader) for reader in (read_with_calamine, read_with_openpyxl)]
    for edition in editions:
        main_sheet = edition.sheet_of("main")
        assert main_sheet is not None
        assert not main_sheet.formulas
        assert not main_sheet.errors
        texts = [text for record in edition.main.records[1:] for text in record.values.values()]
        loose = [item.text for item in edition.main.loose]
        assert sorted(texts + loose) == ["9", "vu", "vu"]
    assert editions[0] == editions[1]
    assert editions[0].main.loose == editions[1].main.loose


ODD_ROWS = (
    "row twice", "cells of another row", "rows out of order", "no address", "date out of range", "1904", "foreign elements", "prefixed sheet",
    "comment", "comment in a text", "CDATA in a text", "error of a later Excel", "error without a name", "circular formulas",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD_ROWS)
def test_both_readers_read_an_odd_sheet_alike(name: str) -> None:
    one, other = (read(CASES[name].build()) for read in (read_with_calamine, read_with_openpyxl))
    assert [raw.sheet for raw in one] == [raw.sheet for raw in other]
    assert [texts_of(raw) for raw in one] == [texts_of(raw) for raw in other]


def texts_of(raw: RawSheet) -> dict[tuple[int, int], str]:
    return {
        (row, column): text
        for row, values in enumerate(raw.rows, 1)
        for column, value in enumerate(values, 1)
        if (text := text_of(value))
    }


DAYS = {
    "0": ("00:00:00", "00:00:00"), "0.25": ("06:00:00", "06:00:00"), "1": ("1900-01-01", "1904-01-02"), "59": ("1900-02-28", "1904-02-29"),
    "61": ("1900-03-01", "1904-03-02"), "43831": ("2020-01-01", "2024-01-02"), "43831.75": ("2020-01-01T18:00:00", "2024-01-02T18:00:00"),
    "2957003": ("9995-12-30", "9999-12-31"), "2958465": ("9999-12-31", "2958465"), "2958466": ("2958466", "2958466"), "-1": ("-1", "-1"), "-0.5": ("-0.5", "-0.5"),
}  # fmt: skip
"""A number in a cell of format Date -> what it reads in a workbook that counts days from 1900, and from 1904. Excel shows no date
for the last ones, but ###."""


@pytest.mark.parametrize("from_1904", [False, True])
@pytest.mark.parametrize("careful", [False, True])
def test_both_readers_count_days_alike(*, from_1904: bool, careful: bool) -> None:
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" s="1"><v>{number}</v></c><c r="B{row}" s="3"><v>{number}</v></c><c r="C{row}"><v>{number}</v></c></row>'
        for row, number in enumerate(DAYS, 3)
    ) + ('<row r="99"><c r="A99"><f>1+1</f><v>2</v></c></row>' if careful else "")  # fmt: skip
    properties = f'<workbookPr date1904="{int(from_1904)}"/>'
    content = zipped(parts(**{BOOK: book(properties=properties), SHEET: sheet(header_and_row(rows))}))
    for read in (read_with_calamine, read_with_openpyxl):
        (raw,) = read(content)
        assert raw.sheet.from_1904 == from_1904
        texts = texts_of(raw)
        for row, (number, wanted) in enumerate(DAYS.items(), 3):
            assert [texts[row, column] for column in (1, 2, 3)] == [wanted[from_1904]] * 2 + [number], (read, number)


def test_what_is_no_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dossier.xlsx").mkdir()
    places = {tmp_path / "dossier.xlsx": "dossier", tmp_path / "absent.xlsx": "introuvable"}
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "tube.xlsx")
        places[tmp_path / "tube.xlsx"] = "tube ou périphérique"
    for path, said in places.items():
        assert main(["info", str(path)]) == 2
        assert said in capfd.readouterr().err


def test_a_file_that_may_not_be_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = written(CASES["sound"], tmp_path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("whoever runs this may read everything")
    assert main(["info", str(path)]) == 2
    assert "lecture impossible" in capfd.readouterr().err


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


COMMANDS = {
    "info": ["info", "FILE"],
    "check": ["check", "FILE", "--format", "json"],
    "diff": ["diff", "FILE", "SOUND", "--format", "json"],
    "export": ["export", "FILE", "OUT"],
    "fix": ["fix", "FILE", "-o", "OUT.xlsx"],
    "notes": ["notes", "FILE", "SOUND"],
    "triage review": ["triage", "review", "FILE", "SOUND", "-o", "OUT.xlsx"],
}


SAMPLE = (
    "sound",
    "cut zip",
    "cut sheet",
    "zip bomb",
    "entity bomb",
    "column beyond Excel",
    "far cells",
    "truth value",
    "styled tail",
)
BOUNDED = [("check", name) for name in CASES] + [
    (command, name) for command in COMMANDS if command != "check" for name in SAMPLE
]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "name"), BOUNDED)
def test_every_command_stays_within_bounds(command: str, name: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = written(case, tmp_path)
    sound = tmp_path / "sain.xlsx"
    sound.write_bytes(CASES["sound"].build())
    places = {
        "FILE": str(path),
        "SOUND": str(sound),
        "OUT": str(tmp_path / "out"),
        "OUT.xlsx": str(tmp_path / "out.xlsx"),
    }
    words = [places.get(word, word) for word in COMMANDS[command]]
    done = subprocess.run(
        [sys.executable, "-m", "jdv_qa", *words],
        capture_output=True, text=True, timeout=6 * SECONDS, preexec_fn=bounded, check=False,
    )  # fmt: skip
    assert done.returncode in ((0, 1, 2) if case.said == READ else (2,)), done.stderr
    assert name != "sound" or command == "triage review" or done.returncode < 2, done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert done.stderr.count("\n") <= 2, done.stderr

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from jdv_qa.errors import WorkbookError
from jdv_qa.workbook.grids import read_grids, zipped_workbook


@pytest.mark.parametrize(
    "content",
    [
        b"Code;Libell\xc3\xa9\r\n0552;Ur\xc3\xa9e, sang\r\n\r\n",
        "\ufeffCode;Libellé\n0552;\"Urée, sang\"".encode(),
        "Code;Libellé\n0552;Urée, sang".encode("cp1252"),
        b"Code\tLibell\xc3\xa9\n 0552 \tUr\xc3\xa9e, sang\n",
    ],
)  # fmt: skip
def test_table_as_csv(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    (grid,) = read_grids(path)
    assert grid.rows == [["Code", "Libellé"], ["0552", "Urée, sang"]]


def test_table_as_workbook_and_zipped(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Code", "Fin"])
    book.active.append([552, dt.date(2024, 12, 31)])
    book.active.append([" x ", None])
    book.create_sheet("Autre").append(["a"])
    path = tmp_path / "Liste_1.xlsx"
    book.save(path)
    first, second = read_grids(path)
    assert (first.rows, second.name) == ([["Code", "Fin"], ["552", "2024-12-31"], ["x", ""]], "Autre")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
        archive.write(path, "folder/dat/liste_1.xlsx")
    assert zipped_workbook(tmp_path / "z.zip", "LISTE") == [first, second]
    assert zipped_workbook(tmp_path / "z.zip", "LOINCFR") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", None),
        ("a.xlsx", None),
        ("a.csv", b"PK\x03\x04"),
        ("a.csv", b"a\x00b"),
        ("a.xlsx", b"text"),
        (".", None),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WorkbookError) as caught:
        read_grids(path)
    assert "\n" not in str(caught.value)
    if content:
        with pytest.raises(WorkbookError):
            zipped_workbook(path, "x")

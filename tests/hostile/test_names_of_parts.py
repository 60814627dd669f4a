"""Legal or lenient ways to name and relate the parts of a workbook, which Excel opens: each is read, and edited, as the plain one."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jdv_qa.workbook.package import Package
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook
from tests.command_line import invoke
from tests.hostile.cases import zipped

Change = Callable[[str, bytes], tuple[str, bytes]]


def related(*changes: tuple[str, str]) -> Change:
    """Change the relationships and the types of the parts."""

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        if name.endswith((".rels", "[Content_Types].xml")):
            for pattern, instead in changes:
                data = re.sub(pattern.encode(), instead.encode(), data)
        return name, data

    return change


def elsewhere(name: str, data: bytes) -> tuple[str, bytes]:
    _, data = related((r"xl/workbook\.xml", "livre/w.xml"), (r"/xl/", "/livre/"), (r"worksheets/sheet", "f/s"))(
        name, data
    )
    name = re.sub(r"workbook\.xml", "w.xml", name)
    return name.replace("xl/", "livre/").replace("worksheets/sheet", "f/s"), data


NAMES: dict[str, Change] = {
    "upper case": lambda name, data: (name.upper() if name.startswith("xl/") else name, data),
    "shared strings in lower case": lambda name, data: (name.replace("sharedStrings", "sharedstrings"), data),
    "types in lower case": lambda name, data: (name.replace("[Content_Types]", "[content_types]"), data),
    "backslashes": lambda name, data: (name.replace("/", "\\"), data),
    "slash before": lambda name, data: (f"/{name}", data),
    "targets from the root": related(('Target="(worksheets|sharedS|styles)', r'Target="/xl/\1'), ('Target="xl/', 'Target="/xl/')),
    "targets with dots": related(('Target="(?:/xl/)?worksheets', 'Target="./worksheets'), ('Target="(?:/xl/)?s(hared|tyles)', r'Target="../xl/s\1')),
    "targets with backslashes": related(('Target="(?:/xl/)?worksheets/', r'Target="worksheets\\')),
    "other folders": elsewhere,
}  # fmt: skip


def named(source: Path, change: Change, path: Path) -> Path:
    with zipfile.ZipFile(source) as archive:
        path.write_bytes(zipped(dict(change(name, archive.read(name)) for name in archive.namelist())))
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_workbook({"rows": [{"result_code": "2951\u20132"}]}, tmp_path_factory.mktemp("plain") / "p.xlsx")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_workbook_whose_parts_are_named_otherwise_reads_the_same(name: str, plain: Path, tmp_path: Path) -> None:
    path = named(plain, NAMES[name], tmp_path / "a.xlsx")
    assert path.read_bytes() != plain.read_bytes()
    one, other = read_edition(path), read_edition(plain)
    assert (one.tables, one.identity, one.sheets) == (other.tables, other.identity, other.sheets)


@pytest.mark.parametrize("name", NAMES)
def test_a_workbook_whose_parts_are_named_otherwise_is_edited(name: str, plain: Path, tmp_path: Path) -> None:
    path = named(plain, NAMES[name], tmp_path / "a.xlsx")
    for source, copy in ((plain, "p"), (path, "q")):
        answer = invoke("fix", source, "-o", tmp_path / f"{copy}.xlsx")
        assert answer.exit_code == 0, answer.stderr
        answer = invoke("check", source, "--annotate", tmp_path / f"{copy}a.xlsx")
        assert answer.exit_code < 2, answer.stderr
    assert read_edition(tmp_path / "q.xlsx").tables == read_edition(tmp_path / "p.xlsx").tables
    assert read_edition(tmp_path / "q.xlsx").tables != read_edition(path).tables
    assert read_edition(tmp_path / "qa.xlsx").tables == read_edition(plain).tables
    names = {part for part in Package(tmp_path / "qa.xlsx").names if "comments" in part}
    assert names, "the annotations are there"

"""The package as a whole: its version, its entry point, its files, and what no file may contain."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import jdv_qa

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (".ci", "benchmarks", "docs", "jdv_qa", "releases", "rules", "tests")
TOP_FILES = (
    ".editorconfig", ".gitattributes", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE", "README.md", "SECURITY.md",
    "noxfile.py", "pyproject.toml",
)  # fmt: skip
OTHER_FILES = (
    ".ci/run", "benchmarks/README.md", "docs/architecture.md", "jdv_qa/py.typed", "jdv_qa/sample/NOTICE", "releases/README.md",
    "reports/README.md",
)  # fmt: skip
OF_ONE_MACHINE = re.compile(r"/(?:work|root|home)/|[A-Z]:\\Users\\")
REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs[.]org|deb[.]debian[.]org")
BESIDE = re.compile(r"[.][.]/shared")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def texts() -> Iterator[tuple[str, str]]:
    """The text files that are kept in the repository, by their path in it."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*")]
    for path in (*paths, *(ROOT / name for name in TOP_FILES), ROOT / "reports" / "README.md"):
        if path.is_file() and path.suffix not in (".pyc", ".xlsx"):
            yield path.relative_to(ROOT).as_posix(), path.read_bytes().decode("utf-8")


def lines_with(pattern: re.Pattern[str], leave_out: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts()
        if not name.startswith(leave_out)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_one_version_everywhere(pyproject: dict[str, Any]) -> None:
    assert re.fullmatch(r"[0-9]+[.][0-9]+[.][0-9]+", jdv_qa.__version__)
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["hatch"]["version"]["path"] == "jdv_qa/__init__.py"
    headings = re.findall(
        r"^## \[([^\]]+)\] – (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert headings[0][0] == jdv_qa.__version__
    for _, state in headings[1:]:
        assert re.fullmatch(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]", state)


def test_installed_version() -> None:
    try:
        installed = metadata.version("jdv-qa")
    except metadata.PackageNotFoundError:
        pytest.skip("jdv-qa is not installed in this environment; nox -s tests installs it")
    assert installed == jdv_qa.__version__


def test_the_command_leads_to_a_function(pyproject: dict[str, Any]) -> None:
    assert list(pyproject["project"]["scripts"]) == ["jdv"]
    module, _, name = pyproject["project"]["scripts"]["jdv"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("name", [*TOP_FILES, *OTHER_FILES])
def test_file_is_there(name: str) -> None:
    assert (ROOT / name).is_file()
    assert name == "jdv_qa/py.typed" or (ROOT / name).read_bytes().strip()


def test_classifiers_name_the_pythons_allowed(pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    named = [text.rpartition(" ")[2] for text in project["classifiers"] if re.search(r"Python :: 3[.][0-9]+$", text)]
    assert f">={named[0]}" == project["requires-python"]
    assert pyproject["tool"]["ruff"]["target-version"] == f"py{named[0].replace('.', '')}"
    assert pyproject["tool"]["mypy"]["python_version"] == named[0]


def test_loinc_notice_goes_with_its_content() -> None:
    notice = " ".join((ROOT / "jdv_qa/sample/NOTICE").read_text(encoding="utf-8").split())
    assert notice.startswith("This material contains content from LOINC (http://loinc.org).")
    assert notice in " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())


def test_no_path_of_one_machine() -> None:
    assert lines_with(OF_ONE_MACHINE) == []


def test_no_address_of_a_package_registry() -> None:
    assert lines_with(REGISTRY) == []


def test_nothing_points_beside_the_repository() -> None:
    assert lines_with(BESIDE, leave_out=("tests/", "benchmarks/")) == []


def test_text_files_are_utf_8_with_unix_line_ends() -> None:
    assert [name for name, text in texts() if "\ufeff" in text[:1] or "\r" in text] == []

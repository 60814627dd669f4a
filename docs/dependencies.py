"""`docs/dependencies.md`: what the program needs at run time, for what, by whom it is imported, and under which licences.

`python -m docs.dependencies` writes it anew. `tests/test_dependencies.py` holds it to `pyproject.toml`, to the imports of the
source, and to what is installed.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "dependencies.md"


class Direct(NamedTuple):
    """A package that the program names: the module imported, its licence (SPDX), and what it is for."""

    module: str
    licence: str
    use: str


DIRECT = {
    "deepdiff": Direct("deepdiff", "MIT", "Where a manifest and the register's index disagree, path by path; the tests hold our comparison to it."),
    "frictionless": Direct("frictionless", "MIT", "Judges cells by the Table Schemas of `rules/schemas/`; the tests read our exports with it."),
    "jinja2": Direct("jinja2", "BSD-3-Clause", "The pages (HTML), the picture of the indicators, the letters."),
    "lxml": Direct("lxml", "BSD-3-Clause", "Changes a workbook in its XML and leaves the rest as it is; reads laboratory reports (CDA)."),
    "markdown-it-py": Direct("markdown_it", "MIT", "Release notes from Markdown to HTML."),
    "openpyxl": Direct("openpyxl", "MIT", "The second reader of workbooks, to which the tests hold the first."),
    "platformdirs": Direct("platformdirs", "MIT", "Where the user's data folder is, for the store of LOINC releases."),
    "python-calamine": Direct("python_calamine", "MIT", "Reads the values of workbooks fast."),
    "pyyaml": Direct("yaml", "MIT", "Rule files, layouts, profiles, waivers; by its safe loader alone."),
    "rapidfuzz": Direct("rapidfuzz", "MIT", "How alike two texts are: labels, and the words of headers, rules and settings that are misspelt."),
    "rich": Direct("rich", "MIT", "Text on a terminal: colours, tables, progress; never its markup."),
    "typer": Direct("typer", "MIT", "The help pages of the commands and the completion of shells."),
    "ucumvert": Direct("ucumvert", "MIT", "The grammar and the table of UCUM units."),
    "xlsxwriter": Direct("xlsxwriter", "BSD-2-Clause", "Writes new workbooks, the same bytes every time."),
}  # fmt: skip

INDIRECT = {
    "annotated-doc": "MIT", "annotated-types": "MIT", "attrs": "MIT", "cachebox": "MIT", "certifi": "MPL-2.0", "chardet": "0BSD",
    "charset-normalizer": "MIT", "click": "BSD-3-Clause", "colorama": "BSD-3-Clause", "et-xmlfile": "MIT", "flexcache": "BSD-3-Clause",
    "flexparser": "BSD-3-Clause", "humanize": "MIT", "idna": "BSD-3-Clause", "isodate": "BSD-3-Clause", "jsonschema": "MIT",
    "jsonschema-specifications": "MIT", "lark": "MIT", "markupsafe": "BSD-3-Clause", "marko": "MIT", "mdurl": "MIT", "orderly-set": "MIT",
    "petl": "MIT", "pint": "BSD-3-Clause", "pydantic": "MIT", "pydantic-core": "MIT", "pygments": "BSD-2-Clause",
    "python-dateutil": "BSD-3-Clause", "python-slugify": "MIT", "referencing": "MIT", "requests": "Apache-2.0", "rfc3986": "Apache-2.0",
    "rpds-py": "MIT", "shellingham": "ISC", "simpleeval": "MIT", "six": "MIT", "tabulate": "MIT", "text-unidecode": "Artistic-1.0-Perl OR GPL-2.0-or-later",
    "typing-extensions": "PSF-2.0", "typing-inspection": "MIT", "tzdata": "Apache-2.0", "urllib3": "MIT", "validators": "MIT",
}  # fmt: skip
"""What the packages above bring with them, in the versions tested, and its licences."""

PERMISSIVE = ("MIT", "BSD", "Apache", "ISC", "PSF", "0BSD", "Zlib", "Unlicense", "CC0", "Artistic")
"""Beginnings of the licences that ask for no more than their notice."""


def direct_requirements() -> dict[str, str]:
    """Return what `pyproject.toml` asks for: {"typer": ">=0.29,<0.31"}."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    split = (re.match(r"([A-Za-z0-9._-]+)(.*)", text) for text in content["project"]["dependencies"])
    return {match[1]: match[2] for match in split if match}


@cache
def importers() -> dict[str, set[str]]:
    """Return the modules of `jdv_qa` that import each package, by the name of the module imported."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "jdv_qa").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts[1:])
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                found[name.partition(".")[0]].add(module)
    return found


def page() -> str:
    """Return the page."""
    asked, users = direct_requirements(), importers()
    lines = [
        "# Dependencies",
        "",
        "What `jdv` needs at run time. Written by `python -m docs.dependencies` and held to `pyproject.toml`, to the imports of the source and to",
        "what is installed by `tests/test_dependencies.py`, with the oldest versions allowed and with the newest.",
        "",
        "## Named by us",
        "",
        "| package | versions | what for | imported by | licence |",
        "|---|---|---|---|---|",
    ]
    for name, item in DIRECT.items():
        lines.append(
            f"| {name} | {asked[name]} | {item.use} | {_rooms(users, item.module)} | {item.licence} |".replace(
                "| >=", "| ≥ "
            ).replace(",<", ", < ")
        )
    lines += [
        "",
        "All but what a command needs are imported where they are used, so that a command pays for what it does.",
        "",
        "The lower bounds are the oldest versions with which all tests are run: `python -m nox -s minimums` installs exactly these, and `.ci/run`",
        "does where time allows. Older ones may work; nobody has looked. Above, only Typer is bounded: it is still 0.x, where a minor version may",
        "break.",
        "",
        "## Brought by them",
        "",
        "In the versions tested; another version may bring more or fewer.",
        "",
        *_by_licence(INDIRECT),
        "",
        "## Licences",
        "",
        "All are permissive but two, and neither binds this program, which ships none of them: certifi (MPL-2.0, whose copyleft ends with its own",
        "files, which are not changed) and text-unidecode, which may be taken under the Artistic licence. Both come with frictionless.",
        "",
        "The test refuses an installed package, named here or not, whose licence is neither permissive nor one of these two.",
        "",
        "## Known vulnerabilities",
        "",
        "`python -m nox -s audit` asks the advisories of the package index about every installed version. It fails on a known",
        "vulnerability. Where no service can be reached it says so in one line and ends well: nothing has been audited then.",
        "",
    ]
    return "\n".join(lines)


def _rooms(users: Mapping[str, set[str]], module: str) -> str:
    names = sorted(users.get(module, ()))
    rooms: dict[str, list[str]] = defaultdict(list)
    for name in names:
        room, _, rest = name.partition(".")
        rooms[room].append(rest)
    return ", ".join(
        f"`{room}`" if len(inside) > 2 or not inside[0] else ", ".join(f"`{room}.{one}`" for one in inside)
        for room, inside in rooms.items()
    )


def _by_licence(packages: Mapping[str, str]) -> list[str]:
    by_licence: dict[str, list[str]] = defaultdict(list)
    for name, licence in packages.items():
        by_licence[licence].append(name)
    ordered = sorted(by_licence.items(), key=lambda item: (-len(item[1]), item[0]))
    return [f"- {licence}: {', '.join(names)}" for licence, names in ordered]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

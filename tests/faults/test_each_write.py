"""Every command that writes, interrupted before each of its operations on files: by a full disk, an error, or a kill.

Afterwards each file asked for is the old one or the new one, whole; nothing else is there but what is ours under a hidden
name, and the next run makes all of it right.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jdv_qa.cli.app import main
from jdv_qa.publish.register import leftovers, load_register
from jdv_qa.sample import files
from tests.faults.injection import Before, Tree, before_each_operation, disk_full_from, fails_at, put_back, tree
from tests.publish.releases import small_workbook

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kinds of operations as POSIX systems have them")


@dataclass(frozen=True)
class Case:
    """A command that writes: its words, and those by which it writes over what it has written; `first` is run before."""

    words: str
    over: str = "--force"
    first: str = ""
    whole: bool = False
    """Whether all that is asked for comes at once; else each file is the old one or the new one."""


CASES = {
    "export": Case("export NEW out --with fhir --with svs", whole=True),
    "export, over another": Case("export NEW out --force", over="", first="export OLD out --with svs", whole=True),
    "check": Case("check NEW --report json=c.json --report html=c.html --annotate a.xlsx"),
    "check, over others": Case("check NEW -o c.json --annotate a.xlsx --force", over="", first="check OLD -o c.json --annotate a.xlsx"),
    "diff": Case("diff OLD NEW -o deep/er/d.json", whole=True),
    "notes": Case("notes OLD NEW -o n.md", whole=True),
    "fix": Case("fix NEW -o fixed.xlsx", whole=True),
    "layout": Case("layout NEW --write l.yaml", whole=True),
    "triage form": Case("triage form -o f.xlsx", whole=True),
    "triage record": Case("triage record REQUESTS 1.1.0", over="again", whole=True),
    "waive": Case("waive NEW --rule LAB-01 --cell P3 --reason r --by b", over="again", whole=True),
    "waive, another": Case(
        "waive NEW --rule LAB-01 --cell P3 --reason r --by b", over="again", first="waive NEW --rule LAB-01 --cell P4 --reason r --by b", whole=True
    ),
    "sample": Case("sample exemple"),
    "import-release": Case("import-release OLD", over="again", whole=True),
    "import-release, another": Case("import-release NEW", over="again", first="import-release OLD", whole=True),
}  # fmt: skip
HEAVY = {
    "notes --into": Case("notes SAMPLE_OLD SAMPLE_NEW --into into.xlsx", whole=True),
    "release": Case("release SAMPLE_NEW", over="again", first="import-release SAMPLE_OLD", whole=True),
    "triage apply": Case("triage apply ASKED SAMPLE_OLD -o next.xlsx --log log.json"),
    "triage follow": Case("triage follow ASKED SAMPLE_NEW --previous SAMPLE_OLD --answers answers", whole=True),
}


@dataclass(frozen=True)
class Place:
    """A current folder to run a case in, what it held before, and what it holds when nothing goes wrong."""

    folder: Path
    old: Tree
    new: Tree
    run: Callable[[str], int]

    def again(self) -> None:
        put_back(self.folder, self.old)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("inputs")
    asked = [
        {
            "number": "1",
            "kind": "Modification",
            "object": "Résultat",
            "code": "19113-0",
            "field": "Unité",
            "value": "k[IU]/L",
            "decision": "oui",
        },
        {"number": "2", "kind": "Suppression", "object": "Résultat", "code": "17861-6", "decision": "non"},
    ]
    register = folder / "asked.csv"
    register.write_text(
        "N°;Type;Objet;Code;Champ;Valeur;Décision\n" + "".join(f"{';'.join((row['number'], row['kind'], row['object'], row['code'], row.get('field', ''), row.get('value', ''), row['decision']))}\n" for row in asked),
        encoding="utf-8",
    )  # fmt: skip
    samples = list(files().values())
    return {
        "OLD": str(small_workbook(folder)), "NEW": str(small_workbook(folder, "1.1.0", "2026-07-15", unit="mmol/L")),
        "SAMPLE_OLD": str(samples[0]), "SAMPLE_NEW": str(samples[1]), "ASKED": str(register), "REQUESTS": str(register),
    }  # fmt: skip


@pytest.fixture
def place(inputs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Case], Place]:
    """A function that gives the place of a case, having run it once without a fault."""

    def made(case: Case) -> Place:
        folder = tmp_path / "here"
        folder.mkdir()
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "100")

        def run(words: str) -> int:
            with in_folder(folder):
                return main([inputs.get(word, word) for word in words.split()])

        if case.first:
            assert run(case.first) in (0, 1)
        old = tree(folder)
        assert run(case.words) in (0, 1)
        new = tree(folder)
        assert new != old
        put_back(folder, old)
        return Place(folder, old, new, run)

    return made


def in_folder(folder: Path) -> _In:
    return _In(folder)


class _In:
    """The current folder, changed for a block; the folder itself may be made anew between two blocks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        os.chdir(self.folder)

    def __exit__(self, *_: object) -> None:
        os.chdir(self.folder.parent)


def visible(content: Tree) -> Tree:
    """What people see of a folder: hidden files and folders left out, and folders, which say nothing of their own."""
    return {
        name: data
        for name, data in content.items()
        if not name.endswith("/") and not any(part.startswith(".") for part in name.split("/"))
    }


def is_whole(place: Place, case: Case, found: Tree) -> bool:
    """Tell whether what people see is the old or the new: all of it, or file by file."""
    old, new, seen = visible(place.old), visible(place.new), visible(found)
    if "releases/index.json" in new and seen not in (old, new):
        # A version may stand in its place before the index names it: it is no version yet, and known as a leftover.
        left = {name for name in seen if name not in old}
        coming = {name.split("/")[1] for name in left}
        return (
            {name: data for name, data in seen.items() if name not in left} == old
            and all(new.get(name) == seen[name] for name in left)
            and len(coming) == 1
        )
    if case.whole:
        return seen in (old, new) or (found_aside(place, found) == old)
    return all(seen.get(name) in (old.get(name), new.get(name)) for name in {*old, *new, *seen})


def found_aside(place: Place, found: Tree) -> Tree:
    """What people see once a folder that was half way out is back, as the next run puts it."""
    back = {}
    for name, data in found.items():
        first, _, rest = name.partition("/")
        back[f"out/{rest}" if ".jdv-old-" in first else name] = data
    return visible(back)


def hidden_names_are_ours(found: Tree) -> bool:
    return all(
        ".jdv-" in part or part in (".lock", ".index.json.next") or part.startswith(".unfinished-")
        for name in found
        for part in name.split("/")
        if part.startswith(".")
    )


def is_made_right(place: Place, case: Case, found: Tree) -> None:
    """Run the command again from what a fault has left: the new is there, and nothing of ours is left beside it."""
    done = visible(found) == visible(place.new)
    if not done or case.over != "again":
        words = f"{case.words} {case.over}" if case.over == "--force" else case.words
        assert place.run(words) in (0, 1)
    left = tree(place.folder)
    assert visible(left) == visible(place.new)
    if not done:
        assert [name for name in left if ".jdv-" in name or ".unfinished-" in name or name.endswith(".next")] == []


def interrupted(place: Place, case: Case, before: Before, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a case with a fault, and hold what is left to what it must be."""
    place.again()
    capsys.readouterr()
    with before_each_operation(place.folder, before):
        status = place.run(case.words)
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("jdv: ")]
    found = tree(place.folder)
    assert hidden_names_are_ours(found)
    assert is_whole(place, case, found), sorted(found)
    if status == 2:
        assert len(told) == 1
        assert "écriture impossible" in told[0]
    else:
        assert visible(found) == visible(place.new)
    is_made_right(place, case, found)


def numbers(place: Place, case: Case) -> int:
    """Return how many operations a case takes."""
    before, seen = fails_at(1 << 30)
    place.again()
    with before_each_operation(place.folder, before):
        assert place.run(case.words) in (0, 1)
    assert len(seen) >= 4
    return len(seen)


def spread(total: int, most: int) -> list[int]:
    """Return numbers from 0 to below the total, the first and the last among them, not more than so many."""
    return sorted({round(place * (total - 1) / (most - 1)) for place in range(most)})


def killed_everywhere(place: Place, case: Case, most: int = 1 << 30) -> Iterator[Tree]:
    """Yield what is there before each operation, each state once; not more than so many, spread over all."""
    looks: list[Tree] = []

    def look(_: str) -> None:
        looks.append(tree(place.folder))

    place.again()
    with before_each_operation(place.folder, look):
        assert place.run(case.words) in (0, 1)
    looks.append(tree(place.folder))
    assert looks[0] == place.old
    assert visible(looks[-1]) == visible(place.new)
    seen: list[Tree] = []
    for found in looks:
        if found not in seen:
            seen.append(found)
    yield from seen if len(seen) <= most else (seen[number] for number in spread(len(seen), most))


@pytest.mark.parametrize("name", CASES)
def test_killed_anywhere_it_leaves_the_old_or_the_new(name: str, place: Callable[[Case], Place]) -> None:
    case = CASES[name]
    here = place(case)
    states = list(killed_everywhere(here, case))
    for found in states:
        assert hidden_names_are_ours(found)
        assert is_whole(here, case, found), sorted(found)
    fullest = max(states, key=lambda found: len(visible(found) | found) - len(visible(found)))
    put_back(here.folder, fullest)
    is_made_right(here, case, fullest)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, *HEAVY])
def test_killed_anywhere_the_next_run_makes_it_right(name: str, place: Callable[[Case], Place]) -> None:
    case = {**CASES, **HEAVY}[name]
    here = place(case)
    for found in killed_everywhere(here, case, most=4 if name in HEAVY else 12):
        assert is_whole(here, case, found), sorted(found)
        put_back(here.folder, found)
        is_made_right(here, case, found)


@pytest.mark.parametrize("name", ["export, over another", "waive, another", "import-release, another", "check"])
def test_a_full_disk(name: str, place: Callable[[Case], Place], capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    here = place(case)
    total = numbers(here, case)
    for number in (0, total // 2):
        interrupted(here, case, disk_full_from(number)[0], capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, *HEAVY])
def test_a_disk_that_is_full_from_any_operation_on(
    name: str, place: Callable[[Case], Place], capsys: pytest.CaptureFixture[str]
) -> None:
    case = {**CASES, **HEAVY}[name]
    here = place(case)
    for number in spread(numbers(here, case), 3 if name in HEAVY else 8):
        interrupted(here, case, disk_full_from(number)[0], capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, *HEAVY])
def test_any_operation_that_fails_once(
    name: str, place: Callable[[Case], Place], capsys: pytest.CaptureFixture[str]
) -> None:
    case = {**CASES, **HEAVY}[name]
    here = place(case)
    for number in spread(numbers(here, case), 3 if name in HEAVY else 8):
        interrupted(here, case, fails_at(number, errno.EACCES if number % 2 else errno.EIO)[0], capsys)


def test_a_release_that_fails_leaves_nothing_and_can_be_made_again(
    place: Callable[[Case], Place], capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES["import-release, another"]
    here = place(case)
    before, seen = disk_full_from(12)
    interrupted(here, case, before, capsys)
    assert "open" in seen
    register = load_register(here.folder / "releases")
    assert [release.version for release in register.releases] == ["1.0.0", "1.1.0"]
    assert leftovers(register.directory) == ()

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jdv_qa import resources
from jdv_qa.resources import UnreadableYaml, read_head, read_second, read_yaml, rules_directory

NAMES = sorted(path.relative_to(rules_directory()).as_posix() for path in rules_directory().rglob("*.yaml"))


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the rules of which nothing is kept, and where things can be."""
    folder = tmp_path / "rules"
    shutil.copytree(rules_directory(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(resources, "rules_directory", lambda: folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    resources._kept.cache_clear()
    yield folder
    resources._kept.cache_clear()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed as YAML."""
    texts: list[str] = []
    parse = resources.parse_yaml

    def note(text: str) -> object:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(resources, "parse_yaml", note)
    return texts


def place(folder: Path) -> Path:
    return folder / "__pycache__" / "yaml.kept"


def another_process() -> None:
    resources._kept.cache_clear()


def test_what_is_kept_is_what_the_files_say(rules: Path, parsed: list[str]) -> None:
    first = {name: read_head(rules / name) for name in NAMES}
    assert len(parsed) == len(NAMES)
    another_process()
    parsed.clear()
    assert {name: read_head(rules / name) for name in NAMES} == first
    assert parsed == []
    for kept in rules.rglob("__pycache__"):
        shutil.rmtree(kept)
    sys.dont_write_bytecode = True
    another_process()
    assert {name: read_head(rules / name) for name in NAMES} == first
    assert len(parsed) == len(NAMES)
    assert not [*rules.rglob("__pycache__")]


def test_every_file_can_be_kept(rules: Path) -> None:
    folders = {(rules / name).parent for name in NAMES}
    for folder in folders:
        read_head(next(folder.glob("*.yaml")))
        assert [path.name for path in place(folder).parent.iterdir()] == ["yaml.kept"]
    kept = {
        (folder / name).relative_to(rules).as_posix()
        for folder in folders
        for name in json.loads(place(folder).read_bytes())[1]
    }
    assert kept == set(NAMES)


@pytest.mark.parametrize("change", ["content", "new", "gone", "kept: torn", "kept: other", "kept: list", "kept: none"])
def test_it_is_made_anew_when_anything_is_not_as_it_was(change: str, rules: Path, parsed: list[str]) -> None:
    read_head(rules / "axes.yaml")
    another_process()
    parsed.clear()
    kept = place(rules)
    whole = kept.read_bytes()
    match change:
        case "content":
            (rules / "axes.yaml").write_text("property: {}\n", encoding="utf-8")
        case "new":
            (rules / "more.yaml").write_text("a: 1\n", encoding="utf-8")
        case "gone":
            (rules / "notes.yaml").unlink()
        case "kept: torn":
            kept.write_bytes(whole[: len(whole) // 2])
        case "kept: other":
            kept.write_bytes(b'[[0, []], {"axes.yaml": ["else", []]}]')
        case "kept: list":
            kept.write_text(json.dumps([json.loads(whole)[0], ["axes.yaml"]]), encoding="utf-8")
        case _:
            kept.unlink()
    assert read_yaml(rules / "axes.yaml") == (
        {"property": {}} if change == "content" else resources.parse_yaml((rules / "axes.yaml").read_text("utf-8"))
    )
    assert len(parsed) >= len([*rules.glob("*.yaml")])
    another_process()
    parsed.clear()
    read_head(rules / "axes.yaml")
    assert parsed == []


def test_a_file_that_is_no_yaml_is_told_to_who_asks_for_it_and_to_nobody_else(rules: Path) -> None:
    (rules / "notes.yaml").write_text("a: [", encoding="utf-8")
    (rules / "impact.yaml").write_bytes(b"a: \xff")
    (rules / "matching.yaml").write_text("2026-01-01: a date\n1: a number\n", encoding="utf-8")
    for _ in range(2):
        assert read_yaml(rules / "axes.yaml")["property"]
        for name in ("notes.yaml", "impact.yaml"):
            with pytest.raises(UnreadableYaml):
                read_yaml(rules / name)
        assert set(map(str, read_yaml(rules / "matching.yaml"))) == {"2026-01-01", "1"}
        assert 1 in read_yaml(rules / "matching.yaml")
        with pytest.raises(FileNotFoundError):
            read_yaml(rules / "absent.yaml")
        another_process()


def test_nothing_is_kept_where_it_cannot_be_written(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str, **_: object) -> None:
        path.write_bytes(text.encode()[:1000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert read_yaml(rules / "axes.yaml")["property"]
    assert not [*place(rules).parent.iterdir()]


def test_a_file_of_elsewhere_is_read_as_it_is(tmp_path: Path, rules: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text("a: 1\n---\npass:\n  - 1\nfail:\n  - 2\n", encoding="utf-8")
    head = read_head(path)
    assert (head.content, head.further) == ({"a": 1}, ["pass", "fail"])
    assert read_second(path) == {"pass": [1], "fail": [2]}
    path.write_text("", encoding="utf-8")
    assert (read_yaml(path), read_head(path).content) == (None, None)

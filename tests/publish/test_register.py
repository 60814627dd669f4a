"""The register: what may name a version, its index, its atomic step, and what a verification names."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.errors import OutputError, RegisterError, ReleaseRefused
from jdv_qa.files import new_directory, write_file
from jdv_qa.publish import register as module
from jdv_qa.publish.register import (
    Register,
    Release,
    add_release,
    covered_loinc,
    find_release,
    is_safe_path,
    leftovers,
    load_register,
    plain,
    read_release,
    safe_version,
)
from jdv_qa.publish.verification import Fault, register_faults, verify_release
from jdv_qa.resources import rules_directory
from jdv_qa.workbook.edition import Edition, Identity
from jdv_qa.workbook.read import read_edition
from tests.publish.releases import imported, small_register, small_workbook

SCHEMA = json.loads((rules_directory() / "schemas" / "releases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.1.10", "1.1.10"), (" 1.2 ", "1.2"), ("v1.0.0", "1.0.0"), ("V2019.07", "2019.07"), ("1.1.11 (2.80-2.81)", "1.1.11"),
        ("1.1.11 (2.80 – 2.81)", "1.1.11"), ("1.2.3.4", "1.2.3.4"),
    ],
)  # fmt: skip
def test_version_that_may_name_a_folder(text: str, version: str) -> None:
    assert safe_version(text) == version


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "1", "..", "../1.2", "1.2/..", "/1.2", "\\1.2", "1.2\\..", "1.2.", "1..2", "1.2.3.4.5", "1.2-rc1", "1.2\x00", "1.2\n3", "con",
        "nul.1.2", "１.２", "1․2", "1.2\u200b", "\u202e1.2", "٣.٤", "1.2 (x)", "1.2 (2.80", "~1.2", "$HOME", "1.2;rm -rf", "1" * 9 + ".1",
    ],
)  # fmt: skip
def test_version_that_may_not(text: str) -> None:
    with pytest.raises(RegisterError) as caught:
        safe_version(text)
    assert str(caught.value).isprintable()


@given(st.text(max_size=20) | st.from_regex(r"[0-9./\\ (v)-]{1,12}"))
def test_a_safe_version_is_a_plain_name_in_its_folder(text: str) -> None:
    try:
        version = safe_version(text)
    except RegisterError:
        return
    assert is_safe_path(version)
    assert (Path("/register") / version).resolve().parent == Path("/register").resolve()
    assert version.isascii()
    assert version.strip(".") == version


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("dat/main.csv", True), ("dat/fhir/ValueSet-a.json", True), ("NOTICE", True), ("../x", False), ("/etc/passwd", False), ("dat//x", False),
        ("dat/../x", False), ("C:x", False), ("con", False), ("dat/NUL.csv", False), ("x.", False), ("é.csv", False), (".lock", False), ("", False),
        ("a/b/c/d/e", False),
    ],
)  # fmt: skip
def test_paths_of_a_release(path: str, safe: bool) -> None:
    assert is_safe_path(path) is safe


def test_texts_of_the_index_are_one_plain_line() -> None:
    assert plain("a\nb\u202ec\x00 e\u0301\udc80") == "a b c é?"
    assert len(plain("x" * 999)) == 200


@pytest.mark.parametrize(
    ("version", "stated", "covered"),
    [
        ("1.0", "2.80", "2.80"), ("1.0 (2.79-2.80)", "2.80", "2.79-2.80"), ("1.0", "2.79 à 2.81", "2.79-2.81"), ("1.0", "", ""),
        ("1.0", "LOINC 2.80", "2.80"), ("1.0", "2.80, 2.80", "2.80"),
    ],
)  # fmt: skip
def test_loinc_releases_covered(version: str, stated: str, covered: str) -> None:
    edition = Edition({}, Identity(version, "", stated))
    assert covered_loinc(edition) == covered
    assert Release("1.0", "released", loinc=covered).notation == (f"1.0 ({covered})" if covered else "1.0")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Register:
    """A register that tests do not change."""
    return small_register(tmp_path_factory.mktemp("shared"))


def test_index_follows_its_schema_and_reads_back(shared: Register) -> None:
    content = json.loads((shared.directory / "index.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(content, SCHEMA)
    assert load_register(shared.directory) == shared
    assert [release.version for release in shared.releases] == ["1.0.0", "1.1.0", "1.10.0"]
    assert [release.previous for release in shared.releases] == ["", "1.0.0", "1.1.0"]
    assert shared.releases[0].changes == {}
    assert shared.releases[1].changes["added"] == 2
    assert shared.releases[2].impacts["breaking"] == 1


def test_schema_knows_the_same_keys_as_the_reader() -> None:
    described = SCHEMA["$defs"]["release"]
    assert {*described["properties"]} == {*described["required"]} == module._RELEASE_KEYS


def test_release_is_found_and_read(shared: Register) -> None:
    release = find_release(shared, "1.1")
    assert release.version == "1.1.0"
    edition = read_release(shared, release)
    assert edition == read_edition(shared.folder(release) / release_workbook(release))
    with pytest.raises(RegisterError, match=r"1\.2\.0 : elle n'est pas au registre .*1\.0\.0, 1\.1\.0, 1\.10\.0"):
        find_release(shared, "1.2.0")


def release_workbook(release: Release) -> str:
    return next(file.path for file in release.files if file.path.startswith("classeur/"))


def test_version_given_at_import_is_that_of_the_edition(tmp_path: Path) -> None:
    register = imported(load_register(tmp_path / "r"), small_workbook(tmp_path, "7"), "0.9.1")
    assert read_release(register, register.releases[0]).identity.version == "0.9.1"
    assert not any(verify_release(register, release).faults for release in register.releases)


def altered(directory: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = directory / "index.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda index: index.pop("releases"), "releases : clé absente"),
        (lambda index: index.update(schema="jdv-releases/9"), "jdv-releases/1"),
        (lambda index: index.update(more=1), "more : clé inconnue"),
        (lambda index: index.update(sha256=""), "sha256 : valeur refusée"),
        (lambda index: index["releases"][1].pop("date"), r"releases\[1\]\.date : clé absente"),
        (lambda index: index["releases"][1].update(date="hier"), r"releases\[1\]\.date : valeur refusée"),
        (lambda index: index["releases"][0].update(version="../../x"), r"releases\[0\]\.version : valeur refusée"),
        (lambda index: index["releases"][0].update(path="."), r"releases\[0\]\.path"),
        (lambda index: index["releases"][0].update(status="?"), r"status : valeurs possibles : released, imported"),
        (lambda index: index["releases"][0].update(rows=-1), r"rows : un nombre entier"),
        (lambda index: index["releases"][0].update(rows=True), r"rows : un nombre entier"),
        (lambda index: index["releases"][0]["figures"].pop("orders"), r"figures\.orders : clé absente"),
        (lambda index: index["releases"][0]["files"][0].update(path="../../etc/passwd"), r"files\[0\]\.path : chemin refusé"),
        (lambda index: index["releases"][0]["files"].append(index["releases"][0]["files"][0]), "deux fois"),
        (lambda index: index["releases"][0].update(notation="1"), "notation"),
        (lambda index: index["releases"][0].update(check=3), r"check : un objet"),
        (lambda index: index["releases"].reverse(), r"releases\[1\]\.version : 1\.1\.0 ne suit pas 1\.10\.0"),
    ],
)  # fmt: skip
def test_a_bad_index_is_one_line_with_file_and_key(
    change: Callable[[dict[str, Any]], object], told: str, shared: Register, tmp_path: Path
) -> None:
    (tmp_path / "index.json").write_bytes((shared.directory / "index.json").read_bytes())
    path = altered(tmp_path, change)
    with pytest.raises(RegisterError, match=told) as caught:
        load_register(tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_an_index_that_is_no_json_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(RegisterError, match=r"index\.json : registre des versions illisible"):
        load_register(tmp_path)


def test_a_version_is_never_changed_nor_followed_by_a_lower_one(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    before = snapshot(register.directory)
    for version, told in (
        ("1.1", "déjà au registre"),
        ("1.10.0", "déjà au registre"),
        ("1.9.0", "n'est pas au-dessus"),
    ):
        with pytest.raises(ReleaseRefused, match=told):
            add_release(register, Release(version, "released"), {"NOTICE": b"x"})
    assert snapshot(register.directory) == before
    for path in ("1.1.0", "1.1.0/dat", "1.1.0/dat/new.csv", "index.json"):
        with pytest.raises(OutputError, match="une version publiée ne change plus"):
            write_file(register.directory / path, b"x", force=True)
    with (
        pytest.raises(OutputError, match="une version publiée ne change plus"),
        new_directory(register.directory / "1.1.0", is_ours=lambda _: True, force=True),
    ):
        pass
    with (
        pytest.raises(OutputError, match="une version publiée ne change plus"),
        new_directory(register.directory, is_ours=lambda _: True, force=True),
    ):
        pass
    assert snapshot(register.directory) == before


def snapshot(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_names_of_files_are_checked(tmp_path: Path) -> None:
    for path in ("../x", "/x", "a\\b", "é"):
        with pytest.raises(RegisterError, match="nom de fichier refusé"):
            add_release(Register(tmp_path / "r"), Release("1.0.0", "released"), {path: b""})
    assert not (tmp_path / "r").exists()


def test_a_register_that_changed_since_it_was_loaded_is_refused(tmp_path: Path) -> None:
    old = load_register(tmp_path / "r")
    imported(old, small_workbook(tmp_path, "1.0.0"))
    with pytest.raises(ReleaseRefused, match="a changé entre-temps"):
        add_release(old, Release("2.0.0", "released"), {})


def test_an_index_altered_by_hand_is_not_built_on(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    altered(register.directory, lambda index: index["releases"][0].update(title="Autre"))
    register = load_register(register.directory)
    assert not register.sound
    with pytest.raises(ReleaseRefused, match="modifié à la main"):
        add_release(register, Release("2.0.0", "released"), {})


def test_a_lost_index_does_not_cost_the_versions(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    (register.directory / "index.json").unlink()
    with pytest.raises(ReleaseRefused, match=r"1\.0\.0, 1\.1\.0, 1\.10\.0.*pas de index\.json"):
        add_release(load_register(register.directory), Release("2.0.0", "released"), {})
    assert (register.directory / "1.0.0" / "NOTICE").is_file()


def test_a_folder_in_the_way_is_not_touched(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    (register.directory / "2.0.0").mkdir()
    (register.directory / "2.0.0" / "mine").write_text("x")
    with pytest.raises(ReleaseRefused, match=r"2\.0\.0 existe, mais n'est pas au registre"):
        add_release(register, Release("2.0.0", "released"), {})
    assert (register.directory / "2.0.0" / "mine").is_file()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    program = f"""
import sys, time
from pathlib import Path
from jdv_qa.publish.register import _locked
with _locked(Path({str(register.directory)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ReleaseRefused, match="une autre publication est en cours"):
            add_release(register, Release("2.0.0", "released"), {})
        holder.kill()
        holder.wait()
    added = add_release(register, Release("2.0.0", "released"), {"NOTICE": b"x"})
    assert added.last is not None
    assert added.last.version == "2.0.0"


def test_a_register_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("a file")
    with pytest.raises(RegisterError, match=r"r : écriture impossible \("):
        add_release(Register(tmp_path / "r"), Release("1.0.0", "released"), {})


def faults(register: Register) -> list[Fault]:
    found = list(register_faults(register))
    for release in register.releases:
        found.extend(verify_release(register, release).faults)
    return found


def test_nothing_is_wrong_with_a_new_register(shared: Register) -> None:
    assert faults(shared) == []
    assert faults(load_register(shared.directory / "none")) == []


def named(directory: Path) -> list[str]:
    """What a verification names, or the index where it cannot even be read."""
    try:
        return [fault.path for fault in faults(load_register(directory))]
    except RegisterError as error:
        return ["index.json"] if str(directory / "index.json") in str(error) else []


def test_a_flipped_byte_in_any_file_is_named(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    for path in sorted(path for path in register.directory.rglob("*") if path.is_file() and path.name != ".lock"):
        content = path.read_bytes()
        name = path.relative_to(register.directory).as_posix()
        for place in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
            flipped = bytearray(content)
            flipped[place] ^= 1
            path.chmod(0o644)
            path.write_bytes(flipped)
            found = named(register.directory)
            assert found[:1] == [name]  # an index that states another hash for a file has that file named too
            assert len(found) == 1 or name == "index.json"
        path.write_bytes(content)
    assert faults(register) == []


def test_missing_and_extra_files_are_named(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    folder = register.directory / "1.1.0"
    (folder / "NOTICE").unlink()
    (folder / "dat" / "more.csv").write_text("x")
    (folder / "dat" / "main.csv").unlink()
    (folder / "dat" / "main.csv").symlink_to(tmp_path / "v1.1.0.xlsx")
    (folder / "linked").symlink_to(tmp_path)
    (register.directory / "1.2.0").mkdir()
    (register.directory / "README.md").write_text("x")
    (register.directory / ".gitignore").write_text(".lock")
    (register.directory / "Thumbs.db").write_text("x")
    (register.directory / ".unfinished-x").mkdir()
    assert [(fault.path, fault.kind) for fault in faults(register)] == [
        (".unfinished-x", "leftover"),
        ("1.2.0", "extra"),
        ("Thumbs.db", "extra"),
        ("1.1.0/NOTICE", "missing"),
        ("1.1.0/dat/main.csv", "differs"),
        ("1.1.0/dat/more.csv", "extra"),
        ("1.1.0/linked", "extra"),
    ]
    for path in sorted((register.directory / "1.0.0").rglob("*"), reverse=True):
        path.chmod(0o755)
        path.rmdir() if path.is_dir() else path.unlink()
    (register.directory / "1.0.0").rmdir()
    assert verify_release(register, register.releases[0]).faults[0].kind == "missing"


def test_an_index_that_says_something_else_is_named(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    first = register.releases[0]
    lied = replace(register, releases=(replace(first, rows=99), *register.releases[1:]))
    found = faults(lied)
    assert [fault.path for fault in found] == ["1.0.0/manifest.json", "index.json"]
    assert found[0].reason == f"ne dit pas ce que dit l'index (rows : « {first.rows} », index : « 99 »)"


def test_what_a_manifest_and_the_index_disagree_on_is_told_briefly(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    first = register.releases[0]
    other = replace(first, title="t" * 60, date="2020-01-01", loinc="2.70", figures={}, status="imported")
    lied = replace(register, releases=(other, *register.releases[1:]))
    reason = faults(lied)[0].reason
    assert f"date : « {first.date} », index : « 2020-01-01 »" in reason
    assert reason.endswith(" ; …)")
    assert len(reason) < 300


@pytest.mark.parametrize("depth", [60, 400, 100_000])
def test_a_manifest_nested_without_end_is_told_as_every_other_that_differs(tmp_path: Path, depth: int) -> None:
    register = small_register(tmp_path)
    first = register.releases[0]
    content = f'{{"files": {"[" * depth}{"]" * depth}}}'.encode()
    path = register.folder(first) / "manifest.json"
    path.chmod(0o644)
    path.write_bytes(content)
    files = tuple(
        replace(file, size=len(content), sha256=hashlib.sha256(content).hexdigest()) if file.path == path.name else file
        for file in first.files
    )
    lied = replace(register, releases=(replace(first, files=files), *register.releases[1:]))
    (found,) = (fault for fault in faults(lied) if fault.path == "1.0.0/manifest.json")
    assert found.kind == "differs"
    assert found.reason.startswith("ne dit pas ce que dit l'index")
    assert len(found.reason) < 600


def test_checksums_are_those_of_sha256sum(shared: Register) -> None:
    folder = shared.directory / "1.1.0"
    answer = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_leftovers_are_only_what_a_release_left(tmp_path: Path) -> None:
    register = small_register(tmp_path)
    assert leftovers(register.directory) == ()
    index = register.directory / "index.json"
    next_index = register.directory / ".index.json.next"
    next_index.write_bytes(index.read_bytes()[:-40])  # killed while writing it: no folder was renamed yet
    assert leftovers(register.directory) == (".index.json.next",)
    next_index.write_bytes(index.read_bytes())
    folder = register.directory / "1.10.0"
    index.write_bytes(module._index_bytes(list(register.releases[:-1])))  # killed between the two renames
    assert leftovers(register.directory) == (".index.json.next", "1.10.0")
    present = load_register(register.directory)
    again = add_release(present, replace(register.releases[-1], files=()), {"NOTICE": b"again"})
    assert (folder / "NOTICE").read_bytes() == b"again"
    assert leftovers(register.directory) == ()
    assert [path.name for path in sorted(folder.iterdir())] == ["NOTICE", "SHA256SUMS", "manifest.json"]
    assert load_register(register.directory) == again

"""Places where nothing can or may be written, and names that no file system should be given: said in one line, nothing lost."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jdv_qa import files
from jdv_qa.cli.app import main
from jdv_qa.errors import OutputError, RegisterError
from jdv_qa.files import new_directory, new_file, write_file
from jdv_qa.language import use_language
from jdv_qa.publish.package import publication_name
from jdv_qa.publish.register import is_safe_path, safe_version
from jdv_qa.triage.answers import _names as answer_names
from jdv_qa.workbook.edition import Edition, Identity
from tests.faults.injection import before_each_operation, fails_at, tree
from tests.publish.releases import small_workbook
from tests.publish.test_export import small_edition

HOSTILE = (
    "..", "../../x", "/etc/x", "C:\\x", "C:x", "\\\\server\\x", "CON", "con.txt", "NUL", "aux", "LPT1", "a:b", "a/b", "a\\b", "x.", "x ", " ", "",
    "a\nb", "a\0b", "a\x1b[31mb", "é" * 300, "\u202e", "\ud800", "-rf", "~", "$HOME", "%TEMP%", "a*b?", '"', "'", "`x`", "x" * 5000,
)  # fmt: skip
RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}


def always(_: str) -> bool:
    return True


def fill(path: Path, *, force: bool = False) -> None:
    with new_directory(path, is_ours=always, force=force) as folder:
        (folder / "a").write_bytes(b"new")


def needs_posix() -> None:
    if os.name != "posix":
        pytest.skip("a kind of file of POSIX systems")


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "kept").write_bytes(b"kept")


def make_fifo(path: Path) -> None:
    needs_posix()
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    needs_posix()
    path.symlink_to(path)


def make_read_only(path: Path) -> None:
    path.write_bytes(b"kept")
    path.chmod(0o444)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (make_folder, "c'est un dossier"),
        (make_fifo, "n'est pas un fichier ordinaire"),
        (make_loop, "n'est pas un fichier ordinaire|tourne en rond"),
        (make_read_only, "lecture seule"),
    ],
)
def test_what_is_no_file_to_replace_is_refused_even_with_force(
    make: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "there"
    make(path)
    before = [(entry, entry.lstat().st_mode) for entry in sorted(tmp_path.rglob("*"))]
    for force in (False, True):
        with pytest.raises(OutputError, match=told if force else None) as raised:
            write_file(path, b"new", force=force)
        assert "\n" not in str(raised.value)
    assert [(entry, entry.lstat().st_mode) for entry in sorted(tmp_path.rglob("*"))] == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_a_device_is_never_replaced_by_a_file(device: str) -> None:
    with pytest.raises(OutputError, match="n'est pas un fichier ordinaire"):
        write_file(Path(device), b"new", force=True)
    assert stat.S_ISCHR(Path(device).stat().st_mode)


def test_a_link_is_followed(tmp_path: Path) -> None:
    needs_posix()
    target, link, dangling = tmp_path / "d" / "target", tmp_path / "link", tmp_path / "dangling"
    write_file(target, b"old")
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "d" / "new")
    with pytest.raises(OutputError, match="existe déjà"):
        write_file(link, b"new")
    write_file(link, b"new", force=True)
    write_file(dangling, b"made")
    assert link.is_symlink()
    assert (target.read_bytes(), dangling.read_bytes()) == (b"new", b"made")
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["new", "target"]
    (tmp_path / "out").symlink_to(tmp_path / "d")
    fill(tmp_path / "out", force=True)
    assert (tmp_path / "out").is_symlink()
    assert tree(tmp_path / "d") == {"a": b"new"}


def test_a_folder_is_not_put_where_a_file_is_nor_in_the_place_of_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"kept")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError):
            fill(path, force=True)
    with pytest.raises(OutputError, match="n'est pas un dossier"):
        write_file(tmp_path / "file" / "below", b"new")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for path in (Path(), Path(".."), tmp_path, Path("..", "here")):
        with pytest.raises(OutputError, match="dossier courant"):
            fill(path, force=True)
    assert tree(tmp_path) == {"file": b"kept", "here/": b""}


def test_the_rights_of_what_is_replaced_stay(tmp_path: Path) -> None:
    needs_posix()
    path = tmp_path / "private"
    write_file(path, b"old")
    path.chmod(0o600)
    write_file(path, b"new", force=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name",
    ["été à Orléans.csv", "a b  c.csv", "a\nb.csv", "-x.csv", ".hidden", "*?[a].csv", "é" * 120, "x" * 255, "{}%s"],
)
def test_names_of_all_kinds_can_be_written_and_replaced(name: str, tmp_path: Path) -> None:
    if os.name != "posix" and not name.replace(" ", "").replace(".", "").isalnum():
        pytest.skip("a name that Windows does not allow")
    path = tmp_path / "dossier à part" / name
    for content, force in ((b"1", False), (b"2", True)):
        write_file(path, content, force=force)
        assert {entry.name: entry.read_bytes() for entry in path.parent.iterdir()} == {name: content}
    path.unlink()
    for force in (False, True):
        fill(path, force=force)
        assert tree(path) == {"a": b"new"}
    assert [entry.name for entry in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("name", ["x" * 256, "a\0b", "é" * 200])
def test_a_name_that_cannot_be_is_said(name: str, tmp_path: Path) -> None:
    for write in (lambda path: write_file(path, b"x"), fill):
        with pytest.raises(OutputError, match=r"nom trop long|nom refusé|écriture impossible") as raised:
            write(tmp_path / name)
        assert "\0" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_reasons_are_told_in_the_language_in_use(tmp_path: Path) -> None:
    import errno

    for number, french, english in (
        (errno.ENOSPC, "plus de place sur le disque", "no space left on the disk"),
        (errno.EACCES, "accès refusé", "access denied"),
        (errno.EROFS, "disque en lecture seule", "read-only disk"),
    ):
        for language, told in (("fr", french), ("en", english)):
            use_language(language)
            with (
                pytest.raises(OutputError, match=rf"\({told}\)$"),
                before_each_operation(tmp_path, fails_at(0, number)[0]),
            ):
                write_file(tmp_path / "x", b"x")
    assert files.reason_of(OSError("no number,\nbut words")) == "no number, but words"


def test_the_input_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workbook = small_workbook(tmp_path)
    content = workbook.read_bytes()
    link = tmp_path / "link.xlsx"
    link.symlink_to(workbook)
    for words in (
        ["check", workbook, "--annotate", workbook], ["check", workbook, "-o", workbook], ["check", workbook, "--report", f"xlsx={workbook}"],
        ["check", workbook, "-o", link], ["diff", workbook, workbook, "-o", workbook], ["notes", workbook, workbook, "-o", workbook],
        ["fix", workbook, "-o", workbook], ["triage", "review", workbook, workbook, "-o", workbook],
        ["triage", "follow", workbook, workbook, "-o", workbook],
    ):  # fmt: skip
        assert main([*map(str, words), "--force"]) == 2, words
        assert re.fullmatch(r"jdv: .* : c'est .*jamais changé.*\n", capsys.readouterr().err), words
    assert workbook.read_bytes() == content


# ------------------------------------------------------------------------------------- names that come from a workbook


def is_harmless(name: str) -> bool:
    """Tell whether a name stays in its folder, and is a name everywhere."""
    return (
        name == os.path.basename(name)  # noqa: PTH119
        and not any(char in name for char in '\\/:*?"<>|') and name.isprintable() and name not in (".", "..")
        and not name.endswith((".", " ")) and not name.startswith(("-", "~", " "))
        and name.partition(".")[0].casefold() not in RESERVED and len(name.encode("utf-8", "surrogatepass")) <= 255
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_no_text_of_a_cell_becomes_a_path(text: str) -> None:
    with pytest.raises(RegisterError):
        safe_version(text)
    assert not is_safe_path(text) or all(map(is_harmless, text.split("/")))
    edition: Edition = replace(small_edition(), identity=Identity(text, ""))
    assert is_harmless(f"{publication_name(edition)}.xlsx")
    names = list(answer_names([text, text.upper(), text.lower(), text]))
    assert len({name.casefold() for name in names}) == 4
    assert all(map(is_harmless, names))


def test_files_of_a_release_have_one_name_on_every_system() -> None:
    for path in ("CON", "a/NUL.txt", "a./b", "x/../y", "/x", "a//b", "é", "a b", "a/b/c/d/e", ""):
        assert not is_safe_path(path), path
    for path in ("NOTICE", "dat/main.csv", "fhir/ValueSet-jdv-circuitbio.json"):
        assert is_safe_path(path), path


@pytest.mark.parametrize("text", HOSTILE[:12], ids=lambda text: ascii(text))
def test_an_export_of_a_hostile_version_stays_in_its_folder(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from jdv_qa.publish.excel import excel_workbook
    from tests.publish.releases import versioned

    (tmp_path / "in").mkdir()
    workbook = tmp_path / "in" / "w.xlsx"
    workbook.write_bytes(excel_workbook(versioned(small_edition(), text, "2026-01-15")))
    assert main(["export", str(workbook), str(tmp_path / "out"), "--with", "fhir", "--with", "svs"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert all(is_harmless(path.name) for path in (tmp_path / "out").rglob("*"))
    assert main(["import-release", str(workbook), "--register", str(tmp_path / "releases")]) == 2
    assert capsys.readouterr().err.count("\n") <= 2


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    class Stop(BaseException):
        pass

    def stop_filling(path: Path) -> None:
        with new_file(path) as temporary:
            temporary.write_bytes(b"half")
            raise Stop

    def stop_filling_folder(path: Path) -> None:
        with new_directory(path, is_ours=always) as folder:
            (folder / "a").write_bytes(b"half")
            raise Stop

    for write in (stop_filling, stop_filling_folder):
        with pytest.raises(Stop):
            write(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []

"""A release: planned, refused or made; every export is the Edition it was made from; the same input gives the same bytes."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdv_qa.checks.finding import Severity
from jdv_qa.checks.profiles import load_profile
from jdv_qa.checks.waivers import Waiver
from jdv_qa.compare.model import Change, Comparison
from jdv_qa.errors import OutputError, RegisterError, ReleaseRefused, WorkbookError
from jdv_qa.publish.bundle import bundle, table_files, zip_files
from jdv_qa.publish.excel import excel_workbook
from jdv_qa.publish.register import Register, load_register, read_release
from jdv_qa.publish.release import Terms, make_release, plan_import, plan_release, release_files
from jdv_qa.publish.verification import verify_release
from jdv_qa.report.register_documents import release_documents
from jdv_qa.terminology.codes import is_loinc, is_pending
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition, Identity, Record
from jdv_qa.workbook.read import read_edition
from jdv_qa.workbook.tables import read_tables
from tests.publish.releases import SAMPLE, imported, released, sample_plan, small_workbook, versioned
from tests.publish.test_export import editions, small_edition

PUBLICATION = Terms(profile=load_profile("publication"))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Register:
    """The register of the sample: 1.0.0 imported, 1.1.0 released. Tests do not change it."""
    register = imported(load_register(tmp_path_factory.mktemp("sample") / "releases"), SAMPLE["1.0.0"])
    return released(sample_plan(register))


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_release_holds_every_form_and_says_so(sample: Register) -> None:
    release = sample.releases[-1]
    assert (release.version, release.status, release.date, release.notation) == (
        "1.1.0",
        "released",
        "2026-07-15",
        "1.1.0 (2.79)",
    )
    assert (release.figures["orders"], release.figures["results"]) == (180, 355)
    assert release.check["error"] == 0
    paths = {file.path for file in release.files}
    assert {
        "JDV_CircuitBio_1.1.0.zip", "classeur/JDV_CircuitBio_1.1.0.xlsx", "dat/JDV_CircuitBio_1.1.0.xlsx", "dat/main.csv",
        "dat/datapackage.json", "notes_de_version.md", "notes_de_version.html", "notes_courtes.md", "NOTICE", "SHA256SUMS",
        "manifest.json", "changes.json", "check.json",
    } <= paths  # fmt: skip
    assert any(path.startswith("dat/fhir/ValueSet-") for path in paths)
    assert any(path.startswith("dat/svs/") for path in paths)
    folder = sample.folder(release)
    assert set(tree(folder)) == paths
    changes = json.loads((folder / "changes.json").read_bytes())
    assert (changes["schema"], changes["old"]["version"], changes["new"]["version"]) == ("jdv-diff/1", "1.0.0", "1.1.0")
    assert json.loads((folder / "check.json").read_bytes())["schema"] == "jdv-check/1"
    assert str(folder.parent.parent) not in b"".join(tree(folder).values()).decode("utf-8", "ignore")


def test_imported_workbook_is_kept_byte_for_byte(sample: Register) -> None:
    first = sample.releases[0]
    assert (first.status, first.check, first.profile) == ("imported", {}, "")
    kept = sample.folder(first) / "classeur" / "JDV_CircuitBio_1.0.0.xlsx"
    assert kept.read_bytes() == SAMPLE["1.0.0"].read_bytes()
    assert read_release(sample, first) == read_edition(SAMPLE["1.0.0"])


def test_the_zip_is_in_the_smt_s_form(sample: Register, tmp_path: Path) -> None:
    folder = sample.folder(sample.releases[-1])
    with zipfile.ZipFile(folder / "JDV_CircuitBio_1.1.0.zip") as archive:
        names = archive.namelist()
        assert {info.date_time for info in archive.infolist()} == {(2026, 7, 15, 0, 0, 0)}
        archive.extractall(tmp_path)
    assert {name.split("/")[0] for name in names} == {"JDV_CircuitBio_1.1.0"}
    root = tmp_path / "JDV_CircuitBio_1.1.0"
    assert {path.name for path in root.iterdir()} == {
        "dat", "NOTICE", "SHA256SUMS", "notes_de_version.md", "notes_de_version.html", "notes_courtes.md",
    }  # fmt: skip
    assert (root / "NOTICE").read_text(encoding="utf-8").strip() == LOINC_NOTICE
    assert (
        subprocess.run(
            ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=root, capture_output=True, check=False
        ).returncode
        == 0
    )
    edition = read_edition(SAMPLE["1.1.0"])
    assert read_edition(root / "dat") == read_edition(root / "dat" / "JDV_CircuitBio_1.1.0.xlsx") == edition
    assert (edition.identity.version, edition.identity.loinc_version) == ("1.1.0", "2.79")


def codes(edition: Edition) -> tuple[set[str], set[str]]:
    """The codes of orders and of results that a terminology server can be given."""
    return tuple(  # type: ignore[return-value]
        {entity.code for entity in part.values() if is_loinc(entity.code) or is_pending(entity.code)}
        for part in (edition.orders, edition.results)
    )


def fhir_codes(content: bytes) -> set[str]:
    resource = json.loads(content)
    return {concept["code"] for include in resource["compose"]["include"] for concept in include["concept"]}


def svs_codes(content: bytes) -> set[str]:
    from lxml import etree

    return {concept.get("code") for concept in etree.fromstring(content).iter("{urn:ihe:iti:svs:2008}Concept")}


def test_fhir_and_svs_of_a_release_hold_its_codes(sample: Register) -> None:
    files = tree(sample.folder(sample.releases[-1]))
    orders, results = codes(read_release(sample, sample.releases[-1]))
    assert len(orders) > 100
    for pattern, read in (("dat/fhir/ValueSet-", fhir_codes), ("dat/svs/", svs_codes)):
        found = {
            ("order" if "demandes" in path else "result"): read(content)
            for path, content in files.items()
            if path.startswith(pattern)
        }
        assert found == {"order": orders, "result": results}


@given(edition=editions(), separator=st.sampled_from(";,"), bom=st.booleans())
@settings(max_examples=settings.default.max_examples // 8)
def test_every_export_of_a_release_is_the_edition(edition: Edition, separator: str, bom: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "draft.xlsx").write_bytes(excel_workbook(edition))
        plan = plan_import(folder / "draft.xlsx", Register(folder / "r"), "1.0.0")
        register = make_release(plan, release_files(plan, release_documents(plan), separator=separator, bom=bom))
        made = register.folder(register.releases[0])
        assert not verify_release(register, register.releases[0]).faults
        archive = zipfile.ZipFile(made / "JDV_CircuitBio_1.0.0.zip")
        archive.extractall(folder)
        for data in (made / "dat", folder / "JDV_CircuitBio_1.0.0" / "dat"):
            assert read_tables(data) == edition
            assert read_edition(data / "JDV_CircuitBio_1.0.0.xlsx") == edition
        assert read_edition(made / "classeur" / "JDV_CircuitBio_1.0.0.xlsx") == edition
        orders, _ = codes(edition)
        for path in made.glob("dat/fhir/ValueSet-*demandes*.json"):
            assert fhir_codes(path.read_bytes()) == orders
        for path in made.glob("dat/svs/*demandes*.xml"):
            assert svs_codes(path.read_bytes()) == orders


def test_two_builds_are_the_same_byte_for_byte(sample: Register, tmp_path: Path) -> None:
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / SAMPLE[version].name).write_bytes(SAMPLE[version].read_bytes())
    environment = os.environ | {"PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1700000000", "TZ": "Asia/Tokyo"}
    for command in (["import-release", SAMPLE["1.0.0"].name], ["release", SAMPLE["1.1.0"].name, "--keep-tabs"]):
        answer = subprocess.run(
            [sys.executable, "-m", "jdv_qa", *command], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
    assert tree(tmp_path / "releases") == tree(sample.directory)


def test_without_a_date_source_date_epoch_is_the_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undated = small_workbook(tmp_path, date="2026-01-15")
    edition = read_edition(undated)
    lines = (Record(1, {"label": "Version", "value": "1.0.0"}),)
    edition = replace(
        edition,
        tables={**edition.tables, "summary": replace(edition.tables["summary"], records=lines)},
        identity=Identity("1.0.0"),
    )
    undated.write_bytes(excel_workbook(edition))
    register = load_register(tmp_path / "r")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert plan_release(undated, register, PUBLICATION).reasons[0].startswith("la date de publication manque")
    assert plan_release(undated, register, PUBLICATION, date=dt.date(2026, 3, 2)).date == dt.date(2026, 3, 2)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    plan = plan_release(undated, register, PUBLICATION)
    assert plan.date == dt.date(2023, 11, 14)
    assert release_files(plan, {}) == release_files(plan_release(undated, register, PUBLICATION), {})


def test_a_date_that_is_not_the_sommaire_s_is_refused(tmp_path: Path) -> None:
    plan = plan_release(small_workbook(tmp_path), load_register(tmp_path / "r"), PUBLICATION, date=dt.date(2030, 1, 1))
    assert "2030-01-01" in plan.reasons[0]
    assert "2026-01-15" in plan.reasons[0]


def test_a_zip_is_the_same_whatever_the_order_of_its_files_and_takes_any_date() -> None:
    files = {"b": b"1", "a/b": b"2", "a": b"3"}
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert zip_files("x", files, moment) == zip_files("x", dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(zip_files("x", files, dt.datetime(9999, 1, 1, tzinfo=dt.UTC)))) as archive:
        assert archive.infolist()[0].date_time[0] == 2107
        assert archive.read("x/a/b") == b"2"
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}
    assert b"SHA256SUMS" in bundle("1.0.0", files)


def test_a_draft_with_faults_is_refused_with_its_cells(sample: Register) -> None:
    plan = sample_plan(sample, "1.2.0")
    errors = plan.report.summary["error"] if plan.report else 0
    assert errors > 20
    assert plan.reasons[0].startswith(f"{errors} erreurs sans dérogation (")
    assert "COD-02 : O101" in plan.reasons[0]
    assert any(reason.startswith("l'onglet 9 ne dit pas tout") for reason in plan.reasons)
    before = tree(sample.directory)
    with pytest.raises(ReleaseRefused, match="erreurs sans dérogation"):
        make_release(plan, {})
    assert tree(sample.directory) == before


def test_a_version_that_is_there_or_below_is_refused(sample: Register, tmp_path: Path) -> None:
    assert sample_plan(sample, "1.1.0").reasons[0].startswith("la version 1.1.0 est déjà au registre")
    assert (
        plan_release(small_workbook(tmp_path, "1.0.5"), sample, PUBLICATION)
        .reasons[0]
        .startswith("la version 1.0.5 n'est pas au-dessus de la dernière du registre, 1.1.0")
    )
    with pytest.raises(ReleaseRefused, match=r"1\.1\.0\.xlsx : la version 1\.1\.0 est déjà au registre"):
        plan_import(SAMPLE["1.1.0"], sample)


def test_what_stands_in_the_way_is_told_beforehand(tmp_path: Path) -> None:
    register = imported(load_register(tmp_path / "r"), small_workbook(tmp_path, "1.0.0"))
    draft = small_workbook(tmp_path, "1.1.0")
    (register.directory / "1.1.0").mkdir()
    assert "existe, mais n'est pas au registre" in plan_release(draft, register, PUBLICATION).reasons[0]
    (register.directory / "1.1.0").rmdir()
    altered = replace(register, sound=False)
    assert "modifié à la main" in plan_release(draft, altered, PUBLICATION).reasons[0]
    with pytest.raises(ReleaseRefused, match="modifié à la main"):
        plan_import(draft, altered)
    (register.directory / "index.json").unlink()
    with pytest.raises(ReleaseRefused, match=r"1\.0\.0\) mais pas de index\.json"):
        plan_import(draft, load_register(register.directory))


@pytest.mark.parametrize("version", ["", "../../x", "1.2.0/../..", "CON", "1.2․0", "1.2.0\u202e", "a" * 300])
def test_a_version_of_a_workbook_never_reaches_the_file_system(version: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "draft.xlsx"
    path.write_bytes(excel_workbook(versioned(small_edition(), version or "-", "2026-01-15")))
    register = load_register(tmp_path / "r")
    plan = plan_release(path, register, PUBLICATION)
    assert plan.version == ""
    assert "version" in plan.reasons[0]
    with pytest.raises(ReleaseRefused):
        make_release(plan, {})
    with pytest.raises(RegisterError, match="--version"):
        plan_import(path, register)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_waived_errors_do_not_refuse(tmp_path: Path) -> None:
    edition = read_edition(SAMPLE["1.0.0"])
    wrong = [
        replace(record, values={**record.values, "unit": "UI/L"}) if record["result_code"] == "2951-2" else record
        for record in edition.main.records
    ]
    tables = {**edition.tables, "main": replace(edition.main, records=tuple(wrong))}
    draft = tmp_path / "JDV_CircuitBio_1.0.0.xlsx"
    draft.write_bytes(excel_workbook(replace(edition, tables=tables)))
    register = load_register(tmp_path / "r")
    plan = plan_release(draft, register, PUBLICATION)
    assert "UNI-02 : T" in plan.reasons[0]
    assert plan.report is not None
    waivers = tuple(
        Waiver(item.rule, item.row_key, item.field or "", item.value, "essai", "test", "2026-01-01")
        for item in plan.report.findings
        if item.severity is Severity.ERROR
    )
    again = plan_release(draft, register, replace(PUBLICATION, waivers=waivers))
    assert again.reasons == ()
    made = released(again)
    assert (made.releases[0].check["error"], made.releases[0].check["waived"]) == (0, len(waivers))


def untold_draft(folder: Path, *, with_note: bool) -> Path:
    """A version in which a result's display label changed, told in tab 9 or not; tab 9 has a line of another change."""
    edition = versioned(read_edition(SAMPLE["1.1.0"]), "1.2.0", "2026-11-15")
    records = [
        replace(record, values={**record.values, "result_display": "Sodium sanguin"})
        if record["result_code"] == "2951-2"
        else record
        for record in edition.main.records
    ]
    note = {"version": "1.2.0", "date": "2026-11-15", "part": "Résultat", "nature": "Modification", "code": "2951-2"}
    notes = [*edition.records("notes"), *([Record(999, note)] if with_note else [])]
    columns = edition.tables["indicators"].records
    figures = [replace(record, values={**record.values, "1.2.0": record["1.1.0"]}) for record in columns]
    tables = {
        **edition.tables,
        "main": replace(edition.main, records=tuple(records)),
        "notes": replace(edition.tables["notes"], records=tuple(notes)),
        "indicators": replace(edition.tables["indicators"], records=tuple(figures)),
    }
    path = folder / f"draft-{with_note}.xlsx"
    path.write_bytes(excel_workbook(replace(edition, tables=tables)))
    return path


def test_a_change_that_is_not_told_is_refused_or_told_by_the_release(sample: Register, tmp_path: Path) -> None:
    kept = {"terms": PUBLICATION, "update": False}
    assert plan_release(untold_draft(tmp_path, with_note=True), sample, **kept).reasons == ()
    (reason,) = plan_release(untold_draft(tmp_path, with_note=False), sample, **kept).reasons
    assert reason.startswith("l'onglet 9 ne dit pas tout : 1 changement")
    plan = plan_release(untold_draft(tmp_path, with_note=False), sample, PUBLICATION)
    assert plan.reasons == ()
    assert plan.update is not None
    assert plan.update.lines == 1
    assert "2951-2" in {record["code"] for record in plan.edition.records("notes") if record["version"] == "1.2.0"}
    assert plan.workbook != untold_draft(tmp_path, with_note=False).read_bytes()


def test_tabs_9_and_10_are_completed_in_the_release(tmp_path: Path) -> None:
    edition = read_edition(SAMPLE["1.1.0"])
    old = [record for record in edition.records("notes") if record["version"] != "1.1.0"]
    figures = [
        replace(record, values={key: value for key, value in record.values.items() if key != "1.1.0"})
        for record in edition.records("indicators")
    ]
    bare = {
        **edition.tables,
        "notes": replace(edition.tables["notes"], records=tuple(old)),
        "indicators": replace(
            edition.tables["indicators"], records=tuple(figures),
            columns=tuple(column for column in edition.tables["indicators"].columns if column.field != "1.1.0"),
        ),
    }  # fmt: skip
    draft = tmp_path / "JDV 1.1.0.xlsx"
    draft.write_bytes(excel_workbook(replace(edition, tables=bare)))
    content = draft.read_bytes()
    register = imported(load_register(tmp_path / "r"), SAMPLE["1.0.0"])
    plan = plan_release(draft, register, PUBLICATION)
    assert plan.reasons == ()
    assert plan.update is not None
    assert plan.update.lines > 50
    assert plan.update.column
    register = released(plan)
    assert draft.read_bytes() == content
    told = read_release(register, register.releases[-1])
    assert told == plan.edition
    assert [record["1.1.0"] for record in told.records("indicators")] == [
        "180",
        "37",
        "136",
        "3",
        "4",
        "355",
        "345",
        "10",
    ]
    next_draft = register.folder(register.releases[-1]) / plan.kept
    assert plan_release(
        next_draft, imported(load_register(tmp_path / "r2"), SAMPLE["1.0.0"]), PUBLICATION
    ).update == replace(plan.update, content=next_draft.read_bytes(), lines=0, column=False, figures=0)


def test_first_release_needs_no_previous_one(tmp_path: Path) -> None:
    plan = sample_plan(load_register(tmp_path / "r"), "1.0.0", update=True)
    assert (plan.comparison, plan.update, plan.reasons) == (None, None, ())
    made = released(plan)
    assert (made.releases[0].previous, made.releases[0].changes) == ("", {})
    assert "notes_de_version.md" not in {file.path for file in made.releases[0].files}


def test_a_folder_or_another_layout_is_no_draft(tmp_path: Path) -> None:
    register = load_register(tmp_path / "r")
    with pytest.raises(WorkbookError, match="dossier"):
        plan_release(tmp_path, register, PUBLICATION)
    with pytest.raises(WorkbookError, match="dossier"):
        plan_import(tmp_path, register)


def test_a_text_that_no_file_can_hold_is_one_line() -> None:
    edition = small_edition()
    record = replace(edition.main.records[0], values={**edition.main.records[0].values, "comment": "a\ud800"})
    edition = replace(edition, tables={**edition.tables, "main": replace(edition.main, records=(record,))})
    with pytest.raises(OutputError, match=r"ud800"):
        table_files(edition)


@pytest.mark.slow  # every order of two releases is tried every day by tests/faults/test_two_at_once.py
def test_two_releases_of_one_version_started_together(tmp_path: Path) -> None:
    imported(load_register(tmp_path / "releases"), SAMPLE["1.0.0"])
    command: list[Any] = [
        sys.executable,
        "-m",
        "jdv_qa",
        "release",
        SAMPLE["1.1.0"],
        "--register",
        tmp_path / "releases",
        "--keep-tabs",
    ]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate() for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], answers
    loser = next(answer for process, answer in zip(both, answers, strict=True) if process.returncode)
    assert "Publication refusée" in loser[0]
    register = load_register(tmp_path / "releases")
    assert [release.version for release in register.releases] == ["1.0.0", "1.1.0"]
    assert not verify_release(register, register.releases[-1]).faults


def test_the_requests_behind_a_change_are_told(tmp_path: Path) -> None:
    register = imported(load_register(tmp_path / "releases"), SAMPLE["1.0.0"])
    asked: list[Change] = []

    def behind(old: Edition, new: Edition, comparison: Comparison) -> dict[Change, tuple[str, ...]]:
        asked.extend(comparison.changes[:1])
        return dict.fromkeys(asked, ("12",))

    plan = plan_release(SAMPLE["1.1.0"], register, behind=behind)
    assert asked
    assert plan.requests == {asked[0]: ("12",)}
    assert "n°\u00a012" in release_files(plan, release_documents(plan))["notes_de_version.md"].decode()


def test_a_draft_that_carries_annotations_is_refused(tmp_path: Path) -> None:
    from jdv_qa.checks.engine import check
    from jdv_qa.report.findings_annotated import findings_annotated
    from jdv_qa.workbook.layout import load_layout

    register = imported(load_register(tmp_path / "releases"), SAMPLE["1.0.0"])
    draft = tmp_path / "annote.xlsx"
    report = check(read_edition(SAMPLE["1.1.0"]))
    draft.write_bytes(findings_annotated(report, SAMPLE["1.1.0"], load_layout()).content)
    assert [reason for reason in plan_release(draft, register).reasons if "--unmark" in reason]

"""`jdv triage follow`, `jdv triage record`, the ledger of `jdv triage review` and `jdv notes --requests`, through the command."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import openpyxl
import pytest

from jdv_qa.cli.app import main
from jdv_qa.sample import REQUESTS, build, files
from jdv_qa.triage.requests import read_requests
from jdv_qa.workbook.read import read_edition

OLD, NEW = (str(files()[version]) for version in ("1.0.0", "1.1.0"))
WORDS = {
    "acceptable": "Acceptée", "duplicate": "oui", "conflicting": "Acceptée", "already-done": "Refusée", "incomplete": "reportée",
    "to-correct": "Acceptée", "to-reject": "Refusée", "submit-to-loinc": "En attente de LOINC",
}  # fmt: skip


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The register of the sample with a decision on each request."""
    book = openpyxl.load_workbook(REQUESTS)
    sheet = book["Demandes"]
    headers = [cell.value for cell in sheet[1]]
    for row, request in enumerate(build.read_table("requests"), 2):
        sheet.cell(row, headers.index("Décision") + 1).value = WORDS[request["verdict"]]
    path = tmp_path_factory.mktemp("decided") / "demandes.xlsx"
    book.save(path)
    return path


def follow(*arguments: object) -> int:
    return main(["triage", "follow", *map(str, arguments)])


def test_on_the_screen(decided: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(decided, NEW, "--previous", OLD) == 1
    out = capsys.readouterr().out
    assert "20 publiées, 3 publiées en partie, 3 acceptées mais absentes" in " ".join(out.split())
    assert "À VÉRIFIER" in out
    assert "k[IU]/L" not in out.split("À VÉRIFIER")[1]
    assert max(map(len, out.splitlines())) <= 80


def test_nothing_to_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = tmp_path / "r.csv"
    register.write_text(
        "N°;Type;Objet;Code;Libellé;Champ;Valeur;Décision\n1;Modification;Résultat;19113-0;;Unité;k[IU]/L;oui\n",
        encoding="utf-8",
    )
    assert follow(register, NEW, "--previous", OLD) == 0
    assert "À VÉRIFIER" not in capsys.readouterr().out


def test_json(decided: Path, tmp_path: Path) -> None:
    paths = [tmp_path / "one.json", tmp_path / "two.json"]
    for path in paths:
        assert follow(decided, NEW, "--previous", OLD, "-o", path) == 1
    assert paths[0].read_bytes() == paths[1].read_bytes()
    content = json.loads(paths[0].read_text(encoding="utf-8"))
    assert content["schema"] == "jdv-follow/1"
    assert (content["release"]["version"], content["previous"]["version"]) == ("1.1.0", "1.0.0")
    assert sum(content["summary"].values()) == 40
    unit = content["requests"][3]
    assert (unit["number"], unit["state"], unit["in_release"], unit["in_previous"]) == (4, "published", "whole", False)
    assert [(change["code"], change["field"]) for change in unit["changes"]] == [("19113-0", "unit")]


def test_only_the_statuses_change_in_the_workbook(decided: Path, tmp_path: Path) -> None:
    path = tmp_path / "suivi.xlsx"
    before = decided.read_bytes()
    assert follow(decided, NEW, "--previous", OLD, "-o", path) == 1
    assert decided.read_bytes() == before
    with zipfile.ZipFile(decided) as old, zipfile.ZipFile(path) as new:
        assert old.namelist() == new.namelist()
        changed = [name for name in old.namelist() if old.read(name) != new.read(name)]
    assert changed == ["xl/worksheets/sheet1.xml"]
    sheets = [openpyxl.load_workbook(one)["Demandes"] for one in (decided, path)]
    column = [cell.value for cell in sheets[0][1]].index("Statut") + 1
    differing = {
        (cell.row, cell.column)
        for row in sheets[1].iter_rows()
        for cell in row
        if cell.value != sheets[0].cell(cell.row, cell.column).value
    }
    assert differing == {(row, column) for row in range(2, 42)}
    assert sheets[1].cell(2, column).value == "publiée dans la version 1.1.0"
    again = tmp_path / "encore.xlsx"
    assert follow(path, NEW, "--previous", OLD, "-o", again) == 1
    assert again.read_bytes() == path.read_bytes()


def test_a_decision_that_stood_in_the_status_is_kept(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Demandes"
    for row in (
        ["N°", "Type de demande", "Objet", "Code LOINC", "Libellé", "Champ", "Valeur proposée", "Statut", "Décision"],
        [1, "Modification", "Résultat", "19113-0", None, "Unité", "k[IU]/L", "acceptée", None],
        [2, "Modification", "Résultat", "19113-0", None, "Unité", "g/L", "refusée", None],
    ):
        book.active.append(row)
    book.save(tmp_path / "r.xlsx")
    for source, target in (("r.xlsx", "one.xlsx"), ("one.xlsx", "two.xlsx")):
        assert follow(tmp_path / source, NEW, "--previous", OLD, "-o", tmp_path / target) == 0
    (first, second) = read_requests(tmp_path / "two.xlsx").requests
    assert (first.status, first.decision) == ("publiée dans la version 1.1.0", "acceptée")
    assert (second.status, second.decision) == ("refusée", "refusée")


def test_a_register_without_a_status_gets_one(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["N°", "Type", "Objet", "Code LOINC", "Libellé", "Champ", "Valeur", "Décision"])
    book.active.append([1, "Modification", "Résultat", "19113-0", None, "Unité", "k[IU]/L", "oui"])
    book.save(tmp_path / "r.xlsx")
    assert follow(tmp_path / "r.xlsx", NEW, "--previous", OLD, "-o", tmp_path / "s.xlsx") == 0
    (request,) = read_requests(tmp_path / "s.xlsx").requests
    assert (request.status, request.decision) == ("publiée dans la version 1.1.0", "oui")


def test_statuses_as_csv(decided: Path, tmp_path: Path) -> None:
    path = tmp_path / "suivi.csv"
    assert follow(decided, NEW, "--previous", OLD, "-o", path) == 1
    assert path.read_bytes().startswith(b"\xef\xbb\xbfN\xc2\xb0;")
    requests = read_requests(path).requests
    assert [request.number for request in requests] == [str(number) for number in range(1, 41)]
    assert requests[17].status == "acceptée, absente de la version 1.1.0"
    assert [r.code for r in requests] == [r.code for r in read_requests(decided).requests]


@pytest.mark.parametrize("name", ["suivi.xlsx", "suivi.csv", "suivi.json", "suivi.txt"])
def test_nothing_is_overwritten(name: str, decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_text("déjà là", encoding="utf-8")
    assert follow(decided, NEW, "-o", tmp_path / name) == 2
    assert "existe déjà" in capsys.readouterr().err
    assert (tmp_path / name).read_text(encoding="utf-8") == "déjà là"
    assert follow(decided, NEW, "-o", tmp_path / name, "--force") == 1


def test_a_table_has_no_workbook_to_copy(decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    follow(decided, NEW, "-o", tmp_path / "suivi.csv")
    assert follow(tmp_path / "suivi.csv", NEW, "-o", tmp_path / "suivi.xlsx") == 2
    assert "est une table" in capsys.readouterr().err


def test_decisions_of_the_workbook_of_the_meeting(tmp_path: Path) -> None:
    meeting, decided = tmp_path / "instruction.xlsx", tmp_path / "decide.xlsx"
    assert main(["triage", "review", str(REQUESTS), OLD, "-o", str(meeting)]) == 0
    book = openpyxl.load_workbook(meeting)
    sheet = book["Instruction"]
    headers = next(row for row in sheet.iter_rows() if any(cell.value == "Décision" for cell in row))
    place = {cell.value: cell.column for cell in headers}
    for row in range(headers[0].row + 1, sheet.max_row + 1):
        number = str(sheet.cell(row, place["N°"]).value)
        if number in ("4", "26"):
            sheet.cell(row, place["Décision"]).value = "Acceptée"
        if number == "26":
            sheet.cell(row, place["Valeur retenue"]).value = "g/L"
    book.save(decided)
    assert follow(decided, NEW, "--previous", OLD, "-o", tmp_path / "suivi.json") == 1
    states = {
        one["number"]: one["state"]
        for one in json.loads((tmp_path / "suivi.json").read_text(encoding="utf-8"))["requests"]
    }
    assert (states.pop(4), states.pop(26)) == ("published", "already")
    assert set(states.values()) == {"undecided"}
    assert follow(decided, NEW, "--previous", OLD, "-o", tmp_path / "suivi.xlsx") == 1
    with zipfile.ZipFile(decided) as old, zipfile.ZipFile(tmp_path / "suivi.xlsx") as new:
        assert len([name for name in old.namelist() if old.read(name) != new.read(name)]) == 1
    assert main(["triage", "record", str(decided), "reunion", "--ledger", str(tmp_path / "registre")]) == 0
    recorded = read_requests(tmp_path / "registre" / "reunion.csv").requests
    assert [(r.decision, r.comment) for r in recorded if r.number in ("4", "26")] == [
        ("acceptée", ""), ("acceptée", "valeur retenue : g/L"),
    ]  # fmt: skip


def test_a_register_in_a_layout_of_its_own(tmp_path: Path) -> None:
    layout = tmp_path / "mien.yaml"
    layout.write_text(
        "layout: mien\nextends: demandes\ntabs:\n  requests:\n    columns:\n      decision: {headers: [Verdict final]}\n",
        encoding="utf-8",
    )
    register = tmp_path / "r.csv"
    register.write_text(
        "N°;Type;Objet;Code;Libellé;Champ;Valeur;Verdict final\n1;Modification;Résultat;19113-0;;Unité;k[IU]/L;oui\n",
        encoding="utf-8",
    )
    assert follow(register, NEW, "--previous", OLD, "--register-layout", layout, "-o", tmp_path / "s.json") == 0
    (one,) = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["requests"]
    assert one["status"] == "publiée dans la version 1.1.0"


def test_answers(decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "reponses"
    assert follow(decided, NEW, "--previous", OLD, "--answers", folder) == 1
    assert "40 réponses et publipostage.csv" in capsys.readouterr().err
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["publipostage.csv", *(f"reponse-{number:03}.txt" for number in range(1, 41))]
    assert follow(decided, NEW, "--previous", OLD, "--answers", folder) == 2
    assert "existe déjà" in capsys.readouterr().err


def test_the_version_before_is_taken_from_the_register_of_releases(
    decided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["import-release", OLD]) == 0
    assert main(["import-release", NEW]) == 0
    capsys.readouterr()
    assert follow(decided, "1.1.0") == 1
    assert "version 1.1.0, comparée à 1.0.0" in capsys.readouterr().out
    assert follow(decided, NEW) == 1
    assert "comparée à 1.0.0" in capsys.readouterr().out


def test_a_file_that_is_no_register(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(OLD, NEW) == 2
    assert "registre" in capsys.readouterr().err


def test_a_workbook_in_one_table_form_is_refused(
    decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Jeu de valeurs"])
    book.active.append(
        ["Code LOINC", "Libellé français de référence", "Composant anglais", "Composant français", "Grandeur", "Statut"]
    )
    book.active.append(
        ["2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "Sodium", "Sodium", "Moles/Volume", "ACTIVE"]
    )
    book.save(tmp_path / "fr.xlsx")
    table = str(tmp_path / "fr.xlsx")
    for arguments in (["triage", "follow", str(decided), table], ["notes", table, table, "--requests", str(decided)]):
        assert main([*arguments, "--layout", "loinc_fr"]) == 2
        assert "les demandes portent sur le classeur du Circuit" in capsys.readouterr().err


def test_the_ledger_is_fed_and_asked(
    decided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["triage", "record", str(decided), "1.1.0"]) == 0
    assert "requests/1.1.0.csv : 40 demandes" in capsys.readouterr().err
    assert main(["triage", "record", str(decided), "1.1.0"]) == 2
    assert "existe déjà" in capsys.readouterr().err
    register = tmp_path / "neuf.csv"
    register.write_text(
        "N°;Date;Type;Objet;Code;Libellé;Demande concernée\n7;2028-02-01;Ajout;Résultat;74774-1;Glucose;14749-6\n",
        encoding="utf-8",
    )
    assert main(["triage", "review", str(register), NEW, "-o", "revue.json"]) == 0
    (request,) = json.loads(Path("revue.json").read_text(encoding="utf-8"))["requests"]
    assert [(past["number"], past["version"], past["decision"]) for past in request["earlier"]] == [
        ("33", "1.1.0", "refused")
    ]
    capsys.readouterr()
    assert main(["triage", "review", str(register), NEW]) == 0
    assert "Déjà demandée en 2026 (n° 33, version 1.1.0), refusée" in " ".join(capsys.readouterr().out.split())
    assert main(["triage", "review", str(register), NEW, "--ledger", "ailleurs"]) == 2
    assert "ailleurs : pas un dossier" in capsys.readouterr().err


def test_notes_name_the_requests(decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["notes", OLD, NEW, "--requests", str(decided)]) == 0
    text = capsys.readouterr().out.replace("\u00a0", " ")
    assert "(demandes n° 4 et 16)" in text
    assert "| demandes n° 1 et 15 |" in text
    assert "n° 25" not in text, "postponed"
    assert main(["notes", OLD, NEW, "--requests", str(decided), "--form", "short"]) == 0
    assert "Cette version répond aux demandes n° 1, 2, 3" in capsys.readouterr().out.replace("\u00a0", " ")


def test_tab_9_names_the_requests(decided: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(NEW)
    sheet = book["9.Notes de mise à jour"]
    sheet.delete_rows(2, sheet.max_row)
    book.save(tmp_path / "new.xlsx")
    copy = tmp_path / "copy.xlsx"
    assert main(["notes", OLD, str(tmp_path / "new.xlsx"), "--requests", str(decided), "--into", str(copy)]) == 0
    notes = read_edition(copy).records("notes")
    told = {(note["code"], note["field"]): note["comment"] for note in notes}
    assert "4 et 16" in told["19113-0", "Unité recommandée"] or "4, 16" in told["19113-0", "Unité recommandée"]

"""The ledger: a request that was made before is found again, whatever became of its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jdv_qa.errors import JdvError, OutputError
from jdv_qa.triage import ledger as ledger_module
from jdv_qa.triage.decisions import Decision
from jdv_qa.triage.ledger import Ledger, Past, read_ledger, record
from jdv_qa.triage.requests import Request, read_requests
from jdv_qa.triage.succession import Succession
from tests.triage.registers import write_register

OLD = [
    {"number": 12, "date": "2024-03-01", "applicant": "CHU de Valbourg", "kind": "Création", "object": "Résultat", "code": "74774-1",
     "label": "Glucose [Masse/Volume] Sérum/Plasma/Sang ; Numérique", "order": "14749-6", "unit": "g/L", "decision": "Refusée",
     "comment": "milieu trop large"},
    {"number": 13, "kind": "Modification", "object": "Résultat", "code": "19113-0", "field": "Unité", "value": "k[IU]/L",
     "decision": "Ajournée"},
    {"number": 14, "kind": "Création", "object": "Résultat", "label": "Calprotectine fécale", "decision": "Refusée"},
    {"number": 15, "kind": "Création", "object": "Résultat", "code": "24331-1", "label": "Bilan lipidique", "order": "24331-1",
     "decision": "Acceptée"},
    {"number": 16, "kind": "Suppression", "object": "Alignement NABM", "code": "24353-5", "nabm": "0412", "decision": "Refusée"},
    {"number": 17, "kind": "Création", "object": "Technique", "code": "BAX", "label": "Etude phénotypique"},
    {"number": 18, "kind": "Création", "object": "Code LOINC", "label": "Vitamine B12 active", "decision": "en attente LOINC"},
    {"number": 19, "kind": "Modification", "object": "Demande", "code": "48066-5", "field": "Synonymes", "value": "D-D;PDF",
     "decision": "Refusée"},
]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("ledger")
    write_register(OLD, folder / "1.0.0.csv")
    (folder / "LISEZMOI.txt").write_text("pas un registre", encoding="utf-8")
    return read_ledger(folder, Succession({"order": {"24331-1": "57698-3"}}))


def asked(folder: Path, **row: Any) -> Request:
    return read_requests(write_register([{"number": 1, "date": "2026-01-05", **row}], folder / "new.csv")).requests[0]


CASES: list[tuple[str, dict[str, str], list[tuple[str, str]]]] = [
    ("the same code again", {"kind": "Ajout", "object": "Analyse", "code": "74774-1"}, [("12", "same")]),
    ("the same code under another order", {"kind": "Ajout", "object": "Analyse", "code": "74774-1", "order": "24326-1"}, []),
    ("the same code, to be removed", {"kind": "Suppression", "object": "Résultat", "code": "74774-1"}, []),
    ("a look-alike dash", {"kind": "Ajout", "object": "Résultat", "code": "74774–1"}, [("12", "same")]),
    ("the same value for a field", {"kind": "Changer", "object": "Résultat", "code": "19113-0", "field": "Unité recommandée", "value": "k[IU]/L"}, [("13", "same")]),
    ("the same value in its column", {"kind": "Modification", "object": "Résultat", "code": "19113-0", "unit": "k[IU]/L"}, [("13", "same")]),
    ("another value", {"kind": "Modification", "object": "Résultat", "code": "19113-0", "field": "Unité", "value": "K[IU]/L"}, []),
    ("the code that took its place", {"kind": "Création", "object": "Résultat", "code": "57698-3", "order": "57698-3"}, [("15", "replaced")]),
    ("a label with a slip", {"kind": "Création", "object": "Résultat", "label": "Calprotectine fecales"}, [("14", "alike")]),
    ("a label, now with a code", {"kind": "Création", "object": "Résultat", "code": "38445-3", "label": "calprotectine FÉCALE"}, [("14", "alike")]),
    ("a label that differs by a figure", {"kind": "Création", "object": "Code LOINC", "label": "Vitamine B1 active"}, []),
    ("a label of two words in another order", {"kind": "Création", "object": "Code LOINC", "label": "active vitamine B12"}, [("18", "alike")]),
    ("an alignment", {"kind": "Retrait", "object": "NABM", "code": "24353-5", "nabm": "0412"}, [("16", "same")]),
    ("an alignment with another act", {"kind": "Retrait", "object": "NABM", "code": "24353-5", "nabm": "0413"}, []),
    ("an entry of reference", {"kind": "Ajout", "object": "Technique", "code": "bax"}, [("17", "same")]),
    ("synonyms in another order", {"kind": "Modification", "object": "Demande", "code": "48066-5", "field": "Synonymes", "value": "pdf;d-d"}, [("19", "same")]),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_past(ledger: Ledger, row: dict[str, str], expected: list[tuple[str, str]], tmp_path: Path) -> None:
    assert [(past.number, past.how) for past in ledger.past(asked(tmp_path, **row))] == expected


def test_an_earlier_decision_is_told_with_its_reason(ledger: Ledger, tmp_path: Path) -> None:
    (past,) = ledger.past(asked(tmp_path, kind="Ajout", object="Résultat", code="74774-1"))
    assert past == Past("12", "1.0.0", "2024-03-01", "CHU de Valbourg", "refused", "milieu trop large", "same")
    assert past.sentence == "déjà demandée en 2024 (n° 12, version 1.0.0), refusée\u00a0: milieu trop large"


def test_the_request_itself_is_no_earlier_one(ledger: Ledger) -> None:
    itself = ledger.entries[0].request
    assert ledger.past(itself) == ()


def test_the_latest_comes_first(tmp_path: Path) -> None:
    for version, number in (("1.10.0", 3), ("1.2.0", 2), ("reunion", 4), ("1.0.0", 1)):
        write_register([{**OLD[0], "number": number}], tmp_path / f"{version}.csv")
    ledger = read_ledger(tmp_path)
    assert ledger.versions == ("1.0.0", "1.2.0", "1.10.0", "reunion")
    (tmp_path / "new").mkdir()
    found = ledger.past(asked(tmp_path / "new", kind="Ajout", object="Résultat", code="74774-1"))
    assert [past.number for past in found] == ["4", "3", "2", "1"]


def test_a_large_ledger_is_not_read_through_for_each_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"number": n, "kind": "Création", "object": "Résultat", "label": f"Dosage du marqueur {n:05}x"}
        for n in range(3000)
    ]
    write_register(rows, tmp_path / "1.0.0.csv")
    ledger = read_ledger(tmp_path)
    looked = 0
    really = ledger_module._are_alike

    def counted(*names: Any) -> bool:
        nonlocal looked
        looked += 1
        return really(*names)

    monkeypatch.setattr(ledger_module, "_are_alike", counted)
    (tmp_path / "new").mkdir()
    found = ledger.past(asked(tmp_path / "new", kind="Création", object="Résultat", label="Dosage marqueur 01234x"))
    assert [past.number for past in found] == ["1234"]
    assert looked <= 3 * ledger_module._MOST_ALIKE


def test_a_recorded_register_reads_back(tmp_path: Path) -> None:
    source = read_requests(
        write_register([{**row, "unit": "=1+1" if row["number"] == 12 else ""} for row in OLD], tmp_path / "r.csv")
    )
    decisions = [
        Decision("12", "refused", "non", comment="vu en réunion"),
        Decision("13", "accepted", "oui", value="k[IU]/L"),
    ]
    path = record(tmp_path / "requests", "1.1.0", source.requests, decisions)
    assert path == tmp_path / "requests" / "1.1.0.csv"
    assert b"'=1+1" in path.read_bytes()
    ledger = read_ledger(tmp_path / "requests")
    by_number = {entry.request.number: entry for entry in ledger.entries}
    assert by_number["12"].request.unit == "=1+1"
    assert [entry.decision.decision for entry in ledger.entries[:2] if entry.decision] == ["refused", "accepted"]
    assert by_number["13"].request.comment == "valeur retenue : k[IU]/L"
    assert ledger.past(by_number["13"].request) == ()


def test_a_register_of_the_ledger_is_never_replaced(tmp_path: Path) -> None:
    requests = read_requests(write_register(OLD, tmp_path / "r.csv")).requests
    record(tmp_path / "requests", "1.1.0", requests, ())
    before = (tmp_path / "requests" / "1.1.0.csv").read_bytes()
    with pytest.raises(OutputError, match="existe déjà"):
        record(tmp_path / "requests", "1.1.0", requests[:1], ())
    (tmp_path / "requests" / "2.0.0.xlsx").write_bytes(b"")
    with pytest.raises(OutputError, match="existe déjà"):
        record(tmp_path / "requests", "2.0.0", requests, ())
    assert (tmp_path / "requests" / "1.1.0.csv").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "requests").iterdir()) == ["1.1.0.csv", "2.0.0.xlsx"]


@pytest.mark.parametrize("version", ["", "..", "../1.0.0", "a/b", "-x", ".caché", "1" * 80])
def test_only_plain_names_enter_the_ledger(version: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="ne peut pas nommer un registre"):
        record(tmp_path / "requests", version, (), ())
    assert list(tmp_path.iterdir()) == []


def test_no_folder_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(JdvError, match="pas un dossier"):
        read_ledger(tmp_path / "absent")

"""Decisions: their words, where they stand, what the meeting retained in the place of what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.errors import WorkbookError
from jdv_qa.triage.decisions import Decision, by_number, decision_of, is_recoding, read_decisions, retained, ruling_of
from jdv_qa.triage.requests import CREATE, MODIFY, REMOVE, Request, read_requests
from tests.triage.registers import write_register

COLUMNS = (
    "N°",
    "Code",
    "Demande",
    "Décision",
    "Code retenu",
    "Valeur retenue",
    "Unité retenue",
    "Commentaire de la décision",
)


def instruction(path: Path, lines: Sequence[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> Path:
    """Write a workbook of the meeting, with a title, group lines, and the register in another tab."""
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet, register = book.add_worksheet("Instruction"), book.add_worksheet("Demandes")
        sheet.write(0, 0, "Instruction des demandes")
        sheet.write_row(2, 0, columns)
        sheet.write(3, 1, "18719-5 Biochimie")
        for row, line in enumerate(lines, 4):
            sheet.write_row(row, 0, line)
        register.write_row(
            0, 0, ("N°", "Type de demande", "Objet", "Code LOINC", "Libellé", "Champ", "Valeur proposée")
        )
        register.write_row(1, 0, ("1", "Modification", "Résultat", "14682-9", "", "Unité recommandée", "mg/L"))
    return path


@pytest.mark.parametrize(
    ("text", "ruling"),
    [
        ("Acceptée", "accepted"),
        ("accepté", "accepted"),
        ("OK", "accepted"),
        ("oui", "accepted"),
        ("validée en séance", "accepted"),
        ("Refusée", "refused"),
        ("non", "refused"),
        ("non retenue", "refused"),
        ("pas acceptée", "refused"),
        ("avis défavorable", "refused"),
        ("ajournée", "postponed"),
        ("Reporté à la prochaine réunion", "postponed"),
        ("en attente", "postponed"),
        ("en attente LOINC", "awaiting-loinc"),
        ("En attente d'un code LOINC", "awaiting-loinc"),
        ("à soumettre à LOINC", "awaiting-loinc"),
        ("acceptée sous réserve de l'unité", ""),
        ("oui ?", ""),
        ("oui, mais en mmol/L", ""),
        ("reçue", ""),
        ("", ""),
    ],
)
def test_words(text: str, ruling: str) -> None:
    assert ruling_of(text) == ruling


def test_reads_the_tab_of_the_meeting(tmp_path: Path) -> None:
    path = instruction(
        tmp_path / "instruction.xlsx",
        [
            ("1", "14682-9", "…", "acceptée", "", "umol/L", "", "vu en séance"),
            ("2", "", "…", "Refusée"),
            ("3", "", "…", ""),
        ],
    )
    assert read_decisions(path) == (
        Decision("1", "accepted", "acceptée", "", "umol/L", "", "vu en séance", 5),
        Decision("2", "refused", "Refusée", row=6),
        Decision("3", "", "", row=7),
    )
    assert [request.code for request in read_requests(path).requests] == ["14682-9"]


def test_a_tab_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = instruction(tmp_path / "instruction.xlsx", [], columns=("N°", "Code", "Code retenu"))
    with pytest.raises(WorkbookError, match=r"Instruction.*«\sDécision\s» introuvables"):
        read_decisions(path)


def test_a_register_has_its_own(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"kind": "Suppression", "object": "Résultat", "code": "1", "decision": "OK", "status": "reçue"},
        {"kind": "Suppression", "object": "Résultat", "code": "2", "status": "refusée"},
        {"kind": "Suppression", "object": "Résultat", "code": "3", "status": "reçue"},
    ]
    found = read_decisions(write_register(rows, tmp_path / "demandes.csv"))
    assert [(one.number, one.decision, one.text) for one in found] == [
        ("1", "accepted", "OK"),
        ("2", "refused", "refusée"),
        ("3", "", ""),
    ]


def request(
    number: str = "1", kind: str = MODIFY, thing: str = "result", field: str = "", asked: str = "", **texts: Any
) -> Request:
    return Request(int(number), number, kind, thing, field, asked, **texts)


def kept(asked: Request, **texts: str) -> Request:
    found = retained(asked, Decision("1", "accepted", "acceptée", **texts))  # type: ignore[arg-type]
    assert not found.unclear
    return found.request


def test_as_asked_where_nothing_else_is_retained() -> None:
    asked = request(field="unit", asked="mg/L", code="14682-9")
    assert kept(asked) == asked


def test_a_retained_value_is_the_value() -> None:
    assert kept(request(field="unit", asked="mg/L", code="14682-9"), value="umol/L").asked == "umol/L"
    assert kept(request(field="unit", asked="mg/L", code="14682-9"), unit="umol/L").asked == "umol/L"
    only = kept(request(code="14682-9", comparability="2"), value="1")
    assert (only.target_field, only.asked) == ("comparability", "1")


def test_a_retained_value_of_a_creation() -> None:
    assert kept(request(kind=CREATE, code="1751-7", unit="g/l"), value="g/L").unit == "g/L"
    assert kept(request(kind=CREATE, thing="specimens", code="LAVG"), value="Lavage").label == "Lavage"
    assert kept(request(kind=CREATE, thing="nabm", code="85421-6"), value="0270").nabm == "0270"
    assert kept(request(kind=CREATE, thing="order", code="85421-6"), value="Antibiogramme").display == "Antibiogramme"


def test_a_value_of_no_field_is_unclear() -> None:
    ruling = Decision("1", "accepted", "acceptée", value="Albumine")
    assert retained(request(kind=CREATE, code="1751-7"), ruling).unclear == "Albumine"
    assert retained(request(kind=REMOVE, code="1751-7"), ruling).unclear == "Albumine"
    assert retained(request(code="1751-7", unit="g/L", comparability="1"), ruling).unclear == "Albumine"


def test_a_retained_code() -> None:
    assert kept(request(kind=CREATE, code="70204-6"), code="70204-3").code == "70204-3"
    recoding = kept(request(field="result_code", asked="70204-6", code="600238"), code="70204-3")
    assert (recoding.code, recoding.asked) == ("600238", "70204-3")
    assigned = kept(request(kind=CREATE, thing="code", code="1407312"), code="882-1")
    assert (assigned.kind, assigned.code, assigned.asked) == (MODIFY, "1407312", "882-1")
    assert is_recoding(recoding)
    assert is_recoding(assigned)
    assert kept(request(kind=CREATE, thing="code", label="Un terme"), code="882-1").code == "882-1"


def test_decisions_find_their_requests() -> None:
    asked = [request("1"), request("2"), request("4")]
    first, other = Decision("1", "accepted", "oui"), Decision("4", "refused", "non")
    assert by_number(asked, [other, first]) == {0: first, 1: None, 2: other}


def test_a_number_shared_by_two_decisions_decides_nothing() -> None:
    asked = [request("7"), request("7", code="1751-7")]
    lines = [Decision("7", "accepted", "acceptée"), Decision("7", "refused", "refusée")]
    found = by_number(asked, lines)
    assert [(one.decision, one.text) for one in found.values() if one] == [("", "acceptée / refusée")] * 2
    same = by_number(asked, [Decision("7", "accepted", "acceptée"), Decision("7", "accepted", "acceptée")])
    assert [one.decision for one in same.values() if one] == ["accepted", "accepted"]


def test_a_register_tells_requests_of_one_number_apart_by_their_rows() -> None:
    asked = [
        Request(2, "7", MODIFY, "result", "", "", decision="acceptée"),
        Request(3, "7", MODIFY, "result", "", "", decision="refusée"),
    ]
    found = by_number(asked, [decision_of(one) for one in asked])
    assert [one.decision for one in found.values() if one] == ["accepted", "refused"]

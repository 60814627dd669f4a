from __future__ import annotations

import csv
from pathlib import Path

import pytest

from jdv_qa.errors import TerminologyError
from jdv_qa.terminology.nabm import Act, nabm_table


def test_leading_zeros_are_put_back() -> None:
    assert list(nabm_table([["nabm_code", "nabm_label"], ["552", "Urée"], ["12", "x"], ["1609", "y"]], "f").acts) == [
        "0552", "0012", "1609",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "value", "removed", "end"),
    [
        ("Date de fin", "", False, ""),
        ("Date de fin", "31/12/2024", True, "2024-12-31"),
        ("date_fin", "2024-12-31T00:00:00", True, "2024-12-31"),
        ("Fin de validité", "9999-12-31", False, ""),
        ("Fin de validité", "31/12/9999", False, ""),
        ("Supprimé", "oui", True, ""),
        ("Supprimé", "non", False, ""),
        ("Supprimé", "X", True, ""),
        ("Statut", "Actif", False, ""),
        ("Statut", "Abrogé", True, ""),
        ("État", "supprimée", True, ""),
    ],
)
def test_end_of_an_act(header: str, value: str, removed: bool, end: str) -> None:
    table = nabm_table([["NABM 2024"], ["Code de l’acte", "Libellé", header], ["0552", "Urée", value]], "f")
    assert table.acts["0552"] == Act("0552", "Urée", removed, end)


def test_rows_shorter_than_the_header() -> None:
    rows = [["Code", "Libellé", "Fin"], ["0552", "Urée"], ["0553"], [], ["0554", "Sodium", "supprimé"]]
    assert list(nabm_table(rows, "f").acts.values()) == [
        Act("0552", "Urée"), Act("0553", ""), Act("0554", "Sodium", removed=True),
    ]  # fmt: skip


def test_act_listed_twice_is_in_force_if_one_line_is() -> None:
    rows = [["Code", "Libellé", "Fin"], ["0552", "a", "2001-01-01"], ["0552", "b", ""], ["0552", "c", "2002-01-01"]]
    assert nabm_table(rows, "f").acts["0552"].label == "b"
    assert nabm_table([*rows[:2], rows[3]], "f").acts["0552"].end == "2002-01-01"


def test_act_by_label() -> None:
    table = nabm_table([["Code", "Libellé", "Fin"], ["0552", "URÉE", ""], ["0553", "Urée", "2001-01-01"]], "f")
    assert table.with_label("uree") == ("0552",)
    assert table.with_label("") == ()


@pytest.mark.parametrize("rows", [[], [["a", "b"]] * 40, [["Code", "Libellé"]], [["Code", "Libellé"], ["B-12", "x"]]])
def test_what_is_no_table_of_the_nabm(rows: list[list[str]]) -> None:
    with pytest.raises(TerminologyError, match="f : "):
        nabm_table(rows, "f")


def test_real_table(reference_data: Path) -> None:
    with (reference_data / "nabm_labels_2020.csv").open(encoding="utf-8", newline="") as file:
        table = nabm_table(csv.reader(file), "nabm")
    assert len(table.acts) == 781
    assert all(len(code) == 4 for code in table.acts)
    assert not any(act.removed for act in table.acts.values())

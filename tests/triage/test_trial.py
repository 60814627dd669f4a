"""Edits tried together say the same as each edit checked alone, on random edits of every kind."""

from __future__ import annotations

import random
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from jdv_qa.checks.engine import check
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.triage.conventions import load_conventions
from jdv_qa.triage.edits import CellSet, Edit, RowAdded, RowRemoved
from jdv_qa.triage.proposal import propose
from jdv_qa.triage.requests import Request
from jdv_qa.triage.trial import Trials, apply_edits
from jdv_qa.triage.value_set import ValueSet
from jdv_qa.workbook.edition import ORDER_FIELDS, Edition
from jdv_qa.workbook.read import read_edition
from tests.triage.registers import sample

UNITS = ("mmol/L", "umol/L", "g/L", "UI/L", "G/L", "%", "", "10*9/L", "µmol/L")
LABELS = ("Mauvais libellé", "Protéine C réactive [Masse/Volume] Sérum/Plasma ; Numérique")


@lru_cache
def trials(version: str) -> Trials:
    return Trials(sample(version), lambda edition: check(edition, ignore=load_conventions().consequences))


def random_request(rng: random.Random, number: int, edition: Edition) -> Request:
    orders, results = list(edition.orders.values()), list(edition.results.values())
    order, other_order, result, other = rng.choice(orders), rng.choice(orders), rng.choice(results), rng.choice(results)

    def request(kind: str, thing: str, field: str = "", asked: str = "", **said: str) -> Request:
        return Request(number, str(number), kind, thing, field, asked, **said)

    makers = (
        lambda: request("modify", "result", "unit", rng.choice(UNITS), code=result.code),
        lambda: request("modify", "result", "result_display", rng.choice((other["result_display"], f"Nouveau {number}")), code=result.code),
        lambda: request("modify", "result", "chapter", rng.choice((other["chapter"], "99999-8")), code=result.code),
        lambda: request("modify", "result", "comparability", rng.choice("123"), code=result.code),
        lambda: request("modify", "result", "rank", rng.choice((other["rank"], "12a")), code=result.code),
        lambda: request("modify", "result", "result_loinc_label", rng.choice((other["result_loinc_label"], *LABELS)), code=result.code),
        lambda: request("modify", "result", "result_code", rng.choice((other.code, order.code, "2951-3", "14682-9")), code=result.code),
        lambda: request("remove", "result", code=result.code),
        lambda: request("remove", "order", code=order.code),
        lambda: request("modify", "order", "specimen", rng.choice(("SER", "UR", "SANG", other_order["specimen"])), code=order.code),
        lambda: request("modify", "order", "order_label", rng.choice((other_order["order_label"], f"Demande {number}")), code=order.code),
        lambda: request("modify", "order", "order_type", rng.choice(("Order", "Both", "Autre")), code=order.code),
        lambda: request("modify", "order", "order_loinc_label", other_order["order_loinc_label"], code=order.code),
        lambda: request(rng.choice(("create", "remove")), "nabm", code=order.code, nabm=rng.choice(("0552", "12", "1609")), nabm_label=rng.choice(("", "Autre acte"))),
        lambda: request(rng.choice(("create", "remove", "modify")), "specimens", code=rng.choice(("SER", "UR", "BLD", "ZZZ")), label="Autre libellé"),
        lambda: request("create", "result", code=result.code, order=order.code, unit=result["unit"], comparability=rng.choice(("", "1", "2"))),
        lambda: request(
            "create", "result", code=rng.choice(("1988-5", "30522-7", "2345-7", "600999")), order=order.code, label=rng.choice((result["result_loinc_label"], LABELS[1])),
            unit=rng.choice(UNITS), display=rng.choice((result["result_display"], "CRP")), comparability="1", chapter=result["chapter"],
        ),
    )  # fmt: skip
    return rng.choice(makers)()


def key(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.tab, finding.row, finding.field, finding.code, finding.value


def compare(version: str, seed: int, count: int) -> int:
    """Compare what edits bring, tried together and alone; return how many bring anything."""
    rng, edition = random.Random(seed), sample(version)
    values = ValueSet(edition)
    edits = [edit for n in range(count) if (edit := propose(random_request(rng, n, edition), values).edit)]
    found = trials(version).new_findings(edits)
    for edit, together in zip(edits, found, strict=True):
        alone = trials(version).together([edit])
        assert Counter(map(key, together)) == Counter(map(key, alone)), edit
    return sum(map(bool, found))


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_together_as_alone(version: str) -> None:
    assert compare(version, 1, 12) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.2.0"])
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_together_as_alone(version: str, seed: int) -> None:
    assert compare(version, seed, 80) > 25


def test_only_what_an_edit_brings_is_told() -> None:
    edition = sample("1.2.0")
    draft = trials("1.2.0")
    assert any(finding.severity is Severity.ERROR for finding in draft.before.findings)
    result = edition.results["2823-3"]
    edit = Edit(
        tuple(CellSet("main", row.row, "result_display", row["result_display"], "Kaliémie") for row in result.records)
    )
    assert draft.new_findings([edit]) == [()]


def test_an_edit_that_mends_an_error_is_told_apart() -> None:
    draft = trials("1.2.0")
    finding = next(f for f in draft.before.findings if f.rule == "UNI-02" and f.suggestion)
    assert finding.row is not None
    assert finding.field is not None
    mending = Edit((CellSet("main", finding.row, finding.field, finding.value, finding.suggestion),))
    other = Edit((CellSet("main", finding.row, "comment", None, "Remarque"),))
    assert draft.mends([mending, other]) == [True, False]


def test_the_edition_given_stays_as_it_is() -> None:
    edition = read_edition(Path(sample("1.0.0").source.path))
    record = edition.main.records[0]
    row = dict(record.values)
    applied = apply_edits(
        edition,
        [
            Edit((CellSet("main", record.row, "unit", record["unit"], "mol/L"),)),
            Edit(removed=(RowRemoved("main", edition.main.records[1].row, {}),)),
            Edit(added=(RowAdded("main", record.row, {"result_code": "600999"}),)),
        ],
    )
    assert dict(edition.main.records[0].values) == row
    assert edition == sample("1.0.0")
    changed = applied.edition.main.records
    assert changed[0]["unit"] == "mol/L"
    assert changed[1]["result_code"] == "600999"
    assert changed[2]["result_code"] == edition.main.records[2]["result_code"]
    assert applied.places == {("main", changed[1].row): record.row + 1}


def test_order_cells_written_once_hold_for_the_rows_below() -> None:
    edition = sample("1.1.0")
    order = next(
        order for order in edition.orders.values() if order["order_type"] == "Order" and len(order.records) > 2
    )
    first, *below = order.records
    assert all("order_code" in row.inherited for row in below)
    relabelled = apply_edits(
        edition, [Edit((CellSet("main", first.row, "order_label", first["order_label"], "Autre"),))]
    ).edition
    assert {row["order_label"] for row in relabelled.orders[order.code].records} == {"Autre"}
    request = Request(1, "1", "remove", "result", "", "", code=first["result_code"], order=order.code)
    edit = propose(request, ValueSet(edition)).edit
    assert [row.row for row in edit.removed] == [first.row]
    assert {cell.row for cell in edit.cells} == {below[0].row}
    assert {cell.field for cell in edit.cells} <= set(ORDER_FIELDS)
    left = apply_edits(edition, [edit]).edition.orders[order.code]
    assert [row["result_code"] for row in left.records] == [row["result_code"] for row in below]
    assert dict(left.values) == dict(order.values)
    assert "order_code" not in left.records[0].inherited

"""Accepted requests carried into a draft, without Excel: what is carried, what is refused and why, and nothing twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from jdv_qa.language import use_language
from jdv_qa.terminology.loinc import LoincRelease
from jdv_qa.triage.application import Application, Outcome, apply_decisions
from jdv_qa.triage.decisions import Decision, decision_of
from jdv_qa.triage.requests import read_requests
from jdv_qa.workbook.edition import Edition
from tests.compare.build import terms
from tests.triage.registers import LOINC, SODIUM_BLOOD, sample, write_register

LDH, LIPIDS, CALCIUM, ALAT, LIVER = "14804-9", "24331-1", "2000-8", "1742-6", "24325-3"

Row = Mapping[str, object]


def applied(
    rows: Sequence[Row],
    folder: Path,
    draft: Edition | None = None,
    *,
    loinc: LoincRelease | None = None,
    decisions: Sequence[Decision] | None = None,
) -> Application:
    """Apply a register, all accepted unless a row or `decisions` says otherwise, to the first edition of the sample."""
    rows = [{"decision": "acceptée"} | dict(row) for row in rows]
    requests = read_requests(write_register(rows, folder / "demandes.csv")).requests
    ruled = decisions if decisions is not None else [decision_of(request) for request in requests]
    return apply_decisions(requests, ruled, draft or sample(), loinc=loinc)


def outcome(application: Application, number: int = 1) -> Outcome:
    return next(one for one in application.outcomes if one.request.number == str(number))


def states(application: Application) -> list[str]:
    return [one.state for one in application.outcomes]


def told(application: Application, number: int = 1) -> str:
    return " / ".join(reason.message for reason in outcome(application, number).reasons).replace("\u00a0", " ")


def modify(code: str, field: str, value: str, thing: str = "Résultat", **more: object) -> Row:
    return {"kind": "Modification", "object": thing, "code": code, "field": field, "value": value} | more


def create(code: str, order: str, **more: object) -> Row:
    return {"kind": "Création", "object": "Résultat", "code": code, "order": order} | more


def remove(code: str, thing: str = "Résultat", **more: object) -> Row:
    return {"kind": "Suppression", "object": thing, "code": code} | more


SODIUM = create(
    "2947-0",
    "24326-1",
    label=SODIUM_BLOOD,
    unit="mmol/L",
    display="Sodium sang total",
    comparability=1,
    chapter="18719-5",
)


def test_only_what_is_accepted_is_carried(tmp_path: Path) -> None:
    rows = [
        modify(LDH, "Libellé d'édition", "LDH"),
        modify("2951-2", "Libellé d'édition", "Na", decision="refusée"),
        modify("2823-3", "Libellé d'édition", "K", decision=""),
        modify("2000-8", "Libellé d'édition", "Ca", decision="acceptée sous réserve"),
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried", "not-accepted", "not-accepted", "not-accepted"]
    assert [one.request.number for one in done.unread] == ["4"]
    assert "pas comprise" in told(done, 4)
    assert {(cell.row, cell.field, cell.after) for cell in done.edit.cells} == {
        (record.row, "result_display", "LDH") for record in sample().results[LDH].records
    }
    assert not done.edit.added
    assert not done.edit.removed


def test_the_draft_given_stays_as_it_is_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    before = dict(sample().main.records[0].values)
    rows = [SODIUM, modify(LDH, "Libellé d'édition", "LDH"), remove("17861-6"), remove("6598-7", "Demande")]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried"] * 4
    assert dict(sample().main.records[0].values) == before
    again = applied(rows, tmp_path, done.result)
    assert states(again) == ["present"] * 4
    assert not again.edit
    assert again.result == done.result


def test_rows_and_cells_stand_where_they_will_be(tmp_path: Path) -> None:
    rows = [remove("17861-6"), SODIUM, modify("15061-5", "Libellé d'édition", "EPO")]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried"] * 3
    draft, result = sample(), done.result
    assert [record.row for record in result.main.records] == list(range(3, 3 + len(draft.main.records)))
    (added,) = done.edit.added
    assert added.below == draft.orders["24326-1"].records[-1].row
    (cell,) = outcome(done, 3).cells
    assert result.main.records[cell.row - 3]["result_display"] == "EPO"
    assert done.origin("main", cell.row) == draft.results["15061-5"].records[0].row
    new = {cell.row for cell in outcome(done, 2).cells}
    assert [done.origin("main", row) for row in new] == [None]
    assert {cell.row for cell in outcome(done, 1).cells} == {draft.results["17861-6"].records[0].row}


def test_two_that_want_different_things_are_both_refused(tmp_path: Path) -> None:
    rows = [
        modify(ALAT, "Libellé d'édition", "ALAT"),
        modify(ALAT, "Libellé d'édition", "TGP"),
        modify(LDH, "Libellé d'édition", "LDH"),
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["refused", "refused", "carried"]
    assert "demande n° 2" in told(done, 1)
    assert "demande n° 1" in told(done, 2)
    assert "1742-6" in told(done, 1)


@pytest.mark.parametrize(
    "rows",
    [
        [create("1751-7", LIVER, comparability=2), remove("1751-7", order=LIVER)],
        [create("1751-7", LIVER, comparability=2), remove(LIVER, "Demande")],
        [modify("17861-6", "Libellé d'édition", "Ca"), remove("17861-6")],
        [modify("6598-7", "Nature de prélèvement", "PLAS", "Demande"), remove("6598-7", "Demande")],
        [
            {"kind": "Création", "object": "Technique", "code": "BAX", "label": "Une technique"},
            {"kind": "Suppression", "object": "Technique", "code": "BAX"},
        ],
        [
            {
                "kind": "Création",
                "object": "Alignement NABM",
                "code": "85421-6",
                "nabm": "0270",
                "nabm_label": "Un acte",
            },
            {"kind": "Suppression", "object": "Alignement NABM", "code": "85421-6", "nabm": "0270"},
        ],
    ],
    ids=["result", "under its order", "changed result", "changed order", "entry", "act"],
)
def test_to_create_or_change_and_to_remove_are_contradictory(rows: list[Row], tmp_path: Path) -> None:
    for both in (rows, rows[::-1]):
        done = applied(both, tmp_path)
        assert states(done) == ["refused", "refused"]
        assert not done.edit


def test_a_contradiction_seen_only_once_one_is_carried_refuses_both(tmp_path: Path) -> None:
    rows = [SODIUM, modify("2947-0", "Unité", "umol/L")]
    done = applied(rows, tmp_path)
    assert states(done) == ["refused", "refused"]
    assert not done.edit


def test_what_one_would_write_over_another_is_contradictory(tmp_path: Path) -> None:
    act = "Antibiogramme des bactéries anaérobies"
    rows = [
        {
            "kind": "Modification",
            "object": "Alignement NABM",
            "code": "85421-6",
            "nabm": "0269",
            "field": "Libellé NABM/RIHN",
            "value": text,
        }
        for text in (act, f"{act} strictes")
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["refused", "refused"]
    assert not done.edit


def test_what_touches_the_same_cell_without_contradiction_is_carried_in_turns(tmp_path: Path) -> None:
    rows = [
        {"kind": "Création", "object": "Demande", "code": LIPIDS, "field": "Synonymes", "value": "Lipidogramme"},
        {"kind": "Création", "object": "Demande", "code": LIPIDS, "field": "Synonymes", "value": "Graisses"},
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried", "carried"]
    assert done.result.orders[LIPIDS]["order_synonyms"].endswith(";Lipidogramme;Graisses")
    assert not done.result.orders[LIPIDS].variants


def test_one_may_rest_on_another(tmp_path: Path) -> None:
    rows = [
        modify("15061-5", "Chapitre", "NOUV1"),
        {"kind": "Création", "object": "Chapitre", "code": "NOUV1", "label": "Un chapitre"},
        create("1751-7", "24320-4", comparability=2),
        {
            "kind": "Création", "object": "Demande", "code": "24320-4", "label": "Bilan métabolique panel [-] Sérum/Plasma ; -",
            "display": "Bilan métabolique", "order_type": "Order", "specimen": "SER",
        },
    ]  # fmt: skip
    done = applied(rows, tmp_path, loinc=LOINC)
    assert states(done) == ["carried"] * 4, [told(done, number) for number in range(1, 5)]
    (record,) = done.result.orders["24320-4"].records
    assert record["result_code"] == "1751-7"


def test_several_results_under_one_order_follow_the_register(tmp_path: Path) -> None:
    rows = [create(code, LIPIDS) for code in ("2951-2", "2823-3", "2075-0")]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried"] * 3
    assert [record["result_code"] for record in done.result.orders[LIPIDS].records][-3:] == [
        "2951-2",
        "2823-3",
        "2075-0",
    ]


def test_ranks_follow_one_another_without_gaps(tmp_path: Path) -> None:
    rows = [
        create("33863-2", LIVER, label="Cystatine C [Masse/Volume] Sérum/Plasma ; Numérique", unit="mmol/L", display="Cystatine C", comparability=2, chapter="18719-5"),
        SODIUM,
    ]  # fmt: skip
    done = applied(rows, tmp_path)
    assert states(done) == ["refused", "carried"]
    last = max(int(record["rank"]) for record in sample().main.records if record["chapter"] == "18719-5")
    assert done.result.results["2947-0"]["rank"] == str(last + 10)


def test_two_removals_that_would_leave_nothing_of_an_order_leave_its_row(tmp_path: Path) -> None:
    order = next(one for one in sample().orders.values() if len(one.records) == 2)
    rows = [remove(record["result_code"], order=order.code) for record in order.records]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried", "carried"]
    (record,) = done.result.orders[order.code].records
    assert not record["result_code"]
    assert record["order_label"] == order["order_label"]


def test_an_order_whose_first_row_went_can_still_be_changed(tmp_path: Path) -> None:
    draft = sample("1.1.0")
    order = next(one for one in draft.orders.values() if len(one.records) > 2)
    rows = [
        remove(order.records[0]["result_code"], order=order.code),
        {"kind": "Création", "object": "Demande", "code": order.code, "field": "Synonymes", "value": "Un synonyme"},
        {
            "kind": "Modification",
            "object": "Demande",
            "code": order.code,
            "field": "Nature de prélèvement",
            "value": "PLAS",
        },
    ]
    done = applied(rows, tmp_path, draft)
    assert states(done) == ["carried"] * 3
    first = done.result.orders[order.code].records[0]
    assert not first.inherited
    assert first["specimen"] == "PLAS"
    assert not applied(rows, tmp_path, done.result).edit


def test_what_brings_an_error_is_refused_with_it(tmp_path: Path) -> None:
    rows = [modify("14749-6", "Nature de prélèvement", "SANG", "Demande"), modify(LDH, "Comparabilité", "2")]
    done = applied(rows, tmp_path)
    assert states(done) == ["refused", "refused"]
    assert [reason.rule for reason in outcome(done, 1).reasons] == ["REF-03"]
    assert [reason.rule for reason in outcome(done, 2).reasons] == ["CMP-03"]


def test_what_brings_an_error_with_another_is_left_out(tmp_path: Path) -> None:
    label = "Un examen [Moles/Volume] Sérum/Plasma ; Numérique"
    common = {"label": label, "unit": "mmol/L", "comparability": 1, "chapter": "18719-5"}
    rows = [
        create("2947-0", LIVER, display="Un examen", **common),
        create("33863-2", LIVER, display="Un autre", **common),
        modify(LDH, "Libellé d'édition", "LDH"),
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried", "refused", "carried"]
    assert "avec les demandes reportées avant elle" in told(done, 2)
    assert "LAB-03" in {reason.rule for reason in outcome(done, 2).reasons}
    again = applied(rows, tmp_path, done.result)
    assert states(again) == ["present", "refused", "present"]
    assert not again.edit


def test_a_repeated_request_shares_what_becomes_of_the_first(tmp_path: Path) -> None:
    bad = modify(LDH, "Comparabilité", "2")
    good = modify(ALAT, "Libellé d'édition", "TGP")
    done = applied([good, good, bad, bad], tmp_path)
    assert states(done) == ["carried", "present", "refused", "refused"]
    assert "CMP-03" in {reason.rule for reason in outcome(done, 4).reasons}


def test_what_says_too_little_or_is_for_loinc_is_refused(tmp_path: Path) -> None:
    rows = [
        {"kind": "Modification", "object": "Résultat", "code": LDH},
        {"kind": "Création", "object": "Code LOINC", "label": "Ves v 42 Ac IgE [Arbitraire/Volume] Sérum ; Numérique"},
        create(
            "70204-6",
            LIPIDS,
            label="Cholestérol non HDL [Moles/Volume] Sérum/Plasma ; Numérique",
            unit="mmol/L",
            comparability=1,
        ),
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["refused"] * 3
    assert "manquent" in told(done, 1)
    assert "demander à LOINC" in told(done, 2)
    assert "Code retenu" in told(done, 3)


def test_what_the_meeting_retained_is_carried_instead(tmp_path: Path) -> None:
    rows = [
        modify("19113-0", "Unité", "UI/L"),
        create(
            "70204-6",
            LIPIDS,
            label="Cholestérol non HDL [Moles/Volume] Sérum/Plasma ; Numérique",
            unit="mmol/l",
            comparability=1,
        ),
        create("1751-9", LIVER, label="Albumine", comparability=2),
    ]
    decisions = [
        Decision("1", "accepted", "acceptée", value="k[IU]/L"),
        Decision("2", "accepted", "acceptée", code="70204-3", value="mmol/L"),
        Decision("3", "accepted", "acceptée", code="1751-7"),
    ]
    done = applied(rows, tmp_path, decisions=decisions)
    assert states(done) == ["carried"] * 3, [told(done, number) for number in (1, 2, 3)]
    results = done.result.results
    assert results["19113-0"]["unit"] == "k[IU]/L"
    assert (results["70204-3"]["unit"], results["70204-3"].records[0]["order_code"]) == ("mmol/L", LIPIDS)
    assert (LIVER, "1751-7") in done.result.pairs
    assert outcome(done, 2).request.code == "70204-3"
    assert "vérifié" in told(done, 2)


def test_a_retained_value_of_no_field_is_refused(tmp_path: Path) -> None:
    done = applied([remove(LDH)], tmp_path, decisions=[Decision("1", "accepted", "acceptée", value="U/L")])
    assert states(done) == ["refused"]
    assert "Valeur retenue" in told(done)


def test_a_code_that_gave_way_is_followed(tmp_path: Path) -> None:
    pending = next(code for code in sample().results if code.isdigit() and code not in sample().orders)
    rows = [
        {"kind": "Modification", "object": "Code LOINC", "code": pending, "value": "33863-2"},
        modify(pending, "Libellé d'édition", "Un nom"),
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried", "carried"], [told(done, number) for number in (1, 2)]
    assert done.result.results["33863-2"]["result_display"] == "Un nom"
    again = applied(rows, tmp_path, done.result)
    assert states(again) == ["present", "present"]
    assert "laissé la place" in told(again, 1)


def test_entries_of_reference_go_where_the_order_of_codes_wants_them(tmp_path: Path) -> None:
    draft = sample()
    codes = [record["code"] for record in draft.records("techniques")]
    assert codes == sorted(codes)
    first, middle = "000", codes[1] + "A"
    rows: list[Row] = [
        {"kind": "Création", "object": "Technique", "code": code, "label": f"Technique {code}"}
        for code in (middle, "ZZZ", first)
    ]
    done = applied(rows, tmp_path)
    assert states(done) == ["carried"] * 3
    assert [record["code"] for record in done.result.records("techniques")] == sorted([*codes, first, middle, "ZZZ"])
    assert not applied(rows, tmp_path, done.result).edit


def test_the_figures_of_the_version_follow(tmp_path: Path) -> None:
    done = applied([remove("17861-6")], tmp_path)
    figures = {cell.row: (cell.before, cell.after) for cell in done.figures}
    assert figures
    assert all(int(before or 0) - 1 == int(after or 0) for before, after in figures.values())
    assert not applied([modify(LDH, "Libellé d'édition", "LDH")], tmp_path).figures


def test_the_word_of_the_meeting_counts_against_advice_but_not_against_a_rule(tmp_path: Path) -> None:
    rows = [
        create("74774-1", "14749-6", label="Glucose [Masse/Volume] Sérum/Plasma/Sang ; Numérique", unit="g/L", display="Glucose total", comparability=1, chapter="18719-5"),
        create("2532-0", LIVER, label="Lactate déshydrogénase [Catalytique/Volume] Sérum/Plasma ; Numérique", unit="U/L", comparability=2, chapter="18719-5"),
    ]  # fmt: skip
    done = applied(rows, tmp_path, loinc=LOINC)
    assert states(done) == ["carried", "refused"]
    assert "trop large" in told(done, 1)
    assert "LNC-02" in {reason.rule for reason in outcome(done, 2).reasons}


def test_a_text_that_no_cell_can_hold_is_refused(tmp_path: Path) -> None:
    done = applied(
        [modify(LDH, "Libellé d'édition", "L" * 40_000), modify(ALAT, "Libellé d'édition", "AL\x01AT")], tmp_path
    )
    assert states(done) == ["refused", "refused"]


def test_decisions_on_unknown_requests_are_told(tmp_path: Path) -> None:
    done = applied([remove(LDH)], tmp_path, decisions=[Decision("99", "accepted", "acceptée")])
    assert [decision.number for decision in done.unknown] == ["99"]
    assert states(done) == ["not-accepted"]


def test_a_table_alone_is_refused(tmp_path: Path) -> None:
    from jdv_qa.errors import WorkbookError

    with pytest.raises(WorkbookError, match="pas sur une table seule"):
        applied([remove(LDH)], tmp_path, terms([{"code": "2951-2"}], ("code",)))


def test_in_english(tmp_path: Path) -> None:
    use_language("en")
    rows = [modify(ALAT, "Libellé d'édition", "ALAT"), modify(ALAT, "Libellé d'édition", "TGP")]
    assert "contradicts request 2" in told(applied(rows, tmp_path), 1)

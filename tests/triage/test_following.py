"""What became of requests in a release, case by case, over editions 1.0.0 and 1.1.0 of the sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jdv_qa.language import use_language
from jdv_qa.triage.decisions import Decision, Ruling
from jdv_qa.triage.following import Followed, follow
from jdv_qa.triage.requests import read_requests
from jdv_qa.triage.succession import Succession, successions
from tests.triage.registers import sample, write_register

CREATE, MODIFY, REMOVE = "Création", "Modification", "Suppression"


def followed(
    folder: Path, *rows: dict[str, Any], decision: Ruling = "accepted", before: bool = True, **kept: str
) -> list[Followed]:
    """Follow requests to edition 1.1.0, all decided alike."""
    numbered = [{"number": place, **row} for place, row in enumerate(rows, 1)]
    requests = read_requests(write_register(numbered, folder / "r.csv")).requests
    decisions = [Decision(request.number, decision, **kept) for request in requests]
    return list(follow(requests, decisions, sample("1.1.0"), sample("1.0.0") if before else None))


def result(kind: str, code: str, **more: str) -> dict[str, str]:
    return {"kind": kind, "object": "Résultat", "code": code, **more}


CASES: list[tuple[str, dict[str, str], str]] = [
    ("a value that the release has", result(MODIFY, "19113-0", field="Unité", value="k[IU]/L"), "published"),
    ("a value that it has not", result(MODIFY, "19113-0", field="Unité", value="m[IU]/L"), "absent"),
    ("a value that it had already", result(MODIFY, "14682-9", field="Unité", value="umol/L"), "already"),
    ("a field of a code that has left", result(MODIFY, "17861-6", field="Unité", value="mg/L"), "moot"),
    ("the new code of a pending one", result(MODIFY, "812046", field="Code LOINC", value="74676-8"), "published"),
    ("a code in the place of another", result(MODIFY, "14635-7", field="Code LOINC", value="68438-1"), "published"),
    ("another code than the one taken", result(MODIFY, "14635-7", field="Code LOINC", value="1989-3"), "absent"),
    ("a field of a code since replaced", result(MODIFY, "14635-7", field="Unité", value="nmol/L"), "already"),
    ("two codes, one of them gone", result(REMOVE, "17861-6;2345-7"), "partly"),
    ("two codes, both gone", result(REMOVE, "17861-6;6598-7"), "published"),
    ("two columns, one of them followed", result(MODIFY, "19113-0", unit="k[IU]/L", display="IgE"), "partly"),
    ("a creation with another value", result(CREATE, "48378-4", order="57778-3", unit="%", comparability="2"), "partly"),
    ("a creation under an order that has left", result(CREATE, "6597-9", order="6598-7", label="Troponine T"), "moot"),
    ("a creation under an order called by its label", result(CREATE, "70204-3", order="Exploration d'une anomalie lipidique"), "published"),
    ("a code with a look-alike dash", result(MODIFY, "19113–0", field="Unité", value="k[IU]/L"), "published"),
    ("a removal named by its label alone", result(REMOVE, "", label="Calcium [Masse/Volume] Sérum/Plasma ; Numérique"), "published"),
    ("an order's label", {"kind": MODIFY, "object": "Demande", "code": "4537-7", "field": "Libellé de la demande", "value": "VS"}, "absent"),
    ("an order created", {"kind": CREATE, "object": "Demande", "code": "33863-2", "label": "Cystatine C"}, "published"),
    ("an alignment of a replaced order", {"kind": CREATE, "object": "NABM", "code": "24331-1", "nabm": "9999"}, "absent"),
    ("an entry removed", {"kind": REMOVE, "object": "Nature de prélèvement", "code": "WAT"}, "published"),
    ("an entry relabelled", {"kind": MODIFY, "object": "Technique", "code": "9AX", "label": "Electrochimie-ampérométrie"}, "published"),
    ("an entry that has left", {"kind": MODIFY, "object": "Technique", "code": "9DX", "label": "Autre"}, "moot"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "state"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_states(row: dict[str, str], state: str, tmp_path: Path) -> None:
    (one,) = followed(tmp_path, row)
    assert one.state == state, (one.missing, one.notes)
    assert bool(one.missing) == (state in ("partly", "absent", "moot"))


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        ("refused", "refusée, pourtant dans la version 1.1.0"),
        ("postponed", "ajournée, pourtant dans la version 1.1.0"),
        ("", "sans décision, pourtant dans la version 1.1.0"),
        ("awaiting-loinc", "publiée dans la version 1.1.0"),
        ("accepted", "publiée dans la version 1.1.0"),
    ],
)
def test_what_came_without_being_accepted_is_told(decision: Ruling, status: str, tmp_path: Path) -> None:
    (one,) = followed(tmp_path, result(MODIFY, "19113-0", field="Unité", value="k[IU]/L"), decision=decision)
    assert one.status == status
    assert one.needs_attention == ("pourtant" in status)


def test_what_was_there_before_was_rightly_refused(tmp_path: Path) -> None:
    asked = result(CREATE, "2823-3", order="24326-1", unit="mmol/L")
    (one,) = followed(tmp_path, asked, decision="refused")
    assert (one.status, one.needs_attention) == ("refusée", False)
    (unknown,) = followed(tmp_path, asked, decision="refused", before=False)
    assert (unknown.status, unknown.needs_attention) == ("refusée", False)


def test_a_refused_duplicate_of_an_accepted_request_is_no_surprise(tmp_path: Path) -> None:
    asked = result(MODIFY, "19113-0", field="Unité", value="k[IU]/L")
    requests = read_requests(write_register([{"number": n, **asked} for n in (7, 8)], tmp_path / "r.csv")).requests
    decisions = [Decision("7", "accepted"), Decision("8", "refused")]
    first, second = follow(requests, decisions, sample("1.1.0"), sample("1.0.0"))
    assert (first.status, first.brought_by) == ("publiée dans la version 1.1.0", "")
    assert (second.status, second.brought_by, second.needs_attention) == ("refusée", "7", False)


def test_a_pending_code_that_got_its_loinc_code(tmp_path: Path) -> None:
    label = "SARS coronavirus 2 ARN [Présence/Seuil] Échantillon du système respiratoire ; Qualitatif ; PCR amplification de cible"
    asked = {"kind": CREATE, "object": "Code LOINC", "code": "905831", "label": label}
    (one,) = followed(tmp_path, asked, decision="awaiting-loinc")
    assert one.status == "publiée dans la version 1.1.0"
    assert one.notes == ("905831 est devenu 94500-6",)
    assert [(change.kind, change.code) for change in one.changes] == [("assigned", "905831")]


def test_what_was_retained_counts_not_what_was_asked(tmp_path: Path) -> None:
    asked = result(MODIFY, "19113-0", field="Unité", value="UI/L")
    assert followed(tmp_path, asked)[0].state == "absent"
    assert followed(tmp_path, asked, value="k[IU]/L")[0].state == "published"


def test_a_retained_value_without_a_field_is_told(tmp_path: Path) -> None:
    (one,) = followed(tmp_path, result(REMOVE, "17861-6"), value="peut-être")
    assert one.state == "published"
    assert "«\u00a0peut-être\u00a0» ne dit pas son champ" in one.notes[0]


def test_a_request_nobody_understands_is_not_in_it(tmp_path: Path) -> None:
    (one,) = followed(tmp_path, {"kind": "Bonjour", "object": "Résultat", "code": "19113-0"})
    assert one.state == "absent"
    assert "le type de demande n'est pas compris" in one.missing[0]


def test_no_decision_is_a_state_of_its_own(tmp_path: Path) -> None:
    rows = [{"number": 1, **result(MODIFY, "19113-0", field="Unité", value="g/L")}]
    requests = read_requests(write_register(rows, tmp_path / "r.csv")).requests
    (one,) = follow(requests, (), sample("1.1.0"), sample("1.0.0"))
    assert (one.state, one.status, one.needs_attention) == ("undecided", "sans décision", False)


def test_statuses_in_english(tmp_path: Path) -> None:
    use_language("en")
    (one,) = followed(tmp_path, result(MODIFY, "19113-0", field="Unité", value="m[IU]/L"))
    assert one.status == "accepted, not in version 1.1.0"
    assert one.missing == ('"Unité recommandée" of 19113-0: "k[IU]/L", asked "m[IU]/L"',)


def test_codes_are_followed_through_chains_and_never_in_circles() -> None:
    chain = Succession({"result": {"1": "2", "2": "3", "3": "1", "7": "8"}, "order": {"1": "9"}})
    assert chain.of("result", "1", {"3"}) == "3"
    assert chain.of("result", "7") == "8"
    assert chain.of("result", "7", {"7"}) == "7"
    assert chain.of("order", "1") == "9"
    assert chain.everywhere("7") == "8"
    assert chain.everywhere("5") == "5"
    assert chain.of("result", "1") in {"1", "2", "3"}


def test_tab_9_tells_replacements_and_assignments() -> None:
    told = successions(None, sample("1.1.0"))
    assert told.of("order", "24331-1") == "57698-3"
    assert told.of("result", "812046") == "74676-8"
    assert told.of("result", "24331-1") == "24331-1"

"""The life of a code through a register: entered, changed, assigned, replaced, removed, and a pending code used again."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from jdv_qa.checks.indicators import COUNTED, INDICATORS
from jdv_qa.errors import RegisterError
from jdv_qa.language import use_language
from jdv_qa.publish.excel import excel_workbook
from jdv_qa.publish.history import code_history
from jdv_qa.publish.register import Register, load_register
from jdv_qa.report.history_text import event_sentence, history_csv, history_json
from jdv_qa.report.indicators_report import Figures, indicators_csv, indicators_json, indicators_svg, trend
from jdv_qa.workbook.edition import Record
from tests.publish.releases import imported, versioned
from tests.publish.test_export import small_edition

SODIUM = {"order_code": "24326-1", "order_label": "Ionogramme", "order_type": "Order", "specimen": "SER", "comparability": "1", "discriminating_technique": "N", "chapter": "18719-5", "result_code": "2951-2", "result_loinc_label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "unit": "mmol/L"}  # fmt: skip
POTASSIUM = SODIUM | {
    "result_code": "2823-3",
    "result_loinc_label": "Potassium [Moles/Volume] Sérum/Plasma ; Numérique",
}
PENDING = SODIUM | {
    "result_code": "600238",
    "result_loinc_label": "Lithium [Moles/Volume] Sérum/Plasma ; Numérique",
    "result_display": "Lithium",
}
ASSIGNED = PENDING | {"result_code": "14334-7"}
OTHER = PENDING | {
    "result_loinc_label": "Ferritine [Masse/Volume] Sérum/Plasma ; Numérique",
    "result_display": "Ferritine",
}
VERSIONS = [
    ("1.0.0", [SODIUM, PENDING]),
    ("1.1.0", [SODIUM, PENDING, POTASSIUM]),
    ("1.2.0", [SODIUM, ASSIGNED, POTASSIUM | {"unit": "umol/L"}]),
    ("1.3.0", [SODIUM, ASSIGNED, POTASSIUM | {"unit": "umol/L"}]),
    ("1.4.0", [SODIUM, ASSIGNED | {"unit": "umol/L"}]),
    ("1.5.0", [SODIUM, ASSIGNED | {"unit": "umol/L"}, OTHER]),
]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Register:
    folder = tmp_path_factory.mktemp("history")
    made = load_register(folder / "releases")
    for number, (version, rows) in enumerate(VERSIONS):
        edition = versioned(small_edition(), version, f"20{20 + number}-01-15")
        records = tuple(Record(place, row) for place, row in enumerate(rows, 3))
        path = folder / f"{version}.xlsx"
        path.write_bytes(
            excel_workbook(replace(edition, tables={**edition.tables, "main": replace(edition.main, records=records)}))
        )
        made = imported(made, path)
    return made


def told(register: Register, code: str) -> list[tuple[str, str, str]]:
    return [(event.version, event.happening, event_sentence(event)) for event in code_history(register, code).events]


def test_a_code_that_came_changed_and_went(register: Register) -> None:
    assert told(register, "2823-3") == [
        ("1.1.0", "added", "2823-3 : ajout (résultat)"),
        ("1.1.0", "added", "résultat 2823-3 ajouté à la demande 24326-1"),
        ("1.2.0", "modified", "2823-3 : Unité recommandée : mmol/L → umol/L"),
        ("1.4.0", "removed", "2823-3 : suppression (résultat)"),
        ("1.4.0", "removed", "résultat 2823-3 retiré de la demande 24326-1"),
    ]
    assert code_history(register, "2823-3").standing == ()


LITHIUM = [
    ("1.0.0", "first", "600238 : résultat, dès la première version du registre"),
    ("1.2.0", "assigned", "600238 (résultat) : code LOINC attribué, 14334-7"),
    ("1.4.0", "modified", "14334-7 : Unité recommandée : mmol/L → umol/L"),
]


def test_a_pending_code_and_the_code_it_was_given_are_one_life(register: Register) -> None:
    life = code_history(register, "14334-7")
    assert told(register, "14334-7") == LITHIUM
    assert (life.codes, life.standing) == (("600238", "14334-7"), ("14334-7",))
    # asked about the pending code itself, its second use counts too
    assert told(register, "600238")[:3] == LITHIUM
    assert [event[:2] for event in told(register, "600238")[3:]] == [("1.5.0", "added"), ("1.5.0", "added")]


def test_an_order_has_its_results_and_a_reference_its_entry(register: Register) -> None:
    assert [event[1:] for event in told(register, "24326-1")] == [
        ("first", "24326-1 : demande, dès la première version du registre"),
        ("added", "résultat 2823-3 ajouté à la demande 24326-1"),
        ("removed", "résultat 2823-3 retiré de la demande 24326-1"),
        ("added", "résultat 600238 ajouté à la demande 24326-1"),
    ]
    assert told(register, "SER") == [
        ("1.0.0", "first", "SER : nature de prélèvement, dès la première version du registre")
    ]
    assert told(register, "99999-8") == []


def test_every_version_is_on_the_timeline(register: Register) -> None:
    life = code_history(register, "2823-3")
    assert list(life.by_version) == [version for version, _ in VERSIONS]
    assert [len(events) for events in life.by_version.values()] == [0, 2, 1, 0, 2, 0]


def test_forms_for_scripts(register: Register) -> None:
    life = code_history(register, "14334-7")
    content = json.loads(history_json(life))
    assert (content["schema"], content["codes"], content["in_last_version"]) == (
        "jdv-history/1",
        ["600238", "14334-7"],
        ["14334-7"],
    )
    assert content["events"][2] == {
        "version": "1.4.0", "date": "2024-01-15", "kind": "modified", "part": "result", "code": "14334-7", "label": PENDING["result_loinc_label"], "field": "unit",
        "old": "mmol/L", "new": "umol/L",
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(history_csv(life).decode()), delimiter=";"))
    assert [row["kind"] for row in rows] == ["first", "assigned", "modified"]
    assert rows[2]["header"] == "Unité recommandée"


def test_an_empty_register_and_damaged_changes_are_one_line(register: Register, tmp_path: Path) -> None:
    with pytest.raises(RegisterError, match="n'a aucune version"):
        code_history(load_register(tmp_path), "2951-2")
    damaged = imported(
        load_register(tmp_path / "r"), register.folder(register.releases[0]) / "classeur" / "JDV_CircuitBio_1.0.0.xlsx"
    )
    damaged = imported(damaged, register.folder(register.releases[1]) / "classeur" / "JDV_CircuitBio_1.1.0.xlsx")
    path = tmp_path / "r" / "1.1.0" / "changes.json"
    path.chmod(0o644)
    for content in (b"{", b"[]", b'{"changes": [{"kind": "x", "part": "order"}]}', b"[" * 100_000, None):
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(RegisterError, match=r"changes\.json : changements illisibles .*jdv verify 1\.1\.0"):
            code_history(damaged, "2951-2")


FIGURES = [
    Figures("1.0", "2026-01-15", dict(zip(INDICATORS, (10, 2, 6, 1, 1, 30, 28, 2), strict=True))),
    Figures("1.1", "", dict(zip(INDICATORS, (12, 2, 8, 1, 1, 30, 29, 1), strict=True))),
    Figures("1.2", "2026-07-15", {}),
]


def test_trend() -> None:
    assert trend([1, 8, 4]) == "▁█▄"
    assert len(set(trend([5, 5, 5]))) == 1


def test_every_indicator_says_how_it_is_counted() -> None:
    assert list(COUNTED) == list(INDICATORS)
    assert len({text for texts in COUNTED.values() for text in texts}) == 2 * len(COUNTED)


def test_indicators_as_csv_and_json() -> None:
    rows = list(csv.reader(io.StringIO(indicators_csv(FIGURES).decode()), delimiter=";"))
    assert rows[0] == ["Indicateur", "1.0", "1.1", "1.2", "Comptage"]
    assert rows[1][:4] == ["Codes LOINC demandes", "10", "12", ""]
    content = json.loads(indicators_json(FIGURES))
    assert content["versions"][1] == {"version": "1.1", "date": "", "figures": FIGURES[1].values}
    assert content["indicators"][0]["counted"].startswith("codes différents")


@pytest.mark.parametrize("versions", [1, 2, 30])
def test_plot_is_well_formed_and_true_to_scale(versions: int) -> None:
    from lxml import etree

    figures = [replace(FIGURES[0], version=f"1.{number}") for number in range(versions)]
    svg = indicators_svg(figures)
    root = etree.fromstring(svg.encode())
    space = "{http://www.w3.org/2000/svg}"
    bars = {
        title.text: float(title.getparent().get("height"))
        for title in root.iter(f"{space}title")
        if title.getparent().tag == f"{space}rect"
    }
    assert len(bars) == 6 * versions
    orders = [height for text, height in bars.items() if text.startswith("1.0 – Demandes")]
    assert [round(height / orders[0] * 2) for height in orders] == [2, 6, 1, 1]
    assert indicators_svg(figures) == svg
    assert "&lt;b&gt;" in indicators_svg([replace(FIGURES[0], version="<b>")])


def test_plot_without_a_figure_and_in_english() -> None:
    use_language("en")
    svg = indicators_svg([FIGURES[2]])
    assert "Result codes" in svg
    assert "NaN" not in svg

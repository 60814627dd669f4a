"""What is told beside the changes: splits, merges and moves, keys that are not unique, rewordings, who must act."""

from __future__ import annotations

import html
import re
from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook
from rich.console import Console

from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Comparison
from jdv_qa.publish.notes import release_notes
from jdv_qa.report.changes_excel import changes_excel
from jdv_qa.report.changes_html import changes_html
from jdv_qa.report.changes_json import changes_content
from jdv_qa.report.changes_markdown import changes_markdown
from jdv_qa.report.changes_text import print_changes
from tests.compare.build import Row, edition, row, terms
from tests.compare.test_transitions import release

CHAPTERS = [
    {"code": code, "label": label, "subcode": code, "sublabel": label}
    for code, label in (("18719-5", "Biochimie"), ("92895-2", "Endocrinologie"))
]


def panel(order: str, *results: str) -> list[dict[str, str]]:
    return [row(order, result, order_type="Order", rank=result) for result in results]


def text_of(comparison: Comparison) -> str:
    paper = StringIO()
    print_changes(comparison, Console(file=paper, width=200, markup=False, highlight=False))
    return paper.getvalue().replace("\u202f", " ").replace("\u00a0", " ")


def moves(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[tuple[str, list[str], list[str], list[str]]]:
    found = compare(edition(old), edition(new)).movements
    return [(m.kind, [one.code for one in m.sources], [one.code for one in m.targets], list(m.codes)) for m in found]


SODIUM, POTASSIUM, CALCIUM, UREA, OTHER = "2951-2", "2823-3", "1995-0", "3094-0", "2345-7"


class TestMovements:
    def test_a_split_into_two_new_orders(self) -> None:
        old = panel("24326-1", SODIUM, POTASSIUM, CALCIUM, UREA)
        new = [*panel("24320-4", SODIUM, POTASSIUM), *panel("24321-2", CALCIUM, UREA)]
        assert moves(old, new) == [
            ("split", ["24326-1"], ["24320-4", "24321-2"], [CALCIUM, POTASSIUM, SODIUM, UREA]),
        ]
        assert moves(new, old) == [
            ("merge", ["24320-4", "24321-2"], ["24326-1"], [CALCIUM, POTASSIUM, SODIUM, UREA]),
        ]

    def test_an_order_that_keeps_some_of_its_results(self) -> None:
        old = panel("24326-1", SODIUM, POTASSIUM, CALCIUM, UREA)
        new = [*panel("24326-1", SODIUM, POTASSIUM), *panel("24321-2", CALCIUM, UREA)]
        assert moves(old, new) == [("split", ["24326-1"], ["24326-1", "24321-2"], [CALCIUM, UREA])]
        assert moves(new, old) == [("merge", ["24326-1", "24321-2"], ["24326-1"], [CALCIUM, UREA])]

    def test_changes_stay_of_the_five_kinds_and_are_linked(self) -> None:
        old = panel("24326-1", SODIUM, POTASSIUM, CALCIUM, UREA)
        new = [*panel("24320-4", SODIUM, POTASSIUM), *panel("24321-2", CALCIUM, UREA)]
        comparison = compare(edition(old), edition(new))
        (removed,) = comparison.select("removed", "order")
        assert removed.related == ("24320-4", "24321-2")
        assert "Demande scindée : 24326-1 (Demande 24326-1) → 24320-4" in text_of(comparison)
        assert changes_content(comparison)["movements"] == [
            {
                "kind": "split",
                "from": ["24326-1"],
                "to": ["24320-4", "24321-2"],
                "codes": [CALCIUM, POTASSIUM, SODIUM, UREA],
            }
        ]

    @pytest.mark.parametrize(
        "new",
        [
            panel("24326-1", SODIUM, POTASSIUM, CALCIUM),  # one result taken out
            [
                *panel("24326-1", SODIUM, POTASSIUM, CALCIUM),
                *panel("24321-2", OTHER, UREA),
            ],  # one goes to another order
            [
                *panel("24326-1", SODIUM, POTASSIUM, CALCIUM, UREA),
                *panel("24321-2", UREA, SODIUM),
            ],  # a new order beside
            panel("24326-1", SODIUM, POTASSIUM, CALCIUM, UREA, OTHER),
        ],
    )
    def test_what_is_no_split(self, new: list[dict[str, str]]) -> None:
        old = [*panel("24326-1", SODIUM, POTASSIUM, CALCIUM, UREA), *panel("24321-2", OTHER)]
        if {line["order_code"] for line in new} == {"24326-1"}:
            new = [*new, *panel("24321-2", OTHER)]
        assert moves(old, new) == []

    def test_results_that_change_chapter_go_together(self) -> None:
        old = [row(SODIUM), row(POTASSIUM), row(CALCIUM)]
        new = [line | {"chapter": "92895-2", "subchapter": "92895-2"} for line in old[:2]] + [old[2]]
        comparison = compare(edition(old, {"chapters": CHAPTERS}), edition(new, {"chapters": CHAPTERS}))
        (move,) = comparison.movements
        assert (move.kind, move.codes) == ("chapter", (POTASSIUM, SODIUM))
        assert (
            "Changement de chapitre : 18719-5 (Biochimie) → 92895-2 (Endocrinologie), 2 résultats : 2823-3, 2951-2."
        ) in text_of(comparison)
        assert comparison.summary["modified"] == 4


class TestCollisions:
    def test_a_pair_written_twice(self) -> None:
        old, new = [row(), row(unit="g/L")], [row()]
        comparison = compare(edition(old), edition(new))
        (found,) = comparison.collisions
        assert (found.side, found.part, found.code, found.result, found.rows) == (
            "old",
            "association",
            *["2951-2"] * 2,
            (3, 4),
        )
        assert "association demande–résultat 2951-2 – 2951-2, lignes 3, 4" in text_of(comparison)
        assert [(c.field, c.old, c.new) for c in comparison.changes] == [("unit", "g/L | mmol/L", "mmol/L")]

    def test_a_pending_code_with_two_meanings(self) -> None:
        names = ["Sodium [Moles/Volume] Sérum ; Numérique", "Potassium [Moles/Volume] Sérum ; Numérique"]
        old = [
            row("24326-1", "600238", result_loinc_label=names[0]),
            row("24320-4", "600238", result_loinc_label=names[1]),
        ]
        new = [old[0], old[1] | {"result_code": "2823-3"}]
        comparison = compare(edition(old), edition(new))
        (found,) = comparison.collisions
        assert (found.kind, found.code, found.rows, found.values) == ("meanings", "600238", (3, 4), tuple(names))
        told = {(c.kind, c.part, c.code) for c in comparison.changes}
        assert {
            ("added", "result", "2823-3"),
            ("modified", "result", "600238"),
            ("removed", "association", "24320-4"),
        } <= told

    def test_two_wordings_are_one_meaning(self) -> None:
        names = ["ADN [Sensibilité] Isolat ; Numérique", "ADN [Susceptibilité] Isolement ; Numérique"]
        one = edition(
            [
                row("24326-1", "600238", result_loinc_label=names[0]),
                row("24320-4", "600238", result_loinc_label=names[1]),
            ]
        )
        assert compare(one, one).collisions == ()

    def test_a_code_twice_in_a_reference_tab_and_in_a_table_of_terms(self) -> None:
        specimens: list[Row] = [{"code": "SER", "label": "Sérum"}, {"code": "SER", "label": "Serum"}]
        one = edition([row()], {"specimens": specimens, "chapters": [*CHAPTERS, CHAPTERS[0]]})
        assert [(c.side, c.part, c.code, c.rows) for c in compare(one, one).collisions] == [
            (side, part, code, rows)
            for side in ("old", "new")
            for part, code, rows in (("chapter", "18719-5", (2, 4)), ("specimen", "SER", (2, 3)))
        ]
        table = terms([{"code": "1-8"}, {"code": "1-8", "label": "x"}], ("code", "label"))
        assert len(compare(table, table).collisions) == 2
        assert compare(table, table).changes == ()


def test_all_is_told_in_every_report_and_in_the_notes() -> None:
    """Splits, moves, keys that are not unique, LOINC statuses: none of the forms for people leaves one out."""
    old = [*panel("24326-1", SODIUM, POTASSIUM, CALCIUM, UREA), *panel("24325-3", OTHER, OTHER)]
    new = [*panel("24320-4", SODIUM, POTASSIUM), *panel("24321-2", CALCIUM, UREA), *panel("24325-3", OTHER, OTHER)]
    new = [line | {"chapter": "92895-2", "subchapter": "92895-2"} for line in new]
    new[-1]["result_code"] = "600238"
    new += [row("2000-8", "600238", result_loinc_label="Calcium")]
    versions = edition(old, {"chapters": CHAPTERS}), edition(new, {"chapters": CHAPTERS}, version="1.1.0")
    releases = release("2.80", _2951_2="DEPRECATED"), release("2.79", _2951_2="ACTIVE")
    comparison = compare(*versions, loinc=releases[0], old_loinc=releases[1])
    book = load_workbook(BytesIO(changes_excel(comparison, *versions)))
    summary = " ".join(str(cell) for line in book["Synthèse"].iter_rows(values_only=True) for cell in line if cell)
    forms = {
        "text": text_of(comparison),
        "markdown": changes_markdown(comparison, *versions),
        "html": html.unescape(changes_html(comparison, *versions)),
        "excel": summary,
        "notes": release_notes(*versions, comparison),
    }
    for name, form in forms.items():
        shown = re.sub(r"\s+", " ", form.replace("\u202f", " ").replace("\u00a0", " ").replace("\\", ""))
        for sentence in (
            "Demande scindée : 24326-1 (Demande 24326-1) → 24320-4",
            "Changement de chapitre : 18719-5 (Biochimie) → 92895-2 (Endocrinologie), 5 résultats",
            "Clé non unique (ancienne version) : association demande–résultat 24325-3 – 2345-7, lignes 7, 8",
            "le code en attente 600238 a plusieurs sens, lignes 8, 9",
        ):
            assert sentence in shown, (name, sentence)
        assert re.search(r"ACTIVE \S DEPRECATED", shown), name


class TestNoise:
    def test_a_known_rewording_is_editorial_and_told_apart(self) -> None:
        old = [row(result_loinc_label="Pénicilline [Susceptibilité] Isolement ; Qualitatif"), row(POTASSIUM)]
        new = [
            row(result_loinc_label="Pénicilline [Sensibilité] Isolat ; Qualitatif"),
            row(POTASSIUM, result_loinc_label="K"),
        ]
        comparison = compare(edition(old), edition(new))
        assert {(c.code, c.reworded, c.impact, c.actors) for c in comparison.changes} == {
            (SODIUM, True, "editorial", ("nobody",)),
            (POTASSIUM, False, "editorial", ("nobody",)),
        }
        assert "même sens écrit autrement (1 résultat)" in text_of(comparison)

    def test_an_axis_of_a_term(self) -> None:
        fields = ("code", "label", "property", "system")
        old = terms([{"code": "1-8", "property": "Susceptibilité", "system": "Isolement"}], fields)
        new = terms([{"code": "1-8", "property": "Sensibilité", "system": "Sang"}], fields)
        assert {(c.field, c.reworded, c.impact) for c in compare(old, new).changes} == {
            ("property", True, "editorial"),
            ("system", False, "breaking"),
        }

    def test_an_entry_that_gains_its_code(self) -> None:
        old = row("", "2951-2", order_label="Natrémie", order_loinc_label="Sodium")
        new = old | {"order_code": "2951-2"}
        (change,) = compare(edition([old]), edition([new])).changes
        assert (change.kind, change.part, change.field, change.old, change.new) == (
            "modified",
            "order",
            "order_code",
            "",
            SODIUM,
        )


def test_who_must_act() -> None:
    old = [row(), row(POTASSIUM)]
    new = [row(unit="g/L", chapter="92895-2"), row(POTASSIUM, result_display="K")]
    comparison = compare(edition(old), edition(new))
    assert comparison.actors == {"laboratory": 2, "software": 2, "nobody": 0}
    assert "À faire par : paramétrage des laboratoires 2, éditeurs de logiciels 2." in text_of(comparison)


def test_what_resembles_is_told_and_linked() -> None:
    kept = row("24326-1", POTASSIUM)
    label = "Acide oxalique [Moles/Volume] Urine ; Numérique"
    old = [kept, row("24326-1", "600238", result_loinc_label=label, result_display="Oxalate")]
    new = [kept, row("24326-1", "600239", result_loinc_label=label, result_display="Oxalate")]
    comparison = compare(edition(old), edition(new))
    assert {(c.kind, c.part, c.related) for c in comparison.changes if c.part == "result"} == {
        ("removed", "result", ("600239",)),
        ("added", "result", ("600238",)),
    }
    assert "Résultat 600238 : code peut-être remplacé par 600239 (confiance 100 %)." in text_of(comparison)

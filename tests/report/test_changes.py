"""The changes as text and as JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from rich.console import Console

from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Comparison
from jdv_qa.language import use_language
from jdv_qa.report.changes_json import changes_json
from jdv_qa.report.changes_text import marked_words, print_changes, summary_sentence
from jdv_qa.workbook.edition import MAIN_FIELDS
from tests.compare.build import edition, row

NARROW = "\u202f"


@pytest.fixture(autouse=True)
def _french_again() -> Iterator[None]:
    yield
    use_language("fr")


def text_of(comparison: Comparison, width: int = 100, limit: int | None = 50) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    print_changes(comparison, console, limit=limit)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def one_way(count: int = 1) -> Comparison:
    codes = [f"{number}-1" for number in range(100, 100 + count)]
    return compare(
        edition([row()], version="1.1.10"), edition([row(unit="[IU]/L"), *map(row, codes)], version="1.1.11")
    )


def test_the_sentence_counts_by_kind() -> None:
    assert summary_sentence(one_way(2)) == (f"7 changements entre 1.1.10 et 1.1.11{NARROW}: 6 ajouts, 1 modification.")
    use_language("en")
    assert summary_sentence(one_way(2)) == "7 changes between 1.1.10 and 1.1.11: 6 additions, 1 modification."


def test_no_change() -> None:
    one = edition([row()], path="v1.xlsx")
    assert text_of(compare(one, edition([row()], path="v2.xlsx"))) == (
        "Aucun changement entre v1.xlsx (1.0.0) et v2.xlsx (1.0.0).\n"
    )


@pytest.mark.parametrize("width", [80, 140])
def test_square_brackets_and_long_words_reach_the_reader(width: int) -> None:
    comparison = compare(
        edition([row(result_display="[bold]avant[/bold]")]),
        edition([row(unit="[IU]/L", result_display=f"[red]:smile: {'x' * 200}")]),
    )
    text = text_of(comparison, width)
    assert "[IU]/L" in text
    assert "[bold]avant[/bold]" in text.replace(" ", "").replace("\n", "") or "[bold]avant" in text
    assert text.count("x") >= 200
    assert ":smile:" in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_rows_beyond_the_limit_are_announced() -> None:
    text = text_of(one_way(60))
    assert f"50 lignes sur 60{NARROW}; --limit 0" in text
    assert "30 changements ne sont pas montrés" in text
    whole = text_of(one_way(60), limit=None)
    assert "--limit" not in whole
    assert all(f" {number}-1 " in whole for number in range(100, 160))


def test_what_could_not_be_compared_is_said() -> None:
    narrow = [name for name in MAIN_FIELDS if name != "comment"]
    text = text_of(compare(edition([row()], fields=narrow), edition([row(comment="x")])))
    assert "Commentaire" in text
    assert "l'ancienne version" in text


def test_every_kind_of_change_can_be_shown() -> None:
    chapters = [{"code": "18719-5", "label": "Biochimie"}]
    labels = {"result_loinc_label": "Sodium", "order_loinc_label": "Natrémie", "order_label": "Na"}
    old = [row("600238", nabm_code="1609", nabm_label="Iono", **labels), row("", "2823-3", order_label="Sans code")]
    new = [row("2951-2", nabm_code="1609;1610", nabm_label="Ionogramme;Autre", **labels), row("2947-0", "")]
    comparison = compare(edition(old, {"chapters": []}), edition(new, {"chapters": chapters}))
    assert {change.kind for change in comparison.changes} == {"added", "removed", "modified", "assigned"}
    text = text_of(comparison, 140)
    for wanted in ("2951-2", "sans code", "Iono", "Biochimie", "1610"):
        assert wanted in text


@pytest.mark.parametrize(
    ("old", "new", "gone", "come"),
    [
        ("Sodium urinaire", "Sodium sanguin", "urinaire", "sanguin"),
        ("a b c", "a c", "b ", ""),
        ("", "x", "(vide)", "x"),
    ],
)
def test_changed_words_are_marked(old: str, new: str, gone: str, come: str) -> None:
    before, after = marked_words(old, new)
    assert "".join(before.plain[span.start : span.end] for span in before.spans) or before.plain == gone
    assert (before.plain, after.plain) == (old or "(vide)", new)
    marked = "".join(after.plain[span.start : span.end] for span in after.spans)
    assert marked == come or after.style


def test_json_form() -> None:
    content = json.loads(changes_json(one_way()))
    assert list(content)[:5] == ["schema", "old", "new", "summary", "changes"]
    assert content["schema"] == "jdv-diff/1"
    assert content["old"] == {"path": "jdv.xlsx", "sha256": "0" * 64, "version": "1.1.10"}
    assert content["summary"] == {"added": 3, "removed": 0, "modified": 1, "assigned": 0, "replaced": 0}
    unit = next(change for change in content["changes"] if change["kind"] == "modified")
    assert unit == {
        "kind": "modified", "part": "result", "code": "2951-2", "label": row()["result_loinc_label"], "field": "unit",
        "old": "mmol/L", "new": "[IU]/L", "impact": "breaking", "old_row": 3, "new_row": 3,
    }  # fmt: skip


def test_json_does_not_depend_on_the_language() -> None:
    french = changes_json(one_way())
    use_language("en")
    assert changes_json(one_way()) == french

"""The impact of changes, and the version number they call for."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.compare.impact import load_impacts, next_version, propose_version
from jdv_qa.compare.model import KINDS, PARTS, REFERENCES, Change, Impact, Kind, Part
from jdv_qa.compare.versions import version_key
from jdv_qa.errors import RuleFileError
from jdv_qa.language import use_language
from jdv_qa.workbook.edition import ORDER_FIELDS, RESULT_FIELDS
from tests.compare.build import edition, row

BREAKING_FIELDS = {
    "order_type", "specimen", "site", "laterality", "unit", "unit_secondary", "conversion_factor", "comparability",
    "discriminating_technique", "chapter", "subchapter",
}  # fmt: skip


def change(kind: Kind, part: Part = "result", field: str | None = None, impact: Impact = "breaking") -> Change:
    return Change(kind, part, "2951-2", "Sodium", field, impact=impact)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_change_is_judged_with_a_reason(kind: Kind, part: Part) -> None:
    judgement = load_impacts().judge(change(kind, part, "label" if kind == "modified" else None))
    assert judgement.fr
    assert judgement.en
    if kind != "modified":
        assert judgement.impact == ("additive" if kind == "added" else "breaking")


def test_each_field_of_the_main_tab_is_judged_by_name() -> None:
    judgements = load_impacts().judgements
    for part, fields, code in (("order", ORDER_FIELDS, "order_code"), ("result", RESULT_FIELDS, "result_code")):
        for name in fields:
            if name not in (code, "nabm_code", "nabm_label"):
                impact = judgements[part, "modified", name].impact
                assert impact == ("breaking" if name in BREAKING_FIELDS else "editorial"), name


@pytest.mark.parametrize("part", [*REFERENCES, "nabm"])
def test_labels_of_reference_tables_are_editorial(part: Part) -> None:
    assert load_impacts().judge(change("modified", part, "label")).impact == "editorial"


def test_changes_carry_their_impact() -> None:
    said = compare(edition([row()]), edition([row(unit="g/L", comment="x"), row("2823-3")])).changes
    assert {(c.field or c.kind): c.impact for c in said} == {
        "unit": "breaking",
        "comment": "editorial",
        "added": "additive",
    }


def test_reasons_follow_the_language() -> None:
    judgement = load_impacts().judge(change("removed"))
    use_language("en")
    try:
        assert judgement.reason == judgement.en
    finally:
        use_language("fr")
    assert "\u202f;" in judgement.reason


COMPLETE = """
parts:
  "*":
    added: {impact: additive, fr: a}
    removed: {impact: breaking, fr: b}
    assigned: {impact: breaking, fr: c}
    replaced: {impact: breaking, fr: d}
    modified: {"*": {impact: editorial, fr: e}}
"""


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "impact.yaml"
    path.write_text(COMPLETE + "  result:\n    modified: {comment: {impact: breaking, fr: f}}\n", encoding="utf-8")
    impacts = load_impacts(path)
    assert impacts.judge(change("modified", field="comment")).impact == "breaking"
    assert impacts.judge(change("modified", field="unit")).impact == "editorial"
    assert compare(edition([row()]), edition([row(unit="g/L")]), impacts).changes[0].impact == "editorial"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (None, "introuvable"),
        ("parts: [", "illisible"),
        ("a: 1", "parts"),
        (COMPLETE + "  resultat: {}\n", "resultat"),
        (COMPLETE + "  result:\n    deleted: {impact: breaking, fr: f}\n", "deleted"),
        (COMPLETE + "  result:\n    added: {impact: serious, fr: f}\n", "parts.result.added"),
        (COMPLETE + "  result:\n    modified: {unit: {impact: breaking}}\n", "parts.result.modified.unit"),
        (COMPLETE.replace("    replaced: {impact: breaking, fr: d}\n", ""), "replaced"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, content: str | None, place: str) -> None:
    path = tmp_path / "impact.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(RuleFileError) as error:
        load_impacts(path)
    assert place in str(error.value)
    assert "impact.yaml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("version", "minor", "patch"),
    [
        ("1.1.10", "1.2.0", "1.1.11"),
        ("v2.0.3", "v2.1.0", "v2.0.4"),
        ("2.23", "2.24", "2.23.1"),
        ("2.23 (2.79-2.80)", "2.24", "2.23.1"),
        ("3", "3.1", "3.0.1"),
        ("1.2.3.4", "1.3.0.0", "1.2.4.0"),
        ("", "", ""),
        ("brouillon", "", ""),
    ],
)
def test_next_version(version: str, minor: str, patch: str) -> None:
    assert next_version(version, "minor") == minor
    assert next_version(version, "patch") == patch


@pytest.mark.parametrize(
    ("impacts", "version", "step", "reasons"),
    [
        ([], "1.1.10", "none", 1),
        (["editorial"], "1.1.11", "patch", 1),
        (["editorial", "additive"], "1.2.0", "minor", 1),
        (["additive", "breaking", "breaking"], "1.2.0", "minor", 2),
    ],
)
def test_proposals(impacts: list[Impact], version: str, step: str, reasons: int) -> None:
    proposal = propose_version("1.1.10", [change("modified", field="unit", impact=impact) for impact in impacts])
    assert (proposal.version, proposal.step, len(proposal.reasons)) == (version, step, reasons)


def test_no_number_to_start_from_is_said() -> None:
    proposal = propose_version("brouillon", [change("removed")])
    assert proposal.version == ""
    assert "brouillon" in proposal.reasons[-1]


def test_version_keys() -> None:
    assert version_key("1.10.0 (2.80)") == (1, 10, 0)
    assert version_key("brouillon") is None

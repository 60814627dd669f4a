"""The whole comparison on full-size workbooks whose changes are known, for each layout and from one to the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.report.changes_json import changes_json
from jdv_qa.workbook.edition import Record
from jdv_qa.workbook.read import read_edition

pytestmark = pytest.mark.slow


def _key(change: dict[str, Any]) -> tuple[str, ...]:
    kind, part, code = (str(change[name]) for name in ("kind", "part", "code"))
    if part in ("association", "nabm"):
        return kind, part, code, str(change["result" if part == "association" else "nabm"])
    if kind in ("assigned", "replaced"):
        return kind, part, code, str(change["new_code"])
    if kind == "modified":
        return kind, part, code, str(change["field"]), str(change["old"]), str(change["new"])
    return kind, part, code


Corpus = Callable[[int, str, str], Path]
FORMS = [("a", "repeat"), ("a", "blank"), ("b", "merge"), ("b", "repeat")]


ACROSS = [("a", "blank"), ("b", "merge")]
PAIRS = [
    *((1, old, new) for old in FORMS for new in FORMS),
    *((seed, old, new) for seed in (2, 3) for old in ACROSS for new in ACROSS),
]


@pytest.mark.parametrize(("seed", "old", "new"), PAIRS)
def test_every_change_is_told_once_and_nothing_else(
    corpus: Corpus, seed: int, old: tuple[str, str], new: tuple[str, str]
) -> None:
    one = read_edition(corpus(seed, *old) / "v1.xlsx")
    two = read_edition(corpus(seed, *new) / "v2.xlsx")
    report = json.loads(changes_json(compare(one, two)))
    truth = json.loads((corpus(seed, *old) / "diff_truth.json").read_text(encoding="utf-8"))
    said = Counter(_key(change) for change in report["changes"])
    assert said == Counter(_key(change) for change in truth)
    assert sum(report["summary"].values()) == len(truth)
    assert report["uncompared"] == report["collisions"] == []
    # The real techniques whose code changed and whose text did not.
    assert [(pair["part"], pair["confidence"]) for pair in report["resemblances"]] == [("technique", 1.0)] * 8


@pytest.mark.parametrize("new", FORMS)
def test_a_version_does_not_differ_from_itself(corpus: Corpus, new: tuple[str, str]) -> None:
    one = read_edition(corpus(1, "a", "blank") / "v1.xlsx")
    two = read_edition(corpus(1, *new) / "v1.xlsx")
    assert compare(one, two).changes == ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_recodings_are_found_when_their_labels_are_edited_too(corpus: Corpus, seed: int) -> None:
    """The labels of every code assigned or replaced are edited at the same time; the codes must still be one change."""
    one = read_edition(corpus(seed, "a", "blank") / "v1.xlsx")
    two = read_edition(corpus(seed, "b", "merge") / "v2.xlsx")
    truth = json.loads((corpus(seed, "a", "blank") / "diff_truth.json").read_text(encoding="utf-8"))
    wanted = {(str(t["code"]), str(t["new_code"])) for t in truth if t["kind"] in ("assigned", "replaced")}
    recoded = {new for _, new in wanted}
    random = Random(seed)
    edits = {code: random.randrange(4) for code in sorted(recoded)}

    def edited(record: Record) -> Record:
        values = dict(record.values)
        edit = edits.get(record["result_code"])
        if edit is None:
            return record
        component, bracket, rest = record["result_loinc_label"].partition(" [")
        if edit == 0:
            values["result_loinc_label"] = f"{component} (révisé){bracket}{rest}"
        elif edit == 1:
            values["result_loinc_label"] = f"{component}{bracket}{rest} ; Méthode normalisée"
        elif edit == 2:
            values["result_display"] = f"{record['result_display']} (nouveau libellé)"
            values["result_loinc_label"] = f"{component} (révisé){bracket}{rest}"
        else:
            values["result_display"] = "Libellé d'édition entièrement récrit"
        return replace(record, values=values)

    main = replace(two.main, records=tuple(map(edited, two.main.records)))
    comparison = compare(one, replace(two, tables={**two.tables, "main": main}))
    found = {(recoding.old_code, recoding.new_code) for recoding in comparison.recodings}
    assert found <= wanted
    assert len(found) == len(wanted)

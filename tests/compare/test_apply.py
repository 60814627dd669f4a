"""Applying the reported changes to the old edition gives the new one: nothing is lost, nothing is made up."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.compare.compare import compare
from jdv_qa.terminology.codes import check_digit
from jdv_qa.workbook.edition import Edition, Table
from tests.compare.apply import applied, facts
from tests.compare.build import Row, edition, row

NAMES = ("Sodium", "Potassium", "Calcium", "Calcium ionisé", "Glucose", "Lactate", "Urée", "IgG", "IgM")
PROPERTIES = ("Moles/Volume", "Masse/Volume")


def code_of(number: int) -> str:
    return f"{number}-{check_digit(str(number))}"


CODES = st.one_of(
    st.integers(1, 12).map(code_of), st.integers(600001, 600006).map(str), st.integers(600001, 600003).map("X{}".format)
)
LABELS = st.builds("{} [{}] Sérum ; Numérique".format, st.sampled_from(NAMES), st.sampled_from(PROPERTIES))
ROWS = st.fixed_dictionaries(
    {
        "order_code": CODES,
        "order_label": st.sampled_from(NAMES),
        "order_loinc_label": LABELS,
        "order_type": st.sampled_from(("", "Both", "Order")),
        "result_code": CODES,
        "result_loinc_label": LABELS,
        "result_display": st.sampled_from(NAMES),
        "rank": st.sampled_from(("10", "20", "30,0", "")),
        "unit": st.sampled_from(("", "mmol/L", "g/L")),
        "chapter": st.sampled_from(("18719-5", "18723-7")),
    }
)
EDITIONS = st.lists(ROWS, max_size=8).map(edition)


@st.composite
def revisions(draw: st.DrawFn) -> tuple[Edition, Edition]:
    """Return an edition and another made from it as maintainers do: codes change, labels too, rows come and go."""
    before: list[dict[str, str]] = [dict(line) for line in draw(st.lists(ROWS, min_size=1, max_size=8))]
    renames = draw(st.dictionaries(CODES, CODES, max_size=4))
    after = []
    for line in before:
        if draw(st.integers(0, 9)) == 0:
            continue
        line = line | {name: renames.get(line[name], line[name]) for name in ("order_code", "result_code")}
        if draw(st.integers(0, 4)) == 0:
            line["result_loinc_label"] = draw(LABELS)
        after.append(line)
    after += [dict(line) for line in draw(st.lists(ROWS, max_size=2))]
    return edition(before), edition(after)


@given(EDITIONS, EDITIONS)
def test_any_two_editions(old: Edition, new: Edition) -> None:
    assert applied(old, new, compare(old, new).changes) == facts(new)


@given(revisions())
def test_a_revision(versions: tuple[Edition, Edition]) -> None:
    old, new = versions
    assert applied(old, new, compare(old, new).changes) == facts(new)


@given(revisions())
def test_one_change_a_code(versions: tuple[Edition, Edition]) -> None:
    """No code is at once removed and replaced, or added and the successor of another."""
    changes = compare(*versions).changes
    for part in ("order", "result"):
        gone = [c.code for c in changes if c.part == part and c.kind in ("removed", "assigned", "replaced")]
        come = [c.new_code or c.code for c in changes if c.part == part and c.kind in ("added", "assigned", "replaced")]
        assert len(gone) == len(set(gone))
        assert len(come) == len(set(come))


@given(revisions())
def test_both_ways_mirror_each_other(versions: tuple[Edition, Edition]) -> None:
    """What came one way goes the other; a replacement turns round, while an assignment is a removal and an addition."""
    old, new = versions
    forth, back = compare(old, new), compare(new, old)
    ways = [
        {(r.part, r.old_code, r.new_code) for r in found.recodings if r.kind == "replaced"} for found in (forth, back)
    ]
    turned = {(part, new_code, old_code) for part, old_code, new_code in ways[1]}
    rest = [
        {(c.part, c.code) for c in found.changes if c.kind == kind and c.part in ("order", "result")}
        for found, kind in ((forth, "added"), (back, "removed"))
    ]
    if any(r.kind != "replaced" for r in (*forth.recodings, *back.recodings)):
        return
    assert ways[0] == turned
    assert rest[0] == rest[1]


@given(st.lists(ROWS, max_size=8), st.randoms(use_true_random=False))
def test_shuffled_rows_and_columns_are_no_change(lines: list[Row], order: random.Random) -> None:
    before = edition(lines)
    after = edition(order.sample(lines, len(lines)))
    columns = list(after.main.columns)
    order.shuffle(columns)
    moved: Table = replace(after.main, columns=tuple(replace(c, index=n) for n, c in enumerate(columns, 1)))
    assert compare(before, replace(after, tables={**after.tables, "main": moved})).changes == ()


def test_numbers_written_otherwise_are_no_change() -> None:
    before = row(rank="10", conversion_factor="0.001", comparability="2")
    after = row(rank="10,0", conversion_factor="0,001", comparability="2,0")
    assert compare(edition([before]), edition([after])).changes == ()
    (change,) = compare(
        edition([before]), edition([row(rank="10", conversion_factor="0.01", comparability="2")])
    ).changes
    assert (change.field, change.old, change.new) == ("conversion_factor", "0.001", "0.01")

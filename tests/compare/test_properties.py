"""What must hold for any two editions."""

from __future__ import annotations

from collections import Counter

from deepdiff import DeepDiff
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.compare.compare import compare
from jdv_qa.compare.entries import comparable, differing_fields
from jdv_qa.compare.impact import propose_version
from jdv_qa.compare.model import Change
from jdv_qa.report.changes_json import changes_json
from jdv_qa.workbook.edition import Edition, Entity
from tests.compare.build import Row, edition

CODES = st.sampled_from(["", "1-8", "2-6", "3-4", "600238", "600239", "X1-8", "à définir"])
LABELS = st.sampled_from(["", "Sodium", "sodium", "Potassium", "Calcium ; ionisé"])
TEXTS = st.sampled_from(["", "a", "b", "a;b", "a ; b", "[IU]/L", "ligne\nligne", "1"])
ROWS = st.fixed_dictionaries(
    {
        "order_code": CODES,
        "order_label": LABELS,
        "order_loinc_label": LABELS,
        "order_synonyms": TEXTS,
        "order_type": TEXTS,
        "nabm_code": TEXTS,
        "nabm_label": TEXTS,
        "result_code": CODES,
        "result_loinc_label": LABELS,
        "unit": TEXTS,
        "chapter": TEXTS,
    }
)
CHAPTERS = st.fixed_dictionaries(dict.fromkeys(("code", "label", "subcode", "sublabel"), TEXTS))
SPECIMENS = st.fixed_dictionaries({"code": TEXTS, "label": TEXTS})


def _edition(rows: list[Row], chapters: list[Row], specimens: list[Row]) -> Edition:
    return edition(rows, {"chapters": chapters, "specimens": specimens})


EDITIONS = st.builds(
    _edition, st.lists(ROWS, max_size=6), st.lists(CHAPTERS, max_size=4), st.lists(SPECIMENS, max_size=3)
)


def _subjects(changes: tuple[Change, ...], kind: str) -> Counter[tuple[str | None, ...]]:
    return Counter((c.part, c.code, c.label, c.result, c.nabm, c.old, c.new) for c in changes if c.kind == kind)


@given(EDITIONS)
def test_an_edition_does_not_differ_from_itself(one: Edition) -> None:
    assert compare(one, one).changes == ()


@given(EDITIONS, EDITIONS)
def test_the_same_comparison_is_the_same_text(one: Edition, two: Edition) -> None:
    assert changes_json(compare(one, two)) == changes_json(compare(one, two))


@given(st.lists(ROWS, max_size=6), st.lists(CHAPTERS, max_size=4), st.randoms())
def test_row_order_is_no_change(rows: list[Row], specimens: list[Row], random: object) -> None:
    shuffled = random.sample(rows, len(rows))  # type: ignore[attr-defined]
    before = edition(rows, {"specimens": specimens})
    assert compare(before, edition(shuffled, {"specimens": list(reversed(specimens))})).changes == ()


@given(EDITIONS, EDITIONS)
def test_what_comes_one_way_goes_the_other_way(one: Edition, two: Edition) -> None:
    forth, back = compare(one, two), compare(two, one)
    if any(c.confidence is not None for c in (*forth.changes, *back.changes)):
        return  # only one way: a pending code becomes a LOINC code, never the reverse
    for there, here in (("added", "removed"), ("removed", "added")):
        wanted = Counter(
            (p, c, la, r, n, new, old) for (p, c, la, r, n, old, new) in _subjects(forth.changes, there).elements()
        )
        assert wanted == _subjects(back.changes, here)
    assert forth.summary["modified"] == back.summary["modified"]


@given(EDITIONS, EDITIONS)
def test_a_difference_is_never_silent(one: Edition, two: Edition) -> None:
    comparison = compare(one, two)
    orders = {entity.code for entity in two.orders.values()} - {entity.code for entity in one.orders.values()}
    told = {c.code for c in comparison.changes if c.part == "order" and c.kind == "added"}
    told |= {c.new_code or "" for c in comparison.changes if c.part == "order"}
    told |= {c.code for c in comparison.changes if c.field == "order_code"}
    assert orders <= told
    assert all(c.old != c.new for c in comparison.changes if c.kind == "modified")
    assert bool(comparison.changes) == (propose_version("1.0.0", comparison.changes).step != "none")


FIELDS = ("order_synonyms", "rank", "unit", "label", "__comment", "root['unit']")
ENTITIES = st.builds(
    lambda values, variants: Entity("1-8", {name: text for name, text in values.items() if text}, (), variants),
    st.dictionaries(
        st.sampled_from(FIELDS), st.one_of(TEXTS, st.sampled_from(["1,0", "1.0", "01", "b;a", "a;;b", "É"]))
    ),
    st.dictionaries(st.sampled_from(FIELDS), st.permutations(["", "a", "a ; b", "2,0"]).map(tuple), max_size=2),
)


@given(ENTITIES, ENTITIES)
def test_fields_differ_where_deepdiff_says_so(one: Entity, two: Entity) -> None:
    before, after = ({name: comparable(entity, name) for name in FIELDS} for entity in (one, two))
    found = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    assert set(found) <= {"values_changed"}
    told = {level.path(output_format="list")[0] for level in found.get("values_changed", ())}
    assert told == set(differing_fields(one, two, FIELDS))

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.report.json_text import json_text

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ['"', "\\", "\n\t\x00\x7f", "é\u2028😀", "</script>"]
)
CONTENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(CONTENTS, st.sampled_from([1, 2]))
def test_it_is_the_text_of_the_library(content: Any, indent: int) -> None:
    assert json_text(content, indent) == json.dumps(content, ensure_ascii=False, indent=indent)


@pytest.mark.parametrize("content", [float("nan"), float("inf"), {"a": b"x"}, [{1, 2}], {1: "a"}])
def test_what_is_not_written_is_refused(content: Any) -> None:
    with pytest.raises(TypeError):
        json_text(content, 1)

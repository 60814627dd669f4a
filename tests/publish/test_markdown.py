"""Fields within Markdown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jdv_qa.marking import changed_words
from jdv_qa.publish.markdown import COME, GONE, marked_text

WORDS = st.lists(st.text("ab*_~|[](){}<>`\\&;.-é", min_size=1, max_size=4), max_size=6).map(" ".join)


@given(WORDS, WORDS)
def test_marked_words_read_as_they_are(old: str, new: str) -> None:
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for text, pieces, sign in zip((old, new), changed_words(old, new), (GONE, COME), strict=True):
        tokens = page.parse(f"| x |\n| --- |\n| {marked_text(pieces, sign)} |")
        (cell,) = [token for token in tokens if token.type == "inline"][1:]
        shown = "".join(child.content for child in cell.children or ())
        assert shown.split() == text.split()


def test_line_breaks_stay_and_marks_do_not_cross_them() -> None:
    assert marked_text(changed_words("a", "a\nb c")[1], COME) == "a<br>**b c**"
    assert marked_text((("a\nb", True),), GONE) == "~~a~~<br>~~b~~"  # type: ignore[arg-type]

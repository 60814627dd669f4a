"""The changes between two editions as one HTML page: to search, filter and print, without a network."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from jdv_qa.compare.model import IMPACTS, PARTS, Comparison
from jdv_qa.compare.wording import part_name, phrase, side_names
from jdv_qa.language import say
from jdv_qa.report.changes_lines import (
    READING_ORDER,
    change_lines,
    chapter_labels,
    impact_name,
    kind_titles,
    telling_sentences,
    warning_sentences,
)
from jdv_qa.report.changes_text import actor_sentence, summary_sentence
from jdv_qa.report.page import render_page
from jdv_qa.workbook.edition import Edition

NO_CHAPTER = "-"
"""Stands in the page for "no chapter" among the chapters."""


def changes_html(comparison: Comparison, old: Edition, new: Edition) -> str:
    """Return the page; `old` and `new` give the chapters of what changed. The same input gives the same text."""
    lines = change_lines(comparison, old, new)
    labels = chapter_labels(old, new)
    chapters = Counter(code for line in lines for code in line.chapters or (NO_CHAPTER,))
    ranks = {code: rank for rank, code in enumerate(labels)}
    parts = Counter(line.change.part for line in lines)
    before, after = side_names(comparison.old, comparison.new)
    return render_page(
        "changes.html",
        ["page.css", "changes.css"],
        ["page.js", "changes.js"],
        comparison=comparison,
        before=before,
        after=after,
        files=[(PurePath(side.path).name, side.sha256) for side in (comparison.old, comparison.new)],
        sentence=summary_sentence(comparison),
        actors=actor_sentence(comparison),
        title=phrase("Changements de {old} à {new}", "Changes from {old} to {new}", old=before, new=after),
        gaps=warning_sentences(comparison),
        tellings=telling_sentences(comparison),
        groups=[
            (kind, title, [line for line in lines if line.change.kind == kind]) for kind, title in kind_titles().items()
        ],
        kinds=[(kind, title) for kind, title in kind_titles().items() if comparison.summary[kind]],
        impacts=[(impact, impact_name(impact)) for impact in IMPACTS if comparison.impacts[impact]],
        parts=[(part, _capital(part_name(part)), parts[part]) for part in PARTS if parts[part]],
        chapters=[
            (code, labels.get(code, code) if code != NO_CHAPTER else say("Sans chapitre", "No chapter"), chapters[code])
            for code in sorted(chapters, key=lambda code: (code == NO_CHAPTER, ranks.get(code, len(ranks)), code))
        ],
        labels=labels,
        no_chapter=NO_CHAPTER,
        order=READING_ORDER,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

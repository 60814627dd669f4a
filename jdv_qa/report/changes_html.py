"""The changes between two editions as one HTML page: to search, filter and print, without a network.

The page asks for nothing outside itself and says so to the browser: its content security policy allows its own style and
its own script, known by their hashes, and nothing else; so even a text that slipped through as markup could not run.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from pathlib import Path, PurePath

from jdv_qa import __version__
from jdv_qa.compare.model import IMPACTS, PARTS, Comparison
from jdv_qa.compare.wording import part_name, phrase, side_names
from jdv_qa.language import current_language, figure, french_spaces, say
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
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition

TEMPLATES = Path(__file__).parent / "templates"
NO_CHAPTER = "-"
"""Stands in the page for "no chapter" among the chapters."""


def changes_html(comparison: Comparison, old: Edition, new: Edition) -> str:
    """Return the page; `old` and `new` give the chapters of what changed. The same input gives the same text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    lines = change_lines(comparison, old, new)
    labels = chapter_labels(old, new)
    chapters = Counter(code for line in lines for code in line.chapters or (NO_CHAPTER,))
    ranks = {code: rank for rank, code in enumerate(labels)}
    parts = Counter(line.change.part for line in lines)
    # the files' bytes go into the page as they are; the policy knows them by their hashes
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("changes.css", "changes.js"))
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    before, after = side_names(comparison.old, comparison.new)
    return environment.get_template("changes.html").render(
        say=lambda fr, en: say(french_spaces(fr), en),
        figure=figure,
        lang=current_language(),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
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
        notice=LOINC_NOTICE,
        version=__version__,
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

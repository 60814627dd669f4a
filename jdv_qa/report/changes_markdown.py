"""The changes between two editions in Markdown: for a merge request, a ticket or a wiki, folded by kind."""

from __future__ import annotations

from jdv_qa.compare.model import IMPACTS, PARTS, Comparison
from jdv_qa.compare.wording import kind_name, part_count, part_name, phrase, side_names
from jdv_qa.language import figure, say
from jdv_qa.publish.markdown import COME, GONE, markdown_table, markdown_text, marked_text
from jdv_qa.report.changes_lines import (
    READING_ORDER,
    Line,
    change_lines,
    chapter_labels,
    impact_name,
    telling_sentences,
    warning_sentences,
)
from jdv_qa.report.changes_text import summary_sentence
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition

_MARKS = {"breaking": "❗", "additive": "➕", "editorial": ""}


def changes_markdown(comparison: Comparison, old: Edition, new: Edition) -> str:
    """Return the page: a sentence, figures by part and kind, then one folded block a kind with one table a part."""
    before, after = (markdown_text(name) for name in side_names(comparison.old, comparison.new))
    blocks = [phrase("# Changements de {old} à {new}", "# Changes from {old} to {new}", old=before, new=after)]
    blocks.append(markdown_text(summary_sentence(comparison)))
    if comparison.changes:
        blocks += [_impacts(comparison), _figures(comparison)]
    if sentences := [*warning_sentences(comparison), *telling_sentences(comparison)]:
        blocks.append("\n".join(f"- {markdown_text(sentence)}" for sentence in sentences))
    lines = change_lines(comparison, old, new)
    chapters = chapter_labels(old, new)
    for kind in READING_ORDER:
        if not (number := comparison.summary[kind]):
            continue
        blocks.append(f"<details>\n<summary>{kind_name(kind)} ({figure(number)})</summary>")
        for part in PARTS:
            if found := [line for line in lines if (line.change.kind, line.change.part) == (kind, part)]:
                blocks += [f"**{part_count(part, len(found))}**", _table(found, chapters)]
        blocks.append("</details>")
    return "\n\n".join([*blocks, "---", LOINC_NOTICE]) + "\n"


def _impacts(comparison: Comparison) -> str:
    return "\n".join(
        phrase(
            "- {name} : {number}",
            "- {name}: {number}",
            name=f"{_MARKS[impact]} {impact_name(impact)}".strip(),
            number=figure(comparison.impacts[impact]),
        )
        for impact in IMPACTS
        if comparison.impacts[impact]
    )


def _figures(comparison: Comparison) -> str:
    kinds = [kind for kind in READING_ORDER if comparison.summary[kind]]
    rows = []
    for part in PARTS:
        counts = [len(comparison.select(kind, part)) for kind in kinds]
        if any(counts):
            rows.append((_capital(part_name(part)), *map(_count, counts), figure(sum(counts))))
    total = (*(figure(comparison.summary[kind]) for kind in kinds), figure(len(comparison.changes)))
    rows.append(("**Total**", *total))
    return markdown_table((say("Partie", "Part"), *map(kind_name, kinds), "Total"), rows)


def _count(number: int) -> str:
    return figure(number) if number else "·"


def _table(lines: list[Line], chapters: dict[str, str]) -> str:
    recoded = lines[0].change.kind in ("assigned", "replaced")
    modified = lines[0].change.kind == "modified"
    second = {"association": say("Résultat", "Result"), "nabm": "NABM/RIHN"}.get(
        lines[0].change.part, say("Nouveau code", "New code")
    )
    headers = (
        "", "Code", second, say("Libellé", "Label"), say("Champ", "Field"), say("Avant", "Before"), say("Après", "After"),
        say("Texte", "Text"), say("Chapitre", "Chapter"), say("Voir", "See"),
    )  # fmt: skip
    blank = say("*vide*", "*blank*")
    rows = []
    for line in lines:
        change = line.change
        text = "" if modified or recoded else (change.new or change.old or "")
        rows.append(
            (
                _MARKS[change.impact],
                markdown_text(change.code) or say("*sans code*", "*no code*"),
                markdown_text(line.other),
                markdown_text(change.label),
                markdown_text(line.field),
                (marked_text(line.old_pieces, GONE) or blank) if modified else "",
                (marked_text(line.new_pieces, COME) or blank) if modified else "",
                markdown_text(text),
                markdown_text(", ".join(chapters.get(code, code) for code in line.chapters)),
                markdown_text(", ".join(change.related)),
            )
        )
    return markdown_table(headers, rows)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

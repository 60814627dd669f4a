"""The changes as flat lines, one a change, in words: what the CSV, Excel, Markdown and HTML reports have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jdv_qa.compare.impact import load_impacts
from jdv_qa.compare.model import IMPACTS, PARTS, Change, Comparison, Impact, Kind, code_place, field_place
from jdv_qa.compare.wording import (
    collision_sentence,
    field_name,
    kind_name,
    movement_sentence,
    part_name,
    resemblance_sentence,
    status_sentences,
    typeset,
    uncompared_sentence,
)
from jdv_qa.language import current_language, say
from jdv_qa.marking import Piece, changed_words
from jdv_qa.workbook.edition import REFERENCE_PARTS, Edition, Record

READING_ORDER: tuple[Kind, ...] = ("replaced", "assigned", "removed", "modified", "added")
"""What asks for work comes first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One change, ready to be shown.

    `other` is the second code: the new one, the result of an association, the act of an alignment. `field` is the header
    of the field that changed. `old` and `new` stand side by side whatever the kind: of a code that came or went, its
    label. `chapters` lists codes. `rows` is the row in the old and in the new workbook: "320→321".
    """

    change: Change
    kind: str
    part: str
    impact: str
    other: str
    field: str
    old: str
    new: str
    old_pieces: tuple[Piece, ...]
    new_pieces: tuple[Piece, ...]
    chapters: tuple[str, ...]
    rows: str
    reason: str


def change_lines(comparison: Comparison, old: Edition, new: Edition) -> tuple[Line, ...]:
    """Return the changes as lines, in reading order: kind, part, breaking ones first, field, code."""
    impacts = load_impacts()
    chapters = _chapter_finder(old, new)
    lines = []
    for change in sorted(comparison.changes, key=_place):
        before, after = _sides(change)
        pieces = (
            changed_words(before, after)
            if change.kind == "modified"
            else (_whole(before, changed=True), _whole(after, changed=True))
        )
        lines.append(
            Line(
                change,
                singular_kind(change.kind),
                _capital(part_name(change.part, plural=False)),
                impact_name(change.impact),
                change.new_code or change.result or change.nabm or "",
                field_name(change.part, change.field) if change.field else "",
                before,
                after,
                *pieces,
                chapters(change),
                _rows(change),
                typeset(impacts.judge(change).reason) if current_language() == "fr" else impacts.judge(change).reason,
            )
        )
    return tuple(lines)


def warning_sentences(comparison: Comparison) -> list[str]:
    """Return what the reader must know before trusting the rest: what was not compared, keys that are not unique."""
    return [
        *map(uncompared_sentence, comparison.uncompared),
        *map(collision_sentence, comparison.collisions),
    ]


def telling_sentences(comparison: Comparison) -> list[str]:
    """Return what several changes amount to, which statuses LOINC changed, and the codes that may be one."""
    return [
        *map(movement_sentence, comparison.movements),
        *(status_sentences(comparison.statuses) if comparison.statuses else ()),
        *map(resemblance_sentence, comparison.resemblances),
    ]


def singular_kind(kind: Kind) -> str:
    """Return the name of one change of a kind: "Code attribué"."""
    names: Mapping[Kind, str] = {
        "added": say("Ajout", "Addition"),
        "removed": say("Suppression", "Removal"),
        "modified": say("Modification", "Modification"),
        "assigned": say("Code attribué", "Code assigned"),
        "replaced": say("Code remplacé", "Code replaced"),
    }
    return names[kind]


def impact_name(impact: Impact) -> str:
    """Return what an impact means, in two or three words."""
    names: Mapping[Impact, str] = {
        "breaking": say("Action des laboratoires", "Laboratories must act"),
        "additive": say("Simple ajout", "Only adds"),
        "editorial": say("Éditorial", "Editorial"),
    }
    return names[impact]


def kind_titles() -> dict[Kind, str]:
    """Return the plural names of all kinds, in reading order."""
    return {kind: kind_name(kind) for kind in READING_ORDER}


def chapter_labels(old: Edition, new: Edition) -> dict[str, str]:
    """Return the labels of chapters by code, in the order of the chapters tab; the new edition's count first."""
    labels: dict[str, str] = {}
    for edition in (new, old):
        for record in edition.records("chapters"):
            if record["code"] and record["label"]:
                labels.setdefault(record["code"], record["label"])
    return labels


def _place(change: Change) -> tuple[object, ...]:
    return (
        READING_ORDER.index(change.kind),
        PARTS.index(change.part),
        IMPACTS.index(change.impact) if change.kind == "modified" else 0,
        field_place(change.field or ""),
        code_place(change.code),
        code_place(change.result or change.nabm or ""),
        change.label,
        change.new_code or "",
        change.old or "",
        change.new or "",
    )


def _sides(change: Change) -> tuple[str, str]:
    if change.kind in ("assigned", "replaced"):
        return change.code, change.new_code or ""
    if change.kind == "modified":
        return change.old or "", change.new or ""
    text = change.old or change.new or change.label
    second = change.result or change.nabm
    if second:
        text = f"{second} {text}".strip() if text != change.label or change.part == "association" else second
    return (text, "") if change.kind == "removed" else ("", text)


def _whole(text: str, *, changed: bool) -> tuple[Piece, ...]:
    return (Piece(text, changed),) if text else ()


def _rows(change: Change) -> str:
    return "→".join(dict.fromkeys(str(row) for row in (change.old_row, change.new_row) if row is not None))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _chapter_finder(old: Edition, new: Edition) -> Callable[[Change], tuple[str, ...]]:
    """Return what tells the chapters of a change: those of the new edition, else of the old one."""
    known = [_chapters_by_code(edition) for edition in (new, old)]

    def chapters(change: Change) -> tuple[str, ...]:
        if change.part == "chapter":
            return (change.related or (change.code,))[:1] if change.code else ()
        kind = {"association": "result", "nabm": "order"}.get(change.part, change.part)
        own = change.result if change.part == "association" else change.code
        for table in known:
            for code in (change.new_code, own or change.label):
                if code and (found := table.get((kind, code))):
                    return found
        return ()

    return chapters


def _chapters_by_code(edition: Edition) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (part, code) -> chapters of its rows."""
    found: dict[tuple[str, str], dict[str, None]] = {}

    def add(part: str, key: str, record: Record) -> None:
        if key and record["chapter"]:
            found.setdefault((part, key), {})[record["chapter"]] = None

    if "main" in edition.tables:
        for record in edition.main.records:
            add("order", record["order_code"] or record["order_label"], record)
            add("result", record["result_code"] or record["result_loinc_label"], record)
    else:
        for key, table in edition.tables.items():
            if key not in REFERENCE_PARTS:
                for record in table.records:
                    add("term", record["code"], record)
    return {key: tuple(chapters) for key, chapters in found.items()}

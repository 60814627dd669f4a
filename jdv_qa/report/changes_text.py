"""The changes between two editions on a terminal: a sentence, then tables by kind, old and new side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jdv_qa.compare.model import IMPACTS, KINDS, PARTS, Change, Comparison, Kind, field_place
from jdv_qa.compare.wording import (
    change_count,
    collision_sentence,
    field_name,
    kind_count,
    kind_name,
    movement_sentence,
    part_count,
    percentage,
    phrase,
    resemblance_sentence,
    side_names,
    status_sentences,
    uncompared_sentence,
)
from jdv_qa.language import count, figure, say
from jdv_qa.marking import changed_words
from jdv_qa.report.changes_lines import READING_ORDER

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

DEFAULT_LIMIT = 50
"""Rows shown of a table unless told otherwise."""

NAMING_FIELDS = frozenset(
    {"order_label", "order_loinc_label", "result_loinc_label", "result_display", "label", "sublabel"}
)
"""Fields that name the entry themselves: no label is repeated beside them."""

_IMPACT_STYLES = {"breaking": "bold red", "additive": "green", "editorial": "dim"}
_IMPACT_MARKS = {"breaking": "!", "additive": "+", "editorial": " "}


def summary_sentence(comparison: Comparison) -> str:
    """Return "405 changements entre 1.1.10 et 1.1.11 : 149 ajouts, …", in the language in use."""
    old, new = side_names(comparison.old, comparison.new)
    if not comparison.changes:
        return phrase("Aucun changement entre {old} et {new}.", "No change between {old} and {new}.", old=old, new=new)
    kinds = ", ".join(kind_count(kind, comparison.summary[kind]) for kind in KINDS if comparison.summary[kind])
    return phrase(
        "{changes} entre {old} et {new} : {kinds}.",
        "{changes} between {old} and {new}: {kinds}.",
        changes=change_count(len(comparison.changes)),
        old=old,
        new=new,
        kinds=kinds,
    )


def impact_sentence(comparison: Comparison) -> str:
    """Return how many changes laboratories must act upon, how many only add, how many are editorial."""
    impacts = comparison.impacts
    parts = []
    if impacts["breaking"]:
        parts.append(
            count(
                impacts["breaking"],
                "demande une action des laboratoires (!)",
                "asks laboratories to act (!)",
                "demandent une action des laboratoires (!)",
                "ask laboratories to act (!)",
            )
        )
    if impacts["additive"]:
        parts.append(
            count(
                impacts["additive"], "ajoute seulement (+)", "only adds (+)", "ajoutent seulement (+)", "only add (+)"
            )
        )
    if impacts["editorial"]:
        parts.append(count(impacts["editorial"], "est éditorial", "is editorial", "sont éditoriaux", "are editorial"))
    return ", ".join(parts) + "." if parts else ""


def actor_sentence(comparison: Comparison) -> str:
    """Return how many changes are for laboratories, for software editors, for nobody."""
    nouns = {
        "laboratory": say("paramétrage des laboratoires", "laboratories' set-up"),
        "software": say("éditeurs de logiciels", "software editors"),
        "nobody": say("personne", "nobody"),
    }
    parts = [f"{nouns[actor]} {figure(number)}" for actor, number in comparison.actors.items() if number]
    return phrase("À faire par : {parts}.", "To be done by: {parts}.", parts=", ".join(parts)) if parts else ""


def print_changes(comparison: Comparison, console: Console, *, limit: int | None = DEFAULT_LIMIT) -> None:
    """Print a comparison; `limit` caps the rows of each table, None shows all. What is left out is announced."""
    from rich.text import Text

    console.print(Text(summary_sentence(comparison), style="bold"))
    if sentence := impact_sentence(comparison):
        console.print(Text(sentence))
    if sentence := actor_sentence(comparison):
        console.print(Text(sentence))
    for gap in comparison.uncompared:
        console.print(Text(uncompared_sentence(gap), style="yellow"))
    for style, sentences in (
        ("yellow", [collision_sentence(found) for found in comparison.collisions]),
        ("", [movement_sentence(movement) for movement in comparison.movements]),
        ("", status_sentences(comparison.statuses) if comparison.statuses else []),
        ("cyan", [resemblance_sentence(pair) for pair in comparison.resemblances]),
    ):
        shown_sentences = sentences if limit is None else sentences[:limit]
        for sentence in shown_sentences:
            console.print(Text(sentence, style=style))
        if len(shown_sentences) < len(sentences):
            console.print(
                Text(
                    phrase(
                        "… et {more} ; --limit 0 les montre toutes.",
                        "… and {more}; --limit 0 shows them all.",
                        more=count(len(sentences) - len(shown_sentences), "autre ligne", "more line"),
                    ),
                    style="yellow",
                )
            )
    hidden = 0
    for kind in READING_ORDER:
        if not comparison.summary[kind]:
            continue
        console.print()
        console.rule(Text(f"{kind_name(kind)} ({figure(comparison.summary[kind])})"), align="left", style="dim")
        for title, changes in _tables(comparison, kind):
            shown = changes if limit is None else changes[:limit]
            hidden += len(changes) - len(shown)
            console.print()
            console.print(Text(title, style="bold"))
            console.print(_table(shown))
            if len(shown) < len(changes):
                console.print(
                    Text(
                        phrase(
                            "{shown} sur {all} ; --limit 0 les montre toutes.",
                            "{shown} of {all}; --limit 0 shows them all.",
                            shown=count(len(shown), "ligne", "row"),
                            all=figure(len(changes)),
                        ),
                        style="yellow",
                    )
                )
    if hidden:
        console.print()
        console.print(
            Text(
                phrase(
                    "{hidden} ; tout voir : --limit 0, ou --format json.",
                    "{hidden}; to see everything: --limit 0, or --format json.",
                    hidden=count(
                        hidden,
                        "changement n'est pas montré",
                        "change is not shown",
                        "changements ne sont pas montrés",
                        "changes are not shown",
                    ),
                ),
                style="yellow",
            )
        )


def _tables(comparison: Comparison, kind: Kind) -> Iterator[tuple[str, tuple[Change, ...]]]:
    """Return the tables of a kind with their titles: one a part, and for modifications one a field."""
    for part in PARTS:
        changes = comparison.select(kind, part)
        if kind != "modified":
            if changes:
                yield part_count(part, len(changes)), changes
            continue
        fields: dict[tuple[str, bool], list[Change]] = {}
        for change in changes:
            fields.setdefault((change.field or "", change.reworded), []).append(change)
        for key in sorted(fields, key=lambda key: (IMPACTS.index(fields[key][0].impact), field_place(key[0]), key[1])):
            title = field_name(part, key[0])
            if key[1]:
                title += say(", même sens écrit autrement", ", same meaning in other words")
            yield f"{title} ({part_count(part, len(fields[key]))})", tuple(fields[key])


def _table(changes: tuple[Change, ...]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    first = changes[0]
    kind, part = first.kind, first.part
    paired = part in ("association", "nabm")
    recoded = kind in ("assigned", "replaced")
    modified = kind == "modified"
    labelled = not (modified and first.field in NAMING_FIELDS)
    related = any(change.related for change in changes)
    label = say("Libellé", "Label")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("", width=1)
    table.add_column(say("Demande", "Order") if paired else "Code", no_wrap=True)
    if recoded:
        table.add_column(say("Nouveau code", "New code"), no_wrap=True)
        table.add_column(say("Confiance", "Confidence"), justify="right", no_wrap=True)
    if labelled:
        table.add_column(label, overflow="fold", ratio=3)
    if paired:
        table.add_column(say("Résultat", "Result") if part == "association" else "NABM/RIHN", no_wrap=True)
    if modified:
        table.add_column(say("Avant", "Before"), overflow="fold", ratio=3)
        table.add_column(say("Après", "After"), overflow="fold", ratio=3)
    elif paired:
        table.add_column(label, overflow="fold", ratio=3)
    if related:
        table.add_column(say("Voir", "See"), overflow="fold", ratio=1)
    table.add_column(say("Ligne", "Row"), justify="right", no_wrap=True)
    for change in changes:
        cells = [Text(_IMPACT_MARKS[change.impact], style=_IMPACT_STYLES[change.impact]), _code(change.code)]
        if recoded:
            cells.append(Text(change.new_code or "", style="bold green"))
            cells.append(Text("" if change.confidence is None else percentage(change.confidence)))
        if labelled:
            cells.append(Text(change.label))
        if paired:
            cells.append(_code((change.result if part == "association" else change.nabm) or ""))
        if modified:
            cells += marked_words(change.old or "", change.new or "")
        elif paired:
            cells.append(Text(change.new or change.old or ""))
        if related:
            cells.append(Text(", ".join(change.related)))
        table.add_row(*cells, Text(_rows(change)))
    return table


def _code(code: str) -> Text:
    from rich.text import Text

    return Text(code) if code else Text(say("sans code", "no code"), style="dim italic")


def _rows(change: Change) -> str:
    """Return the row in the old and in the new workbook, one number where only one is known or both are the same."""
    rows = dict.fromkeys(str(row) for row in (change.old_row, change.new_row) if row is not None)
    return "→".join(rows)


def marked_words(old: str, new: str) -> tuple[Text, Text]:
    """Return both texts with the words that differ marked: struck in the old one, bold in the new one."""
    from rich.text import Text

    if not old or not new:
        blank = Text(say("(vide)", "(blank)"), style="dim italic")
        return (Text(old, style="red") if old else blank, Text(new, style="bold green") if new else blank)
    before, after = Text(), Text()
    for text, pieces, style in zip((before, after), changed_words(old, new), ("strike red", "bold green"), strict=True):
        for piece in pieces:
            text.append(piece.text, style=style if piece.changed else None)
    return before, after

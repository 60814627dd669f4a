"""The review of a register at a terminal: by verdict, each request with its reasons, its change and what that would bring.

Every string of a register or a workbook is printed through rich's Text: units such as [IU]/L are not markup.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from jdv_qa.checks.finding import Severity
from jdv_qa.language import count, french_spaces, say
from jdv_qa.triage.edits import Edit
from jdv_qa.triage.review import Review, Reviewed
from jdv_qa.triage.verdict import VERDICTS, Submission, Verdict
from jdv_qa.workbook.layout import load_layout

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import LoincRelease
    from jdv_qa.workbook.edition import Edition

_NAMES = {
    "incomplete": ("à compléter", "to complete"),
    "duplicate": ("doublon", "duplicate"),
    "already-done": ("déjà fait", "already done"),
    "to-reject": ("à écarter", "to reject"),
    "submit-to-loinc": ("à soumettre à LOINC", "to submit to LOINC"),
    "to-correct": ("à corriger", "to correct"),
    "conflicting": ("contradictoire", "conflicting"),
    "acceptable": ("recevable", "acceptable"),
}
_PLURALS = {
    "already-done": ("déjà faites", "already done"), "duplicate": ("doublons", "duplicates"),
    "conflicting": ("contradictoires", "conflicting"), "acceptable": ("recevables", "acceptable"),
}  # fmt: skip
_STYLES = {
    "acceptable": "bold green", "to-correct": "bold red", "conflicting": "bold magenta", "submit-to-loinc": "bold blue",
    "to-reject": "bold red", "incomplete": "bold yellow", "duplicate": "bold cyan", "already-done": "bold cyan",
}  # fmt: skip
READING_ORDER: tuple[Verdict, ...] = (
    "acceptable", "to-correct", "conflicting", "submit-to-loinc", "to-reject", "incomplete", "duplicate", "already-done",
)  # fmt: skip
"""What a meeting has to decide on comes first."""
_LEVELS = {"high": ("priorité haute", "high priority"), "normal": ("", ""), "low": ("", "")}
_IMPACTS = {
    "breaking": ("paramétrage des laboratoires à revoir", "laboratories have to act"),
    "additive": ("ajout", "addition"),
    "editorial": ("éditorial", "editorial"),
}
_ROW_FIELDS = (
    "order_code", "result_code", "result_loinc_label", "result_display", "unit", "comparability", "discriminating_technique",
    "chapter", "rank",
)  # fmt: skip
_MOST_ROWS = 4
_MOST_BLANKED = 3
_INDENT = 6


def verdict_name(verdict: str) -> str:
    """Return the name of a verdict in the language in use."""
    return say(*_NAMES[verdict])


def summary_sentence(review: Review) -> str:
    """Return "300 demandes : 110 recevables, 65 à corriger, …", in the language in use."""
    counts = review.summary
    parts = [
        f"{counts[verdict]} {say(*(_PLURALS.get(verdict, _NAMES[verdict]) if counts[verdict] > 1 else _NAMES[verdict]))}"
        for verdict in READING_ORDER
        if counts[verdict]
    ]
    total = count(len(review.requests), "demande", "request")
    return french_spaces(say(f"{total} : {', '.join(parts)}.", f"{total}: {', '.join(parts)}."))


def grounds(edition: Edition, loinc: LoincRelease | None) -> str:
    """Return what requests were judged on: "classeur v.xlsx · version 1.1.0 · LOINC 2.80", in the language in use."""
    facts = (
        say(f"classeur {edition.source.path}", f"workbook {edition.source.path}"),
        say(f"version {edition.identity.version or 'inconnue'}", f"version {edition.identity.version or 'unknown'}"),
        f"LOINC {loinc.version or '?'}" if loinc else say("sans LOINC", "without LOINC"),
    )
    return " · ".join(facts)


def print_triage(review: Review, console: Console, only: Iterable[str] = ()) -> None:
    """Print a review; `only` names the verdicts to show, all by default."""
    edition = review.edition
    console.print(Text(summary_sentence(review), style="bold"))
    console.print(Text(grounds(edition, review.loinc), style="dim"))
    for remark in review.register.remarks:
        console.print(Text(remark[:1].upper() + remark[1:] + ".", style="yellow"))
    wanted = tuple(only) or VERDICTS
    for verdict in READING_ORDER:
        items = [item for item in review.requests if item.verdict == verdict]
        if not items or verdict not in wanted:
            continue
        console.print()
        title = say(*_NAMES[verdict]).upper()
        console.print(Text.assemble((title, _STYLES[verdict]), (f"  ({len(items)})", "dim")))
        for item in sorted(items, key=lambda item: ("high", "normal", "low").index(item.priority.level)):
            for line in _lines(item, max(console.width, 40)):
                console.print(line)
    if review.together:
        console.print()
        console.print(
            Text(
                say(
                    "Appliquées ensemble, les demandes recevables amèneraient de plus :",
                    "Applied together, the acceptable requests would also bring:",
                ),
                style="bold red",
            )
        )
        for finding in review.together:
            console.print(Text(f"  {finding.rule}  {finding.cell or ''}  {finding.message}"))


def _lines(item: Reviewed, width: int) -> Iterator[Text]:
    request = item.request
    number = f"  {request.number}  "
    indent = " " * max(_INDENT, len(number))
    title = textwrap.wrap(number + _title(item), width, subsequent_indent=indent, break_on_hyphens=False)
    yield Text.assemble((title[0][: len(number)], "bold"), title[0][len(number) :])
    yield from (Text(line) for line in title[1:])
    marks = [request.applicant, say(*_LEVELS[item.priority.level])]
    if item.impact:
        marks.append(say(*_IMPACTS[item.impact.impact]))
    if shown := " · ".join(mark for mark in marks if mark):
        yield from _wrapped(shown, width, "bold" if item.priority.level == "high" else "dim")
    for reason in item.reasons:
        mark = f"{reason.rule} " if reason.rule else ""
        yield from _wrapped(f"{mark}{reason.message}", width)
    for past in item.earlier:
        yield from _wrapped(past.sentence[:1].upper() + past.sentence[1:], width, "magenta")
    yield from _change_lines(item.edit, "", width)
    if item.correction == item.edit and item.edit:
        yield from _wrapped(say("Ces changements conviendraient.", "These changes would be right."), width, "green")
    elif item.correction:
        yield from _wrapped(say("Ce qui conviendrait", "What would be right") + _colon(), width, "green")
        yield from _change_lines(item.correction, "green", width)
    if item.verdict not in ("acceptable", "conflicting"):
        for finding in item.findings:
            if finding.severity is not Severity.ERROR:
                yield from _wrapped(f"{finding.rule} {finding.message}", width, "dim")
    if item.submission:
        for line in _submission_lines(item.submission):
            yield from _wrapped(line, width, "blue")
    if item.candidates:
        codes = say("\u202f; ", "; ").join(f"{one.code} {one.label}" for one in item.candidates[:3])
        yield from _wrapped(say("Codes possibles", "Candidates") + f"{_colon()} {codes}", width, "dim")
    if item.related:
        numbers = ", ".join(other.number for other in item.related[:10])
        yield from _wrapped(say("Voir aussi", "See also") + f"{_colon()} {numbers}", width, "dim")


def _title(item: Reviewed) -> str:
    request = item.request
    what = " ".join(text for text in (request.kind_text, request.object_text) if text)
    field = f" · {request.field}" if request.field else ""
    name = request.label or request.display
    subject = " ".join(text for text in (request.code or request.nabm, name) if text)
    return f"{what}{field} – {subject}" if subject else f"{what}{field}"


def _wrapped(sentence: str, width: int, style: str = "") -> Iterator[Text]:
    for line in textwrap.wrap(sentence, max(width - _INDENT, 20), break_on_hyphens=False) or [""]:
        yield Text(" " * _INDENT + line, style=style)


def _change_lines(edit: Edit, style: str, width: int) -> Iterator[Text]:
    """Yield the changes, one line for the cells of one field that change alike."""
    alike: dict[tuple[str, str, str, str], list[int]] = {}
    blanked = Counter((cell.tab, cell.row) for cell in edit.cells if cell.after is None)
    for (tab, at), number in blanked.items():
        if number > _MOST_BLANKED:
            fields = ", ".join(_header(tab, c.field) for c in edit.cells if (c.tab, c.row, c.after) == (tab, at, None))
            place = say(f"→ à vider, ligne {at}", f"→ to blank, row {at}")
            yield from _wrapped(f"{place}{_colon()} {fields}", width, style)
    for cell in edit.cells:
        if cell.after is None and blanked[cell.tab, cell.row] > _MOST_BLANKED:
            continue
        alike.setdefault((cell.tab, cell.field, cell.before or "–", cell.after or "–"), []).append(cell.row)
    for (tab, field, before, after), rows in alike.items():
        yield from _wrapped(f"→ {_header(tab, field)}, {_rows(rows)}{_colon()} {before} → {after}", width, style)
    for row in edit.added:
        names = _ROW_FIELDS if row.order else (*_ROW_FIELDS, "order_label", "order_type", "specimen")
        shown = (
            [row.whole[name] for name in names if row.whole.get(name)]
            if row.tab == "main"
            else list(row.values.values())
        )
        place = say(f"→ ligne à ajouter sous la ligne {row.below}", f"→ row to add below row {row.below}")
        yield from _wrapped(f"{place}{_colon()} {' | '.join(shown)}", width, style)
    if edit.removed:
        yield from _wrapped(
            say("→ à supprimer", "→ to remove") + f"{_colon()} {_rows([row.row for row in edit.removed])}", width, style
        )


def _colon() -> str:
    return say("\u00a0:", ":")


def _header(tab: str, field: str) -> str:
    return load_layout().header(tab, field)


def _rows(rows: list[int]) -> str:
    shown = ", ".join(map(str, sorted(rows)[:_MOST_ROWS])) + (", …" if len(rows) > _MOST_ROWS else "")
    return say("lignes" if len(rows) > 1 else "ligne", "rows" if len(rows) > 1 else "row") + f" {shown}"


def _submission_lines(draft: Submission) -> Iterator[str]:
    axes = {
        say("composant", "component"): draft.component,
        say("grandeur", "property"): draft.property,
        say("temps", "time"): draft.time,
        say("milieu", "system"): draft.system,
        say("échelle", "scale"): draft.scale,
        say("technique", "method"): draft.method or "–",
        say("unité", "unit"): draft.unit or say("à demander", "to be asked for"),
        say("exemples de résultats", "example results"): draft.examples or say("à demander", "to be asked for"),
    }
    yield (
        say("Brouillon pour LOINC", "Draft for LOINC")
        + f"{_colon()} "
        + " ; ".join(f"{name} {text}" for name, text in axes.items())
    )

"""Accepted requests carried into a draft, at a terminal and as a log: each request with its cells, or why it was not carried.

Every string of a register or a workbook is printed through rich's Text: units such as [IU]/L are not markup.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from jdv_qa.language import count, french_spaces, say
from jdv_qa.report.triage_text import grounds
from jdv_qa.triage.application import Application, Outcome, State, Written
from jdv_qa.workbook.edition import column_letter

_NAMES: dict[State, tuple[str, str]] = {
    "carried": ("reportée", "carried"),
    "present": ("déjà faite", "there already"),
    "refused": ("non reportée", "not carried"),
    "not-accepted": ("pas acceptée", "not accepted"),
}
_PLURALS: dict[State, tuple[str, str]] = {
    "carried": ("reportées", "carried"),
    "present": ("déjà faites", "there already"),
    "refused": ("non reportées", "not carried"),
    "not-accepted": ("pas acceptées", "not accepted"),
}
_STYLES: dict[State, str] = {
    "carried": "bold green", "present": "bold cyan", "refused": "bold red", "not-accepted": "bold yellow",
}  # fmt: skip
_ORDER: tuple[State, ...] = ("refused", "carried", "present", "not-accepted")
_RULINGS = {
    "refused": ("refusées", "refused"),
    "postponed": ("ajournées", "postponed"),
    "awaiting-loinc": ("en attente LOINC", "awaiting LOINC"),
}
_INDENT = 6
_MOST_CELLS = 12


def address(application: Application, cell: Written) -> str:
    """Return the A1 address of a cell, in the new workbook or, of a removed row, in the draft."""
    return f"{column_letter(application.draft.tables[cell.tab].column_of[cell.field])}{cell.row}"


def applied_sentence(application: Application) -> str:
    """Return "40 demandes : 20 reportées, 3 non reportées, …", in the language in use."""
    counts = application.summary
    parts = [
        f"{counts[state]} {say(*(_PLURALS if counts[state] > 1 else _NAMES)[state])}"
        for state in _ORDER
        if counts[state]
    ]
    total = count(len(application.outcomes), "demande", "request")
    return french_spaces(say(f"{total} : {', '.join(parts)}.", f"{total}: {', '.join(parts)}."))


def print_application(application: Application, console: Console) -> None:
    """Print what became of each request, those that were not carried first, then what follows for the workbook."""
    draft = application.draft
    console.print(Text(applied_sentence(application), style="bold"))
    console.print(Text(grounds(draft, application.loinc), style="dim"))
    width = max(console.width, 40)
    for state in _ORDER:
        outcomes = [outcome for outcome in application.outcomes if outcome.state == state]
        if not outcomes:
            continue
        console.print()
        names = _PLURALS if len(outcomes) > 1 else _NAMES
        console.print(Text.assemble((say(*names[state]).upper(), _STYLES[state]), (f"  ({len(outcomes)})", "dim")))
        if state == "not-accepted":
            for ruling, numbers in _not_accepted(outcomes).items():
                for line in _wrapped(f"{ruling}\u00a0: {', '.join(numbers)}", width, "", 2):
                    console.print(line)
            continue
        for outcome in outcomes:
            for line in _lines(application, outcome, width):
                console.print(line)
    notes = list(_notes(application))
    if notes:
        console.print()
    for note in notes:
        for line in _wrapped(note, width, "", 0):
            console.print(line)


def _notes(application: Application) -> Iterator[str]:
    """Yield what the maintainers have to know of the new workbook."""
    if application.unknown:
        numbers = ", ".join(dict.fromkeys(decision.number for decision in application.unknown))
        yield french_spaces(
            say(
                f"Décisions sur des demandes absentes du registre, sans effet : {numbers}.",
                f"Decisions on requests that the register does not have, without effect: {numbers}.",
            )
        )
    if application.figures:
        cells = ", ".join(f"{address(application, cell)} {cell.before} → {cell.after}" for cell in application.figures)
        yield french_spaces(
            say(
                f"Onglet 10 : les chiffres de la version ont suivi ({cells}).",
                f"Tab 10: the version's figures followed ({cells}).",
            )
        )
    if application.edit:
        yield french_spaces(
            say(
                "Onglet 9 : rien n'y est écrit ; « jdv release » y ajoute une ligne par changement.",
                "Tab 9: nothing is written there; `jdv release` adds a line for each change.",
            )
        )


def _not_accepted(outcomes: Iterable[Outcome]) -> dict[str, list[str]]:
    """Return what was decided, in words -> numbers of the requests."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        decision = outcome.decision
        ruling = decision.decision if decision else ""
        told = say(*_RULINGS[ruling]) if ruling else "; ".join(reason.message for reason in outcome.reasons)
        found.setdefault(told or say("aucune décision", "no decision"), []).append(outcome.request.number)
    return found


def _lines(application: Application, outcome: Outcome, width: int) -> Iterator[Text]:
    request, decision = outcome.request, outcome.decision
    what = " ".join(text for text in (request.kind_text, request.object_text) if text)
    name = request.label or request.display
    subject = " ".join(text for text in (request.code or request.nabm, name) if text)
    title = f"{what}{f' · {request.field}' if request.field else ''}"
    number, *more = textwrap.wrap(
        f"{request.number}  {title} – {subject}" if subject else f"{request.number}  {title}",
        max(width - _INDENT, 20),
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    yield Text.assemble(("  " + number[: len(request.number)], "bold"), number[len(request.number) :])
    for line in more:
        yield Text(" " * _INDENT + line)
    if decision is not None and (kept := _retained(outcome)):
        yield from _wrapped(french_spaces(say(f"retenu : {kept}", f"retained: {kept}")), width, "blue")
    style = "dim" if outcome.state == "carried" else ""
    for reason in outcome.reasons:
        yield from _wrapped(f"{reason.rule} {reason.message}" if reason.rule else reason.message, width, style)
    for line in _cell_lines(application, outcome.cells):
        yield from _wrapped(line, width, "green")


def _retained(outcome: Outcome) -> str:
    decision = outcome.decision
    return ", ".join(text for text in (decision.code, decision.value, decision.unit) if text) if decision else ""


def _cell_lines(application: Application, cells: Sequence[Written]) -> Iterator[str]:
    """Yield one line for the cells of one field that change alike, one for each row added or removed."""
    alike: dict[tuple[str, str, str | None, str | None], list[Written]] = {}
    rows: dict[tuple[str, str, int], list[Written]] = {}
    for cell in cells:
        if cell.action == "set":
            alike.setdefault((cell.tab, cell.field, cell.before, cell.after), []).append(cell)
        else:
            rows.setdefault((cell.tab, cell.action, cell.row), []).append(cell)
    for (tab, name, before, after), ones in alike.items():
        where = ", ".join(address(application, cell) for cell in ones[:_MOST_CELLS]) + (
            ", …" if len(ones) > _MOST_CELLS else ""
        )
        yield f"→ {_tab(application, tab)}{where} ({_header(application, tab, name)})\u00a0: {before or '–'} → {after or '–'}"
    for (tab, action, row), ones in rows.items():
        done = (
            say("ligne ajoutée", "row added")
            if action == "add"
            else say("ligne supprimée du brouillon", "row removed from the draft")
        )
        yield f"→ {_tab(application, tab)}{done} {row}\u00a0: {_summary(ones)}"


def _summary(cells: Iterable[Written]) -> str:
    texts = {cell.field: (cell.after or cell.before or "") for cell in cells}
    shown = ("order_code", "result_code", "result_loinc_label", "unit", "comparability", "chapter", "rank")
    told = [texts[name] for name in shown if texts.get(name)]
    return " | ".join(told or texts.values())


def _tab(application: Application, tab: str) -> str:
    return "" if tab == "main" else f"{application.draft.tables[tab].sheet} "


def _header(application: Application, tab: str, name: str) -> str:
    return next((column.header for column in application.draft.tables[tab].columns if column.field == name), name)


def _wrapped(sentence: str, width: int, style: str = "", indent: int = _INDENT) -> Iterator[Text]:
    for line in textwrap.wrap(sentence, max(width - indent, 20), break_on_hyphens=False) or [""]:
        yield Text(" " * indent + line, style=style)

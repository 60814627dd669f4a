"""The life of a code for people: a timeline of the releases, then a table of what befell it; and as CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jdv_qa.compare.wording import field_name, part_name
from jdv_qa.language import count, say
from jdv_qa.publish.history import Event, History
from jdv_qa.publish.register import Release
from jdv_qa.report.register_json import csv_bytes

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {"first": "●", "added": "●", "removed": "✕", "modified": "◆", "assigned": "▲", "replaced": "▲"}
_STYLES = {
    "first": "green",
    "added": "green",
    "removed": "bold red",
    "modified": "yellow",
    "assigned": "cyan",
    "replaced": "cyan",
}
_ENTRIES = ("order", "result")
_COLUMNS = ("version", "date", "kind", "part", "code", "new_code", "other", "label", "field", "header", "old", "new")


def print_history(history: History, console: Console) -> None:
    """Print the life of a code."""
    from rich.table import Table
    from rich.text import Text

    first, last = history.releases[0].version, history.releases[-1].version
    title = Text(" → ".join(history.codes), style="bold")
    label = next((event.label for event in reversed(history.events) if event.label and event.part in _ENTRIES), "")
    title.append(f"  {label}", style="")
    console.print(title)
    span = say(f"Registre : {first} – {last}.", f"Register: {first} – {last}.")
    console.print(Text(f"{_state(history)} {span}", style="dim"))
    console.print()
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    for release, mark, style, sentence in _timeline(history):
        version, date = (release.version, release.date) if release else ("", "")
        line.add_row(
            Text(version, style="bold"),
            Text(date),
            Text(mark, style=style),
            Text(sentence, style=style if not release else ""),
        )
    console.print(line)
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(say("Version", "Version"), no_wrap=True)
    table.add_column(say("Nature", "Kind"), max_width=12, overflow="fold")
    table.add_column(say("Partie", "Part"), max_width=12, overflow="fold")
    table.add_column(say("Code", "Code"), no_wrap=True)
    table.add_column(say("Champ", "Field"), max_width=16, overflow="fold")
    table.add_column(say("Avant", "Before"), overflow="fold", min_width=8)
    table.add_column(say("Après", "After"), overflow="fold", min_width=8)
    for event in history.events:
        before, after = _before_and_after(event)
        table.add_row(
            event.version,
            happening_name(event),
            part_name(event.part, plural=False),
            Text(event.code + (f"\n{event.other}" if event.other else "")),
            Text(field_name(event.part, event.field) if event.field else ""),
            Text(before),
            Text(after),
        )
    console.print(table)


def happening_name(event: Event) -> str:
    """Return the name of what befell a code, in the language in use."""
    match event.happening:
        case "first":
            return say("présent", "there")
        case "added":
            return say("ajout", "added")
        case "removed":
            return say("suppression", "removed")
        case "modified":
            return say("modification", "modified")
        case "assigned":
            return say("code attribué", "code assigned")
        case _:
            return say("code remplacé", "code replaced")


def _state(history: History) -> str:
    if history.standing:
        codes = ", ".join(history.standing)
        return say(f"Dans la dernière version : {codes}.", f"In the last version: {codes}.")
    entries = [event for event in history.events if event.part not in ("association", "nabm")]
    if entries:
        return say("N'est plus dans la dernière version.", "No longer in the last version.")
    return say("N'est ni une demande ni un résultat.", "Neither an order nor a result.")


def _timeline(history: History) -> Iterator[tuple[Release | None, str, str, str]]:
    """Yield (release, mark, style, sentence) for each event, and one line without release for releases without event."""
    quiet = 0
    standing = False
    for release in history.releases:
        events = history.by_version[release.version]
        if not events:
            quiet += 1
            continue
        if quiet:
            yield None, "│" if standing else " ", "dim", _quiet_sentence(quiet, standing)
            quiet = 0
        for number, event in enumerate(events):
            yield (
                release if not number else None,
                _MARKS[event.happening],
                _STYLES[event.happening],
                event_sentence(event),
            )
            if event.part not in ("association", "nabm"):
                standing = event.happening != "removed"
    if quiet:
        yield None, "│" if standing else " ", "dim", _quiet_sentence(quiet, standing)


def _quiet_sentence(number: int, standing: bool) -> str:
    if standing:
        return count(
            number,
            "version sans changement",
            "version without change",
            "versions sans changement",
            "versions without change",
        )
    return count(number, "version sans ce code", "version without it", "versions sans ce code", "versions without it")


def event_sentence(event: Event) -> str:
    """Return what befell a code as a short sentence: "unité recommandée : mmol/L → umol/L"."""
    part = part_name(event.part, plural=False)
    match event.happening:
        case "first" if event.part == "nabm":
            return say(f"acte {event.other} aligné sur {event.code}", f"act {event.other} aligned with {event.code}")
        case "first":
            return say(
                f"{event.code} : {part}, dès la première version du registre",
                f"{event.code}: {part}, from the first version of the register on",
            )
        case "modified":
            header = field_name(event.part, event.field)
            blank = say("vide", "blank")
            return say(
                f"{event.code} : {header} : {event.old or blank} → {event.new or blank}",
                f"{event.code}: {header}: {event.old or blank} → {event.new or blank}",
            )
        case "assigned":
            return say(
                f"{event.code} ({part}) : code LOINC attribué, {event.new_code}",
                f"{event.code} ({part}): given the LOINC code {event.new_code}",
            )
        case "replaced":
            return say(
                f"{event.code} ({part}) : remplacé par {event.new_code}",
                f"{event.code} ({part}): replaced by {event.new_code}",
            )
        case happening:
            added = happening == "added"
            if event.part == "association":
                what = say("ajouté à" if added else "retiré de", "added to" if added else "taken from")
                return say(
                    f"résultat {event.other} {what} la demande {event.code}",
                    f"result {event.other} {what} order {event.code}",
                )
            if event.part == "nabm":
                what = say(
                    "aligné sur" if added else "n'est plus aligné sur",
                    "aligned with" if added else "no longer aligned with",
                )
                return say(f"acte {event.other} {what} {event.code}", f"act {event.other} {what} {event.code}")
            what = say("ajout" if added else "suppression", "added" if added else "removed")
            return say(f"{event.code} : {what} ({part})", f"{event.code}: {what} ({part})")


def _before_and_after(event: Event) -> tuple[str, str]:
    if event.happening in ("assigned", "replaced"):
        return event.code, event.new_code
    if event.happening in ("first", "added") and not event.new:
        return "", event.label
    return event.old, event.new


def history_json(history: History) -> str:
    """Return the life of a code as JSON: schema jdv-history/1."""
    content = {
        "schema": "jdv-history/1",
        "code": history.code,
        "codes": list(history.codes),
        "versions": [release.version for release in history.releases],
        "in_last_version": list(history.standing),
        "events": [event.to_json() for event in history.events],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def history_csv(history: History, *, bom: bool = False) -> bytes:
    """Return one row an event; columns and keys are those of the JSON form, `header` is the header of the field."""
    rows = [list(_COLUMNS)]
    for event in history.events:
        values = event.to_json() | {"header": field_name(event.part, event.field) if event.field else ""}
        rows.append([values.get(name, "") for name in _COLUMNS])
    return csv_bytes(rows, bom=bom)

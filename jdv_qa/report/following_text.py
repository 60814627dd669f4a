"""What became of the requests of a register in a release: at a terminal, and as JSON.

Every string of a register or a workbook is printed through rich's Text: units such as [IU]/L are not markup.
"""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jdv_qa.language import count, french_spaces, say
from jdv_qa.terminology.labels import parse_label
from jdv_qa.triage.answers import in_words
from jdv_qa.triage.following import STATES, Followed, State, ruling_name
from jdv_qa.triage.requests import Register, Request
from jdv_qa.workbook.edition import Edition

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = "jdv-follow/1"

_NAMES: dict[State, tuple[str, str, str]] = {
    "published": ("publiée", "publiées", "published"),
    "partly": ("publiée en partie", "publiées en partie", "published in part"),
    "already": ("déjà faite", "déjà faites", "already done"),
    "absent": ("acceptée mais absente", "acceptées mais absentes", "accepted but missing"),
    "moot": ("sans objet", "sans objet", "no longer applicable"),
    "refused": ("refusée", "refusées", "refused"),
    "postponed": ("ajournée", "ajournées", "postponed"),
    "awaiting-loinc": ("en attente de LOINC", "en attente de LOINC", "awaiting LOINC"),
    "undecided": ("sans décision", "sans décision", "not decided"),
}
_STYLES: dict[State, str] = {
    "published": "green", "already": "green", "partly": "bold yellow", "absent": "bold red", "moot": "bold yellow",
}  # fmt: skip


def following_sentence(followed: Sequence[Followed]) -> str:
    """Return "40 demandes : 18 publiées, 4 acceptées mais absentes, …" in the language in use."""
    counts = Counter(one.state for one in followed)
    parts = [
        f"{counts[state]} {say(plural if counts[state] > 1 else one, en)}"
        for state, (one, plural, en) in _NAMES.items()
        if counts[state]
    ]
    total = count(len(followed), "demande", "request")
    return french_spaces(say(f"{total} : {', '.join(parts)}.", f"{total}: {', '.join(parts)}."))


def print_following(
    followed: Sequence[Followed], register: Register, release: Edition, previous: Edition | None, console: Console
) -> None:
    """Print what became of each request, then what does not agree with the decisions."""
    from rich.text import Text

    console.print(Text(following_sentence(followed), style="bold"))
    before = (
        say(f"comparée à {previous.identity.version}", f"compared with {previous.identity.version}")
        if previous
        else say(
            "sans version précédente : ce qui y était déjà n'est pas distingué",
            "no previous version: what it had is not told",
        )
    )
    version = release.identity.version or "?"
    console.print(Text(french_spaces(say(f"version {version}, {before}", f"version {version}, {before}")), style="dim"))
    for remark in register.remarks:
        console.print(Text(remark[:1].upper() + remark[1:] + ".", style="yellow"))
    console.print()
    states = [_state(one) for one in followed]
    columns = max((len(one.asked.number) for one in followed), default=0), max(map(len, states), default=0)
    for one, state in zip(followed, states, strict=True):
        style = "bold red" if one.is_unexpected else _STYLES.get(one.state, "")
        line = Text.assemble(
            (f"{one.asked.number:>{columns[0]}}  ", "bold"), (f"{state:<{columns[1]}}  ", style), _title(one.asked)
        )
        line.truncate(max(console.width, 40), overflow="ellipsis")
        console.print(line, no_wrap=True)
    attention = [one for one in followed if one.needs_attention]
    if attention:
        console.print()
        console.print(Text(say("À VÉRIFIER", "TO BE CHECKED"), style="bold red"))
    for one in attention:
        reasons = one.missing
        if one.outcome != "accepted":
            reasons = (say("la version dit ce qui était demandé", "the release says what was asked for"),)
        told = say(" ; ", "; ").join((*reasons, *one.notes))
        sentence = french_spaces(say(f"{one.status} : {told}", f"{one.status}: {told}") if told else one.status)
        head = f"  {one.asked.number}  "
        lines = textwrap.wrap(
            head + sentence, max(console.width, 40), subsequent_indent=" " * len(head), break_on_hyphens=False
        )
        for told_line in lines:
            console.print(Text(told_line))


def _state(one: Followed) -> str:
    """Return where a request stands, without the version, which is said above."""
    name, _, en = _NAMES[one.state]
    return say(f"{name}, présente", f"{en}, in it") if one.is_unexpected else say(name, en)


def _title(request: Request) -> str:
    """Return a request in a few words: "Création · Résultat · 70204-3 Cholestérol non HDL"."""
    label = parse_label(request.label)
    name = label.component if label else request.label or request.display
    subject = " ".join(text for text in (request.code or request.order, request.nabm, name) if text)
    return " · ".join(text for text in (request.kind_text, request.object_text, request.field, subject) if text)


def following_json(followed: Sequence[Followed], register: Register, release: Edition, previous: Edition | None) -> str:
    """Return what became of the requests as JSON text, the same to the byte for the same input."""
    counts = Counter(one.state for one in followed)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "register": {"path": register.path, "sha256": register.sha256, "sheet": register.sheet},
        "release": _edition(release),
        "previous": _edition(previous) if previous else None,
        "summary": {state: counts[state] for state in STATES},
        "remarks": list(register.remarks),
        "requests": [_request(one) for one in followed],
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def _edition(edition: Edition) -> dict[str, str]:
    return {"path": edition.source.path, "sha256": edition.source.sha256, "version": edition.identity.version}


def _request(one: Followed) -> dict[str, Any]:
    request = one.asked
    return {
        "number": request.json_number,
        "row": request.row,
        "date": request.date,
        "applicant": request.applicant,
        "asked": in_words(request),
        "decision": one.outcome or None,
        "decision_name": ruling_name(one.outcome),
        "state": one.state,
        "status": one.status,
        "in_release": one.presence,
        "in_previous": one.before,
        "brought_by": one.brought_by or None,
        "attention": one.needs_attention,
        "missing": list(one.missing),
        "notes": list(one.notes),
        "changes": [change.to_json() for change in one.changes],
    }

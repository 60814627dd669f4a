"""The answers to those who asked: one letter a request, and the table of a mail merge.

The sentences of the letters are the templates `rules/answers/fr.txt` and `en.txt`, which maintainers edit; this module gives
them what there is to say.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from jdv_qa.compare.wording import field_name
from jdv_qa.errors import RuleFileError
from jdv_qa.language import current_language, french_spaces, say
from jdv_qa.publish.notes import written_date
from jdv_qa.resources import rules_directory
from jdv_qa.triage.following import Followed, ruling_name
from jdv_qa.triage.register_table import csv_bytes
from jdv_qa.triage.requests import CREATE, MODIFY, REFERENCE_OBJECTS, REMOVE, Request
from jdv_qa.workbook.edition import MAIN_FIELDS, Edition
from jdv_qa.workbook.layout import load_layout

if TYPE_CHECKING:
    from jinja2 import Template

    from jdv_qa.compare.model import Change

WIDTH = 80
"""Columns of a letter."""

_UNSAFE = re.compile(r"[^0-9A-Za-z]+")
_LONGEST_NAME = 40
_ANSWER = re.compile(r"(?:reponse|answer)-[0-9A-Za-z-]+\.txt|publipostage\.csv|mail_merge\.csv")
_PIECES = (
    ("unit", "unité", "unit"),
    ("display", "libellé d'édition", "display label"),
    ("comparability", "comparabilité", "comparability"),
    ("chapter", "chapitre", "chapter"),
    ("specimen", "nature de prélèvement", "specimen"),
)
"""Columns of a request without field that are told in its sentence."""


def answers(followed: Sequence[Followed], release: Edition) -> dict[str, bytes]:
    """Return file name -> content: a letter for each request, and `publipostage.csv` with one line a request.

    The names come from the numbers, cut down to what every file system takes. Raises RuleFileError when the template cannot
    be used.
    """
    files: dict[str, bytes] = {}
    rows: list[tuple[str, ...]] = [_headers()]
    for one, name in zip(followed, _names(one.asked.number for one in followed), strict=True):
        files[name] = letter(one, release).encode("utf-8")
        rows.append(_line(one, name))
    return {merge_name(): csv_bytes(rows), **files}


def merge_name() -> str:
    """Return the name of the table of the mail merge."""
    return say("publipostage.csv", "mail_merge.csv")


def is_answer(name: str) -> bool:
    """Tell whether a file name is one that `answers` gives, in either language."""
    return _ANSWER.fullmatch(name) is not None


def _names(numbers: Iterable[str]) -> Iterator[str]:
    """Yield a safe file name for each request number: "12" -> "reponse-012.txt"; none comes twice, whatever its case."""
    taken: set[str] = set()
    beginning = say("reponse", "answer")
    for number in numbers:
        plain = _UNSAFE.sub("-", number).strip("-")[:_LONGEST_NAME].rstrip("-") or "x"
        stem = f"{beginning}-{plain.zfill(3) if plain.isdigit() else plain}"
        name, times = stem, 1
        while name.casefold() in taken:
            times += 1
            name = f"{stem}-{times}"
        taken.add(name.casefold())
        yield f"{name}.txt"


def _headers() -> tuple[str, ...]:
    return (
        say("N°", "No."), say("Demandeur", "Applicant"), say("Date", "Date"), say("Demande", "Request"),
        say("Décision", "Decision"), say("Motif", "Reason"), say("Statut", "Status"), say("Version", "Version"),
        say("Ce qui manque", "What is missing"), say("À faire", "To do"),
        say("À vérifier avant envoi", "To check before sending"),
        say("Fichier", "File"),
    )  # fmt: skip


def _line(one: Followed, name: str) -> tuple[str, ...]:
    request = one.asked
    published = one.version if one.state in ("published", "partly") else ""
    told = say(" ; ", "; ")
    return (
        request.number, request.applicant, request.date, in_words(request), ruling_name(one.outcome), reason_of(one), one.status,
        published, told.join(one.missing) if one.outcome == "accepted" else "", told.join(map(_done_to, _to_do(one))),
        say("oui", "yes") if one.needs_attention else "", name,
    )  # fmt: skip


def _done_to(change: dict[str, str]) -> str:
    what = change["result"] or change["nabm"] or change["field"]
    step = (
        f"{change['old']} → {change['new_code'] or change['new']}"
        if change["kind"] != "removed"
        else say("retiré", "removed")
    )
    return " ".join(text for text in (change["code"], what, step) if text)


def reason_of(one: Followed) -> str:
    """Return the reason given for a decision, as the meeting or the register wrote it."""
    return (one.decision.comment if one.decision else "") or one.asked.comment


# ----------------------------------------------------------------------------------------------------------- the letter


def letter(one: Followed, release: Edition) -> str:
    """Return the answer to one request, in the language in use."""
    from jinja2 import TemplateError

    request, identity = one.asked, release.identity
    decision = one.decision
    kept = {
        say("code", "code"): decision.code if decision else "",
        say("valeur", "value"): decision.value if decision else "",
        say("unité", "unit"): decision.unit if decision else "",
    }
    try:
        text = _template(current_language()).render(
            number=request.number,
            date=written_date(request.date),
            applicant=request.applicant,
            asked=in_words(request),
            justification=request.reason.rstrip("."),
            outcome=one.outcome,
            state=one.state,
            reason=reason_of(one),
            retained=", ".join(f"{name} {value}" for name, value in kept.items() if value),
            unexpected=one.is_unexpected,
            brought_by=one.brought_by,
            value_set=identity.title or "JDV_CircuitBio",
            version=one.version,
            released=written_date(identity.date),
            previous=one.previous,
            missing=one.missing,
            notes=one.notes if one.state not in ("refused", "postponed", "undecided") else (),
            todo=_to_do(one),
            news=any(change.impact == "additive" for change in one.changes),
        )
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise _wrong(error) from None
    return "\n".join(_wrapped(line) for line in text.strip().splitlines()) + "\n"


def _wrapped(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


@lru_cache(maxsize=2)
def _template(language: str) -> Template:
    from jinja2 import Environment, StrictUndefined, TemplateError

    path = rules_directory() / "answers" / f"{language}.txt"
    try:
        source = path.read_text(encoding="utf-8-sig")
        sentences = french_spaces(source) if language == "fr" else source
        return Environment(undefined=StrictUndefined, autoescape=False).from_string(sentences)
    except (OSError, UnicodeDecodeError, TemplateError) as error:
        raise _wrong(error) from None


def _wrong(error: Exception) -> RuleFileError:
    path = rules_directory() / "answers" / f"{current_language()}.txt"
    line = getattr(error, "lineno", None)
    place = say(f", ligne {line}", f", line {line}") if line else ""
    reason = " ".join(str(error).split())
    return RuleFileError(
        say(
            f"{path}{place} : modèle de réponse inutilisable ({reason})",
            f"{path}{place}: unusable answer template ({reason})",
        )
    )


def _to_do(one: Followed) -> list[dict[str, str]]:
    """Return the changes that laboratories carry into their set-up; a pair that goes with its code is told by it."""
    acting = [change for change in one.changes if "laboratory" in change.actors and change.kind != "added"]
    orders = {change.code for change in acting if change.kind == "removed" and change.part == "order"}
    gone = orders | {change.code for change in acting if change.kind == "removed" and change.part == "result"}
    return [
        _told(change)
        for change in acting
        if not (change.part in ("association", "nabm") and {change.code, change.result} & gone)
        and not (change.part == "result" and change.kind == "removed" and change.code in orders)
    ]


def _told(change: Change) -> dict[str, str]:
    texts = {
        name: getattr(change, name) or ""
        for name in ("kind", "part", "code", "label", "old", "new", "new_code", "result", "nabm")
    }
    return texts | {"field": field_name(change.part, change.field) if change.field else ""}


# ------------------------------------------------------------------------------------------------- a request in words


def in_words(request: Request) -> str:
    """Return what a request asks, in words that follow "you asked for": "la suppression du résultat 17861-6 (Calcium…)"."""
    return french_spaces(_in_words(request)) if current_language() == "fr" else _in_words(request)


def _in_words(request: Request) -> str:
    kinds = {
        CREATE: ("la création", "the creation"),
        MODIFY: ("la modification", "the modification"),
        REMOVE: ("la suppression", "the removal"),
    }
    if request.kind not in kinds:
        said = request.kind_text or request.value or request.reason
        return say(f"ce qui suit : « {said} »", f'the following: "{said}"')
    act = say(*kinds[request.kind])
    if request.object == "nabm":
        return _alignment_in_words(request)
    if request.object in REFERENCE_OBJECTS:
        return _entry_in_words(request, act)
    if request.kind == CREATE and request.object == "code" and (not request.code or "-" not in request.code):
        name = f"« {request.label} »" if say("fr", "en") == "fr" else f'"{request.label}"'
        code = say(f", aujourd'hui {request.code}", f", today {request.code}") if request.code else ""
        return say(f"un code LOINC pour {name}{code}", f"a LOINC code for {name}{code}")
    subject = _subject(request)
    field = _header(request)
    if request.kind == MODIFY or (field and request.asked):
        if field and request.asked:
            what = say(
                f"du champ « {field} » {subject} : « {request.asked} »", f'of "{field}" {subject}: "{request.asked}"'
            )
            return f"{act} {what}"
        return f"{act} {subject}{_pieces(request)}"
    under = say(f" sous la demande {request.order}", f" under order {request.order}") if request.order else ""
    return f"{act} {subject}{under}{_pieces(request) if request.kind == CREATE else ''}"


def _subject(request: Request) -> str:
    """Return "du résultat 17861-6 (Calcium …)"."""
    names = {
        "order": ("de la demande", "of order"),
        "result": ("du résultat", "of result"),
        "code": ("du code", "of code"),
    }
    name = say(*names.get(request.object, names["code"]))
    label = request.label or request.display
    if not request.code:
        if label:
            return say(f"{name} « {label} »", f'{name} "{label}"')
        return say(
            *{"order": ("d'une demande", "of an order"), "result": ("d'un résultat", "of a result")}.get(
                request.object, ("d'un code", "of a code")
            )
        )
    return f"{name} {request.code}" + (f" ({label})" if label else "")


def _pieces(request: Request) -> str:
    told = [f"{say(fr, en)} {getattr(request, name)}" for name, fr, en in _PIECES if getattr(request, name)]
    return f", {', '.join(told)}" if told else ""


def _header(request: Request) -> str:
    name = request.target_field
    if name in ("loinc_code", "loinc_label"):
        return say(*{"loinc_code": ("Code LOINC", "LOINC code"), "loinc_label": ("Libellé LOINC", "LOINC label")}[name])
    return load_layout().header("main", name) if name in MAIN_FIELDS else request.field


def _alignment_in_words(request: Request) -> str:
    act, order = request.nabm or request.asked, request.code or request.order
    label = f" ({request.label})" if request.label else ""
    if request.kind == MODIFY and request.asked and request.asked != act:
        return say(
            f"la modification de l'alignement de la demande {order}{label} sur l'acte NABM {act} : « {request.asked} »",
            f'the modification of the alignment of order {order}{label} with NABM act {act}: "{request.asked}"',
        )
    what = ("la suppression", "the removal") if request.kind == REMOVE else ("l'alignement", "the alignment")
    if request.kind == REMOVE:
        return say(
            f"{what[0]} de l'alignement de la demande {order}{label} sur l'acte NABM {act}",
            f"{what[1]} of the alignment of order {order}{label} with NABM act {act}",
        )
    return say(
        f"{what[0]} de la demande {order}{label} sur l'acte NABM {act}",
        f"{what[1]} of order {order}{label} with NABM act {act}",
    )


def _entry_in_words(request: Request, act: str) -> str:
    title = load_layout().tabs[request.object].name
    code = request.code or request.asked
    label = f" ({request.label})" if request.label else ""
    wanted = request.asked if request.kind == MODIFY else ""
    entry = say(f"de « {code} »{label} dans l'onglet « {title} »", f'of "{code}"{label} in tab "{title}"')
    return f"{act} {entry}" + (say(f" : « {wanted} »", f': "{wanted}"') if wanted else "")

"""The codes of an Edition as FHIR and SVS publish them: code, code system, official label, other labels, since when.

An order and a result have one concept each, however many rows carry them. What cannot be a concept (no code, a code that is
neither LOINC's nor pending, no label) is named by `unpublished`, never dropped in silence.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from jdv_qa.checks.dates import read_date
from jdv_qa.checks.notes import load_vocabulary
from jdv_qa.compare.model import Part
from jdv_qa.errors import OutputError
from jdv_qa.language import count, say
from jdv_qa.publish.package import publication_date
from jdv_qa.terminology.codes import has_loinc_form, is_pending
from jdv_qa.terminology.labels import fold
from jdv_qa.terminology.systems import systems
from jdv_qa.workbook.edition import Edition, Entity, split_values
from jdv_qa.workbook.layout import Layout, load_layout

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_VERSION = re.compile(r"[0-9]+\.[0-9]+")
_NABM = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Concept:
    """A code to publish.

    `system` is a key of `terminology.systems`; `designations` are (role, text), the role a key of `designations` in
    `rules/publication.yaml`; `added` is the day on which the value set took the code in, None when that is not known.
    """

    code: str
    system: str
    display: str
    designations: tuple[tuple[str, str], ...]
    entity: Entity
    added: dt.date | None


@dataclass(frozen=True, slots=True)
class Mapped:
    """One act and one order aligned with it: code and label of the act, code, code system and label of the order."""

    act: str
    act_label: str
    act_system: str
    order: str
    order_system: str
    order_label: str


def require_circuit(edition: Edition, layout: Layout | None = None) -> None:
    """Raise OutputError when the Edition has no orders and results to publish (a layout of one table)."""
    if "main" not in edition.tables:
        name = (layout or load_layout()).name
        raise OutputError(
            say(
                f"mise en page « {name} » : ni demandes ni résultats à publier en FHIR ou en SVS",
                f"layout `{name}`: no orders and no results to publish as FHIR or SVS",
            )
        )


def order_concepts(edition: Edition) -> tuple[Concept, ...]:
    """Return the orders of an Edition, in the order of the workbook."""
    return _concepts(edition, "order")


def result_concepts(edition: Edition) -> tuple[Concept, ...]:
    """Return the results of an Edition, in the order of the workbook."""
    return _concepts(edition, "result")


def _concepts(edition: Edition, part: Part) -> tuple[Concept, ...]:
    entities = edition.orders if part == "order" else edition.results
    added = _added(edition, part)
    since = first_date(edition)
    return tuple(
        Concept(
            entity.code,
            _system(entity.code),
            _label(entity, part),
            tuple(_designations(entity, part)),
            entity,
            added.get(entity.code, since),
        )
        for entity in entities.values()
        if _system(entity.code) and _label(entity, part)
    )


def _system(code: str) -> str:
    """Return the key of the system of a code, "" when its form says none."""
    return "loinc" if has_loinc_form(code) else "pending" if is_pending(code) else ""


def _label(entity: Entity, part: str) -> str:
    """Return the official label of an entity, else the one that maintainers gave it."""
    names = ("order_loinc_label", "order_label") if part == "order" else ("result_loinc_label", "result_display")
    return next((text for name in names if (text := plain_text(entity[name]))), "")


def _designations(entity: Entity, part: str) -> Iterator[tuple[str, str]]:
    """Yield the labels other than the official one, each once."""
    own = "order_label" if part == "order" else "result_display"
    texts = [(own, entity[own]), *(("synonym", text) for text in split_values(entity["order_synonyms"]))]
    seen = {_label(entity, part)}
    for role, text in texts:
        plain = plain_text(text)
        if plain and plain not in seen:
            seen.add(plain)
            yield role, plain


def plain_text(text: str) -> str:
    """Return a text on one line, with single spaces and without the characters that XML and FHIR forbid."""
    return " ".join(_ILLEGAL.sub("", text).split())


def mapped_acts(edition: Edition) -> tuple[Mapped, ...]:
    """Return the acts and the orders aligned with them, by act then in the order of the workbook, each pair once.

    Acts of the NABM are told by their four digits; the others are of the RIHN if `rules/publication.yaml` knows its address.
    """
    labels = _act_labels(edition)
    pairs = {
        (act, concept.code): Mapped(
            act, labels.get(act, ""), _act_system(act), concept.code, concept.system, concept.display
        )
        for concept in order_concepts(edition)
        for record in concept.entity.records
        for act in map(plain_text, split_values(record["nabm_code"]))
        if _act_system(act)
    }
    return tuple(sorted(pairs.values(), key=lambda pair: pair.act))


def _act_system(act: str) -> str:
    if _NABM.fullmatch(act):
        return "nabm"
    return "rihn" if "rihn" in systems() and re.fullmatch(r"[A-Z][0-9]+", act) else ""


def _act_labels(edition: Edition) -> dict[str, str]:
    """Return act -> label, the first one written; labels pair with codes by place."""
    labels: dict[str, str] = {}
    for record in edition.main.records:
        for act, label in zip(split_values(record["nabm_code"]), split_values(record["nabm_label"]), strict=False):
            if plain := plain_text(label):
                labels.setdefault(plain_text(act), plain)
    return labels


def unpublished(edition: Edition) -> tuple[str, ...]:
    """Return one sentence for each code of an Edition that FHIR and SVS have no place for, empty when nothing is lost."""
    sentences = (*_unpublished(edition, "order"), *_unpublished(edition, "result"), *_unmapped(edition))
    return tuple(f"FHIR, SVS – {sentence}" for sentence in sentences)


def _unpublished(edition: Edition, part: Part) -> Iterator[str]:
    entities = edition.orders if part == "order" else edition.results
    noun = say("demande", "order") if part == "order" else say("résultat", "result")
    for key, entity in entities.items():
        row = entity.records[0].row
        if not entity.code:
            yield say(f"{noun} « {key} » (ligne {row}) : sans code", f'{noun} "{key}" (row {row}): no code')
        elif not _system(entity.code):
            yield say(
                f"{noun} « {entity.code} » (ligne {row}) : ni code LOINC, ni code en attente",
                f'{noun} "{entity.code}" (row {row}): neither a LOINC code nor a pending one',
            )
        elif not _label(entity, part):
            yield say(
                f"{noun} {entity.code} (ligne {row}) : sans libellé", f"{noun} {entity.code} (row {row}): no label"
            )


def _unmapped(edition: Edition) -> Iterator[str]:
    acts = dict.fromkeys(
        act
        for order in edition.orders.values()
        for record in order.records
        for act in map(plain_text, split_values(record["nabm_code"]))
        if act and not _act_system(act)
    )
    if acts:
        names = ", ".join(list(acts)[:5]) + ("…" if len(acts) > 5 else "")
        number = count(len(acts), "code qui n'a", "code", "codes qui n'ont")
        yield say(
            f"table de correspondance, {number} pas la forme d'un acte de la NABM, quatre chiffres : {names}",
            f"concept map, {number} without the form of a NABM act, four digits: {names}",
        )


def stated_loinc_version(edition: Edition) -> str:
    """Return the LOINC version that the Sommaire states, "" when it states none or several ("2.79-2.80")."""
    versions = set(_VERSION.findall(edition.identity.loinc_version))
    return versions.pop() if len(versions) == 1 else ""


def release_date(edition: Edition) -> dt.date | None:
    """Return the date of publication, from the Sommaire, else SOURCE_DATE_EPOCH; None without either."""
    stated = read_date(edition.identity.date) if edition.identity.date else None
    if stated and len(stated) == 3:
        return dt.date(*stated)
    moment = publication_date(edition)
    return moment.date() if moment else None


def first_date(edition: Edition) -> dt.date | None:
    """Return the date of the first version told by the history of the Sommaire, else the date of publication."""
    released = release_date(edition)
    dates = [date for record in edition.records("history") if (date := _full_date(record["date"]))]
    earlier = [date for date in dates if released is None or date <= released]
    return min(earlier, default=released)


@lru_cache(maxsize=256)
def _full_date(text: str) -> dt.date | None:
    date = read_date(text) if text else None
    return dt.date(*date) if date and len(date) == 3 else None


def _added(edition: Edition, part: Part) -> dict[str, dt.date]:
    """Return code -> the day it came in, for the orders or results that the notes tell as added, assigned or replaced."""
    words = load_vocabulary()
    days = {record["version"]: day for record in edition.records("history") if (day := _full_date(record["date"]))}
    found: dict[str, dt.date] = {}
    for note in edition.records("notes"):
        told = fold(note["part"])
        if told and not words.parts[part].search(told):
            continue
        if words.parts["association"].search(told) or words.parts["nabm"].search(told):
            continue
        nature = fold(note["nature"])
        code = ""
        if words.natures["assigned"].search(nature) or words.natures["replaced"].search(nature):
            code = note["new"]
        elif words.natures["added"].search(nature):
            code = note["code"]
        if code and (day := _full_date(note["date"]) or days.get(note["version"])):
            found[code] = max(day, found.get(code, day))
    return found

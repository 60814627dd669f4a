"""What became, from one LOINC release to the next, of the codes that a value set uses: ACTIVE -> DEPRECATED, and so on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jdv_qa.compare.entries import term_table
from jdv_qa.compare.model import Statuses, Transition, code_place
from jdv_qa.terminology.codes import has_loinc_form
from jdv_qa.terminology.loinc import WITHDRAWN
from jdv_qa.workbook.edition import Edition

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import LoincRelease


def status_transitions(old: Edition, new: Edition, before: LoincRelease, after: LoincRelease) -> Statuses:
    """Return the LOINC codes of either edition whose status differs between two releases, and what to use instead."""
    kept = dict(_codes(new))
    labels = dict(_codes(old)) | kept
    transitions = []
    for code in sorted(labels, key=code_place):
        was, became = (term.status if (term := release.terms.get(code)) else "" for release in (before, after))
        if was != became:
            instead = substitutes(after, code) if became in WITHDRAWN else ()
            transitions.append(Transition(code, labels[code], was, became, code in kept, instead))
    return Statuses(before.version, after.version, tuple(transitions))


def substitutes(release: LoincRelease, code: str) -> tuple[str, ...]:
    """Return the terms in use that a release gives in the place of a code (MapTo, chains followed), none if it gives none."""
    return tuple(candidate.code for candidate in release.candidates(code) if candidate.live)


def _codes(edition: Edition) -> Iterator[tuple[str, str]]:
    """Yield the LOINC codes of orders and results, or of the terms, with their labels."""
    if (terms := term_table(edition)) is not None:
        yield from ((record["code"], record["label"]) for record in terms.records if has_loinc_form(record["code"]))
        return
    for entities, label in ((edition.orders, "order_label"), (edition.results, "result_loinc_label")):
        yield from ((code, entity[label]) for code, entity in entities.items() if has_loinc_form(code))

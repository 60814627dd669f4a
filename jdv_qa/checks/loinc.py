"""LNC: the codes of orders and results against a LOINC release. Ill-formed and pending codes are left to COD and ATT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jdv_qa.checks.engine import CODE_FIELDS, LABEL_OF, CannotRun, Context, once, owner, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.language import count, say
from jdv_qa.terminology.codes import CodeForm, read_code
from jdv_qa.terminology.labels import parse_label
from jdv_qa.terminology.loinc import AXES, WITHDRAWN, Candidate, LoincRelease, Term, TermChange, version_number
from jdv_qa.workbook.edition import Entity

LABORATORY = "1"
"""CLASSTYPE of the terms of the laboratory; 2 is clinical, 3 claims attachments, 4 surveys (Users' Guide, appendix A)."""

_AXIS_NAMES = {
    "component": ("composant", "component"), "property": ("grandeur", "property"), "time": ("temps", "time"),
    "system": ("milieu", "system"), "scale": ("échelle", "scale"), "method": ("technique", "method"),
    "status": ("statut", "status"),
}  # fmt: skip
_CHANGED_AXES = {"NAM": ("component",), "MAJ": AXES[1:], "UND": ("status",)}
"""CHNG_TYPE of a term -> what it says changed (release notes of LOINC). LNC-02 reports DEL; MIN and PANEL touch no axis."""

_LONGEST_REASON = 200


def _release(context: Context) -> LoincRelease:
    assert context.loinc is not None
    return context.loinc


def _codes(context: Context) -> list[tuple[Entity, str, Term | None]]:
    """Return (order or result, field of its code, LOINC term if there is one) for every well-formed LOINC code."""
    return once(context, "codes_in_loinc", lambda: list(_find_codes(context)))


def _find_codes(context: Context) -> Iterator[tuple[Entity, str, Term | None]]:
    terms = _release(context).terms
    for name, entities in zip(CODE_FIELDS, (context.edition.orders, context.edition.results), strict=True):
        for entity in entities.values():
            if read_code(entity.code).form is CodeForm.LOINC:
                yield entity, name, terms.get(entity.code)


def _problem(entity: Entity, name: str, **what: Any) -> Problem:
    """Return the problem of a code, at the first row that holds it; the sentence tells how many do."""
    rows = sum(name not in record.inherited for record in entity.records)
    where = say(f" Le code est sur {count(rows, 'ligne', 'row')}.", f" The code is on {count(rows, 'ligne', 'row')}.")
    facts = {"rows": where if rows > 1 else ""} | what.pop("facts", {})
    return Problem("main", owner(entity.records, name), name, facts=facts, **what)


@rule("LNC-01")
def unknown(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that the release does not hold; the code whose axes are those of the label is proposed."""
    release = _release(context)
    for entity, name, term in _codes(context):
        if term is not None:
            continue
        label = parse_label(entity[LABEL_OF[name]])
        meant = release.codes_meant(label) if label else ()
        yield _problem(
            entity,
            name,
            suggestion=meant[0] if len(meant) == 1 else None,
            related=meant,
            message="meant" if meant else "default",
            facts={"version": release.version, "meant": ", ".join(meant)},
        )


@rule("LNC-02")
def deprecated(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Deprecated codes, with what LOINC gives in their place."""
    return _withdrawn(context, WITHDRAWN[0])


@rule("LNC-03")
def discouraged(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Discouraged codes, with what LOINC gives in their place."""
    return _withdrawn(context, WITHDRAWN[1])


def _withdrawn(context: Context, status: str) -> Iterator[Problem]:
    release = _release(context)
    for entity, name, term in _codes(context):
        if term is None or term.status != status:
            continue
        candidates = release.candidates(entity.code)
        live = [candidate.code for candidate in candidates if candidate.live]
        said = term.status_text or (term.status_reason if not candidates else "")
        yield _problem(
            entity,
            name,
            suggestion=live[0] if len(live) == 1 else None,
            related=tuple(candidate.code for candidate in candidates),
            message="replaced" if candidates else "default" if release.replacements else "no-table",
            facts={
                "version": release.version,
                "candidates": say(" ; ", "; ").join(describe(candidate, context) for candidate in candidates),
                "said": say(f" LOINC précise : « {said} »", f' LOINC says: "{said}"') if said else "",
            },
        )


def describe(candidate: Candidate, context: Context) -> str:
    """Return what is known of a term that may take the place of another: code, name, LOINC's comment, and where it stands."""
    remarks = []
    if candidate.comment:
        remarks.append(say(f"si : {candidate.comment}", f"if: {candidate.comment}"))
    if candidate.through:
        via = ", ".join(candidate.through)
        remarks.append(say(f"par {via}", f"through {via}"))
    if candidate.code in context.edition.orders or candidate.code in context.edition.results:
        remarks.append(say("déjà dans le jeu de valeurs", "already in the value set"))
    if candidate.term is None:
        remarks.append(say("absent de la version de LOINC donnée", "not in the LOINC release given"))
    elif not candidate.live:
        deprecated = candidate.term.status == WITHDRAWN[0]
        remarks.append(
            say("lui-même obsolète", "itself deprecated")
            if deprecated
            else say("lui-même déconseillé", "itself discouraged")
        )
    name = f" {candidate.term.label}" if candidate.term else ""
    return f"{candidate.code}{name}" + (f" ({' ; '.join(remarks)})" if remarks else "")


@rule("LNC-04")
def trial(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes on trial."""
    for entity, name, term in _codes(context):
        if term is not None and term.status == "TRIAL":
            yield _problem(entity, name, facts={"version": _release(context).version})


@rule("LNC-05")
def not_laboratory(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes of terms that are not the laboratory's; a release without CLASSTYPE says nothing."""
    for entity, name, term in _codes(context):
        if term is not None and term.classtype not in ("", LABORATORY):
            kind = _class_types().get(term.classtype, term.classtype)
            yield _problem(entity, name, facts={"kind": kind, "class": term.loinc_class, "name": term.label})


def _class_types() -> dict[str, str]:
    return {
        "2": say("observation clinique", "clinical observation"),
        "3": say("pièce jointe de remboursement", "claims attachment"),
        "4": say("question d'enquête", "survey question"),
    }


@rule("LNC-06")
def changed(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes whose axes or status LOINC changed since the release of the previous version; withdrawn ones are LNC-02 and 03's."""
    release = _release(context)
    assert context.previous is not None
    since = version_number(context.previous.identity.loinc_version)
    if not any(since):
        raise CannotRun(
            say(
                "la version précédente ne dit pas quelle version de LOINC elle suit (Sommaire, « Version LOINC »)",
                "the previous version does not say which LOINC release it follows (Sommaire, `Version LOINC`)",
            )
        )
    for entity, name, term in _codes(context):
        if term is None or term.is_withdrawn:
            continue
        told = [change for change in release.changes.get(entity.code, ()) if version_number(change.version) > since]
        if told:
            changes = say(" ; ", "; ").join(map(_tell, told))
        elif version_number(term.version_changed) > since and (axes := _CHANGED_AXES.get(term.change_type)):
            kinds = say(" ou ", " or ").join(say(*_AXIS_NAMES[axis]) for axis in axes)
            changes = say(f"{kinds}, en {term.version_changed}", f"{kinds}, in {term.version_changed}")
        else:
            continue
        reason = next((change.reason for change in told if change.reason), term.change_reason)
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[:_LONGEST_REASON].rstrip()}…"
        yield _problem(
            entity,
            name,
            facts={
                "changes": changes,
                "since": ".".join((str(since[0]), f"{since[1]:02d}")),
                "name": term.label,
                "reason": say(f" Raison donnée : « {reason} »", f' Reason given: "{reason}"') if reason else "",
            },
        )


def _tell(change: TermChange) -> str:
    name = say(*_AXIS_NAMES[change.field])
    before, after = change.before or "–", change.after or "–"
    return say(f"{name} {before} → {after}, en {change.version}", f"{name} {before} → {after}, in {change.version}")

"""The verdict on a request, with its reasons: the first that fits, in the order of `VERDICTS`.

Without a LOINC release, what only LOINC can tell is not guessed: a code that is new to the value set cannot be called
acceptable, since it may be deprecated, a panel or no laboratory term, and the request is `incomplete` until a release is
given. What the workbook alone shows to be wrong is said all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.engine import Context
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.loinc import LABORATORY, describe
from jdv_qa.language import say
from jdv_qa.terminology.codes import is_loinc
from jdv_qa.terminology.labels import axis_wordings, fold, loinc_parts, parse_label, wording
from jdv_qa.terminology.loinc import AXES, WITHDRAWN
from jdv_qa.triage.conventions import load_conventions
from jdv_qa.triage.edits import Introduced, Proposal, Reason, reason_of
from jdv_qa.triage.value_set import ValueSet

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import LoincRelease, Term

Verdict: TypeAlias = Literal[
    "incomplete", "duplicate", "already-done", "to-reject", "submit-to-loinc", "to-correct", "conflicting", "acceptable"
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Submission:
    """A draft of the submission of a term to LOINC: the axes that Regenstrief asks for, as LOINC writes them where known.

    An axis is "" where the label does not tell it; `unsure` names those that a person has to look at: words that no table
    has, left in French, and words that several parts share.
    `similar`: codes of terms that the submission should be told apart from.
    """

    label: str
    component: str
    property: str
    time: str
    system: str
    scale: str
    method: str
    unit: str
    examples: str = ""
    unsure: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the draft as a JSON object."""
        return {name: getattr(self, name) for name in ("label", *AXES, "unit", "examples")} | {
            "unsure": list(self.unsure), "similar": list(self.similar),
        }  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ to reject


def rejections(introduced: Sequence[Introduced], values: ValueSet) -> tuple[Reason, ...]:
    """Return why codes that a request brings in are not to be taken, none when nothing speaks against them.

    Deprecated, a panel as a result, a specimen too broad, a technique too specific, a first specimen, no laboratory term
    (ASIP Santé, training on the circuit of laboratory medicine, 2018-2019).
    """
    return tuple(reason for one in introduced for reason in _rejections(one, values))


def _rejections(one: Introduced, values: ValueSet) -> Iterator[Reason]:
    code, term = one.code, values.term(one.code)
    if term is not None and term.status == WITHDRAWN[0]:
        yield _deprecated(term, values)
    if not one.as_order and (reason := _panel(one, term, values)) is not None:
        yield reason
    if term is not None and term.classtype not in ("", LABORATORY):
        yield reason_of(
            "LNC-05",
            f"{code} n'est pas un terme de laboratoire ({term.label})",
            f"{code} is no laboratory term ({term.label})",
        )
    label = parse_label(one.label)
    systems = {term.system} if term else set()
    if label is not None:
        systems |= loinc_parts("system", label.system) or {label.system}
    broad = set(load_catalogue()["LAB-09"].parameters["systems"])
    if systems & broad:
        shown = wording("system", min(systems & broad)) or min(systems & broad)
        yield reason_of(
            "LAB-09",
            f"le milieu « {shown} » de {code} est trop large pour comparer deux résultats : {_instead(term, values, broad)}",
            f'system "{shown}" of {code} is too broad for two results to be compared: {_instead(term, values, broad)}',
        )
    conventions = load_conventions()
    methods = {fold(term.method)} if term else set()
    methods |= {fold(label.method)} if label else set()
    if methods & conventions.methods:
        method = (label.method if label and label.method else "") or (term.method if term else "")
        yield reason_of(
            None,
            f"la technique « {method} » de {code} est trop précise : prendre le code sans technique, ou d'une technique "
            "générique",
            f'method "{method}" of {code} is too specific: take the code without method, or of a generic one',
        )
    texts = [one.label, *((term.component, term.system, term.name) if term else ())]
    if any(conventions.first_specimen.search(fold(text)) for text in texts if text):
        yield reason_of(
            None,
            f"{code} est propre à un premier prélèvement : prendre le code qui ne le précise pas",
            f"{code} is specific to a first specimen: take the code that does not say so",
        )


def _deprecated(term: Term, values: ValueSet) -> Reason:
    assert values.loinc is not None
    context = Context(values.edition, values.layout, loinc=values.loinc)
    candidates = values.loinc.candidates(term.code)
    version = values.loinc.version
    release = f"LOINC {version}" if version else "LOINC"
    if candidates:
        told = say(" ; ", "; ").join(describe(candidate, context) for candidate in candidates)
        return reason_of(
            "LNC-02",
            f"{term.code} est obsolète dans {release} ; LOINC donne à sa place : {told}",
            f"{term.code} is deprecated in {release}; LOINC gives in its place: {told}",
        )
    said = term.status_text or term.status_reason
    return reason_of(
        "LNC-02",
        f"{term.code} est obsolète dans {release}, qui ne donne rien à sa place{f' (« {said} »)' if said else ''}",
        f"{term.code} is deprecated in {release}, which gives nothing in its place" + (f' ("{said}")' if said else ""),
    )


def _panel(one: Introduced, term: Term | None, values: ValueSet) -> Reason | None:
    order, label = values.edition.orders.get(one.code), parse_label(one.label)
    if order is not None and order["order_type"] == "Order":
        return reason_of(
            "TYP-02",
            f"{one.code} est une demande de type Order (ligne {order.records[0].row}), pas un résultat : demander ses résultats",
            f"{one.code} is an order of type Order (row {order.records[0].row}), no result: ask for its results",
        )
    if (term is not None and term.is_panel) or (label is not None and label.scale == "-"):
        name = term.label if term else one.label
        return reason_of(
            "TYP-06",
            f"{one.code} est un panel ({name}), qui ne porte pas de résultat : demander les résultats qui le composent",
            f"{one.code} is a panel ({name}), which has no result: ask for the results that it holds",
        )
    return None


def _instead(term: Term | None, values: ValueSet, broad: set[str]) -> str:
    """Return what to take in the place of a term of too broad a system."""
    if term is not None and values.loinc is not None:
        others = [other for other in values.loinc.neighbours(term).get("system", ()) if other.system not in broad]
        others.sort(key=lambda other: (other.code not in values, other.system != "Ser/Plas"))
        if others:
            shown = ", ".join(f"{other.code} ({other.label})" for other in others[:3])
            return say(f"prendre {shown}", f"take {shown}")
    return say("prendre le code du sérum ou plasma, ou celui du sang", "take the code in serum or plasma, or in blood")


# -------------------------------------------------------------------------------------------------------- terms to submit


def draft(label: str, unit: str, similar: Sequence[str] = ()) -> Submission | None:
    """Return the draft of a submission from a French label; None when the label does not tell the axes."""
    parsed = parse_label(label)
    if parsed is None:
        return None
    parts: dict[str, str] = {}
    unsure = []
    for axis in AXES[1:]:
        text: str = getattr(parsed, axis)
        known = loinc_parts(axis, text)
        found = [part for part in axis_wordings()[axis] if part in known] or sorted(known)
        usual = [part for part in found if fold(wording(axis, part) or "") == fold(text)] or found
        parts[axis] = usual[0] if usual else text
        if text and len(usual) != 1:
            unsure.append(axis)
    return Submission(
        label, parsed.component, parts["property"], parts["time"], parts["system"], parts["scale"], parts["method"], unit,
        "", ("component", *unsure), tuple(similar),
    )  # fmt: skip


def known_as(label: str, values: ValueSet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the codes that the value set has for a LOINC label, and the other codes that LOINC has of that meaning."""
    present = tuple(
        code
        for code in values.results_by_label.get(fold(label), ())
        if fold(values.edition.results[code]["result_loinc_label"]) == fold(label)
    )
    parsed = parse_label(label)
    terms: tuple[str, ...] = ()
    if values.loinc is not None and parsed is not None:
        terms = tuple(term.code for term in values.loinc.meaning(parsed))
    inside = tuple(dict.fromkeys((*present, *(code for code in terms if code in values.edition.results))))
    return inside, tuple(code for code in terms if code not in inside)


def nearly_known(label: str, release: LoincRelease, codes: Sequence[str]) -> tuple[str, ...]:
    """Return which of some codes have the axes of a label and a component spelled nearly alike."""
    terms = [release.terms.get(code) for code in codes]
    return tuple(
        term.code for term in terms if term is not None and term.matches_axes(label) and term.has_component_like(label)
    )


# ------------------------------------------------------------------------------------------------------------ the verdict


@dataclass(frozen=True)
class Facts:
    """What a verdict rests on, beside the proposal.

    `duplicate_of`: number of the earlier request that asks for the same; `rejected`: why the code is not to be taken;
    `submitted`: why a term has to be asked of LOINC; `findings`: what the
    check would newly say; `rivals`: numbers of the requests that want something else for a cell, and the cell.
    """

    duplicate_of: str = ""
    rejected: tuple[Reason, ...] = ()
    submitted: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()
    rivals: tuple[tuple[str, str], ...] = ()


def decide(proposal: Proposal, facts: Facts, values: ValueSet) -> tuple[Verdict, tuple[Reason, ...]]:
    """Return the verdict and its reasons; the notes of the proposal come after them."""
    verdict, reasons = _decide(proposal, facts, values)
    return verdict, (*reasons, *proposal.notes)


def _decide(proposal: Proposal, facts: Facts, values: ValueSet) -> tuple[Verdict, tuple[Reason, ...]]:
    if proposal.missing:
        return "incomplete", proposal.missing
    if facts.duplicate_of:
        number = facts.duplicate_of
        return "duplicate", (reason_of(None, f"répète {_called(number)}", f"repeats request {number}"),)
    if proposal.done:
        return "already-done", proposal.done
    if facts.rejected:
        return "to-reject", facts.rejected
    if facts.submitted:
        return "submit-to-loinc", facts.submitted
    errors = tuple(
        Reason(finding.message, finding.rule) for finding in facts.findings if finding.severity is Severity.ERROR
    )
    told = {reason.rule for reason in errors}
    faults = tuple(reason for reason in proposal.faults if reason.rule is None or reason.rule not in told)
    if faults or errors or proposal.faults:
        return "to-correct", (*faults, *dict.fromkeys(errors))
    warnings = tuple(
        dict.fromkeys(
            Reason(finding.message, finding.rule)
            for finding in facts.findings
            if finding.severity is not Severity.ERROR
        )
    )
    if facts.rivals:
        return "conflicting", (*(_rivalry(number, cell) for number, cell in facts.rivals), *warnings)
    if values.loinc is None and (unjudged := _unjudged(proposal, values)):
        return "incomplete", (*unjudged, *warnings)
    if not proposal.edit:
        return "incomplete", (
            reason_of(None, "la demande ne change rien de précis", "the request changes nothing definite"),
        )
    return "acceptable", warnings


def _rivalry(number: str, cell: str) -> Reason:
    return reason_of(
        None,
        f"{_called(number)} veut autre chose pour « {cell} » : trancher",
        f'request {number} wants something else for "{cell}": decide between them',
    )


def _called(number: str) -> str:
    """Return what to call a request in French: "la demande n° 12", "la demande de la ligne 4" where it has no number."""
    return f"la demande de la {number}" if number.startswith("ligne ") else f"la demande n° {number}"


def _unjudged(proposal: Proposal, values: ValueSet) -> tuple[Reason, ...]:
    codes = [one.code for one in proposal.introduced if is_loinc(one.code) and one.code not in values]
    return tuple(
        reason_of(
            "LNC-01",
            f"{code} n'est pas dans le jeu de valeurs, et aucune version de LOINC n'est donnée : relancer avec --loinc "
            "pour savoir s'il existe, s'il est en vigueur et si c'est un résultat de laboratoire",
            f"{code} is not in the value set and no LOINC release is given: run again with --loinc to know whether it "
            "exists, is in force, and is a laboratory result",
        )
        for code in dict.fromkeys(codes)
    )

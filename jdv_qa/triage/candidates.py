"""The LOINC codes that a request may mean, the best ones with the reason of each.

They are the terms that fit its wording (`terminology/fitting.py`), and, where it names a code, that code, those that take its
place, and those that differ from it by one axis: half of the errors of coding are in one axis, mostly the property or the system
(JAMIA 2022, PMC9846663). The best ones are kept; among them those of the value set come first, then the order is that of the
rules of choice of the training to the circuit (2018-2019): a result is no Order code, a code without method, a property in
moles, a specimen that is neither too broad nor a first one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.labels import AXIS_NAMES
from jdv_qa.language import french_spaces, say
from jdv_qa.terminology.codes import read_code, with_dash
from jdv_qa.terminology.fitting import Fit, WordingIndex
from jdv_qa.terminology.labels import fold, loinc_parts, parse_label
from jdv_qa.terminology.labels import wording as french_wording
from jdv_qa.terminology.loinc import AXES, LoincRelease, Term
from jdv_qa.terminology.properties import properties
from jdv_qa.terminology.units import fits, proposals, read_unit
from jdv_qa.triage.conventions import load_conventions
from jdv_qa.workbook.edition import Edition, split_values

LIMIT = 10
"""Candidates given for a request."""

_UNIT_IN_WORDS = re.compile(
    r"(?<!\S)(?<![0-9] )(?:(?:en|in)\s+(?P<bare>[\wµμ]{0,2}(?:mol|g|kat|UI|IU|U))|(?P<whole>[\w*.\[\]µμ%']+/"
    r"\(?(?:[dcmuµμnpf]?[Ll]|kg|g|m?mol|24 ?\.?h|h|d|j|min)\)?))(?=[\s,.;:)]|$)"
)
_MEANT, _EXACT, _FITS, _NEIGHBOUR, _NEAR_FIT = range(5)
"""How near a candidate is to what is asked: the code asked or what takes its place, a term that says what the wording says and
leaves no axis open, one that fits it as well as any, one that differs from the code asked by an axis, one not far."""
_FIRST = 100.0
_PROPOSALS = 5
"""Codes looked at that a mistyped one may be a slip of."""
_SELDOM_SAID = frozenset({"scale"})
"""Axes that names do not state."""
_UNSPECIFIED = frozenset({"XXX", "Body fld"})
"""Systems that say little; another is preferred where the wording leaves the choice."""
_NEAR = 6.0
"""How far, in weight of words, a term that fits less than the best may be from it to be a candidate."""
_MISTAKEN = {"property": 0, "system": 1, "method": 2, "time": 3, "scale": 4, "component": 5}
"""The order of the axes by which a code may be mistaken, the most frequent first (JAMIA 2022)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A code that a request may mean: its label, in French where there is one, and why, in the language in use."""

    code: str
    label: str
    in_value_set: bool
    why: str


def candidates(
    wording: str,
    *,
    code: str = "",
    unit: str = "",
    edition: Edition,
    release: LoincRelease | None,
    limit: int = LIMIT,
    as_order: bool = False,
) -> tuple[Candidate, ...]:
    """Return the codes that a request may mean, those of the value set first; withdrawn ones, which say so, last.

    `wording`: a LOINC name or label, or loose words, in French or English; `code`: the code that it names, whatever its state;
    `unit`: its unit, which tells the property; `as_order`: it asks for an order, not for a result. Without a release only the
    value set is searched, and the reasons say so. No candidate is found for a wording of which nothing is known.
    """
    search = _search(_Same(edition), _Same(release))
    return search.candidates(wording, code.strip(), unit.strip(), limit, as_order)


class _Same:
    """Something that is equal to itself alone, so that what is made of it can be kept."""

    __slots__ = ("it",)

    def __init__(self, it: object) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.it is other.it


@lru_cache(maxsize=4)
def _search(edition: _Same, release: _Same) -> _Search:
    assert isinstance(edition.it, Edition)
    assert release.it is None or isinstance(release.it, LoincRelease)
    return _Search(edition.it, release.it)


@dataclass
class _Choice:
    """A candidate while it is weighed: the lower its tier the nearer it is to what is asked."""

    code: str
    tier: int
    score: float
    reasons: list[str]
    open_axes: tuple[str, ...]
    remarks: list[str] = field(default_factory=list)
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked: the words, without the unit; the unit and the properties it goes with; whether it is an order."""

    wording: str
    unit: str
    properties: frozenset[str]
    as_order: bool


class _Search:
    """The codes to choose from: those of a release, those of the value set."""

    def __init__(self, edition: Edition, release: LoincRelease | None) -> None:
        self.release = release
        self.labels: dict[str, str] = {}
        self.roles: dict[str, tuple[str, ...]] = {}
        for order in edition.orders.values():
            if order.code:
                self.labels[order.code] = order["order_loinc_label"] or order["order_label"]
                self.roles[order.code] = ("order",)
        for result in edition.results.values():
            if result.code:
                self.labels[result.code] = result["result_loinc_label"] or result["result_display"]
                self.roles[result.code] = (*self.roles.get(result.code, ()), "result")
        known = release.terms if release is not None else {}
        self.own = {code: _term_of(code, label) for code, label in self.labels.items() if code not in known}
        self.broad = frozenset(load_catalogue()["LAB-09"].parameters["systems"])
        self._aliases = list(_aliases(edition))

    @cached_property
    def index(self) -> WordingIndex:
        """The terms of the release and of the value set by their wordings, made when they are first needed."""
        return WordingIndex(self.release, self.own.values(), self._aliases)

    def candidates(self, wording: str, code: str, unit: str, limit: int, as_order: bool) -> tuple[Candidate, ...]:
        """Return the candidates for a request, as the function of that name."""
        words, unit = _unit_apart(wording, unit)
        asked = _Asked(words, unit, _properties_of(unit), as_order)
        chosen: dict[str, _Choice] = {}
        for choice in (*self._by_code(code, asked), *self._by_wording(asked, limit)):
            known = chosen.setdefault(choice.code, choice)
            if (choice.tier, -choice.score) < (known.tier, -known.score):
                known.tier, known.score, known.open_axes = choice.tier, choice.score, choice.open_axes
        for choice in chosen.values():
            choice.remarks, choice.cost = self._remarks(choice, asked)
        kept = sorted(chosen.values(), key=self._rank)[:limit]
        kept.sort(key=lambda choice: (self._is_withdrawn(choice.code), choice.code not in self.labels))
        with_method = any("method" in choice.open_axes for choice in kept)
        return tuple(self._told(choice, with_method) for choice in kept)

    def _rank(self, choice: _Choice) -> tuple[object, ...]:
        """Return the key by which candidates are kept: the nearest first, then the rules of choice, then how common they are."""
        term = self._term(choice.code)
        common = int(term.common_rank) if term and term.common_rank.isdigit() else 0
        unknown = choice.code not in self.labels
        return (
            self._is_withdrawn(choice.code) and choice.tier > _MEANT, choice.tier, unknown if choice.tier == _FITS else False,
            -round(choice.score - choice.cost, 4), unknown, common or 1_000_000, -self.index.commonness(choice.code),
            len(choice.code), choice.code,
        )  # fmt: skip

    def _by_code(self, code: str, asked: _Asked) -> Iterator[_Choice]:
        """Yield the code asked, or those that it may be a slip of, what takes its place, and its neighbours."""
        if not code:
            return
        term = self._term(code)
        replacements = self.release.candidates(code) if self.release is not None else ()
        if term is None and not replacements:
            dashed = with_dash(code)
            for proposal in (dashed,) if dashed else read_code(code).proposals[:_PROPOSALS]:
                if self._term(proposal) is not None:
                    reason = say(f"« {code} » corrigé", f'"{code}" put right')
                    yield _Choice(proposal, _MEANT, self._likeness(proposal, asked), [reason], ())
            return
        for replacement in replacements:
            if replacement.live and replacement.term is not None:
                reason = say(f"remplace {code} (MapTo)", f"replaces {code} (MapTo)")
                if replacement.comment:
                    reason += say(f" si : {replacement.comment}", f" if: {replacement.comment}")
                yield _Choice(replacement.code, _MEANT, 0.0, [reason], ())
        if term is not None:
            yield _Choice(code, _MEANT, _FIRST, [say("code demandé", "the code asked for")], ())
            yield from self._neighbours(term, asked)

    def _neighbours(self, term: Term, asked: _Asked) -> Iterator[_Choice]:
        """Yield the terms that differ from one by an axis; the twin that the unit asks for is as good as any."""
        if self.release is None or term.code in self.own:
            return
        for axis, others in self.release.neighbours(term).items():
            for other in others:
                twin = (
                    axis == "property" and other.property in asked.properties and term.property not in asked.properties
                )
                tier = _FITS if twin else _NEIGHBOUR
                yield _Choice(other.code, tier, -_MISTAKEN[axis], [_differs(term, other, axis)], ())

    def _likeness(self, code: str, asked: _Asked) -> float:
        """Return how alike (0 to 1) the label of a code and the wording are."""
        from rapidfuzz import fuzz

        return fuzz.token_set_ratio(fold(self._label(code)), fold(asked.wording)) / 100 if asked.wording else 0.0

    def _by_wording(self, asked: _Asked, limit: int) -> Iterator[_Choice]:
        """Yield the terms that fit the wording as well as any does, the neighbours of one that says it all, and those near it.

        A term whose component has no word in common with that of the best is not near it.
        """
        found = [fit for fit in self.index.fits(asked.wording, 4 * limit, asked.properties) if fit.score > 0]
        if not found:
            return
        unknown = self.index.unknown(asked.wording)
        exact = [fit for fit in found if fit.complete and not unknown and not set(fit.open_axes) - _SELDOM_SAID]
        reference = self._term(exact[0].code) if exact else None
        if reference is not None:
            yield _Choice(
                reference.code, _EXACT, exact[0].score, [say("dit la même chose", "says the same")], exact[0].open_axes
            )
            yield from self._neighbours(reference, asked)
        best = min((fit.missing + fit.excess, fit.missing) for fit in found)
        for fit in found:
            tier = _FITS if (fit.missing + fit.excess, fit.missing) == best else _NEAR_FIT
            if fit in exact:
                tier = _EXACT
            if tier != _NEAR_FIT or (fit.same_analyte and fit.score >= found[0].score - _NEAR):
                yield _Choice(
                    fit.code, tier, fit.score, [self._fitting(fit, tier), *_not_known(unknown)], fit.open_axes
                )

    def _remarks(self, choice: _Choice, asked: _Asked) -> tuple[list[str], float]:
        """Return what the rules of choice say of a candidate, and what they cost it where the wording leaves the choice open."""
        term = self._term(choice.code)
        if term is None:
            return [], 0.0
        said: list[tuple[bool, float, str]] = list(self._use(term, asked))
        conventions = load_conventions()
        is_open = set(choice.open_axes)
        shown = _part("property", term)
        if _by_mass_or_moles(term.property):
            said.append((True, 0.3, say("masse ou moles : grandeur ambiguë", "mass or moles: ambiguous property")))
        elif asked.properties:
            fitting = term.property in asked.properties
            text = say(
                f"l'unité {asked.unit} va avec la grandeur {shown}", f"unit {asked.unit} goes with property {shown}"
            )
            against = say(
                f"l'unité {asked.unit} ne va pas avec la grandeur {shown}",
                f"unit {asked.unit} does not go with property {shown}",
            )
            said.append((True, 0.0, text) if fitting else (True, 0.5, against))
        elif "property" in is_open:
            said.append(
                (
                    _by_mass(term.property),
                    0.15,
                    say("en masse : préférer le jumeau en moles", "by mass: prefer the twin in moles"),
                )
            )
        broad = say(f"milieu trop large ({_part('system', term)})", f"specimen too broad ({_part('system', term)})")
        said += [
            (term.system in self.broad, 1.0, broad),
            (term.system in _UNSPECIFIED and "system" in is_open, 0.2, ""),
            (
                conventions.first_specimen.search(fold(f"{term.component} {term.system} {term.name}")) is not None, 1.5,
                say("propre à un premier prélèvement", "specific to a first specimen"),
            ),
            (fold(term.method) in conventions.methods, 1.5, say("technique trop précise", "method too specific")),
        ]  # fmt: skip
        return [text for applies, _, text in said if applies and text], sum(
            cost for applies, cost, _ in said if applies
        )

    def _use(self, term: Term, asked: _Asked) -> Iterator[tuple[bool, float, str]]:
        """Yield what a term's status and its use as an order or a result say against it."""
        yield term.status == "TRIAL", 0.5, say("à l'essai dans LOINC", "on trial in LOINC")
        yield term.status == "DISCOURAGED", 3.0, say("déconseillé par LOINC", "discouraged by LOINC")
        yield term.status == "DEPRECATED", 4.0, say("obsolète dans LOINC", "deprecated in LOINC")
        if asked.as_order:
            yield term.order_obs == "Order", 0.0, say("type Order", "type Order")
            yield term.order_obs == "Both", 0.1, say("type Both", "type Both")
            yield (
                term.order_obs == "Observation",
                0.3,
                say("type Observation, toléré pour une demande", "type Observation, tolerated"),
            )
        else:
            panel = term.is_panel or term.order_obs == "Order"
            yield panel, 2.0, say("type Order : pas pour un résultat", "type Order: not for a result")

    def _fitting(self, fit: Fit, tier: int) -> str:
        """Return how a term fits the wording."""
        term = self._term(fit.code)
        assert term is not None
        if fit.unsaid:
            words = ", ".join(dict.fromkeys(fit.unsaid))
            return say(f"proche ; ne dit pas « {words} »", f'near; does not say "{words}"')
        if not fit.complete:
            axes = _axes_of(term, fit.said_more)
            return say(f"proche ; plus précis que la demande : {axes}", f"near; more precise than the request: {axes}")
        left = [axis for axis in fit.open_axes if axis not in _SELDOM_SAID]
        if not left:
            return say("dit la même chose", "says the same") if tier == _EXACT else say("proche", "near")
        axes = _axes_of(term, left)
        return say(f"convient ; non précisé dans la demande : {axes}", f"fits; not said in the request: {axes}")

    def _told(self, choice: _Choice, with_method: bool) -> Candidate:
        """Return a candidate with its reasons in one sentence; `with_method`: others have a method that was not asked for."""
        known = choice.code in self.labels
        term = self._term(choice.code)
        reasons = [*choice.reasons, *([self._role(choice.code)] if known else []), *choice.remarks]
        if with_method and term is not None and not term.method and choice.tier == _FITS:
            reasons.append(say("sans technique", "without method"))
        if choice.code in self.own:
            outside = say("hors de la version de LOINC", "not in the LOINC release")
            reasons.append(
                outside
                if self.release is not None
                else say("cherché sans version de LOINC", "looked for without LOINC")
            )
        return Candidate(choice.code, self._label(choice.code), known, _spaced(say(" ; ", "; ").join(reasons)))

    def _role(self, code: str) -> str:
        """Return what a code is in the value set."""
        roles = self.roles.get(code, ())
        names = {"order": say("demande", "order"), "result": say("résultat", "result")}
        shown = say(" et ", " and ").join(names[role] for role in roles)
        return say(f"déjà dans le jeu de valeurs ({shown})", f"in the value set already ({shown})")

    def _label(self, code: str) -> str:
        term = self._term(code)
        return self.labels.get(code) or (term.label if term else "")

    def _term(self, code: str) -> Term | None:
        """Return the term of the release, or else what the value set says of the code."""
        term = self.release.terms.get(code) if self.release is not None else None
        return term or self.own.get(code)

    def _is_withdrawn(self, code: str) -> bool:
        term = self._term(code)
        return term is not None and term.is_withdrawn


def _term_of(code: str, text: str) -> Term:
    """Return what a label of the value set says of its code, as a term: the part of each axis, the wording where it has none."""
    label = parse_label(text)
    component, (property_, time, system, scale, method) = text, [""] * 5
    if label is not None:
        component = label.component
        property_, time, system, scale, method = (
            min(loinc_parts(axis, getattr(label, axis)), default=getattr(label, axis)) for axis in AXES[1:]
        )
    return Term(code, component, property_, time, system, scale, method, "", "", "", "", "", french_label=text)


def _aliases(edition: Edition) -> Iterator[tuple[str, str]]:
    """Yield code and text for all that the value set calls what its codes measure."""
    for order in edition.orders.values():
        if order.code:
            if label := parse_label(order["order_loinc_label"]):
                yield order.code, label.component
            yield order.code, order["order_label"]
            for text in split_values(order["order_synonyms"]):
                yield order.code, text
    for result in edition.results.values():
        if result.code:
            if label := parse_label(result["result_loinc_label"]):
                yield result.code, label.component
            yield result.code, result["result_display"]


def _unit_apart(wording: str, unit: str) -> tuple[str, str]:
    """Return the words without the unit among them, and the unit: the one given, or else the one in the words."""
    match = _UNIT_IN_WORDS.search(wording)
    if match is None:
        return wording, unit
    text = match["whole"] or f"{match['bare']}/L"
    if read_unit(text) is None and not proposals(text):
        return wording, unit
    return f"{wording[: match.start()]} {wording[match.end() :]}".strip(), unit or text


@lru_cache(maxsize=1024)
def _properties_of(unit: str) -> frozenset[str]:
    """Return the properties that a unit goes with; none when it is no unit, or says nothing (a pure number)."""
    read = read_unit(unit) if unit else None
    if read is None and unit:
        meant = proposals(unit)
        read = read_unit(meant[0]) if meant else None
    if read is None:
        return frozenset()
    return frozenset(name for name, entry in properties().items() if entry.dimensions and fits(read, entry.dimensions))


@lru_cache(maxsize=256)
def _by_mass(property_: str) -> bool:
    """Tell whether a property is a mass that has a twin in moles."""
    entry = properties().get(property_)
    return entry is not None and any("M1" in dimension for dimension in entry.dimensions) and property_.startswith("M")


@lru_cache(maxsize=256)
def _by_mass_or_moles(property_: str) -> bool:
    """Tell whether a property leaves the choice between mass and moles."""
    entry = properties().get(property_)
    return entry is not None and all(any(base in text for text in entry.dimensions) for base in ("M1", "N1"))


def _not_known(words: tuple[str, ...]) -> Iterator[str]:
    """Yield what is said of words that no term has."""
    if words:
        shown = ", ".join(words)
        yield say(
            f"sans égard à « {shown} », que LOINC ne dit pas", f'regardless of "{shown}", which LOINC does not say'
        )


def _axes_of(term: Term, axes: Iterable[str]) -> str:
    """Return axes of a term with their values, for a sentence."""
    return ", ".join(f"{say(*AXIS_NAMES[axis])} ({_part(axis, term)})" for axis in axes)


def _differs(term: Term, other: Term, axis: str) -> str:
    """Return by what a neighbour differs from the code asked."""
    name = say(*AXIS_NAMES[axis])
    before, after = (_part(axis, item) for item in (term, other))
    if axis == "property" and _by_mass(term.property) and "mol" in _si_of(other.property):
        return say("même analyse en moles, unité SI", "same test in moles, an SI unit")
    if axis == "method" and not after:
        return say("même analyse, sans technique", "same test, without method")
    instead = say(f" (et non {before})", f" (not {before})") if before else ""
    return say(f"même analyse, autre {name} : {after}{instead}", f"same test, another {name}: {after}{instead}")


def _si_of(property_: str) -> str:
    entry = properties().get(property_)
    return " ".join(entry.si) if entry else ""


def _part(axis: str, term: Term) -> str:
    """Return an axis of a term in the language in use, as LOINC has it where there is no French wording."""
    part: str = getattr(term, axis)
    french: str = getattr(term, f"french_{axis}")
    if not part or say("fr", "en") == "en":
        return part
    return french or (french_wording(axis, part) if axis != "component" else "") or part


def _spaced(text: str) -> str:
    """Return a text with the spaces of the typography of the language in use."""
    return say(french_spaces(text), text)

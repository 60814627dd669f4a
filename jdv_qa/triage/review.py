"""The review of a register: for each request a verdict with its reasons, the change it means and what that would bring."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jdv_qa.checks.comparability import TECHNIQUE_OF
from jdv_qa.checks.engine import CODE_FIELDS, check
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.profiles import load_profile
from jdv_qa.compare.impact import Judgement
from jdv_qa.language import say
from jdv_qa.terminology.codes import is_loinc
from jdv_qa.terminology.labels import fold, parse_label
from jdv_qa.triage.conventions import load_conventions
from jdv_qa.triage.edits import CellSet, Edit, Proposal, Reason, reason_of
from jdv_qa.triage.effect import Priority, impact_of, priority_of
from jdv_qa.triage.proposal import propose
from jdv_qa.triage.requests import CREATE, Register, Request
from jdv_qa.triage.trial import Applied, Trials, apply_edits
from jdv_qa.triage.value_set import ValueSet, known_terms, read_targets
from jdv_qa.triage.verdict import (
    VERDICTS,
    Facts,
    Submission,
    Verdict,
    decide,
    draft,
    known_as,
    nearly_known,
    rejections,
)
from jdv_qa.workbook.layout import Layout, load_layout

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report
    from jdv_qa.checks.profiles import Profile
    from jdv_qa.checks.waivers import Waiver
    from jdv_qa.terminology.loinc import LoincRelease
    from jdv_qa.terminology.nabm import Nabm
    from jdv_qa.triage.candidates import Candidate
    from jdv_qa.triage.ledger import Ledger, Past
    from jdv_qa.workbook.edition import Edition

_Cell = tuple[str, int, str]
"""A tab, a row and a field."""

_TOLD = ("unit", "unit_secondary", "conversion_factor", "comparability", "discriminating_technique", "chapter")
"""Fields by which two creations of one result under one order are told apart."""

SUGGESTED = ("incomplete", "to-reject", "submit-to-loinc", "to-correct")
"""Verdicts for which other codes are suggested."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A request as judged.

    `edit`: what it asks for, `correction`: what would be right where that brings an error, both empty when nothing can
    be drawn from the request; `findings`: what the check would newly say; `related`: the requests that speak of the same
    codes, the one that it repeats first, then those that it contradicts; `earlier`: what the ledger has of it.
    """

    request: Request
    verdict: Verdict
    reasons: tuple[Reason, ...]
    edit: Edit
    correction: Edit
    findings: tuple[Finding, ...]
    candidates: tuple[Candidate, ...]
    related: tuple[Request, ...]
    impact: Judgement | None
    priority: Priority
    submission: Submission | None
    earlier: tuple[Past, ...] = ()


@dataclass(frozen=True)
class Review:
    """A register as reviewed.

    `together`: errors that the acceptable requests bring only when all are applied; `trials`: what tried the changes.
    """

    register: Register
    edition: Edition
    loinc: LoincRelease | None
    profile: str
    requests: tuple[Reviewed, ...]
    together: tuple[Finding, ...] = ()
    trials: Trials | None = None

    @cached_property
    def summary(self) -> dict[str, int]:
        """The number of requests of each verdict."""
        counts = Counter(item.verdict for item in self.requests)
        return {verdict: counts[verdict] for verdict in VERDICTS}


def review(
    register: Register,
    edition: Edition,
    *,
    layout: Layout | None = None,
    loinc: LoincRelease | None = None,
    nabm: Nabm | None = None,
    waivers: Iterable[Waiver] | None = None,
    profile: Profile | None = None,
    ledger: Ledger | None = None,
    trials: Trials | None = None,
) -> Review:
    """Review the requests of a register against a workbook.

    The rules are those of the profile but for those whose findings follow from any edit (`consequences` of
    `rules/requests.yaml`). `ledger`: the requests of earlier versions. `trials`: those of an earlier review of the same
    workbook with the same means, whose check of it serves again. Raises WorkbookError for a workbook in one-table form.
    """
    layout = layout or load_layout()
    granted = None if waivers is None else tuple(waivers)
    consequences = load_conventions().consequences

    def run(trial: Edition) -> Report:
        return check(
            trial, layout=layout, loinc=loinc, nabm=nabm, waivers=granted, profile=profile, ignore=consequences
        )

    trials = trials or Trials(edition, run)
    values = ValueSet(edition, layout, loinc, nabm)
    desk = _Desk(register.requests, values, trials)
    reviewed = desk.reviewed()
    if ledger is not None:
        reviewed = [replace(item, earlier=ledger.past(item.request)) for item in reviewed]
    together = desk.together([number for number, item in enumerate(reviewed) if item.verdict == "acceptable"])
    return Review(register, edition, loinc, (profile or load_profile()).name, tuple(reviewed), together, trials)


class _Desk:
    """The requests on the table: what they mean, what repeats or contradicts what, what they would bring."""

    def __init__(self, requests: Sequence[Request], values: ValueSet, trials: Trials) -> None:
        self.requests, self.values, self.trials = requests, values, trials
        self.proposals = [propose(request, values) for request in requests]
        self.submitted: dict[int, tuple[Reason, ...]] = {}
        for number in range(len(requests)):
            self._look_up_term(number)
        self.repeats = self._repeats()
        self.rejected = [
            () if self._is_settled(number) else rejections(proposal.introduced, values)
            for number, proposal in enumerate(self.proposals)
        ]

    def _is_settled(self, number: int) -> bool:
        proposal = self.proposals[number]
        return bool(proposal.missing or proposal.done) or number in self.repeats

    # ------------------------------------------------------------------------------------------------- terms without code

    def _look_up_term(self, number: int) -> None:
        """Tell of a request that names a term by its label alone: the code that it has, or that LOINC is to be asked."""
        request, proposal, values = self.requests[number], self.proposals[number], self.values
        if proposal.term is None:
            return
        inside, outside = known_as(proposal.term, values)
        inside = tuple(code for code in inside if is_loinc(code))
        as_term = request.object == "code"
        if inside and as_term:
            shown = ", ".join(inside)
            done = reason_of(
                None,
                f"LOINC a ce terme, et le jeu de valeurs aussi : {shown}",
                f"LOINC has this term, and so does the value set: {shown}",
            )
            self.proposals[number] = replace(proposal, done=(done,), codes=inside)
        elif len(inside) == 1 or (not inside and len(outside) == 1):
            self._with_code(number, (inside or outside)[0])
        elif inside or outside:
            shown = ", ".join(inside or outside)
            several = reason_of(
                "COD-04",
                f"plusieurs codes LOINC ont ce libellé ({shown}) : dire lequel",
                f"several LOINC codes have this label ({shown}): say which",
            )
            self.proposals[number] = replace(proposal, missing=(several,))
        else:
            self._ask_loinc(number, as_term)

    def _with_code(self, number: int, code: str) -> None:
        """Read a request that gives no code as one that gives the code which its label has."""
        request = self.requests[number]
        meant = propose(
            replace(request, code=code, object="result" if request.object == "code" else request.object), self.values
        )
        fault = reason_of(
            "COD-04",
            f"le code manque ; le libellé est celui de {code} : demander ce code",
            f"the code is missing; the label is that of {code}: ask for this code",
        )
        if request.object == "code":
            fault = reason_of(
                None,
                f"LOINC a déjà ce terme, {code} : demander son ajout au jeu de valeurs",
                f"LOINC has this term already, {code}: ask for its addition to the value set",
            )
            meant = replace(meant, missing=())
        self.proposals[number] = meant if meant.done else replace(meant, faults=(fault, *meant.faults))

    def _ask_loinc(self, number: int, as_term: bool) -> None:
        request, proposal, values = self.requests[number], self.proposals[number], self.values
        assert proposal.term is not None
        if values.loinc is None:
            unverified = reason_of(
                "LNC-01",
                "aucune version de LOINC n'est donnée : vérifier avec --loinc que ce terme n'existe pas",
                "no LOINC release is given: make sure with --loinc that the term does not exist",
            )
            if as_term:
                self.submitted[number] = (unverified,)
            else:
                missing = reason_of("COD-04", "le code LOINC manque", "the LOINC code is missing")
                self.proposals[number] = replace(proposal, missing=(missing, unverified))
            return
        near = nearly_known(proposal.term, values.loinc, [candidate.code for candidate in _candidates(request, values)])
        if near and not as_term:
            shown = ", ".join(near)
            missing = reason_of(
                "COD-04",
                f"le code LOINC manque ; ce libellé est proche de {shown} : dire si c'est lui",
                f"the LOINC code is missing; the label is near to that of {shown}: say whether it is meant",
            )
            self.proposals[number] = replace(proposal, missing=(missing,))
            return
        release = f"LOINC {values.loinc.version}".strip()
        reason = reason_of(
            None,
            f"aucun terme en vigueur de {release} n'a ce sens : le soumettre (brouillon joint)",
            f"no term in force of {release} has this meaning: submit it (draft enclosed)",
        )
        shown = ", ".join(near)
        doubt = reason_of(
            None,
            f"à distinguer d'abord de {shown}, dont le libellé est proche",
            f"tell it from {shown} first, whose label is near",
        )
        self.submitted[number] = (reason, doubt) if near else (reason,)

    # ------------------------------------------------------------------------------------- repeated and contradictory ones

    def _repeats(self) -> dict[int, int]:
        """Return request -> the earlier one that asks for the same thing."""
        found: dict[int, int] = {}
        first: dict[tuple[Any, ...], list[int]] = {}
        for number, proposal in enumerate(self.proposals):
            if proposal.missing:
                continue
            earlier = first.setdefault(proposal.meaning, [])
            same = next((other for other in earlier if _same_request(proposal, self.proposals[other])), None)
            if same is None:
                earlier.append(number)
            else:
                found[number] = same
        return found

    def _rivals(self, verdicts: Mapping[int, Verdict]) -> dict[int, list[tuple[int, str]]]:
        """Return request -> (another that wants something else for a cell, the cell)."""
        wanted: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        removed: dict[int, set[str]] = defaultdict(set)
        for number, proposal in enumerate(self.proposals):
            verdict = verdicts[number]
            if verdict in ("incomplete", "duplicate", "to-reject", "submit-to-loinc"):
                continue
            if verdict == "already-done" and self.requests[number].kind == CREATE:
                continue
            for key, text in proposal.wanted.items():
                if key[0] == "removed":
                    removed[number].add(key[1])
                else:
                    wanted[key][text].append(number)
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for key, texts in wanted.items():
            if len(texts) < 2:
                continue
            cell = f"{self._header(key)} {key[1]}".strip()
            for text, numbers in texts.items():
                for number in numbers:
                    found[number] += [(other, cell) for t, others in texts.items() if t != text for other in others]
        for number, proposal in enumerate(self.proposals):
            rows = {str(cell.row) for cell in proposal.edit.cells if cell.tab == "main"}
            if not rows or verdicts[number] not in ("acceptable", "to-correct"):
                continue
            for other, gone in removed.items():
                if rows <= gone:
                    place = say(f"ligne {min(rows, key=int)}", f"row {min(rows, key=int)}")
                    found[number].append((other, place))
                    found[other].append((number, place))
        return found

    def _header(self, key: tuple[str, ...]) -> str:
        if key[0] in ("result", "order"):
            return self.values.header(key[2])
        if key[0] == "nabm":
            return f"NABM {key[2]}"
        if key[0] == "code":
            return say("code", "code")
        return self.values.header(key[2], key[0])

    # ----------------------------------------------------------------------------------------------------------- verdicts

    def reviewed(self) -> list[Reviewed]:
        proposals, values = self.proposals, self.values
        everyone = range(len(proposals))
        tried = [
            number
            for number in everyone
            if not self._is_settled(number) and not self.rejected[number] and proposals[number].edit
        ]
        findings: dict[int, tuple[Finding, ...]] = dict(
            zip(tried, self.trials.new_findings([proposals[number].edit for number in tried]), strict=True)
        )
        facts = [
            Facts(
                self.requests[self.repeats[number]].number if number in self.repeats else "",
                self.rejected[number],
                self.submitted.get(number, ()),
                findings.get(number, ()),
            )
            for number in everyone
        ]
        decided = {number: decide(proposals[number], facts[number], values) for number in everyone}
        rivals = self._rivals({number: verdict for number, (verdict, _) in decided.items()})
        for number, others in rivals.items():
            told = tuple((self.requests[other].number, cell) for other, cell in dict.fromkeys(others))
            facts[number] = replace(facts[number], rivals=told)
            decided[number] = decide(proposals[number], facts[number], values)
        corrections = self._corrections([n for n in everyone if decided[n][0] == "to-correct"], findings)
        related = self._related(rivals)
        accepted = [number for number in everyone if decided[number][0] == "acceptable"]
        mending = dict(zip(accepted, self.trials.mends([proposals[n].edit for n in accepted]), strict=True))
        times = Counter(self.repeats.values())
        out = []
        for number in everyone:
            request, proposal = self.requests[number], proposals[number]
            verdict, reasons = decided[number]
            suggested = _candidates(request, values) if verdict in SUGGESTED else ()
            edit = Edit() if verdict in ("submit-to-loinc", "already-done") else proposal.edit
            impact = impact_of(edit, values)
            priority = priority_of(
                fields={cell.field for cell in edit.cells if cell.after},
                impact=impact.impact if impact else None,
                verdict=verdict,
                kind=request.kind,
                applicants=1 + times[self.repeats.get(number, number)],
                mends=mending.get(number, False),
            )
            submission = None
            if verdict == "submit-to-loinc" and proposal.term is not None:
                submission = draft(proposal.term, request.unit, [candidate.code for candidate in suggested[:5]])
            out.append(
                Reviewed(
                    request,
                    verdict,
                    reasons,
                    edit,
                    corrections.get(number, Edit()),
                    findings.get(number, ()),
                    suggested,
                    tuple(self.requests[other] for other in related[number]),
                    impact,
                    priority,
                    submission,
                )
            )
        return out

    def _related(self, rivals: Mapping[int, Sequence[tuple[int, str]]]) -> list[list[int]]:
        """Return for each request the others: the one it repeats, its rivals, then those of the same codes."""
        about: dict[str, list[int]] = defaultdict(list)
        under: dict[str, list[int]] = defaultdict(list)
        for number, proposal in enumerate(self.proposals):
            for code in proposal.codes:
                about[code].append(number)
            for code in proposal.under:
                under[code].append(number)
        out = []
        for number, proposal in enumerate(self.proposals):
            first = [self.repeats[number]] if number in self.repeats else []
            first += [other for other, _ in rivals.get(number, ())]
            same = {other for code in proposal.codes for other in (*about[code], *under[code])}
            same |= {other for code in proposal.under for other in about[code]}
            out.append([other for other in dict.fromkeys((*first, *sorted(same))) if other != number])
        return out

    def together(self, accepted: Sequence[int]) -> tuple[Finding, ...]:
        """Return the errors that some requests bring only when all are applied, one after the other."""
        if len(accepted) < 2:
            return ()
        values, steps = self.values, list[Applied]()
        edits = [self.proposals[number].edit for number in accepted]
        for batch in self.trials.batches(edits):
            if steps:
                values = values.over(steps[-1].edition)
                now = [propose(self.requests[accepted[place]], values).edit for place in batch]
            else:
                now = [edits[place] for place in batch]
            steps.append(apply_edits(values.edition, now))
        return tuple(finding for finding in self.trials.new_in(steps[-1]) if finding.severity is Severity.ERROR)

    # -------------------------------------------------------------------------------------------------------- corrections

    def _corrections(self, numbers: Sequence[int], findings: Mapping[int, tuple[Finding, ...]]) -> dict[int, Edit]:
        """Return what would be right for requests that bring an error, where that is plain and brings none itself."""
        drafts = {
            number: edit
            for number in numbers
            if (
                edit := _corrected(self.requests[number], self.proposals[number], findings.get(number, ()), self.values)
            )
        }
        tried = self.trials.new_findings(list(drafts.values()))
        return {
            number: edit
            for (number, edit), found in zip(drafts.items(), tried, strict=True)
            if not any(finding.severity is Severity.ERROR for finding in found)
        }


def _same_request(one: Proposal, other: Proposal) -> bool:
    """Tell whether two requests of one meaning ask for the same values, and would write the same."""
    return _agree(one.wanted, other.wanted) and all(
        row.whole.get(name, "") in ("", text) or not text
        for row, twin in zip(one.edit.added, other.edit.added, strict=False)
        for name, text in twin.whole.items()
        if name in _TOLD
    )


def _agree(one: Mapping[tuple[str, ...], str], other: Mapping[tuple[str, ...], str]) -> bool:
    """Tell whether two requests do not want different values for a cell; what one leaves unsaid does not count."""
    return all(key not in other or fold(other[key]) == fold(text) for key, text in one.items())


def _candidates(request: Request, values: ValueSet) -> tuple[Candidate, ...]:
    """Return the codes that a request may mean."""
    from jdv_qa.triage.candidates import candidates

    wording = request.label or request.display
    if not wording and not request.code:
        return ()
    return candidates(
        wording,
        code=request.code,
        unit=request.unit,
        edition=values.edition,
        release=values.loinc,
        as_order=request.object == "order",
    )


def _corrected(request: Request, proposal: Proposal, findings: Sequence[Finding], values: ValueSet) -> Edit | None:
    """Return the edit with the code that is meant, and with what the rules suggest for the cells at fault."""
    edit = proposal.edit
    if request.kind == CREATE and request.code:
        targets = read_targets(request.code, values, request.label, _near(request, values))
        near = {target.code for target in targets}
        if len(near) == 1 and (meant := near.pop()) != request.code:
            again = propose(replace(request, code=meant), values)
            if again.missing or again.done or again.faults or rejections(again.introduced, values):
                return None
            edit = again.edit
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    suggested: dict[_Cell, str] = {
        (finding.tab, finding.row, finding.field): finding.suggestion
        for finding in errors
        if finding.suggestion is not None
        and finding.row is not None
        and finding.field
        and (finding.field not in CODE_FIELDS or finding.rule == "LNC-01")
    }
    if any(finding.rule == "CMP-03" for finding in errors):
        edit = _with_technique(edit, values)
        suggested = {
            key: text for key, text in suggested.items() if key[2] not in ("comparability", "discriminating_technique")
        }
    edit = _with_suggestions(edit, suggested, values)
    return edit if edit and (edit != proposal.edit or proposal.faults) else None


def _near(request: Request, values: ValueSet) -> set[str]:
    """Return the codes that the text of a code may mean, those of the request's label alone if there are any."""
    label = request.label
    codes = sorted(known_terms(request.code, values))
    if parse_label(label) is not None:
        fitting = [
            code
            for code in codes
            if (term := values.term(code)) is not None and term.matches_axes(label) and term.has_component_like(label)
        ]
        codes = fitting
    return set(codes)


def _with_technique(edit: Edit, values: ValueSet) -> Edit:
    """Return an edit of the level with the technique that goes with it."""
    cells = list(edit.cells)
    set_already = {cell.row for cell in cells if cell.field == "discriminating_technique"}
    rows = {record.row: record for record in values.edition.main.records}
    for cell in edit.cells:
        technique = TECHNIQUE_OF.get(cell.after or "")
        if cell.field == "comparability" and technique and cell.row not in set_already:
            before = rows[cell.row]["discriminating_technique"]
            if before != technique:
                cells.append(CellSet("main", cell.row, "discriminating_technique", before or None, technique))
    return replace(edit, cells=tuple(cells))


def _with_suggestions(edit: Edit, suggested: Mapping[_Cell, str], values: ValueSet) -> Edit:
    """Return an edit with the suggestions for its cells and for other cells of the same rows."""
    left = dict(suggested)
    cells = []
    for cell in edit.cells:
        after = left.pop((cell.tab, cell.row, cell.field), cell.after) or None
        if after != cell.before:
            cells.append(replace(cell, after=after))
    added = []
    places: dict[tuple[str, int], int] = {}
    for row in edit.added:
        key = (row.tab, row.below)
        places[key] = number = places.get(key, row.below) + 1
        own = {name: text for (tab, at, name), text in left.items() if tab == row.tab and at == number and name}
        for name in own:
            del left[row.tab, number, name]
        texts = {name: own.get(name, text) for name, text in row.values.items()} | own
        added.append(replace(row, values={name: text for name, text in texts.items() if text}))
    rows = {record.row: record for record in values.edition.main.records}
    for (tab, at, name), text in left.items():
        if tab == "main" and at in rows and name and rows[at][name] != text:
            cells.append(CellSet(tab, at, name, rows[at][name] or None, text or None))
    return Edit(tuple(cells), tuple(added), edit.removed)

"""Accepted requests carried into the draft: what changes in it, and for each request what became of it.

The draft may have moved since the meeting, so that every request is read anew against the draft as it is. Requests are
carried in turns: in each, those that bring no error, alone or together, and do not touch the same cells; the next turn sees
the draft with them, so that a result can go under an order that another request creates. It ends when a turn carries
nothing more, which is why a second application of the same decisions changes nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.engine import check
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.indicators import indicators
from jdv_qa.checks.summary import known_indicators, whole_number
from jdv_qa.compare.versions import same_version
from jdv_qa.errors import WorkbookError
from jdv_qa.language import say
from jdv_qa.terminology.codes import is_loinc
from jdv_qa.terminology.labels import fold
from jdv_qa.triage.conventions import load_conventions
from jdv_qa.triage.decisions import Decision, by_number, is_recoding, retained
from jdv_qa.triage.edits import CellSet, Edit, Proposal, Reason, RowAdded, RowRemoved, reason_of
from jdv_qa.triage.proposal import propose
from jdv_qa.triage.requests import CREATE, REMOVE, Request
from jdv_qa.triage.trial import Trials, apply_edits
from jdv_qa.triage.value_set import ValueSet, read_targets
from jdv_qa.triage.verdict import rejections
from jdv_qa.workbook.editing import MAX_TEXT
from jdv_qa.workbook.edition import ORDER_FIELDS, RESULT_FIELDS, Edition, Record, Table
from jdv_qa.workbook.layout import Layout, load_layout, normal_form

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report
    from jdv_qa.checks.profiles import Profile
    from jdv_qa.checks.waivers import Waiver
    from jdv_qa.terminology.loinc import LoincRelease
    from jdv_qa.terminology.nabm import Nabm

State: TypeAlias = Literal["carried", "present", "refused", "not-accepted"]
"""Carried into the draft; there already; accepted but not carried, for a reason; not accepted by the meeting."""

STATES: tuple[State, ...] = get_args(State)

_BEYOND = 2_000_000
"""Identity of the first added row: beyond all rows that a sheet can have."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ORDER, _RESULT = frozenset(ORDER_FIELDS), frozenset(RESULT_FIELDS)

Stage: TypeAlias = Callable[[str], None]
"""Told what is being done."""


@dataclass(frozen=True, slots=True)
class Written:
    """A cell that a request wrote: of the new workbook, or, where its row was removed (`action` "remove"), of the draft."""

    tab: str
    row: int
    field: str
    before: str | None
    after: str | None
    action: Literal["set", "add", "remove"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    `request`: as the meeting retained it; `reasons`: why it was not carried, or what is to be known of it; `cells`: what
    it wrote.
    """

    request: Request
    decision: Decision | None
    state: State
    reasons: tuple[Reason, ...] = ()
    cells: tuple[Written, ...] = ()


@dataclass(frozen=True)
class Application:
    """Decisions as applied to a draft.

    `edit`: what changes, by the rows of the draft; `result`: the draft with it, rows as they will stand; `figures`: the
    indicators of tab 10 that followed; `unknown`: decisions on requests that the register does not have.
    """

    draft: Edition
    result: Edition
    edit: Edit
    outcomes: tuple[Outcome, ...]
    figures: tuple[Written, ...] = ()
    unknown: tuple[Decision, ...] = ()
    loinc: LoincRelease | None = None
    origins: Mapping[tuple[str, int], int | None] = field(default_factory=dict)
    """Tab and row in the result -> the row of the draft, None for an added one; rows that did not move are left out."""

    def origin(self, tab: str, row: int) -> int | None:
        """Return the row of the draft that a row of the result is, None for an added one."""
        return self.origins.get((tab, row), row)

    @property
    def unread(self) -> tuple[Outcome, ...]:
        """Requests with a decision that is not understood: nobody can tell whether they are to be carried."""
        return tuple(one for one in self.outcomes if one.decision and one.decision.text and not one.decision.decision)

    @property
    def summary(self) -> dict[State, int]:
        """The number of requests of each state."""
        counts = Counter(outcome.state for outcome in self.outcomes)
        return {state: counts[state] for state in STATES}


def apply_decisions(
    requests: Iterable[Request],
    decisions: Iterable[Decision],
    draft: Edition,
    *,
    layout: Layout | None = None,
    loinc: LoincRelease | None = None,
    nabm: Nabm | None = None,
    waivers: Iterable[Waiver] | None = None,
    profile: Profile | None = None,
    stage: Stage = lambda text: None,
) -> Application:
    """Carry the accepted requests into the draft, in the order of the register; the draft given stays as it is.

    A request is refused when it contradicts another accepted one (both are, each naming the other), when it does not say
    enough, or when it would bring an error that the draft has not, alone or with those before it. Rules whose findings
    follow from any edit are left out, as in the review (`consequences` of `rules/requests.yaml`). Raises WorkbookError for
    a workbook in one-table form.
    """
    layout = layout or load_layout()
    if "main" not in draft.tables:
        raise WorkbookError(
            say(
                f"{draft.source.path} : les demandes portent sur le classeur du circuit, pas sur une table seule",
                f"{draft.source.path}: requests are about the workbook of the circuit, not about a table alone",
            )
        )
    granted = None if waivers is None else tuple(waivers)
    consequences = load_conventions().consequences

    def run(trial: Edition) -> Report:
        return check(
            trial, layout=layout, loinc=loinc, nabm=nabm, waivers=granted, profile=profile, ignore=consequences
        )

    requests, decisions = tuple(requests), tuple(decisions)
    ruled = by_number(requests, decisions)
    accepted: dict[int, Request] = {}
    refused: dict[int, tuple[Reason, ...]] = {}
    for place, request in enumerate(requests):
        decision = ruled[place]
        if decision is not None and decision.decision == "accepted":
            meant = retained(request, decision)
            accepted[place] = meant.request
            if meant.unclear:
                refused[place] = (_unclear_value(meant.unclear),)
    session = _Session(accepted, requests, draft, ValueSet(draft, layout, loinc, nabm), run, stage)
    reached = session.reached(refused)
    outcomes = tuple(_outcome(place, request, ruled[place], reached) for place, request in enumerate(requests))
    known = {request.number for request in requests}
    unknown = tuple(decision for decision in decisions if decision.number not in known)
    standing, figures = _with_figures(reached.standing, draft)
    return Application(
        draft, standing.edition, standing.edit(draft), outcomes, figures, unknown, loinc, standing.origins()
    )


def _outcome(place: int, request: Request, decision: Decision | None, reached: _Reached) -> Outcome:
    if decision is None or decision.decision != "accepted":
        return Outcome(request, decision, "not-accepted", _undecided(decision))
    state, reasons = reached.found[place]
    cells = tuple(reached.standing.written(cell) for cell in reached.cells.get(place, ()))
    return Outcome(reached.requests[place], decision, state, reasons, cells)


def _undecided(decision: Decision | None) -> tuple[Reason, ...]:
    if decision is None:
        return (reason_of(None, "aucune décision", "no decision"),)
    if decision.decision or not decision.text:
        return ()
    return (
        reason_of(
            None,
            f"décision « {decision.text} » pas comprise : écrire acceptée, refusée, ajournée ou en attente LOINC",
            f'decision "{decision.text}" not understood: write acceptée, refusée, ajournée or en attente LOINC',
        ),
    )


def _unclear_value(value: str) -> Reason:
    return reason_of(
        None,
        f"« Valeur retenue » {value} : la demande ne dit pas de quel champ ; l'écrire dans la demande (colonne « Champ »)",
        f'"Valeur retenue" {value}: the request does not say of which field; write it in the request (column "Champ")',
    )


# ------------------------------------------------------------------------------------------- the draft as it is changed

_Cell: TypeAlias = tuple[str, int, str, str | None, str | None, Literal["set", "add", "remove"]]
"""Tab, identity of the row, field, before, after, action."""


@dataclass(frozen=True)
class _Standing:
    """The draft with what was carried so far, its rows numbered as they will stand.

    A row is known by an identity: that of a row of the draft is its number there, an added row has one beyond all those.
    `anchors`: identity of an added row -> the row of the draft below which it stands; `taken`: rows of the draft removed.
    """

    edition: Edition
    identities: Mapping[tuple[str, int], int] = field(default_factory=dict)
    anchors: Mapping[tuple[str, int], int] = field(default_factory=dict)
    taken: Mapping[tuple[str, int], RowRemoved] = field(default_factory=dict)
    free: int = _BEYOND

    def identity(self, tab: str, row: int) -> int:
        """Return the identity of a row as it stands."""
        return self.identities.get((tab, row), row)

    def cells(self, edit: Edit, placed: Mapping[int, int]) -> list[_Cell]:
        """Return the cells that an edit of this standing writes; `placed`: place of an added row in it -> its identity."""
        cells: list[_Cell] = [
            (cell.tab, self.identity(cell.tab, cell.row), cell.field, cell.before, cell.after, "set")
            for cell in edit.cells
        ]
        for place, row in enumerate(edit.added):
            cells += [(row.tab, placed[place], name, None, text, "add") for name, text in row.values.items()]
        for gone in edit.removed:
            own = self.identity(gone.tab, gone.row)
            cells += [(gone.tab, own, name, text, None, "remove") for name, text in gone.values.items()]
        return cells

    def advanced(self, edits: Mapping[int, Edit]) -> tuple[_Standing, dict[int, list[_Cell]]]:
        """Return the draft with edits of this standing made, and for each the cells that it writes."""
        applied = apply_edits(self.edition, list(edits.values()))
        tables, identities = dict(applied.edition.tables), dict(self.identities)
        anchors, taken, free = dict(self.anchors), dict(self.taken), self.free
        placed: dict[int, dict[int, int]] = {number: {} for number in edits}
        moved = {row.tab for edit in edits.values() for row in edit.added}
        for tab in sorted(moved | {row.tab for edit in edits.values() for row in edit.removed}):
            table = self.edition.tables[tab]
            removed = sorted({gone.row for edit in edits.values() for gone in edit.removed if gone.tab == tab})
            added = sorted(
                (
                    (row.below, number, place)
                    for number, edit in edits.items()
                    for place, row in enumerate(edit.added)
                    if row.tab == tab
                ),
                key=lambda item: item[0],
            )
            belows = [below for below, _, _ in added]
            own: dict[int, int] = {}
            for below, number, place in added:
                identity = self.identity(tab, below)
                anchors[tab, free] = anchors.get((tab, identity), identity)
                placed[number][place] = free
                own[len(own)] = free
                free += 1
            for one in edits.values():
                for gone in one.removed:
                    if gone.tab == tab and (identity := self.identity(tab, gone.row)) < _BEYOND:
                        taken[tab, identity] = replace(gone, row=identity)
            present = {record.row for record in table.records}
            for record in table.records:
                identities.pop((tab, record.row), None)
            records, turn = [], 0
            for record in tables[tab].records:
                if record.row in present:
                    row = record.row - bisect_left(removed, record.row) + bisect_left(belows, record.row)
                    identity = self.identity(tab, record.row)
                else:
                    row = belows[turn] - bisect_right(removed, belows[turn]) + turn + 1
                    identity = own[turn]
                    turn += 1
                if identity != row:
                    identities[tab, row] = identity
                records.append(replace(record, row=row))
            tables[tab] = replace(tables[tab], records=tuple(_with_own_orders(records) if tab == "main" else records))
        written = {number: self.cells(edit, placed[number]) for number, edit in edits.items()}
        edition = replace(applied.edition, tables=tables)
        return _Standing(edition, identities, anchors, taken, free), written

    def row_of(self, tab: str, identity: int) -> int:
        """Return the row that an identity stands at, that of the draft for one that is gone."""
        for (other, row), own in self.identities.items():
            if other == tab and own == identity:
                return row
        return identity

    def written(self, cell: _Cell) -> Written:
        """Return a cell with the row that it stands at."""
        tab, identity, name, before, after, action = cell
        return Written(tab, identity if action == "remove" else self.row_of(tab, identity), name, before, after, action)

    def origins(self) -> dict[tuple[str, int], int | None]:
        """Return tab and row -> the row of the draft, None for an added one, for the rows that moved."""
        return {place: None if identity >= _BEYOND else identity for place, identity in self.identities.items()}

    def edit(self, draft: Edition) -> Edit:
        """Return what differs from the draft, by its rows."""
        cells: list[CellSet] = []
        added: list[RowAdded] = []
        for tab, table in self.edition.tables.items():
            before = draft.tables[tab]
            if before is table:
                continue
            records = {record.row: record for record in before.records}
            for record in table.records:
                identity = self.identity(tab, record.row)
                if identity in records and identity < _BEYOND:
                    cells += _differences(tab, records[identity], record)
                else:
                    own = _own(record)
                    inherited = {name: record[name] for name in record.inherited if record[name]}
                    added.append(RowAdded(tab, self.anchors[tab, identity], own, record["order_code"], inherited))
        return Edit(tuple(cells), tuple(added), tuple(self.taken.values()))


def _with_own_orders(records: Iterable[Record]) -> Iterator[Record]:
    """Yield rows, those that are now the first of their order without anything taken from a row above."""
    above = ""
    for record in records:
        if record.inherited and record["order_code"] != above:
            record = replace(record, inherited=frozenset())
        above = record["order_code"]
        yield record


def _own(record: Record) -> dict[str, str]:
    """Return the cells of a row that it does not take from the row above."""
    return {name: text for name, text in record.values.items() if name not in record.inherited}


def _differences(tab: str, before: Record, after: Record) -> Iterator[CellSet]:
    old, new = _own(before), _own(after)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield CellSet(tab, before.row, name, old.get(name), new.get(name))


def _with_figures(standing: _Standing, draft: Edition) -> tuple[_Standing, tuple[Written, ...]]:
    """Return the draft with the figures of its version that were right, and no longer are, put right in tab 10."""
    table = draft.tables.get("indicators")
    if table is None or standing.edition.main is draft.main:
        return standing, ()
    known = known_indicators(load_catalogue()["SOM-03"].parameters["labels"])
    old, new = indicators(draft), indicators(standing.edition)
    columns = [
        column.field
        for column in table.columns
        if column.field and column.field != "indicator" and same_version(column.header, draft.identity.version)
    ]
    cells = []
    for record in table.records:
        name = known.get(normal_form(record["indicator"]))
        if name not in old or old[name] == new[name]:
            continue
        cells += [
            CellSet("indicators", record.row, column, record[column], str(new[name]))
            for column in columns
            if record[column] and whole_number(record[column]) == old[name]
        ]
    if not cells:
        return standing, ()
    after, _ = standing.advanced({0: Edit(tuple(cells))})
    return after, tuple(Written(cell.tab, cell.row, cell.field, cell.before, cell.after, "set") for cell in cells)


# --------------------------------------------------------------------------------------------------------------- turns

_Found: TypeAlias = tuple[State, tuple[Reason, ...]]


@dataclass
class _Reached:
    """Where the turns led to.

    `found`: what became of each accepted request; `cells`: what those carried wrote; `remarks`: what is to be known of them;
    `late`: those left out of a turn since they brought an error with others.
    """

    standing: _Standing
    requests: dict[int, Request]
    found: dict[int, _Found] = field(default_factory=dict)
    cells: dict[int, list[_Cell]] = field(default_factory=dict)
    remarks: dict[int, tuple[Reason, ...]] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Conflict(Exception):
    """Accepted requests that contradict others, each with why."""

    barred: Mapping[int, tuple[Reason, ...]]


class _Session:
    """The accepted requests, by their place in the register, and the draft that they are carried into."""

    def __init__(
        self,
        accepted: Mapping[int, Request],
        requests: Sequence[Request],
        draft: Edition,
        values: ValueSet,
        run: Callable[[Edition], Report],
        stage: Stage,
    ) -> None:
        self.accepted, self.asked, self.draft, self.run, self.stage = accepted, requests, draft, run, stage
        self.layout, self.loinc, self.nabm = values.layout, values.loinc, values.nabm

    def reached(self, barred: Mapping[int, tuple[Reason, ...]]) -> _Reached:
        """Carry what can be; start again without those found to contradict others, as often as there are any."""
        barred = dict(barred)
        while True:
            try:
                return self._carried(barred)
            except _Conflict as conflict:
                for place, reasons in conflict.barred.items():
                    barred[place] = tuple(dict.fromkeys((*barred.get(place, ()), *reasons)))

    def _carried(self, barred: Mapping[int, tuple[Reason, ...]]) -> _Reached:
        reached = _Reached(_Standing(self.draft), dict(self.accepted))
        turn = 0
        while True:
            turn += 1
            self.stage(say(f"Report des demandes, tour {turn}", f"Carrying the requests, turn {turn}"))
            values = self._values(reached.standing)
            proposals = self._proposals(reached, values)
            self._refuse_contradictions(reached, proposals, barred, values)
            chosen = self._chosen(reached, proposals, barred, values)
            if not chosen:
                self._refuse_undone(reached, proposals, barred)
                return reached
            reached.standing, written = reached.standing.advanced(chosen)
            for place, cells in written.items():
                reached.cells[place] = cells
                reached.found[place] = ("carried", reached.remarks.get(place, ()))

    def _values(self, standing: _Standing) -> ValueSet:
        return ValueSet(standing.edition, self.layout, self.loinc, self.nabm)

    # ----------------------------------------------------------------------------------------------------------- reading

    def _proposals(self, reached: _Reached, values: ValueSet) -> dict[int, Proposal]:
        """Return what each accepted request means now; one about a code that gave way to another is about that one."""
        renamed = {}
        for request in self.accepted.values():
            if pair := _recoding(request, values):
                renamed[pair[0]] = pair[1]
        for place, request in self.accepted.items():
            if not is_recoding(request) and {request.code, request.order} & set(renamed):
                code, order = (renamed.get(text, text) for text in (request.code, request.order))
                request = replace(request, code=code, order=order)
            reached.requests[place] = self._relabelled(place, request, values)
        return {place: self._propose(request, values) for place, request in reached.requests.items()}

    def _relabelled(self, place: int, request: Request, values: ValueSet) -> Request:
        """Return a creation without the label of the code asked for, where the meeting changed it and the new one has its own."""
        if request.kind != CREATE or request.code == self.asked[place].code or not request.label:
            return request
        term = values.term(request.code)
        known = request.code in values or (term is not None and bool(term.french_label))
        return replace(request, label="") if known else request

    def _propose(self, request: Request, values: ValueSet) -> Proposal:
        proposal = propose(request, values)
        if proposal.missing and (pair := _recoding(request, values)) is not None:
            reason = reason_of(
                None,
                f"{pair[0]} a déjà laissé la place à {pair[1]}",
                f"{pair[0]} has given way to {pair[1]} already",
            )
            return replace(proposal, missing=(), done=(reason,))
        if proposal.edit.added:
            proposal = replace(proposal, edit=_placed(proposal.edit, values))
        return proposal

    # --------------------------------------------------------------------------------------------------------- conflicts

    def _refuse_contradictions(
        self, reached: _Reached, proposals: Mapping[int, Proposal], barred: Mapping[int, Any], values: ValueSet
    ) -> None:
        """Raise _Conflict when accepted requests want different things of one cell, or one removes what another is about."""
        against: dict[int, dict[int, str]] = defaultdict(dict)
        wanted: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, proposal in proposals.items():
            created = bool(proposal.done) and self.accepted[place].kind == CREATE and place not in reached.cells
            if place in barred or proposal.missing or created:
                continue
            for key, text in proposal.wanted.items():
                if key[0] != "removed":
                    wanted[key][fold(text)].append(place)
        for key, texts in wanted.items():
            for text, places in texts.items() if len(texts) > 1 else ():
                for place in places:
                    for other in (one for said, ones in texts.items() if said != text for one in ones):
                        against[place].setdefault(other, _cell_name(key, values))
        for place, other, subject in _removals_against(proposals, barred, values):
            against[place].setdefault(other, subject)
            against[other].setdefault(place, subject)
        if against:
            raise _Conflict(
                {
                    place: tuple(self._rivalry(other, subject) for other, subject in sorted(others.items()))
                    for place, others in against.items()
                }
            )

    def _rivalry(self, other: int, subject: str) -> Reason:
        number = self.asked[other].number
        return reason_of(
            None,
            f"contredit la demande n° {number}, acceptée aussi, sur « {subject} » : trancher",
            f'contradicts request {number}, accepted too, on "{subject}": decide between them',
        )

    def _refuse_undone(
        self, reached: _Reached, proposals: Mapping[int, Proposal], barred: Mapping[int, tuple[Reason, ...]]
    ) -> None:
        """Raise _Conflict when what a request wrote was written over by another: applied again it would change it back."""
        for place, proposal in proposals.items():
            settled = place in reached.cells or reached.found.get(place, ("", ()))[0] == "present"
            if place in barred or not settled or not proposal.edit or proposal.missing or proposal.faults:
                continue
            again = set(_touched(proposal.edit, reached.standing))
            rivals = [
                other
                for other, cells in reached.cells.items()
                if other != place and again & {(tab, identity, name) for tab, identity, name, *_ in cells}
            ]
            about = ", ".join(proposal.codes) or self.asked[place].number
            raise _Conflict(
                {place: tuple(self._rivalry(other, about) for other in rivals) or (_unstable(),)}
                | {other: (self._rivalry(place, about),) for other in rivals}
            )

    # ------------------------------------------------------------------------------------------------------------ choice

    def _chosen(
        self,
        reached: _Reached,
        proposals: Mapping[int, Proposal],
        barred: Mapping[int, tuple[Reason, ...]],
        values: ValueSet,
    ) -> dict[int, Edit]:
        """Return the edits to make in this turn; what becomes of the other requests goes into `reached`."""
        candidates: list[int] = []
        repeats: dict[int, int] = {}
        first: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for place, proposal in proposals.items():
            if place in reached.cells:
                continue
            reached.found[place] = _settled(proposal, barred.get(place))
            if reached.found[place][0] != "carried":
                continue
            same = next((o for o in first[proposal.meaning] if _agree(proposal.wanted, proposals[o].wanted)), None)
            if same is None:
                first[proposal.meaning].append(place)
                candidates.append(place)
            else:
                repeats[place] = same
        trials = Trials(reached.standing.edition, self.run)
        found = dict(zip(candidates, trials.new_findings([proposals[one].edit for one in candidates]), strict=True))
        for place in candidates:
            if errors := _errors(found[place]):
                reached.found[place] = ("refused", (*((_together(),) if place in reached.late else ()), *errors))
            else:
                reached.remarks[place] = self._remarks(proposals[place], found[place], values)
        able = [place for place in candidates if reached.found[place][0] == "carried"]
        chosen = self._ranked(_compatible(able, proposals, values), reached, proposals)
        for place in able:
            if place not in chosen:
                reached.found[place] = ("refused", ())
        while errors := _errors(trials.together(list(chosen.values()))) if len(chosen) > 1 else ():
            culprit = _culprit(chosen, trials)
            reached.found[culprit] = ("refused", (_together(), *errors))
            reached.late.add(culprit)
            chosen = self._ranked([place for place in chosen if place != culprit], reached, proposals)
        for place, same in repeats.items():
            number = self.asked[same].number
            reason = reason_of(None, f"même demande que la n° {number}", f"the same as request {number}")
            state, reasons = reached.found[same]
            reached.found[place] = ("present", (reason,)) if state == "carried" else ("refused", (reason, *reasons))
        return chosen

    def _ranked(self, places: Iterable[int], reached: _Reached, proposals: Mapping[int, Proposal]) -> dict[int, Edit]:
        """Return the edits of the requests chosen, the ranks of added results following one another without gaps."""
        values = self._values(reached.standing)
        return {
            place: self._propose(reached.requests[place], values).edit
            if proposals[place].edit.added
            else proposals[place].edit
            for place in places
        }

    def _remarks(self, proposal: Proposal, findings: Sequence[Finding], values: ValueSet) -> tuple[Reason, ...]:
        """Return what is to be known of a request that is carried: the meeting may have had its reasons."""
        warnings = (Reason(finding.message, finding.rule) for finding in findings)
        unverified = (
            reason_of(
                "LNC-01",
                f"{one.code} n'a pas pu être vérifié : relancer avec --loinc",
                f"{one.code} could not be verified: run again with --loinc",
            )
            for one in proposal.introduced
            if values.loinc is None and is_loinc(one.code) and one.code not in values
        )
        found = (*rejections(proposal.introduced, values), *warnings, *unverified, *proposal.notes)
        return tuple(dict.fromkeys(found))


def _settled(proposal: Proposal, barred: tuple[Reason, ...] | None) -> _Found:
    """Return what becomes of a request that needs no trial; "carried" for one that is to be tried."""
    if barred:
        return "refused", barred
    if proposal.missing:
        return "refused", proposal.missing
    if proposal.done:
        return "present", proposal.done
    if proposal.faults:
        return "refused", (*proposal.faults, _retain())
    if proposal.term is not None:
        return "refused", (
            reason_of(
                None,
                "c'est un terme à demander à LOINC ; le code une fois connu va dans « Code retenu »",
                'it is a term to ask of LOINC; its code, once known, goes into "Code retenu"',
            ),
        )
    if not proposal.edit:
        return "refused", (
            reason_of(None, "la demande ne change rien de précis", "the request changes nothing definite"),
        )
    texts = [cell.after for cell in proposal.edit.cells] + [
        text for row in proposal.edit.added for text in row.values.values()
    ]
    for text in texts:
        if text and (_UNWRITABLE.search(text) or len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TEXT):
            return "refused", (
                reason_of(
                    None,
                    "le texte est trop long pour une cellule, ou contient un caractère qu'un classeur ne peut pas contenir",
                    "the text is too long for a cell, or holds a character that no workbook can hold",
                ),
            )
    return "carried", ()


def _retain() -> Reason:
    return reason_of(
        None,
        "écrire dans « Code retenu » ou « Valeur retenue » ce qu'il faut reporter",
        'write into "Code retenu" or "Valeur retenue" what is to be carried',
    )


def _unstable() -> Reason:
    return reason_of(
        None,
        "appliquée deux fois, la demande changerait encore le classeur : la préciser",
        "applied twice, the request would change the workbook again: make it precise",
    )


def _together() -> Reason:
    return reason_of(
        None,
        "sans faute seule, elle amènerait une erreur avec les demandes reportées avant elle",
        "right by itself, it would bring an error with the requests carried before it",
    )


def _errors(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(Reason(one.message, one.rule) for one in findings if one.severity is Severity.ERROR))


def _culprit(chosen: Mapping[int, Edit], trials: Trials) -> int:
    """Return the first request that brings an error with those before it, found by halving."""
    places = list(chosen)
    good, bad = 1, len(places)
    while bad - good > 1:
        middle = (good + bad) // 2
        if _errors(trials.together([chosen[place] for place in places[:middle]])):
            bad = middle
        else:
            good = middle
    return places[bad - 1]


def _agree(one: Mapping[tuple[str, ...], str], other: Mapping[tuple[str, ...], str]) -> bool:
    """Tell whether two requests do not want different values for a cell; what one leaves unsaid does not count."""
    return all(key not in other or fold(other[key]) == fold(text) for key, text in one.items())


def _recoding(request: Request, values: ValueSet) -> tuple[str, str] | None:
    """Return the old and the new code of a request that puts a code in the place of another, once that is done."""
    if not is_recoding(request) or not request.code or request.code in values:
        return None
    new = [target.code for target in read_targets(request.asked, values) if not target.fault]
    return (request.code, new[0]) if len(new) == 1 and new[0] in values else None


def _cell_name(key: tuple[str, ...], values: ValueSet) -> str:
    """Return how people call a cell that requests want something for."""
    if key[0] in ("result", "order"):
        return f"{values.header(key[2])} {key[1]}"
    if key[0] == "nabm":
        return f"NABM {key[2]} {key[1]}"
    if key[0] == "code":
        return f"code {key[1]}"
    return f"{values.header(key[2], key[0])} {key[1]}"


def _removals_against(
    proposals: Mapping[int, Proposal], barred: Mapping[int, Any], values: ValueSet
) -> Iterator[tuple[int, int, str]]:
    """Yield (a removal, another request, the code) where one takes away what the other creates or changes."""
    about: dict[str, list[int]] = defaultdict(list)
    for place, proposal in proposals.items():
        if place in barred or proposal.missing:
            continue
        for kind, part, code, *rest in _meanings(proposal):
            if kind == CREATE and part != "nabm":
                about[f"{part} {code}"].append(place)
                for order in rest[0] if rest and isinstance(rest[0], tuple) else ():
                    about[f"under {order}"].append(place)
        for key in proposal.wanted:
            if key[0] in ("result", "order") and not proposal.done:
                about[f"{key[0]} changed {key[1]}"].append(place)
    for place, proposal in proposals.items():
        if place in barred or proposal.missing:
            continue
        for kind, part, code, *rest in _meanings(proposal):
            if kind != REMOVE:
                continue
            orders = set(rest[0]) if rest and isinstance(rest[0], tuple) else set()
            for other in about.get(f"{part} {code}", ()):
                created = [
                    set(one[3]) for one in _meanings(proposals[other]) if len(one) > 3 and isinstance(one[3], tuple)
                ]
                apart = orders and created and not any(orders & one for one in created)
                if other != place and not apart:
                    yield place, other, code
            if part == "order" and proposal.edit.removed:
                for other in about.get(f"under {code}", ()):
                    yield place, other, code
        yield from _whole_removals(place, proposal, about, values)


def _whole_removals(
    place: int, proposal: Proposal, about: Mapping[str, list[int]], values: ValueSet
) -> Iterator[tuple[int, int, str]]:
    """Yield the requests that change an order or a result of which a removal leaves no row."""
    gone = {row.row for row in proposal.edit.removed if row.tab == "main"}
    bare = {cell.row for cell in proposal.edit.cells if cell.field == "result_code" and cell.after is None}
    if not gone | bare or not any(kind == REMOVE for kind, *_ in _meanings(proposal)):
        return
    records = [record for record in values.edition.main.records if record.row in gone | bare]
    for part, name, entities, lost in (
        ("order", "order_code", values.edition.orders, gone),
        ("result", "result_code", values.edition.results, gone | bare),
    ):
        for code in dict.fromkeys(record[name] for record in records):
            if code in entities and all(record.row in lost for record in entities[code].records):
                for other in about.get(f"{part} changed {code}", ()):
                    if other != place:
                        yield place, other, code


def _meanings(proposal: Proposal) -> Iterator[tuple[Any, ...]]:
    """Yield the meanings of a proposal, several where it is about several codes, those of three parts or more."""
    meaning = proposal.meaning
    for one in meaning if meaning and isinstance(meaning[0], tuple) else (meaning,):
        if len(one) >= 3 and isinstance(one[2], str):
            yield one


# ------------------------------------------------------------------------------------------------ edits of one turn


def _touched(edit: Edit, standing: _Standing) -> Iterator[tuple[str, int, str]]:
    """Yield the cells that an edit changes or removes, rows by their identity."""
    for cell in edit.cells:
        yield cell.tab, standing.identity(cell.tab, cell.row), cell.field
    for gone in edit.removed:
        for name in gone.values:
            yield gone.tab, standing.identity(gone.tab, gone.row), name


def _compatible(places: Iterable[int], proposals: Mapping[int, Proposal], values: ValueSet) -> list[int]:
    """Return the requests that can be carried in one turn: none writes a cell, or the rows, that another looks at.

    The others wait for the next turn, in which they see what these wrote.
    """
    rows = {record.row: record for record in values.edition.main.records}
    cells: set[tuple[str, int, str]] = set()
    uses: dict[tuple[str, str], str] = {}
    chosen = []
    for place in places:
        edit = proposals[place].edit
        own = {(cell.tab, cell.row, cell.field) for cell in edit.cells}
        wanted = dict(_uses(edit, rows))
        if own & cells or any(uses.get(key, use) != use for key, use in wanted.items()):
            continue
        chosen.append(place)
        cells |= own
        uses |= wanted
    return chosen


def _uses(edit: Edit, rows: Mapping[int, Record]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the orders, results and entries that an edit concerns, and how: "set", "add" or "remove"."""
    for cell in edit.cells:
        if cell.tab != "main":
            yield (cell.tab, str(cell.row)), "set"
            continue
        record = rows[cell.row]
        if cell.field in _ORDER:
            yield ("order", record["order_code"]), "set"
        else:
            yield ("result", record["result_code"]), "set"
            yield ("rows of", record["order_code"]), "set"
    for row in edit.added:
        if row.tab != "main":
            yield (row.tab, row.values.get("subcode") or row.values.get("code", "")), "add"
            continue
        yield ("order", row.whole.get("order_code", "")), "add"
        yield ("rows of", row.whole.get("order_code", "")), "set"
        yield ("result", row.whole.get("result_code", "")), "add"
    for gone in edit.removed:
        if gone.tab != "main":
            yield (gone.tab, str(gone.row)), "remove"
            continue
        record = rows[gone.row]
        yield ("order", record["order_code"]), f"remove {id(edit)}"
        yield ("rows of", record["order_code"]), f"remove {id(edit)}"
        yield ("result", record["result_code"]), f"remove {id(edit)}"


def _placed(edit: Edit, values: ValueSet) -> Edit:
    """Return an edit whose added rows stand where they belong.

    An entry of reference goes where the order of its codes wants it, if its tab has one; a result whose order has one row
    without any result goes into that row.
    """
    cells, added = list(edit.cells), []
    for row in edit.added:
        table = values.edition.tables[row.tab]
        if row.tab != "main":
            added.append(replace(row, below=_below(table, row.values)))
            continue
        order = values.edition.orders.get(row.order) if row.order else None
        if order is not None and len(order.records) == 1 and not any(order.records[0][name] for name in RESULT_FIELDS):
            at = order.records[0].row
            own = {name: text for name, text in row.values.items() if name in _RESULT}
            cells += [CellSet("main", at, name, None, text) for name, text in own.items()]
        else:
            added.append(row)
    return replace(edit, cells=tuple(cells), added=tuple(added))


def _below(table: Table, values: Mapping[str, str]) -> int:
    """Return the row of a tab of reference below which an entry goes: its chapter's last, its neighbour's, or the tab's last."""
    records = table.records
    last = max((record.row for record in records), default=table.header_row)
    code = values.get("code", "")
    if same := [record.row for record in records if record["code"] == code]:
        return same[-1]
    codes = [record["code"] for record in records]
    orders: tuple[Callable[[str], Any], ...] = (_natural, str.casefold)
    for key in orders:
        keys = [key(one) for one in codes]
        if len(keys) > 2 and keys == sorted(keys):
            place = bisect_right(keys, key(code))
            return records[place - 1].row if place else table.header_row
    return last


def _natural(text: str) -> list[tuple[bool, int, str]]:
    """Return the key that sorts codes as people do, figures by their value."""
    parts = [part for part in re.split(r"(\d+)", text.casefold()) if part]
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]

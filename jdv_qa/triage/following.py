"""What became of requests in a release: judged by what the release says, not by what was announced.

A request is in the release when the value set says what it asks for, under the codes that have since taken the place of those
it names. What is asked for piece by piece (several codes, several columns) may be there in part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from jdv_qa.errors import WorkbookError
from jdv_qa.language import french_spaces, say
from jdv_qa.terminology.codes import is_loinc, is_pending, read_code
from jdv_qa.terminology.labels import fold
from jdv_qa.triage.decisions import Decision, Retained, Ruling, by_number, is_recoding, retained
from jdv_qa.triage.edits import CellSet, Proposal, Reason
from jdv_qa.triage.proposal import propose
from jdv_qa.triage.requests import CREATE, MODIFY, REFERENCE_OBJECTS, REMOVE, Request
from jdv_qa.triage.succession import Succession, successions
from jdv_qa.triage.value_set import COLUMNS, ValueSet, read_targets
from jdv_qa.triage.verdict import known_as
from jdv_qa.workbook.edition import ORDER_FIELDS, REFERENCE_PARTS, Edition, Record, split_values

if TYPE_CHECKING:
    from jdv_qa.compare.model import Change, Comparison
    from jdv_qa.terminology.nabm import Nabm
    from jdv_qa.workbook.layout import Layout

Presence: TypeAlias = Literal["whole", "part", "none", "moot"]
"""How much of a request a release holds; `moot`: what it was about is gone."""

State: TypeAlias = Literal[
    "published", "already", "partly", "absent", "moot", "refused", "postponed", "awaiting-loinc", "undecided"
]
STATES: tuple[State, ...] = get_args(State)

_COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "chapter": ("subchapter", "rank"),
    "comparability": ("discriminating_technique",),
    "unit_secondary": ("conversion_factor",),
}
"""Field -> those that change along with it without being asked for."""

_RULINGS = {
    "accepted": ("acceptée", "accepted"),
    "refused": ("refusée", "refused"),
    "postponed": ("ajournée", "postponed"),
    "awaiting-loinc": ("en attente de LOINC", "awaiting LOINC"),
    "": ("sans décision", "not decided"),
}

_UNPUBLISHED: Mapping[Presence, State] = {"part": "partly", "moot": "moot", "none": "absent"}

_Pieces: TypeAlias = tuple[tuple[Presence, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """A request, what was decided, and what the release has of it.

    `request` is what was retained of what was `asked`; `missing` says what the release lacks of it, `notes` what else there
    is to know; `before`: the previous version said so already, None where it is not known; `changes`: those of the release
    that answer it; `brought_by`: the number of an accepted request that asked for them too.
    """

    asked: Request
    request: Request
    decision: Decision | None
    presence: Presence
    before: bool | None
    version: str
    previous: str = ""
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    brought_by: str = ""

    @property
    def outcome(self) -> Ruling:
        """What was decided, "" for nothing."""
        return self.decision.decision if self.decision else ""

    @property
    def state(self) -> State:
        """Where the request stands."""
        outcome, here = self.outcome, self.presence == "whole"
        if here and outcome in ("accepted", "awaiting-loinc"):
            return "already" if self.before else "published"
        if outcome == "accepted":
            return _UNPUBLISHED[self.presence]
        return outcome or "undecided"

    @property
    def is_unexpected(self) -> bool:
        """Whether the release came to have what was refused, postponed or not decided, and nobody else was granted."""
        is_new = self.presence == "whole" and self.before is False
        return is_new and self.state in ("refused", "postponed", "undecided") and not self.brought_by

    @property
    def needs_attention(self) -> bool:
        """Whether what was decided and what was released do not agree."""
        return self.state in ("absent", "partly", "moot") or self.is_unexpected

    @property
    def status(self) -> str:
        """The status to write in the register, in the language in use."""
        version = self.version or say("nouvelle", "new")
        fr, en = {
            "published": (f"publiée dans la version {version}", f"published in version {version}"),
            "already": (
                f"acceptée, déjà dans la version {self.previous}",
                f"accepted, already in version {self.previous}",
            ),
            "partly": (f"publiée en partie dans la version {version}", f"published in part in version {version}"),
            "absent": (f"acceptée, absente de la version {version}", f"accepted, not in version {version}"),
            "moot": (
                f"acceptée, sans objet dans la version {version}",
                f"accepted, no longer applicable in version {version}",
            ),
        }.get(self.state) or _RULINGS[self.outcome]
        if self.is_unexpected:
            return say(f"{fr}, pourtant dans la version {version}", f"{en}, and yet in version {version}")
        return say(fr, en)


def follow(
    requests: Sequence[Request],
    decisions: Iterable[Decision],
    release: Edition,
    previous: Edition | None = None,
    *,
    comparison: Comparison | None = None,
    layout: Layout | None = None,
    nabm: Nabm | None = None,
) -> tuple[Followed, ...]:
    """Return what became of each request, in the order of the register.

    `previous` is the version before the release: it tells what the release brought, and what codes stood for; `comparison`
    the comparison of both. Without it codes are followed by tab 9 of the release alone, and nobody can say whether the
    version before had a thing already. Raises WorkbookError for a workbook in one-table form.
    """
    _refuse_one_table(release)
    if comparison is None and previous is not None:
        from jdv_qa.compare.compare import compare

        comparison = compare(previous, release)
    succession = successions(comparison, release)
    now = ValueSet(release, layout, None, nabm)
    then = ValueSet(previous, layout, None, nabm) if previous else None
    taken = by_number(requests, decisions)
    kept = [
        Retained(request) if (decision := taken[place]) is None else retained(request, decision)
        for place, request in enumerate(requests)
    ]
    caused: dict[int, list[Change]] = defaultdict(list)
    if comparison is not None and previous is not None:
        for change, places in _linked([one.request for one in kept], comparison, previous, release, layout).items():
            for place in places:
                caused[place].append(change)
    granted: dict[Change, str] = {}
    for place, changes in caused.items():
        if (ruling := taken[place]) is not None and ruling.decision == "accepted":
            granted |= {change: granted.get(change, requests[place].number) for change in changes}
    out = []
    for place, (asked, one) in enumerate(zip(requests, kept, strict=True)):
        look = _Look(one.request, now, then, succession)
        presence, missing = look.found()
        notes = look.notes
        if one.unclear:
            notes += (
                french_spaces(
                    say(
                        f"la valeur retenue « {one.unclear} » ne dit pas son champ : jugé sur la demande d'origine",
                        f'the retained value "{one.unclear}" does not tell its field: judged by the original request',
                    )
                ),
            )
        out.append(
            Followed(
                asked,
                one.request,
                taken[place],
                presence,
                look.was_there(),
                release.identity.version,
                previous.identity.version if previous else "",
                missing,
                notes,
                tuple(caused.get(place, ())),
                _granted_to(caused.get(place, ()), granted, asked.number),
            )
        )
    return tuple(out)


def _refuse_one_table(edition: Edition) -> None:
    if "main" not in edition.tables:
        raise WorkbookError(
            say(
                f"{edition.source.path} : les demandes portent sur le classeur du Circuit de la biologie, pas sur la mise en "
                f"page « {edition.layout} »",
                f"{edition.source.path}: requests are about the workbook of the JDV CircuitBio, not about the layout "
                f"`{edition.layout}`",
            )
        )


def _granted_to(changes: Sequence[Change], granted: Mapping[Change, str], own: str) -> str:
    """Return the number of another request that was granted all of some changes, the first of them; "" for none."""
    numbers = [granted.get(change, "") for change in changes]
    return numbers[0] if numbers and all(numbers) and own not in numbers else ""


def ruling_name(ruling: str) -> str:
    """Return the name of a decision in the language in use: "refusée"."""
    return say(*_RULINGS[ruling])


# ------------------------------------------------------------------------------------------------- what the release says


class _Look:
    """One look at a release for what a request asks."""

    def __init__(self, request: Request, now: ValueSet, then: ValueSet | None, succession: Succession) -> None:
        self.request, self.now, self.then, self.succession = request, now, then, succession
        self.notes: tuple[str, ...] = ()
        self.plain = _plain(request, then or now, now)

    def found(self) -> tuple[Presence, tuple[str, ...]]:
        """Return how much of the request the release has, and what it lacks."""
        if (recoded := self._recoded()) is not None:
            return recoded
        pieces = tuple(self._judged(piece) for piece in self._pieces(self._translated()))
        return _gathered(pieces)

    def was_there(self) -> bool | None:
        """Tell whether the previous version had all of it, None when it is not known."""
        if self.then is None:
            return None
        if not self.plain.kind:
            return False
        pieces = [propose(piece, self.then) for piece in self._pieces(self.plain)]
        return bool(pieces) and all(bool(proposal.done) for proposal in pieces)

    # -------------------------------------------------------------------------------------------------------- the codes

    def _translated(self) -> Request:
        """Return the request with the codes that stand for its own in the release; a removal is of the code it names."""
        request = self.plain
        if request.kind == REMOVE and request.object != "nabm" and not request.field:
            return request
        part = _part(request, self.then or self.now)
        present = self._present(part)
        code = _joined_codes(self.succession.of(part, code, present) for code in split_values(request.code))
        order = request.order
        if order and fold(order) not in self.now.orders_by_label:
            orders = self.now.edition.orders
            order = _joined_codes(self.succession.of("order", one, orders) for one in split_values(order))
        changed = [
            (old, new)
            for before, after in ((request.code, code), (request.order, order))
            for old, new in zip(split_values(before), split_values(after), strict=False)
            if old != new
        ]
        self.notes += tuple(
            french_spaces(say(f"{old} a été remplacé par {new}", f"{old} was replaced by {new}"))
            for old, new in dict.fromkeys(changed)
        )
        return replace(request, code=code, order=order)

    def _present(self, part: str) -> Iterable[str]:
        edition = self.now.edition
        if part in ("order", "result"):
            return edition.orders if part == "order" else edition.results
        tab = next((tab for tab, name in REFERENCE_PARTS.items() if name == part), "")
        return {record[key] for record in edition.records(tab) for key in ("code", "subcode")}

    def _recoded(self) -> tuple[Presence, tuple[str, ...]] | None:
        """Return what became of a request for another code, or for a code in the place of a pending one; None for others."""
        request, edition = self.plain, self.now.edition
        present = {*edition.orders, *edition.results}
        if request.kind == CREATE and request.object == "code" and is_pending(request.code):
            after = self.succession.everywhere(request.code)
            if is_loinc(after) and after in present:
                self.notes += (say(f"{request.code} est devenu {after}", f"{request.code} became {after}"),)
                return "whole", ()
            return "none", (
                say(f"{request.code} attend encore son code LOINC", f"{request.code} still awaits its LOINC code")
                if request.code in present
                else say(f"{request.code} n'est plus dans le jeu de valeurs", f"{request.code} has left the value set"),
            )
        if not is_recoding(request) or request.code in present:
            return None
        wanted = read_code(request.asked).proposal or request.asked
        if wanted in present:
            return "whole", ()
        after = self.succession.everywhere(request.code)
        if after != request.code:
            return "none", (
                french_spaces(
                    say(
                        f"{request.code} a été remplacé par {after}, demandé : {wanted}",
                        f"{request.code} was replaced by {after}, asked: {wanted}",
                    )
                ),
            )
        return "moot", (_gone(request.code),)

    # ------------------------------------------------------------------------------------------------------- the pieces

    def _pieces(self, request: Request) -> list[Request]:
        """Return a request piece by piece: by code, by order for a creation, by column for a modification without field."""
        codes = split_values(request.code) if request.kind != CREATE else (request.code,)
        orders = split_values(request.order) if request.kind in (CREATE, REMOVE) and request.order else (request.order,)
        if request.order and fold(request.order) in self.now.orders_by_label:
            orders = (request.order,)
        pieces = [replace(request, code=code, order=order) for code in codes or ("",) for order in orders]
        if (
            request.kind != MODIFY
            or request.target_field
            or request.asked
            or request.object in (*REFERENCE_OBJECTS, "nabm")
        ):
            return pieces
        filled = [name for name in COLUMNS if getattr(request, name)]
        if len(filled) < 2:
            return pieces
        blank = dict.fromkeys(filled, "")
        out = []
        for piece in pieces:
            singles = [replace(piece, **(blank | {name: getattr(piece, name)})) for name in filled]
            if self.then is not None:
                singles = [one for one in singles if not propose(one, self.then).done] or singles
            out += singles
        return out

    def _judged(self, piece: Request) -> tuple[Presence, tuple[str, ...]]:
        """Return how much of a piece the release has, and what it lacks."""
        values = self.now
        proposal = propose(piece, values)
        if proposal.done:
            return "whole", ()
        if proposal.term is not None:
            inside = [code for code in known_as(proposal.term, values)[0] if is_loinc(code)]
            if inside:
                return "whole", ()
            return "none", (say("ce terme n'est pas dans le jeu de valeurs", "the term is not in the value set"),)
        if piece.kind == CREATE and _part(piece, values) == "result":
            return self._judged_creation(piece, proposal)
        if (code := self._gone_code(piece)) is not None:
            return "moot", (_gone(code),)
        lacking = tuple(_lacking(proposal, values)) or _messages((*proposal.missing, *proposal.faults))
        return "none", lacking

    def _judged_creation(self, piece: Request, proposal: Proposal) -> tuple[Presence, tuple[str, ...]]:
        """Return how much of the creation of a result there is: under another order, or with other values, is part of it."""
        edition, code = self.now.edition, piece.code
        result = edition.results.get(code)
        if result is None:
            lost = [order for order in split_values(piece.order) if self._has_gone("order", order)]
            if lost and not is_there(piece.order, self.now):
                return "moot", (_gone(lost[0]),)
            if not code:
                return "none", _messages(proposal.missing)
            return "none", (say(f"le résultat {code} n'y est pas", f"result {code} is not in it"),)
        under = list(dict.fromkeys(record["order_code"] for record in result.records))
        if proposal.faults and not proposal.edit and not proposal.missing:
            return "part", _messages(proposal.faults)
        new = self.then is None or code not in self.then.edition.results
        where = ", ".join(under)
        return "part" if new else "none", (
            french_spaces(
                say(
                    f"le résultat {code} est sous la demande {where}, et non sous {piece.order}",
                    f"result {code} is under order {where}, not under {piece.order}",
                )
            )
            if piece.order
            else "; ".join(_messages(proposal.missing)),
        )

    def _gone_code(self, piece: Request) -> str | None:
        """Return the code of a piece that the value set had and has no longer."""
        if piece.kind == REMOVE and piece.object != "nabm":
            return None
        part = _part(piece, self.then or self.now)
        code = piece.code or piece.order
        if piece.object in REFERENCE_OBJECTS:
            return code if code and piece.kind == MODIFY and self._has_gone(part, code) else None
        present = {*self.now.edition.orders, *self.now.edition.results}
        return code if code and code not in present and self._has_gone(part, code) else None

    def _has_gone(self, part: str, code: str) -> bool:
        if self.then is None:
            return False
        edition = self.then.edition
        if part in ("order", "result"):
            return code in (edition.orders if part == "order" else edition.results) and code not in self._present(part)
        tab = next((tab for tab, name in REFERENCE_PARTS.items() if name == part), "")
        return any(code in (r["code"], r["subcode"]) for r in edition.records(tab)) and code not in self._present(part)


def is_there(order: str, values: ValueSet) -> bool:
    """Tell whether an order, or one of several codes of orders, is in the value set, by its code or its label."""
    return fold(order) in values.orders_by_label or any(code in values.edition.orders for code in split_values(order))


def _gathered(pieces: _Pieces) -> tuple[Presence, tuple[str, ...]]:
    found = {presence for presence, _ in pieces}
    missing = tuple(dict.fromkeys(text for _, texts in pieces for text in texts if text))
    if found == {"whole"}:
        return "whole", ()
    if found & {"whole", "part"}:
        return "part", missing
    return ("moot" if found == {"moot"} else "none"), missing


def _gone(code: str) -> str:
    return say(f"{code} a quitté le jeu de valeurs", f"{code} has left the value set")


def _messages(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason.message for reason in reasons))


def _joined_codes(codes: Iterable[str]) -> str:
    return ";".join(codes)


def _part(request: Request, values: ValueSet) -> str:
    """Return the part that the code of a request is of: "order", "result", or that of a reference tab."""
    thing = request.object
    if thing in REFERENCE_OBJECTS:
        return REFERENCE_PARTS[thing]
    if thing in ("order", "nabm"):
        return "order"
    if thing == "result":
        return "order" if request.target_field in ORDER_FIELDS else "result"
    if request.target_field in ORDER_FIELDS:
        return "order"
    edition = values.edition
    return "order" if request.code in edition.orders and request.code not in edition.results else "result"


def _plain(request: Request, then: ValueSet, now: ValueSet) -> Request:
    """Return a request with its codes as they are meant, whatever their writing, and those that its labels name."""
    if request.object in REFERENCE_OBJECTS:
        return request
    values = now if request.kind == CREATE else then
    code = _joined_codes(target.code for target in read_targets(request.code, values, request.label))
    if not code and request.label and request.kind in (MODIFY, REMOVE):
        table = then.orders_by_label if _part(request, then) == "order" else then.results_by_label
        named = table.get(fold(request.label), [])
        code = named[0] if len(named) == 1 else ""
    order = request.order
    if order:
        by_label = then.orders_by_label.get(fold(order), [])
        known = {*then.edition.orders, *now.edition.orders}
        named = by_label[:1] or [target.code for target in read_targets(order, then, "", known)]
        order = _joined_codes(named) or order
    return replace(request, code=code or request.code, order=order)


def _lacking(proposal: Proposal, values: ValueSet) -> Iterator[str]:
    """Yield in words what would still have to change for a release to say what a request asks."""
    records = {record.row: record for record in values.edition.main.records}
    wanted = {(key[1], key[2]) for key in proposal.wanted if len(key) == 3}
    told: dict[str, None] = {}
    asked = [cell for cell in proposal.edit.cells if _is_wanted(cell, records, wanted)]
    for cell in asked or proposal.edit.cells:
        if cell.tab == "main":
            code = records[cell.row]["order_code" if cell.field in ORDER_FIELDS else "result_code"]
        else:
            code = next((key[1] for key in proposal.wanted if key[0] == cell.tab), "")
        before, after = cell.before or say("vide", "blank"), cell.after or say("vide", "blank")
        header = values.header(cell.field, cell.tab)
        told[
            say(
                f"« {header} » de {code} : « {before} », demandé « {after} »",
                f'"{header}" of {code}: "{before}", asked "{after}"',
            )
        ] = None
    for row in proposal.edit.added:
        order, result = row.whole.get("order_code", ""), row.whole.get("result_code", "")
        if row.tab != "main":
            code, title = row.values.get("subcode") or row.values.get("code", ""), values.layout.tabs[row.tab].name
            told[say(f"« {code} » n'est pas dans l'onglet « {title} »", f'"{code}" is not in tab "{title}"')] = None
        elif row.order:
            told[
                say(
                    f"le résultat {result} n'est pas sous la demande {order}",
                    f"result {result} is not under order {order}",
                )
            ] = None
        else:
            told[say(f"la demande {order} n'y est pas", f"order {order} is not in it")] = None
    if proposal.edit.removed:
        codes = ", ".join(proposal.codes)
        rows = ", ".join(str(row.row) for row in proposal.edit.removed[:4])
        told[say(f"{codes} y est encore (ligne {rows})", f"{codes} is still in it (row {rows})")] = None
    yield from (french_spaces(text) for text in told)


def _is_wanted(cell: CellSet, records: Mapping[int, Record], wanted: set[tuple[str, str]]) -> bool:
    if cell.tab != "main":
        return True
    if cell.field == "nabm_label":
        return False
    record = records[cell.row]
    code = record["order_code" if cell.field in ORDER_FIELDS else "result_code"]
    return (code, cell.field) in wanted or cell.field == "nabm_code"


# ---------------------------------------------------------------------------------------------- the changes it brought


def linked(
    requests: Sequence[Request],
    comparison: Comparison,
    old: Edition,
    new: Edition,
    *,
    layout: Layout | None = None,
) -> dict[Change, tuple[str, ...]]:
    """Return the changes of a comparison that requests asked for, with the numbers of those requests.

    A change answers a request when it is of a code, a field, a pair or an entry that the request asks to change, and has
    the value asked for; what goes with it (the sub-chapter of a chapter, the technique of a level) answers it too. Raises
    WorkbookError for workbooks in one-table form.
    """
    return {
        change: tuple(dict.fromkeys(requests[place].number for place in places))
        for change, places in _linked(requests, comparison, old, new, layout).items()
    }


def answered(
    requests: Sequence[Request],
    decisions: Iterable[Decision],
    comparison: Comparison,
    old: Edition,
    new: Edition,
    *,
    layout: Layout | None = None,
) -> dict[Change, tuple[str, ...]]:
    """Return the changes that a decided register caused, with the numbers of the requests, as they were retained.

    What was refused or postponed caused nothing; what is not decided may have.
    """
    taken = by_number(requests, decisions)
    kept = [
        request if decision is None else retained(request, decision).request
        for place, request in enumerate(requests)
        if (decision := taken[place]) is None or decision.decision not in ("refused", "postponed")
    ]
    return linked(kept, comparison, old, new, layout=layout)


def _linked(
    requests: Sequence[Request], comparison: Comparison, old: Edition, new: Edition, layout: Layout | None
) -> dict[Change, list[int]]:
    _refuse_one_table(new)
    values = ValueSet(old, layout)
    after = ValueSet(new, layout)
    changes = _Changes(comparison, old)
    found: dict[Change, list[int]] = defaultdict(list)
    otherwise: dict[Change, list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        if not request.kind:
            continue
        plain = _plain(request, values, after)
        proposal = propose(plain, values)
        for change in dict.fromkeys(_caused(plain, proposal, changes)):
            found[change].append(place)
        for change in dict.fromkeys(_caused_otherwise(plain, proposal, values, changes)):
            otherwise[change].append(place)
    found = defaultdict(list, otherwise | found)
    for change, places in list(found.items()):
        for companion in changes.companions(change):
            if companion not in found:
                found[companion] = list(places)
    return {change: found[change] for change in comparison.changes if change in found}


@dataclass
class _Changes:
    """The changes of a comparison by what they are about, under the old and the new code alike."""

    comparison: Comparison
    old: Edition
    index: dict[tuple[str, ...], list[Change]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.succession = successions(self.comparison)
        for change in self.comparison.changes:
            for key in _keys(change):
                self.index[key].append(change)

    def get(self, *key: str) -> list[Change]:
        """Return the changes of a key: kind, part, code, then the field, the result or the act."""
        return self.index.get(key, [])

    @cached_property
    def records(self) -> dict[int, Record]:
        return {record.row: record for record in self.old.main.records}

    def companions(self, change: Change) -> Iterator[Change]:
        """Yield the changes that go along with one."""
        if change.kind == "modified" and change.field:
            for name in _COMPANIONS.get(change.field, ()):
                yield from self.get("modified", change.part, change.code, name)

    def come(self, order: str, result: str) -> Iterator[Change]:
        """Yield the changes by which a result came under an order, both by their codes of the old version."""
        order, result = self.succession.of("order", order), self.succession.of("result", result)
        if found := self.get("added", "association", order, result):
            yield from found
            yield from self.get("added", "result", result)

    def come_elsewhere(self, result: str) -> Iterator[Change]:
        """Yield the changes by which a new result came, whatever the orders it came under."""
        if found := self.get("added", "result", result):
            yield from found
            yield from self.get("added", "association", "", result)
            yield from self.get("added", "order", result)

    def opened(self, order: str, acts: Iterable[str]) -> Iterator[Change]:
        """Yield the changes by which an order came, with its results."""
        if found := self.get("added", "order", order):
            yield from found
            for change in self.get("added", "association", order, ""):
                yield change
                yield from self.get("added", "result", change.result or "")
            for act in acts:
                yield from self.get("added", "nabm", order, act)


def _keys(change: Change) -> Iterator[tuple[str, ...]]:
    kind, part, code = change.kind, change.part, change.code
    if kind == "modified":
        for one in (code, *change.related):
            yield kind, part, one, change.field or ""
    elif part == "association":
        yield kind, part, code, change.result or ""
        yield kind, part, code, ""
        yield kind, part, "", change.result or ""
    elif part == "nabm":
        yield kind, part, code, change.nabm or ""
        yield kind, part, code, ""
    else:
        yield kind, part, code


def _caused(request: Request, proposal: Proposal, changes: _Changes) -> Iterator[Change]:
    """Yield the changes that a request asked for."""
    records = changes.records
    gone = {row.row for row in proposal.edit.removed if row.tab == "main"}
    for cell in proposal.edit.cells:
        if cell.tab != "main":
            yield from _caused_in_reference(cell, proposal, changes)
            continue
        record = records[cell.row]
        code = record["order_code" if cell.field in ORDER_FIELDS else "result_code"]
        part = "order" if cell.field in ORDER_FIELDS else "result"
        if cell.field in ("order_code", "result_code"):
            if cell.after is None:
                gone.add(cell.row)
            for kind in ("assigned", "replaced"):
                yield from (c for c in changes.get(kind, part, cell.before or "") if c.new_code == cell.after)
        elif cell.field == "nabm_code":
            had, has = set(split_values(cell.before or "")), set(split_values(cell.after or ""))
            order = changes.succession.of("order", code)
            for act in sorted(had ^ has):
                kind = "added" if act in has else "removed"
                yield from changes.get(kind, "nabm", order if kind == "added" else code, act)
        elif cell.field == "nabm_label":
            yield from (
                c
                for key in proposal.wanted
                for c in changes.get("modified", "nabm", changes.succession.of("order", key[1]), "nabm_label")
                if c.nabm == key[2]
            )
        else:
            for change in changes.get("modified", part, code, cell.field):
                if _is_value(cell.field, change.new or "", cell.after or ""):
                    yield change
    for row in proposal.edit.added:
        if row.tab != "main":
            part = REFERENCE_PARTS[row.tab]
            yield from changes.get("added", part, row.values.get("subcode") or row.values.get("code", ""))
            yield from changes.get("added", part, row.values.get("code", ""))
        elif row.order:
            yield from changes.come(row.order, row.whole.get("result_code", ""))
        else:
            yield from changes.opened(row.whole.get("order_code", ""), split_values(row.whole.get("nabm_code", "")))
    for removed in proposal.edit.removed:
        if removed.tab != "main":
            part = REFERENCE_PARTS[removed.tab]
            yield from changes.get("removed", part, removed.values.get("subcode") or removed.values.get("code", ""))
    yield from _removed(gone, changes)
    if request.kind == CREATE and request.object == "code" and is_pending(request.code):
        for part in ("order", "result"):
            yield from changes.get("assigned", part, request.code)


def _caused_in_reference(cell: CellSet, proposal: Proposal, changes: _Changes) -> Iterator[Change]:
    """Yield the changes of an entry of a reference tab that is to be relabelled or recoded."""
    part = REFERENCE_PARTS[cell.tab]
    for key in proposal.wanted:
        if key[0] != cell.tab:
            continue
        for name in ("label", "sublabel"):
            yield from (
                c for c in changes.get("modified", part, key[1], name) if fold(c.new or "") == fold(cell.after or "")
            )
        for kind in ("assigned", "replaced"):
            yield from (c for c in changes.get(kind, part, key[1]) if c.new_code == cell.after)


def _removed(rows: set[int], changes: _Changes) -> Iterator[Change]:
    """Yield the changes by which rows went: pairs, and the orders and results that had no other rows."""
    edition = changes.old
    for row in sorted(rows):
        record = changes.records[row]
        order, result = record["order_code"], record["result_code"]
        yield from changes.get("removed", "association", order, result)
        if result in edition.results and all(one.row in rows for one in edition.results[result].records):
            yield from changes.get("removed", "result", result)
        if order in edition.orders and all(one.row in rows for one in edition.orders[order].records):
            yield from changes.get("removed", "order", order)
            yield from changes.get("removed", "nabm", order, "")


def _caused_otherwise(request: Request, proposal: Proposal, values: ValueSet, changes: _Changes) -> Iterator[Change]:
    """Yield the changes that answer the creation of a result in another way: under other orders, or as an order of its own.

    They answer it when no request asked for them as they are.
    """
    is_result = request.kind == CREATE and request.object not in (*REFERENCE_OBJECTS, "nabm")
    if is_result and not proposal.done and request.code and request.code not in values:
        yield from changes.come_elsewhere(request.code)


def _is_value(name: str, text: str, wanted: str) -> bool:
    """Tell whether a value is the one asked for; the case of a unit has a meaning."""
    if name in ("unit", "unit_secondary"):
        return text.strip() == wanted.strip()
    if name in ("order_synonyms", "clinical_info"):
        return {fold(part) for part in split_values(text)} == {fold(part) for part in split_values(wanted)}
    return fold(text) == fold(wanted)

"""What `jdv check` would newly say of the workbook with an edit made.

A full check takes about half a second, so edits are tried together: those that no rule could relate share one trial
edition and one check, and each new finding goes to the edit that it speaks of. What two edits touch tells whether a rule could
relate them: rows, codes, labels, display labels and ranks by chapter, NABM acts, entries of reference. Where a finding cannot
be laid at one edit's door, the edits are tried apart. `tests/triage/test_trial.py` holds this to a check of each edit alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.terminology.labels import fold
from jdv_qa.triage.edits import CellSet, Edit, RowAdded
from jdv_qa.workbook.edition import MAIN_FIELDS, ORDER_FIELDS, RESULT_FIELDS, Edition, Record, Table, split_values

Check = Callable[[Edition], Report]
"""Runs the rules on an edition, as the maintainers' settings say."""

_Key = tuple[str, ...]
_BEYOND = 100_000_000
"""Added to the last row of a tab, the number of the first row added: no row of Excel, and no code, has it."""

_ADDED_ROW = re.compile(r"\b1[0-9]{8}\b")
_ORDER, _RESULT = frozenset(ORDER_FIELDS), frozenset(RESULT_FIELDS)
_REFERENCE_FIELDS = {
    "chapter": "chapters", "subchapter": "chapters", "specimen": "specimens", "site": "sites", "laterality": "lateralities",
    "clinical_info": "clinical_info",
}  # fmt: skip


@dataclass(frozen=True)
class Applied:
    """A workbook with edits made: the edition, and for each row that an edit touched, which edit.

    Rows keep their numbers; an added row has a number beyond all others, `places` tells the row it goes to.
    """

    edition: Edition
    touched: Mapping[tuple[str, int], tuple[int, ...]]
    places: Mapping[tuple[str, int], int]

    def shown(self, number: int) -> str:
        """Return the row to which the added row of a number goes, any other number as it is."""
        return str(next((place for (_, row), place in self.places.items() if row == number), number))


def apply_edits(edition: Edition, edits: Sequence[Edit]) -> Applied:
    """Return the edition with edits made; the edition given stays as it is."""
    cells: dict[str, dict[int, list[CellSet]]] = defaultdict(lambda: defaultdict(list))
    added: dict[str, dict[int, list[tuple[int, RowAdded]]]] = defaultdict(lambda: defaultdict(list))
    gone: dict[str, set[int]] = defaultdict(set)
    touched: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, edit in enumerate(edits):
        for cell in edit.cells:
            cells[cell.tab][cell.row].append(cell)
            touched[cell.tab, cell.row].append(number)
        for row in edit.added:
            added[row.tab][row.below].append((number, row))
        for removed in edit.removed:
            gone[removed.tab].add(removed.row)
            touched[removed.tab, removed.row].append(number)
    tables = dict(edition.tables)
    places: dict[tuple[str, int], int] = {}
    for tab in {*cells, *added, *gone}:
        tables[tab] = _applied(tables[tab], cells[tab], added[tab], gone[tab], touched, places)
    changed = Edition(tables, edition.identity, edition.source, edition.layout, edition.sheets)
    return Applied(changed, {key: tuple(dict.fromkeys(numbers)) for key, numbers in touched.items()}, places)


def _applied(
    table: Table,
    cells: Mapping[int, Sequence[CellSet]],
    added: Mapping[int, Sequence[tuple[int, RowAdded]]],
    gone: set[int],
    touched: dict[tuple[str, int], list[int]],
    places: dict[tuple[str, int], int],
) -> Table:
    records: list[Record] = []
    free = max((record.row for record in table.records), default=table.header_row) + _BEYOND
    above: dict[str, str | None] = {}
    # order cells set on the row that the rows below take them from

    def insert(below: int) -> None:
        nonlocal free
        own: Counter[int] = Counter()
        for number, row in added.get(below, ()):
            own[number] += 1
            records.append(Record(free, row.whole, {}, frozenset(row.inherited)))
            touched[table.key, free].append(number)
            places[table.key, free] = below + own[number]
            free += 1

    insert(table.header_row)
    for record in table.records:
        if "order_code" not in record.inherited:
            above = {}
        if record.row not in gone:
            sets = cells.get(record.row, ())
            if sets or above:
                record, above = _with_cells(table.key, record, sets, above)
            records.append(record)
        insert(record.row)
    return replace(table, records=tuple(records))


def _with_cells(
    tab: str, record: Record, sets: Iterable[CellSet], above: dict[str, str | None]
) -> tuple[Record, dict[str, str | None]]:
    """Return a row with cells set, and with the order cells set above it if it takes them from there."""
    values, kept, inherited = dict(record.values), dict(record.cells), set(record.inherited)
    for name, text in above.items():
        values.pop(name, None)
        if text:
            values[name] = text
            inherited.add(name)
    for cell in sets:
        values.pop(cell.field, None)
        kept.pop(cell.field, None)
        inherited.discard(cell.field)
        if cell.after:
            values[cell.field] = cell.after
        if tab == "main" and cell.field in _ORDER and "order_code" not in record.inherited:
            above = above | {cell.field: cell.after}
    return Record(record.row, values, kept, frozenset(inherited)), above


# ----------------------------------------------------------------------------------------------------- independent edits


@dataclass(frozen=True, slots=True)
class _Footprint:
    """What an edit changes and what it only looks at, as keys that rules relate rows by."""

    writes: frozenset[_Key]
    reads: frozenset[_Key]


def _footprint(edit: Edit, rows: Mapping[tuple[str, int], Record], uneven: frozenset[str]) -> _Footprint:
    """Return the footprint of an edit. `uneven`: orders whose rows differ in an order cell, so that every row counts."""
    writes: set[_Key] = set()
    reads: set[_Key] = set()
    by_row: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for cell in edit.cells:
        by_row[cell.tab, cell.row][cell.field] = cell.after or ""
    for (tab, number), changed in by_row.items():
        writes.add(("row", tab, str(number)))
        before = dict(rows[tab, number].values) if (tab, number) in rows else {}
        for values in (before, before | changed):
            writes |= _keys(tab, values, set(changed))
            reads |= _keys(tab, values, set(MAIN_FIELDS)) | _looked_at(tab, values, set(MAIN_FIELDS))
    for row in edit.added:
        names = set(row.values) if row.tab != "main" or not row.order else set(row.values) - _ORDER
        writes |= _keys(row.tab, row.whole, names)
        reads |= _keys(row.tab, row.whole, set(row.whole)) | _looked_at(row.tab, row.whole, set(row.whole))
        if row.tab == "main" and row.order:
            reads.add(("code", row.order))
            if row.whole.get("specimen"):
                writes.add(("specimen of", row.order))
    for gone in edit.removed:
        writes.add(("row", gone.tab, str(gone.row)))
        whole = dict(rows[gone.tab, gone.row].values) if (gone.tab, gone.row) in rows else dict(gone.values)
        order = whole.get("order_code", "")
        names = set(whole) if order in uneven or not order else set(whole) - _ORDER
        writes |= _keys(gone.tab, whole, names)
        reads |= _keys(gone.tab, whole, set(whole)) | _looked_at(gone.tab, whole, set(whole))
        if order:
            writes.add(("members of", order))
            if whole.get("specimen"):
                writes.add(("specimen of", order))
    return _Footprint(frozenset(writes), frozenset(reads))


def _keys(tab: str, values: Mapping[str, str], names: set[str]) -> set[_Key]:
    """Return what the rules relate a row by, as far as some of its fields go."""
    if tab != "main":
        codes = {values.get("code", ""), values.get("subcode", "")} - {""}
        return {("reference", tab, code) for code in codes} | {
            ("reference label", tab, fold(values.get(name, ""))) for name in ("label", "sublabel") if values.get(name)
        }
    keys: set[_Key] = set()
    order, result, chapter = values.get("order_code", ""), values.get("result_code", ""), values.get("chapter", "")
    if names & _ORDER and order:
        keys.add(("code", order))
    if names & _RESULT and result:
        keys.add(("code", result))
    for name in names & {"order_loinc_label", "result_loinc_label"}:
        keys.add(("label", fold(values.get(name, ""))))
    if "order_label" in names:
        keys.add(("order label", fold(values.get("order_label", ""))))
    if names & {"result_display", "chapter", "result_code"}:
        keys.add(("display", chapter, fold(values.get("result_display", ""))))
    if names & {"rank", "chapter", "result_code"}:
        keys.add(("rank", chapter, values.get("rank", "")))
    if names & {"nabm_code", "nabm_label"}:
        keys |= {("act", act) for act in split_values(values.get("nabm_code", ""))}
    if names & {"specimen", "order_loinc_label", "result_loinc_label"} and order and values.get("specimen"):
        keys.add(("specimen of", order))
    return {key for key in keys if key[-1]}


def _looked_at(tab: str, values: Mapping[str, str], names: set[str]) -> set[_Key]:
    """Return the entries of reference, and the acts, that some fields of a row name."""
    if tab != "main":
        return set()
    keys: set[_Key] = set()
    for name in names & set(_REFERENCE_FIELDS):
        for code in split_values(values.get(name, "")):
            keys.add(("reference", _REFERENCE_FIELDS[name], code))
    if names & {"nabm_code", "nabm_label"}:
        keys |= {("act", act) for act in split_values(values.get("nabm_code", ""))}
    return keys


def _batches(footprints: Sequence[_Footprint], wanted: Iterable[int]) -> list[list[int]]:
    """Return edits in batches whose members no rule could relate, first come first served."""
    batches: list[tuple[list[int], set[_Key], set[_Key]]] = []
    for number in wanted:
        own = footprints[number]
        for batch in batches:
            if not (own.writes & batch[1] or own.writes & batch[2] or own.reads & batch[1]):
                break
        else:
            batch = [], set(), set()
            batches.append(batch)
        batch[0].append(number)
        batch[1].update(own.writes)
        batch[2].update(own.reads)
    return [members for members, _, _ in batches]


# --------------------------------------------------------------------------------------------------------- new findings


class Trials:
    """Tries edits on one workbook; the check of the workbook as it is, is made once."""

    def __init__(self, edition: Edition, check: Check, severity: Severity = Severity.WARNING) -> None:
        """Take the workbook, what checks it, and the lowest severity to tell of."""
        self.edition, self.check, self.severity = edition, check, severity
        self._rows = {
            (tab, record.row): record
            for tab, table in edition.tables.items()
            if tab != "history"
            for record in table.records
        }

    @cached_property
    def before(self) -> Report:
        """The check of the workbook as it is."""
        return self.check(self.edition)

    def new_findings(self, edits: Sequence[Edit]) -> list[tuple[Finding, ...]]:
        """Return, for each edit, what a check of the workbook with that edit alone would newly say."""
        found: list[tuple[Finding, ...]] = [()] * len(edits)
        footprints = self._footprints(edits)
        for batch in _batches(footprints, (number for number, edit in enumerate(edits) if edit)):
            for number, findings in self._try(batch, edits, footprints):
                found[number] = findings
        return found

    def batches(self, edits: Sequence[Edit]) -> list[list[int]]:
        """Return the numbers of edits in batches whose members no rule could relate; edits that change nothing are left out."""
        return _batches(self._footprints(edits), (number for number, edit in enumerate(edits) if edit))

    def new_in(self, applied: Applied) -> tuple[Finding, ...]:
        """Return what a check of the workbook with edits made newly says."""
        return tuple(self._placed(finding, applied) for finding in self._new(applied))

    def together(self, edits: Sequence[Edit]) -> tuple[Finding, ...]:
        """Return what a check of the workbook with all the edits made at once would newly say."""
        return self.new_in(apply_edits(self.edition, edits))

    def _footprints(self, edits: Sequence[Edit]) -> list[_Footprint]:
        uneven = frozenset(code for code, order in self.edition.orders.items() if order.variants.keys() & _ORDER)
        return [_footprint(edit, self._rows, uneven) for edit in edits]

    def mends(self, edits: Sequence[Edit]) -> list[bool]:
        """Tell, for each edit, whether a cell that it changes, or a row that it removes, now has an error."""
        at_fault: set[tuple[str, int | None, str | None]] = {
            (finding.tab, finding.row, finding.field)
            for finding in self.before.findings
            if finding.severity is Severity.ERROR
        }
        rows = {(tab, row) for tab, row, _ in at_fault}
        return [
            any((cell.tab, cell.row, cell.field) in at_fault for cell in edit.cells)
            or any((row.tab, row.row) in rows for row in edit.removed)
            for edit in edits
        ]

    def _try(
        self, batch: Sequence[int], edits: Sequence[Edit], footprints: Sequence[_Footprint]
    ) -> Iterator[tuple[int, tuple[Finding, ...]]]:
        applied = apply_edits(self.edition, [edits[number] for number in batch])
        own: dict[int, list[Finding]] = {number: [] for number in batch}
        for finding in self._new(applied):
            owners = self._owners(finding, applied, batch, footprints)
            if len(owners) != 1 and len(batch) > 1:
                middle = len(batch) // 2
                yield from self._try(batch[:middle], edits, footprints)
                yield from self._try(batch[middle:], edits, footprints)
                return
            own[owners[0] if owners else batch[0]].append(self._placed(finding, applied))
        yield from ((number, tuple(findings)) for number, findings in own.items())

    def _owners(
        self, finding: Finding, applied: Applied, batch: Sequence[int], footprints: Sequence[_Footprint]
    ) -> list[int]:
        """Return the edits of a batch that a finding may come from: that of its row, else those that share a key with it."""
        touched = applied.touched.get((finding.tab, finding.row), ()) if finding.row is not None else ()
        if touched:
            return [batch[place] for place in touched]
        row = self._rows.get((finding.tab, finding.row)) if finding.row is not None else None
        values = row.values if row is not None else {}
        keys = _keys(finding.tab, values, set(MAIN_FIELDS))
        if finding.tab == "main":
            keys |= _looked_at(finding.tab, values, set(MAIN_FIELDS))
            keys |= {("members of", values.get("order_code", "")), ("members of", finding.code)}
        keys |= {("code", code) for code in (finding.code, *finding.related) if code}
        return [number for number in batch if footprints[number].writes & keys]

    def _new(self, applied: Applied) -> list[Finding]:
        after = self.check(applied.edition)
        if after.crashed and not self.before.crashed:
            broken = ", ".join(f"{item.rule}: {item.reason}" for item in after.crashed)
            raise RuntimeError(f"rules broke down on a trial edition: {broken}")
        return _difference(
            [finding for finding in self.before.findings if self._counts(finding)],
            [finding for finding in after.findings if self._counts(finding)],
        )

    def _counts(self, finding: Finding) -> bool:
        return finding.severity.rank >= self.severity.rank and not finding.waived

    def _placed(self, finding: Finding, applied: Applied) -> Finding:
        """Return a finding of an added row with the row that it goes to."""
        finding = finding._replace(message=_ADDED_ROW.sub(lambda match: applied.shown(int(match[0])), finding.message))
        place = applied.places.get((finding.tab, finding.row)) if finding.row is not None else None
        if place is None:
            return finding
        return finding._replace(row=place, cell=f"{finding.column}{place}" if finding.column else None)


def _difference(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """Return the findings of a check that an earlier one did not have.

    A finding is the same at the same cell with the same value; or, where its row has gone and another row of the same code
    speaks for it now, of the same rule, code, field and value.
    """
    left = list(before)
    by_place = Counter(map(_place, left))
    unmatched = []
    for finding in after:
        key = _place(finding)
        if by_place[key] > 0:
            by_place[key] -= 1
        else:
            unmatched.append(finding)
    if not unmatched:
        return []
    rest: Counter[tuple[object, ...]] = Counter()
    for finding in left:
        key = _place(finding)
        if by_place[key] > 0:
            by_place[key] -= 1
            rest[_subject(finding)] += 1
    new = []
    for finding in unmatched:
        subject = _subject(finding)
        if rest[subject] > 0:
            rest[subject] -= 1
        else:
            new.append(finding)
    return new


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.sheet, finding.row, finding.field, finding.value


def _subject(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.tab, finding.code, finding.field, finding.value

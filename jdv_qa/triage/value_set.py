"""The workbook as requests look at it: what a code, a chapter or a specimen named in words is, and how cells are set in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.terminology.codes import CodeForm, read_code, with_dash
from jdv_qa.terminology.labels import fold, parse_label, same_meaning
from jdv_qa.terminology.units import says_no_unit
from jdv_qa.triage.conventions import load_conventions
from jdv_qa.triage.edits import CellSet, Edit, Proposal, Reason, RowAdded, RowRemoved, reason_of
from jdv_qa.triage.requests import Request
from jdv_qa.workbook.edition import (
    MAIN_FIELDS,
    ORDER_FIELDS,
    Edition,
    Entity,
    Record,
    Table,
    split_values,
)
from jdv_qa.workbook.layout import Layout, load_layout

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import LoincRelease, Term
    from jdv_qa.terminology.nabm import Nabm

RANK_STEP = 10
"""What separates the rank of an added result from the last one of its chapter."""


_CODE_LIKE = re.compile(r"[A-Z0-9.-]{1,10}")


_CODE_AND_LABEL = re.compile(r"([\w.-]+)\s*(?:[–—:=(-]|\s)\s*(?=\S)")


COLUMNS = {
    "unit": "unit", "unit_secondary": "unit_secondary", "conversion_factor": "conversion_factor", "display": "result_display",
    "comparability": "comparability", "technique": "discriminating_technique", "chapter": "chapter",
    "subchapter": "subchapter", "rank": "rank", "specimen": "specimen", "order_type": "order_type",
}  # fmt: skip
"""Column of the register that holds a value -> the field of the main tab that it is for."""


class ValueSet:
    """The workbook as requests need to look at it, and the ranks handed out to results that are to be added."""

    def __init__(
        self,
        edition: Edition,
        layout: Layout | None = None,
        loinc: LoincRelease | None = None,
        nabm: Nabm | None = None,
    ) -> None:
        """Take the workbook, its layout, and the LOINC release and the NABM where there are."""
        self.edition, self.layout, self.loinc, self.nabm = edition, layout or load_layout(), loinc, nabm
        self._ranks: dict[str, int] = {}
        for record in edition.main.records:
            if record["rank"].isdigit():
                self._ranks[record["chapter"]] = max(self._ranks.get(record["chapter"], 0), int(record["rank"]))
        self._given: dict[tuple[str, str], str] = {}

    def over(self, edition: Edition) -> ValueSet:
        """Return the same look at another state of the workbook."""
        return ValueSet(edition, self.layout, self.loinc, self.nabm)

    def rank_for(self, code: str, chapter: str) -> str:
        """Return the rank of a result to be added: after the last of its chapter; one code keeps the rank it was given."""
        if not self.edition.main.has("rank") or not chapter:
            return ""
        if (code, chapter) not in self._given:
            self._ranks[chapter] = self._ranks.get(chapter, 0) + RANK_STEP
            self._given[code, chapter] = str(self._ranks[chapter])
        return self._given[code, chapter]

    @cached_property
    def chapters(self) -> dict[str, str]:
        """Label of a chapter (folded) -> its code."""
        return {fold(record["label"]): record["code"] for record in self.edition.records("chapters") if record["label"]}

    @cached_property
    def subchapters(self) -> dict[str, list[str]]:
        """Chapter -> its sub-chapters; one without any is its own."""
        found: dict[str, list[str]] = {}
        for record in self.edition.records("chapters"):
            if record["code"]:
                found.setdefault(record["code"], []).append(record["subcode"] or record["code"])
        return found

    @cached_property
    def reference_labels(self) -> dict[str, dict[str, str]]:
        """Field of the main tab -> label (folded) -> code, for fields whose codes a tab of reference defines."""
        tabs = {
            "specimen": "specimens",
            "site": "sites",
            "laterality": "lateralities",
            "clinical_info": "clinical_info",
        }
        return {
            name: {fold(record["label"]): record["code"] for record in self.edition.records(tab) if record["label"]}
            for name, tab in tabs.items()
        }

    @cached_property
    def orders_by_label(self) -> dict[str, list[str]]:
        """Label of an order, as prescribed or of LOINC (folded) -> order codes."""
        found: dict[str, list[str]] = {}
        for code, order in self.edition.orders.items():
            for label in {fold(order["order_label"]), fold(order["order_loinc_label"])} - {""}:
                found.setdefault(label, []).append(code)
        return found

    @cached_property
    def results_by_label(self) -> dict[str, list[str]]:
        """LOINC label or display label of a result (folded) -> result codes."""
        found: dict[str, list[str]] = {}
        for code, result in self.edition.results.items():
            for label in {fold(result["result_loinc_label"]), fold(result["result_display"])} - {""}:
                found.setdefault(label, []).append(code)
        return found

    @cached_property
    def nabm_labels(self) -> dict[str, str]:
        """NABM code -> the label that the workbook, or else the NABM, gives it."""
        found = {code: act.label for code, act in self.nabm.acts.items()} if self.nabm else {}
        for record in self.edition.main.records:
            codes, labels = split_values(record["nabm_code"]), split_values(record["nabm_label"])
            if len(codes) == len(labels):
                found |= {code: label for code, label in zip(codes, labels, strict=True) if label}
        return found

    def term(self, code: str) -> Term | None:
        """Return the LOINC term of a code."""
        return self.loinc.terms.get(code) if self.loinc else None

    def chapter_meant(self, text: str) -> str:
        """Return the code of a chapter named by its label, or by its code and label, any other text as it is."""
        return self.chapters.get(fold(text)) or _leading_code(text, self.chapters.values()) or text

    def entry_meant(self, name: str, text: str) -> str:
        """Return the code of an entry of reference named in words, any other text, such as a wrong code, as it is."""
        labels = self.reference_labels[name]
        named = None if _CODE_LIKE.fullmatch(text) else labels.get(fold(text))
        return named or _leading_code(text, labels.values()) or text

    def subchapter_of(self, chapter: str, present: str = "") -> str:
        """Return the sub-chapter to write beside a chapter: the present one if it fits, else the only one, else its own."""
        known = self.subchapters.get(chapter, [])
        if present in known:
            return present
        return known[0] if len(known) == 1 else chapter if chapter in known else ""

    def header(self, name: str, tab: str = "main") -> str:
        """Return the header of a field as the workbook's layout has it."""
        return self.layout.header(tab, name)

    def __contains__(self, code: str) -> bool:
        """Whether a code is that of an order or of a result."""
        return code in self.edition.orders or code in self.edition.results


def _leading_code(text: str, codes: Iterable[str]) -> str:
    """Return the code that a text begins with, before its label: "18719-5 – Biochimie" -> "18719-5"; "" when none does."""
    match = _CODE_AND_LABEL.match(text)
    return match[1] if match and match[1] in set(codes) else ""


@dataclass(frozen=True, slots=True)
class Target:
    """A code as written and as understood. `fault`: the text itself is wrong, so that it cannot be applied as it stands."""

    text: str
    code: str
    fault: Reason | None = None
    note: Reason | None = None


def read_targets(text: str, values: ValueSet, label: str = "", known: Iterable[str] = ()) -> list[Target]:
    """Return the codes that a cell of the register names, look-alikes, dates and slips read as what they must be.

    A slip (a wrong check digit, an exchanged digit) is understood when one code of `known`, by default those of the value
    set, is near and, where the request has a label, of that label; it remains a fault. Other writings of a right code are
    only noted.
    """
    reading = read_code(text)
    if reading.form is CodeForm.SEVERAL:
        return [target for part in reading.proposals for target in read_targets(part, values, "", known)]
    present = set(known) or set(values.edition.orders) | set(values.edition.results)
    if (dashed := with_dash(text)) in present and text not in present and dashed is not None:
        note = reason_of("COD-01", f"« {text} » est lu {dashed}", f'"{text}" is read as {dashed}')
        return [Target(text, dashed, None, note)]
    if reading.form in (CodeForm.LOINC, CodeForm.PENDING, CodeForm.BLANK):
        return [Target(text, text)] if text else []
    if text in present:
        return [Target(text, text)]
    near = [code for code in reading.proposals if code in present]
    if len(near) > 1 and label:
        near = [code for code in near if is_labelled(values, code, label)] or near[:1]
    if reading.form is CodeForm.WRONG_DIGIT:
        official = values.term(text)
        if official is not None:
            return [Target(text, text)]
        meant = next((code for code in near if not label or is_labelled(values, code, label)), None)
        told = meant or _nearest_term(values, reading.proposals, label) or reading.proposal
        fault = reason_of(
            "COD-02",
            f"le chiffre de contrôle de « {text} » est faux ; lire sans doute {told}",
            f'the check digit of "{text}" is wrong; {told} is probably meant',
        )
        return [Target(text, meant or text, fault)]
    meant = near[0] if near else (reading.proposal if reading.form is not CodeForm.MALFORMED_PENDING else None)
    if meant is not None and (len(near) == 1 or len(reading.proposals) == 1):
        note = reason_of(
            "CEL-02" if reading.form is CodeForm.LOOK_ALIKE else "COD-01",
            f"« {text} » est lu {meant}",
            f'"{text}" is read as {meant}',
        )
        return [Target(text, meant, None, note)]
    fault = reason_of("COD-01", f"« {text} » n'est pas un code", f'"{text}" is no code')
    return [Target(text, text, fault)]


def _nearest_term(values: ValueSet, codes: Iterable[str], label: str) -> str | None:
    terms = [term for code in codes if (term := values.term(code)) is not None]
    best = [term for term in terms if label and term.matches_axes(label) and term.has_component_like(label)]
    return next((term.code for term in (*best, *terms)), None)


def is_labelled(values: ValueSet, code: str, label: str) -> bool:
    """Tell whether the value set, or LOINC, gives a code a label."""
    edition, wanted = values.edition, fold(label)
    for entities, names in (
        (edition.results, ("result_loinc_label", "result_display")),
        (edition.orders, ("order_loinc_label", "order_label")),
    ):
        if code in entities and any(
            text and (fold(text) == wanted or same_meaning(text, label)) for text in (entities[code][n] for n in names)
        ):
            return True
    term = values.term(code)
    return term is not None and term.matches_axes(label) and term.has_component_like(label)


def value_meant(name: str, text: str, values: ValueSet) -> str:
    """Return the value of a field as a cell holds it: a chapter or a specimen by its code, a level by its figure."""
    conventions = load_conventions()
    if fold(text) in conventions.nothing or (name in ("unit", "unit_secondary") and says_no_unit(text)):
        return ""
    if name in ("chapter", "subchapter"):
        return values.chapter_meant(text)
    if name == "clinical_info":
        return ";".join(values.entry_meant(name, part) for part in split_values(text) if part)
    if name in values.reference_labels:
        return values.entry_meant(name, text)
    if name == "comparability":
        return conventions.levels.get(fold(text), text)
    if name == "discriminating_technique":
        spellings = load_catalogue()["CMP-02"].parameters["spellings"]
        return next((letter for letter, texts in spellings.items() if fold(text) in map(fold, texts)), text)
    return text


def orders_named(text: str, values: ValueSet) -> tuple[list[str], list[str]]:
    """Return the orders that a text names, by code or by label, and what of it is no order of the value set."""
    if not text:
        return [], []
    by_label = values.orders_by_label.get(fold(text))
    if by_label:
        return by_label[:1], []
    found: list[str] = []
    unknown: list[str] = []
    for target in read_targets(text, values, known=values.edition.orders):
        (found if target.code in values.edition.orders else unknown).append(target.code)
    return list(dict.fromkeys(found)), unknown


def order_for(code: str, request: Request, values: ValueSet) -> str | None:
    """Return the order that a field of an order is meant for, where the code given is that of a result."""
    named, _ = orders_named(request.order, values)
    if named:
        return named[0]
    result = values.edition.results.get(code)
    orders = {record["order_code"] for record in result.records} if result else set()
    return orders.pop() if len(orders) == 1 else None


def absent(target: Target, as_order: bool, values: ValueSet) -> Proposal:
    """Return that a code to be modified is not there: a slip to mend, or a code to be made sure of."""
    if target.fault:
        return Proposal(faults=(target.fault,), codes=(target.code,))
    what = ("demande", "order") if as_order else ("résultat", "result")
    other = target.code in values
    hint_fr = " (il y est à un autre titre)" if other else ""
    hint_en = " (but as something else)" if other else ""
    reason = reason_of(
        None,
        f"{target.code} n'est pas un code de {what[0]} du jeu de valeurs{hint_fr} : préciser le code, ou demander sa création",
        f"{target.code} is no {what[1]} code of the value set{hint_en}: make the code sure, or ask for its creation",
    )
    return Proposal(missing=(reason,), codes=(target.code,))


def set_field(values: ValueSet, records: Iterable[Record], name: str, after: str) -> tuple[CellSet, ...]:
    """Return the cells to set so that every row of some reads a value; rows that take it from above need none."""
    cells = []
    table = values.edition.main
    if not table.has(name):
        return ()
    rows = list(records)
    for record in rows:
        if name in record.inherited or ("order_code" in record.inherited and name in ORDER_FIELDS):
            continue
        if record[name] != after:
            cells.append(CellSet("main", record.row, name, record[name] or None, after or None))
    return tuple(cells)


def removed_rows(values: ValueSet, records: Sequence[Record]) -> Edit:
    """Return the edit that deletes rows; order cells that stand on a deleted row alone go to the next row of the order."""
    gone = {record.row for record in records}
    cells: list[CellSet] = []
    rows = values.edition.main.records
    for place, record in enumerate(rows):
        if record.row not in gone or "order_code" in record.inherited:
            continue
        heir = next((other for other in rows[place + 1 :] if other.row not in gone), None)
        if heir is not None and "order_code" in heir.inherited and heir["order_code"] == record["order_code"]:
            cells += [
                CellSet("main", heir.row, name, None, heir[name])
                for name in ORDER_FIELDS
                if name in heir.inherited and heir[name]
            ]
    removed = tuple(
        RowRemoved(
            "main",
            record.row,
            {name: record[name] for name in MAIN_FIELDS if record[name] and name not in record.inherited},
        )
        for record in records
    )
    return Edit(tuple(cells), (), removed)


def added_result(values: ValueSet, order: Entity, result: Mapping[str, str]) -> RowAdded:
    """Return the row of a result to add below the last row of an order, its order cells written as in the other rows."""
    last = _row_of_order(order.records)
    blank = "order_code" in last.inherited or (len(order.records) == 1 and values.edition.main.grouping != "repeat")
    cells = {name: order[name] for name in ORDER_FIELDS if order[name]}
    own = {name: text for name, text in result.items() if text and values.edition.main.has(name)}
    if blank:
        return RowAdded("main", last.row, own, order.code, cells)
    return RowAdded("main", last.row, {**cells, **own}, order.code)


def _row_of_order(records: Sequence[Record]) -> Record:
    return max(records, key=lambda record: record.row)


def last_row(table: Table | None) -> int:
    """Return the number of the last row of a table, that of its header when it has none."""
    return max((record.row for record in table.records), default=table.header_row) if table else 0


def code_text(request: Request) -> str:
    """Return the text that should name what a request is about."""
    return request.code or (request.order if request.object in ("order", "nabm") or not request.object else "")


def named_by_label(request: Request, thing: str, values: ValueSet) -> list[str]:
    """Return the one code that a label names, where the request gives no code."""
    table = values.orders_by_label if thing == "order" else values.results_by_label
    found = table.get(fold(request.label), []) if request.label else []
    return found if len(found) == 1 else []


def known_terms(text: str, values: ValueSet) -> set[str]:
    """Return the codes near to a text that the value set or LOINC has."""
    return {code for code in read_code(text).proposals if code in values or values.term(code) is not None}


def written_otherwise(target: Target) -> Reason:
    """Return the fault of a right code written with other characters, where it is to be written into the workbook."""
    assert target.note is not None
    return reason_of(
        target.note.rule,
        f"le code est écrit « {target.text} » : écrire {target.code}",
        f'the code is written "{target.text}": write {target.code}',
    )


def field_of(request: Request, thing: str) -> str:
    """Return the field asked to change, as the object has it."""
    if request.target_field == "label" and thing in ("order", "result", "code"):
        whole = parse_label(request.asked) is not None
        if thing == "order":
            return "order_loinc_label" if whole else "order_label"
        return "result_loinc_label" if whole else "result_display"
    if request.target_field in ("loinc_label", "loinc_code"):
        prefix = "order" if thing == "order" else "result"
        return f"{prefix}_{request.target_field}" if request.target_field == "loinc_label" else f"{prefix}_code"
    return request.target_field

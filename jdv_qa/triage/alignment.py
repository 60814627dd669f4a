"""Alignments of orders with NABM acts, and entries of the tabs of reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jdv_qa.terminology.labels import fold, parse_label
from jdv_qa.triage.edits import CellSet, Edit, Proposal, Reason, RowAdded, RowRemoved, joined, lacking, reason_of
from jdv_qa.triage.requests import CREATE, MODIFY, REMOVE, Request
from jdv_qa.triage.value_set import Target, ValueSet, absent, is_labelled, last_row, order_for, read_targets, set_field
from jdv_qa.workbook.edition import (
    Record,
    Table,
    split_values,
)

if TYPE_CHECKING:
    pass


def propose_alignment(request: Request, values: ValueSet) -> Proposal:
    """Return what an alignment of orders and NABM acts means; codes and labels of a cell go by pairs."""
    acts = [part for part in split_values(request.nabm.replace(",", ";")) if part]
    name = request.target_field
    if not acts and request.asked and name != "nabm_label":
        acts = [part for part in split_values(request.asked) if part]
    text = request.code or request.order
    targets = read_targets(text, values, request.label, values.edition.orders)
    if not targets and (named := values.orders_by_label.get(fold(request.label or text), [])):
        targets = [Target(code, code) for code in named[:1]]
    missing = []
    if not acts:
        missing.append(reason_of("NAB-01", "le code NABM manque", "the NABM code is missing"))
    if not targets:
        missing.append(reason_of(None, "le code LOINC de la demande manque", "the order's LOINC code is missing"))
    if missing:
        return Proposal(missing=tuple(missing))
    return joined([_propose_acts(request, target, acts, values) for target in targets])


def _propose_acts(request: Request, target: Target, acts: Sequence[str], values: ValueSet) -> Proposal:
    edition = values.edition
    code = target.code if target.code in edition.orders else order_for(target.code, request, values)
    if code is None or code not in edition.orders:
        return absent(target, True, values)
    order = edition.orders[code]
    codes, labels = list(split_values(order["nabm_code"])), list(split_values(order["nabm_label"]))
    labels += [""] * (len(codes) - len(labels))
    pairs = {act: label for act, label in zip(codes, labels, strict=False) if act}
    before = dict(pairs)
    given = list(split_values(request.nabm_label))
    if not given and request.label and not is_labelled(values, code, request.label) and len(acts) == 1:
        given = [request.label] if parse_label(request.label) is None else []
    missing: list[Reason] = []
    if request.kind == REMOVE:
        for act in acts:
            pairs.pop(act, None)
    elif request.kind == MODIFY and request.target_field == "nabm_label" and request.asked:
        missing += [_not_aligned(act, code) for act in acts if act not in pairs]
        pairs |= {act: request.asked for act in acts if act in pairs}
    elif request.kind == MODIFY and request.nabm and request.asked and request.asked not in acts:
        missing += [_not_aligned(act, code) for act in acts if act not in pairs]
        new = request.asked
        label = (given or [values.nabm_labels.get(new, "")])[0]
        pairs = {new if act in acts else act: label if act in acts else text for act, text in pairs.items()}
    else:
        asked = given if len(given) == len(acts) else [""] * len(acts)
        for act, label in zip(acts, asked, strict=True):
            if act not in pairs or (label and request.nabm_label):
                pairs[act] = values.nabm_labels.get(act, "") or label
    missing += [
        reason_of("NAB-02", f"le libellé de l'acte {act} manque", f"the label of act {act} is missing")
        for act, label in pairs.items()
        if not label and act not in before
    ]
    common: dict[str, Any] = {
        "codes": (code,), "missing": tuple(missing), "meaning": (request.kind, "nabm", code, tuple(sorted(pairs.items()))),
        "faults": (target.fault,) if target.fault else (), "notes": (target.note,) if target.note else (),
        "wanted": {("nabm", code, act): "" if request.kind == REMOVE else "x" for act in acts},
    }  # fmt: skip
    if pairs == before:
        listed = ", ".join(acts)
        fr = (
            f"la demande {code} n'est pas alignée sur {listed}"
            if request.kind == REMOVE
            else f"la demande {code} est déjà alignée sur {listed}"
        )
        en = (
            f"order {code} is not aligned with {listed}"
            if request.kind == REMOVE
            else f"order {code} is aligned with {listed} already"
        )
        return Proposal(done=(reason_of(None, fr, en),), **common)
    cells = set_field(values, order.records, "nabm_code", ";".join(pairs))
    cells += set_field(values, order.records, "nabm_label", ";".join(pairs.values()))
    return Proposal(Edit(cells), **common)


def _not_aligned(act: str, code: str) -> Reason:
    return reason_of(None, f"la demande {code} n'est pas alignée sur {act}", f"order {code} is not aligned with {act}")


def propose_reference(request: Request, tab: str, values: ValueSet) -> Proposal:
    """Return what a request about a tab of reference means: an entry added, relabelled or removed."""
    table = values.edition.tables.get(tab)
    title = values.layout.tabs[tab].name
    if table is None or not table.header_row:
        return lacking("STR-01", f"le classeur n'a pas l'onglet « {title} »", f'the workbook has no tab "{title}"')
    code = request.code or (request.asked if request.kind == CREATE and not request.code else "")
    if tab == "chapters" and not code:
        code = request.chapter
    placeholder = request.kind == CREATE and " " in code and not any(letter.isdigit() for letter in code)
    if not code or placeholder:
        return lacking(None, f"le code manque (onglet « {title} »)", f'the code is missing (tab "{title}")')
    key = "subcode" if tab == "chapters" and not any(r["code"] == code for r in table.records) else "code"
    records = [record for record in table.records if record[key] == code]
    codes: dict[str, Any] = {"codes": (f"{tab}:{code}",)}
    if request.kind == CREATE:
        return _propose_entry(request, tab, code, records, table, values)
    if request.kind == REMOVE and not request.target_field:
        meaning = (REMOVE, tab, code)
        if not records:
            reason = reason_of(
                None, f"« {code} » n'est pas dans l'onglet « {title} »", f'"{code}" is not in tab "{title}"'
            )
            return Proposal(done=(reason,), meaning=meaning, **codes)
        removed = tuple(RowRemoved(tab, record.row, dict(record.values)) for record in records)
        return Proposal(Edit(removed=removed), meaning=meaning, **codes)
    return _propose_relabelling(request, tab, code, key, records, table, values)


def _propose_entry(
    request: Request, tab: str, code: str, records: Sequence[Record], table: Table, values: ValueSet
) -> Proposal:
    title = values.layout.tabs[tab].name
    label = request.label or (request.asked if request.asked != code else "") or request.display
    meaning = (CREATE, tab, code)
    common: dict[str, Any] = {"codes": (f"{tab}:{code}",), "meaning": meaning, "wanted": {(tab, code, "label"): label}}
    if not label:
        return Proposal(
            missing=(reason_of("COD-04", f"le libellé de « {code} » manque", f'the label of "{code}" is missing'),),
            **common,
        )
    labels = {fold(record["label"]) for record in records} | {fold(record["sublabel"]) for record in records}
    if records and fold(label) in labels:
        reason = reason_of(
            None,
            f"« {code} » est déjà dans l'onglet « {title} » (ligne {records[0].row})",
            f'"{code}" is in tab "{title}" already (row {records[0].row})',
        )
        return Proposal(done=(reason,), **common)
    cells = {"code": code, "label": label}
    if tab == "chapters":
        parent = values.chapter_meant(request.chapter) if request.chapter else code
        owner = next((record["label"] for record in table.records if record["code"] == parent), label)
        cells = {"code": parent, "label": owner, "subcode": code, "sublabel": label}
    row = RowAdded(tab, last_row(table), {name: text for name, text in cells.items() if table.has(name)})
    return Proposal(Edit(added=(row,)), **common)


def _propose_relabelling(
    request: Request, tab: str, code: str, key: str, records: Sequence[Record], table: Table, values: ValueSet
) -> Proposal:
    title = values.layout.tabs[tab].name
    named = request.target_field if table.has(request.target_field) else ""
    name = named or ("sublabel" if key == "subcode" else "label")
    after = request.asked or (request.label if not request.target_field or name in ("label", "sublabel") else "")
    common: dict[str, Any] = {
        "codes": (f"{tab}:{code}",), "meaning": (MODIFY, tab, code, name, after), "wanted": {(tab, code, name): after},
    }  # fmt: skip
    missing = []
    if not records:
        missing.append(
            reason_of(None, f"« {code} » n'est pas dans l'onglet « {title} »", f'"{code}" is not in tab "{title}"')
        )
    if not after:
        missing.append(reason_of(None, "la valeur voulue manque", "the value wanted is missing"))
    if missing:
        return Proposal(missing=tuple(missing), **common)
    cells = tuple(
        CellSet(tab, record.row, name, record[name] or None, after) for record in records if record[name] != after
    )
    if tab == "chapters" and name == "label" and not named:
        own = [record for record in records if record["subcode"] == code and record["sublabel"] == record["label"]]
        cells += tuple(CellSet(tab, record.row, "sublabel", record["sublabel"], after) for record in own)
    if not cells:
        reason = reason_of(
            None,
            f"« {code} » a déjà ce libellé (ligne {records[0].row})",
            f'"{code}" has that label already (row {records[0].row})',
        )
        return Proposal(done=(reason,), **common)
    if name == "code":
        cells += _renamed_uses(tab, code, after, values)
    return Proposal(Edit(cells), **common)


_USED_IN = {
    "specimens": "specimen", "sites": "site", "lateralities": "laterality", "chapters": "chapter",
}  # fmt: skip


def _renamed_uses(tab: str, code: str, after: str, values: ValueSet) -> tuple[CellSet, ...]:
    """Return the cells of the main tab that name a code of reference whose code changes."""
    name = _USED_IN.get(tab)
    records = [record for record in values.edition.main.records if name and record[name] == code]
    return set_field(values, records, name, after) if name else ()

"""Modifications and removals: fields that get another value, codes that give way to others, rows that go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jdv_qa.language import say
from jdv_qa.terminology.codes import CodeForm, is_loinc, is_pending, read_code
from jdv_qa.terminology.labels import fold, same_meaning
from jdv_qa.triage.edits import CellSet, Edit, Introduced, Proposal, Reason, joined, lacking, reason_of
from jdv_qa.triage.requests import CREATE, MODIFY, REMOVE, Request
from jdv_qa.triage.value_set import (
    COLUMNS,
    Target,
    ValueSet,
    absent,
    code_text,
    field_of,
    is_labelled,
    known_terms,
    named_by_label,
    order_for,
    orders_named,
    read_targets,
    removed_rows,
    set_field,
    value_meant,
    written_otherwise,
)
from jdv_qa.workbook.edition import (
    ORDER_FIELDS,
    RESULT_FIELDS,
    Edition,
    Entity,
    Record,
    split_values,
)

if TYPE_CHECKING:
    pass

_TWIN_LABELS = {"result_loinc_label": "order_loinc_label", "order_loinc_label": "result_loinc_label"}


_CODE_OF = {"order_loinc_label": "order_code", "result_loinc_label": "result_code"}


def propose_modification(request: Request, thing: str, values: ValueSet) -> Proposal:
    """Return what it means to give fields of orders or results other values."""
    changes = _changes_asked(request, thing, values)
    codes = code_text(request)
    missing = []
    if not codes and not named_by_label(request, thing, values):
        missing.append(
            reason_of(
                None,
                "le code de ce qu'il faut modifier manque",
                "the code of what has to be modified is missing",
            )
        )
    if not changes and request.target_field and not request.asked:
        name = values.header(field_of(request, thing))
        missing.append(
            reason_of(None, f"la valeur voulue pour « {name} » manque", f'the value wanted for "{name}" is missing')
        )
    elif not changes:
        missing.append(
            reason_of(
                None,
                "le champ à modifier et la valeur voulue manquent",
                "the field to modify and the value wanted are missing",
            )
        )
    if missing:
        return Proposal(missing=tuple(missing), codes=tuple(t.code for t in read_targets(codes, values, request.label)))
    found: list[Proposal] = []
    targets = read_targets(codes, values, request.label) or [
        Target(code, code) for code in named_by_label(request, thing, values)
    ]
    for target in targets:
        for name, text in changes.items():
            found.append(_propose_value(request, thing, target, name, text, values))
    return joined(found)


def _changes_asked(request: Request, thing: str, values: ValueSet) -> dict[str, str]:
    """Return field -> value asked for, from the field and the value or else from the columns of the register."""
    name = field_of(request, thing)
    if name and request.kind == REMOVE:
        return {name: ""}
    if name:
        column = next((column for column, field in COLUMNS.items() if field == name), None)
        text = request.asked or (getattr(request, column) if column else "")
        if not text and name in ("order_loinc_label", "result_loinc_label", "order_label") and request.label:
            codes = read_targets(request.code, values)
            if codes and not any(is_labelled(values, target.code, request.label) for target in codes):
                text = request.label
        return {name: text} if text else {}
    if request.asked and read_code(request.asked).form in (CodeForm.LOINC, CodeForm.WRONG_DIGIT, CodeForm.LOOK_ALIKE):
        if thing in ("code", "result", "order"):
            return {"order_code" if thing == "order" else "result_code": request.asked}
        return {}
    if request.asked:
        return {}
    said = {field: getattr(request, column) for column, field in COLUMNS.items() if getattr(request, column)}
    wanted = ORDER_FIELDS if thing == "order" else RESULT_FIELDS
    said = {name: text for name, text in said.items() if name in wanted}
    known = (values.edition.orders if thing == "order" else values.edition.results).get(request.code)
    if known is not None and len(said) > 1:
        said = {name: text for name, text in said.items() if known[name] != value_meant(name, text, values)} or said
    return said


def _propose_value(request: Request, thing: str, target: Target, name: str, text: str, values: ValueSet) -> Proposal:
    """Return what it means to give a field of a code a value."""
    edition = values.edition
    if name in ("order_code", "result_code"):
        return _propose_recoding(request, thing, target, text, values)
    code = target.code
    is_order_field = name in ORDER_FIELDS
    entities = edition.orders if is_order_field else edition.results
    if code not in entities and is_order_field:
        code = order_for(code, request, values) or code
    if code not in entities:
        return absent(target, is_order_field, values)
    faults = (target.fault,) if target.fault else ()
    notes = (target.note,) if target.note else ()
    if not edition.main.has(name):
        header = values.header(name)
        return lacking(
            "STR-02", f"le classeur n'a pas de colonne « {header} »", f'the workbook has no column "{header}"'
        )
    after = value_meant(name, text, values)
    entity = entities[code]
    if request.kind == REMOVE and request.asked and fold(request.asked) != fold(entity[name]):
        header = values.header(name)
        return lacking(
            None,
            f"« {header} » de {code} est « {entity[name]} », pas « {request.asked} » : préciser ce qu'il faut supprimer",
            f'"{header}" of {code} is "{entity[name]}", not "{request.asked}": make sure what has to go',
        )
    cells = set_field(values, entity.records, name, after)
    common: dict[str, Any] = {
        "codes": (code,), "faults": faults, "notes": notes,
        "wanted": {("order" if is_order_field else "result", code, name): after},
        "meaning": (MODIFY, "order" if is_order_field else "result", code, name, after),
    }  # fmt: skip
    if not cells:
        shown = after or say("vide", "blank")
        reason = reason_of(
            None,
            f"« {values.header(name)} » de {code} est déjà « {shown} » (ligne {entity.records[0].row})",
            f'"{values.header(name)}" of {code} is "{shown}" already (row {entity.records[0].row})',
        )
        return Proposal(done=() if faults else (reason,), **common)
    cells += _following(name, after, code, entity, values)
    return Proposal(Edit(cells), **common)


def _following(name: str, after: str, code: str, entity: Entity, values: ValueSet) -> tuple[CellSet, ...]:
    """Return what follows from a value: the sub-chapter and the rank of another chapter, the label of the code elsewhere."""
    if name == "chapter":
        sub = values.subchapter_of(after, entity["subchapter"])
        cells = set_field(values, entity.records, "subchapter", sub) if after in values.subchapters else ()
        taken = {(record["chapter"], record["rank"]) for record in values.edition.main.records if record["rank"]}
        if (after, entity["rank"]) in taken:
            cells += set_field(values, entity.records, "rank", values.rank_for(code, after))
        return cells
    if name in _TWIN_LABELS:
        twin = _TWIN_LABELS[name]
        others = values.edition.orders if _CODE_OF[twin] == "order_code" else values.edition.results
        if code in others and same_meaning(others[code][twin], entity[name]):
            return set_field(values, others[code].records, twin, after)
    return ()


def _propose_recoding(request: Request, thing: str, target: Target, text: str, values: ValueSet) -> Proposal:
    """Return what it means to put a code in the place of another: a LOINC code for a pending one, most often."""
    edition, old = values.edition, target.code
    if old not in values:
        return absent(target, thing == "order", values)
    readings = read_targets(text, values, request.label, known_terms(text, values))
    new = readings[0].code if len(readings) == 1 else text
    faults = [item.fault for item in (target, *readings) if item.fault]
    if len(readings) == 1 and readings[0].note:
        faults.append(written_otherwise(readings[0]))
    everywhere = thing == "code" or is_pending(old)
    cells: tuple[CellSet, ...] = ()
    as_order = old in edition.orders and (everywhere or thing == "order")
    if as_order:
        order = edition.orders[old]
        cells += set_field(values, order.records, "order_code", text)
        if is_pending(old) and is_loinc(new) and not order["order_type"]:
            term = values.term(new)
            kind = term.order_obs if term and term.order_obs in ("Order", "Both", "Observation") else ""
            kind = request.order_type or kind or ("Order" if term and term.is_panel else "Both" if term else "")
            cells += set_field(values, order.records, "order_type", kind) if kind else ()
    label = ""
    if old in edition.results and (everywhere or thing != "order"):
        result = edition.results[old]
        cells += set_field(values, result.records, "result_code", text)
        label = result["result_loinc_label"]
    common: dict[str, Any] = {
        "codes": (old, new), "faults": tuple(faults), "notes": (target.note,) if target.note else (),
        "wanted": {("code", old, "code"): new}, "meaning": (MODIFY, "code", old, new),
    }  # fmt: skip
    if not cells:
        reason = reason_of(None, f"le code est déjà {new}", f"the code is {new} already")
        return Proposal(done=(reason,), **common)
    label = label or edition.orders[old]["order_loinc_label"]
    introduced = () if faults else (Introduced(new, label, as_order and old not in edition.results),)
    return Proposal(Edit(cells), introduced=introduced, **common)


def propose_values(request: Request, thing: str, values: ValueSet) -> Proposal:
    """Return what it means to add a value to a cell of several, such as a synonym, or to take one out."""
    name = field_of(request, thing)
    found = []
    targets = read_targets(code_text(request), values, request.label)
    if not targets:
        return lacking(None, "le code de la demande manque", "the order's code is missing")
    if not request.asked:
        header = values.header(name)
        return lacking(
            None,
            f"ce qu'il faut ajouter ou retirer de « {header} » manque",
            f'what has to be added to "{header}", or taken out of it, is missing',
        )
    asked = [value_meant(name, part, values) for part in split_values(request.asked) if part]
    for target in targets:
        order = values.edition.orders.get(order_for(target.code, request, values) or target.code)
        order = values.edition.orders.get(target.code) or order
        if order is None:
            found.append(absent(target, True, values))
            continue
        present = [part for part in split_values(order[name]) if part]
        folded = set(map(fold, present))
        if request.kind == CREATE:
            after = present + [part for part in asked if fold(part) not in folded]
        else:
            gone = set(map(fold, asked))
            after = [part for part in present if fold(part) not in gone]
        text = ";".join(after)
        common: dict[str, Any] = {
            "codes": (order.code,), "meaning": (request.kind, order.code, name, tuple(sorted(map(fold, asked)))),
            "faults": (target.fault,) if target.fault else (), "notes": (target.note,) if target.note else (),
        }  # fmt: skip
        if after == present:
            reason = reason_of(
                None,
                f"« {values.header(name)} » de {order.code} le dit déjà : « {order[name]} »",
                f'"{values.header(name)}" of {order.code} says so already: "{order[name]}"',
            )
            found.append(Proposal(done=(reason,), **common))
        else:
            found.append(Proposal(Edit(set_field(values, order.records, name, text)), **common))
    return joined(found)


def propose_removal(request: Request, thing: str, values: ValueSet) -> Proposal:
    """Return what it means to take orders or results out of the value set."""
    text = code_text(request)
    named = [Target(code, code) for code in named_by_label(request, thing, values)] if not text else []
    targets = read_targets(text, values, request.label) or named
    if not targets:
        return lacking(None, "le code de ce qu'il faut supprimer manque", "the code of what has to go is missing")
    gone = {
        record.row
        for target in targets
        if target.code in values.edition.results
        for record in values.edition.results[target.code].records
    }
    return joined([_propose_removal_of(request, thing, target, gone, values) for target in targets])


def _propose_removal_of(request: Request, thing: str, target: Target, gone: set[int], values: ValueSet) -> Proposal:
    """Return what it means to take one code out; `gone` are the rows of all the results that the request takes out."""
    edition, code = values.edition, target.code
    common: dict[str, Any] = {"codes": (code,), "notes": (target.note,) if target.note else ()}
    if target.fault:
        common["faults"] = (target.fault,)
    edit, notes = Edit(), list(common.pop("notes"))
    orders, unknown = orders_named(request.order, values) if thing != "order" else ([], [])
    if unknown:
        return lacking(
            None,
            f"la demande « {', '.join(unknown)} » n'est pas dans le jeu de valeurs",
            f'order "{", ".join(unknown)}" is not in the value set',
        )
    as_order = code in edition.orders and thing in ("order", "code")
    as_result = code in edition.results and thing in ("result", "code", "")
    if as_order:
        edit += removed_rows(values, edition.orders[code].records)
        lost = _results_lost(edition, edition.orders[code])
        if lost:
            notes.append(
                reason_of(
                    None,
                    f"ces résultats n'ont pas d'autre demande et disparaîtraient avec elle : {', '.join(lost)}",
                    f"these results have no other order and would go with it: {', '.join(lost)}",
                )
            )
    if as_result:
        records = [r for r in edition.results[code].records if not orders or r["order_code"] in orders]
        if as_order:
            records = [record for record in records if record["order_code"] != code]
        part, told = _without_result(values, records, gone)
        edit += part
        notes += told
    meaning = (REMOVE, "order" if as_order else "result", code, tuple(orders))
    if edit:
        wanted: dict[tuple[str, ...], str] = {("removed", str(row.row), ""): "" for row in edit.removed}
        return Proposal(edit, notes=tuple(notes), wanted=wanted, meaning=meaning, **common)
    if target.fault:
        return Proposal(notes=tuple(notes), meaning=meaning, **common)
    where = (
        say("sous cette demande", "under this order")
        if orders and as_result
        else say("dans le jeu de valeurs", "in the value set")
    )
    titles = {"order": ("de demande", "order"), "result": ("de résultat", "result")}
    fr, en = titles.get(thing, ("", ""))
    other = f" {say('(il y est à un autre titre)', '(but as something else)')}" if code in values and not orders else ""
    reason = reason_of(
        None,
        f"le code {fr} {code} n'est pas {where}{other}".replace("  ", " "),
        f"{en} code {code} is not {where}{other}".strip(),
    )
    return Proposal(done=(reason,), notes=tuple(notes), meaning=meaning, **common)


def _results_lost(edition: Edition, order: Entity) -> list[str]:
    """Return the results that stand under an order alone, its own code apart."""
    codes = dict.fromkeys(record["result_code"] for record in order.records if record["result_code"])
    return [
        code
        for code in codes
        if code != order.code and all(record["order_code"] == order.code for record in edition.results[code].records)
    ]


def _without_result(values: ValueSet, records: Sequence[Record], gone: set[int]) -> tuple[Edit, list[Reason]]:
    """Return the edit that takes a result off its rows: a row goes, unless its order would go with it."""
    edition = values.edition
    edit, notes = Edit(), []
    removable: list[Record] = []
    for record in records:
        order = edition.orders.get(record["order_code"])
        if order is not None and all(other.row in gone for other in order.records):
            keeper = order.records[0].row
            if record.row == keeper:
                cells = tuple(
                    CellSet("main", record.row, name, record[name], None) for name in RESULT_FIELDS if record[name]
                )
                edit += Edit(cells)
                notes.append(
                    reason_of(
                        "GRP-02",
                        f"c'est le seul résultat de la demande {order.code}, qui reste sans résultat : la supprimer aussi ?",
                        f"it is the only result of order {order.code}, which is left without any: remove it as well?",
                    )
                )
                continue
        removable.append(record)
    if removable:
        edit += removed_rows(values, removable)
    return edit, notes

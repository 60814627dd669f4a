"""Creations: results and orders to add, and terms that have no code yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jdv_qa.checks.comparability import TECHNIQUE_OF
from jdv_qa.language import say
from jdv_qa.terminology.codes import CodeForm, is_loinc, is_pending, read_code
from jdv_qa.terminology.labels import fold, loinc_parts, parse_label, same_meaning
from jdv_qa.terminology.properties import example_units, needs_unit
from jdv_qa.triage.edits import Edit, Introduced, Proposal, Reason, RowAdded, reason_of
from jdv_qa.triage.requests import CREATE, Request
from jdv_qa.triage.value_set import (
    COLUMNS,
    Target,
    ValueSet,
    added_result,
    known_terms,
    last_row,
    orders_named,
    read_targets,
    value_meant,
    written_otherwise,
)
from jdv_qa.workbook.edition import (
    RESULT_FIELDS,
    Entity,
    split_values,
)

if TYPE_CHECKING:
    pass


def propose_creation(request: Request, thing: str, values: ValueSet) -> Proposal:
    """Return what a creation means; `thing` is "order", "result" or, for a term without code, "code"."""
    targets = read_targets(request.code, values, request.label, known_terms(request.code, values))
    form = read_code(request.code).form
    if len(targets) > 1:
        fault = reason_of(
            "COD-05",
            f"plusieurs codes dans une même création ({', '.join(target.text for target in targets)}) : une demande par code",
            f"several codes in one creation ({', '.join(target.text for target in targets)}): one request each",
        )
        return Proposal(faults=(fault,), codes=tuple(target.code for target in targets))
    if thing == "code" or form in (CodeForm.BLANK, CodeForm.MALFORMED_PENDING):
        return _propose_term(request, thing, values)
    target = targets[0]
    if thing == "order":
        return _propose_order(request, target, values)
    return _propose_result(request, target, values)


def _propose_term(request: Request, thing: str, values: ValueSet) -> Proposal:
    """Return what a creation without a code means: a term to ask of LOINC, or one to name."""
    missing = []
    label = parse_label(request.label)
    if not request.label:
        missing.append(
            reason_of(
                "COD-04",
                "ni code LOINC ni libellé : dire de quel examen il s'agit",
                "neither LOINC code nor label: say which test it is",
            )
        )
    elif label is None and (values.loinc is not None or thing == "code"):
        missing.append(
            reason_of(
                "LAB-01",
                f"le libellé « {request.label} » ne dit pas tous les axes : composant [grandeur] milieu ; échelle (; technique), "
                "ou donner le code LOINC",
                f'label "{request.label}" does not tell all axes: component [property] system ; scale (; method), or give the '
                "LOINC code",
            )
        )
    elif label is None:
        missing.append(reason_of("COD-04", "le code LOINC manque", "the LOINC code is missing"))
    codes = (request.code,) if is_pending(request.code) else ()
    return Proposal(missing=tuple(missing), codes=codes, term=None if missing else request.label)


def _propose_result(request: Request, target: Target, values: ValueSet) -> Proposal:
    code, written = target.code, target.text
    known = values.edition.results.get(code)
    missing: list[Reason] = []
    faults = [target.fault] if target.fault else []
    if target.note:
        faults.append(written_otherwise(target))
    orders, unknown = orders_named(request.order, values)
    if not request.order and known is None:
        missing.append(
            reason_of(
                None,
                "la demande sous laquelle mettre le résultat manque",
                "the order that the result goes under is missing",
            )
        )
    for text in unknown:
        missing.append(
            reason_of(
                None,
                f"la demande « {text} » n'est pas dans le jeu de valeurs",
                f'order "{text}" is not in the value set',
            )
        )
    result = _result_values(request, written, code, known, orders, values)
    missing += _missing_values(result, code, values)
    codes = (code,)
    explicit = _explicit(request, values)
    wanted = {("result", code, name): text for name, text in explicit.items()}
    meaning = (CREATE, "result", code, tuple(sorted(orders)))
    common: dict[str, Any] = {"missing": tuple(missing), "codes": codes, "wanted": wanted, "meaning": meaning}
    common["under"] = tuple(orders)
    if known is not None and not faults and (agreeing := _present(request, known, code, orders, explicit, values)):
        if isinstance(agreeing, Proposal):
            return replace(agreeing, **common)
        new_orders = agreeing
    else:
        new_orders = orders
    added = tuple(added_result(values, values.edition.orders[order], result) for order in new_orders)
    introduced = () if target.fault else (Introduced(code, result.get("result_loinc_label", ""), False),)
    return Proposal(Edit(added=added), faults=tuple(faults), introduced=introduced, **common)


def _explicit(request: Request, values: ValueSet) -> dict[str, str]:
    """Return field -> value for what a creation says expressly of its result."""
    said = {field: getattr(request, column) for column, field in COLUMNS.items() if getattr(request, column)}
    for name in ("specimen", "order_type"):
        said.pop(name, None)
    return {name: value_meant(name, text, values) for name, text in said.items()}


def _result_values(
    request: Request, written: str, code: str, known: Entity | None, orders: Iterable[str], values: ValueSet
) -> dict[str, str]:
    """Return the result cells of a creation: what is asked, what the code has elsewhere, the usual defaults."""
    asked = _explicit(request, values)
    base = {name: known[name] for name in RESULT_FIELDS if known[name]} if known is not None else {}
    label = request.label
    if known is not None and (
        not label or parse_label(label) is None or same_meaning(label, base["result_loinc_label"])
    ):
        label = base.get("result_loinc_label", label)
    elif parse_label(label) is None and (term := values.term(code)) is not None and term.french_label:
        label = term.french_label
    elif not label and code in values.edition.orders:
        label = values.edition.orders[code]["order_loinc_label"]
    result = base | {"result_code": written, "result_loinc_label": label} | asked
    level = result.get("comparability", "")
    if "discriminating_technique" not in asked and (known is None or "comparability" in asked):
        result["discriminating_technique"] = TECHNIQUE_OF.get(level, "")
    if not result.get("chapter"):
        chapters = {
            record["chapter"]
            for order in orders
            for record in values.edition.orders[order].records
            if record["chapter"]
        }
        result["chapter"] = chapters.pop() if len(chapters) == 1 else ""
    if "subchapter" not in asked and result["chapter"]:
        result["subchapter"] = values.subchapter_of(result["chapter"], result.get("subchapter", ""))
    if "rank" not in asked and (known is None or base.get("chapter") != result["chapter"]):
        result["rank"] = values.rank_for(code, result["chapter"])
    return {name: result[name] for name in RESULT_FIELDS if result.get(name)}


def _missing_values(result: Mapping[str, str], code: str, values: ValueSet) -> list[Reason]:
    """Return what a result to be added lacks: its label, its level, its unit where its property asks for one."""
    missing = []
    text = result.get("result_loinc_label", "")
    if not text:
        missing.append(reason_of("COD-04", "le libellé manque", "the label is missing"))
    if not result.get("comparability") and not _is_panel(code, text, values):
        missing.append(
            reason_of(
                "CMP-01", "le niveau de comparabilité (1 ou 2) manque", "the level of comparability (1 or 2) is missing"
            )
        )
    if not result.get("unit"):
        label, term = parse_label(text), values.term(code)
        scales = loinc_parts("scale", label.scale) if label else frozenset()
        parts = loinc_parts("property", label.property) if label else frozenset()
        if term is not None:
            scales, parts = scales or frozenset({term.scale}), parts or frozenset({term.property})
        if scales == {"Qn"} and needs_unit(parts):
            examples = say(" ou ", " or ").join(example_units(parts)[:2])
            missing.append(
                reason_of(
                    "UNI-01",
                    f"l'unité manque (par exemple {examples})" if examples else "l'unité manque",
                    f"the unit is missing (for instance {examples})" if examples else "the unit is missing",
                )
            )
    return missing


def _is_panel(code: str, label: str, values: ValueSet) -> bool:
    term, parsed = values.term(code), parse_label(label)
    order = values.edition.orders.get(code)
    return (
        (term is not None and term.is_panel)
        or (parsed is not None and parsed.scale == "-")
        or (order is not None and order["order_type"] == "Order")
    )


def _present(
    request: Request,
    known: Entity,
    code: str,
    orders: Sequence[str],
    explicit: Mapping[str, str],
    values: ValueSet,
) -> Proposal | list[str]:
    """Return that the value set has the result already, or says otherwise of it, or the orders it still has to go under."""
    pairs = values.edition.pairs
    lacking = [order for order in orders if (order, code) not in pairs]
    if lacking:
        return lacking
    rows = [record for order in orders for record in pairs[order, code]] or list(known.records)
    differing = {
        name: (rows[0][name], text)
        for name, text in explicit.items()
        if rows[0][name] != text and values.edition.main.has(name) and name != "rank"
    }
    if "result_display" in differing and fold(differing["result_display"][0]) == fold(explicit["result_display"]):
        del differing["result_display"]
    where = ", ".join(orders) or rows[0]["order_code"]
    if not differing:
        reason = reason_of(
            None,
            f"le résultat {code} est déjà dans le jeu de valeurs, sous la demande {where} (ligne {rows[0].row})",
            f"result {code} is in the value set already, under order {where} (row {rows[0].row})",
        )
        return Proposal(done=(reason,))
    told = "; ".join(
        say(
            f"{values.header(name)} : « {old or '–'} », demandé « {new} »",
            f'{values.header(name)}: "{old}", asked "{new}"',
        )
        for name, (old, new) in differing.items()
    )
    fault = reason_of(
        "GRP-01",
        f"le résultat {code} est déjà sous la demande {where} (ligne {rows[0].row}), mais autrement ({told}) : "
        "demander une modification",
        f"result {code} is under order {where} already (row {rows[0].row}), but otherwise ({told}): ask for a modification",
    )
    return Proposal(faults=(fault,))


def _propose_order(request: Request, target: Target, values: ValueSet) -> Proposal:
    code, written = target.code, target.text
    known = values.edition.orders.get(code)
    common: dict[str, Any] = {"codes": (code,), "meaning": (CREATE, "order", code)}
    if known is not None and not target.fault:
        reason = reason_of(
            None,
            f"la demande {code} est déjà dans le jeu de valeurs (ligne {known.records[0].row})",
            f"order {code} is in the value set already (row {known.records[0].row})",
        )
        return Proposal(done=(reason,), **common)
    term = values.term(code)
    missing = []
    loinc_label = request.label if parse_label(request.label) is not None else ""
    if not loinc_label:
        result = values.edition.results.get(code)
        loinc_label = (term.french_label if term else "") or (result["result_loinc_label"] if result else "")
    name = request.display or (request.label if request.label != loinc_label else "")
    if not name and (parsed := parse_label(loinc_label)) is not None:
        name = parsed.component
    if not name:
        missing.append(reason_of(None, "le libellé de la demande manque", "the order's label is missing"))
    kind = request.order_type or (term.order_obs if term and term.order_obs in ("Order", "Both", "Observation") else "")
    if not kind and term is not None and term.is_panel:
        kind = "Order"
    if not kind and is_loinc(code):
        if values.loinc is not None and term is not None:
            kind = "Both"
        else:
            missing.append(
                reason_of(
                    "TYP-01",
                    "le type (Order, Both, Observation) manque, et aucune version de LOINC ne le donne",
                    "the type (Order, Both, Observation) is missing, and no LOINC release tells it",
                )
            )
    nabm = split_values(request.nabm)
    labels = list(split_values(request.nabm_label)) or [values.nabm_labels.get(act, "") for act in nabm]
    cells = {
        "nabm_code": ";".join(nabm), "nabm_label": ";".join(labels) if all(labels) else "",
        "order_label": name, "order_code": written, "order_loinc_label": loinc_label or request.label, "order_type": kind,
        "specimen": value_meant("specimen", request.specimen, values) if request.specimen else "",
    }  # fmt: skip
    if nabm and not all(labels):
        acts = ", ".join(act for act, text in zip(nabm, labels, strict=False) if not text)
        missing.append(
            reason_of("NAB-02", f"le libellé de l'acte {acts} manque", f"the label of act {acts} is missing")
        )
    result_cells: dict[str, str] = {}
    own = kind in ("Both", "Observation")
    if own and (code in values.edition.results or request.comparability or request.unit):
        entity = values.edition.results.get(code)
        result_cells = _result_values(replace(request, label=loinc_label), written, code, entity, (), values)
        missing += _missing_values(result_cells, code, values)
    main = values.edition.main
    row = {n: text for n, text in {**cells, **result_cells}.items() if text and main.has(n)}
    faults = [target.fault] if target.fault else []
    if target.note:
        faults.append(written_otherwise(target))
    introduced = () if target.fault else (Introduced(code, cells["order_loinc_label"], True),)
    wanted: dict[tuple[str, ...], str] = {("order", code, n): cells[n] for n in ("specimen", "order_type") if cells[n]}
    edit = Edit(added=(RowAdded("main", last_row(main), row, ""),))
    return Proposal(edit, tuple(missing), faults=tuple(faults), introduced=introduced, wanted=wanted, **common)

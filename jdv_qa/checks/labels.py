"""LAB: LOINC labels, display labels, synonyms, and the specimen that labels speak of.

One cell has one finding: a label that does not follow the grammar is LAB-01's alone as long as it says nothing else than the
label of its code; a row whose code cannot be read, or whose label is not that of its code, says nothing of other rows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from jdv_qa.checks.cells import decode
from jdv_qa.checks.engine import LABEL_OF, Context, once, own_cells, own_texts, owner, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.language import french_spaces, say
from jdv_qa.resources import read_yaml, rules_directory
from jdv_qa.terminology.codes import is_loinc, is_pending, with_dash
from jdv_qa.terminology.labels import (
    AXES,
    Label,
    LabelForm,
    differing_axes,
    fold,
    loinc_parts,
    parse_label,
    plain_spaces,
    read_label,
    same_meaning,
    wording,
)
from jdv_qa.workbook.edition import CellKind, Entity, Record, split_values

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import Term

AXIS_NAMES = {
    "component": ("composant", "component"), "property": ("grandeur", "property"), "time": ("temps", "time"),
    "system": ("milieu", "system"), "scale": ("échelle", "scale"), "method": ("technique", "method"),
}  # fmt: skip
"""Axis -> (French name, English name)."""

CODE_OF = {label: code for code, label in LABEL_OF.items()}
"""LOINC label field -> its code field."""


class LabelCell(NamedTuple):
    """A cell that holds a LOINC label: the code it stands beside, its text, and what it says once decoded and spaced."""

    record: Record
    field: str
    code: str
    text: str
    said: str

    @property
    def is_result(self) -> bool:
        """The label is that of a result."""
        return self.field == "result_loinc_label"


class OddLabel(NamedTuple):
    """A label cell that says something else than the label of its code, which stands in another row."""

    cell: LabelCell
    usual: str
    row: int
    tie: bool


class Labels(NamedTuple):
    """The LOINC labels of an edition, by code.

    `usual`: code -> the label that most of its cells have; `odd`: the cells that say something else; `borrowed`: the rows
    whose result code is that of an order, so that their label is another code's.
    """

    cells: Mapping[str, tuple[LabelCell, ...]]
    usual: Mapping[str, str]
    odd: tuple[OddLabel, ...]
    borrowed: frozenset[int]


def labels_of(context: Context) -> Labels:
    """Return the LOINC labels of the edition under well-formed codes, found once for all rules."""
    return once(context, "labels", lambda: _find_labels(context))


def sure_rows(context: Context, code: str, rows: Iterable[Record]) -> list[Record]:
    """Return the rows of a result that surely speak of it: its code can be read, and their label is that of the code."""
    if not _is_readable(code):
        return []
    doubtful = once(context, "doubtful_rows", lambda: _doubtful_rows(context))
    return [record for record in rows if record.row not in doubtful]


@lru_cache(maxsize=131072)
def _is_readable(code: str) -> bool:
    return is_loinc(code) or is_pending(code)


def _doubtful_rows(context: Context) -> frozenset[int]:
    labels = labels_of(context)
    return labels.borrowed | {odd.cell.record.row for odd in labels.odd if odd.cell.is_result}


def _label_cells(context: Context) -> list[LabelCell]:
    """Return the cells that hold the text of a LOINC label, with whatever stands in the place of its code."""
    return once(context, "label_cells", lambda: list(_find_label_cells(context)))


def _find_label_cells(context: Context) -> Iterator[LabelCell]:
    for record, field in own_cells(context.edition.main, CODE_OF):
        text = record[field]
        if text and _is_text(record, field):
            yield LabelCell(record, field, record[CODE_OF[field]], text, text)


def _find_labels(context: Context) -> Labels:
    panels = {code for code, order in context.edition.orders.items() if order["order_type"] == "Order"}
    found: dict[str, list[LabelCell]] = {}
    borrowed = set()
    for cell in _label_cells(context):
        if cell.code in panels and cell.is_result:
            borrowed.add(cell.record.row)
        elif cell.code in found:
            found[cell.code].append(cell)
        elif _is_readable(cell.code):
            found[cell.code] = [cell]
    usual, odd = {}, []
    by_text: dict[str, set[str]] = {}
    for code, cells in found.items():
        if len({cell.text for cell in cells}) == 1:
            usual[code] = cells[0].text
            continue
        by_text = by_text or _codes_by_text(found)
        cells = [cell._replace(said=_said(cell.text)) for cell in cells]
        usual[code], others = _sort(context, code, cells, by_text)
        odd += others
    return Labels({code: tuple(cells) for code, cells in found.items()}, usual, tuple(odd), frozenset(borrowed))


def _codes_by_text(cells: Mapping[str, list[LabelCell]]) -> dict[str, set[str]]:
    """Return text of a label -> the codes it stands beside."""
    codes: dict[str, set[str]] = {}
    for code, own in cells.items():
        for cell in own:
            codes.setdefault(cell.text, set()).add(code)
    return codes


def _is_text(record: Record, field: str) -> bool:
    """Tell whether the own cell of a field holds text, or nothing."""
    cell = record.cells.get(field)
    return cell is None or cell.kind is CellKind.TEXT


def _said(text: str) -> str:
    """Return what a label says: entities and wrong accents decoded, a slip of the grammar mended where it is plain."""
    text = plain_spaces(decode(text))
    reading = read_label(text)
    return str(reading.label) if reading.label else text


def _sort(
    context: Context, code: str, cells: list[LabelCell], by_text: Mapping[str, set[str]]
) -> tuple[str, list[OddLabel]]:
    """Return the usual label of a code and the cells that say otherwise.

    The label with most cells is the usual one. Of equals, in this order: what LOINC says, what the previous version said, not
    being the label of another code, being named like the rows, how many axes are known.
    """
    complete = [cell for cell in cells if read_label(cell.said).label]
    groups: list[list[LabelCell]] = []
    for cell in complete or cells:
        for group in groups:
            if same_meaning(group[0].said, cell.said):
                group.append(cell)
                break
        else:
            groups.append([cell])
    names = _names(cells)
    weights = []
    for group in groups:
        label = group[0].said
        parsed = parse_label(label)
        known = sum(bool(loinc_parts(axis, getattr(parsed, axis))) for axis in AXES) if parsed else 0
        own = not by_text.get(group[0].text, set()) - {code}
        weights.append((len(group), *_claim(context, code, label), own, _likeness(label, names), known))
    best = max(range(len(groups)), key=lambda place: (*weights[place], -place))
    first = groups[best][0]
    odd = [
        OddLabel(cell, first.said, first.record.row, len(group) == len(groups[best]))
        for group in groups
        if group is not groups[best]
        for cell in group
    ]
    if complete:
        rest = [cell for cell in cells if not read_label(cell.said).label]
        odd += [
            OddLabel(cell, first.said, first.record.row, False) for cell in rest if not _within(cell.said, first.said)
        ]
    return first.said, odd


def _claim(context: Context, code: str, label: str) -> tuple[bool, bool]:
    """Tell whether LOINC, and whether the previous version, has a label for a code."""
    term = context.loinc.terms.get(code) if context.loinc else None
    return term is not None and term.matches_axes(label), fold(label) in _earlier_labels(context, code)


def _names(cells: Iterable[LabelCell]) -> set[str]:
    """Return the words of the names that some rows give what they speak of, beside its LOINC label."""
    fields = {True: ("result_display",), False: ("order_label", "order_synonyms")}
    return {word for cell in cells for field in fields[cell.is_result] for word in _words(cell.record[field])}


def _likeness(label: str, names: set[str]) -> float:
    """Return how much (0 to 1) of the component of a label some names say."""
    parsed = parse_label(label)
    words = _words(parsed.component if parsed else label)
    return len(words & names) / len(words) if words else 0


def _earlier_labels(context: Context, code: str) -> set[str]:
    """Return the labels of a code in the previous version, folded."""
    previous = context.previous
    entities = (previous.orders.get(code), previous.results.get(code)) if previous else ()
    fields = ("order_loinc_label", "result_loinc_label")
    return {fold(entity[field]) for entity, field in zip(entities, fields, strict=False) if entity and entity[field]}


def _within(text: str, label: str) -> bool:
    """Tell whether an irregular text says nothing else than a label: all its words are there, or it is an English name.

    The words of a scale that is not known are not looked at.
    """
    form, parsed = read_label(text).form, parse_label(text)
    unknown = _words(parsed.scale) if parsed and form is LabelForm.NO_SCALE else set()
    return form is LabelForm.ENGLISH or _words(text) - unknown <= _words(label)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", fold(text)))


@rule("LAB-01")
def irregular(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Labels that do not follow the grammar, with the label meant: as written, as in other rows, or as LOINC has it."""
    scales = {fold(text): right for right, texts in parameters["scales"].items() for text in texts}
    for record, field, code, text, _ in _label_cells(context):
        reading = read_label(text)
        if reading.form is LabelForm.REGULAR:
            continue
        meant = reading.label or _other_scale(text, scales)
        suggestion = str(meant) if meant else _elsewhere(context, code, text) or _completed(context, code, text)
        yield Problem(
            "main", record, field, suggestion=suggestion, message=reading.form.value, facts=_how_to_write(suggestion)
        )


def _how_to_write(suggestion: str | None) -> dict[str, object]:
    write = say(french_spaces(f" ; écrire « {suggestion} »"), f'; write "{suggestion}"') if suggestion else ""
    return {"write": write}


def _other_scale(text: str, scales: Mapping[str, str]) -> Label | None:
    """Return a label with its scale in the usual words ("Quantitatif" is "Numérique")."""
    label = parse_label(plain_spaces(text))
    scale = scales.get(fold(label.scale)) if label else None
    return label._replace(scale=scale) if label and scale else None


def _elsewhere(context: Context, code: str, text: str) -> str | None:
    """Return the regular label of a code in other rows, the previous version or LOINC, if the text says nothing else."""
    previous = context.previous
    candidates = [labels_of(context).usual.get(code, "")]
    for entities, field in (
        ((previous.orders, "order_loinc_label"), (previous.results, "result_loinc_label")) if previous else ()
    ):
        candidates.append(entities[code][field] if code in entities else "")
    if context.loinc and (term := context.loinc.terms.get(code)):
        candidates.append(term.french_label)
    regular = (label for label in candidates if label and read_label(label).form is LabelForm.REGULAR)
    return next((label for label in regular if _within(text, label)), None)


def _completed(context: Context, code: str, text: str) -> str | None:
    """Return the label that a text is with the property and the scale that LOINC gives its code."""
    term = context.loinc.terms.get(code) if context.loinc else None
    if term is None:
        return None
    property_, system, scale = (_french(term, axis) for axis in ("property", "system", "scale"))
    if not property_ or not system or not scale:
        return None
    head, _, rest = plain_spaces(text).partition(";")
    head = head.strip()
    if fold(head[-len(system) :]) != fold(system):
        return None
    component = re.sub(r"\s*\[[^\[\]]*\]$", "", head[: -len(system)].rstrip())
    parts = [part.strip() for part in rest.split(";") if part.strip()]
    method = parts[-1] if parts and not loinc_parts("scale", parts[-1]) else ""
    time = _french(term, "time")
    label = Label(component, property_, time or "", system, scale, method)
    whole = read_label(str(label)).form is LabelForm.REGULAR and component and time is not None
    return str(label) if whole and _within(text, str(label)) and _agrees(term, "method", method) else None


@rule("LAB-02")
def two_labels(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Labels that mean something else than the label of the same LOINC code in other rows; the minority is named."""
    labels = labels_of(context)
    codes = {fold(label): code for code, label in reversed(list(labels.usual.items()))} if labels.odd else {}
    for odd in labels.odd:
        cell = odd.cell
        if not is_loinc(cell.code):
            continue
        other = codes.get(fold(cell.said))
        message = "other" if other and other != cell.code else "tie" if odd.tie else "default"
        yield Problem(
            "main",
            cell.record,
            cell.field,
            suggestion=odd.usual,
            related=(other,) if message == "other" and other else (),
            message=message,
            facts={"row": odd.row, "other": other, "difference": _difference(cell.said, odd.usual)},
        )


def _difference(said: str, usual: str) -> str:
    """Return the axes on which two labels differ, as a part of a sentence, "" when they cannot be compared."""
    one, other = parse_label(said), parse_label(usual)
    if one is None or other is None:
        return ""
    axes = [*(["component"] if fold(one.component) != fold(other.component) else []), *differing_axes(one, other)]
    names = ", ".join(say(*AXIS_NAMES[axis]) for axis in axes)
    return f" ({names})" if names else ""


@rule("LAB-03")
def two_codes(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Labels that stand for several LOINC codes, orders and results apart; the code with the better claim keeps its label."""
    for cell, kept in _shared_labels(context):
        first = labels_of(context).cells[kept][0]
        yield Problem("main", cell.record, cell.field, related=(kept,), facts={"other": kept, "row": first.record.row})


def _shared_labels(context: Context) -> list[tuple[LabelCell, str]]:
    """Return the first cell of each code that shares its label, and the code that keeps the label."""
    return once(context, "shared_labels", lambda: list(_find_shared_labels(context)))


def _find_shared_labels(context: Context) -> Iterator[tuple[LabelCell, str]]:
    labels = labels_of(context)
    codes: dict[tuple[str, str], list[str]] = {}
    for code, cells in labels.cells.items():
        if is_loinc(code):
            label = fold(labels.usual[code])
            for field in {cell.field for cell in cells}:
                codes.setdefault((field, label), []).append(code)
    for (field, label), sharing in codes.items():
        if len(sharing) < 2 or read_label(labels.usual[sharing[0]]).label is None:
            continue
        claims = {
            code: (
                *_claim(context, code, labels.usual[code]),
                _likeness(labels.usual[code], _names(labels.cells[code])),
                len(labels.cells[code]),
            )
            for code in sharing
        }
        kept = max(sharing, key=lambda code: (claims[code], -sharing.index(code)))
        for code in sharing:
            own = [cell for cell in labels.cells[code] if cell.field == field]
            if code != kept:
                yield next((cell for cell in own if fold(cell.text) == label), own[0]), kept


@rule("LAB-04")
def no_display_label(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Results without a display label; that of the same result in another row is proposed."""
    field = "result_display"
    for record in own_texts(context, "main", field).get("", ()):
        code = record["result_code"]
        if not (code or record["result_loinc_label"]) or record.cell(field).kind is CellKind.ERROR:
            continue
        rows = context.edition.results.rows[code] if code else ()
        display = next((row[field] for row in rows if row[field]), None)
        yield Problem(
            "main", record, field, value="", suggestion=display or None, message="known" if display else "default"
        )


@rule("LAB-05")
def display_label_twice(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Display labels that two results of a chapter share; the one whose LOINC label they name best keeps it.

    Results of one LOINC label are one result with a slip in a code, or two codes for one label: other rules tell.
    """
    sharing: dict[tuple[str, str], dict[str, Record]] = {}
    for rows in context.edition.results.rows.values():
        code = rows[0].values.get("result_code", "")
        for record in sure_rows(context, code, rows):
            display, chapter = record.values.get("result_display"), record.values.get("chapter")
            if display and chapter:
                sharing.setdefault((chapter, fold(display)), {}).setdefault(code, record)
    results = context.edition.results
    for (chapter, display), named in sharing.items():
        if len(named) < 2:
            continue
        likeness = {code: _likeness(row["result_loinc_label"], _words(display)) for code, row in named.items()}
        kept = max(named, key=lambda code: likeness[code])
        for code, record in named.items():
            if code != kept and not _same_result(results[kept], results[code]):
                facts = {"other": kept, "row": named[kept].row, "chapter": chapter}
                yield Problem("main", record, "result_display", related=(kept,), facts=facts)


def _same_result(one: Entity, other: Entity) -> bool:
    labels = [fold(entity["result_loinc_label"]) for entity in (one, other)]
    return labels[0] == labels[1] or with_dash(one.code) == other.code or with_dash(other.code) == one.code


@rule("LAB-06")
def axes_differ(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Labels whose property, time, system, scale or method is not that of the LOINC term of their code.

    An axis is compared when the table of wordings knows both the French words and LOINC's part; property and method are not
    for panels, whose labels print neither. `tolerated` lists, by axis and part, wordings that French labels still have. One
    finding a code and label, orders and results apart; cells that LAB-02 and LAB-03 name are left to them.
    """
    assert context.loinc is not None
    tolerated: Mapping[str, Mapping[str, list[str]]] = parameters["tolerated"]
    told = _told(context)
    for code, cells in labels_of(context).cells.items():
        term = context.loinc.terms.get(code) if is_loinc(code) else None
        first = {(cell.field, cell.text): cell for cell in reversed(cells) if (cell.record.row, cell.field) not in told}
        for cell in reversed(first.values()) if term else ():
            label = read_label(cell.text).label
            if term is None or label is None:
                continue
            compared = ("time", "system", "scale") if term.is_panel else AXES
            axes = [axis for axis in compared if _contradicts(term, axis, getattr(label, axis), tolerated)]
            if axes:
                meant = _with_axes(label, term, axes)
                suggestion = str(meant) if meant else None
                yield Problem(
                    "main",
                    cell.record,
                    cell.field,
                    suggestion=suggestion,
                    message="default" if len(axes) == 1 else "several",
                    facts={"differences": _differences(label, term, axes)} | _how_to_write(suggestion),
                )


def _told(context: Context) -> set[tuple[int, str]]:
    """Return the (row, field) of the cells that LAB-02, LAB-03 or ATT-02 name."""
    told = {(odd.cell.record.row, odd.cell.field) for odd in labels_of(context).odd}
    return told | {(cell.record.row, cell.field) for cell, _ in _shared_labels(context)}


def _agrees(term: Term, axis: str, text: str) -> bool:
    """Tell whether the words of an axis say the part of a term, in French or as LOINC writes it."""
    return _says(axis, text, getattr(term, axis), getattr(term, f"french_{axis}"))


@lru_cache(maxsize=4096)
def _says(axis: str, text: str, part: str, french: str) -> bool:
    parts = loinc_parts(axis, text)
    if part in parts:
        return True
    return bool(text) and (fold(text) in (fold(part), fold(french)) or fold(part) in map(fold, parts))


def _contradicts(term: Term, axis: str, text: str, tolerated: Mapping[str, Mapping[str, list[str]]]) -> bool:
    if _agrees(term, axis, text):
        return False
    part = getattr(term, axis)
    accepted = tolerated.get(axis, {}).get(part, ())
    return bool(loinc_parts(axis, text)) and wording(axis, part) is not None and fold(text) not in map(fold, accepted)


def _french(term: Term, axis: str) -> str | None:
    """Return the French words of an axis of a term, None when they are not known."""
    text = wording(axis, getattr(term, axis))
    french: str = getattr(term, f"french_{axis}")
    return text if text is not None else french or None


def _with_axes(label: Label, term: Term, axes: Iterable[str]) -> Label | None:
    """Return a label with some axes as its term has them, None when their French words are not known."""
    texts = {axis: _french(term, axis) for axis in axes}
    if any(text is None for text in texts.values()):
        return None
    return label._replace(**{axis: text or "" for axis, text in texts.items()})


def _differences(label: Label, term: Term, axes: Iterable[str]) -> str:
    parts = []
    for axis in axes:
        text, french, part = getattr(label, axis), _french(term, axis), getattr(term, axis) or say("aucune", "none")
        own = say(french_spaces(f"« {text} »") if text else "rien", f'"{text}"' if text else "nothing")
        shown = say(french_spaces(f"{part}, « {french} »"), f'{part}, "{french}"') if french else part
        name = say(*AXIS_NAMES[axis])
        parts.append(say(f"{name}\u00a0: {own} pour {shown}", f"{name}: {own} for {shown}"))
    return say("\u202f; ", "; ").join(parts)


@lru_cache
def specimen_table() -> dict[str, tuple[str, ...]]:
    """Return LOINC system -> the SPM-4 codes that fit it, the most usual first, from `rules/specimens.yaml`."""
    content = read_yaml(rules_directory() / "specimens.yaml")
    return {str(part): tuple(map(str, codes)) for part, codes in content.items()}


@lru_cache(maxsize=4096)
def fitting_specimens(system: str) -> tuple[str, ...]:
    """Return the SPM-4 codes that fit the system of a label, in French or as LOINC writes it; none when it is not known.

    "Urine+Sérum/Plasma" takes what fits either.
    """
    table = specimen_table()
    parts = loinc_parts("system", system) or ({system} if system in table else set[str]())
    codes = [table.get(part, ()) for part in sorted(parts)]
    if "+" in system and not (codes and all(codes)):
        codes = [fitting_specimens(part.strip()) for part in system.split("+")]
    return tuple(dict.fromkeys(itertools.chain(*codes))) if all(codes) else ()


@rule("LAB-07")
def specimen_does_not_fit(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Orders whose specimen fits neither their own label nor any of their results', and results that alone do not fit.

    A panel, or an order of several systems, takes several specimens of which the workbook names one: its results are not
    compared one by one. Labels that LAB-02 and LAB-03 name are left to them.
    """
    known = set(itertools.chain(*specimen_table().values()))
    defined = {record["code"] for record in context.edition.records("specimens")}
    told = _told(context)
    for order in context.edition.orders.values():
        specimen = order["specimen"]
        if specimen not in known or "specimen" in order.variants or not order.code:
            continue
        label = parse_label(order["order_loinc_label"])
        own = fitting_specimens(label.system) if label else ()
        results = [(record, *_system(record)) for record in order.records]
        fitting = [codes for codes in (own, *(codes for _, _, codes in results)) if codes]
        if not fitting:
            continue
        if not any(specimen in codes for codes in fitting):
            systems = [label.system] if own and label else [system for _, system, codes in results if codes]
            related = tuple(code for code in fitting[0] if code in defined)[:4]
            yield Problem(
                "main",
                owner(order.records, "specimen"),
                "specimen",
                related=related,
                message="default" if related else "undefined",
                facts={"systems": _quoted(systems), "order": order["order_label"] or order.code},
            )
        elif own and specimen in own and label and label.scale != "-" and "+" not in label.system:
            for record, system, codes in results:
                doubtful = (record.row, "result_loinc_label") in told or record["result_code"] == order.code
                if codes and specimen not in codes and not doubtful:
                    yield Problem(
                        "main",
                        record,
                        "result_loinc_label",
                        message="result",
                        facts={"specimen": specimen, "system": system, "order": order["order_label"] or order.code},
                    )


def _system(record: Record) -> tuple[str, tuple[str, ...]]:
    """Return the system of a row's result and the specimens that fit it."""
    label = parse_label(record["result_loinc_label"])
    return (label.system, fitting_specimens(label.system)) if label else ("", ())


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(say(french_spaces(f"« {text} »"), f'"{text}"') for text in dict.fromkeys(texts))


@rule("LAB-08")
def synonyms(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Synonyms that are empty, repeated, or the label of the order itself; once an order and text."""
    told: set[tuple[str, str]] = set()
    for record, field in own_cells(context.edition.main, ("order_synonyms",)):
        text, order = record[field], record["order_code"] or record["order_label"]
        if not text or (order, text) in told or not _is_text(record, field):
            continue
        told.add((order, text))
        values = split_values(text)
        seen = {fold(record["order_label"])}
        kept, repeated = [], []
        for value in values:
            if value and fold(value) in seen:
                repeated.append(value)
            elif value:
                kept.append(value)
                seen.add(fold(value))
        if len(kept) == len(values):
            continue
        yield Problem(
            "main",
            record,
            field,
            suggestion=_separator(text).join(kept),
            message="only" if not kept else "repeated" if repeated else "default",
            facts={"repeated": _quoted(repeated)},
        )


def _separator(text: str) -> str:
    """Return what separates the values of a cell, spaced as it is there."""
    if ";" not in text:
        return "\n"
    return " ; " if " ; " in text else "; " if "; " in text else ";"


@rule("LAB-09")
def too_broad(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes whose label has a system too broad to be compared; once a code, orders and results together."""
    broad = set(parameters["systems"])
    known: dict[str, bool] = {}
    labels = labels_of(context)
    for code, cells in labels.cells.items():
        label = parse_label(labels.usual[code])
        if label is None:
            continue
        if label.system not in known:
            known[label.system] = bool(broad & (loinc_parts("system", label.system) or {label.system}))
        if known[label.system]:
            yield Problem("main", cells[0].record, cells[0].field, code=code, facts={"system": label.system})

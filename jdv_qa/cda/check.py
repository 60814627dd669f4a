"""The codes and units of a laboratory report against the value set: what is in it, what is not, what has another unit.

Each code and each unit gets one line with its remarks. How grave a remark is, `rules/cda.yaml` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from jdv_qa.cda.document import Coded, Coding, Kind, Measure, Report, load_rules
from jdv_qa.language import say
from jdv_qa.terminology.codes import CodeForm, has_loinc_form, is_pending, read_code
from jdv_qa.terminology.labels import fold, parse_label, same_meaning
from jdv_qa.terminology.loinc import LoincRelease
from jdv_qa.terminology.systems import System, system_of_oid, systems
from jdv_qa.terminology.units import (
    Unit,
    commensurable,
    conversion_factor,
    proposals,
    read_unit,
    same_unit,
    spelling_key,
    suspicion,
    write_factor,
)
from jdv_qa.workbook.edition import Edition, Entity, split_values

GRAVITY = ("ok", "info", "warning", "error")
"""The states of a line, the lightest first."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to say of a code or a unit: the name of the fault, its severity, a sentence, what to write instead.

    A unit is proposed in the place of another only where both mean the same: never where the value would have to change.
    """

    fault: str
    severity: str
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A code or a unit of the report.

    `code` is the code (for a unit, the unit as written), `display` the label the report gives; `result` the code a unit belongs
    to. `known` tells whether the value set has it in that role; `expected` is the label or the unit of the value set.
    """

    kind: Kind
    line: int
    place: str
    code: str
    system: str
    display: str
    known: bool
    expected: str
    remarks: tuple[Remark, ...]
    result: str = ""

    @property
    def state(self) -> str:
        """The gravest severity of the remarks, "ok" without any."""
        return max((remark.severity for remark in self.remarks), key=GRAVITY.index, default="ok")


@dataclass(frozen=True)
class Checked:
    """A report with its lines, in the order of the document."""

    report: Report
    lines: tuple[Line, ...]

    @property
    def summary(self) -> dict[str, int]:
        """The number of remarks by severity."""
        found = Counter(remark.severity for line in self.lines for remark in line.remarks)
        return {severity: found[severity] for severity in ("error", "warning", "info")}

    @property
    def counts(self) -> dict[Kind, tuple[int, int]]:
        """Kind -> how many of its codes the report holds, and how many of them are in the value set; each place counts."""
        return {
            kind: (len(own), sum(line.known for line in own))
            for kind in Kind
            if (own := [line for line in self.lines if line.kind is kind])
        }

    def fails(self, severity: str) -> bool:
        """Tell whether there is a remark of a severity or graver; never for "never"."""
        return severity != "never" and any(
            GRAVITY.index(line.state) >= GRAVITY.index(severity) for line in self.lines if line.remarks
        )


class ValueSet:
    """An Edition as a report is checked against it: its codes by role, its labels, its results by what they measure."""

    def __init__(self, edition: Edition, loinc: LoincRelease | None = None) -> None:
        self.edition, self.loinc = edition, loinc

    @cached_property
    def results(self) -> Mapping[str, Entity]:
        """Results by code."""
        return {entity.code: entity for entity in self.edition.results.values() if entity.code}

    @cached_property
    def orders(self) -> Mapping[str, Entity]:
        """Orders by code."""
        return {entity.code: entity for entity in self.edition.orders.values() if entity.code}

    @cached_property
    def chapters(self) -> Mapping[str, str]:
        """Code of a chapter -> its label; from the rows where the workbook lacks the tab."""
        return self._headings("code", "label", "chapter")

    @cached_property
    def subchapters(self) -> Mapping[str, str]:
        """Code of a sub-chapter -> its label."""
        return self._headings("subcode", "sublabel", "subchapter")

    def _headings(self, code: str, label: str, field: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for record in self.edition.records("chapters"):
            if record[code]:
                found.setdefault(record[code], record[label])
        for record in self.edition.main.records if not found else ():
            if record[field]:
                found.setdefault(record[field], "")
        return found

    @cached_property
    def chapters_of(self) -> Mapping[str, tuple[str, ...]]:
        """Code of a sub-chapter -> the chapters it belongs to, by the tab of chapters."""
        found: dict[str, list[str]] = {}
        for record in self.edition.records("chapters"):
            if record["code"] and record["subcode"]:
                found.setdefault(record["subcode"], []).append(record["code"])
        return {code: tuple(chapters) for code, chapters in found.items()}

    @cached_property
    def acts(self) -> Mapping[str, str]:
        """NABM act -> its label."""
        found: dict[str, str] = {}
        for record in self.edition.main.records:
            labels = split_values(record["nabm_label"])
            for place, act in enumerate(split_values(record["nabm_code"])):
                if act:
                    found.setdefault(act, labels[place] if place < len(labels) else "")
        return found

    @cached_property
    def results_by_label(self) -> Mapping[str, tuple[str, ...]]:
        """Folded LOINC label -> the results that have it."""
        found: dict[str, list[str]] = {}
        for code, entity in self.results.items():
            if text := fold(entity["result_loinc_label"]):
                found.setdefault(text, []).append(code)
        return {text: tuple(codes) for text, codes in found.items()}

    @cached_property
    def twins(self) -> Mapping[tuple[str, ...], tuple[str, ...]]:
        """All axes of a label but the property -> the results that have them."""
        found: dict[tuple[str, ...], list[str]] = {}
        for code, entity in self.results.items():
            if axes := _axes(entity):
                found.setdefault(axes, []).append(code)
        return {axes: tuple(codes) for axes, codes in found.items()}

    def roles(self, code: str) -> tuple[Kind, ...]:
        """Return the roles in which the value set has a code."""
        return tuple(
            kind
            for kind, known in (
                (Kind.RESULT, code in self.results),
                (Kind.ORDER, code in self.orders),
                (Kind.CHAPTER, code in self.chapters or code in self.subchapters),
            )
            if known
        )


def _axes(entity: Entity) -> tuple[str, ...]:
    label = parse_label(entity["result_loinc_label"])
    if label is None:
        return ()
    return tuple(fold(text) for text in (label.component, label.time, label.system, label.scale, label.method))


def check_report(report: Report, value_set: ValueSet) -> Checked:
    """Return the lines of a report: every chapter, order, result and NABM code, and every unit of a result."""
    lines: list[Line] = []
    for coded in report.coded:
        if coded.kind is Kind.NABM:
            if (system := system_of_oid(coded.coding.system)) is not None and system.key == "nabm":
                lines.append(_act_line(coded, value_set))
            continue
        line = _code_line(coded, value_set)
        lines.append(line)
        lines.extend(_unit_lines(coded, line, value_set))
    return Checked(report, tuple(lines))


def _remark(fault: str, kind: Kind, fr: str, en: str, suggestion: str = "") -> Remark:
    severities = load_rules().severities.get(fault, {})
    severity = severities.get(kind.value) or severities.get("default", "error")
    return Remark(fault, severity, say(fr, en), suggestion)


# Codes


def _code_line(coded: Coded, value_set: ValueSet) -> Line:
    kind = coded.kind
    coding, remarks = _chosen(coded, value_set)
    if kind is Kind.CHAPTER and value_set.roles(coding.code) == (Kind.ORDER,) and "serviceEvent" in coded.place:
        kind = Kind.ORDER  # IHE PALM lets the documented act be a chapter or the panel that was ordered
    known, expected = _in_value_set(coding.code, kind, coded, value_set)
    if coding.code and not any(remark.fault in _ENOUGH for remark in remarks):
        remarks += _form_remarks(coding, kind, coded)
        if coded.sub:
            remarks += _misplaced(coding, coded.chapter, value_set)
        if not known:
            remarks += _absence(coding, kind, value_set)
        elif not any(remark.fault == "wrong-system" for remark in remarks):
            remarks += _display_remarks(coding, kind, expected, value_set)
    return Line(
        kind, coding.line or coded.line, coded.place, coding.code, coding.system, coding.display, known, expected,
        tuple(remarks),
    )  # fmt: skip


_ENOUGH = frozenset({"local-code", "no-code"})
"""Remarks after which nothing more is to say of a code."""


def _chosen(coded: Coded, value_set: ValueSet) -> tuple[Coding, list[Remark]]:
    """Return the code to judge: the one in `code`, else the pending or LOINC one among its translations."""
    kind = coded.kind
    if coded.coding.code:
        return coded.coding, []
    by_system: dict[str, Coding] = {}
    for translation in coded.translations:
        if translation.code and (system := system_of_oid(translation.system)) is not None:
            by_system.setdefault(system.key, translation)
    if "pending" in by_system:
        return by_system["pending"], []
    if "loinc" in by_system:
        coding = by_system["loinc"]
        return coding, [
            _remark(
                "loinc-in-translation",
                kind,
                f"code LOINC {coding.code} donné dans translation ; il se met dans code",
                f"LOINC code {coding.code} given in translation; it belongs in code",
            )
        ]
    local = next((translation for translation in coded.translations if translation.code), None)
    if local is not None:
        return local, [_local(local, kind, value_set)]
    return coded.coding, [_remark("no-code", kind, "élément sans code", "element without a code")]


def _local(coding: Coding, kind: Kind, value_set: ValueSet) -> Remark:
    same = value_set.results_by_label.get(fold(coding.display), ()) if kind is Kind.RESULT and coding.display else ()
    hint_fr = f" ; son libellé est celui du résultat {', '.join(same)}" if same else ""
    hint_en = f"; its label is that of the result {', '.join(same)}" if same else ""
    return _remark(
        "local-code",
        kind,
        f"code local {coding.code} ({coding.system or 'sans OID'}), sans code LOINC ni code en attente{hint_fr}",
        f"local code {coding.code} ({coding.system or 'no OID'}), without a LOINC or pending code{hint_en}",
        same[0] if len(same) == 1 else "",
    )


def _form_remarks(coding: Coding, kind: Kind, coded: Coded) -> list[Remark]:
    """Return what is wrong between the form of a code, its code system and the element it stands in."""
    loinc, pending = systems()["loinc"], systems()["pending"]
    system = system_of_oid(coding.system)
    key = system.key if system else ""
    code = coding.code
    if key == "loinc" and is_pending(code):
        return [
            _remark(
                "pending-as-loinc",
                kind,
                f"code en attente {code} donné comme un code LOINC ; son système est {pending.oid}, dans translation",
                f"pending code {code} given as a LOINC code; its system is {pending.oid}, in translation",
                pending.oid,
            )
        ]
    if key == "pending" and has_loinc_form(code):
        return [
            _remark(
                "loinc-as-pending",
                kind,
                f"code LOINC {code} donné comme un code en attente ; son système est {loinc.oid}",
                f"LOINC code {code} given as a pending code; its system is {loinc.oid}",
                loinc.oid,
            )
        ]
    if key not in ("loinc", "pending"):
        return [_wrong_system(coding, kind, pending if is_pending(code) else loinc)]
    if key == "pending" and coding is coded.coding and kind is not Kind.CHAPTER:
        return [
            _remark(
                "pending-in-code",
                kind,
                f"code en attente {code} donné dans code ; le CR-BIO le veut dans translation",
                f"pending code {code} given in code; the CR-BIO wants it in translation",
            )
        ]
    return []


def _misplaced(coding: Coding, chapter: str, value_set: ValueSet) -> list[Remark]:
    """Return the remark on a sub-chapter outside its own chapter; a chapter may stand for a sub-chapter of itself."""
    owners = value_set.chapters_of.get(coding.code, ())
    if not owners or chapter in (*owners, coding.code, "") or chapter not in value_set.chapters:
        return []
    names = ", ".join(owners)
    return [
        _remark(
            "subchapter-elsewhere",
            Kind.CHAPTER,
            f"sous-chapitre {coding.code} sous le chapitre {chapter} ; il est du chapitre {names}",
            f"sub-chapter {coding.code} in chapter {chapter}; it belongs to chapter {names}",
        )
    ]


def _wrong_system(coding: Coding, kind: Kind, right: System) -> Remark:
    given = coding.system or say("aucun", "none")
    return _remark(
        "wrong-system",
        kind,
        f"système de codes de {coding.code} : {given} au lieu de {right.oid} ({right.name})",
        f"code system of {coding.code}: {given} instead of {right.oid} ({right.name})",
        right.oid,
    )


def _in_value_set(code: str, kind: Kind, coded: Coded, value_set: ValueSet) -> tuple[bool, str]:
    """Tell whether the value set has a code in a role, and the label it gives it."""
    if kind is Kind.RESULT:
        result = value_set.results.get(code)
        return result is not None, result["result_loinc_label"] if result else ""
    if kind is Kind.ORDER:
        order = value_set.orders.get(code)
        return order is not None, (order["order_loinc_label"] or order["order_label"]) if order else ""
    tables = (value_set.subchapters, value_set.chapters) if coded.sub else (value_set.chapters,)
    if "serviceEvent" in coded.place:
        tables = (value_set.chapters, value_set.subchapters)
    return next(((True, table[code]) for table in tables if code in table), (False, ""))


def _absence(coding: Coding, kind: Kind, value_set: ValueSet) -> list[Remark]:
    """Return the remark on a code that the value set does not have in its role."""
    code = coding.code
    if roles := [role for role in value_set.roles(code) if role is not kind]:
        fault = "chapter-as-order" if (kind, roles) == (Kind.ORDER, [Kind.CHAPTER]) else "other-role"
        names = " et ".join(_role_fr(role) for role in roles), " and ".join(_role_en(role) for role in roles)
        return [
            _remark(
                fault,
                kind,
                f"{code} est dans le jeu de valeurs comme {names[0]}, pas comme {_role_fr(kind)}",
                f"{code} is in the value set as {names[1]}, not as {_role_en(kind)}",
            )
        ]
    candidates, why_fr, why_en = _candidates(coding, kind, value_set)
    proposed = ", ".join(candidates)
    hint_fr = f" ; {why_fr} : {proposed}" if proposed else why_fr and f" ; {why_fr}"
    hint_en = f"; {why_en}: {proposed}" if proposed else why_en and f"; {why_en}"
    return [
        _remark(
            "not-in-value-set",
            kind,
            f"{code} n'est pas dans le jeu de valeurs{hint_fr}",
            f"{code} is not in the value set{hint_en}",
            candidates[0] if len(candidates) == 1 else "",
        )
    ]


def _candidates(coding: Coding, kind: Kind, value_set: ValueSet) -> tuple[tuple[str, ...], str, str]:
    """Return the codes of the value set that may be meant, and why: the check digit, LOINC's MapTo, the label."""
    reading = read_code(coding.code)
    table = value_set.results if kind is Kind.RESULT else value_set.orders if kind is Kind.ORDER else value_set.chapters
    if reading.form is CodeForm.WRONG_DIGIT:
        known = tuple(code for code in reading.proposals if code in table)
        return known, "sa clé de contrôle est fausse", "its check digit is wrong"
    if value_set.loinc is not None and has_loinc_form(coding.code):
        term = value_set.loinc.terms.get(coding.code)
        if term is None:
            return (), "LOINC ne le connaît pas", "LOINC does not know it"
        if term.is_withdrawn:
            found = tuple(item.code for item in value_set.loinc.candidates(coding.code) if item.live)
            kept = tuple(code for code in found if code in table)
            return kept or found, "retiré par LOINC, remplacé par", "withdrawn by LOINC, replaced by"
    if kind is Kind.RESULT and coding.display and (same := value_set.results_by_label.get(fold(coding.display), ())):
        return same, "ce libellé est celui de", "this label is that of"
    return (), "", ""


def _role_fr(kind: Kind) -> str:
    return {Kind.RESULT: "résultat", Kind.ORDER: "demande", Kind.CHAPTER: "chapitre"}.get(kind, kind.value)


def _role_en(kind: Kind) -> str:
    return {Kind.RESULT: "a result", Kind.ORDER: "an order", Kind.CHAPTER: "a chapter"}.get(kind, kind.value)


def _display_remarks(coding: Coding, kind: Kind, expected: str, value_set: ValueSet) -> list[Remark]:
    given = coding.display
    if not given:
        return [
            _remark(
                "display-missing",
                kind,
                f"{coding.code} sans libellé (displayName)",
                f"{coding.code} without a label (displayName)",
                expected,
            )
        ]
    if not expected or given == " ".join(expected.split()):
        return []
    others = _other_labels(coding.code, kind, value_set)
    if same_meaning(given, expected) or fold(given) in others:
        return [
            _remark(
                "display-rewritten",
                kind,
                f"libellé « {given} » écrit autrement que « {expected} »",
                f'label "{given}" worded otherwise than "{expected}"',
                expected,
            )
        ]
    if kind is Kind.RESULT and (owners := value_set.results_by_label.get(fold(given), ())):
        return [
            _remark(
                "display-of-another",
                kind,
                f"libellé « {given} » : c'est celui de {', '.join(owners)} ; {coding.code} est « {expected} »",
                f'label "{given}" is that of {", ".join(owners)}; {coding.code} is "{expected}"',
                expected,
            )
        ]
    return [
        _remark(
            "display-differs",
            kind,
            f"libellé « {given} » au lieu de « {expected} »",
            f'label "{given}" instead of "{expected}"',
            expected,
        )
    ]


def _other_labels(code: str, kind: Kind, value_set: ValueSet) -> frozenset[str]:
    """Return the other labels of a code, folded: the display label of a result, the label and the synonyms of an order."""
    texts: tuple[str, ...] = ()
    if kind is Kind.RESULT:
        texts = tuple(record["result_display"] for record in value_set.results[code].records)
    elif kind is Kind.ORDER:
        order = value_set.orders[code]
        texts = (order["order_label"], *split_values(order["order_synonyms"]))
    elif kind is Kind.CHAPTER:
        texts = (value_set.chapters.get(code, ""), value_set.subchapters.get(code, ""))
    return frozenset(fold(text) for text in texts if text)


def _act_line(coded: Coded, value_set: ValueSet) -> Line:
    coding = coded.coding
    known = coding.code in value_set.acts
    remarks = []
    if not known:
        remarks.append(
            _remark(
                "not-in-value-set",
                Kind.NABM,
                f"acte NABM {coding.code} sans demande alignée dans le jeu de valeurs",
                f"NABM act {coding.code} has no aligned order in the value set",
            )
        )
    return Line(
        Kind.NABM, coding.line, coded.place, coding.code, coding.system, coding.display, known,
        value_set.acts.get(coding.code, ""), tuple(remarks),
    )  # fmt: skip


# Units


def _unit_lines(coded: Coded, line: Line, value_set: ValueSet) -> Iterator[Line]:
    """Yield the units of a result; those of a result that the value set lacks are judged as UCUM only."""
    result = value_set.results.get(line.code) if line.known else None
    value_unit = next((measure.unit for measure in coded.measures if not measure.reference), None)
    for measure in coded.measures:
        if measure.reference:
            remarks = _reference_remarks(measure, value_unit)
            if remarks is None:
                continue
        else:
            remarks = _unit_remarks(measure, line.code, result, value_set)
        known = result is not None and any(measure.unit in units for units in _units_of(result))
        expected = result["unit"] if result else ""
        yield Line(
            Kind.UNIT, measure.line, measure.place, measure.unit, systems()["ucum"].oid, "", known, expected,
            tuple(remarks), line.code,
        )  # fmt: skip


def _units_of(result: Entity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the recommended units of a result and the secondary ones; several where rows differ, ("",) where it has none."""
    main = result.variants.get("unit", (result["unit"],))
    secondary = result.variants.get("unit_secondary", (result["unit_secondary"],))
    return main, tuple(unit for unit in secondary if unit and unit not in main)


def _reference_remarks(measure: Measure, value_unit: str | None) -> list[Remark] | None:
    """Return what is to say of the unit of a reference interval; None when it is that of the value, and needs no line."""
    if value_unit is None or measure.unit == value_unit:
        return None
    one, other = read_unit(measure.unit), read_unit(value_unit)
    if one is not None and other is not None and same_unit(one, other):
        return None
    given = measure.unit or say("aucune", "none")
    return [
        _remark(
            "reference-unit",
            Kind.UNIT,
            f"unité de l'intervalle de référence : {given} ; celle de la valeur : {value_unit or 'aucune'}",
            f"unit of the reference interval: {given}; that of the value: {value_unit or 'none'}",
        )
    ]


def _unit_remarks(measure: Measure, code: str, result: Entity | None, value_set: ValueSet) -> list[Remark]:
    given = measure.unit
    unit = read_unit(given) if given else None
    if result is None:
        return [_not_ucum(given, "")] if given and unit is None else []
    main, others = _units_of(result)
    recommended = main[0]
    if given in main:
        return []
    if given in others:
        return [_secondary(given, recommended)]
    if not given:
        wanted, one = read_unit(recommended), read_unit("1")
        if wanted is not None and one is not None and _same_number(wanted, one):
            return []  # CDA reads a quantity without a unit as a pure number
        return [
            _remark(
                "unit-missing",
                Kind.UNIT,
                f"valeur de {code} sans unité ; l'unité recommandée est {recommended}",
                f"value of {code} without a unit; the recommended one is {recommended}",
            )
        ]
    if unit is None:
        return [_not_ucum(given, recommended)]
    if not recommended:
        if given == "1":
            return []
        return [
            _remark(
                "unit-unexpected",
                Kind.UNIT,
                f"unité {given} ; le jeu de valeurs n'en donne pas à {code}",
                f"unit {given}; the value set gives none to {code}",
            )
        ]
    return _compared(given, unit, (*main, *others), code, result, value_set)


def _secondary(given: str, recommended: str) -> Remark:
    return _remark(
        "unit-secondary",
        Kind.UNIT,
        f"{given} est l'unité secondaire ; la recommandée est {recommended}",
        f"{given} is the secondary unit; the recommended one is {recommended}",
    )


def _not_ucum(given: str, recommended: str) -> Remark:
    """Return the remark on a text that is not UCUM, with what its writer meant; the recommended unit if that may be it."""
    wanted = read_unit(recommended) if recommended else None
    meant = proposals(given, frozenset({wanted.dimension}) if wanted else None)
    best = recommended if recommended in meant else meant[0] if meant else ""
    hints_fr = [f"écrire {best}"] if best else []
    hints_en = [f"write {best}"] if best else []
    if recommended and recommended != best:
        hints_fr.append(f"l'unité recommandée est {recommended}")
        hints_en.append(f"the recommended unit is {recommended}")
    return _remark(
        "unit-not-ucum",
        Kind.UNIT,
        " ; ".join((f"{given} n'est pas de l'UCUM", *hints_fr)),
        "; ".join((f"{given} is not UCUM", *hints_en)),
        best,
    )


def _compared(
    given: str, unit: Unit, accepted: tuple[str, ...], code: str, result: Entity, value_set: ValueSet
) -> list[Remark]:
    """Return what is to say of a UCUM unit that is none of those accepted, the recommended one first among them."""
    recommended = accepted[0]
    known = [(text, other) for text in accepted if (other := read_unit(text)) is not None]
    if not known:
        return []  # the recommended unit is itself not UCUM: nothing can be said of another
    for text, other in known:
        if same_unit(unit, other) or _same_number(unit, other):
            return [
                _remark(
                    "unit-spelling",
                    Kind.UNIT,
                    f"{given} est la même unité que {text}, écrite autrement",
                    f"{given} is the same unit as {text}, spelled otherwise",
                    text,
                )
            ]
    for text, other in known:
        if not commensurable(unit, other):
            continue
        factor = conversion_factor(unit, other)
        by = f" ({given} × {write_factor(factor)} = {text})" if factor is not None else ""
        return [
            _remark(
                "unit-factor",
                Kind.UNIT,
                f"{given} au lieu de {text}, à convertir{by}",
                f"{given} instead of {text}, to be converted{by}",
            )
        ]
    twins = [
        other
        for other in value_set.twins.get(_axes(result), ())
        if other != code
        and (twin := read_unit(value_set.results[other]["unit"])) is not None
        and commensurable(unit, twin)
    ]
    hint_fr = f" ; le résultat qui se rend dans cette grandeur est {', '.join(twins)}" if twins else ""
    hint_en = f"; the result of that property is {', '.join(twins)}" if twins else ""
    dimensions = frozenset(other.dimension for _, other in known)
    meant = ""
    if not twins and (meaning := suspicion(given, dimensions)) is not None:
        hint_fr, hint_en = (f" ({text})" for text in meaning)
        meant = recommended if recommended in proposals(given, dimensions) else ""
    return [
        _remark(
            "unit-dimension",
            Kind.UNIT,
            f"{given} n'est pas de la même grandeur que {recommended}{hint_fr}",
            f"{given} does not measure what {recommended} measures{hint_en}",
            meant,
        )
    ]


def _same_number(unit: Unit, other: Unit) -> bool:
    """Tell whether two units are one magnitude with other annotations: "1" and {ratio}, 10*9/L and 10*9{cells}/L."""
    plain = [spelling_key(each)[:2] + spelling_key(each)[3:] for each in (unit, other)]
    return unit.factor is not None and plain[0] == plain[1]

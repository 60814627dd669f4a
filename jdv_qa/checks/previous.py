"""VER: the version against the previous one: number, date, codes gone or reused, and what tab 9 says of the changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jdv_qa.checks.dates import differ, read_date
from jdv_qa.checks.engine import LABEL_OF, Context, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.checks.summary import line_of
from jdv_qa.compare.impact import propose_version
from jdv_qa.compare.model import KINDS, Change
from jdv_qa.compare.versions import above, same_version, version_key
from jdv_qa.compare.wording import change_count, field_name, kind_count, listed, part_name, phrase
from jdv_qa.language import say
from jdv_qa.terminology.codes import CodeForm, has_loinc_form, is_loinc, is_pending, read_code, with_dash
from jdv_qa.terminology.labels import Label, fold, loinc_parts, parse_label
from jdv_qa.workbook.edition import REFERENCE_PARTS, CellKind, Edition, Record

_COMPARABILITY = ("comparability", "discriminating_technique")
_FIELDS_OF_RULES = {"VER-04": ("unit",), "VER-05": _COMPARABILITY}
_NAME_OF = {"order_code": "order_label", "result_code": "result_display"}
_TAB_OF_PART = {part: tab for tab, part in REFERENCE_PARTS.items()}
_SHOWN = 60
"""Characters of a value shown in a list of changes."""
_LISTED = 4
"""Changes of one code that a sentence names."""


def _previous(context: Context) -> Edition:
    assert context.previous is not None
    return context.previous


def _name(edition: Edition) -> str:
    """Return what to call an edition: its version, or its file."""
    return edition.identity.version or edition.source.path


@rule("VER-01")
def number_not_above(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Version numbers that are the previous one's, or below it; a version missing or malformed is another rule's matter."""
    version, before = context.edition.identity.version, _previous(context).identity.version
    if version_key(version) is None or version_key(before) is None or above(version, before):
        return
    proposal = propose_version(before, context.comparison.changes)
    yield Problem(
        "summary",
        line_of(context.edition, "version"),
        "value",
        value=version,
        suggestion=proposal.version if above(proposal.version, before) else None,
        message="same" if same_version(version, before) else "default",
        facts={"previous": before},
    )


@rule("VER-02")
def code_gone(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Orders and results of the previous version that are neither here, nor recoded, nor told in tab 9.

    A code that a cell still means, although it is badly written there, is not gone: other rules report that cell.
    """
    gone: dict[str, list[Change]] = {}
    for change in context.comparison.select("removed"):
        if change.part in ("order", "result") and _is_code(change.code) and not context.told.tells(change):
            gone.setdefault(change.code, []).append(change)
    if not gone:
        return
    meant = set(_codes_meant(context))
    standing = _rows_by_label(context)
    for code, changes in gone.items():
        changes = [change for change in changes if (change.part, code) not in meant]
        if not changes:
            continue
        facts = {
            "who": _who(changes),
            "name": changes[0].label,
            "previous": _name(_previous(context)),
            "old_row": changes[0].old_row,
        }
        related = tuple(
            dict.fromkeys(
                change.code
                for change in context.comparison.select("removed", "association")
                if change.result == code and change.code in context.edition.orders
            )
        )
        place = next((found for change in changes if (found := _place_of_label(context, change, standing))), None)
        if place is None:
            tab = "notes" if "notes" in context.edition.tables else "main"
            yield Problem(tab, value=code, code=code, related=related, message=tab, facts=facts)
        else:
            record, name = place
            yield Problem(
                "main",
                record,
                name,
                code=code,
                suggestion=None if is_loinc(record[name]) else code,
                related=related,
                message="default" if record[name] else "blank",
                facts=facts,
            )


def _is_code(code: str) -> bool:
    return has_loinc_form(code) or is_pending(code)


def _who(changes: Iterable[Change]) -> str:
    parts = {change.part for change in changes}
    if len(parts) > 1:
        return say("demande et résultat", "order and result")
    return say("demande", "order") if "order" in parts else say("résultat", "result")


def _codes_meant(context: Context) -> Iterator[tuple[str, str]]:
    """Yield (part, code) for the codes that badly written cells mean."""
    edition, previous = context.edition, _previous(context)
    for part, now, before in (
        ("order", edition.orders, previous.orders),
        ("result", edition.results, previous.results),
    ):
        for entity in now.values():
            if not entity.code or entity.code in before or is_loinc(entity.code):
                continue
            reading = read_code(entity.code)
            proposals = reading.proposals[:1] if reading.form is CodeForm.WRONG_DIGIT else reading.proposals
            for code in (*proposals, with_dash(entity.code)):
                if code:
                    yield part, code


def _rows_by_label(context: Context) -> dict[tuple[str, str], Record]:
    """Return (label field, label whatever its case) -> the first row that carries it."""
    rows: dict[tuple[str, str], Record] = {}
    for record in context.edition.main.records:
        for name in (*LABEL_OF.values(), "order_label"):
            if name not in record.inherited and (label := record[name]):
                rows.setdefault((name, label.casefold()), record)
    return rows


def _place_of_label(
    context: Context, change: Change, standing: Mapping[tuple[str, str], Record]
) -> tuple[Record, str] | None:
    """Return the row and code field where the label of a gone code stands on, without a code or with one that took it over."""
    previous = _previous(context)
    is_order = change.part == "order"
    entities = previous.orders if is_order else previous.results
    code_field = "order_code" if is_order else "result_code"
    labels = ("order_loinc_label", "order_label") if is_order else ("result_loinc_label",)
    for name in labels:
        label = entities[change.code][name].casefold()
        record = standing.get((name, label)) if label else None
        if record is None:
            continue
        holder = entities.get(record[code_field])
        if holder is None or holder[name].casefold() != label:
            return record, code_field
    return None


@dataclass(frozen=True, slots=True)
class _Use:
    """A row's use of a pending code: its LOINC label and the label that people see."""

    record: Record
    field: str
    label: str
    name: str


@rule("VER-03")
def pending_code_reused(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Pending codes none of whose labels means what the previous version meant by them."""
    before = _pending_uses(_previous(context))
    for code, uses in _pending_uses(context.edition).items():
        known = before.get(code)
        if not known or any(_same_meaning(one, other, parameters["similarity"]) for one in known for other in uses):
            continue
        use = uses[0]
        yield Problem(
            "main",
            use.record,
            use.field,
            facts={"own": use.label, "old": known[0].label, "previous": _name(_previous(context))},
        )


def _pending_uses(edition: Edition) -> dict[str, list[_Use]]:
    uses: dict[str, list[_Use]] = {}
    for entities, code_field in ((edition.orders, "order_code"), (edition.results, "result_code")):
        label_field, name_field = LABEL_OF[code_field], _NAME_OF[code_field]
        for code, entity in entities.items():
            if not is_pending(code):
                continue
            records = entity.records if label_field in entity.variants else entity.records[:1]
            for record in records:
                if label := record[label_field] or record[name_field]:
                    uses.setdefault(code, []).append(_Use(record, code_field, label, record[name_field]))
    return uses


def _same_meaning(one: _Use, other: _Use, similarity: float) -> bool:
    """Tell whether two labels of a pending code mean the same.

    They do when their axes are the same in any wording, and their components have the same words; where the words differ,
    the label that people see must have stayed and the components be alike.
    """
    if fold(one.label) == fold(other.label):
        return True
    first, second = parse_label(one.label), parse_label(other.label)
    texts = (one.label, other.label)
    if first is not None and second is not None:
        if not _same_axes(first, second):
            return False
        texts = (first.component, second.component)
    if _words(texts[0]) == _words(texts[1]):
        return True
    if not one.name or fold(one.name) != fold(other.name):
        return False
    from rapidfuzz import fuzz

    return fuzz.token_sort_ratio(fold(texts[0]), fold(texts[1])) >= similarity


def _same_axes(one: Label, other: Label) -> bool:
    for axis in ("property", "time", "system", "scale", "method"):
        texts = getattr(one, axis), getattr(other, axis)
        if axis == "method" and not all(texts):
            continue  # a method added or left out makes the label more or less precise
        if _words(texts[0]) != _words(texts[1]) and not loinc_parts(axis, texts[0]) & loinc_parts(axis, texts[1]):
            return False
    return True


_SMALL_WORDS = frozenset(
    (
        "a",
        "au",
        "aux",
        "d",
        "de",
        "des",
        "du",
        "en",
        "et",
        "l",
        "la",
        "le",
        "les",
        "ou",
        "par",
        "pour",
        "sur",
        "un",
        "une",
    )
)


def _words(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of a text on each side of its slashes, whatever their order, plural, gender and small words."""
    return tuple(
        tuple(
            sorted(
                word.rstrip("es") if word.isalpha() and len(word) > 3 else word
                for word in re.findall(r"\w+", side)
                if word not in _SMALL_WORDS
            )
        )
        for side in fold(text).split("/")
    )


@rule("VER-04")
def unit_changed(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Results whose main unit is another, once a code, unless tab 9 says so by naming the unit."""
    for changes in _field_changes(context, ("unit",), even_if_told=parameters["even_if_told"]):
        change = changes[0]
        record = _changed_row(context.edition, change)
        if record.cell("unit").kind is CellKind.ERROR:
            continue
        yield Problem(
            "main",
            record,
            "unit",
            message="default" if change.old and change.new else "removed" if change.old else "added",
            facts={"old": change.old, "new": change.new, "previous": _name(_previous(context))},
        )


@rule("VER-05")
def comparability_changed(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Results whose comparability level or discriminating technique is another, once a code, unless tab 9 says so."""
    for changes in _field_changes(context, _COMPARABILITY, even_if_told=parameters["even_if_told"]):
        facts = {"what": _listed(changes), "previous": _name(_previous(context))}
        yield Problem("main", _changed_row(context.edition, changes[0]), changes[0].field, facts=facts)


def _field_changes(context: Context, fields: tuple[str, ...], *, even_if_told: bool) -> Iterator[list[Change]]:
    """Yield the changes of some fields of the results, those of one code together, that tab 9 does not tell by name."""
    by_code: dict[str, list[Change]] = {}
    for change in context.comparison.select("modified", "result", fields):
        if even_if_told or not context.told.tells_by_name(change):
            by_code.setdefault(change.code or change.label, []).append(change)
    yield from by_code.values()


def _changed_row(edition: Edition, change: Change) -> Record:
    """Return the first row of a result that does not say what the previous version said."""
    records = edition.results[change.code or change.label].records
    return next((record for record in records if record[change.field or ""] != change.old), records[0])


def _rows(edition: Edition, tab: str) -> dict[int | None, Record]:
    """Return row number -> record of a tab."""
    return {record.row: record for record in edition.records(tab)}


@rule("VER-06")
def notes_and_changes(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Changes that tab 9 does not tell, one problem a code, and lines of tab 9 that tell no change.

    A version without any line gets one problem with the number of changes. The pairs of an order or result that came or went
    need no line of their own, and what other rules report is left to them.
    """
    comparison, told = context.comparison, context.told
    facts = {"previous": _name(_previous(context)), "version": _name(context.edition)}
    if not told.notes:
        if comparison.changes:
            kinds = [kind_count(kind, number) for kind in KINDS if (number := comparison.summary[kind])]
            yield Problem(
                "notes",
                value="",
                message="none",
                facts=facts | {"count": change_count(len(comparison.changes)), "kinds": listed(kinds)},
            )
        return
    others = tuple(parameters["left_to_others"])
    untold: dict[tuple[str, str], list[Change]] = {}
    for change in _to_tell(comparison.changes):
        if not told.tells(change) and not _is_left(change, others):
            tab = _TAB_OF_PART.get(change.part, "main")
            untold.setdefault((tab, change.code or change.label), []).append(change)
    rows = {tab: _rows(context.edition, tab) for tab in ("main", *REFERENCE_PARTS)}
    for (tab, _), changes in untold.items():
        who = changes[0].code or changes[0].label
        if tab != "main":
            who = f"{part_name(changes[0].part, plural=False)} {who}"
        yield _at_change(context.edition, rows[tab], tab, changes, facts | {"who": who, "what": _listed(changes)})
    for mismatch in told.mismatches:
        record = mismatch.note.record
        near = mismatch.change
        if near is None:
            name = "code" if record["code"] else "label"
            yield Problem("notes", record, name, message="note", facts=facts)
        else:
            name = "new" if record["new"] else "old"
            yield Problem("notes", record, name, message="values", facts=facts | {"what": _shown(near)})


def _to_tell(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes that ask for a line in tab 9."""
    changes = tuple(changes)
    moved = {
        (change.part, change.code)
        for change in changes
        if change.kind != "modified" and change.part in ("order", "result")
    }
    for change in changes:
        badly_written = change.part in ("order", "result") and change.kind == "added" and not _is_code(change.code)
        follows = (change.part in ("association", "nabm") and ("order", change.code) in moved) or (
            change.part == "association" and ("result", change.result) in moved
        )
        if not badly_written and not follows:
            yield change


def _is_left(change: Change, others: tuple[str, ...]) -> bool:
    """Tell whether one of the rules named reports a change that is not told."""
    if change.kind == "removed":
        return change.part in ("order", "result") and "VER-02" in others
    fields = [name for identifier in others for name in _FIELDS_OF_RULES.get(identifier, ())]
    return change.kind == "modified" and change.part == "result" and change.field in fields


def _at_change(
    edition: Edition,
    rows: Mapping[int | None, Record],
    tab: str,
    changes: list[Change],
    facts: Mapping[str, object],
) -> Problem:
    """Return the problem at the cell that changed; in tab 9 where nothing is left to point at."""
    code = changes[0].code
    for change in changes:
        record = rows.get(change.new_row)
        if record is None and change.part in ("order", "association", "nabm") and code in edition.orders:
            record = edition.orders[code].records[0]
        if record is not None:
            return Problem(tab, record, _field_of(change, record), code=change.new_code or code, facts=facts)
    return Problem("notes", value=code, code=code, facts=facts)


def _field_of(change: Change, record: Record) -> str:
    """Return the field of a row where a change is to be seen."""
    match change.part:
        case "order" | "association":
            return change.field or "order_code"
        case "result":
            return change.field or "result_code"
        case "nabm":
            return "nabm_code"
        case _:
            is_subchapter = record["code"] != change.code and record["subcode"] == change.code
            return change.field or ("subcode" if is_subchapter else "code")


def _listed(changes: list[Change]) -> str:
    """Return "a, b et c" of what changed, the first few."""
    texts = [_shown(change) for change in changes[:_LISTED]]
    if (more := len(changes) - len(texts)) > 0:
        texts.append(phrase("{n} de plus", "{n} more", n=more))
    return listed(texts)


def _shown(change: Change) -> str:
    """Return what a change is, in words, without the code that it is about."""
    if change.kind == "modified":
        old, new = _cut(change.old or "", change.new or "")
        blank = say("vide", "blank")
        return phrase(
            "« {field} » ({old} → {new})",
            '"{field}" ({old} → {new})',
            field=field_name(change.part, change.field or ""),
            old=old or blank,
            new=new or blank,
        )
    if change.kind in ("assigned", "replaced"):
        return phrase("{new} remplace {old}", "{new} replaces {old}", new=change.new_code, old=change.code)
    came = change.kind == "added"
    what = {
        "order": say("de la demande", "of the order"),
        "result": say("du résultat", "of the result"),
        "association": say(f"du résultat {change.result}", f"of result {change.result}"),
        "nabm": say(f"de l'acte {change.nabm}", f"of act {change.nabm}"),
    }.get(change.part, "")
    return f"{say('ajout', 'addition') if came else say('retrait', 'removal')} {what}".strip()


def _cut(old: str, new: str) -> tuple[str, str]:
    """Return two texts, long ones cut round the place where they begin to differ."""
    old, new = " ".join(old.split()), " ".join(new.split())
    if max(len(old), len(new)) <= _SHOWN:
        return old, new
    same = next((place for place, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
    start = max(0, same - _SHOWN // 2)
    cut = (
        ("…" if start and text else "") + text[start : start + _SHOWN] + ("…" if len(text) > start + _SHOWN else "")
        for text in (old, new)
    )
    first, second = cut
    return first, second


@rule("VER-07")
def date_not_after(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Dates that are not after the previous version's; one that is missing or cannot be read says nothing."""
    text, before = context.edition.identity.date, _previous(context).identity.date
    date, date_before = read_date(text), read_date(before)
    if date is None or date_before is None:
        return
    later = date > date_before if differ(date, date_before) else len(date) != len(date_before) or len(date) < 3
    if not later:
        yield Problem(
            "summary",
            line_of(context.edition, "date"),
            "value",
            value=text,
            facts={"date_before": before, "previous": _name(_previous(context))},
        )

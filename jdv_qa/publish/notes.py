"""Release notes of a version, in Markdown: what changed since the last one, and what laboratories have to do about it.

Figures and what asks for work come first; a section that has nothing to say is not there. The same two editions give
the same text to the byte.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from jdv_qa.checks.indicators import indicator_label, indicators
from jdv_qa.compare.impact import Impacts, load_impacts, propose_version
from jdv_qa.compare.model import KINDS, PARTS, REFERENCES, Change, Comparison, Kind, Part, code_place, field_place
from jdv_qa.compare.versions import version_key
from jdv_qa.compare.wording import (
    change_count,
    collision_sentence,
    field_name,
    kind_count,
    listed,
    movement_sentence,
    part_count,
    part_name,
    side_names,
    status_name,
    uncompared_sentence,
)
from jdv_qa.language import count, current_language, figure, french_spaces
from jdv_qa.marking import changed_words
from jdv_qa.publish.markdown import COME, GONE, markdown_table, markdown_text, marked_text, unit_text
from jdv_qa.terminology.labels import AXES
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition

UNIT_FIELDS = ("unit", "unit_secondary", "conversion_factor")
COMPARABILITY_FIELDS = ("comparability", "discriminating_technique")
CHAPTER_FIELDS = ("chapter", "subchapter")
ORDERING_FIELDS = ("order_type", "specimen", "site", "laterality")

_MONTHS = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet",
        "août", "septembre", "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July",
        "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")

Block = str
Writer = Callable[[str], str]


Requests: TypeAlias = Mapping[Change, tuple[str, ...]]
"""Change -> the numbers of the change requests that it answers."""
NO_REQUESTS: Requests = MappingProxyType({})


def release_notes(
    old: Edition,
    new: Edition,
    comparison: Comparison,
    impacts: Impacts | None = None,
    requests: Requests = NO_REQUESTS,
) -> str:
    """Return the notes of the version `new`, in the language in use.

    `comparison` is that of the two editions; `impacts` gives the reasons, those that ship unless given. A change that
    answers requests names them beside it, and the last section lists the requests answered. Raises RuleFileError when
    the impact file is wrong.
    """
    impacts = impacts or load_impacts()
    chapter = _chapter_writer(old, new)
    sections = (
        (phrase("En chiffres", "In figures"), _figures(old, new)),
        (
            phrase("Ce que les laboratoires ont à faire", "What laboratories have to do"),
            _actions(comparison, impacts, requests),
        ),
        (phrase("Codes attribués", "Codes assigned"), _recodings(comparison, "assigned", requests)),
        (phrase("Codes remplacés", "Codes replaced"), _recodings(comparison, "replaced", requests)),
        (phrase("Suppressions", "Removals"), _removals(comparison, requests)),
        (phrase("Unités", "Units"), _side_by_side(comparison, "result", UNIT_FIELDS, requests, unit_text)),
        (
            phrase("Comparabilité", "Comparability"),
            _side_by_side(comparison, "result", COMPARABILITY_FIELDS, requests),
        ),
        (
            phrase("Type et prélèvement des demandes", "Type and specimen of orders"),
            _side_by_side(comparison, "order", ORDERING_FIELDS, requests),
        ),
        (
            phrase("Changements de chapitre", "Changes of chapter"),
            [
                _movements(comparison, ("chapter", "subchapter")),
                *_side_by_side(comparison, "result", CHAPTER_FIELDS, requests, chapter),
            ],
        ),
        (phrase("Ajouts", "Additions"), _additions(new, comparison, chapter, requests)),
        (
            phrase("Composition des demandes", "Content of orders"),
            [_movements(comparison, ("split", "merge")), *_composition(comparison, requests)],
        ),
        (phrase("Libellés et autres mentions", "Labels and other texts"), _other_fields(comparison, requests)),
        (phrase("Alignement NABM/RIHN", "NABM/RIHN alignment"), _alignments(comparison, requests)),
        (phrase("Tables de référence", "Reference tables"), _references(comparison, chapter, requests)),
        (
            phrase("Version LOINC couverte", "LOINC release covered"),
            [_loinc_release(comparison), *_statuses(comparison)],
        ),
        (phrase("Numéro de version", "Version number"), _version(comparison)),
        (
            phrase("Clés non uniques", "Keys that are not unique"),
            ["\n".join(f"- {markdown_text(_set(collision_sentence(found)))}" for found in comparison.collisions)],
        ),
        (
            phrase("Ce qui n'a pas été comparé", "What was not compared"),
            ["\n".join(f"- {_set(uncompared_sentence(gap))}" for gap in comparison.uncompared)],
        ),
        (phrase("Demandes de modification traitées", "Change requests answered"), [_answered(comparison, requests)]),
    )
    blocks = _opening(comparison)
    for title, content in sections:
        if any(content):
            blocks += [f"## {title}", *filter(None, content)]
    return "\n\n".join([*blocks, "---", LOINC_NOTICE]) + "\n"


def phrase(fr: str, en: str, **data: object) -> str:
    """Return the sentence in the language in use, its French typeset, then filled with data that stays untouched.

    A published text has typographic apostrophes and the spaces that must not break: narrow before ; ! ? %, plain before
    a colon and within « ».
    """
    if current_language() == "fr":
        return _set(fr).format(**data)
    return en.format(**data)


def _set(sentence: str) -> str:
    """Return a sentence made elsewhere with the spaces and apostrophes of these notes."""
    if current_language() != "fr":
        return sentence
    sentence = re.sub("[ \u202f](?=[:»])|(?<=«)[ \u202f]", "\u00a0", sentence)
    return french_spaces(sentence).replace("'", "’")


def _header(part: Part, field: str) -> str:
    """Return the header of a field, with the apostrophes of these notes."""
    return _set(field_name(part, field))


def written_date(text: str) -> str:
    """Return an ISO date as people write it ("1er juillet 2019"); any other text as it is."""
    match = _ISO_DATE.fullmatch(text.strip())
    if match is None:
        return text
    try:
        date = dt.date(*(int(number) for number in match.groups()))
    except ValueError:
        return text
    day = "1er" if date.day == 1 and current_language() == "fr" else str(date.day)
    return f"{day} {_MONTHS[current_language()][date.month - 1]} {date.year}"


def _code(code: str | None) -> str:
    return markdown_text(code) if code else phrase("*sans code*", "*no code*")


def _codes(codes: Iterable[str]) -> str:
    return markdown_text(", ".join(codes))


def _value(text: str | None, write: Writer = markdown_text) -> str:
    return write(text) if text else phrase("*vide*", "*blank*")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _opening(comparison: Comparison) -> list[Block]:
    old, new = comparison.old, comparison.new
    before, after = side_names(old, new)
    title = phrase(
        "# Notes de version – {title}",
        "# Release notes – {title}",
        title=markdown_text(new.title or phrase("jeu de valeurs", "value set")),
    )
    if new.version:
        title += f" {markdown_text(new.version)}"
    lines = [
        _identity(phrase("Version", "Version"), after, new.date),
        _identity(phrase("Version précédente", "Previous version"), before, old.date),
    ]
    return [title, "  \n".join(lines), _first_sentence(comparison)]


def _identity(name: str, value: str, date: str = "") -> str:
    line = phrase("**{name} :** {value}", "**{name}:** {value}", name=name, value=markdown_text(value))
    return line + (phrase(" du ", " of ") + markdown_text(written_date(date)) if date else "")


def _first_sentence(comparison: Comparison) -> Block:
    if not comparison.changes:
        return phrase(
            "Cette version ne change rien au contenu de la précédente.",
            "This version changes nothing in the content of the previous one.",
        )
    sentence = phrase(
        "Cette version apporte {changes} : {kinds}.",
        "This version brings {changes}: {kinds}.",
        changes=change_count(len(comparison.changes)),
        kinds=listed([kind_count(kind, comparison.summary[kind]) for kind in KINDS if comparison.summary[kind]]),
    )
    if not (breaking := comparison.impacts["breaking"]):
        return f"{sentence} {phrase('Aucun n’appelle d’action des laboratoires.', 'None calls for action by laboratories.')}"
    act = count(
        breaking,
        "changement appelle une action des laboratoires",
        "change calls for action by laboratories",
        "changements appellent une action des laboratoires",
        "changes call for action by laboratories",
    )
    return f"{sentence} {act}."


def _figures(old: Edition, new: Edition) -> list[Block]:
    before, after = indicators(old), indicators(new)
    rows = []
    for name in after.keys() & before.keys() and after:
        step = after[name] - before[name]
        difference = f"{'+' if step > 0 else '−'}{figure(abs(step))}" if step else "="
        rows.append((indicator_label(name), figure(before[name]), figure(after[name]), difference))
    versions = (old.identity.version, new.identity.version)
    if not all(versions) or versions[0] == versions[1]:
        versions = (phrase("Avant", "Before"), phrase("Après", "After"))
    headers = (phrase("Indicateur", "Indicator"), *map(markdown_text, versions), phrase("Écart", "Difference"))
    return [markdown_table(headers, rows)]


def _asked(changes: Iterable[Change], requests: Requests) -> list[str]:
    """Return the numbers of the requests that some changes answer."""
    return sorted({number for change in changes for number in requests.get(change, ())}, key=code_place)


def _origin(changes: Iterable[Change], requests: Requests) -> str:
    """Return "demandes n° 12 et 15", "" for changes that no request asked for."""
    numbers = [markdown_text(number) for number in _asked(changes, requests)]
    if not numbers:
        return ""
    named = phrase("demande n°", "request") if len(numbers) == 1 else phrase("demandes n°", "requests")
    return f"{named}\u00a0{_some(numbers)}"


def _origin_header() -> str:
    return phrase("Origine", "Origin")


def _answered(comparison: Comparison, requests: Requests) -> Block:
    """Return the requests answered, one line each, with what changed."""
    changes: dict[str, list[Change]] = {}
    for change in comparison.changes:
        for number in requests.get(change, ()):
            changes.setdefault(number, []).append(change)
    lines = []
    for number in sorted(changes, key=code_place):
        told: dict[str, list[str]] = {}
        for change in changes[number]:
            entry = f"{part_name(change.part, plural=False)} {change.code or change.label}"
            if second := change.result or change.nabm:
                entry += f" – {second}"
            what = _header(change.part, change.field) if change.field else _single(change.kind).lower()
            told.setdefault(entry, []).append(what)
        entries = [f"{markdown_text(entry)} ({markdown_text(', '.join(whats))})" for entry, whats in told.items()]
        lines.append(
            phrase(
                "- **n°\u00a0{number}** : {entries}",
                "- **No. {number}**: {entries}",
                number=markdown_text(number),
                entries=phrase(" ; ", "; ").join(entries),
            )
        )
    return "\n".join(lines)


def _single(kind: Kind) -> str:
    """Return the name of a change of a kind: "Code attribué"."""
    names: dict[Kind, str] = {
        "added": phrase("Ajout", "Addition"),
        "removed": phrase("Suppression", "Removal"),
        "modified": phrase("Modification", "Modification"),
        "assigned": phrase("Code attribué", "Code assigned"),
        "replaced": phrase("Code remplacé", "Code replaced"),
    }
    return names[kind]


def _actions(comparison: Comparison, impacts: Impacts, requests: Requests) -> list[Block]:
    """List what laboratories must act upon, one line a part, kind and field, with the reason."""
    groups: dict[tuple[Part, Kind, str], list[Change]] = {}
    for change in comparison.select(impact="breaking"):
        groups.setdefault((change.part, change.kind, change.field or ""), []).append(change)
    order: tuple[Kind, ...] = ("assigned", "replaced", "removed", "modified", "added")
    lines = []
    fields = (*UNIT_FIELDS, *COMPARABILITY_FIELDS, *ORDERING_FIELDS, *CHAPTER_FIELDS)

    def place(key: tuple[Part, Kind, str]) -> tuple[int, int, int]:
        part, kind, field = key
        return order.index(kind), fields.index(field) if field in fields else len(fields), PARTS.index(part)

    for part, kind, field in sorted(groups, key=place):
        changes = groups[part, kind, field]
        origin = _origin(changes, requests)
        lines.append(
            phrase(
                "- **{what} – {count}** : {reason}{origin}.",
                "- **{what} – {count}**: {reason}{origin}.",
                what=markdown_text(_header(part, field)) if field else _single(kind),
                count=part_count(part, len(changes)),
                reason=_set(impacts.judge(changes[0]).reason),
                origin=origin and f" ({origin})",
            )
        )
    return ["\n".join(lines)]


def _recodings(comparison: Comparison, kind: Kind, requests: Requests) -> list[Block]:
    rows = [
        (
            _capital(part_name(change.part, plural=False)),
            _code(change.code),
            _code(change.new_code),
            markdown_text(change.label),
            _origin([change], requests),
        )
        for change in comparison.select(kind)
    ]
    return [
        markdown_table(
            (
                phrase("Partie", "Part"),
                phrase("Ancien code", "Old code"),
                phrase("Nouveau code", "New code"),
                phrase("Libellé", "Label"),
                _origin_header(),
            ),
            rows,
        )
    ]


def _partners(comparison: Comparison, kind: Kind) -> dict[tuple[Part, str], list[str]]:
    """Return, for each order and result, the codes it came or went with."""
    found: dict[tuple[Part, str], list[str]] = {}
    for change in comparison.select(kind, "association"):
        if change.code and change.result:
            found.setdefault(("order", change.code), []).append(change.result)
            found.setdefault(("result", change.result), []).append(change.code)
    return found


def _removals(comparison: Comparison, requests: Requests) -> list[Block]:
    partners = _partners(comparison, "removed")
    parts: tuple[tuple[Part, str], ...] = (
        ("order", phrase("Résultats de la demande", "Results of the order")),
        ("result", phrase("Demandes concernées", "Orders concerned")),
        ("term", ""),
    )
    blocks = []
    for part, with_what in parts:
        changes = comparison.select("removed", part)
        rows = [
            (
                _code(change.code),
                markdown_text(change.label),
                _codes(partners.get((part, change.code), ())),
                _instead(comparison, change) or phrase("*non indiqué*", "*not stated*"),
                _origin([change], requests),
            )
            for change in changes
        ]
        if rows:
            headers = (
                "Code",
                phrase("Libellé", "Label"),
                with_what,
                phrase("À utiliser à la place", "To use instead"),
                _origin_header(),
            )
            blocks += [f"### {_capital(part_count(part, len(rows)))}", markdown_table(headers, rows)]
    return blocks


def _instead(comparison: Comparison, change: Change) -> str:
    """Return the codes that a removed one leaves its place to; "perhaps" before those that merely look like it."""
    alike = {(item.part, item.old_code, item.new_code) for item in comparison.resemblances}
    codes = []
    for code in change.related:
        sure = (change.part, change.code, code) not in alike
        codes.append(_code(code) if sure else phrase("peut-être {code}", "perhaps {code}", code=_code(code)))
    return ", ".join(codes)


def _side_by_side(
    comparison: Comparison, part: Part, fields: Sequence[str], requests: Requests, write: Writer = markdown_text
) -> list[Block]:
    """Return one table for several fields: one line a code, one column a field that changed."""
    found: dict[tuple[str, str], list[Change]] = {}
    for change in comparison.select("modified", part, fields):
        found.setdefault((change.code, change.label), []).append(change)
    names = (markdown_text(_header(part, name)) for name in fields)
    headers = ("Code", phrase("Libellé", "Label"), *names, _origin_header())
    rows = []
    for (code, label), changes in found.items():
        steps = {change.field: f"{_value(change.old, write)} → {_value(change.new, write)}" for change in changes}
        cells = (steps.get(name, "") for name in fields)
        rows.append((_code(code), markdown_text(label), *cells, _origin(changes, requests)))
    return [markdown_table(headers, rows)]


def _chapter_writer(old: Edition, new: Edition) -> Writer:
    """Return what writes a chapter's code with its label; the new edition's labels count first."""
    labels: dict[str, str] = {}
    for edition in (new, old):
        for record in edition.records("chapters"):
            for code, label in ((record["code"], record["label"]), (record["subcode"], record["sublabel"])):
                if code and label:
                    labels.setdefault(code, label)

    def write(code: str) -> str:
        label = labels.get(code, "")
        return markdown_text(f"{label} ({code})" if label else code)

    return write


def _additions(new: Edition, comparison: Comparison, chapter: Writer, requests: Requests) -> list[Block]:
    """Return the orders and results added, by chapter in the order of the chapters tab, then the terms."""
    partners = _partners(comparison, "added")
    rows: dict[str, dict[Part, list[tuple[str, ...]]]] = {}
    parts: tuple[Part, ...] = ("order", "result")
    for part in parts:
        for change in comparison.select("added", part):
            entity = (new.orders if part == "order" else new.results)[change.code or change.label]
            unit = entity["unit"]
            rows.setdefault(entity.records[0]["chapter"], {}).setdefault(part, []).append(
                (
                    _capital(part_name(part, plural=False)),
                    _code(change.code),
                    markdown_text(change.label),
                    unit_text(unit) if unit else "",
                    _codes(partners.get((part, change.code), ())),
                    _codes(change.related),
                    _origin([change], requests),
                )
            )
    known = dict.fromkeys(record["code"] for record in new.records("chapters"))
    headers = (
        phrase("Partie", "Part"),
        "Code",
        phrase("Libellé", "Label"),
        phrase("Unité", "Unit"),
        phrase("Associé à", "Goes with"),
        phrase("Voir aussi", "See also"),
        _origin_header(),
    )
    blocks = []
    for code in (*(code for code in known if code in rows), *sorted(rows.keys() - known.keys())):
        found = rows[code]
        counts = listed([part_count(part, len(found[part])) for part in parts if part in found])
        name = chapter(code) if code else phrase("Sans chapitre", "No chapter")
        blocks += [
            phrase("### {name} : {counts}", "### {name}: {counts}", name=name, counts=counts),
            markdown_table(headers, [row for part in parts for row in found.get(part, ())]),
        ]
    terms = [
        (_code(change.code), markdown_text(change.label), _codes(change.related), _origin([change], requests))
        for change in comparison.select("added", "term")
    ]
    columns = ("Code", phrase("Libellé", "Label"), phrase("Voir aussi", "See also"), _origin_header())
    return [*blocks, markdown_table(columns, terms)] if terms else blocks


def _movements(comparison: Comparison, kinds: tuple[str, ...]) -> Block:
    """Return what several changes amount to, one line each: orders split or merged, results that changed chapter."""
    return "\n".join(
        f"- {markdown_text(_set(movement_sentence(movement)))}"
        for movement in comparison.movements
        if movement.kind in kinds
    )


def _composition(comparison: Comparison, requests: Requests) -> list[Block]:
    """Return the results that came under, or left, an order, where both were there before and still are."""
    gone = {
        (change.part, change.code or change.label)
        for kind in ("added", "removed")
        for change in comparison.changes
        if change.kind == kind
    }
    rows = []
    for change in sorted(comparison.select(part="association"), key=lambda change: code_place(change.code)):
        label = (change.new or change.old) or ""
        if ("order", change.code or change.label) in gone or ("result", change.result or label) in gone:
            continue
        added = change.kind == "added"
        rows.append(
            (
                _code(change.code),
                markdown_text(change.label),
                phrase("ajout", "addition") if added else phrase("retrait", "removal"),
                _code(change.result),
                markdown_text(label),
                _codes(change.related) if added else "",
                "" if added else _codes(change.related),
                _origin([change], requests),
            )
        )
    headers = (
        phrase("Demande", "Order"),
        phrase("Libellé de la demande", "Order label"),
        phrase("Nature", "Nature"),
        phrase("Résultat", "Result"),
        phrase("Libellé du résultat", "Result label"),
        phrase("Venu de", "From"),
        phrase("Passé sous", "Now under"),
        _origin_header(),
    )
    return [markdown_table(headers, rows)]


def _other_fields(comparison: Comparison, requests: Requests) -> list[Block]:
    """Return the changes of fields that no section of their own tells, one table a field."""
    told = frozenset((*UNIT_FIELDS, *COMPARABILITY_FIELDS, *CHAPTER_FIELDS, *ORDERING_FIELDS))
    parts: tuple[Part, ...] = ("order", "result", "term")
    blocks = []
    for part in parts:
        fields: dict[str, list[Change]] = {}
        for change in comparison.select("modified", part):
            if change.field and (part == "term" or change.field not in told):
                fields.setdefault(change.field, []).append(change)
        for field in sorted(fields, key=field_place):
            naming = "label" in field or field == "result_display"
            rows = [
                (
                    _code(change.code),
                    "" if naming else markdown_text(change.label),
                    *_marked(change),
                    _origin([change], requests),
                )
                for change in fields[field]
            ]
            title = phrase(
                "### {field} : {count}",
                "### {field}: {count}",
                field=markdown_text(_header(part, field)),
                count=part_count(part, len(rows)),
            )
            headers = (
                "Code",
                phrase("Libellé", "Label"),
                phrase("Avant", "Before"),
                phrase("Après", "After"),
                _origin_header(),
            )
            blocks += [title, markdown_table(headers, rows)]
    return blocks


def _marked(change: Change) -> tuple[str, str]:
    """Return the text before and after as Markdown, the words that differ marked."""
    if not change.old or not change.new:
        return _value(change.old), _value(change.new)
    before, after = changed_words(change.old, change.new)
    return marked_text(before, GONE), marked_text(after, COME)


def _alignments(comparison: Comparison, requests: Requests) -> list[Block]:
    natures: dict[Kind, str] = {
        "added": phrase("ajout", "addition"),
        "removed": phrase("retrait", "removal"),
        "modified": phrase("libellé", "label"),
    }
    rows = []
    for change in comparison.select(part="nabm"):
        label = (
            f"{_value(change.old)} → {_value(change.new)}"
            if change.kind == "modified"
            else markdown_text(change.new or change.old or "")
        )
        rows.append(
            (
                natures[change.kind],
                _code(change.code),
                markdown_text(change.label),
                _code(change.nabm),
                label,
                _origin([change], requests),
            )
        )
    return [
        markdown_table(
            (
                phrase("Nature", "Nature"),
                phrase("Demande", "Order"),
                phrase("Libellé de la demande", "Order label"),
                phrase("Acte", "Act"),
                phrase("Libellé de l'acte", "Act label"),
                _origin_header(),
            ),
            rows,
        )
    ]


def _references(comparison: Comparison, chapter: Writer, requests: Requests) -> list[Block]:
    """Return the changes of the reference tabs, but for the codes assigned and replaced, which have their own sections."""
    natures: dict[Kind, str] = {
        "added": phrase("ajout", "addition"),
        "removed": phrase("suppression", "removal"),
        "modified": phrase("modification", "modification"),
    }
    blocks = []
    for part in REFERENCES:
        changes = [change for change in comparison.select(part=part) if change.kind in natures]
        rows = []
        for change in changes:
            write = chapter if change.field == "code" else markdown_text
            before = {"added": "", "removed": markdown_text(change.label)}.get(change.kind, _value(change.old, write))
            after = {"removed": "", "added": markdown_text(change.label)}.get(change.kind, _value(change.new, write))
            field = _header(part, change.field) if change.field not in (None, "label") else ""
            rows.append(
                (
                    natures[change.kind],
                    _code(change.code),
                    markdown_text(field),
                    before,
                    after,
                    _instead(comparison, change) if change.kind == "removed" else _codes(change.related),
                    _origin([change], requests),
                )
            )
        if rows:
            kinds = ", ".join(
                kind_count(kind, number) for kind in KINDS if (number := sum(change.kind == kind for change in changes))
            )
            headers = (
                phrase("Nature", "Nature"),
                "Code",
                phrase("Champ", "Field"),
                phrase("Avant", "Before"),
                phrase("Après", "After"),
                phrase("Voir aussi", "See also"),
                _origin_header(),
            )
            blocks += [
                phrase("### {part} : {kinds}", "### {part}: {kinds}", part=_capital(part_name(part)), kinds=kinds),
                markdown_table(headers, rows),
            ]
    return blocks


def _loinc_release(comparison: Comparison) -> Block:
    old, new = comparison.old.loinc_version, comparison.new.loinc_version
    if not new:
        return ""
    if old == new:
        return phrase(
            "Cette version s'appuie sur LOINC {new}, comme la précédente.",
            "This version rests on LOINC {new}, as did the previous one.",
            new=markdown_text(new),
        )
    if not old:
        return phrase(
            "Cette version s'appuie sur LOINC {new}.", "This version rests on LOINC {new}.", new=markdown_text(new)
        )
    return phrase(
        "Cette version s'appuie sur LOINC {new} ; la précédente s'appuyait sur LOINC {old}.",
        "This version rests on LOINC {new}; the previous one rested on LOINC {old}.",
        new=markdown_text(new),
        old=markdown_text(old),
    )


def _statuses(comparison: Comparison) -> list[Block]:
    """Return which LOINC statuses changed, counted, then the codes of this version concerned and what to use instead.

    A code that LOINC has only just created is counted and not listed: it is among the additions.
    """
    statuses = comparison.statuses
    if statuses is None:
        return []
    unknown = phrase("de version inconnue", "of unknown version")
    releases = {
        "old": markdown_text(statuses.old_version or unknown),
        "new": markdown_text(statuses.new_version or unknown),
    }
    if not statuses.transitions:
        return [
            phrase(
                "De LOINC {old} à LOINC {new}, aucun code du jeu de valeurs ne change de statut.",
                "From LOINC {old} to LOINC {new}, no code of the value set changes status.",
                **releases,
            )
        ]
    sentence = phrase(
        "De LOINC {old} à LOINC {new}, {changed} :",
        "From LOINC {old} to LOINC {new}, {changed}:",
        changed=count(
            len(statuses.transitions),
            "code du jeu de valeurs change de statut",
            "code of the value set changes status",
            "codes du jeu de valeurs changent de statut",
            "codes of the value set change status",
        ),
        **releases,
    )
    kept = Counter((one.before, one.after) for one in statuses.transitions if one.kept)
    steps = phrase("Statut avant", "Status before"), phrase("Statut après", "Status after")
    counts = markdown_table(
        (*steps, phrase("Codes", "Codes"), phrase("Dont dans cette version", "Of which in this version")),
        [
            (status_name(pair[0]), status_name(pair[1]), figure(number), figure(kept[pair]))
            for pair, number in statuses.counts.items()
        ],
    )
    listed_codes = [one for one in statuses.transitions if one.kept and (one.before or one in statuses.withdrawn)]
    codes = markdown_table(
        ("Code", phrase("Libellé", "Label"), *steps, phrase("À utiliser à la place", "To use instead")),
        [
            (
                _code(one.code),
                markdown_text(one.label),
                status_name(one.before),
                status_name(one.after),
                _codes(one.instead) or (phrase("*non indiqué*", "*not stated*") if one in statuses.withdrawn else ""),
            )
            for one in sorted(listed_codes, key=lambda one: one not in statuses.withdrawn)
        ],
    )
    return [sentence, counts, codes]


def _version(comparison: Comparison) -> list[Block]:
    """Return the number that the changes call for, why, and how the number chosen compares with it."""
    if not comparison.changes:
        return []
    proposal = propose_version(comparison.old.version, comparison.changes)
    separator = phrase(" ;\n- ", ";\n- ")
    reasons = f"- {separator.join(map(_set, proposal.reasons))}."
    if not proposal.version:
        return [phrase("Aucun numéro ne peut être proposé :", "No number can be proposed:"), reasons]
    sentence = phrase(
        "Après la version {old}, ces changements appellent le numéro **{proposed}** :",
        "After version {old}, these changes call for the number **{proposed}**:",
        old=markdown_text(comparison.old.version),
        proposed=markdown_text(proposal.version),
    )
    return [sentence, reasons, _chosen_number(comparison.new.version, proposal.version)]


def _chosen_number(chosen: str, proposed: str) -> Block:
    ours, theirs = version_key(proposed), version_key(chosen)
    if ours is None or theirs is None:
        return ""
    width = max(len(ours), len(theirs))
    ours, theirs = (key + (0,) * (width - len(key)) for key in (ours, theirs))
    if theirs == ours:
        return phrase("C'est le numéro retenu.", "It is the number chosen.")
    if theirs > ours:
        return phrase(
            "Le numéro retenu, {chosen}, va au-delà.",
            "The number chosen, {chosen}, goes further.",
            chosen=markdown_text(chosen),
        )
    return phrase(
        "Le numéro retenu, {chosen}, reste en deçà.",
        "The number chosen, {chosen}, falls short of it.",
        chosen=markdown_text(chosen),
    )


SHORT_LIST = 6
"""Codes named in a line of the short form; the others are counted."""


def short_notes(old: Edition, new: Edition, comparison: Comparison, requests: Requests = NO_REQUESTS) -> str:
    """Return the notes of the version `new` in about a dozen lines of Markdown, for a mail: first what is to be done."""
    side = comparison.new
    title = markdown_text(
        " ".join(text for text in (side.title or phrase("Jeu de valeurs", "Value set"), side.version) if text)
    )
    if side.date:
        title += phrase(" du ", " of ") + markdown_text(written_date(side.date))
    blocks = [f"**{title}**", _short_sentence(comparison)]
    if todo := _short_actions(comparison):
        blocks += [phrase("À faire dans les laboratoires :", "For laboratories to do:"), _items(todo)]
    more = (_short_additions(new, comparison, _chapter_writer(old, new)), _short_editorial(comparison))
    blocks.append(" ".join(f"{said}." for said in more if said))
    blocks.append(" ".join(filter(None, (_short_figures(old, new), _loinc_release(comparison)))))
    blocks.append(_short_statuses(comparison))
    if origin := _origin(comparison.changes, requests):
        blocks.append(
            phrase("Cette version répond aux {origin}.", "This version answers {origin}.", origin=origin)
            if len(_asked(comparison.changes, requests)) > 1
            else phrase("Cette version répond à la {origin}.", "This version answers {origin}.", origin=origin)
        )
    blocks.append(
        phrase(
            "Codes et libellés LOINC : © Regenstrief Institute, http://loinc.org/license.",
            "LOINC codes and names: © Regenstrief Institute, http://loinc.org/license.",
        )
    )
    return "\n\n".join(filter(None, blocks)) + "\n"


def _short_sentence(comparison: Comparison) -> str:
    changes, breaking = len(comparison.changes), comparison.impacts["breaking"]
    if not changes:
        return _first_sentence(comparison)
    return phrase(
        "{changes} depuis la version {old} ; {acting}.",
        "{changes} since version {old}; {acting}.",
        changes=change_count(changes),
        old=markdown_text(side_names(comparison.old, comparison.new)[0]),
        acting=count(
            breaking,
            "appelle une action des laboratoires",
            "asks laboratories to act",
            "appellent une action des laboratoires",
            "ask laboratories to act",
        )
        if breaking
        else phrase("aucun n'appelle d'action des laboratoires", "none asks laboratories to act"),
    )


def _short_statuses(comparison: Comparison) -> str:
    """Return one line on the statuses of LOINC: the codes of this version to give up, or how many changed."""
    statuses = comparison.statuses
    if statuses is None:
        return ""
    if not statuses.withdrawn:
        return phrase(
            "Statuts LOINC : {changed}, aucun code n'est à abandonner.",
            "LOINC statuses: {changed}, no code to give up.",
            changed=count(len(statuses.transitions), "changement", "change"),
        )
    codes = [
        phrase(
            "{code} (utiliser {instead})",
            "{code} (use {instead})",
            code=_code(one.code),
            instead=phrase(" ou ", " or ").join(map(_code, one.instead)),
        )
        if one.instead
        else _code(one.code)
        for one in statuses.withdrawn
    ]
    return phrase(
        "Statuts LOINC : {changed} : {codes}.",
        "LOINC statuses: {changed}: {codes}.",
        changed=count(
            len(codes),
            "code de cette version est désormais déprécié ou déconseillé",
            "code of this version is now deprecated or discouraged",
            "codes de cette version sont désormais dépréciés ou déconseillés",
            "codes of this version are now deprecated or discouraged",
        ),
        codes=_some(codes),
    )


def _items(lines: Sequence[str]) -> Block:
    end = phrase(" ;", ";")
    return "\n".join(f"- {line}{end if place < len(lines) else '.'}" for place, line in enumerate(lines, 1))


def _short_figures(old: Edition, new: Edition) -> str:
    before, after = indicators(old), indicators(new)
    if not before or not after:
        return ""

    pending = ("orders_pending", "results_pending")
    waiting = sum(after[name] for name in pending)
    waited = sum(before[name] for name in pending)
    sentence = phrase(
        "Le jeu de valeurs compte {orders} et {results}",
        "The value set holds {orders} and {results}",
        orders=count(after["orders"], "demande", "order") + _step(after["orders"] - before["orders"]),
        results=count(after["results"], "résultat", "result") + _step(after["results"] - before["results"]),
    )
    if waiting:
        sentence += phrase(
            ", dont {codes} en attente d'un code LOINC{step}",
            ", of which {codes} awaiting a LOINC code{step}",
            codes=figure(waiting),
            step=_step(waiting - waited),
        )
    elif waited:
        sentence += phrase("\u202f; plus aucun n'attend un code LOINC", "; none awaits a LOINC code any more")
    return f"{sentence}."


def _step(difference: int) -> str:
    return f" ({'+' if difference > 0 else '−'}{figure(abs(difference))})" if difference else ""


def _short_actions(comparison: Comparison) -> list[str]:
    parts: tuple[Part, ...] = ("order", "result", "term")
    lines = []
    for kind in ("assigned", "replaced"):
        steps = dict.fromkeys(
            f"{_code(change.code)} → {_code(change.new_code)}"
            for part in parts
            for change in comparison.select(kind, part)
        )
        if steps:
            what = {
                "assigned": count(len(steps), "code en attente", "pending code", "codes en attente"),
                "replaced": count(len(steps), "code LOINC", "LOINC code", "codes LOINC"),
            }[kind]
            lines.append(
                phrase("remplacer {what} : {codes}", "replace {what}: {codes}", what=what, codes=_some(list(steps)))
            )
    removed = {part: [_code(change.code) for change in comparison.select("removed", part)] for part in parts}
    gone = [f"{part_count(part, len(codes))} ({_some(codes)})" for part, codes in removed.items() if codes]
    if gone:
        lines.append(phrase("retirer {gone}", "withdraw {gone}", gone=listed(gone)))
    if units := _changed_codes(comparison, "result", UNIT_FIELDS):
        lines.append(
            phrase(
                "revoir l'unité ({what}) : {codes}",
                "review the unit ({what}): {codes}",
                what=part_count("result", len(units)),
                codes=_some(units),
            )
        )
    subjects: tuple[tuple[Part, tuple[str, ...], str], ...] = (
        ("result", COMPARABILITY_FIELDS, phrase("la comparabilité", "the comparability")),
        ("order", ORDERING_FIELDS, phrase("le type ou le prélèvement", "the type or specimen")),
        ("result", CHAPTER_FIELDS, phrase("le chapitre", "the chapter")),
    )
    reviewed = [
        f"{name} ({_some(codes)})"
        for part, fields, name in subjects
        if (codes := _changed_codes(comparison, part, fields))
    ]
    if reviewed:
        lines.append(phrase("revoir {what}", "review {what}", what=listed(reviewed)))
    if terms := _changed_codes(comparison, "term", AXES):
        lines.append(
            phrase(
                "vérifier l'emploi de {what} : {codes}",
                "check the use of {what}: {codes}",
                what=part_count("term", len(terms)),
                codes=_some(terms),
            )
        )
    others = [change for change in comparison.select(impact="breaking") if change.part not in parts]
    if others:
        lines.append(
            phrase(
                "tenir compte de {changes} ({names})",
                "allow for {changes} ({names})",
                changes=count(len(others), "autre changement", "other change"),
                names=", ".join(dict.fromkeys(part_name(change.part) for change in others)),
            )
        )
    return lines


def _changed_codes(comparison: Comparison, part: Part, fields: Sequence[str]) -> list[str]:
    changes = comparison.select("modified", part, fields, "breaking")
    return list(dict.fromkeys(_code(change.code) for change in changes))


def _some(items: Sequence[str]) -> str:
    """Return the first items, and how many others there are."""
    if len(items) <= SHORT_LIST + 1:
        return listed(list(items))
    others = len(items) - SHORT_LIST
    return listed([", ".join(items[:SHORT_LIST]), phrase("{others} autres", "{others} others", others=figure(others))])


def _short_additions(new: Edition, comparison: Comparison, chapter: Writer) -> str:
    parts: tuple[Part, ...] = ("order", "result", "term")
    numbers = {part: len(comparison.select("added", part)) for part in parts}
    if not any(numbers.values()):
        return ""
    sentence = phrase(
        "Nouveautés : {what}",
        "New: {what}",
        what=listed([part_count(part, number) for part, number in numbers.items() if number]),
    )
    chapters: dict[str, int] = {}
    if "main" in new.tables:
        for part in parts[:2]:
            for change in comparison.select("added", part):
                entity = (new.orders if part == "order" else new.results)[change.code or change.label]
                code = entity.records[0]["chapter"]
                chapters[code] = chapters.get(code, 0) + 1
    labels = {
        code: chapter(code).rpartition(" (")[0] or chapter(code) if code else phrase("sans chapitre", "no chapter")
        for code in chapters
    }
    names = [f"{labels[code]} {figure(number)}" for code, number in sorted(chapters.items(), key=lambda item: -item[1])]
    return f"{sentence} ({_some(names)})" if names else sentence


def _short_editorial(comparison: Comparison) -> str:
    number = comparison.impacts["editorial"]
    if not number:
        return ""
    return count(
        number,
        "changement éditorial (libellés, rangs, commentaires), sans action",
        "editorial change (labels, ranks, comments), nothing to do",
        "changements éditoriaux (libellés, rangs, commentaires), sans action",
        "editorial changes (labels, ranks, comments), nothing to do",
    )

"""Release notes of a version, in Markdown: what changed since the last one, and what laboratories have to do about it.

Figures and what asks for work come first; a section that has nothing to say is not there. The same two editions give
the same text to the byte.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence

from jdv_qa.checks.indicators import indicator_label, indicators
from jdv_qa.compare.impact import Impacts, load_impacts, propose_version, version_key
from jdv_qa.compare.model import KINDS, PARTS, REFERENCES, Change, Comparison, Kind, Part, code_place, field_place
from jdv_qa.compare.wording import (
    change_count,
    field_name,
    kind_count,
    listed,
    part_count,
    part_name,
    phrase,
    side_names,
    uncompared_sentence,
)
from jdv_qa.language import count, current_language, figure, say
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
_MARKDOWN = re.compile(r"[\\`*|<~]|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[]|&(?=#?\w+;)")

Block = str
Writer = Callable[[str], str]


def release_notes(old: Edition, new: Edition, comparison: Comparison, impacts: Impacts | None = None) -> str:
    """Return the notes of the version `new`, in the language in use.

    `comparison` is that of the two editions; `impacts` gives the reasons, those that ship unless given. Raises
    RuleFileError when the impact file is wrong.
    """
    impacts = impacts or load_impacts()
    chapter = _chapter_writer(old, new)
    sections = (
        (say("En chiffres", "In figures"), _figures(old, new)),
        (say("Ce que les laboratoires ont à faire", "What laboratories have to do"), _actions(comparison, impacts)),
        (say("Codes attribués", "Codes assigned"), _recodings(comparison, "assigned")),
        (say("Codes remplacés", "Codes replaced"), _recodings(comparison, "replaced")),
        (say("Suppressions", "Removals"), _removals(comparison)),
        (say("Unités", "Units"), _side_by_side(comparison, "result", UNIT_FIELDS, unit_text)),
        (say("Comparabilité", "Comparability"), _side_by_side(comparison, "result", COMPARABILITY_FIELDS)),
        (
            say("Type et prélèvement des demandes", "Type and specimen of orders"),
            _side_by_side(comparison, "order", ORDERING_FIELDS),
        ),
        (
            say("Changements de chapitre", "Changes of chapter"),
            _side_by_side(comparison, "result", CHAPTER_FIELDS, chapter),
        ),
        (say("Ajouts", "Additions"), _additions(new, comparison, chapter)),
        (say("Composition des demandes", "Content of orders"), _composition(comparison)),
        (say("Libellés et autres mentions", "Labels and other texts"), _other_fields(comparison)),
        (say("Alignement NABM/RIHN", "NABM/RIHN alignment"), _alignments(comparison)),
        (say("Tables de référence", "Reference tables"), _references(comparison, chapter)),
        (say("Numéro de version", "Version number"), _version(comparison)),
        (
            say("Ce qui n'a pas été comparé", "What was not compared"),
            ["\n".join(f"- {uncompared_sentence(gap)}" for gap in comparison.uncompared)],
        ),
    )
    blocks = _opening(comparison)
    for title, content in sections:
        if any(content):
            blocks += [f"## {title}", *content]
    return "\n\n".join([*blocks, "---", LOINC_NOTICE]) + "\n"


def markdown_text(text: str) -> str:
    """Return Markdown that shows a field's text unchanged, also in a table cell; line breaks become <br>."""
    return "<br>".join(_MARKDOWN.sub(r"\\\g<0>", line.strip()) for line in text.splitlines())


def unit_text(text: str) -> str:
    """Return a unit as Markdown code, so that `[IU]/L` and `10*9/L` are read as they are written."""
    return markdown_text(text) if set(text) & set("`|\n\r\\") else f"`{text}`"


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


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    """Return a Markdown table of cells that are Markdown already; a blank column is left out, and "" without rows."""
    kept = [place for place in range(len(headers)) if any(row[place] for row in rows)]
    if not kept:
        return ""
    lines = [[headers[place] for place in kept], ["---"] * len(kept), *([row[place] for place in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(code: str | None) -> str:
    return markdown_text(code) if code else say("*sans code*", "*no code*")


def _codes(codes: Iterable[str]) -> str:
    return markdown_text(", ".join(codes))


def _value(text: str | None, write: Writer = markdown_text) -> str:
    return write(text) if text else say("*vide*", "*blank*")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _opening(comparison: Comparison) -> list[Block]:
    old, new = comparison.old, comparison.new
    before, after = side_names(old, new)
    title = phrase(
        "# Notes de version – {title}",
        "# Release notes – {title}",
        title=markdown_text(new.title or say("jeu de valeurs", "value set")),
    )
    if new.version:
        title += f" {markdown_text(new.version)}"
    lines = [
        _identity(say("Version", "Version"), after, new.date),
        _identity(say("Version précédente", "Previous version"), before, old.date),
    ]
    if new.loinc_version:
        loinc = new.loinc_version
        if old.loinc_version not in ("", new.loinc_version):
            loinc = say(
                f"{loinc} (version précédente : {old.loinc_version})",
                f"{loinc} (previous version: {old.loinc_version})",
            )
        lines.append(_identity(say("Version LOINC couverte", "LOINC release covered"), loinc))
    return [title, "  \n".join(lines), _first_sentence(comparison)]


def _identity(name: str, value: str, date: str = "") -> str:
    line = phrase("**{name} :** {value}", "**{name}:** {value}", name=name, value=markdown_text(value))
    return line + (say(" du ", " of ") + markdown_text(written_date(date)) if date else "")


def _first_sentence(comparison: Comparison) -> Block:
    if not comparison.changes:
        return say(
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
        return (
            f"{sentence} {say('Aucun n’appelle d’action des laboratoires.', 'None calls for action by laboratories.')}"
        )
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
        versions = (say("Avant", "Before"), say("Après", "After"))
    headers = (say("Indicateur", "Indicator"), *map(markdown_text, versions), say("Écart", "Difference"))
    return [_table(headers, rows)]


def _actions(comparison: Comparison, impacts: Impacts) -> list[Block]:
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
        where = (
            phrase("{part}, « {field} »", '{part}, "{field}"', part=part_name(part), field=field_name(part, field))
            if field
            else part_name(part)
        )
        reason = impacts.judge(changes[0]).reason
        lines.append(
            phrase(
                "- **{count} ({where})** : {reason}.",
                "- **{count} ({where})**: {reason}.",
                count=kind_count(kind, len(changes)),
                where=where,
                reason=reason,
            )
        )
    return ["\n".join(lines)]


def _recodings(comparison: Comparison, kind: Kind) -> list[Block]:
    rows = [
        (
            _capital(part_name(change.part, plural=False)),
            _code(change.code),
            _code(change.new_code),
            markdown_text(change.label),
        )
        for change in comparison.select(kind)
    ]
    return [
        _table(
            (
                say("Partie", "Part"),
                say("Ancien code", "Old code"),
                say("Nouveau code", "New code"),
                say("Libellé", "Label"),
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


def _removals(comparison: Comparison) -> list[Block]:
    partners = _partners(comparison, "removed")
    parts: tuple[tuple[Part, str], ...] = (
        ("order", say("Résultats de la demande", "Results of the order")),
        ("result", say("Demandes concernées", "Orders concerned")),
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
                _codes(change.related),
            )
            for change in changes
        ]
        if rows:
            headers = ("Code", say("Libellé", "Label"), with_what, say("Résultats repris par", "Results taken over by"))
            blocks += [f"### {_capital(part_count(part, len(rows)))}", _table(headers, rows)]
    return blocks


def _side_by_side(
    comparison: Comparison, part: Part, fields: Sequence[str], write: Writer = markdown_text
) -> list[Block]:
    """Return one table for several fields: one line a code, one column a field that changed."""
    steps: dict[tuple[str, str], dict[str, str]] = {}
    for change in comparison.select("modified", part, fields):
        if change.field:
            steps.setdefault((change.code, change.label), {})[change.field] = (
                f"{_value(change.old, write)} → {_value(change.new, write)}"
            )
    headers = ("Code", say("Libellé", "Label"), *(markdown_text(field_name(part, name)) for name in fields))
    rows = [
        (_code(code), markdown_text(label), *(said.get(name, "") for name in fields))
        for (code, label), said in steps.items()
    ]
    return [_table(headers, rows)]


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


def _additions(new: Edition, comparison: Comparison, chapter: Writer) -> list[Block]:
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
                )
            )
    known = dict.fromkeys(record["code"] for record in new.records("chapters"))
    headers = (
        say("Partie", "Part"),
        "Code",
        say("Libellé", "Label"),
        say("Unité", "Unit"),
        say("Avec", "With"),
        say("Résultats venus de", "Results from"),
    )
    blocks = []
    for code in (*(code for code in known if code in rows), *sorted(rows.keys() - known.keys())):
        found = rows[code]
        counts = listed([part_count(part, len(found[part])) for part in parts if part in found])
        name = chapter(code) if code else say("Sans chapitre", "No chapter")
        blocks += [
            phrase("### {name} : {counts}", "### {name}: {counts}", name=name, counts=counts),
            _table(headers, [row for part in parts for row in found.get(part, ())]),
        ]
    terms = [(_code(change.code), markdown_text(change.label)) for change in comparison.select("added", "term")]
    return [*blocks, _table(("Code", say("Libellé", "Label")), terms)] if terms else blocks


def _composition(comparison: Comparison) -> list[Block]:
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
                say("ajout", "addition") if added else say("retrait", "removal"),
                _code(change.result),
                markdown_text(label),
                _codes(change.related) if added else "",
                "" if added else _codes(change.related),
            )
        )
    headers = (
        say("Demande", "Order"),
        say("Libellé de la demande", "Order label"),
        say("Nature", "Nature"),
        say("Résultat", "Result"),
        say("Libellé du résultat", "Result label"),
        say("Venu de", "From"),
        say("Passé sous", "Now under"),
    )
    return [_table(headers, rows)]


def _other_fields(comparison: Comparison) -> list[Block]:
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
                    _value(change.old),
                    _value(change.new),
                )
                for change in fields[field]
            ]
            title = phrase(
                "### {field} : {count}",
                "### {field}: {count}",
                field=markdown_text(field_name(part, field)),
                count=part_count(part, len(rows)),
            )
            blocks += [
                title,
                _table(("Code", say("Libellé", "Label"), say("Avant", "Before"), say("Après", "After")), rows),
            ]
    return blocks


def _alignments(comparison: Comparison) -> list[Block]:
    natures: dict[Kind, str] = {
        "added": say("ajout", "addition"),
        "removed": say("retrait", "removal"),
        "modified": say("libellé", "label"),
    }
    rows = []
    for change in comparison.select(part="nabm"):
        label = (
            f"{_value(change.old)} → {_value(change.new)}"
            if change.kind == "modified"
            else markdown_text(change.new or change.old or "")
        )
        rows.append((natures[change.kind], _code(change.code), markdown_text(change.label), _code(change.nabm), label))
    return [
        _table(
            (
                say("Nature", "Nature"),
                say("Demande", "Order"),
                say("Libellé de la demande", "Order label"),
                say("Acte", "Act"),
                say("Libellé de l'acte", "Act label"),
            ),
            rows,
        )
    ]


def _references(comparison: Comparison, chapter: Writer) -> list[Block]:
    natures: dict[Kind, str] = {
        "added": say("ajout", "addition"),
        "removed": say("suppression", "removal"),
        "modified": say("modification", "modification"),
    }
    blocks = []
    for part in REFERENCES:
        changes = comparison.select(part=part)
        rows = []
        for change in changes:
            write = chapter if change.field == "code" else markdown_text
            before = {"added": "", "removed": markdown_text(change.label)}.get(change.kind, _value(change.old, write))
            after = {"removed": "", "added": markdown_text(change.label)}.get(change.kind, _value(change.new, write))
            field = field_name(part, change.field) if change.field not in (None, "label") else ""
            rows.append((natures[change.kind], _code(change.code), markdown_text(field), before, after))
        if rows:
            kinds = ", ".join(
                kind_count(kind, number) for kind in KINDS if (number := sum(change.kind == kind for change in changes))
            )
            headers = (
                say("Nature", "Nature"),
                "Code",
                say("Champ", "Field"),
                say("Avant", "Before"),
                say("Après", "After"),
            )
            blocks += [
                phrase("### {part} : {kinds}", "### {part}: {kinds}", part=_capital(part_name(part)), kinds=kinds),
                _table(headers, rows),
            ]
    return blocks


def _version(comparison: Comparison) -> list[Block]:
    """Return the number that the changes call for, why, and how the number chosen compares with it."""
    if not comparison.changes:
        return []
    proposal = propose_version(comparison.old.version, comparison.changes)
    separator = phrase(" ;\n- ", ";\n- ")
    reasons = f"- {separator.join(proposal.reasons)}."
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

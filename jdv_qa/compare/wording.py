"""The words for changes, in French and English, with the spaces of French typography; shared by reports and notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from jdv_qa.compare.model import (
    Collision,
    Kind,
    Movement,
    Named,
    Part,
    Resemblance,
    Side,
    Statuses,
    Transition,
    Uncompared,
)
from jdv_qa.errors import LayoutError
from jdv_qa.language import count, current_language, say
from jdv_qa.workbook.edition import MAIN_FIELDS, REFERENCE_PARTS

TERM_LAYOUT = "loinc_fr"
"""The layout whose headers name the fields of a one-table form."""
NARROW_SPACE = "\u202f"
_BEFORE = re.compile(r" (?=[:;!?»%])")

_PARTS: dict[Part, tuple[str, str, str, str]] = {
    "order": ("demande", "demandes", "order", "orders"),
    "result": ("résultat", "résultats", "result", "results"),
    "association": (
        "association demande–résultat",
        "associations demande–résultat",
        "order–result association",
        "order–result associations",
    ),
    "nabm": ("alignement NABM/RIHN", "alignements NABM/RIHN", "NABM/RIHN alignment", "NABM/RIHN alignments"),
    "chapter": ("chapitre", "chapitres", "chapter", "chapters"),
    "clinical_info": (
        "renseignement clinique",
        "renseignements cliniques",
        "clinical information item",
        "clinical information items",
    ),
    "specimen": ("nature de prélèvement", "natures de prélèvement", "specimen type", "specimen types"),
    "site": ("localisation", "localisations", "site", "sites"),
    "laterality": ("latéralité", "latéralités", "laterality", "lateralities"),
    "technique": ("technique", "techniques", "technique", "techniques"),
    "term": ("terme", "termes", "term", "terms"),
}
_KINDS: dict[Kind, tuple[str, str, str, str]] = {
    "added": ("ajout", "ajouts", "addition", "additions"),
    "removed": ("suppression", "suppressions", "removal", "removals"),
    "modified": ("modification", "modifications", "modification", "modifications"),
    "assigned": ("code attribué", "codes attribués", "code assigned", "codes assigned"),
    "replaced": ("code remplacé", "codes remplacés", "code replaced", "codes replaced"),
}


def typeset(sentence: str) -> str:
    """Return a French sentence with narrow no-break spaces where a space stands before : ; ! ? % and within « ».

    For our own sentences only: the contents of fields must reach the reader as they are.
    """
    return _BEFORE.sub(NARROW_SPACE, sentence).replace("« ", f"«{NARROW_SPACE}")


def phrase(fr: str, en: str, **data: object) -> str:
    """Return the sentence in the language in use, typeset, then filled with data that stays untouched."""
    return typeset(fr).format(**data) if current_language() == "fr" else en.format(**data)


def part_name(part: Part, *, plural: bool = True) -> str:
    """Return the name of a part in the language in use: "demandes"."""
    one, many, one_en, many_en = _PARTS[part]
    return say(many, many_en) if plural else say(one, one_en)


def kind_name(kind: Kind) -> str:
    """Return the plural name of a kind of change, with a capital: "Codes attribués"."""
    name = say(_KINDS[kind][1], _KINDS[kind][3])
    return name[0].upper() + name[1:]


def part_count(part: Part, number: int) -> str:
    """Return "3 demandes"."""
    one, many, one_en, many_en = _PARTS[part]
    return count(number, one, one_en, many, many_en)


def kind_count(kind: Kind, number: int) -> str:
    """Return "3 codes attribués"."""
    one, many, one_en, many_en = _KINDS[kind]
    return count(number, one, one_en, many, many_en)


def change_count(number: int) -> str:
    """Return "3 changements"."""
    return count(number, "changement", "change")


@lru_cache(maxsize=256)
def field_name(part: Part, field: str) -> str:
    """Return the header of a field in the reference workbook, the field's own name where it has none."""
    from jdv_qa.workbook.layout import load_layout

    if part == "term":
        try:
            layout = load_layout(TERM_LAYOUT)
        except LayoutError:
            return field
        return layout.header(next(iter(layout.tabs)), field)
    layout = load_layout()
    if part == "nabm" or (part in ("order", "result", "association") and field in MAIN_FIELDS):
        return layout.header("main", field)
    tab = next((tab for tab, name in REFERENCE_PARTS.items() if name == part), "")
    return layout.header(tab, field)


def listed(items: list[str]) -> str:
    """Return "a, b et c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {say('et', 'and')} {items[-1]}"


def side_names(old: Side, new: Side) -> tuple[str, str]:
    """Return what to call the two sides: their versions, or their files where the versions do not tell them apart."""
    if old.version and new.version and old.version != new.version:
        return old.version, new.version
    return (
        f"{old.path} ({old.version})" if old.version else old.path,
        f"{new.path} ({new.version})" if new.version else new.path,
    )


def movement_sentence(movement: Movement) -> str:
    """Return what several changes amount to: "Demande scindée : 24326-1 (Ionogramme) → 2951-2 (…), 2823-3 (…)."."""
    sources, targets = _several(movement.sources), _several(movement.targets)
    codes = _first(movement.codes)
    if movement.kind in ("split", "merge"):
        return phrase(
            "Demande scindée : {sources} → {targets} ({moved})."
            if movement.kind == "split"
            else "Demandes regroupées : {sources} → {targets} ({moved}).",
            "Order split: {sources} → {targets} ({moved})."
            if movement.kind == "split"
            else "Orders merged: {sources} → {targets} ({moved}).",
            sources=sources,
            targets=targets,
            moved=count(len(movement.codes), "résultat déplacé", "result moved", "résultats déplacés", "results moved"),
        )
    noun = ("résultat", "result") if movement.kind == "chapter" else ("sous-chapitre", "sub-chapter")
    return phrase(
        "Changement de chapitre : {sources} → {targets}, {number} : {codes}.",
        "Change of chapter: {sources} → {targets}, {number}: {codes}.",
        sources=sources,
        targets=targets,
        number=count(len(movement.codes), *noun),
        codes=codes,
    )


def _several(named: Iterable[Named]) -> str:
    return ", ".join(f"{one.code} ({one.label})" if one.label and one.label != one.code else one.code for one in named)


def _first(codes: Sequence[str]) -> str:
    """Return the codes, or the first ten of them."""
    return ", ".join(codes[:10]) + (", …" if len(codes) > 10 else "")


def collision_sentence(collision: Collision) -> str:
    """Return which key is not unique, in which version, and on which rows."""
    side = say("ancienne version", "old version") if collision.side == "old" else say("nouvelle version", "new version")
    rows = _first([str(row) for row in collision.rows])
    if collision.kind == "meanings":
        return phrase(
            "Clé non unique ({side}) : le code en attente {code} a plusieurs sens, lignes {rows} : {values} ; "
            "ses lignes sont comparées ensemble.",
            "Key not unique ({side}): the pending code {code} has several meanings, rows {rows}: {values}; "
            "its rows are compared together.",
            side=side,
            code=collision.code,
            rows=rows,
            values=" | ".join(collision.values),
        )
    return phrase(
        "Clé non unique ({side}) : {part} {code}, lignes {rows} ; ses lignes sont comparées ensemble.",
        "Key not unique ({side}): {part} {code}, rows {rows}; its rows are compared together.",
        side=side,
        part=part_name(collision.part, plural=False),
        code=collision.code if collision.result is None else f"{collision.code} – {collision.result}",
        rows=rows,
    )


def resemblance_sentence(pair: Resemblance) -> str:
    """Return that a removed code may have been replaced, and how surely; of the entries of a table, why."""
    reason = phrase("confiance {share}", "confidence {share}", share=percentage(pair.confidence))
    if "label" in pair.evidence:
        reason = say("même libellé", "same label")
    elif pair.evidence == ("map-to",):
        reason = say("LOINC le propose", "LOINC suggests it")
    return phrase(
        "{part} {old} : code peut-être remplacé par {new} ({reason}).",
        "{part} {old}: code perhaps replaced by {new} ({reason}).",
        part=part_name(pair.part, plural=False).capitalize(),
        old=pair.old_code,
        new=pair.new_code,
        reason=reason,
    )


def status_sentences(statuses: Statuses) -> list[str]:
    """Return one sentence a transition: which status became which from one LOINC release to the next, and its codes.

    A code that the new edition still has is followed by what LOINC gives in its place, if anything.
    """
    if not statuses.transitions:
        return [
            phrase(
                "Statuts LOINC de {old} à {new} : aucun changement.",
                "LOINC statuses from {old} to {new}: no change.",
                old=statuses.old_version or "?",
                new=statuses.new_version or "?",
            )
        ]
    return [
        phrase(
            "Statuts LOINC de {old} à {new} : {before} → {after}, {number} : {codes}.",
            "LOINC statuses from {old} to {new}: {before} → {after}, {number}: {codes}.",
            old=statuses.old_version or "?",
            new=statuses.new_version or "?",
            before=status_name(pair[0]),
            after=status_name(pair[1]),
            number=count(number, "code", "code"),
            codes=_first([_substituted(one) for one in statuses.transitions if (one.before, one.after) == pair]),
        )
        for pair, number in statuses.counts.items()
    ]


def _substituted(transition: Transition) -> str:
    if not (transition.kept and transition.instead):
        return transition.code
    codes = " / ".join(transition.instead)
    return phrase("{code} (à remplacer par {codes})", "{code} (use {codes})", code=transition.code, codes=codes)


def status_name(status: str) -> str:
    """Return a LOINC status as LOINC writes it; "absent" for a code that a release lacks."""
    return status or say("absent", "absent")


def percentage(share: float) -> str:
    """Return "85 %", a share of 1 written in hundredths."""
    return phrase("{number} %", "{number}%", number=round(100 * share))


def uncompared_sentence(gap: Uncompared) -> str:
    """Return why a field, or a tab, was not compared."""
    side = (
        say("l'ancienne version", "the old version")
        if gap.missing_in == "old"
        else say("la nouvelle version", "the new version")
    )
    if not gap.field:
        return phrase(
            "Non comparé : {part} ; {side} n'a pas cet onglet.",
            "Not compared: {part}; {side} has no such tab.",
            part=part_name(gap.part),
            side=side,
        )
    return phrase(
        "Non comparé : « {field} » ({part}) ; {side} n'a pas cette colonne.",
        'Not compared: "{field}" ({part}); {side} has no such column.',
        field=field_name(gap.part, gap.field),
        part=part_name(gap.part),
        side=side,
    )

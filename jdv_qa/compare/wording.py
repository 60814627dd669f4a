"""The words for changes, in French and English, with the spaces of French typography; shared by reports and notes."""

from __future__ import annotations

import re
from functools import lru_cache

from jdv_qa.compare.model import Kind, Part, Side, Uncompared
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

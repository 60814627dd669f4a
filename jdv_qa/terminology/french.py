"""French labels of LOINC terms from outside a release: the value set LOINC Biologie FR that the ANS publishes on the SMT.

The same labels as the French linguistic variant of LOINC, corrected more often. The sheet has a title row, then its headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jdv_qa.terminology.labels import fold
from jdv_qa.terminology.loinc import FRENCH_COLUMNS

_HEADERS = {
    "code": ("code loinc", "loinc", "code"),
    "french_label": ("libelle francais de reference", "libelle francais", "libelle de reference", "libelle loinc"),
    "french_component": ("composant francais", "composant"),
    "french_property": ("grandeur", "propriete"),
    "french_time": ("temps", "caracteristique temporelle"),
    "french_system": ("milieu biologique", "milieu", "systeme"),
    "french_scale": ("echelle",),
    "french_method": ("technique", "methode"),
    "french_synonyms": ("synonymes", "synonyme"),
}
"""Field -> the headers, folded, of its column; the usual one first."""

_REQUIRED = ("code", "french_label", "french_component")
_HEADER_ROWS = 20


def french_labels(rows: Iterable[Sequence[str]]) -> list[tuple[str, ...]] | None:
    """Return the labels of a sheet: the code, then fields in the order of FRENCH_COLUMNS; None when it is no such sheet."""
    rows = iter(rows)
    place: dict[str, int] = {}
    for _ in range(_HEADER_ROWS):
        row = next(rows, None)
        if row is None:
            return None
        headers = [fold(text) for text in row]
        place = {
            name: headers.index(known)
            for name, texts in _HEADERS.items()
            if (known := next((text for text in texts if text in headers), None)) is not None
        }
        if all(name in place for name in _REQUIRED):
            break
    else:
        return None
    names = ("code", *FRENCH_COLUMNS)
    labels = []
    for row in rows:
        values = tuple(row[place[name]].strip() if name in place and place[name] < len(row) else "" for name in names)
        if values[0] and values[1]:
            labels.append(values)
    return labels

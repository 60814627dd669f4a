"""The NABM (Nomenclature des actes de biologie médicale): the acts in force, and those removed since.

The Assurance maladie publishes it as tables whose headers changed over the years; a spreadsheet drops the leading zeros of
codes (0552 → 552), which are put back here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jdv_qa.errors import TerminologyError
from jdv_qa.language import say
from jdv_qa.terminology.labels import fold

CODE_WIDTH = 4
_HEADER_ROWS = 20
_CODE = re.compile(r"[0-9]{1,4}")
_CODE_HEADERS = ("code nabm", "nabm code", "code de l'acte", "code acte", "nabm", "code")
_LABEL_HEADERS = ("libelle nabm", "nabm label", "libelle de l'acte", "libelle acte", "libelle", "label", "acte")
_END_HEADERS = (
    "date de fin", "date fin", "date fin validite", "date de fin de validite", "fin de validite",
    "date de suppression", "date suppression",
    "supprime", "supprimee", "suppression", "fin", "end date", "end", "removed", "statut", "etat", "status",
)  # fmt: skip
_REMOVED = re.compile(r"supprim\w*|abrog\w*|retir\w*|radi\w*|inacti\w*|obsolete|fin|oui|yes|true|vrai|removed|x|o|1")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_FRENCH = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_NEVER = re.compile(r"9999.*|2999.*|[0-9/.-]*9999")


class Act(NamedTuple):
    """An act. `removed`: the table says that it is no longer in force, or has an end; `end`: its last day, "" if not said."""

    code: str
    label: str
    removed: bool = False
    end: str = ""


@dataclass(frozen=True)
class Nabm:
    """The acts by code, of four digits."""

    acts: Mapping[str, Act]

    def with_label(self, label: str) -> tuple[str, ...]:
        """Return the codes of the acts in force whose label is this one, case and accents apart."""
        wanted = fold(label)
        return tuple(act.code for act in self.acts.values() if wanted and fold(act.label) == wanted and not act.removed)


def nabm_table(rows: Iterable[Sequence[str]], source: str) -> Nabm:
    """Take the acts from the rows of a table: a column of codes, and if possible labels and an end or a state.

    An act listed several times is in force if one of its lines is. Raises TerminologyError, naming `source`, when no header
    says which column holds the codes, or no row holds one.
    """
    rows = iter(rows)
    columns: tuple[int | None, ...] | None = None
    for _, row in zip(range(_HEADER_ROWS), rows, strict=False):
        headers = [fold(text.replace("_", " ")) for text in row]
        if (codes := _column(headers, _CODE_HEADERS)) is not None:
            columns = codes, _column(headers, _LABEL_HEADERS), _column(headers, _END_HEADERS)
            break
    if columns is None:
        raise TerminologyError(
            say(
                f"{source} : pas de colonne « Code NABM » ; donnez une table de codes, de libellés et de dates de fin",
                f'{source}: no column "Code NABM"; give a table of codes, labels and, if any, end dates',
            )
        )
    acts: dict[str, Act] = {}
    for row in rows:
        code, label, end = (_cell(row, column) for column in columns)
        if not _CODE.fullmatch(code):
            continue
        act = Act(code.zfill(CODE_WIDTH), label, *_end(end))
        known = acts.get(act.code)
        if known is None or (known.removed and (not act.removed or act.end > known.end)):
            acts[act.code] = act
    if not acts:
        raise TerminologyError(
            say(
                f"{source} : aucun code NABM (quatre chiffres) ; vérifiez que c'est la bonne table",
                f"{source}: no NABM code (four digits); check that it is the right table",
            )
        )
    return Nabm(acts)


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _column(headers: list[str], known: tuple[str, ...]) -> int | None:
    return next((headers.index(text) for text in known if text in headers), None)


def _end(text: str) -> tuple[bool, str]:
    """Return whether an act with this end or state is removed, and since when: "31/12/2023", "supprimé", "actif"."""
    if not text or _NEVER.fullmatch(text):
        return False, ""
    if match := _ISO.match(text):
        return True, match.group()
    if match := _FRENCH.match(text):
        day, month, year = match.groups()
        return True, f"{year}-{int(month):02d}-{int(day):02d}"
    return _REMOVED.fullmatch(fold(text)) is not None, ""

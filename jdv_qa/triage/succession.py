"""Which code stands in the place of another: as two versions compared tell it, and as tab 9 told it in earlier ones.

Requests name the codes of the day they were written. A result asked for under an order that has since been replaced is there
when it is under the order that replaced it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jdv_qa.checks.notes import load_vocabulary
from jdv_qa.terminology.codes import is_loinc, is_pending
from jdv_qa.terminology.labels import fold
from jdv_qa.workbook.edition import Edition

if TYPE_CHECKING:
    from jdv_qa.compare.model import Comparison, Kind

_FOLLOWED = ("order", "result")
_RECODED: tuple[Kind, ...] = ("assigned", "replaced")


@dataclass(frozen=True)
class Succession:
    """Part ("order", "result", "technique"…) -> code -> the code that took its place."""

    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, part: str, code: str, present: Iterable[str] = ()) -> str:
        """Return the code that stands for one now: itself where it is still `present`, else the last of its successors."""
        followed = self.codes.get(part, {})
        seen = {code}
        while code not in present and (after := followed.get(code)) is not None and after not in seen:
            code = after
            seen.add(code)
        return code

    def everywhere(self, code: str) -> str:
        """Return the last successor of a code, in whatever part it has one."""
        for part in self.codes:
            if (after := self.of(part, code)) != code:
                return after
        return code


def successions(comparison: Comparison | None, *editions: Edition | None) -> Succession:
    """Return what took the place of what: by the recodings of a comparison, and by the lines of tab 9 of some editions.

    The comparison counts more than tab 9, and an earlier edition more than a later one.
    """
    found: dict[str, dict[str, str]] = {}
    for recoding in comparison.recodings if comparison else ():
        found.setdefault(recoding.part, {})[recoding.old_code] = recoding.new_code
    for edition in editions:
        for part, old, new in _told(edition) if edition else ():
            found.setdefault(part, {}).setdefault(old, new)
    return Succession(found)


def _told(edition: Edition) -> Iterable[tuple[str, str, str]]:
    """Yield (part, old code, new code) for the lines of tab 9 that tell of a code assigned or replaced."""
    words = load_vocabulary()
    for record in edition.records("notes"):
        nature = fold(record["nature"])
        if not any(words.natures[kind].search(nature) for kind in _RECODED):
            continue
        said = fold(record["part"])
        parts = [part for part, pattern in words.parts.items() if part in _FOLLOWED and pattern.search(said)]
        old = record["old"] if _is_code(record["old"]) else record["code"]
        new = record["new"] if _is_code(record["new"]) else record["code"]
        if old != new and _is_code(old) and _is_code(new):
            yield from ((part, old, new) for part in parts or _FOLLOWED)


def _is_code(text: str) -> bool:
    return is_loinc(text) or is_pending(text)

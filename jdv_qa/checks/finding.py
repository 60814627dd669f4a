"""A finding: one thing wrong, where it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from jdv_qa.workbook.edition import Record


class Severity(StrEnum):
    """When to mend: before release (error), as soon as possible (warning), if possible (info)."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info, 2 for error."""
        return (Severity.INFO, Severity.WARNING, Severity.ERROR).index(self)


class Finding(NamedTuple):
    """One finding, fields as in the JSON of `jdv check`.

    `row` and `column` (Excel's number and letters) and `cell` (A1) are None for a finding about a whole tab; `row_key` is what
    identifies the row whatever its place: "order code|result code" in the main tab, the code elsewhere.
    """

    rule: str
    severity: Severity
    tab: str
    sheet: str
    row: int | None
    column: str | None
    cell: str | None
    row_key: str
    field: str | None
    code: str
    value: str
    message: str
    suggestion: str | None
    related: tuple[str, ...]
    waived: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the finding as the JSON object of `jdv check`."""
        return self._asdict() | {"severity": self.severity.value, "related": list(self.related)}


class Problem(NamedTuple):
    """What a rule's function yields: facts and a place; the engine adds severity, address and sentence.

    `tab` is a tab key. The place is the `field` of a `record`, or `row` and `column` numbers where there is no record
    (structure), or the tab alone. `message` names the sentence of the rule file to use; `facts` fill its gaps, beside
    `value`, `suggestion`, `code`, `label` and `related`, which are always there. `value` is the cell's text unless given.
    """

    tab: str
    record: Record | None = None
    field: str | None = None
    row: int | None = None
    column: int | None = None
    sheet: str | None = None
    value: str | None = None
    code: str | None = None
    suggestion: str | None = None
    related: tuple[str, ...] = ()
    message: str = "default"
    facts: Mapping[str, object] = MappingProxyType({})

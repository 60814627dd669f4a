"""What the meeting decided on the change requests, and what it retained in the place of what was asked.

Decisions stand in the tab « Instruction » that `jdv triage review` writes, read by `rules/layouts/instruction.yaml`, or in
the columns « Décision » and « Statut » of a plain register. Their words are those of `rules/decisions.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from jdv_qa.errors import RuleFileError, WorkbookError
from jdv_qa.language import french_spaces, say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory
from jdv_qa.terminology.codes import CodeForm, is_loinc, is_pending, read_code
from jdv_qa.terminology.labels import fold
from jdv_qa.terminology.units import read_unit, says_no_unit
from jdv_qa.triage.conventions import first_meant
from jdv_qa.triage.requests import CREATE, MODIFY, REFERENCE_OBJECTS, REMOVE, Register, Request, read_requests
from jdv_qa.triage.value_set import COLUMNS
from jdv_qa.workbook.layout import Layout, load_layout, match_tabs
from jdv_qa.workbook.read import find_columns, text_of
from jdv_qa.workbook.sheets import RawSheet, read_sheets

LAYOUT = "instruction"

Ruling: TypeAlias = Literal["accepted", "refused", "postponed", "awaiting-loinc", ""]
RULINGS: tuple[Ruling, ...] = get_args(Ruling)

_CODE_FIELDS = ("loinc_code", "order_code", "result_code")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on the request `number`.

    `decision` is "" where nothing is decided or the words of `text` do not tell. `code`, `value`, `unit`: what the meeting
    retained in the place of what was asked, "" as asked. `row`: the row of the sheet where it stands.
    """

    number: str
    decision: Ruling
    text: str = ""
    code: str = ""
    value: str = ""
    unit: str = ""
    comment: str = ""
    row: int = 0


def read_decisions(
    path: str | Path, register: Register | None = None, layout: Layout | None = None
) -> tuple[Decision, ...]:
    """Read the decisions of an instruction workbook or, where it has no such tab, of a plain register.

    `register` is the file's as read already, `layout` that of the tab, by default the one that ships. Lines without a
    number are left out: they are titles. A register's « Statut » counts where its « Décision » is blank. Raises
    WorkbookError when the file cannot be read, or holds neither.
    """
    path = Path(path)
    if path.suffix.casefold() in (".xlsx", ".xlsm"):
        layout = layout or load_layout(LAYOUT)
        sheets = read_sheets(path)[1]
        name = match_tabs((raw.sheet.name for raw in sheets), layout).get(next(iter(layout.tabs)))
        if name is not None:
            return _of_instruction(path, next(raw for raw in sheets if raw.sheet.name == name), layout)
    return tuple(decision_of(request) for request in (register or read_requests(path)).requests)


def decision_of(request: Request) -> Decision:
    """Return the decision that a register's own columns give; a « Statut » that is no decision ("reçue") says nothing."""
    text = request.decision or (request.status if ruling_of(request.status) else "")
    return Decision(request.number, ruling_of(text), text, row=request.row)


def _of_instruction(path: Path, raw: RawSheet, layout: Layout) -> tuple[Decision, ...]:
    tab = next(iter(layout.tabs.values()))
    header_row, columns, _, missing = find_columns(raw, tab)
    if not header_row or {"number", "decision"} & set(missing):
        wanted = ", ".join(f"« {tab.header(name)} »" for name in ("number", "decision"))
        raise WorkbookError(
            french_spaces(
                say(
                    f"{path} : onglet « {raw.sheet.name} » : colonnes {wanted} introuvables ; reprendre l'onglet écrit par "
                    "« jdv triage review »",
                    f'{path}: tab "{raw.sheet.name}": columns {wanted} not found; take the tab written by `jdv triage review`',
                )
            )
        )
    places = [(column.index - 1, column.field) for column in columns if column.field]
    found = []
    for row, cells in enumerate(raw.rows[header_row:], header_row + 1):
        texts = {name: " ".join(text_of(cells[place]).split()) for place, name in places if place < len(cells)}
        if not texts.get("number"):
            continue
        text = texts.get("decision", "")
        kept = {name: texts.get(name, "") for name in ("code", "value", "unit", "comment")}
        found.append(Decision(texts["number"], ruling_of(text), text, row=row, **kept))
    return tuple(found)


def ruling_of(text: str) -> Ruling:
    """Return what a decision says, "" when its words do not tell.

    >>> ruling_of("Acceptée"), ruling_of("non retenue"), ruling_of("oui, sous réserve de l'unité")
    ('accepted', 'refused', '')
    """
    if not text.strip():
        return ""
    words, unclear = _words()
    folded = fold(text)
    if any(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z])", folded) or word == folded[-1:] for word in unclear):
        return ""
    return next((ruling for ruling in RULINGS if ruling == first_meant(text, words)), "")


@lru_cache(maxsize=1)
def _words() -> tuple[Mapping[str, tuple[str, ...]], tuple[str, ...]]:
    path = rules_directory() / "decisions.yaml"
    try:
        content: Any = read_yaml(path)
        stems = {str(key): tuple(map(fold, texts)) for key, texts in content["decisions"].items()}
        if set(stems) != set(RULINGS) - {""}:
            raise KeyError("decisions")
        return stems, tuple(map(fold, content["unclear"]))
    except (OSError, UnreadableYaml, KeyError, TypeError, AttributeError) as error:
        raise RuleFileError(
            say(
                f"{path} : clé absente ou mal écrite ({error})",
                f"{path}: key missing or badly written ({error})",
            )
        ) from None


@dataclass(frozen=True, slots=True)
class Retained:
    """A request as the meeting retained it. `unclear`: a retained value of which the field cannot be told, or ""."""

    request: Request
    unclear: str = ""


def retained(request: Request, decision: Decision) -> Retained:
    """Return the request with the code, the value and the unit that the meeting retained.

    A retained code takes the place of the code asked for; where a code in the place of another is asked for, or a code for
    a pending one, it is the new code. A retained value takes the place of the value of a modification; of a creation it is
    the unit of the result, the label of an entry of reference or of an order, the act of an alignment.
    """
    if decision.code:
        request = _with_code(request, decision.code)
    if decision.unit:
        same = request.kind == MODIFY and request.target_field == "unit"
        request = replace(request, unit=decision.unit, asked=decision.unit if same else request.asked)
    return _with_value(request, decision.value) if decision.value else Retained(request)


def is_recoding(request: Request) -> bool:
    """Tell whether a request asks for a code in the place of another one."""
    if request.kind != MODIFY or request.object in (*REFERENCE_OBJECTS, "nabm"):
        return False
    forms = (CodeForm.LOINC, CodeForm.WRONG_DIGIT, CodeForm.LOOK_ALIKE)
    return request.target_field in _CODE_FIELDS or (
        not request.target_field and bool(request.asked) and read_code(request.asked).form in forms
    )


def _with_code(request: Request, code: str) -> Request:
    if is_recoding(request):
        return replace(request, asked=code)
    assigned = is_pending(request.code) and is_loinc(code)
    if assigned and request.object == "code" and request.kind in (CREATE, MODIFY):
        return replace(request, kind=MODIFY, target_field="loinc_code", asked=code)
    return replace(request, code=code)


def _with_value(request: Request, value: str) -> Retained:
    if request.kind == REMOVE and not request.target_field:
        return Retained(request, value)
    if request.kind == MODIFY or (request.kind == CREATE and request.asked and request.object not in REFERENCE_OBJECTS):
        if request.target_field or request.object in REFERENCE_OBJECTS:
            return Retained(replace(request, asked=value))
        said = [field for column, field in COLUMNS.items() if getattr(request, column)]
        return (
            Retained(replace(request, target_field=said[0], asked=value))
            if len(said) == 1
            else Retained(request, value)
        )
    if request.object in REFERENCE_OBJECTS:
        return Retained(replace(request, label=value))
    if request.object == "nabm":
        return Retained(replace(request, nabm=value, asked=""))
    if request.object == "order":
        return Retained(replace(request, display=value))
    if read_unit(value) is not None or says_no_unit(value):
        return Retained(replace(request, unit=value))
    return Retained(request, value)


def by_number(requests: Iterable[Request], decisions: Iterable[Decision]) -> dict[int, Decision | None]:
    """Return place of a request -> its decision, matched by number; None where there is none.

    Requests that share a number share a decision when all lines of that number say the same; else theirs is one whose
    ruling is "" and whose text tells so.
    """
    requests = list(requests)
    lines: dict[str, list[Decision]] = {}
    for decision in decisions:
        lines.setdefault(decision.number, []).append(decision)
    times = Counter(request.number for request in requests)
    found: dict[int, Decision | None] = {}
    for place, request in enumerate(requests):
        own = lines.get(request.number, [])
        at_row = [decision for decision in own if decision == decision_of(request)]
        alike = {(one.decision, one.code, one.value, one.unit) for one in own}
        if len(alike) > 1 and len(at_row) == 1:
            found[place] = at_row[0]
        elif len(alike) > 1 or (own and times[request.number] > 1 and any((own[0].code, own[0].value, own[0].unit))):
            found[place] = replace(own[0], decision="", text=" / ".join(dict.fromkeys(one.text or "–" for one in own)))
        else:
            found[place] = own[0] if own else None
    return found

"""`jdv fix`: the proposals whose result is certain, written into a copy of the workbook.

Which are certain is told by `rules/fixes.yaml`. A fix stays only where the rules, run again on the fixed workbook, no longer
report what it mends and report nothing new; the others are left to people, with the reason.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.cells import REFERENCES, fold_letters
from jdv_qa.checks.engine import LABEL_OF, Context, Report
from jdv_qa.checks.finding import Finding
from jdv_qa.checks.units import units_meant
from jdv_qa.errors import RuleFileError
from jdv_qa.language import say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory
from jdv_qa.terminology.codes import is_loinc
from jdv_qa.workbook.editing import WorkbookEdit
from jdv_qa.workbook.edition import Edition, column_number
from jdv_qa.workbook.layout import Layout
from jdv_qa.workbook.sheets import RawSheet, Reader, read_with_calamine, with_texts

_KEYS = {"rule", "fields", "units", "proof", "alone"}
_MOST_ROUNDS = 12
_BLANKS = re.compile(r"[\s\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]+")


class Reason(StrEnum):
    """Why a proposal is left to people."""

    UNSAFE = "unsafe"
    UNITS = "units"
    RICH_TEXT = "rich-text"
    NEW_FINDING = "new-finding"


@dataclass(frozen=True, slots=True)
class CertainFix:
    """What makes the proposals of a rule certain, as in `rules/fixes.yaml`; no fields are all fields."""

    rule: str
    fields: frozenset[str] = frozenset()
    units: bool = False
    proof: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Fix:
    """A cell that is fixed; `column` counts from 1, `before` and `after` are texts, "" for a blank cell."""

    rules: tuple[str, ...]
    tab: str
    sheet: str
    row: int
    column: int
    cell: str
    field: str
    code: str
    before: str
    after: str

    @property
    def place(self) -> tuple[str, int, int]:
        """Where the cell is."""
        return self.sheet, self.row, self.column


@dataclass(frozen=True, slots=True)
class Left:
    """A proposal that is not carried out, and why; `brings` are the rules that would have had something new to report."""

    finding: Finding
    reason: Reason
    brings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fixing:
    """What was done: the fixes in the order of the workbook, what is left, the reports, and the fixed workbook's bytes."""

    before: Report
    after: Report
    fixes: tuple[Fix, ...]
    left: tuple[Left, ...]
    content: bytes

    @cached_property
    def refused(self) -> tuple[Left, ...]:
        """The certain proposals that could not be carried out."""
        return tuple(left for left in self.left if left.reason in (Reason.RICH_TEXT, Reason.NEW_FINDING))


@dataclass(frozen=True, slots=True)
class FixRules:
    """What `rules/fixes.yaml` says. `held_back_by`: rules whose uncertain proposal keeps the same one of others back."""

    certain: tuple[CertainFix, ...]
    held_back_by: frozenset[str]


@lru_cache
def load_fixes(path: Path | None = None) -> FixRules:
    """Return what `rules/fixes.yaml` says. Raises RuleFileError on an unknown key, rule or proof."""
    source = path or rules_directory() / "fixes.yaml"
    try:
        content = read_yaml(source)
        for entry in content["fixes"]:
            if unknown_keys := sorted(set(entry) - _KEYS):
                raise _wrong(source, unknown_keys[0])
        fixes = [
            CertainFix(
                str(entry["rule"]), frozenset(entry.get("fields", ())), bool(entry.get("units", False)),
                tuple(entry.get("proof", ())), bool(entry.get("alone", False)),
            )
            for entry in content["fixes"]
        ]  # fmt: skip
        held_back_by = frozenset(map(str, content.get("held_back_by", ())))
    except (UnreadableYaml, FileNotFoundError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(source, str(error)) from None
    for rule in (*(fix.rule for fix in fixes), *held_back_by):
        if rule not in load_catalogue():
            raise _wrong(source, rule)
    for fix in fixes:
        if unknown := set(fix.proof) - set(_PROOFS):
            raise _wrong(source, min(unknown))
    return FixRules(tuple(fixes), held_back_by)


def _wrong(path: Path, key: str) -> RuleFileError:
    return RuleFileError(
        say(f"{path} : « {key} » absent, inconnu ou mal écrit", f"{path}: `{key}` missing, unknown or badly written")
    )


# --------------------------------------------------------------------------------------------------------- what is certain


class _Judge:
    """Tells which findings have a certain proposal, and what proves it."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @cached_property
    def units(self) -> Mapping[tuple[int, str], str]:
        """The units that can mean but one, by row and field."""
        return units_meant(self.context)

    @cached_property
    def labels(self) -> Mapping[tuple[str, str], set[str]]:
        """(field, code) -> the labels that rows here and in earlier versions give it."""
        labels: dict[tuple[str, str], set[str]] = {}
        for edition in (self.context.edition, *self.context.earlier):
            for record in edition.main.records:
                for name, label in LABEL_OF.items():
                    if record[name]:
                        labels.setdefault((name, record[name]), set()).add(record[label])
        return labels

    def certain(self, finding: Finding) -> CertainFix | None:
        """Return what makes the proposal of a finding certain, None where nothing does."""
        for entry in load_fixes().certain:
            if (
                entry.rule == finding.rule
                and (not entry.fields or finding.field in entry.fields)
                and (not entry.proof or any(_PROOFS[name](self, finding) for name in entry.proof))
                and (not entry.alone or self._is_alone(finding))
            ):
                return entry
        return None

    def _is_alone(self, finding: Finding) -> bool:
        """Tell whether but one of the possible codes can be meant: no other is known to LOINC, or has the row's label."""
        if not finding.related:
            return True
        codes = (finding.suggestion or "", *finding.related)
        if (loinc := self.context.loinc) is not None:
            return [code for code in codes if code in loinc.terms] == [finding.suggestion]
        label = LABEL_OF.get(finding.field or "")
        record = next((one for one in self.context.edition.records(finding.tab) if one.row == finding.row), None)
        if label is None or record is None or not record[label]:
            return False
        fields = tuple(LABEL_OF)
        return [
            code for code in codes if any(record[label] in self.labels.get((name, code), ()) for name in fields)
        ] == [finding.suggestion]


def _has_check_digit(judge: _Judge, finding: Finding) -> bool:
    return is_loinc(finding.suggestion or "")


def _differs_by_dashes(judge: _Judge, finding: Finding) -> bool:
    plain = re.sub(r"[\u2010-\u2015\u2212\u00ad\ufe58\ufe63\uff0d]", "-", finding.value)
    return _BLANKS.sub("", plain) == finding.suggestion


def _differs_by_spaces(judge: _Judge, finding: Finding) -> bool:
    return _BLANKS.sub("", finding.value) == _BLANKS.sub("", finding.suggestion or "")


def _is_decimal(judge: _Judge, finding: Finding) -> bool:
    return (
        finding.value.count(".") == 1
        and finding.value.replace(".", "-") == finding.suggestion
        and is_loinc(finding.suggestion)
    )


def _differs_by_zeros(judge: _Judge, finding: Finding) -> bool:
    before, after = (re.split(r"[;\s]+", text.strip()) for text in (finding.value, finding.suggestion or ""))
    return len(before) == len(after) and all(
        old.isdigit() and old.zfill(len(new)) == new for old, new in zip(before, after, strict=True)
    )


def _is_listed(judge: _Judge, finding: Finding) -> bool:
    tab = REFERENCES.get(finding.field or "") if finding.tab == "main" else None
    if tab is None or fold_letters(finding.value).casefold() != (finding.suggestion or "").casefold():
        return False
    return any(record["code"] == finding.suggestion for record in judge.context.edition.records(tab))


def _lost_nothing(judge: _Judge, finding: Finding) -> bool:
    return "\ufffd" not in finding.value


def _has_one_meaning(judge: _Judge, finding: Finding) -> bool:
    return judge.units.get((finding.row or 0, finding.field or "")) == finding.suggestion


_PROOFS: Mapping[str, Callable[[_Judge, Finding], bool]] = {
    "check-digit": _has_check_digit,
    "dashes": _differs_by_dashes,
    "spaces": _differs_by_spaces,
    "decimal": _is_decimal,
    "zeros": _differs_by_zeros,
    "listed": _is_listed,
    "nothing-lost": _lost_nothing,
    "one-meaning": _has_one_meaning,
}


def _sorted_out(
    report: Report, context: Context, edit: WorkbookEdit, *, units: bool
) -> tuple[dict[tuple[str, int, int], Fix], list[Left]]:
    """Return the certain fixes by cell, one a cell, and the proposals that are not certain."""
    judge = _Judge(context)
    proposals = [finding for finding in report.findings if finding.suggestion is not None and not finding.waived]
    verdicts = [(finding, judge.certain(finding)) for finding in proposals if finding.cell]
    holding = load_fixes().held_back_by
    doubted = {
        (finding.sheet, finding.cell, finding.suggestion)
        for finding, entry in verdicts
        if entry is None and finding.rule in holding
    }
    fixes: dict[tuple[str, int, int], Fix] = {}
    left: list[Left] = [Left(finding, Reason.UNSAFE) for finding in proposals if not finding.cell]
    for finding, entry in verdicts:
        if entry is None or (finding.sheet, finding.cell, finding.suggestion) in doubted:
            left.append(Left(finding, Reason.UNSAFE))
            continue
        if entry.units and not units:
            left.append(Left(finding, Reason.UNITS))
            continue
        fix = _fix_of(finding)
        if edit.is_rich(*fix.place):
            left.append(Left(finding, Reason.RICH_TEXT))
        elif (same := fixes.get(fix.place)) is None:
            fixes[fix.place] = fix
        elif same.after == fix.after:
            fixes[fix.place] = replace(same, rules=(*same.rules, *fix.rules))
    return fixes, left


def _fix_of(finding: Finding) -> Fix:
    assert finding.row is not None and finding.column is not None and finding.cell is not None
    return Fix(
        (finding.rule,), finding.tab, finding.sheet, finding.row, column_number(finding.column), finding.cell,
        finding.field or "", finding.code, finding.value, finding.suggestion or "",
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- trying them out


Check = Callable[[Path, tuple[str, ...], Reader | None], Report]
"""Reads a workbook, by a reader of its own where one is given, and runs rules on it: those of some ids, or all if none is."""


def fix_workbook(
    path: Path,
    check: Check,
    layout: Layout,
    *,
    earlier: Iterable[Edition] = (),
    units: bool = False,
    stage: Callable[[str], None] = lambda _: None,
) -> Fixing:
    """Fix what is certain in a workbook, in memory; the file itself is never changed.

    `check` must give the same report for the same bytes; `units` carries out the unmistakable spellings of units too;
    `stage` is told what is being done. Raises WorkbookError as reading does.
    """
    earlier = tuple(earlier)
    stage(say("Contrôle", "Checking"))
    first = check(path, (), None)
    with tempfile.TemporaryDirectory() as folder:
        for in_memory in (True, False):
            trial = _Trial(path, check, Path(folder) / path.name, in_memory=in_memory)
            done, refused, foretold = _tried_out(trial, first, layout, earlier, units=units, stage=stage)
            content = trial.content(done)
            report = trial.read_back(content) if done else first
            # what is written must read as it did in memory; should it not, every trial is read back from a file
            if report.findings == foretold.findings:
                break
    certain, left = _sorted_out(report, Context(report.edition, layout, earlier, report.loinc), trial.edit, units=units)
    for finding in report.findings:
        if finding.cell and not finding.waived and finding.row and finding.column:
            refusal = certain.get((finding.sheet, finding.row, column_number(finding.column)))
            if refusal is not None and finding.rule in refusal.rules:
                brings = refused.get((*refusal.place, refusal.after), ())
                left.append(Left(finding, Reason.NEW_FINDING, brings))
    sheets = [sheet.name for sheet in first.edition.sheets]
    fixes = sorted(
        (fix for fix in done.values() if fix.before != fix.after),
        key=lambda fix: (sheets.index(fix.sheet), fix.row, fix.column),
    )
    order = {id(finding): number for number, finding in enumerate(report.findings)}
    left.sort(key=lambda one: order[id(one.finding)])
    return Fixing(first, report, tuple(fixes), tuple(left), content)


def _tried_out(
    trial: _Trial,
    report: Report,
    layout: Layout,
    earlier: tuple[Edition, ...],
    *,
    units: bool,
    stage: Callable[[str], None],
) -> tuple[dict[tuple[str, int, int], Fix], _Refused, Report]:
    """Return the fixes that do no harm, those that do, and the report with the former made, from the report without any."""
    done: dict[tuple[str, int, int], Fix] = {}
    refused: _Refused = {}
    for _ in range(_MOST_ROUNDS):
        context = Context(report.edition, layout, earlier, report.loinc)
        certain, _ = _sorted_out(report, context, trial.edit, units=units)
        new = [fix for fix in certain.values() if (*fix.place, fix.after) not in refused]
        if not new:
            break
        stage(say("Essai des corrections", "Trying the fixes out"))
        kept, latest = trial.harmless(done, report, new, refused)
        if kept:
            # a fix that did harm beside those of its round may do none beside what is now kept
            refused.clear()
            for fix in kept:
                done[fix.place] = _joined(done.get(fix.place), fix)
            report = latest
    return done, refused, report


def _joined(before: Fix | None, fix: Fix) -> Fix:
    """Return two fixes of one cell, one after the other, as one."""
    if before is None:
        return fix
    return replace(fix, rules=tuple(dict.fromkeys((*before.rules, *fix.rules))), before=before.before)


_Fixes = Mapping[tuple[str, int, int], Fix]
"""Fixes by the place of their cells."""

_Refused = dict[tuple[str, int, int, str], tuple[str, ...]]
"""Place and text of a fix that was refused -> the rules that had something against it."""


class _Trial:
    """A workbook on which fixes are tried out: on its cells in memory, or on a copy that is written and read back."""

    def __init__(self, path: Path, check: Check, place: Path, *, in_memory: bool) -> None:
        self.path, self.check, self.place, self.in_memory = path, check, place, in_memory
        self.edit = WorkbookEdit(path)

    @cached_property
    def sheets(self) -> list[RawSheet]:
        """The workbook's sheets, as read."""
        return read_with_calamine(self.path.read_bytes())

    def content(self, fixes: _Fixes) -> bytes:
        """Return the bytes of the workbook with fixes made."""
        edit = WorkbookEdit(self.path)
        for fix in fixes.values():
            edit.put_text(*fix.place, fix.after or None)
        return edit.content()

    def harmless(self, done: _Fixes, base: Report, fixes: Sequence[Fix], refused: _Refused) -> tuple[list[Fix], Report]:
        """Return those of some fixes that mend what they should and bring nothing new, and the report with them made.

        The others go to `refused`, with the rules that complain. Who is at fault is found by running those rules alone.
        """
        kept = list(fixes)
        complaining: set[str] = set()
        while kept:
            report, complaints = self._try(done, base, kept, ())
            if not complaints:
                return kept, report
            complaining |= {finding.rule for finding in complaints}
            kept = self._sifted(done, base, kept, tuple(sorted(complaining)), refused, complaints)
        return [], base

    def _try(
        self, done: _Fixes, base: Report, fixes: Sequence[Fix], rules: tuple[str, ...]
    ) -> tuple[Report, list[Finding]]:
        """Return the report with some fixes made, and what it has against them."""
        report = self._checked({**done, **{fix.place: fix for fix in fixes}}, rules)
        known = [finding for finding in base.findings if not rules or finding.rule in rules]
        return report, [*_new_findings(known, report.findings), *_unmended(report, fixes)]

    def _checked(self, fixes: _Fixes, rules: tuple[str, ...]) -> Report:
        """Return the report of some rules with fixes made."""
        if not self.in_memory:
            return self.read_back(self.content(fixes), rules)
        texts: dict[str, dict[tuple[int, int], str | None]] = {}
        for fix in fixes.values():
            texts.setdefault(fix.sheet, {})[fix.row, fix.column] = fix.after or None
        fixed = [with_texts(raw, found) if (found := texts.get(raw.sheet.name)) else raw for raw in self.sheets]
        return self.check(self.path, rules, lambda _: fixed)

    def read_back(self, content: bytes, rules: tuple[str, ...] = ()) -> Report:
        """Return the report on a workbook, written to a file."""
        self.place.write_bytes(content)
        return self.check(self.place, rules, None)

    def _sifted(
        self,
        done: _Fixes,
        base: Report,
        fixes: Sequence[Fix],
        rules: tuple[str, ...],
        refused: _Refused,
        complaints: Sequence[Finding] | None = None,
    ) -> list[Fix]:
        """Return those of some fixes that some rules have nothing against; `complaints` are what they have, if that is known.

        Fixes that share a row or a code with a complaint are tried apart from the rest; else halves are, so that one
        culprit among n costs log n checks.
        """
        if complaints is None:
            _, complaints = self._try(done, base, fixes, rules)
        if not complaints:
            return list(fixes)
        if len(fixes) == 1:
            refused[(*fixes[0].place, fixes[0].after)] = tuple(sorted({finding.rule for finding in complaints}))
            return []
        suspects = [fix for fix in fixes if any(_is_near(fix, finding) for finding in complaints)]
        if not 0 < len(suspects) < len(fixes):
            suspects = list(fixes[len(fixes) // 2 :])
        others = [fix for fix in fixes if fix not in suspects]
        kept = self._sifted(done, base, others, rules, refused)
        known = complaints if len(kept) == len(others) else None  # beside all the others they were tried just now
        beside = {**done, **{fix.place: fix for fix in kept}}
        return kept + self._sifted(beside, base, suspects, rules, refused, known)


def _by_place(finding: Finding) -> tuple[str, str, int, str, str]:
    return finding.rule, finding.sheet, finding.row or 0, finding.column or "", finding.field or ""


def _new_findings(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """Return the findings that were not there before.

    A mended value may change a finding's sentence, and a finding that is told once, where a code or a spelling is first
    met, may move: each is known again by its rule and place, or else by its rule, value and proposal.
    """
    left = list(after)
    known = list(before)
    for key in (_by_place, _by_value):
        counts = Counter(map(key, known))
        unknown, matched = [], Counter[object]()
        for finding in left:
            if counts[key(finding)] > matched[key(finding)]:
                matched[key(finding)] += 1
            else:
                unknown.append(finding)
        left, rest = unknown, []
        for finding in known:
            if matched[key(finding)] > 0:
                matched[key(finding)] -= 1
            else:
                rest.append(finding)
        known = rest
    return left


def _by_value(finding: Finding) -> tuple[str, ...]:
    return finding.rule, finding.sheet, finding.field or "", finding.value, finding.suggestion or ""


def _unmended(report: Report, fixes: Iterable[Fix]) -> list[Finding]:
    """Return the findings that some fixes were to mend and that are still there."""
    wanted = {(rule, *fix.place) for fix in fixes for rule in fix.rules}
    return [
        finding
        for finding in report.findings
        if finding.column and (finding.rule, finding.sheet, finding.row, column_number(finding.column)) in wanted
    ]


def _is_near(fix: Fix, finding: Finding) -> bool:
    return (fix.sheet, fix.row) == (finding.sheet, finding.row) or fix.after in (
        finding.code, finding.value, finding.suggestion, *finding.row_key.split("|"), *finding.related,
    )  # fmt: skip

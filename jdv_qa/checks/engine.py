"""The engine: runs the rules on an Edition and turns what they yield into findings.

A rule ends in one of four ways, and the report tells which: clean, findings, skipped (and why), crashed (the report is then
not a pass).
"""

from __future__ import annotations

import importlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from jdv_qa import beside
from jdv_qa.checks import schema_process
from jdv_qa.checks.baseline import Baseline, Key
from jdv_qa.checks.catalogue import Rule, load_catalogue, text
from jdv_qa.checks.finding import Finding, Problem, Severity
from jdv_qa.checks.profiles import Profile, load_profile
from jdv_qa.checks.schemas import SchemaError, Validation
from jdv_qa.checks.waivers import Stale, Waiver, apply_waivers
from jdv_qa.errors import JdvError, WorkbookError
from jdv_qa.language import say
from jdv_qa.workbook.edition import ORDER_FIELDS, Cell, Edition, Entities, Entity, Record, Table, column_letter
from jdv_qa.workbook.layout import Layout, load_layout

if TYPE_CHECKING:
    from jdv_qa.checks.notes import Told
    from jdv_qa.compare.model import Comparison
    from jdv_qa.terminology.loinc import LoincRelease
    from jdv_qa.terminology.nabm import Nabm

MODULES = {
    "STR": "structure", "CEL": "cells", "COD": "codes", "TYP": "order_types", "ATT": "pending", "UNI": "units",
    "LAB": "labels", "CMP": "comparability", "REF": "references", "NAB": "nabm", "GRP": "rows", "LNC": "loinc",
    "VER": "previous", "SOM": "summary", "DER": "exceptions",
}  # fmt: skip
"""Family -> its module; importing that registers its rules, which is done when one of them is to run."""
APART = frozenset(("LAB", "UNI"))
"""Families that may be run in a copy of the process: about half of the work, and those that make labels out."""
WORTH_A_COPY = 500
"""Rows from which running them apart takes less time than making a copy."""


@dataclass(frozen=True)
class Context:
    """What a rule may look at: the Edition; the earlier versions, the LOINC release and the NABM when they are given."""

    edition: Edition
    layout: Layout
    earlier: tuple[Edition, ...] = ()
    """Earlier versions, the previous one first."""
    loinc: LoincRelease | None = None
    nabm: Nabm | None = None
    waivers: tuple[Waiver, ...] | None = None
    """The waivers of the maintainers; None when there is no file of them."""

    @property
    def stale(self) -> tuple[Stale, ...]:
        """The waivers that had no effect, once they have been applied."""
        stale: tuple[Stale, ...] = vars(self).get("stale_waivers", ())
        return stale

    @property
    def previous(self) -> Edition | None:
        """The previous version."""
        return self.earlier[0] if self.earlier else None

    @cached_property
    def comparison(self) -> Comparison:
        """What changed since the previous version, compared once, as `jdv diff` does; for rules that need that version."""
        from jdv_qa.compare.compare import compare

        assert self.previous is not None
        return compare(self.previous, self.edition, loinc=self.loinc)

    @cached_property
    def told(self) -> Told:
        """What tab 9 tells of those changes; for rules that need the previous version."""
        from jdv_qa.checks.notes import read_told

        assert self.previous is not None
        return read_told(self.edition, self.previous, self.comparison, self.layout)

    def ask_schemas(self) -> Validation:
        """Put the Table Schemas of all tabs to frictionless, once; `schema_errors` has what it finds."""
        return once(self, "validation", lambda: Validation(self.edition.tables.values()))

    @cached_property
    def schema_errors(self) -> Mapping[str, tuple[SchemaError, ...]]:
        """The errors of all Table Schemas, by the rule that reports them."""
        found: dict[str, list[SchemaError]] = {}
        for error in self.ask_schemas().errors():
            found.setdefault(error.rule, []).append(error)
        return {rule: tuple(errors) for rule, errors in found.items()}


_Found = TypeVar("_Found")


def once(context: Context, name: str, find: Callable[[], _Found]) -> _Found:
    """Return what several rules need of a context; it is found once and kept with the context's own cached properties."""
    kept = vars(context)
    if name not in kept:
        kept[name] = find()
    found: _Found = kept[name]
    return found


RuleFunction = Callable[[Context, Mapping[str, Any]], Iterable[Problem]]
_functions: dict[str, RuleFunction] = {}
_patient: set[str] = set()


class CannotRun(Exception):
    """Raised by a rule that finds that it lacks what it needs; the reason goes into the report, the rule counts as skipped."""


def rule(identifier: str, *, after_schemas: bool = False) -> Callable[[RuleFunction], RuleFunction]:
    """Register a function as the rule of that id. It is given the context and the rule's parameters, and yields problems.

    `after_schemas`: it looks at `Context.schema_errors`, which another process is busy finding: it had better run late.
    """

    def register(function: RuleFunction) -> RuleFunction:
        if identifier in _functions:
            raise ValueError(f"{identifier} is registered twice")
        _functions[identifier] = function
        if after_schemas:
            _patient.add(identifier)
        return function

    return register


def rule_functions(families: Iterable[str] = MODULES) -> dict[str, RuleFunction]:
    """Return the functions of the rules of some families, of all unless told, by id."""
    for family in families:
        importlib.import_module(f"jdv_qa.checks.{MODULES[family]}")
    return _functions


class NotRun(NamedTuple):
    """A rule that did not run, or broke down, and the reason."""

    rule: str
    reason: str


_Placed = tuple[tuple[int, int, int, str], Finding]
"""A finding and its place in the workbook: sheet, row, column, rule."""


@dataclass(frozen=True)
class Report:
    """What a check found. `findings` are in the order of the workbook: tab, row, column, rule."""

    edition: Edition
    findings: tuple[Finding, ...]
    rules: Mapping[str, Rule]
    run: tuple[str, ...]
    skipped: tuple[NotRun, ...] = ()
    crashed: tuple[NotRun, ...] = ()
    loinc: LoincRelease | None = None
    profile: str = ""
    baseline: Baseline | None = None
    waivers: tuple[Waiver, ...] = ()

    @cached_property
    def summary(self) -> dict[str, int]:
        """The number of findings of each severity, waived ones apart."""
        counts = Counter("waived" if finding.waived else finding.severity.value for finding in self.findings)
        return {key: counts[key] for key in ("error", "warning", "info", "waived")}

    @cached_property
    def news(self) -> tuple[list[Finding], list[Finding], Counter[Key]]:
        """Findings new since the baseline, those known to it, and the keys of those gone; all are new without a baseline."""
        open_findings = [finding for finding in self.findings if not finding.waived]
        return self.baseline.split(open_findings) if self.baseline else (open_findings, [], Counter())

    def fails(self, severity: Severity | None) -> bool:
        """Tell whether a new finding that is not waived has that severity or a graver one; None never fails."""
        return severity is not None and any(finding.severity.rank >= severity.rank for finding in self.news[0])


def select_rules(profile: Profile, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> dict[str, Rule]:
    """Return the rules to run, as the profile wants them: those that begin with a word of `select`, none of `ignore`'s.

    Raises JdvError for a word that no rule begins with.
    """
    catalogue = load_catalogue()
    selected, ignored = [word.upper() for word in select], [word.upper() for word in ignore]
    for word in (*selected, *ignored):
        if not any(identifier.startswith(word) for identifier in catalogue):
            raise JdvError(
                say(
                    f"aucune règle ne commence par « {word} » ; « jdv rules » en donne la liste",
                    f"no rule begins with `{word}`; `jdv rules` lists them",
                )
            )
    chosen = {}
    for identifier, described in catalogue.items():
        if selected and not identifier.startswith(tuple(selected)):
            continue
        if ignored and identifier.startswith(tuple(ignored)):
            continue
        if (wanted := profile.apply(described)) is not None:
            chosen[identifier] = wanted
    return chosen


def prepare(profile: Profile, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> None:
    """Load what the rules chosen need whatever the workbook, for whoever waits for the workbook meanwhile.

    Raises JdvError as `select_rules` does.
    """
    families = {wanted.family for wanted in select_rules(profile, select, ignore).values()}
    rule_functions(family for family in families if family not in ("LNC", "VER"))  # seldom: they need what few give
    if {"UNI", "LAB"} & families:
        from jdv_qa.terminology.labels import axis_table
        from jdv_qa.terminology.properties import properties

        axis_table()
        properties()


def check(
    edition: Edition,
    *,
    layout: Layout | None = None,
    earlier: Iterable[Edition] = (),
    loinc: LoincRelease | None = None,
    nabm: Nabm | None = None,
    waivers: Iterable[Waiver] | None = None,
    baseline: Baseline | None = None,
    profile: Profile | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    on_rule: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Run the rules of a profile on an Edition.

    `earlier` has the previous version first, then older ones. Findings that a waiver covers stay in the report, marked; with
    a `baseline` only what is new since then counts for `Report.fails`. `on_rule` is called before each rule with its id, the
    number of those run before it, and of all. Rules that do not concern the form of the workbook, such as those of orders and
    results in one that is a single table, are left out. Raises JdvError where that leaves none, WorkbookError for an Edition of
    another kind altogether.
    """
    if edition.tables.keys().isdisjoint(("main", "terms")):
        raise WorkbookError(
            say(
                f"{edition.source.path} : la mise en page « {edition.layout} » n'a pas de règles de contrôle ; "
                "« jdv info », « jdv export » et « jdv diff » la lisent",
                f"{edition.source.path}: there are no rules for the layout `{edition.layout}`; "
                "`jdv info`, `jdv export` and `jdv diff` read it",
            )
        )
    profile = profile or load_profile()
    chosen = select_rules(profile, select, ignore)
    rules = {identifier: wanted for identifier, wanted in chosen.items() if edition.leading.key in wanted.tabs}
    if chosen and not rules:
        raise JdvError(
            say(
                f"aucune des règles choisies ne concerne la mise en page « {edition.layout} »",
                f"none of the rules chosen concerns the layout `{edition.layout}`",
            )
        )
    context = Context(
        edition, layout or load_layout(), tuple(earlier), loinc, nabm, None if waivers is None else tuple(waivers)
    )
    if loinc is not None:
        loinc.read_ahead((*edition.orders, *edition.results))
    work = _Work(context, rules, on_rule)
    last = [identifier for identifier in rules if identifier.startswith("DER")]
    first = sorted((identifier for identifier in rules if identifier not in last), key=_patient.__contains__)
    many = len(edition.leading.records) >= WORTH_A_COPY
    apart = [identifier for identifier in first if many and identifier[:3] in APART]
    ended_apart = beside.begin(lambda: work.run(apart)) if apart else _Ended
    if schema_process.is_begun():
        context.ask_schemas()
    ended = work.run([identifier for identifier in first if identifier not in apart]).and_(ended_apart())
    findings, stale = apply_waivers(
        [finding for _, finding in sorted(ended.found, key=lambda placed: placed[0])],
        context.waivers or (), rules, ended.run, edition.identity.version,
    )  # fmt: skip
    vars(context)["stale_waivers"] = tuple(stale)
    at_last = work.run(last)
    findings.extend(finding for _, finding in at_last.found)
    ended = ended.and_(at_last)
    place = {identifier: number for number, identifier in enumerate(rules)}
    return Report(
        edition, tuple(findings), rules,
        tuple(sorted(ended.run, key=place.__getitem__)),
        tuple(sorted(ended.skipped, key=lambda item: place[item.rule])),
        tuple(sorted(ended.crashed, key=lambda item: place[item.rule])),
        loinc, profile.name, baseline, tuple(context.waivers or ()),
    )  # fmt: skip


class _Ended(NamedTuple):
    """How rules ended, and what they found."""

    run: tuple[str, ...] = ()
    skipped: tuple[NotRun, ...] = ()
    crashed: tuple[NotRun, ...] = ()
    found: tuple[_Placed, ...] = ()

    def and_(self, others: _Ended) -> _Ended:
        """Return how these rules and others ended."""
        return _Ended(
            self.run + others.run,
            self.skipped + others.skipped,
            self.crashed + others.crashed,
            self.found + others.found,
        )


class _Work:
    """Runs rules of a check."""

    def __init__(
        self, context: Context, rules: Mapping[str, Rule], on_rule: Callable[[str, int, int], None] | None
    ) -> None:
        self._context, self._rules, self._on_rule = context, rules, on_rule
        self._reasons = {identifier: _reason_to_skip(wanted, context) for identifier, wanted in rules.items()}
        self._functions = rule_functions(
            {wanted.family for wanted in rules.values() if self._reasons[wanted.id] is None}
        )
        self._telling = _Telling(context)
        self._begun = 0

    def run(self, identifiers: Iterable[str]) -> _Ended:
        """Run rules, and tell how they ended. Raises JdvError where what the rules are given turns out to be damaged."""
        ended = _Ended()
        for identifier in identifiers:
            if self._on_rule is not None:
                self._on_rule(identifier, self._begun, len(self._rules))
            self._begun += 1
            ended = ended.and_(self._run(self._rules[identifier]))
        return ended

    def _run(self, wanted: Rule) -> _Ended:
        if (reason := self._reasons[wanted.id]) is not None:
            return _Ended(skipped=(NotRun(wanted.id, reason),))
        try:
            problems = self._functions[wanted.id](self._context, wanted.parameters)
            return _Ended((wanted.id,), found=tuple(self._telling.findings(problems, wanted)))
        except CannotRun as lack:
            return _Ended(skipped=(NotRun(wanted.id, str(lack)),))
        except JdvError:
            raise
        except Exception as error:  # what a rule that breaks down must not hide is what the others find
            return _Ended(crashed=(NotRun(wanted.id, f"{type(error).__name__}: {error}"),))


def _reason_to_skip(wanted: Rule, context: Context) -> str | None:
    reasons = {
        "loinc": (
            context.loinc is not None,
            say("aucune version de LOINC n'est donnée (--loinc)", "no LOINC release given (--loinc)"),
        ),
        "previous": (
            context.previous is not None,
            say("la version précédente n'est pas donnée (--previous)", "no previous version given (--previous)"),
        ),
        "waivers": (
            context.waivers is not None,
            say("aucun fichier de dérogations n'est donné (--waivers)", "no file of waivers given (--waivers)"),
        ),
        "nabm": (
            context.nabm is not None,
            say("aucune table de la NABM n'est donnée (--nabm)", "no NABM table given (--nabm)"),
        ),
    }
    for need in wanted.needs:
        given, reason = reasons[need]
        if not given:
            return reason
    for place in wanted.fields:
        tab, _, name = place.partition(".")
        table = context.edition.tables.get(tab)
        header = context.layout.header(tab, name)
        if table is None or not table.header_row:
            title = context.layout.tabs[tab].name
            return say(
                f"l'onglet « {title} » manque ou n'a pas d'en-têtes", f'tab "{title}" is missing or has no header row'
            )
        if not table.has(name):
            return say(
                f"la colonne « {header} » manque dans l'onglet « {table.sheet} »",
                f'column "{header}" is missing in tab "{table.sheet}"',
            )
    return None


class _Gaps(dict[str, object]):
    def __missing__(self, key: str) -> str:
        raise LookupError(f"no fact for the gap {{{key}}}")


class _Telling:
    """Turns problems into findings: adds the place in the workbook, the severity and the sentence of the rule's file."""

    def __init__(self, context: Context) -> None:
        edition = context.edition
        self._tables = edition.tables
        self._layout = context.layout
        names = [sheet.name for sheet in edition.sheets] or [table.sheet for table in edition.tables.values()]
        self._numbers = {name: number for number, name in reversed([*enumerate(names)])}

    def findings(self, problems: Iterable[Problem], wanted: Rule) -> list[_Placed]:
        """Return the findings of a rule; its sentences are read only if it has something to say."""
        found = list(problems)
        if not found:
            return []
        sentences = {name: text(texts) for name, texts in wanted.messages.items()}
        severities = dict.fromkeys(sentences, wanted.severity) | {
            name: min(wanted.severity, severity, key=lambda one: one.rank) for name, severity in wanted.lowered.items()
        }
        return [
            self._finding(problem, wanted.id, severities[problem.message], sentences[problem.message])
            for problem in found
        ]

    def _finding(self, problem: Problem, identifier: str, severity: Severity, sentence: str) -> _Placed:
        table = self._tables.get(problem.tab)
        row, column = problem.row, problem.column
        if problem.record is not None:
            row = problem.record.row
            column = table.column_of.get(problem.field) if table and problem.field else column
        sheet = problem.sheet or (table.sheet if table else "")
        value = problem.value if problem.value is not None else _shown(problem)
        code = problem.code if problem.code is not None else _code(problem)
        facts = _Gaps(problem.facts) | {
            "value": value,
            "suggestion": problem.suggestion or "",
            "code": code,
            "label": _label(problem),
            "related": ", ".join(problem.related),
            "header": self._layout.header(problem.tab, problem.field) if problem.field else "",
            "sheet": sheet,
        }
        letter = column_letter(column) if column else None
        finding = Finding(
            identifier,
            severity,
            "summary" if problem.tab == "history" else problem.tab,  # the history of versions is a part of the Sommaire
            sheet,
            row,
            letter,
            f"{letter}{row}" if letter and row else None,
            _row_key(problem),
            problem.field,
            code,
            value,
            sentence.format_map(_Gaps(facts)),
            problem.suggestion,
            problem.related,
        )
        place = self._numbers.get(sheet, len(self._numbers))
        return (place, row or 0, column or 0, identifier), finding


def _shown(problem: Problem) -> str:
    if problem.record is None or problem.field is None:
        return ""
    cell: Cell = problem.record.cell(problem.field)
    return (
        cell.raw
        if isinstance(cell.raw, str)
        else problem.record[problem.field] or ("" if cell.raw is None else str(cell.raw))
    )


def _code(problem: Problem) -> str:
    if problem.record is None:
        return ""
    if problem.tab != "main":
        return problem.record["subcode"] if problem.field in ("subcode", "sublabel") else problem.record["code"]
    return problem.record["order_code" if problem.field in ORDER_FIELDS else "result_code"]


def _label(problem: Problem) -> str:
    if problem.record is None:
        return ""
    if problem.tab != "main":
        return problem.record["label"]
    if problem.field in ORDER_FIELDS:
        return problem.record["order_label"] or problem.record["order_loinc_label"]
    return problem.record["result_display"] or problem.record["result_loinc_label"]


def _row_key(problem: Problem) -> str:
    if problem.record is None:
        return ""
    if problem.tab == "main":
        return f"{problem.record['order_code']}|{problem.record['result_code']}"
    return problem.record["code"] or problem.record["label"]


def own_cells(table: Table, fields: Iterable[str]) -> Iterator[tuple[Record, str]]:
    """Yield (record, field) for every field that has a column, the cells completed from the row above left out."""
    present = [name for name in fields if table.has(name)]
    for record in table.records:
        inherited = record.inherited
        for name in present:
            if name not in inherited:
                yield record, name


def own_texts(context: Context, tab: str, name: str) -> Mapping[str, list[Record]]:
    """Return what the own cells of a column say -> the records that say it, in order; a blank cell says "".

    Cells completed from the row above are left out. A rule that has looked at each text once need not look at each cell.
    """
    return once(context, f"texts of {tab}.{name}", lambda: _find_own_texts(context.edition.tables.get(tab), name))


def _find_own_texts(table: Table | None, name: str) -> Mapping[str, list[Record]]:
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for record in table.records if table and table.has(name) else ():
        if name not in record.inherited:
            found[record.values.get(name, "")].append(record)
    return found


def of_several_rows(entities: Entities[str]) -> Iterator[Entity]:
    """Yield the orders, or the results, that several rows carry: no other can be told two ways."""
    return (entities[key] for key, rows in entities.rows.items() if len(rows) > 1)


def owner(records: Iterable[Record], name: str) -> Record:
    """Return the first of some rows whose own cell holds a field (not one completed from above), or the first row."""
    rows = list(records)
    return next((record for record in rows if name not in record.inherited), rows[0])


CODE_FIELDS = ("order_code", "result_code")
LABEL_OF = {"order_code": "order_loinc_label", "result_code": "result_loinc_label"}
"""Code field -> the field of its LOINC label."""


def schema_problems(context: Context, identifier: str) -> Iterator[Problem]:
    """Yield a plain problem for every Table Schema error that belongs to a rule; a missing value uses the sentence "missing"."""
    for error in context.schema_errors.get(identifier, ()):
        yield Problem(
            error.tab, error.record, error.field, message="missing" if error.constraint == "required" else "default"
        )


def minority(records: Iterable[Record], name: str, key: Callable[[str], object] = str) -> tuple[str, list[Record]]:
    """Return the commonest text of a field over some rows (the first one seen, of equals) and the rows that say otherwise.

    Rows whose cell is completed from above say nothing of their own. `key` maps texts to what is compared.
    """
    rows = [record for record in records if name not in record.inherited]
    counts = Counter(key(record[name]) for record in rows)
    if not counts:
        return "", []
    common = max(counts, key=lambda value: counts[value])
    chosen = next(record[name] for record in rows if key(record[name]) == common)
    return chosen, [record for record in rows if key(record[name]) != common]

"""COD: the form of LOINC and pending codes. Each cell has one form (see `terminology.codes`), hence one finding."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jdv_qa.checks.engine import CODE_FIELDS, LABEL_OF, Context, once, own_texts, rule
from jdv_qa.checks.finding import Problem
from jdv_qa.language import say
from jdv_qa.terminology.codes import CodeForm, CodeReading, check_digit, is_loinc, read_code, with_dash
from jdv_qa.terminology.labels import fold
from jdv_qa.workbook.edition import CellKind, Record

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc import LoincRelease

LOINC_TABS = {"chapters": ("code", "subcode"), "clinical_info": ("code",), "terms": ("code",)}
"""Tabs beside the main one whose codes are LOINC or pending codes, and their fields."""


def read_code_in(tab: str, text: str) -> CodeReading:
    """Tell what the text of a code cell of a tab is: the table of terms holds LOINC codes and no pending ones."""
    reading = read_code(text)
    if tab != "terms" or reading.form not in _PENDING_FORMS:
        return reading
    if is_loinc(text) and text[0] != "0":
        return CodeReading(CodeForm.LOINC)
    if reading.form is CodeForm.PENDING_LIKE_LOINC:
        stem = text.partition("-")[0].lstrip("0")
        form = CodeForm.MALFORMED if is_loinc(text) else CodeForm.WRONG_DIGIT
        return CodeReading(form, (f"{stem}-{check_digit(stem)}",))
    dashed = with_dash(text)
    return CodeReading(CodeForm.MALFORMED, (dashed,) if dashed else ())


_PENDING_FORMS = (CodeForm.PENDING, CodeForm.PENDING_LIKE_LOINC, CodeForm.MALFORMED_PENDING)


def odd_code_cells(context: Context) -> list[tuple[str, Record, str, CodeReading]]:
    """Return (tab, record, field, reading) for every cell that should hold a LOINC or a pending code and holds neither.

    Cells that Excel turned into dates, error cells and formulas are left to the rules CEL-03 and STR-06.
    """
    return once(context, "odd_code_cells", lambda: list(_find_odd_code_cells(context)))


def _find_odd_code_cells(context: Context) -> Iterator[tuple[str, Record, str, CodeReading]]:
    for tab, fields in {"main": CODE_FIELDS, **LOINC_TABS}.items():
        for name in fields:
            for text, records in own_texts(context, tab, name).items():
                if is_loinc(text) and text[0] != "0" and len(text) < 8:
                    continue  # the usual right ones, by the short way
                reading = read_code_in(tab, text)
                if reading.form in (CodeForm.BLANK, CodeForm.LOINC, CodeForm.PENDING):
                    continue
                for record in records:
                    if record.cell(name).kind in (CellKind.TEXT, CellKind.NUMBER):
                        yield tab, record, name, reading


def problems_of(context: Context, form: CodeForm) -> Iterator[Problem]:
    """Yield a plain problem for every code cell of a form, the likeliest code as suggestion, the others as related."""
    for tab, record, name, reading in odd_code_cells(context):
        if reading.form is form:
            yield Problem(tab, record, name, suggestion=reading.proposal, related=reading.proposals[1:])


@rule("COD-01", after_schemas=True)
def not_a_code(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes that are neither a LOINC code nor a pending code, and LOINC codes that lost their dash.

    The second look like pending codes, and one pending code in ten becomes a LOINC code when a dash is added; so it takes
    evidence: the code with its dash stands elsewhere, here or in an earlier version, under the same label, or has the label's
    axes in LOINC. Where nothing can tell, for want of a LOINC release, the doubt is stated, once a code.
    """
    for error in context.schema_errors.get("COD-01", ()):
        reading = read_code_in(error.tab, error.record[error.field])
        if reading.form is CodeForm.MALFORMED and error.record.cell(error.field).kind in (
            CellKind.TEXT,
            CellKind.NUMBER,
        ):
            message = "proposal" if reading.proposal else "default"
            yield Problem(error.tab, error.record, error.field, suggestion=reading.proposal, message=message)
    undashed = _without_dash(context)
    labels = _labels_of(context, set(undashed.values())) if undashed else {}
    settled = (
        {code for edition in context.earlier for code in (*edition.orders, *edition.results)} if undashed else set()
    )
    cells = [
        (record, name)
        for name in CODE_FIELDS
        for code in undashed
        for record in own_texts(context, "main", name).get(code, ())
    ]
    for record, name in sorted(cells, key=lambda cell: cell[0].row):
        dashed, label = undashed[record[name]], record[LABEL_OF[name]]
        if label and (fold(label) in labels.get(dashed, ()) or _is_label_of(context, dashed, label)):
            yield Problem("main", record, name, suggestion=dashed, message="dash")
        elif context.loinc is None and record[name] not in settled and int(dashed[:-2]) <= parameters["highest"]:
            settled.add(record[name])
            yield Problem("main", record, name, suggestion=dashed, message="doubt")


def _without_dash(context: Context) -> dict[str, str]:
    """Return the pending codes that are LOINC codes once a dash is added -> these."""
    dashed = {code: with_dash(code) for name in CODE_FIELDS for code in own_texts(context, "main", name)}
    return {code: text for code, text in dashed.items() if text and read_code(code).form is CodeForm.PENDING}


def _labels_of(context: Context, codes: Collection[str]) -> dict[str, set[str]]:
    """Return the labels, folded, that some codes have here and in earlier versions."""
    labels: dict[str, set[str]] = {}
    for edition in (context.edition, *context.earlier):
        for name in CODE_FIELDS:
            for record in edition.records("main"):
                if (code := record.values.get(name)) in codes and code:
                    labels.setdefault(code, set()).add(fold(record[LABEL_OF[name]]))
    return labels


def _is_label_of(context: Context, code: str, label: str) -> bool:
    """Tell whether a French label has the axes, and nearly the component, of the LOINC term of a code."""
    term = context.loinc.terms.get(code) if context.loinc else None
    return term is not None and term.matches_axes(label) and term.has_component_like(label)


@rule("COD-02")
def wrong_check_digit(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes whose check digit is wrong; the official exceptions are told apart, with what LOINC gives in their place.

    With a LOINC release, the codes that it holds are proposed first, best of all one whose axes are those of the label.
    """
    exceptions = set(parameters["official_exceptions"])
    for problem in problems_of(context, CodeForm.WRONG_DIGIT):
        assert problem.record is not None and problem.field is not None
        code = problem.record[problem.field]
        if code in exceptions or (context.loinc is not None and code in context.loinc.terms):
            yield _official(context, problem, code)
        elif context.loinc is not None:
            yield _nearest_in_loinc(context.loinc, problem)
        else:
            yield problem


def _official(context: Context, problem: Problem, code: str) -> Problem:
    """Return the problem of an old code that LOINC published with a wrong digit."""
    from jdv_qa.checks.loinc import describe

    candidates = context.loinc.candidates(code) if context.loinc else ()
    live = [candidate.code for candidate in candidates if candidate.live]
    return problem._replace(
        suggestion=live[0] if len(live) == 1 else None,
        related=tuple(candidate.code for candidate in candidates),
        message="official-replaced" if candidates else "official",
        facts={"candidates": say(" ; ", "; ").join(describe(candidate, context) for candidate in candidates)},
    )


def _nearest_in_loinc(release: LoincRelease, problem: Problem) -> Problem:
    """Return the problem with its proposals in order: axes and component of the label, axes of the label, in LOINC, others."""
    assert problem.record is not None and problem.field is not None
    label = problem.record[LABEL_OF.get(problem.field, "label")]
    ranks = {}
    for code in (problem.suggestion, *problem.related):
        term = release.terms.get(code) if code else None
        if term is not None:
            same_axes = term.matches_axes(label)
            ranks[code] = 0 if same_axes and term.has_component_like(label) else 1 if same_axes else 2
    if not ranks:
        return problem._replace(message="none-in-loinc", facts={"version": release.version})
    proposals = sorted((problem.suggestion, *problem.related), key=lambda code: ranks.get(code, 3))
    best = proposals[0]
    assert best is not None
    return problem._replace(
        suggestion=best,
        related=tuple(code for code in proposals[1:] if code),
        message=("same-axes", "axes-alone", "in-loinc")[ranks[best]],
        facts={"name": release.terms[best].label, "version": release.version},
    )


@rule("COD-03")
def identifier_of_something_else(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Identifiers of LOINC parts, answers, answer lists and groups."""
    for problem in problems_of(context, CodeForm.IDENTIFIER):
        assert problem.record is not None and problem.field is not None
        yield Problem(problem.tab, problem.record, problem.field, message=problem.record[problem.field][:2].upper())


@rule("COD-04", after_schemas=True)
def code_or_label_alone(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """A label without its code, or a code without its label; what other rows say is proposed."""
    main = context.edition.tables.get("main")
    pairs = [pair for pair in parameters["pairs"] if main and all(map(main.has, pair))]
    for code_field, label_field in pairs:
        for record in context.edition.records("main"):
            if (code_field in record.values) == (label_field in record.values):
                continue
            code, label = record[code_field], record[label_field]
            empty, filled = (code_field, label_field) if label else (label_field, code_field)
            if empty in record.inherited or filled in record.inherited or record.cell(empty).kind is CellKind.ERROR:
                continue
            codes, labels = once(context, "companions", lambda: _companions(context, pairs))
            known = codes.get((label_field, fold(label))) if label else labels.get((code_field, label_field, code))
            message = f"{'code' if label else 'label'}{'-known' if known else ''}"
            yield Problem(
                "main",
                record,
                empty,
                value="",
                code=code,
                suggestion=known,
                message=message,
                facts={"filled": label or code},
            )
    for error in context.schema_errors.get("COD-04", ()):
        message = "code" if error.field in ("code", "subcode") else "label"
        yield Problem(
            error.tab,
            error.record,
            error.field,
            value="",
            message=message,
            facts={"filled": error.record["label"] or error.record["code"]},
        )


def _companions(
    context: Context, pairs: list[list[str]]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str, str], str]]:
    """Return the codes by label and the labels by code that rows state in full."""
    codes: dict[tuple[str, str], str] = {}
    labels: dict[tuple[str, str, str], str] = {}
    for code_field, label_field in pairs:
        for record in context.edition.main.records:
            if (code := record[code_field]) and (label := record[label_field]):
                codes.setdefault((label_field, fold(label)), code)
                labels.setdefault((code_field, label_field, code), label)
    return codes, labels


@rule("COD-05")
def several_codes(context: Context, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    """Cells that hold several codes where one belongs."""
    for tab, record, name, reading in odd_code_cells(context):
        if reading.form is CodeForm.SEVERAL:
            yield Problem(tab, record, name, related=reading.proposals)

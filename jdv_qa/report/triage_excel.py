"""The review of a register as the workbook of a meeting: one line a request, by chapter, with a place for the decision.

« Instruction » is what the meeting goes through and writes in; « Synthèse » counts; « Propositions », « Candidats » and
« LOINC » hold the details, cell by cell; « Demandes » is the register itself, in the columns of the form. The names of the
two tabs that are read back, and the headers of what is decided, are those of `rules/layouts/instruction.yaml` and
`demandes.yaml` whatever the language.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from jdv_qa import __version__
from jdv_qa.language import say
from jdv_qa.report.cell_text import fitted, fitted_line
from jdv_qa.report.triage_lines import (
    Group,
    Line,
    filled,
    finding_sentence,
    gaps,
    summary_tables,
    triage_groups,
)
from jdv_qa.report.triage_text import READING_ORDER, summary_sentence, verdict_name
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.triage.form import load_form_rules
from jdv_qa.triage.requests import LAYOUT as REGISTER_LAYOUT
from jdv_qa.triage.requests import Request
from jdv_qa.triage.review import Review
from jdv_qa.workbook.layout import load_layout

if TYPE_CHECKING:
    from xlsxwriter import Workbook

INSTRUCTION_LAYOUT = "instruction"
CANDIDATES_SHOWN = 3
"""Candidates shown on the line of a request; the tab of the candidates has them all."""

_CREATED = dt.datetime(1980, 1, 1)
_VERDICT_TINTS = {
    "acceptable": "#C6E7CE", "to-correct": "#F8CBAD", "conflicting": "#E4CCF0", "submit-to-loinc": "#CFE2F7",
    "to-reject": "#F4B6B6", "incomplete": "#FFE699", "duplicate": "#DDE3E8", "already-done": "#DDE3E8",
}  # fmt: skip
_DECISION_TINTS = {"accepted": "#A9DDB5", "refused": "#F2A9A9", "postponed": "#FFE08A", "awaiting-loinc": "#B5D2F3"}
_KEPT_WORDS = {"kind": "kind_text", "object": "object_text"}
"""Column of the register -> where a request keeps the words of its register."""
_PLAIN_NUMBER = re.compile(r"[1-9][0-9]{0,14}|0")
_TALLEST = 409
_LINE, _PER_WIDTH = 11.8, 1.32
"""Points of a line of text of size 9, and how many of its letters go into a unit of column width."""
_A3, _A4 = 8, 9

Text: TypeAlias = str | int
Rows: TypeAlias = dict[int, int]
"""Place of a request in the register -> the row of a tab, from 0, where its lines begin."""


class _Column(NamedTuple):
    """A column: its header, its width in characters, and what stands in it for a request of a group."""

    title: str
    width: float
    text: Callable[[Line, Group], Text]


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of the tabs."""

    instruction: str
    summary: str
    proposals: str
    candidates: str
    loinc: str
    register: str


def decision_names() -> dict[str, str]:
    """Return the decisions to choose from, by ruling, in the language in use."""
    return {
        "accepted": say("acceptée", "accepted"),
        "refused": say("refusée", "refused"),
        "postponed": say("ajournée", "postponed"),
        "awaiting-loinc": say("en attente LOINC", "awaiting LOINC"),
    }


def triage_excel(review: Review) -> bytes:
    """Return the workbook of the meeting as an .xlsx file, the same to the byte for the same input."""
    from xlsxwriter import Workbook

    groups = triage_groups(review)
    lines = sorted((line for group in groups for line in group.lines), key=lambda line: line.place)
    buffer = io.BytesIO()
    book = Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    title = say("Instruction des demandes de changement", "Review of the change requests")
    book.set_properties({"title": title, "created": _CREATED, "comments": LOINC_NOTICE})
    formats = _Formats(book)
    names = _Names(
        next(iter(load_layout(INSTRUCTION_LAYOUT).tabs.values())).name, say("Synthèse", "Summary"),
        say("Propositions", "Proposals"), say("Candidats", "Candidates"), "LOINC",
        next(iter(load_layout(REGISTER_LAYOUT).tabs.values())).name,
    )  # fmt: skip
    rows = _rows_of(groups)
    sheet = book.add_worksheet(names.instruction)
    _write_summary(book, review, groups, names, formats, title)
    details = _write_proposals(book, lines, names, rows, formats)
    details = _write_candidates(book, lines, names, rows, formats) | details
    details |= _write_submissions(book, lines, names, rows, formats)
    _write_register(book, review, names, rows, formats)
    _write_instruction(sheet, groups, names, details, formats)
    sheet.activate()
    book.close()
    return buffer.getvalue()


class _Formats:
    """The formats of the workbook's cells."""

    def __init__(self, book: Workbook) -> None:
        cell = {
            "text_wrap": True,
            "valign": "top",
            "border": 1,
            "border_color": "#BFBFBF",
            "num_format": "@",
            "font_size": 9,
        }
        link = {"font_color": "#0B57D0", "underline": 1}
        self.cell = book.add_format(cell)
        self.band = book.add_format({**cell, "bg_color": "#F3F7FB"})
        self.code = book.add_format({**cell, "bold": True})
        self.number = book.add_format({**cell, "num_format": "0", "align": "left"})
        self.link = book.add_format({**cell, **link, "num_format": "0", "align": "left", "bold": True})
        self.decided = book.add_format({**cell, "bg_color": "#FFFDF0"})
        self.right = book.add_format({"font_size": 9, "font_color": "#0B6B2B"})
        self.high = book.add_format({**cell, "bold": True, "font_color": "#B3261E"})
        self.verdicts = {
            name: book.add_format({**cell, "bold": True, "bg_color": tint}) for name, tint in _VERDICT_TINTS.items()
        }
        self.decisions = {name: book.add_format({"bg_color": tint}) for name, tint in _DECISION_TINTS.items()}
        head = {"bold": True, "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter", "border": 1,
                "border_color": "#FFFFFF", "font_size": 9, "num_format": "@"}  # fmt: skip
        self.head = book.add_format({**head, "bg_color": "#1F4E79"})
        self.decided_head = book.add_format({**head, "bg_color": "#7F6000"})
        self.group = book.add_format(
            {
                "bold": True,
                "font_size": 11,
                "bg_color": "#D6E4F0",
                "valign": "vcenter",
                "top": 1,
                "bottom": 1,
                "num_format": "@",
            }
        )
        self.title = book.add_format({"bold": True, "font_size": 14, "valign": "top", "text_wrap": True})
        self.plain = book.add_format({"text_wrap": True, "valign": "top"})
        self.gap = book.add_format({"text_wrap": True, "valign": "top", "font_color": "#9C0006"})
        self.count = book.add_format({**cell, "num_format": "0;;", "align": "right"})
        self.total = book.add_format({**cell, "num_format": "0", "align": "right", "bold": True})
        self.name = book.add_format({**cell, "bold": True})


# ----------------------------------------------------------------------------------------------------------- Instruction


def _rows_of(groups: Sequence[Group]) -> Rows:
    """Return the rows of the requests in the tab that the meeting goes through: a title goes before each group."""
    rows: Rows = {}
    row = 0
    for group in groups:
        row += 1
        for line in group.lines:
            row += 1
            rows[line.place] = row
    return rows


def _columns(*, asked_before: bool) -> list[_Column]:
    """Return the columns of the tab that the meeting goes through; those of the decision are blank.

    `asked_before`: some request came up in an earlier version.
    """
    tab = next(iter(load_layout(INSTRUCTION_LAYOUT).tabs.values()))
    return [
        _Column(tab.header("number"), 4.8, lambda line, group: line.number),
        _Column(say("Demandeur", "Applicant"), 11.5, lambda line, group: line.item.request.applicant),
        _Column(say("Chapitre", "Chapter"), 10.5, lambda line, group: group.title),
        _Column(say("Type / Objet", "Kind / Object"), 11, lambda line, group: line.kind),
        _Column("Code", 8.5, lambda line, group: line.subject),
        _Column(say("Libellé", "Label"), 20, lambda line, group: line.label),
        _Column(say("Demande", "Request"), 22, lambda line, group: line.asked),
        _Column(say("Verdict", "Verdict"), 10.5, lambda line, group: line.verdict),
        _Column(say("Motifs", "Reasons"), 28, lambda line, group: "\n".join(line.reasons)),
        _Column(say("Changement proposé", "Proposed change"), 28, lambda line, group: _changes(line)),
        _Column(say("Ce que dirait le contrôle", "What the check would say"), 17, lambda line, group: "\n".join(line.said)),
        _Column(say("Codes candidats", "Candidate codes"), 25, lambda line, group: _candidates(line)),
        _Column(say("Impact", "Impact"), 11.5, lambda line, group: line.impact),
        _Column(say("Priorité", "Priority"), 7.5, lambda line, group: line.priority),
        _Column(say("Demandes liées", "Related requests"), 8.5, lambda line, group: _few([r.number for r in line.item.related])),
        _Column(say("Déjà demandé", "Asked before"), 15 if asked_before else 8, lambda line, group: "\n".join(line.earlier)),
        _Column(tab.header("decision"), 11.5, lambda line, group: ""),
        _Column(tab.header("code"), 8.5, lambda line, group: ""),
        _Column(tab.header("value"), 9.5, lambda line, group: ""),
        _Column(tab.header("comment"), 17, lambda line, group: ""),
    ]  # fmt: skip


_CODE, _VERDICT, _CHANGES, _PRIORITY, _DECISION = 4, 7, 9, 13, 16
"""Places of columns, from 0; those of the decision are the last ones."""


def _changes(line: Line) -> str:
    """Return what the request changes, then what would be right, a lot of cells a line."""
    return "\n".join(part for part in ("\n".join(line.changes), _correction(line)) if part)


def _correction(line: Line) -> str:
    if not line.correction:
        return ""
    return "\n".join((filled("Ce qui conviendrait :", "What would be right:"), *line.correction))


def _candidates(line: Line) -> str:
    """Return the best candidates, one a line, and how many more there are."""
    found = line.item.candidates
    told = [
        f"{one.code} {one.label}" + (say(" (déjà au JDV)", " (in the value set)") if one.in_value_set else "")
        for one in found[:CANDIDATES_SHOWN]
    ]
    if rest := len(found) - len(told):
        told.append(
            filled("… et {rest} de plus, onglet « Candidats »", '… and {rest} more, tab "Candidates"', rest=rest)
        )
    return "\n".join(told)


def _few(numbers: Sequence[str], most: int = 8) -> str:
    return ", ".join(numbers[:most]) + (", …" if len(numbers) > most else "")


def _write_instruction(
    sheet: Any, groups: Sequence[Group], names: _Names, details: dict[int, str], formats: _Formats
) -> None:
    """Write the tab of the meeting; `details` has the place, if any, where each request is told in full."""
    columns = _columns(asked_before=any(line.earlier for group in groups for line in group.lines))
    widths = [column.width for column in columns]
    _head(sheet, [(column.title, column.width) for column in columns], formats)
    for column in range(_DECISION, len(columns)):
        sheet.write_string(0, column, columns[column].title, formats.decided_head)
    sheet.set_row(0, 28)
    row = 1
    for group in groups:
        for column in range(len(columns)):
            sheet.write_blank(row, column, None, formats.group)
        sheet.write_string(row, 1, fitted(f"{group.title} – {group.sentence}"), formats.group)
        sheet.set_row(row, 20)
        row += 1
        for line in group.lines:
            texts = [column.text(line, group) for column in columns]
            for column, text in enumerate(texts):
                _write_text(sheet, row, column, str(text), _style(column, line, formats))
            if line.changes and line.correction:
                both = (fitted("\n".join(line.changes)) + "\n", formats.right, fitted(_correction(line)))
                sheet.write_rich_string(row, _CHANGES, *both, formats.cell)
            _link(
                sheet,
                row,
                0,
                names.register,
                line.place + 1,
                line.number,
                formats.link,
                say("La demande telle qu'écrite", "The request as written"),
            )
            if line.place in details:
                style = formats.verdicts[line.item.verdict]
                sheet.write_url(
                    row, _VERDICT, details[line.place], style, line.verdict, say("Le détail", "The details")
                )
            sheet.set_row(row, _height(texts, widths), None, {"level": 1})
            row += 1
    last = max(row - 1, 1)
    sheet.autofilter(0, 0, last, len(columns) - 1)
    sheet.freeze_panes(1, _CODE + 1)
    sheet.outline_settings(visible=True, symbols_below=False)
    sheet.ignore_errors({"number_stored_as_text": f"A1:T{last + 1}"})
    _offer_decisions(sheet, last, formats)
    _paper(sheet, _A3)


def _style(column: int, line: Line, formats: _Formats) -> Any:
    if column == _VERDICT:
        return formats.verdicts[line.item.verdict]
    if column == _CODE:
        return formats.code
    if column == _PRIORITY and line.item.priority.level == "high":
        return formats.high
    return formats.decided if column >= _DECISION else formats.cell


def _offer_decisions(sheet: Any, last: int, formats: _Formats) -> None:
    """Give the column of the decision its list, and colour what is decided."""
    from xlsxwriter.utility import xl_col_to_name, xl_range

    words = decision_names()
    letter = xl_col_to_name(_DECISION)
    sheet.data_validation(
        1, _DECISION, last, _DECISION,
        {
            "validate": "list", "source": list(words.values()), "error_title": say("Décision", "Decision"),
            "error_message": say(
                "Choisissez dans la liste ; les nuances vont dans le commentaire de la décision.",
                "Choose from the list; shades of meaning go in the comment on the decision.",
            ),
        },
    )  # fmt: skip
    for ruling, word in words.items():
        criteria = {"type": "formula", "criteria": f'=${letter}2="{word}"', "format": formats.decisions[ruling]}
        sheet.conditional_format(xl_range(1, _DECISION, last, _DECISION + 3), criteria)


# -------------------------------------------------------------------------------------------------------------- Synthèse


def _write_summary(
    book: Workbook, review: Review, groups: Sequence[Group], names: _Names, formats: _Formats, title: str
) -> None:
    sheet = book.add_worksheet(names.summary)
    verdicts = [verdict for verdict in READING_ORDER if review.summary[verdict]]
    last = max(len(verdicts), 5) + 1
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, last, 11.5)
    sheet.hide_gridlines(2)
    whole = 40 + 11.5 * last
    row = 0
    for text, style, size in ((title, formats.title, 15), (summary_sentence(review), formats.plain, 10)):
        sheet.merge_range(row, 0, row, last, text, style)
        sheet.set_row(row, 1.4 * size * len(textwrap.wrap(text, int(whole * 10 / size))))
        row += 1
    for text in (*_facts(review), ""):
        sheet.merge_range(row, 0, row, last, fitted(text), formats.plain)
        row += 1
    for text in gaps(review):
        sheet.merge_range(row, 0, row, last, fitted(text), formats.gap)
        sheet.set_row(row, 15 * len(textwrap.wrap(text, int(whole))))
        row += 1
    head = [verdict_name(verdict) for verdict in verdicts]
    everyone: tuple[str, tuple[tuple[str, Any], ...]] = (
        say("Par verdict", "By verdict"), ((say("Toutes les demandes", "All requests"), review.summary),)
    )  # fmt: skip
    for name, entries in (everyone, *summary_tables(groups)):
        row += 1
        sheet.write_string(row, 0, name, formats.head)
        for column, text in enumerate((*head, "Total"), 1):
            tint = formats.verdicts[verdicts[column - 1]] if column <= len(verdicts) else formats.name
            sheet.write_string(row, column, text, tint)
        sheet.set_row(row, 26)
        row += 1
        for entry, counts in entries:
            sheet.write_string(row, 0, fitted(entry), formats.name)
            for column, verdict in enumerate(verdicts, 1):
                sheet.write_number(row, column, counts[verdict], formats.count)
            sheet.write_number(row, len(verdicts) + 1, sum(counts.values()), formats.total)
            row += 1
    row += 1
    for text in (f"jdv {__version__}", LOINC_NOTICE):
        sheet.merge_range(row, 0, row, last, text, formats.plain)
        sheet.set_row(row, 15 * len(textwrap.wrap(text, int(whole))))
        row += 1
    _paper(sheet, _A4)


def _facts(review: Review) -> Iterator[str]:
    """Yield what was reviewed against what."""
    edition, register = review.edition, review.register
    version = edition.identity.version or say("version inconnue", "version unknown")
    name = PurePath(edition.source.path).name
    yield filled("Classeur : {name}, {version}", "Workbook: {name}, {version}", name=name, version=version)
    yield filled(
        "Registre : {name}, onglet {sheet}", "Register: {name}, sheet {sheet}",
        name=PurePath(register.path).name, sheet=register.sheet,
    )  # fmt: skip
    if review.loinc is None:
        yield say("Sans LOINC", "Without LOINC")
    else:
        yield f"LOINC {review.loinc.version or say('(version inconnue)', '(version unknown)')}"
    yield filled("Profil de contrôle : {name}", "Profile of the check: {name}", name=review.profile)


# --------------------------------------------------------------------------------------------------------------- details


def _write_proposals(
    book: Workbook, lines: Sequence[Line], names: _Names, rows: Rows, formats: _Formats
) -> dict[int, str]:
    """Write the cells that change, one a line, with what the check would newly say there; return where each request begins."""
    columns = (
        (_number_header(), 6), (say("Sens", "Sense"), 15), (say("Onglet", "Tab"), 24),
        (say("Cellule", "Cell"), 10), (say("Champ", "Field"), 26), (say("Action", "Action"), 16), (say("Avant", "Before"), 40),
        (say("Après", "After"), 40), (say("Règle", "Rule"), 10), (say("Nouveaux constats", "New findings"), 60),
    )  # fmt: skip
    asked, right = say("ce qui est demandé", "what is asked"), say("ce qui conviendrait", "what would be right")
    actions = {
        "set": say("modifier", "set"), "add": say("ligne ajoutée", "row added"), "remove": say("ligne supprimée", "row removed"),
    }  # fmt: skip
    contents: list[tuple[int, tuple[Text, ...]]] = []
    for line in lines:
        left = list(dict.fromkeys(line.item.findings))
        for cell in line.cells:
            here = [f for f in left if f.cell == cell.address and f.sheet == cell.sheet] if not cell.correction else []
            left = [finding for finding in left if finding not in here]
            contents.append(
                (
                    line.place,
                    (
                        line.number, right if cell.correction else asked, cell.sheet, cell.address, cell.header,
                        actions[cell.action], cell.before, cell.after, "\n".join(finding.rule for finding in here),
                        "\n".join(finding_sentence(finding) for finding in here),
                    ),
                )
            )  # fmt: skip
        contents += [
            (
                line.place,
                (
                    line.number, asked, finding.sheet, finding.cell or "", "", say("constat", "finding"), finding.value, "",
                    finding.rule, finding_sentence(finding),
                ),
            )
            for finding in left
        ]  # fmt: skip
    return _write_details(book, names.proposals, columns, contents, names, rows, formats)


def _write_candidates(
    book: Workbook, lines: Sequence[Line], names: _Names, rows: Rows, formats: _Formats
) -> dict[int, str]:
    columns = (
        (_number_header(), 6), (say("Demandé", "Asked"), 52), (say("Rang", "Rank"), 6),
        ("Code", 12), (say("Libellé", "Label"), 60), (say("Dans le jeu de valeurs", "In the value set"), 12),
        (say("Pourquoi", "Why"), 70),
    )  # fmt: skip
    yes, no = say("oui", "yes"), say("non", "no")
    contents: list[tuple[int, tuple[Text, ...]]] = [
        (
            line.place,
            (
                line.number, f"{line.subject} {line.label}".strip(), rank, one.code, one.label, yes if one.in_value_set else no,
                one.why,
            ),
        )
        for line in lines
        for rank, one in enumerate(line.item.candidates, 1)
    ]  # fmt: skip
    return _write_details(book, names.candidates, columns, contents, names, rows, formats)


def _write_submissions(
    book: Workbook, lines: Sequence[Line], names: _Names, rows: Rows, formats: _Formats
) -> dict[int, str]:
    """Write the drafts of submissions, with what Regenstrief wants to know of a new term (loinc.org/submissions/new-terms)."""
    columns = (
        (_number_header(), 6),
        (say("Nom local (Local name)", "Local name"), 40), (say("Composant (Component)", "Component"), 32),
        (say("Grandeur (Property)", "Property"), 12), (say("Temps (Time)", "Time"), 9), (say("Milieu (System)", "System"), 14),
        (say("Échelle (Scale)", "Scale"), 10), (say("Technique (Method)", "Method"), 16), (say("Unité (Units)", "Units"), 12),
        (say("Exemples de résultats (Sample results)", "Sample results"), 20),
        (say("But et contexte (Description)", "Description"), 40), (say("Demandeur (Organization)", "Organization"), 22),
        (say("À vérifier", "To be made sure of"), 24), (say("À distinguer de", "To be told apart from"), 24),
    )  # fmt: skip
    axes = {
        "component": say("composant à traduire", "component to translate"), "property": say("grandeur", "property"),
        "time": say("temps", "time"), "system": say("milieu", "system"), "scale": say("échelle", "scale"),
        "method": say("technique", "method"),
    }  # fmt: skip
    contents: list[tuple[int, tuple[Text, ...]]] = []
    for line in lines:
        if (draft := line.item.submission) is None:
            continue
        doubts = [axes[axis] for axis in draft.unsure]
        doubts += [] if draft.unit else [say("unité à demander", "unit to ask for")]
        doubts += [] if draft.examples else [say("exemples à demander", "examples to ask for")]
        contents.append(
            (
                line.place,
                (
                    line.number, draft.label, *(getattr(draft, axis) for axis in axes),
                    draft.unit, draft.examples, line.item.request.reason, line.item.request.applicant, "\n".join(doubts),
                    "\n".join(draft.similar),
                ),
            )
        )  # fmt: skip
    return _write_details(book, names.loinc, columns, contents, names, rows, formats)


def _write_details(
    book: Workbook,
    name: str,
    columns: Sequence[tuple[str, float]],
    contents: Sequence[tuple[int, Sequence[Text]]],
    names: _Names,
    rows: Rows,
    formats: _Formats,
) -> dict[int, str]:
    """Write a tab of details, left out when there are none; return, for each request, the link to where it begins there."""
    if not contents:
        return {}
    sheet = book.add_worksheet(name)
    _head(sheet, columns, formats)
    widths = [width for _, width in columns]
    begins: dict[int, str] = {}
    style = formats.band
    for row, (place, texts) in enumerate(contents, 1):
        if place not in begins:
            style = formats.cell if style is formats.band else formats.band
        begins.setdefault(place, f"internal:'{name}'!A{row + 1}")
        for column, text in enumerate(texts):
            if isinstance(text, int):
                sheet.write_number(row, column, text, formats.number)
            else:
                _write_text(sheet, row, column, text, style)
        back = say("Revenir à l'instruction", "Back to the review")
        _link(sheet, row, 0, names.instruction, rows[place], str(texts[0]), formats.link, back)
        sheet.set_row(row, _height(texts, widths))
    sheet.autofilter(0, 0, len(contents), len(columns) - 1)
    sheet.freeze_panes(1, 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{len(contents) + 1}"})
    _paper(sheet, _A4)
    return begins


def _write_register(book: Workbook, review: Review, names: _Names, rows: Rows, formats: _Formats) -> None:
    """Write the whole register in the columns of the form, and those beyond that some request fills."""
    tab = next(iter(load_layout(REGISTER_LAYOUT).tabs.values()))
    rules = load_form_rules()
    requests = review.register.requests
    fields = [
        name for name in tab.columns
        if name in rules.columns or any(_text(request, name) for request in requests)
    ]  # fmt: skip
    fields.sort(key=lambda name: rules.columns.index(name) if name in rules.columns else len(rules.columns))
    columns = [(tab.header(name), rules.widths.get(name, 14.0)) for name in fields]
    sheet = book.add_worksheet(names.register)
    _head(sheet, columns, formats)
    widths = [width for _, width in columns]
    for place, request in enumerate(requests):
        texts = [_text(request, name) for name in fields]
        for column, text in enumerate(texts):
            _write_text(sheet, place + 1, column, text, formats.cell)
        back = say("Revenir à l'instruction", "Back to the review")
        _link(
            sheet, place + 1, fields.index("number"), names.instruction, rows[place], request.number, formats.link, back
        )
        sheet.set_row(place + 1, _height(texts, widths))
    sheet.autofilter(0, 0, max(len(requests), 1), len(columns) - 1)
    sheet.freeze_panes(1, 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:AF{len(requests) + 1}"})
    _paper(sheet, _A3)


def _number_header() -> str:
    return next(iter(load_layout(REGISTER_LAYOUT).tabs.values())).header("number")


def _text(request: Request, name: str) -> str:
    return str(getattr(request, _KEPT_WORDS.get(name, name)))


# ---------------------------------------------------------------------------------------------------------------- sheets


def _head(sheet: Any, columns: Sequence[tuple[str, float]], formats: _Formats) -> None:
    for column, (title, width) in enumerate(columns):
        sheet.write_string(0, column, title, formats.head)
        sheet.set_column(column, column, width)
    sheet.set_row(0, 28)


def _paper(sheet: Any, size: int) -> None:
    """Set a sheet up for print: as wide as the paper, its headers on each page, the page numbers below."""
    sheet.set_landscape()
    sheet.set_paper(size)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_margins(0.3, 0.3, 0.4, 0.5)
    sheet.set_footer("&L&8&A&C&8&F&R&8&P / &N")


def _link(sheet: Any, row: int, column: int, name: str, to: int, number: str, style: Any, tip: str) -> None:
    """Write a request's number, as a number where it is one, with a link to a row (from 0) of another tab."""
    sheet.write_url(row, column, f"internal:'{name}'!A{to + 1}", style, fitted_line(number), tip)
    if _PLAIN_NUMBER.fullmatch(number):
        sheet.write_number(row, column, int(number), style)


def _write_text(sheet: Any, row: int, column: int, text: str, style: Any) -> None:
    """Write a text; without one the cell stays blank."""
    if text:
        sheet.write_string(row, column, fitted(text), style)
    else:
        sheet.write_blank(row, column, None, style)


def _height(texts: Sequence[Text], widths: Sequence[float]) -> float:
    """Return the height of a row in points: no program sets it on opening a file that another has written."""
    most = 1
    for text, width in zip(texts, widths, strict=True):
        letters = max(int(width * _PER_WIDTH), 1)
        most = max(most, sum(len(textwrap.wrap(line, letters)) or 1 for line in str(text).split("\n")))
    return min(_LINE * most + 3, _TALLEST)

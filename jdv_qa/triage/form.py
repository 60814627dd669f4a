"""The register of change requests to fill in, as an Excel workbook in French: the same bytes for the same value set.

One row a request, with lists to choose from, and marks on what a request of its kind still lacks. Its columns, lists, marks
and instructions are in `rules/request_form.yaml`, its headers in `rules/layouts/demandes.yaml`, by which it is read back. Cells
are text: no code becomes a date.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from jdv_qa.errors import RuleFileError
from jdv_qa.language import french_spaces, say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.triage.requests import LAYOUT, REFERENCE_OBJECTS
from jdv_qa.workbook.edition import MAIN_FIELDS, Edition
from jdv_qa.workbook.layout import Layout, load_layout

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

ROWS = 2000
"""Rows made ready for requests; more can be added."""
INSTRUCTIONS, LISTS = "Mode d'emploi", "Listes"
"""Names of the tabs beside the register's own."""

_CREATED = dt.datetime(1980, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
_DATES = ("date",)
_PLAIN_NUMBERS = ("number",)
_HEADER, _MAINTAINERS, _RULE, _MISSING = "#1F3A5F", "#6E7781", "#D0D7DE", "#FFE699"
_LINE, _CLOSE = 15.0, 12.6
"""Heights of a line of text, in points: usual, and where many stand in a cell."""
_MAIN_LISTS = ("kinds", "objects", "comparability", "statuses", "decisions")
_KEYS = (
    "columns", "kept_by_maintainers", "widths", *_MAIN_LISTS, "closed", "prompts", "missing", "instructions",
)  # fmt: skip


@dataclass(frozen=True)
class Missing:
    """What requests of some kinds about some objects must have; no kind or object: any.

    `one_of`: one of the fields is enough. `unless_label`: words of the label that make the fields needless.
    """

    fields: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    one_of: bool = False
    unless_label: tuple[str, ...] = ()


@dataclass(frozen=True)
class FormRules:
    """What `rules/request_form.yaml` says; `instructions` as written there."""

    columns: tuple[str, ...]
    kept_by_maintainers: frozenset[str]
    widths: Mapping[str, float]
    lists: Mapping[str, tuple[str, ...]]
    closed: frozenset[str]
    prompts: Mapping[str, str]
    missing: tuple[Missing, ...]
    instructions: Mapping[str, Any]


@lru_cache(maxsize=4)
def load_form_rules(path: Path | None = None) -> FormRules:
    """Load the rules of the form, by default those that ship. Raises RuleFileError, with the file and the key at fault."""
    path = path or rules_directory() / "request_form.yaml"
    try:
        content = read_yaml(path)
    except (FileNotFoundError, UnreadableYaml) as error:
        raise RuleFileError(
            say(f"{path} : fichier illisible ({error})", f"{path}: unreadable file ({error})")
        ) from None
    for key in _KEYS:
        if not isinstance(content, dict) or not content.get(key):
            raise _wrong(path, key)
    try:
        rules = FormRules(
            tuple(content["columns"]),
            frozenset(content["kept_by_maintainers"]),
            {name: float(width) for name, width in content["widths"].items()},
            {name: tuple(map(str, content[name])) for name in _MAIN_LISTS},
            frozenset(content["closed"]),
            {name: french_spaces(text) for name, text in content["prompts"].items()},
            tuple(map(_missing, content["missing"])),
            content["instructions"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _wrong(path, str(error)) from None
    named = {
        *rules.kept_by_maintainers,
        *rules.closed,
        *rules.prompts,
        *(name for rule in rules.missing for name in rule.fields),
    }
    if unknown := sorted(named - set(rules.columns)) or sorted(set(rules.columns) ^ set(rules.widths)):
        raise _wrong(path, unknown[0])
    return rules


def _missing(line: Mapping[str, Any]) -> Missing:
    fields, kinds, objects, words = (tuple(line.get(key, ())) for key in ("fields", "kinds", "objects", "unless_label"))
    return Missing(fields, kinds, objects, bool(line.get("one_of", False)), words)


def _wrong(path: Path, key: str) -> RuleFileError:
    return RuleFileError(
        say(f"{path} : clé « {key} » absente ou mal écrite", f"{path}: key `{key}` missing or badly written")
    )


def choices(edition: Edition, layout: Layout, rules: FormRules) -> dict[str, tuple[str, ...]]:
    """Return the values to choose from, by field of the register.

    Chapters and specimens are given by their labels, or by their codes where a label has several; `layout` names the fields of
    a value set that lacks their columns.
    """
    return {
        "kind": rules.lists["kinds"],
        "object": rules.lists["objects"],
        "field": _fields(edition, layout),
        "unit": tuple(
            sorted({record["unit"] for record in edition.main.records} - {""}, key=lambda text: (text.casefold(), text))
        ),
        "comparability": rules.lists["comparability"],
        "chapter": _labels(edition, "chapters"),
        "specimen": _labels(edition, "specimens"),
        "status": rules.lists["statuses"],
        "decision": rules.lists["decisions"],
    }


def _fields(edition: Edition, layout: Layout) -> tuple[str, ...]:
    """Return the headers of the value set's columns, and those of its lists that it does not share with them."""
    headers = {column.field: column.header for column in edition.main.columns}
    found = [headers.get(name) or layout.header("main", name) for name in MAIN_FIELDS]
    tabs = (tab for tab in REFERENCE_OBJECTS if tab in layout.tabs)
    found += [layout.header(tab, name) for tab in tabs for name in ("code", "label")]
    return tuple(dict.fromkeys(" ".join(text.split()) for text in found if text))


def _labels(edition: Edition, tab: str) -> tuple[str, ...]:
    codes: dict[str, dict[str, None]] = {}
    for record in edition.records(tab):
        if record["code"]:
            codes.setdefault(record["label"] or record["code"], {})[record["code"]] = None
    return tuple(text for label, own in codes.items() for text in ([label] if len(own) == 1 else own))


def form_workbook(edition: Edition, layout: Layout | None = None, requests: Iterable[Mapping[str, str]] = ()) -> bytes:
    """Return the bytes of an .xlsx register, with lists drawn from a value set.

    `layout`: that of the value set's workbook, by default the JDV CircuitBio's; `requests`: field of the register -> text, for
    those to be written in it, none by default.
    """
    from xlsxwriter import Workbook

    rules = load_form_rules()
    tab = next(iter(load_layout(LAYOUT).tabs.values()))
    headers = {name: tab.columns[name].header for name in rules.columns}
    lists = choices(edition, layout or load_layout(), rules)
    content = io.BytesIO()
    book = Workbook(
        content,
        {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties({"title": "Registre des demandes de changement", "comments": LOINC_NOTICE, "created": _CREATED})
    register = book.add_worksheet(tab.name)
    _write_register(book, register, headers, rules)
    for row, request in enumerate(requests, 1):
        _write_request(register, row, rules, request)
    _write_instructions(book, book.add_worksheet(INSTRUCTIONS), headers, rules)
    places = _write_lists(book, book.add_worksheet(LISTS), headers, lists)
    _add_choices(register, headers, rules, places)
    _add_marks(book, register, list(headers), rules)
    register.activate()
    book.close()
    return content.getvalue()


def _write_register(book: Workbook, sheet: Worksheet, headers: Mapping[str, str], rules: FormRules) -> None:
    cell = {"valign": "top", "text_wrap": True}
    text, date, number = (book.add_format(cell | {"num_format": shown}) for shown in ("@", "yyyy-mm-dd", "0"))
    asked, kept = (_white(book, colour) for colour in (_HEADER, _MAINTAINERS))
    for column, (name, header) in enumerate(headers.items()):
        shown = date if name in _DATES else number if name in _PLAIN_NUMBERS else text
        sheet.set_column(column, column, rules.widths[name], shown)
        sheet.write_string(0, column, header, kept if name in rules.kept_by_maintainers else asked)
    sheet.set_row(0, 3 * _LINE)
    sheet.freeze_panes(1, list(headers).index("kind"))
    sheet.autofilter(0, 0, ROWS, len(headers) - 1)
    sheet.ignore_errors({"number_stored_as_text": _range(1, 0, ROWS, len(headers) - 1)})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")


def _write_request(sheet: Worksheet, row: int, rules: FormRules, request: Mapping[str, str]) -> None:
    """Write a request; cells take the formats of their columns, the row the height of its longest text."""
    lines = 1
    for column, name in enumerate(rules.columns):
        text = request.get(name, "")
        lines = max(lines, len(wrap(text, max(int(rules.widths[name]) - 2, 1))))
        if name in _DATES and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            sheet.write_datetime(row, column, dt.datetime.fromisoformat(text))
        elif name in _PLAIN_NUMBERS and re.fullmatch(r"[1-9]\d{0,8}", text):
            sheet.write_number(row, column, int(text))
        elif text:
            sheet.write_string(row, column, text)
    sheet.set_row(row, lines * _LINE)


def _white(book: Workbook, colour: str) -> Format:
    return book.add_format(
        {
            "bold": True,
            "font_color": "#FFFFFF",
            "bg_color": colour,
            "valign": "vcenter",
            "text_wrap": True,
            "border": 1,
            "border_color": "#FFFFFF",
            "num_format": "@",
        }
    )


def _write_lists(
    book: Workbook, sheet: Worksheet, headers: Mapping[str, str], lists: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Write the lists, each in a column of the hidden tab, and return where each that is not empty stands."""
    text, head = book.add_format({"num_format": "@"}), _white(book, _HEADER)
    places = {}
    for column, (name, values) in enumerate(lists.items()):
        sheet.set_column(column, column, max(map(len, (headers[name], *values))) + 2, text)
        sheet.write_string(0, column, headers[name], head)
        for row, value in enumerate(values, 1):
            sheet.write_string(row, column, value, text)
        if values:
            places[name] = f"={LISTS}!{_range(1, column, len(values), column, absolute=True)}"
    sheet.hide()
    return places


def _add_choices(sheet: Worksheet, headers: Mapping[str, str], rules: FormRules, places: Mapping[str, str]) -> None:
    """Give the columns their lists and what is shown beside the cell chosen."""
    for column, (name, header) in enumerate(headers.items()):
        options: dict[str, Any] = {"validate": "any"}
        if name in places:
            closed = name in rules.closed
            options = {
                "validate": "list", "source": places[name], "error_type": "stop" if closed else "warning",
                "error_title": header[:32],
                "error_message": (
                    "Choisissez une valeur de la liste." if closed else "Cette valeur n'est pas dans la liste. La garder ?"
                ),
            }  # fmt: skip
        if prompt := rules.prompts.get(name):
            options |= {"input_title": header[:32], "input_message": prompt}
        if len(options) > 1:
            sheet.data_validation(1, column, ROWS, column, options)


def _add_marks(book: Workbook, sheet: Worksheet, names: list[str], rules: FormRules) -> None:
    """Mark what a request that was begun lacks, and rule the rows that hold one."""
    lacks = book.add_format({"bg_color": _MISSING})
    for name in names:
        conditions = [_lacking(name, rule, names) for rule in rules.missing if name in rule.fields]
        if conditions:
            column = names.index(name)
            formula = f'=AND({_begun(names)},{_cell(name, names)}="",OR({",".join(conditions)}))'
            sheet.conditional_format(1, column, ROWS, column, {"type": "formula", "criteria": formula, "format": lacks})
    ruled = book.add_format({"border": 1, "border_color": _RULE})
    criteria = {"type": "formula", "criteria": f"={_begun(names)}", "format": ruled}
    sheet.conditional_format(1, 0, ROWS, len(names) - 1, criteria)


def _cell(name: str, names: list[str]) -> str:
    """Return the reference of a column's cell in the first row of requests, the row left relative."""
    from xlsxwriter.utility import xl_col_to_name

    return f"${xl_col_to_name(names.index(name))}2"


def _begun(names: list[str]) -> str:
    """Return the formula that tells whether a row holds anything."""
    return f"COUNTA({_cell(names[0], names)}:{_cell(names[-1], names)})>0"


def _lacking(name: str, rule: Missing, names: list[str]) -> str:
    """Return the formula that tells whether a rule asks for a field, the cell of which is blank."""
    conditions = [
        _any(_cell(field, names), words) for field, words in (("kind", rule.kinds), ("object", rule.objects)) if words
    ]
    if rule.one_of:
        conditions += [f'{_cell(other, names)}=""' for other in rule.fields if other != name]
    conditions += [f'ISERROR(SEARCH("{word}",{_cell("label", names)}))' for word in rule.unless_label]
    return f"AND({','.join(conditions)})" if conditions else "TRUE"


def _any(cell: str, words: Iterable[str]) -> str:
    same = (f'{cell}="{word}"' for word in words)
    return f"OR({','.join(same)})"


def _write_instructions(book: Workbook, sheet: Worksheet, headers: Mapping[str, str], rules: FormRules) -> None:
    """Write how the register is filled in: the steps, an example of each kind of request, the notice of LOINC."""
    told = rules.instructions
    title = book.add_format({"bold": True, "font_size": 16, "font_color": _HEADER})
    section = book.add_format({"bold": True, "font_size": 12, "font_color": _HEADER})
    step = book.add_format({"text_wrap": True, "valign": "top"})
    figure = book.add_format({"bold": True, "valign": "top", "align": "center", "font_color": _HEADER})
    cell = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "border_color": _RULE, "num_format": "@"})
    wanted = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "border_color": _RULE, "bold": True})
    lacks = book.add_format(
        {"text_wrap": True, "valign": "top", "bg_color": _MISSING, "border": 1, "border_color": _RULE}
    )
    small = book.add_format({"font_size": 9, "font_color": _MAINTAINERS, "text_wrap": True, "valign": "top"})
    widths = [4.0, 38.0, 18.0, 24.0, 84.0]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    last = len(widths) - 1
    whole = int(sum(widths[1:]) * 0.95)
    sheet.write_string(0, 0, told["title"], title)
    sheet.set_row(0, 26)
    row = 2
    for number, text in enumerate(told["steps"], 1):
        sheet.write_number(row, 0, number, figure)
        sheet.merge_range(row, 1, row, last, french_spaces(text), step)
        sheet.set_row(row, _LINE * len(wrap(text, whole)))
        row += 1
    sheet.merge_range(row + 1, 1, row + 1, 3, french_spaces(told["legend"]), lacks)
    row += 3
    sheet.write_string(row, 0, told["examples_title"], section)
    sheet.set_row(row, 20)
    row += 1
    head = _white(book, _HEADER)
    for column, text in enumerate(["Vous voulez…", headers["kind"], headers["object"], "Vous remplissez aussi"], 1):
        sheet.write_string(row, column, text, head)
    sheet.set_row(row, 1.4 * _LINE)
    for number, example in enumerate(told["examples"], row + 1):
        rest = [name for name in headers if name in example and name not in ("kind", "object")]
        lines = [french_spaces(f"{headers[name]} : ") + str(example[name]) for name in rest]
        sheet.write_string(number, 1, french_spaces(example["wanted"]), wanted)
        sheet.write_string(number, 2, example["kind"], cell)
        sheet.write_string(number, 3, example["object"], cell)
        sheet.write_string(number, 4, "\n".join(lines), cell)
        sheet.set_row(number, _CLOSE * sum(len(wrap(line, 90)) for line in lines) + 3)
    row += len(told["examples"]) + 2
    sheet.merge_range(row, 1, row, last, LOINC_NOTICE, small)
    sheet.set_row(row, 13 * (len(LOINC_NOTICE) // whole + 1))
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)
    sheet.set_footer("&L&A&R&P / &N")


def _range(first_row: int, first_column: int, last_row: int, last_column: int, *, absolute: bool = False) -> str:
    from xlsxwriter.utility import xl_range, xl_range_abs

    return str((xl_range_abs if absolute else xl_range)(first_row, first_column, last_row, last_column))

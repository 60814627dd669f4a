"""Texts made to be run, in every field that a report shows: they reach the reader as text, and nothing else."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from jdv_qa.checks.engine import Report, check
from jdv_qa.cli.options import printed
from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Comparison
from jdv_qa.publish.markdown import markdown_table, markdown_text, marked_text, unit_text
from jdv_qa.publish.notes_html import notes_html
from jdv_qa.report.changes_csv import changes_csv
from jdv_qa.report.changes_excel import changes_excel
from jdv_qa.report.changes_html import changes_html
from jdv_qa.report.changes_json import changes_json
from jdv_qa.report.changes_markdown import changes_markdown
from jdv_qa.report.changes_text import print_changes
from jdv_qa.report.findings_csv import findings_csv
from jdv_qa.report.findings_excel import findings_excel
from jdv_qa.report.findings_github import findings_github
from jdv_qa.report.findings_html import findings_html
from jdv_qa.report.findings_json import findings_json
from jdv_qa.report.findings_junit import findings_junit
from jdv_qa.report.findings_markdown import findings_markdown
from jdv_qa.report.findings_sarif import findings_sarif
from jdv_qa.report.findings_text import print_report
from jdv_qa.report.triage_excel import triage_excel
from jdv_qa.report.triage_html import triage_html
from jdv_qa.report.triage_text import print_triage
from jdv_qa.triage.review import Review
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.tables import restored
from tests.browser import Browser
from tests.casebook import build_workbook
from tests.command_line import invoke
from tests.compare.build import edition, row
from tests.guard.pages import fetched
from tests.triage.registers import reviewed

MARKUP = (
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 2</script>",
    "</style></title></textarea></select></td></table><img src=x onerror='window.pwned = 3'>",
    '"><svg onload="window.pwned = 4">',
    "' onmouseover='window.pwned = 5' autofocus onfocus='window.pwned = 5",
    "javascript:window.pwned=6//",
    "<a href='javascript:window.pwned=7'>lien</a>",
    "<!-- <b>", "]]>", "&lt;b&gt; &#60;i&#62;", "{{ 7 * 7 }} {% raw %} ${7 * 7}",
)  # fmt: skip
FORMULAS = (
    "=cmd|'/C calc'!A0", "+1+cmd|'/C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "\t=1+1", "\r=1+1", "'=1+1",
    '=HYPERLINK("http://127.0.0.1:9/","ici")', "http://127.0.0.1:9/", "internal:'1'!A1", "{=1+1}",
)  # fmt: skip
MARKDOWN = (
    "[lien](javascript:window.pwned=8)", "![image](http://127.0.0.1:9/x.png)", "<http://127.0.0.1:9/>",
    "un | deux | trois", "`code` ``code``", "```\nclos\n```", "# titre\n- liste\n\n---", "**gras** __gras__ ~~barré~~", "\\| \\`",
)  # fmt: skip
CONTROLS = (
    "\n::error file=x::pwned", "a\r\n::set-output name=a::b", "\x1b[31mrouge\x1b]0;titre\x07", "nul\x00, \x01\x0b\x1f\x7f\x9b",
    "fin\ufffe\uffff", "\u202egnp.exe\u2066", "_x0001_ _x000D_", "\u2028\u2029",
)  # fmt: skip
HOSTILE = (*MARKUP, *FORMULAS, *MARKDOWN, *CONTROLS)
COMMANDS = (
    "::error file=x::pwned", "mot ::set-output name=a::b " * 20, "x ##[add-mask]a ##vso[task.x]b", "a::debug::b" * 20, ":" * 150,
)  # fmt: skip
CODES = tuple(f"{stem}-{digit}" for stem, digit in ((2951, 2), (2823, 3), (2000, 8), (1995, 0)))


def comparison(texts: tuple[str, ...]) -> tuple[Comparison, Edition, Edition]:
    """The changes between two editions in which every hostile text is a code, a label, a value before and one after."""
    fields = (
        "order_label",
        "order_synonyms",
        "specimen",
        "result_display",
        "result_loinc_label",
        "unit",
        "comment",
        "chapter",
    )
    others = (*texts[1:], texts[0])
    old = [row(f"{1000 + place}-1", **dict.fromkeys(fields, text)) for place, text in enumerate(texts)]
    new = [row(f"{1000 + place}-1", **dict.fromkeys(fields, text)) for place, text in enumerate(others)]
    old += [row(text, f"{text}!") for text in texts]
    new += [row(f"{text}?", text, nabm_code=text, nabm_label=text) for text in texts]
    tabs = {"specimens": [{"code": text, "label": f"{text} "} for text in texts]}
    others_tabs = {"specimens": [{"code": f"{text}+", "label": text} for text in texts]}
    before = edition(old, tabs, version=MARKUP[0], path=f"{MARKUP[3]}.xlsx")
    after = edition(new, others_tabs, version=MARKDOWN[0], path=f"{FORMULAS[0]}.xlsx")
    return compare(before, after), before, after


@lru_cache
def compared(texts: tuple[str, ...] = HOSTILE) -> tuple[Comparison, Edition, Edition]:
    return comparison(texts)


@lru_cache
def report(texts: tuple[str, ...] = HOSTILE) -> Report:
    """A check whose findings hold every hostile text in every field that comes from a workbook."""
    done = check(edition([row()]))
    sample = next(finding for finding in done.findings if finding.row and finding.column)
    findings = [
        sample._replace(
            sheet=text, row_key=f"{text}|{text}", code=text, value=text, message=f"« {text} » : {text}",
            suggestion=text, related=(text, text),
        )
        for text in texts
    ]  # fmt: skip
    source = replace(done.edition, source=done.edition.source._replace(path=f"{MARKUP[0]}\n::error::.xlsx"))
    return replace(done, findings=tuple(findings), edition=source)


@pytest.fixture(scope="module")
def triaged(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return triage_of(HOSTILE, tmp_path_factory.mktemp("register"))


def triage_of(texts: tuple[str, ...], folder: Path) -> Review:
    """A review of requests of which every hostile text is the applicant, the label, the value and the reason."""
    requests = [
        {"kind": "Modification", "object": "Résultat", "code": "14682-9", "field": "Libellé d'édition", "value": text,
         "applicant": text, "reason": text, "label": text, "order": text, "unit": text, "chapter": text}
        for text in texts
    ] + [{"number": text, "kind": text, "object": text, "code": text, "field": text, "nabm": text} for text in texts]  # fmt: skip
    plain = [{name: text[:3000].replace("\x00", "") for name, text in request.items()} for request in requests]
    return reviewed(plain, folder)


# --------------------------------------------------------------------------------------------------------------- pages


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str] = []
        self.said: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction")]
        self.said += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def squeezed(text: str) -> str:
    """Return a text without what a page does not keep: white space and control characters."""
    return "".join(char for char in text if char.isprintable() and not char.isspace())


@pytest.fixture(scope="module")
def page_of(triaged: Review) -> Callable[[str], str]:
    """A function name of a page -> the page, made once."""
    makers: dict[str, Callable[[], str]] = {
        "changes": lambda: changes_html(*compared()),
        "findings": lambda: findings_html(report(), load_layout()),
        "triage": lambda: triage_html(triaged),
        "notes": lambda: notes_html(changes_markdown(*compared())),
    }
    return lru_cache(lambda name: makers[name]())


@pytest.mark.parametrize("name", ["changes", "findings", "triage", "notes"])
def test_a_page_holds_hostile_texts_as_texts(name: str, page_of: Callable[[str], str]) -> None:
    text = page_of(name)
    page = _Page(text)
    assert fetched(text) == []
    assert page.tags.count("script") == (name != "notes")
    assert not {*page.tags} & {"img", "iframe", "object", "embed", "base", "form" if name == "notes" else "frame"}
    assert all(re.match(r"#|data:,|https://loinc\.org/", link) for link in page.links), page.links
    said = squeezed("".join(page.said))
    for hostile in (*MARKUP, *FORMULAS, *MARKDOWN):
        assert squeezed(restored(hostile)) in said, hostile


@pytest.mark.browser
@pytest.mark.parametrize("name", ["changes", "findings", "triage", "notes"])
def test_a_browser_runs_nothing_of_them(
    name: str, page_of: Callable[[str], str], browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.html"
    path.write_text(page_of(name), encoding="utf-8")
    browser.open(path)
    browser.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
    browser.run("document.querySelectorAll('a').forEach(one => { if (one.protocol !== 'file:') one.remove() })")
    browser.run("[...document.querySelectorAll('a, td, summary')].slice(0, 60).forEach(one => one.click())")
    assert browser.run("window.pwned === undefined")
    assert (
        browser.run("document.querySelectorAll('img, iframe, object, embed, [onload], [onerror], [onfocus]').length")
        == 0
    )
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [
        browser.run("location.href.split('#')[0]")
    ]


# --------------------------------------------------------------------------------------------------- tables, Excel workbooks


@pytest.mark.parametrize("name", ["changes", "findings"])
def test_a_table_holds_nothing_that_a_spreadsheet_would_run(name: str) -> None:
    data = changes_csv(*compared()) if name == "changes" else findings_csv(report(), load_layout())
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=";"))
    number = len(compared()[0].changes) if name == "changes" else len(HOSTILE)
    assert len(rows) == number + 1
    assert {len(cells) for cells in rows} == {len(rows[0])}
    for cell in (cell for cells in rows for cell in cells):
        assert not re.match(r"[=@\t\r]|[+-](?![0-9.,]*\Z)", cell), cell
    assert {*MARKUP, *FORMULAS, *MARKDOWN, *CONTROLS} <= {restored(cell) for cells in rows for cell in cells}


def strings(content: bytes) -> Iterator[str]:
    """Yield the texts of a workbook, all of whose parts are whole XML, none of whose cells is a formula or a link outward."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            if not name.endswith((".xml", ".rels")):
                continue
            root = ElementTree.fromstring(archive.read(name))
            for element in root.iter():
                tag = element.tag.rpartition("}")[2]
                assert not (tag == "f" and "worksheets/" in name), (name, element.text)
                assert element.get("TargetMode") != "External", element.attrib
                if tag == "si":
                    yield "".join(part.text or "" for part in element.iter() if part.tag.endswith("}t"))


@pytest.mark.parametrize("name", ["changes", "findings", "triage"])
def test_a_workbook_holds_hostile_texts_as_texts(name: str, triaged: Review) -> None:
    content = {
        "changes": lambda: changes_excel(*compared()),
        "findings": lambda: findings_excel(report(), load_layout()),
        "triage": lambda: triage_excel(triaged),
    }[name]()
    texts = list(strings(content))
    assert max(map(len, texts)) <= 32_767 + len("_x0000_") * 40
    said = squeezed("".join(texts))
    for hostile in (*MARKUP, *MARKDOWN, *(formula for formula in FORMULAS if formula.isprintable())):
        assert squeezed(restored(hostile)) in said, hostile


def test_a_text_longer_than_a_cell_is_cut_where_one_sees_it() -> None:
    finding = report().findings[0]._replace(message="é" * 40_000, code="\ufffe")
    texts = list(strings(findings_excel(replace(report(), findings=(finding,)), load_layout())))
    assert "é" * 32_766 + "…" in texts
    assert "\ufffd" in texts


# ------------------------------------------------------------------------------------------------ Markdown, JSON, XML, logs


def rendered(markdown: str) -> _Page:
    from markdown_it import MarkdownIt

    return _Page(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_itself_in_markdown(text: str) -> None:
    cell = markdown_text(text)
    pieces = marked_text([(text, True), (" reste", False)], "**")
    page = rendered(markdown_table(["a", "b"], [[cell, "fin"], [unit_text(text), pieces]]))
    assert [tag for tag in page.tags if tag not in ("br", "code", "strong")] == [
        "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td", "tr", "td", "td",
    ]  # fmt: skip
    assert page.links == []
    whole = squeezed("".join(page.said)).replace("\ufffd", "")
    assert whole.count(squeezed(text)) >= 2


@pytest.mark.parametrize("name", ["changes", "findings"])
def test_markdown_keeps_hostile_texts_as_texts(name: str) -> None:
    text = changes_markdown(*compared()) if name == "changes" else findings_markdown(report(), limit=0)
    page = rendered(text)
    assert {*page.tags}.isdisjoint(("script", "img", "a", "svg", "style", "iframe", "pre"))
    assert page.links == []
    said = squeezed("".join(page.said))
    for hostile in (*MARKUP, *MARKDOWN):
        assert squeezed(hostile) in said, hostile


def test_json_is_the_same_texts() -> None:
    told = json.loads(changes_json(compared()[0]))["changes"]
    assert [(one["code"], one["old"], one["new"]) for one in told] == [
        (change.code, change.old, change.new) for change in compared()[0].changes
    ]
    assert [one["value"] for one in json.loads(findings_json(report()))["findings"]] == list(HOSTILE)
    results = json.loads(findings_sarif(report(), load_layout()))["runs"][0]["results"]
    assert len(results) == len(HOSTILE)


def test_junit_is_xml_whatever_the_texts() -> None:
    root = ElementTree.fromstring(findings_junit(report(), None, limit=0))
    said = squeezed("".join(root.itertext()))
    for hostile in (*MARKUP, *FORMULAS[:4], *MARKDOWN):
        assert squeezed(hostile) in said, hostile


def test_no_text_is_a_command_of_a_log() -> None:
    lines = re.split(r"\r\n|[\r\n]", findings_github(report(), limit=0))
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == len(HOSTILE)
    assert all(re.match(r"::(error|warning|notice) file=[^:,]*,title=[^:,]*::", line) for line in commands), commands


_OBEYED = re.compile(r"^\s*::|##\w*\[", re.MULTILINE)
"""What GitHub Actions obeys in any line of any step, and Azure Pipelines."""


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return triage_of(COMMANDS[:3], tmp_path_factory.mktemp("commands"))


@pytest.mark.parametrize("width", [30, 120])
def test_nothing_on_the_screen_is_a_command_to_a_machine_that_runs_jobs(width: int, commanded: Review) -> None:
    prints: tuple[Callable[[Console], None], ...] = (
        lambda screen: print_report(report(COMMANDS), screen, 0),
        lambda screen: print_changes(compared(COMMANDS)[0], screen, limit=None),
        lambda screen: print_triage(commanded, screen),
    )
    for one in prints:
        shown = printed(one, width)
        assert _OBEYED.findall(shown) == []
        assert "‹U+003A›:" in shown
        assert "‹U+0023›#" in shown


def test_nothing_that_a_command_prints_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    rows = [{"result_display": text, "order_label": text, "comment": text} for text in COMMANDS]
    old = build_workbook({"rows": rows, "summary": {"title": COMMANDS[3]}}, tmp_path / "1 ##[debug]x.xlsx")
    new = build_workbook({"rows": rows[::-1]}, tmp_path / "2 ##[debug]x.xlsx")
    answers = [invoke("check", old, "-f", form) for form in ("text", "md", "json", "sarif")]
    answers += [invoke("diff", old, new, "-f", form) for form in ("text", "md", "json")]
    answers += [
        invoke("info", old),
        invoke("info", old, "-f", "json"),
        invoke("layout", old),
        invoke("notes", old, new),
    ]
    answers += [invoke("check", tmp_path / "3 ##[debug]x.xlsx"), invoke("fix", old, "--dry-run")]
    for answer in answers:
        assert _OBEYED.findall(answer.stdout) == []
        assert _OBEYED.findall(answer.stderr) == []
        assert "debug" in answer.output

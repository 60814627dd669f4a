"""The reports of `jdv check`: their forms, which file gets which, and writing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jdv_qa.cli.commands import REPORTS
from jdv_qa.cli.misuse import not_one_of
from jdv_qa.cli.options import console, emit_bytes, emit_workbook, form_of, printed
from jdv_qa.cli.streams import tell
from jdv_qa.errors import Misuse
from jdv_qa.harmless import harmless, utf8
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.checks.engine import Report
    from jdv_qa.checks.finding import Severity
    from jdv_qa.report.indicators_report import Figures
    from jdv_qa.workbook.layout import Layout


class Format(StrEnum):
    """Forms of the report."""

    TEXT = "text"
    HTML = "html"
    XLSX = "xlsx"
    JSON = "json"
    CSV = "csv"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"
    MD = "md"


class Wanted(NamedTuple):
    """A report to write: its form, and its file, None for the screen."""

    form: Format
    path: Path | None = None


class Terms(NamedTuple):
    """What the reports depend on beside the findings.

    `limit`: findings shown of each rule, 0 for all, None for the form's own; `failing`: the lowest severity that fails;
    `register`: the folder of the register, whose indicators the page plots.
    """

    layout: Layout
    limit: int | None
    failing: Severity | None
    register: Path
    bom: bool = False


def wanted_reports(
    workbook: Path, form: Format | None, output: Path | None, reports: Sequence[str], *, force: bool
) -> tuple[Wanted | None, list[Wanted]]:
    """Return the report for the screen, if any, and those for files, as --format, --output and --report ask for them.

    A form without a file is written into the folder `reports`, under the name of the workbook.
    Raises Misuse for what cannot be understood, and OutputError, before any work is done, for a file that exists.
    """
    from jdv_qa.files import refuse_existing

    files = [wanted_report(word, workbook) for word in reports]
    screen: Wanted | None = None
    if output is not None:
        files.insert(0, Wanted(form or _form_by_name(output) or Format.TEXT, output))
    else:
        screen = Wanted(form or Format.TEXT)
        if screen.form is Format.XLSX:
            emit_workbook(b"", None, say("constats.xlsx", "findings.xlsx"))
    seen = set()
    for item in files:
        assert item.path is not None
        if item.path in seen:
            raise Misuse(
                say(
                    f"--report : deux rapports pour un fichier, {item.path}",
                    f"--report: two reports for one file, {item.path}",
                )
            )
        seen.add(item.path)
        refuse_existing(item.path, force)
    return screen, files


_ENDINGS = {Format.TEXT: "txt", Format.SARIF: "sarif.json", Format.JUNIT: "xml", Format.GITHUB: "github.txt"}


def named_after(workbook: Path, ending: str, folder: Path | None = None) -> Path:
    """Return the file for what was asked for without a name: in a folder, else in `reports`, named after the workbook."""
    known = workbook.suffix.casefold() in (".xlsx", ".xlsm")
    return (folder or Path(REPORTS)) / f"{workbook.stem if known else workbook.name}{ending}"


def wanted_report(word: str, workbook: Path) -> Wanted:
    """Return what a --report asks for: "FORM=FILE", a form alone, or a file whose name tells its form."""
    name, equals, path = word.partition("=")
    if not equals and (alone := {"markdown": "md"}.get(name, name)) in {*Format}:
        chosen = Format(alone)
        return Wanted(chosen, named_after(workbook, f".{_ENDINGS.get(chosen, chosen.value)}"))
    known = ", ".join(Format)
    if equals:
        try:
            return Wanted(Format({"markdown": "md"}.get(name, name)), Path(path))
        except ValueError:
            raise not_one_of(name, [*Format], "--report") from None
    form = _form_by_name(Path(word))
    if form is None:
        raise Misuse(
            say(
                f"--report : « {word} » : écrire FORME=FICHIER, la forme étant une de {known}",
                f"--report: `{word}`: write FORM=FILE, FORM one of {known}",
            )
        )
    return Wanted(form, Path(word))


def _form_by_name(path: Path) -> Format | None:
    if path.name.casefold().endswith(".sarif.json"):
        return Format.SARIF
    if path.suffix.casefold() in (".txt", ".log"):
        return Format.TEXT
    form = form_of(path, Format.TEXT)
    return None if form is Format.TEXT else form


def write_reports(report: Report, wanted: Iterable[Wanted], terms: Terms, *, force: bool) -> None:
    """Write reports to their files, all made before the first is written, and say on stderr what went where."""
    from jdv_qa.report.findings_lines import counted

    made = [(item, content_of(report, item.form, terms)) for item in wanted]
    told = ", ".join(counted({**report.summary, "waived": 0}))
    for item, content in made:
        emit_bytes(content, item.path, force=force)
        tell(say(f"{item.path} : {told}", f"{item.path}: {told}"))


def print_screen(report: Report, form: Format, terms: Terms) -> None:
    """Print a report on standard output; the text in the colours and the width of the terminal, all else as it is."""
    if form is Format.TEXT:
        from jdv_qa.report.findings_text import DEFAULT_LIMIT, print_report

        print_report(report, console(), DEFAULT_LIMIT if terms.limit is None else terms.limit)
    else:
        emit_bytes(content_of(report, form, terms), None)


def content_of(report: Report, form: Format, terms: Terms) -> bytes:
    """Return a report in a form, as the bytes of a file."""
    match form:
        case Format.HTML:
            from jdv_qa.report.findings_html import findings_html

            history, gaps = _history(terms.register)
            return utf8(findings_html(report, terms.layout, history, gaps))
        case Format.XLSX:
            from jdv_qa.report.findings_excel import findings_excel

            return findings_excel(report, terms.layout)
        case Format.JSON:
            from jdv_qa.report.findings_json import findings_json

            return utf8(findings_json(report)) + b"\n"
        case Format.CSV:
            from jdv_qa.report.findings_csv import findings_csv

            return findings_csv(report, terms.layout, bom=terms.bom)
        case Format.SARIF:
            from jdv_qa.report.findings_sarif import findings_sarif

            return utf8(findings_sarif(report, terms.layout)) + b"\n"
        case Format.JUNIT:
            from jdv_qa.report import findings_junit

            limit = findings_junit.DEFAULT_LIMIT if terms.limit is None else terms.limit
            return utf8(findings_junit.findings_junit(report, terms.failing, limit))
        case Format.GITHUB:
            from jdv_qa.report.findings_github import findings_github

            return harmless(findings_github(report, terms.limit or 0)).encode()
        case Format.MD:
            from jdv_qa.report import findings_markdown

            limit = findings_markdown.DEFAULT_LIMIT if terms.limit is None else terms.limit
            return harmless(findings_markdown.findings_markdown(report, limit)).encode()
        case Format.TEXT:
            from jdv_qa.report.findings_text import print_report

            return printed(lambda paper: print_report(report, paper, terms.limit or 0)).encode()


def _history(register: Path) -> tuple[list[Figures], list[str]]:
    """Return the indicators of the versions of the register, and why they are not there when it cannot be read."""
    from jdv_qa.errors import RegisterError
    from jdv_qa.publish.register import load_register
    from jdv_qa.report.indicators_report import Figures

    try:
        releases = load_register(register).releases
    except RegisterError as error:
        return [], [say(f"Pas d'indicateurs des versions : {error}", f"No indicators of the versions: {error}")]
    return [Figures(release.version, release.date, release.figures) for release in releases], []

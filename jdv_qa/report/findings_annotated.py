"""Findings in the maintainer's own workbook: faulty cells coloured and noted, and two tabs in front.

The first tab lists the findings, with links to their cells and filters; the second counts them by rule and chapter, and
says what was not checked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from jdv_qa.checks.catalogue import text
from jdv_qa.checks.engine import Report
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.language import count, french_spaces, say
from jdv_qa.report.rules_text import severity_word, visible
from jdv_qa.workbook.annotating import FILLS_COLUMN, Annotated, CellMark, Tint, annotated, solid
from jdv_qa.workbook.edition import column_number
from jdv_qa.workbook.layout import Layout
from jdv_qa.workbook.notes_xml import Paragraph
from jdv_qa.workbook.own_tabs import OwnTab, TabCell, quoted
from jdv_qa.workbook.styles import NO_FILL, StyleSheet

_TINTS = {Severity.ERROR: Tint.ERROR, Severity.WARNING: Tint.WARNING, Severity.INFO: Tint.INFO}
_LINE = "".join(f'<{side} style="thin"><color rgb="FFBFBFBF"/></{side}>' for side in ("left", "right", "top", "bottom"))
_BORDER = f"<border>{_LINE}<diagonal/></border>"
_WRAPPED = '<alignment vertical="top" wrapText="1"/>'
_DARK = "1F4E79"


def findings_annotated(report: Report, path: Path, layout: Layout) -> Annotated:
    """Return a copy of the workbook that a report is about, with its findings in it.

    Waived findings are listed, but neither coloured nor noted. Raises WorkbookError when `path` is no workbook.
    """
    marks = [mark for finding in report.findings if not finding.waived and (mark := _mark(finding, report)) is not None]

    def make_tabs(styles: StyleSheet, free: Callable[[str], str]) -> Sequence[OwnTab]:
        look = _Look.of(styles)
        listed = free(say("Contrôle qualité", "Quality check"))
        counted = free(say("Contrôle – chiffres", "Check – figures"))
        return _list_tab(report, layout, look, listed), _figures_tab(report, look, counted)

    return annotated(path, marks, make_tabs)


def _mark(finding: Finding, report: Report) -> CellMark | None:
    """Return what is said in the cell of a finding; a whole row, column or tab is only listed."""
    if finding.cell is None or finding.row is None or finding.column is None:
        return None
    title = text(report.rules[finding.rule].title)
    paragraphs = [
        Paragraph(f"{severity_word(finding.severity).capitalize()} {finding.rule} – {title}", bold=True),
        Paragraph(finding.message),
    ]
    if finding.suggestion:
        paragraphs.append(
            Paragraph(f"→ {say(french_spaces('Proposition :'), 'Proposal:')} {visible(finding.suggestion)}")
        )
    place = finding.row, column_number(finding.column)
    return CellMark(finding.sheet, *place, _TINTS[finding.severity], tuple(paragraphs))


@dataclass(frozen=True, slots=True)
class _Look:
    """The numbers of the styles of our tabs."""

    title: int
    lead: int
    head: int
    plain: int
    strong: int
    number: int
    link: int
    severities: Mapping[Severity, int]

    @classmethod
    def of(cls, styles: StyleSheet) -> _Look:
        """Add the styles of our tabs to those of a workbook."""

        def style(font: str = "", fill: str = NO_FILL, border: str = _BORDER, alignment: str = _WRAPPED) -> int:
            face = f'<font>{font}<name val="Calibri"/><family val="2"/></font>'
            return styles.new(font=face, fill=fill, border=border, alignment=alignment)

        black, plain = (
            '<sz val="10"/><color rgb="FF000000"/>',
            "<border><left/><right/><top/><bottom/><diagonal/></border>",
        )
        return cls(
            title=style(
                f'<b/><sz val="14"/><color rgb="FF{_DARK}"/>', border=plain, alignment='<alignment vertical="center"/>'
            ),
            lead=style(
                '<i/><sz val="10"/><color rgb="FF595959"/>', border=plain, alignment='<alignment vertical="center"/>'
            ),
            head=style('<b/><sz val="10"/><color rgb="FFFFFFFF"/>', solid(_DARK)),
            plain=style(black),
            strong=style(f"<b/>{black}"),
            number=style(black, alignment='<alignment horizontal="right" vertical="top"/>'),
            link=style('<u/><sz val="10"/><color rgb="FF0563C1"/>'),
            severities={severity: style(black, tint.fill()) for severity, tint in _TINTS.items()},
        )


# --------------------------------------------------------------------------------------------------------- the findings


def _list_tab(report: Report, layout: Layout, look: _Look, name: str) -> OwnTab:
    columns = [
        (say("Sévérité", "Severity"), 13.0), (say("Règle", "Rule"), 8.0), (say("Onglet", "Tab"), 19.0),
        (say("Cellule", "Cell"), 9.0), (say("Code", "Code"), 11.0), (say("Colonne", "Column"), 22.0),
        (say("Valeur", "Value"), 26.0), (say("Constat", "Finding"), 62.0), (say("Proposition", "Proposal"), 26.0),
        (say("Chapitre", "Chapter"), 20.0), (say("État", "State"), 11.0),
    ]  # fmt: skip
    widths = [width for _, width in columns]
    chapters = _chapters(report)
    known = {id(finding) for finding in report.news[1]}
    rows: list[list[TabCell | None]] = [
        [TabCell(_head_line(report), look.title)],
        [
            TabCell(
                say(
                    french_spaces(
                        "Cliquer sur une cellule y mène. « jdv check » ne lit ni cet onglet, ni ses couleurs, ni ses notes ; "
                        "« --annotate » les remplace."
                    ),
                    "A click on a cell goes there. `jdv check` reads neither this tab nor its colours nor its notes; "
                    "`--annotate` replaces them.",
                ),
                look.lead,
            )
        ],
        [TabCell(title, look.head) for title, _ in columns],
    ]
    heights = {1: 24.0, 2: 18.0}
    for finding in report.findings:
        place = finding.cell or (str(finding.row) if finding.row else finding.column or "")
        header = layout.header(finding.tab, finding.field) if finding.field else ""
        values = [
            severity_word(finding.severity), finding.rule, finding.sheet, place or say("onglet", "tab"), finding.code,
            header, visible(finding.value), finding.message, visible(finding.suggestion or ""), chapters(finding),
            _state(report, finding, known),
        ]  # fmt: skip
        cells: list[TabCell | None] = [TabCell(value, look.plain) for value in values]
        cells[0] = TabCell(values[0], look.severities[finding.severity])
        target = _target(report, finding)
        if target is not None:
            cells[3] = TabCell(values[3], look.link, target)
        rows.append(cells)
        heights[len(rows)] = _height(cells, widths)
    widths += [3.0] * (FILLS_COLUMN - len(columns))
    return OwnTab(name, rows, widths, 3, len(columns), frozenset({FILLS_COLUMN}), heights, "C00000")


def _head_line(report: Report) -> str:
    summary = report.summary
    nouns = {"error": ("erreur", "error"), "warning": ("avertissement", "warning"), "info": ("information", "note")}
    counts = [count(summary[key], *words) for key, words in nouns.items()]
    if summary["waived"]:
        counts.append(count(summary["waived"], "dérogation", "waiver"))
    version = report.edition.identity.version
    name = PurePath(report.edition.source.path).name
    about = f"{name}, {say('version', 'version')} {version}" if version else name
    return f"{about} – {', '.join(counts)}"


def _target(report: Report, finding: Finding) -> str | None:
    """Return the place that a finding leads to; None when its tab is not there."""
    if finding.sheet not in {sheet.name for sheet in report.edition.sheets}:
        return None
    place = finding.cell or (finding.column or "A") + str(finding.row or 1)
    return f"{quoted(finding.sheet)}!{place}"


def _state(report: Report, finding: Finding, known: set[int]) -> str:
    if finding.waived:
        return say("dérogation", "waived")
    if report.baseline is None:
        return say("à traiter", "open")
    return say("déjà connu", "known") if id(finding) in known else say("nouveau", "new")


def _chapters(report: Report) -> Callable[[Finding], str]:
    """Return what gives the chapter of a finding of the main tab, by its label where the chapters' tab has one."""
    labels = {record["code"]: record["label"] for record in report.edition.records("chapters") if record["label"]}
    by_row = {record.row: record["chapter"] for record in report.edition.records("main")}

    def chapter(finding: Finding) -> str:
        code = by_row.get(finding.row or 0, "") if finding.tab == "main" else ""
        return labels.get(code, code)

    return chapter


# ---------------------------------------------------------------------------------------------------------- the figures


def _figures_tab(report: Report, look: _Look, name: str) -> OwnTab:
    chapter_of = _chapters(report)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for finding in report.findings:
        if not finding.waived:
            counts[finding.rule][chapter_of(finding) or _elsewhere(finding)] += 1
    chapters = dict.fromkeys(
        [
            *(record["label"] or record["code"] for record in report.edition.records("chapters")),
            *(_no_chapter(), _other_tabs()),
        ]
    )
    found = {place for by_place in counts.values() for place in by_place}
    last = [place for place in (_no_chapter(), _other_tabs()) if place in found]
    places = [place for place in chapters if place in found and place not in last]
    places += sorted(found - set(places) - set(last)) + last
    titles = [say("Règle", "Rule"), say("Titre", "Title"), say("Sévérité", "Severity"), "Total", *places]
    rows: list[list[TabCell | None]] = [
        [TabCell(say("Constats par règle et par chapitre", "Findings by rule and chapter"), look.title)],
        [TabCell(_checked_with(report), look.lead)],
        [TabCell(title, look.head) for title in titles],
    ]
    for rule in report.rules.values():
        if by_place := counts.get(rule.id):
            rows.append([
                TabCell(rule.id, look.strong),
                TabCell(text(rule.title), look.plain),
                TabCell(severity_word(rule.severity), look.severities[rule.severity]),
                TabCell(by_place.total(), look.strong),
                *(TabCell(by_place[place] or "", look.number) for place in places),
            ])  # fmt: skip
    sums = Counter(place for by_place in counts.values() for place in by_place.elements())
    rows.append([
        TabCell("Total", look.strong), TabCell("", look.plain), TabCell("", look.plain), TabCell(sums.total(), look.strong),
        *(TabCell(sums[place], look.strong) for place in places),
    ])  # fmt: skip
    rows += _not_checked(report, look)
    widths = [9.0, 60.0, 14.0, 8.0, *([14.0] * len(places))]
    heights = {number: _height(cells, widths) for number, cells in enumerate(rows, 1)} | {1: 24.0, 2: 18.0, 3: 42.0}
    return OwnTab(name, rows, widths, 3, heights=heights)


def _height(cells: Sequence[TabCell | None], widths: Sequence[float]) -> float:
    """Return the height in points of a row of wrapped texts: no program sets it on opening a file of another."""
    lines = [
        -(-len(str(cell.value)) * 21 // (20 * int(width))) for cell, width in zip(cells, widths, strict=False) if cell
    ]
    return min(13.5 * max(lines, default=1) + 2, 400.0) if len(cells) > 1 else 20.0


def _not_checked(report: Report, look: _Look) -> list[list[TabCell | None]]:
    """Return the rows that say which rules did not run, or broke down, and why; none where all ran."""
    left = [(item, say("en échec", "broke down")) for item in report.crashed]
    left += [(item, say("non contrôlée", "not checked")) for item in report.skipped]
    if not left:
        return []
    rows: list[list[TabCell | None]] = [[], [TabCell(say("Règles non contrôlées", "Rules not checked"), look.title)]]
    for item, outcome in left:
        rows.append([
            TabCell(item.rule, look.strong), TabCell(f"{text(report.rules[item.rule].title)} – {item.reason}", look.plain),
            TabCell(outcome, look.plain),
        ])  # fmt: skip
    return rows


def _elsewhere(finding: Finding) -> str:
    return _no_chapter() if finding.tab == "main" else _other_tabs()


def _no_chapter() -> str:
    return say("Sans chapitre", "No chapter")


def _other_tabs() -> str:
    return say("Autres onglets", "Other tabs")


def _checked_with(report: Report) -> str:
    facts = [
        say(f"profil {report.profile}", f"profile {report.profile}"),
        count(len(report.run), "règle appliquée", "rule run", "règles appliquées", "rules run"),
        count(len(report.edition.leading.records), "ligne", "row"),
        f"LOINC {report.loinc.version or '?'}" if report.loinc else say("sans table LOINC", "no LOINC release"),
    ]
    return " · ".join(facts)

"""The page of findings, as text and in a real browser."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from jdv_qa.checks.engine import Report
from jdv_qa.checks.indicators import indicators
from jdv_qa.language import use_language
from jdv_qa.report.findings_html import findings_html
from jdv_qa.report.findings_lines import address
from jdv_qa.report.indicators_report import Figures
from jdv_qa.sample import files
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.browser import Browser
from tests.report.reports import HOSTILE, crashed, draft, hostile, since_first, waived


def history() -> list[Figures]:
    editions = [read_edition(files()[version]) for version in ("1.0.0", "1.1.0")]
    return [Figures(edition.identity.version, edition.identity.date, indicators(edition)) for edition in editions]


def page_of(report: Report, figures: list[Figures] | None = None) -> str:
    return findings_html(report, load_layout(), figures or [])


def test_page_is_the_same_twice() -> None:
    assert page_of(waived(), history()) == page_of(waived(), history())


def test_every_finding_stands_once_with_its_cell() -> None:
    page = page_of(draft())
    assert page.count('<li class="finding') == len(draft().findings)
    for finding in draft().findings:
        assert f">{address(finding)}<" in page


def test_head_tells_what_was_checked_with_what() -> None:
    page = page_of(draft())
    source = draft().edition.source
    for fact in ("JDV_CircuitBio_1.2.0_brouillon.xlsx", source.sha256, "1.2.0", "brouillon", "jdv 0.", "aucune"):
        assert f">{fact}" in page, fact
    assert "À corriger avant publication" in page


def test_every_rule_has_its_page_and_every_link_leads_somewhere() -> None:
    page = page_of(waived(), history())
    ids = re.findall(r' id="([^"]+)"', page)
    assert [name for name, number in Counter(ids).items() if number > 1] == []
    targets = {target[1:] for target in re.findall(r'href="(#[^"]*)"', page)}
    assert targets <= set(ids)
    assert {f"rule-{rule}" for rule in draft().rules} <= set(ids)
    assert set(re.findall(r'(?:src|href)="([^"#][^"]*)"', page)) == {"data:,"}


def test_skipped_waived_crashed_and_known_are_told() -> None:
    assert "aucune version de LOINC" in page_of(draft())
    page = page_of(waived())
    assert page.count('data-state="waived"') == 2
    assert page.count("Dr Martin, le 2026-10-01") == 2
    page = page_of(crashed())
    assert "Contrôle incomplet" in page
    assert "KeyError" in page
    page = page_of(since_first())
    assert "déjà connu" in page
    assert "1 disparu" in page


def test_the_plot_needs_a_register() -> None:
    assert "Indicateurs au fil des versions" not in page_of(draft())
    page = page_of(draft(), history())
    assert "Indicateurs au fil des versions" in page
    assert page.count("<svg") > 1
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        assert f">{version}</th>" in page


def test_french_spaces_do_not_break() -> None:
    body = re.sub(r"<(script|style)>.*?</\1>", "", page_of(waived(), history()), flags=re.DOTALL)
    body = re.sub(r"<dd><ul>.*?</ul></dd>", "", body, flags=re.DOTALL)  # examples quote cells as they are
    text = re.sub(r"<[^>]*>", "\n", body)
    own = [line for line in text.splitlines() if "«" in line or "»" in line]
    assert own
    assert [line for line in own if "« " in line or " »" in line] == []


def test_page_of_a_clean_workbook() -> None:
    page = page_of(replace(draft(), findings=()))
    assert "Rien à signaler" in page
    assert "<form" not in page


def test_page_in_english() -> None:
    use_language("en")
    page = page_of(draft())
    assert '<html lang="en">' in page
    assert "To mend before release" in page
    assert "Rechercher" not in page


def opened(browser: Browser, page: str, folder: Path) -> Browser:
    path = folder / "constats.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path)
    return browser


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Browser:
    return opened(browser, page_of(waived(), history()), tmp_path)


ROWS = "[...document.querySelectorAll('li.finding')].filter(row => row.offsetParent !== null)"


def shown(browser: Browser) -> int:
    return int(browser.run(f"{ROWS}.length"))


def tick(browser: Browser, name: str, value: str) -> None:
    browser.run(f"document.querySelector('input[name={name}][value={value}]').click()")


@pytest.mark.browser
def test_the_page_asks_for_nothing_and_complains_of_nothing(page: Browser) -> None:
    assert shown(page) == len(waived().findings)
    page.enter("search", "g/L")
    tick(page, "grouping", "order")
    assert [url for url in page.requests if not url.startswith("data:")] == [page.run("location.href")]
    assert page.complaints == []


@pytest.mark.browser
def test_search_finds_words_without_regard_to_accents_and_case(page: Browser) -> None:
    page.enter("search", "[IU]/L")
    assert 0 < shown(page) < 10
    page.enter("search", "LIBELLE bilirubine")
    assert shown(page) > 0
    page.enter("search", "rien de tel")
    assert shown(page) == 0
    assert "Aucun constat" in page.run("document.getElementById('shown').textContent")
    assert page.run("document.querySelector('section.group').offsetParent") is None


@pytest.mark.browser
def test_filters_narrow_and_counts_follow(page: Browser) -> None:
    report = waived()
    errors = [item for item in report.findings if item.severity == "error"]
    tick(page, "severity", "error")
    assert shown(page) == len(errors)
    tick(page, "state", "waived")
    assert shown(page) == 1
    tick(page, "state", "waived")
    page.enter("family", "UNI")
    wanted = [item for item in errors if item.rule.startswith("UNI")]
    assert shown(page) == len(wanted)
    assert f"({len(wanted)})" in page.run("document.getElementById('family').selectedOptions[0].textContent")
    page.run("document.querySelector('button[type=reset]').click()")
    page.run("new Promise(done => setTimeout(done, 20))")
    assert shown(page) == len(report.findings)
    page.enter("chapter", "18719-5")
    assert 0 < shown(page) < len(report.findings)
    assert page.run(f"{ROWS}.every(row => row.dataset.chapters.split('\\n').includes('18719-5'))")


@pytest.mark.browser
def test_findings_are_grouped_by_rule_or_by_order(page: Browser) -> None:
    titles = "[...document.querySelectorAll('section.group h3')].map(title => title.textContent)"
    assert any("UNI-02" in title for title in page.run(titles))
    tick(page, "grouping", "order")
    orders = page.run(titles)
    assert not any("UNI-02" in title for title in orders)
    assert any(re.match(r"\d+-\d ", title) for title in orders)
    assert shown(page) == len(waived().findings)
    cells = page.run(
        f"{ROWS}.filter(row => row.dataset.order === '24362-6').map(row => row.closest('section').textContent)"
    )
    assert len(set(cells)) == 1
    tick(page, "severity", "info")
    assert 0 < shown(page) < len(waived().findings)
    tick(page, "grouping", "rule")
    tick(page, "severity", "info")
    assert any("UNI-02" in title for title in page.run(titles))
    places = page.run(f"{ROWS}.filter(row => row.dataset.rule === 'UNI-08').map(row => Number(row.id.slice(1)))")
    assert places == sorted(places)
    assert len(places) > 1


@pytest.mark.browser
def test_links_open_the_page_of_a_rule_and_lead_back(page: Browser) -> None:
    page.run("document.querySelector('h3 a[href=\"#rule-UNI-02\"]').click()")
    page.run("new Promise(done => setTimeout(done, 50))")
    assert page.run("document.getElementById('rule-UNI-02').open")
    assert page.run("document.activeElement.parentElement.id") == "rule-UNI-02"
    tick(page, "grouping", "order")
    page.run("document.querySelector('#rule-UNI-02 a[href=\"#group-UNI-02\"]').click()")
    page.run("new Promise(done => setTimeout(done, 50))")
    assert page.run("document.getElementById('group-UNI-02').getBoundingClientRect().top < innerHeight")
    assert page.run("document.getElementById('group-UNI-02').offsetParent !== null")


@pytest.mark.browser
def test_keys_are_enough(page: Browser) -> None:
    page.press("/")
    assert page.run("document.activeElement.id") == "search"
    for key in "T162":
        page.press(key)
    assert shown(page) == 1
    page.press("Escape")
    assert shown(page) == len(waived().findings)
    page.run("document.querySelector('input[name=severity]').focus()")
    page.press(" ")
    assert shown(page) < len(waived().findings)


@pytest.mark.browser
def test_a_hostile_text_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, page_of(hostile(tmp_path)), tmp_path)
    assert "alert(1)" in page.run("document.body.innerText")
    assert "{{ 7*7 }}" in page.run("document.body.innerText")
    page.enter("chapter", HOSTILE)
    assert shown(page) > 0
    tick(page, "grouping", "order")
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:")] == [page.run("location.href")]
    assert page.run("document.querySelectorAll('script, img').length") == 1


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1366])
def test_nothing_overflows(page: Browser, width: int) -> None:
    assert page.width_needed(width) <= width


@pytest.mark.browser
def test_print_leaves_the_controls_out_and_all_findings_in(page: Browser) -> None:
    page.send("Emulation.setEmulatedMedia", media="print")
    try:
        assert page.run("document.getElementById('search').offsetParent") is None
        assert page.run("getComputedStyle(document.querySelector('li.finding')).contentVisibility") == "visible"
        assert shown(page) == len(waived().findings)
    finally:
        page.send("Emulation.setEmulatedMedia", media="")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (1366, "light"),
        *(pytest.param(*look, marks=pytest.mark.slow) for look in ((1366, "dark"), (390, "light"), (390, "dark"))),
    ],
)
def test_axe_finds_no_fault(page: Browser, width: int, scheme: str) -> None:
    """The rules of axe-core (WCAG 2.1 A and AA, best practices), contrast among them, with everything unfolded."""
    found = find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core-python is not installed (group test)")
    page.run(Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8") + ";0")
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    try:
        page.run("document.querySelectorAll('details').forEach(one => one.open = true)")
        faults = page.run(
            "axe.run().then(told => told.violations.map(one => [one.id, one.impact, one.nodes.map(node => node.html)]))"
        )
        assert faults == []
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")
        page.send("Emulation.setEmulatedMedia", features=[])


@pytest.mark.browser
@pytest.mark.slow
def test_six_thousand_findings_are_handled(browser: Browser, tmp_path: Path) -> None:
    found = draft().findings
    many = tuple(found[place % len(found)] for place in range(6000))
    page = opened(browser, page_of(replace(draft(), findings=many)), tmp_path)
    assert shown(page) == 6000
    page.enter("search", "UNI-02")
    assert 0 < shown(page) < 6000
    page.enter("search", "")
    tick(page, "grouping", "order")
    assert shown(page) == 6000

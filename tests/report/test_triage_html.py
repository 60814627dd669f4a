"""The page of a review, as text and in a real browser."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest

from jdv_qa.language import current_language, use_language
from jdv_qa.report.triage_html import triage_html
from tests.browser import Browser
from tests.report.triage_reviews import HOSTILE, hostile_review, sample_review

CARDS = "[...document.querySelectorAll('details.request')].filter(card => card.offsetParent !== null)"


@lru_cache
def _page(language: str) -> str:
    use_language(language)
    return triage_html(sample_review())


def sample_page() -> str:
    return _page(current_language())


def test_page_is_the_same_twice() -> None:
    assert triage_html(hostile_review()) == triage_html(hostile_review())
    assert triage_html(sample_review()) == sample_page()


def test_every_request_has_a_card_and_nothing_is_run() -> None:
    page = triage_html(hostile_review())
    assert page.count('<details class="request') == len(hostile_review().requests)
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "{{ 7*7 }}" in page
    targets = set(re.findall(r'<[^>]* (?:src|href)="([^"]*)"', page))
    assert {target for target in targets if not target.startswith("#")} == {"data:,"}


def test_links_between_requests_lead_to_cards() -> None:
    page = sample_page()
    cards = set(re.findall(r'<details class="request[^"]*" id="([^"]*)"', page))
    links = set(re.findall(r'href="#(r\d+)"', page))
    assert links
    assert links <= cards


def test_page_in_english() -> None:
    use_language("en")
    page = sample_page()
    assert '<html lang="en">' in page
    assert "to correct" in page
    assert "Rechercher" not in page
    assert "Mettre" not in page


def test_what_was_not_judged_is_said() -> None:
    assert "Aucune version de LOINC" in triage_html(sample_review(with_loinc=False))
    assert "Aucune version de LOINC" not in sample_page()


@pytest.fixture
def sample(browser: Browser, tmp_path: Path) -> Browser:
    path = tmp_path / "instruction.html"
    path.write_text(sample_page(), encoding="utf-8")
    browser.open(path)
    return browser


def shown(browser: Browser) -> int:
    return int(browser.run(f"{CARDS}.length"))


@pytest.mark.browser
def test_the_page_asks_for_nothing_and_complains_of_nothing(sample: Browser) -> None:
    assert shown(sample) == len(sample_review().requests)
    sample.enter("search", "glucose")
    assert [url for url in sample.requests if not url.startswith("data:")] == [sample.run("location.href")]
    assert sample.complaints == []


@pytest.mark.browser
def test_search_looks_into_what_is_folded(sample: Browser) -> None:
    sample.enter("search", "TECHNIQUE discriminante cmp-03")
    assert sample.run(f"{CARDS}.map(card => card.querySelector('.no').textContent)") == ["30"]
    sample.enter("search", "rien de tel")
    assert shown(sample) == 0
    assert "Aucune demande" in sample.run("document.getElementById('shown').textContent")
    assert sample.run("[...document.querySelectorAll('section')].every(section => section.hidden)")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["verdict", "level"])
def test_boxes_filter_and_add_up(sample: Browser, name: str) -> None:
    done = sample_review()
    totals: dict[str, int] = {}
    for item in done.requests:
        key = item.verdict if name == "verdict" else item.priority.level
        totals[key] = totals.get(key, 0) + 1
    boxes = f"[...document.querySelectorAll('input[name={name}]')]"
    assert set(sample.run(f"{boxes}.map(box => box.value)")) == set(totals)
    seen = 0
    for key, number in totals.items():
        sample.run(f"{boxes}.find(box => box.value === '{key}').click()")
        seen += number
        assert shown(sample) == seen
    sample.run("document.querySelector('button[type=reset]').click()")
    sample.run("new Promise(done => setTimeout(done, 20))")
    assert shown(sample) == len(done.requests)


@pytest.mark.browser
def test_lists_filter_and_counts_follow(sample: Browser) -> None:
    sample.enter("applicant", "CHU de Valbourg")
    own = [item for item in sample_review().requests if item.request.applicant == "CHU de Valbourg"]
    assert shown(sample) == len(own)
    acceptable = "[...document.querySelectorAll('input[name=verdict]')].find(box => box.value === 'acceptable')"
    number = int(sample.run(f"{acceptable}.parentElement.querySelector('output').textContent"))
    assert number == sum(item.verdict == "acceptable" for item in own)
    sample.enter("applicant", "")
    sample.enter("chapter", "1")
    assert sample.run(f"{CARDS}.every(card => card.closest('section').dataset.group === '1')")
    assert f"({shown(sample)})" in sample.run("document.getElementById('chapter').selectedOptions[0].textContent")


@pytest.mark.browser
def test_keys_are_enough(sample: Browser) -> None:
    sample.press("/")
    assert sample.run("document.activeElement.id") == "search"
    for key in "19113":
        sample.press(key)
    assert 0 < shown(sample) < 5
    sample.press("Escape")
    assert shown(sample) == len(sample_review().requests)
    sample.run(f"{CARDS}[0].querySelector('summary').focus()")
    sample.press("ArrowDown")
    assert sample.run(f"document.activeElement === {CARDS}[1].querySelector('summary')")
    assert not sample.run(f"{CARDS}[1].open")
    sample.press(" ")
    assert sample.run(f"{CARDS}[1].open")
    sample.press("ArrowUp")
    assert sample.run(f"document.activeElement === {CARDS}[0].querySelector('summary')")


@pytest.mark.browser
def test_a_related_request_is_shown_whatever_the_filters(sample: Browser) -> None:
    sample.run("document.getElementById('unfold').click()")
    assert sample.run(f"{CARDS}.every(card => card.open)")
    sample.run("document.getElementById('fold').click()")
    sample.enter("search", "IgE totales")
    (card,) = sample.run(f"{CARDS}.map(card => card.id)")
    target = sample.run(f"document.querySelector('#{card} dd a').hash.slice(1)")
    sample.run(f"document.getElementById('{card}').open = true; document.querySelector('#{card} dd a').click()")
    sample.run("new Promise(done => setTimeout(done, 60))")
    assert sample.run(f"document.getElementById('{target}').open")
    assert sample.run(f"document.getElementById('{target}').offsetParent !== null")


@pytest.mark.browser
def test_large_print_is_larger(sample: Browser) -> None:
    size = "parseFloat(getComputedStyle(document.querySelector('.what')).fontSize)"
    before = sample.run(size)
    sample.run("document.getElementById('large').click()")
    assert sample.run(size) > 1.3 * before
    assert sample.run("document.getElementById('large').getAttribute('aria-pressed')") == "true"


@pytest.mark.browser
def test_a_hostile_text_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(triage_html(hostile_review()), encoding="utf-8")
    browser.open(path)
    assert HOSTILE in browser.run("document.body.innerText")
    browser.enter("applicant", HOSTILE)
    assert shown(browser) == 1
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [browser.run("location.href")]
    assert browser.run("document.querySelectorAll('script, img').length") == 1


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("large", [False, True])
def test_nothing_overflows(sample: Browser, width: int, large: bool) -> None:
    sample.run("document.getElementById('unfold').click()")
    if large:
        sample.run("document.getElementById('large').click()")
    assert sample.width_needed(width) <= width


@pytest.mark.browser
def test_print_is_what_is_unfolded_without_the_filters(sample: Browser) -> None:
    sample.run(f"{CARDS}[0].open = true")
    sample.send("Emulation.setEmulatedMedia", media="print")
    try:
        assert sample.run("document.getElementById('search').offsetParent") is None
        assert sample.run(f"{CARDS}[0].querySelector('.body').checkVisibility()")
        assert sample.run(f"{CARDS}[1].querySelector('.what').checkVisibility()")
    finally:
        sample.send("Emulation.setEmulatedMedia", media="")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_in_the_dark(sample: Browser, scheme: str) -> None:
    """Every text has a contrast of 4.5 with what is behind it (WCAG 2.1, AA)."""
    from tests.report.test_changes_html import CONTRAST

    places = "h1, h2, h3, p, li, small, th, td, dt, dd, del, ins, .verdict, .chip, .label, .why, .who, .high, .impact, .number, a"
    script = re.sub(r"querySelectorAll\('[^']*'\)", f"querySelectorAll('{places}')", CONTRAST)
    assert places in script
    sample.run("document.getElementById('unfold').click()")
    sample.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        assert sample.run(script) >= 4.5
    finally:
        sample.send("Emulation.setEmulatedMedia", features=[])

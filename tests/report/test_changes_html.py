"""The page of changes, as text and in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.language import use_language
from jdv_qa.report.changes_html import changes_html
from jdv_qa.sample import files
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.read import read_edition
from tests.browser import Browser
from tests.compare.build import edition, row

HOSTILE = "</td><script>alert(1)</script><img src=http://127.0.0.1:9/x onerror=alert(2)>"
SAMPLE = files()


def page_of(old: Edition, new: Edition) -> str:
    return changes_html(compare(old, new), old, new)


def sample_pair() -> tuple[Edition, Edition]:
    return read_edition(SAMPLE["1.0.0"]), read_edition(SAMPLE["1.1.0"])


def hostile_pair() -> tuple[Edition, Edition]:
    chapters = [{"code": "18719-5", "label": "Biochimie"}, {"code": HOSTILE, "label": HOSTILE}]
    old = edition([row(), row("2000-8")], {"chapters": chapters}, version="1.0.0")
    new = edition(
        [
            row(result_display=HOSTILE, unit='"><script>alert(3)</script>'),
            row("1995-0", chapter=HOSTILE, order_label=HOSTILE),
        ],
        {"chapters": chapters},
        version="{{ 7*7 }}",
    )
    return old, new


def test_page_is_the_same_twice() -> None:
    assert page_of(*hostile_pair()) == page_of(*hostile_pair())


def test_every_change_has_a_row_and_nothing_is_run() -> None:
    page = page_of(*hostile_pair())
    comparison = compare(*hostile_pair())
    assert page.count('<tr class="change"') == len(comparison.changes)
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "{{ 7*7 }}" in page
    assert set(re.findall(r'<[^>]* (?:src|href)="([^"]*)"', page)) == {"data:,", "#changes"}


def test_page_without_changes() -> None:
    one = edition([row()])
    page = page_of(one, one)
    assert "Aucun changement" in page
    assert "<script" not in page
    assert "<form" not in page


def test_page_in_english() -> None:
    use_language("en")
    page = page_of(*hostile_pair())
    assert '<html lang="en">' in page
    assert "Laboratories must act" in page
    assert "Rechercher" not in page


@pytest.fixture
def sample(browser: Browser, tmp_path: Path) -> Browser:
    path = tmp_path / "changements.html"
    path.write_text(page_of(*sample_pair()), encoding="utf-8")
    browser.open(path)
    return browser


ROWS = "[...document.querySelectorAll('tr.change')].filter(row => row.offsetParent !== null)"


def shown(browser: Browser) -> int:
    return int(browser.run(f"{ROWS}.length"))


@pytest.mark.browser
def test_the_page_asks_for_nothing_and_complains_of_nothing(sample: Browser) -> None:
    assert shown(sample) == len(compare(*sample_pair()).changes)
    sample.enter("search", "vitamine")
    assert [url for url in sample.requests if not url.startswith("data:")] == [sample.run("location.href")]
    assert sample.complaints == []


@pytest.mark.browser
def test_search_finds_words_without_regard_to_accents_and_case(sample: Browser) -> None:
    sample.enter("search", "VITAMINE d")
    assert 0 < shown(sample) < 10
    texts = sample.run(f"{ROWS}.map(row => row.textContent)")
    assert all("vitamine" in text.casefold() for text in texts)
    sample.enter("search", "erythropoïetine chapitre")
    assert shown(sample) > 0
    sample.enter("search", "rien de tel")
    assert shown(sample) == 0
    assert "Aucun changement" in sample.run("document.getElementById('shown').textContent")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["kind", "impact"])
def test_boxes_filter_and_add_up(sample: Browser, name: str) -> None:
    comparison = compare(*sample_pair())
    totals = comparison.summary if name == "kind" else comparison.impacts
    boxes = f"[...document.querySelectorAll('input[name={name}]')]"
    wanted = {key: number for key, number in totals.items() if number}
    assert set(sample.run(f"{boxes}.map(box => box.value)")) == set(wanted)
    seen = 0
    for key, number in wanted.items():
        sample.run(f"{boxes}.find(box => box.value === '{key}').click()")
        seen += number
        assert shown(sample) == seen
        assert f"{seen}" in sample.run("document.getElementById('shown').textContent")
    sample.run("document.querySelector('button[type=reset]').click()")
    sample.run("new Promise(done => setTimeout(done, 20))")
    assert shown(sample) == len(comparison.changes)


@pytest.mark.browser
def test_lists_filter_and_counts_follow(sample: Browser) -> None:
    comparison = compare(*sample_pair())
    sample.enter("part", "result")
    assert shown(sample) == len(comparison.select(part="result"))
    added = "[...document.querySelectorAll('input[name=kind]')].find(box => box.value === 'added')"
    assert int(sample.run(f"{added}.parentElement.querySelector('output').textContent")) == len(
        comparison.select("added", "result")
    )
    sample.enter("part", "")
    sample.enter("chapter", "18725-2")
    found = shown(sample)
    assert 0 < found < len(comparison.changes)
    assert sample.run(f"{ROWS}.every(row => row.dataset.chapters.split('\\n').includes('18725-2'))")
    assert f"({found})" in sample.run("document.getElementById('chapter').selectedOptions[0].textContent")


@pytest.mark.browser
def test_keys_are_enough(sample: Browser) -> None:
    sample.press("/")
    assert sample.run("document.activeElement.id") == "search"
    for key in "41499":
        sample.press(key)
    assert sample.run("document.getElementById('search').value") == "41499"
    assert 0 < shown(sample) < 5
    sample.press("Escape")
    assert shown(sample) == len(compare(*sample_pair()).changes)
    sample.run("document.querySelector('input[name=kind]').focus()")
    sample.press(" ")
    assert sample.run("document.querySelector('input[name=kind]').checked")
    assert shown(sample) == compare(*sample_pair()).summary["replaced"]


@pytest.mark.browser
def test_a_hostile_text_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(page_of(*hostile_pair()), encoding="utf-8")
    browser.open(path)
    assert HOSTILE in browser.run("document.body.innerText")
    browser.enter("chapter", HOSTILE)
    assert shown(browser) > 0
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [browser.run("location.href")]
    assert browser.run("document.querySelectorAll('script, img').length") == 1


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_overflows(sample: Browser, width: int) -> None:
    assert sample.width_needed(width) <= width


@pytest.mark.browser
def test_print_keeps_the_table_however_narrow_the_paper(sample: Browser) -> None:
    sample.send("Emulation.setDeviceMetricsOverride", width=700, height=900, deviceScaleFactor=1, mobile=False)
    sample.send("Emulation.setEmulatedMedia", media="print")
    try:
        assert sample.run("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
        assert sample.run("getComputedStyle(document.querySelector('td')).display") == "table-cell"
        assert sample.run("document.getElementById('search').offsetParent") is None
    finally:
        sample.send("Emulation.setEmulatedMedia", media="")
        sample.send("Emulation.clearDeviceMetricsOverride")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_in_the_dark(sample: Browser, scheme: str) -> None:
    """Every text has a contrast of 4.5 with what is behind it (WCAG 2.1, AA)."""
    sample.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        assert sample.run(CONTRAST) >= 4.5
    finally:
        sample.send("Emulation.setEmulatedMedia", features=[])


CONTRAST = """
(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(value => value / 255)
      .map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  let least = 21;
  for (const element of document.querySelectorAll('h1, p, small, th, del, ins, .field, .label, .mark, .chapter, .related, .number')) {
    const pair = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    least = Math.min(least, (pair[0] + 0.05) / (pair[1] + 0.05));
  }
  return least;
})()
"""

"""The release notes: what they say, in which order, and how they are written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Change
from jdv_qa.language import use_language
from jdv_qa.publish.markdown import markdown_text, unit_text
from jdv_qa.publish.notes import release_notes, short_notes, written_date
from jdv_qa.publish.notes_html import notes_html
from jdv_qa.terminology.loinc import LoincRelease
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import MAIN_FIELDS, Edition
from tests.compare.build import edition, row, terms
from tests.compare.test_transitions import release

CHAPTERS = [
    {"code": "18719-5", "label": "Biochimie", "subcode": "18719-5", "sublabel": "Biochimie"},
    {"code": "18723-7", "label": "Hématologie", "subcode": "18723-7", "sublabel": "Hématologie"},
]
TABS = {
    "chapters": CHAPTERS,
    "techniques": [{"code": "9AX", "label": "Ampérométrie"}, {"code": "9BX", "label": "Conductimétrie"}],
}


@pytest.fixture(autouse=True)
def _french_again() -> Iterator[None]:
    yield
    use_language("fr")


@pytest.fixture
def versions() -> tuple[Edition, Edition]:
    """Return two small versions between which something of everything happens."""
    sodium = {"result_loinc_label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "result_display": "Sodium"}
    calcium = {"result_loinc_label": "Calcium [Moles/Volume] Sérum/Plasma ; Numérique", "result_display": "Calcium"}
    old = [
        row(
            "24326-1",
            "600238",
            order_label="Ionogramme",
            order_type="Order",
            nabm_code="1609",
            nabm_label="Iono",
            **sodium,
        ),
        row("24326-1", "2823-3", order_label="Ionogramme", order_type="Order", nabm_code="1609", nabm_label="Iono"),
        row(
            "24326-1",
            "2000-8",
            order_label="Ionogramme",
            order_type="Order",
            nabm_code="1609",
            nabm_label="Iono",
            **calcium,
        ),
        row("14749-6", unit="mmol/L", result_display="Glucose"),
        row("26464-8", unit="10*9/L", chapter="18719-5"),
        row("5902-2", comparability="1", discriminating_technique="N"),
        row("30341-2", "30341-2", order_label="Vitesse de sédimentation"),
    ]
    new = [
        row(
            "24326-1",
            "2951-2",
            order_label="Ionogramme",
            order_type="Order",
            nabm_code="1610",
            nabm_label="Iono +",
            **sodium,
        ),
        row(
            "24326-1",
            "1995-0",
            order_label="Ionogramme",
            order_type="Order",
            nabm_code="1610",
            nabm_label="Iono +",
            **calcium,
        ),
        row("14749-6", unit="g/L", result_display="Glucose | à jeun\n(sang)", order_synonyms="Glycémie;Sucre"),
        row("14749-6", "2823-3", order_synonyms="Glycémie;Sucre"),
        row("26464-8", unit="10*9/L", chapter="18723-7", subchapter="18723-7", specimen="BLD"),
        row("5902-2", comparability="2", discriminating_technique="O"),
        row("48065-7", unit="ug/L{FEU}", chapter="18723-7", order_label="D-dimères"),
    ]
    tabs = TABS | {
        "techniques": [{"code": "9AX", "label": "Electrochimie-ampérométrie"}, {"code": "9CX", "label": "Coulométrie"}]
    }
    new[0]["comment"] = "à revoir"
    narrow = [name for name in MAIN_FIELDS if name != "comment"]
    return (
        edition(old, TABS, version="1.1.10", date="2019-01-15", loinc="2.66", fields=narrow),
        edition(new, tabs, version="1.2.0", date="2019-07-01", loinc="2.68"),
    )


def notes(old: Edition, new: Edition) -> str:
    return release_notes(old, new, compare(old, new))


def titles(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_notes_of_a_small_version(versions: tuple[Edition, Edition], language: str) -> None:
    """The notes are those of the file; JDV_RENEW=1 writes it anew, for its difference to be read before it is kept."""
    use_language(language)
    page = Path(__file__).with_name(f"notes_small.{language}.md")
    if os.environ.get("JDV_RENEW"):
        page.write_text(notes(*versions), encoding="utf-8", newline="\n")
    assert notes(*versions) == page.read_text(encoding="utf-8")


def test_figures_and_work_come_first(versions: tuple[Edition, Edition]) -> None:
    assert titles(notes(*versions)) == [
        "En chiffres",
        "Ce que les laboratoires ont à faire",
        "Codes attribués",
        "Codes remplacés",
        "Suppressions",
        "Unités",
        "Comparabilité",
        "Type et prélèvement des demandes",
        "Changements de chapitre",
        "Ajouts",
        "Composition des demandes",
        "Libellés et autres mentions",
        "Alignement NABM/RIHN",
        "Tables de référence",
        "Version LOINC couverte",
        "Numéro de version",
        "Ce qui n’a pas été comparé",
    ]


def test_every_code_that_changed_is_named(versions: tuple[Edition, Edition]) -> None:
    text = notes(*versions)
    for change in compare(*versions).changes:
        for code in (change.code, change.new_code, change.result, change.nabm):
            assert code is None or code in text


def test_a_section_with_nothing_to_say_is_not_there() -> None:
    one = edition([row()], TABS)
    assert titles(notes(one, one)) == ["En chiffres", "Version LOINC couverte"]
    assert titles(notes(one, edition([row(comment="à revoir")], TABS))) == [
        "En chiffres",
        "Libellés et autres mentions",
        "Version LOINC couverte",
        "Numéro de version",
    ]


def test_tables_are_whole_tables(versions: tuple[Edition, Edition]) -> None:
    """Every row of a table has as many cells as its header, whatever the fields hold."""
    text = notes(*versions)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert sum(token.type == "tr_open" for token in tokens) == sum(not set(line) <= set("| -") for line in rows)
    assert not [token for token in tokens if token.type == "inline" and token.content.startswith("|")]


@pytest.mark.parametrize(
    "text",
    [
        "[IU]/L",
        "10*9/L et 10*12/L",
        "a | b",
        "<b>x</b>",
        "a\\b",
        "`x`",
        "_a_ b_c",
        "[a](b)",
        "[a][b]",
        "&amp; &",
        "~~x~~",
        "#1",
    ],
)
def test_a_field_is_shown_as_it_is(text: str) -> None:
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for written in (markdown_text(text), unit_text(text)):
        tokens = page.parse(f"| x |\n| --- |\n| {written} |")
        cell = [token for token in tokens if token.type == "inline"][1]
        assert "".join(child.content for child in cell.children or ()) == text


def test_line_breaks_within_a_cell() -> None:
    assert markdown_text("a\nb") == "a<br>b"


def test_the_notice_ends_the_notes(versions: tuple[Edition, Edition]) -> None:
    assert notes(*versions).endswith(f"\n---\n\n{LOINC_NOTICE}\n")


@pytest.mark.parametrize(
    ("text", "french", "english"),
    [
        ("2019-07-01", "1er juillet 2019", "1 July 2019"),
        ("2019-01-15", "15 janvier 2019", "15 January 2019"),
        ("2019-01-15T00:00:00", "15 janvier 2019", "15 January 2019"),
        ("2019-13-01", "2019-13-01", "2019-13-01"),
        ("été 2019", "été 2019", "été 2019"),
    ],
)
def test_dates(text: str, french: str, english: str) -> None:
    assert written_date(text) == french
    use_language("en")
    assert written_date(text) == english


@pytest.mark.parametrize(
    ("version", "words"),
    [("1.1.0", "C’est le numéro retenu."), ("1.0.1", "reste en deçà"), ("2.0.0", "va au-delà")],
)
def test_the_number_chosen_against_the_number_called_for(version: str, words: str) -> None:
    old, new = edition([row()], version="1.0.0"), edition([row(unit="g/L")], version=version)
    text = notes(old, new)
    assert "**1.1.0**" in text
    assert words in text


def test_notes_of_a_one_table_form() -> None:
    fields = ("code", "label", "status")
    old = terms([{"code": "1-8", "label": "a", "status": "ACTIVE"}], fields)
    new = terms([{"code": "1-8", "label": "a"}, {"code": "2-6", "label": "b"}], fields)
    assert titles(notes(old, new))[:3] == ["Ajouts", "Libellés et autres mentions", "Numéro de version"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_short_notes_of_a_small_version(versions: tuple[Edition, Edition], language: str) -> None:
    use_language(language)
    page = Path(__file__).with_name(f"notes_small_short.{language}.md")
    text = short_notes(*versions, compare(*versions))
    if os.environ.get("JDV_RENEW"):
        page.write_text(text, encoding="utf-8", newline="\n")
    assert text == page.read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line]) <= 13


def test_short_notes_name_some_codes_and_count_the_others() -> None:
    codes = [f"{number}-1" for number in range(100, 120)]
    old = edition([row(code) for code in codes], TABS)
    new = edition([row(code, unit="g/L") for code in codes], TABS, version="1.1.0")
    text = short_notes(old, new, compare(old, new))
    assert "revoir l’unité (20 résultats)\u00a0: 100-1, 101-1, 102-1, 103-1, 104-1, 105-1 et 14 autres" in text


def deprecated() -> tuple[LoincRelease, LoincRelease]:
    """Return two releases: 14749-6 and 30341-2 are given up in the second one, and 48065-7 is new there."""
    before = release("2.66", _14749_6="ACTIVE", _30341_2="ACTIVE", _2823_3="TRIAL")
    after = release("2.68", _14749_6="DEPRECATED", _30341_2="DISCOURAGED", _2823_3="ACTIVE", _48065_7="ACTIVE")
    return LoincRelease(after.version, after.terms, {"14749-6": (("15074-8", ""), ("48065-7", ""))}), before


def test_notes_tell_the_statuses_that_changed(versions: tuple[Edition, Edition]) -> None:
    loinc, old_loinc = deprecated()
    comparison = compare(*versions, loinc=loinc, old_loinc=old_loinc)
    text = release_notes(*versions, comparison)
    section = text.partition("## Version LOINC couverte\n")[2].partition("\n## ")[0].replace("\u00a0", " ")
    assert "De LOINC 2.66 à LOINC 2.68, 4 codes du jeu de valeurs changent de statut :" in section
    assert [line for line in section.splitlines() if line.startswith("|") and "---" not in line] == [
        "| Statut avant | Statut après | Codes | Dont dans cette version |",
        "| absent | ACTIVE | 1 | 1 |",
        "| ACTIVE | DEPRECATED | 1 | 1 |",
        "| ACTIVE | DISCOURAGED | 1 | 0 |",
        "| TRIAL | ACTIVE | 1 | 1 |",
        "| Code | Libellé | Statut avant | Statut après | À utiliser à la place |",
        "| 14749-6 | Résultat 14749-6 [Moles/Volume] Sérum/Plasma ; Numérique | ACTIVE | DEPRECATED | 15074-8, 48065-7 |",
        "| 2823-3 | Résultat 2823-3 [Moles/Volume] Sérum/Plasma ; Numérique | TRIAL | ACTIVE |  |",
    ]
    mail = short_notes(*versions, comparison).replace("\u00a0", " ")
    assert "désormais déprécié ou déconseillé : 14749-6 (utiliser 15074-8 ou 48065-7)." in mail
    one = edition([row()], TABS)
    none = compare(one, one, loinc=loinc, old_loinc=old_loinc)
    assert "aucun code du jeu de valeurs ne change de statut" in release_notes(one, one, none)
    assert "Statuts LOINC\u00a0: 0 changement, aucun code n’est à abandonner." in short_notes(one, one, none)


def test_changes_name_the_requests_they_answer(versions: tuple[Edition, Edition]) -> None:
    comparison = compare(*versions)
    requests: dict[Change, tuple[str, ...]] = {}
    for number, change in enumerate(comparison.changes, 1):
        requests[change] = (str(number),)
    (unit,) = comparison.select("modified", "result", ["unit"])
    requests[unit] = ("102", "12", "15")
    text = release_notes(*versions, comparison, requests=requests)
    plain = release_notes(*versions, comparison)
    assert "demande n°" not in plain
    assert "`mmol/L` → `g/L` | demandes n°\u00a012, 15 et 102 |" in text
    assert titles(text) == [*titles(plain), "Demandes de modification traitées"]
    for name in titles(plain):
        section, before = (re.split(r"\n(?:## |---\n)", page.partition(f"## {name}\n")[2])[0] for page in (text, plain))
        tables = name not in (
            "En chiffres",
            "Version LOINC couverte",
            "Numéro de version",
            "Ce qui n’a pas été comparé",
        )
        assert (section != before) == tables, name
    last = text.partition("traitées\n")[2]
    assert "- **n°\u00a0102**\u00a0: résultat 14749-6 (Unité recommandée)\n" in last
    assert len(re.findall(r"^- \*\*n°", last, re.MULTILINE)) == len({n for ns in requests.values() for n in ns})
    mail = short_notes(*versions, comparison, {unit: ("12",)})
    assert "Cette version répond à la demande n°\u00a012." in mail
    assert "répond aux demandes n°\u00a012, 15 et 102." in short_notes(*versions, comparison, {unit: requests[unit]})
    use_language("en")
    assert "request\u00a012" in release_notes(*versions, comparison, requests={unit: ("12",)})


def test_a_request_number_is_never_markup(versions: tuple[Edition, Edition]) -> None:
    comparison = compare(*versions)
    requests = dict.fromkeys(comparison.changes, ("<b>|*1*",))
    page = notes_html(release_notes(*versions, comparison, requests=requests))
    assert "<b>" not in page
    assert "&lt;b&gt;|*1*" in page


def test_codes_of_reference_tabs_that_gave_way_are_told_once() -> None:
    old = edition([row()], TABS | {"clinical_info": [{"code": "8665-2", "label": "Date"}]})
    new = edition([row()], {"chapters": CHAPTERS, "clinical_info": [{"code": "8666-0", "label": "Date"}],
                            "techniques": [TABS["techniques"][0], {"code": "9CX", "label": "Conductimétrie"}]},
                  version="1.1.0")  # fmt: skip
    text = notes(old, new)
    assert "| Renseignement clinique | 8665-2 | 8666-0 | Date |" in text
    assert "### Renseignements cliniques" not in text
    assert "| suppression | 9BX | Conductimétrie |  | peut-être 9CX |" in text


def test_short_notes_without_change() -> None:
    one = edition([row()], TABS)
    assert "ne change rien" in short_notes(one, one, compare(one, one))


def test_spaces_and_apostrophes_of_french(versions: tuple[Edition, Edition]) -> None:
    """No space that may break before a sign, narrow ones before ; ! ? alone, and typographic apostrophes in our words."""
    for text in (notes(*versions), short_notes(*versions, compare(*versions))):
        prose = [line for line in text.splitlines() if not line.startswith("|") and "Regenstrief" not in line]
        for line in prose:
            assert not re.search(r" [:;!?»%]|« |\u202f[:»]|«\u202f|'", line), line
    assert "Demande(s)" not in text


def test_html_pastes_cleanly(versions: tuple[Edition, Edition]) -> None:
    markdown = notes(*versions)
    page = notes_html(markdown)
    assert not re.search(r"<(?:script|style|link|img|div|span)|class=|\*\*|\\", page)
    assert page.count("<tr>") == sum(
        line.startswith("|") and not set(line) <= set("| -") for line in markdown.splitlines()
    )
    for tag in ("table", "th", "td", "h1", "h2", "p", "li"):
        assert page.count(f"<{tag} style=") == len(re.findall(rf"<{tag}[ >]", page)) > 0
    assert "<title>Notes de version – JDV_CircuitBio 1.2.0</title>" in page
    mail = notes_html(short_notes(*versions, compare(*versions)))
    assert "<title>JDV_CircuitBio 1.2.0 du 1er juillet 2019</title>" in mail


def test_html_takes_no_markup_from_fields() -> None:
    hostile = "</td><script>alert(1)</script><!-- x --><a href='javascript:1'>b</a> [c](http://d) <http://e.fr>"
    new = edition([row(result_display=hostile, comment="a\nb"), row("1995-0", order_label=hostile)], TABS)
    page = notes_html(notes(edition([row()], TABS), new))
    assert "<script" not in page
    assert "<a " not in page
    assert "<!--" not in page
    assert "a<br>b" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_markup_in_markdown_that_is_not_ours_becomes_text() -> None:
    page = notes_html("a <b>x</b> c<br>d\n\n<script>alert(1)</script>\n")
    assert "<b>" not in page
    assert "<script" not in page
    assert "c<br>d" in page

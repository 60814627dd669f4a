"""The answers to applicants: letters that say what was decided and what to do, and the table of the mail merge."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jdv_qa.errors import RuleFileError
from jdv_qa.language import use_language
from jdv_qa.resources import rules_directory
from jdv_qa.sample import REQUESTS
from jdv_qa.triage import answers as answers_module
from jdv_qa.triage.answers import answers, in_words
from jdv_qa.triage.decisions import Decision, Ruling
from jdv_qa.triage.following import Followed, follow
from jdv_qa.triage.requests import read_requests
from tests.triage.registers import sample, write_register

RULINGS: dict[str, Ruling] = {
    "19": "refused", "20": "refused", "22": "postponed", "32": "refused", "37": "awaiting-loinc", "25": "postponed", "40": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def followed() -> list[Followed]:
    requests = read_requests(REQUESTS).requests
    decisions = [
        Decision(
            request.number,
            RULINGS.get(request.number, "accepted"),
            comment="c'est un panel" if request.number == "32" else "",
        )
        for request in requests
    ]
    return list(follow(requests, decisions, sample("1.1.0"), sample("1.0.0")))


@pytest.fixture
def letters(followed: list[Followed]) -> dict[str, str]:
    return {
        name: content.decode("utf-8")
        for name, content in answers(followed, sample("1.1.0")).items()
        if name.endswith(".txt")
    }


def plain(text: str) -> str:
    """The text on one line, with ordinary spaces."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("number", "sentences"),
    [
        ("004", ["Groupe d'experts Allergie", "demande n° 4 du 2 février 2026", "Elle est publiée dans la version 1.1.0 du 15 juillet 2026.",
                 "À faire dans votre paramétrage", "remplacer « [IU]/mL » par « k[IU]/L »."]),
        ("001", ["la création du résultat 70204-3", "24331-1 a été remplacé par 57698-3."]),
        ("002", ["Rien ne change dans le paramétrage existant"]),
        ("009", ["Rien n'est à changer dans votre paramétrage."]),
        ("007", ["- ne plus utiliser 17861-6"]),
        ("018", ["la version 1.1.0 du 15 juillet 2026 ne la contient pas encore"]),
        ("029", ["n'en contient qu'une partie : - le résultat 67151-1 est sous la demande 67151-1, et non sous 6598-7."]),
        ("021", ["Le jeu de valeurs le disait déjà dans sa version 1.0.0"]),
        ("022", ["Cette demande est ajournée"]),
        ("025", ["Cette demande est ajournée", "La version 1.1.0 contient pourtant ce que vous demandiez"]),
        ("032", ["Cette demande n'a pas été retenue.", "Motif : c'est un panel"]),
        ("037", ["attend une réponse de LOINC"]),
        ("040", ["Aucune décision n'a encore été prise."]),
    ],
)  # fmt: skip
def test_a_letter_says(number: str, sentences: list[str], letters: dict[str, str]) -> None:
    text = plain(letters[f"reponse-{number}.txt"])
    assert [sentence for sentence in sentences if sentence not in text] == []


def test_letters_are_short_and_set(letters: dict[str, str]) -> None:
    assert len(letters) == 40
    for text in letters.values():
        assert text.startswith(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZÉ"))
        assert "Madame, Monsieur,\n" in text
        assert max(map(len, text.splitlines())) <= answers_module.WIDTH
        assert len(text.splitlines()) < 30
        assert not re.search(r"\n\n\n|[{}]%| $|None", text)
        assert not re.search(r"« | »", text), "a space that may break"


def test_a_code_removed_as_order_and_result_is_told_once(letters: dict[str, str]) -> None:
    assert letters["reponse-014.txt"].count("ne plus") == 1


def test_the_mail_merge(followed: list[Followed]) -> None:
    content = answers(followed, sample("1.1.0"))["publipostage.csv"]
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [row["N°"] for row in rows] == [one.asked.number for one in followed]
    unit = rows[3]
    assert (unit["Demandeur"], unit["Décision"], unit["Statut"], unit["Version"], unit["Fichier"]) == (
        "Groupe d'experts Allergie", "acceptée", "publiée dans la version 1.1.0", "1.1.0", "reponse-004.txt",
    )  # fmt: skip
    assert unit["À faire"] == "19113-0 Unité recommandée [IU]/mL → k[IU]/L"
    assert {row["N°"] for row in rows if row["À vérifier avant envoi"]} == {
        "18",
        "23",
        "24",
        "25",
        "26",
        "27",
        "28",
        "29",
        "31",
        "33",
        "34",
        "35",
        "36",
        "38",
        "40",
    }
    assert rows[31]["Motif"] == "c'est un panel"


def test_numbers_never_lead_out_of_the_folder(tmp_path: Path) -> None:
    numbers = ["../../etc/passwd", "12", "012", "a/b", "A-B", "…", "..", "x" * 300, "CON", "12\\13", "=2+3"]
    rows = [
        {"number": number, "kind": "Suppression", "object": "Résultat", "code": "17861-6", "applicant": "=cmd"}
        for number in numbers
    ]
    requests = read_requests(write_register(rows, tmp_path / "r.csv")).requests
    files = answers(follow(requests, (), sample("1.1.0")), sample("1.1.0"))
    names = [name for name in files if name.endswith(".txt")]
    assert len(names) == len(numbers)
    assert len({name.casefold() for name in names}) == len(numbers)
    assert all(re.fullmatch(r"reponse-[0-9A-Za-z-]{1,50}\.txt", name) for name in names)
    merged = files["publipostage.csv"].decode("utf-8-sig")
    assert ";'=cmd;" in merged
    assert "\n'=2+3;" in merged


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "answers").mkdir()
    answers_module._template.cache_clear()
    monkeypatch.setattr(answers_module, "rules_directory", lambda: tmp_path)
    yield tmp_path / "answers"
    answers_module._template.cache_clear()


@pytest.mark.parametrize(
    "source", ["{% if %}", "{{ inconnu }}", "{{ number", "{% include '../secret' %}", "{{ 1 / 0 }}"]
)
def test_a_wrong_template_is_named(source: str, templates: Path, followed: list[Followed]) -> None:
    (templates / "fr.txt").write_text(source, encoding="utf-8")
    with pytest.raises(RuleFileError, match=r"fr\.txt.*modèle de réponse inutilisable"):
        answers(followed[:1], sample("1.1.0"))


def test_a_missing_template_is_named(templates: Path, followed: list[Followed]) -> None:
    with pytest.raises(RuleFileError, match=r"fr\.txt"):
        answers(followed[:1], sample("1.1.0"))


def test_a_maintainer_changes_the_sentences(templates: Path, followed: list[Followed]) -> None:
    (templates / "fr.txt").write_text("Bonjour {{ applicant }} ; demande {{ number }} : {{ state }}", encoding="utf-8")
    assert answers(followed[:1], sample("1.1.0"))["reponse-001.txt"].decode() == (
        "Bonjour Laboratoire Biolittoral\u202f; demande 1\u00a0: published\n"
    )


def test_letters_in_english(followed: list[Followed]) -> None:
    use_language("en")
    files = answers(followed, sample("1.1.0"))
    assert "mail_merge.csv" in files
    text = plain(files["answer-004.txt"].decode())
    assert "It is published in version 1.1.0 of 15 July 2026." in text
    assert 'replace "[IU]/mL" by "k[IU]/L".' in text


def test_both_templates_ship() -> None:
    assert {path.name for path in (rules_directory() / "answers").iterdir()} == {"fr.txt", "en.txt"}


WORDS = [
    ({"kind": "Suppression", "object": "Résultat", "code": "17861-6", "label": "Calcium"}, "la suppression du résultat 17861-6 (Calcium)"),
    ({"kind": "Création", "object": "Résultat"}, "la création d'un résultat"),
    ({"kind": "Modification", "object": "Résultat", "code": "1-8", "field": "Unité", "value": "g/L"},
     "la modification du champ « Unité recommandée » du résultat 1-8 : « g/L »"),
    ({"kind": "Création", "object": "NABM", "code": "85421-6", "nabm": "0270"}, "l'alignement de la demande 85421-6 sur l'acte NABM 0270"),
    ({"kind": "Création", "object": "Code LOINC", "label": "Nouveau"}, "un code LOINC pour « Nouveau »"),
    ({"kind": "Bonjour", "object": "Résultat", "code": "1-8"}, "ce qui suit : « Bonjour »"),
    ({"kind": "Création", "object": "Technique", "code": "BAX", "label": "Essai"}, "la création de « BAX » (Essai) dans l'onglet « 7.Techniques »"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "words"), WORDS, ids=[words for _, words in WORDS])
def test_a_request_in_words(row: dict[str, str], words: str, tmp_path: Path) -> None:
    (request,) = read_requests(write_register([{"number": 1, **row}], tmp_path / "r.csv")).requests
    assert plain(in_words(request)) == words

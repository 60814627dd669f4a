"""The workbook of the meeting: what stands in it, what is read back from it, and that nothing in it is run."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from jdv_qa.cli.app import main
from jdv_qa.language import french_spaces, use_language
from jdv_qa.report.triage_excel import decision_names, triage_excel
from jdv_qa.report.triage_lines import LEVELS, triage_groups
from jdv_qa.report.triage_text import verdict_name
from jdv_qa.sample import REQUESTS, files
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.triage.decisions import read_decisions, ruling_of
from jdv_qa.triage.ledger import Past
from jdv_qa.triage.requests import Register, read_requests
from jdv_qa.triage.review import Review, review
from jdv_qa.workbook.edition import column_letter
from tests.compare import build
from tests.report.triage_reviews import hostile_review, sample_review
from tests.triage.registers import reviewed, sample, write_register

HEADERS = [
    "N°", "Demandeur", "Chapitre", "Type / Objet", "Code", "Libellé", "Demande", "Verdict", "Motifs", "Changement proposé",
    "Ce que dirait le contrôle", "Codes candidats", "Impact", "Priorité", "Demandes liées", "Déjà demandé", "Décision",
    "Code retenu", "Valeur retenue", "Commentaire de la décision",
]  # fmt: skip


@lru_cache
def content() -> bytes:
    return triage_excel(sample_review())


@pytest.fixture
def book() -> Any:
    return load_workbook(io.BytesIO(content()))


def table(book: Any, name: str) -> list[dict[str, Any]]:
    """The lines of a tab by header; titles of groups are left out."""
    head, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows if row[0] is not None]


def by_number(book: Any) -> dict[str, dict[str, Any]]:
    return {str(line["N°"]): line for line in table(book, "Instruction")}


def test_one_line_a_request_under_the_headers_of_the_meeting(book: Any) -> None:
    assert book.sheetnames == ["Instruction", "Synthèse", "Propositions", "Candidats", "LOINC", "Demandes"]
    assert [cell.value for cell in book["Instruction"][1]] == HEADERS
    lines = by_number(book)
    assert set(lines) == {item.request.number for item in sample_review().requests}
    for item in sample_review().requests:
        assert lines[item.request.number]["Verdict"] == verdict_name(item.verdict)
        assert lines[item.request.number]["Décision"] is None
    unit = lines["4"]
    assert unit["Chapitre"] == "Allergie"
    assert unit["Demande"] == french_spaces("Mettre « Unité recommandée » à « k[IU]/L » pour le résultat 19113-0.")
    assert unit["Changement proposé"] == "Unité recommandée, T268\u00a0: [IU]/mL → k[IU]/L"
    assert (unit["Priorité"], unit["Demandes liées"]) == ("haute", "16")


def test_lines_are_grouped_by_chapter_and_the_urgent_ones_come_first() -> None:
    groups = triage_groups(sample_review())
    titles = [group.title for group in groups]
    assert titles[:3] == ["Allergie", "Antibiogramme", "Biochimie"]
    assert titles[-2:] == ["Onglets de référence", "Sans chapitre"]
    for group in groups:
        levels = [LEVELS.index(line.item.priority.level) for line in group.lines]
        assert levels == sorted(levels)
    places = [line.place for group in groups for line in group.lines]
    assert sorted(places) == list(range(len(sample_review().requests)))


def test_sub_chapters_that_say_more_than_their_chapter_have_groups_of_their_own(tmp_path: Path) -> None:
    chapters = [
        {"code": "18719-5", "label": "Biochimie", "subcode": "18719-5", "sublabel": "Biochimie"},
        {"code": "18719-5", "label": "Biochimie", "subcode": "600001", "sublabel": "Lipides"},
    ]
    rows = [build.row("2951-2"), *(build.row(code, subchapter="600001") for code in ("2000-8", "1995-0"))]
    asked = [
        {"kind": "Modification", "object": "Résultat", "code": code, "field": "Libellé d'édition", "value": "Autre"}
        for code in ("2000-8", "2951-2", "1995-0")
    ]
    register = read_requests(write_register(asked, tmp_path / "demandes.csv"))
    groups = triage_groups(review(register, build.edition(rows, {"chapters": chapters})))
    assert [(group.title, [line.subject for line in group.lines]) for group in groups] == [
        ("Biochimie", ["2951-2"]),
        ("Biochimie › Lipides", ["1995-0", "2000-8"]),
    ]


def test_each_group_has_a_title_that_says_how_many_lines_follow(book: Any) -> None:
    sheet = book["Instruction"]
    titles = [row for row in range(2, sheet.max_row + 1) if sheet.cell(row, 1).value is None]
    groups = triage_groups(sample_review())
    assert len(titles) == len(groups)
    for row, group in zip(titles, groups, strict=True):
        assert sheet.cell(row, 2).value == f"{group.title} – {group.sentence}"
        below = [str(sheet.cell(row + place, 1).value) for place in range(1, len(group.lines) + 1)]
        assert below == [line.number for line in group.lines]


def test_what_would_be_right_follows_what_is_asked(book: Any) -> None:
    level = by_number(book)["30"]
    assert level["Verdict"] == "à corriger"
    assert "CMP-03" in level["Motifs"]
    asked, right = level["Changement proposé"].split("\nCe qui conviendrait\u00a0:\n")
    assert asked == "Niveau minimum de comparabilité, R72\u00a0: 1 → 2"
    assert right.split("\n") == [asked, "Technique discriminante, S72\u00a0: N → O"]


def test_decisions_are_chosen_from_a_list_that_is_understood(book: Any) -> None:
    sheet = book["Instruction"]
    (validation,) = sheet.data_validations.dataValidation
    letter = column_letter(HEADERS.index("Décision") + 1)
    assert str(validation.sqref) == f"{letter}2:{letter}{sheet.max_row}"
    assert validation.formula1 == '"acceptée,refusée,ajournée,en attente LOINC"'
    for language in ("fr", "en"):
        use_language(language)
        for ruling, word in decision_names().items():
            assert ruling_of(word) == ruling


def test_each_decision_has_its_colour(book: Any) -> None:
    criteria = [rule.formula[0] for rules in book["Instruction"].conditional_formatting for rule in rules.rules]
    assert criteria == [f'$Q2="{word}"' for word in ("acceptée", "refusée", "ajournée", "en attente LOINC")]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_the_meeting_writes_is_read_back(language: str, tmp_path: Path) -> None:
    use_language(language)
    path = tmp_path / "instruction.xlsx"
    book = load_workbook(io.BytesIO(triage_excel(sample_review())))
    sheet = book["Instruction"]
    word = next(iter(decision_names().values()))
    written = {"4": (word, None, None, None), "26": (word, "14749-6", "mmol/L", "le code en moles")}
    for row in range(2, sheet.max_row + 1):
        for place, text in enumerate(written.get(str(sheet.cell(row, 1).value), ())):
            sheet.cell(row, HEADERS.index("Décision") + 1 + place).value = text
    book.save(path)
    decisions = {decision.number: decision for decision in read_decisions(path)}
    assert set(decisions) == {item.request.number for item in sample_review().requests}
    assert {number for number, decision in decisions.items() if decision.decision} == set(written)
    retained = decisions["26"]
    assert (retained.decision, retained.code, retained.value, retained.comment) == (
        "accepted", "14749-6", "mmol/L", "le code en moles",
    )  # fmt: skip


def same(register: Register, other: Register) -> bool:
    """Whether two registers hold the same requests, at whatever rows."""
    return [replace(r, row=0) for r in register.requests] == [replace(r, row=0) for r in other.requests]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_register_is_read_back_whole(language: str, tmp_path: Path) -> None:
    use_language(language)
    path = tmp_path / "instruction.xlsx"
    for done in (sample_review(), hostile_review()):
        path.write_bytes(triage_excel(done))
        again = read_requests(path)
        assert again.sheet == "Demandes"
        assert same(again, done.register)


def test_columns_beyond_the_form_and_requests_without_number_are_kept(tmp_path: Path) -> None:
    row = {
        "number": "",
        "kind": "Création",
        "object": "Résultat",
        "code": "2947-0",
        "rank": "35",
        "conversion_factor": "2",
    }
    done = reviewed([row, row | {"number": "007"}], tmp_path)
    path = tmp_path / "instruction.xlsx"
    path.write_bytes(triage_excel(done))
    assert [request.number for request in done.register.requests] == ["ligne 2", "007"]
    assert same(read_requests(path), done.register)
    assert [decision.number for decision in read_decisions(path)] == ["ligne 2", "007"]


def test_proposals_are_exact_cells_with_what_the_check_would_say(book: Any) -> None:
    lines = [line for line in table(book, "Propositions") if line["N°"] == 30]
    assert [(line["Sens"], line["Cellule"], line["Champ"], line["Avant"], line["Après"]) for line in lines] == [
        ("ce qui est demandé", "R72", "Niveau minimum de comparabilité", "1", "2"),
        ("ce qui conviendrait", "R72", "Niveau minimum de comparabilité", "1", "2"),
        ("ce qui conviendrait", "S72", "Technique discriminante", "N", "O"),
    ]
    assert [line["Règle"] for line in lines] == ["CMP-03", None, None]
    for item in sample_review().requests:
        own = [line for line in table(book, "Propositions") if str(line["N°"]) == item.request.number]
        cells = len(item.edit.to_json()) + len(item.correction.to_json())
        assert sum(line["Action"] != "constat" for line in own) == cells
        told = "\n".join(line["Nouveaux constats"] or "" for line in own)
        assert all(finding.message in told for finding in item.findings)


def test_candidates_are_all_there_in_their_order(book: Any) -> None:
    lines = table(book, "Candidats")
    for item in sample_review().requests:
        own = [(line["Rang"], line["Code"]) for line in lines if str(line["N°"]) == item.request.number]
        assert own == [(rank, one.code) for rank, one in enumerate(item.candidates, 1)]


def test_drafts_for_loinc_have_the_axes(book: Any) -> None:
    (ves, _) = table(book, "LOINC")
    axes = ("Property", "Time", "System", "Scale", "Method", "Units")
    found = {name: text for header, text in ves.items() for name in axes if header.endswith(f"({name})")}
    assert found == {
        "Property": "ACnc",
        "Time": "Pt",
        "System": "Ser",
        "Scale": "Qn",
        "Method": "IA",
        "Units": "k[IU]/L",
    }
    assert ves["Demandeur (Organization)"] == "Laboratoire Allergis"


def test_the_summary_adds_up(book: Any) -> None:
    rows = list(book["Synthèse"].iter_rows(values_only=True))
    starts = [place for place, row in enumerate(rows) if row[0] and str(row[0]).startswith("Par ")]
    assert [rows[place][0] for place in starts] == ["Par verdict", "Par priorité", "Par chapitre", "Par demandeur"]
    done = sample_review()
    for start in starts:
        last = list(rows[start]).index("Total")
        lines = rows[start + 1 : next(place for place in range(start + 1, len(rows)) if rows[place][0] is None)]
        for column in range(1, last):
            verdict = next(v for v in done.summary if verdict_name(v) == rows[start][column])
            assert sum(int(str(line[column])) for line in lines) == done.summary[verdict]
        assert sum(int(str(line[last])) for line in lines) == len(done.requests)
    assert rows[-1][0] == LOINC_NOTICE


def test_what_was_not_judged_is_said() -> None:
    texts = [
        str(cell.value)
        for row in load_workbook(io.BytesIO(triage_excel(sample_review(with_loinc=False))))["Synthèse"].iter_rows()
        for cell in row
    ]
    assert any(text.startswith("Aucune version de LOINC n'a été donnée") for text in texts)
    assert not any(
        "Aucune version de LOINC" in str(c.value)
        for row in load_workbook(io.BytesIO(content()))["Synthèse"]
        for c in row
    )


def test_links_lead_to_the_request_and_back(book: Any) -> None:
    sheet = book["Instruction"]
    for row in range(2, sheet.max_row + 1):
        number = sheet.cell(row, 1)
        if number.value is None:
            continue
        tab, place = number.hyperlink.location.replace("'", "").split("!")
        assert tab == "Demandes"
        back = book[tab][place]
        assert back.value == number.value
        assert back.hyperlink.location == f"'Instruction'!A{row}"
        if (link := sheet.cell(row, HEADERS.index("Verdict") + 1).hyperlink) is not None:
            tab, place = link.location.replace("'", "").split("!")
            assert book[tab][place].value == number.value


def test_the_sheet_is_ready_to_print_and_codes_are_text(book: Any) -> None:
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0
        if sheet.title == "Synthèse":
            continue
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref
    sheet = book["Instruction"]
    for row in range(2, sheet.max_row + 1):
        for name in ("Code", "Code retenu", "Valeur retenue"):
            assert sheet.cell(row, HEADERS.index(name) + 1).number_format == "@"
    tall = max(range(2, sheet.max_row + 1), key=lambda row: len(str(sheet.cell(row, 9).value or "")))
    assert sheet.row_dimensions[tall].height > 60


@pytest.mark.parametrize("make", [sample_review, hostile_review])
def test_the_same_review_gives_the_same_bytes_and_runs_nothing(make: Any) -> None:
    done = make()
    written = triage_excel(done)
    assert written == triage_excel(done)
    book = load_workbook(io.BytesIO(written))
    assert not [cell for sheet in book for cells in sheet.iter_rows() for cell in cells if cell.data_type == "f"]
    links = [cell.hyperlink for sheet in book for cells in sheet.iter_rows() for cell in cells if cell.hyperlink]
    assert all(link.target is None for link in links)


def test_a_register_of_one_request_without_details(tmp_path: Path) -> None:
    row = {"kind": "Suppression", "object": "Résultat", "code": "2339-0"}
    book = load_workbook(io.BytesIO(triage_excel(reviewed([row], tmp_path))))
    assert book.sheetnames == ["Instruction", "Synthèse", "Demandes"]
    (line,) = table(book, "Instruction")
    assert (line["Chapitre"], line["Demande"], line["Verdict"]) == (
        "Sans chapitre", "Supprimer le résultat 2339-0.", "déjà fait",
    )  # fmt: skip


def test_an_empty_register() -> None:
    empty: Review = replace(sample_review(), requests=(), register=replace(sample_review().register, requests=()))
    book = load_workbook(io.BytesIO(triage_excel(empty)))
    assert table(book, "Instruction") == []


def test_english_keeps_what_is_read_back() -> None:
    use_language("en")
    book = load_workbook(io.BytesIO(triage_excel(sample_review())))
    assert {"Instruction", "Demandes"} < set(book.sheetnames)
    head = [cell.value for cell in book["Instruction"][1]]
    assert head[:3] == ["N°", "Applicant", "Chapter"]
    assert head[-4:] == HEADERS[-4:]
    texts = [str(cell.value) for row in book["Instruction"].iter_rows() for cell in row]
    assert any("Set " in text for text in texts)
    assert not any("Ajouter" in text or "Mettre «" in text for text in texts)


def test_what_the_ledger_has_is_told() -> None:
    past = Past("12", "1.0.0", "2024-03-01", "CHU", "refused", "pas de terme LOINC", "same")
    done = sample_review()
    told = replace(done, requests=(replace(done.requests[0], earlier=(past,)), *done.requests[1:]))
    lines = by_number(load_workbook(io.BytesIO(triage_excel(told))))
    asked = lines[done.requests[0].request.number]["Déjà demandé"]
    assert asked.startswith("Déjà demandée en 2024 (n°")
    assert "refusée" in asked
    assert sum(line["Déjà demandé"] is not None for line in lines.values()) == 1


ARGUMENTS = ["triage", "review", str(REQUESTS), str(files()["1.0.0"])]


@pytest.mark.parametrize("name", ["instruction.xlsx", "instruction.html"])
def test_the_name_of_the_output_says_its_form(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    assert main([*ARGUMENTS, "-o", str(path)]) == 0
    assert "40 demandes" in capsys.readouterr().err
    written = path.read_bytes()
    if path.suffix == ".html":
        assert written.startswith(b"<!DOCTYPE html>")
        return
    assert same(read_requests(path), read_requests(REQUESTS))
    assert main([*ARGUMENTS, "-o", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert path.read_bytes() == written


def test_a_workbook_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS, "--format", "xlsx"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "instruction.xlsx" in captured.err


@pytest.mark.slow
def test_the_merged_sample_has_the_same_lines() -> None:
    done = review(read_requests(REQUESTS), sample("1.1.0"))
    groups = triage_groups(done)
    assert sum(len(group.lines) for group in groups) == len(done.requests)
    assert triage_excel(done) == triage_excel(done)

"""The statuses of the codes of a value set, from one LOINC release to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from jdv_qa.compare.compare import compare
from jdv_qa.compare.wording import status_sentences
from jdv_qa.report.changes_json import changes_content
from jdv_qa.terminology.loinc import LoincRelease, Term
from tests.command_line import invoke
from tests.compare.build import edition, row, terms


def release(version: str, **statuses: str) -> LoincRelease:
    """Return a release of these codes, given as _2951_2."""
    codes = {name.removeprefix("_").replace("_", "-"): status for name, status in statuses.items()}
    return LoincRelease(version, {code: Term(code, *_rest(status)) for code, status in codes.items()})


def _rest(status: str) -> list[str]:
    return [status if name == "status" else "" for name in Term._fields[1:]]


OLD = release("2.79", _2951_2="ACTIVE", _2823_3="ACTIVE", _1995_0="TRIAL")
NEW = release("2.80", _2951_2="DEPRECATED", _2823_3="ACTIVE", _1995_0="ACTIVE", _2345_7="ACTIVE")


def test_transitions_are_counted_and_listed() -> None:
    before, after = edition([row(), row("2823-3"), row("1995-0")]), edition([row(), row("2823-3"), row("2345-7")])
    comparison = compare(before, after, loinc=NEW, old_loinc=OLD)
    assert comparison.statuses is not None
    assert comparison.statuses.counts == {("", "ACTIVE"): 1, ("ACTIVE", "DEPRECATED"): 1, ("TRIAL", "ACTIVE"): 1}
    assert [(one.code, one.kept) for one in comparison.statuses.transitions] == [
        ("1995-0", False),
        ("2345-7", True),
        ("2951-2", True),
    ]
    content = changes_content(comparison)["loinc"]
    assert (content["old"], content["new"], len(content["transitions"])) == ("2.79", "2.80", 3)


def test_what_to_use_instead_is_told_for_codes_withdrawn() -> None:
    replacements = {"2951-2": (("2345-7", ""), ("2823-3", "")), "1995-0": (("2345-7", ""),)}
    new = LoincRelease(NEW.version, NEW.terms, replacements)
    versions = edition([row(), row("1995-0")]), edition([row(), row("1995-0")])
    statuses = compare(*versions, loinc=new, old_loinc=OLD).statuses
    assert statuses is not None
    assert [(one.code, one.instead) for one in statuses.transitions] == [
        ("1995-0", ()),
        ("2951-2", ("2345-7", "2823-3")),
    ]
    assert [one.code for one in statuses.withdrawn] == ["2951-2"]
    sentences = " ".join(status_sentences(statuses)).replace("\u202f", " ")
    assert "ACTIVE → DEPRECATED, 1 code : 2951-2 (à remplacer par 2345-7 / 2823-3)." in sentences
    without = compare(versions[0], edition([row("1995-0")]), loinc=new, old_loinc=OLD).statuses
    assert without is not None
    assert without.withdrawn == ()


def test_terms() -> None:
    table = terms([{"code": "2951-2", "label": "Sodium"}], ("code", "label"))
    statuses = compare(table, table, loinc=NEW, old_loinc=OLD).statuses
    assert statuses is not None
    assert statuses.counts == {("ACTIVE", "DEPRECATED"): 1}


@pytest.mark.parametrize("releases", [{}, {"loinc": NEW}, {"old_loinc": OLD}])
def test_nothing_is_said_without_both_releases(releases: dict[str, LoincRelease]) -> None:
    comparison = compare(edition([row()]), edition([row()]), **releases)  # type: ignore[arg-type]
    assert comparison.statuses is None
    assert "loinc" not in changes_content(comparison)


def test_the_command(tmp_path: Path) -> None:
    from tests.casebook import build_workbook

    book = build_workbook({"rows": [{"order_code": "2951-2", "result_code": "2951-2"}]}, tmp_path / "v1.xlsx")
    columns = (
        "LOINC_NUM",
        "COMPONENT",
        "PROPERTY",
        "TIME_ASPCT",
        "SYSTEM",
        "SCALE_TYP",
        "METHOD_TYP",
        "CLASS",
        "STATUS",
    )
    for name, status in (("old", "ACTIVE"), ("new", "DEPRECATED")):
        (tmp_path / name).mkdir()
        line = ("2951-2", "Sodium", "SCnc", "Pt", "Ser/Plas", "Qn", "", "CHEM", status)
        text = "\n".join(",".join(f'"{cell}"' for cell in cells) for cells in (columns, line))
        (tmp_path / name / "Loinc.csv").write_text(text, encoding="utf-8")
    both = ["--loinc", str(tmp_path / "new"), "--old-loinc", str(tmp_path / "old")]
    result = invoke("diff", book, book, *both)
    assert "ACTIVE → DEPRECATED, 1 code" in result.output
    assert result.exit_code == 0
    assert invoke("diff", book, book, *both[2:]).exit_code == 2

"""What stands in a code cell of the table of terms, which holds no pending codes."""

from __future__ import annotations

import pytest

from jdv_qa.checks.codes import read_code_in
from jdv_qa.terminology.codes import CodeForm, read_code


@pytest.mark.parametrize(
    ("text", "form", "proposals"),
    [
        ("2951-2", CodeForm.LOINC, ()),
        ("600238-0", CodeForm.LOINC, ()),
        ("200010-7", CodeForm.LOINC, ()),
        ("600238-1", CodeForm.WRONG_DIGIT, ("600238-0",)),
        ("0600238-0", CodeForm.MALFORMED, ("600238-0",)),
        ("0600238-1", CodeForm.WRONG_DIGIT, ("600238-0",)),
        ("29512", CodeForm.MALFORMED, ("2951-2",)),
        ("600238", CodeForm.MALFORMED, ()),
        ("1234", CodeForm.MALFORMED, ()),
        ("X600238", CodeForm.MALFORMED, ()),
        ("x600238", CodeForm.MALFORMED, ()),
        ("", CodeForm.BLANK, ()),
    ],
)
def test_the_table_of_terms_holds_loinc_codes_only(text: str, form: CodeForm, proposals: tuple[str, ...]) -> None:
    reading = read_code_in("terms", text)
    assert (reading.form, reading.proposals) == (form, proposals)


@pytest.mark.parametrize(
    "text", ["2951-2", "600238-0", "600238-1", "29512", "600238", "X600238", "x600238", "1234", ""]
)
def test_other_tabs_hold_pending_codes_too(text: str) -> None:
    assert read_code_in("main", text) == read_code(text)

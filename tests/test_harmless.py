"""What may be shown of a text from elsewhere."""

from __future__ import annotations

import json
import re

import pytest

from jdv_qa.harmless import (
    escaped,
    harmless,
    harmless_line,
    is_harmless,
    json_without_commands,
    utf8,
    without_commands,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sérum ; µmol/L, « 37 °C » – œ → ≤", None), ("espace\u00a0insécable et\u202ffine", None), ("[bold]x[/bold] [IU]/L", None), ("😀 漢字 العربية", None),
        ("\x1b[2J\x1b]0;x\x07", "‹U+001B›[2J‹U+001B›]0;x‹U+0007›"), ("a\x00b\x7fc\x9b31md", "a‹U+0000›b‹U+007F›c‹U+009B›31md"),
        ("2951-2\u202e2-1592", "2951-2‹U+202E›2-1592"), ("a\u200bb\u2066c\u2069\ufeff\u00ad", "a‹U+200B›b‹U+2066›c‹U+2069›‹U+FEFF›‹U+00AD›"),
        ("a\rb\x0bc\u2028d", "a‹U+000D›b‹U+000B›c‹U+2028›d"), ("tag\U000e0041", "tag‹U+E0041›"), ("caf\udcc3\udca9", "café"), ("caf\udce9", "caf\\udce9"),
        ("a ##[add-mask]b ###vso[x] [#] ## [#", "a ‹U+0023›#[add-mask]b #‹U+0023›#vso[x] [#] ## [#"),
    ],
)  # fmt: skip
def test_what_would_act_on_a_terminal_or_deceive_is_shown_by_its_number(text: str, shown: str | None) -> None:
    assert harmless(text) == (text if shown is None else shown)
    assert is_harmless(text) == (shown is None)
    assert is_harmless(harmless(text))


def test_a_line_is_one_line() -> None:
    assert harmless("a\n\tb") == "a\n\tb"
    assert harmless_line("a\n\tb\r\nc") == "a⏎⇥b‹U+000D›⏎c"


def test_escaped_json_is_the_same_json() -> None:
    content = {"value": "\x9b\u202e\x7f\U000e0041é\x1b ##[debug]"}
    text = json.dumps(content, ensure_ascii=False)
    assert is_harmless(escaped(text))
    assert json.loads(escaped(text)) == content


def test_json_without_commands_is_the_same_json() -> None:
    content = {"a##[set-output name=x]": ["##vso[x]", "\\##[", "## [x]", "é#"]}
    made = json_without_commands(utf8(json.dumps(content, ensure_ascii=False)))
    assert not re.search(rb"##\w*\[", made)
    assert json.loads(made) == content


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ("::error::x", "‹U+003A›:error::x"), ("a\n  ::x::\n\n\u00a0::y", "a\n  ‹U+003A›:x::\n\n\u00a0‹U+003A›:y"), (":::", "‹U+003A›::"),
        ("a ::error::x", None), (": :", None), ("", None),
    ],
)  # fmt: skip
def test_no_line_begins_with_a_command(lines: str, shown: str | None) -> None:
    assert without_commands(lines) == (lines if shown is None else shown)


def test_names_of_files_that_are_no_text_can_be_written() -> None:
    assert utf8("é") == "é".encode()
    assert utf8("caf\udcc3\udca9") == "café".encode()
    assert utf8("caf\udce9é") == b"caf\\udce9\xc3\xa9"
    assert utf8("\ud800") == b"\\ud800"
    assert json.loads(utf8(json.dumps("caf\udce9", ensure_ascii=False))) == "caf\udce9"

"""What the fuzzing found, each as small as it could be made, and what is answered now."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from jdv_qa.checks.baseline import load_baseline
from jdv_qa.checks.profiles import load_profile
from jdv_qa.checks.waivers import load_waivers
from jdv_qa.cli.app import main
from jdv_qa.compare.model import code_place
from jdv_qa.errors import LayoutError, RuleFileError
from jdv_qa.terminology.labels import LabelForm, read_label
from jdv_qa.terminology.units import factor_meant, proposals, read_factor, read_unit, write_factor
from jdv_qa.workbook.layout import load_layout


@pytest.mark.parametrize("text", ["mm3242424", "10^3/Mm3242424", "m-999999999", "10*999999999/L"])
def test_a_power_that_no_unit_has_is_no_unit_at_once(text: str) -> None:
    # 10 to the three millionth took minutes, and the unit of one cell kept `jdv check` busy
    assert read_unit(text) is None
    assert proposals(text) == ()


def test_powers_that_units_have_are_units() -> None:
    assert read_unit("m99") is not None
    assert read_unit("m100") is None
    assert read_unit("10*-99") is not None


@pytest.mark.parametrize("text", ["1e999999999", "9" * 5000, "1e100", "0." + "1" * 70])
def test_a_factor_that_nobody_means_is_no_number(text: str) -> None:
    assert read_factor(text) is None
    assert factor_meant(text) is None


@pytest.mark.parametrize(("text", "factor"), [("1e99", 10**99), ("2.5E-3", Fraction(25, 10000)), ("0" * 59 + "7", 7)])
def test_factors_that_are_numbers(text: str, factor: Fraction | int) -> None:
    assert read_factor(text) == factor


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (Fraction(10) ** 5000, "1e+5000"), (Fraction(1, 10**5000), "1e-5000"), (Fraction(2 * 10**400, 3), "6.66667e+399"),
        (Fraction(1, 60), "0.0166667"), (Fraction(1, 3 * 10**20), "3.33333e-21"), (Fraction(-1, 8), "-0.125"), (Fraction(1000), "1000"),
    ],
)  # fmt: skip
def test_factors_are_written_however_large(factor: Fraction, text: str) -> None:
    assert write_factor(factor) == text


def test_codes_sort_by_their_numbers_and_thousands_of_digits_do_not_stop_it() -> None:
    codes = ["9" * 5000 + "-1", "24326-1", "2951-2", "", "X-12", "X-2"]
    assert sorted(codes, key=code_place) == ["", "2951-2", "24326-1", "9" * 5000 + "-1", "X-2", "X-12"]


@pytest.mark.parametrize(
    "value", ["!!int x", "!!float x", "!!timestamp x", "2026-13-45", "!!bool x", "&a [*a, !!int x]", "[" * 2000]
)
def test_a_value_that_is_not_of_its_type_is_said(value: str, tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(f"- rule: {value}\n", encoding="utf-8")
    with pytest.raises(RuleFileError) as said:
        load_waivers(path)
    assert "\n" not in str(said.value)


def test_a_report_nested_without_end_is_no_baseline(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(RuleFileError, match="jdv check --format json"):
        load_baseline(path)


@pytest.mark.parametrize("key", ["columns", "history", "labels"])
@pytest.mark.parametrize("value", ["x", "[a]", "3"])
def test_a_layout_whose_columns_are_no_mapping_is_refused(key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "layout.yaml"
    path.write_text(f"layout: x\nextends: circuitbio\ntabs: {{main: {{{key}: {value}}}}}\n", encoding="utf-8")
    with pytest.raises(LayoutError, match=f"main.{key}"):
        load_layout(path)


@pytest.mark.parametrize("key", ["severities", "parameters"])
@pytest.mark.parametrize("value", ["x", "[a]", "3"])
def test_a_profile_whose_severities_are_no_mapping_is_refused(key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(f"profile: x\n{key}: {value}\n", encoding="utf-8")
    with pytest.raises(RuleFileError, match=key):
        load_profile(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "Créatinine [Moles/Temps] 24H .;Numeriquee ; Numériqueeriquee ; Numérique",
        "Créatinine [Moles/Temps] 24H ; Ponctuel ; N^umérique",
        "A [Masse] 24H ; 12H ; Numérique",
    ],
)
def test_the_label_meant_is_a_regular_one(text: str) -> None:
    meant = read_label(text).label
    assert meant is None or read_label(str(meant)).form is LabelForm.REGULAR


def test_a_line_on_the_screen_is_not_as_long_as_the_file_that_it_quotes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "jdv.toml"
    settings.write_text(f"[check]\n{'x' * 100_000} = 1\n", encoding="utf-8")
    assert main(["check", "x.xlsx", "--config", str(settings)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert len(said) < 2100
    assert said.startswith(f"jdv: {settings} : ")
    assert " […] " in said

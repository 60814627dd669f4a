from __future__ import annotations

import csv
import string
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.units import PAGE, page, tally
from jdv_qa.resources import rules_directory
from jdv_qa.terminology.build_units import rows, table
from jdv_qa.terminology.labels import axis_table, loinc_parts
from jdv_qa.terminology.properties import (
    Fault,
    allowed_dimensions,
    example_units,
    judge,
    needs_unit,
    properties,
    si_unit,
    si_units,
)
from jdv_qa.terminology.ucum import define
from jdv_qa.terminology.units import (
    Unit,
    commensurable,
    conversion_factor,
    factor_meant,
    fits,
    is_factor,
    is_ucum,
    proposals,
    read_factor,
    read_unit,
    same_unit,
    says_no_unit,
    suspicion,
    write_factor,
)


def known_units() -> list[dict[str, str]]:
    with (rules_directory() / "units.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


KNOWN = known_units()
VALID = [row["unit"] for row in KNOWN if row["dimension"]]
FACTORS = [row["unit"] for row in KNOWN if row["factor"]]
WRONG = [row["unit"] for row in KNOWN if not row["dimension"]]


def unit(text: str) -> Unit:
    found = read_unit(text)
    assert found is not None, text
    return found


def of(*parts: str) -> frozenset[str]:
    return frozenset(parts)


# The table


def test_the_table_says_what_ucumvert_says() -> None:
    uses = {row["unit"]: int(row["loinc_terms"]) for row in KNOWN}
    assert table(uses, uses) == (rules_directory() / "units.csv").read_text(encoding="utf-8")
    assert len(VALID) > 450
    assert len(WRONG) > 150


SIMPLE = st.sampled_from(["mol", "g", "L", "m", "s", "U", "kat", "eq", "[IU]", "Pa", "osm"])
PREFIX = st.sampled_from(["", "k", "d", "c", "m", "u", "n", "p", "f"])
COMPONENT = st.one_of(
    st.tuples(PREFIX, SIMPLE).map("".join),
    st.sampled_from(["10*9", "10*3", "%", "{ratio}", "[arb'U]", "min", "h", "d", "(24.h)", "[CFU]", "100"]),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(COMPONENT, min_size=1, max_size=3), st.sampled_from("./"))
def test_any_unit_is_what_ucumvert_says(components: list[str], operator: str) -> None:
    text = operator.join(components)
    found, definition = read_unit(text), define(text)
    assert (found is None) == (definition is None)
    if found is not None and definition is not None:
        assert (found.dimension, found.factor) == (definition.dimension, definition.factor)


@given(st.sampled_from(VALID), st.text(st.sampled_from(string.ascii_letters + string.digits + "_'."), max_size=12))
def test_what_an_annotation_says_changes_neither_dimension_nor_factor(text: str, note: str) -> None:
    filled = text.replace("{}", f"{{{note}}}")
    assert unit(filled).dimension == unit(text).dimension
    assert unit(filled).factor == unit(text).factor


def test_units_are_case_sensitive() -> None:
    assert is_ucum("mmol/L")
    assert is_ucum("mmol/l")
    assert not is_ucum("MMOL/L")
    assert not is_ucum("mmol / L")
    assert not is_ucum("µmol/L")
    assert not is_ucum("")
    assert not is_ucum("m" * 5000)


def test_moles_and_arbitrary_units_are_dimensions_of_their_own() -> None:
    assert not commensurable(unit("mmol/L"), unit("10*9/L"))
    assert not commensurable(unit("[IU]/L"), unit("10*9/L"))
    assert not commensurable(unit("[IU]/L"), unit("[arb'U]/L"))
    assert not commensurable(unit("[IU]/L"), unit("U/L"))
    assert not commensurable(unit("mmol/L"), unit("g/L"))
    assert commensurable(unit("[IU]/L"), unit("m[iU]/mL"))
    assert commensurable(unit("U/L"), unit("ukat/L"))
    assert commensurable(unit("meq/L"), unit("mmol/L"))


def test_units_that_ucumvert_cannot_convert() -> None:
    assert unit("{ratio}").dimension == "1"
    assert unit("{a}/{b}").dimension == "1"
    assert unit("[pH]").dimension == "[pH]1"
    assert unit("Cel").dimension == "K1"
    assert conversion_factor(unit("[pH]"), unit("[pH]")) == 1
    assert conversion_factor(unit("Cel"), unit("K")) is None


@pytest.mark.parametrize(
    ("main", "secondary", "factor"),
    [
        ("mmol/L", "umol/L", 1000), ("umol/L", "mmol/L", Fraction(1, 1000)), ("g/L", "mg/dL", 100), ("g/L", "g/dL", Fraction(1, 10)),
        ("U/L", "nkat/L", Fraction(50, 3)), ("10*9/L", "10*3/uL", 1), ("m[IU]/L", "u[IU]/mL", 1), ("mL/s", "mL/min", 60),
        ("mmol/(24.h)", "mmol/h", Fraction(1, 24)), ("mmol/L", "g/L", None), ("kPa", "mm[Hg]", Fraction(500000, 66661)),
    ],
)  # fmt: skip
def test_the_factor_leads_from_the_main_to_the_secondary_unit(
    main: str, secondary: str, factor: int | Fraction | None
) -> None:
    assert conversion_factor(unit(main), unit(secondary)) == factor


@given(st.sampled_from(FACTORS), st.sampled_from(FACTORS))
def test_factors_there_and_back_make_one(one: str, other: str) -> None:
    there, back = conversion_factor(unit(one), unit(other)), conversion_factor(unit(other), unit(one))
    assert (there is None) == (back is None) == (unit(one).dimension != unit(other).dimension)
    if there is not None and back is not None:
        assert there * back == 1


def test_spellings_of_one_unit() -> None:
    assert same_unit(unit("ug/L"), unit("ng/mL"))
    assert same_unit(unit("mL/min"), unit("ml/min"))
    assert same_unit(unit("10*9/L"), unit("10^9/L"))
    assert same_unit(unit("{Index_val}"), unit("{index_val}"))
    assert same_unit(unit("m[IU]/L"), unit("m[iU]/L"))
    assert not same_unit(unit("mL/min"), unit("mL/min/{1.73_m2}"))
    assert not same_unit(unit("{copies}/mL"), unit("/mL"))
    assert not same_unit(unit("meq/L"), unit("mmol/L"))
    assert not same_unit(unit("mg/L"), unit("ug/L"))
    assert not same_unit(unit("%"), unit("{ratio}"))


@pytest.mark.parametrize(
    ("text", "dimension", "factor"),
    [
        ("mol/L", "L-3.N1", "1000"), ("mmol/L", "L-3.N1", "1"), ("mmol/l", "L-3.N1", "1"), ("g/dL", "L-3.M1", "10000"), ("g%", "L-3.M1", "10000"),
        ("%", "1", "1/100"), ("[ppth]", "1", "1/1000"), ("mol/mol", "1", "1"), ("/100{WBCs}", "1", "1/100"), ("100/uL", "L-3", "100000000000"),
        ("10*9/L", "L-3", "1000000000000"), ("10^9/L", "L-3", "1000000000000"), ("{cells}", "1", "1"), ("{a}/L", "L-3", "1000"),
        ("[pH]", "[pH]1", None), ("Cel", "K1", None), ("[degF]", "K1", None), ("K", "K1", "1"), ("B", "B1", None), ("dB", "B1", None),
        ("[IU]/L", "L-3.[IU]1", "1000"), ("k[iU]/L", "L-3.[IU]1", "1000000"), ("m[IU]/mL", "L-3.[IU]1", "1000"),
        ("[arb'U]/mL", "L-3.[arb'U]1", "1000000"), ("U/L", "L-3.N1.T-1", "1/60000"), ("nkat/L", "L-3.N1.T-1", "1/1000000"),
        ("eq/L", "L-3.N1", "1000"), ("osm/kg", "M-1.N1", "1/1000"), ("mm[Hg]", "L-1.M1.T-2", "133322"), ("kPa", "L-1.M1.T-2", "1000000"),
        ("h", "T1", "3600"), ("d", "T1", "86400"), ("wk", "T1", "604800"), ("a", "T1", "31557600"), ("(24.h)", "T1", "86400"),
        ("/(24.h)", "T-1", "1/86400"), ("/min", "T-1", "1/60"), ("m/s/s", "L1.T-2", "1"), ("m.s-1", "L1.T-1", "1"), ("m/s2", "L1.T-2", "1"),
        ("mL/min/{1.73_m2}", "L3.T-1", "1/60000000"), ("rad", "A1", "1"), ("C", "Q1", "1"), ("cd", "J1", "1"), ("N/A", "L1.M1.Q-1.T-1", "1000"),
        ("T", "M1.Q-1.T-1", "1000"), ("G", "M1.Q-1.T-1", "1/10"), ("[foz_us]", "L3", "473176473/16000000000000"), ("m99", "L99", "1"),
        ("m-99", "L-99", "1"), (f"{'m.' * 49}m", "L50", "1"),
    ],
)  # fmt: skip
def test_what_units_are_made_of(text: str, dimension: str, factor: str | None) -> None:
    definition = define(text)
    assert definition is not None
    assert (definition.dimension, definition.factor) == (dimension, None if factor is None else Fraction(factor))


@pytest.mark.parametrize(
    "text", ["", "/", "m//s", "...", "MOL/L", "µg", "mmol / L", "m100", "m-100", f"{'m.' * 50}m", "{a b}", "xx"]
)
def test_what_is_no_unit(text: str) -> None:
    assert define(text) is None


# Conversion factors as texts


@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**9, max_denominator=10**6))
def test_a_factor_as_written_is_read_back_as_right(factor: Fraction) -> None:
    assert is_factor(write_factor(factor), factor, 3)


def test_factors_as_written() -> None:
    written = [write_factor(Fraction(text)) for text in ("1000", "1/1000", "1/10", "50/3", "1/60", "1/1000000")]
    assert written == ["1000", "0.001", "0.1", "16.6667", "0.0166667", "0.000001"]
    assert [read_factor(text) for text in ("1000", "0.001", "1e-3", "0,001", "x10", "", "mille")] == [
        1000, Fraction(1, 1000), Fraction(1, 1000), None, None, None, None,
    ]  # fmt: skip
    assert [factor_meant(text) for text in ("0,001", "1 000", "1\u202f000", "x1000", "1/1000", "mille", "1/0")] == [
        Fraction(1, 1000), 1000, 1000, 1000, Fraction(1, 1000), None, None,
    ]  # fmt: skip


def test_a_rounded_factor_needs_three_digits() -> None:
    right = Fraction(50, 3)
    assert [is_factor(text, right, 3) for text in ("16.7", "16.67", "16.6667", "17", "16.6", "16", "1.67e1")] == [
        True, True, True, False, False, False, True,
    ]  # fmt: skip
    assert not is_factor("999", Fraction(1000), 3)
    assert not is_factor("1e3000", Fraction(1000), 3)


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        ("1", "1"), ("1000", "1000"), ("1000000", "1000000"), ("1234567", "1234567"), ("123456789/1000", "123456.789"), ("-1/4", "-0.25"),
        ("1/1000000000000000", "0.000000000000001"), ("1/10000000000000000", "1e-16"), ("1/3", "0.333333"), ("2/3", "0.666667"),
        ("-50/3", "-16.6667"), ("1000/3", "333.333"), ("1000000/3", "333333"), ("10000000/3", "3333333"), ("1/30000", "0.0000333333"),
        ("1/7000000000000", "1.42857e-13"), (f"1{'0' * 301}", "1e+301"), (f"1/1{'0' * 301}", "1e-301"),
    ],
)  # fmt: skip
def test_a_factor_is_written_in_full_as_far_as_a_cell_shows_it(factor: str, text: str) -> None:
    assert write_factor(Fraction(factor)) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5.", "5"), (".5", "1/2"), ("+5", "5"), ("-5", "-5"), ("1e12", "1000000000000"), ("1E3", "1000"), ("1.5e+2", "150"),
        ("1e123", None), (".", None), ("1e", None), ("e3", None), ("1 000", None), ("1/2", None), (" 1", None), ("1" * 100, None),
    ],
)  # fmt: skip
def test_what_is_a_number_with_a_decimal_point(text: str, number: str | None) -> None:
    assert read_factor(text) == (None if number is None else Fraction(number))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("=1000", "1000"), ("x 0,5", "1/2"), ("* 2", "2"), ("1 / 1,5", "2/3"), ("1.5/2", "3/4"), ("0/5", "0"), ("10,5", "21/2"),
        ("10 500,25", "42001/4"), (" 12 ", "12"), ("-5", None), ("x", None), ("1000 fois", None), ("1" * 100, None),
    ],
)  # fmt: skip
def test_the_number_meant(text: str, number: str | None) -> None:
    assert factor_meant(text) == (None if number is None else Fraction(number))


@pytest.mark.parametrize(
    ("given", "right", "is_right"),
    [
        ("0.0167", "1/60", True), ("0.017", "1/60", False), ("0.0168", "1/60", False), ("0.01667", "1/60", True), ("0.01666", "1/60", False), ("0.016666", "1/60", False), ("0.016667", "1/60", True), ("+0.0167", "1/60", True), ("-0.0167", "1/60", False),
        ("1.67e-2", "1/60", True), ("1.68e-2", "1/60", False), ("16.7E-3", "1/60", True), ("1.12", "9/8", True), ("1.13", "9/8", True),
        ("1.11", "9/8", False), ("0.5", "1/2", True), ("5e-1", "1/2", True), ("0,5", "1/2", False), ("001.2", "1.24", False),
        ("100", "100.4", True), ("100", "100.6", False), ("0.001", "1000", False),
    ],
)  # fmt: skip
def test_a_factor_is_right_exactly_or_rounded_to_three_digits(given: str, right: str, is_right: bool) -> None:
    assert is_factor(given, Fraction(right), 3) is is_right


@pytest.mark.parametrize(
    ("text", "dimension", "fitting"),
    [
        ("[IU]/L", "L-3.arb", True), ("[arb'U]/mL", "L-3.arb", True), ("m[IU]/mL", "L-3.arb", True), ("[CFU]/g", "M-1.arb", True),
        ("[IU]", "arb", True), ("[IU]/L", "arb", False), ("[IU]2/L", "L-3.arb", False), ("mol/L", "L-3.arb", False), ("U/L", "L-3.arb", False),
        ("[pH]", "arb", False), ("[pH]", "[pH]1", True), ("[IU]/L", "L-3.[IU]1", True), ("[IU]/L", "L-3.[arb'U]1", False), ("%", "1", True),
        ("{copies}/mL", "L-3", True), ("{ratio}", "{ratio}", True), ("{ratio}", "{index}", False),
    ],
)  # fmt: skip
def test_any_arbitrary_unit_stands_for_another_where_the_property_says_arb(
    text: str, dimension: str, fitting: bool
) -> None:
    assert fits(unit(text), {dimension}) is fitting


# What the writer meant

MEANT = [
    ("UI/L", "ACnc", "[IU]/L"), ("UI/L", "CCnc", "U/L"), ("UI/L", "", "[IU]/L"), ("mUI/L", "ACnc", "m[IU]/L"), ("kUI/L", "ACnc", "k[IU]/L"),
    ("µUI/mL", "ACnc", "u[IU]/mL"), ("U.I./L", "ACnc", "[IU]/L"), ("ui/ml", "ACnc", "[IU]/mL"), ("[IU]/L", "CCnc", "U/L"),
    ("G/L", "NCnc", "10*9/L"), ("T/L", "NCnc", "10*12/L"), ("T/l", "NCnc", "10*12/L"), ("M/L", "NCnc", "10*6/L"), ("G/L", "MCnc", "g/L"),
    ("Giga/L", "NCnc", "10*9/L"), ("g/l", "NCnc", "10*9/L"), ("10E9/L", "NCnc", "10*9/L"), ("10e9/L", "NCnc", "10*9/L"),
    ("10^^9/L", "NCnc", "10*9/L"), ("x10*9/L", "NCnc", "10*9/L"), ("x 10^9 / L", "NCnc", "10*9/L"), ("10⁹/L", "NCnc", "10*9/L"),
    ("×10⁹/L", "NCnc", "10*9/L"), ("10 9/L", "NCnc", "10*9/L"), ("1E9/L", "NCnc", "10*9/L"), ("109/L", "NCnc", "10*9/L"),
    ("10.9/L", "NCnc", "10*9/L"), ("10*9", "NCnc", "10*9/L"), ("10*9L", "NCnc", "10*9/L"), ("10^3/mm^3", "NCnc", "10*3/mm3"),
    ("K/uL", "NCnc", "10*3/uL"), ("milliers/mm3", "NCnc", "10*3/mm3"), ("millions/mm3", "NCnc", "10*6/mm3"),
    ("µmol/L", "SCnc", "umol/L"), ("μmol/L", "SCnc", "umol/L"), ("mmoles/l", "SCnc", "mmol/L"), ("mmole/L", "SCnc", "mmol/L"),
    ("mmol / L", "SCnc", "mmol/L"), ("MMOL/L", "SCnc", "mmol/L"), ("mmol par litre", "SCnc", "mmol/L"), ("micromol/L", "SCnc", "umol/L"),
    ("mEq/L", "SCnc", "meq/L"), ("Meq/L", "SCnc", "meq/L"), ("mM", "SCnc", "mmol/L"), ("µM", "SCnc", "umol/L"), ("mmol l-1", "SCnc", "mmol.L-1"),
    ("mmol/L.", "SCnc", "mmol/L"), ("[mmol/L]", "SCnc", "mmol/L"), ("g/L (mmol/L)", "MCnc", "g/L"), ("mmol/L ; g/L", "MCnc", "g/L"),
    ("&micro;mol/L", "SCnc", "umol/L"), ("gr/l", "MCnc", "g/L"), ("mcg/L", "MCnc", "ug/L"), ("microgrammes/L", "MCnc", "ug/L"),
    ("MG/L", "MCnc", "mg/L"), ("Mg/L", "MCnc", "mg/L"), ("NG/ML", "MCnc", "ng/mL"), ("ng FEU/mL", "MCnc", "ng{FEU}/mL"),
    ("UA/mL", "ACnc", "[arb'U]/mL"), ("AU/mL", "ACnc", "[arb'U]/mL"), ("U/mL", "ACnc", "[IU]/mL"), ("mU/L", "ACnc", "m[IU]/L"),
    ("kUA/L", "ACnc", "k[IU]/L"), ("K[IU]/L", "ACnc", "k[IU]/L"), ("UGPL/mL", "ACnc", "[GPL'U]/mL"), ("UI Bethesda", "ACnc", "[beth'U]"),
    ("Index", "ACnc", "{Index_val}"), ("S/CO", "ACnc", "{ratio}"), ("UFC/mL", "NCnc", "[CFU]/mL"), ("copies/mL", "NCnc", "{copies}/mL"),
    ("cellules/µL", "NCnc", "{cells}/uL"), ("log copies/mL", "LnCnc", "{Log_copies}/mL"), ("log UI/mL", "LaCnc", "{Log_IU}/mL"),
    ("mmHg", "PPres", "mm[Hg]"), ("°C", "Temp", "Cel"), ("C", "", "Cel"), ("pH", "LsCnc", "[pH]"), ("secondes", "Time", "s"),
    ("sec.", "Time", "s"), ("mn", "Time", "min"), ("H", "Time", "h"), ("mL/mn", "VRat", "mL/min"), ("mmol/24h", "SRat", "mmol/(24.h)"),
    ("mmol/24.h", "SRat", "mmol/(24.h)"), ("mmol/24 heures", "SRat", "mmol/(24.h)"), ("mmol/(24h)", "SRat", "mmol/(24.h)"),
    ("µg/24H", "MRat", "ug/(24.h)"), ("g/jour", "MRat", "g/d"), ("/24h", "NRat", "/(24.h)"), ("mL/min/1.73.m2", "ArVRat", "mL/min/{1.73_m2}"),
    ("ml/mn/1,73 m²", "ArVRat", "mL/min/{1.73_m2}"), ("mm/1h", "Vel", "mm/h"), ("mm à la 1ère heure", "Vel", "mm/h"),
    ("mg/mmol créat", "", "mg/mmol{creat}"), ("mg/g de créatinine", "MRto", "mg/g{creat}"), ("U/g Hb", "CCnt", "U/g{Hb}"),
    ("pour cent", "NFr", "%"), ("INR", "RelTime", "{INR}"), ("titre", "Titr", "{titer}"), ("ratio", "MRto", "{ratio}"),
    ("FL", "EntVol", "fL"), ("PG", "EntMass", "pg"), ("mOsm/kg", "Osmol", "mosm/kg"), ("/mg/L", "Susc", "mg/L"), ("‰", "", "[ppth]"),
]  # fmt: skip


ALSO_MEANT = {("UI/L", ""): ("U/L",), ("U/mL", "ACnc"): ("[arb'U]/mL",)}
"""What else may be meant; of the others there is no doubt, and `jdv fix` writes them by itself."""

SEVERAL = [
    ("UI/L", "[IU]/L U/L"), ("G/L", "10*9/L g/L"), ("T/L", "10*12/L"), ("M/L", "10*6/L m/L"), ("mM", "mmol/L mm"), ("g/L (mmol/L)", "g/L 10*9/L mmol/L"),
    ("mmol/L ; g/L", "mmol/L g/L 10*9/L"), ("U/L ; UI/L", "U/L [IU]/L [arb'U]/L"), ("mmHg ou kPa", "mm[Hg] kPa"), ("kPa (MM[HG])", "kPa mm[Hg]"),
    ("U/g Hb", "U/g{Hb} U/10*9{Hb} [IU]/g{Hb} [IU]/10*9{Hb} [arb'U]/g{Hb} [arb'U]/10*9{Hb}"), ("10*9L", "10*9/L 10*9.L"), ("10*9", ""), ("/mg/L", ""),
    ("U", "[IU] [arb'U] u"), ("UI", "[IU] U"), ("u/l", "U/L [IU]/L"), ("CEL", "Cel {cells}"), ("KPA", "kPa"), ("MM[HG]", "mm[Hg]"), ("[PH]", "[pH]"),
    ("[ARB'U]/ML", "[arb'U]/mL"), ("10*9 cellules/L", "10*9{cells}/L"), ("10^6 copies/mL", "10*6{copies}/mL"), ("10*3UFC/mL", "10*3.[CFU]/mL"),
    ("10*9 /L", "10*9/L"), ("mmol {creat} / L", "mmol{creat}/L"), ("{copies}/ML", "{copies}/mL"), ("{creat}", ""), ("g", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), SEVERAL)
def test_all_that_may_be_meant_where_the_property_is_not_known(text: str, meant: str) -> None:
    assert proposals(text) == tuple(meant.split())


@pytest.mark.parametrize(("text", "part", "meant"), MEANT)
def test_what_the_writer_meant(text: str, part: str, meant: str) -> None:
    judgement = judge(text, *([of(part)] if part else []))
    assert judgement.fault is not None
    assert judgement.proposals == (meant, *ALSO_MEANT.get((text, part), ()))
    assert judge(meant, *([of(part)] if part else [])).fault is None


@pytest.mark.parametrize("text", ["à préciser", "bizarre", "voir notice", "???", "unité", "N/A", "sans", "-"])
def test_nothing_is_proposed_where_nothing_can_be_told(text: str) -> None:
    assert proposals(text, of("L-3.N1")) == ()


def test_texts_that_say_that_there_is_no_unit() -> None:
    assert all(map(says_no_unit, ("N/A", "sans", "Sans unité", "néant", "-", "NA")))
    assert not any(map(says_no_unit, ("mmol/L", "%", "1", "{ratio}")))


@pytest.mark.parametrize("text", ["mmol/L", "U/L", "10*9/L", "[IU]/L", "%", "mm[Hg]", "Cel"])
def test_a_right_unit_is_not_proposed_in_its_own_place(text: str) -> None:
    assert text not in proposals(text)


@settings(max_examples=120, deadline=None)
@given(
    st.one_of(
        st.sampled_from(WRONG),
        st.text(max_size=20),
        st.text(st.sampled_from("muµnkglLiIU/.*^10 9{}[]()hH24²⁹%"), max_size=12),
    ),
    st.sampled_from([None, *{entry.dimensions for entry in properties().values() if entry.dimensions}]),
)
def test_every_proposal_is_plain_ucum_of_the_dimension_wanted(text: str, dimensions: frozenset[str] | None) -> None:
    for proposal in proposals(text, dimensions):
        found = define(proposal)
        assert found is not None
        assert proposal != text
        assert suspicion(proposal, dimensions) is None
        assert dimensions is None or fits(unit(proposal), dimensions)


# Units of unlikely meaning


@pytest.mark.parametrize(
    "text",
    ["G/L", "T/L", "C", "K", "H", "N/A", "Meq/L", "pH", "mmol/24.h", "mL/min/1.73.m2", "10*9", "109/L", "MG/L", "u/dL", "t/L", "K/uL", "AU/mL"],
)  # fmt: skip
def test_ucum_of_unlikely_meaning(text: str) -> None:
    assert suspicion(text) is not None


@pytest.mark.parametrize(
    "text",
    ["mmol/L", "U/L", "mU/L", "Cel", "kPa", "/(24.h)", "mL/min/{1.73_m2}", "10*9/L", "/100{WBCs}", "m[IU]/L", "%", "[pH]", "mS/cm", "1000/uL"],
)  # fmt: skip
def test_ucum_of_good_sense(text: str) -> None:
    assert suspicion(text) is None


def test_the_property_decides_what_is_unlikely() -> None:
    temperature, arbitrary, number = (allowed_dimensions(of(part)) for part in ("Temp", "ACnc", "Num"))
    assert suspicion("K", temperature) is None
    assert suspicion("U/L", arbitrary) is not None
    assert suspicion("10*6", number) is None
    assert suspicion("Mg/L", of("L-3.M1")) is not None


# Properties


def test_the_table_of_properties_is_consistent() -> None:
    for name, entry in properties().items():
        assert entry.unit in ("required", "optional", "none"), name
        assert set(entry.why) == {"fr", "en"}, name
        assert entry.dimensions or entry.unit != "required", name
        if entry.dimensions and entry.unit != "none":
            assert entry.examples, name
        for text in entry.examples:
            assert judge(text, of(name)).fault is None, (name, text)
        for text in si_units(entry.si):
            assert fits(unit(text), entry.dimensions), (name, text)
    assert len(properties()) >= 40


def test_every_property_of_the_french_labels_is_described() -> None:
    parts = {part for parts in axis_table()["property"].values() for part in parts}
    assert parts <= set(properties())


def test_french_wordings_of_units_lead_to_dimensions() -> None:
    wordings = {
        "Moles/Volume": {"L-3.N1"},
        "Moles/Temps": {"N1.T-1"},
        "Masse/Temps": {"M1.T-1"},
        "Volume d'entité": {"L3"},
        "Catalytique/Volume": {"L-3.N1.T-1", "L-3.M1.T-1"},
    }
    for wording, dimensions in wordings.items():
        assert allowed_dimensions(loinc_parts("property", wording)) == dimensions
    assert allowed_dimensions(loinc_parts("property", "Ratio")) is None
    assert allowed_dimensions(of()) is None
    assert needs_unit(of("SCnc"))
    assert not needs_unit(of("Ratio", "DistWidth"))
    assert not needs_unit(of())
    assert "mmol/L" in example_units(of("SCnc"))


def test_one_fault_at_most_and_the_label_before_loinc() -> None:
    assert judge("µmol/L", of("MCnc")).fault is Fault.NOT_UCUM
    assert judge("G/L", of("MCnc")).fault is Fault.SUSPICIOUS
    assert judge("g/L", of("SCnc")).fault is Fault.DIMENSION
    assert judge("mmol/L", of("SCnc"), of("MCnc")).misfits == (1,)
    assert judge("mmol/L", of("MCnc"), of("SCnc")).misfits == (0,)
    assert judge("%", of("MCnc"), of("SCnc")).misfits == (0, 1)
    assert judge("mmol/L", of(), of("SCnc")).fault is None
    assert judge("g/L", of(), of("SCnc")).fault is Fault.DIMENSION
    assert judge("anything/odd", of("Inconnue")).fault is Fault.NOT_UCUM


@pytest.mark.parametrize(
    ("text", "views", "meant"),
    [
        ("G/L", ("NCnc", "MCnc"), "10*9/L"), ("G/L", ("MCnc", "NCnc"), "g/L"), ("UI/L", ("", "CCnc"), "U/L"), ("UI/L", ("", "ACnc"), "[IU]/L"),
        ("UI/L", ("CCnc", "ACnc"), "U/L"), ("UI/L", ("ACnc", "CCnc"), "[IU]/L"), ("G/L", ("Inconnue", "MCnc"), "g/L"), ("G/L", ("", ""), "10*9/L"),
        ("[IU]/L", ("CCnc", "MCnc"), "U/L"), ("[IU]/L", ("", "CCnc"), "U/L"),
    ],
)  # fmt: skip
def test_the_label_is_believed_before_loinc(text: str, views: tuple[str, ...], meant: str) -> None:
    assert judge(text, *(of(*filter(None, [view])) for view in views)).proposals[0] == meant


@pytest.mark.parametrize(
    ("text", "part", "nearest", "factor"),
    [
        ("ng/mL", "MCnc", "ug/L", 1), ("mg/dL", "MCnc", "mg/L", 10), ("g/dL", "MCnc", "g/L", 10), ("10*3/uL", "NCnc", "10*9/L", 1),
        ("/uL", "NCnc", "10*6/L", 1), ("mm[Hg]", "PPres", "kPa", Fraction(66661, 500000)), ("[degF]", "Temp", "Cel", None),
        ("pg/mL", "MCnc", "ng/L", 1), ("g/mL", "MCnc", "kg/L", 1), ("nmol/mL", "SCnc", "umol/L", 1), ("mmol/dL", "SCnc", "mmol/L", 10),
        ("10*6/uL", "NCnc", "10*12/L", 1), ("/mm3", "NCnc", "10*6/L", 1), ("10*15/L", "NCnc", "10*12/L", 1000), ("um3", "EntVol", "fL", 1),
        ("cm[H2O]", "PPres", "kPa", Fraction(196133, 2000000)),
    ],
)  # fmt: skip
def test_the_nearest_si_unit(text: str, part: str, nearest: str, factor: int | Fraction | None) -> None:
    assert si_unit(text, of(part)) == (nearest, factor)


@pytest.mark.parametrize(
    ("text", "part"),
    [("kg/L", "MCnc"), ("mol/L", "SCnc"), ("/L", "NCnc"), ("10*12/L", "NCnc"), ("ms", "Time"), ("Pa", "PPres"), ("K", "Temp"), ("g/l", "MCnc"), ("osm/L", "SCnc"),
     ("mg{creat}/L", "MCnc"), ("g/L", "SCnc"), ("xx", "MCnc"), ("g/L", "Unknown"), ("g/L", ""), ("mmol/L", "SCnc"), ("mmol/l", "SCnc"), ("meq/L", "SCnc"), ("10^9/L", "NCnc"), ("{copies}/mL", "NCnc"), ("U/L", "CCnc"), ("fl", "EntVol"), ("min", "Time")],
)  # fmt: skip
def test_units_left_as_they_are(text: str, part: str) -> None:
    assert si_unit(text, of(*([part] if part else []))) is None


@pytest.mark.parametrize("part", sorted(name for name, entry in properties().items() if entry.si))
def test_an_si_unit_proposed_fits_and_is_final(part: str) -> None:
    for text in VALID:
        if (found := si_unit(text, of(part))) is not None:
            assert judge(found[0], of(part)).fault is None, text
            assert si_unit(found[0], of(part)) is None, text


# LOINC's own example units


def test_official_units_are_flagged_no_more_than_their_dimensions_vary(reference_data: Path) -> None:
    with (reference_data / "property_vs_unit_dimension.csv").open(encoding="utf-8", newline="") as file:
        counts: dict[str, list[int]] = {}
        for row in csv.DictReader(file):
            counts.setdefault(row["PROPERTY"], []).append(int(row["N_CODES"]))
    tallies = tally(reference_data / "loinc_lab_extract.csv.gz")
    for name, entry in tallies.items():
        assert entry.wrong <= sum(counts.get(name, [])) - max(counts.get(name, [0])), name
    pairs, wrong = sum(entry.pairs for entry in tallies.values()), sum(entry.wrong for entry in tallies.values())
    assert pairs > 17_000
    assert wrong / pairs < 0.023
    for name, rate in {"SCnc": 0.001, "MCnc": 0.005, "NCnc": 0.006, "CCnc": 0.026, "ACnc": 0.122}.items():
        assert tallies[name].wrong / tallies[name].pairs <= rate, name


def test_the_page_on_units_says_what_is_measured(reference_data: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, tally(reference_data / "loinc_lab_extract.csv.gz")) == text


def test_rows_of_new_units() -> None:
    assert rows(["mmol/L{RBCs}", "UI/L"], {}) == [("UI/L", "", "", 0), ("mmol/L{}", "L-3.N1", "1", 0)]

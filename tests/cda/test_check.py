"""Every departure of a report from the value set is told once, with the right severity and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jdv_qa.cda.check import Checked, Line, Remark, ValueSet, check_report
from jdv_qa.cda.document import Kind, load_rules, read_report
from jdv_qa.language import use_language
from jdv_qa.sample import REPORT, files
from jdv_qa.terminology.loinc import LoincRelease, Term
from jdv_qa.workbook.edition import Edition, Identity, Record, Source, Table
from jdv_qa.workbook.read import read_edition
from tests.cda.build import LOINC, PENDING, SODIUM, chapter, code_of, observation, quantity, report

NABM = "1.2.250.1.215.300.2"
GLUCOSE = "Glucose [Moles/Volume] Sérum/Plasma ; Numérique"
GLUCOSE_MASS = "Glucose [Masse/Volume] Sérum/Plasma ; Numérique"
ROWS = [
    ("24326-1", "2951-2", SODIUM, "Sodium", "mmol/L", ""),
    ("24326-1", "14749-6", GLUCOSE, "Glycémie", "mmol/L", ""),
    ("24326-1", "2345-7", GLUCOSE_MASS, "Glycémie", "g/L", ""),
    ("24326-1", "14682-9", "Créatinine [Moles/Volume] Sérum/Plasma ; Numérique", "Créatinine", "umol/L", "mmol/L"),
    ("24326-1", "6690-2", "Leucocytes [Nombre/Volume] Sang ; Numérique ; Comptage automate", "Leucocytes", "10*9/L", ""),
    ("24326-1", "4548-4", "Hémoglobine A1c [Fraction massique] Sang ; Numérique", "HbA1c", "%", ""),
    ("24326-1", "6301-6", "INR [Temps relatif] Plasma pauvre en plaquettes ; Numérique ; Coagulation", "INR", "{INR}", ""),
    ("24326-1", "882-1", "Groupe sanguin ABO-RH1 [Type] Sang ; Résultat nominal", "Groupe", "", ""),
    ("24326-1", "1407346", "Phénotype RH-KEL1 [Type] Sang ; Résultat nominal", "Phénotype", "", ""),
    ("1999999", "3456787", "Recherche [Présence/Seuil] Sérum ; Qualitatif", "Recherche", "", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def edition() -> Edition:
    records = tuple(
        Record(
            number,
            {
                "order_code": order,
                "order_label": "Ionogramme",
                "order_loinc_label": "Ionogramme panel [-] Sérum/Plasma ; -",
                "order_synonyms": "Iono;Na K Cl",
                "nabm_code": "1610;0552",
                "nabm_label": "Ionogramme;Glucose",
                "result_code": code,
                "result_loinc_label": label,
                "result_display": display,
                "unit": unit,
                "unit_secondary": secondary,
            },
        )
        for number, (order, code, label, display, unit, secondary) in enumerate(ROWS, 3)
    )
    chapters = (
        Record(2, {"code": "18719-5", "label": "Biochimie", "subcode": "18719-5", "sublabel": "Biochimie"}),
        Record(3, {"code": "18725-2", "label": "Microbiologie", "subcode": "18769-0", "sublabel": "Antibiogramme"}),
    )
    tables = {"main": Table("main", records), "chapters": Table("chapters", chapters)}
    return Edition(tables, Identity("1.0.0"), Source("v.xlsx", "0"))


@pytest.fixture(scope="module")
def value_set(edition: Edition) -> ValueSet:
    return ValueSet(edition)


def checked(folder: Path, value_set: ValueSet, body: str, header: str = "") -> Checked:
    path = folder / "cr.xml"
    path.write_text(report(body, header), encoding="utf-8")
    return check_report(read_report(path), value_set)


def of_result(folder: Path, value_set: ValueSet, code: str, value: str = "") -> Line:
    lines = checked(folder, value_set, chapter(observation(value, code=code))).lines
    return next(line for line in lines if line.kind is Kind.RESULT)


def of_unit(folder: Path, value_set: ValueSet, code: str, value: str) -> Line | None:
    lines = checked(folder, value_set, chapter(observation(value, code=code_of(code)))).lines
    return next((line for line in lines if line.kind is Kind.UNIT), None)


def told(line: Line) -> list[tuple[str, str, str]]:
    return [(remark.fault, remark.severity, remark.suggestion) for remark in line.remarks]


@pytest.mark.parametrize(
    ("code", "remarks", "known"),
    [
        (code_of("2951-2", SODIUM), [], True),
        (code_of("2951-2", SODIUM.upper()), [("display-rewritten", "info", SODIUM)], True),
        (code_of("2951-2", "sodium"), [("display-rewritten", "info", SODIUM)], True),
        (code_of("2951-2"), [("display-missing", "warning", SODIUM)], True),
        (code_of("2951-2", "Sodium urinaire"), [("display-differs", "warning", SODIUM)], True),
        (code_of("2951-2", GLUCOSE), [("display-of-another", "error", SODIUM)], True),
        (code_of("2951-3", SODIUM), [("not-in-value-set", "error", "2951-2")], False),
        (code_of("2823-3", "Potassium"), [("not-in-value-set", "error", "")], False),
        (code_of("2823-3", SODIUM), [("not-in-value-set", "error", "2951-2")], False),
        (code_of("24326-1", "Ionogramme"), [("other-role", "error", "")], False),
        (code_of("18719-5", "Biochimie"), [("other-role", "error", "")], False),
        (code_of("2951-2", SODIUM, "1.2.3"), [("wrong-system", "error", LOINC)], True),
        (code_of("2951-2", SODIUM, PENDING), [("loinc-as-pending", "error", LOINC)], True),
        (code_of("1407346", ROWS[8][2]), [("pending-as-loinc", "error", PENDING)], True),
        (code_of("1407346", ROWS[8][2], PENDING), [("pending-in-code", "error", "")], True),
        (code_of("1407346", ROWS[8][2], "1.2.3"), [("wrong-system", "error", PENDING)], True),
        (f'<code><translation code="1407346" displayName="{ROWS[8][2]}" codeSystem="{PENDING}"/></code>', [], True),
        (f'<code><translation code="7777777" displayName="x" codeSystem="{PENDING}"/></code>', [("not-in-value-set", "error", "")], False),
        (f'<code><translation code="2951-2" displayName="{SODIUM}" codeSystem="{LOINC}"/></code>', [("loinc-in-translation", "error", "")], True),
        ('<code><translation code="NA" displayName="Na" codeSystem="1.2.3"/></code>', [("local-code", "warning", "")], False),
        (f'<code><translation code="NA" displayName="{SODIUM}" codeSystem="1.2.3"/></code>', [("local-code", "warning", "2951-2")], False),
        ('<code nullFlavor="UNK"/>', [("no-code", "error", "")], False),
        ("<code/>", [("no-code", "error", "")], False),
    ],
)  # fmt: skip
def test_codes_of_results(
    code: str, remarks: list[tuple[str, str, str]], known: bool, tmp_path: Path, value_set: ValueSet
) -> None:
    line = of_result(tmp_path, value_set, code)
    assert told(line) == remarks
    assert line.known is known
    assert line.state == (remarks[0][1] if remarks else "ok")


@pytest.mark.parametrize(
    ("code", "value", "remarks", "known"),
    [
        ("2951-2", quantity("1", "mmol/L"), [], True),
        ("2951-2", quantity("1", "mmol/l"), [("unit-spelling", "info", "mmol/L")], False),
        ("2951-2", quantity("1", "umol/L"), [("unit-factor", "warning", "")], False),
        ("2951-2", quantity("1", "g/L"), [("unit-dimension", "error", "")], False),
        ("2951-2", quantity("1", "µmol/L"), [("unit-not-ucum", "error", "umol/L")], False),
        ("2951-2", quantity("1", ""), [("unit-missing", "error", "")], False),
        ("2951-2", '<value xsi:type="ST">139</value>', [("unit-missing", "error", "")], False),
        ("2951-2", quantity("1", "patates"), [("unit-not-ucum", "error", "")], False),
        ("6690-2", quantity("1", "10^9/L x"), [("unit-not-ucum", "error", "")], False),
        ("6690-2", quantity("1", "10^9/l"), [("unit-spelling", "info", "10*9/L")], False),
        ("14682-9", quantity("1", "umol/L"), [], True),
        ("14682-9", quantity("1", "mmol/L"), [("unit-secondary", "info", "")], True),
        ("14682-9", quantity("1", "nmol/L"), [("unit-factor", "warning", "")], False),
        ("6690-2", quantity("1", "G/L"), [("unit-dimension", "error", "10*9/L")], False),
        ("6690-2", quantity("1", "10*9{cells}/L"), [("unit-spelling", "info", "10*9/L")], False),
        ("6690-2", quantity("1", "/uL"), [("unit-factor", "warning", "")], False),
        ("4548-4", quantity("1", ""), [("unit-missing", "error", "")], False),
        ("6301-6", quantity("1", ""), [], False),
        ("6301-6", quantity("1", "1"), [("unit-spelling", "info", "{INR}")], False),
        ("882-1", quantity("1", "g/L"), [("unit-unexpected", "warning", "")], False),
        ("882-1", quantity("1", ""), [], True),
        ("2823-3", quantity("1", "mmol/L"), [], False),
        ("2823-3", quantity("1", "UI/L"), [("unit-not-ucum", "error", "[IU]/L")], False),
    ],
)
def test_units(
    code: str,
    value: str,
    remarks: list[tuple[str, str, str]],
    known: bool,
    tmp_path: Path,
    value_set: ValueSet,
) -> None:
    line = of_unit(tmp_path, value_set, code, value)
    assert line is not None
    assert told(line) == remarks
    assert (line.known, line.result) == (known, code)


def test_factor_and_twin_are_said(tmp_path: Path, value_set: ValueSet) -> None:
    factor = of_unit(tmp_path, value_set, "14682-9", quantity("1", "nmol/L"))
    assert factor is not None
    assert "nmol/L × 0.001 = umol/L" in factor.remarks[0].message
    twin = of_unit(tmp_path, value_set, "14749-6", quantity("1", "g/L"))
    assert twin is not None
    assert "2345-7" in twin.remarks[0].message
    gauss = of_unit(tmp_path, value_set, "6690-2", quantity("1", "G/L"))
    assert gauss is not None
    assert "gauss" in gauss.remarks[0].message


@pytest.mark.parametrize(
    "value", ['<value xsi:type="ST">négatif</value>', '<value xsi:type="PQ" nullFlavor="UNK"/>', ""]
)
def test_no_value_no_unit(value: str, tmp_path: Path, value_set: ValueSet) -> None:
    assert of_unit(tmp_path, value_set, "2951-2", value) is None


@pytest.mark.parametrize(("unit", "faults"), [("mmol/L", []), ("mmol/l", []), ("umol/L", ["reference-unit"])])
def test_units_of_reference_intervals(unit: str, faults: list[str], tmp_path: Path, value_set: ValueSet) -> None:
    extra = (
        f'<referenceRange><observationRange><value xsi:type="IVL_PQ"><low value="1" unit="{unit}"/></value>'
        "</observationRange></referenceRange>"
    )
    body = chapter(observation(quantity("1", "mmol/L"), extra))
    units = [line for line in checked(tmp_path, value_set, body).lines if line.kind is Kind.UNIT]
    assert [remark.fault for line in units for remark in line.remarks] == faults
    assert len(units) == 1 + len(faults)


def battery(code: str, display: str, system: str = LOINC) -> str:
    return (
        '<organizer classCode="BATTERY" moodCode="EVN"><templateId root="1.3.6.1.4.1.19376.1.3.1.4"/>'
        f"{code_of(code, display, system)}</organizer>"
    )


@pytest.mark.parametrize(
    ("code", "display", "remarks"),
    [
        ("24326-1", "Ionogramme panel [-] Sérum/Plasma ; -", []),
        ("24326-1", "na k cl", [("display-rewritten", "info")]),
        ("24325-3", "Bilan hépatique", [("not-in-value-set", "warning")]),
        ("18769-0", "Antibiogramme", [("chapter-as-order", "info")]),
        ("2951-2", SODIUM, [("other-role", "warning")]),
    ],
)
def test_orders(code: str, display: str, remarks: list[tuple[str, str]], tmp_path: Path, value_set: ValueSet) -> None:
    lines = checked(tmp_path, value_set, chapter(battery(code, display))).lines
    (line,) = [line for line in lines if line.kind is Kind.ORDER]
    assert [(remark.fault, remark.severity) for remark in line.remarks] == remarks


def event(code: str, display: str) -> str:
    return f"<documentationOf><serviceEvent>{code_of(code, display)}</serviceEvent></documentationOf>"


def test_documented_acts_are_chapters_or_orders(tmp_path: Path, value_set: ValueSet) -> None:
    header = event("18769-0", "Antibiogramme") + event("24326-1", "Ionogramme") + event("18720-3", "Hémostase")
    lines = checked(tmp_path, value_set, "", header).lines
    assert [(line.kind.value, line.code, line.known) for line in lines] == [
        ("chapter", "18769-0", True),
        ("order", "24326-1", True),
        ("chapter", "18720-3", False),
    ]


def test_chapters(tmp_path: Path, value_set: ValueSet) -> None:
    found = checked(tmp_path, value_set, chapter(code="18719-5", display="Chimie") + chapter(code="18720-3")).lines
    faults = [[remark.fault for remark in line.remarks] for line in found]
    assert faults == [["display-differs"], ["display-differs"], ["not-in-value-set"], ["not-in-value-set"]]


@pytest.mark.parametrize(
    ("around", "inside", "faults"),
    [
        ("18725-2", "18769-0", []),
        ("18725-2", "18725-2", []),
        ("18719-5", "18769-0", ["subchapter-elsewhere"]),
        ("18720-3", "18769-0", []),
    ],
)
def test_subchapters(around: str, inside: str, faults: list[str], tmp_path: Path, value_set: ValueSet) -> None:
    labels = {"18769-0": "Antibiogramme", "18725-2": "Microbiologie"}
    inner = (
        '<component><section><templateId root="1.3.6.1.4.1.19376.1.3.3.2.2"/>'
        f"{code_of(inside, labels[inside])}</section></component>"
    )
    body = chapter(code=around, display="x").replace("<text/>", inner)
    lines = checked(tmp_path, value_set, body).lines
    (line,) = [line for line in lines if line.place.count("/section") == 2]
    assert [remark.fault for remark in line.remarks] == faults
    assert line.known


@pytest.mark.parametrize(
    ("code", "system", "faults"),
    [
        ("1610", NABM, [[]]),
        ("1610", "1.2.250.1.213.2.7", [[]]),
        ("9999", NABM, [["not-in-value-set"]]),
        ("1", "1.2", []),
    ],
)
def test_nabm_acts(code: str, system: str, faults: list[list[str]], tmp_path: Path, value_set: ValueSet) -> None:
    act = f'<procedure classCode="PROC" moodCode="EVN">{code_of(code, "Acte", system)}</procedure>'
    lines = [line for line in checked(tmp_path, value_set, chapter(act)).lines if line.kind is Kind.NABM]
    assert [[remark.fault for remark in line.remarks] for line in lines] == faults


def term(code: str, status: str) -> Term:
    return Term(code, "X", "SCnc", "Pt", "Ser", "Qn", "", "CHEM", status, "Both", "", "x")


def test_a_code_that_loinc_withdrew_is_told_with_its_successor(edition: Edition, tmp_path: Path) -> None:
    release = LoincRelease(
        "2.80",
        {"2950-4": term("2950-4", "DEPRECATED"), "2823-3": term("2823-3", "ACTIVE")},
        {"2950-4": (("2951-2", ""),)},
    )
    value_set = ValueSet(edition, release)
    withdrawn = of_result(tmp_path, value_set, code_of("2950-4", "Sodium"))
    assert told(withdrawn) == [("not-in-value-set", "error", "2951-2")]
    assert "retiré par LOINC" in withdrawn.remarks[0].message
    unknown = of_result(tmp_path, value_set, code_of("100-8", "x"))
    assert "LOINC ne le connaît pas" in unknown.remarks[0].message
    current = of_result(tmp_path, value_set, code_of("2823-3", "Potassium"))
    assert current.remarks[0].message == "2823-3 n'est pas dans le jeu de valeurs"


def test_sample_report_and_its_faults() -> None:
    found = check_report(read_report(REPORT), ValueSet(read_edition(files()["1.1.0"])))
    faults = {(line.result or line.code, remark.fault) for line in found.lines for remark in line.remarks}
    assert faults == {
        ("14749-6", "unit-dimension"), ("2000-9", "not-in-value-set"), ("4548-4", "unit-missing"), ("24325-3", "other-role"),
        ("6690-2", "unit-dimension"), ("789-8", "display-of-another"), ("1407312", "pending-as-loinc"),
        ("14682-9", "reference-unit"), ("14682-9", "unit-secondary"), ("CRP", "local-code"), ("718-7", "unit-factor"),
        ("2823-3", "display-rewritten"),
    }  # fmt: skip
    assert found.summary == {"error": 7, "warning": 3, "info": 2}
    assert found.counts == {
        Kind.CHAPTER: (11, 11),
        Kind.ORDER: (1, 1),
        Kind.RESULT: (13, 10),
        Kind.UNIT: (11, 5),
    }


def test_failing_severity(tmp_path: Path, value_set: ValueSet) -> None:
    warned = checked(tmp_path, value_set, chapter(observation(quantity("1", "umol/L"))))
    assert [warned.fails(severity) for severity in ("error", "warning", "info", "never")] == [False, True, True, False]
    clean = checked(tmp_path, value_set, chapter(observation(quantity("1", "mmol/L"))))
    assert not any(clean.fails(severity) for severity in ("error", "warning", "info", "never"))


def test_every_fault_has_its_severity_in_the_rules() -> None:
    source = Path(__file__).resolve().parents[2] / "jdv_qa" / "cda" / "check.py"
    text = source.read_text(encoding="utf-8")
    rules = load_rules().severities
    assert rules
    for fault in rules:
        assert f'"{fault}"' in text, fault
    named = set(re.findall(r'_remark\(\s*"([a-z-]+)"', text))
    assert len(named) > 15
    assert named <= rules.keys()


def test_sentences_are_in_both_languages(tmp_path: Path, value_set: ValueSet) -> None:
    body = chapter(observation(quantity("1", "umol/L"), code=code_of("2951-2", "x")))
    french = checked(tmp_path, value_set, body)
    use_language("en")
    english = checked(tmp_path, value_set, body)
    pairs = [
        (one, other)
        for mine, theirs in zip(french.lines, english.lines, strict=True)
        for one, other in zip(mine.remarks, theirs.remarks, strict=True)
    ]
    assert len(pairs) == 2
    for one, other in pairs:
        assert isinstance(one, Remark)
        assert (one.fault, one.severity, one.suggestion) == (other.fault, other.severity, other.suggestion)
        assert one.message != other.message


def test_real_reports_of_the_ans(reference_data: Path) -> None:
    paths = sorted((reference_data / "cda").glob("*.xml"))
    if not paths:
        pytest.skip(f"no report at {reference_data / 'cda'}")
    value_set = ValueSet(read_edition(files()["1.1.0"]))
    for path in paths:
        found = check_report(read_report(path), value_set)
        lines = path.read_bytes().split(b"\n")
        assert any(line.kind is Kind.RESULT for line in found.lines)
        for line in found.lines:
            near = b" ".join(lines[line.line - 1 : line.line + 6])
            assert line.code.encode() in near, (path.name, line)
    crp = next(path for path in paths if "CRP" in path.name)
    local = [remark for line in check_report(read_report(crp), value_set).lines for remark in line.remarks]
    assert [remark.suggestion for remark in local if remark.fault == "local-code"] == ["1988-5"]

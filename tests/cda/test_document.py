"""A laboratory report is read by its templates, each code with its line, and no file can do harm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jdv_qa.cda import document as document_module
from jdv_qa.cda.document import Coded, Kind, Measure, load_rules, read_report
from jdv_qa.errors import DocumentError, RuleFileError
from jdv_qa.resources import rules_directory
from jdv_qa.sample import REPORT
from tests.cda.build import LOINC, chapter, observation, quantity, report


def write(folder: Path, content: str | bytes, name: str = "cr.xml") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def coded(folder: Path, body: str, header: str = "") -> tuple[Coded, ...]:
    return read_report(write(folder, report(body, header))).coded


def kinds(items: tuple[Coded, ...]) -> list[tuple[str, str]]:
    return [(item.kind.value, item.coding.code) for item in items]


def test_sample_report() -> None:
    read = read_report(REPORT)
    assert read.title == "Compte rendu d'examens biologiques (exemple fictif)"
    found = kinds(read.coded)
    assert found[:5] == [("chapter", "18719-5"), ("chapter", "18768-2"), *[("chapter", "18719-5")] * 3]
    assert found[5:8] == [("order", "24326-1"), ("result", "2951-2"), ("result", "2823-3")]
    sodium = read.coded[6]
    lines = REPORT.read_text(encoding="utf-8").splitlines()
    assert 'code="2951-2"' in lines[sodium.line - 1]
    assert [(measure.unit, measure.reference) for measure in sodium.measures] == [("mmol/L", False), ("mmol/L", True)]
    assert all(measure.unit in lines[measure.line - 1] for item in read.coded for measure in item.measures)


def test_line_is_that_on_which_a_tag_begins(tmp_path: Path) -> None:
    code = f'<code\n   displayName="Sodium"\n   code="2951-2"\n   codeSystem="{LOINC}"\n   />'
    content = report(chapter(observation(quantity("1", "mmol/L"), code=code)))
    result = read_report(write(tmp_path, content)).coded[-1]
    assert content.splitlines()[result.line - 1].lstrip() == "<code"


def test_places_are_numbered_where_several_have_one_name(tmp_path: Path) -> None:
    body = chapter(observation(quantity("1", "g/L")), observation(quantity("2", "g/L")))
    places = [item.place for item in coded(tmp_path, body) if item.kind is Kind.RESULT]
    assert places == [
        f"/ClinicalDocument/component/structuredBody/component/section/entry/act/entryRelationship[{number}]/observation/code"
        for number in (1, 2)
    ]


def test_what_an_observation_must_be_to_be_a_result(tmp_path: Path) -> None:
    foreign = observation("", code=f'<code code="69764-9" codeSystem="{LOINC}"/>', templates=("1.3.6.1.4.1.19376.1.5.3.1.4.13",))  # fmt: skip
    bare = observation("", code=f'<code code="2823-3" codeSystem="{LOINC}"/>', templates=())
    outside = f"<component><section><entry>{bare}</entry></section></component>"
    found = [item.coding.code for item in coded(tmp_path, chapter(foreign, bare) + outside) if item.kind is Kind.RESULT]
    assert found == ["2823-3"]


def test_orders_chapters_and_acts(tmp_path: Path) -> None:
    header = (
        f'<inFulfillmentOf><order><id root="1"/><code code="24326-1" codeSystem="{LOINC}"/></order></inFulfillmentOf>'
        f'<documentationOf><serviceEvent><code code="18719-5" codeSystem="{LOINC}"/></serviceEvent></documentationOf>'
        "<documentationOf><serviceEvent><id root='1'/></serviceEvent></documentationOf>"
    )
    battery = (
        '<organizer classCode="BATTERY" moodCode="EVN"><templateId root="1.3.6.1.4.1.19376.1.3.1.4"/>{}'
        + f"<component>{observation(quantity('1', 'g/L'))}</component></organizer>"
    )
    act = '<procedure classCode="PROC" moodCode="EVN"><code code="1610" codeSystem="1.2.250.1.215.300.2"/></procedure>'
    body = chapter(battery.format(f'<code code="24325-3" codeSystem="{LOINC}"/>'), battery.format("<code/>"), act)
    assert kinds(coded(tmp_path, body, header)) == [
        ("order", "24326-1"),
        ("chapter", "18719-5"),
        ("chapter", "18719-5"),
        ("chapter", "18719-5"),
        ("order", "24325-3"),
        ("result", "2951-2"),
        ("result", "2951-2"),
        ("nabm", "1610"),
    ]


@pytest.mark.parametrize(
    ("value", "units"),
    [
        ('<value xsi:type="PQ" value="1" unit="mmol/L"/>', ["mmol/L"]),
        ('<value xsi:type="PQ" value="1"/>', [""]),
        ('<value xsi:type="h:PQ" value="1" unit="mmol/L"/>', ["mmol/L"]),
        ('<value xsi:type="INT" value="1"/>', [""]),
        ('<value xsi:type="PQ" nullFlavor="UNK"/>', []),
        ('<value xsi:type="IVL_PQ"><low value="1" unit="g/L"/><high value="2" unit="mg/L"/></value>', ["g/L", "mg/L"]),
        ('<value xsi:type="IVL_PQ"><low value="1" unit="g/L"/><high value="2" unit="g/L"/></value>', ["g/L"]),
        ('<value xsi:type="IVL_PQ"><low nullFlavor="NINF"/><high value="2" unit="g/L"/></value>', ["g/L"]),
        ('<value xsi:type="CD" code="x"/>', []),
        ('<value xsi:type="ST">négatif</value>', []),
        ('<value xsi:type="ST">&lt; 0,5</value>', [""]),
        ('<value xsi:type="ST">12 g/L</value>', []),
        ('<value xsi:type="RTO"><numerator value="1"/><denominator value="80"/></value>', []),
        ("", []),
    ],
)
def test_units_of_a_value(value: str, units: list[str], tmp_path: Path) -> None:
    result = coded(tmp_path, chapter(observation(value)))[-1]
    assert [measure.unit for measure in result.measures] == units


def test_units_of_a_reference_interval(tmp_path: Path) -> None:
    extra = (
        '<referenceRange><observationRange><value xsi:type="IVL_PQ"><high value="5" unit="mg/L"/></value>'
        "</observationRange></referenceRange>"
    )
    result = coded(tmp_path, chapter(observation(quantity("1", "g/L"), extra)))[-1]
    assert [(measure.unit, measure.reference) for measure in result.measures] == [("g/L", False), ("mg/L", True)]
    assert isinstance(result.measures[1], Measure)
    assert result.measures[1].place.endswith("/observation/referenceRange/observationRange/value/high")


def refusal(path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        read_report(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path} : ")
    return message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "XML mal formé"),
        ("bonjour", "XML mal formé"),
        ("<ClinicalDocument>", "XML mal formé"),
        (b"PK\x03\x04 not xml", "XML mal formé"),
        ("<html/>", "pas un document CDA (racine « html »)"),
        ("<ClinicalDocument/>", "pas un document CDA"),
        ('<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "pas un compte rendu de biologie"),
        (
            '<ClinicalDocument xmlns="urn:hl7-org:v3"><code code="11490-0" displayName="Lettre de liaison"/></ClinicalDocument>',
            "type de document : 11490-0 Lettre de liaison",
        ),
        (
            '<ClinicalDocument xmlns="urn:hl7-org:v3"><code code="11502-2"/><component><nonXMLBody/></component></ClinicalDocument>',
            "pas de corps structuré",
        ),
    ],
)
def test_what_is_no_laboratory_report_is_refused_in_one_line(content: str | bytes, said: str, tmp_path: Path) -> None:
    assert said in refusal(write(tmp_path, content))


def test_missing_files_folders_and_giants_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lecture impossible" in refusal(tmp_path / "absent.xml")
    assert "lecture impossible" in refusal(tmp_path)
    monkeypatch.setattr(document_module, "MAX_SIZE", 10)
    assert "limite de 10" in refusal(write(tmp_path, report("")))


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = [
    f'<!DOCTYPE ClinicalDocument [<!ENTITY l0 "ha">{LAUGHS}]>',
    '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    '<!-- ClinicalDocument --><!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>',
    f'<!-- ClinicalDocument --><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>',
]


@pytest.mark.parametrize("doctype", DOCTYPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_type_declarations_are_refused(doctype: str, encoding: str, tmp_path: Path) -> None:
    body = chapter(observation(quantity("1", "&l9;" if "l9" in doctype else "g/L")))
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    text = declaration + doctype + report(body).partition("?>")[2]
    message = refusal(write(tmp_path, text.encode(encoding)))
    assert "DOCTYPE" in message or "XML mal formé" in message
    assert "hostname" not in message


def test_entities_without_declaration_and_depth_are_refused(tmp_path: Path) -> None:
    assert "XML mal formé" in refusal(write(tmp_path, report("<x>&inconnue;</x>")))
    depth = 5000
    deep = "<component>" * depth + "</component>" * depth
    assert "XML mal formé" in refusal(write(tmp_path, report(deep)))


def test_depth_that_the_parser_takes_is_walked(tmp_path: Path) -> None:
    deep = "<component>" * 200 + "</component>" * 200
    assert coded(tmp_path, deep) == ()


def test_other_encodings_and_prefixes(tmp_path: Path) -> None:
    text = report(chapter(observation(quantity("1", "g/L"), display="Protéine é")))
    latin = text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').encode("latin-1")
    assert read_report(write(tmp_path, latin)).coded[-1].coding.display == "Protéine é"
    prefixed = re.sub(r"<(/?)(?=[A-Za-z])", r"<\1h:", text).replace("xmlns=", "xmlns:h=")
    found = read_report(write(tmp_path, prefixed)).coded
    assert kinds(found) == kinds(read_report(write(tmp_path, text)).coded)
    assert found[-1].line == read_report(write(tmp_path, text)).coded[-1].line


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("no-code: error", "no-code: fatal", "fatal"),
        ("  result: [", "  resultat: [", "templates.result"),
        ("severities:", "severites:", "severities"),
        ("document:", "document: [", "illisible"),
    ],
)
def test_damaged_rules_are_one_clear_line(
    old: str, new: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (rules_directory() / "cda.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "cda.yaml").write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(document_module, "rules_directory", lambda: tmp_path)
    load_rules.cache_clear()
    try:
        with pytest.raises(RuleFileError, match=re.escape(said)):
            load_rules()
    finally:
        load_rules.cache_clear()

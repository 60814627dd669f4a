"""SVS XML follows its schema, as the ANS's own files do, and read back is the codes and labels of the workbook."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from jdv_qa.publish.svs import NAMESPACE, svs_files
from jdv_qa.resources import rules_directory
from jdv_qa.sample import files
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition, Identity, Record, Source, Table
from jdv_qa.workbook.read import read_edition

ORDERS, RESULTS = "jdv-circuit-biologie-demandes-cisis.xml", "jdv-circuit-biologie-resultats-cisis.xml"
OIDS = {True: "2.16.840.1.113883.6.1", False: "1.2.250.1.213.1.1.5.130"}


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(rules_directory() / "schemas" / "svs.xsd")))


def concepts(content: bytes) -> list[dict[str, str]]:
    return [dict(element.attrib) for element in etree.fromstring(content).iter(f"{{{NAMESPACE}}}Concept")]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.2.0"])
def test_files_follow_the_schema(version: str, schema: etree.XMLSchema) -> None:
    found = svs_files(read_edition(files()[version]))
    assert list(found) == [ORDERS, RESULTS]
    for content in found.values():
        schema.assertValid(etree.fromstring(content))
        assert LOINC_NOTICE.encode() in content


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_files_read_back_are_the_codes_and_labels_of_the_workbook(version: str) -> None:
    edition = read_edition(files()[version])
    found = svs_files(edition)
    for name, code, label in (
        (ORDERS, "order_code", "order_loinc_label"),
        (RESULTS, "result_code", "result_loinc_label"),
    ):
        listed = concepts(found[name])
        rows = {(record[code], OIDS["-" in record[code]], record[label]) for record in edition.main.records}
        assert {(item["code"], item["codeSystem"], item["displayName"]) for item in listed} == rows
        assert len(listed) == len(rows)


def test_head_has_the_attributes_of_the_ans() -> None:
    content = svs_files(read_edition(files()["1.1.0"]))[RESULTS]
    (value_set,) = etree.fromstring(content)
    head = dict(value_set.attrib)
    assert re.fullmatch(r"2\.25\.[0-9]+", head.pop("id"))
    assert head == {
        "displayName": "jdv-circuit-biologie-resultats-cisis",
        "name": "JdvCircuitBiologieResultatsCisis",
        "title": "JDV Circuit Biologie Resultats CISIS",
        "version": "2026-07-15T00:00:00+01:00",
        "effectiveDate": "2026-01-15T00:00:00+01:00",
        "revisionDate": "2026-07-15T00:00:00+01:00",
    }


def test_a_code_is_valid_from_the_day_on_which_the_notes_tell_it() -> None:
    old, new = (read_edition(files()[version]) for version in ("1.0.0", "1.1.0"))
    for name, before in ((ORDERS, old.orders), (RESULTS, old.results)):
        days = {item["code"]: (item["dateValid"], item["dateFin"]) for item in concepts(svs_files(new)[name])}
        late = {code for code, (day, _) in days.items() if day == "20260715000000"}
        assert late == days.keys() - before.keys()
        assert late
        assert {day for code, (day, _) in days.items() if code not in late} == {"20260115000000"}
        assert {end for _, end in days.values()} == {""}


def made(**values: str) -> Edition:
    row = {
        "order_code": "24326-1", "order_label": "Ionogramme", "result_code": "2951-2", "result_loinc_label": "Sodium", **values,
    }  # fmt: skip
    main = Table("main", (Record(3, row),))
    return Edition({"main": main}, Identity("1.0.0", "2026-01-15"), Source("v.xlsx", "0"))


def test_text_is_never_markup(schema: etree.XMLSchema) -> None:
    content = svs_files(made(result_loinc_label='a & b <c> "d"\x0b --> é'))[RESULTS]
    schema.assertValid(etree.fromstring(content))
    assert concepts(content)[0]["displayName"] == 'a & b <c> "d" --> é'


def test_without_dates_the_file_is_still_valid(schema: etree.XMLSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    edition = Edition(made().tables, Identity("1.0.0"), Source("v.xlsx", "0"))
    content = svs_files(edition)[ORDERS]
    schema.assertValid(etree.fromstring(content))
    assert concepts(content)[0]["dateValid"] == ""
    assert etree.fromstring(content)[0].get("version") == "1.0.0"


def test_same_bytes_each_time() -> None:
    assert svs_files(read_edition(files()["1.1.0"])) == svs_files(read_edition(files()["1.1.0"]))


def test_real_files_of_the_ans_follow_the_schema_too(schema: etree.XMLSchema, reference_data: Path) -> None:
    paths = sorted((reference_data / "jdv_xml").glob("*.xml"))
    if not paths:
        pytest.skip(f"no SVS file at {reference_data / 'jdv_xml'}")
    for path in paths:
        schema.assertValid(etree.parse(str(path)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'code="2951-2"', b'code="2951 2"'),
        (b'code="2951-2" ', b""),
        (b'displayName="Sodium"', b'displayName=" "'),
        (b'codeSystem="2.16.840.1.113883.6.1"', b'codeSystem="LOINC"'),
        (b'dateValid="20260115000000"', b'dateValid="2026-01-15"'),
        (b'effectiveDate="2026-01-15T00:00:00+01:00"', b'effectiveDate="15/01/2026"'),
        (b"urn:ihe:iti:svs:2008", b"urn:ihe:iti:svs:2009"),
        (b"<ConceptList>", b'<ConceptList><Concept code="2951-2" codeSystem="2.16.840.1.113883.6.1" displayName="Sodium" dateValid="20260115000000"/>'),
    ],
)  # fmt: skip
def test_the_schema_refuses_what_is_not_svs(old: bytes, new: bytes, schema: etree.XMLSchema) -> None:
    content = svs_files(made())[RESULTS]
    assert old in content
    assert not schema.validate(etree.fromstring(content.replace(old, new)))


@pytest.mark.slow
def test_full_size(schema: etree.XMLSchema, corpus: Callable[[int, str, str], Path]) -> None:
    for content in svs_files(read_edition(corpus(11, "a", "repeat") / "v1.xlsx")).values():
        schema.assertValid(etree.fromstring(content))

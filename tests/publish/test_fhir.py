"""FHIR resources are valid R4, follow the conventions, and read back are the codes and labels of the workbook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.conceptmap import ConceptMap
from fhir.resources.R4B.valueset import ValueSet
from hypothesis import given, settings
from lxml import etree

from jdv_qa.errors import OutputError, RuleFileError
from jdv_qa.publish import conventions
from jdv_qa.publish.concepts import first_date, stated_loinc_version, unpublished
from jdv_qa.publish.fhir import EQUIVALENCES, fhir_resources
from jdv_qa.publish.svs import svs_files
from jdv_qa.resources import rules_directory
from jdv_qa.sample import files
from jdv_qa.terminology import systems as systems_module
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition, Identity, Record, Source, Table
from jdv_qa.workbook.layout import load_layout
from jdv_qa.workbook.read import read_edition
from tests.publish.test_export import editions

MODELS = {"ValueSet": ValueSet, "CodeSystem": CodeSystem, "ConceptMap": ConceptMap}
LOINC = "http://loinc.org"
PENDING = "https://smt.esante.gouv.fr/fhir/CodeSystem/circuit-biologie-codes-attente"
ORDERS = "ValueSet-jdv-circuit-biologie-demandes-cisis.json"
RESULTS = "ValueSet-jdv-circuit-biologie-resultats-cisis.json"
CODES = "CodeSystem-circuit-biologie-codes-attente.json"
SUPPLEMENT = "CodeSystem-circuit-biologie-resultats-complement.json"
MAP = "ConceptMap-nabm-to-circuit-biologie-demandes.json"


@pytest.fixture(scope="module", params=["1.0.0", "1.1.0", "1.2.0"])
def any_edition(request: pytest.FixtureRequest) -> Edition:
    return read_edition(files()[request.param])


@pytest.fixture(scope="module")
def edition() -> Edition:
    return read_edition(files()["1.1.0"])


@pytest.fixture(scope="module")
def resources(edition: Edition) -> dict[str, dict[str, Any]]:
    return {name: json.loads(content) for name, content in fhir_resources(edition).items()}


def made(*rows: dict[str, str], identity: Identity | None = None, **tables: Table) -> Edition:
    main = Table("main", tuple(Record(number, row) for number, row in enumerate(rows, 3)))
    return Edition({"main": main, **tables}, identity or Identity("1.0.0", "2026-01-15", "2.80"), Source("v.xlsx", "0"))


def loaded(edition: Edition) -> dict[str, dict[str, Any]]:
    return {name: json.loads(content) for name, content in fhir_resources(edition).items()}


SODIUM = {
    "order_code": "24326-1", "order_label": "Ionogramme", "order_loinc_label": "Ionogramme panel [-] Sérum/Plasma ; -", "order_type": "Order",
    "order_synonyms": "Iono;Na K Cl", "nabm_code": "1610;0552", "nabm_label": "Ionogramme;Glycémie", "result_code": "2951-2",
    "result_loinc_label": "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "result_display": "Sodium", "unit": "mmol/L", "comparability": "1",
    "discriminating_technique": "N", "chapter": "18719-5",
}  # fmt: skip


def codes_and_labels(resource: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (part["system"], concept["code"], concept["display"])
        for part in resource["compose"]["include"]
        for concept in part["concept"]
    }


def expected(edition: Edition, code: str, label: str) -> set[tuple[str, str, str]]:
    """The codes of a column of the workbook and their labels, straight from its rows."""
    return {
        (LOINC if "-" in record[code] else PENDING, record[code], " ".join(record[label].split()))
        for record in edition.main.records
        if re.fullmatch(r"[0-9]{1,7}-[0-9]|[0-9]{5,7}", record[code])
    }


def test_resources_are_valid_r4(any_edition: Edition) -> None:
    for name, content in fhir_resources(any_edition).items():
        model = MODELS[name.partition("-")[0]]
        assert model.model_validate_json(content).id == name.partition("-")[2].removesuffix(".json")


def test_bytes_are_the_same_each_time_and_readable(edition: Edition) -> None:
    first, second = fhir_resources(edition), fhir_resources(read_edition(files()["1.1.0"]))
    assert first == second
    assert list(first) == [ORDERS, RESULTS, CODES, SUPPLEMENT, MAP]
    assert "é".encode() in first[RESULTS]
    assert first[RESULTS].startswith(b'{\n  "resourceType": "ValueSet"')


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_value_sets_read_back_are_the_codes_and_labels_of_the_workbook(version: str) -> None:
    edition = read_edition(files()[version])
    found = loaded(edition)
    assert codes_and_labels(found[ORDERS]) == expected(edition, "order_code", "order_loinc_label")
    assert codes_and_labels(found[RESULTS]) == expected(edition, "result_code", "result_loinc_label")
    assert unpublished(edition) == ()


def test_codes_of_a_draft_that_are_none_are_left_out_and_named() -> None:
    draft = read_edition(files()["1.2.0"])
    published = {code for _, code, _ in codes_and_labels(loaded(draft)[RESULTS])}
    assert not published & {"LP14635-4", "à définir", "1988-05-01", "6301-6 ; 5894-1"}
    named = "\n".join(unpublished(draft))
    for code in ("LP14635-4", "à définir", "1988-05-01", "6301-6 ; 5894-1", "536"):
        assert code in named
    assert len(published) + len([line for line in unpublished(draft) if "résultat" in line]) == len(draft.results)


def test_heads_follow_the_conventions(resources: dict[str, dict[str, Any]]) -> None:
    for name, resource in resources.items():
        kind = resource["resourceType"]
        if name != CODES:
            assert resource["url"] == f"https://smt.esante.gouv.fr/fhir/{kind}/{resource['id']}"
        assert re.fullmatch(r"[a-z0-9-]{1,64}", resource["id"])
        assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", resource["name"])  # invariants vsd-0, csd-0, cmd-0
        identifier = resource["identifier"] if kind == "ConceptMap" else resource["identifier"][0]
        assert identifier["system"] == "urn:ietf:rfc:3986"
        assert re.fullmatch(r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+", identifier["value"])
        assert (resource["version"], resource["date"]) == ("20260715000000", "2026-07-15T00:00:00+01:00")
        assert resource["extension"][0]["valuePeriod"] == {"start": "2026-01-15T00:00:00+01:00"}
        assert resource["language"] == "fr-FR"
        assert resource["jurisdiction"] == [{"coding": [{"system": "urn:iso:std:iso:3166", "code": "FRA"}]}]
        assert (resource["status"], resource["experimental"], resource["copyright"]) == ("active", False, LOINC_NOTICE)
        assert resource["title"].endswith("version 1.1.0")
    assert len({str(resource["identifier"]) for resource in resources.values()}) == len(resources)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def test_texts_and_lists_have_the_form_that_r4_wants(any_edition: Edition) -> None:
    for resource in loaded(any_edition).values():
        assert all(text == text.strip() and text for text in strings(resource))
        parts = resource.get("compose", {}).get("include", []) or [resource]
        for part in parts:
            codes = [concept["code"] for concept in part.get("concept", [])]
            assert len(codes) == len(set(codes))  # csd-1
            assert all(re.fullmatch(r"[^\s]+( [^\s]+)*", code) for code in codes)
        for concept in (concept for part in parts for concept in part.get("concept", [])):
            values = [entry["value"] for entry in concept.get("designation", [])]
            assert concept.get("display") not in values
            assert len(values) == len(set(values))


def test_loinc_version_as_stated(resources: dict[str, dict[str, Any]]) -> None:
    loinc, pending = resources[RESULTS]["compose"]["include"]
    assert (loinc["system"], loinc["version"]) == (LOINC, "2.79")
    assert (pending["system"], pending["version"]) == (PENDING, "20260715000000")
    assert stated_loinc_version(made(SODIUM, identity=Identity(loinc_version="LOINC v2.80"))) == "2.80"
    several = made(SODIUM, identity=Identity("1.0.0", "2026-01-15", "2.79-2.80"))
    assert stated_loinc_version(several) == ""
    found = loaded(several)
    assert "version" not in found[RESULTS]["compose"]["include"][0]
    assert found[SUPPLEMENT]["supplements"] == LOINC
    assert "targetVersion" not in found[MAP]["group"][0]


def test_labels_other_than_the_official_one_are_designations() -> None:
    found = loaded(made(SODIUM))
    order = found[ORDERS]["compose"]["include"][0]["concept"][0]
    assert order["display"] == "Ionogramme panel [-] Sérum/Plasma ; -"
    assert [(entry["use"]["display"], entry["value"]) for entry in order["designation"]] == [
        ("Libellé de la demande", "Ionogramme"),
        ("Synonym", "Iono"),
        ("Synonym", "Na K Cl"),
    ]
    assert order["designation"][1]["use"]["code"] == "900000000000013009"
    result = found[RESULTS]["compose"]["include"][0]["concept"][0]
    assert [entry["value"] for entry in result["designation"]] == ["Sodium"]
    assert {entry["language"] for entry in result["designation"]} == {"fr-FR"}


def test_an_order_without_loinc_label_goes_by_its_own_and_one_without_any_is_named() -> None:
    plain = {name: value for name, value in SODIUM.items() if name != "order_loinc_label"}
    found = loaded(made(plain))
    assert found[ORDERS]["compose"]["include"][0]["concept"][0]["display"] == "Ionogramme"
    bare = {"order_code": "24326-1", "result_code": "2951-2"}
    assert "sans libellé" in "\n".join(unpublished(made(bare)))
    assert fhir_resources(made(bare)) == {}


def test_pending_codes_are_a_fragment_under_the_oid_of_the_ans(
    edition: Edition, resources: dict[str, dict[str, Any]]
) -> None:
    system = resources[CODES]
    assert (system["url"], system["content"], system["caseSensitive"]) == (PENDING, "fragment", True)
    assert system["identifier"][0]["value"] == "urn:oid:1.2.250.1.213.1.1.5.130"
    pending = {code for code in (*edition.orders, *edition.results) if re.fullmatch(r"[0-9]{5,7}", code)}
    assert [concept["code"] for concept in system["concept"]] == sorted(pending)
    used = {code for name in (ORDERS, RESULTS) for url, code, _ in codes_and_labels(resources[name]) if url == PENDING}
    assert used == pending


def test_supplement_has_the_units_and_comparability_of_loinc_results(
    edition: Edition, resources: dict[str, dict[str, Any]]
) -> None:
    system = resources[SUPPLEMENT]
    assert (system["content"], system["supplements"]) == ("supplement", f"{LOINC}|2.79")
    defined = {entry["code"]: entry["type"] for entry in system["property"]}
    by_code = {}
    for concept in system["concept"]:
        assert "display" not in concept
        values = {}
        for entry in concept.get("property", []):
            (key,) = entry.keys() - {"code"}
            assert key.casefold() == f"value{defined[entry['code']]}".casefold()
            values[entry["code"]] = entry[key]
        by_code[concept["code"]] = values
    assert set(by_code) == {code for code in edition.results if "-" in code}
    units = {code: values["unit"]["code"] for code, values in by_code.items() if "unit" in values}
    assert units == {code: result["unit"] for code, result in edition.results.items() if "-" in code and result["unit"]}
    haemoglobin = by_code["718-7"]
    assert haemoglobin["unit-secondary"] == {"system": "http://unitsofmeasure.org", "code": "g/dL"}
    assert (haemoglobin["conversion-factor"], haemoglobin["comparability"]) == (0.1, 1)
    assert haemoglobin["discriminating-technique"] is False
    assert haemoglobin["chapter"] == {"system": LOINC, "code": "18768-2"}


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("unit", "UI/L", {"code": "unit", "valueCoding": {"display": "UI/L"}}),
        ("unit", "[IU]/L", {"code": "unit", "valueCoding": {"system": "http://unitsofmeasure.org", "code": "[IU]/L"}}),
        ("conversion_factor", "1000", {"code": "conversion-factor", "valueDecimal": 1000}),
        ("conversion_factor", "0.0555", {"code": "conversion-factor", "valueDecimal": 0.0555}),
        ("conversion_factor", "0,0555", None),
        ("comparability", "2", {"code": "comparability", "valueInteger": 2}),
        ("comparability", "moyen", None),
        ("discriminating_technique", "o", {"code": "discriminating-technique", "valueBoolean": True}),
        ("chapter", "600238", {"code": "chapter", "valueCoding": {"system": PENDING, "code": "600238"}}),
    ],
)
def test_properties_of_a_result(field: str, text: str, value: dict[str, Any] | None) -> None:
    plain = {name: SODIUM[name] for name in ("order_code", "order_label", "result_code", "result_loinc_label")}
    content = loaded(made(plain | {field: text}))[SUPPLEMENT]
    CodeSystem.model_validate(content)
    assert content["concept"][0].get("property", []) == ([value] if value else [])
    assert ("property" in content) == (value is not None)


def test_concept_map_is_the_alignment_of_the_rows(edition: Edition, resources: dict[str, dict[str, Any]]) -> None:
    content = resources[MAP]
    assert content["sourceUri"] == "https://smt.esante.gouv.fr/terminologie-nabm?vs"
    assert content["targetUri"] == resources[ORDERS]["url"]
    pairs = {
        (group["target"], element["code"], target["code"])
        for group in content["group"]
        for element in group["element"]
        for target in element["target"]
    }
    rows = {
        (LOINC if "-" in record["order_code"] else PENDING, act.strip(), record["order_code"])
        for record in edition.main.records
        for act in record["nabm_code"].split(";")
        if act.strip()
    }
    assert pairs == rows
    assert {group["source"] for group in content["group"]} == {"https://smt.esante.gouv.fr/terminologie-nabm"}
    for group in content["group"]:
        codes = [element["code"] for element in group["element"]]
        assert codes == sorted(set(codes))
        assert all(target["equivalence"] == "relatedto" for element in group["element"] for target in element["target"])
        assert group["element"][0]["display"]


def test_one_act_to_many_orders_and_codes_that_are_no_acts() -> None:
    other = SODIUM | {"order_code": "2823-3", "order_loinc_label": "Potassium", "nabm_code": "1610;B123;552"}
    edition = made(SODIUM, other)
    (group,) = loaded(edition)[MAP]["group"]
    assert [(element["code"], [target["code"] for target in element["target"]]) for element in group["element"]] == [
        ("0552", ["24326-1"]),
        ("1610", ["24326-1", "2823-3"]),
    ]
    assert group["element"][0]["display"] == "Glycémie"
    (sentence,) = unpublished(edition)
    assert "B123, 552" in sentence


def test_dates_come_from_the_workbook_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    history = Table(
        "history", tuple(Record(row, {"version": v, "date": d}) for row, (v, d) in enumerate([("0.9", "2025-03-01"), ("1.0.0", "2026-01-15")], 9))
    )  # fmt: skip
    resource = loaded(made(SODIUM, history=history))[ORDERS]
    assert resource["extension"][0]["valuePeriod"]["start"] == "2025-03-01T00:00:00+01:00"
    spelled = loaded(made(SODIUM, identity=Identity("1.0.0", "15 janvier 2026")))[ORDERS]
    assert spelled["version"] == "20260115000000"
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    undated = loaded(made(SODIUM, identity=Identity("1.0.0")))[ORDERS]
    assert undated["version"] == "1.0.0"
    assert not {"date", "extension"} & undated.keys()
    ValueSet.model_validate(undated)
    assert first_date(made(SODIUM, identity=Identity("1.0.0"))) is None


def test_forbidden_characters_and_line_breaks_do_not_get_out() -> None:
    label = "Sodium\n [Moles/Volume]\x0b  Sérum\u0000/Plasma ; Numérique\ufffe"
    content = loaded(made(SODIUM | {"result_loinc_label": label}))[RESULTS]
    ValueSet.model_validate(content)
    assert content["compose"]["include"][0]["concept"][0]["display"] == "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"


def test_a_layout_without_orders_is_refused() -> None:
    terms = Edition({"terms": Table("terms", ())}, Identity(), Source("v.xlsx", "0"))
    with pytest.raises(OutputError, match="ni demandes ni résultats"):
        fhir_resources(terms, load_layout("loinc_fr"))


@pytest.fixture
def with_publication(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """A function (old, new) that changes a passage of the conventions for the test."""
    text = (rules_directory() / "publication.yaml").read_text(encoding="utf-8")

    def clear() -> None:
        systems_module.publication_content.cache_clear()
        systems_module.systems.cache_clear()

    def change(old: str, new: str) -> None:
        assert old in text
        (tmp_path / "publication.yaml").write_text(text.replace(old, new), encoding="utf-8")
        monkeypatch.setattr(systems_module, "rules_directory", lambda: tmp_path)
        clear()

    yield change
    monkeypatch.undo()
    clear()


def test_an_oid_and_a_base_are_changed_without_python(with_publication: Callable[..., None]) -> None:
    oid = "1.2.250.1.213.1.1.5.9999"
    with_publication('    oid: ""\n  results:', f"    oid: {oid}\n  results:")
    assert loaded(made(SODIUM))[ORDERS]["identifier"][0]["value"] == f"urn:oid:{oid}"
    with_publication("base: https://smt.esante.gouv.fr/fhir\n", "base: https://exemple.fr/fhir/\n")
    assert loaded(made(SODIUM))[ORDERS]["url"].startswith("https://exemple.fr/fhir/ValueSet/")


def test_rihn_acts_are_mapped_once_their_system_is_known(with_publication: Callable[..., None]) -> None:
    with_publication("  # rihn:", "  rihn: {name: RIHN, url: 'https://exemple.fr/rihn', oid: 2.999.1}\n  # rihn:")
    edition = made(SODIUM | {"nabm_code": "1610;B123"})
    assert unpublished(edition) == ()
    assert [(group["source"], group["element"][0]["code"]) for group in loaded(edition)[MAP]["group"]] == [
        ("https://smt.esante.gouv.fr/terminologie-nabm", "1610"),
        ("https://exemple.fr/rihn", "B123"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("status: active", "status: actif", "status"),
        ("equivalence: relatedto", "equivalence: voisin", "equivalence"),
        ("publisher:", "editeur:", "publisher"),
        ("    url: http://loinc.org\n", "", "systems.loinc.url"),
        ("id: jdv-circuit-biologie-demandes-cisis", "id: jdv_circuit", "value_sets.orders.id"),
        ('time_zone: "+01:00"', "time_zone: Paris", "time_zone"),
        ("systems:", "systems: [", "illisible"),
        ("contact: {name:", "contact: {nom:", "contact.name"),
    ],
)
def test_damaged_conventions_are_one_clear_line(
    old: str, new: str, said: str, with_publication: Callable[..., None]
) -> None:
    with_publication(old, new)
    with pytest.raises(RuleFileError, match=re.escape(said)) as caught:
        fhir_resources(made(SODIUM))
    assert "publication.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_words_of_the_file_are_words_of_r4() -> None:
    assert conventions.setting("status") in conventions.STATUSES
    assert conventions.artifact("concept_maps", "nabm").entry["equivalence"] in EQUIVALENCES


def test_oids_given_by_address_are_stable() -> None:
    one = conventions.artifact("value_sets", "orders")
    assert re.fullmatch(r"2\.25\.[1-9][0-9]{30,38}", one.oid)
    assert one == conventions.artifact("value_sets", "orders")
    assert one.oid != conventions.artifact("value_sets", "results").oid


@settings(max_examples=settings.default.max_examples // 4)
@given(editions())
def test_whatever_a_workbook_holds_the_forms_are_valid(edition: Edition) -> None:
    schema = etree.XMLSchema(etree.parse(str(rules_directory() / "schemas" / "svs.xsd")))
    for name, content in fhir_resources(edition).items():
        MODELS[name.partition("-")[0]].model_validate_json(content)
    for content in svs_files(edition).values():
        schema.assertValid(etree.fromstring(content))
    named = len(unpublished(edition))
    codes = {code for entity in edition.results.values() if (code := entity.code)}
    published = {
        code
        for name, resource in loaded(edition).items()
        if name == RESULTS
        for _, code, _ in codes_and_labels(resource)
    }
    assert published <= codes
    assert named or published == codes


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["a", "b"])
def test_full_size(layout: str, corpus: Callable[[int, str, str], Path]) -> None:
    edition = read_edition(corpus(11, layout, "repeat") / "v1.xlsx")
    found = loaded(edition)
    for name, content in found.items():
        MODELS[name.partition("-")[0]].model_validate(content)
    assert codes_and_labels(found[RESULTS]) == expected(edition, "result_code", "result_loinc_label")

"""The real revision of the ANS's list of techniques, May 2024 to June 2025."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from jdv_qa.compare.compare import compare
from jdv_qa.workbook.edition import Edition
from tests.compare.build import edition

CONCEPT = "{urn:ihe:iti:svs:2008}Concept"


def techniques(path: Path) -> Edition:
    concepts = ElementTree.parse(path).iter(CONCEPT)
    rows = [{"code": item.get("code", ""), "label": " ".join(item.get("displayName", "").split())} for item in concepts]
    return edition([], {"techniques": rows}, path=path.name)


def test_the_real_revision_of_the_techniques(reference_data: Path) -> None:
    old = techniques(reference_data / "jdv_xml" / "JDV_TechniqueBiologie_CISIS_20240524.xml")
    new = techniques(reference_data / "jdv_xml" / "jdv-technique-biologie-cisis_20250616.xml")
    assert [len(side.records("techniques")) for side in (old, new)] == [143, 180]
    comparison = compare(old, new)
    assert comparison.summary == {"added": 88, "removed": 51, "modified": 87, "assigned": 0, "replaced": 0}
    assert {(change.part, change.field) for change in comparison.changes} == {
        ("technique", None),
        ("technique", "label"),
    }
    assert compare(new, old).summary == {"added": 51, "removed": 88, "modified": 87, "assigned": 0, "replaced": 0}

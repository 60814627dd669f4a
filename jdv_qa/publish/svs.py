"""The value set as SVS XML, the form that the CDA schematrons of the ANS and Gazelle read.

It is the answer of IHE's Sharing Value Sets (ITI TF-2, transaction ITI-48), with the attributes that the ANS adds: name,
title and dates of the value set, dates of each code. `rules/schemas/svs.xsd` says the form.
"""

from __future__ import annotations

import datetime as dt

from jdv_qa.publish.concepts import (
    Concept,
    first_date,
    order_concepts,
    plain_text,
    release_date,
    require_circuit,
    result_concepts,
)
from jdv_qa.publish.conventions import Artifact, artifact, moment, stamp
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.terminology.systems import systems
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.layout import Layout

NAMESPACE = "urn:ihe:iti:svs:2008"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def svs_files(edition: Edition, layout: Layout | None = None) -> dict[str, bytes]:
    """Return file name -> SVS XML of the orders and of the results of an Edition, "<id>.xml"; one without codes is left out.

    `effectiveDate` is the date of the first version told by the Sommaire, `revisionDate` that of this one; `dateValid` is the day
    on which the notes tell the code as added, else the effective date; `dateFin` is blank, for all codes of an edition are in
    force. UTF-8, the same bytes for the same Edition. Raises OutputError for an Edition without orders and results.
    """
    require_circuit(edition, layout)
    return {
        f"{made.id}.xml": _response(edition, made, concepts)
        for made, concepts in (
            (artifact("value_sets", "orders"), order_concepts(edition)),
            (artifact("value_sets", "results"), result_concepts(edition)),
        )
        if concepts
    }


def _response(edition: Edition, made: Artifact, concepts: tuple[Concept, ...]) -> bytes:
    from lxml import etree

    first, released = first_date(edition), release_date(edition)
    root = etree.Element(f"{{{NAMESPACE}}}RetrieveValueSetResponse", nsmap={None: NAMESPACE, "xsi": _INSTANCE})
    root.set(f"{{{_INSTANCE}}}schemaLocation", f"{NAMESPACE} SVS.xsd")
    value_set = etree.SubElement(root, f"{{{NAMESPACE}}}ValueSet")
    attributes = {
        "id": made.oid,
        "displayName": made.id,
        "name": made.name,
        "title": made.title,
        "version": moment(released) if released else plain_text(edition.identity.version),
        "effectiveDate": moment(first) if first else "",
        "revisionDate": moment(released) if released else "",
    }
    for name, value in attributes.items():
        if value:
            value_set.set(name, value)
    listed = etree.SubElement(value_set, f"{{{NAMESPACE}}}ConceptList")
    for concept in concepts:
        entry = etree.SubElement(listed, f"{{{NAMESPACE}}}Concept")
        entry.set("code", concept.code)
        entry.set("codeSystem", systems()[concept.system].oid)
        entry.set("displayName", concept.display)
        entry.set("dateValid", _day(concept.added))
        entry.set("dateFin", "")
    root.addprevious(etree.Comment(f" {LOINC_NOTICE} "))
    tree = root.getroottree()
    return etree.tostring(tree, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _day(date: dt.date | None) -> str:
    return stamp(date) if date else ""

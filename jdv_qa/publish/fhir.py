"""The value set as FHIR R4 resources: orders, results, pending codes, what it adds to LOINC codes, and the NABM alignment.

Conventions are those of the ANS's terminology server, in `rules/publication.yaml`. Displays are the official French LOINC
labels, the other labels are designations. FHIR's value sets have no place for units and comparability: they are
properties of the pending codes, and of a supplement to LOINC (http://hl7.org/fhir/R4/codesystem.html#supplements).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from jdv_qa.publish.concepts import (
    Concept,
    first_date,
    mapped_acts,
    order_concepts,
    plain_text,
    release_date,
    require_circuit,
    result_concepts,
    stated_loinc_version,
)
from jdv_qa.publish.conventions import Artifact, artifact, entry_of, moment, setting, stamp
from jdv_qa.terminology.codes import has_loinc_form
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.terminology.systems import incomplete, publication_content, systems
from jdv_qa.terminology.units import is_ucum, read_factor
from jdv_qa.workbook.edition import Edition, Entity
from jdv_qa.workbook.layout import Layout

EQUIVALENCES = (
    "relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact", "unmatched", "disjoint",
)  # fmt: skip
"""The relations of an R4 concept map, from source to target (http://hl7.org/fhir/R4/valueset-concept-map-equivalence.html)."""

_PROFILES = {"orders": "shareablevalueset", "results": "shareablevalueset", "pending": "shareablecodesystem"}
_PROPERTIES = {
    "unit": ("Coding", "Unité recommandée (UCUM)"),
    "unit_secondary": ("Coding", "Unité secondaire (UCUM)"),
    "conversion_factor": ("decimal", "Facteur de conversion : unité recommandée × facteur = unité secondaire"),
    "comparability": ("integer", "Niveau minimum de comparabilité : 1, le code LOINC suffit ; 2, la technique compte aussi"),
    "discriminating_technique": ("boolean", "Technique discriminante"),
    "chapter": ("Coding", "Chapitre du compte rendu"),
    "subchapter": ("Coding", "Sous-chapitre du compte rendu"),
}  # fmt: skip


def fhir_resources(edition: Edition, layout: Layout | None = None) -> dict[str, bytes]:
    """Return file name -> JSON of the FHIR R4 resources of an Edition, "ValueSet-<id>.json" and so on.

    Value sets of orders and of results, code system of the pending codes (a fragment), supplement to LOINC for results,
    concept map from the NABM to the orders; one without content is left out. UTF-8, indented, the same bytes for the same
    Edition. Raises OutputError for an Edition without orders and results, RuleFileError for `rules/publication.yaml`.
    """
    require_circuit(edition, layout)
    resources = (
        _value_set(edition, "orders", order_concepts(edition)),
        _value_set(edition, "results", result_concepts(edition)),
        _pending_codes(edition),
        _supplement(edition),
        _nabm_map(edition),
    )
    return {
        f"{resource['resourceType']}-{resource['id']}.json": (
            json.dumps(resource, ensure_ascii=False, indent=2) + "\n"
        ).encode()
        for resource in resources
        if resource is not None
    }


def _head(edition: Edition, made: Artifact) -> dict[str, Any]:
    """Return what all resources begin with; those that can be shared as they are name the profile that says so."""
    released, first = release_date(edition), first_date(edition)
    head: dict[str, Any] = {"resourceType": made.type, "id": made.id}
    if made.key in _PROFILES:
        head["meta"] = {"profile": [f"http://hl7.org/fhir/StructureDefinition/{_PROFILES[made.key]}"]}
    head["language"] = setting("language")
    if first is not None:
        head["extension"] = [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/resource-effectivePeriod",
                "valuePeriod": {"start": moment(first)},
            }
        ]
    head["url"] = made.url
    identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{made.oid}"}
    head["identifier"] = identifier if made.type == "ConceptMap" else [identifier]
    if version := _version(edition):
        head["version"] = version
    head |= {"name": made.name, "title": _title(edition, made), "status": setting("status")}
    head["experimental"] = bool(publication_content().get("experimental"))
    if released is not None:
        head["date"] = moment(released)
    head["publisher"] = setting("publisher")
    contact = entry_of("contact", "name", "url")
    head["contact"] = [{"name": contact["name"], "telecom": [{"system": "url", "value": contact["url"]}]}]
    head["description"] = made.description
    head["jurisdiction"] = [{"coding": [entry_of("jurisdiction", "system", "code")]}]
    head["copyright"] = LOINC_NOTICE
    return head


def _version(edition: Edition) -> str:
    """Return the version of the resources: the day of publication, else the version that the Sommaire states."""
    released = release_date(edition)
    return stamp(released) if released else plain_text(edition.identity.version)


def _title(edition: Edition, made: Artifact) -> str:
    version = plain_text(edition.identity.version)
    return f"{made.title} – version {version}" if version else made.title


def _value_set(edition: Edition, key: str, concepts: tuple[Concept, ...]) -> dict[str, Any] | None:
    if not concepts:
        return None
    resource = _head(edition, artifact("value_sets", key))
    include = []
    for name in ("loinc", "pending"):
        if not (listed := [concept for concept in concepts if concept.system == name]):
            continue
        part: dict[str, Any] = {"system": systems()[name].url}
        if version := _system_version(edition, name):
            part["version"] = version
        part["concept"] = [_listed(concept) for concept in listed]
        include.append(part)
    resource["compose"] = {"include": include}
    return resource


def _system_version(edition: Edition, name: str) -> str:
    """Return the version in which codes are to be read: LOINC's as stated, that of the edition for its pending codes."""
    return stated_loinc_version(edition) if name == "loinc" else _version(edition)


def _listed(concept: Concept) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": concept.code, "display": concept.display}
    if concept.designations:
        entry["designation"] = list(_designations(concept))
    return entry


def _designations(concept: Concept) -> Iterator[dict[str, Any]]:
    roles = publication_content().get("designations") or {}
    for role, text in concept.designations:
        if not isinstance(roles.get(role), dict):
            raise incomplete(f"designations.{role}")
        yield {"language": setting("language"), "use": dict(roles[role]), "value": text}


def _pending_codes(edition: Edition) -> dict[str, Any] | None:
    """Return the code system of the pending codes: a fragment, for other versions hold others."""
    results = {concept.code: concept for concept in result_concepts(edition) if concept.system == "pending"}
    orders = [concept for concept in order_concepts(edition) if concept.system == "pending"]
    concepts = {concept.code: _listed(concept) for concept in (*results.values(), *orders)}
    for code, concept in results.items():
        concepts[code] |= _property_list(concept.entity)
    if not concepts:
        return None
    resource = _head(edition, artifact("code_systems", "pending"))
    resource |= {"caseSensitive": True, "content": "fragment"}
    resource["property"] = _property_definitions(concepts.values())
    if not resource["property"]:
        del resource["property"]
    resource["concept"] = [concepts[code] for code in sorted(concepts)]
    return resource


def _supplement(edition: Edition) -> dict[str, Any] | None:
    """Return the supplement to LOINC: what the value set says of the results that have a LOINC code."""
    concepts = [
        {"code": concept.code, **_other_labels(concept), **_property_list(concept.entity)}
        for concept in result_concepts(edition)
        if concept.system == "loinc"
    ]
    if not concepts:
        return None
    resource = _head(edition, artifact("code_systems", "supplement"))
    loinc, version = systems()["loinc"].url, stated_loinc_version(edition)
    resource |= {"content": "supplement", "supplements": f"{loinc}|{version}" if version else loinc}
    resource["property"] = _property_definitions(concepts)
    if not resource["property"]:
        del resource["property"]
    resource["concept"] = concepts
    return resource


def _other_labels(concept: Concept) -> dict[str, Any]:
    return {"designation": list(_designations(concept))} if concept.designations else {}


def _property_definitions(concepts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    used = {entry["code"] for concept in concepts for entry in concept.get("property", ())}
    return [
        {"code": _property_code(name), "description": description, "type": kind}
        for name, (kind, description) in _PROPERTIES.items()
        if _property_code(name) in used
    ]


def _property_code(name: str) -> str:
    return name.replace("_", "-")


def _property_list(entity: Entity) -> dict[str, Any]:
    """Return the properties of a result, under "property", from the values of its first row."""
    found = []
    for name, (kind, _) in _PROPERTIES.items():
        text = plain_text(entity[name])
        if text and (value := _property_value(name, text)) is not None:
            found.append({"code": _property_code(name), f"value{kind[0].upper()}{kind[1:]}": value})
    return {"property": found} if found else {}


def _property_value(name: str, text: str) -> Any:
    """Return the FHIR value of a field, None when it cannot have the type of its property.

    A unit that is not UCUM is kept as a text without a code, so that no one takes it for UCUM.
    """
    if name.startswith("unit"):
        return {"system": systems()["ucum"].url, "code": text} if is_ucum(text) else {"display": text}
    if name.endswith("chapter"):
        return {"system": systems()["loinc" if has_loinc_form(text) else "pending"].url, "code": text}
    if name == "conversion_factor":
        factor = read_factor(text)
        return None if factor is None else int(factor) if factor.denominator == 1 else float(factor)
    if name == "comparability":
        return int(text) if text in ("1", "2") else None
    return {"O": True, "N": False}.get(text.upper())


def _nabm_map(edition: Edition) -> dict[str, Any] | None:
    """Return the concept map from acts to orders; groups by the systems of both sides, an act with all its orders."""
    pairs = mapped_acts(edition)
    if not pairs:
        return None
    made = artifact("concept_maps", "nabm")
    equivalence = made.entry.get("equivalence")
    if equivalence not in EQUIVALENCES:
        raise incomplete("concept_maps.nabm.equivalence")
    resource = _head(edition, made)
    nabm = systems()["nabm"]
    if nabm.all:
        resource["sourceUri"] = nabm.all
    resource["targetUri"] = artifact("value_sets", "orders").url
    groups = []
    for source in ("nabm", "rihn"):
        for target in ("loinc", "pending"):
            members = [pair for pair in pairs if (pair.act_system, pair.order_system) == (source, target)]
            if not members:
                continue
            group: dict[str, Any] = {"source": systems()[source].url, "target": systems()[target].url}
            if version := _system_version(edition, target):
                group["targetVersion"] = version
            group["element"] = []
            for act, orders in groupby(members, key=lambda pair: pair.act):
                same = list(orders)
                element: dict[str, Any] = {"code": act}
                if same[0].act_label:
                    element["display"] = same[0].act_label
                element["target"] = [
                    {"code": pair.order, "display": pair.order_label, "equivalence": equivalence} for pair in same
                ]
                group["element"].append(element)
            groups.append(group)
    resource["group"] = groups
    return resource

"""Under which names, addresses and identifiers the value set is published: `rules/publication.yaml`."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jdv_qa.errors import RuleFileError
from jdv_qa.language import say
from jdv_qa.resources import rules_directory
from jdv_qa.terminology.systems import PUBLICATION, incomplete, publication_content, systems

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_ZONE = re.compile(r"(?:[+-][0-9]{2}:[0-9]{2}|Z)")
_KINDS = {"value_sets": "ValueSet", "code_systems": "CodeSystem", "concept_maps": "ConceptMap"}
STATUSES = ("draft", "active", "retired", "unknown")
"""The states of a FHIR resource (http://hl7.org/fhir/R4/valueset-publication-status.html)."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A resource to publish: key in the file, FHIR type, id, names, address and OID; `entry` is what else the file says."""

    key: str
    type: str
    id: str
    name: str
    title: str
    description: str
    url: str
    oid: str
    entry: Mapping[str, Any]


def artifact(kind: str, key: str) -> Artifact:
    """Return a resource of `value_sets`, `code_systems` or `concept_maps`.

    One without an OID of its own gets 2.25 and the number of a UUID made from its address (ITU-T X.667), always the
    same; the pending codes have the address and the OID of their system. Raises RuleFileError for what the file lacks.
    """
    entry = (publication_content().get(kind) or {}).get(key)
    place = f"{kind}.{key}"
    if not isinstance(entry, dict):
        raise incomplete(place)
    for word in ("id", "name", "title", "description"):
        if not (isinstance(entry.get(word), str) and entry[word].strip()):
            raise incomplete(f"{place}.{word}")
    if not _ID.fullmatch(entry["id"]):
        raise _wrong(f"{place}.id", entry["id"])
    base = publication_content().get("base")
    if not isinstance(base, str) or not base.startswith(("http://", "https://")):
        raise incomplete("base")
    url = f"{base.rstrip('/')}/{_KINDS[kind]}/{entry['id']}"
    oid = str(entry.get("oid") or "")
    if (system := systems().get(key)) is not None and kind == "code_systems":
        url, oid = system.url, system.oid
    oid = oid or f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, url).int}"
    if not _OID.fullmatch(oid):
        raise _wrong(f"{place}.oid", oid)
    return Artifact(
        key,
        _KINDS[kind],
        entry["id"],
        entry["name"],
        entry["title"],
        " ".join(entry["description"].split()),
        url,
        oid,
        entry,
    )


def setting(key: str) -> Any:
    """Return a line of the file that all resources share; raises RuleFileError when it is missing or not allowed."""
    value = publication_content().get(key)
    if value is None or value == "":
        raise incomplete(key)
    if (key == "status" and value not in STATUSES) or (key == "time_zone" and not _ZONE.fullmatch(str(value))):
        raise _wrong(key, value)
    return value


def entry_of(key: str, *words: str) -> dict[str, Any]:
    """Return an entry of the file that all resources share; raises RuleFileError when one of its words is missing."""
    entry = setting(key)
    for word in words:
        if not (isinstance(entry, dict) and entry.get(word)):
            raise incomplete(f"{key}.{word}")
    return dict(entry)


def moment(date: dt.date) -> str:
    """Return a day as the ANS writes its dates: "2026-07-15T00:00:00+01:00"."""
    return f"{date.isoformat()}T00:00:00{setting('time_zone')}"


def stamp(date: dt.date) -> str:
    """Return a day as fourteen digits, the form of FHIR versions and SVS dates: "20260715000000"."""
    return f"{date:%Y%m%d}000000"


def _wrong(key: str, value: object) -> RuleFileError:
    path = rules_directory() / PUBLICATION
    return RuleFileError(
        say(f"{path} : {key} : valeur refusée « {value} »", f"{path}: {key}: `{value}` is not allowed")
    )

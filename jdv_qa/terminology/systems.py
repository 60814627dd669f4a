"""The code systems that the value set draws on, with their addresses (FHIR) and OIDs (CDA, SVS): `rules/publication.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jdv_qa.errors import RuleFileError
from jdv_qa.language import say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory

PUBLICATION = "publication.yaml"


@dataclass(frozen=True, slots=True)
class System:
    """A code system: its key in the file, its name, its canonical address, its OID, and the other OIDs it is met under.

    `all`: the address of the value set of all its codes, "" where none is known.
    """

    key: str
    name: str
    url: str
    oid: str
    also: tuple[str, ...] = ()
    all: str = ""


@lru_cache
def publication_content() -> Mapping[str, Any]:
    """Return what `rules/publication.yaml` holds; raises RuleFileError when it cannot be read."""
    path = rules_directory() / PUBLICATION
    try:
        content = read_yaml(path)
    except (FileNotFoundError, UnreadableYaml) as error:
        reason = " ".join(str(error).split())
        raise RuleFileError(
            say(f"{path} : fichier illisible ({reason})", f"{path}: unreadable file ({reason})")
        ) from None
    if not isinstance(content, dict):
        raise incomplete("systems")
    return content


def incomplete(key: str) -> RuleFileError:
    """Return the error to raise where `rules/publication.yaml` lacks something; `key`: its place, "systems.loinc.url"."""
    path = rules_directory() / PUBLICATION
    return RuleFileError(
        say(f"{path} : « {key} » manque ou est mal écrit", f"{path}: `{key}` is missing or badly written")
    )


@lru_cache
def systems() -> Mapping[str, System]:
    """Return the code systems by key: loinc, pending, nabm, ucum, and what else the file holds."""
    stated = publication_content().get("systems")
    if not isinstance(stated, dict):
        raise incomplete("systems")
    found = {}
    for key, entry in stated.items():
        for word in ("name", "url", "oid"):
            if not (isinstance(entry, dict) and isinstance(entry.get(word), str) and entry[word]):
                raise incomplete(f"systems.{key}.{word}")
        also = tuple(map(str, entry.get("also", ())))
        found[key] = System(key, entry["name"], entry["url"], entry["oid"], also, entry.get("all", ""))
    for key in ("loinc", "pending", "nabm", "ucum"):
        if key not in found:
            raise incomplete(f"systems.{key}")
    return found


def system_of_oid(oid: str) -> System | None:
    """Return the code system of an OID, None when the file does not know it."""
    return next((system for system in systems().values() if oid == system.oid or oid in system.also), None)

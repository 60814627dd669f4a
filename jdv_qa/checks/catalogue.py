"""The catalogue: one YAML file a rule in `rules/`, with all that people read of it and all that a maintainer may change.

A rule file holds two YAML documents: the rule (title, what it checks, why, how to mend, severity, parameters, needs,
sentences), then its cases, rows that pass and rows that fail, which only the tests and `jdv rules` parse; a file without both
kinds of case does not load.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from jdv_qa.checks.finding import Severity
from jdv_qa.errors import RuleFileError
from jdv_qa.language import current_language, french_spaces, say
from jdv_qa.resources import UnreadableYaml, read_head, read_second, rules_directory

FAMILIES = {
    "STR": ("structure", "structure"), "CEL": ("cellules", "cells"), "COD": ("codes", "codes"),
    "TYP": ("Order/Both/Observation", "Order/Both/Observation"), "ATT": ("codes en attente", "pending codes"),
    "UNI": ("unités", "units"), "LAB": ("libellés", "labels"), "CMP": ("comparabilité", "comparability"),
    "REF": ("références", "references"), "NAB": ("NABM/RIHN", "NABM/RIHN"), "GRP": ("lignes", "rows"),
    "LNC": ("LOINC", "LOINC"), "VER": ("version précédente", "previous version"),
    "SOM": ("Sommaire, notes, indicateurs", "summary, notes, indicators"), "DER": ("dérogations", "waivers"),
}  # fmt: skip
"""Family -> (French name, English name), in the order of the catalogue."""

_ID = re.compile(r"[A-Z]{3}-[0-9]{2}")
_KEYS = {
    "rule",
    "severity",
    "title",
    "checks",
    "why",
    "mend",
    "exceptions",
    "references",
    "parameters",
    "needs",
    "messages",
    "waivable",
}
_REQUIRED = ("rule", "severity", "title", "checks", "why", "mend", "messages")
_NEEDS = {"previous", "loinc", "nabm", "waivers"}
_TABS = ("main",)
_CASES = ("pass", "fail")

Text = Mapping[str, str]


class Rule(NamedTuple):
    """A rule as its file describes it. Texts are {"fr": …, "en": …}.

    `needs`: among "previous", "loinc", "nabm", "waivers"; `fields`: the columns ("tab.field") without which the rule cannot
    run; `waivable`: whether the maintainers may accept a finding; `tabs`: the leading tables of which a workbook must have one
    for the rule to concern it ("main", "terms").
    """

    id: str
    severity: Severity
    path: Path
    content: Mapping[str, Any] = MappingProxyType({})
    """The first document of the file; its texts are looked at when they are asked for."""
    parameters: Mapping[str, Any] = MappingProxyType({})
    needs: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    waivable: bool = True
    tabs: tuple[str, ...] = _TABS

    @property
    def family(self) -> str:
        """The three letters in front."""
        return self.id[:3]

    @property
    def title(self) -> Text:
        """What the rule is called."""
        return self._text_of("title")

    @property
    def checks(self) -> Text:
        """What it checks."""
        return self._text_of("checks")

    @property
    def why(self) -> Text:
        """Why that matters."""
        return self._text_of("why")

    @property
    def mend(self) -> Text:
        """How to mend what it finds."""
        return self._text_of("mend")

    @property
    def exceptions(self) -> Text:
        """What it lets pass, {} where the file does not say."""
        return self._text_of("exceptions")

    @property
    def references(self) -> tuple[str, ...]:
        """Where it comes from."""
        return tuple(map(str, self.content.get("references", ())))

    @property
    def messages(self) -> Mapping[str, Text]:
        """Its sentences by name, with gaps in braces."""
        return {
            name: _text(
                self.path, f"messages.{name}", {key: words for key, words in value.items() if key != "severity"}
            )
            for name, value in self._sentences().items()
        }

    @property
    def lowered(self) -> Mapping[str, Severity]:
        """The sentences that speak of something less grave than the rule, and their severity."""
        return {
            name: _severity(self.path, value["severity"])
            for name, value in self._sentences().items()
            if "severity" in value
        }

    def _text_of(self, key: str) -> Text:
        return _text(self.path, key, self.content[key]) if key in self.content else {}

    def _sentences(self) -> dict[str, dict[str, Any]]:
        content = self.content.get("messages")
        if not isinstance(content, dict) or "default" not in content:
            raise _wrong(self.path, "messages.default")
        for name, value in content.items():
            if not isinstance(value, dict):
                raise _wrong(self.path, f"messages.{name}")
        return {str(name): value for name, value in content.items()}


def text(texts: Text) -> str:
    """Return the text in the language in use, on one line, with the spaces of its typography."""
    language = current_language()
    line = " ".join(texts.get(language, "").split())
    return french_spaces(line) if language == "fr" else line


@lru_cache
def load_catalogue(directory: Path | None = None) -> dict[str, Rule]:
    """Load all rules, by id, in the order of the catalogue. Raises RuleFileError, with the file and the key at fault."""
    folder = directory or rules_directory()
    families = list(FAMILIES)
    paths = [path for path in folder.glob("*/???-??.yaml") if path.parent.name in FAMILIES]
    paths.sort(key=lambda path: (families.index(path.parent.name), path.stem))
    return {rule.id: rule for rule in map(load_rule, paths)}


@lru_cache
def rule_set_digest(directory: Path | None = None) -> str:
    """Return the SHA-256 of all data files of the rules, names and contents: what tells one set of rules from another."""
    folder = directory or rules_directory()
    digest = hashlib.sha256()
    files = (path for path in folder.rglob("*") if path.suffix in (".yaml", ".json", ".csv"))
    for name in sorted(path.relative_to(folder).as_posix() for path in files):
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        digest.update(f"{content}  {name}\n".encode())
    return digest.hexdigest()


def load_rule(path: Path) -> Rule:
    """Load the rule of a file, without its cases."""
    head = _read(path, read_head)
    content = _known(path, head.content)
    if {*head.further} != {*_CASES}:
        raise _wrong(path, "pass/fail")
    identifier = str(content["rule"])
    if not _ID.fullmatch(identifier) or identifier != path.stem:
        raise _wrong(path, "rule")
    needs = content.get("needs", {})
    if not isinstance(needs, dict) or set(needs) - _NEEDS - {"fields", "tabs"}:
        raise _wrong(path, "needs")
    return Rule(
        identifier,
        _severity(path, content["severity"]),
        path,
        content,
        content.get("parameters", {}),
        tuple(name for name in needs if name in _NEEDS and needs[name]),
        tuple(map(str, needs.get("fields") or ())),
        bool(content.get("waivable", True)),
        tuple(map(str, needs.get("tabs") or _TABS)),
    )


def _known(path: Path, content: Any) -> dict[str, Any]:
    """Return what a rule's document says; raises RuleFileError for a key that is not known, or one that is missing."""
    said = {key: value for key, value in content.items() if value is not None} if isinstance(content, dict) else {}
    wrong = sorted(str(key) for key in said if key not in _KEYS) or [key for key in _REQUIRED if key not in said]
    if wrong:
        raise _wrong(path, wrong[0])
    return said


def load_cases(rule: Rule) -> dict[str, list[dict[str, Any]]]:
    """Return the cases of a rule: {"pass": […], "fail": […]}, each with a name, and rows or tabs.

    Failing ones say under `expect` what is to be found.
    """
    cases = _read(rule.path, read_second)
    if not isinstance(cases, dict) or not all(isinstance(cases.get(kind), list) and cases[kind] for kind in _CASES):
        raise _wrong(rule.path, "pass/fail")
    return {kind: cases[kind] for kind in _CASES}


_Read = TypeVar("_Read")


def _read(path: Path, read: Callable[[Path], _Read]) -> _Read:
    try:
        return read(path)
    except OSError as error:
        raise RuleFileError(
            say(f"{path} : fichier illisible ({error})", f"{path}: unreadable file ({error})")
        ) from None
    except UnreadableYaml as error:
        raise RuleFileError(say(f"{path} : YAML incorrect ({error})", f"{path}: wrong YAML ({error})")) from None


def _text(path: Path, key: str, value: Any) -> Text:
    if (
        not isinstance(value, dict)
        or set(value) != {"fr", "en"}
        or not all(isinstance(item, str) and item.strip() for item in value.values())
    ):
        raise _wrong(path, key)
    return value


def _severity(path: Path, word: Any) -> Severity:
    try:
        return Severity(word)
    except ValueError:
        raise _wrong(path, "severity") from None


def _wrong(path: Path, key: str) -> RuleFileError:
    return RuleFileError(
        say(
            f"{path} : clé « {key} » absente, inconnue ou mal écrite",
            f"{path}: key `{key}` missing, unknown or badly written",
        )
    )

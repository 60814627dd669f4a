"""The catalogue: one YAML file a rule in `rules/`, with all that people read of it and all that a maintainer may change.

A rule file holds two YAML documents: the rule (title, what it checks, why, how to mend, severity, parameters, needs,
sentences), then its cases, rows that pass and rows that fail. Only the first is parsed to run a rule; a file without both
kinds of case does not load.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jdv_qa.checks.finding import Severity
from jdv_qa.errors import RuleFileError
from jdv_qa.language import current_language, french_spaces, say
from jdv_qa.resources import UnreadableYaml, parse_yaml, rules_directory

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
_NEEDS = {"previous", "loinc", "nabm", "waivers"}
_CASES = re.compile(r"^(pass|fail):[ \t]*$", re.MULTILINE)

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as its file describes it. Texts are {"fr": …, "en": …}.

    `needs`: among "previous", "loinc", "nabm", "waivers"; `fields`: the columns ("tab.field") without which the rule cannot
    run; `waivable`: whether the maintainers may accept a finding;
    `messages`: sentence by name, with gaps in braces; `lowered`: the sentences that speak of something less grave than the
    rule, and their severity.
    """

    id: str
    severity: Severity
    title: Text
    checks: Text
    why: Text
    mend: Text
    messages: Mapping[str, Text]
    exceptions: Text = field(default_factory=dict)
    references: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    waivable: bool = True
    lowered: Mapping[str, Severity] = field(default_factory=dict)
    path: Path = Path()

    @property
    def family(self) -> str:
        """The three letters in front."""
        return self.id[:3]


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
    head, _, cases = _read(path).partition("\n---\n")
    content = _yaml(head, path)
    if not isinstance(content, dict):
        raise _wrong(path, "rule")
    for key in ("rule", "severity", "title", "checks", "why", "mend", "messages"):
        if key not in content:
            raise _wrong(path, key)
    if unknown := sorted(set(content) - _KEYS):
        raise _wrong(path, str(unknown[0]))
    if {match.group(1) for match in _CASES.finditer(cases)} != {"pass", "fail"}:
        raise _wrong(path, "pass/fail")
    identifier = str(content["rule"])
    if not _ID.fullmatch(identifier) or identifier != path.stem:
        raise _wrong(path, "rule")
    texts = {key: _text(path, key, content[key]) for key in ("title", "checks", "why", "mend")}
    lowered = {
        str(name): _severity(path, value.pop("severity"))
        for name, value in content["messages"].items()
        if isinstance(value, dict) and "severity" in value
    }
    messages = {str(name): _text(path, f"messages.{name}", value) for name, value in content["messages"].items()}
    if "default" not in messages:
        raise _wrong(path, "messages.default")
    needs = content.get("needs") or {}
    if not isinstance(needs, dict) or set(needs) - _NEEDS - {"fields"}:
        raise _wrong(path, "needs")
    severity = _severity(path, content["severity"])
    return Rule(
        identifier,
        severity,
        **texts,
        messages=messages,
        exceptions=_text(path, "exceptions", content["exceptions"]) if content.get("exceptions") else {},
        references=tuple(map(str, content.get("references") or ())),
        parameters=content.get("parameters") or {},
        needs=tuple(name for name in needs if name in _NEEDS and needs[name]),
        fields=tuple(map(str, needs.get("fields") or ())),
        waivable=bool(content.get("waivable", True)),
        lowered=lowered,
        path=path,
    )


def load_cases(rule: Rule) -> dict[str, list[dict[str, Any]]]:
    """Return the cases of a rule: {"pass": […], "fail": […]}, each with a name, and rows or tabs.

    Failing ones say under `expect` what is to be found.
    """
    cases = _yaml(_read(rule.path).partition("\n---\n")[2], rule.path)
    if not isinstance(cases, dict) or not all(
        isinstance(cases.get(kind), list) and cases[kind] for kind in ("pass", "fail")
    ):
        raise _wrong(rule.path, "pass/fail")
    return {kind: cases[kind] for kind in ("pass", "fail")}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileError(
            say(f"{path} : fichier illisible ({error})", f"{path}: unreadable file ({error})")
        ) from None


def _yaml(content: str, path: Path) -> Any:
    try:
        return parse_yaml(content)
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

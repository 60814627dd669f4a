"""The catalogue: one YAML file a rule in `rules/`, with all that people read of it and all that a maintainer may change.

A rule file holds two YAML documents: the rule (title, what it checks, why, how to mend, severity, parameters, needs,
sentences), then its cases, rows that pass and rows that fail. Of the first only what is asked for is parsed, the second by the
tests and `jdv rules`; a file without both kinds of case does not load.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
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
_REQUIRED = ("rule", "severity", "title", "checks", "why", "mend", "messages")
_NEEDS = {"previous", "loinc", "nabm", "waivers"}
_TABS = ("main",)
_CASES = re.compile(r"^(pass|fail):[ \t]*$", re.MULTILINE)

_TOP = re.compile(r"^([a-z]+):", re.MULTILINE)
_PLAIN = re.compile(r"[a-z]+: ([A-Z]{3}-[0-9]{2}|error|warning|info|\{\})\n")
"""A key with a word that YAML has no other reading of: what most rules have of all that a check reads."""


Text = Mapping[str, str]


class RuleFile:
    """The first document of a rule's file, of which only what is asked for is parsed: a check needs few of the texts."""

    def __init__(self, path: Path, content: str) -> None:
        self.path = path
        starts = [*_TOP.finditer(content)]
        ends = [*(match.start() for match in starts[1:]), len(content)]
        self._sections = {match[1]: content[match.start() : end] for match, end in zip(starts, ends, strict=True)}
        self._parsed: dict[str, Any] = {}
        if unknown := sorted(self.keys - _KEYS):
            raise _wrong(path, unknown[0])
        if missing := [key for key in _REQUIRED if key not in self.keys]:
            raise _wrong(path, missing[0])

    @property
    def keys(self) -> AbstractSet[str]:
        """The keys of the document."""
        return self._sections.keys()

    def get(self, *keys: str) -> dict[str, Any]:
        """Return the values of some keys, those that there are; raises RuleFileError when they are no YAML."""
        for key in keys:
            if (plain := _PLAIN.fullmatch(self._sections.get(key, ""))) is not None:
                self._parsed[key] = {} if plain[1] == "{}" else plain[1]
        if wanted := [key for key in keys if key in self._sections and key not in self._parsed]:
            content = _yaml("".join(self._sections[key] for key in wanted), self.path)
            if not isinstance(content, dict) or content.keys() != set(wanted):
                raise _wrong(self.path, wanted[0])
            self._parsed |= content
        return {key: self._parsed[key] for key in keys if self._parsed.get(key) is not None}

    def text(self, key: str) -> Text:
        """Return a text in its two languages, {} where the file has none."""
        values = self.get(key)
        return _text(self.path, key, values[key]) if key in values else {}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as its file describes it. Texts are {"fr": …, "en": …}.

    `needs`: among "previous", "loinc", "nabm", "waivers"; `fields`: the columns ("tab.field") without which the rule cannot
    run; `waivable`: whether the maintainers may accept a finding; `tabs`: the leading tables of which a workbook must have one
    for the rule to concern it ("main", "terms").
    """

    id: str
    severity: Severity
    file: RuleFile
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    waivable: bool = True
    tabs: tuple[str, ...] = _TABS

    @property
    def family(self) -> str:
        """The three letters in front."""
        return self.id[:3]

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path

    @property
    def title(self) -> Text:
        """What the rule is called."""
        return self.file.text("title")

    @property
    def checks(self) -> Text:
        """What it checks."""
        return self.file.text("checks")

    @property
    def why(self) -> Text:
        """Why that matters."""
        return self.file.text("why")

    @property
    def mend(self) -> Text:
        """How to mend what it finds."""
        return self.file.text("mend")

    @property
    def exceptions(self) -> Text:
        """What it lets pass, {} where the file does not say."""
        return self.file.text("exceptions")

    @property
    def references(self) -> tuple[str, ...]:
        """Where it comes from."""
        return tuple(map(str, self.file.get("references").get("references", ())))

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

    def _sentences(self) -> dict[str, dict[str, Any]]:
        content = self.file.get("messages").get("messages")
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
    head, _, cases = _read(path).partition("\n---\n")
    file = RuleFile(path, head)
    if {match.group(1) for match in _CASES.finditer(cases)} != {"pass", "fail"}:
        raise _wrong(path, "pass/fail")
    content = file.get("rule", "severity", "parameters", "needs", "waivable")
    identifier = str(content.get("rule"))
    if not _ID.fullmatch(identifier) or identifier != path.stem:
        raise _wrong(path, "rule")
    needs = content.get("needs", {})
    if not isinstance(needs, dict) or set(needs) - _NEEDS - {"fields", "tabs"}:
        raise _wrong(path, "needs")
    return Rule(
        identifier,
        _severity(path, content.get("severity")),
        file,
        content.get("parameters", {}),
        tuple(name for name in needs if name in _NEEDS and needs[name]),
        tuple(map(str, needs.get("fields") or ())),
        bool(content.get("waivable", True)),
        tuple(map(str, needs.get("tabs") or _TABS)),
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

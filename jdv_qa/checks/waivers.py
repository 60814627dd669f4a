"""Waivers ("dérogations"): findings that the maintainers accept, one by one, with a reason, a name and a date.

A waiver is for a rule, a row (its key, not its address), a field and the value it was granted for: when the value changes
the waiver dies. The file is a YAML list that people read and edit; `jdv waive` adds to it and changes nothing else in it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from jdv_qa.checks.catalogue import Rule
from jdv_qa.checks.finding import Finding
from jdv_qa.errors import RuleFileError
from jdv_qa.language import say
from jdv_qa.resources import UnreadableYaml, parse_yaml, text_of_settings

_KEYS = ("rule", "row", "field", "value", "reason", "by", "date")
_OPTIONAL = ("until", "finding")


class Waiver(NamedTuple):
    """A waiver. `until` is the last version it holds for, "" for no end; `line` is where it stands in its file."""

    rule: str
    row: str
    field: str
    value: str
    reason: str
    by: str
    date: str
    until: str = ""
    line: int = 0

    def covers(self, finding: Finding) -> bool:
        """Tell whether the waiver is for a finding."""
        return (self.rule, self.row, self.field, self.value) == key_of(finding)


@dataclass(frozen=True, slots=True)
class Stale:
    """A waiver without effect, and why: "unmatched", "expired" or "refused"."""

    waiver: Waiver
    why: str


def key_of(finding: Finding) -> tuple[str, str, str, str]:
    """Return what identifies a finding from one check to the next: rule, row key, field, value."""
    return finding.rule, finding.row_key, finding.field or "", finding.value


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a file of waivers. Raises RuleFileError, with the entry and the key at fault."""
    try:
        return parse_waivers(text_of_settings(path), path)
    except FileNotFoundError:
        raise _wrong(path, say("fichier introuvable", "file not found")) from None
    except UnreadableYaml as error:
        raise _wrong(path, str(error)) from None


def parse_waivers(text: str, path: Path) -> tuple[Waiver, ...]:
    """Read the text of a file of waivers; `path` is for the message of the RuleFileError it raises."""
    try:
        content = parse_yaml(text) or []
    except UnreadableYaml as error:
        raise _wrong(path, str(error)) from None
    if not isinstance(content, list):
        raise _wrong(path, say("une liste de dérogations est attendue", "a list of waivers is expected"))
    return tuple(_waiver(path, number, entry) for number, entry in enumerate(content, 1))


def _waiver(path: Path, number: int, entry: Any) -> Waiver:
    where = say(f"dérogation n° {number}", f"waiver {number}")
    if not isinstance(entry, dict):
        raise _wrong(path, say(f"{where} : des clés sont attendues", f"{where}: keys are expected"))
    for key in _KEYS:
        if entry.get(key) is None or (key in ("reason", "by") and not str(entry[key]).strip()):
            raise _wrong(path, say(f"{where} : la clé « {key} » manque", f"{where}: key `{key}` is missing"))
    if unknown := set(entry) - {*_KEYS, *_OPTIONAL}:
        name = sorted(map(str, unknown))[0]
        raise _wrong(path, say(f"{where} : clé inconnue « {name} »", f"{where}: unknown key `{name}`"))
    said = {key: str(entry[key]) for key in _KEYS} | {"until": str(entry.get("until") or "")}
    return Waiver(**said, line=number)


def _wrong(path: Path, reason: str) -> RuleFileError:
    return RuleFileError(say(f"{path} : dérogations illisibles ({reason})", f"{path}: unreadable waivers ({reason})"))


def apply_waivers(
    findings: Iterable[Finding], waivers: Iterable[Waiver], rules: Mapping[str, Rule], run: Iterable[str], version: str
) -> tuple[list[Finding], list[Stale]]:
    """Mark the findings that a waiver covers, and return them with the waivers that have no effect.

    A waiver covers one finding; a second finding of the same key needs a waiver of its own. It has expired when the version
    checked is above its `until`. A waiver of a rule that did not run is neither used nor stale.
    """
    ran = set(run)
    marked = list(findings)
    stale = []
    for waiver in waivers:
        if waiver.rule not in ran:
            continue
        place = next((i for i, found in enumerate(marked) if not found.waived and waiver.covers(found)), None)
        if place is None:
            stale.append(Stale(waiver, "unmatched"))
        elif not rules[waiver.rule].waivable:
            stale.append(Stale(waiver, "refused"))
        elif waiver.until and _numbers(version) > _numbers(waiver.until):
            stale.append(Stale(waiver, "expired"))
        else:
            marked[place] = marked[place]._replace(waived=True)
    return marked, stale


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition(" ")[0].split(".") if part.isdigit())


def waiver_entry(finding: Finding, reason: str, by: str, until: str, date: dt.date) -> str:
    """Return the YAML entry of a waiver for a finding, to be added at the end of a file."""
    values = {
        "rule": finding.rule, "row": finding.row_key, "field": finding.field or "", "value": finding.value,
        "finding": finding.message, "reason": reason, "by": by, "date": date.isoformat(), "until": until,
    }  # fmt: skip
    lines = [f"{name}: {_quoted(value)}" for name, value in values.items() if value or name in _KEYS]
    return "- " + "\n  ".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a YAML double-quoted scalar: a JSON string, with characters that do not show escaped as well."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08X}" for char in quoted)

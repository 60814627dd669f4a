"""What `rules/requests.yaml` says: the words of change requests, the reasons to reject a code, the priorities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jdv_qa.errors import RuleFileError
from jdv_qa.language import french_spaces, say
from jdv_qa.resources import rules_directory
from jdv_qa.terminology.labels import fold

LEVELS = ("high", "normal", "low")
_KEYS = (
    "idle", "kinds", "objects", "fields", "value_phrases", "nothing", "levels", "reject", "consequences", "priorities",
)  # fmt: skip
_CONDITIONS = {"fields", "impact", "verdict", "kind", "applicants", "mends"}


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """A line of the priorities: a level, the conditions that must all hold, and the reason in French and in English."""

    level: str
    when: Mapping[str, Any]
    fr: str
    en: str

    @property
    def reason(self) -> str:
        """The reason in the language in use."""
        return say(french_spaces(self.fr), self.en)


@dataclass(frozen=True)
class Conventions:
    """The conventions, words folded. `kinds`, `objects` and `fields`: what is meant -> the beginnings of words that say so."""

    idle: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]]
    objects: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, tuple[str, ...]]
    value_phrases: tuple[re.Pattern[str], ...]
    nothing: frozenset[str]
    levels: Mapping[str, str]
    methods: frozenset[str]
    first_specimen: re.Pattern[str]
    consequences: tuple[str, ...]
    priorities: tuple[PriorityRule, ...]


@lru_cache(maxsize=4)
def load_conventions(path: Path | None = None) -> Conventions:
    """Load the conventions, by default those that ship. Raises RuleFileError, with the file and the key at fault."""
    import yaml

    path = path or rules_directory() / "requests.yaml"
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise RuleFileError(
            say(f"{path} : fichier illisible ({reason})", f"{path}: unreadable file ({reason})")
        ) from None
    for key in _KEYS:
        if not isinstance(content, dict) or not content.get(key):
            raise _wrong(path, key)
    try:
        return Conventions(
            tuple(map(fold, content["idle"])),
            _stems(content["kinds"]),
            _stems(content["objects"]),
            _stems(content["fields"]),
            tuple(re.compile(rf"(?:{phrase})\s+(?=\S)|(?:{phrase})$") for phrase in content["value_phrases"]),
            frozenset(map(fold, content["nothing"])),
            {fold(text): str(level) for level, texts in content["levels"].items() for text in texts},
            frozenset(map(fold, content["reject"]["methods"])),
            re.compile("|".join(content["reject"]["first_specimen"])),
            tuple(map(str, content["consequences"])),
            tuple(_priority(path, line) for line in content["priorities"]),
        )
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise _wrong(path, str(error)) from None


def _stems(content: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(map(fold, texts)) for key, texts in content.items()}


def _priority(path: Path, line: Mapping[str, Any]) -> PriorityRule:
    if line["level"] not in LEVELS or set(line["when"]) - _CONDITIONS:
        raise _wrong(path, "priorities")
    return PriorityRule(line["level"], line["when"], line["fr"], line["en"])


def _wrong(path: Path, key: str) -> RuleFileError:
    return RuleFileError(
        say(
            f"{path} : clé « {key} » absente ou mal écrite",
            f"{path}: key `{key}` missing or badly written",
        )
    )


def first_meant(text: str, stems: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return what a text says first, of the keys of some word beginnings; the longer of two that begin together.

    >>> first_meant("Ajout d'un code", {"create": ("ajout",), "remove": ("suppr",)})
    'create'
    """
    folded = f" {fold(text)}"
    best: tuple[int, int, str] | None = None
    for key, beginnings in stems.items():
        for stem in beginnings:
            if match := re.search(rf"(?<![a-z0-9]){re.escape(stem)}", folded):
                rank = (match.start(), -len(stem), key)
                if best is None or rank[:2] < best[:2]:
                    best = rank
    return best[2] if best else None

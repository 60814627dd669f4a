"""`jdv.toml`: what a team does not want to type at every check. What is typed on the command line counts more."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jdv_qa.errors import JdvError
from jdv_qa.language import say

FILE = "jdv.toml"
_CHECK = {
    "profile": str, "loinc": str, "nabm": str, "waivers": str, "layout": str, "fail-on": str, "select": list, "ignore": list,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a folder. `check`: option -> value; `rules`: severities and parameters laid over the profile."""

    path: Path
    check: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)

    def file(self, name: str) -> Path | None:
        """Return a file that the settings name; a relative path counts from the settings file."""
        return self.path.parent / str(self.check[name]) if name in self.check else None


def load_settings(path: Path | None = None) -> Settings:
    """Read `jdv.toml` of the current folder, or the file given; no file is no settings.

    Raises JdvError, with the file and the key, on a key that is not known: a misspelled setting must not pass for one.
    """
    chosen = path or Path(FILE)
    if path is None and not chosen.is_file():
        return Settings(chosen)
    try:
        content = tomllib.loads(chosen.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise _wrong(chosen, say("fichier introuvable", "file not found")) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(chosen, str(error)) from None
    check = content.get("check", {})
    rules = {name: content.get(name, {}) for name in ("severities", "parameters")}
    for name in content:
        if name not in ("check", "severities", "parameters"):
            raise _wrong(chosen, say(f"section inconnue « {name} »", f"unknown section `{name}`"))
    for name, value in check.items():
        if name not in _CHECK:
            known = ", ".join(_CHECK)
            raise _wrong(
                chosen,
                say(
                    f"clé inconnue « check.{name} » (possibles : {known})",
                    f"unknown key `check.{name}` (known: {known})",
                ),
            )
        if not isinstance(value, _CHECK[name]):
            raise _wrong(chosen, say(f"« check.{name} » : valeur mal écrite", f"`check.{name}`: badly written value"))
    return Settings(chosen, check, rules)


def _wrong(path: Path, reason: str) -> JdvError:
    return JdvError(say(f"{path} : réglages illisibles ({reason})", f"{path}: unreadable settings ({reason})"))

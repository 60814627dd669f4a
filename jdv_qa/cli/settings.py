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
_RELEASE = {"register": str, "profile": str, "separator": str, "bom": bool}
_KEYS: Mapping[str, Mapping[str, type]] = {"check": _CHECK, "release": _RELEASE}
_LAID_OVER = ("severities", "parameters")
REGISTER = "releases"
"""The folder of the register, in the current folder, where the settings name no other."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a folder.

    `check` and `release`: option -> value; `rules`: severities and parameters laid over the profile.
    """

    path: Path
    check: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    release: Mapping[str, Any] = field(default_factory=dict)

    def file(self, name: str) -> Path | None:
        """Return a file that the settings name; a relative path counts from the settings file."""
        return self.path.parent / str(self.check[name]) if name in self.check else None

    @property
    def register(self) -> Path:
        """The folder of the register; a relative path counts from the settings file."""
        return self.path.parent / str(self.release["register"]) if "register" in self.release else Path(REGISTER)


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
    for name in content:
        if name not in (*_KEYS, *_LAID_OVER):
            raise _wrong(chosen, say(f"section inconnue « {name} »", f"unknown section `{name}`"))
    rules = {name: content.get(name, {}) for name in _LAID_OVER}
    return Settings(chosen, _section(chosen, content, "check"), rules, _section(chosen, content, "release"))


def _section(path: Path, content: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """Return a section whose keys are all known and of their types."""
    values = content.get(section, {})
    known = _KEYS[section]
    if not isinstance(values, dict):
        raise _wrong(path, say(f"« {section} » : une section est attendue", f"`{section}`: a section is expected"))
    for name, value in values.items():
        place = f"{section}.{name}"
        if name not in known:
            names = ", ".join(known)
            raise _wrong(
                path, say(f"clé inconnue « {place} » (possibles : {names})", f"unknown key `{place}` (known: {names})")
            )
        if not isinstance(value, known[name]):
            raise _wrong(path, say(f"« {place} » : valeur mal écrite", f"`{place}`: badly written value"))
    return values


def _wrong(path: Path, reason: str) -> JdvError:
    return JdvError(say(f"{path} : réglages illisibles ({reason})", f"{path}: unreadable settings ({reason})"))

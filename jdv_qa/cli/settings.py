"""`jdv.toml`: what a team does not want to type at every command.

It is looked for in the current folder, then upward, unless --config or JDV_CONFIG names one. What is typed on the command
line counts more, then the environment, then the file. docs/settings.md tells every key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jdv_qa.errors import JdvError
from jdv_qa.language import LANGUAGES, say

FILE = "jdv.toml"
CONFIG_VARIABLE = "JDV_CONFIG"
"""Environment variable that names the settings file."""
FAIL_ON = ("error", "warning", "info", "never")
"""Values of `fail-on`, the lowest severity that fails."""

_MOST_DOTS = 200
"""Dots in a line: no key, and no path, has so many."""
_TOP = {"language": str, "layout": str}
_CHECK = {
    "profile": str, "loinc": str, "nabm": str, "previous": str, "waivers": str, "layout": str, "fail-on": str, "select": list,
    "ignore": list,
}  # fmt: skip
_RELEASE = {"register": str, "profile": str, "separator": str, "bom": bool}
_SECTIONS: Mapping[str, Mapping[str, type]] = {"check": _CHECK, "release": _RELEASE}
_LAID_OVER = ("severities", "parameters")
_ALLOWED: Mapping[str, tuple[str, ...]] = {"language": LANGUAGES, "check.fail-on": FAIL_ON}
_KINDS = {
    str: ("un texte entre guillemets", "a text in quotes"),
    list: ("une liste de textes", "a list of texts"),
    bool: ("true ou false", "true or false"),
}
REGISTER = "releases"
"""The folder of the register, in the current folder, where the settings name no other."""


_NONE: Mapping[str, Any] = MappingProxyType({})


class Settings(NamedTuple):
    """The settings of a folder.

    `check` and `release`: option -> value; `rules`: severities and parameters laid over the profile; `language`: "" where the
    file says none.
    """

    path: Path
    check: Mapping[str, Any] = _NONE
    rules: Mapping[str, Any] = _NONE
    release: Mapping[str, Any] = _NONE
    language: str = ""
    named_layout: str = ""

    def file(self, name: str) -> Path | None:
        """Return a file that the settings of the check name; a relative path counts from the settings file."""
        return self.path.parent / str(self.check[name]) if name in self.check else None

    @property
    def register(self) -> Path:
        """The folder of the register; a relative path counts from the settings file."""
        return self.path.parent / str(self.release["register"]) if "register" in self.release else Path(REGISTER)

    @property
    def layout(self) -> str | None:
        """The layout of the workbooks: a file, whose relative path counts from the settings file, or a name that ships."""
        named = self.named_layout or str(self.check.get("layout", ""))
        if not named:
            return None
        path = self.path.parent / named
        return str(path) if path.is_file() else named


def find_settings() -> Path | None:
    """Return the settings file that JDV_CONFIG names, else the nearest `jdv.toml` from the current folder up, None without one.

    One above is given as the way to it ("../jdv.toml"), so that messages hold no absolute path.
    """
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the current folder is gone, and its settings with it
        return None
    for steps, folder in enumerate((here, *here.parents)):
        if (folder / FILE).is_file():
            return Path(*[".."] * steps, FILE)
    return None


def load_settings(path: Path | None = None) -> Settings:
    """Read the file given, or the one that `find_settings` finds; no file is no settings.

    Raises JdvError, with the file and the key, on a key that is not known or a value that is not allowed: a misspelled
    setting must not pass for one.
    """
    chosen = path or find_settings()
    if chosen is None:
        return Settings(Path(FILE))
    import tomllib

    from jdv_qa.resources import UnreadableYaml, text_of_settings

    try:
        text = text_of_settings(chosen)
        if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
            raise RecursionError  # tomllib takes gigabytes for a key of ten thousand parts
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise _wrong(chosen, say("fichier introuvable", "file not found")) from None
    except RecursionError:
        raise _wrong(chosen, say("imbriqué sans fin", "nested without end")) from None
    except (UnreadableYaml, ValueError) as error:
        raise _wrong(chosen, str(error)) from None
    for name, value in content.items():
        if name in _TOP:
            _check_value(chosen, name, value, _TOP[name])
        elif name not in (*_SECTIONS, *_LAID_OVER):
            kind = say("section inconnue", "unknown section") if isinstance(value, dict) else _unknown_key()
            raise _wrong(chosen, _not_known(kind, name, (*_TOP, *_SECTIONS, *_LAID_OVER)))
    rules = {name: content.get(name, {}) for name in _LAID_OVER}
    return Settings(
        chosen,
        _section(chosen, content, "check"),
        rules,
        _section(chosen, content, "release"),
        content.get("language", ""),
        content.get("layout", ""),
    )


def _section(path: Path, content: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """Return a section whose keys are all known and of their types."""
    values = content.get(section, {})
    known = _SECTIONS[section]
    if not isinstance(values, dict):
        raise _wrong(path, say(f"« {section} » : une section est attendue", f"`{section}`: a section is expected"))
    for name, value in values.items():
        place = f"{section}.{name}"
        if name not in known:
            raise _wrong(path, _not_known(_unknown_key(), place, (f"{section}.{other}" for other in known)))
        _check_value(path, place, value, known[name])
    return values


def _check_value(path: Path, place: str, value: object, kind: type) -> None:
    fits = isinstance(value, kind) and (not isinstance(value, list) or all(isinstance(item, str) for item in value))
    if not fits:
        fr, en = _KINDS[kind]
        raise _wrong(path, say(f"« {place} » : {fr} est attendu", f"`{place}`: {en} is expected"))
    allowed = _ALLOWED.get(place)
    if allowed and value not in allowed:
        known = ", ".join(allowed)
        raise _wrong(
            path, say(f"« {place} » : « {value} » (possibles : {known})", f"`{place}`: `{value}` (known: {known})")
        )


def _unknown_key() -> str:
    return say("clé inconnue", "unknown key")


def _not_known(kind: str, name: str, known: Iterable[str]) -> str:
    """Return that a name is not known, with the nearest of those that are, and all of them."""
    from rapidfuzz import process

    names = tuple(known)
    near = process.extractOne(name, names, score_cutoff=60)
    mean = say(f" ; vouliez-vous « {near[0]} » ?", f"; did you mean `{near[0]}`?") if near else ""
    listed = ", ".join(other.rpartition(".")[2] for other in names)
    return say(f"{kind} « {name} » (possibles : {listed}){mean}", f"{kind} `{name}` (known: {listed}){mean}")


def _wrong(path: Path, reason: str) -> JdvError:
    return JdvError(say(f"{path} : réglages illisibles ({reason})", f"{path}: unreadable settings ({reason})"))

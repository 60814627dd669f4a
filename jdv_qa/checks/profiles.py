"""Profiles: which rules run, with what severity and parameters. A profile extends another and says only what differs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jdv_qa.checks.catalogue import Rule
from jdv_qa.checks.finding import Severity
from jdv_qa.errors import RuleFileError
from jdv_qa.language import say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory

DEFAULT_PROFILE = "brouillon"
_OFF = "off"


class Profile(NamedTuple):
    """A profile. `severities` and `parameters` go by rule id or prefix; the severity None turns rules off."""

    name: str
    severities: Mapping[str, Severity | None] = MappingProxyType({})
    parameters: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

    def apply(self, rule: Rule) -> Rule | None:
        """Return the rule as the profile wants it, None when the profile turns it off. The longest prefix counts."""
        parameters = dict(rule.parameters) | dict(self.parameters.get(rule.id, {}))
        chosen = [prefix for prefix in self.severities if rule.id.startswith(prefix)]
        severity = self.severities[max(chosen, key=len)] if chosen else rule.severity
        return None if severity is None else rule._replace(severity=severity, parameters=parameters)


def load_profile(name: str | None = None) -> Profile:
    """Load a profile that ships, by name, or from a file, by path. Raises RuleFileError with the file and what is wrong."""
    return _load(name or DEFAULT_PROFILE, ())


def _load(name: str, above: tuple[str, ...]) -> Profile:
    shipped = rules_directory() / "profiles" / f"{name}.yaml"
    path = shipped if shipped.is_file() else Path(name)
    try:
        content = read_yaml(path) or {}
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in (rules_directory() / "profiles").glob("*.yaml")))
        raise RuleFileError(
            say(
                f"profil « {name} » introuvable ; profils livrés : {known}",
                f"profile `{name}` not found; profiles that ship: {known}",
            )
        ) from None
    except UnreadableYaml as error:
        raise _wrong(path, str(error)) from None
    if not isinstance(content, dict):
        raise _wrong(
            path,
            say(
                "des clés « profile », « extends », « severities » sont attendues",
                "keys profile, extends, severities are expected",
            ),
        )
    if unknown := set(content) - {"profile", "title", "extends", "severities", "parameters"}:
        raise _wrong(path, say(f"clé inconnue « {sorted(unknown)[0]} »", f"unknown key `{sorted(unknown)[0]}`"))
    parent = content.get("extends")
    if parent in above:
        raise _wrong(path, say(f"le profil « {parent} » s'étend lui-même", f"profile `{parent}` extends itself"))
    base = _load(str(parent), (*above, str(parent))) if parent else Profile("")
    profile = overlaid(base, content, path)
    return profile._replace(name=str(content.get("profile") or path.stem))


def overlaid(base: Profile, content: Mapping[str, Any], path: Path) -> Profile:
    """Return a profile with the `severities` and `parameters` of a file laid over it; a shorter prefix overrides longer ones.

    Raises RuleFileError, with the file and the entry at fault.
    """
    for key in ("severities", "parameters"):
        if not isinstance(content.get(key) or {}, dict):
            raise _wrong(
                path, say(f"« {key} » : un bloc « clé: valeur » est attendu", f"`{key}`: a mapping is expected")
            )
    severities = dict(base.severities)
    for prefix, word in (content.get("severities") or {}).items():
        if word is not False and str(word) not in (*Severity, _OFF):
            raise _wrong(
                path,
                say(
                    f"{prefix} : sévérité « {word} » inconnue (error, warning, info ou off)",
                    f"{prefix}: unknown severity `{word}` (error, warning, info or off)",
                ),
            )
        severities = {known: kept for known, kept in severities.items() if not known.startswith(str(prefix))}
        # YAML 1.1 reads an unquoted `off` as false.
        severities[str(prefix)] = None if word is False or word == _OFF else Severity(word)
    parameters = dict(base.parameters)
    for rule, values in (content.get("parameters") or {}).items():
        if not isinstance(values, dict):
            raise _wrong(path, say(f"{rule} : des paramètres sont attendus", f"{rule}: parameters are expected"))
        parameters[str(rule)] = dict(parameters.get(str(rule), {})) | values
    return Profile(base.name, severities, parameters)


def _wrong(path: Path, reason: str) -> RuleFileError:
    return RuleFileError(say(f"{path} : profil incorrect ({reason})", f"{path}: wrong profile ({reason})"))

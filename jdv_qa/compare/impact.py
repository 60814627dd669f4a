"""What a change means for laboratories, and so for the version number. The judgements are data: `rules/impact.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jdv_qa.compare.model import ACTORS, IMPACTS, KINDS, PARTS, Actor, Change, Impact
from jdv_qa.compare.versions import VERSION
from jdv_qa.compare.wording import change_count, phrase, typeset
from jdv_qa.errors import RuleFileError
from jdv_qa.language import count, current_language, say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory

ANY = "*"
"""Stands for every field, or part, that the file does not name."""


class Judgement(NamedTuple):
    """The impact of a kind of change, with its reason in French and in English, and who has something to do."""

    impact: Impact
    fr: str
    en: str
    actors: tuple[Actor, ...] = ()

    @property
    def reason(self) -> str:
        """The reason in the language in use."""
        return self.en if current_language() == "en" and self.en else typeset(self.fr)


_ACTING: Mapping[Impact, tuple[Actor, ...]] = {
    "breaking": ("laboratory",),
    "additive": ("laboratory",),
    "editorial": ("nobody",),
}
"""Who has something to do where an impact file does not say."""
_REWORDED = Judgement(
    "editorial",
    "un axe est écrit autrement, le sens et le code restent",
    "an axis is worded otherwise, the meaning and the code stay",
    ("nobody",),
)


class Impacts(NamedTuple):
    """The judgements of an impact file, by (part, kind, field); the field is "" unless the kind is `modified`."""

    judgements: Mapping[tuple[str, str, str], Judgement]
    reworded: Judgement

    def judge(self, change: Change) -> Judgement:
        """Return the judgement on a change: the field's own, else that of the part's other fields, else of any part.

        A text that says the same in other words is judged as such, whatever its field.
        """
        if change.reworded:
            return self.reworded
        fields = (change.field or "", ANY) if change.kind == "modified" else ("",)
        for part in (change.part, ANY):
            for field in fields:
                if (found := self.judgements.get((part, change.kind, field))) is not None:
                    return found
        raise KeyError((change.part, change.kind, change.field))


class Proposal(NamedTuple):
    """A proposed version number, the step it takes ("minor", "patch" or "none"), and why, in the language in use.

    `version` is "" when the old version is no number to step from.
    """

    version: str
    step: Literal["minor", "patch", "none"]
    reasons: tuple[str, ...]


@lru_cache(maxsize=8)
def load_impacts(path: Path | None = None) -> Impacts:
    """Load an impact file, by default the one that ships.

    Raises RuleFileError, naming the file and the place, when it is missing, unreadable, or leaves some change unjudged.
    """
    path = path or rules_directory() / "impact.yaml"
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise RuleFileError(say(f"{path} : fichier introuvable", f"{path}: file not found")) from None
    except UnreadableYaml as error:
        raise RuleFileError(
            say(f"{path} : fichier illisible ({error})", f"{path}: unreadable file ({error})")
        ) from None
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, dict):
        raise _wrong(path, "parts", say("un bloc « partie: » est attendu", "a mapping of parts is expected"))
    acting = _acting(path, content.get("actors"))
    judgements: dict[tuple[str, str, str], Judgement] = {}
    for part, kinds in parts.items():
        if part not in (*PARTS, ANY) or not isinstance(kinds, dict):
            raise _wrong(
                path,
                f"parts.{part}",
                say(
                    f"partie inconnue ou vide ; parties possibles : {', '.join((*PARTS, ANY))}",
                    f"unknown or empty part; known parts: {', '.join((*PARTS, ANY))}",
                ),
            )
        for kind, entry in kinds.items():
            where = f"parts.{part}.{kind}"
            if kind not in KINDS or not isinstance(entry, dict):
                raise _wrong(
                    path,
                    where,
                    say(
                        f"nature inconnue ou vide ; natures possibles : {', '.join(KINDS)}",
                        f"unknown or empty kind; known kinds: {', '.join(KINDS)}",
                    ),
                )
            fields = entry if kind == "modified" else {"": entry}
            for name, judgement in fields.items():
                place = f"{where}.{name}".rstrip(".")
                judgements[str(part), str(kind), str(name)] = _judgement(path, place, judgement, acting)
    for kind in KINDS:
        if (ANY, kind, ANY if kind == "modified" else "") not in judgements:
            raise _wrong(
                path, f'parts."{ANY}".{kind}', say("ce cas général est obligatoire", "this general case is required")
            )
    reworded = content.get("reworded")
    return Impacts(judgements, _REWORDED if reworded is None else _judgement(path, "reworded", reworded, acting))


def _acting(path: Path, content: Any) -> Mapping[Impact, tuple[Actor, ...]]:
    """Return who has something to do for each impact, unless a judgement says otherwise."""
    if content is None:
        return _ACTING
    if not isinstance(content, dict):
        raise _wrong(path, "actors", say("un bloc « effet: [qui] » est attendu", "a mapping impact: [who] is expected"))
    return {impact: _actors(path, f"actors.{impact}", content.get(impact)) for impact in IMPACTS}


def _actors(path: Path, where: str, content: Any) -> tuple[Actor, ...]:
    if not isinstance(content, list) or not content or not all(actor in ACTORS for actor in content):
        raise _wrong(
            path,
            where,
            say(
                f"une liste est attendue, parmi : {', '.join(ACTORS)}",
                f"a list of these is expected: {', '.join(ACTORS)}",
            ),
        )
    return tuple(actor for actor in ACTORS if actor in content)


def _judgement(path: Path, where: str, content: Any, acting: Mapping[Impact, tuple[Actor, ...]]) -> Judgement:
    if not isinstance(content, dict) or content.get("impact") not in IMPACTS or not content.get("fr"):
        raise _wrong(
            path,
            where,
            say(
                f"« impact » ({', '.join(IMPACTS)}) et « fr » (la raison) sont attendus",
                f'"impact" ({", ".join(IMPACTS)}) and "fr" (the reason) are expected',
            ),
        )
    impact: Impact = content["impact"]
    actors = _actors(path, f"{where}.actors", content["actors"]) if "actors" in content else acting[impact]
    return Judgement(impact, str(content["fr"]), str(content.get("en") or ""), actors)


def _wrong(path: Path, where: str, reason: str) -> RuleFileError:
    return RuleFileError(say(f"{path} : {where} : {reason}", f"{path}: {where}: {reason}"))


def propose_version(old_version: str, changes: Iterable[Change]) -> Proposal:
    """Propose the number of the version that holds these changes.

    A breaking change asks for a minor version at least (a major one remains the maintainers' choice), an addition for
    a minor version, an editorial change for a patch: "1.1.10" -> "1.2.0" or "1.1.11". The reasons count what decides
    the step.
    """
    changes = tuple(changes)
    breaking = [change for change in changes if change.impact == "breaking"]
    additive = [change for change in changes if change.impact == "additive"]
    if not changes:
        return Proposal(old_version, "none", (phrase("aucun changement", "no change"),))
    reasons = []
    if breaking:
        reasons.append(
            phrase(
                "{count} avec effet sur le paramétrage des laboratoires : version mineure au moins, "
                "majeure si les mainteneurs le jugent nécessaire",
                "{count} that laboratories must act upon: minor version at least, major if the maintainers see fit",
                count=change_count(len(breaking)),
            )
        )
    if additive:
        reasons.append(
            phrase(
                "{count} : version mineure",
                "{count}: minor version",
                count=count(len(additive), "simple ajout", "mere addition"),
            )
        )
    if not reasons:
        reasons.append(
            phrase(
                "{count}, uniquement d'ordre éditorial : correctif",
                "{count}, editorial only: patch",
                count=change_count(len(changes)),
            )
        )
    step: Literal["minor", "patch"] = "minor" if breaking or additive else "patch"
    version = next_version(old_version, step)
    if not version:
        reasons.append(
            phrase(
                "la version précédente (« {old} ») n'est pas un numéro",
                'the previous version ("{old}") is not a number',
                old=old_version,
            )
        )
    return Proposal(version, step, tuple(reasons))


def next_version(version: str, step: Literal["minor", "patch"]) -> str:
    """Return the version number one step on: ("1.1.10", "minor") -> "1.2.0"; "" when the text is no number."""
    match = VERSION.fullmatch(version.strip())
    if match is None or len(match.group(1).strip()) > 1:
        return ""
    numbers = [int(number) for number in match.group(2).split(".")]
    numbers += [0] * ((2 if step == "minor" else 3) - len(numbers))
    place = 1 if step == "minor" else 2
    numbers = numbers[:place] + [numbers[place] + 1] + [0] * (len(numbers) - place - 1)
    return match.group(1) + ".".join(map(str, numbers))

"""Where the data files that ship with the tool are, and how a YAML file is read.

The files are those of `rules/`: in the package once installed, beside it in a checkout. To parse their YAML takes longer than
to read a workbook's; what they hold is therefore kept as JSON in the `__pycache__` of each folder, as Python keeps compiled
modules: it counts as long as every file has the size and the time of change that it had, and is made anew otherwise.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jdv_qa.language import say


class UnreadableYaml(Exception):
    """A YAML file that cannot be read, or is not YAML; the message is the reason, on one line."""


class Head(NamedTuple):
    """The first document of a YAML file, None for an empty one, and the keys of those behind it, which are not parsed."""

    content: Any
    further: list[str]


MAX_SETTINGS = 8 << 20
"""Bytes of a file that people write, waivers and settings: twenty thousand waivers take six million."""
MAX_DEPTH = 100
"""Levels of lists and keys within one another in YAML. PyYAML goes down into them in C, where too many end the process."""

_FORM = 1
"""Form of what is kept, one higher with each change of it."""
_SEPARATOR = "\n---\n"
_BEFORE = re.compile(r"^[ ?:-]+", re.MULTILINE)
_KEY = re.compile(r"^([a-z]+):[ \t]*$", re.MULTILINE)


@lru_cache
def rules_directory() -> Path:
    """Return the folder of rule files, schemas, layouts and profiles; raises FileNotFoundError if the installation lacks it."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "rules", package.parent / "rules"):
        if (candidate / "layouts").is_dir():
            return candidate
    raise FileNotFoundError(package / "rules")


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file of one document, None for an empty one; it is not to be changed.

    Raises FileNotFoundError, and UnreadableYaml for whatever else is wrong: who asks knows what the file is for.
    """
    kept = _kept_head(path)
    return parse_yaml(text_of_settings(path)) if kept is None or kept.further else kept.content


def read_head(path: Path) -> Head:
    """Return the first document of a YAML file, which is not to be changed; raises as `read_yaml` does."""
    return _kept_head(path) or _parse_head(path)


def read_second(path: Path) -> Any:
    """Return the second document of a YAML file; raises as `read_yaml` does."""
    return parse_yaml(text_of_settings(path).partition(_SEPARATOR)[2])


def parse_yaml(text: str) -> Any:
    """Return the content of a YAML text, None for an empty one; raises UnreadableYaml when it is not YAML."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if _levels_at_most(text) > MAX_DEPTH:
            depth = 0
            for event in yaml.parse(text, Loader=loader):
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > MAX_DEPTH:
                    raise ValueError(say("imbriqué sans fin", "nested without end"))
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        # beside errors of its own PyYAML lets pass those of a value that is not of the type it states ("!!int x", 2026-13-45)
        raise UnreadableYaml(" ".join(str(error).split()) or type(error).__name__) from None


def _levels_at_most(text: str) -> int:
    """Return how many levels a YAML text has at most: each begins with a bracket, or further to the right than the one above."""
    return text.count("[") + text.count("{") + max(map(len, _BEFORE.findall(text)), default=0)


def text_of_settings(path: Path) -> str:
    """Return the text of a file that people write, such as waivers or settings.

    Raises FileNotFoundError, and UnreadableYaml when it cannot be read, is no text in UTF-8 or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SETTINGS + 1)
        if len(content) > MAX_SETTINGS:
            most = MAX_SETTINGS >> 20
            raise UnreadableYaml(
                say(f"plus de {most} Mio ; est-ce le bon fichier ?", f"over {most} MiB; is it the right file?")
            )
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise
    except IsADirectoryError:
        raise UnreadableYaml(say("c'est un dossier", "this is a folder")) from None
    except (OSError, ValueError) as error:
        raise UnreadableYaml(" ".join(str(error).split())) from None


def _parse_head(path: Path) -> Head:
    first, _, rest = text_of_settings(path).partition(_SEPARATOR)
    return Head(parse_yaml(first), _KEY.findall(rest))


def _kept_head(path: Path) -> Head | None:
    rules, folder = str(rules_directory()), str(path.parent)
    ships = folder == rules or folder.startswith(rules + os.sep)
    return _kept(folder).get(path.name) if ships else None


@lru_cache(maxsize=64)
def _kept(folder: str) -> dict[str, Head]:
    """Return what is kept of the YAML files of a folder, by their names; {} where nothing can be kept."""
    try:
        with os.scandir(folder) as entries:
            files = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(".yaml")]
    except OSError:
        return {}
    state = [_FORM, sorted([name, found.st_size, found.st_mtime_ns] for name, found in files)]
    place = Path(folder, "__pycache__", "yaml.kept")
    kept = _read_kept(place, state)
    if kept is None and files and not sys.dont_write_bytecode and os.access(folder, os.W_OK):
        kept = _parse_all(Path(folder), [name for name, _ in files])
        _keep(place, [state, kept])
    return kept or {}


def _read_kept(place: Path, state: list[Any]) -> dict[str, Head] | None:
    """Return what is kept, None when it is not of these files as they are now."""
    import json

    try:
        kept, heads = json.loads(place.read_bytes())
        return {name: Head(*head) for name, head in heads.items()} if kept == state else None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):  # there is none, or not as we write it
        return None


def _parse_all(folder: Path, names: list[str]) -> dict[str, Head]:
    """Parse the files; one that cannot be read, or that JSON cannot hold as it is, is left to who asks for it."""
    import json

    found: dict[str, Head] = {}
    for name in names:
        with suppress(UnreadableYaml, FileNotFoundError, TypeError):
            head = _parse_head(folder / name)
            if json.loads(json.dumps(head.content)) == head.content:
                found[name] = head
    return found


def _keep(place: Path, content: list[Any]) -> None:
    """Keep what was parsed, whole or not at all; where it cannot be written, nothing is lost but time."""
    import json

    temporary = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(exist_ok=True)
        temporary.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        temporary.replace(place)
    except OSError:
        with suppress(OSError):
            temporary.unlink()

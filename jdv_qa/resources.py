"""Where the data files that ship with the tool are, and how a YAML file is read.

The files are those of `rules/`: in the package once installed, beside it in a checkout.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any


class UnreadableYaml(Exception):
    """A YAML file that cannot be read, or is not YAML; the message is the reason, on one line."""


@lru_cache
def rules_directory() -> Path:
    """Return the folder of rule files, schemas, layouts and profiles; raises FileNotFoundError if the installation lacks it."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "rules", package.parent / "rules"):
        if (candidate / "layouts").is_dir():
            return candidate
    raise FileNotFoundError(package / "rules")


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file, None for an empty one.

    Raises FileNotFoundError, and UnreadableYaml for whatever else is wrong: who asks knows what the file is for.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableYaml(" ".join(str(error).split())) from None
    return parse_yaml(text)


def parse_yaml(text: str) -> Any:
    """Return the content of a YAML text, None for an empty one; raises UnreadableYaml when it is not YAML."""
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        # beside errors of its own PyYAML lets pass those of a value that is not of the type it states ("!!int x", 2026-13-45)
        raise UnreadableYaml(" ".join(str(error).split()) or type(error).__name__) from None

"""Where the data files that ship with the tool are: `rules/` in the package once installed, beside it in a checkout."""

from functools import lru_cache
from pathlib import Path


@lru_cache
def rules_directory() -> Path:
    """Return the folder of rule files, schemas, layouts and profiles; raises FileNotFoundError if the installation lacks it."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "rules", package.parent / "rules"):
        if (candidate / "layouts").is_dir():
            return candidate
    raise FileNotFoundError(package / "rules")

"""Version numbers: "1.2", "1.2.0", "v1.2 (2.80)"; which is above, which is the same."""

from __future__ import annotations

import re

VERSION = re.compile(r"(\D*)(\d+(?:\.\d+)*)(.*)")
"""What stands before a version number, the number, and what follows."""


def version_key(version: str) -> tuple[int, ...] | None:
    """Return the numbers of a version for comparison, None when it does not begin with a number."""
    match = VERSION.fullmatch(version.strip())
    return tuple(int(number) for number in match.group(2).split(".")) if match else None


def same_version(one: str, other: str) -> bool:
    """Tell whether two texts begin with the same version number: "1.2 (2.80)" and "1.2.0"."""
    keys = version_key(one), version_key(other)
    return keys[0] is not None and keys[1] is not None and padded(keys[0]) == padded(keys[1])


def above(one: str, other: str) -> bool:
    """Tell whether the first version number is above the second; False when either is no number."""
    keys = version_key(one), version_key(other)
    return keys[0] is not None and keys[1] is not None and padded(keys[0]) > padded(keys[1])


def padded(key: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers of a version, four of them: 1.2 and 1.2.0 are one version."""
    return key + (0,) * (4 - len(key))

"""A baseline: an earlier report of `jdv check`, so that a run fails only for what is new since then."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jdv_qa.checks.finding import Finding
from jdv_qa.checks.waivers import key_of
from jdv_qa.errors import RuleFileError
from jdv_qa.language import say

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The findings of an earlier report: their number by key (rule, row key, field, value), waived ones left out."""

    path: str
    version: str
    known: Counter[Key]

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding], Counter[Key]]:
        """Return the findings that are new, those already known, and the known ones that are gone.

        Two findings of one key count as two: a second one is new when the baseline has one.
        """
        left = Counter(self.known)
        new, old = [], []
        for finding in findings:
            if finding.waived:
                continue
            key = key_of(finding)
            if left[key] > 0:
                left[key] -= 1
                old.append(finding)
            else:
                new.append(finding)
        return new, old, +left


_MAX = 32 << 20
"""Bytes of a report: fifty thousand findings take as many."""


def load_baseline(path: Path) -> Baseline:
    """Read a report of `jdv check --format json`. Raises RuleFileError when it is missing or is no such report."""
    try:
        with path.open("rb") as file:
            read = file.read(_MAX + 1)
        if len(read) > _MAX:
            raise ValueError(say(f"plus de {_MAX >> 20} Mio", f"over {_MAX >> 20} MiB"))
        content = json.loads(read.decode("utf-8-sig"))
        if content["schema"] != "jdv-check/1":
            raise ValueError(content["schema"])
        known = Counter(
            (item["rule"], item["row_key"], item["field"] or "", item["value"])
            for item in content["findings"]
            if not item["waived"]
        )
        return Baseline(str(path), str(content["workbook"]["version"]), known)
    except FileNotFoundError:
        raise RuleFileError(
            say(f"{path} : rapport de référence introuvable", f"{path}: baseline report not found")
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RuleFileError(
            say(
                f"{path} : ce n'est pas un rapport de « jdv check --format json » ({error})",
                f"{path}: this is no report of `jdv check --format json` ({error})",
            )
        ) from None

"""Findings and profiles: what cases of rules cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from jdv_qa.checks.catalogue import load_catalogue
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.profiles import load_profile


def finding(**changes: Any) -> Finding:
    """A finding, its fields changed as asked."""
    plain: dict[str, Any] = {
        "rule": "COD-02", "severity": Severity.ERROR, "tab": "main", "sheet": "1.JDV_CircuitBio", "row": 3, "column": "O", "cell": "O3",
        "row_key": "a|b", "field": "result_code", "code": "b", "value": "b", "message": "m", "suggestion": None, "related": (),
    }  # fmt: skip
    return Finding(**(plain | changes))


def test_profiles_inherit() -> None:
    draft, release = load_profile("brouillon"), load_profile("publication")
    catalogue = load_catalogue()
    assert draft.apply(catalogue["COD-02"]) == catalogue["COD-02"]
    strict = release.apply(catalogue["CEL-01"])
    assert strict is not None
    assert (catalogue["CEL-01"].severity, strict.severity) == (Severity.WARNING, Severity.ERROR)


@pytest.mark.parametrize("profile", ["brouillon", "publication"])
def test_profiles_name_rules_that_exist(profile: str) -> None:
    loaded = load_profile(profile)
    for prefix in (*loaded.severities, *loaded.parameters):
        assert any(rule.startswith(prefix) for rule in load_catalogue()), prefix


def test_publication_is_never_more_lenient_than_the_draft() -> None:
    draft, release = load_profile("brouillon"), load_profile("publication")
    for rule in load_catalogue().values():
        one, other = draft.apply(rule), release.apply(rule)
        assert one is not None
        assert other is not None
        assert other.severity.rank >= one.severity.rank

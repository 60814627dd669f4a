"""What tells one set of rules from another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jdv_qa.checks.catalogue import load_catalogue, load_rule, rule_set_digest
from jdv_qa.checks.finding import Severity
from jdv_qa.errors import RuleFileError
from jdv_qa.resources import rules_directory


def test_the_digest_changes_with_any_file_and_with_nothing_else(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("same", "changed", "renamed", "other")]
    for folder in folders:
        shutil.copytree(rules_directory(), folder)
    same, changed, renamed, other = folders
    (same / "UNI" / "UNI-02.yaml~").write_text("copie d'un éditeur", encoding="utf-8")
    (changed / "UNI" / "UNI-02.yaml").write_text("{}", encoding="utf-8")
    (renamed / "axes.yaml").rename(renamed / "axis.yaml")
    (other / "units.csv").unlink()
    digests = [rule_set_digest(folder) for folder in folders]
    assert digests[0] == rule_set_digest()
    assert len(set(digests)) == 4


@pytest.mark.parametrize("identifier", load_catalogue())
def test_every_text_of_a_rule_is_in_both_languages(identifier: str) -> None:
    rule = load_catalogue()[identifier]
    for texts in (rule.title, rule.checks, rule.why, rule.mend, *rule.messages.values()):
        assert set(texts) == {"fr", "en"}
    assert set(rule.exceptions) in ({"fr", "en"}, set())
    assert all(rule.references)
    assert set(rule.lowered) <= set(rule.messages)


RIGHT = """rule: UNI-02
severity: error
title: {fr: a, en: b}
checks: {fr: a, en: b}
why: {fr: a, en: b}
mend: {fr: a, en: b}
references: [a]
messages:
  default: {fr: "a {value}", en: "b {value}"}
  milder: {fr: a, en: b, severity: info}
---
pass:
  - a
fail:
  - b
"""


def test_a_rule_is_as_its_file_says(tmp_path: Path) -> None:
    path = tmp_path / "UNI-02.yaml"
    path.write_text(RIGHT, encoding="utf-8")
    rule = load_rule(path)
    assert (rule.id, rule.family, rule.severity, rule.references) == ("UNI-02", "UNI", Severity.ERROR, ("a",))
    assert rule.messages == {"default": {"fr": "a {value}", "en": "b {value}"}, "milder": {"fr": "a", "en": "b"}}
    assert rule.lowered == {"milder": Severity.INFO}
    assert (rule.exceptions, rule.parameters, rule.needs, rule.fields, rule.waivable) == ({}, {}, (), (), True)


@pytest.mark.parametrize(
    ("wrong", "right", "key"),
    [
        ("rule: UNI-03", "rule: UNI-02", "rule"),
        ("severity: grave", "severity: error", "severity"),
        ("", "title: {fr: a, en: b}\n", "title"),
        ("titre: {fr: a, en: b}", "title: {fr: a, en: b}", "titre"),
        ("needs: {loinc: true, web: true}\nwhy:", "why:", "needs"),
        ("cas:", "pass:", "pass/fail"),
    ],
)
def test_what_is_wrong_in_a_rule_file_is_named(wrong: str, right: str, key: str, tmp_path: Path) -> None:
    assert right in RIGHT
    path = tmp_path / "UNI-02.yaml"
    path.write_text(RIGHT.replace(right, wrong), encoding="utf-8")
    with pytest.raises(RuleFileError, match=rf"UNI-02\.yaml : clé « {key} »"):
        load_rule(path)


@pytest.mark.parametrize(
    ("wrong", "right", "read", "message"),
    [
        ("why: {fr: a}", "why: {fr: a, en: b}", "why", "clé « why »"),
        ("why: {fr: ' ', en: b}", "why: {fr: a, en: b}", "why", "clé « why »"),
        ("why: {fr: 3, en: b}", "why: {fr: a, en: b}", "why", "clé « why »"),
        ("why: [a, b]", "why: {fr: a, en: b}", "why", "clé « why »"),
        ("why: {fr: [", "why: {fr: a, en: b}", "why", "YAML incorrect"),
        ("  default: a", '  default: {fr: "a {value}", en: "b {value}"}', "messages", "clé « messages.default »"),
        ("  other:", "  default:", "lowered", "clé « messages.default »"),
        ("severity: mild}", "severity: info}", "lowered", "clé « severity »"),
    ],
)
def test_what_is_wrong_in_a_text_is_named_when_it_is_asked_for(
    wrong: str, right: str, read: str, message: str, tmp_path: Path
) -> None:
    assert right in RIGHT
    path = tmp_path / "UNI-02.yaml"
    path.write_text(RIGHT.replace(right, wrong), encoding="utf-8")
    with pytest.raises(RuleFileError, match=message):
        getattr(load_rule(path), read)

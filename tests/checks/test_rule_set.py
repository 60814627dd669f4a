"""What tells one set of rules from another."""

from __future__ import annotations

import shutil
from pathlib import Path

from jdv_qa.checks.catalogue import rule_set_digest
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

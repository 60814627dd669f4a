"""Reports of checks for the tests of their forms: the sample's draft, and a workbook of hostile texts."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from jdv_qa.checks.baseline import Baseline
from jdv_qa.checks.engine import NotRun, Report, check
from jdv_qa.checks.waivers import Waiver, key_of
from jdv_qa.sample import files
from jdv_qa.workbook.read import read_edition
from tests.casebook import build_workbook

HOSTILE = "</td><script>alert(1)</script><img src=http://127.0.0.1:9/x onerror=alert(2)>"


@lru_cache
def draft() -> Report:
    """The check of the draft, in French."""
    return check(read_edition(files()["1.2.0"]))


@lru_cache
def waived() -> Report:
    """The same with two waivers, one of an error and one of a note."""
    found = draft().findings
    chosen = [next(item for item in found if item.rule == rule) for rule in ("UNI-02", "LAB-09")]
    waivers = [
        Waiver(*key_of(item), reason=f"raison {HOSTILE}", by="Dr Martin", date="2026-10-01", until="1.3.0")
        for item in chosen
    ]
    return check(read_edition(files()["1.2.0"]), waivers=waivers)


def crashed() -> Report:
    """The draft's report as if a rule had broken down."""
    report = draft()
    kept = tuple(item for item in report.findings if item.rule != "UNI-02")
    run = tuple(rule for rule in report.run if rule != "UNI-02")
    return replace(report, findings=kept, run=run, crashed=(NotRun("UNI-02", "KeyError: 'x'"),))


def since_first() -> Report:
    """The draft's report beside a baseline that knows its first finding, and another one that is gone."""
    report = draft()
    gone = ("UNI-02", "1-8|1-8", "unit", "UI")
    known = Baseline("ancien.json", "1.1.0", type(report.news[2])({key_of(report.findings[0]): 1, gone: 1}))
    return replace(report, baseline=known)


def hostile(folder: Path) -> Report:
    """The check of a workbook whose cells hold markup, formulas and control characters."""
    row = {
        "order_label": HOSTILE,
        "result_display": f'=HYPERLINK("http://x") {HOSTILE}',
        "unit": '"><script>alert(3)</script>',
        "comparability": "{{ 7*7 }}",
        "chapter": HOSTILE,
    }
    return check(read_edition(build_workbook({"rows": [row]}, folder / "v.xlsx")))

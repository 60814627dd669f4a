"""Which tests a module is held by: those of its rules' cases, and the files that test it by itself."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
ROOMS = ("checks", "compare", "terminology")

_CASES = "tests/checks/test_cases.py"
RULES = {
    "checks/structure": ("STR",), "checks/cells": ("CEL",), "checks/codes": ("COD", "ATT-01", "ATT-06"), "checks/order_types": ("TYP",), "checks/pending": ("ATT",),
    "checks/comparability": ("CMP",), "checks/references": ("REF",), "checks/nabm": ("NAB",), "checks/loinc": ("LNC",), "checks/rows": ("GRP",),
    "checks/labels": ("LAB",), "checks/previous": ("VER",), "checks/notes": ("VER-06",), "checks/units": ("UNI",), "checks/summary": ("SOM",),
    "checks/exceptions": ("DER",), "checks/dates": ("VER-07", "SOM"), "checks/indicators": ("SOM-03",), "checks/waivers": ("DER",),
    "checks/finding": ("COD-01",), "checks/engine": ("COD-01", "VER-01", "DER", "STR-0"), "checks/schemas": ("REF", "CMP", "TYP-01", "STR", "COD-01"), "checks/schema_verdicts": ("REF", "CMP", "TYP-01"),
    "terminology/codes": ("COD", "ATT"), "terminology/labels": ("LAB",), "terminology/units": ("UNI",), "terminology/ucum": ("UNI-03", "UNI-07", "UNI-09"),
    "terminology/properties": ("UNI",), "terminology/nabm": ("NAB",), "terminology/loinc": ("LNC", "ATT-05"),
}  # fmt: skip
"""Module -> the rules whose cases hold it, by their families or ids."""

FILES = {
    "checks/baseline": ("report/test_findings.py", "report/test_findings_machines.py", "cli/test_exceptions.py", "fuzz/test_found.py"),
    "checks/catalogue": ("checks/test_rule_set.py",),
    "checks/cells": ("checks/test_cells.py", "checks/test_sentences.py"),
    "checks/codes": ("checks/test_codes.py", "terminology/test_codes.py"),
    "checks/dates": ("checks/test_summary.py", "checks/test_previous.py"),
    "checks/engine": ("checks/test_findings.py", "checks/test_rule_set.py"),
    "checks/exceptions": ("cli/test_exceptions.py",),
    "checks/finding": ("checks/test_findings.py", "report/test_findings.py"),
    "checks/fixing": ("checks/test_fixing.py",),
    "checks/indicators": ("checks/test_indicators.py",),
    "checks/labels": ("checks/test_labels.py",),
    "checks/loinc": ("checks/test_loinc.py",),
    "checks/notes": ("checks/test_previous.py", "publish/test_update_tabs.py"),
    "checks/pending": ("checks/test_loinc.py",),
    "checks/previous": ("checks/test_previous.py",),
    "checks/profiles": ("checks/test_rule_set.py", "checks/test_findings.py", "fuzz/test_found.py"),
    "checks/rows": ("checks/test_sentences.py",),
    "checks/schema_process": ("checks/test_schemas.py",),
    "checks/schema_verdicts": ("checks/test_schemas.py",),
    "checks/schemas": ("checks/test_schemas.py", "checks/test_rule_set.py"),
    "checks/structure": ("checks/test_structure.py", "checks/test_sentences.py"),
    "checks/summary": ("checks/test_summary.py", "checks/test_sentences.py"),
    "checks/units": ("checks/test_units.py", "checks/test_fixing.py"),
    "checks/waivers": ("checks/test_findings.py", "cli/test_exceptions.py"),
    "terminology/codes": ("terminology/test_edges.py", "terminology/test_codes.py",),
    "terminology/fitting": ("terminology/test_fitting.py", "triage/test_candidates.py"),
    "terminology/french": ("terminology/test_loinc.py", "terminology/test_store.py"),
    "terminology/importing": ("terminology/test_store.py", "cli/test_loinc.py", "terminology/test_loinc_hostile.py"),
    "terminology/labels": ("terminology/test_edges.py", "terminology/test_labels.py", "fuzz/test_found.py"),
    "terminology/loinc": ("terminology/test_edges.py", "terminology/test_loinc.py", "terminology/test_store.py", "checks/test_loinc.py"),
    "terminology/loinc_files": ("terminology/test_loinc.py", "terminology/test_store.py", "terminology/test_loinc_hostile.py"),
    "terminology/nabm": ("terminology/test_edges.py", "terminology/test_nabm.py",),
    "terminology/notice": ("terminology/test_edges.py", "publish/test_export.py", "triage/test_requests.py"),
    "terminology/properties": ("terminology/test_units.py", "checks/test_units.py"),
    "terminology/search": ("terminology/test_search.py", "terminology/test_loinc_hostile.py"),
    "terminology/store": ("terminology/test_store.py", "terminology/test_search.py", "cli/test_loinc.py", "terminology/test_loinc_hostile.py"),
    "terminology/systems": ("publish/test_fhir.py", "cda"),
    "terminology/ucum": ("terminology/test_units.py", "fuzz/test_found.py"),
    "terminology/units": ("terminology/test_units.py", "checks/test_units.py", "fuzz/test_found.py"),
    "compare/impact": ("compare/test_impact.py",),
    "compare/assignment": ("compare/test_assignment.py",),
    "compare/wording": ("compare/test_command.py", "report/test_changes.py", "compare/test_told.py"),
}  # fmt: skip
"""Module -> the test files or folders that hold it, below tests/; those of COMPARE hold a module of compare/ beside."""

LEFT_OUT = {"terminology/build_units": "a script that writes rules/units.csv; it runs once for each release of LOINC"}
"""Modules that are not mutated, and why."""

COMPARE = (
    "test_compare.py", "test_tables.py", "test_terms.py", "test_matching.py", "test_recodings.py", "test_counts.py", "test_told.py", "test_techniques.py", "test_transitions.py", "test_assignment.py",
    "test_properties.py", "test_apply.py",
)  # fmt: skip
"""The files that hold every module of compare/, the quickest first."""


def modules() -> list[Path]:
    """The modules of the three rooms, from the repository."""
    found = [
        path.relative_to(REPOSITORY) for room in ROOMS for path in sorted((REPOSITORY / "jdv_qa" / room).glob("*.py"))
    ]
    return [path for path in found if path.stem != "__init__" and key_of(path) not in LEFT_OUT]


def key_of(path: Path) -> str:
    """The name by which the tables here know a module: "checks/units"."""
    return f"{path.parent.name}/{path.stem}"


def arguments_for(path: Path) -> list[list[str]]:
    """What pytest is asked to run for a module: one list of arguments a run, the quickest first."""
    files = [f"tests/{file}" for file in FILES.get(key_of(path), ())]
    if path.parent.name == "compare":
        files += [f"tests/compare/{name}" for name in COMPARE if f"tests/compare/{name}" not in files]
    runs = [files] if files else []
    if rules := RULES.get(key_of(path)):
        runs.append([_CASES, "-k", " or ".join(rules)])
    return runs

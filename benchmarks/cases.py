"""What is measured: the processes, what their time is divided by, and how much that may be at most."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.inputs import FEW, MANY, TABLE_ROWS, TERMS, TINY, Inputs
from benchmarks.processes import Command

NOTHING = "pass"
LOAD = "import sys, openpyxl; openpyxl.load_workbook(sys.argv[1])"
ITERATE = """
import sys, openpyxl
for sheet in openpyxl.load_workbook(sys.argv[1], read_only=True):
    for row in sheet.iter_rows(values_only=True):
        pass
"""
READ_CSV = """
import sys, csv
with open(sys.argv[1], encoding="utf-8", newline="") as file:
    for row in csv.reader(file):
        pass
"""
CONVERT = """
import sys, csv, openpyxl
for path in sys.argv[1:]:
    sheet = openpyxl.load_workbook(path, read_only=True)["1.JDV_CircuitBio"]
    rows = sheet.iter_rows(min_row=2, values_only=True)
    headers = list(next(rows))
    order, result = headers.index("Code LOINC demande"), headers.index("Code LOINC résultat")
    with open(path.rpartition("/")[2] + ".csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", *headers])
        writer.writerows([f"{row[order]} {row[result]}", *row] for row in rows)
"""
"""The conversion that a comparison of CSVs needs: the main tab of each workbook without its band row, and a key for its rows."""

MEMORY_MIB = 120
"""The most memory that a check or a comparison may hold."""

GROWTH = 1.3
"""How much more a row may cost in a workbook of 60,000 rows than in one of 3,000."""


@dataclass
class Case:
    """Processes run one after the other; `against` names the case that their time is divided by, `target` the ratio aimed at."""

    name: str
    commands: Sequence[Command]
    against: str = ""
    target: float | None = None
    peer: bool = False
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median time in seconds."""
        return statistics.median(self.seconds)


PASS, YARD, YARD_TABLE, YARD_CSV = (
    "python -c pass",
    "openpyxl loads the workbook",
    "openpyxl iterates over the one-table workbook",
    "csv reads Loinc.csv",
)


def cases(inputs: Inputs, output: Path, home: Path) -> list[Case]:
    """Return the yardsticks and the commands that have a target; what they write goes into `output`."""
    python = [sys.executable]
    jdv = [*python, "-m", "jdv_qa"]
    old, new = str(inputs.old), str(inputs.new)
    table_old, table_new = str(inputs.table_old), str(inputs.table_new)
    table = ["--layout", "loinc_fr", "--format", "json"]
    reports = ["--report", f"html={output / 'r.html'}", "--annotate", str(output / "a.xlsx"), "--force"]
    return [
        Case(PASS, [[*python, "-c", NOTHING]]),
        Case(YARD, [[*python, "-c", LOAD, old]]),
        Case(YARD_TABLE, [[*python, "-c", ITERATE, table_old]]),
        Case(YARD_CSV, [[*python, "-c", READ_CSV, str(inputs.loinc_csv)]]),
        Case("jdv --help", [[*jdv, "--help"]], PASS, 5),
        Case("jdv --version", [[*jdv, "--version"]], PASS, 5),
        Case("jdv check", [[*jdv, "check", old, "--format", "json"]], YARD, 0.55),
        Case("jdv check --loinc", [[*jdv, "check", old, "--format", "json", "--loinc", "2.80"]], YARD, 0.65),
        Case("jdv diff", [[*jdv, "diff", old, new, "--format", "json"]], YARD, 0.40),
        Case("jdv check --report html --annotate", [[*jdv, "check", old, *reports]], YARD, 2.0),
        Case(f"jdv check, one table of {TABLE_ROWS:,} rows", [[*jdv, "check", table_old, *table]], YARD_TABLE, 0.35),
        Case(f"jdv diff, one table of {TABLE_ROWS:,} rows", [[*jdv, "diff", table_old, table_new, *table]], YARD_TABLE, 0.45),
        Case(
            f"jdv loinc import, {TERMS:,} terms",
            [[*jdv, "loinc", "import", str(inputs.release), "--store", str(home / "import"), "--force"]],
            YARD_CSV,
            3.0,
        ),
    ]  # fmt: skip


def peers(inputs: Inputs, python: Path) -> list[Case]:
    """Return what others offer for the same work, run with a Python that has daff, csv-diff and frictionless[excel]."""
    scripts = python.parent
    convert = [str(python), "-c", CONVERT, str(inputs.old), str(inputs.new)]
    sheet = ["--sheet", "1.JDV_CircuitBio", "--header-rows", "2", "--trusted"]
    validate = [str(scripts / "frictionless"), "validate", str(inputs.old), *sheet]
    tables = f"{inputs.old.name}.csv", f"{inputs.new.name}.csv"
    return [
        Case("the two workbooks to CSV", [convert], YARD, peer=True),
        Case("… then daff", [convert, [str(scripts / "daff"), "diff", *tables]], YARD, peer=True),
        Case("… then csv-diff", [convert, [str(scripts / "csv-diff"), *tables, "--key=key"]], YARD, peer=True),
        Case("frictionless validate, the main tab", [validate], YARD, peer=True),
    ]


def growing(inputs: Inputs) -> dict[str, dict[int, Case]]:
    """Return, for each command, the case of each number of rows."""
    jdv = [sys.executable, "-m", "jdv_qa"]
    main = {TINY: inputs.tiny, FEW: inputs.few, MANY: inputs.many}
    table = {TINY: inputs.table_tiny, FEW: inputs.table_few, MANY: (inputs.table_old, inputs.table_new)}
    found: dict[str, dict[int, Case]] = {}
    for form, pairs, layout in (("", main, []), (", one table", table, ["--layout", "loinc_fr"])):
        for verb, files in (("check", 1), ("diff", 2)):
            name = f"jdv {verb}{form}"
            found[name] = {
                rows: Case(
                    f"{name}, {rows:,} rows", [[*jdv, verb, *map(str, pair[:files]), "--format", "json", *layout]]
                )
                for rows, pair in pairs.items()
            }
    return found

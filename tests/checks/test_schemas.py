from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from frictionless import Resource, Schema
from hypothesis import given, settings
from hypothesis import strategies as st

from jdv_qa import beside
from jdv_qa.checks import schema_process, schemas
from jdv_qa.checks.schema_verdicts import judge
from jdv_qa.checks.schemas import Validation, load_schema
from jdv_qa.resources import rules_directory
from jdv_qa.workbook.edition import Column, Record, Table

SCHEMAS = sorted(path for path in (rules_directory() / "schemas").glob("*.json") if path.stem != "releases")
COLUMNS = [
    ({"name": "level", "type": "string", "constraints": {"required": True, "enum": ["1", "2"]}}, ["1", "3", None, "2"]),
    ({"name": "code", "type": "string", "constraints": {"pattern": "[0-9]+-[0-9]"}}, ["1-8", None, "x", "1-8x"]),
    ({"name": "rank", "type": "integer"}, ["10", "ten"]),
]
VERDICTS = [{"3": ["enum"], None: ["required"]}, {"x": ["pattern"], "1-8x": ["pattern"]}, {"ten": ["type"]}]


def table_of(tab: str, names: list[str], rows: list[list[str]], inherited: frozenset[str] = frozenset()) -> Table:
    columns = tuple(Column(number, name, name) for number, name in enumerate(names, 1))
    records = tuple(
        Record(number, {name: text for name, text in zip(names, row, strict=True) if text}, inherited=inherited)
        for number, row in enumerate(rows, 2)
    )
    return Table(tab, records, tab, 1, columns)


def errors_of(table: Table) -> list[tuple[int, str, str]]:
    return [(error.record.row, error.field, error.constraint) for error in Validation([table]).errors()]


def frictionless_says(table: Table) -> list[tuple[int, str, str]]:
    """What frictionless says when it is given the whole table and its whole schema, row by row."""
    schema = load_schema(table.key)
    assert schema is not None
    names = [column.field for column in table.columns]
    fields = [field for field in schema["fields"] if field["name"] in names]
    descriptor: dict[str, Any] = {
        "fields": [{key: field[key] for key in ("name", "type", "constraints") if key in field} for field in fields]
    }
    key = schema.get("primaryKey", [])
    if key and set(key) <= set(names):
        descriptor["primaryKey"] = key
    data = [[field["name"] for field in fields]]
    data += [[record.values.get(field["name"]) for field in fields] for record in table.records]
    with Resource(data=data, schema=Schema.from_descriptor(descriptor)) as resource:
        report = resource.validate(limit_errors=sys.maxsize)
    found = []
    for error in report.tasks[0].errors:
        facts = error.to_dict()
        constraint = facts["note"].split('"')[1] if facts["type"] == "constraint-error" else facts["type"]
        constraint = {"primary-key": "primaryKey", "unique-error": "unique"}.get(constraint, constraint)
        found.append((facts["rowNumber"], facts.get("fieldName") or key[-1], constraint))
    return found


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table with a few of the columns of a tab, of right and wrong values, none of its rows blank."""
    tab = draw(st.sampled_from(["main", "chapters", "clinical_info", "notes", "specimens"]))
    schema = load_schema(tab)
    assert schema is not None
    every = [field["name"] for field in schema["fields"]]
    names = draw(st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=7))
    value = st.sampled_from(
        ["", "", "1", "2", "O", "1.0.0", "2951-2", "12345", "x", "Order", "0126", "é", "A1;B2", "a\nb"]
    )
    rows = draw(st.lists(st.lists(value, min_size=len(names), max_size=len(names)).filter(any), max_size=8))
    return table_of(tab, names, rows)


@given(tables())
@settings(max_examples=20, deadline=None)
def test_the_errors_are_those_of_frictionless_on_the_whole_table(table: Table) -> None:
    assert errors_of(table) == (frictionless_says(table) if table.records else [])


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_every_schema_is_one_for_frictionless_and_its_constraints_belong_to_rules(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    Schema.from_descriptor({key: value for key, value in content.items() if key != "foreignKeys"})
    for field in content["fields"]:
        assert set(field.get("constraints", ())) <= set(field.get("jdv:rules", ())), field["name"]
    for name in content.get("primaryKey", ()):
        assert "primaryKey" in next(field for field in content["fields"] if field["name"] == name)["jdv:rules"]


def test_a_cell_completed_from_above_is_not_told_again() -> None:
    assert errors_of(table_of("main", ["order_code", "rank"], [["x", "y"]])) == [
        (2, "order_code", "pattern"),
        (2, "rank", "pattern"),
    ]
    assert errors_of(table_of("main", ["order_code", "rank"], [["x", "y"]], frozenset({"order_code"}))) == [
        (2, "rank", "pattern")
    ]


def test_a_constraint_without_a_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = [{"name": "code", "type": "string", "constraints": {"maxLength": 2}}]
    monkeypatch.setattr(schemas, "load_schema", lambda tab: {"fields": fields})
    with pytest.raises(LookupError, match="code: no rule for the constraint maxLength"):
        errors_of(table_of("main", ["code"], [["abc"]]))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"name": "code", "type": "texte"}, "code: no field type texte"),
        (
            {"name": "code", "type": "string", "constraints": {"minimum": 2}},
            "code: no constraint minimum for the type string",
        ),
    ],
)
def test_a_field_that_frictionless_does_not_know_is_refused(field: dict[str, Any], message: str) -> None:
    with pytest.raises(LookupError, match=message):
        judge([(field, ["a"])])


def test_values_are_judged() -> None:
    assert judge(COLUMNS) == VERDICTS


needs_spawn = pytest.mark.skipif(
    not hasattr(os, "posix_spawn"), reason="no posix_spawn here: values are judged in this process"
)


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """More than one processor, whatever this machine has; no process is left behind."""
    monkeypatch.setattr(beside, "processors", lambda: 2)
    monkeypatch.setattr(schema_process, "PATIENCE", 600)
    yield
    assert not schema_process.is_begun()


@pytest.fixture
def judged_here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of columns of each time that this process judged itself."""
    counts: list[int] = []
    judge_here = schema_process._judge_here
    monkeypatch.setattr(
        schema_process, "_judge_here", lambda columns: counts.append(len(columns)) or judge_here(columns)
    )
    return counts


def is_gone(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


@needs_spawn
@pytest.mark.usefixtures("two_processors")
def test_the_process_says_what_would_be_said_here(judged_here: list[int]) -> None:
    many = [f"{number}-0" for number in range(40_000)]
    assert schema_process.begin()
    assert not schema_process.begin()
    pid = schema_process._begun[0].pid
    verdicts = schema_process.ask([*COLUMNS, (COLUMNS[1][0], [*many, "much longer than what a pipe holds"])])
    assert verdicts() == [*VERDICTS, {"much longer than what a pipe holds": ["pattern"]}]
    assert judged_here == []
    assert is_gone(pid)


@needs_spawn
@pytest.mark.usefixtures("two_processors")
@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(3)",
        "import os, sys; sys.stdin.buffer.read(10); os.write(1, b'not an answer')",
        "import marshal, os, sys; sys.stdin.buffer.read(10); os.write(1, marshal.dumps([{}]))",
        "import time; time.sleep(600)",
        "not Python",
    ],
    ids=["dies", "answers anything", "answers too little", "hangs", "does not start"],
)
def test_what_the_process_fails_to_say_is_found_here(
    program: str, judged_here: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_process, "PATIENCE", 0.3)
    path = tmp_path / "program.py"
    path.write_text(program)
    assert schema_process.begin(path)
    pid = schema_process._begun[0].pid
    assert schema_process.ask([*COLUMNS, (COLUMNS[0][0], ["1"] * 200_000)])() == [*VERDICTS, {}]
    assert judged_here == [4]
    assert is_gone(pid)


@needs_spawn
@pytest.mark.usefixtures("two_processors")
def test_the_process_ends_with_the_one_that_began_it() -> None:
    assert schema_process.begin()
    process = schema_process._begun.pop()
    os.close(process.to)  # as the system does when a process ends, or is killed
    os.waitpid(process.pid, 0)
    os.close(process.back)


def test_one_processor_begins_no_process(judged_here: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "processors", lambda: 1)
    assert not schema_process.begin()
    assert schema_process.ask(COLUMNS)() == VERDICTS
    assert judged_here == [3]


@needs_spawn
def test_no_process_is_begun_where_a_standard_stream_is_closed() -> None:
    code = (
        "import os, sys; from jdv_qa import beside; from jdv_qa.checks import schema_process\n"
        "beside.processors = lambda: 2\n"
        "print(schema_process.begin(), schema_process.ask([({'name': 'a', 'type': 'integer'}, ['x'])])())\n"
        "try: os.fstat(0)\n"
        "except OSError: print('closed')\n"
    )
    command = ["sh", "-c", 'exec "$0" -c "$1" <&-', sys.executable, code]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["False [{'x': ['type']}]", "closed"]


@pytest.mark.parametrize("allowed", [True, False], ids=["fields alone", "all of it"])
def test_the_process_imports_no_more_of_frictionless_than_that_allows(allowed: bool) -> None:
    code = (
        "import importlib.util, sys, types\n"
        f"if not {allowed}: importlib.util.module_from_spec = lambda spec: types.ModuleType(spec.name)\n"
        "from jdv_qa.checks import schema_verdicts\n"
        "schema_verdicts._import_fields()\n"
        "print(schema_verdicts.judge([({'name': 'a', 'type': 'integer'}, ['x', '1'])]))\n"
        "print('frictionless.resource' in sys.modules)\n"
        "print('pydantic' in sys.modules)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["[{'x': ['type']}]", str(not allowed), str(not allowed)]

"""`jdv triage apply`: the workbook that comes out, for each way of writing orders, and what is said of it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.cli.app import main
from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Change
from jdv_qa.sample import build, files
from jdv_qa.workbook.edition import Edition, MergedRange
from jdv_qa.workbook.read import read_edition
from jdv_qa.workbook.sheets import read_with_calamine, read_with_openpyxl
from tests.triage.registers import write_register
from tests.triage.test_decisions import instruction

ACCEPTABLE = 16
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jdv(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process: (exit status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def sample_register(path: Path, accepted: Sequence[str] = ("acceptable",)) -> Path:
    """Write the register of the sample, the requests of some verdicts accepted and the others refused."""
    rows = []
    for row in build.read_table("requests"):
        verdict = row.pop("verdict")
        rows.append(row | {"decision": "acceptée" if verdict in accepted else "refusée"})
    return write_register(rows, path)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def checked(jdv: Run, path: Path, *options: object) -> dict[str, Any]:
    _, out, _ = jdv("check", path, "--format", "json", *options)
    found: dict[str, Any] = json.loads(out)
    return found


def errors(report: dict[str, Any]) -> Counter[tuple[object, ...]]:
    names = ("rule", "tab", "code", "field", "value")
    return Counter(tuple(one.get(name) for name in names) for one in report["findings"] if one["severity"] == "error")


def changes(old: Edition, new: Edition) -> set[tuple[str, str, str, str | None, str | None, str | None]]:
    def line(change: Change) -> tuple[str, str, str, str | None, str | None, str | None]:
        other = change.result if change.part == "association" else change.nabm
        if change.kind != "modified":
            return change.kind, change.part, change.code, other, None, None
        return change.kind, change.part, change.code, change.field, change.old, change.new

    return {line(change) for change in compare(old, new).changes}


EXPECTED = {
    ("added", "result", "70204-3", None, None, None),
    ("added", "association", "24331-1", "70204-3", None, None),
    ("added", "result", "48378-4", None, None, None),
    ("added", "association", "57778-3", "48378-4", None, None),
    ("added", "result", "24113-3", None, None, None),
    ("added", "association", "77190-7", "24113-3", None, None),
    ("modified", "result", "19113-0", "unit", "[IU]/mL", "k[IU]/L"),
    ("modified", "result", "62238-1", "result_display", "DFG estimé (CKD-EPI)", "DFG estimé (CKD-EPI 2009)"),
    ("modified", "order", "42595-9", "specimen", "SER", "PLAS"),
    ("removed", "result", "17861-6", None, None, None),
    ("removed", "association", "2000-8", "17861-6", None, None),
    ("added", "association", "24325-3", "1751-7", None, None),
    ("modified", "order", "48066-5", "order_synonyms", "D-D", "D-D;Produits de dégradation de la fibrine"),
    ("added", "nabm", "85421-6", "0270", None, None),
    ("removed", "nabm", "24353-5", "0412", None, None),
    ("added", "specimen", "LAVG", None, None, None),
    ("added", "technique", "BAX", None, None, None),
    ("removed", "order", "6598-7", None, None, None),
    ("removed", "result", "6598-7", None, None, None),
    ("removed", "association", "6598-7", "6598-7", None, None),
    ("removed", "nabm", "6598-7", "7335", None, None),
    ("modified", "result", "15061-5", "chapter", "18723-7", "92895-2"),
    ("modified", "result", "15061-5", "subchapter", "18723-7", "92895-2"),
    ("modified", "result", "15061-5", "rank", "70", "300"),
    (
        "modified", "order", "4537-7", "order_label", "Vitesse de sédimentation",
        "Vitesse de sédimentation (première heure)",
    ),
}  # fmt: skip


def test_the_sample_has_what_was_accepted_and_nothing_else(tmp_path: Path, jdv: Run) -> None:
    draft, register, new = files()["1.0.0"], sample_register(tmp_path / "demandes.csv"), tmp_path / "suivant.xlsx"
    status, out, err = jdv("triage", "apply", register, draft, "-o", new)
    assert status == 0, out
    assert f"{ACCEPTABLE} reportées" in err
    old, after = read_edition(draft), read_edition(new)
    assert changes(old, after) == EXPECTED
    assert not errors(checked(jdv, new)) - errors(checked(jdv, draft))
    before, written = parts(draft), parts(new)
    assert list(before) == list(written)
    touched = {name for name in before if before[name] != written[name]}
    tabs = ("main", "specimens", "techniques", "indicators")
    names = [sheet.name for sheet in old.sheets]
    sheets = {f"xl/worksheets/sheet{names.index(old.tables[tab].sheet) + 1}.xml" for tab in tabs}
    assert touched == {*sheets, "xl/workbook.xml"}
    # The named ranges of filters and of printing grow with their tables; nothing else of the workbook part changes.
    ranges = re.compile(rb"(?<=>)[^<]*(?=</definedName>)")
    assert ranges.sub(b"", before["xl/workbook.xml"]) == ranges.sub(b"", written["xl/workbook.xml"])


def test_a_second_application_changes_nothing(tmp_path: Path, jdv: Run) -> None:
    every = tuple({row["verdict"] for row in build.read_table("requests")})
    register, first, second = (
        sample_register(tmp_path / "demandes.csv", every),
        tmp_path / "1.xlsx",
        tmp_path / "2.xlsx",
    )
    status, out, _ = jdv("triage", "apply", register, files()["1.0.0"], "-o", first)
    assert status == 1
    assert "NON REPORTÉES" in out
    assert not errors(checked(jdv, first))
    status, out, _ = jdv("triage", "apply", register, first, "-o", second)
    assert status == 1
    assert "déjà faites" in out.splitlines()[0]
    assert " reportées," not in out.splitlines()[0].replace("non reportées", "")
    assert first.read_bytes() == second.read_bytes()


def test_merged_orders_stay_merged(tmp_path: Path, jdv: Run) -> None:
    draft = read_edition(files()["1.1.0"])
    assert draft.main.grouping == "merge"
    single = next(
        one for one in draft.orders.values() if len(one.records) == 1 and one.code not in ("1751-7", "2951-2")
    )
    several = [one for one in draft.orders.values() if len(one.records) == 3]
    rows: list[dict[str, object]] = [
        {"kind": "Création", "object": "Résultat", "code": "1751-7", "order": single.code},
        {"kind": "Création", "object": "Résultat", "code": "2951-2", "order": single.code},
        {"kind": "Création", "object": "Résultat", "code": "2951-2", "order": several[0].code},
        {
            "kind": "Suppression",
            "object": "Résultat",
            "code": several[1].records[0]["result_code"],
            "order": several[1].code,
        },
        {
            "kind": "Modification",
            "object": "Demande",
            "code": several[1].code,
            "field": "Synonymes",
            "value": "Un synonyme",
        },
    ]
    rows += [
        {"kind": "Suppression", "object": "Résultat", "code": record["result_code"], "order": several[2].code}
        for record in several[2].records[1:]
    ]
    register = write_register([row | {"decision": "acceptée"} for row in rows], tmp_path / "demandes.csv")
    new = tmp_path / "suivant.xlsx"
    status, out, _ = jdv("triage", "apply", register, files()["1.1.0"], "-o", new)
    assert status == 0, out
    after = read_edition(new)
    sheet = after.sheet_of("main")
    assert sheet is not None
    column = after.main.column_of["order_code"]

    def merged(code: str) -> MergedRange | None:
        rows = [record.row for record in after.orders[code].records]
        assert rows == list(range(rows[0], rows[-1] + 1))
        wanted = MergedRange(rows[0], column, rows[-1], column)
        return wanted if wanted in sheet.merged else None

    for code, number in ((single.code, 3), (several[0].code, 4), (several[1].code, 2)):
        assert len(after.orders[code].records) == number
        assert merged(code), code
    assert len(after.orders[several[2].code].records) == 1
    assert merged(several[2].code) is None
    assert after.orders[several[1].code]["order_synonyms"] == "Un synonyme"
    for code in (single.code, several[1].code, several[2].code):
        assert after.orders[code]["order_label"] == draft.orders[code]["order_label"]
    assert all((one.first_row, one.first_column) != (one.last_row, one.last_column) for one in sheet.merged)
    assert not errors(checked(jdv, new)) - errors(checked(jdv, files()["1.1.0"]))
    assert read_edition(new, reader=read_with_openpyxl) == read_edition(new, reader=read_with_calamine)


def test_figures_are_stored_as_their_neighbours_and_codes_as_text(tmp_path: Path, jdv: Run) -> None:
    draft, new = files()["1.0.0"], tmp_path / "suivant.xlsx"
    jdv("triage", "apply", sample_register(tmp_path / "demandes.csv"), draft, "-o", new)
    before, after = read_edition(draft), read_edition(new)
    (record,) = after.results["70204-3"].records
    model = before.orders["24331-1"].records[-1]
    for name in ("rank", "comparability", "nabm_code", "order_code", "chapter"):
        assert record.cell(name).kind == model.cell(name).kind, name
    assert record.cell("result_code").kind == "text"


def test_the_style_is_that_of_the_row_above(tmp_path: Path, jdv: Run) -> None:
    import openpyxl

    new = tmp_path / "suivant.xlsx"
    jdv("triage", "apply", sample_register(tmp_path / "demandes.csv"), files()["1.0.0"], "-o", new)
    after = read_edition(new)
    (record,) = after.results["70204-3"].records
    sheet = openpyxl.load_workbook(new)[after.main.sheet]
    for name, column in after.main.column_of.items():
        own, above = sheet.cell(record.row, column), sheet.cell(record.row - 1, column)
        assert own.style_id == above.style_id, name


def test_the_workbook_of_the_meeting(tmp_path: Path, jdv: Run) -> None:
    lines = [("1", "14682-9", "…", "acceptée", "", "mmol/L", "", "vu en séance")]
    meeting, new = instruction(tmp_path / "instruction.xlsx", lines), tmp_path / "suivant.xlsx"
    status, out, _ = jdv("triage", "apply", meeting, files()["1.0.0"], "-o", new)
    assert status == 0, out
    assert "retenu\u00a0: mmol/L" in out
    assert read_edition(new).results["14682-9"]["unit"] == "mmol/L"


def test_nothing_accepted_gives_the_same_bytes(tmp_path: Path, jdv: Run) -> None:
    new = tmp_path / "suivant.xlsx"
    status, out, _ = jdv("triage", "apply", sample_register(tmp_path / "demandes.csv", ()), files()["1.0.0"], "-o", new)
    assert status == 0
    assert "refusées" in out
    assert new.read_bytes() == files()["1.0.0"].read_bytes()


def test_dry_run_writes_nothing(tmp_path: Path, jdv: Run) -> None:
    register, new = sample_register(tmp_path / "demandes.csv"), tmp_path / "suivant.xlsx"
    status, out, _ = jdv("triage", "apply", register, files()["1.0.0"], "-o", new, "--dry-run")
    assert status == 0
    assert f"REPORTÉES  ({ACCEPTABLE})" in out
    assert not new.exists()


def test_json_and_log(tmp_path: Path, jdv: Run) -> None:
    register, new = sample_register(tmp_path / "demandes.csv"), tmp_path / "suivant.xlsx"
    log, text = tmp_path / "journal.json", tmp_path / "journal.txt"
    status, out, _ = jdv("triage", "apply", register, files()["1.0.0"], "-o", new, "-f", "json", "--log", log)
    assert status == 0
    found = json.loads(out)
    assert log.read_text(encoding="utf-8").strip() == out.strip()
    assert found["schema"] == "jdv-application/1"
    assert found["summary"] == {"carried": ACCEPTABLE, "present": 0, "refused": 0, "not-accepted": 24}
    unit = found["requests"][3]
    assert (unit["number"], unit["decision"], unit["state"]) == (4, "accepted", "carried")
    (change,) = unit["changes"]
    assert (change["field"], change["before"], change["after"], change["action"]) == (
        "unit",
        "[IU]/mL",
        "k[IU]/L",
        "set",
    )
    after = read_edition(new)
    assert change["cell"] == after.main.address(after.results["19113-0"].records[0], "unit")
    assert found["result"]["rows"] == len(after.main.records)
    jdv("triage", "apply", register, files()["1.0.0"], "--dry-run", "--log", text)
    assert "[IU]/mL → k[IU]/L" in text.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "case", ["no place", "over the draft", "over the register", "exists", "no register", "one table"]
)
def test_trouble_is_one_line(case: str, tmp_path: Path, jdv: Run) -> None:
    draft, register = tmp_path / "brouillon.xlsx", sample_register(tmp_path / "demandes.csv")
    draft.write_bytes(files()["1.0.0"].read_bytes())
    taken = tmp_path / "pris.xlsx"
    taken.write_text("là")
    arguments: dict[str, tuple[object, ...]] = {
        "no place": (register, draft),
        "over the draft": (register, draft, "-o", draft, "--force"),
        "over the register": (register, draft, "-o", register, "--force"),
        "exists": (register, draft, "-o", taken),
        "no register": (files()["1.0.0"], draft, "-o", tmp_path / "suivant.xlsx"),
        "one table": (register, draft, "-o", tmp_path / "suivant.xlsx", "--layout", "loinc_fr"),
    }
    status, _, err = jdv("triage", "apply", *arguments[case])
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert draft.read_bytes() == files()["1.0.0"].read_bytes()
    assert taken.read_text() == "là"


@pytest.mark.slow
def test_full_size_workbooks_of_every_grouping(
    corpus: Callable[[int, str, str], Path], tmp_path: Path, jdv: Run
) -> None:
    results = []
    for layout, grouping in (("a", "repeat"), ("a", "blank"), ("b", "merge")):
        draft = corpus(1, layout, grouping) / "v1.xlsx"
        register = write_register(mixed_requests(read_edition(draft)), tmp_path / f"{layout}-{grouping}.csv")
        first, second = tmp_path / f"{layout}-{grouping}-1.xlsx", tmp_path / f"{layout}-{grouping}-2.xlsx"
        status, out, _ = jdv("triage", "apply", register, draft, "-o", first)
        assert status in (0, 1), out
        assert not errors(checked(jdv, first)) - errors(checked(jdv, draft))
        jdv("triage", "apply", register, first, "-o", second)
        assert first.read_bytes() == second.read_bytes()
        results.append(read_edition(first))
        assert results[-1].main.grouping == grouping
    for other in results[1:]:
        assert not compare(results[0], other).changes


def mixed_requests(edition: Edition) -> list[dict[str, object]]:
    """Return some 150 requests of every kind, spread over a workbook, many on the same orders."""
    orders = [order for order in edition.orders.values() if "-" in order.code]
    results = [result for result in edition.results.values() if "-" in result.code]
    large = [order for order in orders if len(order.records) > 2]
    rows: list[dict[str, object]] = []
    for result in results[::60]:
        rows.append({"kind": "Modification", "object": "Résultat", "code": result.code, "field": "Libellé d'édition",
                     "value": f"{result['result_display']} bis"})  # fmt: skip
    for order in orders[::40]:
        rows.append(
            {
                "kind": "Modification",
                "object": "Demande",
                "code": order.code,
                "field": "Synonymes",
                "value": f"S {order.code}",
            }
        )
    for order, result in zip(orders[7::40], results[5::70], strict=False):
        rows.append({"kind": "Création", "object": "Résultat", "code": result.code, "order": order.code})
    for order, result in zip(large[::12], results[9::37], strict=False):
        rows += [
            {"kind": "Suppression", "object": "Résultat", "code": record["result_code"], "order": order.code}
            for record in order.records[:2]
        ]
        rows.append({"kind": "Création", "object": "Résultat", "code": result.code, "order": order.code})
        rows.append(
            {
                "kind": "Modification",
                "object": "Demande",
                "code": order.code,
                "field": "Nature de prélèvement",
                "value": "PLAS",
            }
        )
    rows += [{"kind": "Suppression", "object": "Demande", "code": order.code} for order in orders[11::100]]
    return [row | {"decision": "acceptée"} for row in rows]

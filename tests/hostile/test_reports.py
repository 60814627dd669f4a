"""Hostile laboratory reports (CDA) and registers of requests in CSV: one French line and status 2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jdv_qa.cli.app import main
from jdv_qa.sample import files
from tests.hostile.cases import LAUGHS, OUTSIDE

CDA = "urn:hl7-org:v3"
REPORTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "."),
    "no XML": (b"Rien", "."),
    "cut": (f'<ClinicalDocument xmlns="{CDA}"><code'.encode(), "."),
    "entity bomb": ((LAUGHS + f'<ClinicalDocument xmlns="{CDA}">&c;</ClinicalDocument>').encode(), "type de document|DOCTYPE"),
    "external entity": ((OUTSIDE + f'<ClinicalDocument xmlns="{CDA}">&f;</ClinicalDocument>').encode(), "type de document|DOCTYPE"),
    "entity bomb in UTF-16": (
        (LAUGHS + f'<ClinicalDocument xmlns="{CDA}">&c;</ClinicalDocument>').encode("utf-16"),
        "type de document|DOCTYPE",
    ),
    "another document": (b"<html/>", "CDA"),
    "depth": (f'<ClinicalDocument xmlns="{CDA}">'.encode() + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</ClinicalDocument>", "."),
    "NUL": (b"<ClinicalDocument>\x00</ClinicalDocument>", "."),
}  # fmt: skip


@pytest.mark.parametrize("name", REPORTS)
def test_a_hostile_laboratory_report(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content, said = REPORTS[name]
    path = tmp_path / "CR été.xml"
    path.write_bytes(content)
    assert main(["cda", str(path), "--with", str(files()["1.1.0"])]) == 2
    told = capfd.readouterr().err
    assert told.count("\n") == 1, told
    assert str(path) in told
    assert re.search(said, told), told


REGISTERS: dict[str, bytes] = {
    "empty": b"",
    "zip": b"PK\x03\x04" + b"\0" * 100,
    "NUL": b"Num\0;Code\n1;2",
    "one line without end": b"x" * 3_000_000,
    "quote that never ends": b'N;Code\n1;"' + b"x" * 3_000_000,
}


@pytest.mark.parametrize("name", REGISTERS)
def test_a_hostile_register_in_csv(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "registre.csv"
    path.write_bytes(REGISTERS[name])
    assert main(["triage", "review", str(path), str(files()["1.1.0"])]) == 2
    told = capfd.readouterr().err
    assert told.count("\n") == 1, told
    assert str(path) in told

"""Small editions made straight from records, without a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jdv_qa.workbook.edition import MAIN_FIELDS, Column, Edition, Identity, Record, Source, Table

REFERENCE_FIELDS: dict[str, Sequence[str]] = {"chapters": ("code", "label", "subcode", "sublabel")}

Row = Mapping[str, str]


def table(key: str, rows: Iterable[Row], fields: Sequence[str], first_row: int = 2) -> Table:
    """Return a table with a column for each of the fields; blank cells may be given as ""."""
    columns = tuple(Column(place, name, name) for place, name in enumerate(fields, 1))
    records = tuple(
        Record(number, {name: text for name, text in row.items() if text}) for number, row in enumerate(rows, first_row)
    )
    return Table(key, records, key, first_row - 1, columns)


def edition(
    rows: Iterable[Row] = (),
    tabs: Mapping[str, Iterable[Row]] | None = None,
    *,
    version: str = "1.0.0",
    date: str = "2026-01-15",
    loinc: str = "2.80",
    path: str = "jdv.xlsx",
    fields: Sequence[str] = MAIN_FIELDS,
    tab_fields: Mapping[str, Sequence[str]] | None = None,
) -> Edition:
    """Return an edition with these rows of the main tab and of the reference tabs."""
    tables = {"main": table("main", rows, fields, 3)}
    for key, entries in (tabs or {}).items():
        columns = (REFERENCE_FIELDS | dict(tab_fields or {})).get(key, ("code", "label"))
        tables[key] = table(key, entries, columns)
    identity = Identity(version, date, loinc, "JDV_CircuitBio")
    return Edition(tables, identity, Source(path, "0" * 64), "circuitbio")


def row(order: str = "2951-2", result: str | None = None, **fields: str) -> dict[str, str]:
    """Return a plain row: an order and one of its results, by default the same code."""
    result = order if result is None else result
    return {
        "order_code": order,
        "order_label": f"Demande {order}",
        "order_loinc_label": f"Demande LOINC {order}",
        "order_type": "Both",
        "specimen": "SER",
        "chapter": "18719-5",
        "subchapter": "18719-5",
        "rank": "10",
        "result_code": result,
        "result_loinc_label": f"Résultat {result} [Moles/Volume] Sérum/Plasma ; Numérique",
        "result_display": f"Résultat {result}",
        "comparability": "1",
        "discriminating_technique": "N",
        "unit": "mmol/L",
    } | fields


def terms(rows: Iterable[Row], fields: Sequence[str]) -> Edition:
    """Return an edition in one-table form."""
    return Edition({"terms": table("terms", rows, fields)}, source=Source("terms.xlsx", "0" * 64), layout="loinc_fr")

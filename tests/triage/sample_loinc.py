"""A LOINC release that holds the codes of edition 1.0.0 of the sample, by its own labels, and those that the requests bring in."""

from __future__ import annotations

from pathlib import Path

from jdv_qa.terminology.codes import is_loinc
from jdv_qa.terminology.labels import loinc_parts, parse_label
from jdv_qa.workbook.edition import Edition
from tests.loinc_files import release_files, table, term, write_folder

ASKED = [
    term("70204-3", "Cholesterol.non HDL", "SCnc", "Ser/Plas"),
    term("48378-4", "Immunoglobulin light chains.kappa.free/Immunoglobulin light chains.lambda.free", "MRto", "Ser"),
    term("24113-3", "Hepatitis B virus core Ab.IgM", "PrThr", "Ser/Plas", SCALE_TYP="Ord", METHOD_TYP="IA", CLASS="MICRO"),
    term("33863-2", "Cystatin C", "MCnc", "Ser/Plas"),
    term("38445-3", "Calprotectin", "MCnt", "Stool"),
    term("67151-1", "Troponin T.cardiac", "MCnc", "Ser/Plas", METHOD_TYP="High sensitivity"),
    term("74774-1", "Glucose", "MCnc", "Ser/Plas/Bld"),
    term("47390-0", "Toxoplasma gondii Ab.IgG", "ACnc", "Ser", METHOD_TYP="Dye test", CLASS="MICRO"),
    term("24242-0", "Toxoplasma gondii Ab.IgG^1st specimen", "ACnc", "Ser", CLASS="MICRO"),
    term("2532-0", "Lactate dehydrogenase", "CCnc", "Ser/Plas", STATUS="DEPRECATED"),
]  # fmt: skip


def write_release(folder: Path, edition: Edition) -> Path:
    """Write the release, and return its folder."""
    terms = {one["LOINC_NUM"]: one for one in ASKED}
    labels = {code: (result["result_loinc_label"], "Both") for code, result in edition.results.items()}
    labels |= {code: (order["order_loinc_label"], order["order_type"]) for code, order in edition.orders.items()}
    for code, (text, order_obs) in labels.items():
        label = parse_label(text)
        if not is_loinc(code) or label is None:
            continue
        axes = {
            name: min(loinc_parts(axis, getattr(label, axis)), default=getattr(label, axis))
            for name, axis in (
                ("property_", "property"),
                ("system", "system"),
                ("SCALE_TYP", "scale"),
                ("METHOD_TYP", "method"),
            )
        }
        terms.setdefault(
            code, term(code, label.component, axes.pop("property_"), axes.pop("system"), ORDER_OBS=order_obs, **axes)
        )
    files = release_files(terms.values())
    files["LoincTable/MapTo.csv"] = table(("LOINC", "MAP_TO", "COMMENT"), [("2532-0", "14804-9", "")])
    return write_folder(folder, files)

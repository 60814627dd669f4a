"""Builds small LOINC releases in the layout of the official one, as a folder or a zip."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from openpyxl import Workbook

from benchmarks.loinc_release import HEADER

FRENCH_HEADER = (
    "LOINC_NUM", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS", "SHORTNAME",
    "LONG_COMMON_NAME", "RELATEDNAMES2", "LinguisticVariantDisplayName",
)  # fmt: skip

PLAIN = {"TIME_ASPCT": "Pt", "SCALE_TYP": "Qn", "CLASS": "CHEM", "STATUS": "ACTIVE", "CLASSTYPE": "1", "ORDER_OBS": "Both",
         "VersionFirstReleased": "1.0", "VersionLastChanged": "2.70", "CHNG_TYPE": "MIN"}  # fmt: skip


def term(code: str, component: str, property_: str, system: str, name: str = "", **more: str) -> dict[str, str]:
    return (
        PLAIN
        | {
            "LOINC_NUM": code,
            "COMPONENT": component,
            "PROPERTY": property_,
            "SYSTEM": system,
            "LONG_COMMON_NAME": name or f"{component} [{property_}] in {system}",
        }
        | more
    )


TERMS = [
    term("2951-2", "Sodium", "SCnc", "Ser/Plas", "Sodium [Moles/volume] in Serum or Plasma", EXAMPLE_UCUM_UNITS="mmol/L",
         COMMON_TEST_RANK="5", RELATEDNAMES2="Na; Natremia", SHORTNAME="Sodium SerPl-sCnc", VersionLastChanged="2.80"),
    term("2955-3", "Sodium", "SCnc", "Urine", "Sodium [Moles/volume] in Urine"),
    term("2956-1", "Sodium", "SRat", "Urine", "Sodium [Moles/time] in 24 hour Urine", TIME_ASPCT="24H"),
    term("22760-3", "Potassium", "MCnc", "Ser/Plas", STATUS="DISCOURAGED", STATUS_TEXT="No units are associated"),
    term("2823-3", "Potassium", "SCnc", "Ser/Plas", COMMON_TEST_RANK="3"),
    term("10550-2", "Temazepam", "MCnc", "Ser/Plas", "Deprecated Temazepam", STATUS="DEPRECATED", STATUS_REASON="Duplicate"),
    term("3319-1", "Temazepam", "MCnc", "Ser/Plas"),
    term("14684-5", "Creatinine", "SRat", "Urine", "Creatinine [Moles/time] in 24 hour Urine", TIME_ASPCT="24H"),
    term("14683-7", "Creatinine", "SCnc", "Urine", "Creatinine [Moles/volume] in Urine"),
    term("14682-9", "Creatinine", "SCnc", "Ser/Plas", "Creatinine [Moles/volume] in Serum or Plasma", COMMON_TEST_RANK="1"),
    term("14749-6", "Glucose", "SCnc", "Ser/Plas"),
    term("14753-8", "Glucose^1H post dose glucose", "SCnc", "Ser/Plas"),
    term("718-7", "Hemoglobin", "MCnc", "Bld", "Hemoglobin [Mass/volume] in Blood", EXAMPLE_UCUM_UNITS="g/dL"),
    term("5193-8", "Hepatitis B virus surface Ab", "ACnc", "Ser", EXAMPLE_UCUM_UNITS="m[IU]/mL", RELATEDNAMES2="anti-HBs; [b]HBs Ab[/b]"),
    term("24326-1", "Electrolytes 1998 panel", "-", "Ser/Plas", "Electrolytes 1998 panel - Serum or Plasma", SCALE_TYP="-",
         ORDER_OBS="Order"),
    term("29463-7", "Body weight", "Mass", "^Patient", CLASS="BDYWGT.ATOM", CLASSTYPE="2"),
    term("62580-6", "Trial substance", "MCnc", "Ser", STATUS="TRIAL"),
    term("5895-7", "Coagulation tissue factor induced.INR", "RelTime", "PPP", STATUS="DEPRECATED"),
    term("6301-6", "Coagulation tissue factor induced.INR", "RelTime", "PPP"),
]  # fmt: skip
MAP_TO = [
    ("10550-2", "3319-1", ""),
    ("22760-3", "10550-2", "Masse"),
    ("22760-3", "2823-3", "Moles"),
    ("5895-7", "6301-6", ""),
]
FRENCH = [
    ("2951-2", "Sodium", "Moles/Volume", "Ponctuel", "Sérum/Plasma", "Numérique", "", "Biochimie", "",
     "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "", ""),
    ("14684-5", "Créatinine", "Moles/Temps", "24H", "Urine", "Numérique", "", "Biochimie", "",
     "Créatinine [Moles/Temps] 24H ; Urine ; Numérique", "", ""),
    ("14683-7", "Créatinine", "Moles/Volume", "Ponctuel", "Urine", "Numérique", "", "Biochimie", "",
     "Créatinine [Moles/Volume] Urine ; Numérique", "Créatininurie", ""),
    ("14682-9", "Créatinine", "Moles/Volume", "Ponctuel", "Sérum/Plasma", "Numérique", "", "Biochimie", "",
     "Créatinine [Moles/Volume] Sérum/Plasma ; Numérique", "Créatininémie", ""),
    ("718-7", "Hémoglobine", "Masse/Volume", "Ponctuel", "Sang", "Numérique", "", "Hématologie", "",
     "Hémoglobine [Masse/Volume] Sang ; Numérique", "", ""),
]  # fmt: skip
SNAPSHOT = [
    ("2.80", "2951-2", "STATUS", "TRIAL", "ACTIVE", "Reviewed"),
    ("2.80", "2951-2", "LongCommonName", "a", "b", ""),
]
UPDATES = [
    ("BEFORE", "2823-3", "Potassium", "SCnc", "Pt", "Ser", "Qn", "", "CHEM"),
    ("CHANGED", "2823-3", "Potassium", "SCnc", "Pt", "Ser/Plas", "Qn", "", "CHEM"),
    ("ADD", "62580-6", "Trial substance", "MCnc", "Pt", "Ser", "Qn", "", "CHEM"),
]


def table(header: Iterable[str], rows: Iterable[Iterable[str]], bom: bool = True) -> bytes:
    """A table as LOINC writes them: every value quoted, CRLF, mostly with a byte order mark."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def release_files(terms: Iterable[Mapping[str, str]] = TERMS) -> dict[str, bytes]:
    """The files of a release, by their path in it."""
    return {
        "LoincTable/Loinc.csv": table(HEADER, ([row.get(name, "") for name in HEADER] for row in terms)),
        "LoincTable/MapTo.csv": table(("LOINC", "MAP_TO", "COMMENT"), MAP_TO),
        "LoincTableCore/LoincTableCore.csv": table(HEADER[:8], []),
        "AccessoryFiles/PanelsAndForms/Loinc.csv": table(HEADER, [["9999-9"] + [""] * (len(HEADER) - 1)]),
        "AccessoryFiles/LinguisticVariants/frFR18LinguisticVariant.csv": table(FRENCH_HEADER, FRENCH),
        "AccessoryFiles/LinguisticVariants/frCA8LinguisticVariant.csv": table(FRENCH_HEADER, []),
        "AccessoryFiles/ChangeSnapshot/LoincChangeSnapshot.csv": table(
            ("VersionEffective", "LOINC_NUM", "Property", "ValuePrior", "ValueCurrent", "ChangeReason"), SNAPSHOT
        ),
        "AccessoryFiles/Updates/Updates.csv": table(("RecType", *HEADER[:8]), UPDATES, bom=False),
        "LoincReadMe.txt": b"LOINC",
    }


def write_folder(folder: Path, files: Mapping[str, bytes] | None = None) -> Path:
    for name, content in (files or release_files()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (files or release_files()).items():
            archive.writestr(name, content)
    return path


SMT_HEADERS = (
    "Code LOINC", "Libellé français de référence", "Composant anglais", "Composant français", "Synonymes", "Grandeur", "Temps",
    "Milieu biologique", "Echelle", "Technique", "Chapitre", "Date de validation", "Version VP", "Statut", "Version item corrigé",
)  # fmt: skip
SMT_ROWS = [
    ("2951-2", "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", "Sodium", "Sodium", "natrémie", "Moles/Volume", "Ponctuel",
     "Sérum/Plasma", "Numérique", None, "CHEM", "2024-06-01", "2.23", "ACTIVE", None),
    ("14684-5", "Créatinine [Moles/Temps] Urine des 24 heures ; Numérique", "Creatinine", "Créatinine", None, "Moles/Temps", "24H",
     "Urine des 24 heures", "Numérique", None, "CHEM", "2024-06-01", "2.23", "ACTIVE", None),
    ("99999-6", "Autre [Moles/Volume] Urine ; Numérique", "Other", "Autre", None, "Moles/Volume", "Ponctuel", "Urine", "Numérique", None,
     "CHEM", "2024-06-01", "2.23", "ACTIVE", None),
]  # fmt: skip


def write_smt(path: Path) -> Path:
    """A workbook in the form of the SMT's: title in row 1, headers in row 2."""
    book = Workbook()
    book.active.title = "Jeu de valeurs"
    book.active.append(["LOINC Biologie FR 2.23 (2.79-2.80)"])
    book.active.append(list(SMT_HEADERS))
    for row in SMT_ROWS:
        book.active.append(list(row))
    alignment = book.create_sheet("Alignement NABM-LOINC FR", 0)
    alignment.append(["Code NABM", "Libellé NABM", "Code LOINC", "Libelle LOINC"])
    book.save(path)
    return path

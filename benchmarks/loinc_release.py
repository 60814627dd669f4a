"""A made-up LOINC release of full size, in the layout of the official one: for measuring the import and the checks with it.

`python -m benchmarks.loinc_release FOLDER [WORKBOOK]` writes `LoincTable/Loinc.csv` and `LoincTable/MapTo.csv`. The terms are
made from the tables below, the same every time; nothing in them is LOINC's but the form: 40 columns, every value quoted, codes
with their check digit, texts about as long. A workbook's codes are among the terms, with the axes that its labels say, and its
components have other terms besides, so that checking it against the release is the work that it is with a real one.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice, product
from pathlib import Path

from jdv_qa.terminology.codes import check_digit, is_loinc
from jdv_qa.terminology.labels import loinc_parts, parse_label
from jdv_qa.workbook.read import read_edition

TERMS = 110_000
"""About as many terms as release 2.80 has."""

HEADER = (
    "LOINC_NUM", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS", "VersionLastChanged",
    "CHNG_TYPE", "DefinitionDescription", "STATUS", "CONSUMER_NAME", "CLASSTYPE", "FORMULA", "EXMPL_ANSWERS",
    "SURVEY_QUEST_TEXT", "SURVEY_QUEST_SRC", "UNITSREQUIRED", "RELATEDNAMES2", "SHORTNAME", "ORDER_OBS",
    "HL7_FIELD_SUBFIELD_ID", "EXTERNAL_COPYRIGHT_NOTICE", "EXAMPLE_UNITS", "LONG_COMMON_NAME", "EXAMPLE_UCUM_UNITS",
    "STATUS_REASON", "STATUS_TEXT", "CHANGE_REASON_PUBLIC", "COMMON_TEST_RANK", "COMMON_ORDER_RANK",
    "HL7_ATTACHMENT_STRUCTURE", "EXTERNAL_COPYRIGHT_LINK", "PanelType", "AskAtOrderEntry", "AssociatedObservations",
    "VersionFirstReleased", "ValidHL7AttachmentRequest", "DisplayName",
)  # fmt: skip
"""The columns of Loinc.csv."""

_SUBSTANCES = """
Sodium;Potassium;Chloride;Calcium;Magnesium;Phosphate;Bicarbonate;Glucose;Lactate;Pyruvate;Urea;Creatinine;Urate;Bilirubin;
Cholesterol;Triglyceride;Albumin;Prealbumin;Transferrin;Ferritin;Iron;Copper;Zinc;Selenium;Lead;Cadmium;Mercury;Arsenic;Aluminum;
Cortisol;Aldosterone;Renin;Estradiol;Progesterone;Testosterone;Prolactin;Insulin;Glucagon;Gastrin;Calcitonin;Thyroglobulin;
Thyroxine;Triiodothyronine;Parathyrin;Somatotropin;Lutropin;Follitropin;Ferroxidase;Haptoglobin;Myoglobin;Troponin;Homocysteine;
Alanine;Arginine;Cystine;Glycine;Histidine;Leucine;Lysine;Methionine;Ornithine;Phenylalanine;Proline;Serine;Taurine;Threonine;
Tryptophan;Tyrosine;Valine;Retinol;Thiamine;Riboflavin;Pyridoxine;Cobalamin;Folate;Ascorbate;Tocopherol;Phylloquinone;Carotene;
Acetaminophen;Salicylate;Caffeine;Digoxin;Lithium;Phenytoin;Carbamazepine;Valproate;Vancomycin;Gentamicin;Amikacin;Tacrolimus;
Cyclosporine;Sirolimus;Methotrexate;Morphine;Codeine;Fentanyl;Methadone;Cocaine;Amphetamine;Ethanol;Methanol;Acetone;Toluene;
Lipase;Amylase;Aldolase;Creatine kinase;Lactate dehydrogenase;Alkaline phosphatase;Gamma glutamyl transferase;Elastase;Trypsin;
Fibrinogen;Plasminogen;Antithrombin;Protein C;Protein S;Coagulation factor VII;Coagulation factor VIII;Von Willebrand factor
"""
_ORGANISMS = """
Adenovirus;Alternaria alternata;Aspergillus fumigatus;Bartonella henselae;Bordetella pertussis;Borrelia burgdorferi;Brucella sp;
Candida albicans;Chlamydia trachomatis;Clostridium tetani;Corynebacterium diphtheriae;Coxiella burnetii;Cryptococcus neoformans;
Cytomegalovirus;Dengue virus;Echinococcus granulosus;Entamoeba histolytica;Enterovirus;Epstein Barr virus;Fasciola hepatica;
Francisella tularensis;Giardia lamblia;Haemophilus influenzae;Helicobacter pylori;Hepatitis A virus;Hepatitis B virus;
Hepatitis C virus;Hepatitis E virus;Herpes simplex virus 1;Herpes simplex virus 2;HIV 1;HIV 2;Influenza virus A;Influenza virus B;
Legionella pneumophila;Leishmania sp;Leptospira sp;Listeria monocytogenes;Measles virus;Mumps virus;Mycoplasma pneumoniae;
Neisseria gonorrhoeae;Neisseria meningitidis;Norovirus;Parvovirus B19;Plasmodium falciparum;Poliovirus;Rabies virus;Rotavirus;
Rubella virus;Salmonella typhi;Schistosoma mansoni;Shigella sp;Staphylococcus aureus;Streptococcus pneumoniae;Strongyloides sp;
Taenia solium;Toxocara canis;Toxoplasma gondii;Treponema pallidum;Trichinella spiralis;Trypanosoma cruzi;Varicella zoster virus;
Vibrio cholerae;West Nile virus;Yellow fever virus;Yersinia enterocolitica;Zika virus;Betula verrucosa;Olea europaea
"""
_OF_SUBSTANCES = (
    "", ".free", ".bound", ".total", ".ionized", " metabolite", " fraction", "/Creatinine", "/Albumin", "/Hemoglobin.total",
    "^baseline", "^trough", "^peak", "^30M post dose glucose", "^1H post dose glucose", "^2H post dose glucose",
    "^3H post dose glucose", "^pre 250 ug corticotropin IM", "^1H post 250 ug corticotropin IM", "^12H post CFst",
    "^post exercise", "^specimen 1", "^specimen 2", "^specimen 3", "^post dialysis", " goal", " excretion", " saturation",
    " clearance", " binding capacity",
)  # fmt: skip
_OF_ORGANISMS = (
    "", " Ab", " Ab.IgA", " Ab.IgE", " Ab.IgE.RAST class", " Ab.IgG", " Ab.IgG1", " Ab.IgG2", " Ab.IgG4", " Ab.IgM",
    " Ab.IgG+IgM", " Ab.neut", " Ab.avidity", " Ag", " Ag actual/normal", " DNA", " RNA", " rRNA", " genotype", " mutation",
    " identified", " toxin", " serotype", " 2 Ab.IgG^1st specimen", " 2 Ab.IgG^2nd specimen", " 16S rRNA", " membrane Ab",
    " capsule Ag", " viral load", " resistance",
)  # fmt: skip
_PROPERTIES = (
    ("MCnc", "Qn", "Mass/volume", "ug/mL"), ("SCnc", "Qn", "Moles/volume", "nmol/L"), ("ACnc", "Qn", "Units/volume", "[IU]/mL"),
    ("PrThr", "Ord", "Presence", ""), ("NCnc", "Qn", "#/volume", "10*3/uL"), ("Titr", "Qn", "Titer", "{titer}"),
)  # fmt: skip
_SYSTEMS = (
    ("Ser/Plas", "Serum or Plasma", "SerPl"), ("Urine", "Urine", "Ur"), ("Bld", "Blood", "Bld"),
    ("CSF", "Cerebral spinal fluid", "CSF"), ("Body fld", "Body fluid", "Fld"), ("Stool", "Stool", "Stl"),
    ("XXX", "Specimen", "Spec"), ("Amnio fld", "Amniotic fluid", "Amn"), ("Saliva", "Saliva", "Sal"),
)  # fmt: skip
_METHODS = ("", "IA", "Probe.amp.tar", "IF", "Electrophoresis", "Confirm", "Screen")
_TIMES = ("Pt", "24H")
_CLASSES = ("CHEM", "DRUG/TOX", "SERO", "MICRO", "HEM/BC", "COAG", "ALLERGY")
_WORDS = (
    "Chemistry", "Point in time", "Random", "Level", "Quantitative", "Quant", "Quan", "QNT", "Serum", "Plasma", "SerPlas",
    "SerPl", "Mass concentration", "Substance concentration", "Arbitrary concentration", "Presence or Threshold", "Ordinal",
    "Screen", "Qualitative", "Dipstick", "Antibody", "Antibodies", "Immunoassay", "Enzyme immunoassay",
    "Nucleic acid amplification using target amplification", "Polymerase chain reaction", "PCR",
)  # fmt: skip
_REASONS = (
    "", "", "The PROPERTY was changed to say what laboratories report; the long common name follows.",
    "Updated SYSTEM from Serum to Serum/Plasma, because the test is performed on both specimens and the results compare.",
    "Method added to tell the term from the one without a method, as asked for by the submitter; no change of meaning.",
)  # fmt: skip
_DEPRECATED, _DISCOURAGED, _TRIAL = 67, 101, 71
"""One term in so many has the status; odd numbers, so that they fall on all kinds of terms."""


def write_release(folder: Path, terms: int = TERMS, workbook: Path | None = None) -> Path:
    """Write a release of so many terms into a folder and return the folder; with a workbook, its codes are among them."""
    table = folder / "LoincTable"
    table.mkdir(parents=True, exist_ok=True)
    own = _of_workbook(workbook) if workbook else {}
    replaced: list[tuple[str, str, str]] = []
    with (table / "Loinc.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        rows.writerow(HEADER)
        live = ""
        for number, (code, axes) in enumerate(islice(chain(own.items(), _made_up(own)), terms), 1):
            status = _status(number)
            rows.writerow(_row(number, code, axes, status))
            if status in ("ACTIVE", "TRIAL"):
                live = code
            elif live:
                replaced.append((code, live, "" if number % 2 else "If the method is not known"))
    with (table / "MapTo.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        rows.writerow(("LOINC", "MAP_TO", "COMMENT"))
        rows.writerows(replaced)
    return folder


_Axes = tuple[str, str, str, str, str, str]


def _of_workbook(path: Path) -> dict[str, _Axes]:
    """Return the LOINC codes of a workbook's orders and results with the axes that their labels say."""
    edition = read_edition(path)
    found: dict[str, _Axes] = {}
    for entities, name in ((edition.orders, "order_loinc_label"), (edition.results, "result_loinc_label")):
        for code, entity in entities.items():
            label = parse_label(entity[name])
            if label is None or not is_loinc(code):
                continue
            others = (
                min(loinc_parts(axis, getattr(label, axis)), default=getattr(label, axis)) for axis in _OTHER_AXES
            )
            found.setdefault(code, (label.component, *others))  # type: ignore[arg-type]  # six of them
    return found


_OTHER_AXES = ("property", "time", "system", "scale", "method")


def _made_up(own: dict[str, _Axes]) -> Iterator[tuple[str, _Axes]]:
    """Yield codes and axes without end, none twice: the components in turn, each time with other axes."""
    components = tuple(dict.fromkeys(chain((axes[0] for axes in own.values()), _components())))
    others = [
        (property_, time, system, scale, method)
        for method, (property_, scale, _, _), (system, _, _), time in product(_METHODS, _PROPERTIES, _SYSTEMS, _TIMES)
    ]
    taken = set(own.values())
    codes = (code for stem in count(1) if (code := f"{stem}-{check_digit(str(stem))}") not in own)
    for turn in count():
        for place, component in enumerate(components):
            axes = (component, *others[(place * 5 + turn) % len(others)])
            if axes not in taken:
                yield next(codes), axes


def _components() -> Iterator[str]:
    for names, qualifiers in ((_SUBSTANCES, _OF_SUBSTANCES), (_ORGANISMS, _OF_ORGANISMS)):
        for qualifier, name in product(qualifiers, names.replace("\n", "").strip().split(";")):
            yield f"{name}{qualifier}"


def _status(number: int) -> str:
    if number % _DEPRECATED == 0:
        return "DEPRECATED"
    if number % _DISCOURAGED == 0:
        return "DISCOURAGED"
    return "TRIAL" if number % _TRIAL == 0 else "ACTIVE"


def _row(number: int, code: str, axes: _Axes, status: str) -> Iterable[str]:
    component, property_, time, system, scale, method = axes
    said, units = next(((said, unit) for part, _, said, unit in _PROPERTIES if part == property_), (property_, ""))
    specimen, short = next(((long, brief) for part, long, brief in _SYSTEMS if part == system), (system, system))
    by = f" by {method}" if method else ""
    name = f"{component} [{said}] in {'24 hour ' if time == '24H' else ''}{specimen}{by}"
    related = [component, *(_WORDS[(number * 7 + place * 3) % len(_WORDS)] for place in range(11 + number % 7))]
    values = {
        "LOINC_NUM": code,
        "COMPONENT": component,
        "PROPERTY": property_,
        "TIME_ASPCT": time,
        "SYSTEM": system,
        "SCALE_TYP": scale,
        "METHOD_TYP": method,
        "CLASS": _CLASSES[number % len(_CLASSES)],
        "VersionLastChanged": f"2.{40 + number % 41}",
        "CHNG_TYPE": "MIN",
        "DefinitionDescription": f"What is measured is {component}, in {specimen}. " * 5 if number % 13 == 0 else "",
        "STATUS": status,
        "CLASSTYPE": "1" if number % 11 else "2",
        "UNITSREQUIRED": "Y" if scale == "Qn" else "N",
        "RELATEDNAMES2": "; ".join(dict.fromkeys(related)),
        "SHORTNAME": f"{component[:30]} {short}-{property_}",
        "ORDER_OBS": "Both" if number % 3 else "Observation",
        "LONG_COMMON_NAME": name,
        "EXAMPLE_UCUM_UNITS": units,
        "STATUS_REASON": "DUPLICATE" if status == "DEPRECATED" else "",
        "CHANGE_REASON_PUBLIC": _REASONS[number % len(_REASONS)],
        "COMMON_TEST_RANK": str(number) if number < 20_000 else "0",
        "COMMON_ORDER_RANK": "0",
        "VersionFirstReleased": f"2.{10 + number % 30}",
        "DisplayName": f"{component} ({said}, {short}){by}",
    }
    return [values.get(column, "") for column in HEADER]


def main() -> None:
    """Write a release as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loinc_release", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("workbook", type=Path, nargs="?", metavar="WORKBOOK", help="its codes are among the terms")
    parser.add_argument("--terms", type=int, default=TERMS, metavar="N")
    chosen = parser.parse_args()
    write_release(chosen.folder, chosen.terms, chosen.workbook)


if __name__ == "__main__":
    main()

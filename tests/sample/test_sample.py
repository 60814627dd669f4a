"""The sample: source tables that hold together, workbooks that match them, codes and axes that agree with LOINC."""

from __future__ import annotations

import csv
import gzip
import os
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from jdv_qa.sample import SAMPLE_DIR, build, files

ROOT = Path(__file__).resolve().parents[2]
LOINC_CODE = re.compile(r"[0-9]{1,7}-[0-9]")
PENDING_CODE = re.compile(r"[0-9]{6,7}")
LABEL = re.compile(
    r"(?P<component>.+) \[(?P<property>[^\]]+)\] (?:(?P<time>24H) ; )?"
    r"(?P<system>[^;\[\]]+) ; (?P<scale>[^;]+)(?: ; (?P<method>[^;]+))?"
)
TWO_EDITIONS = [0, 1]

PROPERTIES = {
    "Moles/Volume": {"SCnc"},
    "Masse/Volume": {"MCnc"},
    "Nombre/Volume": {"NCnc"},
    "Catalytique/Volume": {"CCnc"},
    "Arbitraire/Volume": {"ACnc"},
    "Présence/Seuil": {"PrThr"},
    "Titre": {"Titr"},
    "Fraction de nombres": {"NFr"},
    "Fraction massique": {"MFr"},
    "Fraction volumique": {"VFr"},
    "Fraction molaire": {"SFr"},
    "Masse ratio": {"MRto"},
    "Ratio": {"Ratio"},
    "Masse d'entité": {"EntMass"},
    "Volume d'entité": {"EntVol"},
    "Volume/Temps": {"VRat"},
    "Temps": {"Time"},
    "Temps relatif": {"RelTime"},
    "Log de concentration": {"LsCnc"},
    "Identification": {"Prid"},
    "Type": {"Type"},
    "Interprétation": {"Imp"},
    "Pression partielle": {"PPres"},
    "Moles/Temps": {"SRat"},
    "Masse/Temps": {"MRat"},
    "Masse/Masse": {"MCnt"},
    "Volume/Temps/Surface": {"ArVRat"},
    "Vitesse": {"Vel"},
    "Catalytique/Volume relatif": {"RelCCnc"},
    "Masse/Volume relatif": {"RelMCnc"},
    "Sensibilité": {"Susc"},
    "-": {"-"},
}
SYSTEMS = {
    "Sérum/Plasma": {"Ser/Plas", "Serum or Plasma"},
    "Sérum": {"Ser", "Serum"},
    "Plasma": {"Plas"},
    "Sang": {"Bld", "Blood"},
    "Sang artériel": {"BldA"},
    "Plasma pauvre en plaquettes": {"PPP", "Platelet poor plasma by Coagulation assay"},
    "Érythrocytes": {"RBC"},
    "Urine": {"Urine"},
    "Urine+Sérum/Plasma": {"Urine+Ser/Plas", "Urine and Serum or Plasma"},
    "Sérum/Plasma/Sang": {"Ser/Plas/Bld", "Serum, Plasma or Blood"},
    "Liquide céphalorachidien": {"CSF"},
    "Selle": {"Stool"},
    "Isolat": {"Isolate"},
    "Prélèvement vaginal": {"Vag"},
    "Col de l'utérus": {"Cvx"},
    "Nasopharynx": {"Nph"},
    "Gorge": {"Thrt"},
    "Crachat": {"Sputum"},
    "Échantillon du système respiratoire": {"Respiratory"},
    "Échantillon du système respiratoire supérieur": {"Respiratory.upper"},
    "Milieux divers": {"XXX"},
    "Liquide synovial": {"Synv fld"},
    "Liquide pleural": {"Plr fld"},
}
SCALES = {"Numérique": "Qn", "Qualitatif": "Ord", "Résultat nominal": "Nom", "Résultat textuel": "Nar", "-": "-"}
SPECIMENS = {
    "Sérum/Plasma": {"SER", "PLAS", "BLD", "PPP"},
    "Sérum": {"SER"},
    "Plasma": {"PLAS"},
    "Sang": {"BLD"},
    "Sang artériel": {"BLDA"},
    "Plasma pauvre en plaquettes": {"PLAS", "PPP"},
    "Urine": {"UR"},
    "Sérum/Plasma/Sang": {"SER", "PLAS", "BLD"},
    "Urine+Sérum/Plasma": {""},
    "Liquide céphalorachidien": {"CSF"},
    "Selle": {"STL"},
    "Isolat": {"ISLT"},
    "Prélèvement vaginal": {"GENV"},
    "Col de l'utérus": {"CVX"},
    "Nasopharynx": {"NOS"},
    "Gorge": {"THRT"},
    "Crachat": {"SPT"},
    "Échantillon du système respiratoire supérieur": {"RES", "NOS"},
    "Milieux divers": {"BLD", "SPT"},
    "Liquide synovial": {"SNV"},
    "Liquide pleural": {"PLR"},
}
MASS, SUBSTANCE, VOLUME = r"(g|mg|ug|ng)", r"(mmol|umol|nmol|pmol)", "L"
ARBITRARY = r"([mk]?\[IU\]/m?L|\[arb'U\]/mL|\{Index_val\})"
UNITS = {
    "Moles/Volume": f"{SUBSTANCE}/{VOLUME}",
    "Masse/Volume": f"{MASS}/{VOLUME}",
    "Nombre/Volume": r"(10\*(6|9|12)/L|/mL|\{copies\}/mL)",
    "Catalytique/Volume": "U/L",
    "Arbitraire/Volume": ARBITRARY,
    "Titre": r"\{titer\}",
    "Fraction de nombres": "%",
    "Fraction massique": "%",
    "Fraction volumique": "%",
    "Fraction molaire": "(%|mmol/mol)",
    "Masse ratio": r"\{ratio\}",
    "Ratio": r"(%|mg/mmol\{creat\})",
    "Masse d'entité": "pg",
    "Volume d'entité": "fL",
    "Volume/Temps": "mL/min",
    "Temps": "s",
    "Temps relatif": r"(%|\{INR\})",
    "Log de concentration": r"\[pH\]",
    "Pression partielle": r"mm\[Hg\]",
    "Moles/Temps": rf"{SUBSTANCE}/\(24\.h\)",
    "Masse/Temps": rf"{MASS}/\(24\.h\)",
    "Masse/Masse": "ug/g",
    "Volume/Temps/Surface": r"mL/min/\{1\.73_m2\}",
    "Vitesse": "mm/h",
    "Catalytique/Volume relatif": "%",
    "Masse/Volume relatif": "%",
}
"""Property of the label -> the units used for it here, all of the right dimension."""

PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "d": 1e-1}
FAULTY_RULES = {
    "COD-02",
    "CEL-02",
    "CEL-03",
    "CEL-04",
    "COD-03",
    "COD-05",
    "COD-04",
    "TYP-01",
    "TYP-02",
    "TYP-04",
    "ATT-01",
    "ATT-02",
    "ATT-03",
    "UNI-02",
    "UNI-04",
    "UNI-03",
    "UNI-01",
    "CMP-01",
    "CMP-02",
    "REF-01",
    "REF-03",
    "GRP-01",
    "GRP-05",
    "GRP-07",
    "CEL-01",
    "CEL-05",
    "STR-06",
    "STR-05",
}


def check_digit(stem: str) -> int:
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(stem))]
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10


@pytest.fixture(scope="module")
def editions() -> tuple[build.Edition, ...]:
    return build.editions()


@pytest.fixture(scope="module")
def changes() -> list[build.Row]:
    return build.read_table("changes")


def reference_data() -> Path:
    path = Path(os.environ.get("JDV_REFERENCE_DATA") or ROOT.parent / "shared" / "data")
    if not (path / "loinc_lab_extract.csv.gz").is_file():
        pytest.skip(f"reference data absent: no loinc_lab_extract.csv.gz in {path} (set JDV_REFERENCE_DATA)")
    return path


@pytest.fixture(scope="module")
def terms() -> dict[str, dict[str, str]]:
    with gzip.open(reference_data() / "loinc_lab_extract.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        return {row["LOINC_NUM"]: row for row in csv.DictReader(file)}


def axes(label: str) -> dict[str, str]:
    match = LABEL.fullmatch(label)
    assert match, label
    return {name: text or "" for name, text in match.groupdict().items()}


# --------------------------------------------------------------------------------------------------- source tables
@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_every_pair_has_its_order_and_result_and_none_is_left_alone(
    editions: tuple[build.Edition, ...], place: int
) -> None:
    edition = editions[place]
    assert len(set(edition.pairs)) == len(edition.pairs)
    assert {order for order, _ in edition.pairs} == set(edition.orders)
    assert {result for _, result in edition.pairs} == set(edition.results)


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_codes_are_well_formed(editions: tuple[build.Edition, ...], place: int) -> None:
    for code in (*editions[place].orders, *editions[place].results):
        if LOINC_CODE.fullmatch(code):
            assert check_digit(code[:-2]) == int(code[-1]), code
        else:
            assert PENDING_CODE.fullmatch(code), code
            assert check_digit(code[:-1]) != int(code[-1]), f"{code} could be taken for a LOINC code"


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_labels_name_one_code_and_codes_have_one_label(editions: tuple[build.Edition, ...], place: int) -> None:
    edition = editions[place]
    labels: dict[str, set[str]] = defaultdict(set)
    codes: dict[str, set[str]] = defaultdict(set)
    for code, order in edition.orders.items():
        labels[order["order_loinc_label"]].add(code)
        codes[code].add(order["order_loinc_label"])
    for code, result in edition.results.items():
        labels[result["result_loinc_label"]].add(code)
        codes[code].add(result["result_loinc_label"])
    assert [label for label, named in labels.items() if len(named) > 1] == []
    assert [code for code, found in codes.items() if len(found) > 1] == []
    assert [
        label
        for label, number in Counter(order["order_label"] for order in edition.orders.values()).items()
        if number > 1
    ] == []


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_display_labels_and_ranks_are_unique_within_a_chapter(editions: tuple[build.Edition, ...], place: int) -> None:
    results = editions[place].results.values()
    for name in ("result_display", "rank"):
        counts = Counter((result["chapter"], result[name]) for result in results)
        assert [key for key, number in counts.items() if number > 1] == []
    assert all(result["result_display"] and result["rank"].isdigit() for result in results)


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_references_are_known(editions: tuple[build.Edition, ...], place: int) -> None:
    edition = editions[place]
    known = {name: {row[0] for row in rows} for name, rows in edition.tables.items()}
    for name, rows in edition.tables.items():
        if name != "experts":
            assert len(known[name]) == len(rows), name
    for result in edition.results.values():
        assert result["chapter"] in known["chapters"]
        assert result["subchapter"] == result["chapter"]
    for order in edition.orders.values():
        assert order["specimen"] in known["specimens"] | {""}
        assert order["site"] in known["sites"] | {""}
        assert order["laterality"] in known["lateralities"] | {""}
        assert order["site"] or not order["laterality"]
        assert {code for code in order["clinical_info"].split(";") if code} <= known["clinical_info"]
        assert all(
            re.fullmatch("[0-9]{4}", code) and code in edition.nabm for code in order["nabm_code"].split(";") if code
        )
    assert len({result["chapter"] for result in edition.results.values()}) >= 8
    assert len(set(edition.nabm.values())) == len(edition.nabm)


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_types_comparability_and_synonyms(editions: tuple[build.Edition, ...], place: int) -> None:
    edition = editions[place]
    for code, order in edition.orders.items():
        allowed = {"Order", "Both", "Observation"} if LOINC_CODE.fullmatch(code) else {""}
        assert order["order_type"] in allowed, code
        synonyms = [text.casefold() for text in order["order_synonyms"].split(";")]
        assert len(set(synonyms)) == len(synonyms)
        assert all(synonyms), code
        assert order["order_label"].casefold() not in synonyms, code
    ordered = {code for code, order in edition.orders.items() if order["order_type"] == "Order"}
    assert not ordered & set(edition.results)
    assert {(row["comparability"], row["discriminating_technique"]) for row in edition.results.values()} == {
        ("1", "N"),
        ("2", "O"),
    }
    assert Counter(order["order_type"] for order in edition.orders.values())["Observation"] == 3


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_labels_follow_the_grammar_and_fit_the_unit(editions: tuple[build.Edition, ...], place: int) -> None:
    for result in editions[place].results.values():
        label = axes(result["result_loinc_label"])
        assert label["property"] in PROPERTIES, result
        assert label["system"] in SYSTEMS, result
        unit = result["unit"]
        if label["scale"] == "Numérique":
            assert re.fullmatch(UNITS[label["property"]], unit), result
        elif label["scale"] == "Alphanumérique":
            assert unit == "mg/L"
        else:
            assert unit == ""
        assert bool(result["unit_secondary"]) == bool(result["conversion_factor"])
        if result["unit_secondary"]:
            assert factor(unit, result["unit_secondary"]) == pytest.approx(float(result["conversion_factor"]))
    for order in editions[place].orders.values():
        assert ("panel [-]" in order["order_loinc_label"]) == (order["order_type"] == "Order")
        axes(order["order_loinc_label"])


def factor(main: str, secondary: str) -> float:
    (top, bottom), (other_top, other_bottom) = (unit.split("/") for unit in (main, secondary))
    assert top[-1] == other_top[-1]
    ratio = {name: prefix(name) for name in (top, other_top, bottom, other_bottom)}
    return ratio[top] / ratio[other_top] / (ratio[bottom] / ratio[other_bottom])


def prefix(unit: str) -> float:
    return PREFIXES[re.sub(r"(mol|g|L)$", "", unit)]


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_specimens_fit_the_labels(editions: tuple[build.Edition, ...], place: int) -> None:
    for order in editions[place].orders.values():
        system = axes(order["order_loinc_label"])["system"]
        assert order["specimen"] in SPECIMENS[system], order


def test_texts_are_clean() -> None:
    for path in sorted(build.SOURCE.glob("*.csv")):
        if path.stem == "faults":
            continue
        for row in build.read_table(path.stem):
            for text in row.values():
                assert text == " ".join(text.split()), (path.name, text)
                assert "\u00a0" not in text
                assert not re.search(r"&#?\w+;|[\u2010-\u2012\u2212]", text), (path.name, text)


def test_changes_cover_every_kind_and_part(changes: list[build.Row]) -> None:
    kinds = {(change["kind"], change["part"]) for change in changes}
    for part in ("order", "result", "association", "nabm"):
        assert {("added", part), ("removed", part)} <= kinds
    assert {("assigned", "order"), ("assigned", "result"), ("replaced", "order"), ("replaced", "result")} <= kinds
    assert {("modified", "order"), ("modified", "result"), ("modified", "technique"), ("modified", "specimen")} <= kinds
    assert {part for _, part in kinds} >= set(build.PARTS) - {"laterality"}
    assert len({tuple(change.values()) for change in changes}) == len(changes)
    assert all(change["comment"] for change in changes)


def test_changes_say_the_values_before(editions: tuple[build.Edition, ...], changes: list[build.Row]) -> None:
    first, second = editions[0], editions[1]
    recoded = {(change["part"], change["new_code"]): change["code"] for change in changes if change["new_code"]}
    for change in changes:
        if change["kind"] != "modified":
            continue
        part, code = change["part"], change["code"]
        old_code = recoded.get((part, code), code)
        if part in ("order", "result"):
            before, after = (first.orders, second.orders) if part == "order" else (first.results, second.results)
            assert (before[old_code][change["field"]], after[code][change["field"]]) == (change["old"], change["new"])
        else:
            table = build.TABLE_OF_PART[part]
            assert {row[0]: row[1] for row in first.tables[table]}[code] == change["old"]
            assert {row[0]: row[1] for row in second.tables[table]}[code] == change["new"]


def test_notes_tell_each_change(editions: tuple[build.Edition, ...], changes: list[build.Row]) -> None:
    first, second, _ = editions
    assert first.notes == []
    assert len(second.notes) == len(changes)
    assert all(note[0] == "1.1.0" and note[1] == "2026-07-15" and note[5] and note[9] for note in second.notes)


def test_indicators_are_those_of_the_rows(editions: tuple[build.Edition, ...]) -> None:
    first, second, _ = editions
    assert list(second.indicators) == ["1.0.0", "1.1.0"]
    assert second.indicators["1.0.0"] == build.figures(first) == (178, 37, 133, 3, 5, 351, 337, 14)
    assert second.indicators["1.1.0"] == build.figures(second)
    assert sum(build.figures(second)[1:5]) == build.figures(second)[0] == 180


def test_faults_point_at_a_row_and_cover_the_rules(editions: tuple[build.Edition, ...]) -> None:
    faults = build.read_table("faults")
    pairs = set(editions[2].pairs)
    for fault in faults:
        assert (fault["order_code"], fault["result_code"]) in pairs
        assert fault["field"] in {*build.COLUMNS, ""}
        assert fault["kind"] in {"text", "number", "date", "formula", "error", "duplicate", "hidden"}
        assert fault["explanation"].endswith(".")
        assert all(re.fullmatch(r"[A-Z]{3}-[0-9]{2}", rule) for rule in fault["rules"].split(";"))
    assert {fault["rules"].split(";")[0] for fault in faults} == FAULTY_RULES


# ------------------------------------------------------------------------------------------------------- workbooks
def cells(path: Path) -> dict[str, Any]:
    """Return what a workbook says: for each tab its cells (value, type, format), merged ranges and hidden rows."""
    from openpyxl import load_workbook

    workbook = load_workbook(path)
    content: dict[str, Any] = {}
    for sheet in workbook.worksheets:
        found = {
            cell.coordinate: (cell.value, cell.data_type, cell.number_format)
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None
        }
        hidden = sorted(row for row, dimension in sheet.row_dimensions.items() if dimension.hidden)
        content[sheet.title] = (found, sorted(str(merged) for merged in sheet.merged_cells.ranges), hidden)
    return content


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    pytest.importorskip("xlsxwriter", reason="XlsxWriter is not installed")
    return build.build(tmp_path_factory.mktemp("sample"))


def test_files_are_there() -> None:
    assert list(files()) == ["1.0.0", "1.1.0", "1.2.0"]
    assert all(path.is_file() and path.parent == SAMPLE_DIR for path in files().values())
    assert "LOINC" in (SAMPLE_DIR / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.2.0"])
def test_rebuilding_gives_the_same_cells(rebuilt: list[Path], version: str) -> None:
    pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    place = list(files()).index(version)
    assert rebuilt[place].name == files()[version].name
    assert cells(rebuilt[place]) == cells(files()[version])


def test_building_twice_gives_the_same_bytes(rebuilt: list[Path], tmp_path: Path) -> None:
    assert [path.read_bytes() for path in build.build(tmp_path)] == [path.read_bytes() for path in rebuilt]


def test_workbooks_have_the_reference_shape() -> None:
    pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    content = {version: cells(path) for version, path in files().items()}
    tabs = [
        "Sommaire",
        build.MAIN_TAB,
        *(tab for tab, _ in build.REFERENCE_TABS.values()),
        build.NOTES_TAB,
        build.INDICATORS_TAB,
    ]
    for version, sheets in content.items():
        assert list(sheets) == tabs
        found, merged, _ = sheets[build.MAIN_TAB]
        assert [found[f"{letter}2"][0] for letter in "ABCDE"] == [
            header for _, header, _ in list(build.COLUMNS.values())[:5]
        ]
        assert ("C3:C7" in merged) == (version == "1.1.0")
        assert found["A3"][1:] == ("s", "@")
        summary = sheets["Sommaire"][0]
        assert any(value == build.LOINC_NOTICE for value, _, _ in summary.values())


def test_faults_are_in_the_draft_as_excel_stores_them() -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    sheet = openpyxl.load_workbook(files()["1.2.0"])[build.MAIN_TAB]
    kinds = Counter(cell.data_type for row in sheet.iter_rows(min_row=3) for cell in row)
    assert kinds["d"] == 1
    assert kinds["f"] == 2
    assert sum(dimension.hidden for dimension in sheet.row_dimensions.values()) == 1
    rows = [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=3)]
    assert [number for number in Counter(rows).values() if number > 1] == [2]
    assert sum(isinstance(row[0], int) for row in rows) == 1


# -------------------------------------------------------------------------------------------------- reference data
@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_codes_are_active_in_loinc(
    editions: tuple[build.Edition, ...], terms: dict[str, dict[str, str]], place: int
) -> None:
    codes = {code for code in (*editions[place].orders, *editions[place].results) if "-" in code}
    assert sorted(code for code in codes if code not in terms) == []
    assert sorted(code for code in codes if terms[code]["STATUS"] != "ACTIVE") == []
    types = {code: order["order_type"] for code, order in editions[place].orders.items() if "-" in code}
    assert {
        code: terms[code]["ORDER_OBS"] for code, found in types.items() if terms[code]["ORDER_OBS"] not in ("", found)
    } == {}
    assert [code for code in editions[place].results if "-" in code and terms[code]["ORDER_OBS"] == "Order"] == []


@pytest.mark.parametrize("place", TWO_EDITIONS)
def test_axes_of_the_labels_are_those_of_loinc(
    editions: tuple[build.Edition, ...], terms: dict[str, dict[str, str]], place: int
) -> None:
    edition = editions[place]
    labels = {code: order["order_loinc_label"] for code, order in edition.orders.items()}
    labels |= {code: result["result_loinc_label"] for code, result in edition.results.items()}
    for code, text in labels.items():
        if "-" not in code:
            continue
        term, label = terms[code], axes(text)
        assert term["PROPERTY"] in PROPERTIES[label["property"]], (code, text)
        assert term["SYSTEM"] in SYSTEMS[label["system"]], (code, text)
        assert term["SCALE_TYP"] == SCALES[label["scale"]], (code, text)
        assert (term["TIME_ASPCT"] == "24H") == (label["time"] == "24H"), (code, text)
        assert bool(term["METHOD_TYP"]) == bool(label["method"]), (code, text)


def test_nabm_codes_are_real() -> None:
    path = reference_data() / "nabm_labels_2020.csv"
    if not path.is_file():
        pytest.skip(f"reference data absent: {path.name}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        known = {row["nabm_code"].zfill(4) for row in csv.DictReader(file)}
    assert {row["code"] for row in build.read_table("nabm")} <= known

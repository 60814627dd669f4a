from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from benchmarks.loinc_release import HEADER
from jdv_qa.errors import TerminologyError
from jdv_qa.terminology.labels import parse_label
from jdv_qa.terminology.loinc import (
    LoincRelease,
    Term,
    TermChange,
    analyte_of,
    latest_version,
    read_release,
    version_number,
)
from tests.loinc_files import TERMS, release_files, table, write_folder, write_zip


@pytest.fixture
def release(tmp_path: Path) -> LoincRelease:
    return read_release(write_zip(tmp_path / "Loinc_2.80.zip"))


def codes(terms: tuple[Term, ...]) -> list[str]:
    return [term.code for term in terms]


def test_zip_and_folder_read_the_same(tmp_path: Path, release: LoincRelease) -> None:
    folder = read_release(write_folder(tmp_path / "Loinc_2.80"))
    assert (folder.version, release.version) == ("2.80", "2.80")
    assert dict(folder.terms) == dict(release.terms)
    assert (folder.replacements, folder.changes) == (release.replacements, release.changes)
    assert list(release.terms) == [row["LOINC_NUM"] for row in TERMS]


def test_fields_of_a_term(release: LoincRelease) -> None:
    sodium = release.terms["2951-2"]
    assert (sodium.component, sodium.property, sodium.units, sodium.classtype) == ("Sodium", "SCnc", "mmol/L", "1")
    assert sodium.french_label == sodium.label == "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"
    assert release.terms["2955-3"].label == "Sodium [Moles/volume] in Urine"
    assert "9999-9" not in release.terms


def test_table_alone_takes_the_map_beside_it(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "Loinc_2.79")
    alone = read_release(folder / "LoincTable" / "Loinc.csv")
    assert (alone.version, len(alone.terms)) == ("2.79", len(TERMS))
    assert alone.replacements["10550-2"] == (("3319-1", ""),)
    assert alone.terms["2951-2"].french_label == ""


@pytest.mark.parametrize(
    ("name", "inside", "version"),
    [
        ("Loinc_2.81.zip", "LoincTable/Loinc.csv", "2.81"),
        ("release.zip", "Loinc_2.78/LoincTable/Loinc.csv", "2.78"),
        ("release.zip", "LoincTable/Loinc.csv", "2.80"),
        ("v12.80.zip", "LoincTable/Loinc.csv", "2.80"),
    ],
)
def test_version_by_the_names_then_by_the_terms(tmp_path: Path, name: str, inside: str, version: str) -> None:
    content = release_files()["LoincTable/Loinc.csv"]
    assert read_release(write_zip(tmp_path / name, {inside: content})).version == version


def test_core_table_where_there_is_no_other(tmp_path: Path) -> None:
    core = [name for name in HEADER if name not in ("ORDER_OBS", "EXAMPLE_UCUM_UNITS", "RELATEDNAMES2")]
    rows = [[row.get(name, "") for name in core] for row in TERMS]
    path = write_folder(tmp_path / "core", {"LoincTableCore/LoincTableCore.csv": table(core, rows)})
    assert read_release(path).terms["2951-2"].order_obs == ""


def broken(name: str, tmp_path: Path) -> Path:
    """A path to something that is no whole LOINC release."""
    content = release_files()["LoincTable/Loinc.csv"]
    path = tmp_path / "Loinc.csv"
    match name:
        case "missing":
            return path
        case "no table":
            return write_zip(tmp_path / "x.zip", {"readme.txt": b""})
        case "cut zip":
            path = write_zip(tmp_path / "x.zip")
            path.write_bytes(path.read_bytes()[:900])
            return path
        case "member damaged":
            path = write_zip(tmp_path / "x.zip", {"Loinc.csv": content * 50})
            data = bytearray(path.read_bytes())
            data[400:420] = bytes(20)
            path.write_bytes(data)
            return path
    path.write_bytes(
        {
            "empty": b"",
            "header only": content[: content.index(b"\r\n") + 2],
            "cut in a value": content[:-30],
            "cut between values": content[: content.rindex(b'","')] + b'"\r\n',
            "another table": b"code,label\r\n1,2\r\n",
            "French variant": release_files()["AccessoryFiles/LinguisticVariants/frFR18LinguisticVariant.csv"],
            "not UTF-8": content.replace(b"Sodium", b"\xe9\xff"),
            "binary": bytes(range(256)) * 40,
        }[name]
    )
    return path


@pytest.mark.parametrize(
    "name",
    ["missing", "no table", "cut zip", "member damaged", "empty", "header only", "cut in a value", "cut between values",
     "another table", "French variant", "not UTF-8", "binary"],
)  # fmt: skip
def test_what_is_no_release_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    path = broken(name, tmp_path)
    with pytest.raises(TerminologyError) as caught:
        read_release(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"Loinc.csv": b"x"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert zipfile.is_zipfile(path)
    with pytest.raises(TerminologyError):
        read_release(path)


def test_changes_of_snapshot_and_updates(release: LoincRelease) -> None:
    assert release.changes == {
        "2951-2": (TermChange("2.80", "status", "TRIAL", "ACTIVE", "Reviewed"),),
        "2823-3": (TermChange("2.80", "system", "Ser", "Ser/Plas"),),
    }


def test_candidates_follow_chains_with_their_comments(release: LoincRelease) -> None:
    found = [(item.code, item.comment, item.through, item.live) for item in release.candidates("22760-3")]
    assert found == [("3319-1", "Masse", ("10550-2",), True), ("2823-3", "Moles", (), True)]
    assert release.candidates("2951-2") == ()


def test_candidates_of_a_loop_and_of_a_dead_end() -> None:
    def gone(code: str) -> Term:
        return Term(code, "A", "MCnc", "Pt", "Ser", "Qn", "", "CHEM", "DEPRECATED", "Both", "", "")

    terms = {code: gone(code) for code in ("1-8", "2-6", "3-4")}
    loop = LoincRelease("2.80", terms, {"1-8": (("2-6", ""),), "2-6": (("1-8", ""), ("3-4", "x"), ("2-6", ""))})
    assert [(item.code, item.live) for item in loop.candidates("1-8")] == [("3-4", False)]


def test_candidates_end_at_a_live_term_and_go_on_from_one_that_the_release_lacks() -> None:
    terms = {
        "2-6": Term("2-6", "A", "MCnc", "Pt", "Ser", "Qn", "", "CHEM", "ACTIVE", "Both", "", ""),
        "4-2": Term("4-2", "A", "MCnc", "Pt", "Ser", "Qn", "", "CHEM", "ACTIVE", "Both", "", ""),
    }
    replacements = {
        "1-8": (("2-6", ""), ("3-4", "")),
        "2-6": (("9-1", ""),),
        "3-4": (("4-2", "x"),),
        "5-9": (("7-5", ""),),
    }
    release = LoincRelease("2.80", terms, replacements)
    found = [(item.code, item.comment, item.through, item.live) for item in release.candidates("1-8")]
    assert found == [("2-6", "", (), True), ("4-2", "x", ("3-4",), True)]
    assert [(item.code, item.term, item.live) for item in release.candidates("5-9")] == [("7-5", None, True)]


def test_neighbours_differ_by_one_axis(release: LoincRelease) -> None:
    near = {axis: codes(terms) for axis, terms in release.neighbours(release.terms["2951-2"]).items()}
    assert near == {"system": ["2955-3"]}
    glucose = release.neighbours(release.terms["14749-6"])
    assert {axis: codes(terms) for axis, terms in glucose.items()} == {"component": ["14753-8"]}
    twins = release.neighbours(release.terms["22760-3"])
    assert {axis: codes(terms) for axis, terms in twins.items()} == {"property": ["2823-3"]}


def test_component_in_either_language(release: LoincRelease) -> None:
    assert codes(release.with_component("creatinine")) == ["14682-9", "14683-7", "14684-5"]
    assert codes(release.with_component("CRÉATININE")) == ["14682-9", "14683-7", "14684-5"]
    assert codes(release.with_component("Hémoglobine")) == ["718-7"]
    assert release.with_component("") == ()
    assert analyte_of("Glucose^2H post meal") == "glucose"
    assert analyte_of(".alpha") == ".alpha"


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("Créatinine [Moles/Volume] Urine ; Numérique", ["14683-7"]),
        ("Creatinine [Moles/Temps] 24H ; Urine ; Numérique", ["14684-5"]),
        ("Créatinine [Moles/Volume] Liquide pleural ; Numérique", []),
        ("Temazepam [Masse/Volume] Sérum/Plasma ; Numérique", ["3319-1"]),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Numérique ; Électrode", []),
    ],
)
def test_meaning_of_a_label(release: LoincRelease, label: str, meant: list[str]) -> None:
    parsed = parse_label(label)
    assert parsed is not None
    assert codes(release.meaning(parsed)) == meant


@pytest.mark.parametrize(
    ("text", "number"), [("2.80", (2, 80)), ("LOINC 2.23 (2.79-2.80)", (2, 80)), ("1.0n", (0, 0)), ("", (0, 0))]
)
def test_version_number(text: str, number: tuple[int, int]) -> None:
    assert version_number(text) == number


def test_official_layout(reference_data: Path) -> None:
    release = read_release(reference_data / "loinc_2.79_subset")
    assert (release.version, len(release.terms)) == ("2.79", 322)
    missed = []
    for term in release.terms.values():
        label = parse_label(term.french_label)
        if term.french_label and not term.is_withdrawn and (label is None or term not in release.meaning(label)):
            missed.append((term.code, term.french_label))
    assert missed == []


def test_every_replacement_ends_in_a_live_code_or_says_so(reference_data: Path) -> None:
    with (reference_data / "MapTo_2.79.csv").open(encoding="utf-8-sig", newline="") as file:
        targets: dict[str, list[tuple[str, str]]] = {}
        for row in csv.DictReader(file):
            targets.setdefault(row["LOINC"], []).append((row["MAP_TO"], row["COMMENT"]))
    release = LoincRelease("2.79", {}, {code: tuple(found) for code, found in targets.items()})
    ends = {code: release.candidates(code) for code in targets}
    assert all(candidates and all(item.live for item in candidates) for candidates in ends.values())
    assert not {item.code for candidates in ends.values() for item in candidates} & set(targets)
    assert ("26865-6", ("15364-3",)) in [(item.code, item.through) for item in ends["15365-0"]]


def test_blank_lines_do_not_end_a_table(tmp_path: Path) -> None:
    content = release_files()["LoincTable/Loinc.csv"].replace(b'"\r\n"', b'"\r\n\r\n"')
    path = write_folder(tmp_path / "Loinc_2.80", {"Loinc.csv": content})
    assert list(read_release(path).terms) == [row["LOINC_NUM"] for row in TERMS]


PLAIN = dict.fromkeys(Term._fields, "") | {
    "code": "2951-2", "component": "Sodium", "property": "SCnc", "time": "Pt", "system": "Ser/Plas", "scale": "Qn", "status": "ACTIVE",
}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "label", "fitting"),
    [
        ({}, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", True),
        ({}, "Autre chose [Moles/Volume] Sérum/Plasma ; Numérique", True),
        ({}, "Sodium [Moles/Volume] Ser/Plas ; Qn", True),
        ({}, "Sodium [Masse/Volume] Sérum/Plasma ; Numérique", False),
        ({}, "Sodium [Moles/Volume] 24H ; Sérum/Plasma ; Numérique", False),
        ({}, "Sodium [Moles/Volume] Urine ; Numérique", False),
        ({}, "Sodium [Moles/Volume] Sérum/Plasma ; Qualitatif", False),
        ({}, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique ; Électrode", False),
        ({}, "Sodium", False),
        ({"method": "ISE"}, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique ; Électrode", True),
        ({"method": "ISE"}, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique", False),
        ({"time": "24H"}, "Sodium [Moles/Volume] 24H ; Sérum/Plasma ; Numérique", True),
        ({"system": "Eggylk"}, "Sodium [Moles/Volume] Jaune d'œuf ; Numérique", False),
        ({"system": "Eggylk", "french_system": "Jaune d'œuf"}, "Sodium [Moles/Volume] jaune d'oeuf ; Numérique", True),
    ],
)
def test_the_axes_of_a_label_and_of_a_term(fields: dict[str, str], label: str, fitting: bool) -> None:
    assert Term(**(PLAIN | fields)).matches_axes(label) is fitting


@pytest.mark.parametrize(
    ("fields", "label", "alike"),
    [
        ({}, "Sodium [x] y ; Numérique", True),
        ({}, "SODIUM [x] y ; Numérique", True),
        ({}, "Sodyum [x] y ; Numérique", True),
        ({}, "Potassium [x] y ; Numérique", False),
        ({}, "Sodium", False),
        ({"french_component": "Natrium"}, "Natrium [x] y ; Numérique", True),
        ({"french_component": "Natrium"}, "Sodium [x] y ; Numérique", True),
        ({"component": ""}, "Sodium [x] y ; Numérique", False),
    ],
)
def test_the_component_of_a_label_and_of_a_term(fields: dict[str, str], label: str, alike: bool) -> None:
    assert Term(**(PLAIN | fields)).has_component_like(label) is alike


@pytest.mark.parametrize(
    ("text", "analyte"),
    [
        ("Glucose^2H post meal", "glucose"), ("Glucose/Creatinine", "glucose"), ("Coagulation tissue factor induced.INR", "coagulation tissue factor induced"),
        ("^Patient", "^patient"), (".alpha", ".alpha"), ("Glucose", "glucose"), ("Créatinine  urinaire", "creatinine urinaire"), ("", ""),
    ],
)  # fmt: skip
def test_the_analyte_of_a_component(text: str, analyte: str) -> None:
    assert analyte_of(text) == analyte


def test_neighbours_come_the_commonest_first_then_by_code() -> None:
    ranks = {"10-9": "", "9-1": "", "8-3": "0", "7-5": "20", "11-7": "3"}
    systems = dict(zip(ranks, ("Bld", "Urine", "CSF", "Sweat", "Stool"), strict=True))
    terms = {
        code: Term(**(PLAIN | {"code": code, "common_rank": rank, "system": systems[code]}))
        for code, rank in ranks.items()
    }
    sodium = Term(**PLAIN)
    gone = Term(**(PLAIN | {"code": "1-8", "system": "Ser", "status": "DEPRECATED"}))
    release = LoincRelease("2.80", {gone.code: gone} | terms | {sodium.code: sodium})
    assert {axis: codes(found) for axis, found in release.neighbours(sodium).items()} == {
        "system": ["11-7", "7-5", "8-3", "9-1", "10-9"]
    }


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ([("1.0", "2.70"), ("2.80", "2.73")], "2.80"), ([("2.09", "2.08")], "2.09"), ([("1.0h", "1.0i")], ""), ([("", "")], ""), ([], ""),
    ],
)  # fmt: skip
def test_the_latest_version_that_terms_name(told: list[tuple[str, str]], version: str) -> None:
    assert latest_version(told) == version


def test_a_change_told_twice_is_listed_once_and_one_half_told_not_at_all(tmp_path: Path) -> None:
    header = ("RecType", "LOINC_NUM", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM")
    updates = [
        ("BEFORE", "2951-2", "Natrium", "SCnc", "Pt", "Ser"),
        ("CHANGED", "2951-2", "Sodium", "SCnc", "Pt", "Ser/Plas"),
        ("CHANGED", "2955-3", "Sodium", "SCnc", "Pt", "Urine"),
        ("BEFORE", "2823-3", "Potassium", "MCnc", "Pt", "Ser"),
        ("BEFORE", "718-7", "Hemoglobin", "MCnc", "Pt", "Bld"),
        ("CHANGED", "718-7", "Hemoglobin", "MCnc", "Pt", "Bld"),
    ]
    snapshot = [
        ("2.79", "2951-2", "System", "Ser", "Ser/Plas", "Clearer"),
        ("2.80", "2951-2", "LongCommonName", "a", "b", ""),
    ]
    folder = write_folder(
        tmp_path / "Loinc_2.80",
        release_files()
        | {
            "AccessoryFiles/ChangeSnapshot/LoincChangeSnapshot.csv": table(
                ("VersionEffective", "LOINC_NUM", "Property", "ValuePrior", "ValueCurrent", "ChangeReason"), snapshot
            ),
            "AccessoryFiles/Updates/Updates.csv": table(header, updates),
        },
    )
    assert dict(read_release(folder).changes) == {
        "2951-2": (
            TermChange("2.79", "system", "Ser", "Ser/Plas", "Clearer"),
            TermChange("2.80", "component", "Natrium", "Sodium"),
        )
    }


@pytest.mark.parametrize("quoted", [True, False])
def test_the_line_of_a_short_row_is_named(tmp_path: Path, quoted: bool) -> None:
    content = release_files()["LoincTable/Loinc.csv"] + b'"1-8","x"\r\n'
    if not quoted:
        content = content.replace(b'"', b"").replace(b"\r\n", b"\n")
    path = write_folder(tmp_path / "Loinc_2.80", {"Loinc.csv": content})
    with pytest.raises(TerminologyError, match=rf"Loinc\.csv, ligne {len(TERMS) + 2} : 2 colonnes"):
        read_release(path)


def test_the_line_before_a_damage_is_named(tmp_path: Path) -> None:
    content = release_files()["LoincTable/Loinc.csv"] + b'"1-8","x'
    with pytest.raises(TerminologyError, match=rf"illisible après la ligne {len(TERMS) + 1} "):
        read_release(write_folder(tmp_path / "cut", {"Loinc.csv": content}))
    with pytest.raises(TerminologyError, match="illisible après la ligne 0 "):
        read_release(write_folder(tmp_path / "binary", {"Loinc.csv": b"\x00" + content}))


def test_the_column_that_is_missing_is_named(tmp_path: Path) -> None:
    for number, content in enumerate((b"", b"code,label\r\n1,2\r\n")):
        with pytest.raises(TerminologyError, match="colonne LOINC_NUM absente"):
            read_release(write_folder(tmp_path / str(number), {"Loinc.csv": content}))

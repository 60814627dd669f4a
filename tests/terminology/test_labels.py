from __future__ import annotations

import csv
import unicodedata
from pathlib import Path
from types import EllipsisType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdv_qa.terminology.labels import (
    AXES,
    Label,
    LabelForm,
    axis_wordings,
    differing_axes,
    fold,
    is_time,
    loinc_parts,
    parse_label,
    read_label,
    same_meaning,
    wording,
)

SCALES = sorted({text for texts in axis_wordings()["scale"].values() for text in texts})
TIMES = sorted({text for texts in axis_wordings()["time"].values() for text in texts} - {"Ponctuel"})


def words(characters: str) -> st.SearchStrategy[str]:
    """Texts of some characters and of spaces where a label may have them."""
    return st.text(characters, min_size=1, max_size=30).map(lambda text: " ".join(text.split())).filter(bool)


def listed(axis: str) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted({text for texts in axis_wordings()[axis].values() for text in texts}))


PLAIN = "abcdeéèêEÉHIœ0123456789+/.,()-'^ "
SYSTEMS = (listed("system") | words("abcdeéE/+^ ")).filter(
    lambda text: not is_time(text) and fold(text) not in map(fold, SCALES)
)
LABELS = st.builds(
    Label,
    component=words(PLAIN),
    property=listed("property") | words("abcde/{}-' "),
    time=st.just("") | st.sampled_from(TIMES),
    system=SYSTEMS,
    scale=st.sampled_from(SCALES),
    method=st.just("") | listed("method") | words(PLAIN),
)


@given(LABELS)
def test_what_is_printed_is_parsed_back(label: Label) -> None:
    assert parse_label(str(label)) == label
    assert read_label(str(label)).form is LabelForm.REGULAR


@given(st.text("aé[]; NumériqueSérum/Plasma24HMoles", max_size=60))
def test_a_regular_text_is_what_its_axes_print(text: str) -> None:
    reading = read_label(text)
    if reading.form is LabelForm.REGULAR:
        assert reading.label is not None
        assert str(reading.label) == " ".join(text.split())
    elif reading.label is not None:
        assert read_label(str(reading.label)).form is LabelForm.REGULAR


@given(LABELS, st.sampled_from(["", " ", "  ", "\u00a0"]), st.sampled_from(["", " ", "\n"]))
def test_spaces_round_separators_do_not_matter(label: Label, before: str, after: str) -> None:
    text = str(label).replace(" ; ", f"{before};{after}")
    assert parse_label(text) == label
    assert str(read_label(text).label) == str(label)


@given(LABELS, words(PLAIN), words(PLAIN))
def test_brackets_within_the_component(label: Label, before: str, inside: str) -> None:
    odd = Label(f"{before} [{inside}] {label.component}", *(getattr(label, axis) for axis in AXES))
    assert parse_label(str(odd)) == odd


@given(LABELS)
def test_a_label_without_an_axis_is_irregular(label: Label) -> None:
    text = str(label)
    for cut in (f" [{label.property}]", f" ; {label.scale}"):
        assert read_label(text.replace(cut, "", 1)).form is not LabelForm.REGULAR or label.method in SCALES
    assert read_label(text.replace(f" ; {label.scale}", " ; ", 1)).form is not LabelForm.REGULAR or label.method


@given(LABELS)
def test_case_accents_and_spaces_are_not_a_difference(label: Label) -> None:
    text = str(label)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    assert same_meaning(text, f" {plain.upper().replace(' ', '  ')} ")


@given(st.text())
def test_fold_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text("aàâäçéèêëîïôöùûüœŒÀÉ\u2019' XYZ0-9µ", max_size=20))
def test_fold_is_the_unicode_decomposition(text: str) -> None:
    stripped = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    slow = "".join(c for c in stripped if not unicodedata.combining(c)).replace("\u2019", "'").casefold()
    assert fold(text) == " ".join(slow.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gentamicine [Sensibilité] Isolat ; Alphanumérique ; CMI", "Gentamicine [Susceptibilité] Isolement ; Alphanumérique ; CMI"),
        ("Bactérie [Dénombrement] Urine ; Numérique", "Bactérie [Nombre/Volume] Urine ; Numérique"),
        ("Toxoplasma gondii Ac IgG [Echelle ordonnée] Sérum ; Qualitatif", "Toxoplasma gondii Ac IgG [Présence/Seuil] Sérum ; Qualitatif"),
        ("Albumine [Masse/Volume] Urine ; Numérique ; Electrophorèse", "Albumine [Masse/Volume] Urine ; Numérique ; Électrophorèse"),
    ],
)  # fmt: skip
def test_known_rewordings_mean_the_same(one: str, other: str) -> None:
    assert same_meaning(one, other)
    assert same_meaning(other, one)


@pytest.mark.parametrize(
    ("other", "axes"),
    [
        ("Sodium [Masse/Volume] Sérum/Plasma ; Numérique", ("property",)),
        ("Sodium [Moles/Volume] 24H ; Sérum/Plasma ; Numérique", ("time",)),
        ("Sodium [Moles/Volume] Sérum ; Numérique", ("system",)),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Qualitatif", ("scale",)),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Numérique ; Électrode", ("method",)),
    ],
)
def test_one_axis_is_another_meaning(other: str, axes: tuple[str, ...]) -> None:
    label = "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"
    one, two = parse_label(label), parse_label(other)
    assert one is not None
    assert two is not None
    assert differing_axes(one, two) == axes
    assert not same_meaning(label, other)
    assert not same_meaning(label, label.replace("Sodium", "Potassium"))


def test_french_words_and_parts_answer_each_other() -> None:
    for axis, parts in axis_wordings().items():
        for part, texts in parts.items():
            printed = wording(axis, part)
            assert printed is not None
            assert part in loinc_parts(axis, printed)
            assert all(part in loinc_parts(axis, text) for text in texts)
    assert wording("time", "Pt") == ""
    assert wording("method", "") == ""
    assert wording("system", "Eggylk") is None
    assert not loinc_parts("system", "Jaune d'œuf")


IRREGULAR = {
    "Bactéries identification [Identification] Urine ; ; Culture": LabelForm.NO_SCALE,
    "Observation microscopique [Identification] Urine ; ; Coloration Gram": LabelForm.NO_SCALE,
    "Observation microscopique [Identification] Urine ; Coloration Gram": LabelForm.NO_SCALE,
    "Aspect [Aspect] Urine ;": LabelForm.NO_SCALE,
    "Couleur [Type] Urine ;": LabelForm.NO_SCALE,
    "Monocytes/100 leucocytes [Fraction de nombres] Sang ; Num&#xE9;rique ; Comptage automate": LabelForm.ENTITY,
    "Leucocytes [Nombre/Volume] Sang ; Num&#xE9;rique ; Comptage automate": LabelForm.ENTITY,
    "Oxygène[Pression partielle] Sang capillaire; Numérique ; Moniteur transcutané Oxygène": LabelForm.SPACING,
}
"""The irregular labels among those met in public documents, and what is wrong with them."""


def test_labels_met_in_public_documents(reference_data: Path) -> None:
    with (reference_data / "loinc_fr_labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 200
    irregular = {}
    for row in rows:
        reading = read_label(row["label"])
        if reading.form is not LabelForm.REGULAR:
            irregular[row["label"]] = reading.form
            continue
        assert reading.label is not None
        assert str(reading.label) == row["label"]
        for axis in ("component", *AXES):
            assert getattr(reading.label, axis) == row[axis], row
    assert irregular == IRREGULAR


def test_labels_of_the_french_variant_of_loinc(reference_data: Path) -> None:
    path = reference_data / "loinc_2.79_subset" / "frFR18LinguisticVariant.csv"
    columns = ("COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP")
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            reading = read_label(row["LONG_COMMON_NAME"])
            assert reading.form is LabelForm.REGULAR, row["LONG_COMMON_NAME"]
            axes = [row[column] for column in columns]
            axes[2] = "" if axes[2] == "Ponctuel" else axes[2]
            assert reading.label == Label(*axes)


@pytest.mark.parametrize(
    ("text", "form", "meant"),
    [
        ("Sodium [Moles/Volume] Sérum/Plasma ; Numérique", LabelForm.REGULAR, ...),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Numérique ; Électrode", LabelForm.REGULAR, ...),
        ("Sodium [Moles/Temps] 24H ; Urine ; Numérique", LabelForm.REGULAR, ...),
        ("Panel [-] Sérum/Plasma ; -", LabelForm.REGULAR, ...),
        ("Compte rendu [Recherche] Consultation ; Patient ; Document", LabelForm.REGULAR, ...),
        ("Sodium [Inconnue] Sérum ; Numérique", LabelForm.REGULAR, ...),
        ("Antigène [variant] [Présence/Seuil] Sang ; Qualitatif", LabelForm.REGULAR, ...),
        ("CFTR gène p.[Phe508del] [Présence/Seuil] Sang ; Qualitatif", LabelForm.REGULAR, ...),
        ("Sodium  [Moles/Volume] Sérum/Plasma ; Numérique", LabelForm.REGULAR, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium[Moles/Volume] Sérum/Plasma;Numérique", LabelForm.SPACING, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Temps] Urine ; 24H ; Numérique", LabelForm.MISPLACED_TIME, "Sodium [Moles/Temps] 24H ; Urine ; Numérique"),
        ("Sodium [Moles/Temps] Ponctuel ; Urine ; Numérique", LabelForm.POINT_IN_TIME, "Sodium [Moles/Temps] Urine ; Numérique"),
        ("Sodium [Moles/Temps] Urine ; Ponctuel ; Numérique", LabelForm.POINT_IN_TIME, "Sodium [Moles/Temps] Urine ; Numérique"),
        ("Sodium [Moles/Volume] Ponctuel ; Sérum ; Numérique ; Électrode", LabelForm.POINT_IN_TIME, "Sodium [Moles/Volume] Sérum ; Numérique ; Électrode"),
        ("Sodium [Moles/Temps] 24H, Urine ; Numérique", LabelForm.SEPARATOR, "Sodium [Moles/Temps] 24H ; Urine ; Numérique"),
        ("Sodium [Moles/Temps] 24H - Urine ; Numérique", LabelForm.SEPARATOR, "Sodium [Moles/Temps] 24H ; Urine ; Numérique"),
        ("Sodium [Moles/Volume] Sérum/Plasma, Numérique", LabelForm.SEPARATOR, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] Sérum/Plasma : Numérique", LabelForm.SEPARATOR, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] Sérum/Plasma | Numérique", LabelForm.SEPARATOR, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] Sérum/Plasma - Numérique", LabelForm.SEPARATOR, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] Sérum/Plasma\uff1bNumérique", LabelForm.SEPARATOR, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] ; Sérum/Plasma ; Numérique", LabelForm.SEPARATOR, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] ; Numérique", LabelForm.NO_SYSTEM, None),
        ("Sodium [Moles/Volume] 24H ; Numérique", LabelForm.NO_SYSTEM, None),
        ("Sodium [Moles/Volume] 24H ;", LabelForm.NO_SYSTEM, None),
        ("Sodium [Moles/Volume] Ponctuel ; Numérique ; Électrode", LabelForm.NO_SYSTEM, None),
        ("Sodium [Moles/Volume] Sérum/Plasma ;", LabelForm.NO_SCALE, None),
        ("Sodium [Moles/Volume] Sérum/Plasma", LabelForm.NO_SCALE, None),
        ("Sodium [Moles/Volume] Sérum/Plasma ; ; Électrode", LabelForm.NO_SCALE, None),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Quantitatif", LabelForm.NO_SCALE, None),
        ("[Moles/Volume] Sérum/Plasma ; Numérique", LabelForm.NO_COMPONENT, None),
        ("Sodium Sérum/Plasma ; Numérique", LabelForm.NO_PROPERTY, None),
        ("Sodium [] Sérum/Plasma ; Numérique", LabelForm.NO_PROPERTY, None),
        ("Sodium [ ] Sérum/Plasma ; Numérique", LabelForm.NO_PROPERTY, None),
        ("Sodium", LabelForm.NO_PROPERTY, None),
        ("", LabelForm.NO_PROPERTY, None),
        ("Sodium (Moles/Volume) Sérum/Plasma ; Numérique", LabelForm.BRACKETS, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium {Moles/Volume} Sérum/Plasma ; Numérique", LabelForm.BRACKETS, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume Sérum/Plasma ; Numérique", LabelForm.BRACKETS, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium Moles/Volume] Sérum/Plasma ; Numérique", LabelForm.BRACKETS, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Numérique ; Électrode ; Indirecte", LabelForm.TOO_MANY, None),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Numériqe", LabelForm.MISTYPED_SCALE, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/Volume] Sérum/Plasma ; Qualitatf ; Culture", LabelForm.MISTYPED_SCALE, "Sodium [Moles/Volume] Sérum/Plasma ; Qualitatif ; Culture"),
        ("Sodium [Moles/Volume] S&eacute;rum/Plasma ; Numérique", LabelForm.ENTITY, "Sodium [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("A &amp; B [Moles/Volume] Sérum/Plasma ; Numérique", LabelForm.ENTITY, "A & B [Moles/Volume] Sérum/Plasma ; Numérique"),
        ("Sodium [Moles/volume] in Serum or Plasma", LabelForm.ENGLISH, None),
        ("Sodium in Serum", LabelForm.ENGLISH, None),
        ("Fasting glucose by test strip", LabelForm.ENGLISH, None),
        ("MCV [Entitic volume]", LabelForm.ENGLISH, None),
    ],
)  # fmt: skip
def test_labels_good_and_bad(text: str, form: LabelForm, meant: str | EllipsisType | None) -> None:
    """The form, and the label meant (`...`: the very text)."""
    reading = read_label(text)
    assert reading.form is form
    assert (None if reading.label is None else str(reading.label)) == (text if meant is ... else meant)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("24H", True), ("24 H", True), ("2 heures", True), ("30min", True), ("10 jours", True), ("6 mois", True), ("Consultation", True),
        ("Ponctuel", True), ("Urine", False), ("24", False), ("H", False), ("24h urine", False),
    ],
)  # fmt: skip
def test_times(text: str, is_one: bool) -> None:
    assert is_time(text) is is_one

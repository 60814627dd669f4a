"""A LOINC release as downloaded: a folder, a zip archive, or Loinc.csv itself."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jdv_qa.errors import TerminologyError
from jdv_qa.language import say
from jdv_qa.terminology.labels import fold, loinc_parts, parse_label

_COLUMNS = (
    "LOINC_NUM", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS", "STATUS", "ORDER_OBS",
    "EXAMPLE_UCUM_UNITS", "LONG_COMMON_NAME",
)  # fmt: skip
_REQUIRED = _COLUMNS[:7]
_VERSION = re.compile(r"(?<![0-9.])(2\.[0-9]{2})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Term:
    """A LOINC term, fields as in Loinc.csv."""

    code: str
    component: str
    property: str
    time: str
    system: str
    scale: str
    method: str
    loinc_class: str
    status: str
    order_obs: str
    units: str
    name: str

    @property
    def is_panel(self) -> bool:
        """A panel: LOINC gives it the scale "-"."""
        return self.scale == "-"

    def matches_axes(self, label: str) -> bool:
        """Tell whether a French label has the property, time, system and scale of the term, and its method if it has one."""
        parsed = parse_label(label)
        return (
            parsed is not None
            and self.property in loinc_parts("property", parsed.property)
            and self.time in loinc_parts("time", parsed.time)
            and self.system in loinc_parts("system", parsed.system)
            and self.scale in loinc_parts("scale", parsed.scale)
            and bool(self.method) == bool(parsed.method)
        )

    def has_component_like(self, label: str, likeness: float = 80.0) -> bool:
        """Tell whether the component of a French label is spelled nearly like the term's (0 to 100, by rapidfuzz)."""
        from rapidfuzz import fuzz

        parsed = parse_label(label)
        return parsed is not None and fuzz.ratio(fold(parsed.component), fold(self.component)) >= likeness


@dataclass(frozen=True)
class LoincRelease:
    """A LOINC release. `replacements`: deprecated code -> (code to use, comment), from MapTo.csv."""

    version: str
    terms: Mapping[str, Term]
    replacements: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def read_release(path: Path) -> LoincRelease:
    """Read a LOINC release from a folder, a zip or Loinc.csv.

    Raises TerminologyError when there is no Loinc.csv or it lacks a column. The version is taken from the name of the
    file or folder, or else from the latest VersionLastChanged; "" when neither tells.
    """
    files = _open(path)
    terms, latest = _terms(path, files["Loinc.csv"])
    found = _VERSION.search(path.resolve().name)
    return LoincRelease(found.group(1) if found else latest, terms, _replacements(files.get("MapTo.csv")))


def _open(path: Path) -> dict[str, Iterable[str]]:
    """Return the lines of the files of interest, by name."""
    wanted = ("Loinc.csv", "MapTo.csv")
    try:
        if path.is_dir():
            paths = {
                p.name: p for name in wanted for p in sorted(path.rglob(name), key=lambda p: len(p.parts), reverse=True)
            }
            files: dict[str, Iterable[str]] = {name: _lines(p.read_bytes()) for name, p in paths.items()}
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = sorted(archive.namelist(), key=lambda name: name.count("/"), reverse=True)
                names = {name: member for member in members for name in wanted if member.rpartition("/")[2] == name}
                files = {name: _lines(archive.read(member)) for name, member in names.items()}
        else:
            files = {"Loinc.csv": _lines(path.read_bytes())}
    except FileNotFoundError:
        raise TerminologyError(
            say(
                f"{path} : version de LOINC introuvable ; vérifiez le nom et le dossier",
                f"{path}: LOINC release not found; check the name and the folder",
            )
        ) from None
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise TerminologyError(
            say(f"{path} : version de LOINC illisible ({error})", f"{path}: unreadable LOINC release ({error})")
        ) from None
    if "Loinc.csv" not in files:
        raise TerminologyError(
            say(
                f"{path} : pas de fichier Loinc.csv ; donnez la version de LOINC telle que téléchargée (zip ou dossier)",
                f"{path}: no Loinc.csv; give the LOINC release as downloaded (zip or folder)",
            )
        )
    return files


def _lines(content: bytes) -> Iterable[str]:
    return io.StringIO(content.decode("utf-8-sig"), newline="")


def _terms(path: Path, lines: Iterable[str]) -> tuple[dict[str, Term], str]:
    rows = csv.reader(lines)
    header = {name: position for position, name in enumerate(next(rows, []))}
    if missing := [name for name in _REQUIRED if name not in header]:
        raise TerminologyError(
            say(
                f"{path} : Loinc.csv : colonne {missing[0]} absente ; ce n'est pas la table LOINC",
                f"{path}: Loinc.csv: no column {missing[0]}; this is not the LOINC table",
            )
        )
    positions = [header.get(name, -1) for name in _COLUMNS]
    changed = header.get("VersionLastChanged", -1)
    terms: dict[str, Term] = {}
    latest: tuple[int, ...] = ()
    for row in rows:
        if not row:
            continue
        values = [row[position] if 0 <= position < len(row) else "" for position in positions]
        terms[values[0]] = Term(*values)
        if 0 <= changed < len(row) and row[changed]:
            numbers = tuple(int(part) for part in row[changed].split(".") if part.isdigit())
            latest = max(latest, numbers)
    return terms, ".".join(str(number) if place == 0 else f"{number:02d}" for place, number in enumerate(latest))


def _replacements(lines: Iterable[str] | None) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in csv.DictReader(lines or ()):
        found.setdefault(row["LOINC"], []).append((row["MAP_TO"], row.get("COMMENT") or ""))
    return {code: tuple(targets) for code, targets in found.items()}

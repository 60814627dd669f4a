"""What the program depends on is what `docs/dependencies.md` says, and nothing of it has a licence that would bind us."""

from __future__ import annotations

import os
import re
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from docs.dependencies import DIRECT, INDIRECT, PAGE, PERMISSIVE, direct_requirements, importers, page

OUR_OWN = {"jdv_qa", "__future__"}
BROUGHT_AND_USED = {"markupsafe": "jinja2", "lark": "ucumvert"}
"""Modules that we import of packages that another one, which we name, cannot do without."""
WORDS = {
    "MIT": r"MIT|Expat", "BSD": r"BSD", "Apache": r"Apache", "ISC": r"ISC", "PSF": r"PSF|Python Software Foundation", "MPL": r"MPL|Mozilla",
    "Artistic": r"Artistic", "Zlib": r"zlib", "Unlicense": r"Unlicense", "CC0": r"CC0",
}  # fmt: skip
"""How licences are written in the metadata of packages, the more lenient first."""


def installed(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def needed() -> set[str]:
    """The names of all that is installed because the program needs it, directly or not."""
    todo = [Requirement(f"{name}{versions}") for name, versions in direct_requirements().items()]
    names: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        requirement = todo.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        found = installed(name)
        if found is None or (name, extras) in seen:
            continue
        seen.add((name, extras))
        names.add(name)
        for text in found.requires or ():
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                todo.append(inner)
    return names


def licences(name: str) -> set[str]:
    """The kinds of licence that the metadata of an installed package names."""
    found = installed(name)
    assert found is not None
    told = found.metadata
    texts = [told.get("License-Expression") or ""]
    texts += [text for text in told.get_all("Classifier") or () if text.startswith("License ::")]
    if not any(texts):
        texts.append((told.get("License") or "").partition("\n")[0])
    return {kind for kind, pattern in WORDS.items() for text in texts if re.search(pattern, text, re.IGNORECASE)}


def test_the_page_is_that_of_the_program() -> None:
    if os.environ.get("JDV_RENEW") == "1":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_package_named_is_imported_and_every_one_imported_is_named() -> None:
    assert list(direct_requirements()) == list(DIRECT)
    used = importers()
    foreign = {name for name in used if name not in sys.stdlib_module_names and name not in OUR_OWN}
    assert foreign - set(BROUGHT_AND_USED) == {item.module for item in DIRECT.values()}
    for module, bringer in BROUGHT_AND_USED.items():
        assert module in INDIRECT
        found = installed(bringer)
        assert found is None or any(
            canonicalize_name(Requirement(text).name) == module for text in found.requires or ()
        )


def test_every_package_has_a_floor_and_minimums_installs_it() -> None:
    assert [
        name for name, versions in direct_requirements().items() if not re.match(r">=[0-9.]+(?:,|$)", versions)
    ] == []
    assert '.partition(",")[0].replace(">=", "==")' in (PAGE.parents[1] / "noxfile.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DIRECT)
def test_what_is_installed_is_what_is_allowed_and_has_the_licence_told(name: str) -> None:
    found = installed(name)
    if found is None:
        pytest.skip(f"{name} is not installed as a package of its own here")
    assert Requirement(f"x{direct_requirements()[name]}").specifier.contains(Version(found.version), prereleases=True)
    kinds = licences(name)
    assert any(DIRECT[name].licence.startswith(kind) for kind in kinds), kinds


def test_nothing_installed_has_a_licence_that_would_bind_us() -> None:
    names = needed()
    assert names >= {canonicalize_name(name) for name in DIRECT if installed(name)}
    assert len(names) > len(DIRECT)
    told = {name: licences(name) for name in sorted(names)}
    lenient = {kind for kind in WORDS if kind.startswith(PERMISSIVE)} | {"0BSD"}
    bound = {name: kinds for name, kinds in told.items() if not kinds & lenient}
    assert {name for name, kinds in bound.items() if kinds != {"MPL"}} == set(), bound
    assert set(bound) <= {"certifi", *(name for name, licence in INDIRECT.items() if licence.startswith("MPL"))}


def test_what_is_listed_has_the_licence_told() -> None:
    """A licence told here differs from that of the installed version only from one permissive kind to another."""
    for name, licence in INDIRECT.items():
        if installed(name) is None:
            continue
        kinds = licences(name)
        lenient = any(kind.startswith(PERMISSIVE) for kind in kinds)
        assert lenient or any(kind in licence for kind in kinds), (name, licence, kinds)

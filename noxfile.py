"""What a developer or a CI machine runs: `nox --list` names the sessions, `nox -s NAME` runs one, `nox` the usual."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests", "lint", "types", "architecture", "wheel"]

ROOT = Path(__file__).resolve().parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
DEMO = Path("reports", "demo")
PEERS = ("daff", "csv-diff", "frictionless[excel]")
"""What the benchmarks measure beside our own commands, in an environment of its own."""
SIDE_BY_SIDE = ("-n", "auto", "--dist", "loadfile")
"""Tests run on every core, those of a file together: they share what is slow to make."""


def group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PYPROJECT, name)


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Install jdv and run it on the sample workbooks; what it writes is in reports/demo."""
    session.install(".")
    shutil.rmtree(DEMO, ignore_errors=True)
    session.run("jdv", "sample", DEMO / "exemple")
    first, second, draft = (
        DEMO / "exemple" / name
        for name in (
            "JDV_CircuitBio_1.0.0.xlsx",
            "JDV_CircuitBio_1.1.0.xlsx",
            "JDV_CircuitBio_1.2.0_brouillon.xlsx",
        )
    )
    written = {
        "controle.txt": "les fautes du brouillon 1.2.0, cellule par cellule",
        "controle.xlsx": "les mêmes, en classeur à filtrer et à se répartir",
        "controle.html": "les mêmes, en page à chercher et à filtrer",
        "controle.json": "les mêmes, pour un programme",
        "changements.txt": "ce qui change de 1.0.0 à 1.1.0",
        "changements.json": "le même, pour un programme",
        "changements.html": "le même, en page à chercher et à filtrer",
        "changements.xlsx": "le même, en classeur",
        "notes-1.1.0.md": "les notes de version",
        "notes-1.1.0.html": "les mêmes, à coller dans Word",
        "instruction.xlsx": "quarante demandes de changement instruites, pour la réunion",
        "releases": "le registre : 1.0.0 reprise, 1.1.0 publiée (notes, CSV, Excel, FHIR, SVS, archive)",
    }
    (
        check_txt, check_xlsx, check_html, check_json, diff_txt, diff_json, diff_html, diff_xlsx, notes, notes_html,
        meeting, releases,
    ) = (DEMO / name for name in written)  # fmt: skip
    # The draft has faults and the editions differ, so these commands must end with status 1.
    session.run("jdv", "check", draft, success_codes=[1])
    for output in (check_txt, check_xlsx, check_html, check_json):
        session.run("jdv", "check", draft, "--output", output, success_codes=[1])
    session.run("jdv", "diff", first, second, "--output", diff_txt, success_codes=[1])
    session.run("jdv", "diff", first, second, "--format", "json", "--output", diff_json, success_codes=[1])
    for output in (diff_html, diff_xlsx):
        session.run("jdv", "diff", first, second, "--output", output, success_codes=[1])
    for output in (notes, notes_html):
        session.run("jdv", "notes", first, second, "--output", output)
    session.run("jdv", "triage", "review", DEMO / "exemple" / "demandes_1.1.0.xlsx", first, "--output", meeting)
    session.run("jdv", "import-release", first, "--register", releases)
    session.run("jdv", "release", second, "--register", releases)
    session.log("À ouvrir :")
    for name, content in {"exemple": "les trois classeurs d'exemple", **written}.items():
        session.log(f"  {DEMO / name!s:32} {content}")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on the Python that runs nox; what follows -- goes to pytest."""
    session.install("--editable", ".", *group("test"))
    session.run("python", "-m", "pytest", *SIDE_BY_SIDE, *session.posargs)


@nox.session(python=PYTHONS, default=False, download_python="never")
def all_pythons(session: nox.Session) -> None:
    """Run the tests on every supported Python; one that is not found is a failure."""
    tests(session)


@nox.session(default=False)
def minimums(session: nox.Session) -> None:
    """Run the tests with the oldest version of each dependency that pyproject.toml allows."""
    floors = [requirement.partition(",")[0].replace(">=", "==") for requirement in PYPROJECT["project"]["dependencies"]]
    session.install("--editable", ".", *floors, *group("test"))
    session.run("python", "-m", "pytest", *SIDE_BY_SIDE, *session.posargs)


@nox.session(default=False)
def dependencies(session: nox.Session) -> None:
    """Write docs/dependencies.md anew from pyproject.toml and the imports of the source."""
    session.run("python", "-m", "docs.dependencies")


@nox.session(default=False)
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities in the installed versions; says so and ends well where no advisories can be had."""
    session.install(".")
    frozen = str(session.run("python", "-m", "pip", "freeze", "--exclude", "jdv-qa", silent=True))
    session.install("pip-audit")
    with tempfile.TemporaryDirectory(prefix="jdv-audit-") as name:
        asked, answer = Path(name, "requirements.txt"), Path(name, "answer.json")
        asked.write_text("".join(f"{line}\n" for line in frozen.splitlines() if "==" in line), encoding="utf-8")
        session.run(
            "pip-audit", "--requirement", asked, "--no-deps", "--disable-pip", "--format", "json", "--output", answer,
            "--progress-spinner", "off", "--timeout", "15", silent=True, success_codes=[0, 1],
        )  # fmt: skip
        told = json.loads(answer.read_bytes() or b"{}") if answer.exists() else {}
    audited = [item for item in told.get("dependencies", []) if "skip_reason" not in item]
    if not audited:
        session.log("No advisories could be had from here: nothing has been audited.")
        return
    found = [f"{item['name']} {item['version']}: {fault['id']}" for item in audited for fault in item["vulns"]]
    if found:
        session.error("known vulnerabilities: " + "; ".join(found))
    left = len(told["dependencies"]) - len(audited)
    session.log(
        f"No known vulnerability in {len(audited)} packages" + (f"; {left} could not be audited." if left else ".")
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff; `-- --fix` mends what can be mended."""
    session.install(*group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    session.install("--editable", ".", *group("types"))
    session.run("mypy", *session.posargs)


@nox.session
def architecture(session: nox.Session) -> None:
    """Check that no module imports what its place in the house forbids."""
    session.install("--editable", ".", *group("architecture"))
    session.run("lint-imports", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the sdist and the wheel, and try the wheel in a fresh environment away from the checkout."""
    session.install("build")
    with tempfile.TemporaryDirectory(prefix="jdv-wheel-") as name:
        place = Path(name)
        session.run("python", "-m", "build", "--outdir", place / "from-sdist")
        session.run("python", "-m", "build", "--wheel", "--outdir", place / "from-checkout")
        (built,) = (place / "from-sdist").glob("*.whl")
        check_contents(session, built, place / "from-checkout" / built.name)
        try_wheel(session, built, place)


def check_contents(session: nox.Session, built: Path, from_checkout: Path) -> None:
    """Fail unless the wheel made from the sdist equals that of the checkout and holds all data files."""
    if built.read_bytes() != from_checkout.read_bytes():
        session.error("the wheel built from the sdist differs from the wheel built from the checkout")
    with zipfile.ZipFile(built) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    data = {f"jdv_qa/{path.relative_to(ROOT).as_posix()}": path for path in (ROOT / "rules").rglob("*")}
    data |= {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "jdv_qa").rglob("*")}
    wanted = {name: path for name, path in data.items() if path.is_file() and "__pycache__" not in path.parts}
    for name in ("LICENSE", "NOTICE"):
        (inside,) = (entry for entry in held if entry.endswith(f".dist-info/licenses/{name}"))
        wanted[inside] = ROOT / name
    wrong = sorted(name for name, path in wanted.items() if held.get(name) != path.read_bytes())
    beyond = sorted(name for name in held if name not in wanted and ".dist-info/" not in name)
    if wrong or beyond:
        session.error(f"wheel: missing or different {wrong}, not in the checkout {beyond}")
    session.log(f"{built.name}: {len(held)} files, {built.stat().st_size / 1024:.0f} KiB")


def try_wheel(session: nox.Session, built: Path, place: Path) -> None:
    """Install the wheel in a fresh environment and run the commands from an empty folder."""
    session.run(sys.executable, "-m", "venv", place / "venv", external=True)
    scripts = place / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python, jdv = scripts / "python", scripts / "jdv"
    session.run(python, "-m", "pip", "install", "--quiet", built, external=True)
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    version = built.name.split("-")[1]
    with session.chdir(elsewhere):
        for command in ((jdv,), (python, "-m", "jdv_qa")):
            answer = session.run(*command, "--version", external=True, silent=True)
            if str(answer).strip() != f"jdv {version}":
                session.error(f"{command}: {answer!r}, not 'jdv {version}'")
        session.run(python, "-I", "-c", IN_PACKAGE, external=True)
        session.run(jdv, "sample", "exemple", external=True)
        draft = Path("exemple", "JDV_CircuitBio_1.2.0_brouillon.xlsx")
        session.run(jdv, "info", draft, external=True)
        session.run(jdv, "check", draft, external=True, success_codes=[1])
        session.run(jdv, "rules", external=True)


IN_PACKAGE = """
import sys
from pathlib import Path
from jdv_qa.resources import rules_directory
from jdv_qa.sample import SAMPLE_DIR, files
places = [rules_directory(), SAMPLE_DIR, *files().values()]
home = Path(sys.prefix).resolve()
outside = [str(path) for path in places if not path.exists() or home not in path.resolve().parents]
sys.exit(f"not in the installed package: {outside}" if outside else 0)
"""


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure the commands on full-size workbooks, beside their peers; what follows -- goes to `python -m benchmarks`."""
    session.install("--editable", ".", *group("benchmarks"))
    peers = Path(session.create_tmp(), "peers")
    session.run(sys.executable, "-m", "venv", peers, external=True)
    python = peers / ("Scripts" if os.name == "nt" else "bin") / "python"
    session.run(python, "-m", "pip", "install", "--quiet", *PEERS, external=True)
    session.run("python", "-m", "benchmarks", "--peers", python, *session.posargs)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Spoil what the tool reads by the thousand; what follows -- goes to `python -m tests.fuzz`, as in `-- --seconds 600`."""
    session.install("--editable", ".", *group("test"))
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Change the rules, the comparison and the terminology line by line: do the tests see it? `-- --share 0.02`."""
    session.install("--editable", ".", *group("mutation"))
    session.run("python", "-m", "tests.mutation", *session.posargs)

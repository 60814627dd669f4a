"""What `jdv check` and `jdv waive` share: the options of a check, and running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from typer import Option

from jdv_qa.cli.options import read
from jdv_qa.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jdv_qa.checks.engine import Report
    from jdv_qa.checks.profiles import Profile
    from jdv_qa.cli.settings import Settings
    from jdv_qa.terminology.loinc import LoincRelease
    from jdv_qa.terminology.nabm import Nabm

NabmFile = Annotated[
    Path | None,
    Option(
        "--nabm",
        envvar="JDV_NABM",
        metavar="FILE",
        help="Table of the NABM (CSV or Excel): codes, labels, ends if any.",
    ),
]
Previous = Annotated[
    list[Path] | None,
    Option(
        "--previous", metavar="WORKBOOK|VERSION", help="Previous version; repeat it for older ones, the latest first."
    ),
]


def profile_names(incomplete: str) -> list[str]:
    """Return the profiles that ship and begin so, for the completion of a shell."""
    from jdv_qa.resources import rules_directory

    names = sorted(path.stem for path in (rules_directory() / "profiles").glob("*.yaml"))
    return [name for name in names if name.startswith(incomplete)]


def rule_names(incomplete: str) -> list[str]:
    """Return the ids of rules that begin so, and their families, in the case they are typed in, for the completion of a shell."""
    from jdv_qa.resources import rules_directory

    names = sorted(path.stem for path in rules_directory().glob("*/???-??.yaml"))
    families = sorted({name[:3] for name in names})
    typed = str.lower if incomplete.islower() else str
    return [typed(name) for name in (*families, *names) if typed(name).startswith(incomplete)]


ProfileName = Annotated[
    str | None,
    Option(
        "--profile",
        envvar="JDV_PROFILE",
        metavar="NAME|FILE",
        autocompletion=profile_names,
        help="brouillon (default), publication, or a profile file.",
    ),
]
WaiverFile = Annotated[
    Path | None,
    Option("--waivers", envvar="JDV_WAIVERS", metavar="FILE", help="File of waivers (see `jdv waive`)."),
]
SettingsFile = Annotated[
    Path | None,
    Option(
        "--config",
        is_eager=True,
        envvar="JDV_CONFIG",
        metavar="FILE",
        help="Settings file (default: the nearest jdv.toml from the current folder up).",
    ),
]


class Demand(NamedTuple):
    """What to check a workbook with; None where nothing was asked for on the command line."""

    workbook: Path
    loinc: str | None = None
    previous: tuple[Path, ...] = ()
    profile: str | None = None
    waivers: Path | None = None
    layout: str | None = None
    baseline: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    nabm: Path | None = None


def run_check(demand: Demand, settings: Settings) -> Report:
    """Run the rules on a workbook; what the command line leaves open comes from the settings.

    On a terminal, what takes more than a second shows how far it is.
    """
    from jdv_qa.checks.baseline import load_baseline
    from jdv_qa.checks.engine import check, prepare
    from jdv_qa.checks.waivers import load_waivers
    from jdv_qa.cli.progress import patience
    from jdv_qa.workbook.layout import load_layout

    chosen = settings.check
    profile = load_chosen_profile(demand.profile, settings)
    layout = demand.layout or settings.layout
    select = demand.select or tuple(chosen.get("select", ()))
    ignore = demand.ignore or tuple(chosen.get("ignore", ()))
    waivers = demand.waivers or settings.file("waivers")
    baseline = load_baseline(demand.baseline) if demand.baseline else None
    granted = load_waivers(waivers) if waivers else None
    release = Path(demand.loinc) if demand.loinc else settings.file("loinc")
    given = (demand.workbook, *demand.previous, settings.file("previous"), release)
    with patience(path for path in given if path is not None) as told:
        told(say("Lecture du classeur", "Reading the workbook"), 0, 0)
        prepare(profile, select, ignore)
        edition = read(demand.workbook, layout)
        told(say("Lecture des versions précédentes", "Reading earlier versions"), 0, 0)
        earlier = [read(path, layout) for path in demand.previous or _previous(settings)]
        told(say("Lecture de LOINC et de la NABM", "Reading LOINC and the NABM"), 0, 0)
        loinc = load_loinc(demand.loinc, settings)
        nabm = load_nabm(demand.nabm or settings.file("nabm"))
        return check(
            edition,
            layout=load_layout(layout or edition.layout),
            earlier=earlier,
            loinc=loinc,
            nabm=nabm,
            waivers=granted,
            baseline=baseline,
            profile=profile,
            select=select,
            ignore=ignore,
            on_rule=lambda rule, done, total: told(say(f"Règle {rule}", f"Rule {rule}"), done, total),
        )


def _previous(settings: Settings) -> list[Path]:
    """Return the previous version that the settings name: a file, or a version of the register."""
    path = settings.file("previous")
    return [] if path is None else [path if path.exists() else Path(str(settings.check["previous"]))]


def load_chosen_profile(name: str | None, settings: Settings) -> Profile:
    """Load the profile asked for, or the settings', with the severities and parameters of the settings laid over it."""
    from jdv_qa.checks.profiles import load_profile, overlaid

    return overlaid(load_profile(name or settings.check.get("profile")), settings.rules, settings.path)


def load_loinc(asked: str | None, settings: Settings) -> LoincRelease | None:
    """Load the LOINC release asked for, or the settings', by its path or its version in the store.

    A relative path in the settings counts from their file.
    """
    if asked is None and (path := settings.file("loinc")) is not None:
        asked = str(path) if path.exists() else str(settings.check["loinc"])
    if asked is None:
        return None
    from jdv_qa.terminology.store import find_release

    return find_release(asked)


def load_nabm(path: Path | None) -> Nabm | None:
    """Load the table of the NABM."""
    if path is None:
        return None
    from jdv_qa.terminology.nabm import nabm_table
    from jdv_qa.workbook.grids import read_grids

    return nabm_table(read_grids(path)[0].rows, str(path))


def words(values: Iterable[str] | None) -> tuple[str, ...]:
    """Return the ids of a repeated option, each of which may hold several separated by commas."""
    return tuple(word.strip() for value in values or () for word in value.split(",") if word.strip())

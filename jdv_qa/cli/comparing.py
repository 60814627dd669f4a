"""What `jdv diff`, `jdv notes` and `jdv release` share: the options of a comparison, making it, and what requests caused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from typer import Option

from jdv_qa.cli.options import read
from jdv_qa.cli.progress import stages
from jdv_qa.errors import Misuse
from jdv_qa.language import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from jdv_qa.compare.model import Change, Comparison
    from jdv_qa.terminology.loinc import LoincRelease
    from jdv_qa.workbook.edition import Edition

OldLayout = Annotated[str | None, Option("--old-layout", metavar="FILE", help="Layout of the old workbook alone.")]
NewLayout = Annotated[str | None, Option("--new-layout", metavar="FILE", help="Layout of the new workbook alone.")]
OldLoinc = Annotated[
    str | None,
    Option(
        "--old-loinc",
        metavar="PATH|VERSION",
        help="LOINC release of the old version: with --loinc, the codes whose status changed are told.",
    ),
]
Requests = Annotated[
    Path | None,
    Option(
        "--requests",
        metavar="FILE",
        help="Register of change requests, or the workbook of the meeting: changes are told with the numbers of the "
        "requests that asked for them.",
        show_default=False,
    ),
]


class Demand(NamedTuple):
    """What to compare, and with what; None where nothing was asked for on the command line."""

    old: Path
    new: Path
    layout: str | None = None
    old_layout: str | None = None
    new_layout: str | None = None
    loinc: str | None = None
    old_loinc: str | None = None


def run_comparison(demand: Demand) -> tuple[Edition, Edition, Comparison]:
    """Read two versions and compare them; raises Misuse for an old LOINC release without the new one."""
    if demand.old_loinc is not None and demand.loinc is None:
        raise Misuse(say("--old-loinc va avec --loinc", "--old-loinc goes with --loinc"))
    from jdv_qa.compare.compare import compare, load_rules

    load_rules()
    with stages(3, (demand.old, demand.new)) as begin:
        begin(say(f"Lecture de {demand.old.name}", f"Reading {demand.old.name}"))
        old = read(demand.old, demand.old_layout or demand.layout)
        begin(say(f"Lecture de {demand.new.name}", f"Reading {demand.new.name}"))
        new = read(demand.new, demand.new_layout or demand.layout)
        begin(say("Comparaison", "Comparing"))
        return old, new, compare(old, new, loinc=_release(demand.loinc), old_loinc=_release(demand.old_loinc))


def _release(name: str | None) -> LoincRelease | None:
    if name is None:
        return None
    from jdv_qa.terminology.store import find_release

    return find_release(name)


def requests_behind(
    requests: Path, layout: str | None
) -> Callable[[Edition, Edition, Comparison], dict[Change, tuple[str, ...]]]:
    """Read a register of requests; return what tells the changes of a comparison that they asked for, with their numbers."""
    from jdv_qa.triage.decisions import read_decisions
    from jdv_qa.triage.following import answered
    from jdv_qa.triage.requests import read_requests
    from jdv_qa.workbook.layout import load_layout

    register = read_requests(requests)
    decisions = read_decisions(requests, register)
    return lambda old, new, comparison: answered(
        register.requests, decisions, comparison, old, new, layout=load_layout(layout)
    )

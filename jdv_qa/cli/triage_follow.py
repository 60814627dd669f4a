"""`jdv triage follow` and `jdv triage record`: what became of requests in a release, the answers, and the ledger."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.options import Exit, Force, Lang, LayoutFile, console, emit, emit_bytes, form_of, read
from jdv_qa.cli.progress import stages
from jdv_qa.cli.streams import tell
from jdv_qa.language import count, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jdv_qa.triage.following import Followed
    from jdv_qa.triage.ledger import Ledger
    from jdv_qa.triage.requests import Register
    from jdv_qa.workbook.edition import Edition

LEDGER = Path("requests")
"""The folder of the ledger, in the current folder."""

RegisterFile = Annotated[
    Path,
    Argument(
        metavar="REQUESTS", help="Register with its decisions, Excel or CSV, or the workbook of `jdv triage review -o`."
    ),
]
RegisterLayout = Annotated[str | None, Option("--register-layout", metavar="FILE", help="Layout file of the register.")]
LedgerFolder = Annotated[
    Path | None,
    Option(
        "--ledger",
        metavar="DIR",
        help="Folder of the registers of earlier versions (default: requests/ of the current folder, where it is there).",
        show_default=False,
    ),
]


class Format(StrEnum):
    """Forms of what became of requests."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


def follow(
    requests: RegisterFile,
    release: Annotated[
        Path,
        Argument(metavar="RELEASE", help="Workbook of the version, or its number in the register of releases."),
    ],
    previous: Annotated[
        Path | None,
        Option(
            "--previous",
            metavar="WORKBOOK|VERSION",
            help="The version before (default: the one below it in the register of releases).",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Format | None,
        Option(
            "--format",
            "-f",
            help="text, json, or the register with its statuses: csv, xlsx (default: by the name of the output).",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FILE", help="Write a copy of the register with the statuses, or the JSON."),
    ] = None,
    answers: Annotated[
        Path | None,
        Option(
            "--answers",
            metavar="DIR",
            help="Write the answers: a letter for each request and publipostage.csv.",
        ),
    ] = None,
    force: Force = False,
    layout: LayoutFile = None,
    register_layout: RegisterLayout = None,
    lang: Lang = None,
) -> Exit:
    """Tell which requests are in a release and which are not, judged by what the release says.

    Codes are followed through their replacements. Exit status: 0 the release agrees with the decisions, 1 something is to be
    checked (accepted and not in it, or in it though not accepted), 2 it could not be told.
    """
    from jdv_qa.compare.compare import compare
    from jdv_qa.triage.decisions import read_decisions
    from jdv_qa.triage.following import follow as run
    from jdv_qa.triage.requests import read_requests
    from jdv_qa.workbook.layout import load_layout

    if output is not None:
        from jdv_qa.files import refuse_sources

        refuse_sources((output,), (requests, release, previous))
    with stages(3, (requests, release)) as begin:
        begin(say(f"Lecture de {requests.name}", f"Reading {requests.name}"))
        register = read_requests(requests, load_layout(register_layout) if register_layout else None)
        decisions = read_decisions(requests, register)
        begin(say(f"Lecture de {release.name}", f"Reading {release.name}"))
        new = read(release, layout)
        old = read(previous, layout) if previous is not None else _released_before(new, layout)
        begin(say("Suivi des demandes", "Following the requests"))
        comparison = compare(old, new) if old is not None else None
        followed = run(register.requests, decisions, new, old, comparison=comparison, layout=load_layout(layout))
    _write(followed, register, new, old, form or form_of(output, Format.TEXT), output, force=force)
    if answers is not None:
        _write_answers(followed, new, answers, force=force)
    return Exit.FOUND if any(one.needs_attention for one in followed) else Exit.CLEAN


def _released_before(release: Edition, layout: str | None) -> Edition | None:
    """Return the version of the register of releases that comes before one, None where there is none."""
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.compare.versions import above
    from jdv_qa.publish.register import load_register, read_release
    from jdv_qa.workbook.layout import load_layout

    register = load_register(load_settings().register)
    before = [one for one in register.releases if above(release.identity.version, one.version)]
    return read_release(register, before[-1], load_layout(layout)) if before else None


def _write(
    followed: Sequence[Followed],
    register: Register,
    new: Edition,
    old: Edition | None,
    form: Format,
    output: Path | None,
    *,
    force: bool,
) -> None:
    from jdv_qa.report.following_text import following_json, following_sentence, print_following

    if form is Format.JSON:
        emit(following_json(followed, register, new, old), output, force=force)
    elif form is Format.CSV:
        from jdv_qa.triage.register_table import register_csv

        statuses = [one.status for one in followed]
        content = register_csv([one.asked for one in followed], [one.decision for one in followed], statuses)
        emit_bytes(content, output, force=force)
    elif form is Format.XLSX:
        _write_workbook(followed, register, output, force=force)
    elif output is None:
        print_following(followed, register, new, old, console())
    else:
        from jdv_qa.cli.options import printed

        emit(printed(lambda paper: print_following(followed, register, new, old, paper)), output, force=force)
    if output is not None:
        tell(say(f"{output} : ", f"{output}: ") + following_sentence(followed))


def _write_workbook(followed: Sequence[Followed], register: Register, output: Path | None, *, force: bool) -> None:
    from jdv_qa.cli.options import emit_workbook
    from jdv_qa.errors import OutputError
    from jdv_qa.triage.register_table import with_statuses

    source = Path(register.path)
    if source.suffix.casefold() not in (".xlsx", ".xlsm"):
        raise OutputError(
            say(
                f"{source} est une table : écrire les statuts en .csv (-o suivi.csv)",
                f"{source} is a table: write the statuses as .csv (-o suivi.csv)",
            )
        )
    emit_workbook(with_statuses(register, followed), output, "suivi.xlsx", force=force)


def _write_answers(followed: Sequence[Followed], release: Edition, folder: Path, *, force: bool) -> None:
    from jdv_qa.files import new_directory
    from jdv_qa.triage.answers import answers, is_answer, merge_name

    files = answers(followed, release)
    with new_directory(folder, is_ours=is_answer, force=force) as directory:
        for name, content in files.items():
            (directory / name).write_bytes(content)
    letters = count(len(files) - 1, "réponse", "answer")
    tell(
        say(f"{folder} : {letters} et {merge_name()}", f"{folder}: {letters} and {merge_name()}"),
    )


def record(
    requests: RegisterFile,
    version: Annotated[
        str, Argument(metavar="VERSION", help="Name of the register in the ledger: a version, or a meeting.")
    ],
    ledger: LedgerFolder = None,
    register_layout: RegisterLayout = None,
    lang: Lang = None,
) -> None:
    """Add a decided register to the ledger, where `jdv triage review` finds requests that were made before.

    A register of the ledger is never replaced. Exit status: 0 added, 2 refused.
    """
    from jdv_qa.triage.decisions import by_number, read_decisions
    from jdv_qa.triage.ledger import record as add
    from jdv_qa.triage.requests import read_requests
    from jdv_qa.workbook.layout import load_layout

    register = read_requests(requests, load_layout(register_layout) if register_layout else None)
    decisions = read_decisions(requests, register)
    path = add(ledger or LEDGER, version, register.requests, decisions)
    undecided = sum(one is None or not one.decision for one in by_number(register.requests, decisions).values())
    told = count(len(register.requests), "demande", "request")
    if undecided:
        told += say(f", dont {undecided} sans décision", f", {undecided} of them not decided")
    tell(say(f"{path} : {told}", f"{path}: {told}"))


def open_ledger(folder: Path | None, edition: Edition) -> Ledger | None:
    """Read the ledger asked for, or that of the current folder where there is one; codes are followed by tab 9."""
    from jdv_qa.triage.ledger import read_ledger
    from jdv_qa.triage.succession import successions

    chosen = folder or (LEDGER if LEDGER.is_dir() else None)
    return None if chosen is None else read_ledger(chosen, successions(None, edition))

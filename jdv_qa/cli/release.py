"""`jdv release`: a draft becomes a version of the register, checked, completed and published in every form, or is refused."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.checking import NabmFile, SettingsFile, WaiverFile, load_loinc, load_nabm
from jdv_qa.cli.comparing import Requests, requests_behind
from jdv_qa.cli.misuse import not_one_of
from jdv_qa.cli.options import Exit, Lang, LayoutFile, Loinc, console, emit
from jdv_qa.cli.progress import stages
from jdv_qa.cli.registers import RegisterFolder, open_register
from jdv_qa.cli.streams import tell
from jdv_qa.errors import Misuse, ReleaseRefused
from jdv_qa.language import say

if TYPE_CHECKING:
    from jdv_qa.cli.settings import Settings
    from jdv_qa.publish.release import ReleasePlan, Terms

PROFILE = "publication"


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"


def release(
    draft: Annotated[Path, Argument(metavar="DRAFT", help="Workbook to release; it is not changed.")],
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would be done, or why it would be refused; write nothing.")
    ] = False,
    register: RegisterFolder = None,
    date: Annotated[
        str | None,
        Option("--date", metavar="YYYY-MM-DD", help="Date of publication, for a workbook that states none."),
    ] = None,
    keep_tabs: Annotated[
        bool,
        Option("--keep-tabs", help="Leave tabs 9 and 10 as they are: the draft tells every change itself."),
    ] = False,
    requests: Requests = None,
    loinc: Loinc = None,
    nabm: NabmFile = None,
    waivers: WaiverFile = None,
    profile: Annotated[
        str | None,
        Option("--profile", metavar="NAME|FILE", help=f"Profile of the check (default: {PROFILE})."),
    ] = None,
    separator: Annotated[
        str | None, Option("--separator", metavar='";"|","', help='Separator of the CSV files (default: ";").')
    ] = None,
    bom: Annotated[bool, Option("--bom", help="Begin the CSV files with the mark by which Excel knows UTF-8.")] = False,
    form: Annotated[Format, Option("--format", "-f", help="text for people, json for scripts.")] = Format.TEXT,
    layout: LayoutFile = None,
    config: SettingsFile = None,
    lang: Lang = None,
) -> Exit:
    """Release a draft: check it, complete its tabs 9 and 10, and publish it in every form, in one step.

    Refused, with the reasons: any error without a waiver, a version that is not above the last one of the register, a
    change that tab 9 does not tell. Exit status: 0 released (or could be, with --dry-run), 1 refused, 2 the work could
    not be done.
    """
    from jdv_qa.cli.settings import load_settings
    from jdv_qa.publish.release import make_release, plan_release, release_files
    from jdv_qa.publish.tables import SEPARATORS
    from jdv_qa.report.register_documents import release_documents
    from jdv_qa.report.register_json import plan_json
    from jdv_qa.report.register_text import print_plan, released_sentence

    settings = load_settings(config)
    separator = separator or str(settings.release.get("separator", ";"))
    if separator not in SEPARATORS:
        raise not_one_of(separator, SEPARATORS, "--separator")
    bom = bom or bool(settings.release.get("bom", False))
    day = _day(date)
    terms = _terms(settings, loinc, nabm, waivers, profile, layout)
    behind = requests_behind(requests, layout or settings.check.get("layout")) if requests is not None else None
    opened = open_register(register, settings)
    with stages(5, (draft,)) as begin:
        plan = plan_release(draft, opened, terms, date=day, update=not keep_tabs, behind=behind, stage=begin)
        files: dict[str, bytes] = {}
        if not plan.reasons:
            begin(say("Publication", "Publishing"))
            files = release_files(plan, release_documents(plan), separator=separator, bom=bom)
    written, refusal = None, ""
    if not plan.reasons and not dry_run:
        try:
            written = make_release(plan, files)
        except ReleaseRefused as error:
            refusal = str(error)
    if form is Format.JSON:
        emit(plan_json(_refused(plan, refusal), files, written=written is not None), None)
    else:
        print_plan(_refused(plan, refusal), files if not refusal else {}, console())
    if written is not None:
        tell(released_sentence(plan, written))
    elif not plan.reasons and not refusal:
        tell(say("Essai : rien n'a été écrit.", "Dry run: nothing was written."))
    return Exit.FOUND if plan.reasons or refusal else Exit.CLEAN


def _refused(plan: ReleasePlan, reason: str) -> ReleasePlan:
    from dataclasses import replace

    return replace(plan, reasons=(reason,)) if reason else plan


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Misuse(
            say(
                f"--date : « {text} » n'est pas une date comme 2026-07-15",
                f"--date: `{text}` is not a date such as 2026-07-15",
            )
        ) from None


def _terms(
    settings: Settings,
    loinc: str | None,
    nabm: Path | None,
    waivers: Path | None,
    profile: str | None,
    layout: str | None,
) -> Terms:
    """Load what the draft is checked with: what the command line leaves open comes from the settings."""
    from jdv_qa.checks.profiles import load_profile, overlaid
    from jdv_qa.checks.waivers import load_waivers
    from jdv_qa.publish.release import Terms
    from jdv_qa.workbook.layout import load_layout

    chosen = profile or str(settings.release.get("profile", PROFILE))
    granted = waivers or settings.file("waivers")
    return Terms(
        load_layout(layout or settings.check.get("layout")),
        overlaid(load_profile(chosen), settings.rules, settings.path),
        load_loinc(loinc, settings),
        load_nabm(nabm or settings.file("nabm")),
        load_waivers(granted) if granted else None,
    )

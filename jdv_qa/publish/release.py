"""Making a release of a draft: everything is worked out first, refused or not, and only then written, in one step.

The draft is read and compared with the last release of the register; tabs 9 and 10 are completed in a copy of it; the copy
is checked as it would be published; and the copy, the exports made from it and the notes enter the register together. The
draft itself is never touched. An old workbook enters by `plan_import`, as it is and unchecked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from jdv_qa.checks.engine import Report, check
from jdv_qa.checks.finding import Finding, Severity
from jdv_qa.checks.indicators import indicators
from jdv_qa.compare.compare import compare
from jdv_qa.compare.model import Comparison
from jdv_qa.compare.wording import change_count
from jdv_qa.errors import RegisterError, ReleaseRefused, WorkbookError
from jdv_qa.language import count, say
from jdv_qa.publish.bundle import bundle, bundle_name, data_files, table_files
from jdv_qa.publish.concepts import unpublished
from jdv_qa.publish.notes import NO_REQUESTS, Requests, release_notes, short_notes
from jdv_qa.publish.notes_html import notes_html
from jdv_qa.publish.package import publication_date
from jdv_qa.publish.register import (
    SEVERITIES,
    WORKBOOK,
    Register,
    Release,
    add_release,
    covered_loinc,
    obstacle,
    plain,
    read_release,
    read_with_rows,
    refuse_version,
    safe_version,
)
from jdv_qa.publish.tables import left_out
from jdv_qa.workbook.annotating import is_annotated
from jdv_qa.workbook.edition import Edition, Source
from jdv_qa.workbook.layout import Layout, load_layout
from jdv_qa.workbook.read import read_edition
from jdv_qa.workbook.sheets import file_content

if TYPE_CHECKING:
    from jdv_qa.checks.profiles import Profile
    from jdv_qa.checks.waivers import Waiver
    from jdv_qa.publish.update_tabs import Update
    from jdv_qa.terminology.loinc import LoincRelease
    from jdv_qa.terminology.nabm import Nabm

NOTES = "notes_de_version"
SHORT_NOTES = "notes_courtes"

_EARLIER = 8
"""Earlier versions that a check is given; ATT-04 counts how long a code has been pending."""
_TELLING_RULES = ("VER-04", "VER-05", "VER-06")
"""Warnings by which the rules say that tab 9 does not tell a change; VER-02 is an error anyway."""
_SHOWN = 5
"""Cells that a reason to refuse names."""

Stage = Callable[[str], None]
Behind = Callable[[Edition, Edition, Comparison], Requests]
"""Tells which change requests are behind the changes from one edition to another."""


def _no_stage(title: str) -> None:
    """Take no notice of a stage."""


@dataclass(frozen=True)
class ReleasePlan:
    """What a release of a draft would be.

    `reasons` says in sentences why it is refused, empty when it can be made. `edition` is that of `workbook`, the copy of
    the draft with tabs 9 and 10 completed, as `update` says; None where they were left alone. `previous`, `before` and
    `comparison` are None for the first release of a register, `report` for an import, which is not checked. `requests`
    are the numbers of the change requests behind a change.
    """

    register: Register
    version: str
    name: str
    sha256: str
    edition: Edition
    workbook: bytes
    suffix: str
    date: dt.date | None
    reasons: tuple[str, ...] = ()
    previous: Release | None = None
    before: Edition | None = None
    comparison: Comparison | None = None
    report: Report | None = None
    update: Update | None = None
    requests: Requests = field(default_factory=lambda: NO_REQUESTS)
    layout: Layout | None = None
    omitted: tuple[str, ...] = ()
    """What of the workbook has no place in the exports, in sentences."""

    @property
    def moment(self) -> dt.datetime | None:
        """The time, in UTC, that the files of the release bear."""
        return dt.datetime(self.date.year, self.date.month, self.date.day, tzinfo=dt.UTC) if self.date else None

    @property
    def kept(self) -> str:
        """The path of the maintainers' workbook in the release."""
        return f"{WORKBOOK}/{bundle_name(self.version)}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a draft is checked with: layout, profile, reference tables and waivers; None where there is none."""

    layout: Layout | None = None
    profile: Profile | None = None
    loinc: LoincRelease | None = None
    nabm: Nabm | None = None
    waivers: tuple[Waiver, ...] | None = None


def plan_release(
    draft: Path,
    register: Register,
    terms: Terms | None = None,
    *,
    date: dt.date | None = None,
    update: bool = True,
    behind: Behind | None = None,
    stage: Stage = _no_stage,
) -> ReleasePlan:
    """Work out the release of a draft; nothing is written.

    `date` is for a workbook that states none. `update`: complete tabs 9 and 10; otherwise the draft must tell every
    change itself. `behind` tells the numbers of the change requests behind each change, for tab 9 and the notes. `stage`
    is called at the beginning of each of four stages. Raises WorkbookError when the draft cannot be read.
    """
    terms = terms or Terms()
    layout = terms.layout or load_layout()
    stage(say(f"Lecture de {draft.name}", f"Reading {draft.name}"))
    content = file_content(draft)
    digest = hashlib.sha256(content).hexdigest()
    edition = read_edition(draft, layout)
    reasons: list[str] = []
    version = ""
    try:
        version = safe_version(edition.identity.version)
    except RegisterError as error:
        reasons.append(str(error))
    if version and (reason := refuse_version(register, version) or obstacle(register, version)):
        reasons.append(reason)
    day, reason = _day(edition, date)
    if reason:
        reasons.append(reason)
    if is_annotated(draft):
        reasons.append(
            say(
                "le brouillon porte les annotations d'un contrôle ; retirez-les par « jdv fix --unmark »",
                "the draft carries the annotations of a check; take them out with `jdv fix --unmark`",
            )
        )
    stage(say("Comparaison avec la dernière version", "Comparing with the last release"))
    earlier = [kept_edition(register, release, layout) for release in reversed(register.releases[-_EARLIER:])]
    comparison = compare(earlier[0], edition, loinc=terms.loinc) if earlier else None
    requests = behind(earlier[0], edition, comparison) if behind and comparison is not None else NO_REQUESTS
    stage(say("Onglets 9 et 10", "Tabs 9 and 10"))
    updated: Update | None = None
    told = [record.values for record in edition.records("notes")]
    if update and not reasons and comparison is not None:
        from jdv_qa.publish.update_tabs import updated_workbook

        updated = updated_workbook(draft, earlier[0], edition, comparison, requests, layout=layout)
        content = updated.content
    if hashlib.sha256(file_content(draft)).hexdigest() != digest:
        raise WorkbookError(
            say(
                f"{draft} : le fichier a changé pendant sa lecture ; fermez-le dans Excel et recommencez",
                f"{draft}: the file changed while it was read; close it in Excel and start again",
            )
        )
    name = f"{bundle_name(version) if version else 'draft'}{_suffix(draft)}"
    edition = read_content(content, name, layout)
    if comparison is not None:  # tabs 9 and 10 take no part in it
        kept = comparison.new._replace(path=edition.source.path, sha256=edition.source.sha256)
        comparison = replace(comparison, new=kept)
    stage(say("Contrôle", "Checking"))
    report = check(
        edition,
        layout=layout,
        earlier=earlier,
        loinc=terms.loinc,
        nabm=terms.nabm,
        waivers=terms.waivers,
        profile=terms.profile,
    )
    report = _without_echoes(report, told)
    reasons.extend(_refusals(report))
    if comparison is not None and comparison.changes and not edition.records("notes"):
        tab = layout.tabs["notes"].name if "notes" in layout.tabs else "notes"
        number = change_count(len(comparison.changes))
        reasons.append(
            say(
                f"l'onglet « {tab} » manque ou est vide : {number} à dire",
                f'tab "{tab}" is missing or empty: {number} to be told',
            )
        )
    return ReleasePlan(
        register,
        version,
        draft.name,
        digest,
        edition,
        content,
        _suffix(draft),
        day,
        tuple(reasons),
        register.last,
        earlier[0] if earlier else None,
        comparison,
        report,
        updated,
        requests,
        layout,
        (*left_out(edition), *unpublished(edition)),
    )


def plan_import(
    path: Path,
    register: Register,
    version: str | None = None,
    layout: Layout | None = None,
    *,
    edition: Edition | None = None,
    before: Edition | None = None,
) -> ReleasePlan:
    """Work out how an old workbook enters the register as it is; nothing is written.

    `version` is for a workbook that does not say its own; `edition` and `before`, the Editions of the workbook and of
    the last release, spare reading them where they are known. Raises WorkbookError when the workbook cannot be read,
    RegisterError when its version is missing or cannot be one, ReleaseRefused when it is not above the last one.
    """
    content = file_content(path)
    edition = edition or read_edition(path, layout)
    if "main" not in edition.tables:
        raise WorkbookError(
            say(
                f"{path} : la mise en page « {edition.layout} » n'est pas celle du JDV CircuitBio ; le registre ne tient "
                "que ses versions",
                f"{path}: the layout `{edition.layout}` is not that of the JDV CircuitBio; the register holds its "
                "versions only",
            )
        )
    number = imported_version(path, edition, version)
    if reason := refuse_version(register, number) or obstacle(register, number):
        raise ReleaseRefused(say(f"{path} : {reason}", f"{path}: {reason}"))
    name = f"{bundle_name(number)}{_suffix(path)}"
    digest = hashlib.sha256(content).hexdigest()
    edition = replace(edition, source=Source(name, digest))
    if before is None and register.last is not None:
        before = kept_edition(register, register.last, layout)
    named = replace(edition, identity=replace(edition.identity, version=number))
    moment = publication_date(edition) if edition.identity.date else None
    return ReleasePlan(
        register,
        number,
        path.name,
        digest,
        edition,
        content,
        _suffix(path),
        moment.date() if moment else None,
        (),
        register.last,
        before,
        compare(before, named) if before is not None else None,
        layout=layout,
        omitted=left_out(edition),
    )


def imported_version(path: Path, edition: Edition, version: str | None = None) -> str:
    """Return the version under which a workbook enters the register, the one given or its own.

    Raises RegisterError, with the file and what to do, when it is missing or cannot be one.
    """
    try:
        return safe_version(edition.identity.version if version is None else version)
    except RegisterError as error:
        raise RegisterError(
            say(
                f"{path} : {error} (ou donnez-la avec --version)",
                f"{path}: {error} (or give it with --version)",
            )
            if version is None
            else str(error)
        ) from None


def kept_edition(register: Register, release: Release, layout: Layout | None = None) -> Edition:
    """Read the Edition of a release as coming from the maintainers' workbook that the release keeps, without its path.

    Its rows are those of that workbook for the last release, which is compared; those of the tables for older ones.
    """
    kept = next((file for file in release.files if file.path.startswith(f"{WORKBOOK}/")), None)
    source = Source(kept.path.partition("/")[2], kept.sha256) if kept else Source(bundle_name(release.version), "")
    read = read_with_rows if release == register.last else read_release
    return replace(read(register, release, layout), source=source)


def read_content(content: bytes, name: str, layout: Layout | None = None) -> Edition:
    """Read the bytes of a workbook; the Edition's source is the name alone, the same wherever the work is done."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        edition = read_edition(path, layout)
    return replace(edition, source=Source(name, edition.source.sha256))


def release_files(
    plan: ReleasePlan, documents: Mapping[str, bytes], *, separator: str = ";", bom: bool = False
) -> dict[str, bytes]:
    """Return the files of a release by their paths in its folder, the manifest and its checksums aside.

    `documents` are files made elsewhere, by their paths: the changes and the check in JSON. Raises OutputError for a
    text that one of the forms cannot hold.
    """
    published = data_files(plan.edition, plan.version, plan.layout, separator=separator, bom=bom)
    if plan.before is not None and plan.comparison is not None:
        long = release_notes(plan.before, plan.edition, plan.comparison, requests=plan.requests)
        short = short_notes(plan.before, plan.edition, plan.comparison, plan.requests)
        published |= {
            f"{NOTES}.md": long.encode(),
            f"{NOTES}.html": notes_html(long).encode(),
            f"{SHORT_NOTES}.md": short.encode(),
        }
    archive = bundle(plan.version, published, plan.moment)
    return {**published, **documents, plan.kept: plan.workbook, f"{bundle_name(plan.version)}.zip": archive}


def import_files(plan: ReleasePlan, documents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of an imported version: the workbook as it is, its tables, and the documents made elsewhere."""
    return {**table_files(plan.edition, plan.layout), **documents, plan.kept: plan.workbook}


def make_release(plan: ReleasePlan, files: Mapping[str, bytes]) -> Register:
    """Put a planned release with its files into the register, and return the register with it.

    Raises ReleaseRefused when the plan has reasons to refuse, or when the register no longer is what was planned on.
    """
    if plan.reasons:
        raise ReleaseRefused(plan.reasons[0])
    return add_release(plan.register, entry(plan), files)


def entry(plan: ReleasePlan) -> Release:
    """Return the entry of a planned release in the register, its files not yet listed."""
    comparison, report = plan.comparison, plan.report
    return Release(
        plan.version,
        "imported" if report is None else "released",
        plan.date.isoformat() if plan.date else "",
        covered_loinc(plan.edition),
        plain(plan.edition.identity.title),
        plan.previous.version if plan.previous else "",
        plain(plan.name),
        plan.sha256,
        len(plan.edition.main.records),
        indicators(plan.edition),
        {str(kind): number for kind, number in comparison.summary.items()} if comparison else {},
        {str(impact): number for impact, number in comparison.impacts.items()} if comparison else {},
        report.profile if report else "",
        {name: report.summary[name] for name in SEVERITIES} if report else {},
    )


def _suffix(path: Path) -> str:
    return ".xlsm" if path.suffix.casefold() == ".xlsm" else ".xlsx"


def _day(edition: Edition, asked: dt.date | None) -> tuple[dt.date | None, str]:
    """Return the date of a release, and why it cannot be known or "": the workbook's, else the one asked for."""
    stated = publication_date(edition)
    if stated is None and asked is None:
        return None, say(
            "la date de publication manque ; écrivez-la dans le Sommaire, ou donnez --date",
            "the date of publication is missing; write it in the Sommaire, or give --date",
        )
    if stated is not None and asked is not None and edition.identity.date and stated.date() != asked:
        return asked, say(
            f"la date demandée ({asked.isoformat()}) n'est pas celle du Sommaire ({edition.identity.date}) ; corrigez "
            "l'une ou l'autre",
            f"the date asked for ({asked.isoformat()}) is not the Sommaire's ({edition.identity.date}); correct one or "
            "the other",
        )
    return asked or (stated.date() if stated else None), ""


def _without_echoes(report: Report, told: Sequence[Mapping[str, str]]) -> Report:
    """Return a report without the findings in the lines that were added to tab 9, whose own lines are `told`.

    Those lines repeat the values of the draft: what is wrong in them is wrong there, and said there. Where nothing else
    refuses the draft, they stay.
    """
    added = {record.row for record in report.edition.records("notes") if record.values not in told}
    others = tuple(finding for finding in report.findings if finding.tab != "notes" or finding.row not in added)
    refused = any(finding.severity is Severity.ERROR and not finding.waived for finding in others)
    return replace(report, findings=others) if refused else report


def _refusals(report: Report) -> Iterable[str]:
    """Return the reasons that a check gives to refuse: rules that broke down, errors, changes that are not told."""
    for item in report.crashed:
        yield say(
            f"la règle {item.rule} a échoué ({item.reason}) : le contrôle n'est pas complet",
            f"rule {item.rule} broke down ({item.reason}): the check is not complete",
        )
    standing = [finding for finding in report.findings if not finding.waived]
    errors = [finding for finding in standing if finding.severity is Severity.ERROR]
    by_rule: dict[str, list[Finding]] = {}
    for finding in errors:
        by_rule.setdefault(finding.rule, []).append(finding)
    if errors:
        number = count(len(errors), "erreur", "error")
        rules = " ; ".join(f"{rule} : {_places(found)}" for rule, found in by_rule.items())
        rules_en = "; ".join(f"{rule}: {_places(found)}" for rule, found in by_rule.items())
        yield say(f"{number} sans dérogation ({rules})", f"{number} not waived ({rules_en})")
    untold = [
        finding
        for finding in standing
        if finding.rule in _TELLING_RULES
        and finding.severity is not Severity.ERROR
        and not (finding.tab == "notes" and finding.row)
    ]
    if untold:
        number = count(len(untold), "changement", "change")
        yield say(
            f"l'onglet 9 ne dit pas tout : {number} ({_places(untold)})",
            f"tab 9 does not tell everything: {number} ({_places(untold)})",
        )


def _places(findings: list[Finding]) -> str:
    """Return where findings are, the first few: "E214, E215 …"."""
    places = dict.fromkeys(finding.cell or finding.sheet or finding.tab for finding in findings)
    return ", ".join(list(places)[:_SHOWN]) + (" …" if len(places) > _SHOWN else "")


def change_sentence(plan: ReleasePlan) -> str:
    """Return how much changes since the version before: "64 changements depuis la version 1.0.0"."""
    if plan.comparison is None or plan.previous is None:
        return say("première version du registre", "first version of the register")
    number = change_count(len(plan.comparison.changes))
    since = plan.previous.version
    return say(f"{number} depuis la version {since}", f"{number} since version {since}")

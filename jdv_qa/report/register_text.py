"""The register for people at a terminal: its releases, a release that is planned, and what a verification found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from jdv_qa.compare.model import Part
from jdv_qa.compare.wording import change_count
from jdv_qa.language import count, figure, say
from jdv_qa.publish.register import CHECKSUMS, MANIFEST, Register, Status
from jdv_qa.publish.release import ReleasePlan, change_sentence, entry
from jdv_qa.publish.verification import Fault, Verification, Verified
from jdv_qa.report.changes_text import impact_sentence

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from jdv_qa.publish.update_tabs import Update

_ENTRIES: tuple[Part, ...] = ("order", "result")
_SHOWN = 12
"""Codes removed, and things not exported, that are named; `jdv diff` and `jdv export` name them all."""
_FAULTS: Mapping[str, tuple[str, str]] = {
    "differs": ("modifié", "differs"),
    "missing": ("absent", "missing"),
    "extra": ("en trop", "extra"),
    "leftover": ("reste", "leftover"),
}


def status_name(status: Status) -> str:
    """Return the name of a status in the language in use."""
    return say("publiée", "released") if status == "released" else say("importée", "imported")


def print_releases(register: Register, console: Console) -> None:
    """Print the releases of a register, one a line, the earliest first."""
    from rich.text import Text

    if not register.releases:
        sentence = say(
            f"{register.directory} : aucune version. « jdv import-release » y fait entrer les anciens classeurs, "
            "« jdv release » y publie un brouillon.",
            f"{register.directory}: no version. `jdv import-release` takes old workbooks into it, `jdv release` "
            "releases a draft.",
        )
        console.print(Text(sentence))
        return
    table = _plain_table(gap=1)
    for header in (say("Version", "Version"), say("Date", "Date"), "LOINC", say("Statut", "Status")):
        table.add_column(header, no_wrap=True)
    for header in (
        say("Demandes", "Orders"),
        say("Résultats", "Results"),
        say("Changements", "Changes"),
        say("À reprendre", "To act upon"),
    ):
        table.add_column(header, justify="right", no_wrap=True)
    for release in register.releases:
        table.add_row(
            Text(release.version, style="bold"),
            release.date or "–",
            release.loinc or "–",
            status_name(release.status),
            figure(release.figures["orders"]) if release.figures else "–",
            figure(release.figures["results"]) if release.figures else "–",
            figure(sum(release.changes.values())) if release.changes else "–",
            figure(release.impacts["breaking"]) if release.impacts else "–",
        )
    console.print(table)
    if not register.sound:
        sentence = say(
            "L'index du registre a été modifié à la main : « jdv verify » en dit plus.",
            "The index of the register was altered by hand: `jdv verify` tells more.",
        )
        console.print(Text(sentence, style="bold red"))


def print_plan(plan: ReleasePlan, files: Mapping[str, bytes], console: Console) -> None:
    """Print what a release would be: its changes, its tabs 9 and 10, what the check says, its files, and why it is refused."""
    from rich.padding import Padding
    from rich.text import Text

    title = say("Version", "Version") + f" {entry(plan).notation or '?'}"
    day = plan.date.isoformat() if plan.date else say("sans date", "no date")
    console.print(Text.assemble((title, "bold"), f" · {day} · {change_sentence(plan)}"), soft_wrap=True)
    for sentence in _plan_sentences(plan):
        console.print(Text(sentence))
    for sentence in plan.omitted[:_SHOWN]:
        console.print(Text(say(f"Non exporté : {sentence}", f"Not exported: {sentence}"), style="yellow"))
    if (more := len(plan.omitted) - _SHOWN) > 0:
        sentence = say(
            f"… et {count(more, 'autre', 'more')} ; « jdv export --with fhir » les nomme tous.",
            f"… and {more} more; `jdv export --with fhir` names them all.",
        )
        console.print(Text(sentence, style="yellow"))
    if plan.reasons:
        console.print()
        console.print(Text(say("Publication refusée :", "Release refused:"), style="bold red"))
        for reason in plan.reasons:
            console.print(Padding(Text(f"– {reason}"), (0, 0, 0, 2)))
        if plan.report is not None and plan.report.summary["error"]:
            console.print(Text(_check_hint(plan), style="dim"), soft_wrap=True)
    if files:
        console.print()
        print_files(files, console)


def _plan_sentences(plan: ReleasePlan) -> Iterable[str]:
    if plan.comparison is not None and plan.comparison.changes:
        yield impact_sentence(plan.comparison)
        removed = [
            change.code for part in _ENTRIES for change in plan.comparison.select("removed", part) if change.code
        ]
        if codes := list(dict.fromkeys(removed)):
            shown = ", ".join(codes[:_SHOWN]) + (" …" if len(codes) > _SHOWN else "")
            number = count(len(codes), "code retiré", "code removed", "codes retirés", "codes removed")
            yield say(f"{number} sans remplaçant : {shown}.", f"{number} without a replacement: {shown}.")
    if plan.update is not None:
        yield _update_sentence(plan.update)
    report = plan.report
    if report is None:
        return
    words = ", ".join(
        count(report.summary[key], *nouns)
        for key, nouns in (
            ("error", ("erreur", "error")),
            ("warning", ("avertissement", "warning")),
            ("info", ("information", "note")),
            ("waived", ("dérogation", "waiver")),
        )
        if report.summary[key] or key != "waived"
    )
    yield say(f"Contrôle, profil {report.profile} : {words}.", f"Check, profile {report.profile}: {words}.")
    reasons: dict[str, list[str]] = {}
    for item in report.skipped:
        reasons.setdefault(item.reason, []).append(item.rule)
    for reason, rules in reasons.items():
        yield say(f"Non contrôlé, car {reason} : {', '.join(rules)}.", f"Not checked, {reason}: {', '.join(rules)}.")


def _check_hint(plan: ReleasePlan) -> str:
    """Return the command that shows the findings by which a release is refused."""
    previous = f" --previous {plan.previous.version}" if plan.previous else ""
    profile = plan.report.profile if plan.report else ""
    command = f'jdv check "{plan.name}" --profile {profile}{previous}'
    return say(f"Le détail : {command}", f"In detail: {command}")


def _update_sentence(update: Update) -> str:
    """Return what was written in tabs 9 and 10."""
    lines = count(update.lines, "ligne en plus", "more line", "lignes en plus", "more lines")
    if update.column:
        figures = say("une colonne en plus", "one more column")
    elif update.figures:
        figures = count(update.figures, "chiffre corrigé", "figure corrected", "chiffres corrigés", "figures corrected")
    else:
        figures = say("rien à ajouter", "nothing to add")
    return say(f"Onglet 9 : {lines} ; onglet 10 : {figures}.", f"Tab 9: {lines}; tab 10: {figures}.")


def print_files(files: Mapping[str, bytes], console: Console) -> None:
    """Print the files of a release and their sizes; the manifest and the checksums, made last, without size."""
    table = _plain_table()
    table.add_column(say("Fichier", "File"), no_wrap=True)
    table.add_column(say("Octets", "Bytes"), justify="right")
    for path, content in sorted(files.items()):
        table.add_row(path, figure(len(content)))
    for path in (CHECKSUMS, MANIFEST):
        table.add_row(path, "")
    console.print(table)


def print_verification(verification: Verification, console: Console) -> None:
    """Print what a verification found, release by release, then in one sentence."""
    from rich.text import Text

    for verified in verification.releases:
        console.print(_verified_line(verified))
        _print_faults(verified.faults, console)
    if verification.faults:
        console.print(Text(say("Registre", "Register"), style="bold"))
        _print_faults(verification.faults, console)
    releases = count(
        len(verification.releases), "version vérifiée", "release verified", "versions vérifiées", "releases verified"
    )
    number = len(verification.all_faults)
    if number:
        faults = count(number, "écart", "fault")
        console.print(Text(say(f"{releases}, {faults}.", f"{releases}, {faults}."), style="bold red"))
    else:
        console.print(Text(say(f"{releases}, aucun écart.", f"{releases}, no fault."), style="green"))


def _verified_line(verified: Verified) -> object:
    from rich.text import Text

    files = count(verified.files, "fichier conforme", "file as released", "fichiers conformes", "files as released")
    line = Text.assemble((verified.release.version, "bold"), f"  {files}")
    if verified.faults:
        line.append(", ").append(count(len(verified.faults), "écart", "fault"), style="bold red")
    return line


def _print_faults(faults: Iterable[Fault], console: Console) -> None:
    table = _plain_table()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.show_header = False
    for fault in faults:
        table.add_row("  " + fault.path, say(*_FAULTS[fault.kind]), fault.reason)
    if table.row_count:
        console.print(table)


def released_sentence(plan: ReleasePlan, register: Register) -> str:
    """Return the sentence that ends a release."""
    folder = register.directory / plan.version
    changes = (
        change_count(len(plan.comparison.changes)) if plan.comparison else say("première version", "first version")
    )
    return say(f"{folder} : version publiée ({changes})", f"{folder}: released ({changes})")


def _plain_table(gap: int = 2) -> Table:
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))

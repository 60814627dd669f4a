"""LOINC terms and releases for people at a terminal. Names and labels are printed through rich's Text: they are not markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jdv_qa.language import count, say
from jdv_qa.terminology.labels import wording
from jdv_qa.terminology.loinc import AXES, NOTICE, Candidate, LoincRelease, Term

if TYPE_CHECKING:
    from jdv_qa.terminology.search import Hits
    from jdv_qa.terminology.store import StoredInfo

NEIGHBOURS = 10
"""Neighbours of a term shown for each axis unless more are asked for."""

_STATUS_STYLES = {"ACTIVE": "green", "TRIAL": "cyan", "DISCOURAGED": "yellow", "DEPRECATED": "bold red"}


def axis_name(axis: str) -> str:
    """Return the name of an axis."""
    names = {
        "component": ("Composant", "Component"), "property": ("Grandeur", "Property"), "time": ("Temps", "Time"),
        "system": ("Milieu", "System"), "scale": ("Échelle", "Scale"), "method": ("Technique", "Method"),
    }  # fmt: skip
    return say(*names[axis])


def status_name(status: str) -> str:
    """Return what a status means."""
    names = {
        "ACTIVE": ("actif", "active"), "TRIAL": ("à l'essai", "on trial"), "DISCOURAGED": ("déconseillé", "discouraged"),
        "DEPRECATED": ("obsolète", "deprecated"),
    }  # fmt: skip
    return say(*names[status]) if status in names else status or say("non dit", "not stated")


def print_releases(releases: Sequence[StoredInfo], directory: str, console: Console) -> None:
    """Print what a store holds, and LOINC's notice."""
    if not releases:
        console.print(
            Text(
                say(
                    f"Aucune version de LOINC dans {directory} ; « jdv loinc import FICHIER » en ajoute une.",
                    f"No LOINC release in {directory}; `jdv loinc import FILE` adds one.",
                )
            )
        )
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("LOINC")
    table.add_column(say("Termes", "Terms"), justify="right")
    table.add_column(say("Libellés français", "French labels"))
    table.add_column("MapTo", justify="right")
    table.add_column(say("Changés", "Changed"), justify="right")
    table.add_column(say("Source", "Source"), overflow="fold")
    for release in releases:
        labels = ", ".join(f"{number} {source}" for source, number in release.labels.items())
        table.add_row(
            Text(release.version, style="bold"),
            Text(str(release.terms)),
            Text(labels or say("aucun", "none")),
            Text(str(release.replacements)),
            Text(str(release.changes)),
            Text(
                release.source + ("" if release.searchable else say(" (sans recherche)", " (no search)")), style="dim"
            ),
        )
    console.print(table)
    console.print(Text(say(f"Dossier : {directory}", f"Folder: {directory}"), style="dim"))
    print_notice(console)


def print_notice(console: Console) -> None:
    """Print the notice that the LOINC licence asks for."""
    console.print()
    console.print(Text(NOTICE, style="dim"))


def print_term(release: LoincRelease, term: Term, console: Console, limit: int = NEIGHBOURS) -> None:
    """Print all that is known of a term; `limit` neighbours of each axis, 0 for all, and what is left out is announced."""
    console.print(Text.assemble((term.code, "bold"), "  ", (term.label, "bold")))
    if term.french_label and term.name:
        console.print(Text(term.name, style="dim"))
    console.print()
    console.print(_grid(_facts(release, term)))
    if term.is_withdrawn:
        console.print()
        _print_candidates(release, term, console)
    for axis, neighbours in release.neighbours(term).items():
        shown = neighbours[:limit] if limit else neighbours
        title = (
            say("Mêmes axes, autre grandeur (jumeaux)", "Same axes, another property (twins)")
            if axis == "property"
            else say(f"Mêmes axes, sauf : {axis_name(axis).lower()}", f"Same axes but: {axis_name(axis).lower()}")
        )
        console.print()
        console.print(Text.assemble((title, "bold"), (f"  ({len(neighbours)})", "dim")))
        console.print(_grid((other.code, _neighbour(other, axis)) for other in shown))
        if left := len(neighbours) - len(shown):
            console.print(
                Text(
                    say(
                        f"  … et {count(left, 'autre', 'more')} ; --limit 0 montre tout",
                        f"  … and {left} more; --limit 0 shows all",
                    ),
                    style="dim italic",
                )
            )


def _neighbour(term: Term, axis: str) -> Text:
    value = getattr(term, axis) or "–"
    text = Text.assemble((value, "cyan"), "  ", term.label)
    if term.units:
        text.append(f"  {term.units}", style="dim")
    return text


def _facts(release: LoincRelease, term: Term) -> Iterable[tuple[str, Text]]:
    for axis in AXES:
        part = getattr(term, axis)
        french = french_axis(term, axis)
        yield axis_name(axis), Text.assemble(part or "–", ("" if french == part else f"  {french}", "dim"))
    status = Text(f"{status_name(term.status)} ({term.status})", style=_STATUS_STYLES.get(term.status, ""))
    if said := " – ".join(text for text in (term.status_reason, term.status_text) if text):
        status.append(f" : {said}", style="default")
    yield say("Statut", "Status"), status
    for name, value in (
        ("ORDER_OBS", term.order_obs),
        (say("Unités", "Units"), term.units),
        (say("Classe", "Class"), f"{term.loinc_class}{_class_type(term)}"),
        (say("Nom court", "Short name"), term.short_name),
        (say("Nom d'affichage", "Display name"), term.display_name),
        (say("Synonymes", "Synonyms"), term.french_synonyms or term.synonyms),
        (say("Versions", "Versions"), _versions(term)),
        (say("Raison", "Reason"), term.change_reason),
        (say("Droits", "Copyright"), term.copyright),
        ("LOINC", release.version or "?"),
    ):
        if value:
            yield name, Text(value)


def french_axis(term: Term, axis: str) -> str:
    """Return the French wording of an axis of a term: from its French label, or else from the table of axes."""
    own: str = getattr(term, f"french_{axis}")
    return own or (wording(axis, getattr(term, axis)) or "" if axis != "component" else "")


def _class_type(term: Term) -> str:
    names = {
        "1": say("laboratoire", "laboratory"), "2": say("clinique", "clinical"), "3": say("remboursement", "claims"),
        "4": say("enquête", "survey"),
    }  # fmt: skip
    return f" ({names[term.classtype]})" if term.classtype in names else ""


def _versions(term: Term) -> str:
    parts = []
    if term.version_first:
        parts.append(say(f"créé en {term.version_first}", f"created in {term.version_first}"))
    if term.version_changed:
        kind = f" ({term.change_type})" if term.change_type else ""
        parts.append(
            say(f"dernier changement en {term.version_changed}{kind}", f"last changed in {term.version_changed}{kind}")
        )
    return ", ".join(parts)


def _print_candidates(release: LoincRelease, term: Term, console: Console) -> None:
    candidates = release.candidates(term.code)
    if not release.replacements:
        console.print(
            Text(
                say(
                    "Version sans table MapTo : ses remplaçants ne sont pas connus.",
                    "Release without a MapTo table: what replaces it is not known.",
                )
            )
        )
        return
    if not candidates:
        console.print(Text(say("LOINC ne donne rien à sa place.", "LOINC gives nothing in its place."), style="bold"))
        return
    console.print(Text(say("À sa place (MapTo)", "In its place (MapTo)"), style="bold"))
    console.print(_grid((candidate.code, _candidate(candidate)) for candidate in candidates))


def _candidate(candidate: Candidate) -> Text:
    text = Text(candidate.term.label if candidate.term else say("absent de cette version", "not in this release"))
    if candidate.comment:
        text.append(say(f"  si : {candidate.comment}", f"  if: {candidate.comment}"), style="cyan")
    if candidate.through:
        text.append(f"  ← {' ← '.join(reversed(candidate.through))}", style="dim")
    if candidate.term and not candidate.live:
        text.append(f"  {status_name(candidate.term.status)}", style=_STATUS_STYLES.get(candidate.term.status, ""))
    return text


def print_hits(hits: Hits, console: Console) -> None:
    """Print what a search found, the best first."""
    words = " ".join(hits.words)
    if not hits.terms:
        console.print(Text(say(f"Aucun terme pour « {words} ».", f'No term for "{words}".')))
        return
    if not hits.all_words:
        console.print(
            Text(
                say(
                    f"Aucun terme n'a tous ces mots ({words}) ; voici ceux qui en ont le plus.",
                    f"No term has all these words ({words}); here are those that have the most.",
                ),
                style="yellow",
            )
        )
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for term in hits.terms:
        style = "" if not term.is_withdrawn else "dim"
        remark = Text(term.units, style="dim")
        if term.status not in ("ACTIVE", ""):
            remark.append(
                f"{'  ' if term.units else ''}{status_name(term.status)}", style=_STATUS_STYLES.get(term.status, "")
            )
        table.add_row(Text(term.code, style="bold"), Text(term.label, style=style), remark)
    console.print(table)
    if left := hits.total - len(hits.terms):
        console.print(
            Text(
                say(
                    f"… et {count(left, 'autre', 'more')} ; --limit 0 montre tout",
                    f"… and {left} more; --limit 0 shows all",
                ),
                style="dim italic",
            )
        )


def _grid(rows: Iterable[tuple[str, Text]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(f"  {name}"), value)
    return table


def release_json(release: StoredInfo) -> dict[str, Any]:
    """Return a release of the store as a JSON object."""
    return {
        "version": release.version,
        "path": str(release.path),
        "source": release.source,
        "terms": release.terms,
        "labels": dict(release.labels),
        "replacements": release.replacements,
        "changes": release.changes,
        "searchable": release.searchable,
    }


def term_json(term: Term) -> dict[str, Any]:
    """Return a term as a JSON object: the codes and names of LOINC, the French wording of its axes, what is known of its use."""
    return {
        "code": term.code,
        "label": term.label,
        "name": term.name,
        "french_label": term.french_label,
        "axes": {axis: {"part": getattr(term, axis), "fr": french_axis(term, axis)} for axis in AXES},
        "class": term.loinc_class,
        "classtype": term.classtype,
        "status": term.status,
        "order_obs": term.order_obs,
        "units": term.units,
    }


def full_json(release: LoincRelease, term: Term) -> dict[str, Any]:
    """Return a term with its replacements and neighbours as a JSON object."""
    neighbours: Mapping[str, Sequence[Term]] = release.neighbours(term)
    return term_json(term) | {
        "short_name": term.short_name,
        "synonyms": term.french_synonyms or term.synonyms,
        "status_reason": term.status_reason,
        "status_text": term.status_text,
        "version_first": term.version_first,
        "version_changed": term.version_changed,
        "change_type": term.change_type,
        "copyright": term.copyright,
        "candidates": [
            {
                "code": candidate.code,
                "label": candidate.term.label if candidate.term else "",
                "comment": candidate.comment,
                "through": list(candidate.through),
                "live": candidate.live,
            }
            for candidate in (release.candidates(term.code) if term.is_withdrawn else ())
        ],
        "neighbours": {
            axis: [{"code": other.code, "label": other.label, "value": getattr(other, axis)} for other in others]
            for axis, others in neighbours.items()
        },
    }

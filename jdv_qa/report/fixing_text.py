"""What `jdv fix` did, for people at a terminal: before and after, cell by cell, then what is left to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jdv_qa.checks.fixing import Fix, Fixing, Left, Reason
from jdv_qa.language import count, french_spaces, say
from jdv_qa.report.rules_text import visible

DEFAULT_LIMIT = 15
"""Proposals left that are shown unless more are asked for."""


def print_fixing(fixing: Fixing, console: Console, limit: int = DEFAULT_LIMIT, *, dry_run: bool = False) -> None:
    """Print what was, or with `dry_run` would be, fixed, and `limit` of the proposals that are left, 0 for all."""
    main = fixing.before.edition.main.sheet
    title = Text(PurePath(fixing.before.edition.source.path).name, style="bold")
    console.print(title)
    console.print()
    if fixing.fixes:
        heading = (
            say("CORRECTIONS QUI SERAIENT FAITES", "FIXES THAT WOULD BE MADE") if dry_run else say("CORRIGÉ", "FIXED")
        )
        console.print(Text(heading, style="bold green"))
        console.print(_fixes(fixing.fixes, main))
    elif fixing.refused:
        console.print(Text(say("Aucune correction faite.", "No fix was made."), style="bold"))
    else:
        console.print(Text(say("Rien à corriger.", "Nothing to fix."), style="bold green"))
    groups = (
        (fixing.refused, say("SÛRES, MAIS NON FAITES", "CERTAIN, BUT NOT MADE")),
        (_of(fixing.left, Reason.UNITS), say("UNITÉS – avec --units", "UNITS – with --units")),
        (
            _of(fixing.left, Reason.UNSAFE),
            say("PROPOSITIONS À VÉRIFIER – jamais appliquées", "PROPOSALS TO CHECK – never applied"),
        ),
    )
    for left, heading in groups:
        if left:
            console.print()
            console.print(Text(f"{heading}  ({len(left)})", style="bold yellow"))
            console.print(_left(left[:limit] if limit else left, main))
            if limit and len(left) > limit:
                more = count(len(left) - limit, "autre", "more")
                sentence = say(f"… et {more} ; --limit 0 montre tout", f"… and {more}; --limit 0 shows all")
                console.print(Text(f"  {sentence}", style="dim italic"))
    console.print()
    console.print(Text(fixed_sentence(fixing, dry_run=dry_run)))


def fixed_sentence(fixing: Fixing, *, dry_run: bool = False) -> str:
    """Return the figures in one sentence."""
    number = len(fixing.fixes)
    if not number and fixing.refused:
        fixed = say("aucune correction faite", "no fix made")
    elif not number:
        fixed = say("rien à corriger", "nothing to fix")
    elif dry_run:
        fixed = count(number, "cellule à corriger", "cell to fix", "cellules à corriger", "cells to fix")
    else:
        fixed = count(number, "cellule corrigée", "cell fixed", "cellules corrigées", "cells fixed")
    left = count(len(fixing.left), "proposition laissée", "proposal left", "propositions laissées", "proposals left")
    return f"{fixed}, {left}"


def _of(left: Iterable[Left], reason: Reason) -> tuple[Left, ...]:
    """Return the proposals left for a reason, the gravest first."""
    found = [one for one in left if one.reason is reason]
    return tuple(sorted(found, key=lambda one: -one.finding.severity.rank))


def _fixes(fixes: Sequence[Fix], main: str) -> Table:
    table = _table(say("Cellule", "Cell"), say("Règle", "Rule"), say("Avant", "Before"), say("Après", "After"))
    for fix in fixes:
        after = visible(fix.after) if fix.after else say("(vide)", "(blank)")
        table.add_row(_place(fix.sheet, fix.cell, main), ", ".join(fix.rules), visible(fix.before), after)
    return table


def _place(sheet: str, cell: str, main: str) -> str:
    """Return where a cell is: "T214" in the main tab, "2.Chapitres LOINC!A5" elsewhere."""
    return cell if cell and sheet == main else f"{sheet}!{cell}" if cell else sheet


def _left(left: Sequence[Left], main: str) -> Table:
    table = _table(say("Cellule", "Cell"), say("Règle", "Rule"), say("Valeur", "Value"), say("Proposition", "Proposal"))
    for one in left:
        finding = one.finding
        after = visible(finding.suggestion or "") or say("(vide)", "(blank)")
        if (why := reason_sentence(one)) is not None:
            after += f" – {why}"
        table.add_row(
            _place(finding.sheet, finding.cell or str(finding.row or ""), main),
            finding.rule,
            visible(finding.value),
            after,
        )
    return table


def reason_sentence(left: Left) -> str | None:
    """Return why a certain proposal was not carried out, None for the others."""
    if left.reason is Reason.RICH_TEXT:
        return say(
            french_spaces("une partie du texte a sa mise en forme, qui serait perdue : corriger dans Excel"),
            "a part of the text has a format of its own, which would be lost: fix it in Excel",
        )
    if left.reason is Reason.NEW_FINDING:
        rules = ", ".join(left.brings)
        return say(f"une fois faite, {rules} aurait à redire", f"once made, {rules} would complain")
    return None


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(titles[0], overflow="fold", max_width=24)
    table.add_column(titles[1], no_wrap=True)
    for title in titles[2:]:
        table.add_column(title, overflow="fold", ratio=1)
    return table

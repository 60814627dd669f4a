"""What every form of the check of a laboratory report has in common: names, verdict, figures, remarks brought together."""

from __future__ import annotations

from dataclasses import dataclass

from jdv_qa.cda.check import Checked, Line, Remark
from jdv_qa.cda.document import Kind
from jdv_qa.language import count, say
from jdv_qa.workbook.edition import Edition

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Told:
    """A remark with the lines of the file where it holds; `line` is the first."""

    line: Line
    remark: Remark
    rows: tuple[int, ...]


def told(checked: Checked, severity: str) -> list[Told]:
    """Return the remarks of a severity in the order of the document, the same one about the same code once."""
    found: dict[tuple[Kind, str, str, str], tuple[Line, Remark, list[int]]] = {}
    for line in checked.lines:
        for remark in line.remarks:
            if remark.severity == severity:
                key = (line.kind, line.code, line.result, remark.message)
                found.setdefault(key, (line, remark, []))[2].append(line.line)
    return [Told(line, remark, tuple(dict.fromkeys(rows))) for line, remark, rows in found.values()]


def kind_name(kind: Kind) -> str:
    """Return the name of a kind of code."""
    return {
        Kind.CHAPTER: say("chapitre", "chapter"),
        Kind.ORDER: say("demande", "order"),
        Kind.RESULT: say("résultat", "result"),
        Kind.UNIT: say("unité", "unit"),
        Kind.NABM: say("acte NABM", "NABM act"),
    }[kind]


def subject(line: Line) -> str:
    """Return what a line is about: "résultat 2951-2", "unité de 2951-2"."""
    if line.kind is Kind.UNIT:
        return say(f"unité de {line.result}", f"unit of {line.result}")
    return f"{kind_name(line.kind)} {line.code}".strip()


def places(rows: tuple[int, ...], most: int = 4) -> str:
    """Return "ligne 12" or "lignes 12, 40, …"."""
    numbers = ", ".join(map(str, rows[:most])) + (", …" if len(rows) > most else "")
    return say("ligne", "line") + f"{'s' if len(rows) > 1 else ''} {numbers}"


def verdict(checked: Checked) -> str:
    """Return the verdict in words, with the number of remarks by severity."""
    summary = checked.summary
    numbers = ", ".join(
        (
            count(summary["error"], "erreur", "error"),
            count(summary["warning"], "avertissement", "warning"),
            count(summary["info"], "information", "note"),
        )
    )
    if summary["error"]:
        return say(f"NON CONFORME : {numbers}", f"NOT CONFORMANT: {numbers}")
    return say(f"CONFORME : {numbers}", f"CONFORMANT: {numbers}")


def value_set_name(edition: Edition) -> str:
    """Return the version of the value set, in words."""
    version = edition.identity.version
    return say(f"jeu de valeurs {version or '?'}", f"value set {version or '?'}")


def figures(checked: Checked) -> list[tuple[str, int, int]]:
    """Return (kind, codes read, codes in the value set) for each kind that the report holds."""
    return [(kind_name(kind), seen, known) for kind, (seen, known) in checked.counts.items()]

"""The catalogue for people: the list of rules, and the page of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jdv_qa.checks.catalogue import FAMILIES, Rule, load_cases, text
from jdv_qa.language import say
from jdv_qa.workbook.layout import Layout, load_layout

EXAMPLE_LINES = 6
"""Lines of an example that are shown."""

_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def severity_word(severity: str) -> str:
    """Return the name of a severity in the language in use."""
    words = {"error": ("erreur", "error"), "warning": ("avertissement", "warning"), "info": ("information", "info")}
    return say(*words[severity])


def print_rules(rules: Iterable[Rule], console: Console) -> None:
    """Print the list of rules by family."""
    by_family: dict[str, list[Rule]] = {}
    for rule in rules:
        by_family.setdefault(rule.family, []).append(rule)
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for family, members in by_family.items():
        table.add_row(Text(family, style="bold"), "", Text(say(*FAMILIES[family]), style="bold"))
        for rule in members:
            title = Text(text(rule.title))
            if rule.needs:
                title.append(f"  [{', '.join(need_word(need) for need in rule.needs)}]", style="dim")
            table.add_row(Text(rule.id), Text(severity_word(rule.severity), style=_STYLES[rule.severity]), title)
    console.print(table)
    console.print()
    console.print(
        Text(say("« jdv rule COD-02 » explique une règle.", "`jdv rule COD-02` explains a rule."), style="dim")
    )


def need_word(need: str) -> str:
    """Return the option that gives a rule what it needs, in words."""
    return {
        "loinc": say("avec --loinc", "with --loinc"),
        "previous": say("avec --previous", "with --previous"),
        "nabm": say("avec --nabm", "with --nabm"),
        "waivers": say("avec --waivers", "with --waivers"),
    }[need]


def print_rule(rule: Rule, console: Console, layout: Layout) -> None:
    """Print the page of a rule: what it checks, why, how to mend, exceptions, parameters, and its cases as examples."""
    console.print(Text.assemble((rule.id, _STYLES[rule.severity]), "  ", (text(rule.title), "bold")))
    facts = [severity_word(rule.severity), say(*FAMILIES[rule.family])]
    if "terms" in rule.tabs:
        facts.append(one_table_word())
    console.print(Text(" · ".join(facts), style="dim"))
    for title, content in (
        (say("Ce que contrôle la règle", "What the rule checks"), text(rule.checks)),
        (say("Pourquoi", "Why"), text(rule.why)),
        (say("Correction", "How to mend"), text(rule.mend)),
        (say("Exceptions connues", "Known exceptions"), text(rule.exceptions)),
        (say("Références", "References"), " ; ".join(rule.references)),
        (say("Il lui faut", "It needs"), ", ".join(need_word(need) for need in rule.needs)),
        (say("Paramètres", "Parameters"), ", ".join(f"{name} = {value}" for name, value in rule.parameters.items())),
    ):
        if content:
            console.print()
            console.print(Text(title, style="bold"))
            console.print(Padding(Text(content), (0, 0, 0, 2)))
    for title, examples in rule_examples(rule, layout):
        console.print()
        console.print(Text(title, style="bold"))
        for example in examples:
            console.print(Padding(Text(f"• {example.name}"), (0, 0, 0, 2)))
            for line in example.rows:
                console.print(Padding(Text(line, style="dim"), (0, 0, 0, 6)))
            for line in example.expected:
                console.print(Padding(Text(line), (0, 0, 0, 6)))


@dataclass(frozen=True, slots=True)
class Example:
    """A case of a rule for people: its name, a line a row, and what it is reported for; long ones are cut."""

    name: str
    rows: tuple[str, ...]
    expected: tuple[str, ...]


def rule_examples(rule: Rule, layout: Layout) -> list[tuple[str, list[Example]]]:
    """Return the cases of a rule as examples: the faulty ones under their title, then the right ones."""
    cases = load_cases(rule)
    titles = (
        ("fail", say("Exemples fautifs", "Faulty examples")),
        ("pass", say("Exemples corrects", "Right examples")),
    )
    return [(title, [_example(case, layout) for case in cases[kind]]) for kind, title in titles]


def layout_of(case: Mapping[str, Any], layout: Layout) -> Layout:
    """Return a layout that names the columns of a case: that of LOINC Biologie FR where the case gives `terms`."""
    if "terms" in case:
        return load_layout("loinc_fr")
    return layout if "main" in layout.tabs else load_layout()


def one_table_word() -> str:
    """Return what a rule that looks at tables of terms too says of it."""
    return say(
        "vaut aussi pour une table de termes (LOINC Biologie FR)", "also for a table of terms (LOINC Biologie FR)"
    )


def _example(case: Mapping[str, Any], layout: Layout) -> Example:
    layout = layout_of(case, layout)
    lines = list(_example_lines(case, layout))
    cut = ["…"] if len(lines) > EXAMPLE_LINES else []
    return Example(
        str(case["name"]),
        tuple(lines[:EXAMPLE_LINES] + cut),
        tuple(_expected_lines(case, layout)[:EXAMPLE_LINES]),
    )


def _example_lines(case: Mapping[str, Any], layout: Layout) -> Iterable[str]:
    """Yield a line for every row of a case that says something, its cells by header."""
    tabs = {"main": case.get("rows", []), **case.get("tabs", {})}
    if "terms" in case:
        tabs = {"terms": case["terms"]}
    for tab, rows in tabs.items():
        for row in rows:
            if row:
                where = "" if tab in ("main", "terms") else f"{layout.tabs[tab].name} · "
                yield where + ", ".join(f"{layout.header(tab, name)} : {_shown(value)}" for name, value in row.items())
    for key, value in case.get("summary", {}).items():
        yield f"{layout.tabs['summary'].name} · {layout.tabs['summary'].labels[key][0]} : {_shown(value)}"


def _expected_lines(case: Mapping[str, Any], layout: Layout) -> list[str]:
    """Return what a faulty example is reported for: the row of the example, the column, and the proposal."""
    lines = []
    for item in case.get("expect", []):
        spot = item.get("cell") or ""
        if row := item.get("row") or item.get("tab_row"):
            spot = (
                say(f"ligne {row} de l'exemple", f"row {row} of the example")
                if "row" in item
                else say(f"ligne {row}", f"row {row}")
            )
        tab = item.get("tab", "terms" if "terms" in case else "main")
        header = layout.header(tab, item["field"]) if item.get("field") else ""
        proposal = (
            say(f"proposition : {item['suggestion']}", f"proposal: {item['suggestion']}")
            if item.get("suggestion")
            else ""
        )
        lines.append("→ " + ", ".join(part for part in (spot, header, proposal) if part))
    return lines


def _shown(value: object) -> str:
    if value is None:
        return say("(vide)", "(blank)")
    if isinstance(value, dict):
        return f"={value['formula']}" if "formula" in value else str(value.get("error"))
    return visible(value) if isinstance(value, str) else str(value)


def visible(text: str) -> str:
    """Return a text in which what cannot be seen can: spaces at the ends as ␣, odd characters by their Unicode number."""
    shown = "".join(
        char
        if char.isprintable() and (char.isascii() or char.isalnum() or char in "«»’…–—°²³")
        else f"‹U+{ord(char):04X}›"
        for char in text
    )
    inner = shown.strip(" ")
    before, after = len(shown) - len(shown.lstrip(" ")), len(shown) - len(shown.rstrip(" "))
    return "␣" * before + inner + "␣" * (after if inner else 0)

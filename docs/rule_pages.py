"""The pages of `docs/rules/`: one a rule, and an index by family and by severity, made from the rule files.

`python -m docs.rule_pages` writes them anew; a test holds pages and rules together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jdv_qa.checks.catalogue import FAMILIES, Rule, load_cases, load_catalogue, text
from jdv_qa.checks.finding import Severity
from jdv_qa.language import use_language
from jdv_qa.report.rules_text import layout_of, one_table_word, severity_word, visible
from jdv_qa.workbook.layout import Layout, load_layout

FOLDER = Path(__file__).resolve().parent / "rules"
_NEEDS = {
    "loinc": "une version de LOINC (`--loinc`)",
    "previous": "la version précédente (`--previous`)",
    "nabm": "une table de la NABM (`--nabm`)",
    "waivers": "un fichier de dérogations (`--waivers`)",
}


def pages() -> dict[str, str]:
    """Return the pages by file name."""
    use_language("fr")
    layout = load_layout()
    rules = load_catalogue()
    return {"README.md": _index(rules)} | {f"{rule.id}.md": _page(rule, layout) for rule in rules.values()}


def write() -> None:
    """Write the pages, and remove those of rules that are no more."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, content in made.items():
        (FOLDER / name).write_text(content, encoding="utf-8")


def _index(rules: Mapping[str, Rule]) -> str:
    lines = [
        "# Les règles",
        "",
        "Ce que contrôle `jdv check`, par famille puis par sévérité.",
        "`jdv rules` donne la même liste, `jdv rule ID` la même page.",
        "",
        "- **erreur** : à corriger avant publication ;",
        "- **avertissement** : à corriger dès que possible ;",
        "- **information** : à corriger si possible.",
        "",
    ]
    for family, (name, _) in FAMILIES.items():
        members = [rule for rule in rules.values() if rule.family == family]
        if members:
            lines += [f"## {family} – {name}", "", "| Règle | Sévérité | Titre | Il lui faut |", "|---|---|---|---|"]
            for rule in members:
                needs = ", ".join(_NEEDS[need] for need in rule.needs)
                lines.append(
                    f"| [{rule.id}]({rule.id}.md) | {severity_word(rule.severity)} | {_cell(text(rule.title))} | {needs} |"
                )
            lines.append("")
    lines += ["## Par sévérité", ""]
    for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO):
        links = ", ".join(f"[{rule.id}]({rule.id}.md)" for rule in rules.values() if rule.severity is severity)
        lines += [f"**{severity_word(severity)}** : {links}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _page(rule: Rule, layout: Layout) -> str:
    facts = [severity_word(rule.severity), FAMILIES[rule.family][0]]
    if not rule.waivable:
        facts.append("n'admet pas de dérogation")
    if "terms" in rule.tabs:
        facts.append(one_table_word())
    lines = [f"# {rule.id} – {text(rule.title)}", "", f"*{' · '.join(facts)}*", ""]
    lines += ["## Ce que contrôle la règle", "", text(rule.checks), "", "## Pourquoi", "", text(rule.why), ""]
    cases = load_cases(rule)
    lines += ["## Exemples fautifs", ""]
    for case in cases["fail"]:
        lines += [*_example(case, layout), ""]
    lines += ["## Exemples corrects", ""]
    for case in cases["pass"]:
        lines += [*_example(case, layout), ""]
    if rule.exceptions:
        lines += ["## Exceptions connues", "", text(rule.exceptions), ""]
    lines += ["## Correction", "", text(rule.mend), ""]
    if rule.needs:
        lines += ["## Il lui faut", "", *(f"- {_NEEDS[need]}" for need in rule.needs), ""]
    if rule.parameters:
        lines += ["## Paramètres", "", *(f"- `{name}` : `{value}`" for name, value in rule.parameters.items()), ""]
    if rule.references:
        lines += ["## Références", "", *(f"- {reference}" for reference in rule.references), ""]
    return "\n".join(lines).rstrip() + "\n"


def _example(case: Mapping[str, Any], layout: Layout) -> Iterator[str]:
    name = str(case["name"])
    yield f"**{name[:1].upper()}{name[1:]}**"
    layout = layout_of(case, layout)
    tabs = {"terms": case["terms"]} if "terms" in case else {"main": case.get("rows", []), **case.get("tabs", {})}
    for tab, rows in tabs.items():
        fields = list(dict.fromkeys(field for row in rows for field in row))
        if fields:
            yield ""
            if tab not in ("main", "terms"):
                yield f"Onglet « {layout.tabs[tab].name} » :"
                yield ""
            yield "| " + " | ".join(["", *(_cell(layout.header(tab, field)) for field in fields)]) + " |"
            yield "|" + "---|" * (len(fields) + 1)
            for number, row in enumerate(rows, 1):
                yield (
                    "| "
                    + " | ".join([str(number), *(_value(row[field]) if field in row else "…" for field in fields)])
                    + " |"
                )
    for key, value in case.get("summary", {}).items():
        yield ""
        yield f"Sommaire, {layout.tabs['summary'].labels[key][0]} : {_value(value)}"
    expected = list(_expected(case, layout))
    if expected:
        yield ""
        yield from expected


def _expected(case: Mapping[str, Any], layout: Layout) -> Iterator[str]:
    for item in case.get("expect", []):
        tab = item.get("tab") or ("terms" if "terms" in case else "main")
        spot = (
            f"ligne {item['row']}"
            if "row" in item
            else f"ligne {item['tab_row']} de l'onglet"
            if "tab_row" in item
            else ""
        )
        cell = f"cellule {item['cell']}" if item.get("cell") else ""
        header = f"« {layout.header(tab, item['field'])} »" if item.get("field") else ""
        words = ", ".join(part for part in (cell or spot, header) if part)
        proposal = f" → {_value(item['suggestion'])}" if item.get("suggestion") else ""
        yield f"- {words or 'le classeur'}{proposal}"


def _value(value: object) -> str:
    """Return a cell of an example as code; what does not show is named by its Unicode number."""
    if value is None:
        return "*(vide)*"
    if isinstance(value, dict):
        return f"`={value['formula']}`" if "formula" in value else f"`{value.get('error')}`"
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, (dt.date, dt.datetime)):
        return f"{value.isoformat()} *(date)*"
    if isinstance(value, (int, float)):
        return f"{value} *(nombre)*"
    shown = visible(str(value))
    return f"`{_cell(shown)}`" if shown else "*(vide)*"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    write()

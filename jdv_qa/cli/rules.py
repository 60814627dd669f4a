"""`jdv rules` and `jdv rule ID`: the catalogue, and the page of one rule."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument, Option

from jdv_qa.cli.checking import rule_names
from jdv_qa.cli.options import Lang, console, emit
from jdv_qa.errors import JdvError
from jdv_qa.language import say


class Format(StrEnum):
    """Forms of the list."""

    TEXT = "text"
    JSON = "json"


def rules(
    prefix: Annotated[str, Argument(metavar="[PREFIX]", help="Only the rules that begin so, such as UNI.")] = "",
    profile: Annotated[
        str | None, Option("--profile", metavar="NAME|FILE", help="Severities as this profile has them.")
    ] = None,
    form: Annotated[Format, Option("--format", "-f", help="text for people, json for scripts.")] = Format.TEXT,
    lang: Lang = None,
) -> None:
    """List the rules with their severity."""
    from jdv_qa.checks.engine import select_rules
    from jdv_qa.checks.profiles import load_profile

    chosen = select_rules(load_profile(profile), [prefix] if prefix else []).values()
    if form is Format.JSON:
        import json

        from jdv_qa.checks.catalogue import text

        listed = [
            {"rule": rule.id, "severity": rule.severity.value, "title": text(rule.title), "needs": list(rule.needs)}
            for rule in chosen
        ]
        emit(json.dumps(listed, ensure_ascii=False, indent=1), None)
        return
    from jdv_qa.report.rules_text import print_rules

    print_rules(chosen, console())


def rule(
    identifier: Annotated[str, Argument(metavar="ID", autocompletion=rule_names, help="Rule id, such as COD-02.")],
    lang: Lang = None,
) -> None:
    """Explain a rule: what it checks, why, how to mend, with right and faulty examples."""
    from jdv_qa.checks.catalogue import load_catalogue
    from jdv_qa.report.rules_text import print_rule
    from jdv_qa.workbook.layout import load_layout

    catalogue = load_catalogue()
    found = catalogue.get(identifier.upper())
    if found is None:
        from rapidfuzz import process

        near = process.extractOne(identifier.upper(), list(catalogue))
        raise JdvError(
            say(
                f"pas de règle « {identifier} » ; vouliez-vous {near[0]} ? « jdv rules » en donne la liste",
                f"no rule `{identifier}`; did you mean {near[0]}? `jdv rules` lists them",
            )
        )
    print_rule(found, console(), load_layout())

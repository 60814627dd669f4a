"""How a command starts: what is imported for what, how the command line is read, and what a wrong one is answered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer import Context

from jdv_qa.cli.coercion import Values
from jdv_qa.cli.commands import COMMANDS, Command, Group
from jdv_qa.cli.front_page import front_page
from jdv_qa.cli.typer_app import typer_command
from jdv_qa.sample import files
from tests.command_line import invoke

BOOK = str(files()["1.0.0"])


def every_command() -> Iterator[tuple[str, Command]]:
    for listed in COMMANDS.values():
        if isinstance(listed, Group):
            yield from ((f"{listed.name} {name}", command) for name, command in listed.commands.items())
        else:
            yield listed.name, listed


def function(command: Command) -> Any:
    return getattr(import_module(command.module), command.function)


NAMED = dict(every_command())


def modules_after(*arguments: str) -> set[str]:
    """Return what a process has imported once it has done a command line."""
    program = "import sys; from jdv_qa.cli.app import main; status = main(sys.argv[1:]); print('\\n'.join(sys.modules), file=sys.stderr); sys.exit(status)"
    answer = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode in (0, 1), answer.stderr
    assert answer.stdout
    return {*answer.stderr.splitlines()}


HEAVY = {"click", "deepdiff", "frictionless", "jinja2", "lxml", "openpyxl", "pint", "pydantic", "python_calamine", "rapidfuzz", "rich", "typer", "ucumvert", "xlsxwriter", "yaml"}  # fmt: skip


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["triage", "--help"]])
def test_the_front_page_imports_next_to_nothing(arguments: list[str]) -> None:
    imported = modules_after(*arguments)
    assert imported & HEAVY == set()
    assert {module for module in imported if module.startswith("jdv_qa")} <= {
        "jdv_qa", "jdv_qa.cli", "jdv_qa.cli.app", "jdv_qa.cli.commands", "jdv_qa.cli.front_page", "jdv_qa.cli.streams", "jdv_qa.errors", "jdv_qa.language",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [["info", BOOK, "--format", "json"], ["diff", BOOK, BOOK, "--format", "json"]])
def test_a_command_imports_no_other_and_not_what_it_can_do_without(arguments: list[str]) -> None:
    imported = modules_after(*arguments)
    not_needed = {"click", "pydantic", "rich", "openpyxl", "xlsxwriter", "frictionless", "jinja2", "pint"}
    assert imported & not_needed == set()
    assert "jdv_qa.cli.triage" not in imported


def test_the_table_of_commands_says_what_their_docstrings_say() -> None:
    assert {name: command.told for name, command in NAMED.items()} == {
        name: function(command).__doc__.splitlines()[0] for name, command in NAMED.items()
    }


@pytest.mark.parametrize("name", NAMED)
def test_every_command_declares_all_it_takes_and_has_a_page(name: str) -> None:
    for param in typer_command(NAMED[name]).params:
        assert param.help
        assert param.param_type_name == "argument" or param.opts[0].startswith("--")
    if name in ("check", "triage form", "loinc import"):  # the rest is built the same way
        answer = invoke(*name.split(), "--help")
        assert (answer.exit_code, answer.stderr) == (0, "")
        assert f"jdv {name}" in answer.stdout


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["--lang", "en", "--help"], ["--debug", "-h"]])
def test_help_is_the_same_however_it_is_asked_for(words: list[str]) -> None:
    answer = invoke(*words)
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout == invoke().stdout
    assert all(f"│ {name} " in answer.stdout for name in COMMANDS)
    assert invoke("help", "loinc").stdout == invoke("loinc").stdout == invoke("loinc", "--help").stdout
    assert (invoke().exit_code, invoke("loinc").exit_code, invoke("loinc", "-h").exit_code) == (2, 2, 0)


@pytest.mark.parametrize("width", [1, 40, 80, 140, 500])
def test_the_front_page_fits_the_terminal_and_cuts_nothing(width: int) -> None:
    group = COMMANDS["triage"]
    assert isinstance(group, Group)
    for page, listed in ((front_page(width), COMMANDS), (front_page(width, group), group.commands)):
        assert max(map(len, page.splitlines())) <= max(width, 30)
        text = " ".join(page.replace("│", " ").split())
        assert all(word in text for one in listed.values() for word in (one.name, *one.told.split()))
    coloured = front_page(width, colour=True)
    for code in ("\x1b[1;36m", "\x1b[2m", "\x1b[0m"):
        assert code in coloured
        coloured = coloured.replace(code, "")
    assert coloured == front_page(width)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("check a.xlsx", {"workbook": Path("a.xlsx")}),
        ("check --format json a.xlsx --limit 3", {"workbook": Path("a.xlsx"), "form": "json", "limit": 3}),
        ("check -fjson -oout.json a.xlsx --force", {"workbook": Path("a.xlsx"), "form": "json", "output": Path("out.json"), "force": True}),
        ("check --format=html a.xlsx --select UNI --select COD-02 --previous v1.xlsx", {"workbook": Path("a.xlsx"), "form": "html", "select": ["UNI", "COD-02"], "previous": [Path("v1.xlsx")]}),
        ("check -- -a.xlsx", {"workbook": Path("-a.xlsx")}),
        ("check a.xlsx --fail-on never --limit 0 --lang en", {"workbook": Path("a.xlsx"), "fail_on": "never", "limit": 0, "lang": "en"}),
        ("cda a.xml b.xml --with v.xlsx", {"reports": [Path("a.xml"), Path("b.xml")], "workbook": Path("v.xlsx")}),
        ("rules UNI", {"prefix": "UNI"}),
        ("loinc find créatinine urine --limit 3", {"words": ["créatinine", "urine"], "limit": 3}),
    ],
)  # fmt: skip
def test_a_command_line_gives_the_values_it_says(
    line: str, read: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JDV_PROFILE", "publication")
    monkeypatch.setenv("JDV_LAYOUT", "circuitbio")
    words = line.split()
    name = " ".join(words[:2]) if words[0] in ("loinc", "triage") else words[0]
    given = typer_command(NAMED[name]).make_context(name, words[len(name.split()) :]).params
    if words[0] == "check":
        read = read | {"profile": "publication", "layout": "circuitbio"}
    assert {key: given[key] for key in read} == read
    assert {key: type(given[key]) for key in read if key not in ("workbook", "reports")} == {
        key: type(given[key]) if isinstance(value, str) else type(value)
        for key, value in read.items()
        if key not in ("workbook", "reports")
    }


def test_every_value_of_a_command_line_is_made_without_pydantic() -> None:
    for name, command in NAMED.items():
        built = typer_command(command)
        for param in built.get_params(Context(built)):
            assert isinstance(param.get_runtime_param(), Values), (name, param.name)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "french", "english"),
    [
        ("chek a", "pas de commande « chek » ; vouliez-vous « check » ? (la liste : « jdv --help »)", "no command `chek`; did you mean `check`? (the list: `jdv --help`)"),
        ("loinc lst", "pas de commande « lst » ; vouliez-vous « list » ? (la liste : « jdv loinc --help »)", "no command `lst`; did you mean `list`? (the list: `jdv loinc --help`)"),
        ("xyz", "pas de commande « xyz » (la liste : « jdv --help »)", "no command `xyz` (the list: `jdv --help`)"),
        ("check a --fromat json", "check : pas d'option « --fromat » ; vouliez-vous « --format » ? (la liste : « jdv check --help »)", "check: no option `--fromat`; did you mean `--format`? (the list: `jdv check --help`)"),
        ("check a -z", "check : pas d'option « -z » (la liste : « jdv check --help »)", "check: no option `-z` (the list: `jdv check --help`)"),
        ("--quiet check a", "pas d'option « --quiet » (la liste : « jdv --help »)", "no option `--quiet` (the list: `jdv --help`)"),
        ("check", "check : il manque WORKBOOK (voir --help)", "check: WORKBOOK is missing (see --help)"),
        ("waive a --cell A1", "waive : il manque --rule (voir --help)", "waive: --rule is missing (see --help)"),
        ("cda --with v.xlsx", "cda : il manque REPORT.xml (voir --help)", "cda: REPORT.xml is missing (see --help)"),
        ("check a b", "check : en trop : « b »", "check: one too many: `b`"),
        ("check a --format pdf", "check : --format : « pdf » n'est pas possible ; au choix : text, html, xlsx, json, csv, sarif, junit, github, md", "check: --format: `pdf` is not possible; choose from text, html, xlsx, json, csv, sarif, junit, github, md"),
        ("diff a b -f jsn", "diff : --format : « jsn » n'est pas possible ; au choix : text, json, csv, xlsx, md, html ; vouliez-vous « json » ?", "diff: --format: `jsn` is not possible; choose from text, json, csv, xlsx, md, html; did you mean `json`?"),
        ("check a --limit dix", "check : --limit : « dix » n'est pas un nombre entier", "check: --limit: `dix` is not a whole number"),
        ("check a --limit=-1", "check : --limit : -1 est inférieur à 0", "check: --limit: -1 is below 0"),
        ("check a --limit", "check : --limit attend une valeur (N)", "check: --limit needs a value (N)"),
        ("check a -o --force", "check : --output attend une valeur (FILE)", "check: --output needs a value (FILE)"),
        ("check a --force=yes", "check : --force ne prend pas de valeur", "check: --force takes no value"),
        ("export a b --separator x", "export : --separator : « x » n'est pas possible ; au choix : ;, ,", "export: --separator: `x` is not possible; choose from ;, ,"),
    ],
)  # fmt: skip
def test_misuse_is_one_line_in_the_language_in_use(line: str, french: str, english: str) -> None:
    assert invoke(*line.split()) == (2, "", f"jdv: {french}\n")
    assert invoke("--lang", "en", *line.split()) == (2, "", f"jdv: {english}\n")


def test_a_wrong_value_of_a_variable_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JDV_FAIL_ON", "grave")
    answer = invoke("check", BOOK)
    assert answer.stderr.startswith("jdv: check : JDV_FAIL_ON : « grave » n'est pas possible ; au choix : error,")


def test_a_wrong_language_is_told_in_the_one_in_use() -> None:
    assert invoke("--lang", "de", "rules") == (2, "", "jdv: --lang : « de » n'est pas possible ; au choix : fr, en\n")
    assert invoke("rules", "--lang=de").exit_code == 2


def test_the_settings_choose_the_language_even_of_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JDV_LANG", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("jdv.toml").write_text('language = "en"\n', encoding="utf-8")
    Path("fr.toml").write_text('language = "fr"\n', encoding="utf-8")
    assert "did you mean" in invoke("chek").stderr
    assert "il manque" in invoke("check", "--config", "fr.toml").stderr
    Path("jdv.toml").write_text("language = 1\n", encoding="utf-8")
    assert invoke("rules").exit_code == 2
    assert invoke("--help").exit_code == invoke("--version").exit_code == invoke("rules", "--help").exit_code == 0


def test_a_shell_completes_commands_and_rules() -> None:
    def completed(typed: str) -> str:
        environment = os.environ | {
            "_JDV_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split())),
        }
        command = [sys.executable, "-c", "from jdv_qa.cli.app import run; run()"]
        return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=True).stdout

    assert {"check", "triage", "loinc"} <= {*completed("jdv ").split()}
    assert "UNI-02" in completed("jdv check --select ").split()


def test_the_script_and_the_module_are_the_same_command() -> None:
    script = shutil.which("jdv", path=str(Path(sys.executable).parent))
    ways = [[sys.executable, "-m", "jdv_qa"], *([[script]] if script else [])]
    told = {
        subprocess.run([*way, "--help"], capture_output=True, env=os.environ | {"COLUMNS": "80"}, check=True).stdout
        for way in ways
    }
    assert len(told) == 1

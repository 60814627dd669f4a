"""What the program's source may not do: run what it reads, start programs, reach for the network, trust XML, guess an encoding.

The few exceptions are named, each with its reason; SECURITY.md says the same for people. What a run really does is watched
by test_run.py.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SOURCES = sorted((REPOSITORY / "jdv_qa").rglob("*.py"))

EXECUTES = {
    "eval", "exec", "compile", "__import__", "runpy", "code", "codeop", "importlib", "pickle", "cPickle", "dill", "shelve", "marshal",
    "dbm", "joblib", "yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load", "yaml.full_load_all", "yaml.Loader",
    "yaml.FullLoader", "yaml.UnsafeLoader", "yaml.CLoader", "yaml.CFullLoader", "yaml.CUnsafeLoader",
}  # fmt: skip
STARTS = {
    "subprocess", "multiprocessing", "concurrent.futures.ProcessPoolExecutor", "pty", "ctypes", "cffi", "webbrowser", "os.system",
    "os.popen", "os.startfile", "os.fork", "os.forkpty", "os.posix_spawn", "os.posix_spawnp",
    *(f"os.{how}{form}" for how in ("exec", "spawn") for form in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
}  # fmt: skip
CONNECTS = {
    "socket", "ssl", "http", "urllib.request", "urllib.error", "urllib3", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "imaplib",
    "poplib", "telnetlib", "xmlrpc", "socketserver", "asyncio", "wsgiref", "select.socket",
}  # fmt: skip
UNPACKS = {"tarfile", "shutil.unpack_archive"}
FOREIGN_XML = {
    "xml.sax.parse",
    "xml.sax.parseString",
    "xml.sax.make_parser",
    "xml.sax.expatreader",
    "xml.dom",
    "xml.parsers",
    "defusedxml",
    "lxml.html",
    "lxml.objectify",
    "html5lib",
    "bs4",
}
FORBIDDEN = EXECUTES | STARTS | CONNECTS | UNPACKS | FOREIGN_XML

OWN_PROCESS = "our own interpreter on a file of this package, to judge values while the workbook is read"
EXCEPTIONS = {
    "jdv_qa/beside.py": (
        {"os.fork", "pickle"},
        "a copy of this process, and what it sends back through a pipe that nobody else has",
    ),
    "jdv_qa/checks/schema_process.py": ({"os.posix_spawn", "subprocess", "marshal"}, OWN_PROCESS),
    "jdv_qa/checks/schema_verdicts.py": (
        {"marshal", "importlib"},
        "the other end of that process, which reads what we have written, and imports one part of frictionless",
    ),
    "jdv_qa/checks/engine.py": ({"importlib"}, "the modules of the rules, named in the engine"),
    "jdv_qa/cli/": ({"importlib"}, "the module of a command, whose name is in our own table of commands"),
    "jdv_qa/workbook/": (
        {"xml.parsers"},
        "expat resolves no external entity; limits are checked before it is given anything",
    ),
}
XML_READERS = ("fromstring", "parse", "iterparse", "XML", "HTML", "XMLPullParser", "iterwalk")
SAFE_XML = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
MADE_BY_US = {
    "jdv_qa/workbook/styles.py": "a piece of a part that was read with a safe parser and written out by us: it has no document type",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def telling(module: ast.Module) -> tuple[ast.AST, ...]:
    """The imports, calls and names of a module."""
    return tuple(
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call | ast.Attribute | ast.Name)
    )


@cache
def names_in_use(module: ast.Module) -> dict[str, str]:
    """What each imported name of a module stands for: {"etree": "lxml.etree"}."""
    names: dict[str, str] = {}
    for node in telling(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The whole name of an expression such as `etree.parse`: "lxml.etree.parse"; "" for what is neither imported nor built in."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id if hasattr(builtins, node.id) else "")
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""


def used(module: ast.Module) -> Iterator[tuple[int, str]]:
    """The line and the whole name of all that a module imports, calls or names by a dotted name."""
    names = names_in_use(module)
    for node in telling(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute | ast.Name) and (name := dotted(node, names)):
            yield node.lineno, name


def forbidden_in(path: str, module: ast.Module) -> list[str]:
    allowed = {word for place, (words, _) in EXCEPTIONS.items() if path.startswith(place) for word in words}
    wrong = FORBIDDEN - allowed
    return [
        f"{path}:{line}: {name}"
        for line, name in used(module)
        if not wrong.isdisjoint(accumulate(name.split("."), "{}.{}".format))
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("eval('1')", "eval"),
        ("import pickle", "pickle"),
        ("from subprocess import run", "subprocess.run"),
        ("import os as system\nsystem.popen('x')", "os.popen"),
        ("from os import system as s\ns('x')", "os.system"),
        ("from urllib.request import urlopen", "urllib.request.urlopen"),
        ("import yaml\nyaml.load(text, yaml.UnsafeLoader)", "yaml.UnsafeLoader"),
    ],
)
def test_the_guard_sees(text: str, found: str) -> None:
    assert any(line.endswith(f": {found}") for line in forbidden_in("jdv_qa/x.py", ast.parse(text)))


def test_the_guard_lets_the_rest_pass() -> None:
    text = "import re, os\nfrom urllib.parse import quote\nre.compile('x')\nos.replace(a, b)\nmodel.eval\nquote(x)"
    assert forbidden_in("jdv_qa/x.py", ast.parse(text)) == []


def test_nothing_is_run_started_fetched_or_unpacked() -> None:
    assert [found for path in SOURCES for found in forbidden_in(name_of(path), tree(path))] == []
    assert all(reason for _, reason in EXCEPTIONS.values())


@cache
def calls(path: Path) -> tuple[tuple[ast.Call, str], ...]:
    """Every call of a module, with the whole name of what is called."""
    names = names_in_use(tree(path))
    return tuple((node, dotted(node.func, names)) for node in telling(tree(path)) if isinstance(node, ast.Call))


def test_yaml_is_read_by_a_safe_loader() -> None:
    wrong = []
    for path in SOURCES:
        for call, name in calls(path):
            if name in ("yaml.load", "yaml.load_all"):
                loader = next((word.value for word in call.keywords if word.arg == "Loader"), None) or call.args[1]
                told = ast.unparse(loader)
                if "Safe" not in told and not told.isidentifier():
                    wrong.append(f"{name_of(path)}:{call.lineno}: {told}")
    assert wrong == []


def test_xml_is_read_by_a_parser_that_resolves_nothing() -> None:
    parsers, wrong = 0, []
    for path in SOURCES:
        for call, name in calls(path):
            place = f"{name_of(path)}:{call.lineno}: {name}"
            if name == "lxml.etree.XMLParser":
                parsers += 1
                told = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
                wrong += [
                    f"{place}({word}={told.get(word)})"
                    for word, value in SAFE_XML.items()
                    if told.get(word) is not value
                ]
            elif name.startswith("lxml.etree.") and name.rpartition(".")[2] in XML_READERS:
                with_parser = len(call.args) > 1 or any(word.arg == "parser" for word in call.keywords)
                if not with_parser and name_of(path) not in MADE_BY_US:
                    wrong.append(f"{place} without a parser")
    assert wrong == []
    assert parsers


def test_archives_are_never_unpacked_into_a_folder() -> None:
    """A member's name is the sender's: "../../x". Members are read, never extracted."""
    wrong = [
        f"{name_of(path)}:{call.lineno}: {name}"
        for path in SOURCES
        for call, name in calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("extract", "extractall")
        and not name.startswith("rapidfuzz.")
    ]
    assert wrong == []


def test_pages_escape_what_they_are_given() -> None:
    """Templates that make pages escape by themselves; what is exempt is a style or a script of ours, or plain text."""
    plain_text = {"jdv_qa/triage/answers.py"}
    markup = {
        "jdv_qa/report/page.py",
        "jdv_qa/report/findings_html.py",
    }  # the second: a picture made by such a template
    environments = 0
    for path in SOURCES:
        for call, name in calls(path):
            if name == "jinja2.Environment":
                environments += 1
                told = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert told.get("autoescape") == "True" or name_of(path) in plain_text, f"{name_of(path)}:{call.lineno}"
            elif name in ("markupsafe.Markup", "jinja2.Template"):
                allowed = markup if name == "markupsafe.Markup" else plain_text
                assert name_of(path) in allowed, f"{name_of(path)}:{call.lineno}: {name}"
    assert environments


def test_text_files_are_opened_with_an_encoding() -> None:
    """The encoding of the locale is not ours: a French workbook's names must come out the same under LC_ALL=C."""
    wrong = []
    for path in SOURCES:
        for call, name in calls(path):
            method = call.func.attr if isinstance(call.func, ast.Attribute) else name
            words = {word.arg for word in call.keywords}
            if (
                method in ("read_text", "write_text")
                and "encoding" not in words
                and not call.args[int(method == "write_text") :]
            ):
                wrong.append(f"{name_of(path)}:{call.lineno}: {method}")
            if method in ("open", "TextIOWrapper") and name != "os.open":
                modes = [
                    argument.value
                    for argument in call.args
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                ]
                modes += [
                    word.value.value
                    for word in call.keywords
                    if word.arg == "mode" and isinstance(word.value, ast.Constant)
                ]
                binary = any("b" in mode for mode in modes if set(mode) <= set("rwaxbt+"))
                if not binary and "encoding" not in words and not opens_a_member(call):
                    wrong.append(f"{name_of(path)}:{call.lineno}: {ast.unparse(call)}")
    assert wrong == []


def opens_a_member(call: ast.Call) -> bool:
    """Tell whether a call opens a member of an archive, which is bytes, or something that is no file at all."""
    return isinstance(call.func, ast.Attribute) and bool(call.args) and not isinstance(call.args[0], ast.Constant)

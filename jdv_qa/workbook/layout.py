"""Layouts: which tab and which header stand for which key. A layout is a YAML file; `rules/layouts/` holds those that ship.

Headers and tab names are compared by their normal form (`normal_form`), so that case, accents, spaces, punctuation,
apostrophes, French articles and plurals do not count. What still does not match is reported, with the nearest known
header, and never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jdv_qa.errors import LayoutError
from jdv_qa.language import say
from jdv_qa.resources import UnreadableYaml, read_yaml, rules_directory

DEFAULT_LAYOUT = "circuitbio"
OTHER_VALUE_SETS = ("loinc_fr",)
"""Layouts of the other value sets that a workbook may be known for when no layout was named."""
BAND_SEPARATOR = ">"
_ARTICLES = frozenset({"de", "du", "des", "d", "la", "le", "les", "l", "un", "une", "of", "the"})
_WORD = re.compile(r"[a-z0-9]+")
_LEADING_NUMBER = re.compile(r"^\s*\d+\s*[.\-–—:)_]?\s*")
_NEAR = 60.0


@lru_cache(maxsize=4096)
def normal_form(text: str) -> str:
    """Return the form under which headers are compared: "Libellé LOINC de la demande" -> "libelleloincdemande"."""
    spelled = text.casefold().replace("œ", "oe").replace("n°", "numero ").replace("\u2019", "'")
    folded = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    words = [word for word in _WORD.findall(folded) if word not in _ARTICLES]
    return "".join(word[:-1] if len(word) > 2 and word[-1] in "sx" else word for word in words)


def normal_tab_name(text: str) -> str:
    """Return the form under which tab names are compared; the number in front does not count."""
    return normal_form(_LEADING_NUMBER.sub("", text)) or normal_form(text)


class ColumnLayout(NamedTuple):
    """One field of a tab. `headers` has the reference header first; `blank` lists texts that mean nothing is said."""

    key: str
    headers: tuple[str, ...]
    required: bool = False
    multiple: bool = False
    band: str = ""
    blank: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """The reference header."""
        return self.headers[0]


class TabLayout(NamedTuple):
    """One tab. `labels` and `history` are for the Sommaire, which holds lines of label and value, and a small table."""

    key: str
    names: tuple[str, ...]
    required: bool = False
    open: bool = False
    columns: Mapping[str, ColumnLayout] = MappingProxyType({})
    labels: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    history: Mapping[str, ColumnLayout] = MappingProxyType({})

    @property
    def name(self) -> str:
        """The reference name of the tab."""
        return self.names[0]

    def header(self, name: str) -> str:
        """Return the reference header of a field, the field's own name where the layout has none."""
        column = self.columns.get(name)
        return column.header if column else name


class Layout(NamedTuple):
    """A layout: tabs by key, in the order of the reference workbook."""

    name: str
    title: str
    tabs: Mapping[str, TabLayout]

    def header(self, tab: str, name: str) -> str:
        """Return the reference header of a field of a tab."""
        return self.tabs[tab].header(name) if tab in self.tabs else name


def load_layout(source: str | Path | None = None) -> Layout:
    """Load a layout that ships, by name, or a layout file, by path; the default is the JDV CircuitBio's.

    A file that says `extends: NAME` needs to hold only what differs: its headers and names come before those of the
    layout it extends. Raises LayoutError, with the file and the key at fault.
    """
    name = str(source) if source is not None else DEFAULT_LAYOUT
    shipped = rules_directory() / "layouts" / f"{name}.yaml"
    if shipped.is_file() and Path(name).name == name:
        return _load_shipped(shipped)
    return _load_file(Path(name), ())


@lru_cache
def _load_shipped(path: Path) -> Layout:
    return _parse(_read_yaml(path), path, None)


def _load_file(path: Path, below: tuple[Path, ...]) -> Layout:
    """Load a layout file; `below` are the files that extend it."""
    if path in below:
        raise _wrong(path, "extends", say("la mise en page s'étend elle-même", "the layout extends itself"))
    content = _read_yaml(path)
    base = content.get("extends")
    if not base:
        return _parse(content, path, None)
    shipped = rules_directory() / "layouts" / f"{base}.yaml"
    return _parse(
        content, path, _load_shipped(shipped) if shipped.is_file() else _load_file(Path(str(base)), (*below, path))
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in (rules_directory() / "layouts").glob("*.yaml")))
        raise LayoutError(
            say(
                f"{path} : fichier de mise en page introuvable ; donnez un chemin, ou un nom parmi : {known}",
                f"{path}: layout file not found; give a path, or one of: {known}",
            )
        ) from None
    except UnreadableYaml as error:
        raise LayoutError(
            say(
                f"{path} : mise en page illisible ({error}) ; corrigez le fichier ou recréez-le par « jdv layout --write »",
                f"{path}: unreadable layout ({error}); mend the file or make it anew with `jdv layout --write`",
            )
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("tabs") or {}, dict):
        raise _wrong(path, "tabs", say("une liste d'onglets est attendue", "a mapping of tabs is expected"))
    return content


def _parse(content: dict[str, Any], path: Path, base: Layout | None) -> Layout:
    tabs: dict[str, TabLayout] = dict(base.tabs) if base else {}
    for key, tab in (content.get("tabs") or {}).items():
        if base and key not in base.tabs:
            known = ", ".join(base.tabs)
            raise _wrong(
                path,
                f"tabs.{key}",
                say(f"onglet inconnu ; onglets possibles : {known}", f"unknown tab; known tabs: {known}"),
            )
        tabs[key] = _parse_tab(path, str(key), tab or {}, tabs.get(key))
    if not tabs:
        raise _wrong(path, "tabs", say("aucun onglet", "no tab"))
    layout = Layout(
        str(content.get("layout") or path.stem), str(content.get("title") or (base.title if base else "")), tabs
    )
    _refuse_ambiguity(path, layout)
    return layout


def _parse_tab(path: Path, key: str, tab: Any, base: TabLayout | None) -> TabLayout:
    where = f"tabs.{key}"
    tab = _mapping(path, where, tab)
    columns = dict(base.columns) if base else {}
    open_tab = bool(tab.get("open", base.open if base else False))
    for name, column in _mapping(path, f"{where}.columns", tab.get("columns")).items():
        if base and base.columns and name not in base.columns:
            known = ", ".join(base.columns)
            raise _wrong(
                path,
                f"{where}.columns.{name}",
                say(f"champ inconnu ; champs possibles : {known}", f"unknown field; known fields: {known}"),
            )
        columns[name] = _parse_column(path, f"{where}.columns.{name}", str(name), column, columns.get(name))
    history = dict(base.history) if base else {}
    for name, column in _mapping(path, f"{where}.history", tab.get("history")).items():
        history[name] = _parse_column(path, f"{where}.history.{name}", str(name), column, history.get(name))
    labels = dict(base.labels) if base else {}
    for name, texts in _mapping(path, f"{where}.labels", tab.get("labels")).items():
        labels[name] = _merged(
            _texts(path, f"{where}.labels.{name}", texts), labels.get(name, ()), keep_reference=base is not None
        )
    names = _texts(path, f"{where}.names", tab.get("names", []))
    if base:
        names = _merged(names, base.names, keep_reference=True)
    if not names:
        raise _wrong(path, f"{where}.names", say("aucun nom d'onglet", "no tab name"))
    required = bool(tab.get("required", base.required if base else False))
    return TabLayout(key, names, required, open_tab, columns, labels, history)


def _mapping(path: Path, where: str, value: Any) -> dict[str, Any]:
    """Return a mapping; nothing is one without keys."""
    if value is not None and not isinstance(value, dict):
        raise _wrong(path, where, say("un bloc « clé: valeur » est attendu", "a mapping is expected"))
    return value or {}


def _parse_column(path: Path, where: str, key: str, column: Any, base: ColumnLayout | None) -> ColumnLayout:
    settings = column if isinstance(column, dict) else {"headers": column}
    headers = _texts(path, f"{where}.headers", settings.get("headers", []))
    if base:
        headers = _merged(headers, base.headers, keep_reference=True)
    if not headers:
        raise _wrong(path, f"{where}.headers", say("aucun intitulé", "no header"))
    blank = _texts(path, f"{where}.blank", settings.get("blank", [])) + (base.blank if base else ())
    return ColumnLayout(
        key,
        headers,
        bool(settings.get("required", base.required if base else False)),
        bool(settings.get("list", base.multiple if base else False)),
        str(settings.get("band", base.band if base else "")),
        tuple(dict.fromkeys(blank)),
    )


def _merged(own: tuple[str, ...], inherited: tuple[str, ...], *, keep_reference: bool) -> tuple[str, ...]:
    """Join the texts of a file and of the layout it extends; the reference text stays first, for what jdv writes."""
    if keep_reference and inherited:
        return tuple(dict.fromkeys((inherited[0], *own, *inherited[1:])))
    return tuple(dict.fromkeys((*own, *inherited)))


def _texts(path: Path, where: str, value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, (str, int, float)) for item in values):
        raise _wrong(path, where, say("une liste de textes est attendue", "a list of texts is expected"))
    return tuple(str(item) for item in values)


def _wrong(path: Path, where: str, reason: str) -> LayoutError:
    return LayoutError(say(f"{path} : {where} : {reason}", f"{path}: {where}: {reason}"))


def _refuse_ambiguity(path: Path, layout: Layout) -> None:
    for tab in layout.tabs.values():
        seen: dict[str, str] = {}
        for column in tab.columns.values():
            for header in column.headers:
                other = seen.setdefault(_header_key(header), column.key)
                if other != column.key:
                    raise _wrong(
                        path,
                        f"tabs.{tab.key}",
                        say(
                            f"l'intitulé « {header} » désigne deux champs, {other} et {column.key}",
                            f'header "{header}" stands for two fields, {other} and {column.key}',
                        ),
                    )


def _header_key(header: str) -> str:
    band, separator, name = header.partition(BAND_SEPARATOR)
    return f"{normal_form(band)}{BAND_SEPARATOR}{normal_form(name)}" if separator else normal_form(header)


class HeaderIndex(NamedTuple):
    """Finds the field of a header. Build it once a tab with `header_index`."""

    fields: Mapping[str, str]
    headers: Mapping[str, str]

    def field_of(self, header: str, band: str = "") -> str | None:
        """Return the field a header stands for, the band above it taken first, None when it is not known."""
        if band and (found := self.fields.get(f"{normal_form(band)}{BAND_SEPARATOR}{normal_form(header)}")):
            return found
        return self.fields.get(normal_form(header))

    def nearest(self, header: str, fields: Iterable[str] | None = None) -> tuple[str, str] | None:
        """Return the (field, known header) most like a header that is not known, None when nothing is near.

        `fields` restricts the answer to some fields, such as those that no column was found for.
        """
        from rapidfuzz import fuzz, process

        allowed = set(fields) if fields is not None else set(self.fields.values())
        choices = {key: key.replace(BAND_SEPARATOR, "") for key, name in self.fields.items() if name in allowed}
        best = process.extractOne(normal_form(header), choices, scorer=fuzz.ratio, score_cutoff=_NEAR)
        return (self.fields[best[2]], self.headers[best[2]]) if best else None


def header_index(columns: Mapping[str, ColumnLayout]) -> HeaderIndex:
    """Return the index of the headers of a tab."""
    fields: dict[str, str] = {}
    headers: dict[str, str] = {}
    for column in columns.values():
        for header in column.headers:
            key = _header_key(header)
            fields.setdefault(key, column.key)
            headers.setdefault(key, header)
    return HeaderIndex(fields, headers)


def nearest_tab(name: str, layout: Layout) -> str | None:
    """Return the key of the tab whose name is most like a name that is not known, None when nothing is near."""
    from rapidfuzz import fuzz, process

    choices = {(key, text): normal_tab_name(text) for key, tab in layout.tabs.items() for text in tab.names}
    best = process.extractOne(normal_tab_name(name), choices, scorer=fuzz.ratio, score_cutoff=_NEAR)
    return best[2][0] if best else None


def match_tabs(sheet_names: Iterable[str], layout: Layout) -> dict[str, str]:
    """Return tab key -> sheet name for the sheets whose name is known; the first sheet of a name counts."""
    known = {normal_tab_name(name): key for key, tab in layout.tabs.items() for name in tab.names}
    found: dict[str, str] = {}
    for sheet in sheet_names:
        key = known.get(normal_tab_name(sheet))
        if key is not None:
            found.setdefault(key, sheet)
    return found

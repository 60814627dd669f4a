"""`jdv loinc`: the local store of LOINC releases: import, list, look at a term, find terms by words."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from jdv_qa.cli.options import Exit, Force, Lang, console, emit
from jdv_qa.cli.progress import on_terminal
from jdv_qa.cli.streams import tell
from jdv_qa.errors import JdvError
from jdv_qa.harmless import harmless
from jdv_qa.language import count, figure, say

if TYPE_CHECKING:
    from jdv_qa.terminology.loinc_files import Advance
    from jdv_qa.terminology.store import StoredInfo

Store = Annotated[
    Path | None,
    Option("--store", metavar="DIR", help="Folder of the store (default: `loinc` in $JDV_HOME or the user's data)."),
]
Version = Annotated[
    str | None,
    Option("--loinc", metavar="VERSION|PATH", help="LOINC release (default: the latest in the store)."),
]


class Format(StrEnum):
    """Forms of the answer."""

    TEXT = "text"
    JSON = "json"


Form = Annotated[Format, Option("--format", "-f", help="text for people, json for scripts.")]


def import_(
    path: Annotated[
        Path,
        Argument(
            metavar="PATH",
            help="LOINC release as downloaded (zip, folder or Loinc.csv), or French labels: LOINCFR_JeuDeValeurs.xlsx or the "
            "SMT's zip of it, or a French linguistic variant.",
        ),
    ],
    version: Annotated[
        str | None,
        Option("--version", metavar="V", help="Version of LOINC, such as 2.80 (default: as the files tell)."),
    ] = None,
    force: Force = False,
    store: Store = None,
    lang: Lang = None,
) -> None:
    """Import a LOINC release into the store; or French labels into a release that is there (the latest, unless --version).

    The release is written whole or not at all, and one that is there is not replaced without --force.
    """
    from jdv_qa.terminology.importing import add_labels, import_release, import_size
    from jdv_qa.terminology.loinc import NOTICE
    from jdv_qa.terminology.loinc_files import find_files
    from jdv_qa.terminology.store import SMT, VARIANT, store_directory, stored_version

    directory = store_directory(store)
    if (found := _french_labels(path)) is not None:
        source, labels = found
        target = stored_version(version, directory)
        with _progress(len(labels), say("Libellés français", "French labels")) as advance:
            info = add_labels(labels, {"smt": SMT, "variant": VARIANT}[source], target, force=force, advance=advance)
    else:
        files = find_files(path)
        with _progress(import_size(files), f"LOINC {version or files.version}".strip()) as advance:
            info = import_release(files, directory, version=version or "", force=force, advance=advance)
    emit(harmless(_summary(info)), None)
    if not info.searchable:
        tell(
            say(
                "Le SQLite de ce Python n'a pas FTS5 : « jdv loinc find » ne marchera pas, tout le reste si.",
                "The SQLite of this Python has no FTS5: `jdv loinc find` will not work, all the rest will.",
            ),
        )
    emit("\n" + textwrap.fill(NOTICE, shutil.get_terminal_size().columns), None)


def _french_labels(path: Path) -> tuple[str, list[tuple[str, ...]]] | None:
    """Return French labels and which source they are of, None when the path is something else."""
    from jdv_qa.terminology.loinc_files import holds_only_csv

    if not path.is_file() or holds_only_csv(path):
        return None
    import zipfile

    from jdv_qa.terminology.french import french_labels
    from jdv_qa.terminology.loinc import read_variant
    from jdv_qa.workbook.grids import read_grids, zipped_workbook

    if path.suffix.casefold() in (".xlsx", ".xlsm"):
        grids = read_grids(path)
    elif zipfile.is_zipfile(path):
        zipped = zipped_workbook(path, "LOINCFR")
        if zipped is None:
            return None
        grids = zipped
    elif "linguisticvariant" in path.name.casefold():
        return "variant", read_variant(path)
    else:
        return None
    for grid in grids:
        if labels := french_labels(grid.rows):
            return "smt", labels
    raise JdvError(
        say(
            f"{path} : pas de feuille avec « Code LOINC », « Libellé français de référence » et « Composant français »",
            f"{path}: no sheet with `Code LOINC`, `Libellé français de référence` and `Composant français`",
        )
    )


def _summary(info: StoredInfo) -> str:
    labels = ", ".join(f"{figure(number)} {source}" for source, number in info.labels.items())
    parts = [
        count(info.terms, "terme", "term"),
        say(f"libellés français : {labels or 'aucun'}", f"French labels: {labels or 'none'}"),
        count(info.replacements, "remplacement", "replacement"),
        count(info.changes, "terme changé", "changed term", "termes changés"),
    ]
    return say(f"LOINC {info.version} : ", f"LOINC {info.version}: ") + f"{', '.join(parts)} ({info.path})"


@contextmanager
def _progress(total: int, title: str) -> Iterator[Advance]:
    """Show a progress bar on a terminal, and nothing elsewhere."""
    if not on_terminal():
        yield lambda _: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(title, total=max(total, 1))
        yield lambda amount: progress.advance(task, amount)


def list_(form: Form = Format.TEXT, store: Store = None, lang: Lang = None) -> int:
    """List the LOINC releases of the store.

    Those that cannot be read are told one a line, and the status is then 2.
    """
    from jdv_qa.report.terms_text import print_releases, release_json
    from jdv_qa.terminology.store import open_stored, store_directory, stored_paths

    directory = store_directory(store)
    releases, unreadable = [], []
    for path in stored_paths(directory):
        try:
            releases.append(open_stored(path).info)
        except JdvError as error:
            unreadable.append(error)
    if form is Format.JSON:
        emit(
            json.dumps(
                {"schema": "jdv-loinc-list/1", "store": str(directory), "releases": list(map(release_json, releases))},
                ensure_ascii=False,
                indent=1,
            ),
            None,
        )
    else:
        print_releases(releases, str(directory), console())
    for reason in unreadable:
        tell(f"jdv: {reason}")
    return Exit.TROUBLE if unreadable else Exit.CLEAN


def show(
    code: Annotated[str, Argument(metavar="CODE", help="LOINC code, such as 2951-2.")],
    version: Version = None,
    limit: Annotated[
        int | None,
        Option("--limit", min=0, metavar="N", help="Neighbours shown of each axis, 0 for all (default: 10)."),
    ] = None,
    form: Form = Format.TEXT,
    store: Store = None,
    lang: Lang = None,
) -> None:
    """Show a term: axes, French label, status, type, units, what replaces it, and the terms that differ by one axis."""
    from jdv_qa.report.terms_text import NEIGHBOURS, full_json, print_term
    from jdv_qa.terminology.store import find_release

    release = find_release(version, store)
    term = release.terms.get(code)
    if term is None:
        raise JdvError(_unknown(code, release.version, release.terms))
    if form is Format.JSON:
        content = {"schema": "jdv-loinc-show/1", "loinc": release.version} | full_json(release, term)
        emit(json.dumps(content, ensure_ascii=False, indent=1), None)
    else:
        print_term(release, term, console(), NEIGHBOURS if limit is None else limit)


def _unknown(code: str, version: str, terms: object) -> str:
    from collections.abc import Container

    from jdv_qa.terminology.codes import CodeForm, read_code

    assert isinstance(terms, Container)
    reading = read_code(code)
    near = [proposal for proposal in reading.proposals if proposal in terms]
    if reading.form is CodeForm.PENDING:
        return say(f"{code} est un code en attente, pas un code LOINC", f"{code} is a pending code, not a LOINC code")
    if near:
        codes = ", ".join(near[:5])
        return say(
            f"{code} n'est pas dans LOINC {version} ; vouliez-vous {codes} ?",
            f"{code} is not in LOINC {version}; did you mean {codes}?",
        )
    return say(
        f"{code} n'est pas dans LOINC {version} ; « jdv loinc find » cherche par mots",
        f"{code} is not in LOINC {version}; `jdv loinc find` looks for words",
    )


def find(
    words: Annotated[list[str], Argument(metavar="WORDS", help='Words, French or English: "créatinine urine 24h".')],
    version: Annotated[
        str | None,
        Option("--loinc", metavar="VERSION", help="LOINC release of the store (default: the latest there)."),
    ] = None,
    limit: Annotated[int, Option("--limit", min=0, metavar="N", help="Terms shown, 0 for all.")] = 20,
    form: Form = Format.TEXT,
    store: Store = None,
    lang: Lang = None,
) -> None:
    """Find terms by words of their names, synonyms, axes or code; accents, case and endings do not matter."""
    from jdv_qa.report.terms_text import print_hits, term_json
    from jdv_qa.terminology.search import find_terms, terms_to_index
    from jdv_qa.terminology.store import StoredRelease, find_release

    release = find_release(version, store)
    if not isinstance(release, StoredRelease):
        raise JdvError(
            say(
                f"{version} : la recherche se fait dans une version importée ; voyez « jdv loinc import »",
                f"{version}: only an imported release can be searched; see `jdv loinc import`",
            )
        )
    text = " ".join(words)
    if waiting := terms_to_index(release):
        with _progress(waiting, say("Index des mots (une fois)", "Index of words (once)")) as advance:
            hits = find_terms(release, text, limit, advance)
    else:
        hits = find_terms(release, text, limit)
    if form is Format.JSON:
        content = {
            "schema": "jdv-loinc-find/1",
            "loinc": release.version,
            "words": list(hits.words),
            "all_words": hits.all_words,
            "total": hits.total,
            "terms": list(map(term_json, hits.terms)),
        }
        emit(json.dumps(content, ensure_ascii=False, indent=1), None)
    else:
        print_hits(hits, console())

"""`datapackage.json`: the description that makes a folder of CSV files a Data Package.

The specifications are those of https://specs.frictionlessdata.io (version 1, which every reader knows). Each table is
published with the Table Schema of `rules/schemas/`, its fields named by their headers and their keys kept as
"jdv:key". Every value is text, so a table can be read whatever it holds; constraints are kept all the same, and
`frictionless validate` on the export of a draft then lists the cells that break them. A foreign key is left out when
the Edition lacks the table it refers to.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jdv_qa.errors import OutputError, RuleFileError
from jdv_qa.language import say
from jdv_qa.publish.tables import CsvTable
from jdv_qa.resources import rules_directory
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.layout import Layout, load_layout
from jdv_qa.workbook.tables import FORMAT, summarised

_LICENCE = {"name": "LOINC", "title": "LOINC License", "path": "http://loinc.org/license"}
_KEYS = {"main": ("order_code", "result_code")}
"""Tables whose key a rule of its own guards (GRP-01), and which the Table Schema therefore does not state."""

_FRENCH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def table_schema(key: str, headers: Mapping[str, str], tables: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return the published Table Schema of a table.

    `headers` are its columns (field -> header as written), `tables` those of every table published, by key. A field
    that `rules/schemas/` does not describe is plain text. Raises RuleFileError when the schema file is damaged.
    """
    stated = _stated_schema(key)
    described = {field["name"]: field for field in stated.get("fields", [])}
    fields = []
    for name, header in headers.items():
        field = {"name": header, "title": header, "type": "string", "jdv:key": name}
        field.update((word, value) for word, value in described.get(name, {}).items() if word not in ("name", "title"))
        fields.append(field)
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    primary = stated.get("primaryKey") or _KEYS.get(key, ())
    if primary and all(name in headers for name in primary):
        schema["primaryKey"] = [headers[name] for name in primary]
    foreign = [
        {
            "fields": [headers[name] for name in link["fields"]],
            "reference": {"resource": target, "fields": [tables[target][name] for name in link["reference"]["fields"]]},
        }
        for link in stated.get("foreignKeys", [])
        if (target := link["reference"]["resource"]) in tables
    ]
    if foreign:
        schema["foreignKeys"] = foreign
    return schema


def _stated_schema(key: str) -> dict[str, Any]:
    path = rules_directory() / "schemas" / f"{key}.json"
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RuleFileError(
            say(f"{path} : schéma illisible ({error})", f"{path}: unreadable schema ({error})")
        ) from None
    if not isinstance(content, dict):
        raise RuleFileError(say(f"{path} : ce n'est pas un Table Schema", f"{path}: this is no Table Schema"))
    return content


def data_package(
    edition: Edition, tables: Iterable[CsvTable], layout: Layout | None = None, *, separator: str = ";"
) -> bytes:
    """Return the bytes of the `datapackage.json` that describes the CSV files of an Edition.

    The same Edition always gives the same bytes. `tables` and `separator` are those of `csv_tables`. Raises
    OutputError for a SOURCE_DATE_EPOCH that is no number and RuleFileError for a damaged schema.
    """
    layout = layout or load_layout()
    tables = tuple(tables)
    identity = edition.identity
    headers = {table.key: table.headers for table in tables}
    package: dict[str, Any] = {
        "name": _package_name(edition, layout),
        "title": " ".join(filter(None, (layout.title, identity.version))),
        "profile": "tabular-data-package",
        "jdv:format": FORMAT,
        "jdv:layout": layout.name,
    }
    if identity.title and not summarised(layout):
        package["jdv:title"] = identity.title
    if identity.version:
        package["version"] = identity.version
    if (date := publication_date(edition)) is not None:
        package["created"] = date.strftime("%Y-%m-%dT%H:%M:%SZ")
    if identity.loinc_version:
        package["jdv:loinc_version"] = identity.loinc_version
    package["licenses"] = [_LICENCE]
    package["jdv:notice"] = LOINC_NOTICE
    if edition.source.path:
        package["sources"] = [{"title": Path(edition.source.path).name, "jdv:sha256": edition.source.sha256}]
    package["resources"] = [
        {
            "name": table.key,
            "path": table.name,
            "profile": "tabular-data-resource",
            **{word: text for word, text in _stated_schema(table.key).items() if word in ("title", "description")},
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "dialect": {
                "delimiter": separator,
                "lineTerminator": "\r\n",
                "quoteChar": '"',
                "doubleQuote": True,
                "header": True,
            },
            "bytes": len(table.content),
            "hash": f"sha256:{hashlib.sha256(table.content).hexdigest()}",
            "rows": table.rows,
            "schema": table_schema(table.key, table.headers, headers),
        }
        for table in tables
    ]
    return (json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def publication_date(edition: Edition) -> dt.datetime | None:
    """Return the moment, in UTC, that the files of an Edition bear, never the present one.

    It is midnight of the date of publication, read as 2019-01-15 or 15/01/2019; else SOURCE_DATE_EPOCH
    (https://reproducible-builds.org/specs/source-date-epoch/), None without it. Raises OutputError when
    SOURCE_DATE_EPOCH is not a whole number of seconds.
    """
    text = edition.identity.date
    if match := _FRENCH_DATE.fullmatch(text):
        day, month, year = match.groups()
        text = f"{year}-{month:0>2}-{day:0>2}"
    try:
        date = dt.date.fromisoformat(text[:10])
    except ValueError:
        return _source_date_epoch()
    return dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC)


def _source_date_epoch() -> dt.datetime | None:
    text = os.environ.get("SOURCE_DATE_EPOCH", "").strip()
    if not text:
        return None
    try:
        return dt.datetime.fromtimestamp(int(text), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise OutputError(
            say(
                f"SOURCE_DATE_EPOCH={text} : ce n'est pas un nombre de secondes depuis 1970 ; corrigez cette "
                "variable ou retirez-la",
                f"SOURCE_DATE_EPOCH={text}: not a number of seconds since 1970; correct this variable or unset it",
            )
        ) from None


def publication_name(edition: Edition, layout: Layout | None = None) -> str:
    """Return the name, without extension, under which an Edition is published: "JDV_CircuitBio_1.1.10"."""
    layout = layout or load_layout()
    stem = "JDV_CircuitBio" if "main" in layout.tabs else layout.name
    version = re.sub(r"[^\w.-]+", "_", edition.identity.version)[:60].strip("._-")
    return f"{stem}_{version}" if version else stem


def _package_name(edition: Edition, layout: Layout) -> str:
    return _plain_name(publication_name(edition, layout))


def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower().replace("_", "-")).strip("-")


_DESCRIPTION = "datapackage.json"
_PUBLISHED_AS = re.compile(
    r"fhir/(?:CodeSystem|ConceptMap|ValueSet)-[A-Za-z0-9.-]+\.json|svs/[A-Za-z0-9.-]+\.xml|NOTICE"
)


def is_exported(folder: Path, path: str) -> bool:
    """Tell whether an export has written a file, by its path in a folder; in one without a description of ours it has not."""
    try:
        package = json.loads((folder / _DESCRIPTION).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    if not (isinstance(package, dict) and "jdv:format" in package):
        return False
    if path.endswith(".xlsx"):
        return _plain_name(path.removesuffix(".xlsx")) == package.get("name")
    resources = package.get("resources")
    listed = [item.get("path") for item in resources if isinstance(item, dict)] if isinstance(resources, list) else []
    return path == _DESCRIPTION or path in listed or _PUBLISHED_AS.fullmatch(path) is not None

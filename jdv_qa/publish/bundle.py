"""What leaves the house of a version: its tables in every form, and the zip of them in the form of the SMT's archives.

The zip holds one folder, `JDV_CircuitBio_1.1.11/`: the data in `dat/`, the release notes, the licence notice and the
checksums. Names are made of the version number alone, never of a text of the workbook. The same Edition and date give
the same bytes: files are sorted, and bear the date of the version and fixed rights.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from jdv_qa.errors import OutputError
from jdv_qa.language import say
from jdv_qa.publish.excel import excel_workbook
from jdv_qa.publish.package import data_package
from jdv_qa.publish.register import CHECKSUMS, DATA, checksums
from jdv_qa.publish.tables import csv_tables
from jdv_qa.terminology.notice import LOINC_NOTICE
from jdv_qa.workbook.edition import Edition
from jdv_qa.workbook.layout import Layout
from jdv_qa.workbook.tables import DESCRIPTION

STEM = "JDV_CircuitBio"
NOTICE = "NOTICE"
FHIR = "fhir"
SVS = "svs"
_FIRST_MOMENT = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
"""The earliest that a zip can date a file."""
_LAST_MOMENT = dt.datetime(2107, 12, 31, 23, 59, 58, tzinfo=dt.UTC)


def bundle_name(version: str) -> str:
    """Return the name of the folder of a version, and of its zip and workbook without extension; see `safe_version`."""
    return f"{STEM}_{version}"


def table_files(
    edition: Edition, layout: Layout | None = None, *, separator: str = ";", bom: bool = False
) -> dict[str, bytes]:
    """Return the CSV tables of an Edition and their description, by their paths in a release, with the licence notice.

    Raises OutputError for a text that no UTF-8 file can hold.
    """
    try:
        tables = csv_tables(edition, layout, separator=separator, bom=bom)
        description = data_package(edition, tables, layout, separator=separator)
    except UnicodeEncodeError as error:
        culprit = ascii(error.object[error.start : error.end])
        raise OutputError(
            say(
                f"{edition.source.path} : un texte contient {culprit}, qu'aucun fichier ne peut garder ; corrigez-le",
                f"{edition.source.path}: a text contains {culprit}, which no file can hold; correct it",
            )
        ) from None
    files = {f"{DATA}/{table.name}": table.content for table in tables}
    return files | {f"{DATA}/{DESCRIPTION}": description, NOTICE: f"{LOINC_NOTICE}\n".encode()}


def data_files(
    edition: Edition, version: str, layout: Layout | None = None, *, separator: str = ";", bom: bool = False
) -> dict[str, bytes]:
    """Return every form of an Edition by its path in a release, with the licence notice.

    The Excel workbook in the reference layout, the CSV tables with their Table Schemas, FHIR R4 and SVS. Raises
    OutputError for a text that one of them cannot hold.
    """
    from jdv_qa.publish.fhir import fhir_resources
    from jdv_qa.publish.svs import svs_files

    files = table_files(edition, layout, separator=separator, bom=bom)
    files[f"{DATA}/{bundle_name(version)}.xlsx"] = excel_workbook(edition, layout)
    for folder, written in ((FHIR, fhir_resources(edition, layout)), (SVS, svs_files(edition, layout))):
        files |= {f"{DATA}/{folder}/{name}": content for name, content in written.items()}
    return files


def bundle(version: str, files: Mapping[str, bytes], moment: dt.datetime | None = None) -> bytes:
    """Return the zip of a version: the files given and their checksums, in the folder of the version.

    `moment` is the time, in UTC, that every file bears: that of the version, see `publication_date`.
    """
    return zip_files(bundle_name(version), {**files, CHECKSUMS: checksums(files)}, moment)


def zip_files(folder: str, files: Mapping[str, bytes], moment: dt.datetime | None = None) -> bytes:
    """Return a zip of files in one folder, the same bytes for the same files and moment, whatever their order."""
    moment = min(max(moment or _FIRST_MOMENT, _FIRST_MOMENT), _LAST_MOMENT)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(files, key=lambda path: PurePosixPath(path).parts):
            info = zipfile.ZipInfo(f"{folder}/{path}", moment.timetuple()[:6])
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[path], compresslevel=9)
    return content.getvalue()

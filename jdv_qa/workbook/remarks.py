"""What is worth a line about a file before what is in it: it is open in Excel, or holds what is never run nor followed."""

from __future__ import annotations

import zipfile
from pathlib import Path

from jdv_qa.language import say


def remarks_on(path: Path) -> list[str]:
    """Return the remarks on the file of a workbook; none where there is nothing to say, or nothing that could be read."""
    marks = (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#"))
    told = []
    if any(mark.exists() for mark in marks):
        told.append(
            say(
                f"{path} : ce classeur est ouvert ailleurs ; c'est sa dernière version enregistrée qui est lue",
                f"{path}: this workbook is open elsewhere; what is read is what was last saved",
            )
        )
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.casefold() for name in archive.namelist()]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return told  # who reads the file says what is wrong with it
    if any(name.endswith("vbaproject.bin") for name in names):
        told.append(say(f"{path} : des macros, jamais exécutées", f"{path}: macros, which are never run"))
    if any("/externallinks/" in name for name in names):
        told.append(
            say(
                f"{path} : des liens vers d'autres classeurs, jamais suivis ; les valeurs enregistrées sont lues",
                f"{path}: links to other workbooks, which are never followed; the values saved are read",
            )
        )
    return told

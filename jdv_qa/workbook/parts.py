"""The parts of a workbook's file: found once, and unpacked, each within the limits, when they are needed.

What the archive says of the size of a part is held against what comes out of it, so that nothing behind our back can unpack
more; `archive` gives the parts asked for in an archive of our own making, which can be read in one way only.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from jdv_qa.language import say
from jdv_qa.workbook.archive import NewArchive, Place
from jdv_qa.workbook.limits import MAX_PART, MAX_PARTS, MAX_UNPACKED, Refused


def plain_name(name: str) -> str:
    """Return the name of a part as all programs but a few write it: with slashes, and none before it."""
    return name.replace("\\", "/").lstrip("/")


class Parts:
    """The parts of a workbook's file, found whatever the case of their names (ISO/IEC 29500-2, 6.2.2.3)."""

    def __init__(self, content: bytes) -> None:
        """Find the parts of a file. Raises zipfile.BadZipFile on a file that is no archive, and Refused."""
        self._content = content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
        if len(members) > MAX_PARTS:
            raise Refused(
                say(
                    f"{len(members)} parties dans le fichier, un classeur en a moins de {MAX_PARTS} ; "
                    "reprenez une copie saine, ou enregistrez-le à nouveau depuis Excel",
                    f"{len(members)} parts in the file, a workbook has fewer than {MAX_PARTS}; "
                    "take a sound copy, or save it anew from Excel",
                )
            )
        if sum(member.compress_size for member in members) > len(content):
            raise Refused(
                say(
                    "les parties du fichier se recouvrent ; reprenez une copie saine, ou enregistrez-le à nouveau depuis Excel",
                    "the parts of the file overlap; take a sound copy, or save it anew from Excel",
                )
            )
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            name = plain_name(member.filename)
            if name.casefold() in self._members:
                raise Refused(
                    say(
                        f"la partie « {name} » est deux fois dans le fichier ; reprenez une copie saine, "
                        "ou enregistrez-le à nouveau depuis Excel",
                        f'the part "{name}" is twice in the file; take a sound copy, or save it anew from Excel',
                    )
                )
            self._members[name.casefold()] = member
        self._unpacked: set[str] = set()
        self._total = 0

    def __contains__(self, name: object) -> bool:
        """Tell whether the file has a part."""
        return isinstance(name, str) and name.casefold() in self._members

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the parts as the archive has them, in its order."""
        return (member.filename for member in self._members.values())

    def size(self, name: str) -> int:
        """Return the stated size of a part, unpacked."""
        return self._members[name.casefold()].file_size

    def read(self, name: str) -> bytes:
        """Return a part, unpacked. Raises KeyError when there is none of that name, and Refused."""
        member = self._members[name.casefold()]
        if member.filename not in self._unpacked:
            self._total += member.file_size
            if member.file_size > MAX_PART or self._total > MAX_UNPACKED:
                raise _too_large(name, member.file_size)
            self._unpacked.add(member.filename)
        packed = self._packed(member)
        if member.compress_type == zipfile.ZIP_STORED:
            data = packed
        elif member.compress_type == zipfile.ZIP_DEFLATED:
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                data = unpacker.decompress(packed, member.file_size + 1)
            except zlib.error:
                raise _damaged(name) from None
            if len(data) > member.file_size:
                raise _too_large(name, member.file_size, more=True)
            if not unpacker.eof:
                raise _damaged(name)
        else:
            raise _damaged(name)
        if len(data) != member.file_size or zlib.crc32(data) != member.CRC:
            raise _damaged(name)
        return data

    def _packed(self, member: zipfile.ZipInfo) -> bytes:
        """Return the bytes of a part as they stand in the file."""
        try:
            place = Place(self._content, member)
        except zipfile.BadZipFile:
            raise _damaged(member.filename) from None
        if place.encrypted:
            raise _damaged(member.filename)
        return place.data

    def archive(self, parts: Mapping[str, str], replaced: Mapping[str, bytes]) -> bytes:
        """Return an archive of some parts: name in it -> name here.

        They have been read, and so are what the file says; or there are other bytes for them.
        """
        made = NewArchive()
        for place, part in parts.items():
            member = self._members[part.casefold()]
            assert member.filename in self._unpacked
            if (data := replaced.get(part)) is not None:
                made.add(place, data, zipfile.ZIP_STORED, zlib.crc32(data), len(data))
            else:
                made.add(place, self._packed(member), member.compress_type, member.CRC, member.file_size)
        return made.content()


def _damaged(name: str) -> Refused:
    return Refused(
        say(
            f"la partie « {name} » est abîmée ou chiffrée ; reprenez une copie saine, ou réparez le classeur dans Excel",
            f'the part "{name}" is damaged or encrypted; take a sound copy, or repair the workbook in Excel',
        )
    )


def _too_large(name: str, size: int, *, more: bool = False) -> Refused:
    stated = f"{size / (1 << 20):.0f}"
    at_least = say("plus de ", "more than ") if more else ""
    return Refused(
        say(
            f"la partie « {name} » se déplie en {at_least}{stated} Mio, aucun classeur n'est si gros ; "
            "reprenez une copie saine, ou enregistrez-le à nouveau depuis Excel",
            f'the part "{name}" unpacks to {at_least}{stated} MiB, no workbook is so large; '
            "take a sound copy, or save it anew from Excel",
        )
    )

"""The records of a zip archive: where a part stands in one, archives made part by part, and one written again with changes.

Parts that are not replaced keep their compressed bytes, their place, their date and their attributes, so that an edited
workbook differs from its source in nothing but what was edited, and the same edit gives the same bytes. `zipfile` can only
pack a part anew. The records are those of PKWARE's APPNOTE.TXT, 4.3.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED = 0x01
_HAS_DESCRIPTOR = 0x08
_UTF_8 = 0x800
_ZIP64 = 1
_VERSION = 20
"""The version of the format that deflation needs, 2.0."""

_FIRST_DAY = 1 << 5 | 1
"""1980-01-01, as the archive writes dates."""


class Place:
    """Where a part stands in an archive, and what the record before it says of it. Raises BadZipFile where there is no part."""

    def __init__(self, content: bytes, member: zipfile.ZipInfo) -> None:
        """Find a part of an archive, by what the archive's directory says of it."""
        start = member.header_offset
        if start < 0 or start + _LOCAL.size > len(content):
            raise zipfile.BadZipFile(member.filename)
        mark, self.version, self.flags, _, self.time, self.date, _, _, _, name, extra = _LOCAL.unpack_from(
            content, start
        )
        start += _LOCAL.size
        self.name, self.extra = content[start : start + name], content[start + name : start + name + extra]
        self.data = content[start + name + extra : start + name + extra + member.compress_size]
        self.encrypted = bool((self.flags | member.flag_bits) & _ENCRYPTED)
        if mark != b"PK\x03\x04" or len(self.data) != member.compress_size:
            raise zipfile.BadZipFile(member.filename)


class NewArchive:
    """An archive being made: the same parts give the same bytes."""

    def __init__(self) -> None:
        """Begin one."""
        self._pieces: list[bytes] = []
        self._directory: list[bytes] = []
        self._size = 0

    def add(self, part: str, data: bytes, method: int, crc: int, size: int) -> None:
        """Add a part, dated 1980-01-01: its data as packed by a method, and the checksum and size of what was packed."""
        flags = 0 if part.isascii() else _UTF_8
        name, about = part.encode(), (flags, method, 0, _FIRST_DAY, crc, len(data), size)
        self._put((_VERSION, *about), name, b"", data, (_VERSION, 0, _VERSION, 0, *about), b"", b"", (0, 0))

    def add_again(self, member: zipfile.ZipInfo, place: Place, data: bytes, method: int, crc: int, size: int) -> None:
        """Add a part of another archive, in all but its data what it is there; arguments as in `add`."""
        about = place.flags & ~_HAS_DESCRIPTOR, method, place.time, place.date, crc, len(data), size
        made = member.create_version, member.create_system, member.extract_version, member.reserved
        extra, attributes = _without_zip64(member.extra), (member.internal_attr, member.external_attr)
        self._put(
            (place.version, *about), place.name, _without_zip64(place.extra), data,
            (*made, *about), extra, member.comment, attributes,
        )  # fmt: skip

    def _put(
        self,
        local: tuple[int, ...],
        name: bytes,
        extra: bytes,
        data: bytes,
        central: tuple[int, ...],
        central_extra: bytes,
        comment: bytes,
        attributes: tuple[int, int],
    ) -> None:
        record = _LOCAL.pack(b"PK\x03\x04", *local, len(name), len(extra)) + name + extra
        lengths = len(name), len(central_extra), len(comment)
        entry = _CENTRAL.pack(b"PK\x01\x02", *central, *lengths, 0, *attributes, self._size)
        self._pieces += record, data
        self._directory.append(entry + name + central_extra + comment)
        self._size += len(record) + len(data)

    def content(self, comment: bytes = b"") -> bytes:
        """Return the bytes of the archive."""
        directory, number = b"".join(self._directory), len(self._directory)
        end = _END.pack(b"PK\x05\x06", 0, 0, number, number, len(directory), self._size, len(comment))
        return b"".join((*self._pieces, directory, end, comment))


def rewritten(
    content: bytes,
    replaced: Mapping[str, bytes],
    removed: Collection[str] = (),
    added: Mapping[str, bytes] | None = None,
    renamed: Mapping[str, str] | None = None,
) -> bytes:
    """Return the archive `content` with some parts replaced, by name, some left out, some added at its end, some renamed.

    An added part bears the date 1980-01-01, so that the same parts give the same bytes. Raises zipfile.BadZipFile when it
    is no archive, or a damaged one, KeyError when a part to replace is not in it, ValueError when one to add is.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members, comment = archive.infolist(), archive.comment
    if unknown := set(replaced) - {member.filename for member in members}:
        raise KeyError(min(unknown))
    if known := set(added or ()) & {member.filename for member in members}:
        raise ValueError(min(known))
    written = NewArchive()
    for member in members:
        if member.filename in removed:
            continue
        place = Place(content, member)
        data, method, crc, size = place.data, member.compress_type, member.CRC, member.file_size
        if (new := replaced.get(member.filename)) is not None:
            method = zipfile.ZIP_STORED if method == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
            data = new if method == zipfile.ZIP_STORED else _deflated(new)
            crc, size = zlib.crc32(new), len(new)
        if (other := (renamed or {}).get(member.filename)) is not None:
            place.name, place.flags = other.encode(), place.flags | _UTF_8
        written.add_again(member, place, data, method, crc, size)
    for part, new in (added or {}).items():
        written.add(part, _deflated(new), zipfile.ZIP_DEFLATED, zlib.crc32(new), len(new))
    return written.content(comment)


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _without_zip64(extra: bytes) -> bytes:
    """Return an extra field without the sizes of a zip64 record, which would be read in place of the ones written."""
    kept = bytearray()
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind != _ZIP64:
            kept += extra[place : place + 4 + length]
        place += 4 + length
    return bytes(kept + extra[place:])

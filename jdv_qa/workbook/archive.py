"""The parts of a zip archive, and the archive written again with some of them replaced.

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
_HAS_DESCRIPTOR = 0x08
_UTF_8 = 0x800
_ZIP64 = 1
_VERSION = 20
"""The version of the format that deflation needs, 2.0."""

_FIRST_DAY = 1 << 5 | 1
"""1980-01-01, as the archive writes dates."""


def rewritten(
    content: bytes,
    replaced: Mapping[str, bytes],
    removed: Collection[str] = (),
    added: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return the archive `content` with some parts replaced, by name, some left out, and some added at its end.

    An added part bears the date 1980-01-01, so that the same parts give the same bytes. Raises zipfile.BadZipFile when it
    is no archive, KeyError when a part to replace is not in it, ValueError when one to add is.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members, comment = archive.infolist(), archive.comment
    if unknown := set(replaced) - {member.filename for member in members}:
        raise KeyError(min(unknown))
    if known := set(added or ()) & {member.filename for member in members}:
        raise ValueError(min(known))
    written = bytearray()
    directory = bytearray()
    kept = [member for member in members if member.filename not in removed]
    for member in kept:
        header = _LOCAL.unpack_from(content, member.header_offset)
        start = member.header_offset + _LOCAL.size
        name, extra = content[start : start + header[9]], content[start + header[9] : start + header[9] + header[10]]
        data_start = start + header[9] + header[10]
        method, crc = member.compress_type, member.CRC
        data, size = content[data_start : data_start + member.compress_size], member.file_size
        if (new := replaced.get(member.filename)) is not None:
            method = zipfile.ZIP_STORED if method == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
            data = new if method == zipfile.ZIP_STORED else _deflated(new)
            crc, size = zlib.crc32(new), len(new)
        flags = header[2] & ~_HAS_DESCRIPTOR
        extra, central_extra = _without_zip64(extra), _without_zip64(member.extra)
        offset = len(written)
        written += _LOCAL.pack(
            header[0], header[1], flags, method, header[4], header[5], crc, len(data), size, len(name), len(extra)
        )
        written += name + extra + data
        directory += _CENTRAL.pack(
            b"PK\x01\x02", member.create_version, member.create_system, member.extract_version, member.reserved, flags,
            method, header[4], header[5], crc, len(data), size, len(name), len(central_extra), len(member.comment), 0,
            member.internal_attr, member.external_attr, offset,
        )  # fmt: skip
        directory += name + central_extra + member.comment
    for part, new in (added or {}).items():
        name, data = part.encode(), _deflated(new)
        flags, offset = 0 if part.isascii() else _UTF_8, len(written)
        common = flags, zipfile.ZIP_DEFLATED, 0, _FIRST_DAY, zlib.crc32(new), len(data), len(new), len(name), 0
        written += _LOCAL.pack(b"PK\x03\x04", _VERSION, *common) + name + data
        directory += _CENTRAL.pack(b"PK\x01\x02", _VERSION, 0, _VERSION, 0, *common, 0, 0, 0, 0, offset) + name
    number = len(kept) + len(added or ())
    end = _END.pack(b"PK\x05\x06", 0, 0, number, number, len(directory), len(written), len(comment))
    return bytes(written + directory + end + comment)


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

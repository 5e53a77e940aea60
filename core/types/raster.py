"""How wide and high a picture is, from its first bytes: nothing of it is decoded."""

from __future__ import annotations

from struct import unpack

RASTERS = ("image/png", "image/jpeg", "image/gif", "image/webp")
_STANDALONE = frozenset({0x01, *range(0xD0, 0xDA)})
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def dimensions(content: bytes, media: str) -> tuple[int, int] | None:
    """Width and height in points; None if the bytes do not say."""
    read = {"image/png": _png, "image/gif": _gif, "image/jpeg": _jpeg, "image/webp": _webp}.get(media)
    found = read(content) if read is not None else None
    return found if found is not None and min(found) > 0 else None


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        return None
    width, height = unpack(">II", content[16:24])
    return width, height


def _gif(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"GIF8" or len(content) < 13:
        return None
    width, height = unpack("<HH", content[6:10])
    return width, height


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Walk from marker to marker to the one that begins the frame."""
    place = 2
    while place + 9 <= len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker == 0xFF:                      # filling
            place += 1
        elif marker in _STANDALONE:
            place += 2
        elif marker in _FRAMES:
            height, width = unpack(">HH", content[place + 5:place + 9])
            return width, height
        else:
            place += 2 + max(2, int.from_bytes(content[place + 2:place + 4], "big"))
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return None
    if kind == b"VP8X":
        return _little(content[24:27]) + 1, _little(content[27:30]) + 1
    if kind == b"VP8L" and content[20] == 0x2F:
        packed = _little(content[21:25])
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        return _little(content[26:28]) & 0x3FFF, _little(content[28:30]) & 0x3FFF
    return None


def _little(some: bytes) -> int:
    return int.from_bytes(some, "little")

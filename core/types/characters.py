"""What any text must keep to before it may be stored."""

from __future__ import annotations

import re
import unicodedata

from core.types.base import BadValue

LONGEST = 100_000
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_BREAK = re.compile("[\n\r\x85\u2028\u2029]")


def clean(value: object, most: int = LONGEST, *, lines: bool = False) -> str | None:
    """Strip, compose (NFC) and check text; None for empty. Raises BadValue for what cannot be kept as it is.

    `lines` allows line breaks, which become "\\n".
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadValue("type", "This must be text.")
    if len(value) > most + 1_000:                  # before any work on it
        _too_long(value, most)
    text = value.strip() if not lines else value.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if not text:
        return None
    if not text.isprintable():                     # what may not be kept and what breaks lines is never printable
        if _NEVER.search(text):
            raise BadValue("character", "This holds a character that text cannot hold.")
        if not lines and _LINE_BREAK.search(text):
            raise BadValue("line_break", "This must be a single line.")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if len(text) > most:
        _too_long(text, most)
    return text


def _too_long(text: str, most: int) -> None:
    raise BadValue("too_long", "This may have {most} characters and has {length}.", most=most,
                   length=len(text))


def plain_number(text: str, digits: int = 18) -> int | None:
    """Read at most so many ASCII digits as a number; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None

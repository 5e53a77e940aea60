"""The key by which text sorts and is compared: lower case, without accents, Chinese as pinyin."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

KEY_LENGTH = 100
_SPECIAL = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th",
                          "ı": "i"})


def fold(text: str) -> str:
    """Fold text for sorting and finding; text in ASCII only takes a fast path."""
    if text.isascii():
        return text.lower()
    return _fold(text)


def sort_key(text: str) -> str:
    """The first 100 characters of the folded text."""
    return fold(text[:KEY_LENGTH])[:KEY_LENGTH]


@lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    plain = unicodedata.normalize("NFC", plain).lower().translate(_SPECIAL)
    return _pinyin(plain) if any(_is_chinese(c) for c in plain) else plain


def _is_chinese(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


def _pinyin(text: str) -> str:
    from pypinyin import lazy_pinyin  # 0.1 s to import: only where there is Chinese

    return "".join(lazy_pinyin(text)).replace("ü", "v")

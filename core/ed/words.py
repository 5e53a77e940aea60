"""How text becomes words to look for: lower case without accents, Chinese as pairs of characters, phones as digits.

Vectors and queries are written out here and cast, never parsed by the database: what is looked for is what was kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|(?:(?![\u3400-\u9fff\uf900-\ufaff])[^\W_])+")
NUMBER = re.compile(r"[\d\s+()./-]+")
LONGEST_WORD = 60
LONGEST_TEXT = 20_000
LAST_POSITION = 16_000          # PostgreSQL keeps positions up to 16,383
FEWEST_DIGITS = 3
MOST_WORDS = 12


def words(text: str) -> Iterator[str]:
    """The words that a text is found by, in order."""
    for word in _runs(text):
        if not _is_chinese(word) or len(word) == 1:
            yield word
            continue
        yield from (word[position:position + 2] for position in range(len(word) - 1))
        yield word[-1]


def digits_of(number: str) -> Iterator[str]:
    """A phone number as its digits from every place on, so that any part of it finds it."""
    digits = "".join(str(int(character)) for character in number if character.isdecimal())[:30]
    yield from (digits[start:] for start in range(max(len(digits) - FEWEST_DIGITS + 1, 0)))


def to_vector(texts: Iterable[str], numbers: Iterable[str] = ()) -> str:
    """A tsvector, as text, of some texts and phone numbers; a phrase never spans two of them."""
    places: dict[str, list[int]] = {}
    position = 1
    for text in texts:
        for word in words(text[:LONGEST_TEXT]):
            if position < LAST_POSITION:
                places.setdefault(word, []).append(position)
                position += 1
        position += 10
    for number in numbers:
        for digits in digits_of(number):
            places.setdefault(digits, [])
    return " ".join(f"'{word}'" + (":" + ",".join(map(str, found[:200])) if found else "")
                    for word, found in places.items())


def to_query(text: str) -> str:
    """A tsquery, as text, for what a person looks for: every word, as the beginning of one; "" if there is none."""
    found = [_query(word) for word in list(_runs(text))[:MOST_WORDS]]
    query = " & ".join(found)
    digits = "".join(str(int(character)) for character in text if character.isdecimal())
    if NUMBER.fullmatch(text.strip()) and len(digits) >= FEWEST_DIGITS:
        spellings = dict.fromkeys([digits[:30], digits.lstrip("0")[:30] or digits[:30]])
        query = " | ".join([*(f"'{spelling}':*" for spelling in spellings), *([f"({query})"] if query else [])])
    return query


def _query(word: str) -> str:
    if not _is_chinese(word) or len(word) == 1:
        return f"'{word}':*"
    pairs = [word[position:position + 2] for position in range(len(word) - 1)]
    return "(" + " <-> ".join(f"'{pair}'" for pair in pairs) + ")"


def _runs(text: str) -> Iterator[str]:
    for match in WORD.finditer(_plain(text)):
        yield match.group()[:LONGEST_WORD]


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text.lower())
    return unicodedata.normalize("NFC", "".join(c for c in split if not unicodedata.combining(c)))


def _is_chinese(word: str) -> bool:
    return "\u3400" <= word[0] <= "\u9fff" or "\uf900" <= word[0] <= "\ufaff"

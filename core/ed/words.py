"""How text becomes words to look for: lower case without accents, Chinese as pairs of characters, phones as digits.

What holds digits (an order's number, a licence plate) is found by any part of it of three characters or more.

Vectors and queries are written out here and cast, never parsed by the database: what is looked for is what was kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|(?:(?![\u3400-\u9fff\uf900-\ufaff])[^\W_])+")
NUMBER = re.compile(r"[\d\s+()./-]+")
LONGEST_WORD = 60
LONGEST_TEXT = 20_000
LAST_POSITION = 16_000          # PostgreSQL keeps positions up to 16,383
FEWEST_DIGITS = 3
SHORTEST_CODE, LONGEST_CODE = 4, 40
MOST_WORDS = 12
MOST_CODES = 40


def words(text: str) -> Iterator[str]:
    """The words that a text is found by, in order."""
    for word in _runs(text):
        if not is_chinese(word) or len(word) == 1:
            yield word
            continue
        yield from (word[position:position + 2] for position in range(len(word) - 1))
        yield word[-1]


def digits_of(number: str) -> Iterator[str]:
    """A phone number as its digits from every place on, so that any part of it finds it."""
    digits = "".join(str(int(character)) for character in number if character.isdecimal())[:30]
    yield from (digits[start:] for start in range(max(len(digits) - FEWEST_DIGITS + 1, 0)))


def codes(text: str) -> Iterator[str]:
    """The endings of what holds digits, without its signs: R-2026-0815 is found by 0815, 26-08 and 260815."""
    for code in islice(_with_digits(_plain(text[:LONGEST_TEXT])), MOST_CODES):
        joined = "".join(character for character in code if character.isalnum())
        yield from (joined[start:] for start in range(len(joined) - FEWEST_DIGITS + 1))


def to_vector(texts: Iterable[str], numbers: Iterable[str] = (), titles: Iterable[str] = ()) -> str:
    """A tsvector, as text, of some texts and phone numbers; a phrase never spans two of them.

    The words of `titles` come first and weigh most.
    """
    places: dict[str, list[str]] = {}
    position = 1
    for weight, several in (("A", titles), ("", texts)):
        for text in several:
            for word in words(text[:LONGEST_TEXT]):
                if position < LAST_POSITION:
                    places.setdefault(word, []).append(f"{position}{weight}")
                    position += 1
            for code in codes(text):
                places.setdefault(code, [])
            position += 10
    for number in numbers:
        for digits in digits_of(number):
            places.setdefault(digits, [])
    return " ".join(f"'{word}'" + (":" + ",".join(found[:200]) if found else "") for word, found in places.items())


def to_query(text: str, weight: str = "") -> str:
    """A tsquery, as text, for what a person looks for: every word, as the beginning of one; "" if there is none.

    With the weight "A" it finds the words of titles only.
    """
    found = [_query(word, weight) for word in list(_runs(text))[:MOST_WORDS]]
    query = " & ".join(found)
    if weight:
        return query
    numbers = [f"'{digits}':*" for digits in numbers_of(text)]
    return " | ".join([*numbers, f"({query})"]) if numbers else query


def numbers_of(text: str) -> list[str]:
    """The digits of what may be a phone number as they may have been kept; none for other texts."""
    if not NUMBER.fullmatch(text.strip()):
        return []
    found: dict[str, None] = {}
    for spelling in (text, text.replace("(0)", "")):            # +49 (0)30: the zero is for callers at home
        digits = "".join(str(int(character)) for character in spelling if character.isdecimal())
        if len(digits) >= FEWEST_DIGITS:
            found[digits[:30]] = None
            found[digits.lstrip("0")[:30] or digits[:30]] = None
    return list(found)


def runs(text: str) -> list[str]:
    """The words that somebody types, folded, Chinese not cut."""
    return list(_runs(text))[:MOST_WORDS]


def is_short(text: str) -> bool:
    """Whether a text has no three letters in a row, so that no index of parts of words can find it."""
    return max((len(word) for word in _runs(text)), default=0) < FEWEST_DIGITS


def fold(character: str) -> str:
    """One character as it is compared: lower case, no accent; not always one character."""
    return _plain(character)


def is_chinese(word: str) -> bool:
    """Whether a word begins with a Chinese character."""
    return "\u3400" <= word[0] <= "\u9fff" or "\uf900" <= word[0] <= "\ufaff"


def _query(word: str, weight: str) -> str:
    if not is_chinese(word) or len(word) == 1:
        return f"'{word}':*{weight}"
    pairs = [word[position:position + 2] for position in range(len(word) - 1)]
    return "(" + " <-> ".join(f"'{pair}'" + (f":{weight}" if weight else "") for pair in pairs) + ")"


def _runs(text: str) -> Iterator[str]:
    for match in WORD.finditer(_plain(text)):
        yield match.group()[:LONGEST_WORD]


def _with_digits(text: str) -> Iterator[str]:
    """What stands between blanks and holds digits, in pieces, up to its last digit."""
    for run in text.split():
        last = max((place for place, character in enumerate(run) if character.isdecimal()), default=-1)
        for start in range(0, last + 1, LONGEST_CODE):
            if len(run) - start >= SHORTEST_CODE:
                yield run[start:start + LONGEST_CODE]


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text.lower())
    return unicodedata.normalize("NFC", "".join(c for c in split if not unicodedata.combining(c)))

"""Functions that take texts apart and put them together."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Text, cast, func, literal

from core.expression.functions.base import INTEGER, TEXT, Function, Parameter, once
from core.expression.functions.texts import LIMIT, SPACE, cut, lower, upper
from core.types.base import Type

BOOLEAN, STRING, WHOLE = Type("boolean"), Type("text"), Type("integer")
ONE, OF = Parameter("text", TEXT), Parameter("part", TEXT)
SEPARATOR = Parameter("separator", TEXT, literal=True)
MOST_REPEATS = 100


def _clipped(number: Any, least: int, most: int) -> ColumnElement[Any]:
    """A whole number between two limits, as the functions of PostgreSQL want it."""
    return cast(func.least(func.greatest(number, least), most), Integer)


def _filled(text: Any) -> ColumnElement[Any]:
    return func.nullif(text, "")


def _middle(text: str, start: int, count: int) -> str | None:
    return text[start - 1:start - 1 + max(count, 0)] or None if start > 0 else None


def _filling(fill: str, length: int) -> str:
    return (fill * (length // len(fill) + 1))[:length]


def _pad_left(text: str, length: int, fill: str) -> str | None:
    length = min(max(length, 0), LIMIT)
    missing = length - len(text)
    return (_filling(fill, missing) + text if missing > 0 else text[:length]) or None


def _pad_right(text: str, length: int, fill: str) -> str | None:
    length = min(max(length, 0), LIMIT)
    missing = length - len(text)
    return (text + _filling(fill, missing) if missing > 0 else text[:length]) or None


def _repeat(text: str, count: int) -> str | None:
    return (text * min(max(count, 0), MOST_REPEATS, LIMIT // len(text) + 1))[:LIMIT] or None


def _part(text: str, separator: str, number: int) -> str | None:
    pieces = text.split(separator)
    return pieces[number - 1] or None if 0 < number <= len(pieces) else None


def _sql_part(text: Any, separator: Any, number: Any) -> ColumnElement[Any]:
    return _filled(func.split_part(text, separator, func.nullif(_clipped(number, 0, LIMIT + 1), 0)))


def _sql_after(text: Any, separator: Any) -> ColumnElement[Any]:
    escaped = re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", separator.value)
    return _filled(func.substring(text, literal(f"{escaped}(.*)$", Text())))


def _occurrences(text: str, part: str) -> int:
    return lower(text).count(lower(part))


def _sql_occurrences(text: Any, part: Any) -> ColumnElement[Any]:
    pieces = func.string_to_array(func.lower(text), func.lower(part))
    return cast(func.cardinality(pieces) - 1, BigInteger)


def _remove(text: str, characters: str) -> str | None:
    return text.translate(dict.fromkeys(map(ord, characters))) or None


def _like(part: str) -> re.Pattern[str]:
    return re.compile("".join("." if each == "?" else re.escape(each) for each in part), re.DOTALL)


def _matches(text: str, pattern: str) -> bool:
    """Part by part between the stars, each at the first place where it fits: nothing is tried twice."""
    text, parts = lower(text), lower(pattern).split("*")
    if len(parts) == 1:
        return _like(parts[0]).fullmatch(text) is not None
    end = len(text) - len(parts[-1])
    begin = len(parts[0])
    if end < begin or not _like(parts[0]).match(text) or not _like(parts[-1]).match(text, end):
        return False
    for part in filter(None, parts[1:-1]):
        found = _like(part).search(text, begin, end)
        if found is None:
            return False
        begin = found.end()
    return True


def _sql_matches(text: Any, pattern: Any) -> Any:
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern.value).replace("*", "%").replace("?", "_")
    return text.ilike(literal(escaped, Text()), escape="\\")


def _sql_squeezed(text: Any) -> ColumnElement[Any]:
    return _filled(func.btrim(func.regexp_replace(text, literal(f"[{SPACE}]+", Text()), " ", "g"), " "))


def _join(separator: str | None, *texts: str | None) -> str | None:
    return (separator or "").join(text for text in texts if text)[:LIMIT] or None


def _sql_join(separator: Any, *texts: Any) -> ColumnElement[Any]:
    return cut(func.concat_ws(func.coalesce(cast(separator, Text), ""), *texts))


def _sql_capitalized(text: Any) -> ColumnElement[Any]:
    return once(lambda value: func.upper(func.left(value, 1), type_=Text()).concat(func.substr(value, 2)), text)


FUNCTIONS = (
    Function("capitalize", (ONE,), STRING, "The text with a capital first letter.",
             ("capitalize('acme ltd') == 'Acme ltd'", "capitalize('') is None"),
             lambda text: upper(text[:1]) + text[1:], _sql_capitalized, filled=True, depth=50, selects=True),
    Function("middle", (ONE, Parameter("start", INTEGER), Parameter("count", INTEGER)), STRING,
             "Some characters of the text from a place on; the first is 1, before it there is nothing.",
             ("middle('abcdef', 2, 3) == 'bcd'", "middle('abc', 9, 2) is None", "middle('abc', 0, 1) is None"),
             _middle, lambda text, start, count: _filled(func.substr(
                 text, func.nullif(_clipped(start, 0, LIMIT + 1), 0), _clipped(count, 0, LIMIT))), depth=60),
    Function("position", (ONE, OF), WHOLE,
             "Where a part first stands in the text, whatever the case; the first character is 1, nowhere is 0.",
             ("position('Acme Ltd', 'LTD') == 6", "position('Acme', 'x') == 0"),
             lambda text, part: lower(text).find(lower(part)) + 1,
             lambda text, part: cast(func.strpos(func.lower(text), func.lower(part)), BigInteger), filled=True,
             size=lambda arguments: 6),
    Function("occurrences", (ONE, Parameter("part", TEXT, literal=True)), WHOLE,
             "How often a part that is written out stands in the text, whatever the case.",
             ("occurrences('a-b-A', 'a') == 2", "occurrences('aaa', 'aa') == 1"),
             _occurrences, _sql_occurrences, filled=True, size=lambda arguments: 6),
    Function("part", (ONE, SEPARATOR, Parameter("number", INTEGER)), STRING,
             "One of the parts between separators; the first is 1.",
             ("part('a/b/c', '/', 2) == 'b'", "part('a/b', '/', 3) is None", "part('a', '/', 0) is None"),
             _part, _sql_part, depth=60),
    Function("before", (ONE, SEPARATOR), STRING,
             "What stands before the first separator; all of the text if there is none.",
             ("before('ann@example.org', '@') == 'ann'", "before('ann', '@') == 'ann'"),
             lambda text, separator: text.partition(separator)[0] or None,
             lambda text, separator: _filled(func.split_part(text, separator, 1))),
    Function("after", (ONE, SEPARATOR), STRING, "What stands after the first separator; empty if there is none.",
             ("after('ann@example.org', '@') == 'example.org'", "after('ann', '@') is None",
              "after('a.b.c', '.') == 'b.c'"),
             lambda text, separator: text.partition(separator)[2] or None, _sql_after),
    Function("remove", (ONE, Parameter("characters", TEXT, literal=True)), STRING,
             "The text without some characters, which are written out.",
             ("remove('12 34-5', ' -') == '12345'",),
             _remove, lambda text, characters: _filled(func.translate(text, characters, ""))),
    Function("digits", (ONE,), STRING, "Only the digits 0 to 9 of the text.",
             ("digits('+49 (30) 555') == '4930555'", "digits('abc') is None"),
             lambda text: re.sub("[^0-9]", "", text) or None,
             lambda text: _filled(func.regexp_replace(text, "[^0-9]", "", "g"))),
    Function("squeeze", (ONE,), STRING, "The text trimmed, and one space where there were several, or line ends.",
             ("squeeze(' a   b ') == 'a b'", "squeeze('a\\n\\tb') == 'a b'"),
             lambda text: re.sub(f"[{SPACE}]+", " ", text).strip(" ") or None,
             _sql_squeezed),
    Function("repeat", (ONE, Parameter("count", INTEGER)), STRING,
             f"The text several times over, at most {MOST_REPEATS}.",
             ("repeat('ab', 3) == 'ababab'", "repeat('a', 0) is None"),
             _repeat,
             lambda text, count: cut(func.repeat(text, _clipped(count, 0, MOST_REPEATS))), depth=50),
    Function("pad_left", (ONE, Parameter("length", INTEGER), Parameter("fill", TEXT, literal=True)), STRING,
             "The text filled up on the left to a length; a longer one is cut.",
             ("pad_left('7', 3, '0') == '007'", "pad_left('abcd', 3, '0') == 'abc'"),
             _pad_left, lambda text, length, fill: _filled(func.lpad(text, _clipped(length, 0, LIMIT), fill)),
             depth=50),
    Function("pad_right", (ONE, Parameter("length", INTEGER), Parameter("fill", TEXT, literal=True)), STRING,
             "The text filled up on the right to a length; a longer one is cut.",
             ("pad_right('ab', 4, '.') == 'ab..'", "pad_right('abcd', 3, '.') == 'abc'"),
             _pad_right, lambda text, length, fill: _filled(func.rpad(text, _clipped(length, 0, LIMIT), fill)),
             depth=50),
    Function("join", (SEPARATOR, ONE, Parameter("other", TEXT)), STRING,
             "The texts with a separator, which is written out, between them; empty ones are left out.",
             ("join(', ', 'Main St', None, 'Bonn') == 'Main St, Bonn'", "join(', ', None, '') is None"),
             _join, _sql_join, variadic=True, strict=False, filled=True),
    Function("equals", (ONE, Parameter("other", TEXT)), BOOLEAN, "Whether two texts are the same, whatever the case.",
             ("equals('ACME', 'Acme')", "not equals('Acme', 'Acm')", "not equals(None, None)"),
             lambda text, other: lower(text) == lower(other),
             lambda text, other: func.lower(text) == func.lower(other)),
    Function("matches", (ONE, Parameter("pattern", TEXT, literal=True)), BOOLEAN,
             "Whether all of the text is as a pattern says, whatever the case: `*` is anything, `?` one character.",
             ("matches('Acme Ltd', 'ac*')", "not matches('Acme', 'ac')", "matches('a%c', 'A%?')"),
             _matches, _sql_matches),
)

"""Functions over text. Upper and lower case map character by character, as PostgreSQL's C.UTF-8 does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Date, Integer, Numeric, Text, cast, func, literal

from core.expression.functions.base import DATE, INTEGER, NUMBER, TEXT, Function, Kind, Parameter
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.nodes import Node

LIMIT = 100_000
SPACE = " \t\r\n"
BOOLEAN, STRING = Type("boolean"), Type("text")
CHOICE = Kind("a choice", frozenset({"choice"}))


def _lower(character: str) -> str:
    return character.lower()[0]                # the one character (İ) that has several there begins with the right one


def _upper(character: str) -> str:
    changed = character.upper()
    if len(changed) > 1:                       # ß has no single capital and stays, ᾳ has one for titles
        changed = character.title()
    return changed if len(changed) == 1 else character


def lower(text: str) -> str:
    """The text in lower case."""
    return text.lower() if text.isascii() else "".join(map(_lower, text))


def upper(text: str) -> str:
    """The text in upper case."""
    return text.upper() if text.isascii() else "".join(map(_upper, text))


def cut(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """The text within the limit, '' made empty, in SQL."""
    return func.nullif(func.left(text, LIMIT), "")


def _replace(text: str | None, find: str | None, new: str | None) -> str | None:
    if text is None or not find:
        return text
    growth = len(new or "") - len(find)
    most = LIMIT // growth + 1 if growth > 0 else -1      # no more than fits within the limit
    return text.replace(find, new or "", most)[:LIMIT] or None


def _sql_replace(text: Any, find: Any, new: Any) -> ColumnElement[Any]:
    return cut(func.replace(text, func.coalesce(cast(find, Text), ""), func.coalesce(cast(new, Text), "")))


def _count(number: Any) -> ColumnElement[Any]:
    """A number of characters, from 0 to the limit, as the functions of PostgreSQL want it."""
    return cast(func.least(func.greatest(number, 0), LIMIT), Integer)


def _left(text: str, count: int) -> str | None:
    return text[:max(0, count)] or None


def _right(text: str, count: int) -> str | None:
    return (text[-count:] if count > 0 else "") or None


def _contains(text: str, part: str) -> bool:
    return lower(part) in lower(text)


def _starts(text: str, part: str) -> bool:
    return lower(text).startswith(lower(part))


def _ends(text: str, part: str) -> bool:
    return lower(text).endswith(lower(part))


def _sql_contains(text: Any, part: Any) -> Any:
    """A written part becomes a pattern, which trigram indexes serve."""
    if isinstance(part, BindParameter) and part.value is not None:
        escaped = re.sub(r"([\\\\%_])", r"\\\1", part.value)
        return text.ilike(literal(f"%{escaped}%"), escape="\\")
    return func.strpos(func.lower(text), func.lower(part)) > 0


def _number_text(number: int | Decimal) -> str:
    if number == 0:
        return "0"
    written = format(Decimal(number), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _text_number(text: str) -> Decimal | None:
    match = re.fullmatch(r" *(-?[0-9]{1,15}(?:\.[0-9]{1,10})?) *", text)
    return Decimal(match.group(1)) if match else None


_NUMBER_PATTERN = r"^ *(-?[0-9]{1,15}(?:\.[0-9]{1,10})?) *$"


def _sql_number(text: Any) -> ColumnElement[Any]:
    return cast(func.substring(text, literal(_NUMBER_PATTERN)), Numeric)


def _one(name: str, kind: Kind = TEXT) -> tuple[Parameter, ...]:
    return (Parameter(name, kind),)


def _search(name: str, doc: str, examples: tuple[str, ...], python: Any, sql: Any) -> Function:
    def prepared(arguments: Sequence[Node]) -> Any:
        """The part in lower case once, where it is written out."""
        part = getattr(arguments[1], "value", None)
        return _prepared(name, lower(part)) if isinstance(part, str) else None
    return Function(name, (Parameter("text", TEXT), Parameter("part", TEXT)), BOOLEAN, doc, examples, python, sql,
                    prepared=prepared)


def _prepared(name: str, part: str) -> Any:
    if name == "contains":
        return lambda text: part in (text.lower() if text.isascii() else lower(text))
    if name == "starts_with":
        return lambda text: lower(text).startswith(part)
    return lambda text: lower(text).endswith(part)


FUNCTIONS = (
    Function("lower", _one("text"), STRING, "The text in lower case.",
             ("lower('ÄB c') == 'äb c'", "lower(None) is None"), lower, func.lower, filled=True),
    Function("upper", _one("text"), STRING, "The text in upper case.",
             ("upper('äb c') == 'ÄB C'",), upper, func.upper, filled=True),
    Function("trim", _one("text"), STRING, "The text without spaces, tabs and line ends around it.",
             ("trim('  a b ') == 'a b'", "trim('   ') is None"),
             lambda text: text.strip(SPACE) or None, lambda text: func.nullif(func.btrim(text, SPACE), "")),
    Function("length", _one("text"), Type("integer"), "How many characters the text has; an empty one has 0.",
             ("length('héllo') == 5", "length('') == 0", "length(None) == 0"),
             lambda text: len(text or ""), lambda text: cast(func.coalesce(func.length(text), 0), BigInteger),
             strict=False, always=True, size=lambda arguments: 6),
    _search("contains", "Whether the text contains a part, whatever the case; an empty part is in nothing.",
            ("contains('Acme Ltd', 'ME L')", "not contains('Acme', '%')", "not contains(None, 'a')",
             "not contains('a', '')"),
            _contains, _sql_contains),
    _search("starts_with", "Whether the text starts with a part, whatever the case.",
            ("starts_with('Acme', 'ac')", "not starts_with('Acme', 'me')", "not starts_with('Acme', None)"),
            _starts, lambda text, part: func.starts_with(func.lower(text), func.lower(part))),
    _search("ends_with", "Whether the text ends with a part, whatever the case.",
            ("ends_with('Acme', 'ME')", "not ends_with('Acme', 'ac')"),
            _ends, lambda text, part: func.starts_with(func.reverse(func.lower(text)),
                                                       func.reverse(func.lower(part)))),
    Function("replace", (Parameter("text", TEXT), Parameter("find", TEXT, literal=True),
                         Parameter("new", TEXT, literal=True)), STRING,
             "The text with every occurrence of one text replaced by another; both are written out.",
             ("replace('a-b-c', '-', '+') == 'a+b+c'", "replace('abc', 'b', '') == 'ac'",
              "replace('a', '', 'x') == 'a'"),
             _replace, _sql_replace, strict=False),
    Function("left", (Parameter("text", TEXT), Parameter("count", INTEGER)), STRING,
             "The first characters of the text.",
             ("left('abc', 2) == 'ab'", "left('abc', 0) is None", "left('abc', -1) is None", "left('abc', 9) == 'abc'"),
             _left, lambda text, count: func.nullif(func.left(text, _count(count)), ""), depth=50),
    Function("right", (Parameter("text", TEXT), Parameter("count", INTEGER)), STRING,
             "The last characters of the text.",
             ("right('abc', 2) == 'bc'", "right('abc', 0) is None", "right('abc', 9) == 'abc'"),
             _right, lambda text, count: func.nullif(func.right(text, _count(count)), ""), depth=50),
    Function("concat", (Parameter("text", TEXT), Parameter("other", TEXT)), STRING,
             "The texts one after another; empty ones are left out.",
             ("concat('a', None, 'b') == 'ab'", "concat('', None) is None"),
             lambda *texts: "".join(filter(None, texts))[:LIMIT] or None,
             lambda *texts: cut(func.concat(*texts)), variadic=True, strict=False, filled=True),
    Function("text", _one("number", NUMBER), STRING, "A number as text, without zeros that say nothing.",
             ("text(12) == '12'", "text(1.50) == '1.5'", "text(-0.25) == '-0.25'"),
             _number_text, lambda number: cast(func.trim_scale(number), Text), filled=True),
    Function("text", _one("date", DATE), STRING, "A date as text, year first.",
             ("text(date('2026-01-31')) == '2026-01-31'",),
             lambda day: day.isoformat(), lambda day: func.to_char(cast(day, Date), "YYYY-MM-DD"), filled=True),
    Function("text", _one("choice", CHOICE), STRING, "The name of a choice's value as text.", (),
             lambda value: value, lambda value: value, filled=True),
    Function("number", _one("text"), Type("decimal"),
             "The number that a text says, with a point and no other signs; empty if it says none.",
             ("number(' 12.50 ') == 12.5", "number('-3') == -3", "number('1,5') is None", "number('abc') is None"),
             _text_number, _sql_number, size=lambda arguments: 15),
)

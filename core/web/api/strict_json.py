"""JSON read strictly: no key twice, no NaN, no endless nesting or numbers; errors say where."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Never

from core.errors import N_, BadRequest, words

DEEPEST = 32
_MOST_DIGITS = 19
# A text that does not end goes to the end: else each quote in it would be tried as a beginning.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+"?|[\[\]{},:]|-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL)


def loads(data: bytes) -> Any:
    """Read one JSON value in UTF-8. Raises BadRequest whose `column` is the offset plus one."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(N_("The body is not UTF-8"), error.start) from None
    try:
        if text.count("[") + text.count("{") > DEEPEST:
            _refuse_nesting(text)
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer,
                          parse_float=_float)
    except json.JSONDecodeError as error:
        raise _bad(N_("The body is not JSON"), error.pos) from None
    except _Refused as refused:
        raise _bad(str(refused), _offset(text, refused)) from None
    except RecursionError:
        raise _bad(N_("The body is nested too deeply"), 0) from None


def is_text(value: str) -> bool:
    """Whether a string can be written as UTF-8: JSON's escapes can spell half a character."""
    return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)


class _Refused(ValueError):
    """What is well formed and still not taken; `token` is the text at which it is found again."""

    def __init__(self, message: str, token: str, key: bool = False) -> None:
        self.token = token
        self.key = key
        super().__init__(message)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(N_("The body names a key twice"), key, key=True)
            seen.add(key)
    if not all(is_text(key) for key in found):
        raise _Refused(N_("The body has a key that is not text"), next(k for k in found if not is_text(k)), key=True)
    return found


def _constant(name: str) -> Never:
    raise _Refused(N_("The body holds a value that JSON does not have"), name)


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS + 1:
        raise _Refused(N_("The body holds a number that is too long"), digits)
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number) or len(digits) > 60:
        raise _Refused(N_("The body holds a number that is too long"), digits)
    return number


def _refuse_nesting(text: str) -> None:
    depth = 0
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            if depth > DEEPEST:
                raise _bad(N_("The body is nested too deeply"), match.start())
        elif mark in "]}":
            depth -= 1


def _offset(text: str, refused: _Refused) -> int:
    """Where a refused token stands; for a key, where it stands the second time in one object."""
    if not refused.key:
        return next((m.start() for m in _TOKEN.finditer(text) if m.group() == refused.token), 0)
    keys: list[set[str]] = []                    # those seen so far, of each bracket that is open
    before = None
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark in "{[":
            keys.append(set())
        elif mark in "}]":
            keys.pop()
        elif mark == ":" and before is not None:
            key = json.loads(before.group())
            if key == refused.token and (key in keys[-1] or not is_text(key)):
                return before.start()
            keys[-1].add(key)
        before = match
    return 0


def _bad(message: str, offset: int) -> BadRequest:
    return BadRequest("{problem} (offset {offset}).", "body", offset + 1, problem=words(message), offset=offset)

"""Keyset cursors: where a page ended, so that the next one begins there however much is written in between.

Empty values come last in both directions. A cursor is bound to its order and holds sort values as JSON; whatever
else a client sends as one is a BadRequest, never an error of the database.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zlib import crc32

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Interval,
    Numeric,
    Text,
    Time,
    and_,
    false,
    or_,
)

from core.ed.statement import parameter
from core.errors import BadRequest

LONGEST = 4000
_MICROSECOND = timedelta(microseconds=1)
SORT_TYPES: dict[str, Any] = {
    "text": Text(), "choice": Text(), "integer": BigInteger(), "link": BigInteger(), "decimal": Numeric(),
    "money": Numeric(), "percent": Numeric(), "boolean": Boolean(), "date": Date(),
    "datetime": DateTime(timezone=True), "time": Time(), "duration": Interval(),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that a page is sorted by."""

    name: str               # the path, for the cursor's binding
    kind: str               # text integer decimal ...: how its value travels in a cursor
    column: ColumnElement[Any]
    down: bool
    empty: bool = True      # whether it may be empty

    def clause(self, back: bool = False) -> ColumnElement[Any]:
        """Its place in ORDER BY, also of the whole order read backwards."""
        found = self.column.desc() if self.down != back else self.column.asc()
        if not self.empty:
            return found
        return found.nulls_first() if back else found.nulls_last()


def encode(order: Sequence[str], values: Sequence[Any]) -> str:
    """The cursor behind a row with these sort values."""
    body = json.dumps([_stamp(order), *values], default=_text, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def decode(text: str, order: Sequence[str], kinds: Sequence[str]) -> list[Any]:
    """The sort values of a cursor; raises BadRequest if it is not one of this order."""
    wrong = BadRequest("This is not a cursor of this list in this order; start again without it.", "after")
    if len(text) > LONGEST or not text.isascii():
        raise wrong
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise wrong from None
    if not isinstance(values, list) or len(values) != len(kinds) + 1 or values[0] != _stamp(order):
        raise wrong
    try:
        return [None if value is None else _value(value, kind) for value, kind in zip(values[1:], kinds, strict=True)]
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise wrong from None


def behind(keys: Sequence[Key], empty: Sequence[bool]) -> ColumnElement[bool]:
    """The condition that a row comes after the one whose sort values are parameters `after_0`, `after_1`, ...

    `empty` says which of those values are empty, for that changes the condition.
    """
    found: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for number, (key, is_empty) in enumerate(zip(keys, empty, strict=True)):
        value = parameter(f"after_{number}", type_=SORT_TYPES.get(key.kind))
        if not is_empty:                            # nothing comes after an empty value but other empty ones
            further = key.column < value if key.down else key.column > value
            found.append(and_(*same, or_(further, key.column.is_(None)) if key.empty else further))
        same.append(key.column.is_(None) if is_empty else key.column == value)
    return or_(*found) if found else false()


def ahead(keys: Sequence[Key], empty: Sequence[bool]) -> ColumnElement[bool]:
    """The same for a row that comes before."""
    found: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for number, (key, is_empty) in enumerate(zip(keys, empty, strict=True)):
        value = parameter(f"after_{number}", type_=SORT_TYPES.get(key.kind))
        if is_empty:                                # all that is not empty comes before
            found.append(and_(*same, key.column.is_not(None)))
        else:
            found.append(and_(*same, key.column > value if key.down else key.column < value))
        same.append(key.column.is_(None) if is_empty else key.column == value)
    return or_(*found) if found else false()


def _stamp(order: Sequence[str]) -> int:
    return crc32(",".join(order).encode())


def _text(value: object) -> str:
    if isinstance(value, timedelta):
        return str(value // _MICROSECOND)
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def _value(value: Any, kind: str) -> Any:
    if kind in ("integer", "link"):
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
            raise ValueError
        return value
    if kind == "boolean":
        if not isinstance(value, bool):
            raise ValueError
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    return _from_text(value, kind)


def _from_text(value: str, kind: str) -> Any:
    if kind in ("decimal", "money", "percent"):
        number = Decimal(value)
        if not number.is_finite() or abs(number.adjusted()) > 40:
            raise ValueError
        return number
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "time":
        return time.fromisoformat(value).replace(tzinfo=None)
    if kind == "duration":
        return timedelta(microseconds=int(value[:24]))
    if kind == "datetime":
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment
    value.encode()                                  # a lone surrogate raises UnicodeEncodeError, a ValueError
    return value

"""Values of fields as a generator makes them, as they are read again, and as values of another type."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.types.html import RichText
from tests.core.bm.generated.definitions import Definitions, Field, Table

ZONE = ZoneInfo("Europe/Berlin")
TEXTS = ("7", "12", "007", "-3", "1.50", "red", "Green", "Ann", "2024-05-01", "ann@example.org", "+49 30 901820", "yes",
         "Ähre & <b>co</b>", "100%", "x" * 90)
MOMENT = datetime(2024, 3, 31, 12, 30, tzinfo=UTC)
VIRTUAL = frozenset({"lines"})
UNKNOWN = object()                      # what the oracle does not say: what is there counts


def make(choice: random.Random, defs: Definitions, one: Field, records: Mapping[int, int]) -> Any:
    """A value of a field; `records` are ids with their table."""
    match one.type:
        case "text" | "memo":
            return choice.choice(TEXTS)[:one.body.get("max", 200)]
        case "html":
            return choice.choice(("<p>One <b>bold</b> word</p>", "<p>One</p><p>Two</p>", "<p>12</p>"))
        case "integer":
            return choice.choice((0, 1, 2, 7, 12, 2024, 10**12))
        case "rating":
            return choice.randrange(1, 6)
        case "decimal":
            return choice.choice((Decimal("0"), Decimal("1.5"), Decimal("12"), Decimal("7.125")))
        case "money":
            return choice.choice((Decimal("0.00"), Decimal("12.50"), Decimal("1000.00")))
        case "percent":
            return choice.choice((Decimal("0"), Decimal("12.5"), Decimal("100")))
        case "float":
            return choice.choice((Decimal("0.1"), Decimal("12"), Decimal("2.5")))
        case "boolean":
            return choice.choice((True, False))
        case "date":
            return date(2024, 3, 30) + timedelta(days=choice.randrange(4))
        case "datetime":
            return MOMENT + timedelta(hours=choice.randrange(-40, 40))
        case "phone":
            return choice.choice(("+49 30 901820", "+1 212 555 0100 ext. 7"))
        case "email":
            return choice.choice(("ann@example.org", "bo@example.org"))
        case "url":
            return "https://example.org/a?b=c"
        case "tags":
            return choice.sample(["vip", "Old", "red"], choice.randrange(1, 3))
        case "choice":
            values = [*defs.choices[one.body["of"]].values]
            return sorted(choice.sample(values, choice.randrange(1, len(values) + 1)), key=values.index) \
                if one.many else choice.choice(values)
        case "state":
            return choice.choice([name for of in defs.choices.values() if of.of and of.of[1] == one.id
                                  for name in of.values])
        case "link" | "any_link":
            allowed = {table.id for to in one.body.get("to", defs.tables) for table in defs.below(defs.tables[to])}
            ends = [id_ for id_, table in records.items() if table in allowed]
            if not ends:
                return None
            return choice.sample(ends, min(len(ends), 2)) if one.many else choice.choice(ends)
    raise AssertionError(one.type)


def read(value: Any) -> Any:
    """A value as it is compared."""
    if isinstance(value, list | tuple):
        return [read(one) for one in value] or None
    if isinstance(value, RichText):
        return value.html
    if isinstance(value, str | bool | int | Decimal | date | None):
        return value
    return str(value)


def titled(defs: Definitions, one: Field) -> Mapping[str, str]:
    """The values of choices by their titles and names."""
    names = defs.choices[one.body["of"]].values
    return {**{name.capitalize().casefold(): name for name in names}, **{name: name for name in names}}


def converted(value: Any, before: Field, after: Field, old: Definitions, new: Definitions) -> Any:
    """What a value is in another type: the value, UNKNOWN, or ValueError where it means nothing."""
    if value is None:
        return None
    pair = (before.type, after.type)
    if before.type == after.type == "choice":
        return _several(value, before, after)
    if before.many or after.many:
        return UNKNOWN
    match pair:
        case ("integer", "text" | "memo"):
            return str(value)
        case ("integer", "decimal" | "float"):
            return Decimal(value)
        case ("decimal" | "float", "integer"):
            if value != value.to_integral_value():
                raise ValueError(value)
            return int(value)
        case ("text", "integer"):
            return _whole(value)
        case ("text", "memo"):
            return value
        case ("choice", "text"):
            return value.capitalize()
        case ("text", "choice"):
            names = titled(new, after)
            if value.casefold() not in names:
                raise ValueError(value)
            return names[value.casefold()]
        case ("date", "datetime"):
            return datetime(value.year, value.month, value.day, tzinfo=ZONE).astimezone(UTC)
        case ("datetime", "date"):
            return value.astimezone(ZONE).date()
        case ("date", "text"):
            return value.isoformat()
        case ("text", "email"):
            if "@" not in value:
                raise ValueError(value)
            return value
        case ("email" | "phone" | "url", "text" | "memo"):
            return value
    return UNKNOWN


def _several(value: Any, before: Field, after: Field) -> Any:
    if before.many == after.many:
        return value
    if after.many:
        return [value]
    if len(value) > 1:
        raise ValueError(value)
    return value[0]


def _whole(value: str) -> int:
    if not value.lstrip("-").isdigit():
        raise ValueError(value)
    return int(value)


def product(value: Any, times: int) -> Any:
    """What a formula of the generator gives."""
    return None if value is None else value * times


def stored_of(table: Table, defs: Definitions) -> list[Field]:
    """The fields of a table that records have values in."""
    return [one for one in defs.all_fields(table) if one.type not in VIRTUAL]

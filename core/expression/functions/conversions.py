"""Functions that make one type of another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, Numeric, Text, case, cast, extract, func, literal

from core.expression.functions.base import (
    CONDITION,
    DATETIME,
    INTEGER,
    NUMBER,
    TEXT,
    Function,
    Parameter,
    once,
)
from core.expression.functions.dates import read_date
from core.expression.functions.numbers import PLACES
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.nodes import Node

BOOLEAN, STRING, WHOLE, DAY = Type("boolean"), Type("text"), Type("integer"), Type("date")
YES = ("yes", "true", "1", "on")
DATE_WRITTEN = r"^(19[0-9]{2}|2[01][0-9]{2}|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
WHOLE_WRITTEN = r"^ *(-?[0-9]{1,15}) *$"


def _number_text(number: int | Decimal, places: int) -> str:
    from core.expression.functions.numbers import EXACT
    rounded = Decimal(number).quantize(Decimal(1).scaleb(-min(max(places, 0), PLACES)), context=EXACT)
    return format(rounded.copy_abs() if rounded == 0 else rounded, "f")


def _sql_number_text(number: Any, places: Any) -> ColumnElement[Any]:
    return cast(func.round(cast(number, Numeric), cast(func.least(func.greatest(places, 0), PLACES), Integer)), Text)


def _moment_text(zone: str, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M").zfill(16)


def _whole(text: str) -> int | None:
    match = re.fullmatch(r" *(-?[0-9]{1,15}) *", text)
    return int(match[1]) if match else None


def _day(text: str) -> date | None:
    try:
        return read_date(text) if re.match(DATE_WRITTEN, text) else None
    except ValueError:
        return None


def _sql_day(text: Any) -> ColumnElement[Any]:
    """A date that a text says; days are added to the first of the month, for a wrong one must not fail."""
    def make(text: Any) -> ColumnElement[Any]:
        def number(start: int, count: int) -> ColumnElement[Any]:
            return cast(func.substr(text, start, count), Integer)
        day = func.make_date(number(1, 4), number(6, 2), 1, type_=Date()) + (number(9, 2) - 1)
        return case((text.op("~", is_comparison=True)(literal(DATE_WRITTEN, Text())),
                     once(lambda day, month: case((extract("month", day) == month, day)), day, number(6, 2))))
    return cast(once(make, text), Date)


def _first_size(arguments: Sequence[Node]) -> int:
    return arguments[0].size


def _as(name: str, doc: str, example: str) -> Function:
    return Function(name, (Parameter("number", NUMBER),), Type(name), doc, (example,), lambda number: number,
                    lambda number: cast(number, Numeric), filled=True, size=_first_size)


FUNCTIONS = (
    Function("text", (Parameter("number", NUMBER), Parameter("places", INTEGER, literal=True)), STRING,
             f"A number as text with just so many places after the point, 0 to {PLACES}.",
             ("text(12.5, 2) == '12.50'", "text(-0.004, 2) == '0.00'", "text(2.5, 0) == '3'"),
             _number_text, _sql_number_text, filled=True),
    Function("text", (Parameter("moment", DATETIME),), STRING,
             "A moment as text in the zone of the user, year first, to the minute.",
             ("text(datetime(date('2026-01-31')) + hours(13)) == '2026-01-31 13:00'",),
             _moment_text, lambda zone, moment: func.to_char(func.timezone(zone, moment), "YYYY-MM-DD HH24:MI"),
             filled=True, environment=("zone",)),
    Function("integer", (Parameter("text", TEXT),), WHOLE,
             "The whole number that a text says, with digits and a minus; empty if it says none.",
             ("integer(' -12 ') == -12", "integer('12.5') is None", "integer('a') is None"),
             _whole, lambda text: cast(func.substring(text, literal(WHOLE_WRITTEN, Text())), BigInteger),
             size=lambda arguments: 15),
    Function("integer", (Parameter("condition", CONDITION),), WHOLE, "1 for yes, 0 for no.",
             ("integer(2 > 1) == 1", "integer(False) == 0"),
             int, lambda value: cast(cast(value, Integer), BigInteger), filled=True, size=lambda arguments: 1),
    Function("boolean", (Parameter("text", TEXT),), BOOLEAN,
             "Whether a text says yes: " + ", ".join(YES) + ", whatever the case.",
             ("boolean('Yes')", "boolean(' 1 ')", "not boolean('no')", "not boolean('maybe')"),
             lambda text: text.strip(" ").lower() in YES, lambda text: func.lower(func.btrim(text, " ")).in_(YES)),
    Function("boolean", (Parameter("number", NUMBER),), BOOLEAN, "Whether a number is not 0.",
             ("boolean(0.5)", "not boolean(0)", "not boolean(None)"),
             lambda number: number != 0, lambda number: number != 0),
    _as("decimal", "The number as a plain one, no longer money, percent or a whole one.", "decimal(3) / 2 == 1.5"),
    _as("money", "The number as money.", "money(12.5) * 2 == 25"),
    _as("percent", "The number as a percentage: 12 is 12 %.", "percent(12) == 12"),
    Function("date", (Parameter("text", TEXT),), DAY,
             "The date that a text says, year first; empty if it says none.",
             ("date(concat('2024-02-', '29')) == date('2024-02-29')", "date(concat('2026-02-', '29')) is None",
              "date(lower('soon')) is None"),
             _day, _sql_day, depth=110, selects=True),
)

"""Functions over dates, moments and durations. A date becomes a moment, and back, in the zone of the environment."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Date, DateTime, Integer, cast, extract, func
from sqlalchemy.dialects.postgresql import INTERVAL

from core.expression.functions.base import DATE, DATETIME, INTEGER, TEXT, Function, Parameter
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.nodes import Node

MOST_DAYS = 100_000
MOST_HOURS = MOST_DAYS * 24
MOST_MONTHS = 3_000
PLAIN = DateTime(timezone=False)
WHOLE, DAY, MOMENT, SPAN = Type("integer"), Type("date"), Type("datetime"), Type("duration")
ONE_DATE = (Parameter("date", DATE),)


def read_date(text: str) -> date:
    """A date written as 2026-01-31; raises ValueError."""
    day = date.fromisoformat(text)
    if len(text) != 10 or not 1900 <= day.year <= 2200:
        raise ValueError(text)
    return day


def read_datetime(text: str) -> datetime:
    """A moment written as 2026-01-31T10:00:00Z, or with another offset; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1900 <= moment.year <= 2200:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _local_day(zone: str, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def _start_of(zone: str, day: date) -> datetime:
    """Midnight of a day; where the clock strikes it twice the later one, as in PostgreSQL."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return max(midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC))


def _months_on(day: date, months: int) -> date | None:
    if abs(months) > MOST_MONTHS:
        return None
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _within(number: Any, most: int) -> ColumnElement[Any]:
    """The number for make_interval, empty where it is out of bounds; used once, so that nesting does not multiply."""
    clipped = func.least(func.greatest(number, -most - 1), most + 1)
    return cast(func.nullif(func.nullif(clipped, most + 1), -most - 1), Integer)


def _months(number: Any) -> ColumnElement[Any]:
    return func.make_interval(0, number)


def hours(number: Any) -> ColumnElement[Any]:
    """So many hours as an interval: days are 24 hours too, or adding them would depend on the session's zone."""
    return func.make_interval(0, 0, 0, 0, number, type_=INTERVAL)


def as_date(value: Any) -> ColumnElement[Any]:
    """The day of a timestamp without zone."""
    return cast(value, Date)


def _part(name: str, python: Any, doc: str, examples: tuple[str, ...], size: int = 2,
          field: str | None = None) -> Function:
    return Function(name, ONE_DATE, WHOLE, doc, examples, python,
                    lambda day: cast(extract(field or name, cast(day, Date)), BigInteger), filled=True,
                    size=lambda arguments: size)


def _start(name: str, unit: str, python: Any, doc: str, examples: tuple[str, ...],
           months: int | None = None) -> Function:
    """The first day of a month, quarter or year; with `months` the last day of a period that long."""
    def sql(day: Any) -> ColumnElement[Any]:
        start = func.date_trunc(unit, cast(day, PLAIN), type_=PLAIN)
        return as_date(start if months is None else start + _months(months) - hours(24))
    return Function(name, ONE_DATE, DAY, doc, examples, python, sql, filled=True,
                    size=lambda arguments: arguments[0].size + 366)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _bounded(most: int) -> Any:
    def size(arguments: Sequence[Node]) -> int:
        value = getattr(arguments[0], "value", None)
        return min(abs(value), most) if isinstance(value, int) else most
    return size


def _days(count: int) -> timedelta | None:
    return timedelta(days=count) if abs(count) <= MOST_DAYS else None


def _hours(count: int) -> timedelta | None:
    return timedelta(hours=count) if abs(count) <= MOST_HOURS else None


FUNCTIONS = (
    Function("today", (), DAY, "The date of today, the same for all of a request or run.",
             ("today() == date(now())",), lambda today: today, lambda today: today, always=True,
             environment=("today",)),
    Function("now", (), MOMENT, "This moment, the same for all of a request or run.",
             ("now() == now()", "now() >= datetime(today())"), lambda now: now, lambda now: now, always=True,
             environment=("now",)),
    Function("date", (Parameter("text", TEXT, literal=True),), DAY, "A date written out.",
             ("date('2026-01-31') < date('2026-02-01')",), read_date, lambda day: day),
    Function("date", (Parameter("moment", DATETIME),), DAY, "The day that a moment falls on, in the zone of the user.",
             ("date(datetime('2026-06-30T12:00:00Z')) == date('2026-06-30')",), _local_day,
             lambda zone, moment: as_date(func.timezone(zone, moment)), filled=True, environment=("zone",)),
    Function("datetime", (Parameter("text", TEXT, literal=True),), MOMENT, "A moment written out, with Z or an offset.",
             ("datetime('2026-01-31T10:00:00Z') == datetime('2026-01-31T11:00:00+01:00')",), read_datetime,
             lambda moment: moment),
    Function("datetime", ONE_DATE, MOMENT, "The moment at which a day begins, in the zone of the user.",
             ("date(datetime(date('2026-03-29'))) == date('2026-03-29')",), _start_of,
             lambda zone, day: func.timezone(zone, cast(day, PLAIN), type_=DateTime(timezone=True)), filled=True,
             environment=("zone",)),
    _part("year", lambda day: day.year, "The year of a date.", ("year(date('2026-01-31')) == 2026",), size=4),
    _part("quarter", lambda day: (day.month + 2) // 3, "The quarter of a date, 1 to 4.",
          ("quarter(date('2026-04-01')) == 2",)),
    _part("month", lambda day: day.month, "The month of a date, 1 to 12.", ("month(date('2026-01-31')) == 1",)),
    _part("week", lambda day: day.isocalendar().week, "The ISO week of a date, 1 to 53.",
          ("week(date('2026-01-01')) == 1", "week(date('2027-01-01')) == 53")),
    _part("day", lambda day: day.day, "The day of a date in its month.", ("day(date('2026-01-31')) == 31",)),
    _part("weekday", lambda day: day.isoweekday(), "The day of the week: 1 is Monday, 7 is Sunday.",
          ("weekday(date('2026-02-01')) == 7",), field="isodow"),
    _start("month_start", "month", lambda day: day.replace(day=1), "The first day of the month.",
           ("month_start(date('2026-02-17')) == date('2026-02-01')",)),
    _start("month_end", "month", _month_end, "The last day of the month.",
           ("month_end(date('2024-02-17')) == date('2024-02-29')",), months=1),
    _start("quarter_start", "quarter", lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
           "The first day of the quarter.", ("quarter_start(date('2026-06-17')) == date('2026-04-01')",)),
    _start("year_start", "year", lambda day: day.replace(month=1, day=1), "The first day of the year.",
           ("year_start(date('2026-02-17')) == date('2026-01-01')",)),
    _start("year_end", "year", lambda day: day.replace(month=12, day=31), "The last day of the year.",
           ("year_end(date('2026-02-17')) == date('2026-12-31')",), months=12),
    Function("days", (Parameter("count", INTEGER),), SPAN,
             f"A duration of some days of 24 hours; empty beyond {MOST_DAYS:,}.",
             ("date('2026-02-28') + days(1) == date('2026-03-01')", "days(1) == hours(24)", "days(100001) is None",
              "date('2026-03-01') - date('2026-02-27') == days(2)"),
             _days, lambda count: hours(_within(count, MOST_DAYS) * 24), size=_bounded(MOST_DAYS), depth=70),
    Function("hours", (Parameter("count", INTEGER),), SPAN,
             f"A duration of some hours; empty beyond {MOST_HOURS:,}.",
             ("now() + hours(48) == now() + days(2)", "hours(-1) < hours(1)"),
             _hours, lambda count: hours(_within(count, MOST_HOURS)),
             depth=70, size=lambda arguments: _bounded(MOST_HOURS)(arguments) // 24 + 1),
    Function("add_months", (Parameter("date", DATE), Parameter("count", INTEGER)), DAY,
             "The same day some months later, or the last of that month if it is shorter.",
             ("add_months(date('2026-01-31'), 1) == date('2026-02-28')",
              "add_months(date('2026-01-31'), -2) == date('2025-11-30')"),
             _months_on, lambda day, count: as_date(cast(day, PLAIN) + _months(_within(count, MOST_MONTHS))),
             size=lambda arguments: arguments[0].size + MOST_DAYS),
    Function("days_between", (Parameter("start", DATE), Parameter("end", DATE)), WHOLE,
             "How many days the second date is after the first; negative if it is before.",
             ("days_between(date('2026-02-27'), date('2026-03-01')) == 2",
              "days_between(date('2026-03-01'), date('2026-02-27')) == -2"),
             lambda start, end: (end - start).days,
             lambda start, end: cast(cast(end, Date) - cast(start, Date), BigInteger), filled=True,
             size=lambda arguments: 7),
)

"""Functions over dates, moments and durations. A date becomes a moment, and back, in the zone of the environment."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
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


def read_clock(text: str) -> time:
    """A time of day written as 09:30 or 09:30:15; raises ValueError."""
    clock = time.fromisoformat(text)
    if len(text) not in (5, 8):
        raise ValueError(text)
    return clock


def local_day(zone: str, moment: datetime) -> date:
    """The day of a moment in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def _start_of(zone: str, day: date) -> datetime:
    """Midnight of a day; where the clock strikes it twice the later one, as in PostgreSQL."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return max(midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC))


def months_on(day: date, months: int) -> date | None:
    """The same day some months later, or the last of that month."""
    if abs(months) > MOST_MONTHS:
        return None
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def within(number: Any, most: int) -> ColumnElement[Any]:
    """The number for make_interval, empty where it is out of bounds; used once, so that nesting does not multiply."""
    clipped = func.least(func.greatest(number, -most - 1), most + 1)
    return cast(func.nullif(func.nullif(clipped, most + 1), -most - 1), Integer)


def months(number: Any) -> ColumnElement[Any]:
    """So many months as an interval."""
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
           length: int | None = None, days: int = 0) -> Function:
    """The first day of a week, month, quarter or year; with `length` the last day of so many months or of `days`."""
    def sql(day: Any) -> ColumnElement[Any]:
        start: ColumnElement[Any] = func.date_trunc(unit, cast(day, PLAIN), type_=PLAIN)
        if length is not None:
            start = start + months(length) - hours(24)
        return as_date(start + hours(24 * (days - 1)) if days else start)
    return Function(name, ONE_DATE, DAY, doc, examples, python, sql, filled=True,
                    size=lambda arguments: arguments[0].size + 366)


def _quarter_end(day: date) -> date:
    return _month_end(day.replace(month=(day.month + 2) // 3 * 3, day=1))


def _later(name: str, unit: str, most: int, in_days: int, examples: tuple[str, ...]) -> Function:
    """A date some days or weeks later."""
    return Function(name, (Parameter("date", DATE), Parameter("count", INTEGER)), DAY,
                    f"The day some {unit} later, or earlier for a negative number; empty beyond {most:,}.", examples,
                    lambda day, count: day + timedelta(days=count * in_days) if abs(count) <= most else None,
                    lambda day, count: as_date(cast(day, PLAIN) + hours(within(count, most) * 24 * in_days)),
                    size=lambda arguments: arguments[0].size + bounded(most)(arguments[1:]) * in_days, depth=70)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def bounded(most: int) -> Any:
    """The size of what a count that is given may reach, at most so much."""
    def size(arguments: Sequence[Node]) -> int:
        value = getattr(arguments[0], "value", None)
        return min(abs(value), most) if isinstance(value, int) else most
    return size


def _days(count: int) -> timedelta | None:
    return timedelta(days=count) if abs(count) <= MOST_DAYS else None


def _hours(count: int) -> timedelta | None:
    return timedelta(hours=count) if abs(count) <= MOST_HOURS else None


MOST_YEARS = MOST_MONTHS // 12

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
             ("date(datetime('2026-06-30T12:00:00Z')) == date('2026-06-30')",), local_day,
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
           ("month_end(date('2024-02-17')) == date('2024-02-29')",), length=1),
    _start("quarter_start", "quarter", lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
           "The first day of the quarter.", ("quarter_start(date('2026-06-17')) == date('2026-04-01')",)),
    _start("year_start", "year", lambda day: day.replace(month=1, day=1), "The first day of the year.",
           ("year_start(date('2026-02-17')) == date('2026-01-01')",)),
    _start("year_end", "year", lambda day: day.replace(month=12, day=31), "The last day of the year.",
           ("year_end(date('2026-02-17')) == date('2026-12-31')",), length=12),
    _start("week_start", "week", lambda day: day - timedelta(days=day.weekday()), "The Monday of the week.",
           ("week_start(date('2026-02-01')) == date('2026-01-26')",)),
    _start("week_end", "week", lambda day: day + timedelta(days=6 - day.weekday()), "The Sunday of the week.",
           ("week_end(date('2026-01-26')) == date('2026-02-01')",), days=7),
    _start("quarter_end", "quarter", _quarter_end, "The last day of the quarter.",
           ("quarter_end(date('2026-05-05')) == date('2026-06-30')",), length=3),
    _part("day_of_year", lambda day: day.timetuple().tm_yday, "The day of a date in its year, 1 to 366.",
          ("day_of_year(date('2026-02-01')) == 32",), size=3, field="doy"),
    _part("week_year", lambda day: day.isocalendar().year, "The year that the ISO week of a date belongs to.",
          ("week_year(date('2027-01-01')) == 2026",), size=4, field="isoyear"),
    Function("days_in_month", ONE_DATE, WHOLE, "How many days the month of a date has.",
             ("days_in_month(date('2024-02-01')) == 29",), lambda day: _month_end(day).day,
             lambda day: cast(extract("day", func.date_trunc("month", cast(day, PLAIN), type_=PLAIN) + months(1)
                                      - hours(24)), BigInteger), filled=True, size=lambda arguments: 2),
    Function("yesterday", (), DAY, "The day before today.", ("yesterday() == today() - days(1)",),
             lambda today: today - timedelta(days=1), lambda today: as_date(cast(today, PLAIN) - hours(24)),
             always=True, environment=("today",), size=lambda arguments: 1),
    Function("tomorrow", (), DAY, "The day after today.", ("tomorrow() == today() + days(1)",),
             lambda today: today + timedelta(days=1), lambda today: as_date(cast(today, PLAIN) + hours(24)),
             always=True, environment=("today",), size=lambda arguments: 1),
    _later("add_days", "days", MOST_DAYS, 1, ("add_days(date('2026-01-31'), 1) == date('2026-02-01')",)),
    _later("add_weeks", "weeks", MOST_DAYS // 7, 7, ("add_weeks(date('2026-01-31'), -1) == date('2026-01-24')",)),
    Function("add_years", (Parameter("date", DATE), Parameter("count", INTEGER)), DAY,
             f"The same day some years later; 29 February becomes the 28th; empty beyond {MOST_YEARS}.",
             ("add_years(date('2024-02-29'), 1) == date('2025-02-28')",),
             lambda day, count: months_on(day, count * 12) if abs(count) <= MOST_YEARS else None,
             lambda day, count: as_date(cast(day, PLAIN) + func.make_interval(within(count, MOST_YEARS))),
             size=lambda arguments: arguments[0].size + MOST_DAYS, depth=70),
    Function("days", (Parameter("count", INTEGER),), SPAN,
             f"A duration of some days of 24 hours; empty beyond {MOST_DAYS:,}.",
             ("date('2026-02-28') + days(1) == date('2026-03-01')", "days(1) == hours(24)", "days(100001) is None",
              "date('2026-03-01') - date('2026-02-27') == days(2)"),
             _days, lambda count: hours(within(count, MOST_DAYS) * 24), size=bounded(MOST_DAYS), depth=70),
    Function("hours", (Parameter("count", INTEGER),), SPAN,
             f"A duration of some hours; empty beyond {MOST_HOURS:,}.",
             ("now() + hours(48) == now() + days(2)", "hours(-1) < hours(1)"),
             _hours, lambda count: hours(within(count, MOST_HOURS)),
             depth=70, size=lambda arguments: bounded(MOST_HOURS)(arguments) // 24 + 1),
    Function("add_months", (Parameter("date", DATE), Parameter("count", INTEGER)), DAY,
             "The same day some months later, or the last of that month if it is shorter.",
             ("add_months(date('2026-01-31'), 1) == date('2026-02-28')",
              "add_months(date('2026-01-31'), -2) == date('2025-11-30')"),
             months_on, lambda day, count: as_date(cast(day, PLAIN) + months(within(count, MOST_MONTHS))),
             size=lambda arguments: arguments[0].size + MOST_DAYS),
    Function("days_between", (Parameter("start", DATE), Parameter("end", DATE)), WHOLE,
             "How many days the second date is after the first; negative if it is before.",
             ("days_between(date('2026-02-27'), date('2026-03-01')) == 2",
              "days_between(date('2026-03-01'), date('2026-02-27')) == -2"),
             lambda start, end: (end - start).days,
             lambda start, end: cast(cast(end, Date) - cast(start, Date), BigInteger), filled=True,
             size=lambda arguments: 7),
)

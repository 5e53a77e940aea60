"""Functions over durations, times of day, working days and what lies between two dates or moments."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Date, Integer, Text, and_, case, cast, extract, func, literal
from sqlalchemy.dialects.postgresql import INTERVAL

from core.expression.functions.base import DATE, DATETIME, DURATION, INTEGER, Function, Parameter, once
from core.expression.functions.dates import (
    DAY,
    MOST_DAYS,
    PLAIN,
    SPAN,
    WHOLE,
    as_date,
    bounded,
    hours,
    within,
)
from core.expression.functions.numbers import divide, divided
from core.types.base import Type

BOOLEAN, NUMBER = Type("boolean"), Type("decimal")
ZERO = date(1900, 1, 1)             # a Monday
SHIFT = 700_000                     # days, a multiple of 7: so much is added where a remainder must not be negative
MOST_WORKDAYS = 10_000
BETWEEN = (Parameter("start", DATE), Parameter("end", DATE))

LONGEST_SUM = 500_000       # days: a sum of spans of time that is longer stops there


def _years(start: date, end: date) -> int:
    if end < start:
        return -_years(end, start)
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def _months(start: date, end: date) -> int:
    if end < start:
        return -_months(end, start)
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def _age(end: Any, start: Any) -> ColumnElement[Any]:
    return func.age(cast(end, PLAIN), cast(start, PLAIN), type_=INTERVAL)


def _sql_years(start: Any, end: Any) -> ColumnElement[Any]:
    return cast(extract("year", _age(end, start)), BigInteger)


def _sql_months(start: Any, end: Any) -> ColumnElement[Any]:
    return once(lambda age: cast(extract("year", age) * 12 + extract("month", age), BigInteger), _age(end, start))


def _microseconds(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _amount(seconds: int) -> tuple[Any, Any]:
    """How many units of so many seconds a duration has, in Python and in SQL."""
    return (lambda span: divide(Decimal(_microseconds(span)), seconds * 1_000_000),
            lambda span: divided(extract("epoch", cast(span, INTERVAL)), seconds))


def _apart(seconds: int) -> tuple[Any, Any]:
    """How many units of so many seconds lie between two moments, in Python and in SQL."""
    python, sql = _amount(seconds)

    def plain(moment: Any) -> ColumnElement[Any]:
        return func.timezone("UTC", moment, type_=PLAIN)
    return lambda start, end: python(end - start), lambda start, end: sql(plain(end) - plain(start))


def _unit(name: str, unit: str, seconds: int) -> Function:
    python, sql = _amount(seconds)
    return Function(name, (Parameter("duration", DURATION),), NUMBER, f"A duration as a number of {unit}.",
                    (f"{name}(days(3)) == {3 * 86_400 // seconds}", f"{name}(hours(-36)) == {-36 * 3_600 / seconds:g}"),
                    python, sql, filled=True, size=lambda arguments: 12)


def _distance(name: str, unit: str, seconds: int) -> Function:
    python, sql = _apart(seconds)
    takes = (Parameter("start", DATETIME), Parameter("end", DATETIME))
    return Function(name, takes, NUMBER, f"How many {unit} the second moment is after the first, with fractions.",
                    (f"{name}(now(), now() + hours(36)) == {36 * 3_600 // seconds}",
                     f"{name}(now() + hours(1), now()) == {-3_600 // seconds}"),
                    python, sql, filled=True, size=lambda arguments: 12)


def _clock(name: str, doc: str, examples: tuple[str, ...]) -> Function:
    return Function(name, (Parameter("moment", DATETIME),), WHOLE, doc, examples,
                    lambda zone, moment: getattr(moment.astimezone(ZoneInfo(zone)), name),
                    lambda zone, moment: cast(extract(name, func.timezone(zone, moment, type_=PLAIN)), BigInteger),
                    filled=True, environment=("zone",), size=lambda arguments: 2)


def _span(name: str, most: int, seconds: int, doc: str, examples: tuple[str, ...], sql: Any) -> Function:
    return Function(name, (Parameter("count", INTEGER),), SPAN, f"{doc}; empty beyond {most:,}.", examples,
                    lambda count: timedelta(seconds=count * seconds) if abs(count) <= most else None,
                    lambda count: sql(within(count, most)), depth=70,
                    size=lambda arguments: bounded(most)(arguments) * seconds // 86_400 + 1)


def _before(number: int) -> int:
    """How many working days lie before a day, which is told by its number since ZERO."""
    return 5 * (number // 7) + min(number % 7, 5)


def _workdays_between(start: date, end: date) -> int:
    return _before((end - ZERO).days) - _before((start - ZERO).days)


def _add_workdays(day: date, count: int) -> date | None:
    if abs(count) > MOST_WORKDAYS:
        return None
    number = (day - ZERO).days
    if count == 0:
        return day
    target = _before(number + 1) + count - 1 if count > 0 else _before(number) + count
    return ZERO + timedelta(days=7 * (target // 5) + target % 5)


def _number(day: Any) -> ColumnElement[Any]:
    return cast(day, Date) - literal(ZERO, Date()) + SHIFT


def _sql_before(number: Any) -> ColumnElement[Any]:
    return 5 * func.div(number, 7) + func.least(func.mod(number, 7), 5)


def _sql_workdays_between(start: Any, end: Any) -> ColumnElement[Any]:
    return cast(once(_sql_before, _number(end)) - once(_sql_before, _number(start)), BigInteger)


def _sql_add_workdays(day: Any, count: Any) -> ColumnElement[Any]:
    def make(number: Any, count: Any) -> ColumnElement[Any]:
        target = case((count > 0, _sql_before(number + 1) + count - 1), else_=_sql_before(number) + count)
        moved = once(lambda value: 7 * func.div(value, 5) + func.mod(value, 5), target)
        return literal(ZERO, Date()) + cast(case((count == 0, number), else_=moved) - SHIFT, Integer)
    return cast(once(make, _number(day), within(count, MOST_WORKDAYS)), Date)


def _overlap(start: date | None, end: date | None, other_start: date | None, other_end: date | None) -> bool:
    return (start or date.min) <= (other_end or date.max) and (other_start or date.min) <= (end or date.max)


def _open(day: Any, otherwise: str) -> ColumnElement[Any]:
    return func.coalesce(cast(day, Date), cast(literal(otherwise, Text()), Date))


def _sql_overlap(start: Any, end: Any, other_start: Any, other_end: Any) -> ColumnElement[Any]:
    return and_(_open(start, "-infinity") <= _open(other_end, "infinity"),
                _open(other_start, "-infinity") <= _open(end, "infinity"))


def _valid(day: date | None, since: date | None, until: date | None) -> bool:
    return day is not None and (since or date.min) <= day <= (until or date.max)


def _sql_valid(day: Any, since: Any, until: Any) -> ColumnElement[Any]:
    return cast(day, Date).between(_open(since, "-infinity"), _open(until, "infinity"))


def _in_year(day: date, year: int) -> date | None:
    if not 1900 <= year <= 2200:
        return None
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) and not _leaps(year) \
        else day.replace(year=year)


def _leaps(year: int) -> bool:
    return (year % 4 == 0 and year % 100 != 0) or year % 400 == 0


def _sql_in_year(day: Any, year: Any) -> ColumnElement[Any]:
    clipped = func.least(func.greatest(year, 1899), 2201)
    only = cast(func.nullif(func.nullif(clipped, 1899), 2201), Integer)

    def make(day: Any, year: Any) -> ColumnElement[Any]:
        count = cast(year - extract("year", cast(day, Date)), Integer)
        return as_date(cast(day, PLAIN) + func.make_interval(count))
    return once(make, day, only)


FUNCTIONS = (
    _span("minutes", MOST_DAYS * 1_440, 60, "A duration of some minutes", ("minutes(90) == hours(1) + minutes(30)",),
          lambda count: func.make_interval(0, 0, 0, 0, 0, count, type_=INTERVAL)),
    _span("weeks", MOST_DAYS // 7, 604_800, "A duration of some weeks of seven days", ("weeks(2) == days(14)",),
          lambda count: hours(count * 168)),
    _unit("in_days", "days", 86_400), _unit("in_hours", "hours", 3_600), _unit("in_minutes", "minutes", 60),
    _distance("hours_between", "hours", 3_600), _distance("minutes_between", "minutes", 60),
    _clock("hour", "The hour of a moment in the zone of the user, 0 to 23.",
           ("hour(datetime(date('2026-01-31')) + hours(13)) == 13",)),
    _clock("minute", "The minute of a moment in the zone of the user, 0 to 59.",
           ("minute(datetime('2026-01-31T10:45:59Z')) == 45",)),
    Function("years_between", BETWEEN, WHOLE, "How many whole years the second date is after the first.",
             ("years_between(date('2000-05-20'), date('2026-05-19')) == 25",
              "years_between(date('2026-05-19'), date('2000-05-20')) == -25"), _years, _sql_years, filled=True,
             size=lambda arguments: 4),
    Function("months_between", BETWEEN, WHOLE, "How many whole months the second date is after the first.",
             ("months_between(date('2026-01-31'), date('2026-03-01')) == 1",
              "months_between(date('2026-03-15'), date('2026-01-15')) == -2"), _months, _sql_months, filled=True,
             size=lambda arguments: 5, depth=60, selects=True),
    Function("age", (Parameter("date", DATE),), WHOLE, "How many whole years ago a date was.",
             ("age(add_months(today(), -300)) == 25", "age(add_months(today(), -300) + days(1)) == 24"),
             lambda today, start: _years(start, today), lambda today, start: _sql_years(start, today), filled=True,
             environment=("today",), size=lambda arguments: 4),
    Function("workdays_between", BETWEEN, WHOLE,
             "How many days from Monday to Friday there are from the first date to before the second.",
             ("workdays_between(date('2026-01-30'), date('2026-02-03')) == 2",
              "workdays_between(date('2026-02-03'), date('2026-01-30')) == -2"),
             _workdays_between, _sql_workdays_between, filled=True, size=lambda arguments: 7, depth=90, selects=True),
    Function("add_workdays", (Parameter("date", DATE), Parameter("count", INTEGER)), DAY,
             f"The day some days from Monday to Friday later, or earlier; empty beyond {MOST_WORKDAYS:,}.",
             ("add_workdays(date('2026-01-30'), 1) == date('2026-02-02')",
              "add_workdays(date('2026-01-31'), 1) == date('2026-02-02')",
              "add_workdays(date('2026-02-01'), -1) == date('2026-01-30')",
              "add_workdays(date('2026-02-01'), 0) == date('2026-02-01')"),
             _add_workdays, _sql_add_workdays, size=lambda arguments: arguments[0].size + 15_000, depth=120,
             selects=True),
    Function("overlaps", (*BETWEEN, Parameter("other_start", DATE), Parameter("other_end", DATE)), BOOLEAN,
             "Whether two periods have a day in common; an empty date leaves a period open on that side.",
             ("overlaps(date('2026-01-01'), date('2026-01-31'), date('2026-01-31'), None)",
              "not overlaps(date('2026-01-01'), date('2026-01-31'), date('2026-02-01'), None)"),
             _overlap, _sql_overlap, strict=False, always=True),
    Function("valid_on", (Parameter("date", DATE), Parameter("since", DATE), Parameter("until", DATE)), BOOLEAN,
             "Whether a date is in a period, which an empty date leaves open on that side.",
             ("valid_on(today(), None, today())", "not valid_on(today(), tomorrow(), None)",
              "not valid_on(None, None, None)"),
             _valid, _sql_valid, strict=False),
    Function("is_weekend", (Parameter("date", DATE),), BOOLEAN, "Whether a date is a Saturday or Sunday.",
             ("is_weekend(date('2026-02-01'))", "not is_weekend(date('2026-02-02'))"),
             lambda day: day.isoweekday() > 5, lambda day: extract("isodow", cast(day, Date)) > 5),
    Function("in_year", (Parameter("date", DATE), Parameter("year", INTEGER)), DAY,
             "The same day in another year, 1900 to 2200; 29 February becomes the 28th.",
             ("in_year(date('1980-05-20'), 2026) == date('2026-05-20')",
              "in_year(date('2024-02-29'), 2025) == date('2025-02-28')", "in_year(date('2024-02-29'), 3000) is None"),
             _in_year, _sql_in_year,
             size=lambda arguments: 0, depth=70, selects=True),
)


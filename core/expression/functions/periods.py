"""Periods around today, in words: `within(closes, 'this month')`, `period_start('last quarter')`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Date, cast, func

from core.expression.functions.base import DATE, DATETIME, TEXT, Function, Parameter
from core.expression.functions.dates import PLAIN, as_date, hours, local_day, months, months_on
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.nodes import Node

BOOLEAN, DAY = Type("boolean"), Type("date")
MOST = 999
UNITS = ("day", "week", "month", "quarter", "year")
IN_MONTHS = {"month": 1, "quarter": 3, "year": 12}
NAMED = {"yesterday": ("day", -1, 0), "today": ("day", 0, 1), "tomorrow": ("day", 1, 2)}
PERIODS = (*NAMED, *(f"{which} {unit}" for unit in UNITS[1:] for which in ("this", "last", "next")),
           *(f"{which} {count} {unit}s" for unit, count in (("day", 7), ("day", 30), ("week", 4), ("month", 3),
                                                            ("quarter", 2), ("year", 2))
             for which in ("last", "next")))
WRITTEN = re.compile(rf"(?:(this|last|next) ({'|'.join(UNITS[1:])})|(last|next) ([1-9][0-9]{{0,2}}) "
                     rf"({'|'.join(UNITS)})s?)")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole units of the calendar around the one of today: from `begin` units away to before `end` units away."""

    unit: str
    begin: int
    end: int


def read_period(text: str) -> Period:
    """A period in words; raises ValueError. `last 3 months` are the three before this one, `next` those after it."""
    if text in NAMED:
        return Period(*NAMED[text])
    match = WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    which, count = match[1] or match[3], int(match[4] or 1)
    begin, end = {"this": (0, 1), "last": (-count, 0), "next": (1, 1 + count)}[which]
    return Period(match[2] or match[5], begin, end)


def _moved(today: date, unit: str, count: int) -> date:
    """The first day of the unit that is so many away from that of a day."""
    if unit in IN_MONTHS:
        size = IN_MONTHS[unit]
        start = today.replace(month=(today.month - 1) // size * size + 1, day=1)
        return months_on(start, count * size) or start
    start = today - timedelta(days=today.weekday()) if unit == "week" else today
    return start + timedelta(days=count * (7 if unit == "week" else 1))


def _sql_moved(today: Any, unit: str, count: int) -> ColumnElement[Any]:
    start = func.date_trunc(unit, cast(today, PLAIN), type_=PLAIN)
    if unit in IN_MONTHS:
        return start + months(count * IN_MONTHS[unit])
    return start + hours(count * 24 * (7 if unit == "week" else 1))


def _first(today: date, words: str) -> date:
    period = read_period(words)
    return _moved(today, period.unit, period.begin)


def _last(today: date, words: str) -> date:
    period = read_period(words)
    return _moved(today, period.unit, period.end) - timedelta(days=1)


def _sql_first(today: Any, words: Any) -> ColumnElement[Any]:
    period = read_period(words.value)
    return as_date(_sql_moved(today, period.unit, period.begin))


def _sql_last(today: Any, words: Any) -> ColumnElement[Any]:
    period = read_period(words.value)
    return as_date(_sql_moved(today, period.unit, period.end) - hours(24))


def _within(today: date, day: date, words: str) -> bool:
    return _first(today, words) <= day <= _last(today, words)


def _sql_within(today: Any, day: Any, words: Any) -> ColumnElement[Any]:
    return cast(day, Date).between(_sql_first(today, words), _sql_last(today, words))


def _moment_within(zone: str, today: date, moment: datetime, words: str) -> bool:
    return _within(today, local_day(zone, moment), words)


def _size(arguments: Sequence[Node]) -> int:
    period = read_period(str(getattr(arguments[0], "value", "today")))
    days = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[period.unit]
    return days * max(abs(period.begin), abs(period.end)) + 366


IN_WORDS = Parameter("period", TEXT, literal=True, reads=read_period, options=PERIODS)

FUNCTIONS = (
    Function("within", (Parameter("date", DATE), IN_WORDS), BOOLEAN,
             "Whether a date is in a period around today: 'today', 'this month', 'last 7 days', 'next 2 years'...",
             ("within(today(), 'this week')", "within(today() - days(1), 'yesterday')",
              "not within(today(), 'last 7 days')", "within(today() - days(7), 'last 7 days')",
              "not within(None, 'today')"),
             _within, _sql_within, environment=("today",)),
    Function("within", (Parameter("moment", DATETIME), IN_WORDS), BOOLEAN,
             "Whether the day of a moment, in the zone of the user, is in a period.",
             ("within(now(), 'today')", "within(now() + days(1), 'tomorrow')"),
             _moment_within, lambda zone, today, moment, words: _sql_within(today, as_date(func.timezone(zone, moment)),
                                                                            words), environment=("zone", "today")),
    Function("period_start", (IN_WORDS,), DAY, "The first day of a period around today.",
             ("period_start('this month') == month_start(today())",
              "period_start('last year') == add_months(year_start(today()), -12)",
              "period_start('next 7 days') == today() + days(1)"),
             _first, _sql_first, always=True, environment=("today",), size=_size),
    Function("period_end", (IN_WORDS,), DAY, "The last day of a period around today.",
             ("period_end('this month') == month_end(today())", "period_end('last 7 days') == yesterday()",
              "period_end('next week') == week_start(today()) + days(13)"),
             _last, _sql_last, always=True, environment=("today",), size=_size),
)

"""Functions over numbers; halves are rounded away from zero."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, Numeric, cast, func, literal, type_coerce

from core.expression.functions.base import (
    DATE,
    DATETIME,
    DURATION,
    INTEGER,
    MONEY,
    NUMBER,
    Function,
    Kind,
    Parameter,
)
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.nodes import Node

# Wide enough that sums and products within the bounds of the language are exact, as they are in PostgreSQL.
EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
PLACES = 10
GUARD_PLACES = 40
QUOTIENT = Decimal(1).scaleb(-PLACES)
GUARD = Decimal(1).scaleb(-GUARD_PLACES)       # a quotient is first worked out to so many places, as in SQL
# Cut off and not rounded, so that the digit after the guard decides; wide enough for what the language lets grow.
QUOTIENTS = Context(prec=120, rounding=ROUND_DOWN)
UNITS = tuple(Decimal(1).scaleb(-places) for places in range(PLACES + 1))


def divide(left: int | Decimal, right: int | Decimal) -> Decimal | None:
    """A quotient rounded half up to ten places; empty if the divisor is 0."""
    if not right:
        return None
    quotient = QUOTIENTS.divide(left, right)
    return quotient.quantize(GUARD, ROUND_HALF_UP, EXACT).quantize(QUOTIENT, ROUND_HALF_UP, EXACT)


def reciprocal(divisor: object) -> Decimal | None:
    """1/divisor if it has few digits, as for 100 or 4: multiplying by it is exact, and cheaper."""
    if not isinstance(divisor, int | Decimal) or divisor == 0:
        return None
    share = 1 / Decimal(divisor)
    return share if share * Decimal(divisor) == 1 and len(share.as_tuple().digits) <= 15 else None


def over(number: int | Decimal, share: Decimal) -> Decimal:
    """A number divided by what has the reciprocal `share`."""
    return EXACT.multiply(number, share).quantize(QUOTIENT, ROUND_HALF_UP, EXACT)


def modulo(left: int | Decimal, right: int | Decimal) -> int | Decimal | None:
    """The remainder with the sign of the divisor; empty if the divisor is 0."""
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        return left % right
    rest = EXACT.remainder(Decimal(left), Decimal(right))
    return EXACT.remainder(EXACT.add(rest, Decimal(right)), Decimal(right))


def divided(left: Any, right: Any) -> ColumnElement[Any]:
    """The same in SQL: PostgreSQL keeps as many places as the dividend has; with 40 the rounding to ten sees all."""
    wide = type_coerce(func.round(left, GUARD_PLACES), Numeric())
    return func.round(wide / func.nullif(right, 0, type_=Numeric()), PLACES, type_=Numeric())


def total(values: Sequence[Any]) -> Any:
    """The exact sum of numbers."""
    return sum(values) if all(isinstance(value, int) for value in values) else reduce(EXACT.add, values, Decimal(0))


def _whole(number: int | Decimal, rounding: str) -> int:
    return int(Decimal(number).to_integral_value(rounding, context=EXACT))


def _round(number: int | Decimal) -> int:
    return _whole(number, ROUND_HALF_UP)


def _round_to(number: int | Decimal, places: int) -> Decimal:
    unit = UNITS[min(max(places, 0), PLACES)]
    return (Decimal(number) if isinstance(number, int) else number).quantize(unit, ROUND_HALF_UP, EXACT)


def _prepared_round(arguments: Sequence[Node]) -> Any:
    places = getattr(arguments[1], "value", None)
    if not isinstance(places, int):
        return None
    unit = UNITS[min(max(places, 0), PLACES)]
    return lambda number: (Decimal(number) if type(number) is int else number).quantize(unit, ROUND_HALF_UP, EXACT)


def _sql_round_to(number: Any, places: Any) -> ColumnElement[Any]:
    return func.round(cast(number, Numeric), cast(func.least(func.greatest(places, 0), PLACES), Integer))


def _round_step(number: int | Decimal, step: int | Decimal) -> Decimal | None:
    steps = divide(number, step)
    return None if steps is None else EXACT.multiply(_whole(steps, ROUND_HALF_UP), Decimal(step))


def _add_percent(number: int | Decimal, percent: int | Decimal) -> Decimal:
    return EXACT.multiply(EXACT.multiply(Decimal(number), EXACT.add(Decimal(percent), 100)), Decimal("0.01"))


def _sql_add_percent(number: Any, percent: Any) -> ColumnElement[Any]:
    share = type_coerce(cast(percent, Numeric) + 100, Numeric())
    return type_coerce(cast(number, Numeric) * share, Numeric()) * literal(Decimal("0.01"), Numeric())


def _between(kind: Kind, word: str, doc: str, examples: tuple[str, ...]) -> Function:
    takes = (Parameter(word, kind), Parameter("low", kind), Parameter("high", kind))
    return Function("between", takes, Type("boolean"), doc, examples, lambda value, low, high: low <= value <= high,
                    lambda value, low, high: value.between(low, high))


def _widest(arguments: Sequence[Node]) -> int:
    return max(argument.size for argument in arguments)


def _first_size(arguments: Sequence[Node]) -> int:
    return arguments[0].size


def _numeric(function: Any) -> Any:
    return lambda number: function(cast(number, Numeric))


NUMBER_ONLY = (Parameter("number", NUMBER),)

FUNCTIONS = (
    Function("round", NUMBER_ONLY, Type("integer"), "The nearest whole number; halves away from zero.",
             ("round(2.5) == 3", "round(-2.5) == -3", "round(2.49) == 2"),
             _round, _numeric(func.round), filled=True, size=lambda arguments: arguments[0].size + 1),
    Function("round", (Parameter("number", NUMBER), Parameter("places", INTEGER, literal=True)), Type("decimal"),
             f"The number rounded to some places after the point, 0 to {PLACES}.",
             ("round(2.345, 2) == 2.35", "round(-0.05, 1) == -0.1", "round(12, 2) == 12"),
             _round_to, _sql_round_to, filled=True, prepared=_prepared_round,
             size=lambda arguments: arguments[0].size + 1),
    Function("abs", NUMBER_ONLY, None, "The number without its sign.",
             ("abs(-3.5) == 3.5", "abs(2) == 2"), lambda number: number.copy_abs() if isinstance(number, Decimal)
             else abs(number), func.abs, filled=True),
    Function("floor", NUMBER_ONLY, Type("integer"), "The greatest whole number that is not above the number.",
             ("floor(2.9) == 2", "floor(-2.1) == -3"),
             lambda number: _whole(number, ROUND_FLOOR), _numeric(func.floor), filled=True, size=_first_size),
    Function("ceil", NUMBER_ONLY, Type("integer"), "The least whole number that is not below the number.",
             ("ceil(2.1) == 3", "ceil(-2.9) == -2"),
             lambda number: _whole(number, ROUND_CEILING), _numeric(func.ceil), filled=True,
             size=lambda arguments: arguments[0].size + 1),
    Function("truncate", NUMBER_ONLY, Type("integer"), "The whole number that is left without what is after the point.",
             ("truncate(2.9) == 2", "truncate(-2.9) == -2"),
             lambda number: _whole(number, ROUND_DOWN), _numeric(func.trunc), filled=True, size=_first_size),
    Function("sign", NUMBER_ONLY, Type("integer"), "1 for a number above 0, -1 for one below, 0 for 0.",
             ("sign(-3.5) == -1", "sign(0) == 0", "sign(7) == 1"),
             lambda number: (number > 0) - (number < 0), _numeric(func.sign), filled=True, size=lambda arguments: 1),
    Function("round_to", (Parameter("number", NUMBER), Parameter("step", NUMBER, literal=True)), Type("decimal"),
             "The nearest multiple of a step that is written out; halves away from zero; empty for a step of 0.",
             ("round_to(12.37, 0.05) == 12.35", "round_to(1250, 500) == 1500", "round_to(1, 0) is None"),
             _round_step, lambda number, step: func.round(divided(cast(number, Numeric), step)) * step,
             size=lambda arguments: _widest(arguments) + 1),
    _between(NUMBER, "number", "Whether a number, date, moment or duration is between two others, or is one of them.",
             ("between(5, 1, 5)", "not between(0.5, 1, 5)", "not between(None, 1, 5)")),
    _between(DATE, "date", "Whether a date is between two others, or is one of them.",
             ("between(date('2026-02-01'), date('2026-01-01'), date('2026-02-01'))",)),
    _between(DATETIME, "moment", "Whether a moment is between two others, or is one of them.",
             ("between(now(), now() - hours(1), now())",)),
    _between(DURATION, "duration", "Whether a duration is between two others, or is one of them.",
             ("between(hours(36), days(1), days(2))",)),
    Function("percent_of", (Parameter("part", NUMBER), Parameter("whole", NUMBER)), Type("percent"),
             "How many percent of a number another one is; empty if the whole is 0.",
             ("percent_of(1, 8) == 12.5", "percent_of(3, 0) is None"),
             lambda part, whole: divide(EXACT.multiply(Decimal(part), 100), whole),
             lambda part, whole: divided(type_coerce(cast(part, Numeric) * 100, Numeric()), whole),
             size=lambda arguments: arguments[0].size + 17),
    Function("add_percent", (Parameter("amount", MONEY), Parameter("percent", NUMBER)), Type("money"),
             "A number with some percent of it more, or less if they are negative.",
             ("add_percent(money(200), 19) == 238",), _add_percent, _sql_add_percent, filled=True,
             size=lambda arguments: arguments[0].size + arguments[1].size + 1),
    Function("add_percent", (Parameter("number", NUMBER), Parameter("percent", NUMBER)), Type("decimal"),
             "A number that is no money with some percent of it more.",
             ("add_percent(200, 19) == 238", "add_percent(50, -10) == 45"), _add_percent, _sql_add_percent, filled=True,
             size=lambda arguments: arguments[0].size + arguments[1].size + 1),
    Function("total", (Parameter("number", NUMBER), Parameter("other", NUMBER)), None,
             "The sum of the numbers; empty ones count as 0.",
             ("total(1, None, 2.5) == 3.5", "total(None, None) == 0"),
             lambda *numbers: total([number for number in numbers if number is not None]),
             lambda *numbers: reduce(add, (func.coalesce(cast(number, Numeric), 0, type_=Numeric())
                                           for number in numbers)),
             variadic=True, strict=False, always=True,
             size=lambda arguments: _widest(arguments) + len(arguments)),
)

"""Functions over numbers; halves are rounded away from zero."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, Numeric, cast, func

from core.expression.functions.base import INTEGER, NUMBER, Function, Parameter
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.nodes import Node

# Wide enough that sums and products within the bounds of the language are exact, as they are in PostgreSQL.
EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
PLACES = 10


def _whole(number: int | Decimal, rounding: str) -> int:
    return int(Decimal(number).to_integral_value(rounding, context=EXACT))


def _round(number: int | Decimal) -> int:
    return _whole(number, ROUND_HALF_UP)


def _round_to(number: int | Decimal, places: int) -> Decimal:
    return Decimal(number).quantize(Decimal(1).scaleb(-min(max(places, 0), PLACES)), context=EXACT)


def _sql_round_to(number: Any, places: Any) -> ColumnElement[Any]:
    return func.round(cast(number, Numeric), cast(func.least(func.greatest(places, 0), PLACES), Integer))


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
             _round_to, _sql_round_to, filled=True, size=lambda arguments: arguments[0].size + 1),
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
)

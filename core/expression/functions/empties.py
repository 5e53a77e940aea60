"""Logic: empty values, the least and greatest of several, how many conditions hold."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Integer, cast, false, func

from core.expression.functions.base import ANY, CONDITION, ORDERED, Function, Parameter
from core.types.base import Type

BOOLEAN, WHOLE = Type("boolean"), Type("integer")


def first_filled(*values: Any) -> Any:
    """The first value that is not empty."""
    return next((value for value in values if value is not None), None)


def _least(*values: Any) -> Any:
    return min((value for value in values if value is not None), default=None)


def _greatest(*values: Any) -> Any:
    return max((value for value in values if value is not None), default=None)


def _sure(condition: Any) -> ColumnElement[bool]:
    return func.coalesce(cast(condition, Boolean), false())


FUNCTIONS = (
    Function(
        "coalesce", (Parameter("value", ANY), Parameter("other", ANY)), None,
        "The first of the values that is not empty.",
        ("coalesce(None, 'b', 'c') == 'b'", "coalesce(1, 2) == 1", "coalesce(None, None) is None"),
        first_filled, func.coalesce, variadic=True, strict=False, filled=True),
    Function(
        "if_empty", (Parameter("value", ANY), Parameter("then", ANY)), None,
        "The value, or another one if it is empty.",
        ("if_empty('', 'x') == 'x'", "if_empty(5, 6) == 5"),
        first_filled, func.coalesce, strict=False, filled=True),
    Function(
        "least", (Parameter("value", ORDERED), Parameter("other", ORDERED)), None,
        "The least of the values; empty ones are left out.",
        ("least(3, 1.5, 2) == 1.5", "least(None, 4) == 4", "least('b', 'B') == 'B'"),
        _least, func.least, variadic=True, strict=False, filled=True, collated=True),
    Function(
        "greatest", (Parameter("value", ORDERED), Parameter("other", ORDERED)), None,
        "The greatest of the values; empty ones are left out.",
        ("greatest(3, 1.5, 2) == 3", "greatest(4, None) == 4", "greatest('b', 'B') == 'b'"),
        _greatest, func.greatest, variadic=True, strict=False, filled=True, collated=True),
    Function(
        "null_if", (Parameter("value", ANY), Parameter("other", ANY)), None,
        "The value, or nothing if it is the same as another.",
        ("null_if('a', 'a') is None", "null_if(3, 4) == 3", "null_if(3, None) == 3"),
        lambda value, other: None if value == other else value, func.nullif, strict=False),
    Function(
        "is_empty", (Parameter("value", ANY),), BOOLEAN, "Whether a value is empty, as `is None` says.",
        ("is_empty(None)", "is_empty('')", "not is_empty(0)"),
        lambda value: value is None, lambda value: value.is_(None), strict=False, always=True),
    Function(
        "is_filled", (Parameter("value", ANY),), BOOLEAN, "Whether a value is not empty.",
        ("is_filled(0)", "not is_filled('')"),
        lambda value: value is not None, lambda value: value.is_not(None), strict=False, always=True),
    Function(
        "count_filled", (Parameter("value", ANY), Parameter("other", ANY)), WHOLE,
        "How many of the values are not empty.",
        ("count_filled('a', None, 3) == 2", "count_filled(None, '') == 0"),
        lambda *values: sum(value is not None for value in values),
        lambda *values: cast(func.num_nonnulls(*values), BigInteger), variadic=True, strict=False, always=True,
        size=lambda arguments: 3),
    Function(
        "count_true", (Parameter("condition", CONDITION), Parameter("other", CONDITION)), WHOLE,
        "How many of the conditions hold.",
        ("count_true(1 > 0, None, 2 > 3, True) == 2",),
        lambda *values: sum(value is True for value in values),
        lambda *values: reduce(add, (cast(cast(_sure(value), Integer), BigInteger) for value in values)),
        variadic=True, strict=False, always=True, size=lambda arguments: 3),
    Function(
        "xor", (Parameter("condition", CONDITION), Parameter("other", CONDITION)), BOOLEAN,
        "Whether just one of two conditions holds.",
        ("xor(1 > 0, False)", "not xor(True, 2 > 1)", "xor(None, True)"),
        lambda one, other: (one is True) != (other is True), lambda one, other: _sure(one) != _sure(other),
        strict=False, always=True),
)

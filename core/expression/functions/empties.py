"""Functions about empty values, and the least and greatest of several."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func

from core.expression.functions.base import ANY, ORDERED, Function, Parameter


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _least(*values: Any) -> Any:
    return min((value for value in values if value is not None), default=None)


def _greatest(*values: Any) -> Any:
    return max((value for value in values if value is not None), default=None)


FUNCTIONS = (
    Function(
        "coalesce", (Parameter("value", ANY), Parameter("other", ANY)), None,
        "The first of the values that is not empty.",
        ("coalesce(None, 'b', 'c') == 'b'", "coalesce(1, 2) == 1", "coalesce(None, None) is None"),
        _first, func.coalesce, variadic=True, strict=False, filled=True),
    Function(
        "if_empty", (Parameter("value", ANY), Parameter("then", ANY)), None,
        "The value, or another one if it is empty.",
        ("if_empty('', 'x') == 'x'", "if_empty(5, 6) == 5"),
        _first, func.coalesce, strict=False, filled=True),
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
)

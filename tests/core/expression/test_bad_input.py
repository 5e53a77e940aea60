"""Rows 30 to 33 of the list of bad input: attacks told with their column and with little work, odd values defined."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from core.expression import EvaluationError, ExpressionError, check
from tests.core.expression.test_parse import LITTLE
from tests.core.expression.world import ENVIRONMENT, World, checked, value
from tests.work import calls

ATTACKS = [
    # 30: ways into Python
    ("().__class__.__mro__", 1, 'a list stands only after "in"'),
    ("__import__('os').system('id')", 1, "only functions can be called, by their name"),
    ("__import__('os')", 1, 'there is no function "__import__"'),
    ("name.__class__.__mro__", 1, 'text has no part "__class__"'),
    ("record.__class__", 1, '"__class__" is not on table "deal"'),
    ("user.__dict__", 1, '"__dict__" is not on table "user"'),
    ("eval('1')", 1, 'there is no function "eval" (did you mean "equals"?)'),
    ("query.__class__()", 1, 'there is no query "__class__"'),
    ("parameter.__class__", 1, '"parameter" is not on table "deal" (did you mean "partner"?)'),
    ("\\u0061mount > 1", 1, '"\\" is not part of the language'),
    ("name == '\\u0041'", 9,
     "this text is not closed, or has a backslash before something other than a quote, \\, n or t"),
    ("ａmount > 1", 1, 'names have only the letters a to z, digits and "_"; "ａ" is not one of them'),
    ("аmount > 1", 1, 'names have only the letters a to z, digits and "_"; "а" is not one of them'),
    ("f'{amount}'", 2, "a text has no letters before its quotes"),
    ("(lambda: 1)()", 2, '"lambda" is not part of the language'),
    # 31: more than can be worked out
    ("9**9**9", 4, '"**" is not part of the language'),
    ("'a'*10**9", 5, '"**" is not part of the language'),
    ("'a' * 1000000000", 1, '"*" does not go between text and a whole number'),
    ("9" * 16, 1, "numbers have at most 15 digits before and after the point"),
    ("amount * amount * amount * amount * amount", 1, "this number could grow beyond 60 digits"),
    ("1 << 999", 1, '"<<" is not part of the language'),
    ("(" * 10_000 + "1" + ")" * 10_000, 1, "an expression has at most 2000 characters, this has 20001"),
    ("(" * 900 + "1" + ")" * 900, 51, "this is nested deeper than 50"),
    ("double(" * 45 + "1" + ")" * 45, 1, None),
    # 32: loops
    ("[x for x in lines]", 4, '"for" is not part of the language'),
    ("while True", 1, '"while" is not part of the language'),
    ("sum(x for x in lines)", 7, '"for" is not part of the language'),
    ("ring(1)", 1, "this goes round in a circle: ring → query.around → query.about → ring"),
]


@pytest.mark.parametrize(("source", "column", "message"), ATTACKS, ids=[source[:30] for source, _, _ in ATTACKS])
def test_an_attack_is_refused_with_its_column_and_with_little_work(source: str, column: int,
                                                                  message: str | None) -> None:
    caught: list[ExpressionError] = []

    def answer() -> None:
        with pytest.raises(ExpressionError) as error:
            checked(source)
        caught.append(error.value)
    assert calls(answer) < LITTLE
    if message is None:
        assert "2000 parts" in str(caught[0])
    else:
        assert (caught[0].column, str(caught[0])) == (column, message)


NUMBERS = {"amount": Decimal(7), "factor": Decimal(0), "count_of": 0}
DEFINED: list[tuple[str, Any]] = [
    ("amount / factor", None), ("amount / 0", None), ("amount % 0", None), ("count_of % count_of", None),
    ("amount / note", ExpressionError), ("avg(lines.price)", None), ("percent_of(amount, factor)", None),
    ("round_to(amount, 0)", None), ("amount + None", None), ("None > 1", None), ("not (None > 1)", None),
    ("amount > None", None), ("lower(None)", None), ("sum(lines.price)", 0), ("amount + 'a'", ExpressionError),
    ("name + 1", ExpressionError), ("amount == 'NaN'", ExpressionError), ("number('NaN')", None),
    ("number('1e400')", None), ("number('Infinity')", None), ("date(trim('2026-02-31 '))", None),
    ("integer('9' + '999999999999999')", None), ("days(999999999999)", None), ("add_months(today(), 999999999)", None),
    ("in_year(today(), 99999)", None), ("left('abc', -999999999999)", None), ("repeat('a', 999999999999999)", "a" * 100),
]


@pytest.mark.parametrize(("source", "result"), DEFINED, ids=[source for source, _ in DEFINED])
def test_a_value_that_makes_no_sense_is_empty_or_is_refused_when_it_is_checked(source: str, result: Any) -> None:
    if result is ExpressionError:
        with pytest.raises(ExpressionError):
            checked(source)
    else:
        assert value(source, lines=[], **NUMBERS) == result


def test_values_of_wrong_types_are_one_error_and_nothing_else() -> None:
    for record in ({"amount": "text"}, {"amount": object()}, {"amount": [1]}, {"amount": Decimal("NaN")},
                   {"lines": [1]}, {"lines": 3}, {"lines": "abc"}, {"company": 5}):
        for source in ("amount > 1", "amount * 2", "sum(lines.price)", "company.name == 'a'", "round(amount, 2)"):
            with suppress(EvaluationError):
                check(source, World()).evaluate(record, ENVIRONMENT)

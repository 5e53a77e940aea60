"""Aggregates over the rows of a group, and values that run over the rows of a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Numeric, column, select, values

from core.expression import Environment, EvaluationError, ExpressionError, check
from core.expression.functions.numbers import divide
from core.types.base import Type
from tests.core.expression.world import ENVIRONMENT, World, WorldColumns, fill, records, rows

DATA = rows(120, seed=5)
DEALS = records(DATA)


@pytest.fixture(scope="module")
def world(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        fill(connection, DATA)
        yield connection


def grouped(world: Connection, source: str) -> dict[Any, Any]:
    """The values of an expression by stage."""
    columns = WorldColumns("deal")
    stage = columns.value(("stage",))
    element = check(source, World(), over="group").sql(columns)
    return {row[0]: row[1] for row in world.execute(select(stage, element).group_by(stage))}


def by_stage(work: Callable[[list[dict[str, Any]]], Any]) -> dict[Any, Any]:
    stages = {deal["stage"] for deal in DEALS}
    return {stage: work([deal for deal in DEALS if deal["stage"] == stage]) for stage in stages}


def filled(deals: list[dict[str, Any]], name: str) -> list[Any]:
    return [deal[name] for deal in deals if deal[name] is not None]


CASES: list[tuple[str, Callable[[list[dict[str, Any]]], Any]]] = [
    ("count()", len),
    ("count(where=amount > 0)", lambda deals: sum(1 for amount in filled(deals, "amount") if amount > 0)),
    ("count(amount)", lambda deals: len(filled(deals, "amount"))),
    ("count_distinct(company)", lambda deals: len({company["id"] for company in filled(deals, "company")})),
    ("sum(amount)", lambda deals: sum(filled(deals, "amount"), Decimal(0))),
    ("sum(amount, where=archived)",
     lambda deals: sum((d["amount"] for d in deals if d["archived"] and d["amount"] is not None), Decimal(0))),
    ("avg(count_of)", lambda deals: divide(sum(filled(deals, "count_of")), len(filled(deals, "count_of")))),
    ("min(name)", lambda deals: min(filled(deals, "name"), default=None)),
    ("max(closes)", lambda deals: max(filled(deals, "closes"), default=None)),
    ("sum(amount * 2 + 1)", lambda deals: sum((amount * 2 + 1 for amount in filled(deals, "amount")), Decimal(0))),
    ("any(archived)", lambda deals: any(deal["archived"] for deal in deals)),
    ("all(amount > 0 or archived)", lambda deals: all(
        (deal["amount"] is not None and deal["amount"] > 0) or deal["archived"] for deal in deals)),
    ("none(amount > 10)", lambda deals: not any(amount > 10 for amount in filled(deals, "amount"))),
    ("list(name, separator='/')", lambda deals: "/".join(sorted(filled(deals, "name"))) or None),
    ("sum(amount) > 100 and count() > 3",
     lambda deals: sum(filled(deals, "amount"), Decimal(0)) > 100 and len(deals) > 3),
    ("sum(sum(lines.quantity))", lambda deals: sum(
        line["quantity"] for deal in deals for line in deal["lines"] if line["quantity"] is not None)),
    ("net(sum(amount), 50)", lambda deals: divide(sum(filled(deals, "amount"), Decimal(0)) * 50, 100)),
    ("round(sum(amount) / count(), 2)",
     lambda deals: round(divide(sum(filled(deals, "amount"), Decimal(0)), len(deals)) or 0, 2)),
]


@pytest.mark.parametrize(("source", "work"), CASES, ids=[source for source, _ in CASES])
def test_an_aggregate_over_a_group(world: Connection, source: str, work: Callable[[list[dict[str, Any]]], Any]) -> None:
    assert grouped(world, source) == by_stage(work)


def test_what_is_grouped_and_what_is_plain_can_be_told_apart() -> None:
    expression = check("stage == 'won' and sum(amount, where=archived) > count(lines[price > outer.count_of])", World(),
                       over="group")
    assert (expression.grouped, expression.running, expression.needs_database) == (True, False, True)
    assert expression.plain == {("stage",), ("lines",), ("lines", "price"), ("count_of",)}
    assert expression.reads == expression.plain | {("amount",), ("archived",)}
    with pytest.raises(EvaluationError, match="what is of a group can be worked out only in the database"):
        expression.evaluate({"stage": "won"}, ENVIRONMENT)


WRONG = [
    ("sum(name)", 1, '"sum" takes numbers, not text'),
    ("sum(sum(amount))", 5, "an aggregate of the group cannot stand in another"),
    ("sum(amount, by=stage)", 13, 'over a group "sum" knows only where= (did you mean "where"?)'),
    ("sum(amount, where=stage)", 19, "this is a choice of stage, not a condition; compare it with something"),
    ("sum(amount, where=sum(amount) > 1)", 19, "an aggregate of the group cannot stand in another"),
    ("sum(amount, count_of)", 1, 'over a group "sum" takes one value'),
    ("exists(lines[sum(price) > 1])", 18, '"sum" takes a set, not money'),
    ("first(amount)", 7, '"first" takes a set, not money'),
    ("running(sum(amount))", 1, '"running" stands only in a column of a query, over the rows that it gives'),
    ("list(amount)", 1, '"list" takes texts, not money'),
    ("bulk(count(), record)", 1, 'in bulk: "least" is of a group and cannot be used within a set'),
]


@pytest.mark.parametrize(("source", "place", "message"), WRONG, ids=[source for source, _, _ in WRONG])
def test_a_mistake_over_a_group_is_told(source: str, place: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check(source, World(), over="group")
    assert (caught.value.column, str(caught.value)) == (place, message)


class Result:
    """Columns of a result, as variables."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def variable(self, path: tuple[str, ...]) -> Any:
        return self.source.c[path[0]]


def test_a_running_value_goes_by_the_order_of_the_result(world: Connection) -> None:
    scope = World(None, {"number": Type("integer"), "debit": Type("money"), "credit": Type("money")})
    result = values(column("number"), column("debit", Numeric()), column("credit", Numeric()), name="r").data(
        [(1, Decimal(10), Decimal(0)), (3, Decimal(5), None), (2, Decimal(0), Decimal(4))])
    order = [result.c.number]
    expression = check("running(debit - coalesce(credit, 0)) + 1", scope, over="result")
    assert (expression.running, expression.needs_database, str(expression.type)) == (True, True, "money")
    found = world.execute(select(result.c.number, expression.sql(Result(result), order)).order_by(*order))
    assert [tuple(row) for row in found] == [(1, Decimal(11)), (2, Decimal(7)), (3, Decimal(12))]
    with pytest.raises(EvaluationError):
        expression.evaluate({}, Environment({}, ENVIRONMENT.today, ENVIRONMENT.now, "UTC", {"debit": 1, "credit": 2}))
    for source, message in [("running(running(debit))", "only in a column of a query"),
                            ("running(debit, 1)", "this is called as running"), ("running(number > 1)", "takes numbers")]:
        with pytest.raises(ExpressionError, match=message):
            check(source, scope, over="result")

"""Python and PostgreSQL give the same for every expression over every row."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from sqlalchemy import Connection, Engine, literal_column, select

from core.expression import ExpressionError, check, is_true, passes
from core.expression.calls import SPECIAL
from core.expression.functions import BUILT_IN
from core.expression.sets import AGGREGATES
from tests.core.expression.sources import LITERALS, ONE_TO_ONE, ONLY_DEAL, sources
from tests.core.expression.world import ENVIRONMENT, NAMED, World, WorldColumns, fill, records, rows

EXAMPLES = int(os.environ.get("EXPRESSION_EXAMPLES", "400"))
DATA = rows()
RECORDS = {record["id"]: record for record in records(DATA)}


@pytest.fixture(scope="module")
def world(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("set time zone 'America/New_York'")   # no result may depend on it
        fill(connection, DATA)
        yield connection


def in_both(world: Connection, source: str) -> tuple[dict[int, Any], dict[int, Any]]:
    """The values of an expression by record, in Python and in PostgreSQL."""
    expression = check(source, World())
    columns = WorldColumns("deal")
    element = expression.sql(columns)
    found = world.execute(select(columns.alias.c.id, element.label("value"))).all()
    python = {id: expression.evaluate(record, ENVIRONMENT) for id, record in RECORDS.items()}
    return python, {row.id: row.value for row in found}


def _differences(python: dict[int, Any], postgresql: dict[int, Any]) -> dict[int, tuple[Any, Any]]:
    return {id: (python[id], postgresql[id]) for id in python if python[id] != postgresql[id]}


@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize="EXPRESSION_EXAMPLES" not in os.environ,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(source=sources())
def test_an_expression_gives_the_same_in_python_and_in_postgresql(world: Connection, source: str) -> None:
    note(source)
    try:
        expression = check(source, World())
    except ExpressionError as error:
        # The only things that sources() does not avoid: numbers and dates too large, SQL too deep.
        assert "could" in error.message or error.message == "this is nested too deeply", source
        return
    python, postgresql = in_both(world, source)
    assert _differences(python, postgresql) == {}, source
    if expression.type.name == "boolean":
        columns = WorldColumns("deal")
        condition = check(source, World(), "boolean")
        truth = {id: condition.evaluate(record, ENVIRONMENT) for id, record in RECORDS.items()}
        assert _ids(world, columns, condition.where(columns)) == {id for id, value in truth.items() if is_true(value)}
        assert _ids(world, columns, condition.passes(columns)) == {id for id, value in truth.items() if passes(value)}


def _ids(world: Connection, columns: WorldColumns, where: Any) -> set[int]:
    return set(world.scalars(select(columns.alias.c.id).where(where)))


def test_random_expressions_use_every_function() -> None:
    written = " ".join(form for forms in (ONE_TO_ONE, ONLY_DEAL, LITERALS) for several in forms.values()
                       for form in several)
    missing = [name for name in (*BUILT_IN, *AGGREGATES, *SPECIAL, *NAMED) if f"{name}(" not in written]
    assert missing == ["running", "ring"]        # over results; in a circle


FUNCTIONS = [(f"{form.signature} {number}", example) for forms in BUILT_IN.values() for form in forms
             for number, example in enumerate(form.examples)]


@pytest.mark.parametrize("example", [example for _, example in FUNCTIONS], ids=[name for name, _ in FUNCTIONS])
def test_an_example_of_a_function_holds_in_python_and_in_postgresql(world: Connection, example: str) -> None:
    expression = check(example, World(), "boolean")
    assert expression.evaluate({}, ENVIRONMENT) is True
    assert world.scalar(select(expression.sql(WorldColumns("deal", literal_column("none"))))) is True


CASES = [
    "amount / 3", "1 / 3", "10000000 / 3", "amount / factor", "2 / 3 * 3", "count_of * count_of * 1000",
    "length(name) * 999999999999999", "99999 * 99999", "abs(99999) * abs(99999)", "sum(lines.quantity) * 10",
    "-7 % 3", "7 % -3", "-6 % -3", "count_of % 7", "factor % -3", "amount % factor", "1.5 % 0",
    "count_of if count_of > 3 else None", "amount == None", "name == ''", "name + ''", "name != 'a' and note != 'a'",
    "closes - starts", "closes - starts > days(30)", "seen - heard", "seen + (closes - starts)",
    "datetime(date('2025-10-26'))", "datetime(date('2026-03-29')) + days(1)", "date(seen)", "days(count_of)",
    "add_months(closes, count_of)", "company == partner", "company != partner", "company in [partner, 1]",
    "user == 7", "user.manager is None", "company == user.company", "sum(company.deals[stage == 'won'].amount)",
    "first(lines, order=product).quantity", "first(lines[price > 0], order=[-price, due])", "record == 3",
    "max(lines.due) < closes", "not archived", "archived == False", "archived == (amount > 0)", "kinds is None",
    "upper('straße')", "lower('İstanbul')", "lower('ΑΣ')", "upper('ŉ')", "upper('ᾳ')", "number('１')", "number('1\\n')",
    "contains(name, '_')", "contains(name, name)", "'a' < 'B'", "'é' > 'z'", "least(name, note)",
    "min(lines.product)", "text(amount)", "text(0.000001)", "text(count_of / 7)", "round(amount / 7, 5)",
    "starts_with(lower(repeat('a', 0)), 'A')", "not is_weekend(add_days(date('2026-01-31'), 999999))",
    "under(company, partner)", "under(company, 1)", "under(partner, company.parent)", "not under(company, partner)",
    "exists(company.deals[under(partner, outer.company) and under(outer.company, partner)])",
    "switch(stage, 'open', 1, 'won', 2.5, 0)", "switch(name, 'a', closes, None, starts)", "switch(company, 1, 'x', 'y')",
    "(amount if archived else 0) + 1", "(count_of if archived else factor) * 2", "1 if None else 2",
]


@pytest.mark.parametrize("source", [case for case in CASES if case != "1 if None else 2"])
def test_chosen_expressions_give_the_same_in_python_and_in_postgresql(world: Connection, source: str) -> None:
    assert _differences(*in_both(world, source)) == {}

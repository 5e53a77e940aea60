"""Statements that come again on a connection are prepared there, and mean what they meant before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, event

from core.database import prepared
from core.database.prepared import AFTER, Prepared


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        connection.info.pop("prepared", None)
        yield connection
        connection.invalidate()             # what is prepared here is nobody else's


@pytest.fixture
def sent(connection: Connection) -> list[str]:
    found: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *given: found.append(given[2].split()[0]))
    return found


def test_it_is_prepared_when_it_comes_again(connection: Connection, sent: list[str]) -> None:
    statement = Prepared("select %(a)s::int + %(one)s, '100%%'", {"one": 1})
    for number in range(AFTER + 2):
        assert statement.run(connection, {"a": number, "unused": 0}).fetchone() == (number + 1, "100%")
    assert sent == ["select"] * AFTER + ["prepare", "execute", "execute"]


def test_constants_tell_statements_of_the_same_text_apart(connection: Connection) -> None:
    left, right = (Prepared("select %(side)s", {"side": side}) for side in ("left", "right"))
    for _ in range(AFTER + 2):
        assert (left.run(connection, {}).fetchone()[0], right.run(connection, {}).fetchone()[0]) == ("left", "right")


@pytest.mark.parametrize("value", [5, 2**40, date(2026, 1, 31), datetime(2026, 1, 1, tzinfo=UTC), True,
                                   Decimal("1.50"), timedelta(days=1), 1.5])
def test_parameters_have_the_types_of_the_drivers_literals(connection: Connection, value: object) -> None:
    plain = "select pg_typeof(%(a)s)::text, %(a)s"
    expected = connection.exec_driver_sql(plain, {"a": value}).one()
    statement = Prepared(plain, {})
    for _ in range(AFTER + 2):
        assert statement.run(connection, {"a": value}).fetchone() == expected


@pytest.mark.parametrize("value", ["it's", "\\ % $1", "", None, [1, 2], []])
def test_other_parameters_have_the_type_of_their_place(connection: Connection, value: object) -> None:
    cast = "bigint[]" if isinstance(value, list) else "text"
    statement = Prepared("select %(a)s::" + cast, {})
    for _ in range(AFTER + 2):
        assert statement.run(connection, {"a": value}).fetchone()[0] == value


def test_a_parameter_may_change_its_type(connection: Connection) -> None:
    statement = Prepared("select %(a)s + 1", {})
    for _ in range(AFTER + 2):
        assert statement.run(connection, {"a": 5}).fetchone()[0] == 6
        assert statement.run(connection, {"a": 2**40}).fetchone()[0] == 2**40 + 1
        assert statement.run(connection, {"a": date(2026, 1, 31)}).fetchone()[0] == date(2026, 2, 1)


def test_only_so_many_are_kept(connection: Connection, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST", 3)
    statements = [Prepared("select %(number)s", {"number": number}) for number in range(6)]
    for statement in statements:
        for _ in range(AFTER + 1):
            statement.run(connection, {})
    names = connection.exec_driver_sql("select count(*) from pg_prepared_statements").scalar()
    assert names == 3 and sent.count("deallocate") == 3
    assert [statement.run(connection, {}).fetchone()[0] for statement in statements] == list(range(6))


def test_one_plan_serves_all_values(connection: Connection) -> None:
    statement = Prepared("select %(a)s::int", {})
    for number in range(AFTER + 4):
        statement.run(connection, {"a": number})
    plans = connection.exec_driver_sql("select generic_plans, custom_plans from pg_prepared_statements").one()
    assert plans.generic_plans == 4 and plans.custom_plans == 0


def test_what_was_prepared_outlives_a_rollback(connection: Connection) -> None:
    statement = Prepared("select 10 / %(a)s", {})
    for _ in range(AFTER + 1):
        statement.run(connection, {"a": 5})
    connection.rollback()
    assert statement.run(connection, {"a": 2}).fetchone()[0] == 5

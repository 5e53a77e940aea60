"""Statements as text, run by the driver: within SQLAlchemy's transactions, and with its errors."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DataError, OperationalError

from core.database.engine import execute


def test_it_is_part_of_the_connections_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        execute(connection, "create table kept (name text)", {})
        execute(connection, "insert into kept values (%(name)s)", {"name": "100%"})
        connection.commit()
        execute(connection, "insert into kept values ('lost')", {})
        connection.rollback()
    with engine.begin() as connection:
        assert execute(connection, "select name from kept", {}).fetchall() == [("100%",)]
        connection.execute(text("drop table kept"))


def test_its_errors_are_sqlalchemys_and_hide_the_values(connection: Connection) -> None:
    with pytest.raises(DataError) as caught:
        execute(connection, "select 1 / %(none)s, %(secret)s", {"none": 0, "secret": "s3cr3t"})
    assert caught.value.orig is not None and caught.value.orig.pgcode == "22012"  # type: ignore[attr-defined]
    assert "s3cr3t" not in str(caught.value)


def test_a_lost_connection_goes_back_to_no_pool(engine: Engine, app_engine: Engine) -> None:
    with app_engine.connect() as connection:
        pid = execute(connection, "select pg_backend_pid()", {}).fetchone()[0]
        with app_engine.connect() as other:
            other.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(OperationalError) as caught:
            execute(connection, "select 1", {})
        assert caught.value.connection_invalidated and connection.invalidated
        connection.rollback()
    with app_engine.connect() as connection:
        assert execute(connection, "select 1", {}).fetchone() == (1,)


def test_who_listens_hears_of_it(connection: Connection) -> None:
    heard: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *given: heard.append(given[2]))
    execute(connection, "select 1", {})
    assert heard == ["select 1"]

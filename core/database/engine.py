"""Engines and transactions: the only door to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from core.database import address
from core.settings import Settings

# A connection of which nothing is heard any more, by either side, is lost within seconds; libpq's own limit is hours.
ALIVE = {"connect_timeout": 4, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
         "tcp_user_timeout": 10_000}
IDLE = 60                       # seconds that a transaction of a request may do nothing: then its locks are let go
# jobs is on the path because the job queue's own SQL names its tables without a schema.
# Only what we prepare ourselves is planned for all values at once: core/database/prepared.py.
OPTIONS = "-c search_path=public,jobs -c timezone=UTC -c jit=off -c plan_cache_mode=force_generic_plan"


def open(settings: Settings, role: address.Role = "app", seconds: int = 0) -> Engine:
    """A pool of connections for that role: `app` serves requests and jobs, `owner` changes tables.

    A statement that takes longer than `seconds` is stopped; with 0 none is.
    """
    size = max(settings.threads, settings.job_threads) + 2 if role == "app" else 4
    return connect_to(address.url(settings, role), size, seconds)


def connect_to(url: URL, size: int = 4, seconds: int = 0) -> Engine:
    """A pool of connections to a URL, with the session's search path, time zone, limits and name set."""
    options = f"{OPTIONS} -c statement_timeout={seconds}s"
    if seconds:
        options += f" -c idle_in_transaction_session_timeout={IDLE}s"
    return create_engine(url, pool_size=size, max_overflow=4, pool_timeout=2, pool_use_lifo=True, hide_parameters=True,
                         connect_args={"options": options, "application_name": "tessera", **ALIVE})


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection whose work is committed at the end of the block, and rolled back by an error."""
    with engine.begin() as connection:
        yield connection


def execute(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> Any:
    """Run a statement that was compiled before; gives the driver's cursor, whose rows are tuples.

    As SQLAlchemy's `exec_driver_sql`, its transaction, events and errors included, but without its result objects:
    describing thirty columns anew each time cost as much as reading them.
    """
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    for listener in connection.dispatch.before_cursor_execute:
        statement, parameters = listener(connection, cursor, statement, parameters, None, False)
    try:
        cursor.execute(statement, parameters)
    except psycopg2.Error as error:
        raise _failure(connection, statement, cursor, error) from error
    return cursor


def _failure(connection: Connection, statement: str, cursor: Any, error: psycopg2.Error) -> BaseException:
    """What SQLAlchemy would raise; a connection that is lost goes back to no pool, and neither do those before it."""
    lost = connection.dialect.is_disconnect(error, connection.connection, cursor)  # type: ignore[arg-type]  # a protocol
    if lost:
        connection.engine.pool._invalidate(connection.connection, error)  # as SQLAlchemy does with its own statements
        connection.invalidate(error)
    return DBAPIError.instance(statement, None, error, psycopg2.Error, hide_parameters=True,
                               connection_invalidated=lost, dialect=connection.dialect)


def sqlstate(error: DBAPIError) -> str:
    """PostgreSQL's code of an error; empty where the server said nothing."""
    return str(getattr(error.orig, "pgcode", "") or "")


def driver(connection: Connection) -> Any:
    """The driver's own cursor on that connection and transaction, for what SQLAlchemy has no words for."""
    return connection.connection.cursor()

"""Databases of tests: templates, fresh copies of them, and how they are dropped."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy.engine import make_url

from core import secrets
from core.database import address, steps
from core.database import engine as engines
from core.settings import Settings

EMPTY = "tessera_template"
NUMBERS = itertools.count(1)
# Without autovacuum what a statement costs does not depend on when it came by.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300",
        "max_wal_size": "256MB", "autovacuum": "off", "scram_iterations": "1"}
ROLES: tuple[address.Role, ...] = ("app", "owner")
SESSIONS = "select pid from pg_stat_activity where datname = {} and backend_type = 'client backend'"
END_OWN = "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = {} and usename = current_user"


@contextmanager
def fresh_database(server: Settings, tmp_path_factory: pytest.TempPathFactory,
                   template: str = EMPTY) -> Iterator[Settings]:
    """A database of its own for as long as the block runs, for tests that change it for good."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(NUMBERS)}"
    home = tmp_path_factory.mktemp("home")
    secrets.write(home / "secrets.yaml", {
        "database_app_password": secrets.secret(server.home, "database_app_password")})
    copy(server, template, name)
    url = address.url(server, "owner").set(database=name)
    yield Settings(home=home, database=url.render_as_string(hide_password=False), metadata=home / "metadata")
    drop(server, name)


def make_empty(server: Settings) -> None:
    """Make the template that has all steps applied and nothing else, unless it is there."""
    def applied(settings: Settings) -> None:
        pool = engines.open(settings, "owner")
        with engines.transaction(pool) as connection:
            steps.upgrade(connection)
        pool.dispose()
    make_template(server, EMPTY, applied, "template1")


def make_template(settings: Settings, name: str, make: Callable[[Settings], None], of: str = EMPTY) -> None:
    """Make a database to copy, once for all workers: a copy of another in which `make` did something."""
    run(settings, sql.SQL("select pg_advisory_lock(7)"))
    try:
        if run(settings, sql.SQL("select 1 from pg_database where datname = {}").format(sql.Literal(name))):
            return
        begun = f"{name}_begun"
        run(settings, sql.SQL("drop database if exists {}").format(sql.Identifier(begun)))
        copy(settings, of, begun)
        make(_in(settings, begun))
        run(settings, sql.SQL("alter database {} rename to {}").format(sql.Identifier(begun), sql.Identifier(name)))
    finally:
        run(settings, sql.SQL("select pg_advisory_unlock(7)"))


def _in(settings: Settings, name: str) -> Settings:
    url = address.url(settings, "owner").set(database=name)
    return settings.model_copy(update={"database": url.render_as_string(hide_password=False)})


def copy(settings: Settings, template: str, name: str) -> None:
    """Make a database that has what a template has, which nobody may use meanwhile."""
    run(settings, sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))


def replace(settings: Settings, template: str) -> None:
    """Make a database anew, with what a template has."""
    name = str(make_url(settings.database or "").database)
    drop(settings, name)
    copy(settings, template, name)


def drop(settings: Settings, name: str) -> None:
    """Drop a database, though servers may have connections there yet and try to have more.

    Each role ends its own connections. `with (force)` would not do: autovacuum may be at work there, and its worker
    belongs to no role, so the owner is refused; a plain `drop database` ends autovacuum itself.
    """
    run(settings, sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(name)))
    if run(settings, sql.SQL(SESSIONS).format(sql.Literal(name))):
        for role in ROLES:
            run(settings, sql.SQL(END_OWN).format(sql.Literal(name)), role)
    run(settings, sql.SQL("drop database {}").format(sql.Identifier(name)))


def run(settings: Settings, statement: sql.Composable, role: address.Role = "owner") -> list[tuple[Any, ...]]:
    """Run a statement that no transaction may hold, from outside the databases it is about; gives its rows."""
    url = address.url(settings, role).set(database="postgres", drivername="postgresql")
    with _connection(url.render_as_string(hide_password=False), os.getpid()).cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@cache
def _connection(url: str, process: int) -> Any:
    """Kept open: a new one costs as much as what it is for."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection

"""Fixtures of all tests: one embedded PostgreSQL for the session, a fresh database for each module."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from psycopg2 import sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from core import secrets
from core.database import address, embedded, steps
from core.database import engine as engines
from core.settings import Settings
from tests.small_system import Small, small_system
from tests.unchanged import unchanged as nothing_changes

TEMPLATE = "tessera_template"
NUMBERS = itertools.count(1)
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a running embedded PostgreSQL that loses data for speed; shared by the xdist workers."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    settings = Settings(home=base / "server", postgres=FAST)
    with embedded.ensure(settings):
        with (settings.home / "template.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _make_template(settings)
        yield settings


@pytest.fixture(scope="module")
def database(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a fresh system: an own home and an own database that has all steps applied."""
    with fresh_database(server, tmp_path_factory) as settings:
        yield settings


@contextmanager
def fresh_database(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database of its own for as long as the block runs, for tests that change it for good."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(NUMBERS)}"
    home = tmp_path_factory.mktemp("home")
    secrets.write(home / "secrets.yaml", {
        "database_app_password": secrets.secret(server.home, "database_app_password")})
    _run(server, sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    url = address.url(server, "owner").set(database=name)
    yield Settings(home=home, database=url.render_as_string(hide_password=False), metadata=home / "metadata")
    _drop(server, name)


@pytest.fixture(scope="module")
def engine(database: Settings) -> Iterator[Engine]:
    """Connections to the module's database as its owner."""
    pool = engines.open(database, "owner")
    yield pool
    pool.dispose()


@pytest.fixture(scope="module")
def app_engine(database: Settings) -> Iterator[Engine]:
    """Connections to the module's database as the role that serves requests."""
    pool = engines.open(database, "app")
    yield pool
    pool.dispose()


@pytest.fixture(scope="module")
def small(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """A small system that serves the module's database: see small_system.py."""
    with small_system(database, tmp_path_factory.mktemp("small")) as system:
        yield system


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A transaction of the owner that is rolled back after the test."""
    with engine.connect() as open_connection:
        transaction = open_connection.begin()
        yield open_connection
        transaction.rollback()


@pytest.fixture
def unchanged(engine: Engine, database: Settings) -> Callable[[], AbstractContextManager[None]]:
    """`with unchanged():` around a request that is refused: no table of ed or bm and no stored file may change."""
    return lambda: nothing_changes(engine, database.home / "files")


@pytest.fixture(scope="session")
def project() -> Path:
    """The root folder of the project."""
    return Path(__file__).resolve().parent.parent


def _make_template(settings: Settings) -> None:
    owner = engines.connect_to(make_url(address.url(settings, "owner")).set(database="postgres"))
    with owner.connect() as connection:
        found = connection.scalar(text("select 1 from pg_database where datname = :name"), {"name": TEMPLATE})
    owner.dispose()
    if found:
        return
    _run(settings, sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    pool = engines.connect_to(address.url(settings, "owner").set(database=TEMPLATE))
    with engines.transaction(pool) as connection:
        steps.upgrade(connection)
    pool.dispose()


def _drop(settings: Settings, name: str) -> None:
    """Drop a module's database, though a server that was just stopped may have connections there for a moment yet.

    Only the role that serves requests may end its own connections: the owner is not allowed to.
    """
    _run(settings, sql.SQL("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = {} "
                           "and usename = current_user").format(sql.Literal(name)), "app")
    _run(settings, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _run(settings: Settings, statement: sql.Composed, role: address.Role = "owner") -> None:
    """Run a statement that no transaction may hold, from outside the databases it is about."""
    pool = engines.connect_to(make_url(address.url(settings, role)).set(database="postgres"))
    with pool.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.autocommit = True
        with driver.cursor() as cursor:
            cursor.execute(statement)
        driver.autocommit = False
    pool.dispose()

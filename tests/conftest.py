"""Fixtures of all tests: one embedded PostgreSQL for the session, a fresh database for each module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from core.database import embedded
from core.database import engine as engines
from core.settings import Settings
from tests import databases, in_memory
from tests.small_system import Small, small_system
from tests.unchanged import unchanged as nothing_changes

IN_MEMORY = "TESTS_IN_MEMORY"   # the folder of the run, told to its workers


def pytest_configure(config: pytest.Config) -> None:
    """Make a folder for the run's server; the process that begins does it, and removes it at the end."""
    if IN_MEMORY not in os.environ:
        memory = ExitStack()
        os.environ[IN_MEMORY] = str(memory.enter_context(in_memory.folder()) or "")
        config.add_cleanup(memory.close)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a running embedded PostgreSQL that loses data for speed; shared by the xdist workers."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    settings = Settings(home=Path(os.environ[IN_MEMORY] or base) / "server", postgres=databases.FAST)
    with embedded.ensure(settings):
        databases.make_empty(settings)
        yield settings


@pytest.fixture(scope="module")
def database(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The settings of a fresh system: an own home and an own database that has all steps applied."""
    with databases.fresh_database(server, tmp_path_factory) as settings:
        yield settings


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

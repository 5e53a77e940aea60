"""The sample world in a database, once for each module of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import Connection, Engine

from tests.core.ed.world import World, build
from tests.work import statements_sent


@pytest.fixture(scope="module")
def world(engine: Engine) -> World:
    """People, companies, deals: see world.py."""
    return build(engine)


@pytest.fixture
def statements(connection: Connection) -> Iterator[list[str]]:
    """What is sent to the database from now on."""
    with statements_sent(connection) as sent:
        yield sent


@pytest.fixture
def statements_of() -> Callable[[Connection], AbstractContextManager[list[str]]]:
    """What is sent over a connection within a block."""
    return statements_sent

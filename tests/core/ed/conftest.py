"""The sample world in a database, once for each module of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import Connection, Engine, event

from tests.core.ed.world import World, build


@pytest.fixture(scope="module")
def world(engine: Engine) -> World:
    """People, companies, deals: see world.py."""
    return build(engine)


@pytest.fixture
def statements(connection: Connection) -> Iterator[list[str]]:
    """What is sent to the database from now on."""
    sent: list[str] = []
    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)
    event.listen(connection, "before_cursor_execute", note)
    yield sent
    event.remove(connection, "before_cursor_execute", note)


@pytest.fixture
def statements_of() -> Callable[[Connection], AbstractContextManager[list[str]]]:
    """What is sent over a connection within a block."""
    @contextmanager
    def noting(connection: Connection) -> Iterator[list[str]]:
        sent: list[str] = []
        def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
            sent.append(statement)
        event.listen(connection, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(connection, "before_cursor_execute", note)
    return noting

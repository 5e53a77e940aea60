"""One at a time: advisory locks, held by the very session that does the work."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event, text

from core.database.engine import connect_to
from core.errors import Refused

LOCK = 7_236_002                # of whoever promotes
FIRST_START = 7_236_003         # of whoever makes the first version and the first users
PATIENCE = 2.0                  # seconds: PostgreSQL needs a moment to see that a killed runner is gone


@contextmanager
def holding(engine: Engine, who: str) -> Iterator[Engine]:
    """A pool of one connection that holds the promotion lock; raises Refused naming who has it.

    A backend that outlives its killed client inside a statement keeps the lock, so that nobody works beside it.
    """
    with _locked(engine, LOCK, _name(who)) as line:
        if line is None:
            raise Refused("another promotion is under way: {holder}; wait until it has ended", holder=_holder(engine))
        yield line


@contextmanager
def if_free(engine: Engine, who: str) -> Iterator[Engine | None]:
    """The same for who has no need of it: None at once where somebody holds the lock."""
    with _locked(engine, LOCK, _name(who), patience=0.0) as line:
        yield line


def held(connection: Connection) -> bool:
    """Whether anybody holds the promotion lock."""
    return connection.scalar(_HOLDERS, {"lock": LOCK}) is not None


def _name(who: str) -> str:
    return f"tessera promotion by {who or 'the command line'} ({socket.gethostname()}, process {os.getpid()})"


@contextmanager
def starting(engine: Engine) -> Iterator[None]:
    """Holds the lock of a first start; raises Refused while another one is under way."""
    with _locked(engine, FIRST_START, "tessera init") as line:
        if line is None:
            raise Refused("another init is under way; wait until it has ended")
        yield


@contextmanager
def _locked(engine: Engine, lock: int, name: str, patience: float = PATIENCE) -> Iterator[Engine | None]:
    """A pool of one connection that holds a lock until the end; None if somebody else has it.

    When the connection is lost the lock is, and the pool gives no other one: nobody goes on without the lock.
    """
    line = connect_to(engine.url, size=1)
    made: list[int] = []

    def once(*_: object) -> None:
        if made:
            raise Refused("the connection that held the lock of the promotion is gone; the next run goes on")
        made.append(1)
    event.listen(line, "do_connect", once)
    try:
        with line.connect() as connection:
            connection.execute(text("select set_config('application_name', :name, false)"), {"name": name[:63]})
            found = _taken(connection, lock, patience)
            connection.commit()
        yield line if found else None
    finally:
        line.dispose()


def _taken(connection: Connection, lock: int, patience: float) -> bool:
    """Whether a lock became this session's, within the time that a killed holder takes to be gone."""
    end = time.monotonic() + patience
    while not connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": lock}):
        if time.monotonic() >= end:
            return False
        time.sleep(0.1)
    return True


_HOLDERS = text(
    "select a.application_name, a.backend_start from pg_locks l join pg_stat_activity a on a.pid = l.pid"
    " where l.locktype = 'advisory' and l.granted and l.objid = :lock and l.database ="
    " (select oid from pg_database where datname = current_database())")


def _holder(engine: Engine) -> str:
    with engine.connect() as connection:
        row = connection.execute(_HOLDERS, {"lock": LOCK}).first()
    return f"{row.application_name}, since {row.backend_start:%H:%M:%S}" if row else "it has just ended"

"""One promotion at a time: an advisory lock held by the very session that runs the steps."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from core.database.engine import connect_to
from core.errors import Refused

LOCK = 7_236_002
PATIENCE = 2.0                  # seconds: PostgreSQL needs a moment to see that a killed runner is gone


@contextmanager
def holding(engine: Engine, who: str) -> Iterator[Engine]:
    """A pool of one connection that holds the promotion lock; raises Refused naming who has it.

    A backend that outlives its killed client inside a statement keeps the lock, so that nobody works beside it.
    """
    line = connect_to(engine.url, size=1)
    try:
        with line.connect() as connection:
            name = f"tessera promotion by {who or 'the command line'} ({socket.gethostname()}, process {os.getpid()})"
            connection.execute(text("select set_config('application_name', :name, false)"), {"name": name[:63]})
            if not _taken(connection):
                raise Refused("another promotion is under way: {holder}; wait until it has ended",
                              holder=_holder(engine))
            connection.commit()
        yield line
    finally:
        line.dispose()


def _taken(connection: Connection) -> bool:
    """Whether the lock became this session's, within the time that a killed holder takes to be gone."""
    end = time.monotonic() + PATIENCE
    while not connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _holder(engine: Engine) -> str:
    with engine.connect() as connection:
        row = connection.execute(text(
            "select a.application_name, a.backend_start from pg_locks l join pg_stat_activity a on a.pid = l.pid"
            " where l.locktype = 'advisory' and l.granted and l.objid = :lock and l.database ="
            " (select oid from pg_database where datname = current_database())"), {"lock": LOCK}).first()
    return f"{row.application_name}, since {row.backend_start:%H:%M:%S}" if row else "it has just ended"

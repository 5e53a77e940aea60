"""The steps around the flip: every process builds the new version, one row is changed, the old version is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select, text

from core.bm.changes import catching_up, renamed
from core.bm.engine import journal, wishes
from core.bm.engine.wishes import Cancelled
from core.bm.versions import live, tables
from core.database import ddl
from core.database.jobs import enqueue
from core.ed import search_index
from core.ed.system import System
from core.errors import Refused

if TYPE_CHECKING:
    from core.bm.engine.run import Run
    from core.bm.engine.steps import Step

PREPARE_SECONDS = 60.0          # how long workers may take to build a version
LEAVE_SECONDS = 60.0            # how long requests may go on with the old one before hygiene begins
PREPARE, LIVE = "tessera_prepare", "tessera_live"       # channels of NOTIFY; follow.py listens


def prepare(run: Run, step: Step) -> None:
    """Ask every process to build the new version; raises Refused with the worker's error, or when one is slow."""
    with run.begin() as connection:
        journal.set_state(connection, run.turn, "preparing")
        connection.execute(tables.worker.update().values(error=None))       # what they say from now on counts
        notify(connection, PREPARE, run.version)
    end = time.monotonic() + PREPARE_SECONDS
    while waiting := _unprepared(run):
        if time.monotonic() > end:
            raise Refused("these workers did not get ready in {seconds} seconds: {workers}; nothing was changed",
                          seconds=round(PREPARE_SECONDS), workers=", ".join(waiting))
        run.pause(0.05)
    with run.begin() as connection:
        run.done(connection, step)


def undo_prepare(run: Run, step: Step) -> None:
    """Nothing: what a process has built and nobody asks for goes by itself."""
    with run.begin() as connection:
        journal.step_undone(connection, run.turn, step)


def _unprepared(run: Run) -> list[str]:
    with run.line.connect() as connection:
        rows = connection.execute(select(*tables.worker.c["kind", "pid", "prepared", "error"]).where(
            tables.worker.c.lease_until > func.now())).all()
    for row in rows:
        if row.error and row.prepared != run.version:
            raise Refused("{worker} cannot run the new version: {reason}", worker=f"{row.kind} {row.pid}",
                          reason=row.error)
    return [f"{row.kind} {row.pid}" for row in rows if row.prepared != run.version]


def flip(run: Run, step: Step) -> None:
    """The atomic point, in one short transaction; tried again while tables that it locks are busy."""
    catching_up.before_flip(run)

    def attempt(connection: Connection, tries: int) -> None:
        catching_up.at_flip(run, connection)
        flip_in(run, connection, step)
    ddl.tried(run.line, attempt, (statement for one in run.order.plan.steps for statement in one.sql), pause=run.pause)
    run.flipped = True


def flip_in(run: Run, connection: Connection, step: Step) -> None:
    """Compare the pointer, set it, journal it, tell everyone; rights to find things follow."""
    journal.set_state(connection, run.turn, "flipped")          # first: whoever asks to cancel waits for us from here
    asked = wishes.last(connection, run.turn.promotion)
    if asked is not None and asked.wish == "cancel":
        raise Cancelled("cancelled by {name}; nothing was changed", name=asked.by)
    changed = connection.execute(
        tables.live.update().values(version=run.version, epoch=tables.live.c.epoch + 1)
        .where(tables.live.c.version.is_not_distinct_from(run.order.base.version)))
    if changed.rowcount != 1:
        raise Refused("someone else promoted meanwhile; plan again")
    _follow_rights(run, connection)
    renamed.follow(connection, run.order.base, run.order.target, run.order.plan.answers)
    run.done(connection, step)
    notify(connection, LIVE, run.version)


def _follow_rights(run: Run, connection: Connection) -> None:
    """Let the search index follow: what may no longer be found goes with the flip, the rest is a job."""
    before, after = (None if state.model is None else System(0, state.model, state.identities, {},
                                                             storages=state.storages)
                     for state in (run.order.base, run.order.target))
    if before is not None and after is not None and search_index.follow(connection, before, after):
        enqueue(connection, "rebuild_search", once="rebuild_search")


def acknowledge(run: Run, step: Step) -> None:
    """Wait until every living worker saw the flip and no request of it runs an older version.

    After that time hygiene goes on: it loses nothing.
    """
    end = time.monotonic() + LEAVE_SECONDS
    told: list[str] = []
    while (behind := _behind(run)) and time.monotonic() < end:
        if behind != told:
            told = behind
            with run.begin() as connection:
                journal.step_waits(connection, run.turn, step, ", ".join(behind))
        run.pause(0.05)
    with run.begin() as connection:
        run.done(connection, step)


def _behind(run: Run) -> list[str]:
    with run.line.connect() as connection:
        rows = connection.execute(select(*tables.worker.c["kind", "pid"]).where(
            tables.worker.c.lease_until > func.now(),
            tables.worker.c.version.is_distinct_from(run.version) | tables.worker.c.oldest.is_not(None))
            .order_by(tables.worker.c.kind, tables.worker.c.pid))
        return [f"{row.kind} {row.pid}" for row in rows]


def notify(connection: Connection, channel: str, version: int) -> None:
    """Tell listening processes, when the transaction commits."""
    connection.execute(text("select pg_notify(:channel, :payload)"), {"channel": channel, "payload": str(version)})


def tell_live(connection: Connection, version: int) -> None:
    """Let every process look at the live version again."""
    live.raise_epoch(connection)
    notify(connection, LIVE, version)

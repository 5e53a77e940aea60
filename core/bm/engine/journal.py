"""The journal of promotions: what was to be done, what is, and who wanted it. Each step is written with its work.

Whoever runs a promotion has a `Turn` at it; each write asks whether the turn still holds, so a process that slept while
another one took over writes nothing any more.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from core.bm.engine.steps import Plan, Step, step_from_json
from core.bm.versions import tables
from core.definition.model import Duty
from core.errors import NotFound, Refused, Words

ENDED = ("done", "failed", "cancelled", "abandoned")
OPEN = ("waiting", "running", "preparing", "flipped", "undoing")


class Superseded(Refused):
    """Another process took the promotion over; this one has nothing to do with it any more."""

    def __init__(self) -> None:
        super().__init__("another process has taken this promotion over; see `promotions`")


@dataclass(frozen=True, slots=True)
class Turn:
    """A process's turn at a promotion; void as soon as another process takes the promotion over."""

    promotion: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Open:
    """A promotion that has not ended."""

    id: int
    base: int | None
    target: int
    state: str
    by_name: str
    message: str
    plan: Mapping[str, Any]
    ends_as: str | None
    error: Words | str | None
    paused: Mapping[str, Any] | None
    account: int | None
    duty: str | None                         # what who began it on a page has to be allowed
    steps: tuple[Step, ...]
    states: Mapping[int, str]                # by the number of the step
    cursors: Mapping[int, Any]

    @property
    def flipped(self) -> bool:
        """Whether its version is live already."""
        return self.state == "flipped"

    @property
    def begun(self) -> bool:
        """Whether any step was begun but the first, which writes the promotion down."""
        return any(state != "waiting" for number, state in self.states.items() if number != self.steps[0].number)


def begin(connection: Connection, plan: Plan, base: int | None, target: int, message: str = "",
          account: int | None = None, name: str = "", waiting: bool = False,
          folder: Mapping[str, Any] | None = None, duty: Duty = "promote") -> int:
    """Open a promotion with all its steps waiting; gives its number. `waiting`: another process is to run it.

    An account has to be allowed its duty still when another process runs it.
    """
    row = {"base": base, "target": target, "plan": plan.as_json(), "plan_hash": plan.hash, "message": message,
           "state": "waiting" if waiting else "running", "by_account": account, "by_name": name, "folder": folder,
           "duty": duty if account is not None else None}
    number = connection.execute(tables.promotion.insert().values(row).returning(tables.promotion.c.id)).scalar_one()
    connection.execute(tables.step.insert(), [
        {"promotion_id": number, "number": step.number, "kind": step.kind, "target": step.target,
         "sql": ";\n".join(step.sql), "state": "waiting"} for step in plan.steps])
    return int(number)


def take(connection: Connection, promotion: int) -> Turn:
    """Begin a turn at a promotion, ending everybody else's; the caller holds the lock."""
    epoch = connection.execute(tables.promotion.update().values(
        runner_epoch=tables.promotion.c.runner_epoch + 1, host=socket.gethostname(), process=os.getpid(), paused=None)
        .where(tables.promotion.c.id == promotion).returning(tables.promotion.c.runner_epoch)).scalar_one()
    return Turn(promotion, epoch)


def check(connection: Connection, turn: Turn) -> None:
    """Hold a turn until the end of the transaction; raises Superseded when it is over."""
    found = connection.scalar(select(tables.promotion.c.id).where(
        tables.promotion.c.id == turn.promotion, tables.promotion.c.runner_epoch == turn.epoch)
        .with_for_update(read=True))
    if found is None:
        raise Superseded


def step_started(connection: Connection, turn: Turn, step: Step) -> None:
    """Note that a step is under way, from the beginning or from where it was."""
    _set_step(connection, turn, step, state="running", error=None, since=func.clock_timestamp(),
              since_done=tables.step.c.done, total=func.coalesce(tables.step.c.total, step.rows or None),
              started_on=func.coalesce(tables.step.c.started_on, func.clock_timestamp()))


def step_done(connection: Connection, turn: Turn, step: Step, cursor: Any = None,
              note: Words | str = "") -> None:
    """Note that a step is done, in the transaction that does it; `cursor` says what its undoing has to know."""
    _set_step(connection, turn, step, state="done", ended_on=func.clock_timestamp(), error=None, note=note,
              started_on=func.coalesce(tables.step.c.started_on, func.clock_timestamp()),
              **({} if cursor is None else {"cursor": cursor}))


def step_undone(connection: Connection, turn: Turn, step: Step) -> None:
    """Note that what a step did is taken back, in the transaction that does so."""
    _set_step(connection, turn, step, state="undone", ended_on=func.clock_timestamp(), note="")


def step_failed(connection: Connection, turn: Turn, step: Step, error: Words | str) -> None:
    """Note that a step cannot be done, and why."""
    _set_step(connection, turn, step, state="failed", ended_on=func.clock_timestamp(), error=error, note="")


def step_waits(connection: Connection, turn: Turn, step: Step, note: Words | str, done: int | None = None,
               total: int | None = None) -> None:
    """Note what a step waits for, and how far PostgreSQL is with it."""
    _set_step(connection, turn, step, note=note, **({} if done is None else {"done": done}),
              **({} if total is None else {"total": total}))


def batch_done(connection: Connection, turn: Turn, step: Step, cursor: Any, done: int, total: int | None) -> None:
    """Note, in the transaction of a batch, where the next one begins, and how many records this one did."""
    _set_step(connection, turn, step, cursor=cursor, done=tables.step.c.done + done,
              **({} if total is None else {"total": total}))


def _set_step(connection: Connection, turn: Turn, step: Step, **values: Any) -> None:
    check(connection, turn)
    connection.execute(tables.step.update().values(values).where(
        tables.step.c.promotion_id == turn.promotion, tables.step.c.number == step.number))


def statement(connection: Connection, turn: Turn, step: Step, sql: str, *, seconds: float, tries: int = 1,
              rows: int | None = None, undo: bool = False) -> None:
    """Write down a statement that has just been run, in its transaction."""
    check(connection, turn)
    table = tables.statement
    last = select(func.coalesce(func.max(table.c.number), 0) + 1).where(table.c.promotion_id == turn.promotion)
    connection.execute(insert(table).values(
        promotion_id=turn.promotion, number=last.scalar_subquery(), step=step.number, sql=sql, undo=undo, tries=tries,
        rows=rows, ended_on=func.clock_timestamp(),
        started_on=func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)))


def found_done(connection: Connection, turn: Turn, step: Step, sql: str) -> None:
    """Write down a statement whose runner was killed before it could: it ran at some time since its step began."""
    table = tables.statement
    there = select(table.c.number).where(table.c.promotion_id == turn.promotion, table.c.step == step.number,
                                         table.c.sql == sql, ~table.c.undo)
    if connection.execute(there).first() is None:
        since = select(func.extract("epoch", func.clock_timestamp() - tables.step.c.started_on)).where(
            tables.step.c.promotion_id == turn.promotion, tables.step.c.number == step.number)
        statement(connection, turn, step, sql, seconds=float(connection.execute(since).scalar_one()))


def batch_statement(connection: Connection, turn: Turn, step: Step, sql: str, *, seconds: float, rows: int) -> None:
    """The same for a statement that is run once for each batch: it is one entry, which counts them."""
    check(connection, turn)
    table = tables.statement
    changed = connection.execute(table.update().values(
        tries=table.c.tries + 1, rows=table.c.rows + rows, ended_on=func.clock_timestamp()).where(
        table.c.promotion_id == turn.promotion, table.c.step == step.number, table.c.sql == sql, ~table.c.undo))
    if not changed.rowcount:
        statement(connection, turn, step, sql, seconds=seconds, rows=rows)


def set_state(connection: Connection, turn: Turn, state: str, *, error: Words | str | None = None,
              ends_as: str | None = None) -> None:
    """Move a promotion: waiting, running, preparing, flipped, undoing; done, failed, cancelled, abandoned."""
    ended = {"ended_on": func.clock_timestamp()} if state in ENDED else {}
    changed = connection.execute(tables.promotion.update().values(state=state, error=error, ends_as=ends_as, **ended)
                                 .where(tables.promotion.c.id == turn.promotion,
                                        tables.promotion.c.runner_epoch == turn.epoch))
    if changed.rowcount != 1:
        raise Superseded


def pause(connection: Connection, turn: Turn, why: Mapping[str, Any] | None) -> None:
    """Note that nothing is done for a while and why, or, with None, that it goes on."""
    check(connection, turn)
    since = connection.execute(select(func.clock_timestamp())).scalar_one().isoformat()
    connection.execute(tables.promotion.update().values(paused=None if why is None else {**why, "since": since})
                       .where(tables.promotion.c.id == turn.promotion))


def must_be_idle(connection: Connection) -> None:
    """Raises Refused while a promotion is under way."""
    if unfinished(connection) is not None:
        raise Refused("a promotion is under way; look again when it has ended")


def unfinished(connection: Connection) -> Open | None:
    """The promotion that has not ended, if there is one."""
    row = connection.execute(select(tables.promotion).where(tables.promotion.c.state.in_(OPEN))
                             .order_by(tables.promotion.c.id).limit(1)).one_or_none()
    if row is None:
        return None
    steps = {one.number: one for one in connection.execute(
        select(*tables.step.c["number", "state", "cursor"]).where(tables.step.c.promotion_id == row.id))}
    return Open(row.id, row.base, row.target, row.state, row.by_name, row.message, row.plan, row.ends_as, row.error,
                row.paused, row.by_account, row.duty, tuple(step_from_json(step) for step in row.plan["steps"]),
                {number: one.state for number, one in steps.items()},
                {number: one.cursor for number, one in steps.items()})


# How far a promotion is

@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step as people follow it; `seconds_left` is worked out from its own speed, None where nobody can know."""

    number: int
    kind: str
    target: str
    state: str                               # waiting, running, done, undone, failed
    done: int
    total: int | None
    seconds: float
    seconds_left: float | None
    note: Words | str                        # what it waits for
    error: Words | str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """One promotion as people follow it."""

    id: int
    base: int | None
    target: int
    state: str
    back: bool
    by: str
    message: str
    host: str
    process: int | None
    started_on: datetime
    ended_on: datetime | None
    error: Words | str | None
    paused: Mapping[str, Any] | None         # why ("asked", "busy"), since, by, blockers
    asked: str | None                        # the last wish: pause, continue, cancel
    steps: tuple[StepProgress, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.state in ENDED

    @property
    def may_cancel(self) -> bool:
        """Whether it can still be cancelled: its version is not live yet."""
        return self.state in ("waiting", "running", "preparing")


def progress(connection: Connection, promotion: int) -> Progress:
    """How far a promotion is. Raises NotFound."""
    row = connection.execute(select(tables.promotion).where(tables.promotion.c.id == promotion)).one_or_none()
    if row is None:
        raise NotFound("there is no promotion {number}", number=promotion)
    asked = connection.scalar(select(tables.wish.c.wish).where(tables.wish.c.promotion_id == promotion)
                              .order_by(tables.wish.c.id.desc()).limit(1))
    now = connection.execute(select(func.clock_timestamp())).scalar_one()
    guesses = {step["number"]: float(step["seconds"]) for step in row.plan["steps"]}
    steps = [_step_progress(one, guesses.get(one.number, 0.0), now, row.ended_on) for one in connection.execute(
        select(tables.step).where(tables.step.c.promotion_id == promotion).order_by(tables.step.c.number))]
    return Progress(row.id, row.base, row.target, row.state, bool(row.plan["back"]), row.by_name, row.message, row.host,
                    row.process, row.started_on, row.ended_on, row.error, row.paused, asked, tuple(steps))


def _step_progress(row: Row[Any], guess: float, now: datetime, ended_on: datetime | None) -> StepProgress:
    seconds = 0.0 if row.started_on is None else ((row.ended_on or ended_on or now) - row.started_on).total_seconds()
    left: float | None = None
    if row.state == "waiting" and ended_on is None:
        left = guess
    elif row.state == "running" and ended_on is None:
        here = (now - row.since).total_seconds() if row.since is not None else seconds
        did = row.done - row.since_done
        if did > 0 and row.total is not None:
            left = max(row.total - row.done, 0) * here / did
        elif row.total is None:
            left = max(guess - here, 0.0) if guess else None
    return StepProgress(row.number, row.kind, row.target, row.state, row.done, row.total, seconds, left, row.note,
                        row.error)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that a promotion ran; `undo`: while it was taken back."""

    number: int
    step: int
    sql: str
    undo: bool
    started_on: datetime
    seconds: float
    tries: int
    rows: int | None


def statements(connection: Connection, promotion: int) -> tuple[Statement, ...]:
    """Each statement that a promotion ran, in order."""
    rows = connection.execute(select(tables.statement).where(tables.statement.c.promotion_id == promotion)
                              .order_by(tables.statement.c.number))
    return tuple(Statement(row.number, row.step, row.sql, row.undo, row.started_on,
                           (row.ended_on - row.started_on).total_seconds(), row.tries, row.rows) for row in rows)

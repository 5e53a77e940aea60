"""Apply a plan to live, step by step, each step journalled in the transaction that does it.

Everything before the flip is invisible to users, everything after it is hygiene. Killed anywhere, the next run
continues (after the flip) or starts again over what is there already (before it).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.bm import facts as fact_module
from core.bm import formulas, journal, live, tables
from core.bm.lock import holding
from core.bm.state import State
from core.bm.steps import Plan, Step
from core.database import ddl
from core.database.jobs import enqueue
from core.ed import search_index
from core.ed.schema import kept_part, name_all, parts, stored_fields
from core.ed.system import System
from core.errors import Refused, TesseraError, Words, words

if TYPE_CHECKING:
    from core.plugins import Plugins

PREPARE_SECONDS = 60.0          # how long workers may take to build a version
LEAVE_SECONDS = 30.0            # how long requests may go on with the old one before hygiene begins
PREPARE, LIVE = "tessera_prepare", "tessera_live"       # channels of NOTIFY; follow.py listens


class Fill(Protocol):
    """What brings the records of a `data` definition into a version that has just become live."""

    def __call__(self, engine: Engine, version: int, name: str) -> None: ...

    def system(self, connection: Connection, version: int) -> System:
        """A version over the database, as it is from its flip on."""


@dataclass(frozen=True)
class Order:
    """All that an apply needs: the plan, both states, what to store, and who wants it."""

    plan: Plan
    base: State
    target: State
    what: live.Contents | None          # None: the target is stored already (a way back)
    fill: Fill
    message: str = ""
    author: str = ""
    account: int | None = None


Say = Callable[[Step], None]


def apply(engine: Engine, order: Order, say: Say = lambda step: None) -> int:
    """Make the target live; gives the number of its version. Raises Refused, and what a step raises.

    Refused when the plan has problems or no longer fits what is live, or while another promotion runs.
    """
    if order.plan.problems:
        raise Refused("\n".join(map(str, order.plan.problems)))
    if order.plan.empty:
        return order.base.version or 0
    with holding(engine, order.author) as line:
        _check_still_fits(line, order)
        if not order.base.hash and not _records_exist(line):
            return _all_at_once(line, order, say)
        return Run(line, order, say).all()


def resume(engine: Engine, fill: Fill, plugins: Plugins, author: str = "", say: Say = lambda step: None) -> bool:
    """Finish what an earlier run left after its flip, and close what broke off before; True if there was any."""
    with engine.connect() as connection:
        waiting = connection.scalar(select(func.count()).where(
            tables.promotion.c.state.in_(("running", "preparing", "flipped"))))
    if not waiting:
        return False
    with holding(engine, author) as line:
        with line.begin() as connection:
            journal.abandon_broken(connection)
            left = journal.unfinished(connection)
            state = live.state(connection, left.target, plugins) if left else None
        if left is not None and state is not None:
            order = Order(Plan("", state.hash, "", steps=left.steps), state, state, None, fill)
            Run(line, order, say, left.id, left.target).after_flip()
    return True


def _check_still_fits(line: Engine, order: Order) -> None:
    with line.connect() as connection:
        version, _ = live.current(connection)
        if version != (order.base.version or 0):
            raise Refused("someone else promoted meanwhile; plan again")
        if fact_module.gather(connection).fingerprint != order.plan.fingerprint:
            raise Refused("the tables of the records changed since the plan was made; plan again")


def _records_exist(line: Engine) -> bool:
    with line.connect() as connection:
        return connection.scalar(text(
            "select 1 from pg_class where relnamespace = 'ed'::regnamespace and relkind = 'r' limit 1")) is not None


def _all_at_once(line: Engine, order: Order, say: Say) -> int:
    """The first promotion: nobody works yet, so the same steps make one transaction, and seeds come after it."""
    run = Run(line, order, say)
    ddl_steps = [step for step in order.plan.steps if step.kind in ("expand", "index", "validate", "park")]

    def before(connection: Connection) -> None:
        run.stage_in(connection)

    def after(connection: Connection) -> None:
        for step in ddl_steps:
            run.note_physical(connection, step)
        run.flip_in(connection, run.step("flip"))
        for step in order.plan.steps:
            if step.kind != "seed":
                journal.step_done(connection, run.promotion, step)

    with line.begin() as connection:
        before(connection)
        for step in ddl_steps:
            say(step)
            for statement in step.sql:
                ddl.execute(connection, statement)
        after(connection)
    run.after_flip()
    return run.version


class Run:
    """One promotion under way on the session that holds the lock."""

    def __init__(self, line: Engine, order: Order, say: Say, promotion: int = 0, version: int = 0) -> None:
        self.line = line
        self.order = order
        self.say = say
        self.promotion = promotion
        self.version = version
        self._rows: list[dict[str, object]] | None = None

    def all(self) -> int:
        """Every step; what fails before the flip leaves live as it was."""
        try:
            self.before_flip()
        except Exception as error:
            self._failed(error)
            raise
        self.after_flip()
        return self.version

    def before_flip(self) -> None:
        """stage, expand, index, prepare, flip."""
        with self.line.begin() as connection:
            self.stage_in(connection)
        for step in self.order.plan.steps:
            if step.kind in ("expand", "index", "suspend", "prepare", "flip"):
                self.say(step)
                self._do(step)

    def after_flip(self) -> None:
        """seed, compute, validate, park, and the names of members; each can be repeated."""
        rest = [step for step in self.order.plan.steps if step.kind in ("seed", "compute", "validate", "park")]
        if any(step.kind != "seed" for step in rest):
            self._wait_until_left()
        for step in rest:
            self.say(step)
            self._do(step)
        self._finish()

    def step(self, kind: str) -> Step:
        """The only step of that kind."""
        return next(step for step in self.order.plan.steps if step.kind == kind)

    def stage_in(self, connection: Connection) -> None:
        """Write the version, its identities and the journal."""
        order = self.order
        journal.abandon_broken(connection)
        if journal.unfinished(connection) is None:
            formulas.set_pending(connection, None, False)       # what a promotion that broke off had suspended
        if order.what is None:
            self.version = order.target.version or 0
        else:
            self.version = live.store(connection, order.what, order.target.identities, order.base.version,
                                      order.message, order.author, order.target.storages)
        journal.add_members(connection, order.target)
        self.promotion = journal.begin(connection, order.plan, order.base.version, self.version, order.message,
                                       order.account)
        journal.step_done(connection, self.promotion, self.step("stage"))

    def _do(self, step: Step) -> None:
        actions: dict[str, Callable[[Step], None]] = {
            "expand": self._expand, "index": self._index, "prepare": self._prepare, "flip": self._flip,
            "suspend": self._suspend, "seed": self._seed, "compute": self._compute,
            "validate": self._short, "park": self._park}
        actions[step.kind](step)

    def _expand(self, step: Step) -> None:
        def note(connection: Connection) -> None:
            self.note_physical(connection, step)
            journal.step_done(connection, self.promotion, step)
        ddl.run(self.line, step.sql, before=note)

    def _short(self, step: Step) -> None:
        ddl.run(self.line, step.sql, before=lambda connection: journal.step_done(connection, self.promotion, step))

    def note_physical(self, connection: Connection, step: Step) -> None:
        """Write down which columns hold the members of an expand step; parked ones are live again."""
        if self._rows is None:
            self._rows = _physical_rows(connection, self.order.target)
        rows = [row for row in self._rows if row["id"] in step.identities]
        if rows:
            statement = insert(tables.physical).values(rows)
            connection.execute(statement.on_conflict_do_update(
                index_elements=["id", "part"], set_={"state": "live", "changed_on": func.now()}))

    def _index(self, step: Step) -> None:
        """Build an index beside the users; a broken one of an earlier try goes first, and after a failure."""
        name = step.probe.names[0] if step.probe else ""
        with self.line.begin() as connection:
            journal.step_started(connection, self.promotion, step)
            valid = ddl.valid_index(connection, name)
        if not valid:
            if valid is False:
                ddl.run_concurrently(self.line, ddl.drop_index(name, concurrently=True))
            try:
                ddl.run_concurrently(self.line, step.sql[0])
            except DBAPIError as error:
                ddl.run_concurrently(self.line, ddl.drop_index(name, concurrently=True))
                raise Refused("{name}: the index cannot be made: {reason}", name=step.target,
                              reason=_reason(error)) from error
        with self.line.begin() as connection:
            journal.step_done(connection, self.promotion, step)

    def _prepare(self, step: Step) -> None:
        """Ask every process to build the new version; raises Refused with the worker's error, or when one is slow."""
        with self.line.begin() as connection:
            journal.step_started(connection, self.promotion, step)
            journal.set_state(connection, self.promotion, "preparing")
            connection.execute(tables.worker.update().values(error=None))       # what they say from now on counts
            notify(connection, PREPARE, self.version)
        end = time.monotonic() + PREPARE_SECONDS
        while waiting := self._unprepared():
            if time.monotonic() > end:
                raise Refused("these workers did not get ready in {seconds} seconds: {workers}; nothing was changed",
                              seconds=round(PREPARE_SECONDS), workers=", ".join(waiting))
            time.sleep(0.05)
        with self.line.begin() as connection:
            journal.step_done(connection, self.promotion, step)

    def _unprepared(self) -> list[str]:
        with self.line.connect() as connection:
            rows = connection.execute(select(*tables.worker.c["kind", "pid", "prepared", "error"]).where(
                tables.worker.c.lease_until > func.now())).all()
        for row in rows:
            if row.error and row.prepared != self.version:
                raise Refused("{worker} cannot run the new version: {reason}", worker=f"{row.kind} {row.pid}",
                              reason=row.error)
        return [f"{row.kind} {row.pid}" for row in rows if row.prepared != self.version]

    def _flip(self, step: Step) -> None:
        with self.line.begin() as connection:
            self.flip_in(connection, step)

    def flip_in(self, connection: Connection, step: Step) -> None:
        """The atomic point: compare the pointer, set it, journal it, tell everyone; rights to find things follow."""
        changed = connection.execute(
            tables.live.update().values(version=self.version, epoch=tables.live.c.epoch + 1)
            .where(tables.live.c.version.is_not_distinct_from(self.order.base.version)))
        if changed.rowcount != 1:
            raise Refused("someone else promoted meanwhile; plan again")
        self._follow_rights(connection)
        journal.step_done(connection, self.promotion, step)
        journal.set_state(connection, self.promotion, "flipped")
        notify(connection, LIVE, self.version)

    def _follow_rights(self, connection: Connection) -> None:
        """Let the search index follow: what may no longer be found goes with the flip, the rest is a job."""
        before, after = (None if state.model is None else System(0, state.model, state.identities, {})
                         for state in (self.order.base, self.order.target))
        if before is not None and after is not None and search_index.follow(connection, before, after):
            enqueue(connection, "rebuild_search", once="rebuild_search")

    def _wait_until_left(self) -> None:
        """Wait until every living worker saw the flip and no request of it runs an older version.

        After that time hygiene goes on: it loses nothing.
        """
        end = time.monotonic() + LEAVE_SECONDS
        while time.monotonic() < end:
            with self.line.connect() as connection:
                behind = connection.scalar(select(func.count()).select_from(tables.worker).where(
                    tables.worker.c.lease_until > func.now(),
                    tables.worker.c.version.is_distinct_from(self.version) | tables.worker.c.oldest.is_not(None)))
            if not behind:
                return
            time.sleep(0.05)

    def _seed(self, step: Step) -> None:
        self.order.fill(self.line, self.version, step.target.removeprefix("data "))
        with self.line.begin() as connection:
            journal.step_done(connection, self.promotion, step)

    def _suspend(self, step: Step) -> None:
        """From now on whoever builds a version reads these formulas as if they were not stored."""
        with self.line.begin() as connection:
            formulas.set_pending(connection, step.identities, True)
            journal.step_done(connection, self.promotion, step)

    def _compute(self, step: Step) -> None:
        """Work out stored formulas in all records; then what is stored is read again."""
        formulas.work_out(self.line, self.order.fill.system, self.version, (self.promotion, step.number),
                          step.target)
        with self.line.begin() as connection:
            formulas.set_pending(connection, step.identities, False)
            journal.step_done(connection, self.promotion, step)
            live.raise_epoch(connection)
            notify(connection, LIVE, self.version)

    def _park(self, step: Step) -> None:
        for statement in step.sql:
            if step.probe is not None and step.probe.what == "gone":
                ddl.run_concurrently(self.line, statement)      # an index
            else:
                ddl.run(self.line, (statement,))
        with self.line.begin() as connection:
            connection.execute(tables.physical.update().values(state="parked", changed_on=func.now())
                               .where(tables.physical.c.id.in_(step.identities)))
            journal.step_done(connection, self.promotion, step)

    def _finish(self) -> None:
        """Give the members their names, remove what earlier runs left over, and close the journal."""
        target = self.order.target
        with self.line.begin() as connection:
            journal.name_members(connection, target.identities,
                                 {path: target.meaning(path) for path in target.members})
        _drop_left_over(self.line)
        with self.line.begin() as connection:
            journal.set_state(connection, self.promotion, "done")

    def _failed(self, error: Exception) -> None:
        if not self.promotion:
            return
        try:
            with self.line.begin() as connection:
                journal.set_state(connection, self.promotion, "failed", _first_line(error))
        except DBAPIError:
            return                    # the database is gone too; the next run finds the promotion open and closes it


def notify(connection: Connection, channel: str, version: int) -> None:
    """Tell listening processes, when the transaction commits."""
    connection.execute(text("select pg_notify(:channel, :payload)"), {"channel": channel, "payload": str(version)})


def _physical_rows(connection: Connection, target: State) -> list[dict[str, object]]:
    """The row of sys.physical for each table and column of a state."""
    if target.model is None:
        return []
    kept = {(row.id, row.part): (row.table_name, row.column_name) for row in connection.execute(
        select(*tables.physical.c["id", "part", "table_name", "column_name"]))}
    names = name_all(target.model, target.identities, kept, target.storages)
    types = {(target.storage(f"{field.table}.{field.name}"), kept_part(target.identities, field, part)): column_type
             for root in dict.fromkeys(table.root for table in target.model.tables.values())
             for field in stored_fields(target.model, root) for part, column_type in parts(field)}
    return [{"id": storage, "part": part, "table_name": table, "column_name": column,
             "type": types.get((storage, part), "table"), "state": "live"}
            for (storage, part), (table, column) in names.items()]


def _drop_left_over(line: Engine) -> None:
    """Remove columns and tables that a promotion made before it broke off; no version ever used them.

    One short transaction for each physical table, tried again while people hold it: a foreign key takes its target's
    lock too, so that waiting for one while holding the other could lock people out for good.
    """
    with line.connect() as connection:
        left = journal.left_over(connection)
        rows = connection.execute(select(*tables.physical.c["id", "table_name", "column_name"])
                                  .where(tables.physical.c.id.in_(left))).all()
    whole = {row.table_name for row in rows if row.column_name is None}
    for table in sorted({row.table_name for row in rows}, key=lambda name: (name not in whole, name)):
        own = [row for row in rows if row.table_name == table]
        statement = ddl.drop_table(table) if table in whole else \
            ddl.drop_columns(table, sorted(row.column_name for row in own))
        ddl.run(line, statement, before=partial(journal.forget_members, identities={row.id for row in own}))
    with line.begin() as connection:
        journal.forget_members(connection, set(left) - {row.id for row in rows})


def _reason(error: DBAPIError) -> str | Words:
    """What PostgreSQL says against an index, in the words of those who made two records equal."""
    detail = getattr(getattr(error.orig, "diag", None), "message_detail", None)
    if isinstance(error, IntegrityError) and detail:
        return words("two records are equal in what is to be unique ({detail})", detail=detail)
    return _first_line(error)


def _first_line(error: Exception) -> str:
    said = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
    return said.strip().split("\n")[0] if not isinstance(error, TesseraError) else said

"""Run a plan on live, step by step, each step journalled in the transaction that does it.

Everything before the flip is invisible to users, everything after it is hygiene. What fails or is cancelled before the
flip is undone; what breaks off anywhere is taken up by whoever comes next. What the kinds of steps do is told to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from core.bm.engine import journal, wishes
from core.bm.engine.batches import Batches, Writing
from core.bm.engine.journal import Superseded
from core.bm.engine.steps import KINDS, Kind, Plan, Step
from core.bm.engine.wishes import Cancelled, Left
from core.bm.versions import live, members, tables
from core.bm.versions.state import State
from core.database import ddl
from core.database.ddl import Busy, Ran
from core.database.engine import sqlstate
from core.definition.model import Duty
from core.ed.system import System
from core.errors import TesseraError, Told, Words, joined, words, words_to_json

LOOK = 0.3                      # seconds between two looks at what people ask
TRIES = 3                       # how often a step is tried that fails because of what others did at the same moment
BUDGET = 30.0                   # seconds that one transaction may wait for its locks
BEFORE: frozenset[Kind] = frozenset(list(KINDS)[1:list(KINDS).index("flip") + 1])
AFTER: frozenset[Kind] = frozenset(list(KINDS)[list(KINDS).index("flip") + 1:])
# At the end no trigger notes any more what is to be filled; what people wrote at the moment it went is right already.
NO_MARKS = text("delete from sys.touched")
RETRY = ddl.RETRY | {"40001"}


class Fill(Protocol):
    """What brings the records of a `data` definition into a version that has just become live."""

    def __call__(self, engine: Engine, version: int, name: str) -> tuple[Words, ...]:
        """Bring them in, in one transaction; gives those that could not be."""

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
    folder: Mapping[str, Any] | None = None     # the site's folder, to be noted when all is done
    duty: Duty = "promote"              # what the account has to be allowed still when another process runs it


Say = Callable[[Step], None]
Stop = Callable[[], Literal["", "cancel", "leave"]]     # whether this process is to end, and what becomes of the rest


def silent(step: Step) -> None:
    """Tell nobody which step runs."""


def never() -> Literal[""]:
    """Go on until the end."""
    return ""


@dataclass(frozen=True, slots=True)
class Action:
    """How steps of a kind are done, and undone."""

    do: Callable[[Run, Step], None]
    undo: Callable[[Run, Step], None]


class Run:
    """One promotion under way on the session that holds the lock. `line` is a pool of that one connection."""

    def __init__(self, line: Engine, engine: Engine, actions: Mapping[Kind, Action], order: Order,
                 turn: journal.Turn, version: int, say: Say = silent, stop: Stop = never,
                 states: Mapping[int, str] | None = None) -> None:
        self.line = line
        self.engine = engine            # other connections, for what must not wait for that one
        self.actions = actions
        self.order = order
        self.turn = turn
        self.version = version
        self.say = say
        self.stop = stop
        self.states = dict(states or {})            # of the steps, by number
        self.flipped = False
        self._looked = 0.0

    # The order of things

    def all(self) -> None:
        """Every step that is not done; what fails or is cancelled before the flip is undone. Raises what it raises."""
        if not self.flipped:
            self._before()
        self.after()

    def _before(self) -> None:
        try:
            for step in self._waiting(BEFORE):
                self._do(step)
        except (Left, Superseded):
            raise
        except Busy as busy:
            self._pause({"why": "busy", "blockers": [words_to_json(one) for one in busy.blockers]})
            raise
        except Exception as error:
            if self._lost(error):
                raise
            self.undo("cancelled" if isinstance(error, Cancelled) else "failed", first_line(error))
            raise

    def after(self) -> None:
        """What follows the flip; a step that the records do not allow is told in the journal, and the others go on."""
        self.flipped = True
        for step in self._waiting(AFTER):
            try:
                self._do(step)
            except (Superseded, Busy):
                raise
            except (TesseraError, IntegrityError, DataError) as error:     # the latter would come again each time
                if self._lost(error):
                    raise
                with self.begin() as connection:
                    journal.step_failed(connection, self.turn, step, first_line(error))
                self.states[step.number] = "failed"
        self._finish()

    def _waiting(self, kinds: Iterable[Kind]) -> Iterator[Step]:
        for step in self.order.plan.steps:
            if step.kind in kinds and self.states.get(step.number, "waiting") in ("waiting", "running"):
                self.check()
                yield step

    def _do(self, step: Step) -> None:
        self.say(step)
        with self.begin() as connection:
            journal.step_started(connection, self.turn, step)
        self.states[step.number] = "running"
        for tries in range(1, TRIES + 1):
            try:
                self.actions[step.kind].do(self, step)
                break
            except DBAPIError as error:
                if tries == TRIES or sqlstate(error) not in RETRY:
                    raise
                self.pause(ddl.PAUSE)
        self.states[step.number] = "done"

    def undo(self, ends_as: str, error: Words | str) -> None:
        """Take back what the steps did, the last one first, and close the journal."""
        with self.begin() as connection:
            journal.set_state(connection, self.turn, "undoing", error=error, ends_as=ends_as)
        for step in reversed(self.order.plan.steps):
            if self.states.get(step.number) in ("running", "done"):
                self.actions[step.kind].undo(self, step)
                self.states[step.number] = "undone"
        self.forget_left_over()
        with self.begin() as connection:
            connection.execute(NO_MARKS)
            journal.set_state(connection, self.turn, ends_as, error=error)

    def _finish(self) -> None:
        """Give the members their names, remove what earlier releases left over, and close the journal."""
        target = self.order.target
        with self.begin() as connection:
            members.name(connection, target.identities, {path: target.meaning(path) for path in target.members},
                         target.storages)
        self.forget_left_over()
        with self.begin() as connection:
            connection.execute(NO_MARKS)
            failed = connection.execute(select(tables.step.c.number, tables.step.c.kind, tables.step.c.error).where(
                tables.step.c.promotion_id == self.turn.promotion, tables.step.c.state == "failed")
                .order_by(tables.step.c.number)).all()
            told = joined((words("step {number} ({kind}): {problem}", number=row.number,
                                 kind=words(KINDS.get(row.kind, row.kind)), problem=row.error) for row in failed), "; ")
            journal.set_state(connection, self.turn, "done", error=told if failed else None)

    def _lost(self, error: Exception) -> bool:
        """Whether the connection with the lock is gone: then this run can do nothing any more."""
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        try:
            with self.line.connect() as connection:
                connection.execute(select(1))
        except (DBAPIError, TesseraError):
            return True
        return False

    # What people ask

    def check(self) -> None:
        """Obey what people ask, at the most a few times a second. Raises Cancelled before the flip, Left."""
        if time.monotonic() < self._looked + LOOK:
            return
        with self.line.connect() as connection:
            asked = self.obey(connection)
        if asked is not None and asked.wish == "pause":
            self._wait_paused(asked.by)

    def pause(self, seconds: float) -> None:
        """Wait, obeying meanwhile what people ask."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LOOK))
            self.check()

    def leave(self) -> None:
        """Of all that is asked only this, for what is taken back is taken back: raises Left."""
        if self.stop() == "leave":
            raise Left

    def obey(self, connection: Connection) -> wishes.Asked | None:
        """What was asked last, once it is obeyed as far as this process can. Raises Cancelled, Left."""
        self._looked = time.monotonic()
        if ending := self.stop():
            if ending == "cancel" and not self.flipped:
                raise Cancelled("cancelled; nothing was changed")
            raise Left
        asked = wishes.last(connection, self.turn.promotion)
        if asked is not None and asked.wish == "cancel" and not self.flipped:
            raise Cancelled("cancelled by {name}; nothing was changed", name=asked.by)
        return asked

    def _wait_paused(self, by: str) -> None:
        self._pause({"why": "asked", "by": by})
        while True:
            time.sleep(LOOK)
            with self.line.connect() as connection:
                asked = self.obey(connection)
            if asked is None or asked.wish != "pause":
                break
        self._pause(None)
        for step in self.order.plan.steps:
            if self.states.get(step.number) == "running":
                with self.begin() as connection:
                    journal.step_started(connection, self.turn, step)

    def _pause(self, why: Mapping[str, Any] | None) -> None:
        with self.begin() as connection:
            journal.pause(connection, self.turn, why)

    # What the actions work with

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction in which this run's turn holds. Raises Superseded."""
        with self.line.begin() as connection:
            journal.check(connection, self.turn)
            yield connection

    def batches(self, step: Step) -> Batches:
        """A step's work in short transactions."""
        return Batches(self, step)

    def system(self, connection: Connection, version: int) -> System:
        """A version over the database, built once for the run."""
        return self.order.fill.system(connection, version)

    def short(self, step: Step, statements: Iterable[str], note: Callable[[Connection], object] | None = None,
              undo: bool = False) -> int:
        """Statements in one short transaction with their journal; `note` comes first in it. Raises Busy.

        Where a note needs the locks of the statements, `locked` is the other way round.
        """
        def before(connection: Connection) -> None:
            journal.check(connection, self.turn)
            if note is not None:
                note(connection)
        wait = time.sleep if undo else self.pause
        return ddl.run(self.line, statements, budget=BUDGET, before=before, pause=wait,
                       after=partial(self.ran, step, undo=undo))

    def locked(self, step: Step, statements: Iterable[str], then: Callable[[Connection], object]) -> int:
        """Statements in one short transaction, and what is to be done while nobody else works on their tables."""
        wanted = list(statements)

        def attempt(connection: Connection, tries: int) -> None:
            journal.check(connection, self.turn)
            for statement in wanted:
                self.ran(step, connection, ddl.timed(connection, statement, tries))
            then(connection)
        return ddl.tried(self.line, attempt, wanted, budget=BUDGET, pause=self.pause)

    def change(self, step: Step, connection: Connection, statement: Writing, given: Any = None) -> int:
        """Run a statement that is run many times, and count it in its one entry; the rows it touched."""
        began = time.monotonic()
        rows = int(connection.execute(statement, given).rowcount)
        journal.batch_statement(connection, self.turn, step, str(statement.compile(dialect=connection.dialect)),
                                seconds=time.monotonic() - began, rows=rows)
        return rows

    def ran(self, step: Step, connection: Connection, done: Ran, undo: bool = False) -> None:
        """Write down a statement that was run."""
        journal.statement(connection, self.turn, step, done.sql, seconds=done.seconds, tries=done.tries,
                          rows=done.rows, undo=undo)

    def done(self, connection: Connection, step: Step, cursor: Any = None, note: Words | str = "") -> None:
        """Note that a step is done, in the transaction that does it; `cursor` is what its undoing has to know."""
        journal.step_done(connection, self.turn, step, cursor, note)

    def forget_left_over(self) -> None:
        """Remove columns and tables that were never live; no version ever used them.

        One short transaction for each physical table, tried again while people hold it: a foreign key takes its
        target's lock too, so that waiting for one while holding the other could lock people out for good.
        """
        with self.line.connect() as connection:
            left = members.left_over(connection)
            rows = connection.execute(select(*tables.physical.c["id", "table_name", "column_name"])
                                      .where(tables.physical.c.id.in_(left))).all()
        whole = {row.table_name for row in rows if row.column_name is None}
        for table in sorted({row.table_name for row in rows}, key=lambda name: (name not in whole, name)):
            own = [row for row in rows if row.table_name == table]
            statement = ddl.drop_table(table) if table in whole else \
                ddl.drop_columns(table, sorted(row.column_name for row in own))
            self.short(self.order.plan.steps[0], (statement,), partial(members.forget, identities={
                row.id for row in own}), undo=True)
        with self.begin() as connection:
            members.forget(connection, set(left) - {row.id for row in rows})


def first_line(error: Exception) -> Words | str:
    """What an error says, shortly; what is ours in the language of whoever reads it."""
    if isinstance(error, Told):
        return error.words
    said = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
    return said.strip().split("\n")[0] if not isinstance(error, TesseraError) else said

"""The work of a step in short transactions: each batch notes where the next one begins, so a killed one goes on there.

    batches = run.batches(step)
    while True:
        with batches.begin() as connection:
            rows = ...                                      # after batches.cursor
            batches.note(connection, cursor, len(rows))
        if not rows: break
        batches.breathe()
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, TextClause, UpdateBase, select

from core.bm.engine import journal
from core.bm.engine.journal import Turn
from core.bm.engine.steps import Step
from core.bm.versions import tables

Writing = UpdateBase | TextClause
PAUSE = 0.01                    # seconds between two batches, which are the others'


class Runner(Protocol):
    """What batches need of the run of a promotion."""

    line: Engine
    turn: Turn

    def begin(self) -> AbstractContextManager[Connection]:
        """A transaction in which the turn holds."""

    def check(self) -> None:
        """Obey what people ask; raises Cancelled, Left."""

    def change(self, step: Step, connection: Connection, statement: Writing, given: Any = None) -> int:
        """Run a statement that is run many times, and count it in the journal; the rows it touched."""


class Batches:
    """One step in batches. `cursor` is what the last batch noted: any JSON, None before the first."""

    def __init__(self, run: Runner, step: Step) -> None:
        self.run, self.step = run, step
        with run.begin() as connection:
            self.cursor: Any = connection.scalar(select(tables.step.c.cursor).where(
                tables.step.c.promotion_id == run.turn.promotion, tables.step.c.number == step.number))

    @property
    def line(self) -> Engine:
        """The pool of the one connection that holds the promotion's lock."""
        return self.run.line

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """The transaction of a batch. A batch that fails leaves the cursor where it was."""
        before = self.cursor
        try:
            with self.run.begin() as connection:
                yield connection
        except BaseException:
            self.cursor = before
            raise

    def note(self, connection: Connection, cursor: Any, done: int, total: int | None = None) -> None:
        """In the transaction of a batch: where the next one begins, and how many records this one did.

        `total` corrects how many there are in all; first it is what the plan said.
        """
        journal.batch_done(connection, self.run.turn, self.step, cursor, done, total)
        self.cursor = cursor

    def change(self, connection: Connection, statement: Writing, given: Any = None) -> int:
        """In the transaction of a batch: run a statement that is the same for each; the rows it touched."""
        return self.run.change(self.step, connection, statement, given)

    def breathe(self) -> None:
        """Between two batches: let others work, and obey them. Raises Cancelled before the flip, Left."""
        time.sleep(PAUSE)
        self.run.check()

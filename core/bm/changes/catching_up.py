"""What is filled before the flip, in batches, and catches up with those who write meanwhile.

The triggers are there before the first batch, so that each record is either read by a batch after its last write, or
marked in sys.touched and done again. In the transaction of the flip nobody writes, and the last marks are worked off.
After it, what old requests still write is done too, until none of them is left. What a step fills, and how it is told
from its data alone, so any process can go on with it: columns of a table (filling.py), or rows of another (copying.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from core.bm.changes.copying import Copying
from core.bm.changes.filling import Change, Filling, Versions
from core.bm.engine import journal
from core.database import ddl

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.bm.engine.batches import Batches
    from core.bm.engine.run import Run
    from core.bm.engine.steps import Step

FEW = 100                       # marks that are left for the transaction of the flip
ROUNDS = 100                    # how often marks are worked off before the flip, where people write without end


class Work(Protocol):
    """What a step fills."""

    @property
    def written(self) -> str:
        """The physical table that people write to, whose records are marked."""

    def batch(self, connection: Connection, after: int) -> tuple[int, int] | None:
        """Do the next records: the last id, and how many; None if there are no more."""

    def work_off(self, connection: Connection, flipped: bool = False) -> int:
        """Do what is marked, a batch of it; how many marks are worked off."""

    def forget(self, connection: Connection) -> None:
        """Remove all marks."""

    def afterwards(self, batches: Batches) -> None:
        """What else is done once the new version is live."""

    def take_back(self, connection: Connection) -> bool:
        """Remove what nobody ever saw, a batch of it; whether there may be more."""


WORKS: Mapping[str, Callable[[Mapping[str, Any], Versions, Change], Work]] = {"columns": Filling, "rows": Copying}


def _work(run: Run, step: Step) -> Work:
    """As a run of a promotion has it: before the flip and after it, in the same process or in another one."""
    return WORKS[step.data["how"]](step.data, Versions(run.order.base.version, run.version, run.system),
                                   partial(run.change, step))


def _fills(run: Run) -> Iterator[tuple[Step, Work]]:
    return ((step, _work(run, step)) for step in run.order.plan.steps if step.kind == "fill")


def fill(run: Run, step: Step) -> None:
    """All records in batches, then what was written meanwhile, until little of that is left."""
    work, batches = _work(run, step), run.batches(step)
    while _batch(work, batches):
        batches.breathe()
    _catch_up(run, step, work)
    with run.begin() as connection:
        run.done(connection, step)


def _batch(work: Work, batches: Batches) -> bool:
    with batches.begin() as connection:
        done = work.batch(connection, batches.cursor or 0)
        if done is None:
            return False
        batches.note(connection, *done)
    return True


def _catch_up(run: Run, step: Step, work: Work) -> None:
    """Work off what was written meanwhile, until little of it is left."""
    batches = run.batches(step)
    for _ in range(ROUNDS):
        with run.begin() as connection:
            if work.work_off(connection) < FEW:
                return
        batches.breathe()


def undo_fill(run: Run, step: Step) -> None:
    """Nobody marks anything any more, for the triggers go; what was filled was never seen."""
    work = _work(run, step)
    more = True
    while more:
        with run.begin() as connection:
            more = work.take_back(connection)
    with run.begin() as connection:
        work.forget(connection)
        journal.step_undone(connection, run.turn, step)


def before_flip(run: Run) -> None:
    """Shortly before the flip, that little is left to do in it."""
    for step, work in _fills(run):
        _catch_up(run, step, work)


def at_flip(run: Run, connection: Connection) -> None:
    """In the transaction of the flip: from here to its end nobody writes, and all that was written is done.

    It waits for locks 100 ms at most, and is done again from its beginning when it did not get them.
    """
    works = [work for _, work in _fills(run)]
    for table in sorted({work.written for work in works}):
        ddl.execute(connection, ddl.lock_writers(table))
    for work in works:
        while work.work_off(connection):
            pass


def settle(run: Run, step: Step) -> None:
    """What requests of the old version wrote after the flip is done too; then nothing is noted any more."""
    work, batches = _work(run, step), run.batches(step)
    while True:
        with run.begin() as connection:
            if not work.work_off(connection, flipped=True):
                break
        batches.breathe()
    work.afterwards(batches)

    def rest(connection: Connection) -> None:
        while work.work_off(connection, flipped=True):
            pass
        work.forget(connection)
        run.done(connection, step)
    run.locked(step, step.sql, rest)        # who wrote before the triggers went has committed, and left a mark

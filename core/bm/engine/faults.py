"""What broke a promotion off that nobody foresaw: kept with its place, and tried again later and later.

A fault is a row, so that every process knows how often it was tried and when it may be tried again, by the clock of the
database. Who asks to go on, or promotes, tries at once.
"""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

from core.bm.engine import journal
from core.bm.engine.journal import OPEN, Superseded, Turn
from core.bm.engine.run import first_line
from core.bm.engine.wishes import Cancelled, Left
from core.bm.versions import tables
from core.errors import TesseraError, Words

FIRST = timedelta(seconds=10)           # until the second try; then twice as long each time
LONGEST = timedelta(hours=1)
CORE = Path(__file__).parents[2]
DOUBLINGS = 20                          # more would be no interval any more


@dataclass(frozen=True, slots=True)
class Fault:
    """The last one of a promotion: what was said, where in the code and at which step, and when it is tried again."""

    said: Words | str
    place: str
    step: int | None
    tries: int
    happened_on: datetime
    next_on: datetime
    waits: bool                         # it is not time yet, and nobody asked to go on

    def sentence(self) -> str:
        """It in one line."""
        at = f" at step {self.step}" if self.step is not None else ""
        first = str(self.said).split("\n")[0]
        return f"it broke off{at}: {first}{f' ({self.place})' if self.place else ''}"


@contextmanager
def kept(line: Engine, turn: Turn) -> Iterator[None]:
    """Write down what breaks a promotion off within, unless it has ended with it, or rests for a person to go on."""
    try:
        yield
    except (Left, Superseded, Cancelled):
        raise
    except Exception as error:
        with suppress(DBAPIError, TesseraError):        # without the connection there is nothing to be written with
            _write(line, turn, error)
        raise


def _write(line: Engine, turn: Turn, error: Exception) -> None:
    promotion, step = tables.promotion, tables.step
    with line.begin() as connection:
        journal.check(connection, turn)
        if connection.scalar(select(promotion.c.id).where(promotion.c.id == turn.promotion, promotion.c.state.in_(OPEN),
                                                          promotion.c.paused.is_(None))) is None:
            return
        running = connection.scalar(select(func.max(step.c.number)).where(
            step.c.promotion_id == turn.promotion, step.c.state == "running"))
        connection.execute(tables.fault.insert().values(
            promotion_id=turn.promotion, step=running, said=_said(error), place=_place(error),
            host=socket.gethostname(), process=os.getpid()))


def _said(error: Exception) -> Words | str:
    """The first line of what an error says; of one that is none of ours its name too."""
    said = first_line(error)
    return said if isinstance(error, TesseraError) else f"{type(error).__name__}: {said}"


def _place(error: Exception) -> str:
    """The innermost line of core that it went through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(CORE):
            return f"{path.relative_to(CORE.parent)}:{frame.lineno}"
    return ""


def last(connection: Connection, promotion: int) -> Fault | None:
    """The last fault of a promotion; None if there was none."""
    fault, wish = tables.fault, tables.wish
    count = select(func.count()).where(fault.c.promotion_id == promotion).scalar_subquery()
    wait = func.least(FIRST * func.power(2, func.least(count - 1, DOUBLINGS)), LONGEST)
    asked = select(func.max(wish.c.asked_on)).where(
        wish.c.promotion_id == promotion, wish.c.wish == "continue").scalar_subquery()
    row = connection.execute(
        select(fault.c["said"], fault.c.place, fault.c.step, fault.c.happened_on, count.label("tries"),
               (fault.c.happened_on + wait).label("next_on"),
               ((fault.c.happened_on + wait > func.clock_timestamp())
                & (func.coalesce(asked, fault.c.happened_on) <= fault.c.happened_on)).label("waits"))
        .where(fault.c.promotion_id == promotion).order_by(fault.c.id.desc()).limit(1)).one_or_none()
    return Fault(row.said, row.place, row.step, row.tries, row.happened_on, row.next_on, row.waits) \
        if row is not None else None

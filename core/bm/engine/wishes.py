"""What people ask of a promotion that runs elsewhere: to pause, to go on, to be cancelled.

A wish is a row, so that every process can ask and see who asked; whoever runs the promotion looks between batches,
between steps, and while it waits for a lock.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from core.bm.engine.journal import ENDED
from core.bm.versions import tables
from core.errors import NotFound, Refused

Wish = Literal["pause", "continue", "cancel"]


class Cancelled(Refused):
    """Somebody cancelled the promotion before its version was live; all that it had made is gone."""


class Left(Exception):
    """The process is told to end: what is left of the promotion is for another one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish and who had it."""

    wish: Wish
    by: str
    on: datetime


def ask(connection: Connection, promotion: int, wish: Wish, name: str, account: int | None = None) -> None:
    """Ask it of a promotion. Raises NotFound; Refused where it is too late: it has ended, or its version is live."""
    row = connection.execute(select(tables.promotion.c.state).where(tables.promotion.c.id == promotion)
                             .with_for_update(read=True)).one_or_none()      # the flip waits for us, or we for it
    if row is None:
        raise NotFound("there is no promotion {number}", number=promotion)
    if row.state in ENDED:
        raise Refused("promotion {number} has ended already", number=promotion)
    if wish == "cancel" and row.state == "flipped":
        raise Refused("the version of promotion {number} is live already; roll back instead", number=promotion)
    connection.execute(tables.wish.insert().values(
        promotion_id=promotion, wish=wish, by_account=account, by_name=name, host=socket.gethostname(),
        process=os.getpid()))


def last(connection: Connection, promotion: int) -> Asked | None:
    """What was asked last."""
    row = connection.execute(select(*tables.wish.c["wish", "by_name", "asked_on"]).where(
        tables.wish.c.promotion_id == promotion).order_by(tables.wish.c.id.desc()).limit(1)).one_or_none()
    return Asked(row.wish, row.by_name, row.asked_on) if row is not None else None

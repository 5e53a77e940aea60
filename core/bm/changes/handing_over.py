"""What is known of records under the identity of a field that goes on as another one: history, files, what was shipped.

A field of a table that gets a base goes on as the base's of that name, which has an identity of its own; on the way
back it is the other way around.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, select, text

from core.bm.changes.filling import BATCH

if TYPE_CHECKING:
    from core.bm.engine.batches import Batches
    from core.definition.model import Field
    from core.ed.system import System

Pairs = Sequence[Sequence[int]]         # an identity of before, and that of now

_HISTORY = text("update sys.history set change = (change - :old) || jsonb_build_object(:new, change -> :old)"
                " where record_id = any(:ids) and change ? :old and not change ? :new")
_SHIPPED = text("update sys.seed set shipped = (shipped - :old) || jsonb_build_object(:new, shipped -> :old)"
                " where record_id = any(:ids) and shipped ? :old and not shipped ? :new")
_FILES = text("update sys.file set field_id = cast(:new as bigint)"
              " where record_id = any(:ids) and field_id = cast(:old as bigint)")


def pairs(before: System, after: System, fields: Iterable[tuple[Field, Field]]) -> Iterator[tuple[int, int]]:
    """The identities of fields that have another one from now on."""
    for former, field in fields:
        old = before.identities[f"{former.table}.{former.name}"]
        new = after.identities[f"{field.table}.{field.name}"]
        if old != new:
            yield old, new


def hand_over(batches: Batches, source: Table, type_: int, found: Pairs) -> None:
    """Write anew what is known of the records of a table, in batches of them; done twice is done once."""
    c = source.c
    while found:
        with batches.begin() as connection:
            ids = list(connection.scalars(select(c.id).where(c.id > (batches.cursor or 0), c["_type"] == type_)
                                          .order_by(c.id).limit(BATCH)))
            if not ids:
                return
            for old, new in found:
                given: dict[str, Any] = {"old": str(old), "new": str(new), "ids": ids}
                for statement in (_HISTORY, _SHIPPED, _FILES):
                    batches.change(connection, statement, given)
            batches.note(connection, ids[-1], len(ids))
        batches.breathe()

"""The rows of one table on their way to another physical table, with columns that get other values on it.

Rows are copied by the database as they are; then the same sources as in filling.py fill what is not to be copied, from
the rows as the version before has them. Marks are taken away before a row is read: whoever writes meanwhile waits to
set a new one, or has written what is copied.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    and_,
    any_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from core.bm.changes import handing_over
from core.bm.changes.filling import BATCH, TYPE, Change, Filling, Versions, one_by_one, quietly, touched
from core.bm.versions import tables
from core.bm.versions.tables import IDS
from core.database import ddl
from core.ed.schema import SYSTEM_COLUMNS
from core.ed.tables import typed

if TYPE_CHECKING:
    from core.bm.engine.batches import Batches

log = logging.getLogger("tessera.filling")


# What is JSON in `Step.data`:
#   {"how": "rows", "type": the identity of the table, "source": ..., "into": physical tables,
#    "columns": [[there, here, type], ...] that are copied, "parts": [PART, ...] that are filled (filling.py),
#    "handed": [[identity before, identity now], ...] (handing_over.py), "new_home": its home, if it is a new one}

class Copying:
    """The rows of one table, made of a step's data alone."""

    def __init__(self, data: Mapping[str, Any], versions: Versions, change: Change) -> None:
        self.change = change
        self.type, self.handed, self.new_home = int(data["type"]), data["handed"], data["new_home"]
        self.written = str(data["source"])
        self.filled = Filling({"table": data["into"], "parts": data["parts"]}, versions, change)
        own = [(into, source, kind) for into, source, kind in data["columns"]]
        self.pairs = [*((name, name, kind) for name, kind in SYSTEM_COLUMNS.items()), *own]
        read = {name: kind for part in self.filled.parts for name, kind in part["reads"]}
        held = {name: kind for part in self.filled.parts for name, kind in part["into"]}
        self.source = _table(self.written, {**read, **{name: kind for _, name, kind in self.pairs}})
        self.into = _table(data["into"], {**held, **{name: kind for name, _, kind in self.pairs}})
        self._reads, self._into = [*read], [*held]

    def batch(self, connection: Connection, after: int) -> tuple[int, int] | None:
        """Copy the next rows, and remove those between them that are no more; the last id, and how many."""
        s, t, there = self.source.c, self.into.c, self.source.alias()
        ids = list(connection.scalars(select(s.id).where(s.id > after, s[TYPE] == self.type).order_by(s.id)
                                      .limit(BATCH)))
        self.copy(connection, ids)
        gone = [t[TYPE] == self.type, t.id > after,
                ~exists().where(there.c.id == t.id, there.c[TYPE] == self.type)]
        with quietly(connection):
            self.change(connection, delete(self.into).where(*gone, *((t.id <= ids[-1],) if len(ids) == BATCH else ())))
        return (ids[-1], len(ids)) if ids else None

    def copy(self, connection: Connection, ids: Sequence[int]) -> None:
        """Make rows what they are where they stand, and fill the rest."""
        if ids:
            with quietly(connection):
                self.change(connection, self._statement(), {"ids": list(ids)})
            if self.filled.parts:
                self._fill(connection, ids)

    def _statement(self) -> Insert:
        """The one statement that copies rows."""
        s, t = self.source.c, self.into.c
        rows = select(*(s[name] for _, name, _ in self.pairs)).where(s.id == any_(IDS), s[TYPE] == self.type)
        new = insert(self.into).from_select([name for name, _, _ in self.pairs], rows, include_defaults=False)
        values = {name: new.excluded[name] for name, _, _ in self.pairs if name != "id"}
        differs = or_(*(t[name].is_distinct_from(value) for name, value in values.items()))
        return new.on_conflict_do_update(index_elements=["id"], set_=values,
                                         where=and_(t[TYPE] == self.type, differs))

    def _fill(self, connection: Connection, ids: Sequence[int]) -> None:
        """Values from the rows as they are read, beside what stands where they go."""
        s, t = self.source.c, self.into.c
        rows = select(s.id, *(s[name] for name in self._reads), *(t[name] for name in self._into)).join_from(
            self.source, self.into, and_(s.id == t.id, s[TYPE] == t[TYPE])).where(
            s.id == any_(IDS), s[TYPE] == self.type).order_by(s.id)
        found = [dict(row) for row in connection.execute(rows, {"ids": list(ids)}).mappings()]
        self.filled.write(connection, found, self.filled.parts)

    def work_off(self, connection: Connection, flipped: bool = False) -> int:
        """Copy what is marked, a batch of it, and remove what is no more; how many marks are worked off."""
        c, s, t = touched.c, self.source.c, self.into.c
        ids = list(connection.scalars(select(c.record).where(c.storage == self.type).order_by(c.record).limit(BATCH)
                                      .with_for_update(skip_locked=True)))
        if not ids:
            return 0
        connection.execute(delete(touched).where(c.storage == self.type, c.record == any_(IDS)), {"ids": ids})
        there = set(connection.scalars(select(s.id).where(s.id == any_(IDS), s[TYPE] == self.type), {"ids": ids}))
        if flipped:
            one_by_one(connection, sorted(there), lambda some: self.copy(connection, some), self._left_out)
        else:
            self.copy(connection, sorted(there))
        gone = [one for one in ids if one not in there]
        if gone:
            with quietly(connection):
                self.change(connection, delete(self.into).where(t.id == any_(IDS), t[TYPE] == self.type), {"ids": gone})
        return len(ids)

    def _left_out(self, record: int, error: Exception) -> None:
        log.warning("record %s stays as it was in %s: %s", record, self.into.name, error)

    def forget(self, connection: Connection) -> None:
        """Remove all marks."""
        connection.execute(delete(touched).where(touched.c.storage == self.type))

    def afterwards(self, batches: Batches) -> None:
        """What is known of the records by fields that go on as others."""
        handing_over.hand_over(batches, self.source, self.type, self.handed)

    def take_back(self, connection: Connection) -> bool:
        """The copies go where none stood before; elsewhere they stay, unseen, for the next promotion to replace.

        So what is found there in a field that gets values is from when people saw it, and is kept.
        """
        if self.new_home is None:
            return False
        t, member = self.into.c, tables.member
        first = select(t.id).where(t[TYPE] == self.type).order_by(t.id).limit(BATCH)
        with quietly(connection):
            rows = self.change(connection, delete(self.into).where(t.id.in_(first)))
        if not rows:
            connection.execute(update(member).where(member.c.id == self.type).values(
                homes=func.array_remove(member.c.homes, self.new_home)))
        return rows > 0


def _table(name: str, columns: Mapping[str, str]) -> Table:
    kinds = {"id": BigInteger(), TYPE: Integer()}
    return Table(name, MetaData(schema=ddl.SCHEMA), *(
        Column(column, kinds.get(column, typed(kind)), primary_key=column == "id")
        for column, kind in columns.items()))

"""Columns that get their values from others while people write: in batches, then what was written meanwhile.

A batch never waits for a row: what somebody holds is marked too. After the flip a write of the new version takes the
mark away. How it catches up with what people write is in catching_up.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Table,
    any_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from core.bm.versions.tables import IDS
from core.database import ddl
from core.ed.rowset import encode, rowset
from core.ed.tables import typed
from core.types.registry import registry

if TYPE_CHECKING:
    from core.bm.engine.batches import Batches, Writing
    from core.ed.system import System
    from core.types.base import FieldType

BATCH = 1_000
TYPE = "_type"
T = TypeVar("T")
log = logging.getLogger("tessera.filling")

touched = Table("touched", MetaData(schema="sys"), Column("storage", BigInteger, primary_key=True),
                Column("record", BigInteger, primary_key=True), Column("made", Boolean))
Row = Mapping[str, Any]                 # the id of a record, and what stands in the columns by their physical names
Columns = Sequence[Sequence[str]]       # pairs of a physical name and a PostgreSQL type, as JSON keeps them


class Change(Protocol):
    """What writes records."""

    def __call__(self, connection: Connection, statement: Writing, given: Any = None) -> int:
        """Run a statement, and count it in the journal; the rows it touched."""


@dataclass(frozen=True)
class Versions:
    """Both versions of a promotion, for sources that need more than columns."""

    base: int | None
    target: int
    system: Callable[[Connection, int], System]         # a version over the database, built once

    def types(self, connection: Connection) -> Mapping[str, FieldType[Any]]:
        """All types of fields by name, those of addons too."""
        plugins: Any = self.system(connection, self.target).plugins
        return registry() if plugins is None else plugins.field_types


class Source(Protocol):
    """Where the values of one field's new columns come from."""

    def values(self, connection: Connection, rows: Sequence[Row]) -> Mapping[int, Sequence[Any]]:
        """For each record, what its new columns get, in their order; one that is left out keeps what it has.

        The rows have `id` and the columns that the part names in `reads` and `into`; nobody changes them meanwhile.
        """


# What is JSON in `Step.data` of a fill:
#   {"how": "columns", "table": "company_1", "parts": [PART, ...], "without": [identities of tables, ...]}
# PART: {"how": the name of a source, "path": "company.size", "storage": 120, "into": COLUMNS, "reads": COLUMNS,
#        "any": whether it hangs on more than the columns it reads, "inserted": whether every new record is filled,
#        "through": other tables that it reads, with the arguments of `ddl.track_from`, ... what the source needs}
Part = Mapping[str, Any]


# In the plan

def tracking(table: str, parts: Iterable[Part]) -> tuple[list[str], list[str]]:
    """The triggers that mark what is written meanwhile, and what removes them."""
    made, names, through = [], [], list[tuple[str, str]]()
    for part in parts:
        storage, reads = int(part["storage"]), [name for name, _ in part["reads"]]
        watched = [] if part.get("any") else reads
        new = [] if part.get("inserted") else watched
        for event, columns, done in (("insert", new, False), ("update", watched, False),
                                     ("update", [name for name, _ in part["into"]], True)):
            name = f"fill_{storage}_{'done' if done else event}"
            names.append(name)
            made.append(ddl.track(name, table, storage, event, columns, done=done))     # type: ignore[arg-type]
        for place, (other, column, reached) in enumerate(part.get("through", ())):
            through.append((f"fill_{storage}_from_{place}", other))
            made.append(ddl.track_from(through[-1][0], other, storage, column, reached))
    return made, [ddl.drop_trigger(name, of) for name, of in (*((name, table) for name in names), *through)]


# When it is applied

@contextmanager
def quietly(connection: Connection) -> Iterator[None]:
    """What is written here is no news to the triggers."""
    set_ = text("select set_config(:name, :value, true)")
    connection.execute(set_, {"name": ddl.FILLING, "value": "on"})
    yield
    connection.execute(set_, {"name": ddl.FILLING, "value": ""})


def one_by_one(connection: Connection, some: Sequence[T], do: Callable[[Sequence[T]], object],
               left_out: Callable[[T, IntegrityError], object]) -> None:
    """All at once; if two records turn out equal in what is unique, one by one, leaving those out."""
    try:
        with connection.begin_nested():
            do(some)
    except IntegrityError as error:
        if len(some) == 1:
            left_out(some[0], error)
            return
        for one in some:
            one_by_one(connection, [one], do, left_out)


class Filling:
    """One table's columns to be filled, made of a step's data alone."""

    def __init__(self, data: Mapping[str, Any], versions: Versions, change: Change) -> None:
        self.change = change                # runs what writes records, and counts it in the journal
        self.parts: tuple[Part, ...] = tuple(data["parts"])
        self.written = str(data["table"])
        self.without = sorted(data.get("without", ()))      # kinds of records that come with values of their own
        self.versions = versions
        names = {TYPE: "integer"} | {name: kind for part in self.parts
                                     for name, kind in (*part["reads"], *part["into"])}
        self.table = Table(self.written, MetaData(schema=ddl.SCHEMA), Column("id", BigInteger, primary_key=True),
                           *(Column(name, typed(kind)) for name, kind in names.items()))
        self._sources: dict[int, Source] = {}

    def batch(self, connection: Connection, after: int) -> tuple[int, int] | None:
        """Fill the next records; the last id, and how many. Those that somebody holds are marked instead."""
        ids = self.after(connection, after)
        if not ids:
            return None
        held = self.hold(connection, ids)
        self.mark(connection, set(ids) - held.keys())
        self.write(connection, list(held.values()), self.parts)
        return ids[-1], len(ids)

    def afterwards(self, batches: Batches) -> None:
        """Nothing: the values are all there is."""

    def take_back(self, connection: Connection) -> bool:
        """Nothing: the columns go with what made them."""
        return False

    # Reading

    def after(self, connection: Connection, cursor: int) -> list[int]:
        """The next records."""
        c = self.table.c
        return list(connection.scalars(select(c.id).where(c.id > cursor, *self._own()).order_by(c.id).limit(BATCH)))

    def _own(self) -> list[ColumnElement[bool]]:
        return [self.table.c[TYPE].not_in(self.without)] if self.without else []

    def hold(self, connection: Connection, ids: Sequence[int]) -> dict[int, Row]:
        """The records that nobody else holds, as they are, and as they stay until the end of the transaction."""
        statement = select(self.table).where(self.table.c.id == any_(IDS), *self._own()).order_by(
            self.table.c.id).with_for_update(key_share=True, skip_locked=True)
        return {row["id"]: dict(row) for row in connection.execute(statement, {"ids": list(ids)}).mappings()}

    # Marks

    def mark(self, connection: Connection, ids: Iterable[int], part: Part | None = None) -> None:
        """Note records to be filled later."""
        rows = [{"storage": one["storage"], "record": id_, "made": False} for id_ in ids
                for one in (self.parts if part is None else (part,))]
        if rows:
            connection.execute(insert(touched).on_conflict_do_update(
                index_elements=["storage", "record"], set_={"made": False}), rows)

    def work_off(self, connection: Connection, flipped: bool = False) -> int:
        """Fill what is marked, a batch of it; how many marks are worked off.

        After the flip a mark that tells of a new record counts only if the old version made it.
        """
        found: dict[int, list[int]] = {}
        fresh = set[tuple[int, int]]()
        ours = touched.c.storage.in_([one["storage"] for one in self.parts])
        for row in connection.execute(select(touched).where(ours).order_by(touched.c.record).limit(BATCH)):
            found.setdefault(row.storage, []).append(row.record)
            fresh |= {(row.storage, row.record)} if row.made else set()
        done = 0
        for part in self.parts:
            ids = found.get(int(part["storage"]), [])
            held = self.hold(connection, ids) if ids else {}
            rows = list(held.values())
            if flipped:
                made = [row["id"] for row in rows if (part["storage"], row["id"]) in fresh]
                new = self._made_by_target(connection, made) if made else set()
                rows = [row for row in rows if row["id"] not in made or (row["id"] not in new and _empty(part, row))]
            self._write_each(connection, rows, part) if flipped else self.write(connection, rows, (part,))
            gone = self._gone(connection, set(ids) - held.keys())
            done += self._unmark(connection, part, [*held, *gone])
        return done

    def _gone(self, connection: Connection, ids: set[int]) -> set[int]:
        if not ids:
            return set()
        there = connection.scalars(select(self.table.c.id).where(self.table.c.id == any_(IDS), *self._own()),
                                   {"ids": sorted(ids)})
        return ids - set(there)

    def _unmark(self, connection: Connection, part: Part, ids: Sequence[int]) -> int:
        if not ids:
            return 0
        return connection.execute(touched.delete().where(touched.c.storage == part["storage"],
                                                         touched.c.record == any_(IDS)), {"ids": list(ids)}).rowcount

    def forget(self, connection: Connection) -> None:
        """Remove all marks."""
        connection.execute(touched.delete().where(touched.c.storage.in_([one["storage"] for one in self.parts])))

    def _made_by_target(self, connection: Connection, ids: Sequence[int]) -> set[int]:
        """The records that the new version made, as history tells."""
        return set(connection.scalars(text(
            "select record_id from sys.history where record_id = any(:ids) and version = :version"
            " and change -> '_version' -> 0 = 'null'"), {"ids": list(ids), "version": self.versions.target}))

    # Writing

    def write(self, connection: Connection, rows: Sequence[Row], parts: Sequence[Part]) -> None:
        """Fill the columns of some parts in records that are held, by one statement."""
        columns: dict[str, Any] = {}
        values: dict[int, dict[str, Any]] = {}
        for part in parts:
            names = [name for name, _ in part["into"]]
            found = self._source(part).values(connection, rows)
            columns.update((name, typed(kind)) for name, kind in part["into"])
            for id_, given in found.items():
                values.setdefault(id_, {"id": id_}).update(zip(names, map(_plain, given), strict=True))
        # A record that one part leaves out keeps what it has: it is written with the others as it was.
        held = {row["id"]: row for row in rows}
        complete = [{**{name: _plain(held[id_][name]) for name in columns}, **given} for id_, given in values.items()]
        if not complete:
            return
        new = rowset({"id": BigInteger(), **columns})
        statement = update(self.table).values({name: new.c[name] for name in columns}).where(
            self.table.c.id == new.c.id)
        with quietly(connection):
            self.change(connection, statement, encode(complete))

    def _write_each(self, connection: Connection, rows: Sequence[Row], part: Part) -> None:
        one_by_one(connection, rows, lambda some: self.write(connection, some, (part,)),
                   lambda row, error: log.warning("%s of record %s keeps its value: %s", part["path"], row["id"],
                                                  error.orig))

    def _source(self, part: Part) -> Source:
        from core.bm.changes.fill_sources import SOURCES
        storage = int(part["storage"])
        if storage not in self._sources:
            self._sources[storage] = SOURCES[part["how"]](part, self.versions)
        return self._sources[storage]


def _empty(part: Part, row: Row) -> bool:
    return all(row[name] is None for name, _ in part["into"])


def _plain(value: Any) -> Any:
    """A value of a column as JSON that PostgreSQL reads back: spans of time are not what Python writes."""
    if isinstance(value, timedelta):
        return f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"
    return value

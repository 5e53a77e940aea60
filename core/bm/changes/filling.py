"""Columns that get their values from others while people write: in batches, then what was written meanwhile.

The transaction that makes the triggers (`tracking`) comes before the first batch, so that each record is either read
by a batch after its last write, or marked in sys.touched and filled again. A batch never waits for a row: what somebody
holds is marked too. In the transaction of the flip nobody writes, and the last marks are worked off. After it, what old
requests still write is filled until none of them is left; a write of the new version takes the mark away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import BigInteger, Boolean, Column, Connection, MetaData, Table, any_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from core.bm.engine.steps import Step
from core.bm.versions.tables import IDS
from core.database import ddl
from core.ed.rowset import encode, rowset
from core.ed.tables import typed
from core.types.registry import registry

if TYPE_CHECKING:
    from core.bm.engine.batches import Batches, Writing
    from core.bm.engine.run import Run
    from core.ed.system import System
    from core.types.base import FieldType

BATCH = 1_000
FEW = 100                       # marks that are left for the transaction of the flip
ROUNDS = 100                    # how often marks are worked off before the flip, where people write without end
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
#   {"table": "company_1", "parts": [PART, ...]}
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

def fill(run: Run, step: Step) -> None:
    """All records in batches, then what was written meanwhile, until little of that is left."""
    work, batches = Filling.of(run, step), run.batches(step)
    while _batch(work, batches):
        batches.breathe()
    catch_up(run, step, Filling.of(run, step).work_off)
    with run.begin() as connection:
        run.done(connection, step)


def undo_fill(run: Run, step: Step) -> None:
    """Nobody marks anything any more, for the triggers go with the columns; what is in these was never seen."""
    from core.bm.engine import journal
    with run.begin() as connection:
        Filling.of(run, step).forget(connection)
        journal.step_undone(connection, run.turn, step)


def catch_up(run: Run, step: Step, work_off: Callable[[Connection], int]) -> None:
    """Work off what was written meanwhile, until little of it is left."""
    batches = run.batches(step)
    for _ in range(ROUNDS):
        with run.begin() as connection:
            if work_off(connection) < FEW:
                return
        batches.breathe()


def before_flip(run: Run) -> None:
    """Shortly before the flip, that little is left to do in it."""
    for step in _fills(run):
        catch_up(run, step, Filling.of(run, step).work_off)


def at_flip(run: Run, connection: Connection) -> None:
    """In the transaction of the flip: from here to its end nobody writes, and all that was written is filled."""
    steps = sorted(_fills(run), key=lambda step: str(step.data["table"]))
    for step in steps:
        ddl.execute(connection, ddl.lock_writers(step.data["table"]))
    for step in steps:
        work = Filling.of(run, step)
        while work.work_off(connection):
            pass


def settle(run: Run, step: Step) -> None:
    """What requests of the old version wrote after the flip is filled; then nothing is noted any more."""
    work, batches = Filling.of(run, step), run.batches(step)
    while True:
        with run.begin() as connection:
            if not work.work_off(connection, flipped=True):
                break
        batches.breathe()

    def rest(connection: Connection) -> None:
        while work.work_off(connection, flipped=True):
            pass
        work.forget(connection)
        run.done(connection, step)
    run.locked(step, step.sql, rest)        # who wrote before the triggers went has committed, and left a mark


def _fills(run: Run) -> list[Step]:
    return [step for step in run.order.plan.steps if step.kind == "fill" and "parts" in step.data]


def _batch(work: Filling, batches: Batches) -> bool:
    with batches.begin() as connection:
        ids = work.after(connection, batches.cursor or 0)
        if not ids:
            return False
        held = work.hold(connection, ids)
        work.mark(connection, set(ids) - held.keys())
        work.write(connection, list(held.values()), work.parts)
        batches.note(connection, ids[-1], len(ids))
    return True


class Filling:
    """One table's columns to be filled, made of a step's data alone."""

    def __init__(self, data: Mapping[str, Any], versions: Versions, change: Change) -> None:
        self.change = change                # runs what writes records, and counts it in the journal
        self.parts: tuple[Part, ...] = tuple(data["parts"])
        self.versions = versions
        names = {name: kind for part in self.parts for name, kind in (*part["reads"], *part["into"])}
        self.table = Table(str(data["table"]), MetaData(schema=ddl.SCHEMA), Column("id", BigInteger, primary_key=True),
                           *(Column(name, typed(kind)) for name, kind in names.items()))
        self._sources: dict[int, Source] = {}

    @classmethod
    def of(cls, run: Run, step: Step) -> Filling:
        """As a run of a promotion has it: before the flip and after it, in the same process or in another one."""
        plan = run.order.plan
        data = step.data if step.kind == "fill" else next(
            one.data for one in plan.steps if one.kind == "fill" and one.data.get("table") == step.data["table"])
        return cls(data, Versions(run.order.base.version, run.version, run.system), partial(run.change, step))

    # Reading

    def after(self, connection: Connection, cursor: int) -> list[int]:
        """The next records."""
        c = self.table.c
        return list(connection.scalars(select(c.id).where(c.id > cursor).order_by(c.id).limit(BATCH)))

    def hold(self, connection: Connection, ids: Sequence[int]) -> dict[int, Row]:
        """The records that nobody else holds, as they are, and as they stay until the end of the transaction."""
        statement = select(self.table).where(self.table.c.id == any_(IDS)).order_by(self.table.c.id).with_for_update(
            key_share=True, skip_locked=True)
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
        there = connection.scalars(select(self.table.c.id).where(self.table.c.id == any_(IDS)), {"ids": sorted(ids)})
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
        connection.execute(text("select set_config(:name, 'on', true)"), {"name": ddl.FILLING})
        self.change(connection, statement, encode(complete))
        connection.execute(text("select set_config(:name, '', true)"), {"name": ddl.FILLING})

    def _write_each(self, connection: Connection, rows: Sequence[Row], part: Part) -> None:
        """All at once; if two records turn out equal in what is unique, one by one, leaving those out."""
        try:
            with connection.begin_nested():
                self.write(connection, rows, (part,))
        except IntegrityError as error:
            if len(rows) == 1:
                log.warning("%s of record %s keeps its value: %s", part["path"], rows[0]["id"], error.orig)
                return
            for row in rows:
                self._write_each(connection, [row], part)

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

"""Records that go to another physical table, for their table gets another base or loses it; beside the people who work.

They keep their ids, and with them history, files, links and what is found. What the columns hold is copied by the
database, in batches, and again where somebody wrote meanwhile; the version before never sees it. Where they stood
everything stays, parked; a way back copies what changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
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
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from core.bm.changes import handing_over
from core.bm.changes.expanding import wanted_tables
from core.bm.changes.filling import BATCH, Change, catch_up, touched
from core.bm.changes.migrations import fills
from core.bm.engine import journal
from core.bm.engine.steps import BATCHES, BRIEF, WRITERS, Probe, Step, risk_of
from core.bm.versions.homes import home
from core.bm.versions.tables import IDS
from core.database import ddl
from core.ed.schema import SYSTEM_COLUMNS, Stored, kept_part, name_all, parts
from core.ed.system import System
from core.ed.tables import typed
from core.errors import Words, words

if TYPE_CHECKING:
    from core.bm.engine.run import Run
    from core.bm.inputs.facts import Facts
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Field, Model
    from core.ed.schema import DesiredTable

HOW = "rows"
COPIED_PER_SECOND = 50_000
EVENTS: tuple[ddl.Event, ...] = ("insert", "update", "delete")


@dataclass(frozen=True)
class Move:
    """A table whose records go from one physical table to another; its columns as (there, here, type)."""

    path: str
    type: int                                   # its identity, which rows and marks are known by
    source: str
    into: str
    columns: tuple[tuple[str, str, str], ...]
    handed: tuple[tuple[int, int], ...] = ()    # identities of fields that go on as others

    @property
    def data(self) -> dict[str, Any]:
        """It as a step keeps it."""
        return {"how": HOW, "type": self.type, "source": self.source, "into": self.into,
                "columns": [list(one) for one in self.columns], "handed": [list(one) for one in self.handed]}


# In the plan

def moves(way: Way) -> Iterator[Move]:
    """The tables with records of their own that are in both versions and stand in two places."""
    base, target = way.base, way.target
    if base.model is None or target.model is None:
        return
    before, after = system_of(base, base.model, way.facts), system_of(target, target.model, way.facts)
    for path, table in target.model.tables.items():
        former = base.names.get(target.identities[path])
        if former is None or table.abstract or home(base, former) == home(target, path):
            continue
        old, new = before.stored(former), after.stored(path)
        pairs = [pair for field in table.fields.values() if not field.virtual
                 for pair in columns(before, after, old, new, field)]
        goes_on = [(was, field) for field in table.fields.values() if not field.virtual
                   and (was := former_field(before, after, former, field)) is not None]
        yield Move(path, target.identities[path], old.table.name, new.table.name, tuple(pairs),
                   tuple(handing_over.pairs(before, after, goes_on)))


def problems(way: Way) -> Iterator[Words]:
    """Values that records shall get on their way: what copies them takes along what they have."""
    for one in () if way.back else fills(way.base, way.target, way.answers):
        if home(way.base, one.before) != home(way.target, one.table):
            yield way.problem("field", one.field, words(
                '"{name}" gets other values, and its table another base; promote one of the two first, then the other',
                name=one.field))


def system_of(state: State, model: Model, facts: Facts) -> System:
    """A state over the database, as far as names go."""
    names = name_all(model, state.identities, facts.physical, state.storages)
    return System(0, model, state.identities, names, storages=state.storages)


def columns(before: System, after: System, old: Stored, new: Stored, field: Field) -> Iterator[tuple[str, str, str]]:
    """The columns of a field that take something over: from the same field, or from one of that name and meaning."""
    former = former_field(before, after, old.definition.name, field)
    if former is None:
        return
    there = {kept_part(before.identities, former, part): part for part, _ in parts(former)}
    for part, kind in parts(field):
        was = there.get(kept_part(after.identities, field, part))
        if was is not None and dict(parts(former))[was] == kind:
            yield new.name(field.name, part), old.name(former.name, was), kind


def former_field(before: System, after: System, table: str, field: Field) -> Field | None:
    """What a table of the base has for a field of the target: the same one, or one of its name above or beneath."""
    fields = before.model.tables[table].fields
    identity = after.identities[f"{field.table}.{field.name}"]
    path = before.names.get(identity)
    if path is not None:
        same = fields.get(path.partition(".")[2])
        if same is not None and before.identities[f"{same.table}.{same.name}"] == identity:
            return None if same.virtual else same
    for name in (field.name, *field.was):
        found = fields.get(name)
        if found is None or found.virtual or field.fresh:
            continue
        if before.identities[found.table] == after.identities[field.table]:
            continue                            # within one table its identity says what a field was
        if found.type.name == field.type.name and parts(found) == parts(field) \
                and _ends(before, found) == _ends(after, field):
            return found
    return None


def _ends(system: System, field: Field) -> object:
    """What the values of a field lead to or are chosen from."""
    return (tuple(sorted(system.identities[name] for name in field.targets if name in system.identities)),
            getattr(field.properties, "of", None) if not field.targets else None)


def without_what_goes(way: Way) -> Facts:
    """The facts as they are once the tables that records go to are ready for them: the other steps are planned so."""
    gone = {name for _, constraints, indexes in _in_the_way(way) for name in (*constraints, *indexes)}
    facts = way.facts
    if not gone:
        return facts
    return replace(facts, constraints={name: one for name, one in facts.constraints.items() if name not in gone},
                   references={name: one for name, one in facts.references.items() if name not in gone},
                   indexes={name: one for name, one in facts.indexes.items() if name not in gone})


def _in_the_way(way: Way) -> Iterator[tuple[str, list[str], list[str]]]:
    """Of each table that is there and gets records: the constraints and unique indexes that come back afterwards.

    In a table that the base uses only the keys that lead to records which are not there yet.
    """
    facts, into = way.facts, {one.into for one in moves(way)}
    used = {table.name: table for table in wanted_tables(way.base, way.target, facts)}
    unique = {index.name for table in wanted_tables(way.target, way.base, facts) for index in table.indexes
              if index.unique}
    for table in sorted(into & facts.columns.keys()):
        constraints = [name for name, (of, _) in facts.constraints.items() if of == table and (
            table not in used or facts.references.get(name) in into)]
        indexes = [name for name, (of, _) in facts.indexes.items() if of == table and table not in used
                   and (name in unique or name.startswith("uq_"))]
        if constraints or indexes:
            yield table, constraints, indexes


def steps(way: Way) -> Iterator[Step]:
    """Triggers that note what is written, the batches, and what is left to do after the flip."""
    found = list(moves(way))
    for one in found:
        triggers = ((one.source, [ddl.track(f"move_{one.type}_{event}", one.source, one.type, event)
                                  for event in EVENTS]),
                    (one.into, [ddl.track(f"move_{one.type}_done", one.into, one.type, "update", done=True)]))
        removed = {one.source: [ddl.drop_trigger(f"move_{one.type}_{event}", one.source) for event in EVENTS],
                   one.into: [ddl.drop_trigger(f"move_{one.type}_done", one.into)]}
        rows = way.facts.rows.get(one.source, 0)
        for table, made in triggers:
            yield Step(0, "expand", one.path, tuple(made), WRITERS, "additive", rows, 0.01,
                       undo=tuple(removed[table]), note=words("what is written meanwhile is noted"))
        yield Step(0, "fill", one.path, lock=BATCHES, risk=risk_of(rows), rows=rows,
                   seconds=round(rows / COPIED_PER_SECOND, 2), data=one.data,
                   note=words("its records go to {table}, beside the people who write", table=f"ed.{one.into}"))
        yield Step(0, "settle", one.path, tuple(removed[one.source] + removed[one.into]), BRIEF, data=one.data,
                   note=words("what old requests wrote since the flip is copied"))
    yield from _parked(way, found)


def room(way: Way) -> Iterator[Step]:
    """Before anything is made: what is in the way of records in tables that are there."""
    names = {one.into: one.path for one in moves(way)}
    for table, constraints, indexes in _in_the_way(way):
        sql = [ddl.drop_constraints(table, constraints)] if constraints else []
        sql += [ddl.drop_index(name) for name in indexes]
        undo = _again(table, constraints, wanted_tables(way.base, way.target, way.facts))
        yield Step(0, "expand", names[table], tuple(sql), BRIEF, undo=undo,
                   probe=Probe("gone", table, (*constraints, *indexes)),
                   note=words("keys and conditions make room for records, and come back after them"))


def _again(table: str, constraints: Iterable[str], used: Iterable[DesiredTable]) -> tuple[str, ...]:
    """What makes the keys again that the base uses."""
    return tuple(ddl.add_foreign_key(key.name, table, key.column, key.target) for one in used if one.name == table
                 for key in one.foreign_keys if key.name in set(constraints))


def _parked(way: Way, found: list[Move]) -> Iterator[Step]:
    """A table that nothing is in any more keeps its rows for a way back, and keeps nobody else's."""
    used = {table.name for table in wanted_tables(way.target, way.base, way.facts)}
    roots = {way.facts.physical[key][0]: key[0] for key, (_, column) in way.facts.physical.items() if column is None}
    left = {one.source: one.path for one in found if one.source not in used}
    for table, path in sorted(left.items()):
        keys = [name for name, (of, _) in way.facts.constraints.items() if of == table and name in way.facts.references]
        yield Step(0, "park", path, (ddl.drop_constraints(table, keys),) if keys else (), BRIEF if keys else "",
                   identities=(roots[table],) if table in roots else (),
                   note=words("{table} stays beside with its rows as they were, for a way back", table=f"ed.{table}"))


# When it is applied

class Copying:
    """The rows of one table on their way, made of a step's data alone."""

    def __init__(self, data: Any, change: Change) -> None:
        self.change = change                # runs what writes records, and counts it in the journal
        self.type = int(data["type"])
        self.handed = data["handed"]
        own = [(into, source, kind) for into, source, kind in data["columns"]]
        self.pairs = [*((name, name, kind) for name, kind in SYSTEM_COLUMNS.items()), *own]
        self.source = _table(data["source"], [(name, kind) for _, name, kind in self.pairs])
        self.into = _table(data["into"], [(name, kind) for name, _, kind in self.pairs])

    @classmethod
    def of(cls, run: Run, step: Step) -> Copying:
        """As a run of a promotion has it."""
        return cls(step.data, partial(run.change, step))

    def batch(self, connection: Connection, after: int) -> tuple[int, int] | None:
        """Copy the next rows, and remove those between them that are no more; the last id, and how many."""
        connection.execute(_FILLING, {"name": ddl.FILLING})
        s, t, there = self.source.c, self.into.c, self.source.alias()
        next_ones = select(s.id).where(s.id > after, s["_type"] == self.type).order_by(s.id).limit(BATCH)
        ids = list(connection.scalars(next_ones))
        self.copy(connection, ids)
        gone = [t["_type"] == self.type, t.id > after,
                ~exists().where(there.c.id == t.id, there.c["_type"] == self.type)]
        self.change(connection, delete(self.into).where(*gone, *((t.id <= ids[-1],) if len(ids) == BATCH else ())))
        return (ids[-1], len(ids)) if ids else None

    def copy(self, connection: Connection, ids: list[int]) -> None:
        """Make rows what they are where they stand."""
        if ids:
            self.change(connection, self.statement(), {"ids": ids})

    def statement(self) -> Insert:
        """The one statement that copies rows."""
        s, t = self.source.c, self.into.c
        rows = select(*(s[name] for _, name, _ in self.pairs)).where(s.id == any_(IDS), s["_type"] == self.type)
        new = insert(self.into).from_select([name for name, _, _ in self.pairs], rows, include_defaults=False)
        values = {name: new.excluded[name] for name, _, _ in self.pairs if name != "id"}
        differs = or_(*(t[name].is_distinct_from(value) for name, value in values.items()))
        return new.on_conflict_do_update(index_elements=["id"], set_=values,
                                         where=and_(t["_type"] == self.type, differs))

    def work_off(self, connection: Connection) -> int:
        """Copy what is marked, a batch of it, and remove what is no more; how many marks are worked off.

        Marks are taken away first: whoever writes meanwhile waits to set a new one, or has written what is copied.
        """
        connection.execute(_FILLING, {"name": ddl.FILLING})
        c, s, t = touched.c, self.source.c, self.into.c
        ids = list(connection.scalars(select(c.record).where(c.storage == self.type).order_by(c.record).limit(BATCH)
                                      .with_for_update(skip_locked=True)))
        if not ids:
            return 0
        connection.execute(delete(touched).where(c.storage == self.type, c.record == any_(IDS)), {"ids": ids})
        there = set(connection.scalars(select(s.id).where(s.id == any_(IDS), s["_type"] == self.type), {"ids": ids}))
        self.copy(connection, sorted(there))
        gone = [one for one in ids if one not in there]
        if gone:
            self.change(connection, delete(self.into).where(t.id == any_(IDS), t["_type"] == self.type), {"ids": gone})
        return len(ids)

    def forget(self, connection: Connection) -> None:
        """Remove all marks."""
        connection.execute(delete(touched).where(touched.c.storage == self.type))


_FILLING = text("select set_config(:name, 'on', true)")         # in this transaction: its own writes are no news


def _table(name: str, columns: Iterable[tuple[str, str]]) -> Table:
    kinds = {"id": BigInteger(), "_type": Integer()}
    return Table(name, MetaData(schema=ddl.SCHEMA), *(
        Column(column, kinds.get(column, typed(kind)), primary_key=column == "id") for column, kind in columns))


def is_move(step: Step) -> bool:
    """Whether a step of kind fill or settle copies rows."""
    return step.data.get("how") == HOW


def fill(run: Run, step: Step) -> None:
    """All records in batches, then what was written meanwhile, until little of that is left."""
    work, batches = Copying.of(run, step), run.batches(step)
    while True:
        with batches.begin() as connection:
            done = work.batch(connection, batches.cursor or 0)
            if done is not None:
                batches.note(connection, *done)
        if done is None:
            break
        batches.breathe()
    catch_up(run, step, Copying.of(run, step).work_off)
    with run.begin() as connection:
        run.done(connection, step)


def undo_fill(run: Run, step: Step) -> None:
    """Marks count for nothing any more; the copies stay where no version sees them, until the next promotion's."""
    with run.begin() as connection:
        Copying.of(run, step).forget(connection)
        journal.step_undone(connection, run.turn, step)


def before_flip(run: Run) -> None:
    """Shortly before the flip, that little is left to do in it."""
    for step in _fills(run):
        catch_up(run, step, Copying.of(run, step).work_off)


def at_flip(run: Run, connection: Connection) -> None:
    """In the transaction of the flip: from here to its end nobody writes, and all that was written is copied."""
    found = sorted(_fills(run), key=lambda step: str(step.data["source"]))
    for source in dict.fromkeys(str(step.data["source"]) for step in found):
        ddl.execute(connection, ddl.lock_writers(source))
    for step in found:
        work = Copying.of(run, step)
        while work.work_off(connection):
            pass


def settle(run: Run, step: Step) -> None:
    """What requests of the old version wrote after the flip is copied; then nothing is noted any more."""
    work, batches = Copying.of(run, step), run.batches(step)
    while True:
        with run.begin() as connection:
            if not work.work_off(connection):
                break
        batches.breathe()
    handing_over.hand_over(batches, work.source, work.type, work.handed)

    def rest(connection: Connection) -> None:
        while work.work_off(connection):
            pass
        run.done(connection, step)
    run.locked(step, step.sql, rest)        # as in filling.settle


def _fills(run: Run) -> list[Step]:
    return [step for step in run.order.plan.steps if step.kind == "fill" and is_move(step)]

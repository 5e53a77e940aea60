"""Stored formulas kept right: after every write, for all that was written, by one statement a table and level.

What is worked out from lines stands on a record that several people may write lines of at once. So the records around
lines are locked before the lines are written, parents first and each table's in the order of their ids; the statement
that adds up runs after that and sees all that was committed before. A value that is worked out is no change of its
record: neither version nor history tells of it, for it follows from what they do tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, any_, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.database.jobs import enqueue
from core.ed.batch import Holding
from core.ed.computed_sql import work_out
from core.ed.formulas import Watch, any_stored, kept, ranks
from core.ed.journal import VERSION
from core.ed.shape import Shape, shape
from core.ed.statement import Statement, parameter

if TYPE_CHECKING:
    from core.ed.batch import Batch
    from core.ed.session import Session
    from core.ed.system import System
    from core.ed.values import Row

IDS = parameter("ids", ARRAY(BigInteger))
MOST_PARENTS = 1_000            # of one table: more are worked out by jobs
OF_A_JOB = 1_000                # the records of one job
DELETED_ON = "_deleted_on"


# Before anything is written

def hold(session: Session, holding: Holding, shaped: Shape, rows: Iterable[Row], *, removing: bool = False) -> None:
    """Lock what stands around existing records that are about to be locked and written themselves: parents first.

    Fields are as they were sent: what is no id is told later, and what is not found here is locked once it is known.
    """
    if not any_stored(session.system):
        return
    found = kept(session.system, shaped.table.name)
    concerned: set[int] = set()
    new: dict[str, set[int]] = {}
    for row in rows:
        watches = [w for w in found.watches if removing or row.remove or _concerns(shaped, w, row.body)]
        if watches and row.id is not None:
            concerned.add(row.id)
        for watch in watches:
            new.setdefault(watch.table, set()).update(_ids(row.body.get(watch.by)))
    if concerned or new:
        _lock_above(session, holding, {shaped.table.root: concerned}, new)


def _concerns(shaped: Shape, watch: Watch, body: Mapping[str, Any]) -> bool:
    return any(name in watch.plain or name == watch.by or (name in shaped.table.lines and bool(watch.formulas))
               for name in body)


def _ids(value: object) -> list[int]:
    return [value] if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else []


def hold_new(batch: Batch) -> None:
    """Lock what stands around the lines of a batch and is not held yet: parents of new lines above all."""
    session = batch.session
    if not any_stored(session.system):
        return
    wanted: dict[str, set[int]] = {}
    for group in (*batch.changes, *batch.inserts):
        for watch in kept(session.system, group.shape.table.name).watches:
            for row in group.rows:
                if row.old is None or row.values.keys() & (watch.plain | {watch.by}):
                    wanted.setdefault(watch.table, set()).update(_parents_of(row, watch.by, group.by))
    named = batch.named | batch.holding.held.keys()
    _lock_above(session, batch.holding, {}, {table: ids - named for table, ids in wanted.items()})


def _parents_of(row: Row, by: str, own: str | None) -> set[int]:
    if by == own and row.parent is not None:
        return {row.parent.id} if row.parent.id is not None else set()
    return {id_ for one in (row.now(by), (row.old or {}).get(by)) for id_ in _ids(one)}


def _lock_above(session: Session, holding: Holding, lines: Mapping[str, set[int]],
                parents: Mapping[str, set[int]]) -> None:
    """Find the parents of some records, theirs and so on, and lock them all: by rank of the table, name, id."""
    system = session.system
    found: dict[str, set[int]] = {}
    waiting: list[tuple[str, set[int], bool]] = [(root, ids, False) for root, ids in lines.items() if ids]
    for table, ids in parents.items():
        root = system.model.tables[table].root
        found.setdefault(root, set()).update(ids)
        waiting.append((root, ids, True))
    while waiting:
        root, ids, above = waiting.pop()
        for parent, inner in (_above(session, root, ids, above) if ids else ()):
            fresh = inner - found.setdefault(parent, set())
            found[parent] |= fresh
            waiting.append((parent, fresh, True))
    rank = ranks(system)
    for root in sorted(found, key=lambda one: (rank.get(one, 0), one)):
        ids = found[root] - holding.held.keys()
        if ids:
            _lock(session, holding, root, ids)


def _above(session: Session, root: str, ids: set[int], above: bool) -> list[tuple[str, set[int]]]:
    """The ids of the records above some of one physical table, by physical table; `above` says that only their own
    stored formulas change."""
    system = session.system
    links = sorted({(system.model.tables[w.table].root, w.by) for name in system.model.names.families[root]
                    for w in kept(system, name).watches if w.formulas or not above})
    if not links:
        return []

    def build() -> Statement:
        source = system.stored(root).table
        columns = [_link(system, root, by).label(f"l{n}") for n, (_, by) in enumerate(links)]
        return Statement.compile(select(*columns).where(source.c.id == any_(IDS)), session.connection.dialect,
                                 fixed=True)
    statement = system.cache.get(("above", root, above), build)
    rows = statement.rows(session.connection, {"ids": sorted(ids)})
    return [(parent, {row[n] for row in rows if row[n] is not None}) for n, (parent, _) in enumerate(links)]


def _link(system: System, root: str, by: str) -> ColumnElement[Any]:
    """The column of a link; of one to several tables, whichever of its columns is filled."""
    holder = next(name for name in system.model.names.families[root] if by in system.model.tables[name].fields)
    columns = shape(system, holder).columns([by])
    return func.coalesce(*columns) if len(columns) > 1 else columns[0]


def _lock(session: Session, holding: Holding, root: str, ids: Iterable[int]) -> None:
    def build() -> Statement:
        source = session.system.stored(root).table
        statement = select(source.c.id, source.c["_type"]).where(source.c.id == any_(IDS)).order_by(source.c.id)
        return Statement.compile(statement.with_for_update(key_share=True), session.connection.dialect, fixed=True)
    statement = session.system.cache.get(("lock around", root), build)
    for id_, kind in statement.rows(session.connection, {"ids": sorted(ids)}):
        holding.held[id_] = session.system.name_of(kind) or root


# After it was written

def renew(batch: Batch) -> None:
    """Work out the stored formulas of what was written, then of what stands around it, level by level.

    Raises Invalid for values that are too large or taken.
    """
    session = batch.session
    if not any_stored(session.system):
        return
    written = {entry.record_id for entry in batch.entries}
    blamed = _blamed(batch)
    level = _Level(session, batch.holding, written, blamed)
    for entry in batch.entries:
        batch.holding.held.setdefault(entry.record_id, entry.shape.table.name)
        names = _changed(session.system, entry.change)
        level.note(entry.shape.table.name, entry.record_id, names, entry.change)
    level.run()


def renew_records(session: Session, table: str, ids: Iterable[int]) -> int:
    """Work out the stored formulas of existing records, and of what hangs on them; says how many were not right.

    For jobs and promotions: the records are locked here, and nobody's rules are asked.
    """
    holding = Holding()
    _lock_above(session, holding, {}, {table: set(ids)})
    level = _Level(session, holding, set(), {})
    wanted: dict[str, set[int]] = {}
    for id_ in ids:
        kind = holding.held.get(id_)
        if kind is not None:
            wanted.setdefault(kind, set()).add(id_)
    level.dirty = dict(wanted)
    level.run()
    return sum(len(holding.changed.get(kind, {}).keys() & some) for kind, some in wanted.items())


def _blamed(batch: Batch) -> dict[int, int]:
    """Whose row of the request it is when a record's parents turn out wrong."""
    rows = [row for group in (*batch.changes, *batch.inserts) for row in group.rows]
    return {row.id: row.index for row in rows if row.id is not None}


def _changed(system: System, change: Mapping[str, Any]) -> frozenset[str] | None:
    """The fields that a change names; None for a record that came or went, which concerns all that reads it."""
    if DELETED_ON in change or change.get(VERSION, (0,))[0] is None:
        return None
    paths = (system.name_of(int(key)) for key in change if key.isdecimal())
    return frozenset(path.rpartition(".")[2] for path in paths if path is not None)


class _Level:
    """What is still to be worked out, table by table: lines before what they are lines of."""

    def __init__(self, session: Session, holding: Holding, written: set[int], blamed: Mapping[int, int]) -> None:
        self.session = session
        self.system = session.system
        self.holding = holding
        self.written = written
        self.blamed = dict(blamed)
        self.dirty: dict[str, set[int]] = {}
        self.lines: dict[tuple[str, str], set[int]] = {}        # (table of lines, link): those that concern parents
        self.left: dict[tuple[str, str], set[int]] = {}         # the same: parents that such lines had before

    def note(self, table: str, id_: int, names: frozenset[str] | None, change: Mapping[str, Any]) -> None:
        """A record was written: what does that concern?"""
        known = kept(self.system, table)
        here = change.get(DELETED_ON, (None, None))[1] is None
        if known.fields and here and (names is None or names & known.own):
            self.dirty.setdefault(table, set()).add(id_)
        for watch in known.watches:
            if names is None or names & watch.plain or watch.by in names:
                self.lines.setdefault((table, watch.by), set()).add(id_)
                identity = shape(self.system, table).kept[watch.by].identity
                before = change.get(identity, (None,))[0] if names is not None else None
                for parent in _ids(before):
                    self.left.setdefault((table, watch.by), set()).add(parent)
                    self.blamed.setdefault(parent, self.blamed.get(id_, 0))

    def run(self) -> None:
        """Work out all of it; every table once, but for those whose records stand above each other."""
        rank = ranks(self.system)
        while self.dirty or self.lines:
            waiting = {*self.dirty, *(table for table, _ in self.lines)}
            table = max(waiting, key=lambda one: (rank.get(self.system.model.tables[one].root, 0), one))
            ids = self.dirty.pop(table, set())
            changed = work_out(self.session, table, ids) if ids else []
            if changed:
                of_table = self.holding.changed.setdefault(table, {})
                of_table.update({id_: self.blamed.get(id_, 0) for id_ in changed})
                for watch in kept(self.system, table).watches:
                    if watch.formulas:
                        self.lines.setdefault((table, watch.by), set()).update(changed)
            for key in [key for key in self.lines if key[0] == table]:
                self._climb(table, key[1], self.lines.pop(key), self.left.pop(key, set()))

    def _climb(self, table: str, by: str, ids: set[int], left: set[int]) -> None:
        """The parents of lines, and those before a move, are worked out: now, or by a job if they are many."""
        system = self.system
        rows = self._links(table, by, ids)
        for id_, parent in rows:
            self.blamed.setdefault(parent, self.blamed.get(id_, 0))
        parents = {parent for _, parent in rows} | left
        roots = sorted({system.model.tables[w.table].root for w in kept(system, table).watches if w.by == by})
        others = parents - self.written
        if len(others) > MOST_PARENTS:
            _leave(self.session, roots, sorted(others))
            parents -= others
        unknown = parents - self.holding.held.keys()
        if unknown:
            _lock_above(self.session, self.holding, {}, dict.fromkeys(roots, unknown))
        watching = {w.table for w in kept(system, table).watches if w.by == by}
        for parent in parents:
            kind = self.holding.held.get(parent)
            if kind in watching:
                self.dirty.setdefault(str(kind), set()).add(parent)

    def _links(self, table: str, by: str, ids: set[int]) -> Sequence[Any]:
        def build() -> Statement:
            source = self.system.stored(table).table
            link = _link(self.system, self.system.model.tables[table].root, by)
            return Statement.compile(select(source.c.id, link).where(source.c.id == any_(IDS), link.is_not(None)),
                                     self.session.connection.dialect, fixed=True)
        statement = self.system.cache.get(("links of lines", table, by), build)
        return statement.rows(self.session.connection, {"ids": sorted(ids)})


def _leave(session: Session, roots: Iterable[str], ids: Sequence[int]) -> None:
    """Leave records to the worker, in this transaction."""
    for root in roots:
        for start in range(0, len(ids), OF_A_JOB):
            enqueue(session.connection, "renew_formulas", table=session.system.identities[root],
                    ids=list(ids[start:start + OF_A_JOB]))

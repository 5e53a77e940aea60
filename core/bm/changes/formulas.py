"""Stored formulas in a promotion: what has to be worked out anew in all records, and how, while people go on working.

From before the flip until all is done, such a formula is `pending`: every process reads it as if it were not stored,
while whoever writes a record keeps its column right. So nobody sees a value that is not worked out yet.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, select

from core.bm.engine.batches import Batches
from core.bm.engine.steps import Step, risk_of
from core.bm.inputs.facts import Facts
from core.bm.inputs.way import Way
from core.bm.versions import tables
from core.bm.versions.state import State
from core.ed import computed_sql
from core.ed.formulas import ranks, signature
from core.ed.schema import physical_name
from core.ed.session import Session
from core.ed.system import System
from core.errors import N_, Invalid, Words, words

if TYPE_CHECKING:
    from core.definition.model import Field, Model

BATCH = 500
ROWS = N_("of some records, for a moment")
ROWS_PER_SECOND = 20_000
log = logging.getLogger("tessera.formulas")


class Build(Protocol):
    """What builds a version over the database."""

    def __call__(self, connection: Connection, version: int) -> System: ...


# In the plan

def to_compute(base: State, target: State, facts: Facts) -> dict[str, list[Field]]:
    """The stored formulas that base does not have, or that say something else there, by root; new tables have none."""
    found: dict[str, list[Field]] = {}
    if target.model is None:
        return found
    for table in target.model.tables.values():
        if not _is_there(target, table.root, facts):
            continue
        for one in table.own.values():
            if one.stored and (_says(base, target, one) != signature(target.model, one)
                               or _reads_moved(base, target, target.model, one)):
                found.setdefault(table.root, []).append(one)
    return found


def _is_there(target: State, root: str, facts: Facts) -> bool:
    storage = target.storage(root)
    name = facts.physical.get((storage, ""), (physical_name(root, storage), None))[0]
    return name in facts.columns


def _reads_moved(base: State, target: State, model: Model, one: Field) -> bool:
    """Whether a formula reads values that are of another type, or called otherwise, from now on."""
    def moved(found: Field) -> bool:
        path = f"{found.table}.{found.name}"
        former = base.names.get(target.identities.get(path, 0))
        if found.formula is not None and found is not one:
            return _reads_moved(base, target, model, found)
        return former is not None and base.storage(former) != target.storage(path)

    for path in one.formula.reads if one.formula is not None else ():
        table = one.table
        for name in path:
            found = model.field(table, name)
            if found is None:
                break
            if moved(found):
                return True
            table = found.target or ""
            if table not in model.tables:
                break
    return False


def _says(base: State, target: State, one: Field) -> str | None:
    """What the same field's stored formula says in the base; None if it is no stored one there."""
    here = f"{one.table}.{one.name}"
    path = base.names.get(target.identities[here])
    if path is None or base.model is None or base.storage(path) != target.storage(here):
        return None
    table, _, name = path.partition(".")
    before = base.model.field(table, name)
    return signature(base.model, before) if before is not None and before.stored else None


def steps(way: Way) -> Iterator[Step]:
    """What is worked out anew: read as formulas before the flip, worked out after it."""
    again = to_compute(way.base, way.target, way.facts)
    yield from suspend(again, way.target)
    yield from compute(again, way.target, way.facts)


def problems(way: Way) -> Iterator[Words]:
    """`unique` over values that are only worked out after the flip: two could turn out equal when it is too late."""
    base, target, facts = way.base, way.target, way.facts
    if way.back:
        return
    for fields in to_compute(base, target, facts).values():
        for one in fields:
            for name in _uniques(target.model, one):
                place = target.place("field", f"{one.table}.{one.name}")
                yield words("{place}: {field} is worked out in all records after the new version is live, so {unique} "
                            "cannot hold for it yet; promote it without this unique rule first, then with it",
                            place=place, field=f"{one.table}.{one.name}", unique=name)


def _uniques(model: Model | None, one: Field) -> Iterable[str]:
    holders = [] if model is None else [t for t in model.tables.values() if t.fields.get(one.name) is not None
                                        and t.fields[one.name].table == one.table]
    return dict.fromkeys(unique.name for table in holders for unique in table.unique.values()
                         if one.name in unique.fields)


def suspend(again: Mapping[str, Sequence[Field]], target: State) -> Iterator[Step]:
    """Before anybody builds the new version: until they are worked out, they are computed when they are read."""
    for root, fields in sorted(again.items()):
        names = ", ".join(one.name for one in fields)
        yield Step(0, "suspend", root, identities=_storages(target, fields),
                   note=words("until they are worked out, these are computed when read: {names}", names=names))


def compute(again: Mapping[str, Sequence[Field]], target: State, facts: Facts) -> Iterator[Step]:
    """After the flip: all records, lines before what they are lines of."""
    if not again or target.model is None:
        return
    rank = ranks(System(0, target.model, target.identities, {}))
    for root in sorted(again, key=lambda one: (-rank.get(one, 0), one)):
        name = facts.physical.get((target.storage(root), ""), ("", None))[0]
        rows = facts.rows.get(name, 0)
        yield Step(0, "compute", root, lock=ROWS, risk=risk_of(rows),
                   rows=rows, seconds=round(rows / ROWS_PER_SECOND, 2), identities=_storages(target, again[root]),
                   note=words("worked out in all records: {names}", names=", ".join(one.name for one in again[root])))


def _storages(target: State, fields: Iterable[Field]) -> tuple[int, ...]:
    return tuple(target.storage(f"{one.table}.{one.name}") for one in fields)


# When it is applied

def set_pending(connection: Connection, storages: Iterable[int] | None, pending: bool) -> None:
    """Mark stored formulas, by storage id, as not to be read, or as read again; None for all."""
    statement = tables.physical.update().values(pending=pending).where(tables.physical.c.pending.is_(not pending))
    if storages is not None:
        statement = statement.where(tables.physical.c.id.in_(list(storages)))
    connection.execute(statement)


def work_out(batches: Batches, build: Build, version: int, root: str) -> None:
    """Work out the stored formulas of all records of a physical table, in short transactions.

    Broken off, it goes on after the last batch that was done.
    """
    while _batch(batches, build, version, root):
        batches.breathe()


def _batch(batches: Batches, build: Build, version: int, root: str) -> bool:
    with batches.begin() as connection:
        session = Session.system_session(build(connection, version), connection)
        source = session.system.stored(root).table
        rows = connection.execute(
            select(source.c.id, source.c["_type"]).where(source.c.id > (batches.cursor or 0))
            .order_by(source.c.id).limit(BATCH).with_for_update(key_share=True)).all()
        by_kind: dict[str, list[int]] = {}
        for id_, kind in rows:
            by_kind.setdefault(session.system.name_of(kind) or "", []).append(id_)
        for kind, ids in by_kind.items():
            if kind and any(one.stored for one in session.system.model.tables[kind].fields.values()):
                _each(session, kind, ids)
        if rows:
            batches.note(connection, rows[-1].id, len(rows))
        return len(rows) == BATCH


def _each(session: Session, kind: str, ids: list[int]) -> None:
    """All at once; if that cannot be, one by one, leaving as it was what clashes (`doctor --formulas` names those)."""
    try:
        with session.connection.begin_nested():
            computed_sql.work_out(session, kind, ids)
    except Invalid as error:
        if len(ids) > 1:
            for one in ids:
                _each(session, kind, [one])
        else:
            log.warning("%s %s keeps its old values: %s", kind, ids[0], error)

"""Removing for good what has been in the trash for long: records, what stands beside them, and their history.

Nothing that anything still links to goes, in the trash or not, nothing that is locked, no person (histories name them)
and nothing that an addon shipped. Each batch is a transaction of its own and looks again at what it is about to remove.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Table,
    and_,
    any_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from core.ed import locked, staging, tables
from core.ed.history import PURGED
from core.ed.lock import IDS
from core.ed.schema import parts, roots, stored_fields
from core.errors import Denied

if TYPE_CHECKING:
    from core.ed.session import Session
    from core.ed.system import System

BATCH = 500
DELETED_ON = "_deleted_on"
PEOPLE = "user"                      # the table of base whose records stand in every history
Sessions = Callable[[], AbstractContextManager["Session"]]
_FORGET = text("select sys.forget_history(:ids)")
_SHIPPED = text("select record_id from sys.seed where record_id is not null union all"
                " select cast(split_part(key, '@', 2) as bigint) from sys.setting"
                " where key ~ '^setting[.].*@[0-9]{1,18}$'")


@dataclass(frozen=True, slots=True)
class Reference:
    """A column through which records may link to others."""

    source: Table
    column: Column[Any]
    many: bool


@dataclass(slots=True)
class Purged:
    """What was removed, or would be: records by table; and how many stay because something needs them."""

    records: dict[str, int] = field(default_factory=dict)
    history: int = 0
    files: int = 0
    kept: int = 0

    @property
    def count(self) -> int:
        """All records."""
        return sum(self.records.values())


def purge(sessions: Sessions, days: int, *, forget: bool = True, dry_run: bool = False,
          between: Callable[[], None] = lambda: None) -> Purged:
    """Remove what has been in the trash for more than `days` (a table's own `trash_days` goes first; 0: for ever).

    `forget`: their history goes too, but for one entry that says who removed them and when. `between` is called between
    batches. Raises Denied for others than administrators.
    """
    done = Purged()
    with sessions() as session:
        if not (session.user.all or session.user.system):
            raise Denied("Only administrators may do this.")
        waiting = _candidates(session, days)
        everything = sum(map(len, waiting.values()))
        waves = list(order(waiting, list(_edges(session, sorted(id_ for ids in waiting.values() for id_ in ids)))))
    for wave in waves:
        for root, ids in wave.items():
            for start in range(0, len(ids), BATCH):
                some = ids[start:start + BATCH]
                if dry_run:
                    with sessions() as session:
                        _count(session, root, some, done.records)
                else:
                    between()
                    _batch(sessions, root, some, days, forget, done)
    done.kept = everything - done.count
    return done


def order(waiting: Mapping[str, Iterable[int]], edges: Sequence[tuple[int, int]]) -> Iterator[dict[str, list[int]]]:
    """Waves of records, those that link before those that are linked to; what others need is in none.

    `edges` are (who links, to whom). Records that link in a circle come last, together.
    """
    root_of = {id_: root for root, ids in waiting.items() for id_ in ids}
    free = set(root_of)
    while blocked := {target for source, target in edges if target in free and source not in free}:
        free -= blocked
    inner = [(source, target) for source, target in edges if source in free and target in free and source != target]
    while free:
        needed = {target for source, target in inner if source in free}
        wave = free - needed or set(free)
        free -= wave
        inner = [edge for edge in inner if edge[0] in free]
        found: dict[str, list[int]] = {}
        for id_ in sorted(wave):
            found.setdefault(root_of[id_], []).append(id_)
        yield found


def references(system: System) -> tuple[Reference, ...]:
    """Every column that may link to a record."""
    def find() -> tuple[Reference, ...]:
        found = []
        for root in roots(system.model):
            source = system.stored(root).table
            for one in stored_fields(system.model, root):
                if one.type.name in ("link", "any_link"):
                    stored = system.stored(one.table)
                    found += [Reference(source, source.c[stored.name(one.name, part)], kind.endswith("[]"))
                              for part, kind in parts(one) if kind.startswith("bigint")]
        return tuple(found)
    return system.cache.get("references", find)


def _candidates(session: Session, days: int) -> dict[str, list[int]]:
    """By root: what has been in the trash long enough."""
    system = session.system
    shipped = set(session.connection.scalars(_SHIPPED))
    found = {}
    for root in roots(system.model):
        old = _old(system, root, days)
        if root != PEOPLE and old is not None:
            source = system.stored(root).table
            ids = [id_ for id_ in session.connection.scalars(select(source.c.id).where(old).order_by(source.c.id))
                   if id_ not in shipped]
            if ids:
                found[root] = ids
    return found


def _old(system: System, root: str, days: int) -> ColumnElement[bool] | None:
    """The condition that a row has been in the trash long enough, by its own table's time."""
    source, now = system.stored(root).table, datetime.now(UTC)
    conditions = []
    for name in system.model.names.families[root]:
        table = system.model.tables[name]
        own = table.trash_days if table.trash_days is not None else days
        if own > 0 and not table.abstract:
            conditions.append(and_(source.c["_type"] == system.stored(name).type_id,
                                   source.c[DELETED_ON] < now - timedelta(days=own)))
    return or_(*conditions) if conditions else None


def _edges(session: Session, ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Who links to any of these, and to which."""
    for start in range(0, len(ids), 5 * BATCH):
        some = ids[start:start + 5 * BATCH]
        wanted = set(some)
        for one in references(session.system):
            found = one.column.overlap(IDS) if one.many else one.column == any_(IDS)
            for source, target in session.connection.execute(select(one.source.c.id, one.column).where(found),
                                                             {"ids": some}):
                yield from ((source, each) for each in (target if one.many else (target,)) if each in wanted)


def _count(session: Session, root: str, ids: Sequence[int], counts: dict[str, int]) -> None:
    source = session.system.stored(root).table
    rows = session.connection.execute(select(source.c["_type"], func.count()).where(source.c.id == any_(IDS)).group_by(
        source.c["_type"]), {"ids": list(ids)})
    for kind, number in rows:
        name = session.system.name_of(kind) or root
        counts[name] = counts.get(name, 0) + number


def _batch(sessions: Sessions, root: str, ids: Sequence[int], days: int, forget: bool, done: Purged) -> None:
    """Remove some in one transaction; if the database refuses, for a link of another version, each alone."""
    counts: dict[str, int] = {}
    try:
        with sessions() as session:
            going = _still(session, root, ids, days)
            if not going:
                return
            _count(session, root, going, counts)
            history, files = _remove(session, root, going, forget)
    except IntegrityError:
        for id_ in ids if len(ids) > 1 else ():
            _batch(sessions, root, [id_], days, forget, done)
        return
    for name, number in counts.items():
        done.records[name] = done.records.get(name, 0) + number
    done.history += history
    done.files += files


def _still(session: Session, root: str, ids: Sequence[int], days: int) -> list[int]:
    """Lock those that may still go: in the trash, not locked by their table's rules, and needed by nothing else."""
    system = session.system
    source, old = system.stored(root).table, _old(system, root, days)
    if old is None:
        return []
    wanted = select(source.c.id, source.c["_type"]).where(source.c.id == any_(IDS), old).order_by(source.c.id)
    rows = session.connection.execute(wanted.with_for_update(skip_locked=True), {"ids": list(ids)}).all()
    going = {row.id for row in rows if not _is_locked(session, system.name_of(row[1]) or root, row.id)}
    while needed := {target for source_, target in _edges(session, sorted(going)) if source_ not in going} & going:
        going -= needed
    return sorted(going)


def _is_locked(session: Session, table: str, id_: int) -> bool:
    if table not in session.system.model.tables:
        return True                       # a kind that this version does not have: nothing is known of it
    standing = locked.standing(session, table, id_)
    return standing is not None and standing.by is not None


def _remove(session: Session, root: str, ids: Sequence[int], forget: bool) -> tuple[int, int]:
    """Remove records and what is kept of them elsewhere; gives the entries of history and the files that went."""
    connection, system, source = session.connection, session.system, session.system.stored(root).table
    given = {"ids": list(ids)}
    _tell(session, root, ids)
    for one in references(system):
        if one.source is source and not one.many:               # circles: the database wants them undone first
            connection.execute(update(source).values({one.column: None}).where(
                source.c.id == any_(IDS), one.column == any_(IDS)), given)
    connection.execute(delete(source).where(source.c.id == any_(IDS)), given)
    for beside in (tables.search, tables.search_queue, tables.remark, tables.unlocked):
        connection.execute(delete(beside).where(beside.c.record_id == any_(IDS)), given)
    files = staging.forget_records(connection, ids)
    history = int(connection.scalar(_FORGET, {"ids": list(ids)}) or 0) if forget else 0
    return history, files


def _tell(session: Session, root: str, ids: Sequence[int]) -> None:
    """One last entry of history: who removed it and when."""
    system, source = session.system, session.system.stored(root).table
    kept = [system.stored(name).type_id for name in system.model.names.families[root]
            if "history" in system.model.tables[name].keeps]
    log = tables.history
    said: Any = func.jsonb_build_object(PURGED, func.jsonb_build_array(None, func.now()))
    session.connection.execute(insert(log).from_select(
        ["record_id", "table_id", "user_id", "how", "version", "change"],
        select(source.c.id, source.c["_type"], literal(session.user.user_id, BigInteger), literal(session.how),
               literal(system.version, BigInteger), said).where(source.c.id == any_(IDS), source.c["_type"].in_(kept)),
        include_defaults=False), {"ids": list(ids)})


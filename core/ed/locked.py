"""Locked records: what a table's `lock` closes is written by nobody until somebody unlocks it with a reason.

One place for all ways of writing: changes, lines, links that are emptied, trash and restore ask here, before anything
is written, what the stored records say. A record is locked by its own condition, or while one that it belongs to is.
An unlocking is its maker's own, and ends with the next save or after an hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, and_, any_, delete, false, func, select, text
from sqlalchemy.dialects.postgresql import insert

from core.ed import journal, messages, tables
from core.ed.columns import RecordColumns
from core.ed.lock import IDS
from core.ed.prepare import by_kind
from core.ed.read import with_right
from core.ed.relations import ends_of
from core.ed.shape import Shape, shape
from core.ed.statement import Statement, parameter
from core.ed.values import Row
from core.errors import N_, FieldProblem, Invalid, NotFound, RecordLocked, Refused, Words, words

if TYPE_CHECKING:
    from core.ed.batch import Batch
    from core.ed.lock import Locked
    from core.ed.session import Session
    from core.ed.system import System

UNLOCKED = "_unlocked"          # in history: the reason, as what came (unlocking) or went (locking again)
LASTS = text("interval '1 hour'")
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Holder:
    """A link to a record that locks this one; `lines` are that record's fields which this one is a line of."""

    link: str
    table: str
    lines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """What a stored record says: whether its own condition locks it, and for how long this user has unlocked it."""

    table: str
    id: int
    sealed: bool
    until: datetime | None
    reason: str
    links: Mapping[str, int | None]

    @property
    def closed(self) -> bool:
        """Whether it is locked for this user by itself."""
        return self.sealed and self.until is None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a record stands for the user: `by` is the record that locks it, itself or one that it belongs to."""

    by: State | None                    # None: it is not locked
    message: Words                      # why it is, or would be
    until: datetime | None = None       # while the user has unlocked it
    reason: str = ""
    may_unlock: bool = False            # this very record
    fields: frozenset[str] = frozenset()        # that may be written all the same


def holders(system: System, table: str) -> tuple[Holder, ...]:
    """The links of a table to records that lock its own: those of `lock: {with: ...}`, and to what it is lines of."""
    return system.cache.get(("lock holders", table), lambda: _holders(system, table, frozenset()))


def locks(system: System, table: str) -> bool:
    """Whether records of a table, or of a kind of it, can be locked."""
    kinds = (table, *system.model.tables[table].kinds)
    return system.cache.get(("locks", table), lambda: any(_can(system, kind, frozenset()) for kind in kinds))


def _can(system: System, table: str, seen: frozenset[str]) -> bool:
    own = system.model.tables[table].lock
    return (own is not None and own.when is not None) or bool(table not in seen and _holders(system, table, seen))


def _holders(system: System, table: str, seen: frozenset[str]) -> tuple[Holder, ...]:
    definition, found = system.model.tables[table], []
    named = definition.lock.with_ if definition.lock is not None else ()
    for field in definition.fields.values():
        if field.type.name != "link" or field.many or field.virtual or field.target not in system.model.tables:
            continue
        lines = frozenset() if field.name in named else _lines_of(system, table, field.name, field.target or "")
        belongs = field.name in named or (lines and field.on_delete == "cascade")
        kinds = (field.target or "", *system.model.tables[field.target or ""].kinds)
        if belongs and any(_can(system, kind, seen | {table}) for kind in kinds):
            found.append(Holder(field.name, field.target or "", lines))
    return tuple(found)


def _lines_of(system: System, table: str, link: str, parent: str) -> frozenset[str]:
    """The fields of a table (or its kinds) that hold records of another as lines, or that link through them."""
    found = set()
    for kind in (parent, *system.model.tables[parent].kinds):
        for field in system.model.tables[kind].fields.values():
            if field.type.name == "lines":
                of, by = field.target or "", getattr(field.properties, "by", "")
            elif field.type.name == "links":
                ends = ends_of(system, field)
                of, by = ends.through, ends.by
            else:
                continue
            if by == link and system.model.names.is_kind_of(table, of):
                found.add(field.name)
    return frozenset(found)


# Writing

def hold(batch: Batch) -> None:
    """Refuse the whole batch if it writes a locked record, as stored before it. Raises RecordLocked."""
    for group in batch.changes:
        changed = [row for row in group.rows if _written(row)]
        if changed and locks(batch.session.system, group.shape.table.name):
            _refuse_own(batch, group.shape, {row.id or 0: _written(row) for row in changed})
            _refuse_above(batch, group.shape, [one for row in changed for one in (row.old or {}, row.values)])
    for group in batch.inserts:
        if holders(batch.session.system, group.shape.table.name):
            _refuse_above(batch, group.shape, [_placed(row, group.by) for row in group.rows])


def hold_records(batch: Batch, shaped: Shape, records: Iterable[Locked], fields: Collection[str] = ()) -> None:
    """Refuse to write records: to move them into the trash or out of it, or some of their fields."""
    records = list(records)
    if records and locks(batch.session.system, shaped.table.name):
        _refuse_own(batch, shaped, {record.id: set(fields) for record in records})
        _refuse_above(batch, shaped, [record.values for record in records])


def end_unlocking(batch: Batch) -> None:
    """What was unlocked is locked again once it is saved."""
    if batch.unlocked:
        kept = tables.unlocked
        batch.session.connection.execute(delete(kept).where(
            kept.c.record_id.in_(batch.unlocked), kept.c.user_id == batch.session.user.user_id))


def _written(row: Row) -> set[str]:
    """The fields of its own that a row changes; links through a table between are its own too."""
    return {*row.values, *(name for name in row.links if row.lines.get(name))}


def _placed(row: Row, by: str | None) -> Mapping[str, Any]:
    """The values of a new record; a line knows the record it comes with, if that one is stored."""
    parent = row.parent
    return row.values if by is None or parent is None or parent.old is None else {**row.values, by: parent.id}


def _refuse_own(batch: Batch, shaped: Shape, written: Mapping[int, set[str]]) -> None:
    lock = shaped.table.lock
    if lock is None or lock.when is None:
        return
    for state in _states(batch.session, shaped, list(written), held=True):
        names = written[state.id]
        if state.sealed and not (names and names <= lock.except_):
            if state.until is None:
                raise _error(batch.session, state)
            batch.unlocked.add(state.id)


def _refuse_above(batch: Batch, shaped: Shape, values: Iterable[Mapping[str, Any]],
                  seen: frozenset[int] = frozenset()) -> None:
    values = list(values)
    for holder, states in _above(batch.session, shaped, values, seen, held=True):
        for state in states:
            above = shape(batch.session.system, state.table)
            lock = above.table.lock
            if state.sealed and not (lock is not None and holder.lines & lock.except_):
                if state.until is None:
                    raise _error(batch.session, state, belongs=True)
                batch.unlocked.add(state.id)
            _refuse_above(batch, above, [state.links], seen | {state.id})


def _above(session: Session, shaped: Shape, values: Sequence[Mapping[str, Any]], seen: frozenset[int], *,
           held: bool) -> Iterator[tuple[Holder, list[State]]]:
    """What records belong to, link by link."""
    for holder in holders(session.system, shaped.table.name):
        ids = sorted({one[holder.link] for one in values if one.get(holder.link) is not None} - seen)
        if ids:
            parent = shape(session.system, holder.table)
            rows = [Row(0, {}, id=id_) for id_ in ids]
            kinds = by_kind(session, parent, rows) if parent.table.kinds else {holder.table: rows}
            yield holder, [state for kind, some in kinds.items() for state in _states(
                session, shape(session.system, kind), [row.id or 0 for row in some], held=held)]


def _states(session: Session, shaped: Shape, ids: Sequence[int], *, held: bool) -> list[State]:
    """How stored records stand; `held` keeps others from changing that until the transaction ends."""
    name = shaped.table.name
    links = tuple(holder.link for holder in holders(session.system, name))
    statement = session.system.cache.get(("locked", name, held), lambda: _build(session, shaped, links, held))
    rows = statement.rows(session.connection, {**session.parameters, "ids": sorted(ids)})
    return [State(name, row[0], row[1] is True, row[2], row[3] or "", dict(zip(links, row[4:], strict=True)))
            for row in rows]


def _build(session: Session, shaped: Shape, links: Iterable[str], held: bool) -> Statement:
    columns = RecordColumns(session.system, None, shaped.table.name)
    source, kept = columns.root.source, tables.unlocked.alias()
    lock = shaped.table.lock
    sealed = lock.when.where(columns) if lock is not None and lock.when is not None else false()
    joined = columns.source.outerjoin(kept, and_(
        kept.c.record_id == source.c["id"], kept.c.user_id == parameter("user", BigInteger()),
        kept.c.until > func.now()))
    statement = select(source.c["id"], sealed, kept.c.until, kept.c.reason, *(
        shaped.stored.column(link, source=source) for link in links)).select_from(joined).where(
        source.c["id"] == any_(IDS)).order_by(source.c["id"])
    if held:
        statement = statement.with_for_update(of=source, key_share=True)
    return Statement.compile(statement, session.connection.dialect, fixed=True)


def _error(session: Session, state: State, *, belongs: bool = False) -> RecordLocked:
    return RecordLocked(told(session, state, belongs=belongs), table=state.table, id=state.id)


def told(session: Session, state: State, *, belongs: bool = False) -> Words:
    """Why a record is locked, and who may unlock it; of another record only what the user may read."""
    values: dict[str, object] = {"roles": messages.who_may(session, state.table, "unlock") or "–",
                                 "reason": messages.lock(session, state.table, state.id)}
    if not belongs:
        return words("This record is locked: {reason} These roles may unlock it: {roles}.", **values)
    title = messages.title_of(session, state.table, state.id)
    if title is None:
        return words("What this belongs to is locked. These roles may unlock it: {roles}.", roles=values["roles"])
    return words("“{title}”, to which this belongs, is locked: {reason} These roles may unlock it: {roles}.",
                 title=title, **values)


# Unlocking

def unlock(session: Session, table: str, id: int, reason: str) -> datetime:
    """Open a locked record for its user, for an hour or until the next save; gives the end.

    Raises NotFound, Denied, Invalid for a missing reason, Refused if it is not locked by itself.
    """
    shaped = _allowed(session, table, id)
    said = reason.strip()
    if not said:
        raise Invalid([FieldProblem("reason", "required", N_("Say why it has to be changed."))])
    if len(said) > LONGEST_REASON or "\x00" in said or any("\ud800" <= one <= "\udfff" for one in said):
        raise Invalid([FieldProblem("reason", "text", N_("A reason has at most {most} characters."),
                                    {"most": LONGEST_REASON})])
    [state] = _states(session, shaped, [id], held=True)
    if not state.sealed:
        raise Refused(N_("This record is not locked by itself."))
    kept = tables.unlocked
    session.connection.execute(delete(kept).where(kept.c.until <= func.now()))
    made = insert(kept).values(record_id=id, user_id=session.user.user_id, reason=said, until=func.now() + LASTS)
    until = session.connection.execute(made.on_conflict_do_update(
        index_elements=[kept.c.record_id, kept.c.user_id],
        set_={"reason": said, "until": made.excluded.until}).returning(kept.c.until)).scalar_one()
    journal.write(session, [journal.Entry(id, shaped, {UNLOCKED: [None, said]})])
    return datetime.fromisoformat(until.isoformat())


def lock_again(session: Session, table: str, id: int) -> None:
    """End an unlocking of the user's own before its time. Raises NotFound, Denied."""
    shaped = _allowed(session, table, id)
    kept = tables.unlocked
    reason = session.connection.execute(delete(kept).where(
        kept.c.record_id == id, kept.c.user_id == session.user.user_id).returning(kept.c.reason)).scalar()
    if reason is not None:
        journal.write(session, [journal.Entry(id, shaped, {UNLOCKED: [reason, None]})])


def _allowed(session: Session, table: str, id: int) -> Shape:
    """The shape of a record's own table, if the user may unlock it. Raises NotFound, Denied."""
    if table not in session.system.model.tables or not with_right(session, table, "read", [id]):
        raise NotFound("There is no such record, or you may not read it.")
    shaped = shape(session.system, table)
    if shaped.table.kinds:
        [kind] = by_kind(session, shaped, [Row(0, {}, id=id)])
        shaped = shape(session.system, kind)
    if session.user.user_id is None or not with_right(session, shaped.table.name, "unlock", [id]):
        raise messages.denied(session, shaped.table.name, "unlock")
    return shaped


# Reading

def standing(session: Session, table: str, id: int) -> Standing | None:
    """How a record that the user reads stands; None for a table whose records are never locked: no statement then."""
    if not locks(session.system, table):
        return None
    shaped = shape(session.system, table)
    found = _states(session, shaped, [id], held=False)
    if not found:
        return None
    own, lock = found[0], shaped.table.lock
    fields = lock.except_ if lock is not None else frozenset()
    by = _locked_above(session, shaped, own.links, frozenset([id]))
    if by is not None:
        return Standing(by, told(session, by, belongs=True))
    may = own.sealed and session.user.user_id is not None and bool(with_right(session, table, "unlock", [id]))
    if own.closed:
        return Standing(own, told(session, own), may_unlock=may, fields=fields)
    return Standing(None, told(session, own), own.until if own.sealed else None, own.reason, may)


def _locked_above(session: Session, shaped: Shape, values: Mapping[str, Any], seen: frozenset[int]) -> State | None:
    for holder, states in _above(session, shaped, [values], seen, held=False):
        for state in states:
            above = shape(session.system, state.table)
            lock = above.table.lock
            if state.closed and not (lock is not None and holder.lines & lock.except_):
                return state
            found = _locked_above(session, above, state.links, seen | {state.id})
            if found is not None:
                return found
    return None

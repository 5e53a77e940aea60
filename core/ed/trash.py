"""Into the trash and back: what links to a record says whether it may go, and what goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, and_, any_, func, literal, select, union_all, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from core.ed import journal, locked, messages, relations, store
from core.ed.batch import Batch
from core.ed.journal import VERSION
from core.ed.lock import IDS, Locked, lock
from core.ed.shape import Incoming, Shape, incoming, shape
from core.ed.statement import Statement
from core.errors import N_, FieldProblem, Invalid

if TYPE_CHECKING:
    from core.ed.session import Session

DELETED_ON = "_deleted_on"
NAMED = 5                     # so many of the records in the way are named


@dataclass(frozen=True, slots=True)
class Use:
    """A record outside the trash that links to one that is to go; `table` is its own, not a base of it."""

    incoming: Incoming
    table: str
    id: int


def trash(batch: Batch, shaped: Shape, records: Sequence[Locked]) -> None:
    """Move locked records to the trash, with what belongs to them. Raises Invalid if others need them."""
    going: dict[str, dict[int, Locked]] = {}
    cleared: dict[tuple[str, str], dict[int, Locked]] = {}
    _gather(batch.session, shaped, records, going, cleared)
    for (table, field), held in cleared.items():
        gone = {id_ for each in going.values() for id_ in each}
        left = [record for record in held.values() if record.id not in gone]
        _clear(batch, shape(batch.session.system, table), field, left, gone)
    for table, held in going.items():
        _move(batch, shape(batch.session.system, table), list(held.values()), away=True)


def _gather(session: Session, shaped: Shape, records: Sequence[Locked], going: dict[str, dict[int, Locked]],
            cleared: dict[tuple[str, str], dict[int, Locked]]) -> None:
    """Follow the links to the records: cascades go too, and so on; `restrict` ends it all."""
    fresh = [r for r in records if r.id not in going.get(shaped.table.name, {}) and r.trashed is None]
    if not fresh:
        return
    going.setdefault(shaped.table.name, {}).update({record.id: record for record in fresh})
    uses = _uses(session, shaped, [record.id for record in fresh])
    gone = {id_ for each in going.values() for id_ in each}
    in_way = [u for u in uses if u.incoming.field.on_delete == "restrict" and u.id not in gone]
    if in_way:
        raise _in_use(session, shaped, in_way)
    grouped: dict[tuple[str, str, str], list[int]] = {}
    for use in uses:
        field = use.incoming.field
        if field.on_delete != "restrict" and use.id not in gone:
            grouped.setdefault((field.on_delete, use.table, field.name), []).append(use.id)
    for (how, table, field_name), ids in grouped.items():
        held = lock(session, table, sorted(set(ids)), removing=how == "cascade")
        if how == "cascade":
            _gather(session, shape(session.system, table), list(held.values()), going, cleared)
        else:
            cleared.setdefault((table, field_name), {}).update(held)


def _uses(session: Session, shaped: Shape, ids: Sequence[int]) -> list[Use]:
    """The records that link to some, by one statement over all links that may lead here."""
    links = incoming(session.system, shaped.table.name)
    if not links:
        return []

    def build() -> Statement:
        parts = []
        for number, link in enumerate(links):
            stored = session.system.stored(link.table.name)
            source = stored.table.alias()
            column = stored.column(link.field.name, source=source)
            found = column.overlap(IDS) if link.field.many else column == any_(IDS)
            own = stored.own_rows(source)
            parts.append(select(literal(str(number), Text), source.c.id, source.c["_type"]).where(
                found, source.c[DELETED_ON].is_(None), *(() if own is None else (own,))))
        return Statement.compile(union_all(*parts), session.connection.dialect)
    statement = session.system.cache.get(("uses", shaped.table.name), build)
    return [Use(links[int(number)], session.system.name_of(kind) or links[int(number)].table.name, id_)
            for number, id_, kind in statement.rows(session.connection, {"ids": list(ids)})]


def _in_use(session: Session, shaped: Shape, uses: Sequence[Use]) -> Invalid:
    """Say which records need it, naming those that the user may read."""
    from core.ed.read import read  # a refusal is rare, and reading builds on all of this
    titles: list[str] = []
    for link in {use.incoming for use in uses}:
        ids = [use.id for use in uses if use.incoming == link][:NAMED]
        if session.gate.may(link.table.name, "read"):
            names = [str(r.get("_title") or r["id"]) for r in read(session, link.table.name, ids, ["_title"])]
            kind = session.system.model.text(f"table {link.table.name}.title", session.language)
            titles += [f"{kind} {name}" for name in names]
    if not titles:                      # how many they are is as hidden as they are
        message = N_("Other records still need this {table}, so it cannot be deleted.")
        return Invalid([FieldProblem("", "in_use", message, {"table": messages.title(session, shaped.table.name)})])
    message = N_("It cannot be deleted, for it is still used by: {records}.")
    more = ", …" if len({use.id for use in uses}) > len(titles[:NAMED]) else ""
    return Invalid([FieldProblem("", "in_use", message, {"records": ", ".join(titles[:NAMED]) + more})])


def _clear(batch: Batch, shaped: Shape, field: str, records: Sequence[Locked], gone: set[int]) -> None:
    """Empty a link, or take what goes out of a plural one."""
    if not records:
        return
    locked.hold_records(batch, shaped, records, (field,))
    session, kept, table = batch.session, shaped.kept[field], shaped.stored.table
    column = table.c[kept.columns[0]]
    values: dict[Any, Any] = {table.c[name]: None for name in kept.columns}
    if kept.field.many:
        remaining = func.unnest(column).column_valued("v")
        kept_ids = select(func.array_agg(remaining)).where(remaining != _all(gone)).scalar_subquery()
        values[column] = kept_ids
    try:
        _bump(session, shaped, [record.id for record in records], values)
    except IntegrityError as error:             # a version that came meanwhile wants it filled in
        raise store.refused(session, shaped, error, ()) from None
    for record in records:
        had = record.values[field]
        now = [id_ for id_ in had if id_ not in gone] or None if kept.field.many else None
        change = journal.difference(shaped, {field: had}, {field: now})
        batch.note(shaped, record.id, {**change, VERSION: [record.version, record.version + 1]})


def _all(ids: set[int]) -> Any:
    from sqlalchemy import all_
    return all_(literal(sorted(ids), ARRAY(BigInteger)))


def _move(batch: Batch, shaped: Shape, records: Sequence[Locked], *, away: bool) -> None:
    """Put records into the trash or take them out. Raises RecordLocked."""
    locked.hold_records(batch, shaped, records)
    session = batch.session
    when = batch.moment
    column = shaped.stored.table.c[DELETED_ON]
    _bump(session, shaped, [record.id for record in records], {column: when if away else None})
    for record in records:
        before = None if record.trashed is None else record.trashed.isoformat()
        after = when.isoformat() if away else None
        batch.note(shaped, record.id, {DELETED_ON: [before, after], VERSION: [record.version, record.version + 1]})


def _bump(session: Session, shaped: Shape, ids: Sequence[int], values: Mapping[Any, Any]) -> None:
    table = shaped.stored.table
    session.connection.execute(update(table).values({
        **values, table.c["_version"]: table.c["_version"] + 1, table.c["changed_on"]: func.now(),
        table.c["changed_by"]: session.user.user_id}).where(table.c.id.in_(ids)))


def restore(batch: Batch, shaped: Shape, records: Sequence[Locked]) -> None:
    """Take locked records out of the trash, with all that went there together with them. Raises Invalid."""
    back: dict[str, dict[int, Locked]] = {}
    _gather_back(batch.session, shaped, records, back)
    for table, held in back.items():
        _parents_there(batch.session, shape(batch.session.system, table), list(held.values()), back)
    for table, held in back.items():
        _move(batch, shape(batch.session.system, table), list(held.values()), away=False)


def _gather_back(session: Session, shaped: Shape, records: Sequence[Locked],
                 back: dict[str, dict[int, Locked]]) -> None:
    known = back.setdefault(shaped.table.name, {})
    fresh = [record for record in records if record.id not in known]
    known.update({record.id: record for record in fresh})
    if not fresh:
        return
    for link in incoming(session.system, shaped.table.name):
        if link.field.on_delete == "cascade" and not link.field.many:
            source = session.system.stored(link.table.name)
            parent = shaped.stored.table.alias()
            together = select(source.column("id"), source.column("_type")).join(parent, and_(
                parent.c.id == source.column(link.field.name),
                parent.c[DELETED_ON] == source.column(DELETED_ON))).where(parent.c.id == any_(IDS))
            by_kind: dict[str, list[int]] = {}
            for id_, kind in session.connection.execute(together, {"ids": [r.id for r in fresh]}):
                by_kind.setdefault(session.system.name_of(kind) or link.table.name, []).append(id_)
            for kind_name, ids in by_kind.items():
                held = lock(session, kind_name, sorted(ids))
                _gather_back(session, shape(session.system, kind_name), list(held.values()), back)


def _parents_there(session: Session, shaped: Shape, records: Sequence[Locked],
                   back: Mapping[str, Mapping[int, Locked]]) -> None:
    """A record comes back only if what it belongs to, and what it cannot be without, is there or comes with it."""
    returning = {id_ for held in back.values() for id_ in held}
    for name, kept in shaped.kept.items():
        field = kept.field
        belongs = field.on_delete == "cascade"
        if field.type.name not in ("link", "any_link") or field.many or not (belongs or field.required is True):
            continue
        parents = {record.values[name] for record in records} - {None} - returning
        if not parents:
            continue
        tables = [field.target] if field.target is not None else set(relations.locate(session, parents).values())
        if any(_in_trash(session, table, parents) for table in tables):
            message = N_("What it belongs to is in the trash: restore that one.") if belongs else \
                N_("What it cannot be without is in the trash: restore that first.")
            raise Invalid([FieldProblem(name, "trashed", message)])


def _in_trash(session: Session, table: str, ids: Iterable[int]) -> bool:
    target = session.system.stored(table)
    missing = select(target.column("id")).where(target.column("id") == any_(IDS),
                                                target.column(DELETED_ON).is_not(None))
    return session.connection.execute(missing, {"ids": sorted(ids)}).first() is not None

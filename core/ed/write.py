"""Creating, changing, trashing and restoring records: checked as a whole, then written, in the caller's transaction.

All or nothing: whatever is raised here, the caller must roll back, for some rows may have been written by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy import update as sql_update
from sqlalchemy.exc import IntegrityError

from core.ed import (
    adding,
    checks,
    computed,
    defaults,
    journal,
    locked,
    messages,
    naming,
    prepare,
    staging,
    store,
    verify,
)
from core.ed import trash as trashing
from core.ed.around import Around, verify_changed
from core.ed.batch import Batch, Group, Removal, Written
from core.ed.lock import Locked, lock
from core.ed.shape import Shape
from core.ed.values import Row, open_rows
from core.errors import Refused

if TYPE_CHECKING:
    from core.ed.session import Session

_live = Table("live", MetaData(schema="bm"), Column("epoch", Integer))


def create(session: Session, table: str, bodies: Sequence[Mapping[str, Any]]) -> Written:
    """Create records with their lines; gives their ids, in order. Raises Invalid, Denied, BadRequest, NotFound."""
    batch = Batch(session)
    rows = open_rows(bodies, batch.problems, creating=True)
    prepare.new_rows(batch, table, rows)
    _write(batch)
    return Written([row.id or 0 for row in rows], batch.warnings)


def update(session: Session, table: str, bodies: Sequence[Mapping[str, Any]]) -> Written:
    """Change records; each body has `id`, what changes, and the `_version` it was read in, if that matters.

    Raises Invalid, Denied, Conflict, BadRequest, NotFound.
    """
    batch = Batch(session)
    rows = open_rows(bodies, batch.problems, creating=False)
    batch.problems.stop()
    prepare.changed_rows(batch, table, rows)
    _write(batch)
    return Written([row.id or 0 for row in rows], batch.warnings)


def add(session: Session, table: str, bodies: Sequence[Mapping[str, Any]]) -> Written:
    """Change records by adding to the numbers that they hold when nobody else can write them; otherwise as `update`."""
    adding.check(prepare.shape_of(session, table), bodies)
    batch = Batch(session, adds=True)
    rows = open_rows(bodies, batch.problems, creating=False)
    batch.problems.stop()
    prepare.changed_rows(batch, table, rows)
    _write(batch)
    return Written([row.id or 0 for row in rows], batch.warnings)


def delete(session: Session, table: str, ids: Mapping[int, int | None] | Iterable[int]) -> None:
    """Move records to the trash with what belongs to them. Raises Denied, Conflict, Invalid, NotFound, BadRequest."""
    batch = Batch(session)
    wanted = prepare.ids_and_versions(ids)
    for shaped, records in _held(batch, table, wanted, trashed=False):
        for record in records:
            version = wanted[record.id]
            if version is not None:
                prepare.same_version(session, shaped, record, version)
        batch.removals.append(Removal(shaped, records))
    _write(batch)


def restore(session: Session, table: str, ids: Iterable[int]) -> None:
    """Bring records back from the trash with what went there with them. Raises Denied, Invalid, NotFound."""
    batch = Batch(session)
    for shaped, records in _held(batch, table, prepare.ids_and_versions(ids), trashed=True):
        try:
            trashing.restore(batch, shaped, records)
        except IntegrityError as error:
            rows = [Row(0, {}, id=record.id) for record in records]
            raise store.refused(session, shaped, error, rows[:1]) from None
    computed.renew(batch)
    verify_changed(batch, ())
    batch.problems.stop()
    _finish(batch)


def new(session: Session, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a new record begins with: the given values and the defaults. Raises Invalid for values that cannot be."""
    batch = Batch(session)
    shaped = prepare.shape_of(session, table)
    row = Row(0, values)
    batch.reader.fill(shaped.table, row)
    batch.problems.stop()
    defaults.fill(session, shaped, [row])
    hidden = {name for name in row.values if name not in row.given and session.gate.hidden(table, name)}
    return {name: value for name, value in row.values.items() if value is not None and name not in hidden}


def _held(batch: Batch, table: str, ids: Mapping[int, Any], *, trashed: bool) -> list[tuple[Shape, list[Locked]]]:
    """Lock records to be trashed or restored, by kind; raises NotFound, Denied."""
    session = batch.session
    shaped = prepare.shape_of(session, table)
    rows = [Row(number, {}, id=id_) for number, id_ in enumerate(ids)]
    kinds = prepare.by_kind(session, shaped, rows) if shaped.table.kinds else {table: rows}
    found = []
    for kind, some in kinds.items():
        kind_shape = prepare.shape_of(session, kind)
        computed.hold(session, batch.holding, kind_shape, some, removing=True)
        held = lock(session, kind, sorted(row.id or 0 for row in some), removing=True)
        for row in some:
            record = held.get(row.id or 0)
            if record is None or (record.trashed is not None) is not trashed or not record.rights["read"]:
                prepare.missing(session, shaped, row.id)
            if not record.rights["delete"]:
                raise messages.denied(session, kind, "delete")
        found.append((kind_shape, list(held.values())))
    return found


def _write(batch: Batch) -> None:
    """Check the whole batch, then write it: what goes first, then what changes, then what is new."""
    locked.hold(batch)
    _check(batch)
    computed.hold_new(batch)
    around = Around()
    around.hold(batch)
    for removal in batch.removals:
        trashing.trash(batch, removal.shape, removal.records)
    for group in batch.changes:
        store.update_group(batch, group)
    for group in batch.inserts:
        store.insert_group(batch, group)
    computed.renew(batch)
    _verify(batch, around)
    _finish(batch)


def _check(batch: Batch) -> None:
    leaving = {record.id for removal in batch.removals for record in removal.records}
    leaving |= {row.id for group in batch.changes for row in group.rows if row.id is not None and row.values}
    for group in (*batch.changes, *batch.inserts):
        staging.claim(batch, group.shape, group.rows)
        checks.before(batch.session, group.shape, group.rows, leaving, batch.problems)
        naming.check(batch.session, group.shape, group.rows, batch.problems)
    batch.problems.stop()


def _verify(batch: Batch, around: Around) -> None:
    for group in batch.changes:
        written = [row for row in group.rows if row.values or row.touched]
        verify.no_loops(batch.session, group.shape, written, batch.problems)
        _verify_group(batch, group, written, created=False)
    for group in batch.inserts:
        _verify_group(batch, group, group.rows, created=True)
    around.verify(batch)
    verify_changed(batch, around.found)
    batch.problems.stop()


def _verify_group(batch: Batch, group: Group, rows: Sequence[Row], *, created: bool) -> None:
    through = group.by is not None and group.by in group.shape.table.access.through
    batch.warnings += verify.after(batch.session, group.shape, rows, batch.problems, created=created, within=through)


def _finish(batch: Batch) -> None:
    """History, the search queue, the epoch and the bytes of files: what comes when nothing can be refused any more."""
    session = batch.session
    journal.write(session, batch.entries)
    locked.end_unlocking(batch)
    if batch.contents:
        if session.files is None:
            raise Refused("this system has no place for files: set its home")
        for content in batch.contents:
            session.files.put(content)
    if batch.raises_epoch:
        session.connection.execute(sql_update(_live).values(epoch=_live.c.epoch + 1))

"""From rows as sent to work that may be written: locked, authorised, in normal form, with defaults and lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import any_, select

from core.ed import adding, computed, defaults, messages, relation_writes
from core.ed.batch import Batch, Group, Removal
from core.ed.lock import IDS, Locked, lock
from core.ed.shape import Shape, shape
from core.ed.values import REPEATED, Row, check_required, keep_changes, open_rows
from core.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from core.ed.session import Session


def shape_of(session: Session, table: str) -> Shape:
    """The shape of a table; raises NotFound if this version has none of that name."""
    if table not in session.system.model.tables:
        raise NotFound('There is no table "{table}".', table=table)
    return shape(session.system, table)


# New records

def new_rows(batch: Batch, table: str, rows: Sequence[Row], by: str | None = None) -> None:
    """Prepare rows for insertion, with the lines in them. Raises Denied."""
    if not rows:
        return
    session, shaped = batch.session, shape_of(batch.session, table)
    if shaped.table.abstract:
        kinds = ", ".join(shaped.table.kinds)
        raise BadRequest('A record of "{table}" is always one of: {kinds}.', table, table=table, kinds=kinds)
    _may_create(session, table, by)
    closed = _never_given(session, shaped)
    reader = batch.reader
    for row in rows:
        reader.fill(shaped.table, row, by, closed)
    defaults.fill(session, shaped, rows, by)
    for row in rows:
        check_required(shaped.table, row, batch.problems, by, closed)
    batch.inserts.append(Group(shaped, rows, by))
    _lines(batch, shaped, rows)


def _may_create(session: Session, table: str, by: str | None) -> None:
    """As a line a record needs the grant on its own table only; its parent was authorised before."""
    gate = session.gate
    allowed = gate.may(table, "create") if by is None else bool(gate.rule(table, "create"))
    if not allowed:
        raise messages.denied(session, table, "create")


def _never_given(session: Session, shaped: Shape) -> frozenset[str]:
    """The fields that this user may set in no new record."""
    table = shaped.table.name
    return session.system.cache.get(("never given", session.user.shape, table), lambda: frozenset(
        name for name in (*shaped.kept, *shaped.beside)
        if session.gate.given(table, name, shaped.stored.table) is False))


# Existing records

def changed_rows(batch: Batch, table: str, rows: Sequence[Row], by: str | None = None) -> None:
    """Prepare rows for update (as lines, for removal too), with the lines in them.

    Raises NotFound, Denied, Conflict.
    """
    if not rows:
        return
    shaped = shape_of(batch.session, table)
    if shaped.table.kinds:
        for kind, some in by_kind(batch.session, shaped, rows).items():
            _changed(batch, shape_of(batch.session, kind), some, by, shaped)
    else:
        _changed(batch, shaped, rows, by, shaped)


def by_kind(session: Session, shaped: Shape, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows by the table that each record really belongs to; what is not found stays with the base."""
    source = shaped.stored.table
    statement = select(source.c.id, source.c["_type"]).where(source.c.id == any_(IDS))
    found_types = session.connection.execute(statement, {"ids": [row.id for row in rows]})
    types: dict[int, int] = {found_type.id: found_type[1] for found_type in found_types}
    found: dict[str, list[Row]] = {}
    for row in rows:
        kind = session.system.name_of(types.get(row.id or 0, 0)) or shaped.table.name
        known = kind in shaped.table.kinds or kind == shaped.table.name
        found.setdefault(kind if known else shaped.table.name, []).append(row)
    return found


def _changed(batch: Batch, shaped: Shape, rows: Sequence[Row], by: str | None, asked: Shape) -> None:
    """Prepare records of one kind; `asked` is the table by which they were asked for."""
    session = batch.session
    ids = sorted(row.id for row in rows if row.id is not None)
    computed.hold(session, batch.holding, shaped, rows)
    held = lock(session, shaped.table.name, ids, removing=any(row.remove for row in rows))
    rows = [row for row in rows if _belongs(batch, row, held.get(row.id or 0), by) and _once(batch, row)]
    for row in rows:
        _authorise(session, shaped, row, held.get(row.id or 0), asked)
    for row in rows:
        _same_version(session, shaped, row, held[row.id or 0])
    removed = [row for row in rows if row.remove]
    kept = [row for row in rows if not row.remove]
    for row in kept:
        _read_changes(batch, shaped, row, held[row.id or 0], by)
    defaults.again(session, shaped, kept, held, by)
    if removed:
        batch.removals.append(Removal(shaped, [held[row.id or 0] for row in removed]))
        for row in removed:
            touch(row.parent)
    batch.changes.append(Group(shaped, kept, by))
    for row in kept:
        if row.values:
            touch(row.parent)
    _lines(batch, shaped, kept)


def _belongs(batch: Batch, row: Row, found: Locked | None, by: str | None) -> bool:
    """Whether a line is one of its parent's; all else is told the same, be it another's line or none at all."""
    if by is None or row.parent is None:
        return True
    if found is not None and found.trashed is None and found.values[by] == row.parent.id:
        return True
    batch.problems.add(row, "id", "line", "The record has no such line.")
    return False


def _once(batch: Batch, row: Row) -> bool:
    """Whether a record is not named a second time, say as a row and as a line of another."""
    if row.id in batch.named:
        batch.problems.add(row, "id", "repeated", REPEATED, id=row.id)
        return False
    batch.named.add(row.id)
    return True


def _authorise(session: Session, shaped: Shape, row: Row, found: Locked | None, asked: Shape) -> None:
    right = "delete" if row.remove else "change"
    if found is None or found.trashed is not None or not found.rights["read"]:
        missing(session, asked, row.id)                # of which kind it is, is as hidden as it is
    if not found.rights[right]:
        raise messages.denied(session, shaped.table.name, right)


def missing(session: Session, shaped: Shape, id_: int | None) -> NoReturn:
    """Raise NotFound for a record that is not there, or that the user may not know of."""
    raise NotFound("There is no {table} {id}, or you may not read it.", id=id_,
                   table=messages.title(session, shaped.table.name))


def _same_version(session: Session, shaped: Shape, row: Row, found: Locked) -> None:
    if row.version is not None:
        same_version(session, shaped, found, row.version, row.body)


def same_version(session: Session, shaped: Shape, found: Locked, version: int,
                 body: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Raise VersionConflict if the record is no longer the one that the caller read; `body` is what they send."""
    if found.version != version:
        from core.ed.conflict import conflict  # conflicts are rare, and reading builds on all of this
        raise conflict(session, shaped, found, version, body)


def _read_changes(batch: Batch, shaped: Shape, row: Row, found: Locked, by: str | None) -> None:
    row.old, row.stored = found.values, found.stored
    if batch.adds:
        row.body = adding.added(row, found)
    batch.reader.fill(shaped.table, row, by, found.closed)
    keep_changes(row)
    for name in row.values.keys() & found.frozen:
        batch.problems.add(row, name, "readonly", "This cannot be changed now.")
    check_required(shaped.table, row, batch.problems, by)
    row.version = found.version


def touch(row: Row | None) -> None:
    """Say that lines of a record are written: it and those around it get a new version."""
    while row is not None and not row.touched:
        row.touched = True
        row = row.parent


# Lines

def _lines(batch: Batch, shaped: Shape, rows: Iterable[Row]) -> None:
    """Prepare the lines of rows, all of one field at once."""
    rows = list(rows)
    for name, (target, by) in relation_writes.through_lines(batch, shaped, rows).items():
        new: list[Row] = []
        old: list[Row] = []
        for row in rows:
            if name in row.lines:
                for line in open_rows(row.lines[name], batch.problems, creating=row.old is None, parent=row, name=name):
                    if line.id is None and not line.remove:
                        new.append(line)
                    elif line.id is not None and row.old is not None:
                        old.append(line)
        new_rows(batch, target, new, by)
        changed_rows(batch, target, old, by)
        for line in new:
            if line.parent is not None and line.parent.old is not None:
                touch(line.parent)


def ids_and_versions(ids: Mapping[int, int | None] | Iterable[int]) -> dict[int, int | None]:
    """Read what `delete` and `restore` are given; raises BadRequest for what is no id."""
    pairs: list[tuple[Any, Any]] = list(ids.items()) if isinstance(ids, Mapping) else [(id_, None) for id_ in ids]
    for id_, _ in pairs:
        if isinstance(id_, bool) or not isinstance(id_, int) or not 0 < id_ < 2**63:
            raise BadRequest("A record is named by its id.", str(id_)[:40])
    if len({id_ for id_, _ in pairs}) != len(pairs):
        raise BadRequest("A record is named twice.")
    return dict(pairs)

"""Rows into tables: one insert or update for any number of rows, with their files, numbers and base amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from core.database.engine import sqlstate
from core.ed import checks, journal, money, sequence, staging, tables
from core.ed.batch import Batch, Group
from core.ed.files import Upload
from core.ed.journal import VERSION
from core.ed.rowset import encode, rowset
from core.ed.schema import REQUIRED, identity_path
from core.ed.shape import Shape
from core.ed.statement import Statement
from core.ed.values import Problems, Row, is_empty
from core.errors import N_, FieldProblem, Invalid

if TYPE_CHECKING:
    from core.ed.session import Session

TAKEN = "23505"                                # PostgreSQL's code of a value that a unique index has already


def insert_group(batch: Batch, group: Group) -> None:
    """Insert new records; their rows get ids."""
    session, shaped, rows = batch.session, group.shape, group.rows
    if group.by is not None:
        for row in rows:
            row.values[group.by] = row.parent.id if row.parent is not None else None
    sequence.number(session, shaped, rows)
    _keep_files(batch, shaped, rows)
    rates = money.rates(session, shaped, rows)
    ids = _ids(session, len(rows))
    encoded = []
    for number, row in enumerate(rows):
        columns = shaped.row({name: value for name, value in row.values.items() if value is not None})
        if shaped.money:
            money.fill(shaped, row, columns, rates.get(number, money.ONE))
        columns["id"] = ids[number] if ids else None
        encoded.append(columns)
    statement = session.system.cache.get(("insert", shaped.table.name), lambda: _insert(session, shaped))
    parameters = {**encode(encoded), "of_type": shaped.stored.type_id, "by_user": session.user.user_id}
    given = _run(session, statement, parameters, group)
    for row, id_ in zip(rows, ids or [g[0] for g in given], strict=True):
        row.id = id_
        batch.note(shaped, id_, {**shaped.told(row.values), VERSION: [None, 1]})
    if shaped.files:
        staging.own(session, shaped, rows)


def update_group(batch: Batch, group: Group) -> None:
    """Write what changes in records; one of which only lines were written gets a new version all the same."""
    session, shaped = batch.session, group.shape
    rows = [row for row in group.rows if row.values or row.touched]
    if not rows:
        return
    _keep_files(batch, shaped, rows)
    rates = money.rates(session, shaped, rows)
    encoded = []
    for number, row in enumerate(rows):
        columns = shaped.row(row.values)
        rate = rates.get(number, money.ONE)
        money.fill(shaped, row, columns, rate)
        encoded.append({"id": row.id, **columns})
        if money.moves(shaped, row):
            money.follow(session, shaped, row, rate)
    changed = _same_columns(shaped, rows, encoded)
    statement = session.system.cache.get(("update", shaped.table.name, changed),
                                         lambda: _update(session, shaped, changed))
    _run(session, statement, {**encode(encoded), "by_user": session.user.user_id}, group)
    for row in rows:
        version = row.version or 0
        change = journal.difference(shaped, row.old or {}, row.values)
        batch.note(shaped, row.id or 0, {**change, VERSION: [version, version + 1]})
    if shaped.files:
        staging.own(session, shaped, rows)


def _same_columns(shaped: Shape, rows: Sequence[Row], encoded: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Let all rows set the same columns, so that one statement serves them: what one does not change stays as it is."""
    names = {column for columns in encoded for column in columns} - {"id"}
    for row, columns in zip(rows, encoded, strict=True):
        columns.update({name: row.stored[name] for name in names if name not in columns})
    return tuple(column.name for column in shaped.columns() if column.name in names)


def _ids(session: Session, count: int) -> list[int]:
    """The ids of several new records, in order; one alone is given its id by the insert itself."""
    if count < 2:
        return []
    return sorted(session.connection.scalar(_DRAWN, {"count": count}))


_DRAWN = text("select array_agg(nextval('ed.record_id')) from generate_series(1, :count)")


def _insert(session: Session, shaped: Shape) -> Statement:
    table = shaped.stored.table
    new = rowset({"id": BigInteger(), **{c.name: c.type for c in shaped.columns()}})
    values = {
        "id": func.coalesce(new.c.id, tables.RECORD_ID.next_value()),
        "_type": bindparam("of_type", type_=Integer()),
        "created_by": bindparam("by_user", type_=BigInteger()),
        "changed_by": bindparam("by_user", type_=BigInteger()),
        **{c.name: new.c[c.name] for c in shaped.columns()}}
    statement = insert(table).from_select(list(values), select(*values.values()), include_defaults=False)
    return Statement.compile(statement.returning(table.c.id), session.connection.dialect, fixed=True)


def _update(session: Session, shaped: Shape, changed: Sequence[str]) -> Statement:
    table = shaped.stored.table
    new = rowset({"id": BigInteger(), **{name: table.c[name].type for name in changed}})
    values: dict[Any, Any] = {table.c[name]: new.c[name] for name in changed}
    values |= {table.c["_version"]: table.c["_version"] + 1, table.c["changed_on"]: func.now(),
               table.c["changed_by"]: bindparam("by_user", type_=BigInteger())}
    statement = update(table).values(values).where(table.c.id == new.c.id).returning(table.c.id)
    return Statement.compile(statement, session.connection.dialect, fixed=True)


def _run(session: Session, statement: Statement, parameters: Mapping[str, Any], group: Group) -> Sequence[Any]:
    """Run a write; a unique index that another transaction filled meanwhile becomes a problem of the field."""
    try:
        return statement.rows(session.connection, parameters)
    except IntegrityError as error:
        raise refused(session, group.shape, error, group.rows) from None


def refused(session: Session, shaped: Shape, error: IntegrityError, rows: Sequence[Row]) -> Exception:
    """What the database refused, in words of the table's fields; the error itself if it is none of them.

    It may keep what only the coming version asks for, or the one that came while a request was still on its way.
    """
    diagnosis = getattr(error.orig, "diag", None)
    constraint = str(getattr(diagnosis, "constraint_name", "") or "")
    if constraint.startswith(REQUIRED):
        return _empty(session, shaped, constraint, rows)
    detail = str(getattr(diagnosis, "message_detail", "") or "")
    columns = {part.strip().strip('"') for part in detail.partition("Key (")[2].partition(")=")[0].split(",")}
    row = rows[0] if len(rows) == 1 else None
    for unique in shaped.table.unique.values():
        if {shaped.stored.name(name) for name in unique.fields} == columns:
            found = Problems()
            if row is None:
                return Invalid([FieldProblem(unique.fields[0], "unique", checks.taken(session, shaped, unique))])
            checks.tell_taken(session, shaped, unique, row, found)
            return Invalid(found.found)
    code, said = ("unique", checks.TAKEN) if sqlstate(error) == TAKEN else ("link", N_("This cannot be chosen here."))
    for name, kept in shaped.kept.items():
        if columns & set(kept.columns):
            path = f"{row.path}{name}" if row is not None else name
            return Invalid([FieldProblem(path, code, said, row=row.index if row else 0)])
    return error


def _empty(session: Session, shaped: Shape, constraint: str, rows: Sequence[Row]) -> Invalid:
    """The problem of a field that the database keeps filled in."""
    storage = constraint.removeprefix(REQUIRED).partition("_")[0]
    for name, kept in shaped.kept.items():
        if str(session.system.storage(identity_path(kept.field))) == storage:
            row = next((row for row in rows if is_empty(row.now(name))), None)
            path = f"{row.path}{name}" if row is not None else name
            return Invalid([FieldProblem(path, "required", "This must be filled in.", row=row.index if row else 0)])
    return Invalid([FieldProblem("", "outdated", N_("The definitions changed while this was under way: try again."))])


def _keep_files(batch: Batch, shaped: Shape, rows: Sequence[Row]) -> None:
    """Register uploads, which become values of their fields; their bytes are stored when all else is right."""
    for kept in shaped.files:
        for row in rows:
            upload = row.values.get(kept.field.name)
            if isinstance(upload, Upload):
                row.values[kept.field.name] = staging.register(batch.session, upload)
                batch.contents.append(upload.content)

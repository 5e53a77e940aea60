"""Uploads that come before their record, and files that find theirs: who may use which, and whose they become.

A staged upload is its uploader's alone; writing its id into a file field links it, once. A file that a record holds or
held may come back into the same field of the same record, and nowhere else. What is never linked goes after a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Connection, any_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from core.ed import tables
from core.ed.files import LONGEST_STAY, Claim, Upload, digest, label, sniff, unfit
from core.ed.rowset import encode, rowset
from core.ed.statement import Statement
from core.errors import BadRequest, Denied, FieldProblem, Invalid, Refused
from core.types.base import BadValue
from core.types.file import FileValue

if TYPE_CHECKING:
    from core.ed.batch import Batch
    from core.ed.session import Session
    from core.ed.shape import Kept, Shape
    from core.ed.values import Row

MOST_STAGED = 1_000_000_000          # bytes of one user that wait for their records
_file = tables.file.c


def stage(session: Session, upload: Upload) -> FileValue:
    """Store an upload of this user for a record to come; gives the id to write into a field.

    Raises Denied for nobody in particular, Invalid for an empty file or too much that waits, NoSpace.
    """
    user = session.user.user_id
    if user is None:
        raise Denied("Only somebody who is signed in can upload files.")
    if session.files is None:
        raise Refused("this system has no place for files: set its home")
    if not upload.content:
        raise Invalid([FieldProblem("", "empty", "The file is empty.")])
    waiting = session.connection.scalar(select(func.coalesce(func.sum(_file.size), 0)).where(
        _file.staged, _file.created_by == user))
    if int(waiting or 0) + len(upload.content) > MOST_STAGED:
        raise BadRequest("Too many uploads of yours wait for their records.")
    session.files.put(upload.content)                       # first the bytes, then who points to them
    return register(session, upload, staged=True)


def register(session: Session, upload: Upload, *, staged: bool = False) -> FileValue:
    """Write the row of an upload; its bytes are the caller's to store."""
    name, kind = label(upload.name), sniff(upload.content, upload.name)
    values = {"name": name, "type": kind, "size": len(upload.content), "hash": digest(upload.content),
              "created_by": session.user.user_id, "staged": staged}
    id_ = session.connection.execute(insert(tables.file).values(values).returning(_file.id)).scalar_one()
    return FileValue(id_, name, kind, len(upload.content))


def claim(batch: Batch, shaped: Shape, rows: Iterable[Row]) -> None:
    """Turn the ids that rows name for file fields into files that may stand there; others are problems."""
    wanted = [(row, kept, value) for kept in shaped.files for row in rows
              if isinstance(value := row.values.get(kept.field.name), Claim)]
    if not wanted:
        return
    ids = sorted({value.id for _, _, value in wanted})
    found = {one.id: one for one in batch.session.connection.execute(
        select(_file.id, _file.name, _file.type, _file.size, _file.hash, _file.staged, _file.created_by,
               _file.record_id, _file.field_id).where(_file.id.in_(ids), _file.removed_on.is_(None)).order_by(_file.id)
        .with_for_update())}
    for row, kept, value in wanted:
        name, file = kept.field.name, found.pop(value.id, None)      # a staged upload becomes one record's
        mine = file is not None and file.staged and file.created_by == batch.session.user.user_id is not None
        back = file is not None and not file.staged and row.id is not None and file.record_id == row.id \
            and str(file.field_id) == kept.identity
        if file is None or not (mine or back):
            batch.problems.add(row, name, "file", "Send the file itself, or the id of an upload of yours.")
            continue
        code, message, params = unfit(file.size, file.type, kept.p)
        if code:
            batch.problems.add(row, name, code, message, **params)
        elif kept.field.type.looks:  # type: ignore[attr-defined]
            _look(batch, row, kept, file)
        row.values[name] = FileValue(file.id, file.name, file.type, file.size)


def _look(batch: Batch, row: Row, kept: Kept, file: Any) -> None:
    """What the type of a field finds in the bytes of an upload."""
    kind: Any = kept.field.type
    files = batch.session.files
    if files is None:
        return
    try:
        with files.open(file.hash) as content:
            kind.check(content.read(), file.type, kept.p)
    except BadValue as bad:
        batch.problems.add(row, kept.field.name, bad.code, bad.message, **bad.params)


def own(session: Session, shaped: Shape, rows: Iterable[Row]) -> None:
    """Note for each file that was written which record and field it belongs to now."""
    owned = [{"id": value.id, "record_id": row.id, "field_id": int(kept.identity)} for kept in shaped.files
             for row in rows if isinstance(value := row.values.get(kept.field.name), FileValue)]
    if owned:
        statement = session.system.cache.get("own files", lambda: _own(session))
        statement.run(session.connection, encode(owned))


def _own(session: Session) -> Statement:
    new = rowset({"id": BigInteger(), "record_id": BigInteger(), "field_id": BigInteger()})
    file = tables.file
    return Statement.compile(update(file).values(
        {file.c.record_id: new.c.record_id, file.c.field_id: new.c.field_id, file.c.staged: False})
        .where(file.c.id == new.c.id), session.connection.dialect, fixed=True)


def forget_staged(connection: Connection) -> int:
    """Remove the rows of uploads that nobody linked within a day; gives how many."""
    old = _file.staged & (_file.created_on < func.now() - timedelta(seconds=LONGEST_STAY))
    return connection.execute(delete(tables.file).where(old)).rowcount


def forget_records(connection: Connection, ids: Sequence[int]) -> int:
    """Remove the rows of the files of records that are gone for good; gives how many."""
    gone: Any = bindparam("gone", list(ids), ARRAY(BigInteger))
    return connection.execute(delete(tables.file).where(_file.record_id == any_(gone))).rowcount

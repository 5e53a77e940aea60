"""What people put beside a record: remarks in its time line (`keeps: [timeline]`) and files (`keeps: [attachments]`).

Who may change a record may add to it; nobody may add to one that is locked for them. Those who only hold roles of a
portal see neither. A remark is taken back by who made it, an attachment by who may change the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from core.ed import locked, messages, read, staging, tables
from core.ed.files import StoredFile, Upload
from core.ed.history import ATTACHMENT, REMARK, inside
from core.errors import Denied, FieldProblem, Invalid, NotFound, RecordLocked, Refused
from core.types.file import FileValue

if TYPE_CHECKING:
    from core.ed.session import Session

LONGEST_REMARK = 10_000
_remark, _file = tables.remark.c, tables.file.c


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a record."""

    file: FileValue
    at: datetime
    user_id: int | None


def remark(session: Session, table: str, id: int, said: str) -> int:
    """Say something about a record; gives the remark's id. Raises NotFound, Denied, Invalid, RecordLocked."""
    _may_add(session, table, id, "timeline")
    text = said.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid([FieldProblem("remark", "required", "This must be filled in.")])
    if len(text) > LONGEST_REMARK or "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise Invalid([FieldProblem("remark", "text", "A remark has at most {most} characters.",
                                    {"most": LONGEST_REMARK})])
    number = session.connection.execute(insert(tables.remark).values(
        record_id=id, table_id=session.system.stored(table).type_id, text=text,
        created_by=session.user.user_id).returning(_remark.id)).scalar_one()
    _tell(session, table, id, {REMARK: [None, number]})
    return int(number)


def take_back(session: Session, table: str, id: int, number: int) -> None:
    """Remove the text of a remark of one's own; that there was one stays. Raises NotFound, Denied."""
    if not read.may(session, table, "read", id) or not inside(session):
        raise NotFound("There is no such record, or you may not read it.")
    row = session.connection.execute(select(_remark.created_by).where(
        _remark.id == number, _remark.record_id == id, _remark.removed_on.is_(None)).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such remark.")
    if row.created_by != session.user.user_id and not session.user.all:
        raise Denied("A remark is taken back by who made it.")
    session.connection.execute(update(tables.remark).values(text=None, removed_on=func.now()).where(
        _remark.id == number))


def attach(session: Session, table: str, id: int, upload: Upload) -> FileValue:
    """Put a file beside a record. Raises NotFound, Denied, Invalid, RecordLocked, NoSpace."""
    _may_add(session, table, id, "attachments")
    if not upload.content:
        raise Invalid([FieldProblem("file", "empty", "The file is empty.")])
    if session.files is None:
        raise Refused("this system has no place for files: set its home")
    session.files.put(upload.content)
    file = staging.register(session, upload)
    session.connection.execute(update(tables.file).values(record_id=id).where(_file.id == file.id))
    _tell(session, table, id, {ATTACHMENT: [None, _wire(file)]})
    return file


def detach(session: Session, table: str, id: int, file_id: int) -> None:
    """Take a file away from a record; history keeps its name. Raises NotFound, Denied, RecordLocked."""
    _may_add(session, table, id, "attachments")
    found = [one for one in attachments(session, table, id) if one.file.id == file_id]
    if not found:
        raise NotFound("There is no such file, or you may not see it.")
    session.connection.execute(update(tables.file).values(removed_on=func.now()).where(_file.id == file_id))
    _tell(session, table, id, {ATTACHMENT: [_wire(found[0].file), None]})


def attachments(session: Session, table: str, id: int) -> list[Attachment]:
    """The files beside a record that the user reads, oldest first; one statement, none where none are kept."""
    definition = session.system.model.tables.get(table)
    if definition is None or "attachments" not in definition.keeps or not inside(session):
        return []
    rows = session.connection.execute(
        select(_file.id, _file.name, _file.type, _file.size, _file.created_on, _file.created_by).where(
            _file.record_id == id, _file.field_id.is_(None), ~_file.staged, _file.removed_on.is_(None))
        .order_by(_file.id))
    return [Attachment(FileValue(*row[:4]), row[4], row[5]) for row in rows]


def open_attachment(session: Session, table: str, id: int, file_id: int) -> StoredFile:
    """Open a file beside a record, in the trash or not. Raises NotFound."""
    known = table in session.system.model.tables and read.may(session, table, "read", id)
    if known and session.files is not None and any(one.file.id == file_id for one in attachments(session, table, id)):
        row: Any = session.connection.execute(select(_file.name, _file.type, _file.size, _file.hash).where(
            _file.id == file_id)).one()
        return StoredFile(row.name, row.type, row.size, session.files.open(row.hash))
    raise NotFound("There is no such file, or you may not see it.")


def _may_add(session: Session, table: str, id: int, kept: str) -> None:
    if table not in session.system.model.tables or not read.read(session, table, [id], ["id"]):    # or in the trash
        raise NotFound("There is no such record, or you may not read it.")
    if kept not in session.system.model.tables[table].keeps or not inside(session):
        raise Denied("Nothing is kept beside these records.")
    if not read.may(session, table, "change", id):
        raise messages.denied(session, table, "change")
    standing = locked.standing(session, table, id)
    if standing is not None and standing.by is not None:
        raise RecordLocked(standing.message, table=standing.by.table, id=standing.by.id)


def _tell(session: Session, table: str, id: int, change: dict[str, list[Any]]) -> None:
    """Into history, also where a table keeps no other; a remark and a file are no new version of the record."""
    session.connection.execute(insert(tables.history).values(
        record_id=id, table_id=session.system.stored(table).type_id, user_id=session.user.user_id, how=session.how,
        import_id=session.import_id, version=session.system.version, change=change))


def _wire(file: FileValue) -> dict[str, Any]:
    return {"id": file.id, "name": file.name, "type": file.type, "size": file.size}

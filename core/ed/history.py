"""The history of a record, as far as a user may read its fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.ed import read, tables
from core.ed.columns import RecordColumns
from core.ed.journal import VERSION
from core.ed.scope import visible
from core.errors import NotFound

if TYPE_CHECKING:
    from core.ed.session import Session

MOST_CHANGES = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What one request did to a record: field -> (before, after), in wire form; `_deleted_on` for the trash."""

    at: datetime
    user_id: int | None
    user_title: str | None
    how: str
    version: int | None
    import_id: int | None
    fields: Mapping[str, tuple[Any, Any]]


def history(session: Session, table: str, id: int) -> list[Change]:
    """The changes of a record, newest first. Raises NotFound if the user may not read it."""
    if not read.may(session, table, "read", id):
        raise NotFound("There is no such record, or you may not read it.")
    log = tables.history
    rows = session.connection.execute(
        select(log.c.at, log.c.user_id, log.c.how, log.c.version, log.c.import_id, log.c.change)
        .where(log.c.record_id == id).order_by(log.c.id.desc()).limit(MOST_CHANGES)).all()
    names = {key: _field_name(session, key) for row in rows for key in row.change}
    open_ = shown(session, table, id, {name for name in names.values() if name is not None})
    people = _titles(session, {row.user_id for row in rows if row.user_id is not None})
    changes = []
    for row in rows:
        fields = {name: (pair[0], pair[1]) for key, pair in row.change.items()
                  if (name := names[key]) is not None and name in open_}
        if fields or not row.change:
            changes.append(Change(row.at, row.user_id, people.get(row.user_id), row.how, row.version, row.import_id,
                                  fields))
    return changes


def _field_name(session: Session, key: str) -> str | None:
    """The name that a field (by identity) has in this version; system columns stay as they are."""
    if key == VERSION:                  # only tells what changed since a version
        return None
    if not key.isdecimal():
        return key
    path = session.system.name_of(int(key))
    return None if path is None else path.partition(".")[2]


def shown(session: Session, table: str, id: int, names: Iterable[str]) -> set[str]:
    """The fields whose values this user may read in this record."""
    gate, model = session.gate, session.system.model
    plain = {name for name in names if name.startswith("_")}
    known = {name for name in names if name not in plain and model.field(table, name) and visible(gate, table, name)}
    columns = RecordColumns(session.system, gate, table)
    masks = {name: gate.mask(table, name, columns.root.source) for name in sorted(known)}
    asked = {name: mask for name, mask in masks.items() if not isinstance(mask, bool)}
    found = plain | {name for name, mask in masks.items() if mask is True}
    if asked:
        statement = select(*asked.values()).where(columns.root.id == id)
        row = session.connection.execute(statement, session.parameters).first()
        found |= {name for name, may in zip(asked, row or (), strict=False) if may}
    return found


def _titles(session: Session, ids: set[int]) -> dict[int, str]:
    """The names of the people who changed it, for those who may read them."""
    if not ids or not session.gate.may("user", "read"):
        return {}
    return {record["id"]: record["_title"] for record in read.read(session, "user", sorted(ids), ["_title"])}

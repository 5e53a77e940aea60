"""A record as it was: reconstructed from what is stored now by walking its history back, as far as a user may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.ed import read, tables
from core.ed.history import field_name, shown
from core.ed.journal import VERSION
from core.ed.shape import shape
from core.errors import NotFound
from core.types.base import BadValue

if TYPE_CHECKING:
    from core.ed.session import Session

MOST_ENTRIES = 20_000            # of history that are walked back


@dataclass(frozen=True, slots=True)
class Past:
    """A record at one of its versions: stored fields in normal form; `strange` are values that no longer fit theirs."""

    version: int
    latest: int
    at: datetime | None                      # when that version was written; None if history does not say
    user_id: int | None
    values: Mapping[str, Any]
    strange: Mapping[str, Any]               # field -> what history holds, in wire form
    earlier: int | None                      # the version before it, if history has one
    later: int | None


def past(session: Session, table: str, id: int, version: int) -> Past:
    """A record as it was at a version. Raises NotFound if there was none, or the user may not read it."""
    current = _current(session, table, id)
    log = tables.history.c
    entries: Sequence[Any] = session.connection.execute(
        select(log.at, log.user_id, log.change).where(log.record_id == id, log.change.has_key(VERSION))
        .order_by(log.id.desc()).limit(MOST_ENTRIES)).all()
    latest = int(current["_version"])
    known = [change[VERSION][1] for _, _, change in entries]
    if version != latest and version not in known:
        raise NotFound("History does not say what this record was at that version.")
    at, user, undone = None, None, []
    for moment, user_id, change in entries:
        after = change[VERSION][1]
        if after <= version:
            at, user = (moment, user_id) if after == version else (None, None)
            break
        undone.append(change)
    values, strange = _walked_back(session, table, id, current, undone)
    return Past(version, latest, at, user, values, strange,
                max((one for one in known if one < version), default=None),
                min((one for one in {*known, latest} if one > version), default=None))


def _current(session: Session, table: str, id: int) -> read.Record:
    names = [name for name, kept in shape(session.system, table).kept.items()
             if name in session.gate.readable(table)]
    for trash in (False, True):
        found = read.read(session, table, [id], names, trash=trash)
        if found:
            return found[0]
    raise NotFound("There is no such record, or you may not read it.")


def _walked_back(session: Session, table: str, id: int, current: read.Record,
                 undone: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take changes back, newest first; of fields that may be read."""
    shaped = shape(session.system, table)
    before: dict[str, Any] = {}
    for change in undone:
        for key, pair in change.items():
            name = field_name(session, key)
            if name is not None and name in shaped.kept:
                before[name] = pair[0]
    open_ = shown(session, table, id, before)
    values = {name: current.get(name) for name in shaped.kept if name in current and name not in before}
    strange = {}
    for name in shaped.kept:
        if name in open_ and name in before:
            kept = shaped.kept[name]
            try:
                values[name] = kept.field.type.from_wire(before[name], kept.p)
            except (BadValue, TypeError, ValueError, KeyError):     # an earlier version of the field took other values
                strange[name] = before[name]
    return values, strange

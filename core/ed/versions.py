"""A record as it was: reconstructed from what is stored now by walking its history back, as far as a user may read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.ed import read, tables
from core.ed.history import field_name, shown, shown_in
from core.ed.journal import VERSION
from core.ed.records import Records
from core.ed.shape import shape
from core.errors import NotFound
from core.types.base import BadValue

if TYPE_CHECKING:
    from core.ed.session import Session

MOST_ENTRIES = 20_000            # of history that are walked back
MOST_LINES = 500
DELETED_ON = "_deleted_on"


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
    entry: int | None = None                 # in history


def past(session: Session, table: str, id: int, version: int) -> Past:
    """A record as it was at a version. Raises NotFound if there was none, or the user may not read it."""
    current = _current(session, table, id)
    log = tables.history.c
    entries: Sequence[Any] = session.connection.execute(
        select(log.at, log.user_id, log.change, log.id).where(log.record_id == id, log.change.has_key(VERSION))
        .order_by(log.id.desc()).limit(MOST_ENTRIES)).all()
    latest = int(current["_version"])
    known = [change[VERSION][1] for _, _, change, _ in entries]
    if version != latest and version not in known:
        raise NotFound("History does not say what this record was at that version.")
    at, user, entry, undone = None, None, None, []
    for moment, user_id, change, number in entries:
        after = change[VERSION][1]
        if after <= version:
            at, user, entry = (moment, user_id, number) if after == version else (None, None, None)
            break
        undone.append(change)
    values, strange = _walked_back(session, table, id, current, undone)
    return Past(version, latest, at, user, values, strange,
                max((one for one in known if one < version), default=None),
                min((one for one in {*known, latest} if one > version), default=None), entry)


def lines(session: Session, table: str, id: int, then: Past, name: str) -> list[dict[str, Any]]:
    """The lines of one field as they were at a version: stored fields in wire form, as far as the user may read them.

    Lines whose table keeps no history are as they are now.
    """
    field = session.system.model.tables[table].lines[name]
    child, by = field.target or "", str(getattr(field.properties, "by", ""))
    if then.entry is None or name not in shown(session, table, id, [name]) or by not in session.gate.readable(child):
        return []
    shaped = shape(session.system, child)
    names = [one for one in shaped.kept if one != by and one in session.gate.readable(child)]
    held = {record["id"]: (record, trash) for trash in (False, True) for record in Records(session).page(
        child, names, filters={by: id}, order=["id"], limit=MOST_LINES, trash=trash).records}
    before = _undone(session, sorted(held), then)
    written = {one for change in before.values() for one in change}
    open_ = shown_in(session, child, sorted(held), written) if held else {}
    found = []
    for number, (record, trashed) in sorted(held.items()):
        change = before.get(number, {})
        gone = change[DELETED_ON] is not None if DELETED_ON in change else trashed
        if not gone and VERSION not in change:
            found.append({"id": number, **{one: change[one] if one in change and one in open_[number] else
                                           shaped.kept[one].to_wire(record.get(one)) for one in names}})
    return found


def _undone(session: Session, ids: Sequence[int], then: Past) -> dict[int, dict[str, Any]]:
    """What some lines held when a version was written; `_version` for those that were not there yet."""
    log = tables.history.c
    rows = session.connection.execute(select(log.record_id, log.change).where(
        log.record_id.in_(ids), log.id > then.entry, log.at != then.at).order_by(log.id.desc()).limit(MOST_ENTRIES))
    found: dict[int, dict[str, Any]] = {}
    for number, change in rows:
        kept = found.setdefault(number, {})
        kept |= {one: pair[0] for key, pair in change.items() if (one := field_name(session, key)) is not None}
        if change.get(VERSION, (0,))[0] is None:
            kept[VERSION] = None
    return found


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

"""Taking back an import: what it created goes to the trash, what it changed becomes again what it was.

History says what it did. A field that somebody changed since stays as it is now, and the result says so. Killed half
way, it is simply run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

from core.ed import tables
from core.ed.journal import VERSION
from core.ed.records import Records
from core.errors import Conflict, Denied, Invalid, NotFound, Refused
from core.types.base import BadValue

if TYPE_CHECKING:
    from core.ed.session import Session

BATCH = 500
_STATE = text("select table_name, file_name, state from sys.import where id = :id for update")
_SET = text("update sys.import set state = :state, ended_on = now() where id = :id")


@dataclass(slots=True)
class Reverted:
    """What was taken back, and what could not be."""

    trashed: int = 0
    restored: int = 0
    left: list[str] = field(default_factory=list)          # why something stays as it is


@dataclass(slots=True)
class _Done:
    """What the import did to one record: its first value before and last value after, by field identity."""

    table: str
    id: int
    created: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def revert(sessions: Callable[[], AbstractContextManager[Session]], import_id: int,
           told: Callable[[int], None] = lambda count: None) -> Reverted:
    """Take back an import, in batches. Raises NotFound, Refused."""
    result = Reverted()
    with sessions() as session:
        row = session.connection.execute(_STATE, {"id": import_id}).one_or_none()
        if row is None:
            raise NotFound("There is no import {id}.", id=import_id)
        if row.state == "reverted":
            raise Refused(f"import {import_id} ({row.file_name}) was reverted already")
        session.connection.execute(_SET, {"id": import_id, "state": "reverting"})
        records = [one[0] for one in session.connection.execute(
            select(tables.history.c.record_id).where(tables.history.c.import_id == import_id).distinct()
            .order_by(tables.history.c.record_id.desc()))]
    for start in range(0, len(records), BATCH):            # newest first: what links goes before what it links to
        with sessions() as session:
            session.how = "import"
            _revert(session, _done(session, import_id, records[start:start + BATCH]), result)
        told(min(start + BATCH, len(records)))
    with sessions() as session:
        session.connection.execute(_SET, {"id": import_id, "state": "reverted"})
    return result


def _done(session: Session, import_id: int, ids: Sequence[int]) -> list[_Done]:
    log = tables.history
    rows = session.connection.execute(
        select(log.c.record_id, log.c.table_id, log.c.change)
        .where(log.c.import_id == import_id, log.c.record_id.in_(ids)).order_by(log.c.id))
    found: dict[int, _Done] = {}
    for record_id, table_id, change in rows:
        name = session.system.name_of(table_id)
        if name is None:
            continue                                       # its table is not in this version: nothing to set back
        done = found.setdefault(record_id, _Done(name, record_id))
        done.created = done.created or change.get(VERSION, [0])[0] is None
        for key, (before, after) in change.items():
            if key.isdecimal():
                done.before.setdefault(key, before)
                done.after[key] = after
    return sorted(found.values(), key=lambda one: -one.id)


def _revert(session: Session, done: Sequence[_Done], result: Reverted) -> None:
    by_table: dict[str, list[_Done]] = {}
    for one in done:
        by_table.setdefault(one.table, []).append(one)
    for table, some in by_table.items():
        present = {record["id"]: record for record in Records(session).read(table, [one.id for one in some])}
        here = [one for one in some if one.id in present]
        _each(session, table, [one for one in here if one.created], _trash, result)
        changed = [(one, _values(session, table, one, present[one.id], result)) for one in here if not one.created]
        _each(session, table, [(one, values) for one, values in changed if values], _set_back, result)


def _trash(session: Session, table: str, some: Sequence[_Done], result: Reverted) -> None:
    Records(session).delete(table, [one.id for one in some])
    result.trashed += len(some)


def _set_back(session: Session, table: str, some: Sequence[tuple[_Done, dict[str, Any]]], result: Reverted) -> None:
    Records(session).update(table, [{**values, "id": one.id} for one, values in some])
    result.restored += len(some)


def _each(session: Session, table: str, some: Sequence[Any], do: Callable[..., None], result: Reverted) -> None:
    """Do it for all at once, else one by one, noting those that cannot be."""
    if not some:
        return
    try:
        with session.connection.begin_nested():
            do(session, table, some, result)
    except (Invalid, Denied, NotFound, Conflict) as error:
        if len(some) > 1:
            for one in some:
                _each(session, table, [one], do, result)
        else:
            one = some[0][0] if isinstance(some[0], tuple) else some[0]
            result.left.append(f"{table} {one.id}: {_words(error)}")


def _values(session: Session, table: str, done: _Done, present: Mapping[str, Any], result: Reverted) -> dict[str, Any]:
    """The fields to set back: those that still say what the import wrote."""
    values = {}
    for key, before in done.before.items():
        path = session.system.name_of(int(key))
        name = path.partition(".")[2] if path else ""
        definition = session.system.model.tables[table].fields.get(name)
        if definition is None or name not in present:
            continue
        now = definition.type.to_wire(present[name], definition.properties)
        if now == before:
            continue
        if now != done.after[key]:
            result.left.append(f"{table} {done.id}: {name} was changed since")
            continue
        try:
            values[name] = definition.type.from_wire(before, definition.properties)
        except BadValue as bad:
            result.left.append(f"{table} {done.id}: {name}: {bad}")
    return values


def _words(error: Exception) -> str:
    if not isinstance(error, Invalid):
        return str(error)
    words = []
    for problem in error.problems:
        message = problem.message
        for key, value in problem.params.items():
            message = message.replace("{" + key + "}", str(value))
        words.append(f"{problem.field}: {message}" if problem.field else message)
    return "; ".join(words)

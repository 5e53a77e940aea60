"""What stands against a stale write: for each field that others changed meanwhile, theirs, the original, and yours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.ed import tables
from core.ed.history import shown
from core.ed.journal import VERSION
from core.ed.read import read
from core.errors import Conflict
from core.types.base import BadValue

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.lock import Locked
    from core.ed.session import Session
    from core.ed.shape import Shape

MOST_CHANGES = 1_000         # so many changes of one record are looked through; nobody edits against more


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that others changed since a caller read the record; values in wire form."""

    field: str
    original: Any
    theirs: Any
    yours: Any = None
    sent: bool = False           # whether the caller wanted to write it; else there is no `yours`

    def as_json(self) -> dict[str, Any]:
        """As a program reads it."""
        own = {"yours": self.yours} if self.sent else {}
        return {"field": self.field, **own, "theirs": self.theirs, "original": self.original}


class VersionConflict(Conflict):
    """A record was changed since the caller read it; `changed` says what, as far as the caller may read it."""

    def __init__(self, message: str, current: Mapping[str, object], changed: Iterable[Difference]) -> None:
        self.changed = tuple(changed)
        super().__init__(message, current, [one.field for one in self.changed])


def conflict(session: Session, shaped: Shape, found: Locked, version: int,
             body: Mapping[str, Any]) -> VersionConflict:
    """What happened to a record since that version, beside what the caller wants to write in `body`."""
    table = shaped.table.name
    current = read(session, table, [found.id], None)
    before = originals(session, shaped, found.id, version)
    seen = shown(session, table, found.id, before) if current else set()
    changed = []
    for name, kept in shaped.kept.items():
        theirs = kept.to_wire(found.values[name])
        if name in seen and before[name] != theirs:
            yours = _wire(kept.field, body[name]) if name in body else None
            changed.append(Difference(name, before[name], theirs, yours, name in body))
    return VersionConflict("Someone else has changed this record meanwhile.", current[0] if current else {}, changed)


def originals(session: Session, shaped: Shape, id_: int, version: int) -> dict[str, Any]:
    """The fields that were written since a record had that version, with what they held then, as history knows."""
    log = tables.history.c
    entries = select(log.change).where(log.record_id == id_, log.table_id == shaped.stored.type_id).order_by(
        log.id.desc()).limit(MOST_CHANGES)
    names = {kept.identity: name for name, kept in shaped.kept.items()}
    found: dict[str, Any] = {}
    for change in session.connection.scalars(entries):
        versions = change.get(VERSION)
        if versions is not None and versions[1] <= version:
            break
        found |= {names[key]: pair[0] for key, pair in change.items() if key in names}
    return found


def _wire(field: Field, value: Any) -> Any:
    """What the caller sent, in wire form; what is no value of the field goes back as its text."""
    try:
        return field.type.to_wire(field.type.validate(value, field.properties), field.properties)
    except (BadValue, AttributeError):             # an upload is its name
        return str(getattr(value, "name", value))[:1000]

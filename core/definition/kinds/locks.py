"""When records of a table are locked: the property `lock`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.schema import Expression, Name, Schema, Text
from core.definition.model import Lock
from core.definition.scope import ModelScope, Written
from core.definition.values import Merged, value_at

if TYPE_CHECKING:
    from core.definition.model import Table


class LockSchema(Schema):
    """When a record refuses every write, whoever asks, until somebody with the right `unlock` gives a reason."""

    if_: Expression | None = Property(None, alias="if", description="The records that are locked, asked of what is "
                                      "stored before a write; a record may be written into this state.")
    with_: list[Name] = Property([], alias="with", description="Links: the record is locked while one that they lead "
                                 "to is. Lines that go into the trash with their record need not be named.")
    except_: list[Name] = Property([], alias="except", description="The fields that may be written all the same; a "
                                   "field of lines leaves its lines open.")
    message: Text | None = Property(None, description="Why it is locked; may hold {path}.")


def lock_of(schema: LockSchema | None, scope: ModelScope) -> Lock | None:
    """The lock of a table, as written."""
    if schema is None:
        return None
    written = Written(schema.if_, scope, "boolean") if schema.if_ is not None else None
    return Lock(written, tuple(schema.with_), frozenset(schema.except_), schema.message or "")


def check_lock(merged: Merged, table: Table, building: Building, check_text: Callable[..., None]) -> None:
    """Check what a table says of its lock."""
    lock = table.lock
    if lock is None or "lock" not in merged.body:
        return
    if lock.written is None and not lock.with_:
        building.tell(merged, ("lock",), 'a lock says "if" or "with", else nothing is ever locked')
    if lock.written is not None:
        building.check(merged, ("lock", "if"), lock.written)
    for index, name in enumerate(lock.with_):
        kind = building.field(merged, ("lock", "with", index), table.name, name)
        field = table.fields.get(name)
        if kind is not None and (kind.name != "link" or kind.many or field is None or field.virtual):
            building.tell(merged, ("lock", "with", index), f'"{name}" is no link to one record')
    said = value_at(merged.body, ("lock", "except"))
    for index, name in enumerate(said if isinstance(said, list) else ()):
        building.field(merged, ("lock", "except", index), table.name, name)
    check_text(merged, ("lock", "message"), table.name, lock.message, building)
    if "history" not in table.keeps:
        building.tell(merged, ("lock",), 'unlocking is kept in history, so the table needs "keeps: [history]"')

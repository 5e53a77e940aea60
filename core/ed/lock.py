"""Existing records held for writing: their values, and what this user may do with each, by one statement a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.ed.columns import RecordColumns
from core.ed.shape import Shape, shape
from core.ed.statement import Statement

if TYPE_CHECKING:
    from core.ed.session import Session

RIGHTS = ("read", "change", "delete")
IDS = bindparam("ids", type_=ARRAY(BigInteger))


@dataclass(frozen=True, slots=True)
class Locked:
    """A record as it is, which no one else changes until this transaction ends."""

    id: int
    version: int
    trashed: Any                           # when it went to the trash, or None
    values: Mapping[str, Any]
    stored: Mapping[str, Any]              # the same as database values by column
    rights: Mapping[str, bool]             # read, change, delete
    closed: frozenset[str]                 # fields this user may not change in it
    frozen: frozenset[str]                 # fields that a condition makes read-only in it


@dataclass(frozen=True, slots=True)
class _Locker:
    statement: Statement
    names: tuple[str, ...]                 # of the statement's columns
    rights: Mapping[str, bool]             # those that need no SQL
    closed: frozenset[str]
    asked_rights: tuple[str, ...]
    asked_fields: tuple[str, ...]
    asked_readonly: tuple[str, ...]


def lock(session: Session, table: str, ids: Sequence[int], *, removing: bool = False) -> dict[int, Locked]:
    """Lock records in the order of their ids; those of other kinds, or not there, are missing in the answer.

    `removing` also keeps others from beginning to link to them.
    """
    if not ids:
        return {}
    shaped = shape(session.system, table)
    locker = session.system.cache.get(("lock", session.user.shape, table, removing),
                                      lambda: _build(session, shaped, removing))
    rows = locker.statement.rows(session.connection, {**session.parameters, "ids": list(ids)})
    return {row[0]: _locked(shaped, locker, dict(zip(locker.names, row, strict=True))) for row in rows}


def _locked(shaped: Shape, locker: _Locker, row: Mapping[str, Any]) -> Locked:
    rights = dict(locker.rights)
    for right in locker.asked_rights:
        rights[right] = row[f"may {right}"] is True
    closed = locker.closed
    if locker.asked_fields:
        closed |= {name for name in locker.asked_fields if row[f"field {name}"] is not True}
    frozen = frozenset(name for name in locker.asked_readonly if row[f"fixed {name}"] is True)
    return Locked(row["id"], row["_version"], row["_deleted_on"], shaped.values(row), row, rights, closed, frozen)


def _build(session: Session, shaped: Shape, removing: bool) -> _Locker:
    gate, name, source = session.gate, shaped.table.name, shaped.stored.table
    asked: list[ColumnElement[Any]] = []
    constants: dict[str, bool] = {}
    asked_rights = []
    for right in RIGHTS:
        predicate = gate.predicate(name, right, source)
        if isinstance(predicate, bool):
            constants[right] = predicate
        else:
            asked.append(predicate.label(f"may {right}"))
            asked_rights.append(right)
    closed, asked_fields = set(), []
    for field in (*shaped.kept, *shaped.beside):
        mask = gate.mask(name, field, source, "change")
        if mask is False:
            closed.add(field)
        elif mask is not True:
            asked.append(mask.label(f"field {field}"))
            asked_fields.append(field)
    readonly = {} if gate.open else {
        field: kept.field.readonly for field, kept in shaped.kept.items() if not isinstance(kept.field.readonly, bool)}
    columns = RecordColumns(session.system, None, name, source)
    for field, condition in readonly.items():
        asked.append(condition.sql(columns).is_(True).label(f"fixed {field}"))
    own = shaped.stored.own_rows()
    wanted = (source.c.id, source.c["_version"], source.c["_deleted_on"], *shaped.columns(), *asked)
    statement = select(*wanted).select_from(columns.source).where(
        source.c.id == any_(IDS), *(() if own is None else (own,))).order_by(source.c.id)
    statement = statement.with_for_update(of=source, key_share=not removing)
    names = tuple(c.name for c in statement.selected_columns)
    compiled = Statement.compile(statement, session.connection.dialect, fixed=True)
    return _Locker(compiled, names, constants, frozenset(closed), tuple(asked_rights), tuple(asked_fields),
                   tuple(readonly))

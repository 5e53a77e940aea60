"""Expressions in records against a version: which rows a promotion would break, and who in live names a thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.bm import live
from core.definition.references import names
from core.definition.stored import checked, holds_expressions
from core.ed.stored import StoredExpression, stored_expressions, stored_references
from core.expression import ExpressionError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from core.bm.state import State
    from core.definition.model import Field
    from core.definition.users import Target
    from core.errors import Words
    from core.plugins import Plugins


@dataclass(frozen=True)
class StoredUser:
    """A record of the live system whose expression names something."""

    table: str
    record: int
    title: str
    field: str
    column: int
    source: str

    def __str__(self) -> str:
        line = " ".join(self.source.split())
        return f"{self.table} {self.record} ({self.title}) {self.field}:{self.column}\n      {line}"


def users_in_records(engine: Engine, plugins: Plugins, aim: Target) -> Sequence[StoredUser]:
    """The records of live whose expressions name a thing or a part of it."""
    with engine.connect() as connection:
        version, _ = live.current(connection)
        if not version:
            return ()
        system = live.system(connection, version, plugins)
        found = {StoredUser(one.table, one.record, one.title, one.field, (reference.inside or 0) + 1, one.source)
                 for one, reference in stored_references(system, connection) if names(reference, *aim)}
    return sorted(found, key=lambda user: (user.table, user.record, user.field, user.column))


def of_live(connection: Connection, base: State, plugins: Plugins) -> tuple[StoredExpression, ...]:
    """All expressions in the records of live; none before the first promotion."""
    if base.version is None or not holds_expressions(base.definitions.values()):
        return ()
    return tuple(stored_expressions(live.system(connection, base.version, plugins), connection))


def broken(base: State, target: State,
           expressions: Iterable[StoredExpression]) -> Iterator[tuple[StoredExpression, Words]]:
    """The expressions that are right in the base and wrong in the target, with the reason."""
    for one in expressions:
        before, after = _field(base, one.field), _field(target, target.names.get(base.identities.get(one.field, 0), ""))
        if base.model is None or target.model is None or before is None or after is None:
            continue
        try:
            checked(base.model, before, one.source)
        except ExpressionError:
            continue                    # it is wrong now, so that it is not this promotion that breaks it
        try:
            checked(target.model, after, one.source)
        except ExpressionError as error:
            yield one, error.words


def _field(state: State, path: str) -> Field | None:
    table, _, name = path.partition(".")
    field = state.model.field(table, name) if state.model is not None and table in state.model.tables else None
    return field if field is not None and field.type.name == "expression" else None

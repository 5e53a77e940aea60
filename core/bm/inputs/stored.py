"""Names in records against a version: which rows a promotion would break, and who in live names a thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.bm.versions import live
from core.definition.references import names
from core.definition.stored import NAMING, holds_names, problem_of
from core.ed.stored import StoredName, stored_names, stored_references
from core.errors import Words, words

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from core.bm.versions.state import State
    from core.definition.model import Field
    from core.definition.users import Target
    from core.plugins import Plugins


@dataclass(frozen=True)
class StoredUser:
    """A record of the live system with a value that names something."""

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
    """The records of live whose values name a thing or a part of it."""
    with engine.connect() as connection:
        version, _ = live.current(connection)
        if not version:
            return ()
        system = live.system(connection, version, plugins)
        found = {StoredUser(one.table, one.record, one.title, one.field, (reference.inside or 0) + 1, one.source)
                 for one, reference in stored_references(system, connection) if names(reference, *aim)}
    return sorted(found, key=lambda user: (user.table, user.record, user.field, user.column))


def of_live(connection: Connection, base: State, plugins: Plugins) -> tuple[StoredName, ...]:
    """All values in the records of live that name something; none before the first promotion."""
    if base.version is None or not holds_names(base.definitions.values()):
        return ()
    return tuple(stored_names(live.system(connection, base.version, plugins), connection))


def broken(base: State, target: State, stored: Iterable[StoredName]) -> Iterator[tuple[StoredName, Words]]:
    """The values that are right in the base and wrong in the target, with the reason."""
    for one in stored:
        before, after = _field(base, one.field), _field(target, target.names.get(base.identities.get(one.field, 0), ""))
        if base.model is None or target.model is None or before is None or after is None:
            continue
        if before.type.name == "any_link":
            if base.identities.get(one.source) not in target.names:
                yield one, words('it leads to a record of "{table}"', table=one.source)
            continue
        if problem_of(base.model, before, one.source, one.beside) is not None:
            continue                    # it is wrong now, so that it is not this promotion that breaks it
        problem = problem_of(target.model, after, one.source, one.beside)
        if problem is not None:
            yield one, problem


def _field(state: State, path: str) -> Field | None:
    table, _, name = path.partition(".")
    field = state.model.field(table, name) if state.model is not None and table in state.model.tables else None
    return field if field is not None and field.type.name in NAMING else None

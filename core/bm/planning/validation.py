"""Changed queries, lists, forms, objects and rights, tried in SQL before anything is done.

They run over empty temporary tables as the records' tables will be, in a savepoint that is taken back: the database
itself says whether it understands them, and not one lock is taken on the tables that people work with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, MetaData, select
from sqlalchemy import Table as PhysicalTable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from core.bm.versions.diff import Changed, Removed
from core.bm.versions.naming import HOLDERS, MEMBERS
from core.ed import query, query_values
from core.ed.access import Gate, as_condition
from core.ed.records import Records
from core.ed.schema import name_all, physical_table
from core.ed.session import Principals, Session, closed_roles
from core.ed.system import System
from core.errors import Denied, TesseraError, words

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Field
    from core.definition.references import Reference
    from core.errors import Words

Key = tuple[str, str]
TRIED = ("query", "list", "form", "object", "role", "restrict")
# Properties that say nothing to the database.
TEXTS = frozenset({"title", "plural", "help", "message", "icon", "color", "area", "was", "format", "description"})
THROUGH = ("function", "query", "table")        # whose users are reached too
PEOPLE = ("read", "change", "delete")
SAMPLES: dict[str, object] = {
    "text": "x", "integer": 1, "decimal": Decimal(1), "money": Decimal(1), "percent": Decimal(1), "boolean": True,
    "date": date(2000, 1, 1), "datetime": datetime(2000, 1, 1, tzinfo=UTC), "choice": "x", "link": 1, "set": 1}


def look(connection: Connection, way: Way, references: Iterable[Reference]) -> tuple[tuple[str, str, Words], ...]:
    """What the database says against definitions that changed, or that name what changed: (kind, name, why)."""
    if way.target.model is None or not way.base.hash:
        return ()
    wanted = reached(way, references)
    if not wanted:
        return ()
    return tuple(_all(connection, way, wanted))


def problems(way: Way) -> Iterator[Words]:
    """What stands against a new version, each with the place of the definition."""
    if not way.back:
        yield from _told(way)


def warnings(way: Way) -> Iterator[Words]:
    """What a version asks that was live once, and is understood no longer; who needs the way back has it."""
    if way.back:
        yield from _told(way)


def _told(way: Way) -> Iterator[Words]:
    for kind, name, why in way.facts.invalid:
        yield way.problem(kind, name, words("the database does not understand {kind} {name}: {why}", kind=kind,
                                            name=name, why=why))


class Shadow(System):
    """The target over temporary tables, each made when it is first asked for."""

    def __init__(self, connection: Connection, way: Way) -> None:
        state: State = way.target
        model = way.models[1]
        super().__init__(0, model, state.identities,
                         name_all(model, state.identities, way.facts.physical, state.storages),
                         storages=state.storages)
        self._connection = connection
        self._shadows = MetaData(schema="pg_temp")

    def _physical_table(self, root: str) -> PhysicalTable:
        name = self.physical[self.storage(root), ""][0]
        found = self._shadows.tables.get(f"pg_temp.{name}")
        if found is None:
            found = physical_table(self, root, self._shadows)
            self._connection.execute(CreateTable(found))
        return found


# Which

def reached(way: Way, references: Iterable[Reference]) -> list[Key]:
    """The definitions to try: those that changed beyond their texts, and those that name what changed."""
    users = list(references)
    waiting, seen = list(_changed(way)), set[Key]()
    found: dict[Key, None] = {}
    while waiting:
        kind, name = target = waiting.pop()
        if target in seen:
            continue
        seen.add(target)
        found[kind, name.partition(".")[0]] = None
        for one in users:
            if one.to_kind == kind and (one.to_name == name or one.to_name.startswith(f"{name}.")):
                found[one.kind, one.name] = None
                if one.kind in THROUGH:
                    waiting.append((one.kind, _part(one)))
    return sorted(key for key in found if key[0] in TRIED and key in way.target.definitions)


def _part(one: Reference) -> str:
    """What names it: a field of a table, or the whole definition."""
    return f"{one.name}.{one.path[1]}" if one.kind == "table" and one.path[:1] == ("fields",) and len(one.path) > 1 \
        else one.name


def _changed(way: Way) -> Iterator[Key]:
    for change in way.changes:
        if isinstance(change, Changed) and all(one.path.rpartition(".")[2] in TEXTS for one in change.properties):
            continue
        if isinstance(change, Removed):
            continue                            # who names it was told when the set was checked
        holder = HOLDERS.get(change.kind, change.kind)
        named = holder != change.kind and change.kind in MEMBERS[holder].values() and change.kind in ("field", "choice")
        yield holder, change.name if named else change.name.partition(".")[0]


# How

def _all(connection: Connection, way: Way, wanted: Iterable[Key]) -> Iterator[tuple[str, str, Words]]:
    """Each in turn, in one savepoint; after one that fails in a new one, for its tables may be gone with it."""
    left = list(wanted)
    while left:
        outer = connection.begin_nested()
        try:
            system, why = Shadow(connection, way), None
            while left and why is None:
                kind, name = left.pop(0)
                why = _try(connection, system, (kind, name))
            if why is not None:
                yield kind, name, why
        finally:
            outer.rollback()


def _try(connection: Connection, system: Shadow, key: Key) -> Words | None:
    """Run what a definition asks of the database; what goes wrong, in a sentence."""
    kind, name = key
    tries: dict[str, Callable[[Connection, Shadow, str], None]] = {
        "query": _query, "list": _list, "form": _form, "object": _object, "role": _role, "restrict": _restriction}
    try:
        with connection.begin_nested():
            tries[kind](connection, system, name)
    except DBAPIError as error:
        return words("{reason}", reason=str(error.orig).strip().split("\n")[0])
    except (SQLAlchemyError, TesseraError) as error:
        return words("{reason}", reason=str(error).split("\n")[0])
    return None


def _records(connection: Connection, system: Shadow) -> Records:
    return Records(Session.system_session(system, connection))


def _query(connection: Connection, system: Shadow, name: str) -> None:
    session = Session.system_session(system, connection)
    one = query.query_of(session, name)
    found = query.prepared(session, one, (name,))
    values = {key: _sample(field) for key, field in one.parameters.items()}
    found.statement.rows(connection, {**session.parameters, **query_values.bound(one, values), "limit": 1, "offset": 0})


def _sample(one: Field) -> object:
    """A value of a parameter, so that the database knows its type."""
    kind = one.expression_type
    value = SAMPLES.get(kind.name)
    return [value] if kind.many and value is not None else value


def _list(connection: Connection, system: Shadow, name: str) -> None:
    one = system.model.lists[name]
    if one.of and one.rows is None:
        _records(connection, system).page(one.of, [column.path for column in one.columns.values()],
                                          [chosen.where for chosen in one.filters.values()], order=one.order, limit=1)


def _form(connection: Connection, system: Shadow, name: str) -> None:
    one = system.model.forms[name]
    if one.of:
        _records(connection, system).read(one.of, [1], list(dict.fromkeys(one.fields)))


def _object(connection: Connection, system: Shadow, name: str) -> None:
    one = system.model.objects[name]
    if one.of and one.rows is None:
        _records(connection, system).page(one.of, ["id"], one.where, limit=1)


def _role(connection: Connection, system: Shadow, name: str) -> None:
    tables = {grant.partition(".")[0] for grant in system.model.roles[name].grants}
    for table in sorted(tables & system.model.tables.keys()):
        _rights(connection, system, name, table)


def _restriction(connection: Connection, system: Shadow, name: str) -> None:
    table = system.model.restrictions[name].of
    for role in system.model.roles:
        _rights(connection, system, role, table)


def _rights(connection: Connection, system: Shadow, role: str, table: str) -> None:
    """The conditions under which holders of a role may read, change and delete records."""
    found = system.model.roles[role]
    gate = Gate.of(system, Principals(1, closed_roles(system.model, frozenset([role])), all=found.all))
    source = system.stored(table).table
    session = Session.system_session(system, connection)
    for right in PEOPLE:
        with suppress(Denied):
            allowed = gate.may(table, right) and gate.predicate(table, right, source)
            if not isinstance(allowed, bool):
                statement: Any = select(source.c["id"]).where(as_condition(allowed)).limit(1)
                connection.execute(statement, session.parameters)

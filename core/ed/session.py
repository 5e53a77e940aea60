"""Who acts, on which system, over which connection: what every call of the record service needs to know."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from core.ed import setting
from core.ed.access import Gate
from core.ed.paths import during, end_of, my_array, path_in, place_name, value_of
from core.ed.system import System
from core.expression import Environment

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from core.definition.model import Model, Table
    from core.ed.files import FileStore
    from core.ed.scopes import Scopes


@dataclass(frozen=True)
class Principals:
    """What one user counts as, worked out once per user, version and epoch.

    `arrays` has, for each table that stands for people, the ids that stand for this user; `below` those under them.
    """

    user_id: int | None
    roles: frozenset[str] = frozenset()
    arrays: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    below: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)    # in trees, with all beneath, by path there
    all: bool = False           # holds a role with `all: true`: every right that `access: only` leaves
    system: bool = False        # core's own work: no gate at all
    settings: Mapping[str, object] | None = None    # as they hold for this user; None: not read yet
    scopes: Scopes | None = None    # of the token by which the user came; None: no limit

    @cached_property
    def shape(self) -> Hashable:
        """What statements depend on; all else of the user is passed to them as parameters."""
        return (self.system, self.all, self.roles, self.scopes)

    @cached_property
    def parameters(self) -> Mapping[str, object]:
        """The parameters by which statements know this user."""
        values: dict[str, object] = {"user": self.user_id}
        values |= {f"my_{table}": list(ids) for table, ids in self.arrays.items()}
        values |= {f"below_{table}": list(ids) for table, ids in self.below.items()}
        values |= {place_name(path): list(ids) for path, ids in self.places.items()}
        return values

    @classmethod
    def load(cls, connection: Connection, system: System, user_id: int, epoch: int = 0,
             scopes: Scopes | None = None, today: date | None = None) -> Principals:
        """Read a user's roles, teams and people below; kept per user, epoch and day with the version's caches.

        By day, for assignments and posts begin and end; a day begins when it does where the system is at home.
        """
        day = today or datetime.now(ZoneInfo(system.model.system.time_zone)).date()
        if scopes is not None:
            return system.principals.get((user_id, epoch, day, scopes), lambda: replace(
                cls.load(connection, system, user_id, epoch, None, day), scopes=scopes))
        return system.principals.get((user_id, epoch, day), lambda: counted(connection, system, user_id, day))


SYSTEM = Principals(user_id=None, all=True, system=True)


@dataclass
class Session:
    """One request, job or command at work; `how` is page, api, import, agent or system and goes into history."""

    system: System
    connection: Connection
    user: Principals
    environment: Environment
    how: str = "page"
    import_id: int | None = None
    language: str = "en"
    files: FileStore | None = None              # where uploads go; None where none are taken
    lasting: bool = True                        # False: all of it is taken back, so nothing is done beside it
    hurried: bool = False                       # its statements are stopped after a while: core/ed/budget.py

    @classmethod
    def open(cls, system: System, connection: Connection, user: Principals, *, how: str = "page", zone: str = "UTC",
             language: str = "en", now: datetime | None = None) -> Session:
        """Start a session; today and now are bound here, once, in the zone of the user."""
        moment = now or datetime.now(UTC)
        variables = user.settings if user.settings is not None else setting.load(connection, system, user.user_id)
        environment = Environment(user={"id": user.user_id}, today=moment.astimezone(ZoneInfo(zone)).date(),
                                  now=moment, zone=zone, variables=variables)
        return cls(system, connection, user, environment, how, language=language)

    @classmethod
    def system_session(cls, system: System, connection: Connection, *, how: str = "system") -> Session:
        """A session for core's own work: no gate stands before it."""
        return cls.open(system, connection, SYSTEM, how=how, zone=system.model.system.time_zone)

    @property
    def gate(self) -> Gate:
        """What this user may do."""
        return Gate.of(self.system, self.user)

    def may(self, duty: str) -> bool:
        """Whether the user may do a thing of administrators (`may:` of a role); who comes by a token does none."""
        if self.user.scopes is not None:
            return False
        roles = self.system.model.roles
        return self.user.all or any(duty in roles[name].may for name in self.user.roles)

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters that any statement may use: the user's side of rights, settings, today and now."""
        environment = self.environment
        return {**self.user.parameters, **self._settings, "today": environment.today, "now": environment.now,
                "zone": environment.zone}

    @cached_property
    def _settings(self) -> dict[str, object]:
        return setting.parameters(self.system.model, self.environment.variables)


def closed_roles(model: Model, names: frozenset[str]) -> frozenset[str]:
    """The roles with all they include; a portal role includes nothing and cannot be included."""
    found: set[str] = set()
    waiting = [name for name in names if name in model.roles]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            role = model.roles[name]
            if role.kind != "portal":
                waiting += [i for i in role.includes if i in model.roles and model.roles[i].kind != "portal"]
    return frozenset(found)


def counted(connection: Connection, system: System, user_id: int, today: date) -> Principals:
    """What a user counts as at this moment, past all caches."""
    roles = closed_roles(system.model, _assigned(connection, system, user_id, today))
    people = [system.model.tables[name] for name in system.model.names.people]
    arrays: dict[str, tuple[int, ...]] = {t.name: () for t in people}
    waiting = {t.name: t for t in people}
    while waiting:
        ready = [t for t in waiting.values() if _people_end(system, t) not in waiting.keys() - {t.name}]
        for table in ready or list(waiting.values()):
            arrays[table.name] = _standing_for(connection, system, table, user_id, arrays, today)
            del waiting[table.name]
    below = {t.name: _below(connection, system, t, t.above, arrays[t.name])
             for t in people if t.above is not None}
    places = {path: _places(connection, system, path, user_id, today) for path in system.model.names.scopes}
    return Principals(user_id, roles, arrays, below, places, all=any(system.model.roles[name].all for name in roles),
                      settings=setting.load(connection, system, user_id))


def _assigned(connection: Connection, system: System, user_id: int, today: date) -> frozenset[str]:
    stored = system.stored("role_assignment")
    statement = select(stored.column("role")).where(
        stored.column("user") == user_id, *_live(system, system.model.tables["role_assignment"]))
    return frozenset(role for role in connection.scalars(statement, {"today": today}) if role is not None)


def _people_end(system: System, table: Table) -> str | None:
    return None if table.people in (None, "id") else end_of(system.model, table.name, table.people)


def _standing_for(connection: Connection, system: System, table: Table, user_id: int,
                  arrays: Mapping[str, tuple[int, ...]], today: date) -> tuple[int, ...]:
    """The records of a table that stand for the user, by the table's `people` path."""
    if table.people is None or table.people == "id":
        return (user_id,)
    stored = system.stored(table.name)
    condition = path_in(system, table.name, table.people, stored.table, my_array)
    mine = {f"my_{name}": list(ids) for name, ids in arrays.items()}
    return _ids(connection, system, table, condition, {**mine, "today": today})


def _below(connection: Connection, system: System, table: Table, above: str,
           mine: tuple[int, ...]) -> tuple[int, ...]:
    """The records under those that stand for the user, however deep; a loop ends where it began."""
    if not mine:
        return ()
    stored = system.stored(table.name)
    superior = value_of(system, table.name, above, stored.table)
    pairs = select(stored.column("id").label("id"), superior.label("superior")).where(
        stored.column("_deleted_on").is_(None), *_own(system, table)).subquery()
    first = select(pairs.c.id).where(pairs.c.superior.in_(mine)).cte("below", recursive=True)
    below = first.union(select(pairs.c.id).join(first, pairs.c.superior == first.c.id))
    return tuple(sorted(set(connection.scalars(select(below.c.id))) - set(mine)))


def _places(connection: Connection, system: System, path: str, user_id: int, today: date) -> tuple[int, ...]:
    """Where a path from the user leads in a tree, and all beneath these places."""
    table, ids = reach(connection, system, "user", path, (user_id,), today)
    link = next((name for name, field in system.model.tables[table].links.items()
                 if getattr(field.properties, "tree", False)), None)
    beneath = _below(connection, system, system.model.tables[table], link, ids) if link is not None else ()
    return tuple(sorted({*ids, *beneath}))


def reach(connection: Connection, system: System, table: str, path: str, ids: tuple[int, ...],
          today: date) -> tuple[str, tuple[int, ...]]:
    """The records at the end of a path from some records, and their table; as of today, asked without any gate."""
    for name in path.split("."):
        kind = system.model.names.member(table, name)
        if name == "id" or kind is None or kind.of is None:
            break
        ids, table = _next(connection, system, table, name, ids, today), kind.of
    return table, ids


def _next(connection: Connection, system: System, table: str, name: str, ids: tuple[int, ...],
          today: date) -> tuple[int, ...]:
    """The records that a link, or lines, of some records lead to, outside the trash."""
    kind, field = system.model.names.member(table, name), system.model.field(table, name)
    if kind is None or kind.of is None or kind.of not in system.model.tables:
        return ()
    target = system.model.tables[kind.of]
    there, here = system.stored(target.name), system.stored(table)
    if field is not None and field.type.is_lines:
        found = there.column(str(getattr(field.properties, "by", ""))).in_(ids)
    else:
        link = here.column(name)
        values = select(func.unnest(link) if kind.many else link).where(here.column("id").in_(ids))
        found = there.column("id").in_(values)
    statement = select(there.column("id")).where(found, *_live(system, target))
    return tuple(sorted(connection.scalars(statement, {"today": today})))


def _ids(connection: Connection, system: System, table: Table, condition: ColumnElement[bool],
         parameters: Mapping[str, object]) -> tuple[int, ...]:
    statement = select(system.stored(table.name).column("id")).where(condition, *_live(system, table))
    return tuple(sorted(connection.scalars(statement, parameters)))


def _live(system: System, table: Table) -> list[ColumnElement[bool]]:
    """The rows of a table that count today."""
    stored = system.stored(table.name)
    return [stored.column("_deleted_on").is_(None), *_own(system, table), *during(system, table.name, stored.table)]


def _own(system: System, table: Table) -> list[ColumnElement[bool]]:
    own = system.stored(table.name).own_rows()
    return [] if own is None else [own]

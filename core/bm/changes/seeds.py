"""Seeds: records that a layer ships (`data` definitions), brought into live after the flip.

A key that is missing comes in. What was shipped is remembered in sys.seed by the identities of its fields, so that a
later version changes only those fields that nobody changed in live meanwhile, whatever they are called by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from core.bm.changes.values import Find, value_of
from core.bm.engine.run import first_line
from core.bm.versions import live, tables
from core.ed.records import Records
from core.ed.session import Session
from core.errors import Refused, TesseraError, Words, words

if TYPE_CHECKING:
    from core.definition.model import Data, Field, Model
    from core.ed.system import System
    from core.plugins import Plugins

Shipped = Mapping[str, Any]             # what a definition says of a record, by the names of fields


class Seeding:
    """Fills the records of `data` definitions; made once per promotion, so that the version is built once."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self._systems: dict[int, System] = {}

    def __call__(self, engine: Engine, version: int, name: str) -> tuple[Words, ...]:
        """Bring in or update the records of one definition, in one transaction; a line for each that could not be."""
        with engine.begin() as connection:
            session = Session.system_session(self.system(connection, version), connection)
            return fill(session, session.system.model.data[name])

    def system(self, connection: Connection, version: int) -> System:
        """The version over this database, built once."""
        if version not in self._systems:
            self._systems[version] = live.system(connection, version, self.plugins)
        return self._systems[version]


def order(model: Model) -> tuple[str, ...]:
    """The `data` definitions so that those others link to come first; ties and loops by name."""
    waiting = dict(sorted(model.data.items()))
    ordered: list[str] = []
    while waiting:
        tables_waiting = {data.of for data in waiting.values()}
        ready = [name for name, data in waiting.items() if not _targets(model, data) & (tables_waiting - {data.of})]
        for name in ready or list(waiting):
            ordered.append(name)
            del waiting[name]
    return tuple(ordered)


def _targets(model: Model, data: Data) -> set[str]:
    """The tables whose shipped records these records link to."""
    names = {name for values in data.records.values() for name in values}
    fields = [model.field(data.of, name) for name in names]
    return {field.target for field in fields if field is not None and field.target is not None}


def written(model: Model, data: Data) -> dict[str, dict[str, Any]]:
    """What a definition ships, as it is written; the key is among the values."""
    body: Any = model.definitions["data", data.name].body
    return {key: {data.key: key, **values} for key, values in body["records"].items()}


def fill(session: Session, data: Data) -> tuple[Words, ...]:
    """Insert the missing records of a definition and merge the others by field; a line for each that could not be.

    A record that cannot be stops no other one. It is not remembered, so that a later promotion tries it again.
    """
    work = _Filling(session, data)
    work.rename_keys()
    for key, row in work.known.items():
        if key in work.shipped:
            work.attempt(key, lambda key=key, row=row: work.merge(key, row))      # type: ignore[misc]
    work.create_missing()
    return tuple(work.failed[key] for key in work.shipped if key in work.failed)


class _Filling:
    """One definition on its way into live."""

    def __init__(self, session: Session, data: Data) -> None:
        self.session, self.data = session, data
        self.table_id = session.system.identities[data.of]
        self.layer = session.system.model.definitions["data", data.name].layer
        self.shipped = written(session.system.model, data)
        self.find = finder(session)
        self.failed: dict[str, Words] = {}
        rows = session.connection.execute(select(tables.seed).where(tables.seed.c.table_id == self.table_id))
        self.known: dict[str, Any] = {row.key: row for row in rows}

    def rename_keys(self) -> None:
        """A record that is shipped under another key is still the same one."""
        for old, new in self.data.renamed.items():
            if old in self.known and old not in self.shipped and new not in self.known:
                self.session.connection.execute(tables.seed.update().values(key=new).where(
                    tables.seed.c.table_id == self.table_id, tables.seed.c.key == old))
                self.known[new] = self.known.pop(old)

    def attempt(self, key: str, work: Callable[[], object]) -> bool:
        """Do something for one record; what cannot be done is told and leaves no trace."""
        try:
            with self.session.connection.begin_nested():
                work()
        except (TesseraError, DBAPIError) as error:
            self.failed[key] = words("{table} {key}: {problem}", table=self.data.of, key=key, problem=first_line(error))
            return False
        return True

    def merge(self, key: str, row: Any) -> None:
        """Change the fields whose shipped value changed and whose live value is still the one shipped before."""
        after, before = self.shipped[key], by_name(self.session.system, self.data.of, row.shipped)
        changed = [name for name in after if name not in before or after[name] != before[name]]
        if row.record_id is not None and changed:
            there = Records(self.session).read(self.data.of, [row.record_id], changed)
            if there:                               # else in the trash: people did not want it
                self._update(there[0], {name: after[name] for name in changed if untouched(
                    self.session, self._field(name), there[0][name], before.get(name), self.find)})
        self.remember(key, row.record_id)

    def _update(self, record: Mapping[str, Any], values: Shipped) -> None:
        wanted = {name: value_of(self.session, self.data.of, self._field(name), value, self.find, literal=True)
                  for name, value in values.items()}
        wanted = {name: value for name, value in wanted.items() if not equal(record[name], value)}
        if wanted:
            Records(self.session).update(
                self.data.of, [{"id": record["id"], "_version": record["_version"], **wanted}])

    def create_missing(self) -> None:
        """Bring in what is not known, in an order in which links find their ends; those of a circle follow."""
        waiting = {key: values for key, values in self.shipped.items() if key not in self.known}
        later: dict[str, dict[str, Any]] = {}
        while waiting:
            ready = [key for key, values in waiting.items() if not self._links(values, waiting)]
            for key in ready or [next(iter(waiting))]:
                values = waiting.pop(key)
                put_off = set() if ready else self._links(values, waiting)
                if self.attempt(key, lambda key=key, values=values, put_off=put_off: self._create(      # type: ignore[misc]
                        key, {name: one for name, one in values.items() if name not in put_off})) and put_off:
                    later[key] = {name: values[name] for name in put_off}
        for key, values in later.items():
            self.attempt(key, lambda key=key, values=values: self._complete(key, values))       # type: ignore[misc]

    def _links(self, values: Shipped, waiting: Mapping[str, object]) -> set[str]:
        """The fields that lead to records of this definition that are not there yet."""
        found = set()
        for name, value in values.items():
            field = self.session.system.model.field(self.data.of, name)
            keys = value if isinstance(value, list) else [value]
            if field is not None and field.target is not None and any(
                    key in waiting and self.find(field.target, str(key)) is None for key in keys):
                found.add(name)
        return found

    def _create(self, key: str, values: Shipped) -> None:
        record = self._existing(key)
        if record is None:
            wanted = {name: value_of(self.session, self.data.of, self._field(name), value, self.find, literal=True)
                      for name, value in values.items()}
            record = Records(self.session).create(self.data.of, [wanted])[0]
        self.remember(key, record)

    def _complete(self, key: str, values: Shipped) -> None:
        record = self.find(self.data.of, key)
        if record is not None:
            self._update(Records(self.session).read(self.data.of, [record], list(values))[0], values)

    def _existing(self, key: str) -> int | None:
        """A record that people entered under this key before it was shipped is theirs: adopted, not changed."""
        found = Records(self.session).page(self.data.of, ["id"], filters={self.data.key: key}, limit=1).records
        return int(found[0]["id"]) if found else None

    def remember(self, key: str, record: int | None) -> None:
        """Note what was shipped."""
        shipped = {str(identity_of(self.session.system, self._field(name))): value
                   for name, value in self.shipped[key].items()}
        values = {"layer": self.layer, "shipped": shipped, "record_id": record}
        self.session.connection.execute(
            insert(tables.seed).values(table_id=self.table_id, key=key, **values).on_conflict_do_update(
                index_elements=["table_id", "key"], set_=values))

    def _field(self, name: str) -> Field:
        field = self.session.system.model.field(self.data.of, name)
        if field is None:
            raise Refused('{table}: there is no field "{name}"', table=self.data.of, name=name)
        return field


def identity_of(system: System, field: Field) -> int:
    """The identity of a field."""
    return system.identities[f"{field.table}.{field.name}"]


def by_name(system: System, table: str, shipped: Mapping[str, Any]) -> dict[str, Any]:
    """What was shipped, by what its fields are called now; earlier releases remembered names."""
    model, found = system.model, {}
    identities = {str(identity_of(system, field)): name for name, field in model.tables[table].fields.items()
                  if f"{field.table}.{field.name}" in system.identities}
    for said, value in shipped.items():
        name = identities.get(said, "" if said.isdigit() else said)
        if name in model.tables[table].fields:
            found[name] = value
    return found


def untouched(session: Session, field: Field, now: object, shipped: object, find: Find) -> bool:
    """Whether a field still has the value that was shipped; what cannot be read any more counts as changed."""
    choices = field.expression_type.of if field.expression_type.name == "choice" else None
    if choices is not None:                         # values that are renamed: records hold the name of now
        renames = session.system.model.names.renames
        shipped = [_now(renames, choices, one) for one in shipped] if isinstance(shipped, list) else \
            _now(renames, choices, shipped)
    try:
        return equal(now, value_of(session, field.table, field, shipped, find, literal=True))
    except Refused:
        return False


def _now(renames: Any, choices: str, value: object) -> object:
    return renames.member("choices", choices, value) or value if isinstance(value, str) else value


def equal(one: object, other: object) -> bool:
    """Whether two values in normal form are the same; of several, the order does not count."""
    if isinstance(one, list | tuple) or isinstance(other, list | tuple):
        ours, theirs = (list(value) if isinstance(value, list | tuple) else [] for value in (one, other))
        return sorted(map(repr, ours)) == sorted(map(repr, theirs))
    return one == other


def finder(session: Session) -> Find:
    """Find shipped records by their key, in a table or those under it."""
    model, identities = session.system.model, session.system.identities

    def find(table: str, key: str) -> int | None:
        ids = [identities[name] for name in _with_kinds(model, table)]
        return session.connection.scalar(select(tables.seed.c.record_id).where(
            tables.seed.c.table_id.in_(ids), tables.seed.c.key == key).limit(1))
    return find


def _with_kinds(model: Model, table: str) -> Iterable[str]:
    return dict.fromkeys((table, *model.tables[table].kinds))

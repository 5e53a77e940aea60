"""Seeds: records that a layer ships (`data` definitions), brought into live after the flip.

A key that is missing comes in. What was shipped is remembered in sys.seed, so that a later version changes only
those fields that nobody changed in live meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.postgresql import insert

from core.bm import live, tables
from core.bm.values import Find, record_values, value_of
from core.ed.records import Records
from core.ed.session import Session

if TYPE_CHECKING:
    from core.definition.model import Data, Model
    from core.ed.system import System
    from core.plugins import Plugins


class Seeding:
    """Fills the records of `data` definitions; made once per promotion, so that the version is built once."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self._systems: dict[int, System] = {}

    def __call__(self, engine: Engine, version: int, name: str) -> None:
        """Bring in or update the records of one definition, in one transaction."""
        with engine.begin() as connection:
            session = Session.system_session(self.system(connection, version), connection)
            fill(session, session.system.model.data[name])

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


def fill(session: Session, data: Data) -> None:
    """Insert the missing records of a definition and merge the others by field."""
    table_id = session.system.identities[data.of]
    body: Any = session.system.model.definitions["data", data.name].body
    layer = session.system.model.definitions["data", data.name].layer
    shipped = {key: {data.key: key, **values} for key, values in body["records"].items()}
    known = {row.key: row for row in session.connection.execute(
        select(tables.seed).where(tables.seed.c.table_id == table_id))}
    find = finder(session)
    for key, written in shipped.items():
        row = known.get(key)
        if row is None:
            record = _existing(session, data, key) or _create(session, data.of, written, find)
        else:
            record = row.record_id
            if record is not None and row.shipped != written:
                _merge(session, data.of, record, row.shipped, written, find)
        _remember(session.connection, table_id, key, layer, written, record)


def _existing(session: Session, data: Data, key: str) -> int | None:
    """A record that people entered under this key before it was shipped is theirs: adopted, not changed."""
    found = Records(session).page(data.of, ["id"], filters={data.key: key}, limit=1).records
    return int(found[0]["id"]) if found else None


def _create(session: Session, table: str, written: Mapping[str, Any], find: Find) -> int:
    return Records(session).create(table, [record_values(session, table, written, find)])[0]


def _merge(session: Session, table: str, record: int, before: Mapping[str, Any], after: Mapping[str, Any],
           find: Find) -> None:
    """Change the fields whose shipped value changed and whose live value is still the one shipped before."""
    changed = [name for name in after if after[name] != before.get(name)]
    there = Records(session).read(table, [record], changed)
    if not there or not changed:
        return                                  # in the trash: people did not want it
    values = {}
    for name in changed:
        field = session.system.model.field(table, name)
        if field is not None and there[0][name] == value_of(session, table, field, before.get(name), find):
            values[name] = value_of(session, table, field, after[name], find)
    if values:
        Records(session).update(table, [{"id": record, "_version": there[0]["_version"], **values}])


def _remember(connection: Connection, table_id: int, key: str, layer: str, shipped: Mapping[str, Any],
              record: int | None) -> None:
    values = {"layer": layer, "shipped": dict(shipped), "record_id": record}
    connection.execute(insert(tables.seed).values(table_id=table_id, key=key, **values).on_conflict_do_update(
        index_elements=["table_id", "key"], set_=values))


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

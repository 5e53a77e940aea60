"""A system as a process sees it: one version's Model with the physical names of its records and its caches."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, MetaData, select

from core.ed import tables
from core.ed.cache import Cache
from core.ed.former_names import FormerNames, Noted
from core.ed.schema import NO_STORAGES, Physical, Stored, physical_table

if TYPE_CHECKING:
    from sqlalchemy import Table

    from core.definition.model import Model


class System:
    """One version of the Model over one database; immutable but for its caches, and passed down, never a global.

    `identities` numbers every table ("company") and field ("company.name", by the table that declares it); `storages`
    says where values stand under another number than that.
    `foreign` are the identities of base tables that also keep rows of parked kinds, which nobody may see; `pending`
    the storages of stored formulas that a promotion has not worked out everywhere, so that nobody reads what is stored.
    `noted` are the names that things had before.
    """

    def __init__(self, version: int, model: Model, identities: Mapping[str, int], physical: Physical,
                 plugins: object = None, foreign: frozenset[int] = frozenset(),
                 pending: frozenset[int] = frozenset(), storages: Mapping[str, int] = NO_STORAGES,
                 noted: tuple[Noted, ...] = ()) -> None:
        self.version = version
        self.model = model
        self.identities = identities
        self.storages = storages
        self.physical = physical
        self.plugins = plugins
        self.names: Mapping[int, str] = {identity: name for name, identity in identities.items()}
        self.former = FormerNames(model, self.names, noted)
        self.foreign = foreign
        self.pending = pending
        self.cache = Cache()
        self.principals = Cache(1000)           # what users count as; apart, so that statements do not push them out
        self._metadata = MetaData(schema="ed")
        self._stored: dict[str, Stored] = {}
        self._lock = RLock()

    def stored(self, table: str) -> Stored:
        """Where the records of a logical table are kept; raises KeyError if there is no such table."""
        found = self._stored.get(table)
        if found is None:
            with self._lock:
                found = self._stored[table] = self._store(table)
        return found

    def storage(self, path: str) -> int:
        """Under which number the columns of a field, or the physical table of a base, are noted."""
        found = self.storages.get(path)
        return self.identities[path] if found is None else found

    def name_of(self, identity: int) -> str | None:
        """The name of the table or field ("company.name") with that identity; None if this version has none."""
        return self.names.get(identity)

    def _store(self, table: str) -> Stored:
        definition = self.model.tables[table]
        physical = self._physical_table(definition.root or definition.name)
        types = tuple(self.identities[kind] for kind in (table, *definition.kinds))
        return Stored(definition, physical, self, types)

    def _physical_table(self, root: str) -> Table:
        name = self.physical[self.storage(root), ""][0]
        found = self._metadata.tables.get(f"ed.{name}")
        return found if found is not None else physical_table(self, root, self._metadata)


def load_physical(connection: Connection) -> Physical:
    """The physical names of a database, parked ones too: a version still being left may read them."""
    rows = connection.execute(select(tables.physical.c.id, tables.physical.c.part, tables.physical.c.table_name,
                                     tables.physical.c.column_name))
    return {(row.id, row.part): (row.table_name, row.column_name) for row in rows}

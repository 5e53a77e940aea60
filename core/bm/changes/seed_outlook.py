"""What seeds will do to live, in numbers, before anything is done: read-only, over the version that is live.

It tells what comes in, what changes, and what stays because people changed it: which value they gave and which one is
shipped. Only definitions that differ from what is live are looked at, and those of which records are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from core.bm.changes.seeds import by_name, equal, finder, order, untouched, written
from core.bm.changes.values import value_of
from core.bm.engine.steps import Step
from core.bm.inputs.outlook import NONE, Kept, Outlook
from core.bm.versions import live, tables
from core.bm.versions.diff import Removed
from core.ed.records import Records
from core.ed.session import Session
from core.errors import N_, Refused, Words, joined, words

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Data, Field
    from core.plugins import Plugins

MOST = 10                       # notes about single values; the rest is a number


# In the plan

def steps(way: Way) -> Iterator[Step]:
    """A step for each definition that does something, in the order in which links find their ends."""
    changed = {change.name for change in way.changes if change.kind == "data" and not isinstance(change, Removed)}
    for name in order(way.target.model) if way.target.model is not None else ():
        found = way.facts.seeds.get(name, NONE)
        if name in changed or found.comes or found.changes:
            yield Step(0, "seed", f"data {name}", risk="additive", rows=found.comes + found.changes,
                       note=_sentence(found))


def _sentence(found: Outlook) -> Words:
    """What will be done, in numbers."""
    keeps = len({one.key for one in found.kept})
    parts = [words(one if number == 1 else several, count=number) for number, one, several in (
        (found.comes, N_("{count} record comes in"), N_("{count} records come in")),
        (found.changes, N_("{count} changes"), N_("{count} change")),
        (keeps, N_("{count} keeps what people changed"), N_("{count} keep what people changed")),
        (len(found.adopted), N_("{count} is there already, made by people"),
         N_("{count} are there already, made by people")),
        (found.away, N_("{count} was thrown away by people and stays away"),
         N_("{count} were thrown away by people and stay away"))) if number]
    return joined(parts) if parts else words("nothing in live changes")


def notes(way: Way) -> Iterator[Words]:
    """What of people's own is not touched, value by value, and which records nobody ships any more."""
    for name, found in way.facts.seeds.items():
        for one in found.kept[:MOST]:
            yield words('data {name}: "{record}" keeps {field} {live}, as people set it; {shipped} is shipped now',
                        name=name, record=one.key, field=one.field, live=one.live, shipped=one.shipped)
        if len(found.kept) > MOST:
            yield words("data {name}: {count} more values stay as people set them", name=name,
                        count=len(found.kept) - MOST)
        if found.adopted:
            yield words("data {name}: people have entered {records} already; those stay as they are", name=name,
                        records=_listed(found.adopted))
        if found.leaves:
            yield words("data {name} no longer ships {records}: what is in live stays, as people's own", name=name,
                        records=_listed(found.leaves))


def _listed(keys: tuple[str, ...]) -> str:
    shown = ", ".join(f'"{key}"' for key in keys[:MOST])
    return shown if len(keys) <= MOST else f"{shown} (+{len(keys) - MOST})"


# Looking

def look(connection: Connection, base: State, target: State, plugins: Plugins) -> dict[str, Outlook]:
    """What each `data` definition of the target will do, and which records those that go leave behind."""
    if target.model is None:
        return {}
    known = _known(connection)
    found = {name: _removed(base, target, data, known) for name, data in (base.model.data if base.model else {}).items()
             if name not in target.model.data}
    looking: _Looking | None = None
    for name, data in target.model.data.items():
        rows = known.get(target.identities[data.of], {})
        same = base.definitions.get(("data", name)) == target.definitions["data", name]
        if same and rows.keys() >= data.records.keys():
            continue
        if base.version is None or base.names.get(target.identities[data.of]) is None:
            found[name] = Outlook(comes=len(data.records))
            continue
        looking = looking or _Looking(connection, base, target, plugins)
        found[name] = looking.at(data, written(target.model, data), rows)
    return {name: one for name, one in sorted(found.items()) if one}


def _known(connection: Connection) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(select(tables.seed).order_by(tables.seed.c.table_id, tables.seed.c.key)):
        found.setdefault(row.table_id, {})[row.key] = row
    return found


def _removed(base: State, target: State, data: Data, known: Mapping[int, Mapping[str, Any]]) -> Outlook:
    identity = base.identities[data.of]
    table = target.names.get(identity)
    if table is None or target.model is None:
        return NONE                                 # the table goes, too: that is told
    elsewhere = {key for other in target.model.data.values() if other.of == table for key in other.records}
    return Outlook(leaves=tuple(key for key in data.records if key in known.get(identity, {}) and key not in elsewhere))


class _Looking:
    """The version that is live, as the system sees it."""

    def __init__(self, connection: Connection, base: State, target: State, plugins: Plugins) -> None:
        system = live.system(connection, base.version or 0, plugins)
        self.session = Session.system_session(system, connection)
        self.base, self.target = base, target
        self.find = finder(self.session)

    def at(self, data: Data, shipped: Mapping[str, Mapping[str, Any]], rows: Mapping[str, Any]) -> Outlook:
        """What one definition will do to a table that is there."""
        table = self.base.names[self.target.identities[data.of]]
        former = {new: old for old, new in data.renamed.items()}
        there = {key: rows.get(key) or rows.get(former.get(key, "")) for key in shipped}
        names = {name: former_field for name in {one for values in shipped.values() for one in values}
                 if (former_field := self._former(data.of, name)) is not None}
        new = [key for key, row in there.items() if row is None]
        found = Outlook(adopted=tuple(self._adopted(table, names.get(data.key), new)))
        found = replace(found, comes=len(new) - len(found.adopted),
                        leaves=self._leaving(data, shipped, rows, former))
        ids = [row.record_id for row in there.values() if row is not None and row.record_id is not None]
        records = {one["id"]: one for one in Records(self.session).read(
            table, ids, [field.name for field in names.values()])}
        for key, row in there.items():
            if row is not None and row.record_id in records:
                found = self._merged(found, table, key, row, shipped[key], names, records[row.record_id])
            elif row is not None:
                found = replace(found, away=found.away + 1)
        return found

    def _former(self, table: str, name: str) -> Field | None:
        """The field of the base that a shipped name means; None if it is new."""
        field = self.target.model.field(table, name) if self.target.model is not None else None
        if field is None or self.base.model is None:
            return None
        path = self.base.names.get(self.target.identities[f"{field.table}.{field.name}"])
        return self.base.model.field(*path.split(".")) if path is not None else None

    def _adopted(self, table: str, key: Field | None, missing: list[str]) -> Iterator[str]:
        for one in missing:
            if key is not None and Records(self.session).page(table, ["id"], filters={key.name: one}, limit=1).records:
                yield one

    def _leaving(self, data: Data, shipped: Mapping[str, object], rows: Mapping[str, Any],
                 former: Mapping[str, str]) -> tuple[str, ...]:
        before = self.base.model.data.get(data.name) if self.base.model is not None else None
        kept = {*shipped, *former.values()}
        return tuple(key for key in (before.records if before is not None else ()) if key in rows and key not in kept)

    def _merged(self, found: Outlook, table: str, key: str, row: Any, after: Mapping[str, Any],
                names: Mapping[str, Field], record: Mapping[str, Any]) -> Outlook:
        """One record: which of its values change, and which stay as people set them."""
        before = by_name(self.session.system, table, row.shipped)
        kept: list[Kept] = []
        changes = False
        for name, value in after.items():
            field = names.get(name)
            if field is None:
                changes = changes or value is not None
            elif field.name not in before or before[field.name] != value:
                if self._is(field, record[field.name], value):
                    continue
                if untouched(self.session, field, record[field.name], before.get(field.name), self.find):
                    changes = True
                else:
                    kept.append(Kept(key, name, _shown(field, record), str(value)))
        return replace(found, changes=found.changes + changes, kept=(*found.kept, *kept))

    def _is(self, field: Field, now: object, value: object) -> bool:
        try:
            return equal(now, value_of(self.session, field.table, field, value, self.find, literal=True))
        except Refused:
            return False


def _shown(field: Field, record: Mapping[str, Any]) -> str:
    """A value as people read it in a plan."""
    value = record[field.name]
    if f"{field.name}_title" in record and value is not None:
        return str(record[f"{field.name}_title"])
    return '""' if value is None else str(field.type.to_wire(value, field.properties))

"""Links that lead to other tables from now on: to one, to several, to the base, to any; each by the same way.

A link is an id, whichever columns hold it. The database knows of which table a record is, so the id goes into the
column of the first table that it may lead to. Where it may lead to none, the plan refused it, or on a way back it stays
behind in the old columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, any_, select

from core.bm.changes.filling import Part, Row, Versions
from core.bm.changes.standing import systems
from core.bm.versions.homes import home
from core.bm.versions.tables import IDS
from core.database import ddl
from core.ed.schema import kept_part, parts

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.definition.model import Field
    from core.ed.system import System

LINKS = frozenset({"link", "any_link"})


def turns(before: Field, after: Field, back: bool = False) -> bool:
    """Whether one is a link to other tables than the other; from any table to some goes on a way back only."""
    if not {before.type.name, after.type.name} <= LINKS or before.virtual or after.virtual:
        return False
    if (before.many and not after.many) or (before.type.name == "any_link" != after.type.name and not back):
        return False
    return (before.type.name, sorted(before.targets)) != (after.type.name, sorted(after.targets))


def given(way: Way) -> Iterator[tuple[str, Part]]:
    """The physical table of each link that leads elsewhere, and how its columns are filled."""
    base, target = way.base, way.target
    if base.model is None or target.model is None:
        return
    before, after = systems(way)
    for path in target.members:
        table, dot, name = path.partition(".")
        former = way.former(path) if dot else None
        if former is None or base.storage(former) == target.storage(path) or home(base, former) != home(target, path):
            continue
        old, new = base.model.field(*former.split(".")), target.model.field(table, name)
        if old is not None and new is not None and turns(old, new, way.back):
            yield after.stored(table).table.name, part(way, before, after, old, new)


def part(way: Way, before: System, after: System, old: Field, new: Field) -> Part:
    """How the columns of a link are filled, as JSON."""
    former, path = f"{old.table}.{old.name}", f"{new.table}.{new.name}"
    return {"how": "lead", "path": path, "storage": way.target.storage(path), "many": [old.many, new.many],
            "reads": _stored(before, former, old), "into": _stored(after, path, new),
            "tables": sorted({before.stored(one).table.name for one in (*_ends(before, old), *_kept(way, new))}),
            "places": _places(after, new), "before": _places(before, old)}


def _stored(system: System, path: str, field: Field) -> list[list[str]]:
    storage = system.storage(path)
    return [[str(system.physical[storage, kept_part(system.identities, field, part)][1]), kind]
            for part, kind in parts(field)]


def _ends(system: System, field: Field) -> Iterable[str]:
    return field.targets or system.model.names.families


def _kept(way: Way, field: Field) -> Iterator[str]:
    """What tables that a link leads to from now on are called in the base."""
    for name in field.targets:
        former = way.former(name)
        if former is not None:
            yield former


def _places(system: System, field: Field) -> list[list[int]]:
    """For each table that a link leads to, the identities of the records that count as its own; none: any record."""
    return [[system.identities[kind] for kind in (name, *system.model.tables[name].kinds)] for name in field.targets]


class Leading:
    """The source `lead`: {"tables": where the records stand, "places": what each column may lead to, "many": ...}."""

    def __init__(self, part: Part, versions: Versions) -> None:
        self.part = part
        self.reads, self.into = ([name for name, kind in part[key] if kind != "integer"] for key in ("reads", "into"))
        self.tables = [Table(name, MetaData(schema=ddl.SCHEMA), Column("id", BigInteger), Column("_type", Integer))
                       for name in part["tables"]]

    def values(self, connection: Connection, rows: Sequence[Row]) -> Mapping[int, Sequence[Any]]:
        """For each record the columns of its link, each with what it may lead to."""
        had = {row["id"]: (_ids(row, self.reads), _ids(row, self.into)) for row in rows}
        types = self._types(connection, sorted({id_ for pair in had.values() for ids in pair for id_ in ids}))
        return {id_: self._placed(ids, types) for id_, (ids, there) in had.items()
                if ids or not there or self._could_mean(there, types)}

    def _could_mean(self, ids: Sequence[int], types: Mapping[int, int]) -> bool:
        """Whether the old link could lead there: else what stands there is from before, and returns."""
        return not self.part["before"] or any(types.get(id_) in place for id_ in ids for place in self.part["before"])

    def _types(self, connection: Connection, ids: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for table in self.tables if ids else ():
            found.update((id_, kind) for id_, kind in connection.execute(
                select(table.c.id, table.c["_type"]).where(table.c.id == any_(IDS)), {"ids": list(ids)}))
        return found

    def _placed(self, ids: Sequence[int], types: Mapping[int, int]) -> Sequence[Any]:
        places, into = self.part["places"], self.into
        if not places:                                          # a link to any table: the id, and its table
            first = next((id_ for id_ in ids if id_ in types), None)
            return [first, types[first] if first is not None else None]
        allowed = [id_ for id_ in ids if any(types.get(id_) in place for place in places)]
        if self.part["many"][1]:
            return [allowed or None]
        if not allowed or len(into) == 1:
            return [allowed[0] if allowed else None] * len(into)
        at = next(number for number, place in enumerate(places) if types[allowed[0]] in place)
        return [allowed[0] if number == at else None for number in range(len(into))]


def _ids(row: Row, columns: Sequence[str]) -> list[int]:
    found = [row[name] for name in columns if row[name] is not None]
    return list(found[0]) if found and isinstance(found[0], list) else found[:1]

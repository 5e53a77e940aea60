"""Fields that go between a kind and its base: what stands in columns beside is carried over, for the rows of a table.

The first table that gives a field up hands on its columns with its identity, so that nothing is done. Where several
kinds give up fields that become one of their base, or several take one over, the others' values are copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from core.bm.changes.filling import Part, Row, Versions
from core.bm.changes.standing import pairs, systems
from core.bm.versions.homes import home

if TYPE_CHECKING:
    from core.bm.inputs.way import Way

TYPE = "_type"


class Carried:
    """The source `carry`: {"from": columns to take, in the order of `into`, by the identity of a record's table}."""

    def __init__(self, part: Part, versions: Versions) -> None:
        self.columns: Mapping[int, Sequence[str]] = {int(kind): names for kind, names in part["from"].items()}

    def values(self, connection: Connection, rows: Sequence[Row]) -> Mapping[int, Sequence[Any]]:
        """What each record of those tables has in the other columns."""
        return {row["id"]: [row[name] for name in self.columns[row[TYPE]]] for row in rows
                if row[TYPE] in self.columns}


def given(way: Way) -> Iterator[tuple[str, Part]]:
    """The physical table of each field that takes over values of another in the same rows, and how."""
    base, target = way.base, way.target
    if base.model is None or target.model is None:
        return
    before, after = systems(way)
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, table in target.model.tables.items():
        former = base.names.get(target.identities[name])
        if former is None or table.abstract or home(base, former) != home(target, name):
            continue
        new = after.stored(name)
        had = {base.identities[f"{one.table}.{one.name}"] for one in base.model.tables[former].fields.values()}
        for field in table.fields.values():
            path = f"{field.table}.{field.name}"
            taken = [] if field.virtual else list(pairs(way, before, after, former, name, field))
            if not taken or target.identities[path] in had:
                continue                            # the same field: its values stay, or retyping.py converts them
            part = found.setdefault(path, (new.table.name, {
                "how": "carry", "path": path, "storage": target.storage(path), "from": {},
                "into": [[into, kind] for into, _, kind in taken], "reads": [[TYPE, "integer"]]}))[1]
            part["from"][str(target.identities[name])] = [source for _, source, _ in taken]
            part["reads"] += [[source, kind] for _, source, kind in taken]
    yield from found.values()

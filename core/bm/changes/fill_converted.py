"""Values of a field that gets another type, or whose choices are called otherwise: read as one, written as the other.

What stood in the new columns before (the field had that type once) returns where nobody changed the value since: where,
converted the way it once was, it still is what the field holds now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from core.bm.changes import conversions
from core.bm.changes.conversions import Shape, shape_of
from core.bm.changes.filling import Part, Row, Versions
from core.ed.money import ONE, in_base, rates
from core.ed.records import Records
from core.ed.session import Session
from core.ed.shape import shape
from core.ed.values import Row as Written
from core.types.base import BadValue, FieldType
from core.types.link import Linked

if TYPE_CHECKING:
    from core.ed.system import System

MISSING = object()


class Converted:
    """The source `convert`: {"conversion": ..., "once": the conversions that what stands there once went through}."""

    def __init__(self, part: Part, versions: Versions) -> None:
        self.part, self.versions = part, versions
        self._rule: Rule | None = None

    def values(self, connection: Connection, rows: Sequence[Row]) -> Mapping[int, Sequence[Any]]:
        """What each record gets; one whose original returns is left out."""
        if self._rule is None:
            self._rule = Rule(self.part, self.versions.types(connection))
        rule = self._rule
        before = self.versions.system(connection, self.versions.base or 0) if rule.titled else None
        titles = rule.titles(connection, before, rows)
        outcomes = ((row["id"], rule.outcome(row, titles)) for row in rows)
        found = {id_: outcome for id_, outcome in outcomes if outcome is not MISSING}
        if rule.after.name != "money" or not found:
            return found
        target = self.versions.system(connection, self.versions.target or 0)
        return with_base(connection, target, str(self.part["path"]), found)


class Rule:
    """How one record's value is converted: pure, of what stands in its columns."""

    def __init__(self, part: Part, types: Mapping[str, FieldType[Any]]) -> None:
        body = part["conversion"]
        self.before, self.after = shape_of(body["from"], types), shape_of(body["to"], types)
        self.reads = [name for name, _ in part["reads"]]
        self.into = [name for name, _ in part["into"]]
        self.convert = conversions.of(body, types)
        self.settled = conversions.settled(body, types)
        self.once = [conversions.settled(one, types) for one in part.get("once", ())]
        self.titled = self.before.name == "link" and self.after.name != "link"

    def titles(self, connection: Connection, system: System | None, rows: Sequence[Row]) -> Mapping[int, str]:
        """What the records that are linked are called, where a link becomes a text; those in the trash too."""
        if not self.titled or system is None:
            return {}
        ids = {int(one) for row in rows for one in _listed(self.old(row)) if one is not None}
        session = Session.system_session(system, connection)
        found: dict[int, str] = {}
        for table in self.before.properties.targets:
            for trash in (False, True):
                wanted = sorted(ids - found.keys())
                found.update({one["id"]: one["_title"] for one in
                              Records(session).read(table, wanted, ["_title"], trash=trash)} if wanted else {})
        return found

    def old(self, row: Row) -> Any:
        """The value that the field has now, in normal form."""
        return self.before.type.from_columns(tuple(row[name] for name in self.reads), self.before.properties)

    def outcome(self, row: Row, titles: Mapping[int, str]) -> Any:
        """What the new columns get, in their order; MISSING where what stands in them is right."""
        value = self.old(row)
        if self._returns(row, value):
            return MISSING
        return self.after.type.to_columns(self.settled(named(value, titles)), self.after.properties)

    def problem(self, row: Row, titles: Mapping[int, str]) -> str | None:
        """Why a value means nothing in the new type; None if it does, or its original returns."""
        value = self.old(row)
        if value is None or self._returns(row, value):
            return None
        try:
            self.convert(named(value, titles))
        except BadValue as error:
            return str(error)
        return None

    def _returns(self, row: Row, value: Any) -> bool:
        """Whether what stood in the new columns, converted as it was then, is the value still."""
        if not self.once:
            return False
        found = self.after.type.from_columns(tuple(row[name] for name in self.into), self.after.properties)
        for convert in self.once:
            found = convert(found)
        return bool(_wire(self.before, found) == _wire(self.before, value))


def named(value: Any, titles: Mapping[int, str]) -> Any:
    """A link as the title of its record, where titles are asked for."""
    if not titles:
        return value
    return [titles.get(int(one), str(int(one))) for one in value] if isinstance(value, list) else \
        None if value is None else titles.get(int(value), str(int(value)))


def _listed(value: Any) -> Iterator[int]:
    yield from (value if isinstance(value, list) else [value])


def _wire(kind: Shape, value: Any) -> Any:
    return None if value is None else kind.type.to_wire(value, kind.properties) if not isinstance(value, Linked) \
        else int(value)


def with_base(connection: Connection, target: System, path: str,
              found: Mapping[int, Sequence[Any]]) -> Mapping[int, Sequence[Any]]:
    """Beside each amount the same in base currency, at its record's rate."""
    table, _, name = path.partition(".")
    session = Session.system_session(target, connection)
    complete: dict[int, Sequence[Any]] = {}
    for kind, ids in _by_kind(session, table, sorted(found)).items():
        shaped = shape(session.system, kind)
        asked = [one for one in (shaped.currency, shaped.currency_through, shaped.rate) if one is not None]
        columns = [shaped.stored.column(one).label(one) for one in asked]
        source = shaped.stored.table
        there = connection.execute(select(source.c.id, *columns).where(source.c.id.in_(ids))).mappings()
        rows = [Written(number, {}, id=row["id"], values={**row, name: found[row["id"]][0]})
                for number, row in enumerate(there)]
        known = rates(session, shaped, rows)
        kept = shaped.kept.get(name)                # other tables of the base have no such field
        for number, one in enumerate(rows):
            amount = one.values[name]
            complete[one.id or 0] = (amount, kept and in_base(kept, amount, known.get(number, ONE)))
    return complete


def _by_kind(session: Session, table: str, ids: Sequence[int]) -> dict[str, list[int]]:
    """Records by the table that each is of."""
    source = session.system.stored(table).table
    found: dict[str, list[int]] = {}
    for id_, kind in session.connection.execute(select(source.c.id, source.c["_type"]).where(source.c.id.in_(ids))):
        found.setdefault(session.system.name_of(kind) or table, []).append(id_)
    return found

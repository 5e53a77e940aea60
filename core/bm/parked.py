"""What was removed and is kept: tables and fields whose columns are still there, with how much is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, DateTime, Integer, String, and_, false, func, or_, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from core.bm.inputs.facts import EXACT_ROWS, estimates
from core.bm.versions import tables

if TYPE_CHECKING:
    from core.settings import Settings

# To which member columns belong that stand under another number than its own, as the versions recorded it.
_OWNERS = text("""
    select distinct s.value::bigint as storage, (v.identities ->> s.key)::bigint as member
      from bm.version v, jsonb_each_text(v.storage) s where v.identities ? s.key""")


@dataclass(frozen=True, slots=True)
class Parked:
    """A table, a kind of one, or a field that live lacks and whose values are kept."""

    name: str                               # under which it was last: "company.phone"
    what: str                               # "table", "kind", "field"; "column": of a field that went on in another
    member: int
    storages: tuple[int, ...]               # whose columns it is
    place: str                              # the physical table
    columns: tuple[str, ...]                # none: the whole table
    values: int | None                      # how many records have one; None where the table is too large to count
    last_written: datetime | None           # the last change of a record that has one
    parked_on: datetime
    keep_days: int

    @property
    def purge_from(self) -> datetime:
        """From when it may be removed for good."""
        return self.parked_on + timedelta(days=self.keep_days)

    def ripe(self, moment: datetime) -> bool:
        """Whether it may be removed for good."""
        return moment >= self.purge_from

    def as_json(self) -> dict[str, object]:
        """It for machines."""
        return {"name": self.name, "what": self.what, "values": self.values, "place": self.place,
                "columns": list(self.columns), "parked_on": self.parked_on.isoformat(),
                "last_written": self.last_written.isoformat() if self.last_written else None,
                "purge_from": self.purge_from.isoformat()}


@dataclass(frozen=True, slots=True)
class _Column:
    storage: int
    part: str
    place: str
    name: str | None
    since: datetime


def parked(connection: Connection, settings: Settings) -> tuple[Parked, ...]:
    """Everything that is parked, by name; what stands in a parked table goes with it."""
    physical = tables.physical
    rows = connection.execute(select(*physical.c["id", "part", "table_name", "column_name", "changed_on"])
                              .where(physical.c.state == "parked").order_by(physical.c.id, physical.c.part))
    columns = [_Column(row.id, row.part, row.table_name, row.column_name, row.changed_on) for row in rows]
    members = {row.id: row for row in connection.execute(select(tables.member))}
    owners = {row.storage: row.member for row in connection.execute(_OWNERS)}
    whole = {one.place for one in columns if one.name is None}
    sizes = estimates(connection)
    groups: dict[int, list[_Column]] = {}
    for one in columns:
        if one.name is None or one.place not in whole:
            groups.setdefault(one.storage, []).append(one)
    found = []
    for storage, own in groups.items():
        member = members.get(owners.get(storage, storage))
        if member is not None:
            there = tuple(one.name for one in own if one.name is not None)
            what = "table" if own[0].name is None else "field" if member.state == "parked" else "column"
            inside = (storage,) if what != "table" else tuple(
                one.storage for one in columns if one.place == own[0].place)
            count, last = _count(connection, own[0].place, there, sizes)
            found.append(Parked(member.path, what, member.id, tuple(dict.fromkeys(inside)), own[0].place, there, count,
                                last, own[0].since, settings.parked_days))
    found += _kinds(connection, settings, sizes, whole)
    return tuple(sorted(found, key=lambda one: (one.name, one.what, one.member)))


def _kinds(connection: Connection, settings: Settings, sizes: Mapping[str, int],
           whole: Iterable[str]) -> list[Parked]:
    """Parked tables that have no physical table of their own: their rows stand with those of their base."""
    place_of = {row.id: row.table_name for row in connection.execute(
        select(*tables.physical.c["id", "table_name"]).where(tables.physical.c.column_name.is_(None)))}
    found = []
    for row in connection.execute(select(tables.member).where(tables.member.c.state == "parked",
                                                              tables.member.c.meaning.like("kind %"))):
        place = place_of.get(int(row.meaning.split()[1]))
        if place is None or place in whole or row.id in place_of:
            continue
        source = sql_table(place, sql_column("_type", Integer), sql_column("changed_on", DateTime), schema="ed")
        big = sizes.get(place, 0) > EXACT_ROWS
        count, last = (None, None) if big else connection.execute(
            select(func.count(), func.max(source.c.changed_on)).where(source.c["_type"] == row.id)).one()
        found.append(Parked(row.path, "kind", row.id, (row.id,), place, (), count, last, row.changed_on,
                            settings.parked_days))
    return found


def _count(connection: Connection, place: str, columns: tuple[str, ...],
           sizes: Mapping[str, int]) -> tuple[int | None, datetime | None]:
    """How many records have a value, and when one of them was last written."""
    if sizes.get(place, 0) > EXACT_ROWS:
        return None, None
    source = sql_table(place, sql_column("changed_on", DateTime), *(sql_column(name, String) for name in columns),
                       schema="ed")
    held = or_(false(), *(source.c[name].is_not(None) for name in columns)) if columns else and_(True)
    count, last = connection.execute(select(func.count(), func.max(source.c.changed_on)).where(held)).one()
    return int(count), last

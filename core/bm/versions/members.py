"""Members: every table and field there ever was, and what becomes of them when a version comes and goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select, text

from core.bm.versions import tables
from core.bm.versions.homes import homes
from core.bm.versions.live import FLIPPED
from core.bm.versions.state import State
from core.ed.schema import NO_STORAGES


def add(connection: Connection, state: State) -> None:
    """Reserve the identities of a staged version; those that were never there are new until it is live."""
    known = set(connection.scalars(select(tables.member.c.id)))
    rows = [{"id": identity, "path": path, "meaning": state.meaning(path), "state": "new", "homes": []}
            for path, identity in state.identities.items() if identity not in known]
    if rows:
        connection.execute(tables.member.insert(), rows)
    _note_homes(connection, state)


def _note_homes(connection: Connection, state: State) -> None:
    """From here on records of the tables may stand where that version has them."""
    there = {row.id: row.homes for row in connection.execute(select(tables.member.c.id, tables.member.c.homes))}
    for identity, home in homes(state.model, state.identities, state.storages).items():
        if home not in there[identity]:
            connection.execute(tables.member.update().values(homes=[*there[identity], home])
                               .where(tables.member.c.id == identity))


def name(connection: Connection, identities: Mapping[str, int], meanings: Mapping[str, str],
         storages: Mapping[str, int] = NO_STORAGES) -> None:
    """After a flip: what the version has is live under its names, the rest is parked under its last one."""
    there = {row.id: row for row in connection.execute(select(tables.member))}
    for path, identity in identities.items():
        row = there.get(identity)
        new = (path, meanings[path], storages.get(path), "live")
        if row is not None and (row.path, row.meaning, row.storage, row.state) != new:
            connection.execute(tables.member.update().values(
                path=path, meaning=meanings[path], storage=storages.get(path), state="live", changed_on=func.now())
                .where(tables.member.c.id == identity))
    gone = [identity for identity, row in there.items()
            if row.state == "live" and identity not in set(identities.values())]
    if gone:
        connection.execute(tables.member.update().values(state="parked", changed_on=func.now())
                           .where(tables.member.c.id.in_(gone)))


# Columns under a number that is no member's, and that no version recorded which was ever live.
_STRAY = text("""
    select distinct p.id from sys.physical p
     where not exists (select from bm.member m where m.id = p.id)
       and not exists (select from bm.version v join bm.promotion r on r.target = v.id and r.state = any(:flipped),
                              jsonb_each_text(v.storage) s where s.value::bigint = p.id)""")


def left_over(connection: Connection) -> list[int]:
    """Identities and storage ids of promotions that broke off before their flip: nobody ever wrote to their columns."""
    new = connection.scalars(select(tables.member.c.id).where(tables.member.c.state == "new")).all()
    return [*new, *connection.scalars(_STRAY, {"flipped": list(FLIPPED)})]


def forget(connection: Connection, identities: Iterable[int]) -> None:
    """Remove left-over members with the rows of their columns."""
    wanted = list(identities)
    connection.execute(tables.physical.delete().where(tables.physical.c.id.in_(wanted)))
    connection.execute(tables.member.delete().where(tables.member.c.id.in_(wanted)))

"""Numbers given one after the other, without gaps: who draws holds the series until the end of its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Connection, Table, Text, bindparam
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from core.ed import tables
from core.ed.shape import Shape

if TYPE_CHECKING:
    from core.ed.values import Row

_series = Table("sequence", tables.SYSTEM, Column("name", Text, primary_key=True),
                Column("value", BigInteger, nullable=False))


def draw(connection: Connection, name: str, count: int) -> int:
    """Take `count` numbers of a series, which begins at 1, and give the first of them."""
    last = connection.execute(_statement(), {"series": name, "count": count}).scalar_one()
    return int(last) - count + 1


def number(connection: Connection, shape: Shape, rows: Sequence[Row]) -> None:
    """Give each row without a code its own; series are locked in the order of their names."""
    for kept in sorted(shape.sequences, key=lambda k: str(k.p.sequence)):
        waiting = [row for row in rows if row.values.get(kept.field.name) is None]
        if not waiting:
            continue
        p = kept.p
        first = draw(connection, p.sequence, len(waiting))
        for offset, row in enumerate(waiting):
            row.values[kept.field.name] = f"{p.prefix}{first + offset:0{p.width}d}"


@cache
def _statement() -> ReturningInsert[Any]:
    taken = insert(_series).values(name=bindparam("series"), value=bindparam("count", type_=BigInteger()))
    return taken.on_conflict_do_update(
        index_elements=["name"], set_={"value": _series.c.value + bindparam("count", type_=BigInteger())},
    ).returning(_series.c.value)

"""Codes of sequences, given to records when they are made.

A series is a row of sys.sequence, locked by whoever draws from it. Where no number may be missing it is drawn in the
transaction of the record, so the next one waits until that is decided. Else it is drawn in a short transaction of its
own: nobody waits, and a record that is given up takes its number with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Column, Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.sql.dml import ReturningInsert

from core.ed import tables
from core.ed.shape import Kept, Shape

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.definition.named import Sequence as Numbering
    from core.ed.session import Session
    from core.ed.values import Row

ORGANISATION, ZONE = "organisation", "time_zone"

_series = Table("sequence", tables.SYSTEM, Column("name", Text, primary_key=True),
                Column("value", BigInteger, nullable=False))


@dataclass(slots=True)
class Wanted:
    """The rows that draw from one series, with the year, month and texts that their codes show."""

    numbering: Numbering
    rows: list[tuple[Row, str]] = field(default_factory=list)        # with the field that gets the code
    year: int = 0
    month: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)


def draw(connection: Connection, series: Sequence[str], count: int, start: int = 1) -> int:
    """Take `count` numbers of a series and give the first of them.

    A new series goes on where one of its former names (those behind the first) stopped, else it begins at `start`.
    """
    given = {"series": series[0], "former": list(series[1:]), "count": count, "before": start - 1}
    last = connection.execute(_statement(), given).scalar_one()
    return int(last) - count + 1


def number(session: Session, shape: Shape, rows: Sequence[Row]) -> None:
    """Give each row without a code its own; series are drawn from, and locked, in the order of their names."""
    wanted = _wanted(session, shape, rows)
    for series in sorted(wanted):
        one = wanted[series]
        numbering = one.numbering
        if numbering.gaps and session.lasting:
            with session.connection.engine.begin() as aside:
                first = draw(aside, series, len(one.rows), numbering.start)
        else:
            first = draw(session.connection, series, len(one.rows), numbering.start)
        for offset, (row, name) in enumerate(one.rows):
            row.values[name] = numbering.code(first + offset, one.year, one.month, one.fields)


def _wanted(session: Session, shape: Shape, rows: Sequence[Row]) -> dict[tuple[str, ...], Wanted]:
    """The rows without a code by the series they draw from."""
    wanted: dict[tuple[str, ...], Wanted] = {}
    for kept in shape.sequences:
        name = kept.field.name
        waiting = [row for row in rows if row.values.get(name) is None]
        numbering = session.system.model.sequences.get(kept.p.sequence)
        if not waiting or numbering is None:
            continue
        behind = _behind(session, shape, numbering, waiting)
        for row in waiting:
            per = row.now(numbering.per) if numbering.per else None
            texts = behind.get(per, {})
            today = session.environment.now.astimezone(_zone(session, texts.get(ZONE)))
            series = numbering.series(today.year, today.month, per)
            found = wanted.setdefault(series, Wanted(numbering, year=today.year, month=today.month,
                                                     fields=_shown(numbering, per, texts)))
            found.rows.append((row, name))
    return wanted


def _shown(numbering: Numbering, per: object, texts: Mapping[str, Any]) -> dict[str, str]:
    """What stands in a code for each field of the format."""
    found = {}
    for path in numbering.shown:
        behind = path.partition(".")[2]
        value = texts.get(behind) if behind else per
        found[path] = "" if value is None else str(value)
    return found


def _behind(session: Session, shape: Shape, numbering: Numbering,
            rows: Iterable[Row]) -> dict[object, Mapping[str, Any]]:
    """Of the records that series are told apart by: the fields that codes show, and the organisations' time zones."""
    kept: Kept | None = shape.kept.get(numbering.per or "")
    target = kept.field.target if kept is not None else None
    if target is None:
        return {}
    names = {path.partition(".")[2] for path in numbering.shown} - {""}
    if target == ORGANISATION and _has_zone(session.system.model.field(target, ZONE)):
        names.add(ZONE)
    ids = {row.now(numbering.per or "") for row in rows} - {None}
    if not names or not ids:
        return {}
    stored = session.system.stored(target)
    columns = [stored.column(name).label(name) for name in sorted(names)]
    statement = select(stored.column("id").label("id"), *columns).where(stored.column("id").in_(ids))
    return {row["id"]: dict(row) for row in session.connection.execute(statement).mappings()}


def _has_zone(field: Field | None) -> bool:
    return field is not None and not field.virtual and field.expression_type.name == "text"


def _zone(session: Session, wanted: object) -> ZoneInfo:
    """The organisation's time zone, else the system's; what is none of the known ones counts as not said."""
    for name in (wanted, session.system.model.system.time_zone):
        try:
            if name:
                return ZoneInfo(str(name))
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


@cache
def _statement() -> ReturningInsert[Any]:
    count = bindparam("count", type_=BigInteger())
    former = select(func.max(_series.c.value)).where(
        _series.c.name == bindparam("former", type_=ARRAY(Text())).any_()).scalar_subquery()
    begun = func.coalesce(former, bindparam("before", type_=BigInteger()))
    taken = insert(_series).values(name=bindparam("series"), value=begun + count)
    return taken.on_conflict_do_update(index_elements=["name"],
                                       set_={"value": _series.c.value + count}).returning(_series.c.value)

"""Whether stored formulas hold what they should: compared with what the formulas give now, and put right on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from core.ed.computed import renew_records
from core.ed.computed_sql import fresh_values
from core.ed.formulas import kept
from core.ed.session import Session

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from core.ed.system import System

BATCH = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored formula that is not what it should be, in so many records."""

    table: str
    field: str
    records: int


def differences(connection: Connection, system: System) -> Iterator[Difference]:
    """Every stored formula of records outside the trash that differs from what it gives; one statement a table."""
    for name in _tables(system):
        fields = kept(system, name).fields
        fresh = fresh_values(system, name)
        stored = system.stored(name)
        counts = [func.count().filter(stored.column(one.name, source=fresh.source).is_distinct_from(
            fresh.columns[one.name])) for one in fields]
        found = connection.execute(fresh.select.with_only_columns(*counts)).one()
        yield from (Difference(name, one.name, count) for one, count in zip(fields, found, strict=True) if count)


def repair(engine: Engine, system: System) -> int:
    """Work out all stored formulas anew, in short transactions; says how many records were not right."""
    wrong = 0
    for name in _tables(system):
        after = 0
        while True:
            with engine.begin() as connection:
                stored = system.stored(name)
                own = stored.own_rows()
                ids = list(connection.scalars(select(stored.column("id")).where(
                    stored.column("id") > after, *(() if own is None else (own,))).order_by(
                    stored.column("id")).limit(BATCH)))
                wrong += renew_records(Session.system_session(system, connection), name, ids) if ids else 0
            if len(ids) < BATCH:
                break
            after = ids[-1]
    return wrong


def _tables(system: System) -> list[str]:
    return [name for name, table in system.model.tables.items() if not table.abstract and kept(system, name).fields]

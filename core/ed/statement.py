"""Statements that are built and compiled once and run many times: SQL text, its constants, its reader of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, bindparam
from sqlalchemy.sql import ClauseElement, visitors

from core.database.engine import execute
from core.database.prepared import Prepared

Row = Sequence[Any]
Record = dict[str, Any]


def parameter(name: str, type_: Any = None) -> BindParameter[Any]:
    """A parameter that is given when the statement runs; the same name is the same parameter."""
    return bindparam(name, None, type_=type_)


@dataclass(frozen=True, slots=True)
class Statement:
    """A compiled statement; running it costs what the driver costs, for compiling costs more than most of them."""

    sql: str
    constants: Mapping[str, Any]
    fixed: Prepared | None = None       # the same, prepared, where one plan is right for all values

    @classmethod
    def compile(cls, statement: ClauseElement, dialect: Dialect, *, fixed: bool = False) -> Statement:
        """Compile for a dialect; parameters without a value are given when it runs.

        `fixed`: its plan does not hang on the values, as with reads by id.
        """
        for element in visitors.iterate(statement):
            if isinstance(element, BindParameter):
                element.required = False            # else rendering IN lists here would ask for its value now
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return cls(str(compiled), constants, Prepared(str(compiled), constants) if fixed else None)

    def rows(self, connection: Connection, parameters: Mapping[str, Any], first: str = "") -> Sequence[Row]:
        """Run it; a parameter that is given replaces a constant of that name, but in a fixed one.

        `first` is another statement without rows that runs before it, on the same way to the database.
        """
        with self._run(connection, parameters, first) as cursor:
            found: Sequence[Row] = cursor.fetchall()
        return found

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> None:
        """The same for what gives no rows."""
        self._run(connection, parameters).close()

    def _run(self, connection: Connection, parameters: Mapping[str, Any], first: str = "") -> Any:
        if self.fixed is not None:
            if first:
                execute(connection, first, {}).close()
            return self.fixed.run(connection, parameters)
        sql = f"{first}; {self.sql}" if first else self.sql
        return execute(connection, sql, {**self.constants, **parameters})


@dataclass(frozen=True, slots=True)
class Made:
    """One key of a record that is made from columns of a row."""

    key: str
    positions: tuple[int, ...]
    make: Callable[[tuple[Any, ...]], Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns rows into records: the first columns become keys as they are, the rest only where something is made."""

    keys: tuple[str, ...]
    made: tuple[Made, ...] = ()
    flags: tuple[tuple[int, str], ...] = ()     # keys that are set, to True, only where the column is true

    def records(self, rows: Sequence[Row]) -> list[Record]:
        """The records of some rows."""
        records = [dict(zip(self.keys, row, strict=False)) for row in rows]
        for one in self.made:
            for row, record in zip(rows, records, strict=True):
                record[one.key] = one.make(tuple([row[position] for position in one.positions]))
        for position, key in self.flags:
            for row, record in zip(rows, records, strict=True):
                if row[position]:
                    record[key] = True
        return records

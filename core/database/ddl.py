"""DDL that is safe beside people at work: short locks with retries, and statements with every name quoted.

The one module that splices names into SQL. Each builder gives one statement; `run` gives it a lock timeout and
tries again, so that a waiting ALTER never makes a queue of everybody behind it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.exc import OperationalError

from core.database.engine import sqlstate
from core.errors import N_, Refused, Words, joined, words

SCHEMA = "ed"
YEARS = "_years"             # what the constraint on a date's year is called, after its column
# Below deadlock_timeout a waiting lock never makes autovacuum give way, so that is lowered too.
# Where the owner may not set that (it needs a grant), promotions wait for autovacuum instead.
TIMEOUTS = ("select set_config('deadlock_timeout', '40ms', true)"
            " where has_parameter_privilege('deadlock_timeout', 'set')",
            "set local lock_timeout = '100ms'")
RETRY: Final = frozenset({"55P03", "40P01"})         # lock not available; deadlock detected
PAUSE = 1.0                                          # ten times the lock timeout: nine tenths of the time are theirs
TYPES = re.compile(r"(?:text|bigint|integer|smallint|numeric|boolean|date|time|timestamptz|interval|jsonb|tsvector"
                   r"|bytea|uuid)"
                   r"(?:\[\])?")
# What a session does that holds a lock, as PostgreSQL calls it, and as people do.
STATES = {"active": N_("at work"), "idle in transaction": N_("waits inside a transaction"),
          "idle in transaction (aborted)": N_("waits inside a transaction that failed")}
_PREPARER = dialect().identifier_preparer  # type: ignore[no-untyped-call]


class Busy(Refused):
    """The lock could not be had in the time given; `blockers` says who holds it."""

    def __init__(self, statement: str, blockers: Sequence[Words]) -> None:
        self.blockers = tuple(blockers)
        super().__init__(words(
            "{statement}: the table is busy, try again later (held by {holders})", statement=statement[:80],
            holders=joined(blockers, "; ") if blockers else words("nobody any more")))


@dataclass(frozen=True, slots=True)
class Column:
    """A column to be made: its physical name and PostgreSQL type."""

    name: str
    type: str
    default: str | None = None                       # an SQL constant of core's own, never a user's text
    required: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement that was run: how long it took, at the how manieth try, and how many rows it touched."""

    sql: str
    seconds: float
    tries: int = 1
    rows: int | None = None


def run(engine: Engine, statements: str | Iterable[str], *, budget: float = 30.0,
        before: Callable[[Connection], object] | None = None,
        after: Callable[[Connection, Ran], object] | None = None,
        pause: Callable[[float], object] = time.sleep) -> int:
    """Run statements in one short transaction, tried again while their table is busy; the number of tries.

    `before` writes the caller's journal in the same transaction, first, so that DDL locks are held shortest; `after`
    is told of each statement, and `pause` waits between two tries (what it raises ends them).
    Raises Busy when the time is over.
    """
    wanted = [statements] if isinstance(statements, str) else list(statements)

    def attempt(connection: Connection, tries: int) -> None:
        if before is not None:
            before(connection)
        for statement in wanted:
            done = timed(connection, statement, tries)
            if after is not None:
                after(connection, done)
    return tried(engine, attempt, wanted, budget=budget, pause=pause)


def tried(engine: Engine, attempt: Callable[[Connection, int], object], about: Iterable[str], *, budget: float = 30.0,
          pause: Callable[[float], object] = time.sleep) -> int:
    """Do something in one short transaction that waits for no lock long, again and again; the number of tries.

    `about` are the statements whose tables are named when the time is over. Raises Busy then.
    """
    end, tries = time.monotonic() + budget, 0
    while True:
        tries += 1
        try:
            with engine.begin() as connection:
                for setting in TIMEOUTS:
                    connection.exec_driver_sql(setting)
                attempt(connection, tries)
            return tries
        except OperationalError as error:
            if sqlstate(error) not in RETRY:
                raise
            if time.monotonic() + PAUSE > end:
                wanted = "; ".join(about)
                raise Busy(wanted, blockers(engine, wanted)) from None
            pause(PAUSE)


def timed(connection: Connection, statement: str, tries: int = 1) -> Ran:
    """Run a finished statement, and say how long it took."""
    begun = time.monotonic()
    rows = execute(connection, statement)
    return Ran(statement, time.monotonic() - begun, tries, rows)


def execute(connection: Connection, statement: str) -> int | None:
    """Run a finished statement: a % in it is a %, not the place of a parameter. The rows it touched, if it did."""
    done = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    return done.rowcount if done.rowcount >= 0 else None


def run_concurrently(engine: Engine, statement: str) -> Ran:
    """Run a statement that no transaction may hold (CREATE INDEX CONCURRENTLY), waiting as long as it needs."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("set lock_timeout = 0")
        return timed(connection, statement)


def blockers(engine: Engine, statements: str = "") -> list[Words]:
    """Who holds locks on records' tables now, or on those named in statements: who, for how long, and doing what.

    Of what they do only the first word is told: the rest of a statement may hold what is nobody's business.
    """
    with engine.connect() as connection:
        rows = connection.execute(text(
            "select distinct a.application_name, a.pid, a.xact_start, a.state, lower(substring(a.query, '[a-zA-Z]+')),"
            " extract(epoch from clock_timestamp() - a.xact_start)::integer"
            " from pg_locks l"
            " join pg_stat_activity a on a.pid = l.pid join pg_class c on c.oid = l.relation"
            " join pg_namespace n on n.oid = c.relnamespace where n.nspname = :schema and l.granted"
            " and a.pid <> pg_backend_pid()"
            " and (:statements = '' or strpos(:statements, quote_ident(c.relname)) > 0)"
            " order by a.xact_start nulls last limit 5"), {"schema": SCHEMA, "statements": statements})
        return [words("{name} (process {process}), for {seconds} s: {state}, {word}", name=name or words("unnamed"),
                      process=pid, seconds=seconds or 0, state=words(STATES.get(state or "active", state)),
                      word=word or words("nothing")) for name, pid, _, state, word, seconds in rows]


def quote(name: str) -> str:
    """A name as SQL wants it; raises ValueError for what cannot be one."""
    if not name or len(name.encode()) > 63 or "\0" in name or "%" in name:
        raise ValueError(f"{name!r} cannot be the name of a table or column")
    return _PREPARER.quote_identifier(name)


def table_name(table: str) -> str:
    """A table of records, with its schema."""
    return f"{SCHEMA}.{quote(table)}"


def _definition(column: Column) -> str:
    if not TYPES.fullmatch(column.type):
        raise ValueError(f"{column.type!r} is no type of a column")
    default = f" default {column.default}" if column.default is not None else ""
    return f"{quote(column.name)} {column.type}{default}{' not null' if column.required else ''}"


# What no record may hold: whoever reads a day beyond the years, or 24:00, could read nothing.
_BOUNDS = {"date": ("1900-01-01", "2201-01-01"), "timestamptz": ("1900-01-01 00:00+00", "2201-01-01 00:00+00"),
           "time": ("00:00", "24:00"), "interval": ("-1000000 days", "1000000 days")}


def _years(column: Column) -> str:
    """The constraint that keeps out moments and spans of time which no record may hold."""
    if column.type not in _BOUNDS:
        return ""
    least, beyond = _BOUNDS[column.type]
    name = quote(column.name)
    return f"constraint {quote(column.name + YEARS)} check ({name} >= '{least}' and {name} < '{beyond}')"


SYSTEM: Final = (
    Column("id", "bigint", "nextval('ed.record_id')", required=True),
    Column("_type", "integer", required=True),
    Column("_version", "integer", "1", required=True),
    Column("_deleted_on", "timestamptz"),
    Column("created_on", "timestamptz", "now()", required=True),
    Column("created_by", "bigint"),
    Column("changed_on", "timestamptz", "now()", required=True),
    Column("changed_by", "bigint"),
)


def create_table(table: str, columns: Iterable[Column], constraints: Iterable[str] = ()) -> str:
    """A new table of records: the columns of the system, then these, and constraints as `required` gives them."""
    own = tuple(columns)
    lines = ", ".join([*map(_definition, (*SYSTEM, *own)), *filter(None, map(_years, own)), *constraints])
    return f"create table {table_name(table)} ({lines}, primary key (id))"


def drop_table(table: str) -> str:
    """Remove a table and what is in it."""
    return f"drop table {table_name(table)}"


def add_columns(table: str, columns: Iterable[Column]) -> str:
    """All new columns of a table in one ALTER: one lock, no rewrite as long as defaults are constants."""
    new = tuple(columns)
    added = [*(f"add column {_definition(column)}" for column in new),
             *(f"add {check} not valid" for check in map(_years, new) if check)]
    return f"alter table {table_name(table)} " + ", ".join(added)


def drop_columns(table: str, names: Iterable[str]) -> str:
    """Remove columns and what is in them."""
    return f"alter table {table_name(table)} " + ", ".join(f"drop column {quote(name)}" for name in names)


def drop_index(name: str, *, concurrently: bool = False) -> str:
    """Remove an index."""
    return f"drop index {'concurrently ' if concurrently else ''}if exists {SCHEMA}.{quote(name)}"


def add_foreign_key(name: str, table: str, column: str, target: str) -> str:
    """A foreign key for new and changed rows; `validate` makes it hold for the old ones."""
    return (f"alter table {table_name(table)} add constraint {quote(name)} foreign key ({quote(column)})"
            f" references {table_name(target)} (id) not valid")


def add_check(name: str, table: str, columns: Iterable[str]) -> str:
    """A condition for new and changed rows that at most one of some columns is filled; `validate` is for the old."""
    return (f"alter table {table_name(table)} add constraint {quote(name)} check"
            f" (num_nonnulls({', '.join(map(quote, columns))}) <= 1) not valid")


def required(name: str, columns: Iterable[str], types: Iterable[int]) -> str:
    """A constraint: rows of these types have a value in one of the columns."""
    return f"constraint {quote(name)} check ({_filled(columns, types)})"


def _filled(columns: Iterable[str], types: Iterable[int]) -> str:
    names = [quote(column) for column in columns]
    filled = f"{names[0]} is not null" if len(names) == 1 else f"num_nonnulls({', '.join(names)}) > 0"
    return f"_type not in ({', '.join(str(int(one)) for one in types)}) or {filled}"


def count_empty(connection: Connection, table: str,
                wanted: Iterable[tuple[Iterable[str], Iterable[int]]]) -> list[int]:
    """How many rows each of these conditions (columns, types) does not hold for; the table is read once."""
    counted = ", ".join(f"count(*) filter (where not ({_filled(columns, types)}))" for columns, types in wanted)
    return list(connection.exec_driver_sql(f"select {counted} from {table_name(table)}",        # noqa: S608  # quoted
                                           execution_options={"no_parameters": True}).one())


def add_constraints(table: str, constraints: Iterable[str]) -> str:
    """Constraints for new and changed rows; `validate` makes them hold for the old ones."""
    return f"alter table {table_name(table)} " + ", ".join(f"add {one} not valid" for one in constraints)


def validate(name: str, table: str) -> str:
    """Check the old rows against a constraint, without keeping anybody from working."""
    return validate_all(table, [name])


def validate_all(table: str, names: Iterable[str]) -> str:
    """Check the old rows against constraints, reading them once, without keeping anybody from working."""
    return f"alter table {table_name(table)} " + ", ".join(f"validate constraint {quote(name)}" for name in names)


def drop_constraint(name: str, table: str) -> str:
    """Remove a constraint."""
    return drop_constraints(table, [name])


def drop_constraints(table: str, names: Iterable[str]) -> str:
    """Remove constraints."""
    return f"alter table {table_name(table)} " + ", ".join(
        f"drop constraint if exists {quote(name)}" for name in names)


def drop_not_null(table: str, column: str) -> str:
    """Let a column be empty."""
    return f"alter table {table_name(table)} alter column {quote(column)} drop not null"


def valid_index(connection: Connection, name: str) -> bool | None:
    """Whether an index is usable; None when there is none. A killed concurrent build leaves an unusable one."""
    found: Any = connection.scalar(text(
        "select i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid"
        " join pg_namespace n on n.oid = c.relnamespace where n.nspname = :schema and c.relname = :name"),
        {"schema": SCHEMA, "name": name})
    return None if found is None else bool(found)


def columns_of(connection: Connection, table: str) -> dict[str, str]:
    """The columns that a table really has, with their types; empty when there is no such table."""
    rows = connection.execute(text(
        "select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a"
        " join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = :schema and c.relname = :table and a.attnum > 0 and not a.attisdropped"
        " order by a.attnum"), {"schema": SCHEMA, "table": table})
    return {str(name): str(type_).replace("timestamp with time zone", "timestamptz") for name, type_ in rows}


# What notes which records were written while columns are filled from others; see core/bm/changes/filling.py.
FILLING = "tessera.filling"          # set to 'on' in the transactions that fill, whose own writes count for nothing
Event = Literal["insert", "update", "delete"]


def track(name: str, table: str, storage: int, event: Event, columns: Iterable[str] = (), *, done: bool = False) -> str:
    """A trigger that marks records, as rows of sys.touched, when some columns (none: any) are written.

    `done`: one that takes marks away, when the columns to be filled are written by others than the one who fills them.
    """
    named = list(columns)
    watched = ", ".join(map(quote, named))
    of = f" of {watched}" if event == "update" and named else ""
    if done:
        when = f" when (current_setting('{FILLING}', true) is distinct from 'on')"
    elif event == "update" and named:
        when = f" when ({_row('old', named)} is distinct from {_row('new', named)})"
    elif event == "insert" and named:
        when = f" when (num_nonnulls({', '.join(f'new.{quote(one)}' for one in named)}) > 0)"
    else:                                           # all that others write, and nothing that fills
        when = f" when (current_setting('{FILLING}', true) is distinct from 'on')"
    return (f"create trigger {quote(name)} after {event}{of} on {table_name(table)} for each row{when}"
            f" execute function sys.touch('{int(storage)}', '{'done' if done else ''}')")


def track_from(name: str, table: str, storage: int, column: str, reached: str) -> str:
    """A trigger that marks the records which read a written one: those that `reached` leads to.

    `column` is that of a line which leads to its record; "" where others link to the written record itself.
    """
    return (f"create trigger {quote(name)} after insert or update or delete on {table_name(table)} for each row"
            f" when (current_setting('{FILLING}', true) is distinct from 'on')"
            f" execute function sys.touch_from('{int(storage)}', {_text(column)}, {_text(reached)})")


def reached(hops: Iterable[tuple[str, str, str]]) -> str:
    """A select of the ids to which steps lead from those in $2: ("link", "links" or "lines", a table, its column)."""
    found = "select unnest($2)"
    for how, table, column in hops:
        of = table_name(table)
        if how == "link":
            found = f"select r.id from {of} r where r.{quote(column)} in ({found})"     # noqa: S608  # quoted
        elif how == "links":
            found = f"select r.id from {of} r where r.{quote(column)} && array({found})"    # noqa: S608
        else:
            found = f"select r.{quote(column)} from {of} r where r.id in ({found})"     # noqa: S608
    return found


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _row(of: str, columns: Iterable[str]) -> str:
    return f"row({', '.join(f'{of}.{quote(one)}' for one in columns)})"


def drop_trigger(name: str, table: str) -> str:
    """Remove a trigger."""
    return f"drop trigger if exists {quote(name)} on {table_name(table)}"


def lock_writers(table: str) -> str:
    """Keep everybody from writing, and from holding rows in order to write, until the end of the transaction."""
    return f"lock table {table_name(table)} in exclusive mode"

"""What the planner has to know of the enterprise data: names, parked members, the catalog, and how much there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, String, func, literal_column, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.exc import OperationalError

from core.bm.inputs.outlook import Outlook
from core.bm.versions import live, tables
from core.bm.versions.canonical import canonical, digest
from core.bm.versions.state import Parked, State
from core.database.engine import sqlstate
from core.ed.budget import STOPPED
from core.ed.setting import kept
from core.ed.stored import StoredName
from core.errors import Words, words

T = TypeVar("T")
EXACT_ROWS = 1_000_000          # larger tables are not counted, PostgreSQL's estimate does
SECONDS = 3.0                   # for looking at one table
SAMPLES = 5                     # records by which a person sees what is meant


# What findings are about; some are named where they are asked for.
LONGER, DUPLICATES, ORPHANS, VIOLATES, GIVEN = "longer", "duplicates", "orphans", "violates", "given"


@dataclass(frozen=True, slots=True)
class Sample:
    """A record by which a person sees what is meant; with `sharing`, the value that these records share."""

    id: int
    title: str
    table: str = ""                             # where the title is a value instead: of which table and paths
    reads: tuple[tuple[str, ...], ...] = ()
    sharing: tuple[Sample, ...] = ()            # the first of them, in the order of ids

    def __str__(self) -> str:
        if not self.sharing:
            return f"{self.id} {self.title}".strip()
        return f"{self.title or '...'}: {' = '.join(map(str, self.sharing))}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at the records found: how many, and a few of them; `partial` when the time for it was over."""

    count: int
    samples: tuple[Sample, ...] = ()
    partial: bool = False
    last: str = ""                  # the day on which one of them was last changed

    def __bool__(self) -> bool:
        return bool(self.count or self.partial)

    def and_also(self, other: Finding | None) -> Finding:
        """What was found in two places."""
        return self if other is None else Finding(
            self.count + other.count, (*other.samples, *self.samples)[:SAMPLES], self.partial or other.partial,
            max(self.last, other.last))


@dataclass(frozen=True)
class Facts:
    """One look at a database; equal looks give equal plans."""

    physical: Mapping[tuple[int, str], tuple[str, str | None]] = field(default_factory=dict)    # by storage id, part
    parked_columns: frozenset[tuple[int, str]] = frozenset()
    parked: tuple[Parked, ...] = ()
    first_new: int = 1                                       # the first identity that nothing ever had
    after: int = 0                  # the last promotion that was made; no part of the fingerprint
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)      # what the catalog has, by table
    indexes: Mapping[str, tuple[str, bool]] = field(default_factory=dict)       # name -> (table, valid)
    constraints: Mapping[str, tuple[str, bool]] = field(default_factory=dict)   # keys and checks: -> (table, validated)
    references: Mapping[str, str] = field(default_factory=dict)                 # foreign keys: to which table they lead
    rows: Mapping[str, int] = field(default_factory=dict)                       # estimates, by physical table
    values: Mapping[int, int] = field(default_factory=dict)                     # filled values, by identity
    # columns by storage id: from which they were converted, the last at the end, and how; the journal tells
    filled: Mapping[int, Mapping[int, Mapping[str, Any]]] = field(default_factory=dict)
    homes: tuple[tuple[int, int], ...] = ()                               # tables, and where records of theirs stand
    expressions: tuple[StoredName, ...] = ()                              # what records of live name
    settings: frozenset[str] = frozenset()                                # those that somebody gave a value
    # What the records say against a change, by what and name: ("empty", "company.phone"); no part of the fingerprint
    findings: Mapping[tuple[str, str], Finding] = field(default_factory=dict)

    # What the database does not understand of the target: kind, name, why; no part of the fingerprint
    invalid: tuple[tuple[str, str, Words], ...] = ()
    # What each `data` definition will do, by name; no part of the fingerprint
    seeds: Mapping[str, Outlook] = field(default_factory=dict)

    # The values of choices that come back with fields that were parked, by path; no part of the fingerprint
    returned: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    # What somebody changed by hand, which stops every promotion (drift.py); no part of the fingerprint
    drifted: tuple[Words, ...] = ()

    kept_days: int = 30             # how long this system keeps what is parked, at least; no part of the fingerprint

    # When what was parked was removed for good, by storage id: no version that needs it comes back
    purged: Mapping[int, str] = field(default_factory=dict)

    def finding(self, what: str, name: str) -> Finding:
        """What the records say; nothing where nobody had to look."""
        return self.findings.get((what, name), NOTHING)

    @property
    def fingerprint(self) -> str:
        """Stands for the shape of the enterprise data, not for what is in it."""
        physical = sorted([identity, part, *names] for (identity, part), names in self.physical.items())
        return digest(canonical([physical, sorted(self.parked_columns), self.columns, self.indexes,
                                 self.constraints]))


NOTHING = Finding(0)


def counted(found: Finding) -> Words:
    """How many records, and which: "3 records (7 Smith, 8 Jones ...)"."""
    named = _named(found)
    if found.count == 1 and not found.partial:
        return words("1 record ({named})", named=named)
    if found.partial:
        return words("about {count} records ({named}; the table is too large to count them all)", count=found.count,
                     named=named)
    return words("{count} records ({named})", count=found.count, named=named)


def shared(found: Finding) -> Words:
    """How many values several records share, and which: "records share 2 values (Ulm: 7 Smith = 8 Jones ...)"."""
    if found.count == 1:
        return words("records share a value ({named})", named=_named(found))
    return words("records share {count} values ({named})", count=found.count, named=_named(found))


def _named(found: Finding) -> str:
    return ", ".join(map(str, found.samples)) + (" ..." if found.count > len(found.samples) > 0 else "")


def gather(connection: Connection, kept_days: int = 30) -> Facts:
    """Look at everything that concerns a plan, in a handful of small statements."""
    physical = connection.execute(select(*tables.physical.c["id", "part", "table_name", "column_name", "state"])).all()
    return Facts(
        physical={(row.id, row.part): (row.table_name, row.column_name) for row in physical},
        parked_columns=frozenset((row.id, row.part) for row in physical if row.state == "parked"),
        parked=tuple(_parked(connection, physical)), homes=tuple(live.known_homes(connection)),
        purged={row.storage: f"{row.purged_on:%Y-%m-%d}" for row in connection.execute(
            select(*tables.purged.c["storage", "purged_on"]))},
        after=connection.scalar(select(func.max(tables.promotion.c.id)).where(
            tables.promotion.c.state.in_(live.FLIPPED))) or 0,
        first_new=_first_new(connection), columns=_columns(connection), indexes=_indexes(connection),
        constraints=_constraints(connection), references=_references(connection), rows=estimates(connection),
        filled=_filled(connection), kept_days=kept_days,
        settings=frozenset(key.removeprefix("setting.") for key in kept(connection) if "@" not in key))


def _parked(connection: Connection, physical: Sequence[Any]) -> Iterator[Parked]:
    tables_of = {row.table_name: row.id for row in physical if row.column_name is None}
    home_of = {row.id: tables_of.get(row.table_name) for row in physical if row.column_name is not None}
    gone = select(tables.member).where(tables.member.c.state.in_(("new", "parked"))).order_by(tables.member.c.id)
    for row in connection.execute(gone):
        yield Parked(row.path, row.id, row.meaning, row.state == "new", row.storage, home_of.get(row.storage or row.id))


def _filled(connection: Connection) -> dict[int, dict[int, Mapping[str, Any]]]:
    """From which columns others were filled by conversion, as the journal tells, and how it was done the last time."""
    rows = connection.execute(text("""
        select part.value as part from bm.promotion p, jsonb_array_elements(p.plan -> 'steps') step,
               jsonb_array_elements(step.value -> 'data' -> 'parts') part
         where p.state in ('flipped', 'done') and step.value ->> 'kind' = 'fill' and part.value ? 'conversion'
         order by p.id"""))
    found: dict[int, dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        known = found.setdefault(row.part["storage"], {})
        known.pop(row.part["source"], None)
        known[row.part["source"]] = row.part["conversion"]
    return found


def _first_new(connection: Connection) -> int:
    """Nothing ever had it: neither a member, nor columns, nor a version that recorded where values stand."""
    return int(connection.scalar(text("""
        select greatest((select max(id) from bm.member), (select max(id) from sys.physical),
                        (select max(s.value::bigint) from bm.version v, jsonb_each_text(v.storage) s), 0)"""))) + 1


def _columns(connection: Connection) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in connection.execute(text("""
            select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type
              from pg_attribute a join pg_class c on c.oid = a.attrelid
             where c.relnamespace = 'ed'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
             order by c.relname, a.attnum""")):
        found.setdefault(row.relname, {})[row.attname] = row.type.replace("timestamp with time zone", "timestamptz")
    return found


def _indexes(connection: Connection) -> dict[str, tuple[str, bool]]:
    rows = connection.execute(text("""
        select c.relname as name, t.relname as table_name, i.indisvalid
          from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
         where c.relnamespace = 'ed'::regnamespace and not i.indisprimary order by c.relname"""))
    return {row.name: (row.table_name, row.indisvalid) for row in rows}


def _constraints(connection: Connection) -> dict[str, tuple[str, bool]]:
    rows = connection.execute(text("""
        select k.conname, c.relname, k.convalidated from pg_constraint k join pg_class c on c.oid = k.conrelid
         where c.relnamespace = 'ed'::regnamespace and (k.contype = 'f' or k.conname ~ '^(ck|rq)_[0-9]')
         order by k.conname"""))
    return {row.conname: (row.relname, row.convalidated) for row in rows}


def _references(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("""
        select k.conname, c.relname from pg_constraint k join pg_class c on c.oid = k.confrelid
         where k.connamespace = 'ed'::regnamespace and k.contype = 'f' order by k.conname"""))
    return {row.conname: row.relname for row in rows}


def estimates(connection: Connection) -> dict[str, int]:
    """How many rows each physical table has, as PostgreSQL estimates it."""
    rows = connection.execute(text("""
        select s.relname, greatest(c.reltuples, s.n_live_tup, 0)::bigint as rows
          from pg_stat_user_tables s join pg_class c on c.oid = s.relid where s.schemaname = 'ed'"""))
    return {row.relname: row.rows for row in rows}


def count_values(connection: Connection, facts: Facts, base: State, target: State) -> dict[int, int]:
    """How many records have a value in each field that the target parks; large tables are not read for it."""
    left = set(base.identities.values()) - set(target.identities.values())
    gone = {base.storage(path): identity for path, identity in base.identities.items() if identity in left}
    found: dict[int, int] = {}
    for (storage, part), (table, column) in facts.physical.items():
        if storage not in gone or part or facts.rows.get(table, 0) > EXACT_ROWS:
            continue
        source = sql_table(table, sql_column("id"), *([sql_column(column, String)] if column else []), schema="ed")
        counted = source.c[column] if column else literal_column("*")
        found[gone[storage]] = int(connection.execute(select(func.count(counted)).select_from(source)).scalar_one())
    return found


def in_time(connection: Connection, look: Callable[[], T]) -> T | None:
    """What a look finds, in a savepoint that is taken back, and its end of time with it; None if it took too long."""
    inner = connection.begin_nested()
    try:
        connection.execute(text("select set_config('statement_timeout', :limit, true)"),
                           {"limit": str(round(SECONDS * 1000))})
        return look()
    except OperationalError as error:
        if sqlstate(error) != STOPPED:
            raise
        return None
    finally:
        inner.rollback()

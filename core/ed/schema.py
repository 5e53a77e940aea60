"""How logical tables are kept: one physical table for each base, one column for each part of a field.

`desired` says what should exist for a Model; it is pure, so that the planner can compare it with what does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    and_,
    func,
    text,
)
from sqlalchemy import Table as PhysicalTable
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from core.database import ddl
from core.ed.tables import RECORD_ID, typed

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.sql.selectable import FromClause

    from core.definition.model import Field, Model, Table
    from core.ed.system import System

Physical = Mapping[tuple[int, str], tuple[str, str | None]]     # (storage id, part) -> (table, column; None: a table)
NO_STORAGES: Mapping[str, int] = MappingProxyType({})           # all values stand under the identity of their field

LONGEST_NAME = 50
LONGEST_PART = 24
REQUIRED = "rq_"            # what constraints that something is filled in begin with; then comes whose they are
DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
SYSTEM_COLUMNS: Mapping[str, str] = {
    "id": "bigint", "_type": "integer", "_version": "integer", "_deleted_on": "timestamptz",
    "created_on": "timestamptz", "created_by": "bigint", "changed_on": "timestamptz", "changed_by": "bigint",
}


class Stored:
    """Where the records of one logical table are kept: a physical table, and the types of its own rows."""

    def __init__(self, definition: Table, table: PhysicalTable, system: System, type_ids: tuple[int, ...]) -> None:
        self.definition = definition
        self.table = table
        self.type_id = type_ids[0]
        self.type_ids = type_ids                # its own and those of the tables under it
        model = system.model
        self.shared = system.identities[definition.root] in system.foreign or len(
            model.names.families[definition.root]) > 1
        self._system = system
        self._names: dict[tuple[str, str], str] = {}

    def name(self, field: str, part: str = "") -> str:
        """The name of the column that holds a part of a field; raises KeyError if nothing is stored for it."""
        key = (field, part)
        if key not in self._names:
            self._names[key] = self._find(field, part)
        return self._names[key]

    def column(self, field: str, part: str = "", source: FromClause | None = None) -> Column[Any]:
        """The column that holds a part of a field, of the table or of an alias of it.

        A link to several tables has a column for each; without a part they are taken together, as one of them at most
        is filled.
        """
        columns = (self.table if source is None else source).c
        targets = () if part else self.several(field)
        if targets:
            return func.coalesce(*(columns[self.name(field, one)] for one in targets))  # type: ignore[return-value]
        return columns[self.name(field, part)]  # type: ignore[return-value]

    def several(self, field: str) -> tuple[str, ...]:
        """The tables that a field leads to as a link to several; none for any other field."""
        found = self._system.model.field(self.definition.name, field)
        return found.targets if found is not None and len(found.targets) > 1 else ()

    def own_rows(self, source: FromClause | None = None) -> ColumnElement[bool] | None:
        """The condition that a row belongs to this logical table or one under it; None if every row does."""
        if not self.shared:
            return None
        column = self.column("_type", source=source)
        return column == self.type_ids[0] if len(self.type_ids) == 1 else column.in_(self.type_ids)

    def _find(self, field: str, part: str) -> str:
        if field in SYSTEM_COLUMNS:
            return field
        found = self._system.model.field(self.definition.name, field)
        if found is None or found.virtual:
            raise KeyError(f"{self.definition.name}.{field}")
        system = self._system
        name = system.physical[system.storage(identity_path(found)), kept_part(system.identities, found, part)][1]
        if name is None:
            raise KeyError(f"{self.definition.name}.{field}")
        return name


def identity_path(field: Field) -> str:
    """The path under which a field has its identity."""
    return f"{field.table}.{field.name}"


def parts(field: Field) -> tuple[tuple[str, str], ...]:
    """The (part, PostgreSQL type) pairs that are stored for a field; none for formulas and lines."""
    if field.virtual:
        return ()
    return tuple((part.name, part.column) for part in field.type.parts(field.properties))


def physical_name(name: str, storage: int, part: str = "") -> str:
    """The name of a new column or table: readable, and unique through its storage id."""
    if len(part) > LONGEST_PART:                # of a link to several tables: the name of one
        part = sha256(part.encode()).hexdigest()[:12]
    ending = f"_{storage}_{part}" if part else f"_{storage}"
    return name[:LONGEST_NAME - len(ending)] + ending


def stored_fields(model: Model, root: str) -> Iterator[Field]:
    """The fields with columns in the physical table of a root: the base's first, then those of its kinds."""
    seen = set()
    for table in (model.tables[name] for name in model.names.families[root]):
        for field in table.fields.values():
            path = identity_path(field)
            if path not in seen and not field.virtual:
                seen.add(path)
                yield field


def roots(model: Model) -> tuple[str, ...]:
    """The logical tables that have a physical table."""
    return tuple(model.names.families)


def name_all(model: Model, identities: Mapping[str, int], kept: Physical | None = None,
             storages: Mapping[str, int] = NO_STORAGES) -> Physical:
    """The physical names of everything in a Model: those there are already, new ones by rule."""
    kept = kept or {}
    numbers = {**identities, **storages}
    names: dict[tuple[int, str], tuple[str, str | None]] = {}
    for root in roots(model):
        table = kept.get((numbers[root], ""), (physical_name(root, numbers[root]), None))[0]
        names[numbers[root], ""] = (table, None)
        for field in stored_fields(model, root):
            number = numbers[identity_path(field)]
            for part, _ in parts(field):
                key = (number, kept_part(identities, field, part))
                names[key] = kept.get(key, (table, physical_name(field.name, number, part)))
    return names


def kept_part(identities: Mapping[str, int], field: Field, part: str) -> str:
    """Under which name a part is noted: that of a link to several tables by the table's identity, which it keeps."""
    return str(identities[part]) if len(field.targets) > 1 and part in identities else part


@dataclass(frozen=True, slots=True)
class DesiredColumn:
    """A column that should exist: the storage id and part it holds, its physical name and PostgreSQL type."""

    storage: int
    part: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class DesiredIndex:
    """An index that should exist; its name comes from ids and content, so a changed index is another one."""

    name: str
    unique: bool
    create: str
    create_concurrently: str


@dataclass(frozen=True, slots=True)
class DesiredForeignKey:
    """A foreign key that should exist; its name comes from the field's storage id."""

    name: str
    column: str
    target: str


@dataclass(frozen=True, slots=True)
class DesiredCheck:
    """A condition that should hold: at most one of some columns is filled; its name comes from what it is of."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DesiredRequired:
    """A condition that should hold: rows of some types have a value in one of the columns; named as what it is of."""

    name: str
    field: str                  # "table.field", as it is declared
    columns: tuple[str, ...]
    types: tuple[int, ...]

    @property
    def constraint(self) -> str:
        """It as SQL says it."""
        return ddl.required(self.name, self.columns, self.types)


@dataclass(frozen=True, slots=True)
class DesiredTable:
    """A physical table of schema `ed` that should exist, with the eight system columns besides `columns`."""

    identity: int                           # of the base, whose rows it keeps
    storage: int
    name: str
    columns: tuple[DesiredColumn, ...]
    indexes: tuple[DesiredIndex, ...]
    foreign_keys: tuple[DesiredForeignKey, ...]
    checks: tuple[DesiredCheck, ...] = ()
    required: tuple[DesiredRequired, ...] = ()


def desired(system: System) -> tuple[DesiredTable, ...]:
    """The physical tables, columns, indexes and foreign keys that a Model needs, by the names of `physical`.

    For a planner: `desired(System(0, model, identities, name_all(model, identities, kept, storages), ...))`.
    """
    return tuple(_desired_table(system, root) for root in roots(system.model))


def create_all(connection: Connection, system: System, required: bool = True) -> None:
    """Create everything at once in an empty `ed` (its sequence of ids must be there).

    Without `required` as a promotion leaves it over records that are empty in what became required.
    """
    wanted = desired(system)
    for root in roots(system.model):
        connection.execute(CreateTable(system.stored(root).table))
    for table in wanted:
        for key in table.foreign_keys:
            connection.execute(AddConstraint(foreign_key(table.name, key)))
        for check in table.checks:
            connection.exec_driver_sql(ddl.add_check(check.name, table.name, check.columns))
        if required and table.required:
            connection.exec_driver_sql(ddl.add_constraints(table.name, [one.constraint for one in table.required]))
        for index in table.indexes:
            # a % in a condition is a %, not the place of a parameter
            connection.exec_driver_sql(index.create, execution_options={"no_parameters": True})


def foreign_key(table: str, key: DesiredForeignKey) -> ForeignKeyConstraint:
    """The constraint as SQLAlchemy has it, to be added to its table."""
    metadata = MetaData(schema="ed")
    constraint = ForeignKeyConstraint([key.column], [f"ed.{key.target}.id"], name=key.name)
    own = [Column("id", BigInteger, primary_key=True), Column(key.column, BigInteger), constraint]
    PhysicalTable(table, metadata, *own)
    if key.target != table:
        PhysicalTable(key.target, metadata, Column("id", BigInteger, primary_key=True))
    return constraint


def physical_table(system: System, root: str, metadata: MetaData) -> PhysicalTable:
    """The physical table of a root as SQLAlchemy has it."""
    columns: list[Column[Any]] = [
               Column("id", BigInteger, RECORD_ID, server_default=RECORD_ID.next_value(), primary_key=True),
               Column("_type", Integer, nullable=False), Column("_version", Integer, nullable=False,
                                                               server_default=text("1")),
               Column("_deleted_on", DateTime(timezone=True)),
               Column("created_on", DateTime(timezone=True), nullable=False, server_default=func.now()),
               Column("created_by", BigInteger),
               Column("changed_on", DateTime(timezone=True), nullable=False, server_default=func.now()),
               Column("changed_by", BigInteger)]
    for column in _columns(system, root):
        columns.append(Column(column.name, typed(column.type)))
    return PhysicalTable(system.physical[system.storage(root), ""][0], metadata, *columns)


def _desired_table(system: System, root: str) -> DesiredTable:
    storage = system.storage(root)
    return DesiredTable(system.identities[root], storage, system.physical[storage, ""][0],
                        tuple(_columns(system, root)), _indexes(system, root), tuple(_foreign_keys(system, root)),
                        tuple(_checks(system, root)), tuple(_required(system, root)))


def _columns(system: System, root: str) -> Iterator[DesiredColumn]:
    for field in stored_fields(system.model, root):
        storage = system.storage(identity_path(field))
        for part, column_type in parts(field):
            kept = kept_part(system.identities, field, part)
            yield DesiredColumn(storage, kept, _column_name(system, storage, kept), column_type)


def _foreign_keys(system: System, root: str) -> Iterator[DesiredForeignKey]:
    for field in stored_fields(system.model, root):
        if field.type.name != "link" or field.many:
            continue
        storage, several = system.storage(identity_path(field)), len(field.targets) > 1
        for name in field.targets:
            target = system.model.tables.get(name)
            if target is not None:
                part = kept_part(system.identities, field, name) if several else ""
                column = _column_name(system, storage, part)
                table, _ = system.physical[system.storage(target.root), ""]
                key = f"fk_{storage}_{system.identities[name]}" if several else f"fk_{storage}"
                yield DesiredForeignKey(key, column, table)


def _checks(system: System, root: str) -> Iterator[DesiredCheck]:
    """A link to several tables leads to one record at most."""
    for field in stored_fields(system.model, root):
        if len(field.targets) > 1:
            storage = system.storage(identity_path(field))
            columns = tuple(_column_name(system, storage, kept_part(system.identities, field, part))
                            for part, _ in parts(field))
            digest = sha256(" ".join(columns).encode()).hexdigest()[:12]
            yield DesiredCheck(f"ck_{storage}_{digest}", columns)


def _required(system: System, root: str) -> Iterator[DesiredRequired]:
    """What is always required, of the tables for which it is; conditions are the record service's own.

    Nor is a link that core itself empties when what it leads to goes.
    """
    tables = [system.model.tables[name] for name in system.model.names.families[root]]
    for field in stored_fields(system.model, root):
        types = tuple(sorted(system.identities[table.name] for table in tables if not table.abstract
                             and _always_required(table.fields.get(field.name), field)))
        if types:
            storage = system.storage(identity_path(field))
            names = {part: _column_name(system, storage, kept_part(system.identities, field, part))
                     for part, _ in parts(field)}
            columns = (names[""],) if "" in names else tuple(names.values())
            digest = sha256(f"{columns} {types}".encode()).hexdigest()[:12]
            yield DesiredRequired(f"{REQUIRED}{storage}_{digest}", identity_path(field), columns, types)


def _always_required(found: Field | None, declared: Field) -> bool:
    """Whether a table has that field, as it is declared or narrowed, and never empty."""
    return found is not None and found.table == declared.table and found.required is True \
        and not found.computed and not (found.names_records and found.on_delete == "clear")


def _column_name(system: System, storage: int, part: str = "") -> str:
    name = system.physical[storage, part][1]
    if name is None:
        raise KeyError(f"{storage} is a table, not a field")
    return name


def _indexes(system: System, root: str) -> tuple[DesiredIndex, ...]:
    found: dict[str, DesiredIndex] = {}
    for table in (system.model.tables[name] for name in system.model.names.families[root]):
        for index in _table_indexes(system, table):
            found.setdefault(index.name, index)
    return tuple(found.values())


def _table_indexes(system: System, table: Table) -> Iterator[DesiredIndex]:
    """Every index that the fields, unique rules, indexes and list orders of one logical table ask for."""
    stored = system.stored(table.name)
    live = stored.column("_deleted_on").is_(None)
    own = and_(live, *(c for c in (stored.own_rows(),) if c is not None))
    if stored.shared and table.name == table.root:
        yield _index(stored, [stored.column("_type"), stored.column("id")])
    for field in table.fields.values():
        if field.table == table.name and not field.virtual:
            yield from _field_indexes(stored, field)
    for unique in table.unique.values():
        columns = [stored.column(name) for name in unique.fields]
        where = own if unique.where is None else and_(own, _condition(system, stored, unique.where))
        yield _index(stored, columns, where=where, unique=True)
    for declared in table.indexes.values():
        if all(_is_stored(system, table.name, name) for name in declared.fields):
            yield _index(stored, _declared(system, stored, declared.fields), where=own)
    for definition in system.model.lists.values():
        if definition.of == table.name and definition.order:
            yield from _order_index(system, stored, definition.order, own)


def _declared(system: System, stored: Stored, fields: tuple[str, ...]) -> list[ColumnElement[Any]]:
    """The columns of a declared index: records are found by the first fields, and come in the order of the last."""
    columns: list[ColumnElement[Any]] = [stored.column(name) for name in fields]
    if len(fields) > 1 and fields[-1] != "id":
        last = fields[-1]
        columns[-1:] = [stored.column(last, sort_part(system.model, stored.definition.name, last)), stored.column("id")]
    return columns


def _field_indexes(stored: Stored, field: Field) -> Iterator[DesiredIndex]:
    column = stored.column(field.name)
    method = field.type.default_index(field.properties)
    if method is not None:
        yield _index(stored, [column], method=method)
    for part in stored.several(field.name):         # for what leads to one table, and for the foreign key's own work
        one = stored.column(field.name, part)
        yield _index(stored, [one], where=one.is_not(None))
    if field.search == "contains":
        yield _index(stored, [column], method="gin", trigrams=True)
    if any(part == "normal" for part, _ in parts(field)):
        yield _index(stored, [stored.column(field.name, "normal")], method="gin" if field.many else "btree")


def _order_index(system: System, stored: Stored, order: tuple[str, ...],
                 where: ColumnElement[bool]) -> Iterator[DesiredIndex]:
    columns: list[ColumnElement[Any]] = []
    for entry in order:
        name, down = entry.lstrip("-"), entry.startswith("-")
        if not _is_stored(system, stored.definition.name, name):
            return
        column = stored.column(name, sort_part(system.model, stored.definition.name, name))
        columns.append(column.desc().nulls_last() if down else column)
    last_down = order[-1].startswith("-")
    if order[-1].lstrip("-") != "id":
        columns.append(stored.column("id").desc() if last_down else stored.column("id"))
    yield _index(stored, columns, where=where)


def sort_part(model: Model, table: str, name: str) -> str:
    """The part of a field that lists sort by: the folded key of a text, the base amount of nothing else."""
    field = model.field(table, name)
    return "key" if field is not None and any(part == "key" for part, _ in parts(field)) else ""


def _is_stored(system: System, table: str, name: str) -> bool:
    if name in SYSTEM_COLUMNS:
        return True
    field = system.model.field(table, name)
    return field is not None and not field.virtual


def _condition(system: System, stored: Stored, expression: Any) -> ColumnElement[bool]:
    from core.ed.columns import plain_columns  # columns builds on this module
    return expression.sql(plain_columns(system, stored))  # type: ignore[no-any-return]


def _index(stored: Stored, columns: list[Any], *, method: str = "btree", where: ColumnElement[bool] | None = None,
           unique: bool = False, trigrams: bool = False) -> DesiredIndex:
    """Describe an index; its digest is taken of the statement without a name, which holds physical names only.

    One over several kinds knows the kind of each row, so that those of one can be counted without reading the rows.
    """
    kind = ["_type"] if method == "btree" and not unique and where is not None and len(stored.type_ids) > 1 else []
    def statement(name: str, concurrently: bool) -> str:
        index = Index(name, *columns, unique=unique, postgresql_using=method, postgresql_where=where,
                      postgresql_concurrently=concurrently, postgresql_include=kind,
                      postgresql_ops={columns[0].key: "gin_trgm_ops"} if trigrams else {})
        sql = str(CreateIndex(index).compile(dialect=DIALECT))
        stored.table.indexes.discard(index)      # describing an index must not attach it to the table
        return sql
    digest = sha256(statement("x", False).encode()).hexdigest()[:12]
    name = f"{'uq' if unique else 'ix'}_{stored.type_id}_{digest}"
    return DesiredIndex(name, unique, statement(name, False), statement(name, True))

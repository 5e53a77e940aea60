"""The index of words: filled from a queue by the worker, asked only in the parts that a user may read.

A record has a row for part 0, with the fields that every reader of its table may read, and one for each field with a
right of its own (the part is the field's identity).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR, insert

from core.ed import tables
from core.ed.access import as_condition
from core.ed.columns import RecordColumns
from core.ed.formulas import open_to
from core.ed.paths import concrete
from core.ed.rowset import encode, rowset
from core.ed.schema import identity_path
from core.ed.statement import parameter
from core.ed.titles import PLACE
from core.ed.words import to_vector

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.system import System

SHARED_PART = 0
LOCK = 7_301_001                # of the one who fills the index: two could overwrite new words with old ones


def fields(system: System, table: str) -> tuple[Field, ...]:
    """The fields of a table, and of those under it, that searches look into."""
    def find() -> tuple[Field, ...]:
        found = {identity_path(f): f for kind in concrete(system.model, table)
                 for f in system.model.tables[kind].fields.values() if f.search is not None and not f.virtual}
        return tuple(found.values())
    return system.cache.get(("search fields", table), find)


def part_of(system: System, field: Field) -> int:
    """The part that holds a field: 0, or its own if a role grants reading it by itself, or a restriction limits it.

    So has each stored formula, for those who may not read all that it reads.
    """
    if field.stored:
        return system.identities[identity_path(field)]
    own = {name for role in system.model.roles.values() for name, grant in role.grants.items()
           if grant.read is not None}
    own |= {f"{one.of}.{name}" for one in system.model.restrictions.values() for name in one.fields}
    holders = (t.name for t in system.model.tables.values() if model_kind(system, t.name, field.table))
    has_own = any(f"{table}.{field.name}" in own for table in holders)
    return system.identities[identity_path(field)] if has_own else SHARED_PART


def model_kind(system: System, table: str, base: str) -> bool:
    """Whether a table is the base or stands under it."""
    return system.model.names.is_kind_of(table, base)


def parts(system: System, table: str) -> dict[int, tuple[Field, ...]]:
    """The fields of each part of a table's records."""
    def find() -> dict[int, tuple[Field, ...]]:
        found: dict[int, tuple[Field, ...]] = {}
        for field in fields(system, table):
            part = part_of(system, field)
            found[part] = (*found.get(part, ()), field)
        return found
    return system.cache.get(("search parts", table), find)


def follow(connection: Connection, before: System, after: System) -> bool:
    """Forget words that stand in a part which more people may search than may read them in the version to come.

    Says whether the index is to be built anew, because other fields are searched, with other rights, or as values of
    another type.
    """
    was = _fields_of_parts(before)
    now = _fields_of_parts(after)
    changed = {table for table, found in now.items() if table in was and found != was[table]}
    closed = [table for table in changed
              if not was[table].get(SHARED_PART, set()) <= now[table].get(SHARED_PART, set())]
    if closed:
        connection.execute(delete(tables.search).where(
            tables.search.c.part == SHARED_PART, tables.search.c.table_id.in_(closed)))
    stood, stand = _storages(before), _storages(after)
    return bool(changed) or any(stood.get(identity, storage) != storage for identity, storage in stand.items())


def _storages(system: System) -> dict[int, int]:
    """Where the values of the fields that are searched stand, by their identities."""
    paths = {identity_path(field) for name, table in system.model.tables.items() if not table.abstract
             for members in parts(system, name).values() for field in members}
    return {system.identities[path]: system.storage(path) for path in paths}


def _fields_of_parts(system: System) -> dict[int, dict[int, set[int]]]:
    """The identities of the fields of each part, by the identity of the table."""
    return {system.identities[name]: {part: {system.identities[identity_path(field)] for field in members}
                                      for part, members in parts(system, name).items()}
            for name, table in system.model.tables.items() if not table.abstract}


def matching(columns: RecordColumns) -> list[Select[Any]]:
    """Selects of the ids of records whose words match parameter `query`, within what the user may read."""
    return [_ids(ids, allowed) for ids, allowed in _readable_parts(columns)]


def among(columns: RecordColumns, words: CTE) -> list[Select[Any]]:
    """The same over words that were looked up for all tables: ids, and 1 where a title has all words, else 2."""
    found = []
    for ids, allowed in _readable_parts(columns):
        place = case((words.c.titled, 1), else_=2).label("place")
        one = select(words.c.record_id.label("id"), place).where(
            words.c.table_id.in_(columns.root.stored.type_ids), words.c.part.in_(ids))
        found.append(one if allowed is None else one.where(words.c.record_id.in_(allowed)))
    return found


def _readable_parts(columns: RecordColumns) -> list[tuple[list[int], Select[Any] | None]]:
    """The parts that the user may search, with the ids of the records in which they may; None: in all."""
    everywhere: list[int] = []
    found: list[tuple[list[int], Select[Any] | None]] = []
    for part, members in parts(columns.system, columns.root.table).items():
        masks = [_mask(columns, field) for field in members]
        if all(mask is True for mask in masks):
            everywhere.append(part)
        elif part != SHARED_PART and masks[0] is not False:
            own = RecordColumns(columns.system, columns.gate, columns.root.table)
            found.append(([part], select(own.root.id).where(as_condition(_mask(own, members[0])))))
    return [*found, (everywhere, None)] if everywhere else found


def index_queue(connection: Connection, system: System, limit: int = 500) -> int:
    """Bring the index up to date with up to `limit` entries of the queue; says how many there were."""
    connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    queue = tables.search_queue
    oldest = select(queue.c.id).order_by(queue.c.id).limit(limit)
    taken = connection.execute(
        delete(queue).where(queue.c.id.in_(oldest)).returning(queue.c.record_id, queue.c.table_id))
    by_table: dict[int, set[int]] = {}
    count = 0
    for record_id, table_id in taken:
        by_table.setdefault(table_id, set()).add(record_id)
        count += 1
    for table_id, ids in by_table.items():
        _index(connection, system, system.name_of(table_id) or "", sorted(ids))
    return count


def queue_all(connection: Connection, system: System, names: Iterable[str] | None = None) -> None:
    """Queue every record of some tables (or all), to build their index anew."""
    for name, table in system.model.tables.items():
        if not table.abstract and fields(system, name) and (names is None or name in names):
            stored = system.stored(name)
            ids = select(stored.column("id"), cast(stored.type_id, BigInteger), func.now()).where(
                stored.column("_type") == stored.type_id)
            connection.execute(insert(tables.search_queue).from_select(["record_id", "table_id", "queued_on"], ids))


def _index(connection: Connection, system: System, table: str, ids: list[int]) -> None:
    """Replace what the index has of some records; those that are gone or in the trash leave it."""
    rows = _rows(connection, system, table, ids) if table in system.model.tables else []
    there = {row["record_id"] for row in rows}
    wanted = parts(system, table) if there else {}
    index = tables.search
    connection.execute(delete(index).where(or_(
        index.c.record_id.in_([id for id in ids if id not in there]),
        and_(index.c.record_id.in_(ids), index.c.part.not_in(list(wanted))))))
    if rows:
        source = rowset({"record_id": BigInteger, "table_id": BigInteger, "part": Integer, "tsv": Text, "label": Text})
        new = insert(index).from_select(
            ["record_id", "table_id", "part", "tsv", "label"],
            select(source.c.record_id, source.c.table_id, source.c.part, cast(source.c.tsv, TSVECTOR), source.c.label))
        fresh = {name: new.excluded[name] for name in ("tsv", "label", "table_id")}
        connection.execute(new.on_conflict_do_update(index_elements=["record_id", "part"], set_=fresh), encode(rows))


def _rows(connection: Connection, system: System, table: str, ids: list[int]) -> list[dict[str, Any]]:
    """The rows of the index for the records that are there and not in the trash."""
    columns = RecordColumns(system, None, table)
    root = columns.root
    found = fields(system, table)
    chosen: list[ColumnElement[Any]] = [root.id, root.source.c["_type"], columns.title(root)]
    places: dict[str, slice] = {}
    for field in found:
        first = len(chosen)
        chosen += [columns.value((field.name, part) if part else (field.name,)) for part in field.type.searched]
        places[field.name] = slice(first, len(chosen))
    statement = select(*(c.label(f"c{n}") for n, c in enumerate(chosen))).select_from(columns.source).where(
        root.id.in_(ids), root.source.c["_deleted_on"].is_(None))
    titled = title_fields(system, table)
    rows = []
    for row in connection.execute(statement):
        values = {field.name: tuple(row[places[field.name]]) for field in found}
        for part, members in parts(system, table).items():
            rows.append({"record_id": row[0], "table_id": row[1], "part": part, "label": row[2] or "",
                         "tsv": _vector(members, values, titled)})
    return rows


def title_fields(system: System, table: str) -> frozenset[str]:
    """The fields of a table that its records are called by."""
    return system.cache.get(("title fields", table), lambda: frozenset(
        path.strip() for path in PLACE.findall(system.model.tables[table].display)))


def _vector(members: Sequence[Field], values: dict[str, tuple[Any, ...]], titled: frozenset[str]) -> str:
    titles: list[str] = []
    texts: list[str] = []
    numbers: list[str] = []
    for field in members:
        if values[field.name][0] is not None:
            found = field.type.words(values[field.name], field.properties)
            (titles if field.name in titled else texts).extend(text for text in found.texts if text)
            numbers += [number for number in found.numbers if number]
    return to_vector(texts, numbers, titles)


def _mask(columns: RecordColumns, field: Field) -> Any:
    gate = columns.gate
    if gate is None:
        return True
    if gate.hidden(columns.root.table, field.name) or (
            field.stored and not open_to(gate, columns.root.table, field)):
        return False
    return gate.mask(columns.root.table, field.name, columns.root.source)


def _ids(found_parts: list[int], within: Select[Any] | None = None) -> Select[Any]:
    """The ids of records whose words in some parts match, of all records or of those that a select gives."""
    index = tables.search.alias()
    query = cast(parameter("query", type_=Text), TSQUERY)
    ids = select(index.c.record_id).where(index.c.tsv.op("@@")(query), index.c.part.in_(found_parts))
    return ids if within is None else ids.where(index.c.record_id.in_(within))

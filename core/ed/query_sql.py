"""A query as one select: its source behind the gate, groups, columns, order; queries within queries are subselects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, cast, func, null, select, union_all

from core.definition.queries import Query
from core.definition.written_out import replaced
from core.ed.access import Gate
from core.ed.columns import RecordColumns, live
from core.ed.query_columns import Held, RowColumns, sort_key
from core.errors import Denied
from core.expression.nodes import GroupAggregate, Node, Path, Rows, shifted, walk
from core.expression.sql import compile_sql, sql_type
from core.expression.type_rules import unify
from core.types.base import Type

if TYPE_CHECKING:
    from core.definition.queries import Reading
    from core.ed.system import System

Element = ColumnElement[Any]


@dataclass
class Stage:
    """One stage of a query, made into one select: its columns and conditions, and the record of a row.

    `trees` are the columns of the query as expressions.
    """

    columns: RecordColumns | RowColumns
    where: list[ColumnElement[bool]]
    record: tuple[Element, Element]                     # id and type; empty where a row is no record
    apart: tuple[Element, ...] = ()                     # what tells rows apart
    trees: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """One column of a select."""

    name: str
    type: Type
    element: Element


@dataclass(frozen=True)
class Selected:
    """A query as a select that is not put together yet."""

    stage: Stage
    columns: tuple[Column, ...]             # without those that the user may not read
    order: tuple[Element, ...]              # with what makes it the same each time

    def select(self, *extra: Element) -> Select[Any]:
        """The select of its columns c0, c1 ... and the record behind each row, in no order."""
        chosen = [column.element.label(f"c{number}") for number, column in enumerate(self.columns)]
        id_, kind = self.stage.record
        chosen += [id_.label("record_id"), kind.label("record_type")]
        return select(*chosen, *extra).select_from(self.stage.columns.source).where(*self.stage.where)


class Builder:
    """Builds the selects of queries for one system and one gate."""

    def __init__(self, system: System, gate: Gate) -> None:
        self.system = system
        self.gate = gate

    def query(self, query: Query) -> Selected:
        """A query over its source; raises Denied if the user may not read what it needs."""
        stage = self._source(query, query.name)
        if query.group is not None:
            stage = self._grouped(query, stage)
        else:
            stage.trees = self._trees(query)
        found = self._selected(query, stage)
        return found if query.limit is None else self._first(query, found, query.limit)

    def _trees(self, query: Query) -> Mapping[str, Node]:
        """Its columns; for records without any, those of the table's list."""
        if query.results or query.table is None:
            return {name: query.tree(name) for name in query.results}
        paths = self.system.model.list_of(query.table).columns.values()
        trees = {column.name: query.path(column.path) for column in paths}
        return {name: tree for name, tree in trees.items() if isinstance(tree, Path) and tree.type.of != "file"}

    # The source

    def _source(self, reading: Reading, name: str) -> Stage:
        if reading.table is not None:
            records = RecordColumns(self.system, self.gate, reading.table)
            root = records.root
            stage = Stage(records, live(records), (root.id, root.source.c["_type"]), (root.id,))
        elif isinstance(reading, Query) and reading.parts:
            stage = _over_rows(self._union(name, reading.parts))
        elif reading.query is not None:
            below = self.query(reading.query)
            rank = func.row_number().over(order_by=list(below.order) or None).label("rank")
            rows = self._rows(f"query {reading.query.name}", below.select(rank), below.columns)
            stage = _over_rows(rows, rows.rows.c["rank"])
        for conditions in reading.conditions:
            stage.where.append(compile_sql(conditions.node, stage.columns, loose=True))
        return stage

    def _union(self, name: str, parts: Mapping[str, Reading]) -> RowColumns:
        """The rows of all parts; a column that the user may not read in one of them is in none."""
        types = {column: reduce(self._both, (part.tree(column).type for part in parts.values()))
                 for column in next(iter(parts.values())).given}
        found = [self._part(part, f"{name}.{key}") for key, part in parts.items()]
        readable = [{column.name: column.element for column in one.columns} for one in found]
        shown = [column for column in types if all(column in elements for elements in readable)]
        selects = []
        for one, elements in zip(found, readable, strict=True):
            columns = tuple(Column(column, types[column], cast(elements[column], sql_type(types[column])))
                            for column in shown)
            selects.append(replace(one, columns=columns).select())
        return self._rows(f"union {name}", union_all(*selects), [Column(c, types[c], null()) for c in shown])

    def _both(self, left: Type, right: Type) -> Type:
        return unify(left, right, self.system.model.names.is_kind_of) or left

    def _part(self, reading: Reading, name: str) -> Selected:
        stage = self._source(reading, name)
        stage.trees = {column: reading.tree(column) for column in reading.given}
        return Selected(stage, tuple(self._columns(stage, ())), ())

    def _rows(self, name: str, statement: Any, columns: Iterable[Column]) -> RowColumns:
        """A select as something to select from."""
        rows = statement.subquery()
        held = {column.name: Held(rows.c[f"c{number}"], column.type) for number, column in enumerate(columns)}
        return RowColumns(self.system, self.gate, name, rows, held)

    # Groups

    def _grouped(self, query: Query, stage: Stage) -> Stage:
        """The groups as a select of their own: keys and aggregates. Raises Denied for a key that may not be read."""
        keys = query.keys
        trees = {name: query.tree(name) for name in query.columns}
        having = query.written_out(query.having.node) if query.having is not None else None
        aggregates = _aggregates([*trees.values(), *([having] if having is not None else [])])
        grouped = [compile_sql(key, stage.columns) for key in keys]
        held = {f"k{number}": (key.type, element)
                for number, (key, element) in enumerate(zip(keys, grouped, strict=True))}
        for number, aggregate in enumerate(aggregates):
            try:
                held[f"a{number}"] = (aggregate.type, compile_sql(aggregate, stage.columns))
            except Denied:              # the columns that need it are left out
                continue
        folded = {f"k{number}": func.min(stage.columns.sort_value(key.names)) for number, key in enumerate(keys)
                  if isinstance(key, Path) and key.type.name == "text"}
        chosen = [element.label(name) for name, (_, element) in held.items()]
        chosen += [element.label(f"sort_{name}") for name, element in folded.items()]
        rows = select(*chosen).select_from(stage.columns.source).where(*stage.where).group_by(*grouped).subquery()
        columns = RowColumns(self.system, self.gate, f"query {query.name}", rows, {
            name: Held(rows.c[name], type, rows.c[f"sort_{name}"] if name in folded else None)
            for name, (type, _) in held.items()})
        over = _over_groups(keys, aggregates)
        found = Stage(columns, [], _no_record(), tuple(rows.c[f"k{number}"] for number in range(len(keys))),
                      {name: over(tree) for name, tree in trees.items()})
        if having is not None:
            found.where.append(compile_sql(over(having), columns, loose=True))
        return found

    # Columns and order

    def _selected(self, query: Query, stage: Stage) -> Selected:
        order = tuple(self._order(query, stage))
        return Selected(stage, tuple(self._columns(stage, order)), order)

    def _columns(self, stage: Stage, order: Sequence[Element]) -> Iterator[Column]:
        """The columns, without those that the user may not read in any row."""
        for name, tree in stage.trees.items():
            try:
                yield Column(name, tree.type, compile_sql(tree, stage.columns, order=order))
            except Denied:
                continue

    def _order(self, query: Query, stage: Stage) -> Iterator[Element]:
        """What rows are sorted by, and then what tells them apart, so that the order is always the same."""
        for entry in query.order:
            name = entry.removeprefix("-")
            tree = stage.trees.get(name)
            if tree is None:
                element = stage.columns.sort_value(tuple(name.split(".")))
            elif isinstance(tree, Path) and tree.names:
                element = stage.columns.sort_value(tree.names)
            else:
                element = sort_key(self.system, self.gate, tree.type, compile_sql(tree, stage.columns))
            yield element.desc().nulls_last() if entry.startswith("-") else element.asc().nulls_last()
        yield from stage.apart

    def _first(self, query: Query, found: Selected, limit: int) -> Selected:
        """The first rows only, as something to select from: no others count in what is worked out over all."""
        rank = func.row_number().over(order_by=list(found.order) or None).label("rank")
        statement = found.select(rank).order_by(*found.order).limit(limit)
        columns = self._rows(f"query {query.name}", statement, found.columns)
        stage = _over_rows(columns)
        stage.trees = {column.name: Path(type=column.type, level=0, names=(column.name,)) for column in found.columns}
        return Selected(stage, tuple(self._columns(stage, ())), (columns.rows.c["rank"],))


def _over_rows(columns: RowColumns, rank: Element | None = None) -> Stage:
    """A stage over rows that were selected before, in their order if they have one."""
    record = (columns.rows.c["record_id"], columns.rows.c["record_type"])
    single = [held.element for held in columns.held.values() if not held.type.many]
    return Stage(columns, [], record, (rank,) if rank is not None else (record[0], *single))


def _no_record() -> tuple[Element, Element]:
    return cast(null(), BigInteger), cast(null(), Integer)


def _aggregates(trees: Iterable[Node]) -> list[GroupAggregate]:
    """The aggregates in some trees, each once."""
    return list(dict.fromkeys(node for tree in trees for node in walk(tree) if isinstance(node, GroupAggregate)))


def _over_groups(keys: Sequence[Node], aggregates: Sequence[GroupAggregate]) -> Callable[[Node], Node]:
    """What a tree over the records of a group is over the columns k0, k1 ... and a0, a1 ... of the groups."""
    def change(node: Node, depth: int) -> Node | None:
        if isinstance(node, GroupAggregate) and not depth:
            return Path(type=node.type, size=node.size, level=0, names=(f"a{aggregates.index(node)}",))
        for number, key in enumerate(keys):
            if node == shifted(key, depth):
                return Path(type=node.type, size=node.size, level=depth, names=(f"k{number}",))
            if isinstance(key, Path) and isinstance(node, Path | Rows) and node.level == depth and _goes_on(node, key):
                names = (f"k{number}", *node.names[len(key.names):])
                if isinstance(node, Path):
                    return replace(node, names=names)
                where = replaced(node.where, change, depth + 1) if node.where is not None else None
                return replace(node, names=names, where=where)
        return None
    return lambda tree: replaced(tree, change)


def _goes_on(node: Path | Rows, key: Path) -> bool:
    """Whether a path goes on from the link that is a key."""
    if isinstance(node, Rows) and (node.everywhere or node.start is not None):
        return False
    return key.type.name == "link" and node.names[:len(key.names)] == key.names

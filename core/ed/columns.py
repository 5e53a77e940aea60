"""The fields of a record in SQL: paths become LEFT JOINs, and every use of a field passes the gate here.

Selecting, filtering, sorting, grouping, searching and expressions all ask `RecordColumns` for their columns, so a
value that the user may not read is nowhere: a field without any right is Denied, one that may be read in some
records only is `CASE WHEN may_read THEN column END`, and joins carry the read condition of the joined table.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    null,
    or_,
    select,
)
from sqlalchemy.sql.selectable import FromClause

from core.ed import relations, titles
from core.ed.access import Gate, Predicate, as_condition
from core.ed.formulas import open_to
from core.ed.schema import SYSTEM_COLUMNS, Stored, identity_path
from core.ed.statement import parameter
from core.ed.tables import typed
from core.errors import Denied
from core.types.base import Type
from core.types.link import tables_of

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.system import System
    from core.expression import Expression

Path = tuple[str, ...]
VARIABLES = {"today": Date(), "now": DateTime(timezone=True), "zone": Text(), "user": BigInteger()}


@dataclass(frozen=True, eq=False)
class Node:
    """A record within a select: its table, the alias it is read from, and when its values may be shown."""

    table: str
    stored: Stored
    source: FromClause
    path: Path
    gate: Gate | None               # None: nothing is asked (roles, rules, formulas that are granted themselves)
    shown: Predicate = True         # what the join does not see to by itself
    peeked: Predicate = False       # when the fields that the table lets peek are shown all the same

    @property
    def id(self) -> ColumnElement[int]:
        """The id of the record."""
        return self.source.c["id"]

    @property
    def seen(self) -> ColumnElement[bool]:
        """The condition that the user may know of the record: read it, or peek at it."""
        return as_condition(self.shown) if self.shown is True else or_(
            as_condition(self.shown), as_condition(self.peeked))


class RecordColumns:
    """The Columns protocol of expressions over one select from a table; joins are added as paths ask for them."""

    def __init__(self, system: System, gate: Gate | None, table: str, source: FromClause | None = None) -> None:
        stored = system.stored(table)
        alias = stored.table.alias() if source is None else source
        self.system = system
        self.gate = None if gate is not None and gate.open else gate
        self.root = Node(table, stored, alias, (), self.gate)
        self.right = "read"                     # the right on fields that values are given for, beside reading them
        self.in_base = False                    # amounts are given in base currency, in formulas too: to be added up
        self.source: FromClause = alias
        self.tables: list[FromClause] = [alias]
        self._nodes: dict[tuple[str, Path, bool], Node] = {}

    def peek(self) -> None:
        """Also show the fields that the table lets peek, of records that may only be peeked at."""
        root = self.root
        if self.gate is not None:
            shown = self.gate.predicate(root.table, "read", root.source)
            peeked = self.gate.predicate(root.table, "peek", root.source)
            self.root = Node(root.table, root.stored, root.source, (), self.gate, shown, peeked)

    # The Columns protocol

    def value(self, path: Path) -> ColumnElement[Any]:
        """The column of a field, through links; `amount.base` is a part of a field. Raises Denied."""
        return self.value_from(self.root, path)

    def related(self, path: Path) -> RelatedRecords:
        """The records of a lines or plural link field, or of a whole table for ("all", table). Raises Denied."""
        return self.related_from(self.root, path)

    def variable(self, path: Path) -> ColumnElement[Any]:
        """A variable as a parameter, or a field of the user's own record."""
        name = path[0]
        if name == "user" and len(path) > 1:
            mine = RecordColumns(self.system, self.gate, "user")
            value = mine.value(path[1:])
            allowed = as_condition(True if mine.gate is None else mine.gate.predicate("user", "read", mine.root.source))
            return (select(value).select_from(mine.source).where(mine.root.id == parameter("user", type_=BigInteger()))
                    .where(allowed).correlate_except(*mine.tables).scalar_subquery())
        return parameter("_".join(path), type_=self._setting(path[-1]) if name == "setting" else VARIABLES.get(name))

    def _setting(self, name: str) -> Any:
        field = self.system.model.settings[name].field
        return typed(field.type.parts(field.properties)[0].column)

    def kind(self, path: Path, table: str) -> ColumnElement[bool]:
        """Whether the record, or the one that a path leads to, is of a table or one under it."""
        return self.kind_from(self.root, path, table)

    # From any record of the select

    def value_from(self, node: Node, path: Path) -> ColumnElement[Any]:
        """The value of a path that starts at a record of this select."""
        if path in ((), ("id",)):
            return node.id
        while len(path) > 1:
            kind = self._type(node, path[0])
            if len(path) == 2 and kind.name == "any_link":
                return self._narrowed(node, path[0], path[1])
            if kind.name not in ("link", "any_link") or kind.many:
                if len(path) == 2:
                    return self.field(node, path[0], path[1])
                raise unknown(node.table, path[1])
            node, path = self._step(node, path)
        return self.field(node, path[0], "")

    def node(self, node: Node, path: Path) -> Node:
        """The record that a path of links leads to, joined."""
        while path:
            node, path = self._step(node, path)
        return node

    def part(self, path: Path, part: str) -> ColumnElement[Any]:
        """One of the columns that the field at the end of a path is kept in. Raises Denied."""
        return self.field(self.node(self.root, path[:-1]), path[-1], part)

    def related_from(self, node: Node, path: Path) -> RelatedRecords:
        """The set that a path leads to from a record of this select."""
        if len(path) == 2 and path[0] == "all":
            return RelatedRecords(RecordColumns(self.system, node.gate, path[1]), [])
        node = self.node(node, path[:-1])
        kind, field = self._type(node, path[-1]), self.definition(node, path[-1])
        if kind.of is None or field is None or field.formula is not None:
            raise unknown(node.table, path[-1])
        condition = self._mask(node, path[-1])
        belongs: ColumnElement[bool]
        inner = RecordColumns(self.system, node.gate, kind.of)
        inner.in_base = self.in_base
        if field.type.is_through:
            belongs = inner.root.id.in_(relations.others(self.system, node.gate, field, node.id))
        elif kind.name == "set":
            link = inner.root.stored.column(str(getattr(field.properties, "by", "")), source=inner.root.source)
            belongs = link == node.id
        else:
            belongs = inner.root.id == node.stored.column(path[-1], source=node.source).any_()
        return RelatedRecords(inner, [belongs] if condition is True else [belongs, as_condition(condition)])

    def kind_from(self, node: Node, path: Path, table: str) -> ColumnElement[bool]:
        """Whether the record that a path leads to is of a table or one under it."""
        linked = self.end_type(node.table, path) if path else None
        if linked is not None and linked.name == "any_link":
            return self._is_one_of(node, path, linked, table)
        node = self.node(node, path)
        found: ColumnElement[bool] = node.source.c["_type"].in_(self.system.stored(table).type_ids)
        return func.coalesce(found if node.shown is True else and_(found, node.seen), False)

    def title(self, node: Node) -> ColumnElement[Any]:
        """What stands for a record: its table's `display`; empty where nothing of it may be read."""
        return titles.title(self, node)

    def sort_value(self, path: Path) -> ColumnElement[Any]:
        """What lists sort by: the folded key of a text, the title of a linked record, else the value."""
        return titles.sort_value(self, path)

    def type_of(self, path: Path) -> Type | None:
        """The type at the end of a path, by the Model alone."""
        return self.end_type(self.root.table, path)

    def linked_ids(self, path: Path) -> ColumnElement[Any]:
        """The ids that links through a table between lead to, as an array. Raises Denied."""
        node = self.node(self.root, path[:-1])
        field, shown = self.definition(node, path[-1]), self._mask(node, path[-1])
        if field is None or not field.type.is_through:
            raise unknown(node.table, path[-1])
        found = relations.other_ids(self.system, node.gate, field, node.id)
        return found if shown is True else case((as_condition(shown), found))

    def nodes_of_any(self, path: Path, start: Node | None = None) -> list[Node]:
        """The records that a link to several tables may lead to, joined: of those tables that the user may see."""
        found, kind = [], self.end_type((start or self.root).table, path)
        for table in tables_of(kind) if kind is not None else ():
            with suppress(Denied):
                found.append(self.node(start or self.root, (*path, table)))
        return found

    # How

    def _step(self, node: Node, path: Path) -> tuple[Node, Path]:
        """Follow the first link of a path: with the table after it, if it is to several; the rest of the path."""
        if self._type(node, path[0]).name != "any_link":
            return self._join(node, path[0]), path[1:]
        if len(path) < 2:
            raise unknown(node.table, path[0])
        return self._join(node, path[0], path[1]), path[2:]

    def _narrowed(self, node: Node, name: str, table: str) -> ColumnElement[Any]:
        """A link to several tables, or to any, where it leads to one of them."""
        kind = self._type(node, name)
        if self.system.model.names.member(kind.of or "", table) is None:
            raise unknown(node.table, name)
        if tables_of(kind):
            return self.field(node, name, table)
        of = self.field(node, name, "table").in_(self.system.stored(table).type_ids)
        return case((of, self.field(node, name, "")))

    def _is_one_of(self, node: Node, path: Path, kind: Type, table: str) -> ColumnElement[bool]:
        """Whether a link to several tables, or to any, leads to a record of one of them, or of a kind of it."""
        names = self.system.model.names
        found: list[ColumnElement[bool]] = []
        for target in tables_of(kind) or (table,):
            if names.is_kind_of(target, table):
                found.append(self.value_from(node, (*path, target)).is_not(None))
            elif names.is_kind_of(table, target):
                found.append(self.kind_from(node, (*path, target), table))
        return func.coalesce(or_(*found), False) if found else false()

    def definition(self, node: Node, name: str) -> Field | None:
        """A field of a record as the Model has it, whoever may read it."""
        return self.system.model.field(node.table, name)

    def _type(self, node: Node, name: str) -> Type:
        kind = self.system.model.names.member(node.table, name)
        if kind is None:
            raise unknown(node.table, name)
        return kind

    def _join(self, node: Node, name: str, narrowed: str = "") -> Node:
        step = (name, narrowed) if narrowed else (name,)
        key = (node.table, (*node.path, *step), node.gate is None)
        if key not in self._nodes:
            self._nodes[key] = self._new_join(node, step)
        return self._nodes[key]

    def _new_join(self, node: Node, step: Path) -> Node:
        name = step[0]
        kind = self._type(node, name) if len(step) == 1 else Type("link", step[1])
        if kind.name != "link" or kind.many or kind.of is None or kind.of not in self.system.model.tables:
            raise unknown(node.table, name)
        link = self.field(node, name, "") if len(step) == 1 else self._narrowed(node, name, step[1])
        stored = self.system.stored(kind.of)
        alias = stored.table.alias()
        shown: Predicate = True
        peeked: Predicate = False
        if node.gate is not None:
            shown = node.gate.predicate(kind.of, "read", alias)
            if shown is not True and self.system.model.tables[kind.of].peek:
                peeked = node.gate.predicate(kind.of, "peek", alias)
        if shown is False and peeked is False:
            raise unknown(node.table, name)
        on = alias.c["id"] == link
        if peeked is False and shown is not True:
            on, shown = and_(on, as_condition(shown)), True
        self.source = self.source.outerjoin(alias, on)
        self.tables.append(alias)
        return Node(kind.of, stored, alias, (*node.path, *step), node.gate, shown, peeked)

    def field(self, node: Node, name: str, part: str) -> ColumnElement[Any]:
        """A field of a record behind its gate; formulas are expanded and read no more than the user may."""
        field = self.definition(node, name)
        if field is None and name not in SYSTEM_COLUMNS:
            raise unknown(node.table, name)
        shown = self._mask(node, name)
        if field is not None and field.formula is not None and not self.keeps(node, field):
            if part and not field.stored:
                raise unknown(name, part)
            value = self._formula(node, field, field.formula)
            if field.stored:                    # of its parts only the one to sort by can be had
                value = as_kept(field, value) if not part else func.lower(value) if part == "key" else null()
        else:
            if self.in_base and not part and field is not None and field.type.name == "money":
                part = "base"
            try:
                value = node.stored.column(name, part, node.source)
            except KeyError:
                raise unknown(node.table, name if not part else f"{name}.{part}") from None
        return value if shown is True else case((as_condition(shown), value))

    def keeps(self, node: Node, field: Field) -> bool:
        """Whether a stored formula is read as it is stored; else it is worked out from what the user may read."""
        if not field.stored or self.system.storage(identity_path(field)) in self.system.pending:
            return False
        return node.gate is None or open_to(node.gate, node.table, field)

    def _formula(self, node: Node, field: Field, formula: Expression) -> ColumnElement[Any]:
        granted = node.gate is not None and node.gate.says(node.table, field.name)
        inner = node if not granted else Node(node.table, node.stored, node.source, node.path, None)
        return formula.sql(From(self, inner))

    def _mask(self, node: Node, name: str) -> Predicate:
        """When the field of a record is shown; raises Denied where it never is."""
        shown = self._shown(node, name)
        if self.right == "read" or node.gate is None:
            return shown
        also = node.gate.limit(node.table, name, self.right, node.source)
        if also is False:
            raise unknown(node.table, name)
        return shown if also is True else and_(as_condition(shown), as_condition(also))

    def _shown(self, node: Node, name: str) -> Predicate:
        gate = node.gate
        if gate is None:
            return True
        peeks = node.peeked is not False and name in self.system.model.tables[node.table].peek
        if peeks and node.peeked is True:
            return True
        hidden = gate.hidden(node.table, name)
        if hidden and not peeks:
            raise unknown(node.table, name)
        own: Predicate = False if hidden else gate.mask(node.table, name, node.source)
        if node.shown is not True and own is not False:
            own = as_condition(node.shown) if own is True else and_(as_condition(node.shown), as_condition(own))
        if not peeks or own is True:
            return own
        return node.peeked if own is False else or_(as_condition(own), as_condition(node.peeked))

    def end_type(self, table: str, path: Path) -> Type | None:
        """The type at the end of a path from a table, by the Model alone."""
        kind = None
        for name in path:
            kind = self.system.model.names.member(table, name)
            if kind is None:
                return None
            table = kind.of or ""
        return kind


class From:
    """The Columns protocol as seen from one joined record, for the formulas of its table."""

    def __init__(self, columns: RecordColumns, node: Node) -> None:
        self._columns = columns
        self._node = node

    def value(self, path: Path) -> ColumnElement[Any]:
        """The value of a path from that record."""
        return self._columns.value_from(self._node, path)

    def related(self, path: Path) -> RelatedRecords:
        """The set at a path from that record."""
        return self._columns.related_from(self._node, path)

    def variable(self, path: Path) -> ColumnElement[Any]:
        """A variable; the same from anywhere."""
        return self._columns.variable(path)

    def kind(self, path: Path, table: str) -> ColumnElement[bool]:
        """Whether the record at a path is of a table."""
        return self._columns.kind_from(self._node, path, table)


class RelatedRecords:
    """The Related protocol: a set of records correlated with the record around it, as far as the user may read it."""

    def __init__(self, columns: RecordColumns, conditions: list[ColumnElement[bool]]) -> None:
        self._columns = columns
        self._conditions = [*conditions, *live(columns)]

    @property
    def columns(self) -> RecordColumns:
        """The columns of one record of the set."""
        return self._columns

    def select(self, value: ColumnElement[Any], where: ColumnElement[bool] | None = None,
               order: Sequence[ColumnElement[Any]] = (), limit: int | None = None) -> Select[Any]:
        """A select over the set; call it after all paths within were asked for."""
        statement = select(value).select_from(self._columns.source).where(*self._conditions)
        if where is not None:
            statement = statement.where(where)
        if order:
            statement = statement.order_by(*order)
        if limit is not None:
            statement = statement.limit(limit)
        return statement.correlate_except(*self._columns.tables)


def as_kept(field: Field, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """What a stored formula gives, as its field keeps it: with its decimals, an empty text as none."""
    scale = getattr(field.properties, "scale", None)
    if isinstance(scale, int) and field.expression_type.name in ("decimal", "money", "percent"):
        return func.round(cast(value, Numeric), scale)
    if field.expression_type.name == "integer":
        return cast(func.round(cast(value, Numeric)), BigInteger)
    return func.nullif(value, "") if field.expression_type.name == "text" else value


def live(columns: RecordColumns, *, trash: bool = False, right: str = "read") -> list[ColumnElement[bool]]:
    """The conditions that a select reads rows of its own table, outside the trash, that the user may read.

    Raises Denied if there can be none.
    """
    root = columns.root
    deleted = root.source.c["_deleted_on"]
    own = root.stored.own_rows(root.source)
    conditions: list[ColumnElement[bool]] = [deleted.is_not(None) if trash else deleted.is_(None)]
    if own is not None:
        conditions.append(own)
    if columns.gate is not None:
        if not columns.gate.may(root.table, right):
            raise Denied('There is no table "{table}", or you may not read it.', table=root.table)
        allowed = columns.gate.predicate(root.table, right, root.source)
        if allowed is not True:
            conditions.append(as_condition(allowed))
    return conditions


def plain_columns(system: System, stored: Stored) -> RecordColumns:
    """The columns of the physical table itself, without any gate: for conditions of indexes."""
    return RecordColumns(system, None, stored.definition.name, stored.table)


def unknown(table: str, name: str) -> Denied:
    """The error for a field that is not there or may not be read: the same for both."""
    return Denied('There is no field "{name}" on "{table}", or you may not read it.', name=name, table=table)


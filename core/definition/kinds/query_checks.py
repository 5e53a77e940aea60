"""What must hold of a query: names and types, groups, order, and parts of a union that fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace

from core.definition.building import Building
from core.definition.kinds.parameters import check_parameters
from core.definition.names import suggestion
from core.definition.queries import Conditions, Query, QueryColumn, Reading
from core.definition.scope import Written
from core.definition.tables import Field
from core.definition.values import BodyPath, Merged
from core.expression import ExpressionError
from core.expression.nodes import INSIDE, GroupAggregate, Node, Path, Rows, Running, walk
from core.expression.type_rules import SUMMABLE, describe, unify

TAKEN = frozenset({"json", "csv", "limit", "offset", "help"})     # options of the command `query` and of the API


def check(merged: Merged, query: Query, building: Building) -> None:
    """Tell every problem of a query."""
    if ("table", query.name) in building.merged:
        building.tell(merged, (), f'query "{query.name}" is called like a table: lists and queries could not tell them '
                                  "apart")
    own = {name: field for name, field in query.parameters.items()
           if field.path.startswith(f"query {query.name}.")}
    check_parameters(building, merged, ("parameters",), query.parameters)
    _check_own(merged, own, building)
    for name, part in query.parts.items():
        _check_reading(merged, ("union", name), part, building)
    _check_reading(merged, (), query, building)
    _check_shape(merged, query, building)
    if _sound(*query.parts.values()):
        _check_union(merged, query, building)
    if _sound(*query.parts.values(), query):
        _check_columns(merged, query, building)
        if query.group is not None:
            _check_group(merged, query, building)
        _check_order(merged, query, building)


def _check_own(merged: Merged, own: Mapping[str, Field], building: Building) -> None:
    """Names that are free; a default is worked out before the database is asked."""
    for name, field in own.items():
        if name in TAKEN:
            building.tell(merged, ("parameters", name), f'a parameter cannot be called "{name}": it is an option of '
                          "every query")
        default = field.written.get("default")
        if isinstance(field.written.get("required"), Written):
            building.tell(merged, ("parameters", name, "required"), "true or false is expected: only what an agent "
                          "asks is required under a condition")
        try:
            if isinstance(default, Written) and default.expression.needs_database:
                building.tell(merged, ("parameters", name, "default"), "a default cannot ask for records")
        except ExpressionError:             # told already
            pass


def _check_reading(merged: Merged, at: BodyPath, reading: Reading, building: Building) -> None:
    """What is read: the source, conditions and columns by themselves."""
    if reading.of:
        building.find(merged, (*at, "of"), "table" if reading.query is None else "query", reading.of)
    if reading.query is not None and not reading.query.chooses and not reading.query.results:
        return                              # told where that query stands
    _check_conditions(merged, reading.where, building)
    for column in reading.columns.values():
        if not _goes_through_lines(merged, column, reading.source, building) and not _needs_group(
                merged, column, building):
            building.check(merged, column.at, column.written)
    try:
        large = reading.overgrown()
    except ExpressionError:                 # told already
        return
    if large is not None:
        building.tell(merged, large.at, f'column "{large.name}" grows too large with the columns that it uses')


def _check_conditions(merged: Merged, conditions: Conditions | None, building: Building) -> None:
    for one in conditions.each() if conditions is not None else ():
        building.check(merged, one.at, one.written)


def _needs_group(merged: Merged, column: QueryColumn, building: Building) -> bool:
    """Tell of an aggregate where nothing is grouped."""
    if column.written.over != "record" or "(" not in column.written.source:
        return False
    try:
        _ = column.written.expression
    except ExpressionError:
        try:
            grouped = replace(column.written, over="group").expression
        except ExpressionError:
            return False
        building.tell(merged, column.at, f'"{grouped.source}" is worked out over several rows: it needs "group", or '
                      '"group: []" for one row of everything')
        return True
    return False


def _goes_through_lines(merged: Merged, column: QueryColumn, source: str, building: Building) -> bool:
    """Tell of a path with several records on its way: each would be a row, and all else would be counted twice."""
    parts = column.written.source.strip().split(".")
    current: str | None = source
    for number, part in enumerate(parts):
        kind = building.names.member(current, part) if current is not None and part.isidentifier() else None
        if kind is None:
            return False
        if (kind.name == "set" or kind.many) and (number < len(parts) - 1 or kind.name == "set"):
            several = ".".join(parts[:number + 1])
            building.tell(merged, column.at, f'"{several}" are several records for each row, so that '
                          f'"{column.written.source}" is no single value: use an aggregate such as '
                          f"{_example(parts, number)}, or read {kind.of}")
            return True
        current = kind.of
    return False


def _example(parts: list[str], number: int) -> str:
    return f"sum({'.'.join(parts)})" if number < len(parts) - 1 else f"count({'.'.join(parts)})"


def _check_shape(merged: Merged, query: Query, building: Building) -> None:
    """Properties that need each other."""
    if query.having is not None and query.group is None:
        building.tell(merged, ("having",), '"having" keeps groups: it needs "group"; conditions on records are "where"')
    for word in ("group", "limit"):
        if not query.results and word in merged.body:
            building.tell(merged, (word,), f'with "{word}" a query gives rows: it needs "columns"')
    below = query.query
    if below is not None and not below.chooses and not below.results:
        building.tell(merged, ("of",), f'query "{below.name}" has no columns to read')


def _sound(*readings: Reading) -> bool:
    """Whether all columns are right by themselves, so that more can be said of them together."""
    try:
        for reading in readings:
            for name in reading.given:
                reading.tree(name)
    except ExpressionError:
        return False
    return True


def _check_columns(merged: Merged, query: Query, building: Building) -> None:
    for column in query.columns.values():
        place = column.at if column.at[-1:] != ("is",) else column.at[:-1]
        kind = column.type
        if kind.name == "null":
            building.tell(merged, column.at, f'column "{column.name}" is always empty: nobody can say of what type')
        if kind.name == "any_link":
            building.tell(merged, column.at, f'"{column.name}" may lead to several tables: name one, such as '
                                             f"{column.name}.user")
        if kind.of == "file" and kind.name == "link":
            building.tell(merged, column.at, f'"{column.name}" is a file: files cannot be columns of a query')
        if column.total and any(isinstance(part, Running) for part in walk(column.node)):
            building.tell(merged, (*place, "total"), f'"{column.name}" is a running value: it has no total')
        elif column.total not in (None, "count") and (kind.name not in SUMMABLE or kind.many):
            building.tell(merged, (*place, "total"), f'"{column.name}" is {describe(kind)}: only "count" can stand '
                                                     "below it")
    if query.results and all(column.hidden for column in query.results.values()):
        building.tell(merged, ("columns",), "all columns are hidden: people would see nothing")


def _check_union(merged: Merged, query: Query, building: Building) -> None:
    """The same columns in all parts, with values that go together."""
    if not query.parts:
        return
    (first_name, first), *others = query.parts.items()
    if not first.given:
        building.tell(merged, ("union", first_name), "a part of a union needs columns")
    for name, part in others:
        place = ("union", name, "columns")
        for missing in first.given.keys() - part.given.keys():
            building.tell(merged, place, f'column "{missing}" of "{first_name}" is missing here: all parts of a union '
                          "have the same columns" + suggestion(missing, part.given))
        for more in part.given.keys() - first.given.keys():
            building.tell(merged, part.given[more].at if more in part.columns else place,
                          f'column "{more}" is not in "{first_name}": all parts of a union have the same columns'
                          + suggestion(more, first.given))
    for column in first.given:
        _check_meeting(merged, query, column, building)


def _check_meeting(merged: Merged, query: Query, column: str, building: Building) -> None:
    """A column's types in all parts, taken together one by one."""
    found = None
    for name, part in query.parts.items():
        one = part.given.get(column)
        if one is None:
            return
        met = one.type if found is None else unify(found, one.type, building.names.is_kind_of)
        if met is None:
            building.tell(merged, one.at if column in part.columns else ("union", name),
                          f'column "{column}" is {describe(one.type)} here, but {describe(found or one.type)} in the '
                          "parts before: their rows do not fit together")
            return
        found = met
    if found is not None and found.name == "null":
        building.tell(merged, ("union",), f'column "{column}" is empty in all parts: nobody can say of what type')


def _check_group(merged: Merged, query: Query, building: Building) -> None:
    """The keys, and that all else is an aggregate."""
    for index, name in enumerate(query.group or ()):
        if _is_field(query, name):
            building.field(merged, ("group", index), query.source, name)
        elif name not in query.columns and _path_node(query, name) is None \
                and _has_former(merged, ("group", index), query, name, building):
            return
    keys = group_nodes(query, lambda index, message: building.tell(merged, ("group", index), message), building)
    for name, column in query.columns.items():
        if name in (query.group or ()):
            continue
        _check_grouped(merged, column.at, column.node, query, keys, building)
    for one in query.having.each() if query.having is not None else ():
        building.check(merged, one.at, one.written)
        try:
            node = one.written.expression.node
        except ExpressionError:
            continue
        _check_grouped(merged, one.at, node, query, keys, building)


def _has_former(merged: Merged, path: BodyPath, query: Query, name: str, building: Building) -> bool:
    """Whether a name is the former one of a column, or a path in which fields have former names."""
    if query.table is not None and building.names.renames.path(query.table, name) is not None:
        return building.field(merged, path, query.table, name) is not None
    return building.now_in(merged, path, name, query.columns)


def group_nodes(query: Query, tell: Callable[[int, str], None], building: Building) -> list[Node]:
    """What is grouped by: columns, and paths of the source."""
    found: list[Node] = []
    for index, name in enumerate(query.group or ()):
        node = query.node(name) if name in query.columns else _path_node(query, name)
        if node is None:
            tell(index, f'"{name}" is neither a column nor a field of what is read'
                 + suggestion(name, (*query.columns, *building.names.members(query.source))))
        elif node.type.name == "set" or node.type.many:
            tell(index, f'"{name}" holds several values: nothing can be grouped by it')
        elif any(isinstance(part, GroupAggregate | Running) for part in walk(node)):
            tell(index, f'"{name}" is worked out over a group: nothing can be grouped by it')
        else:
            found.append(node)
    return found


def _is_field(query: Query, name: str) -> bool:
    """Whether a name means a field or path of the source: by itself, or as the column that is called like it."""
    column = query.columns.get(name)
    return _path_node(query, name) is not None and (column is None or column.written.source == name)


def _path_node(query: Query, path: str) -> Node | None:
    try:
        node = query.path(path)
    except ExpressionError:
        return None
    return node if isinstance(node, Path) else None


def _check_grouped(merged: Merged, at: BodyPath, node: Node, query: Query, keys: list[Node],
                   building: Building) -> None:
    """Tell the first thing that differs within a group."""
    try:
        loose = plain(query.written_out(node), keys)
    except ExpressionError:
        return
    if loose is not None:
        name = ".".join(loose.names) or "record"
        if name in query.columns and query.columns[name].node != loose:
            building.tell(merged, at, f'"{name}" means the field here, not the column that is called like it: give '
                                      "that column another name")
            return
        building.tell(merged, at, f'"{name}" is neither grouped nor aggregated: add it to "group", or use '
                                  f"sum({name}), max({name}) ...")


def plain(node: Node, keys: Collection[Node], depth: int = 0) -> Path | Rows | None:
    """The first path of a tree that is no key, follows no key and stands in no aggregate of the group."""
    if depth == 0 and (node in keys or isinstance(node, GroupAggregate)):
        return None
    if isinstance(node, Path | Rows) and node.level == depth and not (
            isinstance(node, Rows) and (node.everywhere or node.start is not None)) and not _follows(node, keys):
        return node
    inside = INSIDE.get(type(node), ())
    for each in fields(node):
        value = getattr(node, each.name)
        below = depth + (each.name in inside)
        for part in value if isinstance(value, tuple) else (value,):
            found = plain(part, keys, below) if isinstance(part, Node) else None
            if found is not None:
                return found
    return None


def _follows(node: Path | Rows, keys: Collection[Node]) -> bool:
    """Whether a path goes on from a link that is grouped by, so that it is one value for each group."""
    return any(isinstance(key, Path) and key.type.name == "link" and not key.type.many
               and node.names[:len(key.names)] == key.names and len(key.names) <= len(node.names) for key in keys)


def _check_order(merged: Merged, query: Query, building: Building) -> None:
    for index, entry in enumerate(query.order):
        name = entry.removeprefix("-")
        if name in query.results:
            kind = query.member(name)
            if _is_field(query, name):          # whoever renames the field renames the column, and this
                building.field(merged, ("order", index), query.source, name)
        elif query.group is not None:
            if not building.now_in(merged, ("order", index), name, query.results):
                building.tell(merged, ("order", index), f'there is no column "{name}" to sort by'
                              + suggestion(name, query.results))
            continue
        else:
            node = _path_node(query, name)
            if node is None and _has_former(merged, ("order", index), query, name, building):
                continue
            if node is None:
                building.tell(merged, ("order", index), f'"{name}" is neither a column nor a field of what is read'
                              + suggestion(name, (*query.results, *building.names.members(query.source))))
                continue
            kind = building.field(merged, ("order", index), query.source, name) if query.table else node.type
        if kind is not None and (kind.name == "set" or kind.many):
            building.tell(merged, ("order", index), f'"{name}" holds several values: nothing can be sorted by it')

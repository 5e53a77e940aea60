"""What the records say against a change: counted, with a few of them, before anything is done.

Only what the change touches is looked at, by plain selects with an end of time. A table too large for it is estimated
from a part of its pages, and the finding says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Connection, any_, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from core.bm.changes import fill_expressions, retyping
from core.bm.changes.rename_questions import FILLED
from core.bm.changes.required import EMPTY, MAY_BE_EMPTY, Required, newly_required
from core.bm.changes.value_questions import HOLDS
from core.bm.inputs.facts import DUPLICATES, GIVEN, LONGER, ORPHANS, SAMPLES, VIOLATES, Finding, Sample, in_time
from core.bm.versions import choice_values, live
from core.bm.versions.diff import former_name
from core.bm.versions.homes import foreign_roots, home
from core.ed.columns import RecordColumns
from core.ed.session import Session
from core.ed.system import System
from core.ed.titles import title
from core.expression import Expression, ExpressionError, check

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Field, Model, Table, Unique

ESTIMATED_ROWS = 50_000         # how many of a large table are looked at instead
SHARING = 3                     # of the records that share a value, so many are named
LONGEST_VALUE = 40
Where = Callable[[RecordColumns], ColumnElement[bool]]


@dataclass(frozen=True)
class Look:
    """What is counted: records of a table of the base that meet a condition; with `equal`, values that some share."""

    what: str
    name: str
    table: str
    where: Where
    trash: bool = True                          # whether records in the trash count
    equal: tuple[Field, ...] = ()


def look(connection: Connection, way: Way) -> dict[tuple[str, str], Finding]:
    """All that the records say against a change. Reads only; waits for nobody longer than a moment."""
    if way.base.model is None or way.target.model is None or way.base.version is None:
        return {}
    system = _system(connection, way)
    found: dict[tuple[str, str], Finding] = {}
    for one in looks(way):
        key = (one.what, one.name)
        new = _count(connection, system, one, way.facts.rows)
        if new:
            found[key] = new.and_also(found.get(key))
    return {**found, **retyping.look(connection, way, system), **fill_expressions.look(connection, way, system)}


def looks(way: Way) -> Iterator[Look]:
    """What a change asks of the records."""
    for maker in (_empty, _filled, _longer, _duplicates, _orphans, _holds, _violates, _given):
        yield from maker(way)


def _system(connection: Connection, way: Way) -> System:
    base, (model, _) = way.base, way.models
    foreign = foreign_roots(way.facts.homes, model, base.identities, base.storages)
    return System(base.version or 0, model, base.identities, way.facts.physical, None, foreign,
                  live.pending(connection), base.storages)


# What is counted

def _fields(way: Way) -> Iterator[tuple[str, Field, Field]]:
    """The stored fields that are in both: the path in the target, before, after."""
    base, target = way.models
    for table in target.tables.values():
        for after in table.own.values():
            former = way.former(f"{table.name}.{after.name}")
            before = base.field(*former.split(".")) if former is not None else None
            if before is not None and not before.virtual and not after.virtual:
                yield f"{table.name}.{after.name}", before, after


def _empty(way: Way) -> Iterator[Look]:
    """Records without a value in what becomes required; all of them where the field is new."""
    base, _ = way.models
    for one in newly_required(way.base, way.target):
        if _returns(way, one):
            continue                            # what returns has its values
        if one.former is not None and one.former.virtual:
            continue
        when = None if one.always else _past(base, one.before, one.field.required, "boolean")
        if one.always or when is not None:
            yield Look(EMPTY if one.always else MAY_BE_EMPTY, one.path, one.before, _without(one, when))


def _returns(way: Way, one: Required) -> bool:
    path = f"{one.field.table}.{one.field.name}"
    there = path in way.facts.returned or way.target.storage(path) in {storage for storage, _ in way.facts.physical}
    return there and way.target.identities[path] in way.target.returning \
        and home(way.base, one.before) == home(way.target, one.table)


def _without(one: Required, when: Expression | None) -> Where:
    def where(columns: RecordColumns) -> ColumnElement[bool]:
        condition = true() if one.former is None else _column(columns, one.former).is_(None)
        return condition if when is None else condition & when.where(columns)
    return where


def _filled(way: Way) -> Iterator[Look]:
    """Values that go out of sight."""
    base, _ = way.models
    left = set(way.base.identities.values()) - set(way.target.identities.values())
    for identity in sorted(left):
        path = way.base.names[identity]
        table, dot, name = path.partition(".")
        one = base.field(table, name) if dot else None
        if not dot:
            yield Look(FILLED, path, table, lambda columns: true())
        elif one is not None and not one.virtual:
            yield Look(FILLED, path, table, _has_value(one))


def _has_value(one: Field) -> Where:
    return lambda columns: _column(columns, one).is_not(None)


def _longer(way: Way) -> Iterator[Look]:
    """Values that a lowered `max` or `scale` does not allow."""
    for path, before, after in _fields(way):
        if before.type.name != after.type.name or before.many or after.many:
            continue
        for key in ("max", "scale"):
            old, new = getattr(before.properties, key, None), getattr(after.properties, key, None)
            if new is not None and (old is None or new < old) and before.type.name != "tags":
                yield Look(LONGER, f"{path}.{key}", before.table, _beyond(before, key, new))


def _beyond(one: Field, key: str, most: Any) -> Where:
    is_text = one.type.parts(one.properties)[0].column == "text"

    def where(columns: RecordColumns) -> ColumnElement[bool]:
        column: ColumnElement[Any] = _column(columns, one)
        if key == "scale":
            column = func.scale(func.trim_scale(column))
        elif is_text:
            column = func.char_length(column)
        return column > literal(most)
    return where


def _duplicates(way: Way) -> Iterator[Look]:
    """Groups of records that are equal in what is to be unique, as the index sees them: the trash left out."""
    base, target = way.models
    for table in target.tables.values():
        before = way.former(table.name)
        for unique in table.unique.values() if before is not None else ():
            fields = tuple(one for name in unique.fields if (one := _in_base(way, table, name)) is not None)
            whole = before is not None and len(fields) == len(unique.fields)
            if before is not None and whole and not _unique_before(way, base.tables[before], table, unique):
                where = None if unique.where is None else _past(base, before, unique.where, "boolean")
                if unique.where is None or where is not None:
                    yield Look(DUPLICATES, f"{table.name}.{unique.name}", before, _conditions(where, fields),
                               trash=False, equal=fields)


def _in_base(way: Way, table: Table, name: str) -> Field | None:
    """The field as the base has it, if its values stay where they are."""
    base, _ = way.models
    one = table.fields[name]
    path = f"{one.table}.{one.name}"
    former = way.former(path)
    if former is None or way.base.storage(former) != way.target.storage(path):
        return None
    found = base.field(*former.split("."))
    return found if found is not None and not found.virtual else None


def _unique_before(way: Way, before: Table, after: Table, unique: Unique) -> bool:
    """Whether the base keeps the same rule, under whatever name."""
    def said(of: dict[str, int], table: Table, one: Unique) -> tuple[object, str]:
        return [of[f"{table.fields[name].table}.{name}"] for name in one.fields], one.where.source if one.where else ""
    wanted = said(dict(way.target.identities), after, unique)
    return any(said(dict(way.base.identities), before, one) == wanted for one in before.unique.values())


def _conditions(when: Expression | None, fields: Iterable[Field]) -> Where:
    def where(columns: RecordColumns) -> ColumnElement[bool]:
        result: ColumnElement[bool] = true() if when is None else when.where(columns)
        for one in fields:
            result = result & _column(columns, one).is_not(None)
        return result
    return where


def _orphans(way: Way) -> Iterator[Look]:
    """Links that lead to records which the field may not lead to any more."""
    base, _ = way.models
    for path, before, after in _fields(way):
        if before.type.name != "link" or after.type.name != "link":
            continue
        allowed = _kinds(way, after)
        for name in before.targets:
            lost = _ids(way, base, name) - allowed
            if lost:
                yield Look(ORPHANS, path, before.table, _links_to(before, name, lost))


def _kinds(way: Way, one: Field) -> set[int]:
    """The identities of the tables that a link may lead to, with those under them."""
    _, target = way.models
    return {way.target.identities[kind] for name in one.targets if name in target.tables
            for kind in (name, *target.tables[name].kinds)}


def _ids(way: Way, model: Model, table: str) -> set[int]:
    kinds = (table, *model.tables[table].kinds) if table in model.tables else ()
    return {way.base.identities[kind] for kind in kinds}


def _links_to(one: Field, table: str, types: set[int]) -> Where:
    def where(columns: RecordColumns) -> ColumnElement[bool]:
        stored = columns.system.stored(table)
        other = stored.table.alias()
        column = columns.root.stored.column(one.name, table if len(one.targets) > 1 else "", columns.root.source)
        match = other.c["id"] == (any_(column) if one.many else column)
        return select(other.c["id"]).where(match, other.c["_type"].in_(sorted(types))).exists()
    return where


def _holds(way: Way) -> Iterator[Look]:
    """Records that hold a value which is no more."""
    for kind, name, value in choice_values.removed(way.base, way.target):
        for one in _holders(way.base, former_name(kind, name, way.base, way.target) or name, kind):
            yield Look(HOLDS, f"{name}.{value}", one.table, _is_value(one, value))


def _holders(base: State, name: str, kind: str) -> Iterator[Field]:
    """The fields of the base that hold values of choices, or states of a workflow."""
    model, body = base.model, base.definitions[kind, name]
    state = (body.get("of"), body.get("field") or "state")
    for table in model.tables.values() if model is not None else ():
        for one in table.own.values():
            held = kind == "choices" and one.type.name == "choice" and getattr(one.properties, "of", None) == name
            if not one.virtual and (held or (kind == "workflow" and (table.name, one.name) == state)):
                yield one


def _is_value(one: Field, value: str) -> Where:
    def where(columns: RecordColumns) -> ColumnElement[bool]:
        column = _column(columns, one)
        return literal(value) == (any_(column) if one.many else column)
    return where


def _given(way: Way) -> Iterator[Look]:
    """Assignments of roles that come: they were given while there was a role of that name, and count again."""
    base, target = way.models
    for role in target.roles:
        if "role_assignment" in base.tables and former_name("role", role, way.base, way.target) is None:
            yield Look(GIVEN, role, "role_assignment", _is_value(base.tables["role_assignment"].fields["role"], role),
                       trash=False)


def _violates(way: Way) -> Iterator[Look]:
    """Records that a new rule, or one that says something else, would not let be saved."""
    base, target = way.models
    for table in target.tables.values():
        before = way.former(table.name)
        for rule in table.rules.values() if before is not None else ():
            old = base.tables[before].rules.get(rule.name) if before is not None else None
            if before is None or rule.level != "error" or (old is not None and old.check.source == rule.check.source):
                continue
            past = _past(base, before, rule.check, "boolean")
            if past is not None:
                yield Look(VIOLATES, f"{table.name}.{rule.name}", before, _fails(past), trash=False)


def _fails(past: Expression) -> Where:
    return lambda columns: ~past.passes(columns)


def _past(model: Model, table: str, said: object, expects: str) -> Expression | None:
    """An expression of the target over the records as they are; None where it names what is not there yet."""
    if not isinstance(said, Expression):
        return None
    try:
        found = check(said.source, model.scope(table), expects)
    except ExpressionError:
        return None
    return None if found.needs_database else found


def _column(columns: RecordColumns, one: Field) -> ColumnElement[Any]:
    return columns.root.stored.column(one.name, "", columns.root.source)


# How it is counted

def _count(connection: Connection, system: System, one: Look, rows: Any) -> Finding:
    stored = system.stored(one.table)
    columns = RecordColumns(system, None, one.table)
    whole = in_time(connection, partial(_run, connection, columns, one))
    if whole is not None:
        return whole
    size = max(rows.get(stored.table.name, 0), ESTIMATED_ROWS)
    if one.equal:
        return Finding(0, partial=True)
    percent = 100 * ESTIMATED_ROWS / size
    part = RecordColumns(system, None, one.table, stored.table.tablesample(func.system(percent)))
    found = in_time(connection, partial(_run, connection, part, one))
    if found is None:
        return Finding(0, partial=True)
    return replace(found, count=round(found.count * 100 / percent), partial=True)


def _run(connection: Connection, columns: RecordColumns, one: Look) -> Finding:
    conditions = [one.where(columns)]
    own = columns.root.stored.own_rows(columns.root.source)
    conditions += [] if own is None else [own]
    conditions += [] if one.trash else [columns.root.source.c["_deleted_on"].is_(None)]
    parameters = Session.system_session(columns.system, connection).parameters
    if one.equal:
        return _shared(connection, columns, one, conditions, parameters)
    found = (select(columns.root.id.label("id"), columns.root.source.c["changed_on"]).select_from(columns.source)
             .where(*conditions)).subquery()
    count, last = connection.execute(select(func.count(), func.max(found.c.changed_on)), parameters).one()
    samples = _samples(connection, columns.system, one.table, select(found.c.id).limit(SAMPLES), parameters) \
        if count else ()
    return Finding(count, samples, last=f"{last:%Y-%m-%d}" if last is not None else "")


def _shared(connection: Connection, columns: RecordColumns, one: Look, conditions: list[ColumnElement[bool]],
            parameters: Any) -> Finding:
    """The values that several records share, each with the first of these."""
    shared = [_column(columns, field).label(f"value_{number}") for number, field in enumerate(one.equal)]
    ids = func.array_agg(aggregate_order_by(columns.root.id, columns.root.id), type_=ARRAY(BigInteger))[1:SHARING]
    found = (select(*shared, ids.label("ids"), func.min(columns.root.id).label("first"))
             .select_from(columns.source).where(*conditions).group_by(*shared).having(func.count() > 1)).subquery()
    count = connection.execute(select(func.count()).select_from(found), parameters).scalar_one()
    groups = connection.execute(select(found).order_by(found.c.first).limit(SAMPLES), parameters).all() if count else []
    named = {sample.id: sample for sample in _samples(
        connection, columns.system, one.table, [id_ for row in groups for id_ in row.ids], parameters)}
    reads = tuple((field.name,) for field in one.equal)
    return Finding(count, tuple(
        Sample(row.first, ", ".join(str(value)[:LONGEST_VALUE] for value in row[:len(one.equal)]), one.table, reads,
               tuple(named[id_] for id_ in row.ids if id_ in named)) for row in groups))


def _samples(connection: Connection, system: System, table: str, ids: Any, parameters: Any) -> tuple[Sample, ...]:
    found = ids if isinstance(ids, list) else sorted(connection.scalars(ids, parameters))
    columns = RecordColumns(system, None, table)
    named = title(columns, columns.root)
    rows = connection.execute(select(columns.root.id.label("id"), named.label("title")).select_from(columns.source)
                              .where(columns.root.id.in_(found)).order_by(columns.root.id), parameters)
    return tuple(Sample(row.id, row.title or "") for row in rows)

"""What must hold once rows are written: rules, conditional `required`, rights that depend on the record itself.

SQL decides, in the writing transaction, so that a rule means here what it means in a list; one statement a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Select, any_, bindparam, func, not_, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.ed import messages
from core.ed.access import Predicate, as_condition
from core.ed.columns import RecordColumns
from core.ed.shape import Shape
from core.ed.statement import Statement
from core.errors import FieldProblem

if TYPE_CHECKING:
    from core.definition.model import Rule
    from core.ed.session import Session
    from core.ed.values import Problems, Row

IDS = bindparam("ids", type_=ARRAY(BigInteger))
TREES = 7_236      # the first key of the advisory locks that guard trees


@dataclass(frozen=True, slots=True)
class Verifier:
    """The statement that finds the rows which fail, and what its columns stand for."""

    statement: Statement | None
    names: tuple[str, ...]                 # of the statement's columns
    rules: Mapping[str, Rule]
    required: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


def after(session: Session, shaped: Shape, rows: Sequence[Row], problems: Problems, *, created: bool,
          within: bool = False) -> list[FieldProblem]:
    """Check written rows; notes what fails and gives the warnings. Raises Denied.

    `within` says that new rows came as lines of a record that the user may write.
    """
    verifier = session.system.cache.get(("verify", session.user.shape, shaped.table.name, created, within),
                                        lambda: _build(session, shaped, created, within))
    if verifier.statement is None or not rows:
        return []
    by_id = {row.id: row for row in rows}
    failed = verifier.statement.rows(session.connection, {**session.parameters, "ids": [row.id for row in rows]})
    warnings: list[FieldProblem] = []
    for values in failed:
        found = dict(zip(verifier.names, values, strict=True))
        row = by_id[found["id"]]
        if found.get("may not create"):
            raise messages.denied(session, shaped.table.name, "create")
        if found.get("misplaced") and row.values.keys() & _places(shaped):
            raise messages.denied(session, shaped.table.name, "change")
        _tell(session, shaped, verifier, row, found, problems, warnings)
    return warnings


def _tell(session: Session, shaped: Shape, verifier: Verifier, row: Row, found: Mapping[str, Any],
          problems: Problems, warnings: list[FieldProblem]) -> None:
    for name in verifier.given:
        if found[f"given {name}"] and name in row.given:
            problems.add(row, name, "not_writable", "You may not set this field.")
    for name in verifier.required:
        if found[f"required {name}"]:
            problems.add(row, name, "required", "This must be filled in.")
    for name, rule in verifier.rules.items():
        if not found[f"rule {name}"]:
            continue
        said = messages.rule(session, shaped, rule, found["id"])
        field = _field_of(shaped, rule)
        if rule.level == "warning":
            path = row.path + field if field else row.path.rstrip(".")
            warnings.append(FieldProblem(path, "warning", said.message, said.params, row.index))
        else:
            problems.add(row, field, "rule", said.message, **said.params)


def _field_of(shaped: Shape, rule: Rule) -> str:
    """The field to show a broken rule at: the first of the record's own that the rule names."""
    source = rule.written.source
    own = {path[0] for path in rule.check.reads if path and path[0] in shaped.kept}
    return min(own, key=source.find, default="")


def _build(session: Session, shaped: Shape, created: bool, within: bool) -> Verifier:
    source = shaped.stored.table
    columns = RecordColumns(session.system, None, shaped.table.name, source)
    flags: dict[str, ColumnElement[bool]] = {}
    rules = {name: rule for name, rule in shaped.table.rules.items() if not rule.at}
    for name, rule in rules.items():
        flags[f"rule {name}"] = rule.check.sql(columns).is_(False)
    required = _required(shaped, columns, flags)
    given: tuple[str, ...] = ()
    if created and not session.gate.open:
        _may_create(session, shaped, within, flags)
        given = _given(session, shaped, flags)
    elif not created:
        _well_placed(session, shaped, flags)
    if not flags:
        return Verifier(None, (), rules)
    asked = select(source.c.id, *(flag.label(name) for name, flag in flags.items())).select_from(
        columns.source).where(source.c.id == any_(IDS)).cte("asked").prefix_with("MATERIALIZED")     # each only once
    statement = select(asked).where(or_(*(asked.c[name] for name in flags))).order_by(asked.c.id)
    names = tuple(c.name for c in statement.selected_columns)
    return Verifier(Statement.compile(statement, session.connection.dialect, fixed=True), names, rules, required, given)


def _required(shaped: Shape, columns: RecordColumns, flags: dict[str, ColumnElement[bool]]) -> tuple[str, ...]:
    names = []
    for name, kept in shaped.kept.items():
        condition = kept.field.required
        if not isinstance(condition, bool):
            empty = shaped.stored.column(name, source=columns.root.source).is_(None)
            flags[f"required {name}"] = condition.sql(columns).is_(True) & empty
            names.append(name)
    return tuple(names)


def _may_create(session: Session, shaped: Shape, within: bool, flags: dict[str, ColumnElement[bool]]) -> None:
    """The right to create, where it depends on the record; a line may be created by who writes its parent."""
    gate, name = session.gate, shaped.table.name
    predicate: Predicate
    if within and gate.rule(name, "create") is True and not shaped.table.access.only:
        predicate = gate.unrestricted(name, "create", shaped.stored.table)
    else:
        predicate = gate.predicate(name, "create", shaped.stored.table)
    if predicate is not True:
        flags["may not create"] = not_(func.coalesce(as_condition(predicate), False))


def _well_placed(session: Session, shaped: Shape, flags: dict[str, ColumnElement[bool]]) -> None:
    """A record moves only into what the user may change: as much as it takes to create it there."""
    predicate = session.gate.placed(shaped.table.name, shaped.stored.table)
    if predicate is not True:
        flags["misplaced"] = not_(func.coalesce(as_condition(predicate), False))


def _places(shaped: Shape) -> set[str]:
    """The links that say what a record belongs to."""
    return {path.partition(".")[0] for path in shaped.table.access.through}


def _given(session: Session, shaped: Shape, flags: dict[str, ColumnElement[bool]]) -> tuple[str, ...]:
    names = []
    for name in (*shaped.kept, *shaped.beside):
        predicate = session.gate.given(shaped.table.name, name, shaped.stored.table)
        if not isinstance(predicate, bool):
            flags[f"given {name}"] = not_(func.coalesce(predicate, False))
            names.append(name)
    return tuple(names)


def no_loops(session: Session, shaped: Shape, rows: Iterable[Row], problems: Problems) -> None:
    """Note records that would stand above themselves in a tree."""
    changed = list(rows)
    for name, kept in shaped.kept.items():
        if not getattr(kept.field.properties, "tree", False):
            continue
        moved = {row.id: row for row in changed if row.old is not None and row.values.get(name) is not None}
        if not moved:
            continue
        # Two records that move below each other at the same time would not see one another.
        session.connection.execute(
            select(func.pg_advisory_xact_lock(TREES, func.hashtext(f"{kept.field.table}.{name}"))))
        statement = session.system.cache.get(("loops", shaped.table.name, name), partial(_loops, shaped, name))
        for id_ in session.connection.scalars(statement, {"ids": list(moved)}):
            problems.add(moved[id_], name, "loop", "A record cannot stand above itself.")


def _loops(shaped: Shape, name: str) -> Select[Any]:
    table, link = shaped.stored.table, shaped.kept[name].columns[0]
    start = select(table.c.id.label("start"), table.c[link].label("above")).where(table.c.id == any_(IDS)).cte(
        "up", recursive=True)
    up = start.union(select(start.c.start, table.c[link]).join(table, table.c.id == start.c.above))
    return select(up.c.start).where(up.c.above == up.c.start).distinct()



"""Expressions over records that are not written yet: what they read through links is read as far as the user may."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, select

from core.ed.columns import RecordColumns
from core.ed.rowset import encode, rowset
from core.ed.selection import readable_paths
from core.ed.shape import Shape
from core.ed.statement import Statement
from core.errors import Denied
from core.expression import Environment, EvaluationError, Expression

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.session import Session

Record = Mapping[str, Any]
UNKNOWN = object()              # what cannot be worked out from what is there, or from what the user may read


def work_out(session: Session, shaped: Shape, expression: Expression, records: Sequence[Record]) -> list[Any]:
    """The expression's value for each draft, UNKNOWN where there is none; formulas of the record are followed.

    A draft has values in normal form by field; lines as lists of such drafts; and may have paths through links.
    """
    formulas = tuple(followed(shaped, [expression]))
    everything = [expression, *(one.formula for one in formulas if one.formula is not None)]
    if any(one.needs_database for one in everything):
        return _by_database(session, shaped, expression, records)
    environment = environment_for(session, everything)
    linked = _linked(session, shaped, everything, records)
    return [_evaluate(expression, formulas, {**more, **record}, environment)
            for record, more in zip(records, linked, strict=True)]


def _evaluate(expression: Expression, formulas: Iterable[Field], record: dict[str, Any],
              environment: Environment) -> Any:
    for one in formulas:
        if one.formula is not None:
            record[one.name] = _one(one.formula, record, environment)
    return _one(expression, record, environment)


def _one(expression: Expression, record: Record, environment: Environment) -> Any:
    if any(record.get(path[0]) is UNKNOWN for path in expression.reads):
        return UNKNOWN
    try:
        return expression.evaluate(record, environment)
    except EvaluationError:             # it reads lines that are not at hand, or what this user may not
        return UNKNOWN


def followed(shaped: Shape, expressions: Iterable[Expression]) -> Iterator[Field]:
    """The formulas of the record that expressions read, each after those that it reads itself."""
    done: set[str] = set()

    def follow(reads: Iterable[tuple[str, ...]]) -> Iterator[Field]:
        for path in sorted(reads):
            one = shaped.table.fields.get(path[0])
            if one is not None and one.formula is not None and one.name not in done:
                done.add(one.name)
                yield from follow(one.formula.reads)
                yield one
    for expression in expressions:
        yield from follow(expression.reads)


def moved_by(shaped: Shape, expression: Expression) -> frozenset[str]:
    """The fields of the record whose change concerns an expression, also through formulas."""
    reads = {path[0] for path in expression.reads}
    reads |= {path[0] for one in followed(shaped, [expression]) if one.formula is not None
              for path in one.formula.reads}
    return frozenset(name for name in reads if (one := shaped.table.fields.get(name)) is None or not one.computed)


# Through links

def _linked(session: Session, shaped: Shape, expressions: Iterable[Expression],
            records: Sequence[Record]) -> list[dict[str, Any]]:
    """What expressions read through links of each draft."""
    found: list[dict[str, Any]] = [{} for _ in records]
    for name, paths in _paths(shaped, expressions).items():
        wanted = {id_ for record in records if isinstance(id_ := record.get(name), int)}
        linked = _read(session, shaped.table.fields[name].target or "", wanted, sorted(paths))
        for record, values in zip(records, found, strict=True):
            known = linked.get(record.get(name) or 0, {})
            values.update({f"{name}.{path}": known.get(path) for path in paths})
    for (name, table), paths in _narrowed(shaped, expressions).items():
        wanted = {int(id_) for record in records if isinstance(id_ := record.get(name), int)}
        linked = _read(session, table, wanted, ["id", *sorted(paths)])
        for record, values in zip(records, found, strict=True):
            known = linked.get(record.get(name) or 0, {})
            values.update({f"{name}.{table}.{path}": known.get(path) for path in paths})
            values[f"{name}.{table}"] = known.get("id")
    return found


def _narrowed(shaped: Shape, expressions: Iterable[Expression]) -> dict[tuple[str, str], set[str]]:
    """What is read through links to several tables: by the link, and the table that the path names."""
    paths: dict[tuple[str, str], set[str]] = {}
    for path in (path for expression in expressions for path in expression.reads if len(path) > 1):
        kept = shaped.kept.get(path[0])
        if kept is not None and kept.field.expression_type.name == "any_link":
            paths.setdefault((path[0], path[1]), set()).update([".".join(path[2:])] if len(path) > 2 else [])
    return paths


def _paths(shaped: Shape, expressions: Iterable[Expression]) -> dict[str, set[str]]:
    paths: dict[str, set[str]] = {}
    for path in (path for expression in expressions for path in expression.reads if len(path) > 1):
        kept = shaped.kept.get(path[0])
        if kept is not None and kept.field.type.name == "link" and not kept.field.many and kept.field.target:
            paths.setdefault(path[0], set()).add(".".join(path[1:]))
    return paths


def _read(session: Session, table: str, ids: Iterable[Any], paths: Sequence[str]) -> dict[int, Record]:
    from core.ed.read import read  # reading builds on much; only what follows a link needs it
    wanted, fields = sorted(ids), readable_paths(session.gate, table, paths)
    if not wanted or not fields:
        return {}
    return {record["id"]: record for record in read(session, table, wanted, fields)}


def environment_for(session: Session, expressions: Iterable[Expression]) -> Environment:
    """The session's environment, with those fields of the user's own record that the expressions read."""
    paths = sorted({".".join(path[1:]) for expression in expressions for path in expression.variables
                    if path[0] == "user" and len(path) > 1 and path[1:] != ("id",)})
    user = session.user.user_id
    if not paths or user is None:
        return session.environment if not paths else dataclasses.replace(
            session.environment, user={"id": None, **dict.fromkeys(paths)})
    own = _read(session, "user", [user], paths).get(user, {})
    return dataclasses.replace(session.environment, user={"id": user, **{path: own.get(path) for path in paths}})


# By the database

def _by_database(session: Session, shaped: Shape, expression: Expression, records: Sequence[Record]) -> list[Any]:
    """What asks for other records: the drafts are a table of their own, and the user's rights hold for all it reads."""
    def build() -> Statement | None:
        drafts = rowset({"n": Integer(), "id": BigInteger(), "_type": Integer(),
                         **{column.name: column.type for column in shaped.columns()}})
        columns = RecordColumns(session.system, session.gate, shaped.table.name, drafts)
        try:
            value = expression.sql(columns)
        except Denied:
            return None
        statement = select(drafts.c.n, value).select_from(columns.source)
        return Statement.compile(statement, session.connection.dialect)
    key = ("draft", session.user.shape, shaped.table.name, expression.source)
    statement = session.system.cache.get(key, build)
    if statement is None:
        return [UNKNOWN] * len(records)
    rows = [{"n": number, "id": record.get("id"), "_type": shaped.stored.type_id,
             **shaped.row({name: record.get(name) for name in shaped.kept})} for number, record in enumerate(records)]
    found = dict(map(tuple, statement.rows(session.connection, {**session.parameters, **encode(rows)})))
    return [found.get(number, UNKNOWN) for number in range(len(records))]

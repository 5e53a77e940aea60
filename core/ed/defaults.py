"""What a new record begins with: defaults, then suggestions for what is still empty."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.ed.selection import readable_paths
from core.ed.shape import Shape
from core.ed.values import Row, is_empty
from core.expression import Environment, Expression
from core.types.base import BadValue
from core.types.numbers import rounded

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.session import Session


def fill(session: Session, shaped: Shape, rows: Sequence[Row]) -> None:
    """Give new rows the values that the caller did not name, field by field, for all rows at once."""
    fields = [kept.field for kept in shaped.kept.values()]
    for field in fields:
        if field.default is not None:
            _give(session, shaped, field, field.default, [row for row in rows if field.name not in row.given])
    for field in fields:
        if field.suggest is not None:
            empty = [row for row in rows if field.name not in row.given and is_empty(row.values.get(field.name))]
            _give(session, shaped, field, field.suggest, empty)


def _give(session: Session, shaped: Shape, field: Field, value: object, rows: Sequence[Row]) -> None:
    if not rows:
        return
    if not isinstance(value, Expression):
        for row in rows:
            row.values[field.name] = list(value) if isinstance(value, list | tuple) else value
        return
    environment = environment_for(session, [value])
    if not value.reads:                                    # the same for every row
        for row in rows:
            row.values[field.name] = _normal(field, value.evaluate({}, environment))
        return
    linked = _linked(session, shaped, value, rows)
    for row in rows:
        record = {**row.values, **linked.get(id(row), {})}
        row.values[field.name] = _normal(field, value.evaluate(record, environment))


def _normal(field: Field, value: Any) -> Any:
    """A worked-out value as the field keeps it: rounded to its scale; empty if it does not fit."""
    scale = getattr(field.properties, "scale", None)
    if isinstance(value, Decimal | int) and scale is not None and not isinstance(value, bool):
        value = rounded(Decimal(value), scale)
    try:
        return field.type.validate(value, field.properties)
    except BadValue:
        return None


def _linked(session: Session, shaped: Shape, expression: Expression, rows: Sequence[Row]) -> dict[int, dict[str, Any]]:
    """What the expression reads through links, as far as this user may: by row, then by path."""
    found: dict[int, dict[str, Any]] = {}
    for name, paths in _paths(shaped, expression).items():
        target = shaped.table.fields[name].target or ""
        wanted = {row.values.get(name) for row in rows} - {None}
        records = _read(session, target, wanted, paths)
        for row in rows:
            record = records.get(row.values.get(name) or 0, {})
            values = found.setdefault(id(row), {})
            for path in paths:
                values[f"{name}.{path}"] = record.get(path)
    return found


def _paths(shaped: Shape, expression: Expression) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for path in sorted(expression.reads):
        kept = shaped.kept.get(path[0])
        if len(path) > 1 and kept is not None and kept.field.type.name == "link" and not kept.field.many:
            paths.setdefault(path[0], []).append(".".join(path[1:]))
    return paths


def _read(session: Session, table: str, ids: Iterable[Any], paths: Sequence[str]) -> dict[int, Mapping[str, Any]]:
    from core.ed.read import read  # only where a default follows a link
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

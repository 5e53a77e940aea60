"""Expressions that people keep in records: checked against a Model, with former names replaced by those of now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from core.definition.references import Reference
from core.expression import ExpressionError, check
from core.expression.functions import BUILT_IN
from core.types.expression import ExpressionProperties, expects

if TYPE_CHECKING:
    from core.definition.model import Field, Model
    from core.definition.scope import Names
    from core.expression import Expression, Scope
    from core.expression.mentions import Mention


def expression_fields(model: Model) -> Iterator[Field]:
    """The fields that hold expressions, each once."""
    for table in model.tables.values():
        yield from (field for field in table.own.values() if isinstance(field.properties, ExpressionProperties))


def holds_expressions(bodies: Iterable[Mapping[str, object]]) -> bool:
    """Whether any definition has a field of this type, by the bodies alone: nothing is built for it."""
    return any(isinstance(field, Mapping) and field.get("type") == "expression" for body in bodies
               if isinstance(fields := body.get("fields"), Mapping) for field in fields.values())


def checked(model: Model, field: Field, source: str, scope: Scope | None = None) -> Expression:
    """A stored expression with the names of now; `scope` is that of whoever writes it. Raises ExpressionError."""
    properties = _properties(field)
    strict = scope if scope is not None else model.scope(properties.on)
    functions = model.names.functions or BUILT_IN
    try:
        return check(source, strict, expects(properties), functions)
    except ExpressionError:
        renewed = _renewed(model, field, source)
        if renewed is None:
            raise
        try:
            return check(renewed, strict, expects(properties), functions)
        except ExpressionError:         # told of what was written: nobody learns a name that they do not see
            pass
        raise


def references(model: Model, field: Field, expression: Expression) -> tuple[Reference, ...]:
    """What a stored expression names."""
    def refer(kind: str, name: str, one: Mention) -> Reference:
        return Reference("record", f"{field.table}.{field.name}", (), kind, name, one.column - 1)

    found: list[Reference] = []
    for one in expression.mentions:
        if one.kind == "field":
            declared = model.field(one.owner, one.name)
            found.append(refer("table", f"{declared.table if declared else one.owner}.{one.name}", one))
        elif one.kind == "choice":
            found.append(refer("role", one.name, one) if one.owner == "role"
                         else refer("choices", f"{one.owner}.{one.name}", one))
        else:
            found.append(refer(one.kind, one.name, one))
    return tuple(dict.fromkeys(found))


def _properties(field: Field) -> ExpressionProperties:
    if not isinstance(field.properties, ExpressionProperties):
        raise TypeError(f"{field.table}.{field.name} holds no expressions")
    return field.properties


def _renewed(model: Model, field: Field, source: str) -> str | None:
    """The source with the names of now in place of former ones; None if it has none, or is wrong all the same."""
    properties = _properties(field)
    scope = replace(model.scope(properties.on), forgiving=True)
    try:
        expression = check(source, scope, expects(properties), model.names.functions or BUILT_IN)
    except ExpressionError:
        return None
    text = source
    for one in sorted(expression.mentions, key=lambda mention: -mention.column):
        now = _now(model.names, one)
        if now is not None:
            start = one.column - 1
            text = text[:start] + now + text[start + len(one.name):]
    return text if text != source else None


def _now(names: Names, one: Mention) -> str | None:
    if one.kind == "field":
        owner = one.owner if one.owner in names.tables else names.renames.definition("table", one.owner) or ""
        return names.now(owner, one.name) if names.member(owner, one.name) is None else None
    if one.kind == "choice":
        known = names.choices.get(one.owner)
        return names.renames.member("choices", one.owner, one.name) if known and one.name not in known.values else None
    if one.kind == "table" and one.name not in names.tables:
        return names.renames.definition("table", one.name)
    return None

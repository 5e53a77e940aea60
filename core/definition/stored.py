"""What people keep in records and that names definitions: expressions, tables, fields.

All is checked against a Model; former names are replaced by those of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from core.definition.references import Reference
from core.errors import Words, words
from core.expression import ExpressionError, check
from core.expression.functions import BUILT_IN
from core.types.expression import ExpressionProperties, expects

if TYPE_CHECKING:
    from core.definition.model import Field, Model
    from core.definition.scope import Names
    from core.expression import Expression, Scope
    from core.expression.mentions import Mention


NAMING = frozenset({"expression", "table", "field", "any_link"})       # the types of fields whose values name tables


def naming_fields(model: Model) -> Iterator[Field]:
    """The fields whose values name tables and fields, each once."""
    for table in model.tables.values():
        yield from (field for field in table.own.values() if field.type.name in NAMING and not field.virtual)


def holds_names(bodies: Iterable[Mapping[str, object]]) -> bool:
    """Whether any definition has a field of such a type, by the bodies alone: nothing is built for it."""
    return any(isinstance(field, Mapping) and field.get("type") in NAMING for body in bodies
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


def references(model: Model, expression: Expression, kind: str, name: str) -> tuple[Reference, ...]:
    """What an expression names, as references of a record or a definition to it."""
    def refer(to_kind: str, to_name: str, one: Mention) -> Reference:
        return Reference(kind, name, (), to_kind, to_name, one.column - 1)

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


def problem_of(model: Model, field: Field, source: str, beside: str = "") -> Words | None:
    """Why a stored value means nothing in a Model; `beside` is the table that another field of the record names."""
    if field.type.name == "expression":
        try:
            checked(model, field, source)
        except ExpressionError as error:
            return error.words
        return None
    if field.type.name == "field":
        table = table_about(model, field, beside)
        if table is None:
            return words('there is no table "{table}"', table=beside)
        return None if field_now(model, field, table, source) else words(
            'there is no field "{name}" on "{table}"', name=source, table=table)
    return None if table_now(model, field, source) else words('there is no table "{table}"', table=source)


def table_now(model: Model, field: Field, name: str) -> str | None:
    """A table that a stored value names, by its name of now; None if there is none, or not under the field's base."""
    now = name if name in model.tables else model.names.renames.definition("table", name)
    base = str(getattr(field.properties, "of", ""))
    return now if now in model.tables and (not base or model.names.is_kind_of(now or "", base)) else None


def table_about(model: Model, field: Field, beside: str) -> str | None:
    """The table whose field a stored value names: the one that its field fixes, or the one named beside it."""
    fixed = str(getattr(field.properties, "on", ""))
    holder = model.field(field.table, str(getattr(field.properties, "table", "")))
    return fixed or (table_now(model, holder, beside) if holder is not None else None)


def field_now(model: Model, field: Field, table: str, path: str) -> str | None:
    """A field or path that a stored value names, by its names of now; None if there is none."""
    parts, found = path.split("."), []
    if len(parts) > 1 and not getattr(field.properties, "paths", False):
        return None
    for part in parts:
        now = part if model.names.member(table, part) is not None else model.names.now(table, part)
        kind = model.names.member(table, now) if now is not None else None
        if kind is None:
            return None
        found.append(str(now))
        table = str(kind.of) if kind.name in ("link", "any_link") and not kind.many else ""
    return ".".join(found)


def named(model: Model, field: Field, source: str, beside: str = "") -> tuple[Reference, ...]:
    """What a stored value names; one that is wrong names nothing."""
    place = f"{field.table}.{field.name}"
    if field.type.name == "expression":
        try:
            return references(model, checked(model, field, source), "record", place)
        except ExpressionError:
            return ()
    if field.type.name != "field":
        now = table_now(model, field, source)
        return (Reference("record", place, (), "table", now, 0),) if now is not None else ()
    table = table_about(model, field, beside)
    path = field_now(model, field, table, source) if table is not None else None
    found, inside = [], 0
    for part in path.split(".") if path is not None else ():
        declared = model.field(table or "", part)
        found.append(Reference("record", place, (), "table", f"{declared.table if declared else table}.{part}", inside))
        kind = model.names.member(table or "", part)
        table, inside = str(kind.of) if kind is not None else None, inside + len(part) + 1
    return tuple(found)


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

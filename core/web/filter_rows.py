"""A condition as rows of field, comparison and value, for people who do not write expressions.

The expression is what counts: rows are made from it and become it again, so whoever likes may write it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from core.ed.titles import PLACE
from core.errors import BadRequest, Words
from core.expression.errors import ExpressionError
from core.expression.parse import parse
from core.types.base import BadValue
from core.web.binding import bind
from core.web.context import Context
from core.web.i18n import N_
from core.web.widgets.choice import titles

if TYPE_CHECKING:
    from core.web.widgets.base import Bound

COMPARISONS: Mapping[str, str] = {
    "contains": N_("contains"), "starts": N_("begins with"), "is": N_("is"), "not": N_("is not"),
    "less": N_("is less than, or before"), "most": N_("is at most"), "more": N_("is more than, or after"),
    "least": N_("is at least"), "empty": N_("is empty"), "filled": N_("is not empty")}
SIGNS = {"is": "==", "not": "!=", "less": "<", "most": "<=", "more": ">", "least": ">="}
NUMBERS = frozenset({"integer", "decimal", "money", "percent"})
KINDS = NUMBERS | {"text", "date", "datetime", "boolean", "choice"}


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field that rows can be about: its path, what it is called, and the values of its choices."""

    path: str
    title: str
    kind: str
    many: bool
    values: Mapping[str, str]
    bound: Bound


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One part of a condition; `without` is the condition without it."""

    text: str
    without: str


def fields(context: Context, table: str) -> list[FilterField]:
    """What this user can filter a table by: fields they may read; a linked record by what it is called."""
    key = ("filter fields", table, context.session.user.shape, context.viewer.locale.language)
    return context.system.cache.get(key, lambda: _fields(context, table))


def _fields(context: Context, table: str) -> list[FilterField]:
    found = []
    for name in context.records.readable(table):
        bound = bind(context.system, table, name, context.viewer.locale.language)
        if bound is None:
            continue
        target = bound.field.target
        if bound.field.type.name == "link" and not bound.field.many and target in context.system.model.tables:
            place = PLACE.fullmatch(context.system.model.tables[target or ""].display)
            linked = place is not None and context.records.may(target or "", "read") and place[1] in \
                context.records.readable(target or "")
            end = bind(context.system, table, f"{name}.{place[1]}", context.viewer.locale.language) \
                if place is not None and linked else None
            if end is not None and end.field.expression_type.name == "text":
                found.append(FilterField(end.path, bound.title, "text", False, {}, end))
            continue
        kind = bound.field.expression_type
        if kind.name in KINDS and (not kind.many or kind.name == "choice"):
            found.append(FilterField(name, bound.title, kind.name, kind.many,
                                     titles(bound) if kind.name == "choice" else {}, bound))
    return found


def rows(where: str) -> list[FilterRow]:
    """The parts of a condition that are joined by `and`; none for what is no expression."""
    parts = _parts(where)
    return [FilterRow(part, " and ".join(parts[:number] + parts[number + 1:])) for number, part in enumerate(parts)]


def added(context: Context, table: str, where: str, path: str, comparison: str, value: str) -> str:
    """A condition with one more part. Raises BadRequest for a row that says nothing."""
    field = next((one for one in fields(context, table) if one.path == path), None)
    if field is None or comparison not in COMPARISONS:
        raise BadRequest(N_("Choose a field and how it is compared."), "where")
    part = _part(context, field, comparison, value.strip())
    return " and ".join([*_parts(where), part]) if _parts(where) or not where else f"({where}) and {part}"


def _parts(where: str) -> list[str]:
    try:
        source = parse(where)
    except ExpressionError:
        return []
    if isinstance(source.tree, ast.BoolOp) and isinstance(source.tree.op, ast.And):
        return [_whole(source.segment(one), one) for one in source.tree.values]
    return [_whole(where.strip(), source.tree)]


def _whole(text: str, tree: ast.expr) -> str:
    """A part in brackets where it would fall apart beside `and`."""
    return f"({text})" if isinstance(tree, (ast.BoolOp, ast.IfExp)) else text


def _part(context: Context, field: FilterField, comparison: str, value: str) -> str:
    if comparison in ("empty", "filled"):
        return f"{field.path} is {'not ' if comparison == 'filled' else ''}None"
    if comparison in ("contains", "starts"):
        if field.kind != "text" or not value:
            raise BadRequest(N_("“{title}” cannot be compared like that."), "where", title=field.title)
        return f"{'contains' if comparison == 'contains' else 'starts_with'}({field.path}, {_quoted(value)})"
    literal = _literal(context, field, value)
    if field.kind == "choice":
        if comparison not in ("is", "not"):
            raise BadRequest(N_("“{title}” cannot be compared like that."), "where", title=field.title)
        if field.many:
            return f"{'not ' if comparison == 'not' else ''}{literal} in {field.path}"
    return f"{field.path} {SIGNS[comparison]} {literal}"


def _literal(context: Context, field: FilterField, value: str) -> str:
    """What somebody typed as a value of the expression. Raises BadRequest."""
    if not value:
        raise BadRequest(N_("Say with what “{title}” is compared."), "where", title=field.title)
    match field.kind:
        case "text":
            return _quoted(value)
        case "choice":
            return _quoted(_choice(field, value))
        case "boolean":
            return str(value.casefold() in ("1", "yes", "true", context.text(N_("Yes")).casefold()))
        case "date":
            return _quoted(_parsed(context, field, value))
        case "datetime":
            return _quoted(_moment(context, field, value))
    return _parsed(context, field, value)


def _parsed(context: Context, field: FilterField, value: str) -> str:
    try:
        return str(field.bound.field.type.parse(value, field.bound.field.properties, context.viewer.locale))
    except BadValue as error:
        raise BadRequest(Words(error.message, error.params), "where") from None


def _moment(context: Context, field: FilterField, value: str) -> str:
    """A moment in UTC; a day alone begins where the reader is."""
    if len(value) == 10:
        value += " 00:00"
    try:
        local = datetime.fromisoformat(value)
    except ValueError:
        return _parsed(context, field, value)
    zone = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(context.viewer.locale.zone))
    return zone.astimezone(UTC).isoformat()


def _choice(field: FilterField, value: str) -> str:
    """A value of choices by its name or its title."""
    if value in field.values:
        return value
    found = next((name for name, title in field.values.items() if title.casefold() == value.casefold()), None)
    if found is None:
        raise BadRequest(N_('"{value}" is not one of the choices.'), "where", value=value[:80])
    return found


def _quoted(text: str) -> str:
    """A text as expressions have it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", " ") + "'"


def asked_row(args: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Field, comparison and value of the row that a form adds; None if it adds none."""
    return (args["w.field"], args.get("w.op", ""), args.get("w.value", "")[:500]) if args.get("w.field") else None

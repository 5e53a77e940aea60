"""What a query is asked with: what people type becomes values of its parameters, defaults fill the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.definition.kinds.parameters import Amount, split_amount
from core.definition.scope import Written
from core.definition.written_out import replaced
from core.ed.drafts import environment_for
from core.errors import BadRequest, FieldProblem, Invalid
from core.expression import Expression
from core.expression.nodes import Node, Variable
from core.types.base import BadValue, Locale
from core.types.numbers import rounded

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.definition.queries import Query
    from core.ed.session import Session


def parse(query: Query, texts: Mapping[str, str], locale: Locale) -> dict[str, object]:
    """What people typed as values, by parameter; an empty text is a parameter that is not given. Raises Invalid."""
    found: dict[str, object] = {}
    problems = []
    for name, text in texts.items():
        field = query.parameters[name]
        number, currency = split_amount(text) if field.type.name == "money" else (text, None)
        try:
            value = field.type.parse(number, field.properties, locale)
        except BadValue as error:
            problems.append(FieldProblem(name, error.code, error.message, error.params))
            continue
        if value is not None:
            found[name] = Amount(value, currency) if currency is not None else value
    if problems:
        raise Invalid(problems)
    return found


def values(session: Session, query: Query, given: Mapping[str, object]) -> dict[str, object]:
    """The value of every parameter in normal form: what is given, else its default. Raises BadRequest, Invalid."""
    for name in given:
        if name not in query.parameters:
            raise BadRequest('The query "{query}" has no parameter "{name}".', name, query=query.name, name=name)
    problems: list[FieldProblem] = []
    found = {name: _value(session, field, given.get(name), problems) for name, field in query.parameters.items()}
    if problems:
        raise Invalid(problems)
    return found


def bound(query: Query, found: Mapping[str, object]) -> dict[str, object]:
    """Values of parameters as those of statements."""
    return {f"parameter_{name}": field.type.to_columns(found[name], field.properties)[0]
            for name, field in query.parameters.items()}


def chosen(session: Session, query: Query, found: Mapping[str, object]) -> tuple[Expression, ...]:
    """The conditions of a query that chooses records, for pages of its table.

    Its parameters have names of their own in them, for a page may stand on several queries; the session knows their
    values from now on.
    """
    known = {f"{query.name}__{name}": field.type.to_columns(found[name], field.properties)[0]
             for name, field in query.parameters.items()}
    session.environment = replace(session.environment, variables={**session.environment.variables, **known})
    return session.system.cache.get(("chosen", query.name), lambda: tuple(
        Expression(f"query.{query.name}", replaced(one.node, _own_name(query)), query.names.is_kind_of)
        for one in query.conditions))


def _own_name(query: Query) -> Callable[[Node, int], Node | None]:
    def rename(node: Node, depth: int) -> Node | None:
        if isinstance(node, Variable) and node.names[0] == "parameter":
            return replace(node, names=("parameter", f"{query.name}__{node.names[1]}"))
        return None
    return rename


def _value(session: Session, field: Field, value: object, problems: list[FieldProblem]) -> Any:
    try:
        if value is not None and not isinstance(value, Amount):
            value = field.type.validate(value, field.properties)
        if value is None:
            value = _default(session, field)
        if isinstance(value, Amount):
            value = field.type.validate(_in_base(session, value, field), field.properties)
        _check_choice(session, field, value)
    except BadValue as error:
        problems.append(FieldProblem(field.name, error.code, error.message, error.params))
        return None
    if value is None and field.required is True:
        problems.append(FieldProblem(field.name, "required", "This must be filled in."))
    return value


def _default(session: Session, field: Field) -> object:
    default = field.written.get("default")
    if not isinstance(default, Written):
        return default
    expression = default.expression
    value = expression.evaluate({}, environment_for(session, [expression]))
    scale = getattr(field.properties, "scale", None)
    if isinstance(value, Decimal) and scale is not None:
        value = rounded(value, scale)
    return field.type.validate(value, field.properties)


def _check_choice(session: Session, field: Field, value: object) -> None:
    kind = field.expression_type
    choices = session.system.model.choices.get(kind.of or "") if kind.name == "choice" else None
    for one in value if isinstance(value, list) else [value]:
        if choices is not None and one is not None and one not in choices.values and not choices.open_in_live:
            raise BadValue("choice", "\"{value}\" is not one of the choices.", value=one)


def _in_base(session: Session, amount: Amount, field: Field) -> Decimal:
    """An amount in base currency, at the rate of its currency. Raises BadValue."""
    if amount.currency == session.system.model.system.currency:
        return amount.number
    currency = session.system.stored("currency")
    rate = session.connection.scalar(select(currency.column("rate")).where(
        currency.column("code") == amount.currency, currency.column("_deleted_on").is_(None)))
    if rate is None:
        raise BadValue("currency", "There is no rate of the currency \"{currency}\".", currency=amount.currency)
    return rounded(amount.number * rate, getattr(field.properties, "scale", 2))

"""The SQL back end: a typed tree becomes one SQLAlchemy expression through the Columns protocol.

With `loose` a condition may be unknown where it should be false: right for WHERE, and what indexes need. Nothing is
written twice that can nest, or the statement would double at each level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from typing import cast as typed

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Interval,
    Numeric,
    Text,
    Time,
    TypeDecorator,
    and_,
    bindparam,
    case,
    cast,
    collate,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, array
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine

from core.expression.evaluate import HIGHEST_TREE
from core.expression.evaluate_sets import LISTED
from core.expression.functions.dates import PLAIN
from core.expression.functions.durations import LONGEST_SUM
from core.expression.functions.numbers import PLACES, divided, reciprocal
from core.expression.functions.texts import cut
from core.expression.nodes import (
    NEVER_EMPTY,
    Aggregate,
    Among,
    And,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    First,
    Given,
    GroupAggregate,
    Holds,
    IsEmpty,
    IsKind,
    Literal,
    Negate,
    Node,
    Not,
    Or,
    Order,
    Path,
    Reach,
    Rows,
    Running,
    Truth,
    Under,
    Variable,
    may_be_empty,
)
from core.expression.scope import Columns, Related
from core.expression.type_rules import NUMBERS
from core.types.base import Type

Element = ColumnElement[Any]
CONDITIONS = (Truth, Compare, Among, Holds, IsKind, And, Or)
BIGINT_DIGITS = 18


class Whole(TypeDecorator[int]):
    """A whole number that PostgreSQL may have worked out as numeric."""

    impl = Numeric
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> int | None:
        """Give it as int."""
        return None if value is None else int(value)


SQL_TYPES: dict[str, TypeEngine[Any]] = {
    "time": Time(), "json": JSONB(),
    "text": Text(), "choice": Text(), "integer": BigInteger(), "decimal": Numeric(), "money": Numeric(),
    "percent": Numeric(), "boolean": Boolean(), "date": Date(), "datetime": DateTime(timezone=True),
    "duration": Interval(), "link": BigInteger(), "any_link": BigInteger(),
}


def sql_type(type: Type) -> TypeEngine[Any]:
    """The SQL type of a value of an expression."""
    single = SQL_TYPES.get(type.name, Text())
    return ARRAY(single) if type.many else single


def compile_sql(node: Node, columns: Columns, loose: bool = False, order: Sequence[Element] = ()) -> Element:
    """The SQL of a typed tree; what it reads is asked of `columns`, what runs goes by `order`."""
    element = _Compiler((columns,), order).sql(node, loose)
    if node.type.name == "integer" and not isinstance(node, Path | Literal):
        return type_coerce(element, Whole())
    return element


class _Compiler:
    """One method for each kind of node; `around` has the columns of the record at hand, then of those around it."""

    def __init__(self, around: tuple[Columns, ...], order: Sequence[Element] = ()) -> None:
        self.around = around
        self.columns = around[0]
        self.order = order

    def sql(self, node: Node, loose: bool = False) -> Element:
        """The element of a node; `loose` reaches only the parts that are conditions themselves."""
        method: Callable[..., Element] = getattr(self, "_" + type(node).__name__.lower())
        return method(node, loose) if isinstance(node, CONDITIONS) else method(node)

    def _literal(self, node: Literal) -> Element:
        if node.value is None:
            return typed(Element, null()) if node.type.name == "null" else cast(null(), sql_type(node.type))
        if isinstance(node.value, Decimal) and node.value == node.value.to_integral_value():
            return cast(literal(node.value, Numeric()), Numeric())
        return literal(node.value, sql_type(node.type))

    def _given(self, node: Given) -> Element:
        value = bindparam(node.name, None, type_=sql_type(node.type))
        return cast(value, Numeric()) if node.type.name in NUMBERS else value

    def _path(self, node: Path) -> Element:
        return self.around[node.level].value(node.names or ("id",))

    def _variable(self, node: Variable) -> Element:
        return cast(self.columns.variable(node.names), sql_type(node.type))

    def _reach(self, node: Reach) -> Element:
        home = self.columns.related(("all", node.table))
        value = home.columns.value(node.names)
        return home.select(value, self._is(home, node.start)).scalar_subquery()

    def _is(self, home: Related, link: Node) -> Element:
        """The condition that a record of a table is the one that a link leads to."""
        return home.columns.value(("id",)) == self.sql(link)

    def _truth(self, node: Truth, loose: bool) -> Element:
        value = self.sql(node.value)
        return value if loose else value.is_(True)

    def _compare(self, node: Compare, loose: bool) -> Element:
        left, right = self.sql(node.left), self.sql(node.right)
        if node.operator in ("==", "!="):
            return self._equality(node, left, right, loose)
        if node.left.type.name == "text":
            left, right = collate(left, "C"), collate(right, "C")
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[node.operator]

    def _equality(self, node: Compare, left: Element, right: Element, loose: bool) -> Element:
        empty_left, empty_right = may_be_empty(node.left), may_be_empty(node.right)
        if node.operator == "!=":
            return left.is_distinct_from(right) if empty_left or empty_right else left != right
        if not (empty_left and empty_right):
            if loose or not (empty_left or empty_right):
                return left == right
            value, plain = (left, node.left) if empty_left else (right, node.right)
            # The long form of the same serves indexes, but may repeat only what is a plain column.
            return and_(left == right, value.is_not(None)) if isinstance(plain, Path) else (left == right).is_(True)
        if loose and isinstance(node.left, Path | Variable) and isinstance(node.right, Path | Variable):
            return or_(left == right, and_(left.is_(None), right.is_(None)))
        return left.is_not_distinct_from(right)

    def _among(self, node: Among, loose: bool) -> Element:
        value = self.sql(node.value)
        written = [option for option in node.options if isinstance(option, Literal)]
        literals = [self.sql(option) for option in written if option.value is not None]
        parts: list[Element] = [value.in_(literals)] if literals else []
        if len(literals) < len(written):             # None is one of them
            if parts and not isinstance(node.value, Path):
                parts = [parts[0].is_distinct_from(False)]      # says it without writing the value twice
            else:
                parts.append(value.is_(None))
        parts += [self._option(value, option) for option in node.options if not isinstance(option, Literal)]
        found = or_(false(), *parts)
        if node.negated:
            return found.is_not(True)
        return found if loose else found.is_(True)

    def _option(self, value: Element, option: Node) -> Element:
        element = self.sql(option)
        return value.is_not_distinct_from(element) if may_be_empty(option) else value == element

    def _holds(self, node: Holds, loose: bool) -> Element:
        kind = Type(node.many.type.name)
        value = array([self.sql(node.value)], type_=SQL_TYPES[kind.name])
        many = cast(self.sql(node.many), ARRAY(SQL_TYPES[kind.name])) if isinstance(node.many, Variable) \
            else self.sql(node.many)
        found: Element = many.op("@>", is_comparison=True)(cast(value, ARRAY(SQL_TYPES[kind.name])))
        if node.negated:
            return found.is_not(True)
        return found if loose else found.is_(True)

    def _isempty(self, node: IsEmpty) -> Element:
        value = self.sql(node.value)
        if node.value.type.many:
            filled = func.cardinality(value) > 0
            return filled.is_(True) if node.negated else filled.is_not(True)
        return value.is_not(None) if node.negated else value.is_(None)

    def _iskind(self, node: IsKind, loose: bool) -> Element:
        found = self.around[node.value.level].kind(node.value.names, node.table)
        if node.negated:
            return found.is_not(True)
        return found if loose else found.is_(True)

    def _and(self, node: And, loose: bool) -> Element:
        return and_(*(self.sql(part, loose) for part in node.parts))

    def _or(self, node: Or, loose: bool) -> Element:
        return or_(*(self.sql(part, loose) for part in node.parts))

    def _not(self, node: Not) -> Element:
        return Grouping(not_(self.sql(node.value)))      # NOT binds looser than IS, which SQLAlchemy forgets

    def _arithmetic(self, node: Arithmetic) -> Element:
        if node.type.name in NUMBERS:
            return self._numeric(node)
        left, right = self.sql(node.left), self.sql(node.right)
        if node.type.name == "text":
            return cut(left.concat(right))
        if node.type.name == "duration" and node.left.type.name != "duration":
            return _elapsed(node.left.type.name, left, right)
        moment, span = (right, left) if node.left.type.name == "duration" else (left, right)
        if node.type.name == "duration":
            return left + right if node.operator == "+" else left - right
        return _moved(node.type.name, moment, span, node.operator)

    def _numeric(self, node: Arithmetic) -> Element:
        left, right = self._number(node.left), self._number(node.right)
        if node.operator == "/":
            return self._quotient(node, left, right)
        if node.operator == "%":
            divisor = func.nullif(right, 0)
            return func.mod(func.mod(left, divisor) + right, divisor)
        if node.size > BIGINT_DIGITS:
            left = cast(left, Numeric)
        return {"+": left + right, "-": left - right, "*": left * right}[node.operator]

    def _number(self, node: Node) -> Element:
        """A whole number as bigint at least: written ones and some functions give only 32 bits."""
        element = self.sql(node)
        if node.type.name in ("integer", "null") and not isinstance(node, Path | Arithmetic | Variable):
            return cast(element, Numeric if node.size > BIGINT_DIGITS else BigInteger)
        return element

    def _quotient(self, node: Arithmetic, left: Element, right: Element) -> Element:
        """Rounded half up to ten places; so many places are worked out first that this is exact."""
        divisor = node.right.value if isinstance(node.right, Literal) else None
        share = reciprocal(divisor)
        if share is not None:
            return func.round(left * literal(share, Numeric()), PLACES, type_=Numeric())
        return divided(left, right)

    def _negate(self, node: Negate) -> Element:
        return -self._number(node.value)

    def _conditional(self, node: Conditional) -> Element:
        return case((self.sql(node.test, loose=True), self.sql(node.then)), else_=self.sql(node.otherwise))

    def _call(self, node: Call) -> Element:
        arguments = [self.sql(argument) for argument in node.arguments]
        given = [self.columns.variable((name,)) for name in node.function.environment]
        if node.function.collated and node.type.name == "text":
            return _usual(node.function.sql(*given, *(collate(argument, "C") for argument in arguments)))
        return type_coerce(node.function.sql(*given, *arguments), sql_type(node.type))

    def _under(self, node: Under) -> Element:
        """The way up from a record, step by step, and whether the other one stands on it."""
        bottom, further = self.columns.related(("all", node.table)), self.columns.related(("all", node.table))
        start = bottom.select(bottom.columns.value(("id",)).label("id"), self._is(bottom, node.value)).add_columns(
            bottom.columns.value((node.link,)).label("above"), literal(1).label("step"))
        up = start.cte("up", recursive=True, nesting=True)
        own = further.columns.value(("id",))
        up = up.union_all(further.select(own, and_(own == up.c.above, up.c.step < HIGHEST_TREE)).add_columns(
            further.columns.value((node.link,)), up.c.step + 1))
        return exists(select(literal(1)).select_from(up).where(up.c.id == self.sql(node.top)).correlate_except(up))

    def _set(self, node: Rows) -> _Set:
        home = self.columns.related(("all", node.home)) if node.start is not None else None
        related = home.columns.related(node.names) if home is not None else self.around[node.level].related(node.path)
        inner = _Compiler((related.columns, *self.around))
        where = inner.sql(node.where, loose=True) if node.where is not None else None
        only = self._is(home, node.start) if home is not None and node.start is not None else true()
        return _Set(related, inner, where, home, only)

    def _aggregate(self, node: Aggregate) -> Element:
        found = self._set(node.rows)
        if node.name == "exists":
            return found.exists()
        if node.value is None:
            return found.scalar(func.count(), or_zero=True)
        value = found.inner.sql(node.value)
        if node.name == "list":
            return found.scalar(_list(value, node.separator, [*map(found.inner.key, node.order), found.id.asc()]))
        return found.scalar(_aggregated(node.name, node.type, value), or_zero=node.name in NEVER_EMPTY)

    def _first(self, node: First) -> Element:
        found = self._set(node.rows)
        value = found.inner.sql(node.value)
        order = [found.inner.key(each) for each in node.order]
        return found.scalar(value, [*order, found.id.desc() if node.last else found.id.asc()], 1)

    def _groupaggregate(self, node: GroupAggregate) -> Element:
        where = self.sql(node.where, loose=True) if node.where is not None else None
        if node.value is None:
            return func.count() if where is None else func.count().filter(where)
        value = self.sql(node.value)
        if node.name == "list":
            return _list(value, node.separator, [collate(value, "C")], where)
        return _aggregated(node.name, node.type, value, where)

    def _running(self, node: Running) -> Element:
        total: Element = func.sum(self.sql(node.value), type_=Numeric()).over(
            order_by=list(self.order) or None, rows=(None, 0))
        return func.coalesce(total, 0, type_=Numeric())

    def key(self, order: Order) -> Element:
        """A sort key; empty values come last both ways."""
        value = self.sql(order.value)
        if order.value.type.name in ("text", "choice"):
            value = collate(value, "C")
        return value.desc().nulls_last() if order.descending else value.asc().nulls_last()


@dataclass(frozen=True)
class _Set:
    """The records of a set in SQL; those of `home` that are `only` one are the record that the set belongs to."""

    related: Related
    inner: _Compiler
    where: Element | None
    home: Related | None
    only: Element

    @property
    def id(self) -> Element:
        """The id of a record of the set."""
        return self.related.columns.value(("id",))

    def exists(self) -> Element:
        """Whether there is a record."""
        found: Element = self.related.select(literal(1), self.where).exists()
        return found if self.home is None else self.home.select(literal(1), and_(self.only, found)).exists()

    def scalar(self, value: Element, order: Sequence[Element] = (), limit: int | None = None,
               or_zero: bool = False) -> Element:
        """A value of the set, or of all of it."""
        found: Element = self.related.select(value, self.where, order, limit).scalar_subquery()
        if self.home is None:
            return found
        found = self.home.select(found, self.only).scalar_subquery()
        if not or_zero:
            return found
        spans = isinstance(value.type, Interval)
        return func.coalesce(found, NO_TIME, type_=Interval()) if spans else func.coalesce(found, 0, type_=Numeric())


NO_TIME = literal(timedelta(0), Interval())
LONGEST, SHORTEST = (literal(timedelta(days), Interval()) for days in (LONGEST_SUM, -LONGEST_SUM))


def _aggregated(name: str, type: Type, value: Element, where: Element | None = None) -> Element:
    """An aggregate function over values, of those rows for which a condition holds."""
    def over(function: Any) -> Element:
        return function if where is None else function.filter(where)     # type: ignore[no-any-return]
    if name == "sum" and type.name == "duration":
        total = func.coalesce(over(func.sum(value, type_=Interval())), NO_TIME, type_=Interval())
        return func.least(func.greatest(total, SHORTEST), LONGEST, type_=Interval())
    if name == "sum":
        return func.coalesce(over(func.sum(value, type_=Numeric())), 0, type_=Numeric())
    if name == "avg":
        return divided(over(func.sum(value)), over(func.count(value)))
    if name in ("count", "count_distinct"):
        return over(func.count(value if name == "count" else value.distinct()))
    if name == "any":
        return func.coalesce(over(func.bool_or(value)), false())
    if name == "all":
        return func.coalesce(over(func.bool_and(value.is_(True))), true())
    work = func.min if name == "min" else func.max
    return _usual(over(work(collate(value, "C")))) if type.name == "text" else over(work(value))


def _list(value: Element, separator: str, order: Sequence[Element], where: Element | None = None) -> Element:
    """The values one after another; each is cut, or a set could outgrow what a text can be."""
    joined: Any = func.string_agg(func.left(value, LISTED), aggregate_order_by(literal(separator, Text()), *order))
    return cut(joined if where is None else joined.filter(where))


def _usual(text: Element) -> Element:
    """A text that was ordered by its bytes, with the usual collation again: `lower` and `contains` go by it."""
    return collate(text, "default")


def _elapsed(name: str, left: Element, right: Element) -> Element:
    """The duration between two dates or moments, in hours and seconds only."""
    plain = [cast(side, PLAIN) if name == "date" else func.timezone("UTC", side, type_=PLAIN)
             for side in (left, right)]
    return type_coerce(plain[0] - plain[1], Interval())


def _moved(name: str, moment: Element, span: Element, operator: str) -> Element:
    """A date or moment some duration away; moments are moved in UTC, or the session's zone would matter."""
    plain = cast(moment, PLAIN) if name == "date" else func.timezone("UTC", moment, type_=PLAIN)
    moved = type_coerce(plain + span if operator == "+" else plain - span, PLAIN)
    return cast(moved, Date) if name == "date" else func.timezone("UTC", moved, type_=DateTime(timezone=True))

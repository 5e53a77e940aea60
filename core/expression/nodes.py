"""The typed tree of an expression: frozen values, made by the checker, read by both back ends.

`size` bounds a value before it exists: the digits a number may have, the days a date may be away from today's range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, TypeVar

from core.expression.type_rules import is_number
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.functions.base import Function


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part of an expression, and what it gives."""

    type: Type
    size: int = 0
    column: int = field(default=1, compare=False)


N = TypeVar("N", bound=Node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    """A value as written; an empty text is None."""

    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Node):
    """A literal lifted out of a tree under a name, so that one statement serves all its values; never empty."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path(Node):
    """A field reached from a record: level 0 is the record at hand, 1 the one around it. () is the record itself."""

    level: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable(Node):
    """A value given from outside, such as `user` or `parameter.city`, or a field reached from it."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach(Node):
    """A field reached from a link that is worked out, or that a variable other than `user` holds."""

    start: Node
    table: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth(Node):
    """A boolean value where a condition is asked: empty counts as no."""

    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Node):
    """One comparison: == != < <= > >=."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Among(Node):
    """Whether a value equals one of several."""

    value: Node
    options: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds(Node):
    """Whether a plural choice or link holds a value."""

    many: Node
    value: Node
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IsEmpty(Node):
    """`x is None`."""

    value: Node
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IsKind(Node):
    """`x is purchase_order`: which table under its base a record belongs to."""

    value: Path
    table: str
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class And(Node):
    """All conditions hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or(Node):
    """At least one condition holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Node):
    """The condition does not hold."""

    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Node):
    """+ - * / % over numbers, + between texts, + - between dates and durations."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Negate(Node):
    """A number with the other sign."""

    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Node):
    """`a if test else b`; an unknown test takes b."""

    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A registered function over values."""

    function: Function
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Node):
    """A set of records: `lines[...]` of a record, or with `everywhere` all records of a table.

    With `start`, a link to a record of `home`, the names lead on from there.
    """

    level: int
    names: tuple[str, ...]
    table: str
    everywhere: bool = False
    where: Node | None = None
    start: Node | None = None
    home: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """What Columns.related is asked for."""
        return ("all", self.table) if self.everywhere else self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Values(Node):
    """A field of each record of a set: `lines.total`; `value` is read one level further in."""

    rows: Rows
    value: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Node):
    """count count_distinct sum min max avg exists list over a set; `order` and `separator` are those of a list."""

    name: str
    rows: Rows
    value: Node | None = None
    order: tuple[Order, ...] = ()
    separator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAggregate(Node):
    """count count_distinct sum min max avg any all list over the rows of a group; without value the rows count."""

    name: str
    value: Node | None = None
    where: Node | None = None
    separator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Node):
    """The sum of a value over the rows of a result up to this one, in the order of the result."""

    value: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Under(Node):
    """Whether a record is another one or stands under it, along a link of their table that is a tree."""

    value: Node
    top: Node
    table: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Node):
    """One key by which `first` sorts; empty values come last both ways."""

    value: Node
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class First(Node):
    """A value of the first record of a set; with `last` the record that was made last is the first."""

    rows: Rows
    value: Path
    order: tuple[Order, ...] = ()
    last: bool = False


def children(node: Node) -> Iterator[Node]:
    """The nodes right under a node."""
    for each in fields(node):
        value = getattr(node, each.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


def walk(node: Node) -> Iterator[Node]:
    """A node and all under it."""
    yield node
    for child in children(node):
        yield from walk(child)


def sql_depth(node: Node) -> int:
    """About how many frames SQLAlchemy's compiler stands on when it is at the bottom of the node's SQL."""
    return _own_depth(node) + max(map(sql_depth, children(node)), default=0)


def _own_depth(node: Node) -> int:
    if isinstance(node, Call):
        return node.function.depth
    if isinstance(node, Arithmetic) and (node.operator in "/%" or not is_number(node.type)):
        return 30
    return 10


NEVER_EMPTY = ("count", "count_distinct", "sum", "exists", "any", "all")


NEVER_UNKNOWN = (Truth, Under, Among, Holds, IsEmpty, IsKind, Given, Running)


def may_be_empty(node: Node) -> bool:
    """False only where a value can never be empty; decides how equality is written in SQL."""
    if isinstance(node, NEVER_UNKNOWN):
        return False
    match node:
        case Literal(value=value):
            return value is None
        case Path(names=names):
            return names not in ((), ("id",))
        case Call(function=function, arguments=arguments):
            return not function.never_empty(arguments)
        case Arithmetic(operator=operator, left=left, right=right):
            divides = operator in "/%" and not (isinstance(right, Literal) and right.value)
            return divides or may_be_empty(left) or may_be_empty(right)
        case Negate(value=value) | Not(value=value):
            return may_be_empty(value)
        case Conditional(then=then, otherwise=otherwise):
            return may_be_empty(then) or may_be_empty(otherwise)
        case Aggregate(name=name) | GroupAggregate(name=name):
            return name not in NEVER_EMPTY
        case Compare(operator=operator, left=left, right=right):
            return operator not in ("==", "!=") and (may_be_empty(left) or may_be_empty(right))
        case And(parts=parts) | Or(parts=parts):
            return any(may_be_empty(part) for part in parts)
    return True


LIFTED = ("text", "choice", "integer", "decimal", "money", "percent", "date", "datetime", "time")


def lifted(node: Node, prefix: str, values: dict[str, object]) -> Node:
    """The tree with the literals it compares by `== != < <= > >=` lifted out into `values`, under `prefix`_n."""
    if isinstance(node, Compare):
        return replace(node, left=_given(node.left, prefix, values), right=_given(node.right, prefix, values))
    if isinstance(node, And | Or):
        return replace(node, parts=tuple(lifted(part, prefix, values) for part in node.parts))
    if isinstance(node, Not):
        return replace(node, value=lifted(node.value, prefix, values))
    if isinstance(node, Aggregate) and node.rows.where is not None:
        return replace(node, rows=replace(node.rows, where=lifted(node.rows.where, prefix, values)))
    return node


def _given(node: Node, prefix: str, values: dict[str, object]) -> Node:
    if not isinstance(node, Literal) or node.value is None or node.type.name not in LIFTED:
        return node
    name = f"{prefix}_{len(values)}"
    values[name] = node.value
    return Given(type=node.type, name=name)


def shifted(node: N, by: int, within: int = 0) -> N:
    """The node as it reads `by` records further in; `within` is how many records inside it are its own."""
    if by == 0 or isinstance(node, Literal | Variable):
        return node
    changes: dict[str, object] = {}
    outside = isinstance(node, Path | Rows) and node.level >= within
    if outside and not (isinstance(node, Rows) and (node.everywhere or node.start is not None)):
        changes["level"] = node.level + by      # type: ignore[attr-defined]
    for each in fields(node):
        value = getattr(node, each.name)
        inner = within + (each.name in INSIDE.get(type(node), ()))
        if isinstance(value, Node):
            changes[each.name] = shifted(value, by, inner)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changes[each.name] = tuple(shifted(part, by, inner) for part in value)
    return replace(node, **changes) if changes else node    # type: ignore[arg-type]


# The fields of a node that are read with a record of its set at hand.
INSIDE: dict[type[Node], tuple[str, ...]] = {
    Rows: ("where",), Values: ("value",), Aggregate: ("value", "order"), First: ("value", "order")}

"""The typed tree of an expression: frozen values, made by the checker, read by both back ends.

`size` bounds a value before it exists: the digits a number may have, the days a date may be away from today's range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

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
    """A set of records: `lines[...]` of a record, or with `everywhere` all records of a table."""

    level: int
    names: tuple[str, ...]
    table: str
    everywhere: bool = False
    where: Node | None = None

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
    """count sum min max avg exists over a set."""

    name: str
    rows: Rows
    value: Node | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Node):
    """One key by which `first` sorts; empty values come last both ways."""

    value: Node
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class First(Node):
    """A value of the first record of a set."""

    rows: Rows
    value: Path
    order: tuple[Order, ...] = ()


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


def may_be_empty(node: Node) -> bool:
    """False only where a value can never be empty; decides how equality is written in SQL."""
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
        case Negate(value=value):
            return may_be_empty(value)
        case Conditional(then=then, otherwise=otherwise):
            return may_be_empty(then) or may_be_empty(otherwise)
        case Aggregate(name=name):
            return name not in ("count", "sum", "exists")
        case Compare(operator=operator, left=left, right=right):
            return operator not in ("==", "!=") and (may_be_empty(left) or may_be_empty(right))
        case Truth() | Among() | Holds() | IsEmpty() | IsKind() | Given():
            return False
        case And(parts=parts) | Or(parts=parts):
            return any(may_be_empty(part) for part in parts)
        case Not(value=value):
            return may_be_empty(value)
    return True


LIFTED = ("text", "choice", "integer", "decimal", "money", "percent", "date", "datetime")


def lifted(node: Node, prefix: str, values: dict[str, object]) -> Node:
    """The tree with the literals it compares by `== != < <= > >=` lifted out into `values`, under `prefix`_n."""
    if isinstance(node, Compare):
        return replace(node, left=_given(node.left, prefix, values), right=_given(node.right, prefix, values))
    if isinstance(node, And | Or):
        return replace(node, parts=tuple(lifted(part, prefix, values) for part in node.parts))
    if isinstance(node, Not):
        return replace(node, value=lifted(node.value, prefix, values))
    return node


def _given(node: Node, prefix: str, values: dict[str, object]) -> Node:
    if not isinstance(node, Literal) or node.value is None or node.type.name not in LIFTED:
        return node
    name = f"{prefix}_{len(values)}"
    values[name] = node.value
    return Given(type=node.type, name=name)

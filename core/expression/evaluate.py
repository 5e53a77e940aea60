"""The Python back end: a typed tree becomes nested closures, once, that are then called over records."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.expression.errors import EvaluationError
from core.expression.functions.numbers import EXACT, divide, total
from core.expression.functions.texts import LIMIT
from core.expression.nodes import (
    Aggregate,
    Among,
    And,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    First,
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
)
from core.expression.scope import Environment
from core.expression.type_rules import NUMBERS

INTEGER = "integer"
HIGHEST_TREE = 100   # steps up in a tree
LISTED = 200         # characters of one value in a list


@dataclass(slots=True)
class Frame:
    """The record at hand, the one around it, and how many records may still be looked at."""

    record: Mapping[str, Any]
    outer: Frame | None
    environment: Environment
    steps: list[int]


Run = Callable[[Frame], Any]
IsKindOf = Callable[[str, str], bool]


def compile_python(node: Node, is_kind_of: IsKindOf) -> Run:
    """A function from a Frame to the value; conditions give True, False or None for unknown."""
    return _Compiler(is_kind_of).run(node)


def read(record: Mapping[str, Any], names: tuple[str, ...], draft: bool) -> Any:
    """The raw value at a path; the last link may be followed as a Mapping or as a key "a.b" of the record.

    A field that a draft does not have yet is empty; anything else that is missing raises EvaluationError.
    """
    current: Any = record
    for position, name in enumerate(names):
        rest = ".".join(names[position:])
        if rest in current:
            return current[rest]
        if name not in current:
            if draft and position == 0:
                return None
            raise EvaluationError(f'"{".".join(names)}" was not read')
        current = current[name]
        if current is None:
            return None
        if not isinstance(current, Mapping) and position + 1 < len(names):
            raise EvaluationError(f'"{".".join(names)}" was not read')
    return current


def plain(value: Any) -> Any:
    """A raw value as expressions see it: '' and [] are empty, a linked record is its id."""
    if isinstance(value, Mapping):
        return value.get("id")
    if isinstance(value, list | tuple):
        return [plain(each) for each in value] or None
    return None if value == "" else value


class _Compiler:
    """One method for each kind of node."""

    def __init__(self, is_kind_of: IsKindOf) -> None:
        self.is_kind_of = is_kind_of

    def run(self, node: Node) -> Run:
        method: Callable[[Any], Run] = getattr(self, "_" + type(node).__name__.lower())
        return method(node)

    def _literal(self, node: Literal) -> Run:
        value = node.value
        return lambda frame: value

    def _path(self, node: Path) -> Run:
        names = node.names or ("id",)
        if node.level == 0 and len(names) == 1:
            name = names[0]
            return lambda frame: plain(frame.record.get(name))
        level = node.level
        return lambda frame: plain(read(_at(frame, level).record, names, draft=True))

    def _variable(self, node: Variable) -> Run:
        names = node.names

        def run(frame: Frame) -> Any:
            environment = frame.environment
            if names[0] == "user" and "user" not in environment.variables:
                return plain(read(environment.user, names[1:] or ("id",), draft=False))
            return plain(_given(environment, names))
        return run

    def _truth(self, node: Truth) -> Run:
        value = self.run(node.value)
        return lambda frame: value(frame) is True

    def _compare(self, node: Compare) -> Run:
        left, right = self.run(node.left), self.run(node.right)
        if node.operator in ("==", "!="):
            same = node.operator == "=="
            return lambda frame: (left(frame) == right(frame)) is same
        compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[node.operator]

        def run(frame: Frame) -> bool | None:
            a = left(frame)
            b = right(frame)
            return None if a is None or b is None else compare(a, b)
        return run

    def _among(self, node: Among) -> Run:
        value, negated = self.run(node.value), node.negated
        options = [self.run(option) for option in node.options]

        def run(frame: Frame) -> bool:
            sought = value(frame)
            return any(option(frame) == sought for option in options) is not negated
        return run

    def _holds(self, node: Holds) -> Run:
        many, value, negated = self.run(node.many), self.run(node.value), node.negated

        def run(frame: Frame) -> bool:
            sought = value(frame)
            return (sought is not None and sought in (many(frame) or ())) is not negated
        return run

    def _isempty(self, node: IsEmpty) -> Run:
        value, negated = self.run(node.value), node.negated
        return lambda frame: (value(frame) is None) is not negated

    def _iskind(self, node: IsKind) -> Run:
        path, table, negated = node.value, node.table, node.negated

        def run(frame: Frame) -> bool:
            record = _at(frame, path.level).record
            linked = read(record, path.names, draft=True) if path.names else record
            if linked is None:
                return negated
            kind = linked.get("_type") if isinstance(linked, Mapping) else None
            if kind is None:
                raise EvaluationError(f'"_type" of "{".".join(path.names) or "record"}" was not read')
            return self.is_kind_of(kind, table) is not negated
        return run

    def _and(self, node: And) -> Run:
        parts = [self.run(part) for part in node.parts]

        def run(frame: Frame) -> bool | None:
            result: bool | None = True
            for part in parts:
                value = part(frame)
                if value is False:
                    return False
                if value is None:
                    result = None
            return result
        return run

    def _or(self, node: Or) -> Run:
        parts = [self.run(part) for part in node.parts]

        def run(frame: Frame) -> bool | None:
            result: bool | None = False
            for part in parts:
                value = part(frame)
                if value is True:
                    return True
                if value is None:
                    result = None
            return result
        return run

    def _not(self, node: Not) -> Run:
        value = self.run(node.value)

        def run(frame: Frame) -> bool | None:
            result = value(frame)
            return None if result is None else not result
        return run

    def _arithmetic(self, node: Arithmetic) -> Run:
        left, right, work = self.run(node.left), self.run(node.right), operation(node)

        def run(frame: Frame) -> Any:
            a = left(frame)
            b = right(frame)
            return None if a is None or b is None else work(a, b)
        return run

    def _negate(self, node: Negate) -> Run:
        value = self.run(node.value)

        def run(frame: Frame) -> Any:
            number = value(frame)
            return None if number is None else 0 - number if isinstance(number, int) else EXACT.subtract(0, number)
        return run

    def _conditional(self, node: Conditional) -> Run:
        test, then, otherwise = self.run(node.test), self.run(node.then), self.run(node.otherwise)
        return lambda frame: then(frame) if test(frame) is True else otherwise(frame)

    def _call(self, node: Call) -> Run:
        function = node.function
        arguments = [self.run(argument) for argument in node.arguments]
        environment, work, strict = function.environment, function.python, function.strict

        def run(frame: Frame) -> Any:
            values = [argument(frame) for argument in arguments]
            if strict and None in values:
                return None
            return work(*(getattr(frame.environment, name) for name in environment), *values)
        return run

    def _reach(self, node: Reach) -> Run:
        start, names = self._linked(node.start), node.names
        return lambda frame: plain(read(start(frame), names, draft=False))

    def _linked(self, node: Node) -> Callable[[Frame], Mapping[str, Any]]:
        """The record that a link leads to, as it was read; an empty one where the link is empty."""
        raw = _Raw(self.is_kind_of).run(node)

        def run(frame: Frame) -> Mapping[str, Any]:
            found = raw(frame)
            if found is None:
                return EMPTY
            if not isinstance(found, Mapping):
                raise EvaluationError("the record that a link leads to was not read")
            return found
        return run

    def _under(self, node: Under) -> Run:
        value, top, link = _Raw(self.is_kind_of).run(node.value), self.run(node.top), node.link

        def run(frame: Frame) -> bool:
            sought, current = top(frame), value(frame)
            for _ in range(HIGHEST_TREE):
                if current is None or sought is None:
                    return False
                if plain(current) == sought:
                    return True
                if not isinstance(current, Mapping) or link not in current:
                    raise EvaluationError("the records above a record were not read")
                current = current[link]
            return False
        return run

    def _groupaggregate(self, node: GroupAggregate) -> Run:
        raise EvaluationError("what is of a group can be worked out only in the database")

    def _running(self, node: Running) -> Run:
        raise EvaluationError("a running value can be worked out only in the database")

    def rows(self, node: Rows) -> Callable[[Frame], list[Frame]]:
        """The records of a set that its condition holds for, each in a frame of its own."""
        if node.everywhere:
            raise EvaluationError(f"all.{node.table} can be read only in the database")
        level, names = node.level, node.names
        start = self._linked(node.start) if node.start is not None else None
        where = self.run(node.where) if node.where is not None else None

        def run(frame: Frame) -> list[Frame]:
            record = _at(frame, level).record if start is None else start(frame)
            found: Sequence[Any] = read(record, names, draft=start is None) or ()
            frame.steps[0] -= len(found)
            if frame.steps[0] < 0:
                raise EvaluationError("too many records to look at")
            if not all(isinstance(record, Mapping) for record in found):
                raise EvaluationError(f'the records of "{".".join(names)}" were not read')
            frames = [Frame(record, frame, frame.environment, frame.steps) for record in found]
            return [inner for inner in frames if where(inner) is True] if where else frames
        return run

    def _aggregate(self, node: Aggregate) -> Run:
        rows = self.rows(node.rows)
        if node.name == "exists":
            return lambda frame: bool(rows(frame))
        if node.value is None:
            return lambda frame: len(rows(frame))
        value = self.run(node.value)
        if node.name == "list":
            ordered, separator = self._ordered(node.order, False), node.separator
            return lambda frame: separator.join(
                found[:LISTED] for inner in ordered(rows(frame)) if (found := value(inner)) is not None)[:LIMIT] or None
        work = AGGREGATES[node.name]

        def run(frame: Frame) -> Any:
            return work([found for inner in rows(frame) if (found := value(inner)) is not None])
        return run

    def _first(self, node: First) -> Run:
        rows, value = self.rows(node.rows), self.run(node.value)
        ordered = self._ordered(node.order, node.last)

        def run(frame: Frame) -> Any:
            found = ordered(rows(frame))
            return value(found[0]) if found else None
        return run

    def _ordered(self, order: Sequence[Order], last: bool) -> Callable[[list[Frame]], list[Frame]]:
        """How records are sorted: by the keys, what is equal by id."""
        keys = [(self.run(each.value), each.descending) for each in order]

        def run(frames: list[Frame]) -> list[Frame]:
            found = sorted(frames, key=lambda inner: inner.record.get("id") or 0, reverse=last)
            for key, descending in reversed(keys):
                found = _sorted(found, key, descending)
            return found
        return run


class _Raw(_Compiler):
    """Links as they were read: with the record that they lead to, not only its id."""

    def _path(self, node: Path) -> Run:
        level, names = node.level, node.names
        return lambda frame: read(_at(frame, level).record, names, draft=True) if names else _at(frame, level).record

    def _variable(self, node: Variable) -> Run:
        names = node.names

        def run(frame: Frame) -> Any:
            environment = frame.environment
            if names[0] == "user" and "user" not in environment.variables:
                return read(environment.user, names[1:], draft=False) if len(names) > 1 else environment.user
            return _given(environment, names)
        return run

    def _conditional(self, node: Conditional) -> Run:
        test = _Compiler(self.is_kind_of).run(node.test)
        then, otherwise = self.run(node.then), self.run(node.otherwise)
        return lambda frame: then(frame) if test(frame) is True else otherwise(frame)

    def _reach(self, node: Reach) -> Run:
        start, names = self._linked(node.start), node.names
        return lambda frame: read(start(frame), names, draft=False)


class _Empty(dict[str, Any]):
    """A record that is not there: everything of it is empty."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> None:
        return None


EMPTY = _Empty()


def _given(environment: Environment, names: tuple[str, ...]) -> Any:
    """The value of a variable, which may be there under its dotted name."""
    if len(names) > 1 and names[0] not in environment.variables:
        return environment.variables.get(".".join(names))
    return read(environment.variables, names, draft=False)


def _at(frame: Frame, level: int) -> Frame:
    current: Frame | None = frame
    while level and current is not None:
        current, level = current.outer, level - 1
    if current is None:
        raise EvaluationError("there is no record around")
    return current


def _sorted(frames: list[Frame], key: Run, descending: bool) -> list[Frame]:
    """Sort stably; empty values come last both ways."""
    keyed = [(key(frame), frame) for frame in frames]
    filled = [pair for pair in keyed if pair[0] is not None]
    filled.sort(key=lambda pair: pair[0], reverse=descending)
    return [frame for _, frame in filled] + [frame for value, frame in keyed if value is None]


def operation(node: Arithmetic) -> Callable[[Any, Any], Any]:
    """What an operator does with two values that are not empty."""
    if node.type.name in NUMBERS:
        whole = node.left.type.name == node.right.type.name == INTEGER
        return {"+": operator.add if whole else EXACT.add, "-": operator.sub if whole else EXACT.subtract,
                "*": operator.mul if whole else EXACT.multiply, "/": divide, "%": modulo}[node.operator]
    if node.type.name == "text":
        return lambda left, right: (left + right)[:LIMIT]
    if node.operator == "-" and node.right.type.name == "duration":
        return lambda left, right: left + -right       # a date less some hours is the day before, as in SQL
    return operator.add if node.operator == "+" else operator.sub


def modulo(left: int | Decimal, right: int | Decimal) -> int | Decimal | None:
    """The remainder with the sign of the divisor; empty if the divisor is 0."""
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        return left % right
    rest = EXACT.remainder(Decimal(left), Decimal(right))
    return EXACT.remainder(EXACT.add(rest, Decimal(right)), Decimal(right))


AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "count_distinct": lambda values: len(set(values)),
    "sum": total,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "avg": lambda values: divide(total(values), len(values)) if values else None,
}

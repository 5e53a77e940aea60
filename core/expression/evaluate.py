"""The Python back end: a typed tree becomes nested closures, once, that are then called over records.

A closure takes the record at hand and what is around it. Most of an evaluation is calls, so that operands which are
fields of the record or written out are read where they are used, not by closures of their own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.expression.errors import EvaluationError
from core.expression.evaluate_calls import of_any, of_one, with_environment, worked_out
from core.expression.functions.empties import first_filled
from core.expression.functions.numbers import EXACT, divide, modulo, over, reciprocal
from core.expression.functions.texts import LIMIT
from core.expression.nodes import (
    Among,
    And,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    GroupAggregate,
    Holds,
    IsEmpty,
    IsKind,
    Literal,
    Negate,
    Node,
    Not,
    Or,
    Path,
    Reach,
    Rows,
    Running,
    Truth,
    Under,
    Variable,
    may_be_empty,
    walk,
)
from core.expression.reading import (
    TEXTS,
    Around,
    Record,
    Run,
    at_path,
    finish,
    followed,
    given,
    out,
    own_field,
    plain,
    read,
)
from core.expression.type_rules import NUMBERS

INTEGER = "integer"
HIGHEST_TREE = 100   # steps up in a tree


IsKindOf = Callable[[str, str], bool]
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Compiler:
    """One method for each kind of node that is about one record; sets are added by SetCompiler."""

    def __init__(self, is_kind_of: IsKindOf) -> None:
        self.is_kind_of = is_kind_of

    def run(self, node: Node) -> Run:
        """The closure of a node; conditions give True, False or None for unknown."""
        method: Callable[[Any], Run] = getattr(self, "_" + type(node).__name__.lower())
        return method(node)

    def raw(self, node: Node) -> Run:
        """The closure that gives a link as it was read, with the record that it leads to and not only its id."""
        match node:
            case Path(level=level, names=names):
                return lambda record, around: read(out(record, around, level), names, draft=True)
            case Variable(names=names):
                return lambda record, around: given(around.environment, names)
            case Reach(start=start, names=names):
                linked = self.raw(start)
                return lambda record, around: read(followed(linked(record, around)), names, draft=False)
            case Conditional():
                return self._either(self.run(node.test), self.raw(node.then), self.raw(node.otherwise))
        return self.run(node)

    def _literal(self, node: Literal) -> Run:
        value = node.value
        return lambda record, around: value

    def _path(self, node: Path) -> Run:
        name, level = own_field(node), node.level
        if name is not None:
            return lambda record, around: record.get(name)
        text = own_field(node, TEXTS)
        if text is not None:
            return lambda record, around: record.get(text) or None
        outer = own_field(node, (), 1)
        if outer is not None:
            return lambda record, around: around.record.get(outer)
        value = at_path(node.names or ("id",), node.type)
        if level == 0:
            return lambda record, around: value(record)
        if level == 1:
            return lambda record, around: value(around.record)
        return lambda record, around: value(out(record, around, level))

    def _variable(self, node: Variable) -> Run:
        names, done = node.names, finish(node.type)
        return lambda record, around: done(plain(given(around.environment, names)))

    def _reach(self, node: Reach) -> Run:
        raw, done = self.raw(node), finish(node.type)
        return lambda record, around: done(raw(record, around))

    def _truth(self, node: Truth) -> Run:
        name = own_field(node.value)
        if name is not None:
            return lambda record, around: record.get(name) is True
        if isinstance(node.value, Call):
            return self._call(node.value, False)
        value = self.run(node.value)
        return lambda record, around: value(record, around) is True

    def _not(self, node: Not) -> Run:
        name = own_field(node.value.value) if isinstance(node.value, Truth) else None
        if name is not None:
            return lambda record, around: record.get(name) is not True
        value = self.run(node.value)
        if not may_be_empty(node.value):
            return lambda record, around: not value(record, around)

        def run(record: Record, around: Around) -> bool | None:
            result: bool | None = value(record, around)
            return None if result is None else not result
        return run

    def _compare(self, node: Compare) -> Run:
        if node.operator in ("==", "!="):
            return self._equality(node)
        compare, constant = COMPARE[node.operator], worked_out(node.right)
        name, left = own_field(node.left), self.run(node.left)
        if constant is not None and constant.value is not None:
            written = constant.value
            if name is not None:
                return lambda record, around: None if (a := record.get(name)) is None else compare(a, written)
            return lambda record, around: None if (a := left(record, around)) is None else compare(a, written)
        other, right = own_field(node.right), self.run(node.right)
        if name is not None and other is not None:
            return lambda record, around: None if (a := record.get(name)) is None or (
                b := record.get(other)) is None else compare(a, b)
        return lambda record, around: None if (a := left(record, around)) is None or (
            b := right(record, around)) is None else compare(a, b)

    def _equality(self, node: Compare) -> Run:
        same, left = node.operator == "==", self.run(node.left)
        if isinstance(node.right, Literal) and node.right.value is not None:
            written, name = node.right.value, own_field(node.left, TEXTS)
            if name is not None:
                return (lambda record, around: record.get(name) == written) if same else (
                    lambda record, around: record.get(name) != written)
            return (lambda record, around: left(record, around) == written) if same else (
                lambda record, around: left(record, around) != written)
        right = self.run(node.right)
        if same:
            return lambda record, around: left(record, around) == right(record, around)
        return lambda record, around: left(record, around) != right(record, around)

    def _among(self, node: Among) -> Run:
        value, negated = self.run(node.value), node.negated
        if all(isinstance(option, Literal) for option in node.options):
            written = tuple(option.value for option in node.options if isinstance(option, Literal))
            name = own_field(node.value, TEXTS) if None not in written else None
            if name is not None and not negated:
                return lambda record, around: record.get(name) in written
            return lambda record, around: (value(record, around) in written) is not negated
        options = [self.run(option) for option in node.options]

        def run(record: Record, around: Around) -> bool:
            sought = value(record, around)
            return any(option(record, around) == sought for option in options) is not negated
        return run

    def _holds(self, node: Holds) -> Run:
        many, value, negated = self.run(node.many), self.run(node.value), node.negated
        if isinstance(node.value, Literal) and node.value.value is not None:
            written = node.value.value
            if isinstance(node.many, Path) and node.many.level == 0 and len(node.many.names) == 1 \
                    and node.many.type.name == "choice" and not negated:
                name = node.many.names[0]
                return lambda record, around: written in (record.get(name) or ())
            return lambda record, around: (written in (many(record, around) or ())) is not negated

        def run(record: Record, around: Around) -> bool:
            sought = value(record, around)
            return (sought is not None and sought in (many(record, around) or ())) is not negated
        return run

    def _isempty(self, node: IsEmpty) -> Run:
        name, value, negated = own_field(node.value), self.run(node.value), node.negated
        text = own_field(node.value, TEXTS)
        if name is not None:
            return (lambda record, around: record.get(name) is not None) if negated else (
                lambda record, around: record.get(name) is None)
        if text is not None:
            return (lambda record, around: bool(record.get(text))) if negated else (
                lambda record, around: not record.get(text))
        return (lambda record, around: value(record, around) is not None) if negated else (
            lambda record, around: value(record, around) is None)

    def _iskind(self, node: IsKind) -> Run:
        path, table, negated = node.value, node.table, node.negated

        def run(record: Record, around: Around) -> bool:
            linked = read(out(record, around, path.level), path.names, draft=True)
            if linked is None:
                return negated
            kind = linked.get("_type") if isinstance(linked, Mapping) else getattr(linked, "table", None)
            if not kind or (not isinstance(linked, Mapping) and table != kind and self.is_kind_of(table, kind)):
                raise EvaluationError(f'"_type" of "{".".join(path.names) or "record"}" was not read')
            return self.is_kind_of(kind, table) is not negated
        return run

    def _and(self, node: And) -> Run:
        return self._joined(node.parts, False)

    def _or(self, node: Or) -> Run:
        return self._joined(node.parts, True)

    def _joined(self, conditions: tuple[Node, ...], decided: bool) -> Run:
        """Several conditions, one of which decides: a false one of `and`, a true one of `or`."""
        otherwise = not decided
        if len(conditions) > 2:
            parts = [self.run(condition) for condition in conditions]

            def several(record: Record, around: Around) -> bool | None:
                result: bool | None = otherwise
                for part in parts:
                    value = part(record, around)
                    if value is decided:
                        return not otherwise
                    if value is None:
                        result = None
                return result
            return several
        first, second = self.run(conditions[0]), self.run(conditions[-1])
        if not any(map(may_be_empty, conditions)):
            return (lambda record, around: first(record, around) or second(record, around)) if decided else (
                lambda record, around: first(record, around) and second(record, around))

        def both(record: Record, around: Around) -> bool | None:
            one = first(record, around)
            if one is decided:
                return not otherwise
            other: bool | None = second(record, around)
            return other if one is not None or other is decided else None
        return both

    def _arithmetic(self, node: Arithmetic) -> Run:
        name, left, work = own_field(node.left), self.run(node.left), operation(node)
        constant = worked_out(node.right)
        if constant is not None and constant.value is not None:
            written: Any = constant.value
            if node.operator == "/" and (share := reciprocal(written)) is not None:
                work, written = over, share
            if name is not None:
                return lambda record, around: None if (a := record.get(name)) is None else work(a, written)
            return lambda record, around: None if (a := left(record, around)) is None else work(a, written)
        other, right = own_field(node.right), self.run(node.right)
        if name is not None and other is not None:
            return lambda record, around: None if (a := record.get(name)) is None or (
                b := record.get(other)) is None else work(a, b)
        return lambda record, around: None if (a := left(record, around)) is None or (
            b := right(record, around)) is None else work(a, b)

    def _negate(self, node: Negate) -> Run:
        value = self.run(node.value)

        def run(record: Record, around: Around) -> Any:
            number = value(record, around)
            return None if number is None else 0 - number if isinstance(number, int) else EXACT.subtract(0, number)
        return run

    def _conditional(self, node: Conditional) -> Run:
        match node.test:
            case IsEmpty(value=value, negated=True) if value == node.then:      # the same as coalesce
                return self._first_filled((value, node.otherwise))
        return self._either(self.run(node.test), self.run(node.then), self.run(node.otherwise))

    def _either(self, test: Run, then: Run, otherwise: Run) -> Run:
        return lambda record, around: then(record, around) if test(record, around) is True else otherwise(
            record, around)

    def _call(self, node: Call, empty: bool | None = None) -> Run:
        """A function; `empty` is what it gives where an argument is empty, if it is strict."""
        function, written = node.function, [isinstance(argument, Literal) for argument in node.arguments]
        constant = worked_out(node)
        if constant is not None:
            known = empty if constant.value is None else constant.value
            return lambda record, around: known
        if function.python is first_filled:
            return self._first_filled(node.arguments)
        work = function.python
        values = [self.run(argument) for argument in node.arguments]
        if function.environment:
            return with_environment(function, values, work, empty)
        if not function.strict:
            return of_any(values, work)
        if all(written[1:]):
            made = function.prepared(node.arguments) if function.prepared is not None else None
            others = [getattr(argument, "value", None) for argument in node.arguments[1:]]
            return of_one(node.arguments[0], values[0], made or work, empty, () if made else tuple(others))
        if len(values) == 2:
            first, second = values
            return lambda record, around: empty if (a := first(record, around)) is None or (
                b := second(record, around)) is None else work(a, b)

        def run(record: Record, around: Around) -> Any:
            found = [value(record, around) for value in values]
            return empty if None in found else work(*found)
        return run

    def _first_filled(self, nodes: Sequence[Node]) -> Run:
        values, name, last = [self.run(node) for node in nodes], own_field(nodes[0]), nodes[-1]
        if len(values) == 2:
            first, second = values
            if name is not None and isinstance(last, Literal):
                written = last.value
                return lambda record, around: a if (a := record.get(name)) is not None else written
            return lambda record, around: a if (a := first(record, around)) is not None else second(record, around)

        def run(record: Record, around: Around) -> Any:
            for value in values:
                found = value(record, around)
                if found is not None:
                    return found
            return None
        return run

    def _under(self, node: Under) -> Run:
        value, top, link = self.raw(node.value), self.run(node.top), node.link

        def run(record: Record, around: Around) -> bool:
            sought, current = top(record, around), value(record, around)
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


def needs_around(node: Node) -> bool:
    """Whether anything in a tree asks for more than the record at hand."""
    return any(isinstance(each, Variable | Rows) or (isinstance(each, Call) and bool(each.function.environment))
               for each in walk(node))


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

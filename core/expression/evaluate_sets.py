"""The Python back end of sets: their records are looked at one after the other, and counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from core.expression.errors import EvaluationError
from core.expression.evaluate import Compiler, IsKindOf
from core.expression.functions.durations import LONGEST_SUM
from core.expression.functions.numbers import EXACT, divide, total
from core.expression.functions.texts import LIMIT
from core.expression.nodes import Aggregate, First, Node, Order, Rows
from core.expression.reading import Around, Record, Run, followed, out, own_field, read

LISTED = 200         # characters of one value in a list
Found = Callable[[Record, Around], tuple[Sequence[Record], Around]]


def compile_python(node: Node, is_kind_of: IsKindOf) -> Run:
    """A function from a record, and what is around it, to the value of a typed tree."""
    return SetCompiler(is_kind_of).run(node)


class SetCompiler(Compiler):
    """One method for each kind of node that is about a set."""

    def rows(self, node: Rows) -> Found:
        """The records of a set that its condition holds for, and what they stand in."""
        if node.everywhere:
            raise EvaluationError(f"all.{node.table} can be read only in the database")
        level, names = node.level, node.names
        start = self.raw(node.start) if node.start is not None else None
        where = self.run(node.where) if node.where is not None else None

        def run(record: Record, around: Around) -> tuple[Sequence[Record], Around]:
            found: Sequence[Record]
            if start is not None:
                found = read(followed(start(record, around)), names, draft=False) or ()
            elif level == 0 and len(names) == 1:
                found = record.get(names[0]) or ()
            else:
                found = read(out(record, around, level), names, draft=True) or ()
            around.steps[0] -= len(found)
            if around.steps[0] < 0:
                raise EvaluationError("too many records to look at")
            for each in found:
                if type(each) is not dict and not isinstance(each, Mapping):
                    raise EvaluationError(f'the records of "{".".join(names)}" were not read')
            inner = Around(record, around, around.environment, around.steps)
            if where is None:
                return found, inner
            return [each for each in found if where(each, inner) is True], inner
        return run

    def _aggregate(self, node: Aggregate) -> Run:
        rows = self.rows(node.rows)
        if node.name == "exists":
            return self._exists(node.rows)
        if node.value is None:
            return lambda record, around: len(rows(record, around)[0])
        if node.name == "list":
            return self._list(node, rows)
        work = SUMS.get(node.type.name, _exact_sum) if node.name == "sum" else AGGREGATES[node.name]
        name, value = own_field(node.value), self.run(node.value)

        if name is not None:
            return lambda record, around: work(
                [found for each in rows(record, around)[0] if (found := each.get(name)) is not None])

        def run(record: Record, around: Around) -> Any:
            several, inner = rows(record, around)
            return work([found for each in several if (found := value(each, inner)) is not None])
        return run

    def _exists(self, node: Rows) -> Run:
        rows, where = self.rows(replace(node, where=None)), self.run(node.where) if node.where is not None else None

        def run(record: Record, around: Around) -> bool:
            found, inner = rows(record, around)
            if where is None:
                return bool(found)
            return any(where(each, inner) is True for each in found)
        return run

    def _list(self, node: Aggregate, rows: Found) -> Run:
        value, ordered, separator = self.run(node.value or node.rows), self._ordered(node.order, False), node.separator

        def run(record: Record, around: Around) -> str | None:
            several, inner = rows(record, around)
            found = (value(each, inner) for each in ordered(several, inner))
            return separator.join(text[:LISTED] for text in found if text is not None)[:LIMIT] or None
        return run

    def _first(self, node: First) -> Run:
        rows, value = self.rows(node.rows), self.run(node.value)
        ordered = self._ordered(node.order, node.last)

        def run(record: Record, around: Around) -> Any:
            several, inner = rows(record, around)
            found = ordered(several, inner)
            return value(found[0], inner) if found else None
        return run

    def _ordered(self, order: Sequence[Order], last: bool) -> Callable[[Sequence[Record], Around], list[Record]]:
        """How records are sorted: by the keys, what is equal by id."""
        keys = [(self.run(each.value), each.descending) for each in order]

        def run(several: Sequence[Record], inner: Around) -> list[Record]:
            found = sorted(several, key=lambda each: each.get("id") or 0, reverse=last)
            for key, descending in reversed(keys):
                found = _sorted(found, [key(each, inner) for each in found], descending)
            return found
        return run


def _sorted(records: Sequence[Record], keys: Sequence[Any], descending: bool) -> list[Record]:
    """Sort stably; empty values come last both ways."""
    filled = [pair for pair in zip(keys, records, strict=True) if pair[0] is not None]
    filled.sort(key=lambda pair: pair[0], reverse=descending)
    return [record for _, record in filled] + [
        record for key, record in zip(keys, records, strict=True) if key is None]


ZERO = Decimal(0)


def _exact_sum(values: list[Any]) -> Any:
    return reduce(EXACT.add, values, ZERO)


def _longest_sum(values: list[Any]) -> timedelta:
    days = timedelta(LONGEST_SUM)
    return max(-days, min(days, sum(values, timedelta(0))))


SUMS: Mapping[str, Callable[[list[Any]], Any]] = {"integer": sum, "duration": _longest_sum}
AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "count_distinct": lambda values: len(set(values)),
    "sum": sum,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "avg": lambda values: divide(total(values), len(values)) if values else None,
}

"""What expressions read of live, in physical terms: columns of the record itself, and the tables they go through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from core.definition.relations import ends
from core.ed.schema import kept_part, parts
from core.errors import words
from core.expression import Expression, ExpressionError

if TYPE_CHECKING:
    from core.bm.changes.migrations import Fill
    from core.bm.versions.state import State
    from core.definition.model import Field

Physical = Mapping[tuple[int, str], tuple[str, str | None]]
Hop = tuple[str, str, str]              # "link", "links" or "lines", a table, its column
MOST_FORMULAS = 20                      # within each other


class Reading:
    """What the expressions of one field read, as far as triggers have to know."""

    def __init__(self, base: State, physical: Physical) -> None:
        self.base, self.physical = base, physical
        self.own: dict[str, list[str]] = {}                             # columns of the record, with their types
        self._through: dict[tuple[str, str, tuple[Hop, ...]], None] = {}

    @property
    def through(self) -> tuple[tuple[str, str, tuple[Hop, ...]], ...]:
        """Each table that is read, the column of a line that leads on ("" for none), and the way from there."""
        return tuple(self._through)

    def add(self, fill: Fill, expressions: list[Expression | None]) -> None:
        """What some expressions over a table read. Raises ExpressionError for what nobody can follow."""
        found = {path for one in expressions if one is not None for path in one.reads}
        found |= {(fill.keeps,)} if fill.keeps is not None else set()
        for path in sorted(found):
            self._path(fill.before, path)

    def _path(self, table: str, path: tuple[str, ...], back: tuple[Hop, ...] = (), depth: int = 0) -> None:
        """Follow one path of names; `back` is the way from the table to the record that is filled."""
        model = self.base.model
        one = model.field(table, path[0]) if model is not None and path[0] != "all" else None
        if path[0] == "all":
            raise ExpressionError(words("what goes through all records, or through a query, cannot be followed while "
                                        "people write: read along links and lines"))
        if one is None:
            return                                  # of every record: id, created_on ...
        if one.computed and one.formula is not None and not one.stored:
            if depth > MOST_FORMULAS:
                raise ExpressionError(words("formulas are too deep here"))
            for inner in sorted(one.formula.reads):
                self._path(table, inner, back, depth + 1)
        elif not back and not one.virtual:
            storage = self.base.storage(f"{one.table}.{one.name}")
            self.own.update({column[0]: column for column in columns(self.base, one, storage, self.physical)})
        rest = path[1:]
        if rest and (len(one.targets) > 1 or one.type.name == "any_link"):      # the table is named behind it
            if rest[1:]:
                self._enter([(("link", self._table(table), self._column(table, one.name, rest[0])), rest[0])],
                            rest[1:], back, depth)
        elif one.type.is_lines or one.type.is_through or (rest and one.target is not None):
            self._enter(self._hops(table, one), rest, back, depth)

    def _enter(self, hops: Iterable[tuple[Hop, str]], rest: tuple[str, ...], back: tuple[Hop, ...],
               depth: int) -> None:
        """Go on behind a link or lines: what is written there concerns the records that the way leads back to."""
        target = ""
        for hop, target in hops:
            lines = hop[0] == "lines"               # a line that moves concerns both records that it was a line of
            self._through[self._table(target), hop[2] if lines else "", back if lines else (hop, *back)] = None
            back = (hop, *back)
        if rest:
            self._path(target, rest, back, depth)

    def _hops(self, table: str, one: Field) -> Iterator[tuple[Hop, str]]:
        """The ways back behind a link, lines, or links through a table, each with the table that it is behind."""
        target = one.target or ""
        if one.type.is_lines:
            by = str(getattr(one.properties, "by", ""))
            yield ("lines", self._table(target), self._column(target, by)), target
        elif one.type.is_through:
            found = ends(self.base.model.names, one) if self.base.model is not None else None
            if found is None:
                raise KeyError(one.name)
            between = self._table(found.through)
            yield ("lines", between, self._column(found.through, found.by)), found.through
            yield ("link", between, self._column(found.through, found.other)), target
        else:
            yield ("links" if one.many else "link", self._table(table), self._column(table, one.name)), target

    def _table(self, name: str) -> str:
        model = self.base.model
        root = model.tables[name].root if model is not None else name
        return self.physical[self.base.storage(root), ""][0]

    def _column(self, table: str, name: str, to: str = "") -> str:
        """The column of a link; of one to several tables, that which leads to one of them."""
        model = self.base.model
        one = model.field(table, name) if model is not None else None
        if one is None:
            raise KeyError(name)
        storage = self.base.storage(f"{one.table}.{one.name}")
        if len(one.targets) > 1:
            return str(self.physical[storage, kept_part(self.base.identities, one, to)][1])
        return columns(self.base, one, storage, self.physical)[0][0]


def columns(state: State, one: Field, storage: int, names: Physical) -> list[list[str]]:
    """The physical columns of a field, with their types."""
    return [[str(names[storage, kept_part(state.identities, one, name)][1]), kind] for name, kind in parts(one)]

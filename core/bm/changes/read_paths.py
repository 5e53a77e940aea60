"""What expressions read of live, in physical terms: columns of the record itself, and the tables they go through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

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

    def _path(self, table: str, path: tuple[str, ...], hops: tuple[tuple[str, Field], ...] = (),
              depth: int = 0) -> None:
        """Follow one path of names, with the links and lines on the way so far."""
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
                self._path(table, inner, hops, depth + 1)
        elif not hops and not one.virtual:
            storage = self.base.storage(f"{one.table}.{one.name}")
            self.own.update({column[0]: column for column in columns(self.base, one, storage, self.physical)})
        if one.target is not None and (len(path) > 1 or one.type.is_lines):
            self._enter(table, one, path, hops, depth)
        elif len(path) > 1 and (one.type.is_through or one.type.name == "any_link"):
            raise ExpressionError(words('"{name}" cannot be followed while people write', name=one.name))

    def _enter(self, table: str, one: Field, path: tuple[str, ...], hops: tuple[tuple[str, Field], ...],
               depth: int) -> None:
        """Go on behind a link or lines: what is written there concerns the records that the way leads back to."""
        if one.type.is_through:
            raise ExpressionError(words('"{name}" cannot be followed while people write', name=one.name))
        on = (*hops, (table, one))
        target, column = one.target or "", ""
        back = tuple(self._back(on))
        if one.type.is_lines:
            column, back = back[0][2], back[1:]
        self._through[self._table(target), column, back] = None
        if len(path) > 1:
            self._path(target, path[1:], on, depth)

    def _back(self, hops: tuple[tuple[str, Field], ...]) -> Iterator[Hop]:
        """The way from the last table back to the first one."""
        for table, one in reversed(hops):
            if one.type.is_lines:
                of, by = (str(getattr(one.properties, key)) for key in ("of", "by"))
                yield "lines", self._table(of), self._column(of, by)
            else:
                yield "links" if one.many else "link", self._table(table), self._column(table, one.name)

    def _table(self, name: str) -> str:
        model = self.base.model
        root = model.tables[name].root if model is not None else name
        return self.physical[self.base.storage(root), ""][0]

    def _column(self, table: str, name: str) -> str:
        model = self.base.model
        one = model.field(table, name) if model is not None else None
        if one is None:
            raise KeyError(name)
        return columns(self.base, one, self.base.storage(f"{one.table}.{one.name}"), self.physical)[0][0]


def columns(state: State, one: Field, storage: int, names: Physical) -> list[list[str]]:
    """The physical columns of a field, with their types."""
    return [[str(names[storage, kept_part(state.identities, one, name)][1]), kind] for name, kind in parts(one)]

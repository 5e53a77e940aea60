"""Functions, settings, sequences and templates of the Model: things that others call by their name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from core.definition.scope import ModelScope, Written
    from core.definition.tables import Field
    from core.definition.template import Node
    from core.types.base import Type

Restart = Literal["year", "month", "never"]

_PLACE = re.compile(r"\{([a-z_][a-z0-9_.]*)(?::([0-9]{1,2}))?\}")
PARTS = ("number", "year", "month")      # what a format may hold beside fields


@dataclass(frozen=True, eq=False)
class Function:
    """An expression with a name and parameters, which other expressions call."""

    name: str
    title: str
    parameters: Mapping[str, Field]
    returned: Field  # what it gives, as a field that no table has
    written: Written
    help: str = ""

    @property
    def gives(self) -> Type:
        """The type of what it gives."""
        return self.returned.expression_type


@dataclass(frozen=True, eq=False)
class Setting:
    """A value that people change without a promotion; `field` has its type, title, help and default."""

    name: str
    field: Field
    who: tuple[str, ...] = ()  # the roles that may change it, beside administrators
    per: str | None = None  # the link of the user whose records may each have their own value
    was: tuple[str, ...] = ()
    environment: bool = False  # each system has its own value, which no bundle carries

    @property
    def default(self) -> object:
        """The value that holds until somebody says another, in normal form."""
        return self.field.written.get("default")


@dataclass(frozen=True)
class Place:
    """A place in a sequence's format: the number, the year, the month, or a field that tells series apart."""

    name: str
    width: int
    column: int  # within the format, from 1


@dataclass(frozen=True)
class Sequence:
    """Codes given out one after the other."""

    name: str
    title: str
    format: str
    restart: Restart = "never"
    per: str | None = None  # the field of the record whose values have a series each
    gaps: bool = True  # False: no number is ever missing, and who draws one waits for whoever did before
    start: int = 1
    help: str = ""
    was: tuple[str, ...] = ()

    @cached_property
    def pieces(self) -> tuple[str | Place, ...]:
        """The format taken apart, in order."""
        return tuple(pieces(self.format))

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The fields that stand in its format: `per`, or a field of the record that `per` leads to."""
        return tuple(one.name for one in self.pieces if isinstance(one, Place) and one.name not in PARTS)

    def code(self, number: int, year: int, month: int, fields: Mapping[str, str]) -> str:
        """One code."""
        parts = {**fields, "year": f"{year:04d}", "month": f"{month:02d}"}
        return "".join(one if isinstance(one, str) else f"{number:0{one.width}d}" if one.name == "number"
                       else parts.get(one.name, "") for one in self.pieces)

    def series(self, year: int, month: int, per: object) -> tuple[str, ...]:
        """What a series is kept under: its name and what it is told apart by; the former names follow."""
        period = {"year": f"/{year:04d}", "month": f"/{year:04d}-{month:02d}", "never": ""}[self.restart]
        behind = ("" if self.per is None else f"/{'' if per is None else per}") + period
        return tuple(name + behind for name in (self.name, *self.was))


@dataclass(frozen=True, eq=False)
class Template:
    """A text with places for values: of a mail, a document, a note."""

    name: str
    title: str
    scope: ModelScope  # what its expressions may name; the table of it is the one whose record the template shows
    format: Literal["text", "html"]
    subject: str
    source: str
    parameters: Mapping[str, Field] = field(default_factory=dict)
    help: str = ""
    was: tuple[str, ...] = ()

    @property
    def of(self) -> str | None:
        """The table of the record whose values it shows; None if it shows none."""
        return self.scope.table

    @cached_property
    def body(self) -> tuple[Node, ...]:
        """The text taken apart, as it is written; a translated one is bound by whoever has it."""
        from core.definition.template import bound
        return bound(self.source, self.scope)


def pieces(format: str) -> Iterator[str | Place]:
    """The texts and places of a sequence's format; a brace that opens no place stays text."""
    at = 0
    for match in _PLACE.finditer(format):
        if match.start() > at:
            yield format[at:match.start()]
        yield Place(match[1], int(match[2] or 1), match.start() + 1)
        at = match.end()
    if at < len(format):
        yield format[at:]

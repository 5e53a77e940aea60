"""What a function of the language is: one small value with its types, its examples, its Python and its SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Column, ColumnElement, select

from core.expression import type_rules
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.nodes import Node


@dataclass(frozen=True, slots=True)
class Kind:
    """A group of types that a parameter takes, and the words for it."""

    words: str
    names: frozenset[str]

    def takes(self, type: Type) -> bool:
        """True if a value of the type may be given."""
        return not type.many and (type.name in self.names or type.name == "null")


TEXT = Kind("text", frozenset({"text"}))
NUMBER = Kind("a number", type_rules.NUMBERS)
INTEGER = Kind("a whole number", frozenset({"integer"}))
DATE = Kind("a date", frozenset({"date"}))
DATETIME = Kind("a date with time", frozenset({"datetime"}))
DURATION = Kind("a duration", frozenset({"duration"}))
MONEY = Kind("money", frozenset({"money"}))
CONDITION = Kind("a condition", frozenset({"boolean"}))
ANY = Kind("a value", type_rules.ORDERED | {"boolean", "choice", "link"})
ORDERED = Kind("a number, text, date or duration", type_rules.ORDERED)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a function; a literal one must be written out, it cannot be computed.

    `reads` understands a literal text, raising ValueError; `options` are some it understands, for suggestions.
    """

    name: str
    kind: Kind
    literal: bool = False
    optional: bool = False
    reads: Callable[[str], Any] | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language.

    `gives` is a type, or None for "what its arguments have in common". `environment` names the variables (today, now,
    zone) that come before the arguments, in Python and in SQL. With `strict` an empty argument gives empty, without the
    function being asked; a condition without an answer is false. `examples` are conditions that hold, in Python and in
    PostgreSQL. `sql` has to give bigint or numeric for whole numbers, must never fail, and should use each argument
    once.
    """

    name: str
    takes: tuple[Parameter, ...]
    gives: Type | None
    doc: str
    examples: tuple[str, ...]
    python: Callable[..., Any]
    sql: Callable[..., Any]
    variadic: bool = False                  # the last parameter may repeat
    strict: bool = True
    filled: bool = False                    # never empty when its arguments are not
    always: bool = False                    # never empty at all
    collated: bool = False                  # compares its arguments, so that texts need the right collation
    environment: tuple[str, ...] = ()
    selects: bool = False                   # its SQL may be a select, which no index can hold
    # A Python form of the first argument alone, where all others are literals; None if it knows none for these.
    prepared: Callable[[Sequence[Node]], Callable[..., Any] | None] | None = None
    depth: int = 30                         # frames that compiling its SQL takes; some 10 for each nested function
    size: Callable[[Sequence[Node]], int] | None = None

    @property
    def signature(self) -> str:
        """How it is called: `round(number, places?)`."""
        names = [p.name + ("?" if p.optional else "") for p in self.takes]
        return f"{self.name}({', '.join(names)}{', ...' if self.variadic else ''})"

    def parameter(self, position: int) -> Parameter:
        """The parameter that the argument at a position is for."""
        return self.takes[min(position, len(self.takes) - 1)]

    def takes_count(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        least = sum(not p.optional for p in self.takes)
        return least <= count and (self.variadic or count <= len(self.takes))

    def never_empty(self, arguments: Sequence[Node]) -> bool:
        """True if the value cannot be empty, given its arguments."""
        from core.expression.nodes import may_be_empty  # nodes name functions, functions only ask about nodes
        return self.always or (self.filled and not any(map(may_be_empty, arguments)))

    def size_of(self, arguments: Sequence[Node]) -> int:
        """The bound of the value's size: digits of a number, days of a date."""
        if self.size is not None:
            return self.size(arguments)
        return max((argument.size for argument in arguments), default=0)


def once(make: Callable[..., Any], *values: Any) -> ColumnElement[Any]:
    """SQL that needs some values more than once: what is computed is worked out before, or nesting would double it."""
    plain = [isinstance(value, Column | BindParameter) for value in values]
    if all(plain):
        return make(*values)    # type: ignore[no-any-return]
    inner = select(*(value.label(f"v{number}") for number, value in enumerate(values))).correlate_except().subquery()
    return select(make(*inner.c)).scalar_subquery()

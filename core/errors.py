"""The errors that callers of core are meant to catch; each says what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error in a definition file, at a place an editor can jump to."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one value a user sent; `field` is a path such as `lines.2.price`, or "" for the record.

    `row` is the place of the record in the list that was sent; `message` is a msgid, `params` fill its placeholders.
    """

    field: str
    code: str
    message: str
    params: Mapping[str, object] = default(default_factory=dict)
    row: int | None = None


class TesseraError(Exception):
    """The root of all errors that core raises on purpose."""


class DefinitionError(TesseraError):
    """A set of definitions cannot become a Model; carries all its problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Invalid(TesseraError):
    """Values break the rules of their fields or their table; nothing was written."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field or 'record'}: {p.message}" for p in self.problems))


class Told(TesseraError):
    """An error that people read in their language: `message` is a msgid whose {places} `params` fill."""

    def __init__(self, message: str, **params: object) -> None:
        self.message = message
        self.params = params
        for name, value in params.items():
            message = message.replace("{" + name + "}", str(value))
        super().__init__(message)


class Denied(Told):
    """The caller has no right to do this; the message says who has."""


class NotFound(Told):
    """There is no such thing, or the caller may not know that there is."""


class Conflict(TesseraError):
    """The record was changed by someone else since the caller read it; carries the record as it is now."""

    def __init__(self, message: str, current: Mapping[str, object] | None = None,
                 fields: Iterable[str] = ()) -> None:
        self.current = dict(current or {})
        self.fields = tuple(fields)
        super().__init__(message)


class BadRequest(TesseraError):
    """A query, filter, order or body cannot be understood; `at` is the offending part, `column` its place in it."""

    def __init__(self, message: str, at: str = "", column: int | None = None) -> None:
        self.at = at
        self.column = column
        super().__init__(message)


class Refused(TesseraError):
    """A command or promotion does not go ahead; the message says why and what to do."""

"""The errors that callers of core are meant to catch; each says what is wrong and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

_PLACE = re.compile(r"\{(\w+)\}")


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
        super().__init__("; ".join(f"{p.field or 'record'}: {fill(p.message, p.params)}" for p in self.problems))


def N_(msgid: str) -> str:
    """Mark an English sentence that people will read in their language, where it is not yet known who they are."""
    return msgid


def fill(text: str, params: Mapping[str, object]) -> str:
    """Put parameters into their {places}; plain replacement, so that a message never reaches into an object."""
    return _PLACE.sub(lambda place: str(params[place[1]]) if place[1] in params else place[0], text) if params else text


def counted(number: int, word: str) -> str:
    """A number and its noun in English: `1 file`, `2 files`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence or a part of one that people read in their language; its parameters may be Words themselves."""

    message: str
    params: Mapping[str, object] = default(default_factory=dict)

    def __str__(self) -> str:
        return fill(self.message, self.params)


def words(message: str, **params: object) -> Words:
    """Say something that is translated when it is shown: a msgid, and what fills its {places}."""
    return Words(message, params)


def words_to_json(said: Words | str) -> Any:
    """A sentence as it is kept and sent: its msgid and what fills it, so that each reader gets it in their language.

    What is nobody's translation (what PostgreSQL says, a name) is kept as it is.
    """
    if isinstance(said, str):
        return said
    return {"message": said.message, "params": {name: _param(value) for name, value in said.params.items()}}


def _param(value: object) -> Any:
    if isinstance(value, Words):
        return words_to_json(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def words_from_json(kept: Any) -> Words | str:
    """The sentence again."""
    if not isinstance(kept, Mapping):
        return str(kept)
    return Words(kept["message"], {name: words_from_json(value) if isinstance(value, Mapping) else value
                                   for name, value in kept["params"].items()})


def joined(parts: Iterable[Words | str], between: str = ", ") -> Words:
    """Several sentences or parts of one, one after the other; each is translated by itself."""
    params = {str(number): part for number, part in enumerate(parts)}
    return Words(between.join(f"{{{number}}}" for number in params), params)


class Told(TesseraError):
    """An error that people read in their language: `message` is a msgid whose {places} `params` fill."""

    def __init__(self, message: str | Words, **params: object) -> None:
        self.words = Words(message, params) if isinstance(message, str) else message
        super().__init__(str(self.words))

    @property
    def message(self) -> str:
        """The msgid."""
        return self.words.message

    @property
    def params(self) -> Mapping[str, object]:
        """What fills its {places}."""
        return self.words.params


class Denied(Told):
    """The caller has no right to do this; the message says who has."""


class RecordLocked(Denied):
    """A record is locked, so nobody may write it now; the message says why, and who may unlock it."""

    def __init__(self, message: str | Words, *, table: str = "", id: int = 0, **params: object) -> None:
        self.table = table
        self.id = id
        super().__init__(message, **params)


class NotFound(Told):
    """There is no such thing, or the caller may not know that there is."""


class Conflict(Told):
    """The record was changed by someone else since the caller read it; carries the record as it is now."""

    def __init__(self, message: str | Words, current: Mapping[str, object] | None = None,
                 fields: Iterable[str] = (), **params: object) -> None:
        self.current = dict(current or {})
        self.fields = tuple(fields)
        super().__init__(message, **params)


class BadRequest(Told):
    """A query, filter, order or body cannot be understood; `at` is the offending part, `column` its place in it."""

    def __init__(self, message: str | Words, at: str = "", column: int | None = None, **params: object) -> None:
        self.at = at
        self.column = column
        super().__init__(message, **params)


class NoSpace(Told):
    """A file could not be stored: its disk is full, broken or read-only. Nothing of the request was kept."""


class Refused(Told):
    """A command or promotion does not go ahead; the message says why and what to do."""

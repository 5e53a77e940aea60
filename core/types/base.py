"""What a field type is: the columns it takes, what it accepts, and how a value travels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sized
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from core.errors import TesseraError, fill

Index = Literal["btree", "gin"]


@dataclass(frozen=True, slots=True)
class Type:
    """What an expression, and a field in it, is.

    `name` is one of: text integer decimal money percent boolean date time datetime duration choice link set json null.
    """

    name: str
    of: str | None = None      # choice: the choices' name; link and set: the table's name
    many: bool = False         # a plural choice or link, or several texts

    def __str__(self) -> str:
        return ("many " if self.many else "") + self.name + (f" of {self.of}" if self.of else "")


@dataclass(frozen=True, slots=True)
class Part:
    """One column of a field; `name` is "" for the main part, else "key", "base", "normal", "html"."""

    name: str
    column: str      # text bigint integer numeric boolean date time timestamptz interval jsonb text[] bigint[]


@dataclass(frozen=True, slots=True)
class Locale:
    """How a person reads and writes: language (`en`, `zh_CN`) and time zone."""

    language: str = "en"
    zone: str = "UTC"


PLAIN = Locale()               # of what is written for programs
Plain = str | int | Decimal | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Words:
    """What a value is found by: texts by their words, numbers by any run of their digits."""

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


class BadValue(TesseraError):
    """A value does not fit its type; `message` is an English msgid whose {placeholders} `params` fill."""

    def __init__(self, code: str, message: str, **params: object) -> None:
        self.code = code
        self.message = message
        self.params = params
        super().__init__(fill(message, params))


def check_count(values: Sized, most: int) -> None:
    """Check that no more values are given than a field may hold. Raises BadValue."""
    if len(values) > most:
        raise BadValue("too_many", "There may be {most} values.", most=most)


class Properties(BaseModel):
    """The properties that every type starts from: none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=BaseModel)


class FieldType(ABC, Generic[P]):
    """One type of field; `p` is always the pydantic model of the field's own properties."""

    name: ClassVar[str]
    properties: ClassVar[type[BaseModel]] = Properties
    sortable: ClassVar[bool] = True
    searchable: ClassVar[bool] = False
    searched: ClassVar[tuple[str, ...]] = ("",)     # the parts that `words` is given
    separators: ClassVar[str] = ";；"         # characters that part several values in one line
    virtual: ClassVar[bool] = False          # no column of its own (lines)
    is_file: ClassVar[bool] = False          # its value is an uploaded file
    is_link: ClassVar[bool] = False          # its value is a record, or several
    is_through: ClassVar[bool] = False       # these are linked by records of a table between, which writing changes
    is_lines: ClassVar[bool] = False         # its values are records that are written with this one
    is_drawn: ClassVar[bool] = False         # the record service draws its value from a sequence
    is_long: ClassVar[bool] = False          # its values want a place of their own on a page, and fit no column

    @abstractmethod
    def expression_type(self, p: P) -> Type:
        """What an expression sees when it names such a field."""

    @abstractmethod
    def parts(self, p: P) -> tuple[Part, ...]:
        """The columns it is stored in; the main one first."""

    def default_index(self, p: P) -> Index | None:
        """The index that every such field gets."""
        return None

    @abstractmethod
    def validate(self, value: Any, p: P) -> Any:
        """Bring a Python value to its normal form; None stays None and '' becomes it. Raises BadValue."""

    @abstractmethod
    def parse(self, text: str, p: P, locale: Locale) -> Any:
        """Read what a person typed or a file holds, into normal form. Raises BadValue."""

    def from_wire(self, value: Any, p: P) -> Any:
        """Read a JSON value, strictly, into normal form. Raises BadValue."""
        return self.validate(value, p)

    def to_wire(self, value: Any, p: P) -> Any:
        """Give a value in normal form as JSON."""
        return value

    def to_columns(self, value: Any, p: P) -> tuple[Any, ...]:
        """Give a value in normal form as one database value for each part, in order."""
        return (value,)

    def from_columns(self, values: tuple[Any, ...], p: P) -> Any:
        """Bring back a value from its parts, in order."""
        return values[0]

    @abstractmethod
    def format(self, value: Any, p: P, locale: Locale) -> str:
        """Give a value for reading; empty for None."""

    def plain(self, value: Any, p: P) -> Plain:
        """Give a value for a file that people open and programs read; `parse` in English and UTC reads it back."""
        return None if value is None else self.format(value, p, PLAIN)

    def words(self, values: tuple[Any, ...], p: P) -> Words:
        """What searches find a value by, of the parts named in `searched`."""
        return Words((values[0],))

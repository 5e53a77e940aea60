"""What the tests of types share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.types import BadValue, Locale, registry

EN = Locale("en", "UTC")


class Field:
    """A type with the properties of one field, so that a test reads `text.parse("x")`."""

    def __init__(self, name: str, **properties: Any) -> None:
        self.type = registry()[name]
        self.p = self.type.properties(**properties)

    def validate(self, value: Any) -> Any:
        return self.type.validate(value, self.p)

    def parse(self, text: str, locale: Locale = EN) -> Any:
        return self.type.parse(text, self.p, locale)

    def from_wire(self, value: Any) -> Any:
        return self.type.from_wire(value, self.p)

    def to_wire(self, value: Any) -> Any:
        return self.type.to_wire(value, self.p)

    def format(self, value: Any, locale: Locale = EN) -> str:
        return self.type.format(value, self.p, locale)

    def columns(self, value: Any) -> tuple[Any, ...]:
        return self.type.to_columns(value, self.p)

    def back(self, *values: Any) -> Any:
        return self.type.from_columns(values, self.p)

    def parts(self) -> list[tuple[str, str]]:
        return [(part.name, part.column) for part in self.type.parts(self.p)]


@pytest.fixture
def field() -> type[Field]:
    """Make a field: `field("text", max=5)`."""
    return Field


@pytest.fixture
def refused() -> Callable[[str], Any]:
    """A context in which a value must be refused with this code: `with refused("too_long"): ...`."""
    return lambda code: pytest.raises(BadValue, check=lambda error: error.code == code)

"""A number of stars."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.numbers import check_range, from_text

STARS = "★⭐☆"


class RatingProperties(Properties):
    """The properties of a rating."""

    max: int = Field(5, ge=2, le=10, description="The most stars there are.")


class RatingType(FieldType[RatingProperties]):
    """A rating by 1 to 5 stars, or as many as `max` says; none given is empty."""

    name: ClassVar[str] = "rating"
    properties: ClassVar = RatingProperties

    def expression_type(self, p: RatingProperties) -> Type:
        return Type("integer")

    def parts(self, p: RatingProperties) -> tuple[Part, ...]:
        return (Part("", "bigint"),)

    def validate(self, value: Any, p: RatingProperties) -> int | None:
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadValue("type", "This must be a whole number.")
        check_range(value, 1, p.max)
        return value

    def parse(self, text: str, p: RatingProperties, locale: Locale) -> int | None:
        typed = text.strip()
        if typed and not typed.strip(STARS):
            return self.validate(len(typed.rstrip("☆")), p)
        number = from_text(typed.removesuffix(f"/{p.max}"), locale)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise BadValue("whole", "This must be a whole number.")
        return self.validate(int(number), p)

    def format(self, value: int | None, p: RatingProperties, locale: Locale) -> str:
        return "" if value is None else f"{value}/{p.max}"

    def plain(self, value: int | None, p: RatingProperties) -> int | None:
        return value

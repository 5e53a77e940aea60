"""Values of one type as values of another: what a field's stored values become when the field gets another type.

A conversion is JSON, so that it stands in a plan and in the journal; `of` makes a function of it. Values go over what
they look like as text (`plain` of the old type, `parse` of the new), where there is nothing more direct.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from core.errors import Words, words
from core.types.base import BadValue, FieldType, Locale
from core.types.html import RichText
from core.types.numbers import plain as plain_number
from core.types.several import of_properties
from core.types.state import StateProperties, StateType

if TYPE_CHECKING:
    from core.definition.model import ChoiceValue, Field, Model

NUMBERS = frozenset({"integer", "decimal", "float", "money", "percent", "rating"})
CHOICES = frozenset({"choice", "state"})
LINES = frozenset({"memo", "html"})                 # text that may have several lines
NOTHING = frozenset({"any_link", "links", "lines", "file", "image", "document", "sequence"})    # no other type's values
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A type as a field has it: what is needed to read and to write its values."""

    type: FieldType[Any]
    properties: Any
    many: bool

    @property
    def name(self) -> str:
        """The name of the type, of one value."""
        return self.type.name.removeprefix("many_")

    @classmethod
    def of(cls, field: Field) -> Shape:
        """As a field of the Model has it."""
        return cls(field.type, field.properties, field.many or field.type.name == "tags")


def shape_json(field: Field) -> dict[str, Any]:
    """A field's type as a plan keeps it."""
    return {"type": field.type.name.removeprefix("many_"), "properties": field.properties.model_dump(mode="json")}


def shape_of(body: Mapping[str, Any], types: Mapping[str, FieldType[Any]]) -> Shape:
    """A type as a plan kept it. Raises KeyError for a type that this release does not have."""
    kind = types[body["type"]]
    made_of = StateProperties if isinstance(kind, StateType) else kind.properties      # nobody writes those of a state
    properties = made_of.model_validate(body["properties"])
    made = of_properties(kind, properties)
    return Shape(made, properties, bool(getattr(properties, "many", False)) or kind.name == "tags")


def impossible(before: Field, after: Field) -> Words | None:
    """Why no value of one field means anything in the other; None if values can be tried."""
    names = {Shape.of(before).name, Shape.of(after).name}
    if before.computed or after.computed:
        return words("what is computed and what people enter are two things")
    if names == {"link"} and before.targets != after.targets:
        return words("records of {one} are none of {other}", one=", ".join(before.targets),
                     other=", ".join(after.targets))
    if Shape.of(after).name == "link" and names != {"link"}:
        return words("a text does not say which record is meant")
    found = sorted(names & NOTHING)
    if found and names != {found[0]}:
        return words('values of type "{type}" are no values of another type', type=found[0])
    return None


def conversion(before: Field, after: Field, models: tuple[Model, Model], values: Mapping[str, str],
               zone: str, language: str) -> dict[str, Any]:
    """How values of one field become those of another, as JSON; `values` are choices that are called otherwise."""
    old, new = _choices(models[0], before), _choices(models[1], after)
    found: dict[str, Any] = {"from": shape_json(before), "to": shape_json(after), "zone": zone, "language": language}
    if old is not None and new is not None:
        named = {one.title.casefold(): name for name, one in reversed(list(new.items()))}
        found["values"] = {name: values.get(name) or (name if name in new else named.get(one.title.casefold(), name))
                           for name, one in old.items()}
        found["known"] = sorted(new) if before.properties != after.properties else []
    elif old is not None:
        found["titles"] = {name: one.title for name, one in old.items()}
    elif new is not None:
        found["named"] = {**{one.title.casefold(): name for name, one in reversed(list(new.items()))},
                          **{name.casefold(): name for name in new}}
    return found


def _choices(model: Model, field: Field) -> Mapping[str, ChoiceValue] | None:
    of = str(getattr(field.properties, "of", ""))
    return model.choices[of].values if Shape.of(field).name in CHOICES and of in model.choices else None


def of(body: Mapping[str, Any], types: Mapping[str, FieldType[Any]]) -> Convert:
    """The function that a conversion is: from normal form to normal form. It raises BadValue for what means nothing."""
    before, after = shape_of(body["from"], types), shape_of(body["to"], types)
    one = _single(body, before, after)

    def convert(value: Any) -> Any:
        if value is None or value == []:
            return None
        items = list(value) if before.many and isinstance(value, list | tuple) else [value]
        found = [one(item) for item in items]
        if after.many:
            flat = [part for item in found for part in (item if isinstance(item, list | tuple) else [item])]
            return after.type.validate([item for item in flat if item is not None], after.properties)
        if len(found) > 1:
            if after.name in ("text", "memo"):
                return after.type.validate(", ".join(map(str, found)), after.properties)
            raise BadValue("several", "There are {count} values, and there may be one.", count=len(found))
        return found[0]
    return convert


def settled(body: Mapping[str, Any], types: Mapping[str, FieldType[Any]]) -> Convert:
    """The same, with what was answered for values that mean nothing in the new type: `otherwise`, or nothing."""
    convert, after = of(body, types), shape_of(body["to"], types)
    otherwise = after.type.from_wire(body.get("otherwise"), after.properties)

    def settle(value: Any) -> Any:
        try:
            return convert(value)
        except BadValue:
            return otherwise
    return settle


def _single(body: Mapping[str, Any], before: Shape, after: Shape) -> Convert:
    """How one value becomes one value."""
    if before.name in CHOICES and after.name in CHOICES:
        return _between_choices(body)
    if before.name == after.name and before.name == "link":
        return lambda value: value
    target = getattr(after.type, "one", after.type)             # of several values: the type of one
    p = after.properties
    if before.name in NUMBERS and after.name in NUMBERS:
        return lambda value: _number(value, target, p, after.name)
    if {before.name, after.name} == {"date", "datetime"}:
        return _day if after.name == "date" and body["zone"] == "UTC" else _moment_or_day(after.name, body["zone"])
    return _over_text(body, getattr(before.type, "one", before.type), before, target, after)


def _between_choices(body: Mapping[str, Any]) -> Convert:
    values, known = body.get("values", {}), frozenset(body.get("known", ()))

    def convert(value: str) -> str:
        found = values.get(value, value)
        if known and found not in known:
            raise BadValue("choice", "\"{value}\" is none of the choices.", value=value)
        return str(found)
    return convert


def _number(value: Any, target: FieldType[Any], p: Any, name: str) -> Any:
    number = plain_number(Decimal(value))
    if name in ("integer", "rating"):
        if number != number.to_integral_value():
            raise BadValue("whole", "This must be a whole number.")
        return target.validate(int(number), p)
    return target.validate(number, p)


def _day(value: datetime) -> date:
    return value.astimezone(UTC).date()


def _moment_or_day(name: str, zone: str) -> Convert:
    place = ZoneInfo(zone)
    if name == "date":
        return lambda value: value.astimezone(place).date()
    return lambda value: datetime.combine(value, time(), place).astimezone(UTC)


def _over_text(body: Mapping[str, Any], source: FieldType[Any], before: Shape, target: FieldType[Any],
               after: Shape) -> Convert:
    """By what a value looks like: the title of a choice, a day as 2026-05-01, a moment in the system's zone."""
    written, named = _writer(body, source, before, after), body.get("named")
    locale = Locale("en", body["zone"])

    def convert(value: Any) -> Any:
        text = written(value)
        if named is not None:
            found = named.get(text.casefold().strip())
            if found is None and isinstance(value, bool):
                found = _yes_or_no(value, named)
            if found is None:
                raise BadValue("choice", "\"{value}\" is none of the choices.", value=text[:40])
            return found
        if before.name in LINES and after.name not in LINES:
            text = " ".join(text.split())
        return target.parse(text, after.properties, locale)
    return convert


def _writer(body: Mapping[str, Any], source: FieldType[Any], before: Shape, after: Shape) -> Callable[[Any], str]:
    titles = body.get("titles")

    def written(value: Any) -> str:
        if titles is not None:
            return str(titles.get(value, value) if after.name not in ("boolean",) else value)
        if before.name == "link":
            return str(value)                           # the title of its record, by now
        if isinstance(value, RichText):
            return value.html if after.name == "html" else str(value)
        if isinstance(value, bool):
            return source.format(value, before.properties, Locale(body["language"]))
        if isinstance(value, datetime):
            return value.astimezone(ZoneInfo(body["zone"])).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
        found = source.plain(value, before.properties)
        if isinstance(found, date):
            return found.isoformat()
        return f"{found:f}" if isinstance(found, Decimal) else str(found)
    return written


def _yes_or_no(value: bool, named: Mapping[str, str]) -> str | None:
    return next((named[word] for word in (("true", "yes") if value else ("false", "no")) if word in named), None)

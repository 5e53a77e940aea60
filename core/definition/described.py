"""What schemas say of themselves: their properties, the words for values, the mappings inside, the texts in them."""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType, UnionType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.definition.shapes import is_text

WORDS = {str: "text", bool: "true or false", int: "whole number", float: "number", Decimal: "number"}


@dataclass(frozen=True)
class Section:
    """A mapping at a place of a definition: `fields.NAME` holds a FieldSchema."""

    path: str  # "" for the definition itself
    model: type[BaseModel]
    same_as: str | None = None  # the place where the same mapping was described first
    elsewhere: bool = False     # whether it is described on a page of its own


def sections(model: type[BaseModel], elsewhere: Collection[type[BaseModel]] = ()) -> Iterator[Section]:
    """The definition and all mappings in it, outermost first; what was met before, or is described `elsewhere`, is not
    entered.
    """
    met: dict[type[BaseModel], str] = {}
    waiting: list[tuple[str, type[BaseModel]]] = [("", model)]
    while waiting:
        path, current = waiting.pop(0)
        if current in met:
            yield Section(path, current, met[current])
            continue
        met[current] = path
        if path and current in elsewhere:
            yield Section(path, current, elsewhere=True)
            continue
        yield Section(path, current)
        for key, info in properties(current):
            below = f"{path}.{key}" if path else key
            waiting.extend((below + member, found) for member, found in mappings(info.annotation))


def properties(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The properties by the names that files use; without those that core makes itself."""
    yield from _properties(model.model_fields)


def own_properties(model: type[BaseModel], beside: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The properties that a schema has beside those of another that it extends."""
    yield from _properties({name: info for name, info in model.model_fields.items() if name not in beside.model_fields})


def _properties(fields: Mapping[str, FieldInfo]) -> Iterator[tuple[str, FieldInfo]]:
    for name, info in fields.items():
        extra = info.json_schema_extra
        if not (isinstance(extra, dict) and extra.get("made")):
            yield info.alias or name, info


def mappings(annotation: object) -> Iterator[tuple[str, type[BaseModel]]]:
    """The schemas of mappings that a property holds, each with `.NAME` if it is a member of a collection."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif typing.get_origin(annotation) is dict:
        yield from ((f".NAME{path}", model) for path, model in mappings(typing.get_args(annotation)[1]))
    else:
        for one in typing.get_args(annotation):
            yield from mappings(one)


def texts(model: type[BaseModel]) -> Iterator[str]:
    """The paths of the texts that are translated, such as `fields.NAME.title`."""
    for section in sections(model):
        for key, info in properties(section.model):
            if is_text(info):
                yield f"{section.path}.{key}" if section.path else key


def value_word(info: FieldInfo) -> str:
    """What kind of value a property takes, in words."""
    extra = info.json_schema_extra
    if isinstance(extra, dict) and "word" in extra:
        return str(extra["word"])
    return _word(info.annotation)


def without(info: FieldInfo) -> str:
    """What counts when a property is left out; nothing where its description says it."""
    if info.is_required():
        return "must be there"
    default = info.default
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, (str, int, Decimal)) and default != "":
        return f"{default:,}".replace(",", " ") if isinstance(default, int) else str(default)
    return ""


def _word(annotation: object) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        extras = (getattr(one, "json_schema_extra", None) for one in arguments[1:])
        return next((str(extra["word"]) for extra in extras if extra and "word" in extra), _word(arguments[0]))
    if origin in (typing.Union, UnionType):
        words = dict.fromkeys(_word(one) for one in arguments if one is not NoneType)
        return " or ".join(words)
    if origin is typing.Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin in (list, tuple):
        return f"list of {_plural(_word(arguments[0]))}" if arguments[0] is not typing.Any else "elements"
    if origin is dict:
        members = "" if list(mappings(annotation)) else f" of {_plural(_word(arguments[1]))}"
        return f"mapping by {_word(arguments[0])}{members}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return WORDS.get(annotation, "value") if isinstance(annotation, type) else "value"


def _plural(word: str) -> str:
    return word if word.startswith(("`", "value", "mapping")) or " or " in word else word + "s"


def sentence(thing: type) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())
